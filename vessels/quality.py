"""What makes a row of AIS no report of a ship, and which days of an input count.

Takes arrays of one chunk; gives the reason each row is set aside for (or none), and the records that count what was
dropped or nulled. Single values are left to `vessels.values`, columns to `vessels.fields`. Codes: `vessels.ais`.
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
STATION_MESSAGES: Final = (4, 9, 11, 21)
"""Base station report, aircraft position, UTC response, aid to navigation: no vessels (ITU-R M.1371-5, table 46)."""
CLASS_A_MESSAGES: Final = (1, 2, 3, 5)
CLASS_B_MESSAGES: Final = (18, 19, 24)

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
    odd = np.flatnonzero(~((np.abs(lat) <= LAT_LIMIT_DEG) & (np.abs(lon) <= LON_LIMIT_DEG)))  # NaN is odd too
    without: Mask | None = None
    if len(odd):
        odd_lat, odd_lon = lat[odd], lon[odd]
        code = (odd_lat == ais.LAT_NOT_AVAILABLE) | (odd_lon == ais.LON_NOT_AVAILABLE)
        nulled.add("position", "not_available", int(np.count_nonzero(code)))
        no_position = code | np.isnan(odd_lat) | np.isnan(odd_lon)
        beyond = np.zeros(len(lat), np.bool_)
        beyond[odd[~no_position]] = True
        verdicts.reject(beyond, "position_impossible")
        if no_position.any():
            without = np.zeros(len(lat), np.bool_)
            without[odd[no_position]] = True
            lat, lon = lat.copy(), lon.copy()
            lat[odd[no_position]] = lon[odd[no_position]] = np.nan
    zero = lat == 0.0
    if zero.any():
        verdicts.reject(zero & (lon == 0.0), "null_island")
    return lat, lon, without


STRAY_GAP_DAYS: Final = 365
"""Farther than a year from all other reports: clocks that are wrong are so by whole years (GPS counts weeks modulo
1024, which is 19.6 years; sets without a fix start from a year burnt in), while real inputs seldom have such a hole."""
STRAY_ROWS: Final = 3
"""So few rows are a wrong clock and not a day of traffic, however short the rest is."""
STRAY_SHARE: Final = 0.01
"""More rows than this share of the rest are taken for traffic: a wrong clock belongs to one station or ship."""
STRAY_REST: Final = 10
"""The rest must hold this many times the rows of a stray, or nobody can say which of the two is astray."""
NEAR_GAP_DAYS: Final = 30
"""In a large input, a month without a report of any ship is already too long for the rows behind it to be traffic."""
NEAR_REST_ROWS: Final = 100_000
"""An input this large holds hundreds of rows on any day that its receivers were on."""


def plausible_span(days: Mapping[int, int]) -> tuple[int, int]:
    """First and last day that count, given the rows on each day (days since 1970, at least one).

    One row in 2099, from a set whose clock is wrong, must not become "now" and push every real report out of the
    look-back window. Starting from the densest stretch of days, others are taken in from both sides, the nearest
    first. A stretch is a stray when the silence before it is longer than what has been taken in lasts and longer
    than a year (a month in a large input), and it holds next to no rows beside it. A thin archive is never cut: its
    silences are short beside its length.

    >>> plausible_span({20000: 500, 20001: 700, 47000: 1})
    (20000, 20001)
    >>> plausible_span({20000: 500, 20040: 700})
    (20000, 20040)
    """
    stretches = _stretches(days)
    first, last, rows = max(stretches, key=lambda stretch: (stretch[2], -stretch[0]))
    outside = [stretch for stretch in stretches if not first <= stretch[0] <= last]
    while outside:
        outside.sort(key=lambda stretch: max(first - stretch[1], stretch[0] - last))
        taken = next((stretch for stretch in outside if not _is_stray(stretch, first, last, rows)), None)
        if taken is None:
            break
        first, last = min(first, taken[0]), max(last, taken[1])
        rows = sum(n for start, _, n in stretches if first <= start <= last)
        outside = [stretch for stretch in outside if not first <= stretch[0] <= last]
    return first, last


def _stretches(days: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """Days without a month's silence between them, as (first day, last day, rows)."""
    stretches: list[tuple[int, int, int]] = []
    for day in sorted(days):
        if stretches and day - stretches[-1][1] <= NEAR_GAP_DAYS:
            first, _, rows = stretches[-1]
            stretches[-1] = (first, day, rows + days[day])
        else:
            stretches.append((day, day, days[day]))
    return stretches


def _is_stray(stretch: tuple[int, int, int], first: int, last: int, rest: int) -> bool:
    start, end, rows = stretch
    gap_days = max(first - end, start - last)
    if gap_days <= last - first:
        return False
    if gap_days > STRAY_GAP_DAYS:
        return rows <= max(STRAY_ROWS, STRAY_SHARE * rest) and rows * STRAY_REST <= rest
    return rows <= STRAY_ROWS and rest >= NEAR_REST_ROWS
