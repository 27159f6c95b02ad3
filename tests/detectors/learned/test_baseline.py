"""The baseline: what is learned, what is left out, and which files are refused."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detectors.learned.baseline import BASELINE, Baseline, default_baseline, fit_baseline, read_baseline
from vessels.errors import SettingsError, UsageError
from vessels.zones import Zones


def test_a_baseline_reads_back_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    baseline.write(tmp_path / "b.parquet")
    again = read_baseline(tmp_path / "b.parquet")
    assert again == baseline
    assert again.table.equals(baseline.table)
    assert [path.name for path in tmp_path.iterdir()] == ["b.parquet"]


def test_row_order_changes_no_byte_of_the_baseline(ordinary: Any, watched: Zones, tmp_path: Path) -> None:
    for number, shuffle in enumerate((None, 3, 4)):
        fit_baseline(ordinary.history(shuffle), watched).write(tmp_path / f"{number}.parquet")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_voyages_that_others_call_odd_are_left_out(ordinary: Any, watched: Zones) -> None:
    odd = frozenset(voyage["voyage_id"] for voyage in ordinary.voyages[:7])
    learned = fit_baseline(ordinary.history(), watched, odd)
    assert odd.isdisjoint(learned.table["voyage_id"].to_pylist())
    assert learned.n_voyages == learned.origin.n_candidates - 7
    assert learned.origin.n_left_out == 7


def test_caps_hold_and_a_smaller_draw_is_part_of_a_larger_one(ordinary: Any, watched: Zones) -> None:
    small, large = (fit_baseline(ordinary.history(), watched, max_voyages=n) for n in (100, 300))
    assert (small.n_voyages, large.n_voyages) == (100, 300)
    assert set(small.table["voyage_id"].to_pylist()) < set(large.table["voyage_id"].to_pylist())
    capped = fit_baseline(ordinary.history(), watched, max_voyages_per_vessel=3)
    assert max(Counter(capped.table["vessel"].to_pylist()).values()) == 3


def test_a_baseline_names_no_ship(baseline: Baseline) -> None:
    assert not {"mmsi", "name", "imo"} & set(baseline.table.column_names)
    assert max(baseline.table["vessel"].to_pylist()) < baseline.n_vessels


def test_no_ordinary_voyage_is_refused(ordinary: Any, watched: Zones) -> None:
    everything = frozenset(voyage["voyage_id"] for voyage in ordinary.voyages)
    with pytest.raises(UsageError, match="800 of these are left out"):
        fit_baseline(ordinary.history(), watched, everything)
    with pytest.raises(UsageError, match="of 0 voyages"):
        fit_baseline(replace(ordinary, voyages=[]).history(), watched)


def broken(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def with_metadata(old: bytes, new: bytes) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.replace_schema_metadata({k: v.replace(old, new) for k, v in table.schema.metadata.items()})

    return change


def with_column(name: str, values: Callable[[pa.Table], Any]) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(name), name, pa.array(values(table)))

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table.replace_schema_metadata({}), "no wakewatch baseline"),
        (with_metadata(b'"format": 1', b'"format": 9'), "format 9; this version reads format 1"),
        (with_metadata(b'"features_version": 1', b'"features_version": 0'), "features of version 0"),
        (with_metadata(b'"seed"', b'"sead"'), "metadata"),
        (lambda table: table.drop_columns(["night_share"]), "column night_share is missing"),
        (with_column("night_share", lambda t: ["much"] * t.num_rows), "column night_share is string"),
        (with_column("ship_class", lambda t: ["cargo", None] * (t.num_rows // 2)), "column ship_class has 400 nulls"),
        (with_column("voyage_id", lambda t: ["one"] * t.num_rows), "voyage_id names a voyage twice"),
        (with_column("night_share", lambda t: [float("inf")] * t.num_rows), "infinite"),
        (lambda table: table.slice(0, 0), "no rows"),
    ],
)
def test_a_wrong_baseline_is_refused_by_name_and_rule(
    baseline: Baseline, tmp_path: Path, change: Callable[[pa.Table], pa.Table], says: str
) -> None:
    path = tmp_path / "mine.parquet"
    baseline.write(path)
    broken(path, change)
    with pytest.raises(SettingsError, match=says) as refusal:
        read_baseline(path)
    assert "mine.parquet" in str(refusal.value)
    assert "wakewatch fit" in str(refusal.value)


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but not really")
    for name in ("x.parquet", "absent.parquet", "."):
        with pytest.raises(SettingsError, match="baseline"):
            read_baseline(tmp_path / name)


def test_the_packaged_baseline_is_readable_if_there_is_one() -> None:
    packaged = default_baseline()
    assert packaged is None or packaged.table.column_names == list(BASELINE.names)
