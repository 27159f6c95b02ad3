"""Others: how many ships had the like nearby within hours, or were heard at the same places at all.

Takes events of one kind of the whole fleet, and sketches of all tracks; gives numbers beside them. Interference, a feed
that interpolates and a river that the land polygons lack strike everyone who is there.
"""

from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.events.ways import NMI_PER_DEG, off_even_motion_m
from vessels.instants import times_us
from vessels.parameters import Parameters
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]


class OtherParameters(Parameters):
    """What is nearby, and the same place."""

    near_nmi: float = Field(
        120.0,
        gt=0,
        le=1000,
        description="Side of the cells within which events are nearby. Source: interference of satellite positioning "
        "reaches as far as its source is seen, 20 to 250 nmi for masts and aircraft.",
    )
    near_h: float = Field(
        6.0, gt=0, le=240, description="Length of the spells within which they are at one time. Source: judgement."
    )
    place_nmi: float = Field(
        3.0,
        gt=0,
        le=60,
        description="Side of the cells within which ships are at the same place inland. Source: judgement; the bends "
        "of a river that big ships sail.",
    )


_MOST_SPELLS: Final = 64
"""Spells that one event is entered in; a longer one is entered at so many, evenly."""


def n_with_the_like(events: pa.Table, _sketches: pa.Table, parameters: OtherParameters) -> IntArray:
    """For each event of one kind, how many other MMSI have one in the same cell and spell. Shape (n,).

    Counted on eight grids that lie half a cell apart, and the highest number taken, so that none is cut by an edge.
    """
    mmsi = events["mmsi"].to_numpy()
    lat, lon = events["start_lat"].to_numpy(), events["start_lon"].to_numpy()
    spell_us = int(parameters.near_h * US_PER_H)
    most = np.zeros(len(mmsi), dtype=np.int64)
    for south, west, early in product((0.0, 0.5), repeat=3):
        cell = _cells(lat, lon, parameters.near_nmi, south, west)
        shift = int(early * spell_us)
        first, last = ((times_us(events[name]) + shift) // spell_us for name in ("start", "end"))
        n_spells = np.clip(last - first + 1, 1, _MOST_SPELLS)
        event = np.repeat(np.arange(len(mmsi)), n_spells)
        step = np.arange(len(event)) - np.repeat(np.cumsum(n_spells) - n_spells, n_spells)
        share = step / np.maximum(n_spells - 1, 1)[event]
        spell = first[event] + np.round(share * (last - first)[event]).astype(np.int64)
        bins = _numbered(cell[event], spell)
        np.maximum.at(most, event, _n_others(bins, mmsi[event]))
    return most


def n_heard_at(events: pa.Table, sketches: pa.Table, parameters: OtherParameters) -> IntArray:
    """For each event, how many other MMSI were ever heard where it took place: the median of its cells. Shape (n,)."""
    mmsi = events["mmsi"].to_numpy()
    own_event, own_cell = _own_cells(events, sketches, parameters)
    cell = _cells(sketches["lat"].to_numpy(), sketches["lon"].to_numpy(), parameters.place_nmi, 0.0, 0.0)
    wanted = np.isin(cell, own_cell)
    there, who = cell[wanted], sketches["mmsi"].to_numpy()[wanted]
    # Each event is entered as heard in its own cells, so that the ship itself is always one of those counted.
    n_there = _n_others(np.concatenate([own_cell, there]), np.concatenate([mmsi[own_event], who]))[: len(own_cell)]
    order = np.lexsort((n_there, own_event))
    sizes = np.bincount(own_event, minlength=len(mmsi))
    middle = np.cumsum(sizes) - sizes + (sizes - 1) // 2
    return np.asarray(n_there[order][middle], dtype=np.int64)


def _own_cells(events: pa.Table, sketches: pa.Table, p: OtherParameters) -> tuple[IntArray, IntArray]:
    """The cells of each event: those of its ends and of its track's sketch meanwhile. Sorted pairs, each once."""
    mmsi, time = sketches["mmsi"].to_numpy(), times_us(sketches["timestamp"])
    order = np.lexsort((time, mmsi))
    mmsi, time = mmsi[order], time[order]
    lat, lon = sketches["lat"].to_numpy()[order], sketches["lon"].to_numpy()[order]
    parts = []
    for place in ("start", "end"):
        ends = (events[f"{place}_lat"].to_numpy(), events[f"{place}_lon"].to_numpy())
        parts.append(np.stack([np.arange(events.num_rows), _cells(*ends, p.place_nmi, 0.0, 0.0)]))
    begin, end = times_us(events["start"]), times_us(events["end"])
    for event, number in enumerate(events["mmsi"].to_pylist()):
        low, high = np.searchsorted(mmsi, [number, number + 1])
        a, b = low + np.searchsorted(time[low:high], [begin[event], end[event] + 1])
        own = np.unique(_cells(lat[a:b], lon[a:b], p.place_nmi, 0.0, 0.0))
        parts.append(np.stack([np.full(len(own), event), own]))
    pairs = np.unique(np.concatenate(parts, axis=1), axis=1)
    return pairs[0], pairs[1]


def usual_off_even_motion_m(events: pa.Table, sketches: pa.Table) -> FloatArray:
    """For each event the median departure from even motion of the other ships in these data; NaN if there are none.

    Cost: one sort of the sketches; then a look at each event's own ship.
    """
    order = np.lexsort((times_us(sketches["timestamp"]), sketches["mmsi"].to_numpy()))
    mmsi = sketches["mmsi"].to_numpy()[order]
    hours = times_us(sketches["timestamp"])[order] / US_PER_H
    lat, lon = sketches["lat"].to_numpy()[order], sketches["lon"].to_numpy()[order]
    along, across, speed = off_even_motion_m(hours, lat, lon)
    usable = np.zeros(len(mmsi), dtype=np.bool_)
    usable[1:-1] = (mmsi[2:] == mmsi[:-2]) & (hours[2:] - hours[:-2] <= _MOST_BETWEEN_H)
    usable &= speed >= _UNDER_WAY_KN
    mmsi, off = mmsi[usable], np.hypot(along, across)[usable]
    order = np.argsort(off, kind="stable")
    off, rank = off[order], np.empty(len(off), dtype=np.int64)
    rank[order] = np.arange(len(off))
    usual = np.full(events.num_rows, np.nan)
    for event, number in enumerate(events["mmsi"].to_pylist()):
        low, high = np.searchsorted(mmsi, [number, number + 1])
        n_others = len(off) - int(high - low)
        if n_others >= _MIN_OTHER:
            # So many of the others come before each of her own: the k-th of theirs lies behind those with k or fewer.
            before = np.sort(rank[low:high]) - np.arange(high - low)
            middle = np.array([(n_others - 1) // 2, n_others // 2])
            usual[event] = round(float(off[middle + np.searchsorted(before, middle, side="right")].mean()), 2)
    return usual


_MOST_BETWEEN_H: Final = 1.0
_UNDER_WAY_KN: Final = 3.0
"""Under way from here: moored and anchored class A sets report faster over 3 kn (ITU-R M.1371-5)."""
_MIN_OTHER: Final = 100
"""Fewer reports of others do not tell what is usual."""


def _cells(lat: FloatArray, lon: FloatArray, side_nmi: float, south: float, west: float) -> IntArray:
    """Numbers of cells about so wide and high everywhere; a grid may be shifted by parts of a cell. Shape (n,)."""
    side = side_nmi / NMI_PER_DEG
    band = np.floor((lat + 90.0) / side + south)
    middle = np.clip((band - south + 0.5) * side - 90.0, -89.0, 89.0)
    round_the_world = np.maximum(np.floor(360.0 * np.cos(np.radians(middle)) / side), 1.0)
    column = np.floor(((lon + 180.0) / 360.0 * round_the_world + west) % round_the_world)
    return (band * (1 << 20) + column).astype(np.int64)


def _numbered(one: IntArray, other: IntArray) -> IntArray:
    """A number for each pair of values. Shape (n,)."""
    _, first = np.unique(one, return_inverse=True)
    _, second = np.unique(other, return_inverse=True)
    return np.asarray(first * (int(second.max(initial=0)) + 1) + second, dtype=np.int64)


def _n_others(bins: IntArray, mmsi: IntArray) -> IntArray:
    """How many other values of `mmsi` share each row's bin. Shape (n,)."""
    _, code = np.unique(mmsi, return_inverse=True)
    values, place = np.unique(bins, return_inverse=True)
    n_codes = int(code.max(initial=0)) + 1
    pairs = np.unique(place * n_codes + code)
    counts = np.bincount(pairs // n_codes, minlength=len(values))
    return np.asarray(counts[place] - 1, dtype=np.int64)
