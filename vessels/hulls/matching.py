"""One-to-one assignment of starts to ends, as probabilities: an end has one successor at most, a start one forebear.

Takes weighted pairs; gives the probability of each pair given all others. Sums over all one-to-one assignments are
taken by belief propagation on the sparse graph of pairs (Williams and Lau 2014, "Approximate evaluation of marginal
association probabilities with belief propagation"), exact where the graph has no loops. Small groups of pairs with
loops, where propagation is too sure of the best assignment, are summed exactly; large ones stay approximate.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]

MAX_ROUNDS: Final = 100
TOLERANCE: Final = 1e-5
"""Of the logarithm of a message: a hundred thousandth, far below what a probability is rounded to."""
EXACT_SIDES: Final = 8
"""Groups with loops are summed exactly up to so many ends or starts, whichever are fewer: 256 sums a pair."""
MAX_DB: Final = 120.0
"""Weights beyond this change no probability that a double can hold."""


def pair_probabilities(end: IntArray, start: IntArray, weight_db: FloatArray) -> FloatArray:
    """The probability of each pair, prior included in its weight (decibans); "no partner" weighs 0. Shape (k,).

    >>> import numpy as np
    >>> pairs = (np.array([0, 0]), np.array([0, 1]), np.array([10.0, 10.0]))
    >>> pair_probabilities(*pairs).round(3).tolist()
    [0.476, 0.476]
    """
    if not len(end):
        return np.zeros(0)
    odds = 10.0 ** (np.clip(weight_db, -MAX_DB, MAX_DB) / 10.0)
    result = np.empty(len(odds))
    parts = _parts(end, start)
    for rows in parts.propagated:
        if len(rows):
            result[rows] = _propagated(end[rows], start[rows], odds[rows])
    for rows in parts.summed:
        result[rows] = _summed(end[rows], start[rows], odds[rows])
    return result


def _propagated(end: IntArray, start: IntArray, odds: FloatArray) -> FloatArray:
    """Probabilities by belief propagation."""
    by_end, by_start = _Groups(end), _Groups(start)
    free = np.ones(len(odds))
    for _ in range(MAX_ROUNDS):
        asked = by_end.others(odds * free)
        update = 1.0 / (1.0 + by_start.others(odds / (1.0 + asked)))
        settled = float(np.abs(np.log(update / free)).max()) < TOLERANCE
        free = update
        if settled:
            break
    offered = odds * free
    result: FloatArray = offered / (1.0 + offered + by_end.others(offered))
    return result


class _Parts(NamedTuple):
    """Rows of pairs: those without loops and those in large groups with loops; each small group with loops."""

    propagated: tuple[IntArray, IntArray]
    summed: list[IntArray]


def _parts(end: IntArray, start: IntArray) -> _Parts:
    """Connected groups of pairs, by whether they have a loop and how large they are."""
    by_end, by_start = _Groups(end), _Groups(start)
    group = np.arange(len(end))
    while True:
        wider = by_end.least(by_start.least(group))
        if (wider == group).all():
            break
        group = wider
    n = len(end)
    n_ends, n_starts = (np.bincount(group[side.some], minlength=n) for side in (by_end, by_start))
    looped = np.bincount(group, minlength=n) > n_ends + n_starts - 1
    small = looped & (np.minimum(n_ends, n_starts) <= EXACT_SIDES)
    rows = np.flatnonzero(small[group])
    rows = rows[np.argsort(group[rows], kind="stable")]
    summed = np.split(rows, np.flatnonzero(np.diff(group[rows])) + 1) if len(rows) else []
    return _Parts((np.flatnonzero(~looped[group]), np.flatnonzero((looped & ~small)[group])), summed)


def _summed(end: IntArray, start: IntArray, odds: FloatArray) -> FloatArray:
    """Probabilities by the sum over all assignments: one side in turn, the other as the set of those already taken."""
    sides = sorted((np.unique(side, return_inverse=True)[1] for side in (end, start)), key=lambda side: int(side.max()))
    few, many = sides
    sets = np.arange(1 << (int(few.max()) + 1))
    free = [sets[sets >> one & 1 == 0] for one in range(int(few.max()) + 1)]
    turns = [np.flatnonzero(many == one).tolist() for one in range(int(many.max()) + 1)]
    ways = np.where(sets == 0, 1.0, 0.0)
    until = []
    for turn in turns:
        until.append(ways)
        ways = ways.copy()
        for row in turn:
            left = free[few[row]]
            ways[left | 1 << few[row]] += until[-1][left] * odds[row]
    onwards = np.ones(len(sets))
    result = np.zeros(len(odds))
    for turn, before in zip(reversed(turns), reversed(until), strict=True):
        after, onwards = onwards, onwards.copy()
        for row in turn:
            left = free[few[row]]
            taken = odds[row] * after[left | 1 << few[row]]
            result[row] = (before[left] * taken).sum()
            onwards[left] += taken
    return np.asarray(result / onwards[0], dtype=np.float64)


class _Groups:
    """Pairs by one of their sides, sorted once."""

    def __init__(self, side: IntArray) -> None:
        self._order = np.argsort(side, kind="stable")
        group = side[self._order]
        self._first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
        self._size = np.diff(np.append(self._first, len(group)))
        self.some = self._order[self._first]
        """One element of each group."""

    def least(self, values: IntArray) -> IntArray:
        """For each element the least of its group."""
        out = np.empty_like(values)
        out[self._order] = np.repeat(np.minimum.reduceat(values[self._order], self._first), self._size)
        return out

    def others(self, values: FloatArray) -> FloatArray:
        """For each element the sum of the others of its group.

        The largest would lose the small ones beside it in a difference of sums: its others are summed by themselves.
        """
        v = values[self._order]
        largest = v == np.repeat(np.maximum.reduceat(v, self._first), self._size)
        rest = np.repeat(np.add.reduceat(v, self._first), self._size) - v
        n_largest = np.repeat(np.add.reduceat(largest.astype(np.int64), self._first), self._size)
        small = np.repeat(np.add.reduceat(np.where(largest, 0.0, v), self._first), self._size)
        out = np.empty(len(v))
        out[self._order] = np.where(largest, small + (n_largest - 1) * v, rest)
        return out
