"""What a scan of a planted copy told that no plant explains: findings, and strong links of two hulls.

Takes new findings, what was planted and the unplanted scan; gives those that stand for themselves, with the look-alikes
that drew them. What was found of the plants is counted in `detectors.backtest.scoring`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.backtest.kinds import KINDS
from detectors.backtest.outcomes import Sighting, StrongLink, View
from detectors.backtest.truth import HullTruth
from detectors.backtest.workshop import Plant

_EVER_AFTER_US: Final = 2**62
"""A case may be told of voyages long after the plant has ended, as that of an identity borrowed for a while."""


@dataclass(frozen=True, slots=True)
class FalseFindings:
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


def false_findings(new: Sequence[Sighting], plants: Sequence[Plant], unplanted: View) -> FalseFindings:
    told, already = [], []
    for finding in new:
        if any(finding.meets(p.mmsi, p.start_us, _EVER_AFTER_US) for p in plants if not KINDS[p.kind].is_lookalike):
            continue
        touched = [KINDS[p.kind] for p in plants if finding.meets(p.mmsi, p.start_us, p.end_us)]
        lawful = [kind for kind in touched if kind.is_lookalike]
        if any(finding.kind in kind.shows for kind in lawful):
            continue
        if any(unplanted.about(one) for one in _undelayed(finding, plants)):
            already.append(finding)
        else:
            told.append((finding, tuple(sorted({kind.name for kind in lawful}))))
    return FalseFindings(tuple(told), tuple(already))


def _undelayed(finding: Sighting, plants: Sequence[Plant]) -> Iterator[Sighting]:
    """The finding, and where it would have been had the tracks that it names not gone on later than they did."""
    yield finding
    for delay in (delay for plant in plants for delay in plant.delays):
        if delay.mmsi in finding.mmsi and finding.end_us >= delay.from_us:
            yield replace(finding, start_us=finding.start_us - delay.by_us, end_us=finding.end_us - delay.by_us)


def told_links(
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
