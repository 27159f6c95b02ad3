"""Rendezvous: two ships seen slow and close together at sea, weighed for and against a transfer worth a second look.

Takes encounters and who, where and whence the ships were; gives a finding for each of the two ships, because each
makes a voyage of her own. Meetings of which only one ship was heard are another rule's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Finding
from detectors.measures import TRANSFER_BAN, day_of, evidence_of_measures
from detectors.rules.geofence.wording import iso
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.grounds import (
    Meeting,
    about_reasons,
    are_alongside,
    is_plain,
    misfit_reasons,
    pair_reasons,
    tie_reasons,
)
from detectors.rules.rendezvous.parameters import CarrierParameters, RendezvousParameters
from detectors.rules.rendezvous.reasons import Reason, caveats_of, evidence_of, strength_of, total_db
from detectors.rules.rendezvous.ships import Fleet, Party
from detectors.rules.rendezvous.ties import Tie, Ties, concern_dprk

KIND: Final = "rendezvous"
FULL_DB: Final = 27.0
"""The weight at strength 1: that of the kind in `detectors.triage`."""
LEAST_STRENGTH: Final = 0.05
"""Of less no finding is made; a plain meeting of two carriers is told at this, whatever speaks against it."""
BEFORE_BAN_FACTOR: Final = 0.5
"""Before UNSCR 2375 transfers with DPRK ships were not banned as such: it shows the trade, not a breach."""


def candidates(
    encounters: pa.Table, carriers: frozenset[int], parameters: RendezvousParameters
) -> list[dict[str, Any]]:
    """The encounters worth looking at, as records, in order: long enough, no tow, two hulls, one perhaps a carrier."""
    mmsi = pa.array(sorted(carriers), type=pa.int64())
    carries = pc.or_(pc.is_in(encounters["mmsi"], mmsi), pc.is_in(encounters["other_mmsi"], mmsi))
    long = pc.greater_equal(encounters["duration_h"], parameters.min_meeting_h)
    together = pc.fill_null(pc.greater_equal(encounters["under_way_together_h"], parameters.tow_h), False)
    never_apart = pc.and_(
        *(pc.equal(pc.fill_null(encounters[c], True), False) for c in ("apart_before", "apart_after"))
    )
    one_hull = pc.fill_null(pc.equal(encounters["hull_id"], encounters["other_hull_id"]), False)
    same_number = pc.equal(encounters["mmsi"], encounters["other_mmsi"])
    placed = pc.and_(pc.is_finite(encounters["lat"]), pc.is_finite(encounters["lon"]))
    mask = pc.and_kleene(pc.and_kleene(carries, long), pc.and_kleene(placed, pc.is_valid(encounters["start"])))
    for against in (together, never_apart, one_hull, same_number):
        mask = pc.and_kleene(mask, pc.invert(against))
    rows = encounters.filter(mask).to_pylist()
    return sorted(rows, key=lambda row: (row["start"], row["mmsi"], row["other_mmsi"], row["event_id"] or ""))


def parties_of(row: Mapping[str, Any], fleet: Fleet, parameters: CarrierParameters) -> tuple[Party, Party]:
    """Both ships of an encounter as they were when it began."""
    first, second = (
        fleet.party(
            row[f"{who}mmsi"],
            row[f"{who}segment_id"],
            row[f"{who}hull_id"],
            row["start"],
            (row[f"{who}start_draught_m"], row[f"{who}end_draught_m"]),
            parameters,
        )
        for who in ("", "other_")
    )
    return first, second


def meeting_findings(
    meetings: Sequence[Meeting],
    ties: Ties,
    bound: Bound,
    parameters: RendezvousParameters,
    detector: tuple[str, str],
) -> list[Finding]:
    """Up to two findings a meeting: one on the voyage of each ship."""
    found: list[Finding] = []
    for meeting in meetings:
        tied = [ties.of(party, meeting.start) for party in (meeting.one, meeting.two)]
        pair = pair_reasons(meeting, bool(tied[0] or tied[1]), parameters)
        if pair is None or _domestic(meeting):
            continue
        pair += about_reasons(meeting, parameters)
        plain = is_plain(meeting, parameters)
        misfits = [
            bound.misfit(party, meeting.start, meeting.end, meeting.spot.lat, meeting.spot.lon)
            for party in (meeting.one, meeting.two)
        ]
        for own in (0, 1):
            other = 1 - own
            reasons = [*pair, *tie_reasons(tied[own], tied[other], meeting, own)]
            reasons += misfit_reasons(misfits, own, meeting)
            least = LEAST_STRENGTH if plain else 0.0
            finding = _finding(meeting, own, reasons, least, tied, parameters, detector)
            if finding is not None:
                found.append(finding)
    return found


def _domestic(meeting: Meeting) -> bool:
    """Two ships of the state's own flag in its own waters: domestic trade."""
    waters = meeting.spot.waters
    return waters is not None and waters.country is not None and meeting.one.flag == meeting.two.flag == waters.country


def _finding(
    meeting: Meeting,
    own: int,
    reasons: list[Reason],
    least: float,
    tied: Sequence[Sequence[Tie]],
    parameters: RendezvousParameters,
    detector: tuple[str, str],
) -> Finding | None:
    subject, other = (meeting.one, meeting.two) if own == 0 else (meeting.two, meeting.one)
    dprk = concern_dprk((subject, other), (*tied[0], *tied[1]), meeting.spot.waters)
    too_early = dprk and day_of(meeting.start) < TRANSFER_BAN.since
    weight = total_db(reasons)
    strength = round(max(strength_of(weight, FULL_DB), least) * (BEFORE_BAN_FACTOR if too_early else 1.0), 4)
    if strength < LEAST_STRENGTH:
        return None
    how = "beside" if are_alongside(meeting, parameters) else "near"
    what = f"{subject.in_words} lay {meeting.duration_h:.1f} h {how} {other.in_words} {meeting.spot.in_words}"
    what += f"; the other: {tied[1 - own][0].what}" if tied[1 - own] else ""
    if too_early:
        what += f"; before {TRANSFER_BAN.resolution} ({TRANSFER_BAN.since.isoformat()}) banned such transfers"
    going_on = meeting.row["end"] is None
    caveats = (
        "no track shows what passed between the two, if anything: bunkers, stores, crew changes and help look the same",
        *((f"they were still together when last heard, {iso(meeting.end)}",) if going_on else ()),
        *caveats_of(reasons),
    )
    return Finding(
        detector=detector[0],
        detector_version=detector[1],
        kind=KIND,
        mmsi=subject.mmsi,
        other_mmsi=(other.mmsi,),
        start=meeting.start,
        end=None if going_on else meeting.end,
        strength=strength,
        headline=what,
        evidence=(*evidence_of(reasons), *(evidence_of_measures(meeting.start) if dprk else ())),
        caveats=caveats,
        lat=meeting.spot.lat,
        lon=meeting.spot.lon,
        segment_id=subject.segment_id,
        hull_id=subject.hull_id,
        subject=f"with {other.mmsi}",
    )
