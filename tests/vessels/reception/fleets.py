"""Small fleets about one sea for tests of reception and gaps, and the shortest way from their rows to gaps."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tests.vessels.builders import T0_US, H, Row, gathered
from vessels.event_tables import GAPS, SHIP_CELLS
from vessels.events.gap_settling import settle_gaps
from vessels.events.gaps import DEFAULT_GAPS, GapParameters, gap_rows
from vessels.history import _draught_so_far, _segments_table
from vessels.identities import identity_spells
from vessels.reception.model import LandTest, Reception
from vessels.reception.parameters import DEFAULT_RECEPTION, ReceptionParameters
from vessels.reception.presence import class_b_tracks, reception_table, ship_cells_table, ship_hours
from vessels.schema import HULL_LINKS, IDENTITIES, SEGMENTS
from vessels.segments import segment_ids, separate
from vessels.silences import segment_habits
from vessels.track import TrackBlock
from vessels.units import US_PER_S

FIRST = 273_400_000
"""MMSI of the first ship of a fleet; the others follow."""
SEA = (35.2, 130.2)
"""Where fleets lie: well within a cell and a neighbourhood."""
EVER = (0, 2**62)


def fleet(
    n: int,
    hours: float,
    *,
    place: tuple[float, float] = SEA,
    spacing_deg: float = 0.05,
    every_s: float = 1200.0,
    first: int = FIRST,
    heard: Callable[[int, float], bool] | None = None,
    **said: Any,
) -> list[dict[str, Any]]:
    """Ships lying in a row going east, each reporting every so often where `heard` (ship, hours) says so."""
    times = np.arange(0.0, hours * H, every_s).tolist()
    return [
        {"mmsi": first + i, "t": t + 7.0 * i, "lat": place[0], "lon": place[1] + spacing_deg * i, "sog": 0.0, **said}
        for i in range(n)
        for t in times
        if heard is None or heard(i, t / H)
    ]


def silent(begin_h: float, end_h: float, ships: Iterable[int] | None = None) -> Callable[[int, float], bool]:
    """Everyone, or these ships, unheard from one hour to another."""
    which = None if ships is None else frozenset(ships)
    return lambda ship, t: not (begin_h <= t < end_h and (which is None or ship in which))


def parts_of(
    block: TrackBlock, claims: Sequence[Any], reception: ReceptionParameters, gaps: GapParameters
) -> dict[str, pa.Table]:
    """What `derive` gives of one block: segments, identities, raw gaps, sums."""
    segments = separate(block)
    ids = segment_ids(segments)
    hulls = [f"hull of {name}" for name in ids]
    draught = _draught_so_far(segments, block.statements, claims)
    identities = identity_spells(segments, ids, hulls, block.statements, claims)
    habits = segment_habits(segments, draught)
    class_b = class_b_tracks(ids, identities)
    hours = ship_hours(segments, class_b, reception)
    raw = gap_rows(segments, ids, class_b, hours, draught, habits, gaps)
    return {
        "segments": _segments_table(segments, ids, hulls, habits),
        "identities": identities,
        "raw": raw,
        "reception": reception_table(hours),
        "ship_cells": ship_cells_table(hours, segments, raw),
    }


def settled(
    *files: Sequence[Row],
    as_of_h: float | None = None,
    n_buckets: int = 1,
    reception: ReceptionParameters = DEFAULT_RECEPTION,
    gaps: GapParameters = DEFAULT_GAPS,
    links: pa.Table | None = None,
    is_land: LandTest | None = None,
) -> pa.Table:
    """The `gaps` table of some files; now is the last report unless given in hours after T0."""
    gatherer = gathered(files, n_buckets=n_buckets)
    blocks = [gatherer.block(b, EVER) for b in range(n_buckets)]
    claims = gatherer.register.claims()
    parts = [parts_of(block, claims, reception, gaps) for block in blocks]
    tables = {"segments": SEGMENTS, "identities": IDENTITIES, "raw": GAPS, "ship_cells": SHIP_CELLS}
    whole = {name: table.concat(part[name] for part in parts) for name, table in tables.items()}
    newest = max((int(block.time_us.max()) for block in blocks if len(block)), default=T0_US)
    now = newest if as_of_h is None else T0_US + round(as_of_h * H) * US_PER_S
    learned = Reception([part["reception"] for part in parts], whole["raw"], now, reception, is_land)
    return settle_gaps(
        whole["raw"],
        learned,
        whole["ship_cells"],
        whole["segments"],
        whole["identities"],
        HULL_LINKS.empty() if links is None else links,
        now,
        gaps,
    )


def gaps_of(*files: Sequence[Row], **how: Any) -> list[dict[str, Any]]:
    """The same as plain rows."""
    return settled(*files, **how).to_pylist()


def gap_of(rows: Sequence[dict[str, Any]], ship: int) -> dict[str, Any]:
    """The one gap of a ship of a fleet."""
    (gap,) = [row for row in rows if row["mmsi"] == FIRST + ship]
    return gap
