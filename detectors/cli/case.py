"""The case for one voyage as lines of text: headline, score and its sum, facts, port calls, identities, findings.

Takes a `Case`; gives lines. What belongs to the case is decided in `detectors.explain`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from detectors.cli.chain import called_as, chain_lines
from detectors.cli.summary import STYLES
from detectors.cli.terminal import safe, wrap, wrapped_grid
from detectors.explain import Case, Claims, FindingCase, Row
from detectors.triage import PRIOR_DB, weight_of
from vessels.ais import mmsi_text, ship_type_label, state_names

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
_INDENT: Final = 2


def case_lines(case: Case, width: int) -> list[str | Text]:
    """The whole case, section by section."""
    lines: list[str | Text] = [
        *_head(case, width),
        "",
        *_facts(case, width),
        "",
        *_sum(case, width),
        "",
        *chain_lines(case, width),
        *_calls(case, width),
        "",
        *_identities(case, width),
    ]
    for number, finding in enumerate(case.findings, 1):
        lines += ["", *_finding(number, finding, bool(case.chain.links or case.chain.possible_links), width)]
    lines += ["", "A finding says what the data show. It accuses nobody."]
    return lines


def _head(case: Case, width: int) -> list[str | Text]:
    voyage, flagged = case.voyage, case.flagged
    if flagged is None:
        n = len(case.findings)
        why = "no detector found anything on it" if n == 0 else "its findings do not reach the threshold"
        return [safe(voyage["voyage_id"]), f"Not flagged: {why}."]
    title = f"{voyage['voyage_id']}: {flagged['band']}, score {flagged['score']:.3f}, rank {flagged['rank']}"
    if flagged["status"]:
        title += f", {flagged['status']}"
    if flagged.get("verdict"):
        title += f", {flagged['verdict']}"
    lines = [Text(safe(title), style=STYLES.get(flagged["band"], "bold")), *wrap(flagged["headline"] or "", width)]
    changes = "; ".join(flagged.get("changes") or ())
    return [*lines, *(wrap(f"Since it was told: {changes}.", width) if changes else ())]


def _facts(case: Case, width: int) -> list[str]:
    voyage, flagged = case.voyage, case.flagged
    facts: list[tuple[str, str]] = []
    if flagged is not None:
        state = flagged["flag_state"]
        facts += [
            ("ship", _text(flagged["name"], "no name sent")),
            ("MMSI", mmsi_text(voyage["mmsi"])),
            ("IMO", _text(flagged["imo"], "none sent")),
            ("call sign", _text(flagged["call_sign"], "none sent")),
            ("flag state", f"{state_names().get(state, '')} ({state})" if state else "none by its MMSI"),
        ]
    else:
        facts.append(("MMSI", mmsi_text(voyage["mmsi"])))
    end = "no arrival seen" if voyage["is_open"] else _instant(voyage["end"])
    facts += [
        ("voyage", f"{_text(voyage['origin'], 'origin not seen')} -> {_text(voyage['destination'], 'not reached')}"),
        ("time", f"{_instant(voyage['start'])} to {end}; data as of {case.as_of}"),
        ("sailed", f"{_number(voyage['distance_nmi'], 'nmi')} in {_number(voyage['duration_h'], 'h')}"),
    ]
    score = voyage.get("anomaly_score")
    if score is not None:
        facts.append(("unusualness", f"{score:.3f} of 1 against the baseline"))
    return ["Voyage", *wrapped_grid(["", ""], facts, width, indent=_INDENT)[1:]]


def _sum(case: Case, width: int) -> list[str]:
    """How the score adds up: prior, the weights of each group of findings under its cap, and their sum."""
    rows = [["prior", f"{PRIOR_DB:+.1f} dB", f"{_odds(PRIOR_DB)} that a voyage taken at random deserves a second look"]]
    for group in case.verdict.groups:
        kinds = [f for f in case.findings if weight_of(f.row["kind"]).group == group.group]
        how = f"{len(kinds)} finding{'' if len(kinds) == 1 else 's'}: "
        how += ", ".join(f"{f.row['kind']} {f.row['weight_db']:+.1f}" for f in kinds)
        if group.sum_db < sum(f.row["weight_db"] for f in kinds) - ROUNDING:
            how += "; of one kind each further one counts less"
        if group.sum_db > group.cap_db:
            how += f"; {group.sum_db:+.1f} together, capped"
        rows.append([group.group, f"{group.counted_db:+.1f} dB", how])
    total = PRIOR_DB + case.verdict.evidence_db
    rows.append(["together", f"{total:+.1f} dB", f"{_odds(total)}, a score of {case.verdict.score:.3f}"])
    lines = ["How the score adds up", *wrapped_grid(["", "", ""], rows, width, indent=_INDENT)[1:]]
    if case.flagged is not None and abs(case.flagged["score"] - case.verdict.score) > ROUNDING:
        lines.append("  The run was scored by another version of the weights; scan again to bring it up to date.")
    return lines


def _odds(weight_db: float) -> str:
    """Decibans as odds (Good 1950)."""
    odds = 10.0 ** (abs(weight_db) / 10.0)
    text = f"{odds:,.0f}" if odds >= 10 else f"{odds:.1f}"
    return f"odds of {text} to 1" if weight_db >= 0 else f"odds of 1 to {text}"


def _calls(case: Case, width: int) -> list[str]:
    if not case.port_visits:
        return ["Port calls: none seen"]
    bounds = {
        case.voyage.get("origin_visit_id"): "voyage begins",
        case.voyage.get("destination_visit_id"): "voyage ends",
    }
    rows = [
        [
            _instant(visit["start"]),
            _instant(visit["end"]) if visit["end"] else _still_there(visit),
            visit["zone_id"],
            visit["zone_name"] or "",
            visit["country"] or "",
            str(visit["confidence"]),
            bounds.get(visit["visit_id"], ""),
            *([called_as(case.chain.borne_at(visit))] if len(case.chain.identities) > 1 else []),
        ]
        for visit in case.port_visits
    ]
    header = ["from", "to", "zone", "name", "country", "seen", "", "as"]
    seen = sorted({visit["confidence"] for visit in case.port_visits}, reverse=True)
    legend = "; ".join(f"{one} {CONFIDENCES.get(one, '')}" for one in seen)
    lines = wrapped_grid(header[: len(rows[0])], rows, width, indent=_INDENT)
    return ["Port calls", *lines, *wrap(f"seen: {legend}", width, _INDENT)]


def _still_there(visit: Row) -> str:
    """When a ship that was not seen to leave was last heard there."""
    heard = visit.get("last_seen")
    return "not seen to leave" if heard is None else f"still there {_instant(heard)}"


def _identities(case: Case, width: int) -> list[str]:
    if not case.claims:
        return ["Identities: none sent"]
    header = ["from", "to", "MMSI", "IMO", "name", "call sign", "type", "length x beam", "destinations"]
    return [
        "Who it said it was, and who the other MMSI of its findings said they were",
        *wrapped_grid(header, [_claim(c) for c in case.claims], width, indent=_INDENT),
    ]


def _claim(claims: Claims) -> list[str]:
    size = f"{_text(claims.length_m, '?')} x {_text(claims.beam_m, '?')} m"
    return [
        _instant(claims.first_seen),
        _instant(claims.last_seen),
        mmsi_text(claims.mmsi),
        _text(claims.imo, "--"),
        _text(claims.name, "--"),
        _text(claims.call_sign, "--"),
        "--" if claims.ship_type is None else ship_type_label(claims.ship_type).split(",")[0],
        "--" if claims.length_m is None and claims.beam_m is None else size,
        ", ".join(claims.destinations) or "--",
    ]


def _finding(number: int, finding: FindingCase, links_shown: bool, width: int) -> list[str | Text]:
    row = finding.row
    title = f"Finding {number}: {row['kind']} ({row['detector']} {row['detector_version']})"
    end = f"to {_instant(row['end'])}" if row["end"] else "and on"
    where = "" if row["lat"] is None or row["lon"] is None else f", at {_position(row['lat'], row['lon'])}"
    lines: list[str | Text] = [
        Text(safe(title), style="bold"),
        *wrap(row["headline"] or "", width, _INDENT),
        f"  {_instant(row['start'])} {end}{where}",
        f"  strength {row['strength']:.2f} of 1, weight {row['weight_db']:+.1f} dB",
    ]
    if row["other_mmsi"]:
        lines.append(f"  other MMSI: {', '.join(map(mmsi_text, row['other_mmsi']))}")
    lines += wrapped_grid(["what", "observed", "expected"], _evidence(row, links_shown), width, indent=_INDENT)
    for caveat in row["caveats"] or ():
        lines += wrap(f"caveat: {caveat}", width, _INDENT)
    if finding.sources:
        lines += wrap(f"from: {_files(finding.sources)}", width, _INDENT)
    return lines


def _evidence(row: Row, links_shown: bool) -> Sequence[Sequence[str]]:
    """The lines of a finding, but for the reasons of links that stand in a table of their own."""
    return [
        [f"{line['what']} ({line['unit']})" if line["unit"] else line["what"], line["observed"], line["expected"]]
        for line in row["evidence"]
        if not (links_shown and row["kind"] in LINKED_KINDS and LINK_REASON.match(line["what"]))
    ]


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
    return "--" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _position(lat: float, lon: float) -> str:
    return f"{abs(lat):.4f}{'N' if lat >= 0 else 'S'} {abs(lon):.4f}{'E' if lon >= 0 else 'W'}"
