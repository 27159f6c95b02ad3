"""What lies in the input folders: every data file with its size and time, at one look at each.

Takes files, folders and globs; gives the files that `vessels.reading.find_inputs` gives, for folders that have grown
for years: no file is opened, and nothing is asked of it but its size and when it was last changed. What is in the
files is left to `vessels.store.discovery`.
"""

import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from vessels.errors import UsageError
from vessels.reading import DATA_SUFFIXES, LOG_SUFFIXES, SetAside

_GLOB_CHARS: Final = frozenset("*?[")
_TAKEN: Final = (*DATA_SUFFIXES, *LOG_SUFFIXES)


class Found(NamedTuple):
    """A file as it lies in its folder: its name, where to open it, its size and when it was last changed.

    `is_log` says that by its name it may as well be a note or a job's log: it is an input if it holds sentences.
    """

    name: str
    path: str
    n_bytes: int
    mtime_ns: int
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """All files found, sorted by name; what bears a data file's name but is none; inputs that hold no file."""

    files: tuple[Found, ...]
    set_aside: tuple[SetAside, ...]
    empty: tuple[str, ...]


def list_files(inputs: Sequence[str | Path]) -> Listing:
    """Data files among files, folders and globs, by the rules of `find_inputs`, under absolute names.

    An input that is not there (a share that is not mounted) is set aside as `missing_input` while others are. Raises
    UsageError when none of them is there. Cost: one look at each file, about 5 µs.
    """
    walk = _Walk()
    missing: list[SetAside] = []
    empty: list[str] = []
    for given in dict.fromkeys(_absolute(given) for given in inputs):
        before, matches = len(walk.found) + len(walk.aside), _matches(given)
        for match in matches:
            walk.named(match)
        if not matches:
            what = "no file matches" if _GLOB_CHARS & set(given) else "no such file or folder:"
            missing.append(SetAside(shown(given), "missing_input", f"{what} {shown(given)}"))
        elif len(walk.found) + len(walk.aside) == before:
            empty.append(shown(given))
    if len(missing) == len({_absolute(given) for given in inputs}):
        raise UsageError(
            "no input: " + ("; ".join(m.detail for m in missing) if missing else "name a file, folder or glob")
        )
    files = sorted(walk.found.values(), key=lambda file: file.name)
    aside = {**{item.name: item for item in missing}, **walk.aside}
    return Listing(tuple(files), tuple(aside[name] for name in sorted(aside)), tuple(empty))


def shown(path: str) -> str:
    """A path as text that can be written down; bytes that are no UTF-8 are spelled out.

    >>> shown("caf\\udce9.csv")
    'caf\\\\xe9.csv'
    """
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _absolute(given: str | Path) -> str:
    """The same name wherever the job is started from; links and `..` stay as they are."""
    if os.path.isabs(given):  # noqa: PTH117 - patterns too
        return str(Path(given))
    here = str(Path.cwd())
    escaped = glob.escape(here) if _GLOB_CHARS & set(str(given)) and not os.path.lexists(given) else here
    return str(Path(escaped, given))


def _matches(given: str) -> list[str]:
    if os.path.lexists(given):
        return [given]
    return sorted(glob.glob(given, recursive=True)) if _GLOB_CHARS & set(given) else []  # noqa: PTH207 - as find_inputs


@dataclass(slots=True)
class _Walk:
    """Files found so far by their real path, and what was set aside by name."""

    found: dict[str, Found] = field(default_factory=dict)
    aside: dict[str, SetAside] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)

    def named(self, path: str) -> None:
        """Take in what was named: a file in any case, a folder to its bottom."""
        try:
            status = os.lstat(path)
        except OSError as why:
            self._lost(path, why)
            return
        folder, name = os.path.split(path)
        if stat.S_ISREG(status.st_mode) and name not in ("", ".", ".."):
            self._take(path, f"{self._real_folder(folder)}/{name}", status, is_log=False)
        else:
            self._other(path, os.path.realpath(path), is_named=True, above=())

    def _real_folder(self, folder: str) -> str:
        if (real := self._folders.get(folder)) is None:
            real = self._folders[folder] = os.path.realpath(folder).rstrip("/")
        return real

    def _take(self, path: str, real: str, status: os.stat_result, *, is_log: bool) -> None:
        name = shown(path)
        known = self.found.get(real)
        if known is None or name < known.name:
            log = is_log and (known is None or known.is_log)
            self.found[real] = Found(name, real, status.st_size, status.st_mtime_ns, log)
        elif known.is_log and not is_log:
            self.found[real] = known._replace(is_log=False)

    def _set_aside(self, path: str, reason: str, why: str) -> None:
        name = shown(path)
        self.aside.setdefault(name, SetAside(name, reason, f"{name} {why}"))

    def _lost(self, path: str, why: OSError) -> None:
        """What cannot be looked at; what was taken away since its folder was listed is not there, and that is all."""
        if Path(path).is_symlink():
            self._set_aside(path, "broken_link", f"is a link that leads nowhere, or to itself: {why.strerror}")
        elif not isinstance(why, FileNotFoundError):
            self._set_aside(path, "unreadable", f"cannot be looked at: {why.strerror}")

    def _folder(self, path: str, real: str, above: tuple[tuple[int, int], ...]) -> None:
        """Walk a folder that is not among those `above` it."""
        try:
            with os.scandir(path) as listed:
                entries = [entry for entry in listed if not entry.name.startswith(".")]
        except OSError as why:
            self._set_aside(path, "unreadable", f"cannot be listed: {why.strerror}")
            return
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                lower = entry.name.lower()
                if lower.endswith(_TAKEN):
                    try:
                        status = entry.stat()
                    except OSError as why:
                        self._lost(entry.path, why)
                        continue
                    self._take(entry.path, f"{real}/{entry.name}", status, is_log=lower.endswith(LOG_SUFFIXES))
            else:
                below = os.path.realpath(entry.path) if entry.is_symlink() else f"{real}/{entry.name}"
                self._other(entry.path, below, is_named=False, above=above)

    def _other(self, path: str, real: str, *, is_named: bool, above: tuple[tuple[int, int], ...]) -> None:
        """A folder, a link, or what is neither file nor folder."""
        try:
            status = Path(path).stat()
        except OSError as why:
            self._lost(path, why)
            return
        lower = path.lower()
        if stat.S_ISREG(status.st_mode):
            if is_named or lower.endswith(_TAKEN):
                self._take(path, real, status, is_log=not is_named and lower.endswith(LOG_SUFFIXES))
        elif stat.S_ISDIR(status.st_mode):
            place = (status.st_dev, status.st_ino)
            if lower.endswith(DATA_SUFFIXES):
                self._set_aside(path, "folder", "is a folder under the name of a data file")
            elif place in above:
                self._set_aside(path, "link_loop", "is a link to a folder that it lies in")
            else:
                self._folder(path, real.rstrip("/"), (*above, place))
        elif stat.S_ISFIFO(status.st_mode):
            self._set_aside(path, "not_a_file", "is a named pipe; write its content to a file")
        else:
            self._set_aside(path, "not_a_file", "is a device or socket, not a file")
