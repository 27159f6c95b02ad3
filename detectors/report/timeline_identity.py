"""The lanes of a time line that say who the ship said it was: identity bars, and the hull links between them.

Each takes a sheet, a plot and what it draws; draws from `top` down and gives where the next lane begins. A change is a
gap between two bars with two texts, never a colour alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from detectors.report.drawn import Bar, Link
from detectors.report.lettering import fitted, width_px
from detectors.report.packing import Rows
from detectors.report.sheet import Sheet, box, rule
from detectors.report.time_axis import minute_text
from detectors.report.timeline_frame import LINE_PX, WHO_FIELDS, Plot

FIELD_NAMES: Final = {
    "mmsi": "MMSI",
    "name": "Name",
    "imo": "IMO number",
    "call_sign": "Call sign",
    "flag": "Flag",
    "ship_type": "Ship type",
    "destination": "Destination",
}
ALWAYS: Final = ("mmsi", "name", "imo")
"""Fields that have a lane even where nothing changes."""
BAR_ROWS: Final = 3
BAR_PX: Final = 17.0
LINK_ROWS: Final = 3
LINK_PX: Final = 17.0
MOST_DROPS: Final = 6
SMALL_PX: Final = 3.0
"""Bars smaller than this that stand together are drawn as one, with their number."""
FEWEST_MERGED: Final = 3
LEAST_PX: Final = 2.0
GAP_PX: Final = 2.0
NOTE_TEXT: Final = 40
SURE: Final = 0.995


@dataclass(frozen=True, slots=True)
class _Piece:
    """A claim in pixels: the stretches in which it was heard, or several small claims as one."""

    stretches: tuple[tuple[float, float], ...]
    text: str
    tip: str
    start_us: int
    end_us: int
    style: str

    @property
    def low(self) -> float:
        return self.stretches[0][0]

    @property
    def high(self) -> float:
        return self.stretches[-1][1]


def who_lanes(sheet: Sheet, plot: Plot, top: float, bars: Sequence[Bar], links: Sequence[Link]) -> float:
    """Identity bars, a lane a field; fields that never change are told in a line below."""
    by_field = {field: [bar for bar in bars if bar.field == field] for field in WHO_FIELDS}
    begin = top
    top = links_lane(sheet, plot, top, links)
    for field, said in by_field.items():
        if said and (field in ALWAYS or len({bar.value for bar in said}) > 1):
            top = bars_lane(sheet, plot, top, field, said, by_field["mmsi"])
    for link in links[:MOST_DROPS]:
        for us in {link.from_us, link.at_us}:
            if plot.is_in_sight(us, us):
                sheet.draw("drop", rule(plot.scale.x(us), begin + LINK_PX, plot.scale.x(us), top))
    same = [
        f"{in_words(field)} {fitted(said[0].value, NOTE_TEXT * 7.0)}"
        for field, said in by_field.items()
        if field not in ALWAYS and len({bar.value for bar in said}) == 1
    ]
    if same:
        top = _note(sheet, plot, top, f"unchanged: {', '.join(same)}")
    missing = [in_words(field) for field, said in by_field.items() if not said]
    if missing:
        top = _note(sheet, plot, top, f"none heard: {', '.join(missing)}")
    return top


def in_words(field: str) -> str:
    """A field's name in the middle of a sentence."""
    name = FIELD_NAMES[field]
    return name if name[:2].isupper() else name.lower()


def _note(sheet: Sheet, plot: Plot, top: float, text: str) -> float:
    sheet.write("soft", plot.left, top + 11.0, text[:1].upper() + text[1:], plot.right - plot.left)
    return top + LINE_PX


def bars_lane(
    sheet: Sheet, plot: Plot, top: float, field: str, bars: Sequence[Bar], heard: Iterable[Bar] = ()
) -> float:
    """One field over time. `heard` are the spans in which the ship was heard: where no bar stands, nothing was sent."""
    rows = Rows(BAR_ROWS, plot.left, plot.right, apart=-LEAST_PX)
    pieces = _pieces(plot, bars)
    placed = [(piece, rows.place(piece.low, piece.high)) for piece in pieces]
    n_left_out = sum(row is None for _, row in placed)
    top = plot.head(sheet, top, FIELD_NAMES[field], f"+{n_left_out} more" if n_left_out else "")
    for bar in heard:
        if bar.probability >= 1.0 and plot.is_in_sight(bar.start_us, bar.end_us):
            low, high = plot.stretch(bar.start_us, bar.end_us, 0.0)
            if not any(piece.low <= low + 1.0 and piece.high >= high - 1.0 for piece in pieces):
                sheet.draw("baseline", rule(low, top + 7.0, high, top + 7.0))
    for piece, row in placed:
        if row is not None:
            _bar(sheet, plot, piece, rows, row, top + row * BAR_PX)
    return top + max(rows.n_used, 1) * BAR_PX + GAP_PX


def _bar(sheet: Sheet, plot: Plot, piece: _Piece, rows: Rows, row: int, y: float) -> None:
    """A claim: a box for each time in which it was heard, dots over the silences between, and its text once."""
    plot.arrows(sheet, piece.start_us, piece.end_us, y + 7.0)
    wide = width_px(piece.text)
    widest = max(piece.stretches, key=lambda one: one[1] - one[0])
    low, high = next((one for one in piece.stretches if one[1] - one[0] >= wide + 6.0), widest)
    room = high - low - 6.0
    inside = fitted(piece.text, room)
    beside = piece.high + 4.0
    is_whole = inside == piece.text
    is_beside = not is_whole and beside + wide <= plot.right and rows.is_free(row, beside, beside + wide + LEAST_PX)
    sheet.draw("tie", rule(piece.low, y + 7.0, piece.high, y + 7.0) if len(piece.stretches) > 1 else "")
    path = "".join(box(begin, y, end - 1.0, y + 14.0) for begin, end in piece.stretches)
    sheet.draw(piece.style, path, "" if is_whole or is_beside else piece.tip)
    if is_beside:
        rows.take(row, beside, beside + wide + LEAST_PX)
        sheet.write("", beside, y + 11.5, piece.text, wide + 1.0)
    elif inside:
        sheet.write("", low + 3.0, y + 11.5, piece.text, room)


def _pieces(plot: Plot, bars: Sequence[Bar]) -> list[_Piece]:
    """Claims in sight as they are drawn: sure ones first, crowds of small ones merged."""
    tones: dict[str, int] = {}
    for bar in bars:
        tones.setdefault(bar.value, len(tones) % 2)
    seen = sorted(
        (bar for bar in bars if plot.is_in_sight(bar.start_us, bar.end_us)),
        key=lambda bar: (bar.probability < 1.0, bar.start_us, bar.end_us, bar.value),
    )
    pieces: list[_Piece] = []
    crowd: list[_Piece] = []
    for _, group in groupby(seen, key=lambda bar: (bar.value, bar.probability)):
        piece = _piece(plot, list(group), tones)
        is_small = piece.high - piece.low <= SMALL_PX
        if crowd and (not is_small or piece.low - crowd[-1].high > SMALL_PX):
            pieces += _merged(crowd)
            crowd = []
        if is_small:
            crowd.append(piece)
        else:
            pieces.append(piece)
    return [*pieces, *_merged(crowd)]


def _merged(crowd: Sequence[_Piece]) -> Sequence[_Piece]:
    if len(crowd) < FEWEST_MERGED:
        return crowd
    text = f"{len(crowd)} changes"
    values = dict.fromkeys(piece.text for piece in crowd)
    span = crowd[0].low, max(piece.high for piece in crowd)
    tip = f"{text} among {', '.join(values)}"
    return [_Piece((span,), text, tip, crowd[0].start_us, crowd[-1].end_us, "crowd")]


def _piece(plot: Plot, bars: Sequence[Bar], tones: Mapping[str, int]) -> _Piece:
    """One claim, heard in one or more stretches; those that nearly touch are one."""
    stretches: list[tuple[float, float]] = []
    for bar in bars:
        low, high = plot.stretch(bar.start_us, bar.end_us, LEAST_PX)
        if stretches and low - stretches[-1][1] < LEAST_PX:
            stretches[-1] = stretches[-1][0], max(high, stretches[-1][1])
        else:
            stretches.append((low, high))
    first = bars[0]
    is_sure = first.probability >= 1.0
    text = first.value if is_sure else f"{first.value} (possible {first.probability:.2f})"
    end_us = max(bar.end_us for bar in bars)
    tip = f"{text}, {minute_text(first.start_us)} to {minute_text(end_us)} UTC"
    style = f"bar{tones[first.value]}" if is_sure else "possible"
    return _Piece(tuple(stretches), text, tip, first.start_us, end_us, style)


def links_lane(sheet: Sheet, plot: Plot, top: float, links: Sequence[Link]) -> float:
    """Links from the last report under one identity to the first under the next, with how likely they are one hull."""
    seen = [link for link in links if plot.is_in_sight(min(link.from_us, link.at_us), max(link.from_us, link.at_us))]
    if not seen:
        return top
    rows = Rows(LINK_ROWS, plot.left, plot.right)
    n_left_out = 0
    placed = []
    for link in sorted(seen, key=lambda link: (-link.probability, link.at_us)):
        low, high = sorted((plot.scale.held(link.from_us), plot.scale.held(link.at_us)))
        text = link_text(link)
        wide = width_px(text) + 1.0
        spots: tuple[tuple[float, float, float], ...] = (
            (low, high + 5.0 + wide, high + 5.0),
            (low - 5.0 - wide, high, low - 5.0 - wide),
        )
        if high - low > wide + 24.0:
            middle = (low + high - wide) / 2.0
            spots = ((low, high, middle), *spots)
        for begin, end, text_x in spots:
            row = rows.place(begin, end) if begin >= plot.left and end <= plot.right else None
            if row is not None:
                placed.append((link, row, low, high, text_x, wide))
                break
        else:
            n_left_out += 1
    top = plot.head(sheet, top, "Hull links", f"+{n_left_out} more" if n_left_out else "")
    for link, row, low, high, text_x, wide in placed:
        y = top + row * LINK_PX + 8.0
        name = "link" if link.is_strong else "maybe"
        is_inside = low < text_x < high
        runs = ((low, text_x - 3.0), (text_x + wide + 2.0, high)) if is_inside else ((low, high),)
        for begin, end in runs:
            sheet.draw(name, rule(begin, y, max(end, begin + 0.5), y), link.text)
        sheet.draw("link-end", rule(low, y - 4.0, low, y + 6.0) + rule(high, y - 4.0, high, y + 6.0))
        sheet.write("link-text", text_x, y + 4.0, link_text(link))
    return top + max(rows.n_used, 1) * LINK_PX + GAP_PX


def link_text(link: Link) -> str:
    """How likely two tracks are one hull, in two words."""
    share = "over 0.99" if link.probability > SURE else f"{link.probability:.2f}"
    return f"{share} link" if link.is_strong else f"possible {share}"
