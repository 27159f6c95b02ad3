"""Tracks: positions in columns, sorted by (mmsi, timestamp), with the offsets of each vessel.

Takes the rows of one bucket of vessels as `vessels.gather` laid them; gives a `TrackBlock` in one order only, whatever
the order of rows and files: exact repeats gone, ties ordered by what the rows say, static-only rows set beside. Which
rows are one hull is left to `vessels.segments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vessels.digests import ClaimRegister, row_hashes

IntArray = npt.NDArray[np.int64]
AnyArray = npt.NDArray[Any]

ROW_COLUMNS: Final[Mapping[str, type[np.generic]]] = MappingProxyType(
    {
        "time_us": np.int64,
        "lat": np.float64,
        "lon": np.float64,
        "sog": np.float32,
        "cog": np.float32,
        "heading": np.float32,
        "draught": np.float32,
        "nav_status": np.int8,
        "static": np.int32,
        "source": np.int32,
    }
)
"""The columns of a row, beside its vessel; 48 bytes."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a bucket, by vessel, nearly in time order: columns of `ROW_COLUMNS`, `offsets` of shape (v + 1,)."""

    mmsi: IntArray
    offsets: IntArray
    columns: dict[str, AnyArray]


@dataclass(frozen=True, slots=True)
class Statements:
    """Static-only rows, sorted by vessel and time. Shapes (s,).

    Place of the vessel in `mmsi`, time, claim number (0: none), draught (m, NaN if none).
    """

    vessel: IntArray
    time_us: IntArray
    static: npt.NDArray[np.int32]
    draught: npt.NDArray[np.float32]

    def take(self, which: npt.NDArray[Any]) -> "Statements":
        """Some of the rows."""
        return Statements(self.vessel[which], self.time_us[which], self.static[which], self.draught[which])


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted while a block was settled, by number of the file.

    `digest` is the sum, modulo 2^64, of hashes of the file's distinct rows and `n_distinct` their number: a digest of
    the content that row order and repeats do not change. `repeats` counts rows repeated within one file,
    `repeats_across` rows that another file holds too. `coverage` has source, mmsi, first_us, last_us.
    """

    digest: npt.NDArray[np.uint64]
    n_distinct: IntArray
    repeats: IntArray
    outside_span: IntArray
    repeats_across: int
    coverage: pd.DataFrame


@dataclass(frozen=True, slots=True)
class TrackBlock:
    """Positions of a bucket of vessels, sorted by (mmsi, timestamp), without repeats. Row columns have shape (n,).

    `offsets` (v + 1,) gives each vessel's rows. `static` indexes the run's `ClaimRegister`. Arrays are read-only.
    """

    mmsi: IntArray
    offsets: IntArray
    time_us: IntArray
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    sog: npt.NDArray[np.float32]
    cog: npt.NDArray[np.float32]
    heading: npt.NDArray[np.float32]
    draught: npt.NDArray[np.float32]
    nav_status: npt.NDArray[np.int8]
    static: npt.NDArray[np.int32]
    source: npt.NDArray[np.int32]
    statements: Statements
    tally: Tally

    def __len__(self) -> int:
        return len(self.time_us)


def vessel_of_rows(offsets: IntArray) -> npt.NDArray[np.int32]:
    """For each row the number of the group that `offsets` put it in. Shape (offsets[-1],)."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))


def offsets_of(groups: npt.NDArray[np.integer], n_groups: int) -> IntArray:
    """Offsets of sorted group numbers. Shape (n_groups + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n_groups))]).astype(np.int64)


def settle(rows: Rows, register: ClaimRegister, span_us: tuple[int, int]) -> TrackBlock:
    """One order, no repeats: see the module. `span_us` is the first and last time that counts, both included."""
    columns = dict(rows.columns)
    n_sources = int(columns["source"].max()) + 1 if len(columns["source"]) else 0
    vessel, mmsi = vessel_of_rows(rows.offsets), rows.mmsi
    _sort_by_time(vessel, columns)
    claim_hashes = register.hashes()
    hashes = row_hashes(mmsi, vessel, columns, claim_hashes)
    keep, repeats, across = _order_ties(vessel, columns, hashes, claim_hashes, n_sources)
    digests = _digests(hashes, columns["source"], keep, n_sources)
    inside, outside = _within_span(columns, keep, span_us, n_sources)
    if not inside.all():
        vessel, keep = vessel[inside], keep[inside]
        columns = {name: column[inside] for name, column in columns.items()}
        mmsi, vessel = _heard(mmsi, vessel)
    tally = Tally(*digests, repeats, outside, across, _coverage(mmsi, vessel, columns))
    silent = np.flatnonzero(np.isnan(columns["lat"]) & (keep == _KEEP))
    said = (columns[name][silent] for name in ("time_us", "static", "draught"))
    statements = Statements(vessel[silent].astype(np.int64), *said)
    keep[silent] = _STATIC_ONLY
    dropped = np.flatnonzero(keep != _KEEP)
    vessel, columns = without(vessel, dropped), {name: without(column, dropped) for name, column in columns.items()}
    for column in columns.values():
        column.flags.writeable = False
    return TrackBlock(
        mmsi=mmsi,
        offsets=offsets_of(vessel, len(mmsi)),
        statements=statements,
        tally=tally,
        **columns,
    )


def _within_span(
    columns: Mapping[str, AnyArray], keep: npt.NDArray[np.int8], span_us: tuple[int, int], n_sources: int
) -> tuple[npt.NDArray[np.bool_], IntArray]:
    """Which rows lie within the span, and how many distinct ones of each file do not."""
    time: IntArray = columns["time_us"]
    inside = np.ones(len(time), dtype=np.bool_)
    if len(time) and (time.min() < span_us[0] or time.max() > span_us[1]):
        inside = (time >= span_us[0]) & (time <= span_us[1])
    return inside, np.bincount(columns["source"][~inside & (keep == _KEEP)], minlength=n_sources).astype(np.int64)


def _heard(mmsi: IntArray, vessel: npt.NDArray[np.int32]) -> tuple[IntArray, npt.NDArray[np.int32]]:
    """The vessels that have rows left, and for each row its place among them."""
    heard = np.bincount(vessel, minlength=len(mmsi)) > 0
    if heard.all():
        return mmsi, vessel
    return mmsi[heard], (np.cumsum(heard, dtype=np.int32) - 1)[vessel]


def _sort_by_time(vessel: npt.NDArray[np.int32], columns: dict[str, AnyArray]) -> None:
    """Put rows that stand out of order in their place, within each vessel.

    A row stands right if no row before it is later and none after it is earlier. Only the others are sorted, into the
    places that they hold between them.
    """
    time: IntArray = columns["time_us"]
    if not ((time[1:] < time[:-1]) & (vessel[1:] == vessel[:-1])).any():
        return
    base = int(time.min())
    span = int(time.max()) - base + 1
    if span * (int(vessel[-1]) + 1) < _INT64_LIMIT:
        key = vessel.astype(np.int64)
        key *= span
        key += time
        key -= base
        latest_before = np.maximum.accumulate(key)
        earliest_after = np.minimum.accumulate(key[::-1])[::-1]
        rows = np.flatnonzero((latest_before > key) | (earliest_after < key))
        order = rows[np.argsort(key[rows], kind="stable")]
    else:
        rows = np.arange(len(time))
        order = np.lexsort((time, vessel))
    for column in columns.values():
        column[rows] = column[order]


_INT64_LIMIT: Final = 1 << 62

_KEEP, _REPEAT, _REPEAT_ACROSS, _STATIC_ONLY = range(4)
_FEW: Final = 20_000
"""Up to so many gaps, copying what lies between them beats testing every row."""


def without(column: AnyArray, rows: npt.NDArray[np.integer]) -> AnyArray:
    """The column without these rows (ascending); itself if there are none."""
    if not len(rows):
        return column
    if len(rows) > _FEW:
        return np.delete(column, rows)
    begins, ends = [0, *(rows + 1).tolist()], [*rows.tolist(), len(column)]
    return np.concatenate(
        [column[begin:end] for begin, end in zip(begins, ends, strict=True) if begin < end] or [column[:0]]
    )


def _order_ties(
    vessel: npt.NDArray[np.int32],
    columns: dict[str, AnyArray],
    hashes: npt.NDArray[np.uint64],
    claim_hashes: npt.NDArray[np.uint64],
    n_sources: int,
) -> tuple[npt.NDArray[np.int8], IntArray, int]:
    """Order rows of one vessel and instant by what they say, in place; mark which repeat an earlier one."""
    time: IntArray = columns["time_us"]
    verdict = np.zeros(len(vessel), dtype=np.int8)
    repeats = np.zeros(n_sources, dtype=np.int64)
    same = (time[1:] == time[:-1]) & (vessel[1:] == vessel[:-1])
    if not same.any():
        return verdict, repeats, 0
    tied = np.zeros(len(vessel), dtype=np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    rows = np.flatnonzero(tied)
    source = columns["source"]
    order = rows[np.lexsort((source[rows], hashes[rows], time[rows], vessel[rows]))]
    order = _by_content(order, vessel, columns, hashes, claim_hashes)
    for column in columns.values():
        column[rows] = column[order]
    hashes[rows] = hashes[order]
    repeat = np.zeros(len(rows), dtype=np.bool_)
    repeat[1:] = (hashes[rows][1:] == hashes[rows][:-1]) & (np.diff(rows) == 1) & same[rows[1:] - 1]
    in_file = np.zeros(len(rows), dtype=np.bool_)
    in_file[1:] = repeat[1:] & (source[rows][1:] == source[rows][:-1])
    verdict[rows[repeat]] = _REPEAT_ACROSS
    verdict[rows[in_file]] = _REPEAT
    repeats += np.bincount(source[rows[in_file]], minlength=n_sources)
    return verdict, repeats, int((repeat & ~in_file).sum())


_CONTENT: Final = ("lon", "nav_status", "draught", "heading", "cog", "sog", "lat")
"""What orders different rows of one instant, last first: neither MMSI nor time, so that renaming a ship or shifting
time changes no order."""


def _by_content(
    order: npt.NDArray[np.intp],
    vessel: npt.NDArray[np.int32],
    columns: Mapping[str, AnyArray],
    hashes: npt.NDArray[np.uint64],
    claim_hashes: npt.NDArray[np.uint64],
) -> npt.NDArray[np.intp]:
    """Tied rows, sorted by vessel, time and hash, sorted again by what they say where an instant has different rows."""
    time, h, v = columns["time_us"][order], hashes[order], vessel[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (time[1:] != time[:-1]) | (v[1:] != v[:-1])
    instant = np.cumsum(new) - 1
    first = h[np.flatnonzero(new)]
    mixed = np.bincount(instant, weights=h != first[instant]) > 0
    at = np.flatnonzero(mixed[instant])
    rows = order[at]
    said = [columns[name][rows] for name in _CONTENT]
    order[at] = rows[np.lexsort((h[at], claim_hashes[columns["static"][rows]], *said, instant[at]))]
    return order


def _digests(
    hashes: npt.NDArray[np.uint64], source: AnyArray, verdict: npt.NDArray[np.int8], n_sources: int
) -> tuple[npt.NDArray[np.uint64], IntArray]:
    """Sum of the hashes of distinct rows, modulo 2^64, and their number, by file."""
    if (verdict == _REPEAT).any():
        hashes, source = hashes[verdict != _REPEAT], source[verdict != _REPEAT]
    total, number = np.zeros(n_sources, dtype=np.uint64), np.zeros(n_sources, dtype=np.int64)
    if len(source):
        starts = np.flatnonzero(np.concatenate([[True], source[1:] != source[:-1]]))
        np.add.at(total, source[starts], np.add.reduceat(hashes, starts))
        np.add.at(number, source[starts], np.diff(starts, append=len(source)))
    return total, number


def _coverage(mmsi: IntArray, vessel: npt.NDArray[np.int32], columns: Mapping[str, AnyArray]) -> pd.DataFrame:
    """First and last time of each vessel in each file."""
    source, time = columns["source"], columns["time_us"]
    if not len(vessel):
        return pd.DataFrame({"source": [], "mmsi": [], "first_us": [], "last_us": []}, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], (source[1:] != source[:-1]) | (vessel[1:] != vessel[:-1])]))
    ends = np.concatenate([starts[1:], [len(vessel)]]) - 1
    runs = pd.DataFrame(
        {"source": source[starts], "mmsi": mmsi[vessel[starts]], "first_us": time[starts], "last_us": time[ends]}
    )
    spans = runs.groupby(["mmsi", "source"], sort=True).agg({"first_us": "min", "last_us": "max"})
    return spans.reset_index()
