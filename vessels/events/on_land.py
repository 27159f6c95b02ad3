"""Positions on land: runs of reports farther inland than charts' errors, harbours and rivers' mouths explain.

Takes `Segments`, rows thinned in time, and the land; gives events of kind on_land, one a run. Whether a river runs
there is not known to the land polygons: how many other ships are heard in the same places tells, and is settled later.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.land import Land
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]


class OnLandParameters(Parameters):
    """What is inland, and what is one run."""

    min_inland_nmi: float = Field(
        2.0,
        gt=0,
        le=50,
        description="Reports this far inland are on land. Source: measured, docs/positions.md: of 10,624 craft in US "
        "waters 66 % lie inland of the coast of Natural Earth 1:10m, 24 % by 2 nmi and 18 % by 5: from here on it is "
        "rivers and lakes, and no error of the chart.",
    )
    min_reports: int = Field(
        3,
        ge=1,
        le=1000,
        description="A run has so many reports, thinned. Source: judgement; single positions are glitches.",
    )
    min_run_h: float = Field(
        0.5,
        ge=0,
        le=240,
        description="A run lasts as long. Source: judgement; at 8 kn it is a way of 4 nmi over land.",
    )
    merge_h: float = Field(
        6.0,
        ge=0,
        le=240,
        description="Reports inland with no report at sea between them, and no longer silence, are one run. "
        "Source: judgement; twice a satellite's usual revisit.",
    )
    max_per_track: int = Field(
        16, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_ON_LAND: Final = OnLandParameters()


def find_on_land(
    segments: Segments, thinned: IntArray, land: Land, parameters: OnLandParameters = DEFAULT_ON_LAND
) -> list[OddPosition]:
    """All runs on land, in order of track and time. `thinned` are rows in order; one look-up each."""
    if not len(thinned):
        return []
    shore_nmi = land.shore_nmi(segments.lat[thinned], segments.lon[thinned])
    inland = np.flatnonzero(shore_nmi <= -parameters.min_inland_nmi)
    if not len(inland):
        return []
    rows = thinned[inland]
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    silent = np.diff(segments.time_us[rows]) > parameters.merge_h * US_PER_H
    new = np.concatenate([[True], (np.diff(inland) != 1) | (np.diff(track) != 0) | silent])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(rows)) - 1
    lasted = segments.time_us[rows[last]] - segments.time_us[rows[first]]
    long = (last - first + 1 >= parameters.min_reports) & (lasted >= parameters.min_run_h * US_PER_H)
    deepest = np.maximum.reduceat(-shore_nmi[inland], first)
    first, last, deepest = first[long], last[long], deepest[long]
    crosses = _at_sea(segments, thinned, shore_nmi, inland[first], -1, parameters)
    crosses &= _at_sea(segments, thinned, shore_nmi, inland[last], 1, parameters)
    return oddest(
        (
            between_rows(
                segments,
                "on_land",
                a,
                b,
                b - a + 1,
                distance_nmi=deep,
                implied_speed_kn=_speed_kn(segments, a, b),
                crosses_land=crossed,
            )
            for a, b, deep, crossed in zip(
                rows[first].tolist(), rows[last].tolist(), deepest.tolist(), crosses.tolist(), strict=True
            )
        ),
        parameters.max_per_track,
    )


def _at_sea(
    segments: Segments, thinned: IntArray, shore_nmi: FloatArray, place: IntArray, ahead: int, p: OnLandParameters
) -> npt.NDArray[np.bool_]:
    """Whether the run that ends at each place among the thinned rows is next heard at sea, within `merge_h`.

    Reports nearer to the shore than `min_inland_nmi` are passed over.
    """
    found = np.zeros(len(place), dtype=np.bool_)
    open_runs = np.arange(len(place))
    at = place.copy()
    track = np.searchsorted(segments.offsets, thinned[place], side="right") - 1
    while len(open_runs):
        at = at + ahead
        inside = (at >= 0) & (at < len(thinned))
        open_runs, at = open_runs[inside], at[inside]
        row = thinned[at]
        same = (row >= segments.offsets[track[open_runs]]) & (row < segments.offsets[track[open_runs] + 1])
        apart = np.abs(segments.time_us[row] - segments.time_us[thinned[place[open_runs]]])
        same &= apart <= p.merge_h * US_PER_H
        open_runs, at = open_runs[same], at[same]
        found[open_runs] = shore_nmi[at] > 0.0
        going = (shore_nmi[at] <= 0.0) & (shore_nmi[at] > -p.min_inland_nmi)
        open_runs, at = open_runs[going], at[going]
    return found


def _speed_kn(segments: Segments, first: int, last: int) -> float:
    """Mean speed along the track from one row to another."""
    sailed = float(segments.step_nmi[first + 1 : last + 1].sum(dtype=np.float64))
    hours = (int(segments.time_us[last]) - int(segments.time_us[first])) / US_PER_H
    return sailed / hours if hours > 0 else 0.0
