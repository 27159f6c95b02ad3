"""What several commands can be told in the same words: inputs, settings, zones, watch list, baseline, time, processes.

Takes nothing; gives the annotated types of these parameters. What a command does with them is left to `app`.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vessels.errors import UsageError

Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT", help="Parquet, CSV, CSV.gz, CSV.zst or NMEA: files, folders, globs in quotes."),
]
Dialect = Annotated[
    str | None, typer.Option(metavar="NAME", help="File layout; found out from the columns where it is left out.")
]
ZonesFile = Annotated[Path | None, typer.Option(metavar="F", help="GeoJSON: zones besides wakewatch's own.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", metavar="F", help="Settings (TOML).")]
NeededSettings = Annotated[Path | None, typer.Option("--settings", metavar="F", help="Settings (TOML); needed.")]
Jobs = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes to work with; all cores by default.")]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="T", help='What "now" is: 2024-05-01 or 2024-05-01T06:00Z; newest report by default.'),
]
WatchlistFile = Annotated[Path | None, typer.Option("--watchlist", metavar="F", help="Watch list (CSV).")]
BaselineFile = Annotated[
    Path | None, typer.Option("--baseline", metavar="F", help="What is usual, from `wakewatch fit`.")
]


def instant(text: str | None, option: str = "--as-of") -> datetime | None:
    """The time an option names; UTC where it states no zone. Raises UsageError."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'{option} "{text}": is no time; write 2024-05-01 or 2024-05-01T06:00Z') from None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def needed_settings(path: Path | None) -> Path:
    """The settings file of a command that cannot go without. Raises UsageError."""
    if path is None:
        raise UsageError("no settings: give --settings F; wakewatch.example.toml and docs/operations.md show one")
    return path
