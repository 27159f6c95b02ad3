"""A lattice over the world, and where the coast crosses its lines.

Takes land polygons; gives, for any window of the lattice, which points are wet, and between which neighbouring points
the coast runs. The latter makes narrow land tight: a way from point to point that no crossing blocks lies in water all
along, however thin a spit is. Distances and routes are left to `vessels.land` and `vessels.sea_grid`.

Rows run north from the South Pole, columns east from -180°, points lie in the middle of cells of 1/80° (0.75 nmi of
latitude). Columns are taken modulo the circle.
"""

from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PER_DEGREE: Final = 80
"""0.75 nmi: finer than the coast of a 1:10,000,000 map is true (0.5 mm on paper are 2.7 nmi)."""
ROWS: Final = 180 * PER_DEGREE
COLUMNS: Final = 360 * PER_DEGREE
_BAND_ROWS: Final = 8 * PER_DEGREE
_TURN: Final = 1024.0
"""More than a turn of longitude: keys of (row, longitude) do not overlap."""


def latitude_of(row: npt.ArrayLike) -> FloatArray:
    """Latitude of a row's points; rows beyond the pole give latitudes beyond 90°."""
    result: FloatArray = -90.0 + (np.asarray(row, dtype=np.float64) + 0.5) / PER_DEGREE
    return result


def longitude_of(column: npt.ArrayLike) -> FloatArray:
    """Longitude of a column's points; columns beyond the antimeridian give longitudes beyond 180°."""
    result: FloatArray = -180.0 + (np.asarray(column, dtype=np.float64) + 0.5) / PER_DEGREE
    return result


class ScanLines:
    """The coast's crossings with the lattice, found band by band when first asked for; safe from several threads."""

    def __init__(self, polygons: npt.NDArray[np.object_]) -> None:
        rings = shapely.get_rings(polygons)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        joined = ring[1:] == ring[:-1]
        self.start: FloatArray = xy[:-1][joined]
        self.end: FloatArray = xy[1:][joined]
        (x0, y0), (x1, y1) = self.start.T, self.end.T
        seam = ((x0 == x1) & (np.abs(x0) == 180.0)) | ((y0 == y1) & (np.abs(y0) == 90.0))
        self.is_shore: BoolArray = ~seam
        self._south, self._north = np.minimum(y0, y1), np.maximum(y0, y1)
        self._edges, self._first = self._by_degree()
        self._bands: dict[int, tuple[FloatArray, IntArray]] = {}
        self._lock = Lock()

    def _by_degree(self) -> tuple[IntArray, IntArray]:
        """Edges of the shore by square degree that their boxes meet, and where each square degree's begin."""
        shore = np.flatnonzero(self.is_shore)
        low = np.minimum(self.start[shore], self.end[shore]) + np.array([180.0, 90.0])
        high = np.maximum(self.start[shore], self.end[shore]) + np.array([180.0, 90.0])
        west, south = np.clip(low.astype(np.int64), 0, (359, 179)).T
        east, north = np.clip(high.astype(np.int64), 0, (359, 179)).T
        wide = east - west + 1
        count = wide * (north - south + 1)
        which = np.repeat(np.arange(len(shore)), count)
        k = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        degree = (south[which] + k // wide[which]) * 360 + west[which] + k % wide[which]
        order = np.argsort(degree, kind="stable")
        return shore[which[order]], np.searchsorted(degree[order], np.arange(180 * 360 + 1))

    def edges_in(self, west: float, south: float, east: float, north: float) -> IntArray:
        """Indices, ascending, of the shore's edges that may touch a box within [-180, 180], and of some more."""
        first, last = max(int(np.floor(west)) + 180, 0), min(int(np.floor(east)) + 180, 359)
        rows = np.arange(max(int(np.floor(south)) + 90, 0), min(int(np.floor(north)) + 90, 179) + 1)
        found = [self._edges[self._first[row * 360 + first] : self._first[row * 360 + last + 1]] for row in rows]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def _band(self, band: int) -> tuple[FloatArray, IntArray]:
        """Crossings with the rows of one band: sorted keys (row times a turn, plus longitude), and where rows start."""
        found = self._bands.get(band)
        if found is not None:
            return found
        first, last = band * _BAND_ROWS, min((band + 1) * _BAND_ROWS, ROWS)
        edge = np.flatnonzero((self._north >= latitude_of(first - 1)) & (self._south <= latitude_of(last)))
        row, x = _crossings(self.start[edge], self.end[edge], first, last)
        keys = np.sort((row - first) * _TURN + x + 180.0)
        starts = np.searchsorted(keys, np.arange(last - first + 1) * _TURN)
        with self._lock:
            return self._bands.setdefault(band, (keys, starts))

    def rows(self, first: int, last: int, step: int = 1) -> tuple[IntArray, FloatArray]:
        """Every `step`th row from `first` before `last`: its number among these, and longitude, of each crossing."""
        rows = np.clip(np.arange(first, last, step), 0, ROWS - 1)
        numbers, longitudes = [], []
        for band in np.unique(rows // _BAND_ROWS):
            keys, starts = self._band(int(band))
            here = np.flatnonzero(rows // _BAND_ROWS == band)
            local = rows[here] - band * _BAND_ROWS
            count = starts[local + 1] - starts[local]
            at = np.repeat(starts[local] - (np.cumsum(count) - count), count) + np.arange(count.sum())
            numbers.append(np.repeat(here, count))
            longitudes.append(keys[at] - np.repeat(local, count) * _TURN - 180.0)
        return np.concatenate(numbers), np.concatenate(longitudes)

    def window(
        self, row: int, n_rows: int, column: int, n_columns: int, step: tuple[int, int] = (1, 1)
    ) -> tuple[BoolArray, BoolArray]:
        """Which lattice points of a window are wet, and which have coast between them and the point to their west.

        Shapes (n_rows, n_columns): `n_rows` rows from `row` on, `step[0]` apart, and likewise columns.
        """
        number, x = self.rows(row, row + n_rows * step[0], step[0])
        # The crossing lies between two points; columns are counted from the window's first, round the circle.
        after = np.ceil((x + 180.0) * PER_DEGREE - 0.5)
        offset = (after - column) % COLUMNS
        target = np.ceil(offset / step[1]).astype(np.int64)
        dry_at_west = self._dry_at(number, after, column, n_rows)
        inside = target < n_columns
        count = np.bincount(number[inside] * n_columns + target[inside], minlength=n_rows * n_columns).reshape(
            n_rows, n_columns
        )
        blocked = count > 0
        odd = (count & 1).astype(np.uint8)
        odd[:, 0] = dry_at_west
        dry = np.bitwise_xor.accumulate(odd, axis=1)
        return dry == 0, blocked

    def _dry_at(self, number: IntArray, after: FloatArray, column: int, n_rows: int) -> npt.NDArray[np.uint8]:
        """Whether the window's first column is dry: crossings west of it, counted from the antimeridian, are odd."""
        west = number[after <= column % COLUMNS]
        return (np.bincount(west, minlength=n_rows) & 1).astype(np.uint8)

    def between_rows(self, row: int, n_rows: int, column: int, n_columns: int) -> BoolArray:
        """Which points of a window have coast between them and the point to their south. Shape (n_rows, n_columns)."""
        south, north = float(latitude_of(row - 1)), float(latitude_of(row + n_rows))
        count = np.zeros(n_rows * n_columns, dtype=bool)
        for turn in (-COLUMNS, 0, COLUMNS):
            west, east = float(longitude_of(column + turn - 1)), float(longitude_of(column + turn + n_columns))
            if east < -180.0 or west > 180.0:
                continue
            edge = self.edges_in(west, south, east, north)
            # The same count with the axes exchanged: columns are the lines, latitudes the places of crossings.
            line, y = _crossings(
                self.start[edge][:, ::-1],
                self.end[edge][:, ::-1],
                column + turn,
                column + turn + n_columns,
                origin=180.0,
            )
            target = np.ceil((y + 90.0) * PER_DEGREE - 0.5).astype(np.int64) - row
            inside = (target >= 0) & (target < n_rows)
            count[target[inside] * n_columns + (line[inside] - column - turn)] = True
        return count.reshape(n_rows, n_columns)


def _crossings(
    start: FloatArray, end: FloatArray, first: int, last: int, origin: float = 90.0
) -> tuple[IntArray, FloatArray]:
    """Where edges cross the lines `first` to `last` (excluded) of constant second coordinate: line, first coordinate.

    A line that passes through a vertex is crossed by one of the two edges there, so that counts stay even round a ring.
    """
    (x0, y0), (x1, y1) = start.T, end.T
    low = np.ceil((np.minimum(y0, y1) + origin) * PER_DEGREE - 0.5)
    high = np.ceil((np.maximum(y0, y1) + origin) * PER_DEGREE - 0.5)
    low, high = np.clip(low, first, last).astype(np.int64), np.clip(high, first, last).astype(np.int64)
    count = high - low
    edge = np.repeat(np.arange(len(count)), count)
    line = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(count.sum())
    y = (line + 0.5) / PER_DEGREE - origin
    x = x0[edge] + (y - y0[edge]) * (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    return line, x
