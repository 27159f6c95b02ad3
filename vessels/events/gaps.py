"""Gaps, raw: where a track falls silent for long, and where it ends, with the ship's habits.

Takes the `Segments` and `ShipHours` of a block; gives rows of the `gaps` table in which everything is null that needs
other ships, hulls or "now"; `gap_settling` fills these. The last report of a track is a row too: it ends with the next
report under its number, on the track `next_segment_id`, or not at all. Whether that is a gap depends on how long ago
it was, and on whether the hull was heard again under another number. `reception` is already unknown where the number
was heard on another track meanwhile.

Which silences count is told by what came before them alone, so that a gap once told stays told as data grow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.event_tables import GAPS
from vessels.events.context import Clock, event_ids
from vessels.geodesy import distance_nmi
from vessels.motion import DEFAULT_MOTION
from vessels.parameters import Parameters
from vessels.reception.presence import ShipHours
from vessels.segments import Segments
from vessels.silences import motion_at
from vessels.track import IntArray
from vessels.units import US_PER_H, US_PER_S

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class GapParameters(Parameters):
    """Which silences are gaps."""

    min_gap_h: float = Field(
        4.0,
        ge=1,
        le=8760,
        description="Shorter silences are no gaps. Source: judgement; Global Fishing Watch takes 12 h, but to sail "
        "from the Yellow Sea lanes to a watched coast and back takes less, and reception is weighed besides.",
    )
    habit_factor: float = Field(
        10.0,
        ge=1,
        le=1000,
        description="A gap lasts at least so many times the median interval of its track up to then: a ship heard "
        "twice a day by satellite is not silent in between. Source: judgement, as for the silences that links are "
        "made from.",
    )
    min_reports: int = Field(
        10,
        ge=2,
        le=10_000,
        description="A track has no gap before so many reports: it shows no habit to break. Source: judgement; a "
        "damaged number gives one report or two, a single satellite pass a handful.",
    )
    max_longer: int = Field(
        16,
        ge=1,
        le=1000,
        description="A silence is none if its track had so many as long or longer ones in the `window_days` before. "
        "Source: a bound on work; ships heard by satellite alone have some hundred silences of hours a month.",
    )
    window_days: float = Field(
        30.0,
        gt=0,
        le=366,
        description="Silences that began within this before another are held against it. Source: judgement; a month.",
    )
    same_hull_kn: float = Field(
        30.0,
        ge=0,
        le=200,
        description="If the next report under the number is on another track that was already there, and so near that "
        "this speed reaches it, the ship was not silent: its track was only drawn as two. Source: the motion model's "
        "floor speed.",
    )
    soon_h: float = Field(
        1.0,
        ge=0,
        le=48,
        description="Claims made within this after a gap are those after it. Source: static data follow positions "
        "within 6 minutes (ITU-R M.1371-5), by satellite at the next pass or two.",
    )
    draught_step_m: float = Field(
        0.3,
        gt=0,
        le=10,
        description="A draught changed if it differs by as much. Source: judgement; the field counts tenths of a "
        "metre, and trim and fuel change it by one or two.",
    )
    course_step_deg: float = Field(
        60.0,
        gt=0,
        le=180,
        description="A course changed if it differs by as much, under way before and after. Source: judgement, more "
        "than a lane bends in some hours.",
    )
    under_way_kn: float = Field(
        3.0,
        gt=0,
        le=20,
        description="Under way from this speed. Source: ITU-R M.1371-5 (moored or anchored ships report faster over "
        "3 kn).",
    )


DEFAULT_GAPS: Final = GapParameters()
_SOON_ROWS: Final = 10
"""Static data follow positions within 6 minutes (ITU-R M.1371-5)."""
_NEXT_ROWS: Final = 5
"""So many of the next reports under the number are looked at for the hull."""
_S_PER_H: Final = 3600.0
_H_PER_DAY: Final = 24.0
_HABIT_STEPS: Final = 101
"""A median interval is that of so many, spread evenly: it is known to a few per cent, and asked for to a tenth."""
_AT_ONCE: Final = 2_000_000


def gap_rows(
    segments: Segments,
    ids: Sequence[str],
    is_class_b: BoolArray,
    hours: ShipHours,
    draught: FloatArray,
    habits: Mapping[str, npt.NDArray[Any]],
    parameters: GapParameters = DEFAULT_GAPS,
) -> pa.Table:
    """Raw gaps within tracks and a row for each track's end, in order of track and time.

    `is_class_b` (s,); `draught` (n,) is the last claimed at or before each row, `habits` the columns that
    `silences.segment_habits` gives. `duration_h` of a track's end is what it must outlast to count, 0 as a rule.
    Work on half hours only: a step of hours ends at the first report of one.
    """
    before, closes, usual_s = _silences(segments, hours.slot_rows, parameters)
    least_h = _crowd_h(segments, before, closes, parameters)
    numbers = _Numbers.of(segments)
    gap_h = segments.step_h[np.minimum(before + 1, len(segments) - 1)].astype(np.float64)
    kept = (~closes | (gap_h > least_h)) & ~_heard_on(segments, numbers, before, parameters)
    before, closes, usual_s, least_h = before[kept], closes[kept], usual_s[kept], least_h[kept]
    track = _track_of(segments, before)
    again = numbers.next_on_other(segments, before)
    on_other = ~closes & (again >= 0)
    after = np.where(closes, before + 1, np.where(on_other, again, before))
    lat, lon, time = segments.lat, segments.lon, segments.time_us
    beside = closes & (again >= 0) & (time[again] < time[after])
    has_end = closes | on_other
    after_track = _track_of(segments, after)
    soon = np.minimum(after + _SOON_ROWS, segments.offsets[1:][after_track] - 1)
    n, sizes = len(before), np.diff(segments.offsets)
    sog, cog = motion_at(segments, np.concatenate([before, after]), np.repeat([0, 1], n))
    names = pa.array(list(ids), pa.string())
    mmsi = segments.mmsi[segments.vessel[track]]
    gone_nmi = distance_nmi(lat[before], lon[before], lat[after], lon[after])
    gap_h = (time[after] - time[before]) / US_PER_H
    values: dict[str, Any] = dict.fromkeys(GAPS.names, pa.nulls(n))
    values |= {
        "event_id": event_ids(["gap"] * n, mmsi, time[before]),
        "kind": pa.array(["gap"] * n, pa.string()),
        "mmsi": mmsi,
        "segment_id": names.take(pa.array(track)),
        "start": time[before],
        "end": pa.array(time[after], GAPS.arrow.field("end").type, mask=~has_end),
        "start_lat": lat[before],
        "start_lon": lon[before],
        "end_lat": np.where(has_end, lat[after], np.nan),
        "end_lon": np.where(has_end, lon[after], np.nan),
        "duration_h": np.where(closes, np.round(gap_h, 4), least_h),
        "distance_nmi": np.where(has_end, np.round(gone_nmi, 3), np.nan),
        "start_sog_kn": sog[:n],
        "start_cog_deg": cog[:n],
        "end_sog_kn": np.where(has_end, sog[n:], np.nan),
        "end_cog_deg": np.where(has_end, cog[n:], np.nan),
        "start_draught_m": draught[before],
        "end_draught_m": np.where(has_end, draught[soon], np.nan),
        "transceiver": pa.array(np.where(is_class_b[track], "B", "A"), pa.string()),
        "cruise_kn": habits["cruise_kn"][track],
        "fastest_kn": _fastest_kn(segments, hours.slot_rows)[track],
        "next_segment_id": names.take(pa.array(after_track, mask=~on_other)),
        "usual_interval_s": usual_s,
        "longest_usual_h": np.round(_other_h(segments, hours.slot_rows, before, closes, habits), 4),
        "reception": pa.array(np.full(n, "unknown"), pa.string(), mask=~beside),
        "reports_per_heard_h": np.round(sizes[track] / np.maximum(hours.heard_h[track], 1), 3),
    }
    return GAPS.build(values)


def _silences(segments: Segments, slots: IntArray, parameters: GapParameters) -> tuple[IntArray, BoolArray, FloatArray]:
    """Last rows before long steps and ends of tracks, in order; which end again; usual interval till then, in s."""
    long = slots[segments.step_h[slots] >= parameters.min_gap_h] - 1
    before = np.concatenate([long, segments.offsets[1:] - 1])
    closes = np.arange(len(before)) < len(long)
    order = np.argsort(before, kind="stable")
    before, closes = before[order], closes[order]
    begin = segments.offsets[_track_of(segments, before)]
    enough = before - begin + 1 >= parameters.min_reports
    before, closes, begin = before[enough], closes[enough], begin[enough]
    usual_s = _usual_s(segments, begin, before)
    hours = segments.step_h[np.minimum(before + 1, len(segments) - 1)].astype(np.float64)
    unusual = ~closes | (hours >= parameters.habit_factor * usual_s / _S_PER_H)
    return before[unusual], closes[unusual], usual_s[unusual]


def _usual_s(segments: Segments, begin: IntArray, last: IntArray) -> FloatArray:
    """The median interval from one row of a track to a later one, in seconds. Shape (n,)."""
    out = np.zeros(len(last))
    for low in range(0, len(last), _AT_ONCE // _HABIT_STEPS):
        part = slice(low, low + _AT_ONCE // _HABIT_STEPS)
        n_steps = (last - begin)[part]
        n = np.minimum(n_steps, _HABIT_STEPS)
        number = np.broadcast_to(np.arange(_HABIT_STEPS), (len(n), _HABIT_STEPS))
        inside = number < n[:, None]
        row = begin[part, None] + 1 + np.where(inside, number * n_steps[:, None] // n[:, None], 0)
        steps = np.sort(np.where(inside, segments.step_h[row], np.inf), axis=1)
        out[part] = steps[np.arange(len(n)), (n - 1) // 2]
    return np.round(out * _S_PER_H, 1)


def _crowd_h(segments: Segments, before: IntArray, closes: BoolArray, parameters: GapParameters) -> FloatArray:
    """Of as many of its track's gaps as are held against one, the shortest, in hours; 0 if there are fewer. (n,)."""
    out, most = np.zeros(len(before)), parameters.max_longer
    if not len(before):
        return out
    hours = np.where(closes, segments.step_h[np.minimum(before + 1, len(segments) - 1)], 0.0)
    track = _track_of(segments, before)
    at_s = (segments.time_us[before] - int(segments.time_us.min())) // US_PER_S
    window_s = int(parameters.window_days * _H_PER_DAY * _S_PER_H)
    span = int(at_s.max()) + 1
    low = np.searchsorted(track * span + at_s, track * span + np.maximum(at_s - window_s, 0))
    count = np.arange(len(before)) - low
    crowded = np.flatnonzero(count >= most)
    width = int(count.max())
    for first in range(0, len(crowded), max(_AT_ONCE // max(width, 1), 1)):
        part = crowded[first : first + max(_AT_ONCE // width, 1)]
        row = part[:, None] - 1 - np.arange(width)
        earlier = np.where(row >= low[part, None], hours[np.maximum(row, 0)], 0.0)
        out[part] = np.partition(earlier, width - most, axis=1)[:, width - most]
    return out


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Reports under numbers that have several tracks, sorted by (number, time): their rows, and a clock of these.

    `known` are the same rows in order, `place` where each stands in `rows`.
    """

    rows: IntArray
    clock: Clock
    known: IntArray
    place: IntArray

    @classmethod
    def of(cls, segments: Segments) -> "_Numbers":
        several = np.bincount(segments.vessel, minlength=len(segments.mmsi)) > 1
        known = np.flatnonzero(np.repeat(several[segments.vessel], np.diff(segments.offsets)))
        vessel = segments.vessel[_track_of(segments, known)]
        order = np.lexsort((known, segments.time_us[known], vessel))
        place = np.empty(len(known), dtype=np.int64)
        place[order] = np.arange(len(known))
        return cls(known[order], Clock(vessel[order], segments.time_us[known[order]]), known, place)

    def find(self, before: IntArray) -> tuple[IntArray, IntArray]:
        """Which of some rows are among these, and where they stand."""
        at = np.searchsorted(self.known, before)
        is_known = np.append(self.known, -1)[at] == before
        return np.flatnonzero(is_known), self.place[at[is_known]]

    def next_on_other(self, segments: Segments, before: IntArray) -> IntArray:
        """The next report under the number, later than each row, if it is on another track; else -1. Shape (n,)."""
        out = np.full(len(before), -1, dtype=np.int64)
        which, _ = self.find(before)
        own = _track_of(segments, before[which])
        at = self.clock.first_after(segments.vessel[own], segments.time_us[before[which]])
        row = self.rows[np.minimum(at, len(self.rows) - 1)]
        other = _track_of(segments, row)
        beside = (at < len(self.rows)) & (segments.vessel[other] == segments.vessel[own]) & (other != own)
        out[which] = np.where(beside, row, -1)
        return out


def _track_of(segments: Segments, row: IntArray) -> IntArray:
    """The track of each row."""
    return np.searchsorted(segments.offsets, row, side="right") - 1


def _heard_on(segments: Segments, numbers: _Numbers, before: IntArray, parameters: GapParameters) -> BoolArray:
    """Whether the number was heard next, and soon, on another track that had begun before, in reach. Shape (n,).

    Positions thrown off and back make two tracks of one, of which now one and now the other is heard; a few reports are
    looked at, because the next may be thrown off itself.
    """
    out = np.zeros(len(before), dtype=np.bool_)
    doubtful, place = numbers.find(before)
    time, rows, own = segments.time_us, numbers.rows, before[doubtful]
    own_track = _track_of(segments, own)
    alone = np.ones(len(own), dtype=np.bool_)
    for ahead in range(1, _NEXT_ROWS + 1):
        following = rows[np.minimum(place + ahead, len(rows) - 1)]
        other, waited_h = _track_of(segments, following), (time[following] - time[own]) / US_PER_H
        alone &= (other != own_track) & (segments.vessel[other] == segments.vessel[own_track])
        beside = alone & (time[segments.offsets[:-1][other]] <= time[own]) & (waited_h < parameters.min_gap_h)
        apart = distance_nmi(segments.lat[own], segments.lon[own], segments.lat[following], segments.lon[following])
        out[doubtful] |= beside & (apart <= DEFAULT_MOTION.slack_nmi + parameters.same_hull_kn * waited_h)
    return out


def _other_h(
    segments: Segments,
    slots: IntArray,
    before: IntArray,
    closes: BoolArray,
    habits: Mapping[str, npt.NDArray[Any]],
) -> FloatArray:
    """The longest other step of the track of each gap in hours. Shape (n,)."""
    track = _track_of(segments, before)
    longest, second = _two_longest(segments, slots)
    hours = segments.step_h[np.minimum(before + 1, len(segments) - 1)].astype(np.float64)
    within = np.where(hours >= longest[track], second[track], longest[track])
    return np.where(closes, within, habits["longest_interval_h"][track])


def _two_longest(segments: Segments, slots: IntArray) -> tuple[FloatArray, FloatArray]:
    """The longest and the second longest step of each track in hours, as far as half hours show. Shapes (s,)."""
    hours = segments.step_h[slots].astype(np.float64)
    if not len(slots):
        return np.zeros(0), np.zeros(0)
    begins = np.searchsorted(slots, segments.offsets[:-1])
    longest = np.maximum.reduceat(hours, begins)
    at = np.flatnonzero(hours == np.repeat(longest, np.diff(begins, append=len(slots))))
    track = _track_of(segments, slots[at])
    hours[at[np.unique(track, return_index=True)[1]]] = 0.0
    return longest, np.maximum.reduceat(hours, begins)


def _fastest_kn(segments: Segments, slots: IntArray) -> FloatArray:
    """The highest speed kept up over two half hours by track, NaN where there are not so many. Shape (s,).

    Of three reports half an hour apart, the slowest of the three speeds between them counts: one wild report among
    them makes two speeds high, never all three.
    """
    out = np.full(len(segments.offsets) - 1, -np.inf)
    track = _track_of(segments, slots)
    first = np.flatnonzero(track[2:] == track[:-2]) if len(slots) > 2 else np.zeros(0, dtype=np.int64)
    speeds = [_speed_kn(segments, slots[first + a], slots[first + b]) for a, b in ((0, 1), (1, 2), (0, 2))]
    np.maximum.at(out, track[first], np.minimum.reduce(speeds))
    return np.where(np.isfinite(out), np.round(out, 2), np.nan)


def _speed_kn(segments: Segments, one: IntArray, other: IntArray) -> FloatArray:
    """Speed made good between rows."""
    hours = (segments.time_us[other] - segments.time_us[one]) / US_PER_H
    apart = distance_nmi(segments.lat[one], segments.lon[one], segments.lat[other], segments.lon[other])
    return np.divide(apart, hours, out=np.zeros(len(one)), where=hours > 0)
