"""Stays and port visits: agreement with a plain state machine, confidence, what was seen of entry and exit."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    T0_US,
    H,
    chain,
    disc,
    facts_of,
    history_of,
    instant,
    lie,
    polygon,
    sail,
    segments_of,
    shifted,
    tables_of,
    zones_of,
)
from vessels.events.port_visits import StayParameters, find_visits
from vessels.events.stays import find_stays, range_reduce
from vessels.geodesy import wrap_degrees
from vessels.history import FactParameters
from vessels.units import US_PER_H, US_PER_S
from vessels.zones import VISIT_KINDS, read_zones, wrap_geometry

LAW = settings(max_examples=60, deadline=None)

PORT = disc("XX_PORT", 40.0, 130.0, 10.0)
OUTSIDE, QUAY, MARGIN = (40.3, 130.0), (40.0, 130.0), (40.094, 130.0)
"""18 nmi off, the middle, and 0.45 km outside the fence."""
ZONES = zones_of(PORT)


def visits_of(rows, zones=ZONES, stays=None):
    parameters = FactParameters(stays=stays or StayParameters())
    return tables_of(history_of(rows, zones=zones, parameters=parameters))["port_visits"]


def slowly(rows, zones, p):
    """Visits of one track, by a state machine that looks at one report after the other."""

    def within(zone, margin_km, row):
        fence = zones.index._fences[2 * zones.index_of(zone.zone_id) + (1 if margin_km else 0)]
        return fence.intersects(shapely.Point(row["lon"], row["lat"]))

    def smallest(row):
        inside = [z for z in zones.zones if z.kind in VISIT_KINDS and within(z, 0, row)]
        return min(inside, key=lambda z: zones.areas[zones.index_of(z.zone_id)], default=None)

    found = []
    for zone in zones.zones:
        if zone.kind not in VISIT_KINDS:
            continue
        stay = None
        for i, row in enumerate([*rows, None]):
            if stay is None:
                if row is not None and within(zone, 0, row):
                    stay = [i]
            elif row is not None and within(zone, 1, row):
                stay.append(i)
            else:
                found.append(_visit(rows, stay, zone, smallest, p))
                stay = [i] if row is not None and within(zone, 0, row) else None
    return sorted(found)


def _visit(rows, stay, zone, smallest, p):
    entry, leave = stay[0] > 0, stay[-1] + 1 < len(rows)
    stopped, stop_h, gap_h, n_stopped, here_before = False, 0.0, 0.0, 0, False
    for k, i in enumerate(stay):
        row = rows[i]
        hours = (row["t"] - rows[i - 1]["t"]) / H if i else 0.0
        speed = row["sog"]
        if speed is None:
            speed = _apart(rows[i - 1], row) / hours if i and hours > 0 else None
        if speed is not None and speed < p.stop_begin_kn:
            stopped = True
        elif speed is not None and speed > p.stop_end_kn:
            stopped = False
        here = stopped and smallest(row) in (zone, None)
        n_stopped += here
        if k:
            gap_h = max(gap_h, hours)
            stop_h += hours if here and here_before else 0.0
        here_before = here
    stayed = stop_h >= p.min_stop_h or (n_stopped > 0 and len(stay) <= 3) or gap_h >= p.port_gap_h
    confidence = 2 + entry + leave if stayed else 1
    return (
        rows[stay[0]]["t"],
        zone.zone_id,
        rows[stay[-1]]["t"],
        entry,
        leave,
        round(stop_h, 2),
        round(gap_h, 2),
        confidence,
    )


def _apart(one, other):
    east = float(wrap_degrees(other["lon"] - one["lon"])) * math.cos(math.radians(one["lat"]))
    return math.hypot(other["lat"] - one["lat"], east) * 60.0


HARBOUR = zones_of(
    PORT,
    disc("XX_BASIN", 40.02, 130.0, 3.0),
    disc("XX_NEXT", 40.0, 130.2, 9.0, "anchorage"),
    disc("XX_ROADS", 40.1, 130.1, 30.0, "sts_zone"),
)
PLACES = [QUAY, MARGIN, OUTSIDE, (40.02, 130.0), (40.0, 130.11), (40.05, 130.02), (40.0, 130.3)]


@st.composite
def walks(draw):
    """Reports that hop about a harbour; slow hops only, so that they stay one track."""
    rows, t, place = [], 0.0, draw(st.sampled_from(PLACES))
    for _ in range(draw(st.integers(1, 14))):
        moves = draw(st.booleans())
        place = draw(st.sampled_from(PLACES)) if moves else place
        t += draw(st.sampled_from([1800.0, H, 5 * H] if not moves else [3 * H, 5 * H]))
        sog = draw(st.sampled_from([None, 0.0, 0.1, 0.3, 0.7, 8.0]))
        rows.append({"mmsi": ALPHA, "t": t, "lat": place[0], "lon": place[1], "sog": sog})
    return rows


@settings(max_examples=120, deadline=None)
@given(walks())
def test_the_visits_are_those_of_the_plain_state_machine(rows):
    p = StayParameters()
    got = sorted(
        (
            (v["start"] - instant(0)).total_seconds(),
            v["zone_id"],
            (v["last_seen"] - instant(0)).total_seconds(),
            v["entry_seen"],
            v["exit_seen"],
            round(v["stop_h"], 2),
            round(v["max_gap_h"], 2),
            v["confidence"],
        )
        for v in visits_of(rows, HARBOUR)
    )
    assert got == slowly(rows, HARBOUR, p)


def call(hours=6.0, place=QUAY, mmsi=ALPHA, **how):
    """In from the sea, a stay, out again."""
    return chain(
        lambda t: sail(mmsi, t, OUTSIDE, place, **how),
        lambda t: lie(mmsi, t, place, hours),
        lambda t: sail(mmsi, t, place, OUTSIDE, **how),
    )


def test_a_ship_that_comes_in_stops_and_leaves_makes_a_visit_of_confidence_four():
    (visit,) = visits_of(call())
    assert (visit["confidence"], visit["entry_seen"], visit["exit_seen"]) == (4, True, True)
    assert visit["stop_h"] == pytest.approx(6.0, abs=0.2)
    assert visit["start"] < visit["end"] == visit["last_seen"]
    assert (visit["zone_id"], visit["zone_name"], visit["country"]) == ("XX_PORT", "Xx_Port", "XX")
    assert (visit["lat"], visit["lon"]) == pytest.approx(QUAY, abs=1e-3)


def test_an_open_visit_has_no_end():
    rows = call()
    (visit,) = visits_of(rows[: len(rows) // 2])
    assert visit["end"] is None
    assert visit["confidence"] == 3
    assert visit["last_seen"] == instant(rows[len(rows) // 2 - 1]["t"])


def test_a_visit_that_closes_keeps_its_id():
    rows = call()
    (open_visit,), (closed,) = visits_of(rows[: len(rows) // 2]), visits_of(rows)
    assert open_visit["visit_id"] == closed["visit_id"]
    assert closed["end"] is not None


def test_a_ship_in_port_for_the_whole_file_makes_a_visit_of_confidence_two():
    (visit,) = visits_of(lie(ALPHA, 0.0, QUAY, 8.0))
    assert (visit["confidence"], visit["entry_seen"], visit["exit_seen"], visit["end"]) == (2, False, False, None)


def test_a_ship_that_only_passes_is_no_more_than_a_hint():
    (visit,) = visits_of(sail(ALPHA, 0.0, OUTSIDE, (39.7, 130.0)))
    assert (visit["confidence"], visit["stop_h"]) == (1, 0.0)


def test_a_short_stop_as_for_a_pilot_is_no_stay():
    assert visits_of(call(hours=0.2))[0]["confidence"] == 1


def test_a_silence_inside_is_a_stay():
    way_in = sail(ALPHA, 0.0, OUTSIDE, QUAY)
    way_out = sail(ALPHA, way_in[-1]["t"] + 5 * H, QUAY, OUTSIDE)
    (visit,) = visits_of([*way_in, *way_out])
    assert visit["confidence"] == 4
    assert visit["max_gap_h"] == pytest.approx(5.0, abs=0.01)


def test_a_silence_over_the_fence_says_nothing_of_what_was_done_inside():
    way_in = [{"mmsi": ALPHA, "t": 0.0, "lat": 40.3, "lon": 130.0, "sog": 8.0}]
    inside = [{"mmsi": ALPHA, "t": 30 * H, "lat": 40.0, "lon": 130.0, "sog": 8.0}]
    assert visits_of([*way_in, *inside])[0]["max_gap_h"] == 0.0
    assert visits_of([*way_in, *inside])[0]["confidence"] == 1


def test_one_stopped_report_shows_a_stay_where_reports_are_few():
    rows = [
        {"mmsi": ALPHA, "t": 0.0, "lat": 40.3, "lon": 130.0, "sog": 11.0},
        {"mmsi": ALPHA, "t": 12 * H, "lat": 40.0, "lon": 130.0, "sog": 0.0},
        {"mmsi": ALPHA, "t": 36 * H, "lat": 40.3, "lon": 130.0, "sog": 11.0},
    ]
    (visit,) = visits_of(rows)
    assert (visit["confidence"], visit["n_positions"]) == (4, 1)


def test_a_first_report_without_a_speed_is_no_stop():
    rows = [{**row, "sog": None} for row in sail(ALPHA, 0.0, QUAY, OUTSIDE, every_s=900)]
    (visit,) = visits_of(rows)
    assert visit["n_positions"] <= 3
    assert visit["confidence"] == 1


def test_without_reported_speeds_the_way_made_good_tells():
    with_speed, without = visits_of(call()), visits_of([{**row, "sog": None} for row in call()])
    assert [v["visit_id"] for v in with_speed] == [v["visit_id"] for v in without]
    assert [v["confidence"] for v in without] == [4]


def test_swinging_on_the_border_is_one_visit():
    inner, outer = (40.085, 130.0), MARGIN
    swing = [
        {"mmsi": ALPHA, "t": 600.0 * i, "lat": (inner, outer)[i % 2][0], "lon": 130.0, "sog": 0.1, "cog": 0.0}
        for i in range(40)
    ]
    assert len(visits_of(swing)) == 1


def test_the_margin_alone_is_no_entry():
    assert visits_of(lie(ALPHA, 0.0, MARGIN, 6.0)) == []


def test_two_calls_are_two_visits_and_their_ids_differ():
    rows = call()
    again = [{**row, "t": row["t"] + rows[-1]["t"] + 6 * H} for row in call()]
    visits = visits_of([*rows, *again])
    assert len({v["visit_id"] for v in visits}) == len(visits) == 2


NESTED = zones_of(disc("KP_OUTER", 40.0, 130.0, 14.0), disc("KP_INNER", 40.03, 130.05, 5.0))


def test_a_stop_in_a_fence_inside_another_counts_for_the_smaller():
    rows = call(place=(40.03, 130.05))
    by_zone = {v["zone_id"]: v for v in visits_of(rows, NESTED)}
    assert by_zone["KP_INNER"]["confidence"] == 4
    assert by_zone["KP_OUTER"]["confidence"] == 1
    assert by_zone["KP_OUTER"]["stop_h"] == 0.0
    assert by_zone["KP_OUTER"]["start"] < by_zone["KP_INNER"]["start"]


def test_a_stop_beside_the_inner_fence_counts_for_the_outer():
    by_zone = {v["zone_id"]: v for v in visits_of(call(place=(39.95, 129.93)), NESTED)}
    assert by_zone["KP_OUTER"]["confidence"] == 4
    assert "KP_INNER" not in by_zone or by_zone["KP_INNER"]["confidence"] == 1


@pytest.mark.parametrize("zone_id", ["KP_NAMPO", "KP_TAEAN", "KP_SONGNIM"])
def test_a_call_at_the_nested_ports_of_the_taedong_counts_where_the_ship_lay(zone_id):
    zones = read_zones()
    place = (zones[zone_id].lat, zones[zone_id].lon)
    if zone_id == "KP_NAMPO":
        place = (38.72, 125.35)
    rows = chain(
        lambda t: sail(ALPHA, t, (38.5, 124.2), place),
        lambda t: lie(ALPHA, t, place, 20.0),
        lambda t: sail(ALPHA, t, place, (38.5, 124.2)),
    )
    stayed = [v["zone_id"] for v in visits_of(rows, zones) if v["confidence"] >= 2]
    assert stayed == [zone_id]


def test_a_transfer_area_is_a_presence_and_no_visit():
    rows = lie(ALPHA, 0.0, (40.1, 130.1), 6.0)
    history = history_of(rows, zones=zones_of(disc("XX_ROADS", 40.1, 130.1, 20.0, "sts_zone")))
    assert history.port_visits.num_rows == 0
    (presence,) = history.zone_presences.to_pylist()
    assert presence["duration_h"] == presence["slow_h"] == 6.0
    assert (presence["min_sog_kn"], presence["n_positions"]) == (0.0, len(rows))


def test_a_presence_leaves_silences_out_of_the_slow_time():
    rows = [*lie(ALPHA, 0.0, QUAY, 2.0), *lie(ALPHA, 12 * H, QUAY, 1.0)]
    (presence,) = tables_of(history_of(rows, zones=ZONES))["zone_presences"]
    assert presence["duration_h"] == 13.0
    assert presence["slow_h"] == 3.0


def test_a_presence_without_speeds_has_no_lowest_speed():
    rows = [{**row, "sog": None} for row in lie(ALPHA, 0.0, QUAY, 1.0)]
    (presence,) = tables_of(history_of(rows, zones=ZONES))["zone_presences"]
    assert presence["min_sog_kn"] is None


def test_a_stay_across_the_antimeridian_is_one_and_lies_in_its_middle():
    zones = zones_of(polygon("XX_LINE", wrap_geometry(shapely.box(179.8, -0.2, 180.2, 0.2)), lat=0.0, lon=180.0))
    rows = [
        {"mmsi": ALPHA, "t": 600.0 * i, "lat": 0.0, "lon": (179.99, -179.99)[i % 2], "sog": 0.0, "cog": 0.0}
        for i in range(20)
    ]
    (visit,) = visits_of(rows, zones)
    assert abs(abs(visit["lon"]) - 180.0) < 0.02
    (presence,) = tables_of(history_of(rows, zones=zones))["zone_presences"]
    assert abs(abs(presence["lon"]) - 180.0) < 0.02


@pytest.mark.parametrize("turn", [50.0, -130.0, 310.0])
def test_turning_the_globe_changes_nothing_but_longitudes(turn):
    rows = [*call(), *lie(BRAVO, 0.0, (40.0, 130.2), 6.0)]
    turned_rows = [{**row, "lon": float(wrap_degrees(row["lon"] + turn))} for row in rows]
    turned = zones_of(
        *(
            polygon(
                z.zone_id,
                shifted(z.geometry, turn),
                z.kind,
                lat=z.lat,
                lon=float(wrap_degrees(z.lon + turn)),
            )
            for z in HARBOUR.zones
        )
    )
    ours, theirs = visits_of(rows, HARBOUR), visits_of(turned_rows, turned)
    for one, other in zip(ours, theirs, strict=True):
        assert float(wrap_degrees(other["lon"] - one["lon"] - turn)) == pytest.approx(0.0, abs=1e-5)
        assert {**one, "lon": 0} == {**other, "lon": 0}


def test_draughts_are_those_claimed_before_and_after():
    rows = call()
    half = len(rows) // 2
    said = [{**row, "draught": 4.2 if i < half else 9.1} for i, row in enumerate(rows)]
    (visit,) = visits_of(said)
    assert (visit["draught_in_m"], visit["draught_out_m"]) == (4.2, 9.1)
    assert visits_of(rows)[0]["draught_in_m"] is None


GAP = [*sail(ALPHA, 0.0, OUTSIDE, QUAY), *(r for r in sail(ALPHA, 15 * H, QUAY, OUTSIDE))]
CREEP = [
    {"mmsi": ALPHA, "t": 600.0 * i, "lat": 40.0, "lon": 130.0 + 1e-4 * i, "sog": sog, "cog": 90.0}
    for i, sog in enumerate([3.0, *[0.35] * 5, 0.15, *[0.35] * 8, 1.9, 1.9])
]


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"stop_begin_kn": 0.4}, CREEP),
        ({"stop_begin_kn": 0.1, "stop_end_kn": 0.3}, CREEP),
        ({"stop_end_kn": 0.3}, CREEP),
        ({"min_stop_h": 7.0}, call()),
        ({"port_gap_h": 240.0}, GAP),
        ({"slow_kn": 1.0}, CREEP),
    ],
)
def test_every_parameter_of_a_stay_bites(change, rows):
    tables = [
        tables_of(history_of(rows, zones=ZONES, parameters=FactParameters(stays=StayParameters(**how))))
        for how in ({}, change)
    ]
    assert [tables[0][name] for name in ("port_visits", "zone_presences")] != [
        tables[1][name] for name in ("port_visits", "zone_presences")
    ]


@pytest.mark.parametrize("name", StayParameters.model_fields)
@pytest.mark.parametrize("value", [-1.0, 1e6, float("inf"), "slow"])
def test_a_parameter_out_of_bounds_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        StayParameters(**{name: value})


def test_a_stop_that_would_end_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="stop_end_kn"):
        StayParameters(stop_begin_kn=0.5, stop_end_kn=0.2)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValidationError, match="max_gap_h"):
        StayParameters(max_gap_h=1.0)


@LAW
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.data())
def test_a_range_is_reduced_as_a_slice_is(values, data):
    n = len(values)
    first = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=10)), np.int64)
    last = np.array([data.draw(st.integers(int(f), n - 1)) for f in first], np.int64)
    array = np.array(values)
    for ufunc in (np.add, np.maximum, np.minimum):
        slow = [ufunc.reduce(array[f : b + 1]) for f, b in zip(first, last, strict=True)]
        np.testing.assert_allclose(range_reduce(ufunc, array, first, last), slow, atol=1e-9)


def test_no_rows_and_no_zones_make_no_stays():
    for rows, zones in (([], ZONES), (call(), zones_of())):
        segments = segments_of(rows)
        sets = zones.index.lookup(segments.lat, segments.lon)
        stays = find_stays(segments, zones, sets)
        assert len(stays) == len(find_visits(segments, zones, sets, stays).stays) == 0


def test_stays_run_from_the_first_report_inside_to_the_last_before_the_exit():
    rows = call()
    segments = segments_of(rows)
    stays = find_stays(segments, ZONES, ZONES.index.lookup(segments.lat, segments.lon))
    fence, wide = ZONES.index._fences
    inside = [i for i, r in enumerate(rows) if fence.intersects(shapely.Point(r["lon"], r["lat"]))]
    near = [i for i, r in enumerate(rows) if wide.intersects(shapely.Point(r["lon"], r["lat"]))]
    assert (stays.first.tolist(), stays.last.tolist()) == ([inside[0]], [near[-1]])
    assert int((segments.time_us[stays.last] - segments.time_us[stays.first])[0]) > 5 * US_PER_H
    assert segments.time_us[stays.first].tolist() == [T0_US + round(rows[inside[0]]["t"] * US_PER_S)]


def test_facts_do_not_depend_on_the_zones_that_were_looked_up_before():
    rows = call()
    zones = zones_of(*HARBOUR.zones)
    first = facts_of(rows, zones=zones)[0]
    facts_of(lie(BRAVO, 0.0, (40.05, 130.15), 3.0), zones=zones)
    assert tables_of(facts_of(rows, zones=zones)[0]) == tables_of(first)
