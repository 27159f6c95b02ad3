"""What a scan said, laid out for counting: findings, every voyage's rank and band, strong hull links.

Takes the tables of a scan; gives a `View`. Voyages are ranked by the weight of evidence of all their findings, flagged
or not, whatever the alert budget; equal ones share the middle of their ranks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from detectors.batch.result import Result
from detectors.triage import FLAG_SCORE, judge
from vessels.instants import instant_us

UNFLAGGED: Final = "none"
"""In the place of a band: too little evidence for the voyage to be flagged."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One finding: its kind, the MMSI it names, its time, its voyage."""

    finding_id: str
    kind: str
    mmsi: frozenset[int]
    start_us: int
    end_us: int
    voyage_id: str | None

    def meets(self, mmsi: Sequence[int] | frozenset[int], start_us: int, end_us: int) -> bool:
        """Whether it names one of these MMSI (any, where there are none) and overlaps a time."""
        return self.start_us <= end_us and self.end_us >= start_us and (not mmsi or not self.mmsi.isdisjoint(mmsi))


@dataclass(frozen=True, slots=True)
class Passage:
    """One voyage: its time, rank among all, score and band."""

    voyage_id: str
    start_us: int
    end_us: int
    rank: float
    score: float
    band: str
    evidence_db: float


@dataclass(frozen=True, slots=True)
class StrongLink:
    """One link that settles a hull."""

    link_id: str
    from_mmsi: int
    to_mmsi: int
    ended_us: int
    began_us: int
    from_place: tuple[float, float]
    to_place: tuple[float, float]


@dataclass(frozen=True)
class View:
    """A scan's findings (also by kind and MMSI), voyages by MMSI, and strong links."""

    findings: tuple[Sighting, ...]
    by_kind_and_mmsi: Mapping[tuple[str, int], Sequence[Sighting]]
    passages: Mapping[int, Sequence[Passage]]
    links: tuple[StrongLink, ...]
    n_voyages: int

    @cached_property
    def flagged(self) -> frozenset[str | None]:
        """Voyages with evidence enough to be flagged."""
        every = (passage for passages in self.passages.values() for passage in passages)
        return frozenset(passage.voyage_id for passage in every if passage.band != UNFLAGGED)

    def about(self, finding: Sighting) -> bool:
        """Whether this scan has a finding of the same kind that names one of the same MMSI at a time in common."""
        return any(
            other.meets(finding.mmsi, finding.start_us, finding.end_us)
            for mmsi in finding.mmsi
            for other in self.by_kind_and_mmsi.get((finding.kind, mmsi), ())
        )

    def during(self, mmsi: Sequence[int], start_us: int, end_us: int) -> list[Passage]:
        """Voyages of these MMSI (all, where there are none) at a time; each once."""
        found = {
            passage.voyage_id: passage
            for number in (mmsi or self.passages)
            for passage in self.passages.get(number, ())
            if passage.start_us <= end_us and passage.end_us >= start_us
        }
        return list(found.values())


def view_of(result: Result) -> View:
    """The view of one scan."""
    as_of_us = instant_us(result.run.as_of)
    findings = tuple(_sightings(result.tables["findings"], as_of_us))
    by_kind: dict[tuple[str, int], list[Sighting]] = defaultdict(list)
    for finding in findings:
        for mmsi in finding.mmsi:
            by_kind[finding.kind, mmsi].append(finding)
    passages = _passages(result, as_of_us)
    return View(findings, by_kind, passages, _links(result.history.hull_links), result.history.voyages.num_rows)


def _micro(column: pa.ChunkedArray, empty_us: int) -> list[int]:
    values: list[int] = column.cast(pa.int64()).fill_null(empty_us).to_pylist()
    return values


def _sightings(table: pa.Table, as_of_us: int) -> list[Sighting]:
    columns = zip(
        table["finding_id"].to_pylist(),
        table["kind"].to_pylist(),
        table["mmsi"].to_pylist(),
        table["other_mmsi"].to_pylist(),
        _micro(table["start"], 0),
        _micro(table["end"], as_of_us),
        table["voyage_id"].to_pylist(),
        strict=True,
    )
    return [
        Sighting(finding_id, kind, frozenset([mmsi, *(others or ())]), start, end, voyage)
        for finding_id, kind, mmsi, others, start, end, voyage in columns
    ]


def _passages(result: Result, as_of_us: int) -> dict[int, list[Passage]]:
    findings, voyages, parts = result.tables["findings"], result.history.voyages, result.history.voyage_parts
    weights: dict[str, list[tuple[str, float]]] = defaultdict(list)
    rows = (findings[name].to_pylist() for name in ("voyage_id", "kind", "weight_db"))
    for voyage, kind, weight in zip(*rows, strict=True):
        if voyage is not None:
            weights[voyage].append((kind, weight))
    ids: list[str] = voyages["voyage_id"].to_pylist()
    verdicts = {voyage: judge(found) for voyage, found in weights.items()}
    nothing = judge([])
    ranks = _ranks(np.array([verdicts.get(voyage, nothing).evidence_db for voyage in ids]))
    made: dict[str, Passage] = {}
    out: dict[int, list[Passage]] = defaultdict(list)
    times = zip(_micro(voyages["span_start"], 0), _micro(voyages["span_end"], as_of_us), strict=True)
    for voyage, mmsi, (start, end), rank in zip(ids, voyages["mmsi"].to_pylist(), times, ranks, strict=True):
        verdict = verdicts.get(voyage, nothing)
        band = verdict.band if verdict.score >= FLAG_SCORE else UNFLAGGED
        made[voyage] = Passage(voyage, start, end, rank, verdict.score, band, verdict.evidence_db)
        out[mmsi].append(made[voyage])
    for voyage, mmsi in zip(parts["voyage_id"].to_pylist(), parts["mmsi"].to_pylist(), strict=True):
        if voyage in made and made[voyage] not in out[mmsi]:
            out[mmsi].append(made[voyage])
    return out


def _ranks(evidence_db: Any) -> list[float]:
    """1 is the heaviest; equal ones share the middle of their ranks.

    >>> _ranks(np.array([5.0, 9.0, 5.0]))
    [2.5, 1.0, 2.5]
    """
    _, group, size = np.unique(-evidence_db, return_inverse=True, return_counts=True)
    above = np.cumsum(size) - size
    ranks: list[float] = (above + (size + 1) / 2)[group].tolist()
    return ranks


def _links(table: pa.Table) -> tuple[StrongLink, ...]:
    rows = table.filter(table["is_strong"]) if table.num_rows else table
    ended, began = _micro(rows["ended"], 0), _micro(rows["began"], 0)
    wanted = ("link_id", "from_mmsi", "to_mmsi", "from_lat", "from_lon", "to_lat", "to_lon")
    return tuple(
        StrongLink(link_id, one, other, start, end, (from_lat, from_lon), (to_lat, to_lon))
        for (link_id, one, other, from_lat, from_lon, to_lat, to_lon), start, end in zip(
            zip(*(rows[name].to_pylist() for name in wanted), strict=True), ended, began, strict=True
        )
    )
