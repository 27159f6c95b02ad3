"""Full and read-only disks, lost logs, a second job, a wrong clock: the job says what to do, the next makes it good.

Faults of the store's tables one by one are in tests/vessels/store; here it is the whole job, and what it tells after.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.detectors.nights import (
    QUICK,
    ROOT,
    World,
    assert_nothing_is_left_over,
    assert_told_alike,
    contents,
    day_files,
    new_world,
)

Output = pytest.CaptureFixture[str]
COMMAND = (sys.executable, "-m", "detectors.cli", "nightly")
PATIENCE_S = 300.0
YEAR_S = 31_556_952
OBEYING = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Before a command: root without the right to write where nobody may (capabilities(7))."""


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two day files."""
    return day_files(tmp_path_factory.mktemp("days"), 2, every=60)


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


@pytest.fixture
def world(days: list[Path], one_day: World, tmp_path: Path) -> World:
    """Before the second night."""
    world = one_day.copy(tmp_path / "world")
    world.put(days[1])
    return world


def command(world: World, *options: str, under: Sequence[str] = (), **env: str) -> "subprocess.Popen[str]":
    """The job as a process of its own."""
    return subprocess.Popen(
        [*under, *COMMAND, "--settings", str(world.settings), "--jobs", "1", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit status and what was said on standard error; never a stack of calls."""
    _, err = process.communicate(timeout=PATIENCE_S)
    assert_words(err)
    return process.returncode, err


def assert_words(err: str) -> None:
    """What was said are words, not a stack of calls of this or another language."""
    assert "Traceback" not in err
    assert "panicked" not in err
    assert "defect of wakewatch" not in err


def last_line(err: str) -> str:
    return err.strip().splitlines()[-1]


# -- Full disks


@contextmanager
def small_disk(folder: Path, n_bytes: int) -> Iterator[None]:
    """A small disk at `folder`, with what the folder held; skips where this user may not mount one."""
    held = folder.with_name(folder.name + "-held")
    folder.rename(held)
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        folder.rmdir()
        held.rename(folder)
        pytest.skip("this user may not mount a disk")
    try:
        shutil.copytree(held, folder, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk at `folder` but for some bytes; the file that does it."""
    ballast = folder.parent / "ballast" if not os.path.ismount(folder) else folder / ".ballast"
    ballast.unlink(missing_ok=True)
    free = os.statvfs(folder)
    ballast.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - leave)))
    return ballast


@pytest.mark.parametrize("which", ["store", "nights"])
def test_a_disk_that_is_full_at_any_stage_is_said_and_with_room_again_all_is_made_good(
    which: str, world: World, two_days: World, capsys: Output
) -> None:
    folder = world.folder / which
    before = contents(folder)
    with small_disk(folder, 8_000_000):
        said = []
        for leave in (0, 20_000, 60_000, 100_000):
            ballast = fill(folder, leave)
            status, err = world.job(), capsys.readouterr().err
            assert_words(err)
            if status == 0:
                break
            assert status == 1
            assert str(folder) in last_line(err)
            assert "full" in last_line(err) or "No space left" in last_line(err)
            said.append(err.count("\n"))
            kept = contents(folder)
            assert {name: kept[name] for name in before} == before, "what was there is untouched"
        assert len(said) > 1
        assert which == "nights" or len(set(said)) > 1, "every try failed at the same stage"
        ballast.unlink()
        assert world.job() == 0
        assert_told_alike(world, two_days)
        assert_nothing_is_left_over(world)


def test_files_that_may_not_grow_fail_the_job_and_the_next_makes_good(
    world: World, two_days: World, capsys: Output
) -> None:
    """The same by a limit on the size of a file, which every user may set: a quota."""
    for n_bytes in (500, 8_000, 20_000):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
            status = world.job()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        err = capsys.readouterr().err
        assert status == 1
        assert_words(err)
        assert str(world.folder) in last_line(err)
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


# -- Places that may not be written to


def allow(path: Path, *, writing: bool) -> None:
    if not path.is_symlink():
        path.chmod((0o777 if writing else 0o555) if path.is_dir() else (0o666 if writing else 0o444))


READ_ONLY: dict[str, Callable[[World], list[Path]]] = {
    "store": lambda world: [world.store, *world.store.rglob("*")],
    "table of the store": lambda world: [path for path in world.store.rglob("*") if "positions" in path.parts],
    "nights": lambda world: [world.out, *world.out.rglob("*")],
}


@pytest.mark.parametrize("which", READ_ONLY)
def test_a_place_that_may_only_be_read_is_named_with_the_remedy_and_nothing_changes(
    which: str, world: World, two_days: World
) -> None:
    if os.getuid() == 0 and shutil.which(OBEYING[0]) is None:
        pytest.skip("root may write anywhere, and there is no setpriv to take that right away")
    paths, before = READ_ONLY[which](world), contents(world.folder)
    for path in paths:
        allow(path, writing=False)
    try:
        status, err = finished(command(world, under=OBEYING if os.getuid() == 0 else ()))
    finally:
        for path in paths:
            allow(path, writing=True)
    assert status == 1, err
    assert any(str(path) in last_line(err) for path in (world.store, world.out))
    assert "right to read and write" in last_line(err) or "must be able to make and write files" in last_line(err)
    after = contents(world.folder)
    assert {name: after[name] for name in before} == before
    assert not (world.out / "2025-03-02").exists()
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


@pytest.mark.parametrize("which", ["store", "nights"])
def test_a_disk_mounted_for_reading_alone_is_named_and_nothing_changes(
    which: str, world: World, two_days: World, capsys: Output
) -> None:
    """As a system mounts a disk again after an error on it."""
    folder, before = world.folder / which, contents(world.folder)
    with small_disk(folder, 8_000_000):
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        assert world.job() == 1
        err = capsys.readouterr().err
        assert_words(err)
        assert str(folder) in last_line(err)
        assert "ead-only file system" in last_line(err)
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        after = contents(world.folder)
        assert {name: after[name] for name in before} == before
        assert world.job() == 0
        assert_told_alike(world, two_days)


# -- A store that is damaged or lost


def newest_entry(table: Path) -> Path:
    return max((table / "_delta_log").glob("*.json"))


LOSSES: dict[str, Callable[[Path], Any]] = {
    "log of the rows": lambda store: shutil.rmtree(store / "positions" / "_delta_log"),
    "half an entry": lambda store: newest_entry(store / "inputs").write_bytes(b'{"add":{"path":"part-0'),
    "an entry of the nights": lambda store: newest_entry(store / "nights").unlink(),
    "a file of what was told": lambda store: next((store / "told").glob("*.parquet")).unlink(),
    "zeros in a log": lambda store: newest_entry(store / "claims").write_bytes(bytes(300)),
}


def test_a_damaged_store_is_refused_with_the_way_out_and_restored_it_goes_on(
    world: World, two_days: World, tmp_path: Path, capsys: Output
) -> None:
    backup = shutil.copytree(world.store, tmp_path / "backup")
    told = contents(world.out)
    for loss, spoil in LOSSES.items():
        spoil(world.store)
        left = contents(world.store)
        status, err = world.job(), capsys.readouterr().err
        assert status == 1, f"{loss}: not seen"
        assert_words(err)
        assert str(world.store) in last_line(err), loss
        assert "backup" in err or "new folder" in err, f"{loss}: no way out is told"
        assert contents(world.out) == told, f"{loss}: told all the same"
        now = contents(world.store)
        assert {name: now.get(name) for name in left} == left, f"{loss}: written over"
        shutil.rmtree(world.store)
        shutil.copytree(backup, world.store)
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


def test_a_store_without_its_list_of_tables_is_to_be_restored_and_not_given_up(world: World, capsys: Output) -> None:
    shutil.rmtree(world.store / "meta")
    assert world.job() == 1
    assert "backup" in last_line(capsys.readouterr().err)


def test_a_store_restored_from_a_copy_of_the_night_before_tells_that_night_again(
    world: World, two_days: World, tmp_path: Path
) -> None:
    backup = shutil.copytree(world.store, tmp_path / "backup")
    assert world.job() == 0
    shutil.rmtree(world.store)
    shutil.copytree(backup, world.store)
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


def test_nights_that_were_thrown_away_do_not_change_what_is_told_next(world: World, two_days: World) -> None:
    shutil.rmtree(world.out)
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert [path.name for path in sorted(world.out.glob("2*"))] == ["2025-03-02"]


# -- Two jobs, and the clock


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be held still here")
def test_of_two_jobs_at_once_the_second_leaves_and_changes_nothing_and_the_first_finishes(
    world: World, two_days: World, capsys: Output
) -> None:
    process = command(world, "--log-format", "json")
    assert process.stderr is not None
    said = ""
    while '"taken_in"' not in said:
        said = process.stderr.readline()
        assert said, "the first job ended early"
    os.kill(process.pid, signal.SIGSTOP)
    try:
        before = contents(world.folder)
        status, err = world.job(), capsys.readouterr().err
        assert status == 1
        assert f"another wakewatch (process {process.pid} on " in err
        assert_words(err)
        assert contents(world.folder) == before
    finally:
        os.kill(process.pid, signal.SIGCONT)
    status, err = finished(process)
    assert status == 0
    assert json.loads(last_line(err))["event"] == "night"
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)


CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) { const char *s = getenv("SHIFT_S"); return s ? atol(s) : 0; }

int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, t);
    if (!result && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += shift();
    return result;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec t = {until->tv_sec - shift(), until->tv_nsec};
    return real(semaphore, &t);
}

int gettimeofday(struct timeval *v, void *zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    v->tv_sec = t.tv_sec;
    v->tv_usec = t.tv_nsec / 1000;
    return 0;
}
"""


@pytest.mark.parametrize(
    ("first", "second"), [(20, 0), pytest.param(0, -20, marks=pytest.mark.slow)], ids=["right again", "wrong"]
)
def test_a_clock_set_back_between_nights_changes_nothing(
    first: int, second: int, days: list[Path], two_days: World, tmp_path: Path
) -> None:
    """Two nights with other clocks under them, so many years off; then again with the right one."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler to put another clock under the job")
    world = new_world(tmp_path / "world", QUICK)
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    today = int(source.stat().st_mtime // YEAR_S) + 1970
    for day, years in zip(days, (first, second), strict=True):
        world.put(day)
        status, err = finished(command(world, LD_PRELOAD=str(library), SHIFT_S=str(years * YEAR_S)))
        assert status == 0, err
        assert abs(int(err[:4]) - today - years) <= 1, "the job ran by the right clock"
    assert_told_alike(world, two_days)
    assert world.job() == 0
    assert_told_alike(world, two_days)
    assert_nothing_is_left_over(world)
