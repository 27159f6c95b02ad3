"""The sheet a time line is drawn on: shapes gathered by class, so that a picture is a handful of elements.

Takes shapes in pixels and text from anywhere; gives SVG in which all text is safe and escaped. What is drawn where is
left to the lanes.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from markupsafe import escape

from detectors.report.lettering import fitted
from detectors.shown import shown

LONGEST_TIP: Final = 160
"""Characters of the text that appears over a shape."""


class Sheet:
    """Shapes and text of a picture. Classes named first in `layers` lie below; other classes lie above, as they come.

    `fills` gives classes a fill that a style sheet cannot: a pattern of this picture.
    """

    def __init__(self, layers: Sequence[str], fills: Mapping[str, str]) -> None:
        self._fills = fills
        self._paths: dict[str, list[str]] = {name: [] for name in layers}
        self._tipped: dict[str, list[str]] = {}
        self._texts: dict[str, list[str]] = {}

    def draw(self, name: str, path: str, tip: str = "") -> None:
        """Add a shape to a class; one with a `tip` stays an element of its own and says it when pointed at."""
        if not path:
            return
        self._paths.setdefault(name, [])
        if tip:
            title = f"<title>{escape(shown(tip, LONGEST_TIP))}</title>"
            self._tipped.setdefault(name, []).append(f'<path d="{path}">{title}</path>')
        else:
            self._paths[name].append(path)

    def write(self, name: str, x: float, y: float, text: str, room_px: float = 10_000.0) -> None:
        """Add text, cut to the room; its left edge at `x`, unless its class says otherwise."""
        line = fitted(text, room_px)
        if line:
            self._texts.setdefault(name, []).append(f'<text x="{round(x)}" y="{round(y)}">{escape(line)}</text>')

    def has(self, name: str) -> bool:
        """Whether anything of a class was drawn."""
        return bool(self._paths.get(name) or self._tipped.get(name))

    def markup(self) -> str:
        """All that was drawn, from the lowest layer up, text last; shapes on the middles of pixels, to be sharp."""
        shapes = []
        for name, paths in self._paths.items():
            if paths:
                shapes.append(f'<path{self._kind(name)} d="{"".join(paths)}"/>')
            if name in self._tipped:
                shapes.append(f"<g{self._kind(name)}>{''.join(self._tipped[name])}</g>")
        texts = (f'<g class="{name}">{"".join(texts)}</g>' for name, texts in self._texts.items())
        return f'<g fill="none" transform="translate(.5 .5)">{"".join(shapes)}</g>{"".join(texts)}'

    def _kind(self, name: str) -> str:
        fill = self._fills.get(name)
        return f' class="{name}"' if fill is None else f' class="{name}" fill="{fill}"'


def num(value: float) -> str:
    """A number of pixels, to a tenth.

    >>> num(12.04), num(3.96), num(-0.04), num(-0.5)
    ('12', '4', '0', '-.5')
    """
    text = f"{value:.1f}".removesuffix(".0")
    if text.startswith(("0.", "-0.")):
        text = text.replace("0.", ".", 1)
    return "0" if text in {"-0", ""} else text


def box(left: float, top: float, right: float, bottom: float) -> str:
    """A rectangle, on whole pixels."""
    x, y = round(left), round(top)
    wide, high = round(right) - x, round(bottom) - y
    return f"M{x} {y}h{wide}v{high}h{-wide}z"


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line across or down, on whole pixels."""
    x, y = round(x1), round(y1)
    across, down = round(x2) - x, round(y2) - y
    return f"M{x} {y}v{down}" if across == 0 and down else f"M{x} {y}h{across or 0.5:g}"


def line(points: Sequence[tuple[float, float]]) -> str:
    """A line through points, each to a tenth of a pixel."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in points]
    steps = [f"M{num(tenths[0][0] / 10)} {num(tenths[0][1] / 10)}l"]
    for (x1, y1), (x2, y2) in pairwise(tenths):
        for step in (x2 - x1, y2 - y1):
            text = num(step / 10)
            steps.append(text if text[0] == "-" or steps[-1][-1] == "l" else f" {text}")
    return "".join(steps)


def dot(x: float, y: float) -> str:
    """A point, which its class makes a dot by the width and the round ends of its stroke."""
    return f"M{num(x)} {num(y)}h.01"


def arrow(x: float, y: float, way: int, size: int = 4) -> str:
    """A small triangle with its tip at (x, y) pointing left (-1) or right (1)."""
    return f"M{round(x)} {round(y)}l{-way * size} {-size}v{2 * size}z"
