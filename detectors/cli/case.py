"""The case for one voyage as lines of text: headline, score and its sum, facts, port calls, identities, findings.

Takes a `Case`; gives lines for a terminal. What the lines say is made in `detectors.case_rows`.
"""

from typing import Final

from rich.text import Text

from detectors.case_rows import CLOSING, FindingRows, Head, case_rows
from detectors.chain_rows import Block
from detectors.cli.summary import STYLES
from detectors.cli.terminal import wrap, wrapped_grid
from detectors.explain import Case
from detectors.shown import safe

_INDENT: Final = 2


def case_lines(case: Case, width: int) -> list[str | Text]:
    """The whole case, section by section."""
    rows = case_rows(case)
    lines: list[str | Text] = [*_head(rows.head, width), ""]
    for block in (rows.facts, rows.score_sum, *rows.chain):
        lines += [*block_lines(block, width), ""]
    lines += [*block_lines(rows.calls, width), "", *block_lines(rows.claims, width)]
    for finding in rows.findings:
        lines += ["", *_finding(finding, width)]
    return [*lines, "", CLOSING]


def block_lines(block: Block, width: int) -> list[str]:
    """A block: its title, what leads to the table, the table, and what is to be said of it."""
    lines = wrap(block.title, width)
    for text in block.lead:
        lines += wrap(text, width, _INDENT)
    if block.rows:
        table = wrapped_grid(block.header or [""] * len(block.rows[0]), block.rows, width, indent=_INDENT)
        lines += table if block.header else table[1:]
    for text in block.notes:
        lines += wrap(text, width, _INDENT)
    return lines


def _head(head: Head, width: int) -> list[str | Text]:
    if head.band is None:
        return [safe(head.title), *head.lines]
    first = Text(safe(head.title), style=STYLES.get(head.band, "bold"))
    return [first, *(line for text in head.lines for line in wrap(text, width))]


def _finding(finding: FindingRows, width: int) -> list[str | Text]:
    lines: list[str | Text] = [Text(safe(finding.title), style="bold"), *wrap(finding.headline, width, _INDENT)]
    lines += [" " * _INDENT + text for text in (finding.when, finding.weight, finding.others) if text]
    lines += wrapped_grid(finding.evidence.header, finding.evidence.rows, width, indent=_INDENT)
    for caveat in finding.caveats:
        lines += wrap(f"caveat: {caveat}", width, _INDENT)
    return [*lines, *(wrap(f"from: {finding.sources}", width, _INDENT) if finding.sources else [])]
