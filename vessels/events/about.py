"""Who else lay nearby: other ships that went slow near a place, at the time of an event and ever.

Takes places and times of events and the `slow_stretches` of the whole fleet; gives counts of different ships.
Many ships over the weeks make a usual waiting place; many at once an anchorage or a fleet.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.events.nearby import Places
from vessels.instants import times_us
from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]


def ships_about(
    stretches: pa.Table,
    own: IntArray,
    lat: FloatArray,
    lon: FloatArray,
    start_us: IntArray,
    end_us: IntArray,
    radius_nmi: float,
) -> tuple[IntArray, IntArray]:
    """How many other ships lay slow within the radius of each event: meanwhile, and ever. Shapes (k,).

    `own` (k, s) are the MMSI of the event's own ships, which do not count.
    """
    known, ship = np.unique(stretches["mmsi"].to_numpy(), return_inverse=True)
    begin, end = times_us(stretches["start"]), times_us(stretches["end"])
    places = Places(stretches["lat"].to_numpy(), stretches["lon"].to_numpy(), radius_nmi)
    keys: tuple[list[IntArray], list[IntArray]] = ([], [])
    for part in places.around(lat, lon):
        event, row = part.first, part.second
        others = (known[ship[row]][:, None] != own[event]).all(axis=1)
        event, row = event[others], row[others]
        key = event * len(known) + ship[row]
        meanwhile = (begin[row] <= end_us[event]) & (end[row] >= start_us[event])
        keys[0].append(np.unique(key[meanwhile]))
        keys[1].append(np.unique(key))
    near, ever = (_counted(parts, len(known), len(lat)) for parts in keys)
    return near, ever


def _counted(parts: list[IntArray], n_ships: int, n: int) -> IntArray:
    """Number of different keys of each event."""
    if not parts:
        return np.zeros(n, dtype=np.int64)
    distinct = np.unique(np.concatenate(parts))
    return np.bincount(distinct // max(n_ships, 1), minlength=n)
