"""Which contents still count: what a name brings anew, what it only cuts short, what another name still holds."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vessels.store.inputs import DAY, LAST_S
from vessels.store.standing import Extent, covers, extent_of, superseded
from vessels.units import US_PER_DAY, US_PER_H, US_PER_S


def extent(*days: tuple[int, int], first_s: int = 0, last_s: int = LAST_S) -> Extent:
    """Rows on these days: (day, rows); from the first second of the first to the last second of the last."""
    newest = {day: day * US_PER_DAY + LAST_S * US_PER_S for day, _ in days}
    newest[days[-1][0]] = days[-1][0] * US_PER_DAY + last_s * US_PER_S
    found = extent_of(dict(days), newest, days[0][0] * US_PER_DAY + first_s * US_PER_S)
    assert found is not None
    return found


FULL = extent((DAY, 1000))


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (FULL, extent((DAY, 400), last_s=40_000), True),  # half written, then whole
        (extent((DAY, 400), last_s=40_000), FULL, False),  # whole, then cut short
        (extent((DAY, 400)), FULL, False),  # cut short, where files are sorted by ship
        (extent((DAY, 980)), FULL, True),  # published anew without some wrong rows
        (extent((DAY, 980), first_s=200), FULL, True),  # ... among them the first
        (extent((DAY, 980), first_s=3600), FULL, False),  # the last 24 hours, an hour later
        (extent((DAY + 1, 1000)), FULL, False),  # latest.csv of the next day
        (extent((DAY + 1, 1000), (DAY + 2, 1000)), extent((DAY, 1000), (DAY + 1, 1000)), False),
        (extent((DAY, 1000), (DAY + 1, 10)), FULL, True),  # the archive of a year, grown
        (extent((DAY, 1000), (DAY + 2, 1000)), extent((DAY, 1000), (DAY + 1, 900), (DAY + 2, 1000)), False),
        (FULL, extent((DAY, 1000), (DAY + 1, 1), last_s=0), True),  # a last row at midnight is no day
        (FULL, extent((DAY, 1), first_s=9, last_s=9), True),
    ],
)
def test_a_content_is_covered_by_one_that_tells_of_all_its_time(new: Extent, old: Extent, expected: bool) -> None:
    assert covers(new, old) is expected


def test_what_has_no_rows_is_covered_by_anything_and_covers_nothing() -> None:
    assert extent_of({}, {}, None) is None
    assert covers(FULL, None)
    assert covers(None, None)
    assert not covers(None, FULL)


def test_strays_are_no_part_of_the_extent() -> None:
    stray = DAY + 27_000
    newest = {DAY: (DAY + 1) * US_PER_DAY - 1, stray: stray * US_PER_DAY}
    with_stray = extent_of({DAY: 1000, stray: 1}, newest, DAY * US_PER_DAY)
    assert covers(FULL, with_stray)
    assert covers(with_stray, FULL)
    old_clock = extent_of({DAY - 9000: 1, DAY: 1000}, {**newest, DAY - 9000: 0}, (DAY - 9000) * US_PER_DAY)
    assert old_clock is not None
    assert old_clock.first_us == DAY * US_PER_DAY


def test_a_name_that_slides_on_loses_nothing_however_often_it_is_looked_at() -> None:
    """The last two days, looked at every hour for four days: every content reaches back farther than the next."""
    contents = [_window(hour * US_PER_H, (hour + 48) * US_PER_H) for hour in range(96)]
    assert superseded([list(enumerate(range(96)))], {95}, contents.__getitem__) == frozenset()


def test_a_name_that_grows_is_its_last_content() -> None:
    contents = [_window(0, (hour + 1) * US_PER_H) for hour in range(96)]
    assert superseded([list(enumerate(range(96)))], {95}, contents.__getitem__) == frozenset(range(95))


def test_a_day_that_was_half_written_stays_superseded_when_the_name_goes_on_to_the_next_day() -> None:
    half, whole, next_day = extent((DAY, 400), last_s=40_000), FULL, extent((DAY + 1, 1000))
    assert superseded([[(1, 0), (2, 1), (3, 2)]], {2}, [half, whole, next_day].__getitem__) == {0}


def test_what_another_name_holds_counts() -> None:
    contents = [extent((DAY, 1000)), extent((DAY, 1001))]
    histories = [[(1, 0), (2, 1)], [(1, 0)]]
    assert superseded(histories, {0, 1}, contents.__getitem__) == frozenset()
    assert superseded(histories, {1}, contents.__getitem__) == {0}  # that name is gone


def test_two_contents_that_cover_each_other_never_both_go() -> None:
    """Two names that changed their contents with one another and then went on to other days."""
    contents = [extent((DAY, 1000)), extent((DAY, 1001)), extent((DAY + 5, 1)), extent((DAY + 6, 1))]
    assert superseded([[(1, 0), (2, 1), (3, 2)], [(1, 1), (2, 0), (3, 3)]], {2, 3}, contents.__getitem__) == frozenset()
    assert superseded([[(1, 0), (3, 1), (4, 2)], [(1, 1), (2, 0), (4, 3)]], {2, 3}, contents.__getitem__) == {0}


def _window(first_us: int, end_us: int) -> Extent:
    last_us = end_us - 10 * US_PER_S
    days = range(first_us // US_PER_DAY, last_us // US_PER_DAY + 1)
    n_rows = {
        day: (min(end_us, (day + 1) * US_PER_DAY) - max(first_us, day * US_PER_DAY)) // (10 * US_PER_S) for day in days
    }
    return Extent(first_us, last_us, n_rows)


def plainly_superseded(
    histories: Sequence[Sequence[tuple[int, int]]], held: set[int], extents: Sequence[Extent | None]
) -> set[int]:
    """The slow, obvious twin: asks every pair, newest first."""
    seen = [pair for history in histories for pair in history]
    contents = {content for _, content in seen}
    last = {c: max(look for look, content in seen if content == c) for c in contents}
    out: set[int] = set()
    for old in sorted(contents, key=lambda c: (-last[c], c)):
        for history in histories:
            looks = {c: max(look for look, content in history if content == c) for _, c in history}
            for new in set(looks) - out - {old}:
                newer = old in looks and looks[new] > looks[old] and last[new] > last[old]
                if newer and old not in held and covers(extents[new], extents[old]):
                    out.add(old)
    return out


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[list[tuple[int, int]]], set[int], list[Extent | None]]:
    extents: list[Extent | None] = [None]
    for _ in range(draw(st.integers(1, 6))):
        first, hours = draw(st.integers(0, 60)), draw(st.integers(1, 60))
        extents.append(_window(first * US_PER_H, (first + hours) * US_PER_H))
    content = st.integers(0, len(extents) - 1)
    histories = [
        list(enumerate(draw(st.lists(content, min_size=1, max_size=6)), 1)) for _ in range(draw(st.integers(1, 4)))
    ]
    held = {history[-1][1] for history in histories if draw(st.booleans())}
    return histories, held, extents


@given(_histories())
def test_the_fast_way_agrees_with_asking_every_pair(
    case: tuple[list[list[tuple[int, int]]], set[int], list[Extent | None]],
) -> None:
    histories, held, extents = case
    gone = superseded(histories, held, extents.__getitem__)
    assert gone == plainly_superseded(histories, held, extents)
    assert not gone & held
    counting = {content for history in histories for _, content in history} - gone
    for content in gone:
        assert any(covers(extents[other], extents[content]) for other in counting)


@given(_histories(), st.randoms(use_true_random=False))
def test_the_order_of_names_and_the_numbers_of_looks_change_nothing(
    case: tuple[list[list[tuple[int, int]]], set[int], list[Extent | None]], random: object
) -> None:
    histories, held, extents = case
    known = superseded(histories, held, extents.__getitem__)
    spread = [[(look * 7 + 3, content) for look, content in history] for history in histories]
    random.shuffle(spread)  # type: ignore[attr-defined]
    assert superseded(spread, held, extents.__getitem__) == known
