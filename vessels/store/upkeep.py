"""Upkeep of a store: files put together, old weeks dropped, leftovers deleted; what it amounts to on disk.

Takes a store; gives counts. None of it changes what a night reads: rows stay what they are, but for weeks that the user
lets go. Each step is one commit and can be cut short anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from vessels.parameters import Parameters
from vessels.store.data_files import StoredFile
from vessels.store.faults import lost_log, store_faults
from vessels.store.layout import DAYS_PER_WEEK
from vessels.store.log import files_of, newest
from vessels.store.store import TrackStore
from vessels.store.tables import StoreTable
from vessels.units import US_PER_DAY

_US_PER_WEEK: Final = DAYS_PER_WEEK * US_PER_DAY
ROWS_AT_ONCE: Final = 8_000_000
"""Rows put together in one file: at 65 bytes a row in memory and a copy to sort, under 1.5 GB."""


class UpkeepParameters(Parameters):
    """When files are put together, and how long things are kept."""

    compact_files: int = Field(
        24,
        ge=2,
        description="files of one week and bucket, or of a table without weeks, above which they are put together. "
        "Source: measured, docs/decisions/track-store.md",
    )
    settled_weeks: int = Field(
        2,
        ge=1,
        description="weeks before now from which on a week counts as settled: few files are added to it any more. "
        "Source: judgement; late files are rarely later",
    )
    settled_files: int = Field(
        4,
        ge=1,
        description="files of one settled week and bucket above which they are put together. "
        "Source: measured, docs/decisions/track-store.md",
    )
    retention_days: int | None = Field(
        None, ge=1, description="days before now after which a whole week is dropped; none: never. Source: the user"
    )
    vacuum_h: int = Field(
        168,
        ge=0,
        description="hours for which files that are no longer part of a table are kept, for those who still read them. "
        "Source: the Delta protocol's own default, 7 days",
    )


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: files put together and made of them, files and rows of weeks dropped, files deleted from disk."""

    n_put_together: int = 0
    n_made: int = 0
    n_dropped: int = 0
    n_rows_dropped: int = 0
    n_deleted: int = 0


@dataclass(frozen=True, slots=True)
class TableSize:
    """What one table holds, and what lies in its folder: log, and files not yet deleted, among it."""

    n_files: int
    n_rows: int
    n_bytes: int
    n_bytes_on_disk: int


def keep_up(
    store: TrackStore, now_us: int, parameters: UpkeepParameters | None = None, extras: Sequence[StoreTable] = ()
) -> Upkeep:
    """Look after all tables of a store, and after `extras`, those that other packages keep in it.

    `now_us` (microseconds since 1970) is the night's as-of time, by which weeks grow old. Of the settled weeks only a
    share is put together each time, twice as much as settles in a day, so that no night pays for a whole week. At the
    end the store notes how far the log of each table goes.
    """
    parameters = parameters or UpkeepParameters()
    n_dropped, n_rows_dropped = _drop_weeks(store.positions, now_us, parameters)
    due = _due(store.positions.files(), store.n_buckets, now_us, parameters)
    small = (store.claims, store.inputs, store.names, store.identities, store.port_visits, store.anchors)
    n_put_together = n_made = 0
    for files in due:
        made = store.positions.rewrite(files)
        n_put_together, n_made = n_put_together + len(files) * (made > 0), n_made + made
    for table in (*small, *extras):
        files = list(table.files())
        if not table.partition_by and len(files) > parameters.compact_files:
            made = table.rewrite(files)
            n_put_together, n_made = n_put_together + len(files) * (made > 0), n_made + made
    n_deleted = sum(table.vacuum(parameters.vacuum_h) for table in (store.positions, *small, *extras, store.meta))
    store.note()
    return Upkeep(n_put_together, n_made, n_dropped, n_rows_dropped, n_deleted)


def store_size(store: TrackStore) -> dict[str, TableSize]:
    """Size of every table by name."""
    sizes: dict[str, TableSize] = {}
    for name in store.tables():
        table = newest(store.place, name)
        if table is None:
            raise lost_log(store.place, name)
        with store_faults(store.place, name, "looking for files"):
            files = files_of(table)
            on_disk = sum(n_bytes for _, n_bytes in store.place.listing(name))
        sizes[name] = TableSize(len(files), sum(f.n_rows for f in files), sum(f.n_bytes for f in files), on_disk)
    return sizes


def _drop_weeks(positions: StoreTable, now_us: int, parameters: UpkeepParameters) -> tuple[int, int]:
    """Drop the weeks all of whose days are older than the retention; how many files and rows."""
    if parameters.retention_days is None:
        return 0, 0
    first_week = (now_us - parameters.retention_days * US_PER_DAY) // _US_PER_WEEK
    old = [file for file in positions.files() if file.partition["week"] < first_week]
    return (len(old), sum(file.n_rows for file in old)) if positions.drop(old) else (0, 0)


def _due(
    files: Sequence[StoredFile], n_buckets: int, now_us: int, parameters: UpkeepParameters
) -> list[list[StoredFile]]:
    """The groups of files to put together now, each of one week and bucket."""
    partitions: dict[tuple[int, int], list[StoredFile]] = {}
    for file in files:
        partitions.setdefault((file.partition["week"], file.partition["bucket"]), []).append(file)
    settled = now_us // _US_PER_WEEK - parameters.settled_weeks
    crowded = [part for part in partitions.values() if len(part) > parameters.compact_files]
    resting = [
        part
        for (week, _), part in partitions.items()
        if week <= settled and parameters.settled_files < len(part) <= parameters.compact_files
    ]
    share = -(-2 * n_buckets // DAYS_PER_WEEK)
    resting.sort(key=lambda part: (-len(part), part[0].partition["week"], part[0].partition["bucket"]))
    return [group for part in (*crowded, *resting[:share]) for group in _groups(part)]


def _groups(files: Sequence[StoredFile]) -> list[list[StoredFile]]:
    """Files of one week and bucket, smallest first, in groups of as many rows as fit in memory; none of one file."""
    groups: list[list[StoredFile]] = [[]]
    n_rows = 0
    for file in sorted(files, key=lambda file: (file.n_rows, file.path)):
        if groups[-1] and n_rows + file.n_rows > ROWS_AT_ONCE:
            groups.append([])
            n_rows = 0
        groups[-1].append(file)
        n_rows += file.n_rows
    return [group for group in groups if len(group) > 1]
