"""Flagged voyages: the few rows an analyst reads, one a voyage, with who the ship says it is and was.

Takes a history and what the detectors said; gives the `flagged_voyages` table, its track lines included.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from detectors.batch.engine import Judged, instants
from detectors.finding import Finding
from detectors.triage import Verdict
from vessels.ais import flag_state
from vessels.geodesy import unwrap_longitudes
from vessels.history import History
from vessels.schema import TIMESTAMP, Column, Table

SIMPLIFY_DEG: Final = 0.01
"""0.6 nmi: below what a track line on a sea chart shows."""
_TEXT: Final = pa.string()
EARLIER_IDENTITY: Final = pa.struct(
    [
        ("mmsi", pa.int64()),
        ("imo", pa.int64()),
        ("name", _TEXT),
        ("call_sign", _TEXT),
        ("flag_state", _TEXT),
        ("first_seen", TIMESTAMP),
        ("last_seen", TIMESTAMP),
        ("same", _TEXT),
    ]
)
"""Another identity of the vessel: what it was, from when to when, and what it shares: the MMSI or the IMO number."""

FLAGGED_VOYAGES: Final = Table(
    "flagged_voyages",
    (
        Column("voyage_id", _TEXT, "voyage"),
        Column("hull_id", _TEXT, "hull"),
        Column("mmsi", pa.int64(), "MMSI"),
        Column("imo", pa.int64(), "IMO number claimed last on the voyage"),
        Column("name", _TEXT, "name claimed last on the voyage"),
        Column("call_sign", _TEXT, "call sign claimed last on the voyage"),
        Column("flag_state", _TEXT, "state of the MMSI, ISO 3166"),
        Column("ship_type", pa.int16(), "ship-type code claimed"),
        Column("start", TIMESTAMP, "start of the voyage"),
        Column("end", TIMESTAMP, "end of the voyage; null while open"),
        Column("is_open", pa.bool_(), "no arrival was seen"),
        Column("origin", _TEXT, "zone it left"),
        Column("destination", _TEXT, "zone it reached"),
        Column("score", pa.float64(), "0 to 1: how likely a second look is deserved"),
        Column("band", _TEXT, "critical, high, medium or low"),
        Column("rank", pa.int64(), "1 is the first to look at"),
        Column("status", _TEXT, "new; the nightly job also knows revised, withdrawn, unchanged"),
        Column("headline", _TEXT, "the case in a sentence or two"),
        Column("detectors", pa.list_(_TEXT), "detectors that found something"),
        Column("kinds", pa.list_(_TEXT), "kinds of findings, heaviest first"),
        Column("n_findings", pa.int64(), "findings"),
        Column("anomaly_score", pa.float64(), "share of ordinary voyages less odd; null if not comparable"),
        Column("earlier_identities", pa.list_(EARLIER_IDENTITY), "other identities under the same MMSI or IMO number"),
        Column("geometry", pa.binary(), "track line, simplified; WKB, WGS 84"),
    ),
)


def flagged_voyages(history: History, judged: Judged, budget: int | None = None) -> pa.Table:
    """The `flagged_voyages` table, by rank: highest score first, no more than `budget` if one is given."""
    flagged = {v: verdict for v, verdict in judged.verdicts.items() if verdict.is_flagged}
    ids = history.voyages["voyage_id"].to_pylist()
    rows = [i for i, voyage in enumerate(ids) if voyage in flagged]
    voyages = history.voyages.take(pa.array(rows, pa.int64())).to_pylist()
    for row, voyage in zip(rows, voyages, strict=True):
        voyage["anomaly_score"] = judged.anomaly_score[row]
    voyages.sort(key=lambda v: _order(v, flagged[v["voyage_id"]]))
    voyages = voyages[:budget]
    findings: dict[str, list[Finding]] = defaultdict(list)
    for finding in judged.findings:
        if finding.voyage_id in flagged:
            findings[finding.voyage_id].append(finding)
    claims = _Claims(history)
    tracks = _Tracks(history)
    out = []
    for rank, voyage in enumerate(voyages, 1):
        verdict, own = flagged[voyage["voyage_id"]], findings[voyage["voyage_id"]]
        own.sort(key=lambda f: (-f.weight_db, f.start, f.kind, f.finding_id))
        now = claims.in_force(voyage)
        out.append(
            {
                **{name: voyage[name] for name in _COPIED},
                **{name: now.get(name) for name in ("imo", "name", "call_sign", "ship_type")},
                "flag_state": flag_state(voyage["mmsi"]),
                "score": verdict.score,
                "band": verdict.band,
                "rank": rank,
                "status": "new",
                "headline": _headline(own),
                "detectors": sorted({f.detector for f in own}),
                "kinds": list(dict.fromkeys(f.kind for f in own)),
                "n_findings": len(own),
                "earlier_identities": claims.earlier(voyage, now),
                "geometry": shapely.to_wkb(tracks.line(voyage)),
            }
        )
    return FLAGGED_VOYAGES.build({name: [row[name] for row in out] for name in FLAGGED_VOYAGES.names})


_COPIED: Final = (
    "voyage_id",
    "hull_id",
    "mmsi",
    "start",
    "end",
    "is_open",
    "origin",
    "destination",
    "anomaly_score",
)


def _order(voyage: Mapping[str, Any], verdict: Verdict) -> tuple[float, float, Any, str]:
    return (-verdict.score, -verdict.evidence_db, voyage["start"], voyage["voyage_id"])


def _headline(findings: Sequence[Finding]) -> str:
    """The heaviest finding's sentence, and how many others stand beside it."""
    first, others = findings[0].headline, list(dict.fromkeys(f.kind for f in findings))[1:]
    more = f" Also: {', '.join(kind.replace('_', ' ') for kind in others)}." if others else ""
    return (first if first.endswith(".") else first + ".") + more


class _Claims:
    """Identity spells looked up by MMSI and by IMO number."""

    def __init__(self, history: History) -> None:
        self._table = history.identities
        self._mmsi = history.identities["mmsi"].to_numpy()
        imo = history.identities["imo"].fill_null(0).to_numpy()
        self._by_imo = np.argsort(imo, kind="stable")
        self._imo = imo[self._by_imo]

    def _of_mmsi(self, mmsi: int) -> list[dict[str, Any]]:
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
        rows: list[dict[str, Any]] = self._table.slice(low, high - low).to_pylist()
        return rows

    def _of_imo(self, imo: int | None) -> list[dict[str, Any]]:
        if not imo:
            return []
        low, high = np.searchsorted(self._imo, [imo, imo + 1]).tolist()
        rows: list[dict[str, Any]] = self._table.take(pa.array(self._by_imo[low:high])).to_pylist()
        return rows

    def in_force(self, voyage: Mapping[str, Any]) -> dict[str, Any]:
        """The last spell of the voyage's track that began before the voyage's time was over; {} if none was sent."""
        own = [s for s in self._of_mmsi(voyage["mmsi"]) if s["segment_id"] in (voyage["segment_id"], None)]
        begun = [s for s in own if s["first_seen"] <= voyage["span_end"]] or own[:1]
        return max(begun, key=lambda s: (s["first_seen"], s["last_seen"]), default={})

    def earlier(self, voyage: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Other identities under this MMSI or IMO number, in order of time; equal spells as one."""
        who = ("mmsi", "imo", "name", "call_sign")
        current = tuple(now.get(field) for field in who)
        merged: dict[tuple[Any, ...], dict[str, Any]] = {}
        for same, spells in (("IMO", self._of_imo(now.get("imo"))), ("MMSI", self._of_mmsi(voyage["mmsi"]))):
            for spell in spells:
                key = tuple(spell[field] for field in who)
                if key == current or not any(key[1:]):
                    continue
                entry = merged.setdefault(key, {**{f: spell[f] for f in who}, "same": same})
                entry["flag_state"] = flag_state(spell["mmsi"])
                entry["first_seen"] = min(spell["first_seen"], entry.get("first_seen", spell["first_seen"]))
                entry["last_seen"] = max(spell["last_seen"], entry.get("last_seen", spell["last_seen"]))
        return [merged[key] for key in sorted(merged, key=lambda k: (merged[k]["first_seen"], k[0], str(k[1:])))]


class _Tracks:
    """Sketched tracks looked up by MMSI."""

    def __init__(self, history: History) -> None:
        self._mmsi = history.sketches["mmsi"].to_numpy()
        self._table = history.sketches
        self._time = instants(history.sketches["timestamp"])

    def line(self, voyage: Mapping[str, Any]) -> BaseGeometry:
        """The voyage's track, from its start to its last report: a line, in parts at ±180°, or a point."""
        low, high = np.searchsorted(self._mmsi, [voyage["mmsi"], voyage["mmsi"] + 1]).tolist()
        part = self._table.slice(low, high - low)
        own = np.array([s == voyage["segment_id"] for s in part["segment_id"].to_pylist()], dtype=np.bool_)
        begin, end = instants(pa.chunked_array([[voyage["start"], voyage["last_seen"]]], TIMESTAMP))
        own &= (self._time[low:high] > begin) & (self._time[low:high] < end)
        lat = np.concatenate([[voyage["start_lat"]], part["lat"].to_numpy()[own], [voyage["end_lat"]]])
        lon = np.concatenate([[voyage["start_lon"]], part["lon"].to_numpy()[own], [voyage["end_lon"]]])
        return track_line(lat, lon)


def track_line(lat: np.ndarray[Any, Any], lon: np.ndarray[Any, Any]) -> BaseGeometry:
    """A simplified line through positions (degrees); cut in parts at ±180°, a point where they are all one."""
    lon = unwrap_longitudes(lon)
    line = shapely.simplify(shapely.linestrings(np.column_stack([lon, lat])), SIMPLIFY_DEG)
    if line.length == 0.0:
        return shapely.points((lon[0] + 180.0) % 360.0 - 180.0, lat[0])
    west, _, east, _ = line.bounds
    if west >= -180.0 and east <= 180.0:
        return line
    parts = []
    for turn in range(int((west + 180.0) // 360.0), int((east + 180.0) // 360.0) + 1):
        window = shapely.box(360.0 * turn - 180.0, -91.0, 360.0 * turn + 180.0, 91.0)
        cut = shapely.intersection(line, window)
        parts += [
            shapely.transform(p, lambda xy, turn=turn: xy - [360.0 * turn, 0.0])
            for p in shapely.get_parts(cut)
            if p.length > 0.0
        ]
    return shapely.multilinestrings(parts) if len(parts) > 1 else parts[0]
