"""Paths sent again: a ship keeps to her own earlier track within metres, at one lag, reported at other instants.

Takes `Segments` and rows thinned in time; gives events of kind replay. Positions need not agree to the last digit, as
`replays` asks. Where a ship on the move comes by a place again, the time between is noted; a lag at which that happens
over and over is tried: the earlier track, moved by the lag, must lie under the later one. A ferry or liner keeps her
way but not the second, so that she is off by hundreds of metres; a ship at anchor is not on the move; one that drifts,
fishes or dredges is back at a place, but at no one lag; what agrees at several lags keeps a timetable. Tracks of one
number only.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.events.returns import DEFAULT_PATHS, Lag, PathParameters, TrackTimes, find_returns
from vessels.events.ways import NMI_PER_DEG
from vessels.geodesy import distance_nmi, unwrap_longitudes, wrap_degrees
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import METRES_PER_NMI, US_PER_H, US_PER_MIN, US_PER_S

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


_HEARD_H: Final = 1.0
"""Between reports farther apart her place is not known: drift and steaming are even for about so long."""
_ON_PATH: Final = 3.0
"""Reports within so many times `max_off_m` are on the path."""
_MISS: Final = 3.0
"""A report off the path outweighs so many on it where the path's ends are sought."""
_BESIDE_H: Final = 240.0
"""So long before and after the returns the path is followed."""
_MOST_REPORTS: Final = 2000
_FEW_REPORTS: Final = 40
"""Of so many a quarter lie on the path, or the lag is tried no further."""
_ROUNDS: Final = 4
"""Rounds in which the lag is made exact."""
_METRES_PER_DEG: Final = NMI_PER_DEG * METRES_PER_NMI
_OTHER_LAGS_H: Final = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)


def find_paths_again(segments: Segments, thinned: IntArray, p: PathParameters = DEFAULT_PATHS) -> list[OddPosition]:
    """All paths that a number sent again, in order of track and time. `thinned` as `thin_rows` gives them.

    Cost: a sort of the places of ships on the move, and that of the lags tried, a few hundred for a fleet's month.
    """
    if len(thinned) < p.min_reports:
        return []
    track = np.searchsorted(segments.offsets, thinned, side="right") - 1
    moving, lags = find_returns(segments, thinned, track, p)
    if not lags:
        return []
    rows, of_rows = thinned[moving], track[moving]
    found = []
    for lag in _likely(segments, rows, lags, _Way.of(segments, thinned, track), p):
        low, high = np.searchsorted(of_rows, [lag.late, lag.late + 1])
        event = _followed(segments, rows[low:high], lag, p)
        if event is not None:
            found.append(event)
    return oddest(_of_one_lag(found), p.max_per_track)


def _of_one_lag(found: list[OddPosition]) -> list[OddPosition]:
    """Those that repeat an earlier path once; what agrees at several lags goes by a timetable. Each path once."""
    kept: list[OddPosition] = []
    for one in sorted(found, key=lambda e: (-e.n_positions, e.segment, e.start_us, e.replayed_from_us or 0)):
        beside = [other for other in found if _overlap(one, other)]
        if all(abs(_lag_us(one) - _lag_us(other)) < US_PER_H for other in beside):
            kept += [] if any(_overlap(one, other) for other in kept) else [one]
    return kept


def _overlap(one: OddPosition, other: OddPosition) -> bool:
    return one.segment == other.segment and one.start_us <= other.end_us and one.end_us >= other.start_us


def _lag_us(event: OddPosition) -> int:
    return event.start_us - (event.replayed_from_us or 0)


def _likely(segments: Segments, rows: IntArray, lags: list[Lag], way: "_Way", p: PathParameters) -> list[Lag]:
    """The lags at which a quarter of a few reports lie on the earlier path, made exact. `rows`: those on the move."""
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    times, late = TrackTimes.of(track, segments.time_us[rows]), np.array([lag.late for lag in lags])
    low = times.place(late, np.array([lag.start_us for lag in lags]))
    high = times.place(late, np.array([lag.end_us for lag in lags]), "right") - 1
    few = rows[np.round(low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, _FEW_REPORTS)).astype(np.int64)]
    early = np.broadcast_to(np.array([lag.early for lag in lags])[:, None], few.shape)
    reports = (segments.time_us[few], segments.lat[few], segments.lon[few])
    lag_us = way.exact_lags_us(early, *reports, np.array([lag.lag_us for lag in lags]))
    off_m = np.nan_to_num(np.abs(way.ahead_m(early, *reports, lag_us)[0]), nan=np.inf)
    near = np.sort(off_m, axis=1)[:, _FEW_REPORTS // 4] <= _ON_PATH * p.max_off_m
    near &= np.abs(lag_us - [lag.lag_us for lag in lags]) <= 3 * p.tolerance_min * US_PER_MIN
    return [lags[i]._replace(lag_us=int(lag_us[i])) for i in np.flatnonzero(near).tolist()]


def _followed(segments: Segments, rows: IntArray, lag: Lag, p: PathParameters) -> OddPosition | None:
    """The path, if the reports `rows` of the later track lie on the earlier one for long enough."""
    time = segments.time_us[rows]
    beside = int(_BESIDE_H * US_PER_H)
    rows = rows[(time >= lag.start_us - beside) & (time <= lag.end_us + beside)]
    rows = rows[:: -(-len(rows) // _MOST_REPORTS) or 1]
    if len(rows) < p.min_reports:
        return None
    way = _Way.about(segments, lag)
    time, lat, lon = segments.time_us[rows], segments.lat[rows], segments.lon[rows]
    early, lag_us = np.zeros((1, len(rows)), np.int64), np.array([lag.lag_us])
    part = _on_path(np.abs(way.ahead_m(early, time[None], lat[None], lon[None], lag_us)[0][0]), p)
    if len(part) < p.min_reports:
        return None
    lag_us = way.exact_lags_us(early[:, part], time[None, part], lat[None, part], lon[None, part], lag_us)
    off_m = np.abs(way.ahead_m(early, time[None], lat[None], lon[None], lag_us)[0][0])
    part = _on_path(off_m, p)
    rows, time, lat, lon, off_m = rows[part], time[part], lat[part], unwrap_longitudes(lon[part]), off_m[part]
    if len(rows) < p.min_reports:
        return None
    residual = float(np.median(off_m))
    usual = _off_at_other_lags_m(way, time, lat, lon, int(lag_us[0]))
    hours = np.diff(time) / US_PER_H
    extent = np.hypot(np.ptp(lat), np.ptp(lon) * np.cos(np.radians(lat.mean()))) * NMI_PER_DEG
    if (
        residual > p.max_off_m
        or not usual >= p.min_contrast * residual
        or hours[hours <= _HEARD_H].sum() < p.min_path_h
        or extent < p.min_extent_nmi
    ):
        return None
    return between_rows(
        segments,
        "replay",
        int(rows[0]),
        int(rows[-1]),
        int(rows[-1] - rows[0] + 1),
        distance_nmi=float(distance_nmi(lat[1:], lon[1:], lat[:-1], lon[:-1]).sum()),
        residual_m=residual,
        usual_residual_m=usual,
        replayed_from_us=round(int(time[0] - lag_us[0]) / US_PER_S) * US_PER_S,
    )


def _on_path(off_m: FloatArray, p: PathParameters) -> IntArray:
    """The reports from where the path begins to where it ends, whose distance from it is known: those for which most
    are near it and fewest are not."""
    known = np.flatnonzero(np.isfinite(off_m))
    score = np.concatenate([[0.0], np.cumsum(np.where(off_m[known] <= _ON_PATH * p.max_off_m, 1.0, -_MISS))])
    last = int((score - np.minimum.accumulate(score)).argmax())
    return known[int(score[: last + 1].argmin()) : last]


def _off_at_other_lags_m(way: "_Way", time: IntArray, lat: FloatArray, lon: FloatArray, lag_us: int) -> float:
    """The least median distance from the earlier path at lags somewhat off; NaN where it is not known at any."""
    lags_us = lag_us + np.round(np.array(_OTHER_LAGS_H) * US_PER_H).astype(np.int64)
    early = np.zeros((len(lags_us), len(time)), np.int64)
    off_m = np.abs(way.ahead_m(early, time[None], lat[None], lon[None], lags_us)[0])
    known = np.isfinite(off_m)
    told = 2 * known.sum(axis=1) >= len(time)
    return min(
        (float(np.median(off[there])) for off, there in zip(off_m[told], known[told], strict=True)), default=np.nan
    )


class _Way(NamedTuple):
    """Tracks as they were sent first, to be asked where a ship was then. Reports have shape (m,), tracks (s,)."""

    times: TrackTimes
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    first: IntArray
    last: IntArray

    @classmethod
    def of(cls, segments: Segments, rows: IntArray, track: IntArray) -> "_Way":
        """Some rows of some tracks; `track` (m,) counts from 0 and rises."""
        time = segments.time_us[rows]
        first = np.searchsorted(track, np.arange(int(track[-1]) + 1))
        last = np.append(first[1:], len(rows)) - 1
        return cls(TrackTimes.of(track, time), time, segments.lat[rows], segments.lon[rows], first, last)

    @classmethod
    def about(cls, segments: Segments, lag: Lag) -> "_Way":
        """The reports of the earlier track about the time of the path, all of them."""
        begin, end = (int(row) for row in segments.offsets[lag.early : lag.early + 2])
        beside = int((_BESIDE_H + 2.0) * US_PER_H)
        about = (lag.start_us - lag.lag_us - beside, lag.end_us - lag.lag_us + beside)
        low, high = np.searchsorted(segments.time_us[begin:end], about)
        rows = np.arange(begin + max(int(low) - 1, 0), min(begin + int(high) + 1, end))
        return cls.of(segments, rows, np.zeros(len(rows), np.int64))

    def ahead_m(
        self, track: IntArray, time: IntArray, lat: FloatArray, lon: FloatArray, lag_us: IntArray
    ) -> tuple[ComplexArray, ComplexArray]:
        """How far reports are from the earlier place, in metres, and her motion there, in metres a second: north, and
        east as the imaginary part; NaN where the place is not known. Shapes (lags, reports)."""
        then = time - lag_us[:, None]
        first, last = self.first[track], self.last[track]
        after = np.clip(self.times.place(track, then), np.minimum(first + 1, last), last)
        before = np.maximum(after - 1, first)
        elapsed_s = (self.time_us[after] - self.time_us[before]) / US_PER_S
        known = (then >= self.time_us[first]) & (then <= self.time_us[last])
        known &= (elapsed_s > 0) & (elapsed_s <= _HEARD_H * 3600.0)
        narrow = np.cos(np.radians(lat))
        step = self.lat[after] - self.lat[before] + 1j * wrap_degrees(self.lon[after] - self.lon[before]) * narrow
        pace = np.divide(step, elapsed_s, out=np.full(step.shape, np.nan + 0j), where=known)
        gone_s = (then - self.time_us[before]) / US_PER_S
        off = lat - self.lat[before] + 1j * wrap_degrees(lon - self.lon[before]) * narrow - pace * gone_s
        return off * _METRES_PER_DEG, pace * _METRES_PER_DEG

    def exact_lags_us(
        self, track: IntArray, time: IntArray, lat: FloatArray, lon: FloatArray, lag_us: IntArray
    ) -> IntArray:
        """The lags near those given at which she keeps closest to the earlier path: the nearer half of the reports
        say by how much she is ahead or astern of it, a few times over. Shape (lags,)."""
        for _ in range(_ROUNDS):
            off, pace = self.ahead_m(track, time, lat, lon, lag_us)
            away = np.nan_to_num(np.abs(off), nan=np.inf)
            n_known = np.isfinite(away).sum(axis=1)
            middle = np.sort(away, axis=1)[np.arange(len(away)), np.maximum((n_known - 1) // 2, 0)]
            near = (away <= middle[:, None]) & np.isfinite(away)
            power = np.where(near, np.abs(pace) ** 2, 0.0).sum(axis=1)
            ahead = np.where(near, (off * pace.conj()).real, 0.0).sum(axis=1)
            ahead_s = np.divide(ahead, power, out=np.zeros(len(power)), where=power > 0.0)
            lag_us = lag_us - np.round(ahead_s * US_PER_S).astype(np.int64)
        return lag_us
