"""What MovingPandas makes of the same traffic: silences, stops and port visits. Run in its own environment by peers.py.

Its own calls do all the work: ObservationGapSplitter, TrajectoryStopDetector, and `clip` to every fence. Rows
that it cannot use (no place, a repeated instant) are taken out before. `clip` is called with point_based=True, which
was measured twice as fast as the default and gives one piece a visit; the default cuts a visit at every report
that repeats the place before it.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from datetime import timedelta
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import movingpandas as mpd
import pandas as pd
import pyarrow.parquet as pq
from shapely.geometry import shape

GAP = timedelta(hours=1)
STOP_DIAMETER_M, STOP_TIME = 300, timedelta(hours=1)


def main(folder: str, ports: str) -> None:
    warnings.simplefilter("ignore")
    features = json.loads(Path(ports).read_text(encoding="utf-8"))["features"]
    fences = [shape(feature["geometry"]) for feature in features if feature["properties"]["kind"] == "port"]
    clock = [time.perf_counter()]
    files = sorted(Path(folder).glob("*.parquet"))
    columns = ["mmsi", "timestamp", "lat", "lon"]
    rows = pd.concat([pq.read_table(file, columns=columns).to_pandas() for file in files])
    n_rows = len(rows)
    rows = rows[(rows["lat"] <= 90) & (rows["lon"] <= 180)].drop_duplicates(["mmsi", "timestamp"])
    rows["timestamp"] = rows["timestamp"].dt.tz_localize(None)  # `clip` fails silently on instants with a zone
    ships = mpd.TrajectoryCollection(rows, traj_id_col="mmsi", t="timestamp", x="lon", y="lat")
    clock.append(time.perf_counter())
    tracks = mpd.ObservationGapSplitter(ships).split(gap=GAP)
    clock.append(time.perf_counter())
    stops = mpd.TrajectoryStopDetector(tracks).get_stop_time_ranges(STOP_DIAMETER_M, STOP_TIME)
    clock.append(time.perf_counter())
    visits = sum(len(tracks.clip(fence, point_based=True)) for fence in fences)
    clock.append(time.perf_counter())
    seconds = [b - a for a, b in pairwise(clock)]
    stages = dict(zip(("read", "gaps", "stops", "port_visits"), seconds, strict=True))
    found = {"gaps": len(tracks) - len(ships), "stops": len(stops), "port_visits": visits}
    about = {"version": version("movingpandas"), "rows": n_rows, "stages": stages, "found": found}
    print(json.dumps(about))


if __name__ == "__main__":
    main(*sys.argv[1:])
