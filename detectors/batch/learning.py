"""Learning: what is usual, learned anew each night from the window's own voyages that nothing speaks against.

Takes tonight's scene and what the written rules said of it; gives the baseline in force, `Learned`. Nothing is carried
from one night to the next: the baseline follows from the history, the window and "now", so that late data, a night run
again, or ten nights in one learn the same. How it drifts is left to `drifting`, growing the forest to the detector.

Taught by: voyages that ended a week ago or more (by then late data and links to other identities have come), that
began in sight, that no rule flags, of vessels that no step failed on, and that a forest grown from just these voyages
does not call odd. The week ends on a fixed day, so that what is usual stays the same for seven nights.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.broken import Failure, by_step, detect_surely
from detectors.batch.drifting import Anchor, BaselineDetector, Learned, Voyages, anchored, learned_record, with_drift
from detectors.batch.engine import Judged, find, in_order, judge_found, judge_voyages
from detectors.contract import Detector, PreparedDetector, Scene
from detectors.learned.baseline import Baseline, fit_baseline
from detectors.learned.drift import DRIFT
from detectors.learned.features import voyage_features
from vessels.history import History
from vessels.instants import instant_of, instant_us, times_us
from vessels.units import US_PER_DAY

BoolArray = npt.NDArray[np.bool_]

SETTLED_DAYS: Final = 7
"""Voyages teach from a week after their end. Our choice: satellite and archive files come late by days."""
STEP_DAYS: Final = 7
"""The last day of learning moves by whole weeks since 1970."""
CUT_DAYS: Final = 1
"""A voyage that is first heard within a day of the window's beginning, and left no port in it, began before it."""
MIN_VOYAGES: Final = 250
"""Fewer voyages do not replace the baseline: the least number that tells 1 in 1,000 (docs/anomaly.md)."""
MIN_VESSELS: Final = 30
"""Nor do those of fewer vessels."""
LEARNING: Final = "baseline"
"""Names, in a `Failure`, the learning of what is usual."""


def judge_and_learn(
    scene: Scene,
    detectors: Sequence[Detector],
    *,
    window_start: datetime,
    learn: bool,
    anchor: Anchor,
    leave_out_hulls: Collection[str] = (),
) -> tuple[Judged, Learned]:
    """What all detectors say: rules first, then what is usual is learned from what they leave, then the forest.

    Without `learn` the anchor is in force. Voyages of `leave_out_hulls` teach nothing. Raises what the detectors'
    UsageErrors are; any other failure is one of `failures`.
    """
    forests = [detector for detector in detectors if isinstance(detector, BaselineDetector)]
    rules = [detector for detector in detectors if not isinstance(detector, BaselineDetector)]
    by_rules = judge_found(scene.history, find(scene, rules))
    if not forests:
        return by_rules, Learned(None, "none", DRIFT.empty(), (), {"in_force": "none"})

    anchored_forest = _prepared(forests[0].with_baseline(anchor.baseline))

    def learned_from(part: Scene) -> Learned:
        return learn_baseline(
            part,
            by_rules,
            anchored_forest,
            window_start=window_start,
            learn=learn,
            anchor=anchor,
            leave_out_hulls=leave_out_hulls,
        )

    learned, failures = detect_surely(LEARNING, scene, learned_from)
    if learned is None:
        learned = anchored(anchor, "what is usual could not be learned", {})
    ready = [anchored_forest, *forests[1:]]
    by_forest = judge_found(scene.history, find(scene, [forest.with_baseline(learned.baseline) for forest in ready]))
    return _together(by_rules, by_forest, failures), learned


def _prepared(forest: BaselineDetector) -> BaselineDetector:
    """The forest grown, if it can be ahead of the scene."""
    ready = forest.prepared() if isinstance(forest, PreparedDetector) else forest
    return ready if isinstance(ready, BaselineDetector) else forest


def _together(one: Judged, other: Judged, failures: tuple[Failure, ...]) -> Judged:
    """What both said, judged together."""
    findings = in_order((*one.findings, *other.findings))
    return Judged(
        findings,
        judge_voyages(findings),
        np.where(np.isnan(other.anomaly_score), one.anomaly_score, other.anomaly_score),
        (*one.notes, *other.notes),
        by_step((*one.failures, *failures, *other.failures)),
    )


def learn_baseline(
    scene: Scene,
    by_rules: Judged,
    forest: BaselineDetector,
    *,
    window_start: datetime,
    learn: bool,
    anchor: Anchor,
    leave_out_hulls: Collection[str] = (),
) -> Learned:
    """The baseline in force tonight: learned from the scene's accepted voyages, or the anchor where they are too few.

    `by_rules` is what the detectors other than the forest said of the same scene; `forest` compares with the anchor.
    """
    history, until_us = scene.history, learned_until_us(instant_us(scene.as_of))
    reasons = _left_out(history, by_rules, window_start, leave_out_hulls)
    accepted = np.logical_and.reduce([~out for out in reasons.values()])
    last_us = times_us(history.voyages["last_seen"])
    settled = last_us < until_us
    features = voyage_features(history, scene.zones)
    newest = accepted & ~settled & _is_over(history, last_us)
    voyages = Voyages(features.filter(accepted & settled), features.filter(newest))
    result = anchored(anchor, "", {})
    if learn:
        counts = {name: int((out & settled).sum()) for name, out in reasons.items()}
        about: dict[str, Any] = {"until": instant_of(until_us), "left_out": counts}
        learned = _learned_from(_only(scene, accepted & settled), voyages.earlier, forest, about)
        if learned is None:
            result = anchored(anchor, _too_few(about), about)
        else:
            result = Learned(learned, "learned", DRIFT.empty(), (), learned_record("learned", learned, anchor, about))
    return with_drift(result, voyages, scene.zones, forest, anchor)


def learned_until_us(as_of_us: int) -> int:
    """Voyages that ended before this teach, in microseconds since 1970: a week ago, down to a whole week since 1970."""
    step = STEP_DAYS * US_PER_DAY
    return (as_of_us - SETTLED_DAYS * US_PER_DAY) // step * step


def _left_out(
    history: History, by_rules: Judged, window_start: datetime, leave_out_hulls: Collection[str]
) -> dict[str, BoolArray]:
    """Which voyages teach nothing, by reason; a voyage may have several. Shapes (voyages,)."""
    voyages, first_us = history.voyages, instant_us(window_start)
    flagged = [voyage for voyage, verdict in by_rules.verdicts.items() if verdict.is_flagged]
    broken = sorted({mmsi for failure in by_rules.failures for mmsi in failure.mmsi})
    parts = history.voyage_parts
    of_broken = parts["voyage_id"].filter(pc.is_in(parts["mmsi"], value_set=pa.array(broken, pa.int64())))
    begins_unseen = pc.is_null(voyages["origin"]).to_numpy()
    return {
        "flagged": _is_in(voyages["voyage_id"], flagged),
        "confirmed_hull": _is_in(voyages["hull_id"], sorted({hull for hull in leave_out_hulls if hull})),
        "broken_vessel": _is_in(voyages["mmsi"], broken) | _is_in(voyages["voyage_id"], of_broken.to_pylist()),
        "began_before_the_window": (times_us(voyages["start"]) <= first_us)
        | (begins_unseen & (times_us(voyages["span_start"]) < first_us + CUT_DAYS * US_PER_DAY)),
    }


def _is_in(column: pa.ChunkedArray, values: Sequence[Any]) -> BoolArray:
    found = pc.is_in(column, value_set=pa.array(values, column.type), skip_nulls=True)
    return np.asarray(found.to_numpy(), dtype=np.bool_)


def _is_over(history: History, last_us: npt.NDArray[np.int64]) -> BoolArray:
    """Which voyages ended, in a port or by being lost from sight for a day: half a voyage is shorter than a whole."""
    ended = pc.is_valid(history.voyages["end"]).to_numpy()
    return np.asarray(ended | (last_us < instant_us(history.as_of) - US_PER_DAY), dtype=np.bool_)


def _only(scene: Scene, kept: BoolArray) -> Scene:
    """The scene with these voyages only; what belongs to vessels stays."""
    history = scene.history
    return replace(scene, history=replace(history, voyages=history.voyages.filter(pa.array(kept))))


def _learned_from(scene: Scene, features: pa.Table, forest: BaselineDetector, about: dict[str, Any]) -> Baseline | None:
    """The baseline of these voyages less those that a forest grown from them calls odd; None where they are too few.

    Says in `about` how many there were.
    """
    about |= {"n_voyages_accepted": 0, "n_vessels_accepted": 0}
    if not features["is_scorable"].to_numpy().any():
        return None
    first = fit_baseline(scene.history, scene.zones, features=features)
    about |= {"n_voyages_accepted": first.n_voyages, "n_vessels_accepted": first.n_vessels}
    if first.n_voyages < MIN_VOYAGES or first.n_vessels < MIN_VESSELS:
        return None
    odd = forest.with_baseline(first).odd_references()
    about["left_out"] = {**about["left_out"], "unusual": len(odd)}
    return fit_baseline(scene.history, scene.zones, odd, features=features)


def _too_few(about: Mapping[str, Any]) -> str:
    return (
        f"{about['n_voyages_accepted']} accepted voyages of {about['n_vessels_accepted']} vessels ended in the window "
        f"before {about['until']:%Y-%m-%d}; what is usual is learned from {MIN_VOYAGES} of {MIN_VESSELS} on"
    )
