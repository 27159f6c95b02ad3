"""The United Nations' measures against the DPRK at sea, each with the day it took effect and what it covers.

Takes a day or an instant; gives the measures in force then. Only the three that a ship's track can bear on are listed;
exemptions and caps that no track can show are told in `exempt`. What a breach would be is left to lawyers.
Sources: UN Security Council resolutions 2371, 2375 and 2397 (2017); the 1718 Committee's own summaries of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from detectors.finding import Evidence


@dataclass(frozen=True, slots=True)
class Measure:
    """One resolution: the day it was adopted and took effect, what it covers, and what it leaves out."""

    resolution: str
    since: date
    covers: str
    exempt: str

    @property
    def in_words(self) -> str:
        """The measure as one line of evidence.

        >>> COAL_BAN.in_words
        'UNSCR 2371 since 2017-08-05 (coal, iron, lead, seafood)'
        """
        return f"{self.resolution} since {self.since.isoformat()} ({self.covers})"


COAL_BAN: Final = Measure(
    "UNSCR 2371",
    date(2017, 8, 5),
    "coal, iron, lead, seafood",
    "coal of other origin that only passes through Rajin, if notified",
)
"""Paragraphs 8 to 10: a full ban on coal, iron and iron ore (8), seafood (9), lead and lead ore (10) from the DPRK."""
TRANSFER_BAN: Final = Measure(
    "UNSCR 2375",
    date(2017, 9, 11),
    "ship-to-ship transfers with DPRK-flagged ships, textiles, petroleum above a cap",
    "petroleum within the yearly cap, if reported",
)
"""Paragraph 11: no transfer of goods to or from DPRK-flagged ships at sea; 14: the first cap on refined petroleum."""
SECTOR_BAN: Final = Measure(
    "UNSCR 2397",
    date(2017, 12, 22),
    "food, machinery, earth and stone, wood and ships from the DPRK; petroleum above 500,000 barrels a year",
    "petroleum within the yearly cap, if reported",
)
"""Paragraphs 5 to 7: the lower cap on refined petroleum from 2018 and further export bans; 9: ships to be seized."""

MEASURES: Final = (COAL_BAN, TRANSFER_BAN, SECTOR_BAN)
"""All measures, oldest first."""


def day_of(when: date | datetime) -> date:
    """The UTC day of an instant; a day stays itself.

    >>> day_of(datetime(2017, 8, 4, 23, 59, tzinfo=UTC)).isoformat()
    '2017-08-04'
    """
    return when.astimezone(UTC).date() if isinstance(when, datetime) else when


def in_force(when: date | datetime, measures: Sequence[Measure] = MEASURES) -> tuple[Measure, ...]:
    """The measures in force on a day, oldest first; a measure is in force on the day of its adoption.

    >>> [m.resolution for m in in_force(date(2017, 8, 4))], [m.resolution for m in in_force(date(2017, 9, 11))]
    ([], ['UNSCR 2371', 'UNSCR 2375'])
    """
    day = day_of(when)
    return tuple(measure for measure in measures if measure.since <= day)


def evidence_of_measures(when: date | datetime) -> tuple[Evidence, ...]:
    """One line of evidence for each measure in force then, or one line that says there was none.

    >>> evidence_of_measures(date(2017, 8, 1))[0].observed
    'none of UNSCR 2371, UNSCR 2375, UNSCR 2397 on 2017-08-01'
    """
    what = "UN measure in force"
    current = in_force(when)
    if not current:
        names = ", ".join(measure.resolution for measure in MEASURES)
        return (Evidence(what, f"none of {names} on {day_of(when).isoformat()}"),)
    return tuple(Evidence(what, measure.in_words) for measure in current)
