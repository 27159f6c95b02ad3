"""Delimited text: header, delimiter and encoding found by content, all values read as text.

Takes a path and what sniffing found; gives Arrow arrays by column number, and counts lines that are no rows.
What the values mean is left to `vessels.tabular`.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from vessels.errors import InputFileError
from vessels.quality import Reject, RejectCounts
from vessels.sniffing import Sniffed, one_line, opened
from vessels.sources import EMPTY, Piece, RowNumbers, Unit
from vessels.text import shown

_DELIMITERS: Final = ",;\t|"
_MAX_LEADING_LINES: Final = 50
"""Comment lines looked through before the header."""
_ROW_BYTES: Final = 160
"""A row of the widest common layout, about: turns rows wanted into bytes to read at a time."""
_SAMPLE_BLOCK: Final = 1 << 20
_MAX_BLOCK: Final = 1 << 25
"""Bytes parsed at a time; no row can be longer."""

_NOTHING_BELOW_HEADER: Final = ("Empty CSV file", "Could not skip initial")
"""How Arrow's reader words that a file ends with its header."""

IsHeader = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One delimited file: `names` of its columns, `skip` lines up to and with the header."""

    path: Path
    name: str
    sniffed: Sniffed
    names: tuple[str, ...]
    delimiter: str
    skip: int
    extra_column: bool
    n_bytes: int
    chunk_rows: int

    @classmethod
    def open(
        cls, path: Path, name: str, sniffed: Sniffed, *, n_bytes: int, chunk_rows: int, is_header: IsHeader
    ) -> "CsvSource":
        """Find the header; `is_header` tells it from comments that begin with `#`."""
        text = sniffed.head.decode(sniffed.encoding if sniffed.encoding != "utf-8" else "utf-8-sig", "replace")
        text = text.lstrip("\ufeff")
        lines = text.splitlines()
        for number, line in enumerate(lines[:_MAX_LEADING_LINES]):
            bare = line.strip()
            if not bare or bare.lower().startswith("sep="):
                continue
            delimiter = _delimiter(bare)
            names = _cells(line, delimiter)
            if bare.startswith("#") and not is_header(names):
                continue
            following = next((cells for row in lines[number + 1 : -1] if (cells := _cells(row, delimiter))), [])
            extra = len(following) == len(names) + 1 and following[-1] == ""
            names = [cell.strip().lstrip("#").strip() for cell in names]
            return cls(path, name, sniffed, tuple(names), delimiter, number + 1, extra, n_bytes, chunk_rows)
        raise InputFileError("missing_column", f"{name} has no line that names its columns")

    @property
    def format(self) -> str:
        return "csv"

    @property
    def n_rows(self) -> int:
        """Rows by the length of the first lines; packed files are taken to shrink to a quarter."""
        lines = self.sniffed.head.count(b"\n")
        unpacked = self.n_bytes * (4 if self.sniffed.packing else 1)
        return max(0, int(unpacked * lines / len(self.sniffed.head)) - self.skip)

    def type_of(self, column: int) -> pa.DataType:  # noqa: ARG002 - text it is, whatever the column
        return pa.string()

    def units(self) -> tuple[Unit, ...]:
        """One: where a row begins is known only after reading what is before it."""
        return (Unit((), 0, self.n_rows),)

    def read(
        self,
        unit: Unit,  # noqa: ARG002 - there is only one
        columns: Sequence[int],
        repeating: Set[int],
        max_rows: int | None = None,
    ) -> Iterator[Piece]:
        """Rows block by block; the last piece holds only counts.

        Raises InputFileError where the file breaks off or a value is too long for a row.
        """
        if max_rows is None:
            yield from self._pieces(columns, repeating, None, _MAX_BLOCK)
            return
        try:
            sample = list(self._pieces(columns, repeating, max_rows, _SAMPLE_BLOCK))
        except InputFileError as fault:
            if fault.reason != "broken_csv":
                raise
            sample = list(self._pieces(columns, repeating, max_rows, _MAX_BLOCK))
        yield from sample

    def _pieces(self, columns: Sequence[int], repeating: Set[int], max_rows: int | None, block: int) -> Iterator[Piece]:
        if self.chunk_rows * _ROW_BYTES < block:
            block = max(self.chunk_rows * _ROW_BYTES, _SAMPLE_BLOCK)
        ragged = _Ragged(self.skip, len(self.names) + self.extra_column)
        with opened(self.path, self.name, self.sniffed.packing) as stream:
            lines = _Utf8Lines(stream, self.sniffed.encoding)
            try:
                reader = pa_csv.open_csv(pa.PythonFile(lines, "r"), *self._options(columns, repeating, ragged, block))
            except pa.ArrowInvalid as why:
                if any(words in str(why) for words in _NOTHING_BELOW_HEADER):
                    return
                raise self._broken(why) from why
            row = 0
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
                except pa.ArrowInvalid as why:
                    raise self._broken(why) from why
                if not batch.num_rows:
                    continue
                arrays = {index: batch.column(at) for at, index in enumerate(sorted(set(columns)))}
                yield Piece(ragged.row_numbers(row, batch.num_rows), arrays, ragged.taken())
                row += batch.num_rows
                if max_rows is not None and row >= max_rows:
                    return
        swallowed = lines.n_lines - self.skip - row - ragged.n_lines
        if swallowed > 0 and max_rows is None:
            swallowed -= _blank_lines(self, self.skip)
        yield Piece(row, EMPTY, ragged.taken(max(0, swallowed) if max_rows is None else 0))

    def _broken(self, why: Exception) -> InputFileError:
        return InputFileError("broken_csv", f"{self.name} cannot be split into rows: {one_line(why)}")

    def _options(
        self, columns: Sequence[int], repeating: Set[int], ragged: "_Ragged", block: int
    ) -> tuple[Any, Any, Any]:
        labels = [str(i) for i in range(len(self.names) + self.extra_column)]
        wanted = [labels[i] for i in sorted(set(columns))]
        coded = pa.dictionary(pa.int32(), pa.string())
        types = {labels[i]: coded if i in repeating else pa.string() for i in columns}
        return (
            pa_csv.ReadOptions(use_threads=False, column_names=labels, skip_rows=self.skip, block_size=block),
            pa_csv.ParseOptions(delimiter=self.delimiter, invalid_row_handler=ragged),
            pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=types,
                include_columns=wanted,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])


class _Ragged:
    """Counts rows of the wrong width, as Arrow's handler of invalid rows."""

    def __init__(self, skip: int, width: int) -> None:
        self._skip, self._width = skip, width
        self._numbers: list[int] = []
        self._n_taken = 0
        self._example = ""
        self._example_row: int | None = None
        self.n_lines = 0

    def __call__(self, row: Any) -> str:
        number = -1 if row.number is None else row.number - 1 - self._skip
        if self._n_taken == len(self._numbers):
            self._example = f"{row.actual_columns} values instead of {self._width}: {shown(row.text)}"
            self._example_row = number if number >= 0 else None
        self._numbers.append(number)
        self.n_lines += row.text.count("\n") + 1
        return "skip"

    def row_numbers(self, first: int, n: int) -> RowNumbers:
        """Numbers in the file of the `n` good rows that follow `first` good rows."""
        if not self._numbers:
            return first
        bad = np.asarray(self._numbers, np.int64)
        good_before = bad - np.arange(len(bad))
        good = np.arange(first, first + n, dtype=np.int64)
        return good + np.searchsorted(good_before, good, side="right")

    def taken(self, swallowed: int = 0) -> RejectCounts:
        """The counts since the last call."""
        n, self._n_taken = len(self._numbers) - self._n_taken, len(self._numbers)
        rejects = {}
        if n:
            rejects["ragged_row"] = Reject("ragged_row", n, self._example_row, self._example)
        if swallowed:
            rejects["line_in_quotes"] = Reject(
                "line_in_quotes", swallowed, None, "more lines than rows: a quoted value runs over line ends"
            )
        return RejectCounts(n + swallowed, MappingProxyType(rejects))


class _Utf8Lines(io.RawIOBase):
    """A readable stream that hands on text as valid UTF-8, and counts its lines.

    A line that is no UTF-8 is taken for Latin-1: providers mix both, and Arrow cannot show a row that is neither.
    """

    def __init__(self, stream: Any, encoding: str) -> None:
        super().__init__()
        self._stream, self._encoding = stream, encoding
        self._raw, self._ready = b"", b""
        self._ended = False
        self._n_ends, self._last = 0, b"\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._ready) < size):
            data = bytes(self._stream.read(size if size > 0 else _MAX_BLOCK))
            self._ended = not data
            self._ready += self._whole_lines(data)
        size = len(self._ready) if size < 0 else size
        out, self._ready = self._ready[:size], self._ready[size:]
        self._n_ends += out.count(b"\n")
        self._last = out[-1:] or self._last
        return out

    def _whole_lines(self, data: bytes) -> bytes:
        """The lines complete with `data`, as UTF-8; what follows the last line end is kept for the next call."""
        self._raw += data
        if self._encoding != "utf-8":
            even = len(self._raw) - len(self._raw) % 2
            whole, self._raw = self._raw[:even], self._raw[even:]
            return whole.decode(self._encoding, "replace").lstrip("\ufeff").encode("utf-8", "replace")
        end = max(self._raw.rfind(b"\n"), self._raw.rfind(b"\r")) + 1
        cut = len(self._raw) if self._ended or end == 0 else end
        whole, self._raw = self._raw[:cut], self._raw[cut:]
        if whole.isascii() or _is_utf8(whole):
            return whole
        return b"\n".join(line if _is_utf8(line) else line.decode("latin-1").encode() for line in whole.split(b"\n"))

    @property
    def n_lines(self) -> int:
        """Lines handed on so far."""
        return self._n_ends + (self._last != b"\n")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blank_lines(source: CsvSource, skip: int) -> int:
    with opened(source.path, source.name, source.sniffed.packing) as stream:
        lines = io.TextIOWrapper(stream, encoding=source.sniffed.encoding, errors="replace")
        return sum(1 for number, line in enumerate(lines) if number >= skip and not line.strip("\r\n"))
