"""Watched zone presences: time in high-watch waters without a call, and slow hours in the ship-to-ship belts.

Takes presences and the calls that already explain some of them; gives findings. Crossing a belt on passage is
ordinary and says nothing, and so is waiting where a belt is also a port's roads.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from shapely import Point

from detectors.finding import Evidence, Finding
from detectors.measures import evidence_of_measures
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import Call, Nearness, Stay, depth_nmi, merge_calls
from detectors.rules.geofence.wording import place, span
from vessels.zones import Zone, Zones

KIND: Final = "watched_zone_presence"
HIGH_STRENGTH: Final = 0.5
"""Time in the DPRK's waters without a call: odd for a foreign ship, though nothing shows what she did there."""
SLOW_BONUS: Final = 0.15
SLOW_H: Final = 2.0
"""Slow hours in high-watch waters that leave time for a transfer (Global Fishing Watch: encounters of 2 h)."""
OWN_FLAG_FACTOR: Final = 0.75
FISHING_FACTOR: Final = 0.7
"""A fishing boat in the DPRK's waters is another matter than a cargo ship there, and there are many."""
SINGLE_REPORT_FACTOR: Final = 0.6
BELT_STRENGTH: Final = 0.12
"""Drifting for hours in an open belt: a transfer needs it, but so do waiting for orders and a broken engine."""
BELT_TIED_STRENGTH: Final = 0.3
BELT_GROUPS: Final = frozenset({"cargo", "tanker"})
"""Ships that carry what is transferred; fishing boats are slow there by trade."""


def is_clip(stay: Stay, parameters: GeofenceParameters) -> bool:
    """Whether a presence only clips the fence: short, and close to its edge."""
    if stay.n_positions > 1 and stay.duration_h >= parameters.min_presence_h:
        return False
    return depth_nmi(stay.zone, stay.lat, stay.lon) < parameters.min_presence_depth_nmi


def split_high(
    stays: Sequence[Stay], calls: Sequence[Call], parameters: GeofenceParameters, nearness: Nearness
) -> tuple[list[Call], dict[str, tuple[Stay, ...]]]:
    """High-watch presences that no call explains, and by the row id of a call's lead those that belong to it."""
    calls_of: dict[str, list[Call]] = {}
    for call in calls:
        calls_of.setdefault(call.lead.hull, []).append(call)
    alone: list[Call] = []
    beside: dict[str, tuple[Stay, ...]] = {}
    for presence in merge_calls([s for s in stays if not is_clip(s, parameters)], parameters, nearness):
        candidates = calls_of.get(presence.lead.hull, ())
        owner = next((call for call in candidates if _explains(call, presence, parameters, nearness)), None)
        if owner is None:
            alone.append(presence)
            continue
        in_call = {stay.zone.zone_id for stay in owner.stays}
        others = tuple(stay for stay in presence.stays if stay.zone.zone_id not in in_call)
        beside[owner.lead.row_id] = beside.get(owner.lead.row_id, ()) + others
    return alone, beside


def in_belts(
    stays: Sequence[Stay],
    tied_hulls: frozenset[str],
    zones: Zones,
    ships: Ships,
    parameters: GeofenceParameters,
    nearness: Nearness,
) -> list[tuple[Call, bool]]:
    """Slow stays in the elevated belts that are not ordinary, and whether the ship is tied to high-watch waters."""
    waiting = waiting_grounds(zones)
    kept: list[Stay] = []
    for stay in stays:
        slow_h = stay.slow_h or 0.0
        tied = stay.hull in tied_hulls
        if slow_h < (parameters.belt_slow_tied_h if tied else parameters.belt_slow_h):
            continue
        if tied or (not _in_any(stay, waiting) and _carries_cargo(stay, ships)):
            kept.append(stay)
    return [(belt, belt.lead.hull in tied_hulls) for belt in merge_calls(kept, parameters, nearness)]


def waiting_grounds(zones: Zones) -> tuple[Zone, ...]:
    """Elevated belts that meet a port's fence: ships wait there for that port."""
    ports = [zone for zone in zones.zones if zone.kind == "port"]
    belts = [zone for zone in zones.zones if zone.kind == "sts_zone" and zone.watch == "elevated"]
    return tuple(belt for belt in belts if any(belt.geometry.intersects(port.geometry) for port in ports))


def high_presence(presence: Call, ships: Ships, detector: tuple[str, str]) -> Finding:
    """One finding for time in high-watch waters without a call."""
    lead = presence.lead
    own_flag = lead.zone.country is not None and ships.flag_state(lead.mmsi) == lead.zone.country
    slow_h = sum(stay.slow_h or 0.0 for stay in presence.stays)
    reports = sum(stay.n_positions for stay in presence.stays)
    group = ships.type_group(lead.mmsi, lead.segment_id, presence.start)
    strength = HIGH_STRENGTH + (SLOW_BONUS if slow_h >= SLOW_H else 0.0)
    strength *= OWN_FLAG_FACTOR if own_flag else 1.0
    strength *= FISHING_FACTOR if group == "fishing" else 1.0
    strength *= SINGLE_REPORT_FACTOR if reports <= 1 else 1.0
    who = ships.in_words(lead.mmsi, lead.segment_id, presence.start)
    headline = f"{who} was inside {lead.zone.name}, waters under high watch, and no call was seen"
    evidence = (
        *_evidence(presence, slow_h, reports),
        Evidence(
            "flag state of the MMSI", ships.flag_in_words(lead.mmsi), "this flag, in its own waters" if own_flag else ""
        ),
        *evidence_of_measures(presence.start),
    )
    caveats = ["a single report inside the fence"] if reports <= 1 else []
    caveats += ["she says she is a fishing vessel"] if group == "fishing" else []
    return _finding(presence, strength, headline, evidence, tuple(caveats), detector)


def belt_presence(
    presence: Call, tied: bool, ships: Ships, parameters: GeofenceParameters, detector: tuple[str, str]
) -> Finding:
    """One finding for slow hours in a ship-to-ship belt."""
    lead = presence.lead
    slow_h = sum(stay.slow_h or 0.0 for stay in presence.stays)
    who = ships.in_words(lead.mmsi, lead.segment_id, presence.start)
    expected_h = parameters.belt_slow_tied_h if tied else parameters.belt_slow_h
    evidence = (
        *_evidence(presence, slow_h, sum(s.n_positions for s in presence.stays), f"under {expected_h:g} on passage"),
        Evidence("flag state of the MMSI", ships.flag_in_words(lead.mmsi)),
        *((Evidence("tie to high-watch waters", "her flag, or a stay there in the same history"),) if tied else ()),
    )
    caveats = ("waiting for orders or for a berth, and repairs, look the same",)
    headline = f"{who} was slow for {slow_h:.1f} h in {lead.zone.name}, a ship-to-ship area"
    return _finding(presence, BELT_TIED_STRENGTH if tied else BELT_STRENGTH, headline, evidence, caveats, detector)


def _evidence(presence: Call, slow_h: float, reports: int, expected_slow: str = "") -> tuple[Evidence, ...]:
    lead = presence.lead
    where = "not known" if lead.lat is None or lead.lon is None else f"{lead.lat:.4f}, {lead.lon:.4f}"
    return (
        Evidence("zone", place(lead), "no presence without a call" if lead.zone.watch == "high" else ""),
        Evidence("time inside", f"{span(presence)}, {reports} reports"),
        Evidence("mean position inside", where, unit="degree"),
        Evidence("slow time inside", f"{slow_h:.1f}", expected_slow, "h"),
        *(Evidence("also inside", f"{place(stay)} {span(stay)}") for stay in presence.others),
    )


def _finding(
    presence: Call,
    strength: float,
    headline: str,
    evidence: tuple[Evidence, ...],
    caveats: tuple[str, ...],
    detector: tuple[str, str],
) -> Finding:
    lead = presence.lead
    name, version = detector
    return Finding(
        detector=name,
        detector_version=version,
        kind=KIND,
        mmsi=lead.mmsi,
        start=presence.start,
        end=presence.last_seen,
        strength=round(min(strength, 1.0), 4),
        headline=headline,
        evidence=evidence,
        caveats=caveats,
        lat=lead.lat,
        lon=lead.lon,
        segment_id=lead.segment_id,
        hull_id=lead.hull_id,
        subject=presence.stays[0].zone.zone_id,
    )


def _explains(call: Call, presence: Call, parameters: GeofenceParameters, nearness: Nearness) -> bool:
    """Whether a presence is the way to or from a call: at the same place, within the merge gap."""
    gap = timedelta(hours=parameters.merge_gap_h)
    if presence.last_seen < call.start - gap or presence.start > call.last_seen + gap:
        return False
    return any(nearness.one_place(here.zone, there.zone) for here in presence.stays for there in call.stays)


def _carries_cargo(stay: Stay, ships: Ships) -> bool:
    return ships.type_group(stay.mmsi, stay.segment_id, stay.start) in BELT_GROUPS


def _in_any(stay: Stay, zones: Sequence[Zone]) -> bool:
    if any(stay.zone.zone_id == zone.zone_id for zone in zones):
        return True
    if stay.lat is None or stay.lon is None:
        return False
    return any(zone.geometry.intersects(Point(stay.lon, stay.lat)) for zone in zones)
