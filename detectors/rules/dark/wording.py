"""Wording of silences: what the rows say of one, and how well ships were heard there, as lines of evidence.

Takes a row of `gaps` as a record; gives evidence and caveats. Null values are passed over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from detectors.finding import Evidence
from detectors.rules.geofence.wording import iso
from vessels.ais import clean_text, mmsi_text

Row = Mapping[str, Any]
INNOCENT: Final = (
    "a set that fails, loses its aerial or is switched off for work on it, and a master who fears pirates or rivals, "
    "leave the same silence"
)
FEW_OTHERS: Final = 5.0
"""Told from fewer other ships than this, reception is named as uncertain."""
SELDOM_SHARE: Final = 1.0 / 3.0
"""Where a smaller part of the ships is heard within an hour, most are heard now and then only."""
RECEPTION: Final[Mapping[str, str]] = {
    "heard": "ships about there were heard",
    "outage": "nobody was heard: the feed was down",
    "unheard_place": "few ships are heard there",
    "class_thinned": "the feed thins sets of this class there",
}


def reception_in_words(row: Row) -> str:
    """What is known of reception over a silence, in a few words."""
    return RECEPTION.get(row["reception"] or "", "too few other ships to tell")


def are_seldom_heard(row: Row) -> bool:
    """Whether, at one end of the silence or both, under a third of the ships are heard within an hour."""
    shares = [row["start_heard_share"], row["end_heard_share"]]
    return any(share is not None and share < SELDOM_SHARE for share in shares)


def evidence_of_silence(row: Row, until: datetime) -> list[Evidence]:
    """When, where and how long; what would have been heard; the ship's habit; how she moved before and after."""
    is_open = row["end"] is None
    hours = (until - row["start"]).total_seconds() / 3600.0
    place = f"{row['start_lat']:.4f}, {row['start_lon']:.4f}"
    again = "not heard since under this number" if is_open else f"{row['end_lat']:.4f}, {row['end_lon']:.4f}"
    since = f"from {iso(row['start'])}, still silent at {iso(until)}" if is_open else f"to {iso(until)}"
    lines = [
        Evidence("silence", since if is_open else f"from {iso(row['start'])} {since}"),
        Evidence("length of the silence", f"{hours:.1f}", _habit(row), "h"),
        Evidence("last heard at", place, unit="degree"),
        Evidence("heard again at", again, unit="" if is_open else "degree"),
        Evidence("reception", reception_in_words(row)),
        *_expected(row),
        *_motion(row),
    ]
    other = row["next_mmsi"]
    if other is not None and other != row["mmsi"]:
        lines.append(Evidence("heard again as", f"MMSI {mmsi_text(other)}", f"MMSI {mmsi_text(row['mmsi'])}"))
    return lines


def evidence_of_change(row: Row) -> list[Evidence]:
    """Draught, destination and identity before and after, as far as they are known."""
    lines = []
    before, after = row["start_draught_m"], row["end_draught_m"]
    if before is not None and after is not None:
        lines.append(Evidence("draught claimed after the silence", f"{after:.1f}", f"{before:.1f} before", "m"))
    elif before is not None:
        lines.append(Evidence("draught claimed before the silence", f"{before:.1f}", unit="m"))
    said, says = clean_text(row["start_destination"]), clean_text(row["end_destination"])
    if said or says:
        lines.append(Evidence("destination claimed", f"{said or 'none'} before, {says or 'none'} after"))
    changed = identity_changes(row)
    if changed:
        lines.append(Evidence("claims that differ across the silence", ", ".join(changed), "none"))
    return lines


def identity_changes(row: Row) -> list[str]:
    """Which claims of identity differ across a silence, sorted."""
    return sorted(IDENTITY_WORDS.intersection(row["changed"] or ()))


IDENTITY_WORDS: Final = frozenset({"imo", "name", "call_sign", "ship_type"})


def caveats_of_silence(row: Row) -> list[str]:
    """What makes a silence less sure: reception, few ships about, no end yet."""
    caveats = []
    if row["reception"] != "heard":
        caveats.append(f"reception: {reception_in_words(row)}; the silence itself says little")
    chance = row["chance_unheard"]
    if chance is not None and chance >= 0.001:
        caveats.append(f"of ships there {chance:.1%} would not have been heard all the while, by chance")
    others = row["n_others"]
    if others is not None and others < FEW_OTHERS:
        caveats.append(f"how well ships are heard there is told from {others:.0f} other ships")
    if are_seldom_heard(row):
        ends = {"she fell silent": row["start_heard_share"], "she came back": row["end_heard_share"]}
        said = [f"{share:.0%} where {end}" for end, share in ends.items() if share is not None and share < SELDOM_SHARE]
        caveats.append(f"ships there are heard now and then only: within an hour {' and '.join(said)}")
    if row["end"] is None and row["next_mmsi"] not in (None, row["mmsi"]):
        caveats.append("this number has not been heard since; that the other one is hers is inferred from their tracks")
    elif row["end"] is None:
        caveats.append("she has not been heard since: she may have left for waters where nobody is heard")
    if row["transceiver"] == "B":
        caveats.append("class B sets are weak, and are switched off in port")
    return caveats


def _habit(row: Row) -> str:
    longest, usual = row["longest_usual_h"], row["usual_interval_s"]
    parts = [] if usual is None else [f"a report every {usual / 60.0:.1f} min"]
    parts += [] if longest is None else [f"no other silence over {longest:.1f} h"]
    return "; ".join(parts)


def _expected(row: Row) -> list[Evidence]:
    lines = []
    if row["expected_heard_h"] is not None:
        low = row["expected_heard_low_h"]
        bound = "" if low is None else f", at least {low:.1f}"
        lines.append(
            Evidence("hours in which she would have been heard", "0", f"{row['expected_heard_h']:.1f}{bound}", "h")
        )
    if row["expected_messages"] is not None:
        low, high = row["expected_messages_low"], row["expected_messages_high"]
        span = "" if low is None or high is None else f" ({low:.0f} to {high:.0f})"
        lines.append(Evidence("messages heard meanwhile", "0", f"{row['expected_messages']:.0f}{span}"))
    shares = [row["start_heard_share"], row["end_heard_share"]]
    if any(share is not None for share in shares):
        said = ["not known" if share is None else f"{share:.0%}" for share in shares]
        lines.append(
            Evidence("ships heard within an hour, where she fell silent and where she came back", ", ".join(said))
        )
    return lines


def _motion(row: Row) -> list[Evidence]:
    lines = []
    for end, what in (("start", "speed and course before"), ("end", "speed and course after")):
        sog, cog = row[f"{end}_sog_kn"], row[f"{end}_cog_deg"]
        if sog is not None:
            lines.append(Evidence(what, f"{sog:.1f} kn" + ("" if cog is None else f", {cog:.0f} degrees")))
    return lines
