"""Where a silent ship can have been, hour by hour, and how well ships are heard there.

Takes silences and `Reception`; gives `Whereabouts`: for each hour the straight way, the place in reach that is heard
least, and where the ship itself was counted. Of land in the way nothing is known: reach is as the crow flies.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import distance_nmi
from vessels.reception.grid import cells_of
from vessels.reception.hours import Presence
from vessels.reception.model import BoolArray, FloatArray, Reception
from vessels.reception.places import Counts, Own
from vessels.reception.presence import along_great_circle, unit_vectors
from vessels.track import IntArray
from vessels.units import MEAN_EARTH_RADIUS_NMI, US_PER_H

_BEARINGS_DEG: Final = np.arange(0.0, 360.0, 45.0)
_RINGS_NMI: Final = np.array([25.0, 50.0, 75.0, 100.0, 150.0, 200.0])
"""Where a ship is looked for: rings about both ends, closer than a cell at first."""
_MOMENT_H: Final = 1e-6
"""No silence is shorter, so that speeds are finite."""
_FOREVER_H: Final = 1e9
"""Until the next report of a ship that is not heard again."""


@dataclass(frozen=True, slots=True)
class Silences:
    """Silences to be judged. Shapes (n,). `ship` numbers the ships; an open silence ends now, where it began.

    `is_last` marks those with which a track ended, though the hull may have been heard again on another; `stratum` is
    as at the last report; `speed_kn` is what the ship makes under way.
    """

    ship: IntArray
    start_us: IntArray
    end_us: IntArray
    is_open: BoolArray
    is_last: BoolArray
    start_lat: FloatArray
    start_lon: FloatArray
    end_lat: FloatArray
    end_lon: FloatArray
    stratum: IntArray
    speed_kn: FloatArray

    def __len__(self) -> int:
        return len(self.ship)

    def take(self, rows: slice) -> "Silences":
        """Some of them."""
        return Silences(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def duration_h(self) -> FloatArray:
        """How long each lasts."""
        return np.maximum((self.end_us - self.start_us) / US_PER_H, _MOMENT_H)

    @property
    def ends(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Latitude and longitude of both ends, an open silence ending where it began."""
        lat, lon = (
            np.where(self.is_open, a, b) for a, b in ((self.start_lat, self.end_lat), (self.start_lon, self.end_lon))
        )
        return self.start_lat, self.start_lon, lat, lon


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Silences hour by hour. Shapes (g, h), but for `stratum` and `own`.

    `part` is the part of the hour that counts, 0 to 1; `path` the cell on the straight way and `path_share` its share;
    `cell` the cell in reach that is heard least, `share` its share and `rests_on` the ship-hours behind that.
    `presence` is where the sums count the ship itself, which `own` takes off them. `stratum` (g,) is the one judged by.
    """

    hour: IntArray
    part: FloatArray
    path: IntArray
    path_share: FloatArray
    cell: IntArray
    share: FloatArray
    rests_on: FloatArray
    presence: Presence
    stratum: IntArray
    own: Own


def whereabouts(silences: Silences, reception: Reception) -> Whereabouts:
    """Hours in which a silent ship's place is known well enough to count, and the places."""
    parameters = reception.parameters
    hour, part, since_h, until_h = _hours(silences, reception)
    hours_long, ends = silences.duration_h, silences.ends
    made_good = distance_nmi(*ends) / hours_long
    still = np.where(silences.is_open, silences.stratum % 2 == 1, made_good < parameters.still_kn)
    stratum = silences.stratum // 2 * 2 + still
    along = np.clip(since_h / hours_long[:, None], 0.0, 1.0)
    lat1, lon1, lat2, lon2 = (one[:, None] for one in ends)
    path = cells_of(*along_great_circle(lat1, lon1, lat2, lon2, along)).astype(np.int64)
    presence = _presence(silences, stratum, hour, path, reception)
    own = _own(presence, part, reception)
    share, rests_on = reception.places.without(own, _number(path), path, _wide(stratum, path))
    speed = np.maximum(silences.speed_kn, made_good)[:, None]
    reach_nmi = (speed * since_h + parameters.slack_nmi, speed * until_h + parameters.slack_nmi)
    least = _least_heard(ends, reach_nmi, stratum, own, reception)
    better = least[1] < share
    cell, least_share, least_rests_on = (
        np.where(better, a, b) for a, b in zip(least, (path, share, rests_on), strict=True)
    )
    return Whereabouts(hour, part, path, share, cell, least_share, least_rests_on, presence, stratum, own)


def _number(wide: IntArray) -> IntArray:
    """The number of the silence, for each of its hours or places."""
    return np.broadcast_to(np.arange(len(wide))[:, None], wide.shape)


def _wide(values: npt.NDArray[np.integer], like: IntArray) -> IntArray:
    """A value of each silence, for each of its hours or places."""
    return np.broadcast_to(values[:, None], like.shape).astype(np.int64)


def _hours(silences: Silences, reception: Reception) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Hours after each last report and before each next one; the part of each that counts; hours since and until."""
    reach = int(reception.parameters.reach_h)
    first, last = silences.start_us // US_PER_H, silences.end_us // US_PER_H
    ahead = first[:, None] + np.arange(reach + 1)
    back = last[:, None] - np.arange(reach + 1)[::-1]
    hour = np.concatenate([ahead, back], axis=1)
    is_open = silences.is_open[:, None]
    counts = np.concatenate([ahead <= last[:, None], (back > ahead[:, -1:]) & ~is_open], axis=1)
    start, end = silences.start_us[:, None], np.minimum(silences.end_us, reception.until_us)[:, None]
    begin, finish = np.maximum(hour * US_PER_H, start), np.minimum((hour + 1) * US_PER_H, end)
    part = np.where(counts, np.maximum(finish - begin, 0) / US_PER_H, 0.0)
    middle = (begin + finish) / 2.0
    until = np.where(is_open, _FOREVER_H, (silences.end_us[:, None] - middle) / US_PER_H)
    return hour, part, (middle - start) / US_PER_H, until


def _presence(silences: Silences, stratum: IntArray, hour: IntArray, path: IntArray, reception: Reception) -> Presence:
    """Where the sums count the ship itself: as `ship_hours` counts a silence within a track, `Reception` a track's end.

    In the hours of its two reports the ship counts as heard.
    """
    parameters = reception.parameters
    after = hour - silences.start_us[:, None] // US_PER_H
    before = silences.end_us[:, None] // US_PER_H - hour
    lat1, lon1, lat2, lon2 = silences.ends
    at_start, at_end = (_wide(cells_of(*place), path) for place in ((lat1, lon1), (lat2, lon2)))
    is_last = silences.is_last[:, None]
    left_h = (reception.until_us - silences.start_us) / US_PER_H
    bridged = (np.where(silences.is_last, left_h, silences.duration_h) <= parameters.bridge_h)[:, None]
    edge = int(parameters.edge_h)
    rules = (
        (after == 0, at_start),
        ((before == 0) & bridged & ~is_last, at_end),
        ((before == 0) & ~is_last, -1),
        (bridged & ~is_last, path),
        (bridged | (after <= edge), at_start),
        (~is_last & (before <= edge), at_end),
    )
    cell = np.select([rule for rule, _ in rules], [np.broadcast_to(at, path.shape) for _, at in rules], -1)
    kept = np.where(silences.is_last, silences.stratum, stratum)
    is_heard = (after == 0) | ((before == 0) & ~is_last)
    return Presence(cell.astype(np.int64), _wide(kept, path), is_heard)


def _own(presence: Presence, part: FloatArray, reception: Reception) -> Own:
    """The silent hours themselves, which must not lower what is expected in them."""
    counted = (presence.cell >= 0) & ~presence.is_heard & (part > 0.0)
    one = np.ones(int(counted.sum()), dtype=np.int64)
    rows = Counts(presence.cell[counted], 0 * one, presence.stratum[counted], one, 0 * one)
    return Own.of(_number(presence.cell)[counted], rows, reception.places)


def _least_heard(
    ends: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    reach_nmi: tuple[FloatArray, FloatArray],
    stratum: IntArray,
    own: Own,
    reception: Reception,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """By hour the cell in reach of both ends that is heard least, its share (inf: none), and the ship-hours behind."""
    lat, lon = (np.concatenate(pair, axis=1) for pair in zip(_rings(*ends[:2]), _rings(*ends[2:]), strict=True))
    cell = cells_of(lat, lon).astype(np.int64)
    from_start = distance_nmi(ends[0][:, None], ends[1][:, None], lat, lon)[:, None, :]
    to_end = distance_nmi(ends[2][:, None], ends[3][:, None], lat, lon)[:, None, :]
    share, rests_on = reception.places.without(own, _number(cell), cell, _wide(stratum, cell))
    nowhere = np.where(reception.is_open_sea(cell), 0.0, np.inf)
    share = np.where(rests_on > 0.0, share, nowhere)
    within = (from_start <= reach_nmi[0][:, :, None]) & (to_end <= reach_nmi[1][:, :, None])
    shares = np.where(within, share[:, None, :], np.inf)
    best = shares.argmin(axis=2)
    row = np.arange(len(cell))[:, None]
    return cell[row, best], np.take_along_axis(shares, best[:, :, None], axis=2)[:, :, 0], rests_on[row, best]


def _rings(lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each place and places on rings about it. Shapes (g, k)."""
    bearing, radius = (
        one.ravel() for one in np.meshgrid(np.radians(_BEARINGS_DEG), _RINGS_NMI / MEAN_EARTH_RADIUS_NMI)
    )
    bearing, radius = np.append(bearing, 0.0), np.append(radius, 0.0)
    phi, lam = np.radians(lat)[:, None], np.radians(lon)[:, None]
    up = unit_vectors(lat[:, None], lon[:, None])
    north = (-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi))
    east = (-np.sin(lam), np.cos(lam), np.zeros_like(lam))
    x, y, z = (
        u * np.cos(radius) + (n * np.cos(bearing) + e * np.sin(bearing)) * np.sin(radius)
        for u, n, e in zip(up, north, east, strict=True)
    )
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
