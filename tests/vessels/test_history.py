"""The history as a whole: what may change the input without changing what is said of it."""

import itertools
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    T0_US,
    TABLES,
    H,
    chain,
    disc,
    facts_of,
    gathered,
    history_of,
    instant,
    lie,
    polygon,
    sail,
    shifted,
    tables_of,
    zones_of,
)
from vessels.geodesy import wrap_degrees
from vessels.history import SKETCH_MIN, combine, derive
from vessels.schema import COVERAGE

LAW = settings(max_examples=12, deadline=None)

EAST, WEST = (40.0, 130.0), (40.0, 128.0)
ZONES = zones_of(
    disc("XX_EAST", *EAST, 8.0), disc("XX_WEST", *WEST, 8.0), disc("XX_BELT", 40.0, 129.0, 20.0, "sts_zone")
)


def fleet():
    """Three numbers: a trader; one that two hulls share, with a wild position; one heard by static rows alone."""
    trader = chain(
        lambda t: lie(ALPHA, t, EAST, 3.0, name="MIRAE 3", imo="2318669"),
        lambda t: sail(ALPHA, t, EAST, WEST, name="MIRAE 3", draught=4.5),
        lambda t: lie(ALPHA, t, WEST, 3.0, name="SAEBYOL 5"),
    )
    shared = [
        *sail(BRAVO, 0.0, (38.0, 131.0), (39.0, 131.0), name="CHILBO 7"),
        *sail(BRAVO, 300.0, (30.0, 125.0), (31.0, 125.0), name="RYONGSONG"),
        {"mmsi": BRAVO, "t": 4000.0, "lat": -20.0, "lon": 10.0},
    ]
    said = [{"mmsi": CHARLIE, "t": t, "name": "ULAAN 2"} for t in (5.0, 50.0)]
    ties = [{**trader[4], "sog": 0.1}, {**trader[4], "lon": trader[4]["lon"] + 1e-4}, {**trader[4], "name": "OTHER"}]
    return [*trader, *shared, *said, *ties]


ROWS = fleet()
KNOWN = tables_of(history_of(ROWS, zones=ZONES))


def test_the_fleet_of_these_tests_is_worth_testing_with():
    assert all(KNOWN[name] for name in TABLES)
    by_mmsi = {vessel["mmsi"]: vessel for vessel in KNOWN["vessels"]}
    assert by_mmsi[BRAVO]["n_segments"] == 2
    assert by_mmsi[BRAVO]["n_noise"] == 1
    assert by_mmsi[CHARLIE]["n_positions"] == 0


@LAW
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.sampled_from([1, 7]), st.sampled_from([3, 40, 1000]))
def test_order_files_chunks_and_buckets_change_nothing(random, n_files, n_buckets, chunk_rows):
    mixed = random.sample(ROWS, len(ROWS))
    files = [mixed[i::n_files] for i in range(n_files)]
    assert tables_of(history_of(*files, zones=ZONES, n_buckets=n_buckets, chunk_rows=chunk_rows)) == KNOWN


@LAW
@given(st.sampled_from([1, 3]), st.integers(0, len(ROWS)))
def test_a_spill_folder_and_repeats_change_nothing(tmp_path_factory, n_buckets, n_again):
    spill = tmp_path_factory.mktemp("spill")
    again = history_of(ROWS, ROWS[:n_again], zones=ZONES, n_buckets=n_buckets, spill=spill, chunk_rows=50)
    assert tables_of(again) == KNOWN


IDS = ("segment_id", "hull_id", "visit_id", "presence_id", "voyage_id", "origin_visit_id", "destination_visit_id")


def without(tables, *names):
    return {table: [{k: v for k, v in row.items() if k not in names} for row in rows] for table, rows in tables.items()}


@pytest.mark.parametrize("days", [1, -30, 366, 36_525])
def test_shifting_time_by_whole_days_shifts_times_and_changes_ids_only(days):
    shift = timedelta(days=days)
    later = [{**row, "t": row["t"] + shift.total_seconds()} for row in ROWS]
    moved = tables_of(history_of(later, zones=ZONES))
    back = {
        table: [{k: v - shift if hasattr(v, "tzinfo") else v for k, v in row.items()} for row in rows]
        for table, rows in moved.items()
    }
    assert without(back, *IDS) == without(KNOWN, *IDS)


def test_renaming_ships_changes_numbers_and_ids_only():
    renamed = [{**row, "mmsi": row["mmsi"] + 7} for row in ROWS]
    tables = tables_of(history_of(renamed, zones=ZONES))
    assert without(tables, *IDS, "mmsi") == without(KNOWN, *IDS, "mmsi")
    assert {row["mmsi"] - 7 for row in tables["vessels"]} == {ALPHA, BRAVO, CHARLIE}


@pytest.mark.parametrize("turn", [51.0, 50.99, -128.5, 180.0])
def test_turning_the_globe_changes_nothing_but_longitudes_and_the_hour_of_the_sun(turn):
    def turned(lon):
        return float(wrap_degrees(lon + turn))

    rows = [{**row, **({"lon": turned(row["lon"])} if "lon" in row else {})} for row in ROWS]
    zones = zones_of(
        *(polygon(z.zone_id, shifted(z.geometry, turn), z.kind, lat=z.lat, lon=turned(z.lon)) for z in ZONES.zones)
    )
    tables = tables_of(history_of(rows, zones=zones))
    longitudes = ("lon", "start_lon", "end_lon", "first_lon", "last_lon")
    free = (*longitudes, "night_share")
    for table, known in without(KNOWN, *free).items():
        for one, other in zip(known, without(tables, *free)[table], strict=True):
            assert list(one) == list(other)
            for name, value in one.items():
                if isinstance(value, float):
                    assert other[name] == pytest.approx(value, abs=2e-3), (table, name)
                else:
                    assert other[name] == value, (table, name)
    for table, known in KNOWN.items():
        for one, other in zip(known, tables[table], strict=True):
            for name in set(longitudes) & set(one):
                if one[name] is not None:
                    assert float(wrap_degrees(other[name] - one[name] - turn)) == pytest.approx(0.0, abs=1e-5)


def test_one_ship_is_the_same_with_and_without_the_others():
    alone = tables_of(history_of([row for row in ROWS if row["mmsi"] == ALPHA], zones=ZONES))
    assert alone == {table: [row for row in rows if row["mmsi"] == ALPHA] for table, rows in KNOWN.items()}


def test_tables_are_sorted_by_vessel_and_ids_are_unique():
    history = history_of(ROWS, zones=ZONES, n_buckets=7)
    for name in TABLES:
        mmsi = getattr(history, name)["mmsi"].to_pylist()
        assert mmsi == sorted(mmsi), name
    for name, key in (
        ("segments", "segment_id"),
        ("port_visits", "visit_id"),
        ("zone_presences", "presence_id"),
        ("voyages", "voyage_id"),
    ):
        ids = getattr(history, name)[key].to_pylist()
        assert len(set(ids)) == len(ids), name


def test_segments_say_how_far_and_how_fast():
    run = sail(ALPHA, 0.0, (38.0, 131.0), (39.0, 131.0), speed_kn=12.0)
    (segment,) = tables_of(history_of(run))["segments"]
    assert segment["distance_nmi"] == pytest.approx(60.0, rel=0.002)
    assert segment["max_implied_speed_kn"] == pytest.approx(12.0, rel=0.01)
    assert (segment["start_lat"], segment["end_lat"], segment["n_positions"]) == (38.0, 39.0, len(run))
    assert (segment["start"], segment["end"]) == (instant(0), instant(run[-1]["t"]))


def test_sketches_are_real_reports_about_so_many_minutes_apart_with_both_ends():
    run = sail(ALPHA, 30.0, (38.0, 131.0), (39.0, 131.0), every_s=60.0)
    sketch = tables_of(history_of(run))["sketches"]
    real = {(instant(row["t"]), row["lat"], row["lon"]) for row in run}
    points = [(s["timestamp"], s["lat"], s["lon"]) for s in sketch]
    assert set(points) <= real
    assert (points[0][0], points[-1][0]) == (instant(30.0), instant(run[-1]["t"]))
    gaps = [(b[0] - a[0]).total_seconds() / 60 for a, b in itertools.pairwise(points)]
    assert max(gaps) <= SKETCH_MIN + 1
    assert len(points) <= 5 * H / 60 / SKETCH_MIN + 3


def test_nothing_heard_is_a_history_of_empty_tables():
    history = history_of([], zones=ZONES)
    assert all(getattr(history, name).num_rows == 0 for name in TABLES)
    nothing = combine([], COVERAGE.empty(), instant(0), ZONES)
    for name in TABLES:
        assert getattr(nothing, name).schema.equals(getattr(history, name).schema)


def test_facts_of_buckets_may_be_combined_in_any_order():
    facts = facts_of(ROWS, zones=ZONES, n_buckets=5)
    one, other = (combine(parts, COVERAGE.empty(), instant(0), ZONES) for parts in (facts, facts[::-1]))
    for name in TABLES:
        table: pa.Table = getattr(one, name)
        assert table.equals(getattr(other, name)), name


def test_what_comes_after_the_cut_leaves_no_trace():
    cut = 9_000.0
    early = [row for row in ROWS if row["t"] <= cut]
    late = [*ROWS, {"mmsi": CHARLIE + 1, "t": cut + 60, "lat": 38.0, "lon": 131.0}]
    gatherer = gathered([late])
    facts = derive(gatherer.block(0, (0, T0_US + round(cut * 1e6))), gatherer.register.claims(), ZONES)
    assert tables_of(facts) == tables_of(facts_of(early, zones=ZONES)[0])
