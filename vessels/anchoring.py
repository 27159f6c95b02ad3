"""Anchors left at boundaries: for each track heard before one, how far it, its stays and its voyage had gone there.

Takes the tracks of a block and what was found on them; gives raw rows of the `anchors` table, in which only reports,
claims and stays are known. Hulls, voyages and what is known of the whole fleet are put in by `vessels.anchors_settled`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import (
    ANCHORS,
    CLAIM_COLUMNS,
    MAX_SILENCE_DAYS,
    REPORT_COLUMNS,
    STAY_TYPE,
    with_values,
)
from vessels.continuing import Continued, Heirs
from vessels.events.port_visits import StayParameters, rows_inside, slow_hours, visit_ids
from vessels.events.stays import Stays, range_reduce
from vessels.instants import times_us
from vessels.schema import make_id
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_DAY
from vessels.zones import VISIT_KINDS, Zones

FloatArray = npt.NDArray[np.float64]

_MAX_SILENCE_US: Final = int(MAX_SILENCE_DAYS * US_PER_DAY)
_MIN_REPORTS: Final = 3
"""As `vessels.hulls.ends` has it."""
_MAX_TRACKS: Final = 32
"""Tracks of one MMSI that are anchored, those heard last: as many as the motion model keeps open."""


@dataclass(frozen=True, slots=True)
class BlockTracks:
    """The tracks of a block with what was found on them: ids by track, `fence_set` and `draught` by row, the rest."""

    segments: Segments
    ids: Sequence[str]
    hull_ids: Sequence[str]
    zones: Zones
    fence_set: npt.NDArray[np.int32]
    draught: FloatArray
    stays: Stays
    identities: pa.Table


def leave_anchors(
    tracks: BlockTracks,
    boundaries_us: Sequence[int],
    heirs: Heirs,
    continued: Continued | None,
    parameters: StayParameters,
) -> pa.Table:
    """Raw anchors of the tracks of a block, and of those of which nothing was heard in it, at these boundaries.

    Cost: a pass over the rows of the stays that last over a boundary, and work on each track and boundary.
    """
    bounds = np.unique(np.array(boundaries_us, dtype=np.int64))
    if not len(bounds):
        return ANCHORS.empty()
    parts = [_last_reports(tracks, bounds, heirs, continued, parameters), _first_reports(tracks, bounds, heirs)]
    if continued is not None:
        parts.append(_unheard(tracks.segments, continued, bounds))
    return _latest(ANCHORS.concat(parts))


def _last_reports(
    tracks: BlockTracks, bounds: IntArray, heirs: Heirs, continued: Continued | None, parameters: StayParameters
) -> pa.Table:
    """Anchors of the tracks that began before each boundary: their last report before it."""
    segments = tracks.segments
    before = _n_before(segments, bounds)
    last = segments.offsets[:-1] + before - 1
    time_us = np.append(segments.time_us, 0)[np.where(before > 0, last, len(segments))]
    kept = (before > 0) & (time_us >= bounds[:, None] - _MAX_SILENCE_US)
    # Where another hull goes on, the track is no more.
    went_on = np.full(len(segments.vessel), np.iinfo(np.int64).max)
    left = np.flatnonzero(heirs.before >= 0)
    went_on[heirs.before[left]] = segments.time_us[segments.offsets[heirs.after[left]]]
    kept &= went_on >= bounds[:, None]
    which, track = np.nonzero(kept)
    row = last[which, track]
    reports: dict[str, Any] = {name: getattr(segments, name)[row] for name in REPORT_COLUMNS}
    reports["draught"] = tracks.draught[row]
    status = segments.nav_status[row]
    spell = _spells_at(tracks, track, segments.time_us[row])
    claims = {name: tracks.identities[name].take(pa.array(spell, mask=spell < 0)) for name in CLAIM_COLUMNS}
    return _built(
        len(row),
        boundary=bounds[which],
        mmsi=segments.mmsi[segments.vessel[track]],
        segment_id=_taken(tracks.ids, track),
        hull_id=_taken(tracks.hull_ids, track),
        is_first=np.zeros(len(row), dtype=np.bool_),
        timestamp=segments.time_us[row],
        nav_status=pa.array(status, mask=status < 0),
        n_positions=row - segments.offsets[track] + _n_known(continued, track),
        n_others=_n_others(segments, continued, segments.vessel[track], segments.time_us[row], bounds[which])
        + _n_others_known(continued, track, row == segments.offsets[track]),
        stays=_stays_at(tracks, which, track, row, parameters),
        **reports,
        **claims,
    )


def _n_known(continued: Continued | None, track: IntArray) -> IntArray:
    """Reports of each track up to and with its first row. Shape (k,)."""
    one = np.ones(len(track), dtype=np.int64)
    return one if continued is None else continued.n_known[track]


def _n_others_known(continued: Continued | None, track: IntArray, is_known: npt.NDArray[np.bool_]) -> IntArray:
    """Other reports known to have come after reports that are from before the block. Shape (k,)."""
    if continued is None:
        return np.zeros(len(track), dtype=np.int64)
    anchor = continued.anchor[track]
    known = np.append(pc.fill_null(continued.table["n_others"], 0).to_numpy(), 0)[anchor]
    return np.where(is_known & (anchor >= 0), known, 0)


def _n_others(
    segments: Segments, continued: Continued | None, vessel: IntArray, time_us: IntArray, bound_us: IntArray
) -> IntArray:
    """How many reports of each vessel, noise too, came in the block after a time and before a boundary. Shape (k,)."""
    out = np.zeros(len(vessel), dtype=np.int64)
    since_us = 0 if continued is None else continued.boundary_us
    n_tracks = np.bincount(segments.vessel, minlength=len(segments.mmsi))
    told = np.bincount(segments.strays.vessel, minlength=len(segments.mmsi)) + n_tracks
    order = np.argsort(vessel, kind="stable")
    order = order[told[vessel[order]] > 1]
    for own in np.split(order, np.flatnonzero(np.diff(vessel[order])) + 1) if len(order) else []:
        low, high = np.searchsorted(segments.vessel, [vessel[own[0]], vessel[own[0]] + 1])
        times = [segments.time_us[segments.offsets[low] : segments.offsets[high]]]
        times += [segments.strays.time_us[segments.strays.vessel == vessel[own[0]]]]
        heard = np.sort(np.concatenate(times))
        after = np.searchsorted(heard, np.maximum(time_us[own], since_us - 1), side="right")
        out[own] = np.maximum(np.searchsorted(heard, bound_us[own]) - after, 0)
    return out


def _n_before(segments: Segments, bounds: IntArray) -> IntArray:
    """How many rows of each track lie before each boundary. Shape (boundaries, s)."""
    shape = (len(bounds), len(segments.vessel))
    low = np.broadcast_to(segments.offsets[:-1], shape).copy()
    high = np.broadcast_to(segments.offsets[1:], shape).copy()
    while (low < high).any():
        middle = (low + high) // 2
        earlier = (low < high) & (segments.time_us[np.minimum(middle, len(segments) - 1)] < bounds[:, None])
        high = np.where((low < high) & ~earlier, middle, high)
        low = np.where(earlier, middle + 1, low)
    return low - segments.offsets[:-1]


def _taken(names: Sequence[str], which: IntArray) -> pa.Array:
    return pa.array(list(names), pa.string()).take(pa.array(which))


def _built(n: int, **values: Any) -> pa.Table:
    """Anchors of these columns; the others are null."""
    return ANCHORS.build({c.name: values.get(c.name, pa.nulls(n, c.type)) for c in ANCHORS.columns})


def _spells_at(tracks: BlockTracks, track: IntArray, time_us: IntArray) -> IntArray:
    """The row of `identities` in force on each track at each time, -1 if it had claimed nothing yet.

    Claims carried by few reports are passed over where others stand beside: a damaged message is one report.
    """
    names = pa.array(list(tracks.ids), pa.string())
    place = pc.fill_null(pc.index_in(tracks.identities["segment_id"], value_set=names), -1).to_numpy()
    first = times_us(tracks.identities["first_seen"])
    n_reports = tracks.identities["n_reports"].to_numpy()
    most = np.zeros(len(tracks.ids) + 1, dtype=np.int64)
    np.maximum.at(most, place, n_reports)
    rows = np.flatnonzero((place >= 0) & (n_reports >= np.minimum(_MIN_REPORTS, most[place])))
    rows = rows[np.lexsort((first[rows], place[rows]))]
    times, codes = np.unique(np.concatenate([first[rows], time_us]), return_inverse=True)
    keys = place[rows] * len(times) + codes[: len(rows)]
    at = np.searchsorted(keys, track * len(times) + codes[len(rows) :], side="right") - 1
    found = np.append(rows, -1)[at]
    return np.where((at >= 0) & (np.append(place, -1)[found] == track), found, -1)


def _stays_at(
    tracks: BlockTracks, which: IntArray, track: IntArray, row: IntArray, parameters: StayParameters
) -> pa.Array:
    """The stays in progress at each report, as far as they had gone; `which` is the boundary. A list a report."""
    stays, segments = tracks.stays, tracks.segments
    report, stay = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for boundary in np.unique(which).tolist():
        own = np.flatnonzero(which == boundary)
        of_track = np.full(len(segments.vessel) + 1, -1)
        of_track[track[own]] = own
        at = of_track[stays.segment]
        here = np.append(row, -1)[at]
        inside = np.flatnonzero((at >= 0) & (stays.first <= here) & (here <= stays.last))
        report.append(at[inside])
        stay.append(inside)
    of_report, number = np.concatenate(report), np.concatenate(stay)
    order = np.lexsort((number, of_report))
    of_report, number = of_report[order], number[order]
    counts = np.bincount(of_report, minlength=len(row))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _stay_records(tracks, number, row[of_report], parameters))


def _stay_records(tracks: BlockTracks, number: IntArray, until: IntArray, parameters: StayParameters) -> pa.Array:
    """Stays as far as a row of theirs, as records."""
    segments, zones = tracks.segments, tracks.zones
    known, place = np.unique(number, return_inverse=True)
    stays, whole = tracks.stays.take(number), tracks.stays.take(known)
    can_lie = np.array([zone.kind in VISIT_KINDS for zone in zones.zones], dtype=np.bool_)
    stop_h, lying = _lain(tracks, number, until, np.append(can_lie, False)[tracks.stays.zone], parameters)
    after = np.minimum(stays.first + 1, until)
    several = until > stays.first

    def inside(ufunc: np.ufunc, values: npt.NDArray[Any], first: IntArray) -> FloatArray:
        return range_reduce(ufunc, values, first, until).astype(np.float64)

    zero = np.zeros(len(stays))
    gap_h = np.where(several, inside(np.maximum, segments.step_h, after), 0.0)
    slow_h = np.where(several, inside(np.add, slow_hours(segments, parameters), after), 0.0)
    lowest = inside(np.fmin, segments.sog, stays.first)
    names = [zone.zone_id for zone in zones.zones]
    mmsi = segments.mmsi[segments.vessel[whole.segment]].tolist()
    zone_ids, starts = [names[zone] for zone in whole.zone.tolist()], whole.starts_us(segments)
    presences = [make_id("presence", *key) for key in zip(mmsi, zone_ids, starts.tolist(), strict=True)]
    if whole.begun is not None:
        for i in np.flatnonzero(whole.earlier >= 0).tolist():
            presences[i] = whole.begun.presence_id[whole.earlier[i]]
    visits = pa.array(visit_ids(segments, zones, whole), pa.string())
    columns = {
        "zone_id": pa.array(zone_ids, pa.string()).take(pa.array(place)),
        "presence_id": pa.array(presences, pa.string()).take(pa.array(place)),
        "visit_id": visits.take(pa.array(place, mask=~can_lie[stays.zone])),
        "start": stays.starts_us(segments),
        "lat": stays.before("lat", segments.lat[stays.first]),
        "lon": stays.before("lon", segments.lon[stays.first]),
        "entry_seen": stays.before("entry_seen", stays.first > segments.offsets[stays.segment]),
        "stop_h": np.round(stop_h, 4),
        "slow_h": np.round(slow_h + stays.before("slow_h", zero), 4),
        "lying": lying,
        "max_gap_h": np.round(np.maximum(gap_h, stays.before("max_gap_h", zero)), 4),
        "min_sog_kn": np.fmin(lowest, stays.before("min_sog_kn", np.full(len(stays), np.nan))),
        "n_positions": until - stays.first + stays.before("n_positions", np.ones(len(stays), dtype=np.int64)),
        "draught_in_m": stays.before("draught_in_m", tracks.draught[stays.first]),
    }
    arrays = [pa.array(columns[field.name], from_pandas=True).cast(field.type) for field in STAY_TYPE]
    return pa.StructArray.from_arrays(arrays, fields=list(STAY_TYPE))


def _lain(
    tracks: BlockTracks,
    number: IntArray,
    until: IntArray,
    can_lie: npt.NDArray[np.bool_],
    parameters: StayParameters,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Hours that the ship had lain still in each stay until a row of it, and whether it lay still there. Both (k,)."""
    known = np.unique(number[can_lie[number]])
    stays = tracks.stays.take(known)
    inside = rows_inside(tracks.segments, tracks.zones, tracks.fence_set, stays, parameters)
    begins = np.cumsum(stays.last - stays.first + 1) - (stays.last - stays.first + 1)
    sums = np.concatenate([[0.0], np.cumsum(inside.still_h)])
    some = np.flatnonzero(can_lie[number])
    place = np.searchsorted(known, number[some])
    at = begins[place] + until[some] - stays.first[place]
    stop_h, lying = np.zeros(len(number)), np.zeros(len(number), dtype=np.bool_)
    stop_h[some] = sums[at + 1] - sums[begins[place]] + stays.before("stop_h", np.zeros(len(stays)))[place]
    lying[some] = inside.lies[at]
    return stop_h, lying


def _first_reports(tracks: BlockTracks, bounds: IntArray, heirs: Heirs) -> pa.Table:
    """Anchors of tracks that another track was cut for, not before the boundary: their first report."""
    segments = tracks.segments
    began = np.full(len(heirs.before), np.iinfo(np.int64).min)
    left = np.flatnonzero(heirs.before >= 0)
    began[left] = segments.time_us[segments.offsets[heirs.before[left]]]
    row = segments.offsets[heirs.after]
    between = (began < bounds[:, None]) & (segments.time_us[row] >= bounds[:, None])
    which, heir = np.nonzero(between)
    track = heirs.after[heir]
    return first_reports(bounds[which], segments.mmsi[segments.vessel[track]], _taken(tracks.ids, track))


def first_reports(boundary_us: IntArray, mmsi: Any, segment_id: Any) -> pa.Table:
    """Anchors of tracks that began at or after the boundary, whose MMSI or hull had been heard before; who only."""
    n = len(boundary_us)
    first = np.ones(n, dtype=np.bool_)
    return _built(n, boundary=boundary_us, mmsi=mmsi, segment_id=segment_id, is_first=first)


def _unheard(segments: Segments, continued: Continued, bounds: IntArray) -> pa.Table:
    """Anchors of tracks that were not heard since, carried on to later boundaries."""
    known = continued.unheard
    time_us = times_us(known["timestamp"])
    kept = (time_us >= bounds[:, None] - _MAX_SILENCE_US) & (continued.superseded_us >= bounds[:, None])
    which, row = np.nonzero(kept)
    table = known.take(pa.array(row))
    mmsi = table["mmsi"].to_numpy()
    vessel = np.searchsorted(segments.mmsi, mmsi)
    heard = np.flatnonzero(np.append(segments.mmsi, -1)[vessel] == mmsi)
    others = table["n_others"].to_numpy().copy()
    others[heard] += _n_others(segments, continued, vessel[heard], time_us[row[heard]], bounds[which[heard]])
    changed = {"boundary": pa.array(bounds[which]), "n_others": pa.array(others)}
    return with_values(table, np.arange(len(row)), changed)


def _latest(anchors: pa.Table) -> pa.Table:
    """The anchors of no more than so many tracks of one MMSI, those heard last."""
    mmsi, bound = anchors["mmsi"].to_numpy(), times_us(anchors["boundary"])
    _, group, sizes = np.unique(np.stack([bound, mmsi]), axis=1, return_inverse=True, return_counts=True)
    if sizes.max(initial=0) <= _MAX_TRACKS:
        return anchors
    order = np.lexsort((-times_us(anchors["timestamp"]), group))
    first = np.searchsorted(group[order], np.arange(len(sizes)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - first[group[order]]
    return anchors.take(pa.array(np.flatnonzero(rank < _MAX_TRACKS)))
