"""Flagged voyages: the few rows an analyst reads, one a voyage, with who the ship says it is and was.

Takes a history and what the detectors said; gives the `flagged_voyages` table, its track lines included. Who the ship
was before is found by `detectors.chains`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from detectors.batch.engine import Judged, instants
from detectors.borne import BorneIdentity, call_in_words, days_before, last_high_call
from detectors.chains import Chains, watched_levels
from detectors.finding import Finding
from detectors.triage import FLAG_SCORE, Verdict
from vessels.ais import flag_state
from vessels.geodesy import unwrap_longitudes
from vessels.history import History
from vessels.schema import TIMESTAMP, Column, Table
from vessels.zones import Zones

NO_ZONES: Final = Zones(())
JUST_LEFT: Final = timedelta(days=1)
SIMPLIFY_DEG: Final = 0.01
"""0.6 nmi: below what a track line on a sea chart shows."""
_TEXT: Final = pa.string()
WATCHED_CALL: Final = pa.struct(
    [("zone_id", _TEXT), ("zone_name", _TEXT), ("watch", _TEXT), ("start", TIMESTAMP), ("end", TIMESTAMP)]
)
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
        ("link_probability", pa.float64()),
        ("is_strong", pa.bool_()),
        ("n_rivals", pa.int64()),
        ("watched_calls", pa.list_(WATCHED_CALL)),
    ]
)
"""Another identity of the hull; see `detectors.borne.BorneIdentity`."""

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
        Column("verdict", _TEXT, "an analyst's word: confirmed, dismissed, watch, or confirmed hull; null if none"),
        Column("changes", pa.list_(_TEXT), "nightly job: what changed since it was told, or why it is listed as told"),
        Column("headline", _TEXT, "the case in a sentence or two"),
        Column("detectors", pa.list_(_TEXT), "detectors that found something"),
        Column("kinds", pa.list_(_TEXT), "kinds of findings, heaviest first"),
        Column("n_findings", pa.int64(), "findings"),
        Column("anomaly_score", pa.float64(), "share of ordinary voyages less odd; null if not comparable"),
        Column(
            "earlier_identities",
            pa.list_(EARLIER_IDENTITY),
            "identities its hull bore before the voyage was over, or may have, and others under its numbers",
        ),
        Column("geometry", pa.binary(), "track line, simplified; WKB, WGS 84"),
    ),
)


def flagged_voyages(
    history: History,
    judged: Judged,
    budget: int | None = None,
    zones: Zones = NO_ZONES,
    min_score: float = FLAG_SCORE,
) -> pa.Table:
    """The `flagged_voyages` table, by rank: highest score first, no more than `budget` if one is given.

    `zones` say which of the hull's earlier calls were at zones under watch; voyages under `min_score` are left out.
    """
    flagged = {v: verdict for v, verdict in judged.verdicts.items() if verdict.score >= min_score}
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
    chains = Chains(history.identities, history.port_visits, history.hull_links, watched_levels(zones))
    tracks = _Tracks(history)
    out = []
    for rank, voyage in enumerate(voyages, 1):
        verdict, own = flagged[voyage["voyage_id"]], findings[voyage["voyage_id"]]
        own = heaviest_first(own)
        now = chains.in_force(voyage)
        earlier = chains.earlier(voyage, now)
        out.append(
            {
                **{name: voyage[name] for name in _COPIED},
                **{name: now.get(name) for name in ("imo", "name", "call_sign", "ship_type")},
                "flag_state": flag_state(voyage["mmsi"]),
                "score": verdict.score,
                "band": verdict.band,
                "rank": rank,
                "status": "new",
                "verdict": None,
                "changes": [],
                "headline": headline(own, earlier, voyage),
                "detectors": sorted({f.detector for f in own}),
                "kinds": list(dict.fromkeys(f.kind for f in own)),
                "n_findings": len(own),
                "earlier_identities": [_identity(one) for one in earlier],
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


def heaviest_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one voyage in the order in which its row names them."""
    return sorted(findings, key=lambda f: (-f.weight_db, f.start, f.kind, f.finding_id))


def headline(findings: Sequence[Finding], earlier: Sequence[BorneIdentity], voyage: Mapping[str, Any]) -> str:
    """The heaviest finding's sentence, a watched call under an earlier identity, and which others stand beside it.

    `findings` come heaviest first; of the voyage `start` and `origin` count.
    """
    earlier_call = _earlier_call(earlier, voyage)
    first, others = findings[0].headline, list(dict.fromkeys(f.kind for f in findings))[1:]
    sentences = [first if first.endswith(".") else first + "."]
    if earlier_call is not None and f"called at {earlier_call[0]}" not in first:
        sentences.append(f"{earlier_call[1][:1].upper()}{earlier_call[1][1:]}.")
    if others:
        sentences.append(f"Also: {', '.join(kind.replace('_', ' ') for kind in others)}.")
    return " ".join(sentences)


def _earlier_call(earlier: Sequence[BorneIdentity], voyage: Mapping[str, Any]) -> tuple[str, str] | None:
    """The last high-watch call that the hull made, or may have made, under an earlier identity: zone and words."""
    linked = [one for one in earlier if one.link_probability is not None]
    found = last_high_call(linked, voyage["start"])
    if found is None:
        return None
    identity, call = found
    begins = call.zone_id == voyage["origin"] and call.end is not None and call.end >= voyage["start"] - JUST_LEFT
    when = ", where the voyage begins" if begins else days_before(call, voyage["start"])
    return call.zone_name, call_in_words(identity, call, when)


def _identity(one: BorneIdentity) -> dict[str, Any]:
    """One of `earlier_identities` as the table holds it."""
    values = {name: getattr(one, name) for name in _IDENTITY_FIELDS}
    return {**values, "watched_calls": [asdict(call) for call in one.watched_calls]}


_IDENTITY_FIELDS: Final = tuple(
    EARLIER_IDENTITY.field(i).name
    for i in range(EARLIER_IDENTITY.num_fields)
    if EARLIER_IDENTITY.field(i).name != "watched_calls"
)


class _Tracks:
    """Sketched tracks looked up by voyage, all its parts."""

    def __init__(self, history: History) -> None:
        self._mmsi = history.sketches["mmsi"].to_numpy()
        self._table = history.sketches
        self._time = instants(history.sketches["timestamp"])
        self._parts: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for part in history.voyage_parts.select(["voyage_id", "mmsi", "segment_id"]).to_pylist():
            self._parts[part["voyage_id"]].append((part["mmsi"], part["segment_id"]))

    def line(self, voyage: Mapping[str, Any]) -> BaseGeometry:
        """The voyage's track, from its start to its last report: a line, in parts at ±180°, or a point."""
        begin, end = instants(pa.chunked_array([[voyage["start"], voyage["last_seen"]]], TIMESTAMP)).tolist()
        tracks = self._parts.get(voyage["voyage_id"]) or [(voyage["mmsi"], voyage["segment_id"])]
        rows = np.concatenate([self._rows(mmsi, segment_id, begin, end) for mmsi, segment_id in tracks])
        rows = rows[np.argsort(self._time[rows], kind="stable")]
        points = self._table.select(["lat", "lon"]).take(pa.array(rows))
        lat = np.concatenate([[voyage["start_lat"]], points["lat"].to_numpy(), [voyage["end_lat"]]])
        lon = np.concatenate([[voyage["start_lon"]], points["lon"].to_numpy(), [voyage["end_lon"]]])
        return track_line(lat, lon)

    def _rows(self, mmsi: int, segment_id: str, begin_us: int, end_us: int) -> npt.NDArray[np.int64]:
        """Rows of a track between two times, both left out."""
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
        part = self._table["segment_id"].slice(low, high - low)
        own = np.array([name == segment_id for name in part.to_pylist()], dtype=np.bool_)
        own &= (self._time[low:high] > begin_us) & (self._time[low:high] < end_us)
        rows: npt.NDArray[np.int64] = low + np.flatnonzero(own)
        return rows


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
