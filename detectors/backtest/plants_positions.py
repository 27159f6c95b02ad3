"""Plants in which the positions are not where the ship is: shifted, shifted inland, or drawn.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none. Where each parameter of the draws is from is written in docs/backtest.md.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from detectors.backtest.courses import FloatArray, displaced, sailing
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import SIDE_H, SIDE_REPORTS, IntArray, Ship
from detectors.backtest.legs import Leg, legs, pace_kn, stretch
from detectors.backtest.sheet import Reports
from detectors.backtest.waters import CLEAR_NMI
from detectors.backtest.workshop import Cut, Plant, Window, Workshop, lasting, stated
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.units import US_PER_H

AWAY_H: Final[Window] = (1.0, 120.0)
"""From an hour to some days: judgement."""
AWAY_NMI: Final[Window] = (20.0, 300.0)
"""From across a strait to another sea."""
INLAND_H: Final[Window] = (1.0, 48.0)
INLAND_NMI: Final = 3.0
"""Farther inland than a coarse coast, a river's mouth or a harbour basin explains."""
INLAND_SHARE: Final = 0.8
"""... for so much of the stretch: it may begin or end over water."""
DRAWN_H: Final[Window] = (6.0, 48.0)
"""A night to two days."""
CORNERS: Final = (2, 4)
"""Fewest and most corners of a drawn polygon."""
CORNER_NMI: Final[Window] = (2.0, 12.0)
"""How far a corner lies off the straight line."""
FASTER: Final = 1.25
"""Whoever draws a track keeps the ship's own pace in mind."""
LAG_H: Final[Window] = (24.0, 720.0)
"""A replayed track was recorded a day to a month before."""
_TRIES: Final = 40
_HEARD_REPORTS: Final = 6
"""A stretch of fewer reports is not seen to be anywhere."""


def position_jump(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A stretch of positions shifted to another sea; speed and course stay as they were."""
    rows = _away(shop, ship, rng, AWAY_H)
    if rows is None:
        return None
    for _ in range(_TRIES):
        lat, lon, what = _shifted(shop, rng, rows)
        if shop.waters.shore_nmi(lat, lon).min() >= CLEAR_NMI:
            return _plant(shop, "position_jump", ship, rows, lat, lon, what)
    return None


def position_on_land(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A stretch of positions shifted so that most of it lies inland."""
    rows = _away(shop, ship, rng, INLAND_H)
    if rows is None:
        return None
    for _ in range(_TRIES):
        lat, lon, what = _shifted(shop, rng, rows)
        inland = shop.waters.shore_nmi(lat, lon) <= -INLAND_NMI
        if inland.mean() >= INLAND_SHARE:
            return _plant(shop, "position_on_land", ship, rows, lat, lon, f"{what}, {inland.mean():.0%} of it inland")
    return None


def _away(shop: Workshop, ship: Ship, rng: np.random.Generator, hours: Window) -> IntArray | None:
    """Positions of a stretch drawn by lot, with half a day of track before it and after it."""
    fleet, rows = shop.fleet, ship.positions
    inner = fleet.interior(ship)
    if len(inner) < _HEARD_REPORTS:
        return None
    first_us = int(fleet.time_us[pick(rng, inner.tolist())])
    room_h = (fleet.last_us(ship) - first_us) / US_PER_H - SIDE_H
    last_us = first_us + int(log_uniform(rng, hours[0], min(hours[1], room_h)) * US_PER_H)
    first, last = np.searchsorted(fleet.time_us[rows], [first_us, last_us], "right").tolist()
    return rows[first:last] if last - first >= _HEARD_REPORTS and len(rows) - last >= SIDE_REPORTS else None


def _shifted(shop: Workshop, rng: np.random.Generator, rows: IntArray) -> tuple[FloatArray, FloatArray, str]:
    """The positions shifted by one step of latitude and longitude, drawn by lot, and the shift in words."""
    lat, lon = shop.fleet.lat[rows], shop.fleet.lon[rows]
    away, bearing = log_uniform(rng, *AWAY_NMI), float(rng.uniform(0.0, 2.0 * np.pi))
    new_lat, new_lon = displaced(lat[0], lon[0], away * np.cos(bearing), away * np.sin(bearing))
    new_lat, new_lon = lat + (new_lat - lat[0]), wrap_degrees(lon + wrap_degrees(new_lon - lon[0]))
    return np.clip(new_lat, -89.0, 89.0), new_lon, f"positions {away:.0f} nmi off"


def _plant(shop: Workshop, kind: str, ship: Ship, rows: IntArray, lat: FloatArray, lon: FloatArray, what: str) -> Plant:
    shop.sheet.move(rows, lat, lon)
    return _record(shop, kind, ship, rows, what)


def _record(shop: Workshop, kind: str, ship: Ship, rows: IntArray, what: str) -> Plant:
    """From the last report before a stretch to the first after it."""
    fleet, at = shop.fleet, np.searchsorted(ship.positions, rows[[0, -1]])
    before, after = int(ship.positions[at[0] - 1]), int(ship.positions[at[1] + 1])
    fell_us, heard_us = int(fleet.time_us[before]), int(fleet.time_us[after])
    what += f" for {lasting((fleet.time_us[rows[-1]] - fleet.time_us[rows[0]]) / US_PER_H)}"
    return shop.plant(kind, (ship,), Cut(before, fell_us, heard_us, rows[:0]), what, (), heard_us)


def drawn_track(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """In the place of a leg: a straight line or a polygon at one speed without any noise, or a track sent before."""
    how = int(rng.integers(3))
    return _replayed(shop, ship, rng) if how == 2 else _drawn(shop, ship, rng, corners=how == 1)


def _drawn(shop: Workshop, ship: Ship, rng: np.random.Generator, *, corners: bool) -> Plant | None:
    """Between the same two places, at the same times, but drawn: one speed, no sea."""
    fleet = shop.fleet
    leg = stretch(fleet, ship, rng, DRAWN_H)
    if leg is None or len(leg.rows) < _HEARD_REPORTS + 2:
        return None
    begin, end = ((float(fleet.lat[row]), float(fleet.lon[row])) for row in (leg.rows[0], leg.rows[-1]))
    places = [begin, *_corners(rng, begin, end, int(rng.integers(CORNERS[0], CORNERS[1] + 1)) if corners else 0), end]
    if not all(shop.waters.is_open(*one, *other) for one, other in pairwise(places)):
        return None
    rows, times = leg.rows[1:-1], fleet.time_us[leg.rows]
    long_nmi = sum(float(distance_nmi(*one, *other)) for one, other in pairwise(places))
    if long_nmi <= CORNER_NMI[0]:
        return None
    speed_kn = long_nmi / (float(times[-1] - times[0]) / US_PER_H)
    if speed_kn > FASTER * pace_kn(fleet, leg):
        return None
    course = sailing(int(times[0]), speed_kn, places)
    speed, heading = course.motion(times[1:-1])
    shop.sheet.move(rows, *course.at(times[1:-1]))
    shop.sheet.steer(rows, speed, heading)
    what = f"a drawn line of {len(places) - 1} legs" if corners else "one drawn line"
    return _record(shop, "drawn_track", ship, rows, what)


def _corners(
    rng: np.random.Generator, begin: tuple[float, float], end: tuple[float, float], n: int
) -> list[tuple[float, float]]:
    out = []
    for share in np.sort(rng.uniform(0.1, 0.9, n)).tolist():
        lat = begin[0] + share * (end[0] - begin[0])
        lon = begin[1] + share * float(wrap_degrees(end[1] - begin[1]))
        off, bearing = log_uniform(rng, *CORNER_NMI), float(rng.uniform(0.0, 2.0 * np.pi))
        new_lat, new_lon = displaced(lat, lon, off * np.cos(bearing), off * np.sin(bearing))
        out.append((float(new_lat), float(new_lon)))
    return out


def _replayed(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A leg of her own or of another ship's, sent again: where it was or, every other time, from where she is."""
    fleet = shop.fleet
    source = ship if rng.random() < 0.5 else next(shop.others(rng, ship), ship)
    old, moved = stretch(fleet, source, rng, DRAWN_H), rng.random() < 0.5
    if old is None:
        return None
    whose = "her own track" if source is ship else f"the track of {stated(source.identity)}"
    for _ in range(_TRIES):
        leg = _time_for(shop, ship, rng, old)
        if leg is None:
            return None
        lat, lon = fleet.lat[old.rows], fleet.lon[old.rows]
        if moved:
            first = leg.rows[0]
            lat, lon = lat + (fleet.lat[first] - lat[0]), wrap_degrees(lon + wrap_degrees(fleet.lon[first] - lon[0]))
        if not moved or shop.waters.shore_nmi(lat, lon).min() >= CLEAR_NMI:
            return _sent_again(shop, rng, old, leg, lat, lon, f"{whose}{', from where she is' if moved else ''}")
    return None


def _sent_again(
    shop: Workshop, rng: np.random.Generator, old: Leg, leg: Leg, lat: FloatArray, lon: FloatArray, what: str
) -> Plant | None:
    """Positions sent on an old leg in the place of a ship's own from the start of another leg on."""
    fleet, ship = shop.fleet, leg.ship
    start_us = int(fleet.time_us[leg.rows[0]])
    lag_us = start_us - int(fleet.time_us[old.rows[0]])
    own = fleet.rows_between(ship, start_us, int(fleet.time_us[old.rows[-1]]) + lag_us + 1)
    if not len(own):
        return None
    shop.sheet.delete(own)
    sent = old.rows[1:]
    sog, cog = (fleet.rows[name].take(sent).to_numpy().astype(np.float64) for name in ("sog", "cog"))
    reports = Reports(fleet.time_us[sent] + lag_us, lat[1:], lon[1:], sog, cog)
    shop.sheet.put_in(rng.choice(leg.rows, len(sent)), reports)
    what = f"{what}, of {lasting(lag_us / US_PER_H)} before"
    return _record(shop, "drawn_track", ship, own[np.isfinite(fleet.lat[own])], what)


def _time_for(shop: Workshop, ship: Ship, rng: np.random.Generator, old: Leg) -> Leg | None:
    """A part of a leg of the ship, a day to a month after another leg began, that leaves track enough behind it."""
    fleet = shop.fleet
    began_us, long_us = (int(fleet.time_us[old.rows[0]]), int(fleet.time_us[old.rows[-1]] - fleet.time_us[old.rows[0]]))
    earliest = began_us + max(int(LAG_H[0] * US_PER_H), long_us)
    found = []
    for leg in legs(fleet, ship):
        times = fleet.time_us[leg.rows]
        fits = (times >= earliest) & (times <= began_us + LAG_H[1] * US_PER_H) & (times + long_us <= times[-1])
        found += [(leg, int(at)) for at in np.flatnonzero(fits)]
    if not found:
        return None
    leg, at = pick(rng, found)
    return Leg(ship, leg.rows[at:])
