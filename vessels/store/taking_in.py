"""Taking in: files of any layout, thinned, into the store, each exactly once.

Takes a group of new files; gives what the ledger has to know of each, and which had to be set aside. What a group holds
is written in one commit (a large group in several, each of whole files) that names the content of every file in it, so
that a task which is run again, or a machine that dies, neither loses nor doubles a row. Which files are new is left to
`vessels.store.discovery`, how one file is read and thinned to `vessels.store.thinned_file`.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from vessels.chunks import StaticClaim
from vessels.errors import InputFileError
from vessels.reading import ReadOptions, SetAside
from vessels.store.entries import Entry, NewInput, commit_notes
from vessels.store.kept_rows import DEFAULT_THINNING, ThinParameters
from vessels.store.packing import claims_table, together
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.store.thinned_file import Mapper, ThinnedFile, Thinning, thinned_file
from vessels.zones import Zones

COMMIT_ROWS: Final = 2_000_000
"""Rows kept that are held in memory before they are committed: 70 B a row, and as much again while they are sorted."""
GROUP_BYTES: Final = 256 << 20
"""Files of one task at most: some ten million rows, a minute's work, so that a dead worker costs no more."""
SMALL_GROUP_BYTES: Final = 32 << 20
"""Smaller tasks would only make smaller files of the store."""
GROUPS_EACH: Final = 3
"""Tasks for each worker, if there is enough to do, so that none waits long for the last."""
FILE_BYTES: Final = 640 << 10
"""What a file costs beside its bytes: 25 ms, in which so many are read."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a group of files: an entry for each that is in the store, and those set aside, by name."""

    entries: tuple[Entry, ...]
    set_aside: tuple[SetAside, ...]


def groups_of(files: Sequence[NewInput], at_once: int = 1) -> list[tuple[NewInput, ...]]:
    """The files in groups of one task each, in the order given, for so many workers.

    How they are grouped changes how many files the store consists of until it is put together, and nothing else.
    """
    costs = [file.n_bytes + FILE_BYTES for file in files]
    limit = min(max(sum(costs) // (GROUPS_EACH * at_once), SMALL_GROUP_BYTES), GROUP_BYTES)
    groups: list[list[NewInput]] = []
    room = 0
    for file, cost in zip(files, costs, strict=True):
        if cost > room:
            groups.append([])
            room = limit
        groups[-1].append(file)
        room -= cost
    return [tuple(group) for group in groups]


def zones_digest(zones: Zones) -> str:
    """A digest of the fences whose crossings are kept: their ids and borders."""
    digest = hashlib.sha256()
    for zone in zones.zones:
        digest.update(zone.zone_id.encode() + b"\0" + shapely.to_wkb(zone.geometry))
    return digest.hexdigest()


def take_in(
    place: StorePlace,
    files: Sequence[NewInput],
    options: ReadOptions,
    zones: Zones,
    parameters: ThinParameters = DEFAULT_THINNING,
    *,
    n_buckets: int,
    jobs: int = 1,
    spill_dir: Path | None = None,
) -> Taken:
    """Read a group of files, thin them and add what is kept to the store, which must be there.

    A file that cannot be read, or changes meanwhile, is set aside under each of its names and the others go on. One
    that is in the store already (the task was run before) is not added again; its entry is given as if it were.
    `n_buckets` is that of the settings; that of the store is in force. `jobs` threads work on one file at a time.

    Raises StoreError when the store cannot be read or written; what was committed by then stays, and is found again.
    """
    store = TrackStore.open(place, n_buckets=n_buckets, create=False)
    thinning = Thinning(options, zones, zones_digest(zones), parameters, store.n_buckets)
    entries: list[Entry] = []
    set_aside: list[SetAside] = []
    waiting: list[tuple[NewInput, ThinnedFile]] = []
    with ExitStack() as stack:
        # One thread is this one: memory that a short-lived thread has freed does not go back to the system.
        mapper: Mapper = map if jobs == 1 else stack.enter_context(ThreadPoolExecutor(jobs)).map
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="wakewatch-", dir=spill_dir))
        for number, file in enumerate(files):
            try:
                thinned = thinned_file(file, thinning, mapper, Path(spill) / str(number))
            except InputFileError as fault:
                set_aside += [SetAside(name, fault.reason, _named(fault, file, name)) for name in file.names]
                continue
            waiting.append((file, thinned))
            entries.append(thinned.entry)
            if sum(one.entry.n_stored for _, one in waiting) >= COMMIT_ROWS:
                _commit(store, waiting)
                waiting = []
        _commit(store, waiting)
    return Taken(tuple(entries), tuple(sorted(set_aside, key=lambda one: one.name)))


def _named(fault: InputFileError, file: NewInput, name: str) -> str:
    return fault.detail.replace(file.name, name, 1)


def _commit(store: TrackStore, waiting: Sequence[tuple[NewInput, ThinnedFile]]) -> None:
    """Add the rows of files that are not in the store yet, and before them the claims they refer to."""
    held = store.positions.held([thinned.key for _, thinned in waiting])
    new = [(file, thinned) for file, thinned in waiting if thinned.key not in held]
    if not new:
        return
    _add_claims(store, {number: claim for _, thinned in new for number, claim in thinned.claims.items()})
    store.positions.append(
        _parts([thinned for _, thinned in new]),
        transactions=[thinned.key for _, thinned in new],
        about=commit_notes([(file, thinned.entry) for file, thinned in new]),
    )


def _parts(files: Sequence[ThinnedFile]) -> Iterator[pa.Table]:
    """The rows of all files that are in memory as one table, so that they share files; those of large ones in parts."""
    in_memory = [part for thinned in files if thinned.spilled is None for part in thinned.parts()]
    if in_memory:
        yield together(in_memory)
    for thinned in files:
        if thinned.spilled is not None:
            yield from thinned.parts()


def _add_claims(store: TrackStore, claims: Mapping[int, StaticClaim]) -> None:
    known = store.claims.read(["claim"])["claim"].to_numpy()
    numbers = np.setdiff1d(np.array(list(claims), dtype=np.int64), known).tolist()
    if numbers:
        store.claims.append(claims_table([claims[number] for number in numbers], numbers))
