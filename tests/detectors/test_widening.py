"""Widening: what was told of the part of a voyage that tonight cannot see."""

import shapely

from detectors.batch.widening import joined, remembered, widened
from tests.detectors.histories import at
from tests.detectors.nightlog import Finds, sailing

TOLD_LINE = shapely.linestrings([(130.0, 35.0), (131.0, 35.0), (132.0, 35.0)])
SEEN_LINE = shapely.linestrings([(130.0, 35.0), (132.0, 35.5), (133.0, 36.0), (134.0, 36.0)])


W = at(3)


def call(day, zone_id="KP_NAMPO"):
    return {"zone_id": zone_id, "zone_name": zone_id.title(), "watch": "high", "start": at(day), "end": at(day + 0.5)}


def identity(name, first, last, *calls):
    who = {"mmsi": 273_412_340, "imo": None, "name": name, "call_sign": None, "flag_state": "RU"}
    sure = {"same": "MMSI", "link_probability": 1.0, "is_strong": True, "n_rivals": 0}
    return {**who, **sure, "first_seen": at(first), "last_seen": at(last), "watched_calls": list(calls)}


def row(line=TOLD_LINE, *earlier, score=None):
    now = {"mmsi": 273_412_340, "imo": None, "name": "NOW", "call_sign": None, "start": at(5), "origin": None}
    shown = {"anomaly_score": score, "geometry": shapely.to_wkb(line), "headline": "name_change seen."}
    return {**now, **shown, "earlier_identities": list(earlier)}


FINDINGS = Finds(((sailing(273_412_340), "name_change", 1.0),)).detect(None)


def test_the_track_as_told_goes_on_where_tonights_begins_without_the_leg_nobody_saw():
    line = joined(TOLD_LINE, SEEN_LINE)
    assert [list(part.coords) for part in line.geoms] == [list(TOLD_LINE.coords), list(SEEN_LINE.coords)[1:]]


def test_a_ship_that_lay_still_has_the_other_track_or_her_place():
    point = shapely.points(130.0, 35.0)
    assert joined(point, point).equals(point)
    assert joined(TOLD_LINE, point).equals(TOLD_LINE)
    assert list(joined(point, SEEN_LINE).coords) == list(SEEN_LINE.coords)[1:]
    assert joined(TOLD_LINE, shapely.linestrings([(130.0, 35.0), (132.0, 35.5)])).equals(TOLD_LINE)


def test_identities_told_before_are_kept_when_they_have_left_the_window_and_no_others():
    told = row(TOLD_LINE, identity("FIRST", 0, 1), identity("SECOND", 2, 4), identity("NOW", 0, 2))
    both = remembered(row(SEEN_LINE, identity("THIRD", 4, 5)), [told], W, FINDINGS)
    assert [one["name"] for one in both["earlier_identities"]] == ["FIRST", "THIRD"], "SECOND would have been seen"
    assert remembered(row(), [], W, FINDINGS) == row()


def test_the_headline_still_names_the_call_that_has_left_the_window():
    told = row(TOLD_LINE, identity("SU RI 7", 0, 1, call(0.5)))
    both = remembered(row(SEEN_LINE), [told], W, FINDINGS)
    assert both["headline"] == "name_change seen. As SU RI 7 this hull called at Kp_Nampo 4 days before."


def test_an_identity_seen_in_part_keeps_its_beginning_and_its_calls_before_the_window():
    told = row(TOLD_LINE, identity("SU RI 7", 0, 4, call(0.5), call(3.5)))
    seen = row(SEEN_LINE, identity("SU RI 7", 3, 5, call(4.5)))
    (one,) = remembered(seen, [told], W, FINDINGS)["earlier_identities"]
    assert (one["first_seen"], one["last_seen"]) == (at(0), at(5))
    assert [c["start"] for c in one["watched_calls"]] == [at(0.5), at(4.5)], "the call on day 3.5 would have been seen"


def test_the_odder_score_of_a_voyage_seen_in_part_stands():
    assert widened(row(SEEN_LINE, score=0.2), row(TOLD_LINE, score=0.9))["anomaly_score"] == 0.9
    assert widened(row(SEEN_LINE, score=0.2), row(TOLD_LINE))["anomaly_score"] == 0.2
    assert widened(row(SEEN_LINE), row(TOLD_LINE))["anomaly_score"] is None
