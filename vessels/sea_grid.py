"""The sea as a graph: places ships can be, and which of them lie in sight of each other over water.

Takes land; gives nodes (`vessels.sea_sheets`) with edges, for the part of the world asked for so far, and the node
of any position. Every edge is a great circle, so that no way is shorter than the great circle; edges exist between
pieces of water that touch, and between nodes up to some cells apart if the line between them stays on water. Ways are
found in `vessels.sea_distance`.
"""

from dataclasses import dataclass
from threading import RLock
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse, spatial
from scipy.sparse import csgraph

from vessels.land import Land, chord_nmi, unit_vectors
from vessels.scan_lines import COLUMNS, PER_DEGREE, ROWS
from vessels.sea_sheets import (
    BLOCKS,
    CELL,
    CELL_NMI,
    GRAIN,
    SHEET_DEG,
    SHEETS_EAST,
    SHEETS_NORTH,
    SIDE,
    BoolArray,
    FloatArray,
    IntArray,
    NodeArray,
    Sheet,
    across,
    make_sheet,
)
from vessels.units import MEAN_EARTH_RADIUS_NMI

SIGHT_CELLS: Final = 2.3
"""Edges reach so many cells: 16 directions, ways at most 2.7 % too long."""
OPEN_SIGHT_CELLS: Final = 3.25
"""The same off shore: 24 directions, ways at most 1.3 % too long."""
POND_NODES: Final = 40
"""Waters of no more nodes (at most 300 square miles) count as land: basins like Haiphong's, cut off on a rough map."""
_MARGIN_NMI: Final = 240.0
_HALF_WAY: Final = 0.6
"""Nodes at the coast reach into the open cells beside them so much less far."""
_SAMPLE_NMI: Final = 0.5
"""Lines are tried at places so far apart; two thirds of the lattice's spacing."""
_OPPOSITE: Final = {"west": "east", "south": "north"}
Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of all sheets read so far, and their edges both ways, miles each."""

    points: Points  # (n, 3) on the unit sphere
    lat: FloatArray
    lon: FloatArray
    size_nmi: npt.NDArray[np.float32]
    clear_nmi: npt.NDArray[np.float32]  # no land within this distance, to be on the safe side
    is_pond: BoolArray  # of a water too small to sail on, closed off by the rough map
    edges: sparse.csr_matrix


class SeaGrid:
    """Grows by sheets of eight degrees when a place is first asked for; nodes keep their numbers.

    Safe from several threads.
    """

    def __init__(self, land: Land) -> None:
        self.land = land
        self.lock = RLock()
        self._slot = np.full(SHEETS_NORTH * SHEETS_EAST, -1, dtype=np.int32)
        self._sheets: list[Sheet] = []
        self._first: list[int] = []
        self._blocks = np.zeros((0, BLOCKS, BLOCKS), dtype=np.int32)
        self._clear = np.zeros((0, SIDE, SIDE), dtype=np.bool_)
        self._patches = np.zeros((0, 16), dtype=np.int32)
        self._pairs = np.zeros((0, 2), dtype=np.int64)
        self._graph = Graph(
            np.zeros((0, 3), dtype=np.float32),
            np.zeros(0),
            np.zeros(0),
            np.zeros(0, dtype=np.float32),
            np.zeros(0, dtype=np.float32),
            np.zeros(0, dtype=np.bool_),
            sparse.csr_matrix((0, 0)),
        )

    def about(self, lat: float, lon: float, radius_nmi: float) -> Graph:
        """The graph with all nodes within a radius of a place, and whatever was asked for before."""
        sheets = _sheets_within(lat, lon, radius_nmi)
        with self.lock:
            missing = sheets[self._slot[sheets] < 0]
            if len(missing) and self._sheets:
                # Who asks about two places asks about more: a wider view now saves putting edges together again.
                sheets = _sheets_within(lat, lon, radius_nmi + _MARGIN_NMI)
                missing = sheets[self._slot[sheets] < 0]
            if len(missing):
                self._grow(missing)
            return self._graph

    def _grow(self, missing: IntArray) -> None:
        n_before, old = len(self._graph.points), self._graph
        n, patches, n_patches = n_before, [self._patches], len(self._patches)
        fresh, firsts, blocks = [], [], []
        for number in missing:
            sheet = make_sheet(self.land, int(number))
            fresh.append(sheet)
            firsts.append(n)
            shifted = np.where(sheet.blocks >= 0, sheet.blocks + n, sheet.blocks)
            blocks.append(np.where(sheet.blocks < -1, sheet.blocks - n_patches, shifted).astype(np.int32))
            patch = sheet.patches.reshape(-1, 16)
            patches.append(np.where(patch >= 0, patch + n, -1).astype(np.int32))
            n += len(sheet.lat)
            n_patches += len(patch)
        self._patches = np.concatenate(patches)
        self._blocks = np.concatenate([self._blocks, np.array(blocks).reshape(-1, BLOCKS, BLOCKS)])
        self._clear = np.concatenate([self._clear, np.array([sheet.clear for sheet in fresh])])
        first_slot = len(self._sheets)
        self._sheets += fresh
        self._first += firsts
        self._slot[missing] = np.arange(first_slot, len(self._sheets), dtype=np.int32)  # last: readers look here first
        lat = np.concatenate([old.lat, *(sheet.lat for sheet in fresh)])
        lon = np.concatenate([old.lon, *(sheet.lon for sheet in fresh)])
        size = np.concatenate([old.size_nmi, *(sheet.size_nmi for sheet in fresh)])
        rough = self.land.rough_shore_nmi(lat[n_before:], lon[n_before:])
        clear = np.concatenate([old.clear_nmi, np.maximum(rough - ROUGH_NMI, 0.0).astype(np.float32)])
        exact = unit_vectors(lat, lon)
        touching = [sheet.touching + first for sheet, first in zip(fresh, firsts, strict=True)]
        pairs = np.concatenate(
            [*touching, self._over_borders(missing), self._in_sight(exact, lat, lon, size, clear, n_before)]
        )
        self._pairs = _unique_pairs(np.concatenate([self._pairs, pairs]), n)
        first, second = self._pairs.T
        miles = chord_nmi(np.sqrt(((exact[first] - exact[second]) ** 2).sum(axis=1)))
        edges = sparse.csr_matrix(
            (np.tile(miles, 2), (np.concatenate([first, second]), np.concatenate([second, first]))), shape=(n, n)
        )
        _, water = csgraph.connected_components(edges, directed=False)
        is_pond = (np.bincount(water, minlength=1) <= POND_NODES)[water]
        self._graph = Graph(exact.astype(np.float32), lat, lon, size, clear, is_pond, edges)

    def _over_borders(self, fresh: IntArray) -> IntArray:
        """Pairs of nodes on both sides of the borders that these sheets share with sheets read by now."""
        joints = {(int(s), side) for s in fresh for side in ("west", "south")}
        joints |= {(int(s) // SHEETS_EAST * SHEETS_EAST + (int(s) + 1) % SHEETS_EAST, "west") for s in fresh}
        joints |= {(int(s) + SHEETS_EAST, "south") for s in fresh}
        found = [np.zeros((0, 2), dtype=np.int64)]
        for sheet, side in sorted(joints):
            row, column = divmod(sheet, SHEETS_EAST)
            other = row * SHEETS_EAST + (column - 1) % SHEETS_EAST if side == "west" else sheet - SHEETS_EAST
            if other < 0 or sheet >= len(self._slot) or self._slot[sheet] < 0 or self._slot[other] < 0:
                continue
            here, there = int(self._slot[sheet]), int(self._slot[other])
            first, second = self._sheets[here].border[side], self._sheets[there].border[_OPPOSITE[side]]
            # Numbers are made the whole grid's before they are compared: both sheets count from 0.
            mine = np.where(first >= 0, first + self._first[here], -1).astype(np.int32)
            theirs = np.where(second >= 0, second + self._first[there], -1).astype(np.int32)
            found.append(across(mine[None], theirs[None], self._sheets[here].shut[side][None]))
        return np.concatenate(found)

    def _in_sight(
        self, exact: FloatArray, lat: FloatArray, lon: FloatArray, size: Points, clear: Points, n_before: int
    ) -> IntArray:
        """Pairs, one of them new, some cells apart with nothing but water on the line between them."""
        is_new = np.arange(len(size)) >= n_before
        coarse = size > CELL_NMI / 2.0
        found = []
        for group, other, reach_nmi in (
            (~coarse, ~coarse, SIGHT_CELLS * CELL_NMI / CELL),
            (coarse, coarse, OPEN_SIGHT_CELLS * CELL_NMI),
            (~coarse, coarse, SIGHT_CELLS * CELL_NMI * _HALF_WAY),
        ):
            reach = 2.0 * np.sin(reach_nmi / MEAN_EARTH_RADIUS_NMI / 2.0)
            new, rest = np.flatnonzero(group & is_new), np.flatnonzero(other & ~is_new)
            if group is other:
                tree = spatial.cKDTree(exact[new])
                found.append(new[tree.query_pairs(reach, output_type="ndarray")].astype(np.int64))
                found.append(_near(exact, new, rest, reach))
            else:
                found.append(_near(exact, new, np.flatnonzero(other), reach))
                found.append(_near(exact, np.flatnonzero(group & ~is_new), np.flatnonzero(other & is_new), reach))
        pairs = np.concatenate(found)
        first, second = pairs.T
        miles = chord_nmi(np.sqrt(((exact[first] - exact[second]) ** 2).sum(axis=1)))
        seen = clear[first] + clear[second] >= miles
        doubtful = np.flatnonzero(~seen)
        seen[doubtful] = self.sees(
            lat[first[doubtful]], lon[first[doubtful]], lat[second[doubtful]], lon[second[doubtful]], miles[doubtful]
        )
        kept: IntArray = pairs[seen]
        return kept

    def sees(
        self, lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray, miles: FloatArray
    ) -> BoolArray:
        """Whether straight lines over short distances lie on water that was read, clear of the coast. Shape (n,)."""
        out = np.ones(len(lat1), dtype=np.bool_)
        steps = np.ceil(miles / _SAMPLE_NMI).astype(np.int64) + 1
        turn = lon2 - lon1
        turn = turn - 360.0 * np.round(turn / 360.0)
        # In lattice points from here on; 32 bits, because this is most of what reading the sea costs.
        y, up = ((lat1 + 90.0) * PER_DEGREE).astype(np.float32), ((lat2 - lat1) * PER_DEGREE).astype(np.float32)
        x, aside = ((lon1 + 180.0) * PER_DEGREE).astype(np.float32), (turn * PER_DEGREE).astype(np.float32)
        order = np.argsort(steps, kind="stable")
        for part in np.array_split(order, max(len(order) // 4_000, 1)):
            if len(part):
                share = np.linspace(0.0, 1.0, int(steps[part[-1]]), dtype=np.float32)[:, None]
                row, column = y[part] + share * up[part], x[part] + share * aside[part]
                out[part] = self._is_clear(row, column).all(axis=0)
        return out

    def _is_clear(self, y: Points, x: Points) -> BoolArray:
        """Whether places, in lattice points from the south-west corner of the world, are clear water that was read."""
        row = np.minimum(y.astype(np.int32), ROWS - 1)
        column = np.floor(x).astype(np.int32)
        column = np.where(column < 0, column + COLUMNS, column)
        column = np.where(column >= COLUMNS, column - COLUMNS, column)
        band, turn = row // SIDE, column // SIDE
        slot = self._slot[band * SHEETS_EAST + turn]
        at = ((np.maximum(slot, 0) - band) * SIDE + row).astype(np.int64) * SIDE + (column - turn * SIDE)
        found: BoolArray = self._clear.reshape(-1)[at]
        return found & (slot >= 0)

    def _lattice(self, lat: FloatArray, lon: FloatArray) -> tuple[IntArray, IntArray]:
        row = np.clip(((lat + 90.0) * PER_DEGREE).astype(np.int64), 0, ROWS - 1)
        return row, np.floor((lon + 180.0) * PER_DEGREE).astype(np.int64) % COLUMNS

    def node_of(self, lat: FloatArray, lon: FloatArray) -> NodeArray:
        """The node whose water each position (degrees) is in; -1 on land, -2 where nothing was read. Shape (n,).

        A position on land in a block with water belongs to the first water of that block: the coast is rough.
        """
        row, column = self._lattice(lat, lon)
        slot = self._slot[row // SIDE * SHEETS_EAST + column // SIDE].astype(np.int64)
        block_row, block_column = row % SIDE // GRAIN, column % SIDE // GRAIN
        out = self._blocks.reshape(-1)[(np.maximum(slot, 0) * BLOCKS + block_row) * BLOCKS + block_column]
        out = np.where(slot < 0, -2 - 2**30, out)
        split = np.flatnonzero((out < -1) & (slot >= 0))
        if len(split):
            patch = self._patches[-2 - out[split]]
            node = patch[np.arange(len(split)), row[split] % GRAIN * GRAIN + column[split] % GRAIN]
            out[split] = np.where(node >= 0, node, patch.max(axis=1))
        return np.where(slot < 0, -2, out).astype(np.int32)


ROUGH_NMI: Final = 3.0
"""Taken off rough distances to the shore before they are trusted to be water (measured: 99 % are within 2)."""


def _near(exact: FloatArray, some: IntArray, others: IntArray, reach: float) -> IntArray:
    """Pairs of one of some and one of others, no farther apart than a chord."""
    if not len(some) or not len(others):
        return np.zeros((0, 2), dtype=np.int64)
    tree = spatial.cKDTree(exact[others])
    hits = spatial.cKDTree(exact[some]).sparse_distance_matrix(tree, reach, output_type="ndarray")
    return np.column_stack([some[hits["i"]], others[hits["j"]]]).astype(np.int64)


def _unique_pairs(pairs: IntArray, n: int) -> IntArray:
    first, second = pairs.T
    key = np.sort(np.minimum(first, second) * n + np.maximum(first, second))
    key = key[np.flatnonzero(np.diff(key, prepend=-1))]
    return np.column_stack([key // n, key % n])


def _sheets_within(lat: float, lon: float, radius_nmi: float) -> IntArray:
    """Sheets that a circle meets, and a few around it."""
    step = 2.0
    south = np.arange(-89.0, 90.0, step)
    west = np.arange(-179.0, 180.0, step)
    y, x = (one.ravel() for one in np.meshgrid(south, west, indexing="ij"))
    chord = np.sqrt(((unit_vectors(y, x) - unit_vectors([lat], [lon])) ** 2).sum(axis=1))
    hit = chord_nmi(chord) <= radius_nmi + step * 60.0 / np.sqrt(2.0) + 1.0
    row, column = ((y + 90.0) // SHEET_DEG).astype(np.int64), ((x + 180.0) // SHEET_DEG).astype(np.int64)
    return np.unique((row * SHEETS_EAST + column)[hit])
