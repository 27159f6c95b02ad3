"""The static columns of a batch -> each different claim once, and for every row the index of its claim.

Takes Arrow arrays by field; gives a `ClaimIndex`. Each column's different values are understood once; the columns
are then combined as digits of one mixed-radix integer a row, so that no row is looked at in Python. What a claim
is worth is left to `vessels.identities`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.ais import BEAM_MAX_M, LENGTH_MAX_M
from vessels.chunks import NOTHING_SAID, StaticClaim
from vessels.codes import ship_type_of_words
from vessels.fields import Distinct, distinct, numbers
from vessels.layouts import Layout
from vessels.quality import Nulled
from vessels.values import clean_ship_type, clean_size

_KEY_LIMIT: Final = 2**62
_REMEMBERED: Final = 65_536
"""Texts whose cleaning is remembered: the same few thousand names come with every chunk."""
_WHOLE: Final = re.compile(r"\s*(\d+)\.0*\s*")

Cleaned = tuple[Any, str | None]
"""A value, and why it was nulled if it was."""


@dataclass(frozen=True, slots=True)
class ClaimIndex:
    """`index` (n,) int32 into `claims`, whose first is NOTHING_SAID.

    `says_something` (n,): whether the row states more than the class of its set.
    """

    index: npt.NDArray[np.int32]
    claims: tuple[StaticClaim, ...]
    says_something: npt.NDArray[np.bool_]


def claims_of(columns: Mapping[str, pa.Array], layout: Layout, transceiver: Distinct, nulled: Nulled) -> ClaimIndex:
    """What each row says of its ship. `transceiver` holds A, B or None by row."""

    def text(raw: Any) -> Cleaned:
        return _text(raw, layout.dialect.says_nothing)

    def whole_text(raw: Any) -> Cleaned:
        return _whole_text(raw, layout.dialect.says_nothing)

    length = columns.get("length_m", _sum(columns, "to_bow", "to_stern"))
    beam = columns.get("beam_m", _sum(columns, "to_port", "to_starboard"))
    parts = (
        _column(columns.get("imo"), "imo", whole_text, nulled),
        _column(columns.get("name"), "name", text, nulled),
        _column(columns.get("call_sign"), "call_sign", whole_text, nulled),
        _column(columns.get("ship_type"), "ship_type", _ship_type, nulled),
        _column(length, "length_m", lambda raw: _size(raw, LENGTH_MAX_M), nulled),
        _column(beam, "beam_m", lambda raw: _size(raw, BEAM_MAX_M), nulled),
        _column(columns.get("destination"), "destination", text, nulled),
        transceiver,
    )
    return _combined(parts, len(columns["mmsi"]))


def _sum(columns: Mapping[str, pa.Array], one: str, other: str) -> pa.Array | None:
    if one not in columns:
        return None
    return pa.array(numbers(columns[one]).values + numbers(columns[other]).values, from_pandas=True)


def _column(
    array: pa.Array | None, field_name: str, clean: Callable[[Any], Cleaned], nulled: Nulled
) -> Distinct | None:
    if array is None or array.null_count == len(array):
        return None
    raw = distinct(array)
    values: list[Any] = []
    counts: npt.NDArray[np.int64] | None = None
    for code, value in enumerate(raw.values):
        cleaned, why = (None, None) if value is None else clean(value)
        values.append(cleaned)
        if why is not None:
            counts = raw.counts() if counts is None else counts
            nulled.add(field_name, why, int(counts[code]))
    return Distinct(raw.codes, tuple(values))


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _whole_text(raw: Any, says_nothing: frozenset[str]) -> Cleaned:
    return _text(_without_fraction(raw), says_nothing)


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _text(raw: Any, says_nothing: frozenset[str]) -> Cleaned:
    text = raw if isinstance(raw, str) else str(raw)
    bare = text.strip()
    return (None if not bare or bare.lower() in says_nothing else text), None


def _without_fraction(raw: Any) -> Any:
    """A whole number without the ".0" that tools add on the way through floating point."""
    if isinstance(raw, str):
        match = _WHOLE.fullmatch(raw)
        return match.group(1) if match else raw
    if isinstance(raw, float):
        return "" if np.isnan(raw) else int(raw) if raw.is_integer() else raw
    return raw


def _number(raw: Any) -> float | None:
    try:
        value = float(raw)
    except (TypeError, ValueError):
        value = numbers(pa.array([str(raw)])).values[0]
    return None if np.isnan(value) or np.isinf(value) else float(value)


def _size(raw: Any, limit_m: float) -> Cleaned:
    value = _number(raw)
    if value is None:
        return None, None if not str(raw).strip() else "unreadable"
    return clean_size(value, limit_m)


def _ship_type(raw: Any) -> Cleaned:
    value = _number(raw)
    if value is not None:
        return clean_ship_type(value)
    if not str(raw).strip():
        return None, None
    code = ship_type_of_words(str(raw))
    if code is None:
        return None, "unreadable"
    return clean_ship_type(code)


def _combined(parts: tuple[Distinct | None, ...], n: int) -> ClaimIndex:
    if all(part is None or not any(value is not None for value in part.values) for part in parts):
        return ClaimIndex(np.zeros(n, np.int32), (NOTHING_SAID,), np.zeros(n, np.bool_))
    key, size = np.zeros(n, np.int64), 1
    for part in parts:
        if part is None or len(part.values) == 1:
            continue
        if size * len(part.values) >= _KEY_LIMIT:
            coded = pa.array(key).dictionary_encode()
            key, size = coded.indices.to_numpy().astype(np.int64), len(coded.dictionary)
        key *= len(part.values)
        key += part.codes
        size *= len(part.values)
    coded = pa.array(key).dictionary_encode()
    of_row = coded.indices.to_numpy()
    example = np.empty(len(coded.dictionary), np.int64)
    example[of_row[::-1]] = np.arange(n - 1, -1, -1)
    held = [
        [None] * len(example) if part is None else [part.values[code] for code in part.codes[example].tolist()]
        for part in parts
    ]
    known: dict[StaticClaim, int] = {NOTHING_SAID: 0}
    place = [known.setdefault(StaticClaim(*values), len(known)) for values in zip(*held, strict=True)]
    claims = tuple(known)
    index = np.asarray(place, np.int32)[of_row] if place else np.zeros(n, np.int32)
    says = np.asarray([any(value is not None for value in claim[:-1]) for claim in claims], np.bool_)
    return ClaimIndex(index, claims, says[index])
