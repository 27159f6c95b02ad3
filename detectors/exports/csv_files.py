"""Layers as CSV files for spreadsheets: UTF-8 with a byte order mark, RFC 4180, nothing that runs as a formula.

Takes layers; gives text. Columns are those of the layer, and `wkt` where the geometry is no point.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from detectors.exports.layers import Layer

ENCODING: Final = "utf-8-sig"
"""With the mark a spreadsheet reads UTF-8; without it, some take the local code page."""
CELL: Final = 32_000
"""Characters of a `wkt` cell; a spreadsheet's cell holds 32,767."""
FIRST_TOLERANCE_DEG: Final = 0.0001
_FORMULA: Final = re.compile(r'(^|;)(?=[\s"]*[=+\-@\t\r＝＋－＠])')
"""Where a spreadsheet would see a formula begin (OWASP, CSV Injection; CWE-1236): at the beginning of a cell, and after
a semicolon, which divides cells too in countries that write numbers with a comma."""


def csv_text(layer: Layer) -> str:
    """A layer as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    has_wkt = layer.geometry_type != "Point"
    writer.writerow([*layer.table.column_names, *(["wkt"] if has_wkt else [])])
    for cells, shape in zip(_rows(layer.table), layer.shapes, strict=True):
        writer.writerow([*cells, _wkt(shape)] if has_wkt else cells)
    return out.getvalue()


def _rows(table: pa.Table) -> Iterator[tuple[str, ...]]:
    return zip(*(_cells(column) for column in table.columns), strict=True) if table.num_rows else iter(())


def _cells(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_string(column.type):
        coded = column.combine_chunks().dictionary_encode()
        words = [no_formula(word) for word in coded.dictionary.to_pylist()]
        return ["" if code is None else words[code] for code in coded.indices.to_pylist()]
    values = column.to_pylist()
    if pa.types.is_timestamp(column.type):
        return ["" if value is None else time_text(value) for value in values]
    if pa.types.is_boolean(column.type):
        return ["" if value is None else str(value).lower() for value in values]
    return ["" if value is None else str(value) for value in values]


def no_formula(text: str) -> str:
    """Text that no spreadsheet runs: an apostrophe stands before what would begin a formula.

    >>> no_formula("=HYPERLINK(0)"), no_formula("SEA;+1"), no_formula("M/V ANNA-1")
    ("'=HYPERLINK(0)", "SEA;'+1", 'M/V ANNA-1')
    """
    return _FORMULA.sub(r"\1'", text)


def time_text(when: datetime) -> str:
    """An instant in ISO 8601, UTC.

    >>> time_text(datetime(2025, 3, 1, 4, 5, 6, tzinfo=UTC))
    '2025-03-01T04:05:06Z'
    """
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _wkt(shape: BaseGeometry | None) -> str:
    """Well-known text that fits a cell; a line with too many points for one is simplified as far as it takes."""
    if shape is None:
        return ""
    tolerance = FIRST_TOLERANCE_DEG
    text: str = shapely.to_wkt(shape, rounding_precision=6, trim=True)
    while len(text) > CELL:
        text = shapely.to_wkt(shapely.simplify(shape, tolerance), rounding_precision=6, trim=True)
        tolerance *= 2.0
    return text
