"""Silences, leaps and habits of tracks: what is kept of where they begin, end and fall silent."""

import itertools
import math
import statistics
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import ALPHA, BRAVO, H, Row, chain, end_of, facts_of, instant, lie, sail
from vessels import schema
from vessels.history import FactParameters, Facts
from vessels.silences import SilenceParameters

HERE, NEAR = (38.5, 124.3), (38.7, 124.3)


def facts(rows: list[Row], **parameters: float) -> Facts:
    chosen = SilenceParameters(**{"min_silence_h": 12.0, "max_per_track": 16, **parameters})
    (found,) = facts_of(rows, parameters=FactParameters(silences=chosen))
    return found


def silences(rows: list[Row], **parameters: float) -> list[dict[str, Any]]:
    return facts(rows, **parameters).silences.to_pylist()


def segment(rows: list[Row], which: int = 0) -> dict[str, Any]:
    return facts(rows).segments.to_pylist()[which]


def lying(*spells: tuple[float, float], mmsi: int = ALPHA, **said: Any) -> list[Row]:
    """A ship at anchor, heard every half hour in each of some spells of hours."""
    return [row for begin, end in spells for row in lie(mmsi, begin * H, HERE, end - begin, every_s=1800.0, **said)]


def hours(one: dict[str, Any]) -> tuple[float, float]:
    return tuple((one[name] - instant(0.0)).total_seconds() / H for name in ("start", "end"))


def test_a_long_silence_is_kept_and_a_short_one_is_not():
    rows = lying((0, 10), (21.5, 30), (42.5, 50))
    assert [hours(one) for one in silences(rows)] == [(30.0, 42.5)]


def test_a_silence_says_where_and_how_the_ship_fell_silent_and_woke():
    before = sail(ALPHA, 0.0, HERE, NEAR, speed_kn=10.0)
    after = sail(ALPHA, end_of(before) + 20 * H, (38.9, 124.3), (39.1, 124.3), speed_kn=8.0)
    (one,) = silences([*before, *after])
    assert (one["start_lat"], one["start_lon"], one["end_lat"], one["end_lon"]) == (*NEAR, 38.9, 124.3)
    assert (one["start_sog_kn"], one["end_sog_kn"], one["start_cog_deg"], one["end_cog_deg"]) == (10.0, 8.0, 0.0, 0.0)
    assert one["mmsi"] == ALPHA and not one["is_leap"]


def test_what_was_not_reported_is_made_good_from_the_step_beside():
    bare = {"sog": None, "cog": None}
    before = sail(ALPHA, 0.0, HERE, (38.5, 124.6), speed_kn=10.0)
    after = sail(ALPHA, end_of(before) + 20 * H, NEAR, (38.5, 124.3), speed_kn=8.0)
    (one,) = silences([{**row, **bare} for row in [*before, *after]])
    assert (one["start_sog_kn"], one["end_sog_kn"]) == (pytest.approx(10.0, abs=0.2), pytest.approx(8.0, abs=0.2))
    assert (one["start_cog_deg"], one["end_cog_deg"]) == (pytest.approx(90.0, abs=0.5), pytest.approx(180.0, abs=0.5))


def test_courses_lie_below_360():
    rows = sail(ALPHA, 0.0, HERE, (38.7, 124.2999), speed_kn=10.0)
    one = segment([{**row, "cog": None} for row in rows])
    assert 0.0 <= one["start_cog_deg"] < 360.0 and 0.0 <= one["end_cog_deg"] < 360.0


def test_a_ship_heard_seldom_is_not_silent_in_between():
    seldom = lie(ALPHA, 0.0, HERE, 200.0, every_s=13 * H)
    assert silences(seldom) == []
    assert len(silences(seldom, habit_factor=1.0)) == len(seldom) - 1


def test_no_silence_belongs_to_two_tracks():
    rows = lying((0, 5)) + lying((30, 40), mmsi=BRAVO) + lie(ALPHA, 20 * H, (-38.5, 20.0), 5.0)
    found = facts(rows)
    spans = {one["segment_id"]: (one["start"], one["end"]) for one in found.segments.to_pylist()}
    assert len(spans) == 3
    for one in found.silences.to_pylist():
        low, high = spans[one["segment_id"]]
        assert low <= one["start"] < one["end"] <= high


leaps = [*lie(ALPHA, 0.0, HERE, 5.0), *lie(ALPHA, 5.5 * H, (38.6, 124.3), 5.0)]


def test_a_step_that_the_speeds_reported_do_not_explain_is_a_leap():
    (one,) = silences(leaps)
    assert one["is_leap"] and hours(one) == (5.0, 5.5)
    sailed = sail(ALPHA, 0.0, HERE, (38.6, 124.3), speed_kn=12.0, every_s=1800.0)
    assert silences(sailed) == []


@pytest.mark.parametrize(
    ("course", "is_leap"), [(0.0, False), (40.0, False), (320.0, False), (90.0, True), (180.0, True)]
)
def test_a_step_that_neither_course_leads_to_is_a_leap(course, is_leap):
    rows = sail(ALPHA, 0.0, HERE, (39.0, 124.3), speed_kn=12.0, every_s=3600.0)
    turned = [{**row, "cog": course} for row in rows]
    assert any(one["is_leap"] for one in silences(turned)) == is_leap
    before_only = [{**row, "cog": course if k == 0 else 0.0} for k, row in enumerate(rows[:2])]
    assert silences(before_only) == []


@pytest.mark.parametrize("unknown", [{"sog": None}, {"cog": None}, {"sog": None, "cog": None}])
def test_where_speed_or_course_is_unknown_sailing_is_no_leap(unknown):
    rows = sail(ALPHA, 0.0, HERE, (39.0, 124.3), speed_kn=12.0, every_s=3600.0)
    assert silences([{**row, **unknown} for row in rows]) == []


def test_a_long_silence_is_no_leap_however_far_it_leads():
    rows = [*lie(ALPHA, 0.0, HERE, 5.0), *lie(ALPHA, 35.0 * H, (39.5, 124.3), 5.0)]
    assert [one["is_leap"] for one in silences(rows)] == [False]


def test_draughts_stand_at_both_ends_of_a_silence():
    rows = lying((0, 5), draught=7.1) + lying((25, 30), draught=4.4)
    (one,) = silences(rows)
    assert (one["start_draught_m"], one["end_draught_m"]) == (pytest.approx(7.1), pytest.approx(4.4))


def test_a_track_keeps_its_longest_silences():
    spells = [(0.0, 2.0)]
    for k in range(6):
        begin = spells[-1][1] + 13.0 + (k * 5) % 6
        spells.append((begin, begin + 2.0))
    lengths = sorted((after[0] - before[1] for before, after in pairwise(spells)), reverse=True)
    found = silences(lying(*spells), max_per_track=3)
    kept = [end - start for start, end in map(hours, found)]
    assert sorted(kept, reverse=True) == lengths[:3]
    assert [one["start"] for one in found] == sorted(one["start"] for one in found)


BITES = {
    "min_silence_h": 30.0,
    "habit_factor": 200.0,
    "max_per_track": 1,
    "leap_nmi": 10.0,
    "leap_speed_factor": 1.0,
    "leap_course_share": 0.0,
}


def test_each_parameter_is_tried_here():
    assert set(BITES) == set(SilenceParameters.model_fields)


@pytest.mark.parametrize("name", sorted(BITES))
def test_each_parameter_bites(name):
    swift = sail(ALPHA, 100 * H, HERE, (38.8333, 124.3), speed_kn=10.0, every_s=7200.0)
    swift = [{**row, "sog": 7.0} for row in swift]
    rows = [*lying((0, 20), (45, 60), (80, 99)), *swift, *leaps_at(130.0)]
    assert len(silences(rows)) >= 4
    assert silences(rows, **{name: BITES[name]}) != silences(rows)


def leaps_at(begin: float) -> list[Row]:
    return [{**row, "t": row["t"] + begin * H} for row in leaps]


@pytest.mark.parametrize("bad", [{"min_silence_h": 0.0}, {"habit_factor": 0.5}, {"max_per_track": 0}, {"unknown": 1}])
def test_parameters_out_of_bounds_fail_at_construction(bad):
    with pytest.raises(ValidationError):
        SilenceParameters(**bad)


def test_habits_are_medians_of_the_track():
    rows = chain(
        lambda t: lie(ALPHA, t, HERE, 3.0, every_s=180.0),
        lambda t: sail(ALPHA, t, HERE, NEAR, speed_kn=9.0, every_s=300.0),
        lambda t: sail(ALPHA, t, NEAR, HERE, speed_kn=13.0, every_s=60.0),
    )
    one = segment(rows)
    steps = [after["t"] - before["t"] for before, after in pairwise(rows)]
    assert one["median_interval_s"] == pytest.approx(statistics.median_low(steps), abs=0.2)
    under_way = [row["sog"] for row in rows if row["sog"] >= 3.0]
    assert one["cruise_kn"] == pytest.approx(statistics.median_low(under_way))


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([2, 3, 50, 511, 513, 1500]), st.randoms(use_true_random=False))
def test_medians_of_a_sample_are_near_those_of_all_reports(n, random):
    steps = [float(random.randrange(60, 121)) for _ in range(n - 1)]
    times = itertools.accumulate(steps, initial=0.0)
    rows = [{"mmsi": ALPHA, "t": t, "lat": HERE[0], "lon": HERE[1], "sog": 0.1} for t in times]
    found, expected = segment(rows)["median_interval_s"], statistics.median_low(steps)
    assert found == pytest.approx(expected, abs=0.2) if n <= 512 else found == pytest.approx(expected, rel=0.15)


def test_a_ship_that_never_moves_has_no_cruising_speed_and_one_report_no_interval():
    one = segment(lying((0, 5)))
    assert one["cruise_kn"] is None and one["median_interval_s"] == pytest.approx(1800.0)
    alone = segment(lie(ALPHA, 0.0, HERE, 0.0))
    assert alone["median_interval_s"] is None and alone["cruise_kn"] is None


def test_speeds_that_no_ship_reaches_are_left_out_of_the_habit():
    rows = [{**row, "sog": 102.2 if k % 2 else 10.0} for k, row in enumerate(sail(ALPHA, 0.0, HERE, NEAR))]
    assert segment(rows)["cruise_kn"] == 10.0


def test_draught_at_the_start_is_the_first_that_is_said():
    rows = lie(ALPHA, 0.0, HERE, 3.0)
    rows = [{**row, **({"draught": 5.5} if row["t"] > 1 * H else {})} for row in rows]
    one = segment([{**row, **({"draught": 6.5} if row["t"] > 2 * H else {})} for row in rows])
    assert (one["start_draught_m"], one["end_draught_m"]) == (pytest.approx(5.5), pytest.approx(6.5))
    never = segment(lie(ALPHA, 0.0, HERE, 3.0))
    assert never["start_draught_m"] is None is never["end_draught_m"]


def test_tables_have_the_columns_declared_even_without_rows():
    assert facts(lying((0, 5))).silences.schema.equals(schema.SILENCES.arrow)
    assert facts([]).silences.num_rows == 0


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(-40, 40).map(float))
def test_row_order_days_and_longitude_do_not_matter(random, days):
    rows = [*lying((0, 20), (45, 60), (80, 99)), *leaps_at(130.0), *lying((0, 9), (31, 40), mmsi=BRAVO)]
    turn = float(random.randrange(0, 3600)) / 10.0
    other = [{**row, "t": row["t"] + days * 24 * H, "lon": (row["lon"] + turn + 180.0) % 360.0 - 180.0} for row in rows]
    random.shuffle(other)

    def plain(found: list[dict[str, Any]], by_days: float) -> list[tuple[object, ...]]:
        return [
            (one["mmsi"], *(h - by_days * 24.0 for h in hours(one)), one["is_leap"], one["start_sog_kn"])
            for one in found
        ]

    expected, moved = plain(silences(rows), 0.0), plain(silences(other), days)
    assert len(moved) == len(expected) == 5
    for one, two in zip(expected, moved, strict=True):
        assert one[0] == two[0] and one[3:] == two[3:]
        assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(one[1:3], two[1:3], strict=True))
