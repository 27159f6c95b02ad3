"""Crew: worker processes on this machine, each led by one thread of this process.

Takes work and items; gives the outcome of each. Workers are fresh interpreters that talk through pipes: nothing is
forked, so threads are safe; the caller's script is not run again in them, so it needs no main guard; and a pipe ends
with the process that holds it, so that workers end with it, even when it is killed.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event, Lock
from typing import Any, BinaryIO, Final, cast

from detectors.batch.outcomes import EngineError, Outcome, failed
from detectors.batch.worker import outcome_of, receive, send, task_frames

_BOOT: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from detectors.batch.worker import main; main(int(sys.argv[2]))"
)
TRIES: Final = 2
"""A task whose worker died is done once more by a fresh one; a second death is no accident."""
_GRACE_S: Final = 5.0
"""A process that has closed its pipe ends within so long; one that has not is killed."""


def can_start_workers() -> bool:
    """Whether this process knows a Python to start workers with; an application with a built-in one may not."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


class _Died(Exception):  # noqa: N818 - a signal to the leading thread, no error
    """The worker ended without an answer."""


class _Worker:
    """One worker process and the pipes to it. Led by one thread at a time; `kill` may be called from any."""

    def __init__(self, arrow_threads: int) -> None:
        path = [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109 - a text, as the entries beside it
        self._process = subprocess.Popen(  # noqa: S603 - this very Python, with words of our own
            [sys.executable, "-P", "-c", _BOOT, json.dumps(path), str(arrow_threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._work = b""

    def wait_until_ready(self) -> None:
        """Wait until it has imported what it needs. Raises EngineError when it ended instead."""
        try:
            self._receive()
        except _Died as error:
            raise EngineError(
                f"a worker process could not start: it {self.buried()}; what it said stands above (--jobs 1 needs none)"
            ) from error

    def do(self, work: bytes, item: Any) -> Outcome:
        """One task. Raises _Died when the process ended before its answer."""
        frames = task_frames(None if self._work is work else work, item)
        try:
            send(_pipe(self._process.stdin), frames)
        except (OSError, ValueError) as error:
            raise _Died from error
        self._work = work
        return outcome_of(self._receive())

    def _receive(self) -> list[bytes]:
        try:
            return receive(_pipe(self._process.stdout))
        except (EOFError, OSError, ValueError) as error:
            raise _Died from error

    def kill(self) -> None:
        """End it without waiting; whoever leads it finds the pipe at its end."""
        self._process.kill()

    def buried(self) -> str:
        """See a dead one off, and say in words how it ended."""
        try:
            status: int | None = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            status = None
        self.close()
        return _ending(status)

    def close(self) -> None:
        """End it, if it still runs, and close the pipes."""
        self._process.kill()
        self._process.wait()
        _pipe(self._process.stdout).close()
        try:
            _pipe(self._process.stdin).close()
        except OSError:  # what was still to be written has nobody left to read it
            return


def _pipe(stream: object) -> BinaryIO:
    """A pipe of a process; it has one of each, for they were asked for."""
    return cast(BinaryIO, stream)


def _ending(status: int | None) -> str:
    if status is None:
        return "no longer answered and was ended"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")


class Crew:
    """Up to `size` worker processes, started when there is work for them and kept until `close`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._arrow_threads = max(1, (os.cpu_count() or 1) // size)
        self._lock = Lock()
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._dismissed = Event()

    def run(self, work: bytes, items: Sequence[Any], stage: str, done: Callable[[int], None]) -> list[Outcome]:
        """The outcomes in the order of items, up to the first error: what was not begun by then is dropped.

        `done` is told from this thread how many are done. Whatever it raises, and Ctrl-C, ends the workers at once.
        """
        self._dismissed.clear()
        with ThreadPoolExecutor(min(self._size, max(len(items), 1)), thread_name_prefix="wakewatch-crew") as pool:
            tasks = [
                pool.submit(self._lead, work, item, f"{stage} {n} of {len(items)}") for n, item in enumerate(items, 1)
            ]
            try:
                for n, task in enumerate(as_completed(tasks), 1):
                    if task.result().error is not None:
                        break
                    done(n)
            except BaseException:
                self._dismissed.set()
                self.kill()
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return [task.result() for task in tasks if not task.cancelled()]

    def kill(self) -> None:
        """End all workers without waiting."""
        with self._lock:
            for worker in self._workers:
                worker.kill()

    def close(self) -> None:
        """End all workers and wait for their end; no task may be running."""
        self.kill()
        with self._lock:
            while self._workers:
                self._workers.pop().close()
            self._idle.clear()

    def _lead(self, work: bytes, item: Any, part: str) -> Outcome:
        """Have some worker do the task; once more by another one if the first dies over it."""
        how = "was not needed any more"
        for _ in range(TRIES):
            if self._dismissed.is_set():
                break
            try:
                worker = self._take()
            except (EngineError, OSError) as error:
                return failed(error)
            try:
                outcome = worker.do(work, item)
            except _Died:
                how = worker.buried()
                self._forget(worker)
            except Exception as error:  # the item or the answer could not be pickled
                self._forget(worker)
                worker.close()
                return failed(error)
            else:
                with self._lock:
                    self._idle.append(worker)
                return outcome
        return failed(
            EngineError(
                f"{part}: the worker process {how}, {TRIES} times in a row; take fewer --jobs, more memory or, in a "
                f"new store, more [store] buckets, so that each part is smaller"
            )
        )

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            worker = _Worker(self._arrow_threads)
            self._workers.add(worker)
        try:
            worker.wait_until_ready()
        except BaseException:
            self._forget(worker)
            raise
        return worker

    def _forget(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
