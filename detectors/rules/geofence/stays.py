"""Stays: port visits and zone presences at watched zones as records, and stays that are one call.

Takes the tables of `vessels` and the zones; gives sorted records for the few rows at zones that matter. What a stay is
worth is left to the rules.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shapely import Point
from shapely.ops import nearest_points

from detectors.rules.geofence.parameters import GeofenceParameters
from vessels.geodesy import distance_nmi
from vessels.zones import Zone, Zones

MIN_CALL_CONFIDENCE: Final = 2
"""Confidence from which a port visit is a call: a stop or a silence inside (1 is an entry or an exit only)."""
_KIND_RANK: Final = {"port": 0, "anchorage": 1, "approach": 2, "sts_zone": 3}


@dataclass(frozen=True, slots=True)
class Stay:
    """One port visit (confidence 1 to 4) or one zone presence (confidence 0) of one hull at one zone."""

    row_id: str
    hull: str
    hull_id: str | None
    segment_id: str | None
    mmsi: int
    zone: Zone
    start: datetime
    last_seen: datetime
    is_open: bool
    confidence: int
    stop_h: float | None
    slow_h: float | None
    silence_h: float | None
    n_positions: int
    entry_seen: bool
    exit_seen: bool
    lat: float | None
    lon: float | None
    draught_in_m: float | None
    draught_out_m: float | None

    @property
    def end(self) -> datetime | None:
        """When it ended; None while it goes on, or if its end was not seen."""
        return None if self.is_open else self.last_seen

    @property
    def duration_h(self) -> float:
        """From the first to the last report inside."""
        return (self.last_seen - self.start) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Call:
    """Stays of one hull in fences that are one place, one soon after the other; `lead` speaks for all."""

    lead: Stay
    stays: tuple[Stay, ...]

    @property
    def start(self) -> datetime:
        """First report inside the first of them."""
        return self.stays[0].start

    @property
    def last_seen(self) -> datetime:
        """Last report inside any of them."""
        return max(stay.last_seen for stay in self.stays)

    @property
    def end(self) -> datetime | None:
        """When the last of them ended; None while it goes on, or if its end was not seen."""
        last = max(self.stays, key=lambda stay: (stay.last_seen, stay.is_open))
        return None if last.is_open else last.last_seen

    @property
    def confidence(self) -> int:
        """The best of what was seen in any of them."""
        return max(stay.confidence for stay in self.stays)

    @property
    def others(self) -> tuple[Stay, ...]:
        """The stays beside the lead."""
        return tuple(stay for stay in self.stays if stay is not self.lead)


class Nearness:
    """Which fences are one place: remembers each pair it was asked for, within one run of the detector."""

    def __init__(self, within_nmi: float) -> None:
        self._within_nmi = within_nmi
        self._distances: dict[tuple[str, str], float] = {}

    def distance_nmi(self, first: Zone, second: Zone) -> float:
        """Distance between the nearest points of two fences (nearest in degrees), 0 where they meet."""
        key = (min(first.zone_id, second.zone_id), max(first.zone_id, second.zone_id))
        if key not in self._distances:
            self._distances[key] = fence_distance_nmi(first, second)
        return self._distances[key]

    def one_place(self, first: Zone, second: Zone) -> bool:
        """Whether two fences are one place: the same, or neighbours that are not two states'."""
        if first.zone_id == second.zone_id:
            return True
        same_state = first.country == second.country or first.country is None or second.country is None
        return same_state and self.distance_nmi(first, second) <= self._within_nmi


def fence_distance_nmi(first: Zone, second: Zone) -> float:
    """Distance in nautical miles between the nearest points of two fences; 0 where they meet or one has no area."""
    if first.geometry.is_empty or second.geometry.is_empty:
        return float(distance_nmi(first.lat, first.lon, second.lat, second.lon))
    near, far = nearest_points(first.geometry, second.geometry)
    return float(distance_nmi(near.y, near.x, far.y, far.x))


def depth_nmi(zone: Zone, lat: float | None, lon: float | None) -> float:
    """How far inside a fence a position lies, in nautical miles from its nearest edge; 0 outside or unknown."""
    if lat is None or lon is None or not zone.geometry.contains(Point(lon, lat)):
        return 0.0
    edge, _ = nearest_points(zone.geometry.boundary, Point(lon, lat))
    return float(distance_nmi(edge.y, edge.x, lat, lon))


def visits_at(table: pa.Table, zones: Zones, wanted: Callable[[Zone], bool]) -> list[Stay]:
    """The port visits at the zones wanted, sorted by hull, start and zone."""
    return _stays(table, zones, wanted, _visit)


def presences_in(table: pa.Table, zones: Zones, wanted: Callable[[Zone], bool]) -> list[Stay]:
    """The zone presences in the zones wanted, sorted by hull, start and zone."""
    return _stays(table, zones, wanted, _presence)


def by_hull(stays: Iterable[Stay]) -> dict[str, list[Stay]]:
    """Stays hull by hull, in the order given."""
    hulls: dict[str, list[Stay]] = {}
    for stay in stays:
        hulls.setdefault(stay.hull, []).append(stay)
    return hulls


def merge_calls(stays: Sequence[Stay], parameters: GeofenceParameters, nearness: Nearness) -> list[Call]:
    """Stays of one watch level that follow each other at one place within the merge gap, as calls. Sorted stays in."""
    calls: list[Call] = []
    gap = timedelta(hours=parameters.merge_gap_h)
    for hull_stays in by_hull(stays).values():
        open_groups: list[list[Stay]] = []
        for stay in hull_stays:
            calls += [_call(group) for group in open_groups if _last_seen(group) + gap < stay.start]
            open_groups = [group for group in open_groups if _last_seen(group) + gap >= stay.start]
            group = next((group for group in open_groups if _belongs(stay, group, nearness)), None)
            if group is None:
                open_groups.append([stay])
            else:
                group.append(stay)
        calls += [_call(group) for group in open_groups]
    return sorted(calls, key=lambda call: (call.lead.hull, call.start, call.lead.zone.zone_id, call.lead.row_id))


def _last_seen(group: Sequence[Stay]) -> datetime:
    return max(stay.last_seen for stay in group)


def _belongs(stay: Stay, group: Sequence[Stay], nearness: Nearness) -> bool:
    return any(stay.zone.watch == other.zone.watch and nearness.one_place(stay.zone, other.zone) for other in group)


def _call(group: Sequence[Stay]) -> Call:
    """The lead is the innermost stay: a port before its roads, then where she stopped and stayed longest."""
    lead = min(
        group,
        key=lambda s: (_KIND_RANK.get(s.zone.kind, 9), -(s.stop_h or 0.0), -s.duration_h, s.start, s.zone.zone_id),
    )
    return Call(lead, tuple(sorted(group, key=lambda s: (s.start, s.zone.zone_id, s.row_id))))


def _stays(
    table: pa.Table,
    zones: Zones,
    wanted: Callable[[Zone], bool],
    read: Callable[[dict[str, Any], Zone], Stay | None],
) -> list[Stay]:
    by_id = {zone.zone_id: zone for zone in zones.zones if wanted(zone)}
    rows = rows_where(table, "zone_id", by_id)
    stays = (read(row, by_id[row["zone_id"]]) for row in rows)
    return sorted(
        (stay for stay in stays if stay is not None), key=lambda s: (s.hull, s.start, s.zone.zone_id, s.row_id)
    )


def rows_where(table: pa.Table, column: str, values: Iterable[object]) -> Iterator[dict[str, Any]]:
    """The rows whose column holds one of the values, as records: for the few rows a person may read of."""
    value_set = pa.array(sorted(values, key=str), type=table.schema.field(column).type)
    yield from table.filter(pc.is_in(table[column], value_set=value_set)).to_pylist()


def _visit(row: dict[str, Any], zone: Zone) -> Stay | None:
    if row["mmsi"] is None or row["start"] is None or row["confidence"] is None:
        return None
    last_seen = row["last_seen"] if row["last_seen"] is not None else row["end"]
    return _stay(
        row,
        zone,
        row_id=row["visit_id"] or "",
        last_seen=row["end"] if row["end"] is not None else last_seen,
        is_open=row["end"] is None,
        confidence=int(row["confidence"]),
        stop_h=row["stop_h"],
        silence_h=row["max_gap_h"],
        entry_seen=bool(row["entry_seen"]),
        exit_seen=bool(row["exit_seen"]),
        draught_in_m=row["draught_in_m"],
        draught_out_m=row["draught_out_m"],
    )


def _presence(row: dict[str, Any], zone: Zone) -> Stay | None:
    if row["mmsi"] is None or row["start"] is None:
        return None
    return _stay(row, zone, row_id=row["presence_id"] or "", last_seen=row["end"], slow_h=row["slow_h"])


def _stay(
    row: dict[str, Any],
    zone: Zone,
    *,
    row_id: str,
    last_seen: datetime | None,
    is_open: bool = False,
    confidence: int = 0,
    stop_h: float | None = None,
    slow_h: float | None = None,
    silence_h: float | None = None,
    entry_seen: bool = False,
    exit_seen: bool = False,
    draught_in_m: float | None = None,
    draught_out_m: float | None = None,
) -> Stay:
    return Stay(
        row_id=row_id,
        hull=row["hull_id"] or row["segment_id"] or f"mmsi {row['mmsi']}",
        hull_id=row["hull_id"],
        segment_id=row["segment_id"],
        mmsi=row["mmsi"],
        zone=zone,
        start=row["start"],
        last_seen=last_seen if last_seen is not None else row["start"],
        is_open=is_open,
        confidence=confidence,
        stop_h=stop_h,
        slow_h=slow_h,
        silence_h=silence_h,
        n_positions=row["n_positions"] or 0,
        entry_seen=entry_seen,
        exit_seen=exit_seen,
        lat=_finite(row["lat"]),
        lon=_finite(row["lon"]),
        draught_in_m=draught_in_m,
        draught_out_m=draught_out_m,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
