"""Engines: where the maps of a night run, in this process, in processes beside it or on a cluster.

Takes one function and the items it is for; gives their results in the order of the items, the same to the byte
whatever the engine. What the work is, and that a task may safely be run again, is the caller's business.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeVar

from detectors.batch.cluster import Cluster
from detectors.batch.crew import Crew, can_start_workers
from detectors.batch.outcomes import packed
from vessels.errors import UsageError
from vessels.intake import Progress, available_jobs, no_progress

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")

PROCESS_ROWS: Final = 20_000_000
"""Work of fewer rows is sooner done by threads.

Measured on two cores, facts of 16 buckets: two worker processes take 2.7 s to start (6 s of processor time: their
imports, the zones' index, the land). They then gain 0.15 s a million rows on threads, which wait for each other's
Python a sixth (ships of 20,000 rows) to a third (ships of 2,700 rows) of the time. So the start is won back at about
18 million rows, and no sooner with more cores than at 11 million. docs/scaling.md has the table.
"""


class Engine(Protocol):
    """What runs the maps of a night.

    `work` is a function of a module, or a `functools.partial` of one: what all tasks share (zones, parameters) goes
    into the partial and is sent once a process. Items and results must be picklable, and a task must bear being run
    twice, because a worker may die after its work and before its answer.

    The first error in the order of items is raised, whole and of its own type; what was not begun is dropped.
    `progress` is called from the calling thread. `n_rows` is about how many rows all items hold.
    """

    @property
    def name(self) -> str:
        """As it was asked for: `local` or `dask://HOST:PORT`."""
        ...

    @property
    def jobs(self) -> int:
        """How many tasks may run at once."""
        ...

    def threads(self, n_tasks: int) -> int:
        """How many threads each of so many tasks may use."""
        ...

    def map(
        self,
        work: Callable[[T], R],
        items: Sequence[T],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,
    ) -> list[R]:
        """The result for each item, in order."""
        ...

    def fold(
        self,
        work: Callable[[T], R],
        items: Sequence[T],
        finish: Callable[[list[R]], A],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,
    ) -> A:
        """What `finish` makes of the results, in order; on a cluster they stay there and only the answer comes back."""
        ...


class LocalEngine:
    """This machine: threads for small work, worker processes for what is worth their start (`PROCESS_ROWS`)."""

    name = "local"

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._crew = Crew(jobs)

    def threads(self, n_tasks: int) -> int:
        """How many threads each of so many tasks may use: all of them together as many as there are jobs."""
        return max(1, self.jobs // max(1, n_tasks))

    def map(
        self,
        work: Callable[[T], R],
        items: Sequence[T],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,
    ) -> list[R]:
        """The result for each item, in order."""
        jobs = min(self.jobs, len(items))
        if jobs <= 1:
            return list(_counted(map(work, items), len(items), stage, progress))
        if n_rows < PROCESS_ROWS or not can_start_workers():
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    return list(_counted(pool.map(work, items), len(items), stage, progress))
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        outcomes = self._crew.run(packed(work), items, stage, lambda done: progress(stage, done, len(items)))
        return [outcome.result() for outcome in outcomes]

    def fold(
        self,
        work: Callable[[T], R],
        items: Sequence[T],
        finish: Callable[[list[R]], A],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,
    ) -> A:
        """What `finish` makes of the results, in this process."""
        return finish(self.map(work, items, stage=stage, progress=progress, n_rows=n_rows))

    def close(self) -> None:
        """End the worker processes."""
        self._crew.close()


def _counted(results: Iterator[R], total: int, stage: str, progress: Progress) -> Iterator[R]:
    for done, result in enumerate(results, 1):
        yield result
        progress(stage, done, total)


@contextmanager
def open_engine(text: str = "local", jobs: int | None = None) -> Iterator[Engine]:
    """The engine a text names, closed at the end of the `with` block; `jobs` is for this machine, by default all cores.

    Raises UsageError for a text that names none, EngineError for a cluster that cannot be used.
    """
    engine: Any
    if text == LocalEngine.name:
        engine = LocalEngine(jobs or available_jobs())
    elif text.startswith("dask"):
        engine = Cluster(text)
    else:
        raise UsageError(f"engine {text!r} is not known; there are `local` and `dask://HOST:PORT`")
    try:
        yield engine
    finally:
        engine.close()
