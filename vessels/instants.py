"""Instants of Arrow tables as integers, for arithmetic on arrays."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def times_us(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A timestamp column as microseconds since 1970 UTC; null becomes the least integer. Shape (n,)."""
    filled = pc.fill_null(column.cast(pa.int64()), np.iinfo(np.int64).min)
    return np.asarray(filled.to_numpy(), dtype=np.int64)
