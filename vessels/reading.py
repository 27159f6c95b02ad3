"""Input files -> chunks of canonical rows, with counts of everything dropped on the way.

Takes paths and `ReadOptions`; gives `OpenedFile`s that are read unit by unit, each unit independent of the others.
Finding files is `find_inputs`; what rows mean is left to `vessels.tabular`, what they add up to to `vessels.gather`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from vessels.chunks import Chunk
from vessels.dialects import Layout, bind
from vessels.errors import UsageError
from vessels.parquet_files import ParquetSource, Unit
from vessels.quality import RejectCounts
from vessels.tabular import chunk_of

DEFAULT_CHUNK_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are to be understood where they do not tell.

    `dialect` forces one by name; `columns` maps canonical names to the file's; `timezone` is the zone of times that
    state none (IANA name); `chunk_rows` is about how many rows come at a time.
    """

    dialect: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    chunk_rows: int = DEFAULT_CHUNK_ROWS
    timezone: str | None = None


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


def find_inputs(inputs: Sequence[str | Path]) -> tuple[list[InputFile], list[SetAside]]:
    """Data files among files, folders and globs, sorted by name."""
    found: list[InputFile] = []
    for given in inputs:
        path = Path(given)
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        found += [InputFile(file, str(file), file.stat().st_size) for file in files]
    if not found:
        raise UsageError("no input files")
    return found, []


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file whose columns are understood; `units` can be read in any order, by several threads."""

    file: InputFile
    layout: Layout
    format: str
    n_rows_estimate: int
    units: tuple[Unit, ...]
    source: ParquetSource

    @property
    def dialect(self) -> str:
        """Name of the dialect it is read as."""
        return self.layout.dialect.name

    def read(self, unit: Unit) -> Iterator[tuple[Chunk, RejectCounts]]:
        """The unit's rows. Raises InputFileError; then nothing of the file may be used."""
        for first_row, columns in self.source.read(unit, self.layout):
            yield chunk_of(columns, self.layout, first_row)


def open_input(file: InputFile, options: ReadOptions) -> OpenedFile:
    """Recognise a file; raises InputFileError when it cannot be read as AIS positions."""
    source = ParquetSource.open(file.path, file.name, options.chunk_rows)
    layout = bind(source.schema.names, dialect=options.dialect, columns=options.columns, timezone=options.timezone)
    return OpenedFile(file, layout, "parquet", source.n_rows, source.units(), source)
