"""Courses that plants send ships on: even speed, drift that comes back, the antimeridian an ordinary place."""

import numpy as np
import pyarrow as pa
import pytest

from detectors.backtest.courses import Course, alongside, at_anchor, displaced, drifting, report_times, sailing
from detectors.backtest.draws import generator
from detectors.backtest.fleet import fleet_of
from vessels.canonical import CANONICAL_POSITIONS
from vessels.geodesy import distance_nmi
from vessels.units import METRES_PER_NMI, US_PER_H, US_PER_MIN


@pytest.mark.parametrize("lon", [0.0, 125.0, 179.99, -179.99])
def test_a_ship_sails_at_one_speed_from_place_to_place(lon: float) -> None:
    end_lat, end_lon = (float(x) for x in displaced(35.0, lon, 30.0, 40.0))
    course = sailing(0, 10.0, [(35.0, lon), (end_lat, end_lon)])
    assert course.time_us[-1] / US_PER_H == pytest.approx(5.0, rel=0.01)
    speed, _ = course.motion(np.arange(1, int(course.time_us[-1]), US_PER_H // 2))
    assert np.ptp(speed) < 0.01
    half = course.at(np.array([int(course.time_us[-1]) // 2]))
    ends = distance_nmi(*half, 35.0, lon), distance_nmi(*half, end_lat, end_lon)
    assert float(ends[0][0]) == pytest.approx(float(ends[1][0]), rel=0.02)
    assert np.all((course.lon >= -180.0) & (course.lon < 180.0))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lon", [125.0, 180.0])
def test_a_stopped_ship_drifts_slowly_and_is_back_in_the_end(seed: int, lon: float) -> None:
    rng = generator(seed, "drift")
    course = drifting(rng, 0, 12 * US_PER_H, 36.0, lon)
    ends = distance_nmi(course.lat[[0, -1]], course.lon[[0, -1]], 36.0, lon)
    assert ends.max() < 1e-6
    speed, _ = course.motion(np.linspace(0, 12 * US_PER_H - 1, 60).astype(np.int64))
    assert 0.05 < np.median(speed) < 1.5
    beside = alongside(rng, course, (50.0, 300.0))
    apart = METRES_PER_NMI * distance_nmi(course.lat, course.lon, beside.lat, beside.lon)
    assert 49.0 < apart.min() <= apart.max() < 301.0
    assert np.ptp(apart) < 2.0


def test_a_ship_at_anchor_stays_within_a_cable_or_so() -> None:
    course = at_anchor(generator(1, "anchor"), 0, 48 * US_PER_H, -33.0, 18.0)
    assert distance_nmi(course.lat, course.lon, -33.0, 18.0).max() < 0.15


def test_reports_carry_a_receivers_noise_and_no_more() -> None:
    course = sailing(0, 12.0, [(35.0, 129.0), (35.0, 130.0)])
    times = np.arange(1, int(course.time_us[-1]), US_PER_MIN)
    reports = course.reports(generator(1, "reports"), times)
    off = METRES_PER_NMI * distance_nmi(reports.lat, reports.lon, *course.at(times))
    assert 3.0 < np.median(off) < 12.0
    assert np.median(reports.sog_kn) == pytest.approx(12.0, abs=0.1)
    assert np.median(reports.cog_deg) == pytest.approx(90.0, abs=1.0)


def test_reports_come_as_often_as_elsewhere_and_within_their_time() -> None:
    between = np.array([3, 5, 8]) * US_PER_MIN
    times = report_times(generator(1, "times"), between, 10 * US_PER_H, 20 * US_PER_H)
    assert set(np.diff(times)) <= set(between)
    assert 10 * US_PER_H < times[0] < times[-1] < 20 * US_PER_H
    assert times[-1] > 20 * US_PER_H - 9 * US_PER_MIN
    assert len(report_times(generator(1, "times"), between, 0, 1)) == 0


def test_courses_join_in_order_of_time() -> None:
    one, other = sailing(0, 10.0, [(0.0, 0.0), (0.0, 1.0)]), sailing(10 * US_PER_H, 5.0, [(0.0, 1.0), (0.0, 0.5)])
    both = one.then(other)
    assert (np.diff(both.time_us) >= 0).all()
    at_rest = both.at(np.array([8 * US_PER_H]))
    assert float(at_rest[1][0]) == pytest.approx(1.0)
    assert len(Course(both.time_us[:1], both.lat[:1], both.lon[:1]).motion(np.array([0]))[0]) == 1


def test_a_silence_of_all_is_the_feeds_and_one_of_a_few_ships_is_not() -> None:
    def rows(minutes: list[int]) -> pa.Table:
        n = len(minutes)
        values = dict.fromkeys(CANONICAL_POSITIONS.names, [None] * n)
        values |= {"mmsi": [440123456] * n, "lat": [35.0] * n, "lon": [129.0] * n}
        values["timestamp"] = pa.array([m * US_PER_MIN for m in minutes]).cast(pa.timestamp("us", tz="UTC"))
        return CANONICAL_POSITIONS.build(values)

    asked = np.array([-5, 99, 101, 150, 399, 401, 9_999]) * US_PER_MIN
    dense = fleet_of(rows([*range(101), *range(400, 500)]))
    assert dense.is_down(asked).tolist() == [False, False, True, True, True, False, False]
    sparse = fleet_of(rows([0, 40, 100, 400, 460, 520]))
    assert not sparse.is_down(asked).any()
