"""What findings, scores and bands mean, and what wakewatch cannot see: the words of legends, exports and pages.

Takes nothing; gives plain sentences for people who are no programmers. How they are laid out is left to others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from detectors.report.meaning import Meaning
from detectors.report.meanings_identity import IDENTITY
from detectors.report.meanings_sea import SEA
from detectors.triage import BANDS as LOWEST
from detectors.triage import Band

MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({meaning.kind: meaning for meaning in (*SEA, *IDENTITY)})
"""What each kind of finding of wakewatch's own detectors means, by kind."""


@dataclass(frozen=True, slots=True)
class BandMeaning:
    """A band, the lowest score it has, and what to make of it."""

    band: Band
    lowest_score: float
    says: str


_BAND_SAYS: Final[Mapping[Band, str]] = MappingProxyType(
    {
        "critical": "Strong findings of more than one sort, or one of the strongest. Look at these first.",
        "high": "Findings that together have few ordinary explanations, or one strong one. Look at these next.",
        "medium": "One finding worth a look, such as a call in the DPRK in plain sight, or several weak ones. Many "
        "have an ordinary explanation.",
        "low": "Just over the line. Most have an ordinary explanation; keep it in mind if the ship comes up again.",
    }
)
BANDS: Final[tuple[BandMeaning, ...]] = tuple(BandMeaning(band, lowest, _BAND_SAYS[band]) for band, lowest in LOWEST)
"""The bands from the highest down."""

SCORE: Final[tuple[str, ...]] = (
    (
        "The score runs from 0 to 1 and ranks voyages by how much speaks for a second look. It is not the probability "
        "that anyone did wrong."
    ),
    (
        "It begins at one voyage in a thousand. Each finding adds its weight in decibans (dB): 3 dB double the odds, "
        "10 dB make them ten times, 20 dB a hundred times as high. Findings that tend to come from one cause share a "
        "limit."
    ),
    (
        "The weights are judgements from documented cases, tried out on invented traffic. They have not been refitted "
        "on judged cases, so compare scores with each other and do not read them as rates."
    ),
)
"""What the score means."""

CANNOT_SEE: Final[tuple[str, ...]] = (
    "Ships that send nothing. A ship without an AIS set, or with one that was never on, leaves no row at all.",
    (
        "Places where nobody listens. Shore stations hear some tens of miles; beyond, satellites hear a ship now and "
        "then. Off coasts without stations a silence says little, and wakewatch says so."
    ),
    (
        "Small craft and class B sets as well as others. They send less often and with less power, and feeds thin "
        "them; fishing boats and small coasters need not carry a set everywhere."
    ),
    (
        "Where a ship truly was. A position is what her set sent: sets fail, satellite positioning is jammed, and "
        "positions can be made up."
    ),
    (
        "Who a ship truly is. Name, numbers, type and size are typed in by somebody; that two of them were one hull is "
        "a probability."
    ),
    "Cargo. There is only the draught, typed by hand, often late or never.",
    "Owners, managers, charterers, insurers and crews, what they knew and what they meant.",
    "Permits and exemptions. Whether a call or a transfer was allowed stands in papers and not in radio reports.",
    "What happened before the data begin, after they end, and in rows that were left out or set aside.",
)
"""What no finding can tell, in the order in which a reader should remember it. Missing data are never evidence."""


def meaning_of(kind: str) -> Meaning:
    """What a kind of finding means; for a kind of another tool's detector, that its own documents say so."""
    if kind in MEANINGS:
        return MEANINGS[kind]
    words = kind.replace("_", " ").strip() or "finding"
    return Meaning(
        kind=kind,
        title=words[0].upper() + words[1:],
        says="Another tool's detector made this finding; its evidence says what was observed and expected.",
        does_not_say="What wakewatch's own rules would say of it.",
        innocent="Ask the detector's author for the usual ordinary explanations.",
        check="The documents of the detector that is named beside the finding.",
    )
