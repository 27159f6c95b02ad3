"""Odd positions: the table of positions that no ship can have had, or hardly, put together from their finders.

Takes `Segments` and thinned rows of one block; gives raw events and traces. `settle_positions` takes those of all
blocks, finds replays, and fills in how many others nearby had the like: what befell everyone was the place or the feed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.event_tables import POSITION_EVENTS
from vessels.events.constant import ConstantParameters, find_constant
from vessels.events.held import HeldParameters, find_held
from vessels.events.jumps import JumpParameters, find_jumps
from vessels.events.laps import LapParameters, find_laps
from vessels.events.odd import OddPosition
from vessels.events.on_land import OnLandParameters, find_on_land
from vessels.events.others import OtherParameters, n_heard_at, n_with_the_like, usual_off_even_motion_m
from vessels.events.paths_again import find_paths_again
from vessels.events.replays import TRACES, ReplayParameters, find_replays, traces_of
from vessels.events.returns import PathParameters
from vessels.events.speeds import SpeedParameters, find_belied_speeds
from vessels.instants import times_us
from vessels.land import Land
from vessels.parameters import Parameters
from vessels.schema import TIMESTAMP, make_id
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]


class PositionParameters(Parameters):
    """The parameters of all kinds of odd position, by the file that uses them."""

    jumps: JumpParameters = JumpParameters()
    held: HeldParameters = HeldParameters()
    on_land: OnLandParameters = OnLandParameters()
    constant: ConstantParameters = ConstantParameters()
    laps: LapParameters = LapParameters()
    replays: ReplayParameters = ReplayParameters()
    paths: PathParameters = PathParameters()
    speeds: SpeedParameters = SpeedParameters()
    others: OtherParameters = OtherParameters()


DEFAULT_POSITIONS: Final = PositionParameters()


def find_odd_positions(
    segments: Segments, thinned: IntArray, land: Land, parameters: PositionParameters = DEFAULT_POSITIONS
) -> list[OddPosition]:
    """The odd positions of a block, in order of track and time; without those that take the whole fleet to know."""
    jumps = find_jumps(segments, parameters.jumps)
    laps = find_laps(segments, thinned, parameters.laps)
    found = [
        *(jump.event for jump in jumps),
        *find_held(segments, thinned, jumps, parameters.held),
        *find_on_land(segments, thinned, land, parameters.on_land),
        *find_constant(segments, thinned, parameters.constant),
        *laps,
        *(path for path in find_paths_again(segments, thinned, parameters.paths) if not _within(path, laps)),
        *find_belied_speeds(segments, parameters.speeds),
    ]
    return sorted(found, key=lambda event: (event.segment, event.start_us, event.kind))


def position_rows(segments: Segments, ids: Sequence[str], found: Sequence[OddPosition]) -> pa.Table:
    """The raw `position_events` of the odd positions of a block; `ids` (s,) name the tracks.

    What takes the whole fleet to know is null: hull, replays, and how many others had the like.
    """
    columns: dict[str, Any] = {name: [None] * len(found) for name in POSITION_EVENTS.names}
    mmsi = segments.mmsi[segments.vessel[[event.segment for event in found]]].tolist() if found else []
    columns["event_id"] = _event_ids(found, mmsi)
    columns["mmsi"] = pa.array(mmsi, pa.int64())
    columns["segment_id"] = [ids[event.segment] for event in found]
    columns["start"] = np.array([event.start_us for event in found], dtype=np.int64)
    columns["end"] = np.array([event.end_us for event in found], dtype=np.int64)
    columns["duration_h"] = np.round((columns["end"] - columns["start"]) / US_PER_H, 4)
    for name in ("kind", "start_lat", "start_lon", "end_lat", "end_lon", "n_positions", "came_back", "crosses_land"):
        columns[name] = [getattr(event, name) for event in found]
    for name, digits in (("distance_nmi", 3), ("implied_speed_kn", 2), ("residual_m", 2), ("usual_residual_m", 2)):
        values = np.round([getattr(event, name) for event in found], digits)
        columns[name] = pa.array(np.asarray(values, dtype=np.float64), from_pandas=True)
    sent_before = [event.replayed_from_us for event in found]
    columns["replayed_from"] = pa.array(sent_before, pa.int64()).cast(TIMESTAMP)
    columns["replayed_mmsi"] = [
        number if before is not None else None for number, before in zip(mmsi, sent_before, strict=True)
    ]
    return POSITION_EVENTS.build(columns)


def trace_rows(
    segments: Segments,
    thinned: IntArray,
    thin_min: float,
    ids: Sequence[str],
    parameters: PositionParameters = DEFAULT_POSITIONS,
) -> pa.Table:
    """The `TRACES` of a block: what replays are found by. `thinned` are one row in `thin_min` minutes."""
    sampled = traces_of(segments, thinned, thin_min, parameters.replays)
    row, track = sampled["row"], sampled["track"]
    return TRACES.build(
        {
            "mmsi": segments.mmsi[segments.vessel[track]],
            "segment_id": pa.array(list(ids), pa.string()).take(pa.array(track)),
            "timestamp": segments.time_us[row],
            "lat": segments.lat[row],
            "lon": segments.lon[row],
            "key": sampled["key"],
            "n_positions": sampled["n_positions"],
        }
    )


def settle_positions(
    events: pa.Table, traces: pa.Table, sketches: pa.Table, parameters: PositionParameters = DEFAULT_POSITIONS
) -> pa.Table:
    """The `position_events` of the whole fleet, in order of MMSI, start and kind, whatever the order of the rows.

    Adds the replays, `n_others`, and for constant motion what is usual for ships about where the ship's own is unknown.
    """
    exact = _replay_rows(traces, parameters)
    whole = POSITION_EVENTS.concat([_without_told(events, exact), exact])
    keys = (_ranks(whole["segment_id"]), _ranks(whole["kind"]), times_us(whole["start"]), whole["mmsi"].to_numpy())
    whole = whole.take(pa.array(np.lexsort(keys)))
    if not whole.num_rows:
        return whole
    kinds = np.array(whole["kind"].to_pylist())
    others = np.zeros(len(kinds), dtype=np.int64)
    for kind in sorted(set(kinds)):
        which = np.flatnonzero(kinds == kind)
        part = whole.take(pa.array(which))
        count = n_heard_at if kind == "on_land" else n_with_the_like
        others[which] = count(part, sketches, parameters.others)
    whole = _replaced(whole, "n_others", pa.array(others))
    usual = whole["usual_residual_m"].to_numpy(zero_copy_only=False).copy()
    unknown = np.flatnonzero((kinds == "constant") & np.isnan(usual))
    if len(unknown):
        usual[unknown] = usual_off_even_motion_m(whole.take(pa.array(unknown)), sketches)
        whole = _replaced(whole, "usual_residual_m", pa.array(usual, from_pandas=True))
    return whole


def _event_ids(found: Sequence[OddPosition], mmsi: Sequence[int]) -> list[str]:
    """Hashes of kind, MMSI and start; those that coincide, on two tracks of one number, are told apart by count."""
    seen: Counter[tuple[str, int, int]] = Counter()
    made = []
    for event, number in zip(found, mmsi, strict=True):
        key = (event.kind, number, event.start_us)
        made.append(make_id(*key, *([seen[key]] if seen[key] else [])))
        seen[key] += 1
    return made


def _replay_rows(traces: pa.Table, parameters: PositionParameters) -> pa.Table:
    traces, replays = find_replays(traces, parameters.replays)
    first, last, original = (
        pa.array([getattr(one, name) for one in replays], pa.int64()) for name in ("first", "last", "original")
    )
    begin, end, source = (traces.take(rows) for rows in (first, last, original))
    columns: dict[str, Any] = {name: [None] * len(replays) for name in POSITION_EVENTS.names}
    mmsi, start_us = begin["mmsi"].to_pylist(), times_us(begin["timestamp"])
    columns["event_id"] = [make_id("replay", *key) for key in zip(mmsi, start_us.tolist(), strict=True)]
    columns["kind"] = ["replay"] * len(replays)
    columns |= {name: begin[name] for name in ("mmsi", "segment_id")}
    columns |= {"start": begin["timestamp"], "end": end["timestamp"]}
    columns |= {"start_lat": begin["lat"], "start_lon": begin["lon"], "end_lat": end["lat"], "end_lon": end["lon"]}
    columns["duration_h"] = np.round((times_us(end["timestamp"]) - start_us) / US_PER_H, 4)
    columns["n_positions"] = np.array([one.n_positions for one in replays], dtype=np.int64)
    columns["distance_nmi"] = np.array([one.way_nmi for one in replays], dtype=np.float64).round(3)
    columns["residual_m"] = np.zeros(len(replays))
    columns["replayed_from"] = source["timestamp"]
    columns["replayed_mmsi"] = source["mmsi"]
    return POSITION_EVENTS.build(columns)


def _within(path: OddPosition, laps: Sequence[OddPosition]) -> bool:
    """Whether a path sent again is, in part, one of the laps of the same track."""
    of_track = (lap for lap in laps if lap.segment == path.segment)
    return any(lap.start_us <= path.end_us and lap.end_us >= path.start_us for lap in of_track)


def _without_told(events: pa.Table, exact: pa.Table) -> pa.Table:
    """The events but for paths sent again that are, in part, replays to the last digit under the same number."""
    told: dict[int, list[tuple[int, int]]] = {}
    for number, *span in zip(exact["mmsi"].to_pylist(), *_spans(exact), strict=True):
        told.setdefault(number, []).append((span[0], span[1]))
    rows = zip(events["kind"].to_pylist(), events["mmsi"].to_pylist(), *_spans(events), strict=True)
    kept = [
        kind != "replay" or all(end < first or start > last for first, last in told.get(number, ()))
        for kind, number, start, end in rows
    ]
    return events.filter(pa.array(kept, pa.bool_()))


def _spans(events: pa.Table) -> tuple[list[int], list[int]]:
    """When events start and end, in microseconds since 1970 UTC."""
    return times_us(events["start"]).tolist(), times_us(events["end"]).tolist()


def _ranks(column: pa.ChunkedArray) -> IntArray:
    """The place of each text among all in order. Shape (n,)."""
    encoded = column.combine_chunks().dictionary_encode()
    values = np.argsort(np.argsort(np.array(encoded.dictionary.to_pylist(), dtype=object).astype(str)))
    return np.asarray(values[encoded.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    column = table.schema.get_field_index(name)
    return table.set_column(column, table.schema.field(column), values)
