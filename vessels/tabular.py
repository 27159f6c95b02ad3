"""One batch of a table's columns -> a chunk of canonical rows and the counts of what was dropped or nulled.

Takes Arrow arrays by field and the layout that explains them; gives a `Chunk`. Every dialect and format goes
through here, so that a row means the same wherever it comes from. Files are left to the readers of each format.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels import quality, values
from vessels.chunks import Chunk
from vessels.claims import claims_of
from vessels.codes import message_type_of, status_of_words, transceiver_of
from vessels.dialects import ESSENTIAL
from vessels.fields import Distinct, Floats, Mask, distinct, mmsi_column, numbers, point_column
from vessels.layouts import Layout
from vessels.quality import Nulled, Reject, RejectCounts, Verdicts
from vessels.sources import RowNumbers
from vessels.text import shown
from vessels.times import is_text, parse_times, value_at

_US_PER_MS: Final = 1000
_MS_PER_S: Final = 1000

Columns = Mapping[str, pa.Array]


def chunk_of(columns: Columns, layout: Layout, rows: RowNumbers) -> tuple[Chunk, RejectCounts]:
    """The rows of one batch in canonical form. `columns` holds one Arrow array of n values a field.

    Raises InputFileError when a column is of a type that cannot be what its name says.
    """
    n = len(columns["mmsi"])
    verdicts, nulled = Verdicts(n), Nulled()
    mmsi = mmsi_column(columns["mmsi"])
    verdicts.reject(mmsi.missing, "mmsi_missing")
    verdicts.reject(mmsi.unreadable, "mmsi_unreadable")
    message = _message_types(columns, nulled)
    mobile = distinct(columns["mobile_type"]) if "mobile_type" in columns else None
    status, no_ship = _status(columns, layout, n, nulled)
    verdicts.reject(no_ship, "not_a_vessel")
    verdicts.reject(_no_vessel_by_word(mobile), "not_a_vessel")
    quality.judge_stations(mmsi.values, message, verdicts)
    time_us = _times(columns, layout, verdicts)
    lat, lon, without = _positions(columns, layout, n, verdicts, nulled)
    claims = claims_of(columns, layout, _transceiver(columns, mobile, message, n), nulled)
    draught = values.clean_draught(_measure(columns, layout, "draught", n, nulled), nulled)
    if without is not None:
        verdicts.reject(without & ~claims.says_something & np.isnan(draught), "nothing_said")
    chunk = Chunk(
        mmsi=mmsi.values,
        time_us=time_us,
        lat=lat,
        lon=lon,
        sog=values.clean_sog(_measure(columns, layout, "sog", n, nulled), message, nulled),
        cog=values.clean_cog(_measure(columns, layout, "cog", n, nulled), nulled),
        heading=values.clean_heading(_measure(columns, layout, "heading", n, nulled), nulled),
        draught=draught,
        nav_status=status,
        static=claims.index,
        claims=claims.claims,
    )
    counts = RejectCounts(n, _rejects(verdicts, columns, layout, rows), nulled.counts)
    return (chunk if verdicts.codes is None else _kept(chunk, np.flatnonzero(verdicts.codes == 0))), counts


def _kept(chunk: Chunk, keep: npt.NDArray[np.intp]) -> Chunk:
    return Chunk(
        mmsi=chunk.mmsi.take(keep),
        time_us=chunk.time_us.take(keep),
        lat=chunk.lat.take(keep),
        lon=chunk.lon.take(keep),
        sog=chunk.sog.take(keep),
        cog=chunk.cog.take(keep),
        heading=chunk.heading.take(keep),
        draught=chunk.draught.take(keep),
        nav_status=chunk.nav_status.take(keep),
        static=chunk.static.take(keep),
        claims=chunk.claims,
    )


def _measure(columns: Columns, layout: Layout, field_name: str, n: int, nulled: Nulled) -> npt.NDArray[np.float32]:
    """A column of numbers in its canonical unit, NaN where null or unreadable."""
    if field_name not in columns:
        return np.full(n, np.nan, np.float32)
    read = numbers(columns[field_name])
    if read.unreadable is not None:
        nulled.add(field_name, "unreadable", int(np.count_nonzero(read.unreadable)))
    divisor = layout.dialect.divide.get(field_name)
    scaled = read.values if divisor is None else read.values / divisor
    with np.errstate(over="ignore"):
        return scaled.astype(np.float32)


def _message_types(columns: Columns, nulled: Nulled) -> Floats | None:
    """AIS message types by row, NaN where none is stated."""
    if "message_type" not in columns:
        return None
    array = columns["message_type"]
    if not (is_text(array.type) or pa.types.is_dictionary(array.type)):
        return numbers(array).values
    told = distinct(array)
    types = [None if value is None else message_type_of(str(value)) for value in told.values]
    unread = [
        value is not None and str(value).strip() != "" and code is None
        for value, code in zip(told.values, types, strict=True)
    ]
    if any(unread):
        nulled.add("message_type", "unreadable", int(told.counts()[np.asarray(unread)].sum()))
    per_value: Floats = np.asarray([np.nan if code is None else float(code) for code in types])
    by_row: Floats = per_value[told.codes]
    return by_row


def _no_vessel_by_word(mobile: Distinct | None) -> Mask | None:
    """Rows whose "type of mobile" is stated and is no class of ship's set."""
    if mobile is None:
        return None
    no_class = [
        value is not None and str(value).strip() != "" and transceiver_of(str(value)) is None for value in mobile.values
    ]
    return np.asarray(no_class)[mobile.codes] if any(no_class) else None


def _transceiver(columns: Columns, mobile: Distinct | None, message: Floats | None, n: int) -> Distinct:
    """A, B or None by row: as stated, else by the message type."""
    stated = distinct(columns["transceiver"]) if "transceiver" in columns else mobile
    if stated is not None:
        return Distinct(stated.codes, tuple(transceiver_of(str(v)) if v is not None else None for v in stated.values))
    codes = np.full(n, 2, np.int64)
    if message is not None:
        codes[np.isin(message, quality.CLASS_A_MESSAGES)] = 0
        codes[np.isin(message, quality.CLASS_B_MESSAGES)] = 1
    return Distinct(codes, ("A", "B", None))


def _status(columns: Columns, layout: Layout, n: int, nulled: Nulled) -> tuple[npt.NDArray[np.int8], Mask | None]:
    """Navigational status by row, and the rows whose status is a provider's mark for something that is no vessel."""
    if "nav_status" not in columns:
        return np.full(n, -1, np.int8), None
    array = columns["nav_status"]
    if is_text(array.type) or pa.types.is_dictionary(array.type):
        told = distinct(array)
        raw = np.asarray([_status_number(value) for value in told.values])
        per_value, unread = np.where(np.isinf(raw), np.nan, raw), np.isinf(raw)
        code_of_row, count = told.codes, told.counts()
        nulled.add("nav_status", "unreadable", int(count[unread].sum()))
        status, code, beyond = values.clean_status(per_value)
        nulled.add("nav_status", "not_available", int(count[code].sum()))
        marks = np.isin(per_value, list(layout.dialect.not_vessels_by_status))
        nulled.add("nav_status", "out_of_range", int(count[beyond & ~marks].sum()))
        return status[code_of_row], marks[code_of_row] if marks.any() else None
    stated = numbers(array).values
    status, code, beyond = values.clean_status(stated)
    marks = np.isin(stated, list(layout.dialect.not_vessels_by_status)) if beyond.any() else beyond
    nulled.add("nav_status", "not_available", int(np.count_nonzero(code)))
    nulled.add("nav_status", "out_of_range", int(np.count_nonzero(beyond & ~marks)))
    return status, marks if marks.any() else None


def _status_number(value: object) -> float:
    """A status code from digits or words; NaN when nothing is said, infinite when the words are not known."""
    if value is None or not str(value).strip():
        return np.nan
    read = numbers(pa.array([str(value)]))
    if read.unreadable is None:
        return float(read.values[0])
    code = status_of_words(str(value))
    return np.inf if code is None else float(code)


def _times(columns: Columns, layout: Layout, verdicts: Verdicts) -> npt.NDArray[np.int64]:
    read = parse_times(columns["timestamp"], layout.zone, day_first=layout.dialect.day_first)
    verdicts.reject(read.missing, "time_missing")
    verdicts.reject(read.unreadable, "time_unreadable")
    verdicts.reject(read.naive, "time_without_zone")
    time_us = read.us
    if "millisecond" in columns:
        ms = numbers(columns["millisecond"]).values
        within = (ms >= 0) & (ms < _MS_PER_S)
        time_us = time_us + np.where(within, ms, 0.0).astype(np.int64) * _US_PER_MS
    quality.judge_times(time_us, verdicts)
    return time_us


def _positions(
    columns: Columns, layout: Layout, n: int, verdicts: Verdicts, nulled: Nulled
) -> tuple[Floats, Floats, Mask | None]:
    if "lat" in columns:
        lat, lon = numbers(columns["lat"]), numbers(columns["lon"])
    elif "geometry" in columns:
        lat, lon = point_column(columns["geometry"])
    else:
        return np.full(n, np.nan), np.full(n, np.nan), np.ones(n, np.bool_)
    verdicts.reject(lat.unreadable, "position_unreadable")
    verdicts.reject(lon.unreadable, "position_unreadable")
    divide = layout.dialect.divide
    return quality.judge_positions(
        lat.values / divide["lat"] if "lat" in divide else lat.values,
        lon.values / divide["lon"] if "lon" in divide else lon.values,
        verdicts,
        nulled,
    )


def _rejects(verdicts: Verdicts, columns: Columns, layout: Layout, rows: RowNumbers) -> Mapping[str, Reject]:
    if verdicts.codes is None:
        return MappingProxyType({})
    found: dict[str, Reject] = {}
    counts = np.bincount(verdicts.codes)
    for code in np.flatnonzero(counts[1:]) + 1:
        first = int(np.argmax(verdicts.codes == code))
        reason = quality.reason_of(int(code))
        number = first + rows if isinstance(rows, int) else int(rows[first])
        found[reason] = Reject(reason, int(counts[code]), number, _example(columns, layout, first))
    return MappingProxyType(found)


def _example(columns: Columns, layout: Layout, row: int) -> str:
    """What a row said, under the file's own names."""
    said = [
        f"{layout.name_of(field_name)}={shown(value_at(columns[field_name], row))}"
        for field_name in (*ESSENTIAL, "mobile_type", "message_type")
        if field_name in columns
    ]
    return ", ".join(said)
