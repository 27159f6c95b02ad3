"""Ties: a ship's flag, her calls and stays in waters under high watch before and after, the watch list.

Takes the tables of stays, the zones and the watch list; gives for one hull and moment the ties that hold, heaviest
first. A hull keeps its ties when it changes its number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE, rows_where
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.parameters import CarrierParameters
from detectors.rules.rendezvous.ships import Fleet, Party, hull_key
from vessels.ais import flag_state, mmsi_text, state_names
from vessels.zones import Zone

FLAG_DB: Final = 14.0
"""UNSCR 2375, paragraph 11, is about ships of this flag; off their own coast their meetings are domestic."""
LISTED_DB: Final = 14.0
CALL_DB: Final = 12.0
"""Lawful callers at DPRK ports exist (aid, notified transit); they are few, and fewer lie beside others at sea."""
STAY_DB: Final = 9.0
"""Time in those waters without a call: less is known of what she did."""
FURTHER_DB: Final = 1.0
"""For a second kind of tie: one ship's ties come from one trade."""
DPRK: Final = "KP"
"""The state that the measures of `detectors.measures` are about, ISO 3166."""

Bond = Literal["dprk", "waters", "flag", "list"]
"""What a tie is to: the DPRK by flag, call or stay; other waters under high watch; another flag named; the list."""
BONDS: Final[Mapping[Bond, str]] = {
    "dprk": "tied to the DPRK",
    "waters": "tied to waters under high watch",
    "flag": "under a flag that is watched",
    "list": "on the watch list",
}
"""A ship's bond in words, the closest first."""


@dataclass(frozen=True, slots=True)
class Tie:
    """One tie: its weight in decibans, in a few words, and the row that bears it out."""

    weight_db: float
    what: str
    observed: str
    to: Bond = "waters"


@dataclass(frozen=True, slots=True)
class _Stay:
    start: datetime
    end: datetime
    zone: Zone
    is_call: bool


class Ties:
    """The ties of the hulls of interest."""

    def __init__(self, scene: Scene, hulls: Iterable[str], fleet: Fleet, parameters: CarrierParameters) -> None:
        wanted = frozenset(hulls)
        self._fleet, self._listed, self._parameters = fleet, scene.watchlist, parameters
        high = {zone.zone_id: zone for zone in scene.zones.zones if zone.watch == "high" and zone.kind != "gate"}
        self._stays: dict[str, list[_Stay]] = {}
        visits, presences = scene.history.port_visits, scene.history.zone_presences
        visits = visits.filter(pc.greater_equal(visits["confidence"], MIN_CALL_CONFIDENCE))
        stays = presences.filter(pc.greater_equal(presences["duration_h"], parameters.tie_stay_h))
        for table, is_call in ((visits, True), (stays, False)):
            for row in rows_where(table, "zone_id", high):
                self._add(row, high[row["zone_id"]], is_call, wanted)
        for found in self._stays.values():
            found.sort(key=lambda stay: (stay.start, stay.end, stay.zone.zone_id))
        self._numbers = self._borne(scene.history.segments, wanted)

    def of(self, party: Party, at: datetime) -> tuple[Tie, ...]:
        """The ties of a ship that hold at a moment, heaviest first; one of each kind."""
        ties = [*self._flag(party), *self._list(party), *self._near(party, at)]
        return tuple(sorted(ties, key=lambda tie: (-tie.weight_db, tie.what, tie.observed)))

    def _flag(self, party: Party) -> list[Tie]:
        numbers = sorted({party.mmsi, *self._numbers.get(party.hull, ())}, key=lambda m: (m != party.mmsi, m))
        for number in numbers:
            state = flag_state(number)
            if state is not None and state in self._parameters.tied_flags:
                also = "" if number == party.mmsi else " (a number that the hull bore at another time)"
                said = f"MMSI {mmsi_text(number)}, {state_names()[state]}{also}"
                return [Tie(FLAG_DB, f"flag {state}", said, "dprk" if state == DPRK else "flag")]
        return []

    def _list(self, party: Party) -> list[Tie]:
        entries = list(self._listed.by_mmsi.get(party.mmsi, ()))
        for number in sorted(self._fleet.numbers_claimed(party.hull)):
            entries += self._listed.by_imo.get(number, ())
        if not entries:
            return []
        entry = entries[0]
        return [Tie(LISTED_DB, "on the watch list", f"{entry.entry_id}: {entry.caption or 'no name'}", "list")]

    def _near(self, party: Party, at: datetime) -> list[Tie]:
        reach = timedelta(days=self._parameters.tie_days)
        near = [s for s in self._stays.get(party.hull, ()) if s.start <= at + reach and s.end >= at - reach]
        calls = [stay for stay in near if stay.is_call]
        for stays, weight_db, verb in ((calls, CALL_DB, "called at"), (near, STAY_DB, "was inside")):
            if stays:
                stay = min(stays, key=lambda s: (_apart(s, at), s.start, s.zone.zone_id))
                when = f"from {iso(stay.start)} to {iso(stay.end)}"
                said = f"{stay.zone.name} ({stay.zone.zone_id}) {when}"
                bond: Bond = "dprk" if stay.zone.country == DPRK else "waters"
                return [Tie(weight_db, f"{verb} {stay.zone.name}", said, bond)]
        return []

    def _add(self, row: dict[str, Any], zone: Zone, is_call: bool, wanted: frozenset[str]) -> None:
        if row["mmsi"] is None or row["start"] is None:
            return
        hull = hull_key(row["hull_id"], row["segment_id"], row["mmsi"])
        if hull in wanted:
            end = row["end"] or row.get("last_seen") or row["start"]
            self._stays.setdefault(hull, []).append(_Stay(row["start"], end, zone, is_call))

    def _borne(self, segments: pa.Table, wanted: frozenset[str]) -> dict[str, set[int]]:
        """The MMSI of states whose flag ties that a hull of interest bore at any time."""
        borne: dict[str, set[int]] = {}
        table = segments.select(["mmsi", "hull_id"]).filter(
            pc.is_in(segments["hull_id"], pa.array(sorted(wanted), type=pa.string()))
        )
        for row in table.to_pylist():
            if row["mmsi"] is not None and flag_state(row["mmsi"]) in self._parameters.tied_flags:
                borne.setdefault(row["hull_id"], set()).add(row["mmsi"])
        return borne


def weight_db(ties: Sequence[Tie]) -> float:
    """What the ties of one ship weigh together: the heaviest, and a little for others."""
    return ties[0].weight_db + FURTHER_DB * (len(ties) - 1) if ties else 0.0


def bond_of(ties: Sequence[Tie]) -> Bond:
    """The closest of a ship's ties, of which there must be one: the DPRK's before others.

    >>> bond_of([Tie(14.0, "on the watch list", "", "list"), Tie(12.0, "called at Nampo", "", "dprk")])
    'dprk'
    """
    held = {tie.to for tie in ties}
    return next(bond for bond in BONDS if bond in held)


def both_tied(own: Sequence[Tie], other: Sequence[Tie]) -> str:
    """What two tied ships are, in words.

    >>> both_tied([Tie(14.0, "flag KP", "", "dprk")], [Tie(14.0, "on the watch list", "", "list")])
    'one ship is tied to the DPRK, the other is on the watch list'
    """
    one, two = BONDS[bond_of(own)], BONDS[bond_of(other)]
    return f"both are {one}" if one == two else f"one ship is {one}, the other is {two}"


def concern_dprk(parties: Iterable[Party], ties: Iterable[Tie], waters: Zone | None) -> bool:
    """Whether the DPRK has a part in it by flag, tie or waters: only then its measures can have been breached."""
    at_home = waters is not None and waters.country == DPRK
    return at_home or any(tie.to == "dprk" for tie in ties) or any(party.flag == DPRK for party in parties)


def _apart(stay: _Stay, at: datetime) -> timedelta:
    if stay.start > at:
        return stay.start - at
    return max(at - stay.end, timedelta(0))
