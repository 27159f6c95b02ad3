"""Triage: weights add, caps hold, order does not matter, and every kind of every built-in detector has its line."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.catalogue import detector_classes
from detectors.finding import Evidence, Finding
from detectors.triage import (
    BANDS,
    CAPS_DB,
    DEFAULT_WEIGHT,
    FLAG_SCORE,
    OTHER_CAP_DB,
    PRIOR_DB,
    WEIGHTS,
    judge,
    weigh,
    weight_of,
)

LAW = settings(max_examples=100, deadline=None)
KINDS = st.sampled_from([*(weight.kind for weight in WEIGHTS), "someone_elses_kind"])
WEIGHED = st.lists(st.tuples(KINDS, st.floats(0, 60)), max_size=12)


def finding(kind="imo_twin", strength=0.5):
    when = datetime(2024, 5, 1, tzinfo=UTC)
    return Finding("any", "1", kind, 273_412_340, when, None, strength, "seen twice", (Evidence("places", "2", "1"),))


def test_every_kind_of_every_built_in_detector_has_its_own_line():
    listed = [weight.kind for weight in WEIGHTS]
    made = [kind for detector in detector_classes().values() for kind in detector().kinds]
    assert len(set(listed)) == len(listed)
    assert set(made) <= set(listed)


def test_every_line_says_where_its_number_is_from_and_fits_under_its_cap():
    for weight in WEIGHTS:
        assert weight.why
        assert 0 < weight.full_db <= CAPS_DB[weight.group]
    assert set(CAPS_DB) == {weight.group for weight in WEIGHTS}


def test_a_kind_of_another_tool_gets_the_default():
    assert weight_of("someone_elses_kind") is DEFAULT_WEIGHT
    (group,) = judge([("someone_elses_kind", 100.0)]).groups
    assert (group.group, group.counted_db) == ("other detectors", OTHER_CAP_DB)


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda weight: weight.kind)
def test_a_finding_weighs_its_kinds_weight_times_its_strength(weight):
    halves, whole, none = weigh([finding(weight.kind, s) for s in (0.5, 1.0, 0.0)])
    assert (halves.weight_db, whole.weight_db, none.weight_db) == (weight.full_db / 2, weight.full_db, 0.0)


def test_weighing_changes_nothing_else():
    before = finding()
    (after,) = weigh([before])
    assert after.with_(weight_db=0.0) == before
    assert after.finding_id == before.finding_id


def slowly(weights):
    """The score by the words of the module: of a kind each further one counts a quarter, groups are capped."""
    groups = {}
    for kind in {kind for kind, _ in weights}:
        ordered = sorted((w for k, w in weights if k == kind), reverse=True)
        group = weight_of(kind).group
        groups[group] = groups.get(group, 0.0) + sum(w / 4**i for i, w in enumerate(ordered))
    total = PRIOR_DB + sum(min(w, CAPS_DB.get(g, OTHER_CAP_DB)) for g, w in groups.items())
    odds = 10 ** (total / 10)
    return odds / (1 + odds)


@LAW
@given(WEIGHED)
def test_the_score_is_that_of_the_plain_sum(weights):
    assert judge(weights).score == pytest.approx(slowly(weights), abs=2e-4)


@LAW
@given(WEIGHED, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(weights, random):
    assert judge(random.sample(weights, len(weights))) == judge(weights)


@LAW
@given(WEIGHED, KINDS, st.floats(0, 60))
def test_one_more_finding_never_lowers_a_score(weights, kind, weight_db):
    assert judge([*weights, (kind, weight_db)]).score >= judge(weights).score - 1e-6


@LAW
@given(WEIGHED)
def test_no_group_counts_more_than_its_cap(weights):
    verdict = judge(weights)
    assert all(group.counted_db <= group.cap_db for group in verdict.groups)
    assert verdict.evidence_db <= sum(CAPS_DB.values()) + OTHER_CAP_DB
    assert verdict.score == pytest.approx(1 / (1 + 10 ** (-(PRIOR_DB + verdict.evidence_db) / 10)), abs=2e-4)


@LAW
@given(WEIGHED)
def test_a_band_is_that_of_the_score(weights):
    verdict = judge(weights)
    lowest = dict(BANDS)
    assert verdict.score >= lowest[verdict.band]
    better = [score for _, score in BANDS if score > lowest[verdict.band]]
    assert all(verdict.score < score for score in better)
    assert verdict.is_flagged == (verdict.score >= FLAG_SCORE)


def test_weights_of_different_groups_add():
    one, other = judge([("listed_vessel", 20.0)]), judge([("dimension_change", 10.0)])
    both = judge([("listed_vessel", 20.0), ("dimension_change", 10.0)])
    assert both.evidence_db == one.evidence_db + other.evidence_db == 30.0
    assert both.score == 0.5


def test_nothing_found_is_the_prior_and_not_flagged():
    verdict = judge([])
    assert verdict.score == pytest.approx(10 ** (PRIOR_DB / 10), rel=0.01)
    assert (verdict.band, verdict.is_flagged, verdict.groups) == ("low", False, ())


def test_forty_calls_are_worth_less_than_two():
    calls = [("watched_port_call", 4.0)] * 40
    assert judge(calls).evidence_db < 8.0
    assert not judge(calls).is_flagged


def test_what_the_documentation_promises_of_single_findings():
    def alone(kind):
        return judge([(kind, weight_of(kind).full_db)])

    assert alone("listed_vessel").band == "critical"
    assert alone("relay_voyage").is_flagged
    assert not alone("invalid_imo").is_flagged
    needed = 10 * math.log10(FLAG_SCORE / (1 - FLAG_SCORE)) - PRIOR_DB
    assert needed == pytest.approx(13.1, abs=0.05)


def test_a_thousand_findings_of_one_kind_weigh_little_more_than_two() -> None:
    few, many = (judge([("watched_port_call", 4.0)] * n) for n in (20, 5_000))
    assert few.score == many.score
    assert many.evidence_db == pytest.approx(4.0 * 4 / 3, abs=1e-3)
