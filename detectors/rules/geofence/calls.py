"""Watched port calls: each call at a watched port as one finding.

Takes calls (stays already merged where fences are neighbours) and what was seen around them; gives findings.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.finding import Evidence, Finding
from detectors.measures import evidence_of_measures
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import Call, Stay
from detectors.rules.geofence.wording import draught_evidence, draught_gain_m, place, span

KIND: Final = "watched_port_call"
LEVEL_STRENGTH: Final[Mapping[str, float]] = {"high": 0.8, "elevated": 0.12}
"""A call in the DPRK is nearly always worth a look; at an elevated port most callers are ordinary."""
SEEN_FACTOR: Final[Mapping[int, float]] = {4: 1.0, 3: 0.9, 2: 0.75}
"""By the visit's confidence: entry, stop and exit; one of entry and exit; a stop or a silence only."""
OWN_FLAG_FACTOR: Final = 0.75
"""A ship with the port state's own flag is expected there."""
HARBOUR_CRAFT_FACTOR: Final = 0.5
CARGO_MOVED: Final = 0.1
"""Added at a high-watch port if the draught claimed changed: something was loaded or landed."""
TRADING_GROUPS: Final = frozenset({"cargo", "tanker", "fishing", "unknown"})
_CONFIDENCE_WORDS: Final[Mapping[int, str]] = {
    4: "entry, stop and exit seen",
    3: "a stop, and the entry or the exit seen",
    2: "a stop or a silence inside; neither entry nor exit seen",
}
FEW_REPORTS: Final = 5
"""Fewer reports inside than this are named as a caveat."""


def watched_port_calls(
    calls: Sequence[Call],
    nearby: Mapping[str, Sequence[Stay]],
    ships: Ships,
    parameters: GeofenceParameters,
    detector: tuple[str, str],
) -> list[Finding]:
    """One finding a call; `nearby` holds, by the row id of a call's lead, presences in the roads that belong to it."""
    return [_finding(call, nearby.get(call.lead.row_id, ()), ships, parameters, detector) for call in calls]


def seen_factor(confidence: int) -> float:
    """How much of a call's strength its visit's confidence leaves; visits below 2 are no calls."""
    return SEEN_FACTOR[min(max(confidence, 2), 4)]


def _finding(
    call: Call, nearby: Sequence[Stay], ships: Ships, parameters: GeofenceParameters, detector: tuple[str, str]
) -> Finding:
    lead = call.lead
    own_flag = lead.zone.country is not None and ships.flag_state(lead.mmsi) == lead.zone.country
    group = ships.type_group(lead.mmsi, lead.segment_id, call.start)
    high = lead.zone.watch == "high"
    gain_m = draught_gain_m(lead)
    moved = gain_m is not None and abs(gain_m) >= parameters.draught_change_m
    strength = LEVEL_STRENGTH[lead.zone.watch] * seen_factor(call.confidence) * (OWN_FLAG_FACTOR if own_flag else 1.0)
    strength *= HARBOUR_CRAFT_FACTOR if not high and group not in TRADING_GROUPS else 1.0
    strength += CARGO_MOVED if high and moved else 0.0
    name, version = detector
    who = ships.in_words(lead.mmsi, lead.segment_id, call.start)
    return Finding(
        detector=name,
        detector_version=version,
        kind=KIND,
        mmsi=lead.mmsi,
        start=call.start,
        end=call.end,
        strength=round(min(strength, 1.0), 4),
        headline=f"{who} called at {lead.zone.name}, a port under {lead.zone.watch} watch",
        evidence=(
            Evidence("port called at", f"{place(lead)}, country {lead.zone.country or 'none'}", "no watched port"),
            Evidence("time inside", span(call)),
            Evidence("visit", f"confidence {call.confidence}: {_CONFIDENCE_WORDS.get(call.confidence, '')}"),
            *_stop(lead),
            Evidence(
                "flag state of the MMSI",
                ships.flag_in_words(lead.mmsi),
                "this flag, at its own port" if own_flag else "",
            ),
            *draught_evidence(lead),
            *(Evidence("also inside", f"{place(stay)} {span(stay)}") for stay in (*call.others, *nearby)),
            *(evidence_of_measures(call.start) if high else ()),
        ),
        caveats=caveats_of(call),
        lat=lead.lat,
        lon=lead.lon,
        segment_id=lead.segment_id,
        hull_id=lead.hull_id,
        subject=call.stays[0].zone.zone_id,
    )


def caveats_of(call: Call) -> tuple[str, ...]:
    """What makes a call less sure: few reports, silence inside, ends not seen."""
    caveats = []
    reports = sum(stay.n_positions for stay in call.stays)
    if reports < FEW_REPORTS:
        caveats.append(f"only {reports} reports inside the fence")
    silence_h = max((stay.silence_h for stay in call.stays if stay.silence_h is not None), default=0.0)
    if silence_h >= max(call.lead.duration_h / 2.0, 6.0):
        caveats.append(f"silent for {silence_h:.1f} h of the stay at {call.lead.zone.name}")
    if not any(stay.entry_seen for stay in call.stays):
        caveats.append(f"the entry at {call.lead.zone.name} was not seen")
    if call.end is not None and not any(stay.exit_seen for stay in call.stays):
        caveats.append(f"the exit from {call.lead.zone.name} was not seen")
    if call.lead.zone.watch == "elevated":
        caveats.append(f"most callers at {call.lead.zone.name} are ordinary")
    return tuple(caveats)


def _stop(stay: Stay) -> tuple[Evidence, ...]:
    return () if stay.stop_h is None else (Evidence("time stopped", f"{stay.stop_h:.1f}", unit="h"),)
