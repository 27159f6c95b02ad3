"""The commands with the real engine on small files: what is read, what is set aside, and with which status."""

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detectors.cli.entry import main
from detectors.run_folder import TABLES, load_run

HEADER = ["mmsi", "timestamp", "lat", "lon", "sog", "cog", "name", "imo", "call_sign", "ship_type"]
NAMPO = (38.72, 125.36)
ROADS = (38.30, 124.20)


def track(name: str = "PAEKSONG 2") -> list[list[Any]]:
    """A ship that comes from sea, lies a day at Nampo and leaves; a report in ten minutes."""
    rows: list[list[Any]] = []
    begin = datetime(2024, 4, 1, tzinfo=UTC)
    for i in range(300):
        share = min(1.0, i / 60) if i < 220 else max(0.0, 1.0 - (i - 220) / 60)
        lat, lon = (a + share * (b - a) for a, b in zip(ROADS, NAMPO, strict=True))
        sog = 0.0 if share == 1.0 else 6.0
        time = (begin + timedelta(minutes=10 * i)).isoformat()
        rows.append([445012340, time, round(lat, 5), round(lon, 5), sog, 45.0, name, "IMO2318669", "HMZQ", 70])
    return rows


def write(path: Path, rows: list[list[Any]], header: list[str] | None = None) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header or HEADER, *rows])
    return path


def test_from_a_track_to_the_case_for_its_voyage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracks, out = write(tmp_path / "a.csv", track()), tmp_path / "out"
    assert main(["scan", str(tracks), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "1 file, 300 rows" in text
    assert "PAEKSONG 2" in text
    assert main(["explain", text.split("wakewatch explain ")[1].split()[0], "--run", str(out)]) == 0
    case = capsys.readouterr().out
    for part in ("watched_port_call", "KP_NAMPO", "IMO", "prior", "together"):
        assert part in case
    assert f"from:{tracks}" in "".join(case.split()), "the file is named, on as many lines as its path takes"


def test_the_same_scan_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    tracks = write(tmp_path / "a.csv", track())
    for name, jobs in (("one", "1"), ("two", "3")):
        assert main(["scan", str(tracks), "--out", str(tmp_path / name), "--jobs", jobs]) == 0
    for table in TABLES:
        first, second = ((tmp_path / name / f"{table}.parquet").read_bytes() for name in ("one", "two"))
        assert first == second, table


def test_a_broken_file_is_set_aside_and_the_others_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracks = tmp_path / "tracks"
    tracks.mkdir()
    write(tracks / "a.csv", track())
    write(tracks / "b.csv", [[1, 2]], header=["colour", "weight"])
    assert main(["scan", str(tracks), "--out", str(tmp_path / "out")]) == 3
    err = capsys.readouterr().err
    assert "b.csv" in err
    run = load_run(tmp_path / "out").run
    assert [Path(item["name"]).name for item in run["set_aside"]] == ["b.csv"]
    assert run["n_rows"] == 300


def test_nothing_but_broken_files_is_a_failure_and_writes_nothing(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path / "b.csv", [[1, 2]], header=["colour", "weight"])
    assert main(["scan", str(tmp_path / "b.csv"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("wakewatch: error: ")
    assert not (tmp_path / "out").exists()


def test_a_file_of_no_rows_is_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(write(tmp_path / "a.csv", [])), "--out", str(tmp_path / "out")]) == 0
    assert "0 voyages flagged" in capsys.readouterr().out
    tables = load_run(tmp_path / "out").tables
    assert {tables[name].num_rows for name in TABLES if name != "zones"} == {0}
    assert "No voyage to look at" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_no_such_input_is_wrong_usage(tmp_path: Path) -> None:
    for given in (tmp_path / "none.csv", tmp_path / "none-*.csv"):
        assert main(["scan", str(given), "--out", str(tmp_path / "out")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_among_the_inputs_is_set_aside_and_not_waited_for(tmp_path: Path) -> None:
    tracks = tmp_path / "tracks"
    tracks.mkdir()
    write(tracks / "a.csv", track())
    os.mkfifo(tracks / "pipe.csv")
    assert main(["scan", str(tracks), "--out", str(tmp_path / "out")]) == 3


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--settings", "[watch]\nzone = 1\n"),
        ("--settings", "[detect.geofence]\nmax_relay_leg_day = 1\n"),
        ("--settings", "[detect.geofence]\nmax_relay_leg_days = -1\n"),
        ("--settings", "[detect.geofense]\n"),
        ("--settings", '[watch.levels]\nKP_NAMPOO = "none"\n'),
        ("--zones", "{}"),
        ("--zones", "not JSON"),
        ("--watchlist", "colour,weight\nred,3\n"),
        ("--baseline", "not Parquet"),
    ],
)
def test_what_the_user_wrote_wrong_is_status_2_and_names_the_file(
    option: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, wrong = write(tmp_path / "a.csv", track()), tmp_path / "wrong.file"
    wrong.write_text(content)
    assert main(["scan", str(tracks), "--out", str(tmp_path / "out"), option, str(wrong)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert all(line.startswith("wakewatch: error: ") and str(wrong) in line for line in err.splitlines()), err
    assert not (tmp_path / "out").exists()


def test_settings_switch_detectors_off_and_levels_down(tmp_path: Path) -> None:
    tracks, settings = write(tmp_path / "a.csv", track()), tmp_path / "s.toml"
    settings.write_text('[watch.levels]\nKP_NAMPO = "none"\nKP_NAMPO_ROADS = "none"\nKP_TAEAN = "none"\n')
    assert main(["scan", str(tracks), "--out", str(tmp_path / "none"), "--settings", str(settings)]) == 0
    assert load_run(tmp_path / "none").run["n_flagged"] == 0
    settings.write_text("[detect.geofence]\nenabled = false\n")
    assert main(["scan", str(tracks), "--out", str(tmp_path / "off"), "--settings", str(settings)]) == 0
    run = load_run(tmp_path / "off").run
    assert "geofence" not in {detector["name"] for detector in run["detectors"]}
    assert run["settings"]["detect"]["geofence"] == {"enabled": False}


def test_convert_writes_what_scan_reads_with_the_same_result(tmp_path: Path, capsys: Any) -> None:
    tracks, converted = write(tmp_path / "a.csv", track()), tmp_path / "new" / "a.parquet"
    assert main(["convert", str(tracks), "--out", str(converted)]) == 0
    assert "300 rows to " in capsys.readouterr().out
    assert pq.read_metadata(converted).num_rows == 300
    for given, name in ((tracks, "one"), (converted, "two")):
        assert main(["scan", str(given), "--out", str(tmp_path / name)]) == 0
    for table in ("flagged_voyages", "voyages", "port_visits"):
        assert load_run(tmp_path / "one").tables[table].equals(load_run(tmp_path / "two").tables[table]), table


def test_convert_refuses_what_is_no_parquet_name_and_its_own_input(tmp_path: Path) -> None:
    tracks = write(tmp_path / "a.csv", track())
    assert main(["convert", str(tracks), "--out", str(tmp_path / "b.csv")]) == 2
    assert main(["convert", str(tracks), "--out", str(tmp_path / "a.parquet")]) == 0
    before = (tmp_path / "a.parquet").read_bytes()
    assert main(["convert", str(tmp_path / "a.parquet"), "--out", str(tmp_path / "a.parquet")]) == 2
    assert (tmp_path / "a.parquet").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "a.parquet"}


def test_fit_learns_a_baseline_that_scan_takes(tmp_path: Path, capsys: Any) -> None:
    tracks = write(tmp_path / "a.csv", track())
    zones = tmp_path / "z.toml"
    zones.write_text('[watch.levels]\nKP_NAMPO = "none"\nKP_NAMPO_ROADS = "none"\nKP_TAEAN = "none"\n')
    baseline = tmp_path / "baseline.parquet"
    status = main(["fit", str(tracks), "--out", str(baseline), "--settings", str(zones)])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert out.startswith("Learned  ")
    arguments = ["scan", str(tracks), "--out", str(tmp_path / "out"), "--baseline", str(baseline)]
    assert main([*arguments, "--settings", str(zones)]) == 0


def test_fit_without_an_ordinary_voyage_says_so(tmp_path: Path, capsys: Any) -> None:
    assert main(["fit", str(write(tmp_path / "a.csv", [])), "--out", str(tmp_path / "b.parquet")]) == 2
    assert "ordinary voyages" in capsys.readouterr().err
    assert not (tmp_path / "b.parquet").exists()


def test_commands_from_radio_reach_no_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "=CMD()\x1b[31m\u202e[red]"
    assert main(["scan", str(write(tmp_path / "a.csv", track(evil))), "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "=CMD()" in text
    assert main(["explain", text.split("wakewatch explain ")[1].split()[0], "--run", str(tmp_path / "out")]) == 0
    text += capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in text)
