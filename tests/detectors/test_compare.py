"""Tonight against what was told: new, revised, unchanged, withdrawn, and what is out of sight."""

import pytest

from detectors.batch.broken import FACTS, Failure
from detectors.batch.sight import KEPT, NOT_LOOKED_AT
from tests.detectors.histories import at, spell
from tests.detectors.nightlog import (
    ALPHA,
    BRAVO,
    CHARLIE,
    Log,
    by_id,
    changes,
    sailing,
    statuses,
    still_open,
)

A, B, C = sailing(ALPHA), sailing(BRAVO), sailing(CHARLIE)
LISTED = (A, "listed_vessel", 1.0)
RENAMED = (A, "name_change", 1.0)


def test_a_voyage_is_new_once_and_then_unchanged():
    log = Log()
    assert statuses(log.night(LISTED)) == {ALPHA: "new"}
    second = log.night(LISTED, day=21)
    assert statuses(second) == {ALPHA: "unchanged"}
    assert changes(second, A) == []
    assert second.told.num_rows == 0, "nothing was told"
    assert log.told[A["voyage_id"]].revision == 1


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([(A, "imo_twin", 0.6)], [(A, "imo_twin", 1.0)], "band high, was low"),
        ([LISTED], [LISTED, RENAMED], "also found: name change"),
        ([LISTED, RENAMED], [LISTED], "no longer found: name change"),
        ([(A, "relay_voyage", 0.6)], [(A, "relay_voyage", 0.68)], "evidence 27.2 dB, was 24.0 dB"),
    ],
)
def test_what_changes_the_case_is_told_in_words(before, after, words):
    log = Log()
    log.night(*before)
    second = log.night(*after, day=21)
    assert statuses(second) == {ALPHA: "revised"}
    assert words in changes(second, A)
    assert log.told[A["voyage_id"]].revision == 2
    assert statuses(log.night(*after, day=22)) == {ALPHA: "unchanged"}, "told once"


def test_less_than_a_doubling_of_the_odds_is_no_change_until_it_adds_up():
    log = Log()
    log.night((A, "relay_voyage", 0.60))
    small = log.night((A, "relay_voyage", 0.64), day=21)
    assert statuses(small) == {ALPHA: "unchanged"}
    assert by_id(small)[A["voyage_id"]]["score"] > log.told[A["voyage_id"]].row["score"], "as it is tonight"
    assert statuses(log.night((A, "relay_voyage", 0.68), day=22)) == {ALPHA: "revised"}, "held against what was told"


def test_a_kind_that_weighs_little_is_no_change():
    log = Log()
    log.night(LISTED)
    assert statuses(log.night(LISTED, (A, "loitering", 0.1), day=21)) == {ALPHA: "unchanged"}


def named(mmsi, **said):
    return [spell(mmsi, at(0), at(6), **said)]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"name": "PALE HERON"}, {"name": "GREY HERON"}, "name GREY HERON, was PALE HERON"),
        ({"name": "PALE HERON"}, {"name": "PALE HERON", "imo": 2318669}, "IMO number 2318669, was none"),
    ],
)
def test_a_voyage_under_another_identity_is_revised(before, after, words):
    log = Log()
    log.night(LISTED, identities=named(ALPHA, **before))
    second = log.night(LISTED, day=21, identities=named(ALPHA, **after))
    assert (statuses(second), changes(second, A)) == ({ALPHA: "revised"}, [words])


def test_an_earlier_identity_that_comes_to_light_is_told_but_a_name_not_yet_sent_is_none():
    now = spell(ALPHA, at(2), at(6), name="GREY HERON", imo=2318669)
    log = Log()
    log.night(LISTED, identities=[now])
    nameless = spell(ALPHA, at(1), at(2))
    assert statuses(log.night(LISTED, day=21, identities=[nameless, now])) == {ALPHA: "unchanged"}
    before = spell(ALPHA, at(-9), at(1), name="PALE HERON", imo=2318669)
    third = log.night(LISTED, day=22, identities=[before, nameless, now])
    assert changes(third, A) == ["also known as PALE HERON (MMSI 273412340, IMO 2318669)"]


def test_an_arrival_is_told_and_an_arrival_that_does_not_stand_too():
    log = Log()
    opened = still_open(A)
    log.night((opened, "listed_vessel", 1.0))
    second = log.night(LISTED, day=21)
    assert changes(second, A) == ["arrived at KR_BUSAN on 2024-03-06"]
    third = log.night((opened, "listed_vessel", 1.0), day=22)
    assert changes(third, A) == ["under way again: the arrival at KR_BUSAN does not stand"]


def test_another_hull_is_told():
    log = Log()
    log.night(LISTED)
    other = {**A, "hull_id": "hull-joined"}
    second = log.night((other, "listed_vessel", 1.0), day=21)
    assert changes(second, A) == [f"hull hull-joined, was {A['hull_id']}"]


def test_what_late_data_explain_is_withdrawn_once_with_the_reason():
    log = Log()
    log.night(LISTED, (B, "listed_vessel", 1.0))
    second = log.night((B, "listed_vessel", 1.0), voyages=[A, B], day=21)
    row = by_id(second)[A["voyage_id"]]
    assert (row["status"], row["score"], row["band"]) == ("withdrawn", pytest.approx(0.969, abs=1e-3), "critical")
    assert row["changes"][:2] == [
        "no longer over the threshold: score 0.001, was 0.969; the threshold is 0.02",
        "no longer found: listed vessel",
    ]
    assert (row["rank"], by_id(second)[B["voyage_id"]]["rank"]) == (2, 1), "withdrawn ones come last"
    third = log.night((B, "listed_vessel", 1.0), voyages=[A, B], day=22)
    assert statuses(third) == {BRAVO: "unchanged"}, "withdrawn once"
    fourth = log.night(LISTED, (B, "listed_vessel", 1.0), day=23)
    assert statuses(fourth) == {ALPHA: "revised", BRAVO: "unchanged"}
    assert changes(fourth, A) == [f"told again: {A['voyage_id']} was withdrawn from data to 2024-03-22"]
    assert log.told[A["voyage_id"]].revision == 3


def test_a_voyage_that_is_no_more_names_the_one_that_has_its_reports():
    log = Log()
    log.night(LISTED)
    longer = sailing(ALPHA, 0, 5)
    second = log.night((longer, "listed_vessel", 1.0), day=21)
    assert by_id(second)[A["voyage_id"]]["status"] == "withdrawn"
    assert changes(second, A)[0] == f"no such voyage any longer: its reports are part of {longer['voyage_id']}"
    assert by_id(second)[longer["voyage_id"]]["status"] == "revised"
    assert changes(second, longer) == [f"takes the place of {A['voyage_id']}, told before"]
    third = log.night((longer, "listed_vessel", 1.0), day=22)
    assert statuses(third) == {ALPHA: "unchanged"}


def test_a_voyage_whose_input_was_replaced_is_withdrawn():
    log = Log()
    log.night(LISTED)
    second = log.night((B, "listed_vessel", 1.0), day=21)
    assert statuses(second) == {BRAVO: "new", ALPHA: "withdrawn"}
    assert "none of its reports counts" in changes(second, A)[0]


def test_a_voyage_that_began_before_the_window_is_never_lowered():
    log = Log()
    log.night((A, "listed_vessel", 1.0), (A, "name_change", 1.0))
    moved = {"window": at(3), "day": 23.0}
    second = log.night((A, "name_change", 0.5), **moved)
    assert statuses(second) == {ALPHA: "unchanged"}
    row, findings = by_id(second)[A["voyage_id"]], second.findings.to_pylist()
    assert (row["score"], row["kinds"]) == (log.told[A["voyage_id"]].row["score"], ["listed_vessel", "name_change"])
    assert [(f["kind"], f["weight_db"]) for f in findings] == [("listed_vessel", 45.0), ("name_change", 24.0)]
    assert all(KEPT in f["caveats"] for f in findings)


def test_what_is_added_to_a_voyage_that_began_before_the_window_is_told():
    log = Log()
    log.night((A, "imo_twin", 0.6))
    second = log.night((A, "dark_gap", 1.0, {"start": at(4), "end": at(5)}), window=at(3), day=23)
    assert statuses(second) == {ALPHA: "revised"}
    assert "also found: dark gap" in changes(second, A)
    third = log.night((A, "dark_gap", 1.0, {"start": at(4), "end": at(5)}), window=at(3), day=24)
    assert statuses(third) == {ALPHA: "unchanged"}, "what was kept once is kept on"
    assert by_id(third)[A["voyage_id"]]["kinds"] == ["imo_twin", "dark_gap"]


def test_a_voyage_out_of_the_window_in_part_is_listed_as_told_though_it_is_no_row_of_tonight():
    log = Log()
    log.night(LISTED)
    second = log.night((B, "listed_vessel", 1.0), window=at(3), day=23)
    assert statuses(second) == {ALPHA: "unchanged", BRAVO: "new"}
    assert changes(second, A)[0].startswith("listed as told: its rows lie before")
    assert [f["voyage_id"] for f in second.findings.to_pylist()] == [A["voyage_id"], B["voyage_id"]]
    assert second.alerts["carried_ids"] == [A["voyage_id"]]


def test_a_voyage_that_leaves_the_window_is_counted_once():
    log = Log()
    log.night(LISTED)
    second = log.night((B, "listed_vessel", 1.0), window=at(6), day=23)
    assert statuses(second) == {BRAVO: "new"}
    assert (second.alerts["left_window"], second.alerts["left_window_ids"]) == (1, [A["voyage_id"]])


def test_what_is_carried_is_withdrawn_when_it_is_under_a_higher_threshold():
    log = Log()
    log.night((A, "imo_twin", 1.0))
    second = log.night((B, "listed_vessel", 1.0), window=at(3), day=23, min_score=0.7)
    assert statuses(second) == {ALPHA: "withdrawn", BRAVO: "new"}
    assert changes(second, A)[0] == "no longer over the threshold: score 0.500, was 0.500; the threshold is 0.7"


def test_the_voyage_that_takes_the_place_is_one_of_the_same_hull_first():
    log = Log()
    log.night(LISTED)
    own = sailing(ALPHA, 3, 5)
    other = {**sailing(ALPHA, 0, 5), "hull_id": "hull-other", "segment_id": "segment-other", "voyage_id": "voyage-9"}
    second = log.night((own, "listed_vessel", 1.0), (other, "listed_vessel", 1.0), day=21)
    assert changes(second, A)[0].endswith(f"its reports are part of {own['voyage_id']}")
    assert by_id(second)["voyage-9"]["status"] == "new"


def test_a_voyage_seen_in_part_keeps_the_identities_and_the_track_that_were_told():
    before, now = spell(ALPHA, at(0), at(2), name="PALE HERON"), spell(ALPHA, at(2), at(6), name="GREY HERON")
    log = Log()
    log.night(LISTED, identities=[before, now])
    second = log.night(LISTED, identities=[now], window=at(3), day=23)
    row = by_id(second)[A["voyage_id"]]
    assert (row["status"], [one["name"] for one in row["earlier_identities"]]) == ("unchanged", ["PALE HERON"])
    assert row["geometry"] == log.told[A["voyage_id"]].row["geometry"]


def test_a_later_voyage_of_the_hull_knows_the_identities_that_have_left_the_window():
    before, now = spell(ALPHA, at(0), at(2), name="PALE HERON"), spell(ALPHA, at(2), at(12), name="GREY HERON")
    log = Log()
    log.night(LISTED, identities=[before, now])
    later = sailing(ALPHA, 8, 12)
    second = log.night(LISTED, (later, "listed_vessel", 1.0), identities=[now], window=at(3), day=23)
    rows = by_id(second)
    assert rows[later["voyage_id"]]["status"] == "new"
    assert [one["name"] for one in rows[later["voyage_id"]]["earlier_identities"]] == ["PALE HERON"]
    third = log.night((later, "listed_vessel", 1.0), identities=[now], window=at(7), day=27)
    assert statuses(third) == {ALPHA: "unchanged"}


def test_a_finding_told_before_is_not_counted_twice_when_its_start_moves_with_the_window():
    log = Log()
    log.night((A, "listed_vessel", 1.0, {"start": at(1), "end": at(5)}))
    second = log.night((A, "listed_vessel", 1.0, {"start": at(3), "end": at(5)}), window=at(3), day=23)
    assert statuses(second) == {ALPHA: "unchanged"}
    assert second.findings.num_rows == 1


def test_a_night_of_the_past_takes_back_nothing_that_was_told_of_later_data():
    log = Log()
    log.night(LISTED, day=20)
    log.night(LISTED, (A, "name_change", 1.0, {"start": at(4)}), (C, "listed_vessel", 1.0), day=21)
    again = log.night(LISTED, day=0.5)
    assert statuses(again) == {ALPHA: "unchanged", CHARLIE: "unchanged"}
    assert changes(again, C)[0] == "listed as told: from later data than tonight's"
    assert by_id(again)[A["voyage_id"]]["kinds"] == ["listed_vessel", "name_change"]
    late = Log()
    late.night((sailing(CHARLIE, 10, 12), "listed_vessel", 1.0), day=20)
    past = late.night(LISTED, day=6)
    assert (statuses(past), past.alerts["later"]) == ({ALPHA: "new"}, 1)


def test_what_a_failed_detector_could_not_find_again_stands_as_told():
    log = Log()
    log.night(LISTED, (B, "listed_vessel", 1.0))
    second = log.night(voyages=[A, B], day=21, failures=(Failure("tester", (), (), "ValueError"),))
    assert statuses(second) == {ALPHA: "unchanged", BRAVO: "unchanged"}
    assert all(NOT_LOOKED_AT in f["caveats"] for f in second.findings.to_pylist())
    third = log.night(voyages=[A, B], day=22, failures=(Failure("tester", (ALPHA,), (), "ValueError"),))
    assert statuses(third) == {ALPHA: "unchanged", BRAVO: "withdrawn"}, "only that vessel was left out"
    fourth = log.night(voyages=[A, B], day=23)
    assert statuses(fourth) == {ALPHA: "withdrawn"}, "the detector looked again and found nothing"


def test_a_vessel_whose_facts_failed_is_listed_as_told():
    log = Log()
    log.night(LISTED, (B, "listed_vessel", 1.0))
    second = log.night((B, "listed_vessel", 1.0), day=21, failures=(Failure(FACTS, (ALPHA,), (), "ValueError"),))
    assert statuses(second) == {ALPHA: "unchanged", BRAVO: "unchanged"}
    assert changes(second, A)[0] == "listed as told: what this vessel did could not be made out tonight"


def test_nights_one_by_one_end_as_one_night_does():
    nights = [
        [(still_open(A), "imo_twin", 0.6)],
        [(still_open(A), "imo_twin", 0.6), (still_open(A), "name_change", 1.0), (B, "listed_vessel", 1.0)],
        [(A, "imo_twin", 0.7), (B, "listed_vessel", 1.0), (C, "relay_voyage", 1.0)],
    ]
    log = Log()
    for day, found in enumerate(nights):
        last = log.night(*found, day=20 + day)
    once = Log().night(*nights[-1], day=22)
    same = ("voyage_id", "kinds", "score", "band", "rank", "headline")
    assert [[row[name] for name in same] for row in last.flagged.to_pylist()] == [
        [row[name] for name in same] for row in once.flagged.to_pylist()
    ]
