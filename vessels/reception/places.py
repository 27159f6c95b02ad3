"""How large a share of ship-hours is heard, by place.

Takes rows of `reception`; gives `Places` and, of what a silence added itself, `Own`. The share of a stratum (class of
set, still or under way) in a cell is shrunk to that of its class in the cell, that to the stratum's in the region, and
so on to the share of all, each by the ship-hours behind it (empirical Bayes, the prior worth as many ship-hours
everywhere). A silence is left out of what judges it by taking its own hours off every sum. The same ship's other hours
stay: whether it was heard here at other times says as much of the place as another ship's being heard (measured:
without them, four in a hundred deliberate silences fewer are told at the same rate of innocent ones).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.reception.grid import N_CELLS, blocks_of, n_blocks
from vessels.reception.parameters import ReceptionParameters
from vessels.reception.presence import N_STRATA
from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of ships present and heard. Shapes (n,). `stratum` is 2 x class B + still."""

    cell: IntArray
    hour: IntArray
    stratum: IntArray
    n_present: IntArray
    n_heard: IntArray

    @classmethod
    def of(cls, table: pa.Table) -> "Counts":
        """The rows of a `reception` table; of `ship_cells`, the hour is 0."""
        n = table.num_rows
        cell, present, heard = (_int64(table[name]) for name in ("cell", "n_present", "n_heard"))
        hour = _int64(table["hour"]) if "hour" in table.column_names else np.zeros(n, dtype=np.int64)
        return cls(cell, hour, 2 * _int64(table["is_class_b"]) + _int64(table["is_still"]), present, heard)


def _int64(column: pa.ChunkedArray) -> IntArray:
    return np.asarray(column.to_numpy()).astype(np.int64)


class CountRows(Sequence[Counts]):
    """The rows of several tables, table by table, made when asked for: the tables are compact, the rows are not."""

    def __init__(self, tables: Iterable[pa.Table], more: Counts) -> None:
        self._tables = [table for table in tables if table.num_rows]
        self._more = more

    def __len__(self) -> int:
        return len(self._tables) + 1

    @overload
    def __getitem__(self, number: int) -> Counts: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Counts]: ...
    def __getitem__(self, number: int | slice) -> Counts | Sequence[Counts]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return Counts.of(self._tables[number]) if number < len(self._tables) else self._more


class Level(NamedTuple):
    """A level of sums: number of places, the place of each of some cells, and the group of each stratum."""

    n_places: int
    place: IntArray
    group: IntArray

    def keys(self, stratum: IntArray) -> IntArray:
        """Place and group in one number, for the cells' strata."""
        return np.asarray(self.place * N_STRATA + self.group[stratum], dtype=np.int64)

    def numbered(self, number: IntArray, stratum: IntArray) -> IntArray:
        """The number of a silence before that."""
        return number * (self.n_places * N_STRATA) + self.keys(stratum)


@dataclass(frozen=True, slots=True)
class Own:
    """Rows that numbered silences added to the sums themselves; looked up level by level. See `Places.without`."""

    keys: tuple[IntArray, ...]
    n_present: tuple[FloatArray, ...]
    n_heard: tuple[FloatArray, ...]

    @classmethod
    def of(cls, number: IntArray, rows: Counts, places: "Places") -> "Own":
        """The sums of rows by the number of their silence and by place, for each level."""
        keys, present, heard = [], [], []
        for level in places.levels(rows.cell):
            distinct, which = np.unique(level.numbered(number, rows.stratum), return_inverse=True)
            keys.append(distinct)
            present.append(np.bincount(which, rows.n_present, len(distinct)).astype(np.float64))
            heard.append(np.bincount(which, rows.n_heard, len(distinct)).astype(np.float64))
        return cls(tuple(keys), tuple(present), tuple(heard))

    def part(self, at: int, wanted: IntArray) -> tuple[FloatArray, FloatArray]:
        """Hours present and heard under the keys wanted of a level; 0 where there are none. Any shape."""
        keys = self.keys[at]
        if not len(keys):
            return np.zeros(wanted.shape), np.zeros(wanted.shape)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        known = keys[place] == wanted
        return np.where(known, self.n_present[at][place], 0.0), np.where(known, self.n_heard[at][place], 0.0)


class Places:
    """Shares of ship-hours heard by cell and stratum; see the module. Read-only after it is built."""

    def __init__(self, rows: Iterable[Counts], parameters: ReceptionParameters) -> None:
        self._parameters = parameters
        sums = np.zeros((2, N_STRATA * N_CELLS), dtype=np.int64)
        for part in rows:
            at = part.stratum * N_CELLS + part.cell
            np.add.at(sums[0], at, part.n_present)
            np.add.at(sums[1], at, part.n_heard)
        by_cell = sums.reshape(2, N_STRATA, N_CELLS)
        self._sums = [_summed(by_cell, level) for level in self.levels(np.arange(N_CELLS))]
        cells = np.flatnonzero(by_cell[0].any(axis=0))
        self.cells: IntArray = cells
        """Cells in which anybody was."""
        self.share = np.zeros((N_STRATA, N_CELLS), dtype=np.float32)
        """The share by stratum and cell, nobody left out; 0 where nobody was."""
        for stratum in range(N_STRATA):
            self.share[stratum, cells] = self._shares(cells, np.full(len(cells), stratum), None)[0]

    def levels(self, cell: IntArray) -> Sequence[Level]:
        """From the whole down to the cell."""
        side = self._parameters.region_cells
        whole, region = np.zeros_like(cell), blocks_of(cell, side)
        return (
            Level(1, whole, _ALL),
            Level(1, whole, _EACH),
            Level(n_blocks(side), region, _EACH),
            Level(N_CELLS, cell, _CLASS),
            Level(N_CELLS, cell, _EACH),
        )

    def without(self, own: Own, number: IntArray, cell: IntArray, stratum: IntArray) -> tuple[FloatArray, FloatArray]:
        """Share of ship-hours heard, and how many ship-hours that rests on, without those of a silence. Any shape."""
        levels = enumerate(self.levels(cell))
        mine = [own.part(at, level.numbered(number, stratum)) for at, level in levels]
        return self._shares(cell, stratum, mine)

    def nothing_known(self, cell: IntArray) -> npt.NDArray[np.bool_]:
        """Whether nobody was ever known to be in the region of each cell. Any shape."""
        level = self.levels(cell)[_REGION]
        return np.asarray(self._sums[_REGION][0].reshape(-1, N_STRATA).sum(axis=1)[level.place] == 0)

    def _shares(
        self, cell: IntArray, stratum: IntArray, own: Sequence[tuple[FloatArray, FloatArray]] | None
    ) -> tuple[FloatArray, FloatArray]:
        prior = self._parameters.prior_ship_h
        share: FloatArray = np.full(cell.shape, 0.5)
        rests_on: FloatArray = np.zeros(cell.shape)
        for number, (level, sums) in enumerate(zip(self.levels(cell), self._sums, strict=True)):
            mine = (0.0, 0.0) if own is None else own[number]
            key = level.keys(stratum)
            n, heard = (np.maximum(one[key] - less, 0.0) for one, less in zip(sums, mine, strict=True))
            share = (np.minimum(heard, n) + prior * share) / (n + prior)
            rests_on = n + np.minimum(rests_on, prior) if number >= _REGION else rests_on
        return share, rests_on


_ALL, _EACH, _CLASS = np.zeros(N_STRATA, dtype=np.int64), np.arange(N_STRATA), np.arange(N_STRATA) // 2
_REGION: Final = 2
"""The first level that says anything of a place."""


def _summed(by_cell: IntArray, level: Level) -> FloatArray:
    """Present and heard by place and group. Shape (2, places x strata)."""
    out = np.zeros((2, level.n_places * N_STRATA))
    for stratum in range(N_STRATA):
        key = level.keys(np.full(N_CELLS, stratum))
        for counts, sums in zip(by_cell, out, strict=True):
            sums += np.bincount(key, counts[stratum], len(sums))
    return out
