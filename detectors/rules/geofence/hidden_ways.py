"""Ways into and out of watched ports during silences: which calls the time leaves room for.

Takes silences and the zones; gives `Ways`: by silence and zone the way by water in and out, and the time left for a
stay at the speed that the ship has shown. Whether a call is likely is left to `hidden_weights`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.rules.dark.fences import at_least_nmi
from detectors.rules.dark.silences import Silences
from detectors.rules.geofence.parameters import GeofenceParameters
from vessels.zones import VISIT_KINDS, Zone, Zones

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
MUCH_FARTHER: Final = 1.25
"""Ports by which the way is at most so many times the shortest are looked for too: they are as natural."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways by silence (n) and zone (z). `out_nmi` is 0 while a silence is open; both are inf where not asked for.

    Zones are asked for from the nearest as the crow flies on, until no other can be much nearer than the nearest by
    water. `stay_h` (n, z) is the time left there; `best` (n,) the zone with the shortest way in and out among the
    feasible, -1 where none is; `direct_nmi` (n,) the way by water from end to end of the silence, NaN while it is open;
    `n_possible` (n,) how many zones the time would do for on great circles.
    """

    zones: tuple[Zone, ...]
    speed_kn: FloatArray
    in_nmi: FloatArray
    out_nmi: FloatArray
    stay_h: FloatArray
    feasible: BoolArray
    best: npt.NDArray[np.int64]
    direct_nmi: FloatArray
    n_possible: npt.NDArray[np.int64]

    @property
    def inside(self) -> BoolArray:
        """Whether a silence begins or ends in one of the zones. An open one ends nowhere. Shape (n,)."""
        closed = np.isfinite(self.direct_nmi)
        return np.asarray(np.any((self.in_nmi == 0.0) | ((self.out_nmi == 0.0) & closed[:, None]), axis=1))

    def at_best(self, values: FloatArray) -> FloatArray:
        """The column of the best zone of (n, z) values, by silence. Only where `best` is a zone. Shape (n,)."""
        return np.asarray(values[np.arange(len(self.best)), self.best])

    def take(self, which: npt.NDArray[np.int64]) -> "Ways":
        """The ways of some of the silences."""
        rest = (getattr(self, field.name)[which] for field in fields(self)[1:])
        return Ways(self.zones, *rest)

    def others(self, row: int) -> Sequence[int]:
        """Columns of the zones known to be feasible beside the best, nearest first."""
        columns = [int(column) for column in np.flatnonzero(self.feasible[row]) if column != self.best[row]]
        return sorted(columns, key=lambda column: (self.way_nmi(row, column), self.zones[column].zone_id))

    def way_nmi(self, row: int, column: int) -> float:
        """The way in and out together."""
        return float(self.in_nmi[row, column] + self.out_nmi[row, column])


def watched_berths(zones: Zones, parameters: GeofenceParameters) -> tuple[Zone, ...]:
    """The zones at which a call may be hidden: ports, anchorages and approaches under the levels wanted."""
    return tuple(zone for zone in zones.watched(*parameters.hidden_levels) if zone.kind in VISIT_KINDS)


def speeds_kn(silences: Silences, parameters: GeofenceParameters) -> FloatArray:
    """The speed that each ship may have sailed at: over her usual one by a margin, not over her fastest. Shape (n,)."""
    usual = silences["cruise_kn"] * parameters.hidden_speed_margin
    shown = np.fmin(usual, silences["fastest_kn"])
    return np.where(np.isnan(shown), parameters.hidden_default_kn, shown)


def least_nmi(silences: Silences, berths: Sequence[Zone]) -> FloatArray:
    """No way in and out is shorter: great circles to the circles round the fences, by silence. Shape (n, z)."""
    least = np.zeros((len(silences), len(berths)))
    for column, zone in enumerate(berths):
        least[:, column] = at_least_nmi(zone, *silences.places("start"))
        least[:, column] += np.where(silences.is_open, 0.0, at_least_nmi(zone, *silences.places("end")))
    return least


def sail_nmi(silences: Silences, parameters: GeofenceParameters) -> FloatArray:
    """How far each ship can have sailed and still stayed for a call; below 0 where there is no time. Shape (n,)."""
    under_way_h = silences.duration_h - parameters.hidden_stay_h
    return np.where(under_way_h >= 0.0, under_way_h * speeds_kn(silences, parameters), -1.0)


def direct_nmi(silences: Silences, zones: Zones) -> FloatArray:
    """Ways by water from end to end of the closed silences, NaN for open ones. Shape (n,)."""
    direct = np.full(len(silences), np.nan)
    rows = np.flatnonzero(~silences.is_open)
    if len(rows):
        (lat1, lon1), (lat2, lon2) = silences.places("start"), silences.places("end")
        direct[rows] = zones.sea.between_nmi(lat1[rows], lon1[rows], lat2[rows], lon2[rows])
    return direct


def find_ways(silences: Silences, zones: Zones, direct: FloatArray, parameters: GeofenceParameters) -> Ways:
    """The ways to the watched berths nearest to each silence; `direct` as `direct_nmi` gives it.

    A field of distances by water is made for a zone only if some silence asks for it: half a second each.
    """
    berths = watched_berths(zones, parameters)
    reach, least = sail_nmi(silences, parameters), least_nmi(silences, berths)
    in_nmi, out_nmi = np.full(least.shape, np.inf), np.full(least.shape, np.inf)
    nearest = np.full(len(silences), np.inf)
    order = np.argsort(least, axis=1, kind="stable")
    for rank in range(len(berths)):
        column = order[:, rank]
        bound = least[np.arange(len(silences)), column]
        asks = (bound <= reach) & (bound <= MUCH_FARTHER * nearest)
        for zone in np.unique(column[asks]):
            rows = np.flatnonzero(asks & (column == zone))
            in_nmi[rows, zone], out_nmi[rows, zone] = _by_water(silences.take(rows), berths[zone], zones)
            nearest[rows] = np.minimum(nearest[rows], in_nmi[rows, zone] + out_nmi[rows, zone])
    speed, way = speeds_kn(silences, parameters), in_nmi + out_nmi
    feasible = way <= reach[:, None]
    hours = np.divide(way, speed[:, None], out=np.full(least.shape, np.inf), where=feasible & (speed[:, None] > 0.0))
    best = np.full(len(silences), -1, dtype=np.int64)
    if berths:
        best = np.where(feasible.any(axis=1), np.argmin(np.where(feasible, way, np.inf), axis=1), -1)
    return Ways(
        zones=berths,
        speed_kn=speed,
        in_nmi=in_nmi,
        out_nmi=out_nmi,
        stay_h=silences.duration_h[:, None] - hours,
        feasible=feasible,
        best=best,
        direct_nmi=direct,
        n_possible=(least <= reach[:, None]).sum(axis=1),
    )


def _by_water(silences: Silences, zone: Zone, zones: Zones) -> tuple[FloatArray, FloatArray]:
    """Ways in and out by water; out is 0 while a silence is open."""
    closed = np.flatnonzero(~silences.is_open)
    (start_lat, start_lon), (end_lat, end_lon) = silences.places("start"), silences.places("end")
    lat, lon = np.concatenate([start_lat, end_lat[closed]]), np.concatenate([start_lon, end_lon[closed]])
    way = zones.sea.distance_nmi(zone.zone_id, lat, lon)
    out_nmi = np.zeros(len(silences))
    out_nmi[closed] = way[len(silences) :]
    return way[: len(silences)], out_nmi
