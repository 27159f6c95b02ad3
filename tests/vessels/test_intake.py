"""Taking in: files under any names, in any cutting, read by any number of threads, are the same tracks."""

import os
import shutil
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detectors.batch.scan import derive_history
from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    TABLES,
    chain,
    disc,
    instant,
    lie,
    sail,
    tables_of,
    write_parquet,
    zones_of,
)
from vessels.errors import NothingReadableError, UsageError
from vessels.instants import instant_us
from vessels.intake import read_tracks
from vessels.reading import ReadOptions
from vessels.zones import Zones

EAST, WEST = (40.0, 130.0), (40.0, 128.0)
ZONES = zones_of(disc("XX_EAST", *EAST, 8.0), disc("XX_WEST", *WEST, 8.0))
ROWS = [
    *chain(
        lambda t: lie(ALPHA, t, EAST, 2.0, name="MIRAE 3"),
        lambda t: sail(ALPHA, t, EAST, WEST, name="MIRAE 3"),
        lambda t: lie(ALPHA, t, WEST, 2.0, name="MIRAE 3"),
    ),
    *sail(BRAVO, 0.0, (38.0, 131.0), (39.0, 131.0), name="CHILBO 7"),
    *({"mmsi": CHARLIE, "t": t, "name": "ULAAN 2", "call_sign": "JVQZ5"} for t in (5.0, 65.0)),
]


def facts(paths, zones: Zones = ZONES, as_of=None, **how):
    with read_tracks(paths, **how) as tracks:
        history, _, _, _ = derive_history(tracks, zones, as_of=as_of, jobs=how.get("jobs"))
    return tables_of(history), history.as_of


@pytest.fixture
def whole(tmp_path):
    return write_parquet(tmp_path / "whole.parquet", ROWS)


def test_files_in_any_cutting_under_any_names_are_the_same_tracks(tmp_path, whole):
    known = facts(whole)
    cut = tmp_path / "cut"
    cut.mkdir()
    for i, name in enumerate(["z.parquet", "a.parquet", "m.parquet"]):
        write_parquet(cut / name, ROWS[i::3][::-1])
    assert facts(cut) == known
    assert facts([str(cut / "*.parquet")], jobs=1) == known
    assert facts([whole, cut], jobs=2) == known


@pytest.mark.parametrize("chunk_rows", [1, 7, 100_000])
@pytest.mark.parametrize("jobs", [1, 2])
def test_neither_chunks_nor_threads_change_anything(tmp_path, whole, chunk_rows, jobs):
    small = write_parquet(tmp_path / "groups.parquet", ROWS, row_group_size=13)
    assert facts(small, options=ReadOptions(chunk_rows=chunk_rows), jobs=jobs) == facts(whole)


def test_a_spill_folder_gives_what_memory_gives_and_is_removed(tmp_path, whole, monkeypatch):
    known = facts(whole)
    monkeypatch.setattr("vessels.intake.ROWS_IN_MEMORY", 10)
    monkeypatch.setattr("vessels.intake.ROWS_PER_BUCKET", 20)
    spill = tmp_path / "spill"
    spill.mkdir()
    with read_tracks(whole, spill_dir=spill) as tracks:
        assert tracks.n_buckets > 1
        assert any(spill.iterdir())
        history, _, _, _ = derive_history(tracks, ZONES)
    assert (tables_of(history), history.as_of) == known
    assert list(spill.iterdir()) == []


def test_a_spill_folder_is_removed_when_reading_fails(tmp_path, whole, monkeypatch):
    monkeypatch.setattr("vessels.intake.ROWS_IN_MEMORY", 10)

    def fail(*_):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("vessels.gather._spill_piece", fail)
    spill = tmp_path / "spill"
    spill.mkdir()
    with pytest.raises(RuntimeError, match="disk is full"):
        read_tracks(whole, spill_dir=spill)
    assert list(spill.iterdir()) == []


def source_ids(*paths):
    with read_tracks(list(paths)) as tracks:
        tallies = [tracks.block(b).tally for b in range(tracks.n_buckets)]
        return [source_id for source_id, _ in tracks.named_inputs(tracks.source_ids(tallies))]


def test_a_source_id_is_of_the_content_whatever_the_order_and_repeats(tmp_path, whole):
    (known,) = source_ids(whole)
    shuffled = write_parquet(tmp_path / "shuffled.parquet", ROWS[::-1])
    repeated = write_parquet(tmp_path / "repeated.parquet", [*ROWS, *ROWS[3:9]])
    other = write_parquet(tmp_path / "other.parquet", ROWS[:-1])
    assert source_ids(shuffled) == source_ids(repeated) == [known]
    assert source_ids(other) != [known]
    assert known in source_ids(whole, other)


def test_the_same_bytes_count_once_under_all_their_names(tmp_path, whole):
    copy = tmp_path / "copy.parquet"
    shutil.copy(whole, copy)
    with read_tracks([whole, copy]) as tracks:
        (record,) = tracks.inputs
        assert record.names == (str(copy), str(whole))
        assert tracks.n_rows == len(ROWS)


def test_repeats_are_counted_within_a_file_and_across_files(tmp_path, whole):
    again = write_parquet(tmp_path / "again.parquet", [*ROWS[:4], *ROWS[:4]])
    with read_tracks([whole, again]) as tracks:
        _, rejects, ids, _ = derive_history(tracks, ZONES)
    counted = {(row["reason"], row["source_id"] in ids): row["n_rows"] for row in rejects.to_pylist()}
    assert counted == {("exact_repeat", True): 4, ("repeat_in_another_file", False): 4}


def test_an_as_of_cuts_later_rows_and_counts_them(tmp_path, whole):
    cut = 3 * 3600.0
    early = write_parquet(tmp_path / "early.parquet", [row for row in ROWS if row["t"] <= cut])
    tables, as_of = facts(whole, as_of=instant(cut))
    assert tables == facts(early, as_of=instant(cut))[0]
    assert as_of == instant(cut)
    with read_tracks(whole) as tracks:
        _, rejects, _, _ = derive_history(tracks, ZONES, as_of=instant(cut))
    assert [(row["reason"], row["n_rows"]) for row in rejects.to_pylist()] == [
        ("time_outside_span", sum(row["t"] > cut for row in ROWS))
    ]


def test_an_as_of_before_all_rows_leaves_nothing_and_one_after_changes_nothing(whole):
    tables, as_of = facts(whole, as_of=instant(-60.0))
    assert all(rows == [] for rows in tables.values())
    assert as_of == instant(-60.0)
    later = instant(90 * 86_400.0)
    assert facts(whole, as_of=later) == (facts(whole)[0], later)


def test_an_as_of_without_a_zone_is_refused():
    with pytest.raises(UsageError, match="Z for UTC"):
        instant_us(datetime(2024, 5, 1))  # noqa: DTZ001 - the fault under test
    assert instant_us(datetime(1970, 1, 1, 9, tzinfo=UTC) + timedelta(microseconds=3)) == 9 * 3_600_000_000 + 3


def test_now_is_the_newest_report_and_a_row_in_2099_does_not_become_now(tmp_path, whole):
    newest = instant(max(row["t"] for row in ROWS))
    assert facts(whole)[1] == newest
    stray = {**ROWS[0], "t": (datetime(2099, 1, 1, tzinfo=UTC) - instant(0)).total_seconds()}
    tables, as_of = facts(write_parquet(tmp_path / "stray.parquet", [*ROWS, stray]))
    assert as_of == newest
    assert tables == facts(whole)[0]


def test_a_row_of_long_ago_does_not_stretch_the_history(tmp_path, whole):
    stray = {**ROWS[0], "t": (datetime(1999, 1, 1, tzinfo=UTC) - instant(0)).total_seconds()}
    assert facts(write_parquet(tmp_path / "stray.parquet", [stray, *ROWS])) == facts(whole)


def test_a_broken_file_is_set_aside_and_none_of_its_rows_count(tmp_path, whole):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(whole.read_bytes()[:-100])
    with read_tracks([whole, broken]) as tracks:
        assert [aside.name for aside in tracks.set_aside] == [str(broken)]
        assert len(tracks.inputs) == 1
        history, _, _, _ = derive_history(tracks, ZONES)
    assert tables_of(history) == facts(whole)[0]


def test_a_file_that_breaks_half_way_gives_none_of_its_rows(tmp_path, whole):
    damaged = write_parquet(
        tmp_path / "damaged.parquet", [{**row, "mmsi": row["mmsi"] + 1} for row in ROWS], row_group_size=40
    )
    content = bytearray(damaged.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    damaged.write_bytes(content)
    try:
        with read_tracks([whole, damaged], options=ReadOptions(chunk_rows=10)) as tracks:
            aside, history = tracks.set_aside, derive_history(tracks, ZONES)[0]
    except NothingReadableError:
        pytest.fail("one broken file stopped the other")
    assert [item.name for item in aside] == [str(damaged)]
    assert tables_of(history) == facts(whole)[0]


def test_nothing_readable_at_all_names_every_file(tmp_path):
    for name in ("one.parquet", "two.csv"):
        (tmp_path / name).write_bytes(b"PAR1 is not enough")
    with pytest.raises(NothingReadableError, match=r"(?s)one\.parquet.*two\.csv"):
        read_tracks(tmp_path)


def test_no_input_is_wrong_usage(tmp_path):
    for inputs in ([], tmp_path, tmp_path / "nowhere.parquet", str(tmp_path / "*.csv")):
        with pytest.raises(UsageError):
            read_tracks(inputs)


def test_a_file_of_no_rows_is_read_and_leaves_empty_tables(tmp_path):
    tables, as_of = facts(write_parquet(tmp_path / "empty.parquet", []))
    assert tables == {name: [] for name in TABLES}
    assert as_of == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_set_aside_and_never_waited_for(tmp_path, whole):
    os.mkfifo(tmp_path / "pipe.parquet")
    with read_tracks([whole, tmp_path / "pipe.parquet"]) as tracks:
        assert [aside.reason for aside in tracks.set_aside] == ["not_a_file"]


def test_positions_are_all_kept_rows_in_order_with_their_file(tmp_path, whole):
    more = write_parquet(tmp_path / "more.parquet", lie(CHARLIE, 0.0, (36.0, 130.0), 1.0))
    with read_tracks([whole, more]) as tracks:
        table = tracks.positions().to_pylist()
    placed = sorted((row["mmsi"], row["t"]) for row in [*ROWS, *lie(CHARLIE, 0.0, (36.0, 130.0), 1.0)] if "lat" in row)
    assert [(row["mmsi"], row["timestamp"]) for row in table] == [(mmsi, instant(t)) for mmsi, t in placed]
    assert len({row["source_id"] for row in table}) == 2
    assert {row["nav_status"] for row in table} == {None}


def test_progress_is_told_by_stage(whole):
    told = []
    with read_tracks(whole, progress=lambda *what: told.append(what)):
        pass
    assert {stage for stage, _, _ in told} == {"digest", "read"}
    assert all(0 < done <= total for _, done, total in told)


def test_repeating_a_row_of_a_far_future_does_not_make_it_now(tmp_path):
    usual = [datetime(2025, 3, 1, 0, i % 60, tzinfo=UTC) for i in range(120)]
    rows = {"mmsi": 273_000_001, "lat": 42.5, "lon": 133.0, "sog": 0.0}
    times = [*usual, *[datetime(2099, 2, 11, tzinfo=UTC)] * 40]
    table = pa.table({**{k: [v] * len(times) for k, v in rows.items()}, "timestamp": pa.array(times)})
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table.slice(0, 130), tmp_path / "b.parquet")
    with read_tracks(tmp_path) as tracks:
        assert tracks.as_of == max(usual)
