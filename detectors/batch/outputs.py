"""The output folder: the tables of a run as Parquet and run.json, each file whole or not at all.

Takes tables and a run record; gives files whose bytes depend on nothing but the tables (run.json excepted: it holds
times). run.json is removed first and written last, so a folder without one is a folder whose run did not finish.
Reading them back is `detectors.run_folder`.
"""

import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from detectors.run_folder import GEOMETRY, RUN_FILE, TABLES, Written, run_values
from vessels.errors import UsageError

PAGES: Final = ("report.html",)
"""Files for people that a run may have beside its tables."""
NO_PAGES: Final[Mapping[str, str]] = MappingProxyType({})
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


def write_result(result: Written, out: Path | str, pages: Mapping[str, str] = NO_PAGES) -> None:
    """Write every table, the `pages` (text by file name) and run.json; who looks sees the old run, none, or the new.

    A folder that does not exist is made aside and renamed. In one that exists, pages of `PAGES` that an earlier run
    wrote and this one does not are removed, and other files are left alone.
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
        for name, text in pages.items():
            _write_text(staging / name, text)
        _write_text(staging / RUN_FILE, _run_text(result))
        if exists:
            (out / RUN_FILE).unlink(missing_ok=True)
            for name in set(PAGES) - set(pages):
                (out / name).unlink(missing_ok=True)
            for name in (*(f"{table}.parquet" for table in TABLES), *pages):
                (staging / name).replace(out / name)
            (staging / RUN_FILE).replace(out / RUN_FILE)
        else:
            staging.rename(out)
        _sync(out if exists else out.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_text(result: Written) -> str:
    return json.dumps(run_values(result), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
