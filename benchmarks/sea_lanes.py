"""Sea lanes between the ports of East Asia, so that benchmark ships keep off the land.

Takes the port table and land polygons, lays a grid of water cells over the seas from Taiwan to Sakhalin, and finds
the cheapest way over it from each port to its neighbours. Gives ``sea_lanes.json``: port, port, length, waypoints.
The file is kept beside this one, so the generator needs neither land polygons nor a path finder; run this again only
when the port table changes: ``python benchmarks/sea_lanes.py --land LAND.parquet``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely
from port_table import EAST, NORTH, PORTS, SOUTH, WEST, Port, read_ports
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

HERE = Path(__file__).resolve().parent
LANES = HERE / "sea_lanes.json"

CELL_DEG = 0.05
FINE_PER_CELL = 2  # a cell is land when any of its 2 x 2 sample points is
COAST_COST = 6.0  # a mile beside the shore costs as much as six in open water: lanes stay off capes
NEIGHBOURS = 9  # lanes kept a port, nearest first
MIN_LANE_NMI, MAX_LANE_NMI = 25.0, 900.0
NMI_PER_DEG = 60.0


def land_cells(land: npt.NDArray[np.object_]) -> BoolArray:
    """Which cells of the grid hold land, as (rows from south, columns from west)."""
    step = CELL_DEG / FINE_PER_CELL
    xs = np.arange(WEST + step / 2, EAST, step)
    ys = np.arange(SOUTH + step / 2, NORTH, step)
    is_land = np.zeros((len(ys), len(xs)), dtype=np.bool_)
    shapely.prepare(land)
    for polygon, (x0, y0, x1, y1) in zip(land, shapely.bounds(land), strict=True):
        i0, i1 = np.searchsorted(ys, [y0, y1])
        j0, j1 = np.searchsorted(xs, [x0, x1])
        if i1 > i0 and j1 > j0:
            grid_x, grid_y = np.meshgrid(xs[j0:j1], ys[i0:i1])
            is_land[i0:i1, j0:j1] |= shapely.contains_xy(polygon, grid_x, grid_y)
    rows, columns = is_land.shape[0] // FINE_PER_CELL, is_land.shape[1] // FINE_PER_CELL
    blocks = is_land[: rows * FINE_PER_CELL, : columns * FINE_PER_CELL]
    return np.asarray(blocks.reshape(rows, FINE_PER_CELL, columns, FINE_PER_CELL).any(axis=(1, 3)))


def water_graph(is_land: BoolArray) -> csr_array:
    """Neighbouring water cells and the miles between them, dearer beside the shore."""
    rows, columns = is_land.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    shore = is_land.copy()
    for _ in range(2):
        padded = np.pad(shore, 1, mode="edge")
        shore = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).any(axis=(2, 3))
    dear = np.where(shore, COAST_COST, 1.0)
    lat = SOUTH + (np.arange(rows) + 0.5) * CELL_DEG
    shrink = np.cos(np.radians(lat))[:, None] * np.ones(columns)
    starts, ends, costs = [], [], []
    for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = (slice(0, rows - di), slice(max(0, -dj), columns - max(0, dj)))
        b = (slice(di, rows), slice(max(0, dj), columns + min(0, dj)))
        wet = ~is_land[a] & ~is_land[b]
        miles = CELL_DEG * NMI_PER_DEG * np.hypot(di, dj * shrink[a])
        starts.append(number[a][wet])
        ends.append(number[b][wet])
        costs.append((miles * (dear[a] + dear[b]) / 2)[wet])
    shape = (rows * columns, rows * columns)
    return csr_array((np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends))), shape=shape)


def nearest_water(polygon: shapely.Polygon, reachable: BoolArray) -> int:
    """The open-sea cell closest to a port's fence."""
    rows, columns = np.nonzero(reachable)
    lat = SOUTH + (rows + 0.5) * CELL_DEG
    lon = WEST + (columns + 0.5) * CELL_DEG
    at = polygon.centroid
    near = np.argsort(np.hypot(lat - at.y, (lon - at.x) * np.cos(np.radians(at.y))))[:400]
    gap = shapely.distance(polygon, shapely.points(lon[near], lat[near]))
    best = near[np.argmin(gap + 1e-6 * np.arange(len(near)))]
    return int(rows[best] * reachable.shape[1] + columns[best])


def polyline_nmi(points: FloatArray) -> float:
    """Length of a run of (lon, lat) points in nautical miles, on the plane of each leg's mid-latitude."""
    middle = np.cos(np.radians((points[1:, 1] + points[:-1, 1]) / 2))
    legs = np.hypot(np.diff(points[:, 1]), np.diff(points[:, 0]) * middle)
    return float(NMI_PER_DEG * legs.sum())


def walk_back(before: npt.NDArray[np.int32], start: int, end: int, columns: int) -> FloatArray:
    """The cells from ``start`` to ``end`` as (lon, lat), thinned to the corners that matter."""
    cells = [end]
    while cells[-1] != start:
        cells.append(int(before[cells[-1]]))
    number = np.array(cells[::-1])
    lon = WEST + (number % columns + 0.5) * CELL_DEG
    lat = SOUTH + (number // columns + 0.5) * CELL_DEG
    if len(number) < 2:
        return np.column_stack([lon, lat])
    line = shapely.simplify(shapely.linestrings(lon, lat), CELL_DEG)
    return np.asarray(shapely.get_coordinates(line))


def find_lanes(ports: list[Port], land: npt.NDArray[np.object_]) -> list[dict[str, Any]]:
    """Each port's lanes to its nearest neighbours over water, each pair once."""
    is_land = land_cells(land)
    graph = water_graph(is_land)
    columns = is_land.shape[1]
    middle = int((38.5 - SOUTH) / CELL_DEG) * columns + int((134.0 - WEST) / CELL_DEG)  # open Sea of Japan
    reachable = np.isfinite(dijkstra(graph, directed=False, indices=middle)).reshape(is_land.shape)
    doors = [nearest_water(port.fence, reachable) for port in ports]
    lanes: dict[tuple[str, str], dict[str, Any]] = {}
    for k, port in enumerate(ports):
        cost, before = dijkstra(graph, directed=False, indices=doors[k], return_predecessors=True)
        kept = 0
        for other in np.argsort(cost[doors]):
            pair = tuple(sorted((port.zone_id, ports[other].zone_id)))
            if other == k or kept == NEIGHBOURS:
                continue
            points = walk_back(before, doors[k], doors[other], columns)
            length = polyline_nmi(points) if len(points) > 1 else 0.0
            if MIN_LANE_NMI <= length <= MAX_LANE_NMI:
                kept += 1
                forward = points if pair[0] == port.zone_id else points[::-1]
                lanes[pair] = {
                    "from": pair[0],
                    "to": pair[1],
                    "length_nmi": round(length, 1),
                    "lon_lat": np.round(forward, 3).tolist(),
                }
    return [lanes[pair] for pair in sorted(lanes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--land", type=Path, required=True, help="land polygons, (Geo)Parquet with WKB `geometry`")
    parser.add_argument("--ports", type=Path, default=PORTS)
    parser.add_argument("--out", type=Path, default=LANES)
    options = parser.parse_args()
    wkb = pq.read_table(options.land, columns=["geometry"])["geometry"].combine_chunks().to_numpy(zero_copy_only=False)
    land = shapely.from_wkb(wkb)
    land = land[shapely.intersects(land, shapely.box(WEST, SOUTH, EAST, NORTH))]
    ports = read_ports(options.ports)
    lanes = find_lanes(ports, land)
    lines = ",\n".join(json.dumps(lane, separators=(",", ":")) for lane in lanes)
    options.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(ports)} ports, {len(lanes)} lanes -> {options.out}")


if __name__ == "__main__":
    main()
