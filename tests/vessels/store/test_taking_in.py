"""Files into the store: each once, whole or not at all, in whatever order and company they come."""

import os
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, Row, disc, sail, write_parquet, zones_of
from tests.vessels.store.stocked import new_store
from tests.vessels.store.taken import all_said, n_rows_of, new_input, stocked, take
from vessels.errors import StoreError
from vessels.intake import read_tracks
from vessels.reading import ReadOptions
from vessels.store import taking_in, thinned_file
from vessels.store.entries import NewInput, noted, source_of
from vessels.store.kept_rows import ThinParameters
from vessels.store.layout import POSITIONS
from vessels.store.store import TrackStore
from vessels.store.tables import StoreTable
from vessels.store.taking_in import groups_of, take_in, zones_digest

DAY_S = 86_400.0
WEEK_S = 7 * DAY_S


def a_day(day: int) -> list[Row]:
    """Three ships of one day, a report every twenty seconds for half an hour, static data by themselves."""
    rows: list[Row] = []
    for i, mmsi in enumerate((ALPHA, BRAVO, CHARLIE)):
        begin = day * DAY_S + 600.0 * i
        place = (40.0 + 0.05 * day + i, 130.0 + i)
        rows += sail(mmsi, begin, place, (place[0] + 0.1, place[1]), every_s=20.0, draught=5.0 + day % 2)
        rows += [
            {"mmsi": mmsi, "t": begin + 360.0 * j + 1.0, "name": f"SHIP {i}", "destination": f"PORT {(day + j) // 3}"}
            for j in range(5)
        ]
    return rows


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four days of three weeks, in files of their own."""
    folder = tmp_path_factory.mktemp("days")
    return [write_parquet(folder / f"{day}.parquet", a_day(day)) for day in (0, 1, 2, 12)]


@pytest.fixture(scope="module")
def expected(days: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], set[Any]]:
    """What a store says whose files came one by one, and its entries."""
    store, entries = stocked(tmp_path_factory.mktemp("expected"), *([day] for day in days))
    return all_said(store, entries), set(entries)


def test_what_was_taken_in_is_thinned_and_said_once(expected) -> None:
    blocks, entries = expected
    n_rows = sum(len(block["time_us"]) + len(block["statements"]) for block in blocks)
    assert n_rows == sum(entry.n_stored for entry in entries)
    assert 0.3 < n_rows / sum(entry.n_rows for entry in entries) < 0.5
    assert {claim.name_raw for block in blocks for _, _, claim, _ in block["statements"]} == {
        "SHIP 0",
        "SHIP 1",
        "SHIP 2",
    }


def test_the_order_of_files_changes_nothing(days, expected, tmp_path) -> None:
    for i, order in enumerate(list(permutations(days))[1::6]):
        store, entries = stocked(tmp_path / str(i), *([day] for day in order))
        assert (all_said(store, entries), set(entries)) == expected


@pytest.mark.parametrize("cuts", [(4,), (1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("jobs", [1, 3])
def test_how_files_are_grouped_changes_nothing(days, expected, tmp_path, cuts, jobs) -> None:
    at, groups = 0, []
    for n in cuts:
        groups.append(days[at : at + n])
        at += n
    store, entries = stocked(tmp_path / "store", *groups, jobs=jobs)
    assert (all_said(store, entries), set(entries)) == expected
    assert len([1 for said in store.positions.commits() if said]) == len(cuts)


def test_a_group_too_large_for_memory_is_committed_in_parts(days, expected, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(taking_in, "COMMIT_ROWS", 50)
    store, entries = stocked(tmp_path / "store", days)
    assert (all_said(store, entries), set(entries)) == expected
    notes = [noted(said)[0] for said in store.positions.commits() if said]
    assert [len(part) for part in notes] == [1, 1, 1, 1]


def test_a_large_file_goes_through_a_spill_folder_to_the_same_rows(days, expected, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(thinned_file, "SPILL_ROWS", 100)
    monkeypatch.setattr(thinned_file, "ROWS_PER_BUCKET", 50)
    spill = tmp_path / "spill"
    spill.mkdir()
    store = new_store(tmp_path / "store")
    files = [new_input(day) for day in days]
    taken = take_in(store.place, files, ReadOptions(), zones_of(), n_buckets=4, jobs=2, spill_dir=spill)
    assert (all_said(store, taken.entries), set(taken.entries)) == expected
    assert list(spill.iterdir()) == []


def test_putting_files_together_changes_nothing(days, expected, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", *([day] for day in days))
    n_files = len(store.positions.files())
    store.positions.rewrite(store.positions.files())
    assert len(store.positions.files()) < n_files
    assert all_said(store, entries) == expected[0]


def test_the_buckets_are_those_of_the_store(days, tmp_path) -> None:
    store = new_store(tmp_path / "store", 3)
    taken = take_in(store.place, [new_input(days[0])], ReadOptions(), zones_of(), n_buckets=50)
    assert {file.partition["bucket"] for file in store.positions.files()} <= {0, 1, 2}
    assert n_rows_of(store) == taken.entries[0].n_stored


def test_an_entry_says_what_a_scan_says_of_the_file(tmp_path) -> None:
    rows = a_day(0)
    text = "mmsi,timestamp,lat,lon,sog,name\n" + "".join(
        f"{row['mmsi']},2024-05-01T{int(row['t']) // 3600:02}:{int(row['t']) // 60 % 60:02}:{int(row['t']) % 60:02}Z,"
        f"{row.get('lat', 91)},{row.get('lon', 181)},{row.get('sog', 102.3)},{row.get('name', '')}\n"
        for row in [*rows, rows[3], rows[3]]
    )
    text += "992730001,2024-05-01T00:00:00Z,1,1,1,\nx,2024-05-01T00:00:00Z,1,1,1,\n"
    text += f"{ALPHA},2099-05-01T00:00:00Z,40,130,1,STRAY\n"
    path = tmp_path / "day.csv"
    path.write_text(text)
    store, (entry,) = stocked(tmp_path / "store", [path])
    with read_tracks([path]) as tracks:
        tallies = [tracks.block(b).tally for b in range(tracks.n_buckets)]
        (source_id,) = tracks.source_ids(tallies)
        (record,) = tracks.inputs
        rejects = {row["reason"]: row for row in tracks.rejects(tallies, [source_id]).to_pylist()}
    assert entry.source_id == source_id
    assert (entry.digest, entry.n_bytes, entry.n_rows) == (record.sha256, record.n_bytes, record.counts.n_rows)
    assert (entry.format, entry.dialect) == (record.format, record.dialect)
    assert dict(entry.nulled) == dict(record.counts.nulled)
    assert "sog.not_available" in dict(entry.nulled)
    outside = rejects.pop("time_outside_span")  # the ledger decides what is a stray, when it knows all inputs
    assert outside["n_rows"] == 1
    assert {r.reason: (r.n_rows, r.first_row, r.example) for r in entry.rejects} == {
        reason: (row["n_rows"], row["first_row"], row["example"]) for reason, row in rejects.items()
    }
    assert {r.reason: r.n_rows for r in entry.rejects} == {"exact_repeat": 2, "mmsi_unreadable": 1, "not_a_vessel": 1}
    assert [(d.day, d.n_rows) for d in entry.days] == [(19844, len(rows) + 2), (47237, 1)]
    assert entry.last_us == entry.days[-1].newest_us
    assert (entry.thin_s, entry.zones) == (60.0, zones_digest(zones_of()))
    assert entry.n_stored == n_rows_of(store)
    assert noted(store.positions.commits(1)[0])[0] == [entry]


def test_a_file_without_rows_is_known_and_holds_nothing(tmp_path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("mmsi,timestamp,lat,lon\n")
    store, (entry,) = stocked(tmp_path / "store", [path])
    assert (entry.n_rows, entry.n_stored, entry.first_us, entry.days) == (0, 0, None, ())
    assert n_rows_of(store) == 0
    assert noted(store.positions.commits(1)[0])[0] == [entry]
    assert take(store, [path]).entries == (entry,)


# Once and only once


def test_a_task_that_is_run_again_adds_nothing(days, expected, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days[:2])
    version = store.positions.version, store.claims.version
    assert take(store, days[:2]).entries == tuple(entries)
    assert (store.positions.version, store.claims.version) == version
    again = take(store, days).entries
    assert again[:2] == tuple(entries)
    assert (all_said(store, again), set(again)) == expected


def test_one_task_run_twice_at_once_adds_its_rows_once(days, expected, tmp_path) -> None:
    store = new_store(tmp_path / "store")
    files = [new_input(day) for day in days]
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(take(store, files).entries)
        except StoreError as fault:
            results.append(fault)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [entries for entries in results if isinstance(entries, tuple)]
    assert done
    assert all(set(entries) == expected[1] for entries in done)
    assert (all_said(store, done[0]), set(done[0])) == expected
    assert n_rows_of(store) == sum(entry.n_stored for entry in done[0])


def test_tasks_at_once_add_all_their_files(days, expected, tmp_path) -> None:
    store = new_store(tmp_path / "store")
    entries: list[Any] = []
    threads = [threading.Thread(target=lambda day=day: entries.extend(take(store, [day]).entries)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (all_said(store, entries), set(entries)) == expected


@pytest.mark.parametrize("table", ["claims", "positions"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_dies_at_a_commit_is_made_good_by_the_next_run(
    days, expected, tmp_path, monkeypatch, table, moment
) -> None:
    store = new_store(tmp_path / "store")
    whole = StoreTable.append

    def dying(self: StoreTable, *given: Any, **named: Any) -> bool:
        if self.name == table and moment == "after":
            whole(self, *given, **named)
        if self.name == table:
            raise KeyboardInterrupt
        return whole(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(StoreTable, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            take(store, days)
    taken = take(store, days)
    assert (all_said(store, taken.entries), set(taken.entries)) == expected
    assert n_rows_of(store) == sum(entry.n_stored for entry in taken.entries)
    claims = store.claims.read()["claim"].to_pylist()
    assert len(claims) == len(set(claims))


def test_a_content_under_two_names_is_one_input(days, tmp_path) -> None:
    store = new_store(tmp_path / "store")
    file = new_input(days[0], "a.parquet", "b.parquet")
    (entry,) = take(store, [file]).entries
    assert take(store, [new_input(days[0], "c.parquet")]).entries == (entry,)
    assert n_rows_of(store) == entry.n_stored


def test_the_same_rows_in_another_form_are_read_back_once(days, expected, tmp_path) -> None:
    table = pa.parquet.read_table(days[0])
    other = tmp_path / "other.parquet"
    pa.parquet.write_table(table.take(np.random.default_rng(0).permutation(table.num_rows)), other)
    store, entries = stocked(tmp_path / "store", days, [other])
    assert entries[0].source_id == entries[-1].source_id
    assert n_rows_of(store) > sum(entry.n_stored for entry in entries[:-1])
    back = all_said(store, entries)
    for block, alone in zip(back, expected[0], strict=True):
        assert block["time_us"] == alone["time_us"]
        assert block["statements"] == alone["statements"]
        assert block["lat"] == alone["lat"]


def test_a_file_read_again_in_the_same_way_is_not_added_and_in_another_way_replaces_itself(days, tmp_path) -> None:
    port = zones_of(disc("RU_A", 40.05, 130.0, 3.0))
    store, (first,) = stocked(tmp_path / "store", [days[0]])
    ways: Sequence[dict[str, Any]] = (
        {"parameters": ThinParameters(thin_s=300.0)},
        {"parameters": ThinParameters(gap_s=900.0)},
        {"zones": port},
        {"options": ReadOptions(timezone="Asia/Tokyo")},
    )
    entries = [first]
    for way in ways:
        n_before = n_rows_of(store)
        (entry,) = take(store, [days[0]], **way).entries
        assert entry.digest == first.digest
        assert n_rows_of(store) == n_before + entry.n_stored
        assert take(store, [days[0]], **way).entries == (entry,)
        assert n_rows_of(store) == n_before + entry.n_stored
        entries.append(entry)
        fresh, (alone,) = stocked(tmp_path / f"fresh{len(entries)}", [days[0]], **way)
        assert alone == entry
        assert all_said(store, [entry]) == all_said(fresh, [alone])
    assert len({entry.source for entry in entries}) == len(entries)
    assert entries[1].n_stored < first.n_stored < entries[3].n_stored
    (small_chunks,) = take(store, [days[0]], options=ReadOptions(chunk_rows=100)).entries
    assert small_chunks == first


# Nothing of a broken file


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def damage_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 200] = os.urandom(200)
    path.write_bytes(data)


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut": (cut, "broken_parquet"),
    "a page": (damage_a_page, "broken_parquet"),
    "empty": (lambda path: path.write_bytes(b""), "empty_file"),
    "notes": (lambda path: path.write_text("no tracks here\n"), "no_layout"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside_under_each_name_and_the_others_go_on(days, tmp_path, damage) -> None:
    spoil, reason = DAMAGES[damage]
    path = write_parquet(tmp_path / "x.parquet", a_day(5), compression="none", write_page_checksum=True)
    whole = path.read_bytes()
    spoil(path)
    store = new_store(tmp_path / "store")
    taken = take(store, [days[0], new_input(path, str(path), "/in/other name"), days[1]])
    assert [entry.digest for entry in taken.entries] == [new_input(day).digest for day in days[:2]]
    assert [one.name for one in taken.set_aside] == ["/in/other name", str(path)]
    assert all(one.detail.startswith(one.name) for one in taken.set_aside)
    if reason != "no_layout":
        assert {one.reason for one in taken.set_aside} == {reason}
    assert n_rows_of(store) == sum(entry.n_stored for entry in taken.entries)
    assert len(noted(store.positions.commits(1)[0])[0]) == 2
    path.write_bytes(whole)
    (late,) = take(store, [path]).entries
    assert late.n_rows == len(a_day(5))


def test_a_file_damaged_after_its_first_rows_leaves_none_of_them(days, tmp_path) -> None:
    path = tmp_path / "x.parquet"
    write_parquet(path, [row for day in range(8) for row in a_day(day)], row_group_size=200, compression="none")
    metadata = pa.parquet.read_metadata(path)
    assert metadata.num_row_groups > 5
    last = metadata.row_group(metadata.num_row_groups - 1).column(2)
    data = bytearray(path.read_bytes())
    data[last.data_page_offset : last.data_page_offset + 40] = b"\xff" * 40
    path.write_bytes(data)
    store = new_store(tmp_path / "store")
    taken = take(store, [path, days[0]], options=ReadOptions(chunk_rows=200), jobs=2)
    assert [one.reason for one in taken.set_aside] == ["broken_parquet"]
    assert n_rows_of(store) == taken.entries[0].n_stored


def test_a_file_that_is_gone_or_another_by_now_is_set_aside(tmp_path) -> None:
    paths = [write_parquet(tmp_path / f"{i}.parquet", a_day(20 + i)) for i in range(3)]
    files = [new_input(path) for path in paths]
    paths[0].unlink()
    write_parquet(paths[1], a_day(30))
    store = new_store(tmp_path / "store")
    taken = take(store, files)
    assert [(one.name, one.reason) for one in taken.set_aside] == [
        (str(paths[0]), "unreadable"),
        (str(paths[1]), "changing"),
    ]
    assert [entry.digest for entry in taken.entries] == [files[2].digest]


@pytest.mark.parametrize("how", ["grows", "touched"])
def test_a_file_that_changes_while_it_is_read_is_set_aside(tmp_path, monkeypatch, how) -> None:
    path = tmp_path / "x.csv"
    path.write_text("mmsi,timestamp,lat,lon\n" + f"{ALPHA},2024-05-01T00:00:00Z,40,130\n" * 3)
    file = new_input(path)
    opened = thinned_file.open_input

    def opening(*given: Any) -> Any:
        result = opened(*given)
        if how == "grows":
            with path.open("a") as handle:
                handle.write(f"{ALPHA},2024-05-01T00:10:00Z,40,130\n")
        os.utime(path, ns=(1, 1))
        return result

    monkeypatch.setattr(thinned_file, "open_input", opening)
    store = new_store(tmp_path / "store")
    taken = take(store, [file])
    assert [one.reason for one in taken.set_aside] == ["changing"]
    assert taken.entries == ()
    assert store.positions.files() == ()


def test_a_file_that_was_touched_before_it_is_read_is_read(days, tmp_path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(days[0].read_bytes())
    file = new_input(path)
    os.utime(path, ns=(1, 1))
    assert [e.digest for e in take(new_store(tmp_path / "store"), [file]).entries] == [file.digest]


@pytest.mark.parametrize(
    ("fault", "reason"), [(ValueError("odd"), "failed"), (OSError(28, "No space left"), "unreadable")]
)
def test_a_file_that_breaks_the_reading_never_stops_the_rest(days, tmp_path, monkeypatch, fault, reason) -> None:
    keeping = thinned_file.kept_rows
    calls: list[int] = []

    def breaking(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise fault
        return keeping(*given)

    monkeypatch.setattr(thinned_file, "kept_rows", breaking)
    store = new_store(tmp_path / "store")
    taken = take(store, days[:2])
    assert [(one.name, one.reason) for one in taken.set_aside] == [(str(days[0]), reason)]
    assert len(taken.entries) == 1


def test_a_store_that_is_not_there_is_no_empty_store(days, tmp_path) -> None:
    store = new_store(tmp_path / "store")
    nowhere = replace(store, place=replace(store.place, url=str(tmp_path / "elsewhere")))
    with pytest.raises(StoreError, match="there is no store"):
        take(nowhere, days[:1])
    assert not (tmp_path / "elsewhere").exists()


# Tasks


def test_groups_keep_all_files_in_their_order(tmp_path) -> None:
    path = write_parquet(tmp_path / "x.parquet", a_day(0))
    small = [replace(new_input(path), name=str(i), n_bytes=0) for i in range(2500)]
    assert [len(group) for group in groups_of(small)] == [409] * 6 + [46]
    assert [len(group) for group in groups_of(small[:120], 8)] == [51, 51, 18]
    large = [replace(file, n_bytes=50 << 20) for file in small[:12]]
    for files, at_once in ((small, 1), (large, 1), (large, 2), (large, 16), ([], 3)):
        assert [file for group in groups_of(files, at_once) for file in group] == list(files)
    assert [len(group) for group in groups_of(large)] == [4, 4, 4]
    assert [len(group) for group in groups_of(large, 2)] == [2] * 6
    assert [len(group) for group in groups_of(large, 16)] == [1] * 12
    assert [len(group) for group in groups_of([replace(small[0], n_bytes=1 << 40), *small[:2]])] == [1, 2]


def test_a_task_can_be_sent_to_another_process(days, tmp_path) -> None:
    store = new_store(tmp_path / "store")
    work = partial(take_in, store.place, options=ReadOptions(), zones=zones_of(), n_buckets=4)
    sent = pickle.loads(pickle.dumps((work, [new_input(days[0])])))  # noqa: S301 - made here
    assert isinstance(sent[1][0], NewInput)
    taken = pickle.loads(pickle.dumps(sent[0](sent[1])))  # noqa: S301 - made here
    assert taken.entries[0].n_stored == n_rows_of(store)


def test_zones_are_told_apart_by_their_fences_alone() -> None:
    one, other = disc("RU_A", *(40.0, 130.0), 3.0), disc("RU_A", 40.0, 130.0, 3.1)
    assert zones_digest(zones_of(one)) == zones_digest(zones_of(replace(one, watch="high")))
    assert len({zones_digest(z) for z in (zones_of(), zones_of(one), zones_of(other))}) == 3


def test_rows_lie_in_the_partition_of_their_week_and_vessel_sorted(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    rows = store.positions.read()
    assert rows.schema.names == list(POSITIONS.names)
    week = pc.floor(pc.divide(rows["timestamp"].cast(pa.int64()).cast(pa.float64()), WEEK_S * 1e6)).cast(pa.int32())
    assert rows["week"].equals(week)
    assert set(rows["week"].to_pylist()) == {2834, 2835, 2836}
    assert set(rows["source"].to_pylist()) == {entry.source for entry in entries}
    assert source_of(entries[0].digest) not in rows["source"].to_pylist()  # the digest of content and settings together
    assert isinstance(store, TrackStore)
