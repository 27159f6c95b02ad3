"""Declared tables and ids."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels import schema
from vessels.errors import UsageError
from vessels.schema import TIMESTAMP, Column, Table, make_id

TABLES = [value for value in vars(schema).values() if isinstance(value, Table)]
SMALL = Table("small", (Column("when", TIMESTAMP, "an instant"), Column("speed_kn", pa.float64(), "a speed", "kn")))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_declared_table_names_each_column_once_and_says_what_it_means(table):
    assert len(set(table.names)) == len(table.names)
    assert all(column.meaning for column in table.columns)
    assert table.empty().schema.equals(table.arrow)
    assert table.concat([]).num_rows == 0


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_name_states_its_unit(table):
    suffixes = {"_kn": "kn", "_nmi": "nmi", "_h": "h", "_m": "m", "_deg": "degree"}
    for column in table.columns:
        for suffix, unit in suffixes.items():
            if column.name.endswith(suffix) and "_per_" not in column.name:
                assert column.unit == unit, column.name
        assert not column.name.endswith("_nm"), column.name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_instant_is_utc_in_microseconds(table):
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            assert column.type == TIMESTAMP


def test_not_a_number_becomes_null():
    built = SMALL.build({"when": np.array([0, 1]), "speed_kn": np.array([np.nan, 2.0])})
    assert built["speed_kn"].to_pylist() == [None, 2.0]
    assert built["when"].to_pylist()[0] == datetime(1970, 1, 1, tzinfo=UTC)


def test_arrow_arrays_lists_and_chunks_make_the_same_table():
    one = SMALL.build({"when": [0, 1], "speed_kn": [1.0, None]})
    other = SMALL.build(
        {"when": pa.array([0, 1]), "speed_kn": pa.chunked_array([[1.0], pa.array([None], pa.float64())])}
    )
    assert one.equals(other)


def test_units_and_meanings_travel_with_the_columns():
    metadata = SMALL.arrow.field("speed_kn").metadata
    assert metadata == {b"meaning": b"a speed", b"unit": b"kn"}


@pytest.mark.parametrize("values", [{"when": [0]}, {"when": [0], "speed_kn": [1.0], "more": [1]}])
def test_a_missing_or_unknown_column_is_refused_by_name(values):
    with pytest.raises(UsageError, match=r"speed_kn|more"):
        SMALL.build(values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.integers(), st.text(max_size=5)), max_size=3).map(tuple), max_size=40))
def test_ids_differ_where_what_they_name_differs(parts):
    by_id = {}
    for key in parts:
        text = tuple(str(part) for part in key)
        if "\x1f" not in "".join(text):
            assert by_id.setdefault(make_id("thing", *key), text) == text


def test_the_kind_is_part_of_an_id():
    assert make_id("visit", 1) != make_id("voyage", 1)
    assert make_id("visit", 1).startswith("visit-")
