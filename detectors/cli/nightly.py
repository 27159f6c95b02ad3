"""`wakewatch nightly`: one night, told to a terminal, a log, a mail from cron, and a monitoring system.

Takes the command line; calls the library's `nightly` and says what became of it. What a night is, is left to
`detectors.batch.nightly`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from detectors.batch.lock import BusyError
from detectors.batch.metrics import check_metrics, write_metrics
from detectors.batch.nightly import Night
from detectors.batch.nightly import nightly as run_nightly
from detectors.batch.nights import STATUSES
from detectors.batch.refusals import unknown_name
from detectors.batch.run_log import FORMATS, JSON, TEXT, RunLog, log_to, logged_progress
from detectors.batch.settings import Settings, load_settings
from detectors.batch.standing import open_store, sizes_of
from detectors.cli.options import AsOf, Jobs, NeededSettings, instant, needed_settings
from detectors.cli.status import bytes_text, told_text
from detectors.cli.statuses import COMPLETE, SOME_SET_ASIDE, status_of
from detectors.cli.summary import counted
from detectors.cli.terminal import emit, progress
from detectors.shown import safe
from vessels.errors import UsageError, WakewatchError
from vessels.intake import Progress
from vessels.reading import SetAside


def nightly(
    context: typer.Context,
    settings: NeededSettings = None,
    as_of: AsOf = None,
    jobs: Jobs = None,
    engine: Annotated[
        str, typer.Option(metavar="E", help="local, or dask://HOST:PORT: a cluster that shares the store.")
    ] = "local",
    since: Annotated[
        str | None, typer.Option(metavar="T", help="Back-filling: a night for each day with data from then on.")
    ] = None,
    reprocess: Annotated[
        bool, typer.Option("--reprocess", help="Back-filling: read every input again, known or not.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken in and looked at; change nothing.")
    ] = False,
    log_format: Annotated[
        str, typer.Option(metavar="FORMAT", help="text, or json: one object a line on standard error.")
    ] = TEXT,
) -> None:
    """Take in the files that are new, look at the last weeks again, say which voyages are new, revised or withdrawn.

    Meant for cron or a systemd timer; docs/operations.md sets it up. Writes OUT/DATE with the tables of `scan` and
    run.json, points OUT/latest at the newest, and prints one line. May be killed at any time: the next run goes on from
    there. A second run at the same time leaves at once.

    \b
    Examples:
      wakewatch nightly --settings wakewatch.toml
      wakewatch nightly --settings wakewatch.toml --dry-run
      wakewatch nightly --settings wakewatch.toml --engine dask://10.0.0.5:8786 --log-format json

    Exit status: 0 complete; 1 failed, or another run is at work; 2 wrong usage or settings; 3 complete, but inputs,
    vessels or detectors were set aside (named on standard error and in run.json).
    """
    if log_format not in FORMATS:
        raise UsageError(f'--log-format "{log_format}": {unknown_name(log_format, FORMATS, "format")}')
    watched = log_format == TEXT and sys.stderr.isatty()
    log = log_to(sys.stderr, log_format, quiet=watched)
    if log_format == JSON:
        context.obj.say = lambda message: log.error("failed", message=message)
        context.obj.say_stopped = lambda message: log.error("stopped", message=message)
    loaded = load_settings(needed_settings(settings))
    now, back = instant(as_of), instant(since, "--since")
    metrics = None if dry_run else loaded.output.metrics
    if metrics is not None:
        check_metrics(metrics)
    try:
        with _progress(log, watched) as report:
            night = run_nightly(
                loaded,
                as_of=now,
                jobs=jobs,
                engine=engine,
                dry_run=dry_run,
                since=back,
                reprocess=reprocess,
                progress=report,
                log=log,
            )
    except BusyError:
        raise
    except BaseException as error:
        if metrics is not None:
            _try_metrics(log, metrics, None, status_of(error), loaded)
        raise
    _tell(log, night)
    status = SOME_SET_ASIDE if night.set_aside or night.failures else COMPLETE
    if metrics is not None:
        _try_metrics(log, metrics, night.record, status, loaded)
    if dry_run:
        emit(dry_lines(night.record["discovery"], night.set_aside))
    else:
        emit([night_line(night.record, night.folder)])
    if status:
        raise typer.Exit(status)


def night_line(record: Mapping[str, Any], folder: Path | None) -> str:
    """The one line that a night prints: what is told, what came in, where it lies."""
    if folder is None:
        return "No night: no row has come in yet"
    parts = [f"{record['date']}: {told_text(record['alerts'])}", came_in(record)]
    if record["set_aside"]:
        parts.append(f"{len(record['set_aside']):,} set aside")
    if record["failures"]:
        parts.append(counted(len(record["failures"]), "failure"))
    return "; ".join([*parts, safe(folder)])


def came_in(record: Mapping[str, Any]) -> str:
    """How many files and rows a night took in."""
    taken = record["taken_in"]
    return f"{counted(taken['files'], 'file')} in, {counted(taken['rows'], 'row')}"


def dry_lines(found: Mapping[str, Any], set_aside: Sequence[SetAside]) -> list[str]:
    """What a night would do with the inputs that a look around found."""
    new = found["new"]
    n_bytes = bytes_text(sum(item["n_bytes"] for item in new))
    return [
        f"{counted(found['known'], 'input')} known, {counted(len(new), 'input')} to take in ({n_bytes})",
        *(f"  new        {safe(item['name'])}" for item in new),
        *(f"  replaced   {safe(item['name'])}" for item in found["replaced"]),
        *(f"  duplicate  {safe(name)}, of {safe(other)}" for name, other in found["duplicates"]),
        *(f"  vanished   {safe(name)}" for name in found["vanished"]),
        *(f"  set aside  {safe(item.name)}" for item in set_aside),
        "Nothing was changed",
    ]


def _tell(log: RunLog, night: Night) -> None:
    """What a person should know of a finished run, and the night itself, as events."""
    for item in night.set_aside:
        log.warning("set_aside", name=item.name, reason=item.reason, detail=item.detail)
    for folder in night.record.get("discovery", {}).get("emptied", ()):
        log.warning("emptied", name=folder, detail="no file that was known from here is left; is it mounted?")
    for failure in night.failures:
        log.warning("left_out", detector=failure["detector"], mmsi=failure["mmsi"], detail=failure["words"])
    if night.folder is not None:
        told = {status: night.record["alerts"][status] for status in STATUSES}
        log.info("night", night_id=night.record["night_id"], folder=str(night.folder), **told)


def _try_metrics(log: RunLog, path: Path, record: Mapping[str, Any] | None, status: int, settings: Settings) -> None:
    """Write the metrics; what keeps them from being written is said, and does not undo a night that is done."""
    if record is not None:
        try:
            record = {**record, "store": sizes_of(open_store(settings))}
        except WakewatchError as error:
            log.warning("metrics", detail=str(error))
    try:
        write_metrics(path, record, status)
    except WakewatchError as error:
        log.warning("metrics", detail=str(error))


@contextmanager
def _progress(log: RunLog, watched: bool) -> Iterator[Progress]:
    """Bars where somebody watches; lines in the log where nobody does."""
    if not watched:
        yield logged_progress(log)
        return
    with progress() as report:
        yield report
