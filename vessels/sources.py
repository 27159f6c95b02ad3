"""What every file format offers its reader: named columns, and their values piece by piece.

Takes nothing; gives the records that `parquet_files`, `csv_files` and `nmea_files` hand on, and the protocol they keep.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.quality import RejectCounts

RowNumbers = int | npt.NDArray[np.int64]
"""Number in the file, from 0, of the first row when rows follow each other, or of each row."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a file that can be read by itself: a run of Parquet row groups, or the whole of other files."""

    row_groups: tuple[int, ...]
    first_row: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows: their numbers, one Arrow array a column by number, and what was in the file that was no row."""

    rows: RowNumbers
    arrays: Mapping[int, pa.Array]
    counts: RejectCounts = field(default_factory=RejectCounts)


class Source(Protocol):
    """One open file of any format. Reading shares nothing, so that threads may read several units at once."""

    @property
    def format(self) -> str:
        """parquet, csv or nmea."""

    @property
    def names(self) -> tuple[str, ...]:
        """The file's own names of its columns."""

    @property
    def n_rows(self) -> int:
        """Rows in the file, estimated where it does not say."""

    def type_of(self, column: int) -> pa.DataType:
        """The Arrow type of a column as it will be read."""

    def units(self) -> tuple[Unit, ...]:
        """The file's parts, in order."""

    def read(
        self, unit: Unit, columns: Sequence[int], repeating: Set[int], max_rows: int | None = None
    ) -> Iterator[Piece]:
        """The unit's rows in pieces; `repeating` are columns whose values repeat, and may come as dictionaries.

        With `max_rows`, a sample of about that many of the first rows. Raises InputFileError for damage.
        """


EMPTY: Mapping[int, pa.Array] = MappingProxyType({})
