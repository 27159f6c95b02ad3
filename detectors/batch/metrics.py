"""What a night leaves for a monitoring system: a Prometheus text file, whole or not at all.

Takes a night's record and the exit status of the command; gives a file in the text exposition format, such as the text
collector of node_exporter reads. When the job last ran is the file's own time, which that collector gives out as
`node_textfile_mtime_seconds`: no clock is read. A night that failed keeps the numbers of the last one that did not, but
for the exit status.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from vessels.errors import UsageError, WakewatchError

PREFIX: Final = "wakewatch_night_"
EXIT_STATUS: Final = f"{PREFIX}exit_status"
STATUSES: Final = ("new", "revised", "withdrawn", "unchanged")
MAX_METRICS_BYTES: Final = 1_000_000
"""A metrics file is a few kilobytes; anything larger is some other file given by mistake."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number, or one a label, with what it means. All are gauges: a night's own numbers, not sums over nights."""

    name: str
    meaning: str
    values: Sequence[tuple[str, float]]
    label: str = ""

    def lines(self) -> Iterator[str]:
        """The metric in the text exposition format."""
        if not self.values:
            return
        yield f"# HELP {self.name} {self.meaning}"
        yield f"# TYPE {self.name} gauge"
        for label, value in self.values:
            labels = f'{{{self.label}="{_escaped(label)}"}}' if self.label else ""
            yield f"{self.name}{labels} {_number(value)}"


def night_metrics(record: Mapping[str, Any]) -> list[Metric]:
    """The numbers of a finished night, from its record (what run.json holds)."""
    stages, alerts, store = record.get("stages", {}), record.get("alerts") or {}, record.get("store") or {}
    reasons = [str(item["reason"]) for item in record.get("set_aside", ())]
    return [
        _one(
            "as_of_timestamp_seconds", "Newest time in the data that counted, since 1970 UTC", _seconds(record, "as_of")
        ),
        _one(
            "window_start_timestamp_seconds",
            "First instant looked at, since 1970 UTC",
            _seconds(record, "window_start"),
        ),
        Metric(
            f"{PREFIX}voyages",
            "Flagged voyages of the night by status",
            [(status, alerts[status]) for status in STATUSES if status in alerts],
            "status",
        ),
        _one("voyages_over_threshold", "Voyages that score high enough, told or not", alerts, "over_threshold"),
        _one("voyages_beyond_budget", "New and revised voyages that wait for another night", alerts, "beyond_budget"),
        _one("voyages_dismissed", "Voyages kept quiet because they were dismissed", alerts, "dismissed"),
        _one("findings_muted", "Findings that weigh nothing by an analyst's word", alerts, "muted"),
        _one("findings", "Findings of the night, flagged voyage or not", record, "n_findings"),
        _one("vessels", "Vessels heard in the window", record, "n_vessels"),
        _one("inputs_taken_in", "Input files taken in", record.get("taken_in"), "files"),
        _one("rows_taken_in", "Rows of the input files taken in", record.get("taken_in"), "rows"),
        _one("inputs_set_aside", "Input files set aside", len(reasons)),
        Metric(
            f"{PREFIX}inputs_set_aside_by_reason",
            "Input files set aside by reason",
            [(reason, reasons.count(reason)) for reason in sorted(set(reasons))],
            "reason",
        ),
        _one("failures", "Vessels or detectors left out because of an error", len(record.get("failures", ()))),
        _one("store_bytes", "Size of the store", store, "bytes"),
        _one("store_files", "Files of the store", store, "files"),
        Metric(
            f"{PREFIX}stage_seconds", "Time spent by stage", [(str(k), float(v)) for k, v in stages.items()], "stage"
        ),
    ]


def check_metrics(path: Path) -> None:
    """Refuse early what could not be written at the end of a night. Raises UsageError."""
    try:
        _before(path)
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
    except OSError as error:
        raise UsageError(f"{path}: the metrics cannot be written ({error.strerror or error})") from None
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: the metrics cannot be written, because {nearest} cannot be written to")


def write_metrics(path: Path, record: Mapping[str, Any] | None, status: int) -> None:
    """Write the metrics file: of a night that finished, or (`record` None) of one that failed with this exit status.

    Raises WakewatchError where it cannot be written, or where a file stands there that is no metrics file.
    """
    ended = Metric(EXIT_STATUS, "Exit status of the last run: 0 complete, 3 some inputs set aside", [("", status)])
    try:
        before = _before(path)
        if record is None:
            kept = [line for line in before if EXIT_STATUS not in line]
        else:
            kept = [line for metric in night_metrics(record) for line in metric.lines()]
        _write_whole(path, "".join(f"{line}\n" for line in (*kept, *ended.lines())))
    except OSError as error:
        raise WakewatchError(f"{path}: the metrics cannot be written ({error.strerror or error})") from None


def _before(path: Path) -> list[str]:
    """The lines of the file as it is; refused where it is no file of ours, so that a mistyped path destroys nothing."""
    try:
        if not path.is_file():
            if path.exists():
                raise UsageError(f"{path}: is no file; [output] metrics names the metrics file")
            return []
        text = path.read_bytes()[: MAX_METRICS_BYTES + 1].decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = text.splitlines()
    ours = re.compile(rf"(# (HELP|TYPE) )?{PREFIX}\w+[ {{]")
    if not all(ours.match(line) for line in lines):
        raise UsageError(f"{path}: holds something else than wakewatch's metrics; give [output] metrics a new name")
    return lines


def _one(name: str, meaning: str, value: object, key: str | None = None) -> Metric:
    """One number, given or under a key of a record; without a value where the record has none."""
    number = value.get(key) if isinstance(value, Mapping) else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    return Metric(f"{PREFIX}{name}", meaning, [("", float(number))] if is_number else [])  # type: ignore[arg-type]


def _seconds(record: Mapping[str, Any], key: str) -> float | None:
    """An instant of a record, text as JSON has it or a datetime, as seconds since 1970."""
    value = record.get(key)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.timestamp() if isinstance(value, datetime) else None


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    """A label's value: backslash, quote and line feed escaped, as the format wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _write_whole(path: Path, text: str) -> None:
    """Write aside and rename. The name aside does not end in .prom, so that no collector reads it half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
