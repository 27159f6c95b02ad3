"""Pack the world's land polygons for `vessels.land`, with navigable channels cut through them.

Takes Natural Earth 1:10m land (public domain) as the npm package ``world-atlas`` carries it (``land-10m.json``,
TopoJSON; version 2.0.2 has Natural Earth 4.1.0) and ``vessels/data/channels.geojson``. Gives
``vessels/data/land.parquet``. Run it again only when the channels or the source change:
``python benchmarks/pack_land.py LAND-10M.JSON``.

Rings that cross the antimeridian are unrolled and cut at ±180°; Antarctica's ring is closed over the pole. Vertices are
rounded to 0.0001°, otherwise untouched; what collapses at that size is dropped.
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

from vessels.geodesy import unwrap_longitudes
from vessels.land_file import UNITS_PER_DEGREE, pack
from vessels.zones import widen

DATA = Path(__file__).resolve().parents[1] / "vessels" / "data"
KM_PER_NMI = 1.852
FloatArray = npt.NDArray[np.float64]


def rings_of(topology: dict[str, Any]) -> list[list[FloatArray]]:
    """The polygons of a TopoJSON object `land`, each a list of rings of lon/lat."""
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(indices: list[int]) -> FloatArray:
        lines = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
        return np.concatenate([lines[0], *(line[1:] for line in lines[1:])])

    polygons = []
    for geometry in topology["objects"]["land"]["geometries"]:
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        polygons += [[ring(indices) for indices in part] for part in parts]
    return polygons


def unrolled(ring: FloatArray, near: float | None) -> FloatArray:
    """A ring with continuous longitudes, closed over the South Pole if it goes round it; turned near a longitude."""
    lon = unwrap_longitudes(ring[:, 0])
    if near is not None:
        lon = lon + 360.0 * np.round((near - lon[0]) / 360.0)
    ring = np.column_stack([lon, ring[:, 1]])
    if abs(lon[-1] - lon[0]) > 180.0:
        ring = np.concatenate([ring, [[lon[-1], -90.0], [lon[0], -90.0]], ring[:1]])
    return ring


def polygon(rings: list[FloatArray]) -> shapely.Geometry:
    """One valid polygon or several, wrapped at ±180°."""
    shell = unrolled(rings[0], None)
    holes = [unrolled(ring, float(shell[:, 0].mean())) for ring in rings[1:]]
    whole = shapely.make_valid(shapely.Polygon(shell, holes), method="structure")
    windows = [shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0) for turn in (-360.0, 0.0, 360.0)]
    parts = [shapely.intersection(whole, window) for window in windows]
    turned = [
        shapely.transform(part, lambda xy, turn=turn: xy - [turn, 0.0])
        for part, turn in zip(parts, (-360.0, 0.0, 360.0), strict=True)
        if part.area > 0.0
    ]
    return shapely.union_all(turned) if len(turned) != 1 else turned[0]


def channels(path: Path) -> shapely.Geometry:
    """All channels as one geometry, each line widened to its width."""
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = []
    for feature in document["features"]:
        line = shapely.from_geojson(json.dumps(feature["geometry"]))
        lines.append(widen_line(line, feature["properties"]["width_nmi"]))
    return shapely.union_all(lines)


def widen_line(line: shapely.Geometry, width_nmi: float) -> shapely.Geometry:
    """A line grown to a band."""
    return widen(shapely.buffer(line, 1e-6), float(line.centroid.y), width_nmi * KM_PER_NMI / 2.0)


def main() -> None:
    """Read, repair, dredge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topojson", type=Path)
    parser.add_argument("--out", type=Path, default=DATA / "land.parquet")
    args = parser.parse_args()
    topology = json.loads(args.topojson.read_text(encoding="utf-8"))
    land = shapely.union_all([polygon(rings) for rings in rings_of(topology)])
    land = shapely.difference(land, channels(DATA / "channels.geojson"))
    land = shapely.set_precision(land, 1.0 / UNITS_PER_DEGREE)
    parts = shapely.get_parts(shapely.get_parts(land))  # a collection may hold polygons in several parts
    parts = parts[shapely.area(parts) > 0.0]
    bounds = shapely.bounds(parts)
    parts = parts[np.lexsort((bounds[:, 0], bounds[:, 1]))]
    table = pack(parts)
    pq.write_table(
        table,
        args.out,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        column_encoding={
            "polygon": "DELTA_BINARY_PACKED",
            "ring": "DELTA_BINARY_PACKED",
            "lon_step": "BYTE_STREAM_SPLIT",
            "lat_step": "BYTE_STREAM_SPLIT",
        },
    )
    print(f"{len(parts)} polygons, {table.num_rows} vertices, {args.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
