"""Port visits: stays in zones a ship can lie at, with what was seen of entry, stop, gap and exit.

Takes `Segments` and `Stays`; gives visits as row intervals and the tables `port_visits` and `zone_presences`. Of a stay
that had begun before its track's first report, what was known of it counts too. Whether a call matters is left to the
detectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, model_validator

from vessels.events.stays import Stays, range_reduce, rows_of_stays
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


def presences_table(
    segments: Segments,
    ids: Sequence[str],
    hull_ids: Sequence[str],
    zones: Zones,
    stays: Stays,
    parameters: StayParameters = DEFAULT_STAYS,
) -> pa.Table:
    """The `zone_presences` table: every stay in every zone."""
    slow_h = slow_hours(segments, parameters)
    sog = np.where(np.isnan(segments.sog), np.float32(np.inf), segments.sog)
    lowest = range_reduce(np.minimum, sog, stays.first, stays.last).astype(np.float64)
    mmsi, start, end, base = _common(segments, ids, hull_ids, zones, stays)
    lat, lon, _ = _mean_place(segments, stays, *rows_of_stays(stays))
    inner_first = np.minimum(stays.first + 1, stays.last)
    slow_inside = range_reduce(np.add, slow_h, inner_first, stays.last).astype(np.float64)
    slow_before = stays.before("slow_h", np.zeros(len(stays)))
    lowest = np.fmin(lowest, stays.before("min_sog_kn", np.full(len(stays), np.inf)))
    return ZONE_PRESENCES.build(
        {
            **base,
            "presence_id": _ids("presence", mmsi, base["zone_id"], stays, start),
            "start": start,
            "end": end,
            "n_positions": _n_positions(stays),
            "duration_h": np.round((end - start) / 3.6e9, 4),
            "slow_h": np.round(np.where(stays.last > stays.first, slow_inside, 0.0) + slow_before, 4),
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


@dataclass(frozen=True, slots=True)
class RowsInside:
    """All rows of some stays, stay by stay: number of the row and of its stay, whether the ship lies still there.

    In that zone: where fences overlap, in the smallest. `still_h` is the time it lay still since the row before.
    Shapes (r,).
    """

    row: IntArray
    of_stay: IntArray
    lies: npt.NDArray[np.bool_]
    still_h: FloatArray


def rows_inside(
    segments: Segments, zones: Zones, fence_set: npt.NDArray[np.int32], stays: Stays, parameters: StayParameters
) -> RowsInside:
    """The rows of stays in zones a ship can lie at, and when the ship lay still."""
    rows, of_stay = rows_of_stays(stays)
    lay = stays.before("lying", np.zeros(len(stays), dtype=np.bool_))
    stopped = _stopped(segments, rows, of_stay, lay, parameters)
    can_lie = np.array([zone.kind in VISIT_KINDS for zone in zones.zones], dtype=np.bool_)
    smallest = _smallest_port(zones, can_lie)[fence_set[rows]] if len(rows) else np.zeros(0, dtype=np.int64)
    here = stopped & ((smallest == stays.zone[of_stay]) | (smallest < 0))
    joined = here.copy()
    joined[1:] &= here[:-1] & (of_stay[1:] == of_stay[:-1])
    joined[:1] = False
    still_h = np.where(joined, segments.step_h[rows].astype(np.float64), 0.0)
    return RowsInside(rows, of_stay, here, still_h)


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
    inside = rows_inside(segments, zones, fence_set, stays, parameters)
    rows, of_stay, here = inside.row, inside.of_stay, inside.lies
    stop_h = np.bincount(of_stay, weights=inside.still_h, minlength=len(stays))
    stop_h = stop_h + stays.before("stop_h", np.zeros(len(stays)))
    lay = stays.before("lying", np.zeros(len(stays), dtype=np.bool_))
    has_stopped = (np.bincount(of_stay, weights=here, minlength=len(stays)) > 0) | (stop_h > 0) | lay
    after_first = np.minimum(first + 1, last)
    gap_h = range_reduce(np.maximum, segments.step_h, after_first, last).astype(np.float64)
    gap_h = np.maximum(np.where(last > first, gap_h, 0.0), stays.before("max_gap_h", np.zeros(len(stays))))
    entry = stays.before("entry_seen", first > segments.offsets[stays.segment])
    leave = last + 1 < segments.offsets[stays.segment + 1]
    has_stop = (stop_h >= parameters.min_stop_h) | (has_stopped & (_n_positions(stays) <= _SPARSE))
    has_stay = has_stop | (gap_h >= parameters.port_gap_h)
    confidence = np.where(has_stay, 2 + entry.astype(np.int8) + leave.astype(np.int8), 1).astype(np.int8)
    lat, lon, n_lying = _mean_place(segments, stays, rows[here], of_stay[here])
    all_lat, all_lon, _ = _mean_place(segments, stays, rows, of_stay)
    lat, lon = np.where(n_lying > 0, lat, all_lat), np.where(n_lying > 0, lon, all_lon)
    return Visits(stays, entry, leave, np.round(stop_h, 4), np.round(gap_h, 4), confidence, lat, lon)


def visit_ids(segments: Segments, zones: Zones, stays: Stays) -> list[str]:
    """An id for each visit: a hash of MMSI, zone and start. Shape (k,)."""
    mmsi = segments.mmsi[segments.vessel[stays.segment]].tolist()
    names = [zones.zones[z].zone_id for z in stays.zone.tolist()]
    return _ids("visit", mmsi, names, stays, stays.starts_us(segments))


def _ids(kind: str, mmsi: Sequence[int], zone_ids: Sequence[str], stays: Stays, start_us: IntArray) -> list[str]:
    """A hash of MMSI, zone and start; the id that a stay had before where it goes on."""
    ids = [make_id(kind, *key) for key in zip(mmsi, zone_ids, start_us.tolist(), strict=True)]
    if stays.begun is not None:
        known = stays.begun.visit_id if kind == "visit" else stays.begun.presence_id
        for i in np.flatnonzero(stays.earlier >= 0).tolist():
            ids[i] = known[stays.earlier[i]] or ids[i]
    return ids


def _n_positions(stays: Stays) -> IntArray:
    """Reports inside; the first row of a stay that went on was counted before. Shape (k,)."""
    before: IntArray = stays.before("n_positions", np.ones(len(stays), dtype=np.int64))
    return stays.last - stays.first + before


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
            "n_positions": _n_positions(stays),
            "lat": visits.lat,
            "lon": visits.lon,
            "draught_in_m": stays.before("draught_in_m", draught[stays.first]),
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
    return mmsi.tolist(), stays.starts_us(segments), segments.time_us[stays.last], base


def slow_hours(segments: Segments, parameters: StayParameters) -> npt.NDArray[np.float32]:
    """The time since the row before where a ship is slow, silences left out. Shape (n,)."""
    usual = segments.step_h < np.float32(parameters.port_gap_h)
    slow = usual & (np.nan_to_num(segments.sog, nan=np.inf) < parameters.slow_kn)
    return np.where(slow, segments.step_h, np.float32(0.0))


def _stopped(
    segments: Segments, rows: IntArray, of_stay: IntArray, lay: npt.NDArray[np.bool_], parameters: StayParameters
) -> npt.NDArray[np.bool_]:
    """Whether the ship lies still at each row: between falling under the one speed and rising over the other.

    `lay` says by stay whether it lay still before the first row.

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
    sure[first_of_stay & (sure == 0) & lay[of_stay]] = 1
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
