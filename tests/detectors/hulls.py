"""Small histories of hulls that bore several identities: tracks, links and voyages built by hand."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from detectors.batch.engine import run_detectors, with_anomaly
from detectors.batch.flagged import flagged_voyages
from detectors.chains import watched_levels
from detectors.contract import Detector, Scene
from detectors.finding import findings_table
from detectors.run_folder import LoadedRun
from tests.detectors.histories import at, scene, spell, stay, voyage, zone
from vessels.schema import REJECTS

SURI = {"name": "SU RI 7", "imo": 2318669, "call_sign": "HMZQ", "ship_type": 70, "length_m": 110.0, "beam_m": 17.0}
MIRAE = {"name": "MIRAE 3", "imo": 2045171, "call_sign": "UBAB7", "ship_type": 70, "length_m": 110.0, "beam_m": 17.0}
HERON = {"name": "PALE HERON", "imo": 2000004, "call_sign": "3EAB7", "ship_type": 70, "length_m": 110.0, "beam_m": 17.0}
SURI_MMSI, MIRAE_MMSI, HERON_MMSI, OTHER_MMSI = 445_000_123, 273_000_222, 352_001_870, 412_000_333
_AFLOAT = {"start_lat": 38.9, "start_lon": 121.9, "end_lat": 39.0, "end_lon": 122.0}
_CLAIMED = ("imo", "name", "call_sign", "ship_type", "length_m", "beam_m", "transceiver")

REASONS = [
    {
        "what": "place and time",
        "observed": "0.4 nmi apart, 30 h of silence; stopped before, stopped after",
        "weight_db": 24.1,
    },
    {"what": "dimensions", "observed": "110 m by 17 m, then 110 m by 17 m", "weight_db": 13.2},
    {"what": "IMO number and MMSI", "observed": "IMO number 2318669, then 2045171", "weight_db": -6.0},
]
RIVALS = [
    {"side": "to", "segment_id": "segment-r1", "mmsi": OTHER_MMSI, "probability": 0.08},
    {"side": "from", "segment_id": "segment-r2", "mmsi": HERON_MMSI, "probability": 0.04},
]
ZONES = (
    zone("KP_NAMPO", "high", name="Nampo"),
    zone("CN_DALIAN", "elevated", name="Dalian"),
    zone("KR_BUSAN", name="Busan"),
)


def track(mmsi: int, start: datetime, end: datetime, **said: Any) -> dict[str, Any]:
    """A row of `segments`."""
    row = {"segment_id": f"segment-{mmsi}", "hull_id": f"hull-{mmsi}", "mmsi": mmsi, "start": start, "end": end}
    return {**row, "n_positions": 500, **said}


def link(before: dict[str, Any], after: dict[str, Any], **said: Any) -> dict[str, Any]:
    """A row of `hull_links` from the last spell of one track to the first of another; strong unless said otherwise."""
    ended, began = said.pop("ended", before["last_seen"]), said.pop("began", after["first_seen"])
    sides = {f"from_{name}": before.get(name) for name in _CLAIMED} | {
        f"to_{name}": after.get(name) for name in _CLAIMED
    }
    probability = said.pop("probability", 0.86)
    row = {
        **sides,
        "link_id": f"link-{before['segment_id']}-{after['segment_id']}-{ended:%d%H}",
        "from_segment_id": before["segment_id"],
        "to_segment_id": after["segment_id"],
        "from_mmsi": before["mmsi"],
        "to_mmsi": after["mmsi"],
        "ended": ended,
        "began": began,
        "from_lat": before["last_lat"],
        "from_lon": before["last_lon"],
        "to_lat": after["first_lat"],
        "to_lon": after["first_lon"],
        "from_silence": False,
        "to_silence": False,
        "gap_h": (began - ended).total_seconds() / 3600.0,
        "distance_nmi": 0.4,
        "probability": probability,
        "weight_db": 31.3,
        "is_strong": probability >= 0.8,
        "n_rivals": 0,
        "rivals": [],
        "evidence": REASONS,
    }
    return {**row, **said}


def story(
    spells: Sequence[dict[str, Any]],
    links: Sequence[dict[str, Any]],
    hulls: dict[int, str] | None = None,
    **tables: Any,
) -> Scene:
    """A scene of one track an MMSI, joined to the hulls that are named; each has a voyage in the middle of its time.

    `hulls` says which hull an MMSI belongs to; others are their own.
    """
    hulls = hulls or {}
    rows = {name: list(tables.pop(name, ())) for name in ("voyages", "port_visits", "segments")}
    if not rows["voyages"]:
        rows["voyages"] = [
            voyage(s["mmsi"], s["first_seen"], s["last_seen"], span_start=s["first_seen"]) for s in spells
        ]
    if not rows["segments"]:
        rows["segments"] = [track(s["mmsi"], s["first_seen"], s["last_seen"]) for s in spells]
    rows["voyages"] = [{**_AFLOAT, **row} for row in rows["voyages"]]
    joined = {
        name: [{**row, "hull_id": hulls.get(row["mmsi"], row["hull_id"])} for row in table]
        for name, table in {**rows, "identities": list(spells)}.items()
    }
    return scene(zones=ZONES, hull_links=list(links), **joined, **tables)


def handover(probability: float = 0.86, **said: Any) -> Scene:
    """SU RI 7 called at Nampo, fell silent off Dalian; MIRAE 3 woke there a day later with another IMO number."""
    suri = spell(SURI_MMSI, at(0), at(36), place=(38.9, 121.9), **SURI)
    mirae = spell(MIRAE_MMSI, at(37), at(50), place=(38.9, 121.9), **{**MIRAE, **said})
    one = link(suri, mirae, probability=probability, n_rivals=2, rivals=RIVALS)
    return story(
        [suri, mirae],
        [one],
        dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined") if probability >= 0.8 else None,
        port_visits=[stay(SURI_MMSI, "KP_NAMPO", at(3), at(6), zone_name="Nampo", country="KP")],
        voyages=[
            voyage(SURI_MMSI, at(6), at(36), span_start=at(3)),
            voyage(MIRAE_MMSI, at(37), at(41), span_start=at(37)),
            voyage(MIRAE_MMSI, at(42), at(50), span_start=at(42)),
        ],
    )


def run_of(past: Scene, *detectors: Detector) -> LoadedRun:
    """A scene as a run read back from its folder would be, judged by these detectors."""
    judged, history = run_detectors(past, detectors), past.history
    tables = {
        "flagged_voyages": flagged_voyages(history, judged, None, past.zones),
        "findings": findings_table(judged.findings),
        "voyages": with_anomaly(history.voyages, judged.anomaly_score),
        "port_visits": history.port_visits,
        "identities": history.identities,
        "hull_links": history.hull_links,
        "rejects": REJECTS.empty(),
    }
    record = {"as_of": past.as_of.isoformat(), "inputs": [], "watch": watched_levels(past.zones)}
    return LoadedRun(Path("out"), tables, record)
