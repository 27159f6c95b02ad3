"""Shares of places and factors of hours: agreement with plain sums, shrinking, what is left out."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.reception.fleets import SEA
from vessels.event_tables import RECEPTION
from vessels.reception.grid import N_COLUMNS, blocks_of, cell_centres, cells_of, n_blocks
from vessels.reception.hours import Hours, Presence
from vessels.reception.parameters import DEFAULT_RECEPTION, ReceptionParameters
from vessels.reception.places import CountRows, Counts, Own, Places

LAW = settings(max_examples=40, deadline=None)
HERE = int(cells_of(np.array([SEA[0]]), np.array([SEA[1]]))[0])
CELLS = (HERE, HERE + 1, HERE + 4, HERE + 40, HERE + 9 * N_COLUMNS)
"""A cell, one in its neighbourhood, one in its region, and two farther off."""
NOWHERE = Counts(*(np.zeros(0, dtype=np.int64) for _ in range(5)))

ROWS = st.lists(
    st.tuples(
        st.sampled_from(CELLS),
        st.integers(470_000, 470_004),
        st.integers(0, 3),
        st.integers(1, 30),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=25,
)


def rows_of(drawn):
    """Rows of counts: cell, hour, stratum, present, heard."""
    return [(cell, hour, stratum, n, round(n * share)) for cell, hour, stratum, n, share in drawn]


def counts(rows):
    return Counts(*(np.array([row[i] for row in rows], dtype=np.int64) for i in range(5)))


def table(rows):
    cell, hour, stratum, present, heard = (list(column) for column in zip(*rows, strict=True))
    strata = {"is_class_b": [s >= 2 for s in stratum], "is_still": [s % 2 == 1 for s in stratum]}
    return RECEPTION.build({"cell": cell, "hour": hour, **strata, "n_present": present, "n_heard": heard})


def share_slowly(rows, cell, stratum, p):
    """The share of a stratum in a cell and the ship-hours behind it, level by level."""
    region = blocks_of(np.array([cell]), p.region_cells)[0]
    in_region = [row for row in rows if blocks_of(np.array([row[0]]), p.region_cells)[0] == region]
    levels = (
        rows,
        [row for row in rows if row[2] == stratum],
        [row for row in in_region if row[2] == stratum],
        [row for row in rows if row[0] == cell and row[2] // 2 == stratum // 2],
        [row for row in rows if row[0] == cell and row[2] == stratum],
    )
    share, rests_on = 0.5, 0.0
    for number, level in enumerate(levels):
        n, heard = (sum(row[i] for row in level) for i in (3, 4))
        share = (heard + p.prior_ship_h * share) / (n + p.prior_ship_h)
        rests_on = n + min(rests_on, p.prior_ship_h) if number >= 2 else 0.0
    return share, rests_on


def factor_slowly(rows, places, cell, stratum, hour, p):
    """Heard over expected, from the whole fleet down to the neighbourhood; every ship counts."""

    def tier(c, s):
        return bool(places.share[s, c] >= p.well_heard_share)

    def expected(row):
        return row[3] * round(float(places.share[row[2], row[0]]) * 1000) / 1000

    def near(c, side):
        return blocks_of(np.array([c]), side)[0] == blocks_of(np.array([cell]), side)[0]

    now = [row for row in rows if row[1] == hour]
    like = [row for row in now if tier(row[0], row[2]) == tier(cell, stratum)]
    factor = 1.0
    for some in (
        now,
        like,
        [row for row in like if near(row[0], p.region_cells)],
        [row for row in like if near(row[0], p.neighbourhood_cells)],
    ):
        heard, would_be = sum(row[4] for row in some), sum(expected(row) for row in some)
        factor = (heard + p.hour_prior_ships * factor) / (would_be + p.hour_prior_ships)
    return factor


@LAW
@given(ROWS, st.sampled_from(CELLS), st.integers(0, 3))
def test_shares_agree_with_plain_sums(drawn, cell, stratum):
    rows = rows_of(drawn)
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    own = Own.of(np.zeros(0, dtype=np.int64), NOWHERE, places)
    share, rests_on = places.without(own, np.array([0]), np.array([cell]), np.array([stratum]))
    assert (share[0], rests_on[0]) == pytest.approx(share_slowly(rows, cell, stratum, DEFAULT_RECEPTION))


@LAW
@given(ROWS, st.data())
def test_leaving_rows_out_is_the_same_as_never_having_had_them(drawn, data):
    rows = rows_of(drawn)
    own = data.draw(st.lists(st.sampled_from(rows), unique=True))
    less = [
        (c, h, s, n - 1, min(heard, n - 1)) if (c, h, s, n, heard) in own else (c, h, s, n, heard)
        for c, h, s, n, heard in rows
    ]
    mine = [
        (c, h, s, 1, heard - min(heard, n - 1))
        for c, h, s, n, heard in own
        for _ in range(rows.count((c, h, s, n, heard)))
    ]
    places, without = Places([counts(rows)], DEFAULT_RECEPTION), Places([counts(less)], DEFAULT_RECEPTION)
    part = Own.of(np.full(len(mine), 3), counts(mine) if mine else NOWHERE, places)
    nobody = Own.of(np.zeros(0, dtype=np.int64), NOWHERE, places)
    cell, stratum = np.repeat(CELLS, 4), np.tile(np.arange(4), len(CELLS))
    number = np.full(len(cell), 3)
    np.testing.assert_allclose(
        places.without(part, number, cell, stratum), without.without(nobody, number, cell, stratum)
    )
    np.testing.assert_allclose(
        places.without(part, number - 1, cell, stratum), places.without(nobody, number, cell, stratum)
    )


@LAW
@given(ROWS, st.integers(0, 24))
def test_shares_and_factors_do_not_depend_on_how_rows_fall_into_tables(drawn, cut):
    rows = rows_of(drawn)
    both = [table(part) for part in (rows[:cut], rows[cut:]) if part]
    one = CountRows([table(rows)], NOWHERE)
    several = CountRows(both[::-1], NOWHERE)
    shares = [Places(counted, DEFAULT_RECEPTION) for counted in (one, several)]
    np.testing.assert_array_equal(shares[0].share, shares[1].share)
    factors = [factors_at(Hours(c, p, DEFAULT_RECEPTION)) for c, p in zip((one, several), shares, strict=True)]
    np.testing.assert_array_equal(factors[0], factors[1])


def factors_at(hours, cells=CELLS, when=range(470_000, 470_005)):
    """Factors of every cell, stratum and hour, nobody left out. Shape (n,)."""
    cell, stratum, hour = (one.ravel() for one in np.meshgrid(cells, np.arange(4), list(when)))
    nobody = Presence(np.full(cell.shape, -1), stratum, np.zeros(cell.shape, dtype=np.bool_))
    return hours.without(nobody, cell, stratum, hour).factor


@LAW
@given(ROWS, st.sampled_from(CELLS), st.integers(0, 3))
def test_factors_of_hours_agree_with_plain_sums(drawn, cell, stratum):
    rows = rows_of(drawn)
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    hours = Hours([counts(rows)], places, DEFAULT_RECEPTION)
    heard_of = defaultdict(int)
    for row in rows:
        heard_of[row[1]] += row[4]
    for hour in {row[1] for row in rows if heard_of[row[1]]}:
        nobody = Presence(np.array([-1]), np.array([0]), np.array([False]))
        told = hours.without(nobody, np.array([cell]), np.array([stratum]), np.array([hour]))
        assert told.factor[0] == pytest.approx(factor_slowly(rows, places, cell, stratum, hour, DEFAULT_RECEPTION))


def one_of(values, n=1):
    return np.full(n, values)


def test_one_ship_is_left_out_of_the_hour_that_judges_it():
    rows = [(HERE, 470_000 + h, 1, 3, 3) for h in range(20)] + [(HERE, 470_020, 1, 3, 2)]
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    hours = Hours([counts(rows)], places, DEFAULT_RECEPTION)
    own = Presence(one_of(HERE), one_of(1), np.array([False]))
    nobody = Presence(one_of(-1), one_of(1), np.array([False]))
    with_own, without = (hours.without(who, one_of(HERE), one_of(1), one_of(470_020)) for who in (nobody, own))
    assert (with_own.n_region[0], without.n_region[0]) == (3.0, 2.0)
    assert without.factor[0] > with_own.factor[0]
    assert without.expected[0] == pytest.approx(with_own.expected[0] * 2 / 3, abs=1e-3)


def test_a_well_heard_cell_tells_nothing_of_a_missed_satellite():
    good = [(HERE, 470_000 + h, 0, 10, 10) for h in range(20)]
    poor = [(HERE + 1, 470_000 + h, 0, 10, 5 * (h != 7)) for h in range(20)]
    places = Places([counts(good + poor)], DEFAULT_RECEPTION)
    hours = Hours([counts(good + poor)], places, DEFAULT_RECEPTION)
    shore, sea = factors_at(hours, [HERE], [470_007])[0], factors_at(hours, [HERE + 1], [470_007])[0]
    assert shore > 0.9
    assert sea < 0.3


def test_in_an_hour_that_nobody_is_known_in_and_nobody_heard_in_nothing_was_received():
    rows = [(HERE, 470_000 + h, 1, 12, 12) for h in (0, 1, 2, 6, 7, 8)]
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    hours = Hours([counts(rows)], places, DEFAULT_RECEPTION)
    factors = factors_at(hours, [HERE], range(470_000, 470_009)).reshape(4, 9)[1]
    assert (factors[[0, 1, 2, 6, 7, 8]] > 0.9).all()
    assert (factors[[3, 4, 5]] < 0.1).all()


def test_hours_outside_the_data_tell_nothing():
    rows = [(HERE, 470_000, 1, 12, 12)]
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    factors = factors_at(Hours([counts(rows)], places, DEFAULT_RECEPTION), [HERE], [469_999, 470_001])
    assert not factors.any()


def test_a_cell_nobody_was_in_is_told_by_its_region_and_a_region_nobody_was_in_is_not_known():
    rows = [(HERE, 470_000 + h, 0, 10, 3) for h in range(50)] + [(HERE + 40, 470_000, 0, 200, 200)]
    places = Places([counts(rows)], DEFAULT_RECEPTION)
    own = Own.of(np.zeros(0, dtype=np.int64), NOWHERE, places)
    cells = np.array([HERE, HERE + 1, HERE + 20 * N_COLUMNS])
    share, rests_on = places.without(own, np.zeros(3, dtype=np.int64), cells, np.zeros(3, dtype=np.int64))
    assert share[1] == pytest.approx(0.3, abs=0.02)
    assert (rests_on[1], rests_on[2]) == (DEFAULT_RECEPTION.prior_ship_h, 0.0)
    assert places.nothing_known(cells).tolist() == [False, False, True]


@pytest.mark.parametrize("change", [{"prior_ship_h": 100.0}, {"region_cells": 1}])
def test_each_parameter_of_places_bites(change):
    rows = [(HERE, 470_000, 0, 10, 3), (HERE + 1, 470_000, 0, 30, 30), (HERE + 40, 470_000, 0, 200, 150)]
    shares = [Places([counts(rows)], p).share[0, HERE] for p in (DEFAULT_RECEPTION, ReceptionParameters(**change))]
    assert shares[0] != shares[1]


@pytest.mark.parametrize(
    "change", [{"hour_prior_ships": 20.0}, {"neighbourhood_cells": 1}, {"well_heard_share": 0.5}, {"region_cells": 60}]
)
def test_each_parameter_of_hours_bites(change):
    rows = [(cell, 470_000 + h, 0, 10, n) for h in range(9) for cell, n in zip(CELLS, (9, 4, 8, 3, 7), strict=True)]
    rows += [(cell, 470_009, 0, 10, n) for cell, n in zip(CELLS, (1, 2, 9, 1, 9), strict=True)]
    told = []
    for p in (DEFAULT_RECEPTION, ReceptionParameters(**change)):
        places = Places([counts(rows)], p)
        told.append(factors_at(Hours([counts(rows)], places, p), [HERE], [470_009])[0])
    assert told[0] != told[1]


@LAW
@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(1, 12))
def test_a_place_lies_in_its_cell_and_the_cell_in_one_of_its_blocks(lat, lon, side):
    cell = cells_of(np.array([lat]), np.array([lon]))
    middle = cell_centres(cell)
    assert abs(middle[0][0] - lat) <= 0.25 + 1e-9
    assert min(abs(middle[1][0] - lon), 360.0 - abs(middle[1][0] - lon)) <= 0.25 + 1e-9
    assert 0 <= blocks_of(cell, side)[0] < n_blocks(side)
