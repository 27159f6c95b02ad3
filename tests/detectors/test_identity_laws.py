"""The identity and watch-list detectors keep every detector's laws, on scenes in which they find something."""

import os
from pathlib import Path
from typing import Any

import pytest

from detectors.batch.scan import derive_history
from detectors.contract import Scene
from detectors.rules.identity.detector import Identity
from detectors.rules.watchlist import ListedVessels
from detectors.testing import check_detector
from detectors.watchlist import ListedVessel, WatchList
from tests.detectors.histories import at, history, sailed, scene, spell, stay, voyage
from tests.detectors.hulls import link
from vessels.intake import read_tracks
from vessels.zones import read_zones

REAL = os.environ.get("WAKEWATCH_REAL_DATA", "")


def changed_hulls() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A hull under another MMSI and IMO number, and two that took each other's: their spells and links."""

    def claim(mmsi: int, days: tuple[float, float], track: str, name: str, imo: int) -> dict[str, Any]:
        said = {"segment_id": track, "hull_id": track[0], "length_m": 110.0, "ship_type": 70}
        return spell(mmsi, at(days[0]), at(days[1]), name=name, imo=imo, **said)

    spells = [
        claim(445000123, (0, 4), "a1", "KNOT", 2000042),
        claim(667000123, (5, 9), "a2", "TURNSTONE", 2000054),
        claim(511000123, (0, 4), "b1", "SANDERLING", 2000066),
        claim(620000123, (0, 4), "c1", "RUFF", 2000078),
        claim(620000123, (5, 9), "b2", "RUFF", 2000078),
        claim(511000123, (5, 9), "c2", "SANDERLING", 2000066),
    ]
    knot, turnstone, sanderling, ruff, new_ruff, new_sanderling = spells
    return spells, [link(knot, turnstone), link(sanderling, new_ruff), link(ruff, new_sanderling)]


def busy_scene() -> Scene:
    """A few ships that together make every kind of finding of this detector."""
    heron = {"imo": 2000004, "name": "PALE HERON", "call_sign": "UBAB7", "ship_type": 80, "length_m": 120.0}
    petrel = {"imo": 2000016, "name": "STORM PETREL", "call_sign": "P5AB", "ship_type": 30, "length_m": 60.0}
    spells = [
        spell(273000222, at(0), at(5), **heron),
        spell(273000222, at(5, 0.5), at(8), **petrel),
        spell(273000222, at(8, 0.5), at(12), **{**petrel, "imo": None}),
        spell(365729424, at(0), at(5), imo=2000002, name="GREY GULL", length_m=90.0, ship_type=70),
        spell(352001870, at(0), at(5), imo=2000028, name="AUK"),
        spell(457300610, at(6), at(12), imo=2000028, name="AUK"),
        spell(636000111, at(7), at(12), place=(-30.0, 20.0), imo=2000028, name="BITTERN"),
        spell(412000333, at(0), at(9), name="CORMORANT", segment_id="s1", hull_id="h1", imo=2000030),
        spell(412000333, at(0), at(9), name="DUNLIN", segment_id="s2", hull_id="h2", imo=2000030),
    ]
    whimbrel = {"imo": 2000080, "name": "WHIMBREL"}
    spells += [
        spell(538000123, at(-20), at(-12), length_m=150.0, beam_m=24.0, segment_id="w1", hull_id="w1", **whimbrel),
        spell(538000123, at(0), at(5), length_m=80.0, beam_m=13.0, segment_id="w2", hull_id="w2", **whimbrel),
    ]
    gull = ListedVessel("gull", "", 2000092, frozenset(), frozenset({"GREY GULL"}), frozenset(), "", "")
    changed, links = changed_hulls()
    spells += changed
    vessels = [
        *[row for row in history(identities=spells).vessels.to_pylist() if row["mmsi"] != 412000333],
        {
            "mmsi": 412000333,
            "first_seen": at(0),
            "last_seen": at(9),
            "n_positions": 500,
            "n_segments": 2,
            "n_alternations": 30,
            "max_separation_nmi": 120.0,
            "overlap_start": at(1),
            "overlap_end": at(8),
        },
    ]
    return scene(
        identities=spells,
        vessels=vessels,
        hull_links=links,
        port_visits=[stay(273000222, "KP_NAMPO", at(3), at(4))],
        voyages=[voyage(365729424, at(0), at(2)), voyage(365729424, at(2), at(5)), voyage(636000111, at(7), at(12))],
        sketches=sailed(273000222, at(4), 72, (35.0, 130.0), (38.0, 134.0)),
        watchlist=WatchList((gull,)),
    )


def test_identity_keeps_the_laws_while_it_makes_every_kind() -> None:
    found = check_detector(Identity(), busy_scene())
    assert {one.kind for one in found} == set(Identity.kinds)


def test_both_detectors_keep_the_laws_on_the_common_scene() -> None:
    check_detector(Identity())
    check_detector(ListedVessels())


@pytest.mark.skipif(not REAL, reason="WAKEWATCH_REAL_DATA is not set")
def test_a_clean_real_night_shows_its_twins_and_no_rename() -> None:
    """US waters, 25 minutes: no MMSI changes its name; four IMO numbers are far apart, one is two sets on a yacht."""
    with read_tracks([Path(REAL) / "marinecadastre_2022-01-03.parquet"]) as tracks:
        past, _, _, _ = derive_history(tracks, read_zones())
    loose = Identity(min_reports=1, min_settled_h=0.0, min_invalid_reports=1, min_imo_claim_h=0.0, min_dropped_h=0.0)
    for detector in (Identity(), loose):
        found = detector.detect(scene(past, zones=read_zones().zones))
        kinds = {one.kind for one in found}
        assert not kinds & {"name_change", "call_sign_change", "imo_change", "flag_change", "shared_mmsi"}
        twins = {int(one.subject.split()[0]): one.strength for one in found if one.kind == "imo_twin"}
        assert set(twins) == {9442718, 9212424, 9022180, 9548574, 9813644}
        assert twins[9022180] <= 0.05
        assert min(twins[9442718], twins[9212424]) >= 0.5
        assert (
            max(one.strength for one in found if one.kind == "invalid_imo") <= 0.25 if "invalid_imo" in kinds else True
        )


@pytest.mark.skipif(not REAL, reason="WAKEWATCH_REAL_DATA is not set")
def test_real_shared_mmsi_are_shared_and_not_renamed() -> None:
    """Thirteen MMSI that several ships share or that are noisy; 240000000 carries two names in turns."""
    with read_tracks([Path(REAL) / "shared_mmsi_labelled.parquet"]) as tracks:
        past, _, _, _ = derive_history(tracks, read_zones())
    found = Identity().detect(scene(past, zones=read_zones().zones))
    shared = {one.mmsi for one in found if one.kind == "shared_mmsi"}
    assert {240000000, 338013000, 416000000} <= shared
    assert not [one for one in found if one.kind.endswith("_change")]
