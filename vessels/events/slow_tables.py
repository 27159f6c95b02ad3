"""The tables that loitering and encounters are settled from: slow stretches, places every ten minutes, draughts.

Takes nothing; gives `Table` declarations. They hold the tracks of one block of vessels as they were derived, before
hulls are told apart under one number; tables of several blocks add up, in any order.
"""

from typing import Final

import pyarrow as pa

from vessels.schema import TIMESTAMP, Column, Table

SLOW_SAMPLES: Final = Table(
    "slow_samples",
    (
        Column("mmsi", pa.int64(), "MMSI"),
        Column("segment_id", pa.dictionary(pa.int32(), pa.string()), "track"),
        Column("step", pa.int32(), "instant: ten-minute steps since 1970 UTC"),
        Column("since", pa.int32(), "instant at or before which the ship went slow, on the same scale"),
        Column("lat", pa.float64(), "place at that instant, between reports", "degree"),
        Column("lon", pa.float64(), "place at that instant, between reports", "degree"),
        Column("sog", pa.float32(), "speed reported about then, made good where none was", "kn"),
        Column("heard", pa.bool_(), "a report lies within half an hour"),
    ),
)
"""Where slow ships were every ten minutes; tables of several blocks of vessels add up, in any order."""

SLOW_STRETCHES: Final = Table(
    "slow_stretches",
    (
        Column("mmsi", pa.int64(), "MMSI"),
        Column("segment_id", pa.string(), "track"),
        Column("start", TIMESTAMP, "first slow report"),
        Column("end", TIMESTAMP, "last slow report"),
        Column("start_lat", pa.float64(), "where it began", "degree"),
        Column("start_lon", pa.float64(), "where it began", "degree"),
        Column("end_lat", pa.float64(), "where it ended", "degree"),
        Column("end_lon", pa.float64(), "where it ended", "degree"),
        Column("lat", pa.float64(), "mean position", "degree"),
        Column("lon", pa.float64(), "mean position", "degree"),
        Column("distance_nmi", pa.float64(), "distance along the track", "nmi"),
        Column("spread_nmi", pa.float64(), "farthest report from the mean position", "nmi"),
        Column("shore_nmi", pa.float64(), "distance from the mean position to the nearest land", "nmi"),
        Column("n_positions", pa.int64(), "reports"),
        Column("longest_interval_h", pa.float64(), "longest time between two of them", "h"),
        Column("nav_status", pa.int8(), "status most often sent, ITU-R M.1371"),
    ),
)
"""Stretches of tracks that went slow outside harbours."""

ADRIFT_STRETCHES: Final = Table(
    "adrift_stretches",
    (
        *SLOW_STRETCHES.columns,
        Column("off_course_deg", pa.float64(), "mean angle of heading and course made good while adrift", "degree"),
    ),
)
"""Stretches in which ships moved slowly, and not where their bows pointed."""

DRAUGHT_SPELLS: Final = Table(
    "draught_spells",
    (
        Column("mmsi", pa.int64(), "MMSI"),
        Column("segment_id", pa.string(), "track"),
        Column("timestamp", TIMESTAMP, "when it was first claimed, to the ten minutes"),
        Column("draught_m", pa.float64(), "draught claimed from then on", "m"),
    ),
)
"""Draughts as each track claimed them, one row a change."""
