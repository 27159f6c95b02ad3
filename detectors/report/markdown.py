"""The case for one voyage as Markdown of GitHub's flavour: the content and order of the text for a terminal.

Takes a `Case`; gives text. What it says is made in `detectors.case_rows`. What came from radios and files passes
through `escaped`, and shows as the characters it is: no link, picture, mention, mark-up or table of a stranger's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from detectors.case_rows import CLOSING, FindingRows, case_rows
from detectors.chain_rows import Block
from detectors.explain import Case
from detectors.shown import shown

LONGEST: Final = 2000
"""Characters of one text that are kept: more than any headline has, and an end to what a broken file may hold."""
_SPECIAL: Final = re.compile(r"[\\`*#{\[\]<&~$]|(?<![^\W_])_|_(?![^\W_])|(?<!^)\.(?=[^\W\d])")
"""What Markdown may read as mark-up anywhere in a line, or others as a host name without its scheme (`name.kp`)."""
_AT_START: Final = re.compile(r"[-+>=]|\d{1,9}(?=[.)](?:\s|$))")
"""What begins a list, a quotation or a rule at the start of a block (CommonMark 0.31, sections 4 and 5)."""
_JOINED: Final = re.compile(
    r"(?:@|//|(?:mailto|xmpp|tel):|www(?=\.)|#(?=\d)|GH(?=-\d)|:(?=[\w+-]*[a-z_+-][\w+-]*:|100:|1234:))+",
    re.IGNORECASE,
)
"""What becomes a link, a mention, an issue or a picture after the mark-up was read, where escapes help no longer.

GitHub and others look for these in the finished text, but never across the edge of a code span.
"""


def case_markdown(case: Case) -> str:
    """The whole case, section by section; ends in a line feed."""
    rows = case_rows(case)
    parts = [f"# {escaped(rows.head.title)}", *(escaped(line, opens_block=True) for line in rows.head.lines)]
    for block in (rows.facts, rows.score_sum, *rows.chain, rows.calls, rows.claims):
        parts += [f"## {escaped(block.title)}", *_block(block)]
    for finding in rows.findings:
        parts += _finding(finding)
    return "\n\n".join([*parts, CLOSING]) + "\n"


def escaped(text: str, *, opens_block: bool = False) -> str:
    """Text as Markdown that shows these very characters, on one line; what is longer than `LONGEST` is cut.

    `opens_block` is for text that a paragraph begins with.

    >>> print(escaped("[M/V *STAR*](http://evil.kp) | @all <b>"))
    \\[M/V \\*STAR\\*\\](http:`//`evil\\.kp) &#124; `@`all \\<b>
    >>> print(escaped("1. PAEKSONG_2", opens_block=True))
    1\\. PAEKSONG_2
    """
    line = " ".join(shown(text, LONGEST).split())
    pieces = []
    at = 0
    for found in _JOINED.finditer(line):
        pieces += [_literal(line[at : found.start()], opens_block and at == 0), f"`{found.group()}`"]
        at = found.end()
    return "".join([*pieces, _literal(line[at:], opens_block and at == 0)])


def _literal(text: str, opens_block: bool) -> str:
    """Text with a backslash before what would be mark-up."""
    marked = _SPECIAL.sub(lambda found: "\\" + found.group(), text).replace("|", "&#124;")
    first = _AT_START.match(text) if opens_block else None
    if first is None:
        return marked
    number = first.group() if first.group().isdigit() else ""
    return f"{number}\\{marked[len(number) :]}"


def _block(block: Block) -> Iterator[str]:
    """What stands below the title of a block."""
    yield from (escaped(line, opens_block=True) for line in block.lead)
    if block.rows:
        yield _table(block.header or ("",) * len(block.rows[0]), block.rows)
    yield from (escaped(line, opens_block=True) for line in block.notes)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [[escaped(cell) for cell in row] for row in (header, *rows)]
    lines.insert(1, ["---"] * len(header))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _finding(finding: FindingRows) -> Iterator[str]:
    yield f"## {escaped(finding.title)}"
    if finding.headline:
        yield escaped(finding.headline, opens_block=True)
    yield "\n".join(f"- {escaped(line)}" for line in (finding.when, finding.weight, finding.others) if line)
    if finding.evidence.rows:
        yield _table(finding.evidence.header, finding.evidence.rows)
    after = [f"caveat: {caveat}" for caveat in finding.caveats]
    after += [f"from: {finding.sources}"] if finding.sources else []
    if after:
        yield "\n".join(f"- {escaped(line)}" for line in after)
