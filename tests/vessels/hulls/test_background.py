"""What chance alone brings: counts against counting one by one, and rates that rise where more is born."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import DAYS, Place, Silence, Track, ends_of, moved, papers, ship_mmsi, us
from vessels.hulls.background import (
    BURST_DEG,
    LEAST_SPAN_H,
    LYING_NMI,
    LYING_SHARE,
    RINGS_NMI,
    SCALES_DEG,
    USUAL_BEAM_SPREAD,
    USUAL_LENGTHS_M,
    USUAL_SHIPS,
    _counts_around,
    bearers_of,
    births_around,
    bodies_of,
    resting_places,
    shares_of,
)
from vessels.units import US_PER_H

HERE: Place = (38.47, 124.33)
SPAN = us(0.0), us(DAYS)

places = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([-90.0, -89.95, 0.0, 37.05, 89.99, 90.0]), st.floats(-90.0, 90.0)),
        st.one_of(st.sampled_from([-180.0, -179.99, 0.0, 0.05, 179.99]), st.floats(-180.0, 179.999)),
        st.integers(0, 4),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(places, st.sampled_from([*SCALES_DEG, BURST_DEG]), st.booleans())
def test_counts_are_those_of_counting_one_by_one(points, step, by_day):
    lat, lon, day, counted = (np.array(column) for column in zip(*points, strict=True))
    around = round(360.0 / step)
    cells = [(int((a + 90.0) / step), int((o + 180.0) / step), int(d)) for a, o, d, _ in points]

    def beside(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
        across = (one[1] - other[1]) % around
        return (
            abs(one[0] - other[0]) <= 1
            and min(across, around - across) <= 1
            and (not by_day or abs(one[2] - other[2]) <= 1)
        )

    expected = [sum(c and beside(one, other) for other, c in zip(cells, counted, strict=True)) for one in cells]
    assert _counts_around(lat, lon, step, counted, day if by_day else None).tolist() == expected


def births(n: int, day: float = 10.0, every: float = 1.0, spread_nmi: float = 1.0, kn: float = 0.1) -> list[Track]:
    """Tracks that begin about one place, lying or at a speed; the first is looked at."""
    rng = np.random.default_rng(5)
    return [
        Track(
            ship_mmsi(k), day + every * k, DAYS, moved(HERE, rng.uniform(0, spread_nmi), rng.uniform(0, 360)),
            (30.0, -140.0), papers(k), born_kn=kn,
        )
        for k in range(n)
    ]  # fmt: skip


def rate(tracks: list[Track]) -> float:
    starts = ends_of(tracks)[1]
    return float(births_around(starts, SPAN).rate[0])


def test_a_lone_birth_has_the_rate_of_one_in_its_sea_and_time():
    side_nmi = 15.0 * 60.0
    area = side_nmi**2 * np.cos(np.radians(HERE[0]))
    assert rate(births(1, kn=9.0)) == pytest.approx(1.0 / (area * DAYS * 24.0))


def test_a_lone_ship_born_lying_has_a_share_of_one_birth_about_her_berth():
    assert rate(births(1)) == pytest.approx(LYING_SHARE / (np.pi * LYING_NMI**2 * DAYS * 24.0))


def roadsteads(n: int) -> list[Track]:
    """Ships that lie still at places far from each other in one sea, silent meanwhile; they were born elsewhere."""
    rest = [moved(HERE, 40.0 + 10.0 * k, 180.0) for k in range(n)]
    return [
        Track(
            ship_mmsi(200 + k), 1.0, DAYS, (-40.0, 20.0), place, papers(k), silences=(Silence(5.0, 9.0, *2 * (place,)),)
        )
        for k, place in enumerate(rest)
    ]


def test_a_birth_at_one_of_many_roadsteads_of_a_sea_is_rarer_than_at_its_only_one():
    rates = [rate([*births(1), *roadsteads(n)]) for n in range(5)]
    assert rates == pytest.approx([rates[0] / (n + 1) for n in range(5)])


def test_births_lying_are_expected_where_births_are_under_way_too():
    under_way = [replace(one, mmsi=one.mmsi + 500) for one in births(9, spread_nmi=200.0, kn=9.0)]
    assert rate([*births(1), *under_way]) == pytest.approx(10.0 * rate(births(1)))


def test_a_berth_where_others_were_born_counts_more_than_a_harbour_where_as_many_were():
    assert rate(births(12, spread_nmi=0.2)) > 3 * rate(births(12, spread_nmi=5.0))


def test_the_rate_rises_with_each_birth_near_by():
    rates = [rate(births(n)) for n in (1, 2, 4, 8, 32)]
    assert rates == sorted(rates) and rates[-1] > 100 * rates[0]


def test_births_far_away_do_not_matter():
    far = [Track(ship_mmsi(100 + k), 5.0, DAYS, (-30.0, 20.0), (-30.0, 20.0), papers(100 + k)) for k in range(50)]
    assert rate(births(3) + far) == rate(births(3))


def test_a_berth_where_many_are_born_counts_more_than_a_sea_where_as_many_are():
    assert rate(births(30, spread_nmi=1.0)) > 10 * rate(births(30, spread_nmi=200.0))


@pytest.mark.parametrize("ring", range(len(RINGS_NMI)))
def test_births_within_a_radius_grow_with_it_and_count_itself(ring):
    around = births_around(ends_of(births(30, spread_nmi=200.0))[1], SPAN)
    one = np.zeros(2, dtype=np.int64)
    here = around.within(one, np.array([RINGS_NMI[ring], 0.5 * RINGS_NMI[ring]]))
    expected = (around.counts[0, ring] + 1.0) / (DAYS * 24.0)
    assert here[0] == pytest.approx(expected)
    assert here[0] >= here[1] >= 1.0 / (DAYS * 24.0)


def test_beyond_the_widest_ring_no_more_are_expected_than_were_born():
    around = births_around(ends_of(births(30, spread_nmi=200.0))[1], SPAN)
    (there,) = around.within(np.zeros(1, dtype=np.int64), np.array([30.0 * RINGS_NMI[-1]]))
    assert there == pytest.approx(31.0 / (DAYS * 24.0))


def test_wakings_from_a_silence_are_counted_among_all_wakings_however_few_were_born():
    silences = tuple(Silence(day, day + 0.7, HERE, HERE) for day in range(5, 45, 2))
    starts = ends_of([Track(ship_mmsi(90), 0.0, DAYS, (-30.0, 20.0), HERE, papers(90), silences=silences)])[1]
    around = births_around(starts, SPAN)
    (one,) = around.within(np.array([len(starts) - 1]), np.array([RINGS_NMI[0]]))
    assert one == pytest.approx(20.0 / (DAYS * 24.0))


def test_births_in_rings_are_those_in_the_cells_about_and_not_itself():
    starts = ends_of(births(30, spread_nmi=200.0))[1]
    counts = births_around(starts, SPAN).counts
    assert (np.diff(counts, axis=1) >= 0).all() and counts[:, -1].max() == 29
    assert births_around(ends_of(births(1))[1], SPAN).counts.tolist() == [[0] * len(RINGS_NMI)]


def test_a_feed_that_comes_back_brings_many_at_once_and_the_rate_says_so():
    spread_out, at_once = births(40, every=1.2, spread_nmi=25.0), births(40, every=0.01, spread_nmi=25.0)
    assert rate(at_once) > 5 * rate(spread_out)


def test_no_rate_is_nought_and_a_silent_ships_waking_has_all_wakings_for_its_crowd():
    tracks = births(5)
    silent = Track(ship_mmsi(90), 0.0, DAYS, HERE, HERE, papers(90), silences=(Silence(5.0, 20.0, HERE, HERE),))
    starts = ends_of([*tracks, silent])[1]
    rates = births_around(starts, SPAN).rate
    assert (rates > 0).all() and np.isfinite(rates).all()
    lone = births_around(ends_of([silent])[1], SPAN).rate
    assert rates[-1] > 3 * lone[-1]


def test_wakings_are_no_births():
    silences = tuple(Silence(day, day + 1.0, HERE, HERE) for day in (5.0, 15.0, 25.0))
    silent = Track(ship_mmsi(90), 0.0, DAYS, (30.0, 150.0), HERE, papers(90), silences=silences)
    assert rate([*births(3), silent]) == rate(births(3))


def test_ships_lie_where_others_lie():
    far = [Track(ship_mmsi(100 + k), 5.0, DAYS, moved(HERE, 120.0, 9.0 * k), HERE, papers(k)) for k in range(20)]
    dense = resting_places(ends_of(births(20) + far)[1])
    assert dense[0] > 0 and dense[-1] == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(5, 460), st.one_of(st.none(), st.integers(1, 75))), min_size=1, max_size=30),
    st.tuples(st.floats(1.0, 480.0), st.one_of(st.just(np.nan), st.floats(1.0, 80.0))),
    st.tuples(st.floats(0.0, 60.0), st.floats(0.0, 20.0)),
)
def test_shares_of_bodies_are_those_of_counting_one_by_one(ships, asked, within):
    tracks = [
        Track(ship_mmsi(k), 1.0, 2.0, HERE, HERE, {"name": f"S{k}", "length_m": length, "beam_m": beam})
        for k, (length, beam) in enumerate(ships)
    ]
    starts = ends_of(tracks)[1]
    lengths, beams = starts.claims.length_m, starts.claims.beam_m
    bodies = bodies_of(starts)
    found = bodies.share(*(np.array([value]) for value in (*asked, *within)))[0]
    near = np.abs(lengths - asked[0]) <= within[0]
    low, high = USUAL_LENGTHS_M
    length = min(max(asked[0], low), high)
    usual = min((2 * within[0] + 1) / (length * np.log(high / low)), 1.0)
    if np.isnan(asked[1]):
        known, n = near.sum(), np.isfinite(lengths).sum()
    else:
        known = (near & (np.abs(beams - asked[1]) <= within[1])).sum()
        n = (np.isfinite(lengths) & np.isfinite(beams)).sum()
        usual *= min((2 * within[1] + 1) / (USUAL_BEAM_SPREAD * length), 1.0)
    expected = (known + USUAL_SHIPS * usual) / (n + USUAL_SHIPS)
    assert found == pytest.approx(expected)


def test_a_body_is_counted_once_a_track_however_often_it_wakes():
    silences = tuple(Silence(day, day + 0.7, HERE, HERE) for day in (5.0, 15.0, 25.0))
    assert bodies_of(ends_of([Track(ship_mmsi(1), 0.0, DAYS, HERE, HERE, papers(1), silences=silences)])[1]).n_both == 1


@given(st.lists(st.integers(-1, 6), max_size=40))
def test_shares_of_codes_are_of_those_that_say_something(codes):
    said = [code for code in codes if code >= 0]
    known = max(said, default=-1) + 1
    expected = [(said.count(code) + 1) / (len(said) + known + 1) for code in range(known)]
    assert shares_of(np.array(codes, dtype=np.int64)).tolist() == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 6)), max_size=40))
def test_bearers_are_distinct_numbers_and_nothing_said_has_none(rows):
    codes, mmsi = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    expected = [len({m for c, m in rows if c == code}) if code > 0 else 0 for code, _ in rows]
    assert bearers_of(codes, mmsi).tolist() == expected


def test_rates_of_a_moments_data_are_finite():
    starts = ends_of(births(1))[1]
    moment, short = us(10.0), us(10.0) + int(LEAST_SPAN_H * US_PER_H)
    assert births_around(starts, (moment, moment)).rate == pytest.approx(births_around(starts, (moment, short)).rate)
    assert births_around(starts, (moment, us(11.0))).rate[0] < births_around(starts, (moment, short)).rate[0]
