"""A voyage over a change of number: what looks at voyages finds it under each of its numbers."""

import numpy as np
import pytest
import shapely

from detectors.batch.engine import run_detectors
from detectors.batch.flagged import flagged_voyages
from detectors.finding import Evidence, Finding
from detectors.learned.approach import watched_approach_nmi
from detectors.rules.geofence.detector import Geofence
from detectors.rules.identity.standing import VoyageSpans
from tests.detectors.histories import DAY_0, at, history, sailed, scene, spell, stay, voyage, zone
from vessels.instants import instant_us
from vessels.zones import Zones

ALPHA, BRAVO = 273_412_340, 445_012_350
VOYAGE = f"voyage-{BRAVO}-030200"
ENDS = {"start_lat": 35.0, "start_lon": 130.0, "end_lat": 36.0, "end_lon": 132.0}


def part(mmsi, start, end, voyage_id=VOYAGE):
    return {"voyage_id": voyage_id, "segment_id": f"segment-{mmsi}", "mmsi": mmsi, "start": start, "end": end}


JOINED = voyage(BRAVO, at(1), at(9), span_start=at(0), span_end=at(11), **ENDS)
PARTS = (part(ALPHA, at(0), at(4)), part(BRAVO, at(5), at(11)))
TRACK = [
    *sailed(ALPHA, at(0), 96.0, (35.0, 130.0), (35.0, 131.0)),
    *sailed(BRAVO, at(5), 144.0, (35.0, 131.0), (36.0, 132.0)),
]


def claim(mmsi, **said):
    return Finding(
        "tester", "1", "invalid_imo", mmsi, at(0), at(20), 0.9, "seen", (Evidence("number", "1", "2"),), **said
    )


def test_the_line_of_a_voyage_goes_over_the_change():
    past = history(as_of=at(20), voyages=[JOINED], voyage_parts=PARTS, sketches=TRACK)

    class Finds:
        name, version, kinds = "tester", "1", ("listed_vessel",)

        def detect(self, scene):  # noqa: ARG002 - finds the same anywhere
            evidence = (Evidence("reports", "2", "1"),)
            return [Finding("tester", "1", "listed_vessel", ALPHA, at(2), at(3), 1.0, "seen", evidence)]

    (row,) = flagged_voyages(past, run_detectors(scene(past), [Finds()])).to_pylist()
    assert row["voyage_id"] == VOYAGE
    line = shapely.from_wkb(row["geometry"])
    assert shapely.distance(line, shapely.points(131.0, 35.0)) < 0.02
    assert shapely.distance(line, shapely.points(130.5, 35.0)) < 0.02
    assert line.length == pytest.approx(1.0 + 2.0**0.5, rel=0.02)


def told(mmsi, first, last, hull_id=None, voyages=(JOINED,), parts=PARTS):
    spans = VoyageSpans(history(as_of=at(20), voyages=voyages, voyage_parts=parts), {ALPHA, BRAVO})
    return spans.told_of_each(claim(mmsi), instant_us(first), instant_us(last), hull_id)


def test_a_claim_is_told_of_the_voyage_on_which_it_was_made_in_its_part():
    (one,) = told(ALPHA, at(0), at(20))
    assert (one.voyage_id, one.start, one.end, one.segment_id) == (VOYAGE, at(0), at(4), f"segment-{ALPHA}")
    (other,) = told(BRAVO, at(0), at(20), f"hull-{BRAVO}")
    assert (other.voyage_id, other.start, other.end, other.segment_id) == (VOYAGE, at(5), at(11), f"segment-{BRAVO}")


def test_a_claim_made_in_no_part_of_a_voyage_is_not_told_of_it():
    assert told(ALPHA, at(6), at(8))[0].voyage_id is None


def test_two_tracks_of_one_number_in_one_voyage_are_told_once():
    twice = (*PARTS, {**part(ALPHA, at(4.5), at(4.8)), "segment_id": "segment-other"})
    (one,) = told(ALPHA, at(0), at(20), parts=twice)
    assert (one.start, one.end, one.segment_id) == (at(0), at(4.8), f"segment-{ALPHA}")


def test_a_later_voyage_begins_with_its_part():
    spans = VoyageSpans(history(as_of=at(20), voyages=[JOINED], voyage_parts=PARTS), {ALPHA, BRAVO})
    assert [f.voyage_id for f in spans.told_of_later(claim(BRAVO), instant_us(at(4.5)), None)] == [VOYAGE]
    assert spans.told_of_later(claim(ALPHA), instant_us(at(1)), None) == []


def fence(zone_id, watch, lon, lat):
    shape = shapely.box(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)
    return zone(zone_id, watch, name=zone_id[3:].title(), place=(lat, lon), geometry=shape)


def test_an_approach_under_the_earlier_number_counts():
    zones = Zones((fence("KP_ONE", "high", 130.5, 35.5),))
    past = history(as_of=at(20), voyages=[JOINED], voyage_parts=PARTS, sketches=TRACK)
    (nearest,) = watched_approach_nmi(past.voyages, past.voyage_parts, past.sketches, zones)
    assert nearest == pytest.approx(24.0, abs=0.5)
    alone = history(as_of=at(20), voyages=[JOINED], sketches=TRACK)
    (without,) = watched_approach_nmi(alone.voyages, alone.voyage_parts, alone.sketches, zones)
    assert without > nearest + 5.0
    late = {**JOINED, "start": at(3)}
    past = history(as_of=at(20), voyages=[late], voyage_parts=PARTS, sketches=TRACK)
    (nearest,) = watched_approach_nmi(past.voyages, past.voyage_parts, past.sketches, zones)
    assert nearest > 24.5  # it had left the place before the voyage began
    assert np.isfinite(nearest)


PORTS = (
    fence("KP_NAMPO", "high", 125.3, 38.7),
    fence("KR_BUSAN", "none", 129.1, 35.1),
    fence("CN_DALIAN", "elevated", 121.7, 38.9),
)


def declared(parts, second="BUSAN", first="DALIAN"):
    arrival = stay(BRAVO, "KP_NAMPO", at(9), at(11), lat=38.7, lon=125.3, entry_seen=True, exit_seen=True)
    left = stay(ALPHA, "CN_DALIAN", DAY_0, at(1), hull_id=f"hull-{BRAVO}", lat=38.9, lon=121.7)
    sailed_on = {
        **JOINED,
        "origin": "CN_DALIAN",
        "origin_visit_id": left["visit_id"],
        "destination": "KP_NAMPO",
        "destination_visit_id": arrival["visit_id"],
    }
    found = Geofence().detect(
        scene(
            zones=PORTS,
            voyages=[sailed_on],
            voyage_parts=parts,
            port_visits=[left, arrival],
            identities=[
                spell(ALPHA, at(0), at(4), destination=first, name="MIRAE 3"),
                spell(BRAVO, at(5), at(11), destination=second, name="SAEBYOL 5"),
            ],
        )
    )
    return [one for one in found if one.kind == "false_destination"]


def test_a_destination_set_with_the_new_number_was_set_on_this_voyage():
    assert declared(()) == []
    (finding,) = declared(PARTS)
    assert (finding.voyage_id, finding.start) == (VOYAGE, at(5))


def test_a_destination_kept_over_the_change_was_set_before_it():
    assert declared(PARTS, first="BUSAN") == []
