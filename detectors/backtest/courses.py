"""Ways through the water that a plant sends a ship on: straight legs, drifting, lying at anchor, and reports from them.

Takes places, instants and a generator; gives a `Course` and, from it, position reports as a set sends them: a few
metres of receiver noise, tenths of a knot. Whose course it is, and when reports are heard, is left to the caller.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.backtest.sheet import Reports
from vessels.geodesy import bearing_deg, distance_nmi, unwrap_longitudes, wrap_degrees
from vessels.units import METRES_PER_NMI, US_PER_H, US_PER_MIN

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RECEIVER_M: Final = 5.0
"""Noise of a ship's receiver, standard deviation on each axis: a few metres (GPS SPS standard 2020: 7.8 m at 95 %)."""
SPEED_NOISE_KN: Final = 0.1
COURSE_NOISE_DEG: Final = 1.0
DRIFT_KN: Final = (0.2, 0.6)
"""Standard deviation of each component of a stopped ship's speed: wind and tide set her at up to a knot or so."""
DRIFT_MEMORY_H: Final = 3.0
"""How long she is set one way: half a tide."""
CABLE_NMI: Final = (0.04, 0.12)
"""Radius on which a ship swings round her anchor: 75 to 220 m, chain and half a length."""
_KNOT_US: Final = 10 * US_PER_MIN
_NMI_PER_DEGREE: Final = 60.0
_STEERED_KN: Final = 0.5
"""Slower, course over ground is anything."""


def displaced(
    lat: npt.ArrayLike, lon: npt.ArrayLike, north_nmi: npt.ArrayLike, east_nmi: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Places so many miles north and east of others. Shapes broadcast."""
    lat = np.asarray(lat, np.float64)
    new_lat = lat + np.asarray(north_nmi) / _NMI_PER_DEGREE
    scale = np.maximum(np.cos(np.radians(new_lat)), 0.01)
    return new_lat, wrap_degrees(np.asarray(lon, np.float64) + np.asarray(east_nmi) / (_NMI_PER_DEGREE * scale))


@dataclass(frozen=True, slots=True)
class Course:
    """Places at instants in ascending order, straight and at even speed between them; arrays of shape (n,)."""

    time_us: IntArray
    lat: FloatArray
    lon: FloatArray

    def at(self, time_us: IntArray) -> tuple[FloatArray, FloatArray]:
        """Where the ship is at some instants; before the first and after the last place she lies there."""
        lat = np.interp(time_us, self.time_us, self.lat)
        return lat, wrap_degrees(np.interp(time_us, self.time_us, unwrap_longitudes(self.lon)))

    def then(self, other: "Course") -> "Course":
        """This course and then another."""
        return Course(*(np.concatenate([getattr(self, k), getattr(other, k)]) for k in ("time_us", "lat", "lon")))

    def beside(self, north_nmi: FloatArray, east_nmi: FloatArray) -> "Course":
        """A course that keeps off this one by so much at each of its instants."""
        return Course(self.time_us, *displaced(self.lat, self.lon, north_nmi, east_nmi))

    def motion(self, time_us: IntArray) -> tuple[FloatArray, FloatArray]:
        """Speed (kn) and course (degree) at some instants."""
        if len(self.time_us) < 2:
            return np.zeros(len(time_us)), np.zeros(len(time_us))
        hours = np.maximum(np.diff(self.time_us), 1) / US_PER_H
        speed = distance_nmi(self.lat[:-1], self.lon[:-1], self.lat[1:], self.lon[1:]) / hours
        course = bearing_deg(self.lat[:-1], self.lon[:-1], self.lat[1:], self.lon[1:])
        at = np.clip(np.searchsorted(self.time_us, time_us, "right") - 1, 0, len(hours) - 1)
        return speed[at], course[at]

    def reports(self, rng: np.random.Generator, time_us: IntArray) -> Reports:
        """Reports at some instants, with the noise of a receiver and a log."""
        n = len(time_us)
        noise = rng.normal(0.0, RECEIVER_M / METRES_PER_NMI, (2, n))
        lat, lon = displaced(*self.at(time_us), noise[0], noise[1])
        speed, course = self.motion(time_us)
        course = np.where(speed < _STEERED_KN, course + rng.normal(0.0, 30.0, n), course)
        speed = np.maximum(speed + rng.normal(0.0, SPEED_NOISE_KN, n), 0.0)
        return Reports(time_us, lat, lon, speed, (course + rng.normal(0.0, COURSE_NOISE_DEG, n)) % 360.0)


def sailing(start_us: int, speed_kn: float, places: list[tuple[float, float]]) -> Course:
    """Straight legs from place to place at one speed; places in between are made so that speed is even."""
    lat, lon, time_us = [places[0][0]], [places[0][1]], [start_us]
    for (lat1, lon1), (lat2, lon2) in pairwise(places):
        pieces = max(int(np.ceil(float(distance_nmi(lat1, lon1, lat2, lon2)) / 5.0)), 1)
        share = np.arange(1, pieces + 1) / pieces
        ends = unwrap_longitudes(np.array([lon1, lon2]))
        for one_lat, one_lon in zip(lat1 + share * (lat2 - lat1), ends[0] + share * (ends[1] - ends[0]), strict=True):
            step = float(distance_nmi(lat[-1], lon[-1], one_lat, one_lon))
            time_us.append(time_us[-1] + max(int(step / speed_kn * US_PER_H), 1))
            lat.append(float(one_lat))
            lon.append(float(one_lon))
    return Course(np.array(time_us, np.int64), np.array(lat), wrap_degrees(np.array(lon)))


def _knots(start_us: int, end_us: int) -> IntArray:
    n = max(int(np.ceil((end_us - start_us) / _KNOT_US)), 2)
    return np.linspace(start_us, end_us, n + 1).astype(np.int64)


def drifting(rng: np.random.Generator, start_us: int, end_us: int, lat: float, lon: float) -> Course:
    """Stopped, engine off: set about by wind and tide, back at the same place in the end."""
    time_us = _knots(start_us, end_us)
    hours = np.diff(time_us) / US_PER_H
    keep = np.exp(-hours / DRIFT_MEMORY_H)
    spread = rng.uniform(*DRIFT_KN)
    pushes = rng.normal(0.0, spread, (len(time_us), 2))
    speed = np.empty_like(pushes)
    speed[0] = pushes[0]
    for i, k in enumerate(keep, start=1):
        speed[i] = k * speed[i - 1] + np.sqrt(1.0 - k * k) * pushes[i]
    way = np.concatenate([np.zeros((1, 2)), np.cumsum(speed[1:] * hours[:, None], axis=0)])
    way -= np.linspace(0.0, 1.0, len(way))[:, None] * way[-1]
    return Course(time_us, *displaced(lat, lon, way[:, 0], way[:, 1]))


def at_anchor(rng: np.random.Generator, start_us: int, end_us: int, lat: float, lon: float) -> Course:
    """At anchor: swinging with the tide on a circle of a cable or less."""
    time_us = _knots(start_us, end_us)
    radius = rng.uniform(*CABLE_NMI)
    turns = np.cumsum(rng.normal(0.0, 0.15, len(time_us))) + rng.uniform(0.0, 2.0 * np.pi)
    return Course(time_us, *displaced(lat, lon, radius * np.cos(turns), radius * np.sin(turns)))


def alongside(rng: np.random.Generator, course: Course, apart_m: tuple[float, float]) -> Course:
    """A second hull beside a drifting one: an even number of metres off, turning slowly with it."""
    radius = rng.uniform(*apart_m) / METRES_PER_NMI
    turns = np.cumsum(rng.normal(0.0, 0.05, len(course.time_us))) + rng.uniform(0.0, 2.0 * np.pi)
    return course.beside(radius * np.cos(turns), radius * np.sin(turns))


def report_times(rng: np.random.Generator, between_us: IntArray, start_us: int, end_us: int) -> IntArray:
    """Instants after one and before another, so far apart as a ship's reports were elsewhere (drawn from these)."""
    n = int((end_us - start_us) / max(float(np.mean(between_us)), 1.0)) + 1
    times = start_us + np.cumsum(rng.choice(between_us, 2 * n + 8))
    while times[-1] < end_us:
        times = np.concatenate([times, times[-1] + np.cumsum(rng.choice(between_us, n + 8))])
    return times[times < end_us]
