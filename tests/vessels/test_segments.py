"""Hulls told apart under one MMSI: agreement with a plain loop, and what must and must not be split."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    T0_US,
    H,
    block_of,
    history_of,
    lie,
    sail,
    segments_of,
    tables_of,
)
from vessels.geodesy import wrap_degrees
from vessels.motion import DEFAULT_MOTION, MotionModel
from vessels.segments import segment_ids, separate
from vessels.units import MEAN_EARTH_RADIUS_NMI, US_PER_S

LAW = settings(max_examples=30, deadline=None)
DAY = 86_400.0


def plain(segments):
    """Each segment as (mmsi, seconds of its rows)."""
    return [
        (
            int(segments.mmsi[segments.vessel[s]]),
            ((segments.time_us[a:b] - T0_US) / US_PER_S).tolist(),
        )
        for s, (a, b) in enumerate(zip(segments.offsets[:-1], segments.offsets[1:], strict=True))
    ]


def apart_nmi(one, other):
    phi1, phi2 = math.radians(one["lat"]), math.radians(other["lat"])
    a = math.sin((phi2 - phi1) / 2) ** 2
    a += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(other["lon"] - one["lon"]) / 2) ** 2
    return 2 * MEAN_EARTH_RADIUS_NMI * math.asin(math.sqrt(a))


def slowly(rows, motion=DEFAULT_MOTION):
    """The rules of the module's head, row by row: (tracks as lists of seconds, noise) of one vessel."""

    def speed(row):
        return row.get("sog") or 0.0

    def allowed(one, other):
        reported = motion.speed_factor * max(speed(one), speed(other))
        return min(max(reported, motion.floor_speed_kn), motion.ceiling_speed_kn)

    def hours(one, other):
        return (other["t"] - one["t"]) / 3600

    def reachable(one, other):
        return apart_nmi(one, other) <= motion.slack_nmi + allowed(one, other) * hours(one, other)

    def sure(one, other):
        if apart_nmi(one, other) <= motion.slack_nmi:
            return True
        reported = min(motion.speed_factor * max(speed(one), speed(other)), motion.ceiling_speed_kn)
        near = apart_nmi(one, other) <= motion.slack_nmi + reported * hours(one, other)
        return near and hours(one, other) <= 1.0

    def misfit(last, row):
        away = apart_nmi(last, row)
        if speed(last) > 0 and hours(last, row) > 0 and last.get("cog") is not None:
            run = speed(last) * hours(last, row) / 60
            course = math.radians(last["cog"])
            lat = last["lat"] + run * math.cos(course)
            lon = last["lon"] + run * math.sin(course) / max(math.cos(math.radians(last["lat"])), 0.01)
            if abs(lat) <= 90:
                away = min(away, apart_nmi({"lat": lat, "lon": lon}, row))
        return away

    if all(reachable(a, b) for a, b in itertools.pairwise(rows)):
        return [[row["t"] for row in rows]], 0
    tracks, still_open, previous = [], [], None
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and sure(before, row):
            chosen = previous
        else:
            fits = [
                (misfit(tracks[k][-1], row), -tracks[k][-1]["t"], k)
                for k in still_open
                if reachable(tracks[k][-1], row)
            ]
            if fits:
                chosen = min(fits)[2]
            else:
                if len(still_open) >= motion.max_open_tracks:
                    still_open.remove(min(still_open, key=lambda k: (tracks[k][-1]["t"], k)))
                tracks.append([])
                chosen = len(tracks) - 1
                still_open.append(chosen)
        tracks[chosen].append(row)
        previous = chosen
    place = {id(row): i for i, row in enumerate(rows)}
    bursts = []
    for track in tracks:
        for before, row in zip([None, *track], track, strict=False):
            alone = before is not None and (
                hours(before, row) > motion.lone_h and place[id(row)] - place[id(before)] > motion.lone_reports
            )
            if before is None or alone:
                bursts.append([])
            bursts[-1].append(row)
    long = [burst for burst in bursts if len(burst) >= motion.min_positions]
    noise = {id(row) for burst in bursts if len(burst) < motion.min_positions for row in burst} if long else set()
    kept = [[row["t"] for row in track if id(row) not in noise] for track in tracks]
    return [track for track in kept if track], len(noise)


@st.composite
def mixed_tracks(draw):
    """Up to three hulls and some wild positions under one MMSI, no two reports at one instant."""
    n = draw(st.integers(1, 30))
    rows, t = [], 0.0
    places = [[35.0, 130.0], [35.5, 130.5], [38.0, 179.99]]
    for _ in range(n):
        t += draw(st.sampled_from([10.0, 180.0, 1800.0, 5 * H]))
        hull = draw(st.integers(0, 3))
        place = places[hull] if hull < 3 else [draw(st.floats(30, 40)), draw(st.floats(120, 140))]
        sog = draw(st.sampled_from([None, 0.0, 12.0, 40.0]))
        cog = draw(st.sampled_from([None, 0.0, 90.0]))
        if hull < 3:
            place[0] += draw(st.sampled_from([0.0, 0.001, 0.05]))
            place[1] += draw(st.sampled_from([0.0, 0.004]))
        rows.append(
            {"mmsi": ALPHA, "t": t, "lat": place[0], "lon": float(wrap_degrees(place[1])), "sog": sog, "cog": cog}
        )
    return rows


MODELS = st.sampled_from([DEFAULT_MOTION, MotionModel(min_positions=1, max_open_tracks=2, slack_nmi=3.0)])


@settings(max_examples=80, deadline=None)
@given(mixed_tracks(), MODELS)
def test_the_tracks_are_those_of_the_plain_loop(rows, motion):
    segments = segments_of(rows, motion=motion)
    tracks, noise = slowly(rows, motion)
    assert [times for _, times in plain(segments)] == tracks
    assert segments.noise.tolist() == [noise]


@LAW
@given(mixed_tracks(), mixed_tracks())
def test_one_vessels_tracks_do_not_depend_on_the_others(one, other):
    renamed = [{**row, "mmsi": BRAVO} for row in other]
    together = plain(segments_of([*one, *renamed]))
    assert together == plain(segments_of(one)) + plain(segments_of(renamed))


@LAW
@given(mixed_tracks())
def test_every_position_is_in_one_segment_or_is_noise(rows):
    segments = segments_of(rows)
    assert len(segments) + int(segments.noise.sum()) == len(rows)
    assert (np.diff(segments.offsets) > 0).all()
    assert len(set(segment_ids(segments))) == len(segments.vessel)


@LAW
@given(mixed_tracks())
def test_steps_start_at_zero_and_say_how_far_and_how_long(rows):
    segments = segments_of(rows)
    by_time = {row["t"]: row for row in rows}
    for _, times in plain(segments):
        at = np.flatnonzero(segments.time_us == T0_US + round(times[0] * US_PER_S))[0]
        assert segments.step_nmi[at] == segments.step_h[at] == 0.0
        for i, (before, after) in enumerate(itertools.pairwise(times), 1):
            assert segments.step_h[at + i] == pytest.approx((after - before) / 3600, rel=1e-5)
            assert segments.step_nmi[at + i] == pytest.approx(
                apart_nmi(by_time[before], by_time[after]), rel=1e-4, abs=1e-4
            )


def alternating(*ships):
    return sorted((row for ship in ships for row in ship), key=lambda row: row["t"])


ONE = sail(ALPHA, 0.0, (35.0, 130.0), (36.0, 130.0), every_s=360)
FAR = sail(ALPHA, 180.0, (42.0, 135.0), (41.0, 135.0), every_s=360)


def test_two_hulls_that_take_turns_on_one_mmsi_are_two_segments_without_noise():
    segments = segments_of(alternating(ONE, FAR))
    assert [len(times) for _, times in plain(segments)] == [len(ONE), len(FAR)]
    assert segments.noise.tolist() == [0]
    (vessel,) = tables_of(history_of(alternating(ONE, FAR)))["vessels"]
    assert vessel["n_segments"] == 2
    assert vessel["n_alternations"] == len(ONE) + len(FAR) - 2
    assert vessel["max_separation_nmi"] == pytest.approx(480, rel=0.1)
    assert vessel["overlap_start"] < vessel["overlap_end"]


def test_two_hulls_that_meet_where_another_sails_are_still_two_by_course():
    north = sail(ALPHA, 0.0, (35.0, 130.0), (36.0, 130.0), every_s=360)
    south = sail(ALPHA, 180.0, (36.0, 130.2), (35.0, 130.2), every_s=360)
    segments = segments_of(alternating(north, south))
    assert sorted(len(times) for _, times in plain(segments)) == [len(south), len(north)]


def test_one_wild_position_is_noise_and_no_break():
    wild = {"mmsi": ALPHA, "t": 5_000.0, "lat": -12.0, "lon": 40.0, "sog": 12.0, "cog": 0.0}
    segments = segments_of(alternating(ONE, [wild]))
    assert [len(times) for _, times in plain(segments)] == [len(ONE)]
    assert segments.noise.tolist() == [1]
    (vessel,) = tables_of(history_of(alternating(ONE, [wild])))["vessels"]
    assert (vessel["n_noise"], vessel["n_segments"], vessel["n_alternations"]) == (1, 1, 0)
    assert vessel["overlap_start"] is None


def test_a_wild_first_and_a_wild_last_position_are_noise_too():
    wild = [{**ONE[0], "t": t, "lat": -12.0, "lon": 40.0} for t in (-60.0, ONE[-1]["t"] + 60)]
    segments = segments_of(alternating(ONE, wild))
    assert [times for _, times in plain(segments)] == [[row["t"] for row in ONE]]
    assert segments.noise.tolist() == [2]


def test_a_duplicated_report_starts_no_track():
    again = [*ONE, *ONE[3:6], {**ONE[4], "sog": 11.9}]
    segments = segments_of(alternating(again))
    assert len(plain(segments)) == 1
    assert segments.noise.tolist() == [0]
    assert len(segments) == len(ONE) + 1


def test_ten_days_of_silence_do_not_split_a_track():
    later = sail(ALPHA, ONE[-1]["t"] + 10 * DAY, (36.1, 131.0), (37.0, 131.0))
    assert len(plain(segments_of([*ONE, *later]))) == 1


def test_three_positions_at_once_are_kept_and_counted():
    rows = [{"mmsi": ALPHA, "t": 0.0, "lat": 35.0 + i, "lon": 130.0, "sog": 0.0, "cog": 0.0} for i in range(3)]
    segments = segments_of(rows)
    assert len(segments) + int(segments.noise.sum()) == 3
    assert plain(segments) == [(ALPHA, [0.0])] * 3
    assert len(set(segment_ids(segments))) == 3
    busy = segments_of([*rows, *lie(ALPHA, 60.0, (35.0, 130.0), 2.0)])
    assert [len(times) for _, times in plain(busy)] == [14]
    assert busy.noise.tolist() == [2]


def test_a_fast_craft_is_believed_with_and_without_a_course():
    fast = sail(ALPHA, 0.0, (35.0, 130.0), (36.5, 130.0), speed_kn=55.0, every_s=600)
    wild = {**fast[3], "t": fast[3]["t"] + 30, "lat": -10.0}
    for rows in (fast, [{**row, "cog": None} for row in fast]):
        assert len(plain(segments_of(alternating(rows, [wild])))[0][1]) == len(fast)


def test_a_track_across_the_antimeridian_is_one_track():
    across = sail(ALPHA, 0.0, (50.0, 179.0), (50.0, -179.0))
    assert len(plain(segments_of(across))) == 1
    stranger = sail(ALPHA, 30.0, (10.0, -179.0), (11.0, -179.0))
    both = segments_of(alternating(across, stranger))
    assert sorted(len(times) for _, times in plain(both)) == sorted([len(across), len(stranger)])


@pytest.mark.parametrize("turn", [47.0, 180.0, -128.3])
def test_turning_the_globe_changes_no_track(turn):
    rows = alternating(ONE, FAR, [{**ONE[5], "t": ONE[5]["t"] + 30, "lat": -30.0}])
    turned = [{**row, "lon": float(wrap_degrees(row["lon"] + turn))} for row in rows]
    assert plain(segments_of(rows)) == plain(segments_of(turned))


def test_a_wild_position_every_other_day_is_noise_and_no_second_ship():
    segments = segments_of(WILD)
    assert [len(times) for _, times in plain(segments)] == [240]
    assert segments.noise.tolist() == [5]


def test_ships_without_positions_have_no_segment():
    segments = segments_of([{"mmsi": ALPHA, "t": 0.0, "name": "MIRAE 3"}, *lie(BRAVO, 0.0, (35.0, 130.0), 1.0)])
    assert [mmsi for mmsi, _ in plain(segments)] == [BRAVO]
    assert segments.mmsi.tolist() == [ALPHA, BRAVO]


def test_no_rows_have_no_segments():
    segments = segments_of([])
    assert plain(segments) == []
    assert segment_ids(segments) == []


def test_a_segment_keeps_its_id_when_it_goes_on():
    rows = alternating(ONE, FAR)
    early, whole = (segments_of(part) for part in (rows[:12], rows))
    assert segment_ids(early) == segment_ids(whole)


def test_what_is_given_is_not_changed():
    block = block_of(alternating(ONE, FAR))
    before = {name: getattr(block, name).tobytes() for name in ("time_us", "lat", "lon", "sog", "cog")}
    separate(block)
    assert {name: getattr(block, name).tobytes() for name in before} == before


SLOW_THEN_FAR = [
    *lie(ALPHA, 0.0, (35.0, 130.0), 1.0),
    *lie(ALPHA, 2 * H, (35.8, 130.0), 1.0),
    *lie(ALPHA, 3.5 * H, (35.0, 130.0), 1.0),
]
"""48 nmi in an hour, twice, by a ship that reports no speed."""
REPORTED = [{**row, "sog": 29.0} for row in SLOW_THEN_FAR]
LEAP = alternating(
    ONE, [{**ONE[4], "t": ONE[4]["t"] + 10, "lat": 20.0}, {**ONE[4], "t": ONE[4]["t"] + 20, "lat": 20.0}]
)
WILD = sorted(
    [
        *({"mmsi": ALPHA, "t": H * i, "lat": 35.0, "lon": 130.0, "sog": 0.0, "cog": 0.0} for i in range(240)),
        *(
            {"mmsi": ALPHA, "t": 60.0 + 48 * H * i, "lat": -35.0, "lon": 130.0, "sog": 0.0, "cog": 0.0}
            for i in range(5)
        ),
    ],
    key=lambda row: row["t"],
)
"""A ship at rest for ten days, and one far position under its number every other day."""
MANY = [{"mmsi": ALPHA, "t": 60.0 * i, "lat": 5.0 * (i % 6), "lon": 130.0, "sog": 0.0, "cog": 0.0} for i in range(30)]


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"slack_nmi": 40.0}, SLOW_THEN_FAR),
        ({"floor_speed_kn": 60.0}, SLOW_THEN_FAR),
        ({"speed_factor": 2.5}, REPORTED),
        ({"ceiling_speed_kn": 31.0}, [{**row, "sog": 40.0} for row in SLOW_THEN_FAR]),
        ({"min_positions": 2}, LEAP),
        ({"lone_h": 72.0}, WILD),
        ({"lone_reports": 100}, WILD),
        ({"max_open_tracks": 3}, MANY),
    ],
)
def test_every_parameter_of_the_motion_model_bites(change, rows):
    assert set(change) <= set(MotionModel.model_fields)
    changed = segments_of(rows, motion=MotionModel(**change))
    usual = segments_of(rows)
    assert (plain(changed), changed.noise.tolist()) != (plain(usual), usual.noise.tolist())


@pytest.mark.parametrize("name", MotionModel.model_fields)
@pytest.mark.parametrize("value", [-1.0, 1e9, float("nan"), "fast", None])
def test_a_parameter_out_of_bounds_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        MotionModel(**{name: value})


def test_an_unknown_parameter_is_refused_and_a_record_is_frozen():
    with pytest.raises(ValidationError, match="slack_km"):
        MotionModel(slack_km=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT_MOTION.slack_nmi = 2.0


def test_a_ceiling_below_the_floor_is_refused():
    with pytest.raises(ValidationError, match="ceiling"):
        MotionModel(floor_speed_kn=60.0, ceiling_speed_kn=50.0)


def test_every_default_has_a_meaning_and_a_source():
    for field in MotionModel.model_fields.values():
        assert "Source:" in (field.description or "")


def test_ships_side_by_side_under_their_own_numbers_are_left_alone():
    rows = [row for mmsi in (ALPHA, BRAVO, CHARLIE) for row in sail(mmsi, 0.0, (35.0, 130.0), (36.0, 130.5))]
    assert sorted(mmsi for mmsi, _ in plain(segments_of(rows))) == sorted([ALPHA, BRAVO, CHARLIE])
