"""GeoJSON by RFC 7946, styled by simplestyle, read back by GDAL."""

import json
import re

import pyogrio
import pytest
import shapely

from detectors.exports.geojson import geojson_text
from detectors.exports.layers import layers_of
from tests.detectors.exports.runs import gap, reports, with_flagged, with_tracks

CROSSING = [(i / 3, 179.5 + i / 4 - (360 if i > 1 else 0), 50.0) for i in range(5)]


@pytest.fixture
def layers(run, voyage_id):
    silence = gap((CROSSING[-1][0], *CROSSING[-1][1:]), None)
    return layers_of(with_tracks(run, reports(voyage_id, *CROSSING), [silence]))


def test_each_layer_is_a_feature_collection_without_a_crs_and_a_feature_a_line(layers):
    for layer in layers.in_order:
        text = geojson_text(layer)
        read = json.loads(text)
        assert read["type"] == "FeatureCollection"
        assert "crs" not in read
        assert len(read["features"]) == layer.table.num_rows
        assert len(text.splitlines()) == max(layer.table.num_rows, 1) + 2
        assert geojson_text(layer) == text


def test_gdal_reads_what_was_written(layers, tmp_path):
    for layer in layers.in_order:
        path = tmp_path / f"{layer.name}.geojson"
        path.write_text(geojson_text(layer), encoding="utf-8")
        read = pyogrio.read_dataframe(path)
        assert len(read) == layer.table.num_rows
        assert pyogrio.list_layers(path)[0][0] == layer.name
        assert set(layer.table.column_names) <= set(read.columns)
        for found, shape in zip(read.geometry, layer.shapes, strict=True):
            assert found is None if shape is None else found.equals(shape)


def test_lines_are_cut_at_180_and_digits_are_six(layers):
    text = geojson_text(layers.tracks)
    (feature,) = json.loads(text)["features"]
    assert feature["geometry"]["type"] == "MultiLineString"
    assert feature["geometry"]["coordinates"][0][-1][0] == 180.0
    assert not re.search(r"\d\.\d{7}", json.dumps(feature["geometry"]))


def test_a_silence_that_goes_on_has_a_null_geometry(layers):
    (feature,) = json.loads(geojson_text(layers.silences))["features"]
    assert feature["geometry"] is None
    assert feature["properties"]["end"] is None
    assert feature["properties"]["start"].endswith("Z")


def test_styles_are_those_of_simplestyle(layers):
    known = {
        *("title", "description", "marker-size", "marker-symbol", "marker-color"),
        *("stroke", "stroke-opacity", "stroke-width", "fill", "fill-opacity"),
    }
    for layer in layers.in_order:
        for feature in json.loads(geojson_text(layer))["features"]:
            styles = {key: value for key, value in feature["properties"].items() if key not in layer.table.column_names}
            assert set(styles) <= known, layer.name
            for key in styles.keys() & {"marker-color", "stroke", "fill"}:
                assert re.fullmatch("#[0-9a-f]{6}", styles[key])
            wanted = {"Point": "marker-color", "MultiLineString": "stroke", "MultiPolygon": "fill"}
            assert wanted[layer.geometry_type] in styles


def test_bands_and_watch_levels_differ_in_colour(run):
    colours = {}
    for band in ("critical", "high", "medium", "low"):
        found = layers_of(with_flagged(run, band=band))
        (feature,) = json.loads(geojson_text(found.flagged_voyages))["features"]
        colours[band] = feature["properties"]["marker-color"]
    assert len(set(colours.values())) == 4
    fences = json.loads(geojson_text(layers_of(run).fences))["features"]
    by_watch = {fence["properties"]["watch"]: fence["properties"]["stroke"] for fence in fences}
    assert len(set(by_watch.values())) == len(by_watch) > 1


def test_what_viewers_may_show_as_html_holds_no_element(run):
    hostile = layers_of(with_flagged(run, name="<script>1</script>", headline="<img src=x onerror=1>"))
    (feature,) = json.loads(geojson_text(hostile.flagged_voyages))["features"]
    assert feature["properties"]["title"] == "1. ‹script›1‹/script›"
    assert feature["properties"]["description"] == "‹img src=x onerror=1›"
    assert feature["properties"]["name"] == "<script>1</script>"  # data stay what they are


def test_rings_of_fences_run_against_the_clock(run):
    for feature in json.loads(geojson_text(layers_of(run).fences))["features"]:
        polygon = shapely.geometry.shape(feature["geometry"])
        for part in shapely.get_parts(polygon):
            assert part.exterior.is_ccw
