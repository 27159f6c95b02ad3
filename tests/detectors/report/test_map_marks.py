"""Numbered marks of findings on a chart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.report.map_marks import LONGEST_NUMBERS, MOST_PINS, drawn_pin, numbers_text, pins
from detectors.report.projection import Frame
from tests.detectors.report.charts import HOSTILE, mark

FRAME = Frame(124.0, 41.0, 100.0, 760.0, 520.0)
PLACES = st.lists(st.tuples(st.floats(36.0, 40.0), st.floats(120.0, 128.0)), max_size=80)


@given(PLACES)
def test_every_mark_with_a_place_stands_at_exactly_one_pin(places: list[tuple[float, float]]) -> None:
    marks = [mark(i + 1, lat, lon) for i, (lat, lon) in enumerate(places)]
    found = pins(marks, FRAME)
    assert sorted(one.number for pin in found for one in pin.marks) == [one.number for one in marks]
    assert len(found) <= MOST_PINS
    assert [pin.marks[0].number for pin in found] == sorted(pin.marks[0].number for pin in found)


@given(PLACES.filter(bool))
def test_a_pin_stands_at_the_place_of_its_first_finding(places: list[tuple[float, float]]) -> None:
    for pin in pins([mark(i + 1, lat, lon) for i, (lat, lon) in enumerate(places)], FRAME):
        x, y = FRAME.xy(*places[pin.marks[0].number - 1])
        assert (pin.x, pin.y) == (pytest.approx(float(x)), pytest.approx(float(y)))


def test_marks_far_apart_stand_alone_and_marks_at_one_place_together() -> None:
    found = pins([mark(1, 38.0, 123.0), mark(2, 38.0, 125.0), mark(3, 38.001, 123.001)], FRAME)
    assert [pin.label for pin in found] == ["1, 3", "2"]


@pytest.mark.parametrize("place", [(None, None), (None, 1.0), (np.nan, 1.0), (38.0, np.inf), (91.0, 1.0)])
def test_marks_without_a_place_have_no_pin(place: tuple[float | None, float | None]) -> None:
    assert pins([mark(1, *place)], FRAME) == []


def test_marks_across_180_degrees_stand_together() -> None:
    frame = Frame(180.0, 57.0, 50.0, 760.0, 520.0)
    assert len(pins([mark(1, 50.0, 179.99), mark(2, 50.0, -179.99)], frame)) == 1


@given(st.sets(st.integers(1, 1000), min_size=1))
def test_numbers_of_a_pin_are_short_and_count_them_all(numbers: set[int]) -> None:
    text = numbers_text(sorted(numbers))
    assert len(text) <= LONGEST_NUMBERS + 5
    shown, _, more = text.partition(" +")
    told: set[int] = set()
    for part in shown.split(", "):
        first, _, last = part.partition("–")
        told |= set(range(int(first), int(last or first) + 1))
    assert told <= numbers
    assert len(told) + int(more or 0) == len(numbers)


def test_a_pin_says_its_headlines_escaped_and_short() -> None:
    (pin,) = pins([mark(i + 1, 38.0, 123.0, HOSTILE) for i in range(1000)], FRAME)
    text = drawn_pin(pin, "", 1)
    assert "<script" not in text
    assert "\u202e" not in text
    assert len(text) < 16_000
    assert "and 952 more findings here" in text


def test_a_pin_leads_to_its_first_finding_where_there_is_an_anchor() -> None:
    (pin,) = pins([mark(4, 38.0, 123.0), mark(7, 38.0, 123.0)], FRAME)
    assert drawn_pin(pin, "voyage-1-f", 1).startswith('<a href="#voyage-1-f4">')
    assert "<a" not in drawn_pin(pin, "", 1)
    assert '<a href="#&#34;&gt;' in drawn_pin(pin, '">', 1)
