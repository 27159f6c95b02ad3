"""What was told, kept in the store: round trips, killed nights, what is read back."""

from dataclasses import replace

import pytest

from detectors.batch.nights import Nights, commit_night, kept_table, night_id_of, night_row, read_nights, read_record
from detectors.batch.told import TOLD, ToldVoyage, read_told, told_table, told_voyage
from tests.detectors.histories import at
from tests.detectors.nightlog import ALPHA, BRAVO, WINDOW, Log, sailing
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

A, B = sailing(ALPHA), sailing(BRAVO)
COUNTS = {"new": 1, "revised": 0, "unchanged": 0, "withdrawn": 0}


@pytest.fixture
def store(tmp_path):
    return TrackStore.open(StorePlace(str(tmp_path / "store")), n_buckets=2, create=True)


@pytest.fixture(scope="module")
def told() -> list[ToldVoyage]:
    log = Log()
    log.night((A, "listed_vessel", 1.0), (A, "name_change", 0.5, {"other_mmsi": (BRAVO,)}), (B, "relay_voyage", 1.0))
    return list(log.told.values())


def row_of(seq, key="key", window=WINDOW):
    return night_row(
        night_id=night_id_of(key, seq),
        seq=seq,
        as_of=at(20),
        window_start=window,
        key=key,
        date="2024-03-21",
        alerts=COUNTS,
        record={"notes": ["first"]},
    )


def at_night(told, seq, key="key", **said):
    return told_table([replace(one, night_id=night_id_of(key, seq), seq=seq, **said) for one in told])


def test_what_was_told_comes_back_as_it_was(store, told):
    commit_night(store, at_night(told, 1), TOLD, row_of(1))
    back = read_told(store, read_nights(store), 2, WINDOW)
    assert [replace(one, night_id=told[0].night_id) for one in back.values()] == sorted(
        told, key=lambda one: one.voyage_id
    )
    assert [f.finding_id for f in back[A["voyage_id"]].findings] == [f.finding_id for f in told[0].findings]


def test_a_told_row_is_the_same_through_a_table(told):
    assert [told_voyage(row) for row in told_table(told).to_pylist()] == told


def test_a_night_counts_when_its_row_stands(store, told):
    kept_table(store, TOLD).append(at_night(told, 1), transactions=[night_id_of("key", 1)])
    assert read_told(store, read_nights(store), 2, WINDOW) == {}, "killed between the two commits"
    assert commit_night(store, at_night(told, 1), TOLD, row_of(1))
    assert not commit_night(store, at_night(told, 1), TOLD, row_of(1)), "once"
    nights = read_nights(store)
    assert (len(nights.rows), len(read_told(store, nights, 2, WINDOW))) == (1, 2)
    assert kept_table(store, TOLD).read().num_rows == 2


def test_rows_of_a_killed_night_are_not_those_of_the_night_that_came_in_its_place(store, told):
    kept_table(store, TOLD).append(at_night(told, 1, key="killed"), transactions=["killed"])
    commit_night(store, at_night(told[:1], 1), TOLD, row_of(1))
    assert list(read_told(store, read_nights(store), 2, WINDOW)) == [told[0].voyage_id]


def test_what_was_told_last_before_a_night_is_what_counts(store, told):
    commit_night(store, at_night(told, 1), TOLD, row_of(1))
    commit_night(store, at_night(told[:1], 2, "other", revision=2), TOLD, row_of(2, "other"))
    nights = read_nights(store)
    assert {v: one.revision for v, one in read_told(store, nights, 3, WINDOW).items()} == {
        A["voyage_id"]: 2,
        B["voyage_id"]: 1,
    }
    assert read_told(store, nights, 2, WINDOW)[A["voyage_id"]].revision == 1
    assert read_told(store, nights, 1, WINDOW) == {}


def test_only_what_is_within_reach_is_read(store, told):
    commit_night(store, at_night(told, 1), TOLD, row_of(1, window=at(30)))
    nights = read_nights(store)
    assert read_told(store, nights, 2, at(30)) == {}
    assert list(read_told(store, nights, 2, at(30), [A["voyage_id"]])) == [A["voyage_id"]]
    assert len(read_told(store, nights, 2, at(4))) == 2


def test_what_the_night_before_could_see_is_read_though_the_window_has_moved_past_it(store, told):
    commit_night(store, at_night(told, 1), TOLD, row_of(1, window=at(4)))
    assert len(read_told(store, read_nights(store), 2, at(30))) == 2


def test_nights_know_their_order_and_their_record(store, told):
    nights = read_nights(store)
    assert (nights.last, nights.next_seq, nights.before(1)) == (None, 1, None)
    commit_night(store, at_night(told, 1), TOLD, row_of(1, "a"))
    commit_night(store, told_table([]), TOLD, row_of(2, "b"))
    nights = read_nights(store)
    assert [nights.seq_of(key) for key in ("b", "a", "c")] == [2, 3, 3], "a night is the same only if none came since"
    assert (nights.next_seq, nights.before(2)["key"]) == (3, "a")
    assert nights.holds(night_id_of("b", 2))
    assert not nights.holds(night_id_of("b", 1))
    assert read_record(store, night_id_of("a", 1)) == {"notes": ["first"]}
    assert read_record(store, "night-none") is None


def test_no_nights_are_told_of_in_an_empty_store(store):
    assert read_nights(store) == Nights()
    assert read_told(store, Nights(), 1, WINDOW) == {}
