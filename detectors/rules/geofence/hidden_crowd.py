"""The crowd: of the ships that passed where one fell silent, how many had silences that left time for a hidden call.

Takes silences, which of them leave the time, and sketches of all tracks; gives counts. Everyone who passes a liner's
berth beside a watched port has the opportunity now and then, and where most have used it by chance it says nothing.
"""

import math
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


def crowd_of(
    silences: Silences, feasible: npt.NDArray[np.bool_], asked: IntArray, sketches: pa.Table, within_nmi: float
) -> tuple[IntArray, IntArray]:
    """For the silences asked for: other ships that passed within the distance, and those of them with the like silence.

    Ships are told apart by MMSI. Only positions in cells about the silences asked for are looked at.
    """
    own = np.asarray(silences.rows["mmsi"].to_numpy(), dtype=np.int64)
    starts_lat, starts_lon = silences.places("start")
    begins = _unit(starts_lat, starts_lon)
    cells = [_cells_about(float(starts_lat[row]), float(starts_lon[row]), within_nmi) for row in asked]
    track_cell, track_mmsi, places = _positions_in(sketches, cells)
    ships, codes = np.unique(np.concatenate([track_mmsi, own]), return_inverse=True)
    ship, own = codes[: len(track_mmsi)], codes[len(track_mmsi) :]
    least = math.cos(within_nmi / MEAN_EARTH_RADIUS_NMI)
    n_passed, n_like = np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=np.int64)
    candidates = np.flatnonzero(feasible)
    duration_h = silences.duration_h
    for i, row in enumerate(asked):
        passed = np.zeros(len(ships), dtype=np.bool_)
        for first, last in cells[i]:
            low, high = np.searchsorted(track_cell, [first, last + 1])
            passed[ship[low:high][places[low:high] @ begins[row] >= least]] = True
        near = candidates[begins[candidates] @ begins[row] >= least]
        near = near[duration_h[near] >= LIKE_LENGTH * duration_h[row]]
        like = np.zeros(len(ships), dtype=np.bool_)
        like[own[near]] = True
        like[own[row]] = passed[own[row]] = False
        n_like[i], n_passed[i] = like.sum(), (passed | like).sum()
    return n_passed, n_like


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


def _positions_in(sketches: pa.Table, ranges: list[list[tuple[int, int]]]) -> tuple[IntArray, IntArray, FloatArray]:
    """Cell, MMSI and unit vector of each position in these cells, sorted by cell."""
    lat, lon = (np.asarray(sketches[name].to_numpy(), dtype=np.float64) for name in ("lat", "lon"))
    wanted = np.zeros(_ROWS * _COLUMNS, dtype=np.bool_)
    for first, last in {one for some in ranges for one in some}:
        wanted[first : last + 1] = True
    known = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    cell = _row(lat[known]) * _COLUMNS + _column(lon[known])
    kept = wanted[cell]
    rows, cell = known[kept], cell[kept]
    order = np.argsort(cell, kind="stable")
    rows = rows[order]
    mmsi = np.asarray(sketches["mmsi"].to_numpy()[rows], dtype=np.int64)
    return cell[order], mmsi, _unit(lat[rows], lon[rows])


def _row(lat: FloatArray) -> IntArray:
    return np.clip(np.floor(lat + 90.0), 0, _ROWS - 1).astype(np.int64)


def _column(lon: FloatArray) -> IntArray:
    return np.clip(np.floor(wrap_degrees(lon) + 180.0), 0, _COLUMNS - 1).astype(np.int64)


def _unit(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Places as vectors of length 1: their products tell distances, at ±180° as anywhere. Shape (n, 3)."""
    phi, lam = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
