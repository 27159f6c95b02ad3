"""Lines as geographic files want them: within ±180°, cut there, in the order sailed."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from detectors.exports.shapes import fence, line, pieces, point
from vessels.geodesy import wrap_degrees

steps = st.lists(st.tuples(st.floats(-170, 170), st.floats(-60, 60)), min_size=1, max_size=30)


def pieces_of(lon, lat):
    return list(pieces(np.array(lon, dtype=float), np.array(lat, dtype=float), np.arange(len(lon), dtype=float)))


@given(st.floats(-180, 180), steps)
def test_pieces_hold_every_place_once_in_order_and_no_step_goes_round_the_world(first, moves):
    lon = wrap_degrees(np.cumsum([first, *(move for move, _ in moves)]))
    lat = np.array([0.0, *(lat for _, lat in moves)])
    time = np.arange(len(lon), dtype=float)
    found = list(pieces(lon, lat, time))
    kept = [(x, t) for xs, _, ts in found for x, t in zip(xs, ts, strict=True) if t == round(t)]
    assert sorted({t for _, t in kept}) == time.tolist()
    for xs, _, ts in found:
        assert (np.abs(xs) <= 180.0).all()
        assert (np.abs(np.diff(xs)) <= 180.0 + 1e-6).all()
        assert (np.diff(ts) >= 0).all()
    for (before, _, _), (after, _, _) in pairwise(found):
        assert before[-1] == -after[0]
        assert abs(before[-1]) == 180.0


def test_both_pieces_meet_where_the_way_crosses():
    (west, lat_west, time_west), (east, lat_east, time_east) = pieces_of([178.0, -179.0], [10.0, 13.0])
    assert west.tolist() == [178.0, 180.0]
    assert east.tolist() == [-180.0, -179.0]
    assert lat_west[-1] == lat_east[0] == pytest.approx(12.0)
    assert time_west[-1] == time_east[0] == pytest.approx(2 / 3)


def test_a_way_back_and_forth_over_the_antimeridian_has_a_piece_for_each_leg():
    assert [lon.tolist() for lon, _, _ in pieces_of([-179.5, 179.5, -179.0], [0.0, 0.0, 0.0])] == [
        [-179.5, -180.0],
        [180.0, 179.5, 180.0],
        [-180.0, -179.0],
    ]


@pytest.mark.parametrize("edge", [180.0, -180.0])
def test_a_report_on_the_antimeridian_itself_is_kept(edge):
    shape = line(np.array([179.0, edge, -179.0]), np.zeros(3))
    assert shape.geom_type == "MultiLineString"
    assert [part.bounds[0] for part in shape.geoms] == [179.0, -180.0]
    assert shape.length == pytest.approx(2.0)


def test_a_line_that_crosses_itself_stays_one_line_in_the_order_sailed():
    lon, lat = [0.0, 2.0, 2.0, 1.0], [1.0, 1.0, 0.0, 3.0]
    shape = line(np.array(lon), np.array(lat))
    assert list(shape.coords) == list(zip(lon, lat, strict=True))


def test_a_line_without_length_is_none_and_a_place_not_known_no_point():
    assert line(np.array([1.0]), np.array([2.0])) is None
    assert line(np.array([1.0, 1.0000001]), np.array([2.0, 2.0])) is None
    assert point(None, 3.0) is None
    assert point(1.23456789, 3.0).x == 1.234568


def test_fences_run_against_the_clock_and_their_holes_with_it():
    ring, hole = [(0, 0), (0, 4), (4, 4), (4, 0)], [(1, 1), (2, 1), (2, 2), (1, 2)]
    turned = fence(shapely.Polygon(ring, [hole]))
    assert turned.exterior.is_ccw
    assert not turned.interiors[0].is_ccw
    both = fence(shapely.MultiPolygon([(ring, [hole]), ([(9, 9), (9, 10), (10, 10)], [])]))
    assert [part.exterior.is_ccw for part in both.geoms] == [True, True]
