"""A log of invented ships: calls, presences and what they said, written by hand and turned into a scene."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.geofence.detector import Geofence
from detectors.watchlist import WatchList
from tests.detectors.gaps import gap
from vessels import event_tables, schema
from vessels.history import History
from vessels.zones import Zones, read_zones

DAY_0 = datetime(2018, 3, 1, tzinfo=UTC)
ZONES = read_zones()
CARGO = 70


def day(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


@dataclass
class Ship:
    """One hull under one MMSI; days count from the log's first day."""

    mmsi: int = 352001870
    name: str | None = "GOLDEN LILY"
    ship_type: int | None = CARGO
    track: str = "track-1"
    first_day: datetime = DAY_0
    visits: list[dict[str, Any]] = field(default_factory=list)
    presences: list[dict[str, Any]] = field(default_factory=list)
    spells: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, Any]:
        return {
            "mmsi": self.mmsi,
            "segment_id": f"{self.mmsi}-{self.track}",
            "hull_id": f"hull-{self.mmsi}-{self.track}",
        }

    def at(self, number: float) -> datetime:
        return self.first_day + timedelta(days=number)

    def calls(self, zone_id: str, start: float, end: float | None, **more: Any) -> "Ship":
        """A port visit; `draught` as (in, out), anything else by column name."""
        zone = ZONES[zone_id]
        draught_in, draught_out = more.pop("draught", (None, None))
        last = start + 0.5 if end is None else end
        row = {
            **self.keys,
            "visit_id": f"visit-{self.mmsi}-{self.track}-{zone_id}-{start}",
            "zone_id": zone_id,
            "zone_name": zone.name,
            "country": zone.country,
            "start": self.at(start),
            "end": None if end is None else self.at(end),
            "last_seen": self.at(last),
            "confidence": 4,
            "entry_seen": True,
            "exit_seen": end is not None,
            "stop_h": (last - start) * 24.0,
            "max_gap_h": 0.5,
            "n_positions": 50,
            "lat": zone.lat,
            "lon": zone.lon,
            "draught_in_m": draught_in,
            "draught_out_m": draught_out,
        }
        self.visits.append({**row, **more})
        return self.inside(zone_id, start, last, slow_h=(last - start) * 24.0)

    def inside(self, zone_id: str, start: float, end: float, **more: Any) -> "Ship":
        """A zone presence, by default one without a slow hour."""
        zone = ZONES[zone_id]
        row = {
            **self.keys,
            "presence_id": f"presence-{self.mmsi}-{self.track}-{zone_id}-{start}",
            "zone_id": zone_id,
            "start": self.at(start),
            "end": self.at(end),
            "n_positions": 20,
            "duration_h": (end - start) * 24.0,
            "slow_h": 0.0,
            "min_sog_kn": 9.0,
            "lat": zone.lat,
            "lon": zone.lon,
        }
        self.presences.append({**row, **more})
        return self

    def silent(self, start: float, end: float, place: tuple[float, float], **more: Any) -> "Ship":
        """A silence where others are heard, from and back to one place."""
        row = gap(start=self.at(start), hours=(end - start) * 24.0, place=place, **{**self.keys, **more})
        self.gaps.append(row)
        return self

    def says(self, destination: str | None, start: float, end: float, **more: Any) -> "Ship":
        """A spell in which the destination reads so."""
        row = {
            **self.keys,
            "name": self.name,
            "name_raw": self.name,
            "ship_type": self.ship_type,
            "destination": destination,
            "destination_raw": destination,
            "first_seen": self.at(start),
            "last_seen": self.at(end),
            "n_reports": 30,
        }
        self.spells.append({**row, **more})
        return self

    def voyages(self) -> list[dict[str, Any]]:
        """From visit to visit of confidence 2 or more, the first from an unseen port, the last still open."""
        visits = sorted((v for v in self.visits if v["confidence"] >= 2), key=lambda v: v["start"])
        rows = []
        for left, reached in pairwise([None, *visits, None]):
            start = self.at(-30) if left is None else left["end"]
            if start is None:
                continue
            rows.append(
                {
                    **self.keys,
                    "voyage_id": f"voyage {left and left['zone_id']} to {reached and reached['zone_id']}",
                    "start": start,
                    "end": reached and reached["start"],
                    "is_open": reached is None,
                    "origin": left and left["zone_id"],
                    "destination": reached and reached["zone_id"],
                    "origin_visit_id": left and left["visit_id"],
                    "destination_visit_id": reached and reached["visit_id"],
                }
            )
        return rows


def build(table: schema.Table, rows: Sequence[dict[str, Any]]) -> Any:
    return table.build({c.name: [row.get(c.name) for row in rows] for c in table.columns})


def scene_of(*ships: Ship, zones: Zones = ZONES, as_of: datetime | None = None) -> Scene:
    for ship in ships:
        if ship.name is not None and not ship.spells:
            ship.says(None, -30, 400)
    now = day(400) if as_of is None else as_of
    history = History(
        as_of=now,
        vessels=schema.VESSELS.empty(),
        identities=build(schema.IDENTITIES, [row for ship in ships for row in ship.spells]),
        segments=schema.SEGMENTS.empty(),
        port_visits=build(schema.PORT_VISITS, [row for ship in ships for row in ship.visits]),
        zone_presences=build(schema.ZONE_PRESENCES, [row for ship in ships for row in ship.presences]),
        voyages=build(schema.VOYAGES, [row for ship in ships for row in ship.voyages()]),
        sketches=schema.SKETCHES.empty(),
        silences=schema.SILENCES.empty(),
        hull_links=schema.HULL_LINKS.empty(),
        voyage_parts=schema.VOYAGE_PARTS.empty(),
        coverage=schema.COVERAGE.empty(),
        gaps=build(event_tables.GAPS, [row for ship in ships for row in ship.gaps]),
        loitering=event_tables.LOITERING.empty(),
        encounters=event_tables.ENCOUNTERS.empty(),
        position_events=event_tables.POSITION_EVENTS.empty(),
    )
    return Scene(history=history, zones=zones, watchlist=WatchList(), as_of=now)


def found_by(detector: Geofence, scene: Scene, kind: str) -> list[Finding]:
    return [finding for finding in detector.detect(scene) if finding.kind == kind]


@pytest.fixture
def ship() -> Callable[..., Ship]:
    """Make an invented ship."""
    return Ship


@pytest.fixture
def scene() -> Callable[..., Scene]:
    """Make a scene of ships; `zones` and `as_of` by name."""
    return scene_of


@pytest.fixture
def find() -> Callable[..., list[Finding]]:
    """find(kind, *ships, **parameters or zones, as_of): the findings of one kind, in order of time."""

    def _find(
        kind: str, *ships: Ship, zones: Zones = ZONES, as_of: datetime | None = None, **parameters: Any
    ) -> list[Finding]:
        findings = found_by(Geofence(**parameters), scene_of(*ships, zones=zones, as_of=as_of), kind)
        return sorted(findings, key=lambda f: (f.start, f.subject, f.mmsi))

    return _find


@pytest.fixture
def zones() -> Zones:
    """The zones that are shipped."""
    return ZONES
