"""False destinations: a destination set for this leg that names another country than the watched port called at.

Takes voyages that ended at watched ports and the destination texts in force; gives findings. A text that was already
up before the leg, names the port just left, says nothing, or was put right before arrival is no lie.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.destinations import Declared, Place, gazetteer_of, parse_destination
from detectors.finding import Evidence, Finding
from detectors.rules.geofence.calls import seen_factor
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships, Spell
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE, Nearness, Stay, rows_where, visits_at
from detectors.rules.geofence.wording import iso, place, span
from vessels.zones import Zone, Zones

KIND: Final = "false_destination"
LEVEL_STRENGTH: Final[Mapping[str, float]] = {"high": 0.85, "elevated": 0.15}
"""Another country declared and the DPRK called at is hardly a diversion; between ordinary ports it happens daily."""
READ_FACTOR: Final[Mapping[str, float]] = {
    "UN/LOCODE": 1.0,
    "name": 1.0,
    "short code": 0.85,
    "country name": 0.85,
    "country of UN/LOCODE": 0.85,
    "name with a typing error": 0.7,
}
"""By how sure the reading of the text is."""
NEAR_FACTOR: Final = 0.4
MIN_REPORTS: Final = 2
"""A text heard once may be a garbled message."""

Reader = Callable[[str], Declared | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A destination in force: the text as last set, since when, how often heard, and whether its setting was seen."""

    text: str
    declared: Declared
    set_at: datetime
    setting_seen: bool
    n_reports: int


def false_destinations(
    voyages: pa.Table,
    parts: pa.Table,
    visits: pa.Table,
    watched_visits: Sequence[Stay],
    zones: Zones,
    ships: Ships,
    parameters: GeofenceParameters,
    nearness: Nearness,
    detector: tuple[str, str],
) -> list[Finding]:
    """Findings on voyages that reached a watched port while another country was declared.

    On a voyage over a change of number (`parts` are the `voyage_parts`) the texts under all of them count.
    """
    arrivals = {stay.row_id: stay for stay in watched_visits if stay.confidence >= MIN_CALL_CONFIDENCE}
    rows = sorted(rows_where(voyages, "destination_visit_id", arrivals), key=lambda r: r["voyage_id"] or "")
    gazetteer = gazetteer_of(zones)
    read = cache(lambda text: parse_destination(text, gazetteer))
    by_id = {zone.zone_id: zone for zone in zones.zones}
    tracks: dict[str, list[tuple[int, str | None]]] = {}
    for part in rows_where(parts, "voyage_id", {row["voyage_id"] for row in rows} - {None}):
        tracks.setdefault(part["voyage_id"], []).append((part["mmsi"], part["segment_id"]))
    suspects: list[tuple[dict[str, Any], Stay, Standing]] = []
    for row in rows:
        arrival = arrivals[row["destination_visit_id"]]
        if row["start"] is None or row["start"] >= arrival.start:
            continue
        spells = ships.spells_of(tracks.get(row["voyage_id"], [(arrival.mmsi, arrival.segment_id)]))
        standing = standing_at(spells, arrival.start, read)
        if standing is not None and _contradicts(standing.declared, arrival.zone, by_id, parameters, nearness):
            suspects.append((row, arrival, standing))
    origins = _origin_starts(visits, suspects)
    onward = _onward_visits(visits, suspects, zones)
    findings = []
    for row, arrival, standing in suspects:
        origin_start = origins.get(row["origin_visit_id"])
        if not set_for_this_leg(standing, row, origin_start, arrival, by_id, parameters, nearness):
            continue
        near = _is_near(standing.declared.place, arrival.zone, by_id, parameters, nearness)
        later = _reached_later(standing.declared, arrival, onward.get(arrival.hull, ()), parameters)
        if later and (near or arrival.zone.watch != "high"):
            continue
        findings.append(_finding(row, arrival, standing, near, later, by_id, ships, detector))
    return findings


def standing_at(spells: Sequence[Spell], at: datetime, read: Reader) -> Standing | None:
    """The destination in force at a moment; None if none is said, or it names no place.

    Texts that follow each other and name one place are one setting; blank spells in between do not end it.
    """
    said = [spell for spell in spells if spell.first_seen <= at]
    if not said or said[-1].destination is None:
        return None
    current = read(said[-1].destination)
    if current is None:
        return None
    standing = Standing(said[-1].destination, current, said[-1].first_seen, False, said[-1].n_reports)
    earlier_seen = False
    for spell in reversed(said[:-1]):
        if spell.destination is None:
            earlier_seen = True
            continue
        declared = read(spell.destination)
        if spell.destination != standing.text and (declared is None or declared.place != current.place):
            earlier_seen = True
            break
        earlier_seen = False
        n_reports = standing.n_reports + spell.n_reports
        standing = replace(standing, set_at=spell.first_seen, n_reports=n_reports)
    return replace(standing, setting_seen=earlier_seen)


def set_for_this_leg(
    standing: Standing,
    voyage: Mapping[str, Any],
    origin_start: datetime | None,
    arrival: Stay,
    by_id: Mapping[str, Zone],
    parameters: GeofenceParameters,
    nearness: Nearness,
) -> bool:
    """Whether the text was set for this leg and stood for a fair part of it. If that was not seen, it may be stale."""
    departure = voyage["start"]
    earliest = departure - timedelta(hours=parameters.fresh_lead_h) if origin_start is not None else departure
    if origin_start is not None:
        earliest = max(earliest, origin_start)
    if not standing.setting_seen or standing.set_at < earliest or standing.n_reports < MIN_REPORTS:
        return False
    origin = by_id.get(voyage["origin"] or "")
    if origin is not None and _names_port_left(standing.declared.place, origin, by_id, nearness):
        return False
    under_way: timedelta = arrival.start - departure
    stood: timedelta = arrival.start - max(standing.set_at, departure)
    return stood >= min(timedelta(hours=parameters.min_declared_h), under_way / 2)


def _names_port_left(declared: Place, left: Zone, by_id: Mapping[str, Zone], nearness: Nearness) -> bool:
    """Whether the text names the port just left, or no more than its country: then it may lag behind."""
    named = by_id.get(declared.zone_id or "")
    return declared.country == left.country if named is None else nearness.one_place(named, left)


def _contradicts(
    declared: Declared, called: Zone, by_id: Mapping[str, Zone], parameters: GeofenceParameters, nearness: Nearness
) -> bool:
    """Whether the text names another country, and no place that would fit; a text that names the DPRK hides nothing."""
    if declared.place.country == called.country:
        return False
    if any(other.zone_id == called.zone_id or other.country == called.country for other in declared.also):
        return False
    zone = by_id.get(declared.place.zone_id or "")
    if zone is not None and zone.watch == "high":
        return False
    high_states = {z.country for z in by_id.values() if z.watch == "high"}
    if declared.place.zone_id is None and declared.place.country in high_states:
        return False
    near = _is_near(declared.place, called, by_id, parameters, nearness)
    return called.watch == "high" or (called.watch == "elevated" and not near)


def _is_near(
    declared: Place, called: Zone, by_id: Mapping[str, Zone], parameters: GeofenceParameters, nearness: Nearness
) -> bool:
    zone = by_id.get(declared.zone_id or "")
    return zone is not None and nearness.distance_nmi(zone, called) <= parameters.near_nmi


def _origin_starts(visits: pa.Table, suspects: Sequence[tuple[dict[str, Any], Stay, Standing]]) -> dict[str, datetime]:
    wanted = {row["origin_visit_id"] for row, _, _ in suspects} - {None}
    rows = rows_where(visits, "visit_id", wanted)
    return {row["visit_id"]: row["start"] for row in rows if row["start"] is not None}


def _onward_visits(
    visits: pa.Table, suspects: Sequence[tuple[dict[str, Any], Stay, Standing]], zones: Zones
) -> dict[str, list[Stay]]:
    mmsi = pa.array(sorted({arrival.mmsi for _, arrival, _ in suspects}), type=pa.int64())
    states = {standing.declared.place.country for _, _, standing in suspects}
    onward: dict[str, list[Stay]] = {}
    for stay in visits_at(visits.filter(pc.is_in(visits["mmsi"], mmsi)), zones, lambda zone: zone.country in states):
        onward.setdefault(stay.hull, []).append(stay)
    return onward


def _reached_later(declared: Declared, arrival: Stay, visits: Sequence[Stay], parameters: GeofenceParameters) -> bool:
    """Whether the place declared was reached soon after: then this was a call on the way."""
    until = arrival.last_seen + timedelta(days=parameters.onward_days)
    wanted = declared.place
    return any(
        arrival.start < stay.start <= until
        and stay.zone.country == wanted.country
        and wanted.zone_id in (None, stay.zone.zone_id)
        for stay in visits
    )


def _finding(
    voyage: Mapping[str, Any],
    arrival: Stay,
    standing: Standing,
    near: bool,
    later: bool,
    by_id: Mapping[str, Zone],
    ships: Ships,
    detector: tuple[str, str],
) -> Finding:
    declared = standing.declared
    zone = by_id.get(declared.place.zone_id or "")
    named = declared.place.country if zone is None else f"{zone.name} ({zone.zone_id})"
    strength = LEVEL_STRENGTH[arrival.zone.watch] * READ_FACTOR[declared.read_as] * seen_factor(arrival.confidence)
    strength *= NEAR_FACTOR if near else 1.0
    who = ships.in_words(arrival.mmsi, arrival.segment_id, arrival.start)
    name, version = detector
    caveats = []
    if declared.read_as in ("name with a typing error", "short code"):
        caveats.append(f"the text was read as a {declared.read_as}")
    if near:
        caveats.append("the port declared is a near neighbour of the one called at")
    if later:
        caveats.append("the port declared was reached afterwards")
    if arrival.zone.watch == "elevated":
        caveats.append("ships change their orders on the way; a diversion looks the same")
    return Finding(
        detector=name,
        detector_version=version,
        kind=KIND,
        mmsi=arrival.mmsi,
        start=max(standing.set_at, voyage["start"]),
        end=arrival.start,
        strength=round(strength, 4),
        headline=f"{who} declared {named if zone is None else zone.name} and called at {arrival.zone.name}",
        evidence=(
            Evidence(
                "destination declared", f"'{standing.text}', read as {named} by {declared.read_as}", place(arrival)
            ),
            Evidence("time it stood", f"set {iso(standing.set_at)}, {standing.n_reports} reports, in force on arrival"),
            Evidence("voyage", f"left {voyage['origin'] or 'an unseen port'} {iso(voyage['start'])}"),
            Evidence(
                "port called at", f"{place(arrival)}, country {arrival.zone.country or 'none'}, {span(arrival)}", named
            ),
            Evidence("watch level of the port", arrival.zone.watch),
        ),
        caveats=tuple(caveats),
        lat=arrival.lat,
        lon=arrival.lon,
        segment_id=arrival.segment_id,
        voyage_id=voyage["voyage_id"],
        hull_id=arrival.hull_id,
        subject=arrival.zone.zone_id,
    )
