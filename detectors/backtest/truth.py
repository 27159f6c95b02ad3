"""Which hull a planted row came from: the one thing that planting knows and no scan can.

Takes the fleet and the planted copy; tells of a link whether both its ends are rows of one track of the user's data.
"""

import numpy as np

from detectors.backtest.fleet import Fleet
from detectors.backtest.outcomes import StrongLink
from detectors.backtest.sheet import Sheet
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_S

_SAME_REPORT_US = US_PER_S
"""A report is found again to the second."""


class HullTruth:
    """Rows of the planted copy, looked up by the MMSI they bear now."""

    def __init__(self, fleet: Fleet, sheet: Sheet) -> None:
        rows = sheet.rows()
        heard = np.flatnonzero(rows.keep & np.isfinite(rows.lat))
        order = heard[np.lexsort((rows.time_us[heard], rows.mmsi[heard]))]
        self._rows = rows.at(order)
        self._own = fleet.mmsi[self._rows.source]

    def hulls(self, link: StrongLink) -> tuple[int | None, int | None]:
        """The user's own MMSI of the track that each end of a link comes from; None where no report is found there."""
        before = self._hull(link.from_mmsi, link.ended_us, link.from_place)
        return before, self._hull(link.to_mmsi, link.began_us, link.to_place)

    def _hull(self, mmsi: int, us: int, place: tuple[float, float]) -> int | None:
        rows = self._rows
        low, high = np.searchsorted(rows.mmsi, [mmsi, mmsi + 1]).tolist()
        around = [us - _SAME_REPORT_US, us + _SAME_REPORT_US + 1]
        first, last = (low + np.searchsorted(rows.time_us[low:high], around)).tolist()
        if first == last:
            return None
        apart = distance_nmi(rows.lat[first:last], rows.lon[first:last], *place)
        return int(self._own[first + int(np.argmin(apart))])
