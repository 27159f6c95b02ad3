"""`nightly`, `status` and `verdict`: exit statuses, streams, log, metrics, and being told to stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.batch.lock import BusyError, only_job
from detectors.batch.nightly import Night
from detectors.cli import nightly as command
from detectors.cli.entry import main
from detectors.cli.nightly import dry_lines, night_line
from detectors.cli.status import status_lines
from detectors.cli.statuses import Stopped
from vessels.errors import NothingReadableError, SettingsError, StoreError, UsageError
from vessels.reading import SetAside

EVIL = "\x1b[31mbad\u202e\n.csv"
SETTINGS = (
    '[input]\ntracks = ["in"]\n[store]\npath = "store"\n[output]\npath = "nights"\nmetrics = "metrics/wakewatch.prom"\n'
)
HEADER = "mmsi,timestamp,lat,lon,sog,cog\n"


def record(**changes: Any) -> dict[str, Any]:
    """run.json of a night, as far as the command reads it."""
    return {
        "night_id": "night-1",
        "date": "2025-03-12",
        "as_of": "2025-03-12T23:59:50Z",
        "window_start": "2024-12-12T00:00:00Z",
        "alerts": {
            "new": 3,
            "revised": 1,
            "withdrawn": 0,
            "unchanged": 20,
            "over_threshold": 30,
            "beyond_budget": 6,
            "dismissed": 0,
            "muted": 0,
        },
        "taken_in": {"files": 2, "rows": 60_000, "kept": 31_000},
        "n_findings": 40,
        "n_vessels": 449,
        "set_aside": [],
        "failures": [],
        "stages": {"take in": 1.5},
        "discovery": {"new": [], "replaced": [], "duplicates": [], "vanished": [], "emptied": [], "known": 7},
        **changes,
    }


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file with folders of its own."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "wakewatch.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture
def nights(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Puts a ready night, or an error, in the place of the library's; gives the arguments it was called with."""

    def put(night: Night | BaseException) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def fake(settings: Any, **arguments: Any) -> Night:
            calls.append({"settings": settings, **arguments})
            arguments["log"].info("taken_in", files=2)
            arguments["progress"]("facts", 1, 1)
            if isinstance(night, BaseException):
                raise night
            return night

        monkeypatch.setattr(command, "run_nightly", fake)
        monkeypatch.setattr(command, "open_store", lambda _: None)
        monkeypatch.setattr(command, "sizes_of", lambda _: {"bytes": 2_000_000, "files": 40})
        return calls

    return put


def done(tmp_path: Path, set_aside: tuple[SetAside, ...] = (), failures: tuple[Any, ...] = (), **changes: Any) -> Night:
    aside = [{"name": s.name, "reason": s.reason, "detail": s.detail} for s in set_aside]
    values = record(**{"set_aside": aside, "failures": list(failures), **changes})
    return Night(values, tmp_path / "nights" / "2025-03-12", set_aside, failures)


def metrics(tmp_path: Path) -> dict[str, str]:
    text = (tmp_path / "metrics" / "wakewatch.prom").read_text()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_a_night_prints_one_line_and_logs_the_rest(
    nights: Any, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(done(tmp_path))
    assert main(["nightly", "--settings", str(settings)]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "2025-03-12: 3 new, 1 revised, 0 withdrawn, 20 unchanged; 6 beyond the budget; 2 files in, 60,000 rows; "
        f"{tmp_path / 'nights' / '2025-03-12'}\n"
    )
    assert [line.split()[1:3] for line in err.splitlines()] == [
        ["info", "taken_in"],
        ["info", "stage"],
        ["info", "night"],
    ]
    found = metrics(tmp_path)
    assert found["wakewatch_night_exit_status"] == "0"
    assert found['wakewatch_night_voyages{status="new"}'] == "3"
    assert found["wakewatch_night_store_bytes"] == "2000000"


def test_what_was_left_out_is_named_and_the_status_is_3(
    nights: Any, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = {"detector": "dark", "mmsi": [273412340], "together": [], "error": "KeyError", "words": "dark: left out"}
    nights(done(tmp_path, (SetAside(EVIL, "empty", "has no byte"),), (failure,)))
    assert main(["nightly", "--settings", str(settings)]) == 3
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "; 1 set aside; 1 failure; " in out
    warned = [line for line in err.splitlines() if " warning " in line]
    assert ["set_aside" in warned[0], "left_out" in warned[1]] == [True, True]
    assert "reason=empty" in warned[0]
    assert "273412340" in warned[1]
    assert err.replace("\n", "").isprintable()
    assert metrics(tmp_path)["wakewatch_night_exit_status"] == "3"


def test_json_is_one_object_a_line_from_the_first_to_the_last(
    nights: Any, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(done(tmp_path, (SetAside(EVIL, "empty", "has no byte"),)))
    assert main(["nightly", "--settings", str(settings), "--log-format", "json"]) == 3
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == ["taken_in", "stage", "set_aside", "night"]
    assert events[2]["name"] == EVIL
    assert all(event["ts"].endswith("Z") for event in events)
    nights(StoreError("table told has lost its log"))
    assert main(["nightly", "--settings", str(settings), "--log-format", "json"]) == 1
    *_, last = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (last["level"], last["event"], last["message"]) == ("error", "failed", "table told has lost its log")


def test_options_reach_the_library(nights: Any, settings: Path, tmp_path: Path) -> None:
    calls = nights(done(tmp_path))
    options = ["--as-of", "2025-03-12", "--since", "2025-03-01T06:00+09:00", "--jobs", "2", "--reprocess"]
    assert main(["nightly", "--settings", str(settings), *options, "--engine", "dask://10.0.0.5:8786"]) == 0
    (call,) = calls
    assert call["as_of"].isoformat() == "2025-03-12T00:00:00+00:00"
    assert call["since"].isoformat() == "2025-02-28T21:00:00+00:00"
    assert (call["jobs"], call["reprocess"], call["dry_run"]) == (2, True, False)
    assert call["engine"] == "dask://10.0.0.5:8786"
    assert call["settings"].store.path == str(tmp_path / "store")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SettingsError("F: [store] path: is needed"), 2, "is needed"),
        (UsageError("no input matches"), 2, "no input matches"),
        (StoreError("table told has lost its log"), 1, "lost its log"),
        (NothingReadableError("every input had to be set aside"), 1, "set aside"),
        (OSError(28, "No space left on device", "nights"), 1, "nights: No space left on device"),
        (MemoryError(), 1, "out of memory"),
        (ZeroDivisionError("zero"), 1, "defect"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Stopped(signal.SIGTERM), 143, "stopped by SIGTERM"),
    ],
)
def test_a_night_that_fails_says_so_once_and_the_metrics_have_its_status(
    error: BaseException,
    status: int,
    said: str,
    nights: Any,
    settings: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nights(error)
    assert main(["nightly", "--settings", str(settings)]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    *_, last = err.splitlines()
    assert last.startswith("wakewatch: ")
    assert said in last
    assert metrics(tmp_path) == {"wakewatch_night_exit_status": str(status)}


def test_a_job_that_finds_another_at_work_leaves_the_metrics_alone(
    nights: Any, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(BusyError("another wakewatch works here"))
    assert main(["nightly", "--settings", str(settings)]) == 1
    assert "another wakewatch works here" in capsys.readouterr().err
    assert not (tmp_path / "metrics").exists()


def test_metrics_that_cannot_be_written_do_not_undo_a_night(
    nights: Any, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(done(tmp_path))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["nightly", "--settings", str(settings)]) == 0
    assert "warning metrics" in capsys.readouterr().err


def test_metrics_over_somebody_elses_file_are_refused_before_the_night(
    nights: Any, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = nights(done(tmp_path))
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "wakewatch.prom").write_text("mine\n")
    assert main(["nightly", "--settings", str(settings)]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nightly"],
        ["nightly", "--settings", "none.toml"],
        ["nightly", "--settings", "F", "--log-format", "xml"],
        ["nightly", "--settings", "F", "--as-of", "yesterday"],
        ["nightly", "--settings", "F", "--since", "yesterday"],
        ["nightly", "--settings", "F", "--jobs", "0"],
        ["nightly", "extra", "--settings", "F"],
        ["status"],
        ["status", "--settings", "none.toml"],
        ["verdict"],
        ["verdict", "--settings", "F"],
        ["verdict", "voyage-1", "--settings", "F"],
        ["verdict", "voyage-1", "confirmed", "--settings", "F"],
        ["verdict", "voyage-1", "confirmed", "--reason", " ", "--settings", "F"],
        ["verdict", "voyage-1", "confirmed", "--reason", "x", "--when", "yesterday", "--settings", "F"],
        ["verdict", "--from", "none.csv", "--settings", "F"],
        ["verdict", "voyage-1", "--from", "none.csv", "--settings", "F"],
    ],
)
def test_wrong_usage_is_status_2_with_a_line_and_no_traceback(
    arguments: list[str],
    nights: Any,
    settings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = nights(done(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main([str(settings) if word == "F" else word for word in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err
    assert all(line.startswith("wakewatch: error: ") for line in err.splitlines())
    assert calls == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "wakewatch.toml"]


def test_settings_without_what_the_job_needs_are_named_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wakewatch.toml"
    path.touch()
    for name in ("nightly", "status"):
        assert main([name, "--settings", str(path)]) == 2
        assert capsys.readouterr().err.count("is needed for the nightly job") == 3


def test_a_dry_run_lists_what_it_found() -> None:
    found = {
        "new": [{"name": EVIL, "n_bytes": 1_500_000}, {"name": "b.csv", "n_bytes": 0}],
        "replaced": [{"name": "b.csv", "old": "1", "new": "2", "n_rows_before": 3}],
        "duplicates": [["c.csv", "a.csv"]],
        "vanished": ["d.csv"],
        "emptied": [],
        "known": 7,
    }
    lines = dry_lines(found, (SetAside("e.csv", "empty", "has no byte"),))
    assert lines[0] == "7 inputs known, 2 inputs to take in (1.5 MB)"
    assert [line.split()[0] for line in lines[1:-1]] == ["new", "new", "replaced", "duplicate", "vanished", "set"]
    assert all(line.isprintable() for line in lines)


def test_a_store_without_a_row_is_told_in_a_line() -> None:
    assert night_line({"discovery": {}}, None) == "No night: no row has come in yet"


def standing(**changes: Any) -> dict[str, Any]:
    """What `detectors.batch.standing` gives."""
    return {
        "store": {"path": "/s", "exists": True, "n_buckets": 16, "bytes": 2_000_000, "files": 40, "tables": {}},
        "n_nights": 3,
        "last_night": {
            "night_id": "night-1",
            "date": "2025-03-12",
            "as_of": "2025-03-12T23:59:50Z",
            "window_start": "2024-12-12T00:00:00Z",
            "folder": "/nights/2025-03-12",
            "alerts": record()["alerts"],
            "stages": {"take in": 1.5, "facts": 2.0},
            "notes": ["a note " * 30],
        },
        "inputs": {
            "n_known": 12,
            "n_superseded": 1,
            "n_rows": 348_000,
            "n_stored": 200_000,
            "first_day": "2025-03-01",
            "last_time": "2025-03-12T23:59:50Z",
        },
        "backlog": {"n_files": 0, "n_bytes": 0, "files": [], "n_texts": 0, "set_aside": [], "problem": None},
        "set_aside": [],
        "failures": [],
        "verdicts": [],
        "confirmed_hulls": [],
        "unfinished": [],
        **changes,
    }


def test_the_standing_is_told_in_lines() -> None:
    text = "\n".join(status_lines(standing(), 100))
    for said in (
        "Night     2025-03-12, as of 2025-03-12T23:59:50Z",
        "3 new, 1 revised, 0 withdrawn, 20 unchanged; 6 beyond the budget",
        "12 known, 1 replaced; 348,000 rows read, 200,000 kept, 2025-03-01 to 2025-03-12T23:59:50Z",
        "Backlog   none",
        "/s: 2.0 MB in 40 files, 16 buckets",
        "Verdicts  none yet",
    ):
        assert said in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_standing_names_what_waits_and_what_was_set_aside() -> None:
    aside = [{"name": EVIL, "reason": "empty", "detail": "has no byte"}]
    files = [f"{n}.csv" for n in range(30)]
    backlog = {"n_files": 30, "n_bytes": 3000, "files": files, "n_texts": 2, "set_aside": [], "problem": None}
    lines = status_lines(standing(backlog=backlog, set_aside=aside, unfinished=[".night-1"]), 100)
    text = "\n".join(lines)
    assert "Backlog   30 files, 3.0 kB; 2 text files to look into" in text
    assert "... and 10 more" in text
    assert "Set aside empty 1" in text
    assert "has no byte (empty)" in text
    assert "Unfinished" in text
    assert all(line.isprintable() for line in lines)


def test_verdicts_are_counted_by_kind_with_their_precision() -> None:
    counts = [
        {"kind": "dark_gap", "confirmed": 1, "dismissed": 3, "watch": 0, "precision": 0.25},
        {"kind": "loitering", "confirmed": 0, "dismissed": 0, "watch": 1, "precision": None},
    ]
    hull = {"hull_id": "h", "mmsi": 445012340, "imo": None, "name": EVIL, "reason": "photo"}
    lines = status_lines(standing(verdicts=counts, confirmed_hulls=[hull]), 100)
    rows = [line.split() for line in lines]
    assert ["dark_gap", "1", "3", "0", "0.25"] in rows
    assert ["loitering", "0", "0", "1", "--"] in rows
    assert "Confirmed hulls: 1" in lines
    assert all(line.isprintable() for line in lines)


# What follows is done for real, on a ship or two.


def write_day(path: Path, day: int, mmsi: int = 440123456) -> None:
    """A day of one ship on her way, a report every ten minutes."""
    lines = [
        f"{mmsi},2025-03-{day:02}T{n // 6:02}:{n % 6}0:00Z,{35.0 + day * 0.2 + n * 0.001:.4f},129.6,9.0,0\n"
        for n in range(144)
    ]
    path.write_text(HEADER + "".join(lines), encoding="utf-8")


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def test_nights_one_after_the_other(settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    incoming = tmp_path / "in"
    base = ["--settings", str(settings)]
    write_day(incoming / "1.csv", 1)
    before = tree(tmp_path)
    assert main(["nightly", *base, "--dry-run"]) == 0
    assert "1 input to take in" in capsys.readouterr().out
    assert main(["status", *base]) == 0
    out = capsys.readouterr().out
    assert "Night     none yet" in out
    assert "Backlog   1 file" in out
    assert tree(tmp_path) == before

    assert main(["nightly", *base]) == 0
    assert capsys.readouterr().out.startswith(
        "2025-03-01: 0 new, 0 revised, 0 withdrawn, 0 unchanged; 1 file in, 144 row"
    )
    write_day(incoming / "2.csv", 2)
    (incoming / "broken.csv").write_text("what,is,this\n1,2,3\n")
    assert main(["nightly", *base, "--log-format", "json"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("2025-03-02: ")
    aside = [event for event in map(json.loads, err.splitlines()) if event["event"] == "set_aside"]
    assert [Path(event["name"]).name for event in aside] == ["broken.csv"]
    assert (tmp_path / "nights" / "latest").readlink() == Path("2025-03-02")
    found = metrics(tmp_path)
    assert found["wakewatch_night_exit_status"] == "3"
    assert found["wakewatch_night_inputs_set_aside"] == "1"
    assert found["wakewatch_night_rows_taken_in"] == "144"
    assert int(found["wakewatch_night_store_bytes"]) > 0

    assert main(["status", *base, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["last_night"]["date"] == "2025-03-02"
    assert shown["inputs"]["n_known"] == 2
    assert shown["inputs"]["n_rows"] == 288
    assert [Path(name).name for name in shown["backlog"]["files"]] == ["broken.csv"]
    assert [Path(item["name"]).name for item in shown["set_aside"]] == ["broken.csv"]
    assert shown["unfinished"] == []

    assert main(["verdict", "voyage-0", "dismissed", "--reason", "none such", *base]) == 2
    assert "no night has told it" in capsys.readouterr().err


def test_status_and_verdict_without_a_store_change_nothing(settings: Path, tmp_path: Path, capsys: Any) -> None:
    before = tree(tmp_path)
    assert main(["status", "--settings", str(settings)]) == 0
    assert "not made yet" in capsys.readouterr().out
    assert main(["verdict", "voyage-1", "watch", "--reason", "x", "--settings", str(settings)]) == 1
    assert "there is no store" in capsys.readouterr().err
    assert tree(tmp_path) == before


def test_a_second_job_at_once_says_so_and_leaves_nothing(settings: Path, tmp_path: Path, capsys: Any) -> None:
    write_day(tmp_path / "in" / "1.csv", 1)
    with only_job([tmp_path / "store", tmp_path / "nights"]):
        before = tree(tmp_path)
        assert main(["nightly", "--settings", str(settings)]) == 1
        assert "another wakewatch" in capsys.readouterr().err
        assert tree(tmp_path) == before
        assert main(["status", "--settings", str(settings)]) == 0
    capsys.readouterr()
    assert main(["nightly", "--settings", str(settings)]) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_job_that_is_told_to_stop_leaves_cleanly_and_the_next_goes_on(
    number: signal.Signals, status: int, settings: Path, tmp_path: Path, capsys: Any
) -> None:
    for day in range(1, 5):
        write_day(tmp_path / "in" / f"{day}.csv", day)
    arguments = [sys.executable, "-m", "detectors.cli", "nightly", "--settings", str(settings), "--log-format", "json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while '"taken_in"' not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert out == ""
    assert [json.loads(line)["event"] for line in err.splitlines()][-1] == "stopped"
    assert metrics(tmp_path) == {"wakewatch_night_exit_status": str(status)}
    assert list((tmp_path / "nights").glob("2025-*")) == []
    assert main(["nightly", "--settings", str(settings)]) == 0
    assert capsys.readouterr().out.startswith("2025-03-04: ")
    assert list((tmp_path / "nights").glob(".night-*")) == []
