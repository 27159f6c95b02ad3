"""Rows of `gaps` for tests of detectors: a cargo ship that fell silent for days where others were heard."""

from datetime import datetime, timedelta
from typing import Any

from tests.detectors.histories import at
from vessels.geodesy import distance_nmi

SHIP = 352001870


def gap(
    mmsi: int = SHIP,
    start: datetime | None = None,
    hours: float | None = 120.0,
    place: tuple[float, float] = (36.0, 130.5),
    to: tuple[float, float] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A row of `gaps`; `hours` None leaves it open. It comes back where it fell silent unless `to` says where."""
    start = at(5) if start is None else start
    is_open = hours is None
    lat, lon = to or place
    apart = float(distance_nmi(place[0], place[1], lat, lon))
    heard_h = 120.0 if hours is None else hours
    row = {
        "event_id": f"gap-{mmsi}-{start:%m%d%H%M}",
        "kind": "gap",
        "mmsi": mmsi,
        "segment_id": f"segment-{mmsi}",
        "hull_id": f"hull-{mmsi}",
        "start": start,
        "end": None if is_open else start + timedelta(hours=hours or 0.0),
        "start_lat": place[0],
        "start_lon": place[1],
        "end_lat": None if is_open else lat,
        "end_lon": None if is_open else lon,
        "duration_h": hours,
        "distance_nmi": None if is_open else apart,
        "start_sog_kn": 9.0,
        "start_cog_deg": None,
        "end_sog_kn": None if is_open else 9.0,
        "end_cog_deg": None,
        "changed": [],
        "transceiver": "A",
        "cruise_kn": 10.0,
        "fastest_kn": 12.0,
        "usual_interval_s": 420.0,
        "longest_usual_h": 2.0,
        "reports_per_heard_h": 8.0,
        "expected_messages": heard_h * 7.0,
        "expected_messages_low": heard_h * 6.0,
        "expected_messages_high": heard_h * 8.0,
        "expected_heard_h": heard_h * 0.9,
        "expected_heard_low_h": heard_h * 0.8,
        "chance_unheard": 1e-6,
        "start_heard_share": 0.9,
        "end_heard_share": None if is_open else 0.9,
        "n_others": 20.0,
        "reception": "heard",
    }
    return {**row, **more}


def laden_then_light(**more: Any) -> dict[str, Any]:
    """The draughts of a ship that landed her cargo meanwhile."""
    return {"start_draught_m": 8.0, "end_draught_m": 5.0, "changed": ["draught"], **more}
