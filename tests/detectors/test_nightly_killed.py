"""SIGKILL at random points of first and later nights: the next night gives what an undisturbed one would have given."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.detectors.nights import World, assert_same, day_files, new_world

from detectors.batch.nights import read_nights
from vessels.store.ledger import Ledger
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL"),
]

N_KILLS = 12
"""For each of the two nights."""
N_TRIES = 60


def start(world: World) -> subprocess.Popen[bytes]:
    """The job as a process of its own, as cron starts it."""
    command = [sys.executable, "-m", "detectors.cli", "nightly", "--settings", str(world.settings), "--jobs", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, env={**os.environ}
    )


def finish(world: World) -> None:
    """Run the job to its end; it must say nothing of a traceback and leave with 0."""
    process = start(world)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said


def kill_after(world: World, seconds: float) -> bool:
    """Kill the job so many seconds after its start; whether it was still running."""
    process = start(world)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, said.decode()
    return False


def state(world: World) -> tuple[bool, bool, bool, bool]:
    """How far a killed night had come: store, rows, staging folder, committed."""
    made = (world.store / "meta").is_dir()
    rows = any((world.store / "positions").rglob("*.parquet"))
    staged = world.out.is_dir() and any(path.name.startswith(".night-") for path in world.out.iterdir())
    committed = any((world.store / "nights").rglob("*.parquet"))
    return made, rows, staged, committed


def clean(world: World) -> None:
    """Nothing is left of a killed night: no staging folder, and no row in the ledger or of nights twice."""
    assert not [path.name for path in world.out.iterdir() if path.name.startswith((".night-", ".old-"))]
    store = TrackStore.open(StorePlace(str(world.store), {}), n_buckets=1, create=False)
    digests = store.inputs.read()["digest"].to_pylist()
    assert len(digests) == len(set(digests)) == len(Ledger.read(store))
    seqs = [row["seq"] for row in read_nights(store).rows]
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four day files."""
    return day_files(tmp_path_factory.mktemp("days"), 4, every=20)


@pytest.mark.parametrize("later", [False, True], ids=["first night", "later night"])
def test_a_night_killed_anywhere_is_made_good_by_the_next(
    days: list[Path], later: bool, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    draw = random.Random(1718 + later)
    before = new_world(tmp_path / "before")
    before.put(*days[:2])
    if later:
        finish(before)
        before.put(*days[2:])
    whole = World(tmp_path / "whole")
    shutil.copytree(before.folder, whole.folder, symlinks=True)
    began = time.perf_counter()
    finish(whole)
    took = time.perf_counter() - began
    landed, states = 0, set()
    for number in range(N_TRIES):
        if landed >= N_KILLS:
            break
        world = World(tmp_path / f"killed-{number}")
        shutil.copytree(before.folder, world.folder, symlinks=True)
        if kill_after(world, took * draw.uniform(0.1, 0.99)):
            landed += 1
            states.add(state(world))
            finish(world)
        assert_same(world, whole)
        told, expected = (w.tables("flagged_voyages")["flagged_voyages"] for w in (world, whole))
        assert told.equals(expected), "statuses differ from those of the undisturbed night"
        clean(world)
        shutil.rmtree(world.folder)
    assert landed >= N_KILLS
    assert len(states) > 1, "all kills hit the same stage: the draw is no test"
