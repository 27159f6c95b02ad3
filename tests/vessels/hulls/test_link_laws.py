"""Laws: row order, the numbers that ships bear, the day and the longitude do not change which hulls are linked."""

import random
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import (
    DAYS,
    H,
    Linked,
    Place,
    Silence,
    Track,
    body,
    bystanders,
    later,
    linked,
    links_of,
    moved,
    papers,
    renamed,
    rotated,
    ship_mmsi,
    tables_of,
)
from vessels.hulls.links import find_links

SEEDS = (1, 2, 3)


@lru_cache(maxsize=4)
def busy_world(seed: int) -> tuple[Track, ...]:
    """Hulls that change at anchor and at sea, twins, borrowed numbers, reflags, a crowded roadstead, and bystanders."""
    rng = np.random.default_rng(seed)
    tracks: list[Track] = []

    def place() -> Place:
        return float(rng.uniform(-45, 55)), float(rng.uniform(-180, 180))

    def add(k: int, born: float, died: float, at: Place, to: Place, of: int | None = None, **how: object) -> None:
        said = papers(k, **(body(of) if of is not None else {}))
        tracks.append(Track(ship_mmsi(k), born, died, at, to, said, **how))

    for n in range(12):
        k, day, here, gap = 100 * (n + 1), float(rng.uniform(5, 45)), place(), float(rng.uniform(0.3, 40)) * H
        near = moved(here, float(rng.uniform(0.05, 2.0)), float(rng.uniform(0, 360)))
        kind = n % 4
        if kind == 0:
            add(k, 1.0, day, place(), here)
            add(k + 1, day + gap, 58.0, near, place(), of=k)
            add(k + 2, day + gap * 1.3, 58.0, moved(here, 0.7, 200.0), place(), of=k)
        elif kind == 1:
            course, run_h = float(rng.uniform(0, 359)), float(rng.uniform(0.3, 4.0))
            add(k, 1.0, day, place(), here, died_kn=11.0, died_cog=course)
            on = moved(here, 11.0 * run_h, course)
            add(k + 1, day + run_h * H, 58.0, on, place(), of=k, born_kn=11.0, born_cog=course)
        elif kind == 2:
            there = moved(here, float(rng.uniform(50, 300)), float(rng.uniform(0, 360)))
            add(k, 1.0, DAYS, place(), place(), silences=(Silence(day, day + 6.0, here, there),))
            add(k + 1, day + 3 * H, day + 6.0 - 3 * H, near, there, of=k)
        else:
            add(k, 1.0, day, place(), here)
            tracks.append(Track(ship_mmsi(k + 1), day + gap, 58.0, near, place(), papers(k, name=f"OTHER {n}")))
    roads = place()
    for k in range(40):
        born = float(rng.uniform(0, 50))
        at, to = (moved(roads, float(rng.uniform(0, 3)), float(rng.uniform(0, 360))) for _ in range(2))
        add(5000 + k, born, born + float(rng.uniform(0.5, 8)), at, to, of=k % 6)
    return (*tracks, *bystanders(120, seed))


def found(tracks: list[Track]) -> Linked:
    return linked(tracks, links_of(tracks))


def strong(links: Linked) -> set[tuple[int, int, bool, bool]]:
    return {key for key, probability in links.items() if probability >= 0.8}


def assert_same(one: Linked, other: Linked, within: float = 1e-3) -> None:
    clear = {key for key, probability in one.items() if probability >= 0.05 + within}
    assert clear <= set(other)
    for key in clear:
        assert other[key] == pytest.approx(one[key], abs=within)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_is_something_to_find(seed):
    links = found(list(busy_world(seed)))
    assert len(strong(links)) >= 8
    assert len(set(links) - strong(links)) >= 4


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seed, random):
    tables = tables_of(list(busy_world(seed)))

    def shuffled(table: pa.Table) -> pa.Table:
        return table.take(pa.array(random.sample(range(table.num_rows), table.num_rows)))

    assert find_links(**{name: shuffled(table) for name, table in tables.items()}).equals(find_links(**tables))


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 10_000))
def test_the_numbers_that_ships_bear_do_not_matter(seed, draw):
    tracks = list(busy_world(seed))
    numbers = sorted({track.mmsi for track in tracks})
    others = random.Random(draw).sample(range(201_000_000, 775_999_999), len(numbers))
    for names in (others, random.Random(draw).sample(numbers, len(numbers))):
        other = renamed(tracks, dict(zip(numbers, names, strict=True)))
        assert_same(found(tracks), found(other))
        assert_same(found(other), found(tracks))


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(-10_000, 10_000))
def test_the_day_does_not_matter(seed, days):
    tracks = list(busy_world(seed))
    assert found(later(tracks, float(days))) == found(tracks)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(-18, 18))
def test_turned_by_whole_cells_the_world_has_the_same_links(seed, tens):
    tracks = list(busy_world(seed))
    assert_same(found(tracks), found(rotated(tracks, 10.0 * tens)))


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(SEEDS), st.floats(-180.0, 180.0))
def test_turned_anyhow_the_world_has_nearly_the_same_links(seed, degrees):
    # Births are counted in cells, whose edges then lie elsewhere.
    tracks = list(busy_world(seed))
    one, other = found(tracks), found(rotated(tracks, degrees))
    assert_same(one, other, within=0.35)
    assert {key for key, p in one.items() if p >= 0.97} <= strong(other)


def test_far_away_ships_that_have_nothing_to_do_with_it_change_little():
    tracks = list(busy_world(1))
    more = bystanders(100, 77, 40_000)
    assert strong(found(tracks + more)) == strong(found(tracks))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_strong_is_one_to_one(seed):
    links = strong(found(list(busy_world(seed))))
    assert len({(e, silent) for e, _, silent, _ in links}) == len(links)
    assert len({(s, silent) for _, s, _, silent in links}) == len(links)


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_are_those_of_the_tracks_whatever_the_rest_of_the_world(seed):
    tracks = list(busy_world(seed))

    def ids(of: list[Track]) -> dict[str, tuple[str, str]]:
        return {row["link_id"]: (row["from_segment_id"], row["to_segment_id"]) for row in links_of(of).to_pylist()}

    one, other = ids(tracks), ids(tracks + bystanders(60, 88, 50_000))
    both = set(one) & set(other)
    assert len(both) > 10 and all(one[link] == other[link] for link in both)
    assert len(one) == len(links_of(tracks))
