"""The folder of a backtest: its tables as Parquet and backtest.json, all of them whole or none.

Takes a `BacktestResult`; gives files. backtest.json is removed first and written last, so a folder without one holds
no finished backtest.
"""

import json
import math
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow.parquet as pq

from detectors.backtest.kinds import COPIES
from detectors.backtest.run import BacktestResult
from detectors.backtest.watching import csv_text
from detectors.batch.outputs import check_out

RECORD_FILE: Final = "backtest.json"
TABLES: Final = ("backtest", "backtest_plants", "backtest_false")
TRACKS_FILES: Final[Mapping[str, str]] = MappingProxyType(
    {copy: "planted.parquet" if copy == "identity" else f"planted_{copy}.parquet" for copy in COPIES}
)
"""The rows of each copy."""
WATCHLIST_FILE: Final = "planted_watchlist.csv"


def write_backtest(result: BacktestResult, out: Path) -> None:
    """Write the tables and the record to `out`; whoever looks sees the old backtest, none, or the new one.

    Planted rows that the result holds are written too, and the watch-list rows that go with them; those of an earlier
    backtest are removed. Other files are left alone.
    Raises UsageError for a folder that cannot be written, OSError when the disk fails.
    """
    check_out(out)
    out.mkdir(parents=True, exist_ok=True)
    staging = out / f".wakewatch-{secrets.token_hex(8)}"
    staging.mkdir()
    names = [f"{name}.parquet" for name in TABLES]
    try:
        for name in TABLES:
            pq.write_table(result.tables[name], staging / f"{name}.parquet", compression="zstd")
        for copy, table in result.planted.items():
            pq.write_table(table, staging / TRACKS_FILES[copy], compression="zstd")
            names.append(TRACKS_FILES[copy])
        if result.planted and result.watchlist:
            (staging / WATCHLIST_FILE).write_text(csv_text(result.watchlist), encoding="utf-8")
            names.append(WATCHLIST_FILE)
        (staging / RECORD_FILE).write_text(record_text(result.record), encoding="utf-8")
        (out / RECORD_FILE).unlink(missing_ok=True)
        for name in (*TRACKS_FILES.values(), WATCHLIST_FILE):
            if name not in names:
                (out / name).unlink(missing_ok=True)
        for name in (*names, RECORD_FILE):
            (staging / name).replace(out / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def record_text(record: Mapping[str, Any]) -> str:
    """The record as JSON: keys sorted, instants in ISO 8601 UTC, not-a-number as null."""
    return json.dumps(_plain(record), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    return [_plain(item) for item in value] if isinstance(value, Sequence) else str(value)
