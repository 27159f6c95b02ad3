"""The least that any such tool must do, as tightly as NumPy allows: the yardstick that ``scan`` is measured against.

Reads six columns of day files, sorts them by (MMSI, time), works out miles and implied speed between neighbours,
which port fence each row lies in, and sums a track segment (split at silences). It imports nothing from
the packages it is a yardstick for, uses two threads and prints one line of JSON: rows, seconds by step, peak memory.

How: files arrive nearly in time order, so a global sort is the wrong tool. Each row group is sorted alone, by time
and then by vessel code, and each vessel's run is copied to its final place. Only the edges of row groups can then be
out of order; the few vessels where they are get sorted again. Everything after works in blocks that fit the cache.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from shapely.geometry import shape

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PORTS = Path(__file__).resolve().parent.parent / "vessels" / "data" / "ports.geojson"
COLUMNS = ("timestamp", "lat", "lon", "sog", "cog")
BLOCK_ROWS = 1 << 18  # measured: smaller blocks fit the cache better, but two threads then wait for each other
EARTH_RADIUS_NMI = 6371.0088 / 1.852  # mean radius, IUGG
GAP_US = 3600 * 1_000_000  # a silence that splits a track
TOO_FAST_KN = 100.0  # no ship's leg: its miles are not summed
SLOW_KN = 1.0
NO_ZONE, EDGE = -1, -2
COARSE_PER_DEG, FINE_PER_COARSE = 10, 16  # cells of 0.1 degree; where a fence is, of 0.1/16 degree


@dataclass(frozen=True)
class Group:
    """One row group: where it is, its rows' vessel codes, and how many rows each vessel has in it."""

    path: Path
    number: int
    code: npt.NDArray[np.uint16]
    count: IntArray


@dataclass(frozen=True)
class Sorted:
    """All rows by (vessel, time); vessel k has rows ``start[k]`` to ``start[k + 1]``."""

    start: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog: npt.NDArray[np.float32]
    cog: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fences:
    """A raster of port fences: coarse cells point to blocks of fine cells, fine cells to a zone or to "ask"."""

    polygons: npt.NDArray[np.object_]
    boxes: FloatArray
    block_of: npt.NDArray[np.uint16]
    fine: npt.NDArray[np.int16]


@dataclass(frozen=True)
class Segments:
    """Sums a segment: rows, miles, fastest implied speed, rows that were slow, rows inside a fence."""

    n_rows: IntArray
    miles: FloatArray
    fastest_kn: FloatArray
    n_slow: IntArray
    n_in_port: IntArray


def in_threads(pool: ThreadPoolExecutor, work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """Results in the order of the items."""
    return list(pool.map(work, items))


def encode(where: tuple[Path, int]) -> tuple[IntArray, npt.NDArray[np.int32]]:
    """The MMSI of one row group as distinct values and small numbers."""
    path, number = where
    column = pq.ParquetFile(path).read_row_group(number, ["mmsi"], use_threads=False)["mmsi"]
    encoded = pc.dictionary_encode(column.combine_chunks())
    return encoded.dictionary.to_numpy().astype(np.int64), encoded.indices.to_numpy()


def list_groups(paths: list[Path], pool: ThreadPoolExecutor) -> tuple[list[Group], int]:
    """Every row group with its vessel codes, and the number of vessels."""
    places = [(path, k) for path in paths for k in range(pq.ParquetFile(path).num_row_groups)]
    encoded = in_threads(pool, encode, places)
    vessels = np.unique(np.concatenate([values for values, _ in encoded]))
    if len(vessels) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(vessels)} vessels, but codes of 16 bits reach 65,535: give fewer files at a time")
    groups = []
    for (path, number), (values, indices) in zip(places, encoded, strict=True):
        code = np.searchsorted(vessels, values).astype(np.uint16)[indices]
        groups.append(Group(path, number, code, np.bincount(code, minlength=len(vessels))))
    return groups, len(vessels)


def raw(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column's numbers, instants as microseconds, missing numbers as NaN."""
    array = column.combine_chunks()
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz=array.type.tz)).view(pa.int64())
    return np.asarray(array.to_numpy(zero_copy_only=False))


def order_by_time(stamp: IntArray) -> IntArray:
    """A stable order by instant: by 16 bits of whole seconds at a time, which NumPy sorts by radix."""
    if len(stamp) == 0:
        return np.empty(0, dtype=np.int64)
    since = stamp - stamp.min()
    seconds = since // 1_000_000
    if seconds.max() > np.iinfo(np.uint32).max or not np.array_equal(seconds * 1_000_000, since):
        return np.argsort(stamp, kind="stable")
    order = np.argsort((seconds & 0xFFFF).astype(np.uint16), kind="stable")
    high = (seconds >> 16).astype(np.uint16)
    return order if not high.any() else order[np.argsort(high[order], kind="stable")]


def scatter(paths: list[Path], pool: ThreadPoolExecutor) -> Sorted:
    """Read all row groups and copy each vessel's runs to their final place."""
    groups, n_vessels = list_groups(paths, pool)
    counts = np.array([group.count for group in groups]).reshape(len(groups), n_vessels)
    start = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    place = start[:-1] + np.cumsum(counts, axis=0) - counts  # where each group's run of each vessel begins
    n = int(start[-1])
    out = Sorted(
        start, np.empty(n, np.int64), np.empty(n), np.empty(n), np.empty(n, np.float32), np.empty(n, np.float32)
    )
    targets: tuple[npt.NDArray[Any], ...] = (out.time_us, out.lat, out.lon, out.sog, out.cog)

    def put(k: int) -> None:
        group = groups[k]
        table = pq.ParquetFile(group.path).read_row_group(group.number, list(COLUMNS), use_threads=False)
        stamp = raw(table["timestamp"])
        order = order_by_time(stamp)
        order = order[np.argsort(group.code[order], kind="stable")]
        run_start = np.cumsum(group.count) - group.count
        target = np.empty(len(order), dtype=np.int64)
        target[order] = np.arange(len(order)) + np.repeat(place[k] - run_start, group.count)
        for values, column in zip(targets, COLUMNS, strict=True):  # read in a row, written at each vessel's own head
            values[target] = stamp if column == "timestamp" else raw(table[column])

    in_threads(pool, put, list(range(len(groups))))
    mend_edges(out, pool)
    return out


def mend_edges(rows: Sorted, pool: ThreadPoolExecutor) -> None:
    """Sort again the vessels whose rows go back in time: only where row groups overlap."""
    columns: tuple[npt.NDArray[Any], ...] = (rows.time_us, rows.lat, rows.lon, rows.sog, rows.cog)
    back = np.flatnonzero(rows.time_us[1:] < rows.time_us[:-1]) + 1
    vessel = np.searchsorted(rows.start, back, side="right") - 1
    broken = np.unique(vessel[back != rows.start[vessel]])

    def mend(k: int) -> None:
        here = slice(int(rows.start[k]), int(rows.start[k + 1]))
        order = np.argsort(rows.time_us[here], kind="stable")
        for values in columns:
            values[here] = values[here][order]

    in_threads(pool, mend, broken.tolist())


def read_fences(path: Path) -> Fences:
    """The ports' polygons, laid over a raster of cells."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    polygons = np.array([shape(f["geometry"]) for f in features if f["properties"]["kind"] == "port"], dtype=object)
    shapely.prepare(polygons)
    block_of = np.zeros((181 * COARSE_PER_DEG + 1) * (361 * COARSE_PER_DEG + 1), dtype=np.uint16)
    width = 361 * COARSE_PER_DEG + 1
    per_deg = COARSE_PER_DEG * FINE_PER_COARSE
    cells: dict[int, npt.NDArray[np.int16]] = {}
    for zone, polygon in enumerate(polygons):
        edge_i, edge_j = mark_edges(polygon)
        low_i, low_j = edge_i.min() // FINE_PER_COARSE, edge_j.min() // FINE_PER_COARSE
        high_i, high_j = edge_i.max() // FINE_PER_COARSE + 1, edge_j.max() // FINE_PER_COARSE + 1
        i = np.arange(low_i * FINE_PER_COARSE, high_i * FINE_PER_COARSE)
        j = np.arange(low_j * FINE_PER_COARSE, high_j * FINE_PER_COARSE)
        x, y = np.meshgrid((j + 0.5) / per_deg - 180.0, (i + 0.5) / per_deg - 90.0)
        label = np.where(shapely.contains_xy(polygon, x, y), zone, NO_ZONE).astype(np.int16)
        label[edge_i - i[0], edge_j - j[0]] = EDGE
        for a, b in np.ndindex(high_i - low_i, high_j - low_j):
            new = label[a * FINE_PER_COARSE :, b * FINE_PER_COARSE :][:FINE_PER_COARSE, :FINE_PER_COARSE].ravel()
            if (new != NO_ZONE).any():
                old = cells.setdefault(int((low_i + a) * width + low_j + b), np.full_like(new, NO_ZONE))
                old[:] = np.where(old == NO_ZONE, new, np.where(new == NO_ZONE, old, EDGE))
    block_of[list(cells)] = np.arange(1, len(cells) + 1)
    nowhere = np.full(FINE_PER_COARSE**2, NO_ZONE, dtype=np.int16)
    fine_cells = np.concatenate([nowhere, *cells.values()])
    return Fences(polygons, shapely.bounds(polygons), block_of, fine_cells)


def mark_edges(polygon: shapely.Polygon) -> tuple[IntArray, IntArray]:
    """The fine cells (row, column) that a fence's boundary runs through: each edge is cut where it leaves a cell."""
    per_deg = COARSE_PER_DEG * FINE_PER_COARSE
    rows, columns = [], []
    for ring in (polygon.exterior, *polygon.interiors):
        xy = (np.asarray(ring.coords) + np.array([180.0, 90.0])) * per_deg
        for (x0, y0), (x1, y1) in pairwise(xy.tolist()):
            part = np.array([0.0, 1.0])
            for a, b in ((x0, x1), (y0, y1)):
                if a != b:
                    lines = np.arange(np.ceil(min(a, b)), np.floor(max(a, b)) + 1)
                    part = np.concatenate([part, (lines - a) / (b - a)])
            part = np.sort(part)
            middle = (part[1:] + part[:-1]) / 2
            for slack in (-1e-6, 1e-6):  # an edge along a line between cells belongs to both
                columns += [x0 + middle * (x1 - x0) + slack] * 2
                rows += [y0 + middle * (y1 - y0) + slack, y0 + middle * (y1 - y0) - slack]
    return np.floor(np.concatenate(rows)).astype(np.int64), np.floor(np.concatenate(columns)).astype(np.int64)


def zone_of(fences: Fences, lat: FloatArray, lon: FloatArray) -> npt.NDArray[np.int16]:
    """Which fence each row lies in, or -1."""
    y, x = (lat + 90.0) * COARSE_PER_DEG, (lon + 180.0) * COARSE_PER_DEG
    i, j = y.astype(np.int32), x.astype(np.int32)
    zone = np.full(len(lat), NO_ZONE, dtype=np.int16)
    block = fences.block_of.take(i * np.int32(361 * COARSE_PER_DEG + 1) + j)
    near = np.flatnonzero(block)
    if len(near) == 0:
        return zone
    fine_i = ((y[near] - i[near]) * FINE_PER_COARSE).astype(np.int32)
    fine_j = ((x[near] - j[near]) * FINE_PER_COARSE).astype(np.int32)
    cell = block[near].astype(np.int32) * FINE_PER_COARSE**2 + fine_i * FINE_PER_COARSE + fine_j
    found = fences.fine[cell]
    zone[near] = found
    ask = near[found == EDGE]
    if len(ask):
        zone[ask] = exact_zone(fences, lat[ask], lon[ask])
    return zone


def exact_zone(fences: Fences, lat: FloatArray, lon: FloatArray) -> npt.NDArray[np.int16]:
    """The same by polygon, for the few rows in a cell that a fence's boundary crosses."""
    zone = np.full(len(lat), NO_ZONE, dtype=np.int16)
    west, south, east, north = lon.min(), lat.min(), lon.max(), lat.max()
    boxes = fences.boxes
    near = (boxes[:, 0] <= east) & (boxes[:, 2] >= west) & (boxes[:, 1] <= north) & (boxes[:, 3] >= south)
    for number in np.flatnonzero(near)[::-1]:  # the first fence of the table wins
        x0, y0, x1, y1 = boxes[number]
        rows = np.flatnonzero((lon >= x0) & (lon <= x1) & (lat >= y0) & (lat <= y1))
        zone[rows[shapely.contains_xy(fences.polygons[number], lon[rows], lat[rows])]] = number
    return zone


def sum_segments(rows: Sorted, fences: Fences, first: int, last: int) -> Segments:
    """Walk the rows ``first`` to ``last`` in blocks; ``first`` begins a vessel."""
    begins_vessel = np.zeros(last - first + 1, dtype=np.bool_)
    begins_vessel[rows.start[(rows.start >= first) & (rows.start <= last)] - first] = True
    parts = []
    for low in range(first, last, BLOCK_ROWS):
        high = min(low + BLOCK_ROWS, last)
        back = max(low - 1, first)  # one row more, so that the block's first leg is known
        lat, lon, stamp = rows.lat[back:high], rows.lon[back:high], rows.time_us[back:high]
        phi, lam = np.radians(lat), np.radians(lon)
        cos_phi = np.cos(phi)
        half_phi, half_lam = np.sin(np.diff(phi) * 0.5), np.sin(np.diff(lam) * 0.5)
        chord = half_phi * half_phi + cos_phi[1:] * cos_phi[:-1] * (half_lam * half_lam)
        miles = np.arcsin(np.sqrt(chord)) * (2 * EARTH_RADIUS_NMI)
        step_us = np.diff(stamp)
        speed = miles * 3.6e9 / np.maximum(step_us, 1_000_000)
        new = begins_vessel[back + 1 - first : high - first] | (step_us > GAP_US)
        wrong = new | (speed > TOO_FAST_KN)
        miles[wrong] = 0.0
        speed[wrong] = 0.0
        if low == first:  # the walk's first row has no leg before it
            miles, speed, new = np.insert(miles, 0, 0.0), np.insert(speed, 0, 0.0), np.insert(new, 0, True)
        zone = zone_of(fences, rows.lat[low:high], rows.lon[low:high])
        at = np.flatnonzero(new)
        goes_on = len(at) == 0 or at[0] != 0
        at = np.concatenate([[0], at]) if goes_on else at
        parts.append(
            (
                goes_on,
                np.diff(at, append=high - low),
                np.add.reduceat(miles, at),
                np.maximum.reduceat(speed, at),
                np.add.reduceat((rows.sog[low:high] < SLOW_KN).astype(np.int32), at),
                np.add.reduceat((zone >= 0).astype(np.int32), at),
            )
        )
    return join_blocks(parts)


def join_blocks(parts: list[tuple[Any, ...]]) -> Segments:
    """One entry a segment, where a block had cut one in two."""
    head = np.concatenate([np.arange(len(part[1])) > 0 if part[0] else np.ones(len(part[1]), bool) for part in parts])
    at = np.flatnonzero(head)
    n_rows, miles, fastest, slow, in_port = (np.concatenate([part[k] for part in parts]) for k in range(1, 6))
    return Segments(
        np.add.reduceat(n_rows, at),
        np.add.reduceat(miles, at),
        np.maximum.reduceat(fastest, at),
        np.add.reduceat(slow, at),
        np.add.reduceat(in_port, at),
    )


def peak_bytes() -> int:
    """The most memory this process has held, as Linux counts it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def run(paths: list[Path], ports: Path, threads: int) -> dict[str, Any]:
    """The whole core over some files: rows, segments, seconds by step."""
    clock = [time.perf_counter()]
    with ThreadPoolExecutor(threads) as pool:
        rows = scatter(paths, pool)
        clock.append(time.perf_counter())
        fences = read_fences(ports)
        clock.append(time.perf_counter())
        n = len(rows.time_us)
        cuts = np.unique(rows.start[np.searchsorted(rows.start, np.linspace(0, n, 4 * threads + 1))])
        spans = list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
        walks = in_threads(pool, lambda span: sum_segments(rows, fences, *span), spans)
        clock.append(time.perf_counter())
    steps = dict(zip(("read_and_sort", "fences", "walk"), np.diff(clock).round(3).tolist(), strict=True))
    return {
        "rows": n,
        "vessels": len(rows.start) - 1,
        "segments": sum(len(walk.n_rows) for walk in walks),
        "rows_in_port": int(sum(walk.n_in_port.sum() for walk in walks)),
        "miles": round(float(sum(walk.miles.sum() for walk in walks)), 1),
        "seconds": round(clock[-1] - clock[0], 3),
        "stages": steps,
        "peak_bytes": peak_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of day files, as traffic.py writes them")
    parser.add_argument("--ports", type=Path, default=PORTS, help="port fences, GeoJSON")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(json.dumps(run(sorted(options.folder.glob("*.parquet")), options.ports, options.threads)))


if __name__ == "__main__":
    main()
