"""Room for names on a chart: beside what they name, over nothing else, and off the track where that can be.

Takes places and names, the weightiest first; gives labels as SVG. On a chart that can be magnified, names without room
are kept out of sight, for a closer look to show.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import shapely

from detectors.report.drawn import Fence
from detectors.report.lettering import TEXT_PX, width_px
from detectors.report.map_fences import WATCHED, watch_text
from detectors.report.map_tracks import Track
from detectors.report.projection import Frame
from detectors.report.svg_paths import FloatArray, number, words

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""
BOLDER: Final = 1.1
"""How much wider bold letters are."""
CELL_PX: Final = 6.0
"""The track is avoided in squares of this side."""
LINE_PX: Final = 12.0
ASCENT_PX: Final = 9.5
SYMBOL_PX: Final = 5.0
FARTHER_PX: Final = (13.0, 26.0)
"""How far from its place a name that must not be missed may stand."""
LONGEST_NAME: Final = 34
LONGEST_LINE: Final = 22
"""Longer names of watched places stand over their watch, not before it."""
NAMES: Final = 10
"""Unwatched places that are named, those nearest to the track."""
SPARE_NAMES: Final = 8
"""So many more are kept for a closer look."""


class Room:
    """What is taken of a chart, as boxes, and where the track runs."""

    def __init__(self, frame: Frame, own: Sequence[Track], *, keeps_spare: bool) -> None:
        self._width, self._height = frame.width, frame.height
        self._keeps_spare = keeps_spare
        self._taken: list[Box] = []
        self._track = np.zeros((int(frame.height / CELL_PX) + 1, int(frame.width / CELL_PX) + 1), np.bool_)
        for track in own:
            x, y = _filled(track.x, track.y)
            inside = (x >= 0.0) & (y >= 0.0) & (x < frame.width) & (y < frame.height)
            self._track[(y[inside] / CELL_PX).astype(np.int64), (x[inside] / CELL_PX).astype(np.int64)] = True

    def take(self, box: Box) -> None:
        """Nothing is placed over this box any more."""
        self._taken.append(box)

    def take_symbol(self, x: float, y: float) -> None:
        """No other name is placed over the symbol of a place."""
        self.take((x - SYMBOL_PX, y - SYMBOL_PX, x + SYMBOL_PX, y + SYMBOL_PX))

    def is_free(self, box: Box) -> bool:
        """Whether a box lies on the chart and over nothing."""
        left, top, right, bottom = box
        if left < 2.0 or top < 2.0 or right > self._width - 2.0 or bottom > self._height - 2.0:
            return False
        return all(right <= a or left >= c or bottom <= b or top >= d for a, b, c, d in self._taken)

    def label(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        name: str = "",
        *,
        away: float = 7.0,
        bold: bool = False,
        inside: bool = False,
        far: bool = False,
    ) -> str:
        """A label of one or two lines for a place, as SVG; nothing if there is no room and it is not kept as spare.

        `inside` says that it may lie over the place itself, `far` that it may stand a line or two away.
        """
        wide = max(width_px(line) for line in lines) * (BOLDER if bold else 1.0)
        more = (len(lines) - 1) * LINE_PX
        best: tuple[int, str, float, float, Box] | None = None
        for anchor, dx, dy in _beside(away, more, inside=inside, far=far):
            left = x + dx - {"start": 0.0, "middle": wide / 2.0, "end": wide}[anchor]
            box = (left - 1.0, y + dy - ASCENT_PX, left + wide + 1.0, y + dy + more + 3.0)
            if not self.is_free(box):
                continue
            hidden = self._hidden(box)
            if best is None or hidden < best[0]:
                best = (hidden, anchor, dx, dy, box)
            if not hidden:
                break
        if best is None:
            spare = f"{name} spare".strip()
            return _text(x, y, lines, spare, "start", away, TEXT_PX * 0.36) if self._keeps_spare else ""
        _, anchor, dx, dy, box = best
        self.take(box)
        return _text(x, y, lines, name, anchor, dx, dy)

    def _hidden(self, box: Box) -> int:
        """How much of the track a box would hide."""
        left, top, right, bottom = (int(side / CELL_PX) for side in box)
        return int(np.count_nonzero(self._track[top : bottom + 1, left : right + 1]))


def fence_names(
    fences: Sequence[Fence], own: Sequence[Track], frame: Frame, room: Room, named: set[str], *, most: int
) -> str:
    """Names of fences: watched ones, the highest watch first; then others, those nearest to the track.

    `named` are zones that have their names already; `most` is how many unwatched ones are named.
    """
    order = {watch: i for i, watch in enumerate(WATCHED)}
    at = [np.column_stack([track.x, track.y])[:: 1 + len(track.x) // 60] for track in own]
    track = np.concatenate(at) if at else np.array([[frame.width / 2.0, frame.height / 2.0]])
    bounds = shapely.bounds([fence.shape for fence in fences]).reshape(-1, 4)
    # What of each is in sight: a large one is named there.
    left, right = np.clip(frame.x(bounds[:, [0, 2]]), 0.0, frame.width).T
    bottom, top = np.clip(frame.y(bounds[:, [1, 3]]), 0.0, frame.height).T
    xs, ys = (left + right) / 2.0, (top + bottom) / 2.0
    found = []
    for i in np.flatnonzero((right > left) & (bottom > top)).tolist():
        if fences[i].zone_id not in named:
            far = float(np.hypot(track[:, 0] - xs[i], track[:, 1] - ys[i]).min())
            found.append(((order.get(fences[i].watch or "", len(order)), far, fences[i].zone_id), i))
    parts = []
    unwatched = 0
    for (rank, _, _), i in sorted(found):
        unwatched += rank == len(order)
        if unwatched > most:
            break
        wide, high = float(right[i] - left[i]), float(bottom[i] - top[i])
        lines = place_lines(fences[i].name, fences[i].watch)
        fits = wide > 12.0 + max(map(width_px, lines)) and high > 30.0
        away = min(wide, high, 24.0) / 2.0 + 4.0
        kind = fences[i].watch or "" if fences[i].watch in WATCHED else ""
        parts.append(room.label(float(xs[i]), float(ys[i]), lines, kind, away=away, bold=rank == 0, inside=fits))
    return "".join(parts)


def place_lines(name: str, watch: str | None) -> tuple[str, ...]:
    """A place's name and watch as a label bears them; the tip of the place says the name in full.

    >>> place_lines("Dandong (Donggang / Dadong new port)", "elevated")
    ('Dandong · elevated watch',)
    >>> place_lines("Lianyungang outer anchorage", "elevated")
    ('Lianyungang outer anchorage', 'elevated watch')
    """
    bare = name.partition(" (")[0].partition(" / ")[0]
    short = bare if len(bare) <= LONGEST_NAME else bare[: LONGEST_NAME - 1] + "…"
    if watch and len(short) + len(watch) > LONGEST_LINE:
        return short, f"{watch} watch"
    return (f"{short}{watch_text(watch)}",)


def _text(x: float, y: float, lines: Sequence[str], name: str, anchor: str, dx: float, dy: float) -> str:
    place = f'x="{dx:.0f}"'
    rest = "".join(f'<tspan {place} dy="{number(LINE_PX)}">{words(line)}</tspan>' for line in lines[1:])
    named = f' class="{name}"' if name else ""
    aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<g transform="translate({number(x)} {number(y)})">'
        f'<text{named} {place} y="{dy:.0f}"{aligned}>{words(lines[0])}{rest}</text></g>'
    )


def _beside(away: float, more: float, *, inside: bool, far: bool) -> Iterator[tuple[str, float, float]]:
    """Places of a label around a place, the best first: right, left, below, above, the corners, then farther."""
    size = TEXT_PX
    if inside:
        yield "middle", 0.0, size * 0.36 - more / 2.0
        yield "middle", 0.0, size * 0.36 + 22.0
        yield "middle", 0.0, size * 0.36 - 22.0 - more
    yield "start", away, size * 0.36 - more / 2.0
    yield "end", -away, size * 0.36 - more / 2.0
    yield "middle", 0.0, away + size * 0.85
    yield "middle", 0.0, -away - 1.0 - more
    yield "start", away * 0.9, away * 0.9 + size * 0.8
    yield "end", -away * 0.9, away * 0.9 + size * 0.8
    yield "start", away * 0.9, -away * 0.9 - more
    yield "end", -away * 0.9, -away * 0.9 - more
    for off in FARTHER_PX if far else ():
        yield "middle", 0.0, away + size * 0.85 + off
        yield "middle", 0.0, -away - 1.0 - more - off
        yield "start", away + off, size * 0.36 - more / 2.0
        yield "end", -away - off, size * 0.36 - more / 2.0


def _filled(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points along a line, about a cell apart; long ones are left coarser than that."""
    if len(x) < 2:
        return x, y
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    at = np.linspace(0.0, gone[-1], min(int(gone[-1] / CELL_PX) + 2, 2000))
    return np.interp(at, gone, x), np.interp(at, gone, y)
