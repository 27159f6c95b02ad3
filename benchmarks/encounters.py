"""Encounters at the scale of a world's fleet: ``python benchmarks/encounters.py [--keep]``.

Makes a world of ships block by block (under way, in harbours, at quays that no fence knows, at crowded quays off the
shore as land is drawn, at anchor, fishing, adrift, and a planted share of pairs that meet at sea for hours), finds slow
stretches in each block, then loitering and encounters for the whole fleet; prints seconds, memory, and how many of the
planted meetings were found. Each size runs in its own process. A small world is also searched all with all, for the
ratio. ``--keep`` writes the table into README.md. No figure here is ever a test's pass or fail.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from measure import run_measured
from port_table import HERE
from results import table, write_into

from vessels import schema
from vessels.events.encounters import find_encounters
from vessels.events.loitering import find_loitering
from vessels.events.meetings import EncounterParameters, Samples, find_meetings
from vessels.events.slow import STEP_US, find_slow
from vessels.events.slow_tables import DRAUGHT_SPELLS, SLOW_SAMPLES, SLOW_STRETCHES
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.land import land
from vessels.segments import Segments, segment_ids, steps
from vessels.thinning import thin_rows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

START_US = 1_740_787_200_000_000  # 2025-03-01
MIN_US, H_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
ROLES = ("under way", "harbour", "quay", "crowded quay", "anchor", "fishing", "adrift", "meeting")
SHARES = (0.30, 0.25, 0.20, 0.06, 0.13, 0.03, 0.01, 0.02)
SHIPS_PER_PLACE = {"harbour": 120, "quay": 25, "crowded quay": 40, "anchor": 18, "fishing": 30}
SPREAD_NMI = {"harbour": 2.0, "quay": 0.15, "crowded quay": 0.25, "anchor": 1.2, "fishing": 5.0}
SHORE_NMI = {"harbour": (-0.5, 1.0), "quay": (-1.0, 0.5), "crowded quay": (0.6, 1.2), "anchor": (1.0, 8.0)}
SIZES = ((50_000, 1, 1), (5_000, 40, 10))
"""Ships, days, minutes between reports."""
BLOCK_ROWS = 1_500_000
NAIVE_SHIPS = 10_000


@dataclass(frozen=True)
class World:
    """What each ship does: role, place, course, speed (0 at rest), wobble, and when and with whom it meets."""

    role: npt.NDArray[np.int8]
    lat: Floats
    lon: Floats
    course: Floats
    speed_kn: Floats
    wobble_nmi: Floats
    met_us: Ints
    parted_us: Ints
    partner: Ints

    def __len__(self) -> int:
        return len(self.role)


def make_world(n: int, days: int, seed: int = 5) -> World:
    """Places are taken from the coast as it is: quays at it, anchorages some miles off, the rest at sea."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-55, 65, 400_000), rng.uniform(-180, 180, 400_000)
    shore = land().shore_nmi(lat, lon)
    role = np.repeat(np.arange(len(ROLES)), (np.array(SHARES) * n).astype(int) // 2 * 2).astype(np.int8)
    n = len(role)
    place_lat, place_lon = np.zeros(n), np.zeros(n)
    for number, name in enumerate(ROLES):
        own = np.flatnonzero(role == number)
        low, high = SHORE_NMI.get(name, (20.0, 101.0))
        fit = np.flatnonzero((shore >= low) & (shore < high))
        n_places = -(-len(own) // SHIPS_PER_PLACE.get(name, 1))
        place = rng.choice(fit, n_places)[np.arange(len(own)) % n_places]
        off, turn = SPREAD_NMI.get(name, 0.0) * np.sqrt(rng.random(len(own))), rng.uniform(0, 2 * np.pi, len(own))
        place_lat[own] = lat[place] + off * np.cos(turn) / 60
        place_lon[own] = wrap_degrees(lon[place] + off * np.sin(turn) / 60 / np.cos(np.radians(lat[place])))
    speed = np.choose(role, [rng.uniform(8, 18, n), 0, 0, 0, 0, rng.uniform(0.5, 4, n), 0.6, 0])
    wobble = np.choose(role, [0, 0.005, 0.005, 0.005, 0.12, 0, 0, 0.01]).astype(np.float64)
    met, parted, partner = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1)
    pairs = np.flatnonzero(role == ROLES.index("meeting")).reshape(-1, 2)
    begin = rng.uniform(2, days * 24 - 16, len(pairs))
    for column in (0, 1):
        met[pairs[:, column]] = START_US + (begin * H_US).astype(np.int64)
        parted[pairs[:, column]] = START_US + ((begin + rng.uniform(3, 12, len(pairs))) * H_US).astype(np.int64)
        partner[pairs[:, column]] = pairs[:, 1 - column]
    parted[pairs[:, 1]] = parted[pairs[:, 0]]
    place_lat[pairs[:, 1]], place_lon[pairs[:, 1]] = place_lat[pairs[:, 0]] + 0.0008, place_lon[pairs[:, 0]]
    return World(role, place_lat, place_lon, rng.uniform(0, 2 * np.pi, n), speed, wobble, met, parted, partner)


def tracks(world: World, ships: Ints, days: int, every_min: int, rng: np.random.Generator) -> Segments:
    """The tracks of some ships: a report so often, each at a second of its own."""
    times = START_US + np.arange(days * 1440 // every_min, dtype=np.int64) * every_min * MIN_US
    time_us = (times[None, :] + rng.integers(0, every_min * 59, (len(ships), 1)) * 1_000_000).ravel()
    ship = np.repeat(ships, len(times))
    role, meets = world.role[ship], world.partner[ship] >= 0
    hours = (time_us - START_US) / H_US
    beside = np.where(time_us < world.met_us[ship], time_us - world.met_us[ship], 0)
    beside = np.where(time_us > world.parted_us[ship], time_us - world.parted_us[ship], beside) / H_US
    sailed = np.where(meets, beside * 11.0, world.speed_kn[ship] * np.where(role == 0, hours, 1.0))
    sailed = np.where(np.isin(role, (5, 6)), world.speed_kn[ship] * (1 - np.abs(hours % 12.0 - 6.0)), sailed)
    turn = 2 * np.pi * hours / 12.4 + world.course[ship]
    north = (
        sailed * np.cos(world.course[ship]) + world.wobble_nmi[ship] * np.cos(turn) + rng.normal(0, 0.003, len(ship))
    )
    east = sailed * np.sin(world.course[ship]) + world.wobble_nmi[ship] * np.sin(turn) + rng.normal(0, 0.003, len(ship))
    lat = world.lat[ship] + (np.abs(north + 1500) % 3000 - 1500) / 60
    lat = np.clip(lat, -80, 80)
    lon = wrap_degrees(world.lon[ship] + east / 60 / np.cos(np.radians(world.lat[ship])))
    sog = np.where(
        meets, np.where(beside == 0, 0.3, 11.0), np.where(np.isin(role, (1, 2, 3, 4)), 0.1, world.speed_kn[ship])
    )
    offsets = np.arange(len(ships) + 1, dtype=np.int64) * len(times)
    step_nmi, step_h = steps(lat, lon, time_us, offsets)
    n, none, unknown = len(ship), np.zeros(len(ships), dtype=np.int64), np.full(len(ship), np.nan, np.float32)
    return Segments(
        mmsi=200_000_000 + ships, vessel=np.arange(len(ships)), offsets=offsets, time_us=time_us, lat=lat, lon=lon,
        sog=sog.astype(np.float32), cog=unknown, heading=unknown, draught=unknown, nav_status=np.zeros(n, np.int8),
        static=np.zeros(n, np.int32), step_nmi=step_nmi, step_h=step_h, noise=none, n_alternations=none,
        max_separation_nmi=np.zeros(len(ships)), overlap_start_us=none, overlap_end_us=none,
    )  # fmt: skip


def _tracks_tables(segments: Segments, ids: list[str]) -> tuple[pa.Table, pa.Table]:
    """The parts of `segments` and `sketches` that events are settled with."""
    names = pa.array(ids, pa.string())
    first, last = segments.offsets[:-1], segments.offsets[1:] - 1
    known = {"segment_id": names, "hull_id": names, "mmsi": segments.mmsi, "start": segments.time_us[first],
             "end": segments.time_us[last]}  # fmt: skip
    n = len(ids)
    whole = schema.SEGMENTS.build({c.name: known.get(c.name, pa.nulls(n, c.type)) for c in schema.SEGMENTS.columns})
    rows = thin_rows(segments, 20.0)
    track = segments.segment_of_rows[rows]
    sketches = schema.SKETCHES.build(
        {"segment_id": names.take(pa.array(track)), "mmsi": segments.mmsi[track], "timestamp": segments.time_us[rows],
         "lat": segments.lat[rows], "lon": segments.lon[rows],
         "sog": segments.sog[rows], "draught": segments.draught[rows]}
    )  # fmt: skip
    return whole, sketches


def one_size(n: int, days: int, every_min: int) -> dict[str, Any]:
    """Make a world, find its meetings, and say how it went."""
    world = make_world(n, days)
    rng = np.random.default_rng(11)
    parts: list[list[pa.Table]] = [[] for _ in range(5)]
    derived_s, worked_s, rows = 0.0, 0.0, 0
    per_block = max(BLOCK_ROWS // (days * 1440 // every_min), 1)
    shuffled = rng.permutation(len(world))
    for begin in range(0, len(world), per_block):
        segments = tracks(world, np.sort(shuffled[begin : begin + per_block]), days, every_min, rng)
        rows += len(segments)
        ids, harbour = segment_ids(segments), np.isin(world.role[segments.mmsi - 200_000_000], (1,))
        draught = np.full(len(segments), 8.0)
        in_harbour = np.repeat(harbour, np.diff(segments.offsets))
        began, worked = time.perf_counter(), time.process_time()
        slow = find_slow(segments, ids, in_harbour, draught, land().shore_nmi)
        derived_s, worked_s = derived_s + time.perf_counter() - began, worked_s + time.process_time() - worked
        for part, one in zip(
            parts, (slow.samples, slow.stretches, slow.draughts, *_tracks_tables(segments, ids)), strict=True
        ):
            part.append(one)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    declared = (SLOW_SAMPLES, SLOW_STRETCHES, DRAUGHT_SPELLS, schema.SEGMENTS, schema.SKETCHES)
    began, worked = time.perf_counter(), time.process_time()
    tables = []
    for number, one in enumerate(declared):
        tables.append(one.concat(parts[number]))
        parts[number].clear()
    samples, stretches, draughts, whole, sketches = tables
    visits, as_of_us = schema.PORT_VISITS.empty(), START_US + days * DAY_US
    joined_s = time.perf_counter() - began
    loitering = find_loitering(stretches, draughts, whole, sketches, visits, as_of_us)
    loitering_s = time.perf_counter() - began - joined_s
    found = find_encounters(samples, stretches, draughts, whole, sketches, visits, land().shore_nmi, as_of_us)
    seconds, worked_s = time.perf_counter() - began, worked_s + time.process_time() - worked
    pairs = set(zip(found["mmsi"].to_pylist(), found["other_mmsi"].to_pylist(), strict=True))
    lesser = np.flatnonzero(world.partner > np.arange(len(world)))
    planted = {
        (200_000_000 + a, 200_000_000 + b) for a, b in zip(lesser.tolist(), world.partner[lesser].tolist(), strict=True)
    }
    return {
        "ships": len(world), "days": days, "every_min": every_min, "rows": rows, "samples": len(samples),
        "stretches": len(stretches), "derive_s": round(derived_s, 1), "loitering_s": round(loitering_s, 1),
        "encounters_s": round(seconds - loitering_s, 1), "total_s": round(seconds + derived_s, 1),
        "processor_s": round(worked_s, 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "before_gib": round(before / 2**20, 2), "loitering": len(loitering), "encounters": len(found),
        "planted": len(planted), "planted_found": len(planted & pairs),
    }  # fmt: skip


def naive_ratio(n: int) -> dict[str, Any]:
    """The same day of few ships, pairs found instant by instant all with all: seconds of both, and that they agree."""
    world, rng = make_world(n, 1), np.random.default_rng(11)
    segments = tracks(world, np.arange(len(world)), 1, 1, rng)
    in_harbour = np.repeat(world.role == 1, np.diff(segments.offsets))
    slow = find_slow(segments, segment_ids(segments), in_harbour, np.full(len(segments), 8.0), land().shore_nmi)
    samples, rule = Samples.of(slow.samples), EncounterParameters(max_crowd=1000)
    began = time.perf_counter()
    meetings = find_meetings(samples, rule)
    fast_s = time.perf_counter() - began
    began = time.perf_counter()
    close: dict[tuple[int, int], int] = {}
    for step in np.unique(samples.step):
        rows = np.flatnonzero(samples.step == step)
        one, other = np.triu_indices(len(rows), 1)
        one, other = rows[one], rows[other]
        away = distance_nmi(samples.lat[one], samples.lon[one], samples.lat[other], samples.lon[other]) * 1852.0
        for a, b in zip(one[away <= rule.radius_m].tolist(), other[away <= rule.radius_m].tolist(), strict=True):
            pair = (min(samples.mmsi[a], samples.mmsi[b]), max(samples.mmsi[a], samples.mmsi[b]))
            close[pair] = close.get(pair, 0) + 1
    naive_s = time.perf_counter() - began
    enough = {pair for pair, times in close.items() if times * STEP_US >= rule.min_h * H_US}
    met = set(zip(meetings.mmsi.tolist(), meetings.other_mmsi.tolist(), strict=True))
    return {"ships": len(world), "samples": len(samples), "fast_s": round(fast_s, 2), "naive_s": round(naive_s, 2),
            "ratio": round(naive_s / fast_s), "met": len(met), "met_not_close": len(met - enough)}  # fmt: skip


def to_markdown(results: list[dict[str, Any]], naive: dict[str, Any]) -> str:
    """The tables of README.md."""
    head = ["ships", "days", "reports", "slow places", "derive s", "loitering s", "encounters s", "all s",
            "processor s", "peak GiB",
            "loitering", "encounters", "planted, found"]  # fmt: skip
    rows = [
        [f"{r['ships']:,}", str(r["days"]), f"{r['rows'] / 1e6:.0f} M", f"{r['samples'] / 1e6:.1f} M"]
        + [str(r[name]) for name in ("derive_s", "loitering_s", "encounters_s", "total_s", "processor_s", "peak_gib")]
        + [f"{r['loitering']:,}", f"{r['encounters']:,}", f"{r['planted_found']} of {r['planted']}"]
        for r in results
    ]
    said = (
        f"All with all, {naive['ships']:,} ships of one day ({naive['samples']:,} slow places):\n"
        f"{naive['naive_s']} s for the pairs alone, {naive['fast_s']} s for the meetings: {naive['ratio']} times.\n"
        "It grows with the square of the ships."
    )
    return table(head, rows) + "\n\n" + said


def main() -> None:
    """Read the command line, run each size in its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--naive", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one_size(*arguments.one)))
        return
    if arguments.naive:
        print(json.dumps(naive_ratio(arguments.naive)))
        return
    results = []
    for wanted in (*(["--one", *map(str, size)] for size in SIZES), ["--naive", str(NAIVE_SHIPS)]):
        ran = run_measured([sys.executable, __file__, *wanted])
        if ran.status:
            sys.exit(ran.stderr)
        results.append(json.loads(ran.stdout))
        print(results[-1], flush=True)
    text = to_markdown(results[:-1], results[-1])
    print(text)
    if arguments.keep:
        write_into(HERE / "README.md", text, "encounters")


if __name__ == "__main__":
    main()
