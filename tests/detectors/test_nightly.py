"""The laws of the nightly job: nights add up, order and repeats change nothing, and nothing vanishes silently."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detectors.batch.run_log import RunLog
from detectors.run_folder import load_run
from tests.detectors.nights import World, assert_same, day_files, new_world
from vessels.errors import NothingReadableError, SettingsError, UsageError

N_DAYS = 10


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten day files."""
    return day_files(tmp_path_factory.mktemp("days"), N_DAYS)


@pytest.fixture(scope="module")
def at_once(days: list[Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """One night of all ten days."""
    world = new_world(tmp_path_factory.mktemp("at-once"))
    world.put(*days)
    world.night()
    return world


@pytest.fixture(scope="module")
def one_by_one(days: list[Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ten nights of one day each; each night's run.json is kept as it was told."""
    world = new_world(tmp_path_factory.mktemp("one-by-one"))
    for day in days:
        world.put(day)
        night = world.night()
        assert night.folder == world.out / night.record["date"]
    return world


def test_ten_nights_equal_one_night_of_all_ten_days(one_by_one: World, at_once: World) -> None:
    assert_same(one_by_one, at_once)
    told = one_by_one.tables("flagged_voyages")["flagged_voyages"]
    assert told.num_rows > 5
    assert len(set(told["status"].to_pylist())) > 1


def test_days_that_arrive_in_the_wrong_order_give_the_same(days: list[Path], at_once: World, tmp_path: Path) -> None:
    world = new_world(tmp_path)
    for group in ((9, 4), (0, 7, 8), (5,), (1, 2, 3, 6)):
        world.put(*(days[i] for i in group))
        world.night()
    assert_same(world, at_once)


def test_every_voyage_told_is_told_again_or_its_end_is_told(one_by_one: World) -> None:
    told: set[str] = set()
    for folder in sorted(path for path in one_by_one.out.iterdir() if path.is_dir() and not path.is_symlink()):
        flagged = pq.read_table(folder / "flagged_voyages.parquet").to_pylist()
        status = {row["voyage_id"]: row["status"] for row in flagged}
        assert told <= set(status), "a voyage that was told is neither listed nor withdrawn"
        assert all(
            (status[voyage] == "new") == (voyage not in told) for voyage in status if status[voyage] != "revised"
        )
        assert all(row["changes"] for row in flagged if row["status"] in ("revised", "withdrawn"))
        told = {voyage for voyage, word in status.items() if word != "withdrawn"}
    assert told


def test_latest_points_to_the_newest_night_and_explain_reads_it(one_by_one: World) -> None:
    latest = one_by_one.out / "latest"
    assert latest.is_symlink()
    assert latest.resolve().name == one_by_one.run()["date"] == "2025-03-10"
    assert load_run(latest).run["night_id"] == one_by_one.run()["night_id"]


def test_a_night_run_again_with_nothing_new_says_the_same_to_the_byte(days: list[Path], tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days[:2])
    world.night()
    world.put(days[2])
    world.night()
    first = {path.name: path.read_bytes() for path in (world.out / "latest").glob("*.parquet")}
    record = world.run()
    world.night()
    assert {path.name: path.read_bytes() for path in (world.out / "latest").glob("*.parquet")} == first
    again = world.run()
    assert {key: again[key] for key in ("night_id", "seq", "alerts")} == {
        key: record[key] for key in ("night_id", "seq", "alerts")
    }


def test_the_same_bytes_count_once_under_any_name(days: list[Path], at_once: World, tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days[:5])
    shutil.copy2(days[1], world.tracks / "zz-copy.parquet")
    world.night()
    shutil.copy2(days[0], world.tracks / "aa-copy.parquet")
    (world.tracks / days[2].name).rename(world.tracks / "renamed.parquet")
    world.put(*days[5:])
    night = world.night()
    assert_same(world, at_once)
    assert sum(entry["n_rows"] for entry in night.record["inputs"]) == night.record["n_rows"]
    names = {entry["sha256"]: entry["names"] for entry in night.record["inputs"]}
    assert len(names) == N_DAYS
    assert any(len(several) > 1 for several in names.values())


def test_files_that_vanish_after_a_night_still_count(days: list[Path], at_once: World, tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days[:6])
    world.night()
    for day in days[1:6]:
        (world.tracks / day.name).unlink()
    world.put(*days[6:])
    night = world.night()
    assert len(night.record["discovery"]["vanished"]) == 5
    assert_same(world, at_once)


def test_a_night_of_an_earlier_time_leaves_latest_and_what_was_told_alone(one_by_one: World, tmp_path: Path) -> None:
    shutil.copytree(one_by_one.folder, tmp_path / "world", symlinks=True)
    world = World(tmp_path / "world")
    before = world.run()
    night = world.night(as_of=datetime(2025, 3, 5, 12, tzinfo=UTC))
    assert night.record["date"] == "2025-03-05"
    assert world.run() == before
    assert night.folder is not None
    then = pq.read_table(night.folder / "flagged_voyages.parquet")["status"].to_pylist()
    assert set(then) == {"unchanged"}, "what was told of later data stands"
    world.night()
    assert set(world.tables("flagged_voyages")["flagged_voyages"]["status"].to_pylist()) == {"unchanged"}
    assert_same(world, one_by_one)


def test_a_now_beyond_all_data_or_before_it_is_refused(one_by_one: World) -> None:
    before = one_by_one.run()
    for day in (datetime(2030, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)):
        with pytest.raises(UsageError, match="2025-03-10"):
            one_by_one.night(as_of=day)
    assert one_by_one.run() == before


def test_one_row_some_days_ahead_is_not_now(days: list[Path], tmp_path: Path) -> None:
    world = new_world(tmp_path, "retention_days = 100")
    table = pq.read_table(days[0])
    instant = table["timestamp"][-1].as_py() + timedelta(days=6)
    stray = table.slice(0, 1).set_column(
        table.schema.get_field_index("timestamp"), "timestamp", pa.array([instant], table["timestamp"].type)
    )
    pq.write_table(pa.concat_tables([table, stray]), world.tracks / "day-0.parquet")
    world.put(days[1])
    assert world.night().record["date"] == "2025-03-02"


def test_a_watch_list_that_is_not_there_is_found_before_anything_is_begun(days: list[Path], tmp_path: Path) -> None:
    world = new_world(tmp_path, '[watch]\nlist = "nobody.csv"')
    world.put(days[0])
    for dry_run in (True, False):
        with pytest.raises(SettingsError, match=r"nobody\.csv"):
            world.night(dry_run=dry_run)
    assert not world.store.exists()


def test_since_tells_a_night_for_each_day(days: list[Path], one_by_one: World, tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days[:4])
    world.night(since=datetime(2025, 3, 1, tzinfo=UTC))
    folders = sorted(path.name for path in world.out.iterdir() if path.is_dir() and not path.is_symlink())
    assert folders == ["2025-03-01", "2025-03-02", "2025-03-03", "2025-03-04"]
    for name in folders:
        told, expected = (pq.read_table(w.out / name / "flagged_voyages.parquet") for w in (world, one_by_one))
        assert told["voyage_id"].to_pylist() == expected["voyage_id"].to_pylist()
        assert told["status"].to_pylist() == expected["status"].to_pylist()


def test_a_dry_run_changes_nothing(days: list[Path], tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days[:2])
    world.night()
    world.put(days[2])
    before = sorted((path, path.stat().st_mtime_ns) for path in world.folder.rglob("*"))
    night = world.night(dry_run=True)
    assert [one["name"] for one in night.record["discovery"]["new"]] == [str(world.tracks / days[2].name)]
    assert night.folder is None
    assert sorted((path, path.stat().st_mtime_ns) for path in world.folder.rglob("*")) == before


def test_no_file_yet_is_a_night_without_a_folder(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    assert world.night().folder is None
    assert not (world.out / "latest").exists()


def test_an_input_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.tracks.rmdir()
    with pytest.raises(UsageError, match="tracks"):
        world.night()


def test_nothing_but_broken_files_fails_and_says_why(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    (world.tracks / "broken.parquet").write_bytes(b"PAR1 not a file")
    with pytest.raises(NothingReadableError, match=r"broken\.parquet"):
        world.night()


def test_a_broken_file_is_set_aside_and_taken_in_when_it_is_whole(
    days: list[Path], at_once: World, tmp_path: Path
) -> None:
    world = new_world(tmp_path)
    world.put(*days)
    whole = days[3].read_bytes()
    half = world.tracks / days[3].name
    half.write_bytes(whole[: len(whole) // 2])
    night = world.night()
    assert [(item.name, bool(item.detail)) for item in night.set_aside] == [(str(half), True)]
    assert night.record["set_aside"][0]["name"] == str(half)
    half.write_bytes(whole)
    assert world.night().set_aside == ()
    assert_same(world, at_once)


def test_jobs_change_nothing(days: list[Path], at_once: World, tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.put(*days)
    world.night(jobs=3, log=RunLog())
    assert_same(world, at_once)
