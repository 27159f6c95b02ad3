"""What can be told of a voyage over a change of number, when its reports are gone: measures from sketches and means.

Takes kept reports of each such voyage and the voyages as they were under each number; gives the measures of the
`voyages` table. Distance, speeds, stops, silences and night come from the kept reports (sketches: a real report in
about 20 minutes); what these cannot show (turning, reporting, status, instruments) is the mean of what was measured
under each number, weighed by the part of it that lies in the voyage. See docs/decisions/voyages-over-changes.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.chaining import Chains
from vessels.events.port_visits import port_sets
from vessels.instants import times_us
from vessels.legs import Legs, VoyageParameters
from vessels.segments import Segments, steps
from vessels.track import IntArray
from vessels.voyages import voyage_measures
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]

_MEANS: Final[Mapping[str, tuple[str, int]]] = {
    "interval_irregularity": ("duration_h", 4),
    "status_mismatch_share": ("moving_h", 4),
    "drift_angle_deg": ("moving_h", 2),
    "speed_residual_kn": ("moving_h", 3),
    "turning_deg_per_nmi": ("distance_nmi", 3),
}
"""Measures that sketches cannot show, what weighs each in the mean, and decimals."""
_MIN_STEP_H: Final = 5.0 / 60.0
"""Speed made good over less is noise: 100 m of error in 5 minutes are 0.6 kn. Source: judgement."""


class HullClock:
    """Instants of many hulls as integers that sort by (hull, instant), so that one search serves all hulls."""

    def __init__(self, hull: IntArray, time_us: IntArray) -> None:
        """`hull`, `time_us` (n,) sorted by (hull, time)."""
        self._times = np.unique(time_us)
        self._keys = self._key(hull, time_us, "left")

    def _key(self, hull: IntArray, time_us: IntArray, side: Any) -> IntArray:
        place: IntArray = hull * (len(self._times) + 1) + np.searchsorted(self._times, time_us, side=side)
        return place

    def first_at(self, hull: IntArray, time_us: IntArray) -> IntArray:
        """Row of the first instant of a hull at or after a time."""
        return np.searchsorted(self._keys, self._key(hull, time_us, "left"), side="left")

    def last_at(self, hull: IntArray, time_us: IntArray) -> IntArray:
        """Row of the last instant of a hull at or before a time."""
        return np.searchsorted(self._keys, self._key(hull, time_us, "right"), side="left") - 1


@dataclass(frozen=True, slots=True)
class HeardVoyages:
    """Voyages of linked tracks as they were, each under one number, in pieces without the silences of an absence.

    `table` has their rows. Piece columns (p,), sorted by (hull, start): `row` in the table, `hull`, `start_us`,
    `end_us`, and `share`, the part of the voyage's heard time that lies in the piece.
    """

    table: pa.Table
    row: IntArray
    hull: IntArray
    start_us: IntArray
    end_us: IntArray
    share: FloatArray

    def floats(self, name: str) -> FloatArray:
        """A column of the table by piece, NaN where null. Shape (p,)."""
        values: FloatArray = self.table[name].cast(pa.float64()).to_numpy()
        return values[self.row]


def heard_voyages(table: pa.Table, member: IntArray, chains: Chains) -> HeardVoyages:
    """The pieces of these rows of `voyages`, which belong to members of chains."""
    start, last = times_us(table["start"]), times_us(table["last_seen"])
    cuts = chains.absences_in(member, start, last)
    whole = np.setdiff1d(np.arange(len(member)), sorted(cuts))
    pieces: list[tuple[int, ...]] = []
    for row in sorted(cuts):
        edges = [int(start[row]), *(t for cut in cuts[row] for t in (cut.start_us, cut.end_us)), int(last[row])]
        pieces += [(row, *edge) for edge in zip(edges[::2], edges[1::2], strict=True)]
    cut = np.array(pieces, dtype=np.int64).reshape(-1, 3)
    of_piece = np.concatenate([whole, cut[:, 0]])
    begin, end = np.concatenate([start[whole], cut[:, 1]]), np.concatenate([last[whole], cut[:, 2]])
    heard = np.bincount(of_piece, weights=end - begin, minlength=len(member))[of_piece]
    share = np.divide(end - begin, heard, out=np.ones(len(of_piece)), where=heard > 0)
    hull = chains.hull[member[of_piece]]
    order = np.lexsort((of_piece, begin, hull))
    return HeardVoyages(table, of_piece[order], hull[order], begin[order], end[order], share[order])


@dataclass(frozen=True, slots=True)
class KeptReports:
    """Kept reports of voyages, each voyage's together and in order of time; `offsets` (k + 1,), the others (n,).

    `hull` (k,) is the voyage's hull.
    """

    offsets: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    hull: IntArray


def sketched_measures(
    kept: KeptReports, heard: HeardVoyages, zones: Zones, parameters: VoyageParameters
) -> dict[str, npt.NDArray[Any]]:
    """Measures of voyages from `distance_nmi` on, the draught's change left unknown, and `n_positions`. Each (k,)."""
    n = len(kept.hull)
    segments = _segments(kept, parameters.silence_h)
    every, first, last = np.arange(n), kept.offsets[:-1], kept.offsets[1:] - 1
    legs = Legs(every, first, last, np.full(n, -1), np.full(n, -1), first)
    fence_set = zones.index.lookup(kept.lat, kept.lon)
    in_port = port_sets(zones)[fence_set]
    measures = voyage_measures(segments, legs, in_port, np.full(len(kept.lat), np.nan), parameters)
    voyage, piece, share = _shared_time(kept, heard)
    for name, (weighed_by, decimals) in _MEANS.items():
        value, weight = heard.floats(name)[piece], np.nan_to_num(heard.floats(weighed_by)[piece]) * share
        weight = np.where(np.isnan(value), 0.0, weight)
        total = np.bincount(voyage, weights=weight, minlength=n)
        mean = np.bincount(voyage, weights=weight * np.nan_to_num(value), minlength=n)
        measures[name] = np.divide(mean, total, out=np.full(n, np.nan), where=total > 0).round(decimals)
    positions = np.bincount(voyage, weights=heard.floats("n_positions")[piece] * share, minlength=n)
    return {**measures, "n_positions": np.maximum(np.round(positions), 1).astype(np.int64)}


def _shared_time(kept: KeptReports, heard: HeardVoyages) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs of a voyage and a piece of the same hull that overlap, and what share of the old voyage they share."""
    begin, end = kept.time_us[kept.offsets[:-1]], kept.time_us[kept.offsets[1:] - 1]
    clock = HullClock(heard.hull, heard.start_us)
    high = clock.last_at(kept.hull, end) + 1
    low = _first_reaching(heard, kept.hull, begin)
    count = np.maximum(high - low, 0)
    voyage = np.repeat(np.arange(len(count)), count)
    piece = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(len(voyage))
    common = np.minimum(end[voyage], heard.end_us[piece]) - np.maximum(begin[voyage], heard.start_us[piece])
    length = heard.end_us[piece] - heard.start_us[piece]
    part = np.divide(common, length, out=np.ones(len(voyage)), where=length > 0)
    some = common >= 0
    return voyage[some], piece[some], (part * heard.share[piece])[some]


def _first_reaching(heard: HeardVoyages, hull: IntArray, time_us: IntArray) -> IntArray:
    """The first piece of a hull after which none that went before lasts up to a time."""
    times = np.unique(heard.end_us)
    scale = len(times) + 1
    latest = np.maximum.accumulate(heard.hull * scale + np.searchsorted(times, heard.end_us))
    result: IntArray = np.searchsorted(latest, hull * scale + np.searchsorted(times, time_us), side="left")
    return result


def _segments(kept: KeptReports, silence_h: float) -> Segments:
    """Kept reports as segments, one a voyage: places and times, speed made good, and nothing else."""
    n, n_voyages = len(kept.time_us), len(kept.hull)
    step_nmi, step_h = steps(kept.lat, kept.lon, kept.time_us, kept.offsets)
    unknown, none = np.full(n, np.nan, dtype=np.float32), np.zeros(n_voyages, dtype=np.int64)
    return Segments(
        mmsi=np.zeros(n_voyages, dtype=np.int64),
        vessel=np.arange(n_voyages),
        offsets=kept.offsets,
        time_us=kept.time_us,
        lat=kept.lat,
        lon=kept.lon,
        sog=_made_good_kn(step_nmi, step_h, kept.offsets, silence_h),
        cog=unknown,
        heading=unknown,
        draught=unknown,
        nav_status=np.full(n, -1, dtype=np.int8),
        static=np.zeros(n, dtype=np.int32),
        step_nmi=step_nmi,
        step_h=step_h,
        noise=none,
        n_alternations=none,
        max_separation_nmi=np.zeros(n_voyages),
        overlap_start_us=none,
        overlap_end_us=none,
    )


def _made_good_kn(
    step_nmi: npt.NDArray[np.float32], step_h: npt.NDArray[np.float32], offsets: IntArray, silence_h: float
) -> npt.NDArray[np.float32]:
    """Speed over the step behind; after too short a step that of the last good one, after a silence of the next one."""
    n = len(step_h)
    good = (step_h >= np.float32(_MIN_STEP_H)) & (step_h <= np.float32(silence_h))
    row, group = np.arange(n), np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    before = np.maximum.accumulate(np.where(good, row, -1)) if n else row
    after = np.minimum.accumulate(np.where(good, row, n)[::-1])[::-1] if n else row
    has_before = before >= offsets[:-1][group]
    has_after = after < offsets[1:][group]
    ahead = has_after & ((step_h > np.float32(silence_h)) | ~has_before)
    at = np.where(ahead, after, before)
    speed = np.divide(step_nmi, step_h, out=np.full(n, np.nan, dtype=np.float32), where=good)
    return np.where(ahead | has_before, speed[np.clip(at, 0, max(n - 1, 0))], np.float32(np.nan))
