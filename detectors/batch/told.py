"""What was told: every voyage that a night told as new, revised or withdrawn, as it was told, with its findings.

Takes the store; gives `ToldVoyage` records by voyage, each as it was told last before a night. How tonight compares
with them is left to `detectors.batch.compare`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.flagged import FLAGGED_VOYAGES
from detectors.batch.nights import Nights, kept_table
from detectors.finding import FINDINGS, Evidence, Finding, findings_table
from vessels.schema import TIMESTAMP, Column, Table
from vessels.store.store import TrackStore

_TEXT: Final = pa.string()
Row = Mapping[str, Any]

TOLD_FINDING: Final = pa.struct(
    [
        *((column.name, column.type) for column in FINDINGS.columns),
        ("segment_id", _TEXT),
        ("subject", _TEXT),
        ("out_of_sight", pa.bool_()),
    ]
)
"""A finding, whole, so that it can be told again when its rows are out of sight."""

TOLD: Final = Table(
    "told",
    (
        Column("night_id", _TEXT, "night that told it; see `nights`"),
        Column("seq", pa.int64(), "place of that night in the order of nights"),
        Column("revision", pa.int64(), "1 when told first; goes up with every change that was told"),
        Column("as_of", TIMESTAMP, "what now was"),
        Column("window_start", TIMESTAMP, "first instant looked at"),
        Column("span_start", TIMESTAMP, "start of the time that belongs to the voyage"),
        Column("span_end", TIMESTAMP, "end of the time that belonged to it then"),
        Column("evidence_db", pa.float64(), "weight of all its findings", "decibans"),
        Column("follows", pa.list_(_TEXT), "voyages told before that it takes the place of"),
        *FLAGGED_VOYAGES.columns,
        Column("told_findings", pa.list_(TOLD_FINDING), "its findings"),
    ),
)
"""One row a voyage and night that told it. Rows of a night that is not in `nights` were never told."""


@dataclass(frozen=True)
class ToldVoyage:
    """A voyage as it was told last: its row of `flagged_voyages`, when it was told, from what window, its findings.

    `out_of_sight` are the ids of findings that were kept as told before, because their rows lay before the window.
    """

    row: Row
    night_id: str
    seq: int
    revision: int
    as_of: datetime
    window_start: datetime
    span_start: datetime
    span_end: datetime
    evidence_db: float
    follows: tuple[str, ...]
    findings: tuple[Finding, ...]
    out_of_sight: frozenset[str]

    @property
    def voyage_id(self) -> str:
        """Id of the voyage."""
        return str(self.row["voyage_id"])

    @property
    def is_withdrawn(self) -> bool:
        """Whether what was told last is that it is told no longer."""
        return bool(self.row["status"] == "withdrawn")


Told = Mapping[str, ToldVoyage]
"""What was told last of each voyage, by its id."""


def read_told(
    store: TrackStore, nights: Nights, seq: int, window_start: datetime, voyage_ids: Collection[str] = ()
) -> dict[str, ToldVoyage]:
    """What was told last before the night at place `seq`, of voyages within reach.

    Within reach is what reaches into this night's window or the one before, and what is in `voyage_ids`. Reads the ids
    of all that was ever told, and whole rows only of what is within reach.
    """
    table, seen = kept_table(store, TOLD), frozenset(voyage_ids)
    light = table.read(columns=["night_id", "seq", "voyage_id", "span_end"], where=pc.field("seq") < seq).to_pylist()
    before = nights.before(seq)
    reach = window_start if before is None else min(window_start, before["window_start"])
    chosen = {
        (row["night_id"], row["voyage_id"])
        for row in latest_of_each(light, nights)
        if row["span_end"] >= reach or row["voyage_id"] in seen
    }
    if not chosen:
        return {}
    some = pc.field("night_id").isin(sorted({night for night, _ in chosen}))
    some &= pc.field("voyage_id").isin(sorted({voyage for _, voyage in chosen}))
    rows = table.read(where=some).to_pylist()
    return {row["voyage_id"]: told_voyage(row) for row in rows if (row["night_id"], row["voyage_id"]) in chosen}


def latest_of_each(rows: Iterable[Row], nights: Nights) -> list[Row]:
    """The row told last of each voyage, of rows of committed nights; sorted by voyage."""
    committed = [row for row in rows if nights.seq_by_id.get(row["night_id"]) == row["seq"]]
    last = {row["voyage_id"]: row for row in sorted(committed, key=lambda row: row["seq"])}
    return [last[voyage] for voyage in sorted(last)]


def told_voyage(row: Row) -> ToldVoyage:
    """The record of one row of `TOLD`."""
    findings = row["told_findings"] or ()
    return ToldVoyage(
        row={name: row[name] for name in FLAGGED_VOYAGES.names},
        **{name: row[name] for name in ("night_id", "seq", "revision", "as_of", "window_start")},
        **{name: row[name] for name in ("span_start", "span_end", "evidence_db")},
        follows=tuple(row["follows"] or ()),
        findings=tuple(_finding(one) for one in findings),
        out_of_sight=frozenset(one["finding_id"] for one in findings if one["out_of_sight"]),
    )


def told_table(voyages: Sequence[ToldVoyage]) -> pa.Table:
    """Rows of `TOLD`, in the order given."""
    rows = [
        {
            **voyage.row,
            **{name: getattr(voyage, name) for name in _OWN},
            "follows": list(voyage.follows),
            "told_findings": _values(voyage),
        }
        for voyage in voyages
    ]
    return TOLD.build({name: [row[name] for row in rows] for name in TOLD.names})


_OWN: Final = ("night_id", "seq", "revision", "as_of", "window_start", "span_start", "span_end", "evidence_db")


def _values(voyage: ToldVoyage) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "segment_id": finding.segment_id,
            "subject": finding.subject,
            "out_of_sight": finding.finding_id in voyage.out_of_sight,
        }
        for row, finding in zip(findings_table(voyage.findings).to_pylist(), voyage.findings, strict=True)
    ]


def _finding(row: Row) -> Finding:
    """The finding that was told, id and all."""
    values = {name: row[name] for name in row if name not in ("finding_id", "out_of_sight", "evidence")}
    values |= {name: tuple(row[name] or ()) for name in ("other_mmsi", "caveats", "source_ids")}
    return Finding(**values, evidence=tuple(Evidence(**line) for line in row["evidence"] or ()))
