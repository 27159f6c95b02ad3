"""Ten-second class A traffic in unsorted day files, for benchmarks: ``traffic.py --rows 20000000 --out DIR``.

About 20,000 rows a ship over 10 days, between the ports of the port table, in order of arrival: late by seconds
mostly, by minutes or hours sometimes. Some reports are lost, repeated, out of reach of the receivers, or carry
"not available" codes, as in any provider's file. Same arguments, same rows. Made an hour at a time, so memory does not
grow with the rows asked for. A note of what was made is written beside the folder, as ``DIR.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from fleet import LANES, UNDER_WAY, Fleet, make_fleet
from port_table import PORTS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]

GENERATOR_VERSION = 2  # part of a data set's note: a runner makes a data set again when this changes
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY_S, SLAB_S = 86_400, 3_600
ROWS_PER_SHIP, DAYS = 20_000, 10
ROW_GROUP_ROWS = 1 << 20

# AIS resolution and "not available" codes (ITU-R M.1371-5): 1/10,000 minute, 0.1 knot, 0.1 degree.
UNITS_PER_DEG = 600_000
NO_SPEED, NO_COURSE, NO_HEADING, NO_LAT, NO_LON = 102.3, 360.0, 511, 91.0, 181.0

# How the reports are spoiled: judgements, small enough that ordinary traffic stays ordinary.
LATE_SHARE, LATE_MEAN_S = 0.001, 1_200.0
JITTER_MEAN_S, JITTER_MAX_S = 8.0, 60.0
REPEAT_SHARE, JUMP_SHARE = 0.001, 2e-6
NO_SPEED_SHARE, NO_COURSE_SHARE, NO_PLACE_SHARE = 2e-4, 3e-2, 5e-5
SILENCES_PER_SHIP, SILENCE_MEDIAN_H, SILENCE_SPREAD = 0.3, 1.5, 0.9
GPS_NOISE_DEG = 1.5e-5  # about 1.5 m
SWAY_DEG, SWAY_PERIOD_S = 3e-4, 2_400.0  # a helmsman's wander, about 30 m either side


@dataclass(frozen=True)
class Silences:
    """Spells in which nobody heard a ship, keyed as the fleet's knots are."""

    start_key: FloatArray
    end_key: FloatArray

    def hides(self, key: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether each report falls in a silence."""
        at = np.searchsorted(self.start_key, key, side="right") - 1
        return (at >= 0) & (key < self.end_key[at])


def make_silences(fleet: Fleet, days: int, rng: np.random.Generator) -> Silences:
    """A few hours here and there in which a ship is not heard."""
    n = rng.poisson(SILENCES_PER_SHIP * len(fleet.mmsi) * days / DAYS)
    ship = rng.integers(len(fleet.mmsi), size=n)
    start = ship * fleet.span_s + fleet.offset_s + rng.uniform(0, days * DAY_S, n)
    end = start + 3600.0 * SILENCE_MEDIAN_H * rng.lognormal(0.0, SILENCE_SPREAD, n)
    order = np.argsort(start)
    return Silences(start[order], end[order])


def nominal_reports(fleet: Fleet, days: int) -> float:
    """How many reports the sets would send in the time, were none lost."""
    seconds = np.clip(fleet.leg_end_s, 0, days * DAY_S) - np.clip(fleet.leg_start_s, 0, days * DAY_S)
    return float((seconds / fleet.leg_period_s).sum())


def slab_reports(fleet: Fleet, start: int, silences: Silences, keep: float, rng: np.random.Generator) -> Columns:
    """Every report that receivers got of the hour from second ``start``, by ship and time."""
    end = start + SLAB_S
    live = np.flatnonzero((fleet.leg_start_s < end) & (fleet.leg_end_s > start))
    begin, period = fleet.leg_start_s[live], fleet.leg_period_s[live]
    first = np.ceil((np.maximum(begin, start) - begin) / period).astype(np.int64)
    last = np.ceil((np.minimum(fleet.leg_end_s[live], end) - begin) / period).astype(np.int64)
    count = np.maximum(last - first, 0)
    leg = np.repeat(live, count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    kept = rng.random(len(leg), dtype=np.float32) < keep
    leg, step = leg[kept], step[kept]
    second = np.floor(fleet.leg_start_s[leg] + step * fleet.leg_period_s[leg] + rng.random(len(leg)) * 2.0)
    ship = fleet.leg_ship[leg]
    key = ship * fleet.span_s + fleet.offset_s + second
    heard = ~silences.hides(key)
    leg, second, ship, key = leg[heard], second[heard], ship[heard], key[heard]
    return {"leg": leg, "ship": ship, "second": second.astype(np.int64), **motion(fleet, leg, ship, key, rng)}


def motion(fleet: Fleet, leg: IntArray, ship: IntArray, key: FloatArray, rng: np.random.Generator) -> Columns:
    """Place, speed, course and heading as the set sends them."""
    n = len(key)
    knot = np.searchsorted(fleet.knot_key, key, side="right") - 1
    seconds = np.maximum(np.diff(fleet.knot_key, append=fleet.knot_key[-1] + 1.0), 1e-3)
    dlat = np.diff(fleet.knot_lat, append=fleet.knot_lat[-1])
    dlon = np.diff(fleet.knot_lon, append=fleet.knot_lon[-1])
    shrink = np.cos(np.radians(fleet.knot_lat))
    speed = np.hypot(dlat, dlon * shrink) * 60.0 * 3600.0 / seconds
    course = np.degrees(np.arctan2(dlon * shrink, dlat)) % 360.0
    part = (key - fleet.knot_key[knot]) / seconds[knot]
    moving = fleet.leg_status[leg] == UNDER_WAY
    moving &= np.isnan(fleet.leg_heading[leg])
    sway = SWAY_DEG * np.sin(key * (2 * np.pi / SWAY_PERIOD_S) + ship)
    beam_on = np.radians(course[knot])
    lat = fleet.knot_lat[knot] + part * dlat[knot] - np.sin(beam_on) * sway
    lon = fleet.knot_lon[knot] + part * dlon[knot] + np.cos(beam_on) * sway / shrink[knot]
    lat += GPS_NOISE_DEG * rng.standard_normal(n, dtype=np.float32)
    lon += GPS_NOISE_DEG * rng.standard_normal(n, dtype=np.float32)
    still = np.where(moving, 0.0, rng.random(n, dtype=np.float32) * 0.3)
    sog = np.where(moving, speed[knot] + 0.15 * rng.standard_normal(n, dtype=np.float32), still)
    cog = np.where(moving, course[knot] + 1.2 * rng.standard_normal(n, dtype=np.float32), 360.0 * rng.random(n))
    bow = np.where(moving, cog + rng.standard_normal(n, dtype=np.float32) * 1.5, fleet.leg_heading[leg])
    heading = np.where(fleet.has_heading[ship], np.round(bow) % 360, NO_HEADING)
    return {
        "lat": np.round(lat * UNITS_PER_DEG) / UNITS_PER_DEG,
        "lon": np.round(lon * UNITS_PER_DEG) / UNITS_PER_DEG,
        "sog": np.round(np.maximum(sog, 0.0), 1),
        "cog": np.round(cog % 360.0, 1) % 360.0,
        "heading": heading.astype(np.int16),
    }


def spoil(rows: Columns, rng: np.random.Generator) -> Columns:
    """The same reports with repeats, jumps, "not available" codes and a time of arrival."""
    n = len(rows["leg"])
    chance = rng.random(n, dtype=np.float32)
    speedless, placeless = np.flatnonzero(chance < NO_SPEED_SHARE), np.flatnonzero(chance > 1 - NO_PLACE_SHARE)
    rows["sog"][speedless] = NO_SPEED
    rows["cog"][np.flatnonzero((rng.random(n, dtype=np.float32) < NO_COURSE_SHARE) & (rows["sog"] < 0.3))] = NO_COURSE
    rows["lat"][placeless], rows["lon"][placeless] = NO_LAT, NO_LON
    jumped = rng.integers(max(n, 1), size=rng.poisson(n * JUMP_SHARE))
    rows["lat"][jumped] += rng.uniform(0.3, 3.0, len(jumped))
    repeated = np.flatnonzero(rng.random(n, dtype=np.float32) < REPEAT_SHARE)
    rows = {name: np.concatenate([values, values[repeated]]) for name, values in rows.items()}
    n += len(repeated)
    delay = np.minimum(rng.exponential(JITTER_MEAN_S, n), JITTER_MAX_S)
    late = np.flatnonzero(rng.random(n, dtype=np.float32) < LATE_SHARE)
    delay[late] += rng.exponential(LATE_MEAN_S, len(late))
    return {**rows, "arrival": rows["second"] + delay}


def arrivals(fleet: Fleet, days: int, rows: int, seed: int) -> Iterator[tuple[int, Columns]]:
    """The reports hour by hour as they arrive: (day, rows); late ones come with the hour they arrive in."""
    silences = make_silences(fleet, days, np.random.default_rng([seed, 1]))
    keep = min(1.0, rows / (nominal_reports(fleet, days) * (1 + REPEAT_SHARE)))
    waiting: Columns | None = None
    slabs = days * DAY_S // SLAB_S
    for slab in range(slabs):
        rng = np.random.default_rng([seed, 2, slab])
        batch = spoil(slab_reports(fleet, slab * SLAB_S, silences, keep, rng), rng)
        if waiting is not None:
            batch = {name: np.concatenate([waiting[name], values]) for name, values in batch.items()}
        order = np.argsort(batch["arrival"], kind="stable")
        cut = len(order)
        if slab + 1 < slabs:
            cut = int(np.searchsorted(batch["arrival"], (slab + 1) * SLAB_S, sorter=order))
        waiting = {name: values[order[cut:]] for name, values in batch.items()}
        yield slab * SLAB_S // DAY_S, {name: values[order[:cut]] for name, values in batch.items()}


def words(values: list[str]) -> pa.Array:
    """A dictionary's entries."""
    return pa.array(values, type=pa.string())


def to_table(fleet: Fleet, rows: Columns) -> pa.Table:
    """The rows as a provider's file has them: strings dictionary-encoded, codes as sent."""
    ship, leg = rows["ship"], rows["leg"]
    name = ship.astype(np.int32)
    changed = list(fleet.new_name.items())
    for k, (who, (since, _, _)) in enumerate(changed):
        name[(ship == who) & (rows["second"] >= since)] = len(fleet.name) + k
    names = fleet.name + [new[1] for _, new in changed]
    call_signs = fleet.call_sign + [new[2] for _, new in changed]
    first_us = int(FIRST_DAY.timestamp()) * 1_000_000
    stamp = first_us + rows["second"] * 1_000_000
    class_a = np.zeros(len(ship), dtype=np.int32)
    return pa.table(
        {
            "mmsi": fleet.mmsi[ship],
            "timestamp": pa.array(stamp).cast(pa.timestamp("us", tz="UTC")),
            "lat": rows["lat"],
            "lon": rows["lon"],
            "sog": rows["sog"],
            "cog": rows["cog"],
            "heading": rows["heading"],
            "nav_status": fleet.leg_status[leg],
            "draught": fleet.leg_draught_m[leg],
            "imo": fleet.imo[ship],
            "name": pa.DictionaryArray.from_arrays(name, words(names)),
            "call_sign": pa.DictionaryArray.from_arrays(name, words(call_signs)),
            "ship_type": fleet.ship_type[ship],
            "length_m": fleet.length_m[ship],
            "beam_m": fleet.beam_m[ship],
            "destination": pa.DictionaryArray.from_arrays(fleet.leg_destination[leg], words(fleet.destinations)),
            "transceiver": pa.DictionaryArray.from_arrays(class_a, words(["A"])),
        }
    )


def write_days(fleet: Fleet, days: int, rows: int, seed: int, out: Path) -> int:
    """One zstd Parquet file a day of arrival; how many rows were written."""
    total, day_open = 0, -1
    writer: pq.ParquetWriter | None = None
    held: list[pa.Table] = []

    def flush(least: int) -> None:
        nonlocal held
        if writer is not None and held and sum(table.num_rows for table in held) >= least:
            table = pa.concat_tables(held).unify_dictionaries()
            whole = table.num_rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS if least > 1 else table.num_rows
            writer.write_table(table.slice(0, whole), row_group_size=ROW_GROUP_ROWS)
            held = [table.slice(whole)] if whole < table.num_rows else []

    for day, batch in arrivals(fleet, days, rows, seed):
        table = to_table(fleet, batch)
        if day != day_open:
            flush(1)
            if writer is not None:
                writer.close()
            name = f"ais-{(FIRST_DAY + timedelta(days=day)).date().isoformat()}.parquet"
            writer = pq.ParquetWriter(out / name, table.schema, compression="zstd")
            day_open = day
        held.append(table)
        total += table.num_rows
        flush(ROW_GROUP_ROWS)
    flush(1)
    if writer is not None:
        writer.close()
    return total


def note_path(out: Path) -> Path:
    """Where the note of a data set is kept: beside its folder, never inside."""
    return out.with_name(out.name + ".json")


def generate(rows: int, out: Path, seed: int = 1, days: int = DAYS, ports: Path = PORTS, lanes: Path = LANES) -> int:
    """Make the data set unless it is there already; how many rows it has."""
    wanted = {"generator": GENERATOR_VERSION, "rows_asked": rows, "seed": seed, "days": days}
    note = note_path(out)
    if note.is_file():
        found = json.loads(note.read_text(encoding="utf-8"))
        if all(found.get(name) == value for name, value in wanted.items()):
            return int(found["rows"])
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("ais-*.parquet"):
        old.unlink()
    started = time.perf_counter()
    ships = max(2, round(rows / ROWS_PER_SHIP * DAYS / days))
    fleet = make_fleet(ships, days, seed, ports, lanes)
    made = write_days(fleet, days, rows, seed, out)
    about = {**wanted, "rows": made, "ships": ships, "seconds": round(time.perf_counter() - started, 1)}
    note.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, required=True, help="about how many rows to make")
    parser.add_argument("--out", type=Path, required=True, help="folder for the day files")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ports", type=Path, default=PORTS, help="port table, GeoJSON")
    options = parser.parse_args()
    started = time.perf_counter()
    made = generate(options.rows, options.out, options.seed, options.days, options.ports)
    print(f"{made:,} rows in {options.out} ({time.perf_counter() - started:.0f} s)")


if __name__ == "__main__":
    main()
