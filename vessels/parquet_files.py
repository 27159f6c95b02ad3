"""Parquet files: only the columns that are needed, in runs of row groups that can be read side by side.

Takes a path and a way to choose a layout; gives Arrow arrays by field. Rows are left to `vessels.tabular`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from vessels.dialects import Layout
from vessels.errors import InputFileError
from vessels.fields import holds_numbers, numbers
from vessels.times import is_text

MAGIC: Final = b"PAR1"
_LARGE: Final = 2
"""A row group this many times the chunk size is read in pieces, so that memory follows the chunk."""

Columns = Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Unit:
    """A run of row groups: their numbers, the row of the file it starts with, its rows."""

    row_groups: tuple[int, ...]
    first_row: int
    n_rows: int


def _broken(name: str, why: Exception) -> InputFileError:
    detail = f"{name} ends before its index, or is damaged: {_one_line(why)}; copy it again when it is complete"
    return InputFileError("broken_parquet", detail)


def _one_line(why: Exception) -> str:
    return " ".join(str(why).split())[:200]


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """One open Parquet file. Reading a unit shares nothing with other reads, so threads may read several."""

    path: Path
    name: str
    metadata: pq.FileMetaData
    schema: pa.Schema
    chunk_rows: int

    @classmethod
    def open(cls, path: Path, name: str, chunk_rows: int) -> "ParquetSource":
        """Read the footer; raises InputFileError (`broken_parquet`)."""
        try:
            with pq.ParquetFile(path) as file:
                return cls(path, name, file.metadata, file.schema_arrow, chunk_rows)
        except (pa.ArrowException, OSError) as why:
            raise _broken(name, why) from why

    @property
    def n_rows(self) -> int:
        """Rows in the file, by its footer."""
        return int(self.metadata.num_rows)

    def units(self) -> tuple[Unit, ...]:
        """Runs of row groups of about `chunk_rows` rows."""
        units: list[Unit] = []
        run: list[int] = []
        first = n = row = 0
        for group in range(self.metadata.num_row_groups):
            size = self.metadata.row_group(group).num_rows
            if run and n + size > self.chunk_rows:
                units.append(Unit(tuple(run), first, n))
                run, first, n = [], row, 0
            run.append(group)
            n += size
            row += size
        if run:
            units.append(Unit(tuple(run), first, n))
        return tuple(units)

    def read(
        self, unit: Unit, layout: Layout, *, only: Sequence[str] = (), max_rows: int | None = None
    ) -> Iterator[tuple[int, Columns]]:
        """The unit's rows as (row number of the first, arrays by field), in pieces of about `chunk_rows` rows.

        `only` limits the fields, `max_rows` the rows. Raises InputFileError for damage found on the way, and
        (`duplicate_columns`) when two columns of one name differ.
        """
        leaves = _leaves(self.schema)
        fields = {key: index for key, index in layout.columns.items() if not only or key in only}
        twins = [(key, index) for key, index in layout.twins if key in fields]
        wanted = sorted({*fields.values(), *(index for _, index in twins)})
        column_indices = [leaf for index in wanted for leaf in leaves[index]]
        place = {index: at for at, index in enumerate(wanted)}
        as_dictionary = [self.schema[i].name for i in wanted if _better_as_dictionary(self.schema[i].type)]
        piece = min(self.chunk_rows, max_rows or self.chunk_rows)
        row = unit.first_row
        try:
            with pq.ParquetFile(self.path, metadata=self.metadata, read_dictionary=as_dictionary) as file:
                if max_rows is None and unit.n_rows <= _LARGE * self.chunk_rows:
                    table = file.reader.read_row_groups(
                        list(unit.row_groups), column_indices=column_indices, use_threads=False
                    )
                    batches: Iterator[pa.Table] = iter((table,))
                else:
                    pieces = file.reader.iter_batches(
                        piece, row_groups=list(unit.row_groups), column_indices=column_indices, use_threads=False
                    )
                    batches = (pa.Table.from_batches([batch]) for batch in pieces)
                for table in batches:
                    arrays = [_one_array(column) for column in table.unify_dictionaries().columns]
                    for key, index in twins:
                        _check_twin(self.name, key, arrays[place[fields[key]]], arrays[place[index]], layout, index)
                    yield row, {key: arrays[place[index]] for key, index in fields.items()}
                    row += table.num_rows
                    if max_rows is not None:
                        return
        except (pa.ArrowException, OSError) as why:
            raise _broken(self.name, why) from why


def _leaves(schema: pa.Schema) -> list[list[int]]:
    """The Parquet column numbers below each top-level column."""
    leaves, number = [], 0
    for field in schema:
        n = _n_leaves(field.type)
        leaves.append(list(range(number, number + n)))
        number += n
    return leaves


def _n_leaves(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _n_leaves(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _n_leaves(kind.value_type)
    if pa.types.is_nested(kind):
        return sum(_n_leaves(kind.field(i).type) for i in range(kind.num_fields))
    return 1


def _better_as_dictionary(kind: pa.DataType) -> bool:
    return is_text(kind)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks)
    return array.storage if isinstance(array.type, pa.BaseExtensionType) else array


def _check_twin(name: str, field: str, one: pa.Array, other: pa.Array, layout: Layout, index: int) -> None:
    if one.equals(other) or _same_values(one, other):
        return
    raise InputFileError(
        "duplicate_columns",
        f"{name} has two columns for {field}, {layout.name_of(field)!r} and {layout.names[index]!r}, that differ",
    )


def _same_values(one: pa.Array, other: pa.Array) -> bool:
    if holds_numbers(one.type) and holds_numbers(other.type):
        first, second = numbers(one), numbers(other)
        if first.unreadable is None and second.unreadable is None:
            return pa.array(first.values).equals(pa.array(second.values))
    return bool(one.to_pylist() == other.to_pylist())
