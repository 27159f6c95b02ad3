"""Looking around: which contents in the input folders are new to the store.

Takes files, folders and globs and the ledger; gives what is to be taken in, what was seen again under which names, and
what had to be set aside. Names, sizes and times decide which files are looked into; the digest of its bytes decides
what a file is. Reading the new ones is left to `vessels.store.taking_in`, writing down what was seen to the ledger.
"""

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.errors import InputFileError
from vessels.intake import available_jobs
from vessels.reading import SetAside
from vessels.sniffing import sniff
from vessels.store.entries import GONE, NewInput, Sighting
from vessels.store.ledger import Ledger
from vessels.store.listing import Found, list_files

_READ_BYTES: Final = 1 << 20
_BATCH_BYTES: Final = 1 << 26
_BATCH_FILES: Final = 256
"""So much is digested as one task: enough that handing it out costs nothing beside it."""
_OPEN_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Not blocking: a pipe that took a file's place since it was listed must not be waited for."""

Mapper = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Applies a function of a module to each of some items, in this process or in others; answers in order."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A name that holds another content than before. Both count, unless the new one covers the old.

    `n_rows_before` are the rows of the old content.
    """

    name: str
    old: str
    new: str
    n_rows_before: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a look around found.

    `new` are contents to take in, by name; `known` the names of contents that the store has and that were looked into
    (touched, copied, renamed, gone back to an older content); `duplicates` pairs of a name and another name of the
    same content; `vanished` names that the ledger knows and that are not there any more: what they held counts.
    `emptied` are inputs under which not one of the files known from there is left (a share that is not mounted?).
    `sightings` are for the ledger.
    """

    new: tuple[NewInput, ...]
    known: tuple[str, ...]
    n_unchanged: int
    duplicates: tuple[tuple[str, str], ...]
    replaced: tuple[Replaced, ...]
    vanished: tuple[str, ...]
    emptied: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    sightings: tuple[Sighting, ...]


def discover(
    inputs: Sequence[str | Path], ledger: Ledger, *, reprocess: bool = False, mapper: Mapper | None = None
) -> Discovery:
    """Find what is new among files, folders and globs.

    A file whose name, size and time are those of the ledger is not opened; with `reprocess` every file is, and all
    contents found are to be taken in again. `mapper` spreads the digesting (default: threads of this process). A file
    that changes while it is looked at is set aside as `changing`. Writes nothing.

    Raises UsageError when none of the inputs is there.

    Misses: a file changed in place that keeps its size and has its old time set again; `reprocess` finds it.
    """
    listing = list_files(inputs)
    round_ = _Round.of(listing.files, ledger, everything=reprocess)
    looked, aside = _look_into(round_.to_open(), _in_threads if mapper is None else mapper)
    seq = ledger.next_seq
    seen = [Sighting(s.name, s.digest, s.n_bytes, s.mtime_ns, seq) for s in (*looked, *round_.returned())]
    by_digest: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        by_digest[sighting.digest].append(sighting)
    new = {digest for digest in by_digest if reprocess or digest not in ledger}
    again = [sighting for sighting in seen if sighting.digest not in new]
    vanished = round_.vanished()
    return Discovery(
        new=_new_inputs({digest: by_digest[digest] for digest in new}, listing.files),
        known=tuple(sorted(sighting.name for sighting in again)),
        n_unchanged=int(np.count_nonzero(round_.is_same)),
        duplicates=_duplicates(by_digest, round_),
        replaced=_replaced(looked, round_),
        vanished=vanished,
        emptied=tuple(given for given in listing.empty if any(name.startswith(f"{given}/") for name in vanished)),
        set_aside=tuple(sorted((*listing.set_aside, *aside), key=lambda item: item.name)),
        sightings=(*again, *round_.moved(by_digest, seq)),
    )


@dataclass(frozen=True, slots=True)
class _Round:
    """The files found beside the names in force.

    `at` is each file's row among the names in force, -1 if it is not there; `is_same` says that it is as recorded,
    and need not be opened. Both of shape (files,). `is_present` is by name in force.
    """

    files: Sequence[Found]
    ledger: Ledger
    at: npt.NDArray[np.int64]
    is_same: Mask
    is_present: Mask

    @classmethod
    def of(cls, files: Sequence[Found], ledger: Ledger, *, everything: bool) -> "_Round":
        names = ledger.in_force
        found = pa.array([file.name for file in files], pa.string())
        at = pc.index_in(found, names.name).fill_null(-1).to_numpy().astype(np.int64)
        is_same = np.zeros(len(files), np.bool_)
        is_present = np.zeros(len(names.name), np.bool_)
        rows = np.flatnonzero(at >= 0)
        is_present[at[rows]] = True
        if len(rows) and not everything:
            n_bytes = np.fromiter((file.n_bytes for file in files), np.int64, len(files))
            mtime_ns = np.fromiter((file.mtime_ns for file in files), np.int64, len(files))
            known = at[rows]
            is_same[rows] = (
                (n_bytes[rows] == names.n_bytes[known])
                & (mtime_ns[rows] == names.mtime_ns[known])
                & (names.content[known] >= 0)
            )
        return cls(files, ledger, at, is_same, is_present)

    def to_open(self) -> list[Found]:
        """Files that must be looked into."""
        return [self.files[i] for i in np.flatnonzero(~self.is_same).tolist()]

    def digest_at(self, row: int) -> str | None:
        """What a name in force held; None if the ledger has lost it."""
        content = int(self.ledger.in_force.content[row])
        return None if content < 0 else str(self.ledger.digests[content].as_py())

    def returned(self) -> list[Sighting]:
        """Files that had been taken for moved and are there again as they were."""
        names = self.ledger.in_force
        files = np.flatnonzero(self.is_same)
        files = files[names.is_gone[self.at[files]]]
        return [
            Sighting(file.name, self.digest_at(int(self.at[i])) or "", file.n_bytes, file.mtime_ns, 0)
            for i, file in ((i, self.files[i]) for i in files.tolist())
        ]

    def vanished(self) -> tuple[str, ...]:
        """Names in force that are not there any more."""
        names = self.ledger.in_force
        return tuple(names.name.filter(pa.array(~self.is_present & ~names.is_gone)).to_pylist())

    def moved(self, seen: Iterable[str], seq: int) -> list[Sighting]:
        """Names that are not there any more while their content is there under another, as sightings of nothing.

        Without these a day file that was moved to the archive and then published anew there would count twice over.
        """
        names = self.ledger.in_force
        rows = [row for digest in seen if (row := self.ledger.row_of(digest)) is not None]
        held = np.concatenate([names.content[self.at[self.is_same]], np.array(rows, np.int64)])
        moved = ~self.is_present & ~names.is_gone & (names.content >= 0) & np.isin(names.content, held)
        return [Sighting(name, GONE, 0, 0, seq) for name in names.name.filter(pa.array(moved)).to_pylist()]


def _new_inputs(by_digest: Mapping[str, Sequence[Sighting]], files: Sequence[Found]) -> tuple[NewInput, ...]:
    wanted = {sighting.name for sightings in by_digest.values() for sighting in sightings}
    paths = {file.name: Path(file.path) for file in files if file.name in wanted} if wanted else {}
    out = []
    for digest, sightings in by_digest.items():
        first, *_ = ordered = sorted(sightings, key=lambda sighting: sighting.name)
        out.append(
            NewInput(
                path=paths[first.name],
                name=first.name,
                names=tuple(sighting.name for sighting in ordered),
                digest=digest,
                n_bytes=first.n_bytes,
                mtime_ns=first.mtime_ns,
                sightings=tuple(ordered),
            )
        )
    return tuple(sorted(out, key=lambda file: file.name))


def _duplicates(by_digest: Mapping[str, Sequence[Sighting]], round_: _Round) -> tuple[tuple[str, str], ...]:
    names = round_.ledger.in_force
    same = round_.at[round_.is_same]
    rows = {digest: row for digest in by_digest if (row := round_.ledger.row_of(digest)) is not None}
    held = same[np.isin(names.content[same], np.array(list(rows.values()), np.int64))]
    holder = {int(names.content[row]): str(names.name[row].as_py()) for row in np.sort(held)[::-1].tolist()}
    pairs = []
    for digest, sightings in by_digest.items():
        called = sorted(sighting.name for sighting in sightings)
        first = holder.get(rows.get(digest, -1), called[0])
        pairs += [(name, first) for name in called if name != first]
    return tuple(sorted(pairs))


def _replaced(looked: Sequence[Sighting], round_: _Round) -> tuple[Replaced, ...]:
    at = {round_.files[i].name: int(round_.at[i]) for i in np.flatnonzero(~round_.is_same).tolist()}
    out = []
    for sighting in looked:
        row = at[sighting.name]
        if row < 0 or round_.ledger.in_force.is_gone[row]:
            continue
        old = round_.digest_at(row)
        entry = None if old is None else round_.ledger.entry(old)
        if entry is not None and entry.digest != sighting.digest:
            out.append(Replaced(sighting.name, entry.digest, sighting.digest, entry.n_rows))
    return tuple(sorted(out, key=lambda item: item.name))


def _in_threads(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(available_jobs()) as pool:
        return list(pool.map(work, items))


def _look_into(files: Sequence[Found], mapper: Mapper) -> tuple[list[Sighting], list[SetAside]]:
    """Digests of files, in their order, and what cannot be digested."""
    looked: list[Sighting] = []
    aside: list[SetAside] = []
    for results in mapper(look_into, _batches(files)):
        for result in results:
            if isinstance(result, Sighting):
                looked.append(result)
            elif result is not None:
                aside.append(result)
    return looked, aside


def _batches(files: Sequence[Found]) -> list[tuple[Found, ...]]:
    out: list[tuple[Found, ...]] = []
    batch: list[Found] = []
    n_bytes = 0
    for file in files:
        if batch and (n_bytes + file.n_bytes > _BATCH_BYTES or len(batch) == _BATCH_FILES):
            out.append(tuple(batch))
            batch, n_bytes = [], 0
        batch.append(file)
        n_bytes += file.n_bytes
    return [*out, tuple(batch)] if batch else out


def look_into(files: Sequence[Found]) -> list[Sighting | SetAside | None]:
    """Digest some files: what each holds, why that cannot be said, or None for a log that holds no sentences."""
    return [_look_into_one(file) for file in files]


def _look_into_one(file: Found) -> Sighting | SetAside | None:
    if file.is_log and not _holds_sentences(file):
        return None
    if file.n_bytes == 0:
        return SetAside(file.name, "empty_file", f"{file.name} has no bytes: not even a header")
    try:
        digest, before, after = _digest(file.path)
    except OSError as why:
        return SetAside(file.name, "unreadable", f"{file.name}: cannot be read ({why.strerror or why})")
    if not stat.S_ISREG(before.st_mode):
        return SetAside(file.name, "not_a_file", f"{file.name} is no file any more")
    if len({(file.n_bytes, file.mtime_ns), *((s.st_size, s.st_mtime_ns) for s in (before, after))}) > 1:
        return _changing(file)
    if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
        return _changing(file)
    return Sighting(file.name, digest, file.n_bytes, file.mtime_ns, 0)


def _changing(file: Found) -> SetAside:
    return SetAside(
        file.name,
        "changing",
        f"{file.name} changed while it was looked at: it is still being written; it comes next time",
    )


def _digest(path: str) -> tuple[str, os.stat_result, os.stat_result]:
    """SHA-256 of a file as long as it is now, and its state before and after it was read.

    A file that grows as fast as it is read is not followed.
    """
    digest = hashlib.sha256()
    descriptor = os.open(path, _OPEN_FLAGS)
    with open(descriptor, "rb", buffering=0) as handle:  # noqa: PTH123 - of a descriptor
        before = os.fstat(descriptor)
        left = before.st_size if stat.S_ISREG(before.st_mode) else 0
        while left > 0 and (block := handle.read(min(left, _READ_BYTES))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest(), before, Path(path).stat()


def _holds_sentences(file: Found) -> bool:
    try:
        return sniff(Path(file.path), file.name).format == "nmea"
    except InputFileError:
        return False
