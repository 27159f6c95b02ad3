"""Listed vessels: matched by a number, or by call sign and name together; never by name alone."""

from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.watchlist import ListedVessels
from detectors.watchlist import ListedVessel, WatchList
from tests.detectors.histories import at, history, scene, spell, voyage

SHIP = 445000111


def entry(**said: Any) -> ListedVessel:
    values: dict[str, Any] = {
        "entry_id": "NK-a",
        "caption": "PALE HERON",
        "imo": None,
        "mmsi": frozenset(),
        "names": frozenset({"PALE HERON"}),
        "call_signs": frozenset(),
        "datasets": "one",
        "url": "",
    }
    return ListedVessel(**{**values, **said})


def found(listed: ListedVessel, *spells: dict[str, Any], **tables: Any) -> list[Finding]:
    return list(ListedVessels().detect(scene(watchlist=WatchList((listed,)), identities=list(spells), **tables)))


HERON: dict[str, Any] = {"imo": 2000004, "name": "PALE HERON", "call_sign": "P5AB"}
OTHER: dict[str, Any] = {"imo": 2000016, "name": "STORM PETREL", "call_sign": "P5AC"}


@pytest.mark.parametrize(
    ("listed", "said", "strength", "note"),
    [
        (entry(imo=2000004), HERON, 0.95, "by IMO number"),
        (entry(imo=2000004), {**HERON, "name": "STORM PETREL"}, 0.95, "by IMO number under another name"),
        (entry(imo=2000004), {**HERON, "n_reports": 1}, 0.5, "by an IMO number sent once"),
        (entry(mmsi=frozenset({SHIP})), OTHER, 0.75, "by MMSI"),
        (entry(mmsi=frozenset({SHIP}), imo=2000004), OTHER, 0.35, "by MMSI, but the ship claims another number"),
        (entry(call_signs=frozenset({"P5AB"})), {**HERON, "name": "M/V PALE HERON"}, 0.6, "by call sign and name"),
        (entry(), HERON, None, "by name alone"),
        (entry(call_signs=frozenset({"P5AB"})), {**OTHER, "call_sign": "P5AB"}, None, "by call sign alone"),
    ],
)
def test_a_match_is_graded_by_its_ground(
    listed: ListedVessel, said: dict[str, Any], strength: float | None, note: str
) -> None:
    assert [f.strength for f in found(listed, spell(SHIP, at(0), at(5), **said))] == (
        [] if strength is None else [strength]
    ), note


def test_two_grounds_are_one_stronger_finding() -> None:
    one = found(entry(imo=2000004, mmsi=frozenset({SHIP})), spell(SHIP, at(0), at(5), **HERON))
    assert len(one) == 1
    assert one[0].strength > 0.95
    assert "IMO number and the MMSI" in one[0].headline


def test_voyages_after_the_listed_number_was_laid_down_are_told_too() -> None:
    legs = [voyage(SHIP, at(0), at(4)), voyage(SHIP, at(6), at(9))]
    spells = [spell(SHIP, at(0), at(5), **HERON), spell(SHIP, at(5), at(9), **OTHER)]
    one = found(entry(imo=2000004), *spells, voyages=legs)
    assert [f.voyage_id for f in one] == [leg["voyage_id"] for leg in legs]
    assert one[1].strength < one[0].strength
    assert "earlier sent" in one[1].headline
    assert any("last heard" in caveat for caveat in one[1].caveats)


def test_a_listed_mmsi_that_says_nothing_of_itself_is_found() -> None:
    vessels = [{"mmsi": SHIP, "first_seen": at(0), "last_seen": at(5)}]
    past = history(vessels=vessels)
    one = ListedVessels().detect(scene(past, watchlist=WatchList((entry(mmsi=frozenset({SHIP})),))))
    assert [(f.mmsi, f.strength) for f in one] == [(SHIP, 0.75)]


def test_the_number_of_reports_asked_for_bites() -> None:
    listed = WatchList((entry(imo=2000004),))
    claim = scene(watchlist=listed, identities=[spell(SHIP, at(0), at(5), n_reports=5, **HERON)])
    assert ListedVessels(min_reports=6).detect(claim)[0].strength < ListedVessels().detect(claim)[0].strength


def test_no_list_finds_nothing() -> None:
    assert not ListedVessels().detect(scene(identities=[spell(SHIP, at(0), at(5), **HERON)]))
