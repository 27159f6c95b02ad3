"""Ways by water: against a slow, obvious twin, the laws that distances obey, and known straits and ports."""

import pickle
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from scipy.sparse import csgraph

from vessels.geodesy import distance_nmi as great_circle_nmi
from vessels.geodesy import wrap_degrees
from vessels.land import Land, land
from vessels.sea_distance import REACH_NMI, ROUTED_NMI, SeaFields
from vessels.zones import read_zones, widen, wrap_geometry

FloatArray = npt.NDArray[np.float64]
NEAR_FENCES = 0.02
"""nmi; a fence's border is a row of points, so that a way may end beside one of them."""


@dataclass(frozen=True)
class Spot:
    zone_id: str
    geometry: shapely.Geometry


def turned(geometry: shapely.Geometry, turn: float) -> shapely.Geometry:
    return wrap_geometry(shapely.transform(geometry, lambda xy: xy + np.array([turn, 0.0])))


def sea_of(coast: Iterable[shapely.Geometry], spots: Iterable[Spot], turn: float = 0.0) -> SeaFields:
    parts = shapely.get_parts(np.array([turned(one, turn) for one in coast], dtype=object))
    return SeaFields([Spot(s.zone_id, turned(s.geometry, turn)) for s in spots], Land(parts))


def wall(*corners: tuple[float, float], thick_deg: float = 0.002) -> shapely.Geometry:
    return shapely.LineString(corners).buffer(thick_deg, cap_style="flat", join_style="mitre")


def disc(zone_id: str, lat: float, lon: float, radius_km: float = 6.0) -> Spot:
    return Spot(zone_id, widen(shapely.Point(lon, lat).buffer(1e-6), lat, radius_km))


COAST = (
    shapely.Polygon([(1.0, -1.2), (2.6, -0.9), (2.9, 1.7), (2.5, 2.6), (2.3, 0.1), (1.1, -0.2)]),
    shapely.Polygon([(3.4, -0.4), (4.4, -0.9), (4.9, 0.8), (3.7, 1.9)]),
    shapely.Point(0.9, 2.2).buffer(0.55),
    shapely.box(-0.8, -2.2, 3.6, -1.9),
)
SPOTS = (disc("hook", 0.9, 1.7), disc("east", 0.4, 6.0), disc("wide", 3.0, 4.0, 90.0))


def twin_nmi(coast: Iterable[shapely.Geometry], goal: shapely.Geometry, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Shortest ways the slow way: straight lines between all corners that see each other; lines on the flat map."""
    land_ = shapely.union_all(list(coast))
    inside = shapely.buffer(land_, -1e-7)
    shapely.prepare(inside)
    corners = shapely.get_coordinates(shapely.simplify(shapely.buffer(land_, 0.008), 0.006))
    rim = shapely.get_coordinates(shapely.segmentize(goal.exterior, 0.02))
    points = np.concatenate([np.column_stack([lon, lat]), corners, rim])
    i, j = np.triu_indices(len(points), 1)
    lines = shapely.linestrings(np.stack([points[i], points[j]], axis=1))
    open_ = ~shapely.intersects(inside, lines)
    i, j = i[open_], j[open_]
    miles = great_circle_nmi(points[i, 1], points[i, 0], points[j, 1], points[j, 0])
    n = len(points)
    matrix = np.full((n, n), np.inf)
    matrix[i, j] = matrix[j, i] = miles
    matrix[np.ix_(range(n - len(rim), n), range(n - len(rim), n))] = 0.0
    graph = csgraph.csgraph_from_dense(matrix, null_value=np.inf)
    found: FloatArray = csgraph.dijkstra(graph, indices=range(n - len(rim), n), min_only=True)[: len(lat)]
    return np.where(shapely.contains_xy(goal, lon, lat), 0.0, found)


def afloat(coast: Iterable[shapely.Geometry], n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-3.5, 4.5, 2 * n), rng.uniform(-2.0, 7.0, 2 * n)
    free = ~shapely.intersects_xy(shapely.buffer(shapely.union_all(list(coast)), 0.03), lon, lat)
    return lat[free][:n], lon[free][:n]


@pytest.fixture(scope="module")
def made() -> SeaFields:
    return sea_of(COAST, SPOTS)


@pytest.fixture(scope="module")
def packaged() -> SeaFields:
    return read_zones().sea


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: spot.zone_id)
def test_ways_agree_with_the_slow_twin(made: SeaFields, spot: Spot) -> None:
    lat, lon = afloat(COAST, 120, seed=1)
    truth = twin_nmi(COAST, spot.geometry, lat, lon)
    found = made.distance_nmi(spot.zone_id, lat, lon)
    detour = truth - great_circle_nmi(lat, lon, *shapely.get_coordinates(spot.geometry.centroid)[0, ::-1])
    assert detour.max() > 40.0  # some of the ways go well round
    far = truth > 15.0
    ratio = found[far] / truth[far]
    assert ratio.min() > 0.99
    assert np.median(ratio) < 1.015
    assert np.quantile(ratio, 0.95) < 1.035
    assert ratio.max() < 1.06
    assert np.abs(found - truth)[~far].max(initial=0.0) < 2.5


def test_no_way_is_shorter_than_the_great_circle(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 3000, seed=2)
    for spot in SPOTS:
        rim = shapely.get_coordinates(shapely.segmentize(spot.geometry.exterior, 0.005))
        straight = np.min([great_circle_nmi(lat, lon, y, x) for x, y in rim], axis=0)
        straight[shapely.contains_xy(spot.geometry, lon, lat)] = 0.0
        found = made.distance_nmi(spot.zone_id, lat, lon)
        assert (found - straight).min() > -NEAR_FENCES
        assert (found[straight == 0.0] == 0.0).all()


def test_open_sea_is_within_two_per_cent_of_the_great_circle() -> None:
    fields = sea_of((), [disc("mid", 37.0, 170.0)])
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(20.0, 54.0, 4000), wrap_degrees(rng.uniform(148.0, 192.0, 4000))
    straight = great_circle_nmi(lat, lon, 37.0, 170.0) - 6.0 / 1.852
    found = fields.distance_nmi("mid", lat, lon)
    reached = np.isfinite(found)
    assert reached[straight < 0.96 * REACH_NMI].all()
    assert (found[reached] / np.maximum(straight[reached], 5.0)).max() < 1.02
    assert np.median(found[reached] / np.maximum(straight[reached], 5.0)) < 1.01


@pytest.mark.parametrize(
    "corners",
    [
        ((3.0, -2.0), (3.0, 2.0)),
        ((1.0, -1.7), (4.6, 1.9)),
        ((3.31, -2.01), (2.69, 2.03)),
        ((1.0, 0.003), (5.0, -0.004)),
    ],
    ids=["meridian", "diagonal", "slant", "parallel"],
)
def test_the_thinnest_wall_holds_water(corners: tuple[tuple[float, float], ...]) -> None:
    (x0, y0), (x1, y1) = corners
    fields = sea_of([wall(*corners, thick_deg=0.0005)], [disc("here", 0.5, 3.5, 1.0)])
    middle = np.array([(x0 + x1) / 2.0, (y0 + y1) / 2.0])
    across = np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0) * 0.3
    sides = np.array([middle + across, middle - across])
    way = fields.between_nmi(sides[:1, 1], sides[:1, 0], sides[1:, 1], sides[1:, 0])[0]
    ends = np.array([[y0, x0], [y1, x1]])
    round_ends = [great_circle_nmi(sides[:, 1], sides[:, 0], y, x).sum() for y, x in ends]
    assert min(round_ends) * 0.97 < way < min(round_ends) * 1.06


def test_a_closed_ring_has_no_way_out_and_a_gate_of_a_mile_and_a_half_opens_it() -> None:
    ring = shapely.Point(3.3, 1.3).buffer(0.6).exterior.buffer(0.001)
    outside = disc("outside", 1.3, 5.5)
    assert np.isinf(sea_of([ring], [outside]).distance_nmi("outside", [1.3], [3.3])).all()
    gate = shapely.box(2.6, 1.3 - 0.0125, 2.8, 1.3 + 0.0125)
    found = sea_of([ring - gate], [outside]).distance_nmi("outside", [1.3], [3.3])[0]
    # To the gate, along the ring outside, and from where the ring falls away straight on to the fence's edge.
    away = np.arccos(0.6 / 2.2)
    truth = 60.04 * (0.6 + 0.6 * (np.pi - away) + np.sqrt(2.2**2 - 0.6**2)) - 6.0 / 1.852
    assert 0.98 * truth < found < 1.05 * truth


@pytest.mark.parametrize("turn", [176.0, -184.0, 360.0])
def test_turning_the_world_by_sheets_changes_nothing(made: SeaFields, turn: float) -> None:
    lat, lon = afloat(COAST, 500, seed=4)
    after = sea_of(COAST, SPOTS, turn)
    for spot in SPOTS:
        there = after.distance_nmi(spot.zone_id, lat, wrap_degrees(lon + turn))
        np.testing.assert_allclose(there, made.distance_nmi(spot.zone_id, lat, lon), rtol=2e-3, atol=0.1)


def test_turning_the_world_by_any_angle_changes_little(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 500, seed=5)
    after = sea_of(COAST, SPOTS, 177.4321)
    for spot in SPOTS:
        before = made.distance_nmi(spot.zone_id, lat, lon)
        there = after.distance_nmi(spot.zone_id, lat, wrap_degrees(lon + 177.4321))
        assert np.abs(there - before).max() < 3.0 + 0.03 * before.max()


def test_between_two_places_it_is_as_far_back_as_forth(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 60, seed=6)
    there = made.between_nmi(lat[:30], lon[:30], lat[30:], lon[30:])
    np.testing.assert_array_equal(made.between_nmi(lat[30:], lon[30:], lat[:30], lon[:30]), there)
    assert (there >= great_circle_nmi(lat[:30], lon[:30], lat[30:], lon[30:])).all()
    assert (there > 1.1 * great_circle_nmi(lat[:30], lon[:30], lat[30:], lon[30:])).any()


def test_a_way_by_a_third_place_is_no_shorter(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 80, seed=7)
    direct = made.distance_nmi("hook", lat[:40], lon[:40])
    by_third = made.between_nmi(lat[:40], lon[:40], lat[40:], lon[40:]) + made.distance_nmi("hook", lat[40:], lon[40:])
    assert (direct <= 1.04 * by_third + 2.0).all()


def test_between_agrees_with_the_slow_twin(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 40, seed=8)
    goal = shapely.Point(1.7, 0.9).buffer(1e-4)
    truth = twin_nmi(COAST, goal, lat, lon)
    found = made.between_nmi(0.9, 1.7, lat, lon)
    assert (np.abs(found - truth) < 2.0 + 0.05 * truth).all()


def test_nothing_depends_on_what_was_asked_before_or_by_whom(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 400, seed=9)
    alone = {spot.zone_id: made.distance_nmi(spot.zone_id, lat, lon) for spot in SPOTS}
    shared = sea_of(COAST, SPOTS)
    shared.between_nmi([20.0], [60.0], [21.0], [61.0])  # reads another part of the sea first
    with ThreadPoolExecutor(4) as pool:
        names = [spot.zone_id for spot in reversed(SPOTS)] * 3
        for name, found in zip(names, pool.map(lambda name: shared.distance_nmi(name, lat, lon), names), strict=True):
            np.testing.assert_array_equal(found, alone[name])


def test_fields_travel_to_other_processes(made: SeaFields) -> None:
    lat, lon = afloat(COAST, 50, seed=10)
    sent = pickle.loads(pickle.dumps(made))  # noqa: S301
    np.testing.assert_array_equal(sent.distance_nmi("hook", lat, lon), made.distance_nmi("hook", lat, lon))


def test_what_is_no_position_is_out_of_reach(made: SeaFields) -> None:
    assert np.isinf(made.distance_nmi("hook", [np.nan, 1.0], [1.0, np.inf])).all()
    assert np.isnan(made.between_nmi([np.nan], [0.0], [1.0], [1.0])).all()
    assert made.distance_nmi("hook", [], []).shape == (0,)
    assert np.isinf(made.distance_nmi("hook", [60.0], [100.0])).all()
    with pytest.raises(KeyError):
        made.distance_nmi("nowhere", [0.0], [0.0])


def test_a_fence_over_a_pole_or_the_antimeridian_is_an_ordinary_fence() -> None:
    fields = sea_of(
        [shapely.box(20.0, 80.0, 60.0, 82.0)], [disc("date line", 5.0, 179.98, 9.0), disc("north", 89.8, 0.0)]
    )
    found = fields.distance_nmi("date line", [5.0, 5.0, 5.0], [179.0, -179.0, 180.0])
    assert found == pytest.approx([53.7, 56.1, 0.0], abs=1.0)
    # From the far side of the pole, and round the island from below it.
    over = fields.distance_nmi("north", [87.0, 79.0], [-170.0, 40.0])
    assert over[0] == pytest.approx(180.0 + 12.0 - 3.0, abs=12.0)
    assert over[1] > great_circle_nmi(79.0, 40.0, 89.8, 0.0)


def test_a_fence_ashore_belongs_to_the_water_beside_it() -> None:
    island = shapely.box(1.0, 0.0, 2.0, 1.0)
    fields = sea_of([island], [disc("berth", 0.5, 1.06, 1.5), disc("inland", 0.5, 1.5, 1.5)])
    assert fields.distance_nmi("berth", [0.5], [0.5])[0] == pytest.approx(33.0, abs=2.0)
    assert np.isinf(fields.distance_nmi("inland", [0.5], [0.5])).all()


@pytest.mark.parametrize(("hub", "about_nmi"), [("KP_NAMPO", 750.0), ("RU_NAKHODKA", 750.0), ("TONKIN", 550.0)])
def test_every_packaged_zone_is_reached_by_water_from_near_it(packaged: SeaFields, hub: str, about_nmi: float) -> None:
    zones = read_zones()
    lat, lon = (np.array([getattr(zone, name) for zone in zones.zones]) for name in ("lat", "lon"))
    near = great_circle_nmi(lat, lon, zones[hub].lat, zones[hub].lon) < about_nmi
    assert near.sum() > 5
    way = packaged.distance_nmi(hub, lat, lon)
    assert [zone.zone_id for zone, unreached in zip(zones.zones, near & np.isinf(way), strict=True) if unreached] == []


def test_every_packaged_zone_has_a_way_out_to_sea(packaged: SeaFields) -> None:
    for zone in read_zones().zones:
        lat, lon = zone.lat + np.array([0.4, -0.4, 0.0, 0.0]), zone.lon + np.array([0.0, 0.0, 0.4, -0.4])
        offing = int(np.argmax(land().shore_nmi(lat, lon)))
        assert packaged.between_nmi(zone.lat, zone.lon, lat[offing], lon[offing]) < 150.0, zone.zone_id


@pytest.mark.parametrize(
    ("zone_id", "goal", "least", "most"),
    [
        ("KP_NAMPO", "KP_WONSAN", 690.0, 770.0),  # round the peninsula; 108 nmi as the crow flies
        ("KP_WONSAN", "KP_NAMPO", 690.0, 770.0),
        ("KP_NAMPO", "KR_INCHEON", 130.0, 175.0),
        ("KP_NAMPO", "CN_DANDONG", 70.0, 100.0),
        ("KP_SONGNIM", "KP_NAMPO", 5.0, 20.0),
        ("KP_SINUIJU", "CN_DANDONG", 12.0, 35.0),
        ("CN_DALIAN", "CN_TIANJIN", 175.0, 225.0),  # in by the Bohai strait
        ("RU_NAKHODKA", "RU_KHOLMSK", 430.0, 520.0),
        ("RU_NAKHODKA", "KR_BUSAN", 470.0, 530.0),
    ],
)
def test_known_ways_have_known_lengths(packaged: SeaFields, zone_id: str, goal: str, least: float, most: float) -> None:
    zone = read_zones()[goal]
    assert least < packaged.distance_nmi(zone_id, [zone.lat], [zone.lon])[0] < most


@pytest.mark.parametrize(
    ("name", "first", "second", "most"),
    [
        ("Kanmon", (33.97, 130.75), (33.93, 131.15), 32.0),
        ("Tsugaru", (41.2, 139.8), (41.5, 141.6), 100.0),
        ("La Perouse", (45.8, 141.0), (45.8, 143.5), 115.0),
        ("Korea strait, both channels", (33.8, 128.0), (35.6, 130.6), 180.0),
        ("Suez canal", (31.5, 32.4), (29.7, 32.5), 125.0),
        ("Panama canal", (9.6, -79.9), (8.6, -79.5), 90.0),
        ("Bosporus", (41.4, 29.2), (40.7, 28.5), 65.0),
        ("Singapore strait", (1.2, 103.5), (1.2, 104.5), 70.0),
        ("Bering strait, over the antimeridian", (64.5, -172.0), (67.5, 178.0), 420.0),
    ],
)
def test_straits_and_canals_are_open(
    packaged: SeaFields, name: str, first: tuple[float, float], second: tuple[float, float], most: float
) -> None:
    way = packaged.between_nmi(*first, *second)
    assert great_circle_nmi(*first, *second) <= way < most, name


@pytest.mark.parametrize(
    ("name", "first", "second", "least"),
    [
        ("Korea", (39.0, 124.8), (39.2, 128.0), 650.0),
        ("Shandong", (37.8, 120.5), (35.9, 120.6), 240.0),
        ("Liaodong", (39.6, 121.2), (39.2, 122.6), 100.0),
        ("Kamchatka", (55.0, 155.0), (55.0, 162.5), 380.0),
        ("Malaya", (7.0, 99.0), (7.5, 100.8), 700.0),
        ("Sakhalin", (50.0, 141.5), (50.0, 144.2), 380.0),
    ],
)
def test_land_is_gone_round(
    packaged: SeaFields, name: str, first: tuple[float, float], second: tuple[float, float], least: float
) -> None:
    assert land().shore_nmi([first[0], second[0]], [first[1], second[1]]).min() > 0.0
    assert least < packaged.between_nmi(*first, *second) <= ROUTED_NMI, name
