"""The tables that the store keeps, declared once; their columns are what the other rooms of the store write and read.

Takes nothing; gives `Table` declarations and how each is partitioned. Tables that carry the shape of an output
(`IDENTITIES`, `PORT_VISITS`) are declared in `vessels.schema`, anchors in `vessels.anchors`.
"""

from typing import Final

import pyarrow as pa

from vessels.chunks import StaticClaim
from vessels.schema import TIMESTAMP, Column, Table

SCHEMA_VERSION: Final = 1
"""Goes up when a column below changes its name, type or meaning; a store of another version is refused."""

DAYS_PER_WEEK: Final = 7
"""Weeks are counted in days since 1970-01-01, a Thursday: `week = day // 7`."""

_I64, _I32, _F32, _F64, _TEXT = pa.int64(), pa.int32(), pa.float32(), pa.float64(), pa.string()

META: Final = Table(
    "meta",
    (
        Column("table", _TEXT, "table that the store has"),
        Column("version", _I64, "number of a commit that it has had"),
        Column("schema_version", _I32, "version of the store's tables"),
        Column("n_buckets", _I32, "buckets that positions are kept in, by MMSI; fixed when the store is made"),
    ),
)
"""The store's list of its own tables: what stands here and is missing, or older, has been lost."""

POSITIONS: Final = Table(
    "positions",
    (
        Column("week", _I32, "days since 1970-01-01 UTC of the report, whole weeks"),
        Column("bucket", _I32, "bucket of the MMSI"),
        Column("mmsi", _I64, "MMSI the report was sent under"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", _F64, "latitude, WGS 84; null on rows that carry static data only", "degree"),
        Column("lon", _F64, "longitude, WGS 84; null on rows that carry static data only", "degree"),
        Column("sog", _F32, "speed over ground", "kn"),
        Column("cog", _F32, "course over ground", "degree"),
        Column("heading", _F32, "true heading", "degree"),
        Column("draught", _F32, "static draught, as set by the crew", "m"),
        Column("nav_status", pa.int8(), "navigational status code, ITU-R M.1371; null if none"),
        Column("claim", _I64, "number of the static claim the row carried, see `claims`; 0 if it said nothing"),
        Column("source", _I64, "number of the input, see `inputs`"),
    ),
)
"""Reports kept of each input, thinned; rows of inputs that no longer count stay until their week is dropped."""
POSITIONS_PARTITIONS: Final = ("week", "bucket")

_CLAIM_TYPES: Final = {"ship_type": pa.int16(), "length_m": _F64, "beam_m": _F64}
_CLAIM_MEANINGS: Final = {
    "imo_raw": ("IMO field as received", ""),
    "name_raw": ("name as received", ""),
    "call_sign_raw": ("call sign as received", ""),
    "ship_type": ("ship-type code, ITU-R M.1371 table 53", ""),
    "length_m": ("length", "m"),
    "beam_m": ("beam", "m"),
    "destination_raw": ("destination as received", ""),
    "transceiver": ("A or B: class of the AIS set", ""),
}

CLAIMS: Final = Table(
    "claims",
    (
        Column("claim", _I64, "number of the claim: a hash of what it says; never 0"),
        *(Column(name, _CLAIM_TYPES.get(name, _TEXT), *_CLAIM_MEANINGS[name]) for name in StaticClaim._fields),
    ),
)
"""What rows said of their ships, once each; a claim appended twice by two tasks is one claim."""

_REJECT: Final = pa.struct({"reason": _TEXT, "n_rows": _I64, "first_row": _I64, "example": _TEXT})
_NULLED: Final = pa.struct({"reason": _TEXT, "n_rows": _I64})
_DAY: Final = pa.struct({"day": _I32, "n_rows": _I64, "newest": TIMESTAMP})

INPUTS: Final = Table(
    "inputs",
    (
        Column("digest", _TEXT, "SHA-256 of the bytes, hexadecimal"),
        Column("source", _I64, "number of the rows in `positions`: a digest of the content and of how it was read"),
        Column("source_id", _TEXT, "id of the rows, as findings name it"),
        Column("n_bytes", _I64, "size of the file"),
        Column("format", _TEXT, "parquet, csv or nmea"),
        Column("dialect", _TEXT, "layout it was read as"),
        Column("n_rows", _I64, "rows in the file"),
        Column("n_stored", _I64, "rows kept in `positions`"),
        Column("rejects", pa.list_(_REJECT), "rows dropped, by reason"),
        Column("nulled", pa.list_(_NULLED), "rows of which one value was dropped, by reason"),
        Column("days", pa.list_(_DAY), "days since 1970-01-01 UTC that the rows lie on"),
        Column("first_time", TIMESTAMP, "first row kept; null if none"),
        Column("last_time", TIMESTAMP, "last row kept; null if none"),
        Column("thin_s", _F64, "length of the slots it was thinned to", "s"),
        Column("zones", _TEXT, "digest of the zones it was thinned with"),
    ),
)
"""The ledger: one row a content taken in, whatever names it bears."""

NAMES: Final = Table(
    "names",
    (
        Column("name", _TEXT, "name of a file as found"),
        Column("digest", _TEXT, "content it held"),
        Column("n_bytes", _I64, "size it had"),
        Column("mtime_ns", _I64, "when the file said it was last changed, nanoseconds since 1970", "ns"),
        Column("seq", _I64, "grows with every sighting written; the latest row of a name is in force"),
    ),
)
