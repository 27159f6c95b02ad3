"""One MMSI on the air from two places at once.

Takes the vessel table's counts of simultaneous tracks and what each track claimed; gives `shared_mmsi` findings, one
a voyage made during the overlap. Names that alternate under such an MMSI are two ships' names, not renames. Where
`bearers` tell whose the number is, the voyages of that hull keep little of the strength.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.finding import Evidence, Finding
from detectors.rules.identity.bearers import Bearing, Contest
from detectors.rules.identity.claimants import Records
from detectors.rules.identity.claims import Claims, Spell
from detectors.rules.identity.interference import BRIEF_H
from detectors.rules.identity.standing import Lookups
from detectors.rules.identity.verdicts import VICTIM_SHARE, bearer_caveats, bearer_lines, true_bearer_sentence
from detectors.rules.identity.wording import combined, iso, sentence, ship, span
from vessels.ais import MmsiKind, mmsi_kinds, mmsi_text
from vessels.history import History
from vessels.instants import instant_of, times_us
from vessels.names import looks_like_gear, spelling
from vessels.units import US_PER_DAY, US_PER_H

LEAST: Final = 0.15
MOST: Final = 0.6
"""From a few alternations just over the least distance, to a hundred alternations a hundred miles apart and more."""
MANY_ALTERNATIONS: Final = 100
FAR_NMI: Final = 100.0
SAME_IMO: Final = 0.5
"""Both tracks claim one IMO number: not a number typed wrong in one set, but one identity in two places."""
FILLER: Final = 0.05
"""A number that sets send until they are programmed is shared by nature."""
STATE_DEFAULT: Final = 0.15
"""A state's digits and six zeros, as 240000000 and 416000000 of the labelled sample: a set as delivered."""
SMALL: Final = 0.4
MANY_TRACKS: Final = 0.5
BRIEF: Final = 0.5
NEXT_TO_NOTHING: Final = 0.02
"""Half a deciban: what is left where positioning was disturbed for everyone is not told."""
LONGEST_US: Final = 3650 * US_PER_DAY
"""No overlap lasts ten years: clocks that are wrong."""
NOISY: Final = 0.6
NOISE_SHARE: Final = 0.02
"""Share of positions that fit no track from which the tracks themselves are in doubt. Measured: under 0.006 where two
real ships were laid under one number, 0.035 for one boat whose set sends corrupt positions (docs/segments.md)."""


def shared_rows(history: History, lookups: Lookups) -> pa.Table:
    """Rows of the vessel table whose reports changed between tracks far apart often enough."""
    vessels = history.vessels
    thresholds = lookups.thresholds
    often = pc.greater_equal(vessels["n_alternations"], thresholds.min_alternations)
    far = pc.greater_equal(vessels["max_separation_nmi"], thresholds.min_separation_nmi)
    shared = pc.and_(pc.and_(often, far), pc.is_valid(vessels["overlap_start"]))
    return vessels.filter(pc.fill_null(shared, False))


def shared_mmsi(
    rows: pa.Table, claims: Claims, lookups: Lookups, records: Records, torn: Mapping[int, int]
) -> list[Finding]:
    """Findings on these rows of the vessel table; `torn` is what `others_torn` gives."""
    found: list[Finding] = []
    starts, ends = times_us(rows["overlap_start"]), times_us(rows["overlap_end"])
    claimed = claims.columns["mmsi"]
    for row, first_us, last_us in zip(rows.to_pylist(), starts.tolist(), ends.tolist(), strict=True):
        low, high = np.searchsorted(claimed, [row["mmsi"], row["mmsi"] + 1])
        spells = claims.spells(np.arange(low, high))
        first_us, last_us = max(first_us, 0), max(last_us, first_us)
        finding = _of_one(row, first_us, last_us, spells, lookups, torn.get(row["mmsi"], 0))
        if finding.strength < NEXT_TO_NOTHING:
            continue
        if int(mmsi_kinds(np.array([row["mmsi"]]))[0]) == MmsiKind.NO_SHAPE or last_us - first_us > LONGEST_US:
            found.append(finding)
            continue
        contest = records.contest_of_mmsi(row["mmsi"], first_us, last_us, spells)
        if contest is None:
            found += lookups.voyages.told_of_each(finding, first_us, last_us, None)
        elif contest.true is None:
            found += lookups.voyages.told_of_each(_judged(finding, contest, None), first_us, last_us, None)
        else:
            found += _of_each_hull(finding, contest, first_us, last_us, lookups)
    return found


def _of_one(
    row: dict[str, Any], first_us: int, last_us: int, spells: Sequence[Spell], lookups: Lookups, n_torn: int
) -> Finding:
    mmsi, alternations, separation_nmi = row["mmsi"], row["n_alternations"], row["max_separation_nmi"]
    filler = int(mmsi_kinds(np.array([mmsi]))[0]) == MmsiKind.NO_SHAPE
    n_tracks, n_noise = row["n_segments"] or 0, row["n_noise"] or 0
    noise_share = n_noise / max((row["n_positions"] or 0) + n_noise, 1)
    names = _values(spells, "name")
    common_imo = [imo for imo, senders in _values(spells, "imo").items() if len(senders) > 1]
    small = not any(spell.claims_merchant(lookups.thresholds) for spell in spells)
    strength = _graded(alternations, separation_nmi, lookups)
    caveats = []
    if common_imo:
        strength = combined(strength, SAME_IMO * _far(separation_nmi, lookups))
    if last_us - first_us < BRIEF_H * US_PER_H:
        strength *= BRIEF
        caveats.append("both were heard for some hours only: disturbed satellite positioning looks the same")
    if n_torn:
        strength /= (1.0 + n_torn) ** 2
        caveats.append(f"the same befell {n_torn} other ships about there in these hours: positioning was disturbed")
    if small:
        strength *= SMALL
        caveats.append("class B, small craft or nothing said of the ships: numbers of such sets are often typed twice")
    if any(looks_like_gear(spell.name) for spell in spells):
        caveats.append("fishing gear is on the air under this number")
    if n_tracks > lookups.thresholds.max_sharers:
        strength *= MANY_TRACKS
        caveats.append(f"{n_tracks} tracks under one number: rather a number that many sets were left with")
    if noise_share > NOISE_SHARE:
        strength *= NOISY
        caveats.append(
            f"{n_noise} positions fit no track ({100 * noise_share:.0f} %): the tracks may be broken reception"
        )
    if mmsi % 1_000_000 == 0 and not filler:
        strength = min(strength, STATE_DEFAULT)
        caveats.append("a state's digits and six zeros: sets are delivered with such numbers")
    if filler:
        strength = min(strength, FILLER)
        caveats.append("sets left unprogrammed send this number")
    evidence = [
        Evidence("tracks under the MMSI", str(n_tracks), "one", f"{span(first_us, last_us)}"),
        Evidence("changes of the reports between simultaneous tracks", str(alternations), "0"),
        Evidence("greatest distance between them at one time", f"{separation_nmi:.1f}", "0", "nmi"),
    ]
    if names:
        shown = ", ".join(sorted(names)[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        evidence.append(Evidence("names claimed under it", shown, "one name"))
    if common_imo:
        evidence.append(
            Evidence("IMO number claimed by two tracks", str(min(common_imo)), "one hull, in one place at one time")
        )
    label = f"MMSI {mmsi_text(mmsi)}" if len({spelling(name) for name in names}) != 1 else ship(min(names), mmsi)
    return Finding(
        detector="",
        detector_version="",
        kind="shared_mmsi",
        mmsi=mmsi,
        start=instant_of(first_us),
        end=instant_of(last_us),
        strength=round(strength, 4),
        headline=sentence(
            f"{label} was on the air from places up to {separation_nmi:.0f} nmi apart at once, from {iso(first_us)}."
        ),
        evidence=tuple(evidence),
        caveats=tuple(caveats),
    )


def _judged(finding: Finding, contest: Contest, about: Bearing | None) -> Finding:
    """The finding as it stands for one of the hulls, or for all while it is undecided whose the number is."""
    said = "" if about is None or about is contest.true else f" This is {about.claimant.label}."
    return finding.with_(
        headline=finding.headline + said + true_bearer_sentence(contest, finding.mmsi),
        evidence=(*finding.evidence, *bearer_lines(contest)),
        caveats=(*finding.caveats, *bearer_caveats(contest, about)),
    )


def _of_each_hull(finding: Finding, contest: Contest, first_us: int, last_us: int, lookups: Lookups) -> list[Finding]:
    """The finding for each voyage of each hull that sends the number: weak for those of the true bearer."""
    told: dict[str, Finding] = {}
    for about in sorted(contest.bearings, key=lambda one: one.probability):
        share = VICTIM_SHARE if about is contest.true else 1.0
        judged = _judged(finding, contest, about)
        for hull in sorted(about.claimant.hulls):
            own = judged.with_(segment_id=min(about.claimant.segments), hull_id=hull)
            for one in lookups.voyages.told_of_each(own, first_us, last_us, hull):
                weighed = one.with_(strength=round(share * one.strength, 4), subject=one.subject or hull)
                told.setdefault(one.voyage_id or hull, weighed)
    return list(told.values())


def _graded(alternations: int, separation_nmi: float, lookups: Lookups) -> float:
    """Grows with the logarithm of both, because the tenth alternation says less than the second."""
    thresholds = lookups.thresholds
    often = math.log(alternations / thresholds.min_alternations) / math.log(
        max(MANY_ALTERNATIONS / thresholds.min_alternations, 2.0)
    )
    return round(LEAST + (MOST - LEAST) * min(often, 1.0) * _far(separation_nmi, lookups), 4)


def _far(separation_nmi: float, lookups: Lookups) -> float:
    """0 at the least distance that counts, 1 from `FAR_NMI` on."""
    least = lookups.thresholds.min_separation_nmi
    return min(math.log(separation_nmi / least) / math.log(max(FAR_NMI / least, 2.0)), 1.0)


def _values(spells: Sequence[Spell], column: str) -> dict[Any, set[str]]:
    """Values said in a column, and which tracks or hulls said each."""
    said: dict[Any, set[str]] = {}
    for spell in spells:
        value = getattr(spell, column)
        if value:
            said.setdefault(value, set()).add(spell.hull_id or spell.segment_id or "")
    return said
