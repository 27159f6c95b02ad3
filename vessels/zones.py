"""Zones: ports, anchorages, transfer areas and gates, and which of them a position lies in."""

from dataclasses import dataclass
from typing import Literal

from shapely.geometry.base import BaseGeometry

WatchLevel = Literal["high", "elevated", "none"]


@dataclass(frozen=True, slots=True)
class Zone:
    """One fence: what it is, whose, how closely it is watched, and where it lies (WGS 84 lon/lat polygon)."""

    zone_id: str
    name: str
    kind: str
    country: str | None
    tags: frozenset[str]
    watch: WatchLevel
    unlocodes: tuple[str, ...]
    alt_names: tuple[str, ...]
    lat: float
    lon: float
    geometry: BaseGeometry
    why: str = ""


@dataclass(frozen=True)
class Zones:
    """The zones of a run. Kinds in use: port, anchorage, approach, sts_zone, gate."""

    zones: tuple[Zone, ...]

    def __getitem__(self, zone_id: str) -> Zone:
        for zone in self.zones:
            if zone.zone_id == zone_id:
                return zone
        raise KeyError(zone_id)
