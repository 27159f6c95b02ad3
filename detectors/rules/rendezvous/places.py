"""Where it was: transfer belts, watched waters, the roads of ports, and places where many others lie.

Takes positions, the zones, and how many others were seen slow about each; gives `Spot` records and reasons for and
against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Point

from detectors.finding import Evidence
from detectors.rules.geofence.presences import waiting_grounds
from detectors.rules.rendezvous.parameters import CarrierParameters
from detectors.rules.rendezvous.reasons import Reason, per_doubling
from vessels.geodesy import distance_nmi
from vessels.zones import VISIT_KINDS, Zone, Zones

FloatArray = npt.NDArray[np.float64]

BELT_DB: Final = 5.0
"""The open belts where transfers are documented; others drift there too, but few lie beside each other."""
WATERS_DB: Final = 6.0
"""Inside waters under high watch."""
ROADS_DB: Final = -4.0
"""Belts that are a port's roads, and the surroundings of ports: bunkers, stores, lighters and pilots come there."""
PORT_DB: Final = -8.0
COAST_DB: Final = -3.0
USUAL_DB, USUAL_MOST_DB = -2.0, -8.0
"""For each doubling of the ships that ever lay about there beyond what is usual."""
CROWD_DB, CROWD_MOST_DB = -1.0, -4.0
"""For each doubling of the ships that lay about there meanwhile, from one on."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What lies about a position: the belt, the high-watch waters and the roads it is in, and the nearest port."""

    lat: float
    lon: float
    belt: Zone | None
    waters: Zone | None
    roads: Zone | None
    port: Zone | None
    """The nearest port, anchorage or approach within the radius asked for, waters under high watch left out."""
    port_nmi: float

    @property
    def in_words(self) -> str:
        """`in East China Sea ship-to-ship belt (ECS_STS)`, or how near which port."""
        zone = self.waters or self.belt or self.roads
        if zone is not None:
            return f"in {zone.name} ({zone.zone_id})"
        if self.port is not None:
            return f"{self.port_nmi:.1f} nmi from {self.port.name} ({self.port.zone_id})"
        return f"at {self.lat:.2f}, {self.lon:.2f}"


def roads_of(zones: Zones) -> list[Zone]:
    """The belts that are roads of ports: they meet a port's fence, or are tagged as anchorages."""
    waiting = {zone.zone_id for zone in waiting_grounds(zones)}
    return [z for z in zones.zones if z.zone_id in waiting or (z.kind == "sts_zone" and "anchorage" in z.tags)]


class Places:
    """Fences about positions, of one run's zones."""

    def __init__(self, zones: Zones, near_port_nmi: float) -> None:
        self._near_nmi = near_port_nmi
        self._roads = roads_of(zones)
        taken = {zone.zone_id for zone in self._roads}
        watched = [z for z in zones.zones if z.watch == "elevated" and z.kind == "sts_zone"]
        self._belts = [zone for zone in watched if zone.zone_id not in taken]
        self._waters = [zone for zone in zones.zones if zone.watch == "high" and zone.kind != "gate"]
        self._ports = [zone for zone in zones.zones if zone.kind in VISIT_KINDS and zone.watch != "high"]

    def spots(self, lat: FloatArray, lon: FloatArray) -> list[Spot]:
        """The surroundings of each position. Shapes (n,); NaN is nowhere."""
        belt, waters, roads = (_inside(zones, lat, lon) for zones in (self._belts, self._waters, self._roads))
        port, port_nmi = self._nearest_port(lat, lon)
        return [
            Spot(float(lat[i]), float(lon[i]), belt[i], waters[i], roads[i], port[i], float(port_nmi[i]))
            for i in range(len(lat))
        ]

    def _nearest_port(self, lat: FloatArray, lon: FloatArray) -> tuple[list[Zone | None], FloatArray]:
        nearest: list[Zone | None] = [None] * len(lat)
        best = np.full(len(lat), np.inf)
        high = self._near_nmi / 60.0 + 0.01
        for zone in self._ports:
            west, south, east, north = zone.geometry.bounds
            wide = high / max(float(np.cos(np.radians(min(max(abs(south), abs(north)) + high, 89.0)))), 0.02)
            for turn in (0.0, 360.0, -360.0):
                x = lon + turn
                about = (lat >= south - high) & (lat <= north + high) & (x >= west - wide) & (x <= east + wide)
                for i in np.flatnonzero(about):
                    apart = _to_fence_nmi(zone, float(lat[i]), float(x[i]))
                    if apart <= self._near_nmi and apart < best[i]:
                        nearest[i], best[i] = zone, apart
        return nearest, best


def _to_fence_nmi(zone: Zone, lat: float, lon: float) -> float:
    """Distance to a fence, 0 inside; on the plane true to scale at that latitude, then on the sphere."""
    squeeze = max(float(np.cos(np.radians(lat))), 0.02)
    flat = shapely.transform(zone.geometry, lambda xy: xy * [squeeze, 1.0])
    x, y = shapely.get_coordinates(shapely.shortest_line(flat, Point(lon * squeeze, lat)))[0]
    return float(distance_nmi(y, x / squeeze, lat, lon))


def _inside(zones: Sequence[Zone], lat: FloatArray, lon: FloatArray) -> list[Zone | None]:
    """For each position the first of these zones that holds it."""
    found: list[Zone | None] = [None] * len(lat)
    for zone in zones:
        shapely.prepare(zone.geometry)
        for i in np.flatnonzero(shapely.contains_xy(zone.geometry, lon, lat)):
            if found[i] is None:
                found[i] = zone
    return found


def place_reasons(
    spot: Spot,
    shore_nmi: float | None,
    offshore_nmi: float,
    n_ever: int | None,
    n_near: int | None,
    parameters: CarrierParameters,
) -> list[Reason]:
    """What the place says: watched waters and belts for, roads, coast and company against."""
    where = f"{spot.lat:.4f}, {spot.lon:.4f}; {spot.in_words}"
    if shore_nmi is not None:
        where += f"; {shore_nmi:.0f} nmi from shore"
    line = Evidence("place", where, "a port, its roads or a usual place for bunkers", "degree")
    if spot.waters is not None:
        reasons = [Reason(f"in {spot.waters.name}, under high watch", WATERS_DB, (line,))]
    elif spot.roads is not None:
        caveat = f"{spot.roads.name} is also where ships wait, bunker and lighten for a port"
        reasons = [Reason(f"in {spot.roads.name}, a port's roads", ROADS_DB, (line,), caveat)]
    elif spot.port is not None:
        caveat = f"off {spot.port.name} bunkers, stores, lighters and pilots are usual"
        reasons = [Reason(f"near {spot.port.name}", PORT_DB, (line,), caveat)]
    elif spot.belt is not None:
        reasons = [Reason(f"in {spot.belt.name}", BELT_DB, (line,))]
    elif shore_nmi is not None and shore_nmi < offshore_nmi:
        reasons = [Reason("near the coast", COAST_DB, (line,), "near the coast bunkers, stores and pilots are usual")]
    else:
        reasons = [Reason("in the open sea", 0.0, (line,))]
    return [*reasons, *_company(n_ever, n_near, parameters)]


def _company(n_ever: int | None, n_near: int | None, parameters: CarrierParameters) -> list[Reason]:
    reasons = []
    ever_db = per_doubling(float(n_ever or 0), parameters.usual_ships, USUAL_DB, USUAL_MOST_DB)
    if ever_db:
        line = Evidence(
            "other ships that ever lay slow about there", str(n_ever), f"{parameters.usual_ships:g} or fewer"
        )
        caveat = f"{n_ever} other ships lay slow about the place in these data: a usual one"
        reasons.append(Reason("a usual place", ever_db, (line,), caveat))
    near_db = per_doubling(1.0 + (n_near or 0), 1.0, CROWD_DB, CROWD_MOST_DB)
    if near_db:
        line = Evidence("other ships that lay slow about there meanwhile", str(n_near), "none")
        reasons.append(Reason("in company", near_db, (line,)))
    return reasons
