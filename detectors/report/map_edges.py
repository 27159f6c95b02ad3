"""What stands at the edges of a chart: its grid's degrees, the scale in nautical miles, and the keys of its colours.

Takes a frame, what room there is, and the times of the track; gives SVG that stays in place when the chart is moved.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from detectors.report.lettering import width_px
from detectors.report.map_tracks import N_CLASSES, SPEED_CLASSES_KN
from detectors.report.projection import Frame, degrees_text, grid_step, multiples, round_size
from detectors.report.svg_paths import FloatArray, number, words
from vessels.instants import instant_of

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""
Take = Callable[[Box], None]
Corner = tuple[int, int]
"""Right or left, lower or upper."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SWATCH_PX: Final = 26.0
KEY_WIDTH: Final = 6 * SWATCH_PX + 16.0
KEY_HEIGHT: Final = 48.0
UNKNOWN_HEIGHT: Final = 18.0
SCALE_PX: Final = 120.0
SCALE_HEIGHT: Final = 30.0
SCREENS: Final = (1.0, 2.0)
"""How large keys are drawn on the chart: on a large screen, and on a phone."""
INSET_PX: Final = 8.0
CORNERS: Final = ((1, 1), (0, 1), (1, 0), (0, 0))
"""The first that hides least is taken."""
LOWER: Final = ((0, 1), (1, 1))


def grid_lines(frame: Frame, area: Frame) -> str:
    """Meridians and parallels of an area."""
    step = grid_step(frame)
    left, right = number(float(frame.x(area.west))), number(float(frame.x(area.east)))
    top, bottom = number(float(frame.y(area.north))), number(float(frame.y(area.south)))
    meridians = [f"M{number(x)} {top}V{bottom}" for x in frame.x(multiples(step, area.west, area.east))]
    parallels = [f"M{left} {number(y)}H{right}" for y in frame.y(multiples(step, area.south, area.north))]
    return f'<path class="grid" d="{"".join((*meridians, *parallels))}"/>'


def grid_labels(frame: Frame, is_free: Callable[[Box], bool]) -> str:
    """Degrees along the lower and the left edge, where there is room for them."""
    step = grid_step(frame)
    meridians, parallels = [], []
    for lon in multiples(step, frame.west, frame.east).tolist():
        x, text = float(frame.x(lon)), degrees_text(lon, "EW")
        half = width_px(text) / 2.0
        if is_free((x - half, frame.height - 16.0, x + half, frame.height - 2.5)):
            at = f"translate({number(x)} {number(frame.height)})"
            meridians.append(f'<g transform="{at}"><text y="-5">{text}</text></g>')
    for lat in multiples(step, frame.south, frame.north).tolist():
        y, text = float(frame.y(lat)), degrees_text(lat, "NS")
        if is_free((2.5, y - 8.0, 5.0 + width_px(text), y + 6.0)):
            parallels.append(f'<g transform="translate(0 {number(y)})"><text x="5" y="4">{text}</text></g>')
    return f'<g class="grid-degrees"><g text-anchor="middle">{"".join(meridians)}</g>{"".join(parallels)}</g>'


def keys_and_scale(frame: Frame, bounds_us: FloatArray, take: Take, *, has_unknown: bool, avoid: FloatArray) -> str:
    """The keys of speed and of time and the scale, each in the corner in which it hides least of the places to avoid.

    `avoid` holds pixels, shape (n, 2); `bounds_us` the seven bounds of the classes of time.
    """
    height = KEY_HEIGHT + (UNKNOWN_HEIGHT if has_unknown else 0.0)
    key, scale = _corners(frame, height, avoid)
    size = round_size((SCALE_PX - 16.0) * frame.nmi_per_px)
    # The bar is as long as the chart makes it; all else may be drawn larger on a small screen.
    side = -1 if scale[0] else 1
    bar = f"M{number(8 * side)}-12v5h{number(side * size / frame.nmi_per_px)}v-5"
    distance = _text(8, 15, f"{size:,g} nmi") if side > 0 else _text(SCALE_PX - 8, 15, f"{size:,g} nmi", "end")
    return "".join(
        (
            _plate("keys", frame, key, KEY_WIDTH, height, _keys(bounds_us, has_unknown), "", take),
            _plate("scale", frame, scale, SCALE_PX, SCALE_HEIGHT, distance, f'<path class="bar" d="{bar}"/>', take),
        )
    )


def _plate(
    name: str,
    frame: Frame,
    corner: tuple[int, int],
    wide: float,
    high: float,
    content: str,
    fixed: str,
    take: Take,
) -> str:
    """A plate in a corner of the chart; what is `fixed` is placed from that corner, and is never drawn larger."""
    x = frame.width - INSET_PX if corner[0] else INSET_PX
    y = frame.height - INSET_PX if corner[1] else INSET_PX
    left, top = (-wide if corner[0] else 0.0), (-high if corner[1] else 0.0)
    take((x + left - 3.0, y + top - 3.0, x + left + wide + 3.0, y + top + high + 3.0))
    return (
        f'<g class="{name}" transform="translate({number(x)} {number(y)})"><g class="f">'
        f'<g transform="translate({number(left)} {number(top)})">'
        f'<rect class="plate" width="{number(wide)}" height="{number(high)}" rx="3"/>{content}</g></g>{fixed}</g>'
    )


def day_text(us: int) -> str:
    """The day of an instant, as on the edge of a chart.

    >>> day_text(1_740_787_200_000_000)
    '1 Mar'
    """
    day = instant_of(us)
    return f"{day.day} {MONTHS[day.month - 1]}"


def minute_text(us: int) -> str:
    """An instant to the minute, UTC.

    >>> minute_text(1_740_787_200_000_000)
    '2025-03-01 00:00'
    """
    return f"{instant_of(us):%Y-%m-%d %H:%M}"


def _keys(bounds_us: FloatArray, has_unknown: bool) -> str:
    """One ramp of colours, and what it means for speed and for time, of which one is shown."""
    ramp = "".join(
        f'<path class="s{i}" d="M{number(8 + i * SWATCH_PX)} 24h{number(SWATCH_PX)}"/>' for i in range(N_CLASSES)
    )
    speed = [_text(8, 14, "speed over ground, kn")]
    ticks = (_text(8 + (i + 1) * SWATCH_PX, 42, f"{kn:g}") for i, kn in enumerate(SPEED_CLASSES_KN))
    speed.append(f'<g text-anchor="middle">{"".join(ticks)}</g>')
    if has_unknown:
        speed.append(f'<path class="su" d="M8 54h26"/>{_text(40, 58, "no speed sent")}')
    first, last = int(bounds_us[0]), int(bounds_us[-1])
    time = [_text(8, 14, "time, UTC"), _text(8, 42, _tick(first, last, first))]
    time.append(_text(KEY_WIDTH - 8, 42, _tick(first, last, last), "end"))
    return f'{ramp}<g class="key-speed">{"".join(speed)}</g><g class="key-time">{"".join(time)}</g>'


def _tick(first: int, last: int, at: int) -> str:
    """The day, and for tracks of a day or two the time of day."""
    return minute_text(at)[5:] if last - first < 2 * 86_400_000_000 else day_text(at)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{number(x)}" y="{number(y)}"{aligned}>{words(text)}</text>'


def _corners(frame: Frame, key_height: float, avoid: FloatArray) -> tuple[Corner, Corner]:
    """Corners of keys and scale that hide the fewest places, also when drawn larger on a small screen."""

    def hidden(corner: Corner, wide: float, high: float) -> int:
        x = frame.width - avoid[:, 0] if corner[0] else avoid[:, 0]
        y = frame.height - avoid[:, 1] if corner[1] else avoid[:, 1]
        return sum(
            int(np.count_nonzero((x < size * wide + 2.0 * INSET_PX) & (y < size * high + 2.0 * INSET_PX)))
            for size in SCREENS
        )

    pairs = [(key, scale) for key in CORNERS for scale in LOWER if key != scale]
    return min(
        pairs,
        key=lambda pair: hidden(pair[0], KEY_WIDTH, key_height) + hidden(pair[1], SCALE_PX, SCALE_HEIGHT),
    )
