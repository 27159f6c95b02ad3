"""Nights of the nightly job, one after another: ``python benchmarks/nightly.py [--rows N] [--nights N] [--keep]``.

Makes day files of synthetic traffic (once), hands them to the job one a night, each night a process of its own, on a
store that only grows; the window is full well before the tenth night, so that nights from then on have the same work.
Prints a line a night, what the last night costs against the tenth, what a night costs against `scan` of its new rows
and detection over the window alone, and how memory goes with the number of buckets. ``--keep`` writes the figures into
README.md and results_nightly.json. No figure here is ever a test's pass or fail.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measure import Measured, run_measured
from port_table import HERE
from results import GIB, table, write_into
from run import REPOSITORY, machine, run_scan, scan_command, versions
from traffic import generate

Run = dict[str, Any]

STAGES = {
    "take in": ("recover", "discover", "ingest"),
    "facts": ("facts",),
    "detect": ("settings", "detect"),
    "tell": ("compare", "write", "commit"),
    "upkeep": ("upkeep",),
}
"""Columns of the table, and the job's own stages that each is the sum of."""
TENTH = 10
BUSY = 0.5


class Bench:
    """A store and an input folder under one folder, and nights run on them."""

    def __init__(self, folder: Path, options: argparse.Namespace, buckets: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder, self.tracks, self.store = folder, folder / "tracks", folder / "store"
        self.tracks.mkdir(parents=True)
        self.settings = folder / "wakewatch.toml"
        self.settings.write_text(
            f'[input]\ntracks = ["tracks"]\n[output]\npath = "out"\n[store]\npath = "store"\nbuckets = {buckets}\n'
            f"[detect]\nlookback_days = {options.lookback_days}\nwindow_step_days = {options.window_step_days}\n",
            encoding="utf-8",
        )

    def receive(self, file: Path) -> None:
        """A day file arrives: the same bytes under a second name, copied only across file systems."""
        try:
            os.link(file, self.tracks / file.name)
        except OSError:
            shutil.copyfile(file, self.tracks / file.name)

    def step(self, name: str) -> Run:
        """One step of `nightly_steps.py` as its own process."""
        command = [sys.executable, str(HERE / "nightly_steps.py"), name, str(self.settings)]
        ran = run_measured(command, cwd=REPOSITORY, environment={"PYTHONPATH": str(REPOSITORY)})
        if ran.status:
            raise RuntimeError(f"{name} ended with {ran.status}: {ran.stderr[-1500:].strip()}")
        told = json.loads(ran.stdout)
        return {**told, **ran.figures(), "peak_facts_bytes": peak_of(ran, told["stages"], "facts")}

    def size(self) -> dict[str, int]:
        """Files in the store's folder and their bytes, logs and files not yet deleted among them."""
        files = [path for path in self.store.rglob("*") if path.is_file()]
        return {"store_files": len(files), "store_bytes": sum(path.stat().st_size for path in files)}

    def night(self, file: Path) -> Run:
        """A night with one new file."""
        self.receive(file)
        return {"file": file.name, **self.step("night"), **self.size()}


def peak_of(ran: Measured, stages: dict[str, dict[str, float]], name: str) -> int | None:
    """The highest memory sampled while a stage ran; stages are laid one after another up to the process's end."""
    after = list(stages)[list(stages).index(name) :] if name in stages else []
    end = ran.seconds - sum(stages[stage]["seconds"] for stage in after[1:])
    return ran.peak_between(end - stages[name]["seconds"], end) if after else None


def stage_sum(run: Run, column: str, kind: str) -> float:
    """Seconds of the stages that a column is the sum of."""
    return sum(float(run["stages"][name][kind]) for name in STAGES[column] if name in run["stages"])


def run_nights(bench: Bench, files: list[Path]) -> list[Run]:
    """A night for each file; the figures so far lie in nights.json, should the run be cut short."""
    nights = []
    for number, file in enumerate(files, 1):
        nights.append(bench.night(file))
        (bench.folder / "nights.json").write_text(json.dumps(nights), encoding="utf-8")
        last = nights[-1]
        print(
            f"  night {number}: {last['taken_in']['rows']:,} new rows, {last['n_stored']:,} in the window, "
            f"{last['seconds']:.1f} s, {last['cpu_seconds']:.1f} s of processor, {last['load']:.1f} others",
            flush=True,
        )
    return nights


def run_parts(bench: Bench, file: Path, repeats: int) -> dict[str, list[Run]]:
    """`scan` of a night's new rows alone, detection over the window alone, and the bare imports of either."""
    command = scan_command()
    if command is None:
        raise RuntimeError("no `wakewatch` command is installed here")
    alone = bench.folder / "alone"
    alone.mkdir()
    shutil.copyfile(file, alone / file.name)
    parts: dict[str, list[Run]] = {"scan": [], "detect": [], "start": []}
    for _ in range(repeats):
        parts["scan"].append(run_scan(command, alone, bench.folder / "scan"))
        parts["detect"].append(bench.step("detect"))
        parts["start"].append(bench.step("start"))
    return parts


def run_buckets(folder: Path, files: list[Path], options: argparse.Namespace) -> list[Run]:
    """A whole window taken in and told in one night, by number of buckets, and once more with all of it stored."""
    found = []
    for buckets in options.buckets:
        bench = Bench(folder / f"buckets-{buckets}", options, buckets)
        for file in files[: options.lookback_days + 1]:
            bench.receive(file)
        first, again = bench.step("night"), bench.step("detect")
        print(
            f"  {buckets} buckets: {first['peak_bytes'] / GIB:.2f} GiB, {again['peak_bytes'] / GIB:.2f} GiB", flush=True
        )
        found.append({"buckets": buckets, "first": first, "detect": again})
        shutil.rmtree(bench.folder)
    return found


def around(nights: list[Run], last: int, kind: str) -> float:
    """The median of a night and its two neighbours, or of three nights up to the last."""
    first = min(last - 1, len(nights) - 2)
    return statistics.median(float(run[kind]) for run in nights[first - 1 : first + 2])


def middle(runs: list[Run], kind: str) -> float:
    return statistics.median(float(run[kind]) for run in runs)


def nights_table(nights: list[Run]) -> str:
    """A line a night."""
    rows = []
    for number, run in enumerate(nights, 1):
        rows.append(
            [
                str(number),
                f"{run['taken_in']['rows']:,}",
                f"{run['n_stored']:,}",
                *(
                    f"{stage_sum(run, name, 'cpu_seconds'):.1f} ({stage_sum(run, name, 'seconds'):.1f})"
                    for name in STAGES
                ),
                f"{run['cpu_seconds']:.1f} ({run['seconds']:.1f})",
                f"{run['peak_bytes'] / GIB:.2f}",
                f"{run['store_bytes'] / 1e6:.1f}",
                str(run["store_files"]),
            ]
        )
    return table(["night", "new rows", "window rows", *STAGES, "whole", "peak GiB", "store MB", "files"], rows)


def growth_table(nights: list[Run]) -> str:
    """The last night against the tenth."""
    rows = []
    for kind, name in (("cpu_seconds", "processor s"), ("seconds", "seconds")):
        tenth, last = nights[TENTH - 1][kind], nights[-1][kind]
        near, end = around(nights, TENTH, kind), around(nights, len(nights), kind)
        cells = [f"{tenth:.1f}", f"{last:.1f}", f"{last / tenth:.2f}", f"{near:.1f}", f"{end:.1f}", f"{end / near:.2f}"]
        rows.append([name, *cells])
    head = ["", "night 10", f"night {len(nights)}", "times", "nights 9 to 11", "last three", "times"]
    return table(head, rows)


def parts_table(nights: list[Run], parts: dict[str, list[Run]]) -> str:
    """A night against `scan` of the new rows and detection over the window, both as whole processes and less starts."""
    rows = []
    for kind, name in (("cpu_seconds", "processor s"), ("seconds", "seconds")):
        night, scan = around(nights, len(nights), kind), middle(parts["scan"], kind)
        detect, start = middle(parts["detect"], kind), middle(parts["start"], kind)
        ratio, net = night / (scan + detect), (night - start) / (scan + detect - 2 * start)
        rows.append([name, *(f"{value:.1f}" for value in (night, scan, detect, start)), f"{ratio:.2f}", f"{net:.2f}"])
    return table(["", "night", "scan of new rows", "detection alone", "start", "times", "times, less starts"], rows)


def buckets_table(runs: list[Run]) -> str:
    """Memory by number of buckets."""
    rows = []
    for run in runs:
        first, again = run["first"], run["detect"]
        cells = [f"{first['taken_in']['rows']:,}", f"{first['n_stored']:,}"]
        peaks = [first["peak_bytes"], again["peak_bytes"], again["peak_facts_bytes"] or 0]
        rows.append([str(run["buckets"]), *cells, *(f"{peak / GIB:.2f}" for peak in peaks)])
    head = ["buckets", "new rows", "window rows", "whole night GiB", "detection alone GiB", "facts alone GiB"]
    return table(head, rows)


def to_markdown(results: dict[str, Any]) -> str:
    """All tables, with what a reader must know to judge them."""
    nights, given = results["nights"], results["options"]
    load = middle(nights, "load")
    parts = [
        f"Machine: {results['machine']}. Versions: {results['versions']}. Measured {results['measured_on']}.",
        (
            f"Window of {given['lookback_days']} days moved by {given['window_step_days']}, {given['store_buckets']} "
            "buckets. Cells are processor seconds, and seconds in brackets."
        ),
    ]
    if load > BUSY:
        parts.append(
            f"The machine was busy with other work (in the middle night {load:.1f} other processes wanted a "
            "processor): judge by processor seconds, not by seconds."
        )
    parts += [nights_table(nights)]
    if len(nights) > TENTH:
        parts += ["The last night against the tenth:", growth_table(nights)]
    parts += ["A night (median of the last three) against its parts, run alone:", parts_table(nights, results["parts"])]
    if results["buckets"]:
        parts += ["A whole window in one night, by number of buckets:", buckets_table(results["buckets"])]
    return "\n\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="new rows a night, up to 20 M and beyond")
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--lookback-days", type=int, default=7)
    parser.add_argument("--window-step-days", type=int, default=1)
    parser.add_argument("--store-buckets", type=int, default=16)
    parser.add_argument("--buckets", type=int, nargs="*", default=[4, 16, 64], help="for the table of memory")
    parser.add_argument("--repeats", type=int, default=3, help="of scan and of detection alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "wakewatch-benchmarks")
    parser.add_argument("--keep", action="store_true", help="write results_nightly.json and README.md")
    options = parser.parse_args()
    if options.data.resolve().is_relative_to(REPOSITORY):
        parser.error(f"--data {options.data} lies in the repository; traffic belongs outside it")
    if options.nights < 3:
        parser.error("--nights: three at least")
    traffic = options.data / f"nights-{options.rows}x{options.nights}"
    traffic.parent.mkdir(parents=True, exist_ok=True)
    made = generate(options.rows * options.nights, traffic, options.seed, options.nights)
    files = sorted(traffic.glob("ais-*.parquet"))
    print(f"{made:,} rows in {len(files)} files in {traffic}", flush=True)
    bench = Bench(options.data / "nightly", options, options.store_buckets)
    nights = run_nights(bench, files)
    results = {
        "measured_on": datetime.now(tz=UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "options": {name: value for name, value in vars(options).items() if name not in ("data", "keep")},
        "nights": nights,
        "parts": run_parts(bench, files[-1], options.repeats),
        "buckets": run_buckets(options.data, files, options),
    }
    block = to_markdown(results)
    print(f"\n{block}")
    if options.keep:
        (HERE / "results_nightly.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        write_into(HERE / "README.md", block, "nightly")
    return 0


if __name__ == "__main__":
    sys.exit(main())
