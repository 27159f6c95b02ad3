"""Where an export goes, and that it comes there whole: made aside, then renamed; never over what another made.

Takes a target and how to tell an export from other people's files; gives a place to write to. What is written is left
to the formats.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vessels.errors import UsageError

MANIFEST: Final = "export.json"
"""Says of a folder that an export made it, and of what; removed first and written last."""
MADE_BY: Final = "wakewatch export"
_STAGING: Final = ".wakewatch-"
_OPEN: Final = ("-wal", "-journal")
"""SQLite keeps these beside a database that another program has open or left unfinished; they would be applied to the
new file of that name (sqlite.org/howtocorrupt.html, section 1.4)."""


def check_parent(target: Path) -> None:
    """Refuse early a target in a folder that is none or that may not be written. Raises UsageError."""
    parent = target.absolute().parent
    nearest = next(folder for folder in (parent, *parent.parents) if folder.exists())
    if not nearest.is_dir():
        raise UsageError(f"{target}: cannot be made, because {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{target}: no permission to write in {nearest}")


def check_file(target: Path, is_ours: Callable[[Path], bool], *, force: bool) -> None:
    """Refuse a target that is a folder, is open elsewhere, or was made by others (unless forced). Raises UsageError."""
    check_parent(target)
    if target.is_dir():
        raise UsageError(f"{target}: is a folder; for this format --out names a file")
    for suffix in _OPEN:
        if target.with_name(target.name + suffix).exists():
            raise UsageError(
                f"{target}: another program has it open ({target.name}{suffix} lies beside it); close it there first, "
                "or choose another --out"
            )
    if os.path.lexists(target) and not force and not (target.is_file() and is_ours(target)):
        raise UsageError(
            f"{target}: was not made by `wakewatch export`, or has been added to since; choose another --out, "
            "or give --force to replace it"
        )


def check_folder(target: Path, *, force: bool) -> None:
    """Refuse a target that is no folder, or one that others filled (unless forced). Raises UsageError."""
    check_parent(target)
    if os.path.lexists(target) and not target.is_dir():
        raise UsageError(f"{target}: is no folder; for this format --out names a folder, which is made")
    if target.is_dir() and not force and any(target.iterdir()) and _manifest(target) is None:
        raise UsageError(
            f"{target}: holds files that `wakewatch export` did not make; choose another --out, "
            "or give --force to write there too"
        )


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path to write to, of the same suffix; what is there when the block ends becomes the target in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f"{_STAGING}{secrets.token_hex(8)}{target.suffix}")
    try:
        yield staging
        _sync(staging)
        staging.replace(target)
        _sync(target.parent)
    finally:
        for left in (staging, *(staging.with_name(staging.name + suffix) for suffix in _OPEN)):
            left.unlink(missing_ok=True)


@contextmanager
def whole_folder(target: Path, manifest: Mapping[str, Any]) -> Iterator[Path]:
    """An empty folder to write files to; when the block ends they come into the target, the manifest last.

    A folder that is not there yet appears in one step. In one that is, files of other names are left alone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    exists = target.exists()
    staging = (target if exists else target.parent) / f"{_STAGING}{secrets.token_hex(8)}"
    staging.mkdir()
    try:
        yield staging
        text = json.dumps({"made_by": MADE_BY, **manifest}, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
        (staging / MANIFEST).write_text(text, encoding="utf-8")
        files = sorted(staging.iterdir())
        for path in files:
            _sync(path)
        if exists:
            (target / MANIFEST).unlink(missing_ok=True)
            for path in sorted(files, key=lambda path: path.name == MANIFEST):
                path.replace(target / path.name)
        else:
            staging.rename(target)
        _sync(target if exists else target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _manifest(folder: Path) -> Mapping[str, Any] | None:
    """The manifest of an export's folder; None where there is none."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and said.get("made_by") == MADE_BY else None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
