"""Whose number it is: the true bearer is named with its reasons, the victim stays low, and ignorance is said."""

from collections.abc import Sequence
from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.identity.detector import Identity
from detectors.testing import check_detector
from tests.detectors.histories import at, history, sailed, scene, spell, stay, voyage

OWNER, THIEF = 352001870, 457300610
SHIP: dict[str, Any] = {"imo": 2000004, "name": "PALE HERON", "ship_type": 70, "length_m": 120.0, "beam_m": 18.0}
HERE, THERE = (35.0, 130.0), (10.0, 105.0)


def told(kind: str, *spells: dict[str, Any], **tables: Any) -> list[Finding]:
    findings = Identity().detect(scene(identities=list(spells), **tables))
    return [one for one in findings if one.kind == kind]


def lines(finding: Finding) -> str:
    return "\n".join(f"{one.what}: {one.observed}" for one in finding.evidence)


def stolen(lead_days: float = 21.0, **thief: Any) -> list[dict[str, Any]]:
    return [
        spell(OWNER, at(0), at(40), place=HERE, **SHIP),
        spell(THIEF, at(lead_days), at(40), place=THERE, **{**SHIP, **thief}),
    ]


VOYAGES = [voyage(OWNER, at(0), at(40)), voyage(THIEF, at(0), at(30)), voyage(THIEF, at(30), at(40))]
GULL = {**SHIP, "imo": 2000016, "name": "GREY GULL"}


def test_the_finding_goes_to_the_likely_thief_in_full_and_to_the_victim_hardly() -> None:
    tracks = sailed(OWNER, at(0), 960, HERE, HERE) + sailed(THIEF, at(0), 960, THERE, THERE)
    found = told("imo_twin", *stolen(), spell(THIEF, at(0), at(20), **GULL), voyages=VOYAGES, sketches=tracks)
    full = [one for one in found if one.mmsi == THIEF]
    weak = [one for one in found if one.mmsi == OWNER]
    assert len(full) == 2
    assert {one.other_mmsi for one in full} == {(OWNER,)}
    assert min(one.strength for one in full) >= 0.6
    assert [one.other_mmsi for one in weak] == [(THIEF,)]
    assert weak[0].strength < 0.1
    assert any("victim" in caveat for caveat in weak[0].caveats)
    assert f"PALE HERON (MMSI {OWNER}) probably bears it in truth (0.9" in full[0].headline
    assert "was GREY GULL, IMO number 2000016, before" in full[0].headline
    assert f"for PALE HERON (MMSI {OWNER})" in lines(full[0])
    assert f"against PALE HERON (MMSI {THIEF})" in lines(full[0])


def test_the_ship_heard_first_is_blamed_where_it_took_the_number_from_the_later_one() -> None:
    rows = [spell(THIEF, at(0), at(10), **GULL), *stolen(lead_days=10.0)]
    late = [{**row, "first_seen": at(12)} if row["mmsi"] == OWNER else row for row in rows]
    found = told("imo_twin", *late)
    assert {(one.mmsi, one.strength >= 0.6) for one in found} == {(THIEF, True), (OWNER, False)}


def test_an_hour_of_data_leaves_it_undecided_and_the_finding_as_it_was() -> None:
    rows = [
        spell(OWNER, at(0), at(0, 1), place=HERE, **SHIP),
        spell(THIEF, at(0, 0.2), at(0, 1), place=THERE, **{**SHIP, "name": "GREY GULL", "call_sign": "UBAB7"}),
    ]
    one = told("imo_twin", *rows)
    assert [(f.mmsi, f.strength >= 0.6) for f in one] == [(THIEF, True)]
    assert "in truth" not in one[0].headline
    assert any("undecided" in caveat for caveat in one[0].caveats)


def test_a_number_mistyped_at_first_is_no_other_identity() -> None:
    right = told("imo_twin", *stolen(lead_days=1.0), spell(THIEF, at(0), at(1), **{**SHIP, "imo": 2000014}))
    other = told("imo_twin", *stolen(lead_days=1.0), spell(THIEF, at(0), at(1), **GULL))
    assert "in truth" not in right[0].headline
    assert "in truth" in other[0].headline


def link(probability: float, **said: Any) -> dict[str, Any]:
    row = {
        "link_id": "link-1",
        "from_segment_id": "segment-445000777",
        "to_segment_id": f"segment-{THIEF}",
        "from_mmsi": 445000777,
        "to_mmsi": THIEF,
        "ended": at(2, 10),
        "began": at(3),
        "from_silence": False,
        "to_silence": False,
        "gap_h": 14.0,
        "distance_nmi": 3.2,
        "probability": probability,
        "is_strong": probability >= 0.8,
        "from_imo": 2000016,
        "to_imo": 2000004,
        "from_name": "GREY GULL",
        "to_name": "PALE HERON",
        "rivals": [],
        "evidence": [],
    }
    return {**row, **said}


def test_a_hull_that_fell_silent_where_the_newcomer_was_born_is_named() -> None:
    one = next(f for f in told("imo_twin", *stolen(3.0), hull_links=[link(0.86)]) if f.mmsi == THIEF)
    assert "was probably GREY GULL (MMSI 445000777), IMO number 2000016, before" in lines(one)
    assert "link 0.86" in lines(one)
    assert "in truth" in one.headline
    assert "in truth" not in told("imo_twin", *stolen(3.0))[0].headline


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (link(0.86, to_silence=True), "it had borne the number before the silence"),
        (link(0.86, from_imo=2000004), "the same ship under another flag"),
        (link(0.86, from_imo=None, from_name="PALE HERON"), "the same name"),
        (link(0.86, from_imo=2000014), "a slip of one digit"),
        (link(0.1), "hardly a link"),
        (link(0.86, to_segment_id="segment-1"), "a link of another track"),
    ],
)
def test_links_that_show_no_other_identity_say_nothing(row: dict[str, Any], note: str) -> None:
    assert "in truth" not in told("imo_twin", *stolen(3.0), hull_links=[row])[0].headline, note


@pytest.mark.parametrize("gap_h", [6.0, -6.0])
def test_a_victim_that_changes_its_flag_meanwhile_stays_the_older_bearer(gap_h: float) -> None:
    """The new flag's MMSI is younger than the thief's claim; its hull is not."""
    new_flag = 636000111
    rows = [
        spell(OWNER, at(0), at(25), place=HERE, **SHIP),
        spell(THIEF, at(15), at(40), place=THERE, **SHIP),
        spell(new_flag, at(25, gap_h), at(40), place=HERE, **SHIP),
    ]
    tracks = [
        *sailed(OWNER, at(0), 600, HERE, HERE),
        *sailed(THIEF, at(15), 600, THERE, THERE),
        *sailed(new_flag, at(25, gap_h), 350, HERE, HERE),
    ]
    found = told("imo_twin", *rows, sketches=tracks, hull_links=[link(0.9, from_name="GREY GULL")])
    assert {one.mmsi for one in found if one.strength > 0.3} == {THIEF}
    assert {one.mmsi for one in found if one.strength < 0.1} == {OWNER, new_flag}


def test_two_sets_on_the_victim_are_one_claimant() -> None:
    second = 352001999
    rows = [*stolen(), spell(second, at(0), at(40), place=HERE, **SHIP)]
    tracks = [
        *sailed(OWNER, at(0), 960, HERE, HERE),
        *sailed(second, at(0), 960, HERE, HERE),
        *sailed(THIEF, at(21), 456, THERE, THERE),
    ]
    found = told("imo_twin", *rows, sketches=tracks)
    assert {one.mmsi for one in found if one.strength > 0.3} == {THIEF}


def test_of_many_ships_under_one_number_none_is_named() -> None:
    places = ((35.0, 130.0), (10.0, 105.0), (-30.0, 20.0), (50.0, -20.0))
    rows = [spell(352001870 + i, at(9 * i), at(40), place=places[i], **SHIP) for i in range(4)]
    assert all("in truth" not in one.headline for one in told("imo_twin", *rows))
    assert any("in truth" in one.headline for one in told("imo_twin", *rows[::3]))


# --- one MMSI


def track(name: str, start: Any, end: Any, place: tuple[float, float], mmsi: int = OWNER) -> dict[str, Any]:
    row = {"segment_id": f"s-{name}", "hull_id": f"h-{name}", "mmsi": mmsi, "start": start, "end": end}
    (lat, lon) = place
    return {**row, "start_lat": lat, "start_lon": lon, "end_lat": lat, "end_lon": lon, "n_positions": 900}


def shared(tracks: Sequence[dict[str, Any]], first: Any, last: Any, mmsi: int = OWNER, **tables: Any) -> list[Finding]:
    row = {
        "mmsi": mmsi,
        "first_seen": at(0),
        "last_seen": at(40),
        "n_positions": 3000,
        "n_segments": len(tracks),
        "n_noise": 0,
        "n_alternations": 400,
        "max_separation_nmi": 700.0,
        "overlap_start": first,
        "overlap_end": last,
    }
    spells = [
        spell(mmsi, one["start"], one["end"], segment_id=one["segment_id"], hull_id=one["hull_id"], **SHIP)
        for one in tracks
    ]
    legs = [
        voyage(
            mmsi, one["start"], one["end"], voyage_id=f"v-{one['segment_id'][2:]}",
            hull_id=one["hull_id"], segment_id=one["segment_id"],
        )
        for one in tracks
    ]  # fmt: skip
    return told("shared_mmsi", *spells, vessels=[row], segments=tracks, voyages=legs, **tables)


BORROWED = [track("owner", at(0), at(40), HERE), track("thief", at(18), at(30), THERE)]


def test_under_a_shared_mmsi_the_voyages_of_the_true_bearer_are_weak() -> None:
    found = {one.voyage_id: one for one in shared(BORROWED, at(18), at(30))}
    assert set(found) == {"v-owner", "v-thief"}
    assert found["v-thief"].strength >= 0.6
    assert found["v-owner"].strength < 0.1
    assert "This is the track first heard 2024-03-19" in found["v-thief"].headline
    assert "The track first heard 2024-03-01" in found["v-thief"].headline
    assert "probably bears the MMSI in truth" in found["v-thief"].headline


def test_a_track_broken_and_taken_up_again_is_one_claimant() -> None:
    broken = [
        track("owner", at(0), at(20), HERE),
        track("owner again", at(20, 2), at(40), HERE),
        track("thief", at(18), at(30), THERE),
    ]
    found = {one.voyage_id: one.strength for one in shared(broken, at(18), at(30))}
    assert found["v-thief"] >= 0.6
    assert max(found["v-owner"], found["v-owner again"]) < 0.1


@pytest.mark.parametrize(
    ("tracks", "mmsi", "note"),
    [
        ([track("one", at(0), at(40), HERE), track("other", at(0), at(40), THERE)], OWNER, "both from the beginning"),
        (
            [track("one", at(0), at(40), HERE, 352000000), track("other", at(18), at(30), THERE, 352000000)],
            352000000,
            "x",
        ),
        (
            [*BORROWED, track("third", at(25), at(30), (-30.0, 20.0)), track("fourth", at(26), at(30), (50.0, -20.0))],
            OWNER,
            "four hulls",
        ),
    ],
)
def test_where_nothing_tells_them_apart_no_bearer_is_named(tracks: list[dict[str, Any]], mmsi: int, note: str) -> None:
    found = shared(tracks, at(18), at(30), mmsi)
    assert found, note
    assert all("in truth" not in one.headline for one in found), note
    assert len({one.strength for one in found}) == 1, note


def test_a_link_names_the_hull_behind_a_track_under_a_shared_mmsi() -> None:
    row = link(0.9, to_segment_id="s-thief", to_mmsi=OWNER, began=at(18))
    one = next(f for f in shared(BORROWED, at(18), at(30), hull_links=[row]) if f.voyage_id == "v-thief")
    assert "was probably GREY GULL (MMSI 445000777)" in one.headline


def test_naming_the_bearer_keeps_the_laws_of_detectors() -> None:
    spells = [
        *stolen(),
        spell(THIEF, at(0), at(20), **GULL),
        spell(OWNER + 7, at(0), at(40), segment_id="s-owner", hull_id="h-owner", name="AUK", imo=2000028),
        spell(OWNER + 7, at(18), at(30), segment_id="s-thief", hull_id="h-thief", name="AUK", imo=2000028),
    ]
    vessels = [row for row in history(identities=spells).vessels.to_pylist() if row["mmsi"] != OWNER + 7]
    vessels.append(
        {
            **vessels[0],
            "mmsi": OWNER + 7,
            "n_segments": 2,
            "n_alternations": 400,
            "max_separation_nmi": 700.0,
            "overlap_start": at(18),
            "overlap_end": at(30),
        }
    )
    busy = scene(
        identities=spells,
        vessels=vessels,
        segments=[{**row, "mmsi": OWNER + 7} for row in BORROWED],
        voyages=[*VOYAGES, voyage(OWNER + 7, at(0), at(40), hull_id="h-owner", segment_id="s-owner")],
        port_visits=[stay(OWNER, "KR_BUSAN", at(5 * i), at(5 * i, 9)) for i in range(8)],
        hull_links=[link(0.7)],
    )
    found = check_detector(Identity(), busy)
    assert {one.kind for one in found if "in truth" in one.headline} == {"imo_twin", "shared_mmsi"}
