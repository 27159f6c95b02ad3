"""Plants in which a ship is not heard: a leg in the dark, and a call at a watched zone that nobody saw.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none. Where each parameter of the draws is from is written in docs/backtest.md.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.cargo import cargo_m, load
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import SIDE_REPORTS, IntArray, Ship
from detectors.backtest.legs import Leg, fits, legs, pace_kn, put_off, silent_stretch
from detectors.backtest.workshop import Cut, Plant, Window, Workshop, lasting
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H
from vessels.zones import Zone

DARK_H: Final[Window] = (6.0, 72.0)
"""Six hours to three days: from a watch or two to the Yellow Sea and back (Koti and Courageous: months)."""
MARGIN_NMI: Final[Window] = (10.0, 60.0)
"""How far off the fence a set goes off and on again: from the approach to a watch's way off it; judgement."""
WITHIN_NMI: Final[Window] = (30.0, 250.0)
"""From where a ship falls silent to the zone, at most: from a watch's way to a day at 10 kn."""
CALL_H: Final[Window] = (12.0, 72.0)
"""Hours of a hidden call: coal or oil for a coaster is half a day to three days' work."""
REAPPEARS_NMI: Final = 100.0
"""How far along her track at most a ship is heard again after a hidden call."""
OTHERS_NMI: Final = 90.0
FEWEST_OTHERS: Final = 3
"""So many others must be heard about her as she falls silent and as she is heard again: else nobody could tell."""
FEWEST_UNHEARD: Final = 20
"""Fewer reports that are not heard are no silence, but a ship that is seldom heard."""
OPENLY_H: Final = 24.0
"""A ship that is heard at a watched zone within a day calls there openly, and hides no call."""
_PLACES: Final = 24


def dark_gap(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A part of a passage on which the ship was heard in most hours is not heard; she goes on as she did."""
    for _ in range(_PLACES):
        leg = silent_stretch(shop.fleet, ship, rng, DARK_H)
        if leg is None:
            return None
        first, last = int(leg.rows[0]), int(leg.rows[-1])
        ends = [(row, int(shop.fleet.time_us[row])) for row in (first, last)]
        if len(leg.rows) >= FEWEST_UNHEARD + 2 and all(_is_well_heard(shop, ship, *end) for end in ends):
            cut = cut_out(shop, leg)
            what = f"silent for {lasting(cut.silence_h)} under way"
            return shop.plant("dark_gap", (ship,), cut, what, (), cut.heard_us)
    return None


def _is_well_heard(shop: Workshop, ship: Ship, row: int, us: int) -> bool:
    """Whether enough others were heard about the place of a row at an instant."""
    fleet = shop.fleet
    near = fleet.near(float(fleet.lat[row]), float(fleet.lon[row]), us, OTHERS_NMI)
    return len({one.ship for one in near} - {ship.number}) >= FEWEST_OTHERS


def cut_out(shop: Workshop, leg: Leg) -> Cut:
    """Delete what lies between the first and the last report of a part of a leg."""
    fell_us, heard_us = (int(shop.fleet.time_us[row]) for row in (leg.rows[0], leg.rows[-1]))
    cut = Cut(int(leg.rows[0]), fell_us, heard_us, shop.fleet.rows_between(leg.ship, fell_us, heard_us))
    shop.sheet.delete(cut.unheard)
    return cut


def hidden_call_feasible(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A call at a watched zone that is not heard: one that was, with a margin around, or one that takes its time."""
    return _unheard_call(shop, ship, rng) or _unseen_call(shop, ship, rng)


def _unheard_call(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A real call: every row within a margin around the fences is deleted."""
    fleet, rows = shop.fleet, ship.positions
    off = _off_fences(shop, rows)
    margin = log_uniform(rng, *MARGIN_NMI)
    inside = off <= margin
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8))).reshape(-1, 2)
    enough = [
        (a, b)
        for a, b in _joined(edges, fleet.time_us[rows])
        if (off[a:b] <= 0).any() and min(a, len(rows) - b) >= SIDE_REPORTS and b - a >= FEWEST_UNHEARD
    ]
    ends = {one: [(int(rows[i]), int(fleet.time_us[rows[i]])) for i in (one[0] - 1, one[1])] for one in enough}
    inner = [
        one
        for one in enough
        if all(fleet.is_interior(ship, us) and _is_well_heard(shop, ship, row, us) for row, us in ends[one])
    ]
    if not inner:
        return None
    a, b = pick(rng, inner)
    cut = cut_out(shop, Leg(ship, rows[a - 1 : b + 1]))
    nearest = rows[a:b][int(np.argmin(off[a:b]))]
    zone = min(shop.waters.watched, key=lambda one: float(_line_nmi(shop, one, nearest)))
    what = f"a call at {zone.name} as it was, unheard within {margin:.0f} nmi for {lasting(cut.silence_h)}"
    return shop.plant("hidden_call_feasible", (ship,), cut, what, (), cut.heard_us)


def _joined(edges: IntArray, time_us: IntArray) -> list[tuple[int, int]]:
    """Stays about the fences; those less than a day apart are one: a ship that hides is not heard in between."""
    joined: list[tuple[int, int]] = []
    for a, b in edges.tolist():
        if joined and time_us[a] - time_us[joined[-1][1] - 1] <= OPENLY_H * US_PER_H:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def _line_nmi(shop: Workshop, zone: Zone, rows: IntArray | int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return distance_nmi(shop.fleet.lat[rows], shop.fleet.lon[rows], zone.lat, zone.lon)


def _off_fences(shop: Workshop, rows: IntArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Miles by water to the nearest watched fence; inf where a straight line is longer than any margin already."""
    out = np.full(len(rows), np.inf)
    for zone in shop.waters.watched:
        near = np.flatnonzero(_line_nmi(shop, zone, rows) <= 2.0 * MARGIN_NMI[1])
        if len(near):
            way = shop.waters.way_nmi(zone, shop.fleet.lat[rows[near]], shop.fleet.lon[rows[near]])
            out[near] = np.minimum(out[near], way)
    return out


def _unseen_call(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A call that there was not: silent on a leg, on it again after the way there, the call and the way back."""
    fleet, waters = shop.fleet, shop.waters
    by_leg = legs(fleet, ship)
    rows = np.concatenate([leg.rows for leg in by_leg]) if by_leg else np.zeros(0, np.int64)
    lines = [_line_nmi(shop, zone, rows) for zone in waters.watched]
    nearest = np.min(lines, axis=0) if lines else np.zeros(0)
    for _ in range(_PLACES if len(nearest) else 0):
        within = np.flatnonzero(nearest <= log_uniform(rng, *WITHIN_NMI))
        if not len(within):
            continue
        at = int(pick(rng, within.tolist()))
        row = int(rows[at])
        zone = pick(
            rng, [one for one, line in zip(waters.watched, lines, strict=True) if line[at] <= 1.5 * nearest[at]]
        )
        leg = next(leg for leg in by_leg if leg.rows[0] <= row <= leg.rows[-1])
        later = leg.rows[leg.rows > row]
        later = later[distance_nmi(fleet.lat[row], fleet.lon[row], fleet.lat[later], fleet.lon[later]) <= REAPPEARS_NMI]
        if not len(later):
            continue
        again = int(pick(rng, later.tolist()))
        ends = np.array([row, again])
        way = waters.way_nmi(zone, fleet.lat[ends], fleet.lon[ends])
        if not way[0] <= WITHIN_NMI[1]:
            continue
        call_h = log_uniform(rng, *CALL_H)
        hours = float(way.sum()) / pace_kn(fleet, leg) + call_h
        fell_us = int(fleet.time_us[row])
        heard_us = fell_us + int(hours * US_PER_H)
        delay_us = heard_us - int(fleet.time_us[again])
        if not np.isfinite(hours) or not fits(fleet, ship, delay_us, heard_us):
            continue
        if not (_is_well_heard(shop, ship, row, fell_us) and _is_well_heard(shop, ship, again, heard_us)):
            continue
        if _calls_openly(shop, ship, row, again):
            continue
        shop.sheet.delete(np.arange(row + 1, again))
        delay = put_off(shop, ship, again, delay_us)
        cargo = load(shop, ship, again, cargo_m(rng))
        cut = Cut(row, fell_us, heard_us, np.arange(row + 1, again))
        what = f"silent for {lasting(hours)}, {lasting(call_h)} of it at {zone.name}, {way[0]:.0f} nmi away{cargo}"
        return replace(shop.plant("hidden_call_feasible", (ship,), cut, what, (), heard_us), delays=(delay,))
    return None


def _calls_openly(shop: Workshop, ship: Ship, row: int, again: int) -> bool:
    """Whether she is heard within a watched fence within a day before one row or after another."""
    rows, time_us = ship.positions, shop.fleet.time_us
    day_us = int(OPENLY_H * US_PER_H)
    near = rows[(time_us[rows] >= time_us[row] - day_us) & (time_us[rows] <= time_us[again] + day_us)]
    return bool((_off_fences(shop, near) <= 0.0).any())
