"""What lies behind a chart: land, from the packaged polygons, and fences.

Takes a frame; gives SVG: drawn in full for a picture that stands alone (`Coast`), or as references to sheets that many
charts of one page share (`SharedCoast`), because neighbouring charts show the same sea. Frames across ±180° show what
is on both sides.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely

from detectors.report.drawn import Fence
from detectors.report.map_fences import drawn_fence, fence_paths, worth_drawing
from detectors.report.projection import Frame, latitudes, stretched_latitudes
from detectors.report.svg_paths import FloatArray, path_data
from vessels.land_file import Polygons, unpack

TURNS: Final = (-720.0, -360.0, 0.0, 360.0, 720.0)
TOLERANCE_PX: Final = 0.6
"""What a simplified coast may be off by: a little more than half a pixel is not seen."""
SPECK_PX: Final = 1.2
"""Islets smaller than this both ways are left out of a picture that stands alone."""
FENCE_TOLERANCE_PX: Final = 0.25
WIDE_DEG: Final = 24.0
"""Frames wider than this are cut from the coarse polygons, which saves four fifths of the work."""
COARSE_DEG: Final = 0.01
"""The coarse polygons may be off by this much: a third of a pixel of the narrowest frame that they serve."""
SHEETS: Final = ((20.0, 6.0, 0.0005), (80.0, 30.0, 0.0025), (np.inf, 90.0, 0.01))
"""Sheets of a shared coast: frames up to so many degrees wide, side of a sheet, and step of its numbers (degrees)."""
FENCE_STEP_DEG: Final = 0.0005
"""Step of the numbers of a shared fence: 55 m."""
WORLD: Final = Frame(0.0, 0.0, 1.0, 1080.0, 400.0)
"""All of Mercator's plane, and a turn more on each side."""
OVERLAP: Final = 0.01
"""Share of its side by which a sheet reaches over its neighbours, so that no seam shows."""
SHEET_TOLERANCE: Final = 3.0
"""What a shared coast may be off by, in steps of its numbers: 170 m, as much as the packaged coast is."""


class Land(Protocol):
    """What draws the land and the fences of a chart."""

    def land(self, frame: Frame, area: Frame) -> str:
        """Land as SVG in the pixels of `frame`, as far as `area` reaches, which is on the same chart."""

    def fences(self, frame: Frame, area: Frame, fences: Sequence[Fence]) -> str:
        """Fences, moved to where the frame has them, likewise."""


class Coast:
    """Land polygons ready to be cut: lon/lat degrees within ±180 and ±90."""

    def __init__(self, polygons: Polygons) -> None:
        self._fine = _Indexed(polygons)
        self._coarse = _Indexed(shapely.simplify(polygons, COARSE_DEG, preserve_topology=False))

    def land(self, frame: Frame, area: Frame) -> str:
        """One path with all land of an area, cut and simplified to what can be seen at its scale."""
        rings: list[tuple[FloatArray, FloatArray]] = []
        for turn in TURNS:
            if area.east - turn < -180.0 or area.west - turn > 180.0:
                continue
            cut = self.cut(area.west - turn, area.south, area.east - turn, area.north)
            rings += _rings(cut, frame, turn, TOLERANCE_PX, SPECK_PX)
        data = path_data(rings)
        return f'<path class="land edged" d="{data}"/>' if data else ""

    def fences(self, frame: Frame, area: Frame, fences: Sequence[Fence]) -> str:
        """Each fence as it can be seen at this scale."""
        seen = worth_drawing(fences, frame)
        paths = fence_paths(seen, frame, area, FENCE_TOLERANCE_PX)
        return "".join(drawn_fence(fence, data) for fence, data in zip(seen, paths, strict=True) if data)

    def cut(self, west: float, south: float, east: float, north: float) -> Polygons:
        """Land within a window (degrees), which may reach past the world's edge but does not come round again."""
        return (self._coarse if east - west > WIDE_DEG else self._fine).cut(west, south, east, north)


class SharedCoast:
    """Land and fences of many charts of one page: each refers to sheets, and `sheets` gives those that were used.

    Sheets have their places on the Mercator plane in whole steps from 0°, 0°, which drawing in single precision keeps
    exactly, so that a chart lays them all with one transform.
    """

    def __init__(self, coast: Coast) -> None:
        self._coast = coast
        self._land: dict[tuple[float, int, int], tuple[str, str]] = {}
        self._fences: dict[str, tuple[str, str]] = {}
        self._n_charts = 0

    def land(self, frame: Frame, area: Frame) -> str:
        """References to the sheets of an area, laid on a frame."""
        side, step = next((side, step) for widest, side, step in SHEETS if frame.east - frame.west <= widest)
        around = round(360.0 / side)
        low, high = (stretched_latitudes([area.south, area.north]) / side).tolist()
        uses = []
        for i in range(int(np.floor(area.west / side)), int(np.floor(area.east / side)) + 1):
            column = (i + around // 2) % around - around // 2
            for row in range(int(np.floor(low)), int(np.floor(high)) + 1):
                name = self._sheet(column, row, side, step)
                if name:
                    uses.append(_use(name, round((i - column) * side / step)))
        if not uses:
            return ""
        self._n_charts += 1
        every = f"shores-{self._n_charts}"
        # Each sheet is edged where it was cut; the land painted over all edges leaves only those at the sea.
        return (
            f'<g transform="{_laid(frame, step)}"><g class="shore"><g id="{every}">{"".join(uses)}</g></g>'
            f'<use class="land" href="#{every}"/></g>'
        )

    def fences(self, frame: Frame, area: Frame, fences: Sequence[Fence]) -> str:  # noqa: ARG002 - as Land has it
        """References to the fences of an area, laid on a frame."""
        uses = []
        for fence in worth_drawing(fences, frame):
            # Its western end tells by how many turns of the world the fence was moved.
            turn = 360.0 * np.floor((float(fence.shape.bounds[0]) + 180.0) / 360.0)
            uses.append(_use(self._fence(fence, turn), round(turn / FENCE_STEP_DEG)))
        return f'<g transform="{_laid(frame, FENCE_STEP_DEG)}">{"".join(uses)}</g>' if uses else ""

    def sheets(self) -> str:
        """The sheets that charts refer to: an element of no size that belongs into the same page, once, not hidden."""
        land = "".join(
            f'<path id="{name}" vector-effect="non-scaling-stroke" d="{data}"/>'
            for name, data in self._land.values()
            if data
        )
        fences = "".join(drawn for _, drawn in self._fences.values())
        return f'<svg class="sheets" width="0" height="0" aria-hidden="true"><defs>{land}{fences}</defs></svg>'

    def _sheet(self, column: int, row: int, side: float, step: float) -> str | None:
        """The name of a sheet; None if there is no land on it."""
        key = (side, column, row)
        if key not in self._land:
            over = side * OVERLAP
            south, north = latitudes([row * side - over, (row + 1) * side + over]).tolist()
            cut = self._coast.cut(column * side - over, south, (column + 1) * side + over, north)
            rings = _rings(cut, _plane(step), 0.0, SHEET_TOLERANCE, 0.0)
            self._land[key] = f"land-{len(self._land)}", path_data([(np.rint(x), np.rint(y)) for x, y in rings])
        name, data = self._land[key]
        return name if data else None

    def _fence(self, fence: Fence, turn: float) -> str:
        """The name of a fence's outline, drawn once whatever turn of the world it was moved by."""
        if fence.zone_id not in self._fences:
            name = f"fence-{len(self._fences)}"
            home = replace(fence, shape=shapely.transform(fence.shape, lambda at: at - [turn, 0.0]))
            data = fence_paths([home], _plane(FENCE_STEP_DEG), WORLD, 1.0, whole=True)[0]
            self._fences[fence.zone_id] = name, drawn_fence(fence, data, name)
        return self._fences[fence.zone_id][0]


class _Indexed:
    """Polygons and the tree they are found by."""

    def __init__(self, polygons: Polygons) -> None:
        self._polygons = polygons
        self._tree = shapely.STRtree(polygons)

    def cut(self, west: float, south: float, east: float, north: float) -> Polygons:
        found = np.sort(self._tree.query(shapely.box(west, south, east, north)))
        cut = shapely.clip_by_rect(self._polygons[found], west, south, east, north)
        some: Polygons = cut[~shapely.is_empty(cut)]
        return some


def _plane(step: float) -> Frame:
    """The plane of sheets: whole steps to the right of, and down from, 0°, 0°."""
    return Frame(0.0, 0.0, 1.0 / step, 0.0, 0.0)


def _laid(frame: Frame, step: float) -> str:
    """The transform that lays the plane of sheets on a frame."""
    scale = f"{frame.px_per_deg * step:.10g}"
    top = frame.stretched * frame.px_per_deg + frame.height / 2.0
    return f"matrix({scale} 0 0 {scale} {float(frame.x(0.0)):.3f} {top:.3f})"


def _use(name: str, x: int) -> str:
    return f'<use href="#{name}" x="{x}"/>' if x else f'<use href="#{name}"/>'


def _rings(
    polygons: npt.NDArray[np.object_], frame: Frame, turn: float, tolerance: float, speck: float
) -> list[tuple[FloatArray, FloatArray]]:
    """Shells and holes of polygons in a frame's pixels, simplified, but for those smaller than a speck both ways."""
    seen = shapely.transform(polygons, lambda at: np.column_stack([frame.x(at[:, 0] + turn), frame.y(at[:, 1])]))
    rings = shapely.get_rings(shapely.get_parts(shapely.simplify(seen, tolerance, preserve_topology=False)))
    if not len(rings):
        return []
    bounds = shapely.bounds(rings)
    rings = rings[np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) >= speck]
    at, ring = shapely.get_coordinates(rings, return_index=True)
    ends = np.flatnonzero(np.diff(ring, append=-1)) + 1
    return [(at[a:b, 0], at[a:b, 1]) for a, b in pairwise([0, *ends])] if len(at) else []


@cache
def packaged_coast() -> Coast:
    """The packaged land, Natural Earth 1:10m (docs/data-sources.md): one for the whole process."""
    with as_file(files("vessels").joinpath("data", "land.parquet")) as path:
        return Coast(unpack(pq.read_table(path)))
