"""`wakewatch report DIR`: the page of a finished run, written again."""

import re

import pytest
import typer
from typer.testing import CliRunner

from detectors.batch.outputs import write_result
from detectors.cli import report as command
from detectors.cli.entry import main
from detectors.report.page import report_page
from detectors.run_folder import load_run


@pytest.fixture
def out(finished, tmp_path):
    write_result(finished, tmp_path / "out")
    return tmp_path / "out"


def run(*arguments):
    app = typer.Typer()
    app.command()(command.report)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_writes_the_page_of_the_folder_and_says_where(out):
    done = run(out)
    assert done.exit_code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page == report_page(load_run(out)).html
    assert re.fullmatch(r"Written  \S+report\.html: 1 flagged voyage, \d\.\d MB\n", done.stdout)
    assert sorted(path.name for path in out.iterdir() if path.name.startswith(".")) == []


def test_an_older_page_is_replaced_whole(out):
    (out / "report.html").write_text("an older page")
    assert run(out).exit_code == 0
    assert "an older page" not in (out / "report.html").read_text(encoding="utf-8")


def test_a_folder_without_a_finished_run_is_wrong_usage(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "no finished run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_drawn_is_named_and_the_status_says_so(out, monkeypatch):
    class Spoilt:
        html = "<!doctype html>"
        failures = ("the map of voyage-1 could not be drawn (ValueError: no coast)",)

    monkeypatch.setattr(command, "report_page", lambda _: Spoilt())
    done = run(out)
    assert done.exit_code == 3
    assert "the map of voyage-1 could not be drawn" in done.output
    assert (out / "report.html").read_text(encoding="utf-8") == "<!doctype html>"
