"""`wakewatch backtest` and the library call on a few weeks of a few ships: tables, folder, exit statuses."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from detectors.backtest import BacktestResult, backtest, run
from detectors.backtest.kinds import KINDS, LOOKALIKES
from detectors.backtest.tables import BACKTEST, FALSE, PLANTS
from detectors.backtest.writing import write_backtest
from detectors.cli.entry import main
from vessels.errors import UsageError

FEW = "imo_change=3,imo_twin=2,near_listed_identity=2,hull_handover=2,reflag=1,newcomer=1"


@pytest.fixture(scope="module")
def done(some_tracks: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The folder that one run of the command wrote, its exit status, and a digest of the input from before."""
    out = tmp_path_factory.mktemp("run") / "backtest"
    digest = hashlib.sha256(some_tracks.read_bytes()).hexdigest()
    arguments = ["backtest", str(some_tracks), "--out", str(out), "--inject", FEW, "--seed", "3", "--keep-tracks"]
    return out, main(arguments), digest


def test_the_command_writes_its_tables_and_leaves_the_input_alone(
    done: tuple[Path, int, str], some_tracks: Path
) -> None:
    out, status, digest = done
    assert status == 0
    assert hashlib.sha256(some_tracks.read_bytes()).hexdigest() == digest
    names = {"backtest.parquet", "backtest_plants.parquet", "backtest_false.parquet", "backtest.json"}
    assert {path.name for path in out.iterdir()} == {*names, "planted.parquet", "planted_watchlist.csv"}
    for name, table in (("backtest", BACKTEST), ("backtest_plants", PLANTS), ("backtest_false", FALSE)):
        assert pq.read_table(out / f"{name}.parquet").schema.names == list(table.names)
    rows = {row["kind"]: row for row in pq.read_table(out / "backtest.parquet").to_pylist()}
    assert {kind: row["n_planted"] for kind, row in rows.items()} == {
        "imo_change": 3,
        "imo_twin": 2,
        "near_listed_identity": 2,
        "hull_handover": 2,
        "reflag": 1,
        "newcomer": 1,
    }
    assert rows["imo_change"]["recall"] == 1.0
    assert rows["imo_change"]["median_rank"] < rows["imo_change"]["n_voyages"] / 4


def test_the_record_says_what_was_read_with_which_seed_and_settings(done: tuple[Path, int, str]) -> None:
    out, _, digest = done
    record = json.loads((out / "backtest.json").read_text())
    (entry,) = record["inputs"]
    assert entry["sha256"] == digest
    assert record["seed"] == 3
    assert record["inject"]["imo_twin"] == 2
    assert {"settings", "versions", "detectors", "as_of", "links", "stages", "notes"} <= set(record)
    assert min(record["planted"]["n_voyages"], record["unplanted"]["n_voyages"]) > 0


def test_kept_tracks_can_be_scanned_again(done: tuple[Path, int, str], tmp_path: Path) -> None:
    out, _, _ = done
    with (out / "planted_watchlist.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 2
    tracks, listed = str(out / "planted.parquet"), str(out / "planted_watchlist.csv")
    assert main(["scan", tracks, "--watchlist", listed, "--out", str(tmp_path / "scan")]) == 0
    again = json.loads((tmp_path / "scan" / "run.json").read_text())
    first = json.loads((out / "backtest.json").read_text())
    assert again["n_findings"] == first["planted"]["n_findings"]
    assert again["n_voyages"] == first["planted"]["n_voyages"]


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(
    done: tuple[Path, int, str], some_tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backtest", str(some_tracks), "--out", str(tmp_path / "b"), "--inject", FEW, "--seed", "3"]
    assert main([*arguments, "--jobs", "1"]) == 0
    for name in ("backtest", "backtest_plants", "backtest_false"):
        one, other = (folder / f"{name}.parquet" for folder in (done[0], tmp_path / "b"))
        assert one.read_bytes() == other.read_bytes(), name
    text = capsys.readouterr().out
    assert re.search(r"^imo_change +3 +3 +1\.00 ", text, re.MULTILINE)
    assert "Hull links  " in text
    assert "look-alike" in text


def test_a_second_run_without_tracks_takes_the_old_tracks_away(done: tuple[Path, int, str], tmp_path: Path) -> None:
    tables = {name: pq.read_table(done[0] / f"{name}.parquet") for name in run_tables()}
    kept_rows = {"identity": tables["backtest"], "sea": tables["backtest"]}
    write_backtest(BacktestResult(tables, {"seed": 1}, kept_rows, [{"name": "X"}]), tmp_path / "x")
    kept = {path.name for path in (tmp_path / "x").iterdir()}
    assert {"planted.parquet", "planted_sea.parquet", "planted_watchlist.csv"} <= kept
    (tmp_path / "x" / "notes.txt").write_text("mine")
    write_backtest(BacktestResult(tables, {"seed": 1}, {}, []), tmp_path / "x")
    kept = {path.name for path in (tmp_path / "x").iterdir()}
    assert kept == {*(f"{name}.parquet" for name in run_tables()), "backtest.json", "notes.txt"}


def run_tables() -> tuple[str, ...]:
    return ("backtest", "backtest_plants", "backtest_false")


def test_a_failure_while_writing_leaves_the_old_folder(
    done: tuple[Path, int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {name: pq.read_table(done[0] / f"{name}.parquet") for name in run_tables()}
    write_backtest(BacktestResult(tables, {"seed": 1}, {}, []), tmp_path / "x")
    before = {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("detectors.backtest.writing.record_text", full)
    with pytest.raises(OSError, match="No space"):
        write_backtest(BacktestResult(tables, {"seed": 2}, {}, []), tmp_path / "x")
    assert {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()} == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--inject", "teleport=5"], "There are hull_handover"),
        (["--inject", "imo_twin=x"], "write KIND=N"),
        (["--inject", ""], "write KIND=N"),
        (["--inject", "hull_handover=3,hull_handover=4"], "more than once"),
        (["--inject", "hull_handover=3", "--inject", "hull_handover=4"], "more than once"),
        (["--inject", "hull_handover=0"], "nothing would be planted"),
        (["--seed", "-1"], "--seed"),
        (["--as-of", "yesterday"], "is no time"),
        (["--dialect", "nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_is_told_before_any_work(
    some_tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main(["backtest", str(some_tracks), "--out", str(tmp_path / "o"), *more]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_no_out_no_input_and_out_among_the_input(
    some_tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", str(some_tracks)]) == 2
    assert main(["backtest", "--out", str(tmp_path / "o")]) == 2
    assert main(["backtest", str(some_tracks.parent), "--out", str(some_tracks.parent / "o")]) == 2
    assert "lies in the input folder" in capsys.readouterr().err


def tiny(path: Path, minutes: int) -> Path:
    rows = [f"440123456,2024-05-01T00:{m:02d}:00Z,35.0,129.0,HANBIT,9074729,DSAB,70,A" for m in range(minutes)]
    path.write_text("\n".join(["mmsi,timestamp,lat,lon,name,imo,call_sign,ship_type,transceiver", *rows]) + "\n")
    return path


@pytest.mark.parametrize("minutes", [0, 25])
def test_too_little_data_is_told_with_what_a_plant_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], minutes: int
) -> None:
    path = tiny(tmp_path / "short.csv", minutes)
    assert main(["backtest", str(path), "--out", str(tmp_path / "o")]) == 2
    err = capsys.readouterr().err
    assert "A plant needs a class A ship that sends one name" in err
    assert not (tmp_path / "o").exists()


def test_nothing_but_broken_files_fails_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.csv").write_text("colour,weight\n1,2\n")
    assert main(["backtest", str(tmp_path / "b.csv"), "--out", str(tmp_path / "o")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_broken_file_beside_good_ones_is_set_aside(
    some_tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "b.csv"
    broken.write_text("colour,weight\n1,2\n")
    arguments = ["backtest", str(some_tracks), str(broken), "--out", str(tmp_path / "o")]
    assert main([*arguments, "--inject", "imo_change=1,lookalikes=0"]) == 3
    assert "b.csv" in capsys.readouterr().err
    record = json.loads((tmp_path / "o" / "backtest.json").read_text())
    assert [Path(item["name"]).name for item in record["set_aside"]] == ["b.csv"]


def test_more_plants_than_ships_are_said_and_complete(
    some_tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "backtest",
        str(some_tracks),
        "--out",
        str(tmp_path / "o"),
        "--inject",
        "type_change=5000,lookalikes=0",
    ]
    assert main(arguments) == 0
    assert " of 5000 planted; " in " ".join(capsys.readouterr().out.split())
    (row,) = pq.read_table(tmp_path / "o" / "backtest.parquet").to_pylist()
    assert 0 < row["n_planted"] < row["n_asked"] == 5000


def test_vessels_are_drawn_by_lot_where_rows_are_too_many(some_tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_rows = pq.read_metadata(some_tracks).num_rows
    monkeypatch.setattr(run, "ROWS_LIMIT", n_rows // 2)
    first, again, other = (backtest(some_tracks, inject={"imo_change": 2, "lookalikes": 0}, seed=s) for s in (1, 1, 2))
    assert first.record["n_rows"] <= n_rows // 2
    (note,) = first.record["notes"]
    assert "vessels were drawn by lot" in note
    assert first.tables["backtest_plants"].equals(again.tables["backtest_plants"])
    assert first.record["n_rows"] != other.record["n_rows"] or first.record["n_vessels"] != other.record["n_vessels"]


def test_the_library_refuses_what_the_command_refuses(some_tracks: Path) -> None:
    with pytest.raises(UsageError, match="nothing called"):
        backtest(some_tracks, inject={"teleport": 1})
    with pytest.raises(UsageError, match="seed"):
        backtest(some_tracks, seed=-1)
    with pytest.raises(UsageError, match="negative"):
        backtest(some_tracks, inject={"imo_twin": -1})
    with pytest.raises(UsageError, match="nothing would be planted"):
        backtest(some_tracks, inject={})


def test_as_of_leaves_out_what_comes_later(some_tracks: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    arguments = ["backtest", str(some_tracks), "--out", str(out), "--as-of", "2025-03-08"]
    assert main([*arguments, "--inject", "imo_change=1,lookalikes=0"]) == 0
    record = json.loads((out / "backtest.json").read_text())
    assert record["as_of"] == "2025-03-08T00:00:00Z"
    plants = pq.read_table(out / "backtest_plants.parquet")
    assert max(plants["end"].to_pylist()).isoformat() <= "2025-03-08"


def test_each_copy_is_scanned_and_counted_by_itself(some_tracks: Path) -> None:
    asked = {"imo_change": 2, "position_jump": 2, "loitering": 2, "set_failure": 1, "jamming": 1}
    result = backtest(some_tracks, inject=asked, seed=3, keep_tracks=True)
    alone = backtest(some_tracks, inject={"imo_change": 2, "lookalikes": 0}, seed=3)
    copies = result.record["copies"]
    assert list(copies) == list(result.planted) == ["identity", "sea", "feed"]
    assert result.record["planted"]["n_voyages"] == sum(copy["n_voyages"] for copy in copies.values())
    assert list(alone.record["copies"]) == ["identity"]
    assert not alone.planted
    rows = {row["kind"]: row for row in result.tables["backtest"].to_pylist()}
    assert list(rows) == ["imo_change", "position_jump", "loitering", "set_failure", "jamming"]
    assert rows["imo_change"]["n_planted"] == rows["imo_change"]["n_found"] == 2
    own, again = (r.tables["backtest_plants"].to_pylist() for r in (result, alone))
    same = ("plant_id", "mmsi", "start", "rank", "score", "finding_ids")
    assert [[row[name] for name in same] for row in own if row["kind"] == "imo_change"] == [
        [row[name] for name in same] for row in again
    ]


def test_the_page_says_how_each_kind_is_planted() -> None:
    page = (Path(__file__).parents[3] / "docs" / "backtest.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"\n| `{kind}` | " not in page] == []
    for kind in LOOKALIKES:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{kind.name}` | ")]
        assert all(f"`{shown}`" in line.rpartition("|")[0].rpartition("|")[2] for shown in kind.shows)
