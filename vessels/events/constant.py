"""Constant motion: hours of speed and course more even than any ship's, as a track drawn by rule has.

Takes `Segments` and rows thinned in time; gives events of kind constant. Each report is held against even motion
between the two beside it: a ship's engine, helm and sea leave tens of metres there, a receiver alone some metres, a
drawn line what rounding leaves. Feeds that interpolate make everyone's track like this; how many others nearby have
it is settled later.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.events.ways import off_even_motion_m
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import METRES_PER_NMI, US_PER_H

FloatArray = npt.NDArray[np.float64]


class ConstantParameters(Parameters):
    """What is too even for a ship."""

    max_off_m: float = Field(
        3.0,
        gt=0,
        le=100,
        description="A report this near to even motion between its neighbours is even. Source: under the error of a "
        "GNSS fix (about 5 m); measured, docs/positions.md: 3 % of the reports of real ships under way, never 4 in a "
        "row.",
    )
    clock_s: float = Field(
        0.5,
        ge=0,
        le=60,
        description="Along the way, as far as the speed carries in this time comes on top. Source: archives keep whole "
        "seconds.",
    )
    min_speed_kn: float = Field(
        3.0,
        gt=0,
        le=30,
        description="Only motion from this speed is looked at. Source: ITU-R M.1371-5 (moored or anchored ships report "
        "faster over 3 kn).",
    )
    max_interval_h: float = Field(
        1.0,
        gt=0,
        le=6,
        description="No more than this to either neighbour. Source: judgement; over an hour a real ship's speed and "
        "course wander by hundreds of metres, so that few reports tell much, but few are left.",
    )
    min_even_h: float = Field(
        6.0,
        gt=0,
        le=240,
        description="Even motion for a shorter time is no event. Source: measured, docs/positions.md: real ships kept "
        "it for half an hour at most, invented ones on a calm sea for under six.",
    )
    min_reports: int = Field(
        12,
        ge=3,
        le=10_000,
        description="And so many even reports, thinned. Source: with the 3 % of real ships a run of this length is "
        "chance once in 1e18 if reports were independent; they are not, hence so many.",
    )
    max_turns: int = Field(
        2,
        ge=0,
        le=20,
        description="So many reports running may be uneven within it: at a corner of a drawn line. Source: a corner "
        "spoils the two reports beside it.",
    )
    max_uneven_share: float = Field(
        0.15,
        ge=0,
        le=0.9,
        description="Share of uneven reports in all. Source: a corner every two hours of ten-minute reports.",
    )
    max_per_track: int = Field(
        8, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_CONSTANT: Final = ConstantParameters()
_MIN_OTHER: Final = 12
"""Fewer other reports under way do not tell what is usual for the ship."""


def find_constant(
    segments: Segments, thinned: IntArray, parameters: ConstantParameters = DEFAULT_CONSTANT
) -> list[OddPosition]:
    """All stretches of constant motion, in order of track and time. `thinned` are rows in order; cost is theirs."""
    if len(thinned) < parameters.min_reports:
        return []
    hours = (segments.time_us[thinned] - segments.time_us[thinned[0]]) / US_PER_H
    track = np.searchsorted(segments.offsets, thinned, side="right") - 1
    along, across, speed = off_even_motion_m(hours, segments.lat[thinned], segments.lon[thinned])
    usable = np.zeros(len(thinned), dtype=np.bool_)
    step_h = np.diff(hours)
    usable[1:-1] = (track[2:] == track[:-2]) & (np.maximum(step_h[1:], step_h[:-1]) <= parameters.max_interval_h)
    usable &= speed >= parameters.min_speed_kn
    even = usable & (across <= parameters.max_off_m)
    even &= along <= parameters.max_off_m + parameters.clock_s * speed * (METRES_PER_NMI / 3600.0)
    off_m = np.hypot(along, across)
    return oddest(
        (
            _event(segments, thinned, a, b, off_m, speed, usable, track)
            for a, b in _stretches(even, track, hours, parameters)
        ),
        parameters.max_per_track,
    )


def _stretches(
    even: npt.NDArray[np.bool_], track: IntArray, hours: FloatArray, p: ConstantParameters
) -> list[tuple[int, int]]:
    """First and last even report of each stretch, as places among the thinned rows."""
    places = np.flatnonzero(even)
    if not len(places):
        return []
    new = np.concatenate([[True], (np.diff(places) > p.max_turns + 1) | (np.diff(track[places]) != 0)])
    start = np.flatnonzero(new)
    stop = np.append(start[1:], len(places)) - 1
    first, last, n = places[start], places[stop], stop - start + 1
    kept = (n >= p.min_reports) & (hours[last] - hours[first] >= p.min_even_h)
    kept &= n >= (1.0 - p.max_uneven_share) * (last - first + 1)
    return list(zip(first[kept].tolist(), last[kept].tolist(), strict=True))


def _event(
    segments: Segments,
    thinned: IntArray,
    first: int,
    last: int,
    off_m: FloatArray,
    speed: FloatArray,
    usable: npt.NDArray[np.bool_],
    track: IntArray,
) -> OddPosition:
    low, high = np.searchsorted(track, [track[first], track[first] + 1]).tolist()
    elsewhere = usable[low:high].copy()
    elsewhere[first - low : last - low + 1] = False
    others = off_m[low:high][elsewhere]
    inside = slice(int(thinned[first]) + 1, int(thinned[last]) + 1)
    known = usable[first : last + 1]
    return between_rows(
        segments,
        "constant",
        int(thinned[first]),
        int(thinned[last]),
        int(thinned[last] - thinned[first]) + 1,
        distance_nmi=float(segments.step_nmi[inside].sum(dtype=np.float64)),
        implied_speed_kn=float(np.median(speed[first : last + 1][known])),
        residual_m=float(np.median(off_m[first : last + 1][known])),
        usual_residual_m=float(np.median(others)) if len(others) >= _MIN_OTHER else np.nan,
    )
