"""Nested values of a run as one line of text each, for files whose cells hold nothing nested.

Takes values as the tables have them; gives text in which nothing commands a terminal (`detectors.shown.safe`).
Escaping for a format is left to who writes it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from detectors.shown import safe, shown
from vessels.ais import mmsi_text

Row = Mapping[str, Any]
SEPARATOR: Final = "; "
MARKUP: Final = str.maketrans("<>", "‹›")
"""Viewers show some texts as HTML: with these, a name from a radio can be no element there."""


def text(value: object) -> str | None:
    """Safe text; None where there is none."""
    return None if value is None or value == "" else safe(value)


def flat(value: object, limit: int) -> str:
    """Text of no more than `limit` characters for places that a viewer may take for HTML.

    >>> flat("<b>ANNA", 20)
    '‹b›ANNA'
    """
    return shown(value, limit).translate(MARKUP)


def listed(values: Iterable[object] | None) -> str | None:
    """Values one after the other; None where there are none.

    >>> listed(["dark_gap", "relay_voyage"])
    'dark_gap; relay_voyage'
    """
    return SEPARATOR.join(safe(value) for value in values or ()) or None


def evidence_text(lines: Iterable[Row] | None) -> str | None:
    """Evidence as text: what, its unit in square brackets, what was observed, and what was expected in round ones.

    >>> evidence_text([{"what": "time", "observed": "7", "expected": "over 30", "unit": "d"}])
    'time [d]: 7 (expected: over 30)'
    """
    return SEPARATOR.join(_line(row) for row in lines or ()) or None


def _line(row: Row) -> str:
    unit = f" [{safe(row['unit'])}]" if row["unit"] else ""
    expected = f" (expected: {safe(row['expected'])})" if row["expected"] else ""
    return f"{safe(row['what'])}{unit}: {safe(row['observed'])}{expected}"


def identities_text(identities: Iterable[Row] | None) -> str | None:
    """Other identities of a hull: who, from when to when, and what ties them to it."""
    return SEPARATOR.join(_identity(row) for row in identities or ()) or None


def _identity(row: Row) -> str:
    said = (("MMSI", mmsi_text(row["mmsi"])), ("IMO", row["imo"]), ("call sign", row["call_sign"]))
    who = ", ".join(f"{what} {safe(value)}" for what, value in said if value)
    probability = row.get("link_probability")
    tie = f"same {row['same']}" + ("" if probability is None else f", probability {probability:.2f}")
    calls = ", ".join(f"{safe(call['zone_name'])} {_day(call['start'])}" for call in row.get("watched_calls") or ())
    called = f", called at {calls}" if calls else ""
    seen = f"{_day(row['first_seen'])} to {_day(row['last_seen'])}"
    return f"{safe(row['name'] or 'no name')} ({who}) {seen}, {tie}{called}"


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}"
