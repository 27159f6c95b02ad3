"""Loitering: times a ship spent slow at sea, outside harbours, for hours, or adrift for one or more.

Takes the `slow_stretches` and `adrift_stretches` of every block of vessels and the tables of tracks; gives the
`loitering` table. Whether the
ship waited, drifted, fished, or met one that could not be heard, is left to others.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from pydantic import Field

from vessels.event_tables import LOITERING
from vessels.events.about import ships_about
from vessels.events.context import Draughts, Sketched, event_ids, newest_us, tracks_at
from vessels.events.slow_tables import ADRIFT_STRETCHES
from vessels.instants import times_us
from vessels.parameters import Parameters
from vessels.units import US_PER_H


class LoiteringParameters(Parameters):
    """How long a ship is slow to have loitered, and what is nearby."""

    min_h: float = Field(
        4.0,
        gt=0,
        le=240,
        description="Slow for this long. Source: judgement; twice the shortest meeting. Miller and others (Frontiers "
        "in Marine Science, 2018) took 8 h for transfers of whole catches.",
    )
    min_reports: int = Field(
        3,
        ge=2,
        le=1000,
        description="And heard so often meanwhile. Source: judgement; two reports show two places, and not what "
        "lay between.",
    )
    about_nmi: float = Field(
        2.0,
        gt=0,
        le=30,
        description="Ships within this lie nearby. Source: judgement; an anchorage, and not the next one.",
    )
    open_h: float = Field(
        6.0,
        ge=0,
        le=72,
        description="It goes on if the track ends with it and the data end so soon after. Source: as long a silence as "
        "a slow stretch may hold.",
    )


DEFAULT_LOITERING: Final = LoiteringParameters()


def find_loitering(
    stretches: pa.Table,
    draughts: pa.Table,
    segments: pa.Table,
    sketches: pa.Table,
    port_visits: pa.Table,
    as_of_us: int,
    parameters: LoiteringParameters = DEFAULT_LOITERING,
    adrift: pa.Table | None = None,
) -> pa.Table:
    """The `loitering` table of the fleet, sorted by MMSI, start and kind.

    `stretches`, `adrift`, `draughts` and `sketches` name tracks as they were derived; `segments` are the final ones,
    parted and joined to hulls: the event takes its names from there.
    """
    begin, end = times_us(stretches["start"]), times_us(stretches["end"])
    heard = stretches["n_positions"].to_numpy() >= parameters.min_reports
    long = np.flatnonzero(heard & (end - begin >= parameters.min_h * US_PER_H))
    slow = stretches.take(pa.array(long)).append_column("off_course_deg", pa.nulls(len(long), pa.float64()))
    own = ADRIFT_STRETCHES.concat([slow.cast(ADRIFT_STRETCHES.arrow), *([] if adrift is None else [adrift])])
    begin, mmsi = times_us(own["start"]), own["mmsi"].to_numpy()
    is_adrift = np.arange(own.num_rows) >= len(long)
    rows = np.lexsort((~is_adrift, begin, mmsi))
    own, is_adrift, start_us, mmsi = own.take(pa.array(rows)), is_adrift[rows], begin[rows], mmsi[rows]
    end_us = times_us(own["end"])
    lat, lon = (own[name].to_numpy() for name in ("lat", "lon"))
    coded = own["segment_id"].combine_chunks().dictionary_encode()
    names, track = coded.dictionary, coded.indices.to_numpy().astype(np.int64)
    numbers = np.zeros(len(names), dtype=np.int64)
    numbers[track] = mmsi
    sketched = Sketched.of(sketches, names, numbers)
    claimed = Draughts.of(draughts, port_visits, sketched, names, numbers)
    is_last = sketched.clock.is_last(track, end_us)
    is_open = is_last & (newest_us(segments, as_of_us) - end_us <= parameters.open_h * US_PER_H)
    near, ever = ships_about(stretches, mmsi[:, None], lat, lon, start_us, end_us, parameters.about_nmi)
    hours = (end_us - start_us) / US_PER_H
    kinds = np.where(is_adrift, "adrift", "loitering").tolist()
    place = pa.array(tracks_at(segments, own["segment_id"].to_pylist(), mmsi, start_us))
    kept = ("mmsi", "start", "start_lat", "start_lon", "distance_nmi", "lat", "lon", "spread_nmi", "shore_nmi",
            "n_positions", "longest_interval_h", "nav_status", "off_course_deg")  # fmt: skip
    return LOITERING.build(
        {
            **{name: own[name] for name in kept},
            "event_id": event_ids(kinds, mmsi, start_us),
            "kind": kinds,
            "segment_id": segments["segment_id"].take(place),
            "hull_id": segments["hull_id"].take(place),
            "end": pa.array(end_us, LOITERING.arrow.field("end").type, mask=is_open),
            "end_lat": np.where(is_open, np.nan, own["end_lat"].to_numpy()),
            "end_lon": np.where(is_open, np.nan, own["end_lon"].to_numpy()),
            "duration_h": hours.round(4),
            "mean_speed_kn": (own["distance_nmi"].to_numpy() / hours).round(2),
            "start_draught_m": claimed.before(track, start_us).round(2),
            "end_draught_m": claimed.after(track, track, start_us, end_us).round(2),
            "n_ships_near": near,
            "n_ships_ever": ever,
        }
    )
