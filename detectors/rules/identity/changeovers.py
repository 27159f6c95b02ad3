"""Changes of identity of one hull: links put together that are one story, and what each says by itself.

Takes hull links; gives `Changeover`s: a new identity, one borne for a time and laid down again, or two hulls that took
each other's. Lawful and clerical ones are left out. How odd it is where and when it happened is left to `handover`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from detectors.links import Claim, Link
from detectors.rules.identity.thresholds import Thresholds
from vessels.names import looks_like_gear, near_equal_call_signs, near_equal_names

NEW_IMO: Final = 0.85
"""One valid IMO number after another: it stays with the hull for life (IMO A.1117(30)); Yuk Tung, Subblic, Kingsway."""
CORRECTED_IMO: Final = 0.08
"""One edit apart, name and call sign kept: a number put right when the set was programmed anew."""
NEAR_IMO: Final = 0.5
"""One edit apart, one of name and call sign kept: of slips one in ten passes the check digit, of near-copies all do."""
DROPPED_IMO: Final = 0.55
"""A number claimed before is no longer sent under the new MMSI."""
DROPPED_IMO_KEPT_NAME: Final = 0.2
GAINED_IMO: Final = 0.25
"""No number before, one after: a set programmed fully for the first time, or a borrowed number."""
GAINED_IMO_KEPT_NAME: Final = 0.05
NO_IMO: Final = 0.2
"""Neither ever claimed a number: ships below 100 GT and of inland waters, sold and renumbered."""
NO_IMO_KEPT_NAME: Final = 0.05
FULL_LENGTH_M: Final = 460.0
"""Longer ships were never built (Seawise Giant, 458 m)."""


@dataclass(frozen=True, slots=True)
class Changeover:
    """One change of identity of a hull. `back` ended it, `crossing` is the other hull's change in an exchange.

    `base` is what the change says by itself, 0 to 1.
    """

    link: Link
    base: float
    small: bool
    back: Link | None = None
    crossing: Link | None = None

    @property
    def probability(self) -> float:
        """That one hull bore both identities."""
        return max(self.link.probability, self.back.probability if self.back is not None else 0.0)

    @property
    def is_strong(self) -> bool:
        """Whether the change is sure enough to settle the hull."""
        return self.link.is_strong or (self.back is not None and self.back.is_strong)

    @property
    def kind(self) -> str:
        """Kind of finding."""
        return "hull_handover" if self.crossing is None else "identity_exchange"


def changeovers(links: Sequence[Link], thresholds: Thresholds) -> list[Changeover]:
    """The changes of identity worth telling, in order of time. `links` in order of time."""
    told = [(link, base) for link in links if (base := base_of(link)) is not None]
    by_pair: dict[tuple[int, int], list[Link]] = {}
    for link, _ in told:
        by_pair.setdefault((link.before.mmsi, link.after.mmsi), []).append(link)
    found: list[Changeover] = []
    ended: set[str] = set()
    for link, base in told:
        if link.link_id in ended:
            continue
        others = by_pair.get((link.after.mmsi, link.before.mmsi), ())
        back = max((o for o in others if _goes_back(link, o)), key=lambda o: (o.probability, o.link_id), default=None)
        if back is not None:
            ended.add(back.link_id)
        cross = [o for o in others if _crosses(link, o, thresholds)]
        crossing = max(cross, key=lambda o: (o.probability, o.link_id), default=None)
        found.append(Changeover(link, base, _is_small(link, thresholds), back, crossing))
    return found


def _goes_back(first: Link, second: Link) -> bool:
    """Whether the second link leads from the new identity back to the old one."""
    return second.from_segment_id == first.to_segment_id and second.began > first.began


def _crosses(one: Link, other: Link, thresholds: Thresholds) -> bool:
    """Whether another hull took the old identity when this one took that hull's."""
    if one.to_segment_id == other.from_segment_id or one.from_segment_id == other.to_segment_id:
        return False
    apart = max(one.ended, other.ended) - min(one.began, other.began)
    return apart <= timedelta(days=thresholds.exchange_days)


def base_of(link: Link) -> float | None:
    """What a change of identity says by itself; None where it is lawful, clerical or told by other rules.

    The same MMSI on both sides is told by the rules on changed claims, the same IMO number by `flag_change`.
    """
    before, after = link.before, link.after
    if before.mmsi == after.mmsi or (before.imo and before.imo == after.imo):
        return None
    if looks_like_gear(before.name) and looks_like_gear(after.name):
        return None
    name, sign = _kept_name(before, after), _kept_sign(before, after)
    kept = (name is True or sign is True) and name is not False
    if before.imo and after.imo:
        slip = DamerauLevenshtein.distance(str(before.imo), str(after.imo)) <= 1
        if slip and kept:
            return CORRECTED_IMO if name is True and sign is True else NEAR_IMO
        return NEW_IMO
    if kept and DamerauLevenshtein.distance(f"{before.mmsi:09d}", f"{after.mmsi:09d}") <= 1:
        return None
    if before.imo:
        return DROPPED_IMO_KEPT_NAME if kept else DROPPED_IMO
    if after.imo:
        return GAINED_IMO_KEPT_NAME if kept else GAINED_IMO
    if name is True and sign is True:
        return None
    return NO_IMO_KEPT_NAME if kept else NO_IMO


def _kept_name(before: Claim, after: Claim) -> bool | None:
    """Whether the name stayed; None where one of the two said none."""
    if before.name is None or after.name is None:
        return None
    return near_equal_names(before.name, after.name) is not None


def _kept_sign(before: Claim, after: Claim) -> bool | None:
    if before.call_sign is None or after.call_sign is None:
        return None
    return near_equal_call_signs(before.call_sign, after.call_sign)


def _is_small(link: Link, thresholds: Thresholds) -> bool:
    """Whether neither side says that it is a ship that must carry class A."""
    return not any(_claims_merchant(claim, thresholds) for claim in (link.before, link.after))


def _claims_merchant(claim: Claim, thresholds: Thresholds) -> bool:
    if claim.transceiver == "B" or looks_like_gear(claim.name):
        return False
    return bool(claim.imo) or thresholds.merchant_length_m <= (claim.length_m or 0.0) <= FULL_LENGTH_M


def kept_claims(link: Link) -> list[str]:
    """What both sides said alike, in words."""
    before, after = link.before, link.after
    kept = []
    if before.imo and before.imo == after.imo:
        kept.append(f"IMO number {after.imo}")
    if _kept_name(before, after):
        kept.append(f"name {after.name}")
    if _kept_sign(before, after):
        kept.append(f"call sign {after.call_sign}")
    if before.length_m and before.length_m == after.length_m and before.beam_m == after.beam_m:
        beam = f" by {after.beam_m:.0f}" if after.beam_m else ""
        kept.append(f"dimensions {after.length_m:.0f}{beam} m")
    if before.ship_type is not None and before.ship_type == after.ship_type:
        kept.append(f"ship type {after.ship_type}")
    return kept
