"""What a night says while it works: named events with fields, as lines for people or as JSON for machines.

Takes events; gives them to a `logging.Logger`. By default that is the library's own, "wakewatch", which nobody has
configured but the program that imports it; `log_to` makes one that writes lines to a stream, for the command. Times are
those that `logging` stamps its records with.
"""

import json
import logging
import time
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final, TextIO

from vessels.intake import Progress

TEXT, JSON = "text", "json"
FORMATS: Final = (TEXT, JSON)
LOGGER_NAME: Final = "wakewatch"
_EVENT, _FIELDS = "wakewatch_event", "wakewatch_fields"
_SHARES: Final = 4
"""A stage that takes long says so when a quarter, a half and three quarters are done."""
_QUICK_S: Final = 5.0
"""Stages and quarters that take less are not worth a line of their own."""


class RunLog:
    """Says what happens in a run: an event's name, a word or two, and fields that hold plain values.

    >>> RunLog().info("taken_in", files=2, rows=1200)
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger(LOGGER_NAME)

    def info(self, event: str, /, **fields: object) -> None:
        """Something that belongs to a night as it should be."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Something that a person should know and that does not stop the night."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """What ended the night."""
        self._say(logging.ERROR, event, fields)

    def _say(self, level: int, event: str, fields: dict[str, object]) -> None:
        self._logger.log(level, "%s", _line(event, fields), extra={_EVENT: event, _FIELDS: fields})


def log_to(stream: TextIO, form: str, *, quiet: bool = False) -> RunLog:
    """A log that writes each event as a line to a stream; `quiet` leaves out all but warnings and errors."""
    handler = _Lines(stream)
    handler.setFormatter(_Json() if form == JSON else _Text())
    logger = logging.Logger(LOGGER_NAME, logging.WARNING if quiet else logging.INFO)
    logger.addHandler(handler)
    return RunLog(logger)


def logged_progress(log: RunLog) -> Progress:
    """Progress as events: a stage that takes more than seconds is told when a quarter, a half ... of it is done.

    A stage's seconds count from the end of the one before: many are first heard of when their first step is done.
    """
    ended_last = [time.perf_counter()]
    began: dict[str, float] = {}
    told: dict[str, float] = {}
    lock = Lock()  # stages are reported from several threads

    def report(stage: str, done: int, total: int) -> None:
        with lock:
            now = time.perf_counter()
            if stage not in began:
                began[stage] = told[stage] = ended_last[0]
            ended = done >= total
            share = total and done * _SHARES // total
            is_step = share > (done - 1) * _SHARES // total if done and total else False
            if not ended and (not is_step or now - told[stage] < _QUICK_S):
                return
            told[stage] = now
            seconds = round(now - began[stage], 1)
            if ended:
                del began[stage], told[stage]
                ended_last[0] = now
        if ended:
            log.info("stage", name=stage, n=total, seconds=seconds)
        else:
            log.info("stage_goes_on", name=stage, done=done, n=total, seconds=seconds)

    return report


class _Lines(logging.StreamHandler[TextIO]):
    """Lines to a stream. A stream that takes no more (a full disk, a closed pipe) does not end the night."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: there is nowhere left to say it."""


class _Text(logging.Formatter):
    """`2025-04-10T02:00:01Z warning set_aside name=a.csv reason=empty`."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record, 'seconds')} {record.levelname.lower()} {record.getMessage()}"


class _Json(logging.Formatter):
    """One JSON object a line: `ts`, `level`, `event`, and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, _FIELDS, {})
        said = {
            "ts": _time(record, "milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, _EVENT, record.getMessage()),
            **{key: value for key, value in fields.items() if key not in ("ts", "level", "event")},
        }
        return json.dumps(said, default=_plain)


def _time(record: logging.LogRecord, precision: str) -> str:
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec=precision).replace("+00:00", "Z")


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _line(event: str, fields: dict[str, object]) -> str:
    r"""An event and its fields as one line that no value can break or command a terminal with.

    >>> _line("set_aside", {"name": "a b\n.csv", "rows": 3})
    'set_aside name="a b\\n.csv" rows=3'
    """
    return " ".join([event, *(f"{key}={_value(value)}" for key, value in fields.items() if value is not None)])


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=_plain)
    if not isinstance(value, str):
        return text
    plain = text.isascii() and text.isprintable() and not any(character in ' "=' for character in text)
    return text if plain and text else json.dumps(text)
