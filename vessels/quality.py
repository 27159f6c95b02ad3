"""What makes a row of AIS no position report, and which of its values say "not available".

Takes arrays of one chunk; gives the reason each row is set aside for (or none), values with their codes nulled,
and the counts of both. Column parsing is left to `vessels.fields`. Codes: ITU-R M.1371-5, see `vessels.ais`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels import ais
from vessels.units import US_PER_S

EARLIEST_US: Final = int(datetime(1998, 1, 1, tzinfo=UTC).timestamp()) * US_PER_S
"""AIS has a standard since ITU-R M.1371-0 of 1998: no report can be older."""
LATEST_US: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * US_PER_S
"""Later times are counters misread as times (an epoch in the wrong unit, a year of filler digits)."""
LAT_LIMIT_DEG: Final = 90.0
LON_LIMIT_DEG: Final = 180.0
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
STATION_MESSAGES: Final = (4, 9, 11, 21)
"""Base station report, aircraft position, UTC response, aid to navigation: no vessels (ITU-R M.1371-5, table 46)."""
CLASS_A_MESSAGES: Final = (1, 2, 3, 5)
CLASS_B_MESSAGES: Final = (18, 19, 24)
SHIP_TYPE_MAX: Final = 255
"""The field has eight bits; 100 to 255 are reserved (ITU-R M.1371-5, table 53)."""
AVIS_SHIP_TYPES: Final = range(1001, 1026)
"""US Coast Guard AVIS codes in older MarineCadastre files (NOAA vessel type codes, 2018)."""

Floats32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mmsi_missing": "no MMSI",
        "mmsi_unreadable": "the MMSI is no whole number of up to nine digits",
        "not_a_vessel": "a coast or base station, aid to navigation, aircraft, rescue device or group call",
        "time_missing": "no time",
        "time_unreadable": "the time cannot be read",
        "time_without_zone": "the time states no zone and none is given",
        "time_before_ais": "before 1998, when AIS got its standard",
        "time_too_late": "after 2100",
        "position_unreadable": "latitude or longitude is no number",
        "position_impossible": "latitude beyond 90 or longitude beyond 180 degrees",
        "null_island": "latitude and longitude are exactly 0: an unset position",
        "nothing_said": "neither a position nor static data",
        "ragged_row": "the row has more or fewer values than the header",
        "line_in_quotes": "a line inside a quoted value: part of it, or swallowed by a mark that was not closed",
        "sentence_unreadable": "an NMEA sentence that cannot be decoded",
        "sentence_checksum": "an NMEA sentence whose checksum fails",
        "sentence_incomplete": "a part of an NMEA message whose other parts are missing",
    }
)
"""Why a row is set aside, by code, in order of precedence for rows that break several rules."""
_CODES: Final = tuple(REASONS)
CODE_OF: Final[Mapping[str, int]] = MappingProxyType({reason: i + 1 for i, reason in enumerate(_CODES)})
"""The number of each reason in `Verdicts`; 0 is a row that stays."""


def reason_of(code: int) -> str:
    """The reason that a code of `Verdicts` stands for."""
    return _CODES[code - 1]


@dataclass(frozen=True, slots=True)
class Reject:
    """Rows set aside for one reason: how many, the first (counted from 0 in the file, None if unknown), its text."""

    reason: str
    n_rows: int
    first_row: int | None
    example: str


@dataclass(frozen=True, slots=True)
class RejectCounts:
    """What was dropped or nulled in some rows: rejects by reason, and values by `field.why`.

    `why` is `not_available` (the standard's code), `out_of_range` (a value that cannot be) or `unreadable`.
    Nulled values leave their row in place. `n_rows` counts the rows read, kept or not.
    """

    n_rows: int = 0
    rejects: Mapping[str, Reject] = field(default_factory=lambda: MappingProxyType({}))
    nulled: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def n_rejected(self) -> int:
        """Rows set aside, all reasons together."""
        return sum(reject.n_rows for reject in self.rejects.values())

    def merged(self, other: "RejectCounts") -> "RejectCounts":
        """Both together; the earlier row gives the example."""
        return merge_counts((self, other))


def merge_counts(parts: Iterable[RejectCounts]) -> RejectCounts:
    """The counts of several chunks of one file as one, independent of their order."""
    n_rows = 0
    rejects: dict[str, Reject] = {}
    nulled: dict[str, int] = {}
    for part in parts:
        n_rows += part.n_rows
        for reason, reject in part.rejects.items():
            known = rejects.get(reason)
            rejects[reason] = reject if known is None else _earlier(known, reject)
        for key, n in part.nulled.items():
            nulled[key] = nulled.get(key, 0) + n
    return RejectCounts(
        n_rows,
        MappingProxyType({reason: rejects[reason] for reason in sorted(rejects)}),
        MappingProxyType({key: nulled[key] for key in sorted(nulled)}),
    )


def _earlier(one: Reject, other: Reject) -> Reject:
    def place(reject: Reject) -> tuple[float, str]:
        return (np.inf if reject.first_row is None else float(reject.first_row), reject.example)

    first = min(one, other, key=place)
    return Reject(one.reason, one.n_rows + other.n_rows, first.first_row, first.example)


class Verdicts:
    """The reason each of n rows is set aside for, by `CODE_OF`; 0 stays. The first rule broken gives the reason."""

    def __init__(self, n: int) -> None:
        self._codes: npt.NDArray[np.int8] | None = None
        self.n = n

    def reject(self, rows: Mask | None, reason: str) -> None:
        """Set aside `rows` (mask (n,), None for no row) that no earlier rule has set aside."""
        if rows is None or not rows.any():
            return
        if self._codes is None:
            self._codes = np.zeros(self.n, dtype=np.int8)
        self._codes[rows & (self._codes == 0)] = CODE_OF[reason]

    @property
    def codes(self) -> npt.NDArray[np.int8] | None:
        """Codes of all rows; None when all stay."""
        return self._codes


class Nulled:
    """Counts values replaced by null, by field and why."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, field_name: str, why: str, n: int) -> None:
        """Count `n` more values of a field."""
        if n:
            key = f"{field_name}.{why}"
            self._counts[key] = self._counts.get(key, 0) + int(n)

    @property
    def counts(self) -> Mapping[str, int]:
        """Values by `field.why`."""
        return MappingProxyType(dict(sorted(self._counts.items())))


def judge_stations(mmsi: npt.NDArray[np.int64], message: Floats | None, verdicts: Verdicts) -> None:
    """Set aside what is no vessel by the shape of its MMSI or its message type."""
    if len(mmsi) and (mmsi.min() < 200_000_000 or mmsi.max() >= 800_000_000):
        rows = np.flatnonzero((mmsi < 200_000_000) | (mmsi >= 800_000_000))
        different, code = np.unique(mmsi[rows], return_inverse=True)
        station = np.isin(ais.mmsi_kinds(different), [int(kind) for kind in ais.STATIONS_NOT_SHIPS])
        marked = np.zeros(len(mmsi), np.bool_)
        marked[rows] = station[code]
        verdicts.reject(marked, "not_a_vessel")
    if message is not None:
        verdicts.reject(np.isin(message, STATION_MESSAGES), "not_a_vessel")


def judge_times(time_us: npt.NDArray[np.int64], verdicts: Verdicts) -> None:
    """Set aside times before AIS existed or absurdly late."""
    if not len(time_us):
        return
    if time_us.min() < EARLIEST_US:
        verdicts.reject(time_us < EARLIEST_US, "time_before_ais")
    if time_us.max() >= LATEST_US:
        verdicts.reject(time_us >= LATEST_US, "time_too_late")


def judge_positions(lat: Floats, lon: Floats, verdicts: Verdicts, nulled: Nulled) -> tuple[Floats, Floats, Mask | None]:
    """Positions with "not available" as NaN in both; sets aside what cannot be; the mask of rows without position.

    A row that states only one of the two has no position.
    """
    if not len(lat):
        return lat, lon, None
    low_lat, high_lat, low_lon, high_lon = lat.min(), lat.max(), lon.min(), lon.max()
    without: Mask | None = None
    plain = (
        low_lat >= -LAT_LIMIT_DEG
        and high_lat <= LAT_LIMIT_DEG
        and low_lon >= -LON_LIMIT_DEG
        and high_lon <= LON_LIMIT_DEG
    )  # false when there is a NaN
    if not plain:
        code = (lat == ais.LAT_NOT_AVAILABLE) | (lon == ais.LON_NOT_AVAILABLE)
        nulled.add("position", "not_available", int(np.count_nonzero(code)))
        without = code | np.isnan(lat) | np.isnan(lon)
        beyond = ((np.abs(lat) > LAT_LIMIT_DEG) | (np.abs(lon) > LON_LIMIT_DEG)) & ~without
        verdicts.reject(beyond, "position_impossible")
        if without.any():
            lat, lon = np.where(without, np.nan, lat), np.where(without, np.nan, lon)
        else:
            without = None
    zero = lat == 0.0
    if zero.any():
        verdicts.reject(zero & (lon == 0.0), "null_island")
    return lat, lon, without


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


STRAY_GAP_DAYS: Final = 30
"""A silence this long in all receivers at once is no outage between two reports of the same watch."""
STRAY_ROWS: Final = 3
"""So few rows are a wrong clock and not a day of traffic, however short the rest is."""
STRAY_SHARE: Final = 0.01
"""More rows than this share of the rest are taken for traffic: a wrong clock belongs to one station or ship."""
STRAY_REST: Final = 10
"""The rest must hold this many times the rows of a stray, or nobody can say which of the two is astray."""


def plausible_span(days: Mapping[int, int]) -> tuple[int, int]:
    """First and last day that count, given the rows on each day (days since 1970, at least one).

    One row in 2099, from a set whose clock is wrong, must not become "now" and push every real report out of the
    look-back window. So days are grouped by silences of more than 30 days; a group at either end is a stray when
    the silence before it is longer than the rest lasts, and it holds at most 3 rows or 1 % of the rest, and the rest
    holds ten times as many. Day after day of a thin archive is never cut: its silences are short beside its length.

    >>> plausible_span({20000: 500, 20001: 700, 47000: 1})
    (20000, 20001)
    >>> plausible_span({20000: 500, 20040: 700})
    (20000, 20040)
    """
    groups: list[list[int]] = []
    for day in sorted(days):
        if groups and day - groups[-1][-1] <= STRAY_GAP_DAYS:
            groups[-1].append(day)
        else:
            groups.append([day])
    rows = [sum(days[day] for day in group) for group in groups]
    first, last = 0, len(groups) - 1
    while first < last:
        ends = [(rows[last], last, groups[last][0] - groups[last - 1][-1], groups[last - 1][-1] - groups[first][0])]
        ends.append(
            (rows[first], first, groups[first + 1][0] - groups[first][-1], groups[last][-1] - groups[first + 1][0])
        )
        total = sum(rows[first : last + 1])
        stray = next((end for n, end, gap, rest_days in sorted(ends) if gap > rest_days and _few(n, total - n)), None)
        if stray is None:
            break
        first, last = (first + 1, last) if stray == first else (first, last - 1)
    return groups[first][0], groups[last][-1]


def _few(rows: int, rest: int) -> bool:
    return rows <= max(STRAY_ROWS, STRAY_SHARE * rest) and rows * STRAY_REST <= rest
