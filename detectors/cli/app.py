"""The commands of `wakewatch`: each takes its part of the command line, calls the library and prints.

How a command fails, and which exit status that gives, is left to `detectors.cli.entry`.
"""

from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from detectors.backtest.kinds import parse_inject
from detectors.backtest.run import backtest as run_backtest
from detectors.backtest.writing import write_backtest
from detectors.batch.outputs import check_out, write_result
from detectors.batch.pages import pages_of
from detectors.batch.scan import read_options
from detectors.batch.scan import scan as run_scan
from detectors.batch.settings import Settings, apply_levels, load_settings, without_detector
from detectors.catalogue import make_detectors
from detectors.cli.backtest import backtest_lines
from detectors.cli.cards import detector_card, detector_list, zone_list
from detectors.cli.explain import explain
from detectors.cli.export import export
from detectors.cli.nightly import nightly
from detectors.cli.options import (
    AsOf,
    BaselineFile,
    Dialect,
    Inputs,
    Jobs,
    SettingsFile,
    WatchlistFile,
    ZonesFile,
    instant,
)
from detectors.cli.report import report as write_report
from detectors.cli.status import status
from detectors.cli.statuses import COMPLETE, WRONG_USAGE, leave
from detectors.cli.summary import by_reason, counted, summary
from detectors.cli.terminal import console, emit, progress, width_of
from detectors.cli.verdict import verdict
from detectors.learned.baseline import fit_baseline
from detectors.run_folder import run_values
from detectors.shown import safe
from vessels.canonical import write_canonical
from vessels.dialects import dialect_named
from vessels.errors import UsageError
from vessels.quality import merge_counts
from vessels.reading import find_inputs
from vessels.zones import read_zone_file, read_zones

DEBUG_VARIABLE: Final = "WAKEWATCH_DEBUG"
UNUSUAL: Final = "isolation_forest"
"""The detector that needs a baseline, and so has no say in what a baseline is learned from."""

app = typer.Typer(
    name="wakewatch",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Reads AIS ship tracks and says which voyages deserve a second look, and why.",
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help=f"Show tracebacks; so does {DEBUG_VARIABLE}=1.")] = False,
) -> None:
    context.obj.debug = context.obj.debug or debug
    if show_version:
        emit([f"wakewatch {version('wakewatch')}"])
        raise typer.Exit(COMPLETE)
    if context.invoked_subcommand is None:
        emit([context.get_help()])
        raise typer.Exit(WRONG_USAGE)


@app.command(short_help="Read tracks, write flagged voyages and evidence.")
def scan(
    inputs: Inputs = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the tables and run.json.")] = None,
    settings: SettingsFile = None,
    zones: ZonesFile = None,
    watchlist: WatchlistFile = None,
    baseline: BaselineFile = None,
    as_of: AsOf = None,
    jobs: Jobs = None,
    dialect: Dialect = None,
) -> None:
    """Read track files and write the voyages that deserve a second look, with the evidence.

    Writes flagged_voyages, findings, voyages, port_visits, identities, hull_links and more (.parquet), run.json and
    report.html, a page to look at, to DIR, each file whole or not at all, and prints the first flagged voyages.
    Options go before what the settings file says.

    \b
    Examples:
      wakewatch scan tracks/ --out out
      wakewatch scan 'ais-2024-05-*.csv.zst' --out out --watchlist maritime.csv
      wakewatch scan --settings wakewatch.toml --as-of 2024-06-01

    Exit status: 0 complete; 1 failed, nothing written; 2 wrong usage or settings; 3 complete, but some inputs were set
    aside, or a detector failed on some vessels and was run without them (named on standard error and in run.json).
    """
    loaded = _with_dialect(load_settings(settings), dialect)
    tracks = _tracks(inputs, loaded)
    folder = out or loaded.output.path
    if folder is None:
        raise UsageError("no output folder: give --out DIR, or set [output] path in the settings")
    check_out(folder, [Path(track) for track in tracks])
    with progress() as report:
        result = run_scan(
            tracks,
            settings=loaded,
            zones=zones,
            watchlist=watchlist,
            baseline=baseline,
            as_of=instant(as_of),
            jobs=jobs,
            progress=report,
        )
    pages = pages_of(result, folder)
    result = replace(result, run=replace(result.run, failures=[*result.run.failures, *pages.failures]))
    write_result(result, folder, pages.texts)
    record = run_values(result)
    stdout = console()
    emit(summary(result.tables, record, folder, width_of(stdout)), stdout)
    leave(record["set_aside"], record["failures"])


app.command(short_help="Take in what is new, tell which voyages are new or changed; for cron or a timer.")(nightly)
app.command(short_help="How the nightly job stands: last night, inputs, store, verdicts.")(status)
app.command(short_help="Keep an analyst's word on a voyage that the nightly job told.")(verdict)


@app.command(short_help="Learn what is usual, for `scan --baseline`.")
def fit(
    inputs: Inputs = None,
    out: Annotated[Path | None, typer.Option(metavar="F", help="Where the baseline goes (.parquet).")] = None,
    settings: SettingsFile = None,
    zones: ZonesFile = None,
    as_of: AsOf = None,
    jobs: Jobs = None,
    dialect: Dialect = None,
) -> None:
    """Learn from track files what ordinary voyages look like; `scan --baseline` then says which are unlike them.

    Voyages that the detectors with written rules flag are left out. A few weeks of the same provider's data for the
    same sea serve best.

    \b
    Example:
      wakewatch fit archive/ --out baseline.parquet
    """
    loaded = _with_dialect(load_settings(settings), dialect)
    tracks = _tracks(inputs, loaded)
    target = _target(out)
    known = apply_levels(read_zones(zones or loaded.watch.zones), loaded)
    with progress() as report:
        result = run_scan(
            tracks,
            settings=without_detector(loaded, UNUSUAL),
            zones=zones,
            as_of=instant(as_of),
            jobs=jobs,
            progress=report,
        )
    flagged = result.tables["flagged_voyages"]["voyage_id"].to_pylist()
    baseline = fit_baseline(result.history, known, flagged)
    target.parent.mkdir(parents=True, exist_ok=True)
    baseline.write(target)
    learned = f"{counted(baseline.n_voyages, 'ordinary voyage')} of {counted(baseline.n_vessels, 'vessel')}"
    left_out = f"{counted(baseline.origin.n_left_out, 'flagged voyage')} left out"
    emit([f"Learned  {learned}; {left_out}", f"Written  {safe(target)}"])
    record = run_values(result)
    leave(record["set_aside"], record["failures"])


@app.command(short_help="Plant falsified identities into copies of tracks; say what was found.")
def backtest(
    inputs: Inputs = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the tables and backtest.json.")] = None,
    inject: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=N,...", help="How many of which kind; some of each where it is left out."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of all draws.")] = 0,
    settings: SettingsFile = None,
    zones: ZonesFile = None,
    watchlist: WatchlistFile = None,
    baseline: BaselineFile = None,
    as_of: AsOf = None,
    jobs: Jobs = None,
    dialect: Dialect = None,
    keep_tracks: Annotated[
        bool, typer.Option("--keep-tracks", help="Also write the planted tracks, for `scan` and `explain`.")
    ] = False,
) -> None:
    """Plant falsifications, and lawful look-alikes, into copies of your own tracks and say how many are found.

    Falsified identities go into one copy; silences, meetings at sea and false positions into a second; what befalls all
    ships of a place, such as an outage, into a third. Your files are only read. Each plant is cut, renamed, moved or
    merged from a real track, by lot; the planting knows nothing of how the detectors decide. Prints recall, precision,
    false findings and ranks by kind; writes backtest.parquet (a row a kind), backtest_plants.parquet (a row a plant)
    and backtest.json to DIR.

    \b
    Examples:
      wakewatch backtest archive/ --out backtest
      wakewatch backtest archive/ --out backtest --inject hull_handover=50,imo_twin=20 --seed 7
      wakewatch backtest archive/ --out backtest --inject all=20,lookalikes=0
      wakewatch backtest archive/ --out backtest --inject dark_gap=30,rendezvous=20,set_failure=30

    Exit status: as for `scan`.
    """
    asked = parse_inject(inject) if inject else None
    loaded = _with_dialect(load_settings(settings), dialect)
    tracks = _tracks(inputs, loaded)
    if out is None:
        raise UsageError("no output folder: give --out DIR")
    check_out(out, [Path(track) for track in tracks])
    with progress() as report:
        result = run_backtest(
            tracks,
            inject=asked,
            seed=seed,
            settings=loaded,
            zones=zones,
            watchlist=watchlist,
            baseline=baseline,
            as_of=instant(as_of),
            jobs=jobs,
            keep_tracks=keep_tracks,
            progress=report,
        )
    write_backtest(result, out)
    stdout = console()
    emit(backtest_lines(result.tables, result.record, out, width_of(stdout)), stdout)
    leave(result.record["set_aside"], result.record["failures"])


app.command(short_help="The case for one voyage, in words and numbers, and as a picture.")(explain)
app.command(short_help="Write report.html of a run again.")(write_report)
app.command(short_help="Flagged voyages for QGIS, Google Earth or a spreadsheet.")(export)


@app.command(short_help="Any dialect to canonical Parquet.")
def convert(
    inputs: Inputs = None,
    out: Annotated[Path | None, typer.Option(metavar="F", help="Where the rows go (.parquet).")] = None,
    settings: SettingsFile = None,
    dialect: Dialect = None,
) -> None:
    """Write track files of any layout as one Parquet file in wakewatch's own columns.

    "Not available" codes become nulls and rows that cannot be positions are dropped and counted; names, destinations
    and numbers stay as they were received.

    \b
    Examples:
      wakewatch convert aisdk-2024-05-01.csv --out day.parquet
      wakewatch convert feed.nmea.gz --out feed.parquet --dialect nmea
    """
    loaded = _with_dialect(load_settings(settings), dialect)
    target = _target(out)
    files, unread = find_inputs(_tracks(inputs, loaded))
    if target.exists() and any(file.path.samefile(target) for file in files):
        raise UsageError(f"{target}: is an input too; choose another name")
    done = write_canonical(files, target, read_options(loaded))
    counts = merge_counts(done.counts_by_input.values())
    rejects = {reason: reject.n_rows for reason, reject in counts.rejects.items()}
    lines = [f"Read     {counted(len(done.rows_by_input), 'file')}, {counted(counts.n_rows, 'row')}"]
    if rejects:
        lines.append(f"Dropped  {counted(sum(rejects.values()), 'row')} ({by_reason(rejects)})")
    if counts.nulled:
        lines.append(f"Emptied  {by_reason(counts.nulled)}")
    emit([*lines, f"Written  {counted(done.n_rows, 'row')} to {safe(target)}"])
    leave([asdict(item) for item in (*unread, *done.set_aside)])


@app.command("zones", short_help="List the zones, or check a file of them.")
def zones_(
    country: Annotated[str | None, typer.Option(metavar="CC", help="Only this country, ISO 3166: KP, RU, CN.")] = None,
    watch: Annotated[str | None, typer.Option(metavar="LEVEL", help="Only this level: high, elevated, none.")] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="F", help="Check a GeoJSON of zones, list what it holds.")
    ] = None,
) -> None:
    """List the zones: ports, anchorages, approaches, transfer areas and gates, and how closely each is watched.

    \b
    Examples:
      wakewatch zones --country KP
      wakewatch zones --check my-zones.geojson
    """
    known = read_zones().zones if check is None else read_zone_file(check)
    emit(zone_list(known, country, watch))
    if check is not None:
        emit([f"{safe(check)}: {counted(len(known), 'zone')}, no errors"])


@app.command(short_help="List the detectors, or describe one.")
def detectors(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Detector to describe; lists all without it.")
    ] = None,
) -> None:
    """List the detectors, or describe one: what it claims, reads and misses, and its parameters.

    \b
    Examples:
      wakewatch detectors
      wakewatch detectors geofence
    """
    stdout = console()
    known, width = make_detectors(Settings()), width_of(stdout)
    emit(detector_list(known, width) if name is None else detector_card(known, name, width), stdout)


def _with_dialect(settings: Settings, dialect: str | None) -> Settings:
    if dialect is None:
        return settings
    dialect_named(dialect)
    return settings.model_copy(update={"input": settings.input.model_copy(update={"dialect": dialect})})


def _tracks(inputs: list[str] | None, settings: Settings) -> list[str]:
    """What the command line names, or else what the settings name."""
    tracks = inputs or list(settings.input.tracks)
    if not tracks:
        raise UsageError("no input: name track files, folders or globs, or set [input] tracks in the settings")
    return tracks


def _target(out: Path | None) -> Path:
    """The one Parquet file that a command is to write; refused before the work where it cannot be."""
    if out is None:
        raise UsageError("no output: give --out FILE.parquet")
    if out.suffix != ".parquet":
        raise UsageError(f"{out}: the output is Parquet; give a name that ends in .parquet")
    check_out(out.parent)
    if out.is_dir():
        raise UsageError(f"{out}: is a folder; --out names a file here")
    return out
