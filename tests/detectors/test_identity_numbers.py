"""Numbers the standard does not allow: strong for merchant ships, silent or weak for craft that type what they like."""

from typing import Any

import pytest

from detectors.finding import Finding
from detectors.rules.identity.detector import Identity
from detectors.rules.identity.digits import flag_of, imo_passes, states_of
from tests.detectors.histories import at, scene, spell, stay, voyage
from vessels.ais import flag_state, imo_check_digit_ok, states_of_mmsi

MERCHANT: dict[str, Any] = {"imo": 2000004, "name": "PALE HERON", "ship_type": 70, "length_m": 120.0}
SMALL: dict[str, Any] = {"name": "SEA PUP", "ship_type": 37, "length_m": 12.0, "transceiver": "B"}
SHIP = 273000222


def found(kind: str, *spells: dict[str, Any], **tables: Any) -> list[Finding]:
    return [one for one in Identity().detect(scene(identities=list(spells), **tables)) if one.kind == kind]


@pytest.mark.parametrize(
    ("mmsi", "said", "low", "high", "note"),
    [
        (365729424, MERCHANT, 0.5, 0.6, "a merchant ship under digits of no state"),
        (365729424, {**SMALL, "transceiver": "A"}, 0.05, 0.15, "a small craft of class A"),
        (365729424, SMALL, 0.01, 0.05, "class B"),
        (123456789, MERCHANT, 0.3, 0.45, "a merchant ship's set left unprogrammed"),
        (999999999, {**SMALL, "transceiver": "A"}, 0.01, 0.1, "a small craft's set left unprogrammed"),
        (979012345, MERCHANT, 0.3, 0.4, "a merchant ship under a net buoy's number"),
    ],
)
def test_an_invalid_mmsi_is_graded_by_what_the_set_claims(
    mmsi: int, said: dict[str, Any], low: float, high: float, note: str
) -> None:
    one = found("invalid_mmsi", spell(mmsi, at(0), at(5), **said))
    assert [low <= f.strength <= high for f in one] == [True], note


@pytest.mark.parametrize(
    ("mmsi", "said", "note"),
    [
        (SHIP, MERCHANT, "a ship's number"),
        (999999999, SMALL, "class B under no number"),
        (979012345, SMALL, "a net buoy's number on a small set"),
        (982730001, {**SMALL, "transceiver": "A"}, "a ship's boat"),
        (365729424, {**SMALL, "name": "NET 12-85%"}, "gear"),
    ],
)
def test_nothing_is_said_of_numbers_in_their_place(mmsi: int, said: dict[str, Any], note: str) -> None:
    assert not found("invalid_mmsi", spell(mmsi, at(0), at(5), **said)), note


def test_a_stay_in_a_zone_of_high_watch_makes_it_stronger() -> None:
    claim = spell(365729424, at(0), at(5), **MERCHANT)
    plain = found("invalid_mmsi", claim)
    called = found("invalid_mmsi", claim, port_visits=[stay(365729424, "KP_NAMPO", at(1), at(2))])
    assert called[0].strength > plain[0].strength


def test_each_voyage_under_a_standing_claim_carries_the_finding() -> None:
    voyages = [voyage(365729424, at(0), at(2)), voyage(365729424, at(2), at(4)), voyage(SHIP, at(0), at(4))]
    told = found("invalid_mmsi", spell(365729424, at(0), at(4), **MERCHANT), voyages=voyages)
    assert [f.voyage_id for f in told] == [voyages[0]["voyage_id"], voyages[1]["voyage_id"]]
    assert len({f.finding_id for f in told}) == 2
    moved = found("invalid_mmsi", spell(365729424, at(1), at(4), **MERCHANT), voyages=voyages)
    assert moved[1].finding_id == told[1].finding_id, "a look-back window that moves on keeps the ids of later voyages"


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ({"ship_type": 70, "length_m": 120.0}, 0.2, 0.3),
        ({"ship_type": 31, "length_m": 25.0}, 0.01, 0.1),
        ({"ship_type": 70, "length_m": 120.0, "transceiver": "B"}, 0.01, 0.1),
    ],
)
def test_an_imo_number_that_fails_is_graded_by_the_ship(said: dict[str, Any], low: float, high: float) -> None:
    one = found("invalid_imo", spell(SHIP, at(0), at(5), imo=2000002, name="PALE HERON", **said))
    assert [low <= f.strength <= high for f in one] == [True]
    assert "2000004" in one[0].evidence[0].expected


def test_a_number_sent_for_minutes_or_none_at_all_is_no_invalid_number() -> None:
    assert not found("invalid_imo", spell(SHIP, at(0), at(0, 0.5), **{**MERCHANT, "imo": 2000002}))
    assert not found("invalid_imo", spell(SHIP, at(0), at(5), **{**MERCHANT, "imo": None, "imo_raw": "IMO0000000"}))


def test_a_number_put_right_later_is_weaker() -> None:
    wrong = spell(SHIP, at(0), at(5), **{**MERCHANT, "imo": 2000002})
    alone = found("invalid_imo", wrong)
    mended = found("invalid_imo", wrong, spell(SHIP, at(5), at(9), **MERCHANT))
    assert mended[0].strength < alone[0].strength


@pytest.mark.parametrize(
    ("mmsi", "sign", "said", "low", "high", "note"),
    [
        (273000222, "P5AB", MERCHANT, 0.25, 0.35, "a Korean sign under Russian digits"),
        (273000222, "P5AB", {**MERCHANT, "imo": None, "length_m": 20.0}, 0.05, 0.15, "a small craft"),
    ],
)
def test_a_call_sign_of_another_state_is_found(
    mmsi: int, sign: str, said: dict[str, Any], low: float, high: float, note: str
) -> None:
    one = found("flag_call_sign_mismatch", spell(mmsi, at(0), at(5), call_sign=sign, **said))
    assert [low <= f.strength <= high for f in one] == [True], note


@pytest.mark.parametrize(
    ("mmsi", "said", "note"),
    [
        (273000222, {**MERCHANT, "call_sign": "UBAB7"}, "the state's own series"),
        (319000222, {**MERCHANT, "call_sign": "ZGAB7"}, "a territory's series of its sovereign"),
        (319000222, {**MERCHANT, "call_sign": "MABC7"}, "the sovereign's series"),
        (273000222, {**SMALL, "call_sign": "P5AB"}, "class B"),
        (273000222, {**MERCHANT, "call_sign": "123456"}, "no call sign"),
        (273000222, {**MERCHANT, "call_sign": "P5AB", "n_reports": 1}, "one report"),
        (273000222, {**MERCHANT, "name": "HERONDALE", "call_sign": "HERONDA"}, "the name in the wrong field"),
        (365729424, {**MERCHANT, "call_sign": "P5AB"}, "digits of no state"),
    ],
)
def test_no_mismatch_is_seen_where_none_is_claimed(mmsi: int, said: dict[str, Any], note: str) -> None:
    assert not found("flag_call_sign_mismatch", spell(mmsi, at(0), at(5), **said)), note


def test_single_numbers_are_judged_as_arrays_are() -> None:
    numbers = list(range(2_000_000, 2_000_500))
    assert [imo_passes(n) for n in numbers] == imo_check_digit_ok(numbers).tolist()
    for mmsi in (273000222, 319000222, 365729424, 470000001):
        assert flag_of(mmsi) == flag_state(mmsi)
        assert states_of(mmsi) == states_of_mmsi(mmsi)
