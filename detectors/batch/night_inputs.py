"""What a night's run.json and `rejects` say of its inputs: those of the window, as they were taken in.

Takes entries of the ledger; gives plain values and the `rejects` table.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from vessels.quality import Reject
from vessels.schema import REJECTS
from vessels.store.entries import Entry
from vessels.store.ledger import Ledger


def input_records(ledger: Ledger, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """One record an input, with the names it was seen under."""
    return [
        {
            "source_id": entry.source_id,
            "names": list(names),
            "sha256": entry.digest,
            "n_bytes": entry.n_bytes,
            "n_rows": entry.n_rows,
            "n_rejected": sum(reject.n_rows for reject in entry.rejects),
            "n_stored": entry.n_stored,
            "dialect": entry.dialect,
            "format": entry.format,
        }
        for entry, names in zip(entries, ledger.names_of(entries), strict=True)
    ]


def rejects_of(entries: Sequence[Entry]) -> pa.Table:
    """The `rejects` table: rows dropped when each input was taken in, by input and reason."""
    rows: list[tuple[str, Reject]] = [(entry.source_id, reject) for entry in entries for reject in entry.rejects]
    rows.sort(key=lambda row: (row[0], row[1].reason))
    return REJECTS.build(
        {
            "source_id": [source for source, _ in rows],
            "reason": [reject.reason for _, reject in rows],
            "n_rows": [reject.n_rows for _, reject in rows],
            "first_row": [reject.first_row for _, reject in rows],
            "example": [reject.example for _, reject in rows],
        }
    )


def nulled_of(entries: Sequence[Entry]) -> dict[str, int]:
    """Values that were emptied when the inputs were taken in, by reason."""
    return dict(sorted(sum((Counter(dict(entry.nulled)) for entry in entries), Counter()).items()))
