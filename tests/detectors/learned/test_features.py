"""Voyage features: what they measure, and against a slow, obvious twin."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.learned.approach import WATCH_HORIZON_NMI, watched_approach_nmi
from detectors.learned.features import ASPECTS, FEATURE_NAMES, FEATURES, MIN_POSITIONS, voyage_features
from detectors.learned.spans import last_begun
from vessels.geodesy import distance_nmi
from vessels.zones import Zones


def features_by_voyage(fleet: Any, zones: Zones, shuffle: int | None = None) -> dict[str, dict[str, Any]]:
    table = voyage_features(fleet.history(shuffle), zones)
    return {row["voyage_id"]: row for row in table.to_pylist()}


def test_every_feature_belongs_to_exactly_one_aspect() -> None:
    assert sorted(name for _, names in ASPECTS for name in names) == sorted(FEATURE_NAMES)


def test_the_documentation_lists_every_feature_as_declared() -> None:
    page = (Path(__file__).parents[3] / "docs" / "anomaly.md").read_text(encoding="utf-8")
    for aspect, names in ASPECTS:
        for feature in (one for one in FEATURES if one.name in names):
            assert (
                f"| {aspect} | `{feature.name}` | {feature.unit or ' '} | {feature.words} | {feature.meaning} |" in page
            )


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_comes_back_from_its_scale(feature: Any) -> None:
    assert feature.original(feature.scaled([0.0, 0.5, 42.0])) == pytest.approx([0.0, 0.5, 42.0])


def test_features_do_not_depend_on_row_order(ordinary: Any, watched: Zones) -> None:
    assert features_by_voyage(ordinary, watched) == features_by_voyage(ordinary, watched, shuffle=5)


def test_the_class_is_the_one_claimed_longest_on_the_voyage(at_sea: Callable[..., Any], watched: Zones) -> None:
    fleet = at_sea(1, 1, seed=3, classes=("cargo",))
    voyage, claim = fleet.voyages[0], fleet.identities[0]
    third = timedelta(hours=voyage["duration_h"] / 3)
    spells = [
        claim | {"ship_type": 70, "length_m": 90.0, "last_seen": voyage["start"] + third},
        claim | {"ship_type": 80, "length_m": 120.0, "first_seen": voyage["start"] + third},
        claim | {"ship_type": None, "length_m": None, "first_seen": voyage["start"]},
    ]
    row = features_by_voyage(replace(fleet, identities=spells), watched)[voyage["voyage_id"]]
    assert (row["ship_class"], row["length_band"]) == ("tanker", "100 to 150 m")


def test_static_data_heard_once_before_the_voyage_still_count(at_sea: Callable[..., Any], watched: Zones) -> None:
    fleet = at_sea(1, 3, seed=3, classes=("tanker",))
    long_ago = fleet.voyages[0]["start"] - timedelta(days=9)
    spells = [fleet.identities[0] | {"first_seen": long_ago, "last_seen": long_ago, "segment_id": None}]
    rows = features_by_voyage(replace(fleet, identities=spells), watched).values()
    assert {row["ship_class"] for row in rows} == {"tanker"}


@pytest.mark.parametrize("length_m", [None, 0.0, 1022.0])
def test_a_length_that_no_ship_has_is_unknown(
    at_sea: Callable[..., Any], watched: Zones, length_m: float | None
) -> None:
    fleet = at_sea(1, 1, seed=3)
    spells = [row | {"length_m": length_m} for row in fleet.identities]
    rows = features_by_voyage(replace(fleet, identities=spells), watched).values()
    assert {row["length_band"] for row in rows} == {"unknown"}


def test_the_sign_of_a_draught_change_does_not_matter(ordinary: Any, watched: Zones) -> None:
    fleet = ordinary.with_voyage(0, draught_change_m=-3.0).with_voyage(1, draught_change_m=3.0)
    rows = features_by_voyage(fleet, watched)
    assert [rows[fleet.voyages[i]["voyage_id"]]["draught_change_m"] for i in (0, 1)] == [3.0, 3.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_h": 5.9},
        {"n_positions": MIN_POSITIONS - 1},
        {"distance_nmi": 9.0},
        dict.fromkeys([name for name in FEATURE_NAMES if name not in ("stops_per_day", "watched_approach_nmi")]),
    ],
    ids=["short", "few reports", "hardly moved", "nothing known"],
)
def test_a_voyage_with_too_little_data_is_not_scorable(ordinary: Any, watched: Zones, changes: dict[str, Any]) -> None:
    fleet = ordinary.with_voyage(0, **changes)
    rows = features_by_voyage(fleet, watched)
    assert not rows[fleet.voyages[0]["voyage_id"]]["is_scorable"]
    assert rows[fleet.voyages[1]["voyage_id"]]["is_scorable"]


def test_last_begun_agrees_with_looking_through_all_spans() -> None:
    rng = np.random.default_rng(11)
    span_key, span_start = rng.integers(0, 6, 60), rng.integers(0, 50, 60)
    key, time = rng.integers(0, 8, 200), rng.integers(-5, 60, 200)
    slow = []
    for k, t in zip(key, time, strict=True):
        begun = [i for i in range(60) if span_key[i] == k and span_start[i] <= t]
        slow.append(max(begun, key=lambda i: (span_start[i], i)) if begun else -1)
    assert last_begun(span_key, span_start, key, time).tolist() == slow
    none = np.empty(0, dtype=np.int64)
    assert last_begun(none, none, key, time).tolist() == [-1] * 200
    assert last_begun(span_key, span_start, none, none).tolist() == []


def test_the_nearest_approach_agrees_with_trying_all_points_of_the_fence(
    ordinary: Any, make_zone: Callable[..., Any]
) -> None:
    zones = Zones((make_zone("A", "high", 123.0, 35.0), make_zone("B", "high", 126.0, 33.0, 0.2)))
    fleet = replace(ordinary, voyages=ordinary.voyages[:40])
    history = fleet.history()
    fast = watched_approach_nmi(history.voyages, history.voyage_parts, history.sketches, zones)
    sides = np.linspace(0.0, 1.0, 400)
    for row, nearest in zip(history.voyages.to_pylist(), fast, strict=True):
        expected = WATCH_HORIZON_NMI
        for sketch in fleet.sketches:
            if sketch["segment_id"] == row["segment_id"] and row["start"] <= sketch["timestamp"] <= row["last_seen"]:
                for zone in zones.zones:
                    west, south, east, north = zone.geometry.bounds
                    if west <= sketch["lon"] <= east and south <= sketch["lat"] <= north:
                        expected = 0.0
                    lon = np.concatenate([west + (east - west) * sides] * 2 + [np.repeat([west, east], 400)])
                    lat = np.concatenate([np.repeat([south, north], 400), *[south + (north - south) * sides] * 2])
                    expected = min(expected, float(distance_nmi(sketch["lat"], sketch["lon"], lat, lon).min()))
        assert nearest == pytest.approx(expected, abs=0.5, rel=0.01)


def test_rotating_all_longitudes_changes_no_approach(ordinary: Any, make_zone: Callable[..., Any]) -> None:
    fleet = replace(ordinary, voyages=ordinary.voyages[:80])
    history = fleet.history()
    here = watched_approach_nmi(
        history.voyages, history.voyage_parts, history.sketches, Zones((make_zone("A", "high", 123.0, 35.0),))
    )
    turned = replace(fleet, sketches=[s | {"lon": (s["lon"] + 56.5 + 180.0) % 360.0 - 180.0} for s in fleet.sketches])
    history = turned.history()
    there = watched_approach_nmi(
        history.voyages, history.voyage_parts, history.sketches, Zones((make_zone("A", "high", 179.5, 35.0),))
    )
    assert there == pytest.approx(here, abs=1e-6)
    assert len(np.unique(here)) > 10


def test_without_a_watched_zone_or_a_sketch_the_approach_is_unknown(
    ordinary: Any, make_zone: Callable[..., Any]
) -> None:
    history = ordinary.history()
    elevated = Zones((make_zone("A", "elevated", 123.0, 35.0),))
    assert np.isnan(watched_approach_nmi(history.voyages, history.voyage_parts, history.sketches, elevated)).all()
    nothing = replace(ordinary, sketches=[]).history()
    zones = Zones((make_zone("A", "high", 123.0, 35.0),))
    assert np.isnan(watched_approach_nmi(nothing.voyages, nothing.voyage_parts, nothing.sketches, zones)).all()
