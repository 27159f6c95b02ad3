"""Fences of a chart as lines: their outlines, and what each says of itself.

Takes fences and a plane; gives path data. How strongly a fence is watched is told by its line, not by colour alone.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from detectors.report.drawn import Fence
from detectors.report.projection import Frame
from detectors.report.svg_paths import Line, path_data, words

WATCHED: Final = ("high", "elevated")
"""Levels of watch, the highest first."""
LEAST_PX: Final = 1.5
"""Unwatched fences smaller than this are not drawn."""


def watch_text(watch: str | None) -> str:
    """How a place is watched, as it follows its name."""
    return f" · {watch} watch" if watch else ""


def fence_paths(
    fences: Sequence[Fence], frame: Frame, window: Frame, tolerance_px: float, *, whole: bool = False
) -> list[str]:
    """Path data of each fence in the pixels of a frame, as far as a window reaches; empty where nothing is left.

    `whole` rounds to whole pixels.
    """
    if not fences:
        return []
    shapes = shapely.clip_by_rect(
        np.array([fence.shape for fence in fences], dtype=object), window.west, window.south, window.east, window.north
    )
    outlines = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    seen = shapely.transform(outlines, lambda at: np.column_stack([frame.x(at[:, 0]), frame.y(at[:, 1])]))
    parts, owner = shapely.get_parts(shapely.simplify(seen, tolerance_px), return_index=True)
    at, part = shapely.get_coordinates(parts, return_index=True)
    at = np.rint(at) if whole else at
    ends = np.searchsorted(part, np.arange(len(parts)), side="right").tolist()
    lines: list[list[Line]] = [[] for _ in fences]
    for i, (first, end) in enumerate(pairwise([0, *ends])):
        lines[owner[i]].append((at[first:end, 0], at[first:end, 1]))
    return [path_data(own, dots=fence.watch is not None) for fence, own in zip(fences, lines, strict=True)]


def drawn_fence(fence: Fence, data: str, ident: str = "") -> str:
    """A fence as an element, which says its name and watch when pointed at."""
    watch = f"watch-{fence.watch}" if fence.watch in WATCHED else "unwatched"
    country = f", {fence.country}" if fence.country else ""
    title = words(f"{fence.name}: {fence.kind.replace('_', ' ')}{country}{watch_text(fence.watch)}")
    named = f' id="{ident}" vector-effect="non-scaling-stroke"' if ident else ""
    return f'<path{named} class="fence {watch}" d="{data}"><title>{title}</title></path>'


def worth_drawing(fences: Sequence[Fence], frame: Frame) -> list[Fence]:
    """Watched fences, and others that can be seen at this scale."""
    if not fences:
        return []
    bounds = shapely.bounds([fence.shape for fence in fences])
    size = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) * frame.px_per_deg
    return [
        fence
        for fence, px in zip(fences, size.tolist(), strict=True)
        if px >= LEAST_PX or (fence.watch is not None and px >= 0.0)  # an empty one has no size at all
    ]
