"""Outcomes: what became of one task that ran in another process, its error as whole as its result.

Takes work and an item; gives an `Outcome` that can be pickled whatever happened. Where tasks run is left to
`detectors.batch.crew` and `detectors.batch.cluster`.
"""

import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from vessels.errors import WakewatchError

Work = Callable[[Any], Any]
"""A function of one item: one of a module, or a `functools.partial` of one, so that other processes can find it."""

_REMEMBERED: Final = 4
"""Works a process keeps unpacked: a night has two maps."""


class EngineError(WakewatchError):
    """Work that could not be done because workers were not there, died, or are of another make."""


class _Elsewhere(Exception):  # noqa: N818 - shown as the cause of the error that was raised elsewhere
    """Where in another process an error was raised, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a task, or the error it ended with and where."""

    value: Any = None
    error: Exception | None = None
    trace: str = ""

    def result(self) -> Any:
        """The result; raises the error if there is one, with the place it came from as its cause."""
        if self.error is not None:
            raise self.error from _Elsewhere(self.trace)
        return self.value


def packed(work: Work) -> bytes:
    """The work as bytes that another process can unpack. Raises EngineError if it cannot be packed."""
    try:
        return pickle.dumps(work, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise EngineError(
            f"work for other processes must be a function of a module (or a functools.partial of one) with arguments "
            f"that can be pickled; {_name_of(work)} is not: {error}"
        ) from error


def _name_of(work: Work) -> str:
    function = work.func if isinstance(work, partial) else work
    return getattr(function, "__qualname__", type(function).__name__)


@lru_cache(maxsize=_REMEMBERED)
def unpacked(work: bytes) -> Work:
    """The work again; one object a process, so that what it holds (zones, their index) is made once."""
    made: Work = pickle.loads(work)  # noqa: S301 - bytes made by `packed` in the process that this one belongs to
    return made


def attempt(work: bytes, item: Any) -> Outcome:
    """Do one task; nothing but the end of the process keeps it from giving an `Outcome`."""
    try:
        return Outcome(unpacked(work)(item))
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Outcome:
    """The outcome of an error; one that cannot be pickled is told in words."""
    trace = "".join(traceback.format_exception(error))
    try:
        whole = pickle.loads(pickle.dumps(error)).args == error.args  # noqa: S301 - pickled on this very line
    except Exception:
        whole = False
    if not whole:
        error = EngineError(f"a task failed: {type(error).__name__}: {error}")
    return Outcome(error=error, trace=trace)
