"""Distances, bearings and longitudes: laws of the sphere, ±180° among them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels.geodesy import (
    BLOCK_ROWS,
    angle_between,
    bearing_deg,
    distance_nmi,
    step_distances_nmi,
    unwrap_longitudes,
    wrap_degrees,
)
from vessels.units import MEAN_EARTH_RADIUS_NMI

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)
ANGLES = st.floats(-1e4, 1e4)
LAW = settings(max_examples=60, deadline=None)


@LAW
@given(st.lists(ANGLES, min_size=1))
def test_a_wrapped_angle_lies_in_its_range_and_differs_by_whole_turns(angles):
    wrapped = wrap_degrees(angles)
    assert ((wrapped >= -180.0) & (wrapped < 180.0)).all()
    turns = (np.array(angles) - wrapped) / 360.0
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)


@pytest.mark.parametrize("angle", [-180.0 - 1e-14, np.nextafter(-180.0, -181.0), 540.0, np.nextafter(540.0, 0.0)])
def test_rounding_never_leaves_the_range(angle):
    assert -180.0 <= float(wrap_degrees(angle)) < 180.0


def test_wrapping_keeps_what_is_unknown_unknown():
    assert np.isnan(wrap_degrees([np.nan, 190.0])).tolist() == [True, False]


@LAW
@given(ANGLES, ANGLES)
def test_an_angle_between_is_symmetric_and_at_most_half_a_turn(one, other):
    between = float(angle_between(one, other))
    assert 0.0 <= between <= 180.0
    assert between == pytest.approx(float(angle_between(other, one)), abs=1e-9)


@LAW
@given(LATS, LONS, LATS, LONS, ANGLES)
def test_a_distance_is_symmetric_and_no_turn_of_the_globe_changes_it(lat1, lon1, lat2, lon2, turn):
    distance = float(distance_nmi(lat1, lon1, lat2, lon2))
    assert 0.0 <= distance <= math.pi * MEAN_EARTH_RADIUS_NMI + 1e-6
    assert distance == pytest.approx(float(distance_nmi(lat2, lon2, lat1, lon1)), abs=1e-6)
    turned = distance_nmi(lat1, wrap_degrees(lon1 + turn), lat2, wrap_degrees(lon2 + turn))
    assert float(turned) == pytest.approx(distance, abs=1e-3)


def test_a_minute_of_latitude_is_a_nautical_mile_within_a_fifth_of_a_percent():
    assert float(distance_nmi(40.0, 10.0, 40.0 + 1 / 60, 10.0)) == pytest.approx(1.0, rel=0.002)


@LAW
@given(st.lists(st.tuples(LATS, LONS), min_size=1, max_size=30))
def test_steps_agree_with_the_distance_of_each_pair(places):
    lat, lon = (np.array(values) for values in zip(*places, strict=True))
    steps = step_distances_nmi(lat, lon)
    slow = [0.0, *(float(distance_nmi(lat[i - 1], lon[i - 1], lat[i], lon[i])) for i in range(1, len(lat)))]
    np.testing.assert_allclose(steps, slow, rtol=1e-5, atol=1e-3)


def test_steps_do_not_stumble_at_the_edge_of_a_block():
    lon = np.linspace(100.0, 140.0, 2 * BLOCK_ROWS + 3)
    steps = step_distances_nmi(np.zeros(len(lon)), lon)
    assert steps[0] == 0.0
    np.testing.assert_allclose(steps[1:], 40.0 / (len(lon) - 1) * math.pi / 180 * MEAN_EARTH_RADIUS_NMI, rtol=1e-4)


def test_no_rows_have_no_steps():
    assert step_distances_nmi(np.zeros(0), np.zeros(0)).tolist() == []


@LAW
@given(LATS, LONS, LATS, LONS)
def test_a_bearing_lies_in_its_range(lat1, lon1, lat2, lon2):
    assert 0.0 <= float(bearing_deg(lat1, lon1, lat2, lon2)) < 360.0


@LAW
@given(LONS, st.lists(st.floats(-20, 20), max_size=20))
def test_an_unwrapped_track_has_no_jumps_and_the_same_meridians(start, steps):
    track = np.cumsum([start, *steps])
    unwrapped = unwrap_longitudes(wrap_degrees(track))
    assert (np.abs(np.diff(unwrapped)) <= 180.0).all()
    np.testing.assert_allclose(np.diff(unwrapped), np.diff(track), atol=1e-9)
    np.testing.assert_allclose(angle_between(unwrapped, track), 0.0, atol=1e-9)
