"""The fixtures' first days as blocks of vessels, and what makes two results the same to the byte."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from vessels.chunks import StaticClaim
from vessels.history import Facts, History, combine
from vessels.intake import coverage_table, read_tracks
from vessels.track import TrackBlock
from vessels.zones import Zones

ROOT = Path(__file__).parents[2]
TRACKS = sorted((ROOT / "fixtures" / "tracks").glob("*.parquet"))
Block = tuple[TrackBlock, tuple[StaticClaim, ...]]


def blocks_of(n_days: int, rows_per_bucket: int) -> list[Block]:
    """The first days of the fixtures, in buckets of about so many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vessels.intake.ROWS_PER_BUCKET", rows_per_bucket)
        tracks = read_tracks(TRACKS[:n_days])
    claims = tracks.claims()
    return [(tracks.block(bucket), claims) for bucket in range(tracks.n_buckets)]


def history_of(parts: list[Facts], zones: Zones) -> History:
    """The fleet-wide step on what a map gave."""
    n_sources = max(len(part.tally.digest) for part in parts)
    names = [f"source-{i}" for i in range(n_sources)]
    newest = max(part.vessels["last_seen"].to_pandas().max() for part in parts)
    return combine(parts, coverage_table([part.tally for part in parts], names), newest.to_pydatetime(), zones)


def bytes_of(value: Any) -> bytes:
    """All that a result says, as bytes; fails for a type it does not know."""
    return b"".join(_pieces(value))


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, pa.Table):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as stream:
            stream.write_table(value.combine_chunks())
        yield sink.getvalue().to_pybytes()
    elif isinstance(value, pd.DataFrame):
        yield from _pieces(pa.Table.from_pandas(value))
    elif isinstance(value, np.ndarray):
        yield repr((value.dtype, value.shape)).encode()
        yield np.ascontiguousarray(value).tobytes()
    elif is_dataclass(value):
        for field in fields(value):
            yield field.name.encode()
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        yield repr(len(value)).encode()
        for part in value:
            yield from _pieces(part)
    else:
        assert value is None or isinstance(value, int | float | str | bool) or hasattr(value, "isoformat"), type(value)
        yield repr(value).encode()
