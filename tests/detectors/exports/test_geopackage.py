"""A GeoPackage that QGIS opens styled: layers, types, styles, the same bytes for the same run."""

# ruff: noqa: S608 - the names of our own tables

import re
import sqlite3
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime

import pyogrio
import pytest

from detectors.exports.geopackage import is_ours, write_geopackage
from detectors.exports.layers import layers_of
from tests.detectors.exports.runs import gap, reports, with_tracks

AS_OF = datetime(2024, 6, 30, tzinfo=UTC)
WAY = [(i / 3, 179.5 + i / 4 - (360 if i > 1 else 0), 50.0) for i in range(5)]


@pytest.fixture
def layers(run, voyage_id):
    return layers_of(with_tracks(run, reports(voyage_id, *WAY), [gap(WAY[-1], None)]))


@pytest.fixture
def path(layers, tmp_path):
    path = tmp_path / "a.gpkg"
    write_geopackage(layers.in_order, path, AS_OF)
    return path


def rows(path, sql):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def style(path, layer):
    ((qml,),) = rows(path, f"SELECT styleQML FROM layer_styles WHERE f_table_name = '{layer}'")
    return ET.fromstring(qml)  # noqa: S314 - our own text


def test_gdal_reads_every_layer_with_its_columns_places_and_times(layers, path):
    for layer in layers.in_order:
        read = pyogrio.read_dataframe(path, layer=layer.name)
        assert list(read.columns) == [*layer.table.column_names, "geometry"]
        assert read.crs.to_epsg() == 4326
        assert len(read) == layer.table.num_rows
        for found, shape in zip(read.geometry, layer.shapes, strict=True):
            assert found is None if shape is None else found.equals(shape)
            assert found is None or found.geom_type == layer.geometry_type
        for name in {"start", "end", "time"} & set(layer.table.column_names):
            want = [None if when is None else when.replace(tzinfo=None) for when in layer.table[name].to_pylist()]
            got = [None if when is None or when != when else when.to_pydatetime() for when in read[name]]
            assert [when and when.replace(tzinfo=None) for when in got] == want


def test_times_say_that_they_are_utc(path):
    ((when,),) = rows(path, "SELECT start FROM tracks")
    assert re.fullmatch(r"2024-05-01T00:00:00(\.000)?Z", when)


def test_the_same_run_gives_the_same_bytes_at_another_time(layers, path, tmp_path):
    time.sleep(0.01)
    write_geopackage(layers.in_order, tmp_path / "b.gpkg", AS_OF)
    assert (tmp_path / "b.gpkg").read_bytes() == path.read_bytes()
    stamps = {stamp for (stamp,) in rows(path, "SELECT last_change FROM gpkg_contents")}
    stamps |= {stamp for (stamp,) in rows(path, "SELECT update_time FROM layer_styles")}
    assert stamps == {"2024-06-30T00:00:00.000Z"}


def test_the_file_is_sound_and_each_layer_has_a_spatial_index(layers, path):
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    indexed = {
        name for (name,) in rows(path, "SELECT table_name FROM gpkg_extensions WHERE extension_name LIKE '%rtree%'")
    }
    assert indexed == {layer.name for layer in layers.in_order}


def test_the_table_of_styles_is_the_one_that_qgis_looks_in(layers, path):
    columns = [row[1] for row in rows(path, "PRAGMA table_info(layer_styles)")]
    assert columns == [
        *("id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML"),
        *("styleSLD", "useAsDefault", "description", "owner", "ui", "update_time"),
    ]
    # What QGIS asks for: QgsOgrUtils::loadStoredStyle.
    for layer in layers.in_order:
        ((geometry,),) = rows(path, f"SELECT column_name FROM gpkg_geometry_columns WHERE table_name = '{layer.name}'")
        found = rows(
            path,
            "SELECT useAsDefault FROM layer_styles WHERE f_table_schema = '' "
            f"AND f_table_name = '{layer.name}' AND f_geometry_column = '{geometry}'",
        )
        assert found == [(1,)]
    assert ("layer_styles", "attributes") in rows(path, "SELECT table_name, data_type FROM gpkg_contents")


def test_styles_name_only_columns_that_there_are_and_symbols_they_have(layers, path):
    for layer in layers.in_order:
        qgis = style(path, layer.name)
        assert qgis.tag == "qgis"
        renderer = qgis.find("renderer-v2")
        used = {renderer.get("attr")} - {None}
        for rule in renderer.iter("rule"):
            used |= set(re.findall(r'"(\w+)"', rule.get("filter", "")))
        for text in qgis.iter("text-style"):
            used.add(text.get("fieldName"))
        temporal = qgis.find("temporal")
        if temporal is not None:
            used |= {temporal.get("startField"), temporal.get("endField")} - {""}
        used |= set(re.findall(r'"(\w+)"', qgis.findtext("previewExpression")))
        assert used <= set(layer.table.column_names), layer.name
        symbols = {symbol.get("name") for symbol in renderer.iter("symbol")}
        asked = {node.get("symbol") for node in renderer.iter() if node.get("symbol") is not None}
        assert asked == symbols != set()
        geometry = {"Point": "marker", "MultiLineString": "line", "MultiPolygon": "fill"}[layer.geometry_type]
        assert {symbol.get("type") for symbol in renderer.iter("symbol")} == {geometry}


def test_every_row_of_a_run_is_drawn_by_some_rule_or_category(layers, path):
    for name in ("silences", "findings", "flagged_voyages", "fences"):
        renderer = style(path, name).find("renderer-v2")
        values = {category.get("value") for category in renderer.iter("category")}
        layer = next(layer for layer in layers.in_order if layer.name == name)
        assert set(layer.table[renderer.get("attr")].to_pylist()) <= values
    for name in ("tracks", "positions"):
        filters = [rule.get("filter") for rule in style(path, name).iter("rule") if rule.get("filter")]
        drawn = " OR ".join(f"({text})" for text in filters)
        assert rows(path, f"SELECT count(*) FROM {name} WHERE {drawn}") == rows(path, f"SELECT count(*) FROM {name}")
        twice = " + ".join(f"coalesce({text}, 0)" for text in filters)
        assert rows(path, f"SELECT max({twice}) FROM {name}") == [(1,)]


def test_layers_with_times_are_ready_for_the_temporal_controller(layers, path):
    modes = {}
    for layer in layers.in_order:
        temporal = style(path, layer.name).find("temporal")
        if temporal is not None:
            assert temporal.get("enabled") == "1"
            modes[layer.name] = temporal.get("mode")
    assert modes == {"silences": "2", "tracks": "2", "positions": "1", "findings": "2", "flagged_voyages": "2"}


def test_silences_are_dashed_and_tracks_are_not(path):
    def dashes(layer):
        return {
            option.get("value") for option in style(path, layer).iter("Option") if option.get("name") == "line_style"
        }

    assert dashes("silences") == {"dash", "dot"}
    assert "solid" in dashes("tracks")


def test_an_export_is_known_again_unless_something_was_added(layers, path, tmp_path):
    names = [layer.name for layer in layers.in_order]
    assert is_ours(path, names)
    text = tmp_path / "text.gpkg"
    text.write_text("no database")
    assert not is_ours(text, names)
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO layer_styles (f_table_name, styleQML, owner) VALUES ('tracks', '', 'kim')")
        database.commit()
    assert not is_ours(path, names)


def test_no_flagged_voyage_gives_a_sound_file_with_empty_layers(make_run, run, tmp_path):
    empty = layers_of(type(run)(run.folder, make_run(flagged=False).tables, run.run))
    path = tmp_path / "empty.gpkg"
    write_geopackage(empty.in_order, path, AS_OF)
    for layer in empty.in_order:
        assert pyogrio.read_info(path, layer=layer.name)["features"] == layer.table.num_rows
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_disk_that_fails_is_an_os_error_that_names_the_file(layers, tmp_path):
    with pytest.raises(OSError, match=r"gone/a\.gpkg"):
        write_geopackage(layers.in_order, tmp_path / "gone" / "a.gpkg", AS_OF)
