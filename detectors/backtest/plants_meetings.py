"""Plants in which a ship stops at sea: to meet another, to meet one that is not heard, or for nothing to be seen.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none. Where each parameter of the draws is from is written in docs/backtest.md.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from detectors.backtest.cargo import cargo_m, load
from detectors.backtest.courses import Course, alongside, drifting
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import Fleet, FloatArray, Ship
from detectors.backtest.legs import Detour, Leg, detour_to, fits, legs, put_off, take
from detectors.backtest.workshop import Cut, Delay, Plant, Window, Workshop, lasting, stated
from detectors.rules.rendezvous.places import roads_of
from vessels.geodesy import wrap_degrees
from vessels.units import US_PER_H, US_PER_MIN

MEETING_H: Final[Window] = (3.0, 10.0)
"""Hours side by side, as long as pumping or craning a coaster's cargo takes: judgement."""
MEETING_M: Final[Window] = (50.0, 300.0)
"""Between the two ships' antennas: hulls of a hundred metres side by side, or a short line between them."""
MEETING_NMI: Final = 25.0
"""How far apart the two tracks are at most before they are bent: two hours' way for each."""
DARK_BESIDE_H: Final[Window] = (1.0, 12.0)
"""How long before and after the detour the silent partner is not heard either."""
LOITERING_H: Final[Window] = (8.0, 24.0)
OFFSHORE_NMI: Final = 12.0
"""Outside the territorial sea (UNCLOS, article 3), where no coastal state asks."""
OFF_PORT_NMI: Final = 10.0
"""From ports and roads: an hour's way off the pilots, bunker boats and ships that wait."""
_MERCHANT: Final = range(70, 90)
"""Cargo ships and tankers, ITU-R M.1371-5, table 53."""
MOORING_H: Final = 1 / 3
"""From arriving at the place to lying side by side."""
_PLACES: Final = 16
_LOOK_US: Final = 10 * US_PER_MIN
_MORE: Final = 12
"""So many times as many are drawn, of which most lie too near the shore."""


def is_merchant(ship: Ship) -> bool:
    """Whether it says it is a cargo ship or a tanker."""
    return ship.identity.ship_type in _MERCHANT


def loitering(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A merchant ship stops at sea for hours, set about by wind and tide, then goes on."""
    fleet = shop.fleet
    for leg, row in _places(shop, ship, rng):
        after = int(leg.rows[min(int(np.searchsorted(leg.rows, row)) + 1, len(leg.rows) - 1)])
        lat, lon = _between(shop, row, after, 0.5)
        way = detour_to(shop, leg, row, lat, lon)
        hours = log_uniform(rng, *LOITERING_H)
        if way is None:
            continue
        depart_us = way.arrive_us + int(hours * US_PER_H)
        if not fits(fleet, ship, way.delay_us(fleet, depart_us), depart_us + way.back_us):
            continue
        if not _is_up(fleet, way.arrive_us, depart_us):
            continue
        _, delay = take(shop, rng, way, drifting(rng, way.arrive_us, depart_us, lat, lon))
        cut = Cut(row, way.arrive_us, depart_us, np.zeros(0, np.int64))
        plant = shop.plant("loitering", (ship,), cut, f"stops at sea for {lasting(hours)}", (), depart_us)
        return replace(plant, delays=(delay,))
    return None


def _is_up(fleet: Fleet, start_us: int, end_us: int) -> bool:
    """Whether the feed heard ships all the time: what falls into its silence is lost, and nobody could find it."""
    return not fleet.is_down(np.arange(start_us, end_us, _LOOK_US)).any()


def _places(shop: Workshop, ship: Ship, rng: np.random.Generator) -> list[tuple[Leg, int]]:
    """Some rows at sea of a merchant ship's legs, by lot."""
    if not is_merchant(ship):
        return []
    found = [(leg, row) for leg in legs(shop.fleet, ship) for row in leg.rows.tolist()]
    chosen = [found[i] for i in rng.permutation(len(found))[: _MORE * _PLACES].tolist()]
    rows = np.array([row for _, row in chosen], np.int64)
    at_sea = _are_at_sea(shop, shop.fleet.lat[rows], shop.fleet.lon[rows])
    return [one for one, is_off in zip(chosen, at_sea.tolist(), strict=True) if is_off][:_PLACES]


def _are_at_sea(shop: Workshop, lat: FloatArray, lon: FloatArray) -> npt.NDArray[np.bool_]:
    """Which places lie outside the territorial sea, off ports and not in their roads. Shape (n,)."""
    off = shop.waters.shore_nmi(lat, lon) >= OFFSHORE_NMI
    off[off] = shop.waters.port_nmi(lat[off], lon[off]) >= OFF_PORT_NMI
    for zone in roads_of(shop.waters.zones):
        off[off] = ~shapely.contains_xy(zone.geometry, lon[off], lat[off])
    return off


def _between(shop: Workshop, row: int, other: int, share: float) -> tuple[float, float]:
    """A place on the straight line between two rows."""
    lat, lon = shop.fleet.lat, shop.fleet.lon
    east = float(wrap_degrees(lon[other] - lon[row]))
    return float(lat[row] + share * (lat[other] - lat[row])), float(wrap_degrees(lon[row] + share * east))


class _Meeting(NamedTuple):
    """Two ships on their way to one place, and the course on which they drift there together."""

    own: Detour
    other: Detour
    begin_us: int
    depart_us: int
    drift: Course


def rendezvous(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Two merchant ships leave their tracks, lie side by side for hours at sea, and go on."""
    found = _meeting(shop, ship, rng)
    if found is None:
        return None
    other = found.other.leg.ship
    _, delay = take(shop, rng, found.own, _from(found.drift, found.own.arrive_us))
    beside = alongside(rng, found.drift, MEETING_M)
    _, delay_other = take(shop, rng, found.other, _from(beside, found.other.arrive_us))
    what = f"beside {stated(other.identity)} for {_hours(found)}" + _cargo(shop, rng, found)
    return _plant(shop, "rendezvous", found, (ship, other), what, (delay, delay_other))


def dark_rendezvous(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """The same, and one of the two is silent from before she turns off until after she is back on her track."""
    found = _meeting(shop, ship, rng)
    if found is None:
        return None
    fleet, other = shop.fleet, found.other.leg.ship
    before_us, after_us = (int(log_uniform(rng, *DARK_BESIDE_H) * US_PER_H) for _ in range(2))
    leave_us, rejoin_us = (int(fleet.time_us[row]) for row in (found.other.leave, found.other.rejoin))
    silent = fleet.rows_between(other, leave_us - before_us, rejoin_us + after_us)
    by_us = found.other.delay_us(fleet, found.depart_us)
    if not fleet.is_interior(other, leave_us - before_us) or not fits(
        fleet, other, by_us, rejoin_us + after_us + by_us
    ):
        return None
    _, delay = take(shop, rng, found.own, _from(found.drift, found.own.arrive_us))
    shop.sheet.delete(silent)
    what = f"beside {stated(other.identity)} for {_hours(found)}" + _cargo(shop, rng, found)
    what += f"; the other is silent for {lasting((rejoin_us + after_us + by_us - leave_us + before_us) / US_PER_H)}"
    return _plant(
        shop, "dark_rendezvous", found, (ship, other), what, (delay, put_off(shop, other, found.other.rejoin, by_us))
    )


def _meeting(shop: Workshop, ship: Ship, rng: np.random.Generator) -> _Meeting | None:
    fleet = shop.fleet
    for leg, row in _places(shop, ship, rng):
        lat, lon, us = float(fleet.lat[row]), float(fleet.lon[row]), int(fleet.time_us[row])
        near = [one for one in shop.neighbours(ship, lat, lon, us, MEETING_NMI) if is_merchant(fleet.ships[one.ship])]
        if not near:
            continue
        chosen = pick(rng, near)
        other = fleet.ships[chosen.ship]
        its = next((one for one in legs(fleet, other) if one.rows[0] <= chosen.row <= one.rows[-1]), None)
        if its is None:
            continue
        place = _between(shop, row, chosen.row, float(rng.random()))
        ends = np.array([place, (fleet.lat[chosen.row], fleet.lon[chosen.row])])
        if not _are_at_sea(shop, ends[:, 0], ends[:, 1]).all():
            continue
        own_way, other_way = detour_to(shop, leg, row, *place), detour_to(shop, its, chosen.row, *place)
        if own_way is None or other_way is None:
            continue
        begin_us = max(own_way.arrive_us, other_way.arrive_us) + int(2 * MOORING_H * US_PER_H)
        depart_us = begin_us + int(log_uniform(rng, *MEETING_H) * US_PER_H)
        if not _is_up(fleet, min(own_way.arrive_us, other_way.arrive_us), depart_us):
            continue
        ways = ((ship, own_way), (other, other_way))
        if all(fits(fleet, one, way.delay_us(fleet, depart_us), depart_us + way.back_us) for one, way in ways):
            drift = drifting(rng, min(own_way.arrive_us, other_way.arrive_us), depart_us, *place)
            return _Meeting(own_way, other_way, begin_us, depart_us, drift)
    return None


def _from(course: Course, us: int) -> Course:
    """The part of a course that a ship joins which arrives at an instant and makes fast."""
    later = course.time_us >= us + int(MOORING_H * US_PER_H)
    return Course(course.time_us[later], course.lat[later], course.lon[later])


def _hours(found: _Meeting) -> str:
    return lasting((found.depart_us - found.begin_us) / US_PER_H)


def _cargo(shop: Workshop, rng: np.random.Generator, found: _Meeting) -> str:
    """One ship's draught grows by what the other's lessens, or neither crew sets it."""
    by_m = cargo_m(rng)
    own = load(shop, found.own.leg.ship, found.own.rejoin, by_m)
    return own + load(shop, found.other.leg.ship, found.other.rejoin, None if by_m is None else -by_m)


def _plant(
    shop: Workshop, kind: str, found: _Meeting, ships: tuple[Ship, Ship], what: str, delays: tuple[Delay, ...]
) -> Plant:
    cut = Cut(found.own.leave, found.begin_us, found.depart_us, np.zeros(0, np.int64))
    return replace(shop.plant(kind, ships, cut, what, (), found.depart_us), delays=delays)
