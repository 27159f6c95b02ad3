"""Whose row it is: what every layer says of the voyage and the ship, and what a map writes beside them.

Takes rows of `flagged_voyages` and parts of tracks; gives columns by name and labels. Labels are fit for viewers that
show text as HTML.
"""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.exports.parts import Part, Unheard
from detectors.exports.words import flat, text
from detectors.run_tables import OWN
from vessels.ais import flag_state, mmsi_text

Row = Mapping[str, Any]
LABEL: Final = 60
"""Characters of a label; a ship's name has 20."""
_SHARED: Final = ("rank", "band", "score", "status", "verdict")


def title_of(row: Row) -> str:
    """`3. CORAL TURNSTONE`, the rank and the name of a flagged voyage, or its MMSI if it sent no name."""
    return f"{row['rank']}. {_named(row['name'], row['mmsi'])}"


def _named(name: str | None, mmsi: int) -> str:
    return flat(name, LABEL) if name else f"MMSI {mmsi_text(mmsi)}"


def names_of(identities: pa.Table) -> dict[str, str]:
    """The name claimed last on each track."""
    said = identities.select(["segment_id", "name", "last_seen"]).filter(pc.is_valid(identities["name"]))
    rows = said.sort_by("last_seen").to_pylist()
    return {row["segment_id"]: row["name"] for row in rows if row["name"]}


def of_voyage(row: Row) -> dict[str, Any]:
    """What each row says of its voyage, from a row of `flagged_voyages`."""
    return {
        "voyage_id": row["voyage_id"],
        **{name: row.get(name) for name in _SHARED},
        "voyage_name": text(row["name"]),
    }


def of_track(track: Part | Unheard, names: Mapping[str, str]) -> dict[str, Any]:
    """What each row says of its track."""
    return {
        "role": track.role,
        "mmsi": track.mmsi,
        "flag_state": flag_state(track.mmsi),
        "name": text(names.get(track.segment_id)),
        "segment_id": track.segment_id,
    }


def who(track: Part | Unheard, flagged: Row, names: Mapping[str, str]) -> str:
    """Whose track it is, as a map writes it."""
    if track.role == OWN:
        return title_of(flagged)
    return f"met by {flagged['rank']}: {_named(names.get(track.segment_id), track.mmsi)}"
