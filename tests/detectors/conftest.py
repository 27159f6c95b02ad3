"""A finished run of invented ships, built by hand, for testing what is done with results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import shapely

from detectors.finding import Evidence, Finding, findings_table
from detectors.scenes import small_scene
from vessels import schema
from vessels.history import History

RELAY_MMSI = 445012340

FLAGGED = pa.schema(
    [
        ("voyage_id", pa.string()),
        ("hull_id", pa.string()),
        ("mmsi", pa.int64()),
        ("imo", pa.int64()),
        ("name", pa.string()),
        ("call_sign", pa.string()),
        ("flag_state", pa.string()),
        ("ship_type", pa.string()),
        ("start", schema.TIMESTAMP),
        ("end", schema.TIMESTAMP),
        ("is_open", pa.bool_()),
        ("origin", pa.string()),
        ("destination", pa.string()),
        ("score", pa.float64()),
        ("band", pa.string()),
        ("rank", pa.int64()),
        ("status", pa.string()),
        ("headline", pa.string()),
        ("detectors", pa.list_(pa.string())),
        ("kinds", pa.list_(pa.string())),
        ("n_findings", pa.int64()),
        ("anomaly_score", pa.float64()),
        ("earlier_identities", pa.list_(pa.string())),
        ("geometry", pa.binary()),
    ]
)
"""The columns that DESIGN's section on outputs names."""


@dataclass(frozen=True)
class FinishedRun:
    """What a scan hands to whoever writes, shows or explains it."""

    tables: Mapping[str, pa.Table]
    run: Mapping[str, Any]
    history: History


def make_run(
    name: str = "PAEKSONG 2", set_aside: tuple[Mapping[str, str], ...] = (), flagged: bool = True
) -> FinishedRun:
    """A run in which one voyage of the small scene is flagged; `name` is what that ship calls itself."""
    history = small_scene().history
    voyages = history.voyages.to_pylist()
    voyage = next(v for v in voyages if v["mmsi"] == RELAY_MMSI and v["destination"] == "KR_POHANG")
    finding = Finding(
        detector="geofence",
        detector_version="1",
        kind="relay_voyage",
        mmsi=RELAY_MMSI,
        start=voyage["start"],
        end=voyage["end"],
        strength=0.8,
        headline=f"{name} (445012340) called at Nampo, then Nakhodka, then Pohang",
        evidence=(
            Evidence("days from Nampo to Nakhodka", "7.0", "over 30", "d"),
            Evidence("draught leaving Nampo", "8.0", "", "m"),
        ),
        caveats=("two reports an hour: short calls may be missing",),
        other_mmsi=(457300610,),
        lat=42.8,
        lon=132.9,
        voyage_id=voyage["voyage_id"],
        hull_id=voyage["hull_id"],
        weight_db=21.5,
        source_ids=("source-0",),
    )
    line = shapely.to_wkb(shapely.LineString([(132.9, 42.8), (129.4, 36.0)]))
    row = {
        **{key: voyage[key] for key in ("voyage_id", "hull_id", "mmsi", "start", "end", "is_open", "origin")},
        "destination": voyage["destination"],
        "imo": 2318669,
        "name": name,
        "call_sign": "HMZQ",
        "flag_state": "KP",
        "ship_type": "cargo",
        "score": 0.934,
        "band": "critical",
        "rank": 1,
        "status": "new",
        "n_findings": 1,
        "headline": finding.headline,
        "detectors": ["geofence"],
        "kinds": ["relay_voyage"],
        "anomaly_score": None,
        "earlier_identities": [f"{name}, IMO 2318669"],
        "geometry": line,
    }
    n = int(flagged)
    tables = {
        "flagged_voyages": pa.Table.from_pylist([row][:n], schema=FLAGGED),
        "findings": findings_table([finding][:n]),
        "voyages": history.voyages.append_column("anomaly_score", pa.nulls(history.voyages.num_rows, pa.float64())),
        "port_visits": history.port_visits,
        "identities": history.identities,
        "rejects": schema.REJECTS.build(
            {
                "source_id": ["source-0"],
                "reason": ["position_out_of_range"],
                "n_rows": [3],
                "first_row": [17],
                "example": ["lat=91.5"],
            }
        ),
    }
    source = {
        "source_id": "source-0",
        "names": ["ais-2024-04.csv"],
        "sha256": "0" * 64,
        "n_bytes": 1234,
        "n_rows": 1185,
    }
    run = {
        "wakewatch": "0.1.0",
        "as_of": datetime(2024, 6, 30, tzinfo=UTC),
        "inputs": [{**source, "dialect": "canonical", "format": "csv"}],
        "set_aside": list(set_aside),
        "duplicates": [],
        "rejects": {"position_out_of_range": 3},
        "settings": {},
        "detectors": [{"name": "geofence", "version": "1", "parameters": {"window": timedelta(days=30)}}],
        "stages": {"read": 0.1},
        "n_vessels": history.vessels.num_rows,
        "n_voyages": history.voyages.num_rows,
        "n_findings": n,
        "n_flagged": n,
    }
    return FinishedRun(tables, run, history)


@pytest.fixture
def finished() -> FinishedRun:
    """A run with one flagged voyage."""
    return make_run()


@pytest.fixture
def relay_voyage_id(finished: FinishedRun) -> str:
    """The voyage it flags."""
    voyage_id: str = finished.tables["flagged_voyages"]["voyage_id"][0].as_py()
    return voyage_id


@pytest.fixture(name="make_run")
def make_run_() -> Any:
    """`make_run` itself, for runs that differ."""
    return make_run
