"""Dated measures."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from detectors.measures import MEASURES, evidence_of_measures, in_force


@pytest.mark.parametrize(
    ("day", "resolutions"),
    [
        (date(2016, 1, 1), []),
        (date(2017, 8, 1), []),
        (date(2017, 8, 4), []),
        (date(2017, 8, 5), ["2371"]),
        (date(2017, 8, 10), ["2371"]),
        (date(2017, 9, 10), ["2371"]),
        (date(2017, 9, 11), ["2371", "2375"]),
        (date(2017, 12, 21), ["2371", "2375"]),
        (date(2017, 12, 22), ["2371", "2375", "2397"]),
        (date(2024, 6, 1), ["2371", "2375", "2397"]),
    ],
)
def test_a_measure_is_in_force_from_its_day(day, resolutions):
    assert [measure.resolution for measure in in_force(day)] == [f"UNSCR {number}" for number in resolutions]


def test_the_day_of_an_instant_is_the_utc_day():
    in_tokyo = datetime(2017, 8, 5, 8, 0, tzinfo=timezone(timedelta(hours=9)))
    assert in_force(in_tokyo) == ()
    assert len(in_force(datetime(2017, 8, 5, 0, 0, tzinfo=UTC))) == 1


def test_measures_stand_in_order_of_time():
    assert [m.since for m in MEASURES] == sorted(m.since for m in MEASURES)


def test_evidence_names_resolution_day_and_cargo():
    lines = evidence_of_measures(date(2017, 8, 10))
    assert [line.what for line in lines] == ["UN measure in force"]
    assert lines[0].observed == "UNSCR 2371 since 2017-08-05 (coal, iron, lead, seafood)"
