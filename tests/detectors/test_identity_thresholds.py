"""Every parameter of the identity rules bites: moved alone, it changes a finding of a scene made for it."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from detectors.rules.identity.detector import Identity
from detectors.watchlist import ListedVessel, WatchList
from tests.detectors.histories import at, sailed, scene, spell, stay, voyage
from tests.detectors.hulls import link, track

SHIP, OLD, NEW = 273000222, 352001870, 457300610
BASE: dict[str, Any] = {"imo": 2000004, "name": "PALE HERON", "ship_type": 70, "length_m": 120.0, "beam_m": 18.0}


def changed(gap_h: float = 0.5, before_h: float = 240.0, **second: Any) -> list[dict[str, Any]]:
    return [
        spell(SHIP, at(10, -before_h), at(10), **BASE),
        spell(SHIP, at(10, gap_h), at(20), **{**BASE, **second}),
    ]


def named(*names_and_days: tuple[str, float]) -> list[dict[str, Any]]:
    """One name after another, each for so many days."""
    spells, day = [], 0.0
    for name, days in names_and_days:
        spells.append(spell(SHIP, at(day), at(day + days), **{**BASE, "name": name}))
        day += days
    return spells


def two_senders(alternations: int, separation_nmi: float, n_segments: int = 2) -> dict[str, Any]:
    vessel = {
        "mmsi": SHIP,
        "first_seen": at(0),
        "last_seen": at(9),
        "n_positions": 500,
        "n_segments": n_segments,
        "n_alternations": alternations,
        "max_separation_nmi": separation_nmi,
        "overlap_start": at(1),
        "overlap_end": at(8),
    }
    return {"vessels": [vessel], "identities": [spell(SHIP, at(0), at(9), **BASE)]}


def claimants(gap_h: float, apart_deg: float) -> list[dict[str, Any]]:
    """One IMO number under two MMSI, the second so many hours after the first ends, so far to the north."""
    return [
        spell(OLD, at(-30), at(0), place=(10.0, 130.0), **BASE),
        spell(NEW, at(0, gap_h), at(30), place=(10.0 + apart_deg, 130.0), **BASE),
    ]


THREE = ((OLD, -200.0, 10.0), (NEW, 30.0, 40.0), (636000111, 31.0, -20.0))


def torn_apart(claims: Sequence[tuple[int, float, float]]) -> list[dict[str, Any]]:
    """One IMO number under several MMSI at once: from which day, at which latitude."""
    return [spell(mmsi, at(day), at(50), place=(lat, 130.0), **BASE) for mmsi, day, lat in claims]


OTHER: dict[str, Any] = {**BASE, "imo": 2000016, "name": "STORM PETREL"}
FIRST, SECOND = spell(OLD, at(0), at(5), **BASE), spell(NEW, at(6), at(9), **OTHER, segment_id="new", hull_id="new")
THIRD, FOURTH = spell(NEW, at(0), at(7), **OTHER), spell(OLD, at(8), at(12), **BASE, segment_id="old", hull_id="old")
WEAK = link(FIRST, SECOND, probability=0.4)
EXCHANGE = [link(FIRST, SECOND), link(THIRD, FOURTH)]
LAUNDERED: dict[str, Any] = {
    "identities": (FIRST, SECOND),
    "hull_links": [link(FIRST, SECOND)],
    "segments": [track(OLD, at(0), at(5)), track(NEW, at(6), at(20), segment_id="new", hull_id="new")],
    "port_visits": [stay(OLD, "KP_NAMPO", at(2), at(3))],
    "voyages": [
        voyage(NEW, at(6), at(7), segment_id="new", hull_id="new"),
        voyage(NEW, at(8), at(12), segment_id="new", hull_id="new"),
    ],
}
WORN = spell(636000111, at(0), at(19), **OTHER)
RETURNED = spell(NEW, at(20), at(25), **BASE)
OTHER_SIZE = spell(NEW, at(42), at(50), **{**BASE, "length_m": 60.0, "beam_m": 9.0})
LENGTHENED = spell(NEW, at(42), at(50), **{**BASE, "length_m": 150.0})
UNDER_WAY = sailed(SHIP, at(9, 12), 24, (35.0, 130.0), (36.0, 132.0))
RENAMED = changed(name="STORM PETREL")
RENAMED_LATER = [*changed(name="STORM PETREL")[:1], spell(SHIP, at(10, 0.5), at(12), **{**BASE, "name": "GREY GULL"})]
RENAMED_LATER.append(spell(SHIP, at(12), at(20), **{**BASE, "name": "GREY GULL", "length_m": 200.0}))
DROPPERS = [
    {
        **row,
        "mmsi": SHIP + ship,
        "segment_id": f"s{ship}",
        "hull_id": f"h{ship}",
        "imo": row["imo"] if ship < 5 else BASE["imo"],
    }
    for ship in range(20)
    for row in changed(imo=None)
]
MISTYPED: dict[str, Any] = {**BASE, "imo": 2000002, "name": "GREY GULL"}
LISTED: Any = WatchList((ListedVessel("a", "", 2000092, frozenset(), frozenset({"BITTERN"}), frozenset(), "", ""),))
HOPS = [spell(mmsi, at(20 * i), at(20 * i + 18), **BASE) for i, mmsi in enumerate((OLD, NEW, 636000111))]

BITES: list[tuple[str, Any, dict[str, Sequence[dict[str, Any]]]]] = [
    ("min_reports", 500, {"identities": [{**row, "n_reports": 400} for row in RENAMED]}),
    ("min_settled_h", 300.0, {"identities": RENAMED}),
    ("max_returns", 0, {"identities": named(("AUK", 5), ("BITTERN", 5), ("AUK", 5))}),
    ("together_h", 72.0, {"identities": RENAMED_LATER}),
    ("watched_days", 5.0, {"identities": RENAMED, "port_visits": [stay(SHIP, "KP_NAMPO", at(2), at(3))]}),
    ("elevated_days", 1.0, {"identities": RENAMED, "port_visits": [stay(SHIP, "CN_DALIAN", at(7), at(8))]}),
    ("unseen_h", 0.5, {"identities": changed(gap_h=2.0, name="STORM PETREL"), "sketches": UNDER_WAY}),
    ("under_way_kn", 8.0, {"identities": RENAMED, "sketches": UNDER_WAY}),
    ("merchant_length_m", 200.0, {"identities": [{**row, "imo": None} for row in RENAMED]}),
    ("min_invalid_reports", 5000, {"identities": [spell(SHIP, at(0), at(9), **{**BASE, "imo": 2000002})]}),
    ("min_imo_claim_h", 300.0, {"identities": changed(imo=None)}),
    ("min_dropped_h", 300.0, {"identities": changed(imo=None)}),
    ("fleet_drop_share", 0.5, {"identities": DROPPERS}),
    ("length_tolerance_share", 0.5, {"identities": changed(length_m=180.0)}),
    ("length_tolerance_m", 80.0, {"identities": changed(length_m=180.0)}),
    ("beam_tolerance_share", 0.6, {"identities": changed(beam_m=30.0)}),
    ("beam_tolerance_m", 20.0, {"identities": changed(beam_m=30.0)}),
    ("max_speed_kn", 80.0, {"identities": claimants(gap_h=10.0, apart_deg=10.0)}),
    ("position_slack_nmi", 40.0, {"identities": claimants(gap_h=0.1, apart_deg=0.5)}),
    ("handover_overlap_h", 2.0, {"identities": claimants(gap_h=-6.0, apart_deg=0.0)}),
    ("hopping_days", 5.0, {"identities": HOPS}),
    ("min_alternations", 50, two_senders(40, 100.0)),
    ("min_separation_nmi", 200.0, two_senders(40, 100.0)),
    ("max_bearers", 2, {"identities": torn_apart(THREE)}),
    ("min_bearer_probability", 0.95, {"identities": torn_apart(THREE[:2])}),
    ("min_link_probability", 0.5, {"identities": (FIRST, SECOND), "hull_links": [WEAK]}),
    ("laundered_days", 1.0, LAUNDERED),
    ("exchange_days", 0.0, {"identities": (FIRST, SECOND, THIRD, FOURTH), "hull_links": EXCHANGE}),
    ("revival_silence_days", 30.0, {"identities": [RETURNED, OTHER_SIZE]}),
    ("revival_speed_kn", 40.0, {"identities": claimants(gap_h=170.0, apart_deg=79.0)}),
    ("conversion_days", 10.0, {"identities": [RETURNED, LENGTHENED]}),
    (
        "revival_link_probability",
        0.9,
        {"identities": (FIRST, WORN, RETURNED), "hull_links": [link(WORN, RETURNED, probability=0.8)]},
    ),
    ("near_listed_share", 0.01, {"identities": [spell(SHIP, at(0), at(9), **MISTYPED)], "watchlist": LISTED}),
    ("max_sharers", 40, two_senders(40, 100.0, n_segments=30)),
]


def results(detector: Identity, tables: dict[str, Any]) -> list[tuple[str, float]]:
    return [(one.kind, one.strength) for one in detector.detect(scene(**tables))]


@pytest.mark.parametrize(("name", "value", "tables"), BITES, ids=[bite[0] for bite in BITES])
def test_a_parameter_moved_alone_changes_a_finding(name: str, value: Any, tables: dict[str, Any]) -> None:
    assert results(Identity(), tables) != results(Identity(**{name: value}), tables)


def test_no_parameter_is_left_out() -> None:
    if missing := set(Identity.model_fields) - {bite[0] for bite in BITES}:
        pytest.fail(f"parameters that no scene shows to bite: {sorted(missing)}")


@pytest.mark.parametrize("wrong", [{"min_reports": 0}, {"watched_days": -1.0}, {"max_speed": 20.0}])
def test_values_out_of_bounds_and_unknown_names_fail_at_construction(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Identity(**wrong)
