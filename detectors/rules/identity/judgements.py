"""How odd a change of claims is, and the finding that says so.

Takes the transitions of one group with their circumstances; gives findings. Strengths are put together as
independent grounds: what the change alone says, where it happened, what changed with it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from detectors.finding import Evidence, Finding
from detectors.rules.identity.changes import Transition, goes_on, near
from detectors.rules.identity.claims import Run
from detectors.rules.identity.digits import imo_passes
from detectors.rules.identity.surroundings import Circumstances, Surroundings
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import combined, iso, known, position, sentence, ship, span
from vessels.geodesy import distance_nmi
from vessels.instants import instant_of
from vessels.units import US_PER_H

RENAMED: Final = 0.15
"""A new name or call sign alone: ships are sold and renamed, lawfully, every few years."""
UNDER_WAY: Final = 0.6
"""A change at sea: papers, hull and set are changed in port."""
UNSEEN: Final = 0.1
WATCHED: Final[Mapping[str, float]] = MappingProxyType({"high": 0.7, "elevated": 0.15})
EACH_OTHER_FIELD: Final = 0.15
RETURNED: Final = 0.3
"""A lawful change does not go back."""
SMALL: Final = 0.4
"""Factor for class B sets and craft below class A size, whose crews type what they like."""
TORN: Final = 0.5
"""Factor where no one ship could have sailed from the old claim to the new: perhaps two ships."""
SOURCE_TO_BLAME: Final = 0.2
"""Factor where much of the fleet changes alike."""

NEW_IMO: Final = 0.7
"""One valid number after another: the number stays with the hull for life (IMO A.1117(30))."""
CORRECTED_IMO: Final = 0.08
MISTYPED_IMO: Final = 0.12
OTHER_INVALID_IMO: Final = 0.35
DROPPED: Final = 0.25
TO_FISHING: Final = 0.6
"""A cargo ship or tanker that calls itself a fishing vessel, or back (Saebyol, 2019-03-02)."""
OTHER_CLASS: Final = 0.25
MISTYPED_LENGTH: Final = 0.08
"""One of the two lengths is no ship's beside its beam, or a tug shows the length of its tow (M.1371-5, message 5)."""
PLAUSIBLE_SHAPE: Final = (2.0, 14.0)
"""Length over beam of ships: broad barges to slender ferries; merchant ships lie between 4 and 9."""
MISTYPED_SIGN: Final = 0.08


def findings_of_group(
    found: Sequence[Transition], surroundings: Surroundings, thresholds: Thresholds, fleet_drops: bool
) -> list[Finding]:
    """One finding a transition, with detector and version left for the caller to fill in."""
    return [_finding(one, found, surroundings, thresholds, fleet_drops) for one in found]


def _finding(
    one: Transition,
    others: Sequence[Transition],
    surroundings: Surroundings,
    thresholds: Thresholds,
    fleet_drops: bool,
) -> Finding:
    before, after = one.old.last, one.new.first
    circumstances = surroundings.around(
        (after.mmsi,), after.hull_id, {before.segment_id, after.segment_id}, *one.between_us
    )
    together = sorted({o.what for o in others if o is not one and o.what != one.what and near(one, o, thresholds)})
    gap_h = (one.between_us[1] - one.between_us[0]) / US_PER_H
    torn = not one.same_track and _unsailable(one, gap_h, thresholds)
    small = not (before.claims_merchant(thresholds) or after.claims_merchant(thresholds))
    factor = (SMALL if small else 1.0) * (TORN if torn else 1.0)
    if one.kind == "imo_dropped" and fleet_drops:
        factor *= SOURCE_TO_BLAME
    base = _base(one)
    grounds = _grounds(one, circumstances, len(together)) if base > CORRECTED_IMO else []
    strength = combined(base, *grounds)
    return Finding(
        detector="",
        detector_version="",
        kind=one.kind,
        mmsi=after.mmsi,
        start=instant_of(one.new.first_us),
        end=None if one.ended_us is None else instant_of(one.ended_us),
        strength=round(strength * factor, 4),
        headline=_headline(one, circumstances),
        evidence=(*_evidence(one, together), *circumstances.evidence),
        caveats=_caveats(one, gap_h, torn, small, fleet_drops),
        lat=known(after.first_lat),
        lon=known(after.first_lon),
        segment_id=after.segment_id,
        hull_id=after.hull_id,
        subject=f"{one.what}: {_shown(one.new)}",
    )


def _grounds(one: Transition, circumstances: Circumstances, n_together: int) -> list[float]:
    grounds = [EACH_OTHER_FIELD] * n_together
    if circumstances.place == "under way":
        grounds.append(UNDER_WAY)
    elif circumstances.place == "unseen":
        grounds.append(UNSEEN)
    if circumstances.watched is not None:
        grounds.append(WATCHED[circumstances.watched.level])
    if one.returned_us is not None:
        grounds.append(RETURNED)
    return grounds


def _unsailable(one: Transition, gap_h: float, thresholds: Thresholds) -> bool:
    before, after = one.old.last, one.new.first
    distance = float(distance_nmi(before.last_lat, before.last_lon, after.first_lat, after.first_lon))
    if not math.isfinite(distance):
        return False
    return distance > thresholds.position_slack_nmi + thresholds.max_speed_kn * gap_h


def _base(one: Transition) -> float:
    """What the change says by itself."""
    return _FIXED[one.kind] if one.kind in _FIXED else _GRADED[one.kind](one)


def _retyped(one: Transition) -> float:
    groups = {one.old.value, one.new.value}
    if "fishing" in groups and groups & {"cargo", "tanker"}:
        return TO_FISHING
    return OTHER_CLASS if groups & {"cargo", "tanker"} else RENAMED / 2


def _resigned(one: Transition) -> float:
    """A call sign that differs by one letter or one left out was mistyped, and is put right."""
    return MISTYPED_SIGN if DamerauLevenshtein.distance(one.old.value, one.new.value) <= 1 else RENAMED


def _resized(one: Transition) -> float:
    """From a tenth at the tolerance to six tenths where one is twice the other."""
    for spell in (one.old.last, one.new.first):
        low, high = PLAUSIBLE_SHAPE
        if spell.type_group == "tug" or (spell.beam_m > 0 and not low <= spell.length_m / spell.beam_m <= high):
            return MISTYPED_LENGTH
    small, large = sorted((float(one.old.value), float(one.new.value)))
    return min(max(0.6 * (large / small - 1.0), 0.1), 0.6)


def _renumbered(one: Transition) -> float:
    old_ok, new_ok = imo_passes(one.old.value), imo_passes(one.new.value)
    slip = DamerauLevenshtein.distance(str(one.old.value), str(one.new.value)) <= 1
    if old_ok and new_ok:
        return NEW_IMO
    if slip:
        return CORRECTED_IMO if new_ok else MISTYPED_IMO
    return OTHER_INVALID_IMO


_FIXED: Final[Mapping[str, float]] = MappingProxyType({"name_change": RENAMED, "imo_dropped": DROPPED})
_GRADED: Final[Mapping[str, Callable[[Transition], float]]] = MappingProxyType(
    {"call_sign_change": _resigned, "type_change": _retyped, "dimension_change": _resized, "imo_change": _renumbered}
)


def _shown(run: Run) -> str:
    if not run.value:
        return "none"
    return f"{run.value:.0f} m" if isinstance(run.value, float) else str(run.value)


def _headline(one: Transition, circumstances: Circumstances) -> str:
    where = {"in port": f"in {circumstances.port}", "under way": "while under way", "stopped": "while stopped"}.get(
        circumstances.place, "during a silence"
    )
    around = f", around a stay in {circumstances.watched.zone_id}" if circumstances.watched else ""
    label = ship(one.new.first.name, one.new.first.mmsi)
    if one.kind == "imo_dropped":
        text = f"{label} stopped sending IMO number {one.old.value}"
    else:
        text = f"{label} changed its {one.what} from {_shown(one.old)} to {_shown(one.new)}"
    return f"{sentence(text)} {where}{around}."


def _evidence(one: Transition, together: Sequence[str]) -> tuple[Evidence, ...]:
    def claim(run: Run, lat: float, lon: float, at: str) -> str:
        many = f"{run.n_reports} reports, {span(run.first_us, run.last_us)}, {at} at {position(lat, lon)}"
        return f"{_shown(run)}: {many}"

    old, new = one.old, one.new
    unit = "m" if one.kind == "dimension_change" else ""
    expected = {
        "imo_change": "the same number: it stays with the hull for life (IMO A.1117(30))",
        "imo_dropped": "the number in every full statement",
    }.get(one.kind, f"{_shown(old)}, or a change in port")
    lines = [
        Evidence(f"{one.what} before", claim(old, old.last.last_lat, old.last.last_lon, "last"), "", unit),
        Evidence(f"{one.what} after", claim(new, new.first.first_lat, new.first.first_lon, "first"), expected, unit),
        Evidence(
            "kept across the change",
            ", ".join(_kept(one)) or "nothing that was said",
            "the IMO number at least, where the ship has one",
        ),
    ]
    if together:
        lines.append(Evidence("changed together with it", ", ".join(together), "one thing at a time"))
    if one.kind == "imo_change":
        digits = ", ".join(f"{run.value} {'passes' if imo_passes(run.value) else 'fails'}" for run in (old, new))
        lines.append(Evidence("check digits", digits, "both pass"))
    if one.returned_us is not None:
        lines.append(Evidence("the former claim came back", iso(one.returned_us), "a lawful change stays"))
    return tuple(lines)


def _kept(one: Transition) -> list[str]:
    before, after = one.old.last, one.new.first
    kept = [f"MMSI {after.mmsi:09d}"]
    if before.imo and before.imo == after.imo:
        kept.append(f"IMO number {after.imo}")
    if before.name is not None and before.name == after.name:
        kept.append(f"name {after.name}")
    if before.call_sign is not None and before.call_sign == after.call_sign:
        kept.append(f"call sign {after.call_sign}")
    return kept


def _caveats(one: Transition, gap_h: float, torn: bool, small: bool, fleet_drops: bool) -> tuple[str, ...]:
    caveats = []
    fewest = min(one.old.n_reports, one.new.n_reports)
    if fewest < 10:
        caveats.append(f"one of the two claims rests on {fewest} reports")
    if gap_h > 1.0:
        caveats.append(f"nothing was heard for {gap_h:.1f} h between the two claims")
    if torn:
        caveats.append(
            "no one ship sails from the last place of the old claim to the first of the new: perhaps two ships"
        )
    elif not one.same_track:
        caveats.append("the two claims come from two tracks under one MMSI, taken for one ship")
    if small:
        caveats.append("class B or a small craft: such sets are programmed freely")
    if one.kind == "imo_dropped" and fleet_drops:
        caveats.append("many ships lose their IMO number in these data: the source may have left the field out")
    if one.kind == "imo_change" and not goes_on(one.old, one.new):
        caveats.append("name and call sign changed too: the MMSI may have passed to another ship")
    return tuple(caveats)
