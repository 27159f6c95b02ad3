"""Odd positions: what is found in tracks that cannot be, what is not found in tracks that can, and the laws of both."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, H, Row, lie
from tests.vessels.odd_tracks import StripLand, box, odd, odd_block, of_kind, settle, steamed
from vessels.event_tables import POSITION_EVENTS
from vessels.events.ways import from_edges_nmi, off_even_motion_m
from vessels.geodesy import distance_nmi, wrap_degrees

NOISE = {"error_m": 5.0, "sway_m": 30.0, "slip": 0.03}
"""A real ship's: a receiver's 5 m, helm and sea 30 m, her speed by 3 %."""
PASSAGE = steamed([(0.0, 0.0), (0.0, 300.0)], **NOISE)


def moved(rows: list[dict[str, Any]], first: float, last: float, north: float, east: float) -> list[dict[str, Any]]:
    """The rows, those between two hours moved by so many degrees."""
    return [
        {**row, "lat": row["lat"] + north, "lon": row["lon"] + east} if first * H <= row["t"] < last * H else row
        for row in rows
    ]


# -- jumps


def test_an_ordinary_passage_shows_nothing():
    assert odd(PASSAGE) == []


def test_an_excursion_is_one_jump_that_says_how_far_off_her_way_it_led():
    (jump,) = odd(moved(PASSAGE, 10.0, 14.0, 1.0, 0.0))
    assert jump["kind"] == "jump" and jump["mmsi"] == ALPHA and jump["n_others"] == 0
    assert jump["distance_nmi"] == pytest.approx(60.0, abs=0.5)
    assert jump["came_back"] is True and jump["n_positions"] == 48 and jump["duration_h"] == pytest.approx(4.0, abs=0.1)
    assert jump["implied_speed_kn"] > 500.0


def test_an_excursion_belongs_to_the_track_it_leaves():
    rows = moved(PASSAGE, 10.0, 14.0, 1.0, 0.0)
    events, _, sketches = odd_block(rows)
    longest = max(set(sketches["segment_id"].to_pylist()), key=sketches["segment_id"].to_pylist().count)
    assert events["segment_id"].to_pylist() == [longest]


def test_damaged_positions_within_the_hour_are_one_jump():
    rows = [dict(row) for row in PASSAGE]
    for place, off in ((100, 3.0), (104, -5.0), (107, 20.0)):
        rows[place]["lat"] += off
    (jump,) = odd(rows)
    assert jump["n_positions"] == 3 and jump["distance_nmi"] == pytest.approx(1200.0, rel=0.02)


def test_a_leap_away_for_good_is_a_jump_from_the_last_report_to_the_first():
    rows = moved(PASSAGE, 15.0, 1e6, 5.0, 0.0)
    (jump,) = odd(rows)
    before, after = rows[179], rows[180]
    assert (jump["start_lat"], jump["end_lat"]) == (before["lat"], after["lat"]) and jump["came_back"] is False
    assert jump["distance_nmi"] == pytest.approx(300.0, abs=3.0)


def test_a_leap_within_reach_of_any_ship_but_not_of_this_one_is_a_jump():
    """12 nmi in half an hour: 24 kn, under the motion model's floor, by a ship of 10 kn."""
    rows = [row for row in PASSAGE if not 10.0 * H < row["t"] < 10.5 * H]
    (jump,) = odd(moved(rows, 10.1, 1e6, 0.2, 0.0))
    assert 20.0 < jump["implied_speed_kn"] < 30.0


def test_two_leaps_out_and_back_are_one_jump():
    rows = [row for row in PASSAGE if not (10 * H < row["t"] < 10.5 * H or 10.7 * H < row["t"] < 11.2 * H)]
    (jump,) = odd(moved(rows, 10.1, 10.8, 0.2, 0.0))
    assert jump["came_back"] is True


def test_a_coarse_position_is_no_jump():
    """Message 27 gives 1/10 minute of arc."""
    rows = [{**row, "lat": round(row["lat"] * 600) / 600} if i % 7 == 0 else row for i, row in enumerate(PASSAGE)]
    assert of_kind(odd(rows), "jump") == []


def test_a_clock_that_is_wrong_is_no_jump():
    """Reports stamped an hour late lie on her own line."""
    rows = [{**row, "t": row["t"] + 3600.0 + 1.0} if 120 <= i < 150 else row for i, row in enumerate(PASSAGE)]
    assert of_kind(odd(rows), "jump") == []


def test_two_ships_under_one_number_make_no_jumps():
    other = steamed([(200.0, 0.0), (200.0, 300.0)], t=37.0, **{**NOISE, "seed": 2})
    assert of_kind(odd(PASSAGE + other), "jump") == []


def test_repeated_rows_change_nothing():
    rows = moved(PASSAGE, 10.0, 14.0, 1.0, 0.0)
    assert odd(rows, rows[::3]) == odd(rows)


# -- held positions and speeds


def frozen(rows: list[dict[str, Any]], first: float, last: float, **said: Any) -> list[dict[str, Any]]:
    """The rows with the position that she had at the first hour until the last."""
    start = next(row for row in rows if row["t"] >= first * H)
    place = {"lat": start["lat"], "lon": start["lon"], **said}
    return [{**row, **place} if first * H <= row["t"] < last * H else row for row in rows]


def test_a_position_that_stands_still_while_she_says_she_moves_is_held():
    (held,) = of_kind(odd(frozen(PASSAGE, 10.0, 14.0)), "held")
    assert held["duration_h"] == pytest.approx(4.0, abs=0.2)


def test_a_position_held_before_a_leap_is_held_even_without_speed():
    events = odd(frozen(PASSAGE, 10.0, 25.0, sog=0.0))
    assert [event["kind"] for event in events] == ["held", "jump"]


def test_a_ship_at_a_berth_whose_archive_rounds_holds_nothing():
    assert odd(lie(ALPHA, 0.0, (33.0, 124.0), 100.0)) == []


def test_a_speed_that_the_positions_belie_is_told_once():
    rows = lie(ALPHA, 0.0, (33.0, 124.0), 5.0, every_s=60.0)
    rows[100] = {**rows[100], "sog": 102.2}
    rows[101] = {**rows[101], "sog": 102.2}
    (speed,) = odd(rows)
    assert speed["kind"] == "speed" and speed["n_positions"] == 2
    assert speed["implied_speed_kn"] == pytest.approx(102.2, abs=0.1)


def test_a_fast_craft_is_believed():
    assert odd(steamed([(0.0, 0.0), (0.0, 200.0)], kn=45.0, every_s=60.0, **NOISE)) == []


# -- land

STRIP = StripLand(124.5, 125.5)


def test_a_way_over_land_from_sea_to_sea_is_told():
    (run,) = odd(PASSAGE, land=STRIP)
    assert run["kind"] == "on_land" and run["crosses_land"] is True and run["n_others"] == 0
    assert run["distance_nmi"] == pytest.approx(30.0, abs=1.5)
    assert run["implied_speed_kn"] == pytest.approx(10.0, rel=0.1)


def test_a_ship_that_stays_inland_does_not_cross():
    (run,) = odd(PASSAGE, land=StripLand(124.5, 150.0))
    assert run["crosses_land"] is False


def test_others_heard_at_the_same_places_are_counted():
    others = [steamed([(0.0, 0.0), (0.0, 300.0)], mmsi=ALPHA + n, t=n * 40 * H, **{**NOISE, "seed": n}) for n in (1, 2)]
    runs = of_kind(odd(PASSAGE, *others, land=STRIP), "on_land")
    assert [run["n_others"] for run in runs] == [2, 2, 2]


def test_a_harbour_up_to_two_miles_inland_is_no_land():
    assert odd(PASSAGE, land=StripLand(124.5, 124.56)) == []


# -- drawn motion


def test_a_line_drawn_by_rule_is_constant_motion():
    (even,) = odd(steamed([(0.0, 0.0), (60.0, 0.0), (60.0, 120.0)]))
    assert even["kind"] == "constant"
    assert even["residual_m"] < 1.0 and even["distance_nmi"] > 150.0
    assert even["implied_speed_kn"] == pytest.approx(10.0, rel=0.02)


def test_what_is_usual_for_her_is_told_beside_it():
    drawn = steamed([(0.0, 0.0), (0.0, 120.0)])
    own = steamed([(0.0, 120.0), (0.0, 240.0)], t=12 * H + 300.0, **NOISE)
    (even,) = odd(drawn + own)
    assert even["usual_residual_m"] > 5.0 * even["residual_m"]


def test_what_is_usual_for_others_stands_where_her_own_is_not_known():
    drawn = steamed([(0.0, 0.0), (0.0, 120.0)])
    fleet = [steamed([(50.0, 0.0), (50.0, 300.0)], mmsi=BRAVO + n, **{**NOISE, "seed": n}) for n in range(3)]
    (even,) = odd(drawn, *fleet)
    assert even["usual_residual_m"] > 10.0


def test_a_feed_that_interpolates_makes_everyone_constant():
    fleet = [steamed([(10.0 * n, 0.0), (10.0 * n, 120.0)], mmsi=BRAVO + n) for n in range(5)]
    assert [event["n_others"] for event in odd(*fleet)] == [4] * 5


@pytest.mark.parametrize("noise", [{"error_m": 5.0}, {"sway_m": 30.0}, {"slip": 0.03}])
def test_a_receiver_a_helm_or_an_engine_alone_is_seen_in_a_track(noise):
    assert of_kind(odd(steamed([(0.0, 0.0), (0.0, 200.0)], **noise)), "constant") == []


def test_the_same_corners_for_days_are_laps():
    (laps,) = odd(steamed(box(10), kn=6.0, error_m=5.0, slip=0.02))
    assert laps["kind"] == "laps" and laps["residual_m"] < 20.0
    assert laps["duration_h"] > 80.0 and laps["implied_speed_kn"] == pytest.approx(6.0, rel=0.05)


def test_laps_heard_once_in_45_minutes_are_found():
    events = odd(steamed(box(12), kn=6.0, error_m=5.0, slip=0.02, every_s=2700.0))
    assert [event["kind"] for event in events] == ["laps"]


def ferry(n: int) -> list[Row]:
    rows: list[Row] = []
    for trip in range(n):
        ends = [(0.0, 0.0), (0.0, 20.0)][:: 1 if trip % 2 == 0 else -1]
        t = rows[-1]["t"] + 60.0 if rows else 0.0
        leg = steamed(ends, t=t, kn=16.0, every_s=60.0, error_m=5.0, sway_m=10.0, seed=trip)
        rows += leg + lie(ALPHA, leg[-1]["t"] + 60.0, (leg[-1]["lat"], leg[-1]["lon"]), 0.7, every_s=180.0)
    return rows


def race(laps: int) -> list[Row]:
    """Round three buoys, tacking to windward: another way and another speed each time."""
    rng = np.random.default_rng(3)
    points = [(0.0, 0.0)]
    for _ in range(laps):
        tacks = [(float(y), float(rng.normal(0.0, 0.6))) for y in np.linspace(1.0, 5.0, 5)]
        points += [*tacks, (6.0, 0.0), (3.0, 4.0 + float(rng.normal(0, 0.3))), (0.0, 0.0)]
    return steamed(points, kn=6.0, every_s=60.0, **{**NOISE, "slip": 0.2})


def lawn(lines: int) -> list[tuple[float, float]]:
    """A survey: up and down on lines 100 m apart, each once."""
    ends = [(0.0, 8.0), (8.0, 0.0)]
    return [(y, 0.054 * line) for line in range(lines) for y in ends[line % 2]]


def dredger(cycles: int) -> list[Row]:
    """From where she dredges to where she dumps and back, stopping at both."""
    rng = np.random.default_rng(4)
    rows: list[Row] = []
    for cycle in range(cycles):
        there, here = (8.0 + float(rng.normal(0, 0.2)), 6.0), (0.0, float(rng.normal(0, 0.3)))
        t = rows[-1]["t"] + 120.0 if rows else 0.0
        out = steamed([here, there], t=t, kn=9.0, every_s=120.0, **{**NOISE, "seed": cycle})
        back = steamed([there, here], t=out[-1]["t"] + 1800.0, kn=10.5, every_s=120.0, **{**NOISE, "seed": cycle + 99})
        slow = steamed([here, (here[0] + 1.5, here[1])], t=back[-1]["t"] + 120.0, kn=1.5, every_s=120.0, **NOISE)
        rows += [*out, *back, *slow]
    return rows


@pytest.mark.parametrize(
    "rows",
    [
        ferry(40),
        race(20),
        steamed(lawn(80), kn=4.5, every_s=60.0, error_m=2.0, sway_m=5.0, slip=0.02),
        dredger(20),
        steamed(box(10, shift=0.4), kn=6.0, **NOISE),
        steamed(box(10), kn=6.0, error_m=5.0, sway_m=300.0, slip=0.05),
        steamed(box(3), kn=6.0, error_m=5.0, slip=0.02),
    ],
    ids=["ferry", "race", "survey", "dredger", "drifting box", "box steered by hand", "three laps"],
)
def test_who_goes_round_for_a_living_is_not_drawn(rows):
    assert odd(rows) == []


# -- replays

VOYAGE = steamed([(0.0, 0.0), (20.0, 90.0), (0.0, 200.0)], every_s=60.0, **NOISE)


def again(rows: list[dict[str, Any]], hours: float, mmsi: int = ALPHA) -> list[dict[str, Any]]:
    return [{**row, "t": row["t"] + hours * H, "mmsi": mmsi} for row in rows]


def test_a_track_sent_again_by_another_ship_is_a_replay():
    (copy,) = odd(VOYAGE, again(VOYAGE, 100.0, BRAVO))
    assert (copy["kind"], copy["mmsi"], copy["replayed_mmsi"]) == ("replay", BRAVO, ALPHA)
    lag_h = (copy["start"] - copy["replayed_from"]).total_seconds() / H
    assert lag_h == pytest.approx(100.0, abs=0.01)
    assert copy["distance_nmi"] > 150.0 and copy["residual_m"] == 0.0


def test_her_own_track_sent_again_is_a_replay():
    stay = lie(ALPHA, VOYAGE[-1]["t"] + 60.0, (VOYAGE[-1]["lat"], VOYAGE[-1]["lon"]), 20.0)
    (copy,) = of_kind(odd(VOYAGE, stay, again(VOYAGE, 90.0)), "replay")
    assert copy["replayed_mmsi"] == ALPHA


def test_a_replay_of_which_half_was_heard_is_found():
    copy = [row for i, row in enumerate(again(VOYAGE, 100.0, BRAVO)) if i % 2]
    assert [event["kind"] for event in odd(VOYAGE, copy)] == ["replay"]


def test_a_feed_that_delivers_within_hours_again_is_no_replay():
    assert of_kind(odd(VOYAGE, again(VOYAGE, 2.0)), "replay") == []


def test_a_ferry_on_one_line_replays_nothing():
    assert of_kind(odd(ferry(40)), "replay") == []


def test_positions_rounded_to_ten_metres_are_not_compared():
    coarse = [{**row, "lat": round(row["lat"], 4), "lon": round(row["lon"], 4)} for row in VOYAGE]
    assert of_kind(odd(coarse, again(coarse, 100.0, BRAVO)), "replay") == []


def test_a_ship_at_her_berth_replays_nothing():
    rows = lie(ALPHA, 0.0, (33.123456, 124.123456), 100.0)
    assert odd(rows, again(rows, 200.0, BRAVO)) == []


def test_a_replay_under_many_numbers_nearby_is_the_feed_s():
    copies = [again(VOYAGE, 100.0 + n, BRAVO + n) for n in range(3)]
    found = of_kind(odd(VOYAGE, *copies), "replay")
    assert {event["mmsi"] for event in found} == {BRAVO, BRAVO + 1, BRAVO + 2}
    assert min(event["n_others"] for event in found) >= 1


# -- others


def test_ships_that_jump_together_are_counted():
    fleet = [moved(again(PASSAGE, 0.0, BRAVO + n), 10.0 + n / 10, 14.0, 0.5, 0.0) for n in range(4)]
    assert [event["n_others"] for event in odd(*fleet)] == [3] * 4


def test_a_ship_that_jumps_days_later_or_far_away_is_not_counted():
    late = again(moved(PASSAGE, 10.0, 14.0, 1.0, 0.0), 72.0, BRAVO)
    far = [{**row, "lat": row["lat"] - 50.0} for row in again(moved(PASSAGE, 10.0, 14.0, 1.0, 0.0), 0.0, CHARLIE)]
    jumps = of_kind(odd(moved(PASSAGE, 10.0, 14.0, 1.0, 0.0), late, far), "jump")
    assert [event["n_others"] for event in jumps] == [0] * 3


# -- laws

SCENE = [
    moved(PASSAGE, 10.0, 14.0, 1.0, 0.0),
    again(frozen(PASSAGE, 5.0, 9.0), 3.0, BRAVO),
    steamed(box(6), mmsi=CHARLIE, kn=6.0, error_m=5.0, slip=0.02),
    steamed([(100.0, 0.0), (100.0, 120.0)], mmsi=CHARLIE + 1),
    [{**row, "lat": row["lat"] + 3.0} for row in again(VOYAGE, 0.0, CHARLIE + 2)],
    [{**row, "lat": row["lat"] + 3.0} for row in again(VOYAGE, 100.0, CHARLIE + 3)],
]
STATED = odd(*SCENE)
PLACES = ("start_lon", "end_lon")


def test_the_scene_of_the_laws_holds_every_kind_but_those_of_land_and_speed():
    assert {event["kind"] for event in STATED} == {"jump", "held", "laps", "constant", "replay"}


def test_the_table_is_as_declared_and_in_order():
    (events, traces, sketches) = odd_block(*SCENE)
    assert events.schema.equals(POSITION_EVENTS.arrow)
    keys = [(event["mmsi"], event["start"], event["kind"]) for event in STATED]
    assert keys == sorted(keys)
    assert len({event["event_id"] for event in STATED}) == len(STATED)
    assert traces.num_rows and sketches.num_rows


def test_an_empty_block_gives_empty_tables():
    assert odd([]) == []


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_of_tables_matters(seed):
    rng = np.random.default_rng(seed)
    rows = [row for file in SCENE for row in file]
    rows = [rows[place] for place in rng.permutation(len(rows))]
    events, traces, sketches = (
        table.take(pa.array(rng.permutation(table.num_rows))) for table in odd_block(rows[:1000], rows[1000:])
    )
    assert settle([(events, traces, sketches)]) == STATED


def test_blocks_of_vessels_may_be_derived_apart():
    assert settle([odd_block(file) for file in reversed(SCENE)]) == STATED


def told(events: list[dict[str, Any]], *left_out: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name not in left_out} for event in events]


@pytest.mark.parametrize("hours", [1 / 3, 1000.0])
def test_a_shift_of_time_shifts_the_events(hours):
    """By multiples of 20 minutes, because tracks are thinned by the clock."""
    times = ("event_id", "segment_id", "start", "end", "replayed_from")
    shifted = odd(*(again(file, hours, file[0]["mmsi"]) for file in SCENE))
    assert told(shifted, *times) == told(STATED, *times)


@pytest.mark.parametrize("degrees", [56.0, 55.5, -150.25])
def test_turning_the_world_turns_the_events(degrees):
    turned = [[{**row, "lon": round(float(wrap_degrees(row["lon"] + degrees)), 6)} for row in file] for file in SCENE]
    found = odd(*turned)
    assert [(e["kind"], e["mmsi"], e["start"], e["n_positions"]) for e in found if e["kind"] != "replay"] == [
        (e["kind"], e["mmsi"], e["start"], e["n_positions"]) for e in STATED if e["kind"] != "replay"
    ]
    for name in ("distance_nmi", "implied_speed_kn", "residual_m"):
        pairs = [(one[name], two[name]) for one, two in zip(found, STATED, strict=True) if one["kind"] != "replay"]
        assert all(a == b or a == pytest.approx(b, rel=0.01, abs=0.3) for a, b in pairs)


def test_other_numbers_for_the_ships_change_nothing_else():
    renamed = odd(*(again(file, 0.0, file[0]["mmsi"] + 500) for file in SCENE))
    changed = ("event_id", "segment_id", "mmsi", "replayed_mmsi")
    assert told(renamed, *changed) == told(STATED, *changed)


# -- twins of the fast paths


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_distance_from_a_path_is_that_of_its_nearest_point(seed):
    rng = np.random.default_rng(seed)
    path_lat, path_lon = rng.uniform(40.0, 40.5, 6), rng.uniform(179.7, 180.3, 6)
    lat, lon = rng.uniform(40.0, 40.5, 4), wrap_degrees(rng.uniform(179.7, 180.3, 4))
    path_lon_wrapped = wrap_degrees(path_lon)
    found = from_edges_nmi(lat, lon, path_lat[:-1], path_lon_wrapped[:-1], path_lat[1:], path_lon_wrapped[1:])
    found = found.min(axis=1)
    share = np.linspace(0.0, 1.0, 400)[:, None]
    on_lat = (path_lat[:-1] + share * np.diff(path_lat)).ravel()
    on_lon = (path_lon[:-1] + share * np.diff(path_lon)).ravel()
    slow = [distance_nmi(y, x, on_lat, on_lon).min() for y, x in zip(lat, lon, strict=True)]
    assert found == pytest.approx(slow, rel=0.01, abs=0.1)


def test_even_motion_is_kept_by_a_line_at_even_speed_and_left_by_as_much_as_she_leaves_it():
    hours = np.array([0.0, 0.2, 0.5, 0.6, 1.0])
    lat, lon = 40.0 + hours * 0.1, wrap_degrees(179.95 + hours * 0.1)
    along, across, speed = off_even_motion_m(hours, lat, lon)
    assert np.nanmax(along) < 1.0 and np.nanmax(across) < 1.0
    assert speed[1:-1] == pytest.approx(distance_nmi(40.0, 0.0, 40.1, 0.1), rel=0.01)
    lat[2] += 100.0 / 1852.0 / 60.0
    along, across, _ = off_even_motion_m(hours, lat, lon)
    assert np.hypot(along[2], across[2]) == pytest.approx(100.0, rel=0.02)


def test_even_motion_may_follow_a_great_circle():
    """Two hours at 30 kn east in 60 N: the great circle passes 280 m north of the parallel."""
    from_lon, to_lon, phi = 0.0, 2.0, np.radians(60.0)
    middle = np.degrees(np.arctan2(np.tan(phi), np.cos(np.radians((to_lon - from_lon) / 2))))
    hours, lon = np.array([0.0, 1.0, 2.0]), np.array([from_lon, 1.0, to_lon])
    along, across, _ = off_even_motion_m(hours, np.array([60.0, middle, 60.0]), lon)
    assert (middle - 60.0) * 60 * 1852 > 250.0
    assert across[1] < 0.01 and along[1] < 0.01
    along, across, _ = off_even_motion_m(hours, np.array([60.0, 60.0, 60.0]), lon)
    assert across[1] < 0.01 and along[1] < 0.01
