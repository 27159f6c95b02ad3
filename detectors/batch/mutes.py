"""Mutes: findings of a kind that an analyst has muted on a hull stand, but weigh nothing.

Takes verdicts, tonight's history and what was judged; gives what is judged with the muted findings at 0 dB. Hulls get
other ids when tracks are linked anew, so a hull of a verdict is looked up among tonight's: by id, or else by MMSI.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.engine import Judged, judge_voyages
from vessels.history import History

MUTED: Final = "muted on this hull by an analyst, until "
"""How the caveat of a muted finding begins."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Muted:
    """What is judged, with muted findings at 0 dB; which voyages they were on, and how many there were."""

    judged: Judged
    voyages: frozenset[str]
    n_findings: int


class Hulls:
    """Tonight's hulls, found again by what a verdict or a row told before says of them."""

    def __init__(self, history: History, mmsi: Collection[int]) -> None:
        """`mmsi` are those that will be asked for."""
        wanted = pa.array(sorted(mmsi), pa.int64())
        tracks = history.segments.select(["mmsi", "hull_id"])
        tracks = tracks.filter(pc.is_in(tracks["mmsi"], value_set=wanted))
        self._known = frozenset(pc.unique(history.segments["hull_id"]).to_pylist()) if len(wanted) else frozenset()
        self._by_mmsi: dict[int, set[str]] = defaultdict(set)
        for row in tracks.to_pylist():
            self._by_mmsi[row["mmsi"]].add(row["hull_id"])
        said = history.identities.select(["mmsi", "hull_id", "imo"])
        said = said.filter(pc.and_(pc.is_in(said["mmsi"], value_set=wanted), pc.is_valid(said["imo"])))
        self._imo: dict[str | None, set[int]] = defaultdict(set)
        for row in said.to_pylist():
            self._imo[row["hull_id"]].add(row["imo"])

    def now(self, row: Row) -> str | None:
        """The hull of a row with `hull_id`, `mmsi` and `imo`: by id, or the only one under its MMSI tonight.

        None where several hulls send the MMSI, or the only one claims another IMO number.
        """
        if row["hull_id"] in self._known:
            hull: str = row["hull_id"]
            return hull
        hulls = self._by_mmsi.get(row["mmsi"], set())
        if len(hulls) != 1:
            return None
        (only,) = hulls
        claimed = self._imo.get(only, set())
        return None if row["imo"] is not None and claimed and row["imo"] not in claimed else only


def muted_pairs(mutes: Iterable[Row], hulls: Hulls) -> dict[tuple[str, str], datetime]:
    """Hull and kind of every mute, with the time until which it lasts."""
    pairs: dict[tuple[str, str], datetime] = {}
    for row in mutes:
        hull = hulls.now(row)
        if hull is not None:
            for kind in row["mute_kinds"]:
                pairs[hull, kind] = max(pairs.get((hull, kind), row["mute_until"]), row["mute_until"])
    return pairs


def mute(judged: Judged, pairs: Mapping[tuple[str, str], datetime]) -> Muted:
    """What is judged with the findings of these hulls and kinds at 0 dB; they stay, with a caveat that says why."""
    if not pairs:
        return Muted(judged, frozenset(), 0)
    findings, voyages, n_findings = [], set(), 0
    for finding in judged.findings:
        until = pairs.get((finding.hull_id or "", finding.kind))
        if until is None:
            findings.append(finding)
            continue
        caveats = tuple(caveat for caveat in finding.caveats if not caveat.startswith(MUTED))
        findings.append(finding.with_(weight_db=0.0, caveats=(*caveats, f"{MUTED}{until:%Y-%m-%d}")))
        n_findings += 1
        if finding.voyage_id is not None:
            voyages.add(finding.voyage_id)
    verdicts = judge_voyages(f for f in findings if f.voyage_id in voyages)
    muted = replace(judged, findings=tuple(findings), verdicts={**judged.verdicts, **verdicts})
    return Muted(muted, frozenset(voyages), n_findings)
