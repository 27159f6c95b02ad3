"""Which contents no longer count, because the same name brought a better one.

Takes what every name held, one after the other, and on which days each content's rows lie; gives the contents that
are superseded. A day file that was half written, then whole, is one day; a `latest.csv` that is written anew every
night is many. A content is superseded by a later one of the same name that covers it and counts itself, unless some
name holds it still: so the files that lie in the folders count in any case, whatever the order they came in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vessels.quality import plausible_span
from vessels.units import US_PER_DAY, US_PER_MIN

EDGE_US: Final = 6 * US_PER_MIN
"""How far the ends of a day may move when it is published anew: ships report every 3 minutes at anchor and their
static data every 6 (ITU-R M.1371-5, annex 1, table 1), so a corrected file begins that much later at most. A file
that always holds the last hours moves farther from look to look, and what fell out of it must not be lost."""
SHRUNK_SHARE: Final = 0.5
"""A day that has lost more of its rows was cut short, not corrected: most of the day is not wrong. Both then count,
which costs nothing, since rows that two files hold are one."""


@dataclass(frozen=True, slots=True)
class Extent:
    """From when to when a content's rows lie, strays left out, and how many lie on each of those days."""

    first_us: int
    last_us: int
    days: Mapping[int, int]


def extent_of(n_rows: Mapping[int, int], newest_us: Mapping[int, int], first_us: int | None) -> Extent | None:
    """The extent of a content's rows, given how many lie on each day and the newest of each; None without rows."""
    if not n_rows:
        return None
    first_day, last_day = plausible_span(n_rows)
    start_us = first_day * US_PER_DAY
    if first_us is not None and first_us // US_PER_DAY == first_day:
        start_us = first_us
    inside = {day: n for day, n in n_rows.items() if first_day <= day <= last_day}
    return Extent(start_us, newest_us[last_day], inside)


def covers(new: Extent | None, old: Extent | None) -> bool:
    """Whether a content tells of all the time that an older one tells of, and of no day much less.

    Anything covers a content without rows.
    """
    if old is None:
        return True
    if new is None or new.first_us > old.first_us + EDGE_US or new.last_us < old.last_us - EDGE_US:
        return False
    first_day, last_day = (old.first_us + EDGE_US) // US_PER_DAY, (old.last_us - EDGE_US) // US_PER_DAY
    needed = {day: n for day, n in old.days.items() if first_day <= day <= last_day} or old.days
    return all(new.days.get(day, 0) >= SHRUNK_SHARE * n for day, n in needed.items())


def superseded(
    histories: Sequence[Sequence[tuple[int, int]]], held: Collection[int], extent: Callable[[int], Extent | None]
) -> frozenset[int]:
    """The contents that do not count any more.

    `histories` has for each name the contents it held as (number of the look, content), in order of the looks;
    `held` are the contents that a name holds now; `extent` tells where a content's rows lie. Of two contents the one
    that was last seen later, under any name, is the newer: so no two contents can do away with one another.
    """
    last_seen: dict[int, int] = {}
    names = [_Name({}) for _ in histories]
    names_of: dict[int, list[_Name]] = defaultdict(list)
    for name, history in zip(names, histories, strict=True):
        for look, content in history:
            name.last_seen[content] = look
            last_seen[content] = max(look, last_seen.get(content, look))
        for content in name.last_seen:
            names_of[content].append(name)
    out: set[int] = set()
    for content in sorted(last_seen, key=lambda c: (-last_seen[c], c)):
        own = extent(content)
        if content not in held and any(
            last_seen[other] > last_seen[content] and covers(extent(other), own)
            for name in names_of[content]
            for other in name.might_replace(content, own)
        ):
            out.add(content)
            continue
        for name in names_of[content]:
            name.counts(content, own)
    return frozenset(out)


@dataclass(slots=True)
class _Name:
    """What one name held: when each content was last seen there, and those that count, newest first."""

    last_seen: dict[int, int]
    counting: list[int] = field(default_factory=list)
    first_us: int | None = None
    last_us: int | None = None

    def counts(self, content: int, extent: Extent | None) -> None:
        """Write down that a content counts."""
        self.counting.append(content)
        if extent is not None:
            self.first_us = extent.first_us if self.first_us is None else min(self.first_us, extent.first_us)
            self.last_us = extent.last_us if self.last_us is None else max(self.last_us, extent.last_us)

    def might_replace(self, content: int, extent: Extent | None) -> Iterator[int]:
        """Contents that count and came later under this name, the nearest first.

        None at all when they do not reach so far together: that spares a name that is written anew every night from
        having each of its contents held against all others.
        """
        if extent is not None and (
            self.first_us is None
            or self.last_us is None
            or self.first_us > extent.first_us + EDGE_US
            or self.last_us < extent.last_us - EDGE_US
        ):
            return
        for other in reversed(self.counting):
            if self.last_seen[other] > self.last_seen[content]:
                yield other
