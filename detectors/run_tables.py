"""The tables by which people see a run: the tracks of its flagged voyages and the fences in force.

Takes nothing; gives `Table` declarations, as `vessels.schema` does. What fills them is `detectors.batch.drawing`.
"""

from typing import Final

import pyarrow as pa

from vessels.schema import TIMESTAMP, Column, Table

_F64, _I64, _TEXT = pa.float64(), pa.int64(), pa.string()
OWN: Final = "own"
MET: Final = "met"
HEARD_H: Final = 1.1
"""Rows of `tracks` no further apart are joined as heard. Source: reception counts the ships heard within an hour, and a
row may stand up to 20 minutes from the report nearest to a silence, of which a part is allowed for here."""
SILENCE_H: Final = 4.0
"""From here on a time without reports is a silence, as in the table of gaps; a shorter one is a pause."""

TRACKS: Final = Table(
    "tracks",
    (
        Column("voyage_id", _TEXT, "flagged voyage that the report belongs to"),
        Column("role", _TEXT, "own: the voyage's ship; met: another track that a finding of it speaks of, meanwhile"),
        Column("mmsi", _I64, "MMSI the report was sent under"),
        Column("segment_id", _TEXT, "track"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", _F64, "latitude, WGS 84", "degree"),
        Column("lon", _F64, "longitude, WGS 84", "degree"),
        Column("sog", pa.float32(), "speed over ground, as sent; null if none", "kn"),
        Column("draught", pa.float32(), "draught claimed so far; null if none", "m"),
    ),
)
"""Real reports, one in twenty minutes, never interpolated; by voyage, own before met, MMSI, track and time."""

FENCES: Final = Table(
    "zones",
    (
        Column("zone_id", _TEXT, "zone"),
        Column("name", _TEXT, "its name"),
        Column("kind", _TEXT, "port, anchorage, approach, sts_zone or gate"),
        Column("country", _TEXT, "its country, ISO 3166; null at sea"),
        Column("tags", pa.list_(_TEXT), "what it is known for"),
        Column("watch", _TEXT, "high, elevated, or null"),
        Column("geometry", pa.binary(), "the fence; WKB, WGS 84"),
    ),
)
"""Every fence in force in the run, by id."""
