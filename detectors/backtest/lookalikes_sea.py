"""Lawful look-alikes of one ship: a set that fails, satellites alone, a wait at anchor, a harbour not on the chart.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.courses import at_anchor
from detectors.backtest.draws import log_uniform
from detectors.backtest.fleet import SIDE_REPORTS, Ship
from detectors.backtest.legs import Leg, detour_to, fits, legs, silent_stretch, take
from detectors.backtest.plants_meetings import is_merchant
from detectors.backtest.plants_silence import cut_out
from detectors.backtest.sheet import AT_ANCHOR
from detectors.backtest.workshop import Cut, Plant, Window, Workshop, lasting
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H, US_PER_MIN

FAILURE_H: Final[Window] = (12.0, 36.0)
"""About a day without a set, as in `set_replaced`."""
PASS_EVERY_H: Final[Window] = (1.0, 6.0)
"""Between two passes of a few satellites that hear AIS."""
PASS_MIN: Final = 10.0
"""A satellite is in sight for ten minutes or so."""
WAIT_H: Final[Window] = (24.0, 96.0)
"""Days at anchor before a berth is free."""
ROADS_NMI: Final[Window] = (3.0, 15.0)
"""How far off the berth the roads are."""
STAY_H: Final = 6.0
HARBOUR_NMI: Final[Window] = (0.3, 2.0)
"""How far inland a berth lies that a coarse chart shows on land: a basin, a river's mouth."""
FAIRWAY_NMI: Final = 6.0
"""From so far off, the approach is bent towards it."""


def set_failure(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Off for about a day; the ship sails straight on as she did, and the silence is all that there is."""
    leg = silent_stretch(shop.fleet, ship, rng, FAILURE_H)
    if leg is None:
        return None
    cut = cut_out(shop, leg)
    return shop.plant("set_failure", (ship,), cut, f"off for {lasting(cut.silence_h)} under way", (), cut.heard_us)


def satellite_pass_gaps(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Throughout, only what is sent in the minutes of a satellite's pass is heard."""
    fleet = shop.fleet
    first_us, last_us = fleet.first_us(ship), fleet.last_us(ship)
    passes, us = [], first_us
    while us < last_us:
        passes.append(us)
        us += int(log_uniform(rng, *PASS_EVERY_H) * US_PER_H)
    begun = np.array(passes, np.int64)
    rows = np.arange(ship.begin, ship.end)
    at = np.searchsorted(begun, fleet.time_us[rows], "right") - 1
    heard = fleet.time_us[rows] - begun[np.maximum(at, 0)] <= PASS_MIN * US_PER_MIN
    kept = int(np.count_nonzero(heard & np.isfinite(fleet.lat[rows])))
    if kept < 2 * SIDE_REPORTS:
        return None
    shop.sheet.delete(rows[~heard])
    what = f"heard in {len(begun)} passes of {PASS_MIN:.0f} min only, {kept} of {len(ship.positions)} positions"
    cut = Cut(int(ship.positions[0]), first_us, last_us, rows[~heard])
    return shop.plant("satellite_pass_gaps", (ship,), cut, what)


def anchor_wait(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Before she berths, a merchant ship waits at anchor off the port for days; she berths so much later."""
    fleet = shop.fleet
    if not is_merchant(ship):
        return None
    for first, _ in _in_turn(rng, fleet.stays(ship, STAY_H)):
        for leg in legs(fleet, ship):
            off = distance_nmi(fleet.lat[leg.rows], fleet.lon[leg.rows], fleet.lat[first], fleet.lon[first])
            soon = (fleet.time_us[leg.rows] < fleet.time_us[first]) & (
                fleet.time_us[leg.rows] > fleet.time_us[first] - int(STAY_H * US_PER_H)
            )
            for row in leg.rows[soon & (off >= ROADS_NMI[0]) & (off <= ROADS_NMI[1])][::-1].tolist():
                plant = _anchored(shop, ship, rng, leg, row)
                if plant is not None:
                    return plant
    return None


def _in_turn(rng: np.random.Generator, stays: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [stays[i] for i in rng.permutation(len(stays)).tolist()]


def _anchored(shop: Workshop, ship: Ship, rng: np.random.Generator, leg: Leg, row: int) -> Plant | None:
    fleet, hours = shop.fleet, log_uniform(rng, *WAIT_H)
    way = detour_to(shop, leg, row, float(fleet.lat[row]), float(fleet.lon[row]))
    if way is None:
        return None
    depart_us = way.arrive_us + int(hours * US_PER_H)
    if not fits(fleet, ship, way.delay_us(fleet, depart_us), depart_us + way.back_us):
        return None
    stay = at_anchor(rng, way.arrive_us + 1, depart_us, float(fleet.lat[row]), float(fleet.lon[row]))
    _, delay = take(shop, rng, way, stay, AT_ANCHOR)
    cut = Cut(row, way.arrive_us, depart_us, np.zeros(0, np.int64))
    plant = shop.plant("anchor_wait", (ship,), cut, f"at anchor for {lasting(hours)} before she berths", (), depart_us)
    return replace(plant, delays=(delay,))


def harbour_inland(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A stay lies in a basin or river that the chart has not: a mile or so inland, the approach bent towards it."""
    fleet, rows = shop.fleet, ship.positions
    for first, last in _in_turn(rng, fleet.stays(ship, STAY_H)):
        if not (
            fleet.is_interior(ship, int(fleet.time_us[first])) and fleet.is_interior(ship, int(fleet.time_us[last]))
        ):
            continue
        at = (float(fleet.lat[first]), float(fleet.lon[first]))
        inland = _inland(shop, rng, *at)
        if inland is None:
            continue
        off = distance_nmi(fleet.lat[rows], fleet.lon[rows], *at)
        begin, end = np.searchsorted(rows, [first, last]).tolist()
        outside = np.flatnonzero(off > FAIRWAY_NMI)
        before, after = outside[outside < begin], outside[outside > end]
        if not len(before) or not len(after):
            continue
        bent = rows[int(before[-1]) + 1 : int(after[0])]
        share = np.clip(1.0 - distance_nmi(fleet.lat[bent], fleet.lon[bent], *at) / FAIRWAY_NMI, 0.0, 1.0)
        shop.sheet.move(
            bent, fleet.lat[bent] + share * (inland[0] - at[0]), fleet.lon[bent] + share * (inland[1] - at[1])
        )
        cut = Cut(int(rows[before[-1]]), int(fleet.time_us[bent[0]]), int(fleet.time_us[bent[-1]]), rows[:0])
        depth = -float(shop.waters.shore_nmi(*inland)[0])
        return shop.plant("harbour_inland", (ship,), cut, f"a stay {depth:.1f} nmi inland", (), cut.heard_us)
    return None


def _inland(shop: Workshop, rng: np.random.Generator, lat: float, lon: float) -> tuple[float, float] | None:
    """A place near a berth that lies on land, as far inland as was drawn, or None."""
    depth = rng.uniform(*HARBOUR_NMI)
    for reach in np.linspace(0.5, 4.0, 8):
        turns = rng.permutation(24) * (np.pi / 12)
        there = lat + reach / 60.0 * np.cos(turns)
        along = lon + reach / 60.0 * np.sin(turns) / max(float(np.cos(np.radians(lat))), 0.01)
        deep = -shop.waters.shore_nmi(there, along)
        fit = np.flatnonzero((deep >= min(depth, HARBOUR_NMI[1])) & (deep <= HARBOUR_NMI[1]))
        if len(fit):
            return float(there[fit[0]]), float(along[fit[0]])
    return None
