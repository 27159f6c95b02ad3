"""Hand-built meetings for tests of the rules on them: ships, encounters, stays, silences; tests say what differs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from detectors.contract import Detector, Scene
from detectors.finding import Finding
from detectors.watchlist import WatchList
from tests.detectors.histories import history
from vessels.zones import Zones, read_zones

ZONES = read_zones()
DAY_0 = datetime(2024, 3, 1, tzinfo=UTC)
BELT = (29.6, 124.5)
"""In ECS_STS, the belt south-east of Shanghai."""
OPEN_SEA = (26.9, 127.4)
GIVER, TAKER, THIRD = 477100200, 518300400, 636500600
KOREAN = 445100200
TANKER, CARGO, FISHING, TUG, PILOT, SAR, DREDGER, FERRY, YACHT, LAW = 80, 70, 30, 52, 50, 51, 33, 60, 37, 55
Row = dict[str, Any]


def at(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def keys(mmsi: int, prefix: str = "") -> Row:
    return {f"{prefix}mmsi": mmsi, f"{prefix}segment_id": f"segment-{mmsi}", f"{prefix}hull_id": f"hull-{mmsi}"}


def ship(mmsi: int, ship_type: int | None = TANKER, length_m: float | None = 110.0, **said: Any) -> list[Row]:
    """Spells of one identity over 60 days; `claims` as (from day, what is said then) for later ones."""
    later: Sequence[tuple[float, Mapping[str, Any]]] = said.pop("claims", ())
    base = {"ship_type": ship_type, "length_m": length_m, "name": f"SHIP {mmsi % 1000}", **said}
    rows = []
    for (start, claim), end in zip([(-30.0, {}), *later], [*(day for day, _ in later), 30.0], strict=True):
        base = {**base, **claim}
        spell = {**keys(mmsi), **base, "first_seen": at(start), "last_seen": at(end), "n_reports": 100}
        rows.append({"imo_raw": None, "name_raw": spell["name"], "destination_raw": spell.get("destination"), **spell})
    return rows


def encounter(one: int = GIVER, two: int = TAKER, start: float = 0.5, hours: float = 7.0, **said: Any) -> Row:
    """Two ships alongside in the belt, heard well, alone, apart before and after; their draughts say nothing."""
    lat, lon = said.pop("place", BELT)
    one, two = sorted((one, two))
    row = {
        "event_id": f"encounter-{one}-{two}-{start}",
        "kind": "encounter",
        **keys(one),
        **keys(two, "other_"),
        "start": at(start),
        "end": at(start) + timedelta(hours=hours),
        "lat": lat,
        "lon": lon,
        "duration_h": hours,
        "heard_share": 1.0,
        "min_distance_m": 30.0,
        "median_distance_m": 60.0,
        "median_sog_kn": 0.6,
        "shore_nmi": 90.0,
        "apart_before": True,
        "apart_after": True,
        "under_way_together_h": 0.0,
        "n_meetings": 1,
        "n_partners": 0,
        "n_ships_near": 0,
        "n_ships_ever": 1,
    }
    return {**row, **said}


def draughts(one: tuple[float | None, float | None], two: tuple[float | None, float | None]) -> Row:
    """Draughts of the ship with the lesser number, and of the other: before and after."""
    return {
        "start_draught_m": one[0],
        "end_draught_m": one[1],
        "other_start_draught_m": two[0],
        "other_end_draught_m": two[1],
    }


OPPOSITE = draughts((8.0, 6.5), (4.0, 6.8))


def loiters(mmsi: int = GIVER, start: float = 5.0, hours: float = 11.0, **said: Any) -> Row:
    """A stay in the belt, far from shore and from others; her draughts say nothing."""
    lat, lon = said.pop("place", BELT)
    row = {
        "event_id": f"loitering-{mmsi}-{start}",
        "kind": "loitering",
        **keys(mmsi),
        "start": at(start),
        "end": at(start) + timedelta(hours=hours),
        "lat": lat,
        "lon": lon,
        "duration_h": hours,
        "mean_speed_kn": 0.6,
        "spread_nmi": 2.0,
        "shore_nmi": 90.0,
        "n_positions": 60,
        "nav_status": 0,
        "n_ships_near": 0,
        "n_ships_ever": 1,
    }
    return {**row, **said}


def falls_silent(mmsi: int = TAKER, start: float = 4.0, end: float | None = 7.0, **said: Any) -> Row:
    """A silence from 130 nmi north of the belt to the same place, where others were heard."""
    lat, lon = said.pop("place", (31.8, 124.5))
    end_lat, end_lon = said.pop("to", (lat, lon))
    row = {
        "event_id": f"gap-{mmsi}-{start}",
        "kind": "gap",
        **keys(mmsi),
        "start": at(start),
        "end": None if end is None else at(end),
        "start_lat": lat,
        "start_lon": lon,
        "end_lat": None if end is None else end_lat,
        "end_lon": None if end is None else end_lon,
        "duration_h": 24.0 * ((30.0 if end is None else end) - start),
        "cruise_kn": 10.0,
        "fastest_kn": 12.0,
        "reception": "heard",
    }
    return {**row, **said}


def calls(mmsi: int, zone_id: str, start: float, end: float, **said: Any) -> Row:
    """A row of `port_visits`, seen in and out."""
    zone = ZONES[zone_id]
    row = {
        **keys(mmsi),
        "visit_id": f"visit-{mmsi}-{zone_id}-{start}",
        "zone_id": zone_id,
        "zone_name": zone.name,
        "country": zone.country,
        "start": at(start),
        "end": at(end),
        "last_seen": at(end),
        "confidence": 4,
        "entry_seen": True,
        "exit_seen": True,
        "lat": zone.lat,
        "lon": zone.lon,
    }
    return {**row, **said}


def inside(mmsi: int, zone_id: str, start: float, end: float) -> Row:
    """A row of `zone_presences`."""
    return {
        **keys(mmsi),
        "presence_id": f"presence-{mmsi}-{zone_id}-{start}",
        "zone_id": zone_id,
        "start": at(start),
        "end": at(end),
        "duration_h": 24.0 * (end - start),
    }


def scene_of(ships: Sequence[Row], *, listed: WatchList | None = None, zones: Zones = ZONES, **tables: Any) -> Scene:
    """A scene of these ships and tables, as of day 30."""
    segments = [
        {**keys(mmsi), "start": at(-30), "end": at(30), "n_positions": 1000}
        for mmsi in sorted({row["mmsi"] for row in ships})
    ]
    tables.setdefault("segments", segments)
    past = history(as_of=at(30), identities=ships, **tables)
    return Scene(past, zones, listed or WatchList(), past.as_of)


def found(detector: Detector, scene: Scene, kind: str) -> dict[int, Finding]:
    """The findings of one kind by MMSI; several on one ship are an error of the test."""
    findings = [finding for finding in detector.detect(scene) if finding.kind == kind]
    by_mmsi = {finding.mmsi: finding for finding in findings}
    assert len(by_mmsi) == len(findings)
    return by_mmsi


def weights(finding: Finding) -> str:
    """The last line that says what each reason weighs."""
    return [line.observed for line in finding.evidence if line.what == "weight of each reason"][-1]
