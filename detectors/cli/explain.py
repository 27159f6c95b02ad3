"""`wakewatch explain`: the case for one voyage as text or Markdown, and as a picture for a letter.

Takes the command line; reads the run's folder and prints. What belongs to a case is decided in `detectors.explain`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from detectors.cli.case import case_lines
from detectors.cli.terminal import console, emit, say_note, width_of
from detectors.report.markdown import case_markdown
from detectors.report.notebook import Desk, check_picture_name
from detectors.run_folder import load_run


class Format(StrEnum):
    """How the case is printed."""

    TEXT = "text"
    MD = "md"


def explain(
    voyage_id: Annotated[str, typer.Argument(metavar="VOYAGE_ID", help="The id, or its beginning.")],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="Folder that `wakewatch scan` wrote.")],
    format_: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="text, or md for Markdown.")
    ] = Format.TEXT,
    plot: Annotated[
        Path | None, typer.Option(metavar="F", help="Also draw track, time line and findings (.png or .svg).")
    ] = None,
) -> None:
    """The case for one voyage, in words and numbers: score, facts, who the hull was, port calls, findings, sources.

    With --plot also a picture of its track and time line, for a letter: .png, or .svg that a drawing program can open.
    The case is printed all the same.

    \b
    Examples:
      wakewatch explain 4f1d2c33 --run out
      wakewatch explain 4f1d2c33 --run out --format md > case.md
      wakewatch explain 4f1d2c33 --run out --plot case.png
    """
    if plot is not None:
        check_picture_name(plot)
    desk = Desk(load_run(run))
    case = desk.case(voyage_id)
    if plot is not None:
        desk.picture(case.voyage["voyage_id"]).save(plot)
    stdout = console()
    if format_ is Format.MD:
        emit(case_markdown(case).splitlines(), stdout)
    else:
        emit(case_lines(case, width_of(stdout)), stdout)
    if plot is not None:
        say_note(f"picture written to {plot}")
