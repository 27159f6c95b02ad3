"""KML for Google Earth: valid, every report with its time, nothing of a radio's text taken for markup."""

import io
import xml.etree.ElementTree as ET
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyogrio
import pytest

from detectors.exports.kml import kml_text, kmz_bytes
from detectors.exports.layers import layers_of
from tests.detectors.exports.runs import gap, reports, with_finding, with_flagged, with_rows, with_tracks

K = "{http://www.opengis.net/kml/2.2}"
GX = "{http://www.google.com/kml/ext/2.2}"
WAY = [(i / 3, 179.5 + i / 4 - (360 if i > 1 else 0), 50.0) for i in range(5)]
LATER = [(9.0 + i / 3, -178.0 + i / 4, 50.0) for i in range(3)]
ALONE = (20.0, -176.0, 50.5)
SILENCES = [gap(WAY[-1], LATER[0]), gap(LATER[-1], ALONE), gap(ALONE, None)]
ORDER = (
    *("name", "visibility", "open", "Snippet", "description", "TimeStamp", "TimeSpan", "styleUrl", "Style"),
    *("ExtendedData", "Point", "LineString", "Polygon", "MultiGeometry", "MultiTrack", "Placemark", "Folder"),
)
"""The order of elements in a feature, OGC 07-147r2 sections 9 and 16."""


@pytest.fixture
def told(run, voyage_id):
    return with_tracks(run, reports(voyage_id, *WAY, *LATER, ALONE), SILENCES)


def document(run):
    return ET.fromstring(kml_text(layers_of(run), "a run").encode())  # noqa: S314 - our own text


def named(tree, name):
    return [element for element in tree.iter(f"{K}Placemark") if name in element.findtext(f"{K}name")]


def folder(tree, name):
    return next(element for element in tree.iter(f"{K}Folder") if element.findtext(f"{K}name") == name)


def test_elements_stand_in_the_order_that_kml_prescribes(told):
    for feature in (f for kind in ("Document", "Folder", "Placemark") for f in document(told).iter(f"{K}{kind}")):
        places = [ORDER.index(child.tag.split("}")[1]) for child in feature]
        assert places == sorted(places)


def test_the_document_follows_the_schemas(told):
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    found = find_spec("fastkml")
    if found is None or found.origin is None:
        pytest.skip("fastkml, which carries the schemas of KML, is not installed")
    schemas = Path(found.origin).parent / "schema"
    for run in (told, with_rows(told, "flagged_voyages", [])):
        text = etree.fromstring(kml_text(layers_of(run), "a run").encode())
        for name in ("ogckml22.xsd", "kml22gx.xsd"):
            etree.XMLSchema(etree.parse(schemas / name)).assertValid(text)


def test_every_report_has_its_time_and_no_track_spans_a_silence(told):
    (track,) = named(document(told), "1. PAEKSONG 2 track")
    tracks = track.findall(f".//{GX}Track")
    assert track.findtext(f".//{GX}interpolate") == "0"
    for one in tracks:
        assert len(one.findall(f"{K}when")) == len(one.findall(f"{GX}coord")) > 1
    when = [[time.text for time in one.findall(f"{K}when")] for one in tracks]
    # Two pieces of the first part, cut at 180 degrees at one and the same time, then the part after the silence.
    assert when[0][0] == "2024-05-01T00:00:00Z"
    assert when[0][-1] == when[1][0]
    assert when[2][0] == "2024-05-01T09:00:00Z"
    west = [float(coord.text.split()[0]) for coord in tracks[0].findall(f"{GX}coord")]
    east = [float(coord.text.split()[0]) for coord in tracks[1].findall(f"{GX}coord")]
    assert (west[-1], east[0]) == (180.0, -180.0)


def test_a_report_between_two_silences_is_a_point_with_its_time(told):
    (alone,) = list(folder(document(told), "Single reports"))[2:]
    assert alone.findtext(f".//{K}when") == "2024-05-01T20:00:00Z"
    assert alone.findtext(f".//{K}Point/{K}coordinates") == "-176.000000,50.500000"


def test_silences_have_times_and_one_that_goes_on_has_no_end(told):
    first, second, last = list(folder(document(told), "Not heard"))[2:]
    assert first.findtext(f".//{K}TimeSpan/{K}end") == "2024-05-01T09:00:00Z"
    assert first.find(f"{K}LineString") is not None
    assert second.find(f"{K}styleUrl").text == "#silence"
    assert last.find(f".//{K}TimeSpan/{K}end") is None
    assert last.find(f"{K}Point") is not None
    assert "so far" in last.findtext(f"{K}name")


def test_every_style_that_is_named_is_there(told):
    tree = document(told)
    styles = {style.get("id") for style in tree.iter(f"{K}Style")}
    named_ = {url.text.removeprefix("#") for url in tree.iter(f"{K}styleUrl")}
    assert named_ <= styles
    assert {"track-critical", "silence", "finding-critical", "last-critical"} <= named_


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "]]><b>", "A & B", "&lt;b&gt;", "\x00\x08\x1b[31m", "\ufffe\uffff\U0001f6a2"]
)
def test_a_radios_text_is_never_markup(told, name):
    hostile = with_flagged(told, name=name, headline=name, call_sign=name)
    hostile = with_finding(hostile, headline=name, caveats=[name], kind="dark_gap")
    tree = document(hostile)
    for element in tree.iter():
        words = element.text or ""
        if element.tag in (f"{K}name", f"{K}value", f"{K}description"):
            assert "<" not in words.replace("<br/>", "")
            assert "\x00" not in words
    assert len(list(tree.iter(f"{K}Placemark"))) == len(list(document(told).iter(f"{K}Placemark")))


def test_the_file_names_nothing_on_a_network_but_its_own_namespaces(told):
    text = kml_text(layers_of(told), "a run")
    assert text.count("http") == 2
    assert "<Icon>" not in text
    assert "<href>" not in text


def test_gdal_reads_all_of_it(told, tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(kml_text(layers_of(told), "a run"), encoding="utf-8")
    kinds = [
        kind
        for name, _ in pyogrio.list_layers(path)
        for kind in pyogrio.read_dataframe(path, layer=name).geometry.geom_type
    ]
    fences = len(layers_of(told).fences.shapes)
    # The track, the single report and the open silence, two silences, a finding, and where the ship was heard last.
    assert sorted(kind for kind in kinds if "Polygon" not in str(kind)) == [
        *("LineString", "LineString", "MultiLineString", "Point", "Point", "Point", "Point")
    ]
    assert sum("Polygon" in str(kind) for kind in kinds) == fences


def test_a_voyage_as_told_before_has_its_line(told):
    tree = document(with_tracks(told, []))
    (line,) = [place for place in tree.iter(f"{K}Placemark") if place.findtext(f"{K}styleUrl") == "#told"]
    assert line.find(f"{K}LineString") is not None
    assert line.find(f"{K}TimeSpan") is not None


def test_no_flagged_voyage_gives_a_document_with_the_fences(run):
    tree = document(with_rows(with_tracks(run, []), "flagged_voyages", []))
    assert len(list(tree.iter(f"{K}Placemark"))) == run.tables["zones"].num_rows


def test_a_kmz_holds_the_document_and_has_the_same_bytes_again(told):
    text = kml_text(layers_of(told), "a run")
    packed = kmz_bytes(text)
    assert packed == kmz_bytes(kml_text(layers_of(told), "a run"))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["doc.kml"]
        assert archive.read("doc.kml").decode() == text
    assert len(packed) < len(text) / 4
