"""Odd positions as the rules read them, and how findings about them are told.

Takes the `position_events` and `identities` tables; gives records in one order whatever the order of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Evidence, Finding
from detectors.rules.geofence.ships import Ships
from detectors.rules.identity.wording import position
from vessels.geodesy import distance_nmi

_NUMBERS: Final = (
    "start_lat", "start_lon", "end_lat", "end_lon", "duration_h", "distance_nmi", "implied_speed_kn", "residual_m",
    "usual_residual_m",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OddEvent:
    """One row of `position_events`; numbers that are not known are NaN, counts 0."""

    event_id: str
    kind: str
    mmsi: int
    segment_id: str | None
    hull_id: str | None
    start: datetime
    end: datetime
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    duration_h: float
    distance_nmi: float
    implied_speed_kn: float
    residual_m: float
    usual_residual_m: float
    n_positions: int
    n_others: int
    replayed_from: datetime | None
    replayed_mmsi: int | None
    came_back: bool | None
    crosses_land: bool

    @property
    def start_place(self) -> str:
        """Where it began, in words."""
        return position(self.start_lat, self.start_lon)

    @property
    def end_place(self) -> str:
        """Where it ended, in words."""
        return position(self.end_lat, self.end_lon)


def read_events(table: pa.Table, land_others: int) -> list[OddEvent]:
    """The events in order of MMSI, start, kind and id; runs on land where others sail too are left out at once."""
    busy = pc.and_(pc.equal(table["kind"], "on_land"), pc.greater(pc.fill_null(table["n_others"], 0), land_others))
    complete = pc.and_(pc.is_valid(table["mmsi"]), pc.is_valid(table["start"]))
    rows = table.filter(pc.and_(complete, pc.invert(pc.fill_null(busy, False)))).to_pylist()
    events = [_event(row) for row in rows if row["kind"] is not None and _is_whole(row)]
    return sorted(events, key=lambda e: (e.mmsi, e.start, e.kind, e.segment_id or "", e.event_id))


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "jump": ("distance_nmi", "implied_speed_kn", "duration_h"),
        "held": ("duration_h",),
        "on_land": ("distance_nmi", "duration_h"),
        "constant": ("duration_h", "residual_m"),
        "laps": ("duration_h", "residual_m"),
        "replay": ("duration_h", "residual_m", "replayed_from", "replayed_mmsi"),
        "speed": ("implied_speed_kn",),
    }
)
"""What an event of each kind is judged by; one without is left out."""


def _is_whole(row: Mapping[str, Any]) -> bool:
    return all(row[name] is not None for name in _NEEDED.get(row["kind"], ()))


def _event(row: Mapping[str, Any]) -> OddEvent:
    values = {field.name: row[field.name] for field in fields(OddEvent)}
    values |= {name: np.nan for name in _NUMBERS if values[name] is None}
    values |= {name: values[name] or 0 for name in ("n_positions", "n_others")}
    values |= {"event_id": row["event_id"] or "", "end": row["end"] or row["start"]}
    return OddEvent(**{**values, "crosses_land": bool(row["crosses_land"])})


def apart_nmi(event: OddEvent) -> float:
    """Distance between where an event began and where it ended."""
    return float(distance_nmi(event.start_lat, event.start_lon, event.end_lat, event.end_lon))


def shared_by(n_others: int) -> float:
    """What is left of a ship's own part where others nearby had the like: a quarter with one, little with more."""
    return 1.0 / (1.0 + n_others) ** 2


class Teller:
    """Makes findings of events, with the names and classes that the ships claimed then."""

    def __init__(self, ships: Ships, detector: tuple[str, str]) -> None:
        self._ships = ships
        self._detector = detector

    def ship(self, event: OddEvent) -> str:
        """The ship as headlines call it."""
        return self._ships.in_words(event.mmsi, event.segment_id, event.start)

    def group(self, event: OddEvent) -> str:
        """The class of ship she claimed then."""
        return self._ships.type_group(event.mmsi, event.segment_id, event.start)

    def finding(
        self,
        kind: str,
        event: OddEvent,
        strength: float,
        headline: str,
        evidence: Sequence[Evidence],
        caveats: Sequence[str],
        subject: str = "",
        others: tuple[int, ...] = (),
    ) -> Finding:
        """The finding on one event. Its id holds the event's, so that two that start at once stay apart."""
        name, version = self._detector
        known = np.isfinite(event.start_lat) and np.isfinite(event.start_lon)
        return Finding(
            detector=name,
            detector_version=version,
            kind=kind,
            mmsi=event.mmsi,
            start=event.start,
            end=event.end,
            strength=round(float(np.clip(np.nan_to_num(strength), 0.0, 1.0)), 4),
            headline=headline,
            evidence=tuple(evidence),
            caveats=tuple(caveats),
            other_mmsi=others,
            lat=event.start_lat if known else None,
            lon=event.start_lon if known else None,
            segment_id=event.segment_id,
            hull_id=event.hull_id,
            subject=" ".join(part for part in (subject, event.event_id) if part),
        )
