"""The crowd: of the ships that passed where one fell silent, how many had silences that left time for a hidden call.

Takes silences, which of them leave the time, and sketches of all tracks; gives counts. Everyone who passes a liner's
berth beside a watched port has the opportunity now and then, and where most have used it by chance it says nothing.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.rules.dark.silences import Silences
from vessels.geodesy import wrap_degrees
from vessels.units import MEAN_EARTH_RADIUS_NMI

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LIKE_LENGTH: Final = 0.5
"""Silences at least this part as long are of like length."""
_ROWS: Final = 180
_COLUMNS: Final = 360
"""Cells of one degree, by which positions are found again."""
_FINE: Final = 16
"""Fine cells to a degree, in which positions are taken together: some 4 nmi."""
_ROUNDING_RAD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class _Passages:
    """Positions sorted by fine cell and ship. `cell_*` (cells,): row of the grid, a place in it, the angle from there
    to its farthest position, and (cells + 1,) the first pair; pairs of cell and ship: the ship, and (pairs + 1,) the
    first position; `places` are unit vectors (positions, 3)."""

    cell_row: IntArray
    cell_place: FloatArray
    cell_reach: FloatArray
    cell_first: IntArray
    ship: IntArray
    ship_first: IntArray
    places: FloatArray

    def sure_and_open(self, about: FloatArray, spread: float, lat: float, reach: float) -> tuple[IntArray, IntArray]:
        """Cells within reach of every start no further than the spread from a place, and those that only may be."""
        band = [lat + side * (math.degrees(reach + spread) + 1.0 / _FINE) for side in (-1.0, 1.0)]
        low, high = np.searchsorted(self.cell_row, _row(np.array(band), _FINE) + np.array([0, 1]))
        off = _angle(self.cell_place[low:high], about)
        margin = self.cell_reach[low:high] + spread + _ROUNDING_RAD
        sure = off + margin <= reach
        return low + np.flatnonzero(sure), low + np.flatnonzero(~sure & (off - margin <= reach))


def crowd_of(
    silences: Silences, feasible: npt.NDArray[np.bool_], asked: IntArray, sketches: pa.Table, within_nmi: float
) -> tuple[IntArray, IntArray]:
    """For the silences asked for: other ships that passed within the distance, and those of them with the like silence.

    Ships are told apart by MMSI. Only positions in cells about the silences asked for are looked at. Silences that
    begin in one fine cell share what holds for all of it; only positions near the edge are measured one by one.
    """
    n_passed, n_like = np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=np.int64)
    own = np.asarray(silences.rows["mmsi"].to_numpy(), dtype=np.int64)
    lat, lon = silences.places("start")
    begins = _unit(lat, lon)
    ranges = {one for row in asked for one in _cells_about(float(lat[row]), float(lon[row]), within_nmi)}
    rows = _positions_in(sketches, ranges)
    track_mmsi = np.asarray(sketches["mmsi"].to_numpy()[rows], dtype=np.int64)
    ships, codes = np.unique(np.concatenate([track_mmsi, own]), return_inverse=True)
    ship, own = codes[: len(rows)], codes[len(rows) :]
    passages = _passages(sketches["lat"].to_numpy()[rows], sketches["lon"].to_numpy()[rows], ship)
    reach = within_nmi / MEAN_EARTH_RADIUS_NMI
    least = math.cos(reach)
    candidates = np.flatnonzero(feasible)
    candidate_begins, duration_h = begins[candidates], silences.duration_h
    start_cell = _cell(lat[asked], lon[asked], _FINE)
    order = np.argsort(start_cell, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(start_cell[order])) + 1) if len(order) else ():
        first = asked[group[0]]
        spread = float(_angle(begins[asked[group]], begins[first]).max())
        sure, may_be = passages.sure_and_open(begins[first], spread, float(lat[first]), reach)
        passed_by_all = np.zeros(len(ships), dtype=np.bool_)
        for run in np.split(sure, np.flatnonzero(np.diff(sure) > 1) + 1) if len(sure) else ():
            passed_by_all[passages.ship[passages.cell_first[run[0]] : passages.cell_first[run[-1] + 1]]] = True
        pairs = _joined(passages.cell_first[may_be], passages.cell_first[may_be + 1])
        pairs = pairs[~passed_by_all[passages.ship[pairs]]]
        from_, to = passages.ship_first[pairs], passages.ship_first[pairs + 1]
        edge, edge_ship = passages.places[_joined(from_, to)], np.repeat(passages.ship[pairs], to - from_)
        for i in group:
            row = asked[i]
            passed = passed_by_all.copy()
            passed[edge_ship[edge @ begins[row] >= least]] = True
            near = candidates[candidate_begins @ begins[row] >= least]
            near = near[duration_h[near] >= LIKE_LENGTH * duration_h[row]]
            like = np.zeros(len(ships), dtype=np.bool_)
            like[own[near]] = True
            like[own[row]] = passed[own[row]] = False
            n_like[i], n_passed[i] = like.sum(), (passed | like).sum()
    return n_passed, n_like


def _passages(lat: FloatArray, lon: FloatArray, ship: IntArray) -> _Passages:
    """The positions, gathered by fine cell and ship."""
    cell = _cell(lat, lon, _FINE)
    order = np.lexsort((ship, cell))
    cell, ship, places = cell[order], ship[order], _unit(lat[order], lon[order])
    new_cell = np.diff(cell, prepend=-1) != 0
    new_pair = new_cell | (np.diff(ship, prepend=-1) != 0)
    ship_first, at = np.flatnonzero(new_pair), np.flatnonzero(new_cell)
    off = _angle(places, places[at][np.cumsum(new_cell) - 1])
    reach = np.maximum.reduceat(off, at) if len(at) else np.zeros(0)
    return _Passages(
        cell_row=cell[at] // (_COLUMNS * _FINE),
        cell_place=places[at],
        cell_reach=reach,
        cell_first=np.append(np.searchsorted(ship_first, at), len(ship_first)),
        ship=ship[ship_first],
        ship_first=np.append(ship_first, len(ship)),
        places=places,
    )


def _cells_about(lat: float, lon: float, within_nmi: float) -> list[tuple[int, int]]:
    """Ranges of cells, both ends included, that hold every place within the distance."""
    reach = math.degrees(within_nmi / MEAN_EARTH_RADIUS_NMI)
    farthest = min(abs(lat) + reach, 90.0)
    squeeze = math.sin(math.radians(reach)) / max(math.cos(math.radians(min(abs(lat), 90.0))), 1e-9)
    if farthest >= 90.0 or squeeze >= 1.0:
        columns = [(0, _COLUMNS - 1)]
    else:
        wide = math.degrees(math.asin(squeeze))
        west, east = (int(_column(np.array([lon + side]))[0]) for side in (-wide, wide))
        columns = [(west, east)] if west <= east else [(west, _COLUMNS - 1), (0, east)]
    south, north = (int(_row(np.array([lat + side]))[0]) for side in (-reach, reach))
    return [(row * _COLUMNS + a, row * _COLUMNS + b) for row in range(south, north + 1) for a, b in columns]


def _positions_in(sketches: pa.Table, ranges: set[tuple[int, int]]) -> IntArray:
    """Rows of the positions in these cells, both ends included."""
    lat, lon = (np.asarray(sketches[name].to_numpy(), dtype=np.float64) for name in ("lat", "lon"))
    wanted = np.zeros(_ROWS * _COLUMNS, dtype=np.bool_)
    for first, last in ranges:
        wanted[first : last + 1] = True
    known = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    return known[wanted[_cell(lat[known], lon[known])]]


def _joined(first: IntArray, last: IntArray) -> IntArray:
    """The whole numbers from each first one to before its last, in one row."""
    n = last - first
    return np.asarray(np.arange(n.sum()) + np.repeat(first - (np.cumsum(n) - n), n), dtype=np.int64)


def _cell(lat: FloatArray, lon: FloatArray, parts: int = 1) -> IntArray:
    """Number of the cell, in rows from the south, with so many to a degree."""
    return np.asarray(_row(lat, parts) * _COLUMNS * parts + _column(lon, parts), dtype=np.int64)


def _row(lat: FloatArray, parts: int = 1) -> IntArray:
    return np.clip(np.floor((lat + 90.0) * parts), 0, _ROWS * parts - 1).astype(np.int64)


def _column(lon: FloatArray, parts: int = 1) -> IntArray:
    return np.clip(np.floor((wrap_degrees(lon) + 180.0) * parts), 0, _COLUMNS * parts - 1).astype(np.int64)


def _angle(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angles between unit vectors, exact for small ones too, radians. Shape (n,)."""
    return np.asarray(2.0 * np.arcsin(np.minimum(np.linalg.norm(a - b, axis=-1) / 2.0, 1.0)))


def _unit(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Places as vectors of length 1: their products tell distances, at ±180° as anywhere. Shape (n, 3)."""
    phi, lam = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
