"""A near miss in words: its headline, its evidence line by line, and what makes it less sure.

Takes a near miss with the statement and the entry it joins; gives text for a finding. Nothing is judged here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.finding import Evidence
from detectors.rules.identity.claims import Spell
from detectors.rules.identity.digits import flag_of, imo_passes, right_check_digit
from detectors.rules.identity.near_listed.chance import FAILS, LONG, PASSES, SHORT, Chances, imo_form
from detectors.rules.identity.near_listed.edits import IMO_DIGITS, MMSI_DIGITS, edit_in_words, is_one_edit
from detectors.rules.identity.near_listed.likeness import DIFFERS, EQUAL, NEAR, UNKNOWN, Likeness, Statements
from detectors.rules.identity.near_listed.listings import Listings
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import sentence, ship, span
from detectors.watchlist import ListedVessel
from vessels.ais import mmsi_text

_AGREEING: Final = {EQUAL: "the same", NEAR: "near it", DIFFERS: "another"}
_FORMS: Final = {
    PASSES: "numbers that pass the check digit",
    FAILS: "numbers that fail the check digit",
    SHORT: "numbers of six digits",
    LONG: "numbers of eight digits",
}


RIVAL: Final = 0.1
"""Odds of others, as a share of its own, from which they are worth a caveat."""


@dataclass(frozen=True, slots=True)
class Near:
    """A sender near a listed vessel: what it said and when, how that compares, and the odds that it is that vessel.

    `place` and `at` are those of the entry and of the statement; `like` holds this pair alone; `heard_mmsi` are those
    the listed vessel was heard under. `odds` are against chance, `rival_odds` those of other hulls for this vessel
    and of other vessels for this hull.
    """

    spells: tuple[Spell, ...]
    place: int
    at: int
    like: Likeness
    odds: float
    together_h: float
    heard_mmsi: frozenset[int]
    rival_odds: float = 0.0

    @property
    def first_us(self) -> int:
        """First report of the claim."""
        return min(spell.first_us for spell in self.spells)

    @property
    def last_us(self) -> int:
        """Last report of the claim."""
        return max(spell.last_us for spell in self.spells)

    @property
    def hull(self) -> str:
        """The hull, or else the MMSI."""
        return self.spells[0].hull_id or f"mmsi {self.spells[0].mmsi}"

    def is_(self, column: str, *states: int) -> bool:
        """Whether a column of the likeness is in one of these states."""
        return int(getattr(self.like, column)[0]) in states


def _called(entry: ListedVessel) -> str:
    return f"{entry.caption} ({entry.entry_id})" if entry.caption else entry.entry_id


def headline(near: Near, said: Statements, listed: Listings) -> str:
    """What the ship sends, and of which listed vessel it is one slip away."""
    entry = listed.entries[near.place]
    named = next((spell.name for spell in reversed(near.spells) if spell.name), None)
    who = ship(named, near.spells[0].mmsi)
    name = _listed_name(near, listed)
    like_name = {EQUAL: f"the name {name}", NEAR: f"a name one letter from {name}"}.get(int(near.like.name[0]), "")
    if near.is_("imo", NEAR):
        imo = int(said.imo[near.at])
        slip = _slip(imo, int(entry.imo or 0), IMO_DIGITS)
        text = f"{who} sends IMO number {imo}, {slip} {entry.imo}, which the watch list gives for {_called(entry)}"
        also = [like_name] if like_name else []
        also += ["a length equal to hers"] if near.is_("length", EQUAL) else []
        return sentence(text + (f", and {' and '.join(also)}." if also else "."))
    if near.is_("mmsi", NEAR):
        number = _near_mmsi(near, listed)
        slip = _slip(near.spells[0].mmsi, number, MMSI_DIGITS)
        text = f"{who} sends an MMSI {slip} {mmsi_text(number)}, which the watch list gives for {_called(entry)}"
        return sentence(f"{text}{', and ' + like_name if like_name else ''}.")
    beside = "call sign" if near.is_("call_sign", EQUAL) else "length"
    return sentence(f"{who} sends {like_name} and the {beside} of that ship, {_called(entry)} of the watch list.")


def _slip(claimed: int, listed: int, digits: int) -> str:
    return "two exchanged digits from" if "exchanged" in edit_in_words(claimed, listed, digits) else "one digit from"


def _listed_name(near: Near, listed: Listings) -> str:
    place = int(near.like.name_place[0])
    return str(listed.names.values[place]) if place >= 0 else ""


def _near_mmsi(near: Near, listed: Listings) -> int:
    numbers = np.array(listed.mmsi.of_one(near.place), dtype=np.int64)
    close = is_one_edit(np.full(len(numbers), near.spells[0].mmsi), numbers, MMSI_DIGITS)
    return int(numbers[close][0])


def evidence(
    near: Near, said: Statements, listed: Listings, chances: Chances, thresholds: Thresholds
) -> tuple[Evidence, ...]:
    """The lines of the case: what is near, what else agrees or differs, and how often chance does as much."""
    entry, at = listed.entries[near.place], near.at
    n_reports = sum(spell.n_reports for spell in near.spells)
    when = f"{n_reports} reports, {span(near.first_us, near.last_us)}"
    mmsi, imo = near.spells[0].mmsi, int(said.imo[at])
    lines = []
    if near.is_("imo", NEAR):
        edit = edit_in_words(imo, int(entry.imo or 0), IMO_DIGITS)
        lines.append(Evidence("IMO number sent", f"{imo}: {when}", f"{entry.imo} on the watch list: {edit}"))
        lines.append(_check_digit(imo))
        form = int(imo_form(np.array([imo]))[0])
        numbers = f"{chances.n_claimed[form]} {_FORMS[form]} heard, {chances.n_listed} vessels listed"
        lines.append(Evidence("IMO numbers one edit apart by chance", f"{chances.hits[form]:.2g} expected", numbers))
    elif imo and entry.imo:
        fits = "whose check digit passes" if imo_passes(imo) else "whose check digit fails"
        lines.append(Evidence("IMO number sent", f"{imo}, {fits}", f"{entry.imo} on the watch list: another number"))
    if near.is_("mmsi", NEAR):
        number = _near_mmsi(near, listed)
        edit = edit_in_words(mmsi, number, MMSI_DIGITS)
        lines.append(Evidence("MMSI sent", f"{mmsi_text(mmsi)}: {when}", f"{mmsi_text(number)} on the list: {edit}"))
        by_chance = f"{chances.near_mmsi * chances.n_pairs:.2g} expected"
        lines.append(Evidence("MMSI one edit apart by chance", by_chance, f"{chances.n_pairs} pairs of ship and entry"))
    lines += _agreements(near, said, listed)
    share = thresholds.near_listed_share * chances.n_ships
    lines.append(
        Evidence(
            "strangers as like as this, by chance",
            f"{share / near.odds:.2g} among {chances.n_ships} ships heard and {chances.n_listed} vessels listed",
            f"{share:.2g} of the ships are taken to be listed ones under altered claims",
        )
    )
    return (*lines, _entry_line(entry))


def _check_digit(imo: int) -> Evidence:
    if len(str(imo)) != IMO_DIGITS:
        return Evidence("digits of the IMO number", str(len(str(imo))), str(IMO_DIGITS))
    if imo_passes(imo):
        return Evidence("check digit", f"{imo % 10} passes: the number may have been given to another ship", "")
    return Evidence("check digit", f"{imo % 10} fails: no ship was given this number", str(right_check_digit(imo)))


def _agreements(near: Near, said: Statements, listed: Listings) -> list[Evidence]:
    """Name, length, beam, call sign, flag and type of both, where both are known."""
    at, place, like = near.at, near.place, near.like
    entry = listed.entries[place]
    lines = []
    if not near.is_("name", UNKNOWN):
        words = {EQUAL: "the same", NEAR: "one letter apart", DIFFERS: "another name"}[int(like.name[0])]
        others = int(said.bearers[at]) - 1
        seen = f"{said.name[at]}; {others} other ships send this name" if others else str(said.name[at])
        lines.append(Evidence("name", seen, f"{_listed_name(near, listed)}: {words}"))
    for what, column, ours, theirs, own in (
        ("length", "length", said.length_m[at], listed.length_m[place], entry.length_m),
        ("beam", "beam", said.beam_m[at], listed.beam_m[place], entry.beam_m),
    ):
        if not near.is_(column, UNKNOWN):
            source = "by the watch list" if own else "as heard under the listed number"
            words = _AGREEING[int(getattr(like, column)[0])]
            lines.append(Evidence(what, f"{ours:.0f} m", f"{theirs:.0f} m {source}: {words}"))
    for what, column, values in (("call sign", "call_sign", listed.call_signs), ("flag", "flag", listed.flags)):
        if not near.is_(column, UNKNOWN):
            theirs = ", ".join(values.of_one(place))
            ours = near.spells[-1].call_sign if what == "call sign" else flag_of(near.spells[0].mmsi)
            lines.append(Evidence(what, str(ours), f"{theirs}: {_AGREEING[int(getattr(like, column)[0])]}"))
    if not near.is_("type_group", UNKNOWN):
        theirs = ", ".join(listed.type_groups.of_one(place))
        lines.append(
            Evidence("type", str(said.type_group[at]), f"{theirs}, as heard: {_AGREEING[int(like.type_group[0])]}")
        )
    if near.together_h > 0.0:
        lines.append(Evidence("listed vessel heard elsewhere meanwhile", f"{near.together_h:.1f}", "0", "h"))
    return lines


def _entry_line(entry: ListedVessel) -> Evidence:
    numbers = [f"IMO {entry.imo}"] if entry.imo else []
    numbers += [f"MMSI {mmsi_text(one)}" for one in sorted(entry.mmsi)]
    source = " ".join(part for part in (entry.datasets, entry.url) if part)
    return Evidence("watch-list entry", f"{entry.entry_id}: {entry.caption or 'no name'}; {', '.join(numbers)}", source)


def caveats(near: Near, said: Statements, small: bool) -> tuple[str, ...]:
    """What makes it less sure."""
    form = int(imo_form(said.imo[[near.at]])[0])
    said_so = (
        (near.is_("imo", NEAR), "a digit mistyped when the set was programmed looks the same"),
        (near.is_("imo", NEAR) and form == PASSES, "ships built one after another have numbers near each other"),
        (near.is_("imo", NEAR) and form in (SHORT, LONG), "some states give official numbers of that many digits"),
        (near.is_("mmsi", NEAR), "states give MMSI in series: half of all ships have a neighbour one digit away"),
        (not near.is_("imo", NEAR) and not near.is_("mmsi", NEAR), "matched without a number of the watch list"),
        (near.is_("name", NEAR) and near.is_("length", EQUAL), "sister ships may have like names"),
        (near.together_h > 0.0, "the listed vessel was heard elsewhere at the same time"),
        (near.rival_odds > RIVAL * near.odds, "another ship, or another listed vessel, fits as well"),
        (small, "not a ship that must carry class A (SOLAS V/19): such sets are programmed freely"),
    )
    return tuple(words for holds, words in said_so if holds)
