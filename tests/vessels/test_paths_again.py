"""Paths sent again: her own earlier path at one lag, at other instants; and who comes by a place again lawfully."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.vessels.builders import ALPHA, BRAVO, H, Row, block_of
from tests.vessels.odd_tracks import (
    DAYS,
    LAG_H,
    OPEN_SEA,
    odd,
    odd_block,
    of_kind,
    reports,
    settle,
    story,
    wandering,
)
from vessels.events.paths_again import find_paths_again
from vessels.segments import separate
from vessels.thinning import thin_rows

PATH = wandering(24.0 * DAYS)


def replays(*files: Sequence[Row], **how: Any) -> list[dict[str, Any]]:
    return of_kind(odd(*files, **how), "replay")


def test_a_path_sent_again_at_other_instants_is_a_replay():
    (path,) = replays(story())
    assert (path["mmsi"], path["replayed_mmsi"]) == (ALPHA, ALPHA)
    lag_h = (path["start"] - path["replayed_from"]).total_seconds() / H
    assert lag_h == pytest.approx(LAG_H, abs=60.0 / H)
    assert path["duration_h"] > 22.0 * DAYS
    assert path["residual_m"] < 20.0 < 200.0 < path["usual_residual_m"]


def test_a_ship_that_drifts_in_the_same_waters_again_replays_nothing():
    other = wandering(24.0 * DAYS, seed=6)
    rows = [*reports(PATH, 24.0 * DAYS, 360.0), *reports(other, 24.0 * DAYS, 900.0, LAG_H * H, skip_s=217.0)]
    assert replays(rows) == []


def test_a_copy_that_lies_hundreds_of_metres_off_is_none():
    moved = [{**row, "lat": row["lat"] + 0.004} if row["t"] > 104 * H else row for row in story()]
    assert replays(moved) == []


def test_a_ship_that_swings_at_her_anchor_replays_nothing():
    swing = wandering(24.0 * 9, kn=0.0, tide_nmi=0.1)
    assert replays(reports(swing, 24.0 * 9, 360.0)) == []


def test_a_tide_that_carries_her_the_same_way_every_day_is_a_timetable():
    tide = wandering(24.0 * 9, kn=0.0, tide_nmi=2.0)
    assert replays(reports(tide, 24.0 * 9, 360.0)) == []


def crossings(n: int, late_s: float) -> list[Row]:
    """A liner on a bent line, every three and a half days; she leaves late by seconds, and her speed varies with it."""
    rng = np.random.default_rng(3)
    line = np.array([[0.0, 0.0], [8.0, 30.0], [0.0, 60.0]])
    rows: list[Row] = []
    for trip in range(n):
        start = trip * 84.0 * H + rng.normal(0.0, late_s)
        kn = 8.0 * (1.0 + rng.normal(0.0, late_s / 20_000.0))
        along = np.arange(0.0, 62.0, kn / 6.0)
        north, east = (np.interp(along, [0.0, 31.05, 62.1], line[:, k]) for k in (0, 1))
        for i, (y, x) in enumerate(zip(north, east, strict=True)):
            lat, lon = OPEN_SEA[0] + y / 60.0, OPEN_SEA[1] + x / 60.0 / np.cos(np.radians(OPEN_SEA[0]))
            row = {"mmsi": ALPHA, "t": float(start + i * 600.0), "lat": round(lat, 6), "lon": round(lon, 6), "sog": kn}
            rows.append(row)
    return rows


def test_a_liner_that_keeps_her_timetable_to_the_minute_is_hundreds_of_metres_off():
    assert replays(crossings(2, 60.0)) == []


def test_rows_in_any_order_and_ships_apart_say_the_same():
    other = story(mmsi=BRAVO, turned=0.5)
    rows = [*story(), *other]
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    together = settle([odd_block(shuffled)])
    assert together == settle([odd_block(other), odd_block(story())])
    assert len(of_kind(together, "replay")) == 2


@pytest.mark.parametrize("degrees", [55.9, -150.25])
def test_the_antimeridian_is_an_ordinary_place(degrees):
    (here,), (there,) = replays(story()), replays(story(turned=degrees))
    assert there["residual_m"] == pytest.approx(here["residual_m"], abs=2.0)
    assert abs((there["replayed_from"] - here["replayed_from"]).total_seconds()) < 2400.0


@pytest.mark.parametrize("hours", [1 / 3, 1000.0])
def test_a_shift_of_time_shifts_the_path(hours):
    (here,), (there,) = replays(story()), replays([{**row, "t": row["t"] + hours * H} for row in story()])
    assert there["residual_m"] == here["residual_m"]
    assert (there["replayed_from"] - here["replayed_from"]).total_seconds() == pytest.approx(hours * H)


def test_its_distance_from_the_earlier_path_is_what_interpolating_says():
    segments = separate(block_of(story()))
    (path,) = find_paths_again(segments, thin_rows(segments, 10.0))
    lag_us = path.start_us - path.replayed_from_us
    inside = (segments.time_us >= path.start_us) & (segments.time_us <= path.end_us)
    then = segments.time_us[inside] - lag_us
    lat, lon = (np.interp(then, segments.time_us, values) for values in (segments.lat, segments.lon))
    north, east = (segments.lat[inside] - lat) * 60.0, (segments.lon[inside] - lon) * 60.0 * np.cos(np.radians(lat))
    assert np.median(np.hypot(north, east)) * 1852.0 == pytest.approx(path.residual_m, abs=2.0)


def test_an_exact_copy_is_told_once():
    rows = reports(PATH, 24.0 * DAYS, 360.0)
    again = [{**row, "t": row["t"] + LAG_H * H} for row in rows]
    fast = [{**row, "sog": 4.0} for row in (*rows, *again)]
    assert len(replays(fast)) == 1
