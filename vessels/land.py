"""Where there is land: on it or not, and how far off the shore is.

Takes land polygons, by default those packaged (Natural Earth 1:10m with navigable channels cut through it; see
docs/data-sources.md); gives signed distances to the shore for millions of positions. Ways by water are left to
`vessels.sea_distance`.

Rasters of distance are made when a place is first asked for: a coarse one (7.5 nmi) for a sheet of eight by eight
degrees, and a fine one (0.75 nmi) for each square degree with positions near its coast. Between points they are
interpolated.
"""

from functools import cache
from importlib.resources import as_file, files
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely
from scipy import ndimage, spatial

from vessels.geodesy import BLOCK_ROWS
from vessels.land_file import unpack
from vessels.scan_lines import COLUMNS, PER_DEGREE, ROWS, ScanLines, latitude_of, longitude_of
from vessels.units import MEAN_EARTH_RADIUS_NMI

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Polygons = npt.NDArray[np.object_]

CAP_NMI: Final = 100.0
"""Farther from the shore than this, the distance is not told."""
NMI_PER_DEGREE: Final = MEAN_EARTH_RADIUS_NMI * np.pi / 180.0
_NEAR_NMI: Final = 8.0
"""Nearer to the shore than this by the coarse raster, the fine one answers; one coarse cell, and its own error."""
_HALO_NMI: Final = 16.0
"""Coast this far outside a square degree counts in its fine raster: twice the above, for the coarse one's error."""
_SAMPLE_NMI: Final = 0.25
"""The coast is a row of points this far apart; of a mile for the coarse raster."""
_COARSE_SAMPLE_NMI: Final = 1.0
_LONGEST_PIECE_NMI: Final = 10.0
_POLAR_DEG: Final = 80.0
"""Beyond this latitude a flat map of two degrees is not true to scale."""

_COARSE_STEP: Final = 10
_SHEET_DEG: Final = 8
_SHEETS_EAST: Final = 360 // _SHEET_DEG
_SHEETS_NORTH: Final = -(-180 // _SHEET_DEG)
_SHEET_NODES: Final = _SHEET_DEG * PER_DEGREE // _COARSE_STEP + 2  # one beyond each border
_TILE_NODES: Final = PER_DEGREE + 2
_STEPS_PER_NMI: Final = 200.0
"""Distances are kept in 16 bits: to 0.005 nmi, up to 163."""


def unit_vectors(lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
    """Positions in degrees as points on the unit sphere, shape (n, 3). Latitudes beyond 90° lie over the pole."""
    phi, lam = np.radians(np.asarray(lat, dtype=np.float64)), np.radians(np.asarray(lon, dtype=np.float64))
    cos_phi = np.cos(phi)
    return np.stack([cos_phi * np.cos(lam), cos_phi * np.sin(lam), np.sin(phi)], axis=-1)


def chord_nmi(chord: npt.ArrayLike) -> FloatArray:
    """Great-circle distance of two points that a chord of the unit sphere joins."""
    result: FloatArray = 2.0 * MEAN_EARTH_RADIUS_NMI * np.arcsin(np.minimum(np.asarray(chord) / 2.0, 1.0))
    return result


class Land:
    """Land polygons (lon/lat degrees within ±180 and ±90, not overlapping) and how far the shore is.

    Safe from several threads. Memory grows with the places asked for: 35 kB a sheet, 13 kB a square degree at the
    coast, about 120 MB for all the world's coasts.
    """

    def __init__(self, polygons: Polygons) -> None:
        self.polygons = polygons
        self.lines = ScanLines(polygons)
        self._lock = Lock()
        self._has_sheet = np.zeros(_SHEETS_NORTH * _SHEETS_EAST, dtype=np.bool_)
        self._sheets = np.zeros((len(self._has_sheet), _SHEET_NODES, _SHEET_NODES), dtype=np.int16)
        self._slot = np.full(180 * 360, -1, dtype=np.int32)
        self._tiles = np.zeros((0, _TILE_NODES, _TILE_NODES), dtype=np.int16)
        self._n_tiles = 0
        self._pieces: tuple[FloatArray, tuple[FloatArray, FloatArray]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (_of_wkb, (shapely.to_wkb(self.polygons).tolist(),))

    def is_land(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> BoolArray:
        """Whether each position (degrees) lies on land; false where it is not a number. Shape (n,)."""
        return self.shore_nmi(lat, lon) < 0.0

    def shore_nmi(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """Distance to the nearest shore in nautical miles: positive at sea, negative inland, at most 100 either way.

        Shape (n,); not a number where the position is none. Within 0.5 nmi near the shore and 1 nmi elsewhere for all
        but odd places (docs/decisions/sea-grid.md); inlets and spits narrower than 0.75 nmi may be missed. Longitudes
        may run past 180°; latitudes beyond 90° are taken as the pole.
        """
        lat, lon = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
        shape, lat, lon = lat.shape, lat.ravel(), lon.ravel()
        out = np.empty(len(lat), dtype=np.float64)
        for first in range(0, len(lat), BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            out[part] = self._block(lat[part], lon[part])
        return out.reshape(shape)

    def rough_shore_nmi(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """The same from the coarse raster alone: within 2 nmi mostly, 4 at worst; cheap over wide seas. Finite (n,)."""
        y = (np.clip(np.asarray(lat, dtype=np.float64), -90.0, 90.0) + 90.0) * PER_DEGREE
        x = np.mod((np.asarray(lon, dtype=np.float64) + 180.0) * PER_DEGREE, COLUMNS)
        return self._coarse(y, np.where(x >= COLUMNS, 0.0, x))

    def _block(self, lat: FloatArray, lon: FloatArray) -> FloatArray:
        known = np.isfinite(lat) & np.isfinite(lon)
        y = (np.clip(np.where(known, lat, 0.0), -90.0, 90.0) + 90.0) * PER_DEGREE
        x = np.mod((np.where(known, lon, 0.0) + 180.0) * PER_DEGREE, COLUMNS)
        x[x >= COLUMNS] = 0.0  # the remainder of a tiny negative number rounds up
        out = self._coarse(y, x)
        near = np.flatnonzero(np.abs(out) < _NEAR_NMI)
        if len(near):
            out[near] = self._fine(y[near], x[near])
        out[~known] = np.nan
        return out

    # --- the coarse raster -------------------------------------------------------------------------------------------

    def _coarse(self, y: FloatArray, x: FloatArray) -> FloatArray:
        side = _SHEET_DEG * PER_DEGREE
        sheet_y = np.minimum(y.astype(np.int64), ROWS - 1) // side
        sheet_x = x.astype(np.int64) // side
        sheet = sheet_y * _SHEETS_EAST + sheet_x
        missing = ~self._has_sheet[sheet]
        if missing.any():
            for one in np.unique(sheet[missing]):
                self._make_sheet(int(one))
        # Node i of a sheet lies on lattice point 10 i - 5 of it, so at 10 i - 4.5 cells of 1/80 degree.
        v = (y - sheet_y * side + 4.5) / _COARSE_STEP
        u = (x - sheet_x * side + 4.5) / _COARSE_STEP
        return _interpolated(self._sheets, sheet, v, u)

    def _make_sheet(self, sheet: int) -> None:
        side = _SHEET_DEG * PER_DEGREE
        rows = sheet // _SHEETS_EAST * side - 5 + _COARSE_STEP * np.arange(_SHEET_NODES)
        columns = sheet % _SHEETS_EAST * side - 5 + _COARSE_STEP * np.arange(_SHEET_NODES)
        wet, _ = self.lines.window(
            int(rows[0]), len(rows), int(columns[0]), len(columns), step=(_COARSE_STEP, _COARSE_STEP)
        )
        lat, lon = np.broadcast_arrays(latitude_of(rows)[:, None], longitude_of(columns)[None, :])
        nodes = unit_vectors(lat.ravel(), lon.ravel())
        far = CAP_NMI / MEAN_EARTH_RADIUS_NMI
        shore = self.shore_about(nodes, far, _COARSE_SAMPLE_NMI)
        distance = np.full(len(nodes), CAP_NMI)
        if len(shore):
            chord, _ = spatial.cKDTree(shore, balanced_tree=False, compact_nodes=False).query(
                nodes, distance_upper_bound=2.0 * np.sin(far / 2.0)
            )
            distance = np.minimum(chord_nmi(np.minimum(chord, 2.0)), CAP_NMI)
        signed = np.where(wet.ravel(), distance, -distance)
        with self._lock:
            self._sheets[sheet] = np.round(signed * _STEPS_PER_NMI).reshape(_SHEET_NODES, _SHEET_NODES)
            self._has_sheet[sheet] = True

    def shore_about(self, nodes: FloatArray, radius: float, spacing_nmi: float) -> FloatArray:
        """Points of the shore within a radius (radians) of some of these nodes, and some more. Shape (n, 3)."""
        middle = nodes.mean(axis=0)
        middle /= max(float(np.linalg.norm(middle)), 1e-9)
        reach = min(float(np.arccos(np.clip((nodes @ middle).min(), -1.0, 1.0))) + radius, np.pi)
        z, ends = self._edges_by_latitude()
        middle_lat = float(np.arcsin(np.clip(middle[2], -1.0, 1.0)))
        margin = reach + _LONGEST_PIECE_NMI / MEAN_EARTH_RADIUS_NMI
        first, last = np.searchsorted(z, np.clip([middle_lat - margin, middle_lat + margin], -np.pi / 2, np.pi / 2))
        start, end = ends[0][first:last], ends[1][first:last]
        near = np.flatnonzero(start @ middle >= np.cos(min(margin, np.pi)))
        start, step = start[near], end[near] - start[near]
        count = np.ceil(np.sqrt((step**2).sum(axis=1)) * MEAN_EARTH_RADIUS_NMI / spacing_nmi).astype(np.int64) + 1
        which, part = _parts(count)
        points: FloatArray = start[which] + part[:, None] * step[which]
        return points

    def _edges_by_latitude(self) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        """The shore as short pieces sorted by latitude: latitudes (radians) of their starts; starts and ends (n, 3)."""
        if self._pieces is None:
            shore = self.lines.is_shore
            lat, lon, last = sampled(self.lines.start[shore], self.lines.end[shore], _LONGEST_PIECE_NMI)
            points = unit_vectors(lat, lon)
            start, end = points[:-1][~last[:-1]], points[1:][~last[:-1]]
            order = np.argsort(start[:, 2], kind="stable")
            start, end = start[order], end[order]
            with self._lock:
                self._pieces = (np.arcsin(np.clip(start[:, 2], -1.0, 1.0)), (start, end))
        return self._pieces

    def shore_in(self, row: int, n_rows: int, column: int, n_columns: int) -> tuple[FloatArray, FloatArray]:
        """Points of the shore in a window of the lattice, a quarter mile apart; longitudes run on past ±180°."""
        south, north = (row / PER_DEGREE - 90.0), (row + n_rows) / PER_DEGREE - 90.0
        latitudes, longitudes = [], []
        for turn in (-COLUMNS, 0, COLUMNS):
            west, east = (column + turn) / PER_DEGREE - 180.0, (column + turn + n_columns) / PER_DEGREE - 180.0
            if east < -180.0 or west > 180.0:
                continue
            edge = self.lines.edges_in(west, south, east, north)
            lat, lon, _ = sampled(self.lines.start[edge], self.lines.end[edge], _SAMPLE_NMI)
            inside = (lat >= south) & (lat < north) & (lon >= west) & (lon < east)
            latitudes.append(lat[inside])
            longitudes.append(lon[inside] - turn / PER_DEGREE)
        return np.concatenate(latitudes), np.concatenate(longitudes)

    # --- the fine raster ---------------------------------------------------------------------------------------------

    def _fine(self, y: FloatArray, x: FloatArray) -> FloatArray:
        tile_y = np.minimum(y.astype(np.int64), ROWS - 1) // PER_DEGREE
        tile_x = x.astype(np.int64) // PER_DEGREE
        tile = tile_y * 360 + tile_x
        missing = self._slot[tile] < 0
        if missing.any():
            for one in np.unique(tile[missing]):
                self._make_tile(int(one))
        slot = self._slot[tile].astype(np.int64)
        step = _column_steps(tile_y)
        # Node i lies in the middle of cell i - 1; near the poles a cell is several columns wide.
        return _interpolated(self._tiles, slot, y - tile_y * PER_DEGREE + 0.5, (x - tile_x * PER_DEGREE) / step + 0.5)

    def _make_tile(self, tile: int) -> None:
        polar = abs(tile // 360 - 89.5) > _POLAR_DEG
        distance = _by_tree(self, tile) if polar else _by_transform(self, tile)
        with self._lock:
            if self._slot[tile] >= 0:
                return
            if self._n_tiles == len(self._tiles):
                grown = np.zeros((max(64, 2 * self._n_tiles), _TILE_NODES, _TILE_NODES), dtype=np.int16)
                grown[: self._n_tiles] = self._tiles
                self._tiles = grown  # readers that hold the old one hold slots that are in it
            values = np.round(np.clip(distance, -CAP_NMI, CAP_NMI) * _STEPS_PER_NMI)
            self._tiles[self._n_tiles, :, : values.shape[1]] = values
            self._slot[tile] = self._n_tiles
            self._n_tiles += 1


def sampled(start: FloatArray, end: FloatArray, spacing_nmi: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Points along edges (lon, lat), both ends included, so far apart at most: latitudes, longitudes, last or not."""
    step = end - start
    squeeze = np.cos(np.radians(np.minimum(np.abs(start[:, 1]), np.abs(end[:, 1]))))
    length = np.hypot(step[:, 0] * squeeze, step[:, 1]) * NMI_PER_DEGREE
    which, part = _parts(np.ceil(length / spacing_nmi).astype(np.int64) + 1)
    return start[which, 1] + part * step[which, 1], start[which, 0] + part * step[which, 0], part >= 1.0


def _parts(count: IntArray) -> tuple[IntArray, FloatArray]:
    """`count[i]` points on edge i: which edge each is on, and how far along it, 0 to 1."""
    count = np.maximum(count, 2)
    which = np.repeat(np.arange(len(count)), count)
    return which, (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)) / (count - 1)[which]


def _column_steps(tile_row: IntArray) -> IntArray:
    """How many lattice columns make one of a fine raster, so that its cells are about square: 1, 2, 4, 8 or 16."""
    squeeze = np.cos(np.radians(np.abs(tile_row - 89.5)))
    steps: IntArray = np.left_shift(1, np.clip(np.floor(np.log2(1.0 / squeeze) + 0.5), 0, 4).astype(np.int64))
    return steps


def _tile_nodes(tile: int) -> tuple[int, IntArray, IntArray, FloatArray, FloatArray]:
    """Column step, lattice rows and columns of a fine raster's nodes, and latitudes and longitudes of these."""
    step = int(_column_steps(np.array([tile // 360]))[0])
    rows = tile // 360 * PER_DEGREE - 1 + np.arange(_TILE_NODES)
    columns = tile % 360 * PER_DEGREE + step * (np.arange(PER_DEGREE // step + 2) - 1)
    return step, rows, columns, latitude_of(rows), longitude_of(columns + (step - 1) / 2)


def _by_transform(land: "Land", tile: int) -> FloatArray:
    """Signed distances on a fine raster, by a distance transform of a flat map that holds for some degrees around."""
    step, rows, columns, lat, lon = _tile_nodes(tile)
    squeeze = float(np.cos(np.radians(lat[_TILE_NODES // 2])))
    row_nmi, column_nmi = NMI_PER_DEGREE / PER_DEGREE, NMI_PER_DEGREE / PER_DEGREE * step * squeeze
    above, aside = int(np.ceil(_HALO_NMI / row_nmi)), int(np.ceil(_HALO_NMI / column_nmi))
    n_rows, n_columns = len(rows) + 2 * above, len(columns) + 2 * aside
    row, column = int(rows[0]) - above, int(columns[0]) - aside * step
    shore_lat, shore_lon = land.shore_in(row, n_rows, column, n_columns * step)
    wet, _ = land.lines.window(int(rows[0]), len(rows), int(columns[0]) + step // 2, len(columns), step=(1, step))
    if not len(shore_lat):
        return np.where(wet, _HALO_NMI, -_HALO_NMI)
    # One shore point a cell: the mean of those in it. The transform names the cell with the nearest one, about.
    cell = np.floor((shore_lat + 90.0) * PER_DEGREE).astype(np.int64) - row
    cell = cell * n_columns + (np.floor((shore_lon + 180.0) * PER_DEGREE).astype(np.int64) - column) // step
    count = np.bincount(cell, minlength=n_rows * n_columns)
    some = np.maximum(count, 1)
    mean_lat = np.bincount(cell, weights=shore_lat, minlength=len(count)) / some
    mean_lon = np.bincount(cell, weights=shore_lon, minlength=len(count)) / some
    near_row, near_column = ndimage.distance_transform_edt(
        (count == 0).reshape(n_rows, n_columns),
        sampling=(row_nmi, column_nmi),
        return_distances=False,
        return_indices=True,
    )[:, above:-above, aside:-aside]
    nearest = near_row.astype(np.int64) * n_columns + near_column
    north = mean_lat[nearest] - lat[:, None]
    east = (mean_lon[nearest] - lon[None, :]) * np.cos(np.radians(lat[:, None] + north / 2.0))
    distance: FloatArray = np.hypot(north, east) * NMI_PER_DEGREE
    return np.where(wet, distance, -distance)


def _by_tree(land: "Land", tile: int) -> FloatArray:
    """The same by the nearest of many points of the shore, on the sphere: ten times slower, right at the poles."""
    step, rows, columns, lat, lon = _tile_nodes(tile)
    wet, _ = land.lines.window(int(rows[0]), len(rows), int(columns[0]) + step // 2, len(columns), step=(1, step))
    lat, lon = (one.ravel() for one in np.broadcast_arrays(lat[:, None], lon[None, :]))
    nodes = unit_vectors(lat, lon)
    shore = land.shore_about(nodes, _HALO_NMI / MEAN_EARTH_RADIUS_NMI, _SAMPLE_NMI)
    distance = np.full(len(nodes), _HALO_NMI)
    if len(shore):
        chord, _ = spatial.cKDTree(shore).query(nodes)
        distance = chord_nmi(chord)
    return np.where(wet, distance.reshape(wet.shape), -distance.reshape(wet.shape))


def _interpolated(rasters: npt.NDArray[np.int16], which: IntArray, v: FloatArray, u: FloatArray) -> FloatArray:
    """Values between four points of one of many rasters, in nautical miles."""
    side = rasters.shape[1]
    row, column = v.astype(np.int64), u.astype(np.int64)
    np.clip(row, 0, side - 2, out=row)
    np.clip(column, 0, side - 2, out=column)
    v, u = v - row, u - column
    at = (which * side + row) * side + column
    flat = rasters.reshape(-1)
    south = flat[at] * (1.0 - u) + flat[at + 1] * u
    north = flat[at + side] * (1.0 - u) + flat[at + side + 1] * u
    result: FloatArray = (south + (north - south) * v) / _STEPS_PER_NMI
    return result


def _of_wkb(polygons: list[bytes]) -> Land:
    return Land(shapely.from_wkb(np.array(polygons, dtype=object)))


@cache
def land() -> Land:
    """The packaged land: one for the whole process, because its rasters are the same for everybody."""
    with as_file(files("vessels").joinpath("data", "land.parquet")) as path:
        return Land(unpack(pq.read_table(path)))
