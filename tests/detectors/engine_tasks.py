"""Tasks for the tests of engines: functions of a module, as other processes must find them."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from vessels.chunks import StaticClaim
from vessels.errors import InputFileError
from vessels.history import DEFAULT_FACTS, Facts, derive
from vessels.track import TrackBlock
from vessels.zones import Zones

BUSY_S = 60.0


class CarefulError(Exception):
    """An error that cannot be pickled as exceptions are by default."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


def square(n: int) -> int:
    return n * n


def where(_n: int) -> tuple[int, int]:
    """The process and thread a task ran in."""
    time.sleep(0.05)
    return os.getpid(), threading.get_ident()


def facts_of(item: tuple[TrackBlock, tuple[StaticClaim, ...]], zones: Zones) -> Facts:
    """The map over buckets, as a night does it."""
    return derive(*item, zones, DEFAULT_FACTS)


def facts_surviving(
    item: tuple[int, TrackBlock, tuple[StaticClaim, ...]], zones: Zones, victim: int, mark: Path
) -> Facts:
    """The same; the process that first meets the block numbered `victim` is killed over it."""
    number, block, claims = item
    if number == victim:
        die_once(mark)
    return derive(block, claims, zones, DEFAULT_FACTS)


def index_of(zones: Zones) -> tuple[int, int]:
    """The process, and which object the zones' index is in it."""
    time.sleep(0.05)
    return os.getpid(), id(zones.index)


def shared_index(_item: int, zones: Zones) -> tuple[int, int]:
    return index_of(zones)


def refuse(n: int) -> int:
    """Refuses odd numbers, in our own words."""
    if n % 2:
        raise InputFileError("odd", f"{n} is odd")
    return n


def refuse_all(_numbers: list[int]) -> int:
    return refuse(7)


def raise_careful(n: int) -> int:
    raise CarefulError("a", f"b{n}")


def no_memory(_n: int) -> int:
    raise MemoryError("no room")


def no_room_once(mark: Path) -> int:
    """Out of memory the first time; how often it was tried."""
    n_tries = int(mark.read_text()) + 1 if mark.exists() else 1
    mark.write_text(str(n_tries))
    return n_tries if n_tries > 1 else no_memory(0)


def unsendable(_n: int) -> object:
    return threading.Lock()


def chatter(n: int) -> int:
    """Prints, as careless libraries do, and from below Python too."""
    print("noise" * 1000)  # noqa: T201
    os.write(1, b"noise")
    sys.stdout.flush()
    return n


def table_of(n: int) -> pa.Table:
    """A table of n rows: many bytes to send back."""
    return pa.table({"n": np.arange(n), "name": pa.array([f"ship {i % 7}" for i in range(min(n, 1000))] * (n // 1000))})


def die_once(mark: Path) -> int:
    """Kill this process with no warning, unless that was done before."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def die(_n: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def kill_process(pid: int) -> int:
    """Kill another process, and take some time."""
    os.kill(pid, signal.SIGKILL)
    time.sleep(5.0)
    return 0


def note_pid_and_work(folder: Path) -> int:
    """Leave the number of this process in the folder, then be busy for a minute."""
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + BUSY_S
    while time.monotonic() < end:
        sum(range(10_000))
    return 0


def busy_unless_first(folder: Path) -> int:
    """Done at once for the folder named 0, busy for the others."""
    return 0 if folder.name == "0" else note_pid_and_work(folder)


def later_first(n: int) -> int:
    """Sleeps the shorter the later the item."""
    time.sleep(0.01 * (20 - n))
    return n
