"""`wakewatch report`: the report page of a finished run, written again.

Takes the command line; reads the folder, has the page made and puts it beside the tables.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from detectors.cli.statuses import SOME_SET_ASIDE
from detectors.cli.summary import counted
from detectors.cli.terminal import emit, say_note
from detectors.report.page import report_page
from detectors.report.whole_file import write_whole
from detectors.run_folder import load_run
from detectors.shown import safe

REPORT_FILE: Final = "report.html"


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `wakewatch scan` or a night wrote.")],
) -> None:
    """Write DIR/report.html again, from the tables and run.json in DIR alone.

    One file for a browser, with every flagged voyage on a map and a time line; it needs no network and no other file.
    Useful after an update of wakewatch, or for a run of a version that wrote no page. docs/report.md says how to read
    it. The page appears whole or not at all, and prints where it lies.

    \b
    Example:
      wakewatch report out

    Exit status: 0 complete; 1 failed, nothing written; 2 wrong usage, or DIR holds no finished run; 3 complete, but a
    picture could not be drawn (named on standard error and on the page).
    """
    run = load_run(folder)
    page = report_page(run)
    target = folder / REPORT_FILE
    write_whole(target, page.html.encode())
    for words in page.failures:
        say_note(words)
    flagged = counted(run.tables["flagged_voyages"].num_rows, "flagged voyage")
    emit([f"Written  {safe(target)}: {flagged}, {len(page.html.encode()) / 1e6:.1f} MB"])
    if page.failures:
        raise typer.Exit(SOME_SET_ASIDE)
