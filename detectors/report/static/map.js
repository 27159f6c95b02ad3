// A chart that can be moved and magnified. `port` is the focusable box around one `svg.chart`; colours, marks and lines
// are the page's. Labels and marks keep their size by the properties --k (on the chart) and --f (at its edges).
function movable(port) {
  const chart = port.querySelector("svg.chart");
  const pane = chart.querySelector("svg.pane");
  const WIDTH = pane.width.baseVal.value;
  const HEIGHT = pane.height.baseVal.value;
  const AROUND = 0.5; // drawn beyond each edge, as a share of the size
  const MOST = 48;
  const LEAST = 1 / (1 + 2 * AROUND);
  const NMI_PER_DEGREE = 60.0405;
  const STEPS = [1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 20, 30];
  const pxPerDeg = Number(chart.dataset.pxDeg);
  const middleLon = Number(chart.dataset.lon);
  const middleUp = Number(chart.dataset.up);
  const grid = pane.querySelector("path.grid");
  const degrees = chart.querySelector("g.grid-degrees");
  const bar = chart.querySelector("g.scale path.bar");
  const barText = chart.querySelector("g.scale text");
  const firstGrid = { lines: grid.getAttribute("d"), labels: [...degrees.querySelectorAll("text")] };
  const ORDER = [".ends", ".stays", ".names .high", ".names .elevated", ".met", ".unheard", ".names"];
  const plates = [...chart.querySelectorAll(".edges .plate")];
  const names = new Set(ORDER.flatMap((which) => [...pane.querySelectorAll(`text${which}, ${which} text`)]));
  const pins = [...pane.querySelectorAll("g.mark > g.s, .stays path, .ends path")];
  const labels = [...pins, ...names].map((node) => {
    const at = node.parentNode.transform.baseVal.consolidate().matrix;
    const side = { middle: 0, end: -1 }[node.getAttribute("text-anchor")] ?? 1;
    return { node, x: at.e, y: at.f, box: node.getBBox(), side, isPin: node.tagName !== "text" };
  });
  const view = { x: 0, y: 0, zoom: 1 };
  const fingers = new Map();
  let moved = false;
  let pinched = 0;

  const held = (value, low, high) => Math.min(Math.max(value, low), high);
  const screenPx = () => chart.getBoundingClientRect().width || WIDTH;
  const perScreenPx = () => WIDTH / view.zoom / screenPx();
  const lonAt = (x) => middleLon + (x - WIDTH / 2) / pxPerDeg;
  const upAt = (y) => middleUp - (y - HEIGHT / 2) / pxPerDeg;
  const latOf = (up) => (Math.atan(Math.sinh((up * Math.PI) / 180)) * 180) / Math.PI;
  const upOf = (lat) => (Math.asinh(Math.tan((lat * Math.PI) / 180)) * 180) / Math.PI;

  // What keys and scale cover, in screen pixels from the chart's corner.
  function plateBoxes() {
    const all = chart.getBoundingClientRect();
    return plates.map((plate) => {
      const box = plate.getBoundingClientRect();
      return [box.left - all.left, box.top - all.top, box.right - all.left, box.bottom - all.top];
    });
  }

  function degreesText(value, positive, negative) {
    const turned = positive === "E" ? ((((value + 180) % 360) + 360) % 360) - 180 : value;
    const minutes = Math.round(Math.abs(turned) * 60);
    const rest = minutes % 60;
    const whole = `${Math.floor(minutes / 60)}°`;
    if (minutes === 0 || (positive === "E" && minutes === 180 * 60)) return whole;
    return whole + (rest ? `${String(rest).padStart(2, "0")}′` : "") + (turned > 0 ? positive : negative);
  }

  // Labels are made once and changed in place: new elements make a browser match the page's rules anew.
  const spareLabels = [];
  let nUsed = 0;
  function label(x, y, at, anchor, text) {
    if (nUsed === spareLabels.length) {
      const group = document.createElementNS(chart.namespaceURI, "g");
      const words = document.createElementNS(chart.namespaceURI, "text");
      words.append("");
      group.append(words);
      degrees.append(group);
      spareLabels.push(group);
    }
    const group = spareLabels[nUsed];
    const words = group.firstChild;
    nUsed += 1;
    group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    words.setAttribute("x", at[0]);
    words.setAttribute("y", at[1]);
    words.setAttribute("text-anchor", anchor);
    words.firstChild.data = text;
  }

  function drawGrid() {
    const isFirst = view.zoom === 1 && !view.x && !view.y && screenPx() > WIDTH * 0.85;
    for (const one of firstGrid.labels) one.classList.toggle("spare", !isFirst);
    nUsed = 0;
    if (isFirst) {
      for (const one of spareLabels) one.classList.add("spare");
      grid.setAttribute("d", firstGrid.lines);
      return;
    }
    const [w, h] = [WIDTH / view.zoom, HEIGHT / view.zoom];
    const step = STEPS.find((one) => (one * pxPerDeg) / perScreenPx() >= 110) || 30;
    const lines = [];
    const edge = (WIDTH / screenPx()) * 24;
    const covered = plateBoxes();
    const open = (x, y) => {
      const [px, py] = [(x * screenPx()) / WIDTH, (y * screenPx()) / WIDTH];
      return covered.every((box) => px < box[0] - 24 || px > box[2] + 24 || py < box[1] - 10 || py > box[3] + 10);
    };
    for (let i = Math.ceil(lonAt(view.x) / step); i * step <= lonAt(view.x + w); i += 1) {
      const x = (i * step - middleLon) * pxPerDeg + WIDTH / 2;
      const at = (x - view.x) * view.zoom;
      lines.push(`M${x.toFixed(2)} ${view.y}v${h}`);
      if (at > 2 * edge && at < WIDTH - edge && open(at, HEIGHT - edge / 4)) label(at, HEIGHT, [0, -5], "middle", degreesText(i * step, "E", "W"));
    }
    for (let i = Math.ceil(latOf(upAt(view.y + h)) / step); i * step <= latOf(upAt(view.y)); i += 1) {
      const y = (middleUp - upOf(i * step)) * pxPerDeg + HEIGHT / 2;
      const at = (y - view.y) * view.zoom;
      lines.push(`M${view.x} ${y.toFixed(2)}h${w}`);
      if (at > edge && at < HEIGHT - 2 * edge && open(edge, at)) label(0, at, [5, 4], "start", degreesText(i * step, "N", "S"));
    }
    grid.setAttribute("d", lines.join(""));
    spareLabels.forEach((one, i) => one.classList.toggle("spare", i >= nUsed));
  }

  function drawScale() {
    const up = upAt(view.y + HEIGHT / view.zoom / 2);
    const nmiPerPx = NMI_PER_DEGREE / pxPerDeg / Math.cosh((up * Math.PI) / 180) / view.zoom;
    const most = nmiPerPx * 104 * (WIDTH / screenPx());
    const power = 10 ** Math.floor(Math.log10(most));
    const size = [5, 2, 1].find((one) => one * power <= most * 1.000001) * power;
    const sign = bar.getAttribute("d").startsWith("M-") ? -1 : 1;
    bar.setAttribute("d", `M${sign * 8}-12v5h${((sign * size) / nmiPerPx).toFixed(1)}v-5`);
    barText.firstChild.data = `${Number(size.toPrecision(1)).toLocaleString("en")} nmi`;
  }

  // A name is shown beside its place, or on the other side of it, where it lies over no mark and no weightier name.
  function drawNames() {
    const k = perScreenPx();
    const [wide, high] = [screenPx(), (screenPx() * HEIGHT) / WIDTH];
    const taken = plateBoxes();
    const isFree = (box) =>
      taken.every((one) => box[2] <= one[0] || box[0] >= one[2] || box[3] <= one[1] || box[1] >= one[3]);
    for (const { node, x, y, box, side, isPin } of labels) {
      const [px, py] = [(x - view.x) / k, (y - view.y) / k];
      const boxAt = (left) => [px + left, py + box.y, px + left + box.width, py + box.y + box.height];
      const tries = isPin || !side ? [box.x] : [box.x, -box.x - box.width];
      const fits = (left) => {
        const at = boxAt(left);
        return at[0] >= 0 && at[1] >= 0 && at[2] <= wide && at[3] <= high && isFree(at);
      };
      const best = isPin ? 0 : tries.findIndex(fits);
      if (best >= 0) taken.push(boxAt(tries[best]));
      if (isPin) continue;
      node.classList.toggle("spare", best < 0);
      if (best >= 0 && side) turn(node, best === 0 ? side : -side);
    }
  }

  function turn(node, side) {
    if (node.getAttribute("text-anchor") === (side > 0 ? "start" : "end")) return;
    for (const one of [node, ...node.children]) one.setAttribute("x", side * Math.abs(Number(one.getAttribute("x"))));
    node.setAttribute("text-anchor", side > 0 ? "start" : "end");
  }

  function draw() {
    view.zoom = held(view.zoom, LEAST, MOST);
    const [w, h] = [WIDTH / view.zoom, HEIGHT / view.zoom];
    view.x = held(view.x, -AROUND * WIDTH, (1 + AROUND) * WIDTH - w);
    view.y = held(view.y, -AROUND * HEIGHT, (1 + AROUND) * HEIGHT - h);
    pane.setAttribute("viewBox", `${view.x.toFixed(3)} ${view.y.toFixed(3)} ${w.toFixed(3)} ${h.toFixed(3)}`);
    chart.style.setProperty("--f", (WIDTH / screenPx()).toFixed(4));
    chart.style.setProperty("--k", perScreenPx().toFixed(5));
    drawGrid();
    drawScale();
    drawNames();
    port.dataset.zoom = view.zoom.toFixed(2);
    port.style.touchAction = view.zoom > 1.001 ? "none" : "pan-x pan-y";
  }

  // Magnify about a place given in shares of the chart's width and height.
  function magnify(factor, px = 0.5, py = 0.5) {
    const before = view.zoom;
    const after = held(before * factor, LEAST, MOST);
    view.x += px * WIDTH * (1 / before - 1 / after);
    view.y += py * HEIGHT * (1 / before - 1 / after);
    view.zoom = after;
    draw();
  }

  function all() {
    Object.assign(view, { x: 0, y: 0, zoom: 1 });
    draw();
  }

  function shares(event) {
    const box = chart.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function push(dx, dy) {
    view.x -= dx * perScreenPx();
    view.y -= dy * perScreenPx();
    draw();
  }

  port.addEventListener(
    "wheel",
    (event) => {
      if (!(port.contains(document.activeElement) || event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      magnify(Math.exp(-held(event.deltaY * lines, -240, 240) * 0.0025), ...shares(event));
    },
    { passive: false },
  );

  port.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!fingers.size) moved = false;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY });
    pinched = 0;
    if (!event.target.closest("a")) port.focus({ preventScroll: true });
  });

  port.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    if (!moved && Math.hypot(event.clientX - finger.fromX, event.clientY - finger.fromY) < 4) return;
    if (!moved) {
      moved = true;
      port.setPointerCapture(event.pointerId);
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    if (fingers.size === 1) {
      if (event.pointerType !== "touch" || view.zoom > 1.001) push(dx, dy);
      return;
    }
    const [one, other] = [...fingers.values()];
    const apart = Math.hypot(one.x - other.x, one.y - other.y);
    if (pinched) magnify(apart / pinched, ...shares({ clientX: (one.x + other.x) / 2, clientY: (one.y + other.y) / 2 }));
    pinched = apart;
  });

  for (const name of ["pointerup", "pointercancel"]) {
    port.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      pinched = 0;
    });
  }

  port.addEventListener("dragstart", (event) => event.preventDefault());

  port.addEventListener(
    "click",
    (event) => {
      if (!moved) return;
      moved = false;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  port.addEventListener("dblclick", (event) => {
    if (!event.target.closest("a")) magnify(event.shiftKey ? 0.5 : 2, ...shares(event));
  });

  port.addEventListener("keydown", (event) => {
    if (event.target !== port || event.ctrlKey || event.metaKey || event.altKey) return;
    const far = screenPx() / 8;
    const done = {
      ArrowLeft: () => push(far, 0),
      ArrowRight: () => push(-far, 0),
      ArrowUp: () => push(0, far),
      ArrowDown: () => push(0, -far),
      "+": () => magnify(1.5),
      "=": () => magnify(1.5),
      "-": () => magnify(1 / 1.5),
      0: all,
    }[event.key];
    if (!done) return;
    event.preventDefault();
    done();
  });

  new ResizeObserver(draw).observe(port);
  draw();
  return { zoom: (factor) => magnify(factor), all };
}
