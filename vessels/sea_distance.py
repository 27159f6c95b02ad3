"""How far it is by water: from any position to a zone's fence, and between two positions.

Takes fences and the sea as a graph (`vessels.sea_grid`); gives nautical miles, found once a fence when first asked for
and then looked up for millions of positions. Ways go round land and through straits and channels, whatever their
depth; ice, traffic schemes and frontiers do not count. How ways are found and pulled taut is told in
`vessels.sea_ways`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import shapely
from scipy import spatial
from scipy.sparse import csgraph
from shapely.geometry.base import BaseGeometry

from vessels.geodesy import BLOCK_ROWS
from vessels.geodesy import distance_nmi as great_circle_nmi
from vessels.land import Land, chord_nmi, land, unit_vectors
from vessels.scan_lines import PER_DEGREE
from vessels.sea_grid import Graph, SeaGrid
from vessels.sea_sheets import CELL_NMI, FloatArray, IntArray
from vessels.sea_ways import ASHORE_NMI, Ways, afloat, joined, length_nmi, miles_from, positions, pulled_ways
from vessels.units import MEAN_EARTH_RADIUS_NMI

REACH_NMI: Final = 1500.0
"""A field ends here: five days' sailing at 12 kn. Farther away the distance is infinite."""
_SEED_NMI: Final = 1.5 * CELL_NMI
"""Nodes so near a fence that see it take the straight way to it."""
_BORDER_NMI: Final = 1.0
"""A fence's border is a row of points this far apart."""
_BORDER_POINTS: Final = 4000
_LATTICE_POINTS: Final = 40_000
ROUTED_NMI: Final = 2000.0
"""Ways between two places are sought up to here; a longer one is at least this long."""
_BARELY_NMI: Final = 0.5
_STEPS_OF_SIGHT: Final = 400
_FIRST_TRY: Final = 1.5
"""Ways between two places are sought within so many great-circle distances first, then within twice as many, ..."""


class Fence(Protocol):
    """What a zone must have: an id and a polygon in lon/lat degrees within ±180."""

    @property
    def zone_id(self) -> str:
        """The zone's id."""
        ...

    @property
    def geometry(self) -> BaseGeometry:
        """Polygon or polygons."""
        ...


@dataclass(frozen=True, slots=True)
class _Field:
    """Ways to one fence; the goal's points lie on its border."""

    fence: BaseGeometry
    ways: Ways
    border: "spatial.cKDTree[None]"


class SeaFields:
    """Distances by water to the fences of a run's zones; fields are found when first asked for and kept.

    Safe from several threads. A field costs about a tenth of a second and 2 MB; reading the sea around it, once for all
    fences thereabouts, one or two seconds.
    """

    def __init__(self, zones: Iterable[Fence], land: Land | None = None) -> None:
        self._fences = {zone.zone_id: zone.geometry for zone in zones}
        self._land = land
        self._grid = packaged_sea() if land is None else SeaGrid(land)
        self._fields: dict[str, _Field] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_of_fences, (self._fences, self._land))

    def distance_nmi(self, zone_id: str, lat: npt.ArrayLike, lon: npt.ArrayLike) -> FloatArray:
        """Way by water from positions (degrees) to a zone's fence in nautical miles: 0 inside it, inf out of reach.

        Shape (n,). Out of reach are places beyond 1,500 nmi, water with no way out, land more than 6 nmi from water,
        and what is not a number. KeyError if there is no such zone. Error: docs/decisions/sea-grid.md.
        """
        field = self._field(zone_id)
        lat, lon = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
        shape, lat, lon = lat.shape, lat.ravel(), lon.ravel()
        out = np.full(len(lat), np.inf)
        for first in range(0, len(lat), BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            known = np.flatnonzero(np.isfinite(lat[part]) & np.isfinite(lon[part]))
            out[first + known] = _look_up(self._grid, field, lat[part][known], lon[part][known])
        return out.reshape(shape)

    def between_nmi(
        self, lat1: npt.ArrayLike, lon1: npt.ArrayLike, lat2: npt.ArrayLike, lon2: npt.ArrayLike
    ) -> FloatArray:
        """Way by water between pairs of places (degrees) in nautical miles: at least so far it is.

        Shape (n,). Never below the great circle, and equal to it where open water is seen to lie between, or a place
        lies inland. Other pairs are routed: some hundredths of a second for each different first place. Where there is
        no way within 2,000 nmi, the answer is 2,000 nmi, or the great circle if longer. NaN if a place is none.
        """
        arrays = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (lat1, lon1, lat2, lon2)))
        a_lat, a_lon, b_lat, b_lon = (one.ravel() for one in arrays)
        out = np.full(len(a_lat), np.nan)
        known = np.flatnonzero(np.isfinite(a_lat + a_lon + b_lat + b_lon))
        out[known] = _between(self._grid, a_lat[known], a_lon[known], b_lat[known], b_lon[known])
        return out.reshape(arrays[0].shape)

    def _field(self, zone_id: str) -> _Field:
        field = self._fields.get(zone_id)
        if field is None:
            fence = self._fences[zone_id]
            with self._lock:
                field = self._fields.get(zone_id)
                if field is None:
                    field = self._fields[zone_id] = _make_field(self._grid, fence)
        return field


@cache
def packaged_sea() -> SeaGrid:
    """The sea round the packaged land: one for the whole process, because it is the same for everybody."""
    return SeaGrid(land())


def _of_fences(fences: Mapping[str, BaseGeometry], land: Land | None) -> SeaFields:
    fields = SeaFields((), land)
    fields._fences = dict(fences)
    return fields


# --- a field ---------------------------------------------------------------------------------------------------


def _make_field(grid: SeaGrid, fence: BaseGeometry) -> _Field:
    border = _border(fence)
    vectors = unit_vectors(border[:, 1], border[:, 0])
    middle = vectors.mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    radius = float(chord_nmi(np.sqrt(((vectors - middle) ** 2).sum(axis=1))).max())
    lat, lon = positions(middle[None])
    graph = grid.about(float(lat[0]), float(lon[0]), REACH_NMI + radius)
    n = len(graph.points)
    tree = spatial.cKDTree(vectors)
    node, corner, cost = _seeds(grid, graph, fence, border, tree)
    n = len(graph.points)
    distance, before = csgraph.dijkstra(
        joined(graph.edges, node, cost), indices=n, limit=REACH_NMI, return_predecessors=True
    )
    link = before[:n].astype(np.int64)
    first = link[node] == n
    link[node[first]] = corner[first]
    ways = pulled_ways(grid, graph, distance[:n], link, vectors)
    return _Field(fence, ways, tree)


def _border(fence: BaseGeometry) -> FloatArray:
    """Points along a fence's border, lon/lat, about a mile apart; farther for fences as wide as seas."""
    spacing = max(_BORDER_NMI / 60.0, fence.length / _BORDER_POINTS)
    xy: FloatArray = shapely.get_coordinates(shapely.segmentize(fence.boundary, spacing))
    return xy


def _seeds(
    grid: SeaGrid, graph: Graph, fence: BaseGeometry, border: FloatArray, tree: "spatial.cKDTree[None]"
) -> tuple[IntArray, IntArray, FloatArray]:
    """Nodes that reach a fence straight: their numbers, the point of its border they go to, miles to go (0 inside)."""
    n = len(graph.points)
    chord, nearest = tree.query(
        graph.points, distance_upper_bound=2.0 * np.sin(_SEED_NMI / MEAN_EARTH_RADIUS_NMI / 2.0)
    )
    near = np.flatnonzero(np.isfinite(chord))
    to = nearest[near]
    miles = chord_nmi(chord[near])
    sees = grid.sees(graph.lat[near], graph.lon[near], border[to, 1], border[to, 0], miles)
    inside = np.flatnonzero(shapely.contains_xy(fence, graph.lon, graph.lat))
    pieces = _water_within(grid, fence)
    if not len(pieces) and not len(inside):
        pieces = near[miles <= ASHORE_NMI]
    chord, nearest = tree.query(graph.points[pieces])
    node = np.concatenate([inside, near[sees], pieces])
    corner = np.concatenate([n + tree.query(graph.points[inside])[1], n + to[sees], n + nearest])
    cost = np.concatenate([np.zeros(len(inside)), miles[sees], chord_nmi(chord)])
    order = np.lexsort((cost, node))
    first = order[np.flatnonzero(np.diff(node[order], prepend=-1))]
    return node[first], corner[first], cost[first]


def _water_within(grid: SeaGrid, fence: BaseGeometry) -> IntArray:
    """Nodes whose water reaches into a fence, though their middles may lie outside."""
    found = []
    for part in shapely.get_parts(fence):
        west, south, east, north = part.bounds
        step = max(1.0 / PER_DEGREE, np.sqrt((north - south) * (east - west) / _LATTICE_POINTS))
        y, x = np.meshgrid(np.arange(south, north, step), np.arange(west, east, step), indexing="ij")
        within = shapely.contains_xy(part, x.ravel(), y.ravel())
        node = np.sort(grid.node_of(y.ravel()[within], x.ravel()[within]))
        found.append(node[np.flatnonzero(np.diff(node, prepend=-1))])
    nodes = np.concatenate(found).astype(np.int64)
    kept: IntArray = nodes[nodes >= 0]
    return kept


def _look_up(grid: SeaGrid, field: _Field, lat: FloatArray, lon: FloatArray) -> FloatArray:
    out = miles_from(grid, field.ways, lat, lon, field.border)
    out[shapely.contains_xy(field.fence, lon, lat)] = 0.0
    return out


# --- between two places ------------------------------------------------------------------------------------------


def _between(grid: SeaGrid, lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray) -> FloatArray:
    out = great_circle_nmi(lat1, lon1, lat2, lon2)
    hidden = np.flatnonzero(~_in_sight(grid.land, lat1, lon1, lat2, lon2, out))
    if not len(hidden):
        return out
    # Pairs with one place in common are routed together; so are pairs given the other way round.
    first = np.column_stack([lat1, lon1])[hidden]
    second = np.column_stack([lat2, lon2])[hidden]
    swap = (first[:, 0] > second[:, 0]) | ((first[:, 0] == second[:, 0]) & (first[:, 1] > second[:, 1]))
    first, second = np.where(swap[:, None], second, first), np.where(swap[:, None], first, second)
    order = np.lexsort((first[:, 1], first[:, 0]))
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(first[order], axis=0) != 0.0).any(axis=1)]))
    for rows in np.split(order, starts[1:]):
        way = _routed(grid, first[rows[0]], second[rows], out[hidden[rows]])
        out[hidden[rows]] = np.maximum(out[hidden[rows]], way)
    return out


def _routed(grid: SeaGrid, start: FloatArray, ends: FloatArray, straight: FloatArray) -> FloatArray:
    """Ways from one place to others; the reach where there is none within it, nothing to or from places inland."""
    way = np.zeros(len(ends))
    going = np.arange(len(ends))
    limit = _FIRST_TRY * float(straight.max()) + 4.0 * CELL_NMI
    goal = unit_vectors(start[:1], start[1:])
    while len(going):
        limit = min(limit, ROUTED_NMI)
        graph = grid.about(float(start[0]), float(start[1]), limit)
        node = afloat(grid, graph.is_pond, start[:1], start[1:]).astype(np.int64)
        goals = afloat(grid, graph.is_pond, ends[going, 0], ends[going, 1]).astype(np.int64)
        going, goals = going[goals != -1], goals[goals != -1]
        if node[0] < 0 or not len(going):
            return way
        distance, before = csgraph.dijkstra(graph.edges, indices=int(node[0]), limit=limit, return_predecessors=True)
        link = before.astype(np.int64)
        link[node] = len(graph.points)
        distance += length_nmi(goal - graph.points[node])
        ways = pulled_ways(grid, graph, distance, link, goal, goals[goals >= 0])
        way[going] = miles_from(grid, ways, ends[going, 0], ends[going, 1], spatial.cKDTree(goal))
        going = going[np.isinf(way[going])]
        if limit >= ROUTED_NMI:
            way[going] = ROUTED_NMI
            return way
        limit *= 2.0
    return way


def _in_sight(
    land: Land, lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray, miles: FloatArray
) -> npt.NDArray[np.bool_]:
    """Whether a great circle meets no land, stepping along it as far as the shore is away each time."""
    start, end = unit_vectors(lat1, lon1), unit_vectors(lat2, lon2)
    arc = np.maximum(miles / MEAN_EARTH_RADIUS_NMI, 1e-12)
    gone = np.zeros(len(miles))
    out = np.ones(len(miles), dtype=np.bool_)
    going = np.flatnonzero(miles < ROUTED_NMI)
    for _ in range(_STEPS_OF_SIGHT):
        if not len(going):
            break
        part = (gone[going] / MEAN_EARTH_RADIUS_NMI)[:, None]
        whole = arc[going, None]
        here = (np.sin(whole - part) * start[going] + np.sin(part) * end[going]) / np.sin(whole)
        lat = np.degrees(np.arcsin(np.clip(here[:, 2], -1.0, 1.0)))
        shore = land.shore_nmi(lat, np.degrees(np.arctan2(here[:, 1], here[:, 0])))
        ashore = shore < _BARELY_NMI
        # Land beside either place is no obstacle: ships lie at berths.
        ashore &= (gone[going] > ASHORE_NMI) & (miles[going] - gone[going] > ASHORE_NMI)
        out[going[ashore]] = False
        gone[going] += np.maximum(np.abs(shore) - _BARELY_NMI, _BARELY_NMI)
        going = going[~ashore & (gone[going] < miles[going])]
    out[going[miles[going] < ROUTED_NMI]] = False
    return out
