"""Reading aside: one thread that reads tracks while the caller makes ready what needs none of them.

Takes the work and who wants to see its progress; gives a future. Whatever fails in the caller stops the work.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

from vessels.intake import Progress, Tracks


class _Stopped(Exception):  # noqa: N818 - a signal, no error
    """Raised inside the work aside when it is no longer wanted."""


class Aside:
    """One thread beside the caller's; when the caller fails, its work is stopped at the next sign of progress."""

    def __init__(self, progress: Progress) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._stop = Event()
        self._progress = progress
        self._work: Future[Tracks] | None = None

    def __enter__(self) -> "Aside":
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        if fault is not None:
            self._stop.set()
        self._pool.shutdown()
        if fault is not None and self._work is not None and self._work.exception() is None:
            self._work.result().close()

    def run(self, work: Callable[..., Tracks], *arguments: Any, **options: Any) -> "Future[Tracks]":
        """Start the work; it is given a `progress` that says when to stop."""
        self._work = self._pool.submit(work, *arguments, progress=self._report, **options)
        return self._work

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._progress(stage, done, total)
