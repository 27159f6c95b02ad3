"""Dark rendezvous: a ship that lay alone at sea where another, silent then, could have been.

Takes stays, silences and the pairs that time and speed allow; gives a finding on the ship seen and, weaker, on each
silent one that it names. Two crowds are part of the weight: the silent ships that could have been at one stay, and the
stays that one silent ship could have gone to. Of fifty alike none is named, and a ship silent for weeks, which could
have met anybody, says little of each.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.finding import Evidence, Finding
from detectors.measures import TRANSFER_BAN, day_of, evidence_of_measures
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.lone_grounds import (
    Silence,
    Stay,
    fit_reasons,
    is_plain,
    lone_reasons,
    silent_reasons,
)
from detectors.rules.rendezvous.lone_weights import UNHEARD, Weighed, crowds, weigh_pairs, with_choice
from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.reasons import Reason, caveats_of, evidence_of, strength_of, total_db
from detectors.rules.rendezvous.ships import Party
from detectors.rules.rendezvous.silent import Feasible, FloatArray, IntArray, Pairs, Rows
from detectors.rules.rendezvous.ties import Tie, Ties, concern_dprk, weight_db

ByWater = Callable[[Rows, Rows], Feasible]
"""Of some pairs (rows of stays and of silences) those that are feasible by water."""

KIND: Final = "dark_rendezvous"
FULL_DB: Final = 24.0
"""The weight at strength 1: that of the kind in `detectors.triage`."""
LEAST_STRENGTH: Final = 0.05
"""Of less no finding is made; a plain stay to which one could have come silent is told at this, if at no more."""
BEFORE_BAN_FACTOR: Final = 0.5
SILENT_FACTOR: Final = 0.6
"""The ship seen did lie there; the silent one only could have."""
OWN_TIE_LOSS: Final = 0.3
"""For the tied ship herself a part of her tie is no news: her calls and flag tell it on their own."""
SHOWN_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A pair that is told: its share of the weight of all at that stay, its reasons in words, and the way."""

    stay: int
    gap: int
    share: float
    reasons: tuple[Reason, ...]
    tie_db: float
    way: Evidence

    @property
    def weight_db(self) -> float:
        """What the reasons weigh together."""
        return total_db(self.reasons)


def lone_findings(
    stays: Sequence[Stay],
    silences: Sequence[Silence],
    feasible: Pairs,
    by_water: ByWater,
    ties: Ties,
    bound: Bound,
    parameters: RendezvousParameters,
    detector: tuple[str, str],
) -> list[Finding]:
    """The findings on ships that lay alone, and on the silent ones that those name. `feasible` counts both.

    Pairs that are feasible along great circles make the crowds; those that would be named must be so `by_water` too.
    """
    stay_ties = [ties.of(stay.party, stay.row["start"]) for stay in stays]
    gap_ties = [ties.of(silence.party, silence.row["start"]) for silence in silences]
    pairs = weigh_pairs(feasible.stay, feasible.gap, stays, silences, stay_ties, gap_ties, parameters)
    base = {at: lone_reasons(stays[at], stay_ties[at], bound, parameters) for at in np.unique(pairs.stay).tolist()}
    ways: dict[tuple[int, int], tuple[float, float, float]] = {}
    while True:
        pairs = with_choice(pairs, base, len(stays))
        crowd_db, n_silent, share = crowds(pairs, len(stays))
        told = _told(pairs, crowd_db, share, base, parameters)
        doubtful = [at for at in told.tolist() if (int(pairs.stay[at]), int(pairs.gap[at])) not in ways]
        if not doubtful:
            break
        pairs = pairs.only(_sure(pairs, np.array(doubtful), by_water, ways))
    named: dict[int, list[Named]] = {}
    for at in told.tolist():
        stay, gap = int(pairs.stay[at]), int(pairs.gap[at])
        own = gap_ties[gap]
        both = bool(own) and bool(stay_ties[stay])
        line = Evidence("ships that lay alone where she could have been", str(pairs.n_choices[at]), "this one alone")
        reasons = (
            *silent_reasons(stays[stay], silences[gap], own, stay_ties[stay]),
            *fit_reasons(stays[stay], silences[gap], parameters),
            Reason("her choice among them", float(pairs.choice_db[at]), (line,)),
        )
        way = _way(silences[gap], ways[stay, gap], parameters)
        one = Named(stay, gap, float(share[at]), reasons, 0.0 if both else weight_db(own), way)
        named.setdefault(stay, []).append(one)
    bare = _bare(pairs, stays, silences, parameters)
    found: list[Finding] = []
    by_gap: dict[int, list[Named]] = {}
    for at, reasons_of in base.items():
        if crowd_db[at] > 0.0 or bare[at]:
            some = sorted(named.get(at, []), key=lambda one: (-one.weight_db, silences[one.gap].party.mmsi, one.gap))
            crowd = float(crowd_db[at]), int(n_silent[at])
            least = LEAST_STRENGTH if bare[at] else 0.0
            held = [tie for ties_of in (stay_ties[at], *(gap_ties[one.gap] for one in some)) for tie in ties_of]
            finding = _lone_finding(stays[at], reasons_of, crowd, least, some, silences, held, detector)
            if finding is not None:
                found.append(finding)
                for one in some:
                    by_gap.setdefault(one.gap, []).append(one)
    for gap, naming in sorted(by_gap.items()):
        finding = _silent_finding(silences[gap], naming, base, stays, gap_ties[gap], stay_ties, detector)
        found += [] if finding is None else [finding]
    return found


def _bare(
    pairs: Weighed, stays: Sequence[Stay], silences: Sequence[Silence], parameters: RendezvousParameters
) -> npt.NDArray[np.bool_]:
    """At which stays a finding is made though the reasons bear none: plain ones, to which a ship could have come that
    was silent, not in port, while others about her were heard. Shape (stays,)."""
    by_choice = np.array([one.row["reception"] == "heard" and not one.in_port for one in silences], dtype=np.bool_)
    could = np.bincount(pairs.stay[by_choice[pairs.gap]], minlength=len(stays)) > 0
    most_h = parameters.long_loitering_h
    plain = [not stay.party.belied and is_plain(stay.row, most_h, parameters) for stay in stays]
    return could & np.array(plain, dtype=np.bool_)


def _told(
    pairs: Weighed,
    crowd_db: FloatArray,
    share: FloatArray,
    base: Mapping[int, Sequence[Reason]],
    parameters: RendezvousParameters,
) -> IntArray:
    """Rows of the pairs to be named: a fair share of the weight of all, at a stay that makes a finding."""
    makes = np.zeros(len(crowd_db), dtype=np.bool_)
    for at, reasons in base.items():
        makes[at] = crowd_db[at] > 0.0 and strength_of(total_db(reasons) + crowd_db[at], FULL_DB) >= LEAST_STRENGTH
    return np.flatnonzero(makes[pairs.stay] & (share >= parameters.min_named_share))


def _sure(
    pairs: Weighed, doubtful: IntArray, by_water: ByWater, ways: dict[tuple[int, int], tuple[float, float, float]]
) -> npt.NDArray[np.bool_]:
    """Which pairs are left once the doubtful ones were looked at by water; the ways of the feasible ones are kept."""
    sure = by_water(pairs.stay[doubtful], pairs.gap[doubtful])
    columns = (sure.stay, sure.gap, sure.to_nmi, sure.from_nmi, sure.together_h)
    for stay, gap, to_nmi, from_nmi, together_h in zip(*(c.tolist() for c in columns), strict=True):
        ways[stay, gap] = (to_nmi, from_nmi, together_h)
    keep = np.ones(len(pairs.stay), dtype=np.bool_)
    keep[doubtful] = [(int(pairs.stay[at]), int(pairs.gap[at])) in ways for at in doubtful]
    return keep


def _way(silence: Silence, way: tuple[float, float, float], parameters: RendezvousParameters) -> Evidence:
    to_nmi, from_nmi, together_h = way
    onward = "not heard again" if math.isnan(from_nmi) else f"{from_nmi:.0f} nmi on to where she was heard next"
    return Evidence(
        f"{silence.party.in_words} was silent from {iso(silence.row['start'])}",
        f"{to_nmi:.0f} nmi by water to the place, {onward}; up to {together_h:.1f} h there at her speed",
        f"{parameters.min_stay_h:g} h or more",
    )


def _lone_finding(
    stay: Stay,
    base: Sequence[Reason],
    crowd: tuple[float, int],
    least: float,
    named: Sequence[Named],
    silences: Sequence[Silence],
    ties: Sequence[Tie],
    detector: tuple[str, str],
) -> Finding | None:
    crowd_db, n = crowd
    shown = [silences[one.gap].party for one in named]
    reckoned = f"{n}, and {UNHEARD} more are reckoned with"
    lines = [Evidence("silent carriers that could have been there", reckoned, "none")]
    lines += [line for one in named[:SHOWN_MOST] for line in (one.way, *evidence_of(one.reasons))]
    caveats = ["nothing shows that another ship was there", *caveats_of(r for one in named for r in one.reasons)]
    caveats += [f"{n} silent ships could have been there"] if n > 1 else []
    who = " or ".join(party.in_words for party in shown) if shown else f"{n} silent {'ship' if n == 1 else 'ships'}"
    reasons = [*base, Reason(f"the likeliest of {n} silent ships that could have been there", crowd_db, tuple(lines))]
    headline = f"{stay.party.in_words} lay {stay.row['duration_h']:.1f} h alone {stay.spot.in_words}, "
    headline += f"where {who} could have been, silent"
    others = tuple(party.mmsi for party in shown)
    scale = (1.0 if crowd_db > 0.0 else 0.0), least
    if crowd_db <= 0.0:
        caveats.append("no silent ship stands out: told because she lay where few do")
    dprk = concern_dprk((stay.party, *shown), ties, stay.spot.waters)
    return _finding(stay, stay.party, others, reasons, scale, headline, caveats, dprk, detector, None)


def _silent_finding(
    silence: Silence,
    naming: Sequence[Named],
    base: Mapping[int, Sequence[Reason]],
    stays: Sequence[Stay],
    own: Sequence[Tie],
    stay_ties: Sequence[Sequence[Tie]],
    detector: tuple[str, str],
) -> Finding | None:
    """The finding on a silent ship: of the stay that fits her best among those that name her."""

    def fits(one: Named) -> tuple[float, int]:
        return total_db(base[one.stay]) + 10.0 * math.log10(one.share) + one.weight_db, -one.stay

    best = max(naming, key=fits)
    share_db = 10.0 * math.log10(best.share)
    stay = stays[best.stay]
    caveats = ["nothing shows where she was while silent", *caveats_of((*best.reasons, *base[best.stay]))]
    reasons = [*base[best.stay], *best.reasons, Reason("of all silent ships that could have been there", share_db)]
    reasons += [Reason("her own tie is told elsewhere", -OWN_TIE_LOSS * best.tie_db)] if best.tie_db else []
    reasons = [Reason("the way", 0.0, (best.way,)), *reasons]
    headline = f"{silence.party.in_words}, silent, could have met {stay.party.in_words}, "
    headline += f"which lay alone {stay.spot.in_words}"
    others = tuple(dict.fromkeys(stays[one.stay].party.mmsi for one in (best, *naming)))
    dprk = concern_dprk((silence.party, stay.party), (*own, *stay_ties[best.stay]), stay.spot.waters)
    scale = SILENT_FACTOR, 0.0
    return _finding(stay, silence.party, others, reasons, scale, headline, caveats, dprk, detector, silence)


def _finding(
    stay: Stay,
    subject: Party,
    others: tuple[int, ...],
    reasons: Sequence[Reason],
    scale: tuple[float, float],
    headline: str,
    caveats: Sequence[str],
    dprk: bool,
    detector: tuple[str, str],
    silence: Silence | None,
) -> Finding | None:
    start = stay.row["start"] if silence is None else silence.row["start"]
    end = stay.row["end"] if silence is None else silence.row["end"]
    too_early = dprk and day_of(stay.row["start"]) < TRANSFER_BAN.since
    factor, least = scale
    strength = max(factor * strength_of(total_db(reasons), FULL_DB), least)
    strength = round(strength * (BEFORE_BAN_FACTOR if too_early else 1.0), 4)
    if strength < LEAST_STRENGTH:
        return None
    if too_early:
        headline += f"; before {TRANSFER_BAN.resolution} ({TRANSFER_BAN.since.isoformat()}) banned such transfers"
    ordinary = "ships also stop to wait for orders, for weather, for repairs and to clean tanks"
    return Finding(
        detector=detector[0],
        detector_version=detector[1],
        kind=KIND,
        mmsi=subject.mmsi,
        other_mmsi=others,
        start=start,
        end=end,
        strength=strength,
        headline=headline,
        evidence=(*evidence_of(reasons), *(evidence_of_measures(stay.row["start"]) if dprk else ())),
        caveats=tuple(dict.fromkeys((*caveats, ordinary, *caveats_of(reasons)))),
        lat=stay.spot.lat,
        lon=stay.spot.lon,
        segment_id=subject.segment_id,
        hull_id=subject.hull_id,
        subject="seen" if silence is None else "silent",
    )
