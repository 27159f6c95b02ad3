"""Findings held against plants: what was found of each kind, what was found where nothing was planted.

Takes what was planted, the views of the planted and the unplanted scan, and the truth about hulls; gives the two tables
of a backtest and the sums over all links. Thresholds of detectors play no part here either.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from detectors.backtest.kinds import KINDS, Kind
from detectors.backtest.outcomes import UNFLAGGED, Passage, Sighting, StrongLink, View
from detectors.backtest.tables import BACKTEST, FALSE, PLANTS
from detectors.backtest.truth import HullTruth
from detectors.backtest.workshop import Plant, TrueLink
from vessels.schema import make_id
from vessels.units import US_PER_H

Z_95: Final = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95 %."""
SERIOUS: Final = ("critical", "high")
_EVER_AFTER_US: Final = 2**62
"""A case may be told of voyages long after the plant has ended, as that of an identity borrowed for a while."""
_LINK_SLACK_US: Final = US_PER_H
"""A link is the one planted when it spans the planted silence; a report or two may lie between."""


def wilson(found: int, planted: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which holds for few and for all, unlike plus or minus.

    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    if planted == 0:
        return 0.0, 1.0
    share, z2 = found / planted, Z_95**2
    middle = share + z2 / (2 * planted)
    half = Z_95 * np.sqrt(share * (1 - share) / planted + z2 / (4 * planted**2))
    scale = 1 + z2 / planted
    return max(float((middle - half) / scale), 0.0), min(float((middle + half) / scale), 1.0)


@dataclass(frozen=True, slots=True)
class LinkSum:
    """Strong links of a planted scan: those planted and found, those of one hull, of two, and those there before."""

    n_planted: int
    n_found: int
    n_right: int
    n_wrong: int
    n_already_there: int

    @property
    def recall(self) -> float | None:
        """Share of planted links that are strong links."""
        return self.n_found / self.n_planted if self.n_planted else None

    @property
    def precision(self) -> float | None:
        """Share of one hull among the strong links that are told; those already there are told by nobody."""
        told = self.n_right + self.n_wrong
        return self.n_right / told if told else None


@dataclass(frozen=True, slots=True)
class Score:
    """The tables of a backtest, and the links of all kinds together."""

    kinds: pa.Table
    plants: pa.Table
    false: pa.Table
    links: LinkSum


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one plant."""

    plant: Plant
    own: tuple[Sighting, ...]
    other_kinds: tuple[str, ...]
    passage: Passage | None
    score_before: float
    turned_serious: bool
    n_links: int

    @property
    def is_found(self) -> bool:
        return bool(self.own)


def score(
    plants: Sequence[Plant], asked: Mapping[str, int], seed: int, planted: View, unplanted: View, truth: HullTruth
) -> Score:
    """Hold the findings of the planted scan against what was planted."""
    known = {finding.finding_id for finding in unplanted.findings}
    new = [finding for finding in planted.findings if finding.finding_id not in known]
    fates = [_fate(plant, new, plants, planted, unplanted) for plant in plants]
    right, wrong, before = _told(planted.links, unplanted.links, truth)
    false = _false_findings(new, plants, unplanted)
    there: dict[str, int] = defaultdict(int)
    for finding in planted.findings:
        there[finding.kind] += finding.finding_id in known or any(finding is one for one in false.already_there)
    rows = [
        _row(
            KINDS[name],
            count,
            [fate for fate in fates if fate.plant.kind == name],
            false,
            there[name],
            planted,
            (right, wrong),
        )
        for name, count in asked.items()
    ]
    links = LinkSum(
        n_planted=sum(len(plant.links) for plant in plants),
        n_found=sum(fate.n_links for fate in fates),
        n_right=len(right),
        n_wrong=len(wrong),
        n_already_there=len(before),
    )
    told = [one for one in false.findings if one[0].kind in asked]
    return Score(_table(rows), _plants_table(fates, seed), _false_table(told, wrong), links)


@dataclass(frozen=True, slots=True)
class _FalseFindings:
    """New findings that no plant explains, each with the look-alikes that drew it.

    `already_there`: those that the unplanted data have at another time or with other details.
    """

    findings: tuple[tuple[Sighting, tuple[str, ...]], ...]
    already_there: tuple[Sighting, ...]

    def n_of(self, kind: str, voyages: frozenset[str | None] | None = None) -> int:
        """How many there are of a kind, on these voyages."""
        return sum(
            finding.kind == kind and (voyages is None or finding.voyage_id in voyages) for finding, _ in self.findings
        )

    def n_cases_of(self, kind: str) -> int:
        """How many sets of ships they speak of: one case may be told of each voyage anew."""
        return len({finding.mmsi for finding, _ in self.findings if finding.kind == kind})


def _false_findings(new: Sequence[Sighting], plants: Sequence[Plant], unplanted: View) -> _FalseFindings:
    told, already = [], []
    for finding in new:
        if any(finding.meets(p.mmsi, p.start_us, _EVER_AFTER_US) for p in plants if not KINDS[p.kind].is_lookalike):
            continue
        touched = [KINDS[p.kind] for p in plants if finding.meets(p.mmsi, p.start_us, p.end_us)]
        lawful = [kind for kind in touched if kind.is_lookalike]
        if any(finding.kind in kind.shows for kind in lawful):
            continue
        if unplanted.about(finding):
            already.append(finding)
        else:
            told.append((finding, tuple(sorted({kind.name for kind in lawful}))))
    return _FalseFindings(tuple(told), tuple(already))


def _fate(plant: Plant, new: Sequence[Sighting], plants: Sequence[Plant], planted: View, unplanted: View) -> _Fate:
    kind = KINDS[plant.kind]
    near = [finding for finding in new if finding.meets(plant.mmsi, plant.start_us, plant.end_us)]
    if not plant.mmsi:
        taken = frozenset(mmsi for other in plants for mmsi in other.mmsi)
        near = [finding for finding in near if finding.mmsi.isdisjoint(taken)]
    wanted = kind.resembles if kind.is_lookalike else (kind.name,)
    own = tuple(finding for finding in near if finding.kind in wanted)
    during = planted.during(plant.mmsi, plant.start_us, plant.end_us)
    before = unplanted.during(plant.mmsi, plant.start_us, plant.end_us) if plant.mmsi else []
    return _Fate(
        plant=plant,
        own=own,
        other_kinds=tuple(sorted({finding.kind for finding in near} - {finding.kind for finding in own})),
        passage=_passage(plant, during, own, near) if plant.mmsi else None,
        score_before=max((one.score for one in before), default=0.0),
        turned_serious=any(one.band in SERIOUS for one in _touched(during, near))
        and not any(one.band in SERIOUS for one in before),
        n_links=sum(any(_is_planted(link, true) for link in planted.links) for true in plant.links),
    )


def _touched(during: Iterable[Passage], findings: Iterable[Sighting]) -> list[Passage]:
    ids = {finding.voyage_id for finding in findings}
    return [passage for passage in during if passage.voyage_id in ids]


def _passage(
    plant: Plant, during: Sequence[Passage], own: Sequence[Sighting], near: Sequence[Sighting]
) -> Passage | None:
    """The planted voyage: that of its finding, else of any new finding, else the one under way when it began."""
    begun = [one for one in during if one.start_us <= plant.start_us <= one.end_us]
    some = _touched(during, own) or _touched(during, near) or begun or during
    return max(some, key=lambda one: (one.evidence_db, one.voyage_id), default=None)


def _is_planted(link: StrongLink, true: TrueLink) -> bool:
    same = (link.from_mmsi, link.to_mmsi) == (true.from_mmsi, true.to_mmsi)
    return same and link.ended_us <= true.began_us + _LINK_SLACK_US and link.began_us >= true.ended_us - _LINK_SLACK_US


def _told(
    links: Sequence[StrongLink], before: Sequence[StrongLink], truth: HullTruth
) -> tuple[list[StrongLink], list[StrongLink], list[StrongLink]]:
    """Strong links of one hull, of two, and those between two tracks that the unplanted data already had."""
    known = {(one.from_mmsi, one.to_mmsi) for one in before}
    right, wrong, there = [], [], []
    for link in links:
        hulls = truth.hulls(link)
        if hulls[0] is not None and hulls[0] == hulls[1]:
            right.append(link)
        elif hulls in known or (link.from_mmsi, link.to_mmsi) in known:
            there.append(link)
        else:
            wrong.append(link)
    return right, wrong, there


def _share(n: int, of: int) -> float | None:
    return n / of if of else None


def _row(
    kind: Kind,
    asked: int,
    fates: Sequence[_Fate],
    false: _FalseFindings,
    n_there: int,
    planted: View,
    links: tuple[Sequence[StrongLink], Sequence[StrongLink]],
) -> dict[str, Any]:
    n_voyages, flagged = planted.n_voyages, planted.flagged
    n, found = len(fates), sum(fate.is_found for fate in fates)
    low, high = wilson(found, n)
    own = {mmsi for fate in fates for mmsi in fate.plant.mmsi}
    right, wrong = (sum(link.from_mmsi in own or link.to_mmsi in own for link in told) for told in links)
    n_links = sum(len(fate.plant.links) for fate in fates)
    ranks = [n_voyages if fate.passage is None else fate.passage.rank for fate in fates]
    bands = [UNFLAGGED if fate.passage is None else fate.passage.band for fate in fates]
    row: dict[str, Any] = {
        "kind": kind.name,
        "is_lookalike": kind.is_lookalike,
        "n_asked": asked,
        "n_planted": n,
        "n_voyages": n_voyages,
        "n_drew": found if kind.is_lookalike else None,
        "n_serious": sum(fate.turned_serious for fate in fates),
        "n_links_planted": n_links,
        "link_recall": _share(sum(fate.n_links for fate in fates), n_links),
        "n_links_right": right,
        "n_links_wrong": wrong,
        "link_precision": _share(right, right + wrong),
    }
    if kind.is_lookalike:
        return row
    n_false, n_cases = false.n_of(kind.name), false.n_cases_of(kind.name)
    return row | {
        "n_found": found,
        "recall": _share(found, n),
        "recall_low": low if n else None,
        "recall_high": high if n else None,
        "n_false": n_false,
        "n_false_cases": n_cases,
        "n_false_flagged": false.n_of(kind.name, flagged),
        "n_already_there": n_there,
        "precision": _share(found, found + n_cases),
        "precision_at_worst": _share(found, found + n_cases + n_there),
        "false_per_1000_voyages": 1000.0 * n_false / max(n_voyages, 1),
        "false_per_1000_voyages_at_worst": 1000.0 * (n_false + n_there) / max(n_voyages, 1),
        "median_rank": float(np.median(ranks)) if ranks else None,
        "p90_rank": float(np.quantile(ranks, 0.9)) if ranks else None,
        **{f"share_{band}": _share(bands.count(band), n) for band in ("critical", "high", "medium", "low", UNFLAGGED)},
    }


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return BACKTEST.build({name: [row.get(name) for row in rows] for name in BACKTEST.names})


def _plants_table(fates: Sequence[_Fate], seed: int) -> pa.Table:
    rows = [
        {
            "plant_id": make_id("plant", fate.plant.kind, seed, *fate.plant.mmsi, fate.plant.start_us),
            "kind": fate.plant.kind,
            "is_lookalike": KINDS[fate.plant.kind].is_lookalike,
            "seed": seed,
            "mmsi": list(fate.plant.mmsi),
            "start": fate.plant.start_us,
            "end": fate.plant.end_us,
            "lat": fate.plant.lat,
            "lon": fate.plant.lon,
            "what": fate.plant.what,
            "is_found": fate.is_found,
            "finding_ids": [finding.finding_id for finding in fate.own],
            "other_kinds": list(fate.other_kinds),
            "n_links_planted": len(fate.plant.links),
            "n_links_found": fate.n_links,
            "voyage_id": fate.passage and fate.passage.voyage_id,
            "rank": fate.passage and fate.passage.rank,
            "score": fate.passage and fate.passage.score,
            "band": fate.passage and fate.passage.band,
            "score_before": fate.score_before,
            "turned_serious": fate.turned_serious,
        }
        for fate in fates
    ]
    return PLANTS.build({name: [row[name] for row in rows] for name in PLANTS.names})


def _false_table(findings: Sequence[tuple[Sighting, tuple[str, ...]]], links: Sequence[StrongLink]) -> pa.Table:
    rows: list[tuple[Any, ...]] = [
        ("finding", one.kind, one.finding_id, sorted(one.mmsi), one.start_us, one.end_us, list(lawful))
        for one, lawful in findings
    ]
    rows += [
        ("link", "hull_link", one.link_id, [one.from_mmsi, one.to_mmsi], one.ended_us, one.began_us, [])
        for one in links
    ]
    rows.sort(key=lambda row: (row[1], row[3], row[4], row[2]))
    return FALSE.build({name: [row[place] for row in rows] for place, name in enumerate(FALSE.names)})
