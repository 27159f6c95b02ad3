"""Runs a command as its own process and says how long it took and how much memory it and its children held."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.02
PROC = Path("/proc")


@dataclass(frozen=True)
class Measured:
    """One run: exit status, what it printed, seconds from start to end, memory over time and at its highest.

    ``cpu_seconds`` is what the processors worked for it, its children included; ``load`` how many other processes
    wanted a processor when it began. Both tell a slow program from a busy machine.
    """

    status: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    load: float
    peak_bytes: int
    samples: tuple[tuple[float, int], ...]  # (second, bytes held by the process and its children)

    def figures(self) -> dict[str, float]:
        """What every run is told by."""
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "load": round(self.load, 2),
            "peak_bytes": self.peak_bytes,
        }

    def peak_between(self, start_s: float, end_s: float) -> int | None:
        """The highest sample of a span, None when it was too short to be sampled."""
        inside = [held for second, held in self.samples if start_s <= second < end_s]
        return max(inside) if inside else None


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for children in (PROC / str(pid) / "task").glob("*/children"):
            try:
                waiting.extend(int(child) for child in children.read_text(encoding="ascii").split())
            except OSError:  # it ended meanwhile
                continue
    return found


def held_bytes(pids: list[int]) -> int:
    """Resident memory of some processes, shared pages counted for each."""
    total = 0
    for pid in pids:
        try:
            pages = (PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):  # it ended meanwhile
            continue
        total += int(pages) * os.sysconf("SC_PAGE_SIZE")
    return total


def waiting_processes(looks: int = 20) -> float:
    """How many processes run or wait to run besides this one, over a fifth of a second."""
    total = 0
    for _ in range(looks):
        total += int((PROC / "loadavg").read_text(encoding="ascii").split()[3].split("/")[0]) - 1
        time.sleep(0.01)
    return total / looks


def run_measured(command: list[str], cwd: Path | None = None, environment: dict[str, str] | None = None) -> Measured:
    """Run a command to its end, with some variables set beside the caller's.

    Peak memory: the kernel's own figure for the process, or the sum over its tree.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        load = waiting_processes()
        started = time.perf_counter()
        around = {**os.environ, **(environment or {})}
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=cwd, env=around)
        samples: list[tuple[float, int]] = []
        while True:
            pid, wait_status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            held = held_bytes(tree(child.pid))
            if held:  # nothing is held by a process that is on its way out
                samples.append((time.perf_counter() - started, held))
            time.sleep(SAMPLE_S)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(wait_status)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", errors="replace"))
    cpu = usage.ru_utime + usage.ru_stime
    peak = max(usage.ru_maxrss * 1024, max((held for _, held in samples), default=0))
    return Measured(child.returncode, texts[0], texts[1], seconds, cpu, load, peak, tuple(samples))
