"""Drift: how far voyages lie from a baseline, by class of ship and feature.

Takes a `Baseline` and a table of other voyages' features; gives a `DRIFT` table. A baseline that is learned anew every
night can follow what it should find: what is odd today is usual once enough ships do it. So the newest voyages are held
against the baseline in force, and that one against the baseline it began with; what moved is said, whoever moved it.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.learned.baseline import Baseline
from detectors.learned.features import FEATURES, scaled_matrix
from detectors.learned.scaling import ALL, Scaling, learn_scaling
from detectors.learned.ship_class import TextArray
from detectors.learned.spans import IntArray
from vessels.schema import Column, Table

FloatArray = npt.NDArray[np.float64]

MIN_VOYAGES: Final = 30
"""Medians and shares of fewer voyages, on either side, are not told. As `notes.SHIFT_MIN_VOYAGES`."""
MIN_VESSELS: Final = 10
"""Nor those of fewer ships. Our choice: half a dozen ships on a new charter are no drift."""
OUTER: Final = (0.05, 0.95)
"""Between these percentiles of the baseline nine in ten of its voyages lie."""
NOTABLE_SHIFT: Final = 0.5
"""A median that moved by half a spread is told,"""
NOTABLE_ORDER: Final = 0.138
"""if the whole moved with it: between normal distributions half a standard deviation apart one exceeds the other in
0.638 of all pairs (Mann and Whitney 1947). Where ships have two habits, the median alone leaps from one to the other:
measured, it made the only notable lines of two invented worlds that had not changed."""
NOTABLE_SHARE: Final = 0.15
"""So much more outside than in the baseline: its tenth has become a quarter. Our choice."""
NOTABLE_ERRORS: Final = 4.0
"""And by so many standard errors, ships counted and not voyages: of the some 300 lines of a night, chance then makes
one in fifty nights (normal, two-sided)."""
PAIRS_ERROR: Final = 12.0**-0.5
"""Standard error of that share of pairs over the root of 1/n + 1/m (Mann and Whitney 1947, many of both)."""

DRIFT: Final = Table(
    "baseline_drift",
    (
        Column("comparison", pa.string(), "newest: newest voyages against the baseline in force; learned: that against"
               " the one it began with"),
        Column("ship_class", pa.string(), "class of ship; empty: all"),
        Column("feature", pa.string(), "feature of the voyage"),
        Column("unit", pa.string(), "its unit"),
        Column("n_voyages", pa.int64(), "voyages compared in which it is known"),
        Column("n_vessels", pa.int64(), "vessels that sailed them"),
        Column("n_reference", pa.int64(), "voyages of the baseline in which it is known"),
        Column("median", pa.float64(), "median of the voyages compared"),
        Column("reference_median", pa.float64(), "median of the baseline"),
        Column("shift_spreads", pa.float64(), "how far the median moved, in spreads of the usual range"),
        Column("exceeds_share", pa.float64(), "of all pairs, share in which it exceeds the baseline's; 0.5 is alike"),
        Column("outside_share", pa.float64(), "share outside the baseline's 5th to 95th percentile, 0 to 1"),
        Column("reference_outside_share", pa.float64(), "the same of the baseline itself"),
        Column("is_notable", pa.bool_(), "moved farther than chance and habit explain"),
    ),
)  # fmt: skip
"""How far voyages lie from a baseline; sorted by comparison, class and feature in the order of `FEATURES`."""


def drift(comparison: str, reference: Baseline, table: pa.Table, vessel: IntArray, *, comparable: bool) -> pa.Table:
    """How far the voyages of a table (`BASELINE` or `VOYAGE_FEATURES` columns) lie from the reference, as `DRIFT`.

    `vessel` (rows,) tells whose each is. Without `comparable`, nearness to watched zones is left out: the zones differ.
    """
    new, old = scaled_matrix(table), scaled_matrix(reference.table)
    if not comparable:
        new[:, [feature.name == "watched_approach_nmi" for feature in FEATURES]] = np.nan
    own = np.array(table.column("ship_class").to_pylist(), dtype=np.object_)
    scaling = learn_scaling(old, reference.ship_class, reference.length_band, reference.vessel)
    rows: list[dict[str, Any]] = []
    for kind in (ALL, *sorted(set(own).intersection(reference.ship_class))):
        here, there = _of_class(own, kind), _of_class(reference.ship_class, kind)
        lines = _lines(scaling, kind, (new[here], vessel[here]), (old[there], reference.vessel[there]))
        rows += [{"comparison": comparison, "ship_class": kind, **line} for line in lines]
    return DRIFT.build({name: [row[name] for row in rows] for name in DRIFT.names})


def _of_class(ship_class: TextArray, kind: str) -> IntArray:
    return np.flatnonzero(np.ones(len(ship_class), dtype=np.bool_) if kind == ALL else ship_class == kind)


def _lines(
    scaling: Scaling, kind: str, new: tuple[FloatArray, IntArray], old: tuple[FloatArray, IntArray]
) -> Iterator[dict[str, Any]]:
    """A line for each feature that enough voyages of enough vessels know on both sides."""
    usual = scaling.groups[kind, ALL]
    for number, feature in enumerate(FEATURES):
        (values, n_vessels), (reference, n_before) = (_known(*side, number) for side in (new, old))
        if min(len(values), len(reference)) < MIN_VOYAGES or min(n_vessels, n_before) < MIN_VESSELS:
            continue
        median, before = float(np.median(values)), float(np.median(reference))
        shift = (median - before) / float(usual.spread[number])
        low, high = np.quantile(reference, OUTER)
        outside, usually = (float(np.mean((side < low) | (side > high))) for side in (values, reference))
        exceeds = _exceeds(values, reference)
        yield {
            "feature": feature.name,
            "unit": feature.unit,
            "n_voyages": len(values),
            "n_vessels": n_vessels,
            "n_reference": len(reference),
            "median": round(float(feature.original(median)), 4),
            "reference_median": round(float(feature.original(before)), 4),
            "shift_spreads": round(shift, 4),
            "exceeds_share": round(exceeds, 4),
            "outside_share": round(outside, 4),
            "reference_outside_share": round(usually, 4),
            "is_notable": _moved(shift, exceeds, 1.0 / n_vessels + 1.0 / n_before)
            or _wider(outside, usually, n_vessels, n_before),
        }


def _known(matrix: FloatArray, vessel: IntArray, number: int) -> tuple[FloatArray, int]:
    """The known values of a feature, and how many vessels they are of."""
    known = np.isfinite(matrix[:, number])
    return matrix[known, number], len(np.unique(vessel[known]))


def _exceeds(values: FloatArray, reference: FloatArray) -> float:
    """Of all pairs of a value and a reference, the share in which the value is the greater; equal ones count half."""
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return float(below.mean()) / (2 * len(reference))


def _moved(shift: float, exceeds: float, per_vessel: float) -> bool:
    least = max(NOTABLE_ORDER, NOTABLE_ERRORS * PAIRS_ERROR * per_vessel**0.5)
    return bool(abs(shift) >= NOTABLE_SHIFT and abs(exceeds - 0.5) >= least)


def _wider(outside: float, usually: float, n_vessels: int, n_before: int) -> bool:
    pooled = (outside * n_vessels + usually * n_before) / (n_vessels + n_before)
    error = (pooled * (1.0 - pooled) * (1.0 / n_vessels + 1.0 / n_before)) ** 0.5
    return bool(outside - usually >= max(NOTABLE_SHARE, NOTABLE_ERRORS * error))
