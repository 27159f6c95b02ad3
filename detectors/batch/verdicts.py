"""Verdicts: an analyst's word on a voyage that was told, kept with who said it, when and why.

Takes the store and words as given; gives `Verdicts`: the word in force on each voyage, which hulls are confirmed, which
causes are muted, and how often each kind was confirmed or dismissed, which is its precision in the field. What a word
changes in a night is left to `detectors.batch.compare` and `detectors.batch.mutes`.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Literal, get_args

import pyarrow as pa

from detectors.batch.nights import Nights, kept_table, read_nights
from detectors.batch.refusals import nearest_name, shown, unknown_name
from detectors.batch.told import TOLD, latest_of_each
from detectors.triage import WEIGHTS
from vessels.errors import UsageError
from vessels.schema import TIMESTAMP, Column, Table, make_id
from vessels.store.store import TrackStore

Word = Literal["confirmed", "dismissed", "watch"]
WORDS: Final[tuple[str, ...]] = get_args(Word)
CONFIRMED, DISMISSED, WATCH = WORDS
CONFIRMED_HULL: Final = "confirmed hull"
"""What stands beside another voyage of a hull of which a voyage is confirmed."""
MAX_MUTE_DAYS: Final = 3660
ID_PREFIX: Final = "voyage-"
OFFERED: Final = 5
_TEXT: Final = pa.string()

VERDICTS: Final = Table(
    "verdicts",
    (
        Column("verdict_id", _TEXT, "hash of all that was said"),
        Column("seq", pa.int64(), "place in the order in which verdicts were recorded, from 1"),
        Column("voyage_id", _TEXT, "voyage"),
        Column("revision", pa.int64(), "revision of the voyage that was told last when it was said"),
        Column("hull_id", _TEXT, "hull, as told then"),
        Column("mmsi", pa.int64(), "MMSI, as told then"),
        Column("imo", pa.int64(), "IMO number, as told then"),
        Column("name", _TEXT, "name, as told then"),
        Column("kinds", pa.list_(_TEXT), "kinds of findings, as told then"),
        Column("verdict", _TEXT, "confirmed, dismissed or watch"),
        Column("reason", _TEXT, "why, as given"),
        Column("who", _TEXT, "who said so, as given"),
        Column("when", TIMESTAMP, "when, as given; else the newest time of the last night"),
        Column("mute_kinds", pa.list_(_TEXT), "kinds of findings that weigh nothing on this hull meanwhile"),
        Column("mute_until", TIMESTAMP, "until when"),
    ),
)
_SAID: Final = ("voyage_id", "revision", "verdict", "reason", "who", "when", "mute_kinds", "mute_until")
_READ: Final = ("night_id", "seq", "voyage_id", "revision", "hull_id", "mmsi", "imo", "name", "kinds")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One word as an analyst gives it; the id may be the beginning of one. `mute_days` without kinds mutes all told."""

    voyage_id: str
    verdict: str
    reason: str | None = None
    who: str | None = None
    when: datetime | None = None
    mute_kinds: tuple[str, ...] = ()
    mute_days: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The verdicts that were written, and how many had been recorded before."""

    rows: tuple[Row, ...]
    n_known: int


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many voyages with findings of one kind were confirmed, dismissed or put on watch."""

    kind: str
    confirmed: int
    dismissed: int
    watch: int

    @property
    def precision(self) -> float | None:
        """Share of confirmed ones among those confirmed or dismissed."""
        judged = self.confirmed + self.dismissed
        return self.confirmed / judged if judged else None


@dataclass(frozen=True)
class Verdicts:
    """All verdicts, in the order in which they were recorded; the last one on a voyage is in force."""

    rows: tuple[Row, ...] = ()

    @property
    def key(self) -> str:
        """A digest of all of them."""
        return hashlib.sha256("\n".join(row["verdict_id"] for row in self.rows).encode()).hexdigest()

    @cached_property
    def in_force(self) -> Mapping[str, Row]:
        """The last verdict on each voyage."""
        return {row["voyage_id"]: row for row in self.rows}

    def of(self, voyage_id: str, follows: Collection[str] = ()) -> Row | None:
        """The verdict on a voyage, or on one that it takes the place of: the last of them."""
        found = [self.in_force[one] for one in (voyage_id, *follows) if one in self.in_force]
        return max(found, key=lambda row: (row["voyage_id"] == voyage_id, row["seq"]), default=None)

    @property
    def confirmed_hulls(self) -> tuple[Row, ...]:
        """The confirmed voyages, the last one of each hull."""
        confirmed = [row for row in self.in_force.values() if row["verdict"] == CONFIRMED]
        by_hull = {row["hull_id"]: row for row in sorted(confirmed, key=lambda row: row["seq"])}
        return tuple(by_hull[hull] for hull in sorted(by_hull))

    def mutes(self, as_of: datetime) -> tuple[Row, ...]:
        """The dismissals in force that mute kinds of findings at a time."""
        muting = [row for row in self.in_force.values() if row["mute_kinds"] and row["mute_until"] > as_of]
        return tuple(sorted(muting, key=lambda row: row["seq"]))

    @property
    def counts(self) -> tuple[KindCount, ...]:
        """Verdicts in force by kind of finding, by name of the kind."""
        said = Counter((kind, row["verdict"]) for row in self.in_force.values() for kind in row["kinds"] or ())
        kinds = sorted({kind for kind, _ in said})
        return tuple(KindCount(kind, *(said[kind, word] for word in (CONFIRMED, DISMISSED, WATCH))) for kind in kinds)


def read_verdicts(store: TrackStore) -> Verdicts:
    """The verdicts that the store holds."""
    rows = kept_table(store, VERDICTS).read().to_pylist()
    return Verdicts(tuple(sorted(rows, key=lambda row: (row["seq"], row["verdict_id"]))))


def record(store: TrackStore, words: Sequence[Said]) -> Recorded:
    """Keep verdicts in the store, all of them or none.

    A word that is in force already, or that was recorded before with the time it was given at, is not recorded again.
    Raises UsageError for a voyage that was never told, an unknown word or kind, and a mute that is none.
    """
    nights = read_nights(store)
    told = latest_of_each(kept_table(store, TOLD).read(columns=list(_READ)).to_pylist(), nights)
    known = read_verdicts(store)
    dated = {row["verdict_id"] for row in known.rows}
    in_force = {voyage: row["verdict_id"] for voyage, row in known.in_force.items()}
    seq = 1 + (known.rows[-1]["seq"] if known.rows else 0)
    rows: list[dict[str, Any]] = []
    for said, row in zip(words, settled(words, told, nights), strict=True):
        voyage, verdict = row["voyage_id"], row["verdict_id"]
        if in_force.get(voyage) == verdict or (said.when is not None and verdict in dated):
            continue
        in_force[voyage] = verdict
        rows.append({**row, "seq": seq + len(rows)})
    if rows:
        table = VERDICTS.build({name: [row[name] for row in rows] for name in VERDICTS.names})
        kept_table(store, VERDICTS).append(table)
    return Recorded(tuple(rows), len(words) - len(rows))


def settled(words: Iterable[Said], told: Sequence[Row], nights: Nights) -> list[dict[str, Any]]:
    """Words as rows of `VERDICTS`, but for their place; `told` are the rows told last of every voyage.

    Raises UsageError that names every word at fault.
    """
    by_id = {row["voyage_id"]: row for row in told}
    rows, problems = [], []
    for said in words:
        try:
            rows.append(_settled(said, by_id, nights))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return rows


def _settled(said: Said, told: Mapping[str, Row], nights: Nights) -> dict[str, Any]:
    about = told[_find(said.voyage_id, told)]
    if said.verdict not in WORDS:
        raise UsageError(
            f"{about['voyage_id']}: verdict {shown(said.verdict)}: {unknown_name(said.verdict, WORDS, 'verdict')}"
        )
    last = nights.last
    when = said.when if said.when is not None or last is None else last["as_of"]
    if when is not None and when.tzinfo is None:
        raise UsageError(
            f"{about['voyage_id']}: when {when.isoformat()}: states no time zone; add one, such as Z for UTC"
        )
    when = None if when is None else when.astimezone(UTC)
    kinds = tuple(dict.fromkeys(said.mute_kinds or (about["kinds"] if said.mute_days else ())))
    _check_mute(said, kinds, about)
    values = {name: about[name] for name in ("voyage_id", "revision", "hull_id", "mmsi", "imo", "name", "kinds")}
    values |= {"verdict": said.verdict, "reason": said.reason or None, "who": said.who or None, "when": when}
    until = when + timedelta(days=said.mute_days) if said.mute_days and when is not None else None
    values |= {"mute_kinds": list(kinds), "mute_until": until}
    return {**values, "verdict_id": make_id("verdict", *(values[name] for name in _SAID))}


def _check_mute(said: Said, kinds: Sequence[str], about: Row) -> None:
    """Raises UsageError for a mute that would do nothing, or more than it says."""
    where = about["voyage_id"]
    if (said.mute_kinds or said.mute_days is not None) and said.verdict != DISMISSED:
        raise UsageError(f"{where}: only a dismissed voyage can mute a kind, not one that is {said.verdict}")
    if said.mute_kinds and said.mute_days is None:
        raise UsageError(f"{where}: say for how many days {', '.join(kinds)} is to be muted")
    if said.mute_days is not None and not 1 <= said.mute_days <= MAX_MUTE_DAYS:
        raise UsageError(f"{where}: a mute lasts 1 to {MAX_MUTE_DAYS} days, not {said.mute_days}")
    there_are = {weight.kind for weight in WEIGHTS} | set(about["kinds"])
    for kind in kinds:
        if kind not in there_are:
            raise UsageError(f"{where}: mute {shown(kind)}: {unknown_name(kind, there_are, 'kind of finding')}")


def _find(word: str, told: Mapping[str, Row]) -> str:
    """The id of the voyage told that an id, or the beginning of one, stands for."""
    full = word.strip().lower()
    if full in told:
        return full
    bare = full.removeprefix(ID_PREFIX)
    matches = sorted(one for one in told if bare and one.removeprefix(ID_PREFIX).startswith(bare))
    if len(matches) == 1:
        return matches[0]
    if matches:
        more = f" and {len(matches) - OFFERED} more" if len(matches) > OFFERED else ""
        offered = f"{', '.join(matches[:OFFERED])}{more}"
        raise UsageError(f"voyage {shown(word)}: {len(matches)} begin so: {offered}; give more of the id")
    near = nearest_name(ID_PREFIX + bare, told)
    hint = f"did you mean {near}?" if near else "verdicts are on voyages that a night has told"
    raise UsageError(f"voyage {shown(word)}: no night has told it; {hint}")
