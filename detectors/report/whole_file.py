"""One file, written whole or not at all.

Takes a path and bytes; whoever looks at the path sees what was there before, or the new file complete.
"""

import secrets
from contextlib import suppress
from pathlib import Path

from vessels.errors import UsageError


def write_whole(path: Path | str, data: bytes) -> None:
    """Write a file aside and put it in place. Folders that do not exist are made. Raises UsageError where it cannot."""
    target = Path(path)
    aside = target.with_name(f".wakewatch-{secrets.token_hex(8)}")
    try:
        if target.is_dir():
            raise UsageError(f"{target}: is a folder; give the name of a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as stream:
            stream.write(data)
        aside.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        with suppress(OSError):  # in place already, or never made
            aside.unlink(missing_ok=True)
