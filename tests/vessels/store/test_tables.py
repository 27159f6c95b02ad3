"""Tables of the store: what was appended is read back, once, in one commit, whoever else is at work."""

import os
import pickle
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vessels.store.stocked import FIRST_DAY, as_set, day_of_positions, new_store, sightings
from vessels.errors import UsageError
from vessels.schema import Column, Table
from vessels.store.data_files import ROW_GROUP_ROWS
from vessels.store.layout import INPUTS, POSITIONS


def test_what_was_appended_is_read_back_to_the_bit(tmp_path):
    store = new_store(tmp_path)
    days = [day_of_positions(FIRST_DAY + i, source=i - 1) for i in range(9)]
    for day in days:
        assert store.positions.append(day)
    back = store.positions.read()
    assert back.schema.equals(POSITIONS.arrow, check_metadata=True)
    assert as_set(back) == as_set(pa.concat_tables(days))


def test_nested_and_text_columns_come_back(tmp_path):
    store = new_store(tmp_path)
    rows = INPUTS.build(
        {
            "digest": ["ab", "cd"],
            "source": [-1, 2],
            "source_id": ["source-1", None],
            "n_bytes": [1, 2],
            "format": ["csv", "nmea"],
            "dialect": ["dma", "nmea"],
            "n_rows": [3, 0],
            "n_stored": [2, 0],
            "rejects": [[{"reason": "null_island", "n_rows": 1, "first_row": 0, "example": "漢字 =cmd()"}], []],
            "nulled": [[], [{"reason": "sog", "n_rows": 4}]],
            "days": [[{"day": FIRST_DAY, "n_rows": 2, "newest": 5}], []],
            "first_time": [1, None],
            "last_time": [5, None],
            "thin_s": [60.0, 60.0],
            "zones": ["z", "z"],
        }
    )
    store.inputs.append(rows)
    assert store.inputs.read().equals(rows)


def test_a_commit_of_several_parts_is_one_commit_of_sorted_files(tmp_path):
    store = new_store(tmp_path)
    days = [day_of_positions(FIRST_DAY + i, source=i) for i in range(3)]
    shuffled = days[0].take(np.random.default_rng(3).permutation(days[0].num_rows))
    before = store.positions.version
    store.positions.append(iter([shuffled, *days[1:]]), about={"wakewatch.inputs": "[1, 2]"})
    assert store.positions.version == before + 1
    assert store.positions.commits(1) == [{"wakewatch.inputs": "[1, 2]"}]
    for file in store.positions.files():
        rows = store.positions.read_file(file)
        assert rows.equals(rows.sort_by([("mmsi", "ascending"), ("timestamp", "ascending")]))
        assert set(rows["week"].to_pylist()) == {file.partition["week"]}
        assert set(rows["bucket"].to_pylist()) == {file.partition["bucket"]}


def test_rows_of_one_vessel_and_instant_keep_the_order_they_came_in(tmp_path):
    store = new_store(tmp_path)
    rows = day_of_positions(FIRST_DAY, source=1, n_ships=1, per_ship=1)
    twins = pa.concat_tables([rows.set_column(12, "source", pa.array([source])) for source in (5, 3, 9)])
    store.positions.append(twins)
    assert store.positions.read()["source"].to_pylist() == [5, 3, 9]


def test_partitions_columns_and_conditions_choose(tmp_path):
    store = new_store(tmp_path)
    day = day_of_positions(FIRST_DAY, source=1)
    store.positions.append([day, day_of_positions(FIRST_DAY + 7, source=2)])
    bucket = day["bucket"][0].as_py()
    week = FIRST_DAY // 7
    some = store.positions.read(
        ["source", "bucket", "lat"], pc.field("mmsi") > 273002000, {"bucket": [bucket], "week": range(week, week + 1)}
    )
    expected = day.filter((pc.field("bucket") == bucket) & (pc.field("mmsi") > 273002000))
    assert some.column_names == ["source", "bucket", "lat"]
    assert some.num_rows == expected.num_rows
    assert as_set(some) == as_set(expected.select(some.column_names))
    assert store.positions.read(partitions={"week": [1]}).equals(POSITIONS.empty())


def test_the_same_transaction_counts_once(tmp_path):
    store = new_store(tmp_path)
    day = day_of_positions(FIRST_DAY, source=1)
    assert store.positions.append(day, transactions=["a", "b"])
    assert not store.positions.append(day, transactions=["a", "b"])
    assert not store.positions.append(day, transactions=["b"])
    assert store.positions.read().num_rows == day.num_rows
    assert store.positions.held(["a", "c", "b"]) == {"a", "b"}
    assert store.positions.holds("a")
    assert not store.positions.holds("c")


def test_an_append_of_some_known_and_some_new_inputs_is_refused(tmp_path):
    store = new_store(tmp_path)
    store.positions.append(day_of_positions(FIRST_DAY, source=1), transactions=["a"])
    with pytest.raises(UsageError, match="holds 1 of 2 inputs already"):
        store.positions.append(day_of_positions(FIRST_DAY, source=2), transactions=["a", "b"])
    assert not store.positions.holds("b")


def test_transactions_are_known_from_a_checkpoint_when_old_log_entries_are_gone(tmp_path):
    store = new_store(tmp_path)
    for i in range(3):
        store.names.append(sightings(i), transactions=[f"t{i}"])
    table = store.names._opened()
    table.create_checkpoint()
    for entry in (tmp_path / "names" / "_delta_log").glob("*.json"):
        if int(entry.stem) < table.version():
            entry.unlink()
    assert store.names.held(["t0", "t1", "t2", "t3"]) == {"t0", "t1", "t2"}
    assert not store.names.append(sightings(0), transactions=["t0"])
    assert sorted(store.names.read()["seq"].to_pylist()) == [0, 1, 2]


def test_old_log_entries_go_after_a_month_and_the_table_stays_what_it_is(tmp_path):
    store, log = new_store(tmp_path), tmp_path / "names" / "_delta_log"

    def append(first: int, last: int) -> None:
        for i in range(first, last):
            store.names.append(sightings(i), transactions=[f"t{i}"], about={"wakewatch.inputs": str(i)})

    append(0, 55)
    long_ago = time.time() - 40 * 86400
    for path in log.iterdir():
        os.utime(path, (long_ago, long_ago))
    append(55, 101)
    numbers = sorted(int(path.stem) for path in log.glob("*.json"))
    assert numbers[0] > 40, "entries under an old checkpoint are gone"
    assert numbers[-1] == 101
    assert sorted(store.names.read()["seq"].to_pylist()) == list(range(101))
    assert store.names.held(f"t{i}" for i in range(101)) == {f"t{i}" for i in range(101)}
    assert store.names.commits(3) == [{"wakewatch.inputs": str(i)} for i in (100, 99, 98)]
    assert len(store.names.commits()) == len(numbers)


def test_replacing_takes_out_what_the_condition_holds_for_and_nothing_else(tmp_path):
    store = new_store(tmp_path)
    store.names.append(sightings(*range(6)))
    store.names.append(sightings(*range(6, 10)))
    before = store.names.version
    assert store.names.replace(sightings(100), pc.field("seq") < 3) == 3
    assert sorted(store.names.read()["seq"].to_pylist()) == [3, 4, 5, 6, 7, 8, 9, 100]
    assert store.names.version == before + 1
    assert store.names.replace(sightings(101), pc.field("seq") == 555) == 0
    assert sorted(store.names.read()["seq"].to_pylist()) == [3, 4, 5, 6, 7, 8, 9, 100, 101]


def test_a_condition_on_a_missing_value_holds_for_no_row(tmp_path):
    store = new_store(tmp_path)
    store.names.append(sightings(*range(10)))
    assert store.names.delete(pc.field("digest") != "nothing has this digest") == 8
    assert store.names.read()["seq"].to_pylist() == [4, 9]
    assert store.names.delete(pc.field("seq") >= 0) == 2
    assert store.names.read().num_rows == 0
    assert store.names.delete(pc.field("seq") >= 0) == 0


def test_putting_files_together_changes_no_row_and_undoes_no_append_made_meanwhile(tmp_path):
    store = new_store(tmp_path)
    for i in range(5):
        store.positions.append(day_of_positions(FIRST_DAY + i, source=i), transactions=[f"t{i}"])
    before, old = store.positions.read(), store.positions.files()
    store.positions.append(day_of_positions(FIRST_DAY, source=77))
    assert store.positions.rewrite(old) == len({tuple(file.partition.items()) for file in old})
    assert as_set(store.positions.read(where=pc.field("source") != 77)) == as_set(before)
    assert store.positions.read(where=pc.field("source") == 77).num_rows == day_of_positions(0, 0).num_rows
    assert store.positions.held([f"t{i}" for i in range(5)]) == {f"t{i}" for i in range(5)}


def test_files_that_another_process_has_put_together_are_left_alone(tmp_path):
    store = new_store(tmp_path)
    for i in range(3):
        store.names.append(sightings(i))
    old = store.names.files()
    assert store.names.rewrite(old) == 1
    assert store.names.rewrite(old) == 0
    assert store.names.drop(old) == 0
    assert sorted(store.names.read()["seq"].to_pylist()) == [0, 1, 2]


def test_of_two_that_put_the_same_files_together_at_once_one_is_turned_away(tmp_path, monkeypatch):
    store = new_store(tmp_path)
    for i in range(3):
        store.names.append(sightings(i))
    old, names = store.names.files(), store.names
    exchanged = type(names)._exchanged

    def overtaken(self, *args, **options):
        monkeypatch.setattr(type(names), "_exchanged", exchanged)
        assert store.names.rewrite(old) == 1
        return exchanged(self, *args, **options)

    monkeypatch.setattr(type(names), "_exchanged", overtaken)
    assert names.rewrite(old) == 0
    assert sorted(store.names.read()["seq"].to_pylist()) == [0, 1, 2]
    assert len(list((tmp_path / "names").glob("*.parquet"))) == 4, "the loser's file is gone"


def test_a_replacement_that_was_overtaken_is_made_again_on_top(tmp_path, monkeypatch):
    store = new_store(tmp_path)
    store.names.append(sightings(1, 2, 3))
    names = store.names
    exchanged = type(names)._exchanged

    def overtaken(self, *args, **options):
        monkeypatch.setattr(type(names), "_exchanged", exchanged)
        assert store.names.replace(sightings(10), pc.field("seq") == 1) == 1
        return exchanged(self, *args, **options)

    monkeypatch.setattr(type(names), "_exchanged", overtaken)
    assert names.replace(sightings(20), pc.field("seq") == 2) == 1
    assert sorted(store.names.read()["seq"].to_pylist()) == [3, 10, 20]


def test_a_table_that_was_opened_long_ago_appends_on_top_of_the_others(tmp_path):
    store = new_store(tmp_path)
    stale = pickle.loads(pickle.dumps(store.names))  # noqa: S301
    for i in range(5):
        store.names.append(sightings(i))
    stale.append(sightings(9))
    assert sorted(stale.read()["seq"].to_pylist()) == [0, 1, 2, 3, 4, 9]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (sightings(1).drop(["seq"]), "missing columns"),
        (sightings(1).append_column("more", pa.array([1])), "unknown"),
    ],
)
def test_rows_of_other_columns_are_refused_before_anything_is_written(tmp_path, rows, words):
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match=words):
        store.names.append(rows)
    assert store.names.version == 0


def test_calls_that_cannot_be_are_refused(tmp_path):
    store = new_store(tmp_path)
    with pytest.raises(UsageError, match="pyarrow expression"):
        store.names.replace(sightings(1), "seq = 1")
    with pytest.raises(UsageError, match="partitioned"):
        store.positions.delete(pc.field("mmsi") > 0)
    with pytest.raises(UsageError, match="begin with"):
        store.names.append(sightings(1), about={"inputs": "x"})
    assert not list((tmp_path / "names").glob("*.parquet"))


def test_long_files_are_cut_into_row_groups(tmp_path):
    store = new_store(tmp_path)
    day = day_of_positions(FIRST_DAY, source=1, n_ships=1)
    store.positions.append(day.take(np.arange(ROW_GROUP_ROWS + 10) % day.num_rows))
    (path,) = (tmp_path / "positions").rglob("*.parquet")
    metadata = pq.ParquetFile(path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [ROW_GROUP_ROWS, 10]


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 30)),
        st.tuples(st.just("replace"), st.integers(0, 30)),
        st.tuples(st.just("delete"), st.integers(0, 30)),
        st.tuples(st.just("rewrite"), st.integers(1, 4)),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_a_table_is_what_a_plain_list_would_be(tmp_path_factory, changes):
    store, plain = new_store(tmp_path_factory.mktemp("store")), []
    for what, n in changes:
        if what == "append":
            store.names.append(sightings(n, n + 1))
            plain += [n, n + 1]
        elif what == "replace":
            assert store.names.replace(sightings(n), pc.field("seq") < n) == sum(seq < n for seq in plain)
            plain = [seq for seq in plain if seq >= n] + [n]
        elif what == "delete":
            assert store.names.delete(pc.field("seq") == n) == plain.count(n)
            plain = [seq for seq in plain if seq != n]
        elif files := store.names.files()[:n]:
            assert store.names.rewrite(files) == 1
        assert sorted(store.names.read()["seq"].to_pylist()) == sorted(plain)


def test_a_table_of_another_package_is_made_by_its_first_row(tmp_path):
    store = new_store(tmp_path)
    told = Table("told", (Column("night", pa.int64(), "night"),))
    assert store.extra(told).read().num_rows == 0
    assert store.extra(told).files() == ()
    assert not (tmp_path / "told").exists()
    store.extra(told).append(told.build({"night": [1]}))
    assert "told" in store.tables()
    assert store.extra(told).read()["night"].to_pylist() == [1]
    with pytest.raises(UsageError, match="of its own"):
        store.extra(Table("names", told.columns))
