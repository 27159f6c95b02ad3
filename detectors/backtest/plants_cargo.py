"""Plants in which two ships share the work: one lands at a berth what she took in at a watched port, another loads it.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none. Where each parameter of the draws is from is written in docs/backtest.md.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import shapely

from detectors.backtest.cargo import CARGO_M
from detectors.backtest.courses import Course, at_anchor, sailing
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import Ship
from detectors.backtest.legs import Leg, fits, legs, pace_kn, put_off
from detectors.backtest.workshop import Cut, Plant, Window, Workshop, lasting, stated
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H
from vessels.zones import VISIT_KINDS, Zone

RELAY_TAGS: Final = frozenset({"russia", "coal"})
"""Where such cargo was landed and loaded again: Russian coal ports (Sky Angel and Rich Glory, Kholmsk 2017)."""
STAY_H: Final = 12.0
"""Half a day at a berth is enough for a coaster's cargo."""
LOADING_H: Final[Window] = (24.0, 72.0)
AWAY_NMI: Final = 350.0
"""The watched port lies within a day and a half of the ship's way."""
RELOAD_DAYS: Final = 28.0
"""Weeks between landing and loading at most."""
BERTH_NMI: Final = 2.0
"""The second ship's berth is moved to the first one's where it lies so near."""
LENGTHS: Final = (0.7, 1.4)
"""The second ship's length over the first one's: what one lands fills the other."""
FAIRWAY_NMI: Final = 6.0
HEARD_EVERY_H: Final[Window] = (0.5, 3.0)
"""How often a ship is heard where only satellites are: a few times a day."""
_CARGO: Final = range(70, 80)
_PORT_APPROACH_NMI: Final = 10.0
"""The last miles into a port are not looked at for land."""
_TRIES: Final = 12


class _Stay(NamedTuple):
    """A ship's stay in a zone: first and last row."""

    ship: Ship
    first: int
    last: int
    zone: Zone


def reexport_pairing(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A ship calls at a watched port on her way to a Russian one and lands there; another loads at her berth."""
    if ship.identity.ship_type not in _CARGO:
        return None
    for landing in _stays(shop, ship):
        loadings = _loadings(shop, landing)
        for i in rng.permutation(len(loadings))[:_TRIES].tolist():
            plant = _pairing(shop, rng, landing, loadings[i])
            if plant is not None:
                return plant
    return None


def _zones(shop: Workshop) -> list[Zone]:
    return [zone for zone in shop.waters.zones.zones if zone.kind in VISIT_KINDS and zone.tags >= RELAY_TAGS]


def _stays(shop: Workshop, ship: Ship) -> list[_Stay]:
    """The ship's stays in the ports where cargo is landed and loaded again."""
    fleet = shop.fleet
    return [
        _Stay(ship, first, last, zone)
        for first, last in fleet.stays(ship, STAY_H)
        for zone in _zones(shop)
        if shapely.contains_xy(zone.geometry, fleet.lon[first], fleet.lat[first])
    ]


def _loadings(shop: Workshop, landing: _Stay) -> list[_Stay]:
    """Later stays of free cargo ships at about that berth, from which they went on to a port of another state."""
    fleet, found = shop.fleet, []
    for number in sorted(fleet.ships):
        other = fleet.ships[number]
        if number == landing.ship.number or not shop.is_free(number) or other.identity.ship_type not in _CARGO:
            continue
        for stay in _stays(shop, other):
            apart = float(
                distance_nmi(
                    fleet.lat[stay.first], fleet.lon[stay.first], fleet.lat[landing.first], fleet.lon[landing.first]
                )
            )
            likely = stay.zone is landing.zone and apart <= BERTH_NMI and _size(other) / _size(landing.ship)
            if LENGTHS[0] <= likely <= LENGTHS[1] and _market(shop, stay) is not None:
                found.append(stay)
    return found


def _size(ship: Ship) -> float:
    return ship.identity.length_m


def _market(shop: Workshop, stay: _Stay) -> int | None:
    """The first row of the ship's next stay, if that is in a port of a third state."""
    fleet = shop.fleet
    nexts = [first for first, _ in fleet.stays(stay.ship, STAY_H) if first > stay.last]
    if not nexts:
        return None
    states = {
        zone.country
        for zone in shop.waters.zones.zones
        if zone.kind in VISIT_KINDS and shapely.contains_xy(zone.geometry, fleet.lon[nexts[0]], fleet.lat[nexts[0]])
    }
    watched = {zone.country for zone in shop.waters.watched}
    return nexts[0] if states and not states & {stay.zone.country, *watched} else None


def _pairing(shop: Workshop, rng: np.random.Generator, landing: _Stay, loading: _Stay) -> Plant | None:
    fleet, ship, other = shop.fleet, landing.ship, loading.ship
    market = _market(shop, loading)
    before = [leg for leg in legs(fleet, ship) if leg.rows[-1] < landing.first]
    if not before or market is None:
        return None
    leg = before[-1]
    found = _call(shop, rng, leg)
    if found is None:
        return None
    zone, leave, course, rejoin = found
    by_us = int(course.time_us[-1]) - int(fleet.time_us[rejoin])
    landed_us = int(fleet.time_us[landing.last]) + by_us
    if not fits(fleet, ship, by_us, landed_us):
        return None
    if not landed_us < int(fleet.time_us[loading.first]) <= landed_us + int(24 * RELOAD_DAYS * US_PER_H):
        return None
    times = _heard(rng, int(course.time_us[0]), int(course.time_us[-1]))
    shop.sheet.delete(np.arange(leave + 1, rejoin))
    shop.sheet.put_in(rng.choice(leg.rows, len(times)), course.reports(rng, times))
    delay = put_off(shop, ship, rejoin, by_us)
    by_m = float(rng.uniform(*CARGO_M))
    _say_draught(shop, ship, leave, (rejoin, (landing.first + landing.last) // 2), by_m)
    _leave_light(shop, ship, leave, (landing.first + landing.last) // 2, landing.last)
    _say_draught(shop, other, loading.first, ((loading.first + loading.last) // 2, market), by_m)
    _berth_at(shop, loading, landing)
    what = f"{lasting((course.time_us[-1] - course.time_us[0]) / US_PER_H)} to {zone.name} and back, then landing at "
    what += f"{landing.zone.name} where {lasting((int(fleet.time_us[loading.first]) - landed_us) / US_PER_H)} later "
    what += f"{stated(other.identity)} loads; draughts {by_m:.1f} m"
    cut = Cut(leave, int(course.time_us[0]), int(fleet.time_us[market]), np.arange(leave + 1, rejoin))
    plant = shop.plant("reexport_pairing", (ship, other), cut, what, (), int(fleet.time_us[market]))
    return replace(plant, delays=(delay,))


def _call(shop: Workshop, rng: np.random.Generator, leg: Leg) -> tuple[Zone, int, Course, int] | None:
    """A way off a leg to a watched port, a stay there, and the way back to the leg: port, leave, course, rejoin."""
    fleet, waters, pace = shop.fleet, shop.waters, pace_kn(shop.fleet, leg)
    ports = [zone for zone in waters.watched if zone.kind == "port"]
    for _ in range(_TRIES):
        at = int(rng.integers(max(len(leg.rows) - 2, 1)))
        leave, rejoin = int(leg.rows[at]), int(leg.rows[min(at + 1, len(leg.rows) - 1)])
        begin, end = ((float(fleet.lat[row]), float(fleet.lon[row])) for row in (leave, rejoin))
        near = [zone for zone in ports if float(distance_nmi(*begin, zone.lat, zone.lon)) <= AWAY_NMI]
        berth = _berth(shop, rng, pick(rng, near)) if near else None
        if berth is None or leave == rejoin:
            continue
        zone, place = berth
        off = _short_of(begin, place)
        if not waters.is_open(*begin, *off):
            continue
        there = sailing(int(fleet.time_us[leave]), pace, [begin, off, place])
        stay_us = int(there.time_us[-1]) + int(log_uniform(rng, *LOADING_H) * US_PER_H)
        stay = at_anchor(rng, int(there.time_us[-1]) + 1, stay_us, *place)
        still = Course(stay.time_us, np.full_like(stay.lat, place[0]), np.full_like(stay.lon, place[1]))
        return zone, leave, there.then(still).then(sailing(stay_us, pace, [place, off, end])), rejoin
    return None


def _short_of(begin: tuple[float, float], place: tuple[float, float]) -> tuple[float, float]:
    """The place on the straight way some miles before its end."""
    share = max(1.0 - _PORT_APPROACH_NMI / max(float(distance_nmi(*begin, *place)), 1.0), 0.0)
    return begin[0] + share * (place[0] - begin[0]), begin[1] + share * (place[1] - begin[1])


def _berth(shop: Workshop, rng: np.random.Generator, zone: Zone) -> tuple[Zone, tuple[float, float]] | None:
    """A place of water within a port's fence, near the shore."""
    west, south, east, north = zone.geometry.bounds
    lon, lat = rng.uniform(west, east, 200), rng.uniform(south, north, 200)
    shore = shop.waters.shore_nmi(lat, lon)
    fit = np.flatnonzero(shapely.contains_xy(zone.geometry, lon, lat) & (shore > 0.05) & (shore < 2.0))
    return (zone, (float(lat[fit[0]]), float(lon[fit[0]]))) if len(fit) else None


def _heard(rng: np.random.Generator, start_us: int, end_us: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """When a ship is heard where only satellites hear."""
    n = int((end_us - start_us) / (HEARD_EVERY_H[0] * US_PER_H)) + 1
    step = np.exp(rng.uniform(np.log(HEARD_EVERY_H[0]), np.log(HEARD_EVERY_H[1]), n))
    times = start_us + np.cumsum(step * US_PER_H).astype(np.int64)
    return times[times < end_us]


def _say_draught(shop: Workshop, ship: Ship, row: int, rows: tuple[int, int], by_m: float) -> None:
    """In some of the ship's rows the draught that she stated up to a row, and so much more; elsewhere as it was."""
    said = shop.fleet.rows["draught"].slice(ship.begin, row + 1 - ship.begin).to_numpy()
    stated_m = said[said > 0]
    if len(stated_m):
        shop.sheet.state_draught(np.arange(rows[0], rows[1]), float(stated_m[-1]) + by_m)


def _leave_light(shop: Workshop, ship: Ship, row: int, begin: int, left: int) -> None:
    """From a row on the draught stated before the watched port, as long as that of her departure is stated."""
    said = shop.fleet.rows["draught"].slice(ship.begin, ship.end - ship.begin).to_numpy()
    before = said[: row + 1 - ship.begin]
    after = said[left - ship.begin :]
    if not (before > 0).any() or not (after > 0).any():
        return
    departed_m = after[after > 0][0]
    changed = np.flatnonzero((after > 0) & (after != departed_m))
    until = left + int(changed[0]) if len(changed) else ship.end
    shop.sheet.state_draught(np.arange(begin, until), float(before[before > 0][-1]))


def _berth_at(shop: Workshop, loading: _Stay, landing: _Stay) -> None:
    """Move a ship's stay to another's berth, its approach and its departure bent towards it."""
    fleet, ship = shop.fleet, loading.ship
    at, to = (np.array([fleet.lat[s.first], fleet.lon[s.first]]) for s in (loading, landing))
    rows = ship.positions
    off = distance_nmi(fleet.lat[rows], fleet.lon[rows], *at)
    begin, end = np.searchsorted(rows, [loading.first, loading.last]).tolist()
    outside = np.flatnonzero(off > FAIRWAY_NMI)
    before, after = outside[outside < begin], outside[outside > end]
    bent = rows[int(before[-1]) + 1 if len(before) else 0 : int(after[0]) if len(after) else len(rows)]
    share = np.clip(1.0 - distance_nmi(fleet.lat[bent], fleet.lon[bent], *at) / FAIRWAY_NMI, 0.0, 1.0)
    shop.sheet.move(bent, fleet.lat[bent] + share * (to[0] - at[0]), fleet.lon[bent] + share * (to[1] - at[1]))
