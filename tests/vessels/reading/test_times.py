"""Times in every form that files hold, against one instant known beforehand."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessels.errors import InputFileError
from vessels.times import parse_times

WHEN = datetime(2021, 7, 1, 18, 51, 51, tzinfo=UTC)
US = 1_625_165_511_000_000
FRACTION = 218_000


@pytest.mark.parametrize(
    "kind", [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in ("UTC", "Asia/Tokyo")]
)
def test_timestamps_of_any_unit_and_zone(kind: pa.DataType) -> None:
    got = parse_times(pa.array([WHEN, None], kind), None)
    assert got.us[0] == US
    assert got.missing is not None
    assert got.missing.tolist() == [False, True]


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.float64(), pa.string(), pa.decimal128(38, 2), pa.dictionary(pa.int32(), pa.string())]
)
def test_epoch_numbers_tell_their_unit_by_magnitude(factor: int, kind: pa.DataType) -> None:
    number = US // 1_000_000 * factor
    text = pa.types.is_string(kind) or pa.types.is_dictionary(kind)
    value = str(number) if text else Decimal(number) if pa.types.is_decimal(kind) else number
    value = float(number) if pa.types.is_floating(kind) else value
    assert abs(int(parse_times(pa.array([value], kind), None).us[0]) - US) <= 1


@pytest.mark.parametrize(
    ("text", "extra_us"),
    [
        ("2021-07-01T18:51:51Z", 0),
        ("2021-07-01 18:51:51.218Z", FRACTION),
        ("2021-07-01T18:51:51.218000000Z", FRACTION),
        ("2021-07-01T20:51:51+02:00", 0),
        ("2021-07-01T20:51:51+0200", 0),
        ("2021-07-01 13:51:51-05", 0),
        ("2021-07-01 18:51:51 UTC", 0),
        ("2021-07-01 18:51:51.218 UTC", FRACTION),
        ("2021-07-01 18:51:51 GMT", 0),
        ("2021-07-01 18:51:51 +0000 UTC", 0),
        ("2021/07/01 18:51:51Z", 0),
        ("20210701T185151Z", 0),
        ("01.07.2021 18:51:51 UTC", 0),
        ("1 Jul 2021 18:51:51 UTC", 0),
        ("Thu, 01 Jul 2021 18:51:51 GMT", 0),
        ("1625165511.218", FRACTION),
    ],
)
def test_texts_with_a_zone(text: str, extra_us: int) -> None:
    for padded in (text, f"  {text} "):
        got = parse_times(pa.array([padded]), None)
        assert (got.us[0], got.unreadable, got.naive) == (US + extra_us, None, None)


@pytest.mark.parametrize(
    "text", ["2021-07-01T18:51:51", "2021-07-01 18:51:51", "20210701_185151", "20210701185151", "01.07.2021 18:51:51"]
)
def test_texts_without_a_zone_need_one_from_outside(text: str) -> None:
    refused = parse_times(pa.array([text, None]), None)
    assert refused.naive is not None
    assert refused.naive.tolist() == [True, False]
    assert parse_times(pa.array([text]), "UTC").us[0] == US
    assert parse_times(pa.array([text]), "Asia/Tokyo").us[0] == US - 9 * 3600 * 1_000_000


def test_a_timestamp_type_without_a_zone_is_refused_or_placed() -> None:
    naive = pa.array([WHEN.replace(tzinfo=None)], pa.timestamp("ms"))
    with pytest.raises(InputFileError, match="state no zone"):
        parse_times(naive, None)
    assert parse_times(naive, "UTC").us[0] == US
    assert parse_times(naive, "Asia/Tokyo").us[0] == US - 9 * 3600 * 1_000_000


def test_day_first_only_where_the_dialect_says_so() -> None:
    text = pa.array(["01/07/2021 18:51:51"])
    assert parse_times(text, "UTC", day_first=True).us[0] == US
    refused = parse_times(text, "UTC").unreadable
    assert refused is not None
    assert refused.all()


def test_what_is_no_time_is_unreadable_and_what_is_empty_is_missing() -> None:
    array = pa.array(
        ["2021-07-01T18:51:51Z", "2021-02-30T00:00:00Z", "x", "", None, "NaT", "2021-07-01T24:00:00Z", "1e400"]
    )
    for form in (array, array.dictionary_encode(), array.cast(pa.large_string()), array.cast(pa.binary())):
        got = parse_times(form, None)
        assert got.unreadable is not None
        assert got.missing is not None
        assert got.unreadable.tolist() == [False, True, True, False, False, False, True, True]
        assert got.missing.tolist() == [False, False, False, True, True, True, False, False]


def test_floats_that_are_no_number() -> None:
    got = parse_times(pa.array([float("nan"), float("inf"), 1e300, US / 1e6]), None)
    assert got.missing is not None
    assert got.unreadable is not None
    assert (got.missing.tolist(), got.unreadable.tolist()) == ([True, False, False, False], [False, True, False, False])
    assert got.us[2] > 2**61, "an absurd number is a time too late, not an overflow"
    assert got.us[3] == US


def test_extreme_numbers_do_not_wrap_around() -> None:
    assert parse_times(pa.array([2**62], pa.timestamp("s", "UTC")), None).us[0] > US
    assert parse_times(pa.array([-(2**62)], pa.timestamp("ms", "UTC")), None).us[0] < 0
    assert parse_times(pa.array([2**63 - 1], pa.int64()), None).us[0] > US
    assert parse_times(pa.array([2**64 - 1], pa.uint64()), None).us[0] > US


@given(st.lists(st.datetimes(datetime(1998, 1, 1), datetime(2099, 12, 31)), min_size=1, max_size=20))  # noqa: DTZ001
def test_all_forms_of_one_list_of_times_agree(times: list[datetime]) -> None:
    aware = [time.replace(tzinfo=UTC) for time in times]
    truth = parse_times(pa.array(aware, pa.timestamp("us", "UTC")), None).us
    iso = pa.array([time.isoformat() for time in aware])
    forms = [
        pa.array(truth),
        iso,
        iso.dictionary_encode(),
        pa.array([time.strftime("%Y-%m-%d %H:%M:%S.%f UTC") for time in aware]),
        pa.array([time.strftime("%Y%m%d_%H%M%S.%f") for time in aware]),
    ]
    for form in forms:
        assert np.array_equal(parse_times(form, "UTC").us, truth)
