"""Whether a file's columns can be what their names say, judged by type and by a sample of the first rows.

Takes a layout, the columns' Arrow types and a sample; gives the layout to read by. A file that cannot be AIS
positions is refused here, before any of its rows counts. Single bad rows are left to `vessels.quality`.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from vessels import ais
from vessels.dialects import dialect_named
from vessels.errors import InputFileError
from vessels.fields import Mask, holds_numbers, mmsi_column, numbers
from vessels.layouts import Layout
from vessels.quality import LAT_LIMIT_DEG, LON_LIMIT_DEG
from vessels.text import shown
from vessels.times import is_ambiguous_date, is_text, parse_times, value_at

_MEASURES: Final = ("sog", "cog", "heading", "draught", "length_m", "beam_m")
_MOST: Final = 0.5
"""When more than this share of the latitudes lies beyond the poles, the file is in AIS units, not in degrees."""


def check_types(layout: Layout, type_of: Callable[[int], pa.DataType]) -> None:
    """Refuse columns whose type cannot hold their field; raises InputFileError (`column_type`, `naive_time`)."""
    for field_name, index in layout.columns.items():
        kind = type_of(index)
        if not _can_hold(field_name, kind):
            raise InputFileError(
                "column_type",
                f"the column {layout.names[index]!r} is of type {kind}, which cannot be {_words(field_name)}",
            )
    kind = type_of(layout.columns["timestamp"])
    if pa.types.is_timestamp(kind) and kind.tz is None and layout.zone is None:
        raise _naive(layout)


def _can_hold(field_name: str, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return field_name != "geometry" and _can_hold(field_name, kind.value_type)
    if field_name == "timestamp":
        return bool(pa.types.is_timestamp(kind)) or holds_numbers(kind)
    if field_name == "geometry":
        struct = pa.types.is_struct(kind) and {"x", "y"} <= {kind.field(i).name for i in range(kind.num_fields)}
        return bool(struct or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
    return holds_numbers(kind)


def _words(field_name: str) -> str:
    return {"timestamp": "a time", "mmsi": "an MMSI", "lat": "a latitude", "lon": "a longitude"}.get(
        field_name, field_name.replace("_", " ")
    )


def _naive(layout: Layout) -> InputFileError:
    return InputFileError(
        "naive_time",
        f"the times in {layout.name_of('timestamp')!r} state no zone; if they are UTC say so in the settings, "
        '[input] timezone = "UTC", or write them with Z or an offset',
    )


def settle(layout: Layout, sample: Mapping[str, pa.Array]) -> Layout:
    """The layout to read by, given the first rows.

    Raises InputFileError: `column_content` when no value of a column can be what its name says, `naive_time`
    when no time states its zone and none is given.
    """
    layout = _in_its_units(layout, sample)
    mmsi = mmsi_column(sample["mmsi"])
    _refuse_if_all(layout, sample, "mmsi", mmsi.unreadable, mmsi.missing)
    times = parse_times(sample["timestamp"], layout.zone, day_first=layout.dialect.day_first)
    _refuse_ambiguous(layout, sample["timestamp"], times.unreadable)
    _refuse_if_all(layout, sample, "timestamp", times.unreadable, times.missing)
    if times.naive is not None and (times.naive | _none_or(times.missing) | _none_or(times.unreadable)).all():
        raise _naive(layout)
    for field_name, limit, code in (
        ("lat", LAT_LIMIT_DEG, ais.LAT_NOT_AVAILABLE),
        ("lon", LON_LIMIT_DEG, ais.LON_NOT_AVAILABLE),
    ):
        if field_name in sample:
            read = numbers(sample[field_name])
            values = read.values / layout.dialect.divide.get(field_name, 1.0)
            beyond = (np.abs(values) > limit) & (values != code)
            missing = np.isnan(values) | (values == code)
            bad = beyond if read.unreadable is None else beyond | read.unreadable
            _refuse_if_all(layout, sample, field_name, bad, missing & ~bad)
    for field_name in _MEASURES:
        if field_name in sample:
            read = numbers(sample[field_name])
            if read.unreadable is not None:
                _refuse_if_all(layout, sample, field_name, read.unreadable, np.isnan(read.values) & ~read.unreadable)
    return layout


def _none_or(mask: Mask | None) -> Mask | bool:
    return False if mask is None else mask


def _refuse_if_all(
    layout: Layout, sample: Mapping[str, pa.Array], field_name: str, bad: Mask | None, missing: Mask | None
) -> None:
    """Refuse the file when values are there and not one is good."""
    if bad is None or not bad.any() or not (bad | _none_or(missing)).all():
        return
    example = shown(value_at(sample[field_name], int(np.argmax(bad))))
    raise InputFileError(
        "column_content",
        f"no value of the column {layout.name_of(field_name)!r} can be {_words(field_name)}: the first is {example!r}; "
        "if another column holds it, name that in the settings under [input] columns",
    )


def _refuse_ambiguous(layout: Layout, array: pa.Array, unreadable: Mask | None) -> None:
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if unreadable is None or not is_text(kind):
        return
    text = shown(value_at(array, int(np.argmax(unreadable))))
    if is_ambiguous_date(text):
        raise InputFileError(
            "ambiguous_date",
            f"in {layout.name_of('timestamp')!r} day and month cannot be told apart ({text!r}); write YYYY-MM-DD, or "
            "force a dialect that writes the day first (dma)",
        )


def _in_its_units(layout: Layout, sample: Mapping[str, pa.Array]) -> Layout:
    if layout.dialect.in_ais_units is None or "lat" not in sample:
        return layout
    lat = np.abs(numbers(sample["lat"]).values)
    said = lat[~np.isnan(lat)]
    if len(said) and np.mean(said > ais.LAT_NOT_AVAILABLE) > _MOST:
        return layout.with_dialect(dialect_named(layout.dialect.in_ais_units))
    return layout
