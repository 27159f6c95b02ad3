"""Joining rows to spans of time: which span of the same track or ship had begun when something happened."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

IntArray = npt.NDArray[np.int64]

MISSING_TIME: int = np.iinfo(np.int64).min


def shared_codes(first: pa.ChunkedArray, second: pa.ChunkedArray) -> tuple[IntArray, IntArray]:
    """Two columns of text as integers: equal texts get equal codes, null is -1 in the first and -2 in the second."""
    both = pa.chunked_array([*first.cast(pa.string()).chunks, *second.cast(pa.string()).chunks], type=pa.string())
    if len(both) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    codes = both.combine_chunks().dictionary_encode().indices.cast(pa.int64()).fill_null(-1).to_numpy()
    left, right = codes[: len(first)], codes[len(first) :]
    return left, np.where(right < 0, -2, right)


def last_begun(span_key: IntArray, span_start: IntArray, key: IntArray, time: IntArray) -> IntArray:
    """Index of the span of the same key that began last at or before each time; -1 if none had begun.

    Of spans that begin together the later row is taken. Shapes (spans,), (spans,), (rows,), (rows,) -> (rows,).
    """
    n_spans = len(span_key)
    keys, times = np.concatenate([span_key, key]), np.concatenate([span_start, time])
    is_row = np.arange(len(keys)) >= n_spans
    order = np.lexsort((is_row, times, keys))
    place_of_last_span = np.maximum.accumulate(np.where(is_row[order], -1, np.arange(len(order))))
    found = np.where(place_of_last_span >= 0, order[place_of_last_span], -1)
    result = np.empty(len(keys), dtype=np.int64)
    result[order] = found
    result = result[n_spans:]
    same_key = (result >= 0) & (span_key[result] == key) if n_spans else np.zeros(len(key), dtype=np.bool_)
    return np.where(same_key, result, -1)
