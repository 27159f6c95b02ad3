"""How near each voyage came to a zone of high watch, over all positions of its sketch.

Takes voyages, sketches and zones; gives nautical miles, exact where they are small. Real reports only: between two
sketched positions, about 20 minutes apart, a ship may have come a few miles nearer.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from detectors.learned.spans import IntArray, last_begun, shared_codes
from vessels.geodesy import BLOCK_ROWS, distance_nmi, wrap_degrees
from vessels.instants import times_us
from vessels.parts import voyage_tracks
from vessels.units import MEAN_EARTH_RADIUS_NMI
from vessels.zones import Zone, Zones

FloatArray = npt.NDArray[np.float64]

WATCH_HORIZON_NMI: Final = 200.0
"""Farther away is not told apart: the breadth of an exclusive economic zone (UNCLOS article 57)."""


@dataclass(frozen=True, slots=True)
class _Fence:
    """A zone in a plane about its own middle, degrees of longitude shortened to those of latitude."""

    lat: float
    lon: float
    squeeze: float
    radius_nmi: float
    shape: shapely.Geometry


def _fence(zone: Zone) -> _Fence:
    middle = zone.geometry.representative_point()
    lat, lon = float(middle.y), float(middle.x)
    squeeze = float(np.cos(np.radians(lat)))
    corners = shapely.get_coordinates(zone.geometry)
    radius_nmi = float(distance_nmi(lat, lon, corners[:, 1], corners[:, 0]).max())

    def flatten(xy: FloatArray) -> FloatArray:
        return np.column_stack([wrap_degrees(xy[:, 0] - lon) * squeeze, xy[:, 1] - lat])

    return _Fence(lat, lon, squeeze, radius_nmi, shapely.transform(zone.geometry, flatten))


def _to_fence_nmi(fence: _Fence, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Great-circle distance to the fence's nearest point as found in its plane; 0 inside."""
    points = shapely.points(wrap_degrees(lon - fence.lon) * fence.squeeze, lat - fence.lat)
    ends = shapely.get_coordinates(shapely.shortest_line(points, fence.shape)).reshape(-1, 2, 2)[:, 1]
    return distance_nmi(lat, lon, ends[:, 1] + fence.lat, ends[:, 0] / fence.squeeze + fence.lon)


def _unit_vectors(lat: FloatArray, lon: FloatArray) -> FloatArray:
    phi, theta = np.radians(lat), np.radians(lon)
    return np.column_stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def watched_approach_nmi(voyages: pa.Table, parts: pa.Table, sketches: pa.Table, zones: Zones) -> FloatArray:
    """Nearest approach of each voyage to a zone of watch level high, at most `WATCH_HORIZON_NMI`. Shape (voyages,).

    `parts` are the `voyage_parts`: a voyage over a change of number is followed under all of them. NaN where a voyage
    has no sketched position or no zone is watched. First the middles of the zones are tried for
    all positions; only where a zone's reach could beat the best of the voyage is the distance to its fence taken.
    """
    nearest = np.full(voyages.num_rows, np.nan)
    fences = [_fence(zone) for zone in zones.zones if zone.watch == "high"]
    if not fences or voyages.num_rows == 0 or sketches.num_rows == 0:
        return nearest
    lat, lon, voyage = _positions_on_voyages(voyages, parts, sketches)
    nearest[voyage] = WATCH_HORIZON_NMI
    middles = _unit_vectors(np.array([f.lat for f in fences]), np.array([f.lon for f in fences])).T
    radius_nmi = np.array([f.radius_nmi for f in fences])

    def to_middles_nmi(rows: slice) -> FloatArray:
        cosine = _unit_vectors(lat[rows], lon[rows]) @ middles
        result: FloatArray = np.arccos(np.clip(cosine, -1.0, 1.0)) * MEAN_EARTH_RADIUS_NMI
        return result

    blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, len(lat), BLOCK_ROWS)]
    for rows in blocks:
        np.minimum.at(nearest, voyage[rows], to_middles_nmi(rows).min(axis=1))
    at_most = nearest.copy()
    for rows in blocks:
        row, which = np.nonzero(to_middles_nmi(rows) - radius_nmi < at_most[voyage[rows], None])
        row += rows.start
        for number in np.unique(which):
            near = row[which == number]
            np.minimum.at(nearest, voyage[near], _to_fence_nmi(fences[number], lat[near], lon[near]))
    return nearest


def _positions_on_voyages(
    voyages: pa.Table, parts: pa.Table, sketches: pa.Table
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Latitude, longitude and voyage row of every sketched position that lies on a voyage."""
    lat = sketches.column("lat").to_numpy(zero_copy_only=False).astype(np.float64)
    lon = sketches.column("lon").to_numpy(zero_copy_only=False).astype(np.float64)
    time_us = times_us(sketches.column("timestamp"))
    tracks = voyage_tracks(voyages, parts)
    row, is_whole = tracks.column("row").to_numpy(), tracks.column("is_whole").to_numpy()
    departure = times_us(voyages.column("start"))[row]
    start = np.where(is_whole, departure, np.maximum(times_us(tracks.column("start")), departure))
    track_key, key = shared_codes(tracks.column("segment_id"), sketches.column("segment_id"))
    track = last_begun(track_key, start, key, time_us)
    on_voyage = (track >= 0) & np.isfinite(lat) & np.isfinite(lon)
    voyage = row[track] if len(row) else track
    on_voyage &= time_us <= times_us(voyages.column("last_seen"))[voyage]
    return lat[on_voyage], lon[on_voyage], voyage[on_voyage]
