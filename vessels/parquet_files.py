"""Parquet files: only the columns that are needed, in runs of row groups that can be read side by side.

Takes a path; gives Arrow arrays by column number. What the values mean is left to `vessels.tabular`.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vessels.errors import InputFileError
from vessels.sniffing import one_line
from vessels.sources import Piece, Unit
from vessels.times import is_text

_DAMAGE: Final = (pa.ArrowException, OSError, UnicodeError)
"""What reading a damaged file can raise."""
_LARGE: Final = 2
"""A run this many times the chunk size is read in pieces, so that memory follows the chunk."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """One open Parquet file."""

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
        except _DAMAGE as why:
            raise _broken(name, why) from why

    @property
    def format(self) -> str:
        return "parquet"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    @property
    def n_rows(self) -> int:
        return int(self.metadata.num_rows)

    def type_of(self, column: int) -> pa.DataType:
        kind = self.schema[column].type
        return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind

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
        self, unit: Unit, columns: Sequence[int], repeating: Set[int], max_rows: int | None = None
    ) -> Iterator[Piece]:
        """The unit's rows; text in `repeating` columns comes as dictionaries."""
        leaves = _leaves(self.schema)
        wanted = sorted(set(columns))
        below = [leaf for index in wanted for leaf in leaves[index]]
        coded = sorted({self.schema[i].name for i in wanted if i in repeating and is_text(self.schema[i].type)})
        row = unit.first_row
        try:
            with pq.ParquetFile(
                self.path, metadata=self.metadata, read_dictionary=coded, page_checksum_verification=True
            ) as file:
                for table in self._tables(file, unit, below, max_rows):
                    _check_dictionaries(table)
                    arrays = [_one_array(column) for column in table.unify_dictionaries().columns]
                    yield Piece(row, dict(zip(wanted, arrays, strict=True)))
                    row += table.num_rows
        except _DAMAGE as why:
            raise _broken(self.name, why) from why

    def _tables(
        self, file: pq.ParquetFile, unit: Unit, leaves: Sequence[int], max_rows: int | None
    ) -> Iterator[pa.Table]:
        groups = list(unit.row_groups)
        if max_rows is None and unit.n_rows <= _LARGE * self.chunk_rows:
            yield file.reader.read_row_groups(groups, column_indices=leaves, use_threads=False)
            return
        pieces = file.reader.iter_batches(
            max_rows or self.chunk_rows, row_groups=groups, column_indices=leaves, use_threads=False
        )
        for batch in pieces:
            yield pa.Table.from_batches([batch])
            if max_rows is not None:
                return


def _broken(name: str, why: Exception) -> InputFileError:
    detail = f"{name} is cut short or damaged ({one_line(why)}); it is read when it is complete"
    return InputFileError("broken_parquet", detail)


def _leaves(schema: pa.Schema) -> list[list[int]]:
    """The Parquet column numbers below each top-level column."""
    leaves, number = [], 0
    for column in schema:
        n = _n_leaves(column.type)
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


def _check_dictionaries(table: pa.Table) -> None:
    """Refuse codes that point beyond their dictionary: damage that Arrow does not look for, and would read past."""
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                span = pc.min_max(chunk.indices).as_py()
                if span["min"] is not None and not 0 <= span["min"] <= span["max"] < len(chunk.dictionary):
                    raise pa.ArrowInvalid(f"a code of {span['max']} in a dictionary of {len(chunk.dictionary)}")


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all, or text over 2 GiB
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array.storage if isinstance(array.type, pa.BaseExtensionType) else array
