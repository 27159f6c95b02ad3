"""Pages beside the tables of a run: written with them, told when they fail, and never at their price."""

import json

import pytest

from detectors.batch import pages
from detectors.batch.outputs import PAGES, write_result
from detectors.batch.pages import REPORT_FILE, pages_of
from detectors.cli import main
from detectors.report.page import Page
from detectors.run_folder import load_run
from tests.detectors.nights import QUICK, day_files, new_world


def broken(_run):
    raise ValueError("a picture of nothing")


def test_a_run_has_its_page_and_a_run_without_one_takes_the_old_one_away(finished, make_run, tmp_path):
    made = pages_of(finished, tmp_path)
    assert (list(made.texts), made.failures) == ([REPORT_FILE], [])
    write_result(finished, tmp_path, made.texts)
    assert (tmp_path / REPORT_FILE).read_text(encoding="utf-8") == made.texts[REPORT_FILE]
    write_result(make_run(), tmp_path)
    assert not (tmp_path / REPORT_FILE).exists()
    assert PAGES == (REPORT_FILE,)


def test_the_page_of_a_run_read_back_is_the_page_that_was_written(finished, tmp_path):
    made = pages_of(finished, tmp_path)
    write_result(finished, tmp_path, made.texts)
    assert pages.report_page(load_run(tmp_path)).html == made.texts[REPORT_FILE]


def test_a_page_that_fails_is_told_and_costs_no_table(monkeypatch, finished, tmp_path):
    monkeypatch.setattr(pages, "report_page", broken)
    made = pages_of(finished, tmp_path)
    assert made.texts == {}
    (failure,) = made.failures
    assert failure["words"] == (
        "report.html: could not be made; the tables are complete (ValueError: a picture of nothing)"
    )
    assert (failure["detector"], failure["error"]) == ("report", "ValueError: a picture of nothing")


def test_a_picture_that_fails_is_told_beside_the_page(monkeypatch, finished, tmp_path):
    monkeypatch.setattr(pages, "report_page", lambda _run: Page("<p>whole</p>", ("one map could not be drawn",)))
    made = pages_of(finished, tmp_path)
    assert made.texts == {REPORT_FILE: "<p>whole</p>"}
    assert [failure["words"] for failure in made.failures] == ["report.html: one map could not be drawn"]


@pytest.mark.parametrize("works", [True, False])
def test_scan_and_a_night_write_the_page_or_say_why_not(monkeypatch, capsys, tmp_path, works):
    if not works:
        monkeypatch.setattr(pages, "report_page", broken)
    world = new_world(tmp_path / "world", QUICK)
    world.put(*day_files(tmp_path / "days", 1))
    out = tmp_path / "out"
    statuses = [main(["scan", str(world.tracks), "--out", str(out), "--jobs", "1"]), world.job()]
    assert statuses == ([0, 0] if works else [3, 3])
    said = capsys.readouterr().err
    for folder in (out, world.out / "latest"):
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert load_run(folder).tables["voyages"].num_rows > 0
        assert (folder / REPORT_FILE).exists() is works
        assert [failure["detector"] for failure in record["failures"]] == ([] if works else ["report"])
    assert ("could not be made" in said) is not works


def test_a_page_does_not_depend_on_where_it_is_made(finished, tmp_path):
    here, there = (pages_of(finished, tmp_path / name).texts[REPORT_FILE] for name in ("here", "there"))
    assert here == there
    assert str(tmp_path) not in here
