"""Which ships are worth comparing with which listed vessels: found through neighbours, never all with all.

Takes statements and listings; gives pairs whose IMO numbers or MMSI are one edit apart, or whose names are at most one
letter apart while length or call sign agree. What the pairs are worth is left to `chance`.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.rules.identity.claims import IntArray
from detectors.rules.identity.near_listed.chance import FAILS, LONG, PASSES, SHORT, imo_form, neighbours, ship_mmsi
from detectors.rules.identity.near_listed.edits import MMSI_DIGITS, BoolArray, Pairs, near_names, one_edit, places_of
from detectors.rules.identity.near_listed.likeness import SIZE_SLACK_M, Spellings, Statements
from detectors.rules.identity.near_listed.listings import Listings, Objects, Several, each

_BIN_M: Final = 2.0
"""Lengths a metre apart lie in bins of this width that the shorter and the longer by a metre lie in too."""


def candidates(said: Statements, listed: Listings, most: int, spellings: Spellings) -> Pairs:
    """Places of statements and of entries worth comparing, each pair once, in rising order.

    Statements under a number that is itself listed are left out: they are what they claim. A number or name that more
    than `most` senders or vessels share, or lie next to, points at none of them.
    """
    free = ~np.isin(said.imo, listed.imo[listed.imo > 0]) & ~np.isin(said.mmsi, listed.mmsi.values)
    place = np.arange(len(listed.imo), dtype=np.int64)
    form = imo_form(said.imo)
    found = []
    for one in (PASSES, FAILS, SHORT, LONG):
        heard = np.flatnonzero(free & (said.imo > 0) & (form == one))
        imo = _uncrowded(said.imo[heard], said.group[heard], most)
        numbers = _uncrowded(listed.imo, listed.vessel, most)
        near = places_of(neighbours(imo, one), len(imo), numbers, most)
        found.append(_joined(near, _rows(imo, said.imo, heard), _rows(numbers, listed.imo, place)))
    heard = np.flatnonzero(free)
    mmsi = ship_mmsi(_uncrowded(said.mmsi[heard], said.group[heard], most))
    numbers = _uncrowded(listed.mmsi.values, listed.vessel[listed.mmsi.of], most)
    near = places_of(one_edit(mmsi, MMSI_DIGITS), len(mmsi), numbers, most)
    of_entry = _rows(numbers, listed.mmsi.values, np.arange(len(listed.mmsi.values), dtype=np.int64))
    statement, row = _joined(near, _rows(mmsi, said.mmsi, heard), of_entry)
    found.append((statement, listed.mmsi.of[row]))
    found.append(_by_name(said, listed, free, most, spellings))
    pairs = np.unique(np.concatenate([i * max(1, len(place)) + j for i, j in found]))
    statements, entries = np.divmod(pairs, max(1, len(place)))
    return statements, entries


def _uncrowded(numbers: IntArray, owners: IntArray, most: int) -> IntArray:
    """The numbers above nought that no more than `most` own, sorted, once each."""
    owned = pd.DataFrame({"number": numbers, "owner": owners}).drop_duplicates()
    counts = owned[owned["number"] > 0].groupby("number").size()
    return counts.index[counts <= most].to_numpy().astype(np.int64)


def _rows(numbers: IntArray, column: npt.NDArray[Any], rows: IntArray) -> Several:
    """By place among sorted numbers: those of `rows` whose column holds the number."""
    if not len(numbers):
        return Several(rows[:0], rows[:0])
    at = np.minimum(np.searchsorted(numbers, column[rows]), len(numbers) - 1)
    hit = numbers[at] == column[rows]
    at, rows = at[hit], rows[hit]
    order = np.argsort(at, kind="stable")
    return Several(at[order], rows[order])


def _joined(near: Pairs, heard: Several, listed: Several) -> Pairs:
    """Every row of the one number with every row of the other."""
    which, place = heard.spread(near[0])
    again, other = listed.spread(near[1][which])
    return heard.values[place][again], listed.values[other]


def _by_name(said: Statements, listed: Listings, free: BoolArray, most: int, spellings: Spellings) -> Pairs:
    """Names at most one letter apart, the numbers in them equal, where length or call sign agree."""
    entry = listed.names.of
    metres = listed.length_m[entry]
    sized = np.flatnonzero(~np.isnan(metres))
    rows = [sized, sized]
    keys = [_length_key(metres[sized] - SIZE_SLACK_M), _length_key(metres[sized] + SIZE_SLACK_M)]
    signed, sign = listed.call_signs.spread(entry)
    rows.append(signed)
    keys.append(listed.call_signs.values[sign])
    row, key = np.concatenate(rows), np.concatenate(keys).astype(object)
    wanted = frozenset(key.tolist())
    named = np.flatnonzero(free & (said.name != ""))
    heard_rows, heard_keys = [], []
    measured = named[~np.isnan(said.length_m[named])]
    for heard, heard_key in (
        (measured, _length_key(said.length_m[measured])),
        (named, said.call_sign[named]),
    ):
        kept = np.array([one in wanted for one in heard_key.tolist()], dtype=np.bool_)
        heard_rows.append(heard[kept])
        heard_keys.append(heard_key[kept])
    heard, heard_key = np.concatenate(heard_rows), np.concatenate(heard_keys)
    one = _distinct(said.name[heard], heard_key, said.group[heard], heard, most, spellings)
    two = _distinct(listed.names.values[row], key, listed.vessel[entry[row]], entry[row], most, spellings)
    codes, _ = pd.factorize(np.concatenate([one.keys, two.keys]))
    codes = codes.astype(np.int64)
    n = len(one.letters)
    i, j = near_names(one.letters.tolist(), codes[:n], two.letters.tolist(), codes[n:], most)
    return _joined((i, j), one.rows, two.rows)


def _length_key(metres: npt.NDArray[np.float64]) -> Objects:
    return each(np.floor_divide(np.round(metres), _BIN_M), lambda one: f"{one:.0f} m")


class _Distinct:
    """Names with what must agree beside them, once each, and the rows that bear them."""

    def __init__(self, letters: Objects, keys: Objects, rows: Several) -> None:
        self.letters, self.keys, self.rows = letters, keys, rows


def _distinct(
    names: Objects, keys: Objects, owners: IntArray, rows: IntArray, most: int, spellings: Spellings
) -> _Distinct:
    letters, numbers = spellings.of(names)
    letter_code, different = pd.factorize(letters)
    number_code, series = pd.factorize(numbers)
    key_code, links = pd.factorize(keys)
    frame = pd.DataFrame({"code": (letter_code * max(1, len(series)) + number_code) * max(1, len(links)) + key_code})
    frame["owner"], frame["row"] = owners, rows
    frame = frame[(letters != "") & (keys != "")]
    owned = frame[["code", "owner"]].drop_duplicates().groupby("code").size()
    codes = owned.index[owned <= most].to_numpy().astype(np.int64)
    of_row = _rows(codes, frame["code"].to_numpy(), np.arange(len(frame), dtype=np.int64))
    code, link = np.divmod(codes, max(1, len(links)))
    letter, number = np.divmod(code, max(1, len(series)))
    joined = [f"{one}|{two}" for one, two in zip(series[number].tolist(), links[link].tolist(), strict=True)]
    row = frame["row"].to_numpy().astype(np.int64)[of_row.values]
    return _Distinct(different[letter], np.array(joined, dtype=object), Several(of_row.of, row))
