"""Files, folders and globs: what is taken, what is passed over, what is set aside by name."""

import os
from pathlib import Path

import pytest

from vessels.errors import UsageError
from vessels.reading import find_inputs

CSV = "mmsi,timestamp,lat,lon\n"
NMEA = "!AIVDM,1,1,,A,144FV@@P1s9L?p0HVe@3RBn1P000,0*38,1635731889\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "b.csv": CSV,
        "a.parquet": "x",
        "deep/er/c.csv.zst": "x",
        "d.log": NMEA,
        "job.log": "started",
        "README.txt": "notes",
        "README": "notes",
        "run.json": "{}",
        ".hidden.csv": CSV,
        ".git/x.csv": CSV,
        "half.csv.part": CSV,
        "UPPER.CSV": CSV,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(found: object, folder: Path) -> list[str]:
    return [item.name.removeprefix(f"{folder}/") for item in found]  # type: ignore[attr-defined]


def test_a_folder_is_walked_for_data_files(folder: Path) -> None:
    files, aside = find_inputs([folder])
    assert names(files, folder) == ["UPPER.CSV", "a.parquet", "b.csv", "d.log", "deep/er/c.csv.zst"]
    assert aside == []
    assert files[2].n_bytes == len(CSV)


def test_a_file_named_directly_is_always_taken(folder: Path) -> None:
    files, _ = find_inputs([folder / "README.txt", folder / ".hidden.csv"])
    assert names(files, folder) == [".hidden.csv", "README.txt"]


def test_globs(folder: Path) -> None:
    assert names(find_inputs([f"{folder}/*.csv"])[0], folder) == ["b.csv"]
    assert names(find_inputs([f"{folder}/**/*.zst"])[0], folder) == ["deep/er/c.csv.zst"]
    (folder / "we[i]rd.csv").write_text(CSV)
    assert names(find_inputs([folder / "we[i]rd.csv"])[0], folder) == ["we[i]rd.csv"]
    with pytest.raises(UsageError, match=r"\*\.xls"):
        find_inputs([f"{folder}/*.xls"])


def test_the_same_file_is_taken_once_and_order_does_not_matter(folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder / "b.csv")
    once = find_inputs([folder, folder / "b.csv", folder / "link.csv", f"{folder}/*.csv"])
    again = find_inputs([f"{folder}/*.csv", folder / "link.csv", folder])
    assert once == again
    assert names(once[0], folder).count("b.csv") == 1
    assert "link.csv" not in names(once[0], folder)


def test_nothing_at_all_is_wrong_usage(tmp_path: Path) -> None:
    for inputs in ([], [tmp_path], [tmp_path / "nowhere.csv"]):
        with pytest.raises(UsageError):
            find_inputs(inputs)
    assert find_inputs([tmp_path], may_be_empty=True) == ([], [])


def test_what_is_no_file_is_set_aside_by_name(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "x.parquet").mkdir()
    (folder / "x.parquet" / "inside.parquet").write_text("x")
    (folder / "self.csv").symlink_to(folder / "self.csv")
    (folder / "gone.csv").symlink_to(folder / "nowhere")
    (folder / "deep" / "up").symlink_to(folder)
    files, aside = find_inputs([folder])
    assert len(files) == 5
    assert {Path(item.name).name: item.reason for item in aside} == {
        "pipe.csv": "not_a_file",
        "x.parquet": "folder",
        "self.csv": "broken_link",
        "gone.csv": "broken_link",
        "up": "link_loop",
    }
    direct = find_inputs([folder / "pipe.csv", folder / "x.parquet", folder / "self.csv"])
    assert (direct[0], len(direct[1])) == ([], 3)


def test_a_linked_folder_is_walked_once(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "far.csv").write_text(CSV)
    (folder / "linked").symlink_to(elsewhere)
    files, aside = find_inputs([folder, elsewhere])
    assert sum(Path(file.name).name == "far.csv" for file in files) == 1
    assert aside == []
