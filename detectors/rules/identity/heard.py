"""When and where ships were on the air: tracks taken apart at their long silences.

Takes the history's segments and silences of the few MMSI asked about; answers where they were heard last and first.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.history import History
from vessels.instants import times_us


class Fix(NamedTuple):
    """When and where an identity was heard; NaN where its position was not."""

    time_us: int
    lat: float
    lon: float


class Stretch(NamedTuple):
    """A part of a track without a long silence."""

    first: Fix
    last: Fix


class Heard:
    """When and where some MMSI were on the air, and on which tracks."""

    def __init__(self, history: History, wanted: Collection[int]) -> None:
        silences: dict[str, list[tuple[Fix, Fix]]] = {}
        for segment_id, _, start, end in spans_of(history.silences, wanted):
            silences.setdefault(segment_id, []).append((start, end))
        self._of_mmsi: dict[int, list[Stretch]] = {}
        self._of_segment: dict[str, list[Stretch]] = {}
        for segment_id, mmsi, start, end in spans_of(history.segments, wanted):
            begin = start
            stretches = self._of_segment.setdefault(segment_id, [])
            for fell, woke in sorted(silences.get(segment_id, ())):
                stretches.append(Stretch(begin, fell))
                begin = woke
            stretches.append(Stretch(begin, end))
            self._of_mmsi.setdefault(mmsi, []).extend(stretches)
        for found in self._of_mmsi.values():
            found.sort()

    def longest_silence(self, mmsi: int, last: Fix, first: Fix) -> tuple[Fix, Fix]:
        """The longest time within a span in which nothing was heard of an MMSI; the span itself if no track is known.

        The places are those of the tracks on both sides of it.
        """
        best, until = (last, last), last
        for stretch in [*self._of_mmsi.get(mmsi, ()), Stretch(first, first)]:
            begin, end = stretch
            if end.time_us < last.time_us or begin.time_us > first.time_us:
                continue
            if begin.time_us - until.time_us > best[1].time_us - best[0].time_us:
                best = (until, begin)
            until = max(until, end, key=lambda fix: (fix.time_us, np.isfinite(fix.lat)))
        return best

    def stretch(self, segment_id: str | None, time_us: int) -> Stretch | None:
        """The stretch of a track that was on the air at a time."""
        for one in self._of_segment.get(segment_id or "", ()):
            if one.first.time_us <= time_us <= one.last.time_us:
                return one
        return None


def spans_of(table: pa.Table, wanted: Collection[int]) -> Iterator[tuple[str, int, Fix, Fix]]:
    keep = pc.is_in(table["mmsi"], value_set=pa.array(sorted(wanted), pa.int64()))
    rows = table.filter(pc.and_(keep, pc.and_(pc.is_valid(table["start"]), pc.is_valid(table["end"]))))
    places = [pc.fill_null(rows[name], np.nan).to_pylist() for name in ("start_lat", "start_lon", "end_lat", "end_lon")]
    times = times_us(rows["start"]).tolist(), times_us(rows["end"]).tolist()
    names = rows["segment_id"].to_pylist(), rows["mmsi"].to_pylist()
    for segment_id, mmsi, start, end, lat, lon, end_lat, end_lon in zip(*names, *times, *places, strict=True):
        yield segment_id or "", mmsi, Fix(start, lat, lon), Fix(end, end_lat, end_lon)
