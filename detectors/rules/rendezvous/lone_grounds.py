"""Grounds of a meeting of which one ship was seen: what her stay says, and what each ship that was silent then.

Takes stays and silences as records; gives reasons. How the silent ships are weighed against each other is left to
`lone`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from detectors.finding import Evidence
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.parameters import CarrierParameters, RendezvousParameters
from detectors.rules.rendezvous.places import Spot, place_reasons
from detectors.rules.rendezvous.reasons import Reason, per_doubling
from detectors.rules.rendezvous.ships import Party
from detectors.rules.rendezvous.ties import Tie, both_tied, weight_db

MOVED_DB: Final = 5.0
"""The draught claimed changed while she lay alone at sea: cargo came or went. Some type it late, after a port."""
UNMOVED_DB: Final = -2.0
LONG_DB, LONG_MOST_DB = -3.0, -8.0
BUSY_DB: Final = -6.0
"""Not under command, restricted in her ability to manoeuvre, aground, fishing: she says why she lies there."""
AT_ANCHOR_DB: Final = -3.0
OWN_TIE_FACTOR: Final = 0.7
MISFIT_DB: Final = 3.0
HEARD_DB: Final = 3.0
"""Ships around the silent one were heard: she was not by choice or by fault, not for want of receivers."""
RECEPTION_DB: Final = {"heard": HEARD_DB, "unheard_place": -3.0, "class_thinned": -4.0, "outage": -6.0, "unknown": -2.0}
OPPOSITE_DB, SILENT_MOVED_DB, ALIKE_DB, SILENT_UNMOVED_DB = 5.0, 2.0, -4.0, -2.0
TANKERS_DB, UNLIKE_DB = 2.0, -4.0
"""Oil goes from tanker to tanker; a tanker and a bulk carrier have little to give each other."""
BELIED_DB: Final = 3.0
BOTH_TIED_DB: Final = 6.0
"""Two ships of that trade: among themselves they have ordinary reasons to meet."""
IN_PORT_DB: Final = -8.0
"""Silent from a port to the same port: laid up, in dock, set off at the berth."""
PLAIN_COMPANY: Final = 2
"""Among more ships than this she lies as at an anchorage."""
BUSY_STATUS: Final = {2: "not under command", 3: "restricted in her ability to manoeuvre", 6: "aground", 7: "fishing"}
LYING_STATUS: Final = {1: "at anchor", 5: "moored"}


@dataclass(frozen=True, slots=True)
class Stay:
    """One ship lying alone, as a record."""

    row: dict[str, Any] = field(repr=False)
    party: Party
    spot: Spot
    end: datetime
    """When it ended, or now while it goes on."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One gap of a ship that may be a carrier, as a record."""

    row: dict[str, Any] = field(repr=False)
    party: Party
    in_port: str
    """Name of the port at which she fell silent and was heard again; "" if there is none."""


def is_plain(row: Mapping[str, Any], most_h: float, parameters: CarrierParameters) -> bool:
    """Whether nothing that was seen says why a ship lay there: no status, not long, and few others ever or then."""
    unusual = (row["n_ships_ever"] or 0) <= parameters.usual_ships and (row["n_ships_near"] or 0) <= PLAIN_COMPANY
    says_why = row["nav_status"] in BUSY_STATUS or row["nav_status"] in LYING_STATUS
    return unusual and not says_why and bool(row["duration_h"] <= most_h)


def lone_reasons(stay: Stay, own: Sequence[Tie], bound: Bound, parameters: RendezvousParameters) -> list[Reason]:
    """What speaks for and against a meeting in what was seen of the ship that lay alone."""
    row, party = stay.row, stay.party
    lines = (
        Evidence("ship", party.described),
        Evidence("time slow at sea", f"{row['duration_h']:.1f}", "none on passage", "h"),
    )
    reasons = [Reason("slow and alone at sea", 0.0, lines)]
    reasons += place_reasons(
        stay.spot, row["shore_nmi"], parameters.lone_offshore_nmi, row["n_ships_ever"], row["n_ships_near"], parameters
    )
    reasons += status_reasons(row["nav_status"])
    gain_m = gain_of(row)
    if gain_m is not None:
        moved = abs(gain_m) >= parameters.draught_change_m - 1e-6
        line = _draught_line(party, row)
        caveat = "draughts are typed by hand, and sometimes long after the port"
        what = "her draught changed" if moved else "her draught did not change"
        reasons.append(Reason(what, MOVED_DB if moved else UNMOVED_DB, (line,), caveat if moved else ""))
    long_db = per_doubling(row["duration_h"], parameters.long_loitering_h, LONG_DB, LONG_MOST_DB)
    if long_db:
        reasons.append(
            Reason("longer than a transfer", long_db, (), "ships wait for orders, berths and cargo for days")
        )
    if own:
        bearing = tuple(Evidence(f"tie of {party.in_words}", tie.observed, "no tie") for tie in own)
        reasons.append(Reason(f"this ship: {own[0].what}", OWN_TIE_FACTOR * weight_db(own), bearing))
    misfit = bound.misfit(party, row["start"], stay.end, stay.spot.lat, stay.spot.lon)
    if misfit:
        line = Evidence(f"destination of {party.in_words}", misfit, "a destination that fits")
        caveat = "destinations are left stale, and orders change at sea"
        reasons.append(Reason("a destination that does not fit", MISFIT_DB, (line,), caveat))
    return reasons


def status_reasons(status: int | None) -> list[Reason]:
    """What the navigational status sent says of lying there."""
    for table, weight in ((BUSY_STATUS, BUSY_DB), (LYING_STATUS, AT_ANCHOR_DB)):
        if status in table:
            said = table[status]
            line = Evidence("navigational status most often sent", f"{status} ({said})", "under way")
            return [Reason(f"she says she is {said}", weight, (line,), f"she says she is {said}")]
    return []


def gain_of(row: dict[str, Any]) -> float | None:
    """Draught at the end less that at the start; None if either is not known."""
    if row["start_draught_m"] is None or row["end_draught_m"] is None:
        return None
    return float(row["end_draught_m"] - row["start_draught_m"])


def silent_reasons(stay: Stay, silence: Silence, ties: Sequence[Tie], stay_ties: Sequence[Tie]) -> list[Reason]:
    """What speaks for and against one silent ship having been the other: her set, her ties, what she carries."""
    row, party = silence.row, silence.party
    reception = _reception(row)
    line = Evidence(f"reception about {party.in_words} while silent", reception, "heard, if she switched off")
    caveat = "" if reception == "heard" else f"reception where the silent ship was: {reception.replace('_', ' ')}"
    reasons = [Reason(f"reception: {reception}", reception_db(row), (line,), caveat)]
    if ties:
        lines = tuple(Evidence(f"tie of {party.in_words}", tie.observed, "no tie") for tie in ties)
        both = f"{both_tied(stay_ties, ties)}; " if stay_ties else ""
        weight = BOTH_TIED_DB if stay_ties else weight_db(ties)
        reasons.append(Reason(f"{both}the silent ship: {ties[0].what}", weight, lines))
    if {stay.party.role, party.role} == {"tanker"}:
        reasons.append(Reason("both tankers", TANKERS_DB))
    elif {stay.party.role, party.role} == {"tanker", "cargo"}:
        reasons.append(Reason("a tanker and another carrier", UNLIKE_DB))
    if party.belied:
        reasons.append(Reason("a type that does not fit", BELIED_DB, (Evidence("type", party.belied),)))
    if silence.in_port:
        lines = (Evidence("silent from and to", silence.in_port, "the sea"),)
        caveat = "the silent ship may have lain in port with her set off"
        reasons.append(Reason("silent in port", IN_PORT_DB, lines, caveat))
    return reasons


def _reception(row: dict[str, Any]) -> str:
    said: str | None = row["reception"]
    return said if said in RECEPTION_DB and said is not None else "unknown"


def reception_db(row: dict[str, Any]) -> float:
    """What reception about a silence says of it."""
    return RECEPTION_DB[_reception(row)]


def fit_reasons(stay: Stay, silence: Silence, parameters: RendezvousParameters) -> list[Reason]:
    """Whether the draughts of the two fit each other."""
    gain_m = gain_of(silence.row)
    if gain_m is None:
        return []
    return [_draught_reason(gain_m, gain_of(stay.row), _draught_line(silence.party, silence.row), parameters)]


def _draught_reason(silent_m: float, seen_m: float | None, line: Evidence, parameters: RendezvousParameters) -> Reason:
    least = parameters.draught_change_m - 1e-6
    if abs(silent_m) < least:
        return Reason("the silent ship's draught did not change", SILENT_UNMOVED_DB, (line,))
    if seen_m is None or abs(seen_m) < least:
        return Reason("the silent ship's draught changed", SILENT_MOVED_DB, (line,))
    if silent_m * seen_m < 0.0:
        return Reason("draughts changed oppositely", OPPOSITE_DB, (line,))
    return Reason("draughts changed alike", ALIKE_DB, (line,))


def _draught_line(party: Party, row: dict[str, Any]) -> Evidence:
    said = f"{row['start_draught_m']:.1f} before, {row['end_draught_m']:.1f} after"
    return Evidence(f"draught claimed by {party.in_words}", said, "unchanged at sea", "m")
