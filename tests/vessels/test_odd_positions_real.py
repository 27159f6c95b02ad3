"""Odd positions in what nobody here wrote: true events found, rivers, ferries and yachts left in peace."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.vessels.odd_tracks import parts_of, settle
from vessels.intake import read_tracks
from vessels.land import land
from vessels.reading import ReadOptions
from vessels.segments import separate

FOLDER = os.environ.get("WAKEWATCH_REAL_DATA", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="WAKEWATCH_REAL_DATA is not set")
DRAWN = {"constant", "laps", "replay"}


def events(name: str) -> list[dict[str, Any]]:
    with read_tracks(Path(FOLDER) / name, options=ReadOptions(timezone="UTC")) as tracks:
        blocks = [separate(tracks.block(b, None)) for b in range(tracks.n_buckets)]
    return settle([parts_of(block, land=land()) for block in blocks])


def test_the_labelled_sudden_speed_is_an_event_and_the_ships_adrift_are_none():
    (speed,) = events("danish_labelled_events.parquet")
    assert (speed["kind"], speed["mmsi"], speed["n_positions"]) == ("speed", 219165000, 4)


def test_an_impossible_longitude_is_one_jump_of_one_report():
    (jump,) = events("solent_2016-01-12.csv")
    assert (jump["kind"], jump["mmsi"], jump["n_positions"]) == ("jump", 245188000, 1)


def test_stale_positions_stamped_with_midnight_are_many_ships_at_once():
    found = [one for one in events("marinecadastre_2022-01-03.parquet") if one["kind"] == "jump"]
    at_midnight = [one for one in found if (one["start"].hour, one["start"].minute) == (0, 0)]
    assert len(at_midnight) >= 0.7 * len(found)
    assert sum(one["n_others"] >= 3 for one in at_midnight) >= 0.9 * len(at_midnight)


@pytest.mark.parametrize(
    "name", ["marinecadastre_2022-01-03.parquet", "shared_mmsi_labelled.parquet", "exactearth_2021-07-01.csv"]
)
def test_no_real_ship_has_a_drawn_track(name):
    assert not DRAWN & {one["kind"] for one in events(name)}


def test_a_barge_far_up_a_river_is_on_land_and_crosses_none():
    runs = [one for one in events("shared_mmsi_labelled.parquet") if one["kind"] == "on_land"]
    barge = [one for one in runs if one["mmsi"] == 240000000]
    assert max(one["distance_nmi"] for one in barge) > 90.0
    assert not any(one["crosses_land"] for one in runs)
