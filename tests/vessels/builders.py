"""Small invented tracks for tests: rows as plain dicts, and the ways in which they become chunks, blocks, files, facts.

A row is a dict with `mmsi`, `t` (seconds after `T0`), `lat`, `lon` and what else it says; what it leaves out is null.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from vessels.canonical import CANONICAL_POSITIONS
from vessels.chunks import NOTHING_SAID, Chunk, StaticClaim
from vessels.gather import Gatherer
from vessels.geodesy import wrap_degrees
from vessels.history import DEFAULT_FACTS, FactParameters, Facts, History, combine, derive
from vessels.intake import coverage_table
from vessels.motion import DEFAULT_MOTION, MotionModel
from vessels.segments import Segments, separate
from vessels.track import TrackBlock
from vessels.units import US_PER_S
from vessels.zones import Zone, Zones, wrap_geometry

Row = Mapping[str, Any]

T0 = datetime(2024, 5, 1, tzinfo=UTC)
T0_US = int(T0.timestamp()) * US_PER_S
EVER = (0, 2**62)
"""A span of time that cuts nothing."""
ALPHA, BRAVO, CHARLIE = 273_412_340, 445_012_350, 457_300_620
"""Invented ships: Russian, North Korean and Mongolian numbers."""
H = 3600.0
_NUMBERS = ("sog", "cog", "heading", "draught")


def instant(t: float) -> datetime:
    """So many seconds after `T0`."""
    return T0 + timedelta(seconds=t)


def claim_of(row: Row) -> StaticClaim:
    """What a row says of its ship."""
    raw = {f"{name}_raw": row.get(name) for name in ("imo", "name", "call_sign", "destination")}
    plain = {name: row.get(name) for name in ("ship_type", "length_m", "beam_m", "transceiver")}
    return StaticClaim(**raw, **plain)


def chunk(rows: Sequence[Row]) -> Chunk:
    """The rows as a chunk, in the order given."""
    claims = list(dict.fromkeys([NOTHING_SAID, *(claim_of(row) for row in rows)]))
    code = {claim: number for number, claim in enumerate(claims)}
    known = [[np.nan if row.get(name) is None else row[name] for row in rows] for name in ("lat", "lon", *_NUMBERS)]
    status = [-1 if row.get("nav_status") is None else row["nav_status"] for row in rows]
    return Chunk(
        mmsi=np.array([row["mmsi"] for row in rows], np.int64),
        time_us=np.array([T0_US + round(row["t"] * US_PER_S) for row in rows], np.int64),
        lat=np.array(known[0], np.float64),
        lon=np.array(known[1], np.float64),
        **{name: np.array(values, np.float32) for name, values in zip(_NUMBERS, known[2:], strict=True)},
        nav_status=np.array(status, np.int8),
        static=np.array([code[claim_of(row)] for row in rows], np.int32),
        claims=tuple(claims),
    )


def gathered(
    files: Iterable[Sequence[Row]], *, n_buckets: int = 1, chunk_rows: int = 1_000_000, spill: Path | None = None
) -> Gatherer:
    """Files of rows gathered, file by file, in chunks of so many rows."""
    gatherer = Gatherer(n_buckets, spill)
    for source, rows in enumerate(files):
        for start in range(0, len(rows), chunk_rows):
            gatherer.add(chunk(rows[start : start + chunk_rows]), source)
    return gatherer


def block_of(*files: Sequence[Row], span_us: tuple[int, int] = EVER) -> TrackBlock:
    """The settled block of some files, one bucket."""
    return gathered(files).block(0, span_us)


def segments_of(*files: Sequence[Row], motion: MotionModel = DEFAULT_MOTION) -> Segments:
    """The segments of some files."""
    return separate(block_of(*files), motion)


def facts_of(
    *files: Sequence[Row], zones: Zones | None = None, parameters: FactParameters = DEFAULT_FACTS, **how: Any
) -> list[Facts]:
    """The facts of some files, by bucket."""
    gatherer = gathered(files, **how)
    blocks = [gatherer.block(b, EVER) for b in range(gatherer.n_buckets)]
    claims = gatherer.register.claims()
    return [derive(block, claims, zones or Zones(()), parameters) for block in blocks]


def history_of(
    *files: Sequence[Row], zones: Zones | None = None, parameters: FactParameters = DEFAULT_FACTS, **how: Any
) -> History:
    """The history of some files; files are called `file-0`, `file-1`, ..."""
    facts = facts_of(*files, zones=zones, parameters=parameters, **how)
    tallies = [part.tally for part in facts]
    coverage = coverage_table(tallies, [f"file-{i}" for i in range(len(files))])
    return combine(facts, coverage, T0, zones or Zones(()), parameters)


TABLES = ("vessels", "identities", "segments", "port_visits", "zone_presences", "voyages", "sketches")
"""The tables of a history that come from rows alone."""


def tables_of(history: History | Facts) -> dict[str, list[dict[str, Any]]]:
    """Every table of a history as plain rows."""
    return {name: getattr(history, name).to_pylist() for name in TABLES}


def write_parquet(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    """The rows as a Parquet file in wakewatch's own columns."""
    columns: dict[str, Any] = {
        "mmsi": [row["mmsi"] for row in rows],
        "timestamp": [instant(row["t"]) for row in rows],
        "source_id": [None] * len(rows),
    }
    for name in CANONICAL_POSITIONS.names:
        columns.setdefault(name, [row.get(name) for row in rows])
    table = CANONICAL_POSITIONS.build(columns).drop_columns(["source_id"])
    pq.write_table(table, path, **options)
    return path


def sail(
    mmsi: int,
    t: float,
    place: tuple[float, float],
    to: tuple[float, float],
    *,
    speed_kn: float = 12.0,
    every_s: float = 600.0,
    **said: Any,
) -> list[dict[str, Any]]:
    """A straight run at even speed (on the plane: keep it short), a report every so often, both ends in."""
    dlat, dlon = to[0] - place[0], float(wrap_degrees(to[1] - place[1]))
    east = dlon * math.cos(math.radians((to[0] + place[0]) / 2))
    seconds = math.hypot(dlat, east) * 60.0 / speed_kn * H
    cog = math.degrees(math.atan2(east, dlat)) % 360.0
    n = max(1, round(seconds / every_s))
    return [
        {
            "mmsi": mmsi,
            "t": float(round(t + seconds * i / n)),
            "lat": round(place[0] + dlat * i / n, 6),
            "lon": round(float(wrap_degrees(place[1] + dlon * i / n)), 6),
            "sog": speed_kn,
            "cog": round(cog, 1) % 360.0,
            **said,
        }
        for i in range(n + 1)
    ]


def lie(
    mmsi: int, t: float, place: tuple[float, float], hours: float, *, every_s: float = 600.0, **said: Any
) -> list[dict[str, Any]]:
    """Reports of a ship that lies still."""
    n = round(hours * H / every_s)
    row = {"mmsi": mmsi, "lat": place[0], "lon": place[1], "sog": 0.0, "cog": 0.0, **said}
    return [{**row, "t": t + i * every_s} for i in range(n + 1)]


def end_of(rows: Sequence[Row]) -> float:
    """When the last report of a run was sent."""
    return float(rows[-1]["t"])


def chain(*legs: Callable[[float], Sequence[Row]]) -> list[Row]:
    """Runs one after the other: each leg is given the time at which the one before ended, plus ten minutes."""
    rows: list[Row] = []
    for leg in legs:
        rows += leg(end_of(rows) + 600.0 if rows else 0.0)
    return rows


def disc(zone_id: str, lat: float, lon: float, radius_km: float, kind: str = "port", **said: Any) -> Zone:
    """A zone of 32 corners about a place that is not near ±180°."""
    squeeze = math.cos(math.radians(lat))
    turns = np.linspace(0.0, 2 * np.pi, 33)
    radius = radius_km / 111.195
    ring = np.column_stack([lon + radius / squeeze * np.cos(turns), lat + radius * np.sin(turns)])
    return polygon(zone_id, shapely.Polygon(ring), kind, lat=lat, lon=lon, **said)


def polygon(zone_id: str, geometry: Any, kind: str = "port", **said: Any) -> Zone:
    """A zone of any shape."""
    values: dict[str, Any] = {
        "name": zone_id.title(),
        "country": zone_id[:2],
        "tags": frozenset(),
        "watch": "none",
        "unlocodes": (),
        "alt_names": (),
        "lat": geometry.centroid.y,
        "lon": geometry.centroid.x,
    }
    return Zone(zone_id=zone_id, kind=kind, geometry=geometry, **{**values, **said})


def shifted(geometry: Any, degrees: float) -> Any:
    """A shape moved east, cut at ±180° where it crosses."""
    return wrap_geometry(shapely.transform(geometry, lambda xy: xy + np.array([degrees, 0.0])))


def zones_of(*zones: Zone) -> Zones:
    """Zones sorted by id, as a file gives them."""
    return Zones(tuple(sorted(zones, key=lambda zone: zone.zone_id)))
