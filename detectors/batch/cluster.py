"""Cluster: the maps of a night as tasks of a Dask scheduler, on machines that share the store and the inputs.

Takes work and items; gives their results in order, as `detectors.batch.engines` promises. The scheduler gives a dead
worker's tasks to another one. Needs the extra `wakewatch[cluster]`, and the same wakewatch and libraries everywhere.
"""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from detectors.batch.outcomes import EngineError, Outcome, attempt, failed, packed
from vessels.errors import UsageError
from vessels.intake import Progress, no_progress

if TYPE_CHECKING:
    from distributed import Client, Future

RETRIES: Final = 2
"""Times a task is run again when a machine failed it (a full disk, no memory): another one may do better."""
CONNECT_S: Final = 30.0
"""So long a scheduler may take to answer, and a worker to come: Dask's own default for connections."""
WORKERLESS_S: Final = 300.0
"""A cluster without any worker for so long is given up; one that restarts its workers has them back by then."""
_LOOK_S: Final = 5.0
_FETCH_S: Final = 300.0
"""So long the result of one task may take on its way before it is asked for again."""
_ALIKE: Final = ("wakewatch", "deltalake", "numpy", "pandas", "pyarrow", "rapidfuzz", "scipy", "shapely")
"""Packages that must be the same everywhere for results to be the same to the byte."""


def scheduler_address(text: str) -> str:
    """The scheduler's address in Dask's words. Raises UsageError for what is no `dask://HOST:PORT`.

    >>> scheduler_address("dask://10.0.0.5:8786")
    'tcp://10.0.0.5:8786'
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = parts = None
    if parts is None or parts.scheme != "dask" or not host or not port or parts.path or parts.query or parts.username:
        raise UsageError(f"engine {text!r} must be dask://HOST:PORT, the address of a Dask scheduler")
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port}"


def make() -> dict[str, str]:
    """Versions of what results depend on, where this is called."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), **{name: _version(name) for name in _ALIKE}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {there.get(name)} for {v}" for name, v in here.items() if there.get(name) != v)


class _MachineFailed(Exception):  # noqa: N818 - a signal to the scheduler
    """A task failed for want of something its machine lacks; the scheduler may try it on another."""


def task(work: bytes, expected: Mapping[str, str], item: Any) -> Outcome:
    """One task on a worker: refuses to work where another wakewatch, or other libraries, would give other results."""
    difference = _differences(expected, make())
    if difference:
        return failed(EngineError(f"a worker of the cluster has {difference}; install the same everywhere"))
    outcome = attempt(work, item)
    if isinstance(outcome.error, OSError | MemoryError):
        raise _MachineFailed(f"{type(outcome.error).__name__}: {outcome.error}") from outcome.error
    return outcome


def fault_of(outcome: Outcome) -> Outcome | None:
    """The outcome if it is an error: looked up where it lies."""
    return None if outcome.error is None else outcome


def finished(work: bytes, expected: Mapping[str, str], outcomes: Sequence[Outcome]) -> Outcome:
    """The last task: what the finishing work makes of all results."""
    return task(work, expected, [outcome.result() for outcome in outcomes])


class Cluster:
    """A Dask cluster, by its scheduler's address.

    Raises UsageError when Dask is not installed, EngineError when the scheduler or its workers are not there, differ
    from this process in what results depend on, or are lost.
    """

    def __init__(self, text: str) -> None:
        self.name = text
        self._client = _connected(scheduler_address(text), text)
        try:
            self._make = make()
            self._check_workers()
        except BaseException:
            self.close()
            raise

    @property
    def jobs(self) -> int:
        """Threads of all workers."""
        return max(1, sum(self._threads().values()))

    def threads(self, n_tasks: int) -> int:  # noqa: ARG002 - a worker does as many tasks at once as it has threads
        """How many threads each of so many tasks may use: one."""
        return 1

    def map(
        self,
        work: Callable[[Any], Any],
        items: Sequence[Any],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,  # noqa: ARG002 - a cluster takes small work too: its workers run anyway
    ) -> list[Any]:
        """The result for each item, in order."""
        with self._submitted(packed(work), items) as futures:
            return [outcome.result() for outcome in self._collected(futures, stage, progress)]

    def fold(
        self,
        work: Callable[[Any], Any],
        items: Sequence[Any],
        finish: Callable[[list[Any]], Any],
        *,
        stage: str,
        progress: Progress = no_progress,
        n_rows: int = 0,  # noqa: ARG002 - as above
    ) -> Any:
        """What `finish` makes of the results on one of the workers; only its answer comes back."""
        with self._submitted(packed(work), items) as futures:
            faults = self._client.map(fault_of, futures, pure=False)
            for fault in self._collected(faults, stage, progress):
                if fault is not None:
                    fault.result()
            last = self._client.submit(finished, packed(finish), self._make, futures, pure=False, retries=RETRIES)
            (outcome,) = self._collected([last], stage, no_progress)
            return outcome.result()

    def close(self) -> None:
        """Leave the cluster; what was not done is dropped."""
        self._client.close()

    @contextmanager
    def _submitted(self, work: bytes, items: Sequence[Any]) -> "Iterator[list[Future[Any]]]":
        # The work is a task's result, not data sent ahead: when the worker that holds it dies, it is made again.
        shared = self._client.submit(bytes, work, pure=False)
        futures = self._client.map(
            task, [shared] * len(items), [self._make] * len(items), list(items), pure=False, retries=RETRIES
        )
        try:
            yield futures
        except BaseException:
            with suppress(Exception):  # the scheduler may be gone, and with it what there was to drop
                self._client.cancel([*futures, shared])
            raise

    def _collected(self, futures: "Sequence[Future[Any]]", stage: str, progress: Progress) -> list[Any]:
        """The values of futures in order, up to the first error. Gives up when nobody is left to work."""
        ended: SimpleQueue[Future[Any]] = SimpleQueue()
        for future in futures:
            future.add_done_callback(ended.put)
        values: dict[Any, Any] = {}
        last_seen = monotonic()
        while len(values) < len(futures):
            try:
                future = ended.get(timeout=_LOOK_S)
            except Empty:
                last_seen = self._look(last_seen)
                continue
            last_seen = monotonic()
            values[future.key] = value = self._value(future, stage)
            if isinstance(value, Outcome) and value.error is not None:
                break
            progress(stage, len(values), len(futures))
        return [values[future.key] for future in futures if future.key in values]

    def _value(self, future: "Future[Any]", stage: str) -> Any:
        """What one future holds; asks again when the worker that held it died, so that it is made once more."""
        while True:
            try:
                return future.result(timeout=_FETCH_S)
            except TimeoutError:
                self._look(monotonic())
            except CancelledError as error:
                raise EngineError(
                    f"{stage}: {self.name} was lost while it worked; the night may be run again"
                ) from error
            except _MachineFailed as error:
                raise EngineError(f"{stage}: workers of {self.name} failed {RETRIES + 1} times ({error})") from error
            except Exception as error:
                raise EngineError(
                    f"{stage}: {self.name} could not do its part ({type(error).__name__}: {error}); see their logs"
                ) from error

    def _look(self, last_seen: float) -> float:
        """When a worker was last there: now, or as given. Raises EngineError when that is too long ago."""
        now = monotonic()
        if any(self._threads().values()):
            return now
        if now - last_seen > WORKERLESS_S:
            raise EngineError(f"{self.name} has had no worker for {WORKERLESS_S:.0f} s; start workers and run again")
        return last_seen

    def _threads(self) -> Mapping[str, int]:
        try:
            threads: Mapping[str, int] = self._client.nthreads()
        except Exception:  # the scheduler is away: the futures will say so
            return {}
        return threads

    def _check_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError:
            raise EngineError(
                f"{self.name} has no workers; start some on machines that see the store and the inputs: "
                f"dask worker {scheduler_address(self.name)} --nthreads 1"
            ) from None
        try:
            makes: Mapping[str, Mapping[str, str]] = self._client.run(make)
        except Exception as error:
            raise EngineError(
                f"{self.name}: a worker could not load wakewatch ({type(error).__name__}: {error}); install the same "
                f"wakewatch[cluster] on the scheduler and all workers"
            ) from error
        for worker, there in sorted(makes.items()):
            difference = _differences(self._make, there)
            if difference:
                raise EngineError(f"worker {worker} of {self.name} has {difference}; install the same everywhere")


def _connected(address: str, text: str) -> "Client":
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise UsageError(f"engine {text} needs Dask: pip install 'wakewatch[cluster]' ({error})") from error
    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False, name="wakewatch")
    except OSError as error:
        raise EngineError(f"{text}: no Dask scheduler answers there ({error})") from error
