"""The command line: exit statuses, what goes to which stream, and text from radio that stays text."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.cli import app
from detectors.cli.entry import main
from detectors.run_folder import RUN_FILE, TABLES
from vessels.errors import InputFileError, SettingsError, UsageError, WakewatchError

COMMANDS = ("scan", "nightly", "status", "verdict", "fit", "backtest", "explain", "convert", "zones", "detectors")
EVIL = "\x1b[31m[red]EVIL[/red]\u202e\x07 =1+1"


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch, make_run: Any) -> Callable[..., list[dict[str, Any]]]:
    """Puts a ready result in the place of the engine; gives the arguments it was called with."""

    def put(**options: Any) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def fake_scan(tracks: list[str], **arguments: Any) -> Any:
            calls.append({"tracks": tracks, **arguments})
            arguments["progress"]("read", 1, 2)
            return make_run(**options)

        monkeypatch.setattr(app, "run_scan", fake_scan)
        return calls

    return put


def failing(error: BaseException) -> Callable[..., Any]:
    def scan(*_: Any, **__: Any) -> Any:
        raise error

    return scan


def test_help_names_every_command_and_each_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  {command} " in text
        assert main([command, "--help"]) == 0
        help_text = capsys.readouterr().out
        assert "\n    wakewatch " + command in help_text


def test_what_is_not_offered_yet_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert "wakewatch: error: " in capsys.readouterr().err


def test_version_and_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wakewatch 0.")
    assert main([]) == 2
    assert "Usage: wakewatch" in capsys.readouterr().out


def test_a_scan_writes_its_folder_and_a_summary(
    scanned: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], relay_voyage_id: str
) -> None:
    scanned()
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *(f"{t}.parquet" for t in TABLES),
        *(RUN_FILE, "report.html"),
    }
    assert "1 file, 1,185 rows; 3 rows rejected (position_out_of_range 3)" in out
    assert "1 finding; 1 voyage flagged (1 critical)" in out
    short = relay_voyage_id.removeprefix("voyage-")[:8]
    (line,) = [line for line in out.splitlines() if "PAEKSONG 2" in line and "445012340  " in line]
    assert line.split() == [
        *("1", "critical", "0.93", "PAEKSONG", "2", "KP", "445012340", "RU_NAKHODKA", "KR_POHANG"),
        *("2024-04-16/04-20", short),
    ]
    assert f"wakewatch explain {short} --run {tmp_path / 'out'}" in out
    assert max(map(len, out.replace(str(tmp_path), "").splitlines())) <= 120


def test_a_clean_night_says_so(scanned: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scanned(flagged=False)
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == 0
    assert "0 findings; 0 voyages flagged\n" in capsys.readouterr().out


def test_inputs_set_aside_are_named_on_standard_error_and_the_status_is_3(
    scanned: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned(set_aside=({"name": "bad\x1b[2J.csv", "reason": "no_such_columns", "detail": "no column for mmsi"},))
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == 3
    out, err = capsys.readouterr()
    assert err == "wakewatch: set aside: bad[2J.csv: no column for mmsi (no_such_columns)\n"
    assert "set aside" not in out


def test_options_reach_the_engine(scanned: Any, tmp_path: Path) -> None:
    calls = scanned()
    settings = tmp_path / "s.toml"
    settings.write_text('[input]\ntracks = ["a.csv"]\ndialect = "dma"\n[output]\npath = "from-settings"\n')
    assert main(["scan", "--settings", str(settings), "--as-of", "2024-05-01T06:00+09:00", "--jobs", "2"]) == 0
    (call,) = calls
    assert call["tracks"] == [str(tmp_path / "a.csv")]
    assert call["as_of"].isoformat() == "2024-04-30T21:00:00+00:00"
    assert call["jobs"] == 2
    assert call["settings"].input.dialect == "dma"
    assert (tmp_path / "from-settings" / RUN_FILE).exists()
    arguments = ["scan", "b.csv", "--settings", str(settings), "--out", str(tmp_path / "o"), "--dialect", "spire"]
    assert main([*arguments, "--zones", "z", "--watchlist", "w", "--baseline", "b"]) == 0
    assert calls[1]["tracks"] == ["b.csv"]
    assert calls[1]["settings"].input.dialect == "spire"
    assert [calls[1][key] for key in ("zones", "watchlist", "baseline")] == [Path("z"), Path("w"), Path("b")]
    assert (tmp_path / "o" / RUN_FILE).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan"],
        ["scan", "tracks"],
        ["scan", "tracks", "--out"],
        ["scan", "tracks", "--out", "OUT", "--jobs", "0"],
        ["scan", "tracks", "--out", "OUT", "--jobs", "many"],
        ["scan", "tracks", "--out", "OUT", "--as-of", "yesterday"],
        ["scan", "tracks", "--out", "OUT", "--settings", "none.toml"],
        ["scan", "tracks", "--oot", "OUT"],
        ["scna", "tracks"],
        ["explain", "voyage-1", "--run", "none"],
        ["explain", "voyage-1"],
        ["zones", "--watch", "hihg"],
        ["zones", "--country", "XX"],
        ["zones", "--check", "none.geojson"],
        ["detectors", "geofense"],
        ["fit", "tracks"],
        ["convert", "tracks"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_status_2_with_a_line_and_no_traceback(
    arguments: list[str],
    scanned: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scanned()
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err
    assert all(line.startswith("wakewatch: error: ") for line in err.splitlines())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("no input matches 'x*'"), 2, "no input matches"),
        (SettingsError("f.toml: [watch] a: wrong\nf.toml: [watch] b: wrong"), 2, "[watch] b: wrong"),
        (InputFileError("not_parquet", "a.parquet is no Parquet"), 1, "a.parquet is no Parquet"),
        (WakewatchError("every input was set aside"), 1, "every input was set aside"),
        (OSError(28, "No space left on device", "out"), 1, "out: No space left on device"),
        (MemoryError(), 1, "out of memory"),
        (ZeroDivisionError("division by \x1b[31mzero"), 1, "defect"),
    ],
)
def test_failures_have_their_status_and_one_line_each(
    error: Exception, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(app, "run_scan", failing(error))
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert not (tmp_path / "out").exists()
    assert all(line.startswith("wakewatch: error: ") for line in err.splitlines())


def test_a_traceback_is_shown_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "run_scan", failing(ZeroDivisionError("zero")))
    assert main(["--debug", "scan", "tracks", "--out", str(tmp_path / "out")]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("WAKEWATCH_DEBUG", "1")
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_status_130_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "run_scan", failing(KeyboardInterrupt()))
    assert main(["scan", "tracks", "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "wakewatch: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_text_from_radio_stays_text(scanned: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scanned(name=EVIL)
    out_folder = str(tmp_path / "out")
    assert main(["scan", "tracks", "--out", out_folder]) == 0
    summary = capsys.readouterr().out
    assert main(["explain", summary.split("explain ")[1].split()[0], "--run", out_folder]) == 0
    for text in (summary, capsys.readouterr().out):
        assert "[31m[red]EVIL[/red]" in text
        assert all(character.isprintable() or character == "\n" for character in text)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    def reconfigure(self, **_: Any) -> None:
        """As the real streams have it."""


def test_progress_is_drawn_on_a_terminal_and_not_in_a_pipe(
    scanned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned()
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    pipe, stderr = io.StringIO(), Terminal()
    pipe.reconfigure = stderr.reconfigure  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stderr", pipe)
    assert main(["scan", "tracks", "--out", str(tmp_path / "one")]) == 0
    assert pipe.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", stderr)
    assert main(["scan", "tracks", "--out", str(tmp_path / "two")]) == 0
    assert "read" in stderr.getvalue()


def test_a_reader_that_leaves_early_changes_no_status() -> None:
    command = [sys.executable, "-m", "detectors.cli", "zones"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_zones_are_listed_by_country_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "--country", "kp", "--watch", "high"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["zone", "name", "country", "kind"]
    assert "KP_NAMPO" in {line.split()[0] for line in lines}
    assert all(line.startswith("KP_") for line in lines)


def test_a_users_zones_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = "[[[129.0, 36.0], [129.2, 36.0], [129.2, 36.2], [129.0, 36.0]]]"
    feature = '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": %s}, "properties": {%s}}'
    document = '{"type": "FeatureCollection", "features": [%s]}'
    good, bad = tmp_path / "good.geojson", tmp_path / "bad.geojson"
    good.write_text(document % (feature % (ring, '"zone_id": "MY_BAY", "kind": "port", "name": "\\u001b[1mbay"')))
    bad.write_text(document % (feature % (ring, '"zone_id": "MY_BAY", "knd": "port"')))
    assert main(["zones", "--check", str(good)]) == 0
    text = capsys.readouterr().out
    assert "MY_BAY" in text
    assert "\x1b" not in text
    assert f"{good}: 1 zone, no errors" in text
    assert main(["zones", "--check", str(bad)]) == 2
    err = capsys.readouterr().err
    assert str(bad) in err
    assert "kind" in err


def test_every_detector_is_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detectors"]) == 0
    listed = capsys.readouterr().out
    for name in ("geofence", "identity", "isolation_forest"):
        assert f"{name} " in listed
        assert main(["detectors", name]) == 0
        card = capsys.readouterr().out
        for heading in ("Claims", "Reads", "Misses", "Known mistakes"):
            assert heading in card, f"{name}: no {heading}"
        assert f"Parameters, set in [detect.{name}]:" in card
        assert "Source: " in card
        assert "baseline = " not in card
