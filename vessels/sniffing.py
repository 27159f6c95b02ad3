"""What a file is, by its first bytes: Parquet, a delimited table or NMEA sentences, packed or not.

Takes the path of a regular file; gives a `Sniffed`. A file's name is never trusted. What is neither is refused
with the reason. Reading the file is left to the readers of each format.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from vessels.errors import InputFileError

HEAD_BYTES: Final = 1 << 16
_PARQUET: Final = b"PAR1"
_PACKED: Final = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"BZh", "packed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz; unpack it first"),
    (b"PARE", "encrypted Parquet"),
    (b"ARROW1", "an Arrow file; write it as Parquet"),
    (b"SQLite format 3", "an SQLite database; export it as CSV or Parquet"),
)
_UTF16: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_SENTENCE: Final = re.compile(rb"(?:^|[\s,;\\])[!$][A-Z]{2}VD[MO],\d", re.MULTILINE)
_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\f\x1b")
_LONGEST_DETAIL: Final = 200


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`format` is parquet, csv or nmea; `packing` gzip, zstd or None; `encoding` of text; `head`: its first bytes."""

    format: str
    packing: str | None
    encoding: str
    head: bytes


def one_line(why: BaseException) -> str:
    """An error's words on one line, short enough to show."""
    return " ".join(str(why).split())[:_LONGEST_DETAIL]


def sniff(path: Path, name: str) -> Sniffed:
    """Recognise a regular file.

    Raises InputFileError: `empty_file`, `foreign_content`, `broken_packing`, `unreadable`.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as why:
        raise InputFileError("unreadable", f"{name} cannot be opened: {why.strerror}") from why
    if not head:
        raise InputFileError("empty_file", f"{name} has no bytes: not even a header")
    if head.startswith(_PARQUET):
        return Sniffed("parquet", None, "utf-8", head)
    packing = next((kind for magic, kind in _PACKED if head.startswith(magic)), None)
    if packing is not None:
        with opened(path, name, packing) as stream:
            head = bytes(stream.read(HEAD_BYTES))
        if not head:
            raise InputFileError("empty_file", f"{name} has nothing in its {packing} packing: not even a header")
        if head.startswith(_PARQUET):
            raise InputFileError("foreign_content", f"{name} is Parquet inside {packing}; unpack it first")
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise InputFileError("foreign_content", f"{name} is {what}")
    encoding = next((code for mark, code in _UTF16 if head.startswith(mark)), "utf-8")
    if encoding == "utf-8":
        _refuse_what_is_no_text(head, name)
        if _SENTENCE.search(head):
            return Sniffed("nmea", packing, encoding, head)
    return Sniffed("csv", packing, encoding, head)


def _refuse_what_is_no_text(head: bytes, name: str) -> None:
    controls = sum(1 for byte in head if byte < 0x20 and byte not in _TEXT_CONTROLS)
    if b"\x00" in head[:1024] or controls * 100 > len(head):
        raise InputFileError("foreign_content", f"{name} begins with {head[:8]!r}: neither Parquet nor text")
    start = head.removeprefix(_UTF8_MARK).lstrip()
    if not start:
        raise InputFileError("empty_file", f"{name} begins with nothing but blanks: not even a header")
    if start[:1] in (b"{", b"["):
        raise InputFileError("foreign_content", f"{name} is JSON; write it as a table")
    if start[:1] == b"<":
        raise InputFileError("foreign_content", f"{name} is XML or HTML, not a table")


@contextmanager
def opened(path: Path, name: str, packing: str | None) -> Iterator[Any]:
    """The file's unpacked bytes as a stream; damage met on the way is an InputFileError (`broken_packing`)."""
    try:
        with pa.OSFile(str(path), "rb") as raw:
            if packing is None:
                yield raw
            else:
                with pa.CompressedInputStream(raw, packing) as stream:
                    yield stream
    except (pa.ArrowException, OSError) as why:
        reason = "unreadable" if packing is None else "broken_packing"
        raise InputFileError(reason, f"{name} cannot be read to its end: {one_line(why)}") from why
