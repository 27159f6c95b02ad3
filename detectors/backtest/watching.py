"""Rows for the watch list: ships that are listed for a backtest's sake, added to the user's own list.

Takes rows by column; gives a watch list read the way the user's is, and the same rows as text of a CSV file.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detectors.watchlist import WatchList, read_watchlist


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows as a CSV file."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def with_planted(watchlist: WatchList, rows: Sequence[Mapping[str, str]], folder: Path) -> WatchList:
    """The user's list with the rows behind it; they are written to `folder` and read as any list is."""
    if not rows:
        return watchlist
    path = folder / "planted.csv"
    path.write_text(csv_text(rows), encoding="utf-8")
    return replace(watchlist, entries=(*watchlist.entries, *read_watchlist(path).entries))
