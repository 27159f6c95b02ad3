"""Voyages that began before the history does: their true start, origin and id, and those that a stay in progress ended.

Takes the `voyages` table of a block, its legs and visits, and `Continued`; gives the table as a longer history would
tell it. Measures of a voyage in progress are left as they are: of the part from the last report before the boundary on.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import with_values
from vessels.continuing import Continued
from vessels.events.port_visits import Visits
from vessels.instants import times_us
from vessels.legs import Legs, VoyageParameters
from vessels.schema import VOYAGES
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.voyages import voyage_ids

BoolArray = npt.NDArray[np.bool_]

_ORIGIN: Final = ("origin", "origin_visit_id")
_BEGAN: Final = ("start", "start_lat", "start_lon", *_ORIGIN)
"""What a voyage in progress keeps of what was known of it."""
_ENDED: Final = (
    "end",
    "last_seen",
    "end_lat",
    "end_lon",
    "n_positions",
    *VOYAGES.names[VOYAGES.names.index("distance_nmi") :],
)
"""What is known of a voyage that had ended before the boundary."""
_REACHED: Final = ("destination", "destination_visit_id")


def voyages_of(anchors: pa.Table) -> dict[str, pa.Array]:
    """The columns of the `voyages` table as anchors have them, by anchor; null where an anchor has no voyage."""
    voyage = anchors["voyage"].combine_chunks()
    return {field.name: values for field, values in zip(voyage.type, voyage.flatten(), strict=True)}


def _us(column: pa.Array) -> IntArray:
    return times_us(pa.chunked_array([column]))


def under_way(segments: Segments, visits: Visits, continued: Continued, parameters: VoyageParameters) -> BoolArray:
    """Tracks before whose first report a voyage had begun that a call at this report ends. Shape (s,).

    So if a report outside was seen before the stays in progress; and if the hull is known to have reached the port,
    maybe under another number.
    """
    out = (continued.anchor >= 0) & ~continued.is_first
    stays = visits.stays
    inside = (visits.confidence >= parameters.min_confidence) & (stays.first == segments.offsets[stays.segment])
    out[stays.segment[inside & ~visits.entry_seen]] = False
    tracks = np.flatnonzero(continued.anchor >= 0)
    known = voyages_of(continued.of(tracks))
    out[tracks[_us(known["end"]) > _us(known["start"])]] = True
    return out


def continue_voyages(
    voyages: pa.Table,
    segments: Segments,
    legs: Legs,
    visits: Visits,
    continued: Continued,
    parameters: VoyageParameters,
) -> pa.Table:
    """The `voyages` table of these legs with what was known of each track's first voyage."""
    tracks = np.flatnonzero(continued.anchor >= 0)
    row = np.searchsorted(legs.segment, tracks)
    has_leg = np.append(legs.segment, -1)[row] == tracks
    tracks, row = tracks[has_leg], row[has_leg]
    known = voyages_of(continued.of(tracks))
    start, ended = _us(known["start"]), _us(known["end"])
    begin = segments.offsets[tracks]
    first_us = segments.time_us[begin]
    has_voyage = known["voyage_id"].is_valid().to_numpy(zero_copy_only=False)
    going_on = has_voyage & (legs.origin[row] < 0) & (start <= first_us)
    out = _put(voyages, row, going_on, {name: known[name] for name in _BEGAN})
    named = row[going_on]
    ids = np.array(voyage_ids(out["mmsi"].to_numpy(), times_us(out["start"])), dtype=object)
    ids[named] = pc.filter(known["voyage_id"], pa.array(going_on)).to_pylist()
    out = with_values(out, np.arange(len(ids)), {"voyage_id": pa.array(ids.tolist(), pa.string())})
    spanned = has_voyage & (_us(known["span_start"]) <= first_us)
    out = _put(out, row, spanned, {"span_start": known["span_start"]})

    arrived = going_on & (legs.destination[row] >= 0) & (legs.last[row] == begin)
    call_us, lat, lon = _calls_at_first_rows(segments, visits, tracks, parameters)
    as_known = arrived & (ended > 0)
    out = _put(out, row, as_known, {name: known[name] for name in _ENDED})
    known_as = as_known & ~_named_anew(out, row, tracks, known, legs, visits, continued)
    out = _put(out, row, known_as, {name: known[name] for name in _REACHED})
    # Where it names the whole call, not another part of the same stay, what follows comes from there too.
    after = np.minimum(row + 1, max(out.num_rows - 1, 0))
    same_call = (legs.segment[after] == tracks) & (legs.origin[after] == legs.destination[row]) & (after > row)
    elsewhere = pc.not_equal(voyages["destination"].take(pa.array(row)).combine_chunks(), known["destination"])
    named = known_as & same_call & pc.fill_null(elsewhere, False).to_numpy(zero_copy_only=False)
    out = _put(out, after, named, dict(zip(_ORIGIN, (known[name] for name in _REACHED), strict=True)))
    anew = {"end": call_us, "last_seen": call_us, "end_lat": lat, "end_lon": lon}
    return _put(out, row, arrived & ~as_known, {name: pa.array(column) for name, column in anew.items()})


def _named_anew(
    voyages: pa.Table,
    row: IntArray,
    tracks: IntArray,
    known: dict[str, pa.Array],
    legs: Legs,
    visits: Visits,
    continued: Continued,
) -> BoolArray:
    """Whether the destination of each of these voyages is another than was known. Shape (k,).

    Of stays that overlap, the one with most stop names the call. The one that did so may have ended before the boundary
    and be known by its anchor only; if it goes on, or others have gone on for longer by now, these rows tell.
    """
    begun = visits.stays.begun
    on = set() if begun is None else set(zip(begun.segment.tolist(), begun.visit_id.tolist(), strict=True))
    goes_on = np.array(
        [key in on for key in zip(tracks.tolist(), known["destination_visit_id"].to_pylist(), strict=True)]
    )
    stopped = np.append(visits.stop_h, 0.0)[legs.destination[row]]
    less = pc.fill_null(continued.of(tracks)["stop_h"], 0.0).to_numpy() < stopped
    same = pc.equal(voyages["destination"].take(pa.array(row)).combine_chunks(), known["destination"])
    here = pc.fill_null(same, False).to_numpy(zero_copy_only=False)
    result: BoolArray = goes_on.astype(np.bool_) | (less & ~here)
    return result


def _put(table: pa.Table, row: IntArray, which: BoolArray, values: dict[str, Any]) -> pa.Table:
    """Values in some of these rows, which rise."""
    return with_values(table, row[which], {name: pc.filter(new, pa.array(which)) for name, new in values.items()})


def _calls_at_first_rows(
    segments: Segments, visits: Visits, tracks: IntArray, parameters: VoyageParameters
) -> tuple[IntArray, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """When and where the call began in which each track was at its first report; that report where it was in none."""
    stays = visits.stays
    begin = segments.offsets[tracks]
    call_us, lat, lon = segments.time_us[begin], segments.lat[begin], segments.lon[begin]
    inside = (visits.confidence >= parameters.min_confidence) & (stays.first == segments.offsets[stays.segment])
    which = np.flatnonzero(inside)
    began = stays.starts_us(segments)[which]
    which = which[np.lexsort((began, stays.segment[which]))]
    track, earliest = np.unique(stays.segment[which], return_index=True)
    which = which[earliest]
    at = np.searchsorted(tracks, track)
    of_tracks = np.append(tracks, -1)[at] == track
    at, which = at[of_tracks], which[of_tracks]
    call_us[at] = stays.starts_us(segments)[which]
    lat[at] = stays.before("lat", segments.lat[stays.first])[which]
    lon[at] = stays.before("lon", segments.lon[stays.first])[which]
    return call_us, lat, lon
