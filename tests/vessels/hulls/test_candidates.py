"""Candidate pairs: against a plain look at all pairs, bounded in a crowd, at home anywhere on the globe."""

import math
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.hulls.builders import (
    DAYS,
    H,
    Place,
    Silence,
    Track,
    bystanders,
    ends_of,
    moved,
    papers,
    rotated,
    ship_mmsi,
)
from vessels.geodesy import distance_nmi
from vessels.hulls import candidates
from vessels.hulls.candidates import candidate_pairs
from vessels.hulls.ends import Ends
from vessels.hulls.parameters import DEFAULT_LINKS, LinkParameters
from vessels.units import US_PER_H, US_PER_MIN

Pairs = set[tuple[int, int]]
HERE: Place = (38.5, 124.3)
MINUTE = H / 60.0


def pairs_of(tracks: list[Track], parameters: LinkParameters = DEFAULT_LINKS) -> Pairs:
    e, s = candidate_pairs(*ends_of(tracks), parameters)
    pairs = list(zip(e.tolist(), s.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    return set(pairs)


def claimed(side: Ends, i: int, claim: str | None) -> object:
    """What must be equal, or None if it is not said."""
    claims = side.claims
    if claim is None:
        return ()
    if claim == "mmsi":
        return int(side.mmsi[i])
    if claim == "body":
        body = float(claims.length_m[i]), float(claims.beam_m[i])
        return None if any(math.isnan(one) for one in body) else tuple(round(one) for one in body)
    code = int(getattr(claims, claim)[i])
    return None if code < (1 if claim == "imo" else 0) else code


def cell(side: Ends, i: int, degrees: float | None) -> tuple[int, int]:
    if degrees is None:
        return 0, 0
    return math.floor((side.lat[i] + 90.0) / degrees), math.floor((side.lon[i] + 180.0) / degrees) % round(
        360 / degrees
    )


def in_reach(ends: Ends, starts: Ends, e: int, s: int, parameters: LinkParameters) -> bool:
    silences = int(ends.silence[e] >= 0) + int(starts.silence[s] >= 0)
    if ends.segment[e] == starts.segment[s] or (silences and ends.mmsi[e] == starts.mmsi[s]):
        return False
    gap_h = (starts.time_us[s] - ends.time_us[e]) / US_PER_H
    if silences and gap_h < -candidates.CLOCK_US / US_PER_H:
        return False
    apart = float(distance_nmi(ends.lat[e], ends.lon[e], starts.lat[s], starts.lon[s]))
    return apart <= 2.0 + parameters.top_speed_kn * max(gap_h, 0.0)


def plainly(tracks: list[Track], parameters: LinkParameters = DEFAULT_LINKS) -> Pairs:
    """The slow twin: for each start, pass and neighbouring cell the latest ends of all, then those in reach."""
    ends, starts = ends_of(tracks)
    found: Pairs = set()
    for one, s in product(candidates._PASSES, range(len(starts))):
        claim = claimed(starts, s, one.claim)
        row, column = cell(starts, s, one.cell_deg)
        beside: dict[tuple[int, int], list[tuple[int, int]]] = {}
        late_us = int(parameters.max_overlap_h * US_PER_H) if one.overlap else 10 * US_PER_MIN
        most_h = min(one.max_gap_h, parameters.max_gap_days * 24.0)
        for e in range(len(ends)):
            gap_us = int(starts.time_us[s] - ends.time_us[e])
            if claim is None or claimed(ends, e, one.claim) != claim or not -late_us <= gap_us <= most_h * US_PER_H:
                continue
            of_end = cell(ends, e, one.cell_deg)
            columns = 1 if one.cell_deg is None else round(360 / one.cell_deg)
            across = (of_end[1] - column + 1) % columns - 1 if columns > 1 else 0
            if abs(of_end[0] - row) <= 1 and abs(across) <= 1:
                beside.setdefault((of_end[0], across), []).append((int(ends.time_us[e]), e))
        for here in beside.values():
            found |= {(e, s) for _, e in sorted(here)[-one.take :] if in_reach(ends, starts, e, s, parameters)}
    return found


def harbour(n: int, seed: int, at: Place, width_deg: float, hours: float) -> list[Track]:
    """Ships that end and begin near one place; some share claims, numbers or bodies; some fall silent."""
    rng = np.random.default_rng(seed)

    def place() -> Place:
        lat = float(np.clip(at[0] + rng.uniform(-width_deg, width_deg), -90, 90))
        return lat, float((at[1] + rng.uniform(-width_deg, width_deg) + 180.0) % 360.0 - 180.0)

    tracks = []
    for _ in range(n):
        born, lives = (float(rng.uniform(0, hours) * H) for _ in range(2))
        fell = born + lives * 0.3
        silences = (Silence(fell, born + lives * 0.6, place(), place()),) if rng.random() < 0.3 else ()
        said = papers(int(rng.integers(0, n)), **({"length_m": None} if rng.random() < 0.2 else {}))
        mmsi = ship_mmsi(int(rng.integers(0, 2 * n)))
        tracks.append(Track(mmsi, born, born + lives, place(), place(), said, silences=silences))
    return tracks


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([HERE, (0.0, 179.99), (-60.0, -180.0), (89.9, 0.0), (-89.99, 90.0)]),
    st.sampled_from([0.02, 0.3, 2.0, 20.0]),
    st.sampled_from([3.0, 48.0, 600.0]),
)
def test_they_are_those_that_a_look_at_all_pairs_finds(seed, at, width_deg, hours):
    tracks = harbour(25, seed, at, width_deg, hours)
    assert pairs_of(tracks) == plainly(tracks)


@pytest.mark.parametrize("n", [300, 3000])
def test_in_a_crowd_each_start_has_no_more_than_a_fixed_number(n):
    tracks = [replace(track, mmsi=123_456_789) for track in harbour(n, 3, HERE, 0.2, 24.0 * DAYS)]
    per_start = Counter(s for _, s in pairs_of(tracks))
    bound = sum(one.take * (1 if one.cell_deg is None else 9) for one in candidates._PASSES)
    assert max(per_start.values()) <= bound < 350


def one_after_the_other(gap: float, nmi: float, course: float, **other: object) -> list[Track]:
    old = Track(ship_mmsi(1), 0.0, 10.0, (35.0, 129.0), HERE, papers(1))
    return [old, Track(ship_mmsi(2), 10.0 + gap, 40.0, moved(HERE, nmi, course), (36.0, 122.0), papers(2, **other))]


def test_the_next_ship_at_the_same_berth_is_one_weeks_later():
    assert pairs_of(one_after_the_other(45.0, 0.5, 90.0)) == {(0, 1)}


def test_a_ship_farther_off_than_any_hull_sails_is_none():
    assert pairs_of(one_after_the_other(1 * H, 31.5, 0.0)) == {(0, 1)}
    assert pairs_of(one_after_the_other(1 * H, 32.5, 0.0)) == set()


def test_a_ship_of_the_same_body_is_one_days_later_across_a_sea():
    same = {name: papers(1)[name] for name in ("length_m", "beam_m")}
    assert pairs_of(one_after_the_other(3.0, 500.0, 180.0, **same)) == {(0, 1)}
    assert pairs_of(one_after_the_other(3.0, 500.0, 180.0)) == set()


@pytest.mark.parametrize("claim", ["imo", "name", "call_sign"])
def test_a_ship_of_the_same_claim_is_one_on_the_other_side_of_the_world(claim):
    same = {claim: papers(1)[claim]}
    old, new = one_after_the_other(30.0, 0.0, 0.0, **same)
    assert pairs_of([old, replace(new, at=(-40.0, -60.0))]) == {(0, 1)}


def test_under_one_imo_number_both_may_be_on_the_air_for_a_day():
    same = {"imo": papers(1)["imo"]}
    assert pairs_of(one_after_the_other(-23.5 * H, 1.0, 0.0, **same)) == {(0, 1)}
    assert pairs_of(one_after_the_other(-24.5 * H, 1.0, 0.0, **same)) == set()


@pytest.mark.parametrize("claim", ["name", "call_sign", "length_m", "mmsi"])
def test_else_they_may_be_so_for_minutes_only(claim):
    same = {claim: papers(1)[claim]} if claim != "mmsi" else {}
    for gap, expected in ((-9.5 * MINUTE, {(0, 1)}), (-10.5 * MINUTE, set()), (-5 * H, set())):
        old, new = one_after_the_other(gap, 0.5, 0.0, **same)
        assert pairs_of([old, replace(new, mmsi=old.mmsi) if claim == "mmsi" else new]) == expected


def test_no_track_follows_itself():
    track = one_after_the_other(1.0, 0.0, 0.0)[0]
    silences = tuple(Silence(day, day + 0.8, HERE, HERE) for day in (2.0, 4.0, 6.0))
    assert pairs_of([replace(track, silences=silences)]) == set()


def test_a_silence_is_not_filled_by_another_track_of_its_own_number():
    old, new = one_after_the_other(1.0, 0.1, 0.0)
    silent, new = replace(old, died=50.0, silences=(Silence(10.0, 45.0, HERE, HERE),)), replace(new, to=HERE)
    assert pairs_of([silent, new]) == {(2, 1), (1, 2)}
    assert pairs_of([silent, replace(new, mmsi=silent.mmsi)]) == set()


@pytest.mark.parametrize("degrees", [55.7, -124.3, 180.0 - 124.3 + 1e-6])
def test_across_the_date_line_is_near(degrees):
    tracks = one_after_the_other(2 * H, 3.0, 90.0)
    assert pairs_of(rotated(tracks, degrees)) == {(0, 1)}


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_the_poles_are_places_too(lat):
    old, new = one_after_the_other(2 * H, 0.0, 0.0)
    pole = [replace(old, to=(lat, 10.0)), replace(new, at=(lat, 10.02))]
    assert pairs_of(pole) == {(0, 1)}


def test_no_tracks_make_no_pairs():
    e, s = candidate_pairs(*ends_of([]), DEFAULT_LINKS)
    assert len(e) == len(s) == 0


def test_the_order_of_rows_does_not_choose_among_ends_at_one_moment():
    crowd = [
        Track(ship_mmsi(10 + k), 0.0, 10.0, HERE, moved(HERE, 0.05 * k, 33.0 * k), papers(10 + k)) for k in range(30)
    ]
    tracks = [*crowd, Track(ship_mmsi(2), 10.1, 40.0, HERE, HERE, papers(2)), *bystanders(5)]
    backwards = {(len(tracks) - 1 - e, len(tracks) - 1 - s) for e, s in pairs_of(tracks[::-1])}
    assert backwards == pairs_of(tracks)
