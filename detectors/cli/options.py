"""What several commands can be told in the same words: inputs, settings, zones, watch list, baseline, time, processes.

Takes nothing; gives the annotated types of these parameters. What a command does with them is left to `app`.
"""

from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT", help="Parquet, CSV, CSV.gz, CSV.zst or NMEA: files, folders, globs in quotes."),
]
Dialect = Annotated[
    str | None, typer.Option(metavar="NAME", help="File layout; found out from the columns where it is left out.")
]
ZonesFile = Annotated[Path | None, typer.Option(metavar="F", help="GeoJSON: zones besides wakewatch's own.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", metavar="F", help="Settings (TOML).")]
Jobs = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes to work with; all cores by default.")]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="T", help='What "now" is: 2024-05-01 or 2024-05-01T06:00Z; newest report by default.'),
]
WatchlistFile = Annotated[Path | None, typer.Option("--watchlist", metavar="F", help="Watch list (CSV).")]
BaselineFile = Annotated[
    Path | None, typer.Option("--baseline", metavar="F", help="What is usual, from `wakewatch fit`.")
]
