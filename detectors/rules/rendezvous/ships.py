"""Who was there: what each ship claimed to be at the time and at other times, and whether she carries cargo.

Takes identity spells; gives `Party` records. A type may be false, so the body counts too: a trawler does not draw 8 m.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.rendezvous.parameters import CarrierParameters
from vessels.ais import clean_text, flag_state, mmsi_text, ship_type_group, ship_type_label, state_names
from vessels.bodies import LONGEST_SHIP_M

Role = Literal["tanker", "cargo", "unknown", "other"]
"""Tanker and cargo carry; of an unknown ship nothing is said that speaks for or against; others do not carry."""

CARRYING: Final = frozenset({"tanker", "cargo"})
SMALL_WORK: Final = frozenset({"fishing", "tug", "pleasure", "service", "law", "unknown"})
"""Ships that are small by their work: a body beyond it belies the type. Ferries, warships and others are not."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One identity spell, as far as these rules read it. Text is cleaned."""

    segment_id: str | None
    imo: int | None
    name: str | None
    ship_type: int | None
    length_m: float | None
    destination: str | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """One of the ships concerned, as she was at the time: identity claimed, body, and the role that both bear out."""

    mmsi: int
    segment_id: str | None
    hull_id: str | None
    name: str | None
    ship_type: int | None
    length_m: float | None
    draught_m: float | None
    role: Role
    belied: str
    """Why her type is not believed; "" where it is."""

    @property
    def hull(self) -> str:
        """What ties rows of one hull together, where hulls are not known her track or number."""
        return hull_key(self.hull_id, self.segment_id, self.mmsi)

    @property
    def flag(self) -> str | None:
        """ISO 3166 code of the state that the number names."""
        return flag_state(self.mmsi)

    @property
    def in_words(self) -> str:
        """`OSHIMA (MMSI 431000001)`."""
        return f"{self.name} (MMSI {mmsi_text(self.mmsi)})" if self.name else f"MMSI {mmsi_text(self.mmsi)}"

    @property
    def described(self) -> str:
        """Type, length, draught and flag state as claimed, for a line of evidence."""
        claims = ["type not given" if not self.ship_type else ship_type_label(self.ship_type)]
        claims += [] if self.length_m is None else [f"{self.length_m:.0f} m long"]
        claims += [] if self.draught_m is None else [f"draught {self.draught_m:.1f} m"]
        flag = self.flag
        claims.append("number of no state" if flag is None else f"flag {flag} ({state_names()[flag]})")
        return f"{self.in_words}: {', '.join(claims)}"


def hull_key(hull_id: str | None, segment_id: str | None, mmsi: int) -> str:
    """One key a hull: its id, or where that is not known its track or number."""
    return hull_id or segment_id or f"mmsi {mmsi}"


class Fleet:
    """Identity spells of the ships of interest, by MMSI and by hull."""

    def __init__(self, identities: pa.Table, mmsi: Iterable[int], hull_ids: Iterable[str | None]) -> None:
        numbers = pa.array(sorted(set(mmsi)), type=pa.int64())
        hulls = pa.array(sorted({hull for hull in hull_ids if hull is not None}), type=pa.string())
        mask = pc.or_kleene(pc.is_in(identities["mmsi"], numbers), pc.is_in(identities["hull_id"], hulls))
        by_mmsi: dict[int, list[Spell]] = {}
        by_hull: dict[str, list[Spell]] = {}
        for row in identities.filter(mask).to_pylist():
            spell = _spell(row)
            if spell is None or row["mmsi"] is None:
                continue
            by_mmsi.setdefault(row["mmsi"], []).append(spell)
            by_hull.setdefault(hull_key(row["hull_id"], row["segment_id"], row["mmsi"]), []).append(spell)
        self._by_mmsi = {number: sorted(spells, key=_order) for number, spells in by_mmsi.items()}
        self._by_hull = {hull: sorted(spells, key=_order) for hull, spells in by_hull.items()}

    def spells(self, mmsi: int, segment_id: str | None) -> Sequence[Spell]:
        """The spells of one track in time order; those that belong to no track known count for every one."""
        return [s for s in self._by_mmsi.get(mmsi, ()) if segment_id is None or s.segment_id in (None, segment_id)]

    def numbers_claimed(self, hull: str) -> frozenset[int]:
        """The IMO numbers that a hull claimed at any time."""
        return frozenset(s.imo for s in self._by_hull.get(hull, ()) if s.imo is not None)

    def party(
        self,
        mmsi: int,
        segment_id: str | None,
        hull_id: str | None,
        at: datetime,
        draughts_m: Sequence[float | None],
        parameters: CarrierParameters,
    ) -> Party:
        """The ship as she was at a moment; `draughts_m` are those known of her about then."""
        spells = self.spells(mmsi, segment_id)
        own = self._by_hull.get(hull_key(hull_id, segment_id, mmsi), spells)
        ship_type = _said_at(spells, "ship_type", at)
        length_m = _said_at(spells, "length_m", at)
        known = [draught for draught in draughts_m if draught is not None]
        draught_m = max(known) if known else None
        role, belied = role_of(ship_type_group(ship_type or None), length_m, draught_m, own, at, parameters)
        name = _said_at(spells, "name", at)
        return Party(mmsi, segment_id, hull_id, name, ship_type, length_m, draught_m, role, belied)

    def destination(self, party: Party, at: datetime) -> str | None:
        """The destination text in force at a moment, None if none was."""
        before = [s for s in self.spells(party.mmsi, party.segment_id) if s.first_seen <= at]
        return before[-1].destination if before else None


def role_of(
    claimed: str,
    length_m: float | None,
    draught_m: float | None,
    spells: Sequence[Spell],
    at: datetime,
    parameters: CarrierParameters,
) -> tuple[Role, str]:
    """What a ship is by type and body, and why her type is not believed: "" where it is, or where she claims none."""
    if claimed in CARRYING:
        small = length_m is not None and length_m < parameters.min_carrier_m
        return ("other", "") if small else ("tanker" if claimed == "tanker" else "cargo", "")
    for spell in sorted(spells, key=lambda s: (abs(s.first_seen - at), *_order(s))):
        group = ship_type_group(spell.ship_type)
        fits = spell.length_m is None or spell.length_m >= parameters.min_carrier_m
        if group in CARRYING and fits:
            role: Role = "tanker" if group == "tanker" else "cargo"
            if claimed == "unknown":
                return role, ""
            return role, f"she claims to be {_a(claimed)}, and at another time {_a(group)}"
    if claimed not in SMALL_WORK:
        return "other", ""
    big = []
    if length_m is not None and length_m > parameters.service_length_m:
        big.append(f"{length_m:.0f} m long")
    if draught_m is not None and draught_m >= parameters.service_draught_m:
        big.append(f"drawing {draught_m:.1f} m")
    if big:
        return "cargo", "" if claimed == "unknown" else f"she claims to be {_a(claimed)} and is {' and '.join(big)}"
    if claimed == "unknown" and (length_m is None or length_m >= parameters.min_carrier_m):
        return "unknown", ""
    return "other", ""


def may_carry(identities: pa.Table, parameters: CarrierParameters) -> frozenset[int]:
    """The MMSI that may be carriers by anything ever claimed under them: a cheap sieve before ships are looked at."""
    identities = identities.filter(pc.is_valid(identities["mmsi"]))
    if not identities.num_rows:
        return frozenset()
    mmsi = identities["mmsi"].to_numpy()
    types = identities["ship_type"].fill_null(0).to_numpy().astype(np.int64)
    codes, at = np.unique(types, return_inverse=True)
    carries = np.array([ship_type_group(int(code) or None) in CARRYING | {"unknown"} for code in codes])[at]
    lengths = identities["length_m"].fill_null(0.0).to_numpy()
    return frozenset(np.unique(mmsi[carries | (lengths > parameters.service_length_m)]).tolist())


def carrier_rows(events: pa.Table, carriers: frozenset[int], parameters: CarrierParameters) -> pa.Array:
    """The rows of events whose ship may be a carrier: by what was claimed under her number, or by her draught now."""
    mask = pc.is_in(events["mmsi"], pa.array(sorted(carriers), type=pa.int64()))
    for column in ("start_draught_m", "end_draught_m"):
        deep = pc.greater_equal(events[column], parameters.service_draught_m)
        mask = pc.or_kleene(mask, pc.fill_null(deep, False))
    return pc.and_(mask, pc.is_valid(events["mmsi"]))


def _a(group: str) -> str:
    words: Mapping[str, str] = {
        "cargo": "a cargo ship",
        "tanker": "a tanker",
        "fishing": "a fishing vessel",
        "tug": "a tug",
        "pleasure": "a pleasure craft",
        "service": "a service craft",
        "passenger": "a passenger ship",
        "law": "a patrol vessel",
        "military": "a warship",
        "work": "a work vessel",
    }
    return words.get(group, f"a ship of type {group}")


def _said_at(spells: Sequence[Spell], field: str, at: datetime) -> Any:
    """What was last said of one field up to a moment; if nothing yet, what was said first."""
    said = [spell for spell in spells if getattr(spell, field)]
    before = [spell for spell in said if spell.first_seen <= at]
    chosen = before[-1] if before else next(iter(said), None)
    return None if chosen is None else getattr(chosen, field)


def _spell(row: dict[str, Any]) -> Spell | None:
    if row["first_seen"] is None:
        return None
    length = row["length_m"]
    return Spell(
        segment_id=row["segment_id"],
        imo=row["imo"],
        name=clean_text(row["name"] or row["name_raw"]),
        ship_type=row["ship_type"],
        length_m=length if length is not None and 0.0 < length <= LONGEST_SHIP_M else None,
        destination=clean_text(row["destination"] or row["destination_raw"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"] if row["last_seen"] is not None else row["first_seen"],
    )


def _order(spell: Spell) -> tuple[Any, ...]:
    return (
        spell.first_seen,
        spell.last_seen,
        spell.segment_id or "",
        spell.ship_type or 0,
        spell.length_m or 0.0,
        spell.name or "",
        spell.destination or "",
        spell.imo or 0,
    )
