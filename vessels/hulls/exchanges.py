"""Exchanges: two tracks over whose silences each number woke where the other's hull was bound.

Takes pairs of silences; gives the weights of those that cross, against each hull having kept its number. Neither
identity is new, so what chance brings is not another birth but the hull itself coming back as usual: where its course
and speed lead, or where ships lie.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from vessels.hulls.background import FloatArray, resting_places
from vessels.hulls.ends import Ends
from vessels.hulls.evidence import BODIES, DRAUGHT, PLACE, QUIET, Background, Weighed, bodies_db, draught_db, quiet_db
from vessels.hulls.parameters import LinkParameters
from vessels.hulls.whereabouts import gap_of, usual_rate, whereabouts
from vessels.track import IntArray
from vessels.units import US_PER_DAY

EXCHANGE_PRIOR_DB: Final = -50.0
"""One pair of crossing silences in 100,000 is an exchange: few are documented, and ferries cross every day."""
LEAP_PRIOR_DB: Final = -30.0
"""One crossing with a leap or a broken track in it in a thousand: unexplained already, mostly wrong positions."""
TAKEN_PRIOR_DB: Final = -40.0
"""One long silence in 10,000 ends with another hull under the number (Shun Li's, on Diamond 8, 2022)."""
AGAIN_DB: Final = -20.0
"""For each further crossing of the same two numbers: what happens often is a service, not an exchange."""
MAX_TRACKS: Final = 4
"""A number with more tracks is shared, or its positions are wrong: its breaks are no exchanges."""
RESTING_SHARE: Final = 0.4
"""How many ships that fell silent wake where ships lie."""


def crossing(ends: Ends, starts: Ends, e: IntArray, s: IntArray) -> IntArray:
    """Which pairs are half of an exchange: they lead from one number to another, and another pair leads back.

    Each number fell silent and woke, or leapt, or broke in two tracks that no one hull can have sailed, both within a
    day. Number i is the same silence on both sides.
    """
    one, other = ends.silence[e] >= 0, starts.silence[s] >= 0
    both = np.flatnonzero(one & other)
    n = len(starts)
    crossed = both[np.isin(e[both] * n + s[both], s[both] * n + e[both])]
    out, back = np.flatnonzero(one & ~other & ends.is_leap[e]), np.flatnonzero(other & ~one & starts.is_leap[s])
    # What leads out goes to a track of the number that what leads back comes from.
    numbers, rank = np.unique(np.concatenate([starts.mmsi[s[out]], ends.mmsi[e[back]]]), return_inverse=True)
    to, come = e[out] * len(numbers) + rank[: len(out)], s[back] * len(numbers) + rank[len(out) :]
    one_n, other_n = _n_tracks(ends)[e], _n_tracks(starts)[s]
    few = (np.minimum(one_n, other_n) >= 2) & (np.maximum(one_n, other_n) <= MAX_TRACKS)
    plain = np.flatnonzero(few & ~one & ~other & (ends.mmsi[e] != starts.mmsi[s]))
    broken = _broken(ends, starts, e, s, plain)
    return np.sort(np.concatenate([crossed, out[np.isin(to, come)], back[np.isin(come, to)], broken]))


def _n_tracks(side: Ends) -> IntArray:
    """How many tracks the MMSI of each side has. Shape (n,)."""
    _, number = np.unique(side.mmsi, return_inverse=True)
    result: IntArray = np.bincount(number, weights=side.silence < 0)[number].astype(np.int64)
    return result


def _broken(ends: Ends, starts: Ends, e: IntArray, s: IntArray, plain: IntArray) -> IntArray:
    """Pairs of tracks of two numbers for which another pair leads back within a day; each number has two tracks."""
    day = ends.time_us[e[plain]] // US_PER_DAY
    numbers, rank = np.unique(np.concatenate([ends.mmsi[e[plain]], starts.mmsi[s[plain]]]), return_inverse=True)
    n, m = len(numbers), len(plain)
    first = int(day.min(initial=0)) - 1
    span = int(day.max(initial=0)) - first + 2

    def keys(one: IntArray, other: IntArray, days: IntArray) -> IntArray:
        return (one * n + other) * span + days - first

    there = keys(rank[:m], rank[m:], day)
    back = [keys(rank[m:], rank[:m], day + off) for off in (-1, 0, 1)]
    return plain[np.isin(back[0], there) | np.isin(back[1], there) | np.isin(back[2], there)]


def taking_up(ends: Ends, starts: Ends, e: IntArray, s: IntArray, left: IntArray) -> IntArray:
    """Which pairs lead from a track's end into a long silence of another number that no hull left for another one.

    The hull of the first may have taken up the silent identity, whose own hull is gone. `left` are the silences that
    some pair leads out of.
    """
    wakes = (starts.silence[s] >= 0) & ~starts.is_leap[s] & (ends.silence[e] < 0) & (ends.mmsi[e] != starts.mmsi[s])
    few = (_n_tracks(ends)[e] <= MAX_TRACKS) & (_n_tracks(starts)[s] <= MAX_TRACKS)
    return np.flatnonzero(wakes & few & ~np.isin(starts.silence[s], left))


def weigh_taken(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, background: Background, parameters: LinkParameters
) -> tuple[Weighed, FloatArray]:
    """What speaks for a silent identity having been taken up by the hull of another track, and the prior."""
    weighed, _ = weigh_exchanges(ends, starts, e, s, background, parameters)
    quiet = quiet_db(ends, starts, e, s, background.span_us, parameters)
    return replace(weighed, weights={**weighed.weights, QUIET: quiet}), np.full(len(e), TAKEN_PRIOR_DB)


def weigh_exchanges(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    background: Background,
    parameters: LinkParameters,
) -> tuple[Weighed, FloatArray]:
    """What speaks for each half of an exchange, and the prior of each half, in decibans."""
    gap_h, apart = gap_of(ends, starts, e, s)
    crossed = whereabouts(ends, starts, e, s, parameters)
    wakes = starts.silence[s] >= 0
    own = np.where(wakes, s, e)
    own_h, _ = gap_of(ends, starts, own, own)
    kept = whereabouts(ends, starts, own, own, parameters)
    kept = np.maximum(kept, RESTING_SHARE * resting_places(starts)[s])
    chance = np.where(wakes, kept, background.births.rate[s] / usual_rate(gap_h, parameters))
    place = 10.0 * np.log10(np.maximum(crossed, 1e-12) / chance)
    draught = draught_db(ends, starts, e, s, gap_h)
    own_draught = np.where(wakes, draught_db(ends, starts, own, own, own_h), 0.0)
    bodies = bodies_db(ends, starts, e, s, np.zeros(len(e), dtype=np.bool_), background)
    weights = {
        PLACE: place,
        DRAUGHT: np.where(np.isfinite(draught), draught - np.nan_to_num(own_draught), np.nan),
        # Sizes are typed in: exchanged with the rest they differ, which says nothing.
        BODIES: np.where(wakes, np.nan, np.maximum(bodies, 0.0)),
    }
    one, other = np.minimum(ends.mmsi[e], starts.mmsi[s]), np.maximum(ends.mmsi[e], starts.mmsi[s])
    _, which, crossings = np.unique(np.stack([one, other]), axis=1, return_inverse=True, return_counts=True)
    leap = ends.is_leap[e] | starts.is_leap[s] | ((ends.silence[e] < 0) & ~wakes)
    prior = np.where(leap, LEAP_PRIOR_DB, EXCHANGE_PRIOR_DB) / 2.0
    prior += AGAIN_DB * np.maximum(crossings[which] / 2.0 - 1.0, 0.0)
    return Weighed(weights, gap_h, apart), np.asarray(prior, dtype=np.float64)
