"""The `geofence` detector: its card, its parameters, and the order in which its rules look at a scene."""

from collections.abc import Sequence
from typing import ClassVar

import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.geofence.calls import watched_port_calls
from detectors.rules.geofence.declared import false_destinations
from detectors.rules.geofence.hidden import hidden_calls
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.presences import belt_presence, high_presence, in_belts, is_clip, split_high
from detectors.rules.geofence.reexport import reexport_pairings
from detectors.rules.geofence.relay import of_hulls, relay_voyages
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE, Nearness, merge_calls, presences_in, visits_at


class Geofence(GeofenceParameters):
    """Where a ship called and stayed, or could have unheard, against the fences under watch.

    Claims
        watched_port_call: a call (a stop or a silence inside) at a port under high or elevated watch. Stays in
        neighbouring fences half a day apart are one call. Strong at the DPRK's ports, weak at elevated ones.
        watched_zone_presence: time in high-watch waters without a call, unless it clips the fence; slow hours of a
        cargo ship or tanker in an open ship-to-ship belt, of a ship tied to high-watch waters in any belt.
        relay_voyage: one hull at a DPRK port, then at Nakhodka or Kholmsk, then at a market, within weeks. Judged by
        the measures in force on arrival there; unfinished ones are told weakly while the market may still come.
        false_destination: a destination set for the leg that names another country than the watched port reached.
        hidden_call_feasible: a silence, closed or still open, that leaves time to sail by water to a high-watch port at
        the ship's own speeds, stay, and come back where and when she did. Weighed in decibans, 30 at strength 1: how
        well others were heard and how many of them had the like silence, the detour, the courses, the length of the
        stay, the draughts, the destinations; docs/dark.md has the table.
        reexport_pairing: ship A from the DPRK lands cargo at a berth, ship B loads at that berth within weeks and goes
        to a market. Weighed by their draughts, the port, and how many others loaded or landed there; told on B's
        voyage, and at half the strength on A's. Sharing only the port says nothing.

    Reads
        port visits, zone presences, voyages, identity spells, gaps and sketches; watch levels, kinds and states of the
        zones, and ways by water to them.

    Misses
        Calls without AIS, or under made-up positions; calls at places with no fence; a cargo reloaded at another berth
        than it was landed at; a lie whose text names a place the ports table lacks, was set before the data begin, or
        was put right on arrival.

    Known mistakes
        Ships with lawful business in the DPRK (aid, Russian coal through Rajin) are reported like others. A fence wider
        than its port takes in passers-by who stop. Ships that wait for orders in an open belt look like ships that
        wait for another ship. Real diversions to elevated ports look like false destinations. A set that fails for days
        off the DPRK leaves time for a call that was never made.

    Strengths are graded in the rules, beside the reason: 0.8 for a full call at a high-watch port, 0.12 at an elevated
    one, 0.9 for a relay under the ban and 0.35 before it, 0.85 for a false destination at a high-watch port.
    """

    name: ClassVar[str] = "geofence"
    version: ClassVar[str] = "3"
    kinds: ClassVar[tuple[str, ...]] = (
        "watched_port_call",
        "watched_zone_presence",
        "relay_voyage",
        "false_destination",
        "hidden_call_feasible",
        "reexport_pairing",
    )

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, rule by rule, each in order of hull and time."""
        history, zones = scene.history, scene.zones
        detector = (self.name, self.version)
        nearness = Nearness(self.neighbour_nmi)
        visits = visits_at(history.port_visits, zones, lambda zone: zone.watch != "none" and zone.kind != "gate")
        calls = merge_calls([s for s in visits if s.confidence >= MIN_CALL_CONFIDENCE], self, nearness)
        high_calls = [call for call in calls if call.lead.zone.watch == "high"]
        presences = history.zone_presences
        high = presences_in(presences, zones, lambda zone: zone.watch == "high" and zone.kind != "gate")
        slow = presences.filter(pc.greater_equal(presences["slow_h"], min(self.belt_slow_h, self.belt_slow_tied_h)))
        belts = presences_in(slow, zones, lambda zone: zone.watch == "elevated" and zone.kind == "sts_zone")
        since = of_hulls(history.port_visits, high_calls)["mmsi"].drop_null().unique().to_pylist()
        since += history.voyage_parts["mmsi"].drop_null().to_pylist()
        ships = Ships(history.identities, [*(stay.mmsi for stay in (*visits, *high, *belts)), *since])

        alone, beside = split_high(high, high_calls, self, nearness)
        high_states = {zone.country for zone in zones.zones if zone.watch == "high"} - {None}
        tied = {call.lead.hull for call in high_calls} | {s.hull for s in high if not is_clip(s, self)}
        tied |= {stay.hull for stay in belts if ships.flag_state(stay.mmsi) in high_states}
        return [
            *watched_port_calls(calls, beside, ships, self, detector),
            *(high_presence(presence, ships, detector) for presence in alone),
            *(
                belt_presence(presence, is_tied, ships, self, detector)
                for presence, is_tied in in_belts(belts, frozenset(tied), zones, ships, self, nearness)
            ),
            *relay_voyages(
                high_calls, history.port_visits, history.voyages, zones, ships, self, nearness, scene.as_of, detector
            ),
            *false_destinations(
                history.voyages,
                history.voyage_parts,
                history.port_visits,
                visits,
                zones,
                ships,
                self,
                nearness,
                detector,
            ),
            *hidden_calls(history, zones, self, scene.as_of, detector),
            *reexport_pairings(
                high_calls,
                history.port_visits,
                history.voyages,
                history.identities,
                history.sketches,
                zones,
                self,
                scene.as_of,
                detector,
            ),
        ]
