"""Input files -> chunks of canonical rows, with counts of everything dropped on the way.

Takes paths and `ReadOptions`; gives `OpenedFile`s that are read unit by unit, each unit independent of the others.
What rows mean is left to `vessels.tabular`, what they add up to to `vessels.gather`.
"""

import glob
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from vessels.chunks import Chunk
from vessels.csv_files import CsvSource
from vessels.dialects import CANONICAL, NMEA, dialect_named, looks_like_header
from vessels.errors import InputFileError, UsageError
from vessels.fields import holds_numbers, numbers
from vessels.layouts import Layout, bind
from vessels.parquet_files import ParquetSource
from vessels.quality import RejectCounts
from vessels.settling import check_types, settle
from vessels.sniffing import one_line, sniff
from vessels.sources import Source, Unit
from vessels.tabular import chunk_of
from vessels.times import value_at

DEFAULT_CHUNK_ROWS: Final = 1_000_000
_SAMPLE_ROWS: Final = 5_000
"""First rows by which units and zone are settled and columns are believed."""
_ONE_BY_ONE: Final = frozenset({"mmsi", "lat", "lon", "sog", "cog", "heading", "geometry", "millisecond"})
"""Fields that are sooner read value by value; all others may come as dictionaries of their different values."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are to be understood where they do not tell.

    `dialect` forces one by name; `columns` maps canonical names to the file's own (an empty text leaves a field
    unread); `timezone` is the zone (IANA name) of times that state none, in files whose dialect does not settle
    it; `chunk_rows` is about how many rows come at a time. Raises UsageError for what cannot be.
    """

    dialect: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    chunk_rows: int = DEFAULT_CHUNK_ROWS
    timezone: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its columns as a plain dictionary: a read-only view of one cannot be."""
        return ReadOptions, (self.dialect, dict(self.columns), self.chunk_rows, self.timezone)

    def __post_init__(self) -> None:
        if self.dialect is not None:
            dialect_named(self.dialect)
        if unknown := sorted(set(self.columns) - set(CANONICAL)):
            raise UsageError(f"a column mapping names {', '.join(unknown)}; it can name {', '.join(CANONICAL)}")
        if self.chunk_rows < 1:
            raise UsageError(f"chunk_rows is {self.chunk_rows}; it must be at least 1")
        if self.timezone is not None:
            try:
                ZoneInfo(self.timezone)
            except (KeyError, ValueError, OSError) as why:
                raise UsageError(
                    f"no time zone is called {self.timezone!r}; use UTC or a name such as Asia/Tokyo"
                ) from why


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read: its real path, its name as shown to people, its size."""

    path: Path
    name: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that was named as input and is not read: its name, a short code and a sentence why."""

    name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file whose columns are understood; `units` can be read in any order, by several threads."""

    file: InputFile
    layout: Layout
    source: Source
    units: tuple[Unit, ...]

    @property
    def dialect(self) -> str:
        """Name of the dialect it is read as."""
        return self.layout.dialect.name

    @property
    def format(self) -> str:
        """parquet, csv or nmea."""
        return self.source.format

    @property
    def n_rows_estimate(self) -> int:
        """Rows in the file; exact for Parquet."""
        return self.source.n_rows

    def read(self, unit: Unit) -> Iterator[tuple[Chunk, RejectCounts]]:
        """The unit's rows, in the order of the file.

        Raises InputFileError for damage found on the way; then nothing of the file may be used, not even what
        was read before.
        """
        wanted, repeating = _wanted(self.layout, self.format)
        for piece in self.source.read(unit, wanted, repeating):
            if not piece.arrays:
                yield _EMPTY, piece.counts
                continue
            by_field = _by_field(piece.arrays, self.layout, self.file.name)
            try:
                chunk, counts = chunk_of(by_field, self.layout, piece.rows)
            except (pa.ArrowException, InputFileError) as why:
                reason = why.reason if isinstance(why, InputFileError) else "unreadable"
                raise InputFileError(reason, f"{self.file.name}: {one_line(why)}") from why
            yield chunk, counts.merged(piece.counts)


_EMPTY: Final = Chunk(
    mmsi=np.zeros(0, np.int64),
    time_us=np.zeros(0, np.int64),
    lat=np.zeros(0, np.float64),
    lon=np.zeros(0, np.float64),
    sog=np.zeros(0, np.float32),
    cog=np.zeros(0, np.float32),
    heading=np.zeros(0, np.float32),
    draught=np.zeros(0, np.float32),
    nav_status=np.zeros(0, np.int8),
    static=np.zeros(0, np.int32),
)


def open_input(file: InputFile, options: ReadOptions) -> OpenedFile:
    """Recognise a file and its dialect; raises InputFileError when it cannot be read as AIS positions."""
    source = _source(file, options)
    try:
        if source.format == "nmea":
            layout = bind(source.names, dialect=NMEA.name)
        else:
            layout = bind(source.names, dialect=options.dialect, columns=options.columns, timezone=options.timezone)
        check_types(layout, source.type_of)
        units = source.units()
        for piece in source.read(units[0], *_wanted(layout, source.format), max_rows=_SAMPLE_ROWS) if units else ():
            if piece.arrays:
                layout = settle(layout, _by_field(piece.arrays, layout, file.name))
            break
    except InputFileError as fault:
        raise _named(fault, file.name) from fault
    return OpenedFile(file, layout, source, units)


def _named(fault: InputFileError, name: str) -> InputFileError:
    return fault if fault.detail.startswith(name) else InputFileError(fault.reason, f"{name}: {fault.detail}")


_NMEA_READER: Final = "vessels.nmea_files"
"""Imported when a file of sentences is met: it brings pyais, a third of the time that every command takes to start."""


def _source(file: InputFile, options: ReadOptions) -> Source:
    fault = _why_no_file(file.path)
    if fault is not None:
        raise InputFileError(fault[0], f"{file.name} {fault[1]}")
    sniffed = sniff(file.path, file.name)
    if sniffed.format == "parquet":
        return ParquetSource.open(file.path, file.name, options.chunk_rows)
    if sniffed.format == "nmea" or options.dialect == NMEA.name:
        source: Source = import_module(_NMEA_READER).NmeaSource(file.path, file.name, sniffed, file.n_bytes)
        return source
    mapped = frozenset(options.columns.values())
    return CsvSource.open(
        file.path,
        file.name,
        sniffed,
        n_bytes=file.n_bytes,
        chunk_rows=options.chunk_rows,
        is_header=lambda names: looks_like_header(names, mapped),
    )


def _wanted(layout: Layout, file_format: str) -> tuple[list[int], frozenset[int]]:
    """Numbers of the columns to read, and of those that may come as dictionaries.

    Times in text do so in Parquet, which mostly holds them that way, and not in CSV, where making one costs more
    than reading each.
    """
    wanted = [*layout.columns.values(), *(index for _, index in layout.twins)]
    one_by_one = _ONE_BY_ONE if file_format == "parquet" else _ONE_BY_ONE | {"timestamp"}
    return wanted, frozenset(index for name, index in layout.columns.items() if name not in one_by_one)


def _by_field(arrays: Mapping[int, pa.Array], layout: Layout, name: str) -> dict[str, pa.Array]:
    for field_name, index in layout.twins:
        one, other = arrays[layout.columns[field_name]], arrays[index]
        if not one.equals(other) and not _same_values(one, other):
            raise InputFileError(
                "duplicate_columns",
                f"{name} has two columns for {field_name}, {layout.name_of(field_name)!r} and "
                f"{layout.names[index]!r}, that differ; name the right one in the settings under [input] columns",
            )
    return {field_name: arrays[index] for field_name, index in layout.columns.items()}


def _same_values(one: pa.Array, other: pa.Array) -> bool:
    if holds_numbers(one.type) and holds_numbers(other.type):
        first, second = numbers(one), numbers(other)
        if first.unreadable is None and second.unreadable is None:
            return bool(np.array_equal(first.values, second.values, equal_nan=True))
    return [value_at(one, row) for row in range(len(one))] == [value_at(other, row) for row in range(len(other))]


DATA_SUFFIXES: Final = (
    *(".parquet", ".pq", ".geoparquet", ".csv", ".tsv", ".nmea", ".ais"),
    *(f"{kind}{packing}" for kind in (".csv", ".tsv", ".nmea", ".ais") for packing in (".gz", ".zst")),
)
"""Names that a folder's files are taken by; their content decides what they are."""
LOG_SUFFIXES: Final = tuple(f"{kind}{packing}" for kind in (".txt", ".log") for packing in ("", ".gz", ".zst"))
"""Names that a folder's files are taken by when they hold NMEA sentences; notes and job logs bear them too."""
_GLOB_CHARS: Final = frozenset("*?[")


def find_inputs(inputs: Sequence[str | Path], *, may_be_empty: bool = False) -> tuple[list[InputFile], list[SetAside]]:
    """Data files among files, folders and globs, and what bears a data file's name but is none. Sorted by name.

    Folders are walked to the bottom; hidden files and names of no data format are passed over. A file named
    directly is always taken. The same file under two names is taken once. Raises UsageError when a name or glob
    matches nothing, and, unless `may_be_empty`, when there is nothing at all.
    """
    found: dict[Path, InputFile] = {}
    aside: dict[str, SetAside] = {}
    for given in inputs:
        for path in _matches(given):
            for candidate in _walk(path, named=True, above=()):
                if isinstance(candidate, SetAside):
                    aside.setdefault(candidate.name, candidate)
                elif (known := found.get(candidate.path)) is None or candidate.name < known.name:
                    found[candidate.path] = candidate
    if not found and not aside and not may_be_empty:
        where = ", ".join(str(given) for given in inputs)
        raise UsageError(f"no input: {where} holds no data file" if inputs else "no input: name a file, folder or glob")
    return sorted(found.values(), key=lambda file: file.name), sorted(aside.values(), key=lambda item: item.name)


def _matches(given: str | Path) -> list[Path]:
    path = Path(given)
    if os.path.lexists(path):
        return [path]
    if not _GLOB_CHARS & set(str(given)):
        raise UsageError(f"no such file or folder: {given}")
    matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207 - takes absolute patterns too
    if not matches:
        raise UsageError(f"no file matches {given}")
    return [Path(match) for match in matches]


def _walk(path: Path, *, named: bool, above: tuple[tuple[int, int], ...]) -> Iterator[InputFile | SetAside]:
    fault = _why_no_file(path)
    lower = path.name.lower()
    if fault is None:
        if named or lower.endswith(DATA_SUFFIXES) or (lower.endswith(LOG_SUFFIXES) and _holds_sentences(path)):
            yield InputFile(path.resolve(), str(path), path.stat().st_size)
        return
    if fault[0] != "folder" or lower.endswith(DATA_SUFFIXES):
        yield SetAside(str(path), fault[0], f"{path} {fault[1]}")
        return
    try:
        status = path.stat()
        names = sorted(entry.name for entry in os.scandir(path))
    except OSError as why:
        yield SetAside(str(path), "unreadable", f"{path} cannot be listed: {why.strerror}")
        return
    if (status.st_dev, status.st_ino) in above:
        yield SetAside(str(path), "link_loop", f"{path} is a link to a folder that it lies in")
        return
    for name in names:
        if not name.startswith("."):
            yield from _walk(path / name, named=False, above=(*above, (status.st_dev, status.st_ino)))


def _why_no_file(path: Path) -> tuple[str, str] | None:
    """Why a path is no regular file, as code and words; None when it is one. Opens nothing."""
    try:
        mode = path.stat().st_mode
    except OSError as why:
        if path.is_symlink():
            return "broken_link", f"is a link that leads nowhere, or to itself: {why.strerror}"
        return "unreadable", f"cannot be looked at: {why.strerror}"
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return "folder", "is a folder under the name of a data file"
    if stat.S_ISFIFO(mode):
        return "not_a_file", "is a named pipe; write its content to a file"
    return "not_a_file", "is a device or socket, not a file"


def _holds_sentences(path: Path) -> bool:
    try:
        return sniff(path, path.name).format == "nmea"
    except InputFileError:
        return False
