"""`wakewatch verdict`: an analyst's word on a voyage that a night told, or a file of many, kept in the store.

Takes the command line; gives the words to `detectors.batch.verdicts` and says what was kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from detectors.batch.settings import load_settings
from detectors.batch.standing import open_store
from detectors.batch.verdict_files import read_words
from detectors.batch.verdicts import Recorded, Said, record
from detectors.cli.options import NeededSettings, instant, needed_settings
from detectors.cli.terminal import emit
from detectors.shown import safe
from vessels.errors import UsageError


def verdict(
    voyage_id: Annotated[
        str | None, typer.Argument(metavar="VOYAGE_ID", help="The id, or its beginning, as a night told it.")
    ] = None,
    word: Annotated[str | None, typer.Argument(metavar="WORD", help="confirmed, dismissed or watch.")] = None,
    settings: NeededSettings = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; needed for one voyage.")] = None,
    who: Annotated[str | None, typer.Option(metavar="NAME", help="Who says so.")] = None,
    when: Annotated[
        str | None, typer.Option(metavar="T", help="When it was said; the time of the last night by default.")
    ] = None,
    mute_days: Annotated[
        int | None,
        typer.Option(metavar="N", help="With dismissed: what was found weighs nothing on this hull so long."),
    ] = None,
    mute_kinds: Annotated[
        str | None, typer.Option(metavar="KIND,...", help="With --mute-days: only these kinds of findings.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="F", help="CSV of verdicts: voyage_id, verdict, reason, who, when ..."),
    ] = None,
) -> None:
    """Keep an analyst's word on a voyage that the nightly job told; the next night heeds it.

    A voyage that is confirmed marks its hull; one that is dismissed stays quiet until it changes materially; one to
    watch is told at every change, before the alert budget. The last word on a voyage is in force. From a file, all
    words are kept or none.

    \b
    Examples:
      wakewatch verdict 4f1d2c33 confirmed --reason "port photo" --who kim --settings wakewatch.toml
      wakewatch verdict 4f1d2c33 dismissed --reason "AIS set replaced" --mute-days 90 --settings wakewatch.toml
      wakewatch verdict --from verdicts.csv --settings wakewatch.toml
    """
    loaded = load_settings(needed_settings(settings))
    if file is not None:
        given = (voyage_id, word, reason, who, when, mute_days, mute_kinds)
        names = ("VOYAGE_ID", "WORD", "--reason", "--who", "--when", "--mute-days", "--mute-kinds")
        if both := [name for name, value in zip(names, given, strict=True) if value is not None]:
            raise UsageError(f"--from {file}: the file says it all; leave out {', '.join(both)}")
        words = read_words(file)
    else:
        words = [_said(voyage_id, word, reason, who, when, mute_days, mute_kinds)]
    emit(recorded_lines(record(open_store(loaded), words)))


def _said(
    voyage_id: str | None,
    word: str | None,
    reason: str | None,
    who: str | None,
    when: str | None,
    mute_days: int | None,
    mute_kinds: str | None,
) -> Said:
    """The one word of a command line. Raises UsageError where something is missing."""
    if voyage_id is None or word is None:
        raise UsageError("no verdict: give VOYAGE_ID and confirmed, dismissed or watch; or --from F for many")
    if not (reason or "").strip():
        raise UsageError("no reason: give --reason TEXT; a verdict without one helps nobody in a year")
    kinds = tuple(kind.strip() for kind in (mute_kinds or "").split(",") if kind.strip())
    return Said(voyage_id, word.lower(), reason, who, instant(when, "--when"), kinds, mute_days)


def recorded_lines(recorded: Recorded) -> list[str]:
    """What was kept: a line a verdict, then how many."""
    lines = [_line(row) for row in recorded.rows]
    known = f"; {recorded.n_known:,} known before" if recorded.n_known else ""
    n = len(recorded.rows)
    return [*lines, f"{n:,} verdict{'' if n == 1 else 's'} kept{known}"]


def _line(row: Any) -> str:
    muted: Sequence[str] = row["mute_kinds"] or ()
    until = f"; mutes {', '.join(muted)} on this hull until {row['mute_until']:%Y-%m-%d}" if muted else ""
    return f"{row['verdict']:<9}  {row['voyage_id']}  {safe(row['name'] or 'no name')}{safe(until)}"
