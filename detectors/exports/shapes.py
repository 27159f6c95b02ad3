"""Lines and points as geographic files want them: longitudes within ±180°, lines cut in two there, no needless digits.

Takes places in degrees of WGS 84 in order of time; gives shapely geometries. Which reports make a line is left to
`detectors.exports.parts`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from vessels.geodesy import unwrap_longitudes, wrap_degrees

FloatArray = npt.NDArray[np.float64]
DECIMALS: Final = 6
"""Digits kept of degrees: 0.1 m, as RFC 7946 section 11.2 advises; AIS sends 0.2 m."""


def pieces(lon: FloatArray, lat: FloatArray, time: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """A way through places, shape (n,), in pieces that stay within ±180° (RFC 7946 section 3.1.9).

    Where it crosses, both pieces have the point of crossing, its latitude and time in proportion.

    >>> [lon.tolist() for lon, _, _ in pieces(np.array([179.0, -179.0]), np.zeros(2), np.zeros(2))]
    [[179.0, 180.0], [-180.0, -179.0]]
    """
    if np.ptp(lon) < 180.0:  # within half the world the short way between two places never crosses
        yield lon, lat, time
        return
    turn = _turns(lon)
    lon = wrap_degrees(lon)
    whole = lon + 360.0 * turn
    begin = 0
    entry: tuple[float, float, float] | None = None
    for i in [*(np.flatnonzero(np.diff(turn)) + 1).tolist(), len(lon)]:
        kept = list(zip(*(values[begin:i].tolist() for values in (lon, lat, time)), strict=True))
        points = [*([entry] if entry else []), *kept]
        if i < len(lon):
            step = 1.0 if turn[i] > turn[i - 1] else -1.0
            border = 360.0 * max(turn[i], turn[i - 1]) - 180.0
            share = (border - whole[i - 1]) / (whole[i] - whole[i - 1])
            at, when = (float(v[i - 1] + share * (v[i] - v[i - 1])) for v in (lat, time))
            points.append((180.0 * step, at, when))
            entry = (-180.0 * step, at, when)
        begin = i
        lons, lats, times = np.array(points).T
        yield lons, lats, times


def _turns(lon: FloatArray) -> FloatArray:
    """How many times round the world each place is, counted from the first; shape (n,)."""
    turns: FloatArray = np.round((unwrap_longitudes(lon) - wrap_degrees(lon)) / 360.0)
    return turns


def line(lon: FloatArray, lat: FloatArray) -> BaseGeometry | None:
    """A line through places; in parts where it crosses ±180°; None where it has no length."""
    lon, lat = np.round(lon, DECIMALS), np.round(lat, DECIMALS)
    parts = [np.column_stack([x, np.round(y, DECIMALS)]) for x, y, _ in pieces(lon, lat, np.zeros(len(lon)))]
    lines = [shapely.linestrings(part) for part in parts if (part != part[0]).any()]
    if not lines:
        return None
    return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)


def point(lon: float | None, lat: float | None) -> BaseGeometry | None:
    """A place as a point; None where it is not known."""
    if lon is None or lat is None:
        return None
    return shapely.points(round(lon, DECIMALS), round(lat, DECIMALS))


def points(lon: FloatArray, lat: FloatArray) -> Sequence[BaseGeometry]:
    """Places as points."""
    made: list[BaseGeometry] = shapely.points(np.round(lon, DECIMALS), np.round(lat, DECIMALS)).tolist()
    return made


def rounded(shape: BaseGeometry) -> BaseGeometry:
    """A geometry without needless digits."""
    return shapely.transform(shape, lambda xy: np.round(xy, DECIMALS))


def fence(shape: BaseGeometry) -> BaseGeometry:
    """Polygons whose outer rings run against the clock (RFC 7946 section 3.1.6), without needless digits."""
    turned = [orient(part) for part in shapely.get_parts(rounded(shape))]
    return turned[0] if len(turned) == 1 else shapely.multipolygons(turned)


def last_place(shape: BaseGeometry | None) -> tuple[float | None, float | None]:
    """Longitude and latitude at which a line, or what stands for one, ends; None where there is none."""
    places = shapely.get_coordinates(shape)
    if not len(places):
        return None, None
    lon, lat = places[-1].round(DECIMALS).tolist()
    return lon, lat
