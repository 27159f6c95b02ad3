"""Drift: what moved is told, in natural units; chance, two habits and a handful of ships are not."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.learned.baseline import fit_baseline
from detectors.learned.drift import DRIFT, MIN_VESSELS, MIN_VOYAGES, drift
from detectors.learned.features import FEATURE_NAMES, FEATURES, voyage_features
from tests.detectors.learned.conftest import WATCHED, Fleet, sail

FLEET = sail(80, 12, seed=21)
REFERENCE = fit_baseline(FLEET.history(), WATCHED)
OTHERS = sail(80, 12, seed=22)


def told(fleet: Fleet, comparable=True, reference=REFERENCE):
    """The drift of a fleet's voyages from the reference, by class and feature."""
    features = voyage_features(fleet.history(), WATCHED)
    features = features.filter(features["is_scorable"])
    table = drift("newest", reference, features, features["mmsi"].to_numpy(), comparable=comparable)
    assert table.column_names == list(DRIFT.names)
    return {(row["ship_class"], row["feature"]): row for row in table.to_pylist()}


def notable(lines):
    return {key for key, line in lines.items() if line["is_notable"]}


def some(fleet, share, **changes):
    """The fleet with this share of its voyages sailed otherwise; a callable changes the value that was."""
    drawn = np.random.default_rng(1).random(len(fleet.voyages)) < share
    rows = []
    for row, hit in zip(fleet.voyages, drawn, strict=True):
        new = {name: change(row[name]) if callable(change) else change for name, change in changes.items()}
        rows.append(row | (new if hit else {}))
    return replace(fleet, voyages=rows)


def test_other_ships_with_the_same_habits_have_not_drifted():
    for seed in range(22, 28):
        lines = told(sail(80, 12, seed=seed))
        assert {kind for kind, _ in lines} >= {"", "cargo"}
        assert not notable(lines)


def test_all_features_of_all_ships_are_compared_in_their_units():
    lines = told(OTHERS)
    assert [feature for kind, feature in lines if not kind] == list(FEATURE_NAMES)
    for feature in FEATURES:
        line = lines["", feature.name]
        values = np.array(REFERENCE.table[feature.name].to_pylist(), dtype=np.float64)
        assert line["unit"] == feature.unit
        assert line["reference_median"] == pytest.approx(np.nanmedian(values), abs=1e-3)
        assert line["n_reference"] == np.isfinite(values).sum()
        assert 0.0 <= line["reference_outside_share"] <= 0.101
        assert abs(line["exceeds_share"] - 0.5) < 0.1


def test_a_baseline_has_not_drifted_from_itself():
    table = drift("learned", REFERENCE, REFERENCE.table, REFERENCE.vessel, comparable=True)
    for row in table.to_pylist():
        assert (row["shift_spreads"], row["exceeds_share"]) == (0.0, 0.5)
        assert row["outside_share"] == row["reference_outside_share"]
        assert not row["is_notable"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_fleet_that_sails_faster_or_slower_is_told_and_by_how_much(sign):
    lines = told(some(OTHERS, 1.0, mean_speed_kn=lambda kn: kn + sign * 2.0))
    line = lines["cargo", "mean_speed_kn"]
    assert ("cargo", "mean_speed_kn") in notable(lines)
    assert line["median"] - line["reference_median"] == pytest.approx(sign * 2.0, abs=0.3)
    assert line["shift_spreads"] * sign > 0.5
    assert (line["exceeds_share"] - 0.5) * sign > 0.138
    assert {feature for _, feature in notable(lines)} == {"mean_speed_kn"}


def test_a_habit_of_a_part_of_the_ships_that_no_median_shows_is_told():
    lines = told(some(OTHERS, 0.35, status_mismatch_share=0.9))
    line = lines["", "status_mismatch_share"]
    assert line["shift_spreads"] == 0.0
    assert line["outside_share"] > 0.3
    assert ("", "status_mismatch_share") in notable(lines)
    assert not notable(told(some(OTHERS, 0.05, status_mismatch_share=0.9)))


def test_where_ships_have_two_habits_a_median_that_leaps_from_one_to_the_other_is_no_drift():
    def with_two(fleet, share):
        return some(some(fleet, 1.0, turning_deg_per_nmi=2.0), share, turning_deg_per_nmi=20.0)

    reference = fit_baseline(with_two(FLEET, 0.46).history(), WATCHED)
    lines = told(with_two(OTHERS, 0.54), reference=reference)
    assert abs(lines["", "turning_deg_per_nmi"]["shift_spreads"]) > 0.5
    assert not notable(lines)


def test_a_few_ships_on_a_new_charter_are_no_drift():
    few = sail(MIN_VESSELS - 1, 20, seed=23).with_all(mean_speed_kn=25.0)
    assert told(few) == {}
    assert notable(told(sail(40, 10, seed=23).with_all(mean_speed_kn=25.0)))


def test_few_voyages_are_not_told():
    assert told(sail(MIN_VOYAGES - 1, 1, seed=23)) == {}


def test_nearness_is_left_out_where_the_watched_zones_differ():
    assert ("", "watched_approach_nmi") in told(OTHERS)
    assert "watched_approach_nmi" not in {feature for _, feature in told(OTHERS, comparable=False)}


def test_what_is_not_known_is_not_compared():
    lines = told(OTHERS.with_all(drift_angle_deg=None))
    assert "drift_angle_deg" not in {feature for _, feature in lines}
    assert ("", "mean_speed_kn") in lines
