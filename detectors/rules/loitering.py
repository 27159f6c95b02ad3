"""The loitering detector: merchant ships slow at sea for hours where few others lie, or adrift for one or more.

Takes loitering, gaps, stays, identities and zones; gives one finding a stay. Waiting is what ships do most: alone
such a finding never flags a voyage. Whom a loitering ship may have met is left to the `rendezvous` detector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.alone import end_of, positions
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.lone_grounds import gain_of, is_plain, status_reasons
from detectors.rules.rendezvous.meetings import parties_of
from detectors.rules.rendezvous.parameters import CarrierParameters
from detectors.rules.rendezvous.places import Places, Spot, place_reasons
from detectors.rules.rendezvous.reasons import Reason, caveats_of, evidence_of, per_doubling, strength_of, total_db
from detectors.rules.rendezvous.ships import CARRYING, Fleet, Party, carrier_rows, may_carry
from detectors.rules.rendezvous.ties import Ties, weight_db

KIND: Final = "loitering"
FULL_DB: Final = 12.0
"""The weight at strength 1: that of the kind in `detectors.triage`; less than the 13 that flag a voyage."""
LEAST_STRENGTH: Final = 0.05
MOST_STRENGTH: Final = 0.8
"""Several stops of one voyage add up (each counts a quarter of the one before): so they do not flag it either."""
SLOW_DB: Final = 2.0
"""A carrier slow for hours in the open sea: one in some dozens does so on a given voyage, nearly all for orders."""
MOVED_DB: Final = 5.0
"""The draught claimed changed while at sea."""
UNMOVED_DB: Final = -1.0
SILENCE_DB: Final = 3.0
"""She fell silent, or was silent until, soon before or after, where others were heard."""
OWN_TIE_FACTOR: Final = 0.3
"""Her flag and calls tell of the tie already; here they say that the stop may be part of that trade."""
MISFIT_DB: Final = 2.0
LONG_DB, LONG_MOST_DB = -1.0, -4.0
"""For each doubling beyond a day: the longer, the likelier orders are awaited."""
LONG_H: Final = 24.0
LONG_PLAIN_H: Final = 36.0
"""A stop up to this long, where few lie and for no reason told, is told at the least strength at least."""
ADRIFT_DB: Final = 2.0
"""A carrier set off her heading at a few knots for an hour: as rare as a stop, and for as ordinary reasons."""
NOT_UNDER_COMMAND: Final = 2
NOT_UNDER_COMMAND_DB: Final = -1.0
"""She says so openly; what remains is that a voyage was broken."""
MOST_ADRIFT: Final = 0.2
ONE_DRIFT: Final = timedelta(hours=24)
"""Drifts of a ship that follow each other within this are told as one, the longest."""
MET_SHARE: Final = 0.5
"""A meeting with a carrier over more of the stop than this is told by `rendezvous`, and not a second time here."""
SERVED_DB: Final = -5.0
"""Ships that carry nothing came alongside: she fuels or collects from a fishing fleet, takes stores, changes crews."""


class Loitering(CarrierParameters):
    """A cargo ship or tanker slow for hours at sea, where few others lie.

    Claims
        loitering: a carrier under way slowly or adrift, far from the shore and outside ports and their roads. Weighed
        up by transfer belts and watched waters, a draught that changed meanwhile, a silence just before or after, a
        destination that does not fit; down by company, a usual place, a status that says why, craft beside her that
        carry no cargo, and length. Also, at 0.2 at most, one adrift: she moved slowly for an hour or more, and not
        where her bow pointed.

    Reads
        loitering, gaps, encounters, identity spells, port visits, zone presences, segments; watch levels, kinds and
        tags of the zones; the watch list.

    Misses
        Stops closer to the shore, shorter ones, stops in silence.

    Known mistakes
        Waiting for orders or a berth, repairs, tank cleaning and bad weather look the same: that is most of it. A ship
        that steams slowly across a strong current or wind looks adrift. So the finding alone never flags a voyage; it
        counts beside what else is found.

    Each reason's weight in decibans stands in the evidence: 12 would make strength 1; the most is 0.8.
    """

    name: ClassVar[str] = "loitering"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    min_loitering_h: float = Field(
        8.0,
        ge=1.0,
        le=240.0,
        description="Shorter stops are passed over. Source: Miller et al. 2018, Identifying Global Patterns of "
        "Transshipment Behavior (Front. Mar. Sci.): under 2 kn for 8 h.",
    )
    min_shore_nmi: float = Field(
        10.0,
        ge=0.0,
        le=200.0,
        description="Stops nearer to the shore are passed over. Source: UNCLOS: the territorial sea of 12 nmi, less "
        "the two miles that a ship adrift is set in a tide.",
    )
    offshore_nmi: float = Field(
        20.0,
        ge=0.0,
        le=200.0,
        description="Stops nearer to the shore are told at the least strength, if plain. Source: Global Fishing "
        "Watch's loitering: 20 nmi; ships lighten and wait for berths nearer.",
    )
    silence_h: float = Field(
        24.0,
        ge=0.0,
        le=240.0,
        description="A silence that ended or began within this time of the stop belongs to it. Source: judgement; a "
        "day's steaming from where she switched off.",
    )

    min_adrift_shore_nmi: float = Field(
        5.0,
        ge=0.0,
        le=200.0,
        description="Ships adrift nearer to the shore are passed over: they swing in fairways, and stop for pilots. "
        "Source: judgement; pilots board within a few miles of the coast.",
    )

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """One finding a stop or drift, in order of time and MMSI."""
        history = scene.history
        carriers = may_carry(history.identities, self)
        rows = self._rows(history.loitering, carriers, "loitering", self.min_shore_nmi)
        rows = [row for row in rows if row["duration_h"] >= self.min_loitering_h]
        rows += self._rows(history.loitering, carriers, "adrift", self.min_adrift_shore_nmi)
        if not rows:
            return []
        met = _meetings(history.encounters, carriers, {row["mmsi"] for row in rows})
        others = [row for meetings in met.values() for row in meetings]
        fleet = Fleet(
            history.identities,
            {row["mmsi"] for row in (*rows, *others)} | {row["other_mmsi"] for row in others},
            {row["hull_id"] for row in (*rows, *others)} | {row["other_hull_id"] for row in others},
        )
        spots = Places(scene.zones, self.near_port_nmi).spots(*positions(rows))
        parties = [self._party(row, fleet) for row in rows]
        hulls = {party.hull for party in parties}
        ties = Ties(scene, hulls, fleet, self)
        bound = Bound(history.port_visits, scene.zones, hulls, fleet, self)
        silences = _silences(history.gaps, {party.mmsi for party in parties})
        served = _served(history.encounters, carriers, scene.as_of)
        found: list[Finding] = []
        drifts: list[Finding] = []
        for row, party, spot in zip(rows, parties, spots, strict=True):
            if party.role not in CARRYING or spot.roads or spot.port:
                continue
            if row["kind"] == "adrift":
                drifts += self._adrift(row, party, spot)
            else:
                end = end_of(row, scene.as_of)
                if self._is_meeting(row["start"], end, met.get(party.mmsi, ()), fleet, scene.as_of):
                    continue
                reasons = self._reasons(row, party, spot, end, ties, bound)
                reasons += self._silence(row["start"], end, silences.get(party.mmsi, ()))
                service = _service(row["start"], end, served.get(party.mmsi, ()))
                plain = not service and is_plain(row, LONG_PLAIN_H, self)
                least = LEAST_STRENGTH if plain else 0.0
                most = MOST_STRENGTH if row["shore_nmi"] >= self.offshore_nmi else least
                found += self._finding(row, party, spot, [*reasons, *service], (least, most))
        found += _longest(drifts, found, scene.as_of)
        return sorted(found, key=lambda one: (one.start, one.mmsi, one.subject))

    def _rows(
        self, loitering: pa.Table, carriers: frozenset[int], kind: str, min_shore_nmi: float
    ) -> list[dict[str, Any]]:
        mask = carrier_rows(loitering, carriers, self)
        mask = pc.and_kleene(mask, pc.equal(pc.fill_null(loitering["kind"], "loitering"), kind))
        mask = pc.and_kleene(mask, pc.is_valid(loitering["duration_h"]))
        mask = pc.and_kleene(mask, pc.greater_equal(loitering["shore_nmi"], min_shore_nmi))
        mask = pc.and_kleene(mask, pc.and_(pc.is_finite(loitering["lat"]), pc.is_finite(loitering["lon"])))
        rows = loitering.filter(pc.and_kleene(mask, pc.is_valid(loitering["start"]))).to_pylist()
        return sorted(rows, key=lambda row: (row["start"], row["mmsi"], row["event_id"] or ""))

    def _party(self, row: Mapping[str, Any], fleet: Fleet) -> Party:
        draughts = (row["start_draught_m"], row["end_draught_m"])
        return fleet.party(row["mmsi"], row["segment_id"], row["hull_id"], row["start"], draughts, self)

    def _is_meeting(
        self, start: datetime, end: datetime, meetings: Sequence[Mapping[str, Any]], fleet: Fleet, as_of: datetime
    ) -> bool:
        """Whether most of a stop was spent with one other carrier."""
        for row in meetings:
            spent = min(end, end_of(row, as_of)) - max(start, row["start"])
            if spent > MET_SHARE * (end - start) and all(p.role in CARRYING for p in parties_of(row, fleet, self)):
                return True
        return False

    def _reasons(
        self, row: dict[str, Any], party: Party, spot: Spot, end: datetime, ties: Ties, bound: Bound
    ) -> list[Reason]:
        hours = Evidence("time slow at sea", f"{row['duration_h']:.1f}", "none on passage", "h")
        reasons = [Reason("slow at sea", SLOW_DB, (Evidence("ship", party.described), hours))]
        reasons += place_reasons(
            spot, row["shore_nmi"], self.offshore_nmi, row["n_ships_ever"], row["n_ships_near"], self
        )
        reasons += status_reasons(row["nav_status"])
        gain_m = gain_of(row)
        if gain_m is not None:
            moved = abs(gain_m) >= self.draught_change_m - 1e-6
            said = f"{row['start_draught_m']:.1f} before, {row['end_draught_m']:.1f} after"
            line = Evidence("draught claimed", said, "unchanged at sea", "m")
            caveat = "draughts are typed by hand, and sometimes long after the port" if moved else ""
            what = "her draught changed" if moved else "her draught did not change"
            reasons.append(Reason(what, MOVED_DB if moved else UNMOVED_DB, (line,), caveat))
        long_db = per_doubling(row["duration_h"], LONG_H, LONG_DB, LONG_MOST_DB)
        if long_db:
            reasons.append(Reason("for over a day", long_db, (), "ships wait for orders, berths and cargo for days"))
        own = ties.of(party, row["start"])
        if own:
            lines = tuple(Evidence(f"tie of {party.in_words}", tie.observed, "no tie") for tie in own)
            reasons.append(Reason(f"this ship: {own[0].what}", OWN_TIE_FACTOR * weight_db(own), lines))
        misfit = bound.misfit(party, row["start"], end, spot.lat, spot.lon)
        if misfit:
            line = Evidence("destination", misfit, "a destination that fits")
            reasons.append(Reason("a destination that does not fit", MISFIT_DB, (line,), "orders change at sea"))
        return reasons

    def _silence(
        self, start: datetime, end: datetime, silences: Sequence[tuple[datetime, datetime | None]]
    ) -> list[Reason]:
        """A silence where others were heard, shortly before or after."""
        reach = timedelta(hours=self.silence_h)
        for since, until in silences:
            before = until is not None and timedelta(0) <= start - until <= reach
            after = timedelta(0) <= since - end <= reach
            if before or after:
                said = f"from {iso(since)} {'on' if until is None else f'to {iso(until)}'}"
                line = Evidence("silent shortly before or after", said, "heard throughout")
                return [Reason("silent shortly before or after", SILENCE_DB, (line,))]
        return []

    def _adrift(self, row: dict[str, Any], party: Party, spot: Spot) -> list[Finding]:
        """A ship that moved slowly, and not where her bow pointed."""
        lines: tuple[Evidence, ...] = (
            Evidence("ship", party.described),
            Evidence("time adrift", f"{row['duration_h']:.1f}", "none on passage", "h"),
            Evidence("speed made good", f"{row['mean_speed_kn'] or 0.0:.1f}", "", "kn"),
        )
        if row["off_course_deg"] is not None:
            said = f"{row['off_course_deg']:.0f}"
            lines += (Evidence("heading off the course made good, on the mean", said, "under 20", "degree"),)
        reasons = [Reason("adrift", ADRIFT_DB, lines)]
        shore_nmi = self.min_adrift_shore_nmi
        reasons += place_reasons(spot, row["shore_nmi"], shore_nmi, row["n_ships_ever"], row["n_ships_near"], self)
        for reason in status_reasons(row["nav_status"]):
            openly = row["nav_status"] == NOT_UNDER_COMMAND
            reasons.append(replace(reason, weight_db=NOT_UNDER_COMMAND_DB) if openly else reason)
        strength = min(strength_of(total_db(reasons), FULL_DB), MOST_ADRIFT)
        if strength < LEAST_STRENGTH:
            return []
        caveat = "engine trouble, waiting for orders, and slow steaming across wind or current look the same"
        headline = f"{party.in_words} was adrift for {row['duration_h']:.1f} h {spot.in_words}"
        return [self._told(row, party, spot, strength, headline, reasons, caveat, "adrift")]

    def _finding(
        self, row: dict[str, Any], party: Party, spot: Spot, reasons: Sequence[Reason], bounds: tuple[float, float]
    ) -> list[Finding]:
        least, most = bounds
        strength = min(max(strength_of(total_db(reasons), FULL_DB), least), most)
        if strength < LEAST_STRENGTH:
            return []
        caveat = "waiting for orders, weather, a berth or a tide, repairs and tank cleaning look the same"
        headline = f"{party.in_words} was slow at sea for {row['duration_h']:.1f} h {spot.in_words}"
        return [self._told(row, party, spot, strength, headline, reasons, caveat)]

    def _told(
        self,
        row: dict[str, Any],
        party: Party,
        spot: Spot,
        strength: float,
        headline: str,
        reasons: Sequence[Reason],
        caveat: str,
        subject: str = "",
    ) -> Finding:
        return Finding(
            detector=self.name,
            detector_version=self.version,
            kind=KIND,
            mmsi=party.mmsi,
            start=row["start"],
            end=row["end"],
            strength=strength,
            headline=headline,
            evidence=evidence_of(reasons),
            caveats=tuple(dict.fromkeys((caveat, *caveats_of(reasons)))),
            lat=spot.lat,
            lon=spot.lon,
            segment_id=party.segment_id,
            hull_id=party.hull_id,
            subject=subject,
        )


def _longest(drifts: Sequence[Finding], stops: Sequence[Finding], as_of: datetime) -> list[Finding]:
    """Of drifts of one track that follow each other the longest; none beside a stop that is told."""
    kept: list[Finding] = []
    for one in sorted(drifts, key=lambda f: (f.start - (f.end or as_of), f.start, f.mmsi, f.segment_id or "")):
        beside = [f for f in (*stops, *kept) if (f.mmsi, f.segment_id) == (one.mmsi, one.segment_id)]
        if all(f.start - ONE_DRIFT > (one.end or as_of) or (f.end or as_of) + ONE_DRIFT < one.start for f in beside):
            kept.append(one)
    return kept


def _service(start: datetime, end: datetime, served: Sequence[tuple[datetime, datetime, int]]) -> list[Reason]:
    """Ships other than carriers beside her during the stop."""
    beside = {mmsi for since, until, mmsi in served if since <= end and until >= start}
    if not beside:
        return []
    line = Evidence("ships that carry no cargo seen beside her", str(len(beside)), "none")
    caveat = "fishing boats or service craft came alongside: fuel, stores, crews or their catch"
    return [Reason("craft that carry no cargo beside her", SERVED_DB, (line,), caveat)]


def _served(
    encounters: pa.Table, carriers: frozenset[int], as_of: datetime
) -> dict[int, list[tuple[datetime, datetime, int]]]:
    """By MMSI the times at which a ship that cannot be a carrier was beside her, and which."""
    numbers = pa.array(sorted(carriers), type=pa.int64())
    one, other = (pc.is_in(encounters[column], numbers) for column in ("mmsi", "other_mmsi"))
    mask = pc.and_(pc.xor(one, other), pc.is_valid(encounters["start"]))
    found: dict[int, list[tuple[datetime, datetime, int]]] = {}
    for row in encounters.filter(mask).to_pylist():
        first, second = row["mmsi"], row["other_mmsi"]
        first, second = (first, second) if first in carriers else (second, first)
        found.setdefault(first, []).append((row["start"], end_of(row, as_of), second))
    return found


def _meetings(encounters: pa.Table, carriers: frozenset[int], wanted: set[int]) -> dict[int, list[Mapping[str, Any]]]:
    """By MMSI of the ships wanted their encounters with what may be another carrier."""
    numbers, ours = (pa.array(sorted(some), type=pa.int64()) for some in (carriers, wanted))
    both = pc.and_(*(pc.is_in(encounters[column], numbers) for column in ("mmsi", "other_mmsi")))
    either = pc.or_(*(pc.is_in(encounters[column], ours) for column in ("mmsi", "other_mmsi")))
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in encounters.filter(pc.and_(pc.and_(both, either), pc.is_valid(encounters["start"]))).to_pylist():
        for mmsi in (row["mmsi"], row["other_mmsi"]):
            found.setdefault(mmsi, []).append(row)
    return found


def _silences(gaps: pa.Table, wanted: set[int]) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """By MMSI the silences in places where others were heard."""
    mask = pc.is_in(gaps["mmsi"], pa.array(sorted(wanted), type=pa.int64()))
    mask = pc.and_kleene(mask, pc.equal(gaps["reception"], "heard"))
    rows = gaps.filter(pc.and_kleene(mask, pc.is_valid(gaps["start"]))).to_pylist()
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for row in sorted(rows, key=lambda row: (row["mmsi"], row["start"], row["event_id"] or "")):
        found.setdefault(row["mmsi"], []).append((row["start"], row["end"]))
    return found
