"""The Delta log of one table: opened, made, listed and committed to.

Takes a place and a declaration; gives deltalake's view of the table, or refuses a log that is lost, cut short or of
other columns. What is committed is left to `vessels.store.tables`.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from vessels.errors import StoreError, UsageError
from vessels.schema import Table
from vessels.store.data_files import StoredFile
from vessels.store.faults import empty_entry, foreign_columns, lost_entries, lost_log, store_faults
from vessels.store.place import StorePlace

LOG: Final = "_delta_log"
ABOUT: Final = "wakewatch."
"""Keys of what a commit says about itself begin with this."""
_COMMIT_TRIES: Final = 100
"""How often deltalake tries for the next number of the log; each failed try is another writer's success."""
_CONFIGURATION: Final[Mapping[str, str | None]] = {
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 30 days",
}
"""A checkpoint each 50 commits keeps opening at 10 ms plus 3 ms for a thousand files (measured over 1,000 commits); the
ledger reads what commits say about themselves, so that they must outlive a job that stood still for weeks."""


def open_log(
    place: StorePlace, declared: Table, partition_by: Sequence[str], least_version: int | None
) -> DeltaTable | None:
    """The table as it stands now; None if it is not there yet.

    `least_version` is one that the table has had: it cannot be missing or be older without having been lost. Raises
    StoreError for a log that is lost, damaged, cut short, or of other columns.
    """
    name = declared.name
    table = newest(place, name)
    if table is None:
        if least_version is not None or _has_content(place, name):
            raise lost_log(place, name)
        return None
    version = table.version()
    if least_version is not None and version < least_version:
        raise lost_entries(place, name, version, least_version)
    stored = pa.schema(table.schema().to_arrow())
    fits = {f.name: f.type for f in stored} == {c.name: c.type for c in declared.columns}
    if not fits or table.metadata().partition_columns != list(partition_by):
        raise foreign_columns(place, name, stored.names, declared.names)
    return table


def newest(place: StorePlace, name: str) -> DeltaTable | None:
    """A table of any columns as it stands now; None if there is no log."""
    try:
        with store_faults(place, name, "opening"):
            table = DeltaTable(place.table_uri(name), storage_options=dict(place.options) or None)
    except StoreError as fault:
        if isinstance(fault.__cause__, TableNotFoundError):
            return None
        raise
    entry = f"{LOG}/{table.version():020d}.json"
    if place.is_local and (path := place.folder / name / entry).exists() and not path.stat().st_size:
        raise empty_entry(place, name, path)
    return table


def make_log(place: StorePlace, declared: Table, partition_by: Sequence[str]) -> DeltaTable:
    """Make an empty table; the one that another process has just made does as well."""
    with store_faults(place, declared.name, "making the table"):
        if place.is_local:
            (place.folder / declared.name).mkdir(parents=True, exist_ok=True)
        with suppress(CommitFailedError):
            DeltaTable.create(
                place.table_uri(declared.name),
                declared.arrow,
                mode="ignore",
                partition_by=list(partition_by),
                configuration=_CONFIGURATION,
                storage_options=dict(place.options) or None,
            )
        place.settle(declared.name, {"..", "", *_entries_after(place, declared.name, -1)})
    table = open_log(place, declared, partition_by, None)
    if table is None:
        raise lost_log(place, declared.name)
    return table


def files_of(table: DeltaTable) -> list[StoredFile]:
    """The files that a table consists of, by partition values, then by path."""
    actions = pa.table(table.get_add_actions(flatten=True))
    keys = table.metadata().partition_columns
    partitions = [actions[f"partition.{key}"].to_pylist() for key in keys]
    values = zip(*partitions, strict=True) if keys else [()] * actions.num_rows
    columns = (actions[name].to_pylist() for name in ("path", "size_bytes", "num_records"))
    files = [
        StoredFile(path, n_bytes, n_rows, dict(zip(keys, map(int, value), strict=True)))
        for path, n_bytes, n_rows, value in zip(*columns, values, strict=True)
    ]
    return sorted(files, key=lambda file: (tuple(file.partition.values()), file.path))


def held_by(table: DeltaTable, transactions: Iterable[str]) -> frozenset[str]:
    """Those of the transactions that some commit named; about 1 ms each."""
    return frozenset(name for name in transactions if table.transaction_version(name) is not None)


def notes_of(table: DeltaTable, limit: int | None) -> list[dict[str, str]]:
    """What the newest commits say about themselves, newest first."""
    return [{k: v for k, v in commit.items() if k.startswith(ABOUT)} for commit in table.history(limit)]


def check_notes(about: Mapping[str, str] | None) -> None:
    """Raise UsageError for notes that could be taken for deltalake's own."""
    if unfit := [key for key in about or {} if not key.startswith(ABOUT)]:
        raise UsageError(f"what a commit says about itself has keys that begin with {ABOUT!r}, not {unfit}")


def commit(
    place: StorePlace,
    table: DeltaTable,
    name: str,
    actions: Sequence[AddAction | RemoveAction],
    transactions: Sequence[str],
    about: Mapping[str, str] | None,
) -> bool:
    """Commit on top of `table`, or of what others have appended since.

    False if another process has committed one of the transactions since: then nothing was. What follows a commit
    (a checkpoint) may fail without undoing it; whether it stands is then read from the log.
    """
    properties = CommitProperties(
        custom_metadata=dict(about or {}),
        max_commit_retries=_COMMIT_TRIES,
        app_transactions=[Transaction(transaction, 1) for transaction in transactions],
    )
    partition_by = table.metadata().partition_columns
    try:
        table.create_write_transaction(
            list(actions), "append", table.schema(), partition_by, commit_properties=properties
        )
    except CommitFailedError as fault:
        if "oncurrent transaction" not in str(fault):
            raise
        return False
    except (DeltaError, OSError):
        if not _stands(place, name, actions):
            raise
    place.settle(name, _entries_after(place, name, table.version()))
    return True


def _entries_after(place: StorePlace, name: str, version: int) -> set[str]:
    """The log's folder, and what was written to it after a version: deltalake leaves it to the system when the disk has
    them."""
    if not place.is_local:
        return set()
    newer = {path for path, _ in place.listing(f"{name}/{LOG}") if not path[:20].isdigit() or int(path[:20]) > version}
    return {LOG, *(f"{LOG}/{path}" for path in newer)}


def _stands(place: StorePlace, name: str, actions: Sequence[AddAction | RemoveAction]) -> bool:
    """Whether the table is as these actions make it."""
    table = newest(place, name)
    if table is None:
        return False
    paths = {file.path for file in files_of(table)}
    return all((action.path in paths) == isinstance(action, AddAction) for action in actions)


def _has_content(place: StorePlace, name: str) -> bool:
    """Whether the folder holds data or log entries; what is left of a making that was cut short is neither."""
    with store_faults(place, name, "looking for files"):
        listing = place.listing(name)
    return any(path.endswith((".parquet", ".json", ".crc")) for path, _ in listing)
