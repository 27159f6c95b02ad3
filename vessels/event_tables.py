"""The tables of events at sea: gaps, loitering, encounters and odd positions; and what they are counted from.

Takes nothing; gives `Table` declarations, as `vessels.schema` does. Events share a prefix: `event_id` (a hash of kind,
MMSI and start, never of parameters or of the end), `kind`, `mmsi`, `segment_id`, `hull_id`, `start`, `end` (null while
the event goes on) and both places.
"""

from typing import Final

import pyarrow as pa

from vessels.schema import TIMESTAMP, Column, Table

_F64, _I64, _TEXT, _BOOL = pa.float64(), pa.int64(), pa.string(), pa.bool_()

_PREFIX: Final = (
    Column("event_id", _TEXT, "hash of kind, MMSI and start"),
    Column("kind", _TEXT, "what kind of event"),
    Column("mmsi", _I64, "MMSI"),
    Column("segment_id", _TEXT, "track"),
    Column("hull_id", _TEXT, "hull"),
    Column("start", TIMESTAMP, "from when"),
    Column("end", TIMESTAMP, "until when; null while it goes on"),
    Column("start_lat", _F64, "where it began", "degree"),
    Column("start_lon", _F64, "where it began", "degree"),
    Column("end_lat", _F64, "where it ended; null while it goes on", "degree"),
    Column("end_lon", _F64, "where it ended; null while it goes on", "degree"),
)

RECEPTION: Final = Table(
    "reception",
    (
        Column("cell", pa.int32(), "cell of half a degree; see vessels.reception.presence"),
        Column("hour", pa.int32(), "hours since 1970 UTC"),
        Column("is_class_b", _BOOL, "ships with class B sets"),
        Column("is_still", _BOOL, "ships that lay still"),
        Column("n_present", pa.uint16(), "ships known to have been there: heard in the hour, or before and after it"),
        Column("n_heard", pa.uint16(), "ships heard in the hour"),
    ),
)
"""Who was there and who was heard, by place and hour; tables of several blocks of vessels, or nights, add up."""

SHIP_CELLS: Final = Table(
    "ship_cells",
    (
        Column("mmsi", _I64, "MMSI of a ship that fell silent"),
        Column("cell", pa.int32(), "cell of half a degree"),
        Column("is_class_b", _BOOL, "its set is of class B"),
        Column("is_still", _BOOL, "while it lay still"),
        Column("n_present", pa.int32(), "hours in which it is known to have been there"),
        Column("n_heard", pa.int32(), "hours in which it was heard there"),
    ),
)
"""The record of a ship that fell silent, its own part in `reception`: how well its set is heard beside others; several
tables add up."""

GAPS: Final = Table(
    "gaps",
    (
        *_PREFIX,
        Column("duration_h", _F64, "time between the two reports; to now while it goes on", "h"),
        Column("distance_nmi", _F64, "great-circle distance between the two places", "nmi"),
        Column("implied_speed_kn", _F64, "that distance over that time", "kn"),
        Column("start_sog_kn", _F64, "speed before", "kn"),
        Column("start_cog_deg", _F64, "course before", "degree"),
        Column("end_sog_kn", _F64, "speed after", "kn"),
        Column("end_cog_deg", _F64, "course after", "degree"),
        Column("start_draught_m", _F64, "draught claimed last before", "m"),
        Column("end_draught_m", _F64, "draught claimed soon after", "m"),
        Column("start_destination", _TEXT, "destination claimed last before"),
        Column("end_destination", _TEXT, "destination claimed first after"),
        Column("changed", pa.list_(_TEXT), "what differs across it: destination, draught, name, imo, ..., course"),
        Column("next_mmsi", _I64, "MMSI under which the hull was heard again; null while it was not"),
        Column("next_segment_id", _TEXT, "track on which the hull was heard again"),
        Column("transceiver", _TEXT, "A or B: class of the set"),
        Column("cruise_kn", _F64, "the ship's usual speed under way", "kn"),
        Column("fastest_kn", _F64, "the highest speed that the ship has kept up", "kn"),
        Column("usual_interval_s", _F64, "the ship's median time between reports", "s"),
        Column("longest_usual_h", _F64, "longest of its other times between reports", "h"),
        Column("reports_per_heard_h", _F64, "reports that the feed holds of it in an hour in which it is heard"),
        Column("expected_messages", _F64, "messages that would have been heard, as its neighbours were"),
        Column("expected_messages_low", _F64, "lower bound of these, 95 %"),
        Column("expected_messages_high", _F64, "upper bound of these, 95 %"),
        Column("expected_heard_h", _F64, "hours in which it would have been heard", "h"),
        Column("expected_heard_low_h", _F64, "lower bound of these, 95 %", "h"),
        Column("chance_unheard", _F64, "probability that nothing is heard of a ship there by chance, 0 to 1"),
        Column("start_heard_share", _F64, "of the ships where it fell silent, share heard in an hour then, 0 to 1"),
        Column("end_heard_share", _F64, "the same where and when it was heard again"),
        Column("n_others", _F64, "other ships by which this is told: known to be about the place, mean over its hours"),
        Column("reception", _TEXT, "heard, outage, unheard_place, class_thinned or unknown; see docs/silences.md"),
    ),
)
"""Silences of a ship, closed and open, and what reception around them says of them."""

LOITERING: Final = Table(
    "loitering",
    (
        *_PREFIX,
        Column("duration_h", _F64, "from first to last slow report", "h"),
        Column("distance_nmi", _F64, "distance along the track", "nmi"),
        Column("lat", _F64, "mean position", "degree"),
        Column("lon", _F64, "mean position", "degree"),
        Column("mean_speed_kn", _F64, "distance along the track over time", "kn"),
        Column("spread_nmi", _F64, "farthest report from the mean position", "nmi"),
        Column("shore_nmi", _F64, "distance to the nearest land", "nmi"),
        Column("n_positions", _I64, "reports"),
        Column("longest_interval_h", _F64, "longest time between two of them", "h"),
        Column("nav_status", pa.int8(), "status most often sent, ITU-R M.1371"),
        Column("off_course_deg", _F64, "adrift: mean angle between heading and course made good", "degree"),
        Column("start_draught_m", _F64, "draught claimed at the start", "m"),
        Column("end_draught_m", _F64, "draught claimed at the end, or soon after", "m"),
        Column("n_ships_near", _I64, "other ships that lay slow nearby meanwhile"),
        Column("n_ships_ever", _I64, "other ships that ever lay slow nearby in these data: a usual waiting place"),
    ),
)
"""Times a ship spent slow at sea, outside ports. `kind` is loitering (hardly moving for hours) or adrift (moving
slowly for an hour or more, and not where her bow points). One may lie within the other."""

ENCOUNTERS: Final = Table(
    "encounters",
    (
        *_PREFIX,
        Column("other_mmsi", _I64, "the other ship's MMSI, the greater of the two"),
        Column("other_segment_id", _TEXT, "its track"),
        Column("other_hull_id", _TEXT, "its hull"),
        Column("lat", _F64, "mean position of both", "degree"),
        Column("lon", _F64, "mean position of both", "degree"),
        Column("duration_h", _F64, "time together", "h"),
        Column("heard_share", _F64, "share of the time within which both were heard within the hour, 0 to 1"),
        Column("min_distance_m", _F64, "least distance between the two", "m"),
        Column("median_distance_m", _F64, "median distance between the two", "m"),
        Column("median_sog_kn", _F64, "median of the faster one's speed", "kn"),
        Column("shore_nmi", _F64, "distance to the nearest land", "nmi"),
        Column("apart_before", _BOOL, "seen to be apart before; null if not known"),
        Column("apart_after", _BOOL, "seen to be apart afterwards; null if not known"),
        Column("under_way_together_h", _F64, "time under way side by side before and after, as in a tow", "h"),
        Column("n_meetings", _I64, "encounters of this pair in these data"),
        Column("n_partners", _I64, "different ships that either has met so in these data, beside each other"),
        Column("start_draught_m", _F64, "draught claimed before", "m"),
        Column("end_draught_m", _F64, "draught claimed after, as far as it was claimed within two days", "m"),
        Column("other_start_draught_m", _F64, "the other's draught before", "m"),
        Column("other_end_draught_m", _F64, "the other's draught after", "m"),
        Column("n_ships_near", _I64, "other ships that lay slow nearby meanwhile"),
        Column("n_ships_ever", _I64, "other ships that ever lay slow nearby in these data"),
    ),
)
"""Two ships slow and close together for hours, outside ports. `mmsi` is the lesser of the two numbers."""

POSITION_EVENTS: Final = Table(
    "position_events",
    (
        *_PREFIX,
        Column("duration_h", _F64, "from first to last report concerned", "h"),
        Column("n_positions", _I64, "reports concerned"),
        Column("distance_nmi", _F64, "jump: how far off; on_land: how far inland; else along the track", "nmi"),
        Column(
            "implied_speed_kn",
            _F64,
            "jump: speed to get there; else along the track; speed: as reported",
            "kn",
        ),
        Column("residual_m", _F64, "constant, laps, replay: from perfect motion, other laps, the track replayed", "m"),
        Column("usual_residual_m", _F64, "the same on the ship's other legs, or of ships about", "m"),
        Column("replayed_from", TIMESTAMP, "replay: when the track replayed was first sent"),
        Column("replayed_mmsi", _I64, "replay: under which MMSI it was first sent"),
        Column("came_back", _BOOL, "jump: heard on her way again; null if not heard again"),
        Column("crosses_land", _BOOL, "on_land: heard at sea within hours before and after"),
        Column("n_others", _I64, "other ships with the like nearby within hours: then it was the place, not the ship"),
    ),
)
"""Positions that no ship can have had, or hardly. `kind` is jump (away and back, or away for good), held (one position
while the ship says she moves, or before a leap), on_land, constant (motion smoother than any ship's), laps (the same
way round and round at one speed), replay (positions sent before) or speed (a speed that the positions belie)."""
