"""Small invented histories for trying detectors on: a few ships with calls, claims and tracks; none; and silent ones.

Takes nothing; gives scenes built by hand, not by `vessels`, so that a detector is tried on the tables' declarations
and not on one way of filling them. Ships, numbers and voyages are invented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa

from detectors.contract import Scene
from detectors.scene_events import add_events
from detectors.scene_links import add_links
from detectors.watchlist import ListedVessel, WatchList
from vessels import event_tables, schema
from vessels.geodesy import distance_nmi, step_distances_nmi
from vessels.history import History
from vessels.zones import Zones, read_zones

TABLES: Final[Mapping[str, schema.Table]] = {
    "vessels": schema.VESSELS,
    "identities": schema.IDENTITIES,
    "segments": schema.SEGMENTS,
    "port_visits": schema.PORT_VISITS,
    "zone_presences": schema.ZONE_PRESENCES,
    "voyages": schema.VOYAGES,
    "sketches": schema.SKETCHES,
    "silences": schema.SILENCES,
    "coverage": schema.COVERAGE,
    "hull_links": schema.HULL_LINKS,
    "voyage_parts": schema.VOYAGE_PARTS,
    "gaps": event_tables.GAPS,
    "loitering": event_tables.LOITERING,
    "encounters": event_tables.ENCOUNTERS,
    "position_events": event_tables.POSITION_EVENTS,
}
"""The tables of a history, and their declarations."""
_KEYS: Final = frozenset(
    {"mmsi", "hull_id", "segment_id", "voyage_id", "source_id", "timestamp", "start", "first_seen", "last_seen"}
    | {
        "end",
        "span_start",
        "span_end",
        "is_open",
        "n_positions",
        "n_reports",
        "n_segments",
        "n_noise",
        "n_alternations",
    }
)
"""What a track has even if its ship never said anything: who, when and how many."""

_FIRST_DAY: Final = datetime(2024, 4, 1, tzinfo=UTC)
_AS_OF: Final = datetime(2024, 6, 30, tzinfo=UTC)
_STEP_H: Final = 2.0
"""Time between two positions of a sketch."""
_SOURCE: Final = "source-0"
_UNEVENTFUL: Final = (
    *("slow_share", "n_stops_at_sea", "longest_stop_h", "silence_share", "interval_irregularity"),
    *("draught_change_m", "status_mismatch_share"),
)
"""Measures of a voyage on which nothing happens: all of them 0."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a ship says of itself from a day on."""

    from_day: float
    name: str
    imo: int | None
    call_sign: str
    ship_type: int = 70
    length_m: float = 110.0
    beam_m: float = 17.0
    destination: str = ""


@dataclass(frozen=True, slots=True)
class _Track:
    """One hull under one MMSI: calls as (zone, day of arrival, day of departure), and its claims, oldest first."""

    mmsi: int
    calls: tuple[tuple[str, float, float], ...]
    claims: tuple[_Claim, ...]


_ORDINARY: Final = _Track(
    352001870,
    (("CN_DALIAN", 2, 4), ("KR_INCHEON", 6, 8), ("CN_DALIAN", 10, 12), ("KR_INCHEON", 14, 16), ("CN_DALIAN", 18, 20)),
    (_Claim(0, "GOLDEN LILY", 2045171, "3EAB7", destination="INCHON"), _Claim(9, "GOLDEN LILY", 2045171, "3EAB7")),
)
_RELAY: Final = _Track(
    445012340,
    (("KP_NAMPO", 2, 5), ("RU_NAKHODKA", 12, 15), ("KR_POHANG", 19, 21)),
    (_Claim(0, "PAEKSONG 2", 2318669, "HMZQ"), _Claim(8, "STAR LEAF", None, "HMZQ", destination="VLADIVOSTOK")),
)
_LOADER: Final = _Track(
    412903360,
    (("CN_DANDONG", 10, 11), ("RU_NAKHODKA", 18, 20), ("CN_QINGDAO", 26, 28)),
    (_Claim(0, "HAI YUN 7", 2573403, "BQAX"), _Claim(22, "MING DA", 2889113, "BQAX", 80, 140.0, 22.0, "QINGDAO")),
)
_SHARED: Final = (
    _Track(511204480, (("CN_DALIAN", 3, 6), ("CN_YANTAI", 9, 12)), (_Claim(0, "BLUE HERON", 3102770, "T8AB2"),)),
    _Track(511204480, (("RU_KHOLMSK", 4, 7), ("RU_VLADIVOSTOK", 10, 13)), (_Claim(0, "BLUE HERON", 3461920, "T8AB2"),)),
)
_TAKER: Final = _Track(
    457300610,
    (("RU_NAKHODKA", 40, 42), ("CN_DALIAN", 50, 53)),
    (_Claim(30, "PAEKSONG 2", 2318669, "JVQZ5"),),
)


_LISTED: Final = WatchList(
    (
        ListedVessel(
            "invented-hai-yun-7",
            "HAI YUN 7",
            2573403,
            frozenset(),
            frozenset({"HAI YUN 7"}),
            frozenset(),
            "invented",
            "",
        ),
    ),
    name="invented list",
)
_NO_LIST: Final = WatchList()


def small_scene() -> Scene:
    """A handful of ships: an ordinary trader, a relay, changed names and numbers, one MMSI on two hulls.

    Its watch list has one of them.
    """
    return _scene(_history((_ORDINARY, _RELAY, _LOADER, *_SHARED, _TAKER)), read_zones(), _LISTED)


def empty_scene() -> Scene:
    """A night in which nothing was heard."""
    return _scene({name: table.empty() for name, table in TABLES.items()}, read_zones())


def silent_scene() -> Scene:
    """Ships whose reports hold nothing but who sent them and when."""
    tables = dict(_history((_ORDINARY, _RELAY, _LOADER)))
    for name, declared in TABLES.items():
        if name in ("port_visits", "zone_presences"):
            tables[name] = declared.empty()
            continue
        n = tables[name].num_rows
        tables[name] = declared.build(
            {c.name: tables[name][c.name] if c.name in _KEYS else pa.nulls(n, c.type) for c in declared.columns}
        )
    return _scene(tables, read_zones())


def _scene(tables: Mapping[str, pa.Table], zones: Zones, listed: WatchList = _NO_LIST) -> Scene:
    return Scene(history=History(as_of=_AS_OF, **tables), zones=zones, watchlist=listed, as_of=_AS_OF)


def _day(day: float) -> datetime:
    return _FIRST_DAY + timedelta(days=day)


def _history(tracks: Sequence[_Track]) -> dict[str, pa.Table]:
    """The tables of these tracks, sorted as `History` says."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    zones = read_zones()
    for track in sorted(tracks, key=lambda t: (t.mmsi, t.calls[0][1])):
        _add_track(rows, track, zones)
    _add_vessels(rows)
    by_mmsi = {segment["mmsi"] for segment in rows["segments"]}
    if {_RELAY.mmsi, _TAKER.mmsi, _LOADER.mmsi} <= by_mmsi:
        add_links(rows, _RELAY.mmsi, _TAKER.mmsi, _LOADER.mmsi)
        add_events(rows, _RELAY.mmsi, _LOADER.mmsi, _TAKER.mmsi)
    return {
        name: table.build({c.name: [row.get(c.name) for row in rows[name]] for c in table.columns})
        for name, table in TABLES.items()
    }


def _add_track(rows: dict[str, list[dict[str, Any]]], track: _Track, zones: Zones) -> None:
    segment_id = schema.make_id("segment", track.mmsi, track.calls[0])
    keys = {"mmsi": track.mmsi, "segment_id": segment_id, "hull_id": schema.make_id("hull", segment_id)}
    days, lat, lon = _sail(track, zones)
    rows["sketches"] += [
        {**keys, "timestamp": _day(d), "lat": y, "lon": x, "sog": 5.0, "draught": 5.0}
        for d, y, x in zip(days, lat, lon, strict=True)
    ]
    steps = step_distances_nmi(lat, lon)
    rows["segments"].append(
        {
            **keys,
            "start": _day(days[0]),
            "end": _day(days[-1]),
            "n_positions": len(days),
            **_places(lat, lon, {"start": 0, "end": -1}),
            "distance_nmi": float(steps.sum()),
            "max_implied_speed_kn": float(steps.max()) / _STEP_H,
            "median_interval_s": _STEP_H * 3600.0,
            "longest_interval_h": _STEP_H,
            "cruise_kn": float(steps.max()) / _STEP_H,
            **{f"{end}_{name}": 5.0 for end in ("start", "end") for name in ("sog_kn", "cog_deg", "draught_m")},
        }
    )
    rows["coverage"].append({**keys, "source_id": _SOURCE, "first_seen": _day(days[0]), "last_seen": _day(days[-1])})
    visits = [_visit(keys, call, zones) for call in track.calls]
    rows["port_visits"] += visits
    rows["zone_presences"] += [_presence(visit) for visit in visits]
    rows["voyages"] += [
        _voyage(keys, one, two, (days, lat, lon), steps) for one, two in pairwise([None, *visits, None])
    ]
    rows["identities"] += _spells(keys, track, (days, lat, lon))


def _sail(track: _Track, zones: Zones) -> tuple[Any, Any, Any]:
    """Days, latitudes and longitudes of a track that sails straight between its calls; (n,) each."""
    first, last = track.calls[0], track.calls[-1]
    stops: list[tuple[float, float, float]] = [(first[1] - 1.0, zones[first[0]].lat - 1.0, zones[first[0]].lon - 0.5)]
    for zone_id, arrival, departure in track.calls:
        zone = zones[zone_id]
        stops += [(arrival, zone.lat, zone.lon), (departure, zone.lat, zone.lon)]
    stops.append((last[2] + 1.0, zones[last[0]].lat - 1.0, zones[last[0]].lon - 0.5))
    at, lat, lon = np.array(stops).T
    days = np.arange(at[0], at[-1] + 1e-9, _STEP_H / 24.0)
    return days, np.interp(days, at, lat), np.interp(days, at, lon)


def _places(lat: Any, lon: Any, rows: Mapping[str, int]) -> dict[str, float]:
    """Positions of some rows under the names they have in a table: `start_lat`, `start_lon`, ..."""
    return {
        f"{name}_{axis}": values[row] for name, row in rows.items() for axis, values in (("lat", lat), ("lon", lon))
    }


def _visit(keys: Mapping[str, Any], call: tuple[str, float, float], zones: Zones) -> dict[str, Any]:
    zone, (_, arrival, departure) = zones[call[0]], call
    return {
        **keys,
        "visit_id": schema.make_id("visit", keys["mmsi"], keys["segment_id"], call),
        "zone_id": zone.zone_id,
        "zone_name": zone.name,
        "country": zone.country,
        "lat": zone.lat,
        "lon": zone.lon,
        "start": _day(arrival),
        "end": _day(departure),
        "last_seen": _day(departure),
        "confidence": 4,
        "entry_seen": True,
        "exit_seen": True,
        "stop_h": 24.0 * (departure - arrival),
        "max_gap_h": _STEP_H,
        "n_positions": int(24 * (departure - arrival) / _STEP_H),
        "draught_in_m": 5.0,
        "draught_out_m": 8.0,
    }


def _presence(visit: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: visit[key] for key in ("mmsi", "segment_id", "hull_id", "zone_id", "start", "end", "lat", "lon")},
        "presence_id": visit["visit_id"].replace("visit", "presence"),
        "n_positions": visit["n_positions"],
        "duration_h": visit["stop_h"],
        "slow_h": visit["stop_h"],
        "min_sog_kn": 0.0,
    }


def _voyage(
    keys: Mapping[str, Any],
    origin: Mapping[str, Any] | None,
    destination: Mapping[str, Any] | None,
    sailed: tuple[Any, Any, Any],
    steps: Any,
) -> dict[str, Any]:
    days, lat, lon = sailed
    start = _day(days[0]) if origin is None else origin["end"]
    last_seen = _day(days[-1]) if destination is None else destination["start"]
    inside = np.array([start <= _day(day) <= last_seen for day in days])
    first, last = np.flatnonzero(inside)[[0, -1]]
    distance = float(steps[first + 1 : last + 1].sum())
    duration_h = (last_seen - start).total_seconds() / 3600.0
    straight = float(distance_nmi(lat[first], lon[first], lat[last], lon[last]))
    return {
        **keys,
        "voyage_id": schema.make_id("voyage", keys["mmsi"], keys["segment_id"], start.isoformat()),
        "start": start,
        "span_start": start,
        "end": None if destination is None else last_seen,
        "is_open": destination is None,
        "origin": origin and origin["zone_id"],
        "destination": destination and destination["zone_id"],
        "origin_visit_id": origin and origin["visit_id"],
        "destination_visit_id": destination and destination["visit_id"],
        "last_seen": last_seen,
        "span_end": last_seen if destination is None else destination["end"],
        "n_positions": int(inside.sum()),
        **_places(lat, lon, {"start": first, "end": last}),
        "distance_nmi": distance,
        "duration_h": duration_h,
        "moving_h": duration_h,
        **dict.fromkeys(("mean_speed_kn", "median_speed_kn", "max_speed_kn"), distance / duration_h),
        **dict.fromkeys(_UNEVENTFUL, 0.0),
        "speed_spread_kn": 0.5,
        "detour_ratio": distance / straight if straight else None,
        "turning_deg_per_nmi": 0.1,
        "longest_silence_h": _STEP_H,
        "night_share": 0.5,
        "drift_angle_deg": 2.0,
        "speed_residual_kn": 0.1,
    }


def _spells(keys: Mapping[str, Any], track: _Track, sailed: tuple[Any, Any, Any]) -> list[dict[str, Any]]:
    """One identity spell a claim, each until the next one or the end of the track."""
    days, lat, lon = sailed
    until = [claim.from_day for claim in track.claims[1:]] + [float("inf")]
    spells = []
    for claim, end in zip(track.claims, until, strict=True):
        inside = np.flatnonzero((days >= claim.from_day) & (days < end))
        first, last = inside[[0, -1]]
        spells.append(
            {
                **keys,
                "imo": claim.imo,
                "imo_raw": None if claim.imo is None else str(claim.imo),
                "name": claim.name,
                "name_raw": claim.name,
                "ship_type": claim.ship_type,
                "transceiver": "A",
                "call_sign": claim.call_sign,
                "call_sign_raw": claim.call_sign,
                "length_m": claim.length_m,
                "beam_m": claim.beam_m,
                "destination": claim.destination or None,
                "destination_raw": claim.destination or None,
                "first_seen": _day(days[first]),
                "last_seen": _day(days[last]),
                "n_reports": len(inside),
                **_places(lat, lon, {"first": first, "last": last}),
            }
        )
    return spells


def _add_vessels(rows: dict[str, list[dict[str, Any]]]) -> None:
    """One row an MMSI; where two tracks share it, when and how far apart they were."""
    for mmsi in sorted({segment["mmsi"] for segment in rows["segments"]}):
        own = [segment for segment in rows["segments"] if segment["mmsi"] == mmsi]
        shared = len(own) > 1
        apart = distance_nmi(own[0]["start_lat"], own[0]["start_lon"], own[-1]["start_lat"], own[-1]["start_lon"])
        rows["vessels"].append(
            {
                "mmsi": mmsi,
                "first_seen": min(s["start"] for s in own),
                "last_seen": max(s["end"] for s in own),
                "n_positions": sum(s["n_positions"] for s in own),
                "n_segments": len(own),
                "n_noise": 0,
                "n_alternations": 50 if shared else 0,
                "max_separation_nmi": float(apart) if shared else None,
                "overlap_start": max(s["start"] for s in own) if shared else None,
                "overlap_end": min(s["end"] for s in own) if shared else None,
            }
        )
