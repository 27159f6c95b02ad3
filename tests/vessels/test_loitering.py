"""Loitering: how long, where, who else was there, and when it is over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, H, chain, disc, lie, sail, zones_of
from tests.vessels.fleets import SEA, Fleet, drift, far_off, fleet_of, moment, off, turned
from tests.vessels.test_encounters import fleets
from vessels.event_tables import LOITERING
from vessels.events.loitering import LoiteringParameters
from vessels.geodesy import distance_nmi
from vessels.schema import make_id

LAW = settings(max_examples=60, deadline=None)
FAR = off(SEA, 60_000)
WEST = (FAR[0], SEA[1] - 0.5)


def stay(hours: float, mmsi: int = ALPHA, **said):
    """A ship that comes, drifts at 0.5 kn, and goes."""
    return chain(
        lambda t: sail(mmsi, t, FAR, SEA, **said)[:-1],
        lambda t: drift(mmsi, t, SEA, hours, speed_kn=0.5, **said),
        lambda t: sail(mmsi, t, off(SEA, hours * 926.0), FAR, **said)[1:],
    )


def test_a_ship_adrift_loiters_from_the_first_slow_report_to_the_last():
    rows = stay(9.0, nav_status=2)
    begin = next(row["t"] for row in rows if row["sog"] < 1)
    (event,) = fleet_of(rows).loitering()
    assert (event["start"], event["kind"], event["nav_status"]) == (moment(begin), "loitering", 2)
    assert event["duration_h"] == pytest.approx(9.0, abs=0.4)
    assert event["end"] == moment(begin + event["duration_h"] * H)
    assert event["distance_nmi"] == pytest.approx(4.5, abs=0.3)
    assert event["mean_speed_kn"] == pytest.approx(0.5, abs=0.03)
    assert event["spread_nmi"] == pytest.approx(2.25, abs=0.15)
    assert event["lat"] == pytest.approx(off(SEA, 9 * 463.0)[0], abs=0.003)
    assert (event["shore_nmi"], event["n_ships_near"], event["n_ships_ever"]) == (50.0, 0, 0)
    assert event["event_id"] == make_id("loitering", ALPHA, int(event["start"].timestamp() * 1e6))
    assert event["hull_id"] == f"hull of {event['segment_id']}"


def test_short_waits_are_left_out_as_the_parameter_says():
    rows = stay(3.5)
    assert fleet_of(rows).loitering() == []
    assert len(fleet_of(rows).loitering(LoiteringParameters(min_h=3.0))) == 1


def test_it_keeps_its_id_when_it_closes():
    rows = stay(9.0)
    begin = next(row["t"] for row in rows if row["sog"] < 1)
    early = fleet_of([row for row in rows if row["t"] <= begin + 6 * H])
    (still,), (over,) = early.loitering(), fleet_of(rows).loitering()
    assert (still["end"], still["end_lat"], still["end_lon"], still["duration_h"]) == (None, None, None, 6.0)
    assert (still["event_id"], still["start"]) == (over["event_id"], over["start"])
    assert over["end"] is not None
    cut = [row for row in rows if row["t"] <= begin + 6 * H]
    assert fleet_of(cut, as_of=begin + 99 * H).loitering() == early.loitering()
    soon, late = ([*cut, *sail(BRAVO, begin + hours * H, FAR, WEST)] for hours in (7.0, 11.0))
    soon, late = fleet_of(soon), fleet_of(late)
    assert (soon.loitering()[0]["end"], late.loitering()[0]["end"]) == (None, moment(begin + 6 * H))
    assert soon.loitering(LoiteringParameters(open_h=2.0))[0]["end"] == moment(begin + 6 * H)


def test_midnight_and_the_border_of_a_file_cut_nothing():
    rows = [{**row, "t": row["t"] + 16 * H} for row in stay(9.0)]
    files = [row for row in rows if row["t"] < 24 * H], [row for row in rows if row["t"] >= 24 * H]
    assert fleet_of(*files, n_buckets=2).loitering() == fleet_of(rows).loitering()
    assert len(fleet_of(rows).loitering()) == 1


def test_waiting_in_port_is_no_loitering_and_in_the_roads_it_is():
    rows = lie(ALPHA, 0.0, SEA, 9.0)
    assert fleet_of(rows, zones=zones_of(disc("XX_PORT", *SEA, 5.0))).loitering() == []
    assert len(fleet_of(rows, zones=zones_of(disc("XX_ROADS", *SEA, 5.0, kind="anchorage"))).loitering()) == 1


def test_a_fix_in_six_hours_shows_loitering_and_how_sparse_it_was():
    rows = [{"mmsi": ALPHA, "t": i * 6 * H, "lat": off(SEA, 400 * i)[0], "lon": SEA[1], "sog": 0.3} for i in range(5)]
    (event,) = fleet_of(rows).loitering()
    assert (event["duration_h"], event["longest_interval_h"], event["n_positions"]) == (24.0, 6.0, 5)
    assert fleet_of(rows[:2]).loitering() == []
    assert len(fleet_of(rows[:2]).loitering(LoiteringParameters(min_reports=2))) == 1


def test_the_draught_that_follows_is_told():
    rows = stay(9.0)
    gone = max(row["t"] for row in rows if row["sog"] < 1)
    (event,) = fleet_of([{**row, "draught": 8.1 if row["t"] < gone + H else 5.0} for row in rows]).loitering()
    assert (event["start_draught_m"], event["end_draught_m"]) == (8.1, 5.0)
    (same,) = fleet_of([{**row, "draught": 8.1} for row in rows]).loitering()
    assert (same["start_draught_m"], same["end_draught_m"]) == (8.1, 8.1)
    (none,) = fleet_of(rows).loitering()
    assert (none["start_draught_m"], none["end_draught_m"]) == (None, None)


def test_others_nearby_are_counted_once_each_meanwhile_and_ever():
    rows = lie(ALPHA, 0.0, SEA, 9.0) + lie(BRAVO, 4 * H, off(SEA, 3_000), 9.0)
    rows += lie(CHARLIE, 20 * H, off(SEA, -3_000), 9.0) + lie(CHARLIE, 40 * H, off(SEA, -3_000), 9.0)
    rows += lie(CHARLIE + 1, 0.0, off(SEA, 9_000), 9.0)
    told = {e["mmsi"]: (e["n_ships_near"], e["n_ships_ever"]) for e in fleet_of(rows).loitering()}
    assert told == {ALPHA: (1, 2), BRAVO: (1, 1), CHARLIE: (0, 1), CHARLIE + 1: (0, 0)}
    wide = fleet_of(rows).loitering(LoiteringParameters(about_nmi=6.0))
    assert {e["mmsi"]: (e["n_ships_near"], e["n_ships_ever"]) for e in wide}[ALPHA] == (2, 3)


def about_slowly(fleet: Fleet, event, radius_nmi):
    """The other ships with a slow stretch nearby, at the time and ever."""
    near, ever = set(), set()
    for s in fleet.stretches.to_pylist():
        away = float(distance_nmi(s["lat"], s["lon"], event["lat"], event["lon"]))
        if s["mmsi"] != event["mmsi"] and away <= radius_nmi:
            ever.add(s["mmsi"])
            last = event["start"].timestamp() + event["duration_h"] * H + 1.0
            if s["start"].timestamp() <= last and s["end"] >= event["start"]:
                near.add(s["mmsi"])
    return len(near), len(ever)


@LAW
@given(fleets(), st.sampled_from([0.2, 0.6, 2.0]))
def test_ships_about_are_those_that_looking_at_every_stretch_finds(rows, radius_nmi):
    fleet, rule = fleet_of(rows), LoiteringParameters(min_h=1.0, about_nmi=radius_nmi)
    for event in fleet.loitering(rule):
        assert (event["n_ships_near"], event["n_ships_ever"]) == about_slowly(fleet, event, radius_nmi)


@LAW
@given(fleets(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_files_nor_blocks_change_loitering(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    split = [row for row in mixed if row["t"] < 5 * H], [row for row in mixed if row["t"] >= 5 * H]
    rule = LoiteringParameters(min_h=1.0)
    assert fleet_of(*split, n_buckets=3).loitering(rule) == fleet_of(rows).loitering(rule)


@LAW
@given(fleets(), st.integers(-50, 50), st.sampled_from([0.0, 56.0, 236.0]))
def test_later_and_farther_east_the_same_ships_loiter(rows, slots, degrees):
    rule = LoiteringParameters(min_h=1.0)
    moved = turned([{**row, "t": row["t"] + 1200.0 * slots} for row in rows], degrees)
    names = [
        n for n in LOITERING.names if not n.endswith("_id") and n not in ("start", "end", "start_lon", "end_lon", "lon")
    ]
    before, after = (fleet_of(some).loitering(rule) for some in (rows, moved))
    for one, other in zip(before, after, strict=True):
        for name in names:
            assert one[name] == (pytest.approx(other[name], abs=2e-3) if isinstance(one[name], float) else other[name])


def test_the_parted_track_gives_the_event_its_name():
    fleet = fleet_of(stay(9.0))
    (before,) = fleet.loitering()
    (whole,) = fleet.segments.to_pylist()
    cut = [
        {**whole, "end": moment(H)},
        {**whole, "segment_id": "later", "hull_id": "another", "start": moment(H + 60.0)},
    ]
    segments = fleet.segments.schema.empty_table().from_pylist(cut, schema=fleet.segments.schema)
    parted = Fleet(
        fleet.samples, fleet.stretches, fleet.draughts, segments, fleet.sketches, fleet.visits, far_off, fleet.as_of_us
    )
    (event,) = parted.loitering()
    assert (event["segment_id"], event["hull_id"], event["event_id"]) == ("later", "another", before["event_id"])


def test_no_slow_ship_makes_an_empty_table():
    assert fleet_of([]).loitering() == fleet_of(sail(ALPHA, 0.0, SEA, FAR)).loitering() == []
