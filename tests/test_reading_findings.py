"""docs/reading-findings.md holds the program's own words and the measured numbers of other pages.

Blocks between `<!-- meanings: argument -->` and `<!-- end -->` are made from `detectors.report.meanings`. Run this file
with WAKEWATCH_REFRESH_DOCS=1 to write them anew.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from detectors.catalogue import BUILTIN, detector_classes
from detectors.report.meanings import BANDS, CANNOT_SEE, MEANINGS, SCORE
from detectors.triage import CAPS_DB, PRIOR_DB, weight_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reading-findings.md"
REFRESH = os.environ.get("WAKEWATCH_REFRESH_DOCS") == "1"
BLOCK = re.compile(r"(?P<mark><!-- meanings: (?P<what>[a-z-]+) -->\n)(?P<body>.*?)(?=<!-- end -->)", re.DOTALL)
QUOTED = {"nightly.md": r"\| 0\.\d+ \|", "backtest.md": r"\| `\w+` \| \d+ \| \d+ \| \d\.\d\d, ", "identity.md": None}
"""Pages whose rows of numbers are quoted, and how a row of each begins; what fits no other is identity.md's."""


def kinds() -> str:
    """Every kind of finding by detector, in the order of the catalogue."""
    parts = []
    classes = detector_classes()
    for entry in BUILTIN:
        parts.append(f"### `{entry.name}`\n")
        for kind in classes[entry.name].kinds:
            meaning, weight = MEANINGS[kind], weight_of(kind)
            parts.append(
                f"#### {meaning.title} (`{kind}`)\n\n"
                f"- **Says:** {meaning.says}\n"
                f"- **Ordinary explanations:** {meaning.innocent}\n"
                f"- **Does not say:** {_lower(meaning.does_not_say)}\n"
                f"- **Check:** {meaning.check}\n"
                f"- **Weighs** at most {weight.full_db:.0f} dB, with others of its group ({weight.group}) at most "
                f"{CAPS_DB[weight.group]:.0f} dB.\n"
            )
    return "\n" + "\n".join(parts) + "\n"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def bands() -> str:
    lines = ["| band | from a score of | that is, evidence of | what to make of it |", "|---|---|---|---|"]
    for band in BANDS:
        evidence_db = f"{evidence_of(band.lowest_score):.1f} dB" if band.lowest_score else "13.1 dB (else not flagged)"
        lines.append(f"| {band.band} | {band.lowest_score:g} | {evidence_db} | {band.says} |")
    return "\n".join(lines) + "\n"


def evidence_of(score: float) -> float:
    return 10.0 * math.log10(score / (1.0 - score)) - PRIOR_DB


def score() -> str:
    return "\n" + "".join(f"- {sentence}\n" for sentence in SCORE) + "\n"


def cannot_see() -> str:
    return "\n" + "".join(f"- {sentence}\n" for sentence in CANNOT_SEE) + "\n"


MADE: Mapping[str, Callable[[], str]] = {"kinds": kinds, "bands": bands, "score": score, "cannot-see": cannot_see}


def test_the_page_holds_the_words_of_the_program() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert {match["what"] for match in BLOCK.finditer(text)} == set(MADE)
    fresh = BLOCK.sub(lambda match: match["mark"] + MADE[match["what"]](), text)
    if REFRESH:
        PAGE.write_text(fresh, encoding="utf-8")
    else:
        assert fresh == text, "docs/reading-findings.md is out of date: run this test with WAKEWATCH_REFRESH_DOCS=1"


def rows_quoted() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    measured = text[text.index("**What was measured.**") : text.index("**What that is worth.**")]
    return re.findall(r"^\| (?:0\.\d|`).*\|$", measured, re.MULTILINE)


@pytest.mark.parametrize("row", rows_quoted())
def test_a_measured_number_is_that_of_the_page_it_is_from(row: str) -> None:
    pages = [page for page, begins in QUOTED.items() if begins and re.match(begins, row)] or ["identity.md"]
    assert row in (ROOT / "docs" / pages[0]).read_text(encoding="utf-8").splitlines()


def test_numbers_of_each_page_are_quoted() -> None:
    rows = rows_quoted()
    for begins in filter(None, QUOTED.values()):
        assert sum(bool(re.match(begins, row)) for row in rows) >= 4
    assert len(rows) >= 12


def test_what_is_said_of_the_quoted_numbers_is_so() -> None:
    """Two thirds of exchanges and a quarter of handovers missed; more than half of the false ones are coasters."""
    missed = {}
    for row in rows_quoted():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0].startswith("`"):
            missed[cells[0].strip("`")] = 1.0 - int(cells[2]) / int(cells[1])
    assert missed["identity_exchange"] == pytest.approx(2 / 3, abs=0.02)
    assert missed["hull_handover"] == pytest.approx(1 / 4, abs=0.02)
    said = " ".join((ROOT / "docs" / "nightly.md").read_text(encoding="utf-8").split())
    false, coasters = map(int, re.search(r"Of the (\d+) false voyages at 0\.02, (\d+) are the DPRK's", said).groups())
    assert coasters > false / 2


def test_the_worlds_that_were_measured_are_those_of_the_page_they_are_from() -> None:
    said = " ".join(PAGE.read_text(encoding="utf-8").split())
    days, stories, ships = re.search(
        r"other than the fixtures, (\d+) days each, with (\d+) falsifications and (\d+) innocent ships", said
    ).groups()
    source = " ".join((ROOT / "docs" / "nightly.md").read_text(encoding="utf-8").split())
    assert f"{days} days each, {stories} falsifications in all" in source
    assert f"voyages of {ships} innocent ships" in source


def test_the_threshold_of_the_lowest_band_is_the_one_that_flags() -> None:
    from_table = next(row for row in rows_quoted() if row.startswith("| 0.02 "))
    assert f"| {evidence_of(0.02):.1f} |" in from_table
    assert "13.1 dB" in bands()


def test_every_resource_the_findings_name_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    checks = " ".join(meaning.check for meaning in MEANINGS.values())
    for name in ("GISIS", "Equasis", "MARS", "LRIT"):
        assert name in checks
        assert name in text
    for name in ("Sentinel-1", "Sentinel-2", "Panel of Experts", "MSMT", "synopsis record", "port state control"):
        assert name in text
