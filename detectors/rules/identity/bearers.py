"""Of several hulls that claim one identity, which is its true bearer, and why.

Takes claimants; gives a probability for each from the reasons that `grounds` finds, all alike to begin with, and names
none below a threshold. Who claims what is gathered by `claimants`; what a finding makes of it is left to `twins` and
`sharing`. None of them may be the true bearer, but a third ship that nobody hears: the data cannot say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detectors.rules.identity.grounds import Claimant, Reason, reasons_of
from detectors.rules.identity.thresholds import Thresholds

SURE: Final = 0.99
"""No probability above is claimed from AIS alone."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """How likely a claimant is the true bearer, and the reasons, heaviest first."""

    claimant: Claimant
    probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """All claimants weighed; `true` is the likely bearer, None while undecided.

    `by_time_only` says that it would be undecided but for who was heard first and last.
    """

    bearings: tuple[Bearing, ...]
    true: Bearing | None
    by_time_only: bool

    @property
    def likeliest(self) -> Bearing:
        """The claimant with most for it."""
        return max(self.bearings, key=lambda one: one.probability)

    def of(self, mmsi: int) -> Bearing | None:
        """The claimant with this MMSI."""
        return next((one for one in self.bearings if mmsi in one.claimant.mmsi), None)


def weigh_bearers(
    claimants: Sequence[Claimant], formerly: Sequence[Claimant], thresholds: Thresholds, of_mmsi: bool
) -> Contest:
    """Weigh two claimants or more; `of_mmsi` where the contested identity is an MMSI, not an IMO number.

    `formerly` are hulls that bore it before and are none of the claimants, as far as the data show.
    """
    reasons = reasons_of(claimants, formerly, thresholds, of_mmsi)
    probability = _shares([sum(reason.weight_db for reason in own) for own in reasons])
    bearings = tuple(
        Bearing(one, round(share, 4), tuple(sorted(own, key=lambda reason: (-abs(reason.weight_db), reason.text))))
        for one, share, own in zip(claimants, probability, reasons, strict=True)
    )
    best = max(bearings, key=lambda one: one.probability)
    if best.probability < thresholds.min_bearer_probability:
        return Contest(bearings, None, False)
    timeless = _shares([sum(reason.weight_db for reason in own if not reason.by_time) for own in reasons])
    return Contest(bearings, best, timeless[bearings.index(best)] < thresholds.min_bearer_probability)


def _shares(weights_db: Sequence[float]) -> list[float]:
    """Probabilities from weights of evidence and equal priors, none nearer to certainty than `SURE`."""
    most = max(weights_db)
    odds = [10.0 ** ((weight - most) / 10.0) for weight in weights_db]
    return [min(max(one / sum(odds), 1.0 - SURE), SURE) for one in odds]
