"""Bad files, late days and broken vessels, through the whole nightly job: reported, and the next night is as if none
of it had happened.

Faults of the store alone are in tests/vessels/store; those of disks and folders in test_nightly_places.
"""

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detectors.batch import night_facts, nightly
from detectors.cli.entry import main
from detectors.rules.geofence.detector import Geofence
from tests.detectors.nights import (
    FACTS,
    QUICK,
    World,
    assert_nothing_is_left_over,
    assert_same,
    assert_told_alike,
    day_files,
    new_world,
    said,
    touch_ns,
)
from vessels.history import derive
from vessels.units import US_PER_DAY

N_DAYS = 2
VOYAGE_ENDS = ["voyage_id", "hull_id", "segment_id", "mmsi", "start", "end", "origin", "destination"]
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two day files."""
    return day_files(tmp_path_factory.mktemp("days"), N_DAYS, every=60)


@pytest.fixture(scope="module")
def one_day(days: list[Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """After an undisturbed night of the first day."""
    world = new_world(tmp_path_factory.mktemp("one-day"), QUICK)
    world.put(days[0])
    assert world.job() == 0
    return world


@pytest.fixture(scope="module")
def two_days(days: list[Path], one_day: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """After two undisturbed nights of a day each."""
    world = one_day.copy(tmp_path_factory.mktemp("two-days") / "world")
    world.put(days[1])
    assert world.job() == 0
    return world


def as_csv(day: Path, folder: Path) -> bytes:
    """A day file as CSV text."""
    path = folder / "day.csv"
    pa.csv.write_csv(pq.read_table(day), path)
    return path.read_bytes()


def clean(err: str) -> bool:
    """Whether what was said is words, not a stack of calls."""
    return "Traceback" not in err and "panicked" not in err


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def hollow(path: Path) -> None:
    """A hole of zeros where rows were, as a machine that lost its power leaves behind; the ends are whole."""
    whole = path.read_bytes()
    path.write_bytes(whole[:500] + bytes(len(whole) - 8500) + whole[-8000:])


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (cut, "broken_parquet"),
    "zeros within": (hollow, "broken_parquet"),
    "empty": (lambda path: path.write_bytes(b""), "empty_file"),
    "half an archive": (lambda path: path.write_bytes(gzip.compress(bytes(100_000))[:60]), "broken"),
    "a web page": (
        lambda path: path.write_text("<html><body>503 Service Unavailable</body></html>\n"),
        "is XML or HTML, not a table",
    ),
    "vanished": (Path.unlink, ""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_spoilt_file_is_named_the_rest_is_told_and_once_whole_it_was_never_spoilt(
    damage: str, days: list[Path], one_day: World, two_days: World, tmp_path: Path, capsys: Output
) -> None:
    spoil, reason = DAMAGES[damage]
    world = one_day.copy(tmp_path / "world")
    world.put(days[1])
    spoil(world.tracks / days[1].name)
    status, err = world.job(), capsys.readouterr().err
    assert clean(err)
    assert status == (3 if reason else 0)
    if reason:
        (line,) = [line for line in err.splitlines() if " set_aside " in line]
        assert f"name={world.tracks / days[1].name} " in line
        assert reason in line
        assert [item["name"] for item in world.run()["set_aside"]] == [str(world.tracks / days[1].name)]
    assert_same(world, one_day)
    world.put(days[1])
    assert world.job() == 0
    assert " set_aside " not in capsys.readouterr().err
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


def test_a_file_of_no_rows_is_an_input_and_no_fault(
    days: list[Path], one_day: World, tmp_path: Path, capsys: Output
) -> None:
    world = one_day.copy(tmp_path / "world")
    pq.write_table(pq.read_table(days[1]).slice(0, 0), world.tracks / days[1].name)
    (world.tracks / "quiet.csv").write_bytes(as_csv(days[1], tmp_path).splitlines()[0] + b"\n")
    assert world.job() == 0
    assert clean(capsys.readouterr().err)
    assert_same(world, one_day)
    assert world.job() == 0
    assert world.run()["taken_in"]["files"] == 0, "they are known from then on"


def test_a_file_that_vanishes_between_being_found_and_read_is_tried_again(
    days: list[Path], one_day: World, two_days: World, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = one_day.copy(tmp_path / "world")
    world.put(days[1])

    def found_and_gone(*arguments: Any, **options: Any) -> Any:
        found = discover(*arguments, **options)
        (world.tracks / days[1].name).unlink()
        return found

    discover = nightly.discover
    with monkeypatch.context() as patch:
        patch.setattr(nightly, "discover", found_and_gone)
        assert world.job() == 3
    err = capsys.readouterr().err
    assert days[1].name in err
    assert clean(err)
    world.put(days[1])
    assert world.job() == 0
    assert_told_alike(world, two_days)


def test_half_a_text_file_counts_until_the_whole_takes_its_place(
    days: list[Path], tmp_path: Path, capsys: Output
) -> None:
    first, second = (as_csv(day, tmp_path) for day in days[:2])
    world, whole = new_world(tmp_path / "world", QUICK), new_world(tmp_path / "whole", QUICK)
    for each in (world, whole):
        (each.tracks / "1.csv").write_bytes(first)
    (world.tracks / "2.csv").write_bytes(second[: len(second) // 2 + 7])
    (whole.tracks / "2.csv").write_bytes(second)
    assert world.job() in (0, 3)
    assert world.run()["n_rows"] < first.count(b"\n") + second.count(b"\n") - 2
    (world.tracks / "2.csv").write_bytes(second)
    assert world.job() == whole.job() == 0
    assert [Path(one["name"]).name for one in world.run()["discovery"]["replaced"]] == ["2.csv"]
    assert clean(capsys.readouterr().err)
    assert_same(world, whole)
    assert world.run()["n_rows"] == whole.run()["n_rows"]
    assert len(world.run()["inputs"]) == 2, "what was replaced counts no longer"


def test_doubles_renames_and_a_day_published_anew_end_where_one_good_night_does(
    days: list[Path], tmp_path: Path, capsys: Output
) -> None:
    world, whole = new_world(tmp_path / "world", QUICK), new_world(tmp_path / "whole", QUICK)
    wrong = pq.read_table(days[1])
    wrong = wrong.set_column(2, "lat", pc.add(wrong["lat"], 0.05))
    world.put(days[0])
    pq.write_table(wrong, world.tracks / days[1].name)
    world.tracks.joinpath("again.parquet").write_bytes(days[0].read_bytes())
    assert world.job() == 0
    world.put(days[1])
    (world.tracks / days[0].name).rename(world.tracks / "old name.parquet")
    assert world.job() == 0
    (world.tracks / "again.parquet").unlink()
    world.tracks.joinpath("yet again.parquet").write_bytes(days[1].read_bytes())
    assert world.job() == 0
    found = world.run()["discovery"]
    assert len(found["duplicates"]) + len(found["vanished"]) >= 2
    whole.put(*days[:2])
    assert whole.job() == 0
    assert_same(world, whole, ("findings", *FACTS))
    assert_nothing_is_left_over(world)
    assert clean(capsys.readouterr().err)


def test_a_night_run_again_from_another_folder_is_the_same_night(
    one_day: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = one_day.copy(tmp_path / "world")
    monkeypatch.chdir(world.folder)
    assert main(["nightly", "--settings", world.settings.name]) == 0
    assert_told_alike(world, one_day)
    assert world.run()["night_id"] == one_day.run()["night_id"]


def test_file_times_in_the_past_and_the_future_change_nothing(
    days: list[Path], one_day: World, two_days: World, tmp_path: Path
) -> None:
    """A clock set back or forth: of the track files, of the store and of the nights themselves."""
    for name, day in (("past", 400), ("future", 40_000)):
        world = one_day.copy(tmp_path / name)
        world.put(days[1])
        for path in (*world.tracks.iterdir(), *world.store.rglob("*"), *world.out.rglob("*")):
            if not path.is_symlink():
                touch_ns(path, day * US_PER_DAY * 1000)
        assert world.job() == 0
        assert_told_alike(world, two_days)
        touch_ns(world.tracks / days[0].name, 1)
        assert world.job() == 0
        assert_told_alike(world, two_days)
        assert_nothing_is_left_over(world)


def test_days_that_come_late_and_in_the_wrong_order_end_alike_under_a_window_that_moves(tmp_path: Path) -> None:
    days = day_files(tmp_path / "days", 7, every=60)
    moving = QUICK + "[detect]\nlookback_days = 3\nwindow_step_days = 1\n"
    world, whole = new_world(tmp_path / "world", moving), new_world(tmp_path / "whole", moving)
    for group in ((0, 1), (2,), (3, 4), (5,), (6,)):
        whole.put(*(days[i] for i in group))
        assert whole.job() == 0
    for group in ((1,), (3,), (0, 2), (5,), (4,), (6,)):
        world.put(*(days[i] for i in group))
        assert world.job() == 0
    assert_same(world, whole, ("gaps", "encounters", "identities", "hull_links"))
    begins = datetime.fromisoformat(world.run()["window_start"])
    here, there = (said(one)["voyages"] for one in (world, whole))
    assert min(here["start"].to_pylist()) < begins, "no voyage was held by an anchor"
    assert here.select(VOYAGE_ENDS).equals(there.select(VOYAGE_ENDS))
    since = pc.greater_equal(here["start"], begins)
    assert here.filter(since).equals(there.filter(since)), "what is measured differs only where rows are out of sight"
    assert pc.sum(since).as_py() > 10
    told, expected = (set(said(one)["flagged_voyages"]["voyage_id"].to_pylist()) for one in (world, whole))
    assert told == expected
    assert_nothing_is_left_over(world)


def findings_of(world: World) -> list[dict[str, Any]]:
    return list(world.tables("findings")["findings"].to_pylist())


def withdrawn(world: World) -> set[str]:
    flagged = world.tables("flagged_voyages")["flagged_voyages"].to_pylist()
    return {row["voyage_id"] for row in flagged if row["status"] == "withdrawn"}


def test_a_vessel_that_breaks_a_detector_is_named_and_all_else_is_as_without_the_fault(
    days: list[Path], one_day: World, two_days: World, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = [row["mmsi"] for row in findings_of(two_days) if row["detector"] == "geofence"]
    assert loud, "no ship for this test"
    broken = max(set(loud), key=loud.count)
    detect = Geofence.detect

    def fails(self: Geofence, scene: Any) -> Any:
        if broken in scene.history.vessels["mmsi"].to_pylist():
            raise ZeroDivisionError(f"{broken} divided by nothing")
        return detect(self, scene)

    world = one_day.copy(tmp_path / "world")
    world.put(days[1])
    with monkeypatch.context() as patch:
        patch.setattr(Geofence, "detect", fails)
        assert world.job() == 3
    err = capsys.readouterr().err
    assert clean(err)
    (line,) = [line for line in err.splitlines() if " left_out " in line]
    assert "geofence" in line
    assert str(broken) in line
    assert [(f["detector"], f["mmsi"]) for f in world.run()["failures"]] == [("geofence", [broken])]
    assert_same(world, two_days, FACTS)

    def others(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["mmsi"] != broken and broken not in (row["other_mmsi"] or ())]

    assert others(findings_of(world)) == others(findings_of(two_days))
    taken_back, expected = (withdrawn(one) for one in (world, two_days))
    assert taken_back <= expected, "what a detector could not look for tonight was taken back"
    assert world.job() == 0
    assert_same(world, two_days)


def test_a_vessel_whose_rows_break_the_facts_is_named_and_the_others_are_told(
    days: list[Path], one_day: World, two_days: World, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = one_day.tables("flagged_voyages")["flagged_voyages"]["mmsi"].to_pylist()[0]

    def fails(block: Any, *arguments: Any) -> Any:
        if broken in block.mmsi.tolist():
            raise IndexError(f"{broken} is out of bounds")
        return derive(block, *arguments)

    world = one_day.copy(tmp_path / "world")
    world.put(days[1])
    with monkeypatch.context() as patch:
        patch.setattr(night_facts, "derive", fails)
        assert world.job() == 3
    err = capsys.readouterr().err
    assert clean(err)
    assert [(f["detector"], f["mmsi"]) for f in world.run()["failures"]] == [("facts", [broken])]
    assert str(broken) in next(line for line in err.splitlines() if " left_out " in line)
    here, there = (w.tables("voyages")["voyages"] for w in (world, two_days))
    assert here["voyage_id"].to_pylist() == there.filter(pc.not_equal(there["mmsi"], broken))["voyage_id"].to_pylist()
    listed = world.tables("flagged_voyages")["flagged_voyages"].to_pylist()
    assert {row["status"] for row in listed if row["mmsi"] == broken} == {"unchanged"}, "told before, not lost tonight"
    assert world.job() == 0
    assert_same(world, two_days)
