"""What speaks for another hull behind a returned identity: size, distance, links, yard, class, set, habits.

Takes one return with what is known of both sides; gives the grounds that hold, each with its strength and evidence.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from detectors.finding import Evidence
from detectors.rules.identity.breakers import Scrapped
from detectors.rules.identity.crossings import Crossings
from detectors.rules.identity.judgements import PLAUSIBLE_SHAPE
from detectors.rules.identity.returns import Return
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import iso, ship
from vessels.bodies import Body, beyond, rebuilt
from vessels.geodesy import distance_nmi

OTHER_BODY: Final = 0.65
"""Another length and another beam: steel does not grow (Hai Zhou 168, 2019). Some entries are mended in a silence."""
OTHER_LENGTH: Final = 0.3
"""Another length alone, shorter, or longer by more than a yard inserts."""
LENGTHENED: Final = 0.1
"""Longer after time enough in a yard, by no more than yards insert."""
MOST_INSERTED: Final = 0.4
"""Lengthening inserts a section of 10 to 40 % of the length."""
OTHER_BEAM: Final = 0.1
"""Beam is typed roughly, and sponsons are fitted."""
ILL_SHAPED: Final = 0.05
"""One of the sizes is no ship's shape, or a tug shows the length of its tow (M.1371-5, message 5)."""
OTHER_CLASS: Final = 0.3
"""Cargo ship to fishing vessel and the like: a type code is set once and seldom touched."""
CONVERTED: Final = 0.1
UNREACHABLE: Final = 0.75
"""Farther in a straight line than the fastest ships make good: two hulls, or one false position."""
OTHER_SET: Final = 0.15
"""Class A before, class B after, or the reverse: sets are replaced, but seldom by the other class."""
OTHER_CRUISE: Final = 0.12
OTHER_INTERVAL: Final = 0.04
"""Habits differ with cargo, weather and receivers more than with the hull."""
CRUISE_DIFFERS_KN: Final = 4.0
CRUISE_DIFFERS_RATIO: Final = 1.35
"""Laden, in ballast or slow steaming a hull differs from itself by 2 to 3 kn."""
INTERVAL_DIFFERS_RATIO: Final = 8.0
MIN_HABIT_POSITIONS: Final = 50
SUPPORTING: Final = 0.1
"""A ground at least so strong settles beside a breakers' yard."""
LINKED: Final = 0.75
"""Times the probability of the link: the old hull goes on as another, or the returning one had been another."""
LINKED_UNTIL: Final = 0.2
"""The same where the old hull was not heard after the return: it may have come back unlinked."""
BROKEN_UP: Final = 0.5
"""Last heard at a breakers' yard or bound for one (Shun Li at Alang, 2021, then Diamond 8); some are bought back."""
PERHAPS_BROKEN_UP: Final = 0.1
"""Last heard bound for a trading port that has yards beside."""


class Ground(NamedTuple):
    """One reason to think of another hull. `settles` if it says so without help of others."""

    strength: float
    settles: bool
    evidence: Evidence
    words: str = ""
    caveat: str = ""
    other_mmsi: int = 0


@dataclass(frozen=True, slots=True)
class Habits:
    """Speed under way and time between reports of a track, medians, NaN if unknown."""

    cruise_kn: float
    interval_s: float
    n_positions: int


@dataclass(frozen=True, slots=True)
class Case:
    """A return with what it is judged by."""

    one: Return
    bodies: tuple[Sequence[Body], Sequence[Body]]
    habits: tuple[Habits | None, Habits | None]
    crossings: Crossings
    scrapped: Scrapped | None
    thresholds: Thresholds


def _size(body: Body) -> str:
    length = "?" if math.isnan(body.length_m) else f"{body.length_m:.0f}"
    return f"{length} by {'?' if math.isnan(body.beam_m) else f'{body.beam_m:.0f}'}"


def _longer_and_broader(one: Body, other: Body, t: Thresholds) -> tuple[bool, bool]:
    longer = beyond(one.length_m, other.length_m, t.length_tolerance_share, t.length_tolerance_m)
    return longer, beyond(one.beam_m, other.beam_m, t.beam_tolerance_share, t.beam_tolerance_m)


def _agree(one: Body, other: Body, t: Thresholds) -> bool:
    """Whether two sizes are one hull's: what both say agrees, and they say something."""
    lengths, beams = one.length_m + other.length_m, one.beam_m + other.beam_m
    return not (math.isnan(lengths) and math.isnan(beams)) and not any(_longer_and_broader(one, other, t))


def _size_ground(case: Case) -> Ground | None:
    """Another length or beam, if nothing settled on one side agrees with anything settled on the other."""
    t = case.thresholds
    before, after = (
        [b for b in side if not math.isnan(b.length_m) or not math.isnan(b.beam_m)] for side in case.bodies
    )
    if not before or not after or any(_agree(one, other, t) for one, other in product(before, after)):
        return None
    old, new = before[0], after[0]
    longer, broader = _longer_and_broader(old, new, t)
    if not longer and not broader:
        return None
    evidence = Evidence(
        "length and beam claimed",
        f"{_size(old)} before, {_size(new)} after",
        f"the same to within {max(t.length_tolerance_m, t.length_tolerance_share * old.length_m):.0f} and "
        f"{max(t.beam_tolerance_m, t.beam_tolerance_share * old.beam_m):.0f}: steel does not grow",
        "m",
    )
    words = f"as a hull of {_size(new)} m, {_size(old)} m before"
    caveat = "sizes are typed by crews: an entry mended during the silence looks the same"
    if any(body.ship_class == "tug" or not _is_ship_shaped(body) for body in (old, new)):
        return Ground(ILL_SHAPED, False, evidence, words, "one of the sizes is no ship's, or a tug's with its tow")
    if longer and broader:
        return Ground(OTHER_BODY, True, evidence, words, caveat)
    if broader:
        return Ground(OTHER_BEAM, False, evidence, words, caveat)
    grown = 1.0 < new.length_m / old.length_m <= 1.0 + MOST_INSERTED
    if grown and case.one.gap_h >= 24.0 * t.conversion_days:
        return Ground(LENGTHENED, True, evidence, words, "ships are lengthened in yards, in a month or more")
    return Ground(OTHER_LENGTH, True, evidence, words, caveat)


def _is_ship_shaped(body: Body) -> bool:
    low, high = PLAUSIBLE_SHAPE
    return math.isnan(body.length_m + body.beam_m) or low <= body.length_m / body.beam_m <= high


def _class_ground(case: Case) -> Ground | None:
    before, after = ([body.ship_class for body in side if body.ship_class] for side in case.bodies)
    if not before or not after or set(before) & set(after):
        return None
    evidence = Evidence("class of ship claimed", f"{before[0]} before, {after[0]} after", before[0])
    if rebuilt(before[0], after[0], case.one.gap_h, 24.0 * case.thresholds.conversion_days):
        return Ground(CONVERTED, False, evidence, caveat="yards convert ships of these classes into each other")
    return Ground(OTHER_CLASS, False, evidence)


def _distance_ground(case: Case) -> Ground | None:
    one, t = case.one, case.thresholds
    apart = float(distance_nmi(one.last.lat, one.last.lon, one.first.lat, one.first.lon))
    if not math.isfinite(apart):
        return None
    speed_kn = max(apart - t.position_slack_nmi, 0.0) / one.gap_h
    if speed_kn <= t.revival_speed_kn:
        return None
    evidence = Evidence(
        "speed from the last place to the next, in a straight line",
        f"{speed_kn:.1f}: {apart:.0f} nmi in {one.gap_h:.0f} h",
        f"at most {t.revival_speed_kn:.0f}",
        "kn",
    )
    return Ground(
        UNREACHABLE, True, evidence, f"{apart:.0f} nmi away, more than a ship sails in that time",
        "disturbed or forged positions put a ship anywhere",
    )  # fmt: skip


def _set_ground(case: Case) -> Ground | None:
    before, after = case.one.before.said("transceiver"), case.one.after.said("transceiver")
    if before is None or after is None or before == after:
        return None
    return Ground(OTHER_SET, False, Evidence("class of the set", f"{before} before, {after} after", before))


def _cruise_ground(case: Case) -> Ground | None:
    before, after = case.habits
    if before is None or after is None or not _differ(before.cruise_kn, after.cruise_kn, CRUISE_DIFFERS_RATIO, case):
        return None
    if abs(before.cruise_kn - after.cruise_kn) < CRUISE_DIFFERS_KN:
        return None
    shown = f"{before.cruise_kn:.1f} before, {after.cruise_kn:.1f} after"
    return Ground(OTHER_CRUISE, False, Evidence("speed under way, median", shown, "much the same", "kn"))


def _interval_ground(case: Case) -> Ground | None:
    before, after = case.habits
    if before is None or after is None:
        return None
    if not _differ(before.interval_s, after.interval_s, INTERVAL_DIFFERS_RATIO, case):
        return None
    shown = f"{before.interval_s:.0f} before, {after.interval_s:.0f} after"
    return Ground(OTHER_INTERVAL, False, Evidence("time between reports, median", shown, "much the same", "s"))


def _differ(first: float, second: float, ratio: float, case: Case) -> bool:
    """Whether two habits, known from positions enough, differ by a factor."""
    enough = all(habits is not None and habits.n_positions >= MIN_HABIT_POSITIONS for habits in case.habits)
    return enough and min(first, second) > 0.0 and max(first, second) / min(first, second) >= ratio


def _went_on_ground(case: Case) -> Ground | None:
    link = case.crossings.went_on(case.one)
    if link is None:
        return None
    heard_on = link.until_us > case.one.first.time_us
    label = ship(link.to_name, link.to_mmsi)
    evidence = Evidence(
        "where the old hull went on",
        f"as {label}, {iso(link.began_us)} to {iso(link.until_us)}; probability {link.probability:.2f}",
        "under its own number",
    )
    words = f"while the hull that bore it goes on as {label}"
    strength = (LINKED if heard_on else LINKED_UNTIL) * link.probability
    caveat = "" if heard_on else "the old hull was not heard under its other number after the return"
    return Ground(round(strength, 4), heard_on, evidence, words, caveat, link.to_mmsi)


def _came_from_ground(case: Case) -> Ground | None:
    link = case.crossings.came_from(case.one)
    if link is None:
        return None
    label = ship(link.from_name, link.from_mmsi)
    evidence = Evidence(
        "what the returning hull was before",
        f"{label}, until {iso(link.ended_us)}; probability {link.probability:.2f}",
        "this ship herself",
    )
    words = f"on a hull that had been {label}"
    return Ground(round(LINKED * link.probability, 4), True, evidence, words, "", link.from_mmsi)


def _breakers_ground(case: Case) -> Ground | None:
    if case.scrapped is None:
        return None
    evidence = Evidence("breakers' yard", f"last heard {case.scrapped.words}", "not heard again, if broken up")
    words = f"after it was last heard {case.scrapped.words}"
    if not case.scrapped.is_sure:
        caveat = "that port has trade beside its breakers' yards"
        return Ground(PERHAPS_BROKEN_UP, False, evidence, words, caveat)
    return Ground(BROKEN_UP, False, evidence, words, "ships sold for scrap are bought back now and then")


_OF_THE_HULL: Final[tuple[Callable[[Case], Ground | None], ...]] = (
    _size_ground,
    _distance_ground,
    _went_on_ground,
    _came_from_ground,
    _class_ground,
    _set_ground,
    _cruise_ground,
    _interval_ground,
)


def grounds_of(case: Case) -> list[Ground]:
    """The grounds that hold. After a breakers' yard, one that would only support others is enough beside it."""
    grounds = [ground for rule in _OF_THE_HULL if (ground := rule(case)) is not None]
    broken_up = _breakers_ground(case)
    if broken_up is None:
        return grounds
    sure = case.scrapped is not None and case.scrapped.is_sure
    beside = any(ground.strength >= SUPPORTING for ground in grounds)
    return [*grounds, broken_up._replace(settles=sure and beside)]
