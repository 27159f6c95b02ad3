"""One nightly job at a time: a lock on each folder that a night writes to, which falls when its holder dies.

Takes folders; gives a context in which no other wakewatch holds them. The lock is the operating system's (`flock`), so
a job that is killed leaves a file behind but no lock. A store that is no local folder is guarded by the lock on the
folder of nights alone: two machines that share such a store need an order of their own.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from vessels.errors import WakewatchError

LOCK_FILE: Final = ".wakewatch.lock"
_LONGEST_HOLDER: Final = 200
"""What a lock file says of its holder is a line; more than this is no lock file of ours."""


class BusyError(WakewatchError):
    """Another job holds the folder; this one leaves and has changed nothing."""


@contextmanager
def only_job(folders: Sequence[Path]) -> Iterator[None]:
    """Hold these folders alone; those that are not there yet are made. Never waits.

    Raises BusyError when another job holds one of them, WakewatchError when one cannot be made, written or locked.
    """
    with ExitStack() as held:
        for folder in sorted({folder.resolve() for folder in folders}):
            held.enter_context(_locked(folder))
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder / LOCK_FILE
    lock = FileLock(path, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"{folder}: another wakewatch{_holder(path)} works here; this one leaves and has changed nothing"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise WakewatchError(
            f"{folder}: cannot be locked ({reason}); the nightly job must be able to make and write files there"
        ) from None
    try:
        with suppress(OSError):  # a full disk: the lock holds all the same, only the next one cannot say who holds it
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """Who wrote the lock file, in brackets; nothing where it cannot be told."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            said = file.read(_LONGEST_HOLDER).strip()
    except OSError:
        return ""
    return f" ({said})" if said.startswith("process ") else ""
