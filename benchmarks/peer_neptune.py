"""What neptune-ais makes of the same traffic: port calls. Run in its own environment by peers.py.

Its own calls do the work: BoundaryRegistry.lookup_column names each row's port, detect_port_calls joins them into
calls. The fences are prepared first, which makes its point-in-polygon test as quick as it can be.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import polars as pl
import shapely
from neptune_ais.derive.events import detect_port_calls
from neptune_ais.geometry.boundaries import BoundaryDataset, BoundaryRegion, BoundaryRegistry
from shapely.geometry import shape


def main(folder: str, ports: str) -> None:
    features = json.loads(Path(ports).read_text(encoding="utf-8"))["features"]
    regions = []
    for feature in features:
        if feature["properties"]["kind"] == "port":
            fence = shape(feature["geometry"])
            shapely.prepare(fence)
            regions.append(BoundaryRegion(feature["properties"]["zone_id"], fence.bounds, fence))
    registry = BoundaryRegistry()
    registry.register(BoundaryDataset("ports", "1", regions=tuple(regions)))
    clock = [time.perf_counter()]
    columns = ["mmsi", "timestamp", "lat", "lon", "sog"]
    rows = pl.read_parquet(Path(folder) / "*.parquet", columns=columns).sort("mmsi", "timestamp")
    rows = rows.with_columns(source=pl.lit("benchmark"))
    clock.append(time.perf_counter())
    region = registry.lookup_column(rows, "ports")
    clock.append(time.perf_counter())
    calls = detect_port_calls(rows, region)
    clock.append(time.perf_counter())
    seconds = [b - a for a, b in pairwise(clock)]
    stages = dict(zip(("read_and_sort", "fences", "port_calls"), seconds, strict=True))
    found = {"port_visits": len(calls)}
    about = {"version": version("neptune-ais"), "rows": len(rows), "stages": stages, "found": found}
    print(json.dumps(about))


if __name__ == "__main__":
    main(*sys.argv[1:])
