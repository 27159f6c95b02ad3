"""Events for the small invented scene: one of each table, on tracks that it already has.

Takes the rows of the scene's tables; adds rows of `gaps`, `loitering`, `encounters` and `position_events`, every column
filled, so that a detector of events has something to read.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from vessels import schema

Rows = dict[str, list[dict[str, Any]]]
_HOUR: Final = timedelta(hours=1)
_SLOW_KN: Final = 0.5


def add_events(rows: Rows, dark_mmsi: int, first_mmsi: int, second_mmsi: int) -> None:
    """A ship that goes silent in well-heard water and comes back lighter; two that meet; one with odd positions."""
    dark, first, second = (_track(rows, mmsi) for mmsi in (dark_mmsi, first_mmsi, second_mmsi))
    rows["gaps"].append(_gap(dark))
    rows["loitering"].append(_loitering(first))
    rows["encounters"].append(_encounter(first, second))
    rows["position_events"].append(_odd_positions(dark))


def _track(rows: Rows, mmsi: int) -> dict[str, Any]:
    return next(row for row in rows["segments"] if row["mmsi"] == mmsi)


def _event(kind: str, track: dict[str, Any], start: datetime, hours: float) -> dict[str, Any]:
    """The columns that all events share: at the track's first place."""
    return {
        "event_id": schema.make_id(kind, track["mmsi"], start.isoformat()),
        "kind": kind,
        **{name: track[name] for name in ("mmsi", "segment_id", "hull_id")},
        "start": start,
        "end": start + hours * _HOUR,
        **{f"{end}_{axis}": track[f"start_{axis}"] for end in ("start", "end") for axis in ("lat", "lon")},
        "duration_h": hours,
    }


def _gap(track: dict[str, Any]) -> dict[str, Any]:
    start, hours = track["start"] + (track["end"] - track["start"]) / 3, 60.0
    row = _event("gap", track, start, hours)
    return {
        **row,
        "distance_nmi": 0.0,
        "implied_speed_kn": 0.0,
        **{f"{end}_{name}": 5.0 for end in ("start", "end") for name in ("sog_kn", "cog_deg")},
        "start_draught_m": 8.0,
        "end_draught_m": 5.0,
        "start_destination": "INCHON",
        "end_destination": "FOR ORDERS",
        "changed": ["draught", "destination"],
        "next_mmsi": track["mmsi"],
        "next_segment_id": track["segment_id"],
        "transceiver": "A",
        "cruise_kn": 11.0,
        "fastest_kn": 12.5,
        "usual_interval_s": 360.0,
        "longest_usual_h": 1.5,
        "reports_per_heard_h": 8.0,
        "expected_messages": 400.0,
        "expected_messages_low": 330.0,
        "expected_messages_high": 440.0,
        "expected_heard_h": 50.0,
        "expected_heard_low_h": 41.0,
        "chance_unheard": 1e-9,
        "start_heard_share": 0.95,
        "end_heard_share": 0.95,
        "n_others": 25.0,
        "reception": "heard",
    }


def _loitering(track: dict[str, Any]) -> dict[str, Any]:
    row = _event("loitering", track, track["start"] + _HOUR, 14.0)
    return {
        **row,
        "distance_nmi": 5.0,
        "lat": track["start_lat"],
        "lon": track["start_lon"],
        "mean_speed_kn": _SLOW_KN,
        "spread_nmi": 2.0,
        "off_course_deg": 10.0,
        "shore_nmi": 60.0,
        "n_positions": 80,
        "longest_interval_h": 0.5,
        "nav_status": 0,
        "start_draught_m": 8.0,
        "end_draught_m": 6.0,
        "n_ships_near": 1,
        "n_ships_ever": 2,
    }


def _encounter(track: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    one, two = sorted((track, other), key=lambda row: int(row["mmsi"]))
    row = _event("encounter", one, max(one["start"], two["start"]) + _HOUR, 7.0)
    return {
        **row,
        **{f"other_{name}": two[name] for name in ("mmsi", "segment_id", "hull_id")},
        "lat": one["start_lat"],
        "lon": one["start_lon"],
        "heard_share": 1.0,
        "min_distance_m": 40.0,
        "median_distance_m": 60.0,
        "median_sog_kn": _SLOW_KN,
        "shore_nmi": 60.0,
        "apart_before": True,
        "apart_after": True,
        "under_way_together_h": 0.0,
        "n_meetings": 1,
        "n_partners": 1,
        "start_draught_m": 8.0,
        "end_draught_m": 6.0,
        "other_start_draught_m": 4.0,
        "other_end_draught_m": 6.5,
        "n_ships_near": 0,
        "n_ships_ever": 1,
    }


def _odd_positions(track: dict[str, Any]) -> dict[str, Any]:
    row = _event("replay", track, track["start"] + 30 * _HOUR, 20.0)
    return {
        **row,
        "n_positions": 200,
        "distance_nmi": 110.0,
        "implied_speed_kn": 6.0,
        "residual_m": 0.0,
        "usual_residual_m": 90.0,
        "replayed_from": track["start"],
        "replayed_mmsi": track["mmsi"],
        "came_back": False,
        "crosses_land": False,
        "n_others": 0,
    }
