"""Re-export pairings: ship A from the DPRK lands cargo at a berth, ship B loads there within weeks, for a market.

Takes calls at the DPRK's ports and port visits; gives a finding on the voyage of the ship that loaded and a weaker one
on that of the ship that landed. One hull that does both is a relay. Sharing only the port says nothing, and where many
load, each of them says little. Nothing here sees the cargo.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Finding
from detectors.measures import COAL_BAN, day_of
from detectors.rules.geofence.berths import berths_of
from detectors.rules.geofence.calls import seen_factor
from detectors.rules.geofence.pairing import Pairing, caveats_of_pairing, evidence_of_pairing, surely
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import MIN_CALL_CONFIDENCE, Call, Stay, by_hull, rows_where, visits_at
from detectors.rules.geofence.wording import draught_gain_m
from vessels.geodesy import distance_nmi
from vessels.instants import instant_us
from vessels.units import US_PER_DAY
from vessels.zones import Zone, Zones

KIND: Final = "reexport_pairing"
FULL_DB: Final = 30.0
"""The weight at strength 1: that of the kind in `detectors.triage`."""
LEAST_STRENGTH: Final = 0.05
PAIRED_DB: Final = 27.0
"""Landed by one, loaded by the only other at that berth, both told by draughts, on to a market: the pattern of the
Kholmsk cases of 2017."""
DRAUGHT_UNKNOWN_DB: Final = -6.0
"""For each of the two whose draughts do not say that she landed or loaded."""
UNFINISHED_DB: Final = -8.0
"""No market reached yet."""
OTHER_PORT_DB: Final = -6.0
"""At a port of the same state where no such re-export is documented. Elsewhere a landing is an import."""
BROUGHT_DB: Final = -6.0
"""Her draughts say that A landed cargo in the DPRK: what she landed next was hardly from there."""
LANDERS_DB: Final = -3.0
"""For each doubling of the landings at that berth before B loaded: their cargo may be what she took."""
REGULAR_DB, REGULAR_MOST_DB = -4.0, -12.0
"""For each other loading of B at that port in the data: she trades there, DPRK cargo or not."""
BEFORE_BAN_FACTOR: Final = 0.4
"""Before UNSCR 2371 it shows the trade, not a breach; as a relay's."""
LANDER_FACTOR: Final = 0.5
"""On A's voyage: her calls tell of her already."""
_CARRIERS: Final = frozenset({"cargo", "tanker", "unknown"})


def reexport_pairings(
    high_calls: Sequence[Call],
    visits: pa.Table,
    voyages: pa.Table,
    identities: pa.Table,
    sketches: pa.Table,
    zones: Zones,
    parameters: GeofenceParameters,
    as_of: datetime,
    detector: tuple[str, str],
) -> list[Finding]:
    """Findings on ships that loaded where one from the DPRK had landed, and on those that landed."""
    pairings = find_pairings(high_calls, visits, identities, sketches, zones, parameters, as_of)
    mmsi = {stay.mmsi for p in pairings for stay in (p.origin.lead, p.landing, p.loading)}
    ships = Ships(identities, mmsi)
    weighed = sorted(((weight_db(p, parameters), p) for p in pairings), key=lambda one: (-one[0], *_order(one[1])))
    voyage_of = _voyages(voyages, pairings)
    found = []
    for key in ("loading", "landing"):
        groups: dict[str, list[Pairing]] = {}
        weights: dict[str, float] = {}
        for weight, pairing in weighed:
            row_id = getattr(pairing, key).row_id
            groups.setdefault(row_id, []).append(pairing)
            weights.setdefault(row_id, weight)
        for row_id, group in groups.items():
            found += _finding(group, weights[row_id], key == "loading", voyage_of, ships, parameters, detector)
    return found


class _Starts:
    """Starts of some stays in order of time, counted within spans."""

    def __init__(self, hulls: npt.NDArray[np.object_], start_us: npt.NDArray[np.int64], some: npt.NDArray[np.bool_]):
        rows = np.flatnonzero(some)
        self._rows = rows[np.argsort(start_us[rows], kind="stable")]
        self._all_us = start_us[self._rows]
        by_hull: dict[str, list[int]] = {}
        for hull, when_us in zip(hulls[self._rows].tolist(), self._all_us.tolist(), strict=True):
            by_hull.setdefault(hull, []).append(when_us)
        self._hull_us = by_hull

    def rows_between(self, first_us: int, last_us: int) -> list[int]:
        """The stays that began within a span, both ends counted."""
        begin, end = np.searchsorted(self._all_us, first_us, "left"), np.searchsorted(self._all_us, last_us, "right")
        rows: list[int] = self._rows[begin:end].tolist()
        return rows

    def count(self, first_us: int, last_us: int, but: str | None = None) -> int:
        """How many began within a span, both ends counted, those of one hull left out."""
        n = np.searchsorted(self._all_us, last_us, "right") - np.searchsorted(self._all_us, first_us, "left")
        own_us = self._hull_us.get(but, []) if but is not None else []
        return int(n) - bisect_right(own_us, last_us) + bisect_left(own_us, first_us)


def find_pairings(
    high_calls: Sequence[Call],
    visits: pa.Table,
    identities: pa.Table,
    sketches: pa.Table,
    zones: Zones,
    parameters: GeofenceParameters,
    as_of: datetime,
) -> list[Pairing]:
    """All pairs of a landing and a later loading at one berth by two hulls that could have moved one cargo."""
    landings = _landings(high_calls, visits, zones, parameters)
    if not landings:
        return []
    ports = {landing.zone.zone_id for _, landing in landings}
    at_ports = [s for s in visits_at(visits, zones, lambda zone: zone.zone_id in ports) if _is_call(s)]
    ships = Ships(identities, {stay.mmsi for stay in at_ports})
    berths = berths_of(sketches, at_ports)
    reach_us = round(parameters.max_reload_days * US_PER_DAY)
    nowhere = (math.nan, math.nan)
    lat, lon = np.array([berths.get(s.row_id, nowhere) for s in at_ports], dtype=float).reshape(-1, 2).T
    start_us = np.array([instant_us(s.start) for s in at_ports], dtype=np.int64)
    may_load = np.array([_may_have(s, True, parameters) for s in at_ports], dtype=np.bool_)
    loaded = [surely(s, True, parameters) for s in at_ports]
    landed = np.array([surely(s, False, parameters) for s in at_ports], dtype=np.bool_)
    n_loaded = Counter(s.hull for s, sure in zip(at_ports, loaded, strict=True) if sure)
    hulls = np.array([s.hull for s in at_ports], dtype=object)
    groups = np.array([ships.type_group(s.mmsi, s.segment_id, s.start) for s in at_ports], dtype=object)
    found: list[Pairing] = []
    for origin, landing in landings:
        berth = berths.get(landing.row_id, nowhere)
        apart_nmi = np.asarray(distance_nmi(lat, lon, *berth))
        here = (apart_nmi <= parameters.berth_nmi) & (hulls != landing.hull)
        group = ships.type_group(landing.mmsi, landing.segment_id, landing.start)
        alike = np.isin(groups, [other for other in _CARRIERS if _alike(group, other)])
        loadings = _Starts(hulls, start_us, here & may_load & alike)
        landers = _Starts(hulls, start_us, here & landed)
        left_us = instant_us(landing.last_seen)
        for row in loadings.rows_between(left_us, left_us + reach_us):
            loading, at_us = at_ports[row], int(start_us[row])
            n_others = loadings.count(at_us - reach_us, at_us + reach_us) - 1
            n_landings = landers.count(at_us - reach_us, at_us, but=loading.hull)
            n_own = n_loaded[loading.hull] - int(loaded[row])
            pairing = Pairing(origin, landing, loading, None, float(apart_nmi[row]), n_others, n_landings, n_own)
            found.append(pairing)
    return _with_markets(found, visits, zones, parameters, as_of)


def weight_db(pairing: Pairing, parameters: GeofenceParameters) -> float:
    """What a pairing weighs in decibans, before law and certainty of the visits are counted."""
    weight = PAIRED_DB
    weight += 0.0 if surely(pairing.landing, False, parameters) else DRAUGHT_UNKNOWN_DB
    weight += 0.0 if surely(pairing.loading, True, parameters) else DRAUGHT_UNKNOWN_DB
    weight += UNFINISHED_DB if pairing.market is None else 0.0
    weight += 0.0 if pairing.landing.zone.zone_id in parameters.relay_zones else OTHER_PORT_DB
    loaded_m = draught_gain_m(pairing.origin.lead)
    weight += BROUGHT_DB if loaded_m is not None and loaded_m <= -parameters.draught_change_m else 0.0
    weight -= 10.0 * math.log10(1 + pairing.n_loadings)
    weight += max(REGULAR_DB * pairing.n_own, REGULAR_MOST_DB)
    return weight + LANDERS_DB * math.log2(1 + pairing.n_landings)


def _landings(
    high_calls: Sequence[Call], visits: pa.Table, zones: Zones, parameters: GeofenceParameters
) -> list[tuple[Call, Stay]]:
    """For each call in the DPRK the next berths of that hull elsewhere at which she landed or may have landed."""
    origins: dict[str, list[Call]] = {}
    for call in sorted(high_calls, key=lambda c: (c.start, c.last_seen, c.lead.row_id)):
        at_port = any(stay.zone.kind == "port" for stay in call.stays)
        if at_port and call.lead.zone.country in parameters.relay_origins:
            origins.setdefault(call.lead.hull, []).append(call)
    states = {zone.country for zone in zones.zones if zone.zone_id in parameters.relay_zones}
    hulls = pa.array(sorted(origins), type=pa.string())
    keys = pc.coalesce(visits["hull_id"], visits["segment_id"])
    stays = by_hull(
        stay
        for stay in visits_at(
            visits.filter(pc.is_in(keys, hulls)), zones, lambda zone: _is_port(zone) and zone.country in states
        )
        if _is_call(stay) and _may_have(stay, False, parameters)
    )
    found = []
    reach = timedelta(days=parameters.max_relay_leg_days)
    for hull, calls in origins.items():
        for call, following in zip(calls, [*calls[1:], None], strict=True):
            by = call.last_seen + reach if following is None else min(call.last_seen + reach, following.start)
            next_ones = [stay for stay in stays.get(hull, ()) if call.last_seen <= stay.start <= by]
            sure = [stay for stay in next_ones if surely(stay, False, parameters)]
            found += [(call, stay) for stay in (sure or next_ones)[:1]]
    return found


def _with_markets(
    pairings: Sequence[Pairing], visits: pa.Table, zones: Zones, parameters: GeofenceParameters, as_of: datetime
) -> list[Pairing]:
    """The pairings whose loader went on to a market, or may still; those that went elsewhere are dropped."""
    hulls = {pairing.loading.hull for pairing in pairings}
    keys = pc.coalesce(visits["hull_id"], visits["segment_id"])
    table = visits.filter(pc.is_in(keys, pa.array(sorted(hulls), type=pa.string())))
    calls = by_hull(stay for stay in visits_at(table, zones, lambda zone: zone.kind != "gate") if _is_call(stay))
    kept = []
    markets: dict[int, Stay | None] = {}
    for pairing in pairings:
        left = pairing.loading.last_seen
        last_day = left + timedelta(days=parameters.max_market_leg_days)
        if id(pairing.loading) not in markets:
            after = [s for s in calls.get(pairing.loading.hull, ()) if left <= s.start <= last_day]
            sold = (stay for stay in after if _is_market(stay.zone, parameters))
            markets[id(pairing.loading)] = next(sold, None)
        market = markets[id(pairing.loading)]
        if market is not None or as_of <= last_day:
            kept.append(replace(pairing, market=market))
    return kept


def _finding(
    group: Sequence[Pairing],
    weight: float,
    on_loader: bool,
    voyage_of: Mapping[str, str],
    ships: Ships,
    parameters: GeofenceParameters,
    detector: tuple[str, str],
) -> list[Finding]:
    """One finding on a loading (or landing), of the heaviest of its pairings; the ships of all are named."""
    best = group[0]
    banned = COAL_BAN.since <= day_of(best.judged_on)
    seen = min(seen_factor(s.confidence) for s in (best.origin, best.landing, best.loading))
    strength = min(max(weight / FULL_DB, 0.0), 1.0) * seen
    strength *= (1.0 if banned else BEFORE_BAN_FACTOR) * (1.0 if on_loader else LANDER_FACTOR)
    if strength < LEAST_STRENGTH:
        return []
    subject = best.loading if on_loader else best.landing
    others = tuple(dict.fromkeys((p.landing if on_loader else p.loading).mmsi for p in group))
    lander = ships.in_words(best.landing.mmsi, best.landing.segment_id, best.landing.start)
    loader = ships.in_words(best.loading.mmsi, best.loading.segment_id, best.loading.start)
    days = (best.loading.start - best.landing.last_seen) / timedelta(days=1)
    bound = "and has reached no market yet" if best.market is None else f"and went on to {best.market.zone.name}"
    after = f"{days:.0f} days after" if days >= 0.5 else "as"
    loaded = surely(best.loading, True, parameters)
    headline = f"{loader} {'loaded' if loaded else 'lay'} at the berth in {best.landing.zone.name} {after} {lander}, "
    headline += f"from {best.origin.lead.zone.name}, lay there, {'' if loaded else 'may have loaded, '}{bound}"
    if not banned:
        headline += f"; before {COAL_BAN.resolution} ({COAL_BAN.since.isoformat()}) banned the DPRK's coal"
    start, end = (
        (best.loading.start, None if best.market is None else best.market.start)
        if on_loader
        else (best.landing.start, best.landing.end)
    )
    return [
        Finding(
            detector=detector[0],
            detector_version=detector[1],
            kind=KIND,
            mmsi=subject.mmsi,
            other_mmsi=tuple(m for m in others if m != subject.mmsi),
            start=start,
            end=end,
            strength=round(strength, 4),
            headline=headline,
            evidence=evidence_of_pairing(best, group, weight, ships),
            caveats=caveats_of_pairing(best, parameters),
            lat=subject.lat,
            lon=subject.lon,
            segment_id=subject.segment_id,
            voyage_id=voyage_of.get(f"{'from' if on_loader else 'to'} {subject.row_id}"),
            hull_id=subject.hull_id,
            subject=f"{'loaded' if on_loader else 'landed'} {subject.zone.zone_id}",
        )
    ]


def _voyages(voyages: pa.Table, pairings: Iterable[Pairing]) -> dict[str, str]:
    """The voyage that left with the cargo, by loading, and the one that brought it, by landing."""
    pairings = list(pairings)
    found: dict[str, str] = {}
    for way, column, ids in (
        ("from", "origin_visit_id", {p.loading.row_id for p in pairings}),
        ("to", "destination_visit_id", {p.landing.row_id for p in pairings}),
    ):
        for row in sorted(rows_where(voyages, column, ids - {""}), key=lambda r: r["voyage_id"] or ""):
            if row["voyage_id"] is not None:
                found.setdefault(f"{way} {row[column]}", row["voyage_id"])
    return found


def _order(pairing: Pairing) -> tuple[datetime, str, datetime, str]:
    return (pairing.loading.start, pairing.loading.row_id, pairing.landing.start, pairing.landing.row_id)


def _is_call(stay: Stay) -> bool:
    return stay.confidence >= MIN_CALL_CONFIDENCE


def _is_port(zone: Zone) -> bool:
    """Whether cargo is landed there: ports, and anchorages with quays of their own (Vostok Bay)."""
    return zone.watch != "high" and zone.kind in ("port", "anchorage")


def _is_market(zone: Zone, parameters: GeofenceParameters) -> bool:
    in_market = zone.country in parameters.market_countries and zone.watch != "high" and zone.kind == "port"
    return in_market and zone.zone_id not in parameters.relay_zones


def _may_have(stay: Stay, loaded: bool, parameters: GeofenceParameters) -> bool:
    """Whether they say so, or say nothing."""
    return draught_gain_m(stay) is None or surely(stay, loaded, parameters)


def _alike(first: str, second: str) -> bool:
    """Whether ships of two types carry goods, and the same: what a tanker lands no bulk carrier loads."""
    return {first, second} <= _CARRIERS and {first, second} != {"cargo", "tanker"}
