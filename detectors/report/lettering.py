"""How wide text will be in a picture before any font is known, and text cut so that it fits.

Takes text; gives pixels, or text that is no wider than asked for. Widths are those of the widest of the usual
interface fonts, so that what fits here fits everywhere.
"""

import unicodedata
from types import MappingProxyType
from typing import Final

from detectors.shown import safe

TEXT_PX: Final = 11.0
"""The smallest text that is drawn."""
_GROUPS: Final = (
    (0.37, " '.,:;-/\\|Iijl·"),
    (0.42, "!()[]frt"),
    (0.56, '"J*_`?szc–'),
    (0.64, "0123456789LTabdeghknopquvxy${}"),
    (0.67, "EFPSY"),
    (0.79, "ABCDGHKNOQRUVXZ&"),
    (0.87, "#+<=>^~Mw"),
    (1.02, "W@%m…→"),
)
"""Widths in ems: the wider of DejaVu Sans 2.37 and Liberation Sans 2.1 (that of Arial and Helvetica), rounded up."""
_EM: Final = MappingProxyType({letter: em for em, letters in _GROUPS for letter in letters})
_OTHER_EM: Final = 0.88
"""Letters of other alphabets; wider than nearly all Cyrillic and Greek ones."""
_WIDE: Final = frozenset({"W", "F"})
_LONGEST: Final = 400
"""Characters looked at: no picture has room for more."""
_SHORTEST: Final = 3
"""Letters that must remain of a cut text for it to say anything."""


def width_px(text: str, size_px: float = TEXT_PX) -> float:
    """How wide a text is at most, in pixels.

    >>> round(width_px("NAMPO"), 1)
    43.0
    """
    return size_px * sum(map(_em, text))


def _em(letter: str) -> float:
    known = _EM.get(letter)
    if known is not None:
        return known
    if unicodedata.east_asian_width(letter) in _WIDE:
        return 1.05
    return 0.0 if unicodedata.combining(letter) else _OTHER_EM


def fitted(text: str, room_px: float, size_px: float = TEXT_PX) -> str:
    """A text as it is shown, made safe, cut with an ellipsis to fit a room; nothing where too little would remain.

    >>> fitted("CORAL TURNSTONE", 200.0), fitted("CORAL TURNSTONE", 60.0), fitted("CORAL TURNSTONE", 20.0)
    ('CORAL TURNSTONE', 'CORAL…', '')
    """
    whole = safe(text[:_LONGEST])
    used = 0.0
    cut = 0
    for at, letter in enumerate(whole):
        used += _em(letter) * size_px
        if used + size_px * _EM["…"] <= room_px:
            cut = at + 1
        if used > room_px:
            break
    else:
        return whole
    return f"{whole[:cut].rstrip()}…" if cut >= _SHORTEST else ""
