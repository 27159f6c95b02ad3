"""Layers as one GeoPackage that QGIS opens styled: a table a layer, a spatial index each, styles in `layer_styles`.

Takes layers; gives a file whose bytes follow from the layers and the versions of GDAL and SQLite alone: the times that
both write on their own account are set to the run's own time.
"""

import errno
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError
from shapely.geometry import MultiLineString, MultiPolygon
from shapely.geometry.base import BaseGeometry

from detectors.exports.layers import Layer
from detectors.exports.qml import qml_of

GEOMETRY: Final = "geom"
CRS: Final = "EPSG:4326"
OWNER: Final = "wakewatch"
STYLES: Final = "layer_styles"
_OF_SINGLES: Final = MappingProxyType({"MultiLineString": MultiLineString, "MultiPolygon": MultiPolygon})
_STYLES_SQL: Final = f"""
CREATE TABLE {STYLES} (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
  ui TEXT(30), update_time DATETIME
)"""
"""The table in which QGIS keeps styles in a GeoPackage (its OGR provider makes the same one); catalogue and schema are
empty texts there, not null."""


def write_geopackage(layers: Sequence[Layer], path: Path, as_of: datetime) -> None:
    """Write the layers to a file that is not there yet. Raises OSError when the disk fails."""
    try:
        for layer in reversed(layers):  # QGIS lists, and draws, the first on top
            _write_layer(layer, path)
        _write_styles(layers, path, as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    except (DataSourceError, DataLayerError, FeatureError, sqlite3.Error) as error:
        raise OSError(errno.EIO, f"cannot be written ({error})", str(path)) from error


def _write_styles(layers: Sequence[Layer], path: Path, stamp: str) -> None:
    """Add the styles, and put `stamp` for every time at which GDAL or SQLite says that something was written."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(_STYLES_SQL)
        database.executemany(
            f"INSERT INTO {STYLES} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "  # noqa: S608
            "styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
            "VALUES ('', '', ?, ?, ?, ?, '', 1, ?, ?, '', ?)",
            [(one.name, GEOMETRY, one.name, qml_of(one.name), one.about, OWNER, stamp) for one in layers],
        )
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
            "VALUES (?, 'attributes', ?, 'Styles for QGIS', ?)",
            (STYLES, STYLES, stamp),
        )
        database.execute("UPDATE gpkg_contents SET last_change = ?", (stamp,))
        database.commit()
        database.execute("VACUUM")


def _write_layer(layer: Layer, path: Path) -> None:
    shapes = shapely.to_wkb([_many(shape, layer.geometry_type) for shape in layer.shapes])
    table = layer.table.append_column(GEOMETRY, pa.array(shapes, pa.binary()))
    bare = pa.schema([pa.field(field.name, field.type) for field in table.schema])
    pyogrio.write_arrow(
        table.cast(bare),
        path,
        layer=layer.name,
        driver="GPKG",
        geometry_name=GEOMETRY,
        geometry_type=layer.geometry_type,
        crs=CRS,
        layer_options={"DESCRIPTION": layer.about},
    )


def _many(shape: BaseGeometry | None, kind: str) -> BaseGeometry | None:
    """A geometry as its layer's one type has it: a single line as a multi-line of one."""
    if shape is None or shape.geom_type == kind:
        return shape
    return _OF_SINGLES[kind]([shape])


def is_ours(path: Path, layers: Sequence[str]) -> bool:
    """Whether a file is a GeoPackage of an export, with nothing in it but its layers and their styles."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
            styles = database.execute(f"SELECT f_table_name, styleQML, owner FROM {STYLES}").fetchall()  # noqa: S608
    except sqlite3.Error:
        return False
    ours = tables == {*layers, STYLES} and len(styles) == len(layers)
    return ours and all(owner == OWNER and name in layers for name, _, owner in styles)
