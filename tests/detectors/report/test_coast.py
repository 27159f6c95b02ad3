"""What lies behind a chart."""

import re

import numpy as np
import pytest
import shapely

from detectors.report.coast import SHEET_TOLERANCE, SHEETS, Coast, SharedCoast, packaged_coast
from detectors.report.projection import Frame, frame_of, latitudes
from tests.detectors.report.charts import fence

ISLAND = shapely.box(124.0, 38.0, 125.0, 39.0)
ACROSS = [shapely.box(179.0, 50.0, 180.0, 51.0), shapely.box(-180.0, 50.0, -179.0, 51.0)]
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


def around(west: float, south: float, east: float, north: float) -> Frame:
    return frame_of([south, north], [west, east], width=760, height=520)


def polygons_of(svg: str) -> shapely.Geometry:
    """The land of paths drawn in full, in pixels."""
    rings = []
    for data in re.findall(r' d="([^"]*)"', svg):
        for part in data.split("M")[1:]:
            steps = np.array([float(n) for n in NUMBER.findall(part)]).reshape(-1, 2)
            rings.append(np.cumsum(steps, axis=0))
    return shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings if len(ring) > 2])


def laid(shared: SharedCoast, chart: str) -> shapely.Geometry:
    """The land that a chart refers to, in its pixels."""
    scale, _, _, _, left, top = (float(n) for n in re.findall(r"matrix\(([^)]*)\)", chart)[0].split())
    sheets = dict(re.findall(r'<path id="(land-\d+)"[^>]* d="([^"]*)"', shared.sheets()))
    found = []
    for name, x in re.findall(r'<use href="#(land-\d+)"(?: x="(-?\d+)")?/>', chart):
        shape = polygons_of(f' d="{sheets[name]}"')
        found.append(shapely.transform(shape, lambda at, x=x: np.add(at, (float(x or 0), 0.0)) * scale + (left, top)))
    return shapely.union_all(found)


def test_the_coast_of_a_picture_is_where_the_land_is() -> None:
    frame = around(123.0, 37.5, 126.0, 39.5)
    drawn = polygons_of(Coast(np.array([ISLAND])).land(frame, frame))
    x, y = frame.xy([38.0, 39.0], [124.0, 125.0])
    assert drawn.bounds == pytest.approx((x[0], y[1], x[1], y[0]), abs=0.2)


@pytest.mark.parametrize("middle", [180.0, -180.0])
def test_land_on_both_sides_of_180_degrees_is_one_piece(middle: float) -> None:
    frame = Frame(middle, 57.0, 100.0, 760.0, 520.0)
    drawn = polygons_of(Coast(np.array(ACROSS)).land(frame, frame))
    assert drawn.bounds[2] - drawn.bounds[0] == pytest.approx(200.0, abs=0.5)
    shared = SharedCoast(Coast(np.array(ACROSS)))
    again = laid(shared, shared.land(frame, frame))
    assert again.bounds == pytest.approx(drawn.bounds, abs=0.5)


@pytest.mark.parametrize(
    "window",
    [(123.0, 37.5, 126.0, 39.5), (119.0, 33.0, 133.0, 41.0), (100.0, 0.0, 150.0, 50.0), (178.0, 50.0, -176.0, 55.0)],
)
def test_shared_sheets_show_the_coast_that_a_picture_draws_in_full(window: tuple[float, float, float, float]) -> None:
    frame = around(*window)
    coast = packaged_coast()
    full = polygons_of(coast.land(frame, frame.grown(0.01)))
    shared = SharedCoast(coast)
    sight = shapely.box(0, 0, 760, 520)
    parts = laid(shared, shared.land(frame, frame)).intersection(sight)
    step = next(step for widest, _, step in SHEETS if frame.east - frame.west <= widest)
    off_px = 0.6 + 1.2 + SHEET_TOLERANCE * step * frame.px_per_deg
    full = full.intersection(sight)
    assert full.symmetric_difference(parts).area <= off_px * (full.length + 1.0)
    assert abs(full.area - parts.area) <= 0.02 * full.area


def test_a_sheet_is_held_once_however_many_charts_show_it() -> None:
    shared = SharedCoast(packaged_coast())
    frame = around(123.0, 37.5, 126.0, 39.5)
    first = shared.land(frame, frame)
    held = shared.sheets()
    second = shared.land(frame, frame)
    assert shared.sheets() == held
    assert re.findall(r"#land-\d+", first) == re.findall(r"#land-\d+", second)
    assert set(re.findall(r'id="([^"]*)"', first)).isdisjoint(re.findall(r'id="([^"]*)"', second))


def test_every_reference_of_a_chart_has_its_sheet() -> None:
    shared = SharedCoast(packaged_coast())
    frame = around(119.0, 33.0, 133.0, 41.0)
    fences = [fence("KP_A", (125.0, 38.0, 125.5, 38.5), watch="high")]
    page = shared.land(frame, frame.grown(0.5)) + shared.fences(frame, frame, fences)
    defined = set(re.findall(r'id="([^"]*)"', page + shared.sheets()))
    assert set(re.findall(r'href="#([^"]*)"', page)) <= defined


@pytest.mark.parametrize("turn", [-360.0, 0.0, 360.0])
def test_a_shared_fence_lies_where_the_frame_has_it(turn: float) -> None:
    shared = SharedCoast(Coast(np.array([ISLAND])))
    there = fence("A", (179.2 + turn, 50.0, 179.7 + turn, 50.4), watch="elevated")
    frame = Frame(180.0 + turn, 57.0, 200.0, 760.0, 520.0)
    shared.fences(
        Frame(180.0, 57.0, 200.0, 760.0, 520.0), frame, [fence("A", (179.2, 50.0, 179.7, 50.4), watch="elevated")]
    )
    chart = shared.fences(frame, frame, [there])
    scale, _, _, _, left, top = (float(n) for n in re.findall(r"matrix\(([^)]*)\)", chart)[0].split())
    shape = polygons_of(shared.sheets())
    x = float((re.findall(r' x="(-?\d+)"', chart) or ["0"])[0])
    seen = shapely.transform(shape, lambda at: np.add(at, (x, 0.0)) * scale + (left, top))
    expected = (
        *(float(v) for v in (frame.x(179.2 + turn), frame.y(50.4))),
        float(frame.x(179.7 + turn)),
        float(frame.y(50.0)),
    )
    assert seen.bounds == pytest.approx(expected, abs=0.3)


def test_how_a_fence_is_watched_is_told_by_its_class_and_its_tip() -> None:
    coast = Coast(np.array([ISLAND]))
    frame = around(123.0, 37.5, 126.0, 39.5)
    kinds = {
        watch: coast.fences(frame, frame, [fence("A", (124.0, 38.0, 124.5, 38.5), name="Nampo", watch=watch)])
        for watch in ("high", "elevated", None)
    }
    assert 'class="fence watch-high"' in kinds["high"]
    assert "Nampo: port, KP · high watch" in kinds["high"]
    assert 'class="fence watch-elevated"' in kinds["elevated"]
    assert 'class="fence unwatched"' in kinds[None]
    assert "watch<" not in kinds[None]


def test_fences_too_small_to_see_are_left_out_unless_they_are_watched() -> None:
    coast = Coast(np.array([ISLAND]))
    frame = Frame(0.0, 0.0, 760.0 / 360.0, 760.0, 520.0)
    tiny = (124.0, 38.0, 124.01, 38.01)
    assert coast.fences(frame, frame, [fence("A", tiny)]) == ""
    assert 'class="fence watch-high"' in coast.fences(
        frame, frame, [fence("A", (124.0, 38.0, 124.3, 38.3), watch="high")]
    )
    assert coast.fences(frame, frame, []) == ""


def test_a_line_across_a_strait_is_drawn_as_a_line() -> None:
    frame = around(123.0, 37.5, 126.0, 39.5)
    gate = fence("GATE", (0, 0, 1, 1))
    gate = type(gate)("GATE", "Gate", "gate", None, None, shapely.LineString([(124.0, 38.0), (125.0, 38.5)]))
    drawn = Coast(np.array([ISLAND])).fences(frame, frame, [gate])
    assert len(re.findall(r' d="M[^z"]*"', drawn)) == 1


def test_there_is_no_land_in_mid_ocean() -> None:
    frame = around(-40.0, 44.0, -38.0, 45.0)
    shared = SharedCoast(packaged_coast())
    assert packaged_coast().land(frame, frame) == ""
    assert shared.land(frame, frame) == ""
    assert shared.sheets().count("<path") == 0


@pytest.mark.parametrize("north", [84.9, 85.0])
def test_charts_reach_the_edge_of_the_map_of_the_world(north: float) -> None:
    frame = around(-30.0, 80.0, 0.0, north)
    assert float(latitudes(frame.stretched)) < 85.0
    assert "NaN" not in packaged_coast().land(frame, frame.grown(0.5)).replace("nan", "NaN")
    assert SharedCoast(packaged_coast()).land(frame, frame.grown(0.5))
