"""Gaps, raw: where a track falls silent for long, and where it ends, with the ship's habits.

Takes the `Segments` and `ShipHours` of a block; gives rows of the `gaps` table in which everything is null that needs
other ships, hulls or "now"; `gap_settling` fills these. A row without an end is the last report of a track: whether
that is a gap depends on how long ago it was, and on whether the hull was heard again elsewhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.event_tables import GAPS
from vessels.geodesy import distance_nmi
from vessels.motion import DEFAULT_MOTION
from vessels.parameters import Parameters
from vessels.reception.presence import ShipHours
from vessels.schema import make_id
from vessels.segments import Segments
from vessels.silences import motion_at
from vessels.track import IntArray
from vessels.units import US_PER_H

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
        description="A gap lasts at least so many times the track's median interval: a ship heard twice a day by "
        "satellite is not silent in between. Source: judgement, as for the silences that links are made from.",
    )
    min_reports: int = Field(
        10,
        ge=2,
        le=10_000,
        description="Tracks of fewer reports have no gaps: they show no habit to break. Source: judgement; a damaged "
        "number gives one report or two, a single satellite pass a handful.",
    )
    max_per_track: int = Field(
        16,
        ge=1,
        le=1000,
        description="No more than this many gaps, the longest, of one track, its end beside them. Source: a bound on "
        "work; ships heard by satellite alone have some hundred silences of hours a month.",
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
    `silences.segment_habits` gives. Work on half hours only: a step of hours ends at the first report of one.
    """
    within, other_h = _long_steps(segments, hours.slot_rows, habits, parameters)
    sizes = np.diff(segments.offsets)
    ended = np.flatnonzero(sizes >= parameters.min_reports)
    last = segments.offsets[1:][ended] - 1
    before = np.concatenate([within - 1, last])
    closes = np.arange(len(before)) < len(within)
    order = np.argsort(before, kind="stable")
    order = order[~_heard_on(segments, before[order], parameters)]
    before, closes = before[order], closes[order]
    other_h = np.concatenate([other_h, habits["longest_interval_h"][ended]])[order]
    track = np.searchsorted(segments.offsets, before, side="right") - 1
    after = np.where(closes, before + 1, before)
    soon = np.minimum(after + _SOON_ROWS, segments.offsets[1:][track] - 1)
    n = len(before)
    sog, cog = motion_at(segments, np.concatenate([before, after]), np.repeat([0, 1], n))
    lat, lon, time = segments.lat, segments.lon, segments.time_us
    mmsi = segments.mmsi[segments.vessel[track]]
    gone_nmi = distance_nmi(lat[before], lon[before], lat[after], lon[after])
    gap_h = segments.step_h[after].astype(np.float64)
    values: dict[str, Any] = dict.fromkeys(GAPS.names, pa.nulls(n))
    values |= {
        "event_id": _event_ids(mmsi, time[before]),
        "kind": pa.array(["gap"] * n, pa.string()),
        "mmsi": mmsi,
        "segment_id": pa.array(list(ids), pa.string()).take(pa.array(track)),
        "start": time[before],
        "end": pa.array(time[after], GAPS.arrow.field("end").type, mask=~closes),
        "start_lat": lat[before],
        "start_lon": lon[before],
        "end_lat": np.where(closes, lat[after], np.nan),
        "end_lon": np.where(closes, lon[after], np.nan),
        "duration_h": np.where(closes, np.round(gap_h, 4), np.nan),
        "distance_nmi": np.where(closes, np.round(gone_nmi, 3), np.nan),
        "start_sog_kn": sog[:n],
        "start_cog_deg": cog[:n],
        "end_sog_kn": np.where(closes, sog[n:], np.nan),
        "end_cog_deg": np.where(closes, cog[n:], np.nan),
        "start_draught_m": draught[before],
        "end_draught_m": np.where(closes, draught[soon], np.nan),
        "transceiver": pa.array(np.where(is_class_b[track], "B", "A"), pa.string()),
        "cruise_kn": habits["cruise_kn"][track],
        "fastest_kn": _fastest_kn(segments, hours.slot_rows)[track],
        "usual_interval_s": habits["median_interval_s"][track],
        "longest_usual_h": np.round(other_h, 4),
        "reports_per_heard_h": np.round(sizes[track] / np.maximum(hours.heard_h[track], 1), 3),
    }
    return GAPS.build(values)


def _event_ids(mmsi: IntArray, start_us: IntArray) -> list[str]:
    """A hash of MMSI and start, and of a number where two tracks of one MMSI fall silent at once."""
    seen: Counter[tuple[int, int]] = Counter()
    ids = []
    for key in zip(mmsi.tolist(), start_us.tolist(), strict=True):
        ids.append(make_id("gap", *key, *([seen[key]] if seen[key] else [])))
        seen[key] += 1
    return ids


def _long_steps(
    segments: Segments, slots: IntArray, habits: Mapping[str, npt.NDArray[Any]], parameters: GapParameters
) -> tuple[IntArray, FloatArray]:
    """Rows that end a gap, in order, and the longest other step of their track in hours."""
    hours = segments.step_h[slots].astype(np.float64)
    long = np.flatnonzero(hours >= parameters.min_gap_h)
    rows, hours = slots[long], hours[long]
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    usual_h = habits["median_interval_s"][track] / _S_PER_H
    enough = np.diff(segments.offsets)[track] >= parameters.min_reports
    gap = np.flatnonzero(enough & (hours >= parameters.habit_factor * usual_h))
    order = gap[np.lexsort((rows[gap], -hours[gap], track[gap]))]
    counts = np.bincount(track[order], minlength=len(segments.offsets) - 1)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.sort(order[rank < parameters.max_per_track])
    longest, second = _two_longest(segments, slots)
    other_h = np.where(hours[kept] >= longest[track[kept]], second[track[kept]], longest[track[kept]])
    return rows[kept], other_h


def _heard_on(segments: Segments, before: IntArray, parameters: GapParameters) -> BoolArray:
    """Whether the number was heard next on another track that had begun before, in reach of this one. Shape (n,).

    Positions thrown off and back make two tracks of one, of which now one and now the other is heard; a few reports are
    looked at, because the next may be thrown off itself.
    """
    out = np.zeros(len(before), dtype=np.bool_)
    track = np.searchsorted(segments.offsets, before, side="right") - 1
    several = np.bincount(segments.vessel, minlength=len(segments.mmsi)) > 1
    doubtful = np.flatnonzero(several[segments.vessel[track]])
    if not len(doubtful):
        return out
    of_row, time = segments.segment_of_rows, segments.time_us
    rows = np.flatnonzero(several[segments.vessel][of_row])
    rows = rows[np.lexsort((rows, time[rows], segments.vessel[of_row[rows]]))]
    place = np.empty(len(of_row), dtype=np.int64)
    place[rows] = np.arange(len(rows))
    own = before[doubtful]
    alone = np.ones(len(own), dtype=np.bool_)
    for ahead in range(1, _NEXT_ROWS + 1):
        following = rows[np.minimum(place[own] + ahead, len(rows) - 1)]
        other = of_row[following]
        alone &= (other != of_row[own]) & (segments.vessel[other] == segments.vessel[of_row[own]])
        beside = alone & (time[segments.offsets[:-1][other]] <= time[own])
        apart = distance_nmi(segments.lat[own], segments.lon[own], segments.lat[following], segments.lon[following])
        reach = DEFAULT_MOTION.slack_nmi + parameters.same_hull_kn * (time[following] - time[own]) / US_PER_H
        out[doubtful] |= beside & (apart <= reach)
    return out


def _two_longest(segments: Segments, slots: IntArray) -> tuple[FloatArray, FloatArray]:
    """The longest and the second longest step of each track in hours, as far as half hours show. Shapes (s,)."""
    hours = segments.step_h[slots].astype(np.float64)
    if not len(slots):
        return np.zeros(0), np.zeros(0)
    begins = np.searchsorted(slots, segments.offsets[:-1])
    longest = np.maximum.reduceat(hours, begins)
    at = np.flatnonzero(hours == np.repeat(longest, np.diff(begins, append=len(slots))))
    track = np.searchsorted(segments.offsets, slots[at], side="right") - 1
    hours[at[np.unique(track, return_index=True)[1]]] = 0.0
    return longest, np.maximum.reduceat(hours, begins)


def _fastest_kn(segments: Segments, slots: IntArray) -> FloatArray:
    """The highest speed kept up over two half hours by track, NaN where there are not so many. Shape (s,).

    Of three reports half an hour apart, the slowest of the three speeds between them counts: one wild report among
    them makes two speeds high, never all three.
    """
    out = np.full(len(segments.offsets) - 1, -np.inf)
    track = np.searchsorted(segments.offsets, slots, side="right") - 1
    first = np.flatnonzero(track[2:] == track[:-2]) if len(slots) > 2 else np.zeros(0, dtype=np.int64)
    speeds = [_speed_kn(segments, slots[first + a], slots[first + b]) for a, b in ((0, 1), (1, 2), (0, 2))]
    np.maximum.at(out, track[first], np.minimum.reduce(speeds))
    return np.where(np.isfinite(out), np.round(out, 2), np.nan)


def _speed_kn(segments: Segments, one: IntArray, other: IntArray) -> FloatArray:
    """Speed made good between rows."""
    hours = (segments.time_us[other] - segments.time_us[one]) / US_PER_H
    apart = distance_nmi(segments.lat[one], segments.lon[one], segments.lat[other], segments.lon[other])
    return np.divide(apart, hours, out=np.zeros(len(one)), where=hours > 0)
