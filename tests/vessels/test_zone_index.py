"""The raster of fences agrees with a polygon test of every position."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels.geodesy import BLOCK_ROWS
from vessels.zone_index import CELLS_PER_DEGREE, ZoneIndex
from vessels.zones import read_zones, wrap_geometry

LAW = settings(max_examples=25, deadline=None)


def slowly(fences, lat, lon):
    """Fences that hold each position, one polygon test after the other; a position at 180° lies at -180° too."""
    return [
        tuple(
            i
            for i, fence in enumerate(fences)
            if any(
                fence.intersects(shapely.Point(meridian, y))
                for meridian in ((-180.0, 180.0) if abs(x) == 180.0 else (x,))
            )
        )
        for y, x in zip(lat.tolist(), lon.tolist(), strict=True)
    ]


def looked_up(index, lat, lon):
    ids = index.lookup(lat, lon)
    sets = index.sets
    return [sets[i] for i in ids.tolist()]


@st.composite
def fences(draw):
    """A star about a place anywhere, ±180° among them: at most a few degrees wide."""
    lat, lon = draw(st.floats(-88, 88)), draw(st.one_of(st.floats(-180, 180), st.floats(177, 183)))
    radii = draw(st.lists(st.floats(0.01, 1.5), min_size=3, max_size=8))
    turns = np.arange(len(radii)) * 2 * np.pi / len(radii)
    ring = np.column_stack(
        [lon + 2 * np.array(radii) * np.cos(turns), np.clip(lat + np.array(radii) * np.sin(turns), -90, 90)]
    )
    return wrap_geometry(shapely.convex_hull(shapely.MultiPoint(ring)))


@LAW
@given(st.lists(fences(), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_the_raster_finds_what_polygon_tests_find(shapes, seed):
    rng = np.random.default_rng(seed)
    corners = np.concatenate([shapely.get_coordinates(shape) for shape in shapes])
    near = corners[rng.integers(0, len(corners), 80)] + rng.normal(0, 0.3, (80, 2))
    lat = np.concatenate([np.clip(near[:, 1], -90, 90), rng.uniform(-90, 90, 30)])
    lon = np.concatenate([(near[:, 0] + 180) % 360 - 180, rng.uniform(-180, 180, 30)])
    assert looked_up(ZoneIndex(shapes), lat, lon) == slowly(shapes, lat, lon)


def test_packaged_fences_are_found_wherever_they_overlap():
    shapes = [zone.geometry for zone in read_zones().zones]
    rng = np.random.default_rng(7)
    centres = np.array([[zone.lat, zone.lon] for zone in read_zones().zones])
    places = np.repeat(centres, 4, axis=0) + rng.normal(0, 0.15, (4 * len(centres), 2))
    lat, lon = places[:, 0], places[:, 1]
    found = looked_up(ZoneIndex(shapes), lat, lon)
    assert found == slowly(shapes, lat, lon)
    assert max(map(len, found)) >= 2


BOX = shapely.box(130.0, 40.0, 131.0, 41.0)


@pytest.mark.parametrize(
    ("lat", "lon"), [(40.0, 130.5), (41.0, 130.5), (40.5, 130.0), (40.5, 131.0), (40.0, 130.0), (41.0, 131.0)]
)
def test_a_position_on_the_border_lies_inside_on_every_side(lat, lon):
    assert looked_up(ZoneIndex([BOX]), np.array([lat]), np.array([lon])) == [(0,)]


def test_the_antimeridian_inside_a_fence_is_inside_under_both_its_names():
    index = ZoneIndex([wrap_geometry(shapely.box(179.3, -0.5, 180.7, 0.5))])
    lon = np.array([180.0, -180.0, 179.31, -179.31, 179.29, -179.29])
    assert looked_up(index, np.zeros(6), lon) == [(0,), (0,), (0,), (0,), (), ()]


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_the_poles_are_places_too(lat):
    cap = shapely.box(-20.0, min(lat, lat * 0.9), 20.0, max(lat, lat * 0.9))
    found = looked_up(ZoneIndex([cap]), np.array([lat, lat * 0.95, lat * 0.8]), np.array([10.0, -17.0, 0.0]))
    assert found == [(0,), (0,), ()]


def test_no_fences_hold_nothing_and_no_positions_are_no_work():
    assert ZoneIndex([]).lookup(np.zeros(3), np.zeros(3)).tolist() == [0, 0, 0]
    assert ZoneIndex([BOX]).lookup(np.zeros(0), np.zeros(0)).tolist() == []


def test_set_zero_is_in_no_fence():
    index = ZoneIndex([BOX])
    assert index.sets[0] == ()
    assert index.lookup(np.array([0.0]), np.array([0.0])).tolist() == [0]


def test_a_fence_with_a_hole_holds_nothing_in_the_hole():
    fence = shapely.Polygon(BOX.exterior.coords, [shapely.box(130.4, 40.4, 130.6, 40.6).exterior.coords])
    assert looked_up(ZoneIndex([fence]), np.array([40.5, 40.3]), np.array([130.5, 130.5])) == [(), (0,)]


def test_a_fence_far_smaller_than_a_cell_is_found():
    tiny = shapely.box(130.001, 40.001, 130.001 + 0.1 / CELLS_PER_DEGREE, 40.002)
    assert looked_up(ZoneIndex([tiny]), np.array([40.0015, 40.01]), np.array([130.0015, 130.0015])) == [(0,), ()]


def test_many_threads_find_the_same_and_blocks_do_not_matter():
    shapes = [shapely.box(130 + 0.1 * i, 40, 130.37 + 0.1 * i, 40.7) for i in range(12)]
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(39.9, 40.8, BLOCK_ROWS + 500), rng.uniform(129.9, 131.6, BLOCK_ROWS + 500)
    index = ZoneIndex(shapes)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda part: looked_up(index, lat[part::4], lon[part::4]), range(4)))
    alone = looked_up(ZoneIndex(shapes), lat, lon)
    assert [alone[part::4] for part in range(4)] == parts
    assert alone[:300] == slowly(shapes, lat[:300], lon[:300])
