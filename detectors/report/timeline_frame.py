"""The frame of a time line: which spans of time it shows, and the lanes' names beside or above them.

Takes what is drawn of a voyage and the width of the picture; gives spans, scales and places. What stands in the lanes
is left to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from detectors.report.drawn import Bar, Drawn
from detectors.report.lettering import width_px
from detectors.report.sheet import Sheet, arrow, rule
from detectors.report.time_axis import DAY_US, HOUR_US, TimeScale, ticks

Span = tuple[int, int]

WHO_FIELDS: Final = ("mmsi", "name", "imo", "call_sign", "flag", "ship_type")
"""The fields that say who a ship is; a destination is of the voyage."""
NARROWEST_PX: Final = 300
NARROW_PX: Final = 560
"""Pictures narrower than this have the lanes' names above the lanes."""
GUTTER_PX: Final = 100.0
EDGE_PX: Final = 8.0
HEAD_PX: Final = 15.0
AXIS_PX: Final = 20.0
LINE_PX: Final = 14.0
"""From one line of text to the next."""
BOLD: Final = 1.1
"""How much wider bold letters are at most, about."""
SHORTEST_US: Final = HOUR_US
"""A voyage shorter than this has room around it as if it took this long."""
REACH: Final = 1.0
REACH_US: Final = 12 * HOUR_US
"""The voyage's own axis goes on by its length, or by half a day, for findings that begin before it or end after it."""
STAY_REACH: Final = 0.15
STAY_REACH_US: Final = 6 * HOUR_US
"""... and by this much for the port stays at its ends."""
OPEN_REACH: Final = 0.5
OPEN_REACH_US: Final = 24 * HOUR_US
"""... and by this much for a silence that is still open."""
BEFORE_US: Final = 275 * DAY_US
AFTER_US: Final = 90 * DAY_US
"""How far the hull's identities are looked for: a year in all, most of it before the voyage, where the past is."""
USUAL_BEFORE_US: Final = 45 * DAY_US
USUAL_AFTER_US: Final = 30 * DAY_US
"""How far they are shown where nothing changes: the weeks of a round trip or two."""
ONE_AXIS: Final = 2.2
"""Where the hull's span is no more than this many times the voyage's, one axis serves both."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where lanes are drawn: a time scale, the picture's width, and whether the lanes' names stand above them."""

    scale: TimeScale
    width: int
    is_narrow: bool

    @property
    def left(self) -> float:
        """Where lanes begin."""
        return self.scale.left

    @property
    def right(self) -> float:
        """Where lanes end."""
        return self.scale.right

    def is_in_sight(self, start_us: int, end_us: int | None) -> bool:
        """Whether any of a span is shown; None is a span that goes on."""
        return start_us <= self.scale.end_us and (end_us is None or end_us >= self.scale.start_us)

    def stretch(self, start_us: int, end_us: int | None, least_px: float) -> tuple[float, float]:
        """A span in pixels, cut at the edges; no narrower than `least_px`."""
        low = self.scale.held(start_us)
        high = self.right if end_us is None else self.scale.held(end_us)
        low = min(low, self.right - least_px)
        return low, max(high, low + least_px)

    def arrows(self, sheet: Sheet, start_us: int, end_us: int | None, y: float) -> None:
        """Arrows at the edges that a span goes beyond."""
        if start_us < self.scale.start_us:
            sheet.draw("beyond", arrow(self.left - 5.5, y, -1))
        if end_us is None or end_us > self.scale.end_us:
            sheet.draw("beyond", arrow(self.right + 5.5, y, 1))

    def head(self, sheet: Sheet, top: float, name: str, note: str = "") -> float:
        """Write a lane's name, and a note under it; where the lane itself begins."""
        beside = width_px(name) * BOLD + 6.0
        if self.is_narrow:
            sheet.write("lane", self.left, top + 11.0, name)
            sheet.write("soft", self.left + beside, top + 11.0, note, self.right - self.left - beside)
            return top + HEAD_PX
        room = self.left - 8.0
        sheet.write("lane", 0.0, top + 12.0, name, room)
        if beside + width_px(note) <= room:
            sheet.write("soft", beside, top + 12.0, note, room - beside)
        else:
            sheet.write("soft", 0.0, top + 12.0 + LINE_PX, note, room)
        return top

    def nothing(self, sheet: Sheet, top: float, name: str, why: str) -> float:
        """A lane of which there is nothing to draw, and why; where the next one begins."""
        if self.is_narrow:
            return self.head(sheet, top, name, why) + 3.0
        self.head(sheet, top, name)
        sheet.write("soft", self.left + 3.0, top + 12.0, why, self.right - self.left)
        return top + 20.0

    def axis(self, sheet: Sheet, top: float, bottom: float, *, is_below: bool) -> None:
        """Grid lines between top and bottom, labelled above or below."""
        y = bottom + 13.0 if is_below else top - 7.0
        for tick in ticks(self.scale):
            sheet.draw("grid-major" if tick.is_major else "grid", rule(tick.x, top, tick.x, bottom))
            sheet.write("tick-major" if tick.is_major else "tick", tick.label_x, y, tick.label)
        if not self.is_narrow:
            sheet.write("soft", 0.0, y, "UTC")


def plot_of(span: Span, width: int) -> Plot:
    """A plot of a span in a picture of some width."""
    is_narrow = width < NARROW_PX
    left = EDGE_PX if is_narrow else GUTTER_PX
    return Plot(TimeScale(span[0], max(span[1], span[0] + 1), left, width - EDGE_PX), width, is_narrow)


def voyage_span(drawn: Drawn) -> Span:
    """The voyage with a margin, and what its findings, stays and open silences need beside it."""
    start, end = drawn.start_us, max(drawn.end_us, drawn.start_us)
    length = max(end - start, SHORTEST_US)
    reach = max(int(REACH * length), REACH_US)
    near = max(int(STAY_REACH * length), STAY_REACH_US)
    late = max(int(OPEN_REACH * length), OPEN_REACH_US)
    instants = [start, end]
    for track in drawn.tracks:
        instants += (
            [_held(int(us), start - reach, end + reach) for us in track.time_us[[0, -1]]] if track.time_us.size else []
        )
    for mark in drawn.marks:
        for us in (mark.start_us, mark.start_us if mark.end_us is None else mark.end_us):
            instants.append(_held(us, start - reach, end + reach))
    for stay in drawn.stays:
        left_us = drawn.as_of_us if stay.end_us is None else stay.end_us
        if stay.start_us <= end + HOUR_US and left_us >= start - HOUR_US:
            instants += [_held(us, start - near, end + near) for us in (stay.start_us, left_us)]
    for silence in drawn.silences:
        heard_us = drawn.as_of_us if silence.end_us is None else silence.end_us
        if silence.start_us <= end + HOUR_US and heard_us >= start - HOUR_US:
            instants += [_held(us, start - near, end + late) for us in (silence.start_us, heard_us)]
    return _padded((min(instants), max(instants)), length)


def hull_span(drawn: Drawn, voyage: Span) -> Span | None:
    """The time in which the hull's identities are shown; None if no more is known of it than the voyage."""
    low, high = drawn.start_us - BEFORE_US, max(drawn.end_us, drawn.start_us) + AFTER_US
    usual = drawn.start_us - USUAL_BEFORE_US, max(drawn.end_us, drawn.start_us) + USUAL_AFTER_US
    turns = (*changes(drawn.bars), *(us for link in drawn.links for us in (link.from_us, link.at_us)))
    instants = [*voyage, *(_held(us, low, high) for us in turns)]
    for stay in drawn.stays:
        far = (low, high) if stay.watch == "high" else usual
        instants += [_held(us, *far) for us in (stay.start_us, stay.end_us or stay.start_us)]
    for bar in drawn.bars:
        instants += [_held(us, *usual) for us in (bar.start_us, bar.end_us)]
    span = min(instants), max(instants)
    return None if span == voyage else _padded(span, span[1] - span[0])


def one_span(voyage: Span, hull: Span | None) -> Span | None:
    """The span of one axis that serves both, or None where the voyage would be too small on it."""
    if hull is None:
        return voyage
    return hull if hull[1] - hull[0] <= ONE_AXIS * (voyage[1] - voyage[0]) else None


def changes(bars: Iterable[Bar]) -> list[int]:
    """Instants at which a claim ends for another, or one begins after another."""
    found: list[int] = []
    by_field: dict[str, list[Bar]] = {}
    for bar in bars:
        by_field.setdefault(bar.field, []).append(bar)
    for field in WHO_FIELDS:
        for before, after in pairwise(sorted(by_field.get(field, ()), key=lambda bar: (bar.start_us, bar.end_us))):
            if before.value != after.value:
                found += [before.end_us, after.start_us]
    return found


def _held(us: int, low: int, high: int) -> int:
    return min(max(us, low), high)


def _padded(span: Span, length_us: int) -> Span:
    pad = max(length_us // 40, SHORTEST_US // 4)
    return span[0] - pad, span[1] + pad
