"""Ships: what the identity spells say of a vessel at a moment, and how findings name it.

Takes the identities table and the vessels of interest; gives name, type, flag state and the destination texts in order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from detectors.rules.geofence.stays import rows_where
from vessels.ais import MmsiKind, clean_text, mid_table, mmsi_kinds, mmsi_text, ship_type_group, state_names


@dataclass(frozen=True, slots=True)
class Spell:
    """One identity spell, as far as these rules read it. Text is cleaned."""

    segment_id: str | None
    name: str | None
    ship_type: int | None
    destination: str | None
    first_seen: datetime
    last_seen: datetime
    n_reports: int


class Ships:
    """Identity spells of the vessels of interest, by MMSI, in time order."""

    def __init__(self, identities: pa.Table, mmsi: Iterable[int]) -> None:
        wanted = sorted(set(mmsi))
        spells: dict[int, list[Spell]] = {}
        for row in rows_where(identities, "mmsi", wanted):
            spell = _spell(row)
            if spell is not None:
                spells.setdefault(row["mmsi"], []).append(spell)
        self._spells = {number: sorted(rows, key=_order) for number, rows in spells.items()}
        self._flags = _flag_states(wanted)

    def spells(self, mmsi: int, segment_id: str | None) -> Sequence[Spell]:
        """The spells of one track in time order; those that belong to no track known count for every one."""
        return [s for s in self._spells.get(mmsi, ()) if segment_id is None or s.segment_id in (None, segment_id)]

    def spells_of(self, tracks: Iterable[tuple[int, str | None]]) -> Sequence[Spell]:
        """The spells of several tracks (MMSI, segment), as one hull's, in time order."""
        found = {id(spell): spell for mmsi, segment_id in tracks for spell in self.spells(mmsi, segment_id)}
        return sorted(found.values(), key=_order)

    def in_words(self, mmsi: int, segment_id: str | None, at: datetime) -> str:
        """`OSHIMA (MMSI 431000001)`: the name claimed at that time, and the number."""
        name = self._latest(mmsi, segment_id, at, "name")
        return f"{name} (MMSI {mmsi_text(mmsi)})" if name else f"MMSI {mmsi_text(mmsi)}"

    def type_group(self, mmsi: int, segment_id: str | None, at: datetime) -> str:
        """Class of ship claimed at that time: cargo, tanker, fishing, ... or unknown."""
        code = self._latest(mmsi, segment_id, at, "ship_type")
        return ship_type_group(code)

    def flag_state(self, mmsi: int) -> str | None:
        """ISO 3166 code of the state the number names; None if it is no ship's number, or no vessel of interest."""
        return self._flags.get(mmsi)

    def flag_in_words(self, mmsi: int) -> str:
        """`KP (North Korea)`, or that the number names no state."""
        state = self._flags.get(mmsi)
        return "no state's number" if state is None else f"{state} ({state_names()[state]})"

    def _latest(self, mmsi: int, segment_id: str | None, at: datetime, field: str) -> Any:
        """What was last said of one field up to a moment; if nothing yet, what was said first."""
        said = [s for s in self.spells(mmsi, segment_id) if getattr(s, field) is not None]
        before = [s for s in said if s.first_seen <= at]
        chosen = before[-1] if before else next(iter(said), None)
        return None if chosen is None else getattr(chosen, field)


def _flag_states(mmsi: Sequence[int]) -> dict[int, str]:
    """Flag states of many numbers at once; what is no ship's number is left out."""
    kinds = mmsi_kinds(np.array(mmsi, dtype=np.int64))
    return {m: mid_table()[m // 1_000_000][0] for m, kind in zip(mmsi, kinds, strict=True) if kind == MmsiKind.SHIP}


def _spell(row: dict[str, Any]) -> Spell | None:
    if row["first_seen"] is None:
        return None
    return Spell(
        segment_id=row["segment_id"],
        name=clean_text(row["name"] or row["name_raw"]),
        ship_type=row["ship_type"],
        destination=clean_text(row["destination"] or row["destination_raw"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"] if row["last_seen"] is not None else row["first_seen"],
        n_reports=row["n_reports"] or 0,
    )


def _order(spell: Spell) -> tuple[datetime, datetime, str, str, str]:
    return (spell.first_seen, spell.last_seen, spell.segment_id or "", spell.destination or "", spell.name or "")
