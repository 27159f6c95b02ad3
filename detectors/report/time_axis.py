"""A time axis in UTC: where an instant stands in a picture, and the ticks under it, whose labels never touch.

Takes a span of time (microseconds since 1970 UTC) and the pixels it is drawn over; gives ticks from minutes to years.
What the ticks look like is left to the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.report.lettering import width_px
from vessels.instants import instant_of, instant_us

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
_SHORT_STEPS_US: Final = (
    *(n * SECOND_US for n in (1, 5, 15, 30)),
    *(n * MINUTE_US for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_US for n in (1, 2, 3, 6, 12)),
    *(n * DAY_US for n in (1, 2)),
)
"""Steps that divide a day, or are a few of them; all begin at midnight UTC."""
_WEEKS: Final = (1, 2)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)
"""Longer steps: weeks begin on Mondays, months on their first day."""
_APART_PX: Final = 12.0
"""Free room between two labels."""
_FIRST_MONDAY_US: Final = 4 * DAY_US
"""1970-01-05, a Monday."""
_LAST_YEAR: Final = 9990


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Times over pixels: `start_us` stands at `left`, `end_us` at `right`. Raises ValueError for no span or no room."""

    start_us: int
    end_us: int
    left: float
    right: float

    def __post_init__(self) -> None:
        if self.end_us <= self.start_us or self.right <= self.left:
            raise ValueError(f"{self}: end_us and right must come after start_us and left")

    @property
    def us_per_px(self) -> float:
        """Microseconds in one pixel."""
        return (self.end_us - self.start_us) / (self.right - self.left)

    def x(self, us: int) -> float:
        """Where an instant stands, also beyond the edges."""
        return self.left + (us - self.start_us) / self.us_per_px

    def xs(self, us: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Where instants stand. Shape (n,)."""
        return self.left + (us - self.start_us).astype(np.float64) / self.us_per_px

    def held(self, us: int) -> float:
        """Where an instant stands, at the edge if it lies beyond."""
        return min(max(self.x(us), self.left), self.right)


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick at `x`; `label` is empty where there is no room, `is_major` where a day, month or year begins.

    The label's middle stands at `label_x`, which differs from `x` next to the edges.
    """

    us: int
    x: float
    label: str
    label_x: float
    is_major: bool


def ticks(scale: TimeScale) -> tuple[Tick, ...]:
    """Ticks of a time axis in order of time. The first date that is labelled has its year.

    >>> day = TimeScale(1_740_787_200_000_000, 1_740_873_600_000_000, 0.0, 400.0)
    >>> [tick.label for tick in ticks(day)]
    ['1 Mar 2025', '', '06:00', '09:00', '12:00', '15:00', '18:00', '', '2 Mar']
    """
    for step in _ladder(scale):
        at = [instant for instant in step if scale.start_us <= instant <= scale.end_us]
        if not at or not _are_crowded(scale, at):
            return _labelled(scale, at)
    return ()


def _ladder(scale: TimeScale) -> Iterator[list[int]]:
    """Instants of ever longer steps within the span, from the first step with few enough of them."""
    most = (scale.right - scale.left) / 30.0
    span = scale.end_us - scale.start_us
    for step in _SHORT_STEPS_US:
        if span / step <= most:
            yield _every(scale, step, 0)
    for weeks in _WEEKS:
        if span / (weeks * 7 * DAY_US) <= most:
            yield _every(scale, weeks * 7 * DAY_US, _FIRST_MONDAY_US)
    for months in _MONTHS:
        if span / (months * 28 * DAY_US) <= most:
            yield _months(scale, months)


def _every(scale: TimeScale, step_us: int, offset_us: int) -> list[int]:
    first = -((offset_us - scale.start_us) // step_us) * step_us + offset_us
    return list(range(first, scale.end_us + 1, step_us))


def _months(scale: TimeScale, months: int) -> list[int]:
    first = instant_of(scale.start_us)
    number = (first.year * 12 + first.month - 1) // months * months
    found = []
    while number // 12 < _LAST_YEAR:
        us = instant_us(datetime(number // 12 or 1, number % 12 + 1, 1, tzinfo=UTC))
        if us > scale.end_us:
            break
        found.append(us)
        number += months
    return found


def _is_major(us: int, at: list[int]) -> bool:
    """Whether something larger than the step begins: a day among hours, a month among days, a year among months."""
    when = instant_of(us)
    if us % DAY_US:
        return False
    if len(at) > 1 and at[1] - at[0] < DAY_US:
        return True
    return when.day == 1 and (len(at) < 2 or at[1] - at[0] < 28 * DAY_US or when.month == 1)


def _label(us: int, before: int | None, is_first: bool) -> str:
    """What a tick says: a date where one begins, with the year where `before`, the last such tick, has another."""
    when = instant_of(us)
    clock = "" if us % DAY_US == 0 else f"{when:%H:%M:%S}" if us % MINUTE_US else f"{when:%H:%M}"
    if clock and not is_first:
        return clock
    is_told = before is not None and instant_of(before).year == when.year
    return f"{when.day} {when:%b}{'' if is_told else f' {when.year:04d}'} {clock}".rstrip()


def _widest(at: list[int]) -> str:
    if len(at) > 1 and at[1] - at[0] < MINUTE_US:
        return "00:00:00"
    return "00:00" if len(at) > 1 and at[1] - at[0] < DAY_US else "30 Sep"


def _are_crowded(scale: TimeScale, at: list[int]) -> bool:
    """Whether plain labels would come too close to one another."""
    if len(at) < 2:
        return False
    apart = min(b - a for a, b in pairwise(at)) / scale.us_per_px
    return apart < width_px(_widest(at)) + _APART_PX


def _labelled(scale: TimeScale, at: list[int]) -> tuple[Tick, ...]:
    """Ticks with the labels that fit: the major ones, then the rest, each clear of those before."""
    at = at or [scale.start_us]
    majors = [_is_major(us, at) for us in at]
    if not any(majors):
        majors[0] = True
    begun = [i for i, is_major in enumerate(majors) if is_major]
    year_of = dict(zip(begun, [None, *(at[i] for i in begun)], strict=False))
    taken: list[tuple[float, float]] = []
    shown: dict[int, tuple[str, float]] = {}
    for i in sorted(range(len(at)), key=lambda i: (not majors[i], i)):
        label = _label(at[i], year_of.get(i, at[i]), majors[i])
        half = width_px(label) / 2.0
        middle = min(max(scale.x(at[i]), scale.left + half), scale.right - half)
        low, high = middle - half - _APART_PX / 2.0, middle + half + _APART_PX / 2.0
        is_inside = middle - half >= scale.left and middle + half <= scale.right
        if is_inside and all(high <= a or low >= b for a, b in taken):
            taken.append((low, high))
            shown[i] = label, middle
    return tuple(Tick(us, scale.x(us), *shown.get(i, ("", scale.x(us))), is_major=majors[i]) for i, us in enumerate(at))


def day_text(us: int) -> str:
    """A day as the axis writes it.

    >>> day_text(1_740_787_200_000_000)
    '1 Mar 2025'
    """
    when = instant_of(us)
    return f"{when.day} {when:%b} {when.year:04d}"


def minute_text(us: int) -> str:
    """An instant to the minute.

    >>> minute_text(1_740_787_200_000_000)
    '1 Mar 2025 00:00'
    """
    return f"{day_text(us)} {instant_of(us):%H:%M}"


def span_text(span_us: int) -> str:
    """How long, in the unit a person would use.

    >>> span_text(90 * MINUTE_US), span_text(30 * HOUR_US), span_text(80 * HOUR_US)
    ('90 min', '30.0 h', '3.3 d')
    """
    if span_us < 2 * HOUR_US:
        return f"{span_us / MINUTE_US:.0f} min"
    return f"{span_us / HOUR_US:.1f} h" if span_us < 2 * DAY_US else f"{span_us / DAY_US:.1f} d"
