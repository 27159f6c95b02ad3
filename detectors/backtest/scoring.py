"""Findings held against plants: what was found of each kind, what was found where nothing was planted.

Takes what was planted into each copy, the views of its scan and of the unplanted one, and the truth about hulls; gives
the tables of a backtest and the sums over all links. Thresholds of detectors play no part here either.
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
from detectors.backtest.unexplained import FalseFindings, false_findings, told_links
from detectors.backtest.workshop import Plant, TrueLink
from vessels.schema import make_id
from vessels.units import US_PER_H

Z_95: Final = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95 %."""
SERIOUS: Final = ("critical", "high")
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
class Trial:
    """One planted copy of the tracks: what was planted and asked for, what a scan of it said, which row is whose."""

    plants: Sequence[Plant]
    asked: Mapping[str, int]
    view: View
    truth: HullTruth


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one plant."""

    plant: Plant
    view: View
    own: tuple[Sighting, ...]
    other_kinds: tuple[str, ...]
    passage: Passage | None
    score_before: float
    turned_serious: bool
    n_links: int

    @property
    def is_found(self) -> bool:
        return bool(self.own)


def score(trials: Sequence[Trial], seed: int, unplanted: View) -> Score:
    """Hold the findings of the planted copies' scans against what was planted into each."""
    known = {finding.finding_id for finding in unplanted.findings}
    fates: list[_Fate] = []
    told: list[_Told] = []
    for trial in trials:
        new = [finding for finding in trial.view.findings if finding.finding_id not in known]
        fates += [_fate(plant, new, trial, unplanted) for plant in trial.plants]
        told.append(_told(trial, new, known, unplanted))
    asked = {name: n for trial in trials for name, n in trial.asked.items()}
    order = sorted(asked, key=lambda name: KINDS[name].is_lookalike)
    rows = [_row(KINDS[name], asked[name], [fate for fate in fates if fate.plant.kind == name], told) for name in order]
    links = LinkSum(
        n_planted=sum(len(fate.plant.links) for fate in fates),
        n_found=sum(fate.n_links for fate in fates),
        n_right=sum(len(one.right) for one in told),
        n_wrong=sum(len(one.wrong) for one in told),
        n_already_there=sum(one.n_links_before for one in told),
    )
    return Score(_table(rows), _plants_table(fates, seed), _false_table(told, asked), links)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a scan of one copy told that no plant explains, and its strong links, right and wrong."""

    view: View
    false: FalseFindings
    n_there: Mapping[str, int]
    right: Sequence[StrongLink]
    wrong: Sequence[StrongLink]
    n_links_before: int


def _told(trial: Trial, new: Sequence[Sighting], known: set[str], unplanted: View) -> _Told:
    false = false_findings(new, trial.plants, unplanted)
    there: dict[str, int] = defaultdict(int)
    for finding in trial.view.findings:
        there[finding.kind] += finding.finding_id in known or any(finding is one for one in false.already_there)
    right, wrong, before = told_links(trial.view.links, unplanted.links, trial.truth)
    return _Told(trial.view, false, there, right, wrong, len(before))


def _fate(plant: Plant, new: Sequence[Sighting], trial: Trial, unplanted: View) -> _Fate:
    kind, planted = KINDS[plant.kind], trial.view
    near = [finding for finding in new if finding.meets(plant.mmsi, plant.start_us, plant.end_us)]
    if kind.plant_all is not None:
        others = (other for other in trial.plants if KINDS[other.kind].plant_all is None)
        taken = frozenset(mmsi for other in others for mmsi in other.mmsi)
        near = [finding for finding in near if finding.mmsi.isdisjoint(taken)]
    wanted = kind.resembles if kind.is_lookalike else (kind.name,)
    own = tuple(finding for finding in near if finding.kind in wanted)
    during = planted.during(plant.mmsi, plant.start_us, plant.end_us)
    before = unplanted.during(plant.mmsi, plant.start_us, plant.end_us) if plant.mmsi else []
    return _Fate(
        plant=plant,
        view=planted,
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


def _share(n: int, of: int) -> float | None:
    return n / of if of else None


def _row(kind: Kind, asked: int, fates: Sequence[_Fate], told: Sequence[_Told]) -> dict[str, Any]:
    n_voyages = sum(one.view.n_voyages for one in told)
    n, found = len(fates), sum(fate.is_found for fate in fates)
    low, high = wilson(found, n)
    own = {mmsi for fate in fates for mmsi in fate.plant.mmsi}
    right, wrong = (
        sum(link.from_mmsi in own or link.to_mmsi in own for links in of for link in links)
        for of in ([one.right for one in told], [one.wrong for one in told])
    )
    n_links = sum(len(fate.plant.links) for fate in fates)
    ranks = [fate.view.n_voyages if fate.passage is None else fate.passage.rank for fate in fates]
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
    n_false, n_cases = (
        sum(one.false.n_of(kind.name) for one in told),
        sum(one.false.n_cases_of(kind.name) for one in told),
    )
    n_there = sum(one.n_there.get(kind.name, 0) for one in told)
    return row | {
        "n_found": found,
        "recall": _share(found, n),
        "recall_low": low if n else None,
        "recall_high": high if n else None,
        "n_false": n_false,
        "n_false_cases": n_cases,
        "n_false_flagged": sum(one.false.n_of(kind.name, one.view.flagged) for one in told),
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


def _false_table(told: Sequence[_Told], asked: Mapping[str, int]) -> pa.Table:
    findings = [one for copy in told for one in copy.false.findings if one[0].kind in asked]
    links = [link for copy in told for link in copy.wrong]
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
