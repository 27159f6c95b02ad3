"""What is known of tracks before and after an event: were two ships apart, did they go together, what draught followed.

Takes tables of sketches, draughts and port visits, and tracks with instants; gives arrays. Only the tracks asked for
cost anything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.events.nearby import spread
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.instants import times_us
from vessels.schema import make_id
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FOLLOWS_H: Final = 48.0
"""A draught claimed within two days is taken for the draught afterwards: crews set it by hand, late, or never."""
_ROWS_AT_ONCE: Final = 2_000_000


class Clock:
    """Instants of many tracks as whole numbers that sort by (track, instant), so that one search serves all tracks."""

    def __init__(self, track: IntArray, time_us: IntArray) -> None:
        """`track`, `time_us` (n,) sorted by (track, time)."""
        self._times = np.unique(time_us)
        self._keys = self._key(track, time_us, "left")

    def _key(self, track: IntArray, time_us: IntArray, side: Any) -> IntArray:
        place: IntArray = track * (len(self._times) + 1) + np.searchsorted(self._times, time_us, side=side)
        return place

    def first_after(self, track: IntArray, time_us: IntArray) -> IntArray:
        """Row of the first instant of a track after a time; the row behind its last if there is none."""
        return np.searchsorted(self._keys, self._key(track, time_us, "right"), side="left")

    def first_at(self, track: IntArray, time_us: IntArray) -> IntArray:
        """Row of the first instant of a track at or after a time; the row behind its last if there is none."""
        return np.searchsorted(self._keys, self._key(track, time_us, "left"), side="left")

    def begin_of(self, track: IntArray) -> IntArray:
        """Row of the first instant of a track, or of the next one's if it has none."""
        return np.searchsorted(self._keys, track * (len(self._times) + 1), side="left")

    def is_last(self, track: IntArray, time_us: IntArray) -> BoolArray:
        """Whether a track has no instant after a time."""
        last: BoolArray = self.first_after(track, time_us) == self.begin_of(track + 1)
        return last


@dataclass(frozen=True, slots=True)
class Sketched:
    """Reports of some tracks, one in about twenty minutes, sorted by (track, time). Shapes (n,)."""

    track: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    clock: Clock

    @classmethod
    def of(cls, sketches: pa.Table, names: pa.Array, mmsi_of: IntArray) -> "Sketched":
        """The sketches of the tracks so named, under the MMSI of each; `track` counts in `names`."""
        rows, track, time_us = _rows_of(sketches, names, mmsi_of)
        lat, lon = (sketches[name].to_numpy()[rows] for name in ("lat", "lon"))
        return cls(track, time_us, lat, lon, Clock(track, time_us))

    def known_at(
        self, track: IntArray, time_us: IntArray, max_interval_h: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Where each track was at an instant, and how long before or after its nearest report, in hours.

        Shapes (k,). The hours are NaN where the reports about the instant are farther apart than so long.
        """
        if not len(self.time_us):
            nowhere = np.full(len(track), np.nan)
            return nowhere, nowhere, nowhere
        after = self.clock.first_at(track, time_us)
        before = self.clock.first_after(track, time_us) - 1
        top = len(self.time_us) - 1
        later, earlier = np.minimum(after, top), np.maximum(before, 0)
        has = (after <= top) & (before >= 0) & (self.track[later] == track) & (self.track[earlier] == track)
        span = self.time_us[later] - self.time_us[earlier]
        known = has & (span <= max_interval_h * US_PER_H)
        share = np.divide(time_us - self.time_us[earlier], span, out=np.zeros(len(track)), where=known & (span > 0))
        away_h = np.where(known, np.minimum(share, 1.0 - share) * span / US_PER_H, np.nan)
        east = wrap_degrees(self.lon[later] - self.lon[earlier])
        lat = self.lat[earlier] + (self.lat[later] - self.lat[earlier]) * share
        return lat, wrap_degrees(self.lon[earlier] + east * share), away_h


def _rows_of(table: pa.Table, names: pa.Array, mmsi_of: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of a table that belong to the named tracks, sorted by (track, time); their tracks and times.

    Most rows are told by their MMSI alone, which costs a twentieth of what comparing names does.
    """
    maybe = np.flatnonzero(pc.is_in(table["mmsi"], value_set=pa.array(np.unique(mmsi_of))).to_numpy())
    place = pc.index_in(table["segment_id"].take(pa.array(maybe)), value_set=names)
    own = np.flatnonzero(pc.is_valid(place).to_numpy())
    track = place.take(pa.array(own)).to_numpy().astype(np.int64)
    rows = maybe[own]
    time_us = times_us(table["timestamp"].take(pa.array(rows)))
    order = np.lexsort((time_us, track))
    return rows[order], track[order], time_us[order]


@dataclass(frozen=True, slots=True)
class Company:
    """Two tracks over a window of time: whether both were known at once, were seen apart, hours under way together."""

    known: BoolArray
    apart: BoolArray
    together_h: FloatArray


@dataclass(frozen=True, slots=True)
class CompanyRule:
    """When two ships are apart, when a ship is under way, and how long a place between two reports is known."""

    apart_nmi: float
    moving_kn: float
    max_interval_h: float


def company(
    sketched: Sketched, one: IntArray, other: IntArray, begin_us: IntArray, end_us: IntArray, rule: CompanyRule
) -> Company:
    """How pairs of tracks kept company from one instant to another, both left out. Shapes (k,).

    Looks at every kept report of either ship in the window, and at where the other was then: between two reports, and
    as sure of it as the nearer one is near, because a ship that turns to and fro is not on the line between them.
    """
    n = len(one)
    known, apart, together = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_), np.zeros(n)
    for mine, theirs in ((one, other), (other, one)):
        low = sketched.clock.first_after(mine, begin_us)
        high = np.maximum(sketched.clock.first_at(mine, end_us), low)
        for which, row in spread(low, high, _ROWS_AT_ONCE):
            time_us = sketched.time_us[row]
            lat, lon, away_h = sketched.known_at(theirs[which], time_us, rule.max_interval_h)
            seen = ~np.isnan(away_h)
            away = distance_nmi(
                sketched.lat[row], sketched.lon[row], np.where(seen, lat, 0.0), np.where(seen, lon, 0.0)
            )
            known[which[seen]] = True
            apart[which[seen & (away > rule.apart_nmi + rule.moving_kn * away_h)]] = True
            beside = seen & (away <= rule.apart_nmi)
            pair = np.flatnonzero(beside[1:] & beside[:-1] & (which[1:] == which[:-1]))
            hours = (time_us[pair + 1] - time_us[pair]) / US_PER_H
            way = distance_nmi(
                sketched.lat[row[pair]],
                sketched.lon[row[pair]],
                sketched.lat[row[pair + 1]],
                sketched.lon[row[pair + 1]],
            )
            moving = (hours <= rule.max_interval_h) & (way >= rule.moving_kn * hours) & (hours > 0)
            together += 0.5 * np.bincount(which[pair[moving]], weights=hours[moving], minlength=n)
    return Company(known, apart, together)


@dataclass(frozen=True, slots=True)
class Draughts:
    """Draughts claimed by some tracks, sorted by (track, time), and when these tracks were heard and in port."""

    value_m: FloatArray
    track: IntArray
    clock: Clock
    time_us: IntArray
    sketched: Sketched
    visits: Clock
    visit_us: IntArray
    visit_mmsi: IntArray
    mmsi_of: IntArray

    @classmethod
    def of(
        cls, spells: pa.Table, visits: pa.Table, sketched: Sketched, names: pa.Array, mmsi_of: IntArray
    ) -> "Draughts":
        """Of the tracks so named; `mmsi_of` is the MMSI of each."""
        rows, track, time_us = _rows_of(spells, names, mmsi_of)
        numbers, start = visits["mmsi"].to_numpy(), times_us(visits["start"])
        own = np.flatnonzero(np.isin(numbers, mmsi_of) & (visits["confidence"].to_numpy() > 1))
        known = np.unique(mmsi_of)
        place = np.searchsorted(known, numbers[own])
        order = np.lexsort((start[own], place))
        place, start = place[order], start[own][order]
        return cls(
            spells["draught_m"].to_numpy()[rows], track, Clock(track, time_us), time_us, sketched,
            Clock(place, start), start, place, np.searchsorted(known, mmsi_of),
        )  # fmt: skip

    def before(self, track: IntArray, time_us: IntArray) -> FloatArray:
        """The draught claimed last at or before an instant, NaN if none. Shape (k,)."""
        if not len(self.value_m):
            return np.full(len(track), np.nan)
        row = self.clock.first_after(track, time_us) - 1
        there = np.maximum(row, 0)
        return np.where((row >= 0) & (self.track[there] == track), self.value_m[there], np.nan)

    def after(self, start: IntArray, end: IntArray, start_us: IntArray, end_us: IntArray) -> FloatArray:
        """The draught claimed afterwards, within two days and before the next call at a port. Shape (k,).

        The first that differs from the one before, else the same; NaN if nothing was heard afterwards. `start` and
        `end` are the tracks that the ship was on when the event began and when it ended.
        """
        until = end_us + int(FOLLOWS_H * US_PER_H)
        if len(self.visit_us):
            call = self.visits.first_after(self.mmsi_of[end], end_us)
            there = np.minimum(call, len(self.visit_us) - 1)
            calls = (call < len(self.visit_us)) & (self.visit_mmsi[there] == self.mmsi_of[end])
            until = np.where(calls, np.minimum(until, self.visit_us[there] - 1), until)
        earlier, later = self.before(start, start_us), self.before(end, until)
        heard = self.sketched.clock.first_after(end, until) > self.sketched.clock.first_after(end, end_us)
        low = np.where(start == end, self.clock.first_after(end, start_us), self.clock.begin_of(end))
        high = np.maximum(self.clock.first_after(end, until), low)
        first_other = np.full(len(end), len(self.value_m))
        for which, row in spread(low, high, _ROWS_AT_ONCE):
            differs = self.value_m[row] != earlier[which]
            np.minimum.at(first_other, which[differs], row[differs])
        found = first_other < len(self.value_m)
        changed = np.append(self.value_m, np.nan)[first_other]
        return np.where(found & ~np.isnan(earlier), changed, np.where(heard | found, later, np.nan))


def stayed(
    sketched: Sketched, track: IntArray, time_us: IntArray, lat: FloatArray, lon: FloatArray, radius_nmi: float
) -> BoolArray:
    """Whether all kept reports of each track after an instant lie within so far of a place. Shape (k,)."""
    out = np.ones(len(track), dtype=np.bool_)
    low = sketched.clock.first_after(track, time_us)
    for which, row in spread(low, sketched.clock.begin_of(track + 1), _ROWS_AT_ONCE):
        away = distance_nmi(sketched.lat[row], sketched.lon[row], lat[which], lon[which])
        out[which[away > radius_nmi]] = False
    return out


def newest_us(segments: pa.Table, as_of_us: int) -> int:
    """Up to when anything is known: now, or the newest report of all tracks if that is earlier."""
    return min(as_of_us, int(times_us(segments["end"]).max())) if segments.num_rows else as_of_us


def event_ids(kinds: Sequence[str], *columns: IntArray) -> list[str]:
    """A hash of kind and columns (numbers and start) of each event, and of a count where several have the same."""
    seen: Counter[tuple[str | int, ...]] = Counter()
    ids = []
    for key in zip(kinds, *(column.tolist() for column in columns), strict=True):
        ids.append(make_id(*key, *([seen[key]] if seen[key] else [])))
        seen[key] += 1
    return ids


def tracks_at(segments: pa.Table, names: Sequence[Any], mmsi: IntArray, time_us: IntArray) -> IntArray:
    """Row in `segments` of the track that each event belongs to, by the track's name when derived and the instant.

    A track parted since then has a second name from some instant on; the part of that MMSI that lasted then is taken.
    """
    place = pc.index_in(pa.array(names, pa.string()), value_set=segments["segment_id"].combine_chunks())
    row: IntArray = pc.fill_null(place, -1).to_numpy().astype(np.int64)
    first, last = times_us(segments["start"]), times_us(segments["end"])
    fits = (row >= 0) & (first[row] <= time_us) & (last[row] >= time_us)
    numbers = segments["mmsi"].to_numpy()
    by_mmsi = np.argsort(numbers, kind="stable")
    numbers, doubtful = numbers[by_mmsi], np.flatnonzero(~fits)
    lows = np.searchsorted(numbers, mmsi[doubtful], side="left").tolist()
    highs = np.searchsorted(numbers, mmsi[doubtful], side="right").tolist()
    for event, low, high in zip(doubtful.tolist(), lows, highs, strict=True):
        own = by_mmsi[low:high]
        away = np.maximum(np.maximum(first[own] - time_us[event], time_us[event] - last[own]), 0)
        row[event] = own[np.lexsort((-first[own], away))[0]]
    return row
