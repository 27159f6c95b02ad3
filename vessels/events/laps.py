"""Laps: the same way round and round for a day or longer, without a stop and at one speed.

Takes `Segments` and rows thinned in time; gives events of kind laps. Days on which a ship sails far and stays in a
small box are looked at; there the time of one lap is found, and how far the reports of each lap lie from the way of the
others. Ferries stop, fishing boats and ships that steam up and down vary their way, surveys and dredgers go over each
line once: none of them repeats a way to within a receiver's error, lap after lap, at one speed.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.events.ways import NMI_PER_DEG, from_edges_nmi
from vessels.geodesy import unwrap_longitudes
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import METRES_PER_NMI, US_PER_H

FloatArray = npt.NDArray[np.float64]


class LapParameters(Parameters):
    """When a ship goes round and round as by rule."""

    window_h: float = Field(
        12.0,
        gt=0,
        le=240,
        description="Spells of this length, and of four times it, are looked at for a far way in a small box. Source: "
        "judgement; half a day and two days.",
    )
    min_folds: float = Field(
        3.0,
        ge=1,
        le=100,
        description="Way sailed in a spell over the diagonal of its box, at least. Source: geometry; a lap of a square "
        "is 2.8 diagonals, a passage 1.",
    )
    min_speed_kn: float = Field(
        3.0,
        gt=0,
        le=30,
        description="Way made good between reports from this speed is under way. Source: ITU-R M.1371-5 (moored or "
        "anchored ships report faster over 3 kn).",
    )
    min_moving_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of the time under way, silences left out. Source: judgement; a ferry lies a tenth or more "
        "of her time at the quay.",
    )
    min_laps: int = Field(
        4, ge=3, le=100, description="So many laps. Source: judgement; three others to compare each lap with."
    )
    max_off_m: float = Field(
        20.0,
        gt=0,
        le=1000,
        description="A quarter of the reports lie no farther than this from the way of the other laps, in the median "
        "of these. Source: judgement; a receiver's error is about 5 m, helm and sea move a ship by tens to hundreds of "
        "metres between laps; reports seldom heard cut the corners, hence a quarter.",
    )
    max_speed_spread: float = Field(
        0.25,
        gt=0,
        le=2,
        description="Upper less lower quartile of the speed made good between reports, over its median. Source: "
        "measured, docs/positions.md: 0.1 to 0.2 on a drawn lap heard once in 45 minutes, whose corners are cut.",
    )
    max_silence_h: float = Field(
        3.0,
        gt=0,
        le=24,
        description="Reports farther apart are not joined to a way. Source: twice a satellite pass and more.",
    )
    max_per_track: int = Field(
        8, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_LAPS: Final = LapParameters()
_MOST_ROWS: Final = 1000
"""Reports of a stretch that its laps are measured by; a bound on the work, which grows with the square."""
_LAGS: Final = 400
_NEAR_LAP: Final = 0.35
"""Reports this share of a lap before or after one lap's time are looked at for where that lap led."""
_CLOSE: Final = 0.35
"""A time is a lap's if she is back, on the median, within this share of the least and the usual distance between."""
_LAPS_BESIDE: Final = 4
"""Each lap is compared with so many before it and after."""
_OTHER_LAPS: Final = 2
"""A report is compared with so many other laps or more."""


_SCALES: Final = (1, 4)
"""Windows looked at, in `window_h`."""
_ON_THE_WAY: Final = 25.0
"""Percentile of the distances from the other laps by which laps are judged."""


class _Stretch(NamedTuple):
    """Thinned reports of a stretch: rows, hours from its start, place."""

    rows: IntArray
    hours: FloatArray
    lat: FloatArray
    lon: FloatArray


class _Motion(NamedTuple):
    """Thinned rows: track, time since its start, place, way and time since the row before, and of these under way."""

    track: IntArray
    since_us: IntArray
    lat: FloatArray
    lon: FloatArray
    along_nmi: FloatArray
    heard_h: FloatArray
    moving_h: FloatArray


def find_laps(segments: Segments, thinned: IntArray, parameters: LapParameters = DEFAULT_LAPS) -> list[OddPosition]:
    """All stretches of laps, in order of track and time. `thinned` are rows in order; cost is theirs."""
    if len(thinned) < 2:
        return []
    motion = _motion(segments, thinned, parameters)
    stretches = [one for scale in _SCALES for one in _busy(motion, scale * parameters.window_h, parameters)]
    found = []
    for first, last in _united(stretches):
        rows = thinned[first : last + 1]
        event = _laps(segments, rows, parameters)
        if event is not None:
            found.append(event)
    return oddest(found, parameters.max_per_track)


def _united(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that overlap, as one."""
    united: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if united and first < united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], last))
        else:
            united.append((first, last))
    return united


def _motion(segments: Segments, thinned: IntArray, p: LapParameters) -> _Motion:
    """What the thinned rows say of her motion; silences are no part of it."""
    track = np.searchsorted(segments.offsets, thinned, side="right") - 1
    time = segments.time_us[thinned]
    along, hours = np.zeros(len(thinned)), np.zeros(len(thinned))
    along[1:] = np.add.reduceat(segments.step_nmi, thinned[:-1] + 1)
    hours[1:] = np.diff(time) / US_PER_H
    joined = np.zeros(len(thinned), dtype=np.bool_)
    joined[1:] = (track[1:] == track[:-1]) & (hours[1:] <= p.max_silence_h)
    along, hours = np.where(joined, along, 0.0), np.where(joined, hours, 0.0)
    return _Motion(
        track=track,
        since_us=time - segments.time_us[segments.offsets[:-1]][track],
        lat=segments.lat[thinned],
        lon=unwrap_longitudes(segments.lon[thinned]),
        along_nmi=along,
        heard_h=hours,
        moving_h=np.where(along >= p.min_speed_kn * hours, hours, 0.0),
    )


def _busy(motion: _Motion, window_h: float, p: LapParameters) -> list[tuple[int, int]]:
    """First and last place, among the thinned rows, of stretches in which she sails far in a small box.

    Half-windows counted from each track's start; two running are one window; windows that overlap are one stretch.
    """
    track, lat, lon = motion.track, motion.lat, motion.lon
    half = motion.since_us // int(window_h / 2 * US_PER_H)
    first = np.flatnonzero(np.concatenate([[True], (np.diff(half) != 0) | (np.diff(track) != 0)]))
    last = np.append(first[1:], len(track)) - 1
    sums = [np.add.reduceat(values, first) for values in (motion.along_nmi, motion.heard_h, motion.moving_h)]
    south, north = np.minimum.reduceat(lat, first), np.maximum.reduceat(lat, first)
    west, east = np.minimum.reduceat(lon, first), np.maximum.reduceat(lon, first)
    pair = np.flatnonzero((track[first[1:]] == track[first[:-1]]) & (half[first[1:]] == half[first[:-1]] + 1))
    nxt = pair + 1
    sailed, heard, under_way = (values[pair] + values[nxt] for values in sums)
    tall = np.maximum(north[pair], north[nxt]) - np.minimum(south[pair], south[nxt])
    wide = np.maximum(east[pair], east[nxt]) - np.minimum(west[pair], west[nxt])
    diagonal = np.hypot(tall, wide * np.cos(np.radians(south[pair]))) * NMI_PER_DEG
    busy = (sailed >= p.min_folds * diagonal) & (under_way >= p.min_moving_share * heard)
    busy &= (heard >= window_h / 2) & (sailed >= p.min_speed_kn * window_h / 2)
    pair = pair[busy]
    if not len(pair):
        return []
    start = np.flatnonzero(np.concatenate([[True], (np.diff(pair) > 1)]))
    stop = np.append(start[1:], len(pair)) - 1
    return list(zip(first[pair[start]].tolist(), last[pair[stop] + 1].tolist(), strict=True))


def _laps(segments: Segments, rows: IntArray, p: LapParameters) -> OddPosition | None:
    """The laps of one stretch, if there are any."""
    rows = rows[:: -(-len(rows) // _MOST_ROWS)]
    time = segments.time_us[rows]
    stretch = _Stretch(rows, (time - time[0]) / US_PER_H, segments.lat[rows], unwrap_longitudes(segments.lon[rows]))
    lap_h = _lap_h(stretch, p)
    if lap_h is None:
        return None
    off_m = _off_other_laps_m(stretch, lap_h, p)
    on_the_way = np.flatnonzero(off_m <= 3.0 * p.max_off_m)
    if len(on_the_way) < 2:
        return None
    a, b = int(on_the_way[0]), int(on_the_way[-1])
    residual = float(np.percentile(off_m[a : b + 1], _ON_THE_WAY))
    if residual > p.max_off_m or stretch.hours[b] - stretch.hours[a] < p.min_laps * lap_h:
        return None
    first, last = int(rows[a]), int(rows[b])
    steps = slice(first + 1, last + 1)
    hours = np.diff(stretch.hours[a : b + 1])
    sailed = np.add.reduceat(segments.step_nmi, rows[a:b] + 1, dtype=np.float64)
    sailed[-1] = segments.step_nmi[int(rows[b - 1]) + 1 : last + 1].sum(dtype=np.float64)
    usable = (hours > 0) & (hours <= p.max_silence_h)
    speeds = sailed[usable] / hours[usable]
    low, middle, high = np.percentile(speeds, [25, 50, 75])
    if high - low > p.max_speed_spread * middle:
        return None
    return between_rows(
        segments,
        "laps",
        first,
        last,
        last - first + 1,
        distance_nmi=float(segments.step_nmi[steps].sum(dtype=np.float64)),
        implied_speed_kn=float(middle),
        residual_m=residual,
        usual_residual_m=np.nan,
    )


def _lap_h(stretch: _Stretch, p: LapParameters) -> float | None:
    """The time of one lap: the shortest after which she is back, as nearly as after any; None if she never is."""
    whole = float(stretch.hours[-1])
    grid = np.linspace(0.0, whole, max(2, min(4 * len(stretch.hours), 2 * _MOST_ROWS)))
    lat, lon = np.interp(grid, stretch.hours, stretch.lat), np.interp(grid, stretch.hours, stretch.lon)
    lon = lon * np.cos(np.radians(float(stretch.lat.mean())))
    at = np.minimum(np.searchsorted(stretch.hours, grid), len(stretch.hours) - 1)
    known = (stretch.hours[at] - stretch.hours[np.maximum(at - 1, 0)]) <= p.max_silence_h
    lags = np.unique(np.linspace(1, len(grid) // p.min_laps, _LAGS).astype(np.int64))
    back = np.full(len(lags), np.inf)
    for place, lag in enumerate(lags.tolist()):
        both = known[lag:] & known[: len(grid) - lag]
        if both.any():
            away = np.hypot(lat[lag:] - lat[: len(grid) - lag], lon[lag:] - lon[: len(grid) - lag])
            back[place] = np.median(away[both])
    finite = np.flatnonzero(np.isfinite(back))
    if len(finite) < 3:
        return None
    usual, least = float(np.median(back[finite])), float(back[finite].min())
    risen = np.flatnonzero(back >= usual)
    if not len(risen):
        return None
    close = np.flatnonzero(back <= least + _CLOSE * (usual - least))
    close = close[close > risen[0]]
    if not len(close):
        return None
    ends = np.flatnonzero(np.diff(close) > 1)
    dip = close[: ends[0] + 1] if len(ends) else close
    best = dip[int(back[dip].argmin())]
    return float(grid[lags[best]])


def _off_other_laps_m(stretch: _Stretch, lap_h: float, p: LapParameters) -> FloatArray:
    """For each report the median, over the other laps, of its distance from their ways; inf where too few are known."""
    edge = np.flatnonzero(np.diff(stretch.hours) <= p.max_silence_h)
    edges = (stretch.lat[edge], stretch.lon[edge], stretch.lat[edge + 1], stretch.lon[edge + 1])
    laps_apart = (stretch.hours[edge][None, :] - stretch.hours[:, None]) / lap_h
    away = from_edges_nmi(stretch.lat, stretch.lon, *edges)
    off = []
    for lap in (k for k in range(-_LAPS_BESIDE, _LAPS_BESIDE + 1) if k != 0):
        of_lap = np.abs(laps_apart - lap) <= _NEAR_LAP
        off.append(np.where(of_lap, away, np.inf).min(axis=1, initial=np.inf))
    known = np.array(off)
    known[~np.isfinite(known)] = np.nan
    enough = (~np.isnan(known)).sum(axis=0) >= _OTHER_LAPS
    result = np.full(len(stretch.hours), np.inf)
    result[enough] = np.nanmedian(known[:, enough], axis=0) * METRES_PER_NMI
    return result
