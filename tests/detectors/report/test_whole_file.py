"""A file is written whole or not at all, and a place where none can be written is named in one line."""

import errno
from pathlib import Path

import pytest

from detectors.report.whole_file import write_whole
from vessels.errors import UsageError


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_and_replaced_and_leaves_nothing_aside(tmp_path):
    target = tmp_path / "new" / "case.svg"
    write_whole(target, b"one")
    write_whole(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["case.svg"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        write_whole(tmp_path, b"")


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / "file" / "case.svg", b"")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_name_too_long_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / ("a" * 300 + ".svg"), b"")
    assert names(tmp_path) == []


def test_what_was_there_stays_when_the_disk_is_full(tmp_path, monkeypatch):
    target = tmp_path / "case.svg"
    write_whole(target, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UsageError, match="No space left"):
        write_whole(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["case.svg"]
