"""The ledger: which contents are in the store, under which names they were seen, and which of them count.

Takes the store's tables `inputs` and `names` and what the commits of `positions` say; gives entries, the names in
force, the contents that count, and from when to when their rows lie. Looking around for files is left to
`vessels.store.discovery`.

A night writes in this order: positions (whose commit says what was taken in), `inputs`, `names`. Whatever was not
written when the machine died is made up from the commits, so a ledger is whole as soon as it is read.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.errors import StoreError
from vessels.quality import plausible_span
from vessels.store.entries import (
    Entry,
    NewInput,
    Sighting,
    entries_of,
    entry_rows,
    noted,
    sighting_rows,
)
from vessels.store.ledger_columns import InputDays, IntArray, Mask, NamesInForce, Sightings
from vessels.store.standing import Extent, extent_of, superseded
from vessels.store.store import TrackStore
from vessels.units import US_PER_DAY

RECONCILED_NOTE: Final = "wakewatch.reconciled"
"""Note of a commit of `names`: the version of `positions` up to whose commits the ledger is whole."""
FULL_SHARE: Final = 0.001
"""A last day with fewer rows than one in a thousand of a usual day's does not count yet. Source: judgement; the rows
after midnight that a day file holds count with the next day's file, and of wrong clocks there are fewer."""
_LOOK_BACK: Final = (4, 64, 1 << 30)
"""Commits of `names` that are looked through for the note, more and more; upkeep adds some that have none."""


class Totals(NamedTuple):
    """Inputs that count, rows in their files, rows of them kept."""

    n_inputs: int
    n_rows: int
    n_stored: int


class Ledger:
    """All inputs that the store holds; made by `Ledger.read`. A ledger is a state: what is recorded gives a new one.

    Reading writes nothing; what commits of `positions` say and the tables do not is kept in mind and goes out with
    the next record.
    """

    def __init__(
        self,
        store: TrackStore,
        inputs: pa.Table,
        names: pa.Table,
        version: int,
        unwritten: tuple[Sequence[Entry], Sequence[Sighting]] = ((), ()),
    ) -> None:
        """`inputs` and `names` as in the tables, of `positions` at `version`; `unwritten` comes on top of them."""
        self._store = store
        self._version = version
        self._unwritten = unwritten
        self._written = inputs["digest"]
        self._inputs = _last_of_each(pa.concat_tables([inputs, entry_rows(unwritten[0])]))
        self._names = pa.concat_tables([names, sighting_rows(unwritten[1])])

    @classmethod
    def read(cls, store: TrackStore) -> "Ledger":
        """The ledger as the tables and the commits have it.

        Raises StoreError when the tables cannot be read, or do not belong together.
        """
        inputs, names = store.inputs.read(), store.names.read()
        version, known_to = store.positions.version, _reconciled(store)
        if known_to > version:
            raise StoreError(
                f"the table positions is at version {version}, but the table names was written when it was at "
                f"{known_to}: the two are not of one copy; restore the whole store from one copy"
            )
        entries, sightings = _noted_since(store, version, known_to)
        told = pc.is_in(inputs["digest"], value_set=pa.array(list(entries), pa.string()))
        have = {entry.digest: entry for entry in entries_of(inputs.filter(told))}
        seen = _pairs(names) if sightings else set()
        unwritten = (
            [entry for digest, entry in entries.items() if entry != have.get(digest)],
            [sighting for sighting in sightings if (sighting.name, sighting.seq) not in seen],
        )
        return cls(store, inputs, names, version, unwritten)

    def __len__(self) -> int:
        return int(self._inputs.num_rows)

    def __contains__(self, digest: str) -> bool:
        return digest in self._rows

    def row_of(self, digest: str) -> int | None:
        """The row of a content in the ledger, as `NamesInForce` refers to it."""
        return self._rows.get(digest)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {digest: row for row, digest in enumerate(self._inputs["digest"].to_pylist())}

    @property
    def digests(self) -> pa.ChunkedArray:
        """Digests of all contents, in order of the ledger's rows."""
        return self._inputs["digest"]

    @property
    def n_unwritten(self) -> int:
        """Inputs that only commits tell of: the job was stopped before it wrote its ledger."""
        return len(self._unwritten[0])

    def entry(self, digest: str) -> Entry | None:
        """What is known of a content; None if it was never taken in."""
        row = self._rows.get(digest)
        return None if row is None else entries_of(self._inputs.slice(row, 1))[0]

    @property
    def next_seq(self) -> int:
        """The number of the next look around."""
        newest: int | None = pc.max(self._names["seq"]).as_py()
        return 1 if newest is None else newest + 1

    def record(self, entries: Iterable[Entry], files: Iterable[NewInput], seen: Iterable[Sighting] = ()) -> "Ledger":
        """Write down what was taken in, with the names it was found under, and what else was seen; the new ledger.

        `files` are what the entries were read from (and may be more). The names of a file without an entry are not
        written, so that it is tried again. An entry of a content that the ledger has takes its place. One commit a
        table, with what only the commits of `positions` told of so far; called once a night, when all is taken in.
        """
        taken = {entry.digest: entry for entry in (*self._unwritten[0], *entries)}
        sightings = [*self._unwritten[1], *seen]
        sightings += [sighting for file in files if file.digest in taken for sighting in file.sightings]
        inputs, names = self._inputs, self._names
        if taken:
            self._write(list(taken.values()))
            inputs = pa.concat_tables([inputs, entry_rows(taken.values())])
        if sightings:
            rows = sighting_rows({(sighting.name, sighting.seq): sighting for sighting in sightings}.values())
            self._store.names.append(rows, about={RECONCILED_NOTE: str(self._version)})
            names = pa.concat_tables([names, rows])
        return Ledger(self._store, inputs, names, self._version)

    def _write(self, entries: Sequence[Entry]) -> None:
        rows = entry_rows(entries)
        again = rows["digest"].filter(pc.is_in(rows["digest"], value_set=self._written.combine_chunks())).to_pylist()
        if again:
            self._store.inputs.replace(rows, pc.field("digest").isin(again))
        else:
            self._store.inputs.append(rows)

    @cached_property
    def in_force(self) -> NamesInForce:
        """What each name held last."""
        return self._seen.in_force()

    @cached_property
    def _seen(self) -> Sightings:
        return Sightings.of(self._names, self._inputs["digest"])

    @cached_property
    def _superseded(self) -> Mask:
        out = np.zeros(len(self), np.bool_)
        histories = self._seen.histories()
        if not histories:
            return out
        involved = np.unique([content for history in histories for _, content in history])
        held = self.in_force.content[~self.in_force.is_gone]
        rows = superseded(histories, frozenset(involved[np.isin(involved, held)].tolist()), self._extents(involved))
        out[list(rows)] = True
        return out

    def _extents(self, rows: IntArray) -> Callable[[int], Extent | None]:
        first = self._inputs["first_time"].take(pa.array(rows)).cast(pa.int64()).to_pylist()
        extents = {}
        for row, first_us in zip(rows.tolist(), first, strict=True):
            part = slice(self._days.offsets[row], self._days.offsets[row + 1])
            day = self._days.day[part].tolist()
            n_rows = dict(zip(day, self._days.n_rows[part].tolist(), strict=True))
            newest_us = dict(zip(day, self._days.newest_us[part].tolist(), strict=True))
            extents[row] = extent_of(n_rows, newest_us, first_us)
        return extents.__getitem__

    @cached_property
    def _days(self) -> InputDays:
        return InputDays.of(self._inputs)

    @property
    def superseded(self) -> frozenset[str]:
        """Digests of the contents that do not count any more, because a later one of the same name covers them."""
        return frozenset(self.digests.filter(pa.array(self._superseded)).to_pylist())

    def counting(self, first_us: int | None = None, last_us: int | None = None) -> tuple[Entry, ...]:
        """The contents that count, sorted by source id and digest.

        With a window (both ends included; None is open), only those of which a row may lie in it. Without, all, also
        those that have no rows.
        """
        counts = ~self._superseded
        if first_us is not None or last_us is not None:
            inside = np.ones(len(self._days.day), np.bool_)
            if first_us is not None:
                inside &= self._days.newest_us >= first_us
            if last_us is not None:
                inside &= self._days.day * US_PER_DAY <= last_us
            in_window = np.zeros(len(self), np.bool_)
            in_window[self._days.entry[inside]] = True
            counts &= in_window
        entries = entries_of(self._inputs.filter(pa.array(counts)))
        return tuple(sorted(entries, key=lambda entry: (entry.source_id, entry.digest)))

    def names_of(self, entries: Iterable[Entry]) -> list[tuple[str, ...]]:
        """The names of each content, sorted: those that hold it, or else those that ever did."""
        force, seen = self.in_force, self._seen
        rows = [self._rows[entry.digest] for entry in entries]
        ever = _names_by_row(seen.content, seen.name, rows)
        now = _names_by_row(force.content, np.where(force.is_gone, -1, np.arange(len(force.name))), rows)
        texts = {n: str(force.name[n].as_py()) for names in (*ever.values(), *now.values()) for n in names}
        return [tuple(texts[n] for n in now.get(row) or ever.get(row) or []) for row in rows]

    def totals(self) -> Totals:
        """How much counts, all inputs together."""
        counts = pa.array(~self._superseded)
        sums = (pc.sum(self._inputs[name].filter(counts)).as_py() or 0 for name in ("n_rows", "n_stored"))
        return Totals(int(np.count_nonzero(~self._superseded)), *sums)

    def newest_us(self) -> dict[int, int]:
        """The newest time of each day (days since 1970) that has rows that count, strays too; by day."""
        days, _, newest_us = self._by_day()
        return dict(zip(days.tolist(), newest_us.tolist(), strict=True))

    def _by_day(self) -> tuple[IntArray, IntArray, IntArray]:
        counts = ~self._superseded[self._days.entry]
        days, at = np.unique(self._days.day[counts], return_inverse=True)
        n_rows, newest_us = np.zeros(len(days), np.int64), np.zeros(len(days), np.int64)
        np.add.at(n_rows, at, self._days.n_rows[counts])
        np.maximum.at(newest_us, at, self._days.newest_us[counts])
        return days, n_rows, newest_us

    def span_us(self) -> tuple[int, int]:
        """First and last time that count, in all contents that count; (0, 0) where there are no rows.

        Stray days, such as one row in 2099, are left out (`vessels.quality.plausible_span`), and so are last days that
        hold next to nothing beside a usual one (`FULL_SHARE`): one clock that is a week fast must not become "now".
        """
        days, n_rows, newest_us = self._by_day()
        if not len(days):
            return (0, 0)
        first, last = plausible_span(dict(zip(days.tolist(), n_rows.tolist(), strict=True)))
        inside = (days >= first) & (days <= last)
        full = inside & (n_rows >= FULL_SHARE * np.median(n_rows[inside]))
        return first * US_PER_DAY, int(newest_us[np.flatnonzero(full)[-1]])

    def as_of_us(self) -> int:
        """The newest time that counts: "now", as far as the data know."""
        return self.span_us()[1]


def _reconciled(store: TrackStore) -> int:
    """The version of `positions` up to which the tables of the ledger are whole; -1 if they do not say."""
    for limit in _LOOK_BACK:
        for about in store.names.commits(limit):
            if RECONCILED_NOTE in about:
                return int(about[RECONCILED_NOTE])
    return -1


def _noted_since(store: TrackStore, version: int, known_to: int) -> tuple[dict[str, Entry], list[Sighting]]:
    """What the commits of `positions` after `known_to` say of inputs, the newest word on each."""
    entries: dict[str, Entry] = {}
    sightings: list[Sighting] = []
    if version > known_to:
        for about in store.positions.commits(version - known_to):
            some, seen = noted(about)
            entries = {**{entry.digest: entry for entry in some}, **entries}
            sightings += seen
    return entries, sightings


def _names_by_row(content: IntArray, name: IntArray, rows: Sequence[int]) -> dict[int, list[int]]:
    """The numbers of the names, ascending, beside each of some contents; those below 0 are none."""
    wanted = np.isin(content, np.array(rows, np.int64)) & (name >= 0)
    out: dict[int, list[int]] = {}
    for row, n in np.unique(np.stack([content[wanted], name[wanted]], axis=1), axis=0).tolist():
        out.setdefault(row, []).append(n)
    return out


def _pairs(names: pa.Table) -> set[tuple[str, int]]:
    return set(zip(names["name"].to_pylist(), names["seq"].to_pylist(), strict=True))


def _last_of_each(inputs: pa.Table) -> pa.Table:
    """One row a digest, the last."""
    if pc.count_distinct(inputs["digest"]).as_py() == inputs.num_rows:
        return inputs
    last = {digest: row for row, digest in enumerate(inputs["digest"].to_pylist())}
    return inputs.take(pa.array(sorted(last.values())))
