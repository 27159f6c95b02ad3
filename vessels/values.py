"""Values of one field, with the standard's "not available" codes and what cannot be as null.

Takes arrays of one chunk in canonical units; gives the same with NaN, and counts what was nulled and why. Rows are
judged in `vessels.quality`. Codes: ITU-R M.1371-5, see `vessels.ais`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vessels import ais
from vessels.quality import Nulled

SOG_LIMIT_KN: Final = 102.25
"""1022 tenths mean "102.2 kn or more", 1023 "not available" (ITU-R M.1371-5, message 1): the line between the two."""
COG_END_DEG: Final = 360.0
"""3600 tenths mean "not available", 3601 to 4095 "should not be used" (ITU-R M.1371-5, message 1)."""
HEADING_END_DEG: Final = 360.0
"""0 to 359 are headings, 511 "not available" (ITU-R M.1371-5, message 1); some providers write -1."""
NO_HEADING: Final = (ais.HEADING_NOT_AVAILABLE_DEG, -1.0)
LONG_RANGE_MESSAGE: Final = 27
LONG_RANGE_NO_SOG_KN: Final = 63.0
"""In message 27, speed is in whole knots and 63 means "not available" (ITU-R M.1371-5, message 27)."""
SHIP_TYPE_MAX: Final = 255
"""The field has eight bits; 100 to 255 are reserved (ITU-R M.1371-5, table 53)."""
AVIS_SHIP_TYPES: Final = range(1001, 1026)
"""US Coast Guard AVIS codes in older MarineCadastre files (NOAA vessel type codes, 2018)."""

Floats32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def _nulled_where(
    values: Floats32, field_name: str, code: Mask | None, beyond: Mask | None, nulled: Nulled
) -> Floats32:
    for why, rows in (("not_available", code), ("out_of_range", beyond)):
        if rows is not None and (n := np.count_nonzero(rows)):
            nulled.add(field_name, why, int(n))
            values = np.where(rows, np.float32(np.nan), values)
    return values


def clean_sog(sog: Floats32, message: Floats | None, nulled: Nulled) -> Floats32:
    """Speeds in knots; null at 102.3 (63 in message 27), above it and below zero."""
    if not len(sog):
        return sog
    high = sog > np.float32(SOG_LIMIT_KN)
    code = high
    beyond = sog < 0
    if high.any():
        code = high & (sog < np.float32(ais.SOG_NOT_AVAILABLE_KN + 0.05))
        beyond = beyond | (high & ~code)
    if message is not None:
        code = code | ((message == LONG_RANGE_MESSAGE) & (sog == LONG_RANGE_NO_SOG_KN))
    return _nulled_where(sog, "sog", code, beyond, nulled)


def clean_cog(cog: Floats32, nulled: Nulled) -> Floats32:
    """Courses in degrees; null at 360, above it and below zero."""
    return _nulled_where(
        cog, "cog", cog == np.float32(COG_END_DEG), (cog > np.float32(COG_END_DEG)) | (cog < 0), nulled
    )


def clean_heading(heading: Floats32, nulled: Nulled) -> Floats32:
    """True headings in degrees; null at 511 and -1, from 360 on and below zero."""
    code = (heading == np.float32(NO_HEADING[0])) | (heading == np.float32(NO_HEADING[1]))
    beyond = (heading >= np.float32(HEADING_END_DEG)) | (heading < 0)
    return _nulled_where(heading, "heading", code, beyond & ~code, nulled)


def clean_draught(draught: Floats32, nulled: Nulled) -> Floats32:
    """Draughts in metres; null at 0, below it and above what the field can say."""
    beyond = (draught < 0) | (draught > np.float32(ais.DRAUGHT_MAX_M))
    return _nulled_where(draught, "draught", draught == 0, beyond, nulled)


def clean_status(status: Floats) -> tuple[npt.NDArray[np.int8], Mask, Mask]:
    """Navigational status codes as int8, -1 where null; masks of "undefined" (15) and of values that are no code."""
    code = status == ais.NAV_STATUS_UNDEFINED
    beyond = (status < 0) | (status > ais.NAV_STATUS_UNDEFINED) | (status != np.floor(status))
    beyond &= ~np.isnan(status)
    good = np.where(code | beyond | np.isnan(status), -1.0, status)
    return good.astype(np.int8), code, beyond


def clean_size(value: float, limit_m: float) -> tuple[float | None, str | None]:
    """A length or beam in metres and, when it is nulled, why."""
    if value == 0:
        return None, "not_available"
    return (value, None) if 0 < value <= limit_m else (None, "out_of_range")


def clean_ship_type(value: float) -> tuple[int | None, str | None]:
    """A ship-type code and, when it is nulled, why.

    >>> clean_ship_type(70.0), clean_ship_type(0.0), clean_ship_type(1004.0), clean_ship_type(999.0)
    ((70, None), (None, 'not_available'), (1004, None), (None, 'out_of_range'))
    """
    if value == 0:
        return None, "not_available"
    if value == int(value) and (1 <= value <= SHIP_TYPE_MAX or int(value) in AVIS_SHIP_TYPES):
        return int(value), None
    return None, "out_of_range"
