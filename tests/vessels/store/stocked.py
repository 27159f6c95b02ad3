"""Small stores and rows for them, invented, to be damaged, killed and put together by the tests."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from vessels.gather import bucket_of
from vessels.store.layout import DAYS_PER_WEEK, NAMES, POSITIONS
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.units import US_PER_DAY, US_PER_MIN

N_BUCKETS = 4
FIRST_DAY = 20454
"""2026-01-01, the first day of week 2922."""


def new_store(folder: Path, n_buckets: int = N_BUCKETS) -> TrackStore:
    return TrackStore.open(StorePlace(str(folder)), n_buckets=n_buckets, create=True)


def old_store(folder: Path, n_buckets: int = N_BUCKETS) -> TrackStore:
    """The store as a night finds it: it would be made if it were not there."""
    return new_store(folder, n_buckets)


def sightings(*seqs: int) -> pa.Table:
    """Rows of `names`, told apart by `seq`."""
    n = len(seqs)
    return NAMES.build(
        {
            "name": [f"day-{seq}.csv" for seq in seqs],
            "digest": [None if seq % 5 == 4 else f"{seq:064x}" for seq in seqs],
            "n_bytes": [100 + seq for seq in seqs],
            "mtime_ns": [0] * n,
            "seq": list(seqs),
        }
    )


def day_of_positions(day: int, source: int, n_ships: int = 6, per_ship: int = 20) -> pa.Table:
    """A day's rows of a few ships, one a minute, sorted as taking in sorts them; every value depends on its row."""
    mmsi = np.repeat(273000001 + 1000 * np.arange(n_ships), per_ship)
    minute = np.tile(np.arange(per_ship), n_ships)
    time_us = day * US_PER_DAY + minute * US_PER_MIN
    row = np.arange(len(mmsi))
    bucket = bucket_of(mmsi, N_BUCKETS)
    order = np.lexsort((time_us, mmsi, bucket))
    return POSITIONS.build(
        {
            "week": (time_us // US_PER_DAY // DAYS_PER_WEEK)[order],
            "bucket": bucket[order],
            "mmsi": mmsi[order],
            "timestamp": time_us[order],
            "lat": np.where(row % 7 == 3, np.nan, 42.0 + row / 1000.0)[order],
            "lon": np.where(row % 7 == 3, np.nan, 131.0 + row / 1000.0)[order],
            "sog": np.where(row % 3 == 0, np.nan, row % 15).astype(np.float32)[order],
            "cog": (row % 360).astype(np.float32)[order],
            "heading": np.full(len(row), np.nan, dtype=np.float32),
            "draught": np.full(len(row), 7.5, dtype=np.float32),
            "nav_status": pa.array((row % 9).astype(np.int8)[order], mask=(row % 9 == 0)[order]),
            "claim": (row % 4 * (1 << 60) - (1 << 61))[order],
            "source": np.full(len(row), source),
        }
    )


def as_set(rows: pa.Table) -> list[str]:
    """The rows in an order of their own, so that tables of the same rows are equal."""
    return sorted(repr(tuple(row.values())) for row in rows.to_pylist())
