"""Changes: how a voyage differs tonight from what was told of it, in words, and which differences are material.

Takes the row and findings as told, and tonight's; gives `Change` records. What follows from them is left to
`detectors.batch.compare`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from detectors.finding import Finding
from detectors.triage import BANDS
from vessels.ais import mmsi_text

MATERIAL_DB: Final = 3.0
"""Evidence that doubles or halves the odds: ten times the common logarithm of two is 3.01 (Good 1950)."""
_HEIGHT: Final[Mapping[str, int]] = {band: -place for place, (band, _) in enumerate(BANDS)}
_WHO: Final = {"mmsi": "MMSI", "imo": "IMO number", "name": "name", "flag_state": "flag"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. A material one is told; one that adds to the case wakes a dismissed voyage too."""

    words: str
    is_material: bool = True
    adds: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A voyage at one time: its row of `flagged_voyages`, the weight of its evidence, its findings."""

    row: Row
    evidence_db: float
    findings: Sequence[Finding]

    def weights(self) -> dict[str, float]:
        """The heaviest finding of each kind that weighs anything, in decibans."""
        heaviest: dict[str, float] = {}
        for finding in self.findings:
            if finding.weight_db > 0.0:
                heaviest[finding.kind] = max(heaviest.get(finding.kind, 0.0), finding.weight_db)
        return heaviest


def changes_between(told: State, now: State, *, all_in_sight: bool = True) -> tuple[Change, ...]:
    """All differences, the material ones first.

    Where part of the voyage is out of sight, who she was and where she came from is not taken back, only added to.
    """
    found = [
        *_judgement(told, now),
        *_identity(told.row, now.row, all_in_sight),
        *_course(told.row, now.row, all_in_sight),
        *_lesser(told, now),
    ]
    return tuple(sorted(found, key=lambda change: not change.is_material))


def _judgement(told: State, now: State) -> Iterator[Change]:
    """Band, kinds and weight of the evidence."""
    was, band = told.row["band"], now.row["band"]
    if was != band:
        yield Change(f"band {band}, was {was}", adds=_HEIGHT[band] > _HEIGHT[was])
    before, after = told.weights(), now.weights()
    gained, lost = _only(after, before), _only(before, after)
    yield from _kinds("also found: ", gained, after, adds=True)
    yield from _kinds("no longer found: ", lost, before, adds=False)
    if abs(now.evidence_db - told.evidence_db) >= MATERIAL_DB:
        more = now.evidence_db > told.evidence_db
        yield Change(f"evidence {now.evidence_db:.1f} dB, was {told.evidence_db:.1f} dB", adds=more)


def _only(these: Collection[str], others: Collection[str]) -> list[str]:
    return sorted(set(these) - set(others))


def _kinds(words: str, kinds: Iterable[str], weights: Mapping[str, float], *, adds: bool) -> Iterator[Change]:
    """Kinds that came or went: material where the heaviest of a kind is."""
    kinds = list(kinds)
    for is_material in (True, False):
        some = [kind for kind in kinds if (weights[kind] >= MATERIAL_DB) == is_material]
        if some:
            yield Change(words + in_words(some), is_material, adds=adds and is_material)


def _identity(told: Row, now: Row, all_in_sight: bool) -> Iterator[Change]:
    """Who the ship says she is, who she was before, which hull she is taken to be."""
    for column, words in _WHO.items():
        was, value = told[column], now[column]
        if was != value and (value is not None or all_in_sight):
            yield Change(f"{words} {_shown(column, value)}, was {_shown(column, was)}", adds=value is not None)
    if told["hull_id"] != now["hull_id"]:
        yield Change(f"hull {now['hull_id']}, was {told['hull_id']}", adds=True)
    known = [told, now, *settled_identities(told)]
    new = [one for one in settled_identities(now) if not any(_covers(other, one) for other in known)]
    if new:
        yield Change(f"also known as {'; '.join(dict.fromkeys(_who(one) for one in new))}", adds=True)
    if all_in_sight:
        known = [now, *settled_identities(now)]
        gone = [one for one in settled_identities(told) if not any(_covers(other, one) for other in known)]
        if gone:
            yield Change(f"no longer known as {'; '.join(dict.fromkeys(_who(one) for one in gone))}")


def settled_identities(row: Row) -> list[Row]:
    """The earlier identities that nobody doubts to be the hull's, or that send its IMO number.

    Weak links and ships that merely share an MMSI come and go with every night's traffic.
    """
    sure = [e for e in row["earlier_identities"] if e["is_strong"] and e["link_probability"] is not None]
    return sure + [e for e in row["earlier_identities"] if e not in sure and e["same"] == "IMO"]


def _covers(other: Row, one: Row) -> bool:
    """Whether an identity says all that another does; a number or name not yet sent contradicts nothing."""
    if other["mmsi"] != one["mmsi"]:
        return False
    return all(one[field] is None or one[field] == other[field] for field in ("imo", "name"))


def _who(one: Row) -> str:
    imo = f", IMO {one['imo']}" if one["imo"] else ""
    return f"{one['name'] or 'no name'} (MMSI {mmsi_text(one['mmsi'])}{imo})"


def _course(told: Row, now: Row, all_in_sight: bool) -> Iterator[Change]:
    """Where she came from, whether she arrived, and where."""
    if told["origin"] != now["origin"] and (now["origin"] is not None or all_in_sight):
        yield Change(f"origin {now['origin'] or 'unknown'}, was {told['origin'] or 'unknown'}", adds=True)
    was, is_open = told["is_open"], now["is_open"]
    if was and not is_open:
        yield Change(f"arrived at {now['destination'] or 'an unknown place'}{_on(now['end'])}")
    elif is_open and not was:
        yield Change(f"under way again: the arrival at {told['destination'] or 'an unknown place'} does not stand")
    elif told["destination"] != now["destination"]:
        place, before = now["destination"] or "unknown", told["destination"] or "unknown"
        yield Change(f"destination {place}, was {before}", adds=now["destination"] is not None)


def _lesser(told: State, now: State) -> Iterator[Change]:
    """What is told of voyages under watch only."""
    for column, form in (("score", "score {:.3f}, was {:.3f}"), ("n_findings", "{} findings, were {}")):
        if told.row[column] != now.row[column]:
            yield Change(form.format(now.row[column], told.row[column]), is_material=False)
    if told.row["headline"] != now.row["headline"]:
        yield Change("headline changed", is_material=False)
    if told.row["end"] != now.row["end"] and told.row["is_open"] == now.row["is_open"]:
        yield Change(f"ended{_on(now.row['end'])}, was{_on(told.row['end'])}", is_material=False)


def _on(when: datetime | None) -> str:
    return "" if when is None else f" on {when.astimezone(UTC):%Y-%m-%d}"


def _shown(column: str, value: Any) -> str:
    if value is None:
        return "none"
    return mmsi_text(value) if column == "mmsi" else str(value)


def in_words(kinds: Iterable[str]) -> str:
    """Kinds of findings as people read them: `name change, dark gap`."""
    return ", ".join(kind.replace("_", " ") for kind in kinds)
