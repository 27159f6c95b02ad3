"""Dark rendezvous: a ship that lay alone at sea where another, silent then, could have been.

Takes stays, silences and the pairs that time and speed allow; gives a finding on the ship seen and, weaker, on each
silent one that it names. Two crowds are part of the weight: the silent ships that could have been at one stay, and the
stays that one silent ship could have gone to. Of fifty alike none is named, and a ship silent for weeks, which could
have met anybody, says little of each.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from detectors.finding import Evidence, Finding
from detectors.measures import TRANSFER_BAN, day_of, evidence_of_measures
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.lone_grounds import Silence, Stay, fit_reasons, lone_reasons, silent_reasons
from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.reasons import Reason, caveats_of, evidence_of, strength_of, total_db
from detectors.rules.rendezvous.ships import CARRYING, Party
from detectors.rules.rendezvous.silent import Feasible, IntArray
from detectors.rules.rendezvous.ties import Ties, weight_db

ByWater = Callable[[IntArray, IntArray], Feasible]
"""Of some pairs (rows of stays and of silences) those that are feasible by water."""

KIND: Final = "dark_rendezvous"
FULL_DB: Final = 24.0
"""The weight at strength 1: that of the kind in `detectors.triage`."""
LEAST_STRENGTH: Final = 0.05
BEFORE_BAN_FACTOR: Final = 0.5
SILENT_FACTOR: Final = 0.6
"""The ship seen did lie there; the silent one only could have."""
OWN_TIE_LOSS: Final = 0.3
"""For the tied ship herself a part of her tie is no news: her calls and flag tell it on their own."""
UNSEEN_DB: Final = 0.0
"""The weight that the silent ship met none of the stays known: as that of one stay for which nothing speaks."""
UNHEARD: Final = 5
"""Ships that could have been there and were not heard for weeks, or never: they count beside the silent ones known."""
SHOWN_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """One stay and one silence that could have met: what speaks for it, by kind of reason."""

    stay: int
    gap: int
    who: tuple[Reason, ...]
    fit: tuple[Reason, ...]
    tie_db: float
    way: Evidence
    choice: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All reasons."""
        return (*self.who, *self.fit, *self.choice)

    @property
    def weight_db(self) -> float:
        """What they weigh together."""
        return total_db(self.reasons)


def lone_findings(
    stays: Sequence[Stay],
    silences: Sequence[Silence],
    feasible: Feasible,
    by_water: ByWater,
    ties: Ties,
    bound: Bound,
    parameters: RendezvousParameters,
    detector: tuple[str, str],
) -> list[Finding]:
    """The findings on ships that lay alone, and on the silent ones that those name. `feasible` counts both.

    Pairs that are feasible along great circles make the crowds; those that would be named must be so `by_water` too.
    """
    base = {
        at: lone_reasons(stays[at], ties.of(stays[at].party, stays[at].row["start"]), bound, parameters)
        for at in sorted(set(feasible.stay.tolist()))
    }
    pairs = _pairs(stays, silences, feasible, ties, parameters)
    checked: set[tuple[int, int]] = set()
    while True:
        chosen = _with_choice(pairs, base)
        named = {at: _named(some, silences, parameters) for at, some in chosen.items() if _weighs(base[at], some)}
        doubtful = sorted({(pair.stay, pair.gap) for some in named.values() for _, pair in some} - checked)
        if not doubtful:
            break
        pairs = _by_water(pairs, doubtful, by_water, silences, parameters)
        checked.update(doubtful)
    found: list[Finding] = []
    told: dict[int, list[tuple[float, Pair]]] = {}
    for at, some in sorted(named.items()):
        finding = _lone_finding(stays[at], base[at], chosen[at], [pair for _, pair in some], silences, detector)
        if finding is not None:
            found.append(finding)
            for share, pair in some:
                told.setdefault(pair.gap, []).append((10.0 * math.log10(share), pair))
    for gap, naming in sorted(told.items()):
        finding = _silent_finding(silences[gap], naming, base, stays, detector)
        found += [] if finding is None else [finding]
    return found


def _pairs(
    stays: Sequence[Stay], silences: Sequence[Silence], feasible: Feasible, ties: Ties, parameters: RendezvousParameters
) -> list[Pair]:
    """The pairs of two carriers, each with what speaks for it."""
    pairs: list[Pair] = []
    columns = (feasible.stay, feasible.gap, feasible.to_nmi, feasible.from_nmi, feasible.together_h)
    for stay, gap, to_nmi, from_nmi, together_h in zip(*(c.tolist() for c in columns), strict=True):
        one, other = stays[stay], silences[gap]
        own = ties.of(other.party, one.row["start"])
        carries = other.party.role in CARRYING or (other.party.role == "unknown" and bool(own))
        if not carries or one.party.hull == other.party.hull or one.party.mmsi == other.party.mmsi:
            continue
        both = bool(own) and bool(ties.of(one.party, one.row["start"]))
        fit = tuple(fit_reasons(one, other, parameters))
        who = tuple(silent_reasons(one, other, own, both))
        way = _way(other, to_nmi, from_nmi, together_h, parameters)
        pairs.append(Pair(stay, gap, who, fit, 0.0 if both else weight_db(own), way))
    return pairs


def _way(
    silence: Silence, to_nmi: float, from_nmi: float, together_h: float, parameters: RendezvousParameters
) -> Evidence:
    onward = "not heard again" if math.isnan(from_nmi) else f"{from_nmi:.0f} nmi on to where she was heard next"
    return Evidence(
        f"{silence.party.in_words} was silent from {iso(silence.row['start'])}",
        f"{to_nmi:.0f} nmi by water to the place, {onward}; up to {together_h:.1f} h there at her speed",
        f"{parameters.min_stay_h:g} h or more",
    )


def _with_choice(pairs: Sequence[Pair], base: Mapping[int, Sequence[Reason]]) -> dict[int, list[Pair]]:
    """By stay its pairs, each with how well it fits the silent ship beside the other stays that she could have met."""
    of_gap: dict[int, list[tuple[float, Pair]]] = {}
    for pair in pairs:
        of_gap.setdefault(pair.gap, []).append((total_db((*base[pair.stay], *pair.fit)), pair))
    by_stay: dict[int, list[Pair]] = {}
    for some in of_gap.values():
        all_db = 10.0 * math.log10(math.fsum(10.0 ** (w / 10.0) for w in (UNSEEN_DB, *(w for w, _ in some))))
        line = Evidence("ships that lay alone where she could have been", str(len(some)), "this one alone")
        for weight, pair in some:
            choice = Reason("her choice among them", round(weight - all_db, 2), (line,))
            by_stay.setdefault(pair.stay, []).append(replace(pair, choice=(choice,)))
    return by_stay


def _by_water(
    pairs: Sequence[Pair],
    doubtful: Sequence[tuple[int, int]],
    by_water: ByWater,
    silences: Sequence[Silence],
    parameters: RendezvousParameters,
) -> list[Pair]:
    """The pairs without those that are not feasible by water; for the others asked about, the way by water."""
    asked = np.array(doubtful, dtype=np.int64)
    sure = by_water(asked[:, 0], asked[:, 1])
    columns = (sure.stay, sure.gap, sure.to_nmi, sure.from_nmi, sure.together_h)
    ways = {(stay, gap): (to, on, h) for stay, gap, to, on, h in zip(*(c.tolist() for c in columns), strict=True)}
    kept = []
    for pair in pairs:
        key = (pair.stay, pair.gap)
        if key in ways:
            kept.append(replace(pair, way=_way(silences[pair.gap], *ways[key], parameters)))
        elif key not in set(doubtful):
            kept.append(pair)
    return kept


def _weighs(base: Sequence[Reason], pairs: Sequence[Pair]) -> bool:
    """Whether the silent ships add anything, and all together makes a finding."""
    crowd_db = _crowd_db(pairs)
    return crowd_db > 0.0 and strength_of(total_db(base) + crowd_db, FULL_DB) >= LEAST_STRENGTH


def _crowd_db(pairs: Sequence[Pair]) -> float:
    """What the likeliest of the silent ships says, shared among all that could have been there, unheard ones too."""
    return max(pair.weight_db for pair in pairs) - 10.0 * math.log10(len(pairs) + UNHEARD)


def _named(
    pairs: Sequence[Pair], silences: Sequence[Silence], parameters: RendezvousParameters
) -> list[tuple[float, Pair]]:
    """The silent ships that carry a fair share of the weight of all, with that share, heaviest first."""
    odds = [10.0 ** (pair.weight_db / 10.0) for pair in pairs]
    shares = [one / (math.fsum(odds) + UNHEARD) for one in odds]
    some = [(share, pair) for share, pair in zip(shares, pairs, strict=True) if share >= parameters.min_named_share]
    return sorted(some, key=lambda one: (-one[1].weight_db, silences[one[1].gap].party.mmsi, one[1].gap))


def _lone_finding(
    stay: Stay,
    base: Sequence[Reason],
    pairs: Sequence[Pair],
    named: Sequence[Pair],
    silences: Sequence[Silence],
    detector: tuple[str, str],
) -> Finding | None:
    crowd_db = _crowd_db(pairs)
    n = len(pairs)
    shown = [silences[pair.gap].party for pair in named]
    lines = [
        Evidence("silent carriers that could have been there", f"{n}, and {UNHEARD} more are reckoned with", "none")
    ]
    lines += [line for pair in named[:SHOWN_MOST] for line in (pair.way, *evidence_of(pair.reasons))]
    caveats = ["nothing shows that another ship was there", *caveats_of(r for pair in named for r in pair.reasons)]
    caveats += [f"{n} silent ships could have been there"] if n > 1 else []
    who = " or ".join(party.in_words for party in shown) if shown else f"{n} silent ships"
    reasons = [*base, Reason(f"the likeliest of {n} silent ships that could have been there", crowd_db, tuple(lines))]
    headline = f"{stay.party.in_words} lay {stay.row['duration_h']:.1f} h alone {stay.spot.in_words}, "
    headline += f"where {who} could have been, silent"
    others = tuple(party.mmsi for party in shown)
    return _finding(stay, stay.party, others, reasons, 1.0, headline, caveats, detector, None)


def _silent_finding(
    silence: Silence,
    naming: Sequence[tuple[float, Pair]],
    base: Mapping[int, Sequence[Reason]],
    stays: Sequence[Stay],
    detector: tuple[str, str],
) -> Finding | None:
    """The finding on a silent ship: of the stay that fits her best among those that name her."""

    def fits(one: tuple[float, Pair]) -> tuple[float, int]:
        share_db, pair = one
        return total_db(base[pair.stay]) + share_db + pair.weight_db, -pair.stay

    share_db, best = max(naming, key=fits)
    stay = stays[best.stay]
    caveats = ["nothing shows where she was while silent", *caveats_of((*best.reasons, *base[best.stay]))]
    reasons = [*base[best.stay], *best.reasons, Reason("of all silent ships that could have been there", share_db)]
    reasons += [Reason("her own tie is told elsewhere", -OWN_TIE_LOSS * best.tie_db)] if best.tie_db else []
    reasons = [Reason("the way", 0.0, (best.way,)), *reasons]
    headline = f"{silence.party.in_words}, silent, could have met {stay.party.in_words}, "
    headline += f"which lay alone {stay.spot.in_words}"
    others = tuple(dict.fromkeys(stays[pair.stay].party.mmsi for _, pair in [(0.0, best), *naming]))
    return _finding(stay, silence.party, others, reasons, SILENT_FACTOR, headline, caveats, detector, silence)


def _finding(
    stay: Stay,
    subject: Party,
    others: tuple[int, ...],
    reasons: Sequence[Reason],
    factor: float,
    headline: str,
    caveats: Sequence[str],
    detector: tuple[str, str],
    silence: Silence | None,
) -> Finding | None:
    start = stay.row["start"] if silence is None else silence.row["start"]
    end = stay.row["end"] if silence is None else silence.row["end"]
    banned = TRANSFER_BAN.since <= day_of(stay.row["start"])
    factor *= 1.0 if banned else BEFORE_BAN_FACTOR
    strength = round(factor * strength_of(total_db(reasons), FULL_DB), 4)
    if strength < LEAST_STRENGTH:
        return None
    if not banned:
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
        evidence=(*evidence_of(reasons), *evidence_of_measures(stay.row["start"])),
        caveats=tuple(dict.fromkeys((*caveats, ordinary, *caveats_of(reasons)))),
        lat=stay.spot.lat,
        lon=stay.spot.lon,
        segment_id=subject.segment_id,
        hull_id=subject.hull_id,
        subject="seen" if silence is None else "silent",
    )
