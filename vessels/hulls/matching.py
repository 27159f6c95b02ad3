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

MAX_ROUNDS: Final = 200
TOLERANCE: Final = 1e-6
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
    _, end = np.unique(end, return_inverse=True)
    _, start = np.unique(start, return_inverse=True)
    free = np.ones(len(odds))
    for _ in range(MAX_ROUNDS):
        asked = _others(odds * free, end)
        update = 1.0 / (1.0 + _others(odds / (1.0 + asked), start))
        settled = float(np.abs(np.log(update / free)).max()) < TOLERANCE
        free = update
        if settled:
            break
    offered = odds * free
    result: FloatArray = offered / (1.0 + np.bincount(end, weights=offered)[end])
    return result


def _others(values: FloatArray, group: IntArray) -> FloatArray:
    """For each element the sum of the others of its group, without the loss that subtracting from a sum brings."""
    order = np.lexsort((values, group))
    v, g = values[order], group[order]
    first = np.concatenate([[True], g[1:] != g[:-1]])
    last = np.concatenate([first[1:], [True]])
    out = np.zeros(len(values))
    lone = first & last
    total = np.bincount(g, weights=v)
    rest = total[g] - v
    # The largest of a group would lose the small ones beside it: its others are summed by themselves.
    small = np.bincount(g[~last], weights=v[~last], minlength=len(total))
    rest[last] = small[g[last]]
    rest[lone] = 0.0
    out[order] = np.maximum(rest, 0.0)
    return out
