"""Silences as arrays: the gaps of a history, closed and open, and what port visits lie around them.

Takes the tables `gaps` and `port_visits`; gives `Silences`, sorted, and the visit that each was spent in or that
followed it. Rows that lack who, when or where are left out. What a silence means is left to the detectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.ais import MmsiKind, mmsi_kinds
from vessels.instants import times_us
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NUMBERS: Final = (
    *("start_lat", "start_lon", "end_lat", "end_lon", "distance_nmi"),
    *("start_sog_kn", "start_cog_deg", "end_sog_kn", "end_cog_deg", "start_draught_m", "end_draught_m"),
    *("cruise_kn", "fastest_kn", "usual_interval_s", "longest_usual_h", "chance_unheard", "start_heard_share"),
    *("expected_messages", "expected_messages_low", "expected_messages_high", "expected_heard_h"),
    *("expected_heard_low_h", "end_heard_share", "n_others"),
)
"""Columns of `gaps` that are read as numbers; null is NaN."""
_NEVER: Final = np.iinfo(np.int64).max
_MANY_TRACKS: Final = 50
_NESTED: Final = 4
"""Fences that lie within each other or overlap, at most, where a ship is in several at once."""
_MIN_CONFIDENCE: Final = 2
"""A visit with a stop or a silence inside; less is a pass through the fence."""


@dataclass(frozen=True, slots=True)
class Silences:
    """Gaps sorted by MMSI, start and id. Shapes (n,); `until_us` is the end, or now while a gap is open."""

    rows: pa.Table
    numbers: Mapping[str, FloatArray]
    start_us: IntArray
    until_us: IntArray
    is_open: BoolArray

    def __len__(self) -> int:
        return len(self.start_us)

    def __getitem__(self, name: str) -> FloatArray:
        return self.numbers[name]

    @property
    def duration_h(self) -> FloatArray:
        """Time from the last report to the next, or to now. Shape (n,)."""
        return (self.until_us - self.start_us) / US_PER_H

    def take(self, which: npt.NDArray[Any]) -> "Silences":
        """Some of the silences, in the order asked for."""
        which = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Silences(
            self.rows.take(pa.array(which, pa.int64())),
            {name: values[which] for name, values in self.numbers.items()},
            self.start_us[which],
            self.until_us[which],
            self.is_open[which],
        )

    def has(self, column: str, *words: str) -> BoolArray:
        """Whether a text column holds one of these words; null holds none. Shape (n,)."""
        found = pc.is_in(self.rows[column], value_set=pa.array(words, pa.string()))
        return np.asarray(found.to_numpy(), dtype=np.bool_)

    def are_of_ships(self) -> BoolArray:
        """Whether the MMSI has the form of some station's; factory numbers such as 0 are many ships'. Shape (n,)."""
        numbers = np.asarray(self.rows["mmsi"].to_numpy(), dtype=np.int64)
        return np.asarray(mmsi_kinds(numbers) != MmsiKind.NO_SHAPE)

    def draught_gain_m(self) -> FloatArray:
        """Draught claimed after less before; NaN where either is not known. Shape (n,)."""
        return self["end_draught_m"] - self["start_draught_m"]

    def places(self, which: str) -> tuple[FloatArray, FloatArray]:
        """Latitudes and longitudes of one end, `start` or `end`."""
        return self[f"{which}_lat"], self[f"{which}_lon"]

    def records(self) -> list[dict[str, Any]]:
        """The silences as records: for the few that a person may read of."""
        records: list[dict[str, Any]] = self.rows.to_pylist()
        return records


def silences_of(gaps: pa.Table, as_of: datetime) -> Silences:
    """The gaps that say who, when and where, and last until after they began; open ones until `as_of`."""
    keys = ("mmsi", "start", "start_lat", "start_lon")
    known = [pc.is_valid(gaps[name]) for name in keys]
    placed = pc.or_(pc.is_null(gaps["end"]), pc.and_(pc.is_valid(gaps["end_lat"]), pc.is_valid(gaps["end_lon"])))
    for one in known:
        placed = pc.and_(placed, one)
    gaps = gaps.filter(placed).sort_by([("mmsi", "ascending"), ("start", "ascending"), ("event_id", "ascending")])
    is_open = np.asarray(pc.is_null(gaps["end"]).to_numpy(), dtype=np.bool_)
    now_us = int(as_of.timestamp()) * 1_000_000 + as_of.microsecond
    start_us = times_us(gaps["start"])
    until_us = np.where(is_open, now_us, times_us(gaps["end"]))
    numbers = {name: np.asarray(gaps[name].to_numpy(), dtype=np.float64) for name in NUMBERS}
    silences = Silences(gaps, numbers, start_us, until_us, is_open)
    ends = (silences[name] for name in NUMBERS[:4])
    finite = np.logical_and.reduce([np.isfinite(values) | (is_open & (i > 1)) for i, values in enumerate(ends)])
    return silences.take(finite & (until_us > start_us))


def heard_meanwhile(silences: Silences, segments: pa.Table) -> BoolArray:
    """Whether the number was heard during the silence, on another track: two hulls, or a track told apart. Shape (n,).

    Of a number on very many tracks, which is nobody's own, no silence can be told: it counts as heard.
    """
    rows = np.flatnonzero(np.asarray(pc.is_in(segments["mmsi"], silences.rows["mmsi"].combine_chunks()).to_numpy()))
    segments = segments.take(pa.array(rows, pa.int64())).sort_by([("mmsi", "ascending")])
    mmsi = np.asarray(segments["mmsi"].to_numpy(), dtype=np.int64)
    own = np.asarray(silences.rows["mmsi"].to_numpy(), dtype=np.int64)
    first, last = np.searchsorted(mmsi, own, side="left"), np.searchsorted(mmsi, own, side="right")
    heard = last - first > _MANY_TRACKS
    n_tracks = np.where(heard, 0, last - first)
    of = np.repeat(np.arange(len(silences)), n_tracks)
    track = np.arange(len(of)) - np.repeat(np.cumsum(n_tracks) - n_tracks, n_tracks) + np.repeat(first, n_tracks)
    start_us, end_us = times_us(segments["start"])[track], times_us(segments["end"])[track]
    overlaps = (start_us < silences.until_us[of]) & (end_us > silences.start_us[of])
    names = segments["segment_id"].combine_chunks().take(pa.array(track, pa.int64()))
    itself = pc.equal(names, silences.rows["segment_id"].combine_chunks().take(pa.array(of, pa.int64())))
    heard[of[overlaps & ~np.asarray(pc.fill_null(itself, fill_value=False).to_numpy(zero_copy_only=False))]] = True
    return heard


@dataclass(frozen=True, slots=True)
class Berths:
    """Port visits with a stop, sorted by ship and start; `until_us` is far in the future while a ship stays."""

    rows: pa.Table
    ship: IntArray
    start_us: IntArray
    until_us: IntArray
    names: pa.Array

    def spent_in(self, silences: Silences) -> IntArray:
        """Row of the visit that holds a whole silence, or -1. Shape (n,)."""
        return self._holding(silences, silences.until_us)

    def begun_in(self, silences: Silences) -> IntArray:
        """Row of the visit in which a silence began, or -1. Shape (n,)."""
        return self._holding(silences, silences.start_us)

    def next_after(self, silences: Silences) -> IntArray:
        """Row of the ship's first visit that begins when the silence ends, or later, or -1. Shape (n,)."""
        ship = self._ships_of(silences)
        at = self._search(ship, silences.until_us, side="left")
        return np.where((ship >= 0) & self._same_ship(at, ship), at, -1)

    def last_before(self, silences: Silences) -> IntArray:
        """Row of the ship's last visit that began before the silence did, or -1. Shape (n,)."""
        ship = self._ships_of(silences)
        at = self._search(ship, silences.start_us, side="right") - 1
        return np.where((ship >= 0) & self._same_ship(at, ship), at, -1)

    def near(self, silences: Silences, wanted: BoolArray, within: timedelta) -> BoolArray:
        """Whether the ship made a visit of those wanted (by row) during a silence or so near to it in time. (n,)."""
        margin = within // timedelta(microseconds=1)
        rows = np.flatnonzero(wanted)
        some = Berths(self.rows, self.ship[rows], self.start_us[rows], self.until_us[rows], self.names)
        ship = self._ships_of(silences)
        at = some._search(ship, silences.until_us + margin, side="right")
        found = np.zeros(len(silences), dtype=np.bool_)
        for back in range(1, _NESTED + 1):
            row = at - back
            same = (ship >= 0) & some._same_ship(row, ship)
            found[same] |= some.until_us[row[same]] >= silences.start_us[same] - margin
        return found

    def zone_id(self, row: int) -> str | None:
        """Zone of a visit; None for row -1."""
        zone_id: str | None = None if row < 0 else self.rows["zone_id"][row].as_py()
        return zone_id

    def _holding(self, silences: Silences, until_us: IntArray) -> IntArray:
        ship = self._ships_of(silences)
        at = self._search(ship, silences.start_us, side="right")
        found = np.full(len(silences), -1, dtype=np.int64)
        for back in range(_NESTED, 0, -1):
            row = at - back
            same = (ship >= 0) & self._same_ship(row, ship)
            held = np.flatnonzero(same)[self.until_us[row[same]] >= until_us[same]]
            found[held] = row[held]
        return found

    def _ships_of(self, silences: Silences) -> IntArray:
        """The ships' codes, -1 for one without a visit."""
        codes = pc.fill_null(pc.index_in(_ship_names(silences.rows), value_set=self.names), -1)
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)

    def _same_ship(self, row: IntArray, ship: IntArray) -> BoolArray:
        if not len(self.ship):
            return np.zeros(len(row), dtype=np.bool_)
        inside = (row >= 0) & (row < len(self.ship))
        return np.asarray(inside & (self.ship[np.clip(row, 0, len(self.ship) - 1)] == ship))

    def _search(self, ship: IntArray, time_us: IntArray, side: Any) -> IntArray:
        """Place among the visits of (ship, time), by one search over ranks of time."""
        times = np.unique(np.concatenate([self.start_us, time_us]))
        key = self.ship * len(times) + np.searchsorted(times, self.start_us)
        wanted = ship * len(times) + np.searchsorted(times, time_us)
        return np.searchsorted(key, wanted, side=side).astype(np.int64)


def berths_of(visits: pa.Table) -> Berths:
    """The visits with a stop or a silence inside, by ship."""
    stopped = pc.greater_equal(visits["confidence"], _MIN_CONFIDENCE)
    visits = visits.filter(pc.and_(pc.fill_null(stopped, False), pc.is_valid(visits["start"])))
    names = pc.unique(_ship_names(visits)).sort()
    ship = np.asarray(pc.index_in(_ship_names(visits), value_set=names).to_numpy(zero_copy_only=False), dtype=np.int64)
    order = np.lexsort((_ranks(visits["visit_id"]), times_us(visits["start"]), ship))
    visits, ship = visits.take(pa.array(order, pa.int64())), ship[order]
    stays = np.asarray(pc.is_null(visits["end"]).to_numpy(), dtype=np.bool_)
    until_us = np.where(stays, _NEVER, times_us(visits["end"]))
    return Berths(visits, ship, times_us(visits["start"]), until_us, names)


def _ship_names(rows: pa.Table) -> pa.Array:
    """One name a ship: its hull, else its track, else its number."""
    number = pc.binary_join_element_wise("mmsi", rows["mmsi"].cast(pa.string()), " ")
    return pc.coalesce(rows["hull_id"], rows["segment_id"], number).combine_chunks()


def _ranks(texts: pa.ChunkedArray) -> IntArray:
    """The place of each text among the texts sorted; null comes last."""
    return np.asarray(pc.rank(texts.combine_chunks(), tiebreaker="dense").to_numpy(), dtype=np.int64)
