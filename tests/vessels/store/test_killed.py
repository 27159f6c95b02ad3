"""Writers killed with SIGKILL at any moment, and several at once: every row is there once, or not at all."""

import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from tests.vessels.store import writers
from tests.vessels.store.stocked import FIRST_DAY, N_BUCKETS, as_set, day_of_positions, new_store, old_store, sightings
from vessels.store.upkeep import UpkeepParameters, keep_up
from vessels.units import US_PER_DAY

PATIENCE_S = 60.0
N_ROWS = day_of_positions(FIRST_DAY, source=0, n_ships=40).num_rows


@pytest.fixture(scope="module")
def begin():
    """Begin a writer in a process of its own; what it says comes through the connection."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([writers.__name__])
    begun: list[BaseProcess] = []

    def begin(work: Callable[..., None], *args: object) -> tuple[BaseProcess, Connection]:
        heard, said = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(*args, said), daemon=True)
        process.start()
        said.close()
        begun.append(process)
        return process, heard

    yield begin
    for process in begun:
        process.kill()
        process.join()


def killed_after(process: BaseProcess, heard: Connection, delay_s: float) -> list[int]:
    """What it had said; it is killed so long after its first word."""
    assert heard.poll(PATIENCE_S), "it never said a word"
    said = [heard.recv()]
    time.sleep(delay_s)
    process.kill()
    process.join(PATIENCE_S)
    try:
        while heard.poll():
            said.append(heard.recv())
    except EOFError:
        pass
    return said


def test_a_killed_append_is_whole_or_not_at_all_and_is_made_again(tmp_path, begin):
    store, chance, first = new_store(tmp_path), random.Random(7), 0
    for _ in range(8):
        process, heard = begin(writers.append, str(tmp_path), first, first + 100_000)
        last = killed_after(process, heard, chance.uniform(0.0, 0.2))[-1]
        assert process.exitcode == -signal.SIGKILL
        held = store.positions.held(f"t{i}" for i in range(last + 5))
        assert {f"t{i}" for i in range(last + 1)} <= held, "what was said to be written is there"
        sources = Counter(old_store(tmp_path).positions.read(["source"])["source"].to_pylist())
        assert sources == {int(transaction[1:]): N_ROWS for transaction in held}, "whole, and once"
        first = last


def test_a_killed_compaction_loses_and_doubles_nothing(tmp_path, begin):
    store, chance = new_store(tmp_path), random.Random(8)
    for i in range(14):
        store.positions.append(day_of_positions(FIRST_DAY + i, source=i, n_ships=40))
    expected = as_set(store.positions.read())
    for _ in range(8):
        process, heard = begin(writers.put_together, str(tmp_path))
        killed_after(process, heard, chance.uniform(0.0, 0.1))
        assert process.exitcode == -signal.SIGKILL
        assert as_set(old_store(tmp_path).positions.read()) == expected
    now_us = (FIRST_DAY + 60) * US_PER_DAY
    for _ in range(6):
        keep_up(store, now_us, UpkeepParameters(vacuum_h=0, settled_files=1))
    assert as_set(old_store(tmp_path).positions.read()) == expected
    there = {path for path, _ in store.place.listing("positions") if not path.startswith("_delta_log/")}
    assert there == {file.path for file in store.positions.files()}, "what killed writers left is gone"


def test_a_store_whose_making_was_killed_is_made_the_next_time(tmp_path, begin):
    n_unfinished = 0
    for i in range(10):
        folder = tmp_path / str(i)
        killed_after(*begin(writers.make, str(folder)), i * 0.005)
        n_unfinished += folder.exists() and not list(folder.glob("meta/*.parquet"))
        assert old_store(folder).positions.append(day_of_positions(FIRST_DAY, source=1))
        assert old_store(folder).n_buckets == N_BUCKETS
    assert n_unfinished > 0, "at least one was caught in the middle"


def test_writers_at_once_all_succeed(tmp_path, begin):
    store, each, n_writers = new_store(tmp_path), 10, 4
    shared = 3
    compactor, heard = begin(writers.put_together, str(tmp_path))
    begun = [
        begin(writers.append, str(tmp_path), each * i, each * (i + 1) + shared * (i + 1 < n_writers))
        for i in range(n_writers)
    ]
    for process, _ in begun:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
    assert compactor.is_alive(), "it failed on the way"
    killed_after(compactor, heard, 0.0)
    sources = Counter(store.positions.read(["source"])["source"].to_pylist())
    assert sources == dict.fromkeys(range(each * n_writers), N_ROWS), "inputs that two writers had are there once"


def test_threads_at_once_all_succeed(tmp_path):
    store = new_store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda i: store.names.append(sightings(i), transactions=[f"t{i % 30}"]), range(40)))
    assert sum(said) == 30, "of two with one transaction one added its row"
    assert sorted(seq % 30 for seq in store.names.read()["seq"].to_pylist()) == list(range(30))
