"""The report page of 500 flagged voyages: ``python benchmarks/report.py RUN [--voyages N] [--keep]``.

RUN is the folder of a finished scan (that of the fixtures, in the README). Its flagged voyages are taken in order of
rank, again from the first when they are used up; each copy has ids, MMSI and a name of its own and all the rows of its
original (tracks, findings, calls, claims, silences; links between hulls stay with the originals), so that a page of N
holds N different cases of real weight. Measured: the page's making, as a process of its own, against writing the same
tables; its size; and, where there is Chromium and the package playwright, opening it from a disk until it can be used,
opening a case, sorting and picking. ``--keep`` writes the table into README.md. No figure is a test's pass or fail.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from measure import run_measured
from port_table import HERE
from results import table, write_into

try:
    from playwright.sync_api import sync_playwright
except ImportError:  # the page is then made and weighed, not opened
    sync_playwright = None

from detectors.batch.outputs import write_result
from detectors.report.page import report_page
from detectors.run_folder import LoadedRun, load_run

VOYAGES = 500
OPENINGS = 5
KEYS = ("voyage_id", "hull_id", "segment_id", "finding_id", "visit_id", "event_id")
BY_VOYAGE = ("findings", "tracks")
BY_HULL = ("voyages", "port_visits", "identities", "gaps")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
LIMITS = {"size": "15 MB", "made": "20 s", "opened": "3 s"}
MB = 1e6


def multiplied(run: LoadedRun, n: int) -> LoadedRun:
    """The run with n flagged voyages: its own by rank, then copies under other names."""
    told = run.tables["flagged_voyages"].sort_by("rank")
    tables = dict(run.tables)
    parts: dict[str, list[pa.Table]] = {name: [] for name in ("flagged_voyages", *BY_VOYAGE, *BY_HULL)}
    for turn in range(-(-n // told.num_rows)):
        flagged = told.slice(0, min(told.num_rows, n - turn * told.num_rows))
        parts["flagged_voyages"].append(renamed(flagged, turn))
        for key, names in (("voyage_id", BY_VOYAGE), ("hull_id", BY_HULL)):
            for name in names:
                rows = tables[name]
                kept = rows if turn == 0 else rows.filter(pc.is_in(rows[key], value_set=flagged[key].combine_chunks()))
                parts[name].append(renamed(kept, turn))
    tables |= {name: pa.concat_tables(some) for name, some in parts.items()}
    ranks = pa.array(np.arange(1, n + 1), tables["flagged_voyages"].schema.field("rank").type)
    place = tables["flagged_voyages"].schema.get_field_index("rank")
    tables["flagged_voyages"] = tables["flagged_voyages"].set_column(place, "rank", ranks)
    counts = {"n_flagged": n, "n_findings": tables["findings"].num_rows, "n_voyages": tables["voyages"].num_rows}
    return replace(run, tables=tables, run={**run.run, **counts})


def renamed(rows: pa.Table, turn: int) -> pa.Table:
    """Rows under other ids, MMSI and names: those of the first turn are left as they are."""
    if turn == 0:
        return rows
    for name in rows.column_names:
        if name in KEYS:
            changed = pc.binary_join_element_wise(rows[name].cast(pa.string()), str(turn), "-")
        elif name == "mmsi":
            changed = pc.add(rows[name], turn)
        elif name == "name":
            changed = pc.binary_join_element_wise(rows[name], f"{turn + 1}", " ")
        else:
            continue
        field = rows.schema.get_field_index(name)
        rows = rows.set_column(field, name, changed.cast(rows.schema.field(field).type))
    return rows


class Tables:
    """A run's tables and record, as they are written."""

    def __init__(self, run: LoadedRun) -> None:
        self.tables = run.tables
        self.run = run.run


def make(folder: Path) -> dict[str, Any]:
    """The page of a run's folder, written beside it; seconds of each step."""
    began = time.perf_counter()
    run = load_run(folder)
    loaded = time.perf_counter()
    page = report_page(run)
    made = time.perf_counter()
    if page.failures:
        raise SystemExit(f"not all could be drawn: {page.failures[:3]}")
    (folder / "report.html").write_text(page.html, encoding="utf-8")
    written = time.perf_counter()
    with tempfile.TemporaryDirectory() as elsewhere:
        write_result(Tables(run), Path(elsewhere) / "tables")
    tables = time.perf_counter()
    return {
        "load_s": loaded - began,
        "make_s": made - loaded,
        "write_s": written - made,
        "tables_s": tables - written,
        "bytes": (folder / "report.html").stat().st_size,
        "tables_bytes": sum(path.stat().st_size for path in folder.glob("*.parquet")),
    }


def looked_at(page_file: Path) -> dict[str, float]:
    """Seconds in the browser, the median of some openings: until usable, to sort, pick, open a case, zoom its map."""
    runs: list[dict[str, float]] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for _ in range(OPENINGS):
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            steps = {}
            began = time.perf_counter()
            page.goto(page_file.as_uri())
            page.evaluate(DRAWN)
            steps["opened_s"] = time.perf_counter() - began
            drawn = page.eval_on_selector_all(".case:has(figure.map)", "cases => cases.map(c => c.id)")
            last, steps["drawn"] = drawn[-1], float(len(drawn))
            steps["heap_mb"] = page.evaluate("performance.memory.usedJSHeapSize") / MB
            for name, act in (
                ("sorted_s", "document.querySelector('th[data-sort=ship] button').click()"),
                ("picked_s", PICK),
                ("case_s", f"location.hash = '{last}'"),
                ("zoomed_s", f"document.querySelector('#{last} button.zoom-in').click()"),
            ):
                steps[name] = page.evaluate(TIMED.replace("ACT", act)) / 1000.0
            runs.append(steps)
            page.close()
        browser.close()
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


DRAWN = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
TIMED = """() => new Promise(done => { const began = performance.now(); ACT;
  setTimeout(() => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)))); })"""
PICK = """(f => { f.value = 'nampo'; f.dispatchEvent(new Event('input', {bubbles: true})); })(
  document.querySelector('[name=text]'))"""


def to_markdown(n: int, made: dict[str, Any], seen: dict[str, float] | None, cost: dict[str, Any]) -> str:
    """The table of README.md."""
    times = made["make_s"] / made["tables_s"]
    rows = [
        ["size of report.html", f"{made['bytes'] / MB:.1f} MB", LIMITS["size"]],
        ["the same, a voyage", f"{made['bytes'] / n / 1e3:.1f} kB", ""],
        ["its tables as Parquet", f"{made['tables_bytes'] / MB:.1f} MB", ""],
        ["page made", f"{made['make_s']:.1f} s", LIMITS["made"]],
        ["the same, a voyage", f"{1e3 * made['make_s'] / n:.0f} ms", ""],
        ["tables written to the disk", f"{made['tables_s']:.1f} s; the page takes {times:.0f} times as long", ""],
        ["processor s of the whole process", f"{cost['cpu_seconds']:.1f}", ""],
        ["memory held at most", f"{cost['peak_bytes'] / 2**30:.2f} GiB", ""],
    ]
    if seen is not None:
        rows += [
            ["cases with a map", f"{seen['drawn']:.0f}", ""],
            ["opened in Chromium, until it can be used", f"{seen['opened_s']:.2f} s", LIMITS["opened"]],
            ["a case opened", f"{1e3 * seen['case_s']:.0f} ms", ""],
            ["map zoomed", f"{1e3 * seen['zoomed_s']:.0f} ms", ""],
            ["table sorted by ship", f"{1e3 * seen['sorted_s']:.0f} ms", ""],
            ["voyages picked by a word", f"{1e3 * seen['picked_s']:.0f} ms", ""],
            ["memory of its script", f"{seen['heap_mb']:.0f} MB", ""],
        ]
    load = f"Processes that wanted a processor at the start: {cost['load']:.1f}."
    return "\n\n".join([f"{n} flagged voyages.", table(["what", "", "to reach"], rows), load])


def main() -> None:
    """Read the command line, make the page in a process of its own, open it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--voyages", type=int, default=VOYAGES)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    if arguments.make:
        print(json.dumps(make(arguments.run)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        many = multiplied(load_run(arguments.run), arguments.voyages)
        write_result(Tables(many), folder)
        ran = run_measured([sys.executable, __file__, str(folder), "--make"])
        if ran.status:
            sys.exit(ran.stderr)
        made = json.loads(ran.stdout)
        seen = looked_at(folder / "report.html") if shutil.which("chromium") and sync_playwright else None
    text = to_markdown(arguments.voyages, made, seen, ran.figures())
    print(text)
    if arguments.keep:
        write_into(HERE / "README.md", text, "report")


if __name__ == "__main__":
    main()
