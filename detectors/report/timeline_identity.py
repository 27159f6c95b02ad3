"""The lanes of a time line that say who the ship said it was: identity bars, and the hull links between them.

Each takes a sheet, a plot and what it draws; draws from `top` down and gives where the next lane begins. A change is a
gap between two bars with two texts, never a colour alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """A bar in pixels, or several small ones as one."""

    low: float
    high: float
    text: str
    tip: str
    start_us: int
    end_us: int
    style: str


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
    rows = Rows(BAR_ROWS, plot.left, plot.right, apart=0.0)
    pieces = _pieces(plot, bars)
    placed = [(piece, rows.place(piece.low, piece.high)) for piece in pieces]
    n_left_out = sum(row is None for _, row in placed)
    top = plot.head(sheet, top, FIELD_NAMES[field], f"+{n_left_out} more" if n_left_out else "")
    for bar in heard:
        if bar.probability >= 1.0 and plot.is_in_sight(bar.start_us, bar.end_us):
            low, high = plot.stretch(bar.start_us, bar.end_us, 0.0)
            sheet.draw("baseline", rule(low, top + 7.5, high, top + 7.5))
    for piece, row in placed:
        if row is None:
            continue
        y = top + row * BAR_PX
        room = piece.high - piece.low - 6.0
        inside = fitted(piece.text, room)
        is_whole = inside == piece.text
        plot.arrows(sheet, piece.start_us, piece.end_us, y + 7.5)
        wide = width_px(piece.text)
        beside = piece.high + 3.0
        is_beside = not is_whole and beside + wide <= plot.right and rows.is_free(row, beside, beside + wide)
        tip = "" if is_whole or is_beside else piece.tip
        sheet.draw(piece.style, box(piece.low + 0.5, y + 0.5, piece.high - 0.5, y + 14.5), tip)
        if is_beside:
            rows.take(row, beside, beside + wide)
            sheet.write("", beside, y + 11.5, piece.text, wide + 1.0)
        elif inside:
            sheet.write("", piece.low + 3.0, y + 11.5, piece.text, room)
    return top + max(rows.n_used, 1) * BAR_PX + GAP_PX


def _pieces(plot: Plot, bars: Sequence[Bar]) -> list[_Piece]:
    """Bars in sight as they are drawn: sure ones first, crowds of small ones merged."""
    tones: dict[str, int] = {}
    for bar in bars:
        tones.setdefault(bar.value, len(tones) % 2)
    seen = sorted(
        (bar for bar in bars if plot.is_in_sight(bar.start_us, bar.end_us)),
        key=lambda bar: (bar.probability < 1.0, bar.start_us, bar.end_us, bar.value),
    )
    pieces: list[_Piece] = []
    crowd: list[tuple[Bar, float, float]] = []
    for bar in seen:
        low, high = plot.stretch(bar.start_us, bar.end_us, LEAST_PX)
        if crowd and (high - low > SMALL_PX or low - crowd[-1][2] > SMALL_PX or bar.probability < 1.0):
            pieces += _merged(crowd, tones)
            crowd = []
        if high - low > SMALL_PX:
            pieces.append(_piece(bar, low, high, tones))
        else:
            crowd.append((bar, low, high))
    return pieces + _merged(crowd, tones)


def _merged(crowd: Sequence[tuple[Bar, float, float]], tones: dict[str, int]) -> list[_Piece]:
    if len(crowd) < FEWEST_MERGED:
        return [_piece(*one, tones) for one in crowd]
    first, last = crowd[0], crowd[-1]
    values = list(dict.fromkeys(bar.value for bar, _, _ in crowd))
    text = f"{len(crowd)} changes"
    tip = f"{text} among {', '.join(values)}"
    return [_Piece(first[1], max(one[2] for one in crowd), text, tip, first[0].start_us, last[0].end_us, "crowd")]


def _piece(bar: Bar, low: float, high: float, tones: dict[str, int]) -> _Piece:
    is_sure = bar.probability >= 1.0
    text = bar.value if is_sure else f"{bar.value} (possible {bar.probability:.2f})"
    tip = f"{text}, {minute_text(bar.start_us)} to {minute_text(bar.end_us)} UTC"
    style = f"bar{tones[bar.value]}" if is_sure else "possible"
    return _Piece(low, high, text, tip, bar.start_us, bar.end_us, style)


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
