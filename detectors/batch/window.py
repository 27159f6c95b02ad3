"""The window of a night: from when to when it looks, and at which instants later nights may begin to look.

Takes "now" and the `[detect]` settings; gives a `Window`. The window begins at a midnight that moves in steps of days,
so that most nights begin where the night before began.
"""

from dataclasses import dataclass
from datetime import datetime

from detectors.batch.sections import DetectSettings
from vessels.instants import instant_of, instant_us
from vessels.units import US_PER_DAY


@dataclass(frozen=True, slots=True)
class Window:
    """What a night looks at, in microseconds since 1970 UTC, both ends included.

    `boundaries_us` are the beginnings of later windows that lie in this one.
    """

    first_us: int
    last_us: int
    boundaries_us: tuple[int, ...]

    @property
    def start(self) -> datetime:
        """The first instant of the window."""
        return instant_of(self.first_us)

    @property
    def as_of(self) -> datetime:
        """The last instant of the window: now."""
        return instant_of(self.last_us)


def window_of(as_of_us: int, detect: DetectSettings) -> Window:
    """The window of a night whose "now" is `as_of_us`.

    >>> from detectors.batch.sections import DetectSettings
    >>> day = 86_400_000_000
    >>> window = window_of(20_100 * day + 5, DetectSettings(lookback_days=30, window_step_days=7))
    >>> window.first_us // day, window.last_us // day, [us // day for us in window.boundaries_us]
    (20069, 20100, [20076, 20083, 20090, 20097])
    """
    step = detect.window_step_days
    first_day = (as_of_us // US_PER_DAY - detect.lookback_days) // step * step
    later = range(first_day + step, as_of_us // US_PER_DAY + 1, step)
    return Window(first_day * US_PER_DAY, as_of_us, tuple(day * US_PER_DAY for day in later))


def end_of_day_us(day: int) -> int:
    """The last microsecond of a day, given in days since 1970."""
    return (day + 1) * US_PER_DAY - 1


def day_of(instant: datetime) -> int:
    """The day of an instant (UTC), in days since 1970."""
    return instant_us(instant) // US_PER_DAY
