"""Which reports of one file the store keeps: one a minute, and all at which something changes.

Takes one settled block of one file and the zones; gives numbers of rows. It looks at nothing but the file, so that what
is kept of it depends neither on the order in which files arrive nor on what else arrives with them. Hulls that share an
MMSI are told apart before anything is left out, so that each keeps its own reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.port_visits import DEFAULT_STAYS
from vessels.motion import DEFAULT_MOTION
from vessels.parameters import Parameters
from vessels.segments import Segments, separate
from vessels.track import IntArray, Statements, TrackBlock
from vessels.units import US_PER_S
from vessels.zones import Zones

AnyArray = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class ThinParameters(Parameters):
    """How much of a track the store keeps."""

    thin_s: float = Field(
        60.0,
        ge=1,
        le=3600,
        description="One report of each track is kept in so many seconds: the first of each slot of the clock. Source: "
        "class A sets under way report every 2 to 10 s (ITU-R M.1371-5, table 1); events last minutes to days.",
    )
    gap_s: float = Field(
        1800.0,
        ge=60,
        le=86_400,
        description="Both reports around a silence this long are kept, so that its length stays exact. Source: a third "
        "of the shortest silence that gaps are told from; class A sets at anchor report every 3 min.",
    )


DEFAULT_THINNING: Final = ThinParameters()
_BURST_ROWS: Final = 10
"""So many reports after a silence are kept: a track of fewer has no gaps (`vessels.events.gaps`), and what a ship says
of itself and her next motion are looked for in so many (`vessels.silences`). A silence may go before a file too; of
files that hold minutes only a few are kept then, or thinning would spare nothing."""
_NOISE_CELL_DEG: Final = 0.05
"""Noise is kept by place too, 3 nmi of latitude: of two hulls that both pass for noise, each keeps a report."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Numbers of the rows kept, ascending: of positions, and of static-only rows. Shapes (k,), (s,)."""

    positions: IntArray
    statements: IntArray


def kept_rows(block: TrackBlock, zones: Zones, parameters: ThinParameters = DEFAULT_THINNING) -> Kept:
    """The rows of a block that the store keeps.

    Of each track: the first report of each slot; its first few and last; those before and the first few after a
    silence; both around a long step, the crossing of a fence, a stop or start inside one, and a change of claim,
    draught or navigational status; and of reports that carry a claim, the first of each slot. Noise and static-only
    rows are thinned by the same slots.
    """
    numbered = replace(block, static=np.arange(len(block), dtype=np.int32))
    segments = separate(numbered, DEFAULT_MOTION)
    # `separate` carries this column along unread: it now says which row of the block each row was.
    row = segments.static
    keep = np.zeros(len(block), dtype=np.bool_)
    keep[row[_of_tracks(segments, block.static[row], zones, parameters)]] = True
    if len(row) < len(block):
        keep[_of_noise(block, row, parameters)] = True
    return Kept(np.flatnonzero(keep), _of_statements(block.statements, len(block.mmsi), parameters))


def _of_tracks(segments: Segments, static: npt.NDArray[np.int32], zones: Zones, parameters: ThinParameters) -> Mask:
    """Which rows of the segments are kept. Shape (n,)."""
    offsets, time = segments.offsets, segments.time_us
    keep = _firsts_of_slots(time, offsets, parameters)
    gap_us = round(parameters.gap_s * US_PER_S)
    silent = np.diff(time) >= gap_us
    far = segments.step_nmi[1:] >= np.float32(DEFAULT_MOTION.slack_nmi)
    fence_set = zones.index.lookup(segments.lat, segments.lon)
    _keep_both(keep, np.flatnonzero(silent | far | (fence_set[1:] != fence_set[:-1])) + 1)
    lasting = time[offsets[1:] - 1] - time[offsets[:-1]] >= gap_us
    _keep_next(keep, offsets[:-1], DEFAULT_MOTION.min_positions, offsets)
    _keep_next(keep, np.concatenate([offsets[:-1][lasting], np.flatnonzero(silent) + 1]), _BURST_ROWS, offsets)
    _keep_both(keep, _stops(segments.sog, np.flatnonzero(fence_set)))
    for values, known in (
        (static, static != 0),
        (segments.draught, ~np.isnan(segments.draught)),
        (segments.nav_status, segments.nav_status >= 0),
    ):
        for rows in _turns(values, known, offsets):
            keep[rows] = True
    keep[_said_in_slots(static, time, parameters)] = True
    return keep


def _slots(time_us: IntArray, parameters: ThinParameters) -> IntArray:
    return time_us // round(parameters.thin_s * US_PER_S)


def _firsts_of_slots(time_us: IntArray, offsets: IntArray, parameters: ThinParameters) -> Mask:
    """The first row of each slot, and the first and last of each group."""
    keep = np.zeros(len(time_us), dtype=np.bool_)
    if len(keep):
        slot = _slots(time_us, parameters)
        np.not_equal(slot[1:], slot[:-1], out=keep[1:])
        filled = np.diff(offsets) > 0
        keep[offsets[:-1][filled]] = True
        keep[offsets[1:][filled] - 1] = True
    return keep


def _keep_both(keep: Mask, after: IntArray) -> None:
    keep[after] = True
    keep[after - 1] = True


def _keep_next(keep: Mask, starts: IntArray, n_rows: int, offsets: IntArray) -> None:
    """Keep so many rows from each start on, as far as its group goes."""
    ends = offsets[np.searchsorted(offsets, starts, side="right")]
    for i in range(1, n_rows):
        keep[starts[starts + i < ends] + i] = True


def _stops(sog: npt.NDArray[np.float32], inside: IntArray) -> IntArray:
    """Of the rows inside a fence, those at which the speed reported says that the ship has stopped, or goes again."""
    speed = sog[inside]
    sure = np.where(speed < DEFAULT_STAYS.stop_begin_kn, 1, np.where(speed > DEFAULT_STAYS.stop_end_kn, -1, 0))
    told = np.flatnonzero(sure)
    changed = np.flatnonzero(sure[told[1:]] != sure[told[:-1]])
    return inside[told[changed + 1]]


def _turns(values: AnyArray, known: Mask, offsets: IntArray) -> Iterator[IntArray]:
    """Rows of each group at which a value is first and last known, and both rows of each change between known ones."""
    rows = np.flatnonzero(known)
    if not len(rows):
        return
    yield rows[_firsts(rows, offsets)]
    yield rows[_lasts(rows, offsets)]
    said = values[rows]
    change = np.flatnonzero(said[1:] != said[:-1])
    yield rows[change]
    yield rows[change + 1]


def _firsts(rows: IntArray, offsets: IntArray) -> IntArray:
    """Places in `rows` (ascending) of the first that each group holds."""
    at = np.searchsorted(rows, offsets)
    return at[:-1][np.diff(at) > 0]


def _lasts(rows: IntArray, offsets: IntArray) -> IntArray:
    at = np.searchsorted(rows, offsets)
    return at[1:][np.diff(at) > 0] - 1


def _said_in_slots(static: npt.NDArray[np.int32], time_us: IntArray, parameters: ThinParameters) -> IntArray:
    """Of the rows that carry a claim, the first of each slot: where few do, the first report of a slot seldom does."""
    rows = np.flatnonzero(static)
    if len(rows) in (0, len(static)):
        return rows[:0]
    slot = _slots(time_us[rows], parameters)
    first = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(slot[1:], slot[:-1], out=first[1:])
    return rows[first]


def _of_noise(block: TrackBlock, in_tracks: AnyArray, parameters: ThinParameters) -> IntArray:
    """Of the rows that are in no track, the first few of each vessel, slot and place: with others they may make one."""
    noise = np.ones(len(block), dtype=np.bool_)
    noise[in_tracks] = False
    rows = np.flatnonzero(noise)
    vessel = np.searchsorted(block.offsets, rows, side="right")
    north, east = (np.floor(values[rows] / _NOISE_CELL_DEG).astype(np.int64) for values in (block.lat, block.lon))
    keys = np.stack([vessel, _slots(block.time_us[rows], parameters), north, east], axis=1)
    _, which = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    place = np.searchsorted(which.ravel()[order], which.ravel()[order])  # of the first with the same key
    return rows[order[np.arange(len(order)) - place < DEFAULT_MOTION.min_positions]]


def _of_statements(statements: Statements, n_vessels: int, parameters: ThinParameters) -> IntArray:
    """Of the static-only rows, the first of each vessel and slot, and both sides of each change."""
    offsets = np.searchsorted(statements.vessel, np.arange(n_vessels + 1))
    keep = _firsts_of_slots(statements.time_us, offsets, parameters)
    for values, known in (
        (statements.static, statements.static != 0),
        (statements.draught, ~np.isnan(statements.draught)),
    ):
        for rows in _turns(values, known, offsets):
            keep[rows] = True
    return np.flatnonzero(keep)
