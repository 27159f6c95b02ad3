"""The Parquet files of a store's tables: rows to files of one partition each, and back.

Takes declared tables and rows in the declared columns; gives what was written as `StoredFile`s and Delta actions. Which
files belong to a table is left to its log, see `vessels.store.tables`.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction, RemoveAction

from vessels.schema import Table
from vessels.store.place import StorePlace

ROW_GROUP_ROWS: Final = 262_144
"""Rows of a row group: one group in nearly every file of a day, a few in a compacted one."""


_WRITERS: Final = 4
"""Files encoded and written at once; most of the gain is that they wait for the disk together."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One Parquet file that a table consists of: path below the table's folder, bytes, rows, partition values."""

    path: str
    n_bytes: int
    n_rows: int
    partition: Mapping[str, int]

    def removal(self, when_ms: int, *, data_change: bool) -> RemoveAction:
        """The action that takes it out of the table."""
        return RemoveAction(self.path, data_change, when_ms, self.n_bytes, _texts(self.partition))


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that no commit names yet, and when it was written, ms since 1970."""

    file: StoredFile
    when_ms: int

    def addition(self, *, data_change: bool) -> AddAction:
        """The action that puts it into the table."""
        stats = json.dumps({"numRecords": self.file.n_rows})
        return AddAction(
            self.file.path, self.file.n_bytes, _texts(self.file.partition), self.when_ms, data_change, stats
        )


def _texts(partition: Mapping[str, int]) -> dict[str, str | None]:
    return {name: str(value) for name, value in partition.items()}


def write_rows(
    place: StorePlace,
    declared: Table,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    rows: pa.Table,
    begun: list[str],
) -> list[WrittenFile]:
    """Write rows of the declared columns, one file a partition, each sorted by `sort_by` (stable).

    Paths of files are put into `begun` before they are written, so that the caller can clear up after a fault.
    """
    stored = [name for name in declared.names if name not in partition_by]

    def write(partition: tuple[tuple[int, ...], pa.Table]) -> WrittenFile:
        values, part = partition
        named = dict(zip(partition_by, values, strict=True))
        data = _encoded(_sorted(part.select(stored), sort_by))
        path = "/".join([*(f"{name}={value}" for name, value in named.items()), f"{uuid.uuid4()}.parquet"])
        begun.append(path)
        when_ms = place.write(declared.name, path, data)
        return WrittenFile(StoredFile(path, data.size, part.num_rows, named), when_ms)

    with ThreadPoolExecutor(_WRITERS) as pool:
        return list(pool.map(write, _partitions(rows, partition_by)))


def read_rows(
    place: StorePlace,
    declared: Table,
    file: StoredFile,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    """The rows of one file in stored order: `columns` of the declared ones (default: all), those that `where` keeps.

    Pages are held against their checksums. Raises whatever Arrow and the place raise.
    """
    wanted = list(declared.names if columns is None else columns)
    asked = "" if where is None else str(where)  # names every column that it looks at, as text
    needed = [name for name in declared.names if name in wanted or name in asked]
    schema = declared.arrow
    with place.read(declared.name, file.path) as source:
        parquet = pq.ParquetFile(source, page_checksum_verification=True)
        if parquet.metadata.num_rows != file.n_rows:
            raise pa.ArrowInvalid(f"{file.path} has {parquet.metadata.num_rows} rows, the log says {file.n_rows}")
        rows = parquet.read([name for name in needed if name not in file.partition], use_threads=False)
    arrays = [
        pa.repeat(pa.scalar(file.partition[name], schema.field(name).type), file.n_rows)
        if name in file.partition
        else rows[name].cast(schema.field(name).type)
        for name in needed
    ]
    table = pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(name) for name in needed]))
    return (table if where is None else table.filter(where)).select(wanted)


def _partitions(rows: pa.Table, partition_by: Sequence[str]) -> Iterator[tuple[tuple[int, ...], pa.Table]]:
    """The rows of each partition, in their order, by partition values in order."""
    if not partition_by:
        if rows.num_rows:
            yield (), rows
        return
    keys = [rows[name].to_numpy() for name in partition_by]
    if not rows.num_rows:
        return
    order = np.lexsort(keys[::-1])
    ordered = np.array_equal(order, np.arange(len(order)))
    keys = [key if ordered else key[order] for key in keys]
    changes = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    begins = [0, *(np.flatnonzero(changes) + 1).tolist()]
    for begin, end in zip(begins, [*begins[1:], len(order)], strict=True):
        values = tuple(int(key[begin]) for key in keys)
        yield values, rows.slice(begin, end - begin) if ordered else rows.take(pa.array(order[begin:end]))


def _sorted(rows: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    """The rows in order of some whole-numbered columns; rows that are in order already are not copied."""
    if not sort_by or rows.num_rows < 2:
        return rows
    keys = [_whole_numbers(rows[name]) for name in sort_by]
    later, equal = np.zeros(rows.num_rows - 1, dtype=np.bool_), np.ones(rows.num_rows - 1, dtype=np.bool_)
    for key in keys:
        later |= equal & (key[1:] < key[:-1])
        equal &= key[1:] == key[:-1]
    return rows.take(pa.array(np.lexsort(keys[::-1]))) if later.any() else rows


def _whole_numbers(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    numbers: np.ndarray[Any, np.dtype[np.int64]] = column.cast(pa.int64()).to_numpy()
    return numbers


def _encoded(rows: pa.Table) -> pa.Buffer:
    """Rows as one Parquet file.

    Tables without nested columns hold positions or their like: coordinates are laid byte by byte and times as
    differences, which halves them (measured: 16 bytes a row, 29 M rows/s back, against 23 bytes and 20 M with PyArrow's
    own choices); all else repeats within a vessel and goes through dictionaries. Pages carry checksums.
    """
    nested = any(pa.types.is_nested(field.type) for field in rows.schema)
    spread = {f.name: "BYTE_STREAM_SPLIT" for f in rows.schema if pa.types.is_float64(f.type)}
    stepped = {f.name: "DELTA_BINARY_PACKED" for f in rows.schema if pa.types.is_timestamp(f.type)}
    encoding = {} if nested else spread | stepped
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        row_group_size=ROW_GROUP_ROWS,
        compression="lz4",
        use_dictionary=[name for name in rows.column_names if name not in encoding] if encoding else True,
        column_encoding=encoding or None,
        write_page_checksum=True,
        write_statistics=not nested,
    )
    return sink.getvalue()
