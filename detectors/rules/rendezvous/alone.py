"""Ships that lay slow at sea with no other beside them: which rows of loitering those are.

Takes loitering and encounters; gives the rows of carriers, long enough and far enough from the shore, that no
encounter covers; a draught that a meeting soon after explains is left out. Who could have been there unheard is left to
`silent`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.ships import carrier_rows
from detectors.rules.rendezvous.silent import Stays
from vessels.instants import instant_us

DRAUGHT_LAG: Final = timedelta(days=2)
"""A draught claimed within this time after a stay may be its result; so far events look ahead for one."""


def lone_rows(
    loitering: pa.Table,
    encounters: pa.Table,
    carriers: frozenset[int],
    as_of: datetime,
    parameters: RendezvousParameters,
) -> list[dict[str, Any]]:
    """The stays of ships that may be carriers, long, off the shore and alone, as records in order."""
    mask = carrier_rows(loitering, carriers, parameters)
    mask = pc.and_kleene(mask, pc.greater_equal(loitering["duration_h"], parameters.min_loitering_h))
    mask = pc.and_kleene(mask, pc.fill_null(pc.greater_equal(loitering["shore_nmi"], parameters.lone_shore_nmi), True))
    mask = pc.and_kleene(mask, pc.and_(pc.is_finite(loitering["lat"]), pc.is_finite(loitering["lon"])))
    mask = pc.and_kleene(mask, pc.is_valid(loitering["start"]))
    mask = pc.and_kleene(mask, pc.fill_null(pc.not_equal(loitering["kind"], "adrift"), True))
    rows = loitering.filter(mask).to_pylist()
    met = _met(encounters, {row["mmsi"] for row in rows}, as_of)
    alone = [row for row in rows if _met_h(row, met, as_of) < parameters.min_stay_h]
    alone = [{**row, "end_draught_m": None} if _meets_soon(row, met, as_of) else row for row in alone]
    return sorted(alone, key=lambda row: (row["start"], row["mmsi"], row["event_id"] or ""))


def stays_of(rows: Sequence[Mapping[str, Any]], as_of: datetime) -> Stays:
    """The same as arrays."""
    start = np.array([instant_us(row["start"]) for row in rows], dtype=np.int64)
    end = np.array([instant_us(end_of(row, as_of)) for row in rows], dtype=np.int64)
    return Stays(start, end, *positions(rows))


def positions(rows: Sequence[Mapping[str, Any]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean latitudes and longitudes of rows."""
    return np.array([row["lat"] for row in rows], dtype=float), np.array([row["lon"] for row in rows], dtype=float)


def end_of(row: Mapping[str, Any], as_of: datetime) -> datetime:
    """When an event ended: as said, or after its length while it goes on; never after now."""
    if row["end"] is not None:
        ended: datetime = row["end"]
        return ended
    until: datetime = row["start"] + timedelta(hours=row["duration_h"] or 0.0)
    begin: datetime = row["start"]
    return max(min(until, as_of), begin)


def _met(encounters: pa.Table, wanted: set[int], as_of: datetime) -> dict[int, list[tuple[datetime, datetime]]]:
    """By MMSI the times at which another ship was seen close by."""
    numbers = pa.array(sorted(wanted), type=pa.int64())
    mask = pc.or_(pc.is_in(encounters["mmsi"], numbers), pc.is_in(encounters["other_mmsi"], numbers))
    met: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in encounters.filter(pc.and_(mask, pc.is_valid(encounters["start"]))).to_pylist():
        for mmsi in (row["mmsi"], row["other_mmsi"]):
            met.setdefault(mmsi, []).append((row["start"], end_of(row, as_of)))
    return met


def _meets_soon(row: Mapping[str, Any], met: Mapping[int, list[tuple[datetime, datetime]]], as_of: datetime) -> bool:
    """Whether another was seen beside her soon after: a draught that changed may be of that meeting."""
    end = end_of(row, as_of)
    return any(timedelta(0) <= since - end <= DRAUGHT_LAG for since, _ in met.get(row["mmsi"], ()))


def _met_h(row: Mapping[str, Any], met: Mapping[int, list[tuple[datetime, datetime]]], as_of: datetime) -> float:
    """The longest time that one other ship was beside her during the stay."""
    end = end_of(row, as_of)
    spans = (min(end, until) - max(row["start"], since) for since, until in met.get(row["mmsi"], ()))
    return max((span / timedelta(hours=1) for span in spans), default=0.0)
