"""CSV for spreadsheets: nothing runs as a formula, numbers stay numbers, every cell fits."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from detectors.exports.csv_files import CELL, csv_text, no_formula
from detectors.exports.layers import layers_of
from tests.detectors.exports.runs import reports, with_finding, with_flagged, with_tracks

SIGNS = "=+-@\t\r＝＋－＠"


def cells(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", "＠A", '"=1', "  =1", "SEA;=1", 'SEA; "=1"', "A;+B"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert "'" in no_formula(text)
    assert no_formula(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["", "M/V ANNA-1", "a = b", "NAKHODKA > DALIAN", "1;2", "x@y", "'=1", "A; B-C"])
def test_other_text_stays_as_it_is(text):
    assert no_formula(text) == text


@given(st.text(alphabet=st.sampled_from([*SIGNS, *" ;\"'A1"]), max_size=12))
def test_no_cell_begins_with_a_sign_however_it_is_divided(text):
    for cell in no_formula(text).split(";"):
        assert not cell.lstrip(' "').startswith(tuple(SIGNS))


def test_a_ship_named_as_a_formula_is_no_formula_in_any_file(run):
    evil = '=HYPERLINK("http://x","y")'
    (evidence,) = [run.tables["findings"]["evidence"][0].as_py()[:1]]
    hostile = with_finding(with_flagged(run, name=evil, call_sign="-1+1", headline="@x"), headline="+x", caveats=["=y"])
    hostile = with_finding(hostile, evidence=[evidence[0] | {"what": "=z"}])
    for layer in layers_of(hostile).in_order:
        text = csv_text(layer)
        numbers = {field.name for field in layer.table.schema if not str(field.type).startswith("string")}
        for row in cells(text):
            for name, cell in row.items():
                assert name in numbers or not cell.startswith(tuple(SIGNS)), (layer.name, name, cell)
    (row,) = cells(csv_text(layers_of(hostile).flagged_voyages))
    assert row["name"] == f"'{evil}"
    assert row["call_sign"] == "'-1+1"


def test_numbers_stay_numbers_and_times_times(run, voyage_id):
    way = [(i / 3, -70.5 - i / 10, -33.25) for i in range(4)]
    layer = layers_of(with_tracks(run, reports(voyage_id, *way))).positions
    text = csv_text(layer)
    assert cells(text)[0]["lon"] == "-70.5"
    read = pd.read_csv(io.StringIO(text), parse_dates=["time"])
    assert read["lon"].tolist() == pytest.approx(layer.table["lon"].to_pylist())
    assert read["mmsi"].dtype == np.int64
    assert read["time"].tolist() == layer.table["time"].to_pylist()


def test_lines_end_as_rfc_4180_says_and_every_row_has_every_column(run):
    for layer in layers_of(run).in_order:
        text = csv_text(layer)
        assert text.count("\r\n") == layer.table.num_rows + 1
        assert "\n" not in text.replace("\r\n", "")
        for row in csv.reader(io.StringIO(text, newline="")):
            assert len(row) == layer.table.num_columns + (layer.geometry_type != "Point")


def test_lines_and_fences_are_well_known_text(run):
    found = layers_of(run)
    for layer in (found.tracks, found.fences):
        for row, shape in zip(cells(csv_text(layer)), layer.shapes, strict=True):
            assert shapely.from_wkt(row["wkt"]).equals_exact(shape, 1e-6)


def test_a_line_too_long_for_a_cell_is_simplified_until_it_fits(run, voyage_id):
    angle = np.linspace(0.0, 40.0, 4000)
    way = [(i / 3, 130.0 + a / 20 * np.cos(a), 40.0 + a / 20 * np.sin(a)) for i, a in enumerate(angle)]
    layer = layers_of(with_tracks(run, reports(voyage_id, *way))).tracks
    assert len(layer.shapes[0].wkt) > CELL
    (row,) = cells(csv_text(layer))
    assert len(row["wkt"]) <= CELL
    assert shapely.from_wkt(row["wkt"]).hausdorff_distance(layer.shapes[0]) < 0.01
