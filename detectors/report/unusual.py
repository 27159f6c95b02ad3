"""Why a voyage is unusual, as bars: what was observed, what such ships usually do, and how much each aspect counts.

Takes the evidence of an `unusual_voyage` finding; gives records of places on a bar. The evidence is worded in
`detectors.learned.explanation`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KIND: Final = "unusual_voyage"
BAR: Final = 200
"""Length of a bar in its own units."""
_NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
_EXPECTED: Final = re.compile(
    rf"usually {_NUMBER}; 8 in 10 voyages lie between {_NUMBER} and {_NUMBER}; "
    rf"with the (\w+) as usual the score would be {_NUMBER} instead of {_NUMBER}"
)


@dataclass(frozen=True, slots=True)
class Oddity:
    """One measure of the voyage beside what is usual, and places on a bar of length `BAR`.

    `share` is how much of the score its aspect makes, as a length of bar; `counts` the same in words.
    """

    what: str
    observed: str
    usual: str
    aspect: str
    counts: str
    low_x: int
    high_x: int
    usual_x: int
    observed_x: int
    share_x: int
    bar: int = BAR


def is_drawn(expected: str) -> bool:
    """Whether a line of evidence, by what was expected, is one of those that become bars."""
    return _EXPECTED.fullmatch(expected) is not None


def oddities(evidence: Sequence[Mapping[str, Any]]) -> tuple[Oddity, ...]:
    """The measures that an `unusual_voyage` finding names; none where its wording is another version's."""
    read = [(line, found) for line in evidence if (found := _EXPECTED.fullmatch(line["expected"] or "")) is not None]
    drops = [max(float(found[6]) - float(found[5]), 0.0) for _, found in read]
    most = max(drops, default=0.0)
    made = []
    for (line, found), drop in zip(read, drops, strict=True):
        try:
            observed = float(line["observed"])
        except ValueError:  # not a number: the evidence table still has it
            continue
        usual, low, high = (float(found[i]) for i in (1, 2, 3))
        least, greatest = min(0.0, low, usual, observed), max(high, usual, observed)
        scale = BAR / (greatest - least) if greatest > least else 0.0
        unit = f" {line['unit']}" if line["unit"] else ""
        made.append(
            Oddity(
                what=line["what"],
                observed=f"{line['observed']}{unit}",
                usual=f"{found[1]}{unit}; 8 in 10 between {found[2]} and {found[3]}",
                aspect=found[4],
                counts=f"{found[6]} to {found[5]}",
                low_x=round((low - least) * scale),
                high_x=round((high - least) * scale),
                usual_x=round((usual - least) * scale),
                observed_x=round((observed - least) * scale),
                share_x=round(BAR * drop / most) if most > 0.0 else 0,
            )
        )
    return tuple(made)
