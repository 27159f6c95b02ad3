"""NMEA 0183 logs: AIS sentences with their times, decoded by pyais, as columns of a table.

Takes a path; gives Arrow arrays by column number of `COLUMNS`, one row a message, and counts sentences that say
nothing. What the values mean is left to `vessels.tabular`, so that a message means what a row of a table means.
Sources: NMEA 0183 TAG blocks; ITU-R M.1371-5; pyais.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyais
import pyarrow as pa
from pyais.exceptions import AISBaseException

from vessels.quality import Reject, RejectCounts, merge_counts
from vessels.sniffing import Sniffed, opened
from vessels.sources import Piece, Unit
from vessels.text import shown
from vessels.times import read_time

COLUMNS: Final = (
    *("mmsi", "timestamp", "lat", "lon", "sog", "cog", "heading", "nav_status", "draught", "imo", "name", "call_sign"),
    *("ship_type", "to_bow", "to_stern", "to_port", "to_starboard", "destination", "msg_type"),
)
"""Names of the columns a log is turned into; they are bound like those of any table."""

_TYPES: Final = MappingProxyType(
    {
        **dict.fromkeys(COLUMNS, pa.float64()),
        **dict.fromkeys(("mmsi", "imo", "ship_type", "msg_type"), pa.int64()),
        **dict.fromkeys(("name", "call_sign", "destination"), pa.string()),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "nav_status": pa.int64(),
    }
)
_ATTRIBUTES: Final = MappingProxyType(
    {
        **{name: name for name in ("lat", "lon", "heading", "draught", "imo", "ship_type", "destination")},
        **{name: name for name in ("to_bow", "to_stern", "to_port", "to_starboard")},
        "sog": "speed",
        "cog": "course",
        "nav_status": "status",
        "name": "shipname",
        "call_sign": "callsign",
    }
)
"""What pyais calls each column."""
_MESSAGES_PER_BATCH: Final = 100_000
_PENDING_LINES: Final = 2_000
"""A multi-part message whose parts lie further apart is given up: parts follow each other within seconds, and
sequence numbers run from 0 to 9 only."""
_PART_A_LIFE_US: Final = 6 * 60 * 1_000_000
"""Class B sets send both parts of message 24 every 6 minutes (ITU-R M.1371-5, table 2): a name older than that is
not joined to a part B."""

_LINE: Final = re.compile(
    rb"(?P<lead>[^!$\\]*)(?:\\(?P<tag>[^\\]*)\\)?\s*"
    rb"(?P<sentence>[!$](?P<talker>[A-Z]{2})VD(?P<kind>[MO]),(?P<total>\d),(?P<part>\d),(?P<sequence>\d?),"
    rb"(?P<channel>[^,]*),(?P<payload>[^,]*),(?P<fill>\d)\*(?P<checksum>[0-9A-Fa-f]{2}))(?P<tail>.*)",
    re.DOTALL,
)
_TAIL_TIME: Final = re.compile(rb"(?:^|,)(\d{9,13}(?:\.\d+)?)(?=,|\s*$)")
_LEAD_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?\s*(?:Z|UTC|[+-]\d\d:?\d\d)|\d{9,13}(?:\.\d+)?)"
)


@dataclass(slots=True)
class _Pending:
    """A multi-part message on its way in: its parts by number, its time, the line of its first part."""

    total: int
    line: int
    text: bytes
    time_us: int | None
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NmeaSource:
    """One NMEA log."""

    path: Path
    name: str
    sniffed: Sniffed
    n_bytes: int

    @property
    def format(self) -> str:
        return "nmea"

    @property
    def names(self) -> tuple[str, ...]:
        return COLUMNS

    @property
    def n_rows(self) -> int:
        """Messages by the length of the first lines; packed files are taken to shrink to a quarter."""
        lines = max(1, self.sniffed.head.count(b"\n"))
        return int(self.n_bytes * (4 if self.sniffed.packing else 1) * lines / len(self.sniffed.head))

    def type_of(self, column: int) -> pa.DataType:
        return _TYPES[COLUMNS[column]]

    def units(self) -> tuple[Unit, ...]:
        """One: a message may begin in one line and end in another."""
        return (Unit((), 0, self.n_rows),)

    def read(
        self,
        unit: Unit,  # noqa: ARG002 - there is only one
        columns: Sequence[int],  # noqa: ARG002 - every message is decoded whole
        repeating: Set[int],  # noqa: ARG002
        max_rows: int | None = None,
    ) -> Iterator[Piece]:
        """Messages batch by batch, numbered by their (first) line."""
        reader = _Reader()
        with opened(self.path, self.name, self.sniffed.packing) as stream:
            for number, line in enumerate(_lines(stream)):
                reader.take(number, line)
                if reader.n_rows >= (max_rows or _MESSAGES_PER_BATCH):
                    yield reader.batch()
                    if max_rows is not None:
                        return
        reader.give_up_all()
        yield reader.batch()


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(1 << 20):
        *lines, rest = (rest + bytes(block)).split(b"\n")
        yield from lines
    if rest:
        yield rest


class _Reader:
    """Collects lines into messages and messages into batches."""

    def __init__(self) -> None:
        self._pending: dict[tuple[bytes, ...], _Pending] = {}
        self._names: dict[int, tuple[int, str]] = {}
        self._columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self._lines: list[int] = []
        self._faults: list[RejectCounts] = []

    @property
    def n_rows(self) -> int:
        """Messages collected and not yet handed on."""
        return len(self._lines)

    def batch(self) -> Piece:
        """What was collected since the last call."""
        arrays = {i: pa.array(self._columns[name], _TYPES[name]) for i, name in enumerate(COLUMNS)}
        lines, counts = np.asarray(self._lines, np.int64), merge_counts(self._faults)
        self._columns = {name: [] for name in COLUMNS}
        self._lines, self._faults = [], []
        return Piece(lines, arrays, counts)

    def take(self, number: int, line: bytes) -> None:
        """One line of the log. Lines that hold no AIS sentence (other sentences, comments) are no input."""
        match = _LINE.match(line.strip())
        if match is None:
            if b"VDM" in line or b"VDO" in line:
                self._fault("sentence_unreadable", number, line)
            return
        part = match.groupdict()
        if _checksum(part["sentence"]) != int(part["checksum"], 16):
            self._fault("sentence_checksum", number, line)
            return
        tag = _tag_fields(part["tag"])
        time_us = _time_of(part["lead"], tag, part["tail"])
        total, index = int(part["total"]), int(part["part"])
        if total <= 1:
            self._decode(number, line, (part["sentence"],), time_us)
            return
        group = tag.get(b"g", b"").split(b"-")
        key = (
            (b"g", group[2]) if len(group) == 3 else (part["sequence"], part["channel"], part["talker"], part["total"])
        )
        pending = self._pending.get(key)
        if (
            pending is None
            or index in pending.parts
            or pending.total != total
            or number - pending.line > _PENDING_LINES
        ):
            if pending is not None:
                self._give_up(key)
            pending = self._pending[key] = _Pending(total, number, line, time_us)
        pending.parts[index] = part["sentence"]
        pending.time_us = time_us if pending.time_us is None else pending.time_us
        if len(pending.parts) == total:
            del self._pending[key]
            sentences = tuple(pending.parts[i] for i in sorted(pending.parts))
            self._decode(pending.line, pending.text, sentences, pending.time_us)

    def give_up_all(self) -> None:
        """Count what is still incomplete at the end of the log."""
        for key in list(self._pending):
            self._give_up(key)

    def _give_up(self, key: tuple[bytes, ...]) -> None:
        pending = self._pending.pop(key)
        self._fault("sentence_incomplete", pending.line, pending.text, len(pending.parts))

    def _fault(self, reason: str, number: int, line: bytes, n: int = 1) -> None:
        self._faults.append(RejectCounts(n, MappingProxyType({reason: Reject(reason, n, number, shown(line))})))
        if len(self._faults) > _MESSAGES_PER_BATCH:
            self._faults = [merge_counts(self._faults)]

    def _decode(self, number: int, line: bytes, sentences: tuple[bytes, ...], time_us: int | None) -> None:
        try:
            message = pyais.decode(*sentences)
        except (AISBaseException, ValueError, IndexError, KeyError, TypeError):
            self._fault("sentence_unreadable", number, line, len(sentences))
            return
        said = {name: getattr(message, attribute, None) for name, attribute in _ATTRIBUTES.items()}
        mmsi = int(message.mmsi)
        if message.msg_type == 24:
            self._join_parts(message, mmsi, time_us, said)
        for name, value in said.items():
            if isinstance(value, str):
                said[name] = value.replace("\x00", "")
            elif value is not None:
                said[name] = int(value) if pa.types.is_integer(_TYPES[name]) else float(value)
        row = {**said, "mmsi": mmsi, "timestamp": time_us, "msg_type": int(message.msg_type)}
        for name, values in self._columns.items():
            values.append(row[name])
        self._lines.append(number)

    def _join_parts(self, message: Any, mmsi: int, time_us: int | None, said: dict[str, Any]) -> None:
        """Give part B of message 24 the name that part A stated shortly before."""
        if message.partno == 0:
            if time_us is not None and said["name"]:
                self._names[mmsi] = (time_us, said["name"])
        elif time_us is not None and mmsi in self._names:
            stated_us, name = self._names[mmsi]
            if 0 <= time_us - stated_us <= _PART_A_LIFE_US:
                said["name"] = name


def _checksum(sentence: bytes) -> int:
    value = 0
    for byte in sentence[1 : sentence.rindex(b"*")]:
        value ^= byte
    return value


def _tag_fields(tag: bytes | None) -> dict[bytes, bytes]:
    """Fields of a TAG block by letter."""
    if not tag:
        return {}
    fields = (part.split(b":", 1) for part in tag.split(b"*", 1)[0].split(b","))
    return {pair[0].strip(): pair[1].strip() for pair in fields if len(pair) == 2}


def _time_of(lead: bytes, tag: Mapping[bytes, bytes], tail: bytes) -> int | None:
    """Receive time in microseconds: of the TAG block, appended to the sentence, or written before it."""
    for text in (tag.get(b"c"), *_TAIL_TIME.findall(tail)[-1:]):
        if text and (read := read_time(text.decode("ascii", "replace"), None)) is not None:
            return read[0]
    found = _LEAD_TIME.search(lead.decode("ascii", "replace")) if lead else None
    if found is not None and (read := read_time(found.group(1), None)) is not None:
        return read[0]
    return None
