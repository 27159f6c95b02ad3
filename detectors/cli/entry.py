"""`wakewatch` from its first to its last line: runs a command and turns every way it can fail into an exit status.

0 complete; 1 failed, nothing written; 2 wrong usage or settings; 3 complete, but some inputs were set aside. A failure
is a line on standard error; a traceback is shown only where it was asked for.
"""

import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

import typer

from detectors.cli.app import COMPLETE, DEBUG_VARIABLE, WRONG_USAGE, State, app
from detectors.cli.memory import keep_freed_memory
from detectors.cli.terminal import say_error, say_note
from vessels.errors import UsageError, WakewatchError

FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status; never raises but for a real defect asked to be shown."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if arguments is None:
        keep_freed_memory()
    state = State(debug=os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"))
    try:
        status = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments),
            prog_name="wakewatch",
            standalone_mode=False,
            obj=state,
        )
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        if state.debug:
            traceback.print_exc()
        return _refused(error)
    if status == INTERRUPTED:
        say_note("interrupted")
    return status if isinstance(status, int) else COMPLETE


def _refused(error: Exception) -> int:
    """Say in one line what went wrong, and give the exit status that stands for it."""
    usage: Callable[[], str] | None = getattr(error, "format_message", None)
    if usage is not None:
        context = getattr(error, "ctx", None)
        say_error(usage())
        say_error(f"see `{context.command_path if context else 'wakewatch'} --help`")
        return WRONG_USAGE
    if isinstance(error, WakewatchError):
        say_error(str(error))
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    if isinstance(error, OSError):
        say_error(f"{error.filename or 'the system'}: {error.strerror or error}")
        return FAILED
    if isinstance(error, MemoryError):
        say_error("out of memory; give fewer files at once or a machine with more")
        return FAILED
    say_error(
        f"{type(error).__name__}: {error}. This is a defect of wakewatch {version('wakewatch')}: please report it "
        "in the project's issue tracker, with what `wakewatch --debug ...` prints"
    )
    return FAILED
