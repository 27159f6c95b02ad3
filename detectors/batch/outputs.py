"""The output folder: the tables of a run as Parquet and run.json, each file whole or not at all; and reading them back.

Takes tables and a run record; gives files whose bytes depend on nothing but the tables (run.json excepted: it holds
times). run.json is removed first and written last, so a folder without one is a folder whose run did not finish.
"""

import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from vessels.errors import UsageError
from vessels.event_tables import ENCOUNTERS, GAPS, LOITERING, POSITION_EVENTS
from vessels.schema import HULL_LINKS, Table

RUN_FILE: Final = "run.json"
EVENTS: Final[Mapping[str, Table]] = MappingProxyType(
    {"gaps": GAPS, "loitering": LOITERING, "encounters": ENCOUNTERS, "position_events": POSITION_EVENTS}
)
"""Tables of events at sea, and their declarations."""
TABLES: Final = (
    *("flagged_voyages", "findings", "voyages", "port_visits", "identities", "hull_links"),
    *EVENTS,
    "rejects",
)
ADDED: Final[Mapping[str, Table]] = MappingProxyType({"hull_links": HULL_LINKS, **EVENTS})
"""Tables that folders of earlier versions lack; read from such a folder they are empty."""
GEOMETRY: Final = {"flagged_voyages": "geometry"}
"""Tables that are GeoParquet, and their geometry column: WKB, WGS 84 longitude and latitude."""
RUN_FORMAT: Final = 1
"""Goes up when the shape of run.json or of the folder changes in a way that readers must know."""
ROW_GROUP_ROWS: Final = 131_072
_STAGING_PREFIX: Final = ".wakewatch-"


def check_out(out: Path | str, inputs: Sequence[Path | str] = ()) -> None:
    """Refuse early, before hours of work, a folder that could not be written or that lies in an input folder.

    Raises UsageError.
    """
    out = Path(out)
    if os.path.lexists(out) and not out.is_dir():
        raise UsageError(f"{out}: is no folder; --out names a folder, and one that does not exist is made")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise UsageError(f"{out}: cannot be made, because {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{out}: no permission to write in {nearest}")
    for folder in map(Path, inputs):
        if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"{out}: lies in the input folder {folder}; the next run would take its tables for tracks. "
                "Choose a folder outside"
            )


class Written(Protocol):
    """What is written: a run's tables by name and its record; `detectors.batch.engine.Result` is one."""

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """The tables of `TABLES`, each by its name."""

    @property
    def run(self) -> object:
        """The run record: a dataclass or a mapping of plain values."""


def write_result(result: Written, out: Path | str) -> None:
    """Write every table and run.json to `out`; whoever looks sees the old run, no run, or the new one.

    A folder that does not exist is made aside and renamed. In one that exists, other files are left alone.
    Raises UsageError for a folder that cannot be written, OSError when the disk fails.
    """
    out = Path(out)
    check_out(out)
    missing = set(TABLES) - set(result.tables)
    if missing:
        raise UsageError(f"tables missing from the result: {sorted(missing)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    exists = out.exists()
    staging = (out if exists else out.parent) / f"{_STAGING_PREFIX}{secrets.token_hex(8)}"
    staging.mkdir()
    try:
        for name in TABLES:
            _write_table(result.tables[name], staging / f"{name}.parquet", GEOMETRY.get(name))
        _write_text(staging / RUN_FILE, _run_text(result))
        if exists:
            (out / RUN_FILE).unlink(missing_ok=True)
            for name in TABLES:
                (staging / f"{name}.parquet").replace(out / f"{name}.parquet")
            (staging / RUN_FILE).replace(out / RUN_FILE)
        else:
            staging.rename(out)
        _sync(out if exists else out.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def run_values(result: Written) -> dict[str, Any]:
    """What run.json holds: the run record as plain values, and how many rows each table has."""
    record = asdict(result.run) if is_dataclass(result.run) and not isinstance(result.run, type) else result.run
    if not isinstance(record, Mapping):
        raise TypeError(f"a run record is a dataclass or a mapping, not {type(record).__name__}")
    outputs = {name: {"n_rows": result.tables[name].num_rows} for name in TABLES}
    return {**_plain(record), "format": RUN_FORMAT, "outputs": outputs}


def _run_text(result: Written) -> str:
    return json.dumps(run_values(result), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: instants in ISO 8601 UTC, paths as text, not-a-number as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return str(value)


def _write_table(table: pa.Table, path: Path, geometry: str | None) -> None:
    if geometry is not None:
        metadata = {**(table.schema.metadata or {}), b"geo": _geo_metadata(table[geometry], geometry)}
        table = table.replace_schema_metadata(metadata)
    pq.write_table(
        table.combine_chunks(), path, compression="zstd", row_group_size=ROW_GROUP_ROWS, coerce_timestamps="us"
    )
    _sync(path)


def _geo_metadata(column: pa.ChunkedArray, name: str) -> bytes:
    """GeoParquet 1.1 file metadata. Without a `crs` key the standard reads OGC:CRS84: WGS 84, longitude first."""
    shapes = shapely.from_wkb(pc.drop_null(column).to_numpy(zero_copy_only=False))
    described: dict[str, Any] = {
        "encoding": "WKB",
        "edges": "planar",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
    }
    bounds = shapely.total_bounds(shapes).tolist() if len(shapes) else []
    if bounds and all(math.isfinite(edge) for edge in bounds):
        described["bbox"] = bounds
    geo = {"version": "1.1.0", "primary_column": name, "columns": {name: described}}
    return json.dumps(geo, sort_keys=True).encode()


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk before what relies on it is written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class LoadedRun:
    """A finished run read back from its folder."""

    folder: Path
    tables: Mapping[str, pa.Table]
    run: Mapping[str, Any]


def load_run(out: Path | str, names: Sequence[str] = TABLES) -> LoadedRun:
    """The tables and run.json of an output folder.

    Raises UsageError for a folder that holds no finished run, or one of another format.
    """
    out = Path(out)
    if not out.is_dir():
        raise UsageError(f"{out}: is no folder; --run names the folder that `wakewatch scan --out` wrote")
    try:
        run = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{out}: holds no {RUN_FILE}, so no finished run; run `wakewatch scan` again") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{out / RUN_FILE}: cannot be read ({error}); run `wakewatch scan` again") from None
    if not isinstance(run, dict) or run.get("format") != RUN_FORMAT:
        raise UsageError(f"{out / RUN_FILE}: was not written by this version of wakewatch; run `wakewatch scan` again")
    tables = {}
    for name in names:
        if name in ADDED and name not in run.get("outputs", {}):
            tables[name] = ADDED[name].empty()
            continue
        try:
            tables[name] = pq.read_table(out / f"{name}.parquet")
        except (OSError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"{out / name}.parquet: cannot be read ({reason}); run `wakewatch scan` again") from None
        expected = run.get("outputs", {}).get(name, {}).get("n_rows")
        if tables[name].num_rows != expected:
            raise UsageError(
                f"{out / name}.parquet: has {tables[name].num_rows} rows where {RUN_FILE} says {expected}; "
                "the folder is a mixture of two runs. Run `wakewatch scan` again"
            )
    return LoadedRun(folder=out, tables=tables, run=run)
