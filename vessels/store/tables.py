"""One table of the store: a Delta Lake table of declared columns, appended to, replaced and read a commit at a time.

Takes a place, a declaration and rows; gives rows back in stored order. Every fault of disk, log or Parquet becomes a
`StoreError` that names the table and the way out (`vessels.store.faults`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from vessels.errors import StoreError, UsageError
from vessels.schema import Table
from vessels.store.data_files import StoredFile, WrittenFile, read_rows, write_rows
from vessels.store.faults import contended, store_faults
from vessels.store.layout import META
from vessels.store.log import check_notes, commit, files_of, held_by, make_log, notes_of, open_log
from vessels.store.place import StorePlace

REWRITE: Final = "wakewatch.rewrite"
"""Transaction of every commit that takes files out. deltalake lets only one of two such commits through that were
begun at once; without it both would stand, and rows would be twice in the table."""
_TRIES: Final = 10
"""How often a replacement is made again on top of another process's."""


@dataclass(frozen=True, slots=True)
class StoreTable:
    """A table of the store. `partition_by` columns hold whole numbers; files are kept sorted by `sort_by`.

    `least_version` is one that the store has noted (table `meta`): a table that is missing or older has been lost.
    `to_list` is the row to put into that table once this one is made. Picklable; holds nothing open. What one commit
    changes shows all at once or not at all.
    """

    place: StorePlace
    declared: Table
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    least_version: int | None = None
    to_list: pa.Table | None = None

    @property
    def name(self) -> str:
        """Its name, which is its folder."""
        return self.declared.name

    @property
    def version(self) -> int:
        """Number of the newest commit; -1 if the table is not there yet."""
        table = self._opened()
        return -1 if table is None else table.version()

    def create(self) -> None:
        """Make the table if it is not there yet."""
        self._opened_or_made()

    def append(
        self,
        data: pa.Table | Iterable[pa.Table],
        *,
        transactions: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
    ) -> bool:
        """Add rows in one commit; whether anything was written.

        `data` may come in parts, so that only one of them is in memory. `transactions` name what is added: if the table
        holds all of them already, nothing is written; if it holds some, UsageError. `about` (keys begin with
        "wakewatch.") is kept with the commit. Several processes may append at once: all succeed.
        """
        check_notes(about)
        table = self._opened_or_made()
        if self._holds_all(table, transactions):
            return False
        with store_faults(self.place, self.name, "adding rows"):
            written = self._written([data] if isinstance(data, pa.Table) else data)
            actions = [file.addition(data_change=True) for file in written]
            if commit(self.place, table, self.name, actions, transactions, about):
                return True
            self._discard(written)
        if self._holds_all(self._opened_or_made(), transactions):
            return False
        raise contended(self.place, self.name)

    def replace(self, data: pa.Table, where: pc.Expression, *, about: Mapping[str, str] | None = None) -> int:
        """Take out the rows that `where` is true for and add `data`, in one commit; how many rows were taken out.

        For tables without partitions, whose rows fit in memory. What stays of files that lose rows goes into a file
        apart from the new rows, so that rows which are not replaced again are not written again either.
        """
        if self.partition_by:
            raise UsageError(
                f"table {self.name} is partitioned: its rows are appended, put together or dropped by file"
            )
        if not isinstance(where, pc.Expression):
            raise UsageError(f"what to replace in table {self.name} is a pyarrow expression, not {where!r}")
        check_notes(about)
        rest = ~where | where.is_null()
        for _ in range(_TRIES):
            table = self._opened_or_made()
            with store_faults(self.place, self.name, "replacing rows"):
                old, staying = [], []
                for file in files_of(table):
                    if not self.read_file(file, self.declared.names[:1], where).num_rows:
                        continue
                    old.append(file)
                    staying.append(self.read_file(file).filter(rest))
                if not old and not data.num_rows:
                    return 0
                parts = (self.declared.concat(staying), self._checked(data))
                new = self._written(part for part in parts if part.num_rows)
                if self._exchanged(table, old, new, about, data_change=True):
                    return sum(file.n_rows for file in old) - sum(int(rows.num_rows) for rows in staying)
                self._discard(new)
        raise contended(self.place, self.name)

    def delete(self, where: pc.Expression) -> int:
        """Take out the rows that `where` is true for; how many."""
        return self.replace(self.declared.empty(), where)

    def rewrite(self, files: Sequence[StoredFile]) -> int:
        """Put files together: the same rows, one new file a partition, sorted, in one commit; how many were made.

        0 if another process has taken one of the files out: then nothing changed. What is appended meanwhile stays.
        """
        table = self._opened_or_made()
        with store_faults(self.place, self.name, "putting files together"):
            if not self._has_all(table, files):
                return 0
            parts: dict[tuple[int, ...], list[StoredFile]] = {}
            for file in files:
                parts.setdefault(tuple(file.partition[name] for name in self.partition_by), []).append(file)
            new = self._written(self.declared.concat(self.read_file(file) for file in part) for part in parts.values())
            if sum(w.file.n_rows for w in new) != sum(file.n_rows for file in files):
                self._discard(new)
                raise StoreError(
                    f"table {self.name}: rows went missing while files were put together; nothing was changed"
                )
            if self._exchanged(table, files, new, None, data_change=False):
                return len(new)
            self._discard(new)
        return 0

    def drop(self, files: Sequence[StoredFile]) -> int:
        """Take whole files out, in one commit; how many. 0 if another process has taken one out."""
        table = self._opened_or_made()
        with store_faults(self.place, self.name, "dropping files"):
            if not files or not self._has_all(table, files):
                return 0
            return len(files) if self._exchanged(table, files, [], None, data_change=True) else 0

    def read(
        self,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
        partitions: Mapping[str, Collection[int]] | None = None,
    ) -> pa.Table:
        """Rows in stored order (by partition, then by file): declared columns, or some of them; maybe no rows.

        `where` keeps rows, `partitions` whole files (column: values wanted).
        """
        names = list(self.declared.names if columns is None else columns)
        schema = pa.schema([self.declared.arrow.field(name) for name in names])
        parts = [self.read_file(file, names, where) for file in self.files(partitions)]
        return pa.concat_tables(parts).combine_chunks() if parts else schema.empty_table()

    def files(self, partitions: Mapping[str, Collection[int]] | None = None) -> tuple[StoredFile, ...]:
        """The table's files, by partition values, then by path; those of the wanted `partitions` (column: values).

        The order of files of one partition means nothing: they are named at random.
        """
        table = self._opened()
        if table is None:
            return ()
        with store_faults(self.place, self.name, "reading the log"):
            files = files_of(table)
        wanted = {name: frozenset(values) for name, values in (partitions or {}).items()}
        return tuple(f for f in files if all(f.partition[name] in values for name, values in wanted.items()))

    def read_file(
        self, file: StoredFile, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Rows of one file in stored order."""
        with store_faults(self.place, self.name, f"reading {file.path}"):
            return read_rows(self.place, self.declared, file, columns, where)

    def holds(self, transaction: str) -> bool:
        """Whether a commit named this transaction."""
        return bool(self.held([transaction]))

    def held(self, transactions: Iterable[str]) -> frozenset[str]:
        """Those of the transactions that some commit named; about 1 ms each."""
        table = self._opened()
        if table is None:
            return frozenset()
        with store_faults(self.place, self.name, "reading the log"):
            return held_by(table, transactions)

    def commits(self, limit: int | None = None) -> list[dict[str, str]]:
        """What the newest commits say about themselves, newest first, one item a commit; as far back as the log is
        kept (30 days)."""
        table = self._opened()
        if table is None:
            return []
        with store_faults(self.place, self.name, "reading the log"):
            return notes_of(table, limit)

    def vacuum(self, hours: int) -> int:
        """Delete files that no commit of the last `hours` names, those of killed writers among them; how many."""
        table = self._opened()
        if table is None:
            return 0
        with store_faults(self.place, self.name, "deleting old files"):
            there = {path for path, _ in self.place.listing(self.name)}
            old = there.intersection(table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True))
            if old:
                table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
        return len(old)

    def _opened(self) -> DeltaTable | None:
        return open_log(self.place, self.declared, self.partition_by, self.least_version)

    def _opened_or_made(self) -> DeltaTable:
        table = self._opened() or make_log(self.place, self.declared, self.partition_by)
        if self.to_list is not None:
            meta = StoreTable(self.place, META, least_version=0)
            if self.name not in meta.read(["table"])["table"].to_pylist():
                meta.append(self.to_list)
        return table

    def _checked(self, rows: pa.Table) -> pa.Table:
        """The rows in declared columns and types; what fits already is not copied."""
        if set(rows.column_names) == set(self.declared.names):
            columns = [rows[name] for name in self.declared.names]
            if all(column.type == kind.type for column, kind in zip(columns, self.declared.columns, strict=True)):
                return pa.Table.from_arrays(columns, schema=self.declared.arrow)
        return self.declared.build({name: rows[name] for name in rows.column_names})

    def _written(self, data: Iterable[pa.Table]) -> list[WrittenFile]:
        """Write rows to files that no commit names yet; on any fault none of them stays."""
        paths: list[str] = []
        written: list[WrittenFile] = []
        try:
            for part in data:
                rows = self._checked(part)
                written += write_rows(self.place, self.declared, self.partition_by, self.sort_by, rows, paths)
            self.place.settle(self.name, _folders(paths))
        except BaseException:
            for path in paths:
                self.place.remove(self.name, path)
            raise
        return written

    def _discard(self, written: Iterable[WrittenFile]) -> None:
        for w in written:
            self.place.remove(self.name, w.file.path)

    def _exchanged(
        self,
        table: DeltaTable,
        old: Sequence[StoredFile],
        new: Sequence[WrittenFile],
        about: Mapping[str, str] | None,
        *,
        data_change: bool,
    ) -> bool:
        """Commit new files in place of old ones; False if another process exchanged files meanwhile."""
        when_ms = self.place.now_ms(self.name)
        actions: list[AddAction | RemoveAction] = [w.addition(data_change=data_change) for w in new]
        actions += [file.removal(when_ms, data_change=data_change) for file in old]
        return commit(self.place, table, self.name, actions, [REWRITE], about)

    def _holds_all(self, table: DeltaTable, transactions: Sequence[str]) -> bool:
        with store_faults(self.place, self.name, "reading the log"):
            held = held_by(table, transactions)
        if held and len(held) < len(set(transactions)):
            raise UsageError(
                f"table {self.name} holds {len(held)} of {len(set(transactions))} inputs already; add only the others"
            )
        return bool(held)

    @staticmethod
    def _has_all(table: DeltaTable, files: Iterable[StoredFile]) -> bool:
        paths = {file.path for file in files_of(table)}
        return all(file.path in paths for file in files)


def _folders(paths: Iterable[str]) -> frozenset[str]:
    """The folders that lead to files, the table's own ("") among them."""
    folders = {""}
    for path in paths:
        steps = path.split("/")[:-1]
        folders |= {"/".join(steps[: i + 1]) for i in range(len(steps))}
    return frozenset(folders)
