"""Segments: one MMSI's positions told apart into continuous tracks, because an MMSI is a claim, not a ship.

Takes a `TrackBlock`; gives `Segments`: rows ordered by (mmsi, segment, timestamp), noise left out and counted. Two
hulls on one MMSI become two segments that overlap in time. Whether that is suspicious is left to the detectors.

The motion model: a ship can have come from its last position if the distance is no more than a slack (errors of
position and clock) and what it could sail: the higher of a floor and one and a half times the speed it reports.
Vessels whose every step passes (nearly all) are one segment and cost one pass over the columns. The others go row by
row: each position continues the open track it fits best, or opens a new one; tracks of a few positions beside a
longer one are noise, and so are a few positions that a track gathers in between long silences while others are heard.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import step_distances_nmi
from vessels.motion import DEFAULT_MOTION, MotionModel, sharing_of, tracks_of_vessel
from vessels.schema import make_id
from vessels.track import AnyArray, IntArray, TrackBlock, vessel_of_rows
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Strays:
    """Positions left out as noise, by vessel and time. Shapes (k,); `vessel` is the place in `Segments.mmsi`."""

    vessel: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    time_us: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lat: FloatArray = field(default_factory=lambda: np.zeros(0))
    lon: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Segments:
    """Positions ordered by (mmsi, segment, timestamp); row columns have shape (n,), segment columns (s,).

    `offsets` (s + 1,) gives each segment's rows, `vessel` (s,) its place in `mmsi`. `step_nmi` and `step_h` are
    distance and time from the row before, 0 at a segment's first row. `noise` (v,) counts rows left out; `strays` are
    these rows. Sharing columns have shape (v,): `n_alternations`, `max_separation_nmi`, `overlap_start_us`,
    `overlap_end_us` (0: none).
    """

    mmsi: IntArray
    vessel: IntArray
    offsets: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog: npt.NDArray[np.float32]
    cog: npt.NDArray[np.float32]
    heading: npt.NDArray[np.float32]
    draught: npt.NDArray[np.float32]
    nav_status: npt.NDArray[np.int8]
    static: npt.NDArray[np.int32]
    step_nmi: npt.NDArray[np.float32]
    step_h: npt.NDArray[np.float32]
    noise: IntArray
    n_alternations: IntArray
    max_separation_nmi: FloatArray
    overlap_start_us: IntArray
    overlap_end_us: IntArray
    strays: Strays = field(default_factory=Strays)

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def segment_of_rows(self) -> npt.NDArray[np.int32]:
        """Number of the segment of each row. Shape (n,)."""
        return vessel_of_rows(self.offsets)


_ROWS: Final = ("time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "static")


def separate(block: TrackBlock, motion: MotionModel = DEFAULT_MOTION, known: IntArray | None = None) -> Segments:
    """Tell the hulls under each MMSI apart; see the module.

    `known` (n,) says of rows that are each the last report of a track known from before the block how many others of
    the MMSI came after it before the block; -1 for all other rows.
    """
    columns: dict[str, AnyArray] = {name: getattr(block, name) for name in _ROWS}
    step_nmi, step_h = steps(block.lat, block.lon, block.time_us, block.offsets)
    doubtful = _doubtful_vessels(block, step_nmi, step_h, motion)
    if known is not None:
        n_known = np.bincount(vessel_of_rows(block.offsets)[known >= 0], minlength=len(block.mmsi))
        doubtful = np.union1d(doubtful, np.flatnonzero(n_known > 1))
    n_vessels = len(block.mmsi)
    noise = np.zeros(n_vessels, dtype=np.int64)
    sharing: dict[str, AnyArray] = {
        "n_alternations": np.zeros(n_vessels, dtype=np.int64),
        "max_separation_nmi": np.zeros(n_vessels),
        "overlap_start_us": np.zeros(n_vessels, dtype=np.int64),
        "overlap_end_us": np.zeros(n_vessels, dtype=np.int64),
    }
    counts = np.diff(block.offsets)
    if not len(doubtful):
        present = np.flatnonzero(counts)
        offsets = np.concatenate([[0], np.cumsum(counts[present])])
        return Segments(
            block.mmsi,
            present,
            offsets,
            **columns,
            step_nmi=step_nmi,
            step_h=step_h,
            noise=noise,
            strays=Strays(),
            **sharing,
        )
    track = np.zeros(len(block), dtype=np.int32)
    for v in doubtful.tolist():
        rows = slice(int(block.offsets[v]), int(block.offsets[v + 1]))
        time_us, lat, lon = columns["time_us"][rows], columns["lat"][rows], columns["lon"][rows]
        motions = (columns["sog"][rows], columns["cog"][rows], step_nmi[rows], step_h[rows])
        found = tracks_of_vessel(time_us, lat, lon, *motions, motion, None if known is None else known[rows])
        track[rows] = found
        noise[v] = int((found < 0).sum())
        for name, value in sharing_of(found, time_us, lat, lon).items():
            sharing[name][v] = value
    vessel = vessel_of_rows(block.offsets)
    order = np.arange(len(block))
    touched = np.zeros(n_vessels, dtype=np.bool_)
    touched[doubtful] = True
    rows_touched = np.flatnonzero(touched[vessel])
    by_track = rows_touched[np.lexsort((rows_touched, track[rows_touched], vessel[rows_touched]))]
    order[rows_touched] = by_track
    stray = rows_touched[track[rows_touched] < 0]
    strays = Strays(vessel[stray].astype(np.int64), *(columns[name][stray] for name in ("time_us", "lat", "lon")))
    order = order[track[order] >= 0]
    columns = {name: column[order] for name, column in columns.items()}
    vessel, track = vessel[order], track[order]
    first = np.flatnonzero(np.concatenate([[True], (vessel[1:] != vessel[:-1]) | (track[1:] != track[:-1])]))
    offsets = np.concatenate([first, [len(order)]]) if len(order) else np.zeros(1, dtype=np.int64)
    step_nmi, step_h = step_nmi[order], step_h[order]
    again = np.flatnonzero(touched[vessel])
    places = (columns["lat"][again], columns["lon"][again], columns["time_us"][again])
    is_first = np.zeros(len(order), dtype=np.bool_)
    is_first[offsets[:-1]] = True
    step_nmi[again], step_h[again] = steps(*places, np.append(np.flatnonzero(is_first[again]), len(again)))
    return Segments(
        block.mmsi,
        vessel[first].astype(np.int64) if len(order) else np.zeros(0, dtype=np.int64),
        offsets,
        **columns,
        step_nmi=step_nmi,
        step_h=step_h,
        noise=noise,
        **sharing,
        strays=strays,
    )


def some_segments(segments: Segments, which: IntArray) -> Segments:
    """Some of the segments, in the order given; `which` (k,) are their numbers."""
    sizes = np.diff(segments.offsets)[which]
    ends = np.cumsum(sizes)
    rows = np.arange(int(sizes.sum())) + np.repeat(segments.offsets[:-1][which] - ends + sizes, sizes)
    columns = {name: getattr(segments, name)[rows] for name in (*_ROWS, "step_nmi", "step_h")}
    return replace(segments, vessel=segments.vessel[which], offsets=np.concatenate([[0], ends]), **columns)


def segment_ids(segments: Segments) -> list[str]:
    """An id for each segment: a hash of its MMSI and start, and of its place where two start at once. Shape (s,)."""
    mmsi = segments.mmsi[segments.vessel].tolist()
    starts = segments.time_us[segments.offsets[:-1]].tolist()
    seen: Counter[tuple[int, int]] = Counter()
    ids = []
    for key in zip(mmsi, starts, strict=True):
        ids.append(make_id("segment", *key, *([seen[key]] if seen[key] else [])))
        seen[key] += 1
    return ids


def steps(
    lat: FloatArray, lon: FloatArray, time_us: IntArray, offsets: IntArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Distance (nmi) and time (h) from the row before, 0 at the first row of each group. Shapes (n,)."""
    distance = step_distances_nmi(lat, lon)
    hours = np.zeros(len(time_us), dtype=np.float32)
    np.divide(np.diff(time_us), US_PER_H, out=hours[1:], casting="same_kind")
    starts = offsets[:-1]
    starts = starts[starts < len(time_us)]
    distance[starts] = 0.0
    hours[starts] = 0.0
    return distance, hours


def _doubtful_vessels(
    block: TrackBlock, step_nmi: npt.NDArray[np.float32], step_h: npt.NDArray[np.float32], motion: MotionModel
) -> IntArray:
    """Vessels with a step that the floor speed does not explain and the reported speeds do not either."""
    far = np.flatnonzero(step_nmi > motion.slack_nmi + motion.floor_speed_kn * step_h)
    if not len(far):
        return np.zeros(0, dtype=np.int64)
    reported = np.fmax(np.nan_to_num(block.sog[far]), np.nan_to_num(block.sog[far - 1]))
    allowed = np.clip(motion.speed_factor * reported, motion.floor_speed_kn, motion.ceiling_speed_kn)
    far = far[step_nmi[far] > motion.slack_nmi + allowed * step_h[far]]
    return np.unique(np.searchsorted(block.offsets, far, side="right") - 1)
