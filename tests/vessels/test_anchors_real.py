"""Anchors on the shipped tracks: the ids of a week's window are those of the whole time, changes of number and all."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from vessels.anchors import NO_ANCHORS
from vessels.gather import Gatherer
from vessels.history import DEFAULT_FACTS, History, combine, derive
from vessels.instants import instant_us, times_us
from vessels.intake import read_tracks
from vessels.schema import COVERAGE
from vessels.zones import read_zones

TRACKS = Path(__file__).parents[2] / "fixtures" / "tracks"
FILES = [TRACKS / f"ais-2025-03-{day}.parquet" for day in range(15, 25)]
ZONES = read_zones()
EXCHANGED = datetime(2025, 3, 18, 12, 8, tzinfo=UTC)
"""Two ships exchange their numbers: both are silent, between the last report of the old and the first of the new."""
AWAY = datetime(2025, 3, 19, 3, 40, tzinfo=UTC)
"""A hull that bore another number for some hours has laid that down, and is not yet back under its own."""
MIDNIGHT = datetime(2025, 3, 20, tzinfo=UTC)
BOUNDARIES = (EXCHANGED, AWAY, MIDNIGHT)
EVER_US = 2**62
LAW = {
    "segments": (("segment_id", "hull_id", "mmsi", "start", "end", "start_lat", "start_draught_m"), "end"),
    "port_visits": (("visit_id", "hull_id", "segment_id", "zone_id", "start", "end", "confidence"), "last_seen"),
    "voyages": (
        ("voyage_id", "hull_id", "start", "end", "origin", "destination", "origin_visit_id", "span_start"),
        "span_end",
    ),
}


@pytest.fixture(scope="module")
def gathered():
    with read_tracks(FILES) as tracks:
        yield tracks._gatherer


def history(gatherer: Gatherer, first_us: int, boundaries_us: tuple[int, ...], anchors: pa.Table) -> History:
    facts = [
        derive(
            gatherer.block(b, (first_us, EVER_US)),
            gatherer.register.claims(),
            ZONES,
            DEFAULT_FACTS,
            anchors,
            boundaries_us,
        )
        for b in range(gatherer.n_buckets)
    ]
    return combine(facts, COVERAGE.empty(), datetime(2025, 3, 25, tzinfo=UTC), ZONES)


@pytest.fixture(scope="module")
def full(gathered) -> History:
    return history(gathered, 0, tuple(instant_us(b) for b in BOUNDARIES), NO_ANCHORS)


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=["exchanged", "away", "midnight"])
def test_a_window_of_the_shipped_tracks_names_what_the_whole_names(gathered, full, boundary):
    since_us = instant_us(boundary)
    anchors = full.anchors.filter(pa.array(times_us(full.anchors["boundary"]) == since_us))
    assert gathered.n_buckets == 1
    assert anchors.num_rows > 300
    window = history(gathered, since_us, (), anchors)
    for name, (columns, last) in LAW.items():
        told, known = (rows_reaching(getattr(one, name), columns, last, since_us) for one in (window, full))
        assert len(known) > 300
        assert told == known, (name, sorted(known - told, key=str)[:3], sorted(told - known, key=str)[:3])
    ids = window.voyages["voyage_id"].to_pylist()
    assert len(set(ids)) == len(ids)


def test_the_boundaries_of_these_tests_cut_what_they_say(full):
    firsts = full.anchors.filter(full.anchors["is_first"]).select(["boundary", "start"]).to_pylist()
    assert sum(row["boundary"] == EXCHANGED and row["start"] is None for row in firsts) >= 2
    assert sum(row["boundary"] == AWAY and row["start"] is not None for row in firsts) == 1


def rows_reaching(table: pa.Table, columns: tuple[str, ...], last: str, since_us: int) -> set[tuple[object, ...]]:
    table = table.filter(pa.array(times_us(table[last]) >= since_us))
    return {tuple(row.values()) for row in table.select(list(columns)).to_pylist()}
