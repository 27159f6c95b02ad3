"""Land polygons in a small file: coordinates in ten-thousandths of a degree, each as the step from the one before.

Takes polygons and gives a table, or the other way round, without loss beyond 0.0001° (11 m). What the polygons mean,
and where they come from, is left to `vessels.land` and docs/data-sources.md.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

UNITS_PER_DEGREE: Final = 10_000
"""0.0001° is 11 m: far below what a map of 1:10,000,000 knows."""

Polygons = npt.NDArray[np.object_]

SCHEMA: Final = pa.schema(
    [
        ("polygon", pa.int32()),  # which polygon; its first ring is the shell, others are holes
        ("ring", pa.int32()),  # which ring of the file
        ("lon_step", pa.int32()),  # from the vertex before, whichever ring it was of; 0.0001 degree
        ("lat_step", pa.int32()),
    ]
)


def pack(polygons: Polygons) -> pa.Table:
    """The table of these polygons (lon/lat degrees, shells and holes), a row a vertex. Rings are closed."""
    rings, owner = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.diff(np.round(xy * UNITS_PER_DEGREE).astype(np.int64), axis=0, prepend=0).astype(np.int32)
    columns = [owner[ring].astype(np.int32), ring.astype(np.int32), steps[:, 0], steps[:, 1]]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)


def unpack(table: pa.Table) -> Polygons:
    """The polygons of such a table, in its order."""
    polygon, ring, lon, lat = (table[name].to_numpy() for name in SCHEMA.names)
    xy = np.column_stack([np.cumsum(lon, dtype=np.int64), np.cumsum(lat, dtype=np.int64)]) / UNITS_PER_DEGREE
    rings = shapely.linearrings(xy, indices=ring)
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    found: Polygons = shapely.polygons(rings, indices=polygon[first])
    return found
