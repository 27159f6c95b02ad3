"""The layers of an export: their columns, declared once, whatever the format.

Takes nothing; gives `Table` declarations, as `vessels.schema` does, without the geometry. What fills them is
`detectors.exports.layers`.
"""

from typing import Final

import pyarrow as pa

from vessels.schema import TIMESTAMP, Column, Table

_TEXT, _I64, _F64, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()

_OF_VOYAGE: Final = (
    Column("voyage_id", _TEXT, "flagged voyage"),
    Column("rank", _I64, "its rank: 1 is the first to look at"),
    Column("band", _TEXT, "its band: critical, high, medium or low"),
    Column("score", _F64, "its score, 0 to 1"),
    Column("status", _TEXT, "new; in a night also revised, withdrawn, unchanged"),
    Column("verdict", _TEXT, "an analyst's word on it; null if none"),
    Column("voyage_name", _TEXT, "name its ship claimed last on the voyage"),
)
_LABEL: Final = Column("label", _TEXT, "what a map writes beside it")
_PLACE: Final = (
    Column("lat", _F64, "latitude, WGS 84", "degree"),
    Column("lon", _F64, "longitude, WGS 84", "degree"),
)
_TRACK: Final = (
    Column("role", _TEXT, "own: the voyage's ship; met: another that a finding of it speaks of"),
    Column("mmsi", _I64, "MMSI it was sent under"),
    Column("flag_state", _TEXT, "state of that MMSI, ISO 3166"),
    Column("name", _TEXT, "name claimed last on that track"),
    Column("segment_id", _TEXT, "track"),
)

FLAGGED: Final = Table(
    "flagged_voyages",
    (
        Column("voyage_id", _TEXT, "voyage"),
        Column("rank", _I64, "1 is the first to look at"),
        Column("band", _TEXT, "critical, high, medium or low"),
        Column("score", _F64, "0 to 1: how likely a second look is deserved"),
        Column("status", _TEXT, "new; in a night also revised, withdrawn, unchanged"),
        Column("verdict", _TEXT, "an analyst's word; null if none"),
        Column("name", _TEXT, "name claimed last on the voyage"),
        Column("mmsi", _I64, "MMSI"),
        Column("imo", _I64, "IMO number claimed last on the voyage"),
        Column("call_sign", _TEXT, "call sign claimed last on the voyage"),
        Column("flag_state", _TEXT, "state of the MMSI, ISO 3166"),
        Column("ship_type", _I64, "ship-type code claimed"),
        Column("ship_type_name", _TEXT, "that code in words"),
        Column("start", TIMESTAMP, "start of the voyage"),
        Column("end", TIMESTAMP, "end of the voyage; null while open"),
        Column("is_open", _BOOL, "no arrival was seen"),
        Column("origin", _TEXT, "zone it left"),
        Column("destination", _TEXT, "zone it reached"),
        Column("headline", _TEXT, "the case in a sentence or two"),
        Column("kinds", _TEXT, "kinds of findings, heaviest first"),
        Column("detectors", _TEXT, "detectors that found something"),
        Column("n_findings", _I64, "findings"),
        Column("anomaly_score", _F64, "share of ordinary voyages less odd; null if not comparable"),
        Column("earlier_identities", _TEXT, "other identities its hull bore, or may have"),
        Column("changes", _TEXT, "in a night: what changed since it was told, or why it is listed as told"),
        Column("hull_id", _TEXT, "hull"),
        *_PLACE,
        _LABEL,
    ),
)
"""One point a flagged voyage: where its ship was heard last on the voyage."""

TRACK_LINES: Final = Table(
    "tracks",
    (
        *_OF_VOYAGE,
        *_TRACK,
        Column("made_of", _TEXT, "reports: heard all along; line as told: simplified, silences not told apart"),
        Column("start", TIMESTAMP, "first report of the part"),
        Column("end", TIMESTAMP, "last report of the part"),
        Column("duration_h", _F64, "time between them", "h"),
        Column("n_reports", _I64, "reports of `positions` in it; null for a line as told"),
        Column("max_sog_kn", _F64, "highest speed sent among them", "kn"),
        Column("origin", _TEXT, "zone that the voyage left"),
        Column("destination", _TEXT, "zone that the voyage reached"),
        Column("kinds", _TEXT, "kinds of findings of the voyage"),
        Column("headline", _TEXT, "the case of the voyage in a sentence or two"),
        _LABEL,
    ),
)
"""One line a part of a voyage's track in which its ship was heard; it ends where a silence begins."""

SILENCES: Final = Table(
    "silences",
    (
        *_OF_VOYAGE,
        *_TRACK,
        Column("kind", _TEXT, "silence: 4 h or more, as in `gaps`; pause: shorter, over 1.1 h"),
        Column("event_id", _TEXT, "row of `gaps`; null for a silence that is no row there, as those under 4 h"),
        Column("start", TIMESTAMP, "last report before"),
        Column("end", TIMESTAMP, "first report after; null while it goes on"),
        Column("is_open", _BOOL, "it goes on"),
        Column("duration_h", _F64, "time between the two, or so far", "h"),
        Column(
            "reception", _TEXT, "heard, outage, unheard_place, class_thinned or unknown; null without a row of `gaps`"
        ),
        Column("text", _TEXT, "what is known of it"),
        Column("next_mmsi", _I64, "MMSI under which the hull was heard again"),
        Column("start_lat", _F64, "where it began", "degree"),
        Column("start_lon", _F64, "where it began", "degree"),
        Column("end_lat", _F64, "where it ended; null while it goes on", "degree"),
        Column("end_lon", _F64, "where it ended; null while it goes on", "degree"),
        _LABEL,
    ),
)
"""One straight line a silence, from where the ship was heard last to where it was heard again: no way it sailed.

A silence that goes on, or ends where it began, has no line: its places are in the columns.
"""

POSITIONS: Final = Table(
    "positions",
    (
        Column("voyage_id", _TEXT, "flagged voyage that the report belongs to"),
        Column("rank", _I64, "its rank"),
        Column("band", _TEXT, "its band"),
        *_TRACK,
        Column("time", TIMESTAMP, "time of the report"),
        *_PLACE,
        Column("sog_kn", _F64, "speed over ground, as sent; null if none", "kn"),
        Column("draught_m", _F64, "draught claimed so far; null if none", "m"),
    ),
)
"""One point a report, about one in 20 minutes: real reports, none made up in between."""

FINDINGS: Final = Table(
    "findings",
    (
        *_OF_VOYAGE,
        Column("number", _I64, "its place in the case, the heaviest first, as in the report"),
        Column("finding_id", _TEXT, "finding"),
        Column("kind", _TEXT, "what kind of oddity"),
        Column("detector", _TEXT, "detector that says so"),
        Column("detector_version", _TEXT, "its version"),
        Column("mmsi", _I64, "vessel; of two identities the newer claim"),
        Column("other_mmsi", _TEXT, "the other identities it speaks of"),
        Column("start", TIMESTAMP, "from when"),
        Column("end", TIMESTAMP, "until when; null while it goes on"),
        *_PLACE,
        Column("weight_db", _F64, "weight of evidence", "decibans"),
        Column("strength", _F64, "0 to 1, higher is odder"),
        Column("headline", _TEXT, "one sentence"),
        Column("evidence", _TEXT, "lines of the case: what was observed, and what was expected"),
        Column("caveats", _TEXT, "what makes it less sure"),
        Column("sources", _TEXT, "files that hold the rows"),
        Column("hull_id", _TEXT, "hull"),
        _LABEL,
    ),
)
"""One point a finding of a flagged voyage; null where it has no place."""

FENCES: Final = Table(
    "fences",
    (
        Column("zone_id", _TEXT, "zone"),
        Column("name", _TEXT, "its name"),
        Column("kind", _TEXT, "port, anchorage, approach, sts_zone or gate"),
        Column("country", _TEXT, "its country, ISO 3166; null at sea"),
        Column("watch", _TEXT, "high, elevated or none"),
        Column("tags", _TEXT, "what it is known for"),
        _LABEL,
    ),
)
"""One polygon a zone: every fence in force in the run."""
