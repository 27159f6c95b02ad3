"""Stays: when ships are inside fences, as rows of tracks from the first inside to the last before they leave.

Takes `Segments` and `Zones`, and which stays had begun before the first report of their track; gives row intervals. A
stay begins with the first report inside the fence and ends with the last before a report outside the widened fence, so
that a ship swinging at anchor on the border makes one stay. What was seen of a stay is left to `port_visits`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vessels.segments import Segments
from vessels.track import IntArray
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Begun:
    """Stays in which a track already was at its first report, sorted by (segment, zone). All shapes (m,).

    What is known of each up to and with that report: when and where it began, whether a report outside preceded it,
    hours stopped and slow, whether the ship lay still at last, the longest silence, the lowest speed (NaN if none),
    reports, draught at entry (NaN if none); `visit_id` (null in zones a ship cannot lie at), `presence_id`.
    """

    segment: IntArray
    zone: IntArray
    start_us: IntArray
    lat: FloatArray
    lon: FloatArray
    entry_seen: npt.NDArray[np.bool_]
    stop_h: FloatArray
    slow_h: FloatArray
    lying: npt.NDArray[np.bool_]
    max_gap_h: FloatArray
    min_sog_kn: FloatArray
    n_positions: IntArray
    draught_in_m: FloatArray
    visit_id: npt.NDArray[np.object_]
    presence_id: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.segment)


@dataclass(frozen=True, slots=True)
class Stays:
    """Intervals of rows inside a fence, sorted by (segment, first row, zone). All shapes (k,).

    Rows run from `first` to `last`, both included; `zone` indexes the zones. `earlier` is the place in `begun` of what
    went before the first row, -1 where the stay begins there.
    """

    zone: IntArray
    segment: IntArray
    first: IntArray
    last: IntArray
    earlier: IntArray
    begun: Begun | None = None

    def take(self, which: npt.NDArray[Any]) -> "Stays":
        """Some of the stays."""
        rows = self.first[which], self.last[which]
        return Stays(self.zone[which], self.segment[which], *rows, self.earlier[which], self.begun)

    def __len__(self) -> int:
        return len(self.zone)

    def starts_us(self, segments: Segments) -> IntArray:
        """When each stay began. Shape (k,)."""
        return self.before("start_us", segments.time_us[self.first])

    def before(self, name: str, otherwise: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column of `begun` by stay, the other values where the stay had not begun before. Shape (k,)."""
        if self.begun is None:
            return otherwise
        went_on = np.flatnonzero(self.earlier >= 0)
        values: npt.NDArray[Any] = getattr(self.begun, name)[self.earlier[went_on]]
        out = otherwise.astype(np.result_type(otherwise, values))
        out[went_on] = values
        return out


def range_reduce(ufunc: np.ufunc, values: npt.NDArray[Any], first: IntArray, last: IntArray) -> npt.NDArray[Any]:
    """`ufunc` over values[first..last], both included, for each range; ranges must not be empty. Shape (k,)."""
    if not len(first):
        return np.zeros(0, dtype=values.dtype)
    if int(last.max()) + 1 >= len(values):
        values = np.concatenate([values, values[-1:]])
    bounds = np.empty(2 * len(first), dtype=np.int64)
    bounds[0::2], bounds[1::2] = first, last + 1
    result: npt.NDArray[Any] = ufunc.reduceat(values, bounds)[0::2]
    return result


def rows_of_stays(stays: Stays) -> tuple[IntArray, IntArray]:
    """All rows of all stays, and for each the number of its stay."""
    lengths = stays.last - stays.first + 1
    rows = np.repeat(stays.first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    return rows, np.repeat(np.arange(len(stays)), lengths)


def find_stays(segments: Segments, zones: Zones, fence_set: npt.NDArray[np.int32], begun: Begun | None = None) -> Stays:
    """All presences in all zones. `fence_set` (n,) is `zones.index.lookup` of the positions.

    Works on runs of rows with one set of fences: a stretch is a chain of runs inside the widened fence; the stay in it
    begins with the first run inside the fence itself, or with the track where it had begun before.
    """
    n = len(segments)
    if not n:
        none = np.zeros(0, dtype=np.int64)
        return Stays(none, none, none, none, none)
    change = np.empty(n, dtype=np.bool_)
    change[0] = True
    np.not_equal(fence_set[1:], fence_set[:-1], out=change[1:])
    change[segments.offsets[:-1]] = True
    starts = np.flatnonzero(change)
    ends = np.concatenate([starts[1:], [n]]) - 1
    run_set = fence_set[starts]
    run_segment = np.searchsorted(segments.offsets, starts, side="right") - 1

    sets = zones.index.sets
    sizes = np.array([len(members) for members in sets], dtype=np.int64)
    members = np.array([fence for one in sets for fence in one], dtype=np.int64)
    base = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    repeat = sizes[run_set]
    run = np.repeat(np.arange(len(starts)), repeat)
    within = np.arange(len(run)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    fence = members[base[run_set[run]] + within]

    zone, is_inner = fence // 2, fence % 2 == 0
    outer = ~is_inner
    order = np.lexsort((run[outer], zone[outer]))
    zone_o, run_o = zone[outer][order], run[outer][order]
    inner_keys = np.sort(zone[is_inner] * len(starts) + run[is_inner])
    keys = zone_o * len(starts) + run_o
    inside = np.isin(keys, inner_keys, assume_unique=True)
    if begun is not None:
        first_run = np.searchsorted(starts, segments.offsets[begun.segment])
        inside |= np.isin(keys, begun.zone * len(starts) + first_run)
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (
        (zone_o[1:] != zone_o[:-1])
        | (run_o[1:] != run_o[:-1] + 1)
        | (run_segment[run_o[1:]] != run_segment[run_o[:-1]])
    )
    stretch = np.cumsum(new) - 1
    entered = np.flatnonzero(inside)
    with_entry, first_inside = np.unique(stretch[entered], return_index=True)
    last_of_stretch = np.concatenate([np.flatnonzero(new)[1:], [len(keys)]]) - 1
    begin = run_o[entered[first_inside]]
    finish = run_o[last_of_stretch[with_entry]]
    found = zone_o[entered[first_inside]], run_segment[begin], starts[begin], ends[finish]
    stays = Stays(*found, _earlier(segments, zones, begun, *found[:3]), begun)
    return stays.take(np.lexsort((stays.zone, stays.first, stays.segment)))


def _earlier(
    segments: Segments, zones: Zones, begun: Begun | None, zone: IntArray, segment: IntArray, first: IntArray
) -> IntArray:
    """The place in `begun` of each stay that was going on at the first report of its track, else -1. Shape (k,)."""
    earlier = np.full(len(zone), -1, dtype=np.int64)
    if begun is not None and len(begun):
        known = begun.segment * len(zones.zones) + begun.zone
        key = segment * len(zones.zones) + zone
        at = np.minimum(np.searchsorted(known, key), len(known) - 1)
        went_on = (known[at] == key) & (first == segments.offsets[segment])
        earlier[went_on] = at[went_on]
    return earlier
