"""How a command ends: the exit statuses, what a run tells of itself on the way out, and being told to stop.

Takes inputs set aside, or a signal; gives a status. Turning errors into statuses is left to `detectors.cli.entry`.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, NoReturn

import typer

from detectors.cli.terminal import say_error, say_note
from vessels.errors import UsageError

COMPLETE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
SOME_SET_ASIDE: Final = 3
SIGNALLED: Final = 128
"""A process that a signal ended counts as 128 and the signal's number, as shells have it."""
INTERRUPTED: Final = SIGNALLED + signal.SIGINT


@dataclass
class State:
    """What the command line said before the command's name, and how the command wants its errors told."""

    debug: bool
    say: Callable[[str], None] = say_error
    say_stopped: Callable[[str], None] = say_note


class Stopped(BaseException):
    """The process was told to stop; no `Exception`, so that nothing on the way takes it for a failure of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = SIGNALLED + number


def status_of(error: BaseException) -> int:
    """The exit status that an error comes to; `detectors.cli.entry` gives the same."""
    if isinstance(error, Stopped):
        return error.status
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return WRONG_USAGE if isinstance(error, UsageError) else FAILED


def stop_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the command as ctrl-C does: locks fall, worker processes end, files aside go."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        with suppress(ValueError):  # not the main thread: whoever runs it sees to signals
            if signal.getsignal(number) == signal.SIG_DFL:  # `nohup` ignores SIGHUP, and means it
                signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: a second one would cut the unwinding short
    raise Stopped(number)


def leave(set_aside: Sequence[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]] = ()) -> None:
    """Name the inputs set aside and what failed on which vessels, and leave with the status that says so."""
    for item in set_aside:
        say_note(f"set aside: {item['name']}: {item['detail']} ({item['reason']})")
    for item in failures:
        say_note(item["words"])
    if set_aside or failures:
        raise typer.Exit(SOME_SET_ASIDE)
