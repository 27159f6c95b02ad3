"""What a notebook shows of a run, and what it saves: the same from memory and from a folder, and nobody's script."""

import importlib.util
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest

import detectors
from detectors.batch.outputs import write_result
from detectors.report.notebook import SHOWN, Picture, Report
from tests.detectors.conftest import make_run
from vessels.errors import UsageError

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[31m\"'&"
KERNEL = ("nbclient", "nbformat", "ipykernel")


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.pieces = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())


@pytest.fixture
def saved(finished, tmp_path):
    write_result(finished, tmp_path / "out")
    return detectors.load_run(tmp_path / "out")


def test_a_run_read_back_shows_what_the_result_shows(finished, saved, relay_voyage_id):
    assert saved.plot(relay_voyage_id) == finished.plot(relay_voyage_id)
    assert saved.explore() == finished.explore()
    assert saved._repr_html_() == finished._repr_html_()
    assert list(saved.flagged.columns) == list(finished.flagged.columns)
    assert saved.flagged.geometry.iloc[0].equals(finished.flagged.geometry.iloc[0])
    for name in ("findings", "voyages", "port_visits", "identities", "hull_links", "gaps", "rejects"):
        assert len(getattr(saved, name)) == len(getattr(finished, name))
    assert saved.run["n_flagged"] == 1


def test_a_picture_is_shown_as_an_image_that_keeps_its_styles_to_itself(finished, relay_voyage_id):
    picture = finished.plot(relay_voyage_id[:14])
    assert repr(picture) == "<Picture of PAEKSONG 2 (MMSI 445012340)>"
    assert picture._repr_svg_() == picture.svg
    shown = Tags(picture._repr_html_())
    assert shown.tags == ["img"]
    (source,) = (value for _, name, value in shown.attributes if name == "src")
    assert b64decode(source.removeprefix("data:image/svg+xml;base64,")).decode() == picture.svg
    assert ("img", "alt", "Map and time line of PAEKSONG 2 (MMSI 445012340)") in shown.attributes


@pytest.mark.parametrize("name", ["case.svg", "case.SVG", "case.png"])
def test_a_picture_is_saved_as_its_name_says(name, finished, relay_voyage_id, tmp_path):
    picture = finished.plot(relay_voyage_id)
    picture.save(tmp_path / name)
    picture.save(str(tmp_path / "again" / name))
    data = (tmp_path / name).read_bytes()
    assert data == (tmp_path / "again" / name).read_bytes()
    assert data.startswith(b"\x89PNG") if name.endswith("png") else data.decode() == picture.svg
    assert picture.png(0.5).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["case.pdf", "case", "case.svg.gz", ".png"])
def test_a_name_that_stands_for_no_format_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        Picture("<svg/>", "x").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_is_none_is_refused(finished):
    with pytest.raises(UsageError, match="there is none"):
        finished.plot("voyage-zz")


def test_the_page_runs_in_a_frame_that_shares_nothing(finished, tmp_path):
    page = finished.explore()
    shown = Tags(page._repr_html_())
    assert shown.tags == ["iframe"]
    given = {name: value for _, name, value in shown.attributes}
    assert given["sandbox"] == "allow-scripts"
    assert given["srcdoc"] == page.html
    assert given["title"]
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html
    assert len(repr(page)) < 60
    with pytest.raises(UsageError, match=r"ends in \.html"):
        page.save(tmp_path / "page.pdf")


def test_a_page_that_ends_a_frame_stays_in_it():
    shown = Tags(Report("\"></iframe><script>alert(1)</script>&amp;'")._repr_html_())
    assert shown.tags == ["iframe"]
    assert ("iframe", "srcdoc", "\"></iframe><script>alert(1)</script>&amp;'") in shown.attributes


def test_a_result_is_summed_up_with_its_first_flagged_voyages(finished, relay_voyage_id):
    shown = Tags(finished._repr_html_())
    assert set(shown.tags) == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert not shown.attributes
    assert shown.text.startswith("1,185 rows, ")
    assert "1 finding, 1 voyage flagged; as of 2024-" in shown.text
    for part in ("critical", "0.93", "PAEKSONG 2", "KP", "445012340", relay_voyage_id, "called at Nampo"):
        assert part in shown.text


def test_hostile_names_are_text_in_a_notebook():
    result = make_run(EVIL)
    shown = Tags(result._repr_html_())
    assert "script" not in shown.tags
    assert "img" not in shown.tags
    assert not shown.attributes
    assert "\x1b" not in shown.text
    assert "\u202e" not in shown.text
    assert "<script>alert(1)</script>" in shown.text, "shown, and only that"
    picture = result.plot(result.tables["flagged_voyages"]["voyage_id"][0].as_py())
    assert Tags(picture._repr_html_()).tags == ["img"]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", repr(picture))


def test_a_run_that_flagged_nothing_says_so():
    result = make_run(flagged=False)
    assert "0 voyages flagged" in result._repr_html_()
    assert "<table>" not in result._repr_html_()
    assert result.explore().html


def test_only_the_first_flagged_voyages_are_listed(finished, monkeypatch):
    monkeypatch.setattr("detectors.report.notebook.SHOWN", 0)
    assert SHOWN == 10
    assert "and 1 more in <code>.flagged</code>" in finished._repr_html_()


def test_importing_the_library_loads_nothing_of_the_pages():
    question = (
        "import sys, detectors; detectors.load_run, detectors.SavedRun; "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'jinja2', 'resvg_py', 'geopandas', 'IPython'}), "
        "[n for n in sys.modules if n.startswith('detectors.report')])"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout == "[] []\n"


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in KERNEL),
    reason=f"needs {', '.join(KERNEL)} to run a notebook",
)
def test_a_real_notebook_shows_a_run_a_picture_and_the_page(finished, relay_voyage_id, tmp_path, monkeypatch):
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    nbclient, nbformat = (pytest.importorskip(name, reason=f"no {name}") for name in KERNEL[:2])
    write_result(finished, tmp_path / "out")
    cells = (
        f"import detectors\nrun = detectors.load_run({str(tmp_path / 'out')!r})",
        "run",
        f"run.plot({relay_voyage_id!r})",
        "run.explore()",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    root = str(Path(__file__).parents[3])
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": root}}
    ).execute()
    nbformat.validate(notebook)
    shown = [cell["outputs"][0]["data"] if cell["outputs"] else {} for cell in notebook.cells]
    assert shown[0] == {}
    assert shown[1]["text/html"] == finished._repr_html_()
    assert shown[2]["image/svg+xml"].strip() == finished.plot(relay_voyage_id).svg.strip()
    assert shown[2]["text/html"].startswith("<img ")
    assert shown[3]["text/html"] == finished.explore()._repr_html_()
