"""What can go wrong with a store, said in words an operator can act on.

Takes what deltalake, Arrow or the system raised; gives one `StoreError` that names the table, what happened and what to
do. Nothing here mends anything.
"""

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
from deltalake.exceptions import DeltaError

from vessels.errors import StoreError, WakewatchError
from vessels.store.place import StorePlace

REBUILD: Final = "name a new folder in [store] path and let the next night build it again from the input files"
RESTORE: Final = f"Restore the whole store from a backup, or {REBUILD}."
"""The way out of lost or damaged tables."""


def lost_log(place: StorePlace, name: str) -> StoreError:
    """A table that was there and whose log is not."""
    return StoreError(
        f"table {name} of the store at {place.url} has lost its log (_delta_log): without it nobody can tell which "
        f"of its files count. {RESTORE}"
    )


def lost_entries(place: StorePlace, name: str, version: int, least_version: int) -> StoreError:
    """A table whose log ends before a commit that the store has noted."""
    return StoreError(
        f"table {name} of the store at {place.url} has lost the newest entries of its log: it ends at {version}, "
        f"and once stood at {least_version}. {RESTORE}"
    )


def empty_entry(place: StorePlace, name: str, path: Path) -> StoreError:
    """A log whose newest entry is an empty file: the machine went down before the disk had it."""
    return StoreError(
        f"table {name} of the store at {place.url}: the newest entry of its log, {path}, is empty, as a power failure "
        "leaves it. Delete that file: what it was to say is done again by the next night."
    )


def foreign_columns(place: StorePlace, name: str, stored: Sequence[str], declared: Sequence[str]) -> StoreError:
    """A table that has other columns than this version of wakewatch keeps in it."""
    lacks = ", ".join(sorted(set(declared) - set(stored))) or "none"
    more = ", ".join(sorted(set(stored) - set(declared))) or "none"
    return StoreError(
        f"table {name} of the store at {place.url} does not fit this version of wakewatch (columns missing: {lacks}; "
        f"unknown: {more}; or their types or partitions differ). Run the version that wrote it, or {REBUILD}."
    )


def contended(place: StorePlace, name: str) -> StoreError:
    """A table that other processes change under this one's hands."""
    return StoreError(
        f"table {name} of the store at {place.url}: other processes change the same rows at the same time; see that "
        "only one nightly job runs on a store"
    )


@contextmanager
def store_faults(place: StorePlace, name: str, doing: str) -> Iterator[None]:
    """Turn every fault of disk, log or Parquet inside the block into a `StoreError`."""
    try:
        yield
    except WakewatchError:
        raise
    except (DeltaError, OSError, pa.ArrowException, ValueError, KeyError) as fault:
        raise _said(place, name, doing, fault) from fault
    except BaseException as fault:
        if type(fault).__name__ != _PANIC:
            raise
        raise _said(place, name, doing, fault) from fault


_PANIC: Final = "PanicException"
"""deltalake's Rust code gives up with this; it is no `Exception` and has no name to import it by."""
_SYSTEM_CODE: Final = re.compile(r"os error (\d+)|code: (\d+)|[Ee]rrno (\d+)")
_NOISE: Final = re.compile(r"\x1b\[\d+m|↳|\s0: (<unknown>|\S*core).*", re.DOTALL)
"""Colours, arrows and the stack of the Rust side."""
_LONGEST: Final = 300

_BY_CODE: Final = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        "The disk is full, or a quota or size limit is reached: make room and run again; nothing was half written.",
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        "The job may not do that there: give its user the right to read and write the store, or mount it writable.",
    ),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR), "Something else stands where the store's folders should be."),
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n).",
    errno.EIO: f"The disk does not give what was written. {RESTORE}",
}
_BY_WORDS: Final = (
    (
        re.compile(r"Unknown scheme|Invalid object store url|not a valid URI", re.IGNORECASE),
        "[store] path is no address that deltalake knows: a folder, or s3://, gs://, az:// and the like.",
    ),
    (
        re.compile(r"Unsupported.*(version|feature)", re.IGNORECASE),
        f"It was written by a newer program than this: install a newer deltalake, or {REBUILD}.",
    ),
    (
        re.compile(r"_last_checkpoint hint"),
        (
            "A checkpoint of its log is missing. If the log still has every entry from 0 on, delete its file "
            f"_last_checkpoint; otherwise: {RESTORE}"
        ),
    ),
    (
        re.compile(r"HTTP error|error sending request|timed? ?out|40[13] |50[0234] |credential|token", re.IGNORECASE),
        "The object store cannot be reached or refuses: look at [store] path and options, and run again.",
    ),
)
_NOT_FOUND: Final = re.compile(r"No such file|(File|Object at location \S+) not found")


def _said(place: StorePlace, name: str, doing: str, fault: BaseException) -> StoreError:
    words = " ".join(_NOISE.sub(" ", str(fault)).split())[:_LONGEST]
    return StoreError(
        f"table {name} of the store at {place.url}: {doing} failed ({words}). {_way_out(doing, fault, words)}"
    )


def _way_out(doing: str, fault: BaseException, words: str) -> str:
    """What to do about it."""
    code = fault.errno if isinstance(fault, OSError) and fault.errno else None
    if code is None and (found := _SYSTEM_CODE.search(words)):
        code = int(next(group for group in found.groups() if group))
    if code in _BY_CODE:
        return _BY_CODE[code]
    for pattern, remedy in _BY_WORDS:
        if pattern.search(words):
            return remedy
    if isinstance(fault, FileNotFoundError) or _NOT_FOUND.search(words):
        return f"A file that its log names is missing. {RESTORE}"
    if doing.startswith("reading ") and doing.endswith(".parquet"):
        return f"The file is damaged. {RESTORE}"
    if isinstance(fault, DeltaError) or type(fault).__name__ == _PANIC:
        return f"Its log is damaged. {RESTORE}"
    return f"Run again; if it stays so: {RESTORE}"
