"""Backtest: the user's tracks read, planted copy by copy, scanned unplanted and planted, and the findings counted.

Takes paths and what `scan` takes; gives a `BacktestResult`. The user's files are only read: everything is planted into
a copy in a temporary folder, which is gone when the call returns. Writing results is left to
`detectors.backtest.writing`.
"""

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
from detectors.backtest.fleet import fleet_of
from detectors.backtest.kinds import CopyName, counts_of, refuse_nothing
from detectors.backtest.outcomes import view_of
from detectors.backtest.planting import by_copy, plant_all, refuse_barren
from detectors.backtest.recording import inputs_record, run_record
from detectors.backtest.scoring import Trial, score
from detectors.backtest.truth import HullTruth
from detectors.backtest.watching import with_planted
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Plant
from detectors.batch.result import Result, RunRecord
from detectors.batch.scan import PathLike, read_options, scan
from detectors.batch.sections import InputSettings
from detectors.batch.settings import Settings, apply_levels, load_settings
from detectors.learned.baseline import Baseline, read_baseline
from detectors.watchlist import WatchList, read_watchlist
from vessels.canonical import CANONICAL_POSITIONS, write_canonical
from vessels.errors import NothingReadableError, UsageError
from vessels.instants import instant_us
from vessels.intake import Progress, no_progress
from vessels.reading import find_inputs
from vessels.zones import Zones, read_zones

ROWS_LIMIT: Final = 4_000_000
"""Rows held in memory, about 1 kB each at the peak (measured); of longer inputs whole vessels are left out, by lot."""
ROW_GROUP_ROWS: Final = 250_000


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found: tables `backtest` (a row a kind), `backtest_plants` (a row a plant) and `backtest_false`.

    `record` is what backtest.json holds; `planted` are the rows that were scanned, by copy, where they were to be kept;
    `watchlist` the rows that were added to the watch list.
    """

    tables: Mapping[str, pa.Table]
    record: Mapping[str, Any]
    planted: Mapping[str, pa.Table]
    watchlist: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class _Copy:
    """One planted copy on disk, what was planted into it, and which row is whose."""

    path: Path
    plants: Sequence[Plant]
    asked: Mapping[str, int]
    truth: HullTruth


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
    keep_tracks: bool = False,
    progress: Progress | None = None,
) -> BacktestResult:
    """Plant falsifications and lawful look-alikes into copies of tracks, scan, and say what was found.

    `inject` gives how many of which kind; without it some of each, as the tracks allow. The same input, arguments and
    `seed` give identical tables. With `keep_tracks` the result holds the planted rows. The other arguments are those
    of `detectors.scan`.

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
        whole, clean = (Path(folder) / f"{name}.parquet" for name in ("whole", "clean"))
        progress("read", 0, 1)
        read = write_canonical(files, whole, read_options(chosen))
        progress("read", 1, 1)
        table, notes = _rows(whole, seed, as_of)
        fleet, waters = fleet_of(table), Waters(_zones(zones, chosen))
        asked = counts_of(inject, len(fleet.ships))
        made: dict[CopyName, _Copy] = {}
        kept: dict[str, pa.Table] = {}
        for name, counts in by_copy(asked).items():
            planted = plant_all(fleet, counts, seed, waters, progress)
            rows = planted.table()
            path = Path(folder) / f"{name}.parquet"
            _write(rows, path)
            kept |= {name: rows} if keep_tracks else {}
            notes += planted.notes
            made[name] = _Copy(path, planted.plants, counts, HullTruth(fleet, planted.sheet))
            del planted, rows
        refuse_barren(sum(len(copy.plants) for copy in made.values()), notes)
        _write(fleet.rows, clean)
        again = chosen.model_copy(update={"input": InputSettings()})
        until = as_of

        def scanned(path: Path, watched: WatchList) -> Result:
            nonlocal until
            result = scan(
                path,
                settings=again,
                zones=waters.zones,
                watchlist=watched,
                baseline=usual,
                as_of=until,
                jobs=jobs,
                progress=progress,
            )
            until = result.run.as_of
            return result

        before = scanned(clean, listed)
        unplanted, first = view_of(before), before.run
        del before
        runs: dict[str, RunRecord] = {}
        trials: list[Trial] = []
        extra: list[Mapping[str, str]] = []
        for name, copy in made.items():
            more = [dict(plant.listed) for plant in copy.plants if plant.listed]
            result = scanned(copy.path, with_planted(listed, more, Path(folder)))
            runs[name] = result.run
            trials.append(Trial(copy.plants, copy.asked, view_of(result), copy.truth))
            extra += more
            del result
    scored = score(trials, seed, unplanted)
    record = {
        **inputs_record(files, read, [asdict(item) for item in (*aside, *read.set_aside)]),
        **run_record(runs, first, fleet, asked, seed, inject, chosen),
        "notes": notes,
        "links": {**asdict(scored.links), "recall": scored.links.recall, "precision": scored.links.precision},
    }
    tables = {"backtest": scored.kinds, "backtest_plants": scored.plants, "backtest_false": scored.false}
    return BacktestResult(tables, record, kept, extra)


def _zones(given: Zones | PathLike | None, settings: Settings) -> Zones:
    if not isinstance(given, Zones):
        path = given or settings.watch.zones
        given = read_zones(None if path is None else Path(path))
    return apply_levels(given, settings)


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
