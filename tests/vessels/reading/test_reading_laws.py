"""Laws: the same rows, however they are written, chunked or compressed, are the same rows when read."""

import gzip
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vessels.canonical import canonical_table, write_canonical
from vessels.reading import InputFile, ReadOptions, open_input

NAMES = st.none() | st.sampled_from(["TESTA", "TEST,B", 'TE"ST', "  X ", "ÅL", "=cmd()", "nan", "Unknown", "@@@@"])
NUMBER = st.none() | st.sampled_from([0.0, 5.5, 102.3, 360.0, 511.0, -1.0, 12.25, 1e6])
ROW = st.fixed_dictionaries(
    {
        "mmsi": st.none() | st.sampled_from([0, 2311000, 235000001, 412000001, 999999999, 1_234_567_890, -5]),
        "timestamp": st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1)),  # noqa: DTZ001
        "lat": st.none() | st.sampled_from([0.0, 43.0, 91.0, 95.5, -90.0]) | st.floats(-90, 90),
        "lon": st.none() | st.sampled_from([0.0, 132.0, 181.0, 200.5, -180.0]) | st.floats(-180, 180),
        "sog": NUMBER,
        "cog": NUMBER,
        "heading": NUMBER,
        "nav_status": st.none() | st.integers(-1, 16),
        "draught": NUMBER,
        "imo": st.none() | st.sampled_from(["2000004", "IMO2000004", "0"]),
        "name": NAMES,
        "call_sign": NAMES,
        "ship_type": st.none() | st.integers(0, 300),
        "length_m": NUMBER,
        "beam_m": NUMBER,
        "destination": NAMES,
        "transceiver": st.none() | st.sampled_from(["A", "B"]),
    }
)
GOOD = {
    **dict.fromkeys(("cog", "heading", "nav_status", "draught", "imo", "name", "call_sign", "ship_type", "length_m")),
    "mmsi": 235000001,
    "timestamp": datetime.fromisoformat("2020-01-01"),
    "lat": 1.0,
    "lon": 2.0,
    "sog": 5.5,
    **dict.fromkeys(("beam_m", "destination", "transceiver")),
}
SCHEMA = pa.schema(
    {
        **dict.fromkeys(("mmsi",), pa.int64()),
        "timestamp": pa.timestamp("us", "UTC"),
        **dict.fromkeys(("lat", "lon", "sog", "cog", "heading"), pa.float64()),
        "nav_status": pa.int64(),
        "draught": pa.float64(),
        **dict.fromkeys(("imo", "name", "call_sign"), pa.string()),
        "ship_type": pa.int64(),
        **dict.fromkeys(("length_m", "beam_m"), pa.float64()),
        **dict.fromkeys(("destination", "transceiver"), pa.string()),
    }
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    whole = [{**row, "timestamp": row["timestamp"] and row["timestamp"].replace(tzinfo=UTC)} for row in [GOOD, *rows]]
    return pa.Table.from_pylist(whole, schema=SCHEMA)


def written(table: pa.Table, folder: Path) -> list[Path]:
    """The table in every container and with every kind of column."""
    text = table.set_column(
        1,
        "timestamp",
        pa.array([None if t is None else t.isoformat() for t in table["timestamp"].to_pylist()], pa.string()),
    )
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(text, sink, pa_csv.WriteOptions(quoting_style="needed"))
    csv = sink.getvalue().to_pybytes()
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(csv)
    (folder / "a.csv").write_bytes(csv)
    (folder / "b.csv.gz").write_bytes(gzip.compress(csv))
    (folder / "c.csv.zst").write_bytes(packed.getvalue().to_pybytes())
    pq.write_table(table, folder / "d.parquet")
    pq.write_table(table, folder / "e.parquet", row_group_size=2, use_dictionary=False, compression="gzip")
    strings = pa.table({name: _as_text(text[name]) for name in text.column_names})
    pq.write_table(strings, folder / "f.parquet")
    coded = pa.table({name: strings[name].combine_chunks().dictionary_encode() for name in strings.column_names})
    pq.write_table(coded, folder / "g.parquet")
    views = pa.table({name: strings[name].cast(pa.large_string()) for name in strings.column_names})
    pq.write_table(views, folder / "h.parquet")
    shuffled = table.select(sorted(table.column_names, reverse=True))
    pq.write_table(shuffled, folder / "i.parquet")
    return sorted(folder.iterdir())


def _as_text(column: pa.ChunkedArray) -> pa.Array:
    return pa.array(
        [None if v is None else v if isinstance(v, str) else repr(v) for v in column.to_pylist()], pa.string()
    )


def rows_of(path: Path, **options: Any) -> tuple[list[tuple[Any, ...]], dict[str, int], dict[str, int]]:
    opened = open_input(InputFile(path, path.name, path.stat().st_size), ReadOptions(**options))
    rows: list[tuple[Any, ...]] = []
    rejects: dict[str, int] = {}
    nulled: dict[str, int] = {}
    for unit in opened.units:
        for chunk, counts in opened.read(unit):
            columns = (
                chunk.mmsi,
                chunk.time_us,
                chunk.lat,
                chunk.lon,
                chunk.sog,
                chunk.cog,
                chunk.heading,
                chunk.draught,
            )
            said = [[None if math.isnan(v) else v for v in column.tolist()] for column in columns]
            claims = [chunk.claims[code] for code in chunk.static.tolist()]
            rows += zip(*said, chunk.nav_status.tolist(), claims, strict=True)
            for reason, reject in counts.rejects.items():
                rejects[reason] = rejects.get(reason, 0) + reject.n_rows
            for key, n in counts.nulled.items():
                nulled[key] = nulled.get(key, 0) + n
    return rows, rejects, nulled


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, max_size=12))
def test_a_table_reads_the_same_from_every_container(tmp_path_factory: Any, rows: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("law")
    table = table_of(rows)
    first, *others = written(table, folder)
    truth = rows_of(first)
    assert len(truth[0]) + sum(truth[1].values()) == table.num_rows
    for path in others:
        assert rows_of(path) == truth, path.name


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, max_size=12), st.integers(1, 5))
def test_chunk_size_changes_nothing(tmp_path_factory: Any, rows: list[dict[str, Any]], chunk_rows: int) -> None:
    path = tmp_path_factory.mktemp("law") / "x.parquet"
    table = table_of(rows)
    for row_group_size in (1, 4, 100):
        pq.write_table(table, path, row_group_size=row_group_size)
        assert rows_of(path, chunk_rows=chunk_rows) == rows_of(path)


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, max_size=12))
def test_canonical_parquet_reads_back_as_it_was(tmp_path_factory: Any, rows: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("law")
    path, out = folder / "x.parquet", folder / "out.parquet"
    pq.write_table(table_of(rows), path)
    summary = write_canonical([InputFile(path, "x.parquet", 1)], out, ReadOptions())
    again = rows_of(out)
    assert again[0] == rows_of(path)[0]
    assert again[1:] == ({}, {}), "nothing is left to drop"
    assert summary.n_rows == len(again[0])


def test_rows_with_rejects_keep_their_numbers_in_every_container(tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("law")
    bad = {**GOOD, "lat": 95.5}
    table = table_of([dict(GOOD)] * 6 + [bad] + [dict(GOOD)] * 6)
    for path in written(table, folder):
        opened = open_input(InputFile(path, path.name, 1), ReadOptions(chunk_rows=2))
        first = [c.rejects["position_impossible"] for u in opened.units for _, c in opened.read(u) if c.rejects]
        assert [(reject.n_rows, reject.first_row) for reject in first] == [(1, 7)], path.name


def test_canonical_table_has_one_value_a_row(tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("law") / "x.parquet"
    pq.write_table(table_of([{**GOOD, "name": "TESTA", "lat": None, "lon": None}]), path)
    opened = open_input(InputFile(path, "x", 1), ReadOptions())
    (chunk, _), *_ = opened.read(opened.units[0])
    table = canonical_table(chunk, "x")
    assert table["name"].to_pylist() == [None, "TESTA"]
    assert table["lat"].to_pylist() == [1.0, None]
    assert np.array_equal(table["mmsi"].to_numpy(), chunk.mmsi)
