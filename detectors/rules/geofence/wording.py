"""Wording: how times, places and draughts stand in evidence, so that each can be found again in the rows."""

from datetime import UTC, datetime

from detectors.finding import Evidence
from detectors.rules.geofence.stays import Call, Stay


def iso(when: datetime) -> str:
    """ISO 8601 to the second, UTC.

    >>> iso(datetime(2017, 8, 5, 12, 0, tzinfo=UTC))
    '2017-08-05T12:00:00Z'
    """
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(stay: Stay | Call) -> str:
    """`from 2017-08-01T00:00:00Z to 2017-08-03T00:00:00Z`, or that it goes on."""
    if stay.end is None:
        return f"from {iso(stay.start)}, still there at {iso(stay.last_seen)}"
    return f"from {iso(stay.start)} to {iso(stay.end)}"


def place(stay: Stay) -> str:
    """`Nampo (KP_NAMPO)`."""
    return f"{stay.zone.name} ({stay.zone.zone_id})"


def draught_evidence(stay: Stay) -> tuple[Evidence, ...]:
    """The draughts claimed before and after, where the rows have them."""
    if stay.draught_in_m is None and stay.draught_out_m is None:
        return ()
    before = "none" if stay.draught_in_m is None else f"{stay.draught_in_m:.1f}"
    after = "none" if stay.draught_out_m is None else f"{stay.draught_out_m:.1f}"
    return (Evidence(f"draught claimed at {stay.zone.name}", f"{before} in, {after} out", unit="m"),)


def draught_gain_m(stay: Stay) -> float | None:
    """Draught claimed after less before: above 0 she seems to have loaded; None if either is not known."""
    if stay.draught_in_m is None or stay.draught_out_m is None:
        return None
    return stay.draught_out_m - stay.draught_in_m
