"""The sea of eight by eight degrees as places to sail between: its nodes, and which of them touch.

Takes a window of the lattice (`vessels.scan_lines`) and the rough distance off shore; gives a `Sheet`. Blocks of 4 by 4
lattice points are the grain: one node for a block that is all water, one for each piece of water in a block at the
coast, however the coast cuts it, and one for a whole cell of 4 by 4 blocks or more well off shore. Which nodes see each
other across blocks and sheets is left to `vessels.sea_grid`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.land import Land
from vessels.scan_lines import PER_DEGREE, ROWS, latitude_of, longitude_of

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NodeArray = npt.NDArray[np.int32]

SHEET_DEG: Final = 8
SHEETS_EAST: Final = 360 // SHEET_DEG
SHEETS_NORTH: Final = -(-180 // SHEET_DEG)
SIDE: Final = SHEET_DEG * PER_DEGREE
"""Lattice points along one side of a sheet."""
GRAIN: Final = 4
"""Lattice points along one side of a block: 0.05°, 3 nmi of latitude."""
BLOCKS: Final = SIDE // GRAIN
CELL: Final = 4
"""Blocks along the meridian in a cell off shore: 0.2°, 12 nmi."""
CELL_NMI: Final = 12.0
OFFSHORE_NMI: Final = 10.0
"""A cell of water whose middle is this far off shore is one node: its corners are 8.5 nmi from the middle."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The nodes of one sheet, numbered from 0, and what is needed to join it to others."""

    lat: FloatArray  # of each node
    lon: FloatArray
    size_nmi: npt.NDArray[np.float32]  # how far apart nodes like this one lie: 3 at the coast, 12 off shore
    blocks: NodeArray  # (160, 160): node of the block; -1 no water; -2 - i: look in patch i
    patches: NodeArray  # (n, 4, 4): node of each lattice point; -1 dry
    clear: BoolArray  # (640, 640): wet, with no coast between here and the four neighbours
    touching: IntArray  # (n, 2): nodes of neighbouring blocks with open water between them
    border: dict[str, NodeArray]  # nodes along the west, east, south and north side
    shut: dict[str, BoolArray]  # where coast bars the way out to the west and to the south


def make_sheet(land: Land, sheet: int) -> Sheet:
    """Read one sheet of the world's lattice."""
    row, column = sheet // SHEETS_EAST * SIDE, sheet % SHEETS_EAST * SIDE
    wet, west_shut = land.lines.window(row, SIDE, column, SIDE + 1)
    east_shut, wet, west_shut = west_shut[:, -1], wet[:, :-1], west_shut[:, :-1]
    south_shut = land.lines.between_rows(row, SIDE + 1, column, SIDE)
    north_shut, south_shut = south_shut[-1], south_shut[:-1]
    if row + SIDE > ROWS:
        wet[ROWS - row :] = False  # the northernmost sheets are half empty
    clear = wet & ~west_shut & ~south_shut
    clear[:, :-1] &= ~west_shut[:, 1:]
    clear[:-1] &= ~south_shut[1:]
    clear[:, -1] &= ~east_shut
    clear[-1] &= ~north_shut

    tiles = (BLOCKS, GRAIN, BLOCKS, GRAIN)
    whole = _all_of(clear, GRAIN, GRAIN)
    some = ~_all_of(~wet, GRAIN, GRAIN)
    lat, lon, size, n = [], [], [], 0

    open_cells, wide = _open_cells(land, row, column, whole)
    cell_row, cell_column = np.nonzero(open_cells)
    lat.append(latitude_of(row + (cell_row + 0.5) * CELL * GRAIN - 0.5))
    lon.append(longitude_of(column + (cell_column + 0.5) * wide * GRAIN - 0.5))
    size.append(np.full(len(cell_row), CELL_NMI))
    cells = np.full(open_cells.shape, -1, dtype=np.int32)
    cells[open_cells] = np.arange(len(cell_row))
    blocks = np.repeat(np.repeat(cells, CELL, axis=0), wide, axis=1)
    n += len(cell_row)

    block_row, block_column = np.nonzero(whole & (blocks < 0))
    lat.append(latitude_of(row + (block_row + 0.5) * GRAIN - 0.5))
    lon.append(longitude_of(column + (block_column + 0.5) * GRAIN - 0.5))
    size.append(np.full(len(block_row), CELL_NMI / CELL))
    blocks[block_row, block_column] = n + np.arange(len(block_row))
    n += len(block_row)

    block_row, block_column = np.nonzero(some & ~whole)
    patches = _pieces(
        _cut(wet, block_row, block_column),
        _cut(west_shut, block_row, block_column),
        _cut(south_shut, block_row, block_column),
    )
    patches, at = _numbered(patches, n)
    lat.append(latitude_of(row + block_row[at // 16] * GRAIN + at % 16 // 4))
    lon.append(longitude_of(column + block_column[at // 16] * GRAIN + at % 4))
    size.append(np.full(len(at), CELL_NMI / CELL))
    blocks[block_row, block_column] = -2 - np.arange(len(block_row))

    lattice = np.repeat(np.repeat(blocks, GRAIN, axis=0), GRAIN, axis=1)
    inner = lattice.reshape(tiles).transpose(0, 2, 1, 3)
    inner[block_row, block_column] = patches
    return Sheet(
        lat=np.concatenate(lat),
        lon=np.concatenate(lon),
        size_nmi=np.concatenate(size).astype(np.float32),
        blocks=blocks,
        patches=patches,
        clear=clear,
        touching=np.concatenate(
            [
                across(lattice[:, GRAIN - 1 : -1 : GRAIN].T, lattice[:, GRAIN::GRAIN].T, west_shut[:, GRAIN::GRAIN].T),
                across(lattice[GRAIN - 1 : -1 : GRAIN], lattice[GRAIN::GRAIN], south_shut[GRAIN::GRAIN]),
            ]
        ),
        border={
            "west": lattice[:, 0].copy(),
            "east": lattice[:, -1].copy(),
            "south": lattice[0].copy(),
            "north": lattice[min(SIDE, ROWS - row) - 1].copy(),
        },
        shut={"west": west_shut[:, 0].copy(), "south": south_shut[0].copy()},
    )


def across(first: NodeArray, second: NodeArray, shut: BoolArray) -> IntArray:
    """Pairs of different nodes on both sides of borders, where no coast lies between; neighbours alike only once."""
    ok = (first >= 0) & (second >= 0) & (first != second) & ~shut
    again = ok[..., 1:] & ok[..., :-1] & (first[..., 1:] == first[..., :-1]) & (second[..., 1:] == second[..., :-1])
    ok[..., 1:] &= ~again
    return np.column_stack([first[ok], second[ok]]).astype(np.int64)


def _open_cells(land: Land, row: int, column: int, whole: BoolArray) -> tuple[BoolArray, int]:
    """Cells of 12 by about 12 nmi all of whose blocks are water, well off shore; and how many blocks wide they are."""
    middle = min(abs(float(latitude_of(row + SIDE // 2))), 89.0)
    ratio = 1.0 / np.cos(np.radians(middle))
    wide = next((w for w in (4, 8, 16, 32) if w * 1.42 >= CELL * ratio), BLOCKS)
    cells = _all_of(whole, CELL, wide)
    cell_row, cell_column = np.nonzero(cells)
    lat = latitude_of(row + (cell_row + 0.5) * CELL * GRAIN - 0.5)
    lon = longitude_of(column + (cell_column + 0.5) * wide * GRAIN - 0.5)
    cells[cell_row, cell_column] = land.rough_shore_nmi(lat, lon) >= OFFSHORE_NMI
    return cells, wide


def _all_of(these: BoolArray, tall: int, wide: int) -> BoolArray:
    """Whether all in each rectangle are true. (Slices are ten times faster here than a reduction over two axes.)"""
    rows = np.logical_and.reduce([these[i::tall] for i in range(tall)])
    found: BoolArray = np.logical_and.reduce([rows[:, i::wide] for i in range(wide)])
    return found


def _cut(lattice: BoolArray, block_row: IntArray, block_column: IntArray) -> BoolArray:
    """The 4 by 4 lattice points of each of some blocks, shape (n, 4, 4)."""
    return lattice.reshape(BLOCKS, GRAIN, BLOCKS, GRAIN).transpose(0, 2, 1, 3)[block_row, block_column]


def _pieces(wet: BoolArray, west_shut: BoolArray, south_shut: BoolArray) -> NodeArray:
    """For each lattice point of each block the lowest-numbered point (0 to 15) it is joined to by water; 16 if dry."""
    label = np.where(wet, np.arange(16).reshape(4, 4), 16).astype(np.int32)
    sideways = wet[:, :, 1:] & wet[:, :, :-1] & ~west_shut[:, :, 1:]
    upright = wet[:, 1:] & wet[:, :-1] & ~south_shut[:, 1:]
    while True:
        before = label.copy()
        low = np.where(sideways, np.minimum(label[:, :, 1:], label[:, :, :-1]), 16)
        label[:, :, 1:] = np.minimum(label[:, :, 1:], low)
        label[:, :, :-1] = np.minimum(label[:, :, :-1], low)
        low = np.where(upright, np.minimum(label[:, 1:], label[:, :-1]), 16)
        label[:, 1:] = np.minimum(label[:, 1:], low)
        label[:, :-1] = np.minimum(label[:, :-1], low)
        if np.array_equal(label, before):
            return label


def _numbered(label: NodeArray, first: int) -> tuple[NodeArray, IntArray]:
    """Pieces of water as nodes numbered from `first`; and of each the lattice point (16 a block) nearest its middle."""
    n = len(label)
    flat = label.reshape(n, 16)
    key = np.arange(n)[:, None] * 17 + flat
    wet = flat < 16
    used, number = np.unique(key[wet], return_inverse=True)
    nodes = np.full((n, 16), -1, dtype=np.int32)
    nodes[wet] = first + number
    block, point = np.nonzero(wet)
    count = np.bincount(number, minlength=len(used))
    row, column = point // 4, point % 4
    off = np.hypot(
        row - (np.bincount(number, weights=row) / np.maximum(count, 1))[number],
        column - (np.bincount(number, weights=column) / np.maximum(count, 1))[number],
    )
    order = np.lexsort((point, off, number))
    best = order[np.flatnonzero(np.diff(number[order], prepend=-1))]
    return nodes.reshape(n, 4, 4), block[best] * 16 + point[best]
