"""Shortest ways over the sea's graph to one goal, pulled taut, and how far it is from any position along them.

Takes a graph (`vessels.sea_grid`) and what Dijkstra's algorithm found on it; gives `Ways`. Edges run in some directions
only, so that ways over them are up to 3 % too long; pulling them taut takes most of that away: where circles of open
water round a node and round a corner farther on its way cover the line between, it goes straight there. What the goal
is, a fence or a place, is left to `vessels.sea_distance`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse, spatial

from vessels.land import CAP_NMI, NMI_PER_DEGREE, chord_nmi, unit_vectors
from vessels.sea_grid import ROUGH_NMI, Graph, Points, SeaGrid
from vessels.sea_sheets import FloatArray, IntArray, NodeArray

ASHORE_NMI: Final = 6.0
"""A fence or position on land belongs to water within this distance: the map's coast is rough, berths lie in docks."""
_FEW: Final = 8
_TINY_NMI: Final = 1e-2
"""32-bit points are 0.001 nmi off at most."""
_TIE_NMI: Final = 1e-7
"""Far above what sums of 64-bit numbers are off by, far below any difference of ways."""
_ROUNDS: Final = 8
"""Corners up to 2^8 edges away."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways from everywhere to one goal: of each place its miles, and the corner to which its way goes straight."""

    points: Points  # (n + m, 3): the graph's nodes, then points of the goal
    miles: npt.NDArray[np.float32]  # inf out of reach
    corner: NodeArray
    is_pond: npt.NDArray[np.bool_]  # (n,)
    n_nodes: int


def joined(edges: sparse.csr_matrix, node: IntArray, cost: FloatArray) -> sparse.csr_matrix:
    """The graph with one more node, the last, from which some nodes are so many miles away."""
    n = edges.shape[0]
    return sparse.csr_matrix(
        (
            np.concatenate([edges.data, np.maximum(cost, 1e-9)]),
            np.concatenate([edges.indices, node.astype(edges.indices.dtype)]),
            np.concatenate([edges.indptr, [edges.nnz + len(node)]]),
        ),
        shape=(n + 1, n + 1),
    )


def pulled_ways(
    grid: SeaGrid,
    graph: Graph,
    distance: FloatArray,
    link: IntArray,
    goal: FloatArray,
    wanted: IntArray | None = None,
) -> Ways:
    """Shortest ways over the graph, as miles of each node and the place each goes to next, pulled taut.

    Places beyond the nodes are the goal's points. With `wanted`, only the ways of these nodes are pulled.
    """
    n = len(graph.points)
    reached = np.isfinite(distance)
    if wanted is not None and len(wanted) <= _FEW:
        reached &= _on_the_way(graph, distance, wanted)
    link = _settled(graph, distance, link, np.flatnonzero(reached & (link < n) & (link >= 0)))
    points = np.concatenate([graph.points, goal.astype(np.float32)])
    link = np.concatenate([np.where(link >= 0, link, np.arange(n)), n + np.arange(len(goal))])
    miles = np.concatenate([distance, np.zeros(len(goal))])
    clear = np.concatenate([graph.clear_nmi, surely_clear(grid, *positions(goal))])
    nodes = np.flatnonzero(np.isfinite(distance)) if wanted is None else _on_ways(link, wanted, n)
    _pull_taut(grid, points, clear, miles, link, nodes)
    return Ways(points, miles.astype(np.float32), link.astype(np.int32), graph.is_pond, n)


def _on_the_way(graph: Graph, distance: FloatArray, wanted: IntArray) -> npt.NDArray[np.bool_]:
    """Nodes that may lie on a shortest way of a wanted one: so far come, and straight on, is no detour."""
    found = np.zeros(len(distance), dtype=np.bool_)
    for node in wanted:
        found |= distance + length_nmi(graph.points - graph.points[node]) <= distance[node] + _TINY_NMI
    return found


def _settled(graph: Graph, distance: FloatArray, link: IntArray, reached: IntArray) -> IntArray:
    """Of several next nodes with ways as short, the one with most open water round it, whatever the nodes' numbers are.

    Without this, ties would be broken by the order in which the sea was read.
    """
    edges = graph.edges
    first, last = edges.indptr[reached], edges.indptr[reached + 1]
    count = (last - first).astype(np.int64)
    at = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
    here, there = np.repeat(reached, count), edges.indices[at]
    tied = np.flatnonzero(np.abs(distance[there] + edges.data[at] - distance[here]) < _TIE_NMI)
    here, there = here[tied], there[tied].astype(np.int64)
    order = np.lexsort((graph.lon[there], graph.lat[there], -graph.clear_nmi[there], here))
    best = order[np.flatnonzero(np.diff(here[order], prepend=-1))]
    out = link.copy()
    out[here[best]] = there[best]
    return out


def _on_ways(link: IntArray, wanted: IntArray, n: int) -> IntArray:
    """All nodes on the ways of the wanted ones."""
    found, front = [np.zeros(0, dtype=np.int64)], np.unique(wanted)
    is_found = np.zeros(len(link), dtype=np.bool_)
    while len(front):
        is_found[front] = True
        found.append(front)
        front = np.unique(link[front])
        front = front[~is_found[front] & (front < n)]
    return np.concatenate(found)


def _pull_taut(
    grid: SeaGrid, points: Points, clear: FloatArray, miles: FloatArray, link: IntArray, nodes: IntArray
) -> None:
    """Let each way go straight to a later corner of it where circles of open water cover the line; in place.

    Corners are handed on by doubling: after each round a node may know its corner's corner.
    """
    for _ in range(_ROUNDS):
        corner = link[nodes]
        further = link[corner]
        straight = _apart(points, nodes, further)
        half = straight / 2.0
        seen = (clear[nodes] + clear[further] >= straight) & (further != corner)
        doubtful = np.flatnonzero(~seen & (further != corner) & (half <= CAP_NMI + clear[nodes]))
        around = surely_clear(grid, *positions(points[nodes[doubtful]] + points[further[doubtful]]))
        least = np.minimum(clear[nodes[doubtful]], clear[further[doubtful]])
        seen[doubtful] = around + least >= half[doubtful]
        seen &= miles[further] + straight <= miles[nodes] + _TINY_NMI
        link[nodes[seen]] = further[seen]
        miles[nodes[seen]] = np.minimum(miles[nodes[seen]], miles[further[seen]] + straight[seen])
    corner = link[nodes]
    straight = _apart(points, nodes, corner)
    for _ in range(_ROUNDS):
        miles[nodes] = np.minimum(miles[nodes], miles[corner] + straight)


def miles_from(
    grid: SeaGrid, ways: Ways, lat: FloatArray, lon: FloatArray, goal: "spatial.cKDTree[None]"
) -> FloatArray:
    """From each position by its node, or past it to the node's corner."""
    node = afloat(grid, ways.is_pond, lat, lon)
    out = np.full(len(lat), np.inf)
    hit = np.flatnonzero((node >= 0) & (node < ways.n_nodes))
    node = node[hit]
    here = unit_vectors(lat[hit], lon[hit])
    corner = ways.corner[node]
    straight = length_nmi(here - ways.points[corner])
    at_goal = np.flatnonzero(corner >= ways.n_nodes)
    if len(at_goal):
        chord, _ = goal.query(here[at_goal])
        straight[at_goal] = chord_nmi(chord)
    by_node = ways.miles[node] + length_nmi(here - ways.points[node])
    out[hit] = np.minimum(by_node, ways.miles[corner] + straight)
    return out


def afloat(grid: SeaGrid, is_pond: npt.NDArray[np.bool_], lat: FloatArray, lon: FloatArray) -> NodeArray:
    """The node of each position, ashore or on a pond that of water near by; -1 inland, -2 where none was read."""
    node = _navigable(grid, is_pond, lat, lon)
    for away_nmi in (ASHORE_NMI / 2.0, ASHORE_NMI):
        for bearing in np.radians(np.arange(0.0, 360.0, 45.0)):
            ashore = np.flatnonzero(node == -1)
            if not len(ashore):
                return node
            y, x = lat[ashore], lon[ashore]
            squeeze = np.maximum(np.cos(np.radians(y)), 0.05)
            y = np.clip(y + away_nmi / NMI_PER_DEGREE * np.cos(bearing), -90.0, 90.0)
            x = x + away_nmi / NMI_PER_DEGREE * np.sin(bearing) / squeeze
            node[ashore] = _navigable(grid, is_pond, y, x)
    return node


def _navigable(grid: SeaGrid, is_pond: npt.NDArray[np.bool_], lat: FloatArray, lon: FloatArray) -> NodeArray:
    node = grid.node_of(lat, lon)
    known = np.flatnonzero((node >= 0) & (node < len(is_pond)))
    node[known[is_pond[node[known]]]] = -1
    return node


def surely_clear(grid: SeaGrid, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """No land within this distance of places, to be on the safe side."""
    return np.maximum(grid.land.rough_shore_nmi(lat, lon) - ROUGH_NMI, 0.0)


def _apart(points: Points, first: IntArray, second: IntArray) -> FloatArray:
    return length_nmi(points[first] - points[second])


def length_nmi(step: npt.NDArray[np.floating[Any]]) -> FloatArray:
    return chord_nmi(np.sqrt(np.einsum("ij,ij->i", step, step)))


def positions(points: npt.NDArray[np.floating[Any]]) -> tuple[FloatArray, FloatArray]:
    """Latitudes and longitudes (degrees) of points in space, shape (n, 3), on the sphere or off it."""
    x, y, z = points.T
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
