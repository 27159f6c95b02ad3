"""Invented tracks for tests of odd positions, and the events that they give. The land is a strip of the plane."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tests.vessels.builders import ALPHA, H, Row, block_of, lie
from vessels.events.odd_positions import (
    PositionParameters,
    find_odd_positions,
    position_rows,
    settle_positions,
    trace_rows,
)
from vessels.geodesy import wrap_degrees
from vessels.history import SKETCH_MIN
from vessels.schema import SKETCHES
from vessels.segments import Segments, segment_ids, separate
from vessels.thinning import thin_rows

THIN_MIN = 10.0
OPEN_SEA = (33.0, 124.0)


class StripLand:
    """Land between two meridians; one degree of longitude counts as 60 nmi, whatever the latitude."""

    def __init__(self, west: float = 500.0, east: float = 500.0) -> None:
        self.west, self.east = west, east

    def shore_nmi(self, _lat: Any, lon: Any) -> Any:
        """As `vessels.land.Land`."""
        lon = np.asarray(lon, dtype=np.float64)
        inland = np.minimum(lon - self.west, self.east - lon) * 60.0
        return np.clip(-inland, -100.0, 100.0)


def odd(
    *files: Sequence[Row], parameters: PositionParameters | None = None, land: Any = None, settled: bool = True
) -> list[dict[str, Any]]:
    """The `position_events` of some rows, settled as one fleet."""
    return settle([odd_block(*files, parameters=parameters, land=land)], parameters) if settled else (
        odd_block(*files, parameters=parameters, land=land)[0].to_pylist()
    )  # fmt: skip


Parts = tuple[pa.Table, pa.Table, pa.Table]


def odd_block(*files: Sequence[Row], parameters: PositionParameters | None = None, land: Any = None) -> Parts:
    """Raw events, traces and sketches of one block."""
    return parts_of(separate(block_of(*files)), parameters, land)


def parts_of(segments: Segments, parameters: PositionParameters | None = None, land: Any = None) -> Parts:
    """Raw events, traces and sketches of some segments."""
    parameters = parameters or PositionParameters()
    ids, thinned = segment_ids(segments), thin_rows(segments, THIN_MIN)
    sketch = thin_rows(segments, SKETCH_MIN)
    track = np.searchsorted(segments.offsets, sketch, side="right") - 1
    sketches = SKETCHES.build(
        {
            "segment_id": pa.array(ids, pa.string()).take(pa.array(track)),
            "mmsi": segments.mmsi[segments.vessel[track]],
            "timestamp": segments.time_us[sketch],
            "lat": segments.lat[sketch],
            "lon": segments.lon[sketch],
            "sog": segments.sog[sketch],
            "draught": segments.draught[sketch],
        }
    )
    return (
        position_rows(segments, ids, find_odd_positions(segments, thinned, land or StripLand(), parameters)),
        trace_rows(segments, thinned, THIN_MIN, ids, parameters),
        sketches,
    )


def settle(parts: Sequence[Parts], parameters: PositionParameters | None = None) -> list[dict[str, Any]]:
    """The settled events of several blocks."""
    tables = (pa.concat_tables(which) for which in zip(*parts, strict=True))
    return settle_positions(*tables, parameters or PositionParameters()).to_pylist()


def of_kind(events: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in events if event["kind"] == kind]


def steamed(
    points: Sequence[tuple[float, float]],
    *,
    mmsi: int = ALPHA,
    t: float = 0.0,
    kn: float = 10.0,
    every_s: float = 300.0,
    error_m: float = 0.0,
    sway_m: float = 0.0,
    slip: float = 0.0,
    seed: int = 1,
    **said: Any,
) -> list[dict[str, Any]]:
    """A way through points, given as (nmi north, nmi east) of `OPEN_SEA`, at even speed.

    `error_m` is a receiver's error from report to report; `sway_m` how far helm and sea take her off the line, smooth
    over 40 minutes; `slip` the share by which her speed wanders, smooth over an hour.
    """
    rng = np.random.default_rng(seed)
    corners = np.array(points, dtype=np.float64)
    legs = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    hours = along[-1] / kn
    when = np.arange(0.0, hours * 3600.0, every_s)
    hourly = np.arange(0.0, when[-1] + 7200.0, 3600.0)
    wander = np.interp(when, hourly, rng.normal(0, slip, len(hourly)))
    step_nmi = kn * every_s / 3600.0
    gone = np.minimum(np.cumsum(step_nmi * (1.0 + wander)) - step_nmi * (1.0 + wander[0]), along[-1])
    north, east = (np.interp(gone, along, corners[:, k]) for k in (0, 1))
    knots = np.arange(0.0, when[-1] + 4800.0, 2400.0)
    for axis in (north, east):
        axis += np.interp(when, knots, rng.normal(0, 1.0, len(knots))) * sway_m / 1852.0
        axis += rng.normal(0, 1.0, len(when)) * error_m / 1852.0
    lat = OPEN_SEA[0] + north / 60.0
    lon = wrap_degrees(OPEN_SEA[1] + east / 60.0 / math.cos(math.radians(OPEN_SEA[0])))
    course = np.degrees(np.arctan2(np.gradient(east), np.gradient(north))) % 360.0
    return [
        {
            "mmsi": mmsi,
            "t": float(t + round(w)),
            "lat": round(float(y), 6),
            "lon": round(float(x), 6),
            "sog": round(kn, 1),
            "cog": round(float(c), 1) % 360.0,
            **said,
        }
        for w, y, x, c in zip(when, lat, lon, course, strict=True)
    ]


def box(laps: int, north: float = 12.0, east: float = 16.0, shift: float = 0.0) -> list[tuple[float, float]]:
    """Corners of so many laps round a box; each lap lies so many miles farther north."""
    ring = [(0.0, 0.0), (north, 0.0), (north, east), (0.0, east)]
    return [(y + lap * shift, x) for lap in range(laps) for y, x in ring] + [(laps * shift, 0.0)]


DAYS, LAG_H = 3.0, 112.95
"""How long a story's path is, and how much later it is sent again."""


def wandering(hours: float, seed: int = 5, kn: float = 0.6, tide_nmi: float = 0.6) -> tuple[Any, Any]:
    """A drift with wind and tide: time in hours to nautical miles north and east."""
    rng = np.random.default_rng(seed)
    knots = np.arange(0.0, hours + 12.0, 4.0)
    steps = rng.normal(0.0, kn * 4.0, (2, len(knots)))
    way = np.cumsum(steps, axis=1)

    def place(h: Any) -> tuple[Any, Any]:
        turn = 2.0 * np.pi * np.asarray(h) / 12.42
        return np.interp(h, knots, way[0]) + tide_nmi * np.sin(turn), np.interp(h, knots, way[1]) + tide_nmi * np.cos(
            turn
        )

    return place


def reports(place: Any, hours: float, every_s: float, t: float = 0.0, *, skip_s: float = 0.0, **how: Any) -> list[Row]:
    """Rows along a path, the first `skip_s` after its start; positions wrong by `error_m`."""
    rng = np.random.default_rng(int(skip_s) + 7)
    when = np.arange(skip_s, hours * H, every_s)
    north, east = place(when / H)
    error = rng.normal(0.0, how.get("error_m", 4.0) / 1852.0, (2, len(when)))
    lat = OPEN_SEA[0] + (north + error[0]) / 60.0
    lon = wrap_degrees(
        OPEN_SEA[1] + how.get("turned", 0.0) + (east + error[1]) / 60.0 / np.cos(np.radians(OPEN_SEA[0]))
    )
    return [
        {
            "mmsi": how.get("mmsi", ALPHA),
            "t": float(t + w),
            "lat": round(float(y), 6),
            "lon": round(float(x), 6),
            "sog": 0.6,
        }
        for w, y, x in zip(when, lat, lon, strict=True)
    ]


def story(t: float = 0.0, seed: int = 5, **how: Any) -> list[Row]:
    """Three days adrift, a day at a berth, and the three days again at other instants, less often heard."""
    path = wandering(24.0 * DAYS, seed)
    first = reports(path, 24.0 * DAYS, 360.0, t, **how)
    berth = (first[-1]["lat"], first[-1]["lon"])
    rest = lie(how.get("mmsi", ALPHA), t + 24.0 * DAYS * H + 600.0, berth, 30.0)
    return [*first, *rest, *reports(path, 24.0 * DAYS, 900.0, t + LAG_H * H, skip_s=217.0, **how)]
