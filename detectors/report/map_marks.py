"""Numbered marks of findings on a chart.

Takes marks and a frame; gives pins, each for all findings of one place, so that a thousand of them stay legible.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.report.drawn import Mark
from detectors.report.lettering import width_px
from detectors.report.projection import Frame
from detectors.report.svg_paths import FloatArray, number, words

MOST_PINS: Final = 36
"""More would hide the chart: then marks that lie near each other are drawn as one."""
PIN_PX: Final = 22.0
"""Marks nearer to each other than this stand at one pin, which is as high."""
WIDER: Final = 1.5
LONGEST_NUMBERS: Final = 11
"""Letters on a pin."""
PLATE_PX: Final = 17.0
TIP_PX: Final = 6.0
HEADLINES_SHOWN: Final = 48
"""In the tips of all pins together; each has room for at least two."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Findings at one place: that of the first of them, in pixels."""

    x: float
    y: float
    marks: tuple[Mark, ...]

    @property
    def label(self) -> str:
        """Their numbers, shortened to what a pin can bear."""
        return numbers_text([mark.number for mark in self.marks])

    @property
    def half_px(self) -> float:
        """Half the width of its plate."""
        return max(PLATE_PX, width_px(self.label, 12.0) + 9.0) / 2.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """What it covers: left, top, right and bottom."""
        return self.x - self.half_px, self.y - PLATE_PX - TIP_PX, self.x + self.half_px, self.y + 4.0


def pins(marks: Iterable[Mark], frame: Frame) -> list[Pin]:
    """Pins for the marks that have a place, by the first number of each."""
    placed = [mark for mark in marks if has_place(mark)]
    if not placed:
        return []
    x, y = frame.xy([mark.lat or 0.0 for mark in placed], [mark.lon or 0.0 for mark in placed])
    reach = PIN_PX
    while True:
        first, member = _gathered(x, y, reach)
        if len(member) == len(placed):
            break
        reach *= WIDER
    groups: list[list[Mark]] = [[] for _ in first]
    for mark, group in zip(placed, member, strict=True):
        groups[group].append(mark)
    return [Pin(float(x[i]), float(y[i]), tuple(group)) for i, group in zip(first, groups, strict=True)]


def drawn_pin(pin: Pin, anchor: str, n_pins: int) -> str:
    """A numbered plate, one of so many, that points at its findings' place; with an anchor, a link to the first."""
    half = pin.half_px
    high = number(PLATE_PX - 8.0)
    shape = (
        f"M0 0l-4-{number(TIP_PX)}H{number(4.0 - half)}q-4 0-4-4v-{high}q0-4 4-4h{number(2.0 * half - 8.0)}"
        f"q4 0 4 4v{high}q0 4-4 4H4z"
    )
    shown = pin.marks[: max(HEADLINES_SHOWN // n_pins, 2)]
    lines = [words(f"Finding {mark.number}: {mark.headline}", 160) for mark in shown]
    if len(pin.marks) > len(shown):
        lines.append(f"and {len(pin.marks) - len(shown)} more findings here")
    drawn = (
        f'<g class="mark" data-n="{pin.marks[0].number}" transform="translate({number(pin.x)} {number(pin.y)})">'
        f"<title>{chr(10).join(lines)}</title>"
        f'<g class="s"><path d="{shape}"/><text y="-10" text-anchor="middle">{pin.label}</text></g></g>'
    )
    return f'<a href="#{words(anchor)}{pin.marks[0].number}">{drawn}</a>' if anchor else drawn


def has_place(mark: Mark) -> bool:
    """Whether a finding has a place at all."""
    return (
        mark.lat is not None
        and mark.lon is not None
        and bool(np.isfinite(mark.lat) and np.isfinite(mark.lon))
        and abs(mark.lat) <= 90.0
    )


def numbers_text(numbers: Sequence[int]) -> str:
    """Numbers as people write them, runs as such; of too many, the first and how many more.

    >>> numbers_text([1, 2, 3, 7]), numbers_text([4, 6, 8, 10, 12, 14])
    ('1–3, 7', '4, 6, 8 +3')
    """
    runs: list[list[int]] = []
    for value in sorted(numbers):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    texts = [f"{a}–{b}" if b > a + 1 else f"{a}, {b}" if b > a else f"{a}" for a, b in runs]
    whole = ", ".join(texts)
    if len(whole) <= LONGEST_NUMBERS:
        return whole
    kept, n_kept = "", 0
    for text, (a, b) in zip(texts, runs, strict=True):
        longer = f"{kept}, {text}" if kept else text
        if kept and len(longer) > LONGEST_NUMBERS - 4:
            break
        kept, n_kept = longer, n_kept + b - a + 1
    return kept if n_kept == len(numbers) else f"{kept} +{len(numbers) - n_kept}"


def _gathered(x: FloatArray, y: FloatArray, reach: float) -> tuple[list[int], list[int]]:
    """Groups of points near to the first of each: these firsts, and the group of each point.

    Gives up, with some points left over, as soon as there are more groups than a chart may bear.
    """
    first: list[int] = []
    member: list[int] = []
    xs, ys = np.empty(MOST_PINS), np.empty(MOST_PINS)
    for i in range(len(x)):
        n = len(first)
        far = np.maximum(np.abs(xs[:n] - x[i]) / 1.4, np.abs(ys[:n] - y[i]))
        near = int(np.argmin(far)) if n else -1
        if n and far[near] < reach:
            member.append(near)
            continue
        if n == MOST_PINS:
            break
        xs[n], ys[n] = x[i], y[i]
        member.append(n)
        first.append(i)
    return first, member
