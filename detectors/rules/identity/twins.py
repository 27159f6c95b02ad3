"""One IMO number under two MMSI: two ships at once, two sets on one hull, or a ship that changed its flag.

Takes the claims of valid IMO numbers and the tracks of those who made them; gives `imo_twin` where no one ship could
have been in both places, and hands the rest to `flags`. Which it is, positions decide: the number alone cannot. Which
of the two is the true bearer, `bearers` weighs: the finding is on the other one, and a weak one on the likely victim.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from detectors.finding import Evidence, Finding
from detectors.rules.identity.bearers import Contest
from detectors.rules.identity.claimants import Records
from detectors.rules.identity.claims import Claims, Spell
from detectors.rules.identity.digits import states_of
from detectors.rules.identity.flags import flag_changes
from detectors.rules.identity.standing import Lookups
from detectors.rules.identity.surroundings import Points
from detectors.rules.identity.verdicts import VICTIM_SHARE, bearer_caveats, bearer_lines, true_bearer_sentence
from detectors.rules.identity.wording import combined, iso, known, position, sentence, ship, span
from vessels.ais import imo_check_digit_ok
from vessels.geodesy import distance_nmi
from vessels.instants import instant_of
from vessels.names import near_equal_call_signs, near_equal_names
from vessels.units import US_PER_H

TWIN: Final = 0.85
"""Several pairs of positions, and both sets said the number often: two hulls wear one identity (Hai Zhou 168, 2019)."""
TWIN_ONCE: Final = 0.6
"""One pair of positions only."""
TWIN_BARELY_SAID: Final = 0.25
"""One of the two said it once or twice: one typing error in ten passes the check digit."""
SMALL: Final = 0.6
"""Factor where none of the ships is of class A size, as with tugs and ferries of inland waters."""
TYPED_BY_MANY: Final = 0.1
TWO_SETS: Final = 0.05
"""The same place, name and flag: a second set on one hull, lawful and common on yachts and new ships."""
TWO_SETS_OTHER_NAME: Final = 0.1
TWO_SETS_OTHER_FLAG: Final = 0.05
"""A second set is often one from before a sale, left switched on with the old number."""
MANY_CONFLICTS: Final = 3
AT_ONCE_H: Final = 0.5
"""Sketches hold a point about every 20 minutes, so that two tracks' points lie at most this far apart."""
CRUISING_KN: Final = 20.0
ONE_HULL_NMI: Final = 1.0
"""Two sets on one hull are as far apart as it sails between their reports, and not further."""


class _Claimant(NamedTuple):
    """One MMSI that claimed an IMO number: its spells with that number, in order of time."""

    mmsi: int
    spells: tuple[Spell, ...]

    @property
    def first_us(self) -> int:
        return self.spells[0].first_us

    @property
    def last_us(self) -> int:
        return max(spell.last_us for spell in self.spells)

    @property
    def n_reports(self) -> int:
        return sum(spell.n_reports for spell in self.spells)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Two claimants' positions held against each other: pairs nearest in time that no one ship explains."""

    n_conflicts: int
    first_us: int
    last_us: int
    times_us: tuple[int, int]
    places: tuple[tuple[float, float], tuple[float, float]]
    distance_nmi: float
    side_by_side: bool

    def seen_from_the_other(self) -> Self:
        """The same meeting with the two claimants exchanged."""
        return replace(self, times_us=self.times_us[::-1], places=self.places[::-1])


_Apart = Sequence[tuple[_Claimant, _Meeting]]


def imo_groups(claims: Claims) -> dict[int, npt.NDArray[np.intp]]:
    """Valid IMO numbers claimed under more than one MMSI -> rows that claim them."""
    imo, mmsi = claims.columns["imo"], claims.columns["mmsi"]
    rows = np.flatnonzero((imo > 0) & imo_check_digit_ok(imo))
    if not len(rows):
        return {}
    rows = rows[np.lexsort((rows, mmsi[rows], imo[rows]))]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(imo[rows]) != 0]))
    ends = np.append(starts[1:], len(rows))
    several = mmsi[rows[starts]] != mmsi[rows[ends - 1]]
    pairs = zip(starts[several].tolist(), ends[several].tolist(), strict=True)
    return {int(imo[rows[start]]): rows[start:end] for start, end in pairs}


def same_imo(imo: int, spells: Sequence[Spell], lookups: Lookups, records: Records) -> list[Finding]:
    """Findings on one IMO number from all spells that claim it."""
    by_mmsi: dict[int, list[Spell]] = {}
    for spell in sorted(spells, key=lambda one: (one.first_us, one.mmsi)):
        by_mmsi.setdefault(spell.mmsi, []).append(spell)
    claimants = [_Claimant(mmsi, tuple(members)) for mmsi, members in by_mmsi.items()]
    claimants.sort(key=lambda one: (one.first_us, one.mmsi))
    if len(claimants) > lookups.thresholds.max_sharers:
        return [_typed_by_many(imo, claimants)]
    meetings = {(a.mmsi, b.mmsi): _meet(a, b, lookups) for a, b in combinations(claimants, 2)}
    torn = {frozenset(pair) for pair, meeting in meetings.items() if meeting.n_conflicts}
    together = {frozenset(pair) for pair, meeting in meetings.items() if meeting.side_by_side}
    contest = records.contest_of_imo(imo, by_mmsi, torn, together) if torn else None
    true = contest.true.claimant.mmsi if contest is not None and contest.true is not None else ()
    found: list[Finding] = []
    for place, one in enumerate(claimants):
        older = [(other, meetings[other.mmsi, one.mmsi]) for other in claimants[:place]]
        later = claimants[place + 1 :]
        newer = [(other, meetings[one.mmsi, other.mmsi].seen_from_the_other()) for other in later]
        apart = [pair for pair in older if pair[1].n_conflicts]
        if one.mmsi in true:
            apart += [pair for pair in newer if pair[1].n_conflicts]
        else:
            apart += [pair for pair in newer if pair[1].n_conflicts and pair[0].mmsi in true]
        if apart:
            found += _twins(imo, one, apart, contest, lookups)
        else:
            found += [_two_sets(imo, one, other) for other, meeting in older if meeting.side_by_side]
    return found + flag_changes(imo, spells, torn, lookups)


def _points(claimant: _Claimant, lookups: Lookups) -> Points:
    """Where the claimant was heard while it claimed the number: its track, with both ends of each spell."""
    segments = {spell.segment_id for spell in claimant.spells}
    track = lookups.surroundings.points(claimant.mmsi, () if None in segments else segments)
    within = np.zeros(len(track.time_us), dtype=np.bool_)
    ends: list[tuple[int, float, float]] = []
    for spell in claimant.spells:
        within |= (track.time_us >= spell.first_us) & (track.time_us <= spell.last_us)
        ends.append((spell.first_us, spell.first_lat, spell.first_lon))
        ends.append((spell.last_us, spell.last_lat, spell.last_lon))
    time_us = np.concatenate([track.time_us[within], np.array([end[0] for end in ends], dtype=np.int64)])
    lat = np.concatenate([track.lat[within], np.array([end[1] for end in ends], dtype=np.float64)])
    lon = np.concatenate([track.lon[within], np.array([end[2] for end in ends], dtype=np.float64)])
    heard = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    heard = heard[np.lexsort((lon[heard], lat[heard], time_us[heard]))]
    return Points(time_us[heard], lat[heard], lon[heard], np.full(len(heard), -1, dtype=np.int64))


def _meet(older: _Claimant, newer: _Claimant, lookups: Lookups) -> _Meeting:
    """Each position of the newer claimant against those of the older just before and just after it."""
    a, b = _points(newer, lookups), _points(older, lookups)
    nothing = _Meeting(0, 0, 0, (0, 0), ((np.nan, np.nan), (np.nan, np.nan)), 0.0, False)
    if not len(a.time_us) or not len(b.time_us):
        return nothing
    thresholds = lookups.thresholds
    after = np.searchsorted(b.time_us, a.time_us)
    rows = np.tile(np.arange(len(a.time_us)), 2)
    partners = np.concatenate([np.maximum(after - 1, 0), np.minimum(after, len(b.time_us) - 1)])
    hours = np.abs(a.time_us[rows] - b.time_us[partners]) / US_PER_H
    apart = distance_nmi(a.lat[rows], a.lon[rows], b.lat[partners], b.lon[partners])
    torn = np.flatnonzero(apart > thresholds.position_slack_nmi + thresholds.max_speed_kn * hours)
    at_once = hours <= AT_ONCE_H
    beyond = apart[at_once] - CRUISING_KN * hours[at_once]
    side_by_side = bool(len(beyond) and np.median(beyond) <= ONE_HULL_NMI)
    if not len(torn):
        return _Meeting(0, 0, 0, (0, 0), nothing.places, 0.0, side_by_side)
    best = torn[np.lexsort((rows[torn], -apart[torn], hours[torn]))[0]]
    row, partner = int(rows[best]), int(partners[best])
    times = a.time_us[rows[torn]]
    return _Meeting(
        n_conflicts=len(np.unique(times)),
        first_us=int(times.min()),
        last_us=int(times.max()),
        times_us=(int(a.time_us[row]), int(b.time_us[partner])),
        places=((float(a.lat[row]), float(a.lon[row])), (float(b.lat[partner]), float(b.lon[partner]))),
        distance_nmi=float(apart[best]),
        side_by_side=False,
    )


def _said(imo: int, claimant: _Claimant) -> Evidence:
    many = f"{claimant.n_reports} reports, {span(claimant.first_us, claimant.last_us)}"
    return Evidence(f"IMO number {imo} claimed by", f"{_label(claimant)}: {many}", "one ship")


def _label(claimant: _Claimant) -> str:
    names = [spell.name for spell in claimant.spells if spell.name is not None]
    return ship(names[-1] if names else None, claimant.mmsi)


def _twins(imo: int, one: _Claimant, apart: _Apart, contest: Contest | None, lookups: Lookups) -> list[Finding]:
    """Findings on one claimant, from its meetings with others: in full, or little if it is the likely true bearer."""
    worst = max(meeting.n_conflicts for _, meeting in apart)
    barely = min(one.n_reports, max(other.n_reports for other, _ in apart)) < 2
    strength = TWIN_BARELY_SAID if barely else TWIN if worst >= MANY_CONFLICTS else TWIN_ONCE
    spells = [spell for claimant in (one, *(other for other, _ in apart)) for spell in claimant.spells]
    small = not any(spell.length_m >= lookups.thresholds.merchant_length_m for spell in spells)
    if small:
        strength *= SMALL
    evidence = [_said(imo, one)]
    for other, meeting in apart:
        (lat, lon), (other_lat, other_lon) = meeting.places
        evidence.append(_said(imo, other))
        evidence.append(
            Evidence(
                "distance between the two",
                f"{meeting.distance_nmi:.1f}: {position(lat, lon)} at {iso(meeting.times_us[0])}, "
                f"{position(other_lat, other_lon)} at {iso(meeting.times_us[1])}; {meeting.n_conflicts} such pairs",
                f"at most {_reach(meeting, lookups):.1f} for one ship",
                "nmi",
            )
        )
    caveats = ["an IMO number mistyped into one set passes the check digit one time in ten"]
    if barely:
        caveats.append("one of the ships said the number only once")
    if small:
        caveats.append("none of them says it is of class A size: such craft are seldom asked for their number")
    if worst < MANY_CONFLICTS:
        caveats.append(f"only {worst} of the positions rule out one ship")
    verdict = ""
    if contest is not None:
        about = contest.of(one.mmsi)
        verdict = true_bearer_sentence(contest)
        evidence += bearer_lines(contest)
        caveats += bearer_caveats(contest, about)
        strength *= VICTIM_SHARE if about is not None and about is contest.true else 1.0
    first_us = min(meeting.first_us for _, meeting in apart)
    last_us = max(meeting.last_us for _, meeting in apart)
    farthest, meeting = max(apart, key=lambda pair: (pair[1].distance_nmi, -pair[0].mmsi))
    lat, lon = meeting.places[0]
    hulls = {spell.hull_id for spell in one.spells}
    finding = Finding(
        detector="",
        detector_version="",
        kind="imo_twin",
        mmsi=one.mmsi,
        start=instant_of(first_us),
        end=instant_of(last_us),
        strength=round(strength, 4),
        headline=sentence(
            f"{_label(one)} and {_label(farthest)} sent one IMO number, {imo}, from places "
            f"{meeting.distance_nmi:.0f} nmi apart.{verdict}"
        ),
        evidence=tuple(evidence),
        caveats=tuple(caveats),
        other_mmsi=tuple(sorted(other.mmsi for other, _ in apart)),
        lat=known(lat),
        lon=known(lon),
        subject=str(imo),
    )
    return lookups.voyages.told_of_each(finding, first_us, last_us, hulls.pop() if len(hulls) == 1 else None)


def _reach(meeting: _Meeting, lookups: Lookups) -> float:
    hours = abs(meeting.times_us[0] - meeting.times_us[1]) / US_PER_H
    return lookups.thresholds.position_slack_nmi + lookups.thresholds.max_speed_kn * hours


def _two_sets(imo: int, newer: _Claimant, older: _Claimant) -> Finding:
    one, other = newer.spells[-1], older.spells[-1]
    signs_alike = one.call_sign is not None and near_equal_call_signs(one.call_sign, other.call_sign)
    named_alike = signs_alike or near_equal_names(one.name, other.name) is not None
    flags_alike = bool(states_of(newer.mmsi) & states_of(older.mmsi))
    others = ([] if named_alike else [TWO_SETS_OTHER_NAME]) + ([] if flags_alike else [TWO_SETS_OTHER_FLAG])
    return Finding(
        detector="",
        detector_version="",
        kind="imo_twin",
        mmsi=newer.mmsi,
        start=instant_of(newer.first_us),
        end=instant_of(newer.last_us),
        strength=combined(TWO_SETS, *others),
        headline=sentence(f"{_label(newer)} and {_label(older)} sent one IMO number, {imo}, from one place."),
        evidence=(
            _said(imo, newer),
            _said(imo, older),
            Evidence(
                "distance between the two while both were heard",
                "what one hull sails between reports",
                "one set on a hull",
            ),
        ),
        caveats=("in one place, this fits two sets on one hull, or a set reprogrammed on the day",),
        other_mmsi=(older.mmsi,),
        lat=known(one.first_lat),
        lon=known(one.first_lon),
        segment_id=newer.spells[0].segment_id,
        hull_id=newer.spells[0].hull_id,
        subject=str(imo),
    )


def _typed_by_many(imo: int, claimants: Sequence[_Claimant]) -> Finding:
    newest = claimants[-1]
    return Finding(
        detector="",
        detector_version="",
        kind="imo_twin",
        mmsi=newest.mmsi,
        start=instant_of(newest.first_us),
        end=instant_of(newest.last_us),
        strength=TYPED_BY_MANY,
        headline=f"IMO number {imo} was sent under {len(claimants)} MMSI.",
        evidence=(Evidence(f"MMSI that claim IMO number {imo}", str(len(claimants)), "1"), _said(imo, newest)),
        caveats=("so many sets with one number: rather a number typed to fill the field",),
        other_mmsi=tuple(sorted(one.mmsi for one in claimants[:-1])),
        segment_id=newest.spells[0].segment_id,
        hull_id=newest.spells[0].hull_id,
        subject=str(imo),
    )
