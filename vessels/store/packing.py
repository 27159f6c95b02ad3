"""Rows as the store holds them: settled rows to `POSITIONS`, static claims to `CLAIMS`, and back.

Takes a settled block with the numbers of the rows kept, or rows of the store; gives the other form. Values come back
to the bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from vessels.chunks import StaticClaim
from vessels.digests import ClaimRegister
from vessels.gather import bucket_of, stable_order
from vessels.store.kept_rows import Kept
from vessels.store.layout import CLAIMS, DAYS_PER_WEEK, POSITIONS
from vessels.track import AnyArray, IntArray, TrackBlock, vessel_of_rows
from vessels.units import US_PER_DAY

_FLOATS: Final = ("lat", "lon", "sog", "cog", "heading", "draught")
_NO_STATUS: Final = -1


def week_of(time_us: Any) -> Any:
    """The week, as `POSITIONS` counts them, of times in microseconds since 1970 (a number or an array)."""
    return time_us // (DAYS_PER_WEEK * US_PER_DAY)


def claim_numbers(register: ClaimRegister) -> IntArray:
    """What the store calls each claim of a register: a hash of what it says; 0 for nothing said. Shape (c,)."""
    numbers = register.hashes().view(np.int64).copy()
    numbers[numbers == 0] = 1
    numbers[0] = 0
    return numbers


def packed(block: TrackBlock, kept: Kept, claims: IntArray, n_buckets: int, source: int) -> pa.Table:
    """The kept rows of one file's block as rows of `POSITIONS`, sorted by MMSI and time.

    `claims` as from `claim_numbers`; `source` is the number of the input.
    """
    rows, said = kept.positions, kept.statements
    statements = block.statements.take(said)
    none = np.full(len(said), np.nan)
    columns: dict[str, AnyArray] = {
        "vessel": np.concatenate([vessel_of_rows(block.offsets)[rows], statements.vessel]),
        "time_us": np.concatenate([block.time_us[rows], statements.time_us]),
        "static": np.concatenate([block.static[rows], statements.static]),
        "nav_status": np.concatenate([block.nav_status[rows], np.full(len(said), _NO_STATUS, np.int8)]),
        "draught": np.concatenate([block.draught[rows], statements.draught]),
    }
    for name in ("lat", "lon", "sog", "cog", "heading"):
        values = getattr(block, name)
        columns[name] = np.concatenate([values[rows], none.astype(values.dtype)])
    if len(said):
        order = _order(columns["vessel"], columns["time_us"])
        columns = {name: column[order] for name, column in columns.items()}
    return _table(columns, block.mmsi[columns["vessel"]], claims, n_buckets, source)


def _order(vessel: IntArray, time_us: IntArray) -> IntArray:
    """Order by vessel and time of rows that are sorted in a few runs: by one key, since NumPy merges runs of those."""
    base = int(time_us.min())
    span = int(time_us.max()) - base + 1
    if span * (int(vessel.max()) + 1) >= _INT64_LIMIT:
        return np.lexsort((time_us, vessel))
    return np.argsort(vessel * np.int64(span) + (time_us - base), kind="stable")


_INT64_LIMIT: Final = 1 << 62


def together(parts: Sequence[pa.Table]) -> pa.Table:
    """Packed rows of several files as one table, partition by partition.

    Within a partition by MMSI, and by time too where no file reaches into another.
    """
    whole = pa.concat_tables(parts).combine_chunks()
    week = whole["week"].to_numpy().astype(np.int64)
    week -= week.min() if len(week) else 0
    codes, mmsi = pd.factorize(whole["mmsi"].to_numpy())
    bucket = np.empty(len(mmsi), dtype=np.int64)
    bucket[codes] = whole["bucket"].to_numpy()
    rank = np.empty(len(mmsi), dtype=np.int64)
    rank[np.lexsort((mmsi, bucket))] = np.arange(len(mmsi))
    place = week * len(mmsi) + rank[codes]
    return whole.take(pa.array(stable_order(place, int(week.max(initial=0) + 1) * len(mmsi))))


def _table(columns: Mapping[str, AnyArray], mmsi: IntArray, claims: IntArray, n_buckets: int, source: int) -> pa.Table:
    status = columns["nav_status"]
    return POSITIONS.build(
        {
            "week": week_of(columns["time_us"]).astype(np.int32),
            "bucket": bucket_of(mmsi, n_buckets).astype(np.int32),
            "mmsi": mmsi,
            "timestamp": columns["time_us"],
            **{name: columns[name] for name in _FLOATS},
            "nav_status": pa.array(status, mask=status < 0),
            "claim": claims[columns["static"]],
            "source": np.full(len(mmsi), source, dtype=np.int64),
        }
    )


def unpacked(table: pa.Table) -> dict[str, AnyArray]:
    """Rows of `POSITIONS` as arrays by the names of `vessels.track.ROW_COLUMNS`, `claim` and `source` as stored."""
    columns: dict[str, AnyArray] = {name: table[name].to_numpy() for name in _FLOATS}
    columns["time_us"] = table["timestamp"].cast(pa.int64()).to_numpy()
    columns["nav_status"] = table["nav_status"].fill_null(_NO_STATUS).to_numpy()
    columns.update({name: table[name].to_numpy() for name in ("mmsi", "claim", "source")})
    return columns


def claims_table(claims: Sequence[StaticClaim], numbers: Sequence[int]) -> pa.Table:
    """Claims under their numbers as rows of `CLAIMS`."""
    by_field = zip(StaticClaim._fields, zip(*claims, strict=True), strict=True) if claims else ()
    values: dict[str, Any] = {name: [] for name in StaticClaim._fields}
    values.update({name: list(column) for name, column in by_field})
    types = {column.name: column.type for column in CLAIMS.columns}
    return CLAIMS.build(
        {"claim": list(numbers), **{name: pa.array(column, types[name]) for name, column in values.items()}}
    )


def claims_of(table: pa.Table) -> Iterator[tuple[int, StaticClaim]]:
    """Rows of `CLAIMS` as numbers and claims."""
    columns = [table[name].to_pylist() for name in CLAIMS.names]
    return ((number, StaticClaim(*said)) for number, *said in zip(*columns, strict=True))
