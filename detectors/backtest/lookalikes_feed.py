"""Lawful look-alikes that befall all ships of a place: stations fail, class B is thinned, positioning is jammed.

Takes a workshop and a generator; writes into the copy and gives the `Plant`, or None where the draw fell on nobody.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.backtest.courses import displaced
from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import IntArray
from detectors.backtest.workshop import Plant, Window, Workshop, lasting
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H

REGION_NMI: Final[Window] = (40.0, 200.0)
"""From one station's reach to a whole coast."""
REGION_H: Final[Window] = (6.0, 36.0)
THINNED_H: Final[Window] = (12.0, 72.0)
THINNED_TO: Final[Window] = (0.005, 0.05)
"""Share of class B reports that a chain passes on when it thins them."""
JAMMED_NMI: Final[Window] = (15.0, 60.0)
JAMMED_H: Final[Window] = (2.0, 12.0)
JAMMED_SHARE: Final[Window] = (0.3, 0.8)
"""Share of positions that are wrong meanwhile."""
ASTRAY_NMI: Final[Window] = (2.0, 60.0)
"""How far wrong they are."""
CIRCLE_NMI: Final[Window] = (0.5, 2.0)
"""Spoofed receivers all show circles of a mile or so about one place ("crop circles", C4ADS 2019: Shanghai)."""
FEWEST: Final = 3
"""What befalls fewer ships cannot be told from what they do."""
_TRIES: Final = 48

Mask = npt.NDArray[np.bool_]


def regional_outage(shop: Workshop, rng: np.random.Generator) -> Plant | None:
    """Nothing that is sent within a circle is heard for hours."""
    for _ in range(_TRIES):
        radius, hours = log_uniform(rng, *REGION_NMI), log_uniform(rng, *REGION_H)
        drawn = _circle(shop, rng, radius, hours)
        if drawn is not None:
            rows, row, start_us, end_us = drawn
            shop.sheet.delete(rows)
            what = f"nothing heard within {radius:.0f} nmi for {lasting(hours)}, {len(_mmsi(shop, rows))} ships"
            return _plant(shop, "regional_outage", rows, row, start_us, end_us, what)
    return None


def class_b_thinning(shop: Workshop, rng: np.random.Generator) -> Plant | None:
    """A chain of receivers passes on one in many reports of class B sets for days, and all of class A."""
    is_b = np.asarray(shop.fleet.rows["transceiver"].to_numpy(zero_copy_only=False) == "B")
    hours = log_uniform(rng, *THINNED_H)
    start_us = _begin(shop, rng, hours)
    if start_us is None:
        return None
    end_us = start_us + int(hours * US_PER_H)
    rows = np.flatnonzero(is_b & _during(shop, start_us, end_us))
    if len(_mmsi(shop, rows)) < FEWEST:
        return None
    share = log_uniform(rng, *THINNED_TO)
    shop.sheet.delete(rows[rng.random(len(rows)) >= share])
    what = f"{share:.1%} of class B reports are passed on for {lasting(hours)}, {len(_mmsi(shop, rows))} sets"
    return _plant(shop, "class_b_thinning", rows, int(rows[0]), start_us, end_us, what)


def jamming(shop: Workshop, rng: np.random.Generator) -> Plant | None:
    """All ships in a circle show wrong positions for hours: scattered, or on circles about one place."""
    for _ in range(_TRIES):
        radius, hours = log_uniform(rng, *JAMMED_NMI), log_uniform(rng, *JAMMED_H)
        drawn = _circle(shop, rng, radius, hours)
        if drawn is None:
            continue
        rows, row, start_us, end_us = drawn
        fleet, rows = shop.fleet, rows[np.isfinite(shop.fleet.lat[rows])]
        rows = rows[rng.random(len(rows)) < rng.uniform(*JAMMED_SHARE)]
        if len(_mmsi(shop, rows)) < FEWEST:
            continue
        turns = rng.uniform(0.0, 2.0 * np.pi, len(rows))
        scattered = rng.random() < 0.5
        if scattered:
            off = np.exp(rng.uniform(np.log(ASTRAY_NMI[0]), np.log(ASTRAY_NMI[1]), len(rows)))
            places = displaced(fleet.lat[rows], fleet.lon[rows], off * np.cos(turns), off * np.sin(turns))
        else:
            away, bearing = log_uniform(rng, *ASTRAY_NMI), float(rng.uniform(0.0, 2.0 * np.pi))
            centre = displaced(fleet.lat[row], fleet.lon[row], away * np.cos(bearing), away * np.sin(bearing))
            ring = rng.uniform(*CIRCLE_NMI)
            places = displaced(*centre, ring * np.cos(turns), ring * np.sin(turns))
        shop.sheet.move(rows, *places)
        how = "scattered" if scattered else "on a circle"
        what = (
            f"{len(rows)} positions of {len(_mmsi(shop, rows))} ships {how}, {radius:.0f} nmi about, {lasting(hours)}"
        )
        return _plant(shop, "jamming", rows, row, start_us, end_us, what)
    return None


def _begin(shop: Workshop, rng: np.random.Generator, hours: float) -> int | None:
    """An instant by lot with as much data before it and after its end as it lasts."""
    first_us, last_us = shop.fleet.span_us
    long_us = int(hours * US_PER_H)
    room_us = last_us - first_us - 3 * long_us
    return None if room_us <= 0 else first_us + long_us + int(rng.random() * room_us)


def _during(shop: Workshop, start_us: int, end_us: int) -> Mask:
    times: Mask = (shop.fleet.time_us > start_us) & (shop.fleet.time_us < end_us) & shop.sheet.keep
    return times


def _circle(
    shop: Workshop, rng: np.random.Generator, radius_nmi: float, hours: float
) -> tuple[IntArray, int, int, int] | None:
    """Rows within a circle round some ship for so long, that row and the time; None where they are few ships'."""
    fleet = shop.fleet
    start_us = _begin(shop, rng, hours)
    if start_us is None:
        return None
    end_us = start_us + int(hours * US_PER_H)
    place = _last_position(shop)
    during = np.flatnonzero(_during(shop, start_us, end_us) & (place >= 0))
    if not len(during):
        return None
    row = int(place[pick(rng, during.tolist())])
    at = place[during]
    inside = during[distance_nmi(fleet.lat[at], fleet.lon[at], fleet.lat[row], fleet.lon[row]) <= radius_nmi]
    return (inside, row, start_us, end_us) if len(_mmsi(shop, inside)) >= FEWEST else None


def _last_position(shop: Workshop) -> IntArray:
    """For each row the row of the ship's last position until then, -1 where there was none. Shape (rows,)."""
    fleet = shop.fleet
    n = len(fleet.lat)
    last = np.maximum.accumulate(np.where(np.isfinite(fleet.lat), np.arange(n), -1))
    begin = np.repeat(fleet.offsets[:-1], np.diff(fleet.offsets))
    return np.where(last >= begin, last, -1)


def _mmsi(shop: Workshop, rows: IntArray) -> IntArray:
    return np.unique(shop.fleet.mmsi[rows])


def _plant(shop: Workshop, kind: str, rows: IntArray, row: int, start_us: int, end_us: int, what: str) -> Plant:
    mmsi = tuple(_mmsi(shop, rows).tolist())
    lat, lon = (
        float(column[row]) if kind != "class_b_thinning" else None for column in (shop.fleet.lat, shop.fleet.lon)
    )
    return Plant(kind, (), mmsi, start_us, end_us, lat, lon, what)
