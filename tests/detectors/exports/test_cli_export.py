"""`wakewatch export` on the command line: what it says, what it writes, how it fails."""

from pathlib import Path
from typing import Any

import pytest

from detectors.batch.outputs import write_result
from detectors.cli.entry import main


@pytest.fixture
def out(finished: Any, tmp_path: Path) -> Path:
    write_result(finished, tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("form", "made"),
    [("gpkg", "export.gpkg"), ("kml", "export.kml"), ("csv", "export-csv"), ("GeoJSON", "export-geojson")],
)
def test_it_says_what_it_wrote_and_where(out, capsys, form, made):
    assert main(["export", str(out), "--format", form]) == 0
    said = capsys.readouterr()
    assert (out / made).exists()
    assert said.out.splitlines()[-1].endswith(str(out / made))
    assert said.out.startswith("Layers   flagged voyages 1, findings 1, positions ")
    assert said.err == ""


def test_out_and_voyage_are_heeded(out, tmp_path, capsys, relay_voyage_id):
    target = tmp_path / "case.kmz"
    assert main(["export", str(out), "--format", "kml", "--out", str(target), "--voyage", relay_voyage_id[7:15]]) == 0
    assert target.is_file()
    assert main(["export", str(out), "--format", "kml", "--voyage", "feedbeef"]) == 2
    assert "no flagged voyage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{out}"], "no format: give --format gpkg, geojson, csv or kml"),
        (["{out}", "--format", "shp"], "--format shp: unknown format"),
        (["{tmp}/nothing", "--format", "csv"], "is no folder"),
        (["{tmp}", "--format", "csv"], "holds no run.json"),
        (["{out}", "--format", "gpkg", "--out", "{tmp}"], "is a folder"),
        (["{out}", "--format", "kml", "--out", "{tmp}/a.gpkg"], "ends in .kml or .kmz"),
        (["{out}", "--format", "csv", "--out", "{out}"], "holds files that `wakewatch export` did not make"),
        (["--format", "csv"], "DIR"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(out, tmp_path, capsys, arguments, words):
    filled = [argument.format(out=out, tmp=tmp_path) for argument in arguments]
    assert main(["export", *filled]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_disk_that_fails_is_status_1(out, capsys, monkeypatch):
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device", "export.kml")

    monkeypatch.setattr(Path, "write_bytes", fails)
    assert main(["export", str(out), "--format", "kml"]) == 1
    assert "export.kml: No space left on device" in capsys.readouterr().err


def test_help_names_every_format(capsys):
    assert main(["export", "--help"]) == 0
    said = capsys.readouterr().out
    for word in ("gpkg", "geojson", "csv", "kml", "--voyage", "--force"):
        assert word in said
