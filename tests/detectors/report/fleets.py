"""Runs with many flagged voyages, made by hand from the one voyage of the small scene: each ship its own words.

Takes a finished run with one flagged voyage; gives runs whose tables hold that voyage many times, under other ids and
with what each `Ship` says of itself. Ships are invented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detectors.run_folder import LoadedRun

IDS = ("voyage_id", "hull_id", "segment_id", "finding_id", "visit_id", "event_id", "link_id")
TIMES = ("start", "end", "first_seen", "last_seen", "span_start", "span_end", "timestamp")
MANIFOLD = ("flagged_voyages", "findings", "voyages", "port_visits", "identities", "tracks")


@dataclass(frozen=True)
class Ship:
    """What is told of one flagged voyage; `met` is the MMSI of another ship that its findings speak of."""

    name: str | None
    mmsi: int
    band: str = "high"
    score: float = 0.5
    flag_state: str | None = "KP"
    kinds: tuple[str, ...] = ("relay_voyage",)
    origin: str | None = "RU_NAKHODKA"
    destination: str | None = "KR_POHANG"
    status: str = "new"
    days: int = 0
    call_sign: str | None = "HMZQ"
    imo: int | None = 2_318_669
    met: int | None = None


SHIPS = (
    Ship("PAEKSONG 2", 445012340, "critical", 0.994, "KP", ("relay_voyage", "dark_gap"), met=352001870),
    Ship("AMBER QUAY", 352001870, "high", 0.61, "PA", ("dark_gap",), "CN_DALIAN", "KR_INCHEON", "revised", 3),
    Ship("zebra 9", 412903361, "high", 0.52, "CN", ("rendezvous", "imo_change"), "CN_DANDONG", "CN_DALIAN", days=-4),
    Ship("MING DA", 412903362, "medium", 0.2, "CN", ("dark_gap",), "CN_DALIAN", None, "unchanged", days=9),
    Ship(None, 273000019, "low", 0.04, "RU", ("loitering",), None, "RU_NAKHODKA", "withdrawn", days=1, met=412903362),
    Ship("Ärö", 999000001, "low", 0.03, None, ("invalid_mmsi",), None, None, "new", days=6),
)
"""Six ships that differ in all that rows are sorted and picked by."""


def voyage_id(ship: Ship) -> str:
    """The id of a ship's flagged voyage."""
    return f"voyage-{ship.mmsi:016x}"


def fleet(run: LoadedRun, ships: Sequence[Ship] = SHIPS) -> LoadedRun:
    """The run with its one flagged voyage told once for every ship, in the order of `ships` by rank."""
    tables = dict(run.tables)
    (told,) = tables["flagged_voyages"].to_pylist()
    (finding,) = tables["findings"].to_pylist()
    for name in MANIFOLD:
        rows: list[dict[str, Any]] = []
        for number, ship in enumerate(ships):
            if name == "findings":
                copies = [_finding(finding, ship, k, kind) for k, kind in enumerate(ship.kinds)]
            else:
                copies = [_moved(row, ship) for row in _about(tables[name], told)]
                copies = _half_hourly(copies) if name == "tracks" else copies
            said = _said(ship, number) if name == "flagged_voyages" else {}
            rows += [{**row, **said} for row in copies]
        tables[name] = pa.Table.from_pylist(rows, tables[name].schema)
    counted = {"n_flagged": len(ships), "n_findings": tables["findings"].num_rows}
    return replace(run, tables=tables, run={**run.run, **counted})


def with_columns(run: LoadedRun, name: str, **columns: Sequence[Any]) -> LoadedRun:
    """The run with some columns of one table replaced."""
    table = run.tables[name]
    for column, values in columns.items():
        place = table.schema.get_field_index(column)
        table = table.set_column(
            place, table.schema.field(place), pa.array(list(values), table.schema.field(place).type)
        )
    return replace(run, tables={**run.tables, name: table})


def _about(table: pa.Table, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the told voyage, or of its hull where a table has no voyages."""
    key = "voyage_id" if "voyage_id" in table.column_names else "hull_id"
    rows: list[dict[str, Any]] = table.filter(pc.equal(table[key], told[key])).to_pylist()
    return rows


def _half_hourly(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Reports of the scene, which are hours apart, with others between them: a track that was heard all the way."""
    dense: list[dict[str, Any]] = []
    for one, other in pairwise(reports):
        n = max(1, round((other["timestamp"] - one["timestamp"]) / timedelta(minutes=30)))
        for i in range(n):
            between = {key: one[key] + (other[key] - one[key]) * i / n for key in ("timestamp", "lat", "lon")}
            dense.append({**one, **between})
    return [*dense, dict(reports[-1])]


def _moved(row: Mapping[str, Any], ship: Ship) -> dict[str, Any]:
    """A row as it is of another ship: its ids, its MMSI, its days, and what it calls itself."""
    moved = {**row, "mmsi": ship.mmsi}
    moved |= {key: f"{row[key]}-{ship.mmsi}" for key in IDS if row.get(key) is not None}
    moved |= {key: row[key] + timedelta(days=ship.days) for key in TIMES if row.get(key) is not None}
    moved |= {key: getattr(ship, key) for key in ("name", "call_sign", "imo") if key in row}
    if "voyage_id" in row:
        moved["voyage_id"] = voyage_id(ship)
    return moved


def _finding(finding: Mapping[str, Any], ship: Ship, number: int, kind: str) -> dict[str, Any]:
    row = _moved(finding, ship)
    met = [] if ship.met is None else [ship.met]
    words = f"{ship.name or 'A ship'} ({ship.mmsi}): {kind.replace('_', ' ')}"
    row |= {"finding_id": f"finding-{ship.mmsi:015x}{number}", "kind": kind, "headline": words, "other_mmsi": met}
    return row | {"weight_db": finding["weight_db"] - 3.0 * number}


def _said(ship: Ship, number: int) -> dict[str, Any]:
    fields = ("name", "band", "score", "flag_state", "origin", "destination", "status", "call_sign", "imo")
    said = {key: getattr(ship, key) for key in fields}
    headline = f"{ship.name or 'A ship'} ({ship.mmsi}) gave cause for a second look"
    said |= {"rank": number + 1, "kinds": list(ship.kinds), "n_findings": len(ship.kinds), "headline": headline}
    return said | {"earlier_identities": []}
