"""Counting: what is found, what is false, what was there before, and where the planted voyages rank."""

from dataclasses import replace

import pytest

from detectors.backtest.fleet import Fleet
from detectors.backtest.outcomes import Passage, Sighting, StrongLink, View
from detectors.backtest.planting import plant_all
from detectors.backtest.scoring import Score, Trial, score, wilson
from detectors.backtest.truth import HullTruth
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Delay, Plant, TrueLink

H = 3_600_000_000


def plant(kind: str, *mmsi: int, start: int = 10 * H, links: tuple[TrueLink, ...] = ()) -> Plant:
    return Plant(kind, (1,), mmsi, start, start + 10 * H, 0.0, 0.0, "planted", links)


def sighting(kind: str, *mmsi: int, at: int = 12 * H, name: str = "", voyage: str | None = None) -> Sighting:
    return Sighting(name or f"{kind}-{mmsi}-{at}", kind, frozenset(mmsi), at, at + H, voyage)


def view(
    *findings: Sighting, passages: dict[int, list[Passage]] | None = None, links: tuple[StrongLink, ...] = ()
) -> View:
    by_kind: dict[tuple[str, int], list[Sighting]] = {}
    for finding in findings:
        for mmsi in finding.mmsi:
            by_kind.setdefault((finding.kind, mmsi), []).append(finding)
    return View(findings, by_kind, passages or {}, links, 1000)


class OneHull(HullTruth):
    """Says that links between these MMSI join one hull, and that any other MMSI is the ship's own."""

    def __init__(self, *right: tuple[int, int]) -> None:
        self._own = {other: one for one, other in right}

    def hulls(self, link: StrongLink) -> tuple[int | None, int | None]:
        return self._own.get(link.from_mmsi, link.from_mmsi), self._own.get(link.to_mmsi, link.to_mmsi)


def scored(plants: list[Plant], planted: View, unplanted: View | None = None, truth: HullTruth | None = None) -> Score:
    asked = {one.kind: 5 for one in plants}
    return score([Trial(plants, asked, planted, truth or OneHull())], 1, unplanted or view())


def test_a_plant_is_found_by_its_kind_its_ship_and_its_time() -> None:
    plants = [plant("imo_change", 1), plant("imo_change", 2), plant("imo_change", 3), plant("imo_change", 4)]
    found = view(
        sighting("imo_change", 1),
        sighting("name_change", 2),
        sighting("imo_change", 3, at=40 * H),
        sighting("imo_change", 9, 4),
        sighting("imo_change", 8),
        sighting("imo_change", 1, at=5 * H),
    )
    result = scored(plants, found)
    assert result.plants["is_found"].to_pylist() == [True, False, False, True]
    assert result.plants["other_kinds"].to_pylist() == [[], ["name_change"], [], []]
    (row,) = result.kinds.to_pylist()
    assert (row["n_asked"], row["n_planted"], row["n_found"], row["recall"]) == (5, 4, 2, 0.5)
    assert row["recall_low"] < 0.5 < row["recall_high"]
    assert row["n_false"] == 2  # of a ship without a plant, and of one before its plant; one after it is explained
    assert row["precision"] == pytest.approx(2 / 4)
    assert row["false_per_1000_voyages"] == 2.0


def test_a_case_told_of_several_voyages_is_one_case_of_several_findings() -> None:
    found = view(sighting("imo_twin", 1, 2), sighting("imo_twin", 8, 9), sighting("imo_twin", 8, 9, at=40 * H))
    (row,) = scored([plant("imo_twin", 1, 2)], found).kinds.to_pylist()
    assert (row["n_false"], row["n_false_cases"], row["precision"]) == (2, 1, 0.5)


def test_what_the_unplanted_tracks_have_too_is_neither_found_nor_false() -> None:
    same, moved = sighting("imo_change", 1, name="same"), sighting("imo_change", 7, name="moved")
    before = view(same, sighting("imo_change", 7, at=12 * H + 60, name="older"))
    result = scored([plant("imo_change", 1)], view(same, moved), before)
    (row,) = result.kinds.to_pylist()
    assert (row["n_found"], row["n_false"], row["n_already_there"]) == (0, 0, 2)
    assert row["false_per_1000_voyages_at_worst"] == 2.0
    assert row["precision_at_worst"] == 0.0


def test_what_another_plant_brings_along_is_not_false() -> None:
    plants = [plant("imo_change", 1), plant("hull_handover", 2)]
    result = scored(plants, view(sighting("imo_change", 1), sighting("imo_change", 2), sighting("hull_handover", 2)))
    assert result.kinds["n_false"].to_pylist() == [0, 0]
    assert result.kinds["recall"].to_pylist() == [1.0, 1.0]
    assert result.false.num_rows == 0


def test_a_look_alike_draws_what_it_resembles_and_may_show_what_is_true_of_it() -> None:
    plants = [plant("hull_handover", 1), plant("name_change", 2), plant("sale", 3), plant("sale", 4)]
    drawn = view(sighting("hull_handover", 3), sighting("name_change", 4), sighting("name_change", 2))
    result = scored(plants, drawn)
    rows = {row["kind"]: row for row in result.kinds.to_pylist()}
    assert rows["sale"]["n_drew"] == 1
    assert rows["sale"]["recall"] is None
    assert rows["hull_handover"]["n_false"] == 1
    assert rows["name_change"]["n_false"] == 0
    (false,) = result.false.to_pylist()
    assert (false["kind"], false["lookalikes"], false["mmsi"]) == ("hull_handover", ["sale"], [3])


def test_what_a_delayed_track_shows_later_was_already_there() -> None:
    late = replace(plant("loitering", 1), delays=(Delay(1, 10 * H, 8 * H),))
    before = view(sighting("dark_gap", 1, at=60 * H), sighting("dark_gap", 2, at=60 * H))
    lawful = replace(plant("anchor_wait", 2), delays=(Delay(2, 10 * H, 8 * H),))
    after = view(sighting("dark_gap", 1, at=68 * H, name="a"), sighting("dark_gap", 2, at=68 * H, name="b"))
    asked = [late, lawful, plant("dark_gap", 9)]
    rows = {row["kind"]: row for row in scored(asked, after, before).kinds.to_pylist()}
    assert (rows["dark_gap"]["n_false"], rows["dark_gap"]["n_already_there"]) == (0, 1)
    undelayed = [replace(one, delays=()) for one in asked]
    assert {row["kind"]: row["n_false"] for row in scored(undelayed, after, before).kinds.to_pylist()}["dark_gap"] == 1


def test_false_findings_and_voyages_of_all_copies_count_and_plants_of_their_own_copy() -> None:
    one = Trial([plant("imo_change", 1)], {"imo_change": 2}, view(sighting("imo_change", 1)), OneHull())
    sea = view(sighting("imo_change", 1, name="x"), sighting("dark_gap", 1, name="y"), sighting("dark_gap", 7))
    other = Trial([plant("dark_gap", 1)], {"dark_gap": 3}, sea, OneHull())
    feed = Trial([plant("jamming", 5, 6)], {"jamming": 1}, view(sighting("dark_gap", 5)), OneHull())
    result = score([one, other, feed], 1, view())
    rows = {row["kind"]: row for row in result.kinds.to_pylist()}
    assert list(rows) == ["imo_change", "dark_gap", "jamming"]
    assert (rows["imo_change"]["n_found"], rows["imo_change"]["n_false"]) == (1, 0)
    assert (rows["dark_gap"]["n_found"], rows["dark_gap"]["n_false"]) == (1, 2)
    assert rows["dark_gap"]["false_per_1000_voyages"] == pytest.approx(2 / 3)
    assert rows["dark_gap"]["n_voyages"] == 3000


def passage(name: str, rank: float, band: str, score_: float, start: int = 0) -> Passage:
    return Passage(name, start, 100 * H, rank, score_, band, 100.0 - rank)


def test_rank_and_band_are_those_of_the_voyage_that_the_finding_is_on() -> None:
    voyages = {1: [passage("a", 40, "low", 0.03), passage("b", 7, "high", 0.6)], 2: [passage("c", 900, "none", 0.001)]}
    found = view(sighting("imo_change", 1, voyage="a"), passages=voyages)
    result = scored([plant("imo_change", 1), plant("imo_change", 2), plant("imo_change", 3)], found)
    assert result.plants["rank"].to_pylist() == [40.0, 900.0, None]
    (row,) = result.kinds.to_pylist()
    assert row["median_rank"] == 900.0
    assert row["share_low"] == pytest.approx(1 / 3)
    assert row["share_none"] == pytest.approx(2 / 3)


def test_a_voyage_turns_serious_when_a_new_finding_makes_it_so_and_it_was_not() -> None:
    serious = {3: [passage("a", 1, "critical", 0.99)]}
    mild = {3: [passage("a", 500, "low", 0.03)]}
    planted = view(sighting("name_change", 3, voyage="a"), passages=serious)
    for before, expected in ((mild, 1), (serious, 0)):
        result = scored([plant("sale", 3)], planted, view(passages=before))
        assert result.kinds["n_serious"].to_pylist() == [expected]
    assert scored([plant("sale", 3)], view(passages=serious), view(passages=mild)).kinds["n_serious"].to_pylist() == [0]


def link(one: int, other: int, at: int = 10 * H) -> StrongLink:
    return StrongLink(f"{one}-{other}", one, other, at, at + H, (0.0, 0.0), (0.0, 0.0))


def test_links_are_found_by_both_numbers_and_time_and_are_right_if_the_hull_is_one() -> None:
    true = TrueLink(1, 2, 10 * H, 11 * H)
    plants = [plant("hull_handover", 1, 2, links=(true,)), plant("reflag", 3, 4, links=(TrueLink(3, 4, 0, H),))]
    links = (link(1, 2), link(3, 4, at=50 * H), link(8, 9), link(6, 7), link(6, 17))
    truth = OneHull((1, 2), (3, 4), (7, 17))
    result = scored(plants, view(links=links), view(links=(link(6, 7, at=0),)), truth)
    sums = result.links
    assert (sums.n_planted, sums.n_found, sums.n_right, sums.n_wrong, sums.n_already_there) == (2, 1, 2, 1, 2)
    assert (sums.recall, sums.precision) == (0.5, pytest.approx(2 / 3))
    rows = {row["kind"]: row for row in result.kinds.to_pylist()}
    assert (rows["hull_handover"]["link_recall"], rows["reflag"]["link_recall"]) == (1.0, 0.0)
    assert [row["id"] for row in result.false.to_pylist()] == ["8-9"]


def test_an_outage_is_charged_with_what_touches_no_other_plant() -> None:
    plants = [plant("hull_handover", 1), plant("feed_outage")]
    result = scored(plants, view(sighting("hull_handover", 1), sighting("hull_handover", 5)))
    rows = {row["kind"]: row for row in result.kinds.to_pylist()}
    assert rows["feed_outage"]["n_drew"] == 1
    alone = scored(plants, view(sighting("hull_handover", 1)))
    assert {row["kind"]: row for row in alone.kinds.to_pylist()}["feed_outage"]["n_drew"] == 0


def test_nothing_planted_gives_empty_figures_not_an_error() -> None:
    result = score([Trial([], {"imo_twin": 3, "reflag": 2}, view(), OneHull())], 1, view())
    assert result.kinds["n_planted"].to_pylist() == [0, 0]
    assert result.kinds["recall"].to_pylist() == [None, None]
    assert result.links.recall is None
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_wilson_interval_is_that_of_the_book() -> None:
    low, high = wilson(45, 50)
    assert (round(low, 4), round(high, 4)) == (0.7864, 0.9565)
    assert wilson(0, 20)[0] == 0.0 < wilson(0, 20)[1] < 0.17
    assert wilson(20, 20)[1] == 1.0


def test_the_truth_about_a_hull_is_read_off_the_rows(fleet: Fleet, waters: Waters) -> None:
    done = plant_all(fleet, {"hull_handover": 2, "newcomer": 1}, 5, waters)
    truth = HullTruth(fleet, done.sheet)

    def place(mmsi: int, us: int) -> tuple[float, float]:
        (row,) = [
            r
            for r in range(len(fleet.mmsi))
            if done.sheet.keep[r] and done.sheet.mmsi[r] == mmsi and fleet.time_us[r] == us
        ][:1]
        return float(fleet.lat[row]), float(fleet.lon[row])

    true = done.plants[0].links[0]
    ends = place(true.from_mmsi, true.ended_us), place(true.to_mmsi, true.began_us)
    right = StrongLink("x", true.from_mmsi, true.to_mmsi, true.ended_us, true.began_us, *ends)
    assert truth.hulls(right) == (fleet.ships[done.plants[0].ships[0]].mmsi,) * 2
    other = done.plants[1].links[0]
    wrong_end = place(other.to_mmsi, other.began_us)
    wrong = StrongLink("y", true.from_mmsi, other.to_mmsi, true.ended_us, other.began_us, ends[0], wrong_end)
    assert truth.hulls(wrong) == tuple(fleet.ships[one.ships[0]].mmsi for one in done.plants[:2])
    assert truth.hulls(StrongLink("z", 1, 2, 0, 1, ends[0], wrong_end)) == (None, None)
