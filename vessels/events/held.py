"""Held positions: one identical position for hours while the ship says she moves, or before a leap to elsewhere.

Takes `Segments`, rows thinned in time, and the jumps; gives events of kind held. A ship at a berth may well send one
position for days where an archive rounds it: that is no event, because she neither says she moves nor leaps away.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from pydantic import Field

from vessels.events.jumps import Jump
from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H


class HeldParameters(Parameters):
    """When a position is held."""

    min_held_h: float = Field(
        2.0,
        gt=0,
        le=240,
        description="A position held for a shorter time is no event. Source: judgement; at 10 kn she is 20 nmi on.",
    )
    min_reports: int = Field(
        4,
        ge=2,
        le=1000,
        description="So many reports, thinned, have it. Source: judgement; two may be one that was delivered again.",
    )
    moving_kn: float = Field(
        3.0,
        gt=0,
        le=30,
        description="She says she moves from this speed. Source: ITU-R M.1371-5 (moored or anchored ships report "
        "faster over 3 kn).",
    )
    min_moving_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the reports that must say so, where no leap follows. Source: judgement; a glitch of "
        "the speed is one report.",
    )
    max_per_track: int = Field(
        16, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_HELD: Final = HeldParameters()


def find_held(
    segments: Segments, thinned: IntArray, jumps: Sequence[Jump], parameters: HeldParameters = DEFAULT_HELD
) -> list[OddPosition]:
    """All held positions, in order of track and time. `thinned` are rows in order; cost is theirs."""
    if len(thinned) < 2:
        return []
    lat, lon, time_us = segments.lat[thinned], segments.lon[thinned], segments.time_us[thinned]
    track = np.searchsorted(segments.offsets, thinned, side="right") - 1
    same = (lat[1:] == lat[:-1]) & (lon[1:] == lon[:-1]) & (track[1:] == track[:-1])
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.append(first[1:], len(thinned)) - 1
    long = time_us[last] - time_us[first] >= int(parameters.min_held_h * US_PER_H)
    long &= last - first + 1 >= parameters.min_reports
    first, last = first[long], last[long]
    if not len(first):
        return []
    moving = np.concatenate([[0], np.cumsum(segments.sog[thinned] >= np.float32(parameters.moving_kn))])
    share = (moving[last + 1] - moving[first]) / (last + 1 - first)
    left = np.searchsorted(thinned, [jump.from_row for jump in jumps if jump.from_row >= 0], side="right") - 1
    leaps = np.isin(last, left)
    odd = (share >= parameters.min_moving_share) | leaps
    return oddest(
        (
            between_rows(segments, "held", int(thinned[a]), int(thinned[b]), int(thinned[b] - thinned[a]) + 1)
            for a, b in zip(first[odd].tolist(), last[odd].tolist(), strict=True)
        ),
        parameters.max_per_track,
    )
