"""An identity that fell silent, or ended at a breakers' yard, and returned on another hull.

Takes the returns of identities; gives `revived_identity` findings where what is known of the hull does not fit. Silence
itself is no ground: ships are laid up, sail out of reach, change flag and fish by the season.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.rules.identity.breakers import Breakers
from detectors.rules.identity.claims import Claims
from detectors.rules.identity.crossings import Crossings
from detectors.rules.identity.heard import Fix
from detectors.rules.identity.returns import Return, Side, returns_of
from detectors.rules.identity.revival_grounds import Case, Habits, grounds_of
from detectors.rules.identity.standing import VoyageSpans
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import combined, iso, known, position, sentence, ship
from vessels.ais import mmsi_text
from vessels.history import History
from vessels.instants import instant_of
from vessels.names import looks_like_gear, near_equal_call_signs, near_equal_names
from vessels.units import US_PER_DAY

ONLY_NUMBER: Final = 0.5
"""Factor where name and call sign are new too: a mistyped number passes the check digit one time in ten."""
SMALL: Final = 0.4
"""Factor for craft that need not carry class A, whose crews type what they like."""


def revived_identity(
    scene: Scene, claims: Claims, same_imo: Mapping[int, npt.NDArray[np.intp]], thresholds: Thresholds
) -> list[Finding]:
    """Findings on identities that returned on another hull, one for each voyage after the return.

    `same_imo` holds the rows that claim one IMO number under several MMSI.
    """
    history = scene.history
    breakers = Breakers(history, scene.zones)
    crossings = Crossings(history, thresholds.revival_link_probability)
    returns = returns_of(claims, same_imo, history, breakers.mmsi, crossings.silences, thresholds)
    habits = _habits_of(history, returns)
    told: list[tuple[Finding, Return]] = []
    for one in returns:
        scrapped = breakers.last_heard(one.before.mmsi, one.last.time_us, thresholds.unseen_h)
        if scrapped is None and one.gap_h * 3600e6 < thresholds.revival_silence_days * US_PER_DAY:
            continue
        bodies = one.before.bodies(thresholds), one.after.bodies(thresholds)
        case = Case(one, bodies, (habits(one.before), habits(one.after)), crossings, scrapped, thresholds)
        finding = _judged(case)
        if finding is not None:
            told.append((finding, one))
    voyages = VoyageSpans(history, {finding.mmsi for finding, _ in told})
    found: list[Finding] = []
    for finding, one in told:
        last_us = max(spell.last_us for spell in one.after.spells)
        found += voyages.told_of_each(finding, one.first.time_us, last_us, finding.hull_id)
    return found


def _habits_of(history: History, returns: Sequence[Return]) -> Callable[[Side], Habits | None]:
    """Speed and report interval of the track nearest to the silence, for the sides of these returns."""
    names = sorted({name for one in returns for side in (one.before, one.after) for name in side.segments})
    segments = history.segments
    rows = segments.filter(pc.is_in(segments["segment_id"], value_set=pc.cast(names, segments["segment_id"].type)))
    columns = [rows[name].to_pylist() for name in ("segment_id", "cruise_kn", "median_interval_s", "n_positions")]
    known = {
        name: Habits(math.nan if cruise is None else cruise, math.nan if interval is None else interval, n or 0)
        for name, cruise, interval, n in zip(*columns, strict=True)
    }
    return lambda side: known.get(side.said("segment_id") or "")


def _judged(case: Case) -> Finding | None:
    """The finding, or None where nothing settles that another hull came back."""
    one = case.one
    spells = (*one.before.spells, *one.after.spells)
    if any(looks_like_gear(spell.name) for spell in spells) or all(spell.transceiver == "B" for spell in spells):
        return None
    grounds = grounds_of(case)
    settling = max((ground for ground in grounds if ground.settles), key=lambda ground: ground.strength, default=None)
    if settling is None:
        return None
    strength = combined(*(ground.strength for ground in grounds))
    caveats = [ground.caveat for ground in grounds if ground.caveat]
    if one.by_imo and not _goes_by_same_name(one):
        strength *= ONLY_NUMBER
        caveats.append("only the IMO number came back: a mistyped number passes the check digit one time in ten")
    if not any(spell.claims_merchant(case.thresholds) for spell in spells):
        strength *= SMALL
        caveats.append("small craft, or nothing said of the ship: such sets are programmed freely")
    fewest = min(one.before.n_reports, one.after.n_reports)
    if fewest < 10:
        caveats.append(f"one of the two sides rests on {fewest} reports")
    near = one.after.spells[0]
    others = {one.before.mmsi, *(ground.other_mmsi for ground in grounds)} - {one.after.mmsi, 0}
    return Finding(
        detector="",
        detector_version="",
        kind="revived_identity",
        mmsi=one.after.mmsi,
        start=instant_of(one.first.time_us),
        end=instant_of(max(spell.last_us for spell in one.after.spells)),
        strength=round(strength, 4),
        headline=_headline(one, settling.words),
        evidence=(*_course(one), *(ground.evidence for ground in grounds)),
        caveats=tuple(caveats),
        other_mmsi=tuple(sorted(others)),
        lat=known(one.first.lat),
        lon=known(one.first.lon),
        segment_id=near.segment_id,
        hull_id=near.hull_id,
        subject=str(one.before.said("imo") or one.before.said("name") or one.before.mmsi),
    )


def _goes_by_same_name(one: Return) -> bool:
    name, sign = one.before.said("name"), one.before.said("call_sign")
    if name is not None and near_equal_names(name, one.after.said("name")) is not None:
        return True
    return sign is not None and near_equal_call_signs(sign, one.after.said("call_sign"))


def _headline(one: Return, words: str) -> str:
    days = one.gap_h / 24.0
    after = ship(one.after.said("name"), one.after.mmsi)
    if one.by_imo:
        who = f"IMO number {one.before.said('imo')} of {ship(one.before.said('name'), one.before.mmsi)}"
        return sentence(f"{who}, unheard for {days:.1f} days, was heard again from {after}, {words}.")
    return sentence(f"{after}, unheard for {days:.1f} days, was heard again {words}.")


def _course(one: Return) -> tuple[Evidence, ...]:
    """When and where it was last heard and heard again, and what of it came back."""

    def heard(side: Side, fix: Fix) -> str:
        where = position(fix.lat, fix.lon)
        return f"{iso(fix.time_us)} at {where}, as {ship(side.said('name'), side.mmsi)}, {side.n_reports} reports"

    kept = [f"MMSI {mmsi_text(one.after.mmsi)}"] if one.before.mmsi == one.after.mmsi else []
    for words, column in (("IMO number", "imo"), ("name", "name"), ("call sign", "call_sign")):
        value = one.after.said(column)
        if value is not None and value == one.before.said(column):
            kept.append(f"{words} {value}")
    return (
        Evidence("last heard", heard(one.before, one.last)),
        Evidence("heard again", heard(one.after, one.first)),
        Evidence("silence between", f"{one.gap_h / 24.0:.1f}", "a silence alone means nothing", "days"),
        Evidence("what came back", ", ".join(kept), "all of it, on the same hull"),
    )
