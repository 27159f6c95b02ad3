"""`wakewatch export`: a run's flagged voyages for QGIS, Google Earth, a spreadsheet or a database.

Takes the command line; calls `detectors.exports.export` and says what was written.
"""

from pathlib import Path
from typing import Annotated

import typer

from detectors.cli.summary import counted
from detectors.cli.terminal import emit
from detectors.exports.export import FOLDERS, FORMATS, READ, Exported, check_format
from detectors.exports.export import export as run_export
from detectors.run_folder import load_run
from detectors.shown import safe
from vessels.errors import UsageError


def export(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `wakewatch scan` or a night wrote.")],
    form: Annotated[
        str | None, typer.Option("--format", metavar="F", help=f"{', '.join(list(FORMATS)[:-1])} or kml; needed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A file for gpkg and kml (.kmz packs it), a folder for geojson and csv; in DIR by default.",
        ),
    ] = None,
    voyage: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this flagged voyage, by its id or the beginning of it.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what another program made, or has added to since.")
    ] = False,
) -> None:
    """Write the flagged voyages of a run for other programs: tracks, silences, positions, findings and fences.

    gpkg: one GeoPackage, which QGIS opens styled and with times. kml: one file for Google Earth, with its time slider.
    geojson, csv: a folder with a file a layer; nothing in a CSV runs as a formula. docs/interop.md says more.

    \b
    Examples:
      wakewatch export out --format gpkg
      wakewatch export out --format kml --out case.kmz --voyage 4f1d2c33
      wakewatch export nights/latest --format csv --out for-the-desk

    Exit status: 0 complete; 1 failed, nothing written; 2 wrong usage.
    """
    if form is None:
        raise UsageError(f"no format: give --format {', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}")
    known = check_format(form)
    done = run_export(load_run(run, READ), known, out, voyage or (), force=force)
    emit(exported_lines(done, known))


def exported_lines(done: Exported, form: str) -> list[str]:
    """What was written: how many rows of each layer, and where."""
    rows = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in reversed(list(done.rows.items())))
    what = counted(len(done.rows), "file") + " to " if form in FOLDERS else ""
    return [f"Layers   {rows}", f"Written  {what}{safe(done.path)}"]
