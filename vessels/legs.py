"""Legs: where a track is cut into voyages, at its port visits.

Takes `Segments` and `Visits`; gives the rows of each voyage. What is measured of a voyage is in `vessels.voyages`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.port_visits import Visits
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray


class VoyageParameters(Parameters):
    """When a stay ends a voyage, and what counts as moving, stopped, slow or silent."""

    min_confidence: int = Field(
        2,
        ge=1,
        le=4,
        description="Port visits of this confidence end a voyage. "
        "Source: Global Fishing Watch voyages (confidence 2 to 4).",
    )
    thin_min: float = Field(
        10.0,
        gt=0,
        le=120,
        description="Measures of motion take one report in this time. Source: judgement; the usual thinning of shipped "
        "archives is 1 to 10 minutes.",
    )
    moving_kn: float = Field(
        3.0,
        gt=0,
        le=20,
        description="Under way from this speed. "
        "Source: ITU-R M.1371-5 (moored or anchored ships report faster over 3 kn).",
    )
    slow_kn: float = Field(
        2.0, gt=0, le=20, description="Slow under this speed. Source: Global Fishing Watch loitering (under 2 kn)."
    )
    stop_at_sea_h: float = Field(
        0.5, gt=0, le=48, description="Slow for this long outside ports is a stop at sea. Source: judgement."
    )
    silence_h: float = Field(
        2.0,
        gt=0,
        le=240,
        description="Longer intervals are silences and count neither as moving nor as slow. Source: judgement; over "
        "ten times the longest interval of any set (ITU-R M.1371-5: 3 minutes) and of a thinned archive.",
    )
    short_voyage_nmi: float = Field(
        20.0, gt=0, le=500, description="No detour is told for voyages that end nearer than this. Source: judgement."
    )


DEFAULT_VOYAGES: Final = VoyageParameters()


@dataclass(frozen=True, slots=True)
class Legs:
    """Voyages as row intervals, sorted by (segment, start). All shapes (k,).

    `first`, `last`: rows of start and end, both included. `origin`, `destination`: numbers of visits, -1 where not
    seen. `span_first`: the first row that belongs to the voyage; it ends where the next one's begins.
    """

    segment: IntArray
    first: IntArray
    last: IntArray
    origin: IntArray
    destination: IntArray
    span_first: IntArray

    def __len__(self) -> int:
        return len(self.segment)


class Call(NamedTuple):
    """A stay that ends a voyage, first and last row (or instant) included; `visit` is the number of its visit."""

    segment: int
    visit: int
    first: int
    last: int


def find_legs(
    segments: Segments,
    visits: Visits,
    parameters: VoyageParameters = DEFAULT_VOYAGES,
    under_way: npt.NDArray[np.bool_] | None = None,
) -> Legs:
    """Cut every segment at its calls. Visits that overlap in time are one call, named after the one with most stop.

    `under_way` (s,) marks segments before whose first row a voyage had begun: a call at that row ends it.
    """
    stays = visits.stays
    sure = np.flatnonzero(visits.confidence >= parameters.min_confidence)
    columns = (stays.segment[sure], sure, stays.first[sure], stays.last[sure])
    calls = (Call(*values) for values in zip(*(column.tolist() for column in columns), strict=True))
    return cut_at_calls(segments.offsets, merge_calls(calls, visits.stop_h), under_way)


def cut_at_calls(offsets: IntArray, calls: Iterable[Call], under_way: npt.NDArray[np.bool_] | None = None) -> Legs:
    """Cut the segments whose rows `offsets` gives at calls (in rows), which are sorted and do not overlap.

    `under_way` as in `find_legs`.
    """
    rows: list[tuple[int, int, int, int, int, int]] = []
    by_segment: dict[int, list[Call]] = {}
    for call in calls:
        by_segment.setdefault(call.segment, []).append(call)
    begins, ends = offsets[:-1].tolist(), (offsets[1:] - 1).tolist()
    reached = frozenset(() if under_way is None else np.flatnonzero(under_way).tolist())
    for segment, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        origin, leave, span = -1, begin, begin
        for _, visit, first, last in by_segment.get(segment, []):
            if first > begin or last == end or segment in reached:
                rows.append((segment, leave, first, origin, visit, span))
                span = last
            origin, leave = visit, last
        if leave < end or (begin == end and origin < 0):
            rows.append((segment, leave, end, origin, -1, span))
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return Legs(*(np.ascontiguousarray(column) for column in table.T))


def merge_calls(stays: Iterable[Call], stop_h: npt.NDArray[np.float64]) -> list[Call]:
    """Stays of one segment that overlap as one call, named after the visit with most stop. Sorted by (segment, first).

    `stop_h` is looked up by visit.
    """
    calls: list[Call] = []
    for stay in stays:
        if calls and calls[-1].segment == stay.segment and stay.first <= calls[-1].last:
            known = calls[-1]
            main = stay.visit if stop_h[stay.visit] > stop_h[known.visit] else known.visit
            calls[-1] = Call(known.segment, main, known.first, max(known.last, stay.last))
        else:
            calls.append(stay)
    return calls
