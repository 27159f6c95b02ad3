"""The table of flagged voyages: what its rows say and by what they can be picked; sums and bars of a case."""

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from detectors.case_rows import case_rows
from detectors.explain import Cases
from detectors.learned import explanation
from detectors.learned.features import ASPECTS, FEATURES
from detectors.learned.scaling import Usual
from detectors.report.page import report_page
from detectors.report.rows import listing_of, zones_of_findings
from detectors.report.sections import BAR, Neighbours, ships_met, sum_lines, with_case
from detectors.report.unusual import is_drawn, oddities
from detectors.run_folder import run_in_memory
from detectors.triage import PRIOR_DB
from tests.detectors.report.fleets import SHIPS, Ship, fleet, voyage_id, with_columns
from vessels.ais import mmsi_text

USUAL = "usually {}; 8 in 10 voyages lie between {} and {}; with the {} as usual the score would be {} instead of 0.714"


@pytest.fixture
def run(finished, tmp_path):
    return fleet(run_in_memory(finished, tmp_path))


def words_of(choices, numbers):
    named = {choice.number: choice.words for choice in choices}
    return [named[int(number)] for number in numbers.split()]


def test_a_row_says_who_where_and_when(run):
    row = listing_of(run).rows[0]
    assert (row.rank, row.band, row.name, row.mmsi, row.flag) == (1, "critical", "PAEKSONG 2", "445012340", "KP")
    assert (row.origin, row.destination) == ("Nakhodka", "Pohang")
    assert row.kinds == ("relay voyage", "dark gap")


def test_what_was_not_sent_or_seen_is_said_to_be_so(run):
    nameless = listing_of(run).rows[4]
    assert (nameless.name, nameless.origin) == ("no name sent", "not seen")
    stateless = listing_of(run).rows[5]
    assert (stateless.flag, stateless.flag_words) == ("--", "no state")


def test_rows_are_picked_by_what_they_have(run):
    listing = listing_of(run)
    for row, ship in zip(listing.rows, SHIPS, strict=True):
        assert words_of(listing.kinds, row.kind_choices) == [kind.replace("_", " ") for kind in ship.kinds]
        assert words_of(listing.bands, row.band_choices) == [ship.band]
        assert words_of(listing.statuses, row.status_choices) == [ship.status]
        zones = words_of(listing.zones, row.zone_choices)
        assert [ship.origin is None or any(ship.origin in zone for zone in zones)] == [True]


def test_choices_are_counted_and_stand_in_order(run):
    listing = listing_of(run)
    assert [(choice.words, choice.n_rows) for choice in listing.bands] == [
        ("critical", 1),
        ("high", 2),
        ("medium", 1),
        ("low", 2),
    ]
    kinds = [choice.words for choice in listing.kinds]
    assert kinds == sorted(kinds)
    assert sum(choice.n_rows for choice in listing.flags) == len(SHIPS)


def test_a_verdict_is_something_to_pick_by(run):
    listing = listing_of(with_columns(run, "flagged_voyages", verdict=["confirmed", *[None] * (len(SHIPS) - 1)]))
    assert words_of(listing.statuses, listing.rows[0].status_choices) == ["new", "confirmed"]


def test_the_zone_that_a_finding_lies_in_is_one_to_pick_by(run):
    zones = run.tables["zones"]
    shape = zones.filter(pa.compute.equal(zones["zone_id"], "KP_NAMPO"))
    findings = pa.table({"voyage_id": ["a", "b", "c"], "lat": [38.72, 20.0, None], "lon": [125.4, 150.0, None]})
    assert zones_of_findings(findings, shape) == {"a": ["KP_NAMPO"]}


def test_only_identities_that_links_settle_are_named_beside_the_ship(run):
    one = {"mmsi": 352001871, "name": "SABLE LANTERN", "same": "hull", "link_probability": 0.99, "is_strong": True}
    weak = {**one, "name": "WEAK", "link_probability": 0.3, "is_strong": False}
    shared = {**one, "name": "SHARED", "link_probability": None, "is_strong": False}
    earlier = [[one, weak, shared]] + [[] for _ in SHIPS[1:]]
    assert listing_of(with_columns(run, "flagged_voyages", earlier_identities=earlier)).rows[0].earlier == (
        "SABLE LANTERN (MMSI 352001871)",
    )


def test_the_bars_of_the_sum_go_end_to_end_from_the_prior_to_the_total(run):
    case = Cases(run).case(voyage_id(SHIPS[0]))
    lines, zero = sum_lines(case, case_rows(case).score_sum)
    total = PRIOR_DB + case.verdict.evidence_db
    low, high = min(PRIOR_DB, total), max(0.0, total)
    at = [round((value - low) / (high - low) * BAR) for value in (0.0, PRIOR_DB, total)]
    assert zero == at[0]
    assert (lines[0].begin, lines[0].end, lines[0].sort) == (at[0], at[1], "against")
    for before, after in pairwise(lines[:-1]):
        assert before.end == after.begin
        assert after.sort == "for"
    assert lines[-2].end == lines[-1].end == at[2]
    assert (lines[-1].begin, lines[-1].sort) == (at[0], "total")


def test_every_line_of_the_sum_stands_on_the_page(run):
    case = Cases(run).case(voyage_id(SHIPS[0]))
    html = report_page(run).html
    for what, weight, _ in case_rows(case).score_sum.rows:
        assert f'<tr><th scope="row">{what}<td class="n">{weight}' in html


def test_ships_met_lead_to_their_own_cases(run):
    listing = listing_of(run)
    case = Cases(run).case(voyage_id(SHIPS[0]))
    (met,) = ships_met(case, Neighbours(listing.rows))
    assert met.mmsi == mmsi_text(SHIPS[0].met)
    assert [other.voyage_id for other in met.cases] == [voyage_id(SHIPS[1])]
    assert met.where == "findings 1, 2"


def test_a_ship_met_that_is_not_flagged_is_named_without_a_link(finished, tmp_path):
    alone = fleet(run_in_memory(finished, tmp_path), [Ship("ONE", 445012340, met=352001999)])
    case = Cases(alone).case(voyage_id(Ship("ONE", 445012340)))
    (met,) = ships_met(case, Neighbours(listing_of(alone).rows))
    assert (met.mmsi, met.cases, met.n_more) == ("352001999", (), 0)


def line(what, observed, *expected, unit=""):
    return {"what": what, "observed": observed, "expected": USUAL.format(*expected), "unit": unit}


def test_an_unusual_voyage_becomes_bars_from_its_evidence():
    first, second = oddities(
        [
            {"what": "oddness", "observed": "odder than 99.9 %", "expected": "at most 99.7 %", "unit": ""},
            line("mean speed under way", "5.0", "10.0", "8.0", "12.5", "speed", "0.614", unit="kn"),
            line("change of draught on the way", "-3.0", "0.0", "0.0", "1.0", "cargo", "0.664", unit="m"),
        ]
    )
    assert (first.low_x, first.usual_x, first.high_x, first.observed_x) == (128, 160, 200, 80)
    assert (first.observed, first.usual) == ("5.0 kn", "10.0 kn; 8 in 10 between 8.0 and 12.5")
    assert (first.aspect, first.counts, first.share_x) == ("speed", "0.714 to 0.614", 200)
    assert (second.observed_x, second.usual_x, second.share_x) == (0, 150, 100)


def test_evidence_of_another_wording_stays_a_table():
    assert oddities([{"what": "a", "observed": "1", "expected": "about 2", "unit": "kn"}]) == ()
    assert oddities([line("a", "not known", "1", "0", "2", "speed", "0.5")]) == ()
    assert not is_drawn("about 2")


def test_bars_with_nothing_to_tell_apart_have_no_length():
    (flat,) = oddities([line("a", "0.0", "0.0", "0.0", "0.0", "cargo", "0.714")])
    assert {flat.low_x, flat.usual_x, flat.high_x, flat.observed_x, flat.share_x} == {0}


def test_what_the_detector_writes_is_what_becomes_bars():
    n = len(FEATURES)
    usual = Usual(low=np.full(n, 0.5), centre=np.full(n, 1.0), high=np.full(n, 1.5), n_vessels=9, n_voyages=90)
    case = explanation.Case(
        row=0,
        features={feature.name: 2.5 for feature in FEATURES},
        usual=usual,
        spreads=np.full(n, 3.0),
        raw_score=0.7,
        score_without=np.full(len(ASPECTS), 0.6),
        probability=0.001,
        threshold=0.003,
        n_reference=1000,
        by_class=True,
        least_probability=0.00025,
        n_vessels=50,
        known_class=True,
        unknown_class_factor=0.5,
        watched_comparable=True,
    )
    lines = explanation._evidence(explanation.Explained(case, tuple(range(n)), 0.5), "tanker ships")
    bars = oddities([asdict(one) for one in lines])
    assert [bar.what for bar in bars] == [feature.words for feature in FEATURES]
    assert {bar.counts for bar in bars} == {"0.700 to 0.600"}
    assert sum(is_drawn(one.expected) for one in lines) == len(lines) - 2


def test_a_view_has_what_the_case_says(run):
    row = listing_of(run).rows[0]
    case = Cases(run).case(row.voyage_id)
    view = with_case(Neighbours(listing_of(run).rows).begun(row), case, Neighbours(listing_of(run).rows))
    assert [finding.rows.number for finding in view.findings] == [1, 2]
    assert [finding.is_first for finding in view.findings] == [True, True]
    assert view.brief is None
    assert (view.before, view.after) == ("", voyage_id(SHIPS[1]))
