"""How ships and listed vessels compare: what each sender said, and where it is equal, near or different.

Takes the claims, the listings and pairs of statement and entry; gives, column by column, how the two compare. How much
that says is left to `chance`.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.identity.claims import Claims, IntArray
from detectors.rules.identity.digits import flag_of
from detectors.rules.identity.near_listed.edits import (
    IMO_DIGITS,
    MIN_NEAR_LETTERS,
    MMSI_DIGITS,
    BoolArray,
    is_one_edit,
    near_letters,
)
from detectors.rules.identity.near_listed.listings import Listings, Objects, Several, call_sign_key, each, type_said
from detectors.rules.identity.thresholds import Thresholds
from vessels.ais import IMO_MAX, IMO_MIN
from vessels.geodesy import FloatArray
from vessels.names import NAME_FIELD_CHARS, spelling

UNKNOWN, DIFFERS, NEAR, EQUAL = 0, 1, 2, 3
"""How two values compare, in rising order of likeness."""
SIZE_SLACK_M: Final = 1.0
"""Length and beam are typed in whole metres."""
MOST_STATEMENTS: Final = 20
"""Statements of one sender that are looked at, those most often sent."""


@dataclass(frozen=True, slots=True)
class Statements:
    """What senders said, once each, in rising order of `group`: columns of equal length, "" and NaN for nothing.

    `group` is the group of claims, `row` one of its rows; `bearers` counts the senders that send this name.
    """

    group: IntArray
    row: IntArray
    imo: IntArray
    mmsi: IntArray
    name: Objects
    call_sign: Objects
    length_m: FloatArray
    beam_m: FloatArray
    type_group: Objects
    flag: Objects
    bearers: IntArray

    def __len__(self) -> int:
        return len(self.group)

    def take(self, rows: IntArray) -> "Statements":
        """Some of them."""
        return Statements(*(getattr(self, name)[rows] for name in self.__slots__))


class Likeness(NamedTuple):
    """Pairs of statement and entry, how each column compares, and the listed name that is nearest (-1: none)."""

    statement: IntArray
    entry: IntArray
    imo: IntArray
    mmsi: IntArray
    name: IntArray
    call_sign: IntArray
    length: IntArray
    beam: IntArray
    flag: IntArray
    type_group: IntArray
    name_place: IntArray

    def take(self, rows: npt.NDArray[Any]) -> "Likeness":
        """Some of the pairs."""
        return Likeness(*(column[rows] for column in self))


def statements_of(claims: Claims) -> Statements:
    """The statements of all senders; IMO numbers are taken as they stand in the claims."""
    columns = claims.columns
    said = ["imo", "name", "call_sign", "length_m", "beam_m", "ship_type"]
    frame = pd.DataFrame({name: columns[name] for name in said})
    frame[["name", "call_sign"]] = frame[["name", "call_sign"]].fillna("")
    frame["group"] = np.repeat(np.arange(len(claims.starts) - 1, dtype=np.int64), np.diff(claims.starts))
    frame["n"] = columns["n_reports"]
    frame["n"] = frame.groupby(["group", *said], dropna=False, sort=False)["n"].transform("sum")
    frame = frame.drop_duplicates(["group", *said]).sort_values(["group", "n"], ascending=[True, False], kind="stable")
    frame = frame[frame.groupby("group", sort=False).cumcount() < MOST_STATEMENTS]
    bearers = frame[["group", "name"]].drop_duplicates().groupby("name").size()
    row = frame.index.to_numpy().astype(np.int64)
    mmsi = columns["mmsi"][row]
    return Statements(
        group=frame["group"].to_numpy().astype(np.int64),
        row=row,
        imo=columns["imo"][row],
        mmsi=mmsi,
        name=frame["name"].to_numpy().astype(object),
        call_sign=each(frame["call_sign"].to_numpy().astype(object), call_sign_key),
        length_m=np.where(columns["length_m"][row] > 0, columns["length_m"][row], np.nan),
        beam_m=np.where(columns["beam_m"][row] > 0, columns["beam_m"][row], np.nan),
        type_group=each(columns["ship_type"][row], type_said),
        flag=each(mmsi // 1_000_000, lambda mid: flag_of(mid * 1_000_000) or ""),
        bearers=bearers.reindex(frame["name"]).to_numpy().astype(np.int64),
    )


_PLAIN: Final = r"^[A-Z]{3,}(?: [A-Z]{3,})*(?: [1-9][0-9]{0,2})?$"
"""Words of three letters or more, then perhaps a number: `spelling` only joins them, but for the words below."""
_SHORTENED: Final = (
    r"\b(?:AND|SAINT|SANTA|EXPRESS|INTERNATIONAL|INT|PACIFIC|ATLANTIC|CARRIER|CAPTAIN|GENERAL|NORTH|SOUTH|EAST|WEST"
    r"|I+|[IVX]+|MTUG|NUM|NUMBER|BAT|BATT|BATTERY|VOLT|VOLTAGE|PWR)\b"
)


class Spellings:
    """Names reduced to letters and numbers by `vessels.names.spelling`; plain names, which most are, many at a time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def of(self, names: Objects) -> tuple[Objects, Objects]:
        """Letters of names as an AIS set would send them, and their numbers as one text; "" where there is none."""
        codes, different = pd.factorize(names)
        texts = pc.utf8_slice_codeunits(pa.array(different, pa.string()), 0, NAME_FIELD_CHARS)
        plain = pc.and_not(pc.match_substring_regex(texts, _PLAIN), pc.match_substring_regex(texts, _SHORTENED))
        letters = pc.replace_substring_regex(texts, "[^A-Z]+", "").to_numpy(zero_copy_only=False)
        numbers = pc.replace_substring_regex(texts, "[^0-9]+", "").to_numpy(zero_copy_only=False)
        for place in np.flatnonzero(~plain.to_numpy(zero_copy_only=False)).tolist():
            name = different[place]
            if name not in self._known:
                one = spelling(name[:NAME_FIELD_CHARS])
                self._known[name] = one.letters, " ".join(one.numbers)
            letters[place], numbers[place] = self._known[name]
        return letters[codes], numbers[codes]


def compared(
    said: Statements,
    listed: Listings,
    statement: IntArray,
    entry: IntArray,
    thresholds: Thresholds,
    spellings: Spellings,
) -> Likeness:
    """How statements and entries compare, pair by pair."""
    name, name_place = _names(said.name[statement], listed.names, entry, spellings)
    length = _sizes(
        said.length_m[statement],
        listed.length_m[entry],
        thresholds.length_tolerance_m,
        thresholds.length_tolerance_share,
    )
    beam = _sizes(
        said.beam_m[statement], listed.beam_m[entry], thresholds.beam_tolerance_m, thresholds.beam_tolerance_share
    )
    return Likeness(
        statement=statement,
        entry=entry,
        imo=_imo(said.imo[statement], listed.imo[entry]),
        mmsi=_mmsi(said.mmsi[statement], listed.mmsi, entry),
        name=name,
        call_sign=_among(said.call_sign[statement], listed.call_signs, entry),
        length=length,
        beam=beam,
        flag=_among(said.flag[statement], listed.flags, entry),
        type_group=_among(said.type_group[statement], listed.type_groups, entry),
        name_place=name_place,
    )


def near_imo(claimed: IntArray, listed: IntArray) -> BoolArray:
    """Whether claimed IMO numbers, of six to eight digits, are one edit from listed ones, pair by pair."""
    near = is_one_edit(claimed, listed, IMO_DIGITS)
    odd = np.flatnonzero((claimed > 0) & (listed > 0) & ((claimed < IMO_MIN) | (claimed > IMO_MAX)))
    texts = [str(number) for number in claimed[odd].tolist()], [str(number) for number in listed[odd].tolist()]
    near[odd] = near_letters(*texts) == 1
    return near


def _imo(claimed: IntArray, listed: IntArray) -> IntArray:
    known = (claimed > 0) & (listed > 0)
    return np.select([~known, claimed == listed, near_imo(claimed, listed)], [UNKNOWN, EQUAL, NEAR], DIFFERS)


def _mmsi(claimed: IntArray, listed: Several, entry: IntArray) -> IntArray:
    which, place = listed.spread(entry)
    one, two = claimed[which], listed.values[place]
    return _best(np.select([one == two, is_one_edit(one, two, MMSI_DIGITS)], [EQUAL, NEAR], DIFFERS), which, entry)


def _names(names: Objects, listed: Several, entry: IntArray, spellings: Spellings) -> tuple[IntArray, IntArray]:
    which, place = listed.spread(entry)
    letters, numbers = spellings.of(names)
    listed_letters, listed_numbers = spellings.of(listed.values[place])
    one, two = letters[which], listed_letters
    distance = near_letters(one.tolist(), two.tolist())
    short = np.minimum(_lengths(one), _lengths(two)) < MIN_NEAR_LETTERS
    same_numbers = numbers[which] == listed_numbers
    silent = names[which] == ""
    like = np.select(
        [silent, (distance == 0) & same_numbers, (distance == 1) & same_numbers & ~short],
        [UNKNOWN, EQUAL, NEAR],
        DIFFERS,
    )
    best = _best(like, which, entry)
    nearest = np.full(len(entry), -1, dtype=np.int64)
    order = np.flatnonzero(like == best[which])[::-1]
    nearest[which[order]] = place[order]
    return best, nearest


def _lengths(texts: Objects) -> IntArray:
    return np.array([len(text) for text in texts.tolist()], dtype=np.int64)


def _among(values: Objects, listed: Several, entry: IntArray) -> IntArray:
    """EQUAL where a value is among the entry's, DIFFERS where it is not, UNKNOWN where either says nothing."""
    which, place = listed.spread(entry)
    same = np.where(values[which] == listed.values[place], EQUAL, DIFFERS)
    return np.where(values == "", UNKNOWN, _best(same, which, entry))


def _best(like: IntArray, which: IntArray, entry: IntArray) -> IntArray:
    best = np.full(len(entry), UNKNOWN, dtype=np.int64)
    np.maximum.at(best, which, like)
    return best


def _sizes(one: FloatArray, two: FloatArray, slack_m: float, slack_share: float) -> IntArray:
    """EQUAL within a metre, NEAR within what re-entering explains, DIFFERS beyond; UNKNOWN where one is."""
    apart = np.abs(one - two)
    slack = np.maximum(slack_m, slack_share * np.fmax(one, two))
    return np.select([np.isnan(apart), apart <= SIZE_SLACK_M, apart <= slack], [UNKNOWN, EQUAL, NEAR], DIFFERS)
