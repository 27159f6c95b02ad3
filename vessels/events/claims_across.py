"""What a ship claimed before and after a gap, and what of it changed.

Takes gaps and the `identities` table; gives columns of the `gaps` table.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.event_tables import GAPS
from vessels.events.gaps import GapParameters
from vessels.geodesy import angle_between
from vessels.instants import times_us
from vessels.track import IntArray
from vessels.units import US_PER_H

BoolArray = npt.NDArray[np.bool_]

_CLAIMS: Final = ("destination", "name", "call_sign", "imo", "ship_type")


def claims_across(gaps: pa.Table, identities: pa.Table, parameters: GapParameters) -> dict[str, Any]:
    """Columns `start_destination`, `end_destination` and `changed`.

    A claim changed if both are known and differ, an IMO number also if it is claimed no more; draught and course by
    more than their steps. In the order of that list.
    """
    start, end = times_us(gaps["start"]), times_us(gaps["end"])
    is_open = gaps["end"].is_null().to_numpy()
    after = np.where(is_open, start, end) + int(parameters.soon_h * US_PER_H)
    tracks = pc.unique(identities["segment_id"].drop_null())
    before_spell = _spells(identities, tracks, gaps["segment_id"], start)
    after_spell = _spells(identities, tracks, gaps["next_segment_id"], after)
    said: dict[str, tuple[pa.Array, pa.Array]] = {}
    changed: dict[str, BoolArray] = {}
    for name in _CLAIMS:
        column = identities[name].combine_chunks()
        one, other = (column.take(pa.array(at, mask=at < 0)) for at in (before_spell, after_spell))
        said[name] = one, other
        changed[name] = pc.fill_null(pc.not_equal(one, other), False).to_numpy(zero_copy_only=False)
    dropped = pc.and_(said["imo"][0].is_valid(), said["imo"][1].is_null()).to_numpy(zero_copy_only=False)
    changed["imo"] |= dropped & (after_spell >= 0)
    draughts = [gaps[f"{side}_draught_m"].to_numpy() for side in ("start", "end")]
    changed["draught"] = np.abs(draughts[1] - draughts[0]) >= parameters.draught_step_m - 1e-6
    speeds, courses = ([gaps[f"{s}_{n}"].to_numpy() for s in ("start", "end")] for n in ("sog_kn", "cog_deg"))
    under_way = np.minimum(*speeds) >= parameters.under_way_kn
    changed["course"] = under_way & (angle_between(*courses) >= parameters.course_step_deg)
    names = np.array(["destination", "draught", "name", "call_sign", "imo", "ship_type", "course"])
    marks = np.stack([changed[name] for name in names.tolist()], axis=1)
    offsets = np.concatenate([[0], np.cumsum(marks.sum(axis=1))]).astype(np.int32)
    flat = pa.array(np.tile(names, len(marks))[marks.ravel()], pa.string())
    return {
        "start_destination": said["destination"][0],
        "end_destination": said["destination"][1],
        "changed": pa.ListArray.from_arrays(pa.array(offsets), flat).cast(GAPS.arrow.field("changed").type),
    }


def _spells(identities: pa.Table, tracks: pa.Array, segment_id: pa.ChunkedArray, time_us: IntArray) -> IntArray:
    """The row of `identities` in force on each track at each time: the last begun; -1 if none was. Shape (n,)."""
    of_spell = pc.fill_null(pc.index_in(identities["segment_id"], value_set=tracks), -1).to_numpy().astype(np.int64)
    wanted = pc.fill_null(pc.index_in(segment_id, value_set=tracks), -1).to_numpy().astype(np.int64)
    began = times_us(identities["first_seen"])
    # The rank of each instant stands for it, so that track and instant fit one integer.
    instants = np.unique(began)
    keys = of_spell * (len(instants) + 1) + np.searchsorted(instants, began) + 1
    order = np.argsort(keys, kind="stable")
    at = np.searchsorted(
        keys[order], wanted * (len(instants) + 1) + np.searchsorted(instants, time_us, "right"), "right"
    )
    row = order[np.maximum(at - 1, 0)] if len(order) else np.zeros(len(at), dtype=np.int64)
    known = (at > 0) & (wanted >= 0)
    known[known] &= of_spell[row[known]] == wanted[known]
    return np.where(known, row, -1)
