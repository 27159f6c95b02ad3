"""Widening: what was told of the part of a voyage that tonight cannot see."""

import shapely

from detectors.batch.widening import joined, widened
from tests.detectors.histories import at

TOLD_LINE = shapely.linestrings([(130.0, 35.0), (131.0, 35.0), (132.0, 35.0)])
SEEN_LINE = shapely.linestrings([(130.0, 35.0), (132.0, 35.5), (133.0, 36.0), (134.0, 36.0)])


def identity(name, day):
    who = {"mmsi": 273_412_340, "imo": None, "name": name, "call_sign": None}
    return {**who, "first_seen": at(day), "last_seen": at(day + 1)}


def row(line, *earlier, score=None):
    now = {"mmsi": 273_412_340, "imo": None, "name": "NOW", "call_sign": None}
    return {**now, "earlier_identities": list(earlier), "anomaly_score": score, "geometry": shapely.to_wkb(line)}


def test_the_track_as_told_goes_on_where_tonights_begins_without_the_leg_nobody_saw():
    line = joined(TOLD_LINE, SEEN_LINE)
    assert [list(part.coords) for part in line.geoms] == [list(TOLD_LINE.coords), list(SEEN_LINE.coords)[1:]]


def test_a_ship_that_lay_still_has_the_other_track_or_her_place():
    point = shapely.points(130.0, 35.0)
    assert joined(point, point).equals(point)
    assert joined(TOLD_LINE, point).equals(TOLD_LINE)
    assert list(joined(point, SEEN_LINE).coords) == list(SEEN_LINE.coords)[1:]
    assert joined(TOLD_LINE, shapely.linestrings([(130.0, 35.0), (132.0, 35.5)])).equals(TOLD_LINE)


def test_earlier_identities_are_those_of_both_in_order_of_time_and_the_one_in_force_is_none():
    told = row(TOLD_LINE, identity("FIRST", 0), identity("SECOND", 2), score=0.9)
    told["earlier_identities"].append(identity("NOW", 3))
    both = widened(row(SEEN_LINE, identity("THIRD", 4), identity("SECOND", 3), score=0.2), told)
    assert [one["name"] for one in both["earlier_identities"]] == ["FIRST", "SECOND", "THIRD"]
    assert both["anomaly_score"] == 0.9, "of the whole voyage"
    assert widened(row(SEEN_LINE), row(TOLD_LINE))["anomaly_score"] is None
