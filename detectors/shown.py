"""Text as it may be shown: what strangers' radios sent, made one line that commands nothing and turns nothing about.

Takes any text; gives text. Escaping for the format it is shown in (HTML, Markdown, XML) is left to who writes that.
"""

import unicodedata
from typing import Final

LONGEST: Final = 200
"""Characters shown of one text. AIS names have 20; only a file made by hand, or broken, has more."""
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that draw nothing of their own but may command a terminal or turn text about."""


def safe(value: object) -> str:
    """Text as it may be shown: one line, nothing that a terminal obeys or that turns the writing about.

    >>> safe("RED\\x1b[31m STAR\\u202e")
    'RED[31m STAR'
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(" " if c in "\t\n\r" else "" if unicodedata.category(c) in _UNSAFE else c for c in text)
    return " ".join(shown.split())


def shown(value: object, limit: int = LONGEST) -> str:
    """`safe` text of no more than `limit` characters; what is cut ends in an ellipsis.

    >>> shown("CORAL TURNSTONE", 6)
    'CORAL…'
    """
    text = safe(value)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
