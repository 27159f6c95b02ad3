"""Alerts: the budget, who goes before it, and that nothing is left uncounted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.batch.changes import settled_identities
from detectors.batch.mutes import MUTED
from tests.detectors.histories import at, spell
from tests.detectors.nightlog import (
    ALPHA,
    BRAVO,
    CHARLIE,
    DELTA,
    Log,
    by_id,
    changes,
    days,
    sailing,
    statuses,
    still_open,
)

A, B, C, D = (sailing(mmsi) for mmsi in (ALPHA, BRAVO, CHARLIE, DELTA))
FOUR = [(A, "listed_vessel", 1.0), (B, "relay_voyage", 1.0), (C, "imo_twin", 1.0), (D, "name_change", 1.0)]
LAW = settings(max_examples=40, deadline=None)


def test_the_budget_picks_by_rank_and_what_is_beyond_it_is_counted_and_comes_next():
    log = Log()
    first = log.night(*FOUR, budget=3)
    assert statuses(first) == {ALPHA: "new", BRAVO: "new", CHARLIE: "new"}
    assert (first.alerts["over_threshold"], first.alerts["beyond_budget"]) == (4, 1)
    assert first.alerts["beyond_budget_ids"] == [D["voyage_id"]]
    second = log.night(*FOUR, budget=3, day=21)
    assert statuses(second) == {ALPHA: "unchanged", BRAVO: "unchanged", CHARLIE: "unchanged", DELTA: "new"}
    assert [row["rank"] for row in second.flagged.to_pylist()] == [1, 2, 3, 4]
    assert second.alerts["beyond_budget"] == 0


def test_a_change_beyond_the_budget_stays_listed_and_is_told_when_its_turn_comes():
    log = Log()
    log.night(*FOUR[2:])
    more = [*FOUR, (D, "dark_gap", 1.0)]
    second = log.night(*more, budget=2, day=21)
    assert statuses(second) == {ALPHA: "new", BRAVO: "new", CHARLIE: "unchanged", DELTA: "unchanged"}
    assert changes(second, D)[0] == "beyond tonight's budget, to be told when its turn comes"
    assert "also found: dark gap" in changes(second, D)
    assert second.alerts["beyond_budget_ids"] == [D["voyage_id"]]
    assert second.alerts["over_threshold"] == 4, "none is counted twice"
    third = log.night(*more, budget=2, day=22)
    assert statuses(third)[DELTA] == "revised"


def test_unchanged_and_withdrawn_voyages_take_nothing_of_the_budget():
    log = Log()
    log.night(*FOUR)
    second = log.night(*FOUR[:3], (D, "listed_vessel", 1.0), voyages=[A, B, C, D], budget=1, day=21)
    assert statuses(second) == {ALPHA: "unchanged", BRAVO: "unchanged", CHARLIE: "unchanged", DELTA: "revised"}
    third = log.night((D, "listed_vessel", 1.0), (C, "listed_vessel", 1.0), voyages=[A, B, C, D], budget=1, day=22)
    assert statuses(third) == {ALPHA: "withdrawn", BRAVO: "withdrawn", CHARLIE: "revised", DELTA: "unchanged"}


def test_what_is_under_the_threshold_is_not_told():
    log = Log()
    assert statuses(log.night(*FOUR, min_score=0.5)) == {ALPHA: "new", BRAVO: "new", CHARLIE: "new"}
    second = log.night(*FOUR, min_score=0.7, day=21)
    assert statuses(second)[CHARLIE] == "withdrawn"
    assert "the threshold is 0.7" in changes(second, C)[0]


def test_a_watched_voyage_is_told_at_every_change_and_before_the_budget():
    log = Log()
    log.night(*FOUR)
    log.say(D, "watch")
    again = log.night(*FOUR, budget=1, day=21)
    assert statuses(again)[DELTA] == "unchanged", "nothing changed"
    slight = [*FOUR[:3], (D, "name_change", 0.97)]
    second = log.night(*slight, (C, "dark_gap", 1.0), budget=1, day=22)
    assert (statuses(second)[DELTA], statuses(second)[CHARLIE]) == ("revised", "revised")
    assert by_id(second)[D["voyage_id"]]["verdict"] == "watch"
    assert (second.alerts["watched"], second.alerts["beyond_budget"]) == (1, 0)


def test_a_dismissed_voyage_is_quiet_and_counted_until_something_is_added():
    log = Log()
    log.night(*FOUR)
    log.say(A, "dismissed", reason="exempt cargo")
    second = log.night(*FOUR, day=21)
    assert ALPHA not in statuses(second)
    assert (second.alerts["dismissed_ids"], second.alerts["over_threshold"]) == ([A["voyage_id"]], 4)
    gone = log.night(*FOUR[1:], voyages=[A, B, C, D], day=22)
    assert (ALPHA not in statuses(gone), gone.alerts["dismissed"]) == (True, 1)
    third = log.night(*FOUR, (A, "dark_gap", 1.0), day=23)
    assert by_id(third)[A["voyage_id"]]["status"] == "revised"
    assert by_id(third)[A["voyage_id"]]["verdict"] == "dismissed"
    fourth = log.night(*FOUR, (A, "dark_gap", 1.0), day=24)
    assert statuses(fourth)[ALPHA] == "unchanged", "dismissed as it was then, not as it was told since"


def test_an_arrival_alone_does_not_wake_a_dismissed_voyage():
    log = Log()
    log.night((still_open(A), "listed_vessel", 1.0))
    log.say(A, "dismissed")
    assert log.night(FOUR[0], day=21).alerts["dismissed"] == 1


def test_a_dismissal_holds_for_the_voyage_that_takes_the_place_of_the_dismissed_one():
    log = Log()
    log.night(FOUR[0])
    log.say(A, "dismissed")
    longer = sailing(ALPHA, 0, 5)
    second = log.night((longer, "listed_vessel", 1.0), day=21)
    assert (statuses(second), second.alerts["dismissed"]) == ({}, 2)
    third = log.night((longer, "listed_vessel", 1.0), (longer, "dark_gap", 1.0), day=22)
    assert by_id(third)[longer["voyage_id"]]["status"] == "revised"


def test_other_voyages_of_a_confirmed_hull_say_so():
    log = Log()
    log.night(FOUR[0])
    log.say(A, "confirmed")
    later = sailing(ALPHA, 8, 12)
    stranger = {
        **sailing(ALPHA, 8, 12),
        "hull_id": "hull-other",
        "segment_id": "segment-other",
        "voyage_id": "voyage-9",
    }
    rows = by_id(log.night(FOUR[0], (later, "name_change", 1.0), (stranger, "name_change", 1.0), day=21))
    assert rows[A["voyage_id"]]["verdict"] == "confirmed"
    assert rows[later["voyage_id"]]["verdict"] == "confirmed hull"
    assert rows["voyage-9"]["verdict"] is None, "another hull under the same MMSI"


def test_a_confirmed_hull_is_known_again_under_another_id_by_its_mmsi_but_not_with_another_imo_number():
    log = Log()
    log.night(FOUR[0], identities=[spell(ALPHA, at(0), at(6), imo=2318669)])
    log.say(A, "confirmed")
    later = {**sailing(ALPHA, 8, 12), "hull_id": "hull-joined"}
    for imo, verdict in ((2318669, "confirmed hull"), (None, "confirmed hull"), (2045171, None)):
        said = [spell(ALPHA, at(8), at(12), imo=imo, hull_id="hull-joined")]
        rows = by_id(log.night((later, "listed_vessel", 1.0), voyages=[later], day=21, identities=said))
        assert rows[later["voyage_id"]]["verdict"] == verdict
        log.told.pop(later["voyage_id"])


def test_a_muted_kind_weighs_nothing_on_that_hull_until_the_time_is_over():
    log = Log()
    found = [(D, "name_change", 1.0, {"start": at(2)}), (C, "name_change", 1.0)]
    log.night(*found)
    log.say(D, "dismissed", mute_kinds=("name_change",), mute_days=10)
    later = sailing(DELTA, 8, 12)
    second = log.night(*found, (later, "name_change", 1.0), (later, "imo_twin", 1.0), day=21)
    row = by_id(second)[later["voyage_id"]]
    alone = Log().night((later, "imo_twin", 1.0))
    assert row["score"] == by_id(alone)[later["voyage_id"]]["score"]
    muted = [f for f in second.findings.to_pylist() if f["mmsi"] == DELTA and f["kind"] == "name_change"]
    assert [(f["weight_db"], f["caveats"]) for f in muted] == [(0.0, [f"{MUTED}2024-03-31"])] * 2, "they stand"
    assert (second.alerts["muted"], second.alerts["muted_ids"]) == (2, [D["voyage_id"]])
    assert statuses(second)[CHARLIE] == "unchanged", "another hull"
    third = log.night(*found, (later, "name_change", 1.0), (later, "imo_twin", 1.0), day=31.5)
    assert by_id(third)[later["voyage_id"]]["status"] == "revised"
    assert "also found: name change" in changes(third, later)


def test_a_mute_names_only_the_voyages_that_it_keeps_under_the_threshold():
    log = Log()
    weak = sailing(DELTA, 8, 12)
    found = [FOUR[3], (weak, "name_change", 0.2)]
    log.night(*found)
    log.say(D, "dismissed", mute_kinds=("name_change",), mute_days=10)
    second = log.night(*found, day=21)
    assert (second.alerts["muted"], second.alerts["muted_ids"]) == (2, [D["voyage_id"]])


def test_a_voyage_that_comes_back_beyond_the_budget_waits_unlisted():
    log = Log()
    log.night(*FOUR)
    log.night(*FOUR[:3], voyages=[A, B, C, D], day=21)
    third = log.night((A, "listed_vessel", 1.0), (A, "dark_gap", 1.0), *FOUR[1:], budget=1, day=22)
    assert statuses(third) == {ALPHA: "revised", BRAVO: "unchanged", CHARLIE: "unchanged"}
    assert third.alerts["beyond_budget_ids"] == [D["voyage_id"]]


def test_a_voyage_told_before_that_a_mute_puts_under_the_threshold_is_withdrawn_for_it():
    log = Log()
    later = sailing(DELTA, 8, 12)
    found = [FOUR[3], (later, "name_change", 1.0)]
    log.night(*found)
    log.say(D, "dismissed", mute_kinds=("name_change",), mute_days=10)
    second = log.night(*found, day=21)
    assert changes(second, later)[1] == "muted by an analyst: name change"
    assert by_id(second)[later["voyage_id"]]["status"] == "withdrawn"


def test_a_ship_that_only_shares_the_mmsi_is_no_identity_to_tell_of():
    sure = {"is_strong": True, "link_probability": 1.0, "same": "MMSI"}
    weak = {"is_strong": False, "link_probability": 0.3, "same": "hull"}
    shared = {"is_strong": False, "link_probability": None, "same": "MMSI"}
    twin = {"is_strong": False, "link_probability": None, "same": "IMO"}
    assert settled_identities({"earlier_identities": [weak, shared, twin, sure]}) == [sure, twin]


ODDITIES = st.lists(
    st.tuples(
        st.sampled_from([A, B, C, D]),
        st.sampled_from(["listed_vessel", "imo_twin", "name_change", "dark_gap"]),
        st.sampled_from([0.3, 0.6, 1.0]),
    ),
    max_size=5,
    unique_by=lambda one: (one[0]["mmsi"], one[1]),
)
WORDS = st.lists(
    st.tuples(st.sampled_from([A, B, C, D]), st.sampled_from(["dismissed", "watch", "confirmed"])), max_size=2
)


@LAW
@given(
    st.lists(
        st.tuples(ODDITIES, WORDS, st.sampled_from([1, 2, None]), st.sampled_from([-60, 0.5])), min_size=2, max_size=5
    )
)
def test_nothing_vanishes_and_the_numbers_add_up(nights):
    log = Log()
    for night, (found, words, budget, window) in enumerate(nights):
        active = {voyage for voyage, one in log.told.items() if not one.is_withdrawn}
        telling = log.night(*found, voyages=[A, B, C, D], budget=budget, day=20 + night, window=at(window))
        alerts, rows = telling.alerts, by_id(telling)
        assert active <= {*rows, *alerts["dismissed_ids"], *alerts["left_window_ids"]}
        assert len(rows) == sum(alerts[status] for status in ("new", "revised", "unchanged", "withdrawn"))
        over = {v for v, verdict in telling.judged.verdicts.items() if verdict.is_flagged}
        listed = {v for v, row in rows.items() if row["status"] != "withdrawn"}
        assert over <= {*listed, *alerts["beyond_budget_ids"], *alerts["dismissed_ids"]}
        assert alerts["over_threshold"] == len(over)
        told = [row for row in rows.values() if row["status"] in ("new", "revised")]
        assert budget is None or len(told) <= budget + alerts["watched"]
        assert sorted(row["rank"] for row in rows.values()) == list(range(1, len(rows) + 1))
        for row, verdict in words:
            if row["voyage_id"] in log.told:
                log.say(row, verdict)


@pytest.mark.parametrize("budget", [1, 2, 3, None])
def test_the_same_night_twice_tells_the_same(budget):
    log = Log()
    log.night(*FOUR[1:], budget=budget)
    before = dict(log.told)
    first = log.night(*FOUR, budget=budget, day=21)
    log.told, log.nights = before, log.nights[:1]
    assert log.night(*FOUR, budget=budget, day=21).flagged.equals(first.flagged)
    assert days(1) == at(21) - at(20)
