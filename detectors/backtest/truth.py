"""Which hull a planted row came from: the one thing that planting knows and no scan can.

Takes the fleet and the planted copy; tells of a link whether both its ends are rows of one track of the user's data.
"""

import numpy as np

from detectors.backtest.fleet import Fleet, IntArray
from detectors.backtest.outcomes import StrongLink
from detectors.backtest.sheet import Sheet
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_S

_SAME_REPORT_US = US_PER_S
"""A report is found again to the second."""


class HullTruth:
    """Rows of the planted copy, looked up by the MMSI they bear now."""

    def __init__(self, fleet: Fleet, sheet: Sheet) -> None:
        self._fleet = fleet
        heard = np.flatnonzero(sheet.keep & np.isfinite(fleet.lat))
        order = heard[np.lexsort((fleet.time_us[heard], sheet.mmsi[heard]))]
        self._rows, self._mmsi = order, sheet.mmsi[order]

    def hulls(self, link: StrongLink) -> tuple[int | None, int | None]:
        """The user's own MMSI of the track that each end of a link comes from; None where no report is found there."""
        before = self._hull(link.from_mmsi, link.ended_us, link.from_place)
        return before, self._hull(link.to_mmsi, link.began_us, link.to_place)

    def _hull(self, mmsi: int, us: int, place: tuple[float, float]) -> int | None:
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
        rows: IntArray = self._rows[low:high]
        times = self._fleet.time_us[rows]
        first, last = np.searchsorted(times, [us - _SAME_REPORT_US, us + _SAME_REPORT_US + 1]).tolist()
        rows = rows[first:last]
        if not len(rows):
            return None
        apart = distance_nmi(self._fleet.lat[rows], self._fleet.lon[rows], *place)
        return int(self._fleet.mmsi[rows[int(np.argmin(apart))]])
