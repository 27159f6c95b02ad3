"""The tables of a benchmark run in Markdown, and their place in README.md between two markers."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

GIB = 1 << 30
BUSY = 0.5  # other processes at the start of a run, from which a reader should be told


def middle(runs: list[dict[str, Any]], name: str) -> float:
    """The median of one figure over runs."""
    return float(statistics.median(run[name] for run in runs))


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: first column left, figures right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    if any(len(cells) != len(head) for cells in rows):
        raise ValueError(f"a row of this table has not the {len(head)} cells of its head: {head}")
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *rows])


def rate(rows: float, seconds: float) -> str:
    """Rows a second, as read aloud."""
    each = rows / seconds
    return f"{each / 1e6:.2f} M" if each >= 1e6 else f"{each:,.0f}"


def millions(rows: int) -> str:
    return f"{rows / 1e6:.1f} M" if rows >= 1_000_000 else f"{rows:,}"


def busiest(results: dict[str, Any]) -> float:
    """How many other processes wanted a processor when the most disturbed run began."""
    runs = [run for size in results["sizes"] for run in size["core"] + size["scan"]]
    runs += [run for peer in results["peers"] for run in peer["runs"]]
    return max((float(run["load"]) for run in runs), default=0.0)


def spread(runs: list[dict[str, Any]]) -> str:
    """Fastest to slowest run: how noisy the machine was."""
    seconds = sorted(run["seconds"] for run in runs)
    return f"{seconds[0]:.1f} to {seconds[-1]:.1f}"


def whole_table(sizes: list[dict[str, Any]]) -> str:
    """Scan and bare core, end to end, by number of rows."""
    rows = []
    for size in sizes:
        core = size["core"]
        for name, runs in (("bare core", core), ("`wakewatch scan`", size["scan"])):
            if not runs:
                rows.append([millions(size["rows"]), name, "not run", *[""] * 5])
                continue
            seconds = middle(runs, "seconds")
            ratio = f"{seconds / middle(core, 'seconds'):.2f}" if core else ""
            peak = f"{middle(runs, 'peak_bytes') / GIB:.2f}"
            cpu = f"{middle(runs, 'cpu_seconds'):.1f}"
            figures = [f"{seconds:.1f}", spread(runs), cpu, rate(size["rows"], seconds), peak, ratio]
            rows.append([millions(size["rows"]), name, *figures])
    head = ["rows", "what", "seconds", "fastest to slowest", "processor s", "rows/s", "peak GiB", "times the core"]
    return table(head, rows)


def stage_table(size: dict[str, Any]) -> str:
    """One scan by stage: the run of median length."""
    runs = sorted(size["scan"], key=lambda run: float(run["seconds"]))
    run = runs[len(runs) // 2]
    rows = []
    for name, stage in run["stages"].items():
        peak = f"{stage['peak_bytes'] / GIB:.2f}" if stage["peak_bytes"] is not None else ""
        seconds = stage["seconds"]
        each = rate(size["rows"], seconds) if seconds >= 0.001 else ""
        rows.append([name, f"{seconds:.2f}", f"{100 * seconds / run['seconds']:.0f} %", each, peak])
    return table(["stage", "seconds", "share", "rows/s", "peak GiB"], rows)


def core_table(size: dict[str, Any]) -> str:
    """The bare core by step."""
    steps = list(size["core"][0]["stages"])
    rows = []
    for step in steps:
        seconds = float(statistics.median(run["stages"][step] for run in size["core"]))
        rows.append([step, f"{seconds:.2f}", rate(size["rows"], seconds) if seconds >= 0.001 else ""])
    return table(["step", "seconds", "rows/s"], rows)


def peer_table(results: dict[str, Any]) -> str:
    """The peers, and how many times faster a row is with scan, in the same run."""
    scans = [size for size in results["sizes"] if size["scan"]]
    largest = max(scans, key=lambda size: int(size["rows"])) if scans else None
    rows = []
    for peer in results["peers"]:
        runs = peer["runs"]
        n, seconds = runs[0]["rows"], middle(runs, "seconds")
        found = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in runs[0]["found"].items())
        faster = ""
        if largest is not None:
            scan_rate = largest["rows"] / middle(largest["scan"], "seconds")
            faster = f"{scan_rate / (n / seconds):,.0f}"
        ours = str(peer["scan_port_visits"]) if peer["scan_port_visits"] is not None else ""
        cells = [f"{peer['name']} {runs[0]['version']}", peer["job"], millions(n), f"{seconds:.1f}"]
        cells += [f"{middle(runs, 'cpu_seconds'):.1f}", rate(n, seconds)]
        rows.append([*cells, f"{middle(runs, 'peak_bytes') / n:,.0f}", found, ours, faster])
    head = ["peer", "job", "rows", "seconds", "processor s", "rows/s", "bytes a row", "it found"]
    head += ["scan's visits", "scan faster by"]
    return table(head, rows)


def to_markdown(results: dict[str, Any]) -> str:
    """Everything a run measured, as one block."""
    parts = [f"Machine: {results['machine']}. Versions: {results['versions']}. Measured {results['measured_on']}."]
    if busiest(results) >= BUSY:
        parts.append(
            f"The machine was busy with other work (up to {busiest(results):.0f} other processes): seconds and rows/s "
            "are worse than it can do; processor seconds and ratios tell more."
        )
    parts += ["### Whole processes", whole_table(results["sizes"])]
    for size in results["sizes"]:
        if size["scan"]:
            parts += [f"### `scan` by stage, {millions(size['rows'])} rows", stage_table(size)]
    cores = [size for size in results["sizes"] if size["core"]]
    if cores:
        largest = max(cores, key=lambda size: int(size["rows"]))
        parts += [f"### Bare core by step, {millions(largest['rows'])} rows", core_table(largest)]
    if results["peers"]:
        parts += ["### Peers", peer_table(results)]
    if results["scan_absent"]:
        parts.append(f"`wakewatch scan` was not measured: {results['scan_absent']}.")
    return "\n\n".join(parts)


def write_into(readme: Path, block: str, what: str = "results") -> None:
    """Put the block between README's markers, and nowhere else."""
    begin, end = (f"<!-- {what}: {edge} -->" for edge in ("begin", "end"))
    text = readme.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{readme}: needs one line {begin} and one line {end}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}", encoding="utf-8")
