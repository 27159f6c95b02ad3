"""A chunk: a few hundred thousand rows of one file in canonical columns, the first form all input takes.

"Not available" codes are already null (NaN, or -1 for nav_status). Static data are kept once: each row holds the
index of the claims it carried.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class StaticClaim(NamedTuple):
    """What one row said of its ship, as received. Numbers are null where the code means "not available"."""

    imo_raw: str | None = None
    name_raw: str | None = None
    call_sign_raw: str | None = None
    ship_type: int | None = None
    length_m: float | None = None
    beam_m: float | None = None
    destination_raw: str | None = None
    transceiver: str | None = None


NOTHING_SAID = StaticClaim()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows in file order. All arrays have shape (n,).

    `mmsi` int64; `time_us` int64, microseconds since 1970 UTC; `lat`, `lon` float64 degrees, NaN on rows that carry
    static data only; `sog` kn, `cog` and `heading` degrees, `draught` m: float32, NaN where not available;
    `nav_status` int8, -1 where not available; `static` int32: index into `claims`, whose first is NOTHING_SAID.
    """

    mmsi: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    sog: npt.NDArray[np.float32]
    cog: npt.NDArray[np.float32]
    heading: npt.NDArray[np.float32]
    draught: npt.NDArray[np.float32]
    nav_status: npt.NDArray[np.int8]
    static: npt.NDArray[np.int32]
    claims: tuple[StaticClaim, ...] = (NOTHING_SAID,)

    def __len__(self) -> int:
        return len(self.mmsi)
