"""Zones: ports, anchorages, transfer areas and gates, read from GeoJSON and looked up by position.

Takes zone files; gives `Zones`, whose `lookup` says for millions of positions which fences each lies in. Most
positions are decided by a raster of cells; only cells that a fence's border crosses need a polygon test. Hysteresis,
stops and visits are left to `vessels.events.port_visits`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from vessels.errors import SettingsError
from vessels.sea_distance import SeaFields
from vessels.zone_index import ZoneIndex

WatchLevel = Literal["high", "elevated", "none"]
ZONE_KINDS: Final = ("port", "anchorage", "approach", "sts_zone", "gate")
VISIT_KINDS: Final = frozenset({"port", "anchorage", "approach"})
"""Kinds a ship can lie at: stays there are port visits and end voyages."""

EXIT_MARGIN_KM: Final = 1.0
"""A visit ends this far outside the fence. Global Fishing Watch (pipe-anchorages): entry at 3 km, exit at 4 km."""

_KM_PER_DEGREE: Final = math.pi * 6371.0088 / 180.0
_PROPERTIES: Final = frozenset(
    {
        "zone_id",
        "name",
        "alt_names",
        "unlocode",
        "country",
        "kind",
        "tags",
        "watch",
        "lat",
        "lon",
        "radius_km",
        "fence",
        "why",
        "approach_hint",
        "coord_source",
        "coord_quality",
    }
)
_REQUIRED: Final = ("zone_id", "kind")


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
    """The zones of a run, sorted by id. Kinds: port, anchorage, approach, sts_zone, gate."""

    zones: tuple[Zone, ...]

    @cached_property
    def _by_id(self) -> Mapping[str, int]:
        return {zone.zone_id: i for i, zone in enumerate(self.zones)}

    def __getitem__(self, zone_id: str) -> Zone:
        return self.zones[self._by_id[zone_id]]

    def __contains__(self, zone_id: object) -> bool:
        return zone_id in self._by_id

    def index_of(self, zone_id: str) -> int:
        """Place of a zone in `zones`; KeyError if there is none of that id."""
        return self._by_id[zone_id]

    def watched(self, *levels: WatchLevel) -> tuple[Zone, ...]:
        """The zones of these watch levels."""
        return tuple(zone for zone in self.zones if zone.watch in levels)

    @cached_property
    def areas(self) -> npt.NDArray[np.float64]:
        """Area of each fence in square degrees scaled by latitude: only for telling the smaller of two."""
        return np.array([z.geometry.area * math.cos(math.radians(z.lat)) for z in self.zones])

    @cached_property
    def index(self) -> ZoneIndex:
        """Two fences a zone: the fence itself (2 i) and the fence widened by the exit margin (2 i + 1)."""
        fences: list[BaseGeometry] = []
        for zone in self.zones:
            fences += [zone.geometry, widen(zone.geometry, zone.lat, EXIT_MARGIN_KM)]
        return ZoneIndex(fences)

    @cached_property
    def sea(self) -> SeaFields:
        """Distances by water to these fences, each found when first asked for."""
        return SeaFields(self.zones)

    def grow_index(self) -> None:
        """Make the index now, not at the first look-up: half a second for the packaged zones."""
        _ = self.index

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without what was grown from the zones; a process that is sent the same zones again has them already.

        Each process grows its own index and reads its own sea, once.
        """
        rows = tuple(
            (*(getattr(zone, name) for name in _PLAIN), tuple(sorted(zone.tags)), zone.geometry.wkb)
            for zone in self.zones
        )
        return _zones_again, (rows,)

    def with_levels(self, levels: Mapping[str, WatchLevel]) -> "Zones":
        """The same zones with other watch levels; an unknown id is a SettingsError naming the nearest one."""
        for zone_id in levels:
            if zone_id not in self:
                raise SettingsError(f"[watch] levels: there is no zone {zone_id!r}{_nearest(zone_id, self._by_id)}")
        if all(self[zone_id].watch == level for zone_id, level in levels.items()):
            return self
        return Zones(tuple(replace(z, watch=levels.get(z.zone_id, z.watch)) for z in self.zones))


_PLAIN: Final = tuple(field.name for field in fields(Zone) if field.name not in ("tags", "geometry"))
_ZONES_REMEMBERED: Final = 4
"""Zones a process keeps for those who send them again: one night has one, a test or a notebook a few."""


@lru_cache(maxsize=_ZONES_REMEMBERED)
def _zones_again(rows: tuple[tuple[Any, ...], ...]) -> Zones:
    return Zones(
        tuple(
            Zone(**dict(zip(_PLAIN, plain, strict=True)), tags=frozenset(tags), geometry=shapely.from_wkb(wkb))
            for *plain, tags, wkb in rows
        )
    )


def _nearest(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def widen(geometry: BaseGeometry, lat: float, margin_km: float) -> BaseGeometry:
    """A fence grown by a margin, on the plane that is true to scale at its latitude; wrapped at ±180°."""
    squeeze = max(math.cos(math.radians(lat)), 0.01)
    flat = shapely.transform(geometry, lambda xy: xy * [squeeze, 1.0])
    grown = shapely.buffer(flat, margin_km / _KM_PER_DEGREE, quad_segs=8)
    return wrap_geometry(shapely.transform(grown, lambda xy: xy / [squeeze, 1.0]))


def wrap_geometry(geometry: BaseGeometry) -> BaseGeometry:
    """Polygons with longitudes in [-180, 180]: what crosses the antimeridian is cut there into parts.

    Takes rings that jump from 179 to -179 as well as rings that run on past 180.
    """
    parts = [_cut(_unwrapped(polygon)) for polygon in shapely.get_parts(geometry)]
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _cut(polygon: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = polygon.bounds
    if west >= -180.0 and east <= 180.0:
        return polygon
    parts = []
    for turn in range(math.floor((west + 180.0) / 360.0), math.floor((east + 180.0) / 360.0) + 1):
        window = shapely.box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0)
        part = shapely.intersection(polygon, window)
        if part.area > 0.0:
            parts.append(shapely.transform(part, lambda xy, turn=turn: xy - [360.0 * turn, 0.0]))
    return shapely.union_all(parts)


def _unwrapped(polygon: BaseGeometry) -> BaseGeometry:
    return shapely.transform(polygon, _continuous)


def _continuous(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    jumps = np.abs(np.diff(xy[:, 0])) > 180.0
    if not jumps.any():
        return xy
    return np.column_stack([np.where(xy[:, 0] < 0.0, xy[:, 0] + 360.0, xy[:, 0]), xy[:, 1]])


def read_zones(path: Path | None = None) -> Zones:
    """The packaged ports table; with `path`, the user's zones added to it (same `zone_id`: the user's wins).

    Raises SettingsError naming file, feature, property and rule.
    """
    packaged = files("vessels").joinpath("data", "ports.geojson").read_text(encoding="utf-8")
    zones = {zone.zone_id: zone for zone in _parse(packaged, "packaged ports")}
    if path is not None:
        zones.update({zone.zone_id: zone for zone in read_zone_file(path)})
    return Zones(tuple(zones[zone_id] for zone_id in sorted(zones)))


def read_zone_file(path: Path) -> tuple[Zone, ...]:
    """The zones of one GeoJSON file: a FeatureCollection of polygons with `zone_id` and `kind`.

    Optional: name, country, tags, watch (high, elevated, none), unlocode, alt_names, why. Raises SettingsError.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"zones file {path}: cannot be read as UTF-8 text ({error})") from error
    return tuple(_parse(text, f"zones file {path}"))


def _parse(text: str, where: str) -> list[Zone]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{where}: not JSON (line {error.lineno}: {error.msg}); give a GeoJSON file") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise SettingsError(f"{where}: the document must be a GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise SettingsError(f"{where}: 'features' must be a list")
    zones = [_zone(feature, f"{where}, feature {i}") for i, feature in enumerate(features)]
    seen: set[str] = set()
    for zone in zones:
        if zone.zone_id in seen:
            raise SettingsError(f"{where}: zone_id {zone.zone_id!r} stands twice; ids must be unique")
        seen.add(zone.zone_id)
    return zones


def _zone(feature: Any, where: str) -> Zone:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise SettingsError(f"{where}: must be a GeoJSON Feature with properties")
    properties: dict[str, Any] = feature["properties"]
    if "zone_id" not in properties and isinstance(feature.get("id"), str):
        properties = {**properties, "zone_id": feature["id"]}
    for key in _REQUIRED:
        if not isinstance(properties.get(key), str) or not properties[key]:
            raise SettingsError(f"{where}: property {key!r} is missing; it must be a text{_hint(key, properties)}")
    where = f"{where} ({properties['zone_id']})"
    for key in properties:
        if key not in _PROPERTIES:
            raise SettingsError(f"{where}: unknown property {key!r}{_nearest(key, sorted(_PROPERTIES))}")
    kind, watch = properties["kind"], properties.get("watch") or "none"
    if kind not in ZONE_KINDS:
        raise SettingsError(
            f"{where}: kind {kind!r} must be one of {', '.join(ZONE_KINDS)}{_nearest(kind, ZONE_KINDS)}"
        )
    if watch not in get_args(WatchLevel):
        raise SettingsError(f"{where}: watch {watch!r} must be one of high, elevated, none")
    geometry = _geometry(feature.get("geometry"), where)
    centre = geometry.representative_point()
    return Zone(
        zone_id=properties["zone_id"],
        name=_text(properties, "name", where) or properties["zone_id"],
        kind=kind,
        country=_text(properties, "country", where),
        tags=frozenset(_texts(properties, "tags", where)),
        watch=cast(WatchLevel, watch),
        unlocodes=_texts(properties, "unlocode", where),
        alt_names=_texts(properties, "alt_names", where),
        lat=_number(properties, "lat", where, centre.y),
        lon=_number(properties, "lon", where, centre.x),
        geometry=geometry,
        why=_text(properties, "why", where) or "",
    )


def _hint(key: str, properties: Mapping[str, Any]) -> str:
    close = get_close_matches(key, [k for k in properties if isinstance(k, str)], n=1, cutoff=0.6)
    return f" (found {close[0]!r}: is that it?)" if close else ""


def _text(properties: Mapping[str, Any], key: str, where: str) -> str | None:
    value = properties.get(key)
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"{where}: {key} must be a text, found {value!r}")
    return value


def _texts(properties: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = properties.get(key) or []
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"{where}: {key} must be a text or a list of texts, found {value!r}")
    return tuple(value)


def _number(properties: Mapping[str, Any], key: str, where: str, default: float) -> float:
    value = properties.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingsError(f"{where}: {key} must be a number of degrees, found {value!r}")
    return float(value)


def _geometry(value: Any, where: str) -> BaseGeometry:
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: geometry must be a Polygon or MultiPolygon")
    try:
        geometry = shapely.from_geojson(json.dumps(value))
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise SettingsError(f"{where}: geometry is not GeoJSON ({error})") from error
    if geometry is None or geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        raise SettingsError(f"{where}: geometry must be a Polygon or MultiPolygon")
    xy = shapely.get_coordinates(geometry)
    if not np.isfinite(xy).all() or np.abs(xy[:, 1]).max() > 90.0 or np.abs(xy[:, 0]).max() > 360.0:
        raise SettingsError(f"{where}: coordinates must be [longitude, latitude] in degrees; latitude is beyond ±90")
    for polygon in map(_unwrapped, shapely.get_parts(geometry)):
        if not polygon.is_valid:
            raise SettingsError(f"{where}: polygon is not valid ({shapely.is_valid_reason(polygon)})")
    return wrap_geometry(geometry)
