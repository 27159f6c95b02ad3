"""Flagged voyages: rank, headline, who the ship says it is and was, track lines."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.batch.engine import run_detectors
from detectors.batch.flagged import FLAGGED_VOYAGES, flagged_voyages, track_line
from detectors.finding import Evidence, Finding
from detectors.rules.identity.detector import Identity
from detectors.triage import PRIOR_DB
from tests.detectors.histories import at, history, sailed, scene, spell, voyage
from tests.detectors.hulls import handover, run_of
from vessels.geodesy import wrap_degrees

ALPHA, BRAVO, CHARLIE = 273_412_340, 445_012_350, 457_300_620
MOVES = st.floats(-3, 3).map(lambda degrees: round(degrees, 6))
LAW = settings(max_examples=60, deadline=None)


class Finds:
    """A detector that finds these kinds in these voyages: (voyage id, MMSI, kind, strength)."""

    name, version, kinds = "tester", "1", ()

    def __init__(self, *found):
        self.found = found

    def detect(self, scene):  # noqa: ARG002 - finds the same anywhere
        evidence = (Evidence("reports", "2", "1"),)
        return [
            Finding(
                "tester", "1", kind, mmsi, at(2), at(3), strength, f"{kind} seen", evidence, voyage_id=v, subject=str(i)
            )
            for i, (v, mmsi, kind, strength) in enumerate(self.found)
        ]


def flag(past, *found, budget=None):
    table = flagged_voyages(past, run_detectors(scene(past), [Finds(*found)]), budget)
    assert table.schema.equals(FLAGGED_VOYAGES.arrow)
    return table.to_pylist()


_SAID = {
    "span_start": at(0),
    "span_end": at(6),
    "start_lat": 35.0,
    "start_lon": 130.0,
    "end_lat": 36.0,
    "end_lon": 131.0,
}
VOYAGES = [
    {**voyage(ALPHA, at(1), at(5)), **_SAID},
    {**voyage(BRAVO, at(1), at(5)), **_SAID, "end": None, "is_open": True},
    {**voyage(CHARLIE, at(1), at(5)), **_SAID},
]
PAST = history(as_of=at(20), voyages=VOYAGES)
A, B, C = (row["voyage_id"] for row in VOYAGES)


def test_only_what_is_worth_a_second_look_is_flagged():
    rows = flag(PAST, (A, ALPHA, "listed_vessel", 1.0), (B, BRAVO, "invalid_imo", 0.3))
    assert [row["voyage_id"] for row in rows] == [A]
    assert rows[0]["score"] > 0.5
    assert flag(PAST) == []


def test_rank_follows_the_score_and_a_budget_keeps_the_first():
    found = [(A, ALPHA, "imo_twin", 0.7), (B, BRAVO, "listed_vessel", 1.0), (C, CHARLIE, "relay_voyage", 0.9)]
    rows = flag(PAST, *found)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert rows[0]["voyage_id"] == B
    assert flag(PAST, *found, budget=2) == rows[:2]
    assert [row["rank"] for row in flag(PAST, *reversed(found))] == [1, 2, 3]


def test_equal_scores_are_ranked_the_same_in_any_order():
    found = [(v, m, "listed_vessel", 1.0) for v, m in ((A, ALPHA), (B, BRAVO), (C, CHARLIE))]
    assert flag(PAST, *found) == flag(PAST, *found[::-1])


def test_the_headline_is_the_heaviest_findings_and_names_the_other_kinds():
    (row,) = flag(
        PAST, (A, ALPHA, "invalid_imo", 0.5), (A, ALPHA, "listed_vessel", 1.0), (A, ALPHA, "name_change", 0.5)
    )
    assert row["headline"] == "listed_vessel seen. Also: name change, invalid imo."
    assert row["kinds"] == ["listed_vessel", "name_change", "invalid_imo"]
    assert (row["n_findings"], row["detectors"], row["status"]) == (3, ["tester"], "new")


def test_an_open_voyage_has_no_end():
    (row,) = flag(PAST, (B, BRAVO, "listed_vessel", 1.0))
    assert (row["is_open"], row["end"], row["flag_state"]) == (True, None, "KP")


def identity_of(*spells, mmsi=ALPHA, voyage_id=A):
    past = history(as_of=at(20), voyages=VOYAGES, identities=sorted(spells, key=lambda s: (s["mmsi"], s["first_seen"])))
    (row,) = flag(past, (voyage_id, mmsi, "listed_vessel", 1.0))
    return row


def test_the_identity_is_the_last_one_claimed_on_the_voyage():
    row = identity_of(
        spell(ALPHA, at(0), at(2), name="OLD", imo=2318669, call_sign="UAAA", ship_type=70),
        spell(ALPHA, at(2.1), at(5), name="NEW", imo=2318669, call_sign="UAAA", ship_type=80),
        spell(ALPHA, at(9), at(12), name="LATER", imo=2318669),
    )
    assert (row["name"], row["imo"], row["call_sign"], row["ship_type"]) == ("NEW", 2318669, "UAAA", 80)
    assert [(e["name"], e["same"]) for e in row["earlier_identities"]] == [("OLD", "IMO")], "not what came later"


def test_another_tracks_identity_under_the_same_number_is_not_the_voyages():
    row = identity_of(
        spell(ALPHA, at(0), at(5), name="MINE"), spell(ALPHA, at(4), at(5), name="OTHERS", segment_id="segment-other")
    )
    assert row["name"] == "MINE"
    assert [e["name"] for e in row["earlier_identities"]] == ["OTHERS"]


def test_an_identity_under_another_number_with_the_same_imo_is_listed_with_its_flag():
    row = identity_of(
        spell(ALPHA, at(0), at(5), name="MIRAE 3", imo=2318669),
        spell(BRAVO, at(-30), at(-20), name="SAEBYOL 5", imo=2318669),
    )
    (other,) = row["earlier_identities"]
    assert (other["mmsi"], other["name"], other["flag_state"], other["same"]) == (BRAVO, "SAEBYOL 5", "KP", "IMO")


def linked(probability):
    past = handover(probability)
    later = ("voyage-273000222-041200", 273_000_222, "listed_vessel", 1.0)
    (row,) = flagged_voyages(past.history, run_detectors(past, [Finds(later)]), zones=past.zones).to_pylist()
    return row


def test_an_earlier_identity_of_the_hull_is_listed_with_its_link_and_its_watched_calls():
    (one,) = linked(0.86)["earlier_identities"]
    assert (one["name"], one["same"], one["link_probability"], one["is_strong"]) == ("SU RI 7", "hull", 0.86, True)
    assert one["watched_calls"] == [
        {"zone_id": "KP_NAMPO", "zone_name": "Nampo", "watch": "high", "start": at(3), "end": at(6)}
    ]
    (weak,) = linked(0.4)["earlier_identities"]
    assert (weak["link_probability"], weak["is_strong"], weak["n_rivals"]) == (0.4, False, 2)


def test_the_headline_names_a_high_watch_call_under_an_earlier_identity():
    sure, weak = linked(0.86)["headline"], linked(0.4)["headline"]
    assert sure == "listed_vessel seen. As SU RI 7 this hull called at Nampo 36 days before; link 0.86, two rivals."
    assert weak.endswith("SU RI 7, possibly this hull, called at Nampo 36 days before; possible link 0.40, two rivals.")
    told = run_of(handover(), Identity(), Finds(("voyage-273000222-041200", 273_000_222, "name_change", 0.5)))
    (row,) = [r for r in told.tables["flagged_voyages"].to_pylist() if r["start"] == at(42)]
    assert row["headline"].count("called at Nampo") == 1


def test_a_call_where_the_voyage_begins_is_told_so():
    past = handover()
    begun = [{**row, "origin": "KP_NAMPO"} for row in past.history.voyages.to_pylist() if row["start"] == at(6)]
    renamed = history(
        as_of=at(50),
        voyages=begun,
        port_visits=past.history.port_visits.to_pylist(),
        identities=[
            spell(445_000_123, at(0), at(7), name="SU RI 7"),
            spell(445_000_123, at(7), at(36), name="NEW STAR"),
        ],
    )
    listed = Finds((begun[0]["voyage_id"], 445_000_123, "listed_vessel", 1.0))
    (row,) = flagged_voyages(renamed, run_detectors(scene(renamed), [listed]), zones=past.zones).to_pylist()
    assert row["headline"] == "listed_vessel seen. As SU RI 7 this hull called at Nampo, where the voyage begins."


def test_equal_spells_are_one_earlier_identity_from_first_to_last():
    row = identity_of(
        spell(ALPHA, at(0), at(1), name="OLD", destination="A"),
        spell(ALPHA, at(1), at(2), name="OLD", destination="B"),
        spell(ALPHA, at(3), at(5), name="NEW"),
    )
    (other,) = row["earlier_identities"]
    assert (other["first_seen"], other["last_seen"]) == (at(0), at(2))


def test_a_ship_that_says_nothing_of_itself_is_flagged_without_a_name():
    row = identity_of()
    assert (row["name"], row["imo"], row["earlier_identities"]) == (None, None, [])


def test_the_line_runs_from_start_to_end_over_the_voyages_own_reports():
    sketches = [
        *sailed(ALPHA, at(1), 96.0, (35.0, 130.0), (36.0, 131.0)),
        *sailed(ALPHA, at(1), 96.0, (10.0, 100.0), (11.0, 101.0), segment_id="segment-other"),
        *sailed(ALPHA, at(9), 10.0, (0.0, 0.0), (1.0, 1.0)),
    ]
    past = history(as_of=at(20), voyages=VOYAGES, sketches=sketches)
    (row,) = flag(past, (A, ALPHA, "listed_vessel", 1.0))
    line = shapely.from_wkb(row["geometry"])
    assert line.geom_type == "LineString"
    assert line.coords[0] == pytest.approx((130.0, 35.0))
    assert line.coords[-1] == pytest.approx((131.0, 36.0))
    assert line.length == pytest.approx(2**0.5, rel=1e-3)


@LAW
@given(st.floats(-180, 180), st.lists(st.tuples(MOVES, MOVES), min_size=1, max_size=12))
def test_a_line_lies_on_the_globe_and_never_goes_round_it(lon, moves):
    lons = wrap_degrees(np.cumsum([lon, *(m[0] for m in moves)]))
    lats = np.clip(np.cumsum([0.0, *(m[1] for m in moves)]), -85, 85)
    line = track_line(lats, lons)
    west, _, east, _ = line.bounds
    assert -180.0 - 1e-9 <= west <= east <= 180.0 + 1e-9
    assert line.length <= sum(abs(m[0]) + abs(m[1]) for m in moves) + 1e-6
    assert line.geom_type in ("Point", "LineString", "MultiLineString")
    ends = shapely.MultiPoint([(lons[0], lats[0]), (lons[-1], lats[-1])])
    for end in ends.geoms:
        turns = [shapely.Point(end.x + turn, end.y) for turn in (-360.0, 0.0, 360.0)]
        assert min(line.distance(turn) for turn in turns) < 0.03


def test_a_ship_that_lies_still_is_a_point():
    assert track_line(np.array([35.0, 35.0]), np.array([130.0, 130.0])).geom_type == "Point"


def test_a_line_across_the_antimeridian_is_cut_there():
    line = track_line(np.array([0.0, 1.0, 2.0]), np.array([179.0, -179.5, -179.0]))
    assert line.geom_type == "MultiLineString"
    assert line.length == pytest.approx(np.hypot(1.5, 1.0) + np.hypot(0.5, 1.0), rel=1e-3)


def test_the_threshold_is_above_the_prior():
    rows = flag(PAST, (A, ALPHA, "shared_mmsi", 0.6))
    assert all(row["score"] > 10 ** (PRIOR_DB / 10) for row in rows)
