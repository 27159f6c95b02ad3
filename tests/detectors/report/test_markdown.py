"""The case as Markdown: what the terminal says, and of a stranger's text nothing but the characters it is."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from detectors.case_rows import case_rows
from detectors.cli.case import case_lines
from detectors.explain import Cases
from detectors.report.markdown import LONGEST, case_markdown, escaped
from detectors.rules.identity.detector import Identity
from detectors.run_folder import run_in_memory
from detectors.shown import shown
from tests.detectors.conftest import make_run
from tests.detectors.hulls import handover, run_of

LATER = "voyage-273000222-041200"
COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "[x](javascript:alert(1))",
    "![x](http://evil.kp/pixel.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- -->",
    "&lt;b&gt; &#64;all",
    "https://evil.kp/a?b=c",
    "//127.0.0.1/x",
    "__www.evil.kp",
    "evil.kp",
    "mailto:a@b.kp",
    "@channel",
    "#1 GH-7",
    "a | b || c",
    "`rm -rf` `` x",
    "**bold** _it_ ~~gone~~",
    "\\| \\` \\[x](y)",
    "# heading #",
    "- list",
    "1. one",
    "> quoted",
    "---",
    ":fire: :+1:",
    "[^1] [ ] [x]: http://evil.kp",
    "{{ config }} $x$",
    "\x1b[31mRED\u202eABC\u2066\u200b",
    "two\nlines\r\n\n# three",
    "=cmd()",
)


class Rendered(HTMLParser):
    """The tags, attributes and text of HTML."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.odd, self.pieces = set(), [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.odd += attrs

    def handle_data(self, data):
        self.pieces.append(data)

    def handle_comment(self, data):
        self.odd.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def text(self):
        return one_line("".join(self.pieces))


def one_line(text):
    return " ".join(text.split())


def renderers():
    """CommonMark with tables, and GitHub's flavour with links made of bare addresses."""
    yield COMMONMARK
    pytest.importorskip("linkify_it", reason="no linkify-it-py: bare addresses are not turned into links")
    yield MarkdownIt("gfm-like", {"html": True, "linkify": True})


def places(text):
    """The text wherever a case may hold it: Markdown, the text it must show, and the tags it may have."""
    plain = shown(text, LONGEST)
    yield f"{escaped(text, opens_block=True)}\n\nend", f"{plain} end", {"p"}
    yield f"# {escaped(text)}\n\nend", f"{plain} end", {"h1", "p"}
    yield f"- {escaped('caveat: ' + text)}\n- end", f"caveat: {plain} end", {"ul", "li"}
    table = f"| a | b |\n| --- | --- |\n| {escaped(text)} | {escaped(text)} |\n\nend"
    yield table, f"a b {plain} {plain} end", {"table", "thead", "tbody", "tr", "th", "td", "p"}


def assert_shown_as_it_is(text):
    for render in renderers():
        for markdown, expected, tags in places(text):
            found = Rendered(render.render(markdown))
            assert found.tags <= tags | {"code"}, markdown
            assert not found.odd, markdown
            assert found.text == one_line(expected), markdown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_the_characters_it_is(text):
    assert_shown_as_it_is(text)


MARKS = st.sampled_from([*"[]()`*_~|\\<>&@#:!.-+={}$^'\"/1a \t\n\u202e\x00", "www.", "http://", "a@b.kp", *HOSTILE])


@given(st.lists(MARKS, max_size=8).map("".join))
@example("tel:@@//#1")
@example("1.evil.kp")
@example("#")
def test_whatever_is_put_together_is_shown_as_the_characters_it_is(text):
    assert_shown_as_it_is(text)


@pytest.mark.parametrize(
    ("text", "broken"),
    [("@all", "`@`all"), ("a@b.kp", "a`@`b"), ("http://x", "http:`//`x"), ("#12", "`#`12"), (":fire:", "`:`fire:")],
)
def test_what_others_link_in_the_finished_text_stands_across_the_edge_of_a_code_span(text, broken):
    assert escaped(text).startswith(broken)


def test_ordinary_text_is_left_readable():
    for text in ("KP_NAMPO -> RU_NAKHODKA", "8.8 h", "2024-05-01 06:30Z", "+24.1 dB", "from 2025-03-11T22:52:44Z"):
        assert escaped(text) == text


def test_endless_text_is_cut():
    assert len(escaped("A" * 10_000)) == LONGEST


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_makes_no_mark_up_in_a_case(name, tmp_path):
    run = run_in_memory(make_run(name), tmp_path)
    voyage_id = run.tables["flagged_voyages"]["voyage_id"][0].as_py()
    markdown = case_markdown(Cases(run).case(voyage_id))
    quiet = Rendered(COMMONMARK.render(case_markdown(Cases(run_in_memory(make_run(), tmp_path)).case(voyage_id))))
    for render in renderers():
        found = Rendered(render.render(markdown))
        assert found.tags <= quiet.tags | {"code"}
        assert not found.odd
        assert found.text.count(one_line(shown(name))) >= 2


def linked_case():
    return Cases(run_of(handover(), Identity())).case(LATER)


def test_the_markdown_says_what_the_terminal_says_in_the_same_order(finished, relay_voyage_id, tmp_path):
    for case in (Cases(run_in_memory(finished, tmp_path)).case(relay_voyage_id), linked_case()):
        words = re.findall(r"[\w.]+", " ".join(str(line) for line in case_lines(case, 10_000)))
        found = re.findall(r"[\w.]+", Rendered(COMMONMARK.render(case_markdown(case))).text)
        assert found == words


def test_every_section_has_a_heading_and_every_table_its_columns():
    case = linked_case()
    tokens = COMMONMARK.parse(case_markdown(case))
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    rows = case_rows(case)
    blocks = (rows.facts, rows.score_sum, *rows.chain, rows.calls, rows.claims)
    assert headings[1:] == [*(block.title for block in blocks), *(finding.title for finding in rows.findings)]
    assert sum(token.type == "table_open" for token in tokens) == sum(bool(b.rows) for b in blocks) + len(rows.findings)
    n_cells = [len(row) for block in blocks for row in (block.header or block.rows[0], *block.rows)]
    n_cells += [3 for finding in rows.findings for _ in range(1 + len(finding.evidence.rows))]
    assert sum(token.type in ("th_open", "td_open") for token in tokens) == sum(n_cells)


def test_a_voyage_that_is_not_flagged_has_its_case_too(finished, tmp_path):
    run = run_in_memory(finished, tmp_path)
    other = next(v["voyage_id"] for v in run.tables["voyages"].to_pylist() if v["mmsi"] == 352001870)
    text = case_markdown(Cases(run).case(other))
    assert text.startswith(f"# {other}\n\nNot flagged: no detector found anything on it.\n\n## Voyage\n\n|")
    assert "| GOLDEN LILY |" in text


def test_findings_are_numbered_in_the_order_of_their_weights(finished, relay_voyage_id, tmp_path):
    run = run_in_memory(finished, tmp_path)
    case = Cases(run).case(relay_voyage_id)
    heavier = replace(case.findings[0], row={**case.findings[0].row, "kind": "dark_gap"})
    text = case_markdown(replace(case, findings=(heavier, case.findings[0])))
    assert text.index("## Finding 1: dark_gap (") < text.index("## Finding 2: relay_voyage (")
