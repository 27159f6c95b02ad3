"""The lines of a chart: where a ship was heard to sail, where it was not heard, and which way it went.

Takes the tracks and silences of a `Drawn` and its frame; gives lines in pixels by class of speed and of time. Between
two reports a line is drawn as sailed only if they are close in time: what was not heard is never drawn as heard.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from detectors.report.drawn import Drawn, Silence, TrackPoints
from detectors.report.projection import Frame
from detectors.report.svg_paths import FloatArray, Line
from detectors.run_tables import HEARD_H, SILENCE_H

IntArray = npt.NDArray[np.int64]

SPEED_CLASSES_KN: Final = (0.5, 2.0, 5.0, 9.0, 12.0)
"""Bounds of the colours of speed. Stopped under 0.5 kn (Global Fishing Watch, pipe-anchorages), slow under 2 (its
loitering and encounters), adrift or in narrow water under 5; ships on passage keep within 6 and 12 kn (5th and 95th
percentile of the fixtures' reports over 2 kn), half of them within 10 and 11.5."""
N_CLASSES: Final = len(SPEED_CLASSES_KN) + 1
UNKNOWN: Final = N_CLASSES
US_PER_H: Final = 3_600_000_000
ARROW_PX: Final = 90.0
"""Sailed pixels between arrows."""
MOST_ARROWS: Final = 14
TOLERANCE_PX: Final = 0.15
"""What a drawn track may be off by: no more than the tenths that its places are rounded to."""
_SAME: Final = 0.5
"""Share of a time without reports that a silence must cover to be the one that it is."""


@dataclass(frozen=True, slots=True)
class Track:
    """Reports of one track in pixels, those with a place only. Arrays of shape (n,)."""

    mmsi: int
    time_us: IntArray
    x: FloatArray
    y: FloatArray
    sog_kn: FloatArray


@dataclass(frozen=True, slots=True)
class Unheard:
    """A time without reports, from end to end, in pixels. `silence` is what the run says of it."""

    x: tuple[float, float]
    y: tuple[float, float]
    hours: float
    silence: Silence | None

    @property
    def is_pause(self) -> bool:
        """Whether it is too short for a silence."""
        return self.silence is None and self.hours < SILENCE_H

    @property
    def length_px(self) -> float:
        """From end to end."""
        return float(np.hypot(self.x[1] - self.x[0], self.y[1] - self.y[0]))


@dataclass(frozen=True, slots=True)
class Arrow:
    """Which way the ship went at a place on its track; degrees clockwise from the right."""

    x: float
    y: float
    turn_deg: float


def in_pixels(tracks: Iterable[TrackPoints], frame: Frame) -> list[Track]:
    """Tracks on a frame, oldest first; reports without a place are passed over."""
    placed = []
    for track in tracks:
        known = np.isfinite(track.lat) & np.isfinite(track.lon) & (np.abs(track.lat) <= 90.0)
        if known.any():
            order = np.flatnonzero(known)[np.argsort(track.time_us[known], kind="stable")]
            x, y = frame.xy(track.lat[order], track.lon[order])
            placed.append(Track(track.mmsi, track.time_us[order], x, y, track.sog_kn[order].astype(np.float64)))
    return sorted(placed, key=lambda track: (int(track.time_us[0]), track.mmsi))


def time_bounds(tracks: Sequence[Track]) -> FloatArray:
    """The seven instants (microseconds) that divide the reports of all tracks into six equal times."""
    first = min((int(track.time_us[0]) for track in tracks), default=0)
    last = max((int(track.time_us[-1]) for track in tracks), default=0)
    return np.linspace(first, max(last, first + 1), N_CLASSES + 1)


def sailed(tracks: Sequence[Track], frame: Frame) -> dict[tuple[int, int], list[Line]]:
    """Lines that were sailed, by class of speed (6 is unknown) and of time.

    A step has the speed of the report at its beginning, or, if that has none, of the one at its end.
    """
    bounds = time_bounds(tracks)
    lines: dict[tuple[int, int], list[Line]] = {}
    for track in tracks:
        if len(track.x) == 1:
            lines.setdefault((_speed_class(track.sog_kn)[0], 0), []).append((track.x, track.y))
            continue
        speed = _speed_class(np.where(np.isfinite(track.sog_kn[:-1]), track.sog_kn[:-1], track.sog_kn[1:]))
        when = np.clip(np.searchsorted(bounds, track.time_us[:-1], side="right") - 1, 0, N_CLASSES - 1)
        kind = np.where(_is_heard(track), speed * N_CLASSES + when, -1)
        begins = np.flatnonzero(np.diff(kind, prepend=-2))
        for first, end in pairwise([*begins.tolist(), len(kind)]):
            if kind[first] >= 0:
                key = (int(kind[first]) // N_CLASSES, int(kind[first]) % N_CLASSES)
                rows = slice(first, end + 1)
                lines.setdefault(key, []).extend(_simple(unbroken(track.x[rows], track.y[rows], frame)))
    return lines


def unheard(tracks: Sequence[Track], drawn: Drawn, frame: Frame) -> list[Unheard]:
    """Times without reports, in order: between reports of a track, from one track to the next, and other silences."""
    steps = [(track, int(i), track, int(i) + 1) for track in tracks for i in np.flatnonzero(~_is_heard(track))]
    last = tracks[0] if tracks else None
    for track in tracks[1:]:
        if last is not None and track.time_us[0] > last.time_us[-1]:
            steps.append((last, len(last.x) - 1, track, 0))
        if last is None or track.time_us[-1] > last.time_us[-1]:
            last = track
    found: list[Unheard] = []
    told: set[int] = set()
    starts = np.array([silence.start_us for silence in drawn.silences], np.int64)
    ends = np.array([drawn.as_of_us if s.end_us is None else s.end_us for s in drawn.silences], np.int64)
    for one, i, other, j in steps:
        begin, end = int(one.time_us[i]), int(other.time_us[j])
        shared = np.minimum(ends, end) - np.maximum(starts, begin)
        best = int(np.argmax(shared)) if len(shared) else -1
        if best >= 0 and shared[best] >= _SAME * max(end - begin, int(ends[best] - starts[best])):
            told.add(best)
        else:
            best = -1
        x = float(one.x[i]), _nearest(float(other.x[j]), float(one.x[i]), frame)
        hours = (end - begin) / US_PER_H
        if hours > HEARD_H:
            y = float(one.y[i]), float(other.y[j])
            found.append(Unheard(x, y, hours, drawn.silences[best] if best >= 0 else None))
    found += [
        line
        for i, silence in enumerate(drawn.silences)
        if i not in told and (line := _of_silence(silence, drawn, frame)) is not None
    ]
    return found


def open_silence(drawn: Drawn) -> Silence | None:
    """The silence that the voyage ends in and that lasts, if there is one with a place."""
    lasting = [s for s in drawn.silences if s.end_us is None and np.isfinite([s.start_lat, s.start_lon]).all()]
    return lasting[-1] if lasting else None


def arrows(tracks: Sequence[Track], frame: Frame) -> list[Arrow]:
    """Arrows along what was sailed, so far apart that a chart bears few."""
    parts = []
    for track in tracks:
        if len(track.x) > 1:
            dx, dy = np.diff(track.x), np.diff(track.y)
            step = np.where(_is_heard(track), np.hypot(dx, dy), 0.0)
            parts.append((track, np.where(step > frame.px_per_deg * 180.0, 0.0, step), dx, dy))
    spacing = max(ARROW_PX, sum(float(step.sum()) for _, step, _, _ in parts) / MOST_ARROWS)
    found = []
    for track, step, dx, dy in parts:
        gone = np.cumsum(step)
        for at in np.arange(spacing / 2.0, gone[-1], spacing):
            i = min(int(np.searchsorted(gone, at)), len(step) - 1)
            if step[i] > 0.0:
                share = 1.0 - (gone[i] - at) / step[i]
                turn = float(np.degrees(np.arctan2(dy[i], dx[i])))
                found.append(Arrow(float(track.x[i] + share * dx[i]), float(track.y[i] + share * dy[i]), turn))
    return found


def unbroken(x: FloatArray, y: FloatArray, frame: Frame) -> Iterator[Line]:
    """A line as it lies on the chart: in one piece, or, where it leaves over one edge of the world, in several."""
    world = 360.0 * frame.px_per_deg
    leaps = np.flatnonzero(np.abs(np.diff(x)) > world / 2.0)
    if not len(leaps):
        yield x, y
        return
    first, enter = 0, None
    for leap in [*leaps.tolist(), len(x) - 1]:
        xs, ys = x[first : leap + 1], y[first : leap + 1]
        if enter is not None:
            xs, ys = np.concatenate([[enter[0]], xs]), np.concatenate([[enter[1]], ys])
        if leap + 1 < len(x):
            turn = world * np.sign(x[leap + 1] - x[leap])
            xs, ys = np.append(xs, x[leap + 1] - turn), np.append(ys, y[leap + 1])
            enter = (x[leap] + turn, y[leap])
        yield xs, ys
        first = leap + 1


def _simple(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines without the reports that are on the way between others."""
    for x, y in lines:
        if len(x) < 3:
            yield x, y
        else:
            at = shapely.get_coordinates(shapely.simplify(shapely.linestrings(x, y), TOLERANCE_PX))
            yield at[:, 0], at[:, 1]


def _is_heard(track: Track) -> npt.NDArray[np.bool_]:
    """For each step of a track, whether its reports are close enough in time to call it sailed."""
    heard: npt.NDArray[np.bool_] = np.diff(track.time_us) <= HEARD_H * US_PER_H
    return heard


def _speed_class(speed_kn: FloatArray) -> IntArray:
    return np.where(np.isfinite(speed_kn), np.searchsorted(SPEED_CLASSES_KN, speed_kn, side="right"), UNKNOWN)


def _nearest(x: float, to: float, frame: Frame) -> float:
    """The same place on the side of ±180° that is nearer to another."""
    world = 360.0 * frame.px_per_deg
    return x - world * round((x - to) / world)


def _of_silence(silence: Silence, drawn: Drawn, frame: Frame) -> Unheard | None:
    """A silence that no step of the tracks shows, between its own ends; None if it has but one, or another time."""
    if silence.end_us is None or silence.end_lat is None or silence.end_lon is None:
        return None
    if silence.start_us > drawn.end_us or silence.end_us < drawn.start_us:
        return None
    ends = np.array([[silence.start_lat, silence.start_lon], [silence.end_lat, silence.end_lon]], np.float64)
    if not np.isfinite(ends).all():
        return None
    x, y = (one.tolist() for one in frame.xy(ends[:, 0], ends[:, 1]))
    return Unheard((x[0], _nearest(x[1], x[0], frame)), (y[0], y[1]), silence.duration_h, silence)
