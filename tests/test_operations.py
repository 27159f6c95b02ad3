"""docs/operations.md, done as it stands there: its commands run, its unit files are units, its lists are complete.

Blocks marked `<!-- do -->` run one after the other in a folder like a fresh clone; `<!-- do: install -->` is done by
this test run's own environment. Tables after `<!-- events -->` and `<!-- metrics -->` are made from the code; run this
file with WAKEWATCH_REFRESH_DOCS=1 to write them anew.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from detectors.batch.metrics import EXIT_STATUS, night_metrics
from detectors.batch.settings import check_for_nightly, settings_from

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text(encoding="utf-8")
DO = re.compile(r"<!-- do(?P<install>: install)? -->\n```sh\n(?P<script>.*?)```", re.DOTALL)
UNIT = re.compile(r"<!-- unit: (?P<name>\S+) -->\n```ini\n(?P<text>.*?)```", re.DOTALL)
BLOCK = re.compile(r"(?P<mark><!-- (?P<what>events|metrics) -->\n)(?P<body>.*?)(?=<!-- end -->)", re.DOTALL)

EVENTS = {
    "discovered": "the input folders were looked through: files that are new and known",
    "emptied": "not one of the files known from an input folder is left: is it mounted?",
    "kept_aside": "something that is no night stood where the night belongs; it was kept under another name",
    "latest": "the link `latest` cannot be made; the night itself is there",
    "left_out": "a vessel whose data break a detector, or a detector, was left out",
    "committed": "the night counts from here on",
    "failed": "what ended the run (`--log-format json`; in words otherwise)",
    "metrics": "the metrics file could not be written; the night is complete",
    "night": "the run is complete: where the night lies and what it tells",
    "recovered": "an earlier run was cut short, and was finished or swept away",
    "retention_waits": "nothing was forgotten: before now the data stop for longer than the look-back. A wrong date?",
    "still_counts": "a file was replaced, and its earlier content counts too, because the new one does not cover it",
    "set_aside": "an input that could not be taken in, and why",
    "stopped": "the run was told to stop, and did (`--log-format json`; in words otherwise)",
    "stage": "a stage ended: how many steps it had, and its seconds",
    "stage_goes_on": "a long stage is a quarter, a half or three quarters done",
    "taken_in": "files were taken in: rows read, and rows kept after thinning",
    "upkeep": "the store was looked after: files rewritten, rows forgotten, files deleted",
    "window": "the window was read back: rows and voyages in it",
}


def said_events() -> dict[str, str]:
    """Every event that the code logs, and its level."""
    found: dict[str, str] = {}
    for path in (ROOT / "detectors").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            owner, level, first = ast.unparse(node.func.value), node.func.attr, node.args[0]
            if level in ("info", "warning", "error") and owner.split(".")[-1] in ("log", "_log"):
                assert isinstance(first, ast.Constant), f"{path}, line {node.lineno}: an event's name is a plain word"
                found[str(first.value)] = level
    return found


def made(what: str) -> str:
    """The table that belongs after a mark."""
    if what == "events":
        rows = [f"| `{event}` | {level} | {EVENTS[event]} |" for event, level in sorted(said_events().items())]
        return "\n".join(["| event | level | meaning |", "| --- | --- | --- |", *rows, ""])
    rows = [
        f"| `{metric.name}`{f' by `{metric.label}`' if metric.label else ''} | {metric.meaning} |"
        for metric in night_metrics({})
    ]
    status = f"| `{EXIT_STATUS}` | Exit status of the last run, also of one that failed |"
    return "\n".join(["| metric | meaning |", "| --- | --- |", status, *rows, ""])


def test_every_event_has_a_meaning() -> None:
    assert set(said_events()) == set(EVENTS)


def test_events_and_metrics_are_listed() -> None:
    fresh = BLOCK.sub(lambda match: match["mark"] + made(match["what"]), TEXT)
    if os.environ.get("WAKEWATCH_REFRESH_DOCS") == "1":
        PAGE.write_text(fresh, encoding="utf-8")
    else:
        assert fresh == TEXT, "docs/operations.md is out of date: run this test with WAKEWATCH_REFRESH_DOCS=1"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a fresh clone has, and wakewatch installed as the page says."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "fixtures").symlink_to(ROOT / "fixtures", target_is_directory=True)
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name, command in (("python", ""), ("wakewatch", " -m detectors.cli")):
        path = binaries / name
        path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}"{command} "$@"\n')
        path.chmod(0o755)
    return folder


@pytest.mark.skipif(shutil.which("bash") is None or shutil.which("flock") is None, reason="needs bash and flock")
def test_the_page_can_be_followed_to_the_letter(clone: Path) -> None:
    blocks = [match["script"] for match in DO.finditer(TEXT) if not match["install"]]
    assert len(blocks) >= 6
    script = "set -eu\n" + "\n".join(f"echo '== {n}'\n{block}" for n, block in enumerate(blocks, 1))
    done = subprocess.run(["bash", "-c", script], cwd=clone, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    out = done.stdout
    nights = re.findall(r"^(2025-03-0\d): (\d+) new, (\d+) revised, .*$", out, re.MULTILINE)
    assert [date for date, *_ in nights] == ["2025-03-05", "2025-03-06", "2025-03-07", "2025-03-07"]
    assert int(nights[0][1]) > 0
    assert nights[2] == nights[3], "the night that was told again after the restore says something else"
    assert "as it was" in out.splitlines()
    assert "5 inputs to take in" in out
    assert "confirmed" in out
    assert re.search(r"^Backlog +none$", out, re.MULTILINE)
    job = clone / "job"
    assert (job / "nights" / "latest").readlink() == Path("2025-03-07")
    assert f"{EXIT_STATUS} 0" in (job / "metrics" / "wakewatch.prom").read_text().splitlines()
    run = json.loads((job / "nights" / "latest" / "run.json").read_text())
    assert run["date"] == "2025-03-07"
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert events[-1]["event"] == "night"
    assert {event["event"] for event in events} <= set(EVENTS)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_files_are_units(tmp_path: Path) -> None:
    units = {match["name"]: match["text"] for match in UNIT.finditer(TEXT)}
    assert set(units) == {"wakewatch.service", "wakewatch.timer"}
    for name, text in units.items():
        here = text.replace("/opt/wakewatch/bin/wakewatch", sys.executable).replace("User=wakewatch", "User=daemon")
        (tmp_path / name).write_text(here, encoding="utf-8")
    paths = [str(tmp_path / name) for name in units]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert said == []


def test_the_settings_in_earnest_are_settings() -> None:
    (text,) = re.findall(r"<!-- settings -->\n```toml\n(.*?)```", TEXT, re.DOTALL)
    check_for_nightly(settings_from(tomllib.loads(text)))


def test_the_container_file_copies_what_is_there() -> None:
    (text,) = re.findall(r"<!-- file: Containerfile -->\n```dockerfile\n(.*?)```", TEXT, re.DOTALL)
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert set(copied) == {"pyproject.toml", "README.md", "LICENSE", "vessels", "detectors"}
    for name in copied:
        assert (ROOT / name).exists()


def test_every_metric_that_an_alert_reads_exists() -> None:
    known = {EXIT_STATUS, *(metric.name for metric in night_metrics({}))}
    assert set(re.findall(r"\bwakewatch_night_\w+", TEXT)) == known
