"""Encounters: two ships slow and close together for hours, outside harbours, found for the whole fleet.

Takes the tables that `vessels.events.slow` made of every block of vessels, and the tables of tracks; gives the
`encounters` table. Ships are compared instant by instant and only with those nearby, never all with all; a meeting over
midnight or over the border of a file or of a block is one. Who the two are, and whether it matters, is left to others.
"""

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.event_tables import ENCOUNTERS
from vessels.events.about import ships_about
from vessels.events.context import (
    Company,
    CompanyRule,
    Draughts,
    Sketched,
    company,
    event_ids,
    newest_us,
    stayed,
    tracks_at,
)
from vessels.events.meetings import DEFAULT_ENCOUNTERS, EncounterParameters, Meetings, Samples, find_meetings
from vessels.events.slow import STEP_US, ShoreDistance
from vessels.track import IntArray
from vessels.units import US_PER_H


def find_encounters(
    samples: pa.Table,
    stretches: pa.Table,
    draughts: pa.Table,
    segments: pa.Table,
    sketches: pa.Table,
    port_visits: pa.Table,
    shore_nmi: ShoreDistance,
    as_of_us: int,
    parameters: EncounterParameters = DEFAULT_ENCOUNTERS,
) -> pa.Table:
    """The `encounters` table of the fleet, sorted by MMSI, start and the other MMSI.

    `samples`, `stretches`, `draughts` and `sketches` name tracks as they were derived; `segments` are the final ones,
    parted and joined to hulls: the event takes its names from there.
    """
    places = Samples.of(samples)
    meetings = find_meetings(places, parameters)
    tracks, (one, other) = _involved(meetings, places.names)
    numbers = np.zeros(len(tracks), dtype=np.int64)
    numbers[one], numbers[other] = meetings.mmsi[:, None], meetings.other_mmsi[:, None]
    sketched = Sketched.of(sketches, tracks, numbers)
    before, after = _company(sketched, meetings, one, other, parameters)
    claimed = Draughts.of(draughts, port_visits, sketched, tracks, numbers)
    is_open = _open(meetings, sketched, one[:, 1], other[:, 1], newest_us(segments, as_of_us), parameters)
    own = np.column_stack([meetings.mmsi, meetings.other_mmsi])
    near, ever = ships_about(
        stretches, own, meetings.lat, meetings.lon, meetings.start_us, meetings.end_us, parameters.about_nmi
    )
    n_meetings, n_partners = _counts(meetings)
    return ENCOUNTERS.build(
        {
            **_names(segments, tracks, meetings, one[:, 0], other[:, 0]),
            "start": meetings.start_us,
            "end": pa.array(meetings.end_us, ENCOUNTERS.arrow.field("end").type, mask=is_open),
            "start_lat": meetings.start_lat.round(6),
            "start_lon": meetings.start_lon.round(6),
            "end_lat": np.where(is_open, np.nan, meetings.end_lat).round(6),
            "end_lon": np.where(is_open, np.nan, meetings.end_lon).round(6),
            "lat": meetings.lat.round(6),
            "lon": meetings.lon.round(6),
            "duration_h": ((meetings.end_us - meetings.start_us) / US_PER_H).round(4),
            "heard_share": meetings.heard_share.round(4),
            "min_distance_m": meetings.min_m.round(1),
            "median_distance_m": meetings.median_m.round(1),
            "median_sog_kn": meetings.median_sog_kn.round(2),
            "shore_nmi": shore_nmi(meetings.lat, meetings.lon).round(2),
            "apart_before": pa.array(before.apart, mask=~before.known),
            "apart_after": pa.array(after.apart, mask=~after.known),
            "under_way_together_h": (before.together_h + after.together_h).round(2),
            "n_meetings": n_meetings,
            "n_partners": n_partners,
            **_draughts(claimed, meetings, one, "start_draught_m", "end_draught_m"),
            **_draughts(claimed, meetings, other, "other_start_draught_m", "other_end_draught_m"),
            "n_ships_near": near,
            "n_ships_ever": ever,
        }
    )


def _involved(meetings: Meetings, names: pa.Array) -> tuple[pa.Array, tuple[IntArray, IntArray]]:
    """The names of the tracks that met, and both ships' tracks as numbers among these. Shapes (k, 2)."""
    both = np.stack([meetings.one_tracks, meetings.other_tracks])
    used, number = np.unique(both, return_inverse=True)
    number = number.reshape(both.shape)
    return names.take(pa.array(used)).cast(pa.string()), (number[0], number[1])


def _company(
    sketched: Sketched, meetings: Meetings, one: IntArray, other: IntArray, parameters: EncounterParameters
) -> tuple[Company, Company]:
    """What the two did before and after."""
    rule = CompanyRule(parameters.apart_nmi, parameters.moving_kn, parameters.known_h)
    reach = int(parameters.context_h * US_PER_H)
    start, end = meetings.start_us, meetings.end_us
    before = company(sketched, one[:, 0], other[:, 0], start - reach, start, rule)
    return before, company(sketched, one[:, 1], other[:, 1], end, end + reach, rule)


def _open(
    meetings: Meetings,
    sketched: Sketched,
    one: IntArray,
    other: IntArray,
    now_us: int,
    parameters: EncounterParameters,
) -> npt.NDArray[np.bool_]:
    """Whether a meeting goes on: the data end soon after it, one of the two at least is not heard after it, and the
    other, if it is, still lies there. Shape (k,)."""
    soon = now_us - meetings.end_us <= parameters.open_h * US_PER_H
    silent = [sketched.clock.is_last(track, meetings.end_us + STEP_US - 1) for track in (one, other)]
    there = [
        stayed(sketched, track, meetings.end_us, meetings.end_lat, meetings.end_lon, parameters.apart_nmi)
        for track in (one, other)
    ]
    goes_on: npt.NDArray[np.bool_] = soon & (silent[0] | silent[1]) & there[0] & there[1]
    return goes_on


def _counts(meetings: Meetings) -> tuple[IntArray, IntArray]:
    """How often each pair met, and how many other ships either of the two has met."""
    met: defaultdict[int, set[int]] = defaultdict(set)
    times: defaultdict[tuple[int, int], int] = defaultdict(int)
    pairs = list(zip(meetings.mmsi.tolist(), meetings.other_mmsi.tolist(), strict=True))
    for one, other in pairs:
        met[one].add(other)
        met[other].add(one)
        times[one, other] += 1
    partners = [len(met[one] | met[other]) - 2 for one, other in pairs]
    return np.array([times[pair] for pair in pairs], np.int64), np.array(partners, np.int64)


def _names(segments: pa.Table, tracks: pa.Array, meetings: Meetings, one: IntArray, other: IntArray) -> dict[str, Any]:
    """Ids, kind, and the final tracks and hulls of both."""
    names = tracks.to_pylist()
    keys = meetings.mmsi, meetings.other_mmsi, meetings.start_us
    values: dict[str, Any] = {
        "event_id": event_ids(["encounter"] * len(meetings), *keys),
        "kind": ["encounter"] * len(meetings),
        "mmsi": meetings.mmsi,
        "other_mmsi": meetings.other_mmsi,
    }
    for prefix, mmsi, track in (("", meetings.mmsi, one), ("other_", meetings.other_mmsi, other)):
        row = tracks_at(segments, [names[t] for t in track.tolist()], mmsi, meetings.start_us)
        for name in ("segment_id", "hull_id"):
            values[f"{prefix}{name}"] = segments[name].take(pa.array(row))
    return values


def _draughts(claimed: Draughts, meetings: Meetings, tracks: IntArray, before: str, after: str) -> dict[str, Any]:
    """The draughts of one of the two before and after."""
    start, end = meetings.start_us, meetings.end_us
    return {
        before: claimed.before(tracks[:, 0], start).round(2),
        after: claimed.after(tracks[:, 0], tracks[:, 1], start, end).round(2),
    }
