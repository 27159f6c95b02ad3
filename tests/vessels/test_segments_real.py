"""Segments of real tracks, where `WAKEWATCH_REAL_DATA` names a folder that holds them; see docs/segments.md."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vessels.intake import read_tracks
from vessels.reading import ReadOptions
from vessels.segments import Segments, separate

FOLDER = os.environ.get("WAKEWATCH_REAL_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="WAKEWATCH_REAL_DATA is not set")

ONE_HULL = [204814000, 205316000, 224051350, 224108190, 227317360, 230942350, 263576000, 538004505, 600011817]
"""Numbers in the labelled file that one ship sends, some with a few wild positions."""


@pytest.fixture(scope="module")
def segments() -> Segments:
    path = Path(FOLDER or "") / "shared_mmsi_labelled.parquet"
    with read_tracks(path, options=ReadOptions(columns={"beam_m": "width"})) as tracks:
        assert tracks.n_buckets == 1
        return separate(tracks.block(0))


def rows_of(segments: Segments, mmsi: int) -> pd.DataFrame:
    number = segments.segment_of_rows
    frame = pd.DataFrame(
        {
            "mmsi": segments.mmsi[segments.vessel[number]],
            "t": segments.time_us,
            "lat": segments.lat,
            "lon": segments.lon,
            "segment": number,
        }
    )
    return frame[frame["mmsi"] == mmsi]


def agreement(one, other) -> tuple[float, float]:
    """Of the pairs of rows that the other keeps together, the share that one keeps together; and the reverse."""
    table = pd.crosstab(np.asarray(one), np.asarray(other)).to_numpy()
    pairs = (table * (table - 1) / 2).sum()
    ones, others = ((n * (n - 1) / 2).sum() for n in (table.sum(axis=1), table.sum(axis=0)))
    return pairs / others, pairs / ones


@pytest.mark.parametrize("mmsi", ONE_HULL)
def test_a_ship_alone_on_its_number_is_one_segment(segments, mmsi):
    v = segments.mmsi.tolist().index(mmsi)
    assert (segments.vessel == v).sum() == 1
    assert segments.noise[v] <= 3
    assert segments.n_alternations[v] == 0


def test_a_barge_in_colombia_and_a_warship_in_the_bay_of_bengal_are_two(segments):
    rows = rows_of(segments, 240000000)
    assert rows["segment"].nunique() == 2
    assert rows.groupby("segment")["lon"].agg(lambda lon: lon.max() < -70 or lon.min() > 80).all()
    v = segments.mmsi.tolist().index(240000000)
    assert segments.noise[v] <= 0.01 * len(rows)
    assert segments.max_separation_nmi[v] > 8_000


def test_what_another_tool_keeps_together_is_seldom_torn_apart_over_great_distances(segments):
    theirs = pd.read_parquet(Path(FOLDER or "") / "shared_mmsi_416000000_segments.parquet")
    theirs["t"] = pd.to_datetime(theirs["timestamp"], utc=True).astype("datetime64[us, UTC]").astype("int64")
    theirs = theirs.drop_duplicates(["t", "lat", "lon"])
    both = rows_of(segments, 416000000).merge(theirs[["t", "lat", "lon", "segment"]], on=["t", "lat", "lon"])
    assert len(both) >= 0.97 * len(theirs)
    kept, _ = agreement(both["segment_x"], both["segment_y"])
    assert kept > 0.75
    indian_ocean = both["lon"] < 65
    assert set(both.loc[indian_ocean, "segment_x"]).isdisjoint(both.loc[~indian_ocean, "segment_x"])
