// The list: sorting, picking, and the way through the cases; tools of the maps. The page is whole without it.
// Text of the data is only ever read here, or put in as text: no markup is made of it.

function voyageList(table, form) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = new Map(rows.map((row) => [row, plain(`${row.textContent} ${row.dataset.met || ""}`)]));
  const rank = new Map(rows.map((row, i) => [row, i]));

  function value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  }

  function sortBy(column, descending) {
    const sign = descending ? -1 : 1;
    const order = rows.map((row) => [row, value(row, column)]);
    order.sort(([a, x], [b, y]) => {
      const way = typeof x === "number" ? x - y : collator.compare(x, y);
      return sign * way || rank.get(a) - rank.get(b);
    });
    body.append(...order.map(([row]) => row));
    heads.forEach((head, i) => {
      head.setAttribute("aria-sort", i !== column ? "none" : descending ? "descending" : "ascending");
    });
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    if (!head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      // The first click puts on top what people look for first: high scores, the newest voyages.
      const first = head.dataset.sort === "score" || head.dataset.sort === "when";
      sortBy(column, now === "none" ? first : now === "ascending");
    });
  });

  const selects = [...form.querySelectorAll("select")];
  const text = form.elements.namedItem("text");
  const count = document.getElementById("count");
  const noneLeft = document.getElementById("none-left");

  function pick() {
    const asked = plain(text.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits =
        selects.every((one) => one.value === "" || row.dataset[one.name].split(" ").includes(one.value)) &&
        asked.every((word) => words.get(row).includes(word));
      row.hidden = !fits;
      shown += Number(fits);
    }
    count.textContent = `${shown} of ${rows.length} ${rows.length === 1 ? "voyage" : "voyages"} shown`;
    noneLeft.hidden = shown > 0;
    table.hidden = shown === 0;
  }

  function clear() {
    form.reset();
    pick();
    text.focus();
  }

  form.addEventListener("input", pick);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", clear);
  noneLeft.querySelector(".clear").addEventListener("click", clear);
  // On a phone the list comes first, and what picks from it is folded.
  const box = document.getElementById("pick");
  box.open = matchMedia("(min-width: 40.01rem)").matches;
  box.hidden = false;
  count.hidden = false;
  pick();

  return {
    // The cases before and after one, in the order that the list shows now; undefined for one that it does not show.
    around(id) {
      const shown = [...body.rows].filter((row) => !row.hidden && row.querySelector("a.open")).map((row) => row.id.replace(/^row-/, ""));
      const place = shown.indexOf(id);
      return place < 0 ? undefined : { place, n: shown.length, before: shown[place - 1], after: shown[place + 1] };
    },
    row: (id) => document.getElementById(`row-${id}`),
  };
}

function button(className, words, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = words;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function takesFocus(element, label) {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

function mapTools(figure) {
  const port = figure.querySelector(".port");
  takesFocus(port, "Map. Arrow keys move it, plus and minus zoom, 0 shows all.");
  const moved = movable(port);
  const tools = document.createElement("div");
  tools.className = "tools";
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "Map");
  const colours = ["speed", "time"].map((what) =>
    button(`by-${what}-button`, `Colour by ${what}`, "", () => {
      figure.classList.toggle("by-speed", what === "speed");
      figure.classList.toggle("by-time", what === "time");
      press();
    }),
  );
  const press = () =>
    colours.forEach((one, i) => {
      one.setAttribute("aria-pressed", String(figure.classList.contains(i === 0 ? "by-speed" : "by-time")));
    });
  tools.append(
    button("zoom-in", "+", "Zoom in", () => moved.zoom(1.6)),
    button("zoom-out", "−", "Zoom out", () => moved.zoom(1 / 1.6)),
    button("zoom-all", "Whole voyage", "", () => moved.all()),
    ...colours,
  );
  press();
  figure.append(tools);
}

// What a kind says stands once on the page, and is shown beside a finding when it is asked for.
function meaningOf(link) {
  const known = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!known) return;
  const said = known.querySelector("dl").cloneNode(true);
  const folded = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = link.textContent;
  folded.append(summary, said);
  link.parentElement.replaceWith(folded);
}

function cases(list) {
  const ready = new WeakSet();
  const title = document.title;
  let open = null;

  function target() {
    let id = "";
    try {
      id = decodeURIComponent(location.hash.slice(1));
    } catch {
      return null; // no address of this page's making
    }
    return id ? document.getElementById(id) : null;
  }

  function link(section, name, id) {
    const old = section.querySelector(`.around .${name}`);
    if (!id) {
      if (old) old.hidden = true;
      return;
    }
    const made = old || document.createElement("a");
    made.hidden = false;
    made.className = name;
    made.rel = name;
    made.textContent = name === "prev" ? "Previous" : "Next";
    made.setAttribute("href", `#${encodeURIComponent(id)}`);
    if (!old) section.querySelector(".around .place").before(made);
  }

  function prepare(section) {
    const around = list && list.around(section.id);
    if (around) {
      link(section, "prev", around.before);
      link(section, "next", around.after);
      section.querySelector(".place").textContent = `${around.place + 1} of ${around.n} listed`;
    }
    if (ready.has(section)) return;
    ready.add(section);
    section.querySelectorAll(".time .wide").forEach((one) => takesFocus(one, "Time line"));
    section.querySelectorAll("a.meaning").forEach(meaningOf);
    const map = section.querySelector("figure.map");
    if (map && map.querySelector("svg")) mapTools(map);
  }

  function turn() {
    const found = target();
    const section = found && found.closest(".case");
    const before = open;
    open = section;
    if (before && before !== section) before.classList.remove("open");
    document.body.classList.toggle("case-open", Boolean(section));
    if (section) {
      section.classList.add("open");
      prepare(section);
      const heading = section.querySelector("h2");
      document.title = `${heading.textContent.trim()} - wakewatch`;
      if (found !== section) {
        found.scrollIntoView(); // a finding, which may have been hidden when its address was followed
      } else if (section !== before) {
        scrollTo(0, 0);
        heading.focus({ preventScroll: true });
      }
      return;
    }
    document.title = title;
    const row = before && list && list.row(before.id);
    if (row && (found === null || found.id === "list")) {
      row.scrollIntoView({ block: "center" });
      row.querySelector("a.open").focus({ preventScroll: true });
    } else if (found && before) {
      if (found.tagName === "DETAILS") found.open = true;
      found.scrollIntoView(); // it was hidden while the case was open
    }
  }

  addEventListener("hashchange", turn);
  // At once, and within the page: in a frame without an address of its own (a notebook) a link would leave it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const to = link && link.getAttribute("href");
    const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!to || !to.startsWith("#") || elsewhere || event.defaultPrevented) return;
    event.preventDefault();
    location.hash = to;
    turn();
  });
  turn();

  // What is folded prints too.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    const shown = open ? [open] : document.querySelectorAll("#night, #legend");
    unfolded = [...shown].flatMap((part) => [...part.querySelectorAll("details:not([open])")]);
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of unfolded) one.open = false;
    unfolded = [];
  });
}

const voyages = document.getElementById("voyages");
cases(voyages ? voyageList(voyages, document.getElementById("filters")) : null);
document.body.classList.add("scripted");
