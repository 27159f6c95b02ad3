"""A Dask cluster gives what this machine gives, whatever happens to its workers; what it cannot do it says in words."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra wakewatch[cluster] is not installed")

from detectors.batch import cluster
from detectors.batch.engines import Engine, open_engine
from detectors.batch.nightly import Night, nightly
from detectors.batch.outcomes import EngineError
from detectors.batch.settings import load_settings
from tests.detectors import engine_tasks as tasks
from tests.detectors.blocks import TRACKS, blocks_of, bytes_of, history_of
from tests.detectors.dask_processes import DaskProcesses, dask_processes
from vessels.errors import InputFileError
from vessels.intake import Progress, no_progress
from vessels.store import taking_in
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.zones import read_zones


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("dask"), 2) as running:
        yield running


@pytest.fixture(scope="module")
def engine(processes: DaskProcesses) -> Iterator[Engine]:
    with open_engine(processes.engine) as opened:
        yield opened


def test_a_cluster_gives_the_same_facts_to_the_byte(engine: Engine) -> None:
    zones, blocks = read_zones(), blocks_of(4, 5_000)
    work = partial(tasks.facts_of, zones=zones)
    here = [work(block) for block in blocks]
    told: list[tuple[str, int, int]] = []
    there = engine.map(work, blocks, stage="facts", progress=lambda *seen: told.append(seen))
    assert [bytes_of(part) for part in there] == [bytes_of(part) for part in here]
    assert told == [("facts", n, len(blocks)) for n in range(1, len(blocks) + 1)]
    whole = engine.fold(work, blocks, partial(history_of, zones=zones), stage="facts")
    assert bytes_of(whole) == bytes_of(history_of(here, zones))


def test_work_is_done_by_the_workers_and_in_the_order_of_items(engine: Engine, processes: DaskProcesses) -> None:
    pids = {pid for pid, _ in engine.map(tasks.where, range(8), stage="s")}
    assert pids <= {worker.pid for worker in processes.workers}
    assert engine.map(tasks.later_first, range(20), stage="s") == list(range(20))
    assert engine.map(tasks.square, [], stage="s") == []
    assert engine.fold(tasks.square, range(4), sum, stage="s") == 14
    assert engine.name == processes.engine


def test_a_worker_grows_the_index_of_the_zones_once(engine: Engine) -> None:
    zones = read_zones()
    zones.grow_index()
    seen = engine.map(partial(tasks.shared_index, zones=zones), range(8), stage="s")
    seen += engine.map(tasks.index_of, [zones] * 8, stage="s")
    assert len({pid for pid, _ in seen}) == len(set(seen))


def test_errors_of_ours_come_back_whole(engine: Engine) -> None:
    with pytest.raises(InputFileError) as caught:
        engine.map(tasks.refuse, [0, 3], stage="read")
    assert (caught.value.reason, caught.value.detail) == ("odd", "3 is odd")
    assert "engine_tasks.py" in str(caught.value.__cause__)
    with pytest.raises(InputFileError, match="3 is odd"):
        engine.fold(tasks.refuse, [0, 3], sum, stage="read")
    with pytest.raises(InputFileError, match="7 is odd"):
        engine.fold(tasks.square, [0], tasks.refuse_all, stage="read")
    with pytest.raises(EngineError, match="CarefulError: a: b1"):
        engine.map(tasks.raise_careful, [1], stage="s")


def test_a_task_that_one_machine_had_no_room_for_is_tried_again(engine: Engine, tmp_path: Path) -> None:
    assert engine.map(tasks.no_room_once, [tmp_path / "mark"], stage="s") == [2]
    with pytest.raises(EngineError, match="MemoryError: no room"):
        engine.map(tasks.no_memory, [1], stage="facts")


def test_a_cluster_may_be_used_many_times(processes: DaskProcesses) -> None:
    for n in range(3):
        with open_engine(processes.engine) as opened:
            assert opened.map(tasks.square, [n], stage="s") == [n * n]


def test_a_dead_workers_task_is_run_again_and_nothing_differs(tmp_path: Path) -> None:
    zones, blocks = read_zones(), blocks_of(2, 5_000)
    expected = [bytes_of(derived) for derived in map(partial(tasks.facts_of, zones=zones), blocks)]
    items = [(number, *block) for number, block in enumerate(blocks)]
    with dask_processes(tmp_path, 2) as running, open_engine(running.engine) as engine:
        mark = tmp_path / "died"
        work = partial(tasks.facts_surviving, zones=zones, victim=len(items) - 1, mark=mark)
        whole = engine.fold(work, items, partial(history_of, zones=zones), stage="facts")
        assert mark.exists()
        assert sum(worker.poll() is not None for worker in running.workers) == 1
        assert engine.jobs == 1
        running.add_worker()
        mark.unlink()
        parts = engine.map(work, items, stage="facts")
        assert mark.exists()
    assert [bytes_of(part) for part in parts] == expected
    assert bytes_of(whole) == bytes_of(history_of(parts, zones))


def test_a_task_that_kills_every_worker_is_an_error(tmp_path: Path) -> None:
    strict = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}  # 3 unless told, and as many workers to start
    with (
        dask_processes(tmp_path, 1, strict) as running,
        open_engine(running.engine) as engine,
        pytest.raises(EngineError, match=r"facts: dask://.*KilledWorker"),
    ):
        engine.map(tasks.die, [1], stage="facts")


def test_a_cluster_left_without_workers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "WORKERLESS_S", 1.0)
    monkeypatch.setattr(cluster, "_LOOK_S", 0.2)
    with dask_processes(tmp_path, 1) as running, open_engine(running.engine) as engine:
        began = time.monotonic()
        with pytest.raises(EngineError, match="has had no worker for 1 s"):
            engine.map(tasks.die, [1], stage="facts")
        assert time.monotonic() - began < 20.0


def test_a_scheduler_that_dies_is_told(tmp_path: Path) -> None:
    with (
        dask_processes(tmp_path, 1) as running,
        open_engine(running.engine) as engine,
        pytest.raises(EngineError, match=r"facts: dask://.* was lost"),
    ):
        engine.map(tasks.kill_process, [running.scheduler.pid], stage="facts")


def test_a_cluster_that_is_not_there_or_has_no_workers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(EngineError, match=r"dask://127.0.0.1:1: no Dask scheduler"), open_engine("dask://127.0.0.1:1"):
        pass
    with (
        dask_processes(tmp_path, 0) as running,
        pytest.raises(EngineError, match=r"has no workers.*dask worker tcp://127"),
        open_engine(running.engine),
    ):
        pass


def test_another_make_of_wakewatch_on_a_worker_is_refused(
    processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = cluster.make()
    with open_engine(processes.engine) as engine:
        monkeypatch.setattr(cluster, "_version", lambda name: "9.9" if name == "wakewatch" else here[name])
        with pytest.raises(EngineError, match=r"worker tcp://.* has wakewatch .* for 9\.9"), open_engine(engine.name):
            pass
        monkeypatch.setattr(engine, "_make", {**here, "pyarrow": "1.0"})  # as if the worker had come later
        with pytest.raises(EngineError, match=r"has pyarrow .* for 1\.0"):
            engine.map(tasks.square, [1], stage="s")


def test_workers_without_wakewatch_are_told(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['detectors'] = None\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with dask_processes(tmp_path, 0) as running:
        running.add_worker({"PYTHONPATH": path})
        with pytest.raises(EngineError, match=r"could not load wakewatch.*install"), open_engine(running.engine):
            pass


def night_of(folder: Path, engine: str, progress: Progress = no_progress) -> Night:
    """One night over the first days of the fixtures."""
    tracks = ", ".join(f"'{path}'" for path in TRACKS[:4])
    settings = folder / "wakewatch.toml"
    settings.write_text(
        f"[input]\ntracks = [{tracks}]\n[store]\npath = 'store'\n[output]\npath = 'out'\n", encoding="utf-8"
    )
    return nightly(load_settings(settings), jobs=2, engine=engine, progress=progress)


def test_a_night_whose_workers_are_killed_is_the_night_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte: the tables of the night, and the rows of the store."""
    monkeypatch.setattr(taking_in, "SMALL_GROUP_BYTES", 1)  # as a cluster's files are: more than one task
    here, there, dask = (tmp_path / name for name in ("here", "there", "dask"))
    for folder in (here, there, dask):
        folder.mkdir()
    alone = night_of(here, "local")
    with dask_processes(dask, 2) as running:

        def kill(stage: str, done: int, _total: int) -> None:
            """Kill a worker in the middle of each map; another one comes in its place."""
            if (stage, done) in {("ingest", 1), ("facts", 3)}:
                victim = running.workers[-1]
                victim.kill()
                assert victim.wait() == -signal.SIGKILL
                running.add_worker()

        night = night_of(there, running.engine, kill)
        assert len(running.workers) == 4
    assert night.folder is not None and alone.folder is not None
    tables = sorted(path.name for path in alone.folder.glob("*.parquet"))
    assert "flagged_voyages.parquet" in tables
    assert sorted(path.name for path in night.folder.glob("*.parquet")) == tables
    for table in tables:
        assert (night.folder / table).read_bytes() == (alone.folder / table).read_bytes(), table
    rows = [TrackStore.open(StorePlace(str(f / "store")), n_buckets=16, create=False) for f in (here, there)]
    first, second = (store.positions.read() for store in rows)
    order = [(name, "ascending") for name in first.column_names]
    assert first.num_rows > 0
    assert second.sort_by(order).equals(first.sort_by(order))
