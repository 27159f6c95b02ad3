"""Thinned tracks: some of the reports, evenly in time, for what does not need every one.

Takes `Segments`; gives numbers of rows. Real reports are kept, none is made up.
"""

import numpy as np

from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_MIN


def thin_rows(segments: Segments, every_min: float) -> IntArray:
    """Rows kept when one report in so many minutes is: the first of each slot of the clock, and each segment's last."""
    n = len(segments)
    if not n:
        return np.zeros(0, dtype=np.int64)
    slot = segments.time_us // int(every_min * US_PER_MIN)
    keep = np.empty(n, dtype=np.bool_)
    keep[0] = True
    np.not_equal(slot[1:], slot[:-1], out=keep[1:])
    keep[segments.offsets[:-1]] = True
    keep[segments.offsets[1:] - 1] = True
    return np.flatnonzero(keep)
