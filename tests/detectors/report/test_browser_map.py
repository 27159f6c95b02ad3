"""The map in a browser: dragged, wheeled, zoomed by button and key, coloured by speed or time."""

import pytest

from tests.detectors.report.browser import until
from tests.detectors.report.fleets import SHIPS, voyage_id

CASE = f"#{voyage_id(SHIPS[0])}"
PORT = f"{CASE} figure.map div.port"


@pytest.fixture
def page(desk, fleet_page):
    opened = desk.open(fleet_page, at=CASE)
    yield opened.page
    assert opened.is_quiet()


def box(page):
    """What of the world the map shows: x, y, width and height in its own units."""
    text = page.locator(f"{PORT} svg.pane").get_attribute("viewBox")
    return tuple(float(number) for number in text.replace(",", " ").split())


def middle(page):
    page.locator(PORT).scroll_into_view_if_needed()
    at = page.locator(PORT).bounding_box()
    return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2


def drag(page, dx, dy):
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def settled(page):
    """The box once it stands still: changes may be drawn with the next frame."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return box(page)


def test_buttons_zoom_in_and_out_and_show_all(page):
    all_ = settled(page)
    page.click(f"{CASE} button.zoom-in")
    near = settled(page)
    assert near[2] < all_[2]
    assert near[0] + near[2] / 2 == pytest.approx(all_[0] + all_[2] / 2, abs=1.0), "about its middle"
    assert float(page.get_attribute(PORT, "data-zoom")) > 1
    page.click(f"{CASE} button.zoom-out")
    assert settled(page)[2] == pytest.approx(all_[2], abs=0.5)
    page.click(f"{CASE} button.zoom-in")
    page.click(f"{CASE} button.zoom-all")
    assert settled(page) == pytest.approx(all_, abs=0.5)


def test_the_map_is_dragged_along_with_the_pointer(page):
    page.click(f"{CASE} button.zoom-in")
    page.click(f"{CASE} button.zoom-in")
    before = settled(page)
    drag(page, 100, 60)
    after = settled(page)
    width = page.locator(f"{PORT} svg.chart").bounding_box()["width"]
    assert after[0] - before[0] == pytest.approx(-100 * before[2] / width, rel=0.1)
    assert after[1] < before[1]
    assert after[2:] == pytest.approx(before[2:])


def test_a_drag_that_begins_on_a_mark_moves_the_map_and_opens_nothing(page):
    before, where = settled(page), page.evaluate("location.hash")
    mark = page.locator(f"{CASE} figure.map a[href^='{CASE}-f']").first.bounding_box()
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y)
    page.mouse.move(x - 80, y)
    page.mouse.up()
    assert settled(page)[0] != pytest.approx(before[0], abs=1.0)
    assert page.evaluate("location.hash") == where


def test_the_wheel_scrolls_the_page_until_the_map_is_taken_in_hand(page):
    x, y = middle(page)
    before = settled(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, 120)
    assert settled(page) == before
    page.locator(PORT).focus()
    x, y = middle(page)
    page.mouse.move(x + 100, y)
    page.mouse.wheel(0, -240)
    until(page, "port => Number(document.querySelector(port).dataset.zoom) > 1", PORT)
    near = settled(page)
    assert near[2] < before[2]
    page.mouse.wheel(0, 240)
    until(page, "([port, w]) => document.querySelector(port + ' svg.pane').viewBox.baseVal.width > w", [PORT, near[2]])


def test_keys_move_and_zoom_the_map_that_has_the_focus(page):
    page.locator(PORT).focus()
    seen = [settled(page)]
    for key in ("+", "+", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "-", "0"):
        page.keyboard.press(key)
        seen.append(settled(page))
    start, one, two, right, down, left, up, out, all_ = seen
    assert start[2] > one[2] > two[2]
    assert right[0] > two[0] and down[1] > right[1] and left[0] < down[0] and up[1] < left[1]
    assert up == pytest.approx(two, abs=0.5)
    assert out[2] == pytest.approx(one[2], rel=0.01)
    assert all_ == pytest.approx(start, abs=0.5)


def test_it_can_be_zoomed_far_in_and_not_without_end_nor_away_from_the_ship(page):
    start = settled(page)
    for _ in range(12):
        page.click(f"{CASE} button.zoom-in")
    assert start[2] / 200 < settled(page)[2] < start[2] / 8
    page.locator(PORT).focus()
    for _ in range(100):
        page.keyboard.press("ArrowRight")
    far = settled(page)
    assert start[0] - 2 * start[2] < far[0] < start[0] + 2 * start[2]
    for _ in range(14):
        page.click(f"{CASE} button.zoom-out", force=True)
    assert start[2] <= settled(page)[2] < 4 * start[2]


def test_labels_and_marks_keep_their_size_on_the_screen(page):
    def height():
        return page.locator(f"{CASE} figure.map .mark .s").first.bounding_box()["height"]

    page.locator(PORT).focus()
    before = height()
    for _ in range(3):
        page.keyboard.press("+")
    settled(page)
    assert height() == pytest.approx(before, rel=0.15)


def test_the_track_is_coloured_by_speed_or_by_time(page):
    figure = page.locator(f"{CASE} figure.map")
    assert "by-speed" in figure.get_attribute("class")

    def colours():
        return page.locator(f"{CASE} figure.map svg.pane path").evaluate_all(
            "paths => paths.filter(p => p.getBoundingClientRect().width)"
            ".map(p => getComputedStyle(p)).map(s => [s.stroke, s.display, s.visibility].join())"
        )

    by_speed = colours()
    page.click(f"{CASE} button.by-time-button")
    assert "by-time" in figure.get_attribute("class")
    assert "by-speed" not in figure.get_attribute("class").split()
    assert page.get_attribute(f"{CASE} button.by-time-button", "aria-pressed") == "true"
    assert page.get_attribute(f"{CASE} button.by-speed-button", "aria-pressed") == "false"
    assert colours() != by_speed
    page.click(f"{CASE} button.by-speed-button")
    assert colours() == by_speed


def test_nothing_but_the_map_moves_and_other_cases_stay_as_they_were(page):
    other = f"#{voyage_id(SHIPS[1])} figure.map svg.pane"
    before = page.locator(other).get_attribute("viewBox")
    page.click(f"{CASE} button.zoom-in")
    drag(page, 50, 50)
    assert page.locator(other).get_attribute("viewBox") == before
    page.click(f"{CASE} a.next")
    page.click(f"{other.split(maxsplit=1)[0]} button.zoom-in")
    assert page.locator(other).get_attribute("viewBox") != before
