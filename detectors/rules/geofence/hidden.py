"""Hidden calls: silences that leave time to sail to a watched port, stay, and come back where and when the ship did.

Takes gaps, port visits, identity spells and sketches; gives one finding a silence, which names the nearest of the ports
it leaves time for. It never says that she was there: only that she could have been, and how well the rows fit that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import numpy as np

from detectors.destinations import Declared, gazetteer_of, parse_destination
from detectors.finding import Evidence, Finding
from detectors.measures import COAL_BAN, day_of, evidence_of_measures
from detectors.rules.dark.silences import Berths, berths_of, heard_meanwhile, silences_of
from detectors.rules.dark.together import fell_silent_together
from detectors.rules.dark.wording import INNOCENT, caveats_of_silence, evidence_of_change, evidence_of_silence
from detectors.rules.geofence.hidden_crowd import crowd_of
from detectors.rules.geofence.hidden_ways import (
    MUCH_FARTHER,
    Ways,
    direct_nmi,
    find_ways,
    least_nmi,
    sail_nmi,
    watched_berths,
)
from detectors.rules.geofence.hidden_weights import (
    MOST_COURSE_DB,
    PUT_DB,
    START_DB,
    chance_of_silence,
    draught_db,
    most_near_db,
    place_weights,
    silence_db,
    stayed_put,
)
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.wording import iso
from vessels.history import History
from vessels.zones import Zone, Zones

KIND: Final = "hidden_call_feasible"
FULL_DB: Final = 30.0
"""Decibans at strength 1: what the kind weighs in triage when this rule was made."""
NAMED_DB: Final = 6.0
"""Before or after, she declared a port of that state: an honest destination, not seen to be reached."""
NOT_REACHED_DB: Final = 3.0
"""She declared another port, had time to call, and her next call was not there."""
REACHED_DB: Final = -4.0
"""Her next call was at the port she had declared: she made her voyage, whatever her set did."""
NOTHING_SAID_DB: Final = 1.0
OWN_FLAG_DB: Final = -6.0
"""A ship with the port state's flag calls there anyway: that it was hidden is the lesser matter."""
SMALL_CRAFT_DB: Final = -8.0
"""Fishing boats, harbour craft, ferries and class B carry no cargo worth hiding, or fall silent by trade."""
CARGO_GROUPS: Final = frozenset({"cargo", "tanker", "unknown"})
MOST_DESTINATION_DB: Final = NAMED_DB
BEFORE_BAN_FACTOR: Final = 0.4
"""Before UNSCR 2371 a call was lawful for nearly all; as for relays."""
LEAST_DB: Final = 1.0
"""What a call weighs that the time would do for, though all the rest speaks against it as much as for it: a lead."""
UNKNOWN_CAP: Final = 0.4
"""Where reception cannot be told, and the draught alone speaks: told, but never enough alone."""
SHOWN_BESIDE: Final = 5
"""So many more ports in reach are listed."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One silence with what is known around it; `is_told` says whether reception could be."""

    row: Mapping[str, Any]
    until: datetime
    zone: Zone
    ways: Ways
    index: int
    weights: Mapping[str, float]
    n_passed: int
    n_like: int
    last_zone: str | None
    next_zone: str | None
    is_put: bool
    is_at_berth: bool
    is_told: bool
    stay_h: float

    @property
    def total_db(self) -> float:
        """All weights together."""
        return START_DB + sum(self.weights.values())


def hidden_calls(
    history: History, zones: Zones, parameters: GeofenceParameters, as_of: datetime, detector: tuple[str, str]
) -> list[Finding]:
    """One finding for each silence that leaves time for a call and fits one, in order of vessel and time."""
    cases = _cases(history, zones, parameters, as_of)
    ships = Ships(history.identities, {case.row["mmsi"] for case in cases})
    gazetteer = gazetteer_of(zones) if cases else None
    read = cache(lambda text: None if gazetteer is None else parse_destination(text, gazetteer))
    found = []
    for case in cases:
        declared = [read(case.row[f"{end}_destination"]) for end in ("start", "end")]
        weights = {"destination": _destination_db(case, declared), **_ship_weights(case, ships)}
        whole = replace(case, weights={**case.weights, **weights})
        if whole.total_db >= parameters.hidden_least_db:
            found.append(_finding(whole, ships, detector))
    return found


def _cases(history: History, zones: Zones, parameters: GeofenceParameters, as_of: datetime) -> list[_Case]:
    """The silences that may yet weigh enough, with all weights that need no reading of texts.

    What is cheap comes first: ways by water are asked for only of silences that great circles and reception leave.
    """
    every = silences_of(history.gaps, as_of)
    silences = every.take(~every.has("reception", "outage"))
    berths, visits = watched_berths(zones, parameters), berths_of(history.port_visits)
    possible = np.any(least_nmi(silences, berths) <= sail_nmi(silences, parameters)[:, None], axis=1)
    told = visits.near(silences, _at(visits, berths), timedelta(hours=parameters.hidden_told_h))
    rows = np.flatnonzero(possible & ~told & silences.are_of_ships())
    rows = rows[~heard_meanwhile(silences.take(rows), history.segments)]
    passed, like = crowd_of(silences, possible, rows, history.sketches, parameters.hidden_sea_area_nmi)
    some = silences.take(rows)
    put, at_berth = stayed_put(some, visits, parameters), visits.begun_in(some) >= 0
    weights = {
        "silence": silence_db(chance_of_silence(some, parameters), passed, like),
        "draught": draught_db(some, put | at_berth, parameters),
        "same place": np.where(put, PUT_DB, 0.0),
    }
    blind = ~some.has("reception", "heard", "unheard_place", "class_thinned")
    direct = direct_nmi(some, zones)
    most = START_DB + sum(weights.values()) + MOST_COURSE_DB + MOST_DESTINATION_DB
    most = most + most_near_db(some, berths, direct, parameters)
    most = most + np.where(some.has("transceiver", "B"), SMALL_CRAFT_DB, 0.0)
    hopeful = np.flatnonzero((most >= parameters.hidden_least_db) & ~(blind & (weights["draught"] <= 0.0)))
    ways = find_ways(some.take(hopeful), zones, direct[hopeful], parameters)
    reached = np.flatnonzero((ways.best >= 0) & ~ways.inside)
    asked = np.flatnonzero(~every.has("reception", "outage"))[rows[hopeful[reached]]]
    reached = reached[~fell_silent_together(every, asked)]
    kept, ways = hopeful[reached], ways.take(reached)
    some, put, at_berth = some.take(kept), put[kept], at_berth[kept]
    blind, passed, like = blind[kept], passed[kept], like[kept]
    weights = {name: values[kept] for name, values in weights.items()}
    weights |= place_weights(some, ways, parameters)
    last, following = visits.last_before(some), visits.next_after(some)
    return [
        _Case(
            row=row,
            until=datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(some.until_us[i])),
            zone=berths[ways.best[i]],
            ways=ways,
            index=i,
            weights={name: float(values[i]) for name, values in weights.items()},
            n_passed=int(passed[i]),
            n_like=int(like[i]),
            last_zone=visits.zone_id(int(last[i])),
            next_zone=visits.zone_id(int(following[i])),
            is_put=bool(put[i]),
            is_at_berth=bool(at_berth[i]),
            is_told=not blind[i],
            stay_h=parameters.hidden_stay_h,
        )
        for i, row in enumerate(some.records())
    ]


def _at(berths: Berths, zones: Sequence[Zone]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which visits are at these zones. Shape (visits,)."""
    ids = {zone.zone_id for zone in zones}
    return np.array([zone_id in ids for zone_id in berths.rows["zone_id"].to_pylist()], dtype=np.bool_)


def _destination_db(case: _Case, declared: Sequence[Declared | None]) -> float:
    """What the destinations claimed say. A text that names the port she left is an old one and says nothing."""
    before, _ = declared
    state = case.zone.country
    if state is not None and any(one is not None and one.place.country == state for one in declared):
        return NAMED_DB
    if before is None:
        return NOTHING_SAID_DB
    port = before.place.zone_id
    if port is None or case.next_zone is None or port == case.last_zone:
        return 0.0
    return REACHED_DB if port == case.next_zone else NOT_REACHED_DB


def _ship_weights(case: _Case, ships: Ships) -> dict[str, float]:
    """What kind of ship she is, and whose: by what she claims and by her number."""
    row = case.row
    group = ships.type_group(row["mmsi"], row["segment_id"], row["start"])
    small = group not in CARGO_GROUPS or row["transceiver"] == "B"
    home = case.zone.country is not None and ships.flag_state(row["mmsi"]) == case.zone.country
    return {"kind of ship": SMALL_CRAFT_DB if small else 0.0, "own flag": OWN_FLAG_DB if home else 0.0}


def _strength(case: _Case) -> float:
    strength = min(max(case.total_db, LEAST_DB) / FULL_DB, 1.0)
    if case.zone.country == "KP" and day_of(case.until) < COAL_BAN.since:
        strength *= BEFORE_BAN_FACTOR
    return round(strength if case.is_told else min(strength, UNKNOWN_CAP), 4)


def _finding(case: _Case, ships: Ships, detector: tuple[str, str]) -> Finding:
    row, (name, version) = case.row, detector
    other = row["next_mmsi"]
    return Finding(
        detector=name,
        detector_version=version,
        kind=KIND,
        mmsi=row["mmsi"],
        other_mmsi=() if other is None or other == row["mmsi"] else (other,),
        start=row["start"],
        end=row["end"],
        strength=_strength(case),
        headline=_headline(case, ships.in_words(row["mmsi"], row["segment_id"], row["start"])),
        evidence=_evidence(case, ships),
        caveats=_caveats(case, ships),
        lat=row["start_lat"],
        lon=row["start_lon"],
        segment_id=row["segment_id"],
        hull_id=row["hull_id"],
    )


def _headline(case: _Case, who: str) -> str:
    days = (case.until - case.row["start"]) / timedelta(days=1)
    ways, i = case.ways, case.index
    most = MUCH_FARTHER * ways.way_nmi(i, int(ways.best[i]))
    beside = [column for column in ways.others(i) if ways.way_nmi(i, column) <= most]
    where = case.zone.name if not beside else f"{case.zone.name} or {ways.zones[beside[0]].name}"
    if case.row["end"] is None:
        return f"{who} has been silent for {days:.1f} days: time to sail to {where} and stay"
    return f"{who} was silent for {days:.1f} days: time to sail to {where}, stay, and come back where she did"


def _evidence(case: _Case, ships: Ships) -> tuple[Evidence, ...]:
    row, ways, i = case.row, case.ways, case.index
    speed = float(ways.speed_kn[i])
    lines = [
        _zone_evidence(case, int(ways.best[i])),
        Evidence("speed reckoned with", f"{speed:.1f}", _speeds(row) or "none shown", "kn"),
        *evidence_of_silence(row, case.until),
        *evidence_of_change(row),
    ]
    if row["end"] is not None:
        lines.append(
            Evidence("way by water from end to end of the silence", f"{float(ways.direct_nmi[i]):.0f}", unit="nmi")
        )
    else:
        since = row["start"] + timedelta(hours=float(ways.in_nmi[i, ways.best[i]]) / speed + case.stay_h)
        lines.append(Evidence("feasible since", iso(since)))
    lines += [
        Evidence("ships that passed where she fell silent", f"{case.n_passed}, {case.n_like} with the like silence")
    ]
    shown = ways.others(i)[:SHOWN_BESIDE]
    lines += [_zone_evidence(case, column) for column in shown]
    if (more := int(ways.n_possible[i]) - 1 - len(shown)) > 0:
        lines.append(Evidence("watched ports farther off that the time may do for", f"{more}"))
    weights = ", ".join(f"{name} {value:+.1f}" for name, value in case.weights.items() if value)
    lines.append(Evidence("what weighs", f"{weights}; from {START_DB:+.1f}, together {case.total_db:+.1f}", unit="dB"))
    lines.append(Evidence("flag state of the MMSI", ships.flag_in_words(row["mmsi"])))
    return (*lines, *(evidence_of_measures(case.until) if case.zone.country == "KP" else ()))


def _speeds(row: Mapping[str, Any]) -> str:
    said = [(row["cruise_kn"], "usual"), (row["fastest_kn"], "fastest")]
    return ", ".join(f"{value:.1f} {what}" for value, what in said if value is not None)


def _zone_evidence(case: _Case, column: int) -> Evidence:
    """`Nampo (KP_NAMPO): 61 nmi in, 74 nmi out, 140 h left`."""
    ways, i, zone = case.ways, case.index, case.ways.zones[column]
    out = "" if case.row["end"] is None else f", {ways.out_nmi[i, column]:.0f} nmi out"
    observed = (
        f"{zone.name} ({zone.zone_id}): {ways.in_nmi[i, column]:.0f} nmi in{out}, {ways.stay_h[i, column]:.0f} h left"
    )
    return Evidence("port in reach by water", observed, f"at least {case.stay_h:g} h for a call")


def _caveats(case: _Case, ships: Ships) -> tuple[str, ...]:
    row = case.row
    caveats = ["nothing shows that she was there: only that the time and the way would do", *caveats_of_silence(row)]
    if case.n_like * 3 >= case.n_passed and case.n_like:
        caveats.append(f"{case.n_like} of {case.n_passed} other ships that passed there had the like silence")
    if case.is_put:
        caveats.append("she lay at one place before and after, as ships do that are laid up, in dock or at their berth")
    elif case.is_at_berth:
        caveats.append("she fell silent in port: cargo may have been worked there, and the draught says nothing")
    if case.weights["own flag"]:
        caveats.append("she flies the flag of that state, and calls there openly too")
    if case.weights["kind of ship"]:
        group = ships.type_group(row["mmsi"], row["segment_id"], row["start"])
        caveats.append(f"she says she is of the class {group}, with a set of class {row['transceiver'] or 'unknown'}")
    if not case.is_told:
        caveats.append("how well ships are heard there cannot be told from these data")
    return (*caveats, INNOCENT)
