"""Berths: where in a port a ship lay longest, from her thinned track.

Takes sketches and the few stays that matter; gives one position a stay. A visit's own position is the mean over all her
stops inside the fence, which for a ship that waited in the roads lies in between.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.geofence.stays import Stay
from vessels.geodesy import distance_nmi
from vessels.instants import instant_us, times_us

SWING_NMI: Final = 0.1
"""Reports of a ship made fast lie this near to each other: a ship's length, and the error of a fix."""
MOST_POINTS: Final = 500
"""A week of reports twenty minutes apart; of longer stays as many are looked at, evenly spread."""


def berths_of(sketches: pa.Table, stays: Sequence[Stay]) -> dict[str, tuple[float, float]]:
    """By the row id of each stay the place where she lay longest; the stay's own position where no track is at hand."""
    mmsi = pa.array(sorted({stay.mmsi for stay in stays}), type=pa.int64())
    table = sketches.filter(pc.is_in(sketches["mmsi"], value_set=mmsi))
    numbers = table["mmsi"].to_numpy()
    time_us = times_us(table["timestamp"])
    lat, lon = (table[name].cast(pa.float64()).fill_null(np.nan).to_numpy() for name in ("lat", "lon"))
    names = np.array(table["segment_id"].to_pylist(), dtype=object)
    order = np.lexsort((lon, lat, time_us, numbers))
    numbers, time_us, lat, lon, names = (column[order] for column in (numbers, time_us, lat, lon, names))
    found: dict[str, tuple[float, float]] = {}
    for stay in stays:
        first, last = np.searchsorted(numbers, [stay.mmsi, stay.mmsi + 1])
        begin, end = (instant_us(when) for when in (stay.start, stay.last_seen))
        inside = slice(*(first + np.searchsorted(time_us[first:last], [begin, end + 1])).tolist())
        own = np.flatnonzero((names[inside] == stay.segment_id) & np.isfinite(lat[inside]) & np.isfinite(lon[inside]))
        place = _longest(np.asarray(lat[inside][own], dtype=np.float64), np.asarray(lon[inside][own], dtype=np.float64))
        if place is None and stay.lat is not None and stay.lon is not None:
            place = (stay.lat, stay.lon)
        if place is not None:
            found[stay.row_id] = place
    return found


def _longest(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """The mean of the largest set of points within reach of one of them; the first such of equals."""
    if len(lat) == 0:
        return None
    step = -(-len(lat) // MOST_POINTS)
    lat, lon = lat[::step], lon[::step]
    near = distance_nmi(lat[:, None], lon[:, None], lat[None, :], lon[None, :]) <= SWING_NMI
    most = near[int(near.sum(axis=1).argmax())]
    west = lon[most][0]
    return float(lat[most].mean()), float(west + ((lon[most] - west + 180.0) % 360.0 - 180.0).mean())
