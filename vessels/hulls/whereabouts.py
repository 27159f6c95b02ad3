"""Where and when a hull that fell silent wakes again, and how that stands against what chance brings there.

Takes pairs of sides; gives their gaps, the density with which a hull would come back so, and its weight against births.
Gaps are log-uniform from a minute to the longest; places are a mixture of staying, holding course and roaming.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.geodesy import bearing_deg, distance_nmi
from vessels.hulls.background import BirthsAround
from vessels.hulls.ends import Ends
from vessels.hulls.parameters import LinkParameters
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]

MOVING_KN: Final = 3.0
STOPPED_KN: Final = 1.0
STAY_NMI: Final = 0.5
"""Half of the hulls that stay lie within this of where they lay: a swing at anchor, a shift along a quay."""
RECKONING_NMI: Final = 0.3
RECKONING_SHARE: Final = 0.1
"""Dead reckoning errs by this, and by a tenth of the run."""
RECKONING_MAX_H: Final = 12.0
ROAM_NMI: Final = 500.0
"""Beyond this a coaster's whereabouts depend on her trade, not on the time gone by."""
ROAMS_NEAR, ROAMS_FAR = 0.75, 0.20
"""Shares of the hulls that roam: within that distance, and as far as their usual speed takes them."""
LEAST_GAP_H: Final = 1.0 / 60.0
OUT_OF_REACH: Final = 0.05
"""Share of hulls that sail faster than their usual speed over the gap."""

_MODES: Final = ((0.6, 0.0, 0.4), (0.4, 0.2, 0.4), (0.1, 0.5, 0.4))
"""How a hull spends the silence: stays, holds its course, goes elsewhere; by row: neither track moved, only the new
one, the old one. Judgement from documented cases: sets are reprogrammed at anchor, or off for half an hour at sea."""


def gap_of(ends: Ends, starts: Ends, e: IntArray, s: IntArray) -> tuple[FloatArray, FloatArray]:
    """Hours and nautical miles between the two sides of each pair; hours are negative where they overlap."""
    gap_h = (starts.time_us[s] - ends.time_us[e]) / US_PER_H
    return gap_h, distance_nmi(ends.lat[e], ends.lon[e], starts.lat[s], starts.lon[s])


def place_and_time_db(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    births: BirthsAround,
    parameters: LinkParameters,
) -> FloatArray:
    """How much likelier the waking is if the hull came back than by chance, in decibans (as Reid 1979 weighs tracks).

    A hull that stays or holds its course is weighed against births at that very place; one that roams goes where ships
    go, and is weighed against all that were born as far as it could sail.
    """
    gap_h, apart = gap_of(ends, starts, e, s)
    gap = _least_gap(ends, starts, e, s, gap_h)
    near, roam, radius, widest = _ways(ends, starts, e, s, gap_h, apart, parameters)
    likely = near / births.rate[s]
    for share, reach in ((ROAMS_NEAR, np.minimum(radius, ROAM_NMI)), (ROAMS_FAR, radius)):
        likely += roam * share * (apart <= reach) / births.within(s, reach)
    likely += roam * OUT_OF_REACH / births.within(s, widest)
    weight: FloatArray = 10.0 * np.log10(np.maximum(likely * usual_rate(gap, parameters), 1e-12))
    return weight


def usual_rate(gap_h: FloatArray, parameters: LinkParameters) -> FloatArray:
    """Density of gaps per hour: log-uniform from a minute to the longest."""
    gap_h = np.maximum(gap_h, LEAST_GAP_H)
    return np.asarray(1.0 / (gap_h * np.log(parameters.max_gap_days * 24.0 / LEAST_GAP_H)), dtype=np.float64)


def _least_gap(ends: Ends, starts: Ends, e: IntArray, s: IntArray, gap_h: FloatArray) -> FloatArray:
    """The gap, or the overlap, no shorter than the tracks' usual intervals and a minute, within which nothing is known.

    Hours.
    """
    usual_h = np.fmax(ends.interval_s[e], starts.interval_s[s]) / 3600.0
    return np.maximum(np.abs(gap_h), np.fmax(usual_h, LEAST_GAP_H))


def whereabouts(ends: Ends, starts: Ends, e: IntArray, s: IntArray, parameters: LinkParameters) -> FloatArray:
    """Density, per square nmi, with which a hull that fell silent at one side wakes at the other."""
    gap_h, apart = gap_of(ends, starts, e, s)
    near, roam, radius, widest = _ways(ends, starts, e, s, gap_h, apart, parameters)
    where = near
    for share, reach in ((ROAMS_NEAR, np.minimum(radius, ROAM_NMI)), (ROAMS_FAR, radius)):
        where += roam * np.where(apart <= reach, share / (np.pi * reach**2), 0.0)
    where += roam * OUT_OF_REACH / (np.pi * widest**2)
    return np.asarray(where, dtype=np.float64)


def _ways(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    gap_h: FloatArray,
    apart: FloatArray,
    parameters: LinkParameters,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Density of staying or holding course; share that roams; how far it sails at its speed, and at the highest."""
    gap = _least_gap(ends, starts, e, s, gap_h)
    forward, backward = _reckonings(ends, starts, e, s, gap_h, apart)
    moving = np.isfinite(forward) | np.isfinite(backward)
    lay = np.nan_to_num(ends.sog_kn[e]) < STOPPED_KN
    mode = np.where(moving & lay, 1, np.where(moving, 2, 0))
    stay, hold, roam = np.array(_MODES)[mode].T
    speed = np.fmax(np.nan_to_num(ends.sog_kn[e]), np.nan_to_num(starts.sog_kn[s]))
    scale = RECKONING_NMI + RECKONING_SHARE * speed * np.maximum(gap_h, 0.0)
    led = np.nan_to_num(_cauchy(forward, scale)) + np.nan_to_num(_cauchy(backward, scale))
    led /= np.maximum(np.isfinite(forward).astype(np.int64) + np.isfinite(backward), 1)
    radius = 2.0 + np.fmax(ends.cruise_kn[e], 10.0) * gap
    widest = 2.0 + parameters.top_speed_kn * gap
    near: FloatArray = stay * _cauchy(apart, np.full(len(apart), STAY_NMI)) + hold * led
    return near, roam, radius, widest


def _cauchy(apart: FloatArray, scale: FloatArray) -> FloatArray:
    """A density over the plane that falls off slowly: half of it lies within 1.7 scales. Per square nmi."""
    result: FloatArray = 1.0 / (2.0 * np.pi * scale**2) * (1.0 + (apart / scale) ** 2) ** -1.5
    return result


def _reckonings(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, gap_h: FloatArray, apart: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How far the waking lies from where the old track's course and speed led, and back from the new one's; nmi.

    NaN where that track did not move, or too long ago.
    """
    run_h = np.maximum(gap_h, 0.0)
    course = bearing_deg(ends.lat[e], ends.lon[e], starts.lat[s], starts.lon[s])
    off = []
    for sog, cog in ((ends.sog_kn[e], ends.cog_deg[e]), (starts.sog_kn[s], starts.cog_deg[s])):
        run = np.nan_to_num(sog) * run_h
        angle = np.radians(np.nan_to_num(cog) - course)
        square = run**2 + apart**2 - 2.0 * run * apart * np.cos(angle)
        known = np.isfinite(cog) & (np.nan_to_num(sog) >= MOVING_KN) & (run_h <= RECKONING_MAX_H)
        off.append(np.where(known, np.sqrt(np.maximum(square, 0.0)), np.nan))
    return off[0], off[1]
