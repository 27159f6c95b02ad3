"""Land and ways by water: ``python benchmarks/sea_distance.py [--keep]``.

Measures, in one process of its own, what the first question about a place costs and what later ones do, and how far
distances are from the truth where it is known: shores against the nearest of many points of the coast, ways against
the great circle where a straight line meets no land. ``--keep`` writes the table into README.md. No figure here is
ever a test's pass or fail.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from measure import run_measured
from port_table import HERE
from results import write_into
from scipy import spatial

from vessels.geodesy import distance_nmi
from vessels.land import Land, chord_nmi, land, unit_vectors
from vessels.zones import Zones, read_zones

N = 1_000_000
BLOCKED = 300
HUBS = ("ECS_STS", "KP_WONSAN", "RU_KHOLMSK")
EAST_ASIA = (21.0, 53.0, 115.0, 146.0)


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, processor seconds, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - cpu, found


def places(n: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Places spread over East Asia, land and sea."""
    rng = np.random.default_rng(seed)
    south, north, west, east = EAST_ASIA
    return rng.uniform(south, north, n), rng.uniform(west, east, n)


def shore_errors(world: Land) -> str:
    """Errors of distances to the shore, near it and farther off."""
    lat, lon = places(40_000, 1)
    found = world.shore_nmi(lat, lon)
    coast = world.shore_about(unit_vectors(lat, lon), 0.03, 0.05)
    exact = chord_nmi(spatial.cKDTree(coast).query(unit_vectors(lat, lon))[0])
    error = np.abs(np.abs(found) - np.minimum(exact, 100.0))
    near = exact < 7.0
    quantiles = [np.quantile(error[part], q) for part in (near, ~near) for q in (0.5, 0.95, 1.0)]
    return "{:.2f}, {:.2f}, {:.2f} nmi within 7 nmi; {:.2f}, {:.2f}, {:.2f} farther off".format(*quantiles)


def way_errors(zones: Zones) -> str:
    """How much longer than the great circle ways are where a straight line to the fence meets no land."""
    ratios = []
    for hub in HUBS:
        zone, rng = zones[hub], np.random.default_rng(2)
        lat, lon = rng.uniform(zone.lat - 15, zone.lat + 15, 20_000), rng.uniform(zone.lon - 20, zone.lon + 20, 20_000)
        rim = shapely.get_coordinates(shapely.segmentize(zone.geometry.boundary, 0.01))
        start, goals = unit_vectors(lat, lon), unit_vectors(rim[:, 1], rim[:, 0])
        chord, nearest = spatial.cKDTree(goals).query(start)
        sees = chord_nmi(chord) > 5.0
        for share in np.linspace(0.0, 1.0, 400):
            x, y, z = (start * (1.0 - share) + goals[nearest] * share).T
            sees &= land().shore_nmi(np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))) > 0.0
        way = zones.sea.distance_nmi(hub, lat, lon)
        sees &= np.isfinite(way) & ~shapely.contains_xy(zone.geometry, lon, lat)
        ratios.append(way[sees] / chord_nmi(chord[sees]))
    ratio = np.concatenate(ratios) - 1.0
    quantiles = np.quantile(ratio, [0.0, 0.5, 0.95, 0.99, 1.0]) * 100.0
    return "least {:+.2f} %, median {:+.2f} %, 95 % {:+.1f} %, 99 % {:+.1f} %, most {:+.1f} %".format(*quantiles)


def measure() -> list[tuple[str, float, float, str]]:
    """Every step: what, seconds, processor seconds, remark."""
    rows: list[tuple[str, float, float, str]] = []

    def step(what: str, work: Callable[[], Any], remark: Callable[[Any], str] = lambda _: "") -> None:
        seconds, cpu, found = timed(work)
        rows.append((what, seconds, cpu, remark(found)))

    lat, lon = places(N, 0)
    zones = read_zones()
    step("read the land", land, lambda world: f"{len(world.polygons)} polygons")
    step("shore, a million places all over East Asia, first time", lambda: land().shore_nmi(lat, lon))
    seconds, cpu, _ = timed(lambda: land().shore_nmi(lat, lon))
    rows.append(("the same again", seconds, cpu, f"{N / seconds / 1e6:.1f} M places/s"))
    rows.append(("errors of the shore: median, 95 %, most", 0.0, 0.0, shore_errors(land())))
    step("first field: Nampo", lambda: zones.sea.distance_nmi("KP_NAMPO", lat[:1], lon[:1]))
    step("next field: Nampo roads", lambda: zones.sea.distance_nmi("KP_NAMPO_ROADS", lat[:1], lon[:1]))
    watched = zones.watched("high", "elevated")
    step(
        "fields of all other watched zones",
        lambda: [zones.sea.distance_nmi(zone.zone_id, lat[:1], lon[:1]) for zone in watched],
        lambda found: f"{len(found)} zones in all",
    )
    seconds, cpu, found = timed(lambda: zones.sea.distance_nmi("KP_NAMPO", lat, lon))
    reached = np.isfinite(found).mean()
    rows.append(("a million look-ups", seconds, cpu, f"{N / seconds / 1e6:.1f} M/s, {reached:.0%} of them reached"))
    rows.append(("ways against the great circle", 0.0, 0.0, way_errors(zones)))
    rng = np.random.default_rng(3)
    lat1, lon1 = rng.uniform(37.5, 39.0, BLOCKED), rng.uniform(123.0, 124.5, BLOCKED)
    lat2, lon2 = rng.uniform(36.0, 41.0, BLOCKED), rng.uniform(130.0, 132.0, BLOCKED)
    step(
        f"between {BLOCKED} pairs, Korea between them",
        lambda: zones.sea.between_nmi(lat1, lon1, lat2, lon2),
        lambda way: f"{np.median(way / distance_nmi(lat1, lon1, lat2, lon2)):.1f} times the great circle",
    )
    lat2, lon2 = rng.uniform(33.5, 37.0, N // 10), rng.uniform(122.8, 125.0, N // 10)
    step(f"between {N // 10:,} pairs, open water", lambda: zones.sea.between_nmi(34.5, 124.0, lat2, lon2))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows.append(("memory held at most", 0.0, 0.0, f"{peak:.2f} GiB"))
    return rows


def to_markdown(rows: list[tuple[str, float, float, str]]) -> str:
    """The table."""
    lines = ["| what | seconds | processor s | |", "| --- | ---: | ---: | --- |"]
    for what, seconds, cpu, remark in rows:
        shown = (f"{seconds:.2f}", f"{cpu:.2f}") if seconds else ("", "")
        lines.append(f"| {what} | {shown[0]} | {shown[1]} | {remark} |")
    return "\n".join(lines)


def main() -> None:
    """Measure in a process of its own, print, keep if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure()))
        return
    ran = run_measured([sys.executable, __file__, "--one"])
    if ran.status:
        sys.exit(ran.stderr)
    table = to_markdown(json.loads(ran.stdout)) + f"\n\nProcesses that wanted a processor at the start: {ran.load:.1f}."
    print(table)
    if arguments.keep:
        write_into(HERE / "README.md", table, "sea distance")


if __name__ == "__main__":
    main()
