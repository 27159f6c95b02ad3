"""Relay voyages: one hull at a DPRK port, then at a port that gives cargo a new origin, then at a market.

Takes calls at the DPRK's ports, port visits and voyages; gives one finding for each such call that a relay follows. Two
ships sharing the work (one lands, another loads) are another rule's. Nothing here sees the cargo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Evidence, Finding
from detectors.measures import COAL_BAN, day_of, evidence_of_measures
from detectors.rules.geofence.calls import caveats_of, seen_factor
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE, Call, Nearness, Stay, merge_calls, rows_where, visits_at
from detectors.rules.geofence.wording import draught_evidence, draught_gain_m, iso, place, span
from vessels.zones import Zone, Zones

KIND: Final = "relay_voyage"
STRENGTH: Final = 0.9
"""All three calls, under the ban: the pattern of the 2017 cases, and few ships have an ordinary reason for it."""
BEFORE_BAN_STRENGTH: Final = 0.35
"""The same before UNSCR 2371: it shows the trade, not a breach."""
UNFINISHED_FACTOR: Final = 0.4
"""No market reached yet: ships that only ply between the DPRK and Russia do this all the time."""
LANDED_BETWEEN_FACTOR: Final = 0.6
"""A market port between the DPRK and the relay port: the cargo may have been landed there."""
BROUGHT_FACTOR: Final = 0.7
"""The draught says she landed cargo in the DPRK: what she loaded at the relay port may well be its own."""
DRAUGHT_BONUS: Final = 0.05
_NOTIFIED_TRANSIT: Final = frozenset({"KP_RAJIN"})


@dataclass(frozen=True, slots=True)
class Relay:
    """The calls of one relay in order; `market` is None while it is not reached."""

    origin: Call
    relay: Call
    market: Stay | None
    between: tuple[Stay, ...]

    @property
    def judged_on(self) -> datetime:
        """The moment whose law counts: the arrival at the market, or at the relay port while there is none."""
        return self.relay.start if self.market is None else self.market.start


def relay_voyages(
    high_calls: Sequence[Call],
    visits: pa.Table,
    voyages: pa.Table,
    zones: Zones,
    ships: Ships,
    parameters: GeofenceParameters,
    nearness: Nearness,
    as_of: datetime,
    detector: tuple[str, str],
) -> list[Finding]:
    """The relays that these calls at high-watch ports begin, finished or still under way at `as_of`."""
    relays = find_relays(high_calls, visits, zones, parameters, nearness, as_of)
    voyage_of = _voyages_by_visit(voyages, relays)
    return [_finding(relay, voyage_of, ships, parameters, detector) for relay in relays]


def find_relays(
    high_calls: Sequence[Call],
    visits: pa.Table,
    zones: Zones,
    parameters: GeofenceParameters,
    nearness: Nearness,
    as_of: datetime,
) -> list[Relay]:
    """For each call in the DPRK the relay that follows it, if any; a later call there begins anew."""
    origins = _calls_of([call for call in high_calls if call.lead.zone.country in parameters.relay_origins])
    if not origins:
        return []
    visits = of_hulls(visits, high_calls)
    relay_stays = visits_at(visits, zones, lambda zone: zone.zone_id in parameters.relay_zones and zone.watch != "high")
    relay_calls = _calls_of(merge_calls([s for s in relay_stays if _is_call(s)], parameters, nearness))

    def is_market(zone: Zone) -> bool:
        in_market = zone.country in parameters.market_countries and zone.watch != "high"
        return in_market and zone.zone_id not in parameters.relay_zones

    markets: dict[str, list[Stay]] = {}
    for stay in visits_at(visits, zones, is_market):
        if _is_call(stay):
            markets.setdefault(stay.hull, []).append(stay)
    found: list[Relay] = []
    for hull, calls in origins.items():
        starts = [call.start for call in calls[1:]]
        for call, next_start in zip(calls, [*starts, None], strict=True):
            relay = _relay_after(call, next_start, relay_calls.get(hull, []), markets.get(hull, []), parameters, as_of)
            if relay is not None:
                found.append(relay)
    return found


def _relay_after(
    origin: Call,
    next_start: datetime | None,
    relay_calls: Sequence[Call],
    markets: Sequence[Stay],
    parameters: GeofenceParameters,
    as_of: datetime,
) -> Relay | None:
    left = origin.last_seen
    by = left + timedelta(days=parameters.max_relay_leg_days)
    if next_start is not None:
        by = min(by, next_start)
    relay = next((call for call in relay_calls if left <= call.start <= by), None)
    if relay is None:
        return None
    between = tuple(stay for stay in markets if left <= stay.start < relay.start)
    last_day = relay.last_seen + timedelta(days=parameters.max_market_leg_days)
    market = next((stay for stay in markets if relay.last_seen <= stay.start <= last_day), None)
    if market is not None and (next_start is None or market.start <= next_start):
        return Relay(origin, relay, market, between)
    if next_start is None and as_of <= last_day:
        return Relay(origin, relay, None, between)
    return None


def _finding(
    relay: Relay, voyage_of: Mapping[str, str], ships: Ships, parameters: GeofenceParameters, detector: tuple[str, str]
) -> Finding:
    origin, via, market = relay.origin, relay.relay, relay.market
    banned = COAL_BAN.since <= day_of(relay.judged_on)
    last = market if market is not None else via.lead
    who = ships.in_words(last.mmsi, last.segment_id, last.start)
    name, version = detector
    others = {origin.lead.mmsi, via.lead.mmsi} - {last.mmsi}
    return Finding(
        detector=name,
        detector_version=version,
        kind=KIND,
        mmsi=last.mmsi,
        other_mmsi=tuple(sorted(others)),
        start=origin.last_seen,
        end=None if market is None else market.start,
        strength=_strength(relay, banned, parameters),
        headline=_headline(relay, who, _as_whom(origin.lead, last, ships), banned),
        evidence=_evidence(relay, banned, ships),
        caveats=_caveats(relay, banned, parameters),
        lat=last.lat,
        lon=last.lon,
        segment_id=last.segment_id,
        voyage_id=next((voyage_of[key] for key in _keys(relay) if key in voyage_of), None),
        hull_id=last.hull_id,
        subject=origin.stays[0].zone.zone_id,
    )


def _strength(relay: Relay, banned: bool, parameters: GeofenceParameters) -> float:
    seen = [relay.origin.confidence, relay.relay.confidence]
    strength = STRENGTH if banned else BEFORE_BAN_STRENGTH
    if relay.market is None:
        strength *= UNFINISHED_FACTOR
    else:
        seen.append(relay.market.confidence)
    strength *= min(seen_factor(confidence) for confidence in seen)
    strength *= LANDED_BETWEEN_FACTOR if relay.between else 1.0
    loaded_m = draught_gain_m(relay.origin.lead)
    landed_m = None if relay.market is None else draught_gain_m(relay.market)
    if loaded_m is not None and loaded_m <= -parameters.draught_change_m:
        strength *= BROUGHT_FACTOR
    elif loaded_m is not None and loaded_m >= parameters.draught_change_m:
        strength += DRAUGHT_BONUS
    if landed_m is not None and landed_m <= -parameters.draught_change_m:
        strength += DRAUGHT_BONUS
    return round(min(strength, 1.0), 4)


def _as_whom(call: Stay, last: Stay, ships: Ships) -> str:
    """The identity a call was made under, where the hull has borne another one since; "" where it has not."""
    return "" if call.mmsi == last.mmsi else f" as {ships.in_words(call.mmsi, call.segment_id, call.start)}"


def _headline(relay: Relay, who: str, as_whom: str, banned: bool) -> str:
    path = f"{who} called at {relay.origin.lead.zone.name}{as_whom}, then at {relay.relay.lead.zone.name}"
    path += ", and no market yet" if relay.market is None else f", then at {relay.market.zone.name}"
    if banned:
        return path
    return f"{path}; this was before {COAL_BAN.resolution} ({COAL_BAN.since.isoformat()}) banned the DPRK's coal"


def _evidence(relay: Relay, banned: bool, ships: Ships) -> tuple[Evidence, ...]:
    origin, via, market = relay.origin, relay.relay, relay.market
    to_relay_days = (via.start - origin.last_seen) / timedelta(days=1)
    lines = [
        Evidence("call in the DPRK", f"{place(origin.lead)} {span(origin)}, confidence {origin.confidence}"),
        *draught_evidence(origin.lead),
        Evidence("then called at", f"{place(via.lead)} {span(via)}, confidence {via.confidence}"),
        Evidence("time from the DPRK to there", f"{to_relay_days:.1f}", unit="days"),
        *draught_evidence(via.lead),
    ]
    if market is None:
        lines.append(Evidence("market", "none reached yet"))
    else:
        to_market_days = (market.start - via.last_seen) / timedelta(days=1)
        lines += [
            Evidence("then at the market", f"{place(market)} {span(market)}, confidence {market.confidence}"),
            Evidence("time from there to the market", f"{to_market_days:.1f}", unit="days"),
            *draught_evidence(market),
        ]
    lines += [Evidence("call in between", f"{place(stay)} {span(stay)}") for stay in relay.between]
    last = market if market is not None else via.lead
    lines += [
        Evidence("that call was made as", whom.removeprefix(" as "), "the identity borne since; see the hull's links")
        for call in (origin.lead, via.lead)
        if (whom := _as_whom(call, last, ships))
    ]
    lines += [Evidence("flag state of the MMSI", ships.flag_in_words(origin.lead.mmsi))]
    if not banned:
        lines.append(Evidence("UN ban on DPRK coal", f"not yet: {COAL_BAN.in_words}; judged on {iso(relay.judged_on)}"))
    return (*lines, *evidence_of_measures(relay.judged_on))


def _caveats(relay: Relay, banned: bool, parameters: GeofenceParameters) -> tuple[str, ...]:
    caveats = ["no track shows what was loaded, or where the cargo came from"]
    if banned and day_of(relay.origin.last_seen) < COAL_BAN.since:
        caveats.append(f"she left the DPRK before {COAL_BAN.in_words}")
    if banned and any(stay.zone.zone_id in _NOTIFIED_TRANSIT for stay in relay.origin.stays):
        caveats.append(f"{COAL_BAN.resolution} exempts {COAL_BAN.exempt}")
    loaded_m = draught_gain_m(relay.origin.lead)
    if loaded_m is not None and loaded_m <= -parameters.draught_change_m:
        caveats.append("the draughts claimed say that she landed cargo in the DPRK")
    caveats += [caveat for call in (relay.origin, relay.relay) for caveat in caveats_of(call)]
    return tuple(dict.fromkeys(caveats))


def _is_call(stay: Stay) -> bool:
    return stay.confidence >= MIN_CALL_CONFIDENCE


def _calls_of(calls: Sequence[Call]) -> dict[str, list[Call]]:
    hulls: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda c: (c.start, c.last_seen, c.lead.row_id)):
        hulls.setdefault(call.lead.hull, []).append(call)
    return hulls


def of_hulls(visits: pa.Table, calls: Sequence[Call]) -> pa.Table:
    """The visits of the hulls that made these calls; a few more do no harm."""
    hull_ids = pa.array(sorted({c.lead.hull_id for c in calls if c.lead.hull_id is not None}), type=pa.string())
    mmsi = pa.array(sorted({call.lead.mmsi for call in calls}), type=pa.int64())
    return visits.filter(pc.or_(pc.is_in(visits["hull_id"], hull_ids), pc.is_in(visits["mmsi"], mmsi)))


def _keys(relay: Relay) -> list[str]:
    """Where the finding belongs, best first: the voyage that reached the market, left the relay port, or reached it."""
    if relay.market is not None:
        return [f"to {relay.market.row_id}"]
    ids = [stay.row_id for stay in (relay.relay.lead, *relay.relay.others)]
    return [f"from {row_id}" for row_id in ids] + [f"to {row_id}" for row_id in ids]


def _voyages_by_visit(voyages: pa.Table, relays: Sequence[Relay]) -> dict[str, str]:
    wanted = {key.split(" ", 1)[1] for relay in relays for key in _keys(relay)} - {""}
    found: dict[str, str] = {}
    for way, column in (("to", "destination_visit_id"), ("from", "origin_visit_id")):
        rows: list[dict[str, Any]] = list(rows_where(voyages, column, wanted))
        for row in sorted(rows, key=lambda r: r["voyage_id"] or ""):
            if row["voyage_id"] is not None:
                found.setdefault(f"{way} {row[column]}", row["voyage_id"])
    return found
