"""Taking in: files, folders and globs read in parallel into buckets of vessels.

Takes paths; gives `Tracks`: the rows of all readable files, bucket by bucket, with a record of every file, of what was
set aside and of every row that was dropped. Which rows make a track is left to `vessels.track` and `vessels.segments`.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import pyarrow as pa

from vessels.chunks import StaticClaim
from vessels.days import Days
from vessels.errors import InputFileError, NothingReadableError
from vessels.gather import ROWS_PER_BUCKET, Gatherer
from vessels.instants import instant_of, instant_us
from vessels.quality import Reject, RejectCounts, merge_counts
from vessels.reading import InputFile, OpenedFile, ReadOptions, SetAside, find_inputs, open_input
from vessels.schema import COVERAGE, POSITIONS, REJECTS, make_id
from vessels.track import IntArray, Tally, TrackBlock, vessel_of_rows

ROWS_IN_MEMORY: Final = 30_000_000
"""Inputs estimated larger than this go through a spill folder: 48 B a row, so that the whole stays under 4 GiB."""
_READ_BYTES: Final = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called with the name of a stage, how much is done and how much there is."""


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Progress for those who do not want to see it."""


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One distinct input file: all names it was given under, digest of its bytes, what was read of it."""

    names: tuple[str, ...]
    sha256: str
    n_bytes: int
    dialect: str
    format: str
    counts: RejectCounts


@dataclass(slots=True)
class _Intake:
    """One file on its way in: what is known so far. Guarded by its lock."""

    file: InputFile
    names: list[str]
    sha256: str
    opened: OpenedFile | None = None
    counts: list[RejectCounts] = field(default_factory=list)
    days: Days = field(default_factory=Days)
    fault: InputFileError | None = None
    lock: Lock = field(default_factory=Lock)


class Tracks:
    """AIS positions of many vessels, read and sorted into buckets; made by `read_tracks`.

    `block(i)` gives one bucket as a `TrackBlock`; `positions()` all rows as one table. `as_of` is the newest time that
    counts. Closing (or leaving a `with` block) removes the spill folder of large inputs.
    """

    def __init__(
        self,
        gatherer: Gatherer,
        inputs: Sequence[InputRecord],
        set_aside: Sequence[SetAside],
        broken: frozenset[int],
        span_us: tuple[int, int],
        spill: tempfile.TemporaryDirectory[str] | None,
    ) -> None:
        self._gatherer = gatherer
        self._broken = broken
        self._spill = spill
        self._span_us = span_us
        self._sources = tuple(inputs)
        self.set_aside = tuple(set_aside)

    def __enter__(self) -> "Tracks":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the spill folder, if there is one."""
        if self._spill is not None:
            self._spill.cleanup()

    @property
    def inputs(self) -> tuple[InputRecord, ...]:
        """The files whose rows count."""
        return tuple(record for i, record in enumerate(self._sources) if i not in self._broken)

    @property
    def n_buckets(self) -> int:
        """Number of buckets."""
        return self._gatherer.n_buckets

    @property
    def n_rows(self) -> int:
        """Rows read, kept or not."""
        return sum(record.counts.n_rows for record in self.inputs)

    @property
    def as_of(self) -> datetime:
        """The newest time in the data, strays left out; the epoch where there are no rows."""
        return instant_of(self._span_us[1])

    def claims(self) -> tuple[StaticClaim, ...]:
        """The static claims that rows' `static` refers to."""
        return self._gatherer.register.claims()

    def block(self, bucket: int, as_of: datetime | None = None, *, release: bool = False) -> TrackBlock:
        """One bucket, settled; rows after `as_of` left out. With `release` its rows are forgotten afterwards."""
        first, last = self._span_us
        last = last if as_of is None else min(last, instant_us(as_of))
        return self._gatherer.block(bucket, (first, last), self._broken, release=release)

    def source_ids(self, tallies: Iterable[Tally]) -> list[str]:
        """An id for each file read, by its number: a digest of its distinct rows, whatever their order and repeats.

        `tallies` are those of all buckets. A file none of whose rows counts is known by the digest of its bytes.
        """
        n = len(self._sources)
        digest, n_rows = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.int64)
        for tally in tallies:
            digest[: len(tally.digest)] += tally.digest
            n_rows[: len(tally.n_distinct)] += tally.n_distinct
        return [
            make_id("source", int(d), int(rows)) if rows else make_id("source", record.sha256)
            for d, rows, record in zip(digest, n_rows, self._sources, strict=True)
        ]

    def named_inputs(self, source_ids: Sequence[str]) -> list[tuple[str, InputRecord]]:
        """Each file whose rows count with its id, sorted by id and digest. `source_ids` as from the method above."""
        pairs = [(source_ids[i], record) for i, record in enumerate(self._sources) if i not in self._broken]
        return sorted(pairs, key=lambda pair: (pair[0], pair[1].sha256))

    def rejects(self, tallies: Sequence[Tally], source_ids: Sequence[str]) -> pa.Table:
        """The `rejects` table: rows dropped while reading and while settling, by file and reason."""
        repeats = _sum(tallies, "repeats", len(self._sources))
        outside = _sum(tallies, "outside_span", len(self._sources))
        rows: list[tuple[str | None, Reject]] = []
        for i, record in enumerate(self._sources):
            if i in self._broken:
                continue
            rows += [(source_ids[i], reject) for reject in record.counts.rejects.values()]
            rows += [(source_ids[i], r) for r in _settled_rejects(int(repeats[i]), int(outside[i]), self._span_us)]
        across = sum(tally.repeats_across for tally in tallies)
        if across:
            rows.append((None, Reject("repeat_in_another_file", across, None, "rows that two or more files hold")))
        rows.sort(key=lambda row: (row[0] or "", row[1].reason))
        return REJECTS.build(
            {
                "source_id": [source for source, _ in rows],
                "reason": [reject.reason for _, reject in rows],
                "n_rows": [reject.n_rows for _, reject in rows],
                "first_row": [reject.first_row for _, reject in rows],
                "example": [reject.example for _, reject in rows],
            }
        )

    def positions(self) -> pa.Table:
        """All positions as one table of `schema.POSITIONS`, sorted by (mmsi, timestamp). Holds everything in memory."""
        blocks = [self.block(b) for b in range(self.n_buckets)]
        names = pa.array(self.source_ids([block.tally for block in blocks]), pa.string())
        table = POSITIONS.concat(_positions_of(block, names) for block in blocks)
        return table.take(np.argsort(table["mmsi"].to_numpy(), kind="stable"))


def _positions_of(block: TrackBlock, source_names: pa.Array) -> pa.Table:
    status = pa.array(block.nav_status, mask=block.nav_status < 0)
    return POSITIONS.build(
        {
            "mmsi": block.mmsi[vessel_of_rows(block.offsets)],
            "timestamp": block.time_us,
            **{name: getattr(block, name) for name in ("lat", "lon", "sog", "cog", "heading", "draught")},
            "nav_status": status,
            "source_id": source_names.take(pa.array(block.source)),
        }
    )


def _sum(tallies: Iterable[Tally], name: str, n: int) -> IntArray:
    out = np.zeros(n, dtype=np.int64)
    for tally in tallies:
        part: IntArray = getattr(tally, name)
        out[: len(part)] += part
    return out


def _settled_rejects(repeats: int, outside: int, span_us: tuple[int, int]) -> Iterator[Reject]:
    if repeats:
        yield Reject("exact_repeat", repeats, None, "rows equal to another row of the same file")
    if outside:
        first, last = (np.datetime64(us, "us") for us in span_us)
        yield Reject("time_outside_span", outside, None, f"rows before {first}Z, after {last}Z or after the as-of time")


def coverage_table(tallies: Iterable[Tally], source_ids: Sequence[str]) -> pa.Table:
    """The `coverage` table: which file holds which vessel when, sorted by mmsi and file."""
    parts = [tally.coverage for tally in tallies]
    mmsi, source, first, last = (
        np.concatenate([part[name].to_numpy() for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        for name in ("mmsi", "source", "first_us", "last_us")
    )
    names = np.array([source_ids[s] for s in source.tolist()], dtype=object)
    order = np.lexsort((first, names.astype(str), mmsi))
    return COVERAGE.build(
        {
            "mmsi": mmsi[order],
            "source_id": pa.array(names[order], pa.string()),
            "first_seen": first[order],
            "last_seen": last[order],
        }
    )


def available_jobs() -> int:
    """How many threads this process may use at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def read_tracks(
    paths: str | Path | Sequence[str | Path],
    *,
    options: ReadOptions | None = None,
    jobs: int | None = None,
    spill_dir: Path | None = None,
    progress: Progress = no_progress,
) -> Tracks:
    """Read AIS positions from files, folders and globs, of any dialect that can be told.

    `options` forces a dialect, maps columns or gives a time zone; `jobs` is the number of threads (default: all cores);
    `spill_dir` is where inputs too large for memory are laid down (default: the system's temporary folder).

    Raises UsageError when nothing is named as input, NothingReadableError when every input had to be set aside. A file
    that cannot be read is named in `Tracks.set_aside` and the others go on. What `progress` raises stops the reading.
    """
    options = options or ReadOptions()
    jobs = jobs or available_jobs()
    files, set_aside = find_inputs([paths] if isinstance(paths, str | Path) else list(paths))
    with ThreadPoolExecutor(jobs) as pool:
        intakes = _distinct(files, pool, progress)
        list(pool.map(lambda intake: _open(intake, options), intakes))
        readable = [intake for intake in intakes if intake.opened is not None]
        n_estimate = sum(intake.opened.n_rows_estimate for intake in readable if intake.opened is not None)
        spill = tempfile.TemporaryDirectory(prefix="wakewatch-", dir=spill_dir) if n_estimate > ROWS_IN_MEMORY else None
        gatherer = Gatherer(max(1, -(-n_estimate // ROWS_PER_BUCKET)), None if spill is None else Path(spill.name))
        try:
            _read_all(readable, gatherer, pool, progress)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            if spill is not None:
                spill.cleanup()
            raise
    broken = frozenset(i for i, intake in enumerate(readable) if intake.fault is not None)
    set_aside += [
        SetAside(name, fault.reason, fault.detail.replace(intake.file.name, name, 1))
        for intake in intakes
        if (fault := intake.fault) is not None
        for name in intake.names
    ]
    set_aside.sort(key=lambda s: s.name)
    whole = [intake for intake in readable if intake.fault is None]
    if set_aside and not whole:
        raise NothingReadableError("every input had to be set aside: " + "; ".join(s.detail for s in set_aside))
    days = Days()
    for intake in whole:
        days.add(intake.days)
    return Tracks(gatherer, [_record(i) for i in readable], set_aside, broken, days.span_us(), spill)


def _distinct(files: Sequence[InputFile], pool: ThreadPoolExecutor, progress: Progress) -> list[_Intake]:
    """One intake for each distinct content, in order of the digest: names and their order change nothing."""
    digests: dict[str, _Intake] = {}
    faults: list[_Intake] = []
    for n, (file, digest) in enumerate(zip(files, pool.map(_sha256, files), strict=True)):
        progress("digest", n + 1, len(files))
        if isinstance(digest, InputFileError):
            faults.append(_Intake(file, [file.name], "", fault=digest))
        elif digest in digests:
            digests[digest].names.append(file.name)
        else:
            digests[digest] = _Intake(file, [file.name], digest)
    return [digests[digest] for digest in sorted(digests)] + faults


def _sha256(file: InputFile) -> str | InputFileError:
    digest = hashlib.sha256()
    try:
        with file.path.open("rb") as handle:
            while block := handle.read(_READ_BYTES):
                digest.update(block)
    except OSError as error:
        return InputFileError("unreadable", f"{file.name}: cannot be read ({error.strerror or error})")
    return digest.hexdigest()


def _open(intake: _Intake, options: ReadOptions) -> None:
    if intake.fault is not None:
        return
    try:
        intake.opened = open_input(intake.file, options)
    except InputFileError as error:
        intake.fault = error


def _read_all(readable: Sequence[_Intake], gatherer: Gatherer, pool: ThreadPoolExecutor, progress: Progress) -> None:
    """Read all units of all files; a file that fails is marked and its other units are skipped."""
    tasks = [(n, unit) for n, i in enumerate(readable) if i.opened is not None for unit in i.opened.units]

    def read(task: tuple[int, object]) -> None:
        number, unit = task
        intake = readable[number]
        if intake.opened is None or intake.fault is not None:
            return
        try:
            for chunk, counts in intake.opened.read(unit):  # type: ignore[arg-type]
                gatherer.add(chunk, number)
                days = Days.of(chunk)
                with intake.lock:
                    intake.counts.append(counts)
                    intake.days.add(days)
        except InputFileError as error:
            intake.fault = error

    for done, _ in enumerate(pool.map(read, tasks)):
        progress("read", done + 1, len(tasks))


def _record(intake: _Intake) -> InputRecord:
    opened = intake.opened
    return InputRecord(
        names=tuple(sorted(intake.names)),
        sha256=intake.sha256,
        n_bytes=intake.file.n_bytes,
        dialect=opened.dialect if opened is not None else "",
        format=opened.format if opened is not None else "",
        counts=merge_counts(intake.counts),
    )
