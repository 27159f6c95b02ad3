"""An export comes whole, to its place, and never over what another made."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from detectors.batch.outputs import write_result
from detectors.exports import export as export_module
from detectors.exports.export import FORMATS, NAMES, READ, export
from detectors.exports.layers import layers_of
from detectors.run_folder import load_run, run_in_memory
from tests.detectors.exports.runs import reports, with_rows, with_tracks
from vessels.errors import UsageError

FILES = {"gpkg": "export.gpkg", "kml": "export.kml"}


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    return {file.name: file.read_bytes() for file in files}


@pytest.fixture(params=FORMATS)
def form(request):
    return request.param


def test_every_format_goes_into_the_runs_folder_and_leaves_nothing_else_there(run, form):
    done = export(run, form)
    assert done.path == run.folder / FORMATS[form]
    assert [path.name for path in run.folder.iterdir()] == [FORMATS[form]]
    assert done.rows == {layer.name: layer.table.num_rows for layer in layers_of(run).in_order}
    assert tuple(done.rows) == NAMES


def test_the_same_run_gives_the_same_bytes_again_and_over_itself(run, form, tmp_path):
    name = FORMATS[form]
    first = contents(export(run, form, tmp_path / "a" / name).path)
    assert contents(export(run, form, tmp_path / "b" / name).path) == first
    assert contents(export(run, form, tmp_path / "b" / name).path) == first


def test_a_run_read_back_from_its_folder_gives_the_same(finished, tmp_path, form):
    write_result(finished, tmp_path / "out")
    one = export(run_in_memory(finished, tmp_path / "out"), form, tmp_path / "one" / FORMATS[form])
    other = export(load_run(tmp_path / "out", READ), form, tmp_path / "other" / FORMATS[form])
    assert contents(one.path) == contents(other.path)


def test_what_another_made_is_never_replaced_unless_forced(run, form, tmp_path):
    target = tmp_path / FORMATS[form]
    if form in FILES:
        target.write_text("my own work")
    else:
        target.mkdir()
        (target / "tracks.csv").write_text("my own work")
    before = contents(target)
    with pytest.raises(UsageError, match=r"--force"):
        export(run, form, target)
    assert contents(target) == before
    export(run, form, target, force=True)
    assert contents(target) != before


def test_other_files_in_a_folder_of_ours_are_left_alone(run, tmp_path):
    target = export(run, "csv", tmp_path / "csv").path
    (target / "notes.txt").write_text("mine")
    export(run, "csv", target)
    assert (target / "notes.txt").read_text() == "mine"
    said = json.loads((target / "export.json").read_text())
    assert said["made_by"] == "wakewatch export"
    assert set(said["layers"]) == set(NAMES)


def test_a_folder_without_anything_is_taken(run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert (export(run, "geojson", tmp_path / "empty").path / "tracks.geojson").is_file()


def test_a_geopackage_to_which_a_layer_was_added_is_not_ours_any_longer(run, tmp_path):
    target = export(run, "gpkg", tmp_path / "a.gpkg").path
    with closing(sqlite3.connect(target)) as database:
        database.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('mine', 'attributes')")
        database.commit()
    with pytest.raises(UsageError, match="has been added to since"):
        export(run, "gpkg", target)


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_geopackage_that_is_open_elsewhere_is_left_alone_even_if_forced(run, tmp_path, suffix):
    target = export(run, "gpkg", tmp_path / "a.gpkg").path
    (tmp_path / f"a.gpkg{suffix}").write_bytes(b"pages")
    with pytest.raises(UsageError, match="another program has it open"):
        export(run, "gpkg", target, force=True)


def test_a_write_that_fails_leaves_the_old_file_and_no_trace(run, form, tmp_path, monkeypatch):
    target = tmp_path / FORMATS[form]
    export(run, form, target)
    before = contents(target)

    def fails(*_):
        raise OSError(28, "No space left on device", "disk")

    for name in ("write_geopackage", "kmz_bytes", "kml_text"):
        monkeypatch.setattr(export_module, name, fails)
    monkeypatch.setattr(export_module, "_TEXTS", {"geojson": fails, "csv": fails})
    with pytest.raises(OSError, match="No space left"):
        export(run, form, target)
    assert contents(target) == before
    assert {path.name for path in tmp_path.iterdir()} == {"out", FORMATS[form]}


def test_a_folder_for_a_file_and_a_file_for_a_folder_are_refused(run, form, tmp_path):
    target = tmp_path / FORMATS[form]
    if form in FILES:
        target.mkdir()
    else:
        target.write_text("")
    with pytest.raises(UsageError, match="is a folder" if form in FILES else "is no folder"):
        export(run, form, target, force=True)


def test_a_target_under_a_file_is_refused(run, form, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        export(run, form, tmp_path / "file" / FORMATS[form])


@pytest.mark.parametrize(("form", "name"), [("gpkg", "a.kml"), ("kml", "a.gpkg"), ("kml", "a"), ("gpkg", "a.GPKGX")])
def test_a_name_of_another_format_is_refused(run, tmp_path, form, name):
    with pytest.raises(UsageError, match=f"a {form} file ends in"):
        export(run, form, tmp_path / name)


def test_a_kmz_is_known_again_as_a_kml_is(run, tmp_path):
    target = export(run, "kml", tmp_path / "a.KMZ").path
    assert target.read_bytes()[:2] == b"PK"
    export(run, "kml", target)


def test_an_unknown_format_names_those_there_are(run):
    with pytest.raises(UsageError, match="did you mean `gpkg`"):
        export(run, "gpgk")
    with pytest.raises(UsageError, match="csv, geojson, gpkg, kml"):
        export(run, "shapefile")


def test_voyages_are_named_by_the_beginning_of_their_ids(run, voyage_id, tmp_path):
    moved = with_tracks(run, reports(voyage_id, (0.0, 130.0, 40.0), (0.3, 130.1, 40.0)))
    bare = voyage_id.removeprefix("voyage-")
    for word in (voyage_id, bare, bare[:6].upper()):
        done = export(moved, "csv", tmp_path / "csv", [word])
        assert (done.rows["flagged_voyages"], done.rows["tracks"]) == (1, 1)


@pytest.mark.parametrize("word", ["zzzz", "", "voyage-"])
def test_a_voyage_that_is_not_flagged_is_refused_before_anything_is_written(run, tmp_path, word):
    with pytest.raises(UsageError, match="no flagged voyage"):
        export(run, "csv", tmp_path / "csv", [word])
    assert not (tmp_path / "csv").exists()


def test_the_beginning_of_several_ids_is_refused_with_their_names(run, voyage_id, tmp_path):
    (row,) = run.tables["flagged_voyages"].to_pylist()
    twin = row | {"voyage_id": voyage_id[:-1] + ("0" if voyage_id[-1] != "0" else "1"), "rank": 2}
    with pytest.raises(UsageError, match=f"2 begin so: {voyage_id}"):
        export(with_rows(run, "flagged_voyages", [row, twin]), "csv", tmp_path / "csv", [voyage_id[:12]])
