"""Zones: the packaged table, users' files and what is wrong with them, shapes at ±180°."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from tests.vessels.builders import disc, polygon, zones_of
from vessels.errors import SettingsError
from vessels.geodesy import distance_nmi
from vessels.zones import EXIT_MARGIN_KM, VISIT_KINDS, ZONE_KINDS, read_zone_file, read_zones, widen, wrap_geometry

SQUARE = [[[130.0, 40.0], [130.2, 40.0], [130.2, 40.2], [130.0, 40.2], [130.0, 40.0]]]


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": SQUARE} if geometry is None else geometry
    return {"type": "Feature", "geometry": shape, "properties": {"zone_id": "XX_TEST", "kind": "port", **properties}}


def write(path: Path, *features: Any, **document: Any) -> Path:
    file = path / "zones.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **document}), encoding="utf-8")
    return file


def test_the_packaged_zones_are_sorted_valid_and_on_the_globe():
    zones = read_zones().zones
    assert [zone.zone_id for zone in zones] == sorted({zone.zone_id for zone in zones})
    for zone in zones:
        assert zone.kind in ZONE_KINDS
        assert zone.geometry.is_valid
        assert shapely.box(-180, -90, 180, 90).covers(zone.geometry)
        assert zone.geometry.covers(shapely.Point(zone.lon, zone.lat)), zone.zone_id


def test_the_documented_places_are_watched_as_documented():
    zones = read_zones()
    elevated = {
        "RU_NAKHODKA",
        "RU_VOSTOCHNY",
        "RU_VLADIVOSTOK",
        "RU_SLAVYANKA",
        "RU_KHOLMSK",
        "CN_DANDONG",
        "CN_DALIAN",
    }
    assert {zone_id: zones[zone_id].watch for zone_id in elevated} == dict.fromkeys(elevated, "elevated")
    assert all(zone.watch == "high" for zone in zones.zones if zone.country == "KP" and zone.kind in VISIT_KINDS)
    assert {zone.zone_id for zone in zones.watched("high", "elevated")} >= elevated


def test_a_zone_is_found_by_its_id():
    zones = read_zones()
    assert zones["KP_NAMPO"] is zones.zones[zones.index_of("KP_NAMPO")]
    assert "KP_NAMPO" in zones
    assert "KP_NOWHERE" not in zones
    with pytest.raises(KeyError):
        zones.index_of("KP_NOWHERE")


def test_a_users_zone_goes_before_the_packaged_one_and_leaves_the_others(tmp_path):
    packaged = read_zones()
    own = read_zones(write(tmp_path, feature(zone_id="KP_NAMPO", name="Mine", watch="none"), feature(zone_id="XX_NEW")))
    assert own["KP_NAMPO"].name == "Mine"
    assert own["KP_NAMPO"].watch == "none"
    assert len(own.zones) == len(packaged.zones) + 1
    assert own["CN_DALIAN"] == packaged["CN_DALIAN"]


def test_what_a_user_leaves_out_is_filled_in(tmp_path):
    (zone,) = read_zone_file(write(tmp_path, feature(tags="coal", unlocode=["RUNJK"])))
    assert (zone.name, zone.watch, zone.country, zone.why) == ("XX_TEST", "none", None, "")
    assert (zone.tags, zone.unlocodes, zone.alt_names) == (frozenset({"coal"}), ("RUNJK",), ())
    assert zone.geometry.covers(shapely.Point(zone.lon, zone.lat))


def test_a_feature_may_carry_its_id_where_geojson_puts_it(tmp_path):
    one = feature()
    del one["properties"]["zone_id"]
    assert [zone.zone_id for zone in read_zone_file(write(tmp_path, {**one, "id": "XX_OUTER"}))] == ["XX_OUTER"]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    file = write(tmp_path, feature())
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(read_zone_file(file)) == 1


def ring(*points: list[float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


BAD = {
    "kind": (feature(kind="prot"), ["feature 0", "XX_TEST", "kind", "prot", "'port'"]),
    "watch": (feature(watch="highest"), ["feature 0", "XX_TEST", "watch", "high, elevated, none"]),
    "unknown property": (feature(natch="high"), ["feature 0", "XX_TEST", "'natch'", "'watch'"]),
    "no id": (
        {"type": "Feature", "geometry": feature()["geometry"], "properties": {"zoneid": "XX", "kind": "port"}},
        ["feature 0", "'zone_id'", "'zoneid'"],
    ),
    "empty id": (feature(zone_id=""), ["feature 0", "zone_id"]),
    "numeric id": (feature(zone_id=7), ["feature 0", "zone_id"]),
    "no properties": ({"type": "Feature", "geometry": None}, ["feature 0", "properties"]),
    "no feature": ("zone", ["feature 0"]),
    "no geometry": ({**feature(), "geometry": None}, ["feature 0", "XX_TEST", "Polygon"]),
    "a point": (feature({"type": "Point", "coordinates": [130.0, 40.0]}), ["feature 0", "XX_TEST", "Polygon"]),
    "an empty polygon": (feature({"type": "Polygon", "coordinates": []}), ["feature 0", "XX_TEST", "Polygon"]),
    "an open ring": (
        feature({"type": "Polygon", "coordinates": [SQUARE[0][:-1]]}),
        ["feature 0", "XX_TEST", "geometry"],
    ),
    "texts for numbers": (
        feature({"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}),
        ["feature 0", "XX_TEST", "geometry"],
    ),
    "metres": (
        feature(ring([500_000.0, 4_400_000.0], [500_100.0, 4_400_000.0], [500_100.0, 4_400_100.0])),
        ["feature 0", "XX_TEST", "degrees"],
    ),
    "a bow tie": (feature(ring([0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0])), ["feature 0", "XX_TEST", "not valid"]),
    "a bow tie at the antimeridian": (
        feature(ring([179.0, 0.0], [-179.0, 1.0], [-179.0, 0.0], [179.0, 1.0])),
        ["feature 0", "XX_TEST", "not valid"],
    ),
    "a line": (feature(ring([0.0, 0.0], [1.0, 0.0], [0.5, 0.0])), ["feature 0", "XX_TEST", "not valid"]),
    "infinite": (
        feature({"type": "Polygon", "coordinates": [[[1e999, 0.0], [1.0, 0.0], [1.0, 1.0], [1e999, 0.0]]]}),
        ["feature 0", "XX_TEST"],
    ),
    "country": (feature(country=["KP"]), ["feature 0", "XX_TEST", "country"]),
    "tags": (feature(tags=[1]), ["feature 0", "XX_TEST", "tags"]),
    "lat": (feature(lat="north"), ["feature 0", "XX_TEST", "lat"]),
    "lon": (feature(lon=True), ["feature 0", "XX_TEST", "lon"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_zone_is_said_with_file_feature_and_remedy(tmp_path, case):
    bad, words = BAD[case]
    file = write(tmp_path, bad)
    with pytest.raises(SettingsError) as refused:
        read_zone_file(file)
    for word in ["zones.geojson", *words]:
        assert word in str(refused.value), str(refused.value)


def test_the_feature_at_fault_is_counted_from_the_top(tmp_path):
    with pytest.raises(SettingsError, match="feature 1"):
        read_zone_file(write(tmp_path, feature(), feature(zone_id="XX_B", kind="harbour")))


def test_an_id_may_stand_once_only(tmp_path):
    with pytest.raises(SettingsError, match=r"XX_TEST.*twice"):
        read_zone_file(write(tmp_path, feature(), feature()))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"zones"', b'{"type": "Feature"}', b"\xff\xfe", b"\x00"])
def test_a_file_that_is_no_feature_collection_is_named(tmp_path, content):
    file = tmp_path / "zones.geojson"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"zones\.geojson"):
        read_zone_file(file)


def test_features_must_be_a_list(tmp_path):
    with pytest.raises(SettingsError, match="features"):
        read_zone_file(write(tmp_path, features={"a": 1}))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.geojson"):
        read_zones(tmp_path / "nowhere.geojson")


def test_levels_are_changed_by_id_and_an_unknown_id_gets_the_nearest_name():
    zones = read_zones()
    changed = zones.with_levels({"KP_NAMPO": "none"})
    assert changed["KP_NAMPO"].watch == "none"
    assert changed["KP_RAJIN"].watch == zones["KP_RAJIN"].watch
    with pytest.raises(SettingsError, match=r"KP_NAMPOO.*KP_NAMPO"):
        zones.with_levels({"KP_NAMPOO": "high"})


@pytest.mark.parametrize(
    "points",
    [
        ([179.0, 50.0], [-179.0, 50.0], [-179.0, 51.0], [179.0, 51.0]),
        ([179.0, 50.0], [181.0, 50.0], [181.0, 51.0], [179.0, 51.0]),
        ([-181.0, 50.0], [-179.0, 50.0], [-179.0, 51.0], [-181.0, 51.0]),
    ],
)
@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
def test_a_fence_across_the_antimeridian_is_the_same_however_it_is_written(tmp_path, points, kind):
    shape = ring(*points)
    if kind == "MultiPolygon":
        shape = {"type": kind, "coordinates": [shape["coordinates"], SQUARE]}
    (zone,) = read_zone_file(write(tmp_path, feature(shape)))
    for lon, inside in ((179.5, True), (-179.5, True), (180.0, True), (178.5, False), (0.0, False), (-178.5, False)):
        assert zone.geometry.intersects(shapely.Point(lon, 50.5)) == inside, lon
    assert zone.geometry.area == pytest.approx(2.0 + (0.04 if kind == "MultiPolygon" else 0.0))
    index = zones_of(zone).index
    for lon, inside in ((179.5, True), (180.0, True), (-180.0, True), (-179.5, True), (-178.5, False)):
        found = index.sets[int(index.lookup(*_one(50.5, lon))[0])]
        assert (0 in found) == inside, lon


def _one(lat: float, lon: float):
    return np.array([lat]), np.array([lon])


def test_a_fence_written_with_longitudes_to_360_lands_in_the_west():
    assert wrap_geometry(shapely.box(200.0, 0.0, 201.0, 1.0)).bounds == (-160.0, 0.0, -159.0, 1.0)


@pytest.mark.parametrize("lat", [0.0, 42.8, 65.0])
def test_a_widened_fence_reaches_the_margin_farther(lat):
    zone = disc("XX_A", lat, 20.0, 10.0)
    wide = widen(zone.geometry, lat, EXIT_MARGIN_KM)
    assert wide.contains(zone.geometry)
    outer = shapely.get_coordinates(wide)
    margins = [float(distance_nmi(lat, 20.0, y, x)) * 1.852 - 10.0 for x, y in outer]
    assert min(margins) == pytest.approx(EXIT_MARGIN_KM, abs=0.1)
    assert max(margins) == pytest.approx(EXIT_MARGIN_KM, abs=0.1)


def test_a_widened_fence_goes_on_beyond_the_antimeridian():
    zone = polygon("XX_A", shapely.box(179.9, 0.0, 179.999, 0.1))
    wide = widen(zone.geometry, 0.05, EXIT_MARGIN_KM)
    assert wide.intersects(shapely.Point(-179.995, 0.05))
    assert not wide.intersects(shapely.Point(-179.98, 0.05))


def test_the_smaller_of_two_fences_has_the_smaller_area():
    zones = zones_of(disc("XX_BIG", 60.0, 5.0, 30.0), disc("XX_SMALL", 0.0, 5.0, 20.0))
    assert zones.areas[zones.index_of("XX_SMALL")] < zones.areas[zones.index_of("XX_BIG")]
