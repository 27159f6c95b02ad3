"""Hull links read from one silence: whither the hull of a silent identity went on, and whence a returning one came.

Takes the `hull_links` table (empty if no hull was linked), segments and silences; answers for one return at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.identity.heard import Fix, spans_of
from detectors.rules.identity.returns import Return
from vessels.history import History
from vessels.instants import times_us
from vessels.units import US_PER_H

_NEAR_US: Final = US_PER_H
"""A link belongs to a silence if it begins or ends with it, to the hour."""
_MOST_CHANGES: Final = 8
"""Hulls that changed their identity more often within one silence are not followed further."""


class Crossing(NamedTuple):
    """A hull that passed from one track to another; `until_us` is when the second was last heard."""

    from_segment: str
    to_segment: str
    from_mmsi: int
    to_mmsi: int
    ended_us: int
    began_us: int
    until_us: int
    probability: float
    from_name: str | None
    to_name: str | None


class Crossings:
    """The likely links of a history, by the track they leave and by the track they reach."""

    def __init__(self, history: History, probability: float) -> None:
        links = _links(history, probability)
        self._from: dict[str, list[Crossing]] = {}
        self._to: dict[str, list[Crossing]] = {}
        for one in links:
            self._from.setdefault(one.from_segment, []).append(one)
            self._to.setdefault(one.to_segment, []).append(one)
        self.silences = _touched(history.silences, links)
        """Silences by MMSI at whose begin the hull went on under another number, or at whose end it came from one."""

    def went_on(self, one: Return) -> Crossing | None:
        """The likeliest link by which the hull of a silent identity left for another number and did not come back."""
        left = self._leaving(one.before.segments, one.last.time_us, one.last.time_us)
        away = _likeliest(link for link in left if link.to_mmsi != one.after.mmsi)
        return None if away is None or self._comes_back(one) else away

    def came_from(self, one: Return) -> Crossing | None:
        """The likeliest link by which the hull of a returning identity had borne a number that is not this one's."""
        mine = {one.before.mmsi, one.after.mmsi}
        arriving = [link for link in self._arriving(one) if link.from_mmsi not in mine]
        reached = self._reached(one) if arriving else frozenset()
        return _likeliest(link for link in arriving if link.from_segment not in reached)

    def _leaving(self, segments: Iterable[str], first_us: int, last_us: int) -> list[Crossing]:
        found = [link for segment in segments for link in self._from.get(segment, ())] if self._from else []
        return [link for link in found if first_us - _NEAR_US <= link.ended_us <= last_us + _NEAR_US]

    def _arriving(self, one: Return) -> list[Crossing]:
        found = [link for segment in one.after.segments for link in self._to.get(segment, ())] if self._to else []
        return [link for link in found if abs(link.began_us - one.first.time_us) <= _NEAR_US]

    def _reached(self, one: Return) -> frozenset[str]:
        """Tracks that the old hull went on as during the silence."""
        links = self._leaving(one.before.segments, one.last.time_us, one.last.time_us)
        reached: set[str] = set()
        for _ in range(_MOST_CHANGES):
            new = {link.to_segment for link in links} - reached
            if not new:
                break
            reached |= new
            links = self._leaving(sorted(new), one.last.time_us, one.first.time_us)
        return frozenset(reached)

    def _comes_back(self, one: Return) -> bool:
        """Whether the hull that left is the one that returns, by way of another number."""
        reached = self._reached(one)
        return any(link.from_segment in reached for link in self._arriving(one))


def _likeliest(links: Iterable[Crossing]) -> Crossing | None:
    return max(links, key=lambda link: (link.probability, -link.to_mmsi, link.to_segment), default=None)


def _links(history: History, probability: float) -> list[Crossing]:
    links = history.hull_links
    links = links.filter(pc.fill_null(pc.greater_equal(links["probability"], probability), False))
    if not links.num_rows:
        return []
    until = _last_heard(history.segments, links["to_segment_id"])
    columns = {name: links[name].to_pylist() for name in links.column_names if not name.startswith("ev")}
    ended, began = times_us(links["ended"]).tolist(), times_us(links["began"]).tolist()
    return [
        Crossing(
            from_segment=columns["from_segment_id"][i],
            to_segment=columns["to_segment_id"][i],
            from_mmsi=columns["from_mmsi"][i],
            to_mmsi=columns["to_mmsi"][i],
            ended_us=ended[i],
            began_us=began[i],
            until_us=until.get(columns["to_segment_id"][i], began[i]),
            probability=columns["probability"][i],
            from_name=columns["from_name"][i],
            to_name=columns["to_name"][i],
        )
        for i in range(links.num_rows)
    ]


def _last_heard(segments: pa.Table, wanted: pa.ChunkedArray) -> dict[str, int]:
    rows = segments.filter(pc.is_in(segments["segment_id"], value_set=pc.unique(wanted)))
    return dict(zip(rows["segment_id"].to_pylist(), times_us(rows["end"]).tolist(), strict=True))


def _touched(silences: pa.Table, links: Sequence[Crossing]) -> Mapping[int, Sequence[tuple[Fix, Fix]]]:
    """Silences that a link begins or ends with."""
    if not links:
        return {}
    edges = {(one.from_segment, one.ended_us) for one in links} | {(one.to_segment, one.began_us) for one in links}
    mmsi = np.unique([number for one in links for number in (one.from_mmsi, one.to_mmsi)])
    found: dict[int, list[tuple[Fix, Fix]]] = {}
    for segment, number, start, end in spans_of(silences, mmsi.tolist()):
        if (segment, start.time_us) in edges or (segment, end.time_us) in edges:
            found.setdefault(number, []).append((start, end))
    return found
