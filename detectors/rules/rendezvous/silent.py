"""Which silent ships could have been where another lay alone: from the last place there, stay, and on to the next.

Takes gaps and lone stays as arrays; gives the pairs that time and speed allow, along great circles, and for a few of
them by water. Who the ships are, and how many could have been there by chance, is left to `lone`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.ships import carrier_rows
from vessels.geodesy import distance_nmi
from vessels.instants import times_us
from vessels.sea_distance import SeaFields
from vessels.units import US_PER_DAY, US_PER_H

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32] | IntArray
"""Rows of stays or of gaps; four bytes each where there are millions."""
Way = Callable[[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], FloatArray]

TOP_KN: Final = 25.0
"""No tanker or bulk carrier is faster; more than this was an error of position."""
_OPEN: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Stays:
    """Where and when ships lay alone. Shapes (k,); times in microseconds since 1970 UTC."""

    start_us: IntArray
    end_us: IntArray
    lat: FloatArray
    lon: FloatArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of a stay and a gap, of which there may be millions: rows of both. Shapes (k,)."""

    stay: Rows
    gap: Rows


@dataclass(frozen=True, slots=True)
class Feasible:
    """Pairs of a stay and a gap: rows of both, the ways there and on from there, and how long both could have met."""

    stay: IntArray
    gap: IntArray
    to_nmi: FloatArray
    from_nmi: FloatArray
    """Way from there to where the ship was next heard; NaN if she was not heard again."""
    together_h: FloatArray


def usable_gaps(gaps: pa.Table, carriers: frozenset[int], as_of_us: int, parameters: RendezvousParameters) -> pa.Table:
    """The gaps of ships that may be carriers, placed, long enough to meet another, and not longer than the most."""
    mask = carrier_rows(gaps, carriers, parameters)
    mask = pc.and_kleene(mask, pc.and_(pc.is_finite(gaps["start_lat"]), pc.is_finite(gaps["start_lon"])))
    mask = pc.and_kleene(mask, pc.is_valid(gaps["start"]))
    gaps = gaps.filter(mask)
    start_us, end_us = _span(gaps, as_of_us)
    ends = pc.or_(
        pc.is_null(gaps["end"]),
        pc.fill_null(pc.and_(pc.is_finite(gaps["end_lat"]), pc.is_finite(gaps["end_lon"])), False),
    )
    length_us = end_us - start_us
    fits = (length_us >= parameters.min_stay_h * US_PER_H) & (length_us <= parameters.max_gap_days * US_PER_DAY)
    gaps = gaps.filter(pc.and_(ends, pa.array(fits)))
    return gaps.sort_by([("start", "ascending"), ("mmsi", "ascending"), ("event_id", "ascending")])


def speeds_kn(gaps: pa.Table, parameters: RendezvousParameters) -> FloatArray:
    """The speed that each silent ship could have kept up: the highest she has shown, or what such ships make."""
    shown = np.fmax(
        gaps["fastest_kn"].cast(pa.float64()).fill_null(np.nan).to_numpy(),
        gaps["cruise_kn"].cast(pa.float64()).fill_null(np.nan).to_numpy(),
    )
    speed: FloatArray = np.where(shown > 0.0, np.minimum(shown, TOP_KN), parameters.unknown_speed_kn)
    return speed


@dataclass(frozen=True, slots=True)
class Gaps:
    """Gaps as arrays: from where and when to where and when, and at what speed. Shapes (n,)."""

    start_us: IntArray
    end_us: IntArray
    lat: FloatArray
    lon: FloatArray
    end_lat: FloatArray
    end_lon: FloatArray
    is_open: npt.NDArray[np.bool_]
    speed_kn: FloatArray


def gaps_of(gaps: pa.Table, as_of_us: int, parameters: RendezvousParameters) -> Gaps:
    """Rows of `usable_gaps` as arrays; an open gap ends now, anywhere."""
    start_us, end_us = _span(gaps, as_of_us)
    is_open = gaps["end"].is_null().to_numpy()
    lat, lon = gaps["start_lat"].to_numpy(), gaps["start_lon"].to_numpy()
    end_lat = np.where(is_open, lat, gaps["end_lat"].fill_null(0.0).to_numpy())
    end_lon = np.where(is_open, lon, gaps["end_lon"].fill_null(0.0).to_numpy())
    return Gaps(start_us, end_us, lat, lon, end_lat, end_lon, is_open, speeds_kn(gaps, parameters))


def feasible(stays: Stays, gaps: Gaps, parameters: RendezvousParameters) -> Pairs:
    """The pairs of stays and gaps in which both could have lain together for the least time, along great circles.

    One stay at a time; of each pair only the rows are kept, eight bytes in all.
    """
    least_us = parameters.min_stay_h * US_PER_H
    per_stay = np.zeros(len(stays.start_us), dtype=np.int64)
    found = [np.zeros(0, dtype=np.int32)]
    for i in range(len(stays.start_us)):
        overlap_us = np.minimum(gaps.end_us, stays.end_us[i]) - np.maximum(gaps.start_us, stays.start_us[i])
        some = np.flatnonzero(overlap_us >= least_us)
        part = _pairs(stays, gaps, np.full(len(some), i, dtype=np.int64), some, distance_nmi, parameters)
        found.append(part.gap.astype(np.int32))
        per_stay[i] = len(part.gap)
    return Pairs(np.repeat(np.arange(len(per_stay), dtype=np.int32), per_stay), np.concatenate(found))


def by_water(
    stays: Stays, gaps: Gaps, stay: Rows, gap: Rows, sea: SeaFields, parameters: RendezvousParameters
) -> Feasible:
    """Those of some pairs that are feasible by water too: for the few that matter, a way takes a tenth of a second."""
    return _pairs(stays, gaps, stay, gap, sea.between_nmi, parameters)


def _pairs(stays: Stays, gaps: Gaps, stay: Rows, gap: Rows, way_nmi: Way, parameters: RendezvousParameters) -> Feasible:
    here = stays.lat[stay], stays.lon[stay]
    to = np.asarray(way_nmi(*here, gaps.lat[gap], gaps.lon[gap]))
    on = np.where(gaps.is_open[gap], 0.0, way_nmi(*here, gaps.end_lat[gap], gaps.end_lon[gap]))
    speed = gaps.speed_kn[gap]
    together = _together_h(stays, stay, gaps.start_us[gap], gaps.end_us[gap], to / speed, on / speed)
    keep = together >= parameters.min_stay_h
    on = np.where(gaps.is_open[gap], np.nan, on)
    rows = stay[keep].astype(np.int64), gap[keep].astype(np.int64)
    return Feasible(*rows, to[keep], on[keep], together[keep])


def _together_h(
    stays: Stays, stay: Rows, start_us: IntArray, end_us: IntArray, there_h: FloatArray, on_h: FloatArray
) -> FloatArray:
    """Longest time both can have been there: from the earliest arrival to the latest leaving, within the stay."""
    zero = stays.start_us[stay]
    arrives_h = (start_us - zero) / US_PER_H + there_h
    leaves_h = (end_us - zero) / US_PER_H - on_h
    stay_h = (stays.end_us[stay] - zero) / US_PER_H
    return np.minimum(leaves_h, stay_h) - np.maximum(arrives_h, 0.0)


def _span(gaps: pa.Table, as_of_us: int) -> tuple[IntArray, IntArray]:
    start_us, end_us = times_us(gaps["start"]), times_us(gaps["end"])
    return start_us, np.where(end_us == _OPEN, as_of_us, end_us)
