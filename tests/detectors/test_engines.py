"""Work gives the same wherever it runs; what goes wrong elsewhere is told here, and nothing is left running."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detectors.batch import crew
from detectors.batch.engines import PROCESS_ROWS, Engine, open_engine
from detectors.batch.outcomes import EngineError
from detectors.batch.settings import load_settings
from tests.detectors import engine_tasks as tasks
from tests.detectors.blocks import ROOT, blocks_of, bytes_of, history_of
from vessels.errors import InputFileError, NothingReadableError, SettingsError, UsageError, WakewatchError
from vessels.history import DEFAULT_FACTS
from vessels.reading import ReadOptions
from vessels.store.place import StorePlace
from vessels.zones import read_zones

SMALL, BIG = 0, PROCESS_ROWS


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine("local", 2) as opened:
        yield opened


def until(true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    end = time.monotonic() + timeout_s
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_processes_and_threads_give_the_same_facts_to_the_byte(engine: Engine) -> None:
    zones, blocks = read_zones(), blocks_of(4, 5_000)
    assert len(blocks) >= 4
    work = partial(tasks.facts_of, zones=zones)
    with open_engine("local", 1) as alone:
        told: list[tuple[str, int, int]] = []
        here = alone.map(work, blocks, stage="facts", progress=lambda *seen: told.append(seen))
    threads = engine.map(work, blocks, stage="facts", n_rows=SMALL)
    processes = engine.map(work, blocks, stage="facts", n_rows=BIG)
    assert [bytes_of(part) for part in threads] == [bytes_of(part) for part in here]
    assert [bytes_of(part) for part in processes] == [bytes_of(part) for part in here]
    assert bytes_of(history_of(processes, zones)) == bytes_of(history_of(here, zones))
    assert told == [("facts", n, len(blocks)) for n in range(1, len(blocks) + 1)]


def test_small_work_stays_in_this_process_and_big_work_does_not(engine: Engine) -> None:
    assert {pid for pid, _ in engine.map(tasks.where, range(6), stage="s", n_rows=SMALL)} == {os.getpid()}
    elsewhere = {pid for pid, _ in engine.map(tasks.where, range(6), stage="s", n_rows=BIG)}
    assert os.getpid() not in elsewhere
    assert len(elsewhere) == 2
    assert {pid for pid, _ in engine.map(tasks.where, range(6), stage="s", n_rows=BIG)} <= elsewhere  # kept
    with open_engine("local", 1) as alone:
        assert {pid for pid, _ in alone.map(tasks.where, range(3), stage="s", n_rows=BIG)} == {os.getpid()}


@pytest.mark.parametrize("n_rows", [SMALL, BIG])
def test_results_stand_in_the_order_of_items_and_progress_counts(engine: Engine, n_rows: int) -> None:
    told: list[tuple[str, int, int]] = []
    results = engine.map(
        tasks.later_first, range(20), stage="facts", progress=lambda *seen: told.append(seen), n_rows=n_rows
    )
    assert results == list(range(20))
    assert told == [("facts", n, 20) for n in range(1, 21)]
    assert engine.map(tasks.square, [], stage="none", n_rows=n_rows) == []
    assert engine.fold(tasks.square, range(4), sum, stage="all", n_rows=n_rows) == 14


def test_a_process_grows_the_index_of_the_zones_once(engine: Engine) -> None:
    zones = read_zones()
    zones.grow_index()
    seen = engine.map(partial(tasks.shared_index, zones=zones), range(8), stage="s", n_rows=BIG)
    seen += engine.map(tasks.index_of, [zones] * 8, stage="s", n_rows=BIG)
    assert len({pid for pid, _ in seen}) == len(set(seen))


def sent(value: Any) -> Any:
    """What another process would get."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301


def test_zones_travel_without_their_index_and_come_back_equal() -> None:
    zones = read_zones()
    before = pickle.dumps(zones)
    zones.grow_index()
    assert zones.sea is not None
    after = pickle.dumps(zones)
    assert after == before
    again, once_more = sent(zones), sent(read_zones())
    assert again == zones
    assert again is once_more
    other = zones.with_levels({zones.zones[0].zone_id: "high"})
    assert sent(other) == other != zones


@pytest.mark.parametrize(
    "shared",
    [
        ReadOptions(columns={"mmsi": "ship"}, timezone="Asia/Tokyo"),
        ReadOptions(),
        StorePlace("s3://bucket/store", {"AWS_REGION": "eu-north-1"}),
        load_settings(None).facts,
        DEFAULT_FACTS,
    ],
    ids=lambda shared: type(shared).__name__,
)
def test_what_a_night_shares_with_its_workers_can_be_sent(shared: object) -> None:
    assert sent(shared) == shared


@pytest.mark.parametrize(
    "error",
    [
        WakewatchError("w"),
        UsageError("u"),
        SettingsError("s"),
        InputFileError("empty", "a.csv: no rows"),
        NothingReadableError("n"),
        EngineError("e"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_our_errors_survive_a_journey_whole(error: WakewatchError) -> None:
    error.add_note("seen by night")
    again = sent(error)
    assert type(again) is type(error)
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_every_error_of_ours_can_be_pickled() -> None:
    def family(kind: type[WakewatchError]) -> Iterator[type[WakewatchError]]:
        for child in kind.__subclasses__():
            yield child
            yield from family(child)

    for kind in family(WakewatchError):
        error = kind.__new__(kind, "words")
        error.__dict__["carried"] = 7
        assert vars(sent(error)) == {"carried": 7}, kind


@pytest.mark.parametrize("n_rows", [SMALL, BIG])
def test_the_first_error_is_raised_whole(engine: Engine, n_rows: int) -> None:
    with pytest.raises(InputFileError) as caught:
        engine.map(tasks.refuse, [0, 2, 3, 4, 5, 6], stage="read", n_rows=n_rows)
    assert caught.value.reason == "odd"
    assert caught.value.detail in {"3 is odd", "5 is odd"}
    assert engine.map(tasks.refuse, [0, 2], stage="read", n_rows=n_rows) == [0, 2]


def test_an_error_elsewhere_says_where(engine: Engine) -> None:
    with pytest.raises(InputFileError) as caught:
        engine.map(tasks.refuse, [1, 1], stage="read", n_rows=BIG)
    assert "engine_tasks.py" in str(caught.value.__cause__)
    with pytest.raises(MemoryError, match="no room"):
        engine.map(tasks.no_memory, [1, 1], stage="read", n_rows=BIG)


def test_what_cannot_be_sent_is_told_in_words(engine: Engine) -> None:
    with pytest.raises(EngineError, match="CarefulError: a: b1"):
        engine.map(tasks.raise_careful, [1, 1], stage="s", n_rows=BIG)
    with pytest.raises(TypeError, match="lock"):
        engine.map(tasks.unsendable, [1, 1], stage="s", n_rows=BIG)
    with pytest.raises(EngineError, match="lambda"):
        engine.map(lambda n: n, [1, 1], stage="s", n_rows=BIG)
    assert engine.map(tasks.square, [1, 2], stage="s", n_rows=BIG) == [1, 4]


def test_what_tasks_print_disturbs_nothing(engine: Engine) -> None:
    assert engine.map(tasks.chatter, range(4), stage="s", n_rows=BIG) == [0, 1, 2, 3]


def test_large_results_come_back_whole(engine: Engine) -> None:
    n = 3_000_000
    first, second = engine.map(tasks.table_of, [n, n], stage="s", n_rows=BIG)
    assert first.num_rows == n
    assert first.equals(second)
    assert first.equals(tasks.table_of(n))


def test_a_task_whose_worker_died_is_done_again(engine: Engine, tmp_path: Path) -> None:
    zones, blocks = read_zones(), blocks_of(2, 5_000)
    expected = [bytes_of(part) for part in engine.map(partial(tasks.facts_of, zones=zones), blocks, stage="facts")]
    work = partial(tasks.facts_surviving, zones=zones, victim=1, mark=tmp_path / "died")
    items = [(number, *block) for number, block in enumerate(blocks)]
    parts = engine.map(work, items, stage="facts", n_rows=BIG)
    assert (tmp_path / "died").exists()
    assert [bytes_of(part) for part in parts] == expected


def test_a_task_that_kills_two_workers_is_an_error(engine: Engine) -> None:
    with pytest.raises(EngineError, match=r"facts [12] of 2: the worker process was killed by SIGKILL.*memory"):
        engine.map(tasks.die, range(2), stage="facts", n_rows=BIG)
    assert engine.map(tasks.square, [1, 2], stage="s", n_rows=BIG) == [1, 4]


def test_a_worker_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_BOOT", "raise SystemExit(7)")
    with (
        open_engine("local", 2) as engine,
        pytest.raises(EngineError, match=r"could not start.*exit status 7.*--jobs 1"),
    ):
        engine.map(tasks.square, [1, 2], stage="s", n_rows=BIG)


def test_an_application_with_a_built_in_python_keeps_to_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with open_engine("local", 2) as engine:
        assert {pid for pid, _ in engine.map(tasks.where, range(4), stage="s", n_rows=BIG)} == {os.getpid()}


def test_what_progress_raises_stops_the_work(tmp_path: Path) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def stop(_stage: str, _done: int, _total: int) -> None:
        raise Stop

    folders = [tmp_path / str(n) for n in range(6)]
    for folder in folders:
        folder.mkdir()
    began = time.monotonic()
    with open_engine("local", 2) as engine:
        with pytest.raises(Stop):
            engine.map(tasks.busy_unless_first, folders, stage="s", progress=stop, n_rows=BIG)
        assert time.monotonic() - began < tasks.BUSY_S / 2
        assert engine.map(tasks.square, [1, 2], stage="s", n_rows=BIG) == [1, 4]
    pids = [int(path.name) for folder in folders for path in folder.iterdir()]
    assert until(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize(
    "text", ["", "loky", "Local", "dask", "dask://", "dask://host", "dask://host:x", "dask://h:1/p"]
)
def test_an_unknown_engine_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="dask://HOST:PORT"), open_engine(text):
        pass


def script(folder: Path, body: str) -> Path:
    """A user's script without a main guard."""
    path = folder / "script.py"
    head = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from detectors.batch.engines import PROCESS_ROWS, open_engine
        from tests.detectors import engine_tasks as tasks
        from pathlib import Path
    """
    path.write_text(textwrap.dedent(head) + textwrap.dedent(body), encoding="utf-8")
    return path


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        print("begun")
        with open_engine("local", 2) as engine:
            print(engine.map(tasks.square, range(4), stage="s", n_rows=PROCESS_ROWS))
        """,
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", str(path)], check=False, capture_output=True, text=True, timeout=120
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "begun\n[0, 1, 4, 9]\n", "")


def test_modules_beside_where_the_job_runs_do_not_get_into_workers(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the current folder')")
    path = script(
        tmp_path,
        """
        with open_engine("local", 2) as engine:
            print(engine.map(tasks.square, range(2), stage="s", n_rows=PROCESS_ROWS))
        """,
    )
    run = subprocess.run(
        [sys.executable, "-P", str(path)], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "[0, 1]\n", "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_workers_end_with_the_process_they_work_for(tmp_path: Path, how: signal.Signals) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    path = script(
        tmp_path,
        f"""
        with open_engine("local", 2) as engine:
            engine.map(tasks.note_pid_and_work, [Path({str(pids)!r})] * 2, stage="s", n_rows=PROCESS_ROWS)
        """,
    )
    parent = subprocess.Popen([sys.executable, str(path)], stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert until(lambda: len(list(pids.iterdir())) == 2, 60.0)
        workers = [int(path.name) for path in pids.iterdir()]
        assert all(alive(pid) for pid in workers)
        if how is signal.SIGINT:
            os.killpg(parent.pid, how)  # as a terminal does: to all of them
        else:
            os.kill(parent.pid, how)
        _, words = parent.communicate(timeout=30)
        assert until(lambda: not any(alive(pid) for pid in workers))
        assert words.count("Traceback") == (how is signal.SIGINT)  # the parent's own, none of a worker's
    finally:
        parent.kill()
        parent.wait()
