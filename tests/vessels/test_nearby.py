"""What lies near: agreement with all pairs, across ±180° and at the poles, and the bound on crowds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels.events.nearby import Places, spread
from vessels.geodesy import distance_nmi, wrap_degrees

LAW = settings(max_examples=120, deadline=None)

CENTRES = st.sampled_from([(0.0, 0.0), (36.0, 124.0), (-54.9, 179.99), (66.0, -180.0), (84.0, 180.0), (89.9, 17.0)])


@st.composite
def clusters(draw):
    """Places scattered over a few radii about a centre, some the same, in some groups; and the radius."""
    lat, lon = draw(CENTRES)
    radius = draw(st.sampled_from([0.27, 2.0, 30.0]))
    n = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    squeeze = max(np.cos(np.radians(abs(lat))), 1e-3)
    lats = np.clip(lat + rng.normal(0, radius / 40, n), -90, 90)
    lons = wrap_degrees(lon + rng.normal(0, radius / 40, n) / squeeze)
    return lats, lons, rng.integers(0, 3, n), radius


def all_with_all(lat, lon, group, radius):
    one, other = np.triu_indices(len(lat), 1)
    near = (distance_nmi(lat[one], lon[one], lat[other], lon[other]) <= radius) & (group[one] == group[other])
    return sorted(zip(one[near].tolist(), other[near].tolist(), strict=True))


@LAW
@given(clusters())
def test_pairs_are_those_that_looking_at_all_with_all_finds_each_once(cluster):
    lat, lon, group, radius = cluster
    found = Places(lat, lon, radius, group).pairs()
    pairs = [tuple(sorted(pair)) for pair in zip(found.first.tolist(), found.second.tolist(), strict=True)]
    assert sorted(pairs) == all_with_all(lat, lon, group, radius)
    assert found.distance_nmi == pytest.approx(
        distance_nmi(lat[found.first], lon[found.first], lat[found.second], lon[found.second])
    )


@LAW
@given(clusters(), clusters())
def test_what_lies_around_other_places_is_what_looking_at_all_finds(cluster, others):
    lat, lon, _, radius = cluster
    to_lat, to_lon = np.append(others[0], lat), np.append(others[1], lon)
    parts = list(Places(lat, lon, radius).around(to_lat, to_lon))
    pairs = {pair for part in parts for pair in zip(part.first.tolist(), part.second.tolist(), strict=True)}
    away = distance_nmi(to_lat[:, None], to_lon[:, None], lat[None, :], lon[None, :])
    assert pairs == set(zip(*(axis.tolist() for axis in np.nonzero(away <= radius)), strict=True))


@LAW
@given(clusters(), st.floats(-360, 360))
def test_turning_the_earth_changes_no_pair(cluster, degrees):
    lat, lon, group, radius = cluster
    apart = distance_nmi(lat[:, None], lon[:, None], lat[None, :], lon[None, :])
    if (np.abs(apart - radius) < 1e-6).any():
        return
    found = Places(lat, wrap_degrees(lon + degrees), radius, group).pairs()
    pairs = [tuple(sorted(pair)) for pair in zip(found.first.tolist(), found.second.tolist(), strict=True)]
    assert sorted(pairs) == all_with_all(lat, lon, group, radius)


def test_a_crowd_is_left_out_and_a_pair_beside_it_is_not():
    rng = np.random.default_rng(1)
    lat = np.concatenate([36.0 + rng.uniform(-1e-3, 1e-3, 200), [36.1, 36.1005]])
    lon = np.concatenate([124.0 + rng.uniform(-1e-3, 1e-3, 200), [124.0, 124.0]])
    found = Places(lat, lon, 0.27).pairs(max_crowd=20)
    assert [sorted(pair) for pair in zip(found.first.tolist(), found.second.tolist(), strict=True)] == [[200, 201]]
    assert len(Places(lat, lon, 0.27).pairs(max_crowd=200).first) == 200 * 199 // 2 + 1


def test_a_crowd_counts_across_the_antimeridian():
    lon = np.concatenate([np.full(11, 179.9999), np.full(11, -179.9999)])
    places = Places(np.zeros(22), lon, 0.27)
    assert len(places.pairs(max_crowd=20).first) == 0
    assert len(places.pairs(max_crowd=21).first) == 22 * 21 // 2


def test_ranges_are_spread_in_parts_of_whole_ranges():
    low, high = np.array([0, 5, 5, 100]), np.array([3, 5, 9, 102])
    parts = list(spread(low, high, 4))
    assert [part[0].tolist() for part in parts] == [[0, 0, 0], [2, 2, 2, 2], [3, 3]]
    assert [number for part in parts for number in part[1].tolist()] == [0, 1, 2, 5, 6, 7, 8, 100, 101]
