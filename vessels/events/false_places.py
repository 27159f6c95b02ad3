"""False places: the rows of a block at which a ship cannot have been where she said.

Takes the odd positions found in a block; gives ranges of rows. What is learned of the sea from ships' places, such as
where they are heard, is learned without them. Which of two places a leap joins is false is not known, and a speed that
the positions belie may be what is wrong: neither makes a row false. Nor does even motion unless the ship's other legs
are far less even, because some feeds fill in what they did not hear; nor replays that only the whole fleet shows.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from vessels.events.odd import OddPosition
from vessels.segments import Segments
from vessels.track import IntArray

FALSE_ON_TRACK: Final = frozenset({"held", "on_land", "constant", "laps", "replay"})
"""Kinds whose own track has the false places. Those of a jump, away and back, are on other tracks of the number."""
LESS_EVEN: Final = 5.0
"""The ship's other legs depart from even motion so many times as far. Source: measured, docs/positions.md: tens of
metres in real tracks, two in drawn ones."""
LEAST_OFF_M: Final = 0.1
"""No motion is more even than positions are fine (1/10,000 of a minute, ITU-R M.1371-5)."""


def false_rows(segments: Segments, found: Iterable[OddPosition]) -> IntArray:
    """First and last row of each stretch at false places; stretches may overlap. Shape (k, 2)."""
    ranges = []
    for event in found:
        if event.kind == "constant" and not _is_drawn(event):
            continue
        if event.kind in FALSE_ON_TRACK:
            tracks = [event.segment]
        elif event.kind == "jump" and event.came_back is not False:
            low, high = np.searchsorted(segments.vessel, segments.vessel[event.segment] + np.arange(2)).tolist()
            tracks = [track for track in range(low, high) if track != event.segment]
        else:
            continue
        for track in tracks:
            begin, end = segments.offsets[track : track + 2].tolist()
            first, after = np.searchsorted(segments.time_us[begin:end], [event.start_us, event.end_us + 1]).tolist()
            if after > first:
                ranges.append((begin + first, begin + after - 1))
    return np.array(sorted(ranges), dtype=np.int64).reshape(-1, 2)


def _is_drawn(even: OddPosition) -> bool:
    """Whether the ship's other legs are known to be far less even."""
    return even.usual_residual_m >= LESS_EVEN * max(even.residual_m, LEAST_OFF_M)
