"""What speaks for and against a hidden call, in decibans: for each silence that leaves the time.

Takes silences, their ways to watched berths and the visits around them; gives weights by name, that add up. A weight is
ten times the logarithm of how much likelier the rows are if she called there than if she did not. The numbers are
judgement, to be refitted by a backtest; docs/dark.md has the table.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.rules.dark.fences import at_least_nmi
from detectors.rules.dark.silences import Berths, Silences
from detectors.rules.geofence.hidden_ways import Ways
from detectors.rules.geofence.parameters import GeofenceParameters
from vessels.geodesy import angle_between, bearing_deg
from vessels.zones import Zone

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

START_DB: Final = -5.0
"""Most silences that leave the time are innocent, and `dark_gap` tells of the silence itself."""
LEAST_INNOCENT: Final = 0.05
"""Of innocent ships, no fewer have such a silence: sets fail. Fixtures: 5 in 303 in forty days, of any length."""
CROWD_PRIOR_SHIPS: Final = 4.0
CROWD_PRIOR_LIKE: Final = 1.0
"""The crowd counts as if four more ships had passed, one of them with the like silence: a lone ship proves little."""
NEAR_DB: Final = 4.0
"""For each halving of the detour below `hidden_near_nmi`, or against for each doubling above."""
NEAR_MOST_DB: Final = 6.0
NEAR_LEAST_DB: Final = -10.0
SAILED_ON_DB: Final = -8.0
"""She came back where she would have been, had she sailed on; half of this with a quarter of the time to spare."""
SPARE_SHARE: Final = 0.5
SHORT_STAY_DB: Final = -6.0
TOWARDS_DB: Final = 2.0
AWAY_DB: Final = -3.0
TOWARDS_DEG: Final = 45.0
AWAY_DEG: Final = 100.0
UNDER_WAY_KN: Final = 3.0
"""Slower ships head nowhere."""
CARGO_DB: Final = 8.0
SOME_CARGO_DB: Final = 5.0
SAME_DRAUGHT_DB: Final = -2.0
DRAUGHT_SLACK_M: Final = 1e-6
"""Draughts are told in steps of 0.1 m: 4.1 less 3.6 is to be 0.5."""
LARGEST_RATIO: Final = 3.0
"""Draughts that differ more than this are typing errors: a laden ship draws at most about twice her ballast draught."""
PUT_DB: Final = -12.0
"""She was in port, or still, before and after, at one place: laid up, in dock, or at her berth."""
MOST_COURSE_DB: Final = 2.0 * TOWARDS_DB


def chance_of_silence(silences: Silences, parameters: GeofenceParameters) -> FloatArray:
    """Probability that an innocent ship is not heard as this one was not, by chance or by habit. Shape (n,)."""
    usual_h = np.nan_to_num(np.minimum(silences["longest_usual_h"], parameters.hidden_habit_cap_h))
    habit = silences.duration_h < parameters.hidden_habit_factor * usual_h
    blind = ~silences.has("reception", "heard", "unheard_place", "class_thinned")
    chance = np.nan_to_num(silences["chance_unheard"], nan=1.0)
    return np.where(habit | blind, 1.0, np.clip(chance, 0.0, 1.0))


def silence_db(chance: FloatArray, n_passed: npt.NDArray[np.int64], n_like: npt.NDArray[np.int64]) -> FloatArray:
    """How much the silence says: less where silences are common, by chance or among the ships that pass. Shape (n,)."""
    common = (n_like + CROWD_PRIOR_LIKE) / (n_passed + CROWD_PRIOR_SHIPS)
    innocent = np.clip(chance + np.maximum(common, LEAST_INNOCENT), 0.0, 1.0)
    return np.asarray(-10.0 * np.log10(innocent))


def stayed_put(silences: Silences, berths: Berths, parameters: GeofenceParameters) -> BoolArray:
    """Whether the rows show the ship at one place all the while: in one port visit, or still at both ends. Shape (n,).

    A ship under way within the fence of a port before and after is no ship laid up there.
    """
    still = (silences["start_sog_kn"] < UNDER_WAY_KN) & (silences["end_sog_kn"] < UNDER_WAY_KN)
    under_way = (silences["start_sog_kn"] >= UNDER_WAY_KN) & (silences["end_sog_kn"] >= UNDER_WAY_KN)
    near_by = silences["distance_nmi"] <= parameters.hidden_put_nmi
    in_port = (berths.spent_in(silences) >= 0) & ~under_way
    return np.asarray(in_port | (still & near_by & ~silences.is_open))


def place_weights(silences: Silences, ways: Ways, parameters: GeofenceParameters) -> Mapping[str, FloatArray]:
    """Weights of the way, the time and the courses, for silences that leave time. Each of shape (n,)."""
    in_nmi, out_nmi = ways.at_best(ways.in_nmi), ways.at_best(ways.out_nmi)
    return {
        "nearness": near_db(silences.is_open, in_nmi, out_nmi, ways.direct_nmi, parameters),
        "time to spare": _time_db(silences, ways),
        "length of the stay": _stay_db(ways.at_best(ways.stay_h), parameters),
        "course before": _course_db(silences, ways, "start", in_nmi),
        "course after": _course_db(silences, ways, "end", out_nmi),
    }


def near_db(
    is_open: BoolArray, in_nmi: FloatArray, out_nmi: FloatArray, direct_nmi: FloatArray, parameters: GeofenceParameters
) -> FloatArray:
    """By the extra way and the nearer end: a ship that comes back to where she was counts the way there, once."""
    extra = np.maximum(in_nmi + out_nmi - direct_nmi, 0.0)
    detour = np.where(is_open, in_nmi, (extra + np.minimum(in_nmi, out_nmi)) / 3.0)
    halvings = np.log2(parameters.hidden_near_nmi / np.maximum(detour, 1.0))
    return np.clip(NEAR_DB * halvings, NEAR_LEAST_DB, NEAR_MOST_DB)


def most_near_db(
    silences: Silences, berths: Sequence[Zone], direct_nmi: FloatArray, parameters: GeofenceParameters
) -> FloatArray:
    """No weight of nearness is greater, whichever berth it is: from great circles to them. Shape (n,)."""
    most = np.full(len(silences), NEAR_LEAST_DB)
    for zone in berths:
        way_in = at_least_nmi(zone, *silences.places("start"))
        way_out = np.where(silences.is_open, 0.0, at_least_nmi(zone, *silences.places("end")))
        most = np.maximum(most, near_db(silences.is_open, way_in, way_out, direct_nmi, parameters))
    return most


def _time_db(silences: Silences, ways: Ways) -> FloatArray:
    """Against, if the time was about what the direct way takes. Open silences have reached no other end."""
    spare = 1.0 - ways.direct_nmi / ways.speed_kn / silences.duration_h
    against = SAILED_ON_DB * (1.0 - np.clip(spare / SPARE_SHARE, 0.0, 1.0))
    return np.where(silences.is_open, 0.0, against)


def _stay_db(stay_h: FloatArray, parameters: GeofenceParameters) -> FloatArray:
    """Against, if time was short for a cargo, or so long that she may have been anywhere."""
    room_h = max(parameters.hidden_cargo_stay_h - parameters.hidden_stay_h, 1e-9)
    short = np.clip((parameters.hidden_cargo_stay_h - stay_h) / room_h, 0.0, 1.0)
    long = np.maximum(stay_h / (24.0 * parameters.hidden_long_stay_days), 1.0)
    return np.asarray(SHORT_STAY_DB * short - 10.0 * np.log10(long))


def _course_db(silences: Silences, ways: Ways, end: str, way_nmi: FloatArray) -> FloatArray:
    """For, if she headed for the zone before or came from it after; against, if plainly the other way."""
    zone_lat = np.array([zone.lat for zone in ways.zones])[ways.best]
    zone_lon = np.array([zone.lon for zone in ways.zones])[ways.best]
    lat, lon = silences.places(end)
    to_zone = bearing_deg(lat, lon, zone_lat, zone_lon)
    cog = silences[f"{end}_cog_deg"] + (180.0 if end == "end" else 0.0)
    off = angle_between(np.nan_to_num(cog), to_zone)
    said = (silences[f"{end}_sog_kn"] >= UNDER_WAY_KN) & np.isfinite(cog) & (way_nmi > 0.0)
    said &= ~silences.is_open if end == "end" else True
    return np.where(said, np.where(off <= TOWARDS_DEG, TOWARDS_DB, np.where(off >= AWAY_DEG, AWAY_DB, 0.0)), 0.0)


def draught_db(silences: Silences, at_berth: BoolArray, parameters: GeofenceParameters) -> FloatArray:
    """For, if cargo was taken or landed; a little against, if the draught claimed is the same. Shape (n,).

    Nothing of a ship that fell silent in port, or stayed put: at her own berth she loads and lands cargo too.
    """
    before, after = silences["start_draught_m"], silences["end_draught_m"]
    ratio = np.maximum(before, after) / np.maximum(np.minimum(before, after), 0.1)
    change_m = np.where(ratio > LARGEST_RATIO, np.nan, np.abs(silences.draught_gain_m()))
    change_m = change_m + DRAUGHT_SLACK_M
    moved = np.where(change_m >= 2.0 * parameters.draught_change_m, CARGO_DB, SOME_CARGO_DB)
    weight = np.where(change_m >= parameters.draught_change_m, moved, SAME_DRAUGHT_DB)
    return np.where(np.isnan(change_m) | at_berth, 0.0, weight)
