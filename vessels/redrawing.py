"""Voyages of hulls that bore several numbers, drawn anew so that a voyage goes on over the change.

Takes the tables of a history, the chains and the hulls' port visits; gives the `voyages` and `voyage_parts` tables. All
tracks of a hull are laid in order of time and cut at its calls, as one track is. A voyage under one number keeps its
measures; those of a voyage over a change come from `vessels.sketched`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import NO_ANCHORS
from vessels.chaining import Chains, places_of
from vessels.hulls_begun import HullsBegun, hulls_begun, with_beginnings
from vessels.instants import times_us
from vessels.legs import Call, Legs, VoyageParameters, cut_at_calls, merge_calls
from vessels.schema import VOYAGE_PARTS, VOYAGES, make_id
from vessels.sketched import HullClock, KeptReports, heard_voyages, sketched_measures
from vessels.track import IntArray
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]

_MEASURES: Final = VOYAGES.names[VOYAGES.names.index("distance_nmi") :]


@dataclass(frozen=True, slots=True)
class HullVisits:
    """Port visits of the members of chains, in the order of `table`. All shapes (k,).

    `until_us` is the last report inside, or the first under the next number where the hull changed it inside; `first`
    and `final` are the rows of the first and the last visit of such a stay, a row's own elsewhere.
    """

    table: pa.Table
    member: IntArray
    start_us: IntArray
    until_us: IntArray
    first: IntArray
    final: IntArray


@dataclass(frozen=True, slots=True)
class _Rows:
    """Reports kept of all hulls, ordered by (hull, time), one a time; `offsets` (hulls + 1,), the others (n,)."""

    offsets: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    member: IntArray

    @property
    def changes(self) -> IntArray:
        """How often the member changed up to each row. Shape (n,)."""
        changed = np.zeros(len(self.member), dtype=np.int64)
        changed[1:] = self.member[1:] != self.member[:-1]
        return np.cumsum(changed)


def redraw_voyages(
    tables: Mapping[str, pa.Table],
    chains: Chains,
    visits: HullVisits,
    zones: Zones,
    parameters: VoyageParameters,
    known: pa.Table = NO_ANCHORS,
) -> tuple[pa.Table, pa.Table]:
    """The `voyages` table with those of linked hulls drawn anew, and `voyage_parts`.

    `known` are the anchors of tracks that go on from before the history.
    """
    voyages, segments = tables["voyages"], tables["segments"]
    at, member = chains.members_in(voyages)
    old = voyages.take(pa.array(at))
    begun = hulls_begun(chains, known)
    rows = _rows(tables, old, member, chains, begun)
    legs = _legs(rows, visits, chains, parameters, begun)
    keys = zip(member.tolist(), times_us(old["start"]).tolist(), strict=True)
    names = dict(zip(keys, old["voyage_id"].to_pylist(), strict=True))
    new = VOYAGES.build(
        {
            **_what_and_where(rows, legs, visits, chains, names, voyages["voyage_id"]),
            **_measures(rows, legs, visits, chains, (old, member), segments, zones, parameters, begun),
        }
    )
    new = with_beginnings(new, legs, begun)
    parts = _parts(rows, legs, new, chains)
    return spliced(voyages, at, new, chains, segments), spliced(VOYAGE_PARTS.empty(), at[:0], parts, chains, segments)


def spliced(table: pa.Table, gone: IntArray, new: pa.Table, chains: Chains, segments: pa.Table) -> pa.Table:
    """A table with rows of members replaced, sorted as `History` says: by MMSI, track in order of its start, start.

    Only rows of the members' MMSI are sorted; the others stand as they stood.
    """
    kept = np.ones(table.num_rows, dtype=np.bool_)
    kept[gone] = False
    both = pa.concat_tables([table, new])
    rows = np.append(np.flatnonzero(kept), np.arange(table.num_rows, both.num_rows))
    mmsi = both["mmsi"].to_numpy()[rows]
    near = np.flatnonzero(np.isin(mmsi, chains.mmsi))
    part = both.select(["segment_id", "start"]).take(pa.array(rows[near]))
    own = segments.filter(pc.is_in(segments["mmsi"], value_set=pa.array(np.unique(chains.mmsi))))
    track, start = np.zeros((2, len(rows)), dtype=np.int64)
    track[near], start[near] = places_of(part["segment_id"], own["segment_id"]), times_us(part["start"])
    return both.take(pa.array(rows[np.lexsort((start, track, mmsi))])).combine_chunks()


def _rows(
    tables: Mapping[str, pa.Table], voyages: pa.Table, of_voyage: IntArray, chains: Chains, begun: HullsBegun
) -> _Rows:
    """Reports of the members that are still known: sketches, and the ends of tracks, voyages and silences.

    Of hulls that had begun before the history, those from the start of the voyage on that was in progress.
    """
    at, of_sketch = chains.members_in(tables["sketches"])
    sketches = tables["sketches"].take(pa.array(at))
    at, of_silence = chains.members_in(tables["silences"])
    silences = tables["silences"].take(pa.array(at))
    tracks = tables["segments"].take(pa.array(chains.segment))
    sources = [(sketches, of_sketch, "timestamp", "")]
    for table, whose, last in (
        (tracks, np.arange(len(chains)), "end"),
        (silences, of_silence, "end"),
        (voyages, of_voyage, "last_seen"),
    ):
        sources += [(table, whose, "start", "start_"), (table, whose, last, "end_")]
    time = np.concatenate([times_us(table[name]) for table, _, name, _ in sources])
    lat, lon = (np.concatenate([t[side + name].to_numpy() for t, _, _, side in sources]) for name in ("lat", "lon"))
    member = np.concatenate([whose for _, whose, _, _ in sources])
    hull = chains.hull[member]
    order = np.lexsort((member, time, hull))
    time, lat, lon, member, hull = time[order], lat[order], lon[order], member[order], hull[order]
    new = time >= begun.since_us[hull]
    new[1:] &= (time[1:] != time[:-1]) | (hull[1:] != hull[:-1])
    offsets = np.searchsorted(hull[new], np.arange(len(chains.hull_ids) + 1))
    return _Rows(offsets, time[new], lat[new], lon[new], member[new])


def _legs(rows: _Rows, visits: HullVisits, chains: Chains, parameters: VoyageParameters, begun: HullsBegun) -> Legs:
    """The hulls' tracks cut at their calls. A stay over a change is reached by its first visit and left by its last."""
    hull = chains.hull[visits.member]
    confidence, stop_h = visits.table["confidence"].to_numpy(), visits.table["stop_h"].to_numpy()
    sure = np.flatnonzero((confidence >= parameters.min_confidence) & (visits.until_us >= begun.since_us[hull]))
    began = begun.calls_since(hull, visits.start_us, visits.until_us)
    order = sure[np.lexsort((sure, began[sure], hull[sure]))]
    stays = _calls(hull[order], order, began[order], visits.until_us[order])
    of_hull, visit, start, until = np.array(merge_calls(stays, stop_h), dtype=np.int64).reshape(-1, 4).T
    clock = HullClock(chains.hull[rows.member], rows.time_us)
    first = clock.first_at(of_hull, start)
    last = np.maximum(clock.last_at(of_hull, until), first)
    legs = cut_at_calls(rows.offsets, _calls(of_hull, visit, first, last))
    origin, destination = _pick(visits.final, legs.origin), _pick(visits.first, legs.destination)
    return Legs(legs.segment, legs.first, legs.last, origin, destination, legs.span_first)


def _calls(*columns: IntArray) -> list[Call]:
    return [Call(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def _pick(numbers: IntArray, which: IntArray) -> IntArray:
    """Numbers by place, -1 where there is no place."""
    known = which >= 0
    out = np.full(len(which), -1, dtype=np.int64)
    out[known] = numbers[which[known]]
    return out


def _what_and_where(
    rows: _Rows,
    legs: Legs,
    visits: HullVisits,
    chains: Chains,
    names: Mapping[tuple[int, int], str],
    known: pa.ChunkedArray,
) -> dict[str, Any]:
    """Columns of the `voyages` table that say which voyage it is, when, from where and to where.

    A voyage that begins where one began before keeps its name.
    """
    start, last_seen = rows.time_us[legs.first], rows.time_us[legs.last]
    begun, ended = rows.member[legs.first], rows.member[legs.last]
    ids = _voyage_ids(chains.mmsi[begun], list(zip(begun.tolist(), start.tolist(), strict=True)), names, known)
    is_open = legs.destination < 0
    span_end = rows.time_us[rows.offsets[1:] - 1][legs.segment]
    follows = np.flatnonzero(legs.segment[1:] == legs.segment[:-1])
    span_end[follows] = rows.time_us[legs.span_first[follows + 1]]
    origin, destination = (pa.array(which, mask=which < 0) for which in (legs.origin, legs.destination))
    return {
        "voyage_id": ids,
        "hull_id": pa.array(chains.hull_ids).take(pa.array(legs.segment)),
        "segment_id": chains.names.take(pa.array(ended)),
        "mmsi": chains.mmsi[ended],
        "start": start,
        "end": pa.array(last_seen, VOYAGES.arrow.field("end").type, mask=is_open),
        "is_open": is_open,
        "origin": visits.table["zone_id"].take(origin),
        "destination": visits.table["zone_id"].take(destination),
        "origin_visit_id": visits.table["visit_id"].take(origin),
        "destination_visit_id": visits.table["visit_id"].take(destination),
        "last_seen": last_seen,
        "span_start": rows.time_us[legs.span_first],
        "span_end": span_end,
        "start_lat": rows.lat[legs.first],
        "start_lon": rows.lon[legs.first],
        "end_lat": rows.lat[legs.last],
        "end_lon": rows.lon[legs.last],
    }


def _voyage_ids(
    mmsi: IntArray, keys: Sequence[tuple[int, int]], names: Mapping[tuple[int, int], str], known: pa.ChunkedArray
) -> list[str]:
    """The name of the voyage that began so before; else a hash of MMSI and start, and of a number if that is taken."""
    ids = [names.get(key) or make_id("voyage", one, key[1]) for key, one in zip(keys, mmsi.tolist(), strict=True)]
    fresh = [i for i, key in enumerate(keys) if key not in names]
    made = [ids[i] for i in fresh]
    if len(set(ids)) < len(ids) or pc.any(pc.is_in(known, value_set=pa.array(made, pa.string()))).as_py():
        taken = {*known.to_pylist(), *(ids[i] for i, key in enumerate(keys) if key in names)}
        for i in fresh:
            number = 0
            while ids[i] in taken:
                number += 1
                ids[i] = make_id("voyage", int(mmsi[i]), keys[i][1], number)
            taken.add(ids[i])
    return ids


def _measures(
    rows: _Rows,
    legs: Legs,
    visits: HullVisits,
    chains: Chains,
    heard: tuple[pa.Table, IntArray],
    segments: pa.Table,
    zones: Zones,
    parameters: VoyageParameters,
    begun: HullsBegun,
) -> dict[str, npt.NDArray[Any]]:
    """Measures and number of positions: those known of voyages under one number, else from sketches.

    Of a voyage that was in progress before the history, from the last report before it on.
    """
    old, member = heard
    begin, end = rows.member[legs.first], rows.time_us[legs.last]
    times = [times_us(old[name]).tolist() for name in ("start", "last_seen")]
    known = {key: row for row, key in enumerate(zip(member.tolist(), *times, strict=True))}
    keys = zip(begin.tolist(), rows.time_us[legs.first].tolist(), end.tolist(), strict=True)
    same = np.array([known.get(key, -1) for key in keys], dtype=np.int64)
    same[rows.changes[legs.first] != rows.changes[legs.last]] = -1
    kept, over = np.flatnonzero(same >= 0), np.flatnonzero(same < 0)
    clock = HullClock(chains.hull[rows.member], rows.time_us)
    first = np.maximum(legs.first, np.minimum(clock.first_at(legs.segment, begun.report_us[legs.segment]), legs.last))
    lengths = (legs.last - first + 1)[over]
    at = np.repeat(first[over] - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    reports = KeptReports(offsets, rows.time_us[at], rows.lat[at], rows.lon[at], legs.segment[over])
    measured = sketched_measures(reports, heard_voyages(old, member, chains), zones, parameters)
    measured["draught_change_m"] = _draught_changes_m(rows, legs, visits, chains, segments)[over]
    out: dict[str, npt.NDArray[Any]] = {}
    for name in (*_MEASURES, "n_positions"):
        out[name] = np.zeros(len(legs), dtype=measured[name].dtype)
        out[name][over] = measured[name]
        out[name][kept] = old[name].take(pa.array(same[kept])).to_numpy()
    return out


def _draught_changes_m(rows: _Rows, legs: Legs, visits: HullVisits, chains: Chains, segments: pa.Table) -> FloatArray:
    """Draught claimed at the end less that at the start: at the visit, or at the track's end where there is none."""
    ends: list[FloatArray] = []
    for which, column, row, of_track in (
        (legs.destination, "draught_in_m", legs.last, "end_draught_m"),
        (legs.origin, "draught_out_m", legs.first, "start_draught_m"),
    ):
        at_track = segments[of_track].to_numpy()[chains.segment[rows.member[row]]]
        at_visit = visits.table[column].take(pa.array(which, mask=which < 0)).to_numpy()
        ends.append(np.where(which >= 0, at_visit, at_track))
    change: FloatArray = np.round(ends[0] - ends[1], 2)
    return change


def _parts(rows: _Rows, legs: Legs, voyages: pa.Table, chains: Chains) -> pa.Table:
    """The `voyage_parts` table of voyages with several tracks in their span: first to last report of each in it.

    The last part goes on to the end of the span.
    """
    leg = np.searchsorted(legs.span_first, np.arange(len(rows.member)), side="right") - 1
    pair = leg * len(chains) + rows.member
    found, first = np.unique(pair, return_index=True)
    _, from_end = np.unique(pair[::-1], return_index=True)
    last = len(pair) - 1 - from_end
    of_leg, member = found // len(chains), found % len(chains)
    span_end = times_us(voyages["span_end"])[of_leg]
    goes_on = np.append(leg[1:] != leg[:-1], True)[last]
    several = np.flatnonzero(np.bincount(of_leg, minlength=len(legs))[of_leg] > 1)
    end = np.where(goes_on, span_end, rows.time_us[last])
    return VOYAGE_PARTS.build(
        {
            "voyage_id": voyages["voyage_id"].take(pa.array(of_leg[several])),
            "segment_id": chains.names.take(pa.array(member[several])),
            "mmsi": chains.mmsi[member[several]],
            "start": rows.time_us[first[several]],
            "end": end[several],
        }
    )
