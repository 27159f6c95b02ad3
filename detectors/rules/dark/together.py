"""Silences that ships had together: many about one place fell silent and were heard again at about the same times.

Takes silences; says of which of them that holds. One ship that hides is silent alone: where a good part of those about
fell silent with her, a station failed, or a chain of receivers passed on less, whatever others farther off say.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.rules.dark.silences import Silences
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

IN_COMMON: Final = 0.7
"""Of the time that two ships were silent, the part in which both were. Measured (two made-up fleets): with ships in an
outage of stations 26 to 31 others had as much in common, with ships switched off at most 2."""
EDGES_H: Final = 6.0
"""Neither began, nor ended, further apart: an outage of a day, into or out of which some sailed."""
ABOUT_NMI: Final = 100.0
"""So far about a ship: the reach of two or three stations of one coast (a station hears some 40 nmi)."""
FEWEST: Final = 3
"""Two ships may fall silent at once by chance, or meet."""
OF_OTHERS: Final = 0.25
"""And so many of the other ships about: in a full roadstead three are few."""
SILENT_B: Final = 0.4
"""Chains thin class B sets along whole coasts, and the few reports left part each set's silence: of the sets about, the
part that was silent meanwhile, on average. Measured (two made-up fleets): 0.45 to 0.97 in most of a thinning, 0.05 to
0.37 at other times."""
ABOUT_B_NMI: Final = 500.0


def fell_silent_together(silences: Silences, asked: IntArray) -> BoolArray:
    """Of the silences asked for (rows), whether enough other ships had them too. Shape (asked,)."""
    order = np.argsort(silences.start_us, kind="stable")
    start_us = silences.start_us[order]
    is_b = silences.has("transceiver", "B")
    mmsi = np.asarray(silences.rows["mmsi"].to_numpy(), dtype=np.int64)
    others = np.nan_to_num(silences["n_others"])
    edge_us = int(EDGES_H * US_PER_H)
    found = np.zeros(len(asked), dtype=np.bool_)
    sets = np.flatnonzero(is_b)
    for i, row in enumerate(asked.tolist()):
        if is_b[row]:
            found[i] = _are_thinned(silences, mmsi, sets, row)
            continue
        low = np.searchsorted(start_us, silences.start_us[row] - edge_us, "left")
        high = np.searchsorted(start_us, silences.start_us[row] + edge_us, "right")
        near = order[low:high]
        near = near[np.abs(silences.until_us[near] - silences.until_us[row]) <= edge_us]
        near = near[_in_common(silences, near, row) >= IN_COMMON]
        near = near[_off_nmi(silences, near, row) <= ABOUT_NMI]
        n_alike = len(np.unique(mmsi[near[mmsi[near] != mmsi[row]]]))
        found[i] = n_alike >= max(FEWEST, OF_OTHERS * others[row])
    return found


def _are_thinned(silences: Silences, mmsi: IntArray, sets: IntArray, row: int) -> bool:
    """Whether a good part of the class B sets about, of those ever silent, was silent through this silence."""
    near = sets[(_off_nmi(silences, sets, row) <= ABOUT_B_NMI) & (mmsi[sets] != mmsi[row])]
    ships, ship = np.unique(mmsi[near], return_inverse=True)
    if len(ships) < FEWEST:
        return False
    start_us, until_us = silences.start_us, silences.until_us
    both = np.minimum(until_us[near], until_us[row]) - np.maximum(start_us[near], start_us[row])
    silent = np.bincount(ship, np.maximum(both, 0) / (until_us[row] - start_us[row]), len(ships))
    return bool(np.minimum(silent, 1.0).mean() >= SILENT_B)


def _in_common(silences: Silences, rows: IntArray, row: int) -> npt.NDArray[np.float64]:
    """Hours in which both were silent over those in which either was. Shape (rows,)."""
    start, until = silences.start_us, silences.until_us
    both = np.minimum(until[rows], until[row]) - np.maximum(start[rows], start[row])
    either = np.maximum(until[rows], until[row]) - np.minimum(start[rows], start[row])
    return np.asarray(both / either, dtype=np.float64)


def _off_nmi(silences: Silences, rows: IntArray, row: int) -> npt.NDArray[np.float64]:
    """From where one fell silent to where others did. Shape (rows,)."""
    lat, lon = silences.places("start")
    return np.asarray(distance_nmi(lat[row], lon[row], lat[rows], lon[rows]))
