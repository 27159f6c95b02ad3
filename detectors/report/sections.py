"""What the page shows of one flagged voyage, ready to be laid out: facts, sums, findings, ships met, pictures.

Takes a case and what is drawn of it; gives a `View` of plain text, numbers and finished pictures. Text is not escaped
here: the templates do that.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from markupsafe import Markup

from detectors.case_rows import FindingRows, case_rows
from detectors.chain_rows import Block
from detectors.explain import Case
from detectors.report.meaning import Meaning
from detectors.report.meanings import meaning_of
from detectors.report.rows import TableRow, kind_words
from detectors.report.unusual import KIND as UNUSUAL
from detectors.report.unusual import Oddity, is_drawn, oddities
from detectors.triage import PRIOR_DB
from vessels.ais import mmsi_text

IN_FULL: Final = 60
"""Findings of one voyage shown with all they say; any lighter ones are listed in brief. More is read by nobody."""
IN_BRIEF: Final = 2000
"""Findings listed in brief."""
CASES_NAMED: Final = 5
"""Flagged voyages of a ship met that are named."""
BAR: Final = 240
"""Length of a bar in its own units."""
SAME_FILES: Final = "the same files as the finding above"
NO_PICTURE: Final = Markup()

Row = Mapping[str, Any]
Draw = Callable[[], tuple[Markup, Markup]]


@dataclass(frozen=True, slots=True)
class SumLine:
    """One line of the sum that makes the score, and its place on a bar of length `BAR`."""

    what: str
    weight: str
    how: str
    sort: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, what its kind means, where its rows came from, and bars where it is an unusual voyage.

    `is_first` of its kind in the case.
    """

    rows: FindingRows
    meaning: Meaning
    is_first: bool
    sources: str
    oddities: tuple[Oddity, ...]


@dataclass(frozen=True, slots=True)
class OtherCase:
    """A flagged voyage of a ship met."""

    voyage_id: str
    rank: int
    words: str


@dataclass(frozen=True, slots=True)
class Met:
    """A ship that findings name beside the one of the voyage, and the flagged voyages of its MMSI."""

    mmsi: str
    names: tuple[str, ...]
    where: str
    cases: tuple[OtherCase, ...]
    n_more: int


@dataclass(frozen=True, slots=True)
class View:
    """One case as the template takes it. What a voyage does not have is empty or None."""

    voyage_id: str
    name: str
    mmsi: str
    band: str
    score: float
    rank: int
    n_cases: int
    status: str
    verdict: str
    lines: tuple[str, ...]
    before: str = ""
    after: str = ""
    troubles: tuple[str, ...] = ()
    is_left_undrawn: bool = False
    map: Markup = NO_PICTURE
    time: Markup = NO_PICTURE
    facts: Block | None = None
    sums: tuple[SumLine, ...] = ()
    sum_notes: tuple[str, ...] = ()
    bar: int = BAR
    zero_x: int = 0
    findings: tuple[FindingView, ...] = ()
    brief: Block | None = None
    met: tuple[Met, ...] = ()
    chain: tuple[Block, ...] = ()
    blocks: tuple[tuple[str, Block], ...] = ()


class Neighbours:
    """Flagged voyages by MMSI, and each one's neighbours by rank."""

    def __init__(self, rows: Iterable[TableRow]) -> None:
        self._rows = tuple(rows)
        self._place = {row.voyage_id: i for i, row in enumerate(self._rows)}
        self._of_mmsi: dict[str, list[TableRow]] = defaultdict(list)
        for row in self._rows:
            self._of_mmsi[row.mmsi].append(row)

    def begun(self, row: TableRow) -> View:
        """The view of a row of the table, before its case is looked up."""
        place = self._place[row.voyage_id]
        return View(
            voyage_id=row.voyage_id,
            name=row.name,
            mmsi=row.mmsi,
            band=row.band,
            score=row.score,
            rank=row.rank,
            n_cases=len(self._rows),
            status=row.status,
            verdict=row.verdict,
            lines=(row.headline,) if row.headline else (),
            before=self._rows[place - 1].voyage_id if place else "",
            after=self._rows[place + 1].voyage_id if place + 1 < len(self._rows) else "",
        )

    def of(self, mmsi: int) -> list[TableRow]:
        """Flagged voyages under an MMSI, by rank."""
        return self._of_mmsi[mmsi_text(mmsi)]


def with_case(begun: View, case: Case, neighbours: Neighbours) -> View:
    """The view of a voyage with all that its case says."""
    rows = case_rows(case)
    sums, zero_x = sum_lines(case, rows.score_sum)
    return replace(
        begun,
        lines=rows.head.lines,
        facts=rows.facts,
        sums=sums,
        sum_notes=rows.score_sum.notes,
        zero_x=zero_x,
        findings=tuple(_findings(case, rows.findings[:IN_FULL])),
        brief=_brief(rows.findings[IN_FULL:]),
        met=tuple(ships_met(case, neighbours)),
        chain=rows.chain,
        blocks=(("calls", rows.calls), ("claims", rows.claims)),
    )


def as_told(begun: View, row: Row) -> View:
    """The view of a voyage that a night lists as it was told before: what the list itself says of it."""
    said = (
        ("MMSI", begun.mmsi),
        ("IMO", str(row["imo"] or "none sent")),
        ("call sign", row["call_sign"] or "none sent"),
        ("flag state", row["flag_state"] or "none by its MMSI"),
        ("voyage", f"{row['origin'] or 'origin not seen'} -> {row['destination'] or 'not reached'}"),
        ("found", ", ".join(kind_words(kind) for kind in row["kinds"])),
    )
    changes = "; ".join(row["changes"] or ())
    told = f"Listed as it was told before{f' ({changes})' if changes else ''}. Its case is in the folder of that night."
    return replace(begun, lines=(*begun.lines, told), facts=Block("Voyage, as told", said))


def sum_lines(case: Case, block: Block) -> tuple[tuple[SumLine, ...], int]:
    """The lines of the score's sum with bars end to end, and where even odds (0 dB) lie on them."""
    steps = [(0.0, PRIOR_DB)]
    for group in case.verdict.groups:
        steps.append((steps[-1][1], steps[-1][1] + group.counted_db))
    steps.append((0.0, steps[-1][1]))
    low, high = min(0.0, *(min(step) for step in steps)), max(0.0, *(max(step) for step in steps))
    scale = BAR / (high - low)
    lines = [
        SumLine(
            what,
            weight,
            how,
            sort="total" if i == len(steps) - 1 else "against" if end < begin else "for",
            begin=round((begin - low) * scale),
            end=round((end - low) * scale),
        )
        for i, ((what, weight, how), (begin, end)) in enumerate(zip(block.rows, steps, strict=True))
    ]
    return tuple(lines), round(-low * scale)


def ships_met(case: Case, neighbours: Neighbours) -> Iterable[Met]:
    """The other MMSI that findings name, in the order of the findings."""
    named: dict[int, list[int]] = {}
    for number, finding in enumerate(case.findings, 1):
        for mmsi in finding.row["other_mmsi"] or ():
            named.setdefault(mmsi, []).append(number)
    names: dict[int, dict[str, None]] = defaultdict(dict)
    for claim in case.claims:
        if claim.name:
            names[claim.mmsi][claim.name] = None
    for mmsi, numbers in named.items():
        cases = [row for row in neighbours.of(mmsi) if row.voyage_id != case.voyage["voyage_id"]]
        more = f" and {len(numbers) - CASES_NAMED} more" if len(numbers) > CASES_NAMED else ""
        which = ", ".join(map(str, numbers[:CASES_NAMED]))
        yield Met(
            mmsi=mmsi_text(mmsi),
            names=tuple(names[mmsi])[:CASES_NAMED],
            where=f"finding{'s' if len(numbers) > 1 else ''} {which}{more}",
            cases=tuple(OtherCase(row.voyage_id, row.rank, f"{row.start} to {row.end}") for row in cases[:CASES_NAMED]),
            n_more=max(len(cases) - CASES_NAMED, 0),
        )


def _findings(case: Case, rows: Iterable[FindingRows]) -> Iterable[FindingView]:
    seen: set[str] = set()
    before = ""
    for one, finding in zip(rows, case.findings, strict=False):
        bars = oddities(finding.row["evidence"]) if one.kind == UNUSUAL else ()
        if bars:
            rest = tuple(row for row in one.evidence.rows if not is_drawn(row[2]))
            one = replace(one, evidence=replace(one.evidence, rows=rest))
        files = SAME_FILES if one.sources and one.sources == before else one.sources
        yield FindingView(one, meaning_of(one.kind), one.kind not in seen, files, bars)
        seen.add(one.kind)
        before = one.sources


def _brief(rows: tuple[FindingRows, ...]) -> Block | None:
    """Findings beyond those shown in full, a row each."""
    if not rows:
        return None
    body = tuple((str(one.number), kind_words(one.kind), one.when, one.weight, one.headline) for one in rows[:IN_BRIEF])
    more = len(rows) - len(body)
    notes = ("Their evidence is in findings.parquet.", *([f"And {more} more."] if more else []))
    return Block(
        f"{len(rows)} lighter findings, in brief", body, ("", "kind", "when", "weight", "headline"), notes=notes
    )
