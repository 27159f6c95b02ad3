"""Where a silent ship can have been: agreement with a plain search, and where it was counted itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import T0_US
from tests.vessels.reception.fleets import SEA
from tests.vessels.reception.test_shares import NOWHERE, table
from vessels.event_tables import GAPS
from vessels.geodesy import distance_nmi
from vessels.reception.grid import N_COLUMNS, cells_of
from vessels.reception.model import Reception
from vessels.reception.parameters import DEFAULT_RECEPTION
from vessels.reception.places import Own
from vessels.reception.presence import along_great_circle
from vessels.reception.reach import Silences, whereabouts
from vessels.units import US_PER_H

LAW = settings(max_examples=25, deadline=None)
T0_HOUR = T0_US // US_PER_H
HERE = int(cells_of(np.array([SEA[0]]), np.array([SEA[1]]))[0])


def sea(seed):
    """Reception that differs from cell to cell about one place, for eighty hours; some cells nobody was in."""
    rng = np.random.default_rng(seed)
    rows = []
    for row in range(-8, 9):
        for column in range(-8, 9):
            if rng.random() < 0.8:
                n = int(rng.integers(1, 200))
                cell = HERE + row * N_COLUMNS + column
                rows.append((cell, T0_HOUR + int(rng.integers(80)), int(rng.integers(2)), n, int(rng.integers(n + 1))))
    rows.append((HERE, T0_HOUR + 80, 0, 1, 1))
    return Reception([table(rows)], GAPS.empty(), (T0_HOUR + 80) * US_PER_H)


def silences(*spans, is_last=False):
    """Silences from rows of (start h, end h or None, end place, speed)."""
    n = len(spans)
    is_open = np.array([end is None for _, end, _, _ in spans], dtype=np.bool_)
    ends = np.array([(math.nan, math.nan) if end is None else place for _, end, place, _ in spans]).reshape(n, 2)
    return Silences(
        ship=np.zeros(n, dtype=np.int64),
        start_us=np.array([T0_US + round(start * US_PER_H) for start, _, _, _ in spans], dtype=np.int64),
        end_us=np.array(
            [T0_US + round((80 if end is None else end) * US_PER_H) for _, end, _, _ in spans], dtype=np.int64
        ),
        is_open=is_open,
        is_last=is_open | is_last,
        start_lat=np.full(n, SEA[0]),
        start_lon=np.full(n, SEA[1]),
        end_lat=ends[:, 0],
        end_lon=ends[:, 1],
        stratum=np.zeros(n, dtype=np.int64),
        speed_kn=np.array([float(speed) for _, _, _, speed in spans]),
    )


def destination(lat, lon, bearing, nmi):
    """The place so far off in so many degrees, by the sine rules."""
    d, b, phi, lam = nmi / 3440.07, math.radians(bearing), math.radians(lat), math.radians(lon)
    to = math.asin(math.sin(phi) * math.cos(d) + math.cos(phi) * math.sin(d) * math.cos(b))
    east = math.atan2(math.sin(b) * math.sin(d) * math.cos(phi), math.cos(d) - math.sin(phi) * math.sin(to))
    return math.degrees(to), math.degrees(lam + east)


def least_slowly(one, reception, hour_middle_h):
    """The least share of all rings about both ends that can be reached, or of the straight way, in one hour."""
    p = reception.parameters
    places = Own.of(np.zeros(0, dtype=np.int64), NOWHERE, reception.places)
    start_h, end_h, end, speed = one
    apart = 0.0 if end_h is None else float(distance_nmi(*SEA, *end))
    duration = (80.0 if end_h is None else end_h) - start_h
    made_good = apart / duration
    kn = max(speed, made_good)
    still = end_h is not None and made_good < p.still_kn
    along = (hour_middle_h - start_h) / duration
    target = SEA if end_h is None else end
    where = along_great_circle(*(np.array([x]) for x in (*SEA, *target, along)))
    candidates = [(float(where[0][0]), float(where[1][0]))]
    for centre in (SEA, target):
        for ring in (0.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0):
            for bearing in range(0, 360, 45):
                place = destination(*centre, bearing, ring)
                out, back = float(distance_nmi(*SEA, *place)), float(distance_nmi(*target, *place))
                late = end_h is None or back <= kn * (end_h - hour_middle_h) + p.slack_nmi
                if out <= kn * (hour_middle_h - start_h) + p.slack_nmi and late:
                    candidates.append(place)
    shares = []
    for i, (lat, lon) in enumerate(candidates):
        cell = cells_of(np.array([lat]), np.array([lon])).astype(np.int64)
        share, rests_on = reception.places.without(places, np.array([0]), cell, np.array([int(still)]))
        shares.append(float(share[0]) if i == 0 or rests_on[0] > 0 else math.inf)
    return min(shares)


@LAW
@given(
    st.integers(0, 5),
    st.floats(0, 20),
    st.sampled_from([None, 5.0, 11.3, 30.0, 55.5]),
    st.tuples(st.floats(34.6, 36.9), st.floats(128.6, 131.9)),
    st.sampled_from([0.0, 5.0, 14.0]),
)
def test_the_place_least_heard_agrees_with_a_plain_search(seed, start, lasts, end, speed):
    one = (start, None if lasts is None else start + lasts, end, speed)
    reception = sea(seed)
    where = whereabouts(silences(one, is_last=True), reception)
    begin, finish = T0_US / US_PER_H + start, T0_US / US_PER_H + (80.0 if lasts is None else start + lasts)
    own_cells = set(where.presence.cell[0][where.presence.cell[0] >= 0].tolist())
    for i in np.flatnonzero(where.part[0])[::7]:
        hour = int(where.hour[0, i])
        middle = (max(hour, begin) + min(hour + 1, finish)) / 2 - T0_US / US_PER_H
        if where.cell[0, i] not in own_cells:
            assert where.share[0, i] == pytest.approx(least_slowly(one, reception, middle), abs=0.02)


def test_each_hour_of_a_silence_counts_once_and_only_near_its_ends():
    reach = DEFAULT_RECEPTION.reach_h
    spans = [(1.25, 6.5), (1.25, 37.9), (1.25, 38.1), (1.25, 60.0), (1.0, 79.0), (1.5, None)]
    where = whereabouts(silences(*((a, b, SEA, 5.0) for a, b in spans)), sea(1))
    for i, (start, end) in enumerate(spans):
        counted = where.part[i] > 0
        assert len(set(where.hour[i][counted].tolist())) == counted.sum()
        length = 80.0 - start if end is None else end - start
        known = min(length, reach + 1.0) if end is None else min(length, 2 * (reach + 1))
        assert where.part[i].sum() == pytest.approx(known, abs=1.0)


def test_the_ship_is_counted_where_the_sums_counted_it():
    where = whereabouts(silences((2.5, 12.5, SEA, 5.0), (2.5, 70.0, (36.9, 131.9), 5.0), (2.5, None, SEA, 5.0)), sea(1))
    counted = [where.part[i] > 0 for i in range(3)]
    assert (where.presence.cell[0][counted[0]] == HERE).all()
    assert where.presence.is_heard[0][counted[0]].sum() == 2
    long = dict(zip(where.hour[1][counted[1]] - T0_HOUR, where.presence.cell[1][counted[1]], strict=True))
    edge = int(DEFAULT_RECEPTION.edge_h)
    assert [h for h, cell in sorted(long.items()) if cell == HERE] == list(range(2, 3 + edge))
    there = int(cells_of(np.array([36.9]), np.array([131.9]))[0])
    assert [h for h, cell in sorted(long.items()) if cell == there] == list(range(70 - edge, 70))
    ended = dict(zip(where.hour[2][counted[2]] - T0_HOUR, where.presence.cell[2][counted[2]], strict=True))
    assert [h for h, cell in sorted(ended.items()) if cell == HERE] == list(range(2, 3 + edge))


def test_no_silences_have_no_hours():
    assert whereabouts(silences(), sea(1)).part.shape[0] == 0
