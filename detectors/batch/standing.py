"""How the nightly job stands: its last night, the inputs it knows and those it has before it, its store, its verdicts.

Takes settings; gives plain values for a command or a monitoring system. Changes nothing, takes no lock, opens no track
file: it can be asked while a night is at work.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.nights import STATUSES, read_nights, read_record
from detectors.batch.settings import Settings, check_for_nightly
from detectors.batch.swap import leftovers
from detectors.batch.verdicts import read_verdicts
from vessels.errors import StoreError, UsageError
from vessels.instants import instant_of
from vessels.store.ledger import Ledger
from vessels.store.listing import list_files
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.store.upkeep import store_size


def store_place(settings: Settings) -> StorePlace:
    """Where the settings say that the store is."""
    check_for_nightly(settings)
    return StorePlace(str(settings.store.path), settings.store.storage_options())


def open_store(settings: Settings) -> TrackStore:
    """The store of the settings, which must be there. Raises StoreError."""
    return TrackStore.open(store_place(settings), n_buckets=settings.store.buckets, create=False)


def standing(settings: Settings) -> dict[str, Any]:
    """How the job stands, as plain values.

    `last_night` is None before the first; `set_aside` are the inputs that the last night, or the look around now, could
    not take. Raises StoreError for a store that cannot be read, UsageError where no input folder is there.
    """
    place = store_place(settings)
    out = Path(str(settings.output.path))
    store = existing_store(place, settings.store.buckets)
    backlog = _backlog(settings, None if store is None else Ledger.read(store))
    if store is None:
        return {"store": {"path": place.url, "exists": False}, "last_night": None, "inputs": None, "backlog": backlog}
    nights = read_nights(store)
    last = nights.last
    record = (read_record(store, last["night_id"]) if last else None) or {}
    ledger, verdicts = Ledger.read(store), read_verdicts(store)
    return {
        "store": {"path": place.url, "exists": True, "n_buckets": store.n_buckets, **sizes_of(store)},
        "n_nights": len(nights.rows),
        "last_night": None if last is None else _night(last, record, out),
        "inputs": _inputs(ledger),
        "backlog": backlog,
        "set_aside": [dict(item) for item in record.get("set_aside", ())],
        "failures": [dict(item) for item in record.get("failures", ())],
        "verdicts": [
            {
                "kind": count.kind,
                "confirmed": count.confirmed,
                "dismissed": count.dismissed,
                "watch": count.watch,
                "precision": count.precision,
            }
            for count in verdicts.counts
        ],
        "confirmed_hulls": [_hull(row) for row in verdicts.confirmed_hulls],
        "unfinished": leftovers(out),
    }


def existing_store(place: StorePlace, n_buckets: int) -> TrackStore | None:
    """The open store; None where no night has made it yet. Raises StoreError for anything else that is no store."""
    try:
        return TrackStore.open(place, n_buckets=n_buckets, create=False)
    except StoreError:
        if [name for name in place.entries() if not name.startswith(".")]:
            raise
        return None


def sizes_of(store: TrackStore) -> dict[str, Any]:
    """What the store takes on its disk, log and files not yet deleted among it, and the files in force."""
    sizes = store_size(store)
    return {
        "bytes": sum(size.n_bytes_on_disk for size in sizes.values()),
        "files": sum(size.n_files for size in sizes.values()),
        "tables": {
            name: {"bytes": size.n_bytes_on_disk, "files": size.n_files, "rows": size.n_rows}
            for name, size in sorted(sizes.items())
        },
    }


def _night(row: Mapping[str, Any], record: Mapping[str, Any], out: Path) -> dict[str, Any]:
    return {
        "night_id": row["night_id"],
        "date": row["date"],
        "as_of": _text(row["as_of"]),
        "window_start": _text(row["window_start"]),
        "folder": str(out / row["date"]),
        "alerts": {**record.get("alerts", {}), **{status: row[f"n_{status}"] for status in STATUSES}},
        "stages": dict(record.get("stages", {})),
        "notes": list(record.get("notes", ())),
    }


def _inputs(ledger: Ledger) -> dict[str, Any]:
    counting = ledger.counting()
    first_us, last_us = ledger.span_us()
    return {
        "n_known": len(ledger),
        "n_superseded": len(ledger.superseded),
        "n_rows": sum(entry.n_rows for entry in counting),
        "n_stored": sum(entry.n_stored for entry in counting),
        "first_day": _text(instant_of(first_us))[:10] if last_us else None,
        "last_time": _text(instant_of(last_us)) if last_us else None,
    }


def _backlog(settings: Settings, ledger: Ledger | None) -> dict[str, Any]:
    """The files that the next night will take in: those whose name, size or time the ledger does not have.

    `n_texts` are .txt and .log files, which it will look into for sentences; most are notes.
    """
    try:
        listing = list_files(settings.input.tracks)
    except UsageError as error:
        return {"n_files": 0, "n_bytes": 0, "files": [], "n_texts": 0, "set_aside": [], "problem": str(error)}
    known = np.zeros(len(listing.files), np.bool_)
    if ledger is not None and len(ledger.in_force.name):
        force = ledger.in_force
        at = pc.index_in(pa.array([file.name for file in listing.files], pa.string()), force.name)
        row = at.fill_null(-1).to_numpy().astype(np.int64)
        n_bytes = np.array([file.n_bytes for file in listing.files], np.int64)
        mtime_ns = np.array([file.mtime_ns for file in listing.files], np.int64)
        known = (row >= 0) & (force.n_bytes[row] == n_bytes) & (force.mtime_ns[row] == mtime_ns)
    unknown = [file for file, is_known in zip(listing.files, known.tolist(), strict=True) if not is_known]
    waiting = [file for file in unknown if not file.is_log]
    return {
        "n_files": len(waiting),
        "n_bytes": sum(file.n_bytes for file in waiting),
        "files": [file.name for file in waiting],
        "n_texts": len(unknown) - len(waiting),
        "set_aside": [{"name": s.name, "reason": s.reason, "detail": s.detail} for s in listing.set_aside],
        "problem": None,
    }


def _hull(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in ("hull_id", "mmsi", "imo", "name", "voyage_id", "who", "reason")}
    return {**values, "when": None if row["when"] is None else _text(row["when"])}


def _text(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
