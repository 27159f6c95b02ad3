"""A full disk and a place that may not be written to: nothing half done, and words that say what to do."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.vessels.store.stocked import FIRST_DAY, day_of_positions, new_store, old_store, sightings
from vessels.errors import StoreError
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

ROOT = Path(__file__).parents[3]
PEOPLE = 65534
"""User id of nobody: root may write anywhere, so that a test run as root asks as somebody else."""


def leftovers(folder: Path, store: TrackStore) -> set[str]:
    """Data files of `positions` and `names` that no commit names."""
    named = {f"positions/{file.path}" for file in store.positions.files()}
    named |= {f"names/{file.path}" for file in store.names.files()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {path for path in there if path.startswith(("positions/", "names/")) and "_delta_log" not in path} - named


def limited(n_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))


@pytest.mark.parametrize("n_bytes", [0, 100, 1000, 2000, 4000])
def test_rows_that_do_not_fit_on_the_disk_leave_no_trace(tmp_path, n_bytes):
    store = new_store(tmp_path)
    store.positions.append(day_of_positions(FIRST_DAY, source=1), transactions=["a"])
    rows = store.positions.read()
    try:
        limited(n_bytes)
        with pytest.raises(StoreError, match=r"table positions of the store .* disk is full"):
            store.positions.append(
                [day_of_positions(FIRST_DAY + i, source=2, n_ships=60, per_ship=60) for i in range(3)],
                transactions=["b"],
            )
    finally:
        limited(resource.RLIM_INFINITY)
    assert store.positions.read().equals(rows)
    assert not store.positions.holds("b")
    assert leftovers(tmp_path, store) == set()
    assert store.positions.append(day_of_positions(FIRST_DAY, source=2), transactions=["b"])


def test_a_log_entry_that_does_not_fit_on_the_disk_is_no_commit(tmp_path):
    """The data fit, the entry, with much to say about itself, does not."""
    store = new_store(tmp_path)
    store.names.append(sightings(1))
    rows = store.names.read()
    try:
        limited(50_000)
        with pytest.raises(StoreError, match=r"table names .* disk is full"):
            store.names.append(sightings(2), transactions=["t2"], about={"wakewatch.inputs": "x" * 100_000})
    finally:
        limited(resource.RLIM_INFINITY)
    assert store.names.read().equals(rows)
    assert store.names.append(sightings(2), transactions=["t2"], about={"wakewatch.inputs": "x" * 100_000})
    assert sorted(store.names.read()["seq"].to_pylist()) == [1, 2]


def test_a_checkpoint_that_does_not_fit_undoes_no_commit(tmp_path):
    store = new_store(tmp_path)
    for i in range(48):
        store.names.append(sightings(i), transactions=[f"t{i}"])
    try:
        limited(4000)
        said = [store.names.append(sightings(i), transactions=[f"t{i}"]) for i in (48, 49, 50)]
    finally:
        limited(resource.RLIM_INFINITY)
    assert not list((tmp_path / "names" / "_delta_log").glob("*.checkpoint.parquet")), "the checkpoint did not fit"
    assert said == [True, True, True]
    assert sorted(store.names.read()["seq"].to_pylist()) == list(range(51))
    assert store.names.held([f"t{i}" for i in range(51)]) == {f"t{i}" for i in range(51)}


def test_rows_are_safe_on_disk_before_the_log_names_them_and_the_entry_before_anyone_is_told(tmp_path, monkeypatch):
    store = new_store(tmp_path)
    log, synced, fsync = tmp_path / "positions" / "_delta_log", [], os.fsync

    def watched(at: int) -> None:
        fsync(at)
        synced.append((os.fstat(at).st_ino, len(list(log.glob("*.json")))))

    monkeypatch.setattr(os, "fsync", watched)
    store.positions.append([day_of_positions(FIRST_DAY, source=1), day_of_positions(FIRST_DAY + 7, source=2)])
    before = {inode for inode, n_entries in synced if n_entries == 1}
    after = {inode for inode, n_entries in synced if n_entries == 2}
    paths = [tmp_path / "positions" / file.path for file in store.positions.files()]
    for path in paths:
        assert {path.stat().st_ino, path.parent.stat().st_ino, path.parent.parent.stat().st_ino} <= before
    assert {(log / f"{1:020d}.json").stat().st_ino, log.stat().st_ino} <= after


ASK = """
import os, sys
import pyarrow.acero  # what filters need, read while it may be
import pyarrow.compute as pc
from tests.vessels.store.stocked import FIRST_DAY, day_of_positions, new_store, sightings
from vessels.errors import StoreError
if os.getuid() == 0:
    os.setuid({people})
store = new_store({folder!r})
print(store.names.read().num_rows)
for use in (
    lambda: store.names.append(sightings(2)),
    lambda: store.positions.append(day_of_positions(FIRST_DAY, source=1)),
    lambda: store.names.replace(sightings(3), pc.field("seq") == 1),
    lambda: store.names.rewrite(store.names.files()),
    lambda: store.note(),
    lambda: new_store({folder!r} + "/../other"),
):
    try:
        use()
        print("written")
    except StoreError as fault:
        print(fault)
"""


def test_a_store_that_may_only_be_read_is_read_and_says_so_when_written_to(tmp_path):
    folder = tmp_path / "store"
    store = new_store(folder)
    store.names.append(sightings(1))
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (tmp_path, *tmp_path.parents[:3]):
        if path.owner() == folder.owner() and path != Path("/"):
            path.chmod(0o555 if path == tmp_path else 0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK.format(people=PEOPLE, folder=str(folder))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        for path in (tmp_path, folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 0, done.stderr
    read, *said = done.stdout.splitlines()
    assert read == "1"
    assert len(said) == 6
    for words in said:
        assert "right to read and write the store" in words, words
    assert old_store(folder).names.read().num_rows == 1
    assert old_store(folder).names.delete(pc.field("seq") == 1) == 1


def test_a_folder_that_is_a_file_or_holds_something_else_is_no_store(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(StoreError, match="Something else stands"):
        TrackStore.open(StorePlace(str(file)), n_buckets=4, create=True)
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks" / "day.csv").write_text("mmsi\n")
    with pytest.raises(StoreError, match=r"no store of wakewatch but holds day.csv; name a new or empty folder"):
        TrackStore.open(StorePlace(str(tmp_path / "tracks")), n_buckets=4, create=True)
    assert [path.name for path in (tmp_path / "tracks").iterdir()] == ["day.csv"]
