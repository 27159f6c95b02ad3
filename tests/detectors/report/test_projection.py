"""The frame of a local chart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.report.projection import (
    LEAST_NMI,
    Frame,
    degrees_text,
    frame_of,
    grid_step,
    latitudes,
    multiples,
    round_size,
    span_of,
    stretched_latitudes,
)
from vessels.geodesy import distance_nmi, wrap_degrees

LATITUDES = st.floats(-84.0, 84.0)
LONGITUDES = st.floats(-180.0, 180.0)
PLACES = st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=30)


def around(places: list[tuple[float, float]], width: float = 760.0, height: float = 520.0) -> Frame:
    lat, lon = zip(*places, strict=True)
    return frame_of(lat, lon, width=width, height=height)


@given(PLACES)
def test_every_place_lies_within_the_frame_made_for_it(places: list[tuple[float, float]]) -> None:
    frame = around(places)
    lat, lon = np.array(places).T
    x, y = frame.xy(lat, lon)
    assert ((x >= -1e-6) & (x <= 760.0 + 1e-6)).all()
    if frame.px_per_deg > 760.0 / 360.0:  # the whole world is wider than it is high
        assert ((y >= -1e-6) & (y <= 520.0 + 1e-6)).all()


@given(PLACES, st.floats(-360.0, 360.0))
def test_turning_the_world_moves_no_place_on_its_chart(places: list[tuple[float, float]], turn: float) -> None:
    lat, lon = np.array(places).T
    west, east = span_of(lon)
    free = np.sort(np.diff(np.sort(np.append(np.unique(wrap_degrees(lon)), wrap_degrees(lon).min() + 360.0))))
    if len(free) > 1 and free[-1] - free[-2] < 1e-6:
        return  # two arcs are equally short, and either may be taken
    assert east - west <= 360.0
    turned = wrap_degrees(lon + turn)
    before, after = around(places), around(list(zip(lat, turned, strict=True)))
    assert after.px_per_deg == pytest.approx(before.px_per_deg, rel=1e-6)
    if east - west < 179.0:
        np.testing.assert_allclose(after.xy(lat, turned)[0], before.xy(lat, lon)[0], atol=1e-3)


def test_a_voyage_across_180_degrees_is_one_picture() -> None:
    frame = around([(50.0, 178.0), (51.0, -178.0)])
    x, _ = frame.xy([50.0, 51.0], [178.0, -178.0])
    assert x[1] - x[0] == pytest.approx(4.0 * frame.px_per_deg)
    assert frame.px_per_deg > 100.0
    assert frame.west < 178.0 < 182.0 < frame.east or frame.west < -182.0 < -178.0 < frame.east


def test_one_place_gets_a_frame_of_forty_miles() -> None:
    frame = around([(38.7, 124.9)])
    assert float(distance_nmi(frame.south, frame.lon, frame.north, frame.lon)) == pytest.approx(LEAST_NMI, rel=0.01)
    x, y = frame.xy(38.7, 124.9)
    assert (float(x), float(y)) == (pytest.approx(380.0), pytest.approx(260.0))


@pytest.mark.parametrize("lat", [90.0, -90.0, 89.99])
def test_poles_are_held_at_the_edge_of_the_chart(lat: float) -> None:
    frame = around([(lat, 10.0), (80.0 if lat > 0 else -80.0, 12.0)])
    assert np.isfinite([frame.south, frame.north, frame.nmi_per_px]).all()
    assert np.isfinite(frame.y(lat))


@pytest.mark.parametrize("places", [[(np.nan, 1.0)], [(np.inf, np.inf)], [(91.0, 1.0)]])
def test_without_any_place_the_frame_is_the_world(places: list[tuple[float, float]]) -> None:
    frame = around(places)
    assert (frame.west, frame.east) == (-180.0, 180.0)
    assert frame_of([], [], width=760, height=520) == frame


def test_places_that_are_no_numbers_do_not_move_the_frame() -> None:
    places = [(38.0, 124.0), (39.0, 125.0)]
    assert around([*places, (np.nan, 0.0), (1.0, np.inf), (-95.0, 0.0)]) == around(places)


@given(st.floats(-60.0, 60.0), st.floats(-180.0, 180.0), st.floats(0.01, 2.0))
def test_the_scale_says_how_many_miles_a_pixel_is(lat: float, lon: float, half: float) -> None:
    frame = around([(lat - half, lon), (lat + half, lon)])
    edge = frame.lon - 10.0 / frame.px_per_deg, frame.lon + 10.0 / frame.px_per_deg
    middle = float(latitudes(frame.stretched))
    assert float(distance_nmi(middle, edge[0], middle, edge[1])) == pytest.approx(20.0 * frame.nmi_per_px, rel=1e-3)


@given(LATITUDES)
def test_stretching_and_its_inverse_agree(lat: float) -> None:
    assert float(latitudes(stretched_latitudes(lat))) == pytest.approx(lat, abs=1e-9)


def test_a_grown_frame_is_the_same_chart() -> None:
    frame = around([(38.0, 124.0), (39.0, 125.0)])
    more = frame.grown(0.5)
    assert more.px_per_deg == frame.px_per_deg
    assert more.west == pytest.approx(frame.west - (frame.east - frame.west) / 2.0)
    assert float(more.y(more.north)) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(1e-3, 1e5))
def test_round_sizes_are_round_and_no_more(most: float) -> None:
    size = round_size(most)
    assert size <= most * (1.0 + 1e-9)
    assert size > most / 2.6
    assert f"{size:.0e}"[0] in "125"


@pytest.mark.parametrize(("span", "step"), [(0.5, 1 / 12), (3.0, 0.5), (10.0, 2.0), (340.0, 30.0)])
def test_grids_have_the_steps_of_a_chart(span: float, step: float) -> None:
    frame = Frame(124.0, 40.0, 760.0 / span, 760.0, 520.0)
    assert grid_step(frame) == step or grid_step(frame) * frame.px_per_deg >= 110.0
    lines = multiples(step, frame.west, frame.east)
    assert ((lines >= frame.west - 1e-6) & (lines <= frame.east + 1e-6)).all()


@pytest.mark.parametrize(
    ("value", "letters", "text"),
    [
        (124.5, "EW", "124°30′E"),
        (-124.0, "EW", "124°W"),
        (180.0, "EW", "180°"),
        (181.0, "EW", "179°W"),
        (-0.25, "NS", "0°15′S"),
        (38.083333333, "NS", "38°05′N"),
    ],
)
def test_degrees_are_written_as_on_a_chart(value: float, letters: str, text: str) -> None:
    assert degrees_text(value, letters) == text
