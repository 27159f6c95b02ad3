"""Numbers and signs that the standard does not allow: MMSI, IMO check digit, call sign of another state.

Takes the claims; gives findings on what was claimed, strong only where the set says it belongs to a merchant ship.
Most class B sets and gear buoys carry odd numbers; of them little or nothing is said.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz.distance import DamerauLevenshtein

from detectors.finding import Evidence, Finding
from detectors.rules.identity.claims import Claims, Run, Spell, runs_of
from detectors.rules.identity.digits import imo_passes, right_check_digit, states_of
from detectors.rules.identity.standing import Lookups
from detectors.rules.identity.wording import combined, known, sentence, ship, span
from vessels.ais import (
    MmsiKind,
    call_sign_state,
    imo_check_digit_ok,
    mmsi_kinds,
    mmsi_text,
    state_names,
)
from vessels.instants import instant_of
from vessels.names import looks_like_gear, spelling

_ODD_KINDS: Final = (
    MmsiKind.UNKNOWN_MID,
    MmsiKind.NO_SHAPE,
    MmsiKind.CRAFT_OF_PARENT,
    MmsiKind.HANDHELD,
    MmsiKind.NET_BUOY,
)
UNKNOWN_MID_MERCHANT: Final = 0.55
"""A ship that must be registered somewhere, under no state's digits (A LI and the false MID 520 of 2017)."""
NO_SHAPE_MERCHANT: Final = 0.4
"""A merchant ship's set left unprogrammed is a deficiency more often than a disguise."""
OTHER_STATION_MERCHANT: Final = 0.35
UNKNOWN_MID_SMALL: Final = 0.12
NO_SHAPE_SMALL: Final = 0.06
CLASS_B: Final = 0.04
INVALID_IMO_CARRIER: Final = 0.25
"""Cargo ships and tankers of class A size; 149 of 3,663 numbers of a US sample failed, most of them tugs'."""
INVALID_IMO_OTHER: Final = 0.08
CORRECTED: Final = 0.04
FOREIGN_SIGN_MERCHANT: Final = 0.3
FOREIGN_SIGN_OTHER: Final = 0.1
"""In a US sample 16 of 5,948 class A call signs were another state's, most of them yachts'."""
WATCHED_HIGH: Final = 0.5


def odd_mmsi_groups(claims: Claims) -> dict[int, MmsiKind]:
    """Groups whose MMSI is no ship's, with the kind it is of."""
    mmsi = claims.columns["mmsi"][claims.starts[:-1]]
    kinds = mmsi_kinds(mmsi)
    odd = np.flatnonzero(np.isin(kinds, _ODD_KINDS))
    return {int(group): MmsiKind(int(kinds[group])) for group in odd}


def invalid_imo_groups(claims: Claims) -> npt.NDArray[np.intp]:
    """Groups that claimed an IMO number whose check digit fails."""
    imo = claims.columns["imo"]
    return _groups_with(claims, (imo > 0) & ~imo_check_digit_ok(imo))


def foreign_sign_groups(claims: Claims) -> npt.NDArray[np.intp]:
    """Groups of ships not of class B that sent a call sign from another state's series."""
    columns = claims.columns
    signs = columns["call_sign"]
    keys = np.array([f"{s[:3]}1" if s is not None and 4 <= len(s) <= 7 else None for s in signs], dtype=object)
    codes, prefixes = pd.factorize(keys)
    mmsi = columns["mmsi"]
    judged = (codes >= 0) & (columns["transceiver"] != "B") & (mmsi_kinds(mmsi) == MmsiKind.SHIP)
    pairs = np.where(judged, (mmsi // 1_000_000) * (len(prefixes) + 1) + codes, -1)
    foreign = []
    for pair in np.unique(pairs[judged]).tolist():
        mid, code = divmod(pair, len(prefixes) + 1)
        state = call_sign_state(str(prefixes[code]))
        if state is not None and state not in states_of(mid * 1_000_000):
            foreign.append(pair)
    return _groups_with(claims, np.isin(pairs, foreign) & judged)


def _groups_with(claims: Claims, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.unique(np.searchsorted(claims.starts, np.flatnonzero(rows), side="right") - 1)


def _told(
    kind: str,
    spells: Sequence[Spell],
    strength: float,
    headline: str,
    evidence: Sequence[Evidence],
    caveats: Sequence[str],
    lookups: Lookups,
    subject: str = "",
) -> list[Finding]:
    """The finding for each voyage on which these spells were claimed, stays in a watched zone counted in."""
    first, last = spells[0], max(spells, key=lambda spell: spell.last_us)
    watched, days = lookups.surroundings.watched((first.mmsi,), first.hull_id, first.first_us, last.last_us)
    lines = list(evidence)
    if watched is not None and watched.level == "high":
        strength = combined(strength, WATCHED_HIGH)
        when = f"{watched.zone_id}, {span(watched.start_us, watched.end_us)}, {days:.1f} days from the claim"
        lines.append(Evidence("stay in a zone of high watch", when, "none"))
    n_reports = sum(spell.n_reports for spell in spells)
    few = [f"the claim rests on {n_reports} reports"] if n_reports < 10 else []
    finding = Finding(
        detector="",
        detector_version="",
        kind=kind,
        mmsi=first.mmsi,
        start=instant_of(first.first_us),
        end=instant_of(last.last_us),
        strength=strength,
        headline=sentence(headline),
        evidence=tuple(lines),
        caveats=(*few, *caveats),
        lat=known(first.first_lat),
        lon=known(first.first_lon),
        segment_id=first.segment_id,
        hull_id=first.hull_id,
        subject=subject,
    )
    if first.hull_id is None and first.segment_id is None:
        return [finding]
    return lookups.voyages.told_of_each(finding, first.first_us, last.last_us, first.hull_id)


def _label(spells: Sequence[Spell]) -> str:
    named = [spell for spell in spells if spell.name is not None]
    return ship(named[-1].name if named else None, spells[0].mmsi)


def _claimed(spells: Sequence[Spell]) -> Evidence:
    last = max(spells, key=lambda spell: (spell.imo > 0, spell.last_us))
    said = [f"IMO number {last.imo}"] if last.imo else []
    said += [f"length {last.length_m:.0f} m"] if last.length_m > 0 else []
    said += [f"class {last.transceiver}"] if last.transceiver else []
    n_reports = sum(spell.n_reports for spell in spells)
    when = span(spells[0].first_us, max(spell.last_us for spell in spells))
    return Evidence("what the set says of its ship", ", ".join(said) or "nothing", "", f"{n_reports} reports, {when}")


def invalid_mmsi(spells: Sequence[Spell], kind: MmsiKind, lookups: Lookups) -> list[Finding]:
    """Findings on an MMSI of a kind that no administration assigns to a ship."""
    if any(looks_like_gear(spell.name) for spell in spells):
        return []
    mmsi = spells[0].mmsi
    thresholds = lookups.thresholds
    merchant = any(spell.claims_merchant(thresholds) for spell in spells)
    long = any(spell.length_m >= thresholds.merchant_length_m for spell in spells)
    class_b = all(spell.transceiver == "B" for spell in spells)
    grades = {
        MmsiKind.UNKNOWN_MID: (UNKNOWN_MID_MERCHANT, UNKNOWN_MID_SMALL, CLASS_B),
        MmsiKind.NO_SHAPE: (NO_SHAPE_MERCHANT, NO_SHAPE_SMALL, 0.0),
    }
    for_merchant, for_small, for_class_b = grades.get(kind, (OTHER_STATION_MERCHANT if long else 0.0, 0.0, 0.0))
    strength = for_merchant if merchant else for_class_b if class_b else for_small
    if strength <= 0.0:
        return []
    digits = mmsi_text(mmsi)
    means = {
        MmsiKind.UNKNOWN_MID: f"begins with {digits[:3]}, the digits of no state",
        MmsiKind.NO_SHAPE: "has the form of no station",
        MmsiKind.CRAFT_OF_PARENT: "is the number of a ship's boat",
        MmsiKind.HANDHELD: "is the number of a handheld set",
        MmsiKind.NET_BUOY: "is the number of a net buoy",
    }[kind]
    evidence = (
        Evidence("MMSI", f"{digits} {means}", "nine digits that begin with a state's MID (ITU-R M.585-9)"),
        _claimed(spells),
    )
    caveats = []
    if kind == MmsiKind.UNKNOWN_MID:
        caveats.append("digits assigned to a state since the table was made are missing from it")
    if kind == MmsiKind.NO_SHAPE:
        caveats.append("sets left unprogrammed send such numbers; several ships may share this one")
    if not merchant:
        caveats.append("not a ship that must carry class A (SOLAS V/19): such sets are programmed freely")
    headline = f"{_label(spells)} sends an MMSI that {means}."
    return _told("invalid_mmsi", spells, strength, headline, evidence, caveats, lookups, spells[0].hull_id or "")


def invalid_imo(spells: Sequence[Spell], lookups: Lookups) -> list[Finding]:
    """Findings on IMO numbers that fail the check digit and were claimed for long."""
    thresholds = lookups.thresholds
    found: list[Finding] = []
    runs = runs_of(spells, lambda spell: spell.imo or None, lambda a, b: a == b)
    valid = [run for run in runs if imo_passes(run.value)]
    for number in dict.fromkeys(run.value for run in runs if not imo_passes(run.value)):
        members = [spell for run in runs if run.value == number for spell in run.spells]
        all_of_it = Run(number, tuple(members))
        if all_of_it.n_reports < thresholds.min_invalid_reports or all_of_it.duration_h < thresholds.min_settled_h:
            continue
        corrected = [
            run.value
            for run in valid
            if run.first_us >= all_of_it.last_us and DamerauLevenshtein.distance(str(run.value), str(number)) <= 1
        ]
        last = members[-1]
        carrier = last.claims_merchant(thresholds) and last.type_group in ("cargo", "tanker")
        long = last.length_m >= thresholds.merchant_length_m
        strength = CORRECTED if corrected else INVALID_IMO_CARRIER if carrier and long else INVALID_IMO_OTHER
        right = right_check_digit(number)
        evidence = [
            Evidence("IMO number claimed", str(number), f"{number // 10}{right} by its check digit (IMO A.1117(30))"),
            _claimed(members),
        ]
        caveats = ["a digit mistyped when the set was programmed looks the same"]
        if corrected:
            evidence.append(Evidence("corrected later to", str(corrected[0]), "a number that passes"))
        headline = f"{_label(members)} sends IMO number {number}, whose check digit fails."
        found += _told("invalid_imo", members, strength, headline, evidence, caveats, lookups, str(number))
    return found


def flag_call_sign_mismatch(spells: Sequence[Spell], lookups: Lookups) -> list[Finding]:
    """Findings on call signs from the series of a state other than the MMSI's."""
    thresholds = lookups.thresholds
    states = states_of(spells[0].mmsi)
    found: list[Finding] = []
    signs: dict[str, list[Spell]] = {}
    for spell in spells:
        if spell.call_sign is not None and spell.transceiver != "B":
            signs.setdefault(spell.call_sign, []).append(spell)
    for sign, members in signs.items():
        state = call_sign_state(sign)
        n_reports = sum(spell.n_reports for spell in members)
        if state is None or state in states or n_reports < thresholds.min_reports or _is_the_name(sign, members):
            continue
        merchant = any(spell.claims_merchant(thresholds) and spell.type_group != "pleasure" for spell in members)
        names: Any = state_names()
        flags = " or ".join(sorted(names.get(one, one) for one in states))
        evidence = (
            Evidence("call sign", f"{sign}, of the series of {names.get(state, state)}", f"a series of {flags}"),
            Evidence(
                "MMSI", f"{mmsi_text(members[0].mmsi)}, digits of {flags}", f"digits of {names.get(state, state)}"
            ),
            _claimed(members),
        )
        caveats = ["after a change of flag the two are not always reprogrammed at once"]
        headline = f"{_label(members)} sends a call sign of {names.get(state, state)} with an MMSI of {flags}."
        strength = FOREIGN_SIGN_MERCHANT if merchant else FOREIGN_SIGN_OTHER
        found += _told("flag_call_sign_mismatch", members, strength, headline, evidence, caveats, lookups, sign)
    return found


def _is_the_name(sign: str, spells: Sequence[Spell]) -> bool:
    """Whether the ship's name was typed into the call-sign field."""
    letters = spelling(sign).letters
    return any(
        spell.name is not None and letters and spelling(spell.name).letters.startswith(letters) for spell in spells
    )
