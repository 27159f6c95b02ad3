"""Events given to the tracks and hulls that they belong to, once tracks have been parted and hulls joined.

Takes a table of events, the cuts of tracks and the final `segments` table; gives the events with the names that their
tracks have now and with the hulls of those tracks. What an event is, is left to `vessels.events`.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.instants import times_us
from vessels.parting import Cut


def placed(events: pa.Table, cuts: Sequence[Cut], segments: pa.Table, prefix: str = "") -> pa.Table:
    """The events with `segment_id` renamed where their track was parted before they began, and with `hull_id`.

    `prefix` is "other_" for the second ship of an encounter. An event of no known track keeps its names.
    """
    names = events[f"{prefix}segment_id"].combine_chunks()
    if cuts and len(names):
        touched = np.flatnonzero(
            pc.is_in(names, value_set=pa.array(sorted({c.segment_id for c in cuts}))).to_numpy(False)
        )
        began = times_us(events["start"])[touched]
        own = np.array(names.take(pa.array(touched)).to_pylist(), dtype=object)
        new = own.copy()
        for cut in sorted(cuts, key=lambda one: one.after_us):
            new[(own == cut.segment_id) & (began > cut.before_us)] = cut.new_id
        mask = np.zeros(len(names), dtype=np.bool_)
        mask[touched] = True
        names = pc.replace_with_mask(names, pa.array(mask), pa.array(new.tolist(), pa.string()))
        events = _replaced(events, f"{prefix}segment_id", names)
    row = pc.index_in(names, value_set=segments["segment_id"].combine_chunks())
    return _replaced(events, f"{prefix}hull_id", segments["hull_id"].combine_chunks().take(row))


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    column = table.schema.get_field_index(name)
    return table.set_column(column, table.schema.field(column), values)
