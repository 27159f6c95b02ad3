"""Speeds that the positions belie: a report says a speed at which the ship would have gone far, and she did not.

Takes `Segments`; gives events of kind speed, one a spell of such reports. Usually a damaged message or a set that lost
its fix; the positions beside it are right.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from pydantic import Field

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.units import US_PER_H


class SpeedParameters(Parameters):
    """Which reported speeds are belied."""

    min_reported_kn: float = Field(
        40.0,
        gt=0,
        le=102.2,
        description="Only speeds from this one are held against the way made good. Source: above the service speed of "
        "nearly all ships; fast ferries reach 35 to 40 kn.",
    )
    min_excess_kn: float = Field(
        20.0,
        gt=0,
        le=102.2,
        description="A speed is belied if the way made good on both sides is slower by this. Source: measured, "
        "docs/positions.md: speed reported and made good by real ships differ by under 5 kn in 99 %.",
    )
    window_h: float = Field(
        0.25,
        gt=0,
        le=24,
        description="The way made good is told by reports no farther away in time. Source: a ship cannot stop and "
        "start again from such a speed in less than minutes.",
    )
    merge_h: float = Field(
        1.0, ge=0, le=48, description="Reports within this time are one spell. Source: as for jumps."
    )
    max_per_track: int = Field(
        8, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_SPEEDS: Final = SpeedParameters()


def find_belied_speeds(segments: Segments, parameters: SpeedParameters = DEFAULT_SPEEDS) -> list[OddPosition]:
    """All spells of belied speeds, in order of track and time. Cost: one comparison a row."""
    rows = np.flatnonzero(segments.sog >= np.float32(parameters.min_reported_kn))
    if not len(rows):
        return []
    belied = rows[_made_good_kn(segments, rows, parameters) <= segments.sog[rows] - parameters.min_excess_kn]
    if not len(belied):
        return []
    track = np.searchsorted(segments.offsets, belied, side="right") - 1
    apart = (np.diff(segments.time_us[belied]) > parameters.merge_h * US_PER_H) | (np.diff(track) != 0)
    first = np.flatnonzero(np.concatenate([[True], apart]))
    last = np.append(first[1:], len(belied)) - 1
    highest = np.maximum.reduceat(segments.sog[belied], first)
    return oddest(
        (
            between_rows(segments, "speed", int(belied[a]), int(belied[b]), b - a + 1, implied_speed_kn=float(kn))
            for a, b, kn in zip(first.tolist(), last.tolist(), highest.tolist(), strict=True)
        ),
        parameters.max_per_track,
    )


def _made_good_kn(segments: Segments, rows: np.ndarray, p: SpeedParameters) -> np.ndarray:
    """The speed made good over the window about each row; inf where it is not known. Rows rise; shape (n,)."""
    window_us = int(p.window_h * US_PER_H)
    made = np.full(len(rows), np.inf)
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(track)) + 1, [len(rows)]]).tolist()
    for first, stop in pairwise(bounds):
        low, high = segments.offsets[track[first] : track[first] + 2].tolist()
        time, own = segments.time_us[low:high], rows[first:stop] - low
        begin = np.searchsorted(time, time[own] - window_us)
        last = np.searchsorted(time, time[own] + window_us, side="right") - 1
        gone, passed = (np.cumsum(steps[low:high], dtype=np.float64) for steps in (segments.step_nmi, segments.step_h))
        run, hours = gone[last] - gone[begin], passed[last] - passed[begin]
        known = (begin < own) & (own < last) & (hours > 0)
        made[first:stop] = np.divide(run, hours, out=made[first:stop], where=known)
    return made
