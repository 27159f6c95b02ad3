"""Voyages: port visit to port visit of one hull, with the measures that a mariner would ask for.

Takes `Segments` and `Visits`; gives the rows of each voyage and the `voyages` table. A voyage starts with the last
report in the port it left and ends with the first report in the port it reached; either may be unknown, and a voyage
without an arrival is open. Whether a measure is unusual is left to the detectors.

Measures of motion come from reports thinned to one in ten minutes, so that they mean the same for ten-second and for
ten-minute data; silences and report intervals come from every report.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.ais import AT_ANCHOR, MOORED
from vessels.events.port_visits import Visits
from vessels.events.stays import range_reduce
from vessels.geodesy import angle_between, distance_nmi
from vessels.legs import DEFAULT_VOYAGES, Legs, VoyageParameters
from vessels.schema import VOYAGES, make_id
from vessels.segments import Segments, steps
from vessels.thinning import thin_rows
from vessels.track import IntArray
from vessels.units import US_PER_H
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]


_SPEED_BIN_KN: Final = 0.5
_SPEED_BINS: Final = 120
_DAY_BEGINS_H, _DAY_ENDS_H = 6.0, 18.0


def voyages_table(
    segments: Segments,
    ids: Sequence[str],
    hull_ids: Sequence[str],
    zones: Zones,
    visits: Visits,
    visit_names: Sequence[str],
    legs: Legs,
    in_port: npt.NDArray[np.bool_],
    draught: FloatArray,
    parameters: VoyageParameters = DEFAULT_VOYAGES,
) -> pa.Table:
    """The `voyages` table. `in_port` (n,) marks rows inside a fence a ship can lie at; `draught` as in visits_table."""
    mmsi = segments.mmsi[segments.vessel[legs.segment]]
    start, last_seen = segments.time_us[legs.first], segments.time_us[legs.last]
    is_open = legs.destination < 0
    zone_ids = [zones.zones[z].zone_id for z in visits.stays.zone.tolist()]
    pick = [[None if v < 0 else n[v] for v in which.tolist()] for n, which in _endpoints(zone_ids, visit_names, legs)]
    return VOYAGES.build(
        {
            "voyage_id": voyage_ids(mmsi, start),
            "hull_id": [hull_ids[s] for s in legs.segment.tolist()],
            "segment_id": [ids[s] for s in legs.segment.tolist()],
            "mmsi": mmsi,
            "start": start,
            "end": pa.array(last_seen, VOYAGES.arrow.field("end").type, mask=is_open),
            "is_open": is_open,
            "origin": pick[0],
            "destination": pick[1],
            "origin_visit_id": pick[2],
            "destination_visit_id": pick[3],
            "last_seen": last_seen,
            "span_start": segments.time_us[legs.span_first],
            "span_end": _span_ends(segments, legs),
            "n_positions": legs.last - legs.first + 1,
            "start_lat": segments.lat[legs.first],
            "start_lon": segments.lon[legs.first],
            "end_lat": segments.lat[legs.last],
            "end_lon": segments.lon[legs.last],
            **voyage_measures(segments, legs, in_port, draught, parameters),
        }
    )


def voyage_ids(mmsi: IntArray, start_us: IntArray) -> list[str]:
    """A hash of MMSI and start; of the place in the table too where two hulls start at once under one MMSI."""
    seen: Counter[tuple[int, int]] = Counter()
    ids = []
    for key in zip(mmsi.tolist(), start_us.tolist(), strict=True):
        ids.append(make_id("voyage", *key, *([seen[key]] if seen[key] else [])))
        seen[key] += 1
    return ids


def _endpoints(zone_ids: Sequence[str], visit_names: Sequence[str], legs: Legs) -> list[tuple[Sequence[str], IntArray]]:
    return [
        (zone_ids, legs.origin),
        (zone_ids, legs.destination),
        (visit_names, legs.origin),
        (visit_names, legs.destination),
    ]


def _span_ends(segments: Segments, legs: Legs) -> IntArray:
    """The last instant that belongs to each voyage: up to the next one's, or the end of the segment."""
    ends = segments.time_us[segments.offsets[1:] - 1][legs.segment]
    follows = np.flatnonzero(legs.segment[1:] == legs.segment[:-1])
    ends[follows] = segments.time_us[legs.span_first[follows + 1]]
    return ends


def voyage_measures(
    segments: Segments,
    legs: Legs,
    in_port: npt.NDArray[np.bool_],
    draught: FloatArray,
    parameters: VoyageParameters = DEFAULT_VOYAGES,
) -> dict[str, npt.NDArray[Any]]:
    """The columns of the `voyages` table from `distance_nmi` on, by leg. `in_port`, `draught` as in `voyages_table`."""
    out: dict[str, npt.NDArray[Any]] = _interval_measures(segments, legs, parameters)
    hours = (segments.time_us[legs.last] - segments.time_us[legs.first]) / US_PER_H
    out["duration_h"] = np.round(hours, 4)
    out["silence_share"] = np.round(np.divide(out["silence_share"], hours, out=np.zeros(len(legs)), where=hours > 0), 4)
    out["draught_change_m"] = np.round(draught[legs.last] - draught[legs.first], 2)
    out.update(_motion_measures(segments, legs, in_port, parameters))
    apart = distance_nmi(
        segments.lat[legs.first], segments.lon[legs.first], segments.lat[legs.last], segments.lon[legs.last]
    )
    far = apart >= parameters.short_voyage_nmi
    out["detour_ratio"] = np.round(np.where(far, out["distance_nmi"] / np.where(far, apart, 1.0), np.nan), 4)
    return out


def _interval_measures(segments: Segments, legs: Legs, parameters: VoyageParameters) -> dict[str, npt.NDArray[Any]]:
    """Measures of the intervals between all reports."""
    some = legs.last > legs.first
    first, last = np.minimum(legs.first + 1, legs.last), legs.last
    longest = np.where(some, range_reduce(np.maximum, segments.step_h, first, last).astype(np.float64), 0.0)
    silent = np.where(segments.step_h > np.float32(parameters.silence_h), segments.step_h, np.float32(0.0))
    silence = np.where(some, range_reduce(np.add, silent.astype(np.float64), first, last), 0.0)
    log = np.log(np.maximum(segments.step_h, np.float32(1.0 / 3600.0))).astype(np.float64)
    n = np.where(some, last - first + 1, 0)
    mean = np.divide(range_reduce(np.add, log, first, last), n, out=np.zeros(len(legs)), where=n > 0)
    square = np.divide(range_reduce(np.add, log * log, first, last), n, out=np.zeros(len(legs)), where=n > 0)
    irregular = np.where(n >= 2, np.sqrt(np.maximum(square - mean * mean, 0.0)), np.nan)
    return {
        "longest_silence_h": np.round(longest, 4),
        "silence_share": silence,
        "interval_irregularity": np.round(irregular, 4),
    }


def _motion_measures(
    segments: Segments, legs: Legs, in_port: npt.NDArray[np.bool_], parameters: VoyageParameters
) -> dict[str, npt.NDArray[Any]]:
    """Measures of motion, from thinned rows; a leg takes the steps that end inside it."""
    keep = np.zeros(len(segments), dtype=np.bool_)
    for rows in (thin_rows(segments, parameters.thin_min), legs.first, legs.last):
        keep[rows] = True
    kept = np.flatnonzero(keep)
    groups = np.searchsorted(kept, segments.offsets)
    time, lat, lon = segments.time_us[kept], segments.lat[kept], segments.lon[kept]
    step_nmi, step_h = (a.astype(np.float64) for a in steps(lat, lon, time, groups))
    sog = segments.sog[kept].astype(np.float64)
    implied = np.divide(step_nmi, step_h, out=np.full(len(kept), np.nan), where=step_h > 0)
    sog = np.where(np.isnan(sog), implied, sog)
    heard = step_h <= parameters.silence_h
    moving = sog >= parameters.moving_kn
    slow = (sog < parameters.slow_kn) & ~in_port[kept]
    solar_h = (time / US_PER_H + lon / 15.0) % 24.0
    night = (solar_h < _DAY_BEGINS_H) | (solar_h >= _DAY_ENDS_H)
    course, heading = segments.cog[kept].astype(np.float64), segments.heading[kept].astype(np.float64)
    turn = np.zeros(len(kept))
    turn[1:] = angle_between(course[1:], course[:-1])
    both_moving = moving.copy()
    both_moving[1:] &= moving[:-1]
    turned = both_moving & heard & np.isfinite(turn) & (step_nmi > 0)
    drift = angle_between(heading, course)
    drifting = moving & np.isfinite(drift)
    mean_sog = sog.copy()
    mean_sog[1:] = (sog[1:] + sog[:-1]) / 2.0
    residual = np.abs(mean_sog - implied)
    compared = heard & np.isfinite(residual)
    status = segments.nav_status[kept]
    lying = moving & ((status == MOORED) | (status == AT_ANCHOR))

    first, last = np.searchsorted(kept, legs.first), np.searchsorted(kept, legs.last)
    some, begin = last > first, np.minimum(first + 1, last)

    def total(values: npt.NDArray[Any]) -> FloatArray:
        sums: FloatArray = range_reduce(np.add, np.nan_to_num(values.astype(np.float64)), begin, last)
        sums[~some] = 0.0
        return sums

    def share(part: npt.NDArray[Any], whole: npt.NDArray[Any], digits: int = 4) -> FloatArray:
        below = total(whole)
        ratio: FloatArray = np.divide(total(part), below, out=np.full(len(legs), np.nan), where=below > 0)
        return ratio.round(digits)

    moving_h = step_h * (moving & heard)
    speeds = _speed_quantiles(sog, moving, begin, last, some)
    stops = _stops_at_sea(time, slow, heard, groups, begin, last, parameters)
    return {
        "distance_nmi": np.round(total(step_nmi), 3),
        "moving_h": np.round(total(moving_h), 4),
        "mean_speed_kn": share(np.where(moving, sog, 0.0), moving, 2),
        **speeds,
        "slow_share": share(step_h * (slow & heard), step_h * heard),
        "n_stops_at_sea": stops[0],
        "longest_stop_h": np.round(stops[1], 4),
        "turning_deg_per_nmi": share(np.where(turned, turn, 0.0), np.where(turned, step_nmi, 0.0), 3),
        "night_share": share(moving_h * night, moving_h),
        "status_mismatch_share": share(lying, moving),
        "drift_angle_deg": share(np.where(drifting, drift, 0.0), drifting, 2),
        "speed_residual_kn": share(np.where(compared, residual, 0.0), compared, 3),
    }


def _speed_quantiles(
    sog: FloatArray, moving: npt.NDArray[np.bool_], begin: IntArray, last: IntArray, some: npt.NDArray[np.bool_]
) -> dict[str, FloatArray]:
    """Quantiles of speed under way by leg, from a histogram of half-knot bins."""
    lengths = np.where(some, last - begin + 1, 0)
    rows = np.repeat(begin - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    leg = np.repeat(np.arange(len(begin)), lengths)
    leg, rows = leg[moving[rows]], rows[moving[rows]]
    bins = np.minimum((sog[rows] / _SPEED_BIN_KN).astype(np.int64), _SPEED_BINS - 1)
    counts = np.bincount(leg * _SPEED_BINS + bins, minlength=len(begin) * _SPEED_BINS).reshape(-1, _SPEED_BINS)
    running = np.cumsum(counts, axis=1)
    n = running[:, -1]

    def quantile(q: float) -> FloatArray:
        at = (running >= np.maximum(np.ceil(q * n), 1)[:, None]).argmax(axis=1)
        speed: FloatArray = np.where(n > 0, (at + 0.5) * _SPEED_BIN_KN, np.nan)
        return speed

    return {
        "median_speed_kn": quantile(0.5),
        "speed_spread_kn": quantile(0.9) - quantile(0.1),
        "max_speed_kn": quantile(0.99),
    }


def _stops_at_sea(
    time_us: IntArray,
    slow: npt.NDArray[np.bool_],
    heard: npt.NDArray[np.bool_],
    groups: IntArray,
    begin: IntArray,
    last: IntArray,
    parameters: VoyageParameters,
) -> tuple[IntArray, FloatArray]:
    """Number of stops outside ports by leg, and the longest in hours. A stop is a run of slow rows heard throughout."""
    n = len(time_us)
    number, longest = np.zeros(len(begin), dtype=np.int64), np.zeros(len(begin))
    if not n:
        return number, longest
    new = np.ones(n, dtype=np.bool_)
    new[1:] = ~(slow[1:] & slow[:-1] & heard[1:])
    new[groups[:-1][groups[:-1] < n]] = True
    starts = np.flatnonzero(new)
    ends = np.concatenate([starts[1:], [n]]) - 1
    hours = (time_us[ends] - time_us[starts]) / US_PER_H
    stop = slow[starts] & (hours >= parameters.stop_at_sea_h)
    starts, hours = starts[stop], hours[stop]
    leg = np.searchsorted(begin, starts + 1, side="right") - 1
    inside = (leg >= 0) & (starts <= last[np.maximum(leg, 0)])
    np.add.at(number, leg[inside], 1)
    np.maximum.at(longest, leg[inside], hours[inside])
    return number, longest
