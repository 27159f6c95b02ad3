"""One family of errors: each message has the value, the rule it broke and the remedy."""

from collections.abc import Mapping
from typing import Any


class WakewatchError(Exception):
    """Anything wakewatch refuses to do, said in words a user can act on.

    Errors pass from one process to another whole: with their type, their words and whatever else they carry.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _raised_elsewhere, (type(self), self.args, self.__dict__)


def _raised_elsewhere(kind: type[WakewatchError], words: tuple[Any, ...], carried: Mapping[str, Any]) -> WakewatchError:
    """The error again, without calling `__init__`: subclasses take other arguments than they keep in `args`."""
    error = kind.__new__(kind, *words)
    error.__dict__.update(carried)
    return error


class UsageError(WakewatchError):
    """The caller asked for something that cannot be: no input, an unknown name, a bound crossed."""


class SettingsError(UsageError):
    """A settings file, zone file, watch list or baseline that breaks a rule; names the file and the key."""


class InputFileError(WakewatchError):
    """One input file that cannot be read as AIS positions; it is set aside and the others go on.

    `reason` is a short code for counting, `detail` the sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NothingReadableError(WakewatchError):
    """Inputs were given, but every one had to be set aside; names them with their reasons."""


class StoreError(WakewatchError):
    """The nightly job's store cannot be read or written: names the table, what happened and what to do."""
