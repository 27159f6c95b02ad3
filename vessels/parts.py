"""The tracks of voyages: for the many with one track that track, for those over a change of number each of their parts.

Takes the `voyages` and `voyage_parts` tables; gives one table of both, so that what looks a voyage up by MMSI or track
finds it under any number that its hull bore.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.schema import TIMESTAMP, Column, Table

VOYAGE_TRACKS: Final = Table(
    "voyage_tracks",
    (
        Column("row", pa.int64(), "row of the voyage in `voyages`"),
        Column("segment_id", pa.string(), "track"),
        Column("mmsi", pa.int64(), "MMSI of the track"),
        Column("start", TIMESTAMP, "from when the track is the voyage's: start of its span, or of the part"),
        Column("end", TIMESTAMP, "until when"),
        Column("is_whole", pa.bool_(), "the voyage has no other track"),
    ),
)


def voyage_tracks(voyages: pa.Table, parts: pa.Table) -> pa.Table:
    """Every voyage with every track of it, sorted by MMSI; voyages of one track in the order of `voyages`.

    Parts of voyages that are not in `voyages` are left out.
    """
    rows = np.arange(voyages.num_rows)
    listed = np.flatnonzero(pc.is_in(voyages["voyage_id"], value_set=pc.unique(parts["voyage_id"])).to_numpy())
    names = voyages["voyage_id"].take(pa.array(listed))
    place = pc.fill_null(pc.index_in(parts["voyage_id"], value_set=names.combine_chunks()), -1).to_numpy()
    parts = parts.filter(pa.array(place >= 0))
    whole = np.setdiff1d(rows, listed)
    alone = voyages.select(["segment_id", "mmsi", "span_start", "span_end"])
    alone = alone.rename_columns(["segment_id", "mmsi", "start", "end"]).take(pa.array(whole))
    both = pa.concat_tables([alone, parts.select(alone.column_names)])
    number = np.concatenate([whole, listed[place[place >= 0]]]).astype(np.int64)
    order = np.argsort(both["mmsi"].to_numpy(), kind="stable")
    both = both.take(pa.array(order))
    return VOYAGE_TRACKS.build(
        {**{name: both[name] for name in both.column_names}, "row": number[order], "is_whole": order < len(whole)}
    )
