from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.report.lettering import fitted, width_px
from detectors.report.packing import Rows, place_named
from detectors.report.time_axis import DAY_US, HOUR_US, MINUTE_US, TimeScale, ticks
from vessels.instants import instant_of

starts = st.integers(946_684_800_000_000, 4_102_444_800_000_000)
spans = st.integers(MINUTE_US, 800 * DAY_US)
widths = st.integers(280, 1400)


@given(starts, spans, widths)
def test_labels_never_touch_and_never_leave_the_axis(start: int, span: int, width: int) -> None:
    scale = TimeScale(start, start + span, 10.0, 10.0 + width)
    ends = [
        (tick.label_x - width_px(tick.label) / 2.0, tick.label_x + width_px(tick.label) / 2.0)
        for tick in ticks(scale)
        if tick.label
    ]
    assert all(low >= 10.0 - 1e-6 and high <= 10.0 + width + 1e-6 for low, high in ends)
    assert all(before[1] + 8.0 <= after[0] for before, after in pairwise(ends))


@given(starts, spans, widths)
def test_some_label_names_the_year_and_ticks_stand_at_their_instants(start: int, span: int, width: int) -> None:
    scale = TimeScale(start, start + span, 0.0, float(width))
    found = ticks(scale)
    assert 1 <= len(found) <= width / 20
    dated = [tick for tick in found if f"{instant_of(tick.us).year}" in tick.label]
    assert dated
    for tick in found:
        assert tick.x == scale.x(tick.us)
        assert scale.start_us <= tick.us <= scale.end_us
    assert sorted(tick.us for tick in found) == [tick.us for tick in found]


@given(starts, spans, widths)
def test_a_label_says_when_its_tick_is(start: int, span: int, width: int) -> None:
    for tick in ticks(TimeScale(start, start + span, 0.0, float(width))):
        when = instant_of(tick.us)
        if ":" in tick.label:
            clock = tick.label.split()[-1]
            assert f"{when:%H:%M:%S}".startswith(clock) and (len(clock) == 8 or when.second == 0)
        elif tick.label:
            assert tick.label.startswith(f"{when.day} {when:%b}")
            assert tick.us % DAY_US == 0


@pytest.mark.parametrize(
    ("span_us", "apart_us"),
    [(5 * MINUTE_US, MINUTE_US), (9 * HOUR_US, 2 * HOUR_US), (9 * DAY_US, 2 * DAY_US), (45 * DAY_US, 7 * DAY_US)],
)
def test_steps_are_those_of_clock_and_calendar(span_us: int, apart_us: int) -> None:
    found = ticks(TimeScale(1_740_788_434_567_890, 1_740_788_434_567_890 + span_us, 0.0, 350.0))
    steps = {b.us - a.us for a, b in pairwise(found)}
    assert all(step % MINUTE_US == 0 and step <= apart_us for step in steps)
    assert len(steps) == 1


def test_months_begin_on_their_first_day() -> None:
    found = ticks(TimeScale(1_740_788_434_567_890, 1_740_788_434_567_890 + 300 * DAY_US, 0.0, 650.0))
    assert {instant_of(tick.us).day for tick in found} == {1}
    assert any(b.us - a.us == 30 * DAY_US for a, b in pairwise(found))


def test_a_scale_without_span_or_room_is_refused() -> None:
    with pytest.raises(ValueError, match="must come after"):
        TimeScale(5, 5, 0.0, 10.0)
    with pytest.raises(ValueError, match="must come after"):
        TimeScale(5, 6, 10.0, 10.0)


@given(st.text(max_size=60), st.floats(0.0, 300.0))
def test_cut_text_fits_and_begins_as_the_whole(text: str, room: float) -> None:
    cut = fitted(text, room)
    assert width_px(cut) <= room + 1e-6 or cut == ""
    assert "\n" not in cut


@given(st.lists(st.tuples(st.floats(0.0, 900.0), st.floats(0.0, 99.0)), max_size=60), st.integers(1, 5))
def test_what_is_placed_in_a_row_never_overlaps(stretches: list[tuple[float, float]], most: int) -> None:
    rows = Rows(most, 0.0, 1000.0)
    placed: dict[int, list[tuple[float, float]]] = {}
    for low, wide in stretches:
        row = rows.place(low, low + wide)
        if row is not None:
            placed.setdefault(row, []).append((low, low + wide))
    assert len(placed) <= most
    for taken in placed.values():
        for before, after in pairwise(sorted(taken)):
            assert before[1] + 3.0 <= after[0] + 1e-9


def test_a_name_stands_inside_else_right_else_left_else_nowhere() -> None:
    assert place_named(Rows(1, 0.0, 100.0), 10.0, 80.0, 40.0).text_x == 14.0  # type: ignore[union-attr]
    assert place_named(Rows(1, 0.0, 100.0), 10.0, 20.0, 40.0).text_x == 24.0  # type: ignore[union-attr]
    assert place_named(Rows(1, 0.0, 100.0), 80.0, 90.0, 40.0).text_x == 35.0  # type: ignore[union-attr]
    assert place_named(Rows(1, 0.0, 100.0), 40.0, 60.0, 90.0) is None
