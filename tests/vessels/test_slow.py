"""Slow stretches and places at instants: agreement with a plain loop, what is left out, and what changes nothing."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, T0_US, H, chain, disc, end_of, lie, sail, segments_of, zones_of
from tests.vessels.fleets import SEA, drift, far_off, fleet_of, moment, off, turned
from vessels.events.slow import STEP_US, SlowParameters, find_slow, harbour_sets
from vessels.geodesy import distance_nmi
from vessels.thinning import thin_rows
from vessels.units import US_PER_H

LAW = settings(max_examples=100, deadline=None)
FAR = off(SEA, 60_000)


def slowly(rows, p):
    """Stretches (first, last time) and instants of one track at sea, by looking at one report after the other."""
    segments = segments_of(rows)
    stretches, instants = [], []
    for track in range(len(segments.offsets) - 1):
        low, high = segments.offsets[track], segments.offsets[track + 1]
        thinned = [i for i in thin_rows(segments, 10.0).tolist() if low <= i < high]
        steps = [_step(segments, a, b, p) for a, b in itertools.pairwise(thinned)]
        runs = []
        for place, is_slow in enumerate(steps):
            if is_slow and runs and runs[-1][1] == place:
                runs[-1][1] = place + 1
            elif is_slow:
                runs.append([place, place + 1])
        joined = []
        for first, last in runs:
            if joined and _short(segments, thinned[joined[-1][1]], thinned[first], p):
                joined[-1][1] = last
            else:
                joined.append([first, last])
        for first, last in joined:
            a, b = (int(segments.time_us[thinned[place]]) for place in (first, last))
            if b - a < p.min_stretch_h * US_PER_H:
                continue
            stretches.append((a, b))
            for place in range(first, last):
                one, other = thinned[place], thinned[place + 1]
                if steps[place]:
                    instants += _between(segments, one, other, _known(segments, one, other, p))
    return stretches, dict(sorted(instants))


def _way(segments, a, b):
    hours = (segments.time_us[b] - segments.time_us[a]) / US_PER_H
    return hours, float(distance_nmi(segments.lat[a], segments.lon[a], segments.lat[b], segments.lon[b]))


def _step(segments, a, b, p):
    hours, nmi = _way(segments, a, b)
    speeds = [float(segments.sog[i]) for i in (a, b) if not math.isnan(segments.sog[i])]
    said = (min if hours <= p.max_interval_h else max)(speeds, default=0.0)
    return hours <= p.max_silence_h and said < p.slow_kn and nmi < p.slow_kn * hours + p.position_error_m / 1852.0


def _short(segments, a, b, p):
    hours, nmi = _way(segments, a, b)
    return hours <= p.max_break_h and nmi <= p.max_break_nmi


def _known(segments, a, b, p):
    hours, nmi = _way(segments, a, b)
    return hours <= p.max_interval_h and nmi <= p.max_drift_nmi


def _between(segments, a, b, is_known):
    begin, end = int(segments.time_us[a]), int(segments.time_us[b])
    for step in range(-(-begin // STEP_US), end // STEP_US + 1):
        share = (step * STEP_US - begin) / (end - begin)
        if is_known or min(step * STEP_US - begin, end - step * STEP_US) <= STEP_US / 2:
            yield step, float(segments.lat[a] + (segments.lat[b] - segments.lat[a]) * share)


@st.composite
def walks(draw):
    """A track that drifts, lies, sails, hurries back and falls silent; often without speeds."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    every_s = draw(st.sampled_from([120.0, 600.0, 1500.0, 5400.0]))
    says_speed = draw(st.booleans())
    rows, t, place = [], float(draw(st.integers(0, 7200))), SEA
    for _ in range(draw(st.integers(1, 7))):
        t += float(rng.choice([300.0, 1500.0, 2 * H, 5 * H, 7 * H, 9 * H]))
        kind, hours = rng.integers(0, 3), float(rng.choice([0.3, 0.8, 1.5, 5.0]))
        if kind == 0:
            leg = drift(ALPHA, t, place, hours, speed_kn=float(rng.choice([0.0, 0.5, 1.4, 1.9, 2.2])), every_s=every_s)
        elif kind == 1:
            leg = lie(ALPHA, t, place, hours, every_s=every_s)
        else:
            to = off(place, float(rng.choice([-9000, -3000, 2500, 8000])))
            leg = sail(ALPHA, t, place, to, speed_kn=float(rng.choice([2.5, 6.0])), every_s=every_s)
        rows += leg
        t, place = end_of(rows), (rows[-1]["lat"], rows[-1]["lon"])
    return [row if says_speed else {**row, "sog": None} for row in rows]


@LAW
@given(walks())
def test_stretches_and_instants_are_those_of_a_plain_loop(rows):
    fleet = fleet_of(rows)
    stretches, instants = slowly(rows, SlowParameters())
    times = zip(*(fleet.stretches[name].cast("int64").to_pylist() for name in ("start", "end")), strict=True)
    assert sorted(times) == sorted(stretches)
    assert fleet.samples["step"].to_pylist() == list(instants)
    assert fleet.samples["lat"].to_pylist() == pytest.approx(list(instants.values()), abs=1e-9)


@LAW
@given(walks(), st.integers(-300, 300))
def test_ten_minutes_later_all_is_ten_minutes_later(rows, steps):
    before, after = fleet_of(rows), fleet_of([{**row, "t": row["t"] + 600.0 * steps} for row in rows])
    assert (before.samples["step"].to_numpy() + steps).tolist() == after.samples["step"].to_pylist()
    same = [name for name in before.stretches.column_names if name not in ("segment_id", "start", "end")]
    assert before.stretches.select(same) == after.stretches.select(same)


@LAW
@given(walks(), st.sampled_from([56.0, -304.0, 90.0, 236.0]))
def test_turning_the_earth_turns_the_places_only(rows, degrees):
    before, after = fleet_of(rows), fleet_of(turned(rows, degrees))
    assert before.samples.drop_columns(["lon"]) == after.samples.drop_columns(["lon"])
    moved = (before.samples["lon"].to_numpy() + degrees + 180.0) % 360.0 - 180.0
    assert after.samples["lon"].to_numpy() == pytest.approx(moved, abs=1e-6)
    assert before.stretches["spread_nmi"].to_pylist() == pytest.approx(
        after.stretches["spread_nmi"].to_pylist(), abs=2e-3
    )


def test_across_the_antimeridian_places_lie_between_the_reports():
    rows = [
        {"mmsi": ALPHA, "t": i * 3000.0, "lat": 40.0, "lon": lon, "sog": 0.5}
        for i, lon in enumerate((179.995, -179.995))
    ]
    samples = fleet_of([*rows, {**rows[1], "t": 6000.0}]).samples
    assert samples["lon"].to_pylist()[:6] == pytest.approx([179.995, 179.997, 179.999, -179.999, -179.997, -179.995])


def test_a_stretch_says_what_its_reports_say():
    rows = chain(
        lambda t: sail(ALPHA, t, FAR, SEA),
        lambda t: drift(ALPHA, t, SEA, 5.0, speed_kn=0.6, nav_status=5),
        lambda t: drift(ALPHA, t, off(SEA, 5556), 1.0, speed_kn=0.6, nav_status=0),
        lambda t: sail(ALPHA, t, off(SEA, 6700), FAR),
    )
    (stretch,) = fleet_of(rows).stretches.to_pylist()
    begin = next(row["t"] for row in rows if row["sog"] < 1)
    assert (stretch["start"], stretch["nav_status"]) == (moment(begin - 600.0), 5)
    assert stretch["distance_nmi"] == pytest.approx(3.6, abs=0.15)
    assert stretch["spread_nmi"] == pytest.approx(1.9, abs=0.15)
    assert stretch["n_positions"] == sum(row["sog"] < 1 for row in rows) + 2
    assert stretch["longest_interval_h"] == 0.1667
    assert stretch["shore_nmi"] == 50.0


def test_a_ship_that_circles_at_speed_is_not_slow_though_she_makes_no_way():
    rows = [
        {"mmsi": ALPHA, "t": i * 600.0, "lat": SEA[0] + 0.004 * (i % 2), "lon": SEA[1], "sog": 5.0} for i in range(40)
    ]
    assert fleet_of(rows).stretches.num_rows == 0
    assert fleet_of([{**row, "sog": None} for row in rows]).stretches.num_rows == 1


def test_a_log_that_says_nought_on_passage_makes_no_stop():
    rows = [{**row, "sog": 0.0} for row in sail(ALPHA, 0.0, SEA, FAR)]
    assert fleet_of(rows).stretches.num_rows == 0


def test_a_silence_is_slow_if_both_its_ends_and_the_way_over_it_are():
    def met(end_sog, way_m, hours):
        last = {"mmsi": ALPHA, "t": (2 + hours) * H, "lat": off(SEA, way_m)[0], "lon": SEA[1], "sog": end_sog}
        return fleet_of([*lie(ALPHA, 0.0, SEA, 2.0), last]).stretches.to_pylist()[0]["end"]

    assert met(0.3, 5_000, 7.0) == moment(9 * H)
    assert met(6.0, 5_000, 7.0) == met(0.3, 40_000, 7.0) == met(0.3, 5_000, 9.0) == moment(2 * H)
    assert fleet_of([*lie(ALPHA, 0.0, SEA, 2.0), {**lie(ALPHA, 9 * H, SEA, 0.0)[0]}]).samples.num_rows == 14


def test_places_are_heard_within_half_an_hour_of_a_report_only():
    rows = [{"mmsi": ALPHA, "t": t * H, "lat": SEA[0], "lon": SEA[1], "sog": 0.1} for t in (0.0, 2.0)]
    assert fleet_of(rows).samples["heard"].to_pylist() == [True] * 4 + [False] * 5 + [True] * 4


HARBOUR = disc("XX_PORT", *SEA, 10.0)
ROADS = disc("XX_ROADS", *off(SEA, 8_000), 6.0, kind="sts_zone")


@pytest.mark.parametrize("kind", ["anchorage", "approach", "sts_zone", "gate"])
def test_only_harbours_are_left_out(kind):
    rows = lie(ALPHA, 0.0, SEA, 5.0)
    assert fleet_of(rows, zones=zones_of(HARBOUR)).stretches.num_rows == 0
    assert fleet_of(rows, zones=zones_of(disc("XX_ELSE", *SEA, 10.0, kind=kind))).stretches.num_rows == 1


def test_roads_within_a_ports_fence_are_no_harbour():
    zones = zones_of(HARBOUR, ROADS)
    both, quay = lie(ALPHA, 0.0, off(SEA, 7_000), 5.0), lie(BRAVO, 0.0, off(SEA, -3_000), 5.0)
    assert fleet_of(both + quay, zones=zones).stretches["mmsi"].to_pylist() == [ALPHA]
    gate = disc("XX_GATE", *SEA, 20.0, kind="gate")
    assert fleet_of(quay, zones=zones_of(HARBOUR, gate)).stretches.num_rows == 0


def test_a_stretch_ends_at_the_harbours_fence():
    rows = [
        *lie(ALPHA, 0.0, off(SEA, 12_000), 3.0),
        *lie(ALPHA, 3.5 * H, SEA, 3.0),
        *lie(ALPHA, 7 * H, off(SEA, 12_000), 3.0),
    ]
    found = fleet_of(rows, zones=zones_of(HARBOUR)).stretches
    assert [(s["start"], s["end"]) for s in found.to_pylist()] == [
        (moment(0), moment(3 * H)),
        (moment(7 * H), moment(10 * H)),
    ]


def test_quays_at_the_shore_are_left_out_as_far_as_the_parameter_says():
    rows = lie(ALPHA, 0.0, SEA, 5.0)
    for shore_nmi, seen in ((0.4, 0), (0.6, 1), (-3.0, 0)):
        assert fleet_of(rows, shore=lambda lat, _, d=shore_nmi: np.full(len(lat), d)).stretches.num_rows == seen


def test_draughts_are_told_when_they_change():
    rows = [
        {**row, "draught": draught}
        for row, draught in zip(lie(ALPHA, 0.0, SEA, 1.0), [None, 6.0, 6.0, None, 7.5, 7.5, 6.0], strict=True)
    ]
    spells = fleet_of(rows).draughts.to_pylist()
    assert [(s["timestamp"], s["draught_m"]) for s in spells] == [
        (moment(600), 6.0),
        (moment(2400), 7.5),
        (moment(3600), 6.0),
    ]


BUSY = [
    *lie(ALPHA, 0.0, SEA, 0.8, every_s=300.0),
    *sail(ALPHA, 1.0 * H, SEA, off(SEA, 4_000), speed_kn=6.0, every_s=300.0),
    *drift(ALPHA, 1.6 * H, off(SEA, 4_000), 2.0, speed_kn=1.5, every_s=300.0),
    *drift(ALPHA, 5.8 * H, off(SEA, 9_556), 2.0, speed_kn=1.5, every_s=3000.0),
    *lie(ALPHA, 14.5 * H, off(SEA, 15_000), 2.0, every_s=300.0),
    *lie(ALPHA, 30.0 * H, SEA, 1.5),
    *lie(ALPHA, 31.6 * H, off(SEA, 1_500), 1.5),
    *lie(ALPHA, 50.0 * H, SEA, 1.5),
]


@pytest.mark.parametrize(
    "changed",
    [
        {"slow_kn": 1.2},
        {"position_error_m": 2000.0},
        {"max_interval_h": 1.0},
        {"max_drift_nmi": 1.0},
        {"max_silence_h": 4.0},
        {"max_break_h": 0.1},
        {"max_break_nmi": 1.0},
        {"min_stretch_h": 2.5},
        {"min_shore_nmi": 50.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_parameter_bites(changed):
    def shown(parameters):
        fleet = fleet_of(BUSY, shore=lambda lat, _: np.full(len(lat), 49.0), slow=parameters)
        return fleet.samples.to_pylist(), fleet.stretches.to_pylist()

    assert shown(SlowParameters(**changed)) != shown(SlowParameters())


def test_no_rows_make_empty_tables():
    fleet = fleet_of([])
    assert fleet.samples.num_rows == fleet.stretches.num_rows == fleet.draughts.num_rows == 0


def test_what_is_given_is_not_changed():
    segments = segments_of(BUSY)
    draught, harbour = np.full(len(segments), 5.0), np.zeros(len(segments), dtype=bool)
    for array in (segments.lat, segments.lon, segments.time_us, draught, harbour):
        array.flags.writeable = False
    find_slow(segments, ["a"] * (len(segments.offsets) - 1), harbour, draught, far_off)
    assert (draught == 5.0).all()


def test_the_sets_of_harbours_follow_the_index():
    zones = zones_of(HARBOUR, ROADS)
    found = zones.index.lookup(np.array([SEA[0], off(SEA, 9_000)[0], 0.0]), np.full(3, SEA[1]))
    assert harbour_sets(zones)[found].tolist() == [True, False, False]
    assert STEP_US * 6 == US_PER_H and T0_US % STEP_US == 0
