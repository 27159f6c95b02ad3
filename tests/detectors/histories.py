"""Small histories for tests of detectors, built from lists of rows that say only what the test is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from detectors.contract import Scene
from detectors.watchlist import WatchList
from vessels import event_tables, schema
from vessels.history import History
from vessels.zones import Zone, Zones

DAY_0 = datetime(2024, 3, 1, tzinfo=UTC)
Row = Mapping[str, Any]

_TABLES = {
    "vessels": schema.VESSELS,
    "identities": schema.IDENTITIES,
    "segments": schema.SEGMENTS,
    "port_visits": schema.PORT_VISITS,
    "zone_presences": schema.ZONE_PRESENCES,
    "voyages": schema.VOYAGES,
    "sketches": schema.SKETCHES,
    "silences": schema.SILENCES,
    "hull_links": schema.HULL_LINKS,
    "voyage_parts": schema.VOYAGE_PARTS,
    "coverage": schema.COVERAGE,
    "gaps": event_tables.GAPS,
    "loitering": event_tables.LOITERING,
    "encounters": event_tables.ENCOUNTERS,
    "position_events": event_tables.POSITION_EVENTS,
}
_RAW = {"imo_raw": "imo", "name_raw": "name", "call_sign_raw": "call_sign", "destination_raw": "destination"}


def at(day: float, hour: float = 0.0) -> datetime:
    """An instant so many days and hours after `DAY_0`."""
    return DAY_0 + timedelta(days=day, hours=hour)


def table(name: str, rows: Sequence[Row]) -> pa.Table:
    """A table of `vessels.schema` from rows; columns a row leaves out are null, raw text follows the clean."""
    declared = _TABLES[name]
    full = [{**{raw: row.get(clean) for raw, clean in _RAW.items()}, **row} for row in rows]
    columns = {c: [row.get(c) for row in full] for c in declared.names}
    for raw in _RAW:
        if raw in columns:
            columns[raw] = [None if value is None else str(value) for value in columns[raw]]
    return declared.build(columns)


def spell(mmsi: int, first: datetime, last: datetime, **said: Any) -> dict[str, Any]:
    """A row of `identities`: 20 reports an hour apart or so, of one track, off the coast unless said otherwise."""
    hours = (last - first).total_seconds() / 3600.0
    lat, lon = said.pop("place", (35.0, 130.0))
    row = {
        "mmsi": mmsi,
        "segment_id": f"segment-{mmsi}",
        "hull_id": f"hull-{mmsi}",
        "transceiver": "A",
        "first_seen": first,
        "last_seen": last,
        "n_reports": max(2, round(hours * 10)),
        "first_lat": lat,
        "first_lon": lon,
        "last_lat": lat,
        "last_lon": lon,
    }
    return {**row, **said}


def sailed(mmsi: int, start: datetime, hours: float, place: tuple[float, float], to: tuple[float, float], **said: Any):
    """Rows of `sketches`: a straight track at even speed, one point every 20 minutes."""
    n = max(2, int(hours * 3) + 1)
    return [
        {
            "mmsi": mmsi,
            "segment_id": f"segment-{mmsi}",
            "timestamp": start + timedelta(hours=hours * i / (n - 1)),
            "lat": place[0] + (to[0] - place[0]) * i / (n - 1),
            "lon": place[1] + (to[1] - place[1]) * i / (n - 1),
            **said,
        }
        for i in range(n)
    ]


def stay(mmsi: int, zone_id: str, start: datetime, end: datetime | None, **said: Any) -> dict[str, Any]:
    """A row of `port_visits` with confidence 4; of `zone_presences` what that table has of it."""
    return {
        "visit_id": f"visit-{mmsi}-{zone_id}-{start:%d%H}",
        "presence_id": f"presence-{mmsi}-{zone_id}-{start:%d%H}",
        "hull_id": f"hull-{mmsi}",
        "segment_id": f"segment-{mmsi}",
        "mmsi": mmsi,
        "zone_id": zone_id,
        "start": start,
        "end": end,
        "confidence": 4,
        "last_seen": end or start,
        "n_positions": 100,
        **said,
    }


def voyage(mmsi: int, start: datetime, end: datetime, **said: Any) -> dict[str, Any]:
    """A row of `voyages`."""
    row = {
        "voyage_id": f"voyage-{mmsi}-{start:%m%d%H}",
        "hull_id": f"hull-{mmsi}",
        "segment_id": f"segment-{mmsi}",
        "mmsi": mmsi,
        "start": start,
        "end": end,
        "is_open": False,
        "last_seen": end,
        "span_end": end,
        "n_positions": 100,
    }
    return {**row, **said}


def zone(zone_id: str, watch: str = "none", kind: str = "port", **said: Any) -> Zone:
    """A zone; its fence plays no part in tests on tables."""
    lat, lon = said.pop("place", (0.0, 0.0))
    values: dict[str, Any] = {
        "zone_id": zone_id,
        "name": zone_id.title(),
        "kind": kind,
        "country": zone_id[:2],
        "tags": frozenset(),
        "watch": watch,
        "unlocodes": (),
        "alt_names": (),
        "lat": lat,
        "lon": lon,
        "geometry": None,
    }
    return Zone(**{**values, **said})


ZONES = (zone("KP_NAMPO", "high"), zone("CN_DALIAN", "elevated"), zone("KR_BUSAN"))


def history(as_of: datetime | None = None, **tables: Sequence[Row]) -> History:
    """A history of these tables; `vessels` follows from the identities where it is not given."""
    rows = {name: list(tables.pop(name, ())) for name in _TABLES}
    if tables:
        raise TypeError(f"no tables {sorted(tables)}")
    if not rows["vessels"]:
        rows["vessels"] = _vessels(rows["identities"])
    if as_of is None:
        as_of = max((row["last_seen"] for row in rows["vessels"]), default=DAY_0)
    return History(as_of=as_of, **{name: table(name, rows[name]) for name in _TABLES})


def _vessels(identities: Sequence[Row]) -> list[Row]:
    mmsi = dict.fromkeys(row["mmsi"] for row in identities)
    return [
        {
            "mmsi": one,
            "first_seen": min(row["first_seen"] for row in identities if row["mmsi"] == one),
            "last_seen": max(row["last_seen"] for row in identities if row["mmsi"] == one),
            "n_positions": 1000,
            "n_segments": 1,
            "n_noise": 0,
            "n_alternations": 0,
        }
        for one in mmsi
    ]


def scene(
    past: History | None = None,
    watchlist: WatchList | None = None,
    zones: Sequence[Zone] = ZONES,
    **tables: Sequence[Row],
) -> Scene:
    """A scene of these tables: KP_NAMPO watched high, CN_DALIAN elevated, KR_BUSAN not."""
    past = past if past is not None else history(**tables)
    return Scene(past, Zones(tuple(zones)), watchlist or WatchList(), past.as_of)
