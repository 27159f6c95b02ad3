"""What speaks for and against each of several hulls as the true bearer of one identity.

Takes claimants, each with what it said, where it called and what its hull was before; gives `Reason`s, each with its
weight in decibans: ten times the common logarithm of how much likelier the fact is of the true bearer than of another
hull. Adding them up is left to `bearers`.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from detectors.rules.identity.claims import Spell
from detectors.rules.identity.digits import imo_passes, states_of
from detectors.rules.identity.thresholds import Thresholds
from vessels.ais import call_sign_state, state_names
from vessels.bodies import BROADEST_SHIP_M, JUDGED_CLASSES, LONGEST_SHIP_M
from vessels.names import looks_like_gear, near_equal_call_signs, near_equal_names
from vessels.units import US_PER_DAY, US_PER_H

WORN_DAYS: Final = 5.0
MOST_FIRST_DB: Final = 10.0
"""Being first by L days is 1 + L / `WORN_DAYS` times likelier of the bearer, up to ten times. A ship bears its number
for decades, borrowers for weeks or months (Courageous 2019, A LI 2020, Diamond 8 2021); a bearer that comes late from
unheard waters is what keeps it from weighing more. Judgement. Two heard from the beginning of the data are even."""
LAID_DOWN_DAYS: Final = 10.0
MOST_LAST_DB: Final = 3.0
"""The same for bearing it on after the others stopped: weaker, because ships leave the waters heard. Judgement."""
OTHER_NUMBER_BEFORE_DB: Final = -15.0
OTHER_NUMBER_AFTER_DB: Final = -12.0
"""An IMO number is for life (IMO A.1117(30)): a slip of one digit is left out. Judgement."""
OTHER_NAME_DB: Final = -5.0
"""Another name, with no number: a ship renamed does the same, if seldom while a second bears its number."""
LEAST_DOUBT: Final = 0.03
"""A link to another hull weighs as the doubt it leaves: 0.86 likely, 0.14 left, -8.5 decibans; never under 3 in 100."""
LEAST_LINK: Final = 0.3
"""Links less likely are not spoken of."""
KEPT_DB: Final = 0.7
"""For each particular kept: copied easily, so that it says little (Krysper Singa 2019: everything but the type)."""
DEPARTED_DB: Final[Mapping[str, float]] = MappingProxyType(
    {"length and beam": -4.0, "ship type": -3.0, "call sign": -3.0, "name": -3.0}
)
MOST_DEPARTED_DB: Final = -8.0
"""Particulars that depart come from one cause, another hull, and share a limit. Judgement."""
NUMBER_DEPARTED_DB: Final = -10.0
"""Under one MMSI: a track that claims another IMO number than the MMSI had settled on is another ship by its word."""
SIGN_FITS_DB: Final = 0.5
FOREIGN_SIGN_DB: Final = -5.0
"""Measured: 6 of 3,640 US-water ships with an IMO number send a call sign foreign to their MMSI. That would weigh more,
but how many borrowers do is not known, and after a change of flag the sign lags: it may not decide alone."""
UNKNOWN_STATE_DB: Final = -5.0
"""The MMSI's digits are no state's, as with invented numbers. May not decide alone: new digits are assigned."""
BAD_DIGIT_DB: Final = -4.0
SAME_PORTS_DB: Final = 3.0
NEW_PORTS_DB: Final = -3.0
MIN_NEW_CALLS: Final = 2
"""An identity's trade goes on with its bearer; charters end, so that it weighs little. Judgement."""
SILENT_DB: Final = -3.0
MIN_BORNE_H: Final = 72.0
"""Times the share of the time spent in long silences beyond the least silent claimant's. Judgement: silence is as often
reception's fault."""
SELF_SETTLED: Final = 0.4
SELF_SETTLED_DAYS: Final = 14.0
"""Share of the weights of particulars and ports where it was a claimant that the identity had settled with: each ship
keeps its own, so that they tell little more than who was heard first, and nothing until that is long ago. In full where
a hull that is none of the claimants had borne it. Judgement."""


class Former(NamedTuple):
    """Another identity that the hull probably bore before (or after), by a hull link."""

    text: str
    probability: float
    before: bool


class Call(NamedTuple):
    """A port call."""

    zone_id: str
    start_us: int


@dataclass(frozen=True, slots=True)
class Claimant:
    """One hull that claims the contested identity, from when to when, and all that is known of it.

    `mmsi` are its numbers in order, several where it changed its flag. `bore` are its statements of the contested
    identity, `other` of another one, both in order of time. `silent_h` is its time in long silences meanwhile.
    """

    label: str
    mmsi: tuple[int, ...]
    segments: frozenset[str]
    hulls: frozenset[str]
    first_us: int
    last_us: int
    bore: tuple[Spell, ...]
    other: tuple[Spell, ...] = ()
    former: tuple[Former, ...] = ()
    calls: tuple[Call, ...] = ()
    silent_h: float = 0.0


class Reason(NamedTuple):
    """One fact that speaks for (positive) or against a claimant as the true bearer; `text` goes on after its label.

    `by_time` marks what follows from who was heard first and last.
    """

    text: str
    weight_db: float
    by_time: bool = False

    @property
    def shown(self) -> str:
        """The fact and its weight."""
        return f"{self.text} ({self.weight_db:+.1f} decibans)"


class _Settled(NamedTuple):
    """What the identity had settled on before a second hull claimed it, and how much that says."""

    spells: list[Spell]
    zones: frozenset[str]
    share: float
    by_time: bool


def reasons_of(
    claimants: Sequence[Claimant], formerly: Sequence[Claimant], thresholds: Thresholds, of_mmsi: bool
) -> list[list[Reason]]:
    """Reasons for and against each claimant, in the claimants' order; see `bearers.weigh_bearers`."""
    begins_us = sorted(one.first_us for one in claimants)[1]
    settled = _settled(claimants, formerly, begins_us, thresholds)
    reasons: list[list[Reason]] = [[] for _ in claimants]
    _first_and_last(claimants, reasons)
    for one, own in zip(claimants, reasons, strict=True):
        own += _other_identities(one)
        if settled is not None:
            own += _particulars(one, settled, begins_us, thresholds, of_mmsi)
            own += _ports(one, settled, begins_us)
        own += _signs(one, of_mmsi)
    _silences(claimants, reasons)
    return reasons


def _settled(
    claimants: Sequence[Claimant], formerly: Sequence[Claimant], begins_us: int, thresholds: Thresholds
) -> _Settled | None:
    others = [one for one in formerly if one.first_us < begins_us]
    bearers = others or claimants
    first_us = min(one.first_us for one in bearers)
    if begins_us - first_us < thresholds.min_imo_claim_h * US_PER_H:
        return None
    spells = [spell for one in bearers for spell in one.bore if spell.first_us < begins_us]
    zones = {call.zone_id for one in bearers for call in one.calls if one.first_us <= call.start_us < begins_us}
    share = 1.0 if others else SELF_SETTLED * min((begins_us - first_us) / US_PER_DAY / SELF_SETTLED_DAYS, 1.0)
    return _Settled(spells, frozenset(zones), share, not others)


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 10 else f"{days:.1f} days" if days >= 2 else f"{24 * days:.0f} h"


def _first_and_last(claimants: Sequence[Claimant], reasons: list[list[Reason]]) -> None:
    by_first = sorted(range(len(claimants)), key=lambda i: (claimants[i].first_us, i))
    lead = (claimants[by_first[1]].first_us - claimants[by_first[0]].first_us) / US_PER_DAY
    weight_db = min(10.0 * math.log10(1.0 + lead / WORN_DAYS), MOST_FIRST_DB)
    if weight_db >= 0.1:
        reasons[by_first[0]].append(Reason(f"bore it {_days(lead)} before any other", weight_db, True))
    by_last = sorted(range(len(claimants)), key=lambda i: (-claimants[i].last_us, i))
    lag = (claimants[by_last[0]].last_us - claimants[by_last[1]].last_us) / US_PER_DAY
    weight_db = min(10.0 * math.log10(1.0 + lag / LAID_DOWN_DAYS), MOST_LAST_DB)
    if weight_db >= 0.1:
        reasons[by_last[0]].append(Reason(f"bore it for {_days(lag)} after all others had stopped", weight_db, True))


def _other_identities(one: Claimant) -> list[Reason]:
    own: list[Reason] = []
    starts_us = min((spell.first_us for spell in one.bore), default=one.first_us)
    for before, when in ((True, "before"), (False, "after")):
        spells = [spell for spell in one.other if (spell.first_us < starts_us) is before]
        numbered = [spell for spell in spells if spell.imo]
        if numbered:
            spell = numbered[-1] if before else numbered[0]
            weight_db = OTHER_NUMBER_BEFORE_DB if before else OTHER_NUMBER_AFTER_DB
            own.append(Reason(f"was {_named(spell.name, f'IMO number {spell.imo}')}, {when}", weight_db))
        elif spells:
            spell = spells[-1] if before else spells[0]
            own.append(Reason(f"was {spell.name}, without a number, {when}", OTHER_NAME_DB))
        former = [link for link in one.former if link.before is before]
        likely = sum(link.probability for link in former)
        if likely >= LEAST_LINK and not numbered:
            link = max(former, key=lambda link: (link.probability, link.text))
            own.append(Reason(f"was probably {link.text}", 10.0 * math.log10(max(1.0 - likely, LEAST_DOUBT))))
    return own


def _named(name: str | None, number: str) -> str:
    return f"{name}, {number}" if name else number


def _size(spell: Spell) -> tuple[float, float] | None:
    plausible = 0.0 < spell.length_m <= LONGEST_SHIP_M and 0.0 < spell.beam_m <= BROADEST_SHIP_M
    return (spell.length_m, spell.beam_m) if plausible else None


def _name(spell: Spell) -> str | None:
    return None if spell.name is None or looks_like_gear(spell.name) else spell.name


def _fields(thresholds: Thresholds) -> dict[str, tuple[Callable[[Spell], Any], Callable[[Any, Any], bool]]]:
    """Particulars: how each is read, and when two agree."""

    def sizes_agree(a: tuple[float, float], b: tuple[float, float]) -> bool:
        t = thresholds
        tolerances = (t.length_tolerance_share, t.length_tolerance_m), (t.beam_tolerance_share, t.beam_tolerance_m)
        pairs = zip(a, b, tolerances, strict=True)
        return all(abs(x - y) <= max(share * max(x, y), metres) for x, y, (share, metres) in pairs)

    return {
        "length and beam": (_size, sizes_agree),
        "ship type": (lambda one: one.type_group if one.type_group in JUDGED_CLASSES else None, lambda a, b: a == b),
        "call sign": (lambda one: one.call_sign, near_equal_call_signs),
        "name": (_name, lambda a, b: near_equal_names(a, b) is not None),
    }


def _mostly(spells: Sequence[Spell], value_of: Callable[[Spell], Any], thresholds: Thresholds) -> Any:
    """The value that most reports carried; None if few carried any."""
    said: Counter[Any] = Counter()
    for spell in spells:
        value = value_of(spell)
        if value is not None:
            said[value] += spell.n_reports
    value, count = max(said.items(), key=lambda item: (item[1], str(item[0])), default=(None, 0))
    return value if count >= thresholds.min_reports else None


def _particulars(
    one: Claimant, settled: _Settled, begins_us: int, thresholds: Thresholds, of_mmsi: bool
) -> list[Reason]:
    """Whether it keeps what the identity had settled on before a second hull claimed it."""
    since = [spell for spell in one.bore if spell.last_us >= begins_us]
    kept: list[str] = []
    departed: list[tuple[str, Any, Any]] = []
    for what, (value_of, agree) in _fields(thresholds).items():
        was, now = _mostly(settled.spells, value_of, thresholds), _mostly(since, value_of, thresholds)
        if was is None or now is None:
            continue
        if agree(was, now):
            kept.append(what)
        else:
            departed.append((what, was, now))
    own: list[Reason] = []
    if kept:
        weight_db = settled.share * KEPT_DB * len(kept)
        own.append(Reason(f"keeps its {_listed(kept)}", weight_db, settled.by_time))
    if departed:
        words = [f"{what} ({_shown(now)}, not {_shown(was)})" for what, was, now in departed]
        weight_db = settled.share * max(sum(DEPARTED_DB[what] for what, _, _ in departed), MOST_DEPARTED_DB)
        own.append(Reason(f"departs from its {_listed(words)}", weight_db, settled.by_time))
    was, now = (_mostly(spells, lambda spell: spell.imo or None, thresholds) for spells in (settled.spells, since))
    if of_mmsi and was is not None and now is not None and was != now:
        weight_db = settled.share * NUMBER_DEPARTED_DB
        own.append(Reason(f"claims IMO number {now}, not {was} as before", weight_db, settled.by_time))
    return own


def _shown(value: Any) -> str:
    return f"{value[0]:.0f} by {value[1]:.0f} m" if isinstance(value, tuple) else str(value)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _signs(one: Claimant, of_mmsi: bool) -> list[Reason]:
    """The MMSI's state against the call sign's, and check digits."""
    own: list[Reason] = []
    names = state_names()
    states = states_of(one.mmsi[-1])
    signs = Counter[str]()
    for spell in one.bore:
        if spell.call_sign is not None and spell.mmsi == one.mmsi[-1]:
            signs[spell.call_sign] += spell.n_reports
    sign = max(signs, key=lambda text: (signs[text], text), default=None)
    state = call_sign_state(sign) if sign is not None else None
    if not states and not of_mmsi:
        own.append(Reason("sends an MMSI with digits of no state", UNKNOWN_STATE_DB))
    elif states and state in states:
        own.append(Reason("sends a call sign of its MMSI's state", SIGN_FITS_DB))
    elif states and state is not None:
        text = f"sends a call sign of {names.get(state, state)}, {sign}, with another state's MMSI"
        own.append(Reason(text, FOREIGN_SIGN_DB))
    numbered = [spell for spell in one.bore if spell.imo]
    if of_mmsi and numbered and not any(imo_passes(spell.imo) for spell in numbered):
        own.append(Reason(f"claims IMO number {numbered[-1].imo}, whose check digit is wrong", BAD_DIGIT_DB))
    return own


def _ports(one: Claimant, settled: _Settled, begins_us: int) -> list[Reason]:
    """Whether it calls where the identity called before."""
    since = [call.zone_id for call in one.calls if begins_us <= call.start_us <= one.last_us]
    again = sorted(settled.zones.intersection(since))
    if not settled.zones or not since:
        return []
    if 2 * sum(zone in settled.zones for zone in since) >= len(since):
        text = f"goes on calling where the number called before ({', '.join(again)})"
        return [Reason(text, settled.share * SAME_PORTS_DB, settled.by_time)]
    if len(since) >= MIN_NEW_CALLS and not again:
        text = "calls at none of the ports where the number called before"
        return [Reason(text, settled.share * NEW_PORTS_DB, settled.by_time)]
    return []


def _silences(claimants: Sequence[Claimant], reasons: list[list[Reason]]) -> None:
    """Who is heard steadily."""
    borne_h = [max((one.last_us - one.first_us) / US_PER_H, 1e-6) for one in claimants]
    if min(borne_h) < MIN_BORNE_H:
        return
    shares = [min(one.silent_h / hours, 1.0) for one, hours in zip(claimants, borne_h, strict=True)]
    for share, own in zip(shares, reasons, strict=True):
        weight_db = SILENT_DB * (share - min(shares))
        if weight_db <= -0.3:
            own.append(Reason(f"was silent {100 * share:.0f} % of the time it bore it", weight_db))
