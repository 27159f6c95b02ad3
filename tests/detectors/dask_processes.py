"""A Dask scheduler and workers as processes of their own, for tests that kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.detectors.blocks import ROOT


class DaskProcesses:
    """A scheduler on a free port of this machine, and workers of one thread each."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._dask(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"), environment=environment
        )
        end = time.monotonic() + 60.0
        while not self._file.exists() or not self._file.read_text(encoding="utf-8").endswith("}"):
            assert self.scheduler.poll() is None, "the scheduler did not start"
            assert time.monotonic() < end, "the scheduler does not say where it is"
            time.sleep(0.05)
        address = json.loads(self._file.read_text(encoding="utf-8"))["address"]
        self.engine = address.replace("tcp://", "dask://")

    def add_worker(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """One more worker, without a nanny: nobody starts it again."""
        worker = self._dask(
            *("worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"),
            *("--memory-limit", "0", "--local-directory", str(self._folder)),
            environment=environment,
        )
        self.workers.append(worker)
        return worker

    def _dask(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        log = self._folder / f"{words[0]}-{len(self.workers)}.log"
        with log.open("wb") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", words[0], "--scheduler-file", str(self._file), *words[1:]],
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            )

    def end(self) -> None:
        """End all of them at once."""
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def dask_processes(
    folder: Path, n_workers: int, environment: Mapping[str, str] | None = None
) -> Iterator[DaskProcesses]:
    """A cluster that ends with the block; `environment` is for its scheduler."""
    cluster = DaskProcesses(folder, environment)
    try:
        for _ in range(n_workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.end()
