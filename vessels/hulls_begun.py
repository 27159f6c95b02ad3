"""Hulls that had begun before the history: the voyage that each was on, under whichever number it was heard last.

Takes chains and the anchors of their tracks; gives `HullsBegun` and puts what it knows into the `voyages` table. Which
tracks are one hull is left to `vessels.chaining`, voyages of one track to `vessels.continued_voyages`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import with_values
from vessels.chaining import Chains, places_of
from vessels.instants import times_us
from vessels.legs import Legs
from vessels.track import IntArray

_EVER: Final = np.iinfo(np.int64).min
_ORIGINS: Final = ("origin", "origin_visit_id")
_REACHED: Final = ("destination", "destination_visit_id")


@dataclass(frozen=True, slots=True)
class HullsBegun:
    """For each hull from when on its reports count, and its last report before the history. Shapes (hulls,).

    `ended_us` is when the voyage ended whose port the hull lay in then. All are the least integer where there is none,
    so for hulls that began since. `anchors` has a row for each of the others, `hull` (k,) says
    which these are.
    """

    since_us: IntArray
    report_us: IntArray
    ended_us: IntArray
    hull: IntArray
    anchors: pa.Table

    def calls_since(self, hull: IntArray, start_us: IntArray, until_us: IntArray) -> IntArray:
        """When the hulls' stays began: those in progress before the history, with the arrival there. Shape (k,)."""
        report, ended = self.report_us[hull], self.ended_us[hull]
        lay = (ended > _EVER) & (start_us <= report) & (until_us >= report)
        return np.where(lay, np.minimum(start_us, ended), start_us)


def hulls_begun(chains: Chains, known: pa.Table) -> HullsBegun:
    """What anchors know of the hulls of chains: of several tracks of one hull, that of the one heard last."""
    member = places_of(known["segment_id"], chains.names)
    own = np.flatnonzero(member >= 0)
    known, member = known.take(pa.array(own)), member[own]
    voyage = known["voyage"].combine_chunks()
    start, end, span_start = (
        times_us(pa.chunked_array([pc.struct_field(voyage, name)])) for name in ("start", "end", "span_start")
    )
    report = times_us(known["timestamp"])
    hull = chains.hull[member]
    rows = np.flatnonzero(voyage.is_valid().to_numpy(zero_copy_only=False))
    rows = rows[np.lexsort((span_start[rows], report[rows], hull[rows]))]
    last = rows[np.append(hull[rows][1:] != hull[rows][:-1], True)] if len(rows) else rows
    since, heard, ended = np.full((3, len(chains.hull_ids)), _EVER)
    since[hull[last]], heard[hull[last]] = np.minimum(start[last], report[last]), report[last]
    ended[hull[last]] = end[last]
    return HullsBegun(since, heard, ended, hull[last], known.take(pa.array(last)))


def with_beginnings(voyages: pa.Table, legs: Legs, begun: HullsBegun) -> pa.Table:
    """The voyages of these legs, the first of each hull with where it came from. `legs.segment` are hulls."""
    row = np.searchsorted(legs.segment, begun.hull)
    has_leg = np.flatnonzero(np.append(legs.segment, -1)[row] == begun.hull)
    row = row[has_leg]
    voyage = begun.anchors["voyage"].combine_chunks().take(pa.array(has_leg))
    known = {name: pc.struct_field(voyage, name) for name in ("start", "end", "span_start", *_ORIGINS, *_REACHED)}
    start, end, span_start = (times_us(pa.chunked_array([known[name]])) for name in ("start", "end", "span_start"))
    begins = times_us(voyages["start"])[row]
    came = (legs.origin[row] < 0) & (start == begins)
    out = with_values(voyages, row[came], {name: pc.filter(known[name], pa.array(came)) for name in _ORIGINS})
    ended = came & (times_us(voyages["end"])[row] == end) & (end > start)
    out = with_values(out, row[ended], {name: pc.filter(known[name], pa.array(ended)) for name in _REACHED})
    spanned = span_start <= begins
    return with_values(out, row[spanned], {"span_start": pc.filter(known["span_start"], pa.array(spanned))})
