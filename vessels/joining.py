"""Hulls over changes of identity: `hull_id` spans linked tracks, and stays and voyages go on under the next number.

Takes the tables of one history and the hull links; gives the same tables for hulls, with `hull_links` and
`voyage_parts`. Rows of tracks that no strong link touches stay as they are. Which tracks are one hull is settled in
`vessels.chaining`, voyages are drawn anew in `vessels.redrawing`; this file does ids and port visits.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import NO_ANCHORS
from vessels.chaining import MAX_OVERLAP_H, Absence, Chains, settle_chains
from vessels.events.port_visits import DEFAULT_STAYS, StayParameters
from vessels.instants import times_us
from vessels.legs import DEFAULT_VOYAGES, VoyageParameters
from vessels.redrawing import HullVisits, redraw_voyages, spliced
from vessels.schema import PORT_VISITS, TIMESTAMP, VOYAGE_PARTS, make_id
from vessels.track import IntArray
from vessels.units import US_PER_H
from vessels.zones import Zones

_OF_HULLS: Final = ("segments", "identities", "port_visits", "zone_presences")
"""Tables in which the rows of linked tracks get another `hull_id`; voyages are drawn anew."""
_STAYED: Final = 2
"""Confidence of a visit with a stop or a silence, of which neither entry nor exit was seen."""


def join_hulls(
    tables: Mapping[str, pa.Table],
    links: pa.Table,
    zones: Zones,
    voyages: VoyageParameters = DEFAULT_VOYAGES,
    stays: StayParameters = DEFAULT_STAYS,
    max_overlap_h: float = MAX_OVERLAP_H,
    known: pa.Table = NO_ANCHORS,
) -> dict[str, pa.Table]:
    """The tables of a history with hulls joined along the strong links, `hull_links` and `voyage_parts` beside them.

    `tables` are segments, identities, port_visits, zone_presences, voyages, sketches, silences and vessels, sorted as
    `History` says, and so is the result. `known` are the anchors of tracks that go on from before the history. Costs a
    pass over the MMSI of each table, and work on linked hulls only.
    """
    chains = settle_chains(tables["segments"], tables["silences"], links, max_overlap_h, known)
    out = {**tables, "hull_links": chains.links, "voyage_parts": VOYAGE_PARTS.empty()}
    if not len(chains):
        return out
    for name in _OF_HULLS:
        out[name] = _with_hulls(out[name], chains)
    out["port_visits"], visits = _join_visits(out["port_visits"], out["segments"], chains, stays)
    out["voyages"], out["voyage_parts"] = redraw_voyages(out, chains, visits, zones, voyages, known)
    return out


def _with_hulls(table: pa.Table, chains: Chains) -> pa.Table:
    """The table with the hull's id on the rows of linked tracks."""
    rows, member = chains.members_in(table)
    mask = np.zeros(table.num_rows, dtype=np.bool_)
    mask[rows] = True
    ids = pa.array(chains.hull_ids).take(pa.array(chains.hull[member]))
    return _replaced(table, "hull_id", pc.replace_with_mask(table["hull_id"].combine_chunks(), pa.array(mask), ids))


def _replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    column = table.schema.get_field_index(name)
    return table.set_column(column, table.schema.field(column), values)


def _join_visits(
    visits: pa.Table, segments: pa.Table, chains: Chains, parameters: StayParameters
) -> tuple[pa.Table, HullVisits]:
    """Port visits of hulls: cut where the hull was away under another number, closed and joined where it went on."""
    rows, member = chains.members_in(visits)
    own, member = _cut_at_absences(visits.take(pa.array(rows)), member, chains)
    left = pc.and_(pc.is_null(own["end"]), pa.chunked_array([pa.array(chains.goes_on[member])]))
    own = _replaced(own, "end", pc.if_else(left, own["last_seen"], own["end"]))
    joined = _bridge(own, member, chains, parameters)
    return spliced(visits, rows, joined.table, chains, segments), joined


def _cut_at_absences(visits: pa.Table, member: IntArray, chains: Chains) -> tuple[pa.Table, IntArray]:
    """A visit that seems to last through a silence in which the hull was elsewhere is one before and one after."""
    cuts = chains.absences_in(member, times_us(visits["start"]), times_us(visits["last_seen"]))
    if not cuts:
        return visits, member
    kept = np.setdiff1d(np.arange(visits.num_rows), sorted(cuts))
    pieces = [(piece, member[row]) for row in sorted(cuts) for piece in _pieces(visits, row, cuts[row])]
    cut = PORT_VISITS.build({name: [piece[name] for piece, _ in pieces] for name in PORT_VISITS.names})
    whole = PORT_VISITS.concat([visits.take(pa.array(kept)), cut])
    return whole, np.concatenate([member[kept], np.array([one for _, one in pieces], dtype=np.int64)])


def _pieces(visits: pa.Table, row: int, cuts: Sequence[Absence]) -> list[dict[str, Any]]:
    """One visit as the visits between the absences in it; counts and hours are shared out by time."""
    (visit,) = visits.slice(row, 1).to_pylist()
    times = {name: times_us(visits[name])[row] for name in ("start", "last_seen")}
    bounds = [times["start"], *(t for cut in cuts for t in (cut.start_us, cut.end_us)), times["last_seen"]]
    spans = list(zip(bounds[::2], bounds[1::2], strict=True))
    heard = sum(end - start for start, end in spans)
    out = []
    for number, (start, end) in enumerate(spans):
        first, final = number == 0, number == len(spans) - 1
        share = (end - start) / heard if heard else 1.0 / len(spans)
        seen = int(first and visit["entry_seen"]) + int(final and visit["exit_seen"])
        begin, finish = pa.array([start, end], pa.int64()).cast(TIMESTAMP).to_pylist()
        piece = {
            **visit,
            "visit_id": visit["visit_id"] if first else make_id("visit", visit["mmsi"], visit["zone_id"], int(start)),
            "start": begin,
            "end": visit["end"] if final else finish,
            "last_seen": finish,
            "entry_seen": first and visit["entry_seen"],
            "exit_seen": final and visit["exit_seen"],
            "confidence": _STAYED + seen if visit["confidence"] >= _STAYED else visit["confidence"],
            "stop_h": round(visit["stop_h"] * share, 4),
            "max_gap_h": None,
            "n_positions": max(round(visit["n_positions"] * share), 1),
        }
        piece["draught_in_m"] = visit["draught_in_m"] if first else None
        piece["draught_out_m"] = visit["draught_out_m"] if final else None
        out.append(piece)
    return out


def _bridge(visits: pa.Table, member: IntArray, chains: Chains, parameters: StayParameters) -> HullVisits:
    """Visits to one zone between which the hull changed its number there, joined to one stay of the hull.

    A silence over the change counts as a silence inside, so that a ship that goes dark as soon as it is in port, and
    leaves as soon as it is heard again, has stayed; the confidence of both visits says so.
    """
    start, last = times_us(visits["start"]), times_us(visits["last_seen"])
    zone = visits["zone_id"].to_pylist()
    ends = {key: row for row, key in enumerate(zip(member.tolist(), last.tolist(), zone, strict=True))}
    starts = {key: row for row, key in enumerate(zip(member.tolist(), start.tolist(), zone, strict=True))}
    zones_at: dict[tuple[int, int], list[str]] = {}
    for one, time, name in ends:
        zones_at.setdefault((one, time), []).append(name)
    following: dict[int, int] = {}
    for handover in chains.handovers:
        for name in zones_at.get((handover.before, handover.ended_us), []):
            after = starts.get((handover.after, handover.began_us, name))
            if after is not None:
                following[ends[handover.before, handover.ended_us, name]] = after
    first, final = np.arange(len(zone)), np.arange(len(zone))
    confidence = visits["confidence"].to_numpy().copy()
    entry, left = (visits[name].to_numpy().astype(np.int8) for name in ("entry_seen", "exit_seen"))
    until = last.copy()
    for group in _groups(following):
        first[group], final[group] = group[0], group[-1]
        until[group[:-1]] = np.maximum(last[group[:-1]], start[group[1:]])
        gap_h = max(start[b] - last[a] for a, b in pairwise(group)) / US_PER_H
        if gap_h >= parameters.port_gap_h or (confidence[group] >= _STAYED).any():
            confidence[group] = np.maximum(confidence[group], _STAYED + entry[group] + left[group])
    return HullVisits(
        table=_replaced(visits, "confidence", pa.array(confidence)),
        member=member,
        start_us=start,
        until_us=until,
        first=first,
        final=final,
    )


def _groups(following: Mapping[int, int]) -> list[list[int]]:
    """Rows that follow each other, as chains of two or more."""
    groups = []
    for row in sorted(set(following) - set(following.values())):
        group = [row]
        while group[-1] in following:
            group.append(following[group[-1]])
        groups.append(group)
    return groups
