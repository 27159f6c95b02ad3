"""The time line of a voyage as a picture: what happened, and who the ship said it was, in lanes over axes in UTC.

Takes what is drawn of a voyage; gives one SVG element that needs `static/timeline.css` and the colours of
`detectors.report.palette`. A voyage of days in the life of months has an axis of its own, and the hull's identities a
longer one below it, on which the voyage is shaded; else one axis serves both.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import escape

from detectors.report.drawn import Drawn, Mark, Stay
from detectors.report.lettering import fitted, width_px
from detectors.report.sheet import Sheet, box, num, rule
from detectors.report.time_axis import minute_text, span_text
from detectors.report.timeline_frame import (
    AXIS_PX,
    BOLD,
    NARROWEST_PX,
    Plot,
    hull_span,
    one_span,
    plot_of,
    voyage_span,
)
from detectors.report.timeline_identity import bars_lane, links_lane, who_lanes
from detectors.report.timeline_lanes import draught_lane, heard_lane, marks_lane, speed_lane, stays_lane
from detectors.shown import shown

TITLE_PX: Final = 18.0
TITLE_TEXT_PX: Final = 12.0
FUNNEL_PX: Final = 16.0
KEY_PX: Final = 16.0
LAYERS: Final = (
    "band",
    "funnel",
    "grid",
    "grid-major",
    "level",
    "baseline",
    "tie",
    "drop",
    "edge",
    "span",
    "unheard",
    "heard",
    "silence-unknown",
    "silence-thinned",
    "silence-place",
    "silence-outage",
    "silence-heard",
    "plate",
)
HATCHES: Final = (
    ("dense", ("silence-heard",), 5, "M0 5L5 0M-1 1L1 -1M4 6L6 4"),
    (
        "sparse",
        ("silence-outage", "silence-place", "silence-thinned", "silence-unknown"),
        8,
        "M0 8L8 0M-1 1L1 -1M7 9L9 7",
    ),
)
"""Patterns of silences, dense where others were heard and sparse where it says little: name, classes, size, lines."""
TOLD: Final = 3


def timeline_picture(drawn: Drawn, *, width: int = 760, ident: str) -> str:
    """A voyage's time line as one `<svg>`, `width` pixels wide; its height follows what there is to say.

    `ident` begins the ids in it and must differ between pictures of a page. From 300 px up; below 560 px the names of
    the lanes stand above them.
    """
    width = max(int(width), NARROWEST_PX)
    name = "".join(c for c in ident if c.isalnum() or c in "-_")
    sheet = Sheet(LAYERS, {kind: f"url(#{name}-{hatch})" for hatch, kinds, _, _ in HATCHES for kind in kinds})
    voyage = voyage_span(drawn)
    hull = hull_span(drawn, voyage)
    together = one_span(voyage, hull)
    if together is not None:
        bottom = _one(sheet, drawn, plot_of(together, width))
    else:
        bottom = _two(sheet, drawn, plot_of(voyage, width), plot_of(hull or voyage, width))
    height = _key(sheet, drawn, width, bottom + 4.0, is_as_of_seen=drawn.as_of_us <= (together or hull or voyage)[1])
    hatches = "".join(
        f'<pattern id="{name}-{hatch}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">'
        f'<path class="{hatch}" d="{lines}"/></pattern>'
        for hatch, kinds, size, lines in HATCHES
        if any(sheet.has(kind) for kind in kinds)
    )
    return (
        f'<svg class="timeline" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{num(height)}" '
        f'viewBox="0 0 {width} {num(height)}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">Time line of {escape(shown(drawn.title))}</title>'
        f'<desc id="{name}-d">{escape(_in_words(drawn))}</desc>{hatches}{sheet.markup()}</svg>'
    )


def _one(sheet: Sheet, drawn: Drawn, plot: Plot) -> float:
    """Everything over one axis."""
    top = _title(sheet, plot, 0.0, _voyage_titles(drawn)) + AXIS_PX
    lanes = _voyage_lanes(sheet, drawn, plot, top)
    bottom = lanes
    if drawn.bars:
        bottom = who_lanes(sheet, plot, lanes + 2.0, drawn.bars, drawn.links)
        bottom = _destinations(sheet, drawn, plot, bottom)
    _ground(sheet, drawn, plot, top, bottom)
    plot.axis(sheet, top, bottom, is_below=False)
    return bottom


def _two(sheet: Sheet, drawn: Drawn, near: Plot, far: Plot) -> float:
    """The voyage over its own axis; below it the hull over a longer one."""
    top = _title(sheet, near, 0.0, _voyage_titles(drawn)) + AXIS_PX
    bottom = _voyage_lanes(sheet, drawn, near, top)
    changed = {bar.field for bar in drawn.bars if _changes_within(drawn, bar.field, near)}
    bottom = links_lane(sheet, near, bottom, drawn.links)
    for field in (field for field in ("mmsi", "name", "imo", "call_sign", "flag") if field in changed):
        said = [bar for bar in drawn.bars if bar.field == field]
        bottom = bars_lane(sheet, near, bottom, field, said, [bar for bar in drawn.bars if bar.field == "mmsi"])
    bottom = _destinations(sheet, drawn, near, bottom)
    _ground(sheet, drawn, near, top, bottom)
    near.axis(sheet, top, bottom, is_below=False)
    ends = [plot.scale.held(us) for plot in (near, far) for us in (drawn.start_us, max(drawn.end_us, drawn.start_us))]
    below = _title(sheet, far, bottom + FUNNEL_PX, ("The hull before and after",)) + 4.0
    ends[3] = max(ends[3], ends[2] + 2.0)
    sheet.draw(
        "funnel",
        f"M{num(ends[0])} {num(bottom)}H{num(ends[1])}L{num(ends[3])} {num(below)}H{num(ends[2])}z",
    )
    top = below
    outside = [mark for mark in drawn.marks if _is_beyond(mark, near)]
    bottom = stays_lane(sheet, far, top, drawn.stays, in_full=False)
    if outside:
        bottom = marks_lane(sheet, far, bottom, outside)
    bottom = who_lanes(sheet, far, bottom, drawn.bars, drawn.links)
    _ground(sheet, drawn, far, top, bottom)
    far.axis(sheet, top, bottom, is_below=True)
    return bottom + AXIS_PX


def _voyage_lanes(sheet: Sheet, drawn: Drawn, plot: Plot, top: float) -> float:
    """What happened on the voyage."""
    top += 3.0
    if drawn.marks:
        top = marks_lane(sheet, plot, top, drawn.marks)
    top = stays_lane(sheet, plot, top, drawn.stays)
    top = heard_lane(sheet, plot, top, drawn)
    if not any(track.time_us.size for track in drawn.tracks):
        return plot.nothing(sheet, top, "Reports", "this run keeps none of this voyage")
    top = speed_lane(sheet, plot, top, drawn.tracks)
    return draught_lane(sheet, plot, top, drawn.tracks)


def _destinations(sheet: Sheet, drawn: Drawn, plot: Plot, top: float) -> float:
    said = [bar for bar in drawn.bars if bar.field == "destination" and plot.is_in_sight(bar.start_us, bar.end_us)]
    return bars_lane(sheet, plot, top, "destination", said) if said else top


def _changes_within(drawn: Drawn, field: str, plot: Plot) -> bool:
    said = (bar for bar in drawn.bars if bar.field == field and plot.is_in_sight(bar.start_us, bar.end_us))
    return len({bar.value for bar in said}) > 1


def _is_beyond(mark: Mark, plot: Plot) -> bool:
    end = mark.start_us if mark.end_us is None else mark.end_us
    return mark.start_us < plot.scale.start_us or end > plot.scale.end_us


def _ground(sheet: Sheet, drawn: Drawn, plot: Plot, top: float, bottom: float) -> None:
    """The voyage's span shaded, and the line at which the data end."""
    low, high = plot.stretch(drawn.start_us, max(drawn.end_us, drawn.start_us), 2.0)
    sheet.draw("band", box(low, top, high, bottom))
    sheet.draw("edge", rule(low, top, low, bottom) + rule(high, top, high, bottom))
    if plot.is_in_sight(drawn.as_of_us, drawn.as_of_us):
        x = plot.scale.x(drawn.as_of_us)
        sheet.draw("as-of", rule(x, top, x, bottom))


def _title(sheet: Sheet, plot: Plot, top: float, texts: Sequence[str]) -> float:
    """Write the longest of some titles that fits."""
    left = plot.left if plot.is_narrow else 0.0
    fits = (text for text in texts if left + width_px(text, TITLE_TEXT_PX) * BOLD <= plot.width)
    sheet.write("head", left, top + 13.0, next(fits, texts[-1]))
    return top + TITLE_PX


def _voyage_titles(drawn: Drawn) -> tuple[str, ...]:
    """When the voyage was, from the longest wording to the shortest."""
    start, end = minute_text(drawn.start_us), minute_text(max(drawn.end_us, drawn.start_us))
    if start == end:
        return f"Voyage: heard at one time only, {start} UTC", f"{start} UTC"
    long = span_text(drawn.end_us - drawn.start_us)
    return f"Voyage: {start} to {end} UTC, {long}", f"{start} – {end} UTC", start


def _key(sheet: Sheet, drawn: Drawn, width: int, top: float, *, is_as_of_seen: bool) -> float:
    """What the shapes mean, as far as they are in the picture; where the picture ends."""
    watches = {stay.watch for stay in drawn.stays}
    told = [
        ("watch-high", "watched port: high", "high" in watches),
        ("watch-elevated", "watched port: elevated", "elevated" in watches),
        ("silence-heard", "not heard, though others nearby were", any(s.reception == "heard" for s in drawn.silences)),
        ("silence-place", "not heard, says little", any(s.reception != "heard" for s in drawn.silences)),
        ("possible", "may have been this hull", any(bar.probability < 1.0 for bar in drawn.bars)),
        ("band", "the voyage", True),
        ("as-of", f"as of {minute_text(drawn.as_of_us)}", is_as_of_seen),
    ]
    x, y = 0.0, top
    for name, text, is_there in told:
        if not is_there:
            continue
        wide = 18.0 + width_px(text) + 14.0
        if x and x + wide > width:
            x, y = 0.0, y + KEY_PX
        if name.startswith("watch"):
            sheet.draw(name, f"M{num(x + 3.0)} {num(y + 12.0)}h7l-3.5 -7z")
        elif name == "as-of":
            sheet.draw(name, rule(x + 7.0, y + 2.0, x + 7.0, y + 14.0))
        else:
            sheet.draw(f"{name} key" if name == "band" else name, box(x + 0.5, y + 3.5, x + 13.5, y + 12.5))
        sheet.write("soft", x + 18.0, y + 12.0, text)
        x += wide
    return y + KEY_PX + 2.0


def _in_words(drawn: Drawn) -> str:
    """The time line for who does not see it."""
    parts = [_voyage_titles(drawn)[0]]
    parts.append(f"{len(drawn.marks)} findings, {len(drawn.silences)} silences, {len(drawn.links)} hull links")
    during = [stay for stay in drawn.stays if _is_during(stay, drawn)]
    if during:
        names = [shown(stay.zone_name, 40) for stay in during[:TOLD]]
        more = f" and {len(during) - TOLD} more" if len(during) > TOLD else ""
        parts.append(f"port stays at its ends: {', '.join(names)}{more}")
    names = list(dict.fromkeys(bar.value for bar in drawn.bars if bar.field == "name"))
    if names:
        parts.append(f"names claimed: {', '.join(shown(name, 40) for name in names[:TOLD])}")
    return fitted("; ".join(parts), 10_000.0)


def _is_during(stay: Stay, drawn: Drawn) -> bool:
    return stay.start_us <= drawn.end_us and (stay.end_us is None or stay.end_us >= drawn.start_us)
