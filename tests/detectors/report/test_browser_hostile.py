"""Names that want to be more than names: through the whole pipeline, and in every column of text of a run."""

import csv
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from detectors.cli.entry import main
from detectors.report.page import report_page
from detectors.run_folder import load_run
from tests.detectors.report.browser import LAPTOP, PHONE
from tests.detectors.report.fleets import SHIPS, voyage_id
from tests.detectors.report.hostile import TEXTS

HEADER = ("mmsi", "timestamp", "lat", "lon", "sog", "cog", "name", "imo", "call_sign", "ship_type", "destination")
NAMPO, ROADS = (38.72, 125.36), (38.30, 124.20)
NUMBERS = ("voyage_id", "hull_id", "segment_id", "role", "finding_id", "zone_id", "geometry", "tags", "watch", "band")
"""Columns by which rows are found, drawn or coloured: texts of ours, which no radio reaches."""
ALLOWED = frozenset(
    " ".join(
        (
            "html head meta title link style noscript script body header nav main section h1 h2 h3 h4 p a ul li",
            "table thead tbody tr th td form label select option input button output details summary figure figcaption",
            "div dl dt dd span small abbr bdi strong code time",
            "svg g path text tspan rect circle line polygon polyline use defs clippath pattern desc symbol ellipse",
        )
    ).split()
)
"""What the page is made of."""
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029\x00\x07\x1b\ufeff"


def harmless(opened):
    """That nothing ran, loaded, was added or renamed, and that nobody's text turns what stands beside it."""
    page = opened.page
    assert page.evaluate("window.ran") is None
    assert opened.is_quiet()
    assert page.locator("script").count() == 1
    found = set(page.evaluate("() => [...document.querySelectorAll('*')].map(e => e.localName.toLowerCase())"))
    assert found - ALLOWED == set()
    handlers = page.evaluate(
        "() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes].filter(a =>"
        " /^on|^style$|^srcdoc$|^formaction$|^autofocus$/.test(a.name)"
        " || (/^(href|xlink:href|src|action)$/.test(a.name) && !/^(#|data:,$)/.test(a.value)))"
        ".filter(a => !(a.name === 'style' && /^(--|touch-action)/.test(a.value))).map(a => a.name + '=' + a.value))"
    )
    assert handlers == []
    assert page.evaluate("location.protocol") == "file:"
    text = page.evaluate("document.documentElement.textContent")
    assert not set(text) & set(TURNING)
    return True


def opened_everywhere(desk, path, run, at):
    """The page and one case at laptop and phone size; nothing runs and nothing sticks out."""
    for size in (LAPTOP, PHONE):
        for fragment in ("", f"#{at}"):
            opened = desk.open(path, size=size, at=fragment)
            assert harmless(opened)
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0], (size, fragment)
            assert opened.overflow() == [], (size, fragment)
    assert run.tables["flagged_voyages"].num_rows == opened.page.locator("#voyages tbody tr").count()


def rows_of(number, text, now):
    """A ship that comes from sea, lies a day at Nampo and leaves, calling itself a text all the while."""
    mmsi = 445012340 + number
    for i in range(150):
        share = min(1.0, i / 30) if i < 110 else max(0.0, 1.0 - (i - 110) / 30)
        lat, lon = (a + share * (b - a) for a, b in zip(ROADS, NAMPO, strict=True))
        sog = 0.0 if share == 1.0 else 6.0
        time = (now + timedelta(minutes=20 * i)).isoformat()
        yield mmsi, time, round(lat, 5), round(lon, 5), sog, 45.0, text, "", text, 70, text


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """A scan of ships with these names, from a file whose own name is no better."""
    folder = tmp_path_factory.mktemp("hostile")
    tracks = folder / "tracks"
    tracks.mkdir()
    named = tracks / "<img src=x onerror=window.ran=50>{{7*7}}\u202e&lt;.csv"
    with named.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number, text in enumerate(TEXTS):
            writer.writerows(rows_of(number, text.replace("\x00", ""), datetime(2024, 4, 1, tzinfo=UTC)))
    (tracks / "<script>window.ran=51<\u2215script>.csv").write_text("colour,weight\n1,2\n", encoding="utf-8")
    zones = folder / "zones.geojson"
    zones.write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"zone_id": "KP_EVIL", "name": '
        '"</text><script>window.ran=52</script>{{7*7}}", "kind": "anchorage", "country": "KP", "watch": "high"}, '
        '"geometry": {"type": "Polygon", "coordinates": '
        "[[[124.9, 38.4], [125.2, 38.4], [125.2, 38.7], [124.9, 38.7], [124.9, 38.4]]]}}]}",
        encoding="utf-8",
    )
    status = main(["scan", str(tracks), "--out", str(folder / "out"), "--zones", str(zones)])
    assert status == 3, "one of the files is set aside"
    return load_run(folder / "out")


def test_hostile_names_through_the_whole_pipeline_execute_nothing(desk, scanned):
    page = report_page(scanned)
    assert page.failures == ()
    assert scanned.tables["flagged_voyages"].num_rows >= len(TEXTS) // 2
    written = (scanned.folder / "report.html").read_text(encoding="utf-8")
    path = desk.write(written, "scanned.html")
    top = scanned.tables["flagged_voyages"].sort_by("rank")["voyage_id"][0].as_py()
    opened_everywhere(desk, path, scanned, top)
    words = desk.open(path).page.inner_text("main")
    for text in ("<script>window.ran=1", "javascript:window.ran=8//", "{{7*7}}", "&lt;b&gt;"):
        assert text.casefold() in words.casefold(), text
    assert "window.ran=51" in words, "the file set aside is named"


def soiled(run, first=0):
    """The run with every text that is not ours replaced by a hostile one, another in every row and column."""
    tables, turn = {}, first
    for name, table in run.tables.items():
        for column in table.column_names:
            kind = table.schema.field(column).type
            if column in NUMBERS or column.endswith("_id") or not holds_text(kind):
                continue
            values = []
            for value in table[column].to_pylist():
                turn += 1
                values.append(replaced(value, turn))
            place = table.schema.get_field_index(column)
            table = table.set_column(place, table.schema.field(place), pa.array(values, kind))
        tables[name] = table
    record = dict(run.run)
    said = {"name": TEXTS[0], "reason": TEXTS[3], "detail": TEXTS[4]}
    record |= {"set_aside": [said], "notes": list(TEXTS), "rejects": {TEXTS[0]: 3}, "wakewatch": TEXTS[1]}
    record |= {"failures": [{"detector": TEXTS[0], "mmsi": [], "together": [], "error": TEXTS[2], "words": TEXTS[5]}]}
    record["inputs"] = [{**one, "names": list(TEXTS[:6])} for one in run.run["inputs"]]
    return type(run)(run.folder, tables, record)


def holds_text(kind):
    if pa.types.is_list(kind):
        return holds_text(kind.value_type)
    if pa.types.is_struct(kind):
        return any(holds_text(kind.field(i).type) for i in range(kind.num_fields))
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def replaced(value, turn):
    if isinstance(value, list):
        return [replaced(one, turn + i) for i, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: replaced(one, turn + i) for i, (key, one) in enumerate(value.items())}
    return TEXTS[turn % len(TEXTS)] if isinstance(value, str) else value


@pytest.mark.parametrize("first", [0, 9, 19])
def test_hostile_text_in_every_column_executes_nothing_and_breaks_no_layout(desk, fleet_run, first):
    run = soiled(fleet_run, first)
    page = report_page(run)
    assert page.failures == ()
    path = desk.write(page.html, f"soiled-{first}.html")
    opened_everywhere(desk, path, run, voyage_id(SHIPS[0]))


def test_a_hostile_page_can_still_be_sorted_and_picked_from(desk, fleet_run):
    path = desk.write(report_page(soiled(fleet_run)).html, "tools.html")
    opened = desk.open(path)
    for button in opened.page.locator("#voyages th button").element_handles():
        button.click()
    for choice in opened.page.locator("#filters select").element_handles():
        choice.select_option(index=1)
    opened.page.fill("#filters input[name=text]", "<script>.*+?^${}()|[]\\")
    opened.page.click("#clear")
    assert opened.page.locator("#voyages tbody tr:visible").count() == len(SHIPS)
    assert harmless(opened)
    opened = desk.open(path, at=f"#{voyage_id(SHIPS[0])}")
    opened.page.click("button.zoom-in:visible")
    opened.page.click("button.by-time-button:visible")
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    opened.page.mouse.move(300, 400)
    assert harmless(opened)
