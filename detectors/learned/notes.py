"""What the forest has to say of a baseline and of a night: why nothing can be scored, and what is unlike the baseline.

Takes baselines and standardised features; gives sentences for run.json. Scores are left to `isolation_forest`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.learned.baseline import Baseline
from detectors.learned.features import FEATURES

FloatArray = npt.NDArray[np.float64]

MIN_BASELINE_VOYAGES: Final = 20
MIN_BASELINE_VESSELS: Final = 5
"""Under these a forest is grown from a handful of habits; no voyage is then scored."""

SHIFT_SPREADS: Final = 1.5
"""A feature whose median over the night lies so many spreads from the usual was measured on other data than the
baseline (another provider, another thinning), not sailed by odd ships."""
SHIFT_MIN_VOYAGES: Final = 30


def too_small(baseline: Baseline) -> bool:
    """Whether the baseline holds too little to grow a forest from."""
    return baseline.n_voyages < MIN_BASELINE_VOYAGES or baseline.n_vessels < MIN_BASELINE_VESSELS


def why_silent(baseline: Baseline | None) -> str:
    """Why no voyage is scored."""
    if baseline is None:
        return "no baseline is given and none is packaged, so no voyage is scored; learn one with `wakewatch fit`"
    return (
        f"the baseline holds {baseline.n_voyages} voyages of {baseline.n_vessels} vessels; at least "
        f"{MIN_BASELINE_VOYAGES} of {MIN_BASELINE_VESSELS} are needed, so no voyage is scored; "
        "learn a larger one with `wakewatch fit`"
    )


def notes_of(standardised: FloatArray, known: npt.NDArray[np.bool_], comparable: bool) -> tuple[str, ...]:
    """What the night as a whole says of the baseline: zones that differ, features measured on other data."""
    notes = []
    if not comparable:
        notes.append("the zones of high watch are not those of the baseline: nearness to them is left out of the score")
    for number, feature in enumerate(FEATURES):
        values = standardised[known[:, number], number]
        if len(values) >= SHIFT_MIN_VOYAGES and abs(float(np.median(values))) > SHIFT_SPREADS:
            notes.append(
                f"{feature.words}: the median of {len(values)} voyages lies {float(np.median(values)):+.1f} spreads "
                "from the baseline's; these data are unlike it, so fit a baseline on ordinary traffic of the same kind"
            )
    return tuple(notes)
