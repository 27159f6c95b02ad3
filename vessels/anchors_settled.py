"""Anchors made whole, once the fleet is known: the hull, the voyage and the visits that each track had at a boundary.

Takes the raw anchors of all blocks and the final tables of a history; gives the `anchors` table. A track that began
after a boundary, but whose hull had been heard before under another number or on another track, is anchored too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchoring import first_reports
from vessels.anchors import ANCHORS, START_COLUMNS, STAY_TYPE, VOYAGE_TYPE, with_values
from vessels.instants import instant_us, times_us
from vessels.parting import Cut
from vessels.schema import VOYAGES
from vessels.sketched import HullClock
from vessels.track import IntArray

_ARRIVED: Final = (
    "end",
    "destination",
    "destination_visit_id",
    "last_seen",
    "span_end",
    "n_positions",
    "end_lat",
    "end_lon",
)
_UNKNOWN: Final = frozenset({*_ARRIVED, *VOYAGES.names[VOYAGES.names.index("distance_nmi") :]})
"""What is not yet known of a voyage in progress."""
_OF_VISIT: Final = ("visit_id", "start", "entry_seen", "draught_in_m")
"""What joining hulls changes of the stays that they are in."""


def with_settled(links: pa.Table, known: pa.Table) -> pa.Table:
    """The hull links, those strong that were so where the anchors are from: more of the tracks was seen then."""
    settled = pc.unique(known["links"].combine_chunks().flatten())
    if not len(settled):
        return links
    strong = pc.or_(links["is_strong"], pc.is_in(links["link_id"], value_set=settled))
    column = links.schema.get_field_index("is_strong")
    return links.set_column(column, links.schema.field(column), strong.combine_chunks())


def settle_anchors(
    raw: Iterable[pa.Table], tables: Mapping[str, pa.Table], cuts: Sequence[Cut], known: pa.Table
) -> pa.Table:
    """The `anchors` table of all blocks, sorted by boundary, MMSI and time.

    `tables` are the final segments, silences, port visits, voyages and hull links; `known` the anchors that the history
    itself went on from.
    """
    anchors = ANCHORS.concat(raw)
    if not anchors.num_rows:
        return anchors
    bounds = np.unique(times_us(anchors["boundary"]))
    anchors = ANCHORS.concat([_renamed(anchors, cuts), _of_parts(anchors, cuts)])
    segments = tables["segments"]
    anchors = ANCHORS.concat([anchors, _of_hulls(anchors, segments, bounds, known)])
    place = pc.fill_null(pc.index_in(anchors["segment_id"], value_set=segments["segment_id"].combine_chunks()), -1)
    track = place.to_numpy().astype(np.int64)
    heard = np.flatnonzero(track >= 0)
    is_first = anchors["is_first"].to_numpy()[heard]
    first, last = heard[is_first], heard[~is_first]
    anchors = with_values(anchors, heard, {"hull_id": segments["hull_id"].take(pa.array(track[heard]))})
    starts = segments.select(START_COLUMNS).take(pa.array(track[last]))
    anchors = with_values(anchors, last, {name: starts[name] for name in START_COLUMNS})
    starts = segments.select(START_COLUMNS).take(pa.array(track[first]))
    reports = {"timestamp": "start", "lat": "start_lat", "lon": "start_lon"}
    anchors = with_values(anchors, first, {name: starts[start] for name, start in reports.items()})
    anchors = _away(anchors, tables["silences"], segments)
    anchors = _with_voyages(anchors, heard, tables["voyages"], tables["port_visits"])
    anchors = _with_visits(anchors, tables["port_visits"], segments, track)
    anchors = _with_links(anchors, heard, tables["hull_links"])
    order = [("boundary", "ascending"), ("mmsi", "ascending"), ("timestamp", "ascending"), ("segment_id", "ascending")]
    return anchors.take(pc.sort_indices(anchors.select([name for name, _ in order]), sort_keys=order)).combine_chunks()


def _renamed(anchors: pa.Table, cuts: Sequence[Cut]) -> pa.Table:
    """The anchors of parted tracks under the names of the parts that their reports lie in."""
    if not cuts:
        return anchors
    touched = _rows_named(anchors, {cut.segment_id for cut in cuts})
    time_us = times_us(anchors["timestamp"])[touched]
    own = np.array(anchors["segment_id"].take(pa.array(touched)).to_pylist(), dtype=object)
    new = own.copy()
    for cut in sorted(cuts, key=lambda one: one.after_us):
        new[(own == cut.segment_id) & (time_us > cut.before_us)] = cut.new_id
    return with_values(anchors, touched, {"segment_id": pa.array(new.tolist(), pa.string())})


def _rows_named(anchors: pa.Table, names: Iterable[str]) -> IntArray:
    found = pc.is_in(anchors["segment_id"], value_set=pa.array(sorted(names), pa.string()))
    return np.flatnonzero(found.to_numpy())


def _of_parts(anchors: pa.Table, cuts: Sequence[Cut]) -> pa.Table:
    """Anchors for the first reports of parts whose track was silent over a boundary before another hull went on."""
    rows = _rows_named(anchors, {cut.segment_id for cut in cuts})
    few = anchors.select(["segment_id", "boundary", "timestamp"]).take(pa.array(rows))
    keys = zip(few["segment_id"].to_pylist(), times_us(few["timestamp"]).tolist(), strict=True)
    ended = {(cut.segment_id, cut.before_us): cut for cut in cuts}
    found = [(ended[key], i) for i, key in enumerate(keys) if key in ended]
    boundary = times_us(few["boundary"])[[i for _, i in found]] if found else np.zeros(0, dtype=np.int64)
    part = [cut for cut, _ in found]
    mmsi, names = pa.array([cut.mmsi for cut in part], pa.int64()), pa.array([cut.new_id for cut in part], pa.string())
    return first_reports(boundary, mmsi, names)


def _of_hulls(anchors: pa.Table, segments: pa.Table, bounds: IntArray, known: pa.Table) -> pa.Table:
    """Anchors for tracks that began after a boundary, of hulls heard before it on other tracks, and not since on these.

    A hull of which one of the earlier tracks goes on is known by that one, others by the first of the new ones.
    """
    encoded = segments["hull_id"].combine_chunks().dictionary_encode()
    hull = encoded.indices.to_numpy()
    start, end = times_us(segments["start"]), times_us(segments["end"])
    began = np.full(len(encoded.dictionary), np.iinfo(np.int64).max)
    np.minimum.at(began, hull, start)
    before = pc.is_in(encoded.dictionary, value_set=known["hull_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    began[before] = np.iinfo(np.int64).min
    new = (start >= bounds[:, None]) & (began[hull] < bounds[:, None])
    for i, bound in enumerate(bounds.tolist()):
        goes_on = np.zeros(len(began), dtype=np.bool_)
        goes_on[hull[(start < bound) & (end >= bound)]] = True
        new[i] &= ~goes_on[hull]
        later = np.flatnonzero(new[i])
        later = later[np.lexsort((later, start[later], hull[later]))]
        new[i, later[1:][hull[later[1:]] == hull[later[:-1]]]] = False
    which, track = np.nonzero(new)
    names = segments["segment_id"].take(pa.array(track)).to_pylist()
    firsts = anchors.filter(anchors["is_first"])
    told = set(zip(times_us(firsts["boundary"]).tolist(), firsts["segment_id"].to_pylist(), strict=True))
    untold = [i for i, key in enumerate(zip(bounds[which].tolist(), names, strict=True)) if key not in told]
    which, track = which[untold], track[untold]
    table = segments.select(["mmsi", "segment_id"]).take(pa.array(track))
    return first_reports(bounds[which], table["mmsi"], table["segment_id"])


def _away(anchors: pa.Table, silences: pa.Table, segments: pa.Table) -> pa.Table:
    """The anchors, those of tracks whose hull was away under another number at the boundary with their return.

    If the other number was heard since the boundary, the hull is followed there and back by links, as ever.
    """
    several = _of_several(segments)
    tracks = segments.filter(pa.array(several)).select(["hull_id", "segment_id", "start", "end"])
    hull_of = dict(zip(tracks["segment_id"].to_pylist(), tracks["hull_id"].to_pylist(), strict=True))
    spans: dict[str, list[tuple[str, int, int]]] = {}
    times = (times_us(tracks[name]).tolist() for name in ("start", "end"))
    for hull, *span in zip(tracks["hull_id"].to_pylist(), tracks["segment_id"].to_pylist(), *times, strict=True):
        spans.setdefault(hull, []).append((span[0], span[1], span[2]))
    silent = silences.filter(pc.is_in(silences["segment_id"], value_set=tracks["segment_id"].combine_chunks()))
    back = {(row["segment_id"], row["start"]): row for row in silent.to_pylist() if not row["is_leap"]}
    rows = np.flatnonzero(pc.is_in(anchors["segment_id"], value_set=tracks["segment_id"].combine_chunks()).to_numpy())
    few = anchors.select(["segment_id", "timestamp", "boundary", "is_first"]).take(pa.array(rows))
    found, returns = [], []
    for row, name, time, boundary, is_first in zip(rows.tolist(), *(c.to_pylist() for c in few), strict=True):
        silence = back.get((name, time))
        if silence is None or is_first or silence["end"] < boundary:
            continue
        since, bound, until = (instant_us(one) for one in (time, boundary, silence["end"]))
        within = [
            end for other, start, end in spans[hull_of[name]] if other != name and start >= since and end <= until
        ]
        if within and max(within) < bound:
            found.append(row)
            returns.append(silence)
    there = {"timestamp": "end", "lat": "end_lat", "lon": "end_lon"}
    values: dict[str, Any] = {name: [one[of] for one in returns] for name, of in there.items()}
    types = {name: anchors.schema.field(name).type for name in ("timestamp", "lat", "lon", "stays")}
    values = {name: pa.array(column, types[name]) for name, column in values.items()}
    values |= {"is_first": pa.array([True] * len(found), pa.bool_()), "stays": pa.nulls(len(found), types["stays"])}
    return with_values(anchors, np.array(found, dtype=np.int64), values)


def _of_several(segments: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether the hull of each track has others. Shape (segments,)."""
    encoded = segments["hull_id"].combine_chunks().dictionary_encode()
    hull = encoded.indices.to_numpy()
    several: npt.NDArray[np.bool_] = np.bincount(hull, minlength=len(encoded.dictionary))[hull] > 1
    return several


def _with_voyages(anchors: pa.Table, rows: IntArray, voyages: pa.Table, visits: pa.Table) -> pa.Table:
    """The anchors with the voyage that the hull was on at the report, a stay in progress still counted to it.

    For a track that began after the boundary, the voyage that was in progress at the boundary.
    """
    hulls = pc.unique(voyages["hull_id"])
    code = pc.index_in(voyages["hull_id"], value_set=hulls).to_numpy().astype(np.int64)
    span_start = times_us(voyages["span_start"])
    order = np.lexsort((times_us(voyages["start"]), span_start, code))
    clock = HullClock(code[order], span_start[order])
    few = anchors.select(["hull_id", "is_first", "timestamp", "boundary"]).take(pa.array(rows))
    own = pc.fill_null(pc.index_in(few["hull_id"], value_set=hulls), -1).to_numpy().astype(np.int64)
    is_first = few["is_first"].to_numpy()
    time_us = np.where(is_first, times_us(few["boundary"]) - 1, times_us(few["timestamp"]))
    codes = np.append(code[order], -1)

    def found(until_us: IntArray) -> IntArray:
        at = clock.last_at(own, until_us)
        return np.where((own >= 0) & (codes[at] == own), at, -1)

    at = found(np.where(is_first, time_us, time_us - 1))
    at = np.where((at < 0) & ~is_first, found(time_us), at)
    row = np.append(order, -1)[at]
    # Of several tracks of one hull only that heard last tells, so that no voyage is told twice.
    rank = np.where(is_first & (row >= 0), np.iinfo(np.int64).max, time_us)
    by_hull = np.lexsort((rows, rank, own, times_us(few["boundary"])))
    key = np.stack([times_us(few["boundary"]), own])[:, by_hull]
    row[by_hull[:-1][(key[:, 1:] == key[:, :-1]).all(axis=0)]] = -1
    records = _voyage_records(voyages, row, time_us)
    visit = pc.index_in(pc.struct_field(records, "destination_visit_id"), value_set=visits["visit_id"].combine_chunks())
    return with_values(anchors, rows, {"voyage": records, "stop_h": visits["stop_h"].take(visit)})


def _voyage_records(voyages: pa.Table, row: IntArray, time_us: IntArray) -> pa.Array:
    """Rows of `voyages` as records, null where there is none; what was not yet known at a time is left out."""
    taken = voyages.take(pa.array(np.maximum(row, 0))) if voyages.num_rows else VOYAGES.empty()
    if not voyages.num_rows:
        return pa.nulls(len(row), VOYAGE_TYPE)
    ended = times_us(taken["end"])
    open_then = pa.array((ended > time_us) | (ended < 0))
    arrays = []
    for field in VOYAGE_TYPE:
        column = taken[field.name].combine_chunks()
        if field.name in _UNKNOWN:
            column = pc.if_else(open_then, pa.scalar(None, field.type), column)
        elif field.name == "is_open":
            column = open_then
        arrays.append(column)
    return pa.StructArray.from_arrays(arrays, fields=list(VOYAGE_TYPE), mask=pa.array(row < 0))


def _with_visits(anchors: pa.Table, visits: pa.Table, segments: pa.Table, track: IntArray) -> pa.Table:
    """The anchors of linked tracks with the ids and starts that their visits have now that hulls are joined."""
    several = np.append(_of_several(segments), False)
    rows = np.flatnonzero(several[track] & ~anchors["is_first"].to_numpy())
    if not len(rows):
        return anchors
    few = anchors.select(["segment_id", "timestamp", "stays"]).take(pa.array(rows))
    own = visits.filter(pc.is_in(visits["segment_id"], value_set=pc.unique(few["segment_id"])))
    known: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for visit in own.select(["segment_id", "zone_id", "last_seen", *_OF_VISIT]).to_pylist():
        known.setdefault((visit["segment_id"], visit["zone_id"]), []).append(visit)
    told = []
    for anchor in few.to_pylist():
        stays = []
        for stay in anchor["stays"]:
            mine = known.get((anchor["segment_id"], stay["zone_id"]), [])
            there = [one for one in mine if one["start"] <= anchor["timestamp"] <= one["last_seen"]]
            stays.append({**stay, **({name: there[-1][name] for name in _OF_VISIT} if there else {})})
        told.append(stays)
    return with_values(anchors, rows, {"stays": pa.array(told, pa.list_(STAY_TYPE))})


def _with_links(anchors: pa.Table, rows: IntArray, links: pa.Table) -> pa.Table:
    """The anchors with the strong links that lead from or to each track."""
    strong = links.filter(links["is_strong"]).select(["link_id", "from_segment_id", "to_segment_id"])
    of_track: dict[str, list[str]] = {}
    for link, *sides in zip(*(column.to_pylist() for column in strong), strict=True):
        for side in sides:
            of_track.setdefault(side, []).append(link)
    names = anchors["segment_id"].take(pa.array(rows))
    linked = np.flatnonzero(pc.is_in(names, value_set=pa.array(sorted(of_track), pa.string())).to_numpy())
    told = [sorted(of_track[name]) for name in names.take(pa.array(linked)).to_pylist()]
    return with_values(anchors, rows[linked], {"links": pa.array(told, pa.list_(pa.string()))})
