"""Runs of invented ships for exports: tracks given report by report, silences, findings and what nights told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from detectors.run_folder import LoadedRun
from detectors.run_tables import TRACKS
from vessels.event_tables import GAPS

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after the day begins."""
    return DAY + timedelta(hours=hours)


def reports(
    voyage_id: str,
    *points: tuple[float, float, float],
    role: str = "own",
    mmsi: int = 445012340,
    segment_id: str = "segment-a",
) -> list[dict[str, Any]]:
    """Reports of one track: each (hours, longitude, latitude), at 10 knots."""
    same = {"voyage_id": voyage_id, "role": role, "mmsi": mmsi, "segment_id": segment_id, "sog": 10.0, "draught": 5.5}
    return [{**same, "timestamp": at(hours), "lon": lon, "lat": lat} for hours, lon, lat in points]


def gap(
    start: tuple[float, float, float],
    end: tuple[float, float, float] | None,
    mmsi: int = 445012340,
    segment_id: str = "segment-a",
    **said: Any,
) -> dict[str, Any]:
    """A silence from (hours, longitude, latitude) to another, or still going on."""
    row: dict[str, Any] = dict.fromkeys(GAPS.names)
    row |= {"event_id": f"gap-{segment_id}-{start[0]}", "kind": "gap", "mmsi": mmsi, "segment_id": segment_id}
    row |= {"start": at(start[0]), "start_lon": start[1], "start_lat": start[2], "reception": "heard"}
    if end is not None:
        row |= {
            "end": at(end[0]),
            "end_lon": end[1],
            "end_lat": end[2],
            "next_mmsi": mmsi,
            "next_segment_id": segment_id,
        }
    return row | said


def tracks_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The `tracks` table of reports in their order."""
    return TRACKS.build({name: [row[name] for row in rows] for name in TRACKS.names})


def gaps_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The `gaps` table."""
    return GAPS.build({name: [row[name] for row in rows] for name in GAPS.names})


def with_rows(run: LoadedRun, table: str, rows: Sequence[dict[str, Any]]) -> LoadedRun:
    """The run with other rows in one table."""
    made = pa.Table.from_pylist(list(rows), run.tables[table].schema)
    return replace(run, tables={**run.tables, table: made})


def with_tracks(run: LoadedRun, tracks: Sequence[dict[str, Any]], gaps: Sequence[dict[str, Any]] = ()) -> LoadedRun:
    """The run with other tracks and silences."""
    return replace(run, tables={**run.tables, "tracks": tracks_of(tracks), "gaps": gaps_of(gaps)})


def with_flagged(run: LoadedRun, **said: Any) -> LoadedRun:
    """The run whose one flagged voyage says something else."""
    (row,) = run.tables["flagged_voyages"].to_pylist()
    return with_rows(run, "flagged_voyages", [row | said])


def with_finding(run: LoadedRun, **said: Any) -> LoadedRun:
    """The run whose one finding says something else."""
    (row,) = run.tables["findings"].to_pylist()
    return with_rows(run, "findings", [row | said])
