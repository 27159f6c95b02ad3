"""The sheet a time line is drawn on: shapes gathered by class, so that a picture is a handful of elements.

Takes shapes in pixels and text from anywhere; gives SVG in which all text is safe and escaped. What is drawn where is
left to the lanes.
"""

from collections.abc import Iterable, Mapping, Sequence
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
            self._texts.setdefault(name, []).append(f'<text x="{num(x)}" y="{num(y)}">{escape(line)}</text>')

    def markup(self) -> str:
        """All that was drawn, from the lowest layer up, text last."""
        shapes = []
        for name, paths in self._paths.items():
            if paths:
                shapes.append(f'<path{self._kind(name)} d="{"".join(paths)}"/>')
            if name in self._tipped:
                shapes.append(f"<g{self._kind(name)}>{''.join(self._tipped[name])}</g>")
        texts = (f'<g class="{name}">{"".join(texts)}</g>' for name, texts in self._texts.items())
        return f'<g fill="none">{"".join(shapes)}</g>{"".join(texts)}'

    def _kind(self, name: str) -> str:
        fill = self._fills.get(name)
        return f' class="{name}"' if fill is None else f' class="{name}" fill="{fill}"'


def num(value: float) -> str:
    """A number of pixels, to a tenth.

    >>> num(12.04), num(3.96), num(-0.04)
    ('12', '4', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def box(left: float, top: float, right: float, bottom: float) -> str:
    """A rectangle."""
    return f"M{num(left)} {num(top)}H{num(right)}V{num(bottom)}H{num(left)}z"


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    if y1 == y2:
        return f"M{num(x1)} {num(y1)}H{num(x2)}"
    return f"M{num(x1)} {num(y1)}V{num(y2)}" if x1 == x2 else f"M{num(x1)} {num(y1)}L{num(x2)} {num(y2)}"


def line(points: Iterable[tuple[float, float]]) -> str:
    """A line through points."""
    return "M" + "L".join(f"{num(x)} {num(y)}" for x, y in points)


def dot(x: float, y: float) -> str:
    """A point, which its class makes a dot by the width and the round ends of its stroke."""
    return f"M{num(x)} {num(y)}h.01"


def arrow(x: float, y: float, way: int, size: float = 4.0) -> str:
    """A small triangle with its tip at (x, y) pointing left (-1) or right (1)."""
    back = num(x - way * size)
    return f"M{num(x)} {num(y)}L{back} {num(y - size)}V{num(y + size)}z"
