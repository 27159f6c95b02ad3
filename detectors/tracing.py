"""Under which names and numbers has this hull been heard, and where did it call under them.

Takes the result of a scan, or a run read back from its folder, and an MMSI, an IMO number or a name; gives every hull
that ever bore it, with its other identities, the links between them and its calls. What is only possible stands apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from detectors.borne import BorneIdentity, Call, call_in_words, day_of, days_before, last_high_call
from detectors.chains import Chains, Row
from detectors.links import Link, counted
from detectors.run_folder import Written
from vessels.ais import clean_text, mmsi_text, parse_imo
from vessels.errors import UsageError
from vessels.names import near_equal_names

MAX_MMSI: Final = 999_999_999
NEAR_RATIO: Final = 50.0
"""Names less alike than this (rapidfuzz's ratio, 0 to 100) are not compared letter by letter: none of them is near."""
_FLAGGED: Final = ("voyage_id", "hull_id", "mmsi", "start", "end", "origin", "destination", "band", "score", "rank")
_RECORDED: Final = ("watch", "as_of")
"""What is taken from the run record."""
Track = tuple[str | None, int]


@dataclass(frozen=True, slots=True)
class HullTrace:
    """One hull that bore what was asked for: its identities, links, calls and flagged voyages.

    `identities` are those of tracks taken to be this hull, in order of time; the probability of each is that it was the
    same hull as the one that bore what was asked for. `possible` are identities that a weak link leads to: their
    voyages are kept apart. `links` join the hull's own tracks, `possible_links` lead from it to others. `asked` says
    what was matched. `as_of` is "now".
    """

    hull_id: str | None
    asked: str
    identities: tuple[BorneIdentity, ...]
    possible: tuple[BorneIdentity, ...]
    links: tuple[Link, ...]
    possible_links: tuple[Link, ...]
    flagged: tuple[Row, ...]
    as_of: datetime

    @property
    def calls(self) -> tuple[tuple[BorneIdentity, Call], ...]:
        """All calls of the hull and the identity each was made under, in order of time."""
        calls = [(one, call) for one in self.identities for call in one.calls]
        return tuple(sorted(calls, key=lambda pair: (pair[1].start, pair[1].zone_id)))

    @property
    def watched_calls(self) -> tuple[tuple[BorneIdentity, Call], ...]:
        """Calls at zones under watch, those of possible identities too; high before elevated, then in order of time."""
        calls = [(one, call) for one in (*self.identities, *self.possible) for call in one.watched_calls]
        return tuple(sorted(calls, key=lambda pair: (pair[1].watch != "high", pair[1].start, pair[1].zone_id)))

    @property
    def called_at_high_watch(self) -> bool:
        """Whether the hull, under any identity it is taken to have borne, called at a zone of high watch."""
        return any(call.watch == "high" for one in self.identities for call in one.watched_calls)

    @property
    def may_have_called_at_high_watch(self) -> bool:
        """The same, identities that a weak link leads to included."""
        return any(call.watch == "high" for _, call in self.watched_calls)

    @property
    def summary(self) -> str:
        """The answer in a sentence: the last call at a zone of high watch, or that none was seen."""
        for identities in (self.identities, self.possible):
            found = last_high_call(identities, self.as_of)
            if found is not None:
                when = days_before(found[1], self.as_of, f"{day_of(self.as_of)}, the end of the data")
                words = call_in_words(*found, when)
                return f"{words[:1].upper()}{words[1:]}."
        n = counted(len(self.identities) + len(self.possible), "identity", "identities")
        return f"No call at a zone of high watch was seen, under {n}."

    def in_words(self) -> str:
        """The whole trace as text, for people."""
        lines = [f"{self.hull_id or 'No track heard'}, {self.asked}", self.summary, "", "Identities"]
        lines += [line for one in self.identities for line in _identity_lines(one)]
        if self.possible:
            lines += ["", "Possibly also, by links too weak to settle it"]
            lines += [line for one in self.possible for line in _identity_lines(one)]
        for title, links in (("Links", self.links), ("Possible links", self.possible_links)):
            if links:
                lines += ["", title, *(line for link in links for line in _link_lines(link))]
        if self.flagged:
            lines += ["", "Flagged voyages"]
            lines += [
                f"  {row['rank']}. {row['band']} {row['score']:.3f}  {row['voyage_id']}  {row['start']:%Y-%m-%d}  "
                f"{row['origin'] or '?'} -> {row['destination'] or '?'}"
                for row in self.flagged
            ]
        return "\n".join(lines)


def trace(
    result: Written, mmsi: int | str | None = None, imo: int | str | None = None, name: str | None = None
) -> tuple[HullTrace, ...]:
    """Every hull that ever bore this MMSI, this IMO number or this name, with all it was and where it called.

    `result` is what `detectors.scan` gives, or a run read back with `detectors.run_folder.load_run`. Where several
    are given, a hull that bore any of them is traced. Names count as the same if they are near-equal
    (`vessels.names.near_equal_names`). Empty where nothing like it was heard. Hulls in the order they were first heard.

    Raises UsageError if nothing is asked, or what is asked cannot be a number or a name.
    """
    wanted = _Wanted.of(mmsi, imo, name)
    tables, record = result.tables, result.run
    said: Any = {key: record.get(key) if isinstance(record, Mapping) else getattr(record, key) for key in _RECORDED}
    now = datetime.fromisoformat(said["as_of"]) if isinstance(said["as_of"], str) else said["as_of"]
    identities = tables["identities"]
    chains = Chains(identities, tables["port_visits"], tables["hull_links"], said["watch"] or {})
    matched = wanted.matches(identities)
    traced = [
        _trace(hull, tracks, asked, chains, tables["flagged_voyages"], now)
        for hull, (tracks, asked) in _by_hull(matched, chains).items()
    ]
    return tuple(sorted(traced, key=lambda one: (min(i.first_seen for i in one.identities), one.hull_id or "")))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked for, checked."""

    mmsi: int | None
    imo: int | None
    name: str | None

    @classmethod
    def of(cls, mmsi: int | str | None, imo: int | str | None, name: str | None) -> "_Wanted":
        if mmsi is None and imo is None and name is None:
            raise UsageError("trace: nothing is asked; give mmsi=, imo= or name=")
        number = None
        if mmsi is not None:
            text = str(mmsi).strip()
            if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_MMSI and len(text) <= 9):
                raise UsageError(f"trace: mmsi {mmsi!r} is no MMSI; it has nine digits, as 273000001")
            number = int(text)
        hull = None
        if imo is not None:
            hull = parse_imo(str(imo))
            if hull is None:
                raise UsageError(f"trace: imo {imo!r} is no IMO number; it has seven digits, as 9074729")
        if name is not None and not isinstance(name, str):
            raise UsageError(f"trace: name {name!r} is no text; give the name as the ship sends it, as 'MIRAE 3'")
        clean = None if name is None else clean_text(name)
        if name is not None and clean is None:
            raise UsageError(f"trace: name {name!r} says nothing; give the name as the ship sends it")
        return cls(number, hull, clean)

    def matches(self, identities: pa.Table) -> list[tuple[Row, str]]:
        """The spells that say it, each with what was matched."""
        found: list[tuple[Row, str]] = []
        said = identities.select(["mmsi", "segment_id", "hull_id", "imo", "name", "first_seen"])
        if self.mmsi is not None:
            rows = said.filter(pc.equal(said["mmsi"], self.mmsi)).to_pylist()
            found += [(row, f"MMSI {mmsi_text(self.mmsi)}") for row in rows]
        if self.imo is not None:
            rows = said.filter(pc.equal(said["imo"], self.imo)).to_pylist()
            found += [(row, f"IMO {self.imo}") for row in rows]
        if self.name is not None:
            names = _near_names(self.name, said["name"].unique().to_pylist())
            rows = said.filter(pc.is_in(said["name"], value_set=pa.array(names, pa.string()))).to_pylist()
            found += [(row, f"name {row['name']}") for row in rows]
        return found


def _near_names(wanted: str, known: Iterable[str | None]) -> list[str]:
    """The names among those known that are taken for the one wanted, the unlike ones left out quickly."""
    names = [name for name in known if name is not None]
    alike = process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=NEAR_RATIO, limit=None)
    return sorted(name for name, _, _ in alike if near_equal_names(name, wanted) is not None)


def _by_hull(matched: Sequence[tuple[Row, str]], chains: Chains) -> dict[str | None, tuple[set[Track], list[str]]]:
    """The tracks that said it and what they said, by hull; a spell of no known track goes to the hulls of its MMSI."""
    hulls: dict[str | None, tuple[set[Track], list[str]]] = {}
    for row, asked in matched:
        owners = {(row["hull_id"], row["segment_id"])}
        if row["segment_id"] is None:
            heard = {(s["hull_id"], s["segment_id"]) for s in chains.spells(row["mmsi"])} - {(None, None)}
            owners = heard or owners
        for hull, segment in owners:
            tracks, said = hulls.setdefault(hull, (set(), []))
            tracks.add((segment, row["mmsi"]))
            said.append(asked)
    return hulls


def _trace(
    hull: str | None, tracks: set[Track], said: Sequence[str], chains: Chains, flagged: pa.Table, as_of: datetime
) -> HullTrace:
    borne = chains.whole(sorted(tracks, key=lambda track: (track[0] or "", track[1])))
    inside, links = chains.hull_of({segment for segment, _ in tracks if segment is not None})
    return HullTrace(
        hull_id=hull,
        asked=", ".join(dict.fromkeys(said)),
        identities=tuple(one for one in borne if one.is_strong),
        possible=tuple(one for one in borne if not one.is_strong),
        links=tuple(one for one in links if {one.from_segment_id, one.to_segment_id} <= inside),
        possible_links=tuple(one for one in links if not {one.from_segment_id, one.to_segment_id} <= inside),
        flagged=tuple(_flagged(flagged, hull)),
        as_of=as_of.astimezone(UTC),
    )


def _flagged(table: pa.Table, hull: str | None) -> list[dict[str, Any]]:
    if hull is None:
        return []
    rows: list[dict[str, Any]] = table.select(_FLAGGED).filter(pc.equal(table["hull_id"], hull)).to_pylist()
    return sorted(rows, key=lambda row: row["rank"])


def _identity_lines(one: BorneIdentity) -> list[str]:
    lines = [f"  {one.first_seen:%Y-%m-%d} to {one.last_seen:%Y-%m-%d}  {one.who}; {one.sure_in_words}"]
    for call in one.watched_calls:
        end = f"and {call.still_there}" if call.end is None else f"to {day_of(call.end)}"
        lines.append(f"    called at {call.zone_name} ({call.zone_id}, watch {call.watch}) {day_of(call.start)} {end}")
    return lines


def _link_lines(link: Link) -> list[str]:
    until, since = f"{link.ended:%Y-%m-%d %H:%MZ}", f"{link.began:%Y-%m-%d %H:%MZ}"
    lines = [f"  {link.before.label} until {until}, then {link.after.label} from {since}; {link.in_words}"]
    lines += [f"    {reason.weight_db:+6.1f} dB  {reason.what}: {reason.observed}" for reason in link.reasons]
    lines += [
        f"    rival: MMSI {mmsi_text(rival.mmsi)} {rival.words}, probability {rival.probability:.2f}"
        for rival in link.rivals
    ]
    return lines
