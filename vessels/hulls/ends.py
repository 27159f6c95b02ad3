"""The two sides of possible links: where tracks fall silent, where tracks wake, and what they claimed there.

Takes the tables `segments`, `silences` and `identities`; gives `Ends` for each side. A long silence inside a track is a
side too: the hull may have borne another number meanwhile.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vessels.ais import imo_check_digit_ok, ship_type_group
from vessels.bodies import BROADEST_SHIP_M, JUDGED_CLASSES, LONGEST_SHIP_M
from vessels.instants import times_us
from vessels.track import IntArray
from vessels.units import US_PER_S

FloatArray = npt.NDArray[np.float64]
Side = Literal["end", "start"]

MIN_REPORTS: Final = 3
"""Claims carried by fewer reports are passed over where others stand beside: a damaged message is one report."""
MIN_LENGTH_M: Final = 5.0
MIN_SLENDERNESS: Final = 1.5
"""No hull is broader than this share of its length: dimensions that say so were typed to fill the field."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What each side claimed. Codes are small integers, equal for equal text, -1 for none; shapes (n,).

    `name_spell` and its like are the rows of `identities` that say so, -1 for none.
    """

    imo: IntArray
    name: IntArray
    call_sign: IntArray
    type_group: IntArray
    ship_type: IntArray
    transceiver: IntArray
    length_m: FloatArray
    beam_m: FloatArray
    name_spell: IntArray
    call_sign_spell: IntArray
    transceiver_spell: IntArray


@dataclass(frozen=True, slots=True)
class Ends:
    """One side of possible links; all shapes (n,).

    `segment` is the row in `segments`, `silence` the row in `silences` or -1 for a track's own first or last report;
    `is_leap` marks those silences that are short.
    """

    segment: IntArray
    silence: IntArray
    is_leap: npt.NDArray[np.bool_]
    mmsi: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog_kn: FloatArray
    cog_deg: FloatArray
    draught_m: FloatArray
    cruise_kn: FloatArray
    interval_s: FloatArray
    longest_h: FloatArray
    n_reports: IntArray
    claims: Claims

    def __len__(self) -> int:
        return len(self.segment)


def both_ends(segments: pa.Table, silences: pa.Table, identities: pa.Table) -> tuple[Ends, Ends]:
    """The sides that fall silent and the sides that wake. Rows of the tables may come in any order."""
    spells = _Spells(segments, identities)
    return _ends(segments, silences, spells, "end"), _ends(segments, silences, spells, "start")


def _ends(segments: pa.Table, silences: pa.Table, spells: "_Spells", side: Side) -> Ends:
    mine, other = ("end", "start") if side == "end" else ("start", "end")
    row_of = {segment: row for row, segment in enumerate(segments["segment_id"].to_pylist())}
    n, m = segments.num_rows, silences.num_rows
    silent = np.array([row_of[s] for s in silences["segment_id"].to_pylist()], dtype=np.int64)
    segment = np.concatenate([np.arange(n), silent])
    # A silence begins where a track falls silent and ends where it wakes: its start is an end and the other way round.

    def column(own: str, of_silence: str) -> FloatArray:
        return np.concatenate([_floats(segments[own]), _floats(silences[of_silence])])

    time_us = np.concatenate([times_us(segments[mine]), times_us(silences[other])])
    return Ends(
        segment=segment,
        silence=np.concatenate([np.full(n, -1), np.arange(m)]).astype(np.int64),
        is_leap=np.concatenate([np.zeros(n, np.bool_), pc.fill_null(silences["is_leap"], False).to_numpy()]),
        mmsi=segments["mmsi"].to_numpy()[segment],
        time_us=time_us,
        lat=column(f"{mine}_lat", f"{other}_lat"),
        lon=column(f"{mine}_lon", f"{other}_lon"),
        sog_kn=column(f"{mine}_sog_kn", f"{other}_sog_kn"),
        cog_deg=column(f"{mine}_cog_deg", f"{other}_cog_deg"),
        draught_m=column(f"{mine}_draught_m", f"{other}_draught_m"),
        cruise_kn=_floats(segments["cruise_kn"])[segment],
        interval_s=_floats(segments["median_interval_s"])[segment],
        longest_h=_floats(segments["longest_interval_h"])[segment],
        n_reports=_ints(segments["n_positions"], 0)[segment],
        claims=spells.at(segment, time_us, side),
    )


def _floats(column: pa.ChunkedArray) -> FloatArray:
    values: FloatArray = pc.fill_null(column, np.nan).to_numpy().astype(np.float64)
    return values


class _Spells:
    """Identity spells sorted by track and time, with short-lived ones left out, looked up by track and moment."""

    def __init__(self, segments: pa.Table, identities: pa.Table) -> None:
        row_of = pd.Series(np.arange(segments.num_rows), index=segments["segment_id"].to_pandas().to_numpy())
        segment = row_of.reindex(identities["segment_id"].to_pandas().to_numpy()).fillna(-1).to_numpy().astype(np.int64)
        first, n_reports = times_us(identities["first_seen"]), _ints(identities["n_reports"], 1)
        most = np.zeros(segments.num_rows + 1, dtype=np.int64)
        np.maximum.at(most, segment, n_reports)
        said = pc.or_(
            pc.or_(pc.is_valid(identities["name"]), pc.is_valid(identities["call_sign"])),
            pc.or_(pc.is_valid(identities["imo"]), pc.is_valid(identities["length_m"])),
        )
        settled = n_reports >= np.minimum(MIN_REPORTS, most[segment])
        rows = np.flatnonzero((segment >= 0) & settled & said.to_numpy().astype(np.bool_))
        order = rows[np.lexsort((rows, first[rows], segment[rows]))]
        self._segment, self._first, self._last = segment[order], first[order], times_us(identities["last_seen"])[order]
        self._columns = _claim_columns(identities, order)
        self._columns_back = _filled_back(self._columns, self._segment)

    def at(self, segment: IntArray, time_us: IntArray, side: Side) -> Claims:
        """What a track claimed last before a moment (end), or first after it (start)."""
        n = len(self._segment)
        if not n:
            none, nothing = np.full(len(segment), -1), np.full(len(segment), np.nan)
            return Claims(np.zeros_like(none), none, none, none, none, none, nothing, nothing, none, none, none)
        origin = int(min(self._first.min(), time_us.min()))
        span = int(max(self._first.max(), time_us.max()) - origin) // US_PER_S + 2
        keys = self._segment * span + (self._first - origin) // US_PER_S
        wanted = segment * span + (time_us - origin) // US_PER_S
        last = np.searchsorted(keys, wanted, side="right") - 1
        inside = (last >= 0) & (self._segment[np.maximum(last, 0)] == segment)
        first = np.searchsorted(self._segment, segment)
        has = (first < n) & (self._segment[np.minimum(first, n - 1)] == segment)
        if side == "start":
            # What was said last before a silence, and not since, is not what the track woke with.
            following = np.minimum(last + 1, n - 1)
            past = inside & (self._last[np.maximum(last, 0)] < time_us) & (following > last)
            last = np.where(past & (self._segment[following] == segment), following, last)
        at = np.where(inside, last, np.where(has, first, -1))
        columns = self._columns if side == "end" else self._columns_back
        return Claims(**{name: _taken(column, at) for name, column in columns.items()})


def _taken(column: npt.NDArray[Any], at: IntArray) -> npt.NDArray[Any]:
    missing = np.nan if column.dtype.kind == "f" else -1
    return np.where(at >= 0, column[np.maximum(at, 0)], missing)


def _claim_columns(identities: pa.Table, rows: IntArray) -> dict[str, npt.NDArray[Any]]:
    imo = _ints(identities["imo"], 0)[rows]
    length, beam = _floats(identities["length_m"])[rows], _floats(identities["beam_m"])[rows]
    hull = (length >= MIN_LENGTH_M) & (length <= LONGEST_SHIP_M)
    broad = hull & (beam > 0) & (beam <= BROADEST_SHIP_M) & (length >= MIN_SLENDERNESS * beam)
    garbage = hull & (beam > 0) & ~broad
    ship_type = _ints(identities["ship_type"], -1)[rows]
    return {
        "imo": np.where((imo > 0) & imo_check_digit_ok(np.maximum(imo, 0)), imo, 0),
        "name": _codes(identities["name"], rows),
        "call_sign": _codes(identities["call_sign"], rows),
        "type_group": _type_groups(ship_type),
        "ship_type": ship_type,
        "transceiver": _codes(identities["transceiver"], rows),
        "length_m": np.where(hull & ~garbage, length, np.nan),
        "beam_m": np.where(broad, beam, np.nan),
        **{f"{name}_spell": _where_said(identities[name], rows) for name in ("name", "call_sign", "transceiver")},
    }


def _filled_back(columns: dict[str, npt.NDArray[Any]], segment: IntArray) -> dict[str, npt.NDArray[Any]]:
    """The same columns with what a spell does not say taken from the next one of its track that says it."""
    frame = pd.DataFrame(
        {
            name: column
            if column.dtype.kind == "f"
            else np.where(column > (0 if name == "imo" else -1), column, np.nan)
            for name, column in columns.items()
        }
    )
    filled = frame.groupby(segment, sort=False).bfill()
    return {
        name: filled[name].to_numpy()
        if column.dtype.kind == "f"
        else filled[name].fillna(0 if name == "imo" else -1).to_numpy().astype(np.int64)
        for name, column in columns.items()
    }


def _ints(column: pa.ChunkedArray, missing: int) -> IntArray:
    values: IntArray = pc.fill_null(column.cast(pa.int64()), missing).to_numpy().astype(np.int64)
    return values


def _where_said(column: pa.ChunkedArray, rows: IntArray) -> IntArray:
    return np.where(pc.is_valid(column).to_numpy()[rows], rows, -1)


def _codes(column: pa.ChunkedArray, rows: IntArray) -> IntArray:
    """Codes in the order of the text, so that row order does not matter."""
    codes, _ = pd.factorize(column.to_pandas().to_numpy()[rows], sort=True)
    return np.asarray(codes, dtype=np.int64)


def _type_groups(ship_type: IntArray) -> IntArray:
    """A code for the class of ship; -1 where it says nothing."""
    known, place = np.unique(ship_type, return_inverse=True)
    groups = np.array([_group_code(code) for code in known.tolist()], dtype=np.int64)
    return groups[place] if len(groups) else place.astype(np.int64)


def _group_code(ship_type: int) -> int:
    group = ship_type_group(ship_type)
    return JUDGED_CLASSES.index(group) if group in JUDGED_CLASSES else -1
