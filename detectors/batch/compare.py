"""Compare: tonight's flagged voyages held against what was told before.

Takes tonight's full table, what was judged, what was told, verdicts and what could be seen; gives an `Entry` for every
voyage that is told, was told, or would be if an analyst had not dismissed it. How many of them are told tonight is left
to `detectors.batch.alerts`. Pure: no store, no clock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from detectors.batch.changes import Change, State, changes_between, in_words
from detectors.batch.engine import Judged
from detectors.batch.mutes import Hulls
from detectors.batch.sight import Fate, Sight
from detectors.batch.told import Told, ToldVoyage
from detectors.batch.verdicts import CONFIRMED_HULL, DISMISSED, WATCH, Verdicts
from detectors.batch.widening import remembered, widened
from detectors.finding import Finding
from detectors.triage import judge
from vessels.history import History
from vessels.parts import voyage_tracks

Row = Mapping[str, Any]
Status = Literal["new", "revised", "unchanged", "withdrawn", "quiet"]
CARRIED: Final[Mapping[str, str]] = {
    "unread": "listed as told: what this vessel did could not be made out tonight",
    "later": "listed as told: from later data than tonight's",
    "passed": "listed as told: its rows lie before what was looked at tonight, or could not be joined to it",
}


@dataclass(frozen=True)
class Entry:
    """One voyage tonight: its row, what is said of it and why, what it is held against.

    `quiet` is a dismissed voyage that nothing was added to. `word` is the verdict in force on it; `span` the time that
    belongs to it. `is_over` says that it is over the threshold, `is_watched` that it is told before the budget.
    """

    row: Row
    status: Status
    changes: tuple[Change, ...]
    evidence_db: float
    findings: Sequence[Finding]
    span: tuple[datetime, datetime]
    base: ToldVoyage | None = None
    follows: tuple[str, ...] = ()
    is_over: bool = True
    is_watched: bool = False

    @property
    def voyage_id(self) -> str:
        """Id of the voyage."""
        return str(self.row["voyage_id"])

    @property
    def revision(self) -> int:
        """The revision it is told as, if it is told."""
        same = self.base is not None and self.base.voyage_id == self.voyage_id
        return self.base.revision + 1 if same and self.base is not None else 1

    @property
    def order(self) -> tuple[float, float, Any, str]:
        """What rank follows."""
        return (-self.row["score"], -self.evidence_db, self.row["start"], self.voyage_id)


@dataclass(frozen=True)
class Compared:
    """Every voyage that is, or was told and lies within reach, by rank; and those told that are out of reach."""

    entries: tuple[Entry, ...]
    carried: tuple[str, ...]
    left: tuple[str, ...]
    later: tuple[str, ...]


@dataclass
class Comparison:
    """What a comparison looks things up in. `muted` are voyages with muted findings; `flagged` tonight's full table."""

    flagged: pa.Table
    judged: Judged
    history: History
    told: Told
    verdicts: Verdicts
    sight: Sight
    min_score: float
    hulls: Hulls
    muted: frozenset[str] = frozenset()
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        rows = self.flagged.to_pylist()
        self.rows: dict[str, dict[str, Any]] = {row["voyage_id"]: row for row in rows}
        about = frozenset({*self.rows, *self.told})
        for finding in self.judged.findings:
            if finding.voyage_id in about:
                self.findings[finding.voyage_id].append(finding)
        chosen = pa.array(sorted(about), pa.string())
        known = self.history.voyages.filter(pc.is_in(self.history.voyages["voyage_id"], value_set=chosen))
        spans = known.select(["voyage_id", "span_start", "span_end"]).to_pylist()
        self.spans = {row["voyage_id"]: (row["span_start"], row["span_end"]) for row in spans}
        self.fates: dict[str, Fate] = {v: self.sight.fate(one, v in self.spans) for v, one in self.told.items()}
        self.successor = self._successors()
        self.predecessors: dict[str, list[ToldVoyage]] = defaultdict(list)
        for gone, successor in sorted(self.successor.items()):
            self.predecessors[successor].append(self.told[gone])
        self.of_hull: dict[str, list[ToldVoyage]] = defaultdict(list)
        for one in sorted(self.told.values(), key=lambda one: (-one.seq, one.voyage_id)):
            if not one.is_withdrawn:
                self.of_hull[one.row["hull_id"]].append(one)
        confirmed = self.verdicts.confirmed_hulls
        self.confirmed = {row["hull_id"] for row in confirmed} | {self.hulls.now(row) for row in confirmed} - {None}

    def _successors(self) -> dict[str, str]:
        """The voyage tonight that has most of the time of one that is no more, under its MMSI."""
        gone = [self.told[v] for v, fate in sorted(self.fates.items()) if fate == "gone"]
        if not gone:
            return {}
        tracks = voyage_tracks(self.history.voyages, self.history.voyage_parts)
        mmsi = pa.array(sorted({one.row["mmsi"] for one in gone}), pa.int64())
        parts = tracks.filter(pc.is_in(tracks["mmsi"], value_set=mmsi)).to_pylist()
        whose = self.history.voyages.take(pa.array([part["row"] for part in parts], pa.int64()))
        ids, hulls = whose["voyage_id"].to_pylist(), whose["hull_id"].to_pylist()
        out = {}
        for one in gone:
            shared = [
                (hull == one.row["hull_id"], min(part["end"], one.span_end) - max(part["start"], one.span_start), name)
                for part, name, hull in zip(parts, ids, hulls, strict=True)
                if part["mmsi"] == one.row["mmsi"] and part["start"] <= one.span_end and part["end"] >= one.span_start
            ]
            if shared:
                out[one.voyage_id] = max(shared)[2]
        return out

    def state(self, row: Row) -> State:
        """A voyage of tonight, as changes are told from."""
        verdict = self.judged.verdicts.get(row["voyage_id"]) or judge([])
        return State(row, verdict.evidence_db, self.findings[row["voyage_id"]])


def compare(comparison: Comparison) -> Compared:
    """Every voyage that is told tonight or was told before, with its status; see docs/nightly.md for the rules."""
    entries = [_seen(comparison, row) for row in comparison.rows.values()]
    for voyage_id, one in sorted(comparison.told.items()):
        fate = comparison.fates[voyage_id]
        if voyage_id in comparison.rows or one.is_withdrawn or fate in ("left", "later"):
            continue
        entries.append(_carried(comparison, one) if fate == "carried" else _gone(comparison, one, fate))
    active = {v: fate for v, fate in sorted(comparison.fates.items()) if not comparison.told[v].is_withdrawn}
    return Compared(
        entries=tuple(sorted(entries, key=lambda entry: entry.order)),
        carried=tuple(v for v, fate in active.items() if fate == "carried"),
        left=tuple(v for v, fate in active.items() if fate == "left"),
        later=tuple(v for v, fate in active.items() if fate == "later"),
    )


def _seen(comparison: Comparison, row: dict[str, Any]) -> Entry:
    """A voyage over the threshold tonight."""
    voyage_id = row["voyage_id"]
    before = sorted(comparison.predecessors[voyage_id], key=lambda one: (-one.evidence_db, one.voyage_id))
    own = comparison.told.get(voyage_id)
    base = own or (before[0] if before else None)
    taken = [name for one in before for name in (one.voyage_id, *one.follows)]
    follows = tuple(dict.fromkeys([*(own.follows if own else ()), *taken]))
    changes: tuple[Change, ...] = ()
    findings = tuple(comparison.findings[voyage_id])
    hull = [one.row for one in [*([own] if own else []), *before, *comparison.of_hull[row["hull_id"]]]]
    row = remembered(row, hull, comparison.sight.window_start, findings)
    if base is not None:
        in_sight = comparison.sight.whole(base)
        row = row if in_sight or own is None else widened(row, base.row)
        told = State(base.row, base.evidence_db, base.findings)
        changes = (*_anew(base, before), *changes_between(told, comparison.state(row), all_in_sight=in_sight))
    status: Status = "new"
    is_later = base is not None and base.as_of > comparison.sight.as_of
    word = comparison.verdicts.of(voyage_id, follows)
    is_watched = word is not None and word["verdict"] == WATCH
    if base is not None:
        status = "revised" if any(c.is_material or is_watched for c in changes) else "unchanged"
        if word is not None and _is_quiet(word, base, changes):
            status = "quiet"
        elif is_later:
            status, changes = "unchanged", (Change(CARRIED["later"], is_material=False),)
    return Entry(
        row={**row, "verdict": _verdict(comparison, row, follows)},
        status=status,
        changes=changes if is_watched or is_later else tuple(change for change in changes if change.is_material),
        evidence_db=comparison.state(row).evidence_db,
        findings=findings,
        span=comparison.spans[voyage_id],
        base=base,
        follows=follows,
        is_watched=is_watched,
    )


def _anew(base: ToldVoyage, before: Sequence[ToldVoyage]) -> list[Change]:
    """What is told of a voyage that was withdrawn, or takes the place of others."""
    new = [one.voyage_id for one in before if one.voyage_id not in base.follows]
    changes = [Change(f"takes the place of {', '.join(new)}, told before")] if new else []
    if base.is_withdrawn:
        changes.append(Change(f"told again: {base.voyage_id} was withdrawn from data to {_day(base.as_of)}"))
    return changes


def _is_quiet(word: Row, base: ToldVoyage, changes: Sequence[Change]) -> bool:
    """Whether a voyage was dismissed as it was told last, and nothing has been added to the case since."""
    as_told = (word["voyage_id"], word["revision"]) == (base.voyage_id, base.revision)
    return bool(word["verdict"] == DISMISSED) and as_told and not any(change.adds for change in changes)


def _verdict(comparison: Comparison, row: Row, follows: Sequence[str] = ()) -> str | None:
    """What stands beside a voyage: the word on it, or that its hull is a confirmed one."""
    word = comparison.verdicts.of(row["voyage_id"], follows)
    if word is not None:
        return str(word["verdict"])
    return CONFIRMED_HULL if row["hull_id"] in comparison.confirmed else None


def _carried(comparison: Comparison, one: ToldVoyage) -> Entry:
    """A voyage told before whose rows were not all looked at: listed as told while it is over the threshold."""
    verdict = comparison.judged.verdicts.get(one.voyage_id) or judge([])
    if verdict.score < comparison.min_score:
        return _gone(comparison, one, "carried")
    sight = comparison.sight
    why = "unread" if one.row["mmsi"] in sight.unread_vessels else "later" if one.as_of > sight.as_of else "passed"
    return _as_told(comparison, one, "unchanged", [Change(CARRIED[why], is_material=False)])


def _gone(comparison: Comparison, one: ToldVoyage, fate: Fate) -> Entry:
    """A voyage told before that is over the threshold no longer, or no voyage any longer."""
    if one.as_of > comparison.sight.as_of:
        return _as_told(comparison, one, "unchanged", [Change(CARRIED["later"], is_material=False)])
    if fate == "gone":
        return _as_told(comparison, one, "withdrawn", [Change(_no_more(comparison, one))])
    verdict = comparison.judged.verdicts.get(one.voyage_id) or judge([])
    words = [f"no longer over the threshold: score {verdict.score:.3f}, was {one.row['score']:.3f}"]
    words[0] += f"; the threshold is {comparison.min_score:g}"
    before = State(one.row, one.evidence_db, one.findings).weights()
    now = State(one.row, verdict.evidence_db, comparison.findings[one.voyage_id])
    lost = sorted(set(before) - {finding.kind for finding in now.findings})
    if lost:
        words.append(f"no longer found: {in_words(lost)}")
    if one.voyage_id in comparison.muted:
        silent = sorted({finding.kind for finding in now.findings} - set(now.weights()))
        words.append(f"muted by an analyst: {in_words(silent)}")
    return _as_told(comparison, one, "withdrawn", [Change(text) for text in words])


def _no_more(comparison: Comparison, one: ToldVoyage) -> str:
    successor = comparison.successor.get(one.voyage_id)
    if successor is None:
        return "no such voyage any longer: none of its reports counts, the input that held them was replaced"
    listed = "" if successor in comparison.rows else ", which is not over the threshold"
    return f"no such voyage any longer: its reports are part of {successor}{listed}"


def _as_told(comparison: Comparison, one: ToldVoyage, status: Status, changes: Sequence[Change]) -> Entry:
    """A voyage in the words of the night that told it last; quiet if it was dismissed then."""
    word = comparison.verdicts.of(one.voyage_id, one.follows)
    quiet = word is not None and _is_quiet(word, one, changes)
    return Entry(
        row={**one.row, "verdict": _verdict(comparison, one.row, one.follows)},
        status="quiet" if quiet else status,
        changes=(*changes, Change(f"told last from data to {_day(one.as_of)}", is_material=False)),
        evidence_db=one.evidence_db,
        findings=one.findings,
        span=(one.span_start, one.span_end),
        base=one,
        follows=one.follows,
        is_over=status == "unchanged",
        is_watched=word is not None and word["verdict"] == WATCH,
    )


def _day(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d}"
