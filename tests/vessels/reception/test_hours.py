"""Sums by hour: as plain sums are, and no larger than the hours that occur."""

import tracemalloc

import numpy as np

from vessels.reception.grid import N_CELLS, blocks_of
from vessels.reception.hours import Hours, Presence
from vessels.reception.parameters import DEFAULT_RECEPTION
from vessels.reception.places import CountRows, Counts, Places


def hours_of(cell, hour, present, heard):
    none = np.zeros(len(cell), dtype=np.int64)
    rows = CountRows([], Counts(cell, hour, none, present, heard))
    return Hours(rows, Places(rows, DEFAULT_RECEPTION), DEFAULT_RECEPTION)


def asked(hours, cell, hour):
    none = np.zeros(len(cell), dtype=np.int64)
    return hours.without(Presence(none - 1, none, none > 0), cell, none, hour)


def test_ships_known_in_a_neighbourhood_are_those_that_a_plain_sum_gives_at_every_hour():
    rng = np.random.default_rng(4)
    cell = rng.choice(rng.integers(0, N_CELLS, 40), 3000)
    hour = 470_000 + rng.choice([0, 127, 128, 129, 255, 256, 1000, 5000], 3000)
    present = rng.integers(1, 5, 3000)
    hours = hours_of(cell, hour, present, present // 2)
    for at in (0, 127, 128, 129, 130, 256, 4999, 5000, 5001):
        told = asked(hours, cell[:60], np.full(60, 470_000 + at)).n_near
        blocks = blocks_of(cell, DEFAULT_RECEPTION.neighbourhood_cells)
        plain = [present[(blocks == block) & (hour == 470_000 + at)].sum() for block in blocks[:60]]
        assert told.tolist() == plain


def test_memory_goes_with_the_rows_and_not_with_the_years_between_them():
    cell = np.arange(0, N_CELLS, 40, dtype=np.int64)
    hour = 300_000 + np.where(np.arange(len(cell)) == 7, 0, 24 * 8766)
    one = np.ones(len(cell), dtype=np.int64)
    tracemalloc.start()
    hours_of(cell, hour, one, one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6
