"""Nights: which nights were committed, in which order, and what each looked at.

Takes the store and what a night is made of; gives `Nights`. A night is one whose row stands here: whatever else a night
wrote counts only from then on. What was told is left to `detectors.batch.told`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from vessels.schema import TIMESTAMP, Column, Table, make_id
from vessels.store.store import TrackStore
from vessels.store.tables import StoreTable

_TEXT, _I64 = pa.string(), pa.int64()
STATUSES: Final = ("new", "revised", "unchanged", "withdrawn")
"""What the nightly job says of a voyage; see docs/nightly.md."""

NIGHTS: Final = Table(
    "nights",
    (
        Column("night_id", _TEXT, "hash of the key and of the place in the order of nights"),
        Column("seq", _I64, "place in the order of nights, from 1"),
        Column("as_of", TIMESTAMP, "what now was"),
        Column("window_start", TIMESTAMP, "first instant looked at"),
        Column("key", _TEXT, "digest of all that the night's answer depends on"),
        Column("date", _TEXT, "name of its folder, YYYY-MM-DD"),
        *(Column(f"n_{status}", _I64, f"voyages told as {status}") for status in STATUSES),
        Column("record", _TEXT, "its run.json"),
    ),
)
COMPARED_WITH: Final = 14
"""Nights before, by which a person sees whether this one is as usual: two weeks, so each day of the week twice."""
_COMPARED: Final = ("vessels", "voyages", "findings", "flagged")
_WITHOUT_RECORD: Final = tuple(name for name in NIGHTS.names if name != "record")

Row = Mapping[str, Any]


def night_id_of(key: str, seq: int) -> str:
    """The id of a night: of its key, and of its place, because the same key may come again after other nights."""
    return make_id("night", key, seq)


@dataclass(frozen=True)
class Nights:
    """The committed nights, oldest first, their records left out."""

    rows: tuple[Row, ...] = ()

    @property
    def last(self) -> Row | None:
        """The newest night."""
        return self.rows[-1] if self.rows else None

    @property
    def next_seq(self) -> int:
        """The place of a night that is still to come."""
        return 1 + (self.rows[-1]["seq"] if self.rows else 0)

    @cached_property
    def seq_by_id(self) -> Mapping[str, int]:
        """The place of every night."""
        return {row["night_id"]: row["seq"] for row in self.rows}

    def holds(self, night_id: str) -> bool:
        """Whether a night is committed."""
        return night_id in self.seq_by_id

    def seq_of(self, key: str) -> int:
        """The place of the night with this key; the next one where there is none.

        A key that came before other nights is a new night: what was told since stands between.
        """
        last = self.last
        return int(last["seq"]) if last is not None and last["key"] == key else self.next_seq

    def before(self, seq: int) -> Row | None:
        """The night before a place."""
        return next((row for row in reversed(self.rows) if row["seq"] < seq), None)


def kept_table(store: TrackStore, declared: Table) -> StoreTable:
    """A table that the nightly job keeps in the store beside the store's own."""
    return store.extra(declared)  # noqa: S610 - no Django


def read_nights(store: TrackStore) -> Nights:
    """The nights that the store holds."""
    rows = kept_table(store, NIGHTS).read(columns=list(_WITHOUT_RECORD)).to_pylist()
    return Nights(tuple(sorted(rows, key=lambda row: (row["seq"], row["night_id"]))))


def read_record(store: TrackStore, night_id: str) -> dict[str, Any] | None:
    """The run record of one night; None where no such night is committed."""
    found = (
        kept_table(store, NIGHTS).read(columns=["record"], where=pc.field("night_id") == night_id)["record"].to_pylist()
    )
    record: dict[str, Any] | None = json.loads(found[0]) if found else None
    return record


def nights_before(store: TrackStore, nights: Nights, seq: int) -> list[dict[str, Any]]:
    """The last nights before one, oldest first, in numbers: what a person compares it with."""
    earlier = [row for row in nights.rows if row["seq"] < seq][-COMPARED_WITH:]
    ids = pa.array([row["night_id"] for row in earlier], pa.string())
    kept = kept_table(store, NIGHTS).read(columns=["night_id", "record"], where=pc.field("night_id").isin(ids))
    records = {row["night_id"]: json.loads(row["record"]) for row in kept.to_pylist()}
    return [
        {
            "date": row["date"],
            "as_of": records[row["night_id"]]["as_of"],
            **{f"n_{status}": row[f"n_{status}"] for status in STATUSES},
            **{f"n_{name}": records[row["night_id"]].get(f"n_{name}") for name in _COMPARED},
            "n_files_in": records[row["night_id"]].get("taken_in", {}).get("files"),
            "n_rows_in": records[row["night_id"]].get("taken_in", {}).get("rows"),
            "n_set_aside": len(records[row["night_id"]].get("set_aside", ())),
        }
        for row in earlier
    ]


def night_row(
    *,
    night_id: str,
    seq: int,
    as_of: datetime,
    window_start: datetime,
    key: str,
    date: str,
    alerts: Mapping[str, Any],
    record: Mapping[str, Any],
) -> dict[str, Any]:
    """The row of a night; `alerts` as `detectors.batch.alerts` counts them, `record` plain values as in run.json."""
    return {
        "night_id": night_id,
        "seq": seq,
        "as_of": as_of,
        "window_start": window_start,
        "key": key,
        "date": date,
        **{f"n_{status}": alerts[status] for status in STATUSES},
        "record": json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False),
    }


def commit_night(store: TrackStore, told: pa.Table, told_as: Table, row: Row) -> bool:
    """Write what was told, then the night's row: from that moment the night counts. False if it was there before.

    `told_as` is the declaration of `told`. A night killed in between leaves rows of a night that is none.
    """
    night_id = str(row["night_id"])
    if told.num_rows:
        kept_table(store, told_as).append(told, transactions=[night_id])
    table = NIGHTS.build({name: [row[name]] for name in NIGHTS.names})
    return kept_table(store, NIGHTS).append(table, transactions=[night_id])
