"""Great-circle distances from places to fences: quick bounds for the many, exact for the near.

Takes a zone and places; gives nautical miles. The way by water is left to `Zones.sea`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from vessels.geodesy import distance_nmi
from vessels.zones import Zone

FloatArray = npt.NDArray[np.float64]
_TURNS: Final = (-360.0, 0.0, 360.0)


def radius_nmi(zone: Zone) -> float:
    """Distance from a zone's point to the farthest corner of its fence."""
    if zone.geometry is None or zone.geometry.is_empty:
        return 0.0
    lon, lat = shapely.get_coordinates(zone.geometry).T
    return float(np.max(distance_nmi(zone.lat, zone.lon, lat, lon)))


def at_least_nmi(zone: Zone, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """A lower bound of the distance to a fence: to the circle round it. Shape (n,)."""
    return np.maximum(distance_nmi(zone.lat, zone.lon, lat, lon) - radius_nmi(zone), 0.0)


def fence_nmi(zone: Zone, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Distance to the nearest point of a fence (nearest in degrees), 0 inside it. Shape (n,)."""
    if zone.geometry is None or zone.geometry.is_empty or not len(lat):
        return at_least_nmi(zone, lat, lon)
    nearest = np.full(len(lat), np.inf)
    for turn in _TURNS:
        lines = shapely.shortest_line(shapely.points(lon + turn, lat), zone.geometry)
        there = shapely.get_coordinates(shapely.get_point(lines, 1))
        nearest = np.minimum(nearest, distance_nmi(lat, lon, there[:, 1], there[:, 0]))
    return nearest


def within_nmi(zone: Zone, lat: FloatArray, lon: FloatArray, reach_nmi: float) -> npt.NDArray[np.bool_]:
    """Whether each place lies so near to a fence; unknown places do not. Shape (n,)."""
    found = np.zeros(len(lat), dtype=np.bool_)
    possible = np.flatnonzero(at_least_nmi(zone, lat, lon) <= reach_nmi)
    found[possible] = fence_nmi(zone, lat[possible], lon[possible]) <= reach_nmi
    return found
