"""The voyage itself on a chart: its track, silences, stays, the ships it met, its direction and its ends.

Takes lines in pixels and the room there is for names; gives SVG elements of classes, each with a tip that says what it
is. Which colours classes have is left to static/map.css.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import numpy as np
import shapely

from detectors.report.drawn import Drawn, Stay
from detectors.report.map_edges import day_text, minute_text
from detectors.report.map_fences import WATCHED, watch_text
from detectors.report.map_names import Room, place_lines
from detectors.report.map_tracks import UNKNOWN, Track, Unheard, arrows, open_silence, sailed, unbroken
from detectors.report.projection import Frame
from detectors.report.svg_paths import Line, number, path_data, words
from vessels.ais import mmsi_text

SILENCES_NAMED: Final = 5
SILENCES_TOLD: Final = 12
"""Silences that are elements of their own, with what the run says of them; the shorter ones beyond are one path."""
STAYS_TOLD: Final = 4
LEAST_SHOWN_PX: Final = 0.5
"""What is shorter than this, as between two reports of a ship at her berth, is told by the time line alone."""
LEAST_NAMED_PX: Final = 24.0
"""Shorter silences bear no label."""


def calls_of(drawn: Drawn) -> list[Stay]:
    """Stays that touch the voyage's time and have a place."""
    return [
        stay
        for stay in drawn.stays
        if stay.start_us <= drawn.end_us
        and (stay.end_us is None or stay.end_us >= drawn.start_us)
        and bool(np.isfinite([stay.lat, stay.lon]).all())
    ]


def sailed_paths(lines: dict[tuple[int, int], list[Line]]) -> Iterable[str]:
    """The track, a path for each class of speed and time."""
    for (speed, when), parts in sorted(lines.items()):
        name = "su" if speed == UNKNOWN else f"s{speed}"
        yield f'<path class="{name} t{when}" d="{path_data(parts, dots=True)}"/>'


def told_line(drawn: Drawn, own: Sequence[Track], frame: Frame) -> Iterable[str]:
    """The simplified line of a voyage whose reports the run does not hold."""
    if own or drawn.line is None or drawn.line.is_empty:
        return
    lines: list[Line] = []
    for part in shapely.get_parts(drawn.line):
        at = shapely.get_coordinates(part)
        x, y = frame.xy(at[:, 1], at[:, 0])
        known = np.isfinite(x) & np.isfinite(y)
        lines += unbroken(x[known], y[known], frame)
    tip = "Simplified line of the voyage, as it was told before; where along it the ship was heard is not kept"
    yield f'<path class="told" d="{path_data(lines, dots=True)}">{_tip(tip)}</path>'


def met_tracks(met: Sequence[Track], frame: Frame, room: Room) -> Iterable[str]:
    """Ships of which a finding speaks: thin lines, and the MMSI of each."""
    named: set[int] = set()
    for track in met:
        lines = list(chain.from_iterable(sailed([track], frame).values()))
        name = f"MMSI {mmsi_text(track.mmsi)}"
        tip = _tip(f"{name}, of which a finding speaks")
        yield f'<path d="{path_data(lines, dots=True)}">{tip}</path>'
        if track.mmsi not in named:
            named.add(track.mmsi)
            middle = len(track.x) // 2
            yield room.label(float(track.x[middle]), float(track.y[middle]), (name,))


def silences(silent: Sequence[Unheard], room: Room) -> Iterable[str]:
    """Silences and pauses as dashes between where the ship was heard; the longest with their length."""
    wide = [one for one in silent if one.length_px >= LEAST_SHOWN_PX]
    pauses = [_straight(one) for one in wide if one.is_pause]
    longest = sorted((one for one in wide if not one.is_pause), key=lambda one: -one.hours)
    rest = [_straight(one) for one in longest[SILENCES_TOLD:]]
    if pauses:
        yield f'<path class="pause" d="{path_data(pauses)}">{_tip("reports drawn one to four hours apart")}</path>'
    if rest:
        yield f'<path class="silence" d="{path_data(rest)}">{_tip("not heard")}</path>'
    for one in longest[:SILENCES_TOLD]:
        said, heard = f"not heard for about {one.hours:,.0f} h", ""
        if one.silence is not None:
            said = f"{one.silence.text}; from {minute_text(one.silence.start_us)} UTC"
            heard = " while-heard" if one.silence.reception == "heard" else ""
        yield f'<path class="silence{heard}" d="{path_data([_straight(one)], dots=True)}">{_tip(said)}</path>'
    for one in longest[:SILENCES_NAMED]:
        if one.length_px > LEAST_NAMED_PX:
            text = f"not heard {_hours(one.hours)}"
            yield room.label(sum(one.x) / 2.0, sum(one.y) / 2.0, (text,))


def arrow_heads(own: Sequence[Track], frame: Frame) -> Iterable[str]:
    """Which way the ship went."""
    for arrow in arrows(own, frame):
        place = f"translate({number(arrow.x)} {number(arrow.y)})rotate({arrow.turn_deg:.0f})"
        yield f'<g transform="{place}"><path d="M-3-4L5 0-3 4-1 0z"/></g>'


def stays(drawn: Drawn, frame: Frame, room: Room) -> Iterable[str]:
    """Port visits of the voyage's time, one square a place."""
    at: dict[str, list[Stay]] = {}
    for stay in calls_of(drawn):
        at.setdefault(stay.zone_id, []).append(stay)
    for there in at.values():
        room.take_symbol(*(float(one) for one in frame.xy(there[0].lat, there[0].lon)))
    for there in at.values():
        first = there[0]
        x, y = (float(one) for one in frame.xy(first.lat, first.lon))
        times = "; ".join(
            f"{minute_text(stay.start_us)} to {minute_text(stay.end_us) if stay.end_us is not None else 'now'} UTC"
            f" (confidence {stay.confidence} of 4)"
            for stay in there[:STAYS_TOLD]
        )
        more = f"; and {len(there) - STAYS_TOLD} more" if len(there) > STAYS_TOLD else ""
        tip = _tip(f"Port visit: {first.zone_name}{watch_text(first.watch)}: {times}{more}")
        yield _at(x, y, f'<path d="M-4.5-4.5h9v9h-9z">{tip}</path>')
        kind = first.watch or "" if first.watch in WATCHED else ""
        yield room.label(x, y, place_lines(first.zone_name, first.watch), kind, bold=True, far=True)


def ends(drawn: Drawn, own: Sequence[Track], room: Room) -> Iterable[str]:
    """Where the drawn track begins, and where the ship was last heard on it."""
    if not own:
        return
    last = max(own, key=lambda track: int(track.time_us[-1]))
    begin = float(own[0].x[0]), float(own[0].y[0]), int(own[0].time_us[0])
    end = float(last.x[-1]), float(last.y[-1]), int(last.time_us[-1])
    lasting = open_silence(drawn)
    room.take_symbol(*begin[:2])
    room.take_symbol(*end[:2])
    for (x, y, us), name, shape, text in (
        (begin, "begin", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "start"),
        (end, "end", "M-4.5-4.5L4.5 4.5M4.5-4.5L-4.5 4.5", "end" if lasting is None else "last heard"),
    ):
        tip = f"{text} of the track, {minute_text(us)} UTC" if lasting is None or name == "begin" else lasting.text
        yield _at(x, y, f'<path class="{name}" d="{shape}">{_tip(tip)}</path>')
        yield room.label(x, y, (f"{text} {day_text(us)}",), away=8.0, bold=True, far=True)


def _tip(text: str) -> str:
    return f"<title>{words(text, 300)}</title>"


def _at(x: float, y: float, content: str) -> str:
    return f'<g transform="translate({number(x)} {number(y)})">{content}</g>'


def _straight(one: Unheard) -> Line:
    return np.array(one.x), np.array(one.y)


def _hours(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72.0 else f"{hours / 24.0:.0f} days"
