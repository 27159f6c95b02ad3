"""Which pairs of a silence and a waking are worth weighing, found without comparing all with all.

Takes both `Ends`; gives index pairs. Several passes each look in one kind of neighbourhood (a berth, a roadstead, a
sea; one body; one claim) for the few ends that went before a start most lately. The number of pairs is bounded by a
constant for each start, however crowded the place; that others stood beyond the bound is known from the birth rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import distance_nmi
from vessels.hulls.ends import Ends
from vessels.hulls.parameters import LinkParameters
from vessels.track import IntArray
from vessels.units import US_PER_DAY, US_PER_H, US_PER_MIN, US_PER_S

SLACK_NMI: Final = 2.0
"""Twice the motion model's slack: two sets with an error each."""
CLOCK_US: Final = 10 * US_PER_MIN
"""A new set may be heard so much before the old one's last report: receivers' clocks are minutes off."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """One kind of neighbourhood: cells of so many degrees (None: everywhere), the longest gap, how many to take."""

    cell_deg: float | None
    max_gap_h: float
    take: int
    claim: str | None = None
    overlap: bool = False


_EVER: Final = float("inf")
_PASSES: Final = (
    _Pass(0.05, _EVER, 6),
    _Pass(0.5, 2.0, 12),
    _Pass(2.0, 12.0, 12),
    _Pass(10.0, _EVER, 6, claim="body"),
    _Pass(None, _EVER, 4, claim="imo", overlap=True),
    _Pass(None, _EVER, 4, claim="name"),
    _Pass(None, _EVER, 4, claim="call_sign"),
    _Pass(None, _EVER, 4, claim="mmsi"),
)
"""The last claims of a number go first; more bearers of one name or number than this are no evidence anyway."""


def candidate_pairs(ends: Ends, starts: Ends, parameters: LinkParameters) -> tuple[IntArray, IntArray]:
    """Pairs (end, start) in reach of each other, each once, sorted. Shapes (k,)."""
    found: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    for one in _PASSES:
        neighbourhood = _Neighbourhood(ends, one)
        for key in neighbourhood.keys_around(starts):
            e, s = neighbourhood.latest_before(starts, key, parameters)
            kept = _in_reach(ends, starts, e, s, parameters)
            found.append(e[kept] * len(starts) + s[kept])
    pairs = np.sort(np.concatenate(found))
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    return pairs // max(len(starts), 1), pairs % max(len(starts), 1)


class _Neighbourhood:
    """The ends, sorted by neighbourhood and time, for one pass."""

    def __init__(self, ends: Ends, one: _Pass) -> None:
        self._pass = one
        self._cell_deg = one.cell_deg
        key = self._cells(ends, _claim_keys(ends, one.claim), 0, 0)
        usable = np.flatnonzero(key >= 0)
        # Ends at one moment stand by place, so that the order of rows does not choose among them.
        order = np.lexsort((ends.lon[usable], ends.lat[usable], ends.time_us[usable], key[usable]))
        self._ends = usable[order]
        key = key[self._ends]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, np.int64)
        self._known = key[first]
        self._origin = int(ends.time_us.min(initial=0))
        self._time_s = (ends.time_us[self._ends] - self._origin) // US_PER_S
        rank = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(key))))
        self._span = int(self._time_s.max(initial=0)) + 2
        self._composite = rank * self._span + self._time_s

    def keys_around(self, starts: Ends) -> Iterator[IntArray]:
        """Keys of the starts for each neighbouring cell in turn; -1 belongs to none."""
        claim = _claim_keys(starts, self._pass.claim)
        around = (0,) if self._cell_deg is None else (-1, 0, 1)
        for dr in around:
            for dc in around:
                yield self._cells(starts, claim, dr, dc)

    def _cells(self, side: Ends, claim: IntArray, dr: int, dc: int) -> IntArray:
        if self._cell_deg is None:
            return claim
        columns, rows = round(360.0 / self._cell_deg), round(180.0 / self._cell_deg) + 3
        row = np.floor((side.lat + 90.0) / self._cell_deg).astype(np.int64) + 1 + dr
        column = (np.floor((side.lon + 180.0) / self._cell_deg).astype(np.int64) + dc) % columns
        return np.where(claim < 0, -1, (claim * rows + row) * columns + column)

    def latest_before(self, starts: Ends, key: IntArray, parameters: LinkParameters) -> tuple[IntArray, IntArray]:
        """For each start the few ends under its key that went before it most lately."""
        if not len(self._ends):
            return self._ends, self._ends
        one = self._pass
        which = np.flatnonzero(key >= 0)
        which = which[np.lexsort((starts.time_us[which], key[which]))]  # sorted look-ups stay in the cache
        place = np.searchsorted(self._known, key[which])
        there = self._known[np.minimum(place, len(self._known) - 1)] == key[which]
        which, place = which[there], place[there]
        late_us = int(parameters.max_overlap_h * US_PER_H) if one.overlap else CLOCK_US
        gap_s = min(one.max_gap_h * 3600.0, parameters.max_gap_days * US_PER_DAY / US_PER_S)
        began = starts.time_us[which] - self._origin
        latest = np.clip((began + late_us) // US_PER_S, -1, self._span - 1)
        earliest = np.clip(began // US_PER_S - int(gap_s), 0, self._span - 1)
        until = np.searchsorted(self._composite, place * self._span + latest, side="right")
        since = np.searchsorted(self._composite, place * self._span + earliest, side="left")
        counts = np.clip(until - since, 0, one.take)
        s = np.repeat(which, counts)
        back = np.arange(len(s)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._ends[np.repeat(until, counts) - 1 - back], s


def _claim_keys(side: Ends, claim: str | None) -> IntArray:
    """What must be equal beside the place: nothing, the body to the metre, or one claim; -1 where it is not said."""
    claims = side.claims
    if claim is None:
        return np.zeros(len(side), dtype=np.int64)
    if claim == "body":
        known = np.isfinite(claims.length_m) & np.isfinite(claims.beam_m)
        body = np.nan_to_num(claims.length_m).round() * 100 + np.nan_to_num(claims.beam_m).round()
        return np.where(known, body, -1).astype(np.int64)
    if claim == "mmsi":
        return side.mmsi
    values: IntArray = getattr(claims, claim)
    return np.where(values > 0, values, -1) if claim == "imo" else values


def _in_reach(ends: Ends, starts: Ends, e: IntArray, s: IntArray, parameters: LinkParameters) -> npt.NDArray[np.bool_]:
    """Whether a hull can have sailed from the one to the other.

    Left out are one track's silence with itself, a silence with another track of its own MMSI (two hulls share the
    number, or one clock is wrong).
    """
    gap_h = np.maximum(starts.time_us[s] - ends.time_us[e], 0) / US_PER_H
    reach = SLACK_NMI + parameters.top_speed_kn * gap_h
    one, other = ends.silence[e] >= 0, starts.silence[s] >= 0
    kept = (ends.segment[e] != starts.segment[s]) & ((ends.mmsi[e] != starts.mmsi[s]) | ~(one | other))
    kept &= np.abs(ends.lat[e] - starts.lat[s]) * 60.0 <= reach
    kept &= (starts.time_us[s] >= ends.time_us[e] - CLOCK_US) | ~(one | other)
    some = np.flatnonzero(kept)
    a, b = e[some], s[some]
    kept[some] = distance_nmi(ends.lat[a], ends.lon[a], starts.lat[b], starts.lon[b]) <= reach[some]
    return np.asarray(kept, dtype=np.bool_)
