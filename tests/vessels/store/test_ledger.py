"""The ledger: whole whenever it is read, however its writing was cut short; what counts, and until when."""

import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.vessels.store.inputs import DAY, LAST_S, MemoryStore, digest_of, entry_of, text
from vessels.errors import StoreError
from vessels.store.entries import (
    INPUTS_NOTE,
    DayRows,
    Entry,
    NewInput,
    Sighting,
    commit_notes,
    entries_of,
    entry_rows,
    noted,
    source_of,
)
from vessels.store.layout import POSITIONS
from vessels.store.ledger import Ledger
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.units import US_PER_DAY, US_PER_H, US_PER_S

NO_ROWS = text(salt="header only")


def new_input(content: str, *names: str, seq: int = 1) -> NewInput:
    digest = digest_of(content)
    sightings = tuple(Sighting(name, digest, len(content), 7, seq) for name in sorted(names))
    return NewInput(Path(names[0]), min(names), tuple(sorted(names)), digest, len(content), 7, sightings)


def newest(day: int) -> int:
    return day * US_PER_DAY + LAST_S * US_PER_S


@pytest.fixture
def store(tmp_path: Path) -> TrackStore:
    return TrackStore.open(StorePlace(str(tmp_path / "store")), n_buckets=4, create=True)


ENTRIES = [
    entry_of(text((DAY, 10), (DAY + 1, 5))),
    entry_of(NO_ROWS),
    entry_of(text((DAY - 3, 1)), rejects=(), nulled=(), zones="", thin_s=0.5),
]


def test_entries_keep_all_they_say_in_the_table_and_in_a_commit() -> None:
    assert entries_of(entry_rows(ENTRIES)) == ENTRIES
    assert entries_of(entry_rows(ENTRIES).slice(1, 1)) == ENTRIES[1:2]
    assert entries_of(pa.concat_tables([entry_rows(ENTRIES)] * 2)) == ENTRIES * 2
    assert entries_of(entry_rows([])) == []
    pairs = [(new_input(f"content {i}", f"/in/{i}.csv", f"/in/ü{i}.csv"), entry) for i, entry in enumerate(ENTRIES)]
    assert noted(commit_notes(pairs)) == (ENTRIES, [s for file, _ in pairs for s in file.sightings])
    assert noted({}) == ([], [])


@pytest.mark.parametrize("note", ["{", "[{}]", '[{"digest": "x"}]', "[1]", "{}1"])
def test_notes_that_cannot_be_read_are_a_damaged_store(note: str) -> None:
    with pytest.raises(StoreError, match="restore"):
        noted({INPUTS_NOTE: note})


def test_the_number_of_an_input_fits_the_column_and_keeps_apart_what_differs() -> None:
    assert source_of("80" + "0" * 62) == -(2**63)
    assert source_of("7f" + "f" * 62) == 2**63 - 1
    assert len({source_of(digest_of(str(i))) for i in range(1000)}) == 1000


def test_a_new_store_has_an_empty_ledger(store: TrackStore) -> None:
    ledger = Ledger.read(store)
    assert (len(ledger), ledger.counting(), ledger.span_us(), ledger.as_of_us()) == (0, (), (0, 0), 0)
    assert (ledger.next_seq, ledger.superseded, ledger.n_unwritten) == (1, frozenset(), 0)
    assert ledger.entry("00") is None
    assert len(ledger.in_force.name) == 0
    assert len(ledger.record([], [])) == 0
    assert store.inputs.version == store.names.version == 0


def test_what_was_recorded_is_read_again(store: TrackStore) -> None:
    files = [new_input(f"{i}", f"/in/{i}.csv", f"/copy/{i}.csv") for i in range(3)]
    entries = [replace(entry, digest=file.digest) for entry, file in zip(ENTRIES, files, strict=True)]
    after = Ledger.read(store).record(entries[:2], files)
    for ledger in (after, Ledger.read(store)):
        assert len(ledger) == 2
        assert {entry.digest: entry for entry in ledger.counting()} == {entry.digest: entry for entry in entries[:2]}
        assert [ledger.entry(entry.digest) for entry in entries] == [*entries[:2], None]
        assert files[0].digest in ledger
        assert files[2].digest not in ledger
        assert ledger.in_force.name.to_pylist() == ["/copy/0.csv", "/copy/1.csv", "/in/0.csv", "/in/1.csv"]
        assert ledger.in_force.mtime_ns.tolist() == [7] * 4
        assert ledger.next_seq == 2


def committed(store: TrackStore, *files: NewInput) -> list[Entry]:
    """The commit of positions that a task makes of these."""
    entries = [replace(entry_of(text((DAY, 10), salt=file.digest)), digest=file.digest) for file in files]
    notes = commit_notes(list(zip(files, entries, strict=True)))
    store.positions.append(POSITIONS.empty(), transactions=[file.digest for file in files], about=notes)
    return entries


def test_what_only_commits_tell_of_is_in_the_ledger_and_written_with_the_next_record(store: TrackStore) -> None:
    """Killed between the commit of positions and the ledger."""
    first, second, third = (new_input(f"{i}", f"/in/{i}.csv", seq=i) for i in (1, 2, 3))
    entries = committed(store, first)
    Ledger.read(store).record(entries, [first])
    entries += committed(store, second) + committed(store, third)
    versions = store.inputs.version, store.names.version
    ledger = Ledger.read(store)
    assert (store.inputs.version, store.names.version) == versions
    assert (len(ledger), ledger.n_unwritten, ledger.next_seq) == (3, 2, 4)
    assert ledger.in_force.name.to_pylist() == ["/in/1.csv", "/in/2.csv", "/in/3.csv"]
    assert {e.digest for e in ledger.counting()} == {e.digest for e in entries}
    ledger.record([], [])
    assert Ledger.read(store).n_unwritten == 0
    assert store.inputs.read().num_rows == store.names.read().num_rows == 3


def test_killed_between_the_two_tables_of_the_ledger(store: TrackStore) -> None:
    file = new_input("a", "/in/a.csv", "/in/b.csv")
    entries = committed(store, file)
    store.inputs.append(entry_rows(entries))
    ledger = Ledger.read(store)
    assert (len(ledger), ledger.n_unwritten) == (1, 0)
    assert ledger.in_force.name.to_pylist() == ["/in/a.csv", "/in/b.csv"]
    ledger.record([], [])
    assert store.inputs.read().num_rows == 1
    assert sorted(store.names.read()["name"].to_pylist()) == ["/in/a.csv", "/in/b.csv"]


def test_old_commits_are_not_looked_at_again() -> None:
    store, asked = MemoryStore(), []
    really = store.positions.commits

    def commits(limit: int) -> list[dict[str, str]]:
        asked.append(limit)
        return really(limit)

    store.positions.commits = commits  # type: ignore[method-assign]
    for look in range(1, 40):
        file = new_input(f"{look}", f"/in/{look}.csv", seq=look)
        ledger, entry = Ledger.read(store), entry_of(text((DAY, 10), salt=look))
        entry = replace(entry, digest=file.digest)
        store.positions.append(pa.table({"digest": [file.digest]}), about=commit_notes([(file, entry)]))
        ledger.record([entry], [file])
        for _ in range(look):
            store.names.notes.append({})  # upkeep
    assert len(asked) == 39
    assert max(asked) == 1
    assert len(Ledger.read(store)) == 39


def test_recording_twice_and_names_written_twice_change_nothing(store: TrackStore) -> None:
    file = new_input("a", "/in/a.csv")
    entries = committed(store, file)
    first = Ledger.read(store).record(entries, [file])
    once = first.in_force.name.to_pylist(), first.counting()
    again = first.record(entries, [file]).record(entries, [file], file.sightings)
    for ledger in (again, Ledger.read(store)):
        assert (ledger.in_force.name.to_pylist(), ledger.counting(), ledger.next_seq) == (*once, 2)
    assert store.inputs.read().num_rows == 1


def test_an_input_taken_in_again_takes_its_own_place(store: TrackStore) -> None:
    one, other = new_input("a", "/in/a.csv"), new_input("b", "/in/b.csv")
    entries = committed(store, one, other)
    ledger = Ledger.read(store).record(entries, [one, other])
    thinner = replace(entries[0], thin_s=300.0, n_stored=0)
    assert ledger.record([thinner], [one]).entry(one.digest) == thinner
    assert Ledger.read(store).entry(one.digest) == thinner
    assert Ledger.read(store).entry(other.digest) == entries[1]


def test_killed_after_an_input_was_taken_in_again(store: TrackStore) -> None:
    file = new_input("a", "/in/a.csv")
    entries = committed(store, file)
    Ledger.read(store).record(entries, [file])
    thinner = replace(entries[0], thin_s=300.0)
    store.positions.append(POSITIONS.empty(), transactions=["again"], about=commit_notes([(file, thinner)]))
    ledger = Ledger.read(store)
    assert (ledger.entry(file.digest), ledger.n_unwritten, len(ledger)) == (thinner, 1, 1)
    ledger.record([], [])
    assert (Ledger.read(store).entry(file.digest), Ledger.read(store).n_unwritten) == (thinner, 0)
    assert store.inputs.read().num_rows == 1


def test_tables_of_two_copies_are_refused(store: TrackStore) -> None:
    for look in (1, 2):
        file = new_input(f"{look}", f"/in/{look}.csv", seq=look)
        entries = committed(store, file)
        Ledger.read(store).record(entries, [file])
    memory = MemoryStore()
    memory.inputs.rows, memory.names.rows = store.inputs.read(), store.names.read()
    memory.names.notes = store.names.commits()[::-1]
    with pytest.raises(StoreError, match="one copy"):
        Ledger.read(memory)


def ledger_of(*contents: str, shuffled: int | None = None) -> Ledger:
    """A ledger of contents that came under names of their own, its rows in any order."""
    store = MemoryStore()
    entries = [entry_of(content) for content in contents]
    if shuffled is not None:
        random.Random(shuffled).shuffle(entries)
    store.inputs.append(entry_rows(entries))
    return Ledger.read(store)


def test_counting_in_a_window_asks_for_days_with_rows_in_it() -> None:
    days = {day: text((day, 10), (day + 5, 10, 600, 1200)) for day in (DAY, DAY + 1, DAY + 20)}
    ledger = ledger_of(*days.values(), NO_ROWS)

    def inside(first_us: int | None, last_us: int | None) -> set[int]:
        found = {entry.digest for entry in ledger.counting(first_us, last_us)}
        assert digest_of(NO_ROWS) not in found
        return {day for day, content in days.items() if digest_of(content) in found}

    start = DAY * US_PER_DAY
    assert inside(start, start) == {DAY}
    assert inside(start + US_PER_DAY, newest(DAY + 1)) == {DAY + 1}
    assert inside(start + 2 * US_PER_DAY, newest(DAY + 4)) == set()
    assert inside(start + 5 * US_PER_DAY + 1200 * US_PER_S, newest(DAY + 5)) == {DAY}
    assert inside(start + 5 * US_PER_DAY + 1201 * US_PER_S, newest(DAY + 5)) == set()
    assert inside(None, start + 3 * US_PER_DAY) == {DAY, DAY + 1}
    assert inside(newest(DAY + 20), None) == {DAY + 20}
    assert len(ledger.counting()) == 4


def test_a_content_is_shown_under_the_names_that_hold_it_or_once_did() -> None:
    held, moved, replaced = (text((DAY + i, 10)) for i in range(3))
    store = MemoryStore()
    files = [
        new_input(held, "/in/b.csv", "/in/a.csv"),
        new_input(moved, "/in/new.csv", "/in/archive.csv"),
        new_input(replaced, "/in/latest.csv", "/in/other.csv"),
    ]
    seen = [
        Sighting("/in/new.csv", "", 0, 0, 2),
        Sighting("/in/latest.csv", digest_of(held), 1, 1, 2),
        Sighting("/in/other.csv", digest_of(held), 1, 1, 2),
    ]
    entries = [entry_of(content) for content in (replaced, held, moved)]
    ledger = Ledger.read(store).record(entries, files).record([], [], seen)
    names = [("/in/latest.csv", "/in/other.csv"), ("/in/a.csv", "/in/b.csv", *("/in/latest.csv", "/in/other.csv"))]
    assert ledger.names_of(entries) == [*names, ("/in/archive.csv",)]
    assert ledger_of(held).names_of(entries[1:2]) == [()]
    assert ledger.names_of([]) == []


def test_totals_and_days_are_of_what_counts() -> None:
    store = MemoryStore()
    contents = [text((DAY, 9, 0, 7000)), text((DAY, 10, 0, 7200), (47_480, 1)), text((DAY, 5), (DAY + 3, 5))]
    files = [new_input(c, "/in/a.csv" if i < 2 else "/in/b.csv", seq=i + 1) for i, c in enumerate(contents)]
    ledger = Ledger.read(store).record([entry_of(content) for content in contents], files)
    assert ledger.totals() == (2, 21, 4)
    assert ledger.newest_us() == {day: newest(day) for day in (DAY, DAY + 3, 47_480)}
    assert ledger_of().totals() == (0, 0, 0)
    assert ledger_of().newest_us() == {}


def test_the_order_of_rows_changes_nothing() -> None:
    contents = [text((DAY + i % 7, 10 + i), salt=i) for i in range(30)]
    known = ledger_of(*contents).counting()
    assert [entry.source_id for entry in known] == sorted(entry.source_id for entry in known)
    for seed in range(3):
        assert ledger_of(*contents, shuffled=seed).counting() == known


def test_now_is_the_newest_time_that_counts() -> None:
    assert ledger_of(text((DAY, 10)), text((DAY + 1, 10, 0, 3600))).as_of_us() == (DAY + 1) * US_PER_DAY + US_PER_H
    assert ledger_of(text((DAY, 10)), text((DAY, 5, 0, 3600))).as_of_us() == newest(DAY)
    assert ledger_of(NO_ROWS).as_of_us() == 0


def test_a_row_in_2099_is_not_now_whichever_file_it_came_in() -> None:
    stray = 47_480
    days = [text((DAY + i, 500)) for i in range(5)]
    with_stray = text((DAY + 2, 400), (stray, 1))
    alone = text((stray, 1))
    last = newest(DAY + 4)
    assert ledger_of(*days, with_stray).span_us() == (DAY * US_PER_DAY, last)
    assert ledger_of(*days, alone, text((stray + 3, 2)), text((8000, 1))).span_us() == (DAY * US_PER_DAY, last)
    assert ledger_of(alone).as_of_us() == newest(stray)  # there is nothing else


def test_rows_that_were_taken_back_are_not_now() -> None:
    """A wrong last row, gone when the day was published anew under the same name."""
    wrong, right = text((DAY, 10, 0, 7300)), text((DAY, 9, 0, 7200))
    store = MemoryStore()
    files = [new_input(wrong, "/in/a.csv", seq=1), new_input(right, "/in/a.csv", seq=2)]
    ledger = Ledger.read(store).record([entry_of(wrong), entry_of(right)], files)
    assert ledger.superseded == {digest_of(wrong)}
    assert [entry.digest for entry in ledger.counting()] == [digest_of(right)]
    assert ledger.as_of_us() == DAY * US_PER_DAY + 2 * US_PER_H


def test_an_entry_with_many_days_and_one_with_none_lie_side_by_side() -> None:
    many = entry_of(text(*((DAY + i, 3) for i in range(400))))
    assert many.days[0] == DayRows(DAY, 3, newest(DAY))
    ledger = ledger_of(NO_ROWS, text((DAY, 1)), text(*((DAY + i, 3) for i in range(400))))
    assert ledger.entry(many.digest) == many
    assert ledger.as_of_us() == newest(DAY + 399)
