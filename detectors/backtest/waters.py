"""What a plant must know of the sea: how far the shore and the ports are, and whether a straight way is open.

Takes the zones of a run, with their watch levels; gives `Waters`. Nothing here comes from a detector's settings.
"""

from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import distance_nmi
from vessels.land import land
from vessels.zones import VISIT_KINDS, Zone, Zones

FloatArray = npt.NDArray[np.float64]

CLEAR_NMI: Final = 1.0
"""A ship that steers straight keeps at least a mile off the shore."""
_PIECES: Final = 24
"""Places looked at along a straight way: at a hundred miles one every four."""


class Waters:
    """The sea of a run."""

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self._land = land()

    @cached_property
    def watched(self) -> tuple[Zone, ...]:
        """Zones where a hidden call would count: those of level high."""
        return self.zones.watched("high")

    def shore_nmi(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """Miles to the nearest shore, negative inland. Shape (n,)."""
        return self._land.shore_nmi(np.atleast_1d(lat), np.atleast_1d(lon))

    @cached_property
    def _ports(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Middle and greatest reach of each port, roads and approach."""
        ports = [zone for zone in self.zones.zones if zone.kind in VISIT_KINDS]
        lat, lon = np.array([zone.lat for zone in ports]), np.array([zone.lon for zone in ports])
        box = np.array([zone.geometry.bounds for zone in ports]).reshape(-1, 4)
        corners = [distance_nmi(lat, lon, box[:, y], box[:, x]) for x, y in ((0, 1), (0, 3), (2, 1), (2, 3))]
        return lat, lon, np.max(corners, axis=0) if ports else lat

    def port_nmi(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """Miles to the nearest port or roads that the zones hold, at least; inf where they hold none. Shape (n,)."""
        lat, lon = np.atleast_1d(lat), np.atleast_1d(lon)
        out = np.full(len(lat), np.inf)
        for port_lat, port_lon, reach in zip(*self._ports, strict=True):
            np.minimum(out, distance_nmi(lat, lon, port_lat, port_lon) - reach, out=out)
        return out

    def is_open(self, lat1: float, lon1: float, lat2: float, lon2: float) -> bool:
        """Whether the straight way between two places lies clear of the land."""
        share = np.linspace(0.0, 1.0, _PIECES)
        lat, lon = lat1 + share * (lat2 - lat1), np.degrees(np.unwrap(np.radians([lon1, lon2])))
        return bool(np.all(self.shore_nmi(lat, lon[0] + share * (lon[1] - lon[0])) >= CLEAR_NMI))

    def way_nmi(self, zone: Zone, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """Miles by water to a zone's fence, 0 within it, inf where no way leads. Shape (n,)."""
        return self.zones.sea.distance_nmi(zone.zone_id, np.atleast_1d(lat), np.atleast_1d(lon))
