"""Files of invented ships taken into small stores and read back: what tests of taking in and reading back need."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.vessels.store.stocked import new_store
from vessels.chunks import StaticClaim
from vessels.reading import ReadOptions
from vessels.store.entries import Entry, NewInput, Sighting
from vessels.store.kept_rows import DEFAULT_THINNING, ThinParameters
from vessels.store.store import TrackStore
from vessels.store.stored import Sources, StoredBucket, stored_block
from vessels.store.taking_in import Taken, take_in
from vessels.track import TrackBlock
from vessels.zones import Zones

NOWHERE = Zones(())
COLUMNS = ("mmsi", "offsets", "time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "source")
"""What two equal blocks have in common, beside claims and statements."""


def new_input(path: Path, *names: str) -> NewInput:
    """A file as discovery finds it, under some names (its path)."""
    data, status = path.read_bytes(), path.stat()
    digest, shown = hashlib.sha256(data).hexdigest(), tuple(sorted(names or [str(path)]))
    sightings = tuple(Sighting(name, digest, len(data), status.st_mtime_ns, 1) for name in shown)
    return NewInput(path, shown[0], shown, digest, len(data), status.st_mtime_ns, sightings)


def take(
    store: TrackStore,
    files: Iterable[Path | NewInput],
    *,
    zones: Zones = NOWHERE,
    parameters: ThinParameters = DEFAULT_THINNING,
    options: ReadOptions | None = None,
    jobs: int = 1,
) -> Taken:
    """The files as one task."""
    found = [file if isinstance(file, NewInput) else new_input(file) for file in files]
    return take_in(
        store.place, found, options or ReadOptions(), zones, parameters, n_buckets=store.n_buckets, jobs=jobs
    )


def stocked(folder: Path, *groups: Sequence[Path], n_buckets: int = 4, **how: Any) -> tuple[TrackStore, list[Entry]]:
    """A new store with groups of files taken in one after the other; none may be set aside."""
    store = new_store(folder, n_buckets)
    entries: list[Entry] = []
    for group in groups:
        taken = take(store, group, **how)
        assert taken.set_aside == ()
        entries += taken.entries
    return store, entries


def sources_of(entries: Iterable[Entry]) -> Sources:
    return Sources.of((entry.source, entry.source_id) for entry in entries)


def blocks_of(
    store: TrackStore, entries: Sequence[Entry], first_us: int = 0, last_us: int = 2**62
) -> list[tuple[TrackBlock, tuple[StaticClaim, ...]]]:
    """All buckets, as the night reads them; by default the span of the entries."""
    first_us = max(first_us, min((e.first_us for e in entries if e.first_us is not None), default=0))
    last_us = min(last_us, max((e.last_us for e in entries if e.last_us is not None), default=0))
    sources = sources_of(entries)
    return [stored_block(StoredBucket(store.place, b, first_us, last_us, sources)) for b in range(store.n_buckets)]


def said(block: TrackBlock, claims: Sequence[StaticClaim]) -> dict[str, Any]:
    """All that a block says, claims by what they say."""
    statements = block.statements
    return {
        **{name: getattr(block, name).tolist() for name in COLUMNS if name not in ("lat", "lon")},
        **{name: getattr(block, name).tobytes() for name in ("lat", "lon")},
        **{name: repr(getattr(block, name).tolist()) for name in ("sog", "cog", "heading", "draught")},
        "claims": [claims[number] for number in block.static.tolist()],
        "statements": [
            (int(v), int(t), claims[s], repr(d))
            for v, t, s, d in zip(
                statements.vessel, statements.time_us, statements.static, statements.draught.tolist(), strict=True
            )
        ],
        "coverage": block.tally.coverage.to_dict("list"),
    }


def all_said(store: TrackStore, entries: Sequence[Entry], **span: int) -> list[dict[str, Any]]:
    """All that a store says."""
    return [said(block, claims) for block, claims in blocks_of(store, entries, **span)]


def n_rows_of(store: TrackStore) -> int:
    return sum(file.n_rows for file in store.positions.files())
