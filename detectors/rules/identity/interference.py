"""Disturbed satellite positioning: many ships about a place that seem to be in two places at once, for some hours.

Takes the vessel and segment tables; says for each MMSI how many others were torn in two about there and then. One
ship's number is borrowed by one other ship; what befalls a whole sea at once is the sea's.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.geodesy import distance_nmi
from vessels.instants import times_us
from vessels.track import IntArray
from vessels.units import US_PER_H

BRIEF_H: Final = 12.0
"""Interference with satellite positioning lasts hours and moves positions by miles; two ships stay two for days."""
NEARBY_NMI: Final = 150.0
"""Jammers ashore reach some tens of miles at sea level and more aloft; and false positions lie tens of miles off."""
_SLACK_US: Final = 2 * US_PER_H
"""Each set shows it with its own next reports."""


def others_torn(vessels: pa.Table, segments: pa.Table) -> dict[int, int]:
    """By MMSI that was on two tracks at once for less than `BRIEF_H`: how many others were so, near it and meanwhile.

    Costs a sort, and a look at those of the same hours for each.
    """
    begin, end = times_us(vessels["overlap_start"]), times_us(vessels["overlap_end"])
    torn = pc.fill_null(pc.greater(vessels["n_alternations"], 0), False).to_numpy()
    brief = np.flatnonzero(torn & (begin >= 0) & (end - begin < BRIEF_H * US_PER_H))
    brief = brief[np.argsort(begin[brief], kind="stable")]
    mmsi = vessels["mmsi"].to_numpy()[brief]
    begin, end = begin[brief], end[brief]
    lat, lon = _places(segments, mmsi, begin, end)
    latest = np.maximum.accumulate(end) if len(end) else end
    counts: dict[int, int] = {}
    for i, number in enumerate(mmsi.tolist()):
        first = int(np.searchsorted(latest, begin[i] - _SLACK_US))
        last = int(np.searchsorted(begin, end[i] + _SLACK_US, side="right"))
        near = distance_nmi(lat[first:last], lon[first:last], lat[i], lon[i]) <= NEARBY_NMI
        near &= end[first:last] >= begin[i] - _SLACK_US
        counts[number] = max(int(near.sum()) - 1, 0)
    return counts


def _places(
    segments: pa.Table, mmsi: IntArray, begin: IntArray, end: IntArray
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Where each MMSI's first track began that was on the air during its overlap; NaN where none is known."""
    own = segments.filter(pc.is_in(segments["mmsi"], value_set=pa.array(np.unique(mmsi), pa.int64())))
    numbers, start, stop = own["mmsi"].to_numpy(), times_us(own["start"]), times_us(own["end"])
    lat, lon = (own[f"start_{axis}"].to_numpy() for axis in ("lat", "lon"))
    out = np.full((2, len(mmsi)), np.nan)
    order = np.lexsort((-start, numbers))
    low, high = (np.searchsorted(numbers[order], mmsi, side=side) for side in ("left", "right"))
    for i in range(len(mmsi)):
        rows = order[low[i] : high[i]]
        inside = rows[(start[rows] <= end[i]) & (stop[rows] >= begin[i])]
        if len(inside):
            out[:, i] = lat[inside[0]], lon[inside[0]]
    return out[0], out[1]
