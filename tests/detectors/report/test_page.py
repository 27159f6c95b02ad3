"""The report page without a browser: what stands where, what may run, and what becomes of what radios sent."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from detectors.batch.outputs import write_result
from detectors.report import page as page_module
from detectors.report.page import LONGEST, report_page
from detectors.report.sections import IN_FULL
from detectors.run_folder import load_run, run_in_memory
from tests.detectors.conftest import make_run as made_run
from tests.detectors.report.fleets import SHIPS, Ship, fleet, voyage_id, with_columns

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "col"})
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202eKP\u0007\x1b[31m"
ADDRESS = re.compile(r"(?:https?|ftp|wss?)://", re.IGNORECASE)
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")


class Tree(HTMLParser):
    """Elements with what they hold: enough of HTML for a page of our own making."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(html)
        for element in self.elements:
            element["text"] = "".join(self.texts[element["from"] : element.get("to")])

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "inside": [one["id"] for one in self.open if one["id"]], **dict(attrs)}
        element["from"] = len(self.texts)
        element.setdefault("id", None)
        self.elements.append(element)
        if tag in VOID:
            element["to"] = len(self.texts)
        else:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()["to"] = len(self.texts)

    def handle_endtag(self, tag):
        while self.open and any(one["tag"] == tag for one in self.open):
            last = self.open.pop()
            last["to"] = len(self.texts)
            if last["tag"] == tag:
                break

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag, **wanted):
        return [
            one
            for one in self.elements
            if one["tag"] == tag and all(one.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def one(self, tag, **wanted):
        (found,) = self.all(tag, **wanted)
        return found

    def ids(self):
        return [one["id"] for one in self.elements if one["id"]]


@pytest.fixture
def run(finished, tmp_path):
    return run_in_memory(finished, tmp_path)


@pytest.fixture(scope="module")
def fleet_html(tmp_path_factory):
    run = fleet(run_in_memory(made_run(), tmp_path_factory.mktemp("run")))
    page = report_page(run)
    assert page.failures == ()
    return page.html


@pytest.fixture(scope="module")
def tree(fleet_html):
    return Tree(fleet_html)


def html_of(run):
    page = report_page(run)
    assert page.failures == ()
    return page.html


def words(text):
    return " ".join(text.split())


def test_every_flagged_voyage_has_a_row_by_rank_and_a_case(tree):
    rows = [one["id"] for one in tree.all("tr") if (one["id"] or "").startswith("row-")]
    assert rows == [f"row-{voyage_id(ship)}" for ship in SHIPS]
    cases = [one["id"] for one in tree.all("section", class_="case")]
    assert cases == [voyage_id(ship) for ship in SHIPS]
    links = [one["href"] for one in tree.all("a", class_="open")]
    assert links == [f"#{case}" for case in cases]


def test_ids_are_unique_and_every_link_leads_to_one_of_them(tree):
    ids = tree.ids()
    assert len(ids) == len(set(ids))
    leads = {one["href"] for one in tree.all("a")}
    assert leads
    assert {to[0] for to in leads} == {"#"}
    assert {to[1:] for to in leads} <= set(ids)


def test_a_case_leads_to_its_neighbours_by_rank(tree):
    first, second, third = (voyage_id(ship) for ship in SHIPS[:3])
    before = {tuple(one["inside"])[-1]: one["href"] for one in tree.all("a", class_="prev")}
    after = {tuple(one["inside"])[-1]: one["href"] for one in tree.all("a", class_="next")}
    assert first not in before
    assert (before[second], after[second]) == (f"#{first}", f"#{third}")
    assert voyage_id(SHIPS[-1]) not in after


def test_the_policy_lets_only_the_pages_own_sheet_and_script_in(fleet_html, tree):
    policy = tree.one("meta", **{"http-equiv": "Content-Security-Policy"})["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    sheets = re.findall(r"<style>(.*?)</style>", fleet_html, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", fleet_html, re.DOTALL)
    digest = {text: f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (*sheets, script)}
    assert rules == {
        "default-src": "'none'",
        "script-src": digest[script],
        "style-src": " ".join(digest[sheet] for sheet in sheets),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert fleet_html.index("Content-Security-Policy") < min(fleet_html.index("<style"), fleet_html.index("<link"))


def test_nothing_on_the_page_needs_what_the_policy_forbids(tree):
    for one in tree.elements:
        assert not [key for key in one if key.startswith("on") or key in ("style", "srcset", "srcdoc", "ping")], one
        assert one["tag"] not in ("iframe", "object", "embed", "base", "img", "video", "audio")
        assert not one.get("src")
        assert one.get("href", "#").startswith(("#", "data:,"))
        assert one.get("xlink:href", "#").startswith("#")


def test_no_address_of_any_network_is_in_the_page(fleet_html):
    rest = fleet_html
    for name in NAMESPACES:
        rest = rest.replace(name, "")
    assert not ADDRESS.search(rest)
    assert "@import" not in rest
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", rest)


def test_script_makes_no_markup_and_runs_no_text(fleet_html):
    (script,) = re.findall(r"<script>(.*?)</script>", fleet_html, re.DOTALL)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch("):
        assert word not in script
    for word in ("localStorage", "sessionStorage", "cookie", "XMLHttpRequest", "import(", "pushState"):
        assert word not in script


def test_what_a_radio_sent_is_text_and_nothing_else(run):
    run = fleet(run, [Ship(HOSTILE, 445012340, kinds=("relay_voyage", "dark_gap")), Ship(HOSTILE, 352001870)])
    html = html_of(run)
    tree = Tree(html)
    assert len(tree.all("script")) == 1
    assert not tree.all("img")
    assert not [one for one in tree.elements if any(key.startswith("on") for key in one)]
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "\x07" not in html
    assert "\x1b" not in html
    name = tree.all("a", class_="open")[0]["text"]
    assert name == "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>KP[31m"
    assert unescape(name) == name


def test_a_text_of_ten_thousand_characters_is_cut(run):
    long = "A" * 10_000 + "END"
    html = html_of(fleet(run, [Ship(long, 445012340)]))
    assert "END" not in html
    assert "A" * (LONGEST + 1) not in html
    assert len(html) < 40 * 10_000 + len(html_of(run))


def test_names_stand_in_elements_that_keep_their_direction_to_themselves(run):
    name = "\u05d0\u05d1\u05d2 7"
    html = html_of(fleet(run, [Ship(name, 445012340)]))
    assert f"<bdi>{name}</bdi>" in html


def test_the_same_run_gives_the_same_page(run):
    assert html_of(fleet(run)) == html_of(fleet(run))


def test_a_run_read_back_gives_the_same_page(finished, tmp_path):
    write_result(finished, tmp_path / "out")
    assert html_of(load_run(tmp_path / "out")) == html_of(run_in_memory(finished, tmp_path))


def test_a_night_without_flagged_voyages_says_so_and_is_still_told(make_run, tmp_path):
    tree = Tree(html_of(run_in_memory(make_run(flagged=False), tmp_path)))
    assert "No voyage is flagged" in tree.one("p", id="none-flagged")["text"]
    assert "1 input with 1,185 rows" in tree.one("p", class_="night-line")["text"]
    assert not tree.all("table", id="voyages")
    assert not tree.all("section", class_="case")
    assert tree.all("section", id="legend")


def test_a_voyage_told_before_and_not_in_the_run_keeps_its_row_and_says_so(run):
    run = fleet(run)
    told, kept = SHIPS[1], SHIPS[0]
    gone = {
        name: run.tables[name].filter(pa.compute.not_equal(run.tables[name]["voyage_id"], voyage_id(told)))
        for name in ("voyages", "findings", "tracks")
    }
    run = replace(run, tables={**run.tables, **gone})
    changes = [["its rows were not all looked at"] if s == told else [] for s in SHIPS]
    tree = Tree(html_of(with_columns(run, "flagged_voyages", changes=changes)))
    (case,) = [one for one in tree.all("section", class_="case") if one["id"] == voyage_id(told)]
    assert "Listed as it was told before (its rows were not all looked at)" in case["text"]
    assert told.name in case["text"]
    assert "dark gap" in case["text"]
    assert f"{voyage_id(told)}-f1" not in tree.ids()
    assert f"{voyage_id(kept)}-f1" in tree.ids()


def test_a_case_says_what_was_found_and_how_the_score_adds_up(tree):
    first = voyage_id(SHIPS[0])
    (case,) = [one for one in tree.all("section", class_="case") if one["id"] == first]
    text = words(case["text"])
    for said in (
        "PAEKSONG 2",
        "445012340",
        "relay_voyage",
        "strength 0.80 of 1, weight +21.5 dB",
        "days from Nampo to Nakhodka (d)",
        "7.0",
        "over 30",
        "two reports an hour: short calls may be missing",
        "ais-2024-04.csv",
        "-30.0 dB",
        "odds of 1 to 1,000",
        "Port calls",
        "KP_NAMPO",
    ):
        assert said in text, said
    assert [one["id"] for one in tree.all("section", class_="finding") if first in one["inside"]] == [
        f"{first}-f1",
        f"{first}-f2",
    ]


def test_a_ship_met_that_is_flagged_too_is_a_link_to_its_case(tree):
    met = [one for one in tree.all("section", class_="met") if voyage_id(SHIPS[0]) in one["inside"]]
    assert "352001870" in met[0]["text"]
    assert "flagged too" in met[0]["text"]
    links = [one["href"] for one in tree.all("a") if one["inside"][-1:] == [voyage_id(SHIPS[0])]]
    assert links.count(f"#{voyage_id(SHIPS[1])}") == 2  # from the ships met, and as the next by rank


def test_each_kind_on_the_page_is_explained_once_and_the_cases_lead_there(tree):
    explained = {one["id"] for one in tree.all("details") if (one["id"] or "").startswith("kind-")}
    assert explained == {f"kind-{kind}" for ship in SHIPS for kind in ship.kinds}
    assert {one["href"][1:] for one in tree.all("a", class_="meaning")} == explained


def test_a_thousand_findings_on_one_voyage_are_all_named(run):
    (finding,) = run.tables["findings"].to_pylist()
    many = [
        {**finding, "finding_id": f"finding-{i:016x}", "weight_db": 10.0 - i / 1000, "headline": f"finding no. {i:04d}"}
        for i in range(1000)
    ]
    tables = {**run.tables, "findings": pa.Table.from_pylist(many, run.tables["findings"].schema)}
    html = html_of(replace(run, tables=tables))
    assert {f"finding no. {i:04d}" for i in range(1000)} <= set(re.findall(r"finding no\. \d{4}", html))
    assert len(Tree(html).all("section", class_="finding")) == IN_FULL
    assert len(html) < 2_000_000


def test_a_picture_that_cannot_be_drawn_costs_neither_the_case_nor_the_page(run, monkeypatch):
    run = fleet(run)
    draw = page_module.map_picture

    def broken(drawn, *args, **others):
        if drawn.voyage_id == voyage_id(SHIPS[2]):
            raise ValueError("<no> coast")
        return draw(drawn, *args, **others)

    monkeypatch.setattr(page_module, "map_picture", broken)
    page = report_page(run)
    assert page.failures == (f"the map of {voyage_id(SHIPS[2])} could not be drawn (ValueError: <no> coast)",)
    tree = Tree(page.html)
    assert len(tree.all("figure", class_="map by-speed")) == len(SHIPS) - 1
    assert page.failures[0] in tree.one("ul", id="undrawn")["text"]
    (case,) = [one for one in tree.all("section", class_="case") if one["id"] == voyage_id(SHIPS[2])]
    assert page.failures[0] in case["text"]
    assert "Port calls" in case["text"]
    assert "<no>" not in page.html


def test_a_case_that_cannot_be_laid_out_keeps_its_row_and_headline(run, monkeypatch):
    def broken(*_):
        raise KeyError("no such column")

    monkeypatch.setattr(page_module, "with_case", broken)
    page = report_page(run)
    assert len(page.failures) == 1
    tree = Tree(page.html)
    assert "PAEKSONG 2" in tree.one("section", class_="case")["text"]
    assert page.failures[0] in tree.one("section", class_="case")["text"]


def test_voyages_beyond_those_with_a_case_stay_in_the_table(run, monkeypatch):
    monkeypatch.setattr(page_module, "CASES", 4)
    tree = Tree(html_of(fleet(run)))
    assert [one["id"] for one in tree.all("section", class_="case")] == [voyage_id(ship) for ship in SHIPS[:4]]
    assert "The first 4 by rank have a case" in words(tree.one("section", id="list")["text"])
    for ship in SHIPS[4:]:
        assert voyage_id(ship) in tree.one("tr", id=f"row-{voyage_id(ship)}")["text"]
    assert {one["href"][1:] for one in tree.all("a")} <= set(tree.ids())


def test_cases_of_a_page_that_grows_too_large_keep_their_words_without_pictures(run, monkeypatch):
    monkeypatch.setattr(page_module, "PICTURED_BYTES", 30_000)
    page = report_page(fleet(run))
    cases = page.html.split('<section class="case"')[1:]
    drawn = ['<figure class="map' in case for case in cases]
    assert drawn[0]
    assert not drawn[-1]
    assert drawn == sorted(drawn, reverse=True)
    assert ["--plot" in case for case in cases] == [not one for one in drawn]
    assert all("How the score adds up" in case for case in cases)
    assert page.failures == ()
