"""A column of times in any form -> microseconds since 1970 UTC.

Takes an Arrow array of timestamps, epoch numbers or text; gives int64 microseconds with masks for what is missing,
unreadable or without a zone. Which instants are plausible is left to `vessels.quality`.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.errors import InputFileError
from vessels.units import US_PER_S

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_US: Final = timedelta(microseconds=1)
_FAR_US: Final = 2**62
"""Stands for an instant outside what microseconds in 64 bits can hold; quality rejects it as too late."""

# Epoch numbers tell their unit by magnitude: between 1973 and 5138 the ranges do not meet.
_MS_FROM: Final = 1e11
_US_FROM: Final = 1e14
_NS_FROM: Final = 1e17
_COMPACT_RANGE: Final = (19_000_000_000_000, 21_009_999_999_999)
"""Fourteen digits from 1900... to 2100... are YYYYMMDDHHMMSS; as an epoch they would lie after the year 2500."""
_COMPACT_DIGITS: Final = 14


@dataclass(frozen=True, slots=True)
class Instants:
    """Times of n rows. `us` int64; `missing`, `unreadable`, `naive` are masks (n,) or None where no row is meant."""

    us: npt.NDArray[np.int64]
    missing: npt.NDArray[np.bool_] | None = None
    unreadable: npt.NDArray[np.bool_] | None = None
    naive: npt.NDArray[np.bool_] | None = None


def _mask(values: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
    return values if values.any() else None


def _nulls(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    return array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None


def parse_times(array: pa.Array, zone: str | None, *, day_first: bool = False) -> Instants:
    """The instants of a time column. `zone` is that of times that state none; None marks them `naive`.

    Raises InputFileError: `naive_time` for timestamps of a type without zone where none is given, `column_type`
    for a type that holds no instant.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _through_dictionary(array, lambda values: parse_times(values, zone, day_first=day_first))
    if pa.types.is_timestamp(kind):
        return _from_timestamps(array, zone)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_numbers(array, zone)
    if pa.types.is_null(kind):
        n = len(array)
        return Instants(np.zeros(n, np.int64), missing=np.ones(n, np.bool_))
    if is_text(kind):
        return _from_text(as_string(array), zone, day_first=day_first)
    raise InputFileError("column_type", f"the time column is of type {kind}, which holds no instant")


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds characters or bytes."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def as_string(array: pa.Array) -> pa.Array:
    """Any text array as `large_string`, bytes unchecked."""
    kind = array.type
    if pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return array
    if pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_binary_view(kind):
        array = array.cast(pa.binary())
    return array.cast(pa.large_string() if pa.types.is_large_binary(array.type) else pa.string(), safe=False)


def value_at(array: pa.Array, row: int) -> Any:
    """One value for people to see: text that is no UTF-8 as Latin-1, timestamps as ISO text."""
    scalar = array[row]
    if isinstance(scalar, pa.DictionaryScalar):
        return value_at(array.dictionary, scalar.index.as_py()) if scalar.is_valid else None
    if not scalar.is_valid:
        return None
    if pa.types.is_timestamp(scalar.type):
        try:
            return scalar.as_py().isoformat()
        except (OverflowError, ValueError):  # beyond the years that datetime knows
            return f"{scalar.value} {scalar.type.unit} since 1970"
    if not is_text(scalar.type):
        return scalar.as_py()
    raw: bytes = scalar.as_buffer().to_pybytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _through_dictionary(array: pa.DictionaryArray, parse: Callable[[pa.Array], Instants]) -> Instants:
    inner = parse(array.dictionary)
    missing = _nulls(array.indices)
    index = array.indices.fill_null(0) if missing is not None else array.indices
    at = index.to_numpy(zero_copy_only=False)
    if not len(inner.us):
        return Instants(np.zeros(len(array), np.int64), missing=np.ones(len(array), np.bool_))
    if inner.missing is not None:
        said = inner.missing[at]
        missing = said if missing is None else missing | said
    unreadable = None if inner.unreadable is None else inner.unreadable[at]
    naive = None if inner.naive is None else inner.naive[at]
    if missing is not None:
        unreadable = None if unreadable is None else unreadable & ~missing
        naive = None if naive is None else naive & ~missing
    return Instants(inner.us[at], missing, unreadable, naive)


def _scaled(values: npt.NDArray[np.int64], factor: int) -> npt.NDArray[np.int64]:
    limit = _FAR_US // factor
    return np.clip(values, -limit, limit) * factor


def _from_timestamps(array: pa.Array, zone: str | None) -> Instants:
    kind = array.type
    if kind.tz is None and zone is None:
        raise InputFileError(
            "naive_time",
            'the times state no zone; if they are UTC, say so in the settings: [input] timezone = "UTC", '
            "or write them as ISO 8601 text with Z or an offset",
        )
    if kind.tz is None and zone != "UTC":
        array = pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest")
    missing = _nulls(array)
    numbers = array.view(pa.int64())
    if missing is not None:
        numbers = numbers.fill_null(0)
    values = numbers.to_numpy(zero_copy_only=False)
    match kind.unit:
        case "s":
            values = _scaled(values, US_PER_S)
        case "ms":
            values = _scaled(values, 1000)
        case "ns":
            values = values // 1000
    return Instants(values, missing)


def _from_numbers(array: pa.Array, zone: str | None) -> Instants:
    missing = _nulls(array)
    if pa.types.is_integer(array.type):
        whole = (array.fill_null(0) if missing is not None else array).to_numpy(zero_copy_only=False)
        if whole.dtype == np.uint64:
            whole = np.minimum(whole, np.uint64(_FAR_US))
        whole = whole.astype(np.int64, copy=False)
        compact = (whole >= _COMPACT_RANGE[0]) & (whole <= _COMPACT_RANGE[1])
        size = np.abs(whole)
        us = _scaled(whole, US_PER_S)
        us = np.where(size >= _MS_FROM, _scaled(whole, 1000), us)
        us = np.where(size >= _US_FROM, whole, us)
        us = np.where(size >= _NS_FROM, whole // 1000, us)
        if compact.any():
            return _with_compact(us, missing, None, compact, [str(v) for v in whole[compact].tolist()], zone)
        return Instants(us, missing)
    values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    absent = np.isnan(values)
    endless = np.isinf(values)
    values = np.where(absent | endless, 0.0, values)
    size = np.abs(values)
    factor = np.select([size >= _NS_FROM, size >= _US_FROM, size >= _MS_FROM], [1e-3, 1.0, 1e3], 1e6)
    us = np.rint(np.clip(values * factor, -_FAR_US, _FAR_US)).astype(np.int64)
    compact = (values >= _COMPACT_RANGE[0]) & (values <= _COMPACT_RANGE[1])
    if compact.any():
        texts = [str(int(v)) for v in values[compact].tolist()]
        return _with_compact(us, _mask(absent), _mask(endless), compact, texts, zone)
    return Instants(us, _mask(absent), _mask(endless))


def _with_compact(
    us: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_] | None,
    unreadable: npt.NDArray[np.bool_] | None,
    compact: npt.NDArray[np.bool_],
    texts: list[str],
    zone: str | None,
) -> Instants:
    read = _from_text(pa.array(texts, pa.string()), zone, day_first=False)
    us, naive, bad = us.copy(), np.zeros(len(us), np.bool_), np.zeros(len(us), np.bool_)
    us[compact] = read.us
    if read.naive is not None:
        naive[compact] = read.naive
    if read.unreadable is not None:
        bad[compact] = read.unreadable
    return Instants(us, missing, _mask(bad if unreadable is None else bad | unreadable), _mask(naive))


def _from_text(array: pa.Array, zone: str | None, *, day_first: bool) -> Instants:
    fast = _iso_in_one(array, zone)
    if fast is not None:
        return fast
    coded = array.dictionary_encode()
    return _through_dictionary(coded, lambda values: _text_by_text(values, zone, day_first=day_first))


def _iso_in_one(array: pa.Array, zone: str | None) -> Instants | None:
    """All texts at once when they are plain ISO 8601, all with a zone or all without; None otherwise."""
    if len(array) == array.null_count:
        return Instants(np.zeros(len(array), np.int64), missing=np.ones(len(array), np.bool_))
    if pc.min(pc.binary_length(array)).as_py() < len("2022-01-03T00:00"):
        return None
    first = value_at(array.drop_null() if array.null_count else array, 0)
    zoned = bool(re.search(r"(?:Z|[+-]\d\d(?::?\d\d)?)$", first[11:]))
    try:
        stamps = array.cast(pa.timestamp("us", tz="UTC" if zoned else None))
    except pa.ArrowInvalid:
        return None
    if zoned or zone is not None:
        return _from_timestamps(stamps, zone)
    read = _from_timestamps(stamps, "UTC")
    naive = np.ones(len(array), np.bool_)
    return Instants(read.us, read.missing, None, naive if read.missing is None else naive & ~read.missing)


_CLOCK: Final = r"(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
_ZONE: Final = r"\s*(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?(?:\s*UTC)?)?"
_ISO: Final = re.compile(rf"(?P<y>\d{{4}})[-/.](?P<mo>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?:T|\s+){_CLOCK}{_ZONE}", re.I)
_COMPACT: Final = re.compile(
    r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})[_T\s-]?(?P<h>\d{2}):?(?P<mi>\d{2}):?(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?"
    + _ZONE,
    re.I,
)
_DAY_FIRST: Final = re.compile(
    rf"(?P<d>\d{{1,2}})[/.-](?P<mo>\d{{1,2}})[/.-](?P<y>\d{{4}})(?:T|,?\s+){_CLOCK}{_ZONE}", re.I
)
_DOTTED: Final = re.compile(rf"(?P<d>\d{{1,2}})\.(?P<mo>\d{{1,2}})\.(?P<y>\d{{4}}),?\s+{_CLOCK}{_ZONE}", re.I)
_WORDED: Final = re.compile(
    rf"(?:[A-Z]{{3,9}},?\s+)?(?P<d>\d{{1,2}})[\s-](?P<month>[A-Z]{{3}})[A-Z]*[\s-](?P<y>\d{{4}}),?\s+{_CLOCK}{_ZONE}",
    re.I,
)
_NUMBER: Final = re.compile(r"[+-]?\d{1,19}(?:\.\d*)?(?:e\+?\d+)?", re.I)
_MONTHS: Final = {"janfebmaraprmayjunjulaugsepoctnovdec"[3 * i : 3 * i + 3]: i + 1 for i in range(12)}
_BLANK: Final = frozenset({"", "nan", "nat", "none", "null", "n/a", "na", "\\n"})
_AMBIGUOUS: Final = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}\s")


def is_ambiguous_date(text: str) -> bool:
    """Whether a date writes day and month in an order that only its writer knows.

    >>> is_ambiguous_date("05/03/2024 10:00:00"), is_ambiguous_date("2024-03-05 10:00:00")
    (True, False)
    """
    return bool(_AMBIGUOUS.match(text.strip()))


def _offset(zone: str) -> timezone:
    digits = re.sub(r"[^0-9]", "", zone)
    span = timedelta(hours=int(digits[:2] or 0), minutes=int(digits[2:4] or 0))
    return timezone(-span if zone.startswith("-") else span)


def _epoch_us(text: str) -> int | None:
    """An epoch number in text, its unit told by magnitude."""
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    size = abs(number)
    if math.isinf(size):
        return None
    if size >= _NS_FROM:
        us = number // 1000
    else:
        us = number * (1 if size >= _US_FROM else 1000 if size >= _MS_FROM else US_PER_S)
    return round(max(-_FAR_US, min(_FAR_US, us)))


def read_time(text: str, zone: str | None, *, day_first: bool = False) -> tuple[int, bool] | None:
    """One time in text -> (microseconds UTC, whether it stated no zone and none was given); None if unreadable.

    >>> read_time("2011-04-12 10:40:27 GMT", None)
    (1302604827000000, False)
    >>> read_time("05/03/2024 10:00:00", "UTC", day_first=True) == read_time("2024-03-05T10:00Z", None)
    True
    """
    text = text.strip()
    if _NUMBER.fullmatch(text) and not (len(text) == _COMPACT_DIGITS and text.isdigit()):
        us = _epoch_us(text)
        return None if us is None else (us, False)
    forms = (_ISO, _COMPACT, _DAY_FIRST if day_first else _DOTTED, _WORDED)
    match = next((found for form in forms if (found := form.fullmatch(text))), None)
    if match is None:
        return None
    part = match.groupdict()
    month = _MONTHS.get(part["month"].lower()) if "month" in part else int(part["mo"])
    if month is None:
        return None
    fraction_us = int((part["f"] or "0").ljust(6, "0")[:6])
    try:
        when = datetime(  # noqa: DTZ001 - the zone is settled below
            int(part["y"]), month, int(part["d"]), int(part["h"]), int(part["mi"]), int(part["s"] or 0), fraction_us
        )
    except ValueError:
        return None
    naive = part["z"] is None and zone is None
    if part["z"] is not None:
        aware = when.replace(tzinfo=UTC if part["z"][0] not in "+-" else _offset(part["z"]))
    else:
        aware = when.replace(tzinfo=ZoneInfo(zone) if zone and zone != "UTC" else UTC)
    return (aware - _EPOCH) // _ONE_US, naive


def _text_by_text(values: pa.Array, zone: str | None, *, day_first: bool) -> Instants:
    n = len(values)
    us, flags = np.zeros(n, np.int64), np.zeros((3, n), np.bool_)
    for i, raw in enumerate(values.cast(pa.large_binary()).to_pylist()):
        text = raw.decode("utf-8", "replace").strip() if raw is not None else ""
        if text.lower() in _BLANK:
            flags[0, i] = True
        elif (read := read_time(text, zone, day_first=day_first)) is None:
            flags[1, i] = True
        else:
            us[i], flags[2, i] = read
    return Instants(us, *(_mask(flag) for flag in flags))
