"""Unusual voyages: an isolation forest over the aspects of voyages, compared within ship class and length.

Takes a `Scene` and a `Baseline`; gives an anomaly score for every voyage that can be compared, and findings for the
few that stand out. The only file that imports scikit-learn.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ConfigDict, Field, InstanceOf, PrivateAttr
from sklearn.ensemble import IsolationForest

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.learned.baseline import Baseline, default_baseline, watched_zones_digest
from detectors.learned.calibration import Calibration, calibrate
from detectors.learned.explanation import Case, Explained, unusual_voyage
from detectors.learned.features import (
    ASPECT_OF_FEATURE,
    ASPECTS,
    FEATURE_NAMES,
    FEATURES,
    scaled_matrix,
    voyage_features,
)
from detectors.learned.notes import notes_of, too_small, why_silent
from detectors.learned.scaling import ALL, Scaling, aspects, learn_scaling, with_far_marks
from detectors.learned.ship_class import TextArray
from detectors.learned.spans import IntArray
from vessels.errors import UsageError
from vessels.parameters import Parameters
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]

FOLDS: Final = 5
"""Reference voyages are scored by forests that have not seen their vessel, in so many parts (Hastie, Tibshirani and
Friedman 2009, section 7.10: 5 or 10)."""

_THREADS: Final = 2
_ROWS_WORTH_A_THREAD: Final = 20_000
_SCORE_DECIMALS: Final = 9
"""Scores are sums over trees; rounding hides the order in which a thread pool may have added them."""
_WATCHED: Final = FEATURE_NAMES.index("watched_approach_nmi")


@dataclass(frozen=True, eq=False)
class FittedForest:
    """A grown forest with the scaling and calibrations that go with it; made by `UnusualVoyages.fit`.

    `held_out` are the raw scores of the reference voyages, by forests that have not seen their vessel. Shape (n,).
    """

    baseline: Baseline
    scaling: Scaling
    forest: IsolationForest
    calibrations: Mapping[str, Calibration]
    known_classes: frozenset[str]
    held_out: FloatArray

    def calibration(self, ship_class: str) -> Calibration:
        """The calibration of the class, or of all ships where the class has too few voyages of its own."""
        return self.calibrations.get(ship_class, self.calibrations[ALL])

    def score(self, standardised: FloatArray) -> FloatArray:
        """Raw scores, 0 to 1, higher is odder. Shape (rows,)."""
        return _score(self.forest, standardised)


@dataclass(frozen=True, eq=False)
class VoyageScores:
    """The scores of the voyages of a scene, row for row beside `history.voyages`.

    `anomaly_score` is 0 to 1, higher is odder: the share of ordinary voyages that are less odd; NaN where a voyage
    cannot be compared. `tail_probability` is what is missing to 1. `notes` say what a reader of the run must know.
    """

    voyage_ids: tuple[str, ...]
    anomaly_score: FloatArray
    tail_probability: FloatArray
    raw_score: FloatArray
    features: pa.Table
    standardised: FloatArray
    model: FittedForest | None
    watched_comparable: bool
    notes: tuple[str, ...]

    @property
    def anomaly_column(self) -> pa.Array:
        """`anomaly_score` as an Arrow column, null where a voyage cannot be compared."""
        return pa.array(self.anomaly_score, from_pandas=True)


class UnusualVoyages(Parameters):
    """The voyage as a whole is unlike ordinary voyages of its class of ship.

    Claims: among ordinary voyages of ships of that class and length, fewer than so many in a thousand are as odd, in
    speed, stops, detour, turning, silence, reporting, draught, hours or nearness to watched zones taken together;
    and which features would have to be usual for the voyage to be so.

    Reads: the measures of each voyage, the class and length claimed for the longest time on it, sketched positions,
    zones of high watch, and the baseline of reference voyages.

    Misses: voyages of less than 6 hours, 30 reports or 10 nautical miles; oddness that is usual in the baseline;
    a fraud sailed like an ordinary voyage. A small baseline finds nothing: of n voyages it tells 1 in 4 n at best.

    Known mistakes: poor reception looks like silence and uneven reporting; a provider, a thinning or a sea that the
    baseline does not know makes whole fleets odd (fit a baseline on your own traffic); surveys, pilotage, ice and
    weather are odd and innocent. Alone it is a reason to look, not a reason to suspect.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: ClassVar[str] = "isolation_forest"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = ("unusual_voyage",)

    n_trees: int = Field(
        100,
        ge=10,
        le=2000,
        description="trees in the forest. Source: Liu, Ting and Zhou 2008, section 5.2; more did not help",
    )
    max_samples: int = Field(
        512,
        ge=8,
        le=65536,
        description="voyages each tree is grown from. Source: Liu, Ting and Zhou 2008, section 5.2, find 256 enough;"
        " twice that told extremes better apart (docs/anomaly.md)",
    )
    false_alarms_per_1000: float = Field(
        3.0,
        gt=0.0,
        le=100.0,
        description="findings to expect in 1,000 ordinary voyages. Source: measured, docs/anomaly.md: at this rate"
        " 11 of the 26 invented stories stand out, and 2 of 2,151 ordinary voyages",
    )
    min_class_voyages: int = Field(
        250,
        ge=20,
        le=100_000,
        description="reference voyages from which a class of ship is calibrated by itself;"
        " under it by all ships. Source: the least number that tells 1 in 1,000",
    )
    min_class_vessels: int = Field(
        5,
        ge=1,
        le=1000,
        description="reference vessels under which a class counts as unknown: a caveat, and strength"
        " is lowered. Source: the k of the shrinkage, our choice",
    )
    unknown_class_factor: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="strength is multiplied by this where the class is unknown to the baseline."
        " Source: our choice; such a voyage is compared with ships of other classes",
    )
    max_reasons: int = Field(
        5, ge=1, le=len(FEATURES), description="features named in an explanation. Source: our choice, one screen"
    )
    baseline: InstanceOf[Baseline] | None = Field(
        default_factory=default_baseline,
        exclude=True,
        repr=False,
        description="reference voyages, by default the packaged ones. Source: `wakewatch fit`",
    )

    _model: FittedForest | None = PrivateAttr(None)

    def fit(self) -> FittedForest:
        """Grow the forest from the baseline; a fraction of a second. Raises UsageError if the baseline is too small."""
        baseline = self.baseline
        if baseline is None or too_small(baseline):
            raise UsageError(f"isolation_forest: {why_silent(baseline)}")
        matrix = scaled_matrix(baseline.table)
        ship_class, length_band, vessel = baseline.ship_class, baseline.length_band, baseline.vessel
        fold = vessel % FOLDS
        samples = min(self.max_samples, int((~np.equal.outer(range(FOLDS), fold)).sum(axis=1).min()))
        held_out = np.empty(len(matrix))
        for part in range(FOLDS):
            inside, outside = fold != part, fold == part
            scaling = learn_scaling(matrix[inside], ship_class[inside], length_band[inside], vessel[inside])
            forest = self._grow(
                scaling.standardise(matrix[inside], ship_class[inside], length_band[inside]),
                samples,
                baseline.origin.seed + 1 + part,
            )
            held_out[outside] = _score(
                forest, scaling.standardise(matrix[outside], ship_class[outside], length_band[outside])
            )
        scaling = learn_scaling(matrix, ship_class, length_band, vessel)
        forest = self._grow(scaling.standardise(matrix, ship_class, length_band), samples, baseline.origin.seed)
        return FittedForest(
            baseline,
            scaling,
            forest,
            self._calibrations(held_out, ship_class),
            frozenset(
                kind
                for (kind, band), usual in scaling.groups.items()
                if kind != ALL and band == ALL and usual.n_vessels >= self.min_class_vessels
            ),
            held_out,
        )

    def prepared(self) -> Self:
        """The same detector with its forest grown, where the baseline is large enough for one."""
        if self._model is not None or self.baseline is None or too_small(self.baseline):
            return self
        ready = self.model_copy()
        ready._model = self.fit()
        return ready

    def with_baseline(self, baseline: Baseline | None) -> Self:
        """The same detector, comparing with another baseline."""
        if baseline == self.baseline:
            return self
        other = self.model_copy(update={"baseline": baseline})
        other._model = None
        return other

    def odd_references(self) -> tuple[str, ...]:
        """Ids of the reference voyages that forests without their vessel call odd. Raises UsageError as `fit`."""
        model = self.fit()
        ship_class = model.baseline.ship_class
        probability = np.empty(len(ship_class))
        for kind in sorted(set(ship_class)):
            of_class = ship_class == kind
            probability[of_class] = model.calibration(kind).probability(model.held_out[of_class])
        ids = model.baseline.table.column("voyage_id")
        return tuple(ids.filter(pa.array(self._is_odd(probability))).to_pylist())

    def score_voyages(self, scene: Scene, model: FittedForest | None = None) -> VoyageScores:
        """Score every voyage of the scene; give `model` to grow the forest once for several scenes."""
        return self.score_features(voyage_features(scene.history, scene.zones), scene.zones, model)

    def odd_among(self, features: pa.Table, zones: Zones) -> npt.NDArray[np.bool_]:
        """Which of these voyages (`VOYAGE_FEATURES`) it calls odd. Shape (rows,)."""
        return np.asarray(self._is_odd(self.score_features(features, zones).tail_probability))

    def score_features(self, features: pa.Table, zones: Zones, model: FittedForest | None = None) -> VoyageScores:
        """Score voyages by their `VOYAGE_FEATURES`."""
        model = model or self._model
        ids = tuple(features.column("voyage_id").to_pylist())
        unscored = np.full(len(ids), np.nan)
        matrix = scaled_matrix(features)
        rows = np.flatnonzero(features.column("is_scorable").to_numpy(zero_copy_only=False))
        if model is None and self.baseline is not None and not too_small(self.baseline) and len(rows):
            model = self.fit()
        if model is None:
            why = (why_silent(self.baseline),) * bool(len(rows))
            return VoyageScores(ids, unscored, unscored, unscored, features, np.zeros_like(matrix), None, True, why)
        comparable = model.baseline.origin.watched_zones == watched_zones_digest(zones)
        if not comparable:
            matrix[:, _WATCHED] = np.nan
        ship_class = np.array(features.column("ship_class").to_pylist(), dtype=np.object_)
        length_band = np.array(features.column("length_band").to_pylist(), dtype=np.object_)
        standardised = model.scaling.standardise(matrix, ship_class, length_band)
        raw, probability = unscored.copy(), unscored.copy()
        raw[rows] = model.score(standardised[rows])
        for kind in sorted(set(ship_class[rows])):
            of_class = rows[ship_class[rows] == kind]
            probability[of_class] = model.calibration(kind).probability(raw[of_class])
        notes = notes_of(standardised[rows], np.isfinite(matrix[rows]), comparable)
        return VoyageScores(ids, 1.0 - probability, probability, raw, features, standardised, model, comparable, notes)

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The voyages that stand out, explained."""
        return self.findings(scene, self.score_voyages(scene))

    def findings(self, scene: Scene, scores: VoyageScores) -> Sequence[Finding]:
        """The findings that `scores` (of this scene) call for, in the order of `history.voyages`."""
        model = scores.model
        if model is None:
            return []
        found = np.flatnonzero(self._is_odd(scores.tail_probability))
        return [
            unusual_voyage(scene, self.name, self.version, explained)
            for explained in self._explain(scores, model, found)
        ]

    def _is_odd(self, tail_probability: FloatArray) -> npt.NDArray[np.bool_]:
        """Which voyages are rarer than findings are made from; not those that cannot be compared."""
        return np.asarray(tail_probability <= self.false_alarms_per_1000 / 1000.0)

    def _explain(self, scores: VoyageScores, model: FittedForest, rows: IntArray) -> list[Explained]:
        """Each flagged voyage with its score after each aspect in turn is brought back to the usual."""
        n_aspects = len(ASPECTS)
        of_aspect = np.equal.outer(range(n_aspects), ASPECT_OF_FEATURE)
        changed = np.where(of_aspect, 0.0, scores.standardised[rows][:, None, :]).reshape(-1, len(FEATURES))
        singly = model.score(changed).reshape(-1, n_aspects)
        classes = scores.features.column("ship_class").to_pylist()
        cases = []
        for row, without in zip(rows.tolist(), singly, strict=True):
            ship_class = classes[row]
            calibration = model.calibration(ship_class)
            case = Case(
                row=row,
                features=scores.features.slice(row, 1).to_pylist()[0],
                usual=model.scaling.usual(ship_class, scores.features.column("length_band")[row].as_py()),
                spreads=scores.standardised[row],
                raw_score=float(scores.raw_score[row]),
                score_without=without,
                probability=float(scores.tail_probability[row]),
                threshold=self.false_alarms_per_1000 / 1000.0,
                n_reference=calibration.n,
                by_class=ship_class in model.calibrations,
                least_probability=calibration.least_probability,
                n_vessels=model.baseline.n_vessels,
                known_class=ship_class in model.known_classes,
                unknown_class_factor=self.unknown_class_factor,
                watched_comparable=scores.watched_comparable,
            )
            reasons = case.reasons(self.max_reasons)
            usual_again = scores.standardised[row].copy()
            usual_again[list(reasons)] = 0.0
            rest = float(calibration.probability(model.score(usual_again[None]))[0])
            cases.append(Explained(case, reasons, rest))
        return cases

    def _grow(self, standardised: FloatArray, samples: int, seed: int) -> IsolationForest:
        forest = IsolationForest(n_estimators=self.n_trees, max_samples=samples, random_state=seed)
        return forest.fit(with_far_marks(aspects(standardised), samples).astype(np.float32))

    def _calibrations(self, held_out: FloatArray, ship_class: TextArray) -> Mapping[str, Calibration]:
        calibrations = {ALL: calibrate(held_out)}
        for kind in sorted(set(ship_class)):
            of_class = held_out[ship_class == kind]
            if len(of_class) >= self.min_class_voyages:
                calibrations[kind] = calibrate(of_class)
        return MappingProxyType(calibrations)


def _score(forest: IsolationForest, standardised: FloatArray) -> FloatArray:
    """Raw scores, higher is odder, in two threads over halves of the rows where that pays (bit-identical)."""
    if len(standardised) == 0:
        return np.empty(0)
    parts = _THREADS if len(standardised) >= _THREADS * _ROWS_WORTH_A_THREAD else 1
    with ThreadPoolExecutor(parts) as pool:
        scores = list(pool.map(forest.score_samples, np.array_split(aspects(standardised).astype(np.float32), parts)))
    result: FloatArray = np.round(-np.concatenate(scores), _SCORE_DECIMALS)
    return result
