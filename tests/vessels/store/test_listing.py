"""The fast look into folders finds what `find_inputs` finds, and opens nothing."""

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessels.errors import UsageError
from vessels.reading import find_inputs
from vessels.store.listing import list_files, shown

CSV = "mmsi,timestamp,lat,lon\n"
NMEA = "!AIVDM,1,1,,A,144FV@@P1s9L?p0HVe@3RBn1P000,0*38,1635731889\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "b.csv": CSV,
        "a.parquet": "x",
        "deep/er/c.csv.zst": "x",
        "d.log": NMEA,
        "README": "notes",
        "run.json": "{}",
        ".hidden.csv": CSV,
        ".git/x.csv": CSV,
        "half.csv.part": CSV,
        "UPPER.CSV": CSV,
        "x.parquet/inside.parquet": "x",
        "we[i]rd.csv": CSV,
        "elsewhere/far.csv": CSV,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "self.csv").symlink_to(tmp_path / "self.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a_link_to_notes").symlink_to(tmp_path / "README")
    os.mkfifo(tmp_path / "pipe.csv")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def assert_as_find_inputs(given: list[str | Path]) -> None:
    listing = list_files(given)
    files, aside = find_inputs(given, may_be_empty=True)
    assert [(f.name, f.path, f.n_bytes) for f in listing.files] == [(f.name, str(f.path), f.n_bytes) for f in files]
    assert listing.set_aside == tuple(aside)
    for file in listing.files:
        assert file.mtime_ns == Path(file.path).stat().st_mtime_ns


@pytest.mark.parametrize(
    "given",
    [
        [""],
        ["deep", ""],
        ["*.csv"],
        ["**/*.csv"],
        ["**/*.csv", "", "b.csv"],
        ["README", ".hidden.csv", "d.log"],
        ["link.csv"],
        ["link.csv", "b.csv"],
        ["linked", "elsewhere"],
        ["linked/far.csv"],
        ["a_link_to_notes", "pipe", "x.parquet", "self.csv"],
        ["we[i]rd.csv"],
        ["elsewhere/../b.csv", "linked/../b.csv"],
        ["*"],
    ],
    ids=str,
)
def test_it_finds_what_find_inputs_finds(folder: Path, given: list[str]) -> None:
    assert_as_find_inputs([os.path.join(folder, name) for name in given])  # noqa: PTH118 - keeps `..`


NAMES = st.sampled_from(["a", "b.csv", "c.log", "d.parquet", "e.CSV.gz", ".f.csv", "g"])

KINDS = st.sampled_from(["file", "folder", "link"])


@given(
    st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=3), KINDS), max_size=8),
    st.lists(st.lists(NAMES, max_size=2), min_size=1, max_size=3),
    st.data(),
)
def test_it_finds_what_find_inputs_finds_in_any_tree(
    tree: list[tuple[list[str], str]], given: list[list[str]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for steps, kind in tree:
            path = root.joinpath(*steps)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if kind == "file":
                    path.write_text(NMEA)  # a log is an input, so that both ways agree without opening it
                elif kind == "folder":
                    path.mkdir(exist_ok=True)
                else:
                    path.symlink_to(root.joinpath(*data.draw(st.lists(NAMES, max_size=2))))
            except OSError:
                continue  # a file stands where a folder is wanted
        wanted = [path for steps in given if os.path.lexists(path := root.joinpath(*steps))]
        assert_as_find_inputs([*wanted, root])
        shows = any(not path.name.startswith(".") for path in root.iterdir())
        assert_as_find_inputs([root, *wanted, *([root / "*"] if shows else [])])


def test_names_are_the_same_wherever_the_job_is_started_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = list_files([folder])
    monkeypatch.chdir(folder)
    assert list_files(["."]) == list_files([""]) == known
    monkeypatch.chdir(folder / "deep")
    (folder / "deep[1]").mkdir()
    (folder / "deep[1]" / "q.csv").write_text(CSV)
    monkeypatch.chdir(folder / "deep[1]")
    assert [file.name for file in list_files(["*.csv"]).files] == [f"{folder}/deep[1]/q.csv"]


def test_logs_are_marked_unless_they_are_named(folder: Path) -> None:
    def logs(*given: str) -> list[str]:
        return [Path(f.name).name for f in list_files([folder / name for name in given]).files if f.is_log]

    assert logs("") == ["d.log"]
    assert logs("d.log") == logs("", "d.log") == logs("d.log", "") == []


def test_an_input_that_is_missing_is_set_aside_while_others_are_there(folder: Path) -> None:
    listing = list_files([folder / "deep" / "er", folder / "lost", f"{folder}/*.xls"])
    assert [Path(file.name).name for file in listing.files] == ["c.csv.zst"]
    assert [(item.name, item.reason) for item in listing.set_aside] == [
        (f"{folder}/*.xls", "missing_input"),
        (f"{folder}/lost", "missing_input"),
    ]
    assert all(item.name in item.detail for item in listing.set_aside)


def test_nothing_of_what_is_named_is_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a file"):
        list_files([])
    with pytest.raises(UsageError, match=r"lost.*\*\.csv"):
        list_files([tmp_path / "lost", f"{tmp_path}/*.csv"])


def test_an_empty_folder_is_there_but_empty(tmp_path: Path) -> None:
    listing = list_files([tmp_path])
    assert (listing.files, listing.set_aside, listing.empty) == ((), (), (str(tmp_path),))


def test_sockets_are_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("s.csv")
        assert_as_find_inputs([tmp_path])
        assert [item.reason for item in list_files(["."]).set_aside] == ["not_a_file"]


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    try:
        Path(os.fsdecode(raw)).write_text(CSV)
    except OSError:
        pytest.skip("this file system takes only names that are UTF-8")
    (file,) = list_files([tmp_path]).files
    assert file.name == f"{tmp_path}/caf\\xe9.csv"
    assert Path(file.path).read_text() == CSV
    assert shown("Владивосток.csv") == "Владивосток.csv"


def test_a_folder_that_may_not_be_read_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.csv").write_text(CSV)
    really = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr("os.scandir", scandir)
    listing = list_files([tmp_path])
    assert len(listing.files) == 1
    assert [(item.reason, item.detail.endswith("Permission denied")) for item in listing.set_aside] == [
        ("unreadable", True)
    ]


def test_a_file_taken_away_while_its_folder_is_listed_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(CSV)
    really = os.scandir

    class Listed:
        def __init__(self, path: str) -> None:
            self.entries = sorted(really(path), key=lambda entry: entry.name)

        def __enter__(self) -> list[os.DirEntry[str]]:
            (tmp_path / "b.csv").unlink()
            return self.entries

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("os.scandir", Listed)
    listing = list_files([tmp_path])
    assert [Path(file.name).name for file in listing.files] == ["a.csv"]
    assert listing.set_aside == ()
