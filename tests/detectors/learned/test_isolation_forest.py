"""Unusual voyages: clean nights stay quiet, odd voyages stand out, and the explanation names what is odd."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.contract import Detector
from detectors.learned.baseline import Baseline, fit_baseline
from detectors.learned.features import FEATURES
from detectors.learned.isolation_forest import FittedForest, UnusualVoyages, VoyageScores
from vessels.errors import UsageError
from vessels.zones import Zones

WORDS = {feature.name: feature.words for feature in FEATURES}


@pytest.fixture(scope="module")
def detector(baseline: Baseline) -> UnusualVoyages:
    return UnusualVoyages(baseline=baseline)


@pytest.fixture(scope="module")
def model(detector: UnusualVoyages) -> FittedForest:
    return detector.fit()


def by_voyage(scores: VoyageScores) -> dict[str, tuple[float, float]]:
    """Scores by voyage; unknown as -1, so that equal is equal."""
    pairs = zip(np.nan_to_num(scores.anomaly_score, nan=-1.0), np.nan_to_num(scores.raw_score, nan=-1.0), strict=True)
    return dict(zip(scores.voyage_ids, pairs, strict=True))


def test_it_is_a_detector(detector: UnusualVoyages) -> None:
    assert isinstance(detector, Detector)
    assert (detector.name, detector.kinds) == ("isolation_forest", ("unusual_voyage",))
    for heading in ("Claims:", "Reads:", "Misses:", "Known mistakes:"):
        assert heading in (UnusualVoyages.__doc__ or "")


def test_importing_detectors_loads_no_scikit_learn() -> None:
    code = (
        "import sys, detectors, detectors.learned, detectors.learned.baseline, detectors.learned.explanation; "
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_clean_night_gets_about_the_promised_alarms(
    at_sea: Callable[..., Any], watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    scores = detector.score_voyages(watch(at_sea(500, 8, seed=7)), model)
    scored = np.isfinite(scores.anomaly_score)
    assert scored.sum() > 3500
    for rate, low, high in ((0.003, 0.0, 0.009), (0.05, 0.02, 0.09), (0.5, 0.35, 0.65)):
        assert low <= float((scores.tail_probability[scored] <= rate).mean()) <= high


def test_what_the_baseline_has_not_seen_is_calibrated_by_vessel(
    at_sea: Callable[..., Any], watch: Callable[..., Any], watched: Zones
) -> None:
    """Were sister voyages of one ship on both sides of a fold, scores of new ships would run high (measured: 0.17)."""
    share = []
    for seed in (18, 28, 38):
        learned = fit_baseline(at_sea(25, 20, seed=seed).history(), watched)
        scores = UnusualVoyages(baseline=learned).score_voyages(watch(at_sea(200, 4, seed=seed + 1)))
        share.append(float((scores.anomaly_score[np.isfinite(scores.anomaly_score)] > 0.9).mean()))
    assert np.mean(share) < 0.14


def test_an_odd_voyage_is_found_and_explained(
    tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], detector: UnusualVoyages
) -> None:
    fleet = tonight.with_voyage(11, **odd)
    scene = watch(fleet)
    found = {finding.voyage_id: finding for finding in detector.detect(scene)}
    finding = found[fleet.voyages[11]["voyage_id"]]
    assert len(found) <= 3
    assert finding.kind == "unusual_voyage"
    assert 0.3 < finding.strength <= 1.0
    assert finding.start == fleet.voyages[11]["start"]
    named = [line.what for line in finding.evidence[1:-1]]
    made_odd = {WORDS[name] for name in (*odd, "stops_per_day") if name in WORDS}
    assert named
    assert set(named) <= made_odd
    assert any(word in finding.headline for word in made_odd)
    assert f"MMSI {fleet.voyages[11]['mmsi']}" in finding.headline


@pytest.mark.parametrize(
    ("changes", "word", "observed"),
    [
        ({"draught_change_m": -6.0, "longest_stop_h": 40.0, "slow_share": 0.7}, "draught_change_m", "6.0"),
        ({"detour_ratio": 6.0, "turning_deg_per_nmi": 90.0, "silence_share": 0.5}, "detour_ratio", "6.00"),
        ({"speed_residual_kn": 5.0, "drift_angle_deg": 60.0, "draught_change_m": 5.0}, "speed_residual_kn", "5.00"),
    ],
)
def test_the_explanation_gives_both_values_in_natural_units(
    tonight: Any,
    watch: Callable[..., Any],
    baseline: Baseline,
    model: FittedForest,
    changes: dict[str, Any],
    word: str,
    observed: str,
) -> None:
    fleet = tonight.with_voyage(20, **changes)
    detector = UnusualVoyages(baseline=baseline, false_alarms_per_1000=100.0)
    scene = watch(fleet)
    findings = detector.findings(scene, detector.score_voyages(scene, model))
    finding = next(f for f in findings if f.voyage_id == fleet.voyages[20]["voyage_id"])
    line = next(line for line in finding.evidence if line.what == WORDS[word])
    assert line.observed == observed
    assert line.unit == next(feature.unit for feature in FEATURES if feature.name == word)
    assert line.expected.startswith("usually ")
    usual = float(line.expected.split()[1].rstrip(";"))
    assert usual < float(observed) / 2


def test_returning_the_named_features_to_the_usual_makes_the_voyage_ordinary(
    tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    fleet = tonight.with_voyage(11, **odd)
    voyage_id = fleet.voyages[11]["voyage_id"]
    before = by_voyage(detector.score_voyages(watch(fleet), model))[voyage_id][1]
    finding = next(f for f in detector.detect(watch(fleet)) if f.voyage_id == voyage_id)
    claimed = float(finding.evidence[1].expected.split("would be ")[1].split()[0])
    assert claimed < before
    assert f"instead of {before:.3f}" in finding.evidence[1].expected
    assert finding.evidence[-1].what == "oddness, were all of these usual"


def test_row_order_changes_nothing(
    tonight: Any, ordinary: Any, odd: dict[str, Any], watch: Callable[..., Any], watched: Zones, baseline: Baseline
) -> None:
    fleet = tonight.with_voyage(3, **odd)
    again = fit_baseline(ordinary.history(shuffle=9), watched)
    first, second = UnusualVoyages(baseline=baseline), UnusualVoyages(baseline=again)
    assert first == second
    scenes = watch(fleet), watch(fleet, shuffle=4)
    assert by_voyage(first.score_voyages(scenes[0])) == by_voyage(second.score_voyages(scenes[1]))
    facts = [
        sorted((f.finding_id, f.headline, f.evidence) for f in one.detect(scene))
        for one, scene in zip((first, second), scenes, strict=True)
    ]
    assert facts[0] == facts[1] != []


def test_a_voyage_is_scored_the_same_alone_and_among_others(
    tonight: Any, watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    together = by_voyage(detector.score_voyages(watch(tonight), model))
    alone = by_voyage(detector.score_voyages(watch(replace(tonight, voyages=tonight.voyages[5:6])), model))
    assert alone.items() <= together.items()


def test_two_threads_give_the_bits_of_one(model: FittedForest) -> None:
    rows = np.random.default_rng(1).normal(size=(45_000, len(FEATURES)))
    halves = np.concatenate([model.score(part) for part in np.array_split(rows, 5)])
    assert (model.score(rows) == halves).all()


def test_missing_values_are_not_oddness(
    tonight: Any, watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    gone = dict.fromkeys(("draught_change_m", "drift_angle_deg", "detour_ratio", "turning_deg_per_nmi", "night_share"))
    before = detector.score_voyages(watch(tonight), model)
    after = detector.score_voyages(watch(tonight.with_all(**gone)), model)
    assert np.isfinite(after.anomaly_score).sum() == np.isfinite(before.anomaly_score).sum()
    assert np.nanmean(after.anomaly_score) <= np.nanmean(before.anomaly_score)


def test_what_is_not_known_is_a_caveat(
    tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], detector: UnusualVoyages
) -> None:
    fleet = tonight.with_voyage(11, **{**odd, "drift_angle_deg": None, "is_open": True, "end": None})
    finding = next(f for f in detector.detect(watch(fleet)) if f.voyage_id == fleet.voyages[11]["voyage_id"])
    assert finding.end is None
    assert any("not known, taken as usual: angle between heading and course" in caveat for caveat in finding.caveats)
    assert any("still open" in caveat for caveat in finding.caveats)
    assert any("reception" in caveat for caveat in finding.caveats)


@pytest.mark.parametrize("ship_type", [None, 55])
def test_an_unknown_class_is_a_caveat_and_lowers_strength(
    tonight: Any,
    odd: dict[str, Any],
    watch: Callable[..., Any],
    detector: UnusualVoyages,
    model: FittedForest,
    ship_type: int | None,
) -> None:
    assert "law" not in model.known_classes
    extreme = {**odd, "mean_speed_kn": 10.0, "speed_residual_kn": 6.0, "drift_angle_deg": 80.0}
    fleet = tonight.with_voyage(11, **extreme)
    voyage_id = fleet.voyages[11]["voyage_id"]
    known = next(f for f in detector.detect(watch(fleet)) if f.voyage_id == voyage_id)
    unknown = next(f for f in detector.detect(watch(fleet.with_type(ship_type))) if f.voyage_id == voyage_id)
    assert unknown.strength < 0.7 * known.strength
    assert any("ships of other classes" in caveat for caveat in unknown.caveats)
    assert not any("ships of other classes" in caveat for caveat in known.caveats)


def test_a_tiny_baseline_scores_nothing_and_says_so(
    at_sea: Callable[..., Any], tonight: Any, watch: Callable[..., Any], watched: Zones
) -> None:
    tiny = UnusualVoyages(baseline=fit_baseline(at_sea(3, 3, seed=5).history(), watched))
    scores = tiny.score_voyages(watch(tonight))
    assert np.isnan(scores.anomaly_score).all()
    assert scores.anomaly_column.null_count == len(tonight.voyages)
    assert "9 voyages of 3 vessels" in scores.notes[0]
    assert list(tiny.detect(watch(tonight))) == []
    with pytest.raises(UsageError, match="at least 20 of 5"):
        tiny.fit()


def test_a_small_baseline_scores_but_finds_nothing(
    at_sea: Callable[..., Any], tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], watched: Zones
) -> None:
    small = UnusualVoyages(baseline=fit_baseline(at_sea(10, 5, seed=5).history(), watched))
    scores = small.score_voyages(watch(tonight.with_all(**odd)))
    assert np.nanmax(scores.anomaly_score) <= 1.0 - 1.0 / (4 * 50)
    assert list(small.findings(watch(tonight.with_all(**odd)), scores)) == []


def test_without_a_baseline_it_is_silent_and_says_so(tonight: Any, watch: Callable[..., Any]) -> None:
    silent = UnusualVoyages(baseline=None)
    assert list(silent.detect(watch(tonight))) == []
    assert "wakewatch fit" in silent.score_voyages(watch(tonight)).notes[0]


def test_other_watched_zones_leave_nearness_out(
    tonight: Any,
    odd: dict[str, Any],
    watch: Callable[..., Any],
    make_zone: Callable[..., Any],
    detector: UnusualVoyages,
    model: FittedForest,
) -> None:
    everywhere = Zones((make_zone("ALL", "high", 121.0, 30.0, 10.0),))
    elsewhere = Zones((make_zone("FAR", "high", 0.0, 0.0),))
    scores = [detector.score_voyages(watch(tonight, zones), model) for zones in (everywhere, elsewhere)]
    assert by_voyage(scores[0]) == by_voyage(scores[1])
    assert "left out" in scores[0].notes[0]
    findings = detector.detect(watch(tonight.with_voyage(11, **odd), everywhere))
    assert any("nearness to them was left out" in caveat for finding in findings for caveat in finding.caveats)


def test_data_of_another_kind_are_noted(
    tonight: Any, watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    assert detector.score_voyages(watch(tonight), model).notes == ()
    notes = detector.score_voyages(watch(tonight.with_all(interval_irregularity=3.0)), model).notes
    assert len(notes) == 1
    assert notes[0].startswith("irregularity of reporting: the median of")


def test_no_voyages_no_findings(
    tonight: Any, watch: Callable[..., Any], detector: UnusualVoyages, model: FittedForest
) -> None:
    nothing = watch(replace(tonight, voyages=[], identities=[], sketches=[]))
    assert list(detector.detect(nothing)) == []
    assert detector.score_voyages(nothing, model).voyage_ids == ()
    silent = watch(replace(tonight, identities=[], sketches=[]))
    assert np.isfinite(detector.score_voyages(silent, model).anomaly_score).any()


def test_input_tables_are_not_changed(
    tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], detector: UnusualVoyages
) -> None:
    scene, same = (watch(tonight.with_voyage(3, **odd)) for _ in range(2))
    detector.detect(scene)
    for name in ("voyages", "identities", "sketches"):
        assert getattr(scene.history, name).equals(getattr(same.history, name))


@pytest.mark.parametrize(
    "changes",
    [
        {"n_trees": 20},
        {"max_samples": 16},
        {"min_class_voyages": 100_000},
        {"false_alarms_per_1000": 100.0},
        {"max_reasons": 1},
        {"unknown_class_factor": 0.1},
        {"min_class_vessels": 1000},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_each_parameter_bites(
    tonight: Any,
    odd: dict[str, Any],
    watch: Callable[..., Any],
    detector: UnusualVoyages,
    model: FittedForest,
    changes: dict[str, Any],
) -> None:
    fleet = tonight.with_voyage(11, **odd)
    other = UnusualVoyages(**{**dict(detector), **changes})
    regrown = other.fit()
    differs = []
    for scene in (watch(fleet), watch(fleet.with_type(55))):
        before = detector.findings(scene, detector.score_voyages(scene, model))
        differs.append(other.findings(scene, other.score_voyages(scene, regrown)) != before)
    assert any(differs)


def test_what_never_varies_in_the_baseline_can_still_be_odd(
    ordinary: Any, tonight: Any, watch: Callable[..., Any], watched: Zones
) -> None:
    still = UnusualVoyages(baseline=fit_baseline(ordinary.with_all(draught_change_m=0.0).history(), watched))
    model = still.fit()
    before = still.score_voyages(watch(tonight.with_all(draught_change_m=0.0)), model)
    after = still.score_voyages(watch(tonight.with_all(draught_change_m=5.0)), model)
    assert np.nanmedian(before.anomaly_score) < 0.7
    assert np.nanmedian(after.anomaly_score) > 0.9
    assert (np.nan_to_num(after.raw_score) >= np.nan_to_num(before.raw_score)).all()


def test_the_seed_of_the_baseline_bites(baseline: Baseline, tonight: Any, watch: Callable[..., Any]) -> None:
    other = Baseline(baseline.table, replace(baseline.origin, seed=5))
    assert other != baseline
    scores = [by_voyage(UnusualVoyages(baseline=b).score_voyages(watch(tonight))) for b in (baseline, other)]
    assert scores[0] != scores[1]


def test_parameters_out_of_bounds_or_unknown_are_refused() -> None:
    for wrong in ({"n_trees": 0}, {"false_alarms_per_1000": 0.0}, {"seed": 1}, {"baseline": "b.parquet"}):
        with pytest.raises(ValidationError):
            UnusualVoyages(**wrong)


def test_a_name_from_the_radio_is_cleaned(
    tonight: Any, odd: dict[str, Any], watch: Callable[..., Any], detector: UnusualVoyages
) -> None:
    fleet = tonight.with_voyage(11, **odd)
    fleet = replace(fleet, identities=[row | {"name": "A\u202eB\n@@"} for row in fleet.identities])
    headline = next(f for f in detector.detect(watch(fleet)) if f.voyage_id == fleet.voyages[11]["voyage_id"]).headline
    assert headline.startswith("AB (MMSI ")


def test_another_baseline_makes_another_forest_and_the_same_one_keeps_it(
    detector: UnusualVoyages,
    baseline: Baseline,
    at_sea: Callable[..., Any],
    watch: Callable[..., Any],
    tonight: Any,
    watched: Zones,
) -> None:
    ready, night = detector.prepared(), watch(tonight)
    assert ready.with_baseline(baseline) is ready
    other = fit_baseline(at_sea(30, 10, seed=77).history(), watched)
    moved = ready.with_baseline(other)
    assert (moved.baseline, moved.n_trees) == (other, detector.n_trees)
    assert by_voyage(moved.score_voyages(night)) == by_voyage(UnusualVoyages(baseline=other).score_voyages(night))
    assert by_voyage(moved.score_voyages(night)) != by_voyage(ready.score_voyages(night))
    assert ready.with_baseline(None).score_voyages(night).model is None


def test_odd_among_are_the_voyages_that_findings_are_made_of(
    detector: UnusualVoyages, model: FittedForest, watch: Callable[..., Any], tonight: Any, odd: dict[str, Any]
) -> None:
    night = watch(tonight.with_voyage(3, **odd))
    scores = detector.score_voyages(night, model)
    found = {finding.voyage_id for finding in detector.findings(night, scores)}
    among = detector.odd_among(scores.features, night.zones)
    assert {name for name, is_odd in zip(scores.voyage_ids, among, strict=True) if is_odd} == found
    assert tonight.voyages[3]["voyage_id"] in found


def test_of_its_own_reference_voyages_about_as_many_are_odd_as_are_promised(
    detector: UnusualVoyages, baseline: Baseline
) -> None:
    odd = detector.odd_references()
    assert set(odd) <= set(baseline.table["voyage_id"].to_pylist())
    assert 0 < len(odd) <= 2 * baseline.n_voyages * detector.false_alarms_per_1000 / 1000.0
    with pytest.raises(UsageError, match="no baseline"):
        detector.with_baseline(None).odd_references()
