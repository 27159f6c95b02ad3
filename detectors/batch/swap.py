"""A night's folder comes into place whole: OUT/.night-ID is made aside, then swapped for OUT/DATE in one step.

Takes the folder of nights, a night's id and its date; gives OUT/DATE and OUT/latest, a relative link to the newest
date. Which nights are committed is known elsewhere (the store); `recover` is told, and finishes or sweeps away what a
killed job left: nobody ever sees half a night. Two writers at once are left to the lock.

A folder is known by the `night_id` in its run.json, never by its name alone: after an exchange that was cut short, the
staging name holds the *old* night.
"""

import ctypes
import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from detectors.run_folder import RUN_FILE, TABLES

LATEST: Final = "latest"
REPORT_FILE: Final = "report.html"
BASELINE_FILE: Final = "baseline.parquet"
DRIFT_FILE: Final = "baseline_drift.parquet"
OURS: Final = frozenset({RUN_FILE, REPORT_FILE, BASELINE_FILE, DRIFT_FILE, *(f"{name}.parquet" for name in TABLES)})
"""Names that a night writes; what people put beside them is carried over when the date is written again."""

_STAGING: Final = ".night-"
_ASIDE: Final = ".old-"
_NEW_LATEST: Final = ".latest-new"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

# renameat2(2), linux/fs.h: swap two names in one step.
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_NO_EXCHANGE: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What a kernel or a file system answers that knows no exchange (NFS, some FUSE)."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a killed job had left: nights brought into place, and leftovers swept away."""

    brought_in: tuple[str, ...] = ()
    n_swept: int = 0


def staging_folder(out: Path, night_id: str) -> Path:
    """An empty folder beside the nights, to write this one into; what an earlier try left there is removed."""
    folder = out / _staging_name(night_id)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def seal(folder: Path) -> None:
    """Put a folder's files and their names on the disk, before anything says that the night is committed."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)
    _sync(folder.parent)


def night_of(folder: Path) -> str | None:
    """The `night_id` in a folder's run.json; None where there is no finished night."""
    night_id = _run(folder).get("night_id")
    return night_id if isinstance(night_id, str) else None


def swap_in(out: Path, night_id: str, date: str) -> Path | None:
    """Bring the staged night to OUT/DATE; whoever looks sees the old night or the new one, never a mixture.

    Files of other people in the old folder are carried over. Something at OUT/DATE that is no night is kept under
    another name, which is returned. Where the file system cannot exchange two names, DATE is missing for an instant.
    Raises OSError; `recover` then finishes the swap the next time.
    """
    staging, target = out / _staging_name(night_id), out / date
    kept = None
    if os.path.lexists(target) and (target.is_symlink() or not (target / RUN_FILE).is_file()):
        kept = _free_name(target)
        target.rename(kept)
    if not target.exists():
        staging.rename(target)
    elif _exchange(staging, target):
        _carry_over(staging, target)
        shutil.rmtree(staging, ignore_errors=True)
    else:
        aside = out / _aside_name(night_id)
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
        staging.rename(target)
        _carry_over(aside, target)
        shutil.rmtree(aside, ignore_errors=True)
    _sync(out)
    return kept


def point_latest(out: Path) -> str | None:
    """Point OUT/latest at the newest date that holds a night, in one step; gives that date, None if there is none.

    Raises OSError where the file system knows no links, FileExistsError where `latest` is something else.
    """
    dates = [path.name for path in out.iterdir() if _DATE.fullmatch(path.name) and night_of(path) is not None]
    if not dates:
        return None
    newest, latest, made = max(dates), out / LATEST, out / _NEW_LATEST
    if latest.is_symlink() and os.readlink(latest) == newest:  # noqa: PTH115 - the text of the link
        return newest
    if os.path.lexists(latest) and not latest.is_symlink():
        raise FileExistsError(errno.EEXIST, "is no link of wakewatch's; move it away", str(latest))
    made.unlink(missing_ok=True)
    made.symlink_to(newest, target_is_directory=True)
    made.replace(latest)
    _sync(out)
    return newest


def recover(out: Path, committed: Sequence[tuple[str, str]]) -> Recovered:
    """Finish what a killed job had begun: `committed` are (night id, date), the oldest first, as the store has them.

    The last committed night of a date that still stands in its staging folder is brought in; everything else of ours
    that stands about is removed. Doing it again changes nothing.
    """
    if not out.is_dir():
        return Recovered()
    dates = {_staging_name(night_id): (night_id, date) for night_id, date in committed}
    last = {date: night_id for night_id, date in committed}
    brought_in, n_swept = [], 0
    for staging in sorted(path for path in out.iterdir() if path.name.startswith(_STAGING)):
        night_id, date = dates.get(staging.name, ("", ""))
        if date and last[date] == night_id and night_of(staging) == night_id:
            swap_in(out, night_id, date)
            brought_in.append(date)
            continue
        if date and night_of(staging) is not None:
            _carry_over(staging, out / date)
        n_swept += _removed(staging)
    for aside in sorted(path for path in out.iterdir() if path.name.startswith(_ASIDE)):
        _, date = dates.get(_STAGING + aside.name.removeprefix(_ASIDE), ("", ""))
        if date and not (out / date).exists():
            aside.rename(out / date)  # its successor is lost, which only other hands can do: the old night is better
            continue
        if date:
            _carry_over(aside, out / date)
        n_swept += _removed(aside)
    n_swept += _removed(out / _NEW_LATEST)
    if brought_in or n_swept:
        _sync(out)
    return Recovered(tuple(brought_in), n_swept)


def leftovers(out: Path) -> list[str]:
    """Names in OUT that a killed job left and the next night will see to."""
    if not out.is_dir():
        return []
    return sorted(path.name for path in out.iterdir() if path.name.startswith((_STAGING, _ASIDE)))


def _staging_name(night_id: str) -> str:
    return _STAGING + night_id.removeprefix("night-")


def _aside_name(night_id: str) -> str:
    return _ASIDE + night_id.removeprefix("night-")


def _run(folder: Path) -> dict[str, Any]:
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}


def _free_name(path: Path) -> Path:
    """A name beside `path` that nothing bears."""
    n = 1
    while os.path.lexists(path.with_name(f"{path.name}.kept-{n}")):
        n += 1
    return path.with_name(f"{path.name}.kept-{n}")


def _carry_over(old: Path, new: Path, ours: Collection[str] = OURS) -> None:
    """Move what people put into the old folder to the new one, where no file of that name is."""
    if not new.is_dir():
        return
    for path in sorted(old.iterdir()):
        if path.name not in ours and not path.name.startswith(".") and not os.path.lexists(new / path.name):
            path.rename(new / path.name)


def _removed(path: Path) -> int:
    """Remove a leftover; 1 if there was one."""
    if not os.path.lexists(path):
        return 0
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
    return 1


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
