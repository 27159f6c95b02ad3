"""Tracks broken at silences: what was sailed in sight of receivers, and what lies between, which nobody saw.

Takes the `tracks` and `gaps` tables of a run; gives `Part`s and `Unheard`s. A line is drawn through a part only; what
is unheard has two ends and no way between them. What becomes of them in a file is left to `detectors.exports.layers`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.explain import RowsBy
from detectors.run_tables import HEARD_H, OWN
from vessels.geodesy import distance_nmi
from vessels.instants import instant_us, times_us

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Row = Mapping[str, Any]
Spans = Sequence[tuple[int, int]]
"""Spans of time in microseconds, in order, none touching another."""
NEVER: Final[Mapping[tuple[str, int], Spans]] = MappingProxyType({})

LAY_NMI: Final = 0.1
"""Two reports within this (185 m, a ship's swing at anchor) are joined whatever the time between, unless the run has a
silence there: nothing sailed is shown by it. Source: judgement."""
THINNING_US: Final = 30 * 60 * 1_000_000
"""A silence may begin so long after the last report of `tracks`, which are thinned to one in 20 minutes."""
_US_PER_H: Final = 3.6e9
_READ: Final = (
    *("event_id", "mmsi", "segment_id", "start", "end", "start_lat", "start_lon", "end_lat", "end_lon"),
    *("reception", "next_mmsi"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Reports of one track with no silence among them. Arrays of shape (n,), in order of time; NaN where not sent."""

    voyage_id: str
    role: str
    mmsi: int
    segment_id: str
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog_kn: FloatArray
    draught_m: FloatArray


@dataclass(frozen=True, slots=True)
class Unheard:
    """Between two reports, or since the last: where a ship was not heard. `gap` is the run's silence, if it has one.

    `to` (lon, lat) and `end_us` are None while the silence goes on.
    """

    voyage_id: str
    role: str
    mmsi: int
    segment_id: str
    start_us: int
    end_us: int | None
    begun: tuple[float, float]
    to: tuple[float, float] | None
    gap: Row | None


def broken(
    tracks: pa.Table, gaps: pa.Table, shown: Mapping[tuple[str, int], Spans] = NEVER
) -> tuple[tuple[Part, ...], tuple[Unheard, ...]]:
    """The parts heard, and what lies between them, of all tracks of a table sorted as `run_tables.TRACKS` says.

    Ships that were met are in the table around findings only: `shown` says when, by voyage and MMSI, and what lies
    between two such times is left out, not unheard.
    """
    silences = RowsBy(gaps.select(_READ), "segment_id")
    parts: list[Part] = []
    unheard: list[Unheard] = []
    for track in _tracks(tracks):
        known = [row for row in silences.of(track.segment_id) if row["mmsi"] == track.mmsi]
        cuts = dict(_cuts(track, known))
        for begin, end in pairwise([0, *cuts, len(track.time_us)]):
            parts.append(_slice(track, begin, end))
        spans = None if track.role == OWN else shown.get((track.voyage_id, track.mmsi), ())
        unheard += (_between(track, at, gap) for at, gap in cuts.items() if gap or _is_shown(track, at, spans))
        unheard += _beyond(track, known, [gap for gap in cuts.values() if gap is not None])
    return tuple(parts), tuple(unheard)


def _tracks(table: pa.Table) -> Iterator[Part]:
    table = table.combine_chunks()
    time = times_us(table["timestamp"])
    lat, lon, sog, draught = (
        table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in ("lat", "lon", "sog", "draught")
    )
    keys = list(zip(*(table[name].to_pylist() for name in ("voyage_id", "role", "mmsi", "segment_id")), strict=True))
    begins = [i for i, (before, key) in enumerate(pairwise([None, *keys])) if before != key]
    for begin, end in pairwise([*begins, len(keys)]):
        voyage_id, role, mmsi, segment_id = keys[begin]
        rows = slice(begin, end)
        yield Part(voyage_id, role, mmsi, segment_id, time[rows], lat[rows], lon[rows], sog[rows], draught[rows])


def _slice(track: Part, begin: int, end: int) -> Part:
    rows = slice(begin, end)
    return replace(
        track,
        time_us=track.time_us[rows],
        lat=track.lat[rows],
        lon=track.lon[rows],
        sog_kn=track.sog_kn[rows],
        draught_m=track.draught_m[rows],
    )


def _cuts(track: Part, known: Iterable[Row]) -> Iterator[tuple[int, Row | None]]:
    """Rows before which the track is cut, in order, with the silence that the run has there."""
    time = track.time_us
    over: dict[int, Row] = {}
    for gap in known:
        if gap["end"] is None:
            continue
        # The first report at or after the end of the silence; the one before it lies at or before its start.
        at = int(np.searchsorted(time, instant_us(gap["end"]), side="left"))
        if 0 < at < len(time) and time[at - 1] <= instant_us(gap["start"]):
            over[at] = gap
    step_h = np.diff(time) / _US_PER_H
    moved = distance_nmi(track.lat[:-1], track.lon[:-1], track.lat[1:], track.lon[1:]) > LAY_NMI
    long = set((np.flatnonzero((step_h > HEARD_H) & moved) + 1).tolist())
    for at in sorted(long | set(over)):
        yield at, over.get(at)


def _is_shown(track: Part, at: int, spans: Spans | None) -> bool:
    """Whether the table would hold reports between report `at` and the one before, had there been any."""
    if spans is None:
        return True
    before, after = (int(track.time_us[i]) for i in (at - 1, at))
    return any(begin <= before and after <= end for begin, end in spans)


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """Spans of time in order, those that touch made one.

    >>> merged([(5, 9), (0, 2), (1, 4)])
    [(0, 4), (5, 9)]
    """
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined


def _between(track: Part, at: int, gap: Row | None) -> Unheard:
    """The silence before report `at`. It is drawn from report to report, so that it meets the parts."""
    (lon0, lat0), (lon1, lat1) = ((float(track.lon[i]), float(track.lat[i])) for i in (at - 1, at))
    start, end = (int(track.time_us[i]) for i in (at - 1, at))
    if gap is not None:
        start, end = instant_us(gap["start"]), instant_us(gap["end"])
    return Unheard(
        track.voyage_id, track.role, track.mmsi, track.segment_id, start, end, (lon0, lat0), (lon1, lat1), gap
    )


def _beyond(track: Part, known: Iterable[Row], taken: Iterable[Row]) -> Iterator[Unheard]:
    """Silences that begin on the track and do not end on it: open ones, and those after which the number changed."""
    seen = {gap["event_id"] for gap in taken}
    first, last = int(track.time_us[0]), int(track.time_us[-1])
    for gap in known:
        start = instant_us(gap["start"])
        if gap["event_id"] in seen or not first <= start <= last + THINNING_US:
            continue
        is_open = gap["end"] is None
        yield Unheard(
            track.voyage_id,
            track.role,
            track.mmsi,
            track.segment_id,
            start,
            None if is_open else instant_us(gap["end"]),
            (gap["start_lon"], gap["start_lat"]),
            None if is_open else (gap["end_lon"], gap["end_lat"]),
            gap,
        )
