"""Ways on the plane: how far positions lie from a path, and how straight and even a motion is.

Takes positions in degrees; gives metres and nautical miles. The plane touches the earth at each point looked at, so
that distances are good to a hundredth as far as some hundred miles.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import wrap_degrees
from vessels.units import MEAN_EARTH_RADIUS_NMI, METRES_PER_NMI

FloatArray = npt.NDArray[np.float64]
NMI_PER_DEG: Final = float(np.radians(1.0) * MEAN_EARTH_RADIUS_NMI)
_NO_ANGLE: Final = 1e-9
"""Radians; 6 mm on the earth."""


def from_edges_nmi(
    lat: FloatArray, lon: FloatArray, from_lat: FloatArray, from_lon: FloatArray, to_lat: FloatArray, to_lon: FloatArray
) -> FloatArray:
    """Distance of each position from each edge of a path. Shape (n, m).

    Edges run from (from_lat, from_lon) to (to_lat, to_lon), shapes (m,).
    """
    squeeze = np.cos(np.radians(lat))[:, None]
    ay = (from_lat[None, :] - lat[:, None]) * NMI_PER_DEG
    ax = wrap_degrees(from_lon[None, :] - lon[:, None]) * NMI_PER_DEG * squeeze
    ey = ((to_lat - from_lat) * NMI_PER_DEG)[None, :]
    ex = (wrap_degrees(to_lon - from_lon) * NMI_PER_DEG)[None, :] * squeeze
    length2 = ex**2 + ey**2
    along = -(ax * ex + ay * ey)
    share = np.clip(np.divide(along, length2, out=np.zeros_like(along), where=length2 > 0), 0.0, 1.0)
    away: FloatArray = np.hypot(ax + share * ex, ay + share * ey)
    return away


def off_even_motion_m(hours: FloatArray, lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How far each position lies from where even motion between its two neighbours would have it.

    Gives metres along the way, metres across it, and the speed in knots between the neighbours; (n,) each, NaN at both
    ends. Even motion is along a great circle or straight in latitude and longitude, whichever lies nearer: who draws a
    track takes one or the other.
    """
    n = len(hours)
    along, across, speed = (np.full(n, np.nan) for _ in range(3))
    if n < 3:
        return along, across, speed
    whole = hours[2:] - hours[:-2]
    share = np.divide(hours[1:-1] - hours[:-2], whole, out=np.full(n - 2, np.nan), where=whole > 0)
    squeeze = np.cos(np.radians(lat[1:-1]))
    run = _plane(lat[2:] - lat[:-2], lon[2:] - lon[:-2], squeeze)
    length = np.hypot(*run)
    unit = [np.divide(part, length, out=np.zeros(n - 2), where=length > 0) for part in run]
    offs = []
    for mid_lat, mid_lon in (_on_the_chart(lat, lon, share), _on_the_globe(lat, lon, share)):
        off = _plane(lat[1:-1] - mid_lat, lon[1:-1] - mid_lon, squeeze)
        offs.append((np.abs(off[0] * unit[0] + off[1] * unit[1]), np.abs(off[0] * unit[1] - off[1] * unit[0])))
    nearer = np.hypot(*offs[0]) <= np.hypot(*offs[1])
    along[1:-1] = np.where(nearer, offs[0][0], offs[1][0]) * METRES_PER_NMI
    across[1:-1] = np.where(nearer, offs[0][1], offs[1][1]) * METRES_PER_NMI
    speed[1:-1] = np.divide(length, whole, out=np.full(n - 2, np.nan), where=whole > 0)
    return along, across, speed


def _plane(north_deg: FloatArray, east_deg: FloatArray, squeeze: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Miles north and east."""
    return north_deg * NMI_PER_DEG, wrap_degrees(east_deg) * NMI_PER_DEG * squeeze


def _on_the_chart(lat: FloatArray, lon: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The place so far on the way from the position before each to the one after, even in latitude and longitude."""
    return lat[:-2] + share * (lat[2:] - lat[:-2]), lon[:-2] + share * wrap_degrees(lon[2:] - lon[:-2])


def _on_the_globe(lat: FloatArray, lon: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same along the great circle; along the chord where both are one place."""
    phi, lam = np.radians(lat), np.radians(lon)
    units = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    before, after = units[:, :-2], units[:, 2:]
    angle = 2.0 * np.arcsin(np.clip(np.linalg.norm(after - before, axis=0) / 2.0, 0.0, 1.0))
    flat = angle < _NO_ANGLE
    sine = np.where(flat, 1.0, np.sin(angle))
    one = np.where(flat, 1.0 - share, np.sin((1.0 - share) * angle) / sine)
    other = np.where(flat, share, np.sin(share * angle) / sine)
    x, y, z = one * before + other * after
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
