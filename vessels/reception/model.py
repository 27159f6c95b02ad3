"""Reception, learned: who is heard where and when, for the whole fleet.

Takes `reception` tables of all blocks and the ends of tracks; gives `Reception`: shares of places, factors of hours.
p(cell, hour, class) = share(cell, class) x factor(neighbourhood, hour). What that says of a silence is left to
`judged`.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.instants import times_us
from vessels.reception.grid import cell_centres, cells_of
from vessels.reception.hours import Hours
from vessels.reception.parameters import DEFAULT_RECEPTION, ReceptionParameters
from vessels.reception.places import CountRows, Counts, Places
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LandTest = Callable[[FloatArray, FloatArray], BoolArray]
"""Whether places (lat, lon in degrees) are on land."""


class Reception:
    """Who is heard where and when; see the module. Read-only after it is built."""

    def __init__(
        self,
        tables: Iterable[pa.Table],
        ends: pa.Table,
        as_of_us: int,
        parameters: ReceptionParameters = DEFAULT_RECEPTION,
        is_land: LandTest | None = None,
    ) -> None:
        """`tables` have the columns of `reception`; `ends` those of `gaps`, rows that have no end, or one on
        another track, are ends of tracks.

        Ships silent now count as present for a while, as they would in a silence that has ended: else nobody would be
        missed in an outage that goes on. `is_land` tells cells without any data at sea, where nobody is heard, from
        those on land. Cost: a few passes over `tables`; memory for the world's cells and for (block, hour) of the data.
        """
        self.parameters = parameters
        parts = [table for table in tables if table.num_rows]
        newest = [int(part["hour"].to_numpy().max()) * US_PER_H for part in parts]
        newest += [int(times_us(ends[name]).max()) for name in ("start", "end") if ends.num_rows]
        self.until_us = min(as_of_us, max(newest, default=0))
        """Up to when the data tell anything: the newest report, or now if that is earlier."""
        rows = CountRows(
            parts, self._tails(ends.filter(pc.or_(pc.is_null(ends["end"]), pc.is_valid(ends["next_segment_id"]))))
        )
        self.places = Places(rows, parameters)
        self.hours = Hours(rows, self.places, parameters)
        self._is_land = is_land

    def is_open_sea(self, cell: IntArray) -> BoolArray:
        """Whether cells in regions of which nothing at all is known are at sea; never, without a chart of land."""
        out = np.zeros(cell.shape, dtype=np.bool_)
        if self._is_land is not None:
            empty = self.places.nothing_known(cell)
            out[empty] = ~self._is_land(*cell_centres(cell[empty]))
        return out

    def _tails(self, ends: pa.Table) -> Counts:
        """Hours after the last reports of tracks, in which ships count as present, unheard, where they were last.

        All up to now if that is near enough to bridge, else only the first; the hour that goes on now is left out.
        """
        last_us = times_us(ends["start"])
        last, now = last_us // US_PER_H, self.until_us // US_PER_H
        n = np.maximum(now - last - 1, 0)
        bridged = self.until_us - last_us <= self.parameters.bridge_h * US_PER_H
        n = np.where(bridged, n, np.minimum(n, int(self.parameters.edge_h)))
        row = np.repeat(np.arange(len(last)), n)
        number = np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
        cell = cells_of(ends["start_lat"].to_numpy(), ends["start_lon"].to_numpy()).astype(np.int64)
        one = np.ones(len(row), dtype=np.int64)
        return Counts(cell[row], last[row] + 1 + number, strata_at_ends(ends, self.parameters)[row], one, 0 * one)


def strata_at_ends(ends: pa.Table, parameters: ReceptionParameters) -> IntArray:
    """2 x class B + still by row of `gaps`, as at the last report."""
    class_b = pc.fill_null(pc.equal(ends["transceiver"], "B"), False).to_numpy()
    still = ends["start_sog_kn"].to_numpy() < parameters.still_kn
    return np.asarray(2 * class_b.astype(np.int64) + still, dtype=np.int64)
