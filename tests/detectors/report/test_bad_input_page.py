"""The page of runs that are odd: across 180°, a single report, a thousand findings, nothing flagged, older folders."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import shapely

from detectors.batch.outputs import write_result
from detectors.report.page import report_page
from detectors.run_folder import load_run
from tests.detectors.conftest import make_run
from tests.detectors.report.browser import LAPTOP, PHONE
from tests.detectors.report.fleets import SHIPS, Ship, fleet, voyage_id, with_columns

CASE = voyage_id(SHIPS[0])


def across_180(run):
    """All that happened, half a world to the east: the Sea of Japan lies on the line where days change."""

    def east(lon):
        return (np.asarray(lon, dtype=float) + 50.0 + 180.0) % 360.0 - 180.0

    for name, columns in (("tracks", ("lon",)), ("findings", ("lon",)), ("port_visits", ("lon",))):
        run = with_columns(run, name, **{c: east(run.tables[name][c].to_pylist()) for c in columns})
    lines = []
    for wkb in run.tables["flagged_voyages"]["geometry"].to_pylist():
        points = shapely.get_coordinates(shapely.from_wkb(wkb))
        lines.append(shapely.to_wkb(shapely.LineString(np.column_stack([east(points[:, 0]), points[:, 1]]))))
    lons = np.asarray(run.tables["tracks"]["lon"])
    assert lons.min() < -170 < 170 < lons.max()
    return with_columns(run, "flagged_voyages", geometry=lines)


def one_point(run):
    """Each flagged voyage with the first of its reports, and a line that is none."""
    tracks = run.tables["tracks"]
    voyages = tracks["voyage_id"].to_pylist()
    first = [i for i, voyage in enumerate(voyages) if voyage not in voyages[:i]]
    tables = {**run.tables, "tracks": tracks.take(pa.array(first))}
    return with_columns(replace(run, tables=tables), "flagged_voyages", geometry=[None] * len(SHIPS))


def without_drawing(run):
    """A folder of an earlier version: no tracks, no fences, no links, no events."""
    gone = ("tracks", "zones", "hull_links", "gaps", "loitering", "encounters", "position_events")
    return replace(run, tables={**run.tables, **{name: run.tables[name].slice(0, 0) for name in gone}})


def told_before(run):
    """A night that lists all its voyages as they were told before: no case, no track."""
    gone = ("voyages", "findings", "tracks")
    return replace(run, tables={**run.tables, **{name: run.tables[name].slice(0, 0) for name in gone}})


def nowhere(run):
    """Findings without a place, tracks without speeds or draughts, ships without anything."""
    run = with_columns(run, "findings", lat=[None] * run.tables["findings"].num_rows)
    run = with_columns(run, "findings", lon=[None] * run.tables["findings"].num_rows)
    n = run.tables["tracks"].num_rows
    run = with_columns(run, "tracks", sog=[None] * n, draught=[None] * n)
    return replace(run, tables={**run.tables, "identities": run.tables["identities"].slice(0, 0)})


ODD = (across_180, one_point, without_drawing, told_before, nowhere)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_a_page_of_odd_voyages_is_whole_and_quiet(desk, fleet_run, odd, size):
    page = report_page(odd(fleet_run))
    assert page.failures == ()
    path = desk.write(page.html, f"{odd.__name__}.html")
    for at in ("", f"#{CASE}"):
        opened = desk.open(path, size=size, at=at)
        assert opened.is_quiet()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if at:
            assert opened.page.locator(at).is_visible()
        else:
            assert opened.page.locator("#voyages tbody tr:visible").count() == len(SHIPS)
    shapes = opened.page.locator("svg [d], svg [x], svg [transform], svg [viewBox]").evaluate_all(
        "found => found.map(e => [...e.attributes].map(a => a.value).join(' '))"
        ".filter(t => /NaN|Infinity|None/.test(t))"
    )
    assert shapes == []


def test_a_voyage_across_180_is_drawn_in_a_frame_as_small_as_elsewhere(desk, fleet_run):
    scales = []
    for name, run in (("here", fleet_run), ("across", across_180(fleet_run))):
        opened = desk.open(desk.write(report_page(run).html, f"{name}.html"), at=f"#{CASE}")
        scales.append(opened.page.locator(f"#{CASE} .scale text").first.text_content())
    here, across = (int(scale.removesuffix(" nmi")) for scale in scales)
    assert across <= 2 * here


def test_a_voyage_told_before_says_where_its_case_is(fleet_run):
    assert report_page(told_before(fleet_run)).html.count("as it was told before") >= len(SHIPS)


def test_a_thousand_findings_on_one_voyage_are_a_page_of_sane_size(desk, fleet_run, tmp_path_factory):
    many = Ship("MANY", 445012340, kinds=("dark_gap", "loitering") * 500)
    run = fleet_run_of(tmp_path_factory, many)
    assert run.tables["findings"].num_rows == 1000
    page = report_page(run)
    assert page.failures == ()
    assert len(page.html.encode()) < len(report_page(fleet_run).html.encode()) + 1_500_000
    opened = desk.open(desk.write(page.html, "many.html"), size=PHONE, at=f"#{voyage_id(many)}")
    assert opened.page.locator("section.finding:visible").count() >= 10
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert opened.is_quiet()


def fleet_run_of(tmp_path_factory, *ships):
    """A run with these ships' voyages flagged, written and read back."""
    out = tmp_path_factory.mktemp("written") / "out"
    write_result(make_run(), out)
    return fleet(load_run(out), ships)


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_a_night_without_flagged_voyages_says_so_and_still_shows_the_night(desk, tmp_path_factory, size):
    run = fleet_run_of(tmp_path_factory)
    page = report_page(run)
    assert page.failures == ()
    opened = desk.open(desk.write(page.html, "none.html"), size=size)
    assert opened.page.locator("#none-flagged").is_visible()
    assert opened.page.locator("p.night-line").is_visible()
    assert opened.page.locator("#legend").is_visible()
    assert opened.page.locator("#voyages, #filters").count() == 0
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert opened.is_quiet()
