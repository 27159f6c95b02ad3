"""Odd positions where data are hard: numbers shared in part, spans of centuries, rows that come later, fast ships."""

from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, T0_US, H, Row, end_of, lie, sail, segments_of
from tests.vessels.odd_tracks import odd, odd_block, of_kind, steamed, story
from vessels.event_tables import POSITION_EVENTS
from vessels.events.others import OtherParameters, n_with_the_like, usual_off_even_motion_m
from vessels.events.returns import TrackTimes, find_returns
from vessels.events.speeds import DEFAULT_SPEEDS, _made_good_kn
from vessels.events.ways import off_even_motion_m
from vessels.schema import SKETCHES
from vessels.segments import Segments
from vessels.units import US_PER_H, US_PER_S

YEAR_H = 365.25 * 24.0
VOYAGE = steamed([(0.0, 0.0), (20.0, 90.0), (0.0, 200.0)], every_s=60.0, error_m=5.0, sway_m=30.0, slip=0.03)


# -- numbers that two ships share


@pytest.mark.parametrize("later_h", [2.0, 5.0, 8.5])
def test_two_ships_of_one_number_that_overlap_in_part_make_no_jump(later_h):
    one = sail(ALPHA, 0.0, (20.0, 130.0), (21.8, 130.0))
    other = sail(ALPHA, later_h * H + 77.0, (-20.0, 100.0), (-17.8, 100.0))
    assert of_kind(odd(one + other), "jump") == []


def test_a_ship_that_is_heard_far_away_after_her_last_report_still_jumps():
    one = sail(ALPHA, 0.0, (20.0, 130.0), (21.8, 130.0))
    (jump,) = of_kind(odd(one + sail(ALPHA, end_of(one) + 77.0, (-20.0, 100.0), (-17.8, 100.0))), "jump")
    assert jump["end"] > jump["start"]


LEG = st.tuples(
    st.sampled_from([ALPHA, ALPHA, BRAVO]),
    st.integers(0, 40),
    st.integers(-60, 60),
    st.integers(-170, 170),
    st.integers(1, 20),
)


@settings(max_examples=40, deadline=None)
@given(legs=st.lists(LEG, min_size=1, max_size=7))
def test_no_event_ends_before_it_starts(legs):
    rows: list[Row] = []
    for mmsi, t_h, lat, lon, hours in legs:
        rows += sail(mmsi, t_h * H, (lat, lon), (lat + hours * 0.2, lon))
    for event in odd(rows):
        assert event["end"] >= event["start"] and event["duration_h"] >= 0.0


def test_an_event_whose_times_are_the_wrong_way_round_counts_as_one_spell():
    start = np.array([10, 10]) * US_PER_H + T0_US
    end = start - np.array([0, 9]) * US_PER_H
    known = {"mmsi": [ALPHA, BRAVO], "start": start, "end": end, "start_lat": [9.0, 9.0], "start_lon": [9.0, 9.0]}
    events = POSITION_EVENTS.build({name: known.get(name, [None] * 2) for name in POSITION_EVENTS.names})
    assert n_with_the_like(events, None, OtherParameters()).tolist() == [1, 1]


# -- rows that come later


def again(rows: list[dict[str, Any]], hours: float, mmsi: int) -> list[dict[str, Any]]:
    return [{**row, "t": row["t"] + hours * H, "mmsi": mmsi} for row in rows]


@pytest.mark.parametrize("every_s", [2.0, 10.0, 3600.0])
def test_rows_added_later_keep_the_id_of_an_earlier_replay(every_s):
    copy = again(VOYAGE, 100.0, BRAVO)
    (known,) = of_kind(odd(VOYAGE, copy), "replay")
    place = (copy[-1]["lat"], copy[-1]["lon"])
    hours = 12.0 if every_s < H else 2000.0
    later = [
        row
        for mmsi, last in ((ALPHA, VOYAGE[-1]), (BRAVO, copy[-1]))
        for row in lie(mmsi, last["t"] + 60.0, place, hours, every_s=every_s)
    ]
    (same,) = of_kind(odd(VOYAGE, copy, later), "replay")
    assert same["event_id"] == known["event_id"]
    assert (same["start"], same["end"], same["n_positions"]) == (known["start"], known["end"], known["n_positions"])


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(2, len(VOYAGE) - 1), seed=st.integers(0, 9))
def test_what_is_sent_later_changes_no_sample(cut, seed):
    steps = np.random.default_rng(seed).choice([2.0, 10.0, 180.0, 7200.0], len(VOYAGE))
    rows = [{**row, "t": float(t)} for row, t in zip(VOYAGE, np.cumsum(steps), strict=True)]
    kept = ["timestamp", "lat", "lon", "key", "n_positions"]
    early, late = (odd_block(part)[1].select(kept).to_pylist() for part in (rows[:cut], rows))
    until = T0_US + round(rows[cut - 1]["t"] * US_PER_S)
    assert early == [row for row in late if row["timestamp"].timestamp() * US_PER_S <= until]


@pytest.mark.parametrize("every_s", [2.0, 10.0, 30.0, 60.0])
def test_the_sample_of_a_ship_under_way_is_as_large_as_it_says(every_s):
    rows = steamed([(0.0, 0.0), (0.0, 400.0)], every_s=every_s, error_m=5.0)
    traces = odd_block(rows)[1]
    per_h = traces.num_rows / 40.0
    assert 1.5 <= per_h <= 6.0
    assert sum(traces["n_positions"].to_pylist()) == pytest.approx(len(rows), rel=0.35)


def test_a_fleet_of_replays_is_what_each_ship_alone_gives():
    names = count(ALPHA)
    fleet = [[*again(VOYAGE, 5.0 * n, next(names))] for n in range(3)]
    shifted = [[{**row, "lat": row["lat"] + 0.37 * n} for row in rows] for n, rows in enumerate(fleet)]
    pairs = [(rows, again(rows, 100.0, rows[0]["mmsi"] + 50)) for rows in shifted]
    together = of_kind(odd(*(rows for pair in pairs for rows in pair)), "replay")
    alone = [event for pair in pairs for event in of_kind(odd(*pair), "replay")]
    assert len(alone) == 3
    assert [e["event_id"] for e in together] == [e["event_id"] for e in alone]


# -- spans of centuries


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 2**60)), min_size=1, max_size=60),
    asked=st.lists(st.tuples(st.integers(0, 40_000), st.integers(-(2**60), 2**61)), min_size=1, max_size=20),
)
def test_a_place_in_time_is_the_first_row_not_before_it_whatever_the_span(rows, asked):
    rows.sort()
    track, time = np.array(rows).T
    times = TrackTimes.of(track, time)
    for one, when in [*asked, *rows]:
        for side in ("left", "right"):
            before = [
                r for r in rows if r[0] < one or (r[0] == one and (r[1] < when if side == "left" else r[1] <= when))
            ]
            assert times.place(np.array([one]), np.array([when]), side).tolist() == [len(before)]


def test_ships_on_the_move_are_told_beside_a_span_of_centuries():
    """800 tracks of 1,000 years each have more microseconds than an integer holds."""
    ages = [{"mmsi": BRAVO, "t": t * H, "lat": 5.0, "lon": 5.0, "sog": 0.0} for t in (0.0, 1000.0 * YEAR_H)]
    fleet = [row for n in range(800) for row in sail(CHARLIE + n, 0.0, (10.0, 60.0), (10.2, 60.0))]
    segments = segments_of(ages + fleet)
    rows = np.arange(len(segments))
    moving, _ = find_returns(segments, rows, segments.segment_of_rows.astype(np.int64))
    assert moving.tolist() == np.setdiff1d(rows, [1, *segments.offsets[:-1]]).tolist()


def test_a_path_sent_again_is_found_beside_many_ships_and_a_span_of_centuries():
    many = [{"mmsi": CHARLIE + n, "t": 0.0, "lat": 5.0, "lon": 5.0, "sog": 0.0} for n in range(1, 800)]
    ages = [{"mmsi": CHARLIE, "t": t * H, "lat": 5.0, "lon": 5.0, "sog": 0.0} for t in (0.0, 1000.0 * YEAR_H)]
    last = CHARLIE + 400
    (alone,) = of_kind(odd(story(mmsi=last)), "replay")
    (path,) = of_kind(odd(story(mmsi=last), [row for row in many if row["mmsi"] != last], ages), "replay")
    assert path == alone


# -- fast twins


def slow_made_good_kn(segments: Segments, rows: Any, window_us: int) -> Any:
    """The way made good about each row, row by row."""
    made = np.full(len(rows), np.inf)
    for place, row in enumerate(rows.tolist()):
        track = int(np.searchsorted(segments.offsets, row, side="right")) - 1
        low, high = segments.offsets[track : track + 2].tolist()
        near = low + np.flatnonzero(np.abs(segments.time_us[low:high] - segments.time_us[row]) <= window_us)
        run, hours = (float(step[near[1:]].sum(dtype=np.float64)) for step in (segments.step_nmi, segments.step_h))
        if near[0] < row < near[-1] and hours > 0:
            made[place] = run / hours
    return made


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_speeds_made_good_are_those_told_row_by_row(seed):
    rng = np.random.default_rng(seed)
    rows = [
        {"mmsi": mmsi, "t": float(t), "lat": 10.0 + t * 2e-4, "lon": 60.0, "sog": float(rng.choice([0.0, 45.0, 102.2]))}
        for mmsi in (ALPHA, BRAVO, CHARLIE)
        for t in np.cumsum(rng.choice([2, 60, 700, 4000], 60))
    ]
    segments = segments_of(rows)
    fast = np.flatnonzero(segments.sog >= 40.0)
    slow = slow_made_good_kn(segments, fast, int(DEFAULT_SPEEDS.window_h * US_PER_H))
    assert _made_good_kn(segments, fast, DEFAULT_SPEEDS) == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("per_ship", [40, 51, 120])
def test_what_is_usual_for_others_is_the_median_without_her_own(per_ship):
    rng = np.random.default_rng(per_ship)
    ships, n = [ALPHA, BRAVO, CHARLIE], 3 * per_ship
    hours = np.tile(np.arange(per_ship) / 3.0, 3)
    lat, lon = hours * 0.2 + rng.normal(0.0, 1e-3, n) * np.repeat([1.0, 2.0, 9.0], per_ship), np.full(n, 20.0)
    mmsi = np.repeat(ships, per_ship)
    time_us = T0_US + np.round(hours * US_PER_H).astype(np.int64)
    nothing = [None] * n
    sketches = SKETCHES.build(
        {
            "segment_id": pa.array(["s"] * n),
            "mmsi": mmsi,
            "timestamp": time_us,
            "lat": lat,
            "lon": lon,
            "sog": nothing,
            "draught": nothing,
        }
    )
    asked = [ALPHA, CHARLIE, 111_111_111, BRAVO]
    known = {"mmsi": asked}
    events = POSITION_EVENTS.build({name: known.get(name, [None] * len(asked)) for name in POSITION_EVENTS.names})
    order = np.lexsort((hours, mmsi))
    along, across, speed = off_even_motion_m(time_us[order] / US_PER_H, lat[order], lon[order])
    inside = np.zeros(n, dtype=np.bool_)
    inside[1:-1] = mmsi[order][2:] == mmsi[order][:-2]
    inside &= speed >= 3.0
    off = np.hypot(along, across)
    others = [off[inside & (mmsi[order] != number)] for number in asked]
    expected = [round(float(np.median(one)), 2) if len(one) >= 100 else np.nan for one in others]
    assert usual_off_even_motion_m(events, sketches).tolist() == pytest.approx(expected, nan_ok=True)
