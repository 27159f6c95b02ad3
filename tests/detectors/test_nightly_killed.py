"""SIGKILL at every step, and at random points, of first and later nights: the next night is as if nothing had been."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detectors.catalogue import BUILTIN
from tests.detectors import night_steps
from tests.detectors.nights import (
    QUICK,
    ROOT,
    World,
    assert_nothing_is_left_over,
    assert_told_alike,
    day_files,
    new_world,
)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")

N_KILLS = 12
"""For each of the two nights."""
N_TRIES = 60
PATIENCE_S = 300.0
BOUNDARIES = (
    "before commit to positions",
    "after commit to positions",
    "after commit to inputs",
    "after record",
    "after staging_folder",
    "after seal",
    "after commit to identities",
    "before commit to told",
    "before commit to nights",
    "after commit to nights",
    "after swap_in",
    "after keep_up",
)
"""Where what lies on the disk differs from one to the next; all steps there are belong to the slow tests."""
NIGHTS = pytest.mark.parametrize("later", [False, True], ids=["first night", "later night"])


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four day files."""
    return day_files(tmp_path_factory.mktemp("days"), 4, every=60)


def before_the_night(folder: Path, days: list[Path], *, later: bool, more: str = QUICK) -> World:
    """A world before its first night, or before a later one that has two more days."""
    world = new_world(folder, more)
    world.put(*days[:2])
    if later:
        assert world.job() == 0
        world.put(*days[2:])
    return world


def undisturbed(before: World, folder: Path) -> World:
    """The same world after a night that nothing disturbs."""
    world = before.copy(folder)
    assert world.job() == 0
    return world


def run_until(world: World, step: str | None) -> tuple[int | None, list[str]]:
    """How the job ended that was to die at a step, and the steps that it reached."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([night_steps.__name__, *(entry.module for entry in BUILTIN)])
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=night_steps.run_until, args=(world, step, said), daemon=True)
    process.start()
    said.close()
    reached = []
    try:
        while heard.poll(PATIENCE_S):
            reached.append(heard.recv())
    except EOFError:
        pass
    process.join(PATIENCE_S)
    return process.exitcode, list(dict.fromkeys(reached))


@NIGHTS
def test_a_job_killed_at_one_step_after_the_other_ends_as_an_undisturbed_one(
    days: list[Path], later: bool, tmp_path: Path
) -> None:
    """Each run goes on from where the one before it died, and dies one step later; the last one may finish."""
    before = before_the_night(tmp_path / "before", days, later=later)
    whole = before.copy(tmp_path / "whole")
    status, steps = run_until(whole, None)
    assert status == 0
    assert set(BOUNDARIES) <= set(steps)
    for step in BOUNDARIES if later else BOUNDARIES[::3]:
        status, _ = run_until(before, step)
        assert status == -signal.SIGKILL, f"never came to: {step}"
    assert before.job() == 0
    assert_told_alike(before, whole)
    assert_nothing_is_left_over(before)


@pytest.mark.slow
@NIGHTS
def test_a_job_killed_at_any_one_step_is_made_good_by_the_next(days: list[Path], later: bool, tmp_path: Path) -> None:
    before = before_the_night(tmp_path / "before", days, later=later)
    whole = before.copy(tmp_path / "whole")
    _, steps = run_until(whole, None)
    for number, step in enumerate(steps):
        world = before.copy(tmp_path / str(number))
        assert run_until(world, step) == (-signal.SIGKILL, steps[: number + 1])
        assert world.job() == 0
        assert_told_alike(world, whole)
        assert_nothing_is_left_over(world)


def kill_after(world: World, seconds: float) -> bool:
    """Start the job as cron does and kill it after so many seconds; whether it was still running."""
    arguments = [sys.executable, "-m", "detectors.cli", "nightly", "--settings", world.settings.name, "--jobs", "2"]
    process = subprocess.Popen(
        arguments,
        cwd=world.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    return False


def state(world: World) -> str:
    """How far a killed night had come, by what lies on the disk."""
    signs = {
        "store": (world.store / "meta").is_dir(),
        "rows": any((world.store / "positions").rglob("*.parquet")),
        "ledger": any((world.store / "inputs").rglob("*.parquet")),
        "names": len(list((world.store / "names").rglob("*.parquet"))),
        "rows of": len(list((world.store / "positions" / "_delta_log").glob("*.json"))),
        "staging": world.out.is_dir() and any(path.name.startswith(".night-") for path in world.out.iterdir()),
        "told": len(list((world.store / "told").rglob("*.parquet"))),
        "nights": len(list((world.store / "nights").rglob("*.parquet"))),
        "in place": sum(1 for _ in world.out.glob("2*")),
    }
    return ", ".join(f"{name} {count:d}" for name, count in signs.items())


@pytest.mark.slow
@NIGHTS
def test_a_job_killed_at_random_points_is_made_good_by_the_next(
    days: list[Path], later: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(1718 + later)
    before = before_the_night(tmp_path / "before", days, later=later, more="")
    whole = undisturbed(before, tmp_path / "whole")
    timed = before.copy(tmp_path / "timed")
    began = time.perf_counter()
    assert not kill_after(timed, PATIENCE_S)
    took_s = time.perf_counter() - began
    assert_told_alike(timed, whole)
    told = []
    for number in range(N_TRIES):
        if len(told) >= N_KILLS:
            break
        world = before.copy(tmp_path / f"killed-{number}")
        after_s = took_s * draw.uniform(0.1, 0.99)
        if kill_after(world, after_s):
            told.append((after_s / took_s, state(world)))
        assert world.job() == 0
        assert_told_alike(world, whole)
        assert_nothing_is_left_over(world)
    with capsys.disabled():
        for share, reached in sorted(told):
            print(f"\nkilled at {share:.0%}: {reached}", end="")  # noqa: T201 - what a slow test hit is its result
    assert len(told) >= N_KILLS
    assert len({reached for _, reached in told}) > 1, "all kills hit the same stage: the draw is no test"
