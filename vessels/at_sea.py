"""What happened between ports: gaps, loitering, encounters and odd positions, of a block of vessels and of the fleet.

Takes the tracks of a block; gives raw rows and sums that add up over blocks. `settle` takes those of all blocks, once
hulls are known, and gives the tables of events. What each event is, is left to `vessels.events` and
`vessels.reception`; this file only puts them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.event_tables import GAPS, POSITION_EVENTS, RECEPTION, SHIP_CELLS
from vessels.events.adrift import AdriftParameters, find_adrift
from vessels.events.encounters import find_encounters
from vessels.events.false_places import false_rows
from vessels.events.gap_settling import settle_gaps
from vessels.events.gaps import GapParameters, gap_rows
from vessels.events.loitering import LoiteringParameters, find_loitering
from vessels.events.meetings import EncounterParameters
from vessels.events.odd_positions import (
    PositionParameters,
    find_odd_positions,
    position_rows,
    settle_positions,
    trace_rows,
)
from vessels.events.replays import TRACES
from vessels.events.slow import SlowParameters, find_slow, harbour_sets
from vessels.events.slow_tables import ADRIFT_STRETCHES, DRAUGHT_SPELLS, SLOW_SAMPLES, SLOW_STRETCHES
from vessels.instants import instant_us
from vessels.land import land
from vessels.parameters import Parameters
from vessels.parting import Cut
from vessels.placing import placed
from vessels.reception.model import Reception
from vessels.reception.parameters import ReceptionParameters
from vessels.reception.presence import class_b_tracks, reception_table, ship_cells_table, ship_hours
from vessels.schema import Table
from vessels.segments import Segments
from vessels.thinning import thin_rows
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]

THIN_MIN = 10.0
"""Odd positions are looked for in one report of ten minutes; see `vessels.legs.VoyageParameters.thin_min`."""


class SeaParameters(Parameters):
    """The parameters of all events at sea, by the file that uses them."""

    reception: ReceptionParameters = ReceptionParameters()
    gaps: GapParameters = GapParameters()
    slow: SlowParameters = SlowParameters()
    adrift: AdriftParameters = AdriftParameters()
    loitering: LoiteringParameters = LoiteringParameters()
    encounters: EncounterParameters = EncounterParameters()
    positions: PositionParameters = PositionParameters()


DEFAULT_SEA = SeaParameters()


@dataclass(frozen=True, slots=True)
class SeaRows:
    """Raw events of a block, and what events of the fleet are counted from. Tracks have the names they were given."""

    gaps: pa.Table
    reception: pa.Table
    ship_cells: pa.Table
    slow_samples: pa.Table
    slow_stretches: pa.Table
    adrift_stretches: pa.Table
    draughts: pa.Table
    positions: pa.Table
    traces: pa.Table


_TABLES: Mapping[str, Table] = {
    "gaps": GAPS,
    "reception": RECEPTION,
    "ship_cells": SHIP_CELLS,
    "slow_samples": SLOW_SAMPLES,
    "slow_stretches": SLOW_STRETCHES,
    "adrift_stretches": ADRIFT_STRETCHES,
    "draughts": DRAUGHT_SPELLS,
    "positions": POSITION_EVENTS,
    "traces": TRACES,
}


def derive_at_sea(
    segments: Segments,
    ids: Sequence[str],
    identities: pa.Table,
    zones: Zones,
    fence_set: npt.NDArray[np.int32],
    draught: FloatArray,
    habits: Mapping[str, npt.NDArray[np.generic]],
    parameters: SeaParameters = DEFAULT_SEA,
) -> SeaRows:
    """Raw events of one block. `identities` are its spells; `fence_set` and `draught` (claimed so far) are by row."""
    class_b, shore = class_b_tracks(ids, identities), land()
    thinned = thin_rows(segments, THIN_MIN)
    odd = find_odd_positions(segments, thinned, shore, parameters.positions)
    hours = ship_hours(segments, class_b, parameters.reception, false_rows(segments, odd), parameters.gaps.min_gap_h)
    gaps = gap_rows(segments, ids, class_b, hours, draught, habits, parameters.gaps)
    harbour = harbour_sets(zones)[fence_set]
    slow = find_slow(segments, ids, harbour, draught, shore.shore_nmi, parameters.slow)
    return SeaRows(
        gaps=gaps,
        reception=reception_table(hours),
        ship_cells=ship_cells_table(hours, segments, gaps),
        slow_samples=slow.samples,
        slow_stretches=slow.stretches,
        adrift_stretches=find_adrift(segments, ids, class_b, harbour, shore.shore_nmi, parameters.adrift),
        draughts=slow.draughts,
        positions=position_rows(segments, ids, odd),
        traces=trace_rows(segments, thinned, THIN_MIN, ids, parameters.positions),
    )


def settle_at_sea(
    rows: Sequence[SeaRows],
    tables: Mapping[str, pa.Table],
    sketches: pa.Table,
    cuts: Sequence[Cut],
    as_of: datetime,
    parameters: SeaParameters = DEFAULT_SEA,
) -> dict[str, pa.Table]:
    """The tables of events of the fleet, in any order of `rows`: gaps, loitering, encounters, position_events.

    `tables` are the final segments, identities, port visits and hull links; `sketches` and `cuts` are as they were
    before tracks were parted, and where.
    """
    raw = {
        name: table.concat(getattr(part, name) for part in rows) for name, table in _TABLES.items() if name not in _SUMS
    }
    segments, visits, now = tables["segments"], tables["port_visits"], instant_us(as_of)
    silent = placed(raw["gaps"], cuts, segments)
    gaps = settle_gaps(
        silent,
        Reception((part.reception for part in rows), silent, now, parameters.reception, land().is_land),
        raw["ship_cells"],
        segments,
        tables["identities"],
        tables["hull_links"],
        now,
        parameters.gaps,
    )
    slow = raw["slow_stretches"], raw["draughts"], segments, sketches, visits
    positions = settle_positions(raw["positions"], raw["traces"], sketches, parameters.positions)
    return {
        "gaps": gaps,
        "loitering": find_loitering(*slow, now, parameters.loitering, raw["adrift_stretches"]),
        "encounters": find_encounters(raw["slow_samples"], *slow, land().shore_nmi, now, parameters.encounters),
        "position_events": placed(positions, cuts, segments),
    }


_SUMS: frozenset[str] = frozenset({"reception"})
"""Tables that are summed as they are, not put together first."""
