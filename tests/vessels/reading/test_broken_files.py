"""Files that are not what they seem: each is refused with its reason, or read as far as it can be trusted."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vessels.errors import InputFileError
from vessels.reading import InputFile, ReadOptions, open_input

ReadText = Callable[..., Any]
HEADER = "mmsi,timestamp,lat,lon,sog,name\n"
ROW = "235000001,2016-01-12T13:02:11Z,50.75,-1.25,5.5,TESTA\n"


def refusal(call: Callable[[], Any]) -> InputFileError:
    with pytest.raises(InputFileError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"\n \n", "empty_file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "foreign_content"),
        (b"PK\x03\x04 zip", "foreign_content"),
        (b'{"type": "FeatureCollection"}', "foreign_content"),
        (b"<html><body>404</body></html>", "foreign_content"),
        (b"PAR1 and then nothing", "broken_parquet"),
        (b"\x1f\x8b not really packed", "broken_packing"),
        (b"Dear all,\nplease find the tracks attached.\n", "missing_column"),
        (b"mmsi,lat,lon\n235000001,50,1\n", "missing_column"),
    ],
)
def test_foreign_content_is_refused_whatever_its_name(read_text: ReadText, content: bytes, reason: str) -> None:
    for name in ("tracks.csv", "tracks.parquet", "tracks.csv.gz", "tracks.nmea"):
        fault = refusal(lambda name=name: read_text(content, name))
        assert fault.reason == reason
        assert fault.detail.startswith(name)


def test_a_header_without_rows_is_complete(read_text: ReadText) -> None:
    for text in (HEADER, HEADER.strip()):
        got = read_text(text)
        assert (got.n, got.counts.n_rows) == (0, 0)


def test_parquet_without_rows_is_complete(read: Callable[..., Any], tmp_path: Path) -> None:
    schema = pa.schema(
        {"mmsi": pa.int64(), "timestamp": pa.timestamp("us", "UTC"), "lat": pa.float64(), "lon": pa.float64()}
    )
    pq.write_table(schema.empty_table(), tmp_path / "x.parquet")
    with pq.ParquetWriter(tmp_path / "y.parquet", schema):
        pass
    assert read(tmp_path / "x.parquet").n == 0
    assert read(tmp_path / "y.parquet").n == 0


def test_parquet_without_its_columns_is_refused_even_without_rows(read: Callable[..., Any], tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "x.parquet")
    assert refusal(lambda: read(tmp_path / "x.parquet")).reason == "missing_column"


def test_parquet_cut_short_is_refused(read: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"mmsi": [1], "timestamp": ["2020-01-01T00:00:00Z"], "lat": [1.0], "lon": [1.0]}), path)
    path.write_bytes(path.read_bytes()[:-9])
    assert refusal(lambda: read(path)).reason == "broken_parquet"


def test_damage_inside_parquet_is_met_while_reading(read: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    n = 20_000
    table = pa.table(
        {
            "mmsi": list(range(235_000_000, 235_000_000 + n)),
            "timestamp": pa.array([1_600_000_000] * n, pa.int64()),
            "lat": [i / n for i in range(n)],
            "lon": [1.0] * n,
        }
    )
    pq.write_table(table, path, compression="zstd", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[1000] ^= 0xFF
    path.write_bytes(content)
    assert refusal(lambda: read(path)).reason == "broken_parquet"


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_packed_text_cut_short_is_refused(read_text: ReadText, packing: str) -> None:
    text = (
        HEADER + "".join(f"{235000001 + i},2016-01-12T13:02:11Z,50.75,-1.25,5.5,N{i * i}\n" for i in range(20_000))
    ).encode()
    if packing == "gzip":
        packed = gzip.compress(text)
    else:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, packing) as stream:
            stream.write(text)
        packed = sink.getvalue().to_pybytes()
    assert read_text(packed, "x.csv").n == 20_000
    assert refusal(lambda: read_text(packed[: len(packed) // 2], "x.csv")).reason == "broken_packing"


@pytest.mark.parametrize("make", ["fifo", "folder", "dangling", "self", "missing"])
def test_what_is_no_file_is_never_waited_for(tmp_path: Path, make: str) -> None:
    path = tmp_path / "x.parquet"
    match make:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
        case "self":
            path.symlink_to(path)
    fault = refusal(lambda: open_input(InputFile(path, "x.parquet", 0), ReadOptions()))
    assert fault.reason in {"not_a_file", "folder", "broken_link", "unreadable"}


def test_rows_of_the_wrong_width_are_counted_with_their_number(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + "235000001,oops\n" + ROW + "1,2,3,4,5,6,7\n" + ROW + "abc" + ROW[9:])
    assert got.n == 3
    assert got.reasons == {"ragged_row": 2, "mmsi_unreadable": 1}
    assert got.counts.n_rows == 6
    assert got.counts.rejects["ragged_row"].first_row == 1
    assert got.counts.rejects["ragged_row"].example == "2 values instead of 6: 235000001,oops"
    assert got.counts.rejects["mmsi_unreadable"].first_row == 5


def test_ragged_rows_in_another_encoding_are_still_one_row(read_text: ReadText) -> None:
    got = read_text(HEADER.encode() + ROW.encode() + "235000001,SKÅGEN\n".encode("latin-1") + ROW.encode())
    assert (got.n, got.reasons) == (2, {"ragged_row": 1})
    assert "SKÅGEN" in got.counts.rejects["ragged_row"].example


def test_lines_of_two_encodings_in_one_file(read_text: ReadText) -> None:
    one, other = ROW.replace("TESTA", "SKÅGEN").encode(), ROW.replace("TESTA", "SKÅGEN").encode("latin-1")
    assert [claim.name_raw for claim in read_text(HEADER.encode() + one + other).claims] == ["SKÅGEN"] * 2


def test_damaged_parquet_is_refused_and_never_fatal(read: Callable[..., Any], tmp_path: Path) -> None:
    n = 300
    table = pa.table(
        {
            "mmsi": [f"2350{i % 7:05d}" for i in range(n)],
            "timestamp": [f"2020-01-01T00:{i % 60:02d}:00Z" for i in range(n)],
            "lat": [i / n for i in range(n)],
            "lon": [1.0] * n,
            "name": [f"TEST{i % 9}" for i in range(n)],
        }
    )
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, compression="none", row_group_size=100)
    whole = path.read_bytes()
    for place in range(4, len(whole), 37):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(content)
        try:
            got = read(path)
        except InputFileError as fault:
            assert fault.detail.startswith("x.parquet")
        else:
            assert got.n + got.counts.n_rejected == got.counts.n_rows


def test_lines_swallowed_by_an_unclosed_quote_are_counted(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + ROW.replace("TESTA", '"TESTA') + ROW + ROW)
    assert got.n + got.counts.n_rejected == 4
    assert set(got.reasons) <= {"line_in_quotes", "ragged_row"}


def test_blank_lines_are_no_rows(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + "\n" + ROW + "\n\n" + ROW)
    assert (got.n, got.counts.n_rows, got.reasons) == (3, 3, {})


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_do_not_matter(read_text: ReadText, ending: str) -> None:
    got = read_text((HEADER + ROW + ROW).replace("\n", ending))
    assert (got.n, got.counts.n_rows) == (2, 2)
    assert got.claims[0].name_raw == "TESTA"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read_text: ReadText, delimiter: str) -> None:
    assert read_text((HEADER + ROW).replace(",", delimiter))["sog"] == [5.5]


def test_a_decimal_comma_is_read_where_the_comma_is_no_delimiter(read_text: ReadText) -> None:
    got = read_text("mmsi;timestamp;lat;lon\n235000001;2016-01-12T13:02:11Z;50,75;-1,25\n")
    assert (got["lat"], got["lon"]) == ([50.75], [-1.25])


def test_byte_order_marks_comments_and_blanks_before_the_header(read_text: ReadText) -> None:
    got = read_text(
        "\ufeff\n# made by hand\nsep=,\n#  mmsi , timestamp,lat ,lon\n235000001,2016-01-12T13:02:11Z, 50.75 ,-1.25\n"
    )
    assert (got["mmsi"], got["lat"]) == ([235000001], [50.75])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_names_survive_their_encoding(read_text: ReadText, encoding: str) -> None:
    got = read_text((HEADER + ROW.replace("TESTA", "SKÅGEN")).encode(encoding))
    assert (got.n, got.claims[0].name_raw) == (1, "SKÅGEN")


def test_a_last_delimiter_on_every_row_is_no_column(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW.replace("\n", ",\n") * 2)
    assert (got.n, got.reasons) == (2, {})


def test_huge_text_in_a_number_is_one_bad_row(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + ROW.replace("50.75", "9" * 200_000 + "x") + ROW)
    assert (got.n, got.reasons) == (2, {"position_unreadable": 1})
    assert len(got.counts.rejects["position_unreadable"].example) < 400


def test_a_cell_of_megabytes_is_one_bad_row(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + ROW.replace("50.75", "9" * 3_000_000 + "x") + ROW)
    assert (got.n, got.reasons) == (2, {"position_unreadable": 1})


@pytest.mark.parametrize("place", range(6))
def test_bytes_that_are_no_text_spoil_one_row_at_most(read_text: ReadText, place: int) -> None:
    cells = ROW.strip().encode().split(b",")
    cells[place] = b"5\xb0\xff"
    bad = b",".join(cells) + b"\n"
    for rows in (ROW.encode() + bad, bad + ROW.encode()):
        got = read_text(HEADER.encode() + rows)
        assert got.n + got.counts.n_rejected == 2
        assert got.n == (1 if place < 4 else 2)


def test_nested_columns_before_the_needed_ones_do_not_shift_them(read: Callable[..., Any], tmp_path: Path) -> None:
    good = {"mmsi": [235000001], "timestamp": ["2020-01-01T00:00:00Z"], "lat": [1.0], "lon": [2.0]}
    nested = {
        "tags": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        "box": pa.array([{"x": 1.0, "y": {"z": [2.0]}}]),
        "list": pa.array([[{"p": 1, "q": 2}]]),
        "a.b": pa.array([1]),
    }
    pq.write_table(pa.table({**nested, **good}), tmp_path / "x.parquet")
    got = read(tmp_path / "x.parquet")
    assert (got["mmsi"], got["lat"], got["lon"]) == ([235000001], [1.0], [2.0])


def test_numbers_no_clock_can_hold_are_bad_rows(read_text: ReadText) -> None:
    for number in ("9999999999999999999", "-9223372036854775808", "99999999999999999999999"):
        got = read_text(HEADER + ROW + ROW.replace("2016-01-12T13:02:11Z", number))
        assert got.n == 1


def test_control_characters_never_reach_an_example(read_text: ReadText) -> None:
    got = read_text(HEADER + ROW + ROW.replace("50.75", "\x1b[31mred"))
    assert "\x1b" not in got.counts.rejects["position_unreadable"].example


@pytest.mark.parametrize("names", [("lat", "lat"), ("lat", "LAT"), ("lat", "latitude")])
def test_two_columns_of_one_name_must_agree(
    read: Callable[..., Any], read_text: ReadText, tmp_path: Path, names: tuple[str, str]
) -> None:
    def table(second: float) -> pa.Table:
        arrays = [
            pa.array([235000001]),
            pa.array(["2020-01-01T00:00:00Z"]),
            pa.array([1.0]),
            pa.array([second]),
            pa.array([2.0]),
        ]
        return pa.Table.from_arrays(arrays, names=["mmsi", "timestamp", *names, "lon"])

    pq.write_table(table(1.0), tmp_path / "same.parquet")
    pq.write_table(table(1.5), tmp_path / "other.parquet")
    assert read(tmp_path / "same.parquet")["lat"] == [1.0]
    assert refusal(lambda: read(tmp_path / "other.parquet")).reason == "duplicate_columns"
    text = f"mmsi,timestamp,{names[0]},{names[1]},lon\n235000001,2020-01-01T00:00:00Z,1.0,%s,2.0\n"
    assert read_text(text % "1.00")["lat"] == [1.0]
    assert refusal(lambda: read_text(text % "1.5")).reason == "duplicate_columns"


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("lat", pa.array([True])),
        ("lat", pa.array([[1.0]])),
        ("lon", pa.array([{"x": 1.0}])),
        ("timestamp", pa.array([True])),
        ("timestamp", pa.array([18000], pa.date32())),
        ("timestamp", pa.array([1000], pa.time32("s"))),
        ("mmsi", pa.array([0], pa.timestamp("us"))),
        ("sog", pa.array([["a"]])),
        ("name", pa.array([["a"]])),
        ("nav_status", pa.array([0], pa.timestamp("us"))),
    ],
)
def test_a_column_of_a_type_that_cannot_be_is_refused(
    read: Callable[..., Any], tmp_path: Path, name: str, column: pa.Array
) -> None:
    good = {
        "mmsi": pa.array([235000001]),
        "timestamp": pa.array(["2020-01-01T00:00:00Z"]),
        "lat": pa.array([1.0]),
        "lon": pa.array([2.0]),
    }
    pq.write_table(pa.table({**good, name: column}), tmp_path / "x.parquet")
    fault = refusal(lambda: read(tmp_path / "x.parquet"))
    assert fault.reason == "column_type"
    assert repr(name) in fault.detail


@pytest.mark.parametrize(
    ("column", "value"),
    [("mmsi", "TESTA"), ("timestamp", "yesterday"), ("lat", "north"), ("lat", "5000000"), ("sog", "fast")],
)
def test_a_column_without_one_value_of_its_kind_is_refused(read_text: ReadText, column: str, value: str) -> None:
    place = ["mmsi", "timestamp", "lat", "lon", "sog", "name"].index(column)
    cells = ROW.strip().split(",")
    cells[place] = value
    bad = ",".join(cells) + "\n"
    fault = refusal(lambda: read_text(HEADER + bad + bad))
    assert (fault.reason, column in fault.detail, value in fault.detail) == ("column_content", True, True)
    assert read_text(HEADER + bad + ROW).counts.n_rows == 2, "one good value and the column is believed"


def test_times_without_a_zone_are_refused_with_the_remedy(
    read: Callable[..., Any], read_text: ReadText, tmp_path: Path
) -> None:
    table = pa.table({"mmsi": [235000001], "timestamp": pa.array([0], pa.timestamp("us")), "lat": [1.0], "lon": [2.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    naive = HEADER + ROW.replace("Z,", ",")
    for call in (lambda: read(tmp_path / "x.parquet"), lambda: read_text(naive)):
        fault = refusal(call)
        assert fault.reason == "naive_time"
        assert 'timezone = "UTC"' in fault.detail
    assert read_text(naive, timezone="UTC").rows() == read_text(HEADER + ROW).rows()
    mixed = read_text(HEADER + ROW + ROW.replace("Z,", ","))
    assert (mixed.n, mixed.reasons) == (1, {"time_without_zone": 1})


def test_compressed_files_are_told_by_content(read_text: ReadText) -> None:
    assert read_text(gzip.compress((HEADER + ROW).encode()), "x.csv").n == 1
    assert read_text(gzip.compress(HEADER.encode()) + gzip.compress(ROW.encode()), "x.csv").n == 1
    assert read_text(HEADER + ROW, "x.csv.gz").n == 1
    assert read_text(HEADER + ROW, "x.parquet").format == "csv"
