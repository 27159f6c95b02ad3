"""One column of a file in any readable form -> NumPy: numbers, MMSI, and values told apart once.

Takes Arrow arrays (numbers, decimals, text, dictionaries); gives float arrays with NaN for null, and masks for
what is no number. What a value means is left to `vessels.quality` and `vessels.codes`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from vessels.ais import MMSI_MAX
from vessels.errors import InputFileError
from vessels.times import as_string, is_text

_PLAIN_NUMBER: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_DECIMAL_COMMA: Final = r"^[+-]?\d+,\d+$"
_NO_NUMBER: Final = ("", "nan", "none", "null", "na", "n/a", "\\n", "unknown", "undefined", "<na>")
"""Texts that stand for an empty cell in files written by common tools."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of n rows, NaN where null or unreadable; `unreadable` is a mask or None where all are readable."""

    values: Floats
    unreadable: Mask | None = None


def holds_numbers(kind: pa.DataType) -> bool:
    """Whether an Arrow type can be read as numbers: numbers, decimals, text, dictionaries of them, null."""
    if pa.types.is_dictionary(kind):
        return holds_numbers(kind.value_type)
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
        or is_text(kind)
    )


def numbers(array: pa.Array) -> Numbers:
    """A column as float64; NaN where null, empty or no number (infinite counts as none).

    >>> numbers(pa.array(["1.5", " 2", "3,5", "abc", ""])).values.tolist()
    [1.5, 2.0, 3.5, nan, nan]
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        inner = numbers(array.dictionary)
        at = _index(array)
        padded = np.append(inner.values, np.nan)
        bad = None if inner.unreadable is None else np.append(inner.unreadable, False)[at]
        return Numbers(padded[at], bad)
    if pa.types.is_null(kind):
        return Numbers(np.full(len(array), np.nan))
    if is_text(kind):
        return _numbers_from_text(as_string(array))
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        if not array.null_count and pa.types.is_integer(kind):
            return Numbers(array.to_numpy(zero_copy_only=False).astype(np.float64))
        array = array.cast(pa.float64(), safe=False)
    elif not pa.types.is_floating(kind):
        raise InputFileError("column_type", f"a column of type {kind} holds no numbers")
    values = array.to_numpy(zero_copy_only=False)
    if values.dtype != np.float64:
        values = values.astype(np.float64)
    return Numbers(*_finite(values, None))


def _index(array: pa.DictionaryArray) -> npt.NDArray[np.signedinteger[Any]]:
    """Dictionary positions of each row, -1 where null."""
    indices = array.indices
    if indices.type != pa.int32():
        indices = indices.cast(pa.int64())
    if indices.null_count:
        indices = indices.fill_null(-1)
    at: npt.NDArray[np.signedinteger[Any]] = indices.to_numpy(zero_copy_only=False)
    return at


def _finite(values: Floats, bad: Mask | None) -> tuple[Floats, Mask | None]:
    if len(values) and np.isinf(np.max(np.abs([np.fmin.reduce(values), np.fmax.reduce(values)]))):
        endless = np.isinf(values)
        values = np.where(endless, np.nan, values)
        bad = endless if bad is None else bad | endless
    return values, bad


def _numbers_from_text(array: pa.Array) -> Numbers:
    try:
        return Numbers(*_finite(array.cast(pa.float64()).to_numpy(zero_copy_only=False), None))
    except pa.ArrowInvalid:
        pass
    trimmed = pc.ascii_trim_whitespace(array)
    nothing = pc.is_in(pc.ascii_lower(trimmed), value_set=pa.array(_NO_NUMBER, trimmed.type))
    trimmed = pc.if_else(nothing, pa.scalar(None, trimmed.type), trimmed)
    comma = pc.match_substring_regex(trimmed, _DECIMAL_COMMA)
    if pc.any(comma).as_py():
        trimmed = pc.if_else(comma, pc.replace_substring(trimmed, ",", "."), trimmed)
    plain = pc.match_substring_regex(trimmed, _PLAIN_NUMBER)
    values = pc.if_else(plain, trimmed, pa.scalar(None, trimmed.type)).cast(pa.float64())
    bad = pc.invert(plain).fill_null(False).to_numpy(zero_copy_only=False)
    return Numbers(*_finite(values.to_numpy(zero_copy_only=False), bad if bad.any() else None))


@dataclass(frozen=True, slots=True)
class MmsiColumn:
    """MMSI of n rows as int64; masks (or None) of rows that state none and of rows whose text is no MMSI."""

    values: npt.NDArray[np.int64]
    missing: Mask | None = None
    unreadable: Mask | None = None


def mmsi_column(array: pa.Array) -> MmsiColumn:
    """A column of MMSI; text keeps its meaning with or without leading zeros, floats must be whole.

    >>> mmsi_column(pa.array(["002311000", "273123456.0", "12x", None])).values.tolist()
    [2311000, 273123456, 0, 0]
    """
    if pa.types.is_integer(array.type):
        missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        raw = (array.fill_null(0) if array.null_count else array).to_numpy(zero_copy_only=False)
        if not len(raw) or (raw.min() >= 0 and raw.max() <= MMSI_MAX):
            return MmsiColumn(raw.astype(np.int64, copy=False), missing)
        bad = (raw < 0) | (raw > MMSI_MAX)
        return MmsiColumn(np.where(bad, 0, raw).astype(np.int64), missing, bad)
    if not holds_numbers(array.type):
        raise InputFileError("column_type", f"a column of type {array.type} holds no MMSI")
    read = numbers(array)
    missing = np.isnan(read.values)
    whole = np.where(missing, 0.0, read.values)
    bad = (whole < 0) | (whole > MMSI_MAX) | (whole != np.floor(whole))
    if read.unreadable is not None:
        missing = missing & ~read.unreadable
        bad = bad | read.unreadable
    values = np.where(bad, 0.0, whole).astype(np.int64)
    return MmsiColumn(values, missing if missing.any() else None, bad if bad.any() else None)


@dataclass(frozen=True, slots=True)
class Distinct:
    """The values of a column told apart: `codes` (n,) integers into `values`, whose last entry is None (null)."""

    codes: npt.NDArray[np.signedinteger[Any]]
    values: tuple[Any, ...]

    def counts(self) -> npt.NDArray[np.int64]:
        """Rows that hold each value."""
        return np.bincount(self.codes, minlength=len(self.values))


def distinct(array: pa.Array) -> Distinct:
    """Each different value of a column once, text as str (UTF-8, else Latin-1), numbers as they are.

    >>> distinct(pa.array(["A", None, "A"])).values
    ('A', None)
    """
    if not pa.types.is_dictionary(array.type):
        if pa.types.is_null(array.type):
            return Distinct(np.zeros(len(array), np.int64), (None,))
        if not holds_numbers(array.type):
            raise InputFileError("column_type", f"a column of type {array.type} holds neither text nor numbers")
        if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
            array = as_string(array)
        array = array.dictionary_encode()
    elif not holds_numbers(array.type):
        raise InputFileError("column_type", f"a column of type {array.type} holds neither text nor numbers")
    held = array.dictionary
    if is_text(held.type):
        values = [None if raw is None else _decoded(raw) for raw in _bytes(held)]
    else:
        values = held.to_pylist()
    codes = _index(array)
    null = len(values)
    if array.indices.null_count:
        codes = np.where(codes < 0, codes.dtype.type(null), codes)
    return Distinct(codes, (*values, None))


def _bytes(array: pa.Array) -> list[bytes | None]:
    as_bytes: list[bytes | None] = as_string(array).cast(pa.large_binary()).to_pylist()
    return as_bytes


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_WKB_POINT_BYTES: Final = 21
"""Byte order (1), geometry type (4), x and y (8 each): OGC 06-103r4."""
_WKB_POINT: Final = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])


def point_column(array: pa.Array) -> tuple[Numbers, Numbers]:
    """Latitudes and longitudes of a GeoParquet point column: WKB, or a struct of x and y.

    Rows that hold no point are unreadable. Raises InputFileError for columns that hold no geometry.
    """
    if pa.types.is_struct(array.type) and {"x", "y"} <= {f.name for f in array.type}:
        return numbers(pc.struct_field(array, "y")), numbers(pc.struct_field(array, "x"))
    if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
        raise InputFileError("column_type", f"the geometry column is of type {array.type}, not WKB points")
    lengths = pc.binary_length(array)
    n = len(array)
    if n and not array.null_count and pc.min_max(lengths).as_py() == {"min": _WKB_POINT_BYTES, "max": _WKB_POINT_BYTES}:
        wide = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        start = int(np.frombuffer(array.buffers()[1], wide, count=1, offset=array.offset * wide().itemsize)[0])
        points = np.frombuffer(array.buffers()[2], _WKB_POINT, count=n, offset=start)
        if (points["order"] == 1).all() and (points["type"] == 1).all():
            return Numbers(np.ascontiguousarray(points["y"])), Numbers(np.ascontiguousarray(points["x"]))
    shapes = shapely.from_wkb(array.to_numpy(zero_copy_only=False), on_invalid="ignore")
    are_points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    bad = ~are_points & ~array.is_null().to_numpy(zero_copy_only=False)
    shapes = np.where(are_points, shapes, None)
    return Numbers(shapely.get_y(shapes), bad), Numbers(shapely.get_x(shapes), bad)
