"""What is drawn of one voyage: its track, silences, stays, claims, links and findings, as plain records.

Takes nothing; gives the records. All times are microseconds since 1970 UTC, all places degrees of WGS 84; text from
radios has passed `detectors.shown`. They are filled by `detectors.report.drawer`; how they look is left to pictures.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrackPoints:
    """Reports of one track in order of time. Arrays of shape (n,); NaN where nothing was sent."""

    role: str
    mmsi: int
    segment_id: str
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog_kn: FloatArray
    draught_m: FloatArray


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which the ship was not heard, and what reception says of it; `unjudged` if no row of `gaps`."""

    start_us: int
    end_us: int | None
    start_lat: float
    start_lon: float
    end_lat: float | None
    end_lon: float | None
    duration_h: float
    reception: str
    text: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A port visit of the hull. `watch` is high, elevated or None; `confidence` 1 to 4 by what was seen of it."""

    zone_id: str
    zone_name: str
    country: str | None
    watch: str | None
    start_us: int
    end_us: int | None
    lat: float
    lon: float
    confidence: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Where and when a finding is, to the data's end while it goes on; `number` is its place in the case, from 1."""

    number: int
    finding_id: str
    kind: str
    headline: str
    start_us: int
    end_us: int | None
    lat: float | None
    lon: float | None
    weight_db: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of one field of the hull's claims over a span of time.

    `probability` is 1 for the hull's own tracks, and less for tracks that only may have been this hull.
    """

    field: str
    value: str
    mmsi: int
    start_us: int
    end_us: int
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """Two tracks that are, or may be, one hull: from the last report of one to the first of the other."""

    from_us: int
    at_us: int
    probability: float
    is_strong: bool
    text: str


@dataclass(frozen=True, slots=True)
class Fence:
    """A zone. `watch` is high, elevated or None."""

    zone_id: str
    name: str
    kind: str
    country: str | None
    watch: str | None
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Drawn:
    """All that is drawn of one voyage. `line` is the run's simplified track, all there is where `tracks` is empty."""

    voyage_id: str
    title: str
    start_us: int
    end_us: int
    as_of_us: int
    tracks: tuple[TrackPoints, ...] = ()
    met: tuple[TrackPoints, ...] = ()
    silences: tuple[Silence, ...] = ()
    stays: tuple[Stay, ...] = ()
    marks: tuple[Mark, ...] = ()
    bars: tuple[Bar, ...] = ()
    links: tuple[Link, ...] = ()
    line: BaseGeometry | None = None
