"""The case for one voyage: all that a run holds about it, gathered in the order in which a reader asks.

Takes a finished run read back from its folder; gives a `Case` of plain values. How it looks on a terminal or a page
is left to those who draw it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from detectors.batch.refusals import nearest_name
from detectors.borne import BorneIdentity
from detectors.chains import WHO, Chains
from detectors.links import Link
from detectors.run_folder import LoadedRun
from detectors.triage import Verdict, judge
from vessels.errors import UsageError

ID_PREFIX: Final = "voyage-"
CALLS_BEFORE: Final = 8
CALLS_AFTER: Final = 4
"""Port calls shown before and after the voyage ends: enough to see where a cargo came from and where it went."""
OFFERED: Final = 5
POSSIBLE_LINKS: Final = 5
"""Links too weak to settle the hull that are shown, the likeliest."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Claims:
    """Who a ship said it was, unchanged over one span of time, and the destinations it gave meanwhile."""

    mmsi: int
    imo: int | None
    name: str | None
    call_sign: str | None
    ship_type: int | None
    length_m: float | None
    beam_m: float | None
    first_seen: datetime
    last_seen: datetime
    n_reports: int
    destinations: tuple[str, ...]


@dataclass(frozen=True)
class FindingCase:
    """One finding of the voyage and the files its rows came from."""

    row: Row
    sources: tuple[str, ...]


@dataclass(frozen=True)
class HullChain:
    """The identities of the voyage's hull in order of time, `now` the key of the one in force, and the links between.

    `sharing` are identities of other tracks under the same MMSI or IMO number, which no link makes this hull's.
    """

    identities: tuple[BorneIdentity, ...]
    sharing: tuple[BorneIdentity, ...]
    now: tuple[Any, ...]
    links: tuple[Link, ...]
    possible_links: tuple[Link, ...]

    def borne_at(self, visit: Row) -> BorneIdentity | None:
        """The identity that a port call was made under."""
        made = ((one, call) for one in self.identities for call in one.calls)
        return next((one for one, c in made if (c.zone_id, c.start) == (visit["zone_id"], visit["start"])), None)


@dataclass(frozen=True)
class Case:
    """A voyage, its place among the flagged ones (None if it is not flagged), and what speaks for a second look.

    `verdict` adds the weights of its findings up again, as triage did.
    """

    voyage: Row
    flagged: Row | None
    findings: tuple[FindingCase, ...]
    verdict: Verdict
    port_visits: tuple[Row, ...]
    chain: HullChain
    claims: tuple[Claims, ...]
    as_of: str


class RowsBy:
    """Rows of a table looked up by the values of one column, in the order of the table."""

    def __init__(self, table: pa.Table, column: str) -> None:
        self._table = table.combine_chunks()
        values = self._table[column].combine_chunks().dictionary_encode()
        codes = values.indices.fill_null(-1).to_numpy()
        self._order = np.argsort(codes, kind="stable")
        self._codes = codes[self._order]
        self._number = {value: i for i, value in enumerate(values.dictionary.to_pylist())}

    def of(self, *values: object) -> list[Row]:
        """The rows with any of these values, one value after the other."""
        spans = (
            np.searchsorted(self._codes, [self._number[value], self._number[value] + 1])
            for value in values
            if value in self._number
        )
        kept = [self._order[low:high] for low, high in spans]
        if not kept:
            return []
        rows: list[Row] = self._table.take(pa.array(np.concatenate(kept))).to_pylist()
        return rows


class Cases:
    """The cases of one run; what they are looked up in is built once."""

    def __init__(self, run: LoadedRun) -> None:
        self.run = run
        tables = run.tables
        told = tables["flagged_voyages"].drop_columns(["geometry"])
        self._voyages = RowsBy(tables["voyages"], "voyage_id")
        self._flagged = RowsBy(told, "voyage_id")
        self._findings = RowsBy(tables["findings"], "voyage_id")
        self._visits = RowsBy(tables["port_visits"], "hull_id")
        self._of_hull = RowsBy(tables["identities"], "hull_id")
        self._of_mmsi = RowsBy(tables["identities"], "mmsi")
        # Older runs have no links and no watch levels, and so shorter chains.
        levels = run.run.get("watch") or {}
        self._chains = Chains(tables["identities"], tables["port_visits"], tables["hull_links"], levels)
        self._names: dict[str, list[str]] = {}
        for source in run.run["inputs"]:
            self._names.setdefault(source["source_id"], []).extend(source["names"])

    def find(self, voyage_id: str) -> str:
        """The full id of the voyage that an id, or the beginning of one, stands for.

        Raises UsageError that names the candidates where there are several, and the nearest id where there is none.
        """
        run = self.run
        known: list[str] = run.tables["voyages"]["voyage_id"].to_pylist()
        word = voyage_id.strip().lower()
        if word in known:
            return word
        bare = word.removeprefix(ID_PREFIX)
        matches = sorted({full for full in known if bare and full.removeprefix(ID_PREFIX).startswith(bare)})
        if len(matches) == 1:
            return matches[0]
        where = f"voyage {voyage_id!r} in {run.folder}"
        if matches:
            more = f" and {len(matches) - OFFERED} more" if len(matches) > OFFERED else ""
            offered = ", ".join(matches[:OFFERED])
            raise UsageError(f"{where}: {len(matches)} begin so: {offered}{more}; give more of the id")
        flagged = run.tables["flagged_voyages"].sort_by("rank")["voyage_id"].to_pylist()
        listed = [full for full in flagged if bare and full.removeprefix(ID_PREFIX).startswith(bare)]
        if listed:
            raise UsageError(f"{where}: {self._as_told(listed[0])}")
        near = nearest_name(ID_PREFIX + bare, known)
        hint = f"did you mean {near}?" if near else f"flagged there: {', '.join(flagged[:OFFERED]) or 'none'}"
        raise UsageError(f"{where}: there is none; {hint}")

    def _as_told(self, voyage_id: str) -> str:
        """Why a voyage that a night lists has no case: its rows were not looked at, or it is no voyage any longer."""
        why = "; ".join(self._flagged.of(voyage_id)[0].get("changes") or ())
        return f"the night lists it as it was told before ({why}); its case is in the folder of that night"

    def holds(self, voyage_id: str) -> bool:
        """Whether the run has the voyage, and not only how it was told before."""
        return bool(self._voyages.of(voyage_id))

    def case(self, voyage_id: str) -> Case:
        """What the run holds about a voyage; `voyage_id` is a full id, as `find` gives it."""
        voyage = self._voyages.of(voyage_id)[0]
        flagged = self._flagged.of(voyage_id)
        findings = self._findings.of(voyage_id)
        findings.sort(key=lambda row: (-row["weight_db"], row["start"], row["finding_id"]))
        others = {mmsi for row in findings for mmsi in row["other_mmsi"] or ()}
        return Case(
            voyage=voyage,
            flagged=flagged[0] if flagged else None,
            findings=tuple(
                FindingCase(
                    row, tuple(", ".join(self._names.get(source, [source])) for source in row["source_ids"] or ())
                )
                for row in findings
            ),
            verdict=judge([(row["kind"], row["weight_db"]) for row in findings]),
            port_visits=self._calls(voyage),
            chain=self._chain(voyage),
            claims=merge_claims(self._claims(voyage, others)),
            as_of=self.run.run["as_of"],
        )

    def _chain(self, voyage: Row) -> HullChain:
        """The chain of the voyage's hull."""
        now = self._chains.in_force(voyage)
        inside, links = self._chains.hull_of({voyage["segment_id"]})
        own = [link for link in links if {link.from_segment_id, link.to_segment_id} <= inside]
        others = sorted((link for link in links if link not in own), key=lambda link: (-link.probability, link.link_id))
        return HullChain(
            identities=self._chains.whole([(voyage["segment_id"], voyage["mmsi"])]),
            sharing=tuple(one for one in self._chains.earlier(voyage, now) if one.link_probability is None),
            now=tuple(now.get(field) for field in WHO),
            links=tuple(own),
            possible_links=tuple(others[:POSSIBLE_LINKS]),
        )

    def _calls(self, voyage: Row) -> tuple[Row, ...]:
        """The hull's port calls around the voyage, oldest first."""
        rows = sorted(self._visits.of(voyage["hull_id"]), key=lambda row: (row["start"], row["visit_id"]))
        begun = [row for row in rows if voyage["start"] is None or row["start"] < voyage["start"]]
        return (*begun[-CALLS_BEFORE:], *rows[len(begun) : len(begun) + CALLS_AFTER])

    def _claims(self, voyage: Row, others: set[int]) -> list[Row]:
        """The identity spells of the voyage's hull, of its MMSI, and of the others its findings speak of."""
        said = (
            *self._of_hull.of(voyage["hull_id"]),
            *self._of_mmsi.of(*dict.fromkeys((voyage["mmsi"], *sorted(others)))),
        )
        spells = {(row["mmsi"], row["segment_id"], row["first_seen"]): row for row in said}
        return sorted(spells.values(), key=lambda row: (row["first_seen"], row["mmsi"]))


def merge_claims(spells: Sequence[Row]) -> tuple[Claims, ...]:
    """Spells that differ in nothing but the destination, one after the other, as one; the destinations in order."""
    merged: list[list[Row]] = []
    last: dict[tuple[int, str | None], list[Row]] = {}
    for spell in spells:
        track = (spell["mmsi"], spell["segment_id"])
        if track in last and _who(last[track][-1]) == _who(spell):
            last[track].append(spell)
        else:
            last[track] = [spell]
            merged.append(last[track])
    return tuple(
        Claims(
            **_who(group[0]),
            first_seen=group[0]["first_seen"],
            last_seen=max(spell["last_seen"] for spell in group),
            n_reports=sum(spell["n_reports"] for spell in group),
            destinations=tuple(dict.fromkeys(s["destination"] for s in group if s["destination"])),
        )
        for group in merged
    )


def _who(spell: Row) -> dict[str, Any]:
    return {key: spell[key] for key in ("mmsi", "imo", "name", "call_sign", "ship_type", "length_m", "beam_m")}
