"""Silences held against reception: outages, places where nobody is heard, thinned class B, ships unheard alone."""

import random

import numpy as np
import pytest

from tests.vessels.builders import H, instant, sail
from tests.vessels.reception.fleets import FIRST, SEA, fleet, gap_of, gaps_of, settled, silent
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.reception.parameters import DEFAULT_RECEPTION, ReceptionParameters


def thinned(share, seed=1):
    """Whether a ship is heard in an hour at all: all reports of the hour, or none, by chance."""

    def heard(ship, t):
        return np.random.default_rng([seed, ship, int(t)]).random() < share

    return heard


# What is told


@pytest.mark.parametrize("spacing_deg", [0.05, 2.0])
def test_a_dozen_ships_silent_together_were_in_an_outage_near_each_other_or_far_apart(spacing_deg):
    gaps = gaps_of(fleet(12, 72, spacing_deg=spacing_deg, heard=silent(30, 37)))
    assert len(gaps) == 12
    assert {gap["reception"] for gap in gaps} == {"outage"}
    assert min(gap["chance_unheard"] for gap in gaps) > 0.3
    assert max(gap["expected_heard_h"] for gap in gaps) < 1.0
    assert max(gap["expected_messages_low"] for gap in gaps) < 1.0


def test_hundreds_of_ships_silent_together_were_in_an_outage_and_one_silent_at_another_time_was_not():
    rows = fleet(200, 60, spacing_deg=0.01, every_s=1700.0, heard=silent(30, 37))
    rows = [row for row in rows if not (row["mmsi"] == FIRST + 3 and 10 * H <= row["t"] < 20 * H)]
    gaps = gaps_of(rows, n_buckets=3)
    assert len(gaps) == 201
    by_kind = {kind: [g for g in gaps if g["reception"] == kind] for kind in ("outage", "heard")}
    assert (len(by_kind["outage"]), [g["mmsi"] for g in by_kind["heard"]]) == (200, [FIRST + 3])


def test_an_outage_that_goes_on_shows_by_those_that_are_still_heard_elsewhere():
    here = fleet(10, 72, heard=silent(60, 99))
    there = fleet(10, 72, place=(SEA[0] + 8.0, SEA[1] + 8.0), first=FIRST + 50)
    gaps = gaps_of(here, there)
    assert {(gap["reception"], gap["end"]) for gap in gaps} == {("outage", None)}
    assert len(gaps) == 10


def test_an_outage_of_days_shows_although_nobody_is_known_to_be_anywhere():
    gaps = gaps_of(fleet(12, 140, heard=silent(30, 80)))
    assert {gap["reception"] for gap in gaps} == {"outage"}
    assert min(gap["chance_unheard"] for gap in gaps) > 0.3


def test_a_ship_that_alone_was_not_heard_is_told_with_its_messages():
    gap = gap_of(gaps_of(fleet(12, 72, heard=silent(30, 42, [0]))), 0)
    assert gap["reception"] == "heard"
    assert gap["chance_unheard"] < 0.001
    assert gap["n_others"] == pytest.approx(11.0, abs=0.1)
    assert gap["expected_heard_h"] == pytest.approx(12.0, abs=0.5)
    assert gap["expected_messages"] == pytest.approx(36.0, abs=2.0)
    assert gap["expected_messages_low"] < gap["expected_messages"] <= gap["expected_messages_high"] <= 37.0
    assert (gap["start_heard_share"] > 0.85, gap["end_heard_share"] > 0.85) == (True, True)


@pytest.mark.parametrize("n", [1, 2])
def test_of_a_ship_alone_or_with_one_other_nothing_is_told(n):
    gap = gap_of(gaps_of(fleet(n, 72, heard=silent(30, 42, [0]))), 0)
    assert gap["reception"] == "unknown"
    assert gap["expected_messages_low"] < 0.3 * gap["expected_messages"]


def test_the_fewer_others_the_wider_the_interval_and_the_likelier_is_chance():
    gaps = [gap_of(gaps_of(fleet(n, 72, heard=silent(30, 42, [0]))), 0) for n in (2, 4, 12)]
    widths = [gap["expected_heard_low_h"] / gap["expected_heard_h"] for gap in gaps]
    assert widths == sorted(widths)
    assert widths[0] < 0.6 * widths[2]
    chances = [gap["chance_unheard"] for gap in gaps]
    assert chances == sorted(chances, reverse=True)


@pytest.mark.parametrize("as_of_h", [None, 20.0])
def test_a_file_of_one_minute_or_half_an_hour_has_no_gaps_whenever_now_is(as_of_h):
    assert gaps_of(fleet(12, 1 / 60, every_s=2.0), as_of_h=as_of_h) == []
    assert gaps_of(fleet(12, 0.5, every_s=10.0), as_of_h=as_of_h) == []


def test_where_few_hours_are_heard_a_silence_says_nothing():
    gaps = gaps_of(fleet(12, 240, every_s=600.0, heard=thinned(0.25)))
    assert len(gaps) > 50
    assert {gap["reception"] for gap in gaps} <= {"unheard_place", "outage"}
    assert min(gap["chance_unheard"] for gap in gaps) > 0.02


def test_a_class_b_set_is_not_blamed_where_only_class_a_is_heard():
    class_a = fleet(8, 200)
    class_b = fleet(8, 200, first=FIRST + 100, every_s=600.0, heard=thinned(0.25), transceiver="B")
    gaps = gaps_of(class_a, class_b)
    long = [gap for gap in gaps if gap["duration_h"] >= 8]
    assert len(long) > 20
    assert {gap["transceiver"] for gap in gaps} == {"B"}
    assert {gap["reception"] for gap in long} == {"class_thinned"}
    mistaken = [dict(row, transceiver="A") for row in class_b]
    assert {gap["reception"] for gap in gaps_of(class_a, mistaken)} != {"class_thinned"}


def test_a_weak_set_among_strong_ones_is_judged_by_its_own_record():
    weak = fleet(1, 240, first=FIRST + 100, every_s=600.0, heard=lambda s, t: thinned(0.4)(s, t) and not 100 <= t < 106)
    strong = fleet(8, 240)
    others = ReceptionParameters(own_prior_h=1000.0)
    middle = instant(103 * H)

    def chance(p):
        (gap,) = [g for g in gaps_of(strong, weak, reception=p) if g["start"] < middle < (g["end"] or middle)]
        return gap["chance_unheard"]

    assert chance(DEFAULT_RECEPTION) > 2 * chance(others)


# Where the ship can have been


def crossing(heard_lon):
    """A fleet heard west of a longitude only, and on the way out and back often enough to be known beyond it."""
    rows = []
    for i in range(30):
        out = sail(FIRST + 200 + i, 1800.0 * i, (35.2, 130.1), (35.2, 134.6), every_s=900.0)
        back = sail(FIRST + 200 + i, out[-1]["t"] + 900.0, (35.2, 134.6), (35.2, 130.1), every_s=900.0)
        rows += [row for row in out + back if row["lon"] < heard_lon]
    return rows


def test_a_ship_that_could_sail_out_of_reception_and_back_is_not_blamed_and_one_that_could_not_is():
    sea = crossing(132.0) + fleet(6, 60, place=(35.2, 130.1))
    near = fleet(1, 60, place=(35.2, 131.9), first=FIRST + 300, heard=silent(20, 40), transceiver="A")
    near = [dict(row, sog=12.0) for row in near]
    far = [dict(row, lon=130.3, mmsi=FIRST + 301) for row in near]
    gaps = {gap["mmsi"]: gap for gap in gaps_of(sea, near, far)}
    edge, coast = gaps[FIRST + 300], gaps[FIRST + 301]
    assert edge["expected_heard_h"] < 0.6 * coast["expected_heard_h"]
    assert edge["chance_unheard"] > 5 * coast["chance_unheard"]
    assert coast["expected_heard_h"] < 0.8 * coast["duration_h"]


def test_a_slow_ship_cannot_have_left_so_far():
    sea = crossing(132.0) + fleet(6, 60, place=(35.2, 130.1))
    ship = fleet(1, 60, place=(35.2, 131.2), first=FIRST + 300, heard=silent(20, 40))
    slow, fast = ([dict(row, sog=kn if row["t"] < 10 * H else 0.0) for row in ship] for kn in (4.0, 20.0))
    expected = [
        next(g for g in gaps_of(sea, rows) if g["mmsi"] == FIRST + 300)["expected_heard_h"] for rows in (slow, fast)
    ]
    assert expected[0] > expected[1] + 2.0


def test_long_after_the_last_report_nothing_is_expected_any_more():
    short, long = (gap_of(gaps_of(fleet(12, h, heard=silent(30, 999, [0]))), 0) for h in (60.0, 300.0))
    assert short["expected_heard_h"] == pytest.approx(30.0, abs=1.0)
    assert long["expected_heard_h"] == pytest.approx(DEFAULT_RECEPTION.reach_h + 0.3, abs=1.0)


def no_land(lat, lon):
    return np.zeros(np.broadcast(lat, lon).shape, dtype=np.bool_)


def all_land(lat, lon):
    return ~no_land(lat, lon)


def test_at_sea_where_nobody_is_ever_known_a_ship_may_have_gone_but_not_on_land():
    rows = fleet(12, 72, heard=silent(30, 50, [0]), sog=12.0)
    free, dry = (gap_of(gaps_of(rows, is_land=test), 0) for test in (no_land, all_land))
    without_chart = gap_of(gaps_of(rows), 0)
    assert free["expected_heard_h"] < 0.8 * dry["expected_heard_h"]
    assert dry == without_chart


# Laws


def mixed_sea():
    """A small sea with an outage, a dark ship, a thin class B and a ship under way."""
    rows = fleet(8, 72, heard=silent(30, 36))
    rows += fleet(3, 72, first=FIRST + 20, heard=silent(45, 55, [0]))
    rows += fleet(4, 72, first=FIRST + 40, every_s=600.0, heard=thinned(0.4), transceiver="B")
    way = sail(FIRST + 60, 0.0, SEA, (SEA[0] + 0.6, SEA[1] + 4.0), every_s=600.0)
    return rows + [row for row in way if not 5 * H < row["t"] < 12 * H]


def told(gaps):
    """What must not change: everything but names and places."""
    gone = ("event_id", "segment_id", "next_segment_id", "hull_id", "start_lon", "end_lon")
    return [{name: value for name, value in gap.items() if name not in gone} for gap in gaps]


@pytest.mark.parametrize("n_buckets", [1, 2, 5])
def test_the_order_of_rows_and_buckets_changes_nothing(n_buckets):
    rows = mixed_sea()
    whole = settled(rows)
    random.Random(n_buckets).shuffle(rows)
    half = len(rows) // 2
    assert settled(rows[:half], rows[half:], n_buckets=n_buckets).equals(whole)


@pytest.mark.parametrize("degrees", [48.0, 51.0, 180.0])
def test_turning_the_earth_by_whole_regions_changes_nothing(degrees):
    rows = mixed_sea()
    turned = [dict(row, lon=float(wrap_degrees(row["lon"] + degrees))) for row in rows]
    near = {name: pytest.approx(0.0, abs=2e-3) for name in ("distance_nmi",)}
    for one, other in zip(told(gaps_of(rows)), told(gaps_of(turned)), strict=True):
        for name, value in one.items():
            if isinstance(value, float) and name not in ("start_cog_deg", "end_cog_deg"):
                assert other[name] == pytest.approx(value, rel=1e-3, abs=2e-3), name
            elif name not in near:
                assert other[name] == value


def test_shifting_time_by_whole_hours_changes_only_times():
    rows = mixed_sea()
    later = [dict(row, t=row["t"] + 1000 * H) for row in rows]
    when = ("start", "end")
    for one, other in zip(told(gaps_of(rows)), told(gaps_of(later)), strict=True):
        assert {n: v for n, v in one.items() if n not in when} == {n: v for n, v in other.items() if n not in when}


def test_renaming_ships_changes_no_silence():
    rows = mixed_sea()
    renamed = [dict(row, mmsi=2 * FIRST + 999 - row["mmsi"]) for row in rows]
    gaps = [sorted(str({**g, "mmsi": 0, "next_mmsi": 0}) for g in told(gaps_of(r))) for r in (rows, renamed)]
    assert gaps[0] == gaps[1]


@pytest.mark.parametrize(
    "change",
    [
        {"slack_nmi": 60.0},
        {"usual_speed_kn": 40.0},
        {"reach_h": 2.0},
        {"frailty": 1.0},
        {"independent_h": 12.0},
        {"own_prior_h": 1000.0},
        {"heard_chance": 1e-9},
        {"outage_factor": 1e-9},
        {"min_others": 500.0},
    ],
)
def test_each_parameter_of_judging_bites(change):
    rows = mixed_sea() + crossing(132.0)
    assert not settled(rows).equals(settled(rows, reception=ReceptionParameters(**change)))


def test_a_share_is_expected_of_an_hour_and_never_more_than_the_hours_there_are():
    for gap in gaps_of(mixed_sea() + crossing(132.0)):
        assert 0.0 <= gap["expected_heard_low_h"] <= gap["expected_heard_h"] <= gap["duration_h"] + 1e-6
        assert 0.0 <= gap["chance_unheard"] <= 1.0
        if gap["end"] is None:
            assert gap["distance_nmi"] is None
            continue
        apart = distance_nmi(gap["start_lat"], gap["start_lon"], gap["end_lat"], gap["end_lon"])
        assert gap["distance_nmi"] == pytest.approx(float(apart), abs=1e-3)
