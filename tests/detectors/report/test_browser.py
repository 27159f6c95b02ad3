"""The page in a browser: it asks nobody, sorts, picks, opens cases, and finds its way back."""

import re

import pytest

from tests.detectors.report.browser import until
from tests.detectors.report.fleets import SHIPS, voyage_id

PAEKSONG, AMBER, ZEBRA, MING, NAMELESS, ARO = (voyage_id(ship) for ship in SHIPS)
BY_COLUMN = {
    "rank": [PAEKSONG, AMBER, ZEBRA, MING, NAMELESS, ARO],
    "score": [PAEKSONG, AMBER, ZEBRA, MING, NAMELESS, ARO][::-1],
    "band": [PAEKSONG, AMBER, ZEBRA, MING, NAMELESS, ARO],
    "when": [ZEBRA, PAEKSONG, NAMELESS, AMBER, ARO, MING],
}
"""The order of every column of numbers, least or worst first."""


def rows(page):
    """The voyages shown, from the top."""
    shown = page.locator("#voyages tbody tr:visible").evaluate_all("rows => rows.map(row => row.id)")
    return [row.removeprefix("row-") for row in shown]


def column(page, name):
    """A column's texts, from the top."""
    place = page.locator("#voyages th").evaluate_all(
        "(cells, name) => cells.findIndex(c => c.dataset.sort === name)", name
    )
    return page.locator(f"#voyages tbody tr:visible td:nth-child({place + 1})").all_inner_texts()


def sort_by(page, name):
    page.click(f"#voyages th[data-sort={name}] button")
    return page.get_attribute(f"#voyages th[data-sort={name}]", "aria-sort")


def case_shown(page):
    """The ids of the cases that can be seen."""
    return page.locator("section.case:visible").evaluate_all("cases => cases.map(c => c.id)")


def pick(page, name, words):
    """Choose what begins with these words."""
    options = page.locator(f"#filters select[name={name}] option").all_inner_texts()
    (label,) = [option for option in options if option.startswith(words)]
    page.select_option(f"#filters select[name={name}]", label=label)


def test_it_asks_nobody_and_says_nothing_while_every_case_is_opened(desk, fleet_page):
    opened = desk.open(fleet_page)
    assert opened.page.locator("body.scripted").count() == 1
    assert rows(opened.page) == [voyage_id(ship) for ship in SHIPS]
    for ship in SHIPS:
        opened.page.click(f"#row-{voyage_id(ship)} a.open")
        assert case_shown(opened.page) == [voyage_id(ship)]
        assert opened.page.locator(f"#{voyage_id(ship)} figure.map svg").first.is_visible()
        assert opened.page.locator(f"#{voyage_id(ship)} figure.time svg").first.is_visible()
        opened.page.click(f"#{voyage_id(ship)} a.back")
    assert opened.is_quiet()


def test_what_would_break_out_of_the_page_is_refused(desk, fleet_page):
    opened = desk.open(fleet_page)
    opened.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend",
            "<img src='https://example.org/a.png' onerror='window.ran = 1'>");
          const script = document.createElement("script");
          script.textContent = "window.ran = 2";
          document.body.append(script);
          fetch("https://example.org/").catch(() => {});
        }"""
    )
    until(opened.page, "window.violations.length >= 3")
    refused = {violation.split()[0] for violation in opened.violations()}
    assert {"img-src", "script-src-elem", "connect-src"} <= refused
    assert opened.page.evaluate("window.ran") is None


@pytest.mark.parametrize("name", BY_COLUMN)
def test_a_column_of_numbers_sorts_both_ways(desk, fleet_page, name):
    page = desk.open(fleet_page).page
    was = page.get_attribute(f"#voyages th[data-sort={name}]", "aria-sort")
    seen = {sort_by(page, name): rows(page), sort_by(page, name): rows(page)}
    assert set(seen) == {"ascending", "descending"}
    assert seen["ascending"] == BY_COLUMN[name]
    if name != "band":
        assert seen["descending"] == BY_COLUMN[name][::-1]
    assert was == ("ascending" if name == "rank" else None) or was == "none"
    others = page.locator(f"#voyages th[aria-sort]:not([data-sort={name}])").evaluate_all(
        "cells => cells.map(c => c.getAttribute('aria-sort'))"
    )
    assert set(others) <= {"none"}


@pytest.mark.parametrize("name", ["ship", "flag", "voyage", "kinds", "status"])
def test_a_column_of_words_sorts_as_words_are_sorted(desk, fleet_page, name):
    page = desk.open(fleet_page).page
    seen = {}
    for _ in range(2):
        way = sort_by(page, name)
        seen[way] = column(page, name)
        sorted_ = page.evaluate(
            "words => words.map(w => w.trim()).every((w, i, all) => "
            "!i || all[i - 1].localeCompare(w, 'en', {numeric: true, sensitivity: 'base'}) <= 0)",
            [text.split("\n")[0] for text in (seen[way] if way == "ascending" else seen[way][::-1])],
        )
        assert sorted_, seen[way]
    assert set(seen) == {"ascending", "descending"}
    assert len(seen["ascending"]) == len(SHIPS)


def test_names_are_sorted_without_minding_case_or_accents(desk, fleet_page):
    page = desk.open(fleet_page).page
    while sort_by(page, "ship") != "ascending":
        pass
    named = [row for row in rows(page) if row != NAMELESS]
    assert named == [AMBER, ARO, MING, PAEKSONG, ZEBRA]


PICKS = (
    ("kind", "dark", {PAEKSONG, AMBER, MING}),
    ("zone", "Dalian", {AMBER, ZEBRA, MING}),
    ("flag", "CN", {ZEBRA, MING}),
    ("band", "low", {NAMELESS, ARO}),
    ("status", "revised", {AMBER}),
)


@pytest.mark.parametrize(("name", "words", "left"), PICKS)
def test_rows_are_picked_by_one_thing(desk, fleet_page, name, words, left):
    page = desk.open(fleet_page).page
    options = page.locator(f"#filters select[name={name}] option").all_inner_texts()
    words = next(option for option in options if words.casefold() in option.casefold())
    pick(page, name, words)
    assert set(rows(page)) == left
    assert f"({len(left)})" in words, "the choice says how many it leaves"
    assert page.inner_text("#count").startswith(f"{len(left)} of {len(SHIPS)} ")
    page.click("#clear")
    assert len(rows(page)) == len(SHIPS)
    assert page.input_value(f"#filters select[name={name}]") == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("paeksong", {PAEKSONG}),
        ("412903362", {MING, NAMELESS}),
        ("aro", {ARO}),
        ("quay amber", {AMBER}),
        ("xyzzy", set()),
    ],
)
def test_rows_are_picked_by_text_however_it_is_written(desk, fleet_page, text, left):
    page = desk.open(fleet_page).page
    page.fill("#filters input[name=text]", text)
    until(page, f"document.querySelector('#count').textContent.startsWith('{len(left)} of ')")
    assert set(rows(page)) >= left
    assert (set(rows(page)) - left) <= {NAMELESS}
    assert page.locator("#none-left").is_visible() == (not left)


def test_picks_add_up_and_stay_while_the_table_is_sorted_and_a_case_is_looked_at(desk, fleet_page):
    page = desk.open(fleet_page).page
    pick(
        page, "flag", next(o for o in page.locator("#filters select[name=flag] option").all_inner_texts() if "CN" in o)
    )
    page.fill("#filters input[name=text]", "ming")
    until(page, "document.querySelector('#count').textContent.startsWith('1 of ')")
    assert rows(page) == [MING]
    page.fill("#filters input[name=text]", "")
    until(page, "document.querySelector('#count').textContent.startsWith('2 of ')")
    while sort_by(page, "when") != "descending":
        pass
    assert rows(page) == [MING, ZEBRA]
    page.click(f"#row-{MING} a.open")
    page.click(f"#{MING} a.next")
    assert case_shown(page) == [ZEBRA]
    assert page.locator(f"#{ZEBRA} a.next:visible").count() == 0, "the last of those picked"
    page.click(f"#{ZEBRA} a.prev")
    page.click(f"#{MING} a.back")
    assert rows(page) == [MING, ZEBRA]


def test_a_case_opens_by_the_keyboard_alone_and_is_left_by_the_back_button(desk, fleet_page):
    page = desk.open(fleet_page).page
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a.open')"):
            break
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"#{PAEKSONG}"
    page.keyboard.press("Enter")
    assert case_shown(page) == [PAEKSONG]
    assert not page.locator("#list").is_visible()
    until(page, f"document.activeElement && document.activeElement.closest('#{PAEKSONG}')")
    page.go_back()
    page.wait_for_selector("#list", state="visible")
    assert case_shown(page) == []
    page.go_forward()
    page.wait_for_selector(f"#{PAEKSONG}", state="visible")


def test_a_link_to_a_case_opens_it_and_one_to_nothing_shows_the_list(desk, fleet_page):
    opened = desk.open(fleet_page, at=f"#{ZEBRA}")
    assert case_shown(opened.page) == [ZEBRA]
    assert opened.is_quiet()
    for at in ("#voyage-0", "#", "#%00", "#row-x\"'><script>alert(1)</script>", "#%E0%A4%A", "#1a[b"):
        opened = desk.open(fleet_page, at=at)
        assert case_shown(opened.page) == [], at
        assert opened.page.locator("#list").is_visible(), at
        assert opened.is_quiet(), at


def test_previous_and_next_walk_through_all_cases_and_turn_at_neither_end(desk, fleet_page):
    page = desk.open(fleet_page, at=f"#{PAEKSONG}").page
    walked = [PAEKSONG]
    while page.locator(f"#{walked[-1]} a.next:visible").count():
        page.click(f"#{walked[-1]} a.next")
        walked += case_shown(page)
        assert len(walked) <= len(SHIPS)
    assert walked == [voyage_id(ship) for ship in SHIPS]
    page.click(f"#{ARO} a.prev")
    assert case_shown(page) == [NAMELESS]


def test_a_ship_that_was_met_is_a_link_to_its_own_case(desk, fleet_page):
    page = desk.open(fleet_page, at=f"#{PAEKSONG}").page
    page.click(f"#{PAEKSONG} section.met a[href='#{AMBER}']")
    assert case_shown(page) == [AMBER]
    assert page.evaluate("scrollY") < 200, "the case is shown from its top"


def test_a_mark_on_the_map_leads_to_its_finding_in_the_open_case(desk, fleet_page):
    page = desk.open(fleet_page, at=f"#{PAEKSONG}").page
    marks = page.locator(f"#{PAEKSONG} figure.map a[href^='#{PAEKSONG}-f']")
    assert marks.count() >= 1
    target = marks.first.get_attribute("href")
    marks.first.click()
    assert page.evaluate("location.hash") == target
    assert case_shown(page) == [PAEKSONG]
    box = page.locator(target).bounding_box()
    assert 0 <= box["y"] < page.viewport_size["height"]
    assert re.fullmatch(rf"#{PAEKSONG}-f[12]", target)
