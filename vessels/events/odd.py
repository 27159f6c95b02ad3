"""An odd position as its finder gives it: one record for all kinds, before ids and names of tracks are known.

Takes nothing; gives the record that `vessels.events.odd_positions` makes rows of.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from vessels.segments import Segments


class OddPosition(NamedTuple):
    """One event; `segment` is the number of its track, times are microseconds since 1970 UTC, NaN is not known."""

    kind: str
    segment: int
    start_us: int
    end_us: int
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    n_positions: int
    distance_nmi: float = np.nan
    implied_speed_kn: float = np.nan
    residual_m: float = np.nan
    usual_residual_m: float = np.nan
    came_back: bool | None = None
    crosses_land: bool | None = None
    replayed_from_us: int | None = None


def between_rows(
    segments: Segments, kind: str, first: int, last: int, n_positions: int, **measured: Any
) -> OddPosition:
    """The event from one row of a track to another, both included."""
    segment = int(np.searchsorted(segments.offsets, first, side="right")) - 1
    return OddPosition(
        kind,
        segment,
        int(segments.time_us[first]),
        int(segments.time_us[last]),
        float(segments.lat[first]),
        float(segments.lon[first]),
        float(segments.lat[last]),
        float(segments.lon[last]),
        n_positions,
        **measured,
    )


def oddest(events: Iterable[OddPosition], most: int) -> list[OddPosition]:
    """The events in order of track and time; of one track no more than so many, those with most reports and way."""
    by_track: dict[int, list[OddPosition]] = {}
    for event in events:
        by_track.setdefault(event.segment, []).append(event)
    return [event for track in sorted(by_track) for event in _most(by_track[track], most)]


def _most(events: Sequence[OddPosition], most: int) -> list[OddPosition]:
    ranked = sorted(events, key=lambda e: (-e.n_positions, -np.nan_to_num(e.distance_nmi), e.start_us))
    return sorted(ranked[:most], key=lambda e: (e.start_us, e.kind))
