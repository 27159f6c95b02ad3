"""The picture for a letter: a document of its own that says whose voyage it is, how odd, and why."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import shapely

from detectors.explain import Cases
from detectors.report import picture
from detectors.report.coast import packaged_coast
from detectors.report.drawer import Drawer
from detectors.report.picture import A4, LINES_EACH, LISTED, UNTRACKED, WIDTH_PX, case_picture, wrapped
from detectors.run_folder import run_in_memory
from detectors.run_tables import TRACKS
from tests.detectors.conftest import make_run

SVG = "{http://www.w3.org/2000/svg}"
NAMES = (
    "<script>alert(1)</script>",
    "A&B \"C\" 'D' ]]>",
    "</text></svg><b>",
    "\x1b[31mRED\u202eABC",
    "W" * 10_000,
    "&#1;",
)
DRAWN_WITH = frozenset({"svg", "g", "path", "rect", "circle", "line", "text", "tspan", "title", "desc", "style", "use"})
DRAWN_WITH |= {"defs", "pattern", "polyline", "polygon", "symbol", "clipPath"}


def parsed(svg):
    """The elements of a picture; raises where it is no XML."""
    return ET.fromstring(svg)  # noqa: S314 - made by ourselves


def flagged_id(run):
    return run.tables["flagged_voyages"]["voyage_id"][0].as_py()


def drawn(run, voyage_id=None, change=lambda case: case):
    case = change(Cases(run).case(voyage_id or flagged_id(run)))
    return case_picture(case, Drawer(run), packaged_coast(), "9.8.7")


@pytest.fixture
def run(finished, tmp_path):
    return run_in_memory(finished, tmp_path)


def texts(svg):
    """Lines of text, those of nested pictures left out."""
    root = parsed(svg)
    return ["".join(text.itertext()) for group in root.findall(f"{SVG}g") for text in group.findall(f"{SVG}text")]


def test_it_says_who_sailed_where_how_odd_that_was_and_why(run):
    lines = texts(drawn(run))
    assert lines[:3] == [
        "PAEKSONG 2",
        "MMSI 445012340, IMO 2318669; Nakhodka → Pohang",
        f"{flagged_id(run)}: critical, score 0.934, rank 1, new",
    ]
    assert lines[3] == "1"
    assert " ".join(lines[4:-1]) == (
        "PAEKSONG 2 (445012340) called at Nampo, then Nakhodka, then Pohang (relay_voyage, +21.5 dB)"
    )
    assert lines[-1].startswith("Data as of 2024-")
    assert lines[-1].endswith("Z. wakewatch 9.8.7. A finding says what the data show. It accuses nobody.")


def test_it_stands_alone(run):
    svg = drawn(run)
    root = parsed(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "PAEKSONG 2 (MMSI 445012340)"
    (style,) = root.findall(f"{SVG}style")
    assert not re.search(r"var\(--(?![fk],)", style.text), "colours are given, not named"
    assert not re.search(r"url\((?!#)|@import|https?:", style.text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= DRAWN_WITH
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("style",), name
            assert "href" not in name or value.startswith("#"), value


def test_every_class_of_its_own_has_a_style(run):
    svg = drawn(run)
    used = set(re.findall(r'class="(case-[a-z]+)"', svg))
    assert {"case-title", "case-text", "case-soft", "case-label", "case-critical", "case-ground"} <= used
    assert used <= set(re.findall(r"\.(case-[a-z]+)\{", svg))


def test_the_same_run_gives_the_same_bytes(finished, tmp_path):
    assert len({drawn(run_in_memory(finished, tmp_path)) for _ in range(3)}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_text(name, tmp_path):
    run = run_in_memory(make_run(name), tmp_path)
    root = parsed(drawn(run))
    quiet = parsed(drawn(run_in_memory(make_run(), tmp_path)))
    assert {element.tag for element in root.iter()} <= {element.tag for element in quiet.iter()}
    shown = "".join(root.itertext())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown) < 20_000


def test_the_map_gives_way_so_that_the_whole_fits_a_sheet_of_paper(run):
    def height(svg):
        return float(parsed(svg).get("height"))

    def with_findings(n):
        return drawn(run, change=lambda case: replace(case, findings=case.findings * n))

    assert height(with_findings(1)) <= WIDTH_PX * A4
    heights = [height(with_findings(n)) for n in (1, 6, 12)]
    assert heights == sorted(heights)
    few, many = (list(parsed(with_findings(n)).iter(f"{SVG}svg"))[1] for n in (1, 12))
    assert float(few.get("viewBox").split()[3]) > float(many.get("viewBox").split()[3]) >= picture.MAP_PX[0]


def test_a_thousand_findings_are_counted_and_not_all_listed(run):
    lines = texts(drawn(run, change=lambda case: replace(case, findings=case.findings * 1000)))
    assert f"and {1000 - LISTED} more" in lines
    assert [line for line in lines if line.isdigit()] == [str(n) for n in range(1, LISTED + 1)]


def test_a_voyage_without_a_kept_track_says_so_and_has_no_line(run):
    lily = next(v["voyage_id"] for v in run.tables["voyages"].to_pylist() if v["mmsi"] == 352001870)
    lines = texts(drawn(run, lily))
    assert lines[0] == "GOLDEN LILY", "the name that its reports gave"
    assert "Not flagged: no detector found anything on it." in lines
    assert "Nothing was found on this voyage." in lines
    assert " ".join(wrapped(UNTRACKED, WIDTH_PX - 40.0, 12.0, LINES_EACH)) in " ".join(lines)
    assert UNTRACKED not in " ".join(texts(drawn(run)))


def test_a_run_of_before_tracks_were_kept_shows_the_simplified_line_and_says_so(run):
    old = replace(run, tables={**run.tables, "tracks": TRACKS.empty()})
    lines = " ".join(texts(drawn(old)))
    assert "This run keeps no reports of the voyage" in lines
    assert "flagged voyages only" not in lines


def test_a_voyage_across_the_antimeridian_is_drawn(run):
    tracks = run.tables["tracks"]
    lon = [(170.0 + i * 0.05 + 180.0) % 360.0 - 180.0 for i in range(tracks.num_rows)]
    moved = tracks.set_column(tracks.schema.get_field_index("lon"), tracks.schema.field("lon"), [lon])
    parsed(drawn(replace(run, tables={**run.tables, "tracks": moved})))


def test_a_voyage_of_one_point_is_drawn(run):
    flagged = run.tables["flagged_voyages"]
    at = flagged.schema.get_field_index("geometry")
    point = flagged.set_column(at, flagged.schema.field("geometry"), [[shapely.to_wkb(shapely.Point(132.9, 42.8))]])
    tables = {**run.tables, "tracks": run.tables["tracks"].slice(0, 1), "flagged_voyages": point}
    parsed(drawn(replace(run, tables=tables)))


def test_a_part_without_a_size_is_a_defect_that_shows(run, monkeypatch):
    monkeypatch.setattr(picture, "map_picture", lambda *_, **__: "<svg/>")
    with pytest.raises(ValueError, match="no viewBox"):
        drawn(run)


def test_text_is_broken_between_words_and_cut_after_its_last_line():
    assert wrapped("", 100.0, 12.0, 2) == []
    assert wrapped("one two", 1000.0, 12.0, 2) == ["one two"]
    assert wrapped("W" * 500, 100.0, 12.0, 2)[0].endswith("…")
    lines = wrapped("word " * 100, 200.0, 12.0, 3)
    assert len(lines) == 3
    assert [line.endswith("…") for line in lines] == [False, False, True]
