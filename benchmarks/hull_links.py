"""Hull links at the scale of a world's fleet: ``python benchmarks/hull_links.py [--identities N ...] [--keep]``.

Makes the tables of a world in which N identities are born and die over sixty days (crowded ports, coverage edges,
fleets of sister ships, thousands of sets under filler numbers), with a hundredth of the hulls taking another identity;
links them, each size in its own process, and prints seconds, memory, and how many of the changed hulls were linked.
``--keep`` writes the table into README.md. No figure here is ever a test's pass or fail.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
from measure import run_measured
from port_table import HERE
from results import write_into

from vessels import schema
from vessels.hulls.links import find_links

DAYS = 60.0
DAY_US = 86_400_000_000
PORTS, DESIGNS = 4000, 6000
CHANGED, SILENT, FILLERS = 0.01, 1.0, 4000
FILLER_MMSI = (0, 123456789, 111111111)
SIZES = (50_000, 100_000, 200_000)


def zipf(rng: np.random.Generator, kinds: int, n: int) -> np.ndarray[Any, Any]:
    """Numbers of kinds, the first by far the commonest, as ports and designs are."""
    share = 1.0 / np.arange(1, kinds + 1) ** 0.9
    return rng.choice(kinds, size=n, p=share / share.sum())


def world(n: int, seed: int = 7) -> tuple[dict[str, pa.Table], set[tuple[int, int]]]:
    """Segments, silences and identities of n identities; and the pairs of MMSI that are one hull."""
    rng = np.random.default_rng(seed)
    ports = np.column_stack([rng.uniform(-45, 62, PORTS), rng.uniform(-180, 180, PORTS)])
    length = rng.gamma(3.0, 30.0, DESIGNS).clip(6, 400).round()
    beam = (length / rng.uniform(4.5, 7.5, DESIGNS)).clip(2, 60).round()
    design = zipf(rng, DESIGNS, n)
    born = np.where(rng.random(n) < 0.5, rng.uniform(0, 0.05, n), rng.uniform(0, DAYS, n))
    died = np.where(rng.random(n) < 0.5, DAYS, born + rng.random(n) * (DAYS - born))

    def places() -> np.ndarray[Any, Any]:
        at = ports[zipf(rng, PORTS, n)] + rng.normal(0, 0.03, (n, 2))
        sea = np.column_stack([rng.uniform(-50, 65, n), rng.uniform(-180, 180, n)])
        return np.where((rng.random(n) < 0.6)[:, None], at, sea)

    first, last = places(), places()
    mmsi = 200_000_000 + rng.choice(575_000_000, n, replace=False)
    mmsi[rng.choice(n, min(FILLERS, n // 20), replace=False)] = rng.choice(FILLER_MMSI, min(FILLERS, n // 20))
    big = length[design] >= 50
    imo = np.where(big, 1_000_000 + rng.choice(8_999_999, n, replace=False), 0)
    sog = np.where(rng.random(n) < 0.5, rng.uniform(6, 16, n), 0.1)

    changed = rng.choice(np.flatnonzero((died < DAYS - 5) & (mmsi > 200_000_000)), int(CHANGED * n), replace=False)
    new = rng.choice(np.setdiff1d(np.flatnonzero(mmsi > 200_000_000), changed), len(changed), replace=False)
    gap = np.exp(rng.uniform(np.log(0.2), np.log(72.0), len(changed)))
    at_anchor = rng.random(len(changed)) < 0.5
    course = rng.uniform(0, 2 * np.pi, len(changed))
    run = np.where(at_anchor, rng.exponential(0.4, len(changed)), 11.0 * np.minimum(gap, 6.0))
    gap = np.where(at_anchor, gap, np.minimum(gap, 6.0))
    born[new] = np.minimum(died[changed] + gap / 24.0, DAYS - 0.5)
    died[new] = DAYS
    design[new] = design[changed]
    first[new] = last[changed] + np.column_stack([np.cos(course), np.sin(course)]) * (run / 60.0)[:, None]
    speed = np.where(at_anchor, 0.1, 11.0)

    start_sog, end_sog, cog = sog.copy(), sog.copy(), rng.uniform(0, 360, n)
    end_cog = cog.copy()
    end_sog[changed], start_sog[new] = speed, speed
    end_cog[changed], cog[new] = np.degrees(course) % 360, np.degrees(course) % 360
    ids = [f"segment-{i}" for i in range(n)]

    def instants(days: np.ndarray[Any, Any]) -> pa.Array:
        return pa.array((days * DAY_US).astype(np.int64)).cast(schema.TIMESTAMP)

    def wrapped(lon: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return (lon + 180.0) % 360.0 - 180.0

    values = {
        "segment_id": ids, "mmsi": mmsi, "start": instants(born), "end": instants(died), "n_positions": np.full(n, 500),
        "start_lat": first[:, 0], "start_lon": wrapped(first[:, 1]), "end_lat": last[:, 0],
        "end_lon": wrapped(last[:, 1]), "median_interval_s": np.full(n, 60.0),
        "cruise_kn": (10.0 + 3.0 * np.sin(design)).round(1), "start_sog_kn": start_sog, "end_sog_kn": end_sog,
        "start_cog_deg": cog, "end_cog_deg": end_cog,
    }  # fmt: skip
    segments = _table(schema.SEGMENTS, values, n)
    owner = np.sort(rng.choice(n, int(SILENT * n)))
    lives = (died - born)[owner]
    begins = born[owner] + rng.random(len(owner)) * lives * 0.6
    silent = np.minimum(np.exp(rng.uniform(np.log(0.5), np.log(10.0), len(owner))), lives * 0.3)
    where = places()[owner]
    bearing, sailed = rng.uniform(0, 2 * np.pi, len(owner)), rng.random(len(owner)) * 10.0 * silent * 24.0 / 60.0
    back = where + np.column_stack([np.cos(bearing), np.sin(bearing)]) * np.minimum(sailed, 8.0)[:, None]
    back[:, 0] = back[:, 0].clip(-70, 70)
    silences = _table(
        schema.SILENCES,
        {
            "segment_id": [ids[i] for i in owner], "mmsi": mmsi[owner], "start": instants(begins),
            "end": instants(begins + silent), "start_lat": where[:, 0], "start_lon": wrapped(where[:, 1]),
            "end_lat": back[:, 0], "end_lon": wrapped(back[:, 1]),
        },
        len(owner),
    )  # fmt: skip
    identities = _table(
        schema.IDENTITIES,
        {
            "mmsi": mmsi, "segment_id": ids, "imo": pa.array(imo, mask=imo == 0),
            "name": [f"SHIP {i}" for i in range(n)], "call_sign": [f"C{i}" for i in range(n)],
            "ship_type": np.where(big, 70, 37).astype(np.int16),
            "length_m": length[design], "beam_m": beam[design], "transceiver": np.where(big, "A", "B").tolist(),
            "first_seen": instants(born), "last_seen": instants(died), "n_reports": np.full(n, 400),
        },
        n,
    )  # fmt: skip
    pairs = set(zip(mmsi[changed].tolist(), mmsi[new].tolist(), strict=True))
    return {"segments": segments, "silences": silences, "identities": identities}, pairs


def _table(declared: schema.Table, values: dict[str, Any], n: int) -> pa.Table:
    return declared.build({c.name: values.get(c.name, pa.nulls(n, c.type)) for c in declared.columns})


def one_size(n: int) -> dict[str, Any]:
    """Make a world, link it, and say how it went."""
    tables, truth = world(n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, cpu = time.perf_counter(), time.process_time()
    links = find_links(**tables)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    strong = links.filter(links["is_strong"])
    linked = set(zip(strong["from_mmsi"].to_pylist(), strong["to_mmsi"].to_pylist(), strict=True))
    kept = set(zip(links["from_mmsi"].to_pylist(), links["to_mmsi"].to_pylist(), strict=True))
    return {
        "identities": n,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_s, 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "tables_gib": round(before / 2**20, 2),
        "changed": len(truth),
        "kept": len(kept & truth),
        "linked": len(linked & truth),
        "strong": len(linked),
    }


def to_markdown(results: list[dict[str, Any]]) -> str:
    """The table of README.md."""
    lines = [
        "| identities | seconds | processor s | peak GiB | before | changed | link kept | strong | strong and true |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for r in results:
        true = r["linked"] / max(r["strong"], 1)
        lines.append(
            f"| {r['identities']:,} | {r['seconds']} | {r['cpu_seconds']} | {r['peak_gib']} | {r['tables_gib']} "
            f"| {r['changed']:,} | {r['kept'] / r['changed']:.0%} | {r['linked'] / r['changed']:.0%} | {true:.1%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Read the command line, run each size in its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one_size(arguments.one)))
        return
    results = []
    for n in arguments.identities:
        ran = run_measured([sys.executable, __file__, "--one", str(n)])
        if ran.status:
            sys.exit(ran.stderr)
        results.append(json.loads(ran.stdout))
        print(results[-1], flush=True)
    print(to_markdown(results))
    if arguments.keep:
        write_into(HERE / "README.md", to_markdown(results), "hull links")


if __name__ == "__main__":
    main()
