"""Verdicts from a file: a CSV of an analyst's words, one a line, all of them understood or none taken.

Takes a path; gives `Said` records. Whether the voyages were told is left to `detectors.batch.verdicts`.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from detectors.batch.refusals import shown, unknown_name
from detectors.batch.verdicts import Said
from vessels.errors import UsageError

COLUMNS: Final = ("voyage_id", "verdict", "reason", "who", "when", "mute_kinds", "mute_days")
NEEDED: Final = ("voyage_id", "verdict")
MAX_BYTES: Final = 20_000_000
"""A hundred thousand verdicts; anything larger is some other file given by mistake."""


def read_words(path: Path | str) -> list[Said]:
    """The words of a CSV with a header line: `voyage_id`, `verdict`, and any of the other `COLUMNS`.

    `when` is ISO 8601, UTC where it states no zone; `mute_kinds` are separated by spaces, commas or semicolons. Empty
    lines are passed over. Raises UsageError with one line for each thing that cannot be understood.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB, so it is no file of verdicts")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{path}: is not valid CSV: {error}") from None
    header = [name.strip().lower() for name in lines[0]] if lines else []
    _check_header(path, header)
    words, problems = [], []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            words.append(_said(header, cells))
        except UsageError as error:
            problems.append(f"{path}, row {number}: {error}")
    if problems:
        raise UsageError("\n".join(problems))
    return words


def _check_header(path: Path, header: list[str]) -> None:
    problems = [
        f"{path}: {unknown_name(name, COLUMNS, 'column')} ({shown(name)})" for name in header if name not in COLUMNS
    ]
    problems += [f"{path}: has no column `{name}`" for name in NEEDED if name not in header]
    problems += [f"{path}: has the column `{name}` twice" for name in COLUMNS if header.count(name) > 1]
    if problems:
        raise UsageError("\n".join(problems))


def _said(header: list[str], cells: list[str]) -> Said:
    if len(cells) != len(header):
        raise UsageError(f"has {len(cells)} cells where the first line has {len(header)}; quote text that holds commas")
    row: Mapping[str, str] = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    return Said(
        voyage_id=row["voyage_id"],
        verdict=row["verdict"].lower(),
        reason=row.get("reason") or None,
        who=row.get("who") or None,
        when=_when(row.get("when", "")),
        mute_kinds=tuple(kind for kind in re.split(r"[\s,;]+", row.get("mute_kinds", "")) if kind),
        mute_days=_days(row.get("mute_days", "")),
    )


def _when(text: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"when {shown(text)}: is no time; write 2024-05-01 or 2024-05-01T06:00Z") from None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _days(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii():
        raise UsageError(f"mute_days {shown(text)}: must be a whole number of days")
    return int(text)
