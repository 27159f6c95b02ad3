"""The lanes of a time line that say what happened: findings, port stays, silences, speed and draught.

Each takes a sheet, a plot and what it draws; draws one lane from `top` down and gives where the next one begins.
Nothing is drawn over a time in which the ship was not heard but the silence itself.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from detectors.report.drawn import Drawn, FloatArray, Mark, Silence, Stay, TrackPoints
from detectors.report.lettering import fitted, width_px
from detectors.report.packing import Rows, place_named
from detectors.report.sheet import Sheet, box, dot, line, num, rule
from detectors.report.time_axis import HOUR_US, minute_text, span_text
from detectors.report.timeline_frame import Plot
from detectors.run_tables import HEARD_H

UNHEARD_US: Final = round(HEARD_H * HOUR_US)
"""Two drawn reports further apart than this have a silence between them; reports are drawn every twenty minutes."""
RECEPTIONS: Final = {
    "heard": ("silence-heard", "others heard nearby"),
    "outage": ("silence-outage", "feed down"),
    "unheard_place": ("silence-place", "place seldom heard"),
    "class_thinned": ("silence-thinned", "class B thinned"),
    "unjudged": ("silence-unknown", "usual for this ship"),
}
UNKNOWN: Final = ("silence-unknown", "reception unknown")
"""How a silence looks of which reception says nothing."""
WATCH_ORDER: Final = {"high": 0, "elevated": 1}
MARK_ROWS: Final = 6
MARK_PX: Final = 18.0
COUNT_PX: Final = 38.0
"""Findings without a row of their own are counted over this many pixels."""
STAY_ROWS: Final = 3
ROW_PX: Final = 18.0
LEAST_PX: Final = 3.0
"""What is shorter than this is drawn this wide."""
CHIP_PX: Final = 14.0
SPEED_PX: Final = 54.0
DRAUGHT_PX: Final = 36.0
ROUGH_PX: Final = 0.5
"""How far a drawn line may run from the reports."""
TOP_SPEEDS_KN: Final = (4, 6, 10, 14, 16, 20, 24, 30, 40, 50, 60, 80, 100)
LEAST_DRAUGHT_SPAN_M: Final = 2.0
SAME_DRAUGHT_M: Final = 0.05
"""Draught is sent in steps of 0.1 m (ITU-R M.1371-5, message 5)."""
MOST_TIPS: Final = 40
MANY_MARKS: Final = 9
MANY_STAYS: Final = 3
"""With more than this the lane's name says how many."""
DOTS_APART_PX: Final = 6.0
"""Dots of one claimed draught stand no closer."""
NONE_SENT: Final = "none in the reports drawn"
GAP_PX: Final = 6.0


def marks_lane(sheet: Sheet, plot: Plot, top: float, marks: Sequence[Mark]) -> float:
    """Findings by their numbers: a chip where each begins and a bar for as long as it lasts; the weightiest first."""
    top = plot.head(sheet, top, "Findings", f"{len(marks):,}" if len(marks) > MANY_MARKS else "")
    rows = Rows(MARK_ROWS, plot.left, plot.right)
    crowded: list[float] = []
    for n_drawn, mark in enumerate(sorted(marks, key=lambda mark: mark.number)):
        text = str(mark.number)
        chip = width_px(text) + 8.0
        low, high = plot.stretch(mark.start_us, mark.start_us if mark.end_us is None else mark.end_us, 0.0)
        begin = low if high - low > chip else min(max((low + high - chip) / 2.0, plot.left), plot.right - chip)
        row = rows.place(begin, max(high, begin + chip))
        if row is None:
            crowded.append((low + high) / 2.0)
            continue
        y = top + row * MARK_PX + 9.0
        tip = f"{text} {mark.kind}: {mark.headline}" if n_drawn < MOST_TIPS else ""
        if high - low > chip:
            sheet.draw("span", box(low, y - 2.0, high, y + 2.0))
        else:
            middle = (low + high) / 2.0
            sheet.draw("pin", f"M{round(middle)} {round(y + 9.0)}l-3-4h6z")
        sheet.draw("chip", box(begin, y - 7.0, begin + chip, y + 6.0), tip)
        sheet.write("chip-number", begin + 4.0, y + 3.5, text)
        plot.arrows(sheet, mark.start_us, mark.end_us or mark.start_us, y)
    bottom = top + rows.n_used * MARK_PX
    if crowded:
        bottom = _counted(sheet, plot, bottom, crowded)
    return bottom + GAP_PX


def _counted(sheet: Sheet, plot: Plot, top: float, at: Sequence[float]) -> float:
    """How many more findings there are along the axis."""
    n_cells = max(1, int((plot.right - plot.left) / COUNT_PX))
    wide = (plot.right - plot.left) / n_cells
    counts, _ = np.histogram(at, bins=n_cells, range=(plot.left, plot.right))
    for cell in np.flatnonzero(counts).tolist():
        low = plot.left + cell * wide
        sheet.draw("count", box(low + 1.0, top + 2.0, low + wide - 1.0, top + 16.0))
        sheet.write("middle", low + wide / 2.0, top + 12.5, f"+{counts[cell]}")
    return top + MARK_PX


def stays_lane(sheet: Sheet, plot: Plot, top: float, stays: Sequence[Stay], *, in_full: bool = True) -> float:
    """Port stays with their names; watched ones wear a triangle, full for high and hollow for elevated.

    `in_full`: with countries, and times for who points at one; else times of those that are watched or have no name.
    """
    seen = [stay for stay in stays if plot.is_in_sight(stay.start_us, stay.end_us)]
    if not seen:
        return plot.nothing(sheet, top, "Port stays", "none seen")
    top = plot.head(sheet, top, "Port stays", f"{len(seen):,}" if len(seen) > MANY_STAYS else "")
    rows = Rows(STAY_ROWS, plot.left - 1.0, plot.right + 1.0)
    spans = [(stay, *plot.stretch(stay.start_us, stay.end_us, LEAST_PX)) for stay in seen]
    spans.sort(key=lambda one: (WATCH_ORDER.get(one[0].watch or "", 2), one[1] - one[2], one[1]))
    unnamed = []
    for n_drawn, (stay, low, high) in enumerate(spans):
        flag = 10.0 if stay.watch else 0.0
        country = f" ({stay.country})" if in_full and stay.country else ""
        name = (fitted(stay.zone_name, 150.0) or stay.zone_id) + country
        place = place_named(rows, low, high, width_px(name) + flag)
        if place is None:
            unnamed.append((stay, low, high))
            continue
        y = top + place.row * ROW_PX
        _stay(sheet, plot, stay, low, high, y, n_drawn < MOST_TIPS and (in_full or stay.watch is not None))
        if stay.watch:
            _flag(sheet, stay.watch, place.text_x, y + 8.5)
        sheet.write("", place.text_x + flag, y + 12.5, name, place.room_px - flag)
    n_rows = rows.n_used
    for n_drawn, (stay, low, high) in enumerate(unnamed):
        row = rows.place(low, high)
        n_rows = max(n_rows, rows.n_used, 0 if row is not None else STAY_ROWS + 1)
        row = STAY_ROWS if row is None else row
        _stay(sheet, plot, stay, low, high, top + row * ROW_PX, n_drawn < MOST_TIPS)
    return top + n_rows * ROW_PX + GAP_PX


def _stay(sheet: Sheet, plot: Plot, stay: Stay, low: float, high: float, y: float, has_tip: bool) -> None:
    tip = ""
    if has_tip:
        until = "still there" if stay.end_us is None else minute_text(stay.end_us)
        country = f" ({stay.country})" if stay.country else ""
        watch = f", watched: {stay.watch}" if stay.watch else ""
        tip = f"{stay.zone_name}{country}{watch}, {minute_text(stay.start_us)} to {until} UTC"
        tip = f"{tip}, confidence {stay.confidence} of 4"
    name = {"high": "stay-high", "elevated": "stay-elevated"}.get(stay.watch or "", "stay")
    sheet.draw(name, box(low, y + 1.5, high, y + 15.5), tip)
    plot.arrows(sheet, stay.start_us, stay.end_us, y + 8.5)


def _flag(sheet: Sheet, watch: str, x: float, y: float) -> None:
    name = "watch-high" if watch == "high" else "watch-elevated"
    sheet.draw(name, f"M{round(x)} {round(y + 3.5)}h7l-3.5-7z")


def heard_lane(sheet: Sheet, plot: Plot, top: float, drawn: Drawn) -> float:
    """Where reports were heard, as a line, and where not, hatched, with what reception says of it."""
    seen = [one for one in drawn.silences if plot.is_in_sight(one.start_us, one.end_us)]
    if not seen and not drawn.tracks:
        return top
    top = plot.head(sheet, top, "Heard", f"{len(seen)} silences" if len(seen) > 1 else "")
    y = top + 8.5
    for track in drawn.tracks:
        _heard(sheet, plot, track, y)
    for n_drawn, silence in enumerate(sorted(seen, key=lambda one: (-one.duration_h, one.start_us))):
        _silence(sheet, plot, silence, y, drawn.as_of_us, n_drawn < MOST_TIPS)
    return top + (ROW_PX if plot.is_narrow or len(seen) < 2 else 30.0) + GAP_PX


def _heard(sheet: Sheet, plot: Plot, track: TrackPoints, y: float) -> None:
    """A line where reports are, and dots between the first and the last where there are none for long."""
    runs = [
        (int(track.time_us[a]), int(track.time_us[b - 1]))
        for a, b in _runs(track.time_us, np.ones_like(track.lat, bool))
    ]
    runs = [run for run in runs if plot.is_in_sight(*run)]
    if not runs:
        return
    low, high = plot.stretch(runs[0][0], runs[-1][1], 0.0)
    sheet.draw("unheard", rule(low, y, high, y) if high > low else "")
    joined: list[tuple[float, float]] = []
    for run in runs:
        low, high = plot.stretch(*run, 1.0)
        if joined and low - joined[-1][1] < 1.0:
            joined[-1] = joined[-1][0], high
        else:
            joined.append((low, high))
    for low, high in joined:
        sheet.draw("heard", rule(low, y, high, y))


def _silence(sheet: Sheet, plot: Plot, silence: Silence, y: float, as_of_us: int, has_tip: bool) -> None:
    end_us = as_of_us if silence.end_us is None else silence.end_us
    low, high = plot.stretch(silence.start_us, end_us, 1.5)
    name, reception = RECEPTIONS.get(silence.reception, UNKNOWN)
    tip = f"{silence.text}; from {minute_text(silence.start_us)} UTC" if has_tip else ""
    right = num(high) if silence.end_us is not None else num(high - 3.0)
    shape = box(low, y - 7.0, high, y + 7.0)
    if silence.end_us is None:  # its edge is torn
        teeth = "".join(f"l{'3' if i % 2 == 0 else '-3'} 3.5" for i in range(4))
        shape = f"M{num(low)} {num(y - 7.0)}H{right}{teeth}H{num(low)}z"
    sheet.draw(name, shape, tip)
    long = span_text(end_us - silence.start_us) + (" so far" if silence.end_us is None else "")
    for text in (f"not heard {long}: {reception}", f"{long}: {reception}", long):
        wide = width_px(text)
        if wide + 10.0 <= high - low:
            middle = (low + high) / 2.0
            sheet.draw("plate", box(middle - wide / 2.0 - 2.0, y - 6.0, middle + wide / 2.0 + 2.0, y + 6.0))
            sheet.write("middle", middle, y + 4.0, text)
            break
    plot.arrows(sheet, silence.start_us, end_us, y)


def _runs(time_us: npt.NDArray[np.int64], is_said: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Begin and end of every run of rows that say something and have no silence between them."""
    said = np.flatnonzero(is_said)
    if not said.size:
        return
    cut = np.flatnonzero((np.diff(time_us[said]) > UNHEARD_US) | (np.diff(said) > 1)) + 1
    for begin, end in zip((0, *cut.tolist()), (*cut.tolist(), said.size), strict=True):
        yield int(said[begin]), int(said[end - 1]) + 1


def speed_lane(sheet: Sheet, plot: Plot, top: float, tracks: Sequence[TrackPoints]) -> float:
    """Speed over ground in knots, broken where nothing was heard."""
    speeds = [_cleaned(track.sog_kn) for track in tracks]
    fastest = max((float(np.nanmax(speed)) for speed in speeds if np.isfinite(speed).any()), default=None)
    if fastest is None:
        return plot.nothing(sheet, top, "Speed", NONE_SENT)
    top = plot.head(sheet, top, "Speed, kn") + 2.0
    most = next((speed for speed in TOP_SPEEDS_KN if speed >= fastest), TOP_SPEEDS_KN[-1])
    bottom = top + SPEED_PX
    for part in (0.0, 0.5, 1.0):
        y = bottom - part * SPEED_PX
        sheet.draw("level", rule(plot.left, y, plot.right, y))
        _level(sheet, plot, y, f"{most * part:g}")
    for track, speed in zip(tracks, speeds, strict=True):
        height = bottom - np.minimum(speed, most) / most * SPEED_PX
        for begin, end in _runs(track.time_us, np.isfinite(speed)):
            _curve(sheet, plot, "speed", track.time_us[begin:end], height[begin:end])
    return bottom + GAP_PX + 2.0


def _cleaned(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values) & (values >= 0.0), values, np.nan)


def _level(sheet: Sheet, plot: Plot, y: float, text: str) -> None:
    if plot.is_narrow:
        sheet.write("level-inside", plot.left + 1.0, y - 1.0 if text == "0" else y + 9.0, text)
    else:
        sheet.write("level-text", plot.left - 5.0, y + 4.0, text)


def _curve(sheet: Sheet, plot: Plot, name: str, time_us: npt.NDArray[np.int64], height: FloatArray) -> None:
    """A line through reports of one run, as smooth as can be seen; a lone report is a dot."""
    x = plot.scale.xs(time_us)
    inside = np.flatnonzero((x >= plot.left) & (x <= plot.right))
    if not inside.size:
        return
    x, height = x[inside], height[inside]
    if float(x[-1] - x[0]) < 1.0:
        sheet.draw(f"{name}-dot", dot(float(x[0]), float(height.mean())))
        return
    curve = shapely.simplify(shapely.linestrings(x, height), ROUGH_PX, preserve_topology=False)
    sheet.draw(name, line(shapely.get_coordinates(curve).tolist()))


def draught_lane(sheet: Sheet, plot: Plot, top: float, tracks: Sequence[TrackPoints]) -> float:
    """The draught the crew claims, in metres: a dot where a claim begins, a line for as long as it is repeated."""
    claims = [claim for track in tracks for claim in _claims(track)]
    claims = [claim for claim in claims if plot.is_in_sight(claim[0], claim[1])]
    if not claims:
        return plot.nothing(sheet, top, "Draught", NONE_SENT)
    top = plot.head(sheet, top, "Draught, m", "as claimed")
    least, most = min(claim[2] for claim in claims), max(claim[2] for claim in claims)
    span = max(most - least, LEAST_DRAUGHT_SPAN_M)
    least -= (span - (most - least)) / 2.0
    rows = Rows(1, plot.left, plot.right)
    before: float | None = None
    dotted = -DOTS_APART_PX
    for begin_us, end_us, value in sorted(claims):
        low, high = plot.stretch(begin_us, end_us, 0.0)
        y = top + 12.0 + (least + span - value) / span * (DRAUGHT_PX - 16.0)
        sheet.draw("draught", rule(low, y, high, y) if high > low else "")
        is_other = before is None or abs(value - before) > SAME_DRAUGHT_M
        if begin_us >= plot.scale.start_us and (is_other or low - dotted >= DOTS_APART_PX):
            sheet.draw("draught-dot", dot(low, y))
            dotted = low
        if is_other:
            wide = width_px(f"{value:.1f}")
            at = min(low + 4.0, plot.right - wide)
            if rows.place(at, at + wide) is not None:
                sheet.write("halo", at, y - 4.0, f"{value:.1f}")
            before = value
    return top + DRAUGHT_PX + GAP_PX


def _claims(track: TrackPoints) -> Iterator[tuple[int, int, float]]:
    """First and last report, and value, of every stretch in which one draught is claimed and the ship is heard."""
    draught = np.where(np.isfinite(track.draught_m) & (track.draught_m > 0.0), track.draught_m, np.nan)
    said = np.flatnonzero(np.isfinite(draught))
    if not said.size:
        return
    time_us, value = track.time_us[said], draught[said]
    is_new = (np.abs(np.diff(value)) > SAME_DRAUGHT_M) | _is_unheard_between(track.time_us, said)
    cut = np.flatnonzero(is_new) + 1
    for begin, end in zip((0, *cut.tolist()), (*cut.tolist(), said.size), strict=True):
        yield int(time_us[begin]), int(time_us[end - 1]), float(value[begin])


def _is_unheard_between(time_us: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether a silence lies between neighbours of `said`, whatever was sent meanwhile."""
    silences = np.concatenate(([0], np.cumsum(np.diff(time_us) > UNHEARD_US)))
    return np.diff(silences[said]) > 0
