"""The page on a phone, in the dark, on paper, without script, and for who sees or moves little."""

from itertools import pairwise

import pytest

from tests.detectors.report.browser import LAPTOP, PHONE
from tests.detectors.report.fleets import SHIPS, voyage_id

PAEKSONG, AMBER = voyage_id(SHIPS[0]), voyage_id(SHIPS[1])
LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, text of ordinary size."""
LEAST_TARGET_PX = 24
"""WCAG 2.2, success criterion 2.5.8: what is tapped is this large, or stands so far apart."""
TEXTS = {
    "": (
        *(
            "h1",
            "p.night-line",
            "header.top p",
            "#list h2",
            "#count",
            "#voyages th button",
            "#voyages td",
            "#voyages small",
        ),
        *("#voyages a.open", "#voyages .kinds span", "#voyages p.headline", "#legend p", "#legend h3", "#legend td"),
        *("#voyages .grade", "#filters label", "#filters select", "#clear"),
    ),
    f"#{PAEKSONG}": (
        *(
            "a.back",
            "a.next",
            "h2",
            "h2 small",
            ".standing",
            ".lead",
            "h3",
            ".facts th",
            ".facts td",
            ".soft",
            ".grade",
        ),
        *(
            ".sum th",
            ".finding h4",
            ".finding h4 .number",
            ".finding p",
            ".caveats li",
            ".met a",
            ".closing",
            ".tools button",
        ),
        *("figure.map .edges text", "figure.time text:not(.chip-number, .chip-number *)"),
    ),
}


def seen(opened, at, selector):
    """What of a selector can be seen, the first few."""
    found = opened.page.locator(f"{at} {selector}".strip())
    return [one for one in found.element_handles()[:40] if one.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("at", TEXTS)
def test_text_stands_out_from_its_ground(desk, fleet_page, scheme, at):
    opened = desk.open(fleet_page, at=at, color_scheme=scheme)
    weak = {}
    for selector in TEXTS[at]:
        found = seen(opened, at, selector)
        assert found, f"{selector}: nothing to be seen"
        least = min(opened.contrast(element) for element in found)
        if least < LEAST_CONTRAST:
            weak[selector] = round(least, 2)
    assert weak == {}


def test_the_dark_page_is_dark_and_the_light_one_light(desk, fleet_page):
    grounds = {}
    for scheme in ("light", "dark"):
        page = desk.open(fleet_page, color_scheme=scheme).page
        text = page.evaluate(
            "() => [document.body, document.documentElement].map(e => getComputedStyle(e).backgroundColor)"
            ".find(c => c !== 'rgba(0, 0, 0, 0)')"
        )
        grounds[scheme] = sum(int(number) for number in text[text.index("(") + 1 : -1].split(",")[:3])
    assert grounds["dark"] < 150 < 600 < grounds["light"]


@pytest.mark.parametrize("size", [PHONE, LAPTOP, (1024, 600)])
@pytest.mark.parametrize("at", ["", f"#{PAEKSONG}"])
def test_nothing_sticks_out_of_the_window(desk, fleet_page, size, at):
    opened = desk.open(fleet_page, size=size, at=at)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert opened.overflow() == []
    assert opened.is_quiet()


def test_on_a_phone_what_is_tapped_is_large_enough_and_opens_the_case(desk, fleet_page):
    opened = desk.open(fleet_page, size=PHONE, has_touch=True, is_mobile=True)
    small = []
    for at in ("", f"#{PAEKSONG}"):
        if at:
            opened.page.tap(f"#row-{PAEKSONG} a.open")
            assert opened.page.locator(at).is_visible()
        for element in opened.page.locator(
            f"{at} button, {at} select, {at} nav a, {at} a.open".strip(", ")
        ).element_handles():
            box = element.bounding_box() if element.is_visible() else None
            if box and min(box["width"], box["height"]) < LEAST_TARGET_PX:
                small.append((element.inner_text(), box))
    assert small == []
    figure = opened.page.locator(f"#{PAEKSONG} figure.map svg").first.bounding_box()
    assert figure["width"] <= PHONE[0]
    assert figure["height"] < PHONE[1]


def test_a_finger_scrolls_past_the_map_that_shows_all(desk, fleet_page):
    opened = desk.open(fleet_page, size=PHONE, at=f"#{PAEKSONG}", has_touch=True, is_mobile=True)
    port = opened.page.locator(f"#{PAEKSONG} figure.map div.port")
    assert "pan-y" in port.evaluate("e => getComputedStyle(e).touchAction") or "auto" in port.evaluate(
        "e => getComputedStyle(e).touchAction"
    )


def test_text_in_pictures_can_be_read_on_a_phone_and_on_a_laptop(desk, fleet_page):
    for size, least_px in ((LAPTOP, 10), (PHONE, 9)):
        opened = desk.open(fleet_page, size=size, at=f"#{PAEKSONG}")
        heights = opened.page.locator(f"#{PAEKSONG} figure svg text").evaluate_all(
            "texts => texts.filter(t => t.textContent.trim() && t.getBoundingClientRect().width)"
            ".map(t => [parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a, t.textContent])"
        )
        assert heights
        assert [pair for pair in heights if pair[0] < least_px - 0.2] == [], size


def test_without_script_the_table_and_the_cases_are_all_there(desk, fleet_page):
    opened = desk.open(fleet_page, java_script_enabled=False)
    page = opened.page
    assert page.locator("body.scripted").count() == 0
    assert page.locator("#voyages tbody tr:visible").count() == len(SHIPS)
    assert not page.locator("#filters").is_visible(), "nothing is offered that does not work"
    page.click(f"#row-{PAEKSONG} a.open")
    assert page.locator(f"#{PAEKSONG}").is_visible()
    assert not page.locator("#list").is_visible()
    for part in ("figure.map svg", "figure.time svg", "section.finding", "table.sum"):
        assert page.locator(f"#{PAEKSONG} {part}").first.is_visible(), part
    page.locator(f"#{PAEKSONG} figure.map a[href^='#{PAEKSONG}-f']").first.click()
    assert page.locator(f"#{PAEKSONG}").is_visible()
    page.click(f"#{PAEKSONG} a.next")
    assert page.locator(f"#{AMBER}").is_visible()
    assert not page.locator(f"#{PAEKSONG}").is_visible()
    page.click(f"#{AMBER} a.back")
    assert page.locator("#list").is_visible()
    assert set(opened.requests) == {opened.url}
    assert (opened.errors, opened.dialogs) == ([], [])


def test_a_case_prints_alone_with_all_that_is_folded_and_in_light_colours(desk, fleet_page):
    opened = desk.open(fleet_page, at=f"#{PAEKSONG}", color_scheme="dark")
    page = opened.page
    page.emulate_media(media="print")
    for part in ("h2", "figure.map svg", "figure.time svg", "section.finding"):
        assert page.locator(f"#{PAEKSONG} {part}").first.is_visible(), part
    for part in ("#voyages", "#filters", f"#{AMBER}", f"#{PAEKSONG} nav", f"#{PAEKSONG} .tools"):
        assert not page.locator(part).first.is_visible(), part
    assert opened.contrast(page.locator(f"#{PAEKSONG} .lead").first.element_handle()) >= LEAST_CONTRAST
    ink = page.locator(f"#{PAEKSONG} h2").evaluate("e => getComputedStyle(e).color")
    assert sum(int(number) for number in ink[4:-1].split(",")[:3]) < 200, "dark ink on white paper"
    printed = page.pdf(format="A4")
    pages = printed.count(b"/Type /Page\n") or printed.count(b"/Type/Page")
    assert printed.startswith(b"%PDF")
    assert 1 <= pages <= 8


def test_the_list_prints_without_its_tools(desk, fleet_page):
    page = desk.open(fleet_page).page
    page.emulate_media(media="print")
    assert page.locator("#voyages").is_visible()
    assert not page.locator("#filters").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_what_is_read_aloud_has_names_and_an_order(desk, fleet_page):
    page = desk.open(fleet_page).page
    assert page.get_attribute("html", "lang") == "en"
    levels = page.locator("h1, h2, h3, h4").evaluate_all("heads => heads.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, a[href]")].filter(e =>
             !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map(e => e.outerHTML)"""
    )
    assert nameless == []
    twice = page.evaluate(
        "() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
        " return ids.filter((id, i) => ids.indexOf(id) !== i); }"
    )
    assert twice == []
    lost = page.evaluate(
        "() => [...document.querySelectorAll('[aria-labelledby], [for]')].flatMap(e =>"
        " (e.getAttribute('aria-labelledby') ?? e.getAttribute('for')).split(' '))"
        ".filter(id => !document.getElementById(id))"
    )
    assert lost == []
    links = page.evaluate(
        "() => [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')).filter(h =>"
        " !h.startsWith('#') || !document.getElementById(h.slice(1)))"
    )
    assert links == []
    for picture in page.locator("figure svg[role=img]").element_handles():
        assert picture.eval_on_selector("title", "e => e.textContent.trim()")
