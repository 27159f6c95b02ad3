"""Where a store is: a local folder, or the URL of an object store with the options that reach it.

Takes a path or URL as in the settings; gives table addresses, and files read, written and listed the same way on either
kind of place. What the files are is left to `vessels.store.data_files`.
"""

import os
import re
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from deltalake._internal import DeltaFileSystemHandler
from pyarrow.fs import FileType

from vessels.errors import UsageError

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\[\]\\^|]|%[0-9A-Fa-f]{2}")
"""What deltalake 1.6 does not take in a local path: it panics, or works beside the folder that was named."""


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A folder or URL; `options` are `deltalake`'s own storage options (keys, endpoints) for object stores.

    A local path is made absolute. Picklable; options do not show in its `repr`. Raises UsageError for what cannot
    hold a store.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _address(str(self.url)))
        object.__setattr__(self, "options", dict(self.options))

    @property
    def is_local(self) -> bool:
        """A folder of this machine (or mounted on it), not an object store."""
        return _SCHEME.match(self.url) is None

    @property
    def folder(self) -> Path:
        """The local folder. Raises UsageError where there is none."""
        if not self.is_local:
            raise UsageError(f"the store at {self.url} is no local folder")
        return Path(self.url)

    def table_uri(self, name: str) -> str:
        """Address of one table."""
        return f"{self.url}/{name}"

    def entries(self) -> list[str]:
        """Names of what lies in the place, sorted; none where there is nothing yet."""
        if self.is_local:
            return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []
        infos = self._handler("").get_file_info_selector("", allow_not_found=True, recursive=False)
        return sorted(info.base_name for info in infos)

    def listing(self, name: str) -> list[tuple[str, int]]:
        """(path below the table's folder, bytes) of every file in it, sorted; none where there is no such folder.

        Files that vanish meanwhile, as those of writers at work do, may be left out.
        """
        if self.is_local:
            root, found = self.folder / name, []
            for at, _, files in os.walk(root, onerror=_unless_missing):
                for path in (Path(at, file) for file in files):
                    with suppress(FileNotFoundError):
                        found.append((path.relative_to(root).as_posix(), path.lstat().st_size))
            return sorted(found)
        infos = self._handler(name).get_file_info_selector("", allow_not_found=True, recursive=True)
        return sorted((info.path, int(info.size or 0)) for info in infos if info.type == FileType.File)

    def read(self, name: str, path: str) -> pa.NativeFile:
        """A file of a table, open for reading; an object is fetched whole."""
        if self.is_local:
            return pa.OSFile(str(self.folder / name / path))
        file = self._handler(name).open_input_file(path)
        return pa.BufferReader(file.read(file.size()))

    def write(self, name: str, path: str, data: pa.Buffer) -> int:
        """Write a new file of a table and see it safe on disk; when it was written, in ms since 1970, as the place
        says it."""
        if not self.is_local:
            handler = self._handler(name)
            stream: Any = handler.open_output_stream(path, None)
            stream.write(data.to_pybytes())
            stream.close()
            return int(handler.get_file_info([path])[0].mtime_ns or 0) // _NS_PER_MS
        file = self.folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
            return int(os.fstat(handle.fileno()).st_mtime_ns) // _NS_PER_MS

    def now_ms(self, name: str) -> int:
        """What time it is by the clock that dates the table's files, ms since 1970."""
        path = f"{uuid.uuid4()}.now"
        try:
            return self.write(name, path, pa.py_buffer(b"now"))
        finally:
            self.remove(name, path)

    def remove(self, name: str, path: str) -> None:
        """Delete a file that no commit names."""
        if self.is_local:
            (self.folder / name / path).unlink(missing_ok=True)
        else:
            self._handler(name).delete_file(path)

    def settle(self, name: str, paths: Iterable[str]) -> None:
        """See files of a local table, and folders with what they list, safe on disk; object stores do so alone."""
        if not self.is_local:
            return
        for path in sorted(paths):
            with suppress(FileNotFoundError):
                at = os.open(self.folder / name / path, os.O_RDONLY)
                try:
                    os.fsync(at)
                finally:
                    os.close(at)

    def _handler(self, name: str) -> DeltaFileSystemHandler:
        """deltalake's files of one table.

        Its public face, a PyArrow file system, cannot write (it hands buffers to what takes bytes only), and when
        Arrow's threads read through it, the interpreter may abort at its end.
        """
        return DeltaFileSystemHandler(self.table_uri(name).rstrip("/"), dict(self.options))


_NS_PER_MS: Final = 1_000_000


def _address(url: str) -> str:
    """The URL without a slash at its end, or the absolute path of a local folder."""
    if url.startswith("file://"):
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise UsageError(f"the store is at {url}, which names another machine; give a folder of this one")
        url = unquote(parts.path)
    if _SCHEME.match(url):
        return url.rstrip("/")
    if not url:
        raise UsageError("the store has no path; give a folder, or the URL of an object store")
    path = os.path.abspath(os.path.expanduser(url))  # noqa: PTH100, PTH111 - dots go, links stay
    if unfit := _UNFIT.search(path):
        raise UsageError(
            f"the store cannot lie in {path!r}: deltalake takes no {unfit.group()!r} in a path; name another folder"
        )
    return path


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
