"""Numbers and MMSI in every form that files hold."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessels.fields import distinct, mmsi_column, numbers, point_column

NAN = float("nan")


def listed(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.5, None, -2.0]),
        pa.array([1.5, NAN, -2.0], pa.float32()),
        pa.array([1.5, NAN, -2.0], pa.float16()),
        pa.array([Decimal("1.5"), None, Decimal("-2.0")], pa.decimal128(5, 2)),
        pa.array(["1.5", None, "-2"]),
        pa.array([" 1.50", "", "-2e0 "]),
        pa.array(["1,5", "NaN", "-2"]),
        pa.array(["1.5", "n/a", "-2."], pa.large_string()),
        pa.array(["1.5", None, "-2"], pa.string_view()),
        pa.array([b"1.5", None, b"-2"], pa.binary()),
        pa.array(["1.5", None, "-2"]).dictionary_encode(),
        pa.array([1.5, None, -2.0]).dictionary_encode(),
    ],
)
def test_numbers_in_any_form(array: pa.Array) -> None:
    for form in (array, pa.concat_arrays([array, array]).slice(3)):
        got = numbers(form)
        assert listed(got.values) == [1.5, None, -2.0]
        assert got.unreadable is None


@pytest.mark.parametrize("text", ["abc", "1.2.3", "0x10", "12 kn", "--1", "1,234,567", "inf", "1e999", "½", "\x00"])
def test_text_that_is_no_number_is_unreadable(text: str) -> None:
    for array in (pa.array([text, "1"]), pa.array([text, "1"]).dictionary_encode()):
        got = numbers(array)
        assert got.unreadable is not None
        assert (got.unreadable.tolist(), listed(got.values)) == ([True, False], [None, 1.0])


def test_infinite_numbers_are_unreadable() -> None:
    got = numbers(pa.array([float("-inf"), NAN, 1.0]))
    assert got.unreadable is not None
    assert got.unreadable.tolist() == [True, False, False]


def test_a_column_of_nulls_and_an_empty_column() -> None:
    assert listed(numbers(pa.nulls(2)).values) == [None, None]
    for kind in (pa.float64(), pa.int32(), pa.string(), pa.dictionary(pa.int32(), pa.string())):
        assert len(numbers(pa.array([], kind)).values) == 0


@pytest.mark.parametrize(
    "array",
    [
        pa.array([2311000, 273123456]),
        pa.array([2311000, 273123456], pa.uint32()),
        pa.array([2311000.0, 273123456.0]),
        pa.array(["002311000", "273123456"]),
        pa.array(["2311000.0", "273123456.0"]),
        pa.array([" 002311000 ", "2.73123456e8"]),
        pa.array(["002311000", "273123456"]).dictionary_encode(),
        pa.array([Decimal(2311000), Decimal(273123456)]),
    ],
)
def test_an_mmsi_keeps_its_meaning_in_any_form(array: pa.Array) -> None:
    got = mmsi_column(array)
    assert (got.values.tolist(), got.missing, got.unreadable) == ([2311000, 273123456], None, None)
    assert got.values.dtype == np.int64


def test_zero_is_a_claim_and_other_bad_numbers_are_none() -> None:
    whole = mmsi_column(pa.array([0, -1, 1_000_000_000, None, 999_999_999]))
    text = mmsi_column(pa.array(["0", "-1", "1000000000", None, "999999999"]))
    for got in (whole, text):
        assert got.missing is not None
        assert got.unreadable is not None
        assert got.missing.tolist() == [False, False, False, True, False]
        assert got.unreadable.tolist() == [False, True, True, False, False]
        assert (got.values[0], got.values[4]) == (0, 999_999_999)
    fraction = mmsi_column(pa.array([273123456.5])).unreadable
    assert fraction is not None
    assert fraction.all()


def test_different_values_are_told_apart_once() -> None:
    got = distinct(pa.array(["A", None, "B", "A"]))
    assert [got.values[code] for code in got.codes] == ["A", None, "B", "A"]
    assert dict(zip(got.values, got.counts().tolist(), strict=True)) == {"A": 2, "B": 1, None: 1}


def test_bytes_that_are_no_utf8_are_latin_1() -> None:
    assert distinct(pa.array(["SKÅGEN".encode("latin-1"), "SKÅGEN".encode()], pa.binary())).values[:2] == (
        "SKÅGEN",
        "SKÅGEN",
    )


@pytest.mark.parametrize("kind", ["struct", "big endian", "null", "line"])
def test_points_in_less_common_forms(kind: str) -> None:
    little = b"\x01\x01\x00\x00\x00" + np.array([132.0, 43.0], "<f8").tobytes()
    big = b"\x00\x00\x00\x00\x01" + np.array([132.0, 43.0], ">f8").tobytes()
    line = b"\x01\x02\x00\x00\x00\x02\x00\x00\x00" + np.array([1.0, 2.0, 3.0, 4.0], "<f8").tobytes()
    array = {
        "struct": pa.array([{"x": 132.0, "y": 43.0}, {"x": 1.0, "y": 2.0}]),
        "big endian": pa.array([big, little]),
        "null": pa.array([little, None]),
        "line": pa.array([little, line]),
    }[kind]
    lat, lon = point_column(array)
    assert (lat.values[0], lon.values[0]) == (43.0, 132.0)
    assert (lat.unreadable is not None and bool(lat.unreadable[1])) == (kind == "line")


def test_points_of_a_slice() -> None:
    wkb = [b"\x01\x01\x00\x00\x00" + np.array([i, -i], "<f8").tobytes() for i in range(5)]
    for kind in (pa.binary(), pa.large_binary()):
        lat, lon = point_column(pa.array(wkb, kind).slice(2, 2))
        assert (lat.values.tolist(), lon.values.tolist()) == ([-2.0, -3.0], [2.0, 3.0])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), max_size=30))
def test_text_and_float_agree(values: list[float | None]) -> None:
    plain = numbers(pa.array(values, pa.float64())).values
    text = pa.array([None if value is None else repr(value) for value in values], pa.string())
    assert np.array_equal(numbers(text).values, plain, equal_nan=True)
    assert np.array_equal(numbers(text.dictionary_encode()).values, plain, equal_nan=True)
