"""A finished run of invented ships, built by hand, for testing what is done with results."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely

from detectors.batch.drawing import tracks_table, zones_table
from detectors.batch.engine import with_anomaly
from detectors.batch.flagged import FLAGGED_VOYAGES
from detectors.batch.result import Result, RunRecord
from detectors.finding import Evidence, Finding, findings_table
from detectors.run_folder import EVENTS
from detectors.scenes import small_scene
from vessels import schema

RELAY_MMSI = 445012340


def make_run(
    name: str = "PAEKSONG 2",
    set_aside: tuple[Mapping[str, str], ...] = (),
    flagged: bool = True,
    notes: tuple[str, ...] = (),
) -> Result:
    """A run in which one voyage of the small scene is flagged; `name` is what that ship calls itself."""
    scene = small_scene()
    history = scene.history
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
    earlier = {
        "mmsi": 457300610,
        "imo": 2318669,
        "name": name,
        "call_sign": "JVQZ5",
        "flag_state": "MN",
        "same": "IMO",
        "first_seen": voyage["start"],
        "last_seen": voyage["end"],
    }
    line = shapely.to_wkb(shapely.LineString([(132.9, 42.8), (129.4, 36.0)]))
    row = {
        **{key: voyage[key] for key in ("voyage_id", "hull_id", "mmsi", "start", "end", "is_open", "origin")},
        "destination": voyage["destination"],
        "imo": 2318669,
        "name": name,
        "call_sign": "HMZQ",
        "flag_state": "KP",
        "ship_type": 70,
        "score": 0.934,
        "band": "critical",
        "rank": 1,
        "status": "new",
        "verdict": None,
        "changes": [],
        "n_findings": 1,
        "headline": finding.headline,
        "detectors": ["geofence"],
        "kinds": ["relay_voyage"],
        "anomaly_score": None,
        "earlier_identities": [earlier],
        "geometry": line,
    }
    n = int(flagged)
    told = FLAGGED_VOYAGES.build({name: [row[name]][:n] for name in FLAGGED_VOYAGES.names})
    tables = {
        "flagged_voyages": told,
        "findings": findings_table([finding][:n]),
        "voyages": with_anomaly(history.voyages, np.full(history.voyages.num_rows, np.nan)),
        "port_visits": history.port_visits,
        "identities": history.identities,
        "hull_links": history.hull_links,
        **{name: getattr(history, name) for name in EVENTS},
        "tracks": tracks_table(history, told, [finding][:n]),
        "zones": zones_table(scene.zones),
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
    run = RunRecord(
        wakewatch="0.1.0",
        versions={"python": "3.11"},
        as_of=history.as_of,
        inputs=[{**source, "n_rejected": 3, "dialect": "wakewatch", "format": "csv"}],
        set_aside=set_aside,
        rejects={"position_out_of_range": 3},
        nulled={},
        settings={},
        detectors=[{"name": "geofence", "version": "1", "parameters": {"window": timedelta(days=30)}}],
        notes=notes,
        stages={"read": 0.1},
        n_rows=1185,
        n_vessels=history.vessels.num_rows,
        n_voyages=history.voyages.num_rows,
        n_findings=n,
        n_flagged=n,
    )
    return Result(tables, run, history)


@pytest.fixture
def finished() -> Result:
    """A run with one flagged voyage."""
    return make_run()


@pytest.fixture
def relay_voyage_id(finished: Result) -> str:
    """The voyage it flags."""
    voyage_id: str = finished.tables["flagged_voyages"]["voyage_id"][0].as_py()
    return voyage_id


@pytest.fixture(name="make_run")
def make_run_() -> Any:
    """`make_run` itself, for runs that differ."""
    return make_run
