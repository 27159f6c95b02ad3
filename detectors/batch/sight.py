"""Sight: which findings that were told a night could not see again, and what is still told of them.

A voyage is told from a window that moves on: what was seen of it before must not be taken back because its rows have
left the window, or because a detector failed on them tonight. Takes what was judged tonight and what was told; gives
what was judged with such findings kept as told.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.broken import FACTS, FLEET, Failure
from detectors.batch.engine import Judged, in_order, judge_voyages
from detectors.batch.mutes import MUTED
from detectors.batch.told import Told, ToldVoyage
from detectors.finding import Finding
from detectors.triage import weigh

LONG_MEMORY: Final = frozenset(
    {
        *("listed_vessel", "near_listed_identity", "imo_twin"),
        *("hull_handover", "identity_exchange", "revived_identity", "reexport_pairing"),
    }
)
"""Kinds that rest on rows weeks or months before their own start: a number sent on an earlier voyage, the twin that was
heard first, the identity before, the landing of another ship."""
KEPT: Final = "kept as it was told: its rows lie, or may lie, before what was looked at tonight"
NOT_LOOKED_AT: Final = "kept as it was told: it could not be looked for tonight"


Fate = Literal["seen", "carried", "gone", "left", "later"]


@dataclass(frozen=True)
class Sight:
    """What a night could see: rows from `window_start` to `as_of`, but for the vessels and detectors that failed.

    `data_start` is the first time that counts in all data of the store, None where it is not known.
    """

    window_start: datetime
    as_of: datetime
    failures: Sequence[Failure] = ()
    data_start: datetime | None = None

    @cached_property
    def unread_vessels(self) -> frozenset[int]:
        """Vessels whose facts could not be made out."""
        return frozenset(mmsi for f in self.failures if f.detector in (FACTS, FLEET) for mmsi in f.mmsi)

    def could_not_look(self, finding: Finding) -> bool:
        """Whether what failed tonight is what could have found it."""
        vessels = {finding.mmsi, *finding.other_mmsi}
        failed = (set(f.mmsi) for f in self.failures if f.detector == finding.detector)
        return bool(vessels & self.unread_vessels) or any(not left_out or left_out & vessels for left_out in failed)

    def has_passed(self, told: ToldVoyage, finding: Finding) -> bool:
        """Whether rows that the finding rests on lie, or may lie, outside what is looked at tonight.

        They may where the window has moved since and the finding is of its older half or of a kind of long memory:
        a detector reads rows before the start of what it finds. What was told of later data has passed as well. While
        the window holds all data that there are, nothing has.
        """
        if told.as_of > self.as_of:
            return True
        if self.data_start is not None and self.data_start >= self.window_start:
            return False
        if finding.finding_id in told.out_of_sight or told.span_start < self.window_start:
            return True
        middle = self.window_start + (self.as_of - self.window_start) / 2
        return self.window_start > told.window_start and (finding.start < middle or finding.kind in LONG_MEMORY)

    def fate(self, told: ToldVoyage, is_seen: bool) -> Fate:
        """What has become of a voyage that was told; `is_seen` where tonight's history has it.

        `left` is one whose time ended before the window, `later` one that began after what is now; `carried` is one
        whose rows are not all looked at, and `gone` one that is no voyage any longer.
        """
        if is_seen:
            return "seen"
        if told.span_start > self.as_of:
            return "later"
        if told.span_end < self.window_start:
            return "left"
        return "gone" if self.whole(told) and told.row["mmsi"] not in self.unread_vessels else "carried"

    def whole(self, told: ToldVoyage) -> bool:
        """Whether all that was told of a voyage lies within what is looked at tonight."""
        return told.span_start >= self.window_start and told.as_of <= self.as_of


@dataclass(frozen=True)
class Kept:
    """What was judged, with findings kept as told; `out_of_sight` are the ids of those whose rows have passed."""

    judged: Judged
    out_of_sight: frozenset[str]


def keep_unseen(judged: Judged, voyages: pa.Table, told: Told, sight: Sight) -> Kept:
    """What was judged tonight of `voyages`, and what was told before that tonight could not see again.

    Of a finding that is seen in part the heavier of the two stands: tonight's, or as told. Findings of voyages that are
    carried over stay with their voyage, though it is not among `voyages`.
    """
    known = voyages.filter(pc.is_in(voyages["voyage_id"], value_set=pa.array(sorted(told), pa.string())))
    hulls = dict(zip(known["voyage_id"].to_pylist(), known["hull_id"].to_pylist(), strict=True))
    unseen = _unseen(told, hulls, sight)
    if not unseen:
        return Kept(judged, frozenset())
    merging = _Merging(judged, frozenset(voyage for voyage, _, _ in unseen))
    for voyage, finding, has_passed in unseen:
        merging.keep(kept_as_told(finding, has_passed=has_passed, voyage_id=voyage, hull_id=hulls.get(voyage)))
    findings = in_order(merging.findings.values())
    touched = {voyage for voyage, _, _ in unseen}
    verdicts = judge_voyages(finding for finding in findings if finding.voyage_id in touched)
    passed = {finding.finding_id for _, finding, has_passed in unseen if has_passed}
    out_of_sight = frozenset(passed & merging.kept)
    return Kept(replace(judged, findings=findings, verdicts={**judged.verdicts, **verdicts}), out_of_sight)


def _unseen(told: Told, seen: Collection[str], sight: Sight) -> list[tuple[str, Finding, bool]]:
    """Voyage, finding and whether its rows have passed, of all that was told and could not be seen tonight."""
    out = []
    for voyage, one in sorted(told.items()):
        fate = sight.fate(one, voyage in seen)
        if one.is_withdrawn or fate not in ("seen", "carried"):
            continue
        for finding in one.findings:
            has_passed = sight.has_passed(one, finding)
            if has_passed or fate == "carried" or sight.could_not_look(finding):
                out.append((voyage, finding, has_passed))
    return out


class _Merging:
    """Tonight's findings by id, into which those told before are put."""

    def __init__(self, judged: Judged, voyages: Collection[str]) -> None:
        self.findings = {finding.finding_id: finding for finding in judged.findings}
        self.kept: set[str] = set()
        self._own: dict[str, list[Finding]] = {}
        for finding in judged.findings:
            if finding.voyage_id is not None and finding.voyage_id in voyages:
                self._own.setdefault(finding.voyage_id, []).append(finding)

    def keep(self, told: Finding) -> None:
        """Put one in: beside tonight's, in the place of the same one if that weighs less, or not at all."""
        match = self.findings.get(told.finding_id)
        if match is None:
            match = self._same(told)
        if match is not None and (match.voyage_id != told.voyage_id or match.weight_db >= told.weight_db):
            return
        if match is not None:
            del self.findings[match.finding_id]
        self.findings[told.finding_id] = told
        self.kept.add(told.finding_id)

    def _same(self, told: Finding) -> Finding | None:
        """Tonight's finding that is this one with another start: of its kind and vessel, and at the same time."""
        for other in self._own.get(told.voyage_id or "", ()):
            if (other.kind, other.mmsi) == (told.kind, told.mmsi) and other.finding_id in self.findings:
                ends_after = told.end is None or other.start <= told.end
                if ends_after and (other.end is None or told.start <= other.end):
                    return other
        return None


def kept_as_told(finding: Finding, *, has_passed: bool, voyage_id: str, hull_id: str | None = None) -> Finding:
    """A finding told before, told again: weighed by the table of today, with a caveat that says why it is kept."""
    caveats = tuple(c for c in finding.caveats if c not in (KEPT, NOT_LOOKED_AT) and not c.startswith(MUTED))
    (weighed,) = weigh([finding])
    because = KEPT if has_passed else NOT_LOOKED_AT
    return weighed.with_(
        caveats=(*caveats, because), voyage_id=voyage_id, hull_id=finding.hull_id if hull_id is None else hull_id
    )
