"""`wakewatch explain`: text, Markdown and pictures of one voyage, and one clear line where something cannot be."""

import os
import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from detectors.batch.outputs import write_result
from detectors.cli.entry import main
from detectors.explain import Cases
from detectors.report.markdown import case_markdown
from detectors.run_folder import load_run

EVIL = "\x1b[31m[x](javascript:alert(1))<b>\u202e\x07 | =1+1"


@pytest.fixture
def out(finished: Any, tmp_path: Path) -> Path:
    write_result(finished, tmp_path / "out")
    return tmp_path / "out"


def parsed(svg: str | bytes) -> ET.Element:
    """The elements of a picture; raises where it is no XML."""
    return ET.fromstring(svg)  # noqa: S314 - made by ourselves


def test_the_case_is_text_unless_markdown_is_asked_for(
    out: Path, relay_voyage_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", relay_voyage_id, "--run", str(out)]) == 0
    text = capsys.readouterr().out
    assert main(["explain", relay_voyage_id, "--run", str(out), "--format", "text"]) == 0
    assert capsys.readouterr().out == text
    assert main(["explain", relay_voyage_id, "--run", str(out), "--format", "md"]) == 0
    stdout, stderr = capsys.readouterr()
    assert stdout == case_markdown(Cases(load_run(out)).case(relay_voyage_id))
    assert stderr == ""
    assert "## Finding 1: relay_voyage (geofence 1)" in stdout
    assert "##" not in text


def test_markdown_is_as_long_as_it_is_however_narrow_the_terminal(
    out: Path, relay_voyage_id: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = set()
    for width in ("20", "200"):
        monkeypatch.setenv("COLUMNS", width)
        assert main(["explain", relay_voyage_id, "--run", str(out), "--format", "md"]) == 0
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1


@pytest.mark.parametrize("kind", ["text", "md"])
@pytest.mark.parametrize("name", ["case.svg", "case.PNG", "new/case.png"])
def test_a_picture_goes_beside_either_format(
    kind: str, name: str, out: Path, relay_voyage_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / name
    assert main(["explain", relay_voyage_id, "--run", str(out), "--format", kind, "--plot", str(target)]) == 0
    stdout, stderr = capsys.readouterr()
    assert "PAEKSONG 2" in stdout
    assert stderr.splitlines()[-1].endswith(f"picture written to {target}")
    data = target.read_bytes()
    if target.suffix == ".svg":
        assert parsed(data).get("role") == "img"
    else:
        assert struct.unpack(">I", data[16:20]) == (1600,)
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


def test_the_same_run_gives_the_same_picture(out: Path, relay_voyage_id: str, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        assert main(["explain", relay_voyage_id, "--run", str(out), "--plot", str(tmp_path / name)]) == 0
    for ending in ("svg", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("case.pdf", "ends in .png or .svg"),
        ("case", "ends in .png or .svg"),
        ("folder.png", "is a folder"),
        ("file/case.png", "cannot be written"),
        ("x" * 300 + ".svg", "cannot be written"),
    ],
)
def test_a_picture_that_cannot_be_written_is_one_line_and_wrong_usage(
    name: str, why: str, out: Path, relay_voyage_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("kept")
    before = sorted(tmp_path.iterdir())
    assert main(["explain", relay_voyage_id, "--run", str(out), "--plot", str(tmp_path / name)]) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert len(stderr.splitlines()) == 1
    assert stderr.startswith("wakewatch: error: ")
    assert why in stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(out: Path, relay_voyage_id: str, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    assert main(["explain", relay_voyage_id, "--run", str(out), "--plot", str(tmp_path / "shut" / "a.svg")]) == 2


def test_an_unknown_format_is_refused_with_those_there_are(
    out: Path, relay_voyage_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", relay_voyage_id, "--run", str(out), "--format", "html"]) == 2
    stderr = capsys.readouterr().err
    assert "'html'" in stderr
    assert "'text', 'md'" in stderr


def test_an_ending_is_refused_before_the_run_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "voyage-1", "--run", str(tmp_path / "none"), "--plot", "a.gif"]) == 2
    assert "ends in .png or .svg" in capsys.readouterr().err


def test_a_voyage_that_is_not_flagged_has_a_picture_that_says_what_is_missing(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = next(v["voyage_id"] for v in load_run(out).tables["voyages"].to_pylist() if v["mmsi"] == 352001870)
    assert main(["explain", other, "--run", str(out), "--plot", str(tmp_path / "a.svg")]) == 0
    assert "Not flagged" in capsys.readouterr().out
    assert "This run keeps no track of the voyage" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_a_hostile_name_commands_nothing_in_any_format(
    make_run: Any, tmp_path: Path, relay_voyage_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_result(make_run(EVIL), tmp_path / "out")
    target = tmp_path / "case.svg"
    for kind in ("text", "md"):
        command = ["explain", relay_voyage_id, "--run", str(tmp_path / "out"), "--format", kind, "--plot", str(target)]
        assert main(command) == 0
        stdout, stderr = capsys.readouterr()
        assert not set("\x1b\u202e\x07") & set(stdout + stderr)
    assert "](javascript" not in stdout.replace("\\](", ""), "no link"
    assert "<b>" not in stdout.replace("\\<b>", "")
    text = target.read_text(encoding="utf-8")
    assert "<b>" not in text
    parsed(text)
