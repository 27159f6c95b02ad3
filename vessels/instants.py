"""Instants as integers, for arithmetic on arrays."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.errors import UsageError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def times_us(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A timestamp column as microseconds since 1970 UTC; null becomes the least integer. Shape (n,)."""
    filled = pc.fill_null(column.cast(pa.int64()), np.iinfo(np.int64).min)
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def instant_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime; UsageError where it states no zone."""
    if instant.tzinfo is None:
        raise UsageError(f"{instant.isoformat()} states no time zone; add one, such as {instant.isoformat()}Z for UTC")
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(us: int) -> datetime:
    """The aware datetime of microseconds since 1970 UTC.

    >>> instant_of(1_740_787_200_000_000).isoformat()
    '2025-03-01T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=int(us))
