"""Anchors: what a later history must know of each track that was heard before it begins.

Takes nothing; gives the `anchors` table. A night looks at the weeks from a boundary on; so that tracks, hulls, voyages
and visits which began before it keep their ids, an earlier night that saw both sides of the boundary leaves an anchor
for each track: its last report, what it claimed to be, the voyage and the stays in progress. Taking anchors up is left
to `vessels.continuing`, leaving them to `vessels.anchoring`.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.schema import TIMESTAMP, VOYAGES, Column, Table

_F32, _F64, _I64, _TEXT, _BOOL = pa.float32(), pa.float64(), pa.int64(), pa.string(), pa.bool_()

VOYAGE_TYPE: Final = pa.struct([pa.field(column.name, column.type) for column in VOYAGES.columns])
STAY_TYPE: Final = pa.struct(
    {
        "zone_id": _TEXT,
        "presence_id": _TEXT,
        "visit_id": _TEXT,
        "start": TIMESTAMP,
        "lat": _F64,
        "lon": _F64,
        "entry_seen": _BOOL,
        "stop_h": _F64,
        "slow_h": _F64,
        "lying": _BOOL,
        "max_gap_h": _F64,
        "min_sog_kn": _F64,
        "n_positions": _I64,
        "draught_in_m": _F64,
    }
)

ANCHORS: Final = Table(
    "anchors",
    (
        Column("boundary", TIMESTAMP, "instant at which a later history may begin"),
        Column("mmsi", _I64, "MMSI of the track"),
        Column("segment_id", _TEXT, "track"),
        Column("hull_id", _TEXT, "hull it is taken to be"),
        Column(
            "is_first", _BOOL, "the report is the first since the boundary, as none before counts; else the last before"
        ),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", _F64, "latitude of the report, WGS 84", "degree"),
        Column("lon", _F64, "longitude of the report, WGS 84", "degree"),
        Column("sog", _F32, "speed over ground", "kn"),
        Column("cog", _F32, "course over ground", "degree"),
        Column("heading", _F32, "true heading", "degree"),
        Column("draught", _F32, "draught claimed last", "m"),
        Column("nav_status", pa.int8(), "navigational status code, ITU-R M.1371"),
        Column("imo_raw", _TEXT, "IMO number claimed last, as received"),
        Column("name_raw", _TEXT, "name claimed last, as received"),
        Column("call_sign_raw", _TEXT, "call sign claimed last, as received"),
        Column("ship_type", pa.int16(), "ship-type code claimed last"),
        Column("length_m", _F64, "length claimed last", "m"),
        Column("beam_m", _F64, "beam claimed last", "m"),
        Column("destination_raw", _TEXT, "destination claimed last, as received"),
        Column("transceiver", _TEXT, "A or B: class of the AIS set"),
        Column("start", TIMESTAMP, "first report of the track; null if it is this one"),
        Column("start_lat", _F64, "first position", "degree"),
        Column("start_lon", _F64, "first position", "degree"),
        Column("start_draught_m", _F64, "draught claimed first", "m"),
        Column("start_sog_kn", _F64, "speed at the first report", "kn"),
        Column("start_cog_deg", _F64, "course at the first report", "degree"),
        Column("n_positions", _I64, "positions up to the report"),
        Column("n_others", _I64, "other reports of the MMSI after the report, before the boundary"),
        Column("voyage", VOYAGE_TYPE, "voyage in progress at the report, or ended by the stay in progress there"),
        Column("stop_h", _F64, "time stopped at the destination of that voyage", "h"),
        Column("stays", pa.list_(STAY_TYPE), "stays in progress at the report, as far as they had gone"),
        Column("links", pa.list_(_TEXT), "hull links that led from or to the track and settled its hull"),
    ),
)
"""One row a boundary and track. The report is the last before the boundary, and later rows are held against it; but if
the track began since, while its hull or MMSI had been heard before, or if its hull was away under another number and
has come back since, it is the first after."""

NO_ANCHORS: Final = ANCHORS.empty()
"""Nothing is known from before."""

CLAIM_COLUMNS: Final = (
    "imo_raw", "name_raw", "call_sign_raw", "ship_type", "length_m", "beam_m", "destination_raw", "transceiver",
)  # fmt: skip
"""What the track claimed, in the order of `vessels.chunks.StaticClaim`."""
START_COLUMNS: Final = ("start", "start_lat", "start_lon", "start_draught_m", "start_sog_kn", "start_cog_deg")
"""What `segments` says of a track's first report."""
REPORT_COLUMNS: Final = ("lat", "lon", "sog", "cog", "heading", "draught")

MAX_SILENCE_DAYS: Final = 365.0
"""A track silent for longer is anchored no more: heard again, it is another one. Source: a year and more passed before
identities of scrapped ships came back; it bounds the anchors to the ships heard in a year."""


def with_values(table: pa.Table, rows: npt.NDArray[np.int64], values: dict[str, Any]) -> pa.Table:
    """The table with other values in some columns of some rows."""
    if not len(rows):
        return table
    place = np.arange(table.num_rows)
    place[rows] = table.num_rows + np.arange(len(rows))
    taken = pa.array(place)
    for name, new in values.items():
        at = table.schema.get_field_index(name)
        field = table.schema.field(at)
        new = new.combine_chunks() if isinstance(new, pa.ChunkedArray) else pa.array(new)
        both = pa.concat_arrays([table[name].combine_chunks(), new.cast(field.type)])
        table = table.set_column(at, field, both.take(taken))
    return table
