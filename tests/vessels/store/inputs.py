"""Small invented inputs and a store in memory: what the tests of the ledger ask of files, tables and nights.

An input's text says on which days its rows lie, one line a day: `day rows first_s last_s`, seconds of the day. That is
all that the ledger wants to know, so nothing here reads AIS.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from vessels.quality import Reject
from vessels.store.discovery import Discovery, discover
from vessels.store.entries import DayRows, Entry, NewInput, commit_notes, source_of
from vessels.store.layout import INPUTS, NAMES
from vessels.store.ledger import Ledger
from vessels.units import US_PER_DAY, US_PER_S

DAY = 19_844
"""2 May 2024."""
LAST_S = 86_390


def text(*days: tuple[int, int] | tuple[int, int, int, int], salt: object = "") -> str:
    """An input with rows on these days: (day, rows), all day long, or (day, rows, first second, last second)."""
    lines = [f"# {salt}"]
    for day in days:
        number, n_rows, first_s, last_s = day if len(day) == 4 else (*day, 0, LAST_S)
        lines.append(f"{number} {n_rows} {first_s} {last_s}")
    return "\n".join(lines) + "\n"


def digest_of(content: str | bytes) -> str:
    """Digest of a file with this content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def entry_of(content: str, **changed: object) -> Entry:
    """What the ledger gets to know of an input. Raises ValueError for a text that was cut within a line."""
    digest = digest_of(content)
    days = sorted(tuple(map(int, line.split())) for line in content.splitlines() if not line.startswith("#"))
    if any(len(day) != 4 for day in days) or not content.endswith("\n"):
        raise ValueError("cut short")
    firsts = [day * US_PER_DAY + first_s * US_PER_S for day, _, first_s, _ in days]
    known: dict[str, object] = {
        "digest": digest,
        "source": source_of(digest),
        "source_id": f"source-{digest[:12]}",
        "n_bytes": len(content.encode()),
        "format": "csv",
        "dialect": "canonical",
        "n_rows": sum(n for _, n, _, _ in days),
        "n_stored": len(days),
        "rejects": (Reject("null_island", 2, 7, "0,0"), Reject("ragged_row", 1, None, "a,b")),
        "nulled": (("sog.not_available", 3),),
        "days": tuple(DayRows(day, n, day * US_PER_DAY + last_s * US_PER_S) for day, n, _, last_s in days),
        "first_us": min(firsts, default=None),
        "last_us": max((day * US_PER_DAY + last_s * US_PER_S for day, _, _, last_s in days), default=None),
        "thin_s": 60.0,
        "zones": "z1",
    }
    return Entry(**{**known, **changed})


class KilledError(Exception):
    """The machine died."""


@dataclass
class Power:
    """How many more commits there will be; None for as many as wanted."""

    commits: int | None = None

    def use(self) -> None:
        """One commit."""
        if self.commits is not None:
            if self.commits == 0:
                raise KilledError
            self.commits -= 1


@dataclass
class MemoryTable:
    """A table of the store in memory, as far as the ledger uses one."""

    schema: pa.Schema
    power: Power
    rows: pa.Table = field(init=False)
    notes: list[dict[str, str]] = field(default_factory=lambda: [{}])

    def __post_init__(self) -> None:
        self.rows = self.schema.empty_table()

    @property
    def version(self) -> int:
        return len(self.notes) - 1

    def append(self, data: pa.Table, *, about: Mapping[str, str] | None = None) -> bool:
        self.power.use()
        self.rows = pa.concat_tables([data.select(self.schema.names), self.rows])
        self.notes.append(dict(about or {}))
        return True

    def replace(self, data: pa.Table, where: object) -> int:
        before = self.rows.num_rows
        rest = self.rows.filter(~where)
        self.power.use()
        self.rows = pa.concat_tables([data.select(self.schema.names), rest])
        self.notes.append({})
        return before - rest.num_rows

    def read(self) -> pa.Table:
        return self.rows

    def commits(self, limit: int | None = None) -> list[dict[str, str]]:
        return self.notes[::-1][:limit]


class MemoryStore:
    """A store in memory whose power can be cut."""

    def __init__(self) -> None:
        self.power = Power()
        self.positions = MemoryTable(pa.schema([("digest", pa.string())]), self.power)
        self.inputs = MemoryTable(INPUTS.arrow, self.power)
        self.names = MemoryTable(NAMES.arrow, self.power)


def take_in(store: object, files: Iterable[NewInput]) -> list[Entry]:
    """Each file in a commit of its own, as a task that knows of no other; what is there already is not added again."""
    entries = []
    for file in files:
        try:
            entry = entry_of(file.path.read_text())
        except ValueError:
            continue
        if entry.digest not in store.positions.rows["digest"].to_pylist():
            rows = pa.table({"digest": [entry.digest]})
            store.positions.append(rows, about=commit_notes([(file, entry)]))
        entries.append(entry)
    return entries


def night(store: object, inputs: Sequence[str | Path], *, kill_after: int | None = None) -> Discovery | None:
    """Look around, take in what is new, write it down; None when killed after so many commits."""
    store.power.commits = kill_after
    try:
        ledger = Ledger.read(store)
        found = discover(inputs, ledger)
        ledger.record(take_in(store, found.new), found.new, found.sightings)
    except KilledError:
        return None
    finally:
        store.power.commits = None
    return found


def counting(store: object) -> set[str]:
    """Digests of the contents that count."""
    return {entry.digest for entry in Ledger.read(store).counting()}
