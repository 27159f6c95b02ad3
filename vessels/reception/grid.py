"""The grid that reception is learned on: cells of half a degree, and square blocks of cells.

Takes places; gives numbers of cells and blocks. 180 W and 180 E are neighbours within a block's width only by chance of
the grid; nothing here measures across it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import wrap_degrees
from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]

CELLS_PER_DEGREE: Final = 2
"""Half a degree, 30 nmi: a few cells across a shore station's range of 40 nmi or so."""
N_ROWS: Final = 180 * CELLS_PER_DEGREE
N_COLUMNS: Final = 360 * CELLS_PER_DEGREE
N_CELLS: Final = N_ROWS * N_COLUMNS


def cells_of(lat: FloatArray, lon: FloatArray) -> npt.NDArray[np.int32]:
    """The cell of each place: row from the south pole times `N_COLUMNS` plus column from 180 west. Any shape.

    >>> cells_of(np.array([-90.0, 0.25]), np.array([-180.0, 180.0])).tolist()
    [0, 129600]
    """
    row = np.clip(np.floor((lat + 90.0) * CELLS_PER_DEGREE), 0, N_ROWS - 1)
    column = np.floor((wrap_degrees(lon) + 180.0) * CELLS_PER_DEGREE) % N_COLUMNS
    cell: npt.NDArray[np.int32] = (row * N_COLUMNS + column).astype(np.int32)
    return cell


def cell_centres(cell: npt.NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
    """Latitude and longitude of the middle of each cell. Any shape."""
    lat = (cell // N_COLUMNS + 0.5) / CELLS_PER_DEGREE - 90.0
    return lat, (cell % N_COLUMNS + 0.5) / CELLS_PER_DEGREE - 180.0


def blocks_of(cell: npt.NDArray[np.integer], side: int) -> IntArray:
    """The block of `side` by `side` cells that each cell lies in. Any shape."""
    block: IntArray = (cell // N_COLUMNS // side * -(-N_COLUMNS // side) + cell % N_COLUMNS // side).astype(np.int64)
    return block


def n_blocks(side: int) -> int:
    """Blocks of `side` by `side` cells in the world."""
    return -(-N_ROWS // side) * -(-N_COLUMNS // side)
