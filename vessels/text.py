"""Text from a stranger's file, made fit to show."""

from typing import Final

_SHOWN_CHARS: Final = 48


def shown(value: object) -> str:
    """A value, short and without control characters.

    >>> shown("a\\x00b"), len(shown("x" * 1000))
    ('a?b', 51)
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    printable = "".join(char if char.isprintable() else "?" for char in text[: _SHOWN_CHARS + 1])
    return printable if len(printable) <= _SHOWN_CHARS else printable[:_SHOWN_CHARS] + "..."
