"""The ledger's records: what an input was, under which names it was seen, and how a commit tells of both.

Takes what was read of a file; gives frozen records, rows of `INPUTS` and `NAMES`, and the notes that a commit of
positions carries, so that a ledger that was not written in time can be made up from the commits. Keeping the ledger
is left to `vessels.store.ledger`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from vessels.errors import StoreError
from vessels.quality import Reject
from vessels.schema import TIMESTAMP
from vessels.store.layout import INPUTS, NAMES

INPUTS_NOTE: Final = "wakewatch.inputs"
NAMES_NOTE: Final = "wakewatch.names"
"""What a commit's notes are called."""
GONE: Final = ""
"""Digest of a name whose file is gone while another name has its content."""
_SOURCE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class DayRows:
    """Rows of one input on one UTC day (days since 1970), and the newest time among them."""

    day: int
    n_rows: int
    newest_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One content that was taken in: the ledger has one for each digest, whatever names the content bears.

    `source` numbers it in `positions`; `source_id` is the id that findings name; `days` are sorted. `first_us` and
    `last_us` are None where no row was kept. `zones` is the digest of the zones that the thinning looked at.
    """

    digest: str
    source: int
    source_id: str
    n_bytes: int
    format: str
    dialect: str
    n_rows: int
    n_stored: int
    rejects: tuple[Reject, ...]
    nulled: tuple[tuple[str, int], ...]
    days: tuple[DayRows, ...]
    first_us: int | None
    last_us: int | None
    thin_s: float
    zones: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A name as it was found: its size, when it was last changed, and the content it held.

    `seq` numbers the looks around: of two sightings of a name the later look is in force. The digest `GONE` says
    that the file is not there any more and that another name has its content.
    """

    name: str
    digest: str
    n_bytes: int
    mtime_ns: int
    seq: int


@dataclass(frozen=True, slots=True)
class NewInput:
    """A content to be taken in: where to read it, the first of its names, all its names, its digest and size.

    `sightings` go into the ledger with it, one for each of its names.
    """

    path: Path
    name: str
    names: tuple[str, ...]
    digest: str
    n_bytes: int
    mtime_ns: int
    sightings: tuple[Sighting, ...]


def source_of(digest: str) -> int:
    """The number that rows of a content bear: the first 8 bytes of its digest, signed.

    >>> source_of("ff" * 32)
    -1
    """
    return int.from_bytes(bytes.fromhex(digest)[:_SOURCE_BYTES], "big", signed=True)


def commit_notes(taken: Sequence[tuple[NewInput, Entry]]) -> dict[str, str]:
    """What the commit of these inputs' positions says of them, for a ledger that is not written any more."""
    entries = [asdict(entry) for _, entry in taken]
    sightings = [asdict(sighting) for file, _ in taken for sighting in file.sightings]
    return {INPUTS_NOTE: _json(entries), NAMES_NOTE: _json(sightings)}


def noted(about: Mapping[str, str]) -> tuple[list[Entry], list[Sighting]]:
    """What a commit's notes say; nothing where it has none. Raises StoreError for notes that cannot be read."""
    try:
        entries = [_entry(row) for row in json.loads(about.get(INPUTS_NOTE) or "[]")]
        sightings = [Sighting(**row) for row in json.loads(about.get(NAMES_NOTE) or "[]")]
    except (ValueError, TypeError, KeyError) as why:
        raise StoreError(
            f"a commit of the table positions has notes that cannot be read ({why}): another program wrote to the "
            "store, or its log is damaged; restore the store from a copy"
        ) from why
    return entries, sightings


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=True, separators=(",", ":"))


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        **{
            **row,
            "rejects": tuple(Reject(**reject) for reject in row["rejects"]),
            "nulled": tuple((str(reason), int(n_rows)) for reason, n_rows in row["nulled"]),
            "days": tuple(DayRows(**day) for day in row["days"]),
        }
    )


_PLAIN: Final = (
    "digest",
    "source",
    "source_id",
    "n_bytes",
    "format",
    "dialect",
    "n_rows",
    "n_stored",
    "thin_s",
    "zones",
)
_TIMES: Final = MappingProxyType({"first_time": "first_us", "last_time": "last_us"})


def entry_rows(entries: Iterable[Entry]) -> pa.Table:
    """Entries as rows of `INPUTS`, in the order given."""
    rows = list(entries)
    return INPUTS.build(
        {
            **{name: [getattr(entry, name) for entry in rows] for name in _PLAIN},
            **{
                column: pa.array([getattr(entry, name) for entry in rows], pa.int64()).cast(TIMESTAMP)
                for column, name in _TIMES.items()
            },
            "rejects": [[asdict(reject) for reject in entry.rejects] for entry in rows],
            "nulled": [[{"reason": reason, "n_rows": n} for reason, n in entry.nulled] for entry in rows],
            "days": [[{"day": d.day, "n_rows": d.n_rows, "newest": d.newest_us} for d in entry.days] for entry in rows],
        }
    )


def entries_of(rows: pa.Table) -> list[Entry]:
    """Rows of `INPUTS` as entries, in their order."""
    plain = {name: rows[name].to_pylist() for name in _PLAIN}
    times = {name: rows[column].cast(pa.int64()).to_pylist() for column, name in _TIMES.items()}
    days = _day_lists(rows)
    return [
        Entry(
            **{name: values[i] for name, values in plain.items()},
            **{name: values[i] for name, values in times.items()},
            rejects=tuple(Reject(**reject) for reject in rejects or ()),
            nulled=tuple((item["reason"], item["n_rows"]) for item in nulled or ()),
            days=days[i],
        )
        for i, (rejects, nulled) in enumerate(zip(rows["rejects"].to_pylist(), rows["nulled"].to_pylist(), strict=True))
    ]


def _day_lists(rows: pa.Table) -> list[tuple[DayRows, ...]]:
    column = rows["days"].combine_chunks()
    days = column.flatten()
    values = zip(
        days.field("day").to_pylist(),
        days.field("n_rows").to_pylist(),
        days.field("newest").cast(pa.int64()).to_pylist(),
        strict=True,
    )
    flat = [DayRows(*value) for value in values]
    lengths = column.value_lengths().fill_null(0).to_pylist()
    out, at = [], 0
    for length in lengths:
        out.append(tuple(flat[at : at + length]))
        at += length
    return out


def sighting_rows(sightings: Iterable[Sighting]) -> pa.Table:
    """Sightings as rows of `NAMES`, in the order given."""
    rows = list(sightings)
    return NAMES.build({name: [getattr(sighting, name) for sighting in rows] for name in NAMES.names})
