"""Reading a file to its end, as plain lists: what the tests of this folder ask of every format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vessels.chunks import Chunk, StaticClaim
from vessels.quality import RejectCounts, merge_counts
from vessels.reading import InputFile, ReadOptions, open_input


@dataclass(frozen=True)
class Read:
    """All rows of one file."""

    dialect: str
    format: str
    columns: Mapping[str, list[Any]]
    claims: list[StaticClaim]
    counts: RejectCounts
    chunks: list[Chunk]

    @property
    def n(self) -> int:
        return len(self.columns["mmsi"])

    @property
    def reasons(self) -> dict[str, int]:
        return {reason: reject.n_rows for reason, reject in self.counts.rejects.items()}

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]

    def rows(self) -> list[tuple[Any, ...]]:
        """Every row with what it says, null as None."""
        return list(zip(*self.columns.values(), self.claims, strict=True))


_COLUMNS = ("mmsi", "time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status")


def read_whole(path: Path, **options: Any) -> Read:
    opened = open_input(InputFile(path, path.name, path.stat().st_size), ReadOptions(**options))
    pieces = [piece for unit in opened.units for piece in opened.read(unit)]
    chunks = [chunk for chunk, _ in pieces]
    columns: dict[str, list[Any]] = {}
    for name in _COLUMNS:
        values = np.concatenate([getattr(chunk, name) for chunk in chunks]) if chunks else np.zeros(0)
        columns[name] = [None if value != value else value for value in values.tolist()]
    columns["nav_status"] = [None if value == -1 else value for value in columns["nav_status"]]
    claims = [chunk.claims[code] for chunk in chunks for code in chunk.static.tolist()]
    counts = merge_counts(part for _, part in pieces)
    return Read(opened.dialect, opened.format, columns, claims, counts, chunks)


@pytest.fixture
def read() -> Callable[..., Read]:
    return read_whole


@pytest.fixture
def read_text(tmp_path: Path) -> Callable[..., Read]:
    """Write a text to a file and read it."""

    def write_and_read(text: str | bytes, name: str = "tracks.csv", **options: Any) -> Read:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_whole(path, **options)

    return write_and_read
