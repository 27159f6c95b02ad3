"""What every run writes alike: the tables of a history by name, versions, and what detectors it ran.

Takes a history or a detector; gives plain values for run.json and tables for the output folder.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from detectors.contract import Detector
from vessels.history import History

VERSIONED: Final = ("wakewatch", "numpy", "pandas", "pyarrow", "scikit-learn", "shapely", "geopandas", "pyais")
"""Packages whose version may change results."""


def history_tables(history: History) -> dict[str, pa.Table]:
    """The facts that are written as they are."""
    names = ("port_visits", "identities", "hull_links", "gaps", "loitering", "encounters", "position_events")
    return {name: getattr(history, name) for name in names}


def by_reason(rejects: pa.Table) -> dict[str, int]:
    """Rows dropped by reason, all files together, in order of the reasons' names."""
    counts: Counter[str] = Counter()
    for reason, n_rows in zip(rejects["reason"].to_pylist(), rejects["n_rows"].to_pylist(), strict=True):
        counts[reason] += n_rows
    return dict(sorted(counts.items()))


def card(detector: Detector) -> dict[str, Any]:
    """Name, version and parameters of a detector."""
    dump: Callable[..., dict[str, Any]] | None = getattr(detector, "model_dump", None)
    return {
        "name": detector.name,
        "version": detector.version,
        "parameters": dump(mode="json") if dump is not None else {},
    }
