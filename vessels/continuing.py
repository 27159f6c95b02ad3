"""Tracks taken up where an earlier history left them: their last report before the boundary, ids, voyages and stays.

Takes the rows of a block from the boundary on, and anchors; gives the block with each anchored track's last report
before its rows, and `Continued`: which tracks go on from which anchor, and what their tables must say because of it.
Which rows go on from which report is left to the motion model, as within any history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import CLAIM_COLUMNS, REPORT_COLUMNS, START_COLUMNS, with_values
from vessels.chunks import NOTHING_SAID, StaticClaim
from vessels.errors import UsageError
from vessels.events.stays import Begun
from vessels.instants import instant_us, times_us
from vessels.revivals import cut_at_rows
from vessels.schema import make_id
from vessels.segments import Segments, segment_ids, some_segments
from vessels.track import IntArray, TrackBlock
from vessels.units import US_PER_DAY
from vessels.zones import Zones

_ROWS: Final = (*REPORT_COLUMNS, "time_us", "nav_status", "static", "source")
_NEAR_DAYS: Final = 1.0
"""A track that began after the boundary may begin a little earlier by now, because of late data."""


class TakenUp(NamedTuple):
    """A block with the last reports of anchored tracks in it: `known` (n,) as in `vessels.segments.separate`."""

    block: TrackBlock
    claims: Sequence[StaticClaim]
    known: IntArray


def boundary_of(anchors: pa.Table) -> int:
    """The one boundary of some anchors, in microseconds; UsageError if they are of several."""
    bounds = np.unique(times_us(anchors["boundary"]))
    if len(bounds) != 1:
        raise UsageError(f"anchors of {len(bounds)} boundaries; give those of the one at which the history begins")
    return int(bounds[0])


def take_up(block: TrackBlock, claims: Sequence[StaticClaim], anchors: pa.Table) -> TakenUp:
    """The block with the anchors' reports before the rows of their MMSI. Anchors of MMSI not heard are left out.

    Raises UsageError if the block has rows from before the boundary.
    """
    boundary_us = boundary_of(anchors)
    if len(block) and int(block.time_us.min()) < boundary_us:
        raise UsageError("the rows of a history with anchors must not begin before their boundary; read from there on")
    mmsi = anchors["mmsi"].to_numpy()
    heard = np.isin(mmsi, block.mmsi) & ~anchors["is_first"].to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(heard)
    time_us = times_us(anchors["timestamp"])
    rows = rows[np.lexsort((time_us[rows], mmsi[rows]))]
    table = anchors.take(pa.array(rows))
    vessel = np.searchsorted(block.mmsi, mmsi[rows])
    codes, said = _claim_codes(table, len(claims))
    values: dict[str, npt.NDArray[Any]] = {
        name: pc.fill_null(table[name], np.nan).to_numpy() for name in REPORT_COLUMNS
    }
    values |= {"time_us": time_us[rows], "static": codes, "source": np.full(len(rows), -1)}
    values["nav_status"] = pc.fill_null(table["nav_status"], -1).to_numpy()
    at = block.offsets[vessel]
    columns: dict[str, Any] = {}
    for name in _ROWS:
        column = getattr(block, name)
        columns[name] = np.insert(column, at, values[name].astype(column.dtype))
        columns[name].flags.writeable = False
    offsets = block.offsets + np.append(0, np.cumsum(np.bincount(vessel, minlength=len(block.mmsi))))
    known = np.insert(np.full(len(block), -1), at, table["n_others"].to_numpy())
    return TakenUp(replace(block, offsets=offsets, **columns), (*claims, *said), known)


def _claim_codes(table: pa.Table, n_claims: int) -> tuple[IntArray, list[StaticClaim]]:
    """A claim number for each anchor, from `n_claims` on; 0 where nothing was said. And the claims so numbered."""
    numbers: dict[StaticClaim, int] = {NOTHING_SAID: 0}
    columns = [table[name].to_pylist() for name in CLAIM_COLUMNS]
    codes = [
        numbers.setdefault(claim, n_claims - 1 + len(numbers))
        for claim in (StaticClaim(*row) for row in zip(*columns, strict=True))
    ]
    return np.array(codes, dtype=np.int64), list(numbers)[1:]


@dataclass(frozen=True, slots=True)
class Heirs:
    """Tracks cut from the end of others, because another hull goes on there: numbers of segments. Shapes (k,).

    `before` is -1 where nothing was heard of the other track since the boundary.
    """

    before: IntArray
    after: IntArray


@dataclass(frozen=True, slots=True)
class Continued:
    """Which tracks go on from which anchors. `anchor` (s,) is the row in `table`, -1 for tracks that began since.

    `unheard` are the anchors of which nothing was heard since; from `superseded_us` (u,) on another hull had gone on in
    their stead. `boundary_us` is the boundary.
    """

    table: pa.Table
    anchor: IntArray
    boundary_us: int
    unheard: pa.Table
    superseded_us: IntArray

    @property
    def going_on(self) -> IntArray:
        """The tracks that had begun before the boundary. Shape (k,)."""
        known = np.append(self.table["start"].is_valid().to_numpy(), False)
        return np.flatnonzero((self.anchor >= 0) & known[self.anchor])

    @property
    def n_known(self) -> IntArray:
        """Reports of each track up to and with its first row. Shape (s,)."""
        before = np.append(pc.fill_null(self.table["n_positions"], 0).to_numpy(), 0)[self.anchor]
        return np.where(self.anchor >= 0, before + self.is_first, 1)

    @property
    def is_first(self) -> npt.NDArray[np.bool_]:
        """Whether each track's first row is a report since the boundary: nothing before it counts. Shape (s,)."""
        first = self.table["is_first"].to_numpy(zero_copy_only=False)
        result: npt.NDArray[np.bool_] = (self.anchor >= 0) & np.append(first, False)[self.anchor]
        return result

    def of(self, tracks: IntArray) -> pa.Table:
        """The anchors of some tracks."""
        return self.table.take(pa.array(self.anchor[tracks]))

    def names(self, segments: Segments) -> list[str]:
        """The id of each track: the one it had, or a new one. Shape (s,)."""
        ids = segment_ids(segments)
        for track, name in zip(self.going_on.tolist(), self.of(self.going_on)["segment_id"].to_pylist(), strict=True):
            ids[track] = name
        return ids

    def hulls(self, ids: Sequence[str]) -> list[str]:
        """The hull of each track, before hulls are linked. Shape (s,)."""
        hulls = [make_id("hull", name) for name in ids]
        tracks = np.flatnonzero(self.anchor >= 0)
        for track, name in zip(tracks.tolist(), self.of(tracks)["hull_id"].to_pylist(), strict=True):
            hulls[track] = name
        return hulls

    def with_starts(self, segments: pa.Table) -> pa.Table:
        """The `segments` table with the true first reports of the tracks that had begun before the boundary."""
        tracks, known = self.going_on, self.of(self.going_on)
        starts: dict[str, Any] = {name: known[name] for name in START_COLUMNS}
        since = segments["start_draught_m"].take(pa.array(tracks))
        starts["start_draught_m"] = pc.coalesce(known["start_draught_m"], since)
        n = segments["n_positions"].to_numpy()[tracks]
        starts["n_positions"] = pa.array(n - 1 + self.n_known[tracks])
        return with_values(segments, tracks, starts)

    def begun(self, zones: Zones) -> Begun:
        """The stays in which tracks were when their anchors were left; those in zones that are no more are left out."""
        tracks = np.flatnonzero((self.anchor >= 0) & ~self.is_first)
        lists = self.of(tracks)["stays"].combine_chunks()
        stays, lengths = lists.flatten(), pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        columns = {field.name: values for field, values in zip(stays.type, stays.flatten(), strict=True)}
        number = {zone.zone_id: i for i, zone in enumerate(zones.zones)}
        zone = np.array([number.get(name, -1) for name in columns["zone_id"].to_pylist()], dtype=np.int64)
        segment = np.repeat(tracks, lengths)
        rows = np.flatnonzero(zone >= 0)
        rows = rows[np.lexsort((zone[rows], segment[rows]))]
        known = {
            name: pc.fill_null(columns[name], np.nan).to_numpy(zero_copy_only=False)[rows]
            for name in ("lat", "lon", "stop_h", "slow_h", "max_gap_h", "min_sog_kn", "draught_in_m")
        }
        known |= {name: columns[name].to_numpy(zero_copy_only=False)[rows] for name in ("entry_seen", "lying")}
        names = {name: np.array(columns[name].to_pylist(), dtype=object)[rows] for name in ("visit_id", "presence_id")}
        return Begun(
            segment=segment[rows],
            zone=zone[rows],
            start_us=columns["start"].cast(pa.int64()).to_numpy()[rows],
            n_positions=columns["n_positions"].to_numpy()[rows],
            **known,
            **names,
        )

    def in_force(self, ids: Sequence[str]) -> pa.Table:
        """The anchors of tracks that go on, under the tracks' ids."""
        tracks = np.flatnonzero(self.anchor >= 0)
        names = pa.array([ids[track] for track in tracks.tolist()], pa.string())
        return with_values(self.of(tracks), np.arange(len(tracks)), {"segment_id": names})


def continue_tracks(whole: Segments, cut: Segments, anchors: pa.Table) -> tuple[Segments, Continued, Heirs]:
    """The tracks that were heard since the boundary, sorted by MMSI and true start, and what they go on from.

    `whole` are the block's tracks as motion tells them, `cut` the same parted where their hull changed.
    """
    boundary_us = boundary_of(anchors)
    is_first = anchors["is_first"].to_numpy(zero_copy_only=False)
    cut = _cut_where_known(cut, anchors.filter(pa.array(is_first)), boundary_us)
    heirs = heirs_of(whole, cut)
    first, last = cut.offsets[:-1], cut.offsets[1:] - 1
    anchor = _matched(cut, first, anchors, np.flatnonzero(~is_first), boundary_us)
    heard = cut.time_us[last] >= boundary_us
    gone = np.setdiff1d(np.flatnonzero(~is_first), anchor[heard & (anchor >= 0)])
    superseded = np.full(anchors.num_rows, np.iinfo(np.int64).max)
    known = anchor[heirs.before] >= 0
    superseded[anchor[heirs.before[known]]] = cut.time_us[first[heirs.after[known]]]
    anchor = _since(cut, anchor, anchors, np.flatnonzero(is_first))
    known_us = times_us(anchors["start"])[anchor]
    start_us = np.where((anchor >= 0) & (known_us > np.iinfo(np.int64).min), known_us, cut.time_us[first])
    order = np.lexsort((np.arange(len(first)), start_us, cut.vessel))
    order = order[heard[order]]
    place = np.full(len(first), -1)
    place[order] = np.arange(len(order))
    segments, anchor = some_segments(cut, order), anchor[order]
    continued = Continued(anchors, anchor, boundary_us, anchors.take(pa.array(gone)), superseded[gone])
    return segments, continued, Heirs(place[heirs.before], place[heirs.after])


def _matched(cut: Segments, first: IntArray, anchors: pa.Table, rows: IntArray, boundary_us: int) -> IntArray:
    """For each segment the anchor whose report is its first row, else -1. Shape (s,)."""
    anchor = np.full(len(first), -1, dtype=np.int64)
    own = np.flatnonzero(cut.time_us[first] < boundary_us)
    mmsi = cut.mmsi[cut.vessel[own]]
    rows = rows[np.isin(anchors["mmsi"].to_numpy()[rows], cut.mmsi)]
    keys = [anchors[name].to_numpy()[rows] for name in ("lon", "lat")]
    keys += [times_us(anchors["timestamp"])[rows], anchors["mmsi"].to_numpy()[rows]]
    seen = [cut.lon[first[own]], cut.lat[first[own]], cut.time_us[first[own]], mmsi]
    anchor[own[np.lexsort(seen)]] = rows[np.lexsort(keys)]
    return anchor


def _since(segments: Segments, anchor: IntArray, anchors: pa.Table, rows: IntArray) -> IntArray:
    """The same with the tracks known by their first report since the boundary.

    If that is not there, it is the only new one of the MMSI within a day.
    """
    anchor = anchor.copy()
    starts = segments.time_us[segments.offsets[:-1]]
    new = np.flatnonzero(anchor < 0)
    known = anchors.select(["mmsi", "timestamp", "segment_id", "hull_id"]).take(pa.array(rows))
    for row, mmsi, time, name, hull in zip(rows.tolist(), *(column.to_pylist() for column in known), strict=True):
        own = new[segments.mmsi[segments.vessel[new]] == mmsi]
        off_us = np.abs(starts[own] - instant_us(time))
        near = 0 if hull == make_id("hull", name) else _NEAR_DAYS * US_PER_DAY
        found = own[off_us == 0] if (off_us == 0).any() else own[off_us <= near]
        if len(found) == 1 and anchor[found[0]] < 0:
            anchor[found[0]] = row
    return anchor


def _cut_where_known(segments: Segments, firsts: pa.Table, boundary_us: int) -> Segments:
    """The segments, those that go on from before the boundary cut at reports known to be another hull's first."""
    cuts = []
    reports = (firsts["mmsi"].to_pylist(), times_us(firsts["timestamp"]).tolist())
    for mmsi, time_us, lat, lon in zip(*reports, firsts["lat"].to_pylist(), firsts["lon"].to_pylist(), strict=True):
        vessel = int(np.searchsorted(segments.mmsi, mmsi))
        found = (segments.mmsi[vessel : vessel + 1] == mmsi).any()
        row = _row_of(segments, vessel, time_us, lat, lon) if found else -1
        if row >= 0:
            begin = segments.offsets[np.searchsorted(segments.offsets, row, side="right") - 1]
            if begin < row and segments.time_us[begin] < boundary_us:
                cuts.append(row)
    return cut_at_rows(segments, np.array(sorted(set(cuts)), dtype=np.int64)) if cuts else segments


def heirs_of(whole: Segments, cut: Segments) -> Heirs:
    """Which segments of `cut` begin within one of `whole`, and after which."""
    if cut is whole:
        return Heirs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    known = set(_reports(whole, whole.offsets[:-1]))
    ends = {report: track for track, report in enumerate(_reports(cut, cut.offsets[1:] - 1))}
    pairs = []
    for track, report in enumerate(_reports(cut, cut.offsets[:-1])):
        if report not in known:
            row = _row_of(whole, *report)
            (before,) = _reports(whole, np.array([row - 1]))
            pairs.append((ends[before], track))
    before_after = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Heirs(before_after[:, 0], before_after[:, 1])


def _reports(segments: Segments, rows: IntArray) -> list[tuple[int, int, float, float]]:
    """Vessel, time and place of some rows."""
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    columns = (segments.vessel[track], segments.time_us[rows], segments.lat[rows], segments.lon[rows])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _row_of(segments: Segments, vessel: int, time_us: int, lat: float, lon: float) -> int:
    """The row of a report, -1 if it is not there."""
    low, high = np.searchsorted(segments.vessel, [vessel, vessel + 1]).tolist()
    for begin, end in pairwise(segments.offsets[low : high + 1].tolist()):
        row: int = begin + int(np.searchsorted(segments.time_us[begin:end], time_us))
        while row < end and segments.time_us[row] == time_us:
            if segments.lat[row] == lat and segments.lon[row] == lon:
                return row
            row += 1
    return -1
