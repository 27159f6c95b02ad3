"""Layers as GeoJSON by RFC 7946: WGS 84 longitude and latitude, lines cut at ±180°, rings to the right, no `crs`.

Takes layers; gives text, the same for the same layer. Properties are the layer's columns and simplestyle's
(`detectors.exports.colours`). One feature a line, so that a text editor opens it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import shapely

from detectors.exports.colours import simplestyle
from detectors.exports.csv_files import time_text
from detectors.exports.layers import Layer


def geojson_text(layer: Layer) -> str:
    """A layer as a FeatureCollection."""
    head = {"type": "FeatureCollection", "name": layer.name, "description": layer.about, "generator": "wakewatch"}
    features = ",\n".join(_features(layer))
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "features": [\n{features}\n]}}\n'


def _features(layer: Layer) -> Iterator[str]:
    geometries = shapely.to_geojson(list(layer.shapes))
    for row, geometry in zip(layer.table.to_pylist(), geometries, strict=True):
        properties = {key: _plain(value) for key, value in row.items()} | simplestyle(layer, row)
        text = json.dumps(properties, ensure_ascii=False, allow_nan=False)
        yield f'{{"type": "Feature", "geometry": {geometry or "null"}, "properties": {text}}}'


def _plain(value: Any) -> Any:
    return time_text(value) if isinstance(value, datetime) else value
