"""The store as a whole: made once, known again, refused where it does not fit."""

import pickle

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.vessels.store.stocked import FIRST_DAY, day_of_positions, new_store, old_store, sightings
from vessels.errors import StoreError, UsageError
from vessels.schema import Column, Table
from vessels.store.layout import META, SCHEMA_VERSION
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

CORE = ("anchors", "claims", "identities", "inputs", "names", "port_visits", "positions")


def test_a_new_store_has_all_its_tables_empty(tmp_path):
    store = new_store(tmp_path / "deep" / "store")
    assert store.tables() == CORE
    for name in CORE:
        table = getattr(store, name)
        assert table.version == 0
        assert table.read().equals(table.declared.empty())


def test_the_buckets_of_a_store_win_over_the_settings(tmp_path):
    new_store(tmp_path, n_buckets=16)
    assert TrackStore.open(StorePlace(str(tmp_path)), n_buckets=64, create=True).n_buckets == 16
    with pytest.raises(UsageError, match="at least 1 bucket"):
        TrackStore.open(StorePlace(str(tmp_path)), n_buckets=0, create=True)


def test_a_store_is_not_made_unless_asked(tmp_path):
    with pytest.raises(StoreError, match=r"there is no store at .*`wakewatch nightly` makes it"):
        TrackStore.open(StorePlace(str(tmp_path / "store")), n_buckets=4, create=False)
    assert not (tmp_path / "store").exists()


def test_locks_hidden_files_and_what_a_new_disk_holds_do_not_make_a_folder_used(tmp_path):
    (tmp_path / ".wakewatch.lock").touch()
    (tmp_path / "lost+found").mkdir()
    assert new_store(tmp_path).tables() == CORE


def test_a_store_and_its_tables_go_to_other_processes(tmp_path):
    store = pickle.loads(pickle.dumps(new_store(tmp_path)))  # noqa: S301
    pickle.loads(pickle.dumps(store.positions)).append(day_of_positions(FIRST_DAY, source=1))  # noqa: S301
    assert store.positions.version == 1


def test_a_store_of_another_version_is_refused_with_the_way_out(tmp_path):
    store = new_store(tmp_path)
    newer = store.meta.read().set_column(2, "schema_version", pa.array([SCHEMA_VERSION + 1] * len(CORE), pa.int32()))
    store.meta.replace(newer, pc.field("n_buckets") > 0)
    with pytest.raises(StoreError, match=r"is of version 2, this wakewatch keeps 1: run .* or name a new folder"):
        old_store(tmp_path)


def test_a_store_that_contradicts_itself_is_refused(tmp_path):
    store = new_store(tmp_path)
    row = {"table": ["positions"], "version": [0], "schema_version": [SCHEMA_VERSION], "n_buckets": [5]}
    store.meta.append(META.build(row))
    with pytest.raises(StoreError, match=r"its buckets are \[4, 5\]"):
        old_store(tmp_path)


def test_noting_remembers_how_far_every_log_goes(tmp_path):
    store = new_store(tmp_path)
    told = Table("told", (Column("night", pa.int64(), "night"),))
    store.extra(told).append(told.build({"night": [1]}))
    store.names.append(sightings(1))
    noted = store.note()
    assert noted.noted == dict.fromkeys(CORE, 0) | {"names": 1, "told": 1}
    assert old_store(tmp_path).noted == noted.noted
    assert old_store(tmp_path).tables() == tuple(sorted((*CORE, "told")))


def test_a_lost_table_of_another_package_is_not_taken_for_a_new_one(tmp_path):
    store = new_store(tmp_path)
    told = Table("told", (Column("night", pa.int64(), "night"),))
    store.extra(told).append(told.build({"night": [1]}))
    (tmp_path / "told").rename(tmp_path.parent / "gone")
    for again in (store, old_store(tmp_path)):
        with pytest.raises(StoreError, match=r"table told .* lost its log"):
            again.extra(told).read()
        with pytest.raises(StoreError, match=r"table told .* lost its log"):
            again.extra(told).append(told.build({"night": [2]}))
        with pytest.raises(StoreError, match=r"table told .* lost its log"):
            again.note()


def test_names_of_tables_that_a_killed_writer_left_unlisted_are_listed_by_the_next_row(tmp_path):
    store = new_store(tmp_path)
    told = Table("told", (Column("night", pa.int64(), "night"),))
    extra = store.extra(told)
    extra.create()
    store.meta.delete(pc.field("table") == "told")
    assert "told" not in store.tables()
    store.extra(told).append(told.build({"night": [1]}))
    assert store.tables().count("told") == 1
