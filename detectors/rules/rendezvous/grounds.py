"""Grounds of a meeting: what the two ships, their draughts, ties, place, time and habit say for and against a transfer.

Takes a meeting seen; gives reasons. Which of them make a finding, and on whose voyage, is left to `meetings`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from detectors.finding import Evidence
from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.places import Spot, place_reasons
from detectors.rules.rendezvous.reasons import Reason, per_doubling
from detectors.rules.rendezvous.ships import Party
from detectors.rules.rendezvous.ties import Tie, both_tied, weight_db

TANKERS_DB: Final = 6.0
"""Two tankers stopped side by side at sea: oil changes ships so, mostly lawfully, and little else explains it."""
CARRIERS_DB: Final = 5.0
UNKNOWN_DB: Final = 3.0
"""One of the two gives neither type nor size."""
NO_CARRIER_DB: Final = 1.0
"""A tied ship beside a carrier, though by type and body she carries nothing: Saebyol said so."""
BELIED_DB: Final = 5.0
"""A type that the body or her other claims belie, sent while alongside (Saebyol, 2019)."""
OPPOSITE_DB: Final = 7.0
"""Draughts changed oppositely: what one gave the other took. Typed by hand, so that both must have cared to."""
ONE_CHANGED_DB: Final = 3.0
ONE_UNCHANGED_DB: Final = 1.0
"""One changed, the other said the same as before: many never retype it."""
ALIKE_DB: Final = -2.0
"""Both rose, both fell, or neither changed."""
APART_UNKNOWN_DB: Final = -1.0
NOT_APART_DB: Final = -5.0
"""Not seen to come, or not seen to part: a tow, a raft of laid-up ships, two sets on one hull."""
FAR_DB: Final = -6.0
"""Too far for two hulls alongside: ships at anchor or adrift in company."""
LEAST_REACH_M: Final = 100.0
"""Errors of position and swinging about at fenders."""
UNDER_WAY_DB: Final = -3.0
UNDER_WAY_H: Final = 0.5
"""Half an hour side by side under way is the run-in to any meeting."""
LONG_DB, LONG_MOST_DB = -4.0, -10.0
AGAIN_DB, AGAIN_MOST_DB = -3.0, -9.0
"""For each doubling of the pair's meetings: ships that work together meet again."""
PARTNERS_DB, PARTNERS_MOST_DB = -3.0, -9.0
POORLY_HEARD_DB: Final = -3.0
NIGHT_DB: Final = 1.0
OWN_MISFIT_DB, OTHER_MISFIT_DB = 3.0, 1.0
OWN_TIE_FACTOR: Final = 0.7
"""For the tied ship herself the tie is no news: her calls and flag tell it on their own."""
BOTH_TIED_DB: Final = 6.0
"""Two ships of that trade: among themselves they have ordinary reasons to meet."""


PLAIN_COMPANY: Final = 2
"""Beside more ships than this two lie as at an anchorage."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One encounter as a record, with both ships as they were and where it was."""

    row: dict[str, Any] = field(repr=False)
    one: Party
    two: Party
    spot: Spot
    end: datetime

    @property
    def start(self) -> datetime:
        """First time they were seen together."""
        start: datetime = self.row["start"]
        return start

    @property
    def duration_h(self) -> float:
        """Time together."""
        return float(self.row["duration_h"])


def pair_reasons(meeting: Meeting, tied: bool, parameters: RendezvousParameters) -> list[Reason] | None:
    """What the two ships are; None if they are no pair between which cargo could change ships."""
    roles = {meeting.one.role, meeting.two.role}
    lines = tuple(Evidence("ship", party.described) for party in (meeting.one, meeting.two))
    expected = Evidence(
        "time together",
        f"{meeting.duration_h:.1f}",
        f"{parameters.min_meeting_h:g} to {parameters.transfer_max_h:g} for a transfer",
        "h",
    )
    lines = (*lines, expected)
    if roles == {"tanker"}:
        reasons = [Reason("two tankers together at sea", TANKERS_DB, lines)]
    elif roles <= {"tanker", "cargo"}:
        reasons = [Reason("two carriers together at sea", CARRIERS_DB, lines)]
    elif roles <= {"tanker", "cargo", "unknown"} and roles != {"unknown"}:
        caveat = "one of the two says neither her type nor her size"
        reasons = [Reason("a carrier and an unknown ship together at sea", UNKNOWN_DB, lines, caveat)]
    elif tied and roles & {"tanker", "cargo"}:
        caveat = "by type and size one of the two carries no cargo"
        reasons = [Reason("a carrier with another ship at sea", NO_CARRIER_DB, lines, caveat)]
    else:
        return None
    for party in (meeting.one, meeting.two):
        if party.belied:
            line = Evidence(f"type of {party.in_words}", party.belied, "a body that fits the type")
            caveat = "types and sizes are typed by hand and wrong at times; factory trawlers are that large"
            reasons.append(Reason("a type that does not fit", BELIED_DB, (line,), caveat))
    return reasons


def is_plain(meeting: Meeting, parameters: RendezvousParameters) -> bool:
    """Whether two carriers came together, lay at sea for the time of a transfer where few lie, and parted."""
    row, spot = meeting.row, meeting.spot
    carriers = {meeting.one.role, meeting.two.role} <= {"tanker", "cargo"}
    shore_nmi = math.inf if row["shore_nmi"] is None else row["shore_nmi"]
    at_sea = not (spot.roads or spot.port) and shore_nmi >= parameters.offshore_nmi
    unusual = (row["n_ships_ever"] or 0) <= parameters.usual_ships and (row["n_ships_near"] or 0) <= PLAIN_COMPANY
    seldom = (row["n_partners"] or 0) <= parameters.usual_partners and (row["n_meetings"] or 1) <= 1
    came_and_went = row["apart_before"] is not False and row["apart_after"] is not False
    return (
        carriers and at_sea and unusual and seldom and came_and_went and meeting.duration_h <= parameters.transfer_max_h
    )


def draught_reasons(
    one: tuple[float | None, float | None],
    two: tuple[float | None, float | None],
    names: tuple[str, str],
    parameters: RendezvousParameters,
) -> list[Reason]:
    """What the draughts before and after say; nothing where neither is known at both ends."""
    gains = [None if a is None or b is None else b - a for a, b in (one, two)]
    known = [gain for gain in gains if gain is not None]
    if not known:
        return []
    lines = tuple(
        Evidence(f"draught claimed by {name}", f"{a:.1f} before, {b:.1f} after", "unchanged at sea", "m")
        for name, (a, b) in zip(names, (one, two), strict=True)
        if a is not None and b is not None
    )
    least = parameters.draught_change_m - 1e-6
    rose, fell = sum(gain >= least for gain in known), sum(gain <= -least for gain in known)
    caveat = "draughts are typed by hand, late or never"
    if rose == fell == 1:
        return [Reason("draughts changed oppositely", OPPOSITE_DB, lines, caveat)]
    if rose + fell == 1 and len(known) == 1:
        return [Reason("one draught changed, the other is not known", ONE_CHANGED_DB, lines, caveat)]
    if rose + fell == 1:
        return [Reason("one draught changed", ONE_UNCHANGED_DB, lines, caveat)]
    what = "no draught changed" if rose + fell == 0 else "draughts changed alike"
    return [Reason(what, ALIKE_DB, lines, caveat)]


def tie_reasons(own: Sequence[Tie], other: Sequence[Tie], meeting: Meeting, side: int) -> list[Reason]:
    """What ties of the two say to one of them."""
    parties = (meeting.one, meeting.two)
    lines = tuple(
        Evidence(f"tie of {party.in_words}", tie.observed, "no tie to waters under high watch")
        for party, ties in ((parties[side], own), (parties[1 - side], other))
        for tie in ties
    )
    lawful = "some callers at DPRK ports are lawful: aid, notified transit through Rajin, fuel under the cap"
    caveat = lawful if any(tie.to == "dprk" for tie in (*own, *other)) else ""
    if own and other:
        return [Reason(both_tied(own, other), BOTH_TIED_DB, lines, caveat)]
    if other:
        what = f"the other ship: {', '.join(tie.what for tie in other)}"
        return [Reason(what, weight_db(other), lines, caveat)]
    if own:
        what = f"this ship: {', '.join(tie.what for tie in own)}"
        return [Reason(what, OWN_TIE_FACTOR * weight_db(own), lines, caveat)]
    return []


def night_share(start: datetime, end: datetime, lon: float) -> float:
    """Share of a span that lies between 18 and 6 h local solar time; quarter hours are looked at.

    >>> from datetime import UTC
    >>> night_share(datetime(2018, 2, 13, 12, tzinfo=UTC), datetime(2018, 2, 13, 16, tzinfo=UTC), 125.0)
    1.0
    """
    n = max(int((end - start) / timedelta(minutes=15)), 1)
    first_h = start.hour + start.minute / 60.0 + start.second / 3600.0
    hours = (first_h + 0.25 * (np.arange(n) + 0.5) + lon / 15.0) % 24.0
    return float(((hours >= 18.0) | (hours < 6.0)).mean())


def about_reasons(meeting: Meeting, parameters: RendezvousParameters) -> list[Reason]:
    """What place, time, distance, habit and draughts say; the same for both ships."""
    row = meeting.row
    reasons = place_reasons(
        meeting.spot, row["shore_nmi"], parameters.offshore_nmi, row["n_ships_ever"], row["n_ships_near"], parameters
    )
    draughts = (
        (row["start_draught_m"], row["end_draught_m"]),
        (row["other_start_draught_m"], row["other_end_draught_m"]),
    )
    reasons += draught_reasons(draughts[0], draughts[1], (meeting.one.in_words, meeting.two.in_words), parameters)
    long_db = per_doubling(meeting.duration_h, parameters.transfer_max_h, LONG_DB, LONG_MOST_DB)
    if long_db:
        reasons.append(Reason("longer than a transfer", long_db, (), "ships at anchor side by side lie so for days"))
    distance_m = row["median_distance_m"]
    if distance_m is not None:
        reach_m = alongside_reach_m(meeting.one, meeting.two, parameters)
        far = distance_m > reach_m
        line = Evidence("median distance between the two", f"{distance_m:.0f}", f"{reach_m:.0f} or less", "m")
        reasons.append(Reason("near, but not alongside", FAR_DB if far else 0.0, (line,)))
    side_by_side_h = row["under_way_together_h"] or 0.0
    if side_by_side_h > UNDER_WAY_H:
        line = Evidence("time under way side by side", f"{side_by_side_h:.1f}", f"{UNDER_WAY_H:g} or less", "h")
        caveat = "side by side under way: a tow or two sets on one ship look so"
        reasons.append(Reason("side by side under way", UNDER_WAY_DB, (line,), caveat))
    reasons += _ends(row)
    again_db = per_doubling(float(row["n_meetings"] or 1), 1.0, AGAIN_DB, AGAIN_MOST_DB)
    if again_db:
        line = Evidence("meetings of the two in these data", str(row["n_meetings"]), "1")
        reasons.append(Reason("they meet again and again", again_db, (line,), "ships that work together meet often"))
    partners_db = per_doubling(float(row["n_partners"] or 0), parameters.usual_partners, PARTNERS_DB, PARTNERS_MOST_DB)
    if partners_db:
        line = Evidence(
            "other ships met so by either", str(row["n_partners"]), f"{parameters.usual_partners:g} or fewer"
        )
        caveat = "one of them meets many ships, as bunker tankers and collecting ships do"
        reasons.append(Reason("one of them meets many ships", partners_db, (line,), caveat))
    share = row["heard_share"]
    if share is not None and share < parameters.min_heard_share:
        line = Evidence("share of the time in which both were heard", f"{share:.2f}", f"{parameters.min_heard_share:g}")
        caveat = "their places were reckoned between reports for most of the time"
        reasons.append(Reason("poorly heard", POORLY_HEARD_DB, (line,), caveat))
    night = night_share(meeting.start, meeting.end, meeting.spot.lon)
    if night >= parameters.night_share:
        line = Evidence("share of it by night", f"{night:.2f}", "about half")
        reasons.append(Reason("by night", NIGHT_DB, (line,)))
    return reasons


def _ends(row: dict[str, Any]) -> list[Reason]:
    """Whether they were seen to come together and to part."""
    reasons = []
    for column, when in (("apart_before", "before"), ("apart_after", "afterwards")):
        if row[column] is None:
            reasons.append(Reason(f"not known to be apart {when}", APART_UNKNOWN_DB))
        elif not row[column]:
            line = Evidence(f"apart {when}", "no", "yes")
            caveat = f"they were together {when} as well, as in a tow or a raft of ships laid up"
            reasons.append(Reason(f"not apart {when}", NOT_APART_DB, (line,), caveat))
    return reasons


def alongside_reach_m(one: Party, two: Party, parameters: RendezvousParameters) -> float:
    """How far apart the sets of two ships alongside may be: half of both lengths, where both are known."""
    if one.length_m is None or two.length_m is None:
        return parameters.alongside_m
    return min(max((one.length_m + two.length_m) / 2.0, LEAST_REACH_M), parameters.alongside_m)


def are_alongside(meeting: Meeting, parameters: RendezvousParameters) -> bool:
    """Whether the median distance between the two is known and small enough for hulls alongside."""
    distance_m = meeting.row["median_distance_m"]
    return distance_m is not None and distance_m <= alongside_reach_m(meeting.one, meeting.two, parameters)


def misfit_reasons(misfits: Sequence[str], own: int, meeting: Meeting) -> list[Reason]:
    reasons = []
    for side, weight in ((own, OWN_MISFIT_DB), (1 - own, OTHER_MISFIT_DB)):
        if misfits[side]:
            party = (meeting.one, meeting.two)[side]
            line = Evidence(f"destination of {party.in_words}", misfits[side], "a destination that fits")
            caveat = "destinations are left stale, and orders change at sea"
            reasons.append(Reason("a destination that does not fit", weight, (line,), caveat))
    return reasons
