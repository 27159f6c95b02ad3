"""One edit apart: numbers that differ in one digit or two exchanged ones, names that differ in one letter.

Takes arrays of numbers or names; gives pairs of places, found through the neighbours of each and never by comparing all
with all. What a near miss means is left to `likeness` and `listed`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from detectors.rules.identity.claims import IntArray

BoolArray = npt.NDArray[np.bool_]
Pairs = tuple[IntArray, IntArray]
"""Places in one array and in another that belong together."""

IMO_DIGITS: Final = 7
MMSI_DIGITS: Final = 9
MIN_NEAR_LETTERS: Final = 4
"""Names of fewer letters lie one letter from too many others to be near any."""
_CHUNK: Final = 20_000
"""Names hashed at a time, to bound memory."""
_FULL_LETTERS: Final = 20
"""Letters compared: the AIS name field holds no more (ITU-R M.1371-5, message 5)."""
_SALT: Final = np.uint64(0x9E3779B97F4A7C15)
_BASE: Final = np.uint64(0x100000001B3)
"""Odd constants that scatter hashes: the golden ratio's fraction, and the FNV prime."""


def one_edit(numbers: IntArray, digits: int) -> Iterator[IntArray]:
    """Every number one digit away, or with two neighbouring digits exchanged; -1 where that changes nothing.

    One array an edit, each of the shape of `numbers`.
    """
    for power in range(digits):
        unit = 10**power
        digit = numbers // unit % 10
        for step in range(1, 10):
            yield numbers + ((digit + step) % 10 - digit) * unit
    for power in range(digits - 1):
        unit = 10**power
        low, high = numbers // unit % 10, numbers // (10 * unit) % 10
        yield np.where(low != high, numbers + (low - high) * 9 * unit, -1)


def one_digit_fewer(numbers: IntArray, digits: int) -> Iterator[IntArray]:
    """Every number that numbers of `digits` + 1 digits become when one is left out."""
    for power in range(digits + 1):
        unit = 10**power
        yield numbers // (10 * unit) * unit + numbers % unit


def one_digit_more(numbers: IntArray, digits: int) -> Iterator[IntArray]:
    """Every number that numbers of `digits` - 1 digits become when one is put in."""
    for power in range(digits):
        unit = 10**power
        for digit in range(10):
            yield numbers // unit * (10 * unit) + digit * unit + numbers % unit


def places_of(neighbours: Iterator[IntArray], n: int, listed: IntArray, most: int) -> Pairs:
    """Places of `n` numbers and of the listed ones among their neighbours, sorted; `listed` sorted and unique.

    A number, heard or listed, with more than `most` such partners points at none of them and is passed over.
    """
    found = [np.zeros(0, dtype=np.int64)]
    if len(listed):
        for near in neighbours:
            place = np.minimum(np.searchsorted(listed, near), len(listed) - 1)
            hit = np.flatnonzero(listed[place] == near)
            found.append(hit * len(listed) + place[hit])
    i, j = np.divmod(_unique(np.concatenate(found)), max(1, len(listed)))
    lonely = np.bincount(i, minlength=n)[i] <= most
    lonely &= np.bincount(j, minlength=len(listed))[j] <= most
    return i[lonely], j[lonely]


def is_one_edit(one: IntArray, two: IntArray, digits: int) -> BoolArray:
    """Whether numbers of `digits` digits, pair by pair, are a digit or two exchanged neighbouring digits apart."""
    differing = np.zeros(len(one), dtype=np.int64)
    exchanged = np.zeros(len(one), dtype=np.bool_)
    for power in range(digits):
        unit = 10**power
        a, b = one // unit % 10, two // unit % 10
        above_a, above_b = one // (10 * unit) % 10, two // (10 * unit) % 10
        differing += a != b
        exchanged |= (a != b) & (a == above_b) & (b == above_a)
    fits = np.maximum(one, two) < 10**digits
    near: BoolArray = fits & ((differing == 1) | ((differing == 2) & exchanged))
    return near


def edit_in_words(claimed: int, listed: int, digits: int) -> str:
    """What was done to the listed number's digits, first digit counted as one.

    >>> edit_in_words(9074279, 9074729, 7), edit_in_words(9074728, 9074729, 7), edit_in_words(907472, 9074729, 7)
    ('digits 5 and 6 exchanged', 'digit 7 is 8 instead of 9', 'one digit left out')
    """
    if claimed >= 10**digits:
        return "one digit put in"
    if digits == IMO_DIGITS and claimed < 10 ** (digits - 1):
        return "one digit left out"
    one, two = f"{claimed:0{digits}d}", f"{listed:0{digits}d}"
    differing = [i for i in range(digits) if one[i] != two[i]]
    if len(differing) == 2:
        return f"digits {differing[0] + 1} and {differing[1] + 1} exchanged"
    return "".join(f"digit {i + 1} is {one[i]} instead of {two[i]}" for i in differing)


def near_letters(one: Sequence[str], two: Sequence[str]) -> IntArray:
    """Letters changed, put in, left out or exchanged between names, pair by pair; 2 stands for more. Shape (n,)."""
    if not len(one):
        return np.zeros(0, dtype=np.int64)
    distance: IntArray = cpdist(one, two, scorer=OSA.distance, score_cutoff=1, workers=1).astype(np.int64)
    return distance


def near_names(one: Sequence[str], one_key: IntArray, two: Sequence[str], two_key: IntArray, most: int) -> Pairs:
    """Places of names at most one letter apart whose keys agree, sorted.

    Two such names share what is left of them when no letter, or one, is dropped (symmetric deletion), so that only
    names with a remainder in common are compared. A remainder that more than `most` names on either side share with
    one key is passed over: a name among so many points at none.
    """
    one_row, one_hash = _remainders(one, one_key)
    order = np.argsort(one_hash, kind="stable")
    one_row, one_hash = _uncrowded(one_row[order], one_hash[order], most)
    rows, hashes = [one_row[:0]], [one_hash[:0]]
    for low in range(0, len(two) if len(one_row) else 0, _CHUNK):
        two_row, two_hash = _remainders(two[low : low + _CHUNK], two_key[low : low + _CHUNK])
        order = np.argsort(two_hash, kind="stable")  # searching in order is several times quicker
        two_row, two_hash = two_row[order], two_hash[order]
        shared = one_hash[np.minimum(np.searchsorted(one_hash, two_hash), len(one_hash) - 1)] == two_hash
        rows.append(two_row[shared] + low)
        hashes.append(two_hash[shared])
    two_row, two_hash = np.concatenate(rows), np.concatenate(hashes)
    order = np.argsort(two_hash, kind="stable")
    two_row, two_hash = _uncrowded(two_row[order], two_hash[order], most)
    first = np.searchsorted(two_hash, one_hash, side="left")
    count = np.searchsorted(two_hash, one_hash, side="right") - first
    before = np.cumsum(count) - count
    offset = np.arange(int(count.sum()), dtype=np.int64) - np.repeat(before, count)
    codes = np.repeat(one_row, count) * max(1, len(two)) + two_row[np.repeat(first, count) + offset]
    i, j = np.divmod(_unique(codes), max(1, len(two)))
    i, j = i[one_key[i] == two_key[j]], j[one_key[i] == two_key[j]]
    near = near_letters([one[k] for k in i.tolist()], [two[k] for k in j.tolist()]) <= 1
    return i[near], j[near]


def _remainders(names: Sequence[str], keys: IntArray) -> tuple[IntArray, npt.NDArray[np.uint64]]:
    """Rows of names, and hashes of key and name, whole and without each of its letters.

    Of equal neighbours one is dropped. Longer lists are taken in parts, to bound memory.
    """
    if len(names) > _CHUNK:
        lows = range(0, len(names), _CHUNK)
        parts = [_remainders(names[low : low + _CHUNK], keys[low : low + _CHUNK]) for low in lows]
        rows = np.concatenate([part[0] + low for part, low in zip(parts, lows, strict=True)])
        return rows, np.concatenate([part[1] for part in parts])
    letters = np.array([name[:_FULL_LETTERS].encode("ascii", "replace") for name in names], dtype=f"S{_FULL_LETTERS}")
    codes = letters.view(np.uint8).reshape(len(names), _FULL_LETTERS).astype(np.uint64)
    powers = _BASE ** np.arange(_FULL_LETTERS + 1, dtype=np.uint64)
    none = np.zeros((len(names), 1), dtype=np.uint64)
    before = np.concatenate([none, np.cumsum(codes * powers[:-1], axis=1, dtype=np.uint64)], axis=1)
    moved = np.concatenate([none, np.cumsum(codes[:, 1:] * powers[:-2], axis=1, dtype=np.uint64)], axis=1)
    without = before[:, :-1] + moved[:, -1:] - moved
    exists = codes > 0
    length = exists.sum(axis=1)
    dropped = exists.copy()
    dropped[:, 1:] &= codes[:, 1:] != codes[:, :-1]
    row = np.nonzero(dropped)[0]
    rows = np.concatenate([np.arange(len(names)), row]).astype(np.int64)
    spread = np.concatenate([before[:, -1], without[dropped]])
    size = np.concatenate([length, length[row] - 1]).astype(np.uint64)
    mixed = (spread ^ (keys[rows].astype(np.uint64) * _SALT)) * _BASE + size
    return rows, (mixed ^ (mixed >> np.uint64(29))) * _SALT


def _unique(values: IntArray) -> IntArray:
    """Sorted, once each; by sorting, which takes a tenth of the time of `numpy.unique` on many integers."""
    values = np.sort(values)
    return values[np.concatenate([[True], np.diff(values) != 0])] if len(values) else values


def _uncrowded(rows: IntArray, hashes: npt.NDArray[np.uint64], most: int) -> tuple[IntArray, npt.NDArray[np.uint64]]:
    changes = np.flatnonzero(hashes[1:] != hashes[:-1]).astype(np.int64) + 1
    starts = np.concatenate([np.zeros(1, dtype=np.int64), changes])
    count = np.append(starts, len(hashes))[1:] - starts
    kept = (count <= most)[np.repeat(np.arange(len(count)), count)]
    return rows[kept], hashes[kept]
