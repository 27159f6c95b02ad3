"""The chart of a voyage: land and fences, the track in colours of speed and of time, silences, stays, ships met, and
findings as numbered marks.

Takes a `Drawn`, what finds fences, and what draws land; gives one SVG element of classes and plain attributes, so
that a page's policy may forbid styles and scripts in it. Colours are in static/map.css.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final

import numpy as np
import shapely

from detectors.report.coast import Land
from detectors.report.drawn import Drawn, Fence, TrackPoints
from detectors.report.map_edges import grid_labels, grid_lines, keys_and_scale, minute_text
from detectors.report.map_fences import WATCHED
from detectors.report.map_marks import PLATE_PX, Pin, drawn_pin, has_place, numbers_text, pins
from detectors.report.map_names import NAMES, SPARE_NAMES, Room, fence_names
from detectors.report.map_tracks import UNKNOWN, Track, Unheard, in_pixels, sailed, time_bounds, unheard
from detectors.report.map_voyage import (
    arrow_heads,
    calls_of,
    ends,
    met_tracks,
    sailed_paths,
    silences,
    stays,
    told_line,
)
from detectors.report.projection import Frame, frame_of
from detectors.report.svg_paths import FloatArray, number, words
from vessels.geodesy import distance_nmi

FencesOf = Callable[[float, float, float, float], Sequence[Fence]]

AROUND: Final = 0.5
"""Share of its size by which a chart that can be moved is drawn beyond each of its edges; static/map.js knows it."""
EDGE: Final = 0.02
MORE_COSTS: Final = 1.7
"""What is near is within the frame too, unless that makes everything this much smaller."""
REACH_NMI: Final = 60.0
"""A watched place this near to a silence's end is near: six hours at 10 knots, the fixtures' usual speed."""
MARK_WEIGHT: Final = 10
"""A mark, a port visit or an end of the track is worth keeping free as much as this many reports."""


def map_picture(
    drawn: Drawn,
    fences_of: FencesOf,
    land: Land,
    *,
    width: float = 760,
    height: float = 520,
    ident: str,
    can_move: bool = False,
    anchor: str = "",
) -> str:
    """The chart of a voyage as one `<svg>`.

    `can_move` draws beyond the edges too, for pages in which the chart is moved and magnified. With an `anchor`, the
    mark of finding 3 leads to `#<anchor>3`. Places that are no numbers are passed over; of a voyage without any place
    the chart says so.
    """
    frame = _frame(drawn, fences_of, float(width), float(height))
    area = frame.grown(AROUND if can_move else EDGE)
    own, met = in_pixels(drawn.tracks, frame), in_pixels(drawn.met, frame)
    lines, silent = sailed(own, frame), unheard(own, drawn, frame)
    fences = fences_of(area.west, area.south, area.east, area.north)
    marks = pins(drawn.marks, frame)
    room = Room(frame, own, keeps_spare=can_move)
    # Whatever takes room takes it here, the weightiest first.
    is_bare = not own and (drawn.line is None or drawn.line.is_empty)
    has_unknown = any(speed == UNKNOWN for speed, _ in lines)
    edges = keys_and_scale(
        frame, time_bounds(own), room.take, has_unknown=has_unknown, avoid=_busy(drawn, own, marks, frame)
    )
    for pin in marks:
        room.take(pin.box)
    ended = _group("ends", ends(drawn, own, room))
    called = _group("stays", stays(drawn, frame, room))
    unseen = _group("unheard", silences(silent, room))
    others = _group("met", met_tracks(met, frame, room))
    named = {stay.zone_id for stay in calls_of(drawn)}
    most = NAMES + (SPARE_NAMES if can_move else 0)
    names = _group("names", [] if is_bare else [fence_names(fences, own, frame, room, named, most=most)])
    said = _nothing(frame) if is_bare else ""
    world = (
        _sea(frame),
        land.land(frame, area),
        grid_lines(frame, area),
        _group("fences", [land.fences(frame, area, fences)]),
        others,
        _group("track", chain(told_line(drawn, own, frame), sailed_paths(lines))),
        unseen,
        _group("arrows", arrow_heads(own, frame)),
        names,
        called,
        ended,
        _group("marks", (drawn_pin(pin, anchor, len(marks)) for pin in marks)),
    )
    size = f'width="{number(frame.width)}" height="{number(frame.height)}"'
    box = f'viewBox="0 0 {number(frame.width)} {number(frame.height)}"'
    label = "".join(letter for letter in ident if letter.isascii() and (letter.isalnum() or letter in "-_"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" {size} {box} role="img" '
        f'aria-labelledby="{label}-t {label}-d" data-px-deg="{frame.px_per_deg:.7g}" '
        f'data-lon="{frame.lon:.7g}" data-up="{frame.stretched:.7g}">'
        f'<title id="{label}-t">Chart of {words(drawn.title)}</title>'
        f'<desc id="{label}-d">{words(_in_words(drawn, own, silent), 1000)}</desc>'
        f'<svg class="pane" {size} {box}>{"".join(world)}</svg>'
        f'<g class="edges"><path class="neat" d="M.5.5H{number(frame.width - 0.5)}V{number(frame.height - 0.5)}H.5z"/>'
        f"{grid_labels(frame, room.is_free)}{edges}{said}</g></svg>"
    )


def _frame(drawn: Drawn, fences_of: FencesOf, width: float, height: float) -> Frame:
    """The frame around the voyage, and around ships met and highly watched places by its silences, if they are near."""
    lat, lon = _places(drawn.tracks)
    others = [
        *((mark.lat, mark.lon) for mark in drawn.marks if has_place(mark)),
        *((stay.lat, stay.lon) for stay in calls_of(drawn)),
        *(
            place
            for silence in drawn.silences
            if silence.start_us <= drawn.end_us and (silence.end_us is None or silence.end_us >= drawn.start_us)
            for place in ((silence.start_lat, silence.start_lon), (silence.end_lat, silence.end_lon))
        ),
    ]
    if not len(lat) and drawn.line is not None:
        at = shapely.get_coordinates(drawn.line)
        lat, lon = at[:, 1], at[:, 0]
    rest = np.array(others, np.float64).reshape(-1, 2)
    lat, lon = np.concatenate([lat, rest[:, 0]]), np.concatenate([lon, rest[:, 1]])
    frame = frame_of(lat, lon, width=width, height=height)
    for more_lat, more_lon in (_places(drawn.met), _within_reach(drawn, fences_of, frame)):
        lats, lons = np.append(lat, more_lat), np.append(lon, more_lon)
        wider = frame_of(lats, lons, width=width, height=height)
        if wider.px_per_deg * MORE_COSTS >= frame.px_per_deg or not np.isfinite(lat).any():
            lat, lon, frame = lats, lons, wider
    return frame


def _within_reach(drawn: Drawn, fences_of: FencesOf, frame: Frame) -> tuple[FloatArray, FloatArray]:
    """Corners of the highly watched places near the ends of a silence: where the ship may have been unheard."""
    ends = np.array(
        [
            place
            for silence in drawn.silences
            if silence.start_us <= drawn.end_us and (silence.end_us is None or silence.end_us >= drawn.start_us)
            for place in ((silence.start_lat, silence.start_lon), (silence.end_lat, silence.end_lon))
            if None not in place
        ],
        np.float64,
    ).reshape(-1, 2)
    area = frame.grown(AROUND)
    watched = [f for f in fences_of(area.west, area.south, area.east, area.north) if f.watch == WATCHED[0]]
    if not len(ends) or not watched:
        return np.empty(0), np.empty(0)
    bounds = shapely.bounds([fence.shape for fence in watched]).reshape(-1, 2, 2)
    middle = bounds.mean(axis=1)
    off = distance_nmi(ends[:, None, 0], ends[:, None, 1], middle[None, :, 1], middle[None, :, 0])
    corners = bounds[(off <= REACH_NMI).any(axis=0)].reshape(-1, 2)
    return corners[:, 1], corners[:, 0]


def _places(tracks: Sequence[TrackPoints]) -> tuple[FloatArray, FloatArray]:
    if not tracks:
        return np.empty(0), np.empty(0)
    return np.concatenate([track.lat for track in tracks]), np.concatenate([track.lon for track in tracks])


def _busy(drawn: Drawn, own: Sequence[Track], marks: Sequence[Pin], frame: Frame) -> FloatArray:
    """Pixels that keys and scale should leave free. Shape (n, 2)."""
    symbols = [(pin.x, pin.y - PLATE_PX / 2.0) for pin in marks]
    symbols += [(float(track.x[i]), float(track.y[i])) for track in own for i in (0, -1)]
    calls = calls_of(drawn)
    called = np.column_stack(frame.xy([stay.lat for stay in calls], [stay.lon for stay in calls]))
    weighty = np.concatenate([np.array(symbols, np.float64).reshape(-1, 2), called])
    return np.concatenate([*(np.column_stack([track.x, track.y]) for track in own), *[weighty] * MARK_WEIGHT])


def _group(name: str, parts: Iterable[str]) -> str:
    content = "".join(parts)
    return f'<g class="{name}">{content}</g>' if content else ""


def _sea(frame: Frame) -> str:
    """Water as far as a chart may be moved, and farther."""
    wide, high = number(3 * frame.width), number(3 * frame.height)
    return f'<path class="sea" d="M{number(-frame.width)} {number(-frame.height)}h{wide}v{high}h-{wide}z"/>'


def _nothing(frame: Frame) -> str:
    """What the chart says of a voyage of which it has no place."""
    middle = f"translate({number(frame.width / 2.0)} {number(frame.height / 2.0)})"
    text = "no position of this voyage is kept in this run"
    return f'<g transform="{middle}"><text class="f nothing" text-anchor="middle">{text}</text></g>'


def _in_words(drawn: Drawn, own: Sequence[Track], silent: Sequence[Unheard]) -> str:
    """The chart for who cannot see it."""
    n = sum(len(track.x) for track in own)
    calls = list(dict.fromkeys(stay.zone_name for stay in calls_of(drawn)))
    quiet = [one.hours for one in silent if not one.is_pause]
    placed = [mark.number for mark in drawn.marks if has_place(mark)]
    parts = [f"From {minute_text(drawn.start_us)} to {minute_text(drawn.end_us)} UTC"]
    parts.append(f"{n} positions drawn" if n else "no positions kept" if drawn.line is None else "a simplified line")
    if quiet:
        parts.append(f"not heard for 4 hours or more: {len(quiet)} times, the longest {max(quiet):.0f} h")
    if calls:
        parts.append(f"port visits: {', '.join(calls[:8])}")
    if placed:
        parts.append(f"findings marked: {numbers_text(placed)}")
    if len(placed) < len(drawn.marks):
        parts.append(f"findings without a place: {len(drawn.marks) - len(placed)}")
    return "; ".join(parts) + "."
