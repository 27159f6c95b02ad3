"""Which days an input covers, and which of them are strays.

Takes chunks as they are read; gives the span of time that counts. What makes a stretch of days a stray is written in
`vessels.quality`.
"""

from collections import Counter
from typing import Final

import numpy as np

from vessels.chunks import Chunk
from vessels.quality import plausible_span
from vessels.units import US_PER_DAY

_RARE_ROWS: Final = 100
"""On days with so few rows in a chunk, rows are told apart, so that repeats of a stray row do not count."""


class Days:
    """How many rows lie on each day, and the newest time of each day."""

    def __init__(self) -> None:
        self._many: Counter[int] = Counter()
        self._rare: dict[int, set[tuple[int, int]]] = {}
        self.newest_us: dict[int, int] = {}

    @classmethod
    def of(cls, chunk: Chunk) -> "Days":
        """The days of one chunk."""
        days = cls()
        if not len(chunk):
            return days
        first, last = int(chunk.time_us.min()) // US_PER_DAY, int(chunk.time_us.max()) // US_PER_DAY
        if first == last and len(chunk) > _RARE_ROWS:
            days._many[first], days.newest_us[first] = len(chunk), int(chunk.time_us.max())
            return days
        order = np.argsort(chunk.time_us, kind="stable")
        time = chunk.time_us[order]
        numbers = np.unique(time // US_PER_DAY)
        ends = np.searchsorted(time, (numbers + 1) * US_PER_DAY).tolist()
        for day, begin, end in zip(numbers.tolist(), [0, *ends[:-1]], ends, strict=True):
            days.newest_us[day] = int(time[end - 1])
            if end - begin > _RARE_ROWS:
                days._many[day] = end - begin
            else:
                mmsi = chunk.mmsi[order[begin:end]].tolist()
                days._rare[day] = set(zip(mmsi, time[begin:end].tolist(), strict=True))
        return days

    def add(self, other: "Days") -> None:
        """Count another chunk's or file's days in."""
        self._many.update(other._many)
        for day, rows in other._rare.items():
            known = self._rare.setdefault(day, set())
            known |= rows
            if len(known) > _RARE_ROWS:
                self._many[day] += len(self._rare.pop(day))
        for day, us in other.newest_us.items():
            self.newest_us[day] = max(us, self.newest_us.get(day, us))

    def counts(self) -> dict[int, int]:
        """Rows by day."""
        return {day: self._many[day] + len(self._rare.get(day, ())) for day in self.newest_us}

    def span_us(self) -> tuple[int, int]:
        """First and last time that count: stray days, such as one row in 2099, must not become now."""
        if not self.newest_us:
            return (0, 0)
        first_day, last_day = plausible_span(self.counts())
        return first_day * US_PER_DAY, self.newest_us[last_day]
