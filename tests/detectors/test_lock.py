"""One job at a time: a held folder turns others away at once, and a holder that dies holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from detectors.batch.lock import LOCK_FILE, BusyError, only_job
from vessels.errors import WakewatchError

HOLDER = """
import sys
from pathlib import Path
from detectors.batch.lock import only_job
with only_job([Path(name) for name in sys.argv[1:]]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(*folders: Path) -> subprocess.Popen[str]:
    """Another process that holds the folders until its input ends; returns once it does."""
    command = [sys.executable, "-c", HOLDER, *map(str, folders)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_folder_is_made_and_held_and_free_again(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "store"
    for _ in range(2):
        with only_job([folder]):
            assert f"process {os.getpid()} on " in (folder / LOCK_FILE).read_text()
    assert [path.name for path in folder.iterdir()] == [LOCK_FILE]


def test_a_second_job_is_told_who_holds_the_folder_and_leaves_nothing(tmp_path: Path) -> None:
    store, nights = tmp_path / "store", tmp_path / "nights"
    other = tmp_path / "a-folder-of-its-own"
    with holder(store, nights) as process:
        for folders in ([store], [nights], [other, store]):
            with pytest.raises(BusyError, match=f"process {process.pid} on .* changed nothing"), only_job(folders):
                pytest.fail("two jobs hold one folder")
        with only_job([other]):
            pass
        process.communicate()
    with only_job([store, nights]):
        pass


def test_a_job_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert (tmp_path / LOCK_FILE).exists()
        with only_job([tmp_path]):
            pass


def test_a_link_to_a_held_folder_is_held_too(tmp_path: Path) -> None:
    folder, link = tmp_path / "store", tmp_path / "link"
    link.symlink_to(folder)
    with only_job([folder]), pytest.raises(BusyError), only_job([link]):
        pytest.fail("held under two names")


def test_what_is_no_folder_cannot_be_locked_and_it_is_said_why(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        with pytest.raises(WakewatchError, match="cannot be locked"), only_job([folder]):
            pytest.fail("locked a file")
    assert file.read_bytes() == b""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o500)
    with pytest.raises(WakewatchError, match=r"Permission denied.*must be able to"), only_job([folder]):
        pytest.fail("locked what cannot be written to")
