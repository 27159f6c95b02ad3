"""Sight: what a window that moves on must not take back."""

import pytest

from detectors.batch.broken import Failure
from detectors.batch.sight import KEPT, LONG_MEMORY
from detectors.triage import weight_of
from tests.detectors.histories import at
from tests.detectors.nightlog import ALPHA, BRAVO, Log, by_id, changes, sailing, statuses

A, B = sailing(ALPHA), sailing(BRAVO)
LONG = sailing(ALPHA, 1, 19.5)
LISTED = (LONG, "listed_vessel", 1.0, {"start": at(19)})


def kinds(telling, row=LONG):
    return by_id(telling)[row["voyage_id"]]["kinds"]


def test_a_voyage_that_began_before_the_window_keeps_even_its_newest_finding():
    log = Log()
    log.night(LISTED, (LONG, "name_change", 1.0, {"start": at(19)}), window=at(-30))
    assert kinds(log.night(LISTED, window=at(2), day=20.5)) == ["listed_vessel", "name_change"]


@pytest.mark.parametrize(
    ("window", "later", "is_kept"),
    [(-30, -30, False), (-30, -29, False), (-30, -10, True), (-10, -10, False)],
    ids=["same window", "moved, but it is of the newer half", "moved, of the older half", "same window, older half"],
)
def test_what_is_gone_from_the_older_half_of_a_window_that_moved_is_kept(window, later, is_kept):
    log = Log()
    log.night(LISTED, (LONG, "name_change", 1.0, {"start": at(5.1)}), window=at(window), day=20)
    second = log.night(LISTED, window=at(later), day=20.5)
    assert kinds(second) == ["listed_vessel", *(["name_change"] if is_kept else [])]
    assert ("no longer found: name change" in changes(second, LONG)) is not is_kept


@pytest.mark.parametrize(("first", "is_kept"), [(-12, True), (-10, False), (0, False)])
def test_nothing_has_left_a_window_before_which_there_are_no_rows(first, is_kept):
    log = Log()
    log.night(LISTED, (LONG, "name_change", 1.0, {"start": at(3)}), window=at(-30), data_start=at(first))
    second = log.night(LISTED, window=at(-10), data_start=at(first), day=20.5)
    assert kinds(second) == ["listed_vessel", *(["name_change"] if is_kept else [])]


@pytest.mark.parametrize("kind", sorted(LONG_MEMORY))
def test_a_kind_that_rests_on_rows_long_before_is_kept_though_it_is_new(kind):
    log = Log()
    young = {"start": at(19)}
    always = (LONG, "relay_voyage", 1.0, young)
    log.night(always, (LONG, kind, 1.0, young), (LONG, "name_change", 1.0, young), window=at(-30))
    assert set(kinds(log.night(always, window=at(-10), day=20.5))) == {"relay_voyage", kind}
    assert weight_of(kind).kind == kind, "a kind there is"


def test_what_was_kept_once_is_kept_after_a_revision_from_the_window_that_does_not_show_it():
    log = Log()
    log.night(LISTED, (LONG, "name_change", 1.0, {"start": at(5.1)}), window=at(-30), day=20)
    more = [LISTED, (LONG, "dark_gap", 1.0, {"start": at(19)})]
    second = log.night(*more, window=at(-10), day=20.5)
    assert (statuses(second), kinds(second)[1]) == ({ALPHA: "revised"}, "name_change")
    third = log.night(*more, window=at(-10), day=21)
    assert (statuses(third), kinds(third)[1]) == ({ALPHA: "unchanged"}, "name_change")
    fourth = log.night(LISTED, window=at(-10), day=21.5)
    assert kinds(fourth) == ["listed_vessel", "name_change"], "the gap was seen from this window, and is gone"


def test_a_finding_that_is_another_voyages_now_is_not_kept_for_both():
    log = Log()
    log.night((A, "listed_vessel", 1.0), (A, "name_change", 1.0, {"start": at(4.5), "subject": "one"}))
    other = sailing(ALPHA, 4, 9)
    moved = (other, "name_change", 0.5, {"start": at(4.5), "subject": "one"})
    second = log.night((A, "listed_vessel", 1.0), moved, window=at(3), day=23)
    told = {(f["voyage_id"], f["kind"]) for f in second.findings.to_pylist()}
    assert told == {(A["voyage_id"], "listed_vessel"), (other["voyage_id"], "name_change")}


def test_what_was_withdrawn_is_not_kept():
    log = Log()
    log.night((A, "listed_vessel", 1.0))
    log.night(voyages=[A], day=21)
    assert log.told[A["voyage_id"]].is_withdrawn
    third = log.night(voyages=[A], window=at(3), day=22)
    assert (third.flagged.num_rows, third.findings.num_rows) == (0, 0)


def test_a_failure_on_a_partner_keeps_what_was_found_of_both():
    log = Log()
    met = (A, "rendezvous", 1.0, {"other_mmsi": (BRAVO,)})
    log.night(met)
    for mmsi, status in ((BRAVO, "unchanged"), (457_300_620, "withdrawn")):
        second = log.night(voyages=[A], day=21, failures=(Failure("tester", (mmsi,), (), "ValueError"),))
        assert statuses(second) == {ALPHA: status}


def test_a_kept_finding_says_so_once():
    log = Log()
    log.night((A, "listed_vessel", 1.0))
    for day in (23, 24):
        telling = log.night((A, "dark_gap", 1.0 - day / 100), window=at(3), day=day)
        kept = [f["caveats"] for f in telling.findings.to_pylist() if f["kind"] == "listed_vessel"]
        assert kept == [[KEPT]]
