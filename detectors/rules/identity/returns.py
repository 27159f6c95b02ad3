"""Identities that fell silent for long and were heard again, under their own MMSI or, by their IMO number, another.

Takes the claims and tracks of a history; gives `Return`s: what was said last before the silence and first after it,
when and where. Whether it is the same hull that returns is left to `revival`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.rules.identity.claims import Claims, IntArray, Spell
from detectors.rules.identity.heard import Fix, Heard
from detectors.rules.identity.thresholds import Thresholds
from vessels.ais import MmsiKind, mmsi_kinds
from vessels.bodies import Body, body_of
from vessels.history import History
from vessels.names import near_equal_names
from vessels.units import US_PER_DAY, US_PER_H

_STATE_DEFAULT: Final = 1_000_000
"""A state's digits and six zeros: sets are delivered with such numbers."""
_MOST_BODIES: Final = 8
"""A stretch with more settled bodies than this is of a number that many sets send."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one MMSI said on one side of a silence, spells in order from the silence outward."""

    spells: tuple[Spell, ...]

    @property
    def mmsi(self) -> int:
        """The MMSI."""
        return self.spells[0].mmsi

    def said(self, column: str) -> Any:
        """What was said nearest to the silence; None if nothing was."""
        for spell in self.spells:
            value = getattr(spell, column)
            if value is not None and value == value and value not in (0, -1):
                return value
        return None

    @property
    def segments(self) -> frozenset[str]:
        """Tracks it was said on."""
        return frozenset(spell.segment_id for spell in self.spells if spell.segment_id is not None)

    @property
    def n_reports(self) -> int:
        """Reports that said so."""
        return sum(spell.n_reports for spell in self.spells)

    @property
    def duration_us(self) -> int:
        """From first to last report."""
        return max(spell.last_us for spell in self.spells) - min(spell.first_us for spell in self.spells)

    def bodies(self, thresholds: Thresholds) -> list[Body]:
        """The settled sizes and classes claimed, the one nearest to the silence first; none if they are too many."""
        spells: dict[tuple[str, str, str], list[Spell]] = {}
        bodies: dict[tuple[str, str, str], Body] = {}
        for spell in self.spells:
            body = body_of(spell.length_m, spell.beam_m, spell.ship_type if spell.ship_type >= 0 else None)
            key = (f"{body.length_m:.0f}", f"{body.beam_m:.0f}", body.ship_class)
            spells.setdefault(key, []).append(spell)
            bodies.setdefault(key, body)
        found = [
            bodies[key]
            for key, members in spells.items()
            if sum(spell.n_reports for spell in members) >= thresholds.min_reports
            and max(s.last_us for s in members) - min(s.first_us for s in members)
            >= thresholds.min_settled_h * US_PER_H
        ]
        return found if len(found) <= _MOST_BODIES else []


@dataclass(frozen=True, slots=True)
class Return:
    """An identity last heard and heard again. `by_imo` if its IMO number came back under another MMSI."""

    before: Side
    after: Side
    last: Fix
    first: Fix
    by_imo: bool

    @property
    def gap_h(self) -> float:
        """How long it was silent."""
        return (self.first.time_us - self.last.time_us) / US_PER_H


def returns_of(
    claims: Claims,
    same_imo: Mapping[int, npt.NDArray[np.intp]],
    history: History,
    scrapped: Collection[int],
    borrowed: Mapping[int, Sequence[tuple[Fix, Fix]]],
    thresholds: Thresholds,
) -> list[Return]:
    """All returns worth a look, in any order.

    `same_imo` holds the rows that claim one IMO number under several MMSI; of `scrapped` MMSI a day's silence is
    enough; `borrowed` holds silences of MMSI in which their hull bore another identity.
    """
    silent = _silent(claims, scrapped, borrowed, thresholds)
    mmsi = claims.columns["mmsi"]
    number = [rows[~_is_filler(mmsi[rows])] for rows in same_imo.values()]
    number = [rows for rows in number if 1 < len(np.unique(mmsi[rows])) <= thresholds.max_sharers]
    wanted = set(silent.columns["mmsi"].tolist())
    wanted.update(*(mmsi[rows].tolist() for rows in number))
    heard = Heard(history, wanted)
    found: list[Return] = []
    for group in range(len(silent.starts) - 1):
        found += _of_mmsi(silent.group(group), scrapped, borrowed, heard, thresholds)
    for rows in number:
        found += _of_number(claims, claims.spells(rows), scrapped, heard, thresholds)
    return found


def _is_filler(mmsi: IntArray) -> npt.NDArray[np.bool_]:
    """Numbers that identify nobody: of no shape, or a state's digits and six zeros. Shape (n,)."""
    filler: npt.NDArray[np.bool_] = (mmsi_kinds(mmsi) == MmsiKind.NO_SHAPE) | (mmsi % _STATE_DEFAULT == 0)
    return filler


def _least_us(mmsi: int, scrapped: Collection[int], thresholds: Thresholds) -> float:
    """How long a ship must be silent: a day is enough after a breakers' yard."""
    if mmsi in scrapped:
        return thresholds.unseen_h * US_PER_H
    return thresholds.revival_silence_days * US_PER_DAY


def _silent(
    claims: Claims,
    scrapped: Collection[int],
    borrowed: Mapping[int, Sequence[tuple[Fix, Fix]]],
    thresholds: Thresholds,
) -> Claims:
    """Claims, whichever hull's, of MMSI that were silent and then said other things or came back on another track."""
    columns = claims.columns
    mmsi, first_us, last_us = (columns[name] for name in ("mmsi", "first_us", "last_us"))
    order = np.lexsort((last_us, first_us, mmsi))
    sender = mmsi[order]
    last_so_far = pd.Series(last_us[order]).groupby(sender).cummax().to_numpy()
    gap_us = first_us[order][1:] - last_so_far[:-1]
    least_us = np.where(
        np.isin(sender[1:], np.fromiter(scrapped, np.int64, len(scrapped))),
        thresholds.unseen_h * US_PER_H,
        thresholds.revival_silence_days * US_PER_DAY,
    )
    silent = np.unique(sender[1:][(gap_us >= least_us) & (sender[1:] == sender[:-1])])
    found = _of_senders(claims, order, silent)
    differing = found.differing("length_m", "beam_m", "ship_type", "transceiver", "segment_id")
    silent = found.columns["mmsi"][found.starts[:-1][differing]]
    silent = np.union1d(silent, np.fromiter(borrowed, np.int64, len(borrowed)))
    return _of_senders(claims, order, silent[~_is_filler(silent)])


def _of_senders(claims: Claims, order: npt.NDArray[np.intp], wanted: IntArray) -> Claims:
    """The claims of some MMSI, grouped by MMSI alone; `order` sorts all claims by MMSI and time."""
    rows = order[np.isin(claims.columns["mmsi"][order], wanted)]
    columns = {name: values[rows] for name, values in claims.columns.items()}
    _, starts = np.unique(columns["mmsi"], return_index=True)
    return Claims(columns, np.append(starts, len(rows)).astype(np.int64))


def _of_mmsi(
    spells: Sequence[Spell],
    scrapped: Collection[int],
    borrowed: Mapping[int, Sequence[tuple[Fix, Fix]]],
    heard: Heard,
    thresholds: Thresholds,
) -> list[Return]:
    """Returns under one MMSI."""
    mmsi = spells[0].mmsi
    least_us = _least_us(mmsi, scrapped, thresholds)
    breaks = sorted([*_breaks(spells, least_us), *borrowed.get(mmsi, ())])
    found = []
    for (_, last, early), (first, _, late) in pairwise(_episodes(spells, breaks, thresholds)):
        last, first = heard.longest_silence(mmsi, last, first)
        before, after = Side(_outward(early, back=True)), Side(_outward(late, back=False))
        if first.time_us - last.time_us >= least_us and _is_same_identity(before, after):
            found.append(Return(before, after, last, first, by_imo=False))
    return found


def _first_of(spell: Spell) -> Fix:
    return Fix(spell.first_us, spell.first_lat, spell.first_lon)


def _last_of(spell: Spell) -> Fix:
    return Fix(spell.last_us, spell.last_lat, spell.last_lon)


def _breaks(spells: Sequence[Spell], least_us: float) -> list[tuple[Fix, Fix]]:
    """Silences between spells, which are in order of their first report."""
    found, latest = [], spells[0]
    for spell in spells[1:]:
        if spell.first_us - latest.last_us >= least_us:
            found.append((_last_of(latest), _first_of(spell)))
        latest = max(latest, spell, key=lambda one: one.last_us)
    return found


def _episodes(
    spells: Sequence[Spell], breaks: Sequence[tuple[Fix, Fix]], thresholds: Thresholds
) -> list[tuple[Fix, Fix, list[Spell]]]:
    """Spells between the breaks, where they are settled; a spell that reaches over a break counts on both sides."""
    begins = [_first_of(spells[0]), *(woke for _, woke in breaks)]
    ends = [*(fell for fell, _ in breaks), _last_of(max(spells, key=lambda spell: spell.last_us))]
    found = []
    for begin, end in zip(begins, ends, strict=True):
        members = [spell for spell in spells if spell.first_us <= end.time_us and spell.last_us >= begin.time_us]
        if members and _is_settled(Side(tuple(members)), thresholds):
            found.append((begin, end, members))
    return found


def _is_settled(side: Side, thresholds: Thresholds) -> bool:
    return side.n_reports >= thresholds.min_reports and side.duration_us >= thresholds.min_settled_h * US_PER_H


def _outward(spells: Iterable[Spell], *, back: bool) -> tuple[Spell, ...]:
    """Spells from the silence outward: the latest first before it, the earliest first after it."""
    if back:
        return tuple(sorted(spells, key=lambda one: (-one.last_us, -one.first_us)))
    return tuple(sorted(spells, key=lambda one: (one.first_us, one.last_us)))


def _is_same_identity(before: Side, after: Side) -> bool:
    """Whether more than the MMSI came back: the IMO number, the name or the call sign."""
    if before.said("imo") is not None and before.said("imo") == after.said("imo"):
        return True
    if before.said("call_sign") is not None and before.said("call_sign") == after.said("call_sign"):
        return True
    name = before.said("name")
    return name is not None and near_equal_names(name, after.said("name")) is not None


def _of_number(
    claims: Claims, spells: Sequence[Spell], scrapped: Collection[int], heard: Heard, thresholds: Thresholds
) -> list[Return]:
    """Returns of one IMO number under another MMSI than before."""
    by_mmsi: dict[int, list[Spell]] = {}
    for spell in spells:
        by_mmsi.setdefault(spell.mmsi, []).append(spell)
    settled = [one for members in by_mmsi.values() if _is_settled(Side(tuple(members)), thresholds) for one in members]
    settled.sort(key=lambda spell: (spell.first_us, spell.last_us, spell.mmsi))
    found: list[Return] = []
    if not settled:
        return found
    old = settled[0]
    for place in range(1, len(settled)):
        old = max(old, settled[place - 1], key=lambda one: (one.last_us, one.mmsi))
        new = settled[place]
        least_us = _least_us(old.mmsi, scrapped, thresholds)
        if old.mmsi == new.mmsi or new.first_us - old.last_us < least_us:
            continue
        last, first = _still_heard(claims, old, heard), _already_heard(claims, new, heard)
        before = Side(_outward((one for one in settled[:place] if one.mmsi == old.mmsi), back=True))
        after = Side(_outward((one for one in settled[place:] if one.mmsi == new.mmsi), back=False))
        if first.time_us - last.time_us >= least_us and all(_is_settled(side, thresholds) for side in (before, after)):
            found.append(Return(before, after, last, first, by_imo=True))
    return found


def _neighbours(claims: Claims, spell: Spell) -> list[Spell]:
    low, high = np.searchsorted(claims.columns["mmsi"], [spell.mmsi, spell.mmsi + 1])
    return claims.spells(np.arange(low, high))


def _still_heard(claims: Claims, spell: Spell, heard: Heard) -> Fix:
    """When the bearer of a number was last heard: it may go on without the number, or without saying anything."""
    after = [one for one in _neighbours(claims, spell) if one.last_us > spell.last_us and one.imo != spell.imo]
    while True:
        named = [
            one
            for one in after
            if one.imo == 0 and one.last_us > spell.last_us and near_equal_names(one.name, spell.name) is not None
        ]
        if spell.name is None or not named:
            break
        spell = max(named, key=lambda one: one.last_us)._replace(imo=spell.imo)
    stretch = heard.stretch(spell.segment_id, spell.last_us)
    others = [one.first_us for one in after if one.last_us > spell.last_us and one.segment_id == spell.segment_id]
    if stretch is not None and not any(first_us <= stretch.last.time_us for first_us in others):
        return stretch.last
    return _last_of(spell)


def _already_heard(claims: Claims, spell: Spell, heard: Heard) -> Fix:
    """When the new bearer of a number was first heard: its first positions may come before its first claim."""
    stretch = heard.stretch(spell.segment_id, spell.first_us)
    others = [one for one in _neighbours(claims, spell) if one.first_us < spell.first_us]
    if stretch is not None and not any(one.last_us >= stretch.first.time_us for one in others):
        return stretch.first
    return _first_of(spell)
