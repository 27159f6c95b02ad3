"""Identities: what each track claimed to be, as spells of equal claims, raw values kept beside cleaned ones.

Takes `Segments`, the static-only rows and the register of claims; gives the `identities` table. A field that a row
does not say keeps its value; a full statement (a name with call sign, type, size or destination) that says no IMO
number says that there is none. Spells follow raw values: near-equal names are told from renames by the detectors.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.ais import clean_call_sign, clean_text, parse_imo
from vessels.chunks import StaticClaim
from vessels.schema import IDENTITIES
from vessels.segments import Segments
from vessels.track import IntArray, Statements
from vessels.units import US_PER_S

_UNPLACED: Final = 1 << 40
"""Sorts spells without a segment behind those that have one."""


class _Runs(NamedTuple):
    """Runs of rows with one claim: group (segment, or -1 - vessel), claim, first and last time, rows, places."""

    group: IntArray
    claim: IntArray
    first_us: IntArray
    last_us: IntArray
    n_rows: IntArray
    first_lat: npt.NDArray[np.float64]
    first_lon: npt.NDArray[np.float64]
    last_lat: npt.NDArray[np.float64]
    last_lon: npt.NDArray[np.float64]


class _Spell(NamedTuple):
    group: int
    state: StaticClaim
    first_run: int
    last_run: int
    n_rows: int


def identity_spells(
    segments: Segments,
    ids: Sequence[str],
    hull_ids: Sequence[str],
    statements: Statements,
    claims: Sequence[StaticClaim],
) -> pa.Table:
    """The `identities` table of a block, sorted by mmsi, segment and first_seen.

    Static-only rows of an MMSI with several segments go to the one nearest in time where they follow each other, else
    to the one that sends the same name or IMO number; where none does, `segment_id` is null.
    """
    runs = _position_runs(segments)
    said = np.flatnonzero(statements.static)
    if len(said):
        statements = statements.take(said)
        group = _groups(segments, runs, statements, claims)
        placed = np.flatnonzero(group >= 0)
        after = _rows_after(segments, group[placed], statements.time_us[placed])
        runs = _joined(_position_runs(segments, after), _statement_runs(segments, group, statements))
    spells = _merge(runs, claims)
    mmsi = [
        int(segments.mmsi[segments.vessel[s.group]] if s.group >= 0 else segments.mmsi[-1 - s.group]) for s in spells
    ]
    first, last = np.array([s.first_run for s in spells], np.int64), np.array([s.last_run for s in spells], np.int64)
    state = [s.state for s in spells]
    table = IDENTITIES.build(
        {
            "mmsi": np.array(mmsi, dtype=np.int64),
            "segment_id": [ids[s.group] if s.group >= 0 else None for s in spells],
            "hull_id": [hull_ids[s.group] if s.group >= 0 else None for s in spells],
            "imo": pa.array([parse_imo(c.imo_raw) for c in state], pa.int64()),
            "imo_raw": [c.imo_raw for c in state],
            "name": [clean_text(c.name_raw) for c in state],
            "name_raw": [c.name_raw for c in state],
            "call_sign": [clean_call_sign(c.call_sign_raw) for c in state],
            "call_sign_raw": [c.call_sign_raw for c in state],
            "ship_type": pa.array([c.ship_type for c in state], pa.int16()),
            "length_m": pa.array([c.length_m for c in state], pa.float64()),
            "beam_m": pa.array([c.beam_m for c in state], pa.float64()),
            "destination": [clean_text(c.destination_raw) for c in state],
            "destination_raw": [c.destination_raw for c in state],
            "transceiver": [c.transceiver for c in state],
            "first_seen": runs.first_us[first],
            "last_seen": runs.last_us[last],
            "n_reports": [s.n_rows for s in spells],
            "first_lat": runs.first_lat[first],
            "first_lon": runs.first_lon[first],
            "last_lat": runs.last_lat[last],
            "last_lon": runs.last_lon[last],
        }
    )
    group = np.array([s.group if s.group >= 0 else _UNPLACED for s in spells], dtype=np.int64)
    return table.take(np.lexsort((runs.first_us[first], group, np.array(mmsi, dtype=np.int64))))


def place_statements(segments: Segments, statements: Statements, claims: Sequence[StaticClaim]) -> IntArray:
    """The segment that each static-only row is given to, or -1. Shape (s,)."""
    return np.maximum(_groups(segments, _position_runs(segments), statements, claims), -1)


def _position_runs(segments: Segments, breaks: IntArray | None = None) -> _Runs:
    """Runs of equal claims among positions, those that say nothing left out; a new run begins at each row of `breaks`.

    Where a static-only row stands between two positions, the run is broken, so that no run reaches over it.
    """
    static, n = segments.static, len(segments)
    if not n:
        none, nowhere = np.zeros(0, np.int64), np.zeros(0)
        return _Runs(none, none, none, none, none, nowhere, nowhere, nowhere, nowhere)
    change = np.empty(n, dtype=np.bool_)
    change[0] = True
    np.not_equal(static[1:], static[:-1], out=change[1:])
    change[segments.offsets[:-1]] = True
    if breaks is not None:
        change[breaks] = True
    starts = np.flatnonzero(change)
    ends = np.concatenate([starts[1:], [n]])
    said = static[starts] != 0
    starts, last = starts[said], ends[said] - 1
    return _Runs(
        np.searchsorted(segments.offsets, starts, side="right") - 1,
        static[starts].astype(np.int64),
        segments.time_us[starts],
        segments.time_us[last],
        last - starts + 1,
        segments.lat[starts],
        segments.lon[starts],
        segments.lat[last],
        segments.lon[last],
    )


def _groups(segments: Segments, runs: _Runs, statements: Statements, claims: Sequence[StaticClaim]) -> IntArray:
    """For each static-only row the segment it is given to, or -1 - vessel where the segments cannot be told apart."""
    per_vessel = np.bincount(segments.vessel, minlength=len(segments.mmsi))
    first_segment = np.searchsorted(segments.vessel, np.arange(len(segments.mmsi)))
    group = np.where(per_vessel[statements.vessel] == 1, first_segment[statements.vessel], -1 - statements.vessel)
    in_turn = np.flatnonzero((per_vessel > 1)[statements.vessel] & _in_turn(segments)[statements.vessel])
    group[in_turn] = _nearest_tracks(segments, statements.vessel[in_turn], statements.time_us[in_turn])
    shared = np.flatnonzero((per_vessel[statements.vessel] > 1) & (group < 0))
    if len(shared):
        known: dict[tuple[int, str, str | int | None], int] = {}
        for segment, claim in zip(runs.group.tolist(), runs.claim.tolist(), strict=True):
            for key in _keys(claims[claim]):
                known.setdefault((int(segments.vessel[segment]), *key), segment)
        for i in shared.tolist():
            v = int(statements.vessel[i])
            keys = _keys(claims[int(statements.static[i])])
            group[i] = next((known[(v, *key)] for key in keys if (v, *key) in known), -1 - v)
    return group


def _in_turn(segments: Segments) -> npt.NDArray[np.bool_]:
    """For each vessel whether its tracks follow each other in time, so that the time of a report tells them apart."""
    starts, ends = segments.time_us[segments.offsets[:-1]], segments.time_us[segments.offsets[1:] - 1]
    together = (np.diff(segments.vessel) == 0) & (starts[1:] <= ends[:-1])
    apart: npt.NDArray[np.bool_] = np.bincount(segments.vessel[1:][together], minlength=len(segments.mmsi)) == 0
    return apart


def _nearest_tracks(segments: Segments, vessel: IntArray, time_us: IntArray) -> IntArray:
    """The track of each vessel that lies nearest in time (to the second) to each instant; tracks follow each other."""
    if not len(vessel):
        return np.zeros(0, dtype=np.int64)
    starts, ends = segments.time_us[segments.offsets[:-1]], segments.time_us[segments.offsets[1:] - 1]
    origin = int(min(starts.min(), time_us.min()))
    span = int(max(ends.max(), time_us.max()) - origin) // US_PER_S + 2
    since = np.zeros(len(starts), dtype=np.int64)
    since[1:] = np.where(np.diff(segments.vessel) == 0, ((starts[1:] - origin) + (ends[:-1] - origin)) // 2, 0)
    keys = segments.vessel * span + since // US_PER_S
    return np.searchsorted(keys, vessel * span + (time_us - origin) // US_PER_S, side="right") - 1


def _statement_runs(segments: Segments, group: IntArray, statements: Statements) -> _Runs:
    """Static-only rows as runs of one row, each with the position nearest in time."""
    lat, lon = np.full(len(group), np.nan), np.full(len(group), np.nan)
    placed = np.flatnonzero(group >= 0)
    row = _nearest_rows(segments, group[placed], statements.time_us[placed])
    lat[placed], lon[placed] = segments.lat[row], segments.lon[row]
    one = np.ones(len(group), dtype=np.int64)
    static, time = statements.static.astype(np.int64), statements.time_us
    return _Runs(group, static, time, time, one, lat, lon, lat, lon)


def _nearest_rows(segments: Segments, segment: IntArray, time_us: IntArray) -> IntArray:
    """The row of a segment nearest in time (to the second) to each instant."""
    at = _places(segments, segment, time_us, "left")
    before = np.clip(at - 1, segments.offsets[segment], segments.offsets[segment + 1] - 1)
    after = np.clip(at, segments.offsets[segment], segments.offsets[segment + 1] - 1)
    later = np.abs(segments.time_us[after] - time_us) < np.abs(time_us - segments.time_us[before])
    return np.where(later, after, before)


def rows_from(segments: Segments, segment: IntArray, time_us: IntArray) -> tuple[IntArray, IntArray]:
    """The first row at or after each instant (to the second) of the segment it is given to, and whose it is.

    Instants without a segment (-1) or after its last row have none.
    """
    which = np.flatnonzero(segment >= 0)
    at = _places(segments, segment[which], time_us[which], "left")
    inside = at < segments.offsets[segment[which] + 1]
    return at[inside], which[inside]


def _rows_after(segments: Segments, segment: IntArray, time_us: IntArray) -> IntArray:
    """The rows of segments that follow each instant (to the second); instants after the last row give none."""
    at = _places(segments, segment, time_us, "right")
    return at[at < segments.offsets[segment + 1]]


def _places(segments: Segments, segment: IntArray, time_us: IntArray, side: Literal["left", "right"]) -> IntArray:
    """Where in its segment each instant (to the second) stands among the rows: `numpy.searchsorted` by segment."""
    if not len(segment):
        return np.zeros(0, dtype=np.int64)
    origin, span = int(segments.time_us.min()), int(segments.time_us.max() - segments.time_us.min()) // US_PER_S + 3
    keys = segments.segment_of_rows.astype(np.int64) * span + (segments.time_us - origin) // US_PER_S + 1
    wanted = np.clip((time_us - origin) // US_PER_S + 1, 0, span - 1)
    return np.searchsorted(keys, segment * span + wanted, side=side)


def _keys(claim: StaticClaim) -> list[tuple[str, str | int | None]]:
    keys = [("imo", parse_imo(claim.imo_raw)), ("name", clean_text(claim.name_raw))]
    return [key for key in keys if key[1] is not None]


def _joined(positions: _Runs, statements: _Runs) -> _Runs:
    both = _Runs._make(np.concatenate(pair) for pair in zip(positions, statements, strict=True))
    order = np.lexsort((both.last_us, both.first_us, both.group))
    return _Runs._make(column[order] for column in both)


def _merge(runs: _Runs, claims: Sequence[StaticClaim]) -> list[_Spell]:
    """Lay each claim over what the track said before; a spell ends when a field says something else."""
    spells: list[_Spell] = []
    current: _Spell | None = None
    rows = zip(runs.group.tolist(), runs.claim.tolist(), runs.n_rows.tolist(), strict=True)
    for i, (group, number, n_rows) in enumerate(rows):
        claim = claims[number]
        if current is not None and current.group == group:
            state = _laid_over(claim, current.state)
            if state == current.state:
                current = current._replace(last_run=i, n_rows=current.n_rows + n_rows)
                continue
        else:
            state = claim
        if current is not None:
            spells.append(current)
        current = _Spell(group, state, i, i, n_rows)
    if current is not None:
        spells.append(current)
    return spells


def _laid_over(claim: StaticClaim, before: StaticClaim) -> StaticClaim:
    if claim == before:
        return before
    state = StaticClaim._make(new if new is not None else old for new, old in zip(claim, before, strict=True))
    full = claim.name_raw is not None and any(
        value is not None for value in (claim.call_sign_raw, claim.ship_type, claim.length_m, claim.destination_raw)
    )
    return state._replace(imo_raw=None) if full and claim.imo_raw is None else state
