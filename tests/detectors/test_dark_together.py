"""Silences that ships had together: a station that failed, a class that is thinned; and what is one ship's own."""

from datetime import timedelta

import numpy as np
import pytest

from detectors.rules.dark.detector import Dark
from detectors.rules.dark.silences import silences_of
from detectors.rules.dark.together import EDGES_H, FEWEST, IN_COMMON, OF_OTHERS, SILENT_B, fell_silent_together
from tests.detectors.gaps import SHIP, gap
from tests.detectors.histories import at, scene
from vessels.geodesy import distance_nmi


def beside(n, **more):
    """Silences of so many other ships, the like of hers unless told otherwise."""
    return [gap(431000001 + i, hours=20.0, **{"n_others": 8.0, **more}) for i in range(n)]


def hers(**more):
    return gap(hours=20.0, **{"n_others": 8.0, **more})


def together(*gaps):
    """Whether she, of these, fell silent with others."""
    silences = silences_of(scene(gaps=gaps).history.gaps, at(20))
    asked = np.flatnonzero(silences.rows["mmsi"].to_numpy() == SHIP)
    return bool(fell_silent_together(silences, asked)[0])


@pytest.mark.parametrize("n", range(6))
def test_two_others_are_chance_three_are_a_station_that_failed(n):
    assert together(hers(), *beside(n)) == (n >= FEWEST)


def test_in_a_full_roadstead_three_are_few():
    assert not together(hers(n_others=40.0), *beside(9))
    assert together(hers(n_others=40.0), *beside(10))


def test_her_own_other_silences_and_one_ship_told_twice_are_no_company():
    own = [hers(start=at(5, minutes)) for minutes in (0.1, 0.2, 0.3, 0.4)]
    assert not together(hers(), *own[1:])
    twice = [{**one, "event_id": f"again-{i}"} for i, one in enumerate(beside(2) * 4)]
    assert not together(hers(), *twice)


@pytest.mark.parametrize(
    "other",
    [
        {"place": (38.0, 130.5)},
        {"start": at(5, 7.0)},
        {"start": at(4, 12.0)},
        {"start": at(6)},
    ],
    ids=["120 nmi off", "began seven hours later", "began twelve hours before", "after it"],
)
def test_silences_elsewhere_or_at_other_times_are_not_hers(other):
    assert together(hers(), *beside(5))
    assert not together(hers(), *beside(5, **other))


def test_ships_that_sailed_into_an_outage_or_out_of_it_had_it_too():
    late = [{**one, "end": at(5, 20.0) + timedelta(hours=2)} for one in beside(5, start=at(5, 2.0))]
    assert together(hers(), *late)


def test_ships_that_left_on_other_days_and_are_not_heard_since_did_not_leave_together():
    assert not together(gap(hours=None), *(gap(431000001 + i, hours=None, start=at(4 + 0.5 * i)) for i in (0, 1, 4, 5)))


def test_class_b_is_thinned_where_a_good_part_of_the_sets_is_silent_on_and_off():
    parts = [gap(431000001 + i, hours=6.0, start=at(5, 7.0 * k), transceiver="B") for i in range(8) for k in (0, 1, 2)]
    thinned = hers(transceiver="B")
    assert together(thinned, *parts)
    other_days = [gap(431000001 + i, hours=6.0, start=at(8, 7.0 * i), transceiver="B") for i in range(8)]
    assert not together(thinned, *other_days)
    assert not together(hers(), *parts)


def plain(gaps, row):
    """Whether the gap of this row was shared, one pair after another."""
    one, others = gaps[row], {}
    for other in gaps:
        if other["mmsi"] == one["mmsi"]:
            continue
        starts, ends = (one["start"], other["start"]), (one["end"], other["end"])
        both = (min(ends) - max(starts)) / timedelta(hours=1)
        either = (max(ends) - min(starts)) / timedelta(hours=1)
        off = float(distance_nmi(one["start_lat"], one["start_lon"], other["start_lat"], other["start_lon"]))
        if one["transceiver"] == "B":
            if other["transceiver"] == "B" and off <= 500.0:
                length = (one["end"] - one["start"]) / timedelta(hours=1)
                others[other["mmsi"]] = others.get(other["mmsi"], 0.0) + max(both, 0.0) / length
            continue
        edges = max(max(starts) - min(starts), max(ends) - min(ends)) / timedelta(hours=1)
        if off <= 100.0 and edges <= EDGES_H and both >= IN_COMMON * either:
            others[other["mmsi"]] = 1.0
    if one["transceiver"] == "B":
        return len(others) >= FEWEST and sum(min(v, 1.0) for v in others.values()) >= SILENT_B * len(others)
    return len(others) >= max(FEWEST, OF_OTHERS * one["n_others"])


def test_it_agrees_with_looking_at_pair_after_pair_whatever_the_order():
    rng = np.random.default_rng(4)
    gaps = []
    for i in range(120):
        place = (float(35.0 + rng.random()), float(130.0 + rng.random()))
        hours, begin = float(rng.uniform(10.0, 20.0)), at(5, float(rng.uniform(0.0, 48.0)))
        row = gap(431000001 + i % 70, hours=hours, start=begin, place=place, transceiver="AB"[i % 5 == 0])
        gaps.append({**row, "event_id": f"gap-{i:03d}", "n_others": float(rng.uniform(0.0, 80.0))})
    wanted = {one["event_id"]: plain(gaps, i) for i, one in enumerate(gaps)}
    assert 10 <= sum(wanted.values()) <= 110
    for order in (range(120), rng.permutation(120)):
        silences = silences_of(scene(gaps=[gaps[i] for i in order]).history.gaps, at(20))
        found = fell_silent_together(silences, np.arange(120))
        assert dict(zip(silences.rows["event_id"].to_pylist(), found.tolist(), strict=True)) == wanted


def test_a_dark_gap_is_not_told_of_a_ship_in_an_outage_though_others_farther_off_were_heard():
    detector = Dark()
    outage = [{**one, "reception": "outage"} for one in beside(5)]
    assert detector.detect(scene(gaps=[hers(), *outage[:2]]))
    assert not detector.detect(scene(gaps=[hers(), *outage]))
