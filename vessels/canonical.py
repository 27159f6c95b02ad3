"""Any readable input -> one Parquet file in our own columns, whole or not at all.

Takes input files and `ReadOptions`; writes the file and gives a summary of what went in and what did not. The file
reads back as dialect "wakewatch" with the same rows. Finding inputs is left to `vessels.reading`.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vessels.chunks import Chunk
from vessels.errors import InputFileError, NothingReadableError
from vessels.quality import RejectCounts, merge_counts
from vessels.reading import InputFile, ReadOptions, SetAside, open_input
from vessels.schema import TIMESTAMP, Column, Table

_TEXT: Final = pa.string()
CANONICAL_POSITIONS: Final = Table(
    "canonical",
    (
        Column("mmsi", pa.int64(), "MMSI the report was sent under; a claim"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", pa.float64(), "latitude, WGS 84; null where the row states an identity only", "degree"),
        Column("lon", pa.float64(), "longitude, WGS 84", "degree"),
        Column("sog", pa.float32(), "speed over ground", "kn"),
        Column("cog", pa.float32(), "course over ground", "degree"),
        Column("heading", pa.float32(), "true heading", "degree"),
        Column("nav_status", pa.int8(), "navigational status code, ITU-R M.1371"),
        Column("draught", pa.float32(), "static draught, as set by the crew", "m"),
        Column("imo", _TEXT, "IMO field as received"),
        Column("name", _TEXT, "name as received"),
        Column("call_sign", _TEXT, "call sign as received"),
        Column("ship_type", pa.int16(), "ship-type code, ITU-R M.1371 table 53"),
        Column("length_m", pa.float64(), "length", "m"),
        Column("beam_m", pa.float64(), "beam", "m"),
        Column("destination", _TEXT, "destination as received"),
        Column("transceiver", _TEXT, "A or B: class of the AIS set"),
        Column("source_id", _TEXT, "name of the file that held the row"),
    ),
)
_STATIC: Final = ("imo", "name", "call_sign", "ship_type", "length_m", "beam_m", "destination", "transceiver")
"""Columns in the order of `StaticClaim`'s fields."""


@dataclass(frozen=True, slots=True)
class ConvertSummary:
    """What a conversion wrote: rows by input, what was dropped or nulled by input, and inputs set aside."""

    n_rows: int
    rows_by_input: Mapping[str, int]
    counts_by_input: Mapping[str, RejectCounts]
    dialects: Mapping[str, str]
    set_aside: tuple[SetAside, ...]


def write_canonical(files: Sequence[InputFile], out: Path, options: ReadOptions) -> ConvertSummary:
    """Write all rows of `files` to one Parquet file `out`, which appears only when it is complete.

    An input that cannot be read to its end leaves no row. Raises NothingReadableError, and writes nothing, when
    that holds for every input.
    """
    rows: dict[str, int] = {}
    counts: dict[str, RejectCounts] = {}
    dialects: dict[str, str] = {}
    aside: list[SetAside] = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        whole, part = Path(scratch) / "whole.parquet", Path(scratch) / "part.parquet"
        with _writer(whole) as writer:
            for file in files:
                try:
                    dialects[file.name], counts[file.name] = _write_part(file, part, options)
                except InputFileError as fault:
                    dialects.pop(file.name, None)
                    aside.append(SetAside(file.name, fault.reason, fault.detail))
                    continue
                rows[file.name] = _append(part, writer)
        if files and not rows:
            raise NothingReadableError("every input had to be set aside: " + "; ".join(item.detail for item in aside))
        whole.replace(out)
    return ConvertSummary(
        sum(rows.values()), MappingProxyType(rows), MappingProxyType(counts), MappingProxyType(dialects), tuple(aside)
    )


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, CANONICAL_POSITIONS.arrow, compression="zstd")


def _write_part(file: InputFile, part: Path, options: ReadOptions) -> tuple[str, RejectCounts]:
    """One input by itself, so that one that breaks off half-way leaves nothing behind."""
    opened = open_input(file, options)
    counts = []
    with _writer(part) as writer:
        for unit in opened.units:
            for chunk, dropped in opened.read(unit):
                counts.append(dropped)
                if len(chunk):
                    writer.write_table(canonical_table(chunk, file.name))
    return opened.dialect, merge_counts(counts)


def _append(part: Path, writer: pq.ParquetWriter) -> int:
    n = 0
    with pq.ParquetFile(part) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            writer.write_table(table)
            n += table.num_rows
    return n


def canonical_table(chunk: Chunk, source_id: str) -> pa.Table:
    """A chunk as a table of `CANONICAL_POSITIONS`."""
    values: dict[str, Any] = {
        "mmsi": chunk.mmsi,
        "timestamp": pa.array(chunk.time_us).cast(TIMESTAMP),
        **{name: getattr(chunk, name) for name in ("lat", "lon", "sog", "cog", "heading", "draught")},
        "nav_status": pa.array(chunk.nav_status, mask=chunk.nav_status < 0),
        "source_id": pa.array([source_id], _TEXT).take(pa.array(np.zeros(len(chunk), np.int32))),
    }
    of_row = pa.array(chunk.static)
    for place, name in enumerate(_STATIC):
        kind = next(column.type for column in CANONICAL_POSITIONS.columns if column.name == name)
        values[name] = pa.array([claim[place] for claim in chunk.claims], kind).take(of_row)
    return CANONICAL_POSITIONS.build(values)
