"""A finished run: its tables by name and its record, in memory or read back from the folder it was written to.

Takes a folder, or a result not yet written; gives a `LoadedRun`, from which alone reports, cases and exports are made.
Writing the folder is left to `detectors.batch.outputs`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from detectors.run_tables import FENCES, TRACKS
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
    *("tracks", "zones"),
    "rejects",
)
ADDED: Final[Mapping[str, Table]] = MappingProxyType(
    {"hull_links": HULL_LINKS, **EVENTS, "tracks": TRACKS, "zones": FENCES}
)
"""Tables that folders of earlier versions lack; read from such a folder they are empty."""
GEOMETRY: Final[Mapping[str, str]] = MappingProxyType({"flagged_voyages": "geometry", "zones": "geometry"})
"""Tables that are GeoParquet, and their geometry column: WKB, WGS 84 longitude and latitude."""
RUN_FORMAT: Final = 1
"""Goes up when the shape of run.json or of the folder changes in a way that readers must know."""


class Written(Protocol):
    """What is written: a run's tables by name and its record; `detectors.batch.engine.Result` is one."""

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """The tables of `TABLES`, each by its name."""

    @property
    def run(self) -> object:
        """The run record: a dataclass or a mapping of plain values."""


def run_values(result: Written) -> dict[str, Any]:
    """What run.json holds: the run record as plain values, and how many rows each table has."""
    record = asdict(result.run) if is_dataclass(result.run) and not isinstance(result.run, type) else result.run
    if not isinstance(record, Mapping):
        raise TypeError(f"a run record is a dataclass or a mapping, not {type(record).__name__}")
    outputs = {name: {"n_rows": result.tables[name].num_rows} for name in TABLES}
    return {**_plain(record), "format": RUN_FORMAT, "outputs": outputs}


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


@dataclass(frozen=True)
class LoadedRun:
    """A finished run read back from its folder."""

    folder: Path
    tables: Mapping[str, pa.Table]
    run: Mapping[str, Any]


def run_in_memory(result: Written, folder: Path | str) -> LoadedRun:
    """A result that is not written yet, as `load_run` would read it back from `folder`."""
    return LoadedRun(Path(folder), result.tables, run_values(result))


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
