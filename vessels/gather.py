"""Gathering: chunks of many files, in any order, into buckets of vessels, each vessel's rows together.

Takes chunks as they are read; gives, bucket by bucket, a `TrackBlock` sorted by (mmsi, timestamp). Files arrive nearly
in time order, so nothing sorts the whole: each chunk is sorted by time (nearly free) and by a small vessel code
(radix), its runs are copied to their places, and only vessels whose rows then stand out of order are sorted again.
Buckets stay in memory, or go to a spill folder when the input is too large for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vessels.chunks import Chunk
from vessels.digests import ClaimRegister
from vessels.track import ROW_COLUMNS, AnyArray, IntArray, Rows, TrackBlock, settle

ROWS_PER_BUCKET: Final = 2_500_000
"""Rows a bucket is planned for: its columns (50 B a row) and temporaries stay under half a gigabyte."""
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: Fibonacci hashing (Knuth, TAOCP 3, 6.4) spreads MMSI of one state over the buckets."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of one chunk that fall in one bucket, sorted by (mmsi, time); held in memory or in a spill file."""

    source: int
    vessels: IntArray
    counts: IntArray
    first_time_us: int
    columns: dict[str, AnyArray] = field(default_factory=dict)
    spilled_at: int | None = None

    @property
    def n_rows(self) -> int:
        """Rows in the piece."""
        return int(self.counts.sum())


def stable_order(codes: IntArray, n_codes: int) -> npt.NDArray[np.intp]:
    """Stable argsort of small non-negative integers by radix passes of 16 bits."""
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    shift = 16
    while n_codes >> shift:
        order = order[np.argsort((codes >> shift).astype(np.uint16)[order], kind="stable")]
        shift += 16
    return order


def bucket_of(mmsi: IntArray, n_buckets: int) -> IntArray:
    """The bucket of each MMSI, 0 to n_buckets - 1; depends on nothing but the number."""
    mixed = (mmsi.astype(np.uint64) * _HASH) >> np.uint64(33)
    return (mixed % np.uint64(n_buckets)).astype(np.int64)


class Gatherer:
    """Collects sorted pieces of chunks by bucket; safe to `add` to from several threads.

    With `spill` a folder, pieces are appended to one file a bucket; else they stay in memory.
    """

    def __init__(self, n_buckets: int, spill: Path | None = None) -> None:
        self.n_buckets = n_buckets
        self.register = ClaimRegister()
        self._spill = spill
        self._pieces: list[list[Piece]] = [[] for _ in range(n_buckets)]
        self._locks = [Lock() for _ in range(n_buckets)]

    def add(self, chunk: Chunk, source: int) -> None:
        """Sort one chunk and lay its rows into the buckets."""
        if len(chunk) == 0:
            return
        static = self.register.codes(chunk.claims)[chunk.static]
        codes, mmsi = pd.factorize(chunk.mmsi)
        bucket = bucket_of(mmsi, self.n_buckets)
        by_bucket = np.lexsort((mmsi, bucket))
        rank = np.empty(len(mmsi), dtype=np.int64)
        rank[by_bucket] = np.arange(len(mmsi))
        row_rank = rank[codes]
        in_time_order = bool((chunk.time_us[1:] >= chunk.time_us[:-1]).all())
        if in_time_order:
            order = stable_order(row_rank, len(mmsi))
        else:
            by_time = np.argsort(chunk.time_us, kind="stable")
            order = by_time[stable_order(row_rank[by_time], len(mmsi))]
        counts = np.bincount(row_rank, minlength=len(mmsi))
        vessels, bucket = mmsi[by_bucket], bucket[by_bucket]
        vessel_bounds = np.searchsorted(bucket, np.arange(self.n_buckets + 1))
        row_bounds = np.concatenate([[0], np.cumsum(counts)])[vessel_bounds]
        columns: dict[str, AnyArray] = {"static": static}
        columns.update({name: getattr(chunk, name) for name in ROW_COLUMNS if name not in ("static", "source")})
        for b in range(self.n_buckets):
            if row_bounds[b] == row_bounds[b + 1]:
                continue
            rows = order[row_bounds[b] : row_bounds[b + 1]]
            span = slice(vessel_bounds[b], vessel_bounds[b + 1])
            self._keep(
                b,
                Piece(
                    source,
                    vessels[span],
                    counts[span],
                    int(chunk.time_us[rows].min()),
                    {name: column.take(rows) for name, column in columns.items()},
                ),
            )

    def _keep(self, bucket: int, piece: Piece) -> None:
        with self._locks[bucket]:
            if self._spill is not None:
                piece = _spill_piece(self._spill / f"bucket-{bucket:05d}", piece)
            self._pieces[bucket].append(piece)

    def block(
        self,
        bucket: int,
        span_us: tuple[int, int],
        set_aside: frozenset[int] = frozenset(),
        *,
        release: bool = False,
    ) -> TrackBlock:
        """One bucket as a settled `TrackBlock`, without the rows of files set aside or outside the span of time.

        With `release` its pieces are forgotten, so that memory falls as buckets are worked off.
        """
        pieces = self._pieces[bucket]
        path = None if self._spill is None else self._spill / f"bucket-{bucket:05d}"
        rows = _assemble([p for p in pieces if p.source not in set_aside], path)
        if release:
            self._pieces[bucket] = []
            if path is not None:
                path.unlink(missing_ok=True)
        return settle(rows, self.register, span_us)


_LONG_RUN: Final = 64
"""From this mean length on, runs are copied one by one; shorter ones through an index of rows."""


def _scatter(columns: dict[str, AnyArray], piece: Piece, starts: IntArray, out: dict[str, AnyArray]) -> None:
    """Copy a piece's runs, one a vessel, to where they start in `out`."""
    ends = np.cumsum(piece.counts)
    begins = ends - piece.counts
    if piece.n_rows >= _LONG_RUN * len(starts):
        spans = list(zip(begins.tolist(), ends.tolist(), starts.tolist(), strict=True))
        for name, target in out.items():
            if name == "source":
                for begin, end, at in spans:
                    target[at : at + end - begin] = piece.source
            else:
                column = columns[name]
                for begin, end, at in spans:
                    target[at : at + end - begin] = column[begin:end]
        return
    rows = np.repeat(starts - begins, piece.counts) + np.arange(piece.n_rows)
    for name, target in out.items():
        target[rows] = piece.source if name == "source" else columns[name]


def _spill_piece(path: Path, piece: Piece) -> Piece:
    with path.open("ab") as handle:
        start = handle.tell()
        for name in ROW_COLUMNS:
            if name != "source":
                piece.columns[name].tofile(handle)
    return Piece(piece.source, piece.vessels, piece.counts, piece.first_time_us, spilled_at=start)


def _columns_of(piece: Piece, path: Path | None) -> dict[str, AnyArray]:
    if piece.spilled_at is None or path is None:
        return piece.columns
    columns, at = {}, piece.spilled_at
    for name, dtype in ROW_COLUMNS.items():
        if name != "source":
            columns[name] = np.fromfile(path, dtype=dtype, count=piece.n_rows, offset=at)
            at += piece.n_rows * np.dtype(dtype).itemsize
    return columns


def _assemble(pieces: Sequence[Piece], path: Path | None) -> Rows:
    """Lay the runs of all pieces at their final places: by vessel, within a vessel by piece in order of time."""
    pieces = sorted(pieces, key=lambda p: (p.first_time_us, p.source))
    vessels = np.unique(np.concatenate([p.vessels for p in pieces])) if pieces else np.zeros(0, dtype=np.int64)
    places = [np.searchsorted(vessels, p.vessels) for p in pieces]
    totals = np.zeros(len(vessels), dtype=np.int64)
    for piece, place in zip(pieces, places, strict=True):
        totals[place] += piece.counts
    offsets = np.concatenate([[0], np.cumsum(totals)])
    out = {name: np.empty(int(offsets[-1]), dtype=dtype) for name, dtype in ROW_COLUMNS.items()}
    free = offsets[:-1].copy()
    for piece, place in zip(pieces, places, strict=True):
        starts = free[place]
        free[place] += piece.counts
        _scatter(_columns_of(piece, path), piece, starts, out)
    return Rows(vessels, offsets, out)
