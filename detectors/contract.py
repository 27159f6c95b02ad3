"""What a detector is: a frozen record of parameters with one pure method from a scene to findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from detectors.finding import Finding
from detectors.watchlist import WatchList
from vessels.history import History
from vessels.zones import Zones


@dataclass(frozen=True, slots=True)
class Scene:
    """All a detector may look at. It must not change it."""

    history: History
    zones: Zones
    watchlist: WatchList
    as_of: datetime


@runtime_checkable
class Detector(Protocol):
    """A detector: `detect` is pure, and its findings depend neither on row order nor on the clock.

    The first lines of the class's docstring are its card: Claims, Reads, Misses, Known mistakes.
    """

    @property
    def name(self) -> str:
        """Name in findings, settings and on the command line."""

    @property
    def version(self) -> str:
        """Goes up when results change."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of finding it may make."""

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, in any order."""


class VoyageScoring(Protocol):
    """Scores of all voyages of a scene, row for row beside `history.voyages`; NaN where none can be given."""

    @property
    def anomaly_score(self) -> npt.NDArray[np.float64]:
        """0 to 1, higher is odder. Shape (voyages,)."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the run must know about the scores."""


@runtime_checkable
class PreparedDetector(Protocol):
    """A detector with work to do that depends on no scene, such as growing a forest."""

    def prepared(self) -> Detector:
        """The same detector with that work done; its findings are the same."""


@runtime_checkable
class ScoringDetector(Protocol):
    """A detector that scores every voyage and makes its findings from the scores."""

    def score_voyages(self, scene: Scene) -> VoyageScoring:
        """The scores of all voyages."""

    def findings(self, scene: Scene, scores: VoyageScoring) -> Sequence[Finding]:
        """The findings that these scores call for."""
