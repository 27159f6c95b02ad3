"""Triage: findings to scores. The one table of weights, and how weights of one voyage add up.

Takes findings that already belong to a voyage; gives each a weight of evidence in decibans, and each voyage a score
and a band. A deciban is ten times the common logarithm of a likelihood ratio (Good 1950): +10 makes a hypothesis ten
times likelier than it was, and weights of independent evidence add. Findings that tend to come together from one cause
share a group whose sum is capped. Which voyages exist and how they are described is left to `detectors.batch`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from detectors.finding import Finding

Band = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a kind of finding weighs at strength 1, which group it shares a cap with, and where the number is from."""

    kind: str
    full_db: float
    group: str
    why: str


_JUDGEMENT: Final = "judgement, to be refitted by a backtest"

WEIGHTS: Final[tuple[Weight, ...]] = (
    Weight("listed_vessel", 45.0, "listed", "the user's own list; an IMO number stays with the hull. " + _JUDGEMENT),
    Weight("near_listed_identity", 30.0, "listed", "a slip of one digit, or a mask of one letter. " + _JUDGEMENT),
    Weight("watched_port_call", 33.0, "place", "a call alone, in plain sight, is lawful for many. " + _JUDGEMENT),
    Weight("watched_zone_presence", 24.0, "place", "near, but no call. " + _JUDGEMENT),
    Weight("relay_voyage", 40.0, "place", "the documented pattern of 2017, DPRK to Kholmsk to market. " + _JUDGEMENT),
    Weight("reexport_pairing", 30.0, "place", "one berth, two ships, one cargo (Kholmsk 2017). " + _JUDGEMENT),
    Weight("hidden_call_feasible", 30.0, "silence", "what was not sent: a call that could have been. " + _JUDGEMENT),
    Weight("dark_gap", 15.0, "silence", "most ships with a silence have done nothing. " + _JUDGEMENT),
    Weight("rendezvous", 27.0, "meeting", "documented in the STS belts; bunkering is lawful. " + _JUDGEMENT),
    Weight("dark_rendezvous", 24.0, "silence", "the partner was not seen, only possible. " + _JUDGEMENT),
    Weight("loitering", 12.0, "meeting", "ships wait for orders every day. " + _JUDGEMENT),
    Weight("drawn_track", 24.0, "position", "a track that no sea moves; feeds interpolate too. " + _JUDGEMENT),
    Weight("position_jump", 18.0, "position", "receivers fail and are disturbed. " + _JUDGEMENT),
    Weight("position_on_land", 18.0, "position", "coasts on charts are coarse, rivers are missing. " + _JUDGEMENT),
    Weight("false_destination", 24.0, "declared", "a declared port never reached; diversions happen. " + _JUDGEMENT),
    Weight("imo_twin", 30.0, "two ships", "one hull cannot be in two places; data joined wrongly can. " + _JUDGEMENT),
    Weight("shared_mmsi", 24.0, "two ships", "often a set left at its factory number. " + _JUDGEMENT),
    Weight("hull_handover", 36.0, "hull", "one hull, another number for life (Yuk Tung, Subblic). " + _JUDGEMENT),
    Weight("identity_exchange", 36.0, "hull", "two hulls under each other's numbers. " + _JUDGEMENT),
    Weight("revived_identity", 36.0, "hull", "a dead ship's numbers on another hull (Diamond 8, 2022). " + _JUDGEMENT),
    Weight("imo_change", 36.0, "number", "for life (IMO A.1117(30)); typing errors happen. " + _JUDGEMENT),
    Weight("imo_dropped", 24.0, "number", "documented before port calls (Song Phyong 7, 2016). " + _JUDGEMENT),
    Weight("invalid_imo", 12.0, "number", "149 of 10,631 US craft fail the check digit. " + _JUDGEMENT),
    Weight("invalid_mmsi", 18.0, "number", "most odd numbers are class B sets and buoys. " + _JUDGEMENT),
    Weight("name_change", 24.0, "claim", "most renames are sales. " + _JUDGEMENT),
    Weight("call_sign_change", 18.0, "claim", "goes with a change of flag. " + _JUDGEMENT),
    Weight("flag_change", 18.0, "claim", "most changes of flag are lawful. " + _JUDGEMENT),
    Weight("flag_call_sign_mismatch", 15.0, "claim", "one of the two was not issued, or typed wrong. " + _JUDGEMENT),
    Weight("type_change", 18.0, "body", "a tanker that calls itself a fishing boat (Saebyol, 2019). " + _JUDGEMENT),
    Weight("dimension_change", 21.0, "body", "steel does not grow; entries are mended. " + _JUDGEMENT),
    Weight(
        "unusual_voyage", 18.0, "anomaly", "odd is not wrong: 3 ordinary voyages in 1,000 are as odd. " + _JUDGEMENT
    ),
)
"""The documented table of weights, in decibans at strength 1. A finding weighs this times its strength."""

CAPS_DB: Final[Mapping[str, float]] = MappingProxyType(
    {
        "listed": 45.0,
        "place": 42.0,
        "silence": 33.0,
        "meeting": 30.0,
        "position": 27.0,
        "declared": 24.0,
        "two ships": 33.0,
        "hull": 39.0,
        "number": 36.0,
        "claim": 27.0,
        "body": 24.0,
        "anomaly": 18.0,
    }
)
"""The most that the findings of one group weigh together: little more than the heaviest of them alone."""

DEFAULT_WEIGHT: Final = Weight("", 15.0, "other detectors", "kinds of other tools' detectors. " + _JUDGEMENT)
OTHER_CAP_DB: Final = 30.0

PRIOR_DB: Final = -30.0
"""One voyage in a thousand deserves a second look: the rate an alert budget of 30 in 30,000 a night implies."""

BANDS: Final[tuple[tuple[Band, float], ...]] = (("critical", 0.9), ("high", 0.5), ("medium", 0.1), ("low", 0.0))
"""The lowest score of each band."""
FLAG_SCORE: Final = 0.02
"""Voyages that score less are not flagged: 13 dB of evidence, more than any single weak finding has."""

_BY_KIND: Final = MappingProxyType({weight.kind: weight for weight in WEIGHTS})


@dataclass(frozen=True, slots=True)
class GroupSum:
    """What the findings of one group weigh: their sum, the cap, and what counts."""

    group: str
    sum_db: float
    cap_db: float

    @property
    def counted_db(self) -> float:
        """The sum, no more than the cap."""
        return min(self.sum_db, self.cap_db)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one voyage scores, and how the score adds up."""

    score: float
    band: Band
    groups: tuple[GroupSum, ...]

    @property
    def evidence_db(self) -> float:
        """The weight of all groups together, prior left out."""
        return sum(group.counted_db for group in self.groups)

    @property
    def is_flagged(self) -> bool:
        """Whether the voyage is worth a second look."""
        return self.score >= FLAG_SCORE


def weight_of(kind: str) -> Weight:
    """The line of the table for a kind; a default for kinds of other tools."""
    return _BY_KIND.get(kind, DEFAULT_WEIGHT)


def weigh(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with `weight_db` filled in from the table."""
    return [f.with_(weight_db=round(weight_of(f.kind).full_db * f.strength, 3)) for f in findings]


def judge(weights: Sequence[tuple[str, float]]) -> Verdict:
    """The verdict on a voyage from the kinds and weights (decibans) of its findings, in any order.

    Where a kind repeats, the heaviest counts in full and each further one a quarter of the one before it: two calls of
    one voyage come from one schedule, and forty calls do not make a certainty.

    >>> judge([("listed_vessel", 45.0)]).band, judge([("watched_port_call", 4.0)]).is_flagged
    ('critical', False)
    """
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, weight_db in weights:
        by_kind[kind].append(weight_db)
    sums: dict[str, float] = defaultdict(float)
    for kind in sorted(by_kind):
        ordered = sorted(by_kind[kind], reverse=True)
        sums[weight_of(kind).group] += sum(weight * 0.25**i for i, weight in enumerate(ordered))
    groups = tuple(GroupSum(group, round(sums[group], 3), CAPS_DB.get(group, OTHER_CAP_DB)) for group in sorted(sums))
    total = PRIOR_DB + sum(group.counted_db for group in groups)
    score = round(1.0 / (1.0 + 10.0 ** (-total / 10.0)), 6)
    return Verdict(score, next(band for band, lowest in BANDS if score >= lowest), groups)
