"""How good each hour was, about each place: ships heard over ships expected.

Takes rows of `reception` and the shares of places; gives `Hours`. The factor of an hour near a cell is that of its
neighbourhood, shrunk to that of the region, that to the whole fleet's in the hour, that to 1, by the ships expected.
Ships are expected in whole thousandths, so that sums do not depend on the order of blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.reception.grid import blocks_of, n_blocks
from vessels.reception.parameters import ReceptionParameters
from vessels.reception.places import Counts, Places
from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

N_TIERS: Final = 2
"""Cells that are seldom heard, cells that are well heard."""
_UNIT: Final = 1000
_PAGE_H: Final = 128
"""Hours of a page: 3 kB, and four bytes for each page of a block without data."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Where the sums count one ship (cell -1: nowhere), in which stratum, and whether as heard. All of one shape."""

    cell: IntArray
    stratum: IntArray
    is_heard: BoolArray


@dataclass(frozen=True, slots=True)
class HourFactors:
    """Of hours at cells, one ship left out. All of one shape.

    `factor`: heard over expected; `expected`: ships expected nearby; `n_near`, `n_region`: ships known to be in the
    neighbourhood and in the region; `fleet`: ships expected in the whole fleet.
    """

    factor: FloatArray
    expected: FloatArray
    n_near: FloatArray
    n_region: FloatArray
    fleet: FloatArray


class _Level:
    """Sums by block of cells, tier and hour, kept in pages of some days of one block: only those that have data."""

    def __init__(self, side: int, rows: Sequence[Counts], cells: IntArray, hours: tuple[int, int]) -> None:
        self._side, (self._first, self._n_hours) = side, hours
        seen = np.zeros(n_blocks(side), dtype=np.bool_)
        seen[blocks_of(cells, side)] = True
        self._row = np.cumsum(seen) * seen  # 0: blocks without data
        has_data = np.zeros((int(seen.sum()) + 1, -(-self._n_hours // _PAGE_H)), dtype=np.bool_)
        for part in rows:
            has_data[self.block(part.cell), (part.hour - self._first) // _PAGE_H] = True
        self._page = np.zeros(has_data.shape, dtype=np.int32)  # 0: pages without data
        self._page[has_data] = np.arange(1, int(has_data.sum()) + 1)
        shape = (int(has_data.sum()) + 1) * N_TIERS * _PAGE_H
        self._expected, self._heard, self._present = (np.zeros(shape, dtype=np.int32) for _ in range(3))

    def add(self, part: Counts, tier: IntArray, expected: IntArray) -> None:
        """Add ships present and heard, and expected in thousandths, by row."""
        at = self.at(part.cell, tier, part.hour)
        for sums, values in (
            (self._expected, expected),
            (self._heard, part.n_heard),
            (self._present, part.n_present),
        ):
            np.add.at(sums, at, values.astype(np.int32))

    def block(self, cell: IntArray) -> IntArray:
        """The row of the sums for each cell, 0 where there are no data."""
        return np.asarray(self._row[blocks_of(cell, self._side)], dtype=np.int64)

    def at(self, cell: IntArray, tier: IntArray, hour: IntArray) -> IntArray:
        """Where the sums of each cell, tier and hour stand."""
        page, hour = np.divmod(np.clip(hour - self._first, 0, self._n_hours - 1), _PAGE_H)
        place: IntArray = (self._page[self.block(cell), page].astype(np.int64) * N_TIERS + tier) * _PAGE_H + hour
        return place

    def sums(self, at: IntArray) -> tuple[FloatArray, FloatArray]:
        """Ships expected and heard."""
        return self._expected[at] / _UNIT, self._heard[at].astype(np.float64)

    def n_present(self, cell: IntArray, hour: IntArray) -> FloatArray:
        """Ships of both tiers known to be in the block of each cell."""
        tiers = (np.full(cell.shape, tier, dtype=np.int64) for tier in range(N_TIERS))
        total = sum(self._present[self.at(cell, tier, hour)].astype(np.float64) for tier in tiers)
        return np.asarray(total, dtype=np.float64)


class Hours:
    """Factors of hours; see the module. Read-only after it is built."""

    def __init__(self, rows: Sequence[Counts], places: Places, parameters: ReceptionParameters) -> None:
        share = places.share
        self._parameters, self._share = parameters, share
        self._well_heard = share >= parameters.well_heard_share
        ends = [(int(part.hour.min()), int(part.hour.max())) for part in rows if len(part.hour)]
        self.first = min((first for first, _ in ends), default=0)
        """First hour of the data, since 1970."""
        self.n = max((last for _, last in ends), default=self.first) - self.first + 1
        sides = (parameters.region_cells, parameters.neighbourhood_cells)
        self._levels = [_Level(side, rows, places.cells, (self.first, self.n)) for side in sides]
        thousandths = np.round(share * _UNIT).astype(np.int64)
        self._fleet = np.zeros((2, N_TIERS, self.n), dtype=np.int64)
        for part in rows:
            tier = self.tier(part.cell, part.stratum)
            expected = part.n_present * thousandths[part.stratum, part.cell]
            for level in self._levels:
                level.add(part, tier, expected)
            np.add.at(self._fleet[0], (tier, part.hour - self.first), expected)
            np.add.at(self._fleet[1], (tier, part.hour - self.first), part.n_heard)
        nobody = self._fleet[1].sum(axis=0) == 0
        if nobody.any() and not nobody.all():  # as many ships as usual were somewhere
            usual = np.median(self._fleet[0][:, ~nobody], axis=1).astype(np.int64)
            self._fleet[0][:, nobody] = np.maximum(self._fleet[0][:, nobody], usual[:, None])

    def tier(self, cell: IntArray, stratum: IntArray) -> IntArray:
        """1 for cells that are well heard, else 0. Any shape."""
        return self._well_heard[stratum, cell].astype(np.int64)

    def without(self, own: Presence, cell: IntArray, stratum: IntArray, hour: IntArray) -> HourFactors:
        """The factors of hours at cells, without one ship's own presence. All of one shape; 0 outside the data."""
        prior = self._parameters.hour_prior_ships
        tier = self.tier(cell, stratum)
        is_own, mine = own.cell >= 0, np.maximum(own.cell, 0)
        own_expected = np.where(is_own, self._share[own.stratum, mine], 0.0)
        own_heard = (is_own & own.is_heard).astype(np.float64)
        same = self.tier(mine, own.stratum) == tier
        at = np.clip(hour - self.first, 0, self.n - 1)
        fleet = np.maximum(self._fleet[0].sum(axis=0)[at] / _UNIT - own_expected, 0.0)
        factor = _shrunk(self._fleet[1].sum(axis=0)[at] - own_heard, fleet, np.ones(cell.shape), prior)
        expected, heard = self._fleet[0][tier, at] / _UNIT, self._fleet[1][tier, at].astype(np.float64)
        factor = _shrunk(heard - own_heard * same, expected - own_expected * same, factor, prior)
        n_there = []
        for level in self._levels:
            near = is_own & (level.block(mine) == level.block(cell))
            expected, heard = level.sums(level.at(cell, tier, hour))
            expected = np.maximum(expected - own_expected * (same & near), 0.0)
            factor = _shrunk(heard - own_heard * (same & near), expected, factor, prior)
            n_there.append(np.maximum(level.n_present(cell, hour) - near, 0.0))
        inside = at == hour - self.first
        columns = (factor, expected, n_there[1], n_there[0], fleet)
        return HourFactors(*(np.where(inside, one, 0.0) for one in columns))


def _shrunk(heard: FloatArray, expected: FloatArray, wider: FloatArray, prior: float) -> FloatArray:
    """Heard over expected, shrunk to the wider surroundings' by so many ships."""
    return (np.maximum(heard, 0.0) + prior * wider) / (np.maximum(expected, 0.0) + prior)
