"""`wakewatch` from its first to its last line: runs a command and turns every way it can fail into an exit status.

0 complete; 1 failed, nothing written; 2 wrong usage or settings; 3 complete, but some inputs were set aside; 128 and
the signal's number where one ended it. A failure is a line on standard error; a traceback is shown only where it was
asked for.
"""

import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version

import typer

from detectors.cli.app import DEBUG_VARIABLE, app
from detectors.cli.memory import keep_freed_memory
from detectors.cli.statuses import (
    COMPLETE,
    FAILED,
    INTERRUPTED,
    WRONG_USAGE,
    State,
    Stopped,
    status_of,
    stop_on_signals,
)
from vessels.errors import WakewatchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status; never raises but for a real defect asked to be shown."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if arguments is None:
        keep_freed_memory()
        stop_on_signals()
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
    except Stopped as stopped:
        state.say_stopped(f"stopped by {stopped}")
        return stopped.status
    except Exception as error:
        if state.debug:
            traceback.print_exc()
        return _refused(error, state.say)
    if status == INTERRUPTED:
        state.say_stopped("interrupted")
    return status if isinstance(status, int) else COMPLETE


def _refused(error: Exception, say: Callable[[str], None]) -> int:
    """Say in one line what went wrong, and give the exit status that stands for it."""
    usage: Callable[[], str] | None = getattr(error, "format_message", None)
    if usage is not None:
        context = getattr(error, "ctx", None)
        say(usage())
        say(f"see `{context.command_path if context else 'wakewatch'} --help`")
        return WRONG_USAGE
    if isinstance(error, WakewatchError):
        say(str(error))
        return status_of(error)
    if isinstance(error, OSError):
        say(f"{error.filename or 'the system'}: {error.strerror or error}")
        return FAILED
    if isinstance(error, MemoryError):
        say("out of memory; give fewer files at once or a machine with more")
        return FAILED
    say(
        f"{type(error).__name__}: {error}. This is a defect of wakewatch {version('wakewatch')}: please report it "
        "in the project's issue tracker, with what `wakewatch --debug ...` prints"
    )
    return FAILED
