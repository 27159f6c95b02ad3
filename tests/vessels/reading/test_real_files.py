"""Real samples, for what nobody here wrote; skipped where `WAKEWATCH_REAL_DATA` names no folder of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from vessels.canonical import write_canonical
from vessels.errors import InputFileError
from vessels.reading import ReadOptions, find_inputs

FOLDER = os.environ.get("WAKEWATCH_REAL_DATA", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="WAKEWATCH_REAL_DATA is not set")
Reader = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "dialect", "n_rows", "reasons", "options"),
    [
        (
            *("marinecadastre_2022-01-03.parquet", "marinecadastre", 99_999),
            *({"mmsi_unreadable": 5, "not_a_vessel": 85}, {}),
        ),
        ("marinecadastre_2023-01-11.csv", "marinecadastre", 1_000, {"not_a_vessel": 2}, {}),
        ("exactearth_2021-07-01.csv", "exactearth", 2_498, {"not_a_vessel": 58, "nothing_said": 29}, {}),
        ("solent_2016-01-12.csv", "wakewatch", 18_623, {}, {"timezone": "UTC"}),
        ("shared_mmsi_labelled.parquet", "wakewatch", 25_531, {"nothing_said": 87}, {}),
        ("shared_mmsi_416000000_segments.parquet", "wakewatch", 1_668, {}, {}),
        ("danish_labelled_events.parquet", "wakewatch", 8_462, {"not_a_vessel": 5, "nothing_said": 12}, {}),
    ],
)
def test_real_files(
    read: Reader, name: str, dialect: str, n_rows: int, reasons: dict[str, int], options: dict[str, str]
) -> None:
    got = read(Path(FOLDER) / name, **options)
    assert (got.dialect, got.counts.n_rows, got.reasons) == (dialect, n_rows, reasons)
    assert got.n == n_rows - sum(reasons.values())
    said = [value for value in got["lat"] if value is not None]
    assert min(said) >= -90
    assert max(said) <= 90
    assert max(value for value in got["sog"] if value is not None) <= 102.25


def test_times_without_a_zone_are_refused(read: Reader) -> None:
    with pytest.raises(InputFileError, match="timezone"):
        read(Path(FOLDER) / "solent_2016-01-12.csv")


def test_marinecadastre_agrees_with_its_columns_read_plainly(read: Reader) -> None:
    path = Path(FOLDER) / "marinecadastre_2022-01-03.parquet"
    got, table = read(path), pq.read_table(path).to_pandas()
    stations = r"00[2-7]\d{6}|0[2-7]\d{7}|111[2-7]\d{5}|99[2-7]\d{6}|97[024]\d{6}"
    text = table.MMSI.astype(str).str.zfill(9)
    table = table[(text.str.len() == 9) & ~text.str.fullmatch(stations)]
    times = table.BaseDateTime.astype("datetime64[us]").astype(np.int64).tolist()
    assert list(zip(got["mmsi"], got["time_us"], strict=True)) == list(zip(table.MMSI.tolist(), times, strict=True))
    named = table.VesselName.fillna("").str.strip() != ""
    assert [claim.name_raw is not None for claim in got.claims] == named.tolist()
    assert got["heading"] == [None if not 0 <= value < 360 else value for value in table.Heading.tolist()]


def test_a_folder_of_all_dialects_converts_and_reads_back(read: Reader, tmp_path: Path) -> None:
    files, aside = find_inputs([FOLDER])
    assert (len(files), aside) == (7, [])
    out = tmp_path / "all.parquet"
    summary = write_canonical(files, out, ReadOptions(timezone="UTC"))
    again = read(out)
    assert summary.set_aside == ()
    assert (again.n, again.reasons, again.counts.nulled) == (summary.n_rows, {}, {})
    for file in files[:3]:
        first = read(file.path, timezone="UTC").rows()
        n = summary.rows_by_input[file.name]
        at = sum(m for name, m in summary.rows_by_input.items() if name < file.name)
        assert again.rows()[at : at + n] == first


def test_parquet_and_csv_of_the_same_real_rows_agree(read: Reader, tmp_path: Path) -> None:
    path = Path(FOLDER) / "marinecadastre_2022-01-03.parquet"
    pa_csv.write_csv(pq.read_table(path), tmp_path / "same.csv")
    one, other = read(path), read(tmp_path / "same.csv")
    assert one.rows() == other.rows()
    assert (one.reasons, one.counts.nulled) == (other.reasons, other.counts.nulled)
