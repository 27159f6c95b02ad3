"""Stays in zones: every presence inside a fence, and port visits with what was seen of entry, stop, gap and exit.

Takes `Segments` and `Zones`; gives row intervals and the tables `port_visits` and `zone_presences`. A stay begins with
the first report inside the fence and ends with the last before a report outside the widened fence, so that a ship
swinging at anchor on the border makes one visit. Whether a call matters is left to the detectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, model_validator

from vessels.geodesy import wrap_degrees
from vessels.parameters import Parameters
from vessels.schema import PORT_VISITS, ZONE_PRESENCES, make_id
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.zones import VISIT_KINDS, Zones

FloatArray = npt.NDArray[np.float64]


class StayParameters(Parameters):
    """When a ship inside a fence has stopped, fallen silent, or gone slow."""

    stop_begin_kn: float = Field(
        0.2, ge=0, le=5, description="A stop begins under this speed. Source: Global Fishing Watch, pipe-anchorages."
    )
    stop_end_kn: float = Field(
        0.5, ge=0, le=10, description="A stop ends over this speed. Source: Global Fishing Watch, pipe-anchorages."
    )
    min_stop_h: float = Field(
        0.5,
        ge=0,
        le=48,
        description="Shorter stops are no stay: locks, pilots, traffic. Source: judgement; half an hour is ten reports "
        "of a moored class A set (ITU-R M.1371-5: 3 minutes).",
    )
    port_gap_h: float = Field(
        4.0,
        gt=0,
        le=240,
        description="A silence this long inside a fence counts as a stay. "
        "Source: Global Fishing Watch, pipe-anchorages.",
    )
    slow_kn: float = Field(
        2.0,
        gt=0,
        le=10,
        description="Slow: too slow to be on passage. "
        "Source: Global Fishing Watch loitering and encounters (under 2 kn).",
    )

    @model_validator(mode="after")
    def _end_over_begin(self) -> Self:
        if self.stop_end_kn < self.stop_begin_kn:
            raise ValueError(f"stop_end_kn {self.stop_end_kn} is below stop_begin_kn {self.stop_begin_kn}; raise it")
        return self


DEFAULT_STAYS: Final = StayParameters()
_SPARSE: Final = 3
"""With so few reports inside, one stopped report shows a stay: its length cannot be told."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Intervals of rows inside a fence, sorted by (segment, first row, zone). All shapes (k,).

    Rows run from `first` to `last`, both included; `zone` indexes the zones.
    """

    zone: IntArray
    segment: IntArray
    first: IntArray
    last: IntArray

    def take(self, which: npt.NDArray[Any]) -> "Stays":
        """Some of the stays."""
        return Stays(self.zone[which], self.segment[which], self.first[which], self.last[which])

    def __len__(self) -> int:
        return len(self.zone)


def range_reduce(ufunc: np.ufunc, values: npt.NDArray[Any], first: IntArray, last: IntArray) -> npt.NDArray[Any]:
    """`ufunc` over values[first..last], both included, for each range; ranges must not be empty. Shape (k,)."""
    if not len(first):
        return np.zeros(0, dtype=values.dtype)
    if int(last.max()) + 1 >= len(values):
        values = np.concatenate([values, values[-1:]])
    bounds = np.empty(2 * len(first), dtype=np.int64)
    bounds[0::2], bounds[1::2] = first, last + 1
    result: npt.NDArray[Any] = ufunc.reduceat(values, bounds)[0::2]
    return result


def find_stays(segments: Segments, zones: Zones, fence_set: npt.NDArray[np.int32]) -> Stays:
    """All presences in all zones. `fence_set` (n,) is `zones.index.lookup` of the positions.

    Works on runs of rows with one set of fences: a stretch is a chain of runs inside the widened fence; the stay in it
    begins with the first run inside the fence itself.
    """
    n = len(segments)
    if not n:
        none = np.zeros(0, dtype=np.int64)
        return Stays(none, none, none, none)
    change = np.empty(n, dtype=np.bool_)
    change[0] = True
    np.not_equal(fence_set[1:], fence_set[:-1], out=change[1:])
    change[segments.offsets[:-1]] = True
    starts = np.flatnonzero(change)
    ends = np.concatenate([starts[1:], [n]]) - 1
    run_set = fence_set[starts]
    run_segment = np.searchsorted(segments.offsets, starts, side="right") - 1

    sets = zones.index.sets
    sizes = np.array([len(members) for members in sets], dtype=np.int64)
    members = np.array([fence for one in sets for fence in one], dtype=np.int64)
    base = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    repeat = sizes[run_set]
    run = np.repeat(np.arange(len(starts)), repeat)
    within = np.arange(len(run)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    fence = members[base[run_set[run]] + within]

    zone, is_inner = fence // 2, fence % 2 == 0
    outer = ~is_inner
    order = np.lexsort((run[outer], zone[outer]))
    zone_o, run_o = zone[outer][order], run[outer][order]
    inner_keys = np.sort(zone[is_inner] * len(starts) + run[is_inner])
    keys = zone_o * len(starts) + run_o
    inside = np.isin(keys, inner_keys, assume_unique=True)
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (
        (zone_o[1:] != zone_o[:-1])
        | (run_o[1:] != run_o[:-1] + 1)
        | (run_segment[run_o[1:]] != run_segment[run_o[:-1]])
    )
    stretch = np.cumsum(new) - 1
    entered = np.flatnonzero(inside)
    with_entry, first_inside = np.unique(stretch[entered], return_index=True)
    last_of_stretch = np.concatenate([np.flatnonzero(new)[1:], [len(keys)]]) - 1
    begin = run_o[entered[first_inside]]
    finish = run_o[last_of_stretch[with_entry]]
    stays = Stays(zone_o[entered[first_inside]], run_segment[begin], starts[begin], ends[finish])
    return stays.take(np.lexsort((stays.zone, stays.first, stays.segment)))


def presences_table(
    segments: Segments,
    ids: Sequence[str],
    hull_ids: Sequence[str],
    zones: Zones,
    stays: Stays,
    parameters: StayParameters = DEFAULT_STAYS,
) -> pa.Table:
    """The `zone_presences` table: every stay in every zone."""
    slow = _usual_steps(segments, parameters) & (np.nan_to_num(segments.sog, nan=np.inf) < parameters.slow_kn)
    slow_h = np.where(slow, segments.step_h, np.float32(0.0))
    sog = np.where(np.isnan(segments.sog), np.float32(np.inf), segments.sog)
    lowest = range_reduce(np.minimum, sog, stays.first, stays.last).astype(np.float64)
    mmsi, start, end, base = _common(segments, ids, hull_ids, zones, stays)
    lat, lon, _ = _mean_place(segments, stays, *_rows_of(stays))
    inner_first = np.minimum(stays.first + 1, stays.last)
    slow_inside = range_reduce(np.add, slow_h, inner_first, stays.last).astype(np.float64)
    return ZONE_PRESENCES.build(
        {
            **base,
            "presence_id": [
                make_id("presence", *key) for key in zip(mmsi, base["zone_id"], start.tolist(), strict=True)
            ],
            "start": start,
            "end": end,
            "n_positions": stays.last - stays.first + 1,
            "duration_h": np.round((end - start) / 3.6e9, 4),
            "slow_h": np.round(np.where(stays.last > stays.first, slow_inside, 0.0), 4),
            "min_sog_kn": np.where(np.isinf(lowest), np.nan, np.round(lowest, 2)),
            "lat": lat,
            "lon": lon,
        }
    )


@dataclass(frozen=True, slots=True)
class Visits:
    """Port visits as row intervals with what was seen of them. All shapes (k,)."""

    stays: Stays
    entry_seen: npt.NDArray[np.bool_]
    exit_seen: npt.NDArray[np.bool_]
    stop_h: FloatArray
    max_gap_h: FloatArray
    confidence: npt.NDArray[np.int8]
    lat: FloatArray
    lon: FloatArray


def find_visits(
    segments: Segments,
    zones: Zones,
    fence_set: npt.NDArray[np.int32],
    stays: Stays,
    parameters: StayParameters = DEFAULT_STAYS,
) -> Visits:
    """Visits among the stays: those in zones a ship can lie at, with confidence by what was seen.

    Confidence as Global Fishing Watch has it: 4 entry, exit and a stop or silence; 3 one of entry and exit with a stop
    or silence; 2 a stop or silence alone; 1 no stop or silence. Where fences overlap, a stop counts for the smallest.
    """
    can_lie = np.array([zone.kind in VISIT_KINDS for zone in zones.zones], dtype=np.bool_)
    stays = stays.take(can_lie[stays.zone]) if len(stays) else stays
    first, last = stays.first, stays.last
    rows, of_stay = _rows_of(stays)
    stopped = _stopped(segments, rows, of_stay, parameters)
    smallest = _smallest_port(zones, can_lie)[fence_set[rows]] if len(rows) else np.zeros(0, dtype=np.int64)
    here = stopped & ((smallest == stays.zone[of_stay]) | (smallest < 0))
    joined = here.copy()
    joined[1:] &= here[:-1] & (of_stay[1:] == of_stay[:-1])
    joined[:1] = False
    step_h = segments.step_h[rows].astype(np.float64)
    stop_h = np.bincount(of_stay, weights=np.where(joined, step_h, 0.0), minlength=len(stays))
    n_stopped = np.bincount(of_stay, weights=here, minlength=len(stays))
    after_first = np.minimum(first + 1, last)
    gap_h = range_reduce(np.maximum, segments.step_h, after_first, last).astype(np.float64)
    gap_h = np.where(last > first, gap_h, 0.0)
    entry = first > segments.offsets[stays.segment]
    leave = last + 1 < segments.offsets[stays.segment + 1]
    has_stop = (stop_h >= parameters.min_stop_h) | ((n_stopped > 0) & (last - first < _SPARSE))
    has_stay = has_stop | (gap_h >= parameters.port_gap_h)
    confidence = np.where(has_stay, 2 + entry.astype(np.int8) + leave.astype(np.int8), 1).astype(np.int8)
    lat, lon, n_lying = _mean_place(segments, stays, rows[here], of_stay[here])
    all_lat, all_lon, _ = _mean_place(segments, stays, rows, of_stay)
    lat, lon = np.where(n_lying > 0, lat, all_lat), np.where(n_lying > 0, lon, all_lon)
    return Visits(stays, entry, leave, np.round(stop_h, 4), np.round(gap_h, 4), confidence, lat, lon)


def visit_ids(segments: Segments, zones: Zones, stays: Stays) -> list[str]:
    """An id for each visit: a hash of MMSI, zone and start. Shape (k,)."""
    mmsi = segments.mmsi[segments.vessel[stays.segment]].tolist()
    start = segments.time_us[stays.first].tolist()
    names = [zones.zones[z].zone_id for z in stays.zone.tolist()]
    return [make_id("visit", *key) for key in zip(mmsi, names, start, strict=True)]


def visits_table(
    segments: Segments, ids: Sequence[str], hull_ids: Sequence[str], zones: Zones, visits: Visits, draught: FloatArray
) -> pa.Table:
    """The `port_visits` table. `draught` (n,) is the last draught claimed at or before each row, NaN if none."""
    stays = visits.stays
    _, start, end, base = _common(segments, ids, hull_ids, zones, stays)
    after = np.where(visits.exit_seen, stays.last + 1, stays.last)
    names = [zones.zones[z] for z in stays.zone.tolist()]
    return PORT_VISITS.build(
        {
            **base,
            "visit_id": visit_ids(segments, zones, stays),
            "zone_name": [zone.name for zone in names],
            "country": [zone.country for zone in names],
            "start": start,
            "end": pa.array(end, PORT_VISITS.arrow.field("end").type, mask=~visits.exit_seen),
            "confidence": visits.confidence,
            "entry_seen": visits.entry_seen,
            "exit_seen": visits.exit_seen,
            "stop_h": visits.stop_h,
            "max_gap_h": visits.max_gap_h,
            "last_seen": end,
            "n_positions": stays.last - stays.first + 1,
            "lat": visits.lat,
            "lon": visits.lon,
            "draught_in_m": draught[stays.first],
            "draught_out_m": draught[after],
        }
    )


def _common(
    segments: Segments, ids: Sequence[str], hull_ids: Sequence[str], zones: Zones, stays: Stays
) -> tuple[list[int], IntArray, IntArray, dict[str, Any]]:
    segment = stays.segment.tolist()
    mmsi = segments.mmsi[segments.vessel[stays.segment]]
    base: dict[str, Any] = {
        "hull_id": [hull_ids[s] for s in segment],
        "segment_id": [ids[s] for s in segment],
        "mmsi": mmsi,
        "zone_id": [zones.zones[z].zone_id for z in stays.zone.tolist()],
    }
    return mmsi.tolist(), segments.time_us[stays.first], segments.time_us[stays.last], base


def _usual_steps(segments: Segments, parameters: StayParameters) -> npt.NDArray[np.bool_]:
    return segments.step_h < np.float32(parameters.port_gap_h)


def _stopped(
    segments: Segments, rows: IntArray, of_stay: IntArray, parameters: StayParameters
) -> npt.NDArray[np.bool_]:
    """Whether the ship lies still at each row: between falling under the one speed and rising over the other.

    Where no speed is reported, the way made good since the row before tells; a track's first row then tells nothing.
    """
    sog = segments.sog[rows]
    unknown = np.isnan(sog)
    if unknown.any():
        nmi, hours = segments.step_nmi[rows[unknown]], segments.step_h[rows[unknown]]
        sog[unknown] = np.divide(nmi, hours, out=np.full(len(nmi), np.nan, dtype=np.float32), where=hours > 0)
    sure = np.where(sog < parameters.stop_begin_kn, 1, np.where(sog > parameters.stop_end_kn, -1, 0))
    first_of_stay = np.ones(len(rows), dtype=np.bool_)
    first_of_stay[1:] = of_stay[1:] != of_stay[:-1]
    known_at = np.where((sure != 0) | first_of_stay, np.arange(len(rows)), 0)
    result: npt.NDArray[np.bool_] = sure[np.maximum.accumulate(known_at)] == 1 if len(rows) else sure == 1
    return result


def port_sets(zones: Zones) -> npt.NDArray[np.bool_]:
    """For each set of fences whether a ship can lie in it. Shape (sets,)."""
    can_lie = [zone.kind in VISIT_KINDS for zone in zones.zones]
    return np.array([any(can_lie[f // 2] for f in one if f % 2 == 0) for one in zones.index.sets], dtype=np.bool_)


def _smallest_port(zones: Zones, can_lie: npt.NDArray[np.bool_]) -> IntArray:
    """For each set of fences the smallest zone in it that a ship can lie at, or -1. Shape (sets,)."""
    out = []
    for members in zones.index.sets:
        inner = [fence // 2 for fence in members if fence % 2 == 0 and can_lie[fence // 2]]
        out.append(min(inner, key=lambda z: (zones.areas[z], z)) if inner else -1)
    return np.array(out, dtype=np.int64)


def _rows_of(stays: Stays) -> tuple[IntArray, IntArray]:
    """All rows of all stays, and for each the number of its stay."""
    lengths = stays.last - stays.first + 1
    rows = np.repeat(stays.first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    return rows, np.repeat(np.arange(len(stays)), lengths)


def _mean_place(
    segments: Segments, stays: Stays, rows: IntArray, of_stay: IntArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Mean position of the given rows of each stay, across ±180° too, and their number; NaN where it has none."""
    number = np.bincount(of_stay, minlength=len(stays))
    begin = segments.lon[stays.first]
    east = wrap_degrees(segments.lon[rows] - begin[of_stay])
    none = np.full(len(stays), np.nan)
    means = [
        np.divide(np.bincount(of_stay, weights=v, minlength=len(stays)), number, out=none.copy(), where=number > 0)
        for v in (segments.lat[rows], east)
    ]
    return np.round(means[0], 6), np.round(wrap_degrees(means[1] + begin), 6), number
