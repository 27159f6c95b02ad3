"""One MMSI's positions in a planted table, as tests look at them."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.geodesy import distance_nmi
from vessels.units import METRES_PER_NMI, US_PER_H

FloatArray = npt.NDArray[np.float64]


class Track:
    """One MMSI's positions in a table, in order of time."""

    def __init__(self, table: pa.Table, mmsi: int, start_us: int = 0, end_us: int = 2**62) -> None:
        time = table["timestamp"].cast(pa.int64())
        wanted = pc.and_(pc.equal(table["mmsi"], mmsi), pc.and_(pc.greater(time, start_us), pc.less(time, end_us)))
        rows = table.filter(pc.and_(wanted, pc.is_valid(table["lat"]))).sort_by("timestamp")
        self.time_us = rows["timestamp"].cast(pa.int64()).to_numpy()
        self.lat, self.lon, self.sog, self.draught = (rows[n].to_numpy() for n in ("lat", "lon", "sog", "draught"))
        self.status = rows["nav_status"].to_pylist()

    def __len__(self) -> int:
        return len(self.time_us)

    def at(self, time_us: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        return np.interp(time_us, self.time_us, self.lat), np.interp(time_us, self.time_us, self.lon)

    def off_m(self, other: "Track", start_us: int, end_us: int) -> FloatArray:
        """Metres from its reports between two instants to where the other was then."""
        mine = (self.time_us > start_us) & (self.time_us < end_us)
        places = other.at(self.time_us[mine])
        return METRES_PER_NMI * distance_nmi(self.lat[mine], self.lon[mine], *places)

    def fastest_kn(self) -> float:
        """Greatest speed made good over steps of more than half a mile."""
        step = distance_nmi(self.lat[:-1], self.lon[:-1], self.lat[1:], self.lon[1:])
        hours = np.maximum(np.diff(self.time_us), 1) / US_PER_H
        return float(np.max(np.where(step > 0.5, step / hours, 0.0)))

    def is_slow(self, start_us: int, end_us: int) -> bool:
        """Whether it sent less than 2 kn most of the time between two instants."""
        return bool(np.nanmedian(self.sog[(self.time_us > start_us) & (self.time_us < end_us)]) < 2.0)
