"""Which of many fences a position lies in, for millions of positions.

Takes polygons (longitudes in [-180, 180]); gives for each position the id of a *set* of fences. A raster decides
most positions: blocks of one degree, and in blocks that a border crosses, cells of 1/32 degree. Only positions in
cells that a border crosses are tested against polygons. A position on the border lies inside.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from vessels.geodesy import BLOCK_ROWS

IntArray = npt.NDArray[np.int32]

CELLS_PER_DEGREE: Final = 32
"""1/32° is 1.9 nmi of latitude: below the size of a port, so that most of a fence is decided without a test."""
_BLOCKS_EAST: Final = 360
_BLOCKS_NORTH: Final = 180


class ZoneIndex:
    """Raster over fences. Sets of fences get small ids as they are met; set 0 is "in none".

    Looking up is safe from several threads; ids are given in order of first use, so compare sets, never ids.
    """

    def __init__(self, fences: Sequence[BaseGeometry]) -> None:
        self._fences = list(fences)
        for fence in self._fences:
            shapely.prepare(fence)
        self._lock = Lock()
        self._sets: list[tuple[int, ...]] = [()]
        self._set_ids: dict[tuple[int, ...], int] = {(): 0}
        self._classes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())]
        self._class_ids: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {((), ()): 0}
        self._blocks = np.zeros(_BLOCKS_NORTH * _BLOCKS_EAST, dtype=np.int32)
        self._cells = self._rasterise()
        self._class_set = np.array(
            [-1 if border else self._set_id(inside) for inside, border in self._classes], dtype=np.int32
        )

    @property
    def sets(self) -> tuple[tuple[int, ...], ...]:
        """Members of each set met so far, by set id: indices of fences, ascending."""
        with self._lock:
            return tuple(self._sets)

    def _set_id(self, members: tuple[int, ...]) -> int:
        with self._lock:
            known = self._set_ids.get(members)
            if known is None:
                known = self._set_ids[members] = len(self._sets)
                self._sets.append(members)
            return known

    def _class_id(self, inside: list[int], border: list[int]) -> int:
        key = (tuple(inside), tuple(border))
        known = self._class_ids.get(key)
        if known is None:
            known = self._class_ids[key] = len(self._classes)
            self._classes.append(key)
        return known

    def _rasterise(self) -> IntArray:
        """Fill `_blocks`: 0 empty, -k class k all over, +k the k-th table of cells. Returns the tables of cells."""
        inside: dict[int, list[int]] = {}
        crossed: dict[int, list[int]] = {}
        for i, fence in enumerate(self._fences):
            west, south, east, north = fence.bounds
            rows = np.arange(max(int(south + 90.0), 0), min(int(north + 90.0), _BLOCKS_NORTH - 1) + 1)
            columns = np.arange(max(int(west + 180.0), 0), min(int(east + 180.0), _BLOCKS_EAST - 1) + 1)
            row, column = (a.ravel() for a in np.meshgrid(rows, columns, indexing="ij"))
            boxes = shapely.box(column - 180.0, row - 90.0, column - 179.0, row - 89.0)
            covered = shapely.covers(fence, boxes)
            touched = shapely.intersects(fence, boxes) & ~covered
            block = row * _BLOCKS_EAST + column
            for b in block[covered].tolist():
                inside.setdefault(b, []).append(i)
            for b in block[touched].tolist():
                crossed.setdefault(b, []).append(i)
        tables: list[IntArray] = []
        for b in sorted(inside.keys() | crossed.keys()):
            if b in crossed:
                tables.append(self._cells_of(b, inside.get(b, []), crossed[b]))
                self._blocks[b] = len(tables)
            else:
                self._blocks[b] = -self._class_id(inside[b], [])
        if not tables:
            return np.zeros(0, dtype=np.int32)
        return np.concatenate(tables)

    def _cells_of(self, block: int, inside: list[int], crossed: list[int]) -> IntArray:
        south, west = block // _BLOCKS_EAST - 90.0, block % _BLOCKS_EAST - 180.0
        step = 1.0 / CELLS_PER_DEGREE
        row, column = (a.ravel() for a in np.mgrid[0:CELLS_PER_DEGREE, 0:CELLS_PER_DEGREE])
        boxes = shapely.box(
            west + column * step, south + row * step, west + (column + 1) * step, south + (row + 1) * step
        )
        covered = np.array([shapely.covers(self._fences[i], boxes) for i in crossed])
        touched = np.array([shapely.intersects(self._fences[i], boxes) for i in crossed]) & ~covered
        patterns, which = np.unique(np.concatenate([covered, touched]).T, axis=0, return_inverse=True)
        half = len(crossed)
        ids = []
        for pattern in patterns:
            within = sorted(inside + [i for i, hit in zip(crossed, pattern[:half], strict=True) if hit])
            ids.append(self._class_id(within, [i for i, hit in zip(crossed, pattern[half:], strict=True) if hit]))
        return np.array(ids, dtype=np.int32)[which.ravel()]

    def lookup(self, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> IntArray:
        """The set id of each position. Shapes (n,); lat in [-90, 90], lon in [-180, 180], no NaN."""
        out = np.zeros(len(lat), dtype=np.int32)
        if not self._fences:
            return out
        for start in range(0, len(lat), BLOCK_ROWS):
            part = slice(start, min(start + BLOCK_ROWS, len(lat)))
            self._lookup_block(lat[part], lon[part], out[part])
        unsure = np.flatnonzero(out < 0)
        if len(unsure):
            out[unsure] = self._test(-out[unsure], lat[unsure], lon[unsure])
        return out

    def _lookup_block(self, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], out: IntArray) -> None:
        """Set ids of a block of positions; minus the class where a border crosses the cell."""
        row = np.minimum((lat + 90.0).astype(np.int32), _BLOCKS_NORTH - 1)
        column = (lon + 180.0).astype(np.int32)
        column[column >= _BLOCKS_EAST] = 0
        value = self._blocks[row * _BLOCKS_EAST + column]
        hits = np.flatnonzero(value)
        if not len(hits):
            return
        value = value[hits]
        classes = -value
        fine = value > 0
        if fine.any():
            deep = hits[fine]
            cell_row = ((lat[deep] + 90.0) * CELLS_PER_DEGREE).astype(np.int32) - row[deep] * CELLS_PER_DEGREE
            cell_column = ((lon[deep] + 180.0) * CELLS_PER_DEGREE).astype(np.int32) % (
                _BLOCKS_EAST * CELLS_PER_DEGREE
            ) - column[deep] * CELLS_PER_DEGREE
            np.clip(cell_row, 0, CELLS_PER_DEGREE - 1, out=cell_row)
            table = (value[fine] - 1) * CELLS_PER_DEGREE**2
            classes[fine] = self._cells[table + cell_row * CELLS_PER_DEGREE + cell_column]
        sets = self._class_set[classes]
        out[hits] = np.where(sets < 0, -classes, sets)

    def _test(self, classes: IntArray, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> IntArray:
        """Set ids of positions in cells that borders cross, by polygon tests."""
        out = np.zeros(len(classes), dtype=np.int32)
        order = np.argsort(classes, kind="stable")
        bounds = np.flatnonzero(np.diff(classes[order], prepend=-1))
        for start, stop in zip(bounds, [*bounds[1:], len(order)], strict=True):
            rows = order[start:stop]
            inside, border = self._classes[int(classes[rows[0]])]
            x, y = lon[rows], lat[rows]
            which = np.zeros(len(rows), dtype=np.int64)
            members: list[tuple[int, ...]] = [inside]
            for fence in border:
                hit = shapely.intersects_xy(self._fences[fence], x, y)
                which, members = _split(which, members, hit, fence)
            ids = np.array([self._set_id(tuple(sorted(m))) for m in members], dtype=np.int32)
            out[rows] = ids[which]
        return out


def _split(
    which: npt.NDArray[np.int64], members: list[tuple[int, ...]], hit: npt.NDArray[np.bool_], fence: int
) -> tuple[npt.NDArray[np.int64], list[tuple[int, ...]]]:
    """Split every group of positions by whether they lie in one more fence; empty groups are dropped."""
    which = which + len(members) * hit
    candidates = [*members, *((*m, fence) for m in members)]
    used = np.bincount(which, minlength=len(candidates)) > 0
    return (np.cumsum(used) - 1)[which], [m for m, is_used in zip(candidates, used, strict=True) if is_used]
