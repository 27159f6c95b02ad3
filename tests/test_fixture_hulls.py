"""The fixtures' hulls, linked by one scan of the shipped tracks: those told in truth.json, and nobody else's."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import detectors
from detectors.batch.result import Result

ROOT = Path(__file__).parents[1]
TRUTH = json.loads((ROOT / "fixtures" / "truth.json").read_text(encoding="utf-8"))
HULLS = {hull["hull"]: hull for hull in TRUTH["hulls"]}
AT_ONCE = {"two_sets"}
"""Hulls that bore two numbers at the same time: no link from one track's end to another's beginning can tell."""
SIDE_BY_SIDE = {"swap/one", "swap/two"}
"""Hulls that exchanged identities alongside: the jump is shorter than the error of position."""
JAMMED = {"wrong_figure/berth"}
"""Hulls whose track disturbed positions broke in two, weeks after the change: their last days count as another hull."""


UNLAWFUL = sorted(key for key, hull in HULLS.items() if not hull["lawful"] and len(hull["identities"]) > 1)


@pytest.fixture(scope="module")
def result() -> Result:
    return detectors.scan(ROOT / "fixtures" / "tracks", watchlist=ROOT / "fixtures" / "watchlist.csv")


@pytest.fixture(scope="module")
def spells(result: Result) -> pd.DataFrame:
    return result.identities[["mmsi", "hull_id", "first_seen", "last_seen", "n_reports"]]


def hull_ids_borne(spells: pd.DataFrame, hull: dict[str, object]) -> list[str]:
    """For each identity of a true hull, the hull that most reports of that MMSI and period were taken to be."""
    found = []
    for borne in hull["identities"]:
        start, end = pd.Timestamp(borne["start"]), pd.Timestamp(borne["end"])
        here = spells[
            (spells["mmsi"] == borne["mmsi"]) & (spells["first_seen"] <= end) & (spells["last_seen"] >= start)
        ]
        assert len(here), borne
        shared = here["last_seen"].clip(upper=end) - here["first_seen"].clip(lower=start)
        found.append(here["hull_id"].iloc[int(shared.to_numpy().argmax())])
    return found


def same_hull(one: tuple[int, pd.Timestamp], two: tuple[int, pd.Timestamp]) -> bool:
    """Whether a track of one MMSI that fell silent and one that woke were the same hull, by the truth."""
    bearers = [bearers_at(*one, before=True), bearers_at(*two, before=False)]
    return bool(bearers[0] & bearers[1])


def bearers_at(mmsi: int, when: pd.Timestamp, before: bool) -> set[str]:
    """Hulls that bore an MMSI at a moment or, if none did, nearest before or after it; else the MMSI is the hull."""
    spans = [
        (pd.Timestamp(borne["start"]), pd.Timestamp(borne["end"]), key)
        for key, hull in HULLS.items()
        for borne in hull["identities"]
        if borne["mmsi"] == mmsi
    ]
    if not spans:
        return {str(mmsi)}
    now = {key for start, end, key in spans if start <= when <= end}
    if now:
        return now
    if before:
        return {max((end, key) for _, end, key in spans if end <= when)[1]}
    return {min((start, key) for start, _, key in spans if start >= when)[1]}


def test_there_are_hulls_of_stories_and_of_lawful_ships_to_link():
    assert len({HULLS[key]["told_in"] for key in UNLAWFUL}) >= 8
    assert sum(hull["lawful"] and len(hull["identities"]) > 1 for hull in HULLS.values()) >= 8


@pytest.mark.parametrize("key", sorted(set(UNLAWFUL) - SIDE_BY_SIDE))
def test_every_hull_of_a_story_is_one_hull_under_all_its_identities(spells, key):
    assert len(set(hull_ids_borne(spells, HULLS[key]))) == 1


@pytest.mark.parametrize("number", ["passed_on", "dead_ship"])
def test_two_hulls_that_bore_one_number_one_after_the_other_stay_two(spells, number):
    old, new = (hull_ids_borne(spells, HULLS[f"{number}/{which}"]) for which in ("old", "new"))
    assert old != new


@pytest.mark.parametrize("key", sorted(k for k in HULLS if HULLS[k]["lawful"] and k not in AT_ONCE | JAMMED))
def test_a_lawful_change_of_papers_leaves_one_hull(spells, key):
    assert len(set(hull_ids_borne(spells, HULLS[key]))) == 1


def test_what_is_said_to_be_missed_is_missed(spells):
    for key in SIDE_BY_SIDE | JAMMED:
        assert len(set(hull_ids_borne(spells, HULLS[key]))) > 1


def test_strong_links_join_tracks_of_one_hull_and_no_others(result):
    strong = result.hull_links[result.hull_links["is_strong"]]
    sides = zip(strong["from_mmsi"], strong["ended"], strong["to_mmsi"], strong["began"], strict=True)
    wrong = [
        (from_mmsi, to_mmsi, str(began))
        for from_mmsi, ended, to_mmsi, began in sides
        if not same_hull((from_mmsi, ended), (to_mmsi, began))
    ]
    assert len(strong) >= len(set(UNLAWFUL) - SIDE_BY_SIDE)
    assert not wrong


@pytest.mark.parametrize("day", [12, 18, 23, 30])
def test_no_night_on_the_way_joins_strangers(day):
    until = datetime(2025, 3, day, 12, tzinfo=UTC)
    links = detectors.scan(ROOT / "fixtures" / "tracks", as_of=until).hull_links
    strong = links[links["is_strong"]]
    sides = zip(strong["from_mmsi"], strong["ended"], strong["to_mmsi"], strong["began"], strict=True)
    wrong = [(a, b, str(began)) for a, ended, b, began in sides if not same_hull((a, ended), (b, began))]
    assert len(strong)
    assert not wrong


def test_no_innocent_of_the_hull_tales_is_of_high_or_critical_band(result):
    lookalikes = {
        "lawful sale", "lawful reflag", "mistyped MMSI", "set replaced", "lay-up", "seasonal silence", "relief ship",
        "newbuilding delivered", "towed away", "set on after the dock", "laid up cold", "left for other waters",
        "come from other waters", "sister ships", "MMSI passed on", "name like a listed ship's",
        "typing error corrected", "two sets on one ship",
    }  # fmt: skip
    ships = {ship["mmsi"]: ship["category"] for ship in TRUTH["innocents"] if ship["category"] in lookalikes}
    assert set(ships.values()) == lookalikes
    flagged = result.flagged
    serious = flagged[flagged["band"].isin(["high", "critical"]) & flagged["mmsi"].isin(ships)]
    assert [(ships[mmsi], headline) for mmsi, headline in zip(serious["mmsi"], serious["headline"], strict=True)] == []
