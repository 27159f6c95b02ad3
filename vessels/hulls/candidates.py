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
    _Pass(None, _EVER, 4, claim="name", overlap=True),
    _Pass(None, _EVER, 4, claim="call_sign", overlap=True),
    _Pass(None, _EVER, 4, claim="mmsi"),
)
"""The last claims of a number go first; more bearers of one name or number than this are no evidence anyway."""


def candidate_pairs(ends: Ends, starts: Ends, parameters: LinkParameters) -> tuple[IntArray, IntArray]:
    """Pairs (end, start) in reach of each other, each once, sorted. Shapes (k,)."""
    origin = int(min(ends.time_us.min(initial=0), starts.time_us.min(initial=0)))
    found: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    for one in _PASSES:
        for end_key, start_key in _keys(ends, starts, one):
            e, s = _latest_before(ends, end_key, starts, start_key, one, parameters, origin)
            kept = _in_reach(ends, starts, e, s, parameters)
            found.append(e[kept] * len(starts) + s[kept])
    pairs = np.unique(np.concatenate(found))
    return pairs // max(len(starts), 1), pairs % max(len(starts), 1)


def _keys(ends: Ends, starts: Ends, one: _Pass) -> Iterator[tuple[IntArray, IntArray]]:
    """Keys of ends and starts, equal where they lie in one neighbourhood; -1 belongs to none."""
    end_claim, start_claim = _claim_keys(ends, one.claim), _claim_keys(starts, one.claim)
    if one.cell_deg is None:
        yield end_claim, start_claim
        return
    cell_deg = one.cell_deg
    columns = round(360.0 / cell_deg)
    rows = round(180.0 / cell_deg) + 3
    span = rows * columns

    def cells(side: Ends, claim: IntArray, dr: int, dc: int) -> IntArray:
        row = np.floor((side.lat + 90.0) / cell_deg).astype(np.int64) + 1 + dr
        column = (np.floor((side.lon + 180.0) / cell_deg).astype(np.int64) + dc) % columns
        return np.where(claim < 0, -1, claim * span + row * columns + column)

    own = cells(ends, end_claim, 0, 0)
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            yield own, cells(starts, start_claim, dr, dc)


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


def _latest_before(
    ends: Ends,
    end_key: IntArray,
    starts: Ends,
    start_key: IntArray,
    one: _Pass,
    parameters: LinkParameters,
    origin: int,
) -> tuple[IntArray, IntArray]:
    """For each start the few ends under its key that went before it most lately."""
    e_time = (ends.time_us - origin) // US_PER_S
    late_us = int(parameters.max_overlap_h * US_PER_H) if one.overlap else CLOCK_US
    s_time = (starts.time_us + late_us - origin) // US_PER_S
    usable_e, usable_s = np.flatnonzero(end_key >= 0), np.flatnonzero(start_key >= 0)
    if not len(usable_e) or not len(usable_s):
        none = np.zeros(0, dtype=np.int64)
        return none, none
    known, rank = np.unique(end_key[usable_e], return_inverse=True)
    span = int(max(e_time.max(), s_time.max())) + 2
    order = np.argsort(rank * span + e_time[usable_e], kind="stable")
    composite = (rank * span + e_time[usable_e])[order]
    place = np.searchsorted(known, start_key[usable_s])
    there = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == start_key[usable_s])
    usable_s, place = usable_s[there], place[there]
    until = np.searchsorted(composite, place * span + s_time[usable_s], side="right")
    gap_s = min(one.max_gap_h * 3600.0, parameters.max_gap_days * US_PER_DAY / US_PER_S)
    earliest = np.maximum((starts.time_us[usable_s] - origin) // US_PER_S - int(gap_s), 0)
    since = np.searchsorted(composite, place * span + earliest, side="left")
    counts = np.minimum(until - since, one.take)
    s = np.repeat(usable_s, counts)
    back = np.arange(len(s)) - np.repeat(np.cumsum(counts) - counts, counts)
    e = usable_e[order[np.repeat(until, counts) - 1 - back]]
    return e, s


def _in_reach(ends: Ends, starts: Ends, e: IntArray, s: IntArray, parameters: LinkParameters) -> npt.NDArray[np.bool_]:
    """Whether a hull can have sailed from the one to the other.

    Left out are one track's silence with itself, two silences (neither identity would be new), and a silence with
    another track of its own MMSI (two hulls share the number, or one clock is wrong).
    """
    gap_h = np.maximum(starts.time_us[s] - ends.time_us[e], 0) / US_PER_H
    reach = SLACK_NMI + parameters.top_speed_kn * gap_h
    n_silences = (ends.silence[e] >= 0).astype(np.int64) + (starts.silence[s] >= 0)
    kept = (ends.segment[e] != starts.segment[s]) & (n_silences < np.where(ends.mmsi[e] == starts.mmsi[s], 1, 2))
    kept &= np.abs(ends.lat[e] - starts.lat[s]) * 60.0 <= reach
    some = np.flatnonzero(kept)
    a, b = e[some], s[some]
    kept[some] = distance_nmi(ends.lat[a], ends.lon[a], starts.lat[b], starts.lon[b]) <= reach[some]
    return np.asarray(kept, dtype=np.bool_)
