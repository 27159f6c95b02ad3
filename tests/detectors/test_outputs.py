"""The output folder: whole or not at all, the same bytes for the same tables, and read back as it was written."""

import json
import os
from pathlib import Path
from typing import Any

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detectors.batch import outputs
from detectors.batch.outputs import check_out, write_result
from detectors.run_folder import ADDED, RUN_FILE, TABLES, load_run
from vessels.errors import UsageError

FILES = {*(f"{name}.parquet" for name in TABLES), RUN_FILE}


def names(folder: Path) -> set[str]:
    """Everything in a folder, hidden files too."""
    return {entry.name for entry in folder.iterdir()}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES - {RUN_FILE}}


def test_a_new_folder_holds_every_table_and_the_run_and_nothing_else(finished: Any, tmp_path: Path) -> None:
    write_result(finished, tmp_path / "a" / "out")
    assert names(tmp_path / "a" / "out") == FILES
    assert names(tmp_path / "a") == {"out"}


def test_tables_come_back_as_they_were_written(finished: Any, tmp_path: Path) -> None:
    write_result(finished, tmp_path / "out")
    loaded = load_run(str(tmp_path / "out"))
    for name in TABLES:
        assert loaded.tables[name].equals(finished.tables[name]), name
    assert loaded.run["outputs"]["flagged_voyages"] == {"n_rows": 1}
    assert loaded.run["as_of"] == "2024-06-30T00:00:00Z"


def test_the_same_tables_give_the_same_bytes_however_they_are_chunked(
    finished: Any, make_run: Any, tmp_path: Path
) -> None:
    write_result(finished, tmp_path / "one")
    again = make_run()
    for name, table in again.tables.items():
        middle = table.num_rows // 2
        again.tables[name] = pa.concat_tables([table.slice(0, middle), table.slice(middle)])
    write_result(again, tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_flagged_voyages_open_in_geopandas_as_lines_in_wgs_84(finished: Any, tmp_path: Path) -> None:
    write_result(finished, tmp_path / "out")
    frame = geopandas.read_parquet(tmp_path / "out" / "flagged_voyages.parquet")
    assert frame.geometry.geom_type.tolist() == ["LineString"]
    assert frame.crs.equals("OGC:CRS84")
    assert frame.total_bounds.tolist() == [129.4, 36.0, 132.9, 42.8]
    geo = json.loads(pq.read_schema(tmp_path / "out" / "flagged_voyages.parquet").metadata[b"geo"])
    assert geo["columns"]["geometry"]["geometry_types"] == ["LineString"]


@pytest.mark.parametrize("flagged", [True, False])
def test_missing_lines_and_no_flagged_voyage_are_ordinary(flagged: bool, make_run: Any, tmp_path: Path) -> None:
    result = make_run(flagged=flagged)
    table = result.tables["flagged_voyages"]
    result.tables["flagged_voyages"] = table.set_column(
        table.num_columns - 1, "geometry", pa.nulls(table.num_rows, pa.binary())
    )
    write_result(result, tmp_path / "out")
    frame = geopandas.read_parquet(tmp_path / "out" / "flagged_voyages.parquet")
    assert len(frame) == int(flagged)
    assert frame.geometry.isna().all()


def test_other_files_of_a_folder_are_left_alone(finished: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_result(finished, tmp_path)
    assert names(tmp_path) == {*FILES, "notes.txt"}
    write_result(finished, tmp_path)
    assert names(tmp_path) == {*FILES, "notes.txt"}


@pytest.mark.parametrize("existing", [True, False])
def test_a_failure_while_writing_leaves_the_folder_as_it_was(
    existing: bool, finished: Any, make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if existing:
        write_result(finished, out)
        before = bytes_of(out)
    real = pq.write_table

    def full_disk(table: pa.Table, path: Path, **options: Any) -> None:
        if path.name == "port_visits.parquet":
            raise OSError(28, "No space left on device")
        real(table, path, **options)

    monkeypatch.setattr(outputs.pq, "write_table", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_result(make_run(flagged=False), out)
    assert names(tmp_path) == ({"out"} if existing else set())
    if existing:
        assert bytes_of(out) == before
        assert load_run(out).run["n_flagged"] == 1


def test_a_run_killed_between_two_files_is_no_finished_run(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_result(finished, tmp_path)
    real, moved = Path.replace, []

    def killed(self: Path, target: Path) -> Path:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_result(finished, tmp_path)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="no finished run"):
        load_run(tmp_path)
    for name in TABLES:
        pq.read_table(tmp_path / f"{name}.parquet")


def test_run_json_is_sorted_plain_and_has_no_not_a_number(finished: Any, tmp_path: Path) -> None:
    finished.run.stages["odd"] = float("nan")
    write_result(finished, tmp_path / "out")
    text = (tmp_path / "out" / RUN_FILE).read_text(encoding="utf-8")
    values = json.loads(text)
    assert values["stages"]["odd"] is None
    assert list(values) == sorted(values)
    assert "NaN" not in text


def test_a_result_without_a_table_is_refused(finished: Any, tmp_path: Path) -> None:
    del finished.tables["rejects"]
    with pytest.raises(UsageError, match="rejects"):
        write_result(finished, tmp_path / "out")
    assert names(tmp_path) == set()


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for out in (file, file / "out", dangling):
        with pytest.raises(UsageError):
            check_out(out)
    check_out(tmp_path / "new" / "deeper")
    assert names(tmp_path) == {"file", "dangling"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(UsageError, match="permission"):
        check_out(closed / "out")


def test_a_folder_among_the_inputs_is_no_output_folder(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "." / "", tmp_path / "deep" / "out"):
        with pytest.raises(UsageError, match="input folder"):
            check_out(out, [tmp_path])
    check_out(tmp_path / "out", [tmp_path / "tracks", tmp_path / "a.csv"])


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (RUN_FILE, b"{", "cannot be read"),
        (RUN_FILE, b'{"format": 99}', "not written by this version"),
        (RUN_FILE, b"[]", "not written by this version"),
        ("findings.parquet", b"PAR1", "cannot be read"),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    name: str, content: bytes, word: str, finished: Any, tmp_path: Path
) -> None:
    write_result(finished, tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=word) as caught:
        load_run(tmp_path)
    assert name in str(caught.value)


def test_tables_of_two_runs_are_not_taken_for_one(finished: Any, make_run: Any, tmp_path: Path) -> None:
    write_result(finished, tmp_path / "one")
    write_result(make_run(flagged=False), tmp_path / "two")
    (tmp_path / "two" / "findings.parquet").replace(tmp_path / "one" / "findings.parquet")
    with pytest.raises(UsageError, match="mixture"):
        load_run(tmp_path / "one")


@pytest.mark.parametrize("name", ADDED)
def test_a_folder_of_a_version_before_a_table_is_read_without_it(finished: Any, tmp_path: Path, name: str) -> None:
    write_result(finished, tmp_path)
    run = json.loads((tmp_path / RUN_FILE).read_text(encoding="utf-8"))
    del run["outputs"][name], run["watch"]
    (tmp_path / RUN_FILE).write_text(json.dumps(run), encoding="utf-8")
    (tmp_path / f"{name}.parquet").unlink()
    assert load_run(tmp_path).tables[name].num_rows == 0
    run["outputs"][name] = {"n_rows": 0}
    (tmp_path / RUN_FILE).write_text(json.dumps(run), encoding="utf-8")
    with pytest.raises(UsageError, match=name):
        load_run(tmp_path)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError):
            load_run(folder)
