"""Findings on claims that stand for a time, told of every voyage made under them.

Takes a finding on a claim and the voyages of its MMSI; gives one finding a voyage, so that each voyage carries what
was claimed on it and none moves when the look-back window does. Of a voyage over a change of number, only the part
under the finding's MMSI counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Finding
from detectors.rules.identity.surroundings import Surroundings
from detectors.rules.identity.thresholds import Thresholds
from vessels.history import History
from vessels.instants import instant_of, times_us
from vessels.parts import voyage_tracks

TOLD_ONCE: Final = 0.1
"""A tenth of a kind's weight moves no score that a person would notice."""


class _Span(NamedTuple):
    start_us: int
    end_us: int
    voyage_id: str
    hull_id: str | None
    segment_id: str | None


class VoyageSpans:
    """The voyages of some MMSI in order of time."""

    def __init__(self, history: History, wanted: Collection[int]) -> None:
        tracks = voyage_tracks(history.voyages, history.voyage_parts)
        tracks = tracks.filter(pc.is_in(tracks["mmsi"], value_set=pa.array(sorted(wanted), pa.int64())))
        rows = history.voyages.select(["voyage_id", "hull_id", "start", "last_seen"]).take(tracks["row"])
        known = pc.is_valid(rows["start"])
        tracks, rows = tracks.filter(known), rows.filter(known)
        whole = tracks["is_whole"].to_numpy()
        start = np.where(whole, times_us(rows["start"]), times_us(tracks["start"]))
        end = times_us(tracks["end"])
        end = np.maximum(np.where(whole, np.maximum(end, times_us(rows["last_seen"])), end), start)
        columns = [rows[name].to_pylist() for name in ("voyage_id", "hull_id")]
        columns.append(tracks["segment_id"].to_pylist())
        self._spans: dict[int, list[_Span]] = {}
        self._of_hull: dict[tuple[int, str | None], list[_Span]] = {}
        for mmsi, *values in zip(tracks["mmsi"].to_pylist(), start.tolist(), end.tolist(), *columns, strict=True):
            self._spans.setdefault(mmsi, []).append(_Span(*values))
        self._spans = {mmsi: _one_a_voyage(spans) for mmsi, spans in self._spans.items()}
        for spans in self._spans.values():
            spans.sort(key=lambda span: (span.start_us, span.voyage_id))
        for mmsi, spans in self._spans.items():
            for span in spans:
                self._of_hull.setdefault((mmsi, span.hull_id), []).append(span)

    def told_of_each(self, finding: Finding, first_us: int, last_us: int, hull_id: str | None) -> list[Finding]:
        """The finding once for each voyage of its MMSI (and hull) between two times; once as it is if there is none.

        A finding weaker than `TOLD_ONCE` is told once: it would weigh nothing and fill the table.
        """
        if finding.strength < TOLD_ONCE:
            return [finding]
        told = [
            _told(finding, span, max(first_us, span.start_us), min(last_us, span.end_us))
            for span in self._of(finding.mmsi, hull_id)
            if span.start_us <= last_us and (span.end_us > first_us or span.start_us == span.end_us == first_us)
        ]
        return told or [finding]

    def told_of_later(self, finding: Finding, after_us: int, hull_id: str | None) -> list[Finding]:
        """The finding once for each voyage of its MMSI (and hull) that began after a time."""
        spans = self._of(finding.mmsi, hull_id)
        return [_told(finding, span, span.start_us, span.end_us) for span in spans if span.start_us > after_us]

    def _of(self, mmsi: int, hull_id: str | None) -> list[_Span]:
        if hull_id is None:
            return self._spans.get(mmsi, [])
        return self._of_hull.get((mmsi, hull_id), []) + self._of_hull.get((mmsi, None), [])


def _one_a_voyage(spans: Sequence[_Span]) -> list[_Span]:
    """Parts of one voyage under one MMSI as one span, in the name of the track that came first."""
    found: dict[str, _Span] = {}
    for span in sorted(spans):
        first = found.setdefault(span.voyage_id, span)
        found[span.voyage_id] = first._replace(end_us=max(first.end_us, span.end_us))
    return list(found.values())


def _told(finding: Finding, span: _Span, start_us: int, end_us: int) -> Finding:
    return finding.with_(
        start=instant_of(start_us),
        end=instant_of(end_us),
        voyage_id=span.voyage_id,
        segment_id=span.segment_id,
        hull_id=span.hull_id,
        subject=f"{finding.subject} {span.voyage_id}".strip(),
    )


@dataclass(frozen=True, slots=True)
class Lookups:
    """What every rule on numbers looks things up in."""

    surroundings: Surroundings
    voyages: VoyageSpans
    thresholds: Thresholds
