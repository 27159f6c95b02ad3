"""Shared words and sums of the identity rules: times, places and ships in text, and strengths put together."""

import math

from vessels.ais import clean_text, mmsi_text
from vessels.instants import instant_of


def iso(time_us: int) -> str:
    """The time in ISO 8601, to the second.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return instant_of(time_us).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(first_us: int, last_us: int) -> str:
    """From when to when."""
    return f"{iso(first_us)} to {iso(last_us)}"


def position(lat: float, lon: float) -> str:
    """Latitude and longitude as a mariner writes them; `nowhere heard` if unknown.

    >>> position(38.7, -125.4)
    '38.7000 N 125.4000 W'
    """
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "position not heard"
    return f"{abs(lat):.4f} {'N' if lat >= 0 else 'S'} {abs(lon):.4f} {'E' if lon >= 0 else 'W'}"


def ship(name: str | None, mmsi: int) -> str:
    """A ship as headlines call it.

    >>> ship("MIRAE 3", 273000001), ship(None, 273000001)
    ('MIRAE 3 (MMSI 273000001)', 'the ship with MMSI 273000001')
    """
    text = clean_text(name)
    return f"{text} (MMSI {mmsi_text(mmsi)})" if text else f"the ship with MMSI {mmsi_text(mmsi)}"


def sentence(text: str) -> str:
    """The text with its first letter a capital."""
    return text[:1].upper() + text[1:]


def known(value: float) -> float | None:
    """A coordinate for a finding: None where it is not a number."""
    return float(value) if math.isfinite(value) else None


def combined(*parts: float) -> float:
    """Independent grounds put together: one less the product of what each leaves unexplained. 0 to 1.

    >>> round(combined(0.5, 0.5), 2), combined(0.3)
    (0.75, 0.3)
    """
    left = 1.0
    for part in parts:
        left *= 1.0 - part
    return round(min(max(1.0 - left, 0.0), 0.99), 4) if len(parts) > 1 else parts[0]
