"""The lines of a chart: what was sailed, and what was not heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.report.map_tracks import (
    MOST_ARROWS,
    N_CLASSES,
    SPEED_CLASSES_KN,
    UNKNOWN,
    arrows,
    in_pixels,
    sailed,
    unheard,
)
from detectors.report.projection import Frame, frame_of
from detectors.run_tables import HEARD_H
from tests.detectors.report.charts import BEGIN, HOUR, drawn, silence, track

FRAME = Frame(124.0, 41.0, 100.0, 760.0, 520.0)


def lines_of(*tracks: object, frame: Frame = FRAME) -> list[tuple[np.ndarray, np.ndarray]]:
    return [line for lines in sailed(in_pixels(tracks, frame), frame).values() for line in lines]  # type: ignore[arg-type]


def length_of(lines: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(sum(np.hypot(np.diff(x), np.diff(y)).sum() for x, y in lines))


@given(st.lists(st.tuples(st.floats(0.05, 9.0), st.floats(-0.1, 0.1), st.floats(0.01, 0.1)), min_size=1, max_size=25))
def test_every_step_is_either_sailed_or_unheard(steps: list[tuple[float, float, float]]) -> None:
    hours, lat, lon = np.cumsum(np.array([(0.0, 38.0, 123.0), *steps]), axis=0).T
    one = track(lat, lon)
    one = type(one)(
        **{name: getattr(one, name) for name in one.__slots__} | {"time_us": BEGIN + (hours * HOUR).astype(int)}
    )
    placed = in_pixels([one], FRAME)
    silent = unheard(placed, drawn(tracks=(one,)), FRAME)
    whole = float(np.hypot(np.diff(placed[0].x), np.diff(placed[0].y)).sum())
    both = length_of(lines_of(one)) + sum(line.length_px for line in silent)
    assert both == pytest.approx(whole, rel=0.01, abs=0.5)
    assert len(silent) == int((np.diff(one.time_us) > HEARD_H * HOUR).sum())


def test_a_silence_is_never_drawn_as_sailed() -> None:
    quiet = track([38.0, 38.5], [123.0, 124.0], every_h=5.0)
    assert lines_of(quiet) == []
    line = unheard(in_pixels([quiet], FRAME), drawn(tracks=(quiet,)), FRAME)[0]
    assert not line.is_pause
    assert line.hours == pytest.approx(5.0)


def test_a_pause_of_two_hours_is_no_silence_but_is_not_sailed_either() -> None:
    quiet = track([38.0, 38.5], [123.0, 124.0], every_h=2.0)
    assert lines_of(quiet) == []
    assert unheard(in_pixels([quiet], FRAME), drawn(tracks=(quiet,)), FRAME)[0].is_pause


def test_a_silence_of_the_run_tells_the_step_it_is() -> None:
    quiet = track([38.0, 38.5, 38.6], [123.0, 124.0, 124.1], every_h=5.0)
    told = silence(5.2, 9.8, (38.5, 124.0, 38.6, 124.1), text="ships about there were heard")
    found = unheard(in_pixels([quiet], FRAME), drawn(tracks=(quiet,), silences=(told,)), FRAME)
    assert [line.silence for line in found] == [None, told]


def test_a_silence_that_no_track_shows_is_drawn_between_its_own_ends() -> None:
    told = silence(50.0, 60.0, (38.5, 124.0, 38.6, 124.1))
    heard = track([38.0, 38.01], [123.0, 123.01])
    found = unheard(in_pixels([heard], FRAME), drawn(tracks=(heard,), silences=(told,)), FRAME)
    assert [line.silence for line in found] == [told]
    x, y = FRAME.xy([38.5, 38.6], [124.0, 124.1])
    assert found[0].x == pytest.approx(tuple(x))
    assert found[0].y == pytest.approx(tuple(y))


@pytest.mark.parametrize(
    "told",
    [
        silence(50.0, None, (38.5, 124.0, None, None)),
        silence(50.0, 60.0, (38.5, 124.0, None, None)),
        silence(50.0, 60.0, (np.nan, 124.0, 38.0, 124.0)),
        silence(500.0, 600.0, (38.5, 124.0, 38.0, 124.0)),
        silence(-60.0, -50.0, (38.5, 124.0, 38.0, 124.0)),
    ],
    ids=["open", "one end", "no place", "after the voyage", "before it"],
)
def test_silences_without_two_ends_within_the_voyage_have_no_line(told: object) -> None:
    assert unheard([], drawn(silences=(told,)), FRAME) == []


def test_from_one_track_of_the_hull_to_the_next_it_was_not_heard() -> None:
    first = track([38.0, 38.1], [123.0, 123.1])
    second = track([38.5, 38.6], [124.0, 124.1], begin=BEGIN + 20 * HOUR, mmsi=445_808_974)
    found = unheard(in_pixels([second, first], FRAME), drawn(tracks=(first, second)), FRAME)
    assert [round(line.hours) for line in found] == [20]
    x, _ = FRAME.xy([38.1, 38.5], [123.1, 124.0])
    assert found[0].x == pytest.approx(tuple(x))


@pytest.mark.parametrize(
    ("speed", "expected"),
    [(0.0, 0), (0.49, 0), (0.5, 1), (2.0, 2), (5.0, 3), (9.0, 4), (12.0, 5), (30.0, 5), (np.nan, UNKNOWN)],
)
def test_speeds_have_their_class_and_unknown_ones_their_own(speed: float, expected: int) -> None:
    slow = track([38.0, 38.1], [123.0, 123.1], [speed, speed])
    assert [key[0] for key in sailed(in_pixels([slow], FRAME), FRAME)] == [expected]


def test_a_step_whose_first_report_has_no_speed_has_that_of_the_second() -> None:
    half = track([38.0, 38.1, 38.2], [123.0, 123.1, 123.2], [np.nan, 1.0, 7.0])
    assert {key[0] for key in sailed(in_pixels([half], FRAME), FRAME)} == {1}


def test_times_fall_into_six_equal_classes() -> None:
    even = track(np.linspace(38.0, 39.0, 61), np.linspace(123.0, 124.0, 61))
    classes = sailed(in_pixels([even], FRAME), FRAME)
    assert sorted(when for _, when in classes) == list(range(N_CLASSES))
    lengths = [length_of(lines) for _, lines in sorted(classes.items())]
    assert max(lengths) < 1.1 * min(lengths)
    assert len(SPEED_CLASSES_KN) + 1 == N_CLASSES


def test_reports_without_a_place_are_passed_over() -> None:
    broken = track([38.0, np.nan, 95.0, 38.1], [123.0, 123.0, 123.0, np.inf])
    assert len(in_pixels([broken], FRAME)[0].x) == 1
    assert in_pixels([track([np.nan], [1.0]), track([], [])], FRAME) == []


def test_a_track_across_180_degrees_is_one_line() -> None:
    lon = np.array([178.0, 179.0, 180.0, -179.0, -178.0])
    lat = np.full(5, 50.0)
    frame = frame_of(lat, lon, width=760, height=520)
    line = lines_of(track(lat, lon), frame=frame)
    assert length_of(line) == pytest.approx(4.0 * frame.px_per_deg, rel=1e-3)
    assert all((np.diff(x) > 0).all() for x, _ in line)


def test_a_track_round_the_world_leaves_at_one_edge_and_enters_at_the_other() -> None:
    lon = np.mod(np.linspace(-170.0, 200.0, 200) + 180.0, 360.0) - 180.0
    lat = np.linspace(-30.0, 30.0, 200)
    frame = frame_of(lat, lon, width=760, height=520)
    lines = lines_of(track(lat, lon), frame=frame)
    assert all((np.diff(x) > 0.0).all() for x, _ in lines)
    assert min(x.min() for x, _ in lines) <= 0.0
    assert max(x.max() for x, _ in lines) >= 760.0


def test_arrows_are_few_and_point_the_way_the_ship_went() -> None:
    east = track(np.full(500, 38.0), np.linspace(121.0, 127.0, 500))
    found = arrows(in_pixels([east], FRAME), FRAME)
    assert 3 <= len(found) <= MOST_ARROWS
    assert {round(arrow.turn_deg) for arrow in found} == {0}
    north = track(np.linspace(37.0, 39.0, 50), np.full(50, 124.0))
    assert {round(arrow.turn_deg) for arrow in arrows(in_pixels([north], FRAME), FRAME)} == {-90}
    assert arrows(in_pixels([track([38.0, 38.0], [123.0, 123.0])], FRAME), FRAME) == []


def test_no_arrow_stands_where_the_ship_was_not_heard() -> None:
    quiet = track([38.0, 38.0, 38.0], [121.0, 124.0, 127.0], every_h=8.0)
    assert arrows(in_pixels([quiet], FRAME), FRAME) == []
