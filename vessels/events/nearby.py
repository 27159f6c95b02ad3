"""Which places lie near each other, for millions of them: pairs within a radius, never all with all.

Takes latitudes and longitudes, and a group (an instant) that keeps places apart in time; gives pairs of row numbers.
Places are sorted by group, band of latitude and longitude; a band is as high as the radius, and within it a window of
longitude is as wide, so that whatever is near lies in the window of a place's own band or of the two beside it. There
is no border at which a pair is lost: ±180° is met by a copy of what lies near it, and near the poles windows widen to
the whole circle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import distance_nmi
from vessels.units import MEAN_EARTH_RADIUS_NMI

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_SLACK: Final = 1.0 + 1e-9
"""Bands and windows are wider than the radius by more than rounding takes away."""
_PER_DEGREE: Final = 100_000
"""Longitude is sorted in steps of 1e-5 degree, 1.1 m; distances are then taken on the angles themselves."""
_LON_BITS, _BAND_BITS, _GROUP_BITS = 27, 18, 18
_MIN_RADIUS_NMI: Final = 180.0 * 60.0 / (1 << _BAND_BITS)
"""Bands of less than this do not fit the key."""
_PAIRS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Pairs of rows within the radius: `first`, `second` (k,) rows, `distance_nmi` (k,); in no order."""

    first: IntArray
    second: IntArray
    distance_nmi: FloatArray


class Places:
    """Places sorted for looking up what is near. `group` (n,) are whole numbers from 0 to 262,143."""

    def __init__(self, lat: FloatArray, lon: FloatArray, radius_nmi: float, group: IntArray | None = None) -> None:
        """Shapes (n,); lat in [-90, 90], lon in [-180, 180], no NaN; the radius from 0.05 to 600 nmi."""
        self._lat, self._lon, self._radius = lat, lon, radius_nmi
        self._height = np.degrees(max(radius_nmi, _MIN_RADIUS_NMI) / MEAN_EARTH_RADIUS_NMI) * _SLACK
        width = self._width(lat)
        copied = np.flatnonzero(lon + width >= 180.0)
        row = np.concatenate([np.arange(len(lat)), copied])
        shifted = np.concatenate([lon, lon[copied] - 360.0])
        group = np.zeros(len(lat), dtype=np.int64) if group is None else group
        key = self._key(group[row], self._band(lat)[row], shifted)
        order = np.argsort(key, kind="stable")
        self._keys, self._row, self._east = key[order], row[order], shifted[order]
        self._is_copy = order >= len(lat)
        self._group = group

    def _width(self, lat: FloatArray) -> FloatArray:
        """Half the window of longitude that holds all within the radius, degrees; no more than half the circle."""
        squeeze = np.cos(np.radians(np.minimum(np.abs(lat) + self._height, 90.0)))
        width: FloatArray = np.minimum(self._height / np.maximum(squeeze, 1e-9), 180.0)
        return width

    def _band(self, lat: FloatArray) -> IntArray:
        band: IntArray = ((lat + 90.0) / self._height).astype(np.int64) + 1
        return band

    @staticmethod
    def _key(group: IntArray, band: IntArray, lon: FloatArray) -> IntArray:
        east = ((lon + 540.0) * _PER_DEGREE).astype(np.int64)
        key: IntArray = (group << (_BAND_BITS + _LON_BITS)) | (band << _LON_BITS) | east
        return key

    def pairs(self, max_crowd: int | None = None) -> NearPairs:
        """All pairs of places of one group within the radius of each other, each pair once.

        Places with more than `max_crowd` others in their window (about three radii by three) are left out: the work
        is bounded by the number of places, times the crowd.
        """
        group, band = self._group[self._row], self._band(self._lat)[self._row]
        width = self._width(self._lat)[self._row]
        west, east = np.maximum(self._east - width, -540.0), self._east + width
        n = len(self._keys)
        beside = np.searchsorted(self._keys, self._key(group, band, east), side="right")
        next_one = np.arange(1, n + 1)
        north = np.searchsorted(self._keys, self._key(group, band + 1, west), side="left")
        north_end = np.searchsorted(self._keys, self._key(group, band + 1, east), side="right")
        ranges = [(next_one, np.maximum(beside, next_one)), (north, np.maximum(north, north_end))]
        if max_crowd is not None:
            keep = self._others(ranges) <= max_crowd
            ranges = [(low, np.where(keep[self._row], high, low)) for low, high in ranges]
        else:
            keep = np.ones(len(self._lat), dtype=np.bool_)
        found = [part for low, high in ranges for part in self._within(low, high, keep)]
        first, second, distance = (np.concatenate(column) for column in zip(*found, strict=True)) if found else _NONE
        if len(first) and float(np.abs(self._lat).max()) + self._height > _POLAR_DEG:
            first, second, distance = _once(first, second, distance)
        return NearPairs(first, second, distance)

    def _others(self, ranges: list[tuple[IntArray, IntArray]]) -> IntArray:
        """How many other places of the group lie in the window of each; copies do not see each other. Shape (n,)."""
        copies = np.concatenate([[0], np.cumsum(self._is_copy)])
        ahead = np.zeros(len(self._keys), dtype=np.int64)
        behind = np.zeros((2, len(self._keys) + 1), dtype=np.int64)
        for low, high in ranges:
            ahead += high - low - np.where(self._is_copy, copies[high] - copies[low], 0)
            for seen_by, who in enumerate((~self._is_copy, np.ones(len(low), dtype=np.bool_))):
                behind[seen_by] += np.bincount(low[who], minlength=behind.shape[1])
                behind[seen_by] -= np.bincount(high[who], minlength=behind.shape[1])
        by_place, by_all = np.cumsum(behind[:, :-1], axis=1)
        seen = ahead + np.where(self._is_copy, by_place, by_all)
        return np.bincount(self._row, weights=seen, minlength=len(self._lat)).astype(np.int64)

    def _within(
        self, low: IntArray, high: IntArray, keep: BoolArray
    ) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        for at, target in spread(low, high, _PAIRS_AT_ONCE):
            first, second = self._row[at], self._row[target]
            good = keep[second] & (first != second) & ~(self._is_copy[at] & self._is_copy[target])
            first, second = first[good], second[good]
            distance = distance_nmi(self._lat[first], self._lon[first], self._lat[second], self._lon[second])
            near = distance <= self._radius
            yield first[near], second[near], distance[near]

    def around(self, lat: FloatArray, lon: FloatArray) -> Iterator[NearPairs]:
        """For each of other places the rows within the radius, in parts; `first` counts the others. One group only."""
        width, band = self._width(lat), self._band(lat)
        zero = np.zeros(len(lat), dtype=np.int64)
        whole = np.arange(len(lat))
        for turn in (0.0, -360.0):
            some = whole if turn == 0.0 else np.flatnonzero(lon + width >= 180.0)
            where, wide = lon[some] + turn, width[some]
            for step in (-1, 0, 1):
                low = np.searchsorted(self._keys, self._key(zero[some], band[some] + step, where - wide), side="left")
                high = np.searchsorted(self._keys, self._key(zero[some], band[some] + step, where + wide), side="right")
                for at, target in spread(low, np.maximum(low, high), _PAIRS_AT_ONCE):
                    real = ~self._is_copy[target] if turn else np.ones(len(at), dtype=np.bool_)
                    first, second = some[at[real]], self._row[target[real]]
                    distance = distance_nmi(lat[first], lon[first], self._lat[second], self._lon[second])
                    near = distance <= self._radius
                    yield NearPairs(first[near], second[near], distance[near])


_POLAR_DEG: Final = 89.0
"""Nearer to the pole than this a window may go more than half round, and hold a place beside its own copy."""
_NONE: Final = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))


def _once(first: IntArray, second: IntArray, distance: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, at = np.unique(np.column_stack([low, high]), axis=0, return_index=True)
    return low[at], high[at], distance[at]


def spread(low: IntArray, high: IntArray, at_once: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Ranges low..high, the end left out, one number after the other: which range, and the number; in parts.

    >>> [(range_.tolist(), number.tolist()) for range_, number in spread(np.array([5, 9]), np.array([7, 10]), 100)]
    [([0, 0, 1], [5, 6, 9])]
    """
    count = high - low
    some = np.flatnonzero(count > 0)
    total = np.cumsum(count[some])
    begin = 0
    while begin < len(some):
        done = int(total[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(total, done + at_once, side="right")), begin + 1)
        part = some[begin:end]
        sizes = count[part]
        which = np.repeat(part, sizes)
        yield which, np.repeat(low[part] - (np.cumsum(sizes) - sizes), sizes) + np.arange(len(which))
        begin = end
