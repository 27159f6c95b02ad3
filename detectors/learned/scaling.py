"""What is usual for a class of ship: centre and 10th to 90th percentile of each feature, by class and length band.

Takes features on their scales of comparison (`features.scaled_matrix`) with class, band and vessel of each row;
gives `Scaling`, which brings any voyage to "how many spreads from the usual of its class". Groups that few ships
make up lean on coarser ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.learned.features import ASPECTS, FEATURE_NAMES, FEATURES
from detectors.learned.ship_class import UNKNOWN, TextArray
from detectors.learned.spans import IntArray

FloatArray = npt.NDArray[np.float64]

USUAL_RANGE: Final = (0.1, 0.5, 0.9)
NORMAL_RANGE_SPREADS: Final = 2.5631
"""The 10th to 90th percentile of a normal distribution spans 2.5631 standard deviations."""

SHRINKAGE_VESSELS: Final = 5.0
"""k of `usual = (m * own + k * coarser) / (m + k)`, m the vessels of the group: five ships count as much as all the
coarser group together. The form is the credibility estimate of Buehlmann (1967); k is our choice."""

MAX_SPREADS: Final = 10.0
"""What lies farther from the usual is brought to this distance: one absurd number must not stretch a whole axis."""

USUAL_SPREADS: Final = 1.5
"""An aspect nearer to the usual than this is usual and not told apart further: else a forest calls the most ordinary
voyages odd for being at an edge. Measured: of 0, 0.5, 1, 1.5 and 2 the one that ranks best (docs/anomaly.md)."""

MARKS_PER_TREE: Final = 3
"""Marks far out in each aspect that a tree sees on average; 1 to 4 find alike, 3 are rarely all missed (5 %)."""

ALL: Final = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in one group, on the scales of comparison; NaN where a feature was never known. Shapes (features,).

    `n_vessels` and `n_voyages` say how many the group itself holds.
    """

    low: FloatArray
    centre: FloatArray
    high: FloatArray
    n_vessels: int
    n_voyages: int

    @property
    def spread(self) -> FloatArray:
        """Width of the usual range in standard deviations of a normal, never under the feature's resolution."""
        least = [
            float(feature.scaled(feature.original(centre) + feature.resolution) - centre)
            for feature, centre in zip(FEATURES, self.centre, strict=True)
        ]
        return np.maximum((self.high - self.low) / NORMAL_RANGE_SPREADS, least)


@dataclass(frozen=True, slots=True)
class Scaling:
    """The usual of every group: all ships `("", "")`, a class `("cargo", "")`, a class and band of length."""

    groups: Mapping[tuple[str, str], Usual]

    def usual(self, ship_class: str, length_band: str) -> Usual:
        """The usual of the finest group known for this class and band."""
        for key in ((ship_class, length_band), (ship_class, ALL)):
            if key in self.groups:
                return self.groups[key]
        return self.groups[ALL, ALL]

    def standardise(self, matrix: FloatArray, ship_class: TextArray, length_band: TextArray) -> FloatArray:
        """Spreads from the usual of each row's group; what is unknown counts as usual (0). Shape of `matrix`."""
        result = np.zeros_like(matrix)
        names = [f"{kind}\x1f{band}" for kind, band in zip(ship_class, length_band, strict=True)]
        for name, rows in _rows_by_name(names):
            usual = self.usual(*name.split("\x1f"))
            spreads = (matrix[rows] - usual.centre) / usual.spread
            result[rows] = np.where(np.isfinite(spreads), np.clip(spreads, -MAX_SPREADS, MAX_SPREADS), 0.0)
        return result


def aspects(standardised: FloatArray) -> FloatArray:
    """How far each aspect of a voyage is from the usual: root mean square over its features. Shape (rows, aspects).

    Never under `USUAL_SPREADS`, so all that is usual is one value. A forest over single features asks about one in
    seventeen at each split and tells little of an oddity that shows in one or two; over aspects it finds more
    (measured, docs/anomaly.md).
    """
    distances = [
        np.sqrt(np.mean(np.square(standardised[:, [FEATURE_NAMES.index(name) for name in names]]), axis=1))
        for _, names in ASPECTS
    ]
    result: FloatArray = np.maximum(np.column_stack(distances), USUAL_SPREADS)
    return result


def with_far_marks(rows: FloatArray, samples: int) -> FloatArray:
    """Rows to grow a forest from: the `aspects` given, and marks far out in one aspect and usual in all others.

    A tree splits only between values it has seen. Without marks an aspect in which the baseline never varies could
    not make any voyage odd (measured: a draught changed by 5 m went from rank 0.49 to 0.97, docs/anomaly.md). There
    are so many that a tree of `samples` rows sees `MARKS_PER_TREE` an aspect, whatever the number of rows: forests of
    different size then score alike.
    """
    marks = np.full((len(ASPECTS), len(ASPECTS)), USUAL_SPREADS)
    np.fill_diagonal(marks, MAX_SPREADS)
    return np.vstack([rows, *[marks] * round(MARKS_PER_TREE * len(rows) / samples)])


def learn_scaling(matrix: FloatArray, ship_class: TextArray, length_band: TextArray, vessel: IntArray) -> Scaling:
    """The usual of every class and band in these rows, shrunk towards the coarser group by `SHRINKAGE_VESSELS`."""
    groups = {(ALL, ALL): _usual(matrix, vessel, None)}
    for kind, rows in _rows_by_name(ship_class):
        groups[kind, ALL] = _usual(matrix[rows], vessel[rows], groups[ALL, ALL])
        for band, within in _rows_by_name(length_band[rows]):
            if band != UNKNOWN:
                groups[kind, band] = _usual(matrix[rows[within]], vessel[rows[within]], groups[kind, ALL])
    return Scaling(MappingProxyType(groups))


def _rows_by_name(names: TextArray | list[str]) -> list[tuple[str, IntArray]]:
    found, code = np.unique(np.asarray(names, dtype=np.object_), return_inverse=True)
    return [(str(name), np.flatnonzero(code == number)) for number, name in enumerate(found)]


def _usual(matrix: FloatArray, vessel: IntArray, coarser: Usual | None) -> Usual:
    own = _quantiles(matrix)
    if coarser is not None:
        vessels = _vessels_that_know(matrix, vessel)
        weight = vessels / (vessels + SHRINKAGE_VESSELS)
        parent = np.stack([coarser.low, coarser.centre, coarser.high])
        own = np.where(
            np.isfinite(own), weight * np.where(np.isfinite(own), own, 0.0) + (1.0 - weight) * parent, parent
        )
    return Usual(own[0], own[1], own[2], len(np.unique(vessel)), len(matrix))


def _vessels_that_know(matrix: FloatArray, vessel: IntArray) -> FloatArray:
    """How many vessels have a value of each feature. Shape (features,)."""
    order = np.argsort(vessel, kind="stable")
    starts = np.flatnonzero(np.diff(vessel[order], prepend=-1))
    counts: FloatArray = np.logical_or.reduceat(np.isfinite(matrix[order]), starts).sum(axis=0).astype(np.float64)
    return counts


def _quantiles(matrix: FloatArray) -> FloatArray:
    """The usual range of each column, unknown values left out, NaN where all are unknown. Shape (3, features)."""
    ordered = np.sort(matrix, axis=0)  # NaN last
    known = np.isfinite(matrix).sum(axis=0)
    place = np.array(USUAL_RANGE)[:, None] * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    column = np.arange(matrix.shape[1])
    low, high = ordered[below, column], ordered[above, column]
    result: FloatArray = low + (high - low) * (place - below)
    return result
