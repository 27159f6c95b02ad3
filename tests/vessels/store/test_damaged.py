"""A damaged store is refused in words, with the way out; it is never taken for an empty one, nor written to."""

import shutil
from pathlib import Path

import pytest

from tests.vessels.store.stocked import FIRST_DAY, day_of_positions, new_store, old_store, sightings
from vessels.errors import StoreError, UsageError
from vessels.schema import Column, Table
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

N_COMMITS = 6


@pytest.fixture(scope="module")
def stocked(tmp_path_factory) -> Path:
    """A store whose table `names` has six commits, the first four of them under a checkpoint."""
    folder = tmp_path_factory.mktemp("stocked")
    store = new_store(folder)
    for i in range(N_COMMITS):
        store.names.append(sightings(i), transactions=[f"t{i}"])
        if i == 3:
            store.names._opened().create_checkpoint()
    store.positions.append(day_of_positions(FIRST_DAY, source=1))
    store.note()
    return folder


@pytest.fixture
def folder(stocked, tmp_path) -> Path:
    return shutil.copytree(stocked, tmp_path / "store")


def log(folder: Path) -> Path:
    return folder / "names" / "_delta_log"


def entry(folder: Path, number: int) -> Path:
    return log(folder) / f"{number:020d}.json"


def checkpoint(folder: Path) -> Path:
    (path,) = log(folder).glob("*.checkpoint.parquet")
    return path


def data(folder: Path) -> Path:
    return min((folder / "names").glob("*.parquet"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def drop_checkpoint_and_what_it_covers(folder: Path) -> None:
    checkpoint(folder).unlink()
    for number in range(4):
        entry(folder, number).unlink()


def take_for_a_file(folder: Path) -> None:
    shutil.rmtree(log(folder))
    log(folder).write_text("log")


DAMAGES = {
    "entry cut": (lambda f: cut(entry(f, 6)), "log is damaged.*backup"),
    "entry of zeros": (lambda f: entry(f, 5).write_bytes(bytes(500)), "log is damaged.*backup"),
    "entry missing": (lambda f: entry(f, 5).unlink(), "backup"),
    "newest entry empty": (lambda f: entry(f, 6).write_bytes(b""), "power failure.*Delete that file"),
    "newest entry missing": (lambda f: entry(f, 6).unlink(), "ends at 5, and once stood at 6.*backup"),
    "newest entries missing": (lambda f: [entry(f, i).unlink() for i in (5, 6)], "ends at 4, and once stood at 6"),
    "checkpoint missing": (lambda f: checkpoint(f).unlink(), "checkpoint.*delete its file _last_checkpoint"),
    "checkpoint cut": (lambda f: cut(checkpoint(f)), "log is damaged.*backup"),
    "checkpoint and entries missing": (drop_checkpoint_and_what_it_covers, "backup"),
    "log emptied": (lambda f: [path.unlink() for path in log(f).iterdir()], "lost its log.*backup"),
    "log missing": (lambda f: shutil.rmtree(log(f)), "lost its log.*backup"),
    "table missing": (lambda f: shutil.rmtree(f / "names"), "lost its log.*backup"),
    "log is a file": (take_for_a_file, "Something else stands"),
    "newer protocol": (
        lambda f: entry(f, 6).write_text('{"protocol":{"minReaderVersion":99,"minWriterVersion":99}}\n'),
        "newer program",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_log_is_refused_and_left_as_it_is(folder, damage):
    spoil, words = DAMAGES[damage]
    spoil(folder)
    left = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    for use in (
        lambda store: store.names.read(),
        lambda store: store.names.append(sightings(50), transactions=["t50"]),
        lambda store: store.names.held(["t0"]),
        lambda store: store.names.commits(),
        lambda store: store.names.vacuum(0),
    ):
        with pytest.raises(StoreError, match=f"(?s)table names of the store at .*{words}") as said:
            use(old_store(folder))
        assert len(str(said.value)) < 900, "a sentence or two, no stack of another language"
    assert {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()} == left


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, "missing.*backup"),
        (cut, "damaged.*backup"),
        (lambda path: path.write_bytes(b""), "damaged.*backup"),
        (lambda path: path.write_text("mmsi,lat,lon\n1,2,3\n"), "damaged.*backup"),
    ],
    ids=["missing", "cut", "empty", "other"],
)
def test_a_damaged_data_file_is_refused_by_name(folder, spoil, words):
    path = data(folder)
    spoil(path)
    with pytest.raises(StoreError, match=f"(?s){path.name}.*{words}"):
        old_store(folder).names.read()


def test_a_flipped_bit_among_the_rows_is_found_by_its_checksum(folder):
    (path,) = (folder / "positions").rglob("*/bucket=0/*.parquet")
    whole = path.read_bytes()
    store = old_store(folder)
    rows = store.positions.read()
    n_found = 0
    for at in range(40, len(whole) // 2, 37):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            assert store.positions.read().equals(rows), f"byte {at} changed rows unseen"
        except StoreError as fault:
            assert "damaged" in str(fault)
            n_found += 1
    assert n_found > 20


def test_a_file_swapped_for_a_shorter_one_is_refused(folder):
    store = old_store(folder)
    files = store.positions.files()
    longest, shortest = (pick(files, key=lambda file: file.n_rows) for pick in (max, min))
    assert longest.n_rows > shortest.n_rows
    shutil.copy(folder / "positions" / shortest.path, folder / "positions" / longest.path)
    with pytest.raises(StoreError, match="damaged"):
        store.positions.read()


def test_rows_lost_from_the_log_since_the_last_note_come_again_with_their_input(folder):
    store = old_store(folder)
    store.names.append(sightings(70), transactions=["t70"])
    entry(folder, 7).unlink()
    assert not old_store(folder).names.holds("t70")
    assert store.names.append(sightings(70), transactions=["t70"])
    assert sorted(store.names.read()["seq"].to_pylist()) == [*range(N_COMMITS), 70]


def test_what_the_message_tells_to_delete_heals_the_table(folder):
    store = old_store(folder)
    store.names.append(sightings(70), transactions=["t70"])
    entry(folder, 7).write_bytes(b"")
    with pytest.raises(StoreError, match=str(entry(folder, 7))):
        store.names.read()
    entry(folder, 7).unlink()
    assert store.names.append(sightings(70), transactions=["t70"])
    assert sorted(store.names.read()["seq"].to_pylist()) == [*range(N_COMMITS), 70]


def test_a_lost_pointer_to_the_checkpoint_is_no_loss(folder):
    (log(folder) / "_last_checkpoint").unlink()
    assert old_store(folder).names.read().num_rows == N_COMMITS


def test_a_missing_checkpoint_heals_as_the_message_says(folder):
    checkpoint(folder).unlink()
    (log(folder) / "_last_checkpoint").unlink()
    assert old_store(folder).names.read().num_rows == N_COMMITS


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: shutil.rmtree(f / "meta"), "`meta`, is gone or empty"),
        (lambda f: shutil.rmtree(f / "meta" / "_delta_log"), "table meta .* has lost its log"),
        (lambda f: shutil.rmtree(f / "positions" / "_delta_log"), "table positions .* has lost its log"),
    ],
    ids=["list of tables", "log of the list", "log of positions"],
)
def test_a_half_lost_store_is_not_taken_for_a_new_one(folder, spoil, words, create):
    spoil(folder)
    with pytest.raises(StoreError, match=words):
        TrackStore.open(StorePlace(str(folder)), n_buckets=4, create=create).positions.read()
    assert list((folder / "positions").rglob("*.parquet")), "nothing was thrown away"


def test_parquet_files_without_a_log_are_not_taken_for_an_empty_table(tmp_path, folder):
    fresh = tmp_path / "fresh"
    shutil.copytree(folder / "positions", fresh / "positions")
    shutil.rmtree(fresh / "positions" / "_delta_log")
    with pytest.raises(StoreError, match=r"table positions .* lost its log .*new folder in \[store\] path"):
        old_store(fresh)


def test_a_table_of_other_columns_is_refused_with_their_names(folder):
    told = Table("told", (Column("a", sightings().schema.field("seq").type, "a"),))
    extra = old_store(folder).extra(told)
    extra.append(told.build({"a": [1]}))
    later = Table("told", (*told.columns, Column("b", told.columns[0].type, "b")))
    with pytest.raises(StoreError, match="columns missing: b; unknown: none"):
        old_store(folder).extra(later).read()
    with pytest.raises(StoreError, match="does not fit this version"):
        old_store(folder).extra(told, ("a",)).read()


def test_a_path_that_deltalake_would_mishandle_is_refused_at_once():
    for path in ("/data/[ais]/store", "/data/a%20b", "/data/a\nb", "/data/a|b", ""):
        with pytest.raises(UsageError, match="store"):
            StorePlace(path)
