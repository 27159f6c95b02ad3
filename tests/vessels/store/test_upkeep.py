"""Upkeep: fewer files, the same rows; old weeks go when the user lets them; leftovers go when nobody reads them."""

import os
from collections import Counter

import pytest
from pydantic import ValidationError

from tests.vessels.store.stocked import FIRST_DAY, N_BUCKETS, as_set, day_of_positions, new_store, old_store, sightings
from vessels.store import upkeep
from vessels.store.upkeep import UpkeepParameters, keep_up, store_size
from vessels.units import US_PER_DAY

DAYS = 14
LATER_US = (FIRST_DAY + DAYS) * US_PER_DAY
"""The first of the two weeks has settled, the second has not."""


@pytest.fixture
def store(tmp_path):
    """Two weeks, a file a day and bucket."""
    store = new_store(tmp_path)
    for i in range(DAYS):
        store.positions.append(day_of_positions(FIRST_DAY + i, source=i))
    return store


def per_partition(store) -> Counter:
    return Counter(tuple(file.partition.values()) for file in store.positions.files())


def test_settled_weeks_are_put_together_a_share_a_night(store):
    rows, first_week = as_set(store.positions.read()), FIRST_DAY // 7
    n_buckets = len(per_partition(store)) // 2
    assert set(per_partition(store).values()) == {7}
    share = -(-2 * N_BUCKETS // 7)
    nights = [keep_up(store, LATER_US) for _ in range(4)]
    made = [night.n_made for night in nights]
    assert made == [min(share, max(0, n_buckets - share * i)) for i in range(4)]
    assert [night.n_put_together for night in nights] == [7 * n for n in made]
    assert sum(made) == n_buckets
    assert {week: n for (week, _), n in per_partition(store).items()} == {first_week: 1, first_week + 1: 7}
    assert as_set(store.positions.read()) == rows


def test_a_crowded_week_is_put_together_at_once_however_new(store):
    rows = as_set(store.positions.read())
    done = keep_up(store, (FIRST_DAY + DAYS) * US_PER_DAY, UpkeepParameters(compact_files=6))
    assert set(per_partition(store).values()) == {1}
    assert done.n_made == len(per_partition(store))
    assert as_set(store.positions.read()) == rows
    for file in store.positions.files():
        part = store.positions.read_file(file)
        assert part.equals(part.sort_by([("mmsi", "ascending"), ("timestamp", "ascending")]))


def test_a_late_file_or_two_do_not_bring_a_settled_week_up_again(store):
    for _ in range(4):
        keep_up(store, LATER_US)
    store.positions.append(day_of_positions(FIRST_DAY, source=99))
    assert keep_up(store, LATER_US).n_made == 0


def test_files_are_put_together_no_larger_than_memory_bears(store, monkeypatch):
    rows = as_set(store.positions.read())
    per_file = max(file.n_rows for file in store.positions.files())
    monkeypatch.setattr(upkeep, "ROWS_AT_ONCE", 3 * per_file)
    for _ in range(8):
        keep_up(store, LATER_US + 60 * US_PER_DAY, UpkeepParameters(settled_files=3))
    assert per_file < max(file.n_rows for file in store.positions.files()) <= 3 * per_file
    assert set(per_partition(store).values()) <= {2, 3}
    assert as_set(store.positions.read()) == rows


def test_small_tables_are_put_together_too(store):
    for i in range(30):
        store.names.append(sightings(i))
    keep_up(store, LATER_US)
    assert len(store.names.files()) == 1
    assert sorted(store.names.read()["seq"].to_pylist()) == list(range(30))


def test_whole_weeks_older_than_the_retention_are_dropped_and_nothing_else(store):
    now_us = (FIRST_DAY + 7 + 30) * US_PER_DAY
    assert keep_up(store, now_us - 1, UpkeepParameters(retention_days=30, settled_files=7)).n_dropped == 0
    done = keep_up(store, now_us, UpkeepParameters(retention_days=30, settled_files=7))
    assert done.n_dropped == 7 * len(per_partition(store))
    assert done.n_rows_dropped == 7 * day_of_positions(0, 0).num_rows
    assert set(store.positions.read(["source"])["source"].to_pylist()) == set(range(7, 14))


def test_transactions_outlive_the_rows_that_were_dropped(store):
    store.positions.append(day_of_positions(FIRST_DAY, source=50), transactions=["old"])
    keep_up(store, (FIRST_DAY + 400) * US_PER_DAY, UpkeepParameters(retention_days=30, vacuum_h=0))
    assert store.positions.read().num_rows == 0
    assert not store.positions.append(day_of_positions(FIRST_DAY, source=50), transactions=["old"])


def test_what_is_no_longer_part_of_the_table_stays_for_a_week_and_then_goes(store, tmp_path):
    before = set((tmp_path / "positions").rglob("*.parquet"))
    assert keep_up(store, LATER_US, UpkeepParameters(compact_files=6)).n_deleted == 0
    assert before < set((tmp_path / "positions").rglob("*.parquet")), (
        "a reader of the old version still finds its files"
    )
    assert keep_up(store, LATER_US, UpkeepParameters(vacuum_h=0)).n_deleted >= len(before)
    there = {path for path, _ in store.place.listing("positions") if not path.startswith("_delta_log/")}
    assert there == {file.path for file in store.positions.files()}
    assert [keep_up(store, LATER_US, UpkeepParameters(vacuum_h=0)).n_deleted for _ in range(3)][-1] == 0


def test_what_a_killed_writer_left_goes_once_it_is_old(store, tmp_path):
    young, old = (tmp_path / "positions" / f"{name}.parquet" for name in ("young", "old"))
    for path in (young, old):
        path.write_bytes(b"half a file")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    assert keep_up(store, LATER_US).n_deleted == 1
    assert young.exists()
    assert not old.exists()


def test_upkeep_of_an_idle_store_changes_nothing(store, tmp_path):
    for _ in range(3):
        keep_up(store, LATER_US)
    store = old_store(tmp_path)
    versions = {name: getattr(store, name).version for name in (*store.tables(), "meta")}
    assert keep_up(store, LATER_US) == upkeep.Upkeep()
    assert {name: getattr(store, name).version for name in versions} == versions


def test_the_size_of_a_store_is_that_of_its_files(store, tmp_path):
    sizes = store_size(store)
    assert set(sizes) == set(store.tables())
    positions = sizes["positions"]
    paths = [path for path in (tmp_path / "positions").rglob("*") if path.is_file()]
    assert positions.n_rows == DAYS * day_of_positions(0, 0).num_rows
    assert positions.n_files == len([path for path in paths if path.suffix == ".parquet"])
    assert positions.n_bytes == sum(path.stat().st_size for path in paths if path.suffix == ".parquet")
    assert positions.n_bytes_on_disk == sum(path.stat().st_size for path in paths)
    assert sizes["names"].n_rows == 0


@pytest.mark.parametrize("wrong", [{"compact_files": 1}, {"retention_days": 0}, {"vacuum_h": -1}, {"compact": 3}])
def test_parameters_out_of_bounds_are_refused(wrong):
    with pytest.raises(ValidationError):
        UpkeepParameters(**wrong)
