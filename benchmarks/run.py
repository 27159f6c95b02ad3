"""All benchmarks in one run: ``python benchmarks/run.py [--rows N ...] [--large] [--peers]``.

Makes the traffic (once), runs the bare core and ``wakewatch scan`` as whole processes in turn, and with ``--peers`` the
other libraries; prints the figures and their ratios. ``--keep`` writes them to results.json and into README.md too.
A figure here is never a test's pass or fail: machines are noisy, only ratios within one run say much.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from measure import Measured, run_measured
from peers import PEERS, folder_name, run_peer
from port_table import HERE
from results import to_markdown, write_into
from traffic import generate

REPOSITORY = HERE.parent
STAGE_ORDER = ("settings", "read", "facts", "detect", "tables", "write", "report")  # run.json names them, sorted
LARGE_ROWS = 100_000_000
SHOWN_PACKAGES = ("wakewatch", "numpy", "pyarrow", "pandas", "shapely", "scikit-learn")


class ScanFailedError(Exception):
    """`wakewatch scan` ended with anything but 0."""


def scan_command() -> list[str] | None:
    """How `wakewatch` is started here: the command beside this Python, or the module; None when there is neither."""
    beside = Path(sys.executable).with_name("wakewatch")
    if beside.is_file():
        return [str(beside)]
    if find_spec("detectors") is not None or (REPOSITORY / "detectors" / "cli" / "__main__.py").is_file():
        return [sys.executable, "-m", "detectors.cli"]
    found = shutil.which("wakewatch")
    return [found] if found else None


def scan_stages(ran: Measured, stages: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Seconds and highest sampled memory by stage, in the order of the work, laid one after another to the end.

    What no stage accounts for stands first: most of it is the start of Python and its imports.
    """
    ordered = sorted(stages, key=lambda name: STAGE_ORDER.index(name) if name in STAGE_ORDER else len(STAGE_ORDER))
    start = max(0.0, ran.seconds - sum(stages.values()))
    laid = {"start-up, rest": {"seconds": round(start, 3), "peak_bytes": ran.peak_between(0.0, start)}}
    for name in ordered:
        seconds = float(stages[name])
        laid[name] = {"seconds": round(seconds, 3), "peak_bytes": ran.peak_between(start, start + seconds)}
        start += seconds
    return laid


def run_scan(command: list[str], folder: Path, out: Path) -> dict[str, Any]:
    """One `wakewatch scan` of a folder as its own process."""
    shutil.rmtree(out, ignore_errors=True)
    ran = run_measured([*command, "scan", str(folder), "--out", str(out)], cwd=REPOSITORY)
    if ran.status:
        raise ScanFailedError(f"`wakewatch scan` ended with {ran.status}: {(ran.stderr or ran.stdout)[-1500:].strip()}")
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    counts = {path.stem: pq.read_metadata(path).num_rows for path in sorted(out.glob("*.parquet"))}
    stages = scan_stages(ran, record.get("stages", {}))
    return {**ran.figures(), "stages": stages, "found": counts}


def run_core(folder: Path) -> dict[str, Any]:
    """One run of the bare core as its own process."""
    ran = run_measured([sys.executable, str(HERE / "bare_core.py"), str(folder)])
    if ran.status:
        raise RuntimeError(f"the bare core ended with {ran.status}: {ran.stderr[-1500:]}")
    about = json.loads(ran.stdout)
    return {**about, "core_seconds": about["seconds"], **ran.figures()}


def told(run: dict[str, Any]) -> str:
    """A run in a line."""
    return f"{run['seconds']:.1f} s, {run['cpu_seconds']:.1f} s of processor, {run['load']:.1f} others at the start"


def run_size(rows: int, data: Path, repeats: int, seed: int, scan: list[str] | None) -> dict[str, Any]:
    """Core and scan on one number of rows, in turn, so that a noisy minute meets both."""
    folder = data / folder_name(rows)
    made = generate(rows, folder, seed)
    print(f"{made:,} rows in {folder}", flush=True)
    core: list[dict[str, Any]] = []
    scans: list[dict[str, Any]] = []
    for number in range(repeats):
        core.append(run_core(folder))
        print(f"  core {number + 1}: {told(core[-1])}", flush=True)
        if scan is not None:
            scans.append(run_scan(scan, folder, data / "out" / folder.name))
            print(f"  scan {number + 1}: {told(scans[-1])}", flush=True)
    return {"rows_asked": rows, "rows": made, "core": core, "scan": scans}


def run_peers(data: Path, repeats: int, seed: int, scan: list[str] | None) -> list[dict[str, Any]]:
    """The peers' runs, each with what scan finds in the same rows."""
    results = []
    for peer in PEERS:
        print(f"{peer.name}: {peer.job}, {peer.rows:,} rows", flush=True)
        runs = run_peer(peer, data, repeats, seed)
        visits = None
        if scan is not None:
            ours = run_scan(scan, data / folder_name(peer.rows), data / "out" / peer.name)
            visits = ours["found"].get("port_visits")
        results.append({"name": peer.name, "job": peer.job, "runs": runs, "scan_port_visits": visits})
    return results


def machine() -> str:
    """Processor, cores, memory and system, in a line."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        model = platform.processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{model or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    """Python and the packages that matter, in a line."""
    found = [f"Python {platform.python_version()}"]
    for name in SHOWN_PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000, 20_000_000])
    parser.add_argument("--large", action="store_true", help="100 M rows too, once: 3 GB of files and several minutes")
    parser.add_argument("--peers", action="store_true", help="MovingPandas and neptune-ais too: several minutes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-repeats", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "wakewatch-benchmarks")
    parser.add_argument("--no-scan", action="store_true", help="the bare core and the peers only")
    parser.add_argument("--keep", action="store_true", help="write results.json and README.md")
    options = parser.parse_args()
    if options.data.resolve().is_relative_to(REPOSITORY):
        parser.error(f"--data {options.data} lies in the repository; traffic belongs outside it")
    options.data.mkdir(parents=True, exist_ok=True)

    scan = None if options.no_scan else scan_command()
    absent = "" if scan else ("left out" if options.no_scan else "no `wakewatch` command is installed here")
    plan = [(rows, options.repeats) for rows in options.rows] + ([(LARGE_ROWS, 1)] if options.large else [])
    sizes = []
    peers: list[dict[str, Any]] = []
    for rows, repeats in plan:
        try:
            sizes.append(run_size(rows, options.data, repeats, options.seed, scan))
        except ScanFailedError as problem:
            print(problem, file=sys.stderr)
            scan, absent = None, "it failed"
            sizes.append(run_size(rows, options.data, repeats, options.seed, None))
    if options.peers:
        peers = run_peers(options.data, options.peer_repeats, options.seed, scan)
    results = {
        "measured_on": datetime.now(tz=UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "scan_absent": absent,
        "sizes": sizes,
        "peers": peers,
    }
    block = to_markdown(results)
    print(f"\n{block}")
    if options.keep:
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        write_into(HERE / "README.md", block)
    return 1 if absent and not options.no_scan else 0


if __name__ == "__main__":
    sys.exit(main())
