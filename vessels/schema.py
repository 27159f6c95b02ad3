"""Every table's columns, types and units, declared once; what is computed follows from these lines.

Takes nothing; gives `Table` declarations and the one way to build an Arrow table that obeys one. Tables of
judgements (findings, flagged voyages) are declared beside the judgements, with the same `Table`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from vessels.errors import UsageError

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
"""Every instant: microseconds, UTC."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, Arrow type, unit and meaning."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table; `build` makes Arrow tables that have exactly these columns and types."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, unit and meaning as field metadata."""
        return pa.schema(
            [
                pa.field(c.name, c.type, metadata={"meaning": c.meaning, **({"unit": c.unit} if c.unit else {})})
                for c in self.columns
            ]
        )

    def build(self, values: Mapping[str, Any]) -> pa.Table:
        """An Arrow table of this shape from arrays or lists by column name; NaN in floats becomes null.

        Raises UsageError when a column is missing or unknown.
        """
        if set(values) != set(self.names):
            missing, unknown = set(self.names) - set(values), set(values) - set(self.names)
            raise UsageError(f"table {self.name}: missing columns {sorted(missing)}, unknown {sorted(unknown)}")
        arrays = []
        for column in self.columns:
            value = values[column.name]
            if isinstance(value, pa.ChunkedArray):
                value = value.combine_chunks()
            if not isinstance(value, pa.Array):
                value = pa.array(value, type=column.type, from_pandas=True)
            arrays.append(value.cast(column.type) if value.type != column.type else value)
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def empty(self) -> pa.Table:
        """The table with no rows."""
        return self.arrow.empty_table()

    def concat(self, parts: Iterable[pa.Table]) -> pa.Table:
        """Several tables of this shape one after the other, as one chunk."""
        tables = list(parts)
        return pa.concat_tables(tables).combine_chunks() if tables else self.empty()


def make_id(kind: str, *parts: object) -> str:
    """A stable id: a hash of the kind and of what identifies the thing (vessel, start), never of parameters.

    >>> make_id("voyage", 273000001, 0) == make_id("voyage", 273000001, 0)
    True
    """
    text = "\x1f".join([kind, *(str(part) for part in parts)])
    return f"{kind}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


_F64, _I64, _TEXT, _BOOL = pa.float64(), pa.int64(), pa.string(), pa.bool_()

POSITIONS: Final = Table(
    "positions",
    (
        Column("mmsi", _I64, "MMSI the report was sent under; a claim"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", _F64, "latitude, WGS 84", "degree"),
        Column("lon", _F64, "longitude, WGS 84", "degree"),
        Column("sog", pa.float32(), "speed over ground", "kn"),
        Column("cog", pa.float32(), "course over ground", "degree"),
        Column("heading", pa.float32(), "true heading", "degree"),
        Column("nav_status", pa.int8(), "navigational status code, ITU-R M.1371"),
        Column("draught", pa.float32(), "static draught, as set by the crew", "m"),
        Column("source_id", _TEXT, "file that holds the row; see run.json"),
    ),
)

IDENTITIES: Final = Table(
    "identities",
    (
        Column("mmsi", _I64, "MMSI the identity was sent under"),
        Column("segment_id", _TEXT, "track the claims came with; null if they cannot be told apart"),
        Column("hull_id", _TEXT, "hull the track belongs to"),
        Column("imo", _I64, "seven-digit IMO number claimed; null if none or a placeholder"),
        Column("imo_raw", _TEXT, "IMO field as received"),
        Column("name", _TEXT, "ship's name, cleaned"),
        Column("name_raw", _TEXT, "name as received"),
        Column("call_sign", _TEXT, "call sign, cleaned"),
        Column("call_sign_raw", _TEXT, "call sign as received"),
        Column("ship_type", pa.int16(), "ship-type code, ITU-R M.1371 table 53"),
        Column("length_m", _F64, "length", "m"),
        Column("beam_m", _F64, "beam", "m"),
        Column("destination", _TEXT, "destination, cleaned"),
        Column("destination_raw", _TEXT, "destination as received"),
        Column("transceiver", _TEXT, "A or B: class of the AIS set"),
        Column("first_seen", TIMESTAMP, "first report of this identity"),
        Column("last_seen", TIMESTAMP, "last report of this identity before another one"),
        Column("n_reports", _I64, "reports that carried it"),
        Column("first_lat", _F64, "where it was first seen", "degree"),
        Column("first_lon", _F64, "where it was first seen", "degree"),
        Column("last_lat", _F64, "where it was last seen", "degree"),
        Column("last_lon", _F64, "where it was last seen", "degree"),
    ),
)

SEGMENTS: Final = Table(
    "segments",
    (
        Column("segment_id", _TEXT, "one continuous track under one MMSI"),
        Column("hull_id", _TEXT, "hull it is taken to be"),
        Column("mmsi", _I64, "MMSI it was sent under"),
        Column("start", TIMESTAMP, "first report"),
        Column("end", TIMESTAMP, "last report"),
        Column("n_positions", _I64, "positions"),
        Column("start_lat", _F64, "first position", "degree"),
        Column("start_lon", _F64, "first position", "degree"),
        Column("end_lat", _F64, "last position", "degree"),
        Column("end_lon", _F64, "last position", "degree"),
        Column("distance_nmi", _F64, "distance along the track", "nmi"),
        Column("max_implied_speed_kn", _F64, "highest speed between two reports 1 minute or more apart", "kn"),
        Column("median_interval_s", _F64, "median time between two reports", "s"),
        Column("longest_interval_h", _F64, "longest time between two reports", "h"),
        Column("cruise_kn", _F64, "reported speed under way, median", "kn"),
        Column("start_draught_m", _F64, "draught claimed first", "m"),
        Column("end_draught_m", _F64, "draught claimed last", "m"),
        Column("start_sog_kn", _F64, "speed at the first report, made good where none was sent", "kn"),
        Column("start_cog_deg", _F64, "course at the first report, made good where none was sent", "degree"),
        Column("end_sog_kn", _F64, "speed at the last report, made good where none was sent", "kn"),
        Column("end_cog_deg", _F64, "course at the last report, made good where none was sent", "degree"),
    ),
)

SILENCES: Final = Table(
    "silences",
    (
        Column("segment_id", _TEXT, "track that fell silent and was heard again"),
        Column("mmsi", _I64, "MMSI"),
        Column("start", TIMESTAMP, "last report before"),
        Column("end", TIMESTAMP, "first report after"),
        Column("start_lat", _F64, "where it fell silent", "degree"),
        Column("start_lon", _F64, "where it fell silent", "degree"),
        Column("end_lat", _F64, "where it was heard again", "degree"),
        Column("end_lon", _F64, "where it was heard again", "degree"),
        Column("start_sog_kn", _F64, "speed before", "kn"),
        Column("start_cog_deg", _F64, "course before", "degree"),
        Column("end_sog_kn", _F64, "speed after", "kn"),
        Column("end_cog_deg", _F64, "course after", "degree"),
        Column("start_draught_m", _F64, "draught claimed last before", "m"),
        Column("end_draught_m", _F64, "draught claimed soon after", "m"),
        Column("is_leap", _BOOL, "short, but neither speeds nor courses reported at its ends explain it"),
    ),
)
"""Long silences within a track, in which the hull may have borne another number, and leaps, over which it may not be
the same hull."""

_LINK_EVIDENCE: Final = pa.struct([("what", _TEXT), ("observed", _TEXT), ("weight_db", _F64)])
_LINK_RIVAL: Final = pa.struct([("side", _TEXT), ("segment_id", _TEXT), ("mmsi", _I64), ("probability", _F64)])

HULL_LINKS: Final = Table(
    "hull_links",
    (
        Column("link_id", _TEXT, "hash of the two tracks and of when the first fell silent"),
        Column("from_segment_id", _TEXT, "track that fell silent"),
        Column("to_segment_id", _TEXT, "track that began, or was heard again"),
        Column("from_mmsi", _I64, "MMSI before"),
        Column("to_mmsi", _I64, "MMSI after"),
        Column("ended", TIMESTAMP, "last report before"),
        Column("began", TIMESTAMP, "first report after"),
        Column("from_lat", _F64, "where the first fell silent", "degree"),
        Column("from_lon", _F64, "where the first fell silent", "degree"),
        Column("to_lat", _F64, "where the second was first heard", "degree"),
        Column("to_lon", _F64, "where the second was first heard", "degree"),
        Column("from_silence", _BOOL, "the first is heard again later: it was only silent meanwhile"),
        Column("to_silence", _BOOL, "the second had been heard before: it returns from a silence"),
        Column("gap_h", _F64, "time between the two reports", "h"),
        Column("distance_nmi", _F64, "distance between the two places", "nmi"),
        Column("probability", _F64, "that both are one hull, rivals considered"),
        Column("weight_db", _F64, "weight of all evidence together, the prior left out", "decibans"),
        Column("is_strong", _BOOL, "strong enough to settle the hull"),
        Column("from_imo", _I64, "IMO number claimed before"),
        Column("to_imo", _I64, "IMO number claimed after"),
        Column("from_name", _TEXT, "name before"),
        Column("to_name", _TEXT, "name after"),
        Column("from_call_sign", _TEXT, "call sign before"),
        Column("to_call_sign", _TEXT, "call sign after"),
        Column("from_ship_type", pa.int16(), "ship-type code before"),
        Column("to_ship_type", pa.int16(), "ship-type code after"),
        Column("from_length_m", _F64, "length before", "m"),
        Column("to_length_m", _F64, "length after", "m"),
        Column("from_beam_m", _F64, "beam before", "m"),
        Column("to_beam_m", _F64, "beam after", "m"),
        Column("from_transceiver", _TEXT, "class of the set before"),
        Column("to_transceiver", _TEXT, "class of the set after"),
        Column("n_rivals", _I64, "other tracks that either could be linked to as well"),
        Column("rivals", pa.list_(_LINK_RIVAL), "the likeliest of them; side says which of the two they could follow"),
        Column("evidence", pa.list_(_LINK_EVIDENCE), "what speaks for and against, heaviest first"),
    ),
)

VESSELS: Final = Table(
    "vessels",
    (
        Column("mmsi", _I64, "MMSI heard"),
        Column("first_seen", TIMESTAMP, "first report"),
        Column("last_seen", TIMESTAMP, "last report"),
        Column("n_positions", _I64, "positions kept"),
        Column("n_segments", _I64, "tracks told apart under this MMSI"),
        Column("n_noise", _I64, "positions that no track could have sailed, kept out of all"),
        Column("n_alternations", _I64, "times the reports changed from one simultaneous track to another"),
        Column("max_separation_nmi", _F64, "greatest distance between two tracks at one time", "nmi"),
        Column("overlap_start", TIMESTAMP, "first time two tracks were on the air together"),
        Column("overlap_end", TIMESTAMP, "last time two tracks were on the air together"),
    ),
)

PORT_VISITS: Final = Table(
    "port_visits",
    (
        Column("visit_id", _TEXT, "hash of vessel, zone and start"),
        Column("hull_id", _TEXT, "hull"),
        Column("segment_id", _TEXT, "track"),
        Column("mmsi", _I64, "MMSI"),
        Column("zone_id", _TEXT, "port or anchorage"),
        Column("zone_name", _TEXT, "its name"),
        Column("country", _TEXT, "its country, ISO 3166"),
        Column("start", TIMESTAMP, "first report inside the fence"),
        Column("end", TIMESTAMP, "last report before the exit; null while still inside"),
        Column("confidence", pa.int8(), "1 to 4 by what was seen of entry, stop, gap, exit"),
        Column("entry_seen", _BOOL, "a report outside precedes the visit"),
        Column("exit_seen", _BOOL, "a report outside follows the visit"),
        Column("stop_h", _F64, "time stopped inside", "h"),
        Column("max_gap_h", _F64, "longest silence inside", "h"),
        Column("last_seen", TIMESTAMP, "last report inside"),
        Column("n_positions", _I64, "reports inside"),
        Column("lat", _F64, "where it lay: mean of the stopped reports, or of all", "degree"),
        Column("lon", _F64, "where it lay", "degree"),
        Column("draught_in_m", _F64, "last draught claimed before or at entry", "m"),
        Column("draught_out_m", _F64, "first draught claimed after exit, or the last inside", "m"),
    ),
)

ZONE_PRESENCES: Final = Table(
    "zone_presences",
    (
        Column("presence_id", _TEXT, "hash of vessel, zone and start"),
        Column("hull_id", _TEXT, "hull"),
        Column("segment_id", _TEXT, "track"),
        Column("mmsi", _I64, "MMSI"),
        Column("zone_id", _TEXT, "zone: any kind, ports among them"),
        Column("start", TIMESTAMP, "first report inside the fence"),
        Column("end", TIMESTAMP, "last report inside"),
        Column("n_positions", _I64, "reports inside"),
        Column("duration_h", _F64, "from first to last report inside", "h"),
        Column("slow_h", _F64, "time inside under the slow speed, silences left out", "h"),
        Column("min_sog_kn", _F64, "lowest speed reported inside", "kn"),
        Column("lat", _F64, "mean position inside", "degree"),
        Column("lon", _F64, "mean position inside", "degree"),
    ),
)

SKETCHES: Final = Table(
    "sketches",
    (
        Column("segment_id", _TEXT, "track"),
        Column("mmsi", _I64, "MMSI"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", _F64, "latitude", "degree"),
        Column("lon", _F64, "longitude", "degree"),
        Column("sog", pa.float32(), "speed over ground, as sent; null if none", "kn"),
        Column("draught", pa.float32(), "draught claimed so far; null if none", "m"),
    ),
)
"""Tracks thinned for drawing and for comparing ships with each other: real reports, never interpolated."""

COVERAGE: Final = Table(
    "coverage",
    (
        Column("mmsi", _I64, "MMSI"),
        Column("source_id", _TEXT, "file that holds reports of it"),
        Column("first_seen", TIMESTAMP, "first report in the file"),
        Column("last_seen", TIMESTAMP, "last report in the file"),
    ),
)

REJECTS: Final = Table(
    "rejects",
    (
        Column("source_id", _TEXT, "file"),
        Column("reason", _TEXT, "code of the rule that set the rows aside"),
        Column("n_rows", _I64, "how many rows"),
        Column("first_row", _I64, "first of them, counted from 0 in the file; null where rows have no number"),
        Column("example", _TEXT, "what that row said"),
    ),
)

VOYAGES: Final = Table(
    "voyages",
    (
        Column("voyage_id", _TEXT, "hash of vessel and start"),
        Column("hull_id", _TEXT, "hull"),
        Column("segment_id", _TEXT, "track, the last where it has several (see voyage_parts)"),
        Column("mmsi", _I64, "MMSI, the last where it has several"),
        Column("start", TIMESTAMP, "end of the visit it began with, or first report"),
        Column("end", TIMESTAMP, "start of the visit it ended with; null while open"),
        Column("is_open", _BOOL, "no arrival was seen: it goes on, or was lost from sight"),
        Column("origin", _TEXT, "zone it left; null if not seen"),
        Column("destination", _TEXT, "zone it reached; null if open"),
        Column("origin_visit_id", _TEXT, "visit it left"),
        Column("destination_visit_id", _TEXT, "visit it reached"),
        Column("last_seen", TIMESTAMP, "last report of the voyage"),
        Column("span_start", TIMESTAMP, "start of the time that belongs to it, a stay it began with included"),
        Column("span_end", TIMESTAMP, "end of the time that belongs to it, its stay in the port reached included"),
        Column("n_positions", _I64, "reports from start to last_seen"),
        Column("start_lat", _F64, "where it began", "degree"),
        Column("start_lon", _F64, "where it began", "degree"),
        Column("end_lat", _F64, "where it ended or was last seen", "degree"),
        Column("end_lon", _F64, "where it ended or was last seen", "degree"),
        Column("distance_nmi", _F64, "distance along the track", "nmi"),
        Column("duration_h", _F64, "from start to last_seen", "h"),
        Column("moving_h", _F64, "time at or above the moving speed, silences left out", "h"),
        Column("mean_speed_kn", _F64, "reported speed under way, mean", "kn"),
        Column("median_speed_kn", _F64, "reported speed under way, median", "kn"),
        Column("speed_spread_kn", _F64, "reported speed under way, 90th less 10th percentile", "kn"),
        Column("max_speed_kn", _F64, "reported speed under way, 99th percentile", "kn"),
        Column("slow_share", _F64, "share of the heard time spent under the slow speed, outside ports"),
        Column("n_stops_at_sea", _I64, "stops outside ports, of half an hour or more"),
        Column("longest_stop_h", _F64, "longest of them", "h"),
        Column("detour_ratio", _F64, "distance sailed over the great circle; null for short or returning voyages"),
        Column("turning_deg_per_nmi", _F64, "course change per distance, under way", "degree/nmi"),
        Column("longest_silence_h", _F64, "longest time between two reports", "h"),
        Column("silence_share", _F64, "share of the duration in silences over the gap length"),
        Column("interval_irregularity", _F64, "standard deviation of the natural log of report intervals"),
        Column("draught_change_m", _F64, "last draught claimed less the first", "m"),
        Column("night_share", _F64, "share of the time under way between 18 and 6 h local solar time"),
        Column("status_mismatch_share", _F64, "share of reports that say moored or anchored under way"),
        Column("drift_angle_deg", _F64, "mean angle between heading and course under way", "degree"),
        Column("speed_residual_kn", _F64, "mean difference of reported and implied speed", "kn"),
    ),
)

VOYAGE_PARTS: Final = Table(
    "voyage_parts",
    (
        Column("voyage_id", _TEXT, "voyage of a hull that bore several identities"),
        Column("segment_id", _TEXT, "track that is part of it"),
        Column("mmsi", _I64, "MMSI of the track"),
        Column("start", TIMESTAMP, "from when"),
        Column("end", TIMESTAMP, "until when"),
    ),
)
"""The tracks of each voyage whose hull was linked from several; other voyages are one part, their own track."""
