"""What a sender changed in its own claims: name, call sign, type, dimensions, IMO number; and whether it was settled.

Takes the spells of one group in order of time; gives `Transition`s, pairs of settled claims that follow each other.
How odd each is, and what is said of it, is left to `judgements`.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.rules.identity.claims import Claims, Run, Spell, changes, runs_of, settled, takes_turns
from detectors.rules.identity.thresholds import Thresholds
from vessels.ais import MmsiKind, mmsi_kinds
from vessels.bodies import BROADEST_SHIP_M, JUDGED_CLASSES, LONGEST_SHIP_M
from vessels.names import looks_like_gear, near_equal_call_signs, near_equal_names, spelling
from vessels.units import US_PER_H

_OF_A_SHIP: Final = (MmsiKind.SHIP, MmsiKind.UNKNOWN_MID)
"""Forms of MMSI that one ship may go by; one whose digits are no state's was typed by somebody, for one ship."""
_STATE_DEFAULT: Final = 1_000_000
"""Sets are delivered with a state's MID and six zeros."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One settled claim followed by another. `returned` is the time the former value came back, if it did."""

    kind: str
    what: str
    old: Run
    new: Run
    returned_us: int | None
    ended_us: int | None

    @property
    def between_us(self) -> tuple[int, int]:
        """Last report of the old claim and first of the new one, in order."""
        last, first = self.old.last_us, self.new.first_us
        return min(last, first), max(last, first)

    @property
    def same_track(self) -> bool:
        """Whether both claims came with one continuous track."""
        segment = self.old.last.segment_id
        return segment is not None and segment == self.new.first.segment_id


@dataclass(frozen=True, slots=True)
class _Field:
    """A field whose changes are looked for: how its value is read, when two agree, and what tells values apart."""

    kind: str
    what: str
    value_of: Callable[[Spell], Any]
    agree: Callable[[Any, Any], bool]
    key_of: Callable[[Any], Hashable]


def _name_of(spell: Spell) -> str | None:
    return None if spell.name is None or looks_like_gear(spell.name) else spell.name


def _type_of(spell: Spell) -> str | None:
    group = spell.type_group
    return group if group in JUDGED_CLASSES else None


def _within(tolerance_share: float, tolerance_m: float) -> Callable[[float, float], bool]:
    def agree(first: float, second: float) -> bool:
        return abs(first - second) <= max(tolerance_share * max(first, second), tolerance_m)

    return agree


def _fields(thresholds: Thresholds) -> tuple[_Field, ...]:
    same = _equal
    return (
        _Field("name_change", "name", _name_of, _names_agree, spelling),
        _Field("call_sign_change", "call sign", lambda spell: spell.call_sign, near_equal_call_signs, str),
        _Field("type_change", "ship type", _type_of, same, str),
        _Field("imo_change", "IMO number", lambda spell: spell.imo or None, same, int),
        _Field(
            "dimension_change",
            "length",
            lambda spell: spell.length_m if 0.0 < spell.length_m <= LONGEST_SHIP_M else None,
            _within(thresholds.length_tolerance_share, thresholds.length_tolerance_m),
            round,
        ),
        _Field(
            "dimension_change",
            "beam",
            lambda spell: spell.beam_m if 0.0 < spell.beam_m <= BROADEST_SHIP_M else None,
            _within(thresholds.beam_tolerance_share, thresholds.beam_tolerance_m),
            round,
        ),
    )


def _equal(first: object, second: object) -> bool:
    return first == second


def _names_agree(first: str, second: str) -> bool:
    return near_equal_names(first, second) is not None


def may_change(claims: Claims, thresholds: Thresholds) -> npt.NDArray[np.bool_]:
    """Which groups may change their claims: what a number that identifies nobody sends next is another ship's word.

    Such are numbers of no ship's form, those that sets are delivered with, and those of more than `max_sharers` hulls.
    Shape (groups,).
    """
    mmsi = claims.columns["mmsi"][claims.starts[:-1]]
    of_a_ship = np.isin(mmsi_kinds(mmsi), _OF_A_SHIP) & (mmsi % _STATE_DEFAULT != 0)
    one: npt.NDArray[np.bool_] = of_a_ship & (claims.sharers() <= thresholds.max_sharers)
    return one


def transitions(spells: Sequence[Spell], thresholds: Thresholds) -> list[Transition]:
    """The settled changes of one group, field by field; none where former values keep coming back."""
    found: list[Transition] = []
    for field in _fields(thresholds):
        if len({field.value_of(spell) for spell in spells} - {None}) < 2:
            continue
        runs = settled(runs_of(spells, field.value_of, field.agree), field.agree, thresholds)
        if len(runs) < 2 or takes_turns(runs, field.key_of, thresholds):
            continue
        back_to: Run | None = None
        for old, new, after in changes(runs):
            if back_to is not None and field.agree(back_to.value, new.value):
                back_to = None
                continue
            back = after is not None and field.agree(old.value, after.value)
            back_to = old if back else None
            found.append(
                Transition(
                    kind=field.kind,
                    what=field.what,
                    old=old,
                    new=new,
                    returned_us=after.first_us if after is not None and back else None,
                    ended_us=new.last_us if after is not None else None,
                )
            )
    dropped = _dropped(spells, thresholds)
    return _one_dimension([*found, *dropped], thresholds)


def _one_dimension(found: Iterable[Transition], thresholds: Thresholds) -> list[Transition]:
    """A change of beam beside a change of length is the same change: the length speaks for both."""
    kept: list[Transition] = []
    for one in found:
        beside = one.what == "beam" and any(other.what == "length" and near(one, other, thresholds) for other in kept)
        if not beside:
            kept.append(one)
    return kept


def near(one: Transition, other: Transition, thresholds: Thresholds) -> bool:
    """Whether two changes happened together."""
    return abs(one.new.first_us - other.new.first_us) <= thresholds.together_h * US_PER_H


def _dropped(spells: Sequence[Spell], thresholds: Thresholds) -> list[Transition]:
    """An IMO number claimed for long, then full statements without it while name or call sign went on."""

    def stated(spell: Spell) -> int | None:
        return None if spell.name is None and spell.call_sign is None else spell.imo

    runs = settled(runs_of(spells, stated, _equal), _equal, thresholds)
    if takes_turns(runs, int, thresholds):
        return []
    found = []
    for old, new, after in changes(runs):
        if not old.value or new.value:
            continue
        if old.duration_h < thresholds.min_imo_claim_h or new.duration_h < thresholds.min_dropped_h:
            continue
        if goes_on(old, new):
            back = after is not None and after.value == old.value
            found.append(
                Transition(
                    kind="imo_dropped",
                    what="IMO number",
                    old=old,
                    new=new,
                    returned_us=after.first_us if after is not None and back else None,
                    ended_us=after.first_us if after is not None else None,
                )
            )
    return found


def goes_on(old: Run, new: Run) -> bool:
    """Whether the name or the call sign stayed when something else changed."""
    before, after = old.last, new.first
    if before.call_sign is not None and near_equal_call_signs(before.call_sign, after.call_sign):
        return True
    return before.name is not None and near_equal_names(before.name, after.name) is not None
