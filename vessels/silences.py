"""Where tracks begin, end and fall silent, and their habits: what a link between two tracks is judged by.

Takes `Segments`; gives the columns of the `segments` table that say so, and the `silences` table. Whether a silence
means anything is left to others.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.geodesy import angle_between, bearing_deg
from vessels.parameters import Parameters
from vessels.schema import SILENCES
from vessels.segments import Segments
from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]


class SilenceParameters(Parameters):
    """Which silences within a track are kept for linking."""

    min_silence_h: float = Field(
        6.0,
        gt=0,
        le=8760,
        description="Shorter silences are not kept. Source: judgement; to sail anywhere under another identity and "
        "change back takes longer.",
    )
    habit_factor: float = Field(
        10.0,
        ge=1,
        le=1000,
        description="A silence is kept if it lasts so many times the track's median interval: a ship heard twice a day "
        "by satellite is not silent in between. Source: judgement.",
    )
    max_per_track: int = Field(
        8,
        ge=1,
        le=1000,
        description="No more than this many silences, the longest, and as many leaps of one track. Source: a bound on "
        "the work of linking.",
    )
    leap_nmi: float = Field(
        3.0,
        gt=0,
        le=100,
        description="A step is a leap if it goes so much farther than the speeds and courses at both ends explain. "
        "Source: three times the motion model's slack, clear of errors of position.",
    )
    leap_speed_factor: float = Field(
        1.5,
        ge=1,
        le=5,
        description="Speed between two reports over the speeds reported that is still explained. Source: the motion "
        "model's; a ship speeds up between reports.",
    )
    leap_course_share: float = Field(
        0.5,
        ge=0,
        le=5,
        description="A step also is a leap if dead reckoning from both ends misses by more than this share of the run "
        "and by leap_nmi. Source: judgement; half the run is a turn of 30 degrees at once, or half the speed.",
    )


DEFAULT_SILENCES: Final = SilenceParameters()
_MOVING_KN: Final = 3.0
"""Under way from here: moored and anchored class A sets report faster over 3 kn (ITU-R M.1371-5)."""
_MAX_CRUISE_KN: Final = 60.0
"""Faster than any ferry: an error."""
_SOON_ROWS: Final = 10
"""Static data follow positions within 6 minutes (ITU-R M.1371-5)."""
_MADE_GOOD_H: Final = np.float32(1.0)
"""Speed made good over a longer step says nothing of the moment."""


def segment_habits(segments: Segments, draught: FloatArray) -> dict[str, npt.NDArray[Any]]:
    """Columns of the `segments` table on habits and ends. Each of shape (s,).

    `draught` (n,) is the last draught claimed at or before each row of its track, NaN before the first.
    """
    n = len(segments.offsets) - 1
    first, last = segments.offsets[:-1], segments.offsets[1:] - 1
    sog, cog = motion_at(segments, np.concatenate([first, last]), np.repeat([1, 0], n))
    return {
        "median_interval_s": _median_interval_s(segments),
        "longest_interval_h": _longest_interval_h(segments),
        "cruise_kn": _cruise_kn(segments),
        "start_draught_m": _first_known(draught, segments),
        "end_draught_m": draught[last] if n else np.zeros(0),
        "start_sog_kn": sog[:n],
        "start_cog_deg": cog[:n],
        "end_sog_kn": sog[n:],
        "end_cog_deg": cog[n:],
    }


def _longest_interval_h(segments: Segments) -> FloatArray:
    """Longest time between reports by track; NaN for a track of one report. Shape (s,)."""
    if not len(segments):
        return np.zeros(0)
    longest = np.maximum.reduceat(segments.step_h, segments.offsets[:-1]).astype(np.float64).round(4)
    return np.where(np.diff(segments.offsets) > 1, longest, np.nan)


def _first_known(values: FloatArray, segments: Segments) -> FloatArray:
    """The first value of each track that is known, NaN if none is; once known, values stay known. Shape (s,)."""
    n = len(segments.offsets) - 1
    if not n:
        return np.zeros(0)
    unknown = np.add.reduceat(np.isnan(values).astype(np.int64), segments.offsets[:-1])
    place = np.minimum(segments.offsets[:-1] + unknown, segments.offsets[1:] - 1)
    return values[place]


def silences_table(
    segments: Segments, ids: Sequence[str], draught: FloatArray, parameters: SilenceParameters = DEFAULT_SILENCES
) -> pa.Table:
    """The `silences` table, in order of track and time. `draught` as in `segment_habits`."""
    silent, leaps = _silent_rows(segments, parameters), _leap_rows(segments, parameters)
    after = np.sort(np.concatenate([silent, leaps]))
    segment = np.searchsorted(segments.offsets, after, side="right") - 1
    before = after - 1
    soon = np.minimum(after + _SOON_ROWS, segments.offsets[1:][segment] - 1)
    sog, cog = motion_at(segments, np.concatenate([before, after]), np.repeat([0, 1], len(after)))
    n = len(after)
    return SILENCES.build(
        {
            "segment_id": pa.array(list(ids), pa.string()).take(pa.array(segment)),
            "mmsi": segments.mmsi[segments.vessel[segment]],
            "start": segments.time_us[before],
            "end": segments.time_us[after],
            "start_lat": segments.lat[before],
            "start_lon": segments.lon[before],
            "end_lat": segments.lat[after],
            "end_lon": segments.lon[after],
            "start_sog_kn": sog[:n],
            "start_cog_deg": cog[:n],
            "end_sog_kn": sog[n:],
            "end_cog_deg": cog[n:],
            "start_draught_m": draught[before],
            "end_draught_m": draught[soon],
            "is_leap": np.isin(after, leaps),
        }
    )


def _silent_rows(segments: Segments, parameters: SilenceParameters) -> IntArray:
    """Rows that end a long silence."""
    after = np.flatnonzero(segments.step_h >= np.float32(parameters.min_silence_h))
    if not len(after):
        return after
    segment = np.searchsorted(segments.offsets, after, side="right") - 1
    habit_h = _median_interval_s(segments)[segment] / 3600.0
    after = after[segments.step_h[after] >= parameters.habit_factor * habit_h]
    return _longest(segments, after, segments.step_h[after], parameters.max_per_track)


def _leap_rows(segments: Segments, parameters: SilenceParameters) -> IntArray:
    """Rows that end a leap: a short step that the speeds and courses reported at its ends do not explain.

    It goes too far for the speeds; or neither course and speed before nor those after lead to where it went.
    """
    after = np.flatnonzero(segments.step_nmi > np.float32(parameters.leap_nmi))
    after = after[segments.step_h[after] < np.float32(parameters.min_silence_h)]
    before = after - 1
    hours, apart = segments.step_h[after].astype(np.float64), segments.step_nmi[after].astype(np.float64)
    course = bearing_deg(segments.lat[before], segments.lon[before], segments.lat[after], segments.lon[after])
    excess = []
    for row in (before, after):
        run = segments.sog[row] * hours
        angle = np.radians(angle_between(segments.cog[row], course))
        astray = np.sqrt(np.maximum(run**2 + apart**2 - 2.0 * run * apart * np.cos(angle), 0.0))
        explained = parameters.leap_nmi + parameters.leap_speed_factor * run
        led = np.where(run > 0.0, astray - parameters.leap_course_share * run - parameters.leap_nmi, -np.inf)
        excess.append(np.stack([apart - explained, led]))
    # NaN, where a speed or a course is not known, is no excess.
    over = np.maximum(*np.minimum(*excess))
    leaps = over > 0.0
    return _longest(segments, after[leaps], over[leaps], parameters.max_per_track)


def _longest(segments: Segments, rows: IntArray, by: npt.NDArray[np.floating], most: int) -> IntArray:
    """Of each track's rows the few for which `by` is greatest, in order."""
    segment = np.searchsorted(segments.offsets, rows, side="right") - 1
    order = np.lexsort((rows, -by, segment))
    counts = np.bincount(segment, minlength=len(segments.offsets) - 1)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(rows[order[rank < most]])


def motion_at(segments: Segments, rows: IntArray, ahead: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Speed and course at rows: as reported, else made good over the step behind (or ahead where `ahead` is 1)."""
    sog = segments.sog[rows].astype(np.float64)
    cog = segments.cog[rows].astype(np.float64)
    segment = np.searchsorted(segments.offsets, rows, side="right") - 1
    step = rows + ahead
    inside = (step > segments.offsets[segment]) & (step < segments.offsets[segment + 1])
    step = np.where(inside, step, 0)
    hours = segments.step_h[step].astype(np.float64)
    usable = inside & (hours > 0) & (hours <= _MADE_GOOD_H)
    made_good = np.divide(segments.step_nmi[step], hours, out=np.full(len(rows), np.nan), where=usable)
    fill = np.isnan(sog) & usable
    sog = np.where(fill, made_good, sog)
    course = bearing_deg(
        segments.lat[np.maximum(step - 1, 0)],
        segments.lon[np.maximum(step - 1, 0)],
        segments.lat[step],
        segments.lon[step],
    )
    cog = np.where(np.isnan(cog) & usable & (made_good >= _MOVING_KN), course, cog)
    return np.round(sog, 2), np.round(cog, 1) % 360.0


def _median_interval_s(segments: Segments) -> FloatArray:
    """Median time between reports by track; NaN for a track of one report. Shape (s,)."""
    rows, track = _sample(segments)
    later = rows > segments.offsets[:-1][track]
    return _medians(track[later], segments.step_h[rows[later]].astype(np.float64) * 3600.0, segments).round(1)


def _cruise_kn(segments: Segments) -> FloatArray:
    """Median reported speed under way by track; NaN where none was reported. Shape (s,)."""
    rows, track = _sample(segments)
    sog = segments.sog[rows]
    moving = (sog >= _MOVING_KN) & (sog < _MAX_CRUISE_KN)
    return _medians(track[moving], sog[moving].astype(np.float64), segments).round(2)


_SAMPLED_ROWS: Final = 512
"""Rows of a track that its habits are read from: enough for a median to within a few per cent."""


def _sample(segments: Segments) -> tuple[IntArray, IntArray]:
    """Rows taken evenly from each track, and their tracks, in order."""
    sizes = np.diff(segments.offsets)
    stride = np.maximum(-(-sizes // _SAMPLED_ROWS), 1)
    counts = -(-sizes // stride)
    track = np.repeat(np.arange(len(sizes)), counts)
    place = np.arange(len(track)) - np.repeat(np.cumsum(counts) - counts, counts)
    return segments.offsets[:-1][track] + place * stride[track], track


def _medians(track: IntArray, values: FloatArray, segments: Segments) -> FloatArray:
    """The middle value of each track, the lower of two; `track` is sorted. NaN for a track without values. (s,)."""
    n = len(segments.offsets) - 1
    counts = np.bincount(track, minlength=n)
    ordered = values[np.lexsort((values, track))]
    some = np.flatnonzero(counts)
    out = np.full(n, np.nan)
    out[some] = ordered[(np.cumsum(counts) - counts)[some] + (counts[some] - 1) // 2]
    return out
