"""Lawful look-alikes of two ships and more: a bunker tanker on her round, a tug with her tow.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.courses import Course, alongside, report_times, sailing
from detectors.backtest.draws import log_uniform
from detectors.backtest.fleet import IntArray, Ship
from detectors.backtest.legs import Leg, fits, habit_us, legs, put_off
from detectors.backtest.plants_meetings import is_merchant
from detectors.backtest.sheet import UNDER_WAY
from detectors.backtest.workshop import Cut, Plant, Window, Workshop, lasting, stated
from vessels.geodesy import distance_nmi
from vessels.units import METRES_PER_NMI, US_PER_H

TANKERS: Final = 8
"""First digit of a tanker's ship type, ITU-R M.1371-5, table 53."""
BUNKER_TANKER_M: Final = 120.0
"""Bunker tankers are shorter: one to a few thousand tonnes."""
BUNKER_STAY_H: Final = 8.0
BUNKER_H: Final[Window] = (1.5, 4.0)
"""Hours alongside for a few hundred tonnes."""
BUNKER_NMI: Final = 15.0
"""Customers lie in one roads or port."""
BUNKER_SHIPS: Final = 3
BUNKER_PACE_KN: Final = 6.0
SIDE_BY_SIDE_M: Final[Window] = (15.0, 60.0)
"""From antenna to antenna of two hulls moored together."""
TUG_TYPES: Final = (31, 32, 52)
"""Towing, towing long or broad, and tug: ITU-R M.1371-5, table 53."""
TUG_NMI: Final = 10.0
"""A tug is sought in the port that the tow leaves, and is back there in the end."""
TUG_PACE_KN: Final = 9.0
TOW_NMI: Final[Window] = (20.0, 90.0)
TOW_KN: Final[Window] = (4.5, 7.0)
"""Ships in tow make five to seven knots."""
TOWLINE_M: Final[Window] = (200.0, 600.0)
_EVERY_PLACE: Final = 10


def bunkering(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A small tanker leaves her berth, lies beside one waiting ship after another, and is back again."""
    fleet = shop.fleet
    if ship.identity.ship_type // 10 != TANKERS or ship.identity.length_m > BUNKER_TANKER_M:
        return None
    stays = fleet.stays(ship, BUNKER_STAY_H)
    for first, last in (stays[i] for i in rng.permutation(len(stays)).tolist()):
        begin_us, end_us = int(fleet.time_us[first]) + US_PER_H, int(fleet.time_us[last]) - US_PER_H
        course, served = _round(shop, ship, rng, first, begin_us, end_us)
        if len(served) < 2:
            continue
        until_us = int(course.time_us[-1])
        times = report_times(rng, habit_us(fleet, ship, first), begin_us, until_us)
        own = fleet.rows_between(ship, begin_us, until_us)
        shop.sheet.delete(own)
        shop.sheet.put_in(rng.choice(ship.positions, len(times)), course.reports(rng, times), UNDER_WAY)
        what = f"{lasting((until_us - begin_us) / US_PER_H)} from ship to ship: "
        what += "; ".join(stated(other.identity) for other in served)
        return shop.plant("bunkering", (ship, *served), Cut(first, begin_us, until_us, own), what, (), until_us)
    return None


def _round(
    shop: Workshop, ship: Ship, rng: np.random.Generator, row: int, begin_us: int, end_us: int
) -> tuple[Course, list[Ship]]:
    """A bunker tanker's way from her berth to some ships and back, in the time that she lay there."""
    berth = _place(shop, row)
    us, here = begin_us, berth
    course, served = Course(np.array([us]), np.array([berth[0]]), np.array([berth[1]])), []
    customers = _lying(shop, ship, berth, begin_us, end_us)
    for other, first_us, last_us, its_row in (customers[i] for i in rng.permutation(len(customers)).tolist()):
        place = _place(shop, its_row)
        there = sailing(us, BUNKER_PACE_KN, [here, place])
        arrive_us = int(there.time_us[-1])
        done_us = arrive_us + int(log_uniform(rng, *BUNKER_H) * US_PER_H)
        home = sailing(done_us, BUNKER_PACE_KN, [place, berth])
        lies = first_us <= arrive_us and done_us <= last_us and int(home.time_us[-1]) <= end_us
        if other in served or not lies:
            continue
        times = np.linspace(arrive_us + 1, done_us, 12).astype(np.int64)
        still = Course(times, np.full(12, place[0]), np.full(12, place[1]))
        course, us, here = course.then(there).then(alongside(rng, still, SIDE_BY_SIDE_M)), done_us, place
        served.append(other)
        if len(served) == BUNKER_SHIPS:
            break
    return course.then(sailing(us, BUNKER_PACE_KN, [here, berth])), served


def _place(shop: Workshop, row: int) -> tuple[float, float]:
    return float(shop.fleet.lat[row]), float(shop.fleet.lon[row])


def _lying(
    shop: Workshop, ship: Ship, berth: tuple[float, float], begin_us: int, end_us: int
) -> list[tuple[Ship, int, int, int]]:
    """Free merchant ships that lay still near a place for hours between two instants: from when to when, and a row."""
    fleet, found, known = shop.fleet, [], {ship.number}
    for us in range(begin_us, end_us, 2 * US_PER_H):
        for near in fleet.near(*berth, us, BUNKER_NMI):
            other = fleet.ships[near.ship]
            if near.ship in known or not shop.is_free(near.ship) or not is_merchant(other):
                continue
            known.add(near.ship)
            for first, last in fleet.stays(other, BUNKER_STAY_H):
                first_us, last_us = int(fleet.time_us[first]), int(fleet.time_us[last])
                close = float(distance_nmi(*berth, *_place(shop, first))) <= BUNKER_NMI
                if close and first_us <= end_us and last_us >= begin_us:
                    found.append((other, first_us, last_us, first))
    return found


def tow(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A tug leaves port before a ship that makes five knots on a line, and sails home alone."""
    fleet = shop.fleet
    if not is_merchant(ship):
        return None
    for leg in legs(fleet, ship):
        begin = int(leg.rows[0])
        for near in fleet.near(*_place(shop, begin), int(fleet.time_us[begin]), TUG_NMI):
            tug = fleet.ships[near.ship]
            if tug.identity.ship_type in TUG_TYPES and shop.is_free(tug.number):
                plant = _towed(shop, ship, rng, leg, tug)
                if plant is not None:
                    return plant
    return None


def _towed(shop: Workshop, ship: Ship, rng: np.random.Generator, leg: Leg, tug: Ship) -> Plant | None:
    fleet, speed = shop.fleet, float(rng.uniform(*TOW_KN))
    lat, lon, old_us = fleet.lat[leg.rows], fleet.lon[leg.rows], fleet.time_us[leg.rows]
    gone = np.concatenate([[0.0], np.cumsum(distance_nmi(lat[:-1], lon[:-1], lat[1:], lon[1:]))])
    n = int(np.searchsorted(gone, log_uniform(rng, *TOW_NMI), "right"))
    if n < 3 or gone[n - 1] < TOW_NMI[0]:
        return None
    course = Course(old_us[0] + (gone[:n] / speed * US_PER_H).astype(np.int64), lat[:n], lon[:n])
    begin_us, dropped_us = int(course.time_us[0]), int(course.time_us[-1])
    by_us = dropped_us - int(old_us[n - 1])
    way = _tugs_way(shop, rng, tug, course, speed)
    if way is None or not fits(fleet, ship, by_us, dropped_us):
        return None
    own = fleet.rows_between(tug, int(way.time_us[0]), int(way.time_us[-1]))
    _resend(shop, rng, tug, own, way, tug.positions)
    _resend(shop, rng, ship, np.arange(leg.rows[0] + 1, leg.rows[n - 1]), course, leg.rows[:n])
    delay = put_off(shop, ship, int(leg.rows[n - 1]), by_us)
    what = f"towed {gone[n - 1]:.0f} nmi at {speed:.1f} kn by {stated(tug.identity)}"
    cut = Cut(int(leg.rows[0]), begin_us, dropped_us, own)
    return replace(shop.plant("tow", (ship, tug), cut, what, (), int(way.time_us[-1])), delays=(delay,))


def _tugs_way(shop: Workshop, rng: np.random.Generator, tug: Ship, course: Course, speed: float) -> Course | None:
    """A tug's way: to the ship, before her on the line, home again, and to where she was heard next in port."""
    fleet, (lat, lon) = shop.fleet, (course.lat, course.lon)
    times = fleet.time_us[tug.positions]
    leave = int(np.searchsorted(times, course.time_us[0] - int(TUG_NMI / TUG_PACE_KN * US_PER_H), "right")) - 1
    back = [*range(len(lat) - 1, 0, -_EVERY_PLACE), 0]
    home = sailing(int(course.time_us[-1]), TUG_PACE_KN, [(float(lat[i]), float(lon[i])) for i in back])
    rejoin = int(np.searchsorted(times, int(home.time_us[-1]) + int(TUG_NMI / TUG_PACE_KN * US_PER_H)))
    if leave < 0 or rejoin >= len(times) or not fleet.is_interior(tug, int(times[rejoin])):
        return None
    ends = tug.positions[[leave, rejoin]]
    if distance_nmi(fleet.lat[ends], fleet.lon[ends], lat[0], lon[0]).max() > TUG_NMI:
        return None
    first, last = (
        Course(times[[at]], fleet.lat[[row]], fleet.lon[[row]]) for at, row in zip((leave, rejoin), ends, strict=True)
    )
    ahead_us = int(rng.uniform(*TOWLINE_M) / METRES_PER_NMI / speed * US_PER_H)
    ahead = Course(course.time_us - ahead_us, lat, lon)
    return first.then(ahead).then(home).then(last)


def _resend(shop: Workshop, rng: np.random.Generator, ship: Ship, own: IntArray, way: Course, like: IntArray) -> None:
    """A ship's reports along another way instead of those that she sent meanwhile."""
    times = report_times(rng, habit_us(shop.fleet, ship, int(like[0])), int(way.time_us[0]), int(way.time_us[-1]))
    shop.sheet.delete(own)
    shop.sheet.put_in(rng.choice(like, len(times)), way.reports(rng, times), UNDER_WAY)
