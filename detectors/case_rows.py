"""The case for one voyage as rows of plain text: what a terminal, Markdown and the page lay out, each in its own way.

Takes a `Case`; gives records of strings in the order in which a reader asks. Nothing here is escaped: texts are as
radios sent them, and whoever shows them makes them safe for what they are shown in. The rows of the chain of a hull
are made in `detectors.chain_rows`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detectors.chain_rows import Block, called_as, chain_blocks, instant
from detectors.explain import Case, Claims, FindingCase, Row
from detectors.triage import PRIOR_DB, weight_of
from vessels.ais import mmsi_text, ship_type_label, state_names

CLOSING: Final = "A finding says what the data show. It accuses nobody."
CONFIDENCES: Final = {
    1: "entry or exit only",
    2: "stop or gap inside",
    3: "entry or exit, and a stop or gap",
    4: "entry, stop and exit",
}
"""What was seen of a port visit, by its confidence (after Global Fishing Watch)."""
ROUNDING: Final = 1e-4
"""Scores that differ by more were made with other weights."""
FILES_SHOWN: Final = 5
LINKED_KINDS: Final = frozenset({"hull_handover", "identity_exchange"})
LINK_REASON: Final = re.compile(r"(?:back: )?(?:(?:for|against) one hull: |rival$)")
"""Lines of such findings that the table of the link repeats."""


@dataclass(frozen=True)
class Head:
    """Which voyage this is, where it stands among the flagged ones, and the first thing to know of it.

    `band` is None where the voyage is not flagged.
    """

    voyage_id: str
    band: str | None
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FindingRows:
    """One finding: what it says, when and where, how much it weighs, and what was observed and expected.

    `number` is its place in the case, from 1; `others` and `sources` are empty where there is nothing to say.
    """

    number: int
    finding_id: str
    kind: str
    title: str
    headline: str
    when: str
    weight: str
    others: str
    evidence: Block
    caveats: tuple[str, ...]
    sources: str


@dataclass(frozen=True)
class CaseRows:
    """The whole case, section by section."""

    head: Head
    facts: Block
    score_sum: Block
    chain: tuple[Block, ...]
    calls: Block
    claims: Block
    findings: tuple[FindingRows, ...]


def case_rows(case: Case) -> CaseRows:
    """The whole case as rows of plain text."""
    return CaseRows(
        head(case), facts(case), score_sum(case), chain_blocks(case), calls(case), claims(case), finding_rows(case)
    )


def head(case: Case) -> Head:
    """The title of the case and the lines right below it."""
    voyage_id, flagged = case.voyage["voyage_id"], case.flagged
    if flagged is None:
        why = "its findings do not reach the threshold" if case.findings else "no detector found anything on it"
        return Head(voyage_id, None, voyage_id, (f"Not flagged: {why}.",))
    title = f"{voyage_id}: {flagged['band']}, score {flagged['score']:.3f}, rank {flagged['rank']}"
    title += "".join(f", {word}" for word in (flagged["status"], flagged.get("verdict")) if word)
    changes = "; ".join(flagged.get("changes") or ())
    lines = (flagged["headline"] or "", f"Since it was told: {changes}." if changes else "")
    return Head(voyage_id, flagged["band"], title, tuple(line for line in lines if line))


def facts(case: Case) -> Block:
    """The ship and its voyage, a row each: what, and what it was."""
    voyage, flagged = case.voyage, case.flagged
    rows: list[tuple[str, str]] = []
    if flagged is not None:
        state = flagged["flag_state"]
        rows += [
            ("ship", _text(flagged["name"], "no name sent")),
            ("MMSI", mmsi_text(voyage["mmsi"])),
            ("IMO", _text(flagged["imo"], "none sent")),
            ("call sign", _text(flagged["call_sign"], "none sent")),
            ("flag state", f"{state_names().get(state, '')} ({state})" if state else "none by its MMSI"),
        ]
    else:
        rows.append(("MMSI", mmsi_text(voyage["mmsi"])))
    end = "no arrival seen" if voyage["is_open"] else _instant(voyage["end"])
    rows += [
        ("voyage", f"{_text(voyage['origin'], 'origin not seen')} -> {_text(voyage['destination'], 'not reached')}"),
        ("time", f"{_instant(voyage['start'])} to {end}; data as of {case.as_of}"),
        ("sailed", f"{_number(voyage['distance_nmi'], 'nmi')} in {_number(voyage['duration_h'], 'h')}"),
    ]
    score = voyage.get("anomaly_score")
    if score is not None:
        rows.append(("unusualness", f"{score:.3f} of 1 against the baseline"))
    return Block("Voyage", tuple(rows))


def score_sum(case: Case) -> Block:
    """How the score adds up: prior, the weights of each group of findings under its cap, and their sum."""
    rows = [("prior", f"{PRIOR_DB:+.1f} dB", f"{_odds(PRIOR_DB)} that a voyage taken at random deserves a second look")]
    for group in case.verdict.groups:
        kinds = [f for f in case.findings if weight_of(f.row["kind"]).group == group.group]
        how = f"{len(kinds)} finding{'' if len(kinds) == 1 else 's'}: "
        how += ", ".join(f"{f.row['kind']} {f.row['weight_db']:+.1f}" for f in kinds)
        if group.sum_db < sum(f.row["weight_db"] for f in kinds) - ROUNDING:
            how += "; of one kind each further one counts less"
        if group.sum_db > group.cap_db:
            how += f"; {group.sum_db:+.1f} together, capped"
        rows.append((group.group, f"{group.counted_db:+.1f} dB", how))
    total = PRIOR_DB + case.verdict.evidence_db
    rows.append(("together", f"{total:+.1f} dB", f"{_odds(total)}, a score of {case.verdict.score:.3f}"))
    notes: tuple[str, ...] = ()
    if case.flagged is not None and abs(case.flagged["score"] - case.verdict.score) > ROUNDING:
        notes = ("The run was scored by another version of the weights; scan again to bring it up to date.",)
    return Block("How the score adds up", tuple(rows), notes=notes)


def calls(case: Case) -> Block:
    """The hull's port calls around the voyage, and what their confidence means."""
    if not case.port_visits:
        return Block("Port calls: none seen")
    bounds = {
        case.voyage.get("origin_visit_id"): "voyage begins",
        case.voyage.get("destination_visit_id"): "voyage ends",
    }
    rows = tuple(
        (
            _instant(visit["start"]),
            _instant(visit["end"]) if visit["end"] else _still_there(visit),
            visit["zone_id"],
            visit["zone_name"] or "",
            visit["country"] or "",
            str(visit["confidence"]),
            bounds.get(visit["visit_id"], ""),
            *([called_as(case.chain.borne_at(visit))] if len(case.chain.identities) > 1 else []),
        )
        for visit in case.port_visits
    )
    header = ("from", "to", "zone", "name", "country", "seen", "", "as")
    seen = sorted({visit["confidence"] for visit in case.port_visits}, reverse=True)
    legend = "; ".join(f"{one} {CONFIDENCES.get(one, '')}" for one in seen)
    return Block("Port calls", rows, header[: len(rows[0])], notes=(f"seen: {legend}",))


def claims(case: Case) -> Block:
    """Who the hull, and the other MMSI of its findings, said they were."""
    if not case.claims:
        return Block("Identities: none sent")
    header = ("from", "to", "MMSI", "IMO", "name", "call sign", "type", "length x beam", "destinations")
    title = "Who it said it was, and who the other MMSI of its findings said they were"
    return Block(title, tuple(_claim(one) for one in case.claims), header)


def finding_rows(case: Case) -> tuple[FindingRows, ...]:
    """The findings in the order of the case."""
    links_shown = bool(case.chain.links or case.chain.possible_links)
    return tuple(_finding(number, finding, links_shown) for number, finding in enumerate(case.findings, 1))


def _finding(number: int, finding: FindingCase, links_shown: bool) -> FindingRows:
    row = finding.row
    end = f"to {_instant(row['end'])}" if row["end"] else "and on"
    where = "" if row["lat"] is None or row["lon"] is None else f", at {position(row['lat'], row['lon'])}"
    others = ", ".join(map(mmsi_text, row["other_mmsi"] or ()))
    return FindingRows(
        number=number,
        finding_id=row["finding_id"],
        kind=row["kind"],
        title=f"Finding {number}: {row['kind']} ({row['detector']} {row['detector_version']})",
        headline=row["headline"] or "",
        when=f"{_instant(row['start'])} {end}{where}",
        weight=f"strength {row['strength']:.2f} of 1, weight {row['weight_db']:+.1f} dB",
        others=f"other MMSI: {others}" if others else "",
        evidence=Block("", _evidence(row, links_shown), ("what", "observed", "expected")),
        caveats=tuple(row["caveats"] or ()),
        sources=_files(finding.sources) if finding.sources else "",
    )


def _evidence(row: Row, links_shown: bool) -> tuple[tuple[str, ...], ...]:
    """The lines of a finding, but for the reasons of links that stand in a table of their own."""
    return tuple(
        (f"{line['what']} ({line['unit']})" if line["unit"] else line["what"], line["observed"], line["expected"])
        for line in row["evidence"]
        if not (links_shown and row["kind"] in LINKED_KINDS and LINK_REASON.match(line["what"]))
    )


def _claim(one: Claims) -> tuple[str, ...]:
    size = f"{_text(one.length_m, '?')} x {_text(one.beam_m, '?')} m"
    return (
        _instant(one.first_seen),
        _instant(one.last_seen),
        mmsi_text(one.mmsi),
        _text(one.imo, "--"),
        _text(one.name, "--"),
        _text(one.call_sign, "--"),
        "--" if one.ship_type is None else ship_type_label(one.ship_type).split(",")[0],
        "--" if one.length_m is None and one.beam_m is None else size,
        ", ".join(one.destinations) or "--",
    )


def _still_there(visit: Row) -> str:
    """When a ship that was not seen to leave was last heard there."""
    heard = visit.get("last_seen")
    return "not seen to leave" if heard is None else f"still there {_instant(heard)}"


def _odds(weight_db: float) -> str:
    """Decibans as odds (Good 1950)."""
    odds = 10.0 ** (abs(weight_db) / 10.0)
    text = f"{odds:,.0f}" if odds >= 10 else f"{odds:.1f}"
    return f"odds of {text} to 1" if weight_db >= 0 else f"odds of 1 to {text}"


def _files(sources: Sequence[str]) -> str:
    """The first files by name, and how many more there are."""
    more = len(sources) - FILES_SHOWN
    return "; ".join(sorted(sources)[:FILES_SHOWN]) + (f"; and {more} more, see findings.parquet" if more > 0 else "")


def _text(value: object, otherwise: str) -> str:
    if value is None or value == "":
        return otherwise
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None, unit: str) -> str:
    return f"unknown {unit}" if value is None else f"{value:,.1f} {unit}"


def _instant(when: datetime | None) -> str:
    return "--" if when is None else instant(when)


def position(lat: float, lon: float) -> str:
    """A place in degrees and hemispheres.

    >>> position(42.5, -132.25)
    '42.5000N 132.2500W'
    """
    return f"{abs(lat):.4f}{'N' if lat >= 0 else 'S'} {abs(lon):.4f}{'E' if lon >= 0 else 'W'}"
