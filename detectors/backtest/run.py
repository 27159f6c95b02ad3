"""Backtest: the user's tracks read, planted, scanned unplanted and planted, and the findings counted.

Takes paths and what `scan` takes; gives a `BacktestResult`. The user's files are only read: everything is planted into
a copy in a temporary folder, which is gone when the call returns. Writing results is left to
`detectors.backtest.writing`.
"""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.backtest.draws import generator
from detectors.backtest.fleet import Fleet, fleet_of
from detectors.backtest.kinds import counts_of, refuse_nothing
from detectors.backtest.outcomes import view_of
from detectors.backtest.planting import Planted, plant_all
from detectors.backtest.scoring import score
from detectors.backtest.truth import HullTruth
from detectors.backtest.watching import with_planted
from detectors.batch.scan import PathLike, Result, read_options, scan
from detectors.batch.settings import InputSettings, Settings, load_settings
from detectors.learned.baseline import Baseline, read_baseline
from detectors.watchlist import WatchList, read_watchlist
from vessels.canonical import CANONICAL_POSITIONS, ConvertSummary, write_canonical
from vessels.errors import NothingReadableError, UsageError
from vessels.intake import Progress, instant_us, no_progress
from vessels.quality import merge_counts
from vessels.reading import InputFile, find_inputs
from vessels.zones import Zones

ROWS_LIMIT: Final = 4_000_000
"""Rows held in memory, about 1 kB each at the peak (measured); of longer inputs whole vessels are left out, by lot."""
ROW_GROUP_ROWS: Final = 250_000


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found: tables `backtest` (a row a kind), `backtest_plants` (a row a plant) and `backtest_false`.

    `record` is what backtest.json holds; `planted` are the rows that were scanned, `watchlist` the rows that were added
    to the watch list.
    """

    tables: Mapping[str, pa.Table]
    record: Mapping[str, Any]
    planted: pa.Table
    watchlist: Sequence[Mapping[str, str]]


def backtest(
    tracks: PathLike | Sequence[PathLike],
    *,
    inject: Mapping[str, int] | None = None,
    seed: int = 0,
    settings: Settings | PathLike | None = None,
    zones: Zones | PathLike | None = None,
    watchlist: WatchList | PathLike | None = None,
    baseline: Baseline | PathLike | None = None,
    as_of: datetime | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> BacktestResult:
    """Plant falsified identities and lawful look-alikes into copies of tracks, scan, and say what was found.

    `inject` gives how many of which kind; without it some of each, as the tracks allow. The same input, arguments and
    `seed` give identical tables. The other arguments are those of `detectors.scan`.

    Raises UsageError for an unknown kind, an `inject` that asks for nothing and tracks that nothing can be planted
    into, and what `scan` raises.
    """
    progress = progress or no_progress
    if seed < 0:
        raise UsageError(f"seed is {seed}; it must be 0 or more")
    if inject is not None:
        refuse_nothing(inject)
    chosen = settings if isinstance(settings, Settings) else load_settings(None if settings is None else Path(settings))
    listed = _watchlist(watchlist, chosen)
    usual = _baseline(baseline, chosen)
    paths = [tracks] if isinstance(tracks, str | Path) else list(tracks)
    files, aside = find_inputs(paths)
    if not files:
        raise NothingReadableError("every input had to be set aside: " + "; ".join(item.detail for item in aside))
    with tempfile.TemporaryDirectory(prefix="wakewatch-") as folder:
        whole, clean, spoilt = (Path(folder) / f"{name}.parquet" for name in ("whole", "clean", "planted"))
        progress("read", 0, 1)
        read = write_canonical(files, whole, read_options(chosen))
        progress("read", 1, 1)
        table, notes = _rows(whole, seed, as_of)
        fleet = fleet_of(table)
        counts = counts_of(inject, len(fleet.ships))
        planted = plant_all(fleet, counts, seed, progress)
        rows = planted.table()
        _write(fleet.rows, clean)
        _write(rows, spoilt)
        again = chosen.model_copy(update={"input": InputSettings()})
        until = as_of

        def scanned(path: Path, watched: WatchList) -> Result:
            nonlocal until
            result = scan(
                path,
                settings=again,
                zones=zones,
                watchlist=watched,
                baseline=usual,
                as_of=until,
                jobs=jobs,
                progress=progress,
            )
            until = result.run.as_of
            return result

        before = scanned(clean, listed)
        unplanted = view_of(before)
        extra = [dict(plant.listed) for plant in planted.plants if plant.listed]
        result = scanned(spoilt, with_planted(listed, extra, Path(folder)))
    scored = score(planted.plants, planted.asked, seed, view_of(result), unplanted, HullTruth(fleet, planted.sheet))
    record = {
        **_inputs_record(files, read, [asdict(item) for item in (*aside, *read.set_aside)]),
        **_run_record(result, before, fleet, planted, seed, inject, chosen),
        "notes": [*notes, *planted.notes],
        "links": {**asdict(scored.links), "recall": scored.links.recall, "precision": scored.links.precision},
    }
    tables = {"backtest": scored.kinds, "backtest_plants": scored.plants, "backtest_false": scored.false}
    return BacktestResult(tables, record, rows, extra)


def _watchlist(given: WatchList | PathLike | None, settings: Settings) -> WatchList:
    if isinstance(given, WatchList):
        return given
    path = given or settings.watch.list
    return WatchList() if path is None else read_watchlist(Path(path))


def _baseline(given: Baseline | PathLike | None, settings: Settings) -> Baseline | None:
    if isinstance(given, Baseline):
        return given
    path = given or settings.baseline.path
    return None if path is None else read_baseline(path)


def _rows(path: Path, seed: int, as_of: datetime | None) -> tuple[pa.Table, list[str]]:
    """The canonical rows up to `as_of`; of too many rows those of some vessels, drawn by lot."""
    mmsi = pq.read_table(path, columns=["mmsi"])["mmsi"].to_numpy()
    kept, notes = _kept(mmsi, seed)
    parts = []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROW_GROUP_ROWS):
            part = pa.Table.from_batches([batch])
            if kept is not None:
                part = part.filter(pa.array(np.isin(part["mmsi"].to_numpy(), kept)))
            if as_of is not None:
                part = part.filter(pc.less_equal(part["timestamp"].cast(pa.int64()), instant_us(as_of)))
            parts.append(part)
    return CANONICAL_POSITIONS.concat(part.cast(CANONICAL_POSITIONS.arrow) for part in parts), notes


def _kept(mmsi: np.ndarray[Any, Any], seed: int) -> tuple[np.ndarray[Any, Any] | None, list[str]]:
    if len(mmsi) <= ROWS_LIMIT:
        return None, []
    vessels, sizes = np.unique(mmsi, return_counts=True)
    order = generator(seed, "sample").permutation(len(vessels))
    kept = order[np.cumsum(sizes[order]) <= ROWS_LIMIT]
    note = (
        f"{len(mmsi):,} rows are more than the {ROWS_LIMIT:,} that a backtest holds in memory: {len(kept):,} of "
        f"{len(vessels):,} vessels were drawn by lot, {int(sizes[kept].sum()):,} rows; the rest was left out, so that "
        "the sea is emptier than it was. Give fewer days for a sea as full as it is"
    )
    return vessels[kept], [note]


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="lz4", row_group_size=ROW_GROUP_ROWS)


def _inputs_record(files: Sequence[InputFile], read: ConvertSummary, aside: list[dict[str, Any]]) -> dict[str, Any]:
    counts = merge_counts(read.counts_by_input.values())
    return {
        "inputs": [
            {
                "name": file.name,
                "n_bytes": file.n_bytes,
                "sha256": _digest(file.path),
                "n_rows": read.rows_by_input[file.name],
                "dialect": read.dialects[file.name],
            }
            for file in files
            if file.name in read.rows_by_input
        ],
        "set_aside": sorted(aside, key=lambda item: str(item["name"])),
        "rejects": {reason: reject.n_rows for reason, reject in sorted(counts.rejects.items())},
    }


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _run_record(
    result: Result,
    before: Result,
    fleet: Fleet,
    planted: Planted,
    seed: int,
    inject: Mapping[str, int] | None,
    settings: Settings,
) -> dict[str, Any]:
    return {
        "wakewatch": result.run.wakewatch,
        "versions": dict(result.run.versions),
        "detectors": list(result.run.detectors),
        "settings": settings.effective(),
        "as_of": result.run.as_of,
        "seed": seed,
        "inject": None if inject is None else dict(inject),
        "asked": dict(planted.asked),
        "n_rows": fleet.rows.num_rows,
        "n_vessels": fleet.n_vessels,
        "n_ships_to_plant_into": len(fleet.ships),
        "unfit": dict(fleet.unfit),
        "unplanted": {"n_voyages": before.run.n_voyages, "n_findings": before.run.n_findings},
        "planted": {"n_voyages": result.run.n_voyages, "n_findings": result.run.n_findings},
        "stages": {"unplanted": dict(before.run.stages), "planted": dict(result.run.stages)},
    }
