"""The engine: a history and detectors to findings, scored voyages and verdicts.

Takes a `Scene` and detectors; gives what they said, `Judged`. A detector that fails on a vessel is run without that
vessel, see `detectors.batch.broken`; the others are not touched by it. Reading files, composing facts and writing
results are left to `detectors.batch.scan` and `detectors.batch.outputs`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.broken import Failure, by_step, detect_surely
from detectors.contract import Detector, Scene, ScoringDetector
from detectors.finding import Finding
from detectors.triage import Verdict, judge, weigh
from vessels.history import History
from vessels.instants import instant_us
from vessels.parts import voyage_tracks

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """What detectors said, before it is tied to voyages. `anomaly_score` is by row of `voyages`, NaN for none."""

    findings: tuple[Finding, ...]
    anomaly_score: FloatArray
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    def and_also(self, other: "Found") -> "Found":
        """What both said; the scores are the other's where it has any."""
        score = np.where(np.isnan(other.anomaly_score), self.anomaly_score, other.anomaly_score)
        failures = by_step((*self.failures, *other.failures))
        return Found((*self.findings, *other.findings), score, (*self.notes, *other.notes), failures)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the detectors said: findings in order, each tied to its voyage and weighed; verdicts by voyage id.

    `failures` are the vessels on which a detector failed, and what it was; its findings are those on all others.
    """

    findings: tuple[Finding, ...]
    verdicts: Mapping[str, Verdict]
    anomaly_score: FloatArray
    notes: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


def run_detectors(scene: Scene, detectors: Sequence[Detector]) -> Judged:
    """Run all detectors over a scene, tie each finding to a voyage and weigh it.

    Raises UsageError where a detector does; any other failure of a detector is one of `failures`.
    """
    return judge_found(scene.history, find(scene, detectors))


def find(scene: Scene, detectors: Sequence[Detector]) -> Found:
    """What all detectors say of a scene."""
    found = Found((), np.full(scene.history.voyages.num_rows, np.nan))
    for detector in detectors:
        found = found.and_also(_found_by(detector, scene))
    return found


def judge_found(history: History, found: Found) -> Judged:
    """Tie each finding to a voyage and weigh it; judge the voyages."""
    placed = Placement(history)
    findings = in_order(placed.placed(finding) for finding in weigh(found.findings))
    return Judged(findings, judge_voyages(findings), found.anomaly_score, found.notes, found.failures)


def _found_by(detector: Detector, scene: Scene) -> Found:
    """What one detector says, of all vessels or of those that it can be run on."""

    def detect(part: Scene) -> Found:
        if not isinstance(detector, ScoringDetector):
            return Found(_checked(detector.detect(part)), unscored)
        scores = detector.score_voyages(part)
        findings = _checked(detector.findings(part, scores))
        return Found(findings, _by_voyage(scene.history, part.history, scores.anomaly_score), tuple(scores.notes))

    unscored = np.full(scene.history.voyages.num_rows, np.nan)
    found, failures = detect_surely(detector.name, scene, detect)
    return replace(found or Found((), unscored), failures=failures)


def _checked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings; TypeError for what is none, so that it is the detector's failure and not a later step's."""
    checked = tuple(findings)
    for finding in checked:
        if not isinstance(finding, Finding):
            raise TypeError(f"gave a {type(finding).__name__} where findings are asked for")
    return checked


def _by_voyage(whole: History, part: History, score: FloatArray) -> FloatArray:
    """Scores of the voyages of a part of a history, by row of the whole's; NaN for the others."""
    if len(score) != part.voyages.num_rows:
        raise ValueError(f"gave {len(score)} scores for {part.voyages.num_rows} voyages")
    if part is whole:
        return np.asarray(score, dtype=np.float64)
    value_set = part.voyages["voyage_id"].combine_chunks()
    row = pc.fill_null(pc.index_in(whole.voyages["voyage_id"], value_set=value_set), len(score)).to_numpy()
    result: FloatArray = np.append(score, np.nan)[row]
    return result


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of the `findings` table: by vessel and time."""
    return tuple(sorted(findings, key=lambda f: (f.mmsi, f.start, f.kind, f.subject, f.finding_id)))


def judge_voyages(findings: Iterable[Finding]) -> dict[str, Verdict]:
    """The verdict on every voyage that has a finding, from the weights that its findings have."""
    by_voyage: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for finding in findings:
        if finding.voyage_id is not None:
            by_voyage[finding.voyage_id].append((finding.kind, finding.weight_db))
    return {voyage: judge(weights) for voyage, weights in by_voyage.items()}


def instants(column: pa.ChunkedArray) -> IntArray:
    """A timestamp column as int64 microseconds; null becomes the largest number."""
    filled = column.cast(pa.int64()).fill_null(np.iinfo(np.int64).max)
    result: IntArray = filled.to_numpy()
    return result


class Placement:
    """Ties findings to voyages and to the files their rows came from."""

    def __init__(self, history: History) -> None:
        voyages, coverage = history.voyages, history.coverage
        self._as_of_us = instant_us(history.as_of)
        self._voyage = voyages["voyage_id"].to_pylist()
        self._hull = voyages["hull_id"].to_pylist()
        tracks = voyage_tracks(voyages, history.voyage_parts)
        self._mmsi = tracks["mmsi"].to_numpy()
        self._segment = tracks["segment_id"].to_pylist()
        self._row = tracks["row"].to_pylist()
        self._from, self._to = instants(tracks["start"]), instants(tracks["end"])
        self._row_of = {voyage: row for row, voyage in enumerate(self._voyage)}
        self._source_mmsi = coverage["mmsi"].to_numpy()
        self._source = coverage["source_id"].to_pylist()
        self._first, self._last = instants(coverage["first_seen"]), instants(coverage["last_seen"])

    def placed(self, finding: Finding) -> Finding:
        """The finding with voyage, hull and sources filled in where the detector left them open."""
        row = self._row_of.get(finding.voyage_id) if finding.voyage_id is not None else self._find(finding)
        voyage = finding.voyage_id if row is None else self._voyage[row]
        hull = finding.hull_id or (None if row is None else self._hull[row])
        return finding.with_(voyage_id=voyage, hull_id=hull, source_ids=finding.source_ids or self._sources(finding))

    def _find(self, finding: Finding) -> int | None:
        """The row of the vessel's voyage whose span, or part under this MMSI, holds the start; else the nearest."""
        low, high = np.searchsorted(self._mmsi, [finding.mmsi, finding.mmsi + 1]).tolist()
        spans: Iterable[int] = range(low, high)
        if finding.segment_id is not None:
            spans = [span for span in spans if self._segment[span] == finding.segment_id] or spans
        start = instant_us(finding.start)
        nearest = min(
            spans,
            key=lambda span: (
                max(int(self._from[span]) - start, start - int(self._to[span]), 0),
                -int(self._from[span]),
            ),
            default=None,
        )
        return None if nearest is None else self._row[nearest]

    def _sources(self, finding: Finding) -> tuple[str, ...]:
        start = instant_us(finding.start)
        end = self._as_of_us if finding.end is None else instant_us(finding.end)
        sources: set[str] = set()
        for mmsi in (finding.mmsi, *finding.other_mmsi):
            low, high = np.searchsorted(self._source_mmsi, [mmsi, mmsi + 1]).tolist()
            sources.update(
                self._source[i] for i in range(low, high) if self._first[i] <= end and self._last[i] >= start
            )
        return tuple(sorted(sources))


def with_anomaly(voyages: pa.Table, anomaly: npt.NDArray[np.float64]) -> pa.Table:
    """The voyages table with `anomaly_score` set beside `duration_h`."""
    column: Any = pa.array(np.round(anomaly, 6), from_pandas=True)
    at = voyages.schema.get_field_index("duration_h") + 1
    field = pa.field("anomaly_score", pa.float64(), metadata={"meaning": "share of ordinary voyages less odd, 0 to 1"})
    return voyages.add_column(at, field, column)
