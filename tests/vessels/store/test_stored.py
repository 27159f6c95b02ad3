"""Reading back: the rows that count of a bucket and span, settled, whatever else the store holds."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    EVER,
    T0_US,
    H,
    Row,
    block_of,
    chain,
    disc,
    gathered,
    lie,
    sail,
    write_parquet,
    zones_of,
)  # fmt: skip
from tests.vessels.store.taken import all_said, blocks_of, said, sources_of, stocked
from vessels.chunks import StaticClaim
from vessels.digests import ClaimRegister
from vessels.errors import StoreError
from vessels.history import Facts, derive
from vessels.intake import read_tracks
from vessels.store.kept_rows import ThinParameters
from vessels.store.packing import claim_numbers, claims_of, claims_table
from vessels.store.stored import Sources, StoredBucket, stored_block
from vessels.zones import Zones, read_zones

PORT = (42.0, 133.0)
ZONES = zones_of(
    disc("RU_A", *PORT, 4.0), disc("CN_B", 38.9, 121.6, 6.0), disc("CN_Q", 38.95, 121.62, 2.0, "anchorage")
)
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "tracks"
SECONDLY = ThinParameters(thin_s=1.0)


# To the bit


@st.composite
def odd_rows(draw: st.DrawFn) -> list[Row]:
    """Rows a second apart or more, with all that a row can say."""
    rows: list[Row] = []
    for mmsi in (ALPHA, BRAVO, CHARLIE, 100_000_001)[: draw(st.integers(0, 4))]:
        t = 0.0
        for _ in range(draw(st.integers(1, 12))):
            t += draw(st.sampled_from([1.0, 1.5, 77.123456, 86_400.0 * 5]))
            row: dict[str, Any] = {"mmsi": mmsi, "t": t}
            if draw(st.booleans()):
                row |= {"lat": draw(st.floats(-90, 90)), "lon": draw(st.floats(-180, 180))}
                row["sog"] = draw(st.none() | st.floats(0, 102, width=32))
                row["cog"] = draw(st.none() | st.sampled_from([0.0, 359.9]))
                row["heading"] = draw(st.none() | st.just(17.0))
                row["nav_status"] = draw(st.none() | st.integers(0, 14))
            row["draught"] = draw(st.none() | st.sampled_from([0.1, 25.5]))
            row["name"] = draw(st.none() | st.sampled_from(["ONE", "ÄÖ", "=cmd()", "漢字", "@@@"]))
            row["ship_type"] = draw(st.none() | st.sampled_from([0, 70, 99]))
            row["length_m"] = draw(st.none() | st.sampled_from([12.0, 99.5]))
            row["transceiver"] = draw(st.none() | st.sampled_from(["A", "B"]))
            says = ("lat", "draught", "name", "ship_type", "length_m")
            if any(row.get(name) is not None for name in says):
                rows.append(row)
    return rows


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=odd_rows())
def test_what_is_kept_comes_back_to_the_bit(tmp_path_factory, rows: list[Row]) -> None:
    folder = tmp_path_factory.mktemp("odd")
    path = write_parquet(folder / "x.parquet", rows)
    store, entries = stocked(folder / "store", [path], n_buckets=1, parameters=SECONDLY)
    with read_tracks([path]) as tracks:
        assert all_said(store, entries) == [said(tracks.block(0), tracks.claims())]


def test_a_block_read_back_is_the_block_that_the_kept_rows_give(tmp_path) -> None:
    rows = [{**row, "name": "ONE", "draught": 7.1, "heading": None} for row in sail(ALPHA, 0.0, PORT, (42.5, 133.5))]
    path = write_parquet(tmp_path / "x.parquet", rows)
    store, entries = stocked(tmp_path / "store", [path], n_buckets=1)
    (block, claims), *_ = blocks_of(store, entries)
    gatherer = gathered([rows])
    assert said(block, claims) == said(gatherer.block(0, EVER), gatherer.register.claims())
    assert not block.lat.flags.writeable


def test_claims_keep_their_numbers_through_the_store() -> None:
    register = ClaimRegister()
    claims = [
        StaticClaim(name_raw="ONE", ship_type=70, length_m=90.0, beam_m=12.5, transceiver="A"),
        StaticClaim(imo_raw="2000017", call_sign_raw="漢字", destination_raw=" >x< "),
        StaticClaim(length_m=1.0),
    ]
    register.codes(claims)
    numbers = claim_numbers(register)
    assert numbers[0] == 0
    assert len(set(numbers.tolist())) == 4
    back = dict(claims_of(claims_table(claims, numbers[1:].tolist())))
    assert back == dict(zip(numbers[1:].tolist(), claims, strict=True))
    again = ClaimRegister()
    again.codes(list(back.values()))
    assert claim_numbers(again).tolist() == numbers.tolist()
    assert dict(claims_of(claims_table([], []))) == {}


# What counts


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """Three days of three ships: each file reaches an hour into the next day, and holds what the next one holds too."""
    paths = []
    for day in range(3):
        rows = [
            row
            for i, mmsi in enumerate((ALPHA, BRAVO, CHARLIE))
            for row in lie(mmsi, day * 24 * H, (40.0 + i, 130.0), 25.0, every_s=300.0, name=f"SHIP {i} DAY {day}")
        ]
        paths.append(write_parquet(tmp_path / f"{day}.parquet", rows))
    return paths


def test_rows_outside_the_span_are_not_read(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    first_us, last_us = T0_US + int(30.5 * H * 1e6), T0_US + int(31 * H * 1e6)
    blocks = blocks_of(store, entries, first_us, last_us)
    times = np.concatenate([block.time_us for block, _ in blocks])
    assert (times.min(), times.max()) == (first_us, last_us)
    assert len(times) == 3 * 7
    assert all(block.tally.outside_span.sum() == 0 for block, _ in blocks)
    assert {claim.name_raw for _, claims in blocks for claim in claims[1:]} == {f"SHIP {i} DAY 1" for i in range(3)}
    empty = StoredBucket(store.place, 0, last_us, first_us, sources_of(entries))
    assert len(stored_block(empty)[0]) == 0


def test_only_the_inputs_named_count(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    for left_out in range(3):
        counting = [entry for i, entry in enumerate(entries) if i != left_out]
        fresh, alone = stocked(tmp_path / f"fresh{left_out}", [day for i, day in enumerate(days) if i != left_out])
        assert set(alone) == set(counting)
        assert all_said(store, counting) == all_said(fresh, alone)
    assert all(len(block) == 0 for block, _ in blocks_of(store, []))


def test_sources_are_numbered_by_what_they_are(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    sources = sources_of(entries)
    assert sources == sources_of(entries[::-1]) == sources_of([*entries, entries[0]])
    by_id = {entry.source_id: entry for entry in entries}
    for block, _ in blocks_of(store, entries):
        for number in np.unique(block.tally.coverage["source"]).tolist():
            rows = block.tally.coverage[block.tally.coverage["source"] == number]
            assert rows["first_us"].min() >= by_id[sources.source_ids[number]].first_us
    with pytest.raises(StoreError, match="two inputs"):
        Sources.of([(5, "source-a"), (5, "source-b")])


def test_a_store_that_lost_its_claims_is_refused(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    store.claims.delete(pc.field("name_raw") == "SHIP 1 DAY 1")
    with pytest.raises(StoreError, match="lacks 1 claim"):
        blocks_of(store, entries)


def test_a_bucket_can_be_sent_to_another_process(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days, n_buckets=1)
    spec = StoredBucket(store.place, 0, T0_US, T0_US + 10**12, sources_of(entries))
    sent = pickle.loads(pickle.dumps(spec))  # noqa: S301 - made here
    assert sent == spec
    block, claims = pickle.loads(pickle.dumps(stored_block(sent)))  # noqa: S301 - made here
    assert said(block, claims) == said(*stored_block(spec))


def test_a_store_that_is_not_there_is_no_empty_store(days, tmp_path) -> None:
    store, entries = stocked(tmp_path / "store", days)
    spec = StoredBucket(replace(store.place, url=str(tmp_path / "gone")), 0, 0, 1, sources_of(entries))
    with pytest.raises(StoreError, match="there is no store"):
        stored_block(spec)


# The same facts

MEASURES = ("distance_nmi", "moving_h", "mean_speed_kn", "turning_deg_per_nmi", "n_stops_at_sea", "draught_change_m")
"""Measures of a voyage from one report in ten minutes, which the store keeps where its slots divide ten minutes."""
SPANS = {
    "identities": ("mmsi", "segment_id", "name_raw", "imo_raw", "destination_raw", "first_seen", "last_seen"),
    "segments": ("segment_id", "mmsi", "start", "end"),
    "port_visits": ("visit_id", "zone_id", "start", "end", "confidence"),
    "zone_presences": ("segment_id", "zone_id", "start", "end"),
    "voyages": ("voyage_id", "start", "end", "origin", "destination", *MEASURES),
    "silences": ("segment_id", "start", "end"),
}
"""What thinning must not change of each table of facts."""


def spans(*parts: Facts) -> dict[str, list[Any]]:
    return {
        name: sorted(
            (
                tuple(map(str, row))
                for part in parts
                for row in zip(*(getattr(part, name)[c].to_pylist() for c in columns), strict=True)
            ),
        )
        for name, columns in SPANS.items()
    }


def from_store(store: Any, entries: Any, zones: Zones) -> list[Facts]:
    return [derive(block, claims, zones) for block, claims in blocks_of(store, entries)]


def from_files(paths: list[Path], zones: Zones) -> list[Facts]:
    with read_tracks(paths) as tracks:
        return [derive(tracks.block(b), tracks.claims(), zones) for b in range(tracks.n_buckets)]


def a_round(mmsi: int, name: str, every_s: float = 10.0) -> list[Row]:
    """From sea into port and out, dark at sea, renamed, to a roadstead beside another port: four days of dense rows."""
    east = (PORT[0] - 0.5, PORT[1] + 0.6)
    there, road = (38.4, 121.0), (38.95, 121.61)
    return chain(
        lambda t: sail(mmsi, t, east, PORT, every_s=every_s, name=name, draught=7.0, nav_status=0),
        lambda t: lie(mmsi, t, PORT, 9.3, every_s=60.0, name=name, draught=7.0, nav_status=5),
        lambda t: lie(mmsi, t, PORT, 0.7, every_s=every_s, name=name, draught=4.2, nav_status=5),
        lambda t: sail(mmsi, t, PORT, east, every_s=every_s, name=name, draught=4.2),
        lambda t: sail(mmsi, t + 60.0 * H, there, road, every_s=every_s, name=f"{name} II", destination="DALIAN"),
        lambda t: lie(mmsi, t, road, 0.4, every_s=every_s, name=f"{name} II", destination="DALIAN"),
        lambda t: lie(mmsi, t + 7 * H, road, 3.0, every_s=180.0, name=f"{name} II", destination="NAMPO"),
        lambda t: sail(mmsi, t, road, there, every_s=every_s, name=f"{name} II", destination="NAMPO"),
    )  # fmt: skip


def by_day(rows: list[Row], folder: Path, hours: float = 24.0) -> list[Path]:
    """The rows in a file for each day, or each so many hours."""
    folder.mkdir()
    numbers = sorted({int(row["t"] // (hours * H)) for row in rows})
    return [
        write_parquet(folder / f"{n:04}.parquet", [row for row in rows if row["t"] // (hours * H) == n])
        for n in numbers
    ]


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], list[Path], dict[str, list[Any]]]:
    """Dense rows of three ships, two of them under one number; by day; and the facts that all rows give."""
    rows = a_round(ALPHA, "ONE") + a_round(BRAVO, "TWO", 7.0)
    rows += [{**row, "lat": row["lat"] - 30.0} for row in a_round(BRAVO, "TWIN", 14.0)]
    paths = by_day(rows, tmp_path_factory.mktemp("dense") / "days")
    return rows, paths, spans(*from_files(paths, ZONES))


def test_thinned_rows_give_the_same_visits_gaps_and_spells(dense, tmp_path) -> None:
    rows, paths, expected = dense
    store, entries = stocked(tmp_path / "store", paths, zones=ZONES)
    assert sum(entry.n_stored for entry in entries) < 0.25 * len(rows)
    assert spans(*from_store(store, entries, ZONES)) == expected
    assert len(expected["port_visits"]) == 6
    assert len(expected["segments"]) == 3
    assert len(expected["silences"]) >= 3
    assert len(expected["identities"]) >= 9


@pytest.mark.parametrize("hours", [1.0, 7.0, 240.0])
def test_splitting_days_into_files_changes_nothing_that_matters(dense, tmp_path, hours) -> None:
    rows, _, expected = dense
    paths = by_day(rows, tmp_path / "split", hours)
    store, entries = stocked(tmp_path / "store", paths[::2], paths[1::2], zones=ZONES)
    assert spans(*from_store(store, entries, ZONES)) == expected


def test_the_invented_sea_reads_back_as_it_was(tmp_path) -> None:
    zones = read_zones()
    paths = sorted(FIXTURES.glob("*.parquet"))[:8]
    whole = spans(*from_files(paths, zones))
    store, entries = stocked(tmp_path / "store", paths[1::2], paths[::2], zones=zones)
    assert spans(*from_store(store, entries, zones)) == whole
    coarse, entries = stocked(tmp_path / "coarse", paths, zones=zones, parameters=ThinParameters(thin_s=600.0))
    assert spans(*from_store(coarse, entries, zones)) == whole
    assert sum(entry.n_stored for entry in entries) < 0.95 * sum(entry.n_rows for entry in entries)


def test_two_hulls_a_long_way_apart_stay_two(tmp_path) -> None:
    one = sail(ALPHA, 0.0, (41.0, 133.0), (42.0, 133.0), every_s=60.0)
    other = [{**row, "t": row["t"] + 7.0, "lat": row["lat"] - 5.0} for row in one]
    path = write_parquet(tmp_path / "x.parquet", [*one, *other])
    store, entries = stocked(tmp_path / "store", [path], n_buckets=1, parameters=ThinParameters(thin_s=600.0))
    (facts,) = from_store(store, entries, ZONES)
    assert facts.segments.num_rows == 2
    assert facts.segments["n_positions"].to_pylist() == [40, 40]
    assert len(block_of(one, other)) == 602
