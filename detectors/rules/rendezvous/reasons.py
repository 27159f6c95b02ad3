"""Reasons: why a meeting is worth saying or has an ordinary cause, each with its weight and its line of evidence.

Weights are likelihood ratios in decibans (Good 1950): how much likelier the rows are if goods of the DPRK's trade
changed ships than if one of the ordinary causes was at work. They add; a finding's strength is their sum over the sum
at which its strength is 1. All are judgements from the documented cases, to be refitted by a backtest.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.finding import Evidence


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what it is in a few words, its weight in decibans, and what of the rows bears it out."""

    what: str
    weight_db: float
    evidence: tuple[Evidence, ...] = ()
    caveat: str = ""


def total_db(reasons: Iterable[Reason]) -> float:
    """The weight of all reasons together."""
    return math.fsum(reason.weight_db for reason in reasons)


def strength_of(weight_db: float, full_db: float) -> float:
    """Strength of a finding of this weight: 0 to 1, rounded as findings are.

    >>> strength_of(13.5, 27.0), strength_of(-4.0, 27.0), strength_of(40.0, 27.0)
    (0.5, 0.0, 1.0)
    """
    return round(min(max(weight_db / full_db, 0.0), 1.0), 4)


def per_doubling(value: float, usual: float, weight_db: float, most_db: float) -> float:
    """A weight for each doubling of a value beyond what is usual, up to a most; 0 where it is not beyond.

    >>> per_doubling(24.0, 6.0, -2.0, -8.0), per_doubling(5.0, 6.0, -2.0, -8.0), per_doubling(1e9, 6.0, -2.0, -8.0)
    (-4.0, 0.0, -8.0)
    """
    if value <= usual:
        return 0.0
    return max(weight_db * math.log2(value / usual), most_db)


def evidence_of(reasons: Sequence[Reason]) -> tuple[Evidence, ...]:
    """The lines of evidence of all reasons, in order, and one that says what each weighs."""
    weighed = "; ".join(f"{reason.what} {reason.weight_db:+.1f}" for reason in reasons if reason.weight_db)
    lines = tuple(line for reason in reasons for line in reason.evidence)
    return (*lines, Evidence("weight of each reason", weighed or "none weighs", unit="decibans"))


def caveats_of(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The caveats of all reasons, in order, each once."""
    return tuple(dict.fromkeys(reason.caveat for reason in reasons if reason.caveat))
