"""When two names, or two call signs, are one and the same, written twice.

Takes names as people and radios write them; gives a spelling to compare by, and near-equality with its reason. What
a changed name means is left to the detectors. A changed number is never a slip: MIRAE 3 and MIRAE 5 are two ships.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from vessels.ais import clean_call_sign, clean_text

NAME_FIELD_CHARS: Final = 20
"""Characters in the AIS name field (ITU-R M.1371-5, message 5): longer names arrive cut."""
MIN_BIT_ERROR_CHARS: Final = 5
"""Below this a flipped bit makes another short name as easily as a damaged one (HONG, HENG are four)."""
MAX_BIT_ERRORS: Final = 2
MIN_TYPO_LETTERS: Final = 8
"""One slip in eight letters or more is a slip; in less it is often another ship of a romanised series."""
MIN_CUT_CHARS: Final = 10
"""A cut name must keep this many letters to be taken for the longer one."""

_BATTERY: Final = re.compile(
    r"""[\s_/:;,.-]*(?:                                        # gear buoys write their battery behind the name
        \d{1,3}(?:[.,]\d{1,2})?\s*%                           # 85%
        | (?:\d{1,2}[.,]\d{1,2}|\d{2})\s*V(?:OLTS?)?          # 12.4V, 12V
        | (?<![A-Z])V[\s:=-]*\d{1,2}[.,]\d{1,2}               # V12.4
        | (?<![A-Z])(?:BAT(?:T(?:ERY)?)?|VOLT(?:AGE)?|PWR)[\s:=.-]*\d{1,3}(?:[.,]\d{1,2})?\s*(?:%|V)?
    )\s*$""",
    re.VERBOSE,
)
_GEAR: Final = re.compile(
    r"(?:\b|\d|_)(?:NETS?|NET ?MARKS?|BUOYS?|GEAR|FISHNET|TRAWLNET|LONGLINE|WANGBIAO|YUWANG|FADS?)(?:\b|\d|_)"
)
_ONLY_NUMBERS: Final = re.compile(r"[\d\s_./:%-]+V?")
_PREFIX: Final = re.compile(
    r"^(?:M\s?[./]\s?(?:V|T|S|Y)|F\s?[./]\s?(?:V|B)|S\s?[./]\s?(?:V|Y|S)|T\s?[./]\s?B"
    r"|L\s?[./]?\s?[PN]\s?[./]?\s?G\s?/\s?C|MV|MT|FV|SV|SY|MY|M\s?[./]\s?TUG|MTUG)(?:\s*\.\s*|\s+)(?=.*[A-Z0-9]{2})"
)
_NUMBER_WORD: Final = re.compile(r"(?:\bN[RO]?[.º°]+\s*|\bNO\s*[:.]?\s*|\bNUMBER\s+|\bNUM\.?\s+|#\s*)(?=\d)")
_PUNCTUATION: Final = re.compile(r"[^A-Z0-9]+")
_PARTS: Final = re.compile(r"[A-Z]+|\d+")
_ROMAN: Final[Mapping[str, str]] = MappingProxyType(
    {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9", "XI": "11", "XII": "12"}
)
"""Only as the last word, and only those that cannot be a letter of the alphabet (I, V, X are left alone)."""
_SHORT_FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AND": "",
        "SAINT": "ST",
        "SANTA": "STA",
        "EXPRESS": "EXP",
        "INTERNATIONAL": "INTL",
        "INT": "INTL",
        "PACIFIC": "PAC",
        "ATLANTIC": "ATL",
        "CARRIER": "CARR",
        "CAPTAIN": "CAPT",
        "GENERAL": "GEN",
        "NORTH": "N",
        "SOUTH": "S",
        "EAST": "E",
        "WEST": "W",
    }
)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name reduced to what distinguishes ships: its letters without blanks, and its numbers in order."""

    letters: str
    numbers: tuple[str, ...]


@lru_cache(maxsize=65_536)
def _cleaned(name: str | None) -> str:
    text = clean_text(name) or ""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=65_536)
def spelling(name: str | None) -> Spelling:
    """The name without padding, accents, punctuation, prefix (M/V), "NO." and battery level; roman numerals as digits.

    >>> spelling("M/V MIRAE NO. 03@@@")
    Spelling(letters='MIRAE', numbers=('3',))
    >>> spelling("NET 12-85%") == spelling("NET-12 84 %")
    True
    """
    text = _cleaned(name)
    shorter = _BATTERY.sub("", text)
    text = shorter if shorter else text
    text = _NUMBER_WORD.sub(" ", _PREFIX.sub("", text, count=1))
    words = _PUNCTUATION.sub(" ", text).split()
    if len(words) > 1:
        words[-1] = _ROMAN.get(words[-1], words[-1])
        words = [_SHORT_FORMS.get(word, word) for word in words]
    parts = _PARTS.findall(" ".join(words))
    letters = "".join(part for part in parts if part.isalpha())
    return Spelling(letters, tuple(part.lstrip("0") or "0" for part in parts if part.isdigit()))


def near_equal_names(first: str | None, second: str | None) -> str | None:
    """Why two names are taken for one: `same`, `spelling`, `cut`, `bit error`, `slip`; None if they are two names.

    Two empty names are the same; an empty one and a name are not. Misses: translations, painted-over parts. Known
    mistake: two sister ships whose long names differ by one letter are taken for one.

    >>> near_equal_names("SU RI 7", "SURI NO.7"), near_equal_names("SU RI 7", "SU RI 8")
    ('spelling', None)
    """
    one, two = _cleaned(first), _cleaned(second)
    if one == two:
        return "same"
    if not one or not two:
        return None
    a, b = spelling(one), spelling(two)
    if a == b:
        return "spelling"
    if _is_cut(one, two) or _is_cut(two, one):
        return "cut"
    if _bit_errors(one, two):
        return "bit error"
    if (
        a.numbers == b.numbers
        and min(len(a.letters), len(b.letters)) >= MIN_TYPO_LETTERS
        and DamerauLevenshtein.distance(a.letters, b.letters, score_cutoff=1) <= 1
    ):
        return "slip"
    return None


def _is_cut(short: str, whole: str) -> bool:
    """Whether one name is the other, cut where the AIS field ends (or a blank before)."""
    full = NAME_FIELD_CHARS - 1 <= len(short) <= NAME_FIELD_CHARS
    return full and len(whole) > len(short) >= MIN_CUT_CHARS and whole.startswith(short)


def _six_bit(character: str) -> int:
    """The character's 6-bit code (ITU-R M.1371-5 table 47); -1 if it has none."""
    code = ord(character)
    if 64 <= code < 96:
        return code - 64
    return code if 32 <= code < 64 else -1


def _bit_errors(one: str, two: str) -> bool:
    """Whether two names of one length differ in one or two characters, each by one flipped bit, digits kept."""
    if len(one) != len(two) or len(one) < MIN_BIT_ERROR_CHARS:
        return False
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
    if len(pairs) > MAX_BIT_ERRORS:
        return False
    for a, b in pairs:
        if a.isdigit() and b.isdigit():
            return False
        code, other = _six_bit(a), _six_bit(b)
        if code < 0 or other < 0 or (code ^ other).bit_count() != 1:
            return False
    return True


_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def near_equal_call_signs(first: str | None, second: str | None) -> bool:
    """Whether two call signs are one: blanks, hyphens, padding and O for 0 or I, L for 1 apart.

    Nothing else is a slip: the next sign in a series belongs to another ship.

    >>> near_equal_call_signs("V3-OAB", "V30AB@"), near_equal_call_signs("UBAB7", "UBAB8")
    (True, False)
    """
    one, two = clean_call_sign(first) or "", clean_call_sign(second) or ""
    return one == two or one.translate(_LOOKALIKES) == two.translate(_LOOKALIKES)


def looks_like_gear(name: str | None) -> bool:
    """Whether a name is that of fishing gear: a battery level, a word such as NET or BUOY, or digits alone.

    >>> [looks_like_gear(n) for n in ("NET 12-85%", "0412-7-12.4V", "20183", "MIRAE 3")]
    [True, True, True, False]
    """
    text = _cleaned(name)
    if not text:
        return False
    return bool(_BATTERY.search(text) or _GEAR.search(text) or _ONLY_NUMBERS.fullmatch(text))
