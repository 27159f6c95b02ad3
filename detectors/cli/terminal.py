"""What reaches a terminal or a pipe: text made safe, errors in one form, progress only where somebody watches.

Text from radio and from files passes through `detectors.shown.safe`, and nothing in it is read as markup. Takes
strings and numbers; gives lines.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from detectors.shown import safe
from vessels.intake import Progress, no_progress

PIPE_WIDTH: Final = 120
"""Columns where nobody says how wide the output is: what a log or a file is read at."""
MAX_WIDTH: Final = 160
"""Lines longer than this are hard to follow, however wide the window."""


class _Console(Console):
    """A console that goes quiet when its reader leaves, as `| head` does, and leaves the exit status alone."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, (sys.stderr if self.stderr else sys.stdout).fileno())


def console(*, stderr: bool = False) -> Console:
    """Standard output or standard error; colours on a terminal only, no markup anywhere."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return _Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def width_of(out: Console) -> int:
    """Columns to fill."""
    return min(out.width, MAX_WIDTH)


def emit(lines: Iterable[str | Text], out: Console | None = None) -> None:
    """Lines as they are, on standard output unless another console is given; never broken or cut."""
    out = out or console()
    for line in lines:
        out.print(line if isinstance(line, Text) else Text(line), soft_wrap=True)


def say_error(message: str) -> None:
    """An error on standard error, a line for each thing that is wrong."""
    lines = message.splitlines() or [""]
    emit((Text.assemble(("wakewatch: error: ", "bold red"), safe(line)) for line in lines), console(stderr=True))


def say_note(message: str) -> None:
    """Something to know on standard error, such as a file set aside."""
    emit([Text.assemble(("wakewatch: ", "yellow"), safe(message))], console(stderr=True))


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: int = 2) -> list[str]:
    """Rows in columns as wide as their widest entry, the header first; `right` lists the columns set to the right.

    >>> grid(["a", "n"], [["x", "10"], ["yy", "9"]], right=[1])
    ['a    n', 'x   10', 'yy   9']
    """
    lines = [[safe(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[i]) for row in lines) for i in range(len(header))]
    shaped = []
    for row in lines:
        cells = [
            " " * (width - cell_len(cell)) + cell if i in right else set_cell_size(cell, width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        shaped.append((" " * gap).join(cells).rstrip())
    return shaped


def clip(text: str, width: int) -> str:
    """Text cut to so many columns, with an ellipsis where something is missing.

    >>> clip("Nakhodka", 5)
    'Nakh…'
    """
    text = safe(text)
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """Text broken between words into lines of at most so many columns, each indented."""
    lines: list[str] = []
    line = ""
    room = max(width - indent, 1)
    for word in safe(text).split():
        if line and cell_len(line) + 1 + cell_len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [" " * indent + part for part in [*lines, line] if part]


def wrapped_grid(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, indent: int = 0, gap: int = 2
) -> list[str]:
    """Rows in columns that share a width; what does not fit its column goes on below itself.

    A column gets what its longest entry needs; where that is too much together, the widest give way first.
    """
    needed = [max(cell_len(safe(row[i])) for row in (header, *rows)) for i in range(len(header))]
    room = max(width - indent - gap * (len(header) - 1), 12 * len(header))
    ceiling = max(needed, default=0)
    while sum(min(n, ceiling) for n in needed) > room:
        ceiling -= 1
    widths = [min(n, ceiling) for n in needed]
    lines = []
    for row in (header, *rows):
        cells = [wrap(cell, size) or [""] for cell, size in zip(row, widths, strict=True)]
        for i in range(max(len(cell) for cell in cells)):
            parts = [
                set_cell_size(cell[i] if i < len(cell) else "", max(size, cell_len(cell[i]) if i < len(cell) else 0))
                for cell, size in zip(cells, widths, strict=True)
            ]
            lines.append((" " * indent + (" " * gap).join(parts)).rstrip())
    return lines


@contextmanager
def progress() -> Iterator[Progress]:
    """A callback that draws progress on standard error, and nothing where that is no terminal."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield no_progress
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=err, transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        lock = Lock()  # stages are reported from several threads

        def report(stage: str, done: int, total: int) -> None:
            with lock:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(safe(stage), total=total)
                bars.update(tasks[stage], completed=done, total=total)

        yield report
