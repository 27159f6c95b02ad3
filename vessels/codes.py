"""Words that providers write for the standard's codes: navigational status, ship type, message type, class of set.

Takes text; gives the code, or None where the words are not known. Columns are left to `vessels.tabular`.
Sources: ITU-R M.1371-5, tables 45 and 53; word lists of the Danish Maritime Authority's and Global Fishing Watch's
files, see docs/dialects.md.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vessels.dialects import squeezed

_STATUS_STARTS: Final = (
    ("underwayusingengine", 0),
    ("underwayusingitsengine", 0),
    ("underwaybyengine", 0),
    ("undervejsformotor", 0),
    ("atanchor", 1),
    ("foranker", 1),
    ("anchored", 1),
    ("notundercommand", 2),
    ("restrictedman", 3),
    ("restrictedabilitytoman", 3),
    ("constrainedbyherdr", 4),
    ("constrainedbydr", 4),
    ("moored", 5),
    ("fortøjet", 5),
    ("fortjet", 5),
    ("aground", 6),
    ("engagedinfishing", 7),
    ("fishing", 7),
    ("underwaysailing", 8),
    ("undersail", 8),
    ("reservedforfutureamendmenthsc", 9),
    ("reservedforfutureamendmentwig", 10),
    ("powerdrivenvesseltowing", 11),
    ("powerdrivenvesselpushing", 12),
    ("aissart", 14),
    ("undefined", 15),
    ("notdefined", 15),
    ("unknown", 15),
    ("default", 15),
)
"""How the words of a status begin, squeezed; more exact beginnings first."""


def status_of_words(text: str) -> int | None:
    """The navigational status code that words stand for.

    >>> status_of_words("Restricted maneuverability"), status_of_words("Unknown value"), status_of_words("???")
    (3, 15, None)
    """
    words = squeezed(text)
    return next((code for start, code in _STATUS_STARTS if words.startswith(start)), None)


_TYPE_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("undefined", "unknown", "notavailable", "default", "ukendt"), 0),
        **dict.fromkeys(("wig", "winginground"), 20),
        **dict.fromkeys(("fishing", "fishingvessel", "fiskeri", "fisk"), 30),
        **dict.fromkeys(("towing",), 31),
        **dict.fromkeys(("towinglongwide", "towinglarge"), 32),
        **dict.fromkeys(("dredging", "dredgingorunderwaterops", "dredger"), 33),
        **dict.fromkeys(("diving", "divingops"), 34),
        **dict.fromkeys(("military", "militaryops", "naval"), 35),
        **dict.fromkeys(("sailing", "sailingvessel", "sejlskib"), 36),
        **dict.fromkeys(("pleasure", "pleasurecraft", "yacht", "lystfartøj", "lystfartj"), 37),
        **dict.fromkeys(("reserved",), 38),
        **dict.fromkeys(("hsc", "highspeedcraft"), 40),
        **dict.fromkeys(("pilot", "pilotvessel", "lods"), 50),
        **dict.fromkeys(("sar", "searchandrescue", "searchandrescuevessel"), 51),
        **dict.fromkeys(("tug", "slæbebåd", "slbebd", "bugserbåd"), 52),
        **dict.fromkeys(("porttender",), 53),
        **dict.fromkeys(("antipollution", "antipollutionequipment"), 54),
        **dict.fromkeys(("lawenforcement", "lawenforcementvessel"), 55),
        **dict.fromkeys(("sparelocalvessel", "spare1", "spare2"), 56),
        **dict.fromkeys(("medical", "medicaltransport"), 58),
        **dict.fromkeys(("notpartytoconflict", "noncombatantship", "specialcraft"), 59),
        **dict.fromkeys(("passenger", "passengership", "passagerskib", "ferry", "cruise"), 60),
        **dict.fromkeys(("cargo", "cargoship", "cargovessel", "fragtskib", "bulkcarrier", "containership"), 70),
        **dict.fromkeys(("tanker", "tankskib", "oiltanker", "chemicaltanker"), 80),
        **dict.fromkeys(("other", "othertype", "andet"), 90),
    }
)
_TYPE_STARTS: Final = (("passenger", 60), ("cargo", 70), ("tanker", 80), ("fishing", 30), ("pleasure", 37), ("tug", 52))
"""Words with a hazard category or the like behind them: "Cargo, hazardous category A", "Tanker - all ships"."""


def ship_type_of_words(text: str) -> int | None:
    """The ship-type code that words stand for; the first of its decade where they do not say more.

    >>> ship_type_of_words("Cargo"), ship_type_of_words("Dredging or underwater ops"), ship_type_of_words("x")
    (70, 33, None)
    """
    words = squeezed(text)
    if words in _TYPE_WORDS:
        return _TYPE_WORDS[words]
    return next((code for start, code in _TYPE_STARTS if words.startswith(start)), None)


def message_type_of(text: str) -> int | None:
    """The AIS message type in a field.

    >>> message_type_of("AIS.18"), message_type_of("5.0"), message_type_of("VDM")
    (18, 5, None)
    """
    match = re.fullmatch(r"\s*(?:AIS\.)?(\d{1,2})(?:\.0*)?\s*", text, re.IGNORECASE)
    return int(match.group(1)) if match else None


_CLASS: Final = re.compile(r"(?:class)?\s*([ab])(?:\s*(?:cs|so))?", re.IGNORECASE)


def transceiver_of(text: str) -> str | None:
    """The class of an AIS set, A or B.

    >>> transceiver_of("Class A"), transceiver_of("b"), transceiver_of("Base Station")
    ('A', 'B', None)
    """
    match = _CLASS.fullmatch(text.strip())
    return match.group(1).upper() if match else None
