"""Declared destinations that do not fit a stop at sea: the port was never reached, or lies on another way.

Takes destination texts, port visits and the zones; says in what the text does not fit, or nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.destinations import Declared, gazetteer_of, parse_destination
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.parameters import CarrierParameters
from detectors.rules.rendezvous.ships import Fleet, Party, hull_key
from vessels.geodesy import distance_nmi
from vessels.zones import Zone, Zones

DETOUR_SHARE: Final = 1.0 / 3.0
"""A detour shorter than a third of the way is within what weather and traffic schemes make of a voyage."""


@dataclass(frozen=True, slots=True)
class _Call:
    start: datetime
    end: datetime
    zone: Zone


class Bound:
    """Where ships said that they were bound, against where they called before and after."""

    def __init__(
        self, visits: pa.Table, zones: Zones, hulls: Iterable[str], fleet: Fleet, parameters: CarrierParameters
    ) -> None:
        wanted = frozenset(hulls)
        self._fleet, self._parameters = fleet, parameters
        self._zones = {zone.zone_id: zone for zone in zones.zones}
        gazetteer = gazetteer_of(zones)
        self._read = cache(lambda text: parse_destination(text, gazetteer))
        self._calls: dict[str, list[_Call]] = {}
        mask = pc.and_kleene(
            pc.greater_equal(visits["confidence"], MIN_CALL_CONFIDENCE),
            pc.is_in(visits["hull_id"], pa.array(sorted(wanted), type=pa.string())),
        )
        for row in visits.filter(mask).to_pylist():
            zone = self._zones.get(row["zone_id"])
            if zone is not None and row["start"] is not None and row["mmsi"] is not None:
                call = _Call(row["start"], row["end"] or row["last_seen"] or row["start"], zone)
                self._calls.setdefault(hull_key(row["hull_id"], row["segment_id"], row["mmsi"]), []).append(call)
        for calls in self._calls.values():
            calls.sort(key=lambda call: (call.start, call.end, call.zone.zone_id))

    def misfit(self, party: Party, start: datetime, end: datetime, lat: float, lon: float) -> str:
        """How the destination in force does not fit a stop there and then; "" where it does, or says nothing."""
        text = self._fleet.destination(party, start)
        declared = None if text is None else self._read(text)
        if declared is None:
            return ""
        after = [call for call in self._calls.get(party.hull, ()) if call.start >= end]
        soon = [call for call in after if call.start <= end + timedelta(days=self._parameters.onward_days)]
        if any(_fits(declared, call.zone) for call in soon):
            return ""
        if soon:
            return f"{text!r} was declared; she called next at {soon[0].zone.name} on {iso(soon[0].start)}"
        return self._off_the_way(party, declared, f"{text!r}", start, lat, lon)

    def _off_the_way(self, party: Party, declared: Declared, text: str, start: datetime, lat: float, lon: float) -> str:
        port = self._zones.get(declared.place.zone_id or "")
        before = [call for call in self._calls.get(party.hull, ()) if call.end <= start]
        if port is None or not before:
            return ""
        left = before[-1].zone
        straight_nmi = float(distance_nmi(left.lat, left.lon, port.lat, port.lon))
        by_here_nmi = float(distance_nmi(left.lat, left.lon, lat, lon) + distance_nmi(lat, lon, port.lat, port.lon))
        detour_nmi = by_here_nmi - straight_nmi
        if detour_nmi <= max(self._parameters.detour_nmi, DETOUR_SHARE * straight_nmi):
            return ""
        return f"{text} was declared from {left.name}; the place lies {detour_nmi:.0f} nmi off that way"


def _fits(declared: Declared, zone: Zone) -> bool:
    """Whether a call is at the place declared, or at another that the text names."""
    places = (declared.place, *declared.also)
    return any(place.zone_id == zone.zone_id or place.country == zone.country for place in places)
