"""Conversion to canonical Parquet: whole or not at all, and nothing of a file that breaks off."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from vessels.canonical import CANONICAL_POSITIONS, write_canonical
from vessels.dialects import CANONICAL
from vessels.errors import NothingReadableError
from vessels.reading import ReadOptions, find_inputs

HEADER = "mmsi,timestamp,lat,lon,name\n"


def rows(n: int, first: int = 0) -> str:
    return "".join(f"{235000000 + first + i},2016-01-12T13:02:11Z,50.75,-1.25,N{i}\n" for i in range(n))


def test_several_dialects_become_one_file(tmp_path: Path, read: Callable[..., Any]) -> None:
    (tmp_path / "a.csv").write_text(HEADER + rows(3) + "x,,,,\n")
    (tmp_path / "b.csv").write_text("MMSI,BaseDateTime,LAT,LON\n366000001,2022-06-20T00:00:04,33.5,-118.25\n")
    files, _ = find_inputs([tmp_path])
    out = tmp_path / "deep" / "out.parquet"
    summary = write_canonical(files, out, ReadOptions())
    assert (summary.n_rows, list(summary.rows_by_input.values())) == (4, [3, 1])
    assert sorted(summary.dialects.values()) == ["marinecadastre", "wakewatch"]
    assert sum(counts.n_rejected for counts in summary.counts_by_input.values()) == 1
    table = pq.read_table(out)
    assert table.column_names == [*CANONICAL, "source_id"] == list(CANONICAL_POSITIONS.names)
    assert table["source_id"].to_pylist() == [str(tmp_path / "a.csv")] * 3 + [str(tmp_path / "b.csv")]
    assert read(out).dialect == "wakewatch"
    assert sorted(path.name for path in out.parent.iterdir()) == ["out.parquet"], "no scratch is left"


def test_a_file_that_breaks_off_leaves_no_row(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + rows(60_000)).encode())
    (tmp_path / "broken.csv.gz").write_bytes(packed[: len(packed) - 200])
    (tmp_path / "good.csv").write_text(HEADER + rows(2, first=900))
    out = tmp_path / "out.parquet"
    summary = write_canonical(find_inputs([tmp_path])[0], out, ReadOptions(chunk_rows=1000))
    assert [item.reason for item in summary.set_aside] == ["broken_packing"]
    assert (summary.n_rows, pq.read_metadata(out).num_rows) == (2, 2)
    assert list(summary.counts_by_input) == [str(tmp_path / "good.csv")]


def test_nothing_readable_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("hello\n")
    with pytest.raises(NothingReadableError, match=r"a\.csv"):
        write_canonical(find_inputs([tmp_path])[0], tmp_path / "out.parquet", ReadOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_earlier_output_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("hello\n")
    out = tmp_path / "out.parquet"
    out.write_text("earlier")
    with pytest.raises(NothingReadableError):
        write_canonical(find_inputs([tmp_path / "a.csv"])[0], out, ReadOptions())
    assert out.read_text() == "earlier"


def test_no_rows_make_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER)
    write_canonical(find_inputs([tmp_path / "a.csv"])[0], tmp_path / "out.parquet", ReadOptions())
    table = pq.read_table(tmp_path / "out.parquet")
    assert (table.num_rows, table.column_names) == (0, list(CANONICAL_POSITIONS.names))
