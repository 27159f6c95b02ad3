"""docs/gallery.md and its pictures show what one scan of the fixtures finds today.

Run this file with WAKEWATCH_REFRESH_DOCS=1 to draw the pictures and fill the page anew. Pictures are held against the
facts that they hold, not byte for byte, so that a line drawn otherwise makes no test fail.
"""

import json
import os
import re
from dataclasses import asdict
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fixtures.gallery import BLOCK, FACTS, PICTURES, TRUTH, Gallery, scan_fixtures
from tests.detectors.report.test_meanings import VERDICTS
from tests.test_fixture_stories import NOT_YET

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "gallery.md"
FOLDER = DOCS / "gallery"
REFRESH = os.environ.get("WAKEWATCH_REFRESH_DOCS") == "1"
STALE = "run this test with WAKEWATCH_REFRESH_DOCS=1"
MOST_BYTES = 2_000_000
"""All pictures together: what a clone of the project may weigh more for being shown."""


@pytest.fixture(scope="module")
def run():
    return scan_fixtures()


@pytest.fixture(scope="module")
def gallery(run):
    made = Gallery(run, json.loads(TRUTH.read_text(encoding="utf-8")))
    if REFRESH:
        made.write(DOCS)
    return made


def test_the_page_says_what_is_found(gallery):
    text = PAGE.read_text(encoding="utf-8")
    assert {match["what"] for match in BLOCK.finditer(text)} == {"numbers", "pictures", "innocent", "stories"}
    assert gallery.page(text) == text, f"docs/gallery.md is out of date: {STALE}"


def test_every_picture_shows_what_is_found(gallery):
    assert {path.name for path in FOLDER.iterdir()} == {one.file for one in gallery.shown}, STALE
    for one in gallery.shown:
        held = FACTS.search((FOLDER / one.file).read_text(encoding="utf-8"))
        assert held is not None, one.file
        fresh = json.loads(json.dumps(asdict(one.facts)))
        assert json.loads(unescape(held["facts"])) == fresh, f"docs/gallery/{one.file} is out of date: {STALE}"


def test_a_picture_made_now_is_of_the_voyage_that_it_holds_the_facts_of(run, gallery):
    for one in gallery.shown[:3]:
        svg = run.plot(one.facts.voyage_id).svg
        shown = " ".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own picture
        for said in (one.facts.voyage_id, one.facts.band, one.voyage["name"]):
            assert said in shown
            assert said in (FOLDER / one.file).read_text(encoding="utf-8")


def test_pictures_stand_alone_and_are_light(gallery):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
    for one in gallery.shown:
        root = ET.parse(FOLDER / one.file).getroot()  # noqa: S314 - our own picture
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find("{http://www.w3.org/2000/svg}title").text
        for element in root.iter():
            assert not element.tag.endswith(("}script", "}foreignObject", "}image"))
            for name, value in element.attrib.items():
                assert not name.lower().startswith("on")
                assert not re.search(r"(?:https?:|javascript:|data:)", value), (one.file, name, value)


def test_each_picture_is_on_the_page_with_words_for_who_cannot_see_it():
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]*)\]\((gallery/[^)]+)\)", text)
    assert [Path(target).stem for _, target in shown] == [*(name for name, _, _ in PICTURES), "relief"]
    for words, target in shown:
        assert (DOCS / target).is_file()
        assert 60 <= len(words) <= 300
        assert words.startswith("Map and time line of ")


def test_every_story_stands_in_the_table_and_leads_to_a_picture(gallery):
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## All stories") :]
    anchors = {
        re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^### (.+)$", text, re.MULTILINE)
    }
    stories = json.loads(TRUTH.read_text(encoding="utf-8"))["stories"]
    rows = re.findall(r"^\| (?!story|-)(.+?) \|.*\(#(.+?)\) \|$", table, re.MULTILINE)
    assert [title for title, _ in rows] == [story["title"] for story in stories]
    assert {anchor for _, anchor in rows} <= anchors
    assert len(anchors) == len(gallery.shown)


def test_what_is_missed_is_what_the_page_gives_reasons_for(gallery):
    stories = json.loads(TRUTH.read_text(encoding="utf-8"))["stories"]
    missed = {(story["id"], kind) for story in stories for kind in gallery.found(story)[1]}
    assert missed == set(NOT_YET)
    assert len(missed) == 6, "docs/gallery.md: why six kinds are missed"
    assert [story["id"] for story in stories if gallery.highest(story) is None] == ["open_hidden_call"]


def test_the_innocent_scores_as_the_first_story_does(gallery):
    first, relief = gallery.shown[0], gallery.shown[-1]
    assert first.kind == relief.kind == "watched_port_call"
    assert (first.voyage["band"], round(first.voyage["score"], 2)) == (
        relief.voyage["band"],
        round(relief.voyage["score"], 2),
    )


def test_the_command_on_the_page_is_for_its_first_picture(gallery):
    (begun,) = re.findall(r"wakewatch explain (\w+) --run out --plot", PAGE.read_text(encoding="utf-8"))
    assert gallery.shown[0].facts.voyage_id.startswith(f"voyage-{begun}")


def test_no_finding_of_the_fixtures_has_a_word_that_accuses(run):
    for row in run.tables["findings"].to_pylist():
        said = [row["headline"], *row["caveats"], *(line["what"] for line in row["evidence"])]
        assert not [text for text in said if VERDICTS.search(text)]
