"""Gaps, settled: closed where the hull was heard again under any number, held against reception, changes told.

Takes the raw rows of `gaps`, `Reception`, and the tables of a history with hulls joined; gives the `gaps` table.
Whether a gap is suspicious is left to the detectors.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.event_tables import GAPS
from vessels.events.claims_across import claims_across
from vessels.events.context import tracks_at
from vessels.events.gaps import DEFAULT_GAPS, GapParameters
from vessels.geodesy import distance_nmi
from vessels.instants import times_us
from vessels.reception.judged import OwnRecord, judge
from vessels.reception.model import Reception, strata_at_ends
from vessels.reception.reach import Silences
from vessels.track import IntArray
from vessels.units import US_PER_H, US_PER_S

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_NEVER: Final = np.iinfo(np.int64).max
_NEXT: Final = "next_segment_id"


def settle_gaps(
    raw: pa.Table,
    reception: Reception,
    ship_cells: pa.Table,
    segments: pa.Table,
    identities: pa.Table,
    links: pa.Table,
    as_of_us: int,
    parameters: GapParameters = DEFAULT_GAPS,
) -> pa.Table:
    """The `gaps` table, sorted by MMSI and start. `segment_id` of `raw` names tracks of `segments`, others are dropped.

    A track that ended is open until its hull is heard again: by a strong link under another number, else by the next
    report under its own number on any other track. Gaps too short for the ship's habit are dropped; one in which the
    number was heard on another track is told as unknown. Open gaps last until now or the newest report of all.
    """
    raw = raw.filter(pc.is_in(raw["segment_id"], value_set=segments["segment_id"].combine_chunks()))
    order = np.lexsort((times_us(raw["start"]), raw["mmsi"].to_numpy()))
    raw = raw.take(pa.array(order))
    columns = {name: raw[name].combine_chunks() for name in GAPS.names}
    now_us = min(as_of_us, reception.until_us)
    columns |= _closed(raw, segments, links, now_us)
    table = GAPS.build(columns)
    hours = table["duration_h"].to_numpy()
    usual_h = table["usual_interval_s"].to_numpy() * US_PER_S / US_PER_H
    long = (hours >= parameters.min_gap_h) & (hours >= parameters.habit_factor * usual_h)
    is_end = pc.or_(pc.is_null(raw["end"]), pc.is_valid(raw[_NEXT])).to_numpy()
    long &= ~is_end | (hours > raw["duration_h"].to_numpy())
    table = table.take(pa.array(np.flatnonzero(long)))
    columns = {name: table[name].combine_chunks() for name in GAPS.names}
    columns |= _judged(table, reception, ship_cells, now_us)
    columns |= claims_across(table, identities, parameters)
    return GAPS.build(columns)


def _closed(raw: pa.Table, segments: pa.Table, links: pa.Table, now_us: int) -> dict[str, Any]:
    """Columns of where, when and how each gap ends, as far as it does, and `reception` where that is unknown."""
    track = pc.index_in(raw["segment_id"], value_set=segments["segment_id"].combine_chunks()).to_numpy()
    start, end = times_us(raw["start"]), times_us(raw["end"])
    on_other = pc.is_valid(raw[_NEXT]).to_numpy()
    ended = on_other | (start >= times_us(segments["end"])[track])
    own_end = end.copy()
    end = np.where(end < 0, _NEVER, end)
    parted = ended & ~on_other
    following = _next_track(segments, track)
    again = np.where(following >= 0, times_us(segments["start"])[following], _NEVER)
    following = np.where(parted, following, track)
    end = np.where(parted, again, end)
    if on_other.any():
        names, numbers = (raw[name].filter(pa.array(on_other)) for name in (_NEXT, "mmsi"))
        following[on_other] = tracks_at(segments, names.to_pylist(), numbers.to_numpy(), end[on_other])
    place = {name: raw[f"end_{name}"].to_numpy().copy() for name in ("lat", "lon", "sog_kn", "cog_deg", "draught_m")}
    known_at = {name: segments[f"start_{name}"].to_numpy() for name in place}
    moved = np.flatnonzero(parted)
    for name, values in place.items():
        values[moved] = np.where(again[moved] < _NEVER, known_at[name][following[moved]], np.nan)
    starts = times_us(segments["start"])
    for row, to, link in _links_from(raw, segments, links):
        if ended[row] or link["began_us"] < end[row]:
            end[row], following[row] = link["began_us"], to
            for name, values in place.items():
                values[row] = known_at[name][to] if starts[to] == end[row] else np.nan
            place["lat"][row], place["lon"][row] = link["to_lat"], link["to_lon"]
    is_open = end == _NEVER
    beside = pc.is_valid(raw["reception"]).to_numpy() | (on_other & (end > own_end))
    hours = np.where(is_open, np.maximum(now_us - start, 0), end - start) / US_PER_H
    apart = distance_nmi(raw["start_lat"].to_numpy(), raw["start_lon"].to_numpy(), place["lat"], place["lon"])
    elsewhere = pa.array(np.where(is_open, 0, following), mask=is_open)
    return {
        "hull_id": segments["hull_id"].combine_chunks().take(pa.array(track)),
        "end": pa.array(end, GAPS.arrow.field("end").type, mask=is_open),
        **{f"end_{name}": np.where(is_open, np.nan, values) for name, values in place.items()},
        "duration_h": np.round(hours, 4),
        "distance_nmi": np.where(is_open, np.nan, np.round(apart, 3)),
        "implied_speed_kn": np.where(is_open, np.nan, np.round(apart / np.maximum(hours, 1e-9), 3)),
        "reception": pa.array(np.full(len(track), "unknown"), pa.string(), mask=~beside),
        "next_mmsi": segments["mmsi"].combine_chunks().take(elsewhere),
        "next_segment_id": segments["segment_id"].combine_chunks().take(elsewhere),
    }


def _next_track(segments: pa.Table, track: IntArray) -> IntArray:
    """The next track of the same MMSI that begins after each track has ended, -1 if none. Shape (n,)."""
    mmsi, start, end = segments["mmsi"].to_numpy(), times_us(segments["start"]), times_us(segments["end"])
    number = np.unique(mmsi, return_inverse=True)[1]
    # The rank of each instant stands for it: key and instant together fit an integer.
    instants = np.unique(np.concatenate([start, end]))
    keys = number * len(instants) + np.searchsorted(instants, start)
    order = np.argsort(keys, kind="stable")
    wanted = (number * len(instants) + np.searchsorted(instants, end))[track]
    at = np.searchsorted(keys[order], wanted, side="right")
    found = order[np.minimum(at, len(order) - 1)] if len(order) else at
    return np.where((at < len(order)) & (number[found] == number[track]), found, -1)


def _links_from(raw: pa.Table, segments: pa.Table, links: pa.Table) -> list[tuple[int, int, dict[str, Any]]]:
    """The strong link by which each gap's hull went on: row of `raw`, track, link; the earliest of several."""
    strong = links.filter(links["is_strong"])
    names = segments["segment_id"].combine_chunks()
    rows: dict[tuple[str, int], int] = {}
    if strong.num_rows:
        mine = np.flatnonzero(pc.is_in(raw["segment_id"], value_set=strong["from_segment_id"].combine_chunks()))
        part = raw.select(["segment_id", "start"]).take(pa.array(mine))
        keys = zip(part["segment_id"].to_pylist(), times_us(part["start"]).tolist(), strict=True)
        rows = dict(zip(keys, mine.tolist(), strict=True))
    found: dict[int, tuple[int, int, dict[str, Any]]] = {}
    ended, began = times_us(strong["ended"]).tolist(), times_us(strong["began"]).tolist()
    place = pc.fill_null(pc.index_in(strong["to_segment_id"], value_set=names), -1).to_pylist()
    for link, left, woke, to in zip(strong.to_pylist(), ended, began, place, strict=True):
        row = rows.get((link["from_segment_id"], left))
        if row is not None and to >= 0 and (row not in found or woke < found[row][2]["began_us"]):
            found[row] = (row, to, {**link, "began_us": woke})
    return list(found.values())


def _judged(gaps: pa.Table, reception: Reception, ship_cells: pa.Table, now_us: int) -> dict[str, Any]:
    """Columns that reception tells; what is unknown already stays so."""
    ships, ship = np.unique(gaps["mmsi"].to_numpy(), return_inverse=True)
    is_open = gaps["end"].is_null().to_numpy()
    cruise = gaps["cruise_kn"].to_numpy()
    silences = Silences(
        ship=ship.astype(np.int64),
        start_us=times_us(gaps["start"]),
        end_us=np.where(is_open, now_us, times_us(gaps["end"])),
        is_open=is_open,
        is_last=pc.fill_null(pc.not_equal(gaps["segment_id"], gaps["next_segment_id"]), True).to_numpy(),
        **{name: gaps[name].to_numpy() for name in ("start_lat", "start_lon", "end_lat", "end_lon")},
        stratum=strata_at_ends(gaps, reception.parameters),
        speed_kn=np.where(np.isnan(cruise), reception.parameters.usual_speed_kn, cruise),
    )
    told = judge(silences, reception, OwnRecord.of(ship_cells, ships, reception))
    rate = gaps["reports_per_heard_h"].to_numpy()
    return {
        "expected_messages": np.round(told.expected_heard_h * rate, 2),
        "expected_messages_low": np.round(told.expected_heard_low_h * rate, 2),
        "expected_messages_high": np.round(told.expected_heard_high_h * rate, 2),
        "expected_heard_h": told.expected_heard_h,
        "expected_heard_low_h": told.expected_heard_low_h,
        "chance_unheard": told.chance_unheard,
        "start_heard_share": told.start_heard_share,
        "end_heard_share": told.end_heard_share,
        "n_others": told.n_others,
        "reception": pc.coalesce(gaps["reception"].combine_chunks(), pa.array(told.reception, pa.string())),
    }
