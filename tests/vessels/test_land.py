"""Land and shore: known places, exact distances, and the laws that any land must obey."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.land import CAP_NMI, Land, land
from vessels.land_file import pack, unpack
from vessels.scan_lines import PER_DEGREE
from vessels.zones import read_zones, wrap_geometry

FloatArray = npt.NDArray[np.float64]


def land_of(*polygons: shapely.Geometry, turn: float = 0.0) -> Land:
    """Land of these polygons, turned east by so many degrees."""
    turned = [wrap_geometry(shapely.transform(one, lambda xy: xy + np.array([turn, 0.0]))) for one in polygons]
    return Land(shapely.get_parts(np.array(turned, dtype=object)))


ISLANDS = (
    shapely.Point(3.1, 41.2).buffer(1.3),
    shapely.box(5.03, 40.02, 6.51, 40.11),
    shapely.Polygon([(1.2, 38.7), (4.4, 39.3), (3.9, 38.1)], [[(2.9, 38.75), (3.7, 38.9), (3.6, 38.6)]]),
)


def around(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    return rng.uniform(36.0, 44.0, n), rng.uniform(-1.0, 9.0, n)


def exact_nmi(polygons: npt.NDArray[np.object_], lat: float, lon: float) -> float:
    """The slow, obvious twin: polygons about a place on a flat map true to scale there, and the distance to them."""
    squeeze = np.cos(np.radians(lat))
    window = (lon - 1.0 / squeeze, lat - 1.0, lon + 1.0 / squeeze, lat + 1.0)
    polygons = polygons[shapely.STRtree(polygons).query(shapely.box(*window))]
    clipped = shapely.clip_by_rect(shapely.boundary(polygons), *window)
    clipped = clipped[~shapely.is_empty(clipped)]
    flat = shapely.transform(clipped, lambda xy: (xy - [lon, lat]) * [squeeze * 60.04, 60.04])
    here = shapely.Point(0.0, 0.0)
    distance = float(shapely.distance(flat, here).min()) if len(flat) else CAP_NMI
    inside = bool(shapely.contains_xy(polygons, lon, lat).any())
    return -distance if inside else distance


@pytest.mark.parametrize(
    ("place", "lat", "lon", "is_land"),
    [
        ("Seoul", 37.57, 126.98, True),
        ("Pyongyang", 39.03, 125.75, True),
        ("middle of the Yellow Sea", 36.0, 123.5, False),
        ("Tsushima strait", 34.2, 130.0, False),
        ("West Sea Barrage lock", 38.69, 125.19, False),
        ("South Pole", -90.0, 0.0, True),
        ("North Pole", 90.0, 45.0, False),
        ("Bering strait", 65.9, -169.2, False),
        ("Chukotka west of the antimeridian", 67.5, 179.9, True),
        ("Chukotka east of the antimeridian", 67.5, -179.9, True),
        ("Iceland", 65.0, -18.5, True),
        ("Greenland Sea", 67.0, -5.0, False),
        ("Siberia", 67.0, 100.0, True),
        ("Vanua Levu", -16.6, 179.2, True),
        ("Coral Sea at Fiji's latitude", -16.5, 155.0, False),
        ("Suez canal at Ismailia", 30.58, 32.30, False),
        ("Sinai", 29.5, 33.8, True),
    ],
)
def test_known_places_are_land_or_sea(place: str, lat: float, lon: float, is_land: bool) -> None:
    assert land().is_land([lat], [lon]).tolist() == [is_land], place


def test_every_channel_is_water_along_its_middle() -> None:
    document = json.loads(files("vessels").joinpath("data", "channels.geojson").read_text(encoding="utf-8"))
    lines = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in document["features"]]
    assert len(lines) >= 6
    for line in lines:
        xy = shapely.get_coordinates(shapely.segmentize(line, 0.01))
        assert not shapely.intersects_xy(land().polygons[:, None], xy[None, :, 0], xy[None, :, 1]).any()
        assert land().shore_nmi(xy[:, 1], xy[:, 0]).min() > -0.1


def test_every_packaged_zone_has_water() -> None:
    for zone in read_zones().zones:
        west, south, east, north = zone.geometry.bounds
        lon, lat = (one.ravel() for one in np.meshgrid(np.linspace(west, east, 60), np.linspace(south, north, 60)))
        within = shapely.contains_xy(zone.geometry, lon, lat)
        assert not land().is_land(lat[within], lon[within]).all(), zone.zone_id


@pytest.mark.parametrize(("lat", "lon"), [((30.0, 45.0), (118.0, 142.0)), ((55.0, 75.0), (-180.0, 180.0))])
def test_distances_near_the_shore_are_exact_within_a_mile(lat: tuple[float, float], lon: tuple[float, float]) -> None:
    rng = np.random.default_rng(1)
    y, x = rng.uniform(*lat, 20_000), rng.uniform(*lon, 20_000)
    found = land().shore_nmi(y, x)
    near = np.flatnonzero(np.abs(found) < 7.0)[:250]
    exact = np.array([exact_nmi(land().polygons, y[i], x[i]) for i in near])
    error = np.abs(found[near] - exact)
    assert len(near) == 250
    assert np.quantile(error, 0.95) < 0.5
    assert error.max() < 1.25
    wrong = (found[near] < 0.0) != (exact < 0.0)
    assert np.abs(exact[wrong]).max(initial=0.0) < 0.4


def test_distances_far_from_the_shore_are_right_within_some_miles() -> None:
    made, rng = land_of(*ISLANDS), np.random.default_rng(2)
    lat, lon = around(rng, 400)
    found = made.shore_nmi(lat, lon)
    exact = np.array([exact_nmi(made.polygons, y, x) for y, x in zip(lat, lon, strict=True)])
    within = np.abs(exact) < 50.0
    assert np.abs(found - exact)[within].max() < 4.0
    assert np.quantile(np.abs(found - exact)[within], 0.95) < 1.5


@pytest.mark.parametrize("turn", [177.0, -183.0125, 360.0, 91.7375])
def test_turning_the_world_turns_the_shore_with_it(turn: float) -> None:
    assert (turn * PER_DEGREE) % 1.0 == pytest.approx(0.0)
    lat, lon = around(np.random.default_rng(3), 3000)
    before = land_of(*ISLANDS).shore_nmi(lat, lon)
    after = land_of(*ISLANDS, turn=turn).shore_nmi(lat, wrap_degrees(lon + turn))
    # The coarse raster's nodes are turned by parts of a cell: its error is all that may differ.
    near = np.abs(before) < 6.0
    assert np.abs(after - before)[near].max() < 0.6
    assert np.abs(after - before).max() < 4.0


def test_longitudes_may_run_on_past_the_antimeridian() -> None:
    lat, lon = around(np.random.default_rng(4), 500)
    made = land_of(*ISLANDS, turn=178.0)
    inside = made.shore_nmi(lat, wrap_degrees(lon + 178.0))
    np.testing.assert_allclose(made.shore_nmi(lat, lon + 178.0), inside, atol=1e-6)
    np.testing.assert_allclose(made.shore_nmi(lat, lon + 178.0 - 720.0), inside, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pole_is_an_ordinary_place(sign: float) -> None:
    cap = shapely.box(-180.0, 88.5, 180.0, 90.0) if sign > 0 else shapely.box(-180.0, -90.0, 180.0, -88.5)
    made = Land(np.array([cap], dtype=object))
    rng = np.random.default_rng(5)
    lat, lon = sign * rng.uniform(87.0, 90.0, 1000), rng.uniform(-180.0, 180.0, 1000)
    truth = distance_nmi(lat, lon, sign * 90.0, 0.0) - distance_nmi(sign * 88.5, 0.0, sign * 90.0, 0.0)
    assert np.abs(made.shore_nmi(lat, lon) - truth).max() < 4.0
    near = np.abs(truth) < 6.0
    assert np.abs(made.shore_nmi(lat, lon) - truth)[near].max() < 0.5
    assert made.shore_nmi([sign * 90.0], [77.0])[0] == pytest.approx(-90.0, abs=4.0)


def test_the_open_sea_is_capped_and_a_world_of_water_has_no_shore() -> None:
    assert land().shore_nmi([-40.0, 50.0], [-120.0, 90.0]).tolist() == [CAP_NMI, -CAP_NMI]
    empty = Land(np.zeros(0, dtype=object))
    assert empty.shore_nmi([0.0, 90.0], [0.0, 180.0]).tolist() == [CAP_NMI, CAP_NMI]


def test_what_is_no_position_has_no_distance() -> None:
    found = land().shore_nmi([np.nan, 37.5, np.inf], [127.0, np.nan, 0.0])
    assert np.isnan(found).all()
    assert land().is_land([np.nan], [127.0]).tolist() == [False]
    assert land().shore_nmi([], []).shape == (0,)
    assert land().shore_nmi(np.zeros((2, 3)), 5.0).shape == (2, 3)


def test_nothing_depends_on_what_was_asked_before_or_by_whom() -> None:
    lat, lon = around(np.random.default_rng(6), 4000)
    alone = land_of(*ISLANDS).shore_nmi(lat, lon)
    order = np.random.default_rng(7).permutation(len(lat))
    np.testing.assert_array_equal(land_of(*ISLANDS).shore_nmi(lat[order], lon[order]), alone[order])
    shared = land_of(*ISLANDS)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda rows: shared.shore_nmi(lat[rows], lon[rows]), np.array_split(order, 16)))
    np.testing.assert_array_equal(np.concatenate(parts), alone[order])


def test_land_travels_to_other_processes() -> None:
    lat, lon = around(np.random.default_rng(8), 200)
    made = land_of(*ISLANDS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).shore_nmi(lat, lon), made.shore_nmi(lat, lon))  # noqa: S301


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-179, 178), st.floats(-89, 88), st.booleans()), min_size=1, max_size=5))
def test_polygons_survive_packing(places: list[tuple[float, float, bool]]) -> None:
    shells = [shapely.box(x, y, x + 1.0, y + 0.9) for x, y, _ in places]
    holes = [shapely.box(x + 0.2, y + 0.2, x + 0.5, y + 0.5) if has else None for x, y, has in places]
    polygons = np.array(
        [shell if hole is None else shell - hole for shell, hole in zip(shells, holes, strict=True)], dtype=object
    )
    assert shapely.equals_exact(unpack(pack(polygons)), polygons, tolerance=0.0001).all()


def test_the_packaged_polygons_are_valid_and_lie_apart() -> None:
    polygons = land().polygons
    assert shapely.is_valid(polygons).all()
    inner = shapely.point_on_surface(polygons)
    which, found = shapely.STRtree(polygons).query(inner, predicate="intersects")
    np.testing.assert_array_equal(which, found)
