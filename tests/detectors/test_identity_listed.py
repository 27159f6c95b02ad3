"""Near misses of the watch list: told as strongly as chance is unlikely, and never of lawful neighbours."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.identity.claims import claims_of
from detectors.rules.identity.detector import Identity
from detectors.rules.identity.listed import near_listed_identity
from detectors.rules.identity.near_listed import chance, edits
from detectors.rules.identity.near_listed.likeness import Spellings
from detectors.rules.identity.near_listed.listings import call_sign_key
from detectors.testing import check_detector
from detectors.watchlist import ListedVessel, WatchList
from tests.detectors.histories import at, history, scene, spell, voyage
from vessels import schema
from vessels.ais import imo_check_digit_ok
from vessels.names import _SHORT_FORMS, near_equal_call_signs, spelling

LISTED = 2000004
ONE_OFF_FAILS = 2000014
ONE_OFF_PASSES = 2500004
FAR = 3141598
SHIP, OTHER = 273000222, 538004321


def entry(**said: Any) -> ListedVessel:
    values: dict[str, Any] = {
        "entry_id": "NK-a",
        "caption": "PALE HERON",
        "imo": LISTED,
        "mmsi": frozenset(),
        "names": frozenset({"PALE HERON"}),
        "call_signs": frozenset(),
        "datasets": "one",
        "url": "",
    }
    return ListedVessel(**{**values, **said})


def ship(**said: Any) -> dict[str, Any]:
    values = {"imo": FAR, "name": "STORM PETREL", "ship_type": 70, "length_m": 120.0, "call_sign": "UBAB7"}
    return spell(said.pop("mmsi", SHIP), at(0), at(5), **{**values, **said})


def found(listed: ListedVessel | tuple[ListedVessel, ...], *spells: dict[str, Any], **tables: Any) -> list[Finding]:
    entries = listed if isinstance(listed, tuple) else (listed,)
    told = Identity().detect(scene(watchlist=WatchList(entries), identities=list(spells), **tables))
    return [one for one in told if one.kind == "near_listed_identity"]


def strangers(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Ships of their own, each with a valid IMO number far from the listed one."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice(np.arange(3_000_000, 3_900_000), 10 * n, replace=False)
    numbers = numbers[imo_check_digit_ok(numbers)][:n]
    letters = rng.choice(list("ABCDEFGHIKLMNOPRSTU"), size=(n, 9))
    return [
        ship(mmsi=273_500_000 + 137 * i, imo=int(number), name="".join(name), length_m=float(60 + i % 200))
        for i, (number, name) in enumerate(zip(numbers, letters, strict=False))
    ]


def entries_like(n: int, **said: Any) -> tuple[ListedVessel, ...]:
    """A list of `n` vessels beside `entry()`, behind the same first digit."""
    numbers = np.arange(2_345_000, 2_345_000 + 12 * n)
    numbers = numbers[imo_check_digit_ok(numbers)][:n]
    names = [f"VESSEL {'ABCDEFGHIK'[i % 10]}{'LMNOPRSTUV'[i // 10 % 10]} {i}" for i in range(n)]
    others = [
        entry(entry_id=f"id-{i}", imo=int(number), caption=name, names=frozenset({name}))
        for i, (number, name) in enumerate(zip(numbers, names, strict=False))
    ]
    return (entry(**said), *others)


NUMBERS: list[tuple[ListedVessel, dict[str, Any], float, float, str]] = [
    (entry(), {"imo": ONE_OFF_FAILS}, 0.2, 0.85, "one digit off, check digit fails, another name"),
    (entry(), {"imo": ONE_OFF_FAILS, "name": "PALE HERON"}, 0.85, 0.9, "the same, and the same name"),
    (entry(), {"imo": 2000040, "name": "PALE HERON"}, 0.85, 0.9, "two digits exchanged"),
    (entry(), {"imo": ONE_OFF_PASSES, "name": "PALE HERON"}, 0.85, 0.9, "one digit off, passes, the same name"),
    (entry(), {"imo": ONE_OFF_PASSES, "name": None}, 0.1, 0.8, "one digit off, passes, no name sent"),
    (entry(), {"imo": None, "imo_raw": "200004", "name": "PALE HERON"}, 0.8, 0.9, "one digit left out"),
    (entry(), {"imo": None, "imo_raw": "IMO 20000034", "name": "PALE HERON"}, 0.8, 0.9, "one digit put in"),
    (entry(mmsi=frozenset({273000223})), {"name": "PALE HEROM"}, 0.5, 0.9, "MMSI one digit off, name one letter"),
]


@pytest.mark.parametrize(("listed", "said", "low", "high", "note"), NUMBERS)
def test_a_number_one_edit_from_a_listed_one_is_told(
    listed: ListedVessel, said: dict[str, Any], low: float, high: float, note: str
) -> None:
    assert [low <= one.strength <= high for one in found(listed, ship(**said))] == [True], note


NAMES: list[tuple[ListedVessel, dict[str, Any], bool, str]] = [
    (entry(length_m=120.0), {"name": "PALE HEROM"}, True, "one letter changed, length equal"),
    (entry(length_m=121.0), {"name": "PALE HERO"}, True, "one letter dropped, length a metre off"),
    (entry(length_m=119.0), {"name": "PALLE HERON"}, True, "one letter put in"),
    (entry(length_m=120.0), {"name": "PALE HEORN"}, True, "two letters exchanged"),
    (entry(length_m=120.0), {"name": "M/V PALE-HERON"}, True, "the same name, spelt otherwise"),
    (entry(call_signs=frozenset({"V3OAB"})), {"name": "PALE HEROM", "call_sign": "V30AB"}, True, "near call sign"),
    (entry(), {"name": "PALE HERON"}, False, "a name alone, no length listed"),
    (entry(length_m=123.0), {"name": "PALE HEROM"}, False, "another length"),
    (entry(length_m=120.0), {"name": "POLE HEROM"}, False, "two letters changed"),
    (entry(length_m=120.0), {"name": None}, False, "length alone"),
    (entry(length_m=120.0, names=frozenset({"SU RI 8"})), {"name": "SU RI 7"}, False, "another number in the name"),
    (entry(length_m=120.0, names=frozenset({"SU RI 7"})), {"name": "SU RA 7"}, True, "the same number in the name"),
    (entry(length_m=120.0, names=frozenset({"UNA"})), {"name": "ANA"}, False, "too short to be near"),
    (entry(call_signs=frozenset({"UBAB8"})), {"name": "PALE HEROM"}, False, "the next call sign of the series"),
]


@pytest.mark.parametrize(("listed", "said", "told", "note"), NAMES)
def test_a_near_name_counts_only_beside_length_or_call_sign(
    listed: ListedVessel, said: dict[str, Any], told: bool, note: str
) -> None:
    assert bool(found(listed, ship(**said))) == told, note


QUIET: list[tuple[ListedVessel, dict[str, Any], str]] = [
    (entry(), {"imo": LISTED}, "the listed number itself"),
    (entry(mmsi=frozenset({SHIP})), {"imo": ONE_OFF_FAILS}, "the listed MMSI itself, IMO number one digit off"),
    (entry(length_m=120.0), {"imo": ONE_OFF_PASSES}, "a sister: number near and valid, name of her own, same length"),
    (entry(mmsi=frozenset({273000223}), length_m=120.0), {}, "a neighbour's MMSI, name of its own, same length"),
    (entry(mmsi=frozenset({273000223})), {"name": None}, "a neighbour's MMSI and nothing else known"),
    (entry(length_m=180.0), {"name": "PALE HEROM"}, "near name, other length, far number"),
    (entry(imo=2000016 - 3, mmsi=frozenset({273000223})), {"imo": 2000016 - 4}, "official numbers and MMSI in series"),
    (entry(imo=None, mmsi=frozenset({273000223})), {"mmsi": 123456789, "name": "PALE HERON"}, "an unprogrammed set"),
    (entry(), {"imo": None, "imo_raw": "222222"}, "a filler of six digits"),
    (entry(), {"imo": ONE_OFF_FAILS, "n_reports": 2}, "a damaged message or two"),
    (entry(), {"imo": ONE_OFF_FAILS, "name": "NET 12-85%", "length_m": None}, "gear"),
    (entry(), {"imo": None, "imo_raw": "200004"}, "an official number of six digits under a name of its own"),
]


@pytest.mark.parametrize(("listed", "said", "note"), QUIET)
def test_nothing_is_told_of_what_is_lawful_or_told_elsewhere(
    listed: ListedVessel, said: dict[str, Any], note: str
) -> None:
    assert not found(listed, ship(**said)), note


def test_a_ship_that_also_sends_the_listed_number_is_left_to_the_watch_list() -> None:
    mistyped = spell(SHIP, at(5), at(9), imo=ONE_OFF_FAILS, name="PALE HERON", ship_type=70, length_m=120.0)
    assert found(entry(), mistyped)
    assert not found(entry(), ship(imo=LISTED, name="PALE HERON"), mistyped)


def test_a_number_that_is_itself_listed_is_near_no_other() -> None:
    neighbour = entry(entry_id="NK-b", imo=ONE_OFF_PASSES, caption="GREY GULL", names=frozenset({"GREY GULL"}))
    assert not found((entry(), neighbour), ship(imo=ONE_OFF_PASSES, name="PALE HERON"))


def test_what_was_heard_under_the_listed_number_stands_for_what_the_list_lacks() -> None:
    before = spell(OTHER, at(0), at(3), imo=LISTED, name="PALE HERON", ship_type=70, length_m=120.0)
    after = spell(SHIP, at(4), at(9), imo=FAR, name="PALE HEROM", ship_type=70, length_m=120.0)
    one = found(entry(), before, after)
    assert [finding.other_mmsi for finding in one] == [(OTHER,)]
    assert any("as heard under the listed number" in line.expected for line in one[0].evidence)
    meanwhile = {**before, "last_seen": at(9)}
    apart = found(entry(), meanwhile, after)
    assert apart[0].strength < 0.7 * one[0].strength, "the listed vessel was heard elsewhere at the same time"


def test_the_longer_the_list_the_less_a_near_number_says() -> None:
    wrong = ship(imo=ONE_OFF_FAILS)
    ships = strangers(200)
    short = found(entries_like(50), wrong, *ships)
    long = found(entries_like(5000), wrong, *ships)
    assert len(short) == 1
    assert sum(one.strength for one in long) < short[0].strength / 2


def test_the_more_agrees_the_stronger() -> None:
    listed = entries_like(400, length_m=120.0, beam_m=18.0, flags=frozenset({"RU"}))
    ships = strangers(300)
    steps = [
        {"imo": ONE_OFF_FAILS, "length_m": 200.0, "mmsi": OTHER},
        {"imo": ONE_OFF_FAILS, "length_m": None, "mmsi": OTHER},
        {"imo": ONE_OFF_FAILS, "mmsi": OTHER},
        {"imo": ONE_OFF_FAILS, "beam_m": 18.0, "mmsi": OTHER},
        {"imo": ONE_OFF_FAILS, "beam_m": 18.0},
        {"imo": ONE_OFF_FAILS, "beam_m": 18.0, "name": "PALE HEROM"},
    ]
    strengths = [sum(one.strength for one in found(listed, ship(**step), *ships)) for step in steps]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.1 < 0.8 < strengths[-1]


def test_a_common_name_says_less_than_a_rare_one() -> None:
    listed = entries_like(100, length_m=120.0)
    ships = strangers(150)
    namesakes = [ship(mmsi=210_000_111 + 1357 * i, imo=3_500_000 + 977 * i, name="PALE HERON") for i in range(8)]
    namesakes = [{**one, "length_m": 60.0 + 5 * i} for i, one in enumerate(namesakes)]
    rare = found(listed, ship(name="PALE HERON"), *ships)
    common = [one for one in found(listed, ship(name="PALE HERON"), *namesakes, *ships) if one.mmsi == SHIP]
    assert sum(one.strength for one in common) < rare[0].strength / 2


def test_two_ships_that_fit_alike_share_the_odds() -> None:
    alone = found(entry(length_m=120.0), ship(name="PALE HEROM"))
    both = found(entry(length_m=120.0), ship(name="PALE HEROM"), ship(mmsi=OTHER, imo=3151577, name="PALE HEROM"))
    assert len(both) == 2
    assert max(one.strength for one in both) < 0.6 * alone[0].strength
    assert all("fits as well" in " ".join(one.caveats) for one in both)


def test_small_craft_count_little() -> None:
    merchant = found(entry(length_m=20.0), ship(name="PALE HEROM", length_m=20.0))
    small = found(entry(length_m=20.0), ship(name="PALE HEROM", length_m=20.0, imo=None, transceiver="B"))
    assert small[0].strength < merchant[0].strength / 2


def test_one_finding_for_each_voyage_under_the_claim() -> None:
    voyages = [voyage(SHIP, at(0), at(2)), voyage(SHIP, at(2), at(4)), voyage(OTHER, at(0), at(4))]
    told = found(entry(), ship(imo=ONE_OFF_FAILS, name="PALE HERON"), voyages=voyages)
    assert [one.voyage_id for one in told] == [voyages[0]["voyage_id"], voyages[1]["voyage_id"]]


def test_two_entries_of_one_vessel_are_one_finding() -> None:
    twice = (entry(), entry(entry_id="other-list", datasets="two"))
    assert len(found(twice, ship(imo=ONE_OFF_FAILS, name="PALE HERON"))) == 1


def test_the_words_name_both_numbers_the_edit_and_chance_and_accuse_nobody() -> None:
    (one,) = found(entry(length_m=120.0), ship(imo=ONE_OFF_FAILS, name="PALE HERON"))
    assert "one digit from 2000004" in one.headline
    lines = {line.what: (line.observed, line.expected) for line in one.evidence}
    assert "digit 6 is 1 instead of 0" in lines["IMO number sent"][1]
    assert "fails" in lines["check digit"][0]
    assert "expected" in lines["IMO numbers one edit apart by chance"][0]
    assert {"name", "length", "watch-list entry", "strangers as like as this, by chance"} <= set(lines)
    assert not any(word in one.headline.lower() for word in ("false", "disguise", "evasion", "suspect"))


def test_the_laws_of_detectors_hold() -> None:
    spells = [ship(imo=ONE_OFF_FAILS, name="PALE HERON"), ship(mmsi=OTHER, name="PALE HEROM"), *strangers(20)]
    odd = ship(mmsi=636012345, imo=None, imo_raw="200004", name="PALE HERON", segment_id=None, hull_id=None)
    watched = WatchList((entry(length_m=120.0), entry(entry_id="b", imo=None, mmsi=frozenset({538004322}))))
    told = check_detector(Identity(), scene(identities=[*spells, odd], watchlist=watched))
    assert {one.mmsi for one in told if one.kind == "near_listed_identity"} == {SHIP, OTHER, 636012345}


def test_the_order_of_the_list_does_not_matter() -> None:
    listed = entries_like(30, length_m=120.0)
    spells = [ship(imo=ONE_OFF_FAILS), ship(mmsi=OTHER, name="PALE HEROM"), *strangers(20)]
    assert found(listed, *spells) == found(listed[::-1], *spells)


def big_scene(n: int, crowded: bool) -> Scene:
    """As many ships as listed vessels, names and numbers close together or strewn; a tenth of the cells empty."""
    rng = np.random.default_rng(5)
    low, step = (2_000_000, 1) if crowded else (2_000_000, 9)
    letters = rng.choice(list("ABCDEFGH" if crowded else "ABCDEFGHIKLMNOPRSTU"), size=(2 * n, 5 if crowded else 9))
    names = ["".join(one) for one in letters]
    imo = low + step * np.arange(n)
    mmsi = 440_000_000 + (1 if crowded else 1_003) * np.arange(n)
    length = rng.integers(20, 350, 2 * n).astype(float)
    said: dict[str, Any] = {name: [None] * n for name in schema.IDENTITIES.names}
    said |= {"mmsi": mmsi, "imo": imo, "name": names[:n], "length_m": length[:n], "ship_type": np.full(n, 70, np.int16)}
    said |= {"call_sign": [f"U{i:05d}" for i in range(n)], "transceiver": ["A"] * n, "n_reports": np.full(n, 100)}
    said |= {"hull_id": [f"h{i}" for i in range(n)], "segment_id": [f"s{i}" for i in range(n)]}
    times = pa.array(np.full(n, int(at(0).timestamp()) * 10**6), pa.timestamp("us", tz="UTC"))
    said |= {"first_seen": times, "last_seen": times}
    empty = rng.random((n, 3)) < 0.1
    entries = tuple(
        ListedVessel(
            f"id-{i}",
            "",
            None if empty[i, 0] else int(low + n // 2 + step * i),
            frozenset() if i % 2 else frozenset({440_000_000 + n // 2 + (1 if crowded else 1_009) * i}),
            frozenset() if empty[i, 1] else frozenset({names[n + i]}),
            frozenset(),
            "",
            "",
            length_m=None if empty[i, 2] else float(length[n + i]),
        )
        for i in range(n)
    )
    past = replace(history(), identities=schema.IDENTITIES.build(said))
    return scene(past, WatchList(entries))


@pytest.mark.slow
def test_two_hundred_thousand_ships_among_as_many_neighbours_give_few_findings() -> None:
    big = big_scene(200_000, crowded=True)
    claims = claims_of(big.history.identities)
    assert len(near_listed_identity(big, claims, Identity())) < 2_000, "among so many, near misses are chance"


@pytest.mark.slow
def test_of_two_hundred_thousand_the_one_that_agrees_in_all_is_found() -> None:
    big = big_scene(200_000, crowded=False)
    before = big.watchlist.entries
    signed = entry(imo=None, mmsi=frozenset({538004322}), names=frozenset({"QUIET PLOVER 3"}), length_m=140.0)
    listed = WatchList((*before, replace(signed, call_signs=frozenset({"V7AB9"}), entry_id="the one")))
    said = ship(mmsi=538004321, imo=None, name="QUIET PLOWER 3", length_m=140.0, call_sign="V7AB9")
    one = history(identities=[said]).identities
    past = replace(big.history, identities=pa.concat_tables([big.history.identities, one]))
    claims = claims_of(past.identities)
    told = near_listed_identity(scene(past, listed), claims, Identity())
    assert [f.strength > 0.5 for f in told if f.subject.startswith("the one")] == [True]
    assert len(told) < 20


def test_a_filler_shared_by_all_costs_and_finds_nothing() -> None:
    listed = tuple(entry(entry_id=f"id-{i}", imo=None, mmsi=frozenset({412345678}), length_m=100.0) for i in range(500))
    ships = [ship(mmsi=412345679, name="PALE HEROM", segment_id=f"s{i}", hull_id=f"h{i}") for i in range(300)]
    fleet = [ship(mmsi=273_000_000 + i, imo=3_333_337, name="PALE HERON", length_m=100.0) for i in range(300)]
    assert not found(listed, *ships, *fleet)


NUMBER = st.integers(2_000_000, 2_000_999)


@given(st.sets(NUMBER, max_size=30), st.sets(NUMBER, max_size=30))
def test_numbers_are_found_as_if_all_were_compared(heard: set[int], listed: set[int]) -> None:
    one, two = np.array(sorted(heard), dtype=np.int64), np.array(sorted(listed), dtype=np.int64)
    i, j = edits.places_of(edits.one_edit(one, 7), len(one), two, 1000)
    slow = {(a, b) for a, b in product(sorted(heard), sorted(listed)) if OSA.distance(str(a), str(b)) == 1}
    assert set(zip(one[i].tolist(), two[j].tolist(), strict=True)) == slow
    every = list(product(heard, listed))
    first = np.array([a for a, _ in every], dtype=np.int64)
    second = np.array([b for _, b in every], dtype=np.int64)
    near = edits.is_one_edit(first, second, 7)
    assert {pair for pair, is_near in zip(every, near.tolist(), strict=True) if is_near} == slow


WORD = st.text(alphabet="ABC", min_size=1, max_size=7)


@given(st.lists(WORD, max_size=25), st.lists(WORD, max_size=25))
def test_names_are_found_as_if_all_were_compared(one: list[str], two: list[str]) -> None:
    keys = np.arange(len(one), dtype=np.int64) % 2, np.arange(len(two), dtype=np.int64) % 2
    i, j = edits.near_names(one, keys[0], two, keys[1], 1000)
    slow = {
        (a, b)
        for a, b in product(range(len(one)), range(len(two)))
        if a % 2 == b % 2 and OSA.distance(one[a], two[b]) <= 1
    }
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == slow


PART = st.one_of(
    st.sampled_from(
        [*sorted(_SHORT_FORMS), "III", "VII", "BATT", "NO.", "NUM", "MTUG", "M/V", "PWR", "7", "07", "12V"]
    ),
    st.text(alphabet="ABEIVX", min_size=1, max_size=6),
    st.integers(0, 2000).map(str),
)


@given(st.lists(PART, min_size=1, max_size=4).map(" ".join))
def test_plain_names_are_spelt_as_all_are(name: str) -> None:
    letters, numbers = Spellings().of(np.array([name], dtype=object))
    slow = spelling(name[:20])
    assert (letters[0], numbers[0]) == (slow.letters, " ".join(slow.numbers))


@given(st.text(alphabet="AOIL017", min_size=4, max_size=6), st.text(alphabet="AOIL017", min_size=4, max_size=6))
def test_call_signs_have_one_key_where_they_are_near(one: str, two: str) -> None:
    assert (call_sign_key(one) == call_sign_key(two)) == near_equal_call_signs(one, two)


def test_the_expected_hits_are_those_of_numbers_strewn_at_random() -> None:
    rng = np.random.default_rng(2)
    valid = np.arange(2_000_000, 3_000_000)
    valid = valid[imo_check_digit_ok(valid)]
    counts = []
    for _ in range(20):
        heard = np.sort(rng.choice(valid, 1000, replace=False))
        listed = np.sort(rng.choice(valid, 1000, replace=False))
        counts.append(len(edits.places_of(edits.one_edit(heard, 7), len(heard), listed, 1000)[0]))
    expected = chance.expected_hits(heard, chance.PASSES, listed) / chance.CLUMPED
    assert expected == pytest.approx(float(np.mean(counts)), rel=0.15)


def test_the_parameters_bite() -> None:
    listed, spells = entries_like(300), [ship(imo=ONE_OFF_FAILS), *strangers(100)]
    base = scene(watchlist=WatchList(listed), identities=spells)
    claims = claims_of(base.history.identities)
    usual, bold = (near_listed_identity(base, claims, Identity(near_listed_share=share)) for share in (1e-3, 1e-2))
    assert sum(one.strength for one in bold) > sum(one.strength for one in usual)
