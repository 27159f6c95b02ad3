"""One input file on its way into the store: read whole, settled, thinned, packed.

Takes a new file; gives its ledger entry, the claims its kept rows carry, and these rows as parts of `POSITIONS`.
Nothing is given of a file that turns out to be damaged, or that is not the one that was found.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from vessels.chunks import StaticClaim
from vessels.days import Days
from vessels.errors import InputFileError, WakewatchError
from vessels.gather import ROWS_PER_BUCKET, Gatherer
from vessels.quality import EARLIEST_US, LATEST_US, Reject, RejectCounts, merge_counts
from vessels.reading import InputFile, OpenedFile, ReadOptions, open_input
from vessels.schema import make_id
from vessels.sources import Unit
from vessels.store.entries import DayRows, Entry, NewInput, source_of
from vessels.store.kept_rows import ThinParameters, kept_rows
from vessels.store.layout import POSITIONS
from vessels.store.packing import claim_numbers, packed
from vessels.track import Tally
from vessels.zones import Zones

SPILL_ROWS: Final = 10_000_000
"""Files estimated larger than this go through a spill folder: 48 B a row, half a gigabyte a task."""
_EVER: Final = (EARLIEST_US, LATEST_US)
"""Strays in time are kept too: which days count is known only when all inputs are."""
_WAY: Final = 1
"""Goes up when the same file gives other rows, so that reading it again replaces those that are there."""
_READ_BYTES: Final = 1 << 20


Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Calls a function for each item, in order: `map`, or that of a pool of threads."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """How files are read and thinned; `zones_digest` names the zones in the ledger."""

    options: ReadOptions
    zones: Zones
    zones_digest: str
    parameters: ThinParameters
    n_buckets: int

    def key(self, digest: str) -> str:
        """What the store calls a content read and thinned like this: a digest of all that its rows depend on."""
        read = (self.options.dialect, sorted(self.options.columns.items()), self.options.timezone)
        said = (_WAY, digest, read, self.zones_digest, self.parameters.model_dump())
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ThinnedFile:
    """A file that was read to its end: its key, entry, claims by number, and its kept rows in memory or spilled."""

    key: str
    entry: Entry
    claims: Mapping[int, StaticClaim]
    in_memory: tuple[pa.Table, ...]
    spilled: Path | None

    def parts(self) -> Iterator[pa.Table]:
        """The kept rows as tables of `POSITIONS`; a spilled file's one bucket after the other."""
        yield from self.in_memory
        if self.spilled is not None:
            with pa.memory_map(str(self.spilled)) as handle, pa.ipc.open_file(handle) as reader:
                for i in range(reader.num_record_batches):
                    yield pa.Table.from_batches([reader.get_batch(i)])


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read to its end, its rows gathered."""

    file: NewInput
    opened: OpenedFile
    gatherer: Gatherer
    counts: RejectCounts
    days: Days


def thinned_file(file: NewInput, thinning: Thinning, mapper: Mapper, spill: Path) -> ThinnedFile:
    """Read one file and thin it. `mapper` reads and thins its parts; `spill` is a folder that a large file may fill.

    Raises InputFileError for a file that is damaged, cannot be read as AIS positions, or is not what was found; and for
    one that breaks the reading in a way nobody thought of: one file never stops the rest.
    """
    try:
        return _thinned_file(file, thinning, mapper, spill)
    except WakewatchError:
        raise
    except OSError as why:
        raise InputFileError("unreadable", f"{file.name} cannot be read now: {why}") from why
    except Exception as why:
        raise InputFileError("failed", f"reading {file.name} failed ({type(why).__name__}: {why}); report it") from why


def _thinned_file(file: NewInput, thinning: Thinning, mapper: Mapper, spill: Path) -> ThinnedFile:
    before = _changed_ns(file)
    opened = open_input(InputFile(file.path, file.name, file.n_bytes), thinning.options)
    n_buckets = max(1, -(-opened.n_rows_estimate // ROWS_PER_BUCKET))
    is_large = opened.n_rows_estimate > SPILL_ROWS
    if is_large:
        # Each holds rows of one of the store's buckets only, so that its rows are written to as few files as can be.
        n_buckets = -(-n_buckets // thinning.n_buckets) * thinning.n_buckets
        spill.mkdir(parents=True)
    gatherer = Gatherer(n_buckets, spill if is_large else None)
    counts, days = _gathered(opened, gatherer, mapper)
    if before != _changed_ns(file) or _digest(file) != file.digest:
        raise InputFileError(
            "changing", f"{file.name} was written to while it was read; it is read when it is complete"
        )
    read = _Read(file, opened, gatherer, counts, days)
    return _thinned(read, thinning, mapper, spill / "kept.arrow" if is_large else None)


def _gathered(opened: OpenedFile, gatherer: Gatherer, mapper: Mapper) -> tuple[RejectCounts, Days]:
    faults: list[InputFileError] = []

    def read(unit: Unit) -> tuple[list[RejectCounts], Days]:
        counts, days = [], Days()
        try:
            for chunk, counted in () if faults else opened.read(unit):
                gatherer.add(chunk, 0)
                counts.append(counted)
                days.add(Days.of(chunk))
        except InputFileError as fault:
            faults.append(fault)
        return counts, days

    parts = list(mapper(read, opened.units))
    if faults:
        raise faults[0]
    days = Days()
    for _, own in parts:
        days.add(own)
    return merge_counts(counted for counts, _ in parts for counted in counts), days


def _changed_ns(file: NewInput) -> int:
    try:
        return file.path.stat().st_mtime_ns
    except OSError as why:
        raise InputFileError("unreadable", f"{file.name}: cannot be looked at ({why.strerror or why})") from why


def _digest(file: NewInput) -> str:
    digest = hashlib.sha256()
    try:
        with file.path.open("rb") as handle:
            while block := handle.read(_READ_BYTES):
                digest.update(block)
    except OSError as why:
        raise InputFileError("unreadable", f"{file.name}: cannot be read ({why.strerror or why})") from why
    return digest.hexdigest()


@dataclass(slots=True)
class _Sums:
    """What the buckets of one file add up to."""

    digest: int = 0
    n_distinct: int = 0
    n_repeats: int = 0
    n_stored: int = 0
    first_us: int | None = None
    last_us: int | None = None
    claims: set[int] = field(default_factory=set)

    def add(self, tally: Tally, part: pa.Table) -> None:
        self.digest = (self.digest + int(tally.digest.sum())) % _WORD
        self.n_distinct += int(tally.n_distinct.sum())
        self.n_repeats += int(tally.repeats.sum())
        if not part.num_rows:
            return
        self.n_stored += part.num_rows
        span = pc.min_max(part["timestamp"].cast(pa.int64())).as_py()
        first, last = span["min"], span["max"]
        self.first_us = first if self.first_us is None else min(first, self.first_us)
        self.last_us = last if self.last_us is None else max(last, self.last_us)
        self.claims.update(part["claim"].unique().to_pylist())


_WORD: Final = 1 << 64


def _thinned(read: _Read, thinning: Thinning, mapper: Mapper, spilled: Path | None) -> ThinnedFile:
    gatherer, key = read.gatherer, thinning.key(read.file.digest)
    source = source_of(key)
    numbers = claim_numbers(gatherer.register)

    def thin(bucket: int) -> tuple[pa.Table, Tally]:
        block = gatherer.block(bucket, _EVER, release=True)
        kept = kept_rows(block, thinning.zones, thinning.parameters)
        return packed(block, kept, numbers, thinning.n_buckets, source), block.tally

    sums = _Sums()
    in_order = sorted(range(gatherer.n_buckets), key=lambda bucket: bucket % thinning.n_buckets)

    def parts() -> Iterator[pa.Table]:
        for part, tally in mapper(thin, in_order):
            sums.add(tally, part)
            if part.num_rows:
                yield part

    in_memory: tuple[pa.Table, ...] = ()
    if spilled is None:
        in_memory = tuple(parts())
    else:
        with pa.OSFile(str(spilled), "wb") as sink, pa.ipc.new_file(sink, POSITIONS.arrow) as writer:
            for part in parts():
                writer.write_table(part)
    claims = zip(numbers.tolist(), gatherer.register.claims(), strict=True)
    used = {number: claim for number, claim in claims if number and number in sums.claims}
    return ThinnedFile(key, _entry(read, sums, thinning, source), used, in_memory, spilled)


def _entry(read: _Read, sums: _Sums, thinning: Thinning, source: int) -> Entry:
    """What the ledger says of the file. Its `source_id` is the one that `vessels.intake.Tracks` gives it."""
    counts, counted = read.counts, read.days.counts()
    rejects = list(counts.rejects.values())
    if sums.n_repeats:
        rejects.append(Reject("exact_repeat", sums.n_repeats, None, "rows equal to another row of the same file"))
    digest = read.file.digest
    return Entry(
        digest=digest,
        source=source,
        source_id=make_id("source", sums.digest, sums.n_distinct) if sums.n_distinct else make_id("source", digest),
        n_bytes=read.file.n_bytes,
        format=read.opened.format,
        dialect=read.opened.dialect,
        n_rows=counts.n_rows,
        n_stored=sums.n_stored,
        rejects=tuple(sorted(rejects, key=lambda reject: reject.reason)),
        nulled=tuple(sorted(counts.nulled.items())),
        days=tuple(DayRows(day, counted[day], read.days.newest_us[day]) for day in sorted(counted)),
        first_us=sums.first_us,
        last_us=sums.last_us,
        thin_s=thinning.parameters.thin_s,
        zones=thinning.zones_digest,
    )
