"""One-to-one assignment of starts to ends, as probabilities: an end has one successor at most, a start one forebear.

Takes weighted pairs; gives the probability of each pair given all others. Sums over all one-to-one assignments are
approximated by loopy belief propagation on the sparse graph of pairs (Williams and Lau 2014, "Approximate evaluation of
marginal association probabilities with belief propagation"), exact where the graph has no loops, as nearly always here.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.track import IntArray

FloatArray = npt.NDArray[np.float64]

MAX_ROUNDS: Final = 100
TOLERANCE: Final = 1e-5
"""Of the logarithm of a message: a hundred thousandth, far below what a probability is rounded to."""
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


class _Groups:
    """Pairs by one of their sides, sorted once."""

    def __init__(self, side: IntArray) -> None:
        self._order = np.argsort(side, kind="stable")
        group = side[self._order]
        self._first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
        self._size = np.diff(np.append(self._first, len(group)))

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
