"""Legs: stretches under way on which a ship was heard all along, and ways off them to a place and back.

Takes a workshop and a ship; gives `Leg`, `Detour` and what is written into the copy when a ship leaves her track. What
a detour is for is left to the kinds.
"""

from typing import Final, NamedTuple

import numpy as np

from detectors.backtest.courses import Course, report_times, sailing
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import MOVING_KN, SIDE_H, Fleet, IntArray, Ship
from detectors.backtest.workshop import Delay, Window, Workshop
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H

WELL_HEARD_H: Final = 1.0
"""Reports no further apart: public shore networks hold a ship in reach for every few minutes, satellites do not."""
PASSAGE_PAUSE_H: Final = 6.0
"""Between two coasts only satellites hear a ship: a few times a day."""
HEARD_SHARE: Final = 0.5
"""A ship is silenced where she was heard in half of the hours at least: elsewhere nobody could tell."""
HABIT_ROWS: Final = 100
"""So many reports before and after tell how often the ship is heard there."""
PACE_KN: Final = (5.0, 18.0)
"""Slowest and fastest pace of a merchant ship under way."""
_TRIES: Final = 12


class Leg(NamedTuple):
    """Positions of one ship (rows of the fleet) without a pause between them."""

    ship: Ship
    rows: IntArray


def legs(fleet: Fleet, ship: Ship, pause_h: float = WELL_HEARD_H) -> list[Leg]:
    """The legs of a ship that lie well within her track; with a longer pause, her passages."""
    rows = fleet.interior(ship)
    if len(rows) < 2:
        return []
    moving, time_us = fleet.speed_kn[rows] >= MOVING_KN, fleet.time_us[rows]
    on = moving[1:] & moving[:-1] & (np.diff(time_us) <= pause_h * US_PER_H)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [Leg(ship, rows[a : b + 1]) for a, b in edges.reshape(-1, 2).tolist()]


def lasting_h(fleet: Fleet, leg: Leg) -> float:
    """Hours from first to last report."""
    return float(fleet.time_us[leg.rows[-1]] - fleet.time_us[leg.rows[0]]) / US_PER_H


def stretch(fleet: Fleet, ship: Ship, rng: np.random.Generator, hours: Window) -> Leg | None:
    """A part of a leg, its length drawn log-uniformly as far as legs reach, its place by lot; None where none is."""
    long_enough = [leg for leg in legs(fleet, ship) if lasting_h(fleet, leg) >= hours[0]]
    if not long_enough:
        return None
    longest = max(lasting_h(fleet, leg) for leg in long_enough)
    wanted_us = int(log_uniform(rng, hours[0], min(hours[1], longest)) * US_PER_H)
    fitting = [leg for leg in long_enough if lasting_h(fleet, leg) * US_PER_H >= wanted_us]
    leg = pick(rng, fitting)
    time_us = fleet.time_us[leg.rows]
    first = int(rng.integers(int(np.searchsorted(time_us, time_us[-1] - wanted_us, "right"))))
    last = int(np.searchsorted(time_us, time_us[first] + wanted_us))
    return Leg(ship, leg.rows[first : min(last, len(time_us) - 1) + 1])


def silent_stretch(fleet: Fleet, ship: Ship, rng: np.random.Generator, hours: Window) -> Leg | None:
    """A part of a passage that she was heard well before, after, and in most hours of; drawn as `stretch` does.

    A passage may leave the reach of shore stations for some hours, where her silence would be nobody's to tell.
    """
    long_enough = [leg for leg in legs(fleet, ship, PASSAGE_PAUSE_H) if lasting_h(fleet, leg) >= hours[0]]
    if not long_enough:
        return None
    longest = max(lasting_h(fleet, leg) for leg in long_enough)
    for _ in range(_TRIES):
        wanted_us = int(log_uniform(rng, hours[0], min(hours[1], longest)) * US_PER_H)
        leg = pick(rng, [leg for leg in long_enough if lasting_h(fleet, leg) * US_PER_H >= wanted_us])
        time_us = fleet.time_us[leg.rows]
        close = np.diff(time_us, prepend=0, append=2**62) <= WELL_HEARD_H * US_PER_H
        first = int(rng.integers(int(np.searchsorted(time_us, time_us[-1] - wanted_us, "right"))))
        last = min(int(np.searchsorted(time_us, time_us[first] + wanted_us)), len(time_us) - 1)
        heard = len(np.unique(time_us[first:last] // US_PER_H)) * US_PER_H
        if close[first] and close[last + 1] and heard >= HEARD_SHARE * wanted_us:
            return Leg(ship, leg.rows[first : last + 1])
    return None


def pace_kn(fleet: Fleet, leg: Leg) -> float:
    """The ship's pace on a leg: the median of the speeds that she sent."""
    return float(np.clip(np.median(fleet.speed_kn[leg.rows]), *PACE_KN))


def habit_us(fleet: Fleet, ship: Ship, row: int) -> IntArray:
    """Times between the ship's reports about a row, pauses left out. Shape (n,), never empty."""
    at = int(np.searchsorted(ship.positions, row))
    between = np.diff(fleet.time_us[ship.positions[max(at - HABIT_ROWS, 0) : at + HABIT_ROWS]])
    usual = between[(between > 0) & (between <= WELL_HEARD_H * US_PER_H)]
    return usual if len(usual) else np.array([US_PER_H // 10])


class Detour(NamedTuple):
    """A ship leaves her track at one row, goes to a place, and comes back to the track at a later row."""

    leg: Leg
    leave: int
    rejoin: int
    pace_kn: float
    there: Course
    back_us: int

    @property
    def arrive_us(self) -> int:
        """When she is at the place."""
        return int(self.there.time_us[-1])

    def delay_us(self, fleet: Fleet, depart_us: int) -> int:
        """How much later she is on her track when she departs from the place at an instant."""
        return depart_us + self.back_us - int(fleet.time_us[self.rejoin])


def detour_to(shop: Workshop, leg: Leg, leave: int, lat: float, lon: float) -> Detour | None:
    """The way from a row of a leg to a place and back to the leg where it has gone on as far, if the sea is open."""
    fleet, waters = shop.fleet, shop.waters
    pace = pace_kn(fleet, leg)
    rows = leg.rows[leg.rows > leave]
    there_nmi = float(distance_nmi(fleet.lat[leave], fleet.lon[leave], lat, lon))
    gone = distance_nmi(fleet.lat[leave], fleet.lon[leave], fleet.lat[rows], fleet.lon[rows])
    far = np.flatnonzero(gone >= there_nmi + 1.0)
    if not len(far):
        return None
    rejoin = int(rows[far[0]])
    begin, end = _place(fleet, leave), _place(fleet, rejoin)
    if not (waters.is_open(*begin, lat, lon) and waters.is_open(lat, lon, *end)):
        return None
    there = sailing(int(fleet.time_us[leave]), pace, [begin, (lat, lon)])
    back_us = int(float(distance_nmi(lat, lon, *end)) / pace * US_PER_H)
    return Detour(leg, leave, rejoin, pace, there, back_us)


def _place(fleet: Fleet, row: int) -> tuple[float, float]:
    return float(fleet.lat[row]), float(fleet.lon[row])


def fits(fleet: Fleet, ship: Ship, delay_us: int, us: int) -> bool:
    """Whether half a day of track is left behind an instant (of the delayed track) when the track is delayed."""
    return delay_us >= 0 and us + SIDE_H * US_PER_H <= fleet.last_us(ship)


def take(
    shop: Workshop, rng: np.random.Generator, way: Detour, stay: Course, status: int | None = None
) -> tuple[Course, Delay]:
    """Write a detour with its stay, begun at the arrival or later, into the copy; all else comes later by as much.

    `status` is the navigational status set meanwhile. Gives the whole course off the track, and the delay.
    """
    fleet, ship = shop.fleet, way.leg.ship
    last = (float(stay.lat[-1]), float(stay.lon[-1]))
    back = sailing(int(stay.time_us[-1]), way.pace_kn, [last, _place(fleet, way.rejoin)])
    course = way.there.then(stay).then(back)
    by_us = int(back.time_us[-1]) - int(fleet.time_us[way.rejoin])
    times = report_times(rng, habit_us(fleet, ship, way.leave), int(course.time_us[0]), int(course.time_us[-1]))
    shop.sheet.delete(np.arange(way.leave + 1, way.rejoin))
    lies = (times >= stay.time_us[0]) & (times <= stay.time_us[-1])
    for some, said in ((times[lies], status), (times[~lies], None)):
        shop.sheet.put_in(rng.choice(way.leg.rows, len(some)), course.reports(rng, some), said)
    return course, put_off(shop, ship, way.rejoin, by_us)


def put_off(shop: Workshop, ship: Ship, row: int, by_us: int) -> Delay:
    """Send a ship's rows from one on later by so much."""
    shop.sheet.delay(np.arange(row, ship.end), by_us)
    return Delay(ship.mmsi, int(shop.fleet.time_us[row]), by_us)
