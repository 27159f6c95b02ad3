"""From a raw score to "odder than how many ordinary voyages": ranks in the bulk, a fitted tail beyond.

Takes scores of reference voyages by forests that had not seen them; gives the probability that an ordinary voyage
scores as high. A tail is fitted because 1 in 1,000 cannot be counted among a few hundred.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TAIL_SHARE: Final = 0.05
"""The highest twentieth of the reference scores makes the tail (measured, see `Calibration`)."""

EXTRAPOLATION: Final = 4.0
"""From n reference voyages no probability under 1/(4 n) is told. Our choice: 250 voyages suffice for 1 in 1,000,
which is as far as the measurements in docs/anomaly.md go."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Reference scores, sorted, and an exponential tail above `threshold`.

    Excesses over a high threshold follow a generalised Pareto law (Pickands 1975; Coles 2001, chapter 4). Its shape is
    held at 0: fitted to the dozens of excesses there are, the shape made the rate of false alarms of single baselines
    swing up to ten times the promised one, while at 0 the mean rate stayed at or under it (docs/anomaly.md).
    """

    reference: FloatArray
    threshold: float
    share: float
    scale: float

    @property
    def n(self) -> int:
        """How many reference voyages it rests on."""
        return len(self.reference)

    @property
    def least_probability(self) -> float:
        """Nothing rarer can be told from so many voyages."""
        return 1.0 / (EXTRAPOLATION * self.n)

    def probability(self, score: npt.ArrayLike) -> FloatArray:
        """Share of ordinary voyages that score as high or higher (mid-rank for ties). NaN stays NaN."""
        value = np.asarray(score, dtype=np.float64)
        below = np.searchsorted(self.reference, value, side="left")
        not_above = np.searchsorted(self.reference, value, side="right")
        counted = 1.0 - (below + not_above + 1) / (2.0 * (self.n + 1))
        excess = np.maximum(value - self.threshold, 0.0) / self.scale
        survival = np.exp(-excess)
        probability = np.where(value > self.threshold, self.share * survival, np.maximum(counted, self.share))
        probability = np.clip(probability, self.least_probability, 1.0 - self.least_probability)
        return np.where(np.isfinite(value), probability, np.nan)


def calibrate(scores: FloatArray) -> Calibration:
    """Fit the calibration to reference scores (at least two); the tail's scale is its mean excess."""
    reference = np.sort(scores)
    n = len(reference)
    n_tail = max(round(TAIL_SHARE * n), 1)
    threshold = float(reference[n - n_tail - 1])
    share = (n_tail + 1) / (n + 1)
    mean_excess = float((reference[n - n_tail :] - threshold).mean())
    return Calibration(reference, threshold, share, max(mean_excess, float(np.finfo(np.float32).tiny)))
