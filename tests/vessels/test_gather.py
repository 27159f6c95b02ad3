"""Gathering: whatever the order and cutting of the input, each vessel's rows come together, once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, EVER, T0_US, chunk, gathered
from vessels.gather import Gatherer, bucket_of, stable_order
from vessels.track import ROW_COLUMNS
from vessels.units import US_PER_S

LAW = settings(max_examples=40, deadline=None)

NAMES = st.sampled_from([None, "MIRAE 3", "SAEBYOL 5"])
VALUES = ("t", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "name")


@st.composite
def rows(draw):
    """Rows that often share an instant, a place or all they say."""
    placed = draw(st.booleans())
    return {
        "mmsi": draw(st.sampled_from([ALPHA, BRAVO, CHARLIE])),
        "t": draw(st.integers(0, 12)) * 60,
        "lat": draw(st.sampled_from([35.0, 35.01, 36.0])) if placed else None,
        "lon": draw(st.sampled_from([130.0, 130.01])) if placed else None,
        "sog": draw(st.sampled_from([None, 0.0, 12.0])),
        "nav_status": draw(st.sampled_from([None, 0, 5])),
        "name": draw(NAMES) if placed else draw(st.sampled_from(["MIRAE 3", "SAEBYOL 5"])),
    }


FILES = st.lists(st.lists(rows(), max_size=25), min_size=1, max_size=3)


def plain(gatherer):
    """All positions that are kept, as plain rows in order; and all static-only rows."""
    claims = gatherer.register.claims()
    positions, statements = [], []
    for b in range(gatherer.n_buckets):
        block = gatherer.block(b, EVER)
        assert (np.diff(block.mmsi) > 0).all()
        for v, mmsi in enumerate(block.mmsi.tolist()):
            for i in range(block.offsets[v], block.offsets[v + 1]):
                row = {name: getattr(block, name)[i].item() for name in ROW_COLUMNS if name not in ("static", "source")}
                said = {name: None if value != value or value == -1 else value for name, value in row.items()}
                positions.append((mmsi, *said.values(), claims[block.static[i]].name_raw))
        for v, time_us, static in zip(
            *(getattr(block.statements, n).tolist() for n in ("vessel", "time_us", "static")), strict=True
        ):
            statements.append((int(block.mmsi[v]), time_us, claims[static].name_raw))
    return sorted(positions, key=lambda row: row[0]), sorted(statements, key=str)


def slowly(files):
    """The same with pandas: all rows, repeats dropped, sorted by vessel and time."""
    frame = pd.DataFrame(
        [{"mmsi": r["mmsi"], **{n: r.get(n) for n in VALUES}} for file in files for r in file], dtype=object
    )
    if frame.empty:
        return [], []
    frame = frame.drop_duplicates()
    frame["time_us"] = T0_US + frame["t"].astype("int64") * US_PER_S
    silent = frame["lat"].isna()
    columns = ["mmsi", "time_us", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "name"]
    placed = frame.loc[~silent, columns].sort_values(["mmsi", "time_us"], kind="stable")
    said = [tuple(None if v is None or v != v else v for v in row) for row in placed.itertuples(index=False)]
    return said, sorted(frame.loc[silent, ["mmsi", "time_us", "name"]].itertuples(index=False, name=None), key=str)


def unordered(positions):
    return sorted(positions, key=lambda row: tuple(str(value) for value in row))


@LAW
@given(FILES)
def test_gathering_is_a_sort_by_vessel_and_time_without_repeats(files):
    positions, statements = plain(gathered(files))
    expected, expected_statements = slowly(files)
    assert [row[:2] for row in positions] == [row[:2] for row in expected]
    assert unordered(positions) == unordered(expected)
    assert statements == expected_statements


@LAW
@given(FILES, st.randoms(use_true_random=False), st.sampled_from([1, 7]), st.integers(1, 30))
def test_neither_order_nor_files_nor_chunks_nor_buckets_change_the_positions(files, random, n_buckets, chunk_rows):
    mixed = [random.sample(file, len(file)) for file in random.sample(files, len(files))]
    assert plain(gathered(mixed, n_buckets=n_buckets, chunk_rows=chunk_rows)) == plain(gathered(files))
    whole = [row for file in mixed for row in file]
    assert plain(gathered([whole])) == plain(gathered(files))


@LAW
@given(FILES, st.integers(0, 24))
def test_a_repeated_row_or_file_changes_no_position(files, which):
    again = [*files, files[0], [*files[0], *files[0][which : which + 5]]]
    assert plain(gathered(again)) == plain(gathered(files))


@settings(max_examples=15, deadline=None)
@given(files=FILES, n_buckets=st.sampled_from([1, 3]))
def test_a_spill_folder_gives_what_memory_gives(tmp_path_factory, files, n_buckets):
    folder = tmp_path_factory.mktemp("spill")
    spilled = gathered(files, n_buckets=n_buckets, chunk_rows=4, spill=folder)
    assert plain(spilled) == plain(gathered(files))
    for b in range(n_buckets):
        spilled.block(b, EVER, release=True)
    assert list(folder.iterdir()) == []


def test_long_runs_and_short_runs_are_copied_alike():
    many = [{"mmsi": ALPHA + v, "t": t * 10, "lat": 30 + t / 1e4, "lon": v} for t in range(300) for v in range(3)]
    few = [{"mmsi": ALPHA + v, "t": t * 10, "lat": 30 + t / 1e4, "lon": v} for t in range(3) for v in range(300)]
    for rows_ in (many, few):
        assert plain(gathered([rows_]))[0] == slowly([rows_])[0]


def test_a_released_bucket_is_forgotten():
    gatherer = gathered([[{"mmsi": ALPHA, "t": 0, "lat": 35.0, "lon": 130.0}]])
    assert len(gatherer.block(0, EVER, release=True)) == 1
    assert len(gatherer.block(0, EVER)) == 0


def test_rows_of_a_file_set_aside_do_not_count():
    one = [{"mmsi": ALPHA, "t": 0, "lat": 35.0, "lon": 130.0}]
    other = [{"mmsi": BRAVO, "t": 0, "lat": 36.0, "lon": 131.0}]
    block = gathered([one, other]).block(0, EVER, frozenset({1}))
    assert block.mmsi.tolist() == [ALPHA]
    assert block.lat.tolist() == [35.0]


def test_an_empty_chunk_and_an_empty_bucket_are_no_trouble():
    gatherer = Gatherer(3)
    gatherer.add(chunk([]), 0)
    assert [len(gatherer.block(b, EVER)) for b in range(3)] == [0, 0, 0]


@LAW
@given(st.lists(st.integers(0, 2**20), max_size=60))
def test_the_radix_order_is_the_stable_order(codes):
    codes = np.array(codes, np.int64)
    order = stable_order(codes, int(codes.max()) + 1 if len(codes) else 0)
    assert order.tolist() == np.argsort(codes, kind="stable").tolist()


def test_vessels_of_one_state_are_spread_over_the_buckets():
    bucket = bucket_of(np.arange(273_000_000, 273_010_000), 7)
    assert set(bucket.tolist()) == set(range(7))
    counts = np.bincount(bucket)
    assert counts.max() < 1.5 * counts.min()


@pytest.mark.parametrize("n_buckets", [1, 2, 7])
def test_a_vessels_bucket_depends_on_its_number_alone(n_buckets):
    numbers = np.array([ALPHA, BRAVO, CHARLIE])
    together = bucket_of(numbers, n_buckets).tolist()
    assert together == [bucket_of(numbers[i : i + 1], n_buckets)[0] for i in range(3)]
    assert all(0 <= b < n_buckets for b in together)
