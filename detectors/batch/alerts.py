"""Alerts: what a night tells, picked by rank within the budget; everything else is counted with its reason.

Takes a history, what was judged and what was told before; gives `Telling`: the night's `flagged_voyages` and
`findings`, the rows to keep of what is told, and the numbers of the run record. The steps: keep what is out of sight,
mute, make the full table, compare, pick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from detectors.batch.changes import Change
from detectors.batch.compare import Compared, Comparison, Entry, compare
from detectors.batch.engine import Judged
from detectors.batch.flagged import FLAGGED_VOYAGES, flagged_voyages
from detectors.batch.mutes import Hulls, Muted, mute, muted_pairs
from detectors.batch.nights import STATUSES
from detectors.batch.sight import Sight, keep_unseen
from detectors.batch.told import Told, ToldVoyage, told_table
from detectors.batch.verdicts import Verdicts
from detectors.finding import findings_table
from vessels.history import History
from vessels.zones import Zones

_TOLD_NOW: Final = ("new", "revised", "withdrawn")
"""Statuses of what is told; what stands unchanged was told before."""


@dataclass(frozen=True)
class Telling:
    """A night as it is told. `judged` has findings kept from before and muted ones as they count tonight."""

    flagged: pa.Table
    findings: pa.Table
    judged: Judged
    told: pa.Table
    alerts: Mapping[str, Any]


@dataclass(frozen=True)
class Picked:
    """The entries of a night that are listed, by rank, withdrawn ones last; and those that wait for another night."""

    listed: tuple[Entry, ...]
    waiting: tuple[Entry, ...]


def tell(
    history: History,
    judged: Judged,
    zones: Zones,
    *,
    told: Told,
    verdicts: Verdicts,
    sight: Sight,
    night_id: str,
    seq: int,
    budget: int | None,
    min_score: float,
) -> Telling:
    """What a night tells of a history, held against what was told before. Pure: nothing is read or written."""
    mutes = verdicts.mutes(sight.as_of)
    hulls = Hulls(history, {row["mmsi"] for row in (*mutes, *verdicts.confirmed_hulls)})
    kept = keep_unseen(judged, history.voyages, told, sight)
    muted = mute(kept.judged, muted_pairs(mutes, hulls))
    compared = compare(
        Comparison(
            flagged=flagged_voyages(history, muted.judged, None, zones, min_score),
            judged=muted.judged,
            history=history,
            told=told,
            verdicts=verdicts,
            sight=sight,
            min_score=min_score,
            hulls=hulls,
            muted=muted.voyages,
        )
    )
    picked = pick(compared.entries, budget)
    flagged = flagged_table(picked.listed)
    news = [(rank, entry) for rank, entry in enumerate(picked.listed, 1) if entry.status in _TOLD_NOW]
    return Telling(
        flagged=flagged,
        findings=findings_table(muted.judged.findings),
        judged=muted.judged,
        told=told_table([_told(entry, rank, kept.out_of_sight, night_id, seq, sight) for rank, entry in news]),
        alerts={
            "budget": budget,
            "min_score": min_score,
            **numbers(compared, picked),
            **_muted_numbers(kept.judged, muted, min_score),
        },
    )


def pick(entries: Sequence[Entry], budget: int | None) -> Picked:
    """What is told: as many new and revised voyages as the budget holds, by rank; watched ones do not count.

    A revised voyage beyond the budget stays in the table as unchanged, which is what was told of it; a new one waits.
    """
    listed, waiting, left = [], [], budget
    for entry in sorted(entries, key=lambda entry: entry.order):
        if entry.status in ("new", "revised") and not entry.is_watched:
            if left is not None and left <= 0:
                waiting.append(entry)
                if _was_listed(entry):
                    beyond = Change("beyond tonight's budget, to be told when its turn comes", is_material=False)
                    listed.append(replace(entry, status="unchanged", changes=(beyond, *entry.changes)))
                continue
            left = None if left is None else left - 1
        if entry.status not in ("quiet", "withdrawn"):
            listed.append(entry)
    withdrawn = sorted((entry for entry in entries if entry.status == "withdrawn"), key=lambda entry: entry.order)
    return Picked((*listed, *withdrawn), tuple(waiting))


def _was_listed(entry: Entry) -> bool:
    """Whether the voyage itself, and not only one that it takes the place of, stands as told."""
    return entry.base is not None and entry.base.voyage_id == entry.voyage_id and not entry.base.is_withdrawn


def flagged_table(entries: Sequence[Entry]) -> pa.Table:
    """The `flagged_voyages` table of entries, ranked in the order given."""
    rows = [
        {**entry.row, "rank": rank, "status": entry.status, "changes": [change.words for change in entry.changes]}
        for rank, entry in enumerate(entries, 1)
    ]
    return FLAGGED_VOYAGES.build({name: [row[name] for row in rows] for name in FLAGGED_VOYAGES.names})


def numbers(compared: Compared, picked: Picked) -> dict[str, Any]:
    """How many voyages there were of each sort: none that is over the threshold, or was told, is left uncounted."""
    counts = {status: sum(entry.status == status for entry in picked.listed) for status in STATUSES}
    quiet = [entry.voyage_id for entry in compared.entries if entry.status == "quiet"]
    return {
        "over_threshold": sum(entry.is_over for entry in compared.entries),
        **counts,
        "beyond_budget": len(picked.waiting),
        "beyond_budget_ids": [entry.voyage_id for entry in picked.waiting],
        "watched": sum(entry.is_watched and entry.status in ("new", "revised") for entry in picked.listed),
        "dismissed": len(quiet),
        "dismissed_ids": quiet,
        "carried": len(compared.carried),
        "carried_ids": list(compared.carried),
        "left_window": len(compared.left),
        "left_window_ids": list(compared.left),
        "later": len(compared.later),
        "later_ids": list(compared.later),
    }


def _muted_numbers(before: Judged, muted: Muted, min_score: float) -> dict[str, Any]:
    """How many findings weigh nothing by an analyst's word, and which voyages are not told for it."""
    silent = [
        voyage
        for voyage in sorted(muted.voyages)
        if before.verdicts[voyage].score >= min_score > muted.judged.verdicts[voyage].score
    ]
    return {"muted": muted.n_findings, "muted_ids": silent}


def _told(entry: Entry, rank: int, out_of_sight: frozenset[str], night_id: str, seq: int, sight: Sight) -> ToldVoyage:
    """What is kept of an entry that is told."""
    words = [change.words for change in entry.changes]
    return ToldVoyage(
        row={**entry.row, "rank": rank, "status": entry.status, "changes": words},
        night_id=night_id,
        seq=seq,
        revision=entry.revision,
        as_of=sight.as_of,
        window_start=sight.window_start,
        span_start=entry.span[0],
        span_end=entry.span[1],
        evidence_db=entry.evidence_db,
        follows=entry.follows,
        findings=tuple(entry.findings),
        out_of_sight=out_of_sight & {finding.finding_id for finding in entry.findings},
    )
