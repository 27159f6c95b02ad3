"""The rules for rows and values, each at its edge."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessels.quality import REASONS, Reject, RejectCounts, merge_counts, plausible_span

ReadText = Callable[..., Any]
HEADER = "mmsi,timestamp,lat,lon,sog,cog,heading,nav_status,draught,length,beam,ship_type,name\n"
GOOD = {
    "mmsi": "235000001",
    "timestamp": "2016-01-12T13:02:11Z",
    "lat": "50.75",
    "lon": "-1.25",
    "sog": "5.5",
    "cog": "90",
    "heading": "91",
    "nav_status": "0",
    "draught": "5.5",
    "length": "100",
    "beam": "20",
    "ship_type": "70",
    "name": "",
}


def row(**changes: str) -> str:
    return ",".join({**GOOD, **changes}.values()) + "\n"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mmsi": ""}, "mmsi_missing"),
        ({"mmsi": "TESTA"}, "mmsi_unreadable"),
        ({"mmsi": "-1"}, "mmsi_unreadable"),
        ({"mmsi": "1000000000"}, "mmsi_unreadable"),
        ({"mmsi": "0"}, None),
        ({"mmsi": "999999999"}, None),
        ({"mmsi": "002311000"}, "not_a_vessel"),
        ({"mmsi": "992351000"}, "not_a_vessel"),
        ({"mmsi": "111232001"}, "not_a_vessel"),
        ({"mmsi": "970012345"}, "not_a_vessel"),
        ({"mmsi": "982350001"}, None),
        ({"timestamp": ""}, "time_missing"),
        ({"timestamp": "soon"}, "time_unreadable"),
        ({"timestamp": "1997-12-31T23:59:59Z"}, "time_before_ais"),
        ({"timestamp": "1998-01-01T00:00:00Z"}, None),
        ({"timestamp": "2099-12-31T23:59:59Z"}, None),
        ({"timestamp": "2100-01-01T00:00:00Z"}, "time_too_late"),
        ({"timestamp": "0"}, "time_before_ais"),
        ({"lat": "x"}, "position_unreadable"),
        ({"lat": "90"}, None),
        ({"lat": "90.001"}, "position_impossible"),
        ({"lon": "-180"}, None),
        ({"lon": "180.001"}, "position_impossible"),
        ({"lon": "-181"}, "position_impossible"),
        ({"lat": "0", "lon": "0"}, "null_island"),
        ({"lat": "0", "lon": "0.0001"}, None),
        ({"lat": "-0.0", "lon": "0.0"}, "null_island"),
    ],
)
def test_rows_are_kept_or_set_aside_with_a_reason(
    read_text: ReadText, changes: dict[str, str], reason: str | None
) -> None:
    got = read_text(HEADER + row() + row(**changes))
    assert got.n == (2 if reason is None else 1)
    assert got.reasons == ({} if reason is None else {reason: 1})
    if reason is not None:
        assert reason in REASONS
        assert got.counts.rejects[reason].first_row == 1


@pytest.mark.parametrize(
    ("column", "value", "expected", "why"),
    [
        ("sog", "102.2", 102.2, None),
        ("sog", "102.3", None, "not_available"),
        ("sog", "102.4", None, "out_of_range"),
        ("sog", "-0.1", None, "out_of_range"),
        ("sog", "0", 0.0, None),
        ("sog", "fast", None, "unreadable"),
        ("cog", "359.9", 359.9, None),
        ("cog", "360", None, "not_available"),
        ("cog", "409.5", None, "out_of_range"),
        ("cog", "-0.1", None, "out_of_range"),
        ("heading", "359", 359.0, None),
        ("heading", "511", None, "not_available"),
        ("heading", "-1", None, "not_available"),
        ("heading", "360", None, "out_of_range"),
        ("nav_status", "14", 14, None),
        ("nav_status", "15", None, "not_available"),
        ("nav_status", "16", None, "out_of_range"),
        ("nav_status", "-1", None, "out_of_range"),
        ("nav_status", "0.5", None, "out_of_range"),
        ("draught", "25.5", 25.5, None),
        ("draught", "0", None, "not_available"),
        ("draught", "25.6", None, "out_of_range"),
    ],
)
def test_codes_become_null_and_are_counted(
    read_text: ReadText, column: str, value: str, expected: Any, why: str | None
) -> None:
    got = read_text(HEADER + row() + row(**{column: value}))
    assert got.n == 2
    assert got[column][1] == (None if expected is None else pytest.approx(expected))
    assert got.counts.nulled == ({} if why is None else {f"{column}.{why}": 1})


@pytest.mark.parametrize(
    ("column", "value", "expected", "why"),
    [
        ("length", "1022", 1022.0, None),
        ("length", "0", None, "not_available"),
        ("length", "1023", None, "out_of_range"),
        ("length", "-5", None, "out_of_range"),
        ("length", "long", None, "unreadable"),
        ("beam", "126", 126.0, None),
        ("beam", "127", None, "out_of_range"),
        ("ship_type", "0", None, "not_available"),
        ("ship_type", "255", 255, None),
        ("ship_type", "256", None, "out_of_range"),
        ("ship_type", "1025", 1025, None),
        ("ship_type", "1026", None, "out_of_range"),
        ("ship_type", "7.5", None, "out_of_range"),
    ],
)
def test_static_codes_become_null_and_are_counted(
    read_text: ReadText, column: str, value: str, expected: Any, why: str | None
) -> None:
    got = read_text(HEADER + row() + row(**{column: value}))
    field = {"length": "length_m", "beam": "beam_m"}.get(column, column)
    assert getattr(got.claims[1], field) == expected
    assert got.counts.nulled == ({} if why is None else {f"{field}.{why}": 1})


def test_a_row_without_position_stays_when_it_says_something(read_text: ReadText) -> None:
    nothing = dict.fromkeys(
        ("sog", "cog", "heading", "nav_status", "draught", "length", "beam", "ship_type", "name"), ""
    )
    got = read_text(
        HEADER
        + row()
        + row(**{**nothing, "lat": "91", "lon": "181", "name": "TESTA"})
        + row(**{**nothing, "lat": "", "lon": "", "draught": "6.5"})
        + row(**{**nothing, "lat": "50.75", "lon": "", "length": "100"})
        + row(**{**nothing, "lat": "91", "lon": "181"})
    )
    assert got["lat"] == [50.75, None, None, None]
    assert got["lon"] == [-1.25, None, None, None]
    assert got.reasons == {"nothing_said": 1}
    assert got.counts.nulled == {"position.not_available": 2}


def test_every_row_is_kept_or_counted(read_text: ReadText) -> None:
    rng = np.random.default_rng(1)
    values = {
        "mmsi": ["235000001", "x", "", "2311000"],
        "timestamp": ["2016-01-12T13:02:11Z", "", "x", "1900-01-01T00:00:00Z"],
        "lat": ["50", "91", "x", "95", "0"],
        "lon": ["1", "181", "", "0"],
        "name": ["", "TESTA"],
    }
    text = row() + "".join(row(**{key: str(rng.choice(of)) for key, of in values.items()}) for _ in range(500))
    got = read_text(HEADER + text)
    assert got.n + got.counts.n_rejected == got.counts.n_rows == 501


@st.composite
def counts(draw: st.DrawFn) -> RejectCounts:
    reasons = draw(st.lists(st.sampled_from(sorted(REASONS)), unique=True, max_size=4))
    rejects = {
        reason: Reject(
            reason, draw(st.integers(1, 9)), draw(st.none() | st.integers(0, 99)), draw(st.sampled_from("ab"))
        )
        for reason in reasons
    }
    return RejectCounts(
        draw(st.integers(0, 9)), rejects, draw(st.dictionaries(st.sampled_from(["sog.x", "cog.x"]), st.integers(1, 5)))
    )


@given(st.lists(counts(), max_size=5), st.randoms())
def test_counts_merge_in_any_order(parts: list[RejectCounts], random: Any) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert merge_counts(parts) == merge_counts(shuffled)
    assert merge_counts(parts) == merge_counts([merge_counts(parts[:2]), *parts[2:]])


@pytest.mark.parametrize(
    ("days", "span"),
    [
        ({20000: 5}, (20000, 20000)),
        ({20000: 500, 20001: 700, 47000: 1}, (20000, 20001)),
        ({12000: 3, 20000: 500, 20001: 700}, (20000, 20001)),
        ({12000: 1, 20000: 500, 47000: 1}, (20000, 20000)),
        ({20000: 500, 47000: 1, 47400: 1}, (20000, 20000)),
        ({20000: 10, 47000: 1}, (20000, 20000)),
        ({20000: 9, 47000: 1}, (20000, 47000)),
        ({20000: 500, 20029: 1}, (20000, 20029)),
        ({20000: 500, 20045: 250}, (20000, 20045)),
        ({20000: 500, 20045: 1}, (20000, 20045)),
        ({20000: 200_000, 20045: 1}, (20000, 20000)),
        ({20000: 700, 20400: 1, 20800: 757}, (20000, 20800)),
        ({20000: 200_000, 20045: 4}, (20000, 20045)),
        ({19000: 1, 20000: 5, 47000: 1, 48000: 1}, (19000, 48000)),
        (dict.fromkeys(range(20000, 21000, 40), 1), (20000, 20960)),
        ({**dict.fromkeys(range(20000, 20365), 1000), 20500: 1}, (20000, 20500)),
        ({**dict.fromkeys(range(20000, 20365), 1000), 20800: 1}, (20000, 20364)),
    ],
)
def test_a_stray_day_does_not_become_now(days: dict[int, int], span: tuple[int, int]) -> None:
    assert plausible_span(days) == span


@given(st.dictionaries(st.integers(10_000, 40_000), st.integers(1, 1000), min_size=1, max_size=20))
def test_the_plausible_span_ends_on_days_that_have_rows_and_loses_few(days: dict[int, int]) -> None:
    first, last = plausible_span(days)
    assert first in days
    assert last in days
    inside = sum(n for day, n in days.items() if first <= day <= last)
    assert inside * 2 > sum(days.values())
