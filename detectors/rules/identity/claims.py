"""The claims of a history, ready for comparison: spells sorted in groups that are taken for one sender.

Takes the identity and vessel tables in any row order; gives arrays, the few groups whose claims differ, and runs of
one value with what is too short to count left out. What a change means is left to the rules.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.identity.thresholds import Thresholds
from vessels.ais import ship_type_group
from vessels.bodies import LONGEST_SHIP_M
from vessels.instants import times_us
from vessels.names import looks_like_gear
from vessels.units import US_PER_H

IntArray = npt.NDArray[np.int64]


class Spell(NamedTuple):
    """One row of the identity table; 0, None and NaN where nothing was said."""

    mmsi: int
    hull_id: str | None
    segment_id: str | None
    imo: int
    name: str | None
    call_sign: str | None
    ship_type: int
    length_m: float
    beam_m: float
    transceiver: str | None
    first_us: int
    last_us: int
    n_reports: int
    first_lat: float
    first_lon: float
    last_lat: float
    last_lon: float

    @property
    def type_group(self) -> str:
        """Class of ship by its type code."""
        return ship_type_group(self.ship_type if self.ship_type >= 0 else None)

    def claims_merchant(self, thresholds: Thresholds) -> bool:
        """Whether it says it is a ship that must carry class A: an IMO number, or the length for it."""
        if self.transceiver == "B" or looks_like_gear(self.name):
            return False
        return self.imo > 0 or thresholds.merchant_length_m <= self.length_m <= LONGEST_SHIP_M


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive spells of one group that claim one value."""

    value: Any
    spells: tuple[Spell, ...]

    @property
    def first(self) -> Spell:
        """The spell it begins with."""
        return self.spells[0]

    @property
    def last(self) -> Spell:
        """The spell it ends with."""
        return max(self.spells, key=lambda spell: spell.last_us)

    @property
    def first_us(self) -> int:
        """First report."""
        return self.spells[0].first_us

    @property
    def last_us(self) -> int:
        """Last report."""
        return max(spell.last_us for spell in self.spells)

    @property
    def n_reports(self) -> int:
        """Reports that carried it."""
        return sum(spell.n_reports for spell in self.spells)

    @property
    def duration_h(self) -> float:
        """From first to last report."""
        return (self.last_us - self.first_us) / US_PER_H


@dataclass(frozen=True, slots=True)
class Claims:
    """Spells sorted by group and time. `starts` holds the first row of each group, and the number of rows."""

    columns: dict[str, npt.NDArray[Any]]
    starts: IntArray

    def __len__(self) -> int:
        return len(self.columns["mmsi"])

    def spells(self, rows: npt.NDArray[np.intp]) -> list[Spell]:
        """These rows as records, for the few that people look at."""
        columns = [self.columns[name][rows].tolist() for name in Spell._fields]
        return [Spell(*values) for values in zip(*columns, strict=True)]

    def group(self, number: int) -> list[Spell]:
        """All spells of one group in order of time."""
        return self.spells(np.arange(self.starts[number], self.starts[number + 1]))

    def differing(self, *names: str) -> npt.NDArray[np.bool_]:
        """Which groups claim two values or more in one of these columns; nothing said is no value. Shape (groups,)."""
        differs = np.zeros(len(self.starts) - 1, dtype=np.bool_)
        if not len(self):
            return differs
        first = self.starts[:-1]
        for name in names:
            codes = _codes(self.columns[name])
            low = np.minimum.reduceat(np.where(codes < 0, np.iinfo(np.int64).max, codes), first)
            differs |= np.maximum.reduceat(codes, first) > low
        return differs

    def sharers(self) -> IntArray:
        """How many hulls (else tracks) claim something under the MMSI of each group. Shape (groups,)."""
        _, number, counts = np.unique(self.columns["mmsi"][self.starts[:-1]], return_inverse=True, return_counts=True)
        return np.asarray(counts[number], dtype=np.int64)

    def lacking(self, name: str) -> npt.NDArray[np.bool_]:
        """Which groups say something in a column on some rows and nothing on others. Shape (groups,)."""
        if not len(self):
            return np.zeros(0, dtype=np.bool_)
        codes = _codes(self.columns[name])
        mixed: npt.NDArray[np.bool_] = (np.minimum.reduceat(codes, self.starts[:-1]) < 0) & (
            np.maximum.reduceat(codes, self.starts[:-1]) >= 0
        )
        return mixed


def _codes(values: npt.NDArray[Any]) -> IntArray:
    """Small integers for equal values, -1 where nothing was said."""
    if values.dtype == object:
        return np.asarray(pd.factorize(values)[0], dtype=np.int64)
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), -1, np.round(np.nan_to_num(values) * 100)).astype(np.int64)
    return np.where(values <= 0, -1, values).astype(np.int64)


def simultaneous_mmsi(vessels: pa.Table) -> IntArray:
    """MMSI under which two tracks were on the air at once."""
    overlap = times_us(vessels["overlap_start"]) > np.iinfo(np.int64).min
    mmsi: IntArray = vessels["mmsi"].to_numpy()[overlap]
    return np.unique(mmsi)


def claims_of(identities: pa.Table) -> Claims:
    """The claims, grouped by MMSI and hull (else track): what two hulls under one number claim is no change.

    Rows that lack an MMSI or a time are left out.
    """
    usable = pc.and_(pc.is_valid(identities["mmsi"]), pc.is_valid(identities["first_seen"]))
    table = identities.filter(usable)
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in ("hull_id", "segment_id", "name", "call_sign", "transceiver"):
        columns[name] = _texts(table[name])
    for name, missing in (("mmsi", 0), ("imo", 0), ("ship_type", -1), ("n_reports", 0)):
        columns[name] = pc.fill_null(table[name].cast(pa.int64()), missing).to_numpy().astype(np.int64)
    for name in ("length_m", "beam_m", "first_lat", "first_lon", "last_lat", "last_lon"):
        columns[name] = pc.fill_null(table[name], np.nan).to_numpy().astype(np.float64)
    columns["first_us"] = times_us(table["first_seen"])
    columns["last_us"] = np.maximum(times_us(table["last_seen"]), columns["first_us"])
    sender = np.array(
        [h or s or "" for h, s in zip(columns["hull_id"], columns["segment_id"], strict=True)], dtype=object
    )
    sender_code = pd.factorize(sender, sort=True)[0]
    ties = [pd.factorize(columns[name], sort=True)[0] for name in ("name", "call_sign", "segment_id")]
    numbers = [columns[name] for name in ("beam_m", "length_m", "ship_type", "n_reports", "imo")]
    order = np.lexsort((*numbers, *ties, columns["last_us"], columns["first_us"], sender_code, columns["mmsi"]))
    columns = {name: values[order] for name, values in columns.items()}
    group_changes = (np.diff(columns["mmsi"]) != 0) | (np.diff(sender_code[order]) != 0)
    starts = np.flatnonzero(np.concatenate([[True], group_changes])) if len(order) else np.zeros(0, dtype=np.int64)
    return Claims(columns, np.append(starts, len(order)).astype(np.int64))


def _texts(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = column.to_numpy()
    return values.astype(object)


def runs_of(spells: Sequence[Spell], value_of: Callable[[Spell], Any], agree: Callable[[Any, Any], bool]) -> list[Run]:
    """Consecutive spells of agreeing values; spells that say nothing (None) are passed over."""
    runs: list[tuple[Any, list[Spell]]] = []
    for spell in spells:
        value = value_of(spell)
        if value is None:
            continue
        if runs and (runs[-1][0] == value or agree(runs[-1][0], value)):
            runs[-1][1].append(spell)
        else:
            runs.append((value, [spell]))
    return [Run(value, tuple(members)) for value, members in runs]


def settled(runs: Sequence[Run], agree: Callable[[Any, Any], bool], thresholds: Thresholds) -> list[Run]:
    """The runs that lasted: too few reports go first, then too short a time; what they had split is joined."""
    often = _joined((run for run in runs if run.n_reports >= thresholds.min_reports), agree)
    return _joined((run for run in often if run.duration_h >= thresholds.min_settled_h), agree)


def _joined(runs: Iterable[Run], agree: Callable[[Any, Any], bool]) -> list[Run]:
    kept: list[Run] = []
    for run in runs:
        if kept and agree(kept[-1].value, run.value):
            kept[-1] = Run(kept[-1].value, kept[-1].spells + run.spells)
        else:
            kept.append(run)
    return kept


def takes_turns(runs: Sequence[Run], key_of: Callable[[Any], Hashable], thresholds: Thresholds) -> bool:
    """Whether former values come back so often that two senders, or two providers, take turns."""
    keys = [key_of(run.value) for run in runs]
    return len(keys) - len(set(keys)) > thresholds.max_returns


def changes(runs: Sequence[Run]) -> Iterator[tuple[Run, Run, Run | None]]:
    """Each run with the one after it, and with the one after that if there is one."""
    for place, (old, new) in enumerate(pairwise(runs)):
        yield old, new, runs[place + 2] if place + 2 < len(runs) else None
