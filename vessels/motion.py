"""The motion model: which positions under one MMSI one hull can have sailed.

Takes the positions of one vessel in order of time; gives the track each belongs to, -1 for noise, and how tracks were
on the air together. `vessels.segments` says for which vessels this is needed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from vessels.parameters import Parameters
from vessels.track import IntArray
from vessels.units import MEAN_EARTH_RADIUS_NMI, US_PER_H

FloatArray = npt.NDArray[np.float64]


class MotionModel(Parameters):
    """What a hull can do between two reports."""

    slack_nmi: float = Field(
        1.0,
        gt=0,
        le=50,
        description="Distance that errors of position and clock explain. Source: measured on 89,201 steps of "
        "MarineCadastre 2022-01-03: 99 % exceed reported speed x time by less than 0.007 nmi, the last 0.1 % by over "
        "1.4 nmi; "
        "message 27 is coarse by 0.1 nmi (ITU-R M.1371-5).",
    )
    floor_speed_kn: float = Field(
        30.0,
        gt=0,
        le=200,
        description="Speed any ship is allowed between two reports. Source: above the service speed of container ships "
        "(about 25 kn); faster craft report it.",
    )
    speed_factor: float = Field(
        1.5,
        ge=1,
        le=5,
        description="Allowed speed over reported speed. Source: judgement; a ship speeds up between reports.",
    )
    ceiling_speed_kn: float = Field(
        100.0,
        gt=0,
        le=500,
        description="No reported speed allows more than this. Source: the highest SOG the field can hold is 102.2 kn "
        "(ITU-R M.1371-5); no ship sails it.",
    )
    min_positions: int = Field(
        3,
        ge=1,
        le=1000,
        description="Tracks shorter than this beside a longer one are noise. Source: judgement; two points make "
        "no track that a third could contradict.",
    )
    lone_h: float = Field(
        24.0,
        gt=0,
        le=8760,
        description="A track silent for longer, while others under the number are heard, begins a new burst; bursts "
        "shorter than min_positions are noise. Source: measured, docs/segments.md.",
    )
    lone_reports: int = Field(
        10,
        ge=0,
        le=100_000,
        description="So many other reports in that silence show that the number was heard meanwhile. "
        "Source: measured, docs/segments.md.",
    )
    max_open_tracks: int = Field(
        32,
        ge=1,
        le=1000,
        description="Tracks kept open at once under one MMSI; beyond it the longest unheard is closed. "
        "Source: a bound on time for numbers such as 123456789, which thousands of sets send.",
    )

    @model_validator(mode="after")
    def _ceiling_over_floor(self) -> Self:
        if self.ceiling_speed_kn < self.floor_speed_kn:
            raise ValueError(
                f"ceiling_speed_kn {self.ceiling_speed_kn} is below floor_speed_kn {self.floor_speed_kn}; raise it"
            )
        return self


DEFAULT_MOTION: Final = MotionModel()
_SURE_H: Final = np.float32(1.0)
"""Over a longer time another hull could have come in reach; then the report is held against all open tracks."""


_NMI_PER_DEGREE: Final = math.radians(1.0) * MEAN_EARTH_RADIUS_NMI


@dataclass(slots=True)
class _Open:
    """An open track: where it was last, how fast (0 if unknown) and whither (NaN if unknown)."""

    number: int
    time_h: float
    lat: float
    lon: float
    sog: float
    cog: float


def _distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Haversine in nautical miles between two points; the scalar twin of `geodesy.distance_nmi`."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    a = math.sin((phi2 - phi1) / 2) ** 2
    a += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2.0 * MEAN_EARTH_RADIUS_NMI * math.asin(min(1.0, math.sqrt(a)))


def _away(track: _Open, time_h: float, lat: float, lon: float, sog: float, motion: MotionModel) -> float | None:
    """How far a position lies from where the track was last; None if the hull cannot have come so far."""
    speed = motion.speed_factor * max(track.sog, sog)
    allowed = min(max(speed, motion.floor_speed_kn), motion.ceiling_speed_kn)
    reach = motion.slack_nmi + allowed * (time_h - track.time_h)
    if abs(lat - track.lat) * _NMI_PER_DEGREE > reach:
        return None
    away = _distance(track.lat, track.lon, lat, lon)
    return None if away > reach else away


def _misfit(track: _Open, away: float, time_h: float, lat: float, lon: float) -> float:
    """How far a position lies from where the track was, or from where it was heading, whichever is nearer."""
    hours = time_h - track.time_h
    run = track.sog * hours / 60.0
    ahead_lat = track.lat + run * math.cos(math.radians(track.cog))
    if run <= 0.0 or not abs(ahead_lat) <= 90.0:  # no speed, no course, or over a pole
        return away
    ahead_lon = track.lon + run * math.sin(math.radians(track.cog)) / max(math.cos(math.radians(track.lat)), 0.01)
    return min(away, _distance(ahead_lat, ahead_lon, lat, lon))


def tracks_of_vessel(
    time_us: IntArray,
    lat: FloatArray,
    lon: FloatArray,
    sog: npt.NDArray[np.float32],
    cog: npt.NDArray[np.float32],
    step_nmi: npt.NDArray[np.float32],
    step_h: npt.NDArray[np.float32],
    motion: MotionModel,
    known: IntArray | None = None,
) -> npt.NDArray[np.int32]:
    """Track number of each row of one vessel, -1 for noise; numbers run in order of the first row. Shape (n,).

    Rows that surely continue the row before them go with it; only the first of each such run is held against the
    open tracks. Rows at which `known` (n,) is not -1 are each the last of a track known from before, with so many other
    reports after it that are not given: they open a track each, which is no noise.
    """
    known = np.full(len(time_us), -1) if known is None else known
    starts = _sure_runs(sog, step_nmi, step_h, known >= 0, motion)
    ends = np.concatenate([starts[1:], [len(time_us)]]) - 1
    hours = (time_us - time_us[0]) / US_PER_H
    firsts = (hours[starts], lat[starts], lon[starts], np.nan_to_num(sog[starts]))
    lasts = (hours[ends], lat[ends], lon[ends], np.nan_to_num(sog[ends]), cog[ends])
    number = np.empty(len(starts), dtype=np.int32)
    open_tracks: list[_Open] = []
    n_tracks = 0
    opens = (known[starts] >= 0).tolist()
    for i, (h, y, x, v, *last) in enumerate(zip(*(a.tolist() for a in (*firsts, *lasts)), strict=True)):
        reached = () if opens[i] else open_tracks
        near = [(t, away) for t in reached if (away := _away(t, h, y, x, v, motion)) is not None]
        if len(near) == 1:
            best = near[0][0]
        elif near:
            best = min(((_misfit(t, away, h, y, x), -t.time_h, t.number, t) for t, away in near))[3]
        else:
            if len(open_tracks) >= motion.max_open_tracks:
                open_tracks.remove(min(open_tracks, key=lambda t: (t.time_h, t.number)))
            best = _Open(n_tracks, h, y, x, v, 0.0)
            open_tracks.append(best)
            n_tracks += 1
        best.time_h, best.lat, best.lon, best.sog, best.cog = last
        number[i] = best.number
    found = np.repeat(number, ends - starts + 1)
    return _without_noise(found, time_us, known, motion)


def _without_noise(
    found: npt.NDArray[np.int32], time_us: IntArray, known: IntArray, motion: MotionModel
) -> npt.NDArray[np.int32]:
    """Track numbers with -1 for noise, numbered anew; rows in order of time. Shape (n,).

    A track falls into bursts where it is silent for long while others under the number are heard; bursts of fewer than
    `min_positions` are noise, unless there is nothing else. A row known from before stands for as many.
    """
    row = np.argsort(found, kind="stable")
    track, time = found[row], time_us[row]
    new = np.ones(len(row), dtype=np.bool_)
    silent = np.diff(time) > motion.lone_h * US_PER_H
    n_before = np.cumsum(known < 0)[row]
    heard = np.diff(n_before) + np.maximum(known[row[:-1]], 0)
    new[1:] = (track[1:] != track[:-1]) | (silent & (heard > motion.lone_reports))
    burst = np.cumsum(new) - 1
    sizes = np.bincount(burst, weights=np.where(known[row] >= 0, motion.min_positions, 1))
    few = sizes < motion.min_positions
    if few.all():
        return found
    kept = found.copy()
    kept[row[few[burst]]] = -1
    numbers = np.unique(kept[kept >= 0])
    return np.where(kept >= 0, np.searchsorted(numbers, kept), -1).astype(np.int32)


def _sure_runs(
    sog: npt.NDArray[np.float32],
    step_nmi: npt.NDArray[np.float32],
    step_h: npt.NDArray[np.float32],
    known: npt.NDArray[np.bool_],
    motion: MotionModel,
) -> IntArray:
    """First rows of runs whose every step is within the slack, or short in time and no faster than reported."""
    reported = np.zeros(len(sog), dtype=np.float32)
    reported[1:] = np.fmax(np.nan_to_num(sog[1:]), np.nan_to_num(sog[:-1]))
    reach = np.minimum(np.float32(motion.speed_factor) * reported, np.float32(motion.ceiling_speed_kn))
    within = step_nmi <= motion.slack_nmi + reach * step_h
    sure = (step_nmi <= motion.slack_nmi) | (within & (step_h <= _SURE_H))
    sure[0] = False
    sure[known] = False
    return np.flatnonzero(~sure)


def sharing_of(
    track: npt.NDArray[np.int32], time_us: IntArray, lat: FloatArray, lon: FloatArray
) -> Mapping[str, float]:
    """How tracks of one vessel were on the air together: changes to and fro, distance, first and last such time.

    A change from one track to another counts when the track left is heard again later.
    """
    rows = np.flatnonzero(track >= 0)
    track, time_us, lat, lon = track[rows], time_us[rows], lat[rows], lon[rows]
    if not len(track) or track.max() == 0:
        return {}
    last_heard = np.zeros(int(track.max()) + 1, dtype=np.int64)
    np.maximum.at(last_heard, track, time_us)
    change = np.flatnonzero(track[1:] != track[:-1])
    together = change[last_heard[track[change]] > time_us[change + 1]]
    if not len(together):
        return {}
    apart = [_distance(lat[i], lon[i], lat[i + 1], lon[i + 1]) for i in together.tolist()]
    return {
        "n_alternations": len(together),
        "max_separation_nmi": max(apart),
        "overlap_start_us": int(time_us[together[0]]),
        "overlap_end_us": int(time_us[together[-1] + 1]),
    }
