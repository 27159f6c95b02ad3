"""Scan: track files to flagged voyages with evidence, in one call.

Takes paths (or tracks already read) and settings; gives a `Result`. Writing it to a folder is left to
`detectors.batch.outputs`, telling it to people to the command line.
"""

import platform
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from detectors.batch.aside import Aside
from detectors.batch.broken import Failure, by_step, combine_surely, derive_surely
from detectors.batch.clock import Clock
from detectors.batch.drawing import tracks_table, zones_table
from detectors.batch.engine import run_detectors, with_anomaly
from detectors.batch.flagged import flagged_voyages
from detectors.batch.record import VERSIONED, by_reason, card, history_tables
from detectors.batch.result import Result, RunRecord
from detectors.batch.settings import Settings, apply_levels, load_settings
from detectors.catalogue import make_detectors
from detectors.chains import watched_levels
from detectors.contract import Detector, PreparedDetector, Scene
from detectors.finding import findings_table
from detectors.learned.baseline import Baseline, read_baseline
from detectors.watchlist import WatchList, read_watchlist
from vessels.history import DEFAULT_FACTS, FactParameters, Facts, History, combine, derive
from vessels.intake import Progress, Tracks, available_jobs, coverage_table, no_progress, read_tracks
from vessels.reading import ReadOptions
from vessels.zones import Zones, read_zones

PathLike = str | Path


def scan(
    tracks: Tracks | PathLike | Sequence[PathLike],
    *,
    settings: Settings | PathLike | None = None,
    zones: Zones | PathLike | None = None,
    watchlist: WatchList | PathLike | None = None,
    baseline: Baseline | PathLike | None = None,
    as_of: datetime | None = None,
    jobs: int | None = None,
    detectors: Sequence[Detector] | None = None,
    spill_dir: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Say which voyages in these tracks deserve a second look, and why.

    `tracks` are paths, folders and globs, or `Tracks` read before. Arguments go before what `settings` says.
    `as_of` is "now" (aware; rows after it are left out), by default the newest timestamp in the data. `detectors`
    replaces the catalogue's; `progress` may be called from another thread. The same input, settings and `as_of` give
    identical tables, whatever `jobs` is.

    Raises UsageError and SettingsError for what the caller can mend, NothingReadableError when no input was readable.
    """
    clock, progress, jobs = Clock(), progress or no_progress, jobs or available_jobs()
    with clock.stage("settings"):
        chosen = _settings(settings)
        fences = apply_levels(_zones(zones, chosen), chosen)
        listed = _watchlist(watchlist, chosen)

    def make() -> tuple[Detector, ...]:
        return tuple(detectors) if detectors is not None else make_detectors(chosen, _baseline(baseline, chosen))

    if isinstance(tracks, Tracks):
        with clock.stage("settings"):
            made = make()
        return _scan(tracks, False, chosen, fences, listed, made, as_of, jobs, clock, progress)
    with clock.stage("read"), Aside(progress) as aside:
        # While files are read, what needs none of them is made ready: detectors, the raster of zones, the forest.
        options = read_options(chosen)
        reading = aside.run(read_tracks, tracks, options=options, jobs=jobs, spill_dir=spill_dir)
        made = make()
        fences.grow_index()
        if not reading.done():
            made = tuple(d.prepared() if isinstance(d, PreparedDetector) else d for d in made)
        read = reading.result()
    with read:
        return _scan(read, True, chosen, fences, listed, made, as_of, jobs, clock, progress)


def derive_history(
    tracks: Tracks,
    zones: Zones,
    *,
    facts: FactParameters = DEFAULT_FACTS,
    as_of: datetime | None = None,
    jobs: int | None = None,
    release: bool = False,
    progress: Progress = no_progress,
) -> tuple[History, pa.Table, list[str], tuple[Failure, ...]]:
    """All facts of the tracks, the `rejects` table, the id of each file read, and the vessels left out as broken.

    Buckets are worked off in threads. With `release` the rows of each bucket are forgotten once its facts are known.
    """
    claims = tracks.claims()
    with ThreadPoolExecutor(jobs or available_jobs()) as pool:
        parts: list[Facts] = []
        failures: list[Failure] = []

        def facts_of(bucket: int) -> tuple[Facts, tuple[Failure, ...]]:
            block = tracks.block(bucket, as_of, release=release)
            return derive_surely(block, lambda rows: derive(rows, claims, zones, facts))

        for done, (part, failed) in enumerate(pool.map(facts_of, range(tracks.n_buckets)), 1):
            parts.append(part)
            failures += failed
            progress("facts", done, tracks.n_buckets)
    tallies = [part.tally for part in parts]
    source_ids = tracks.source_ids(tallies)
    coverage, now = coverage_table(tallies, source_ids), as_of or tracks.as_of
    history, failed = combine_surely(parts, lambda whole: combine(whole, coverage, now, zones, facts))
    return history, tracks.rejects(tallies, source_ids), source_ids, by_step((*failures, *failed))


def _scan(
    tracks: Tracks,
    release: bool,
    settings: Settings,
    zones: Zones,
    watchlist: WatchList,
    detectors: Sequence[Detector],
    as_of: datetime | None,
    jobs: int,
    clock: Clock,
    progress: Progress,
) -> Result:
    with clock.stage("facts"):
        history, rejects, source_ids, broken = derive_history(
            tracks, zones, facts=settings.facts, as_of=as_of, jobs=jobs, release=release, progress=progress
        )
    with clock.stage("detect"):
        progress("detect", 0, 1)
        judged = run_detectors(Scene(history, zones, watchlist, history.as_of), detectors)
        progress("detect", 1, 1)
    with clock.stage("tables"):
        flagged = flagged_voyages(history, judged, settings.alerts.budget, zones, settings.alerts.min_score)
        findings = findings_table(judged.findings)
        tables = {
            **history_tables(history),
            "flagged_voyages": flagged,
            "findings": findings,
            "voyages": with_anomaly(history.voyages, judged.anomaly_score),
            "rejects": rejects,
            "tracks": tracks_table(history, flagged, judged.findings),
            "zones": zones_table(zones),
        }
    run = RunRecord(
        wakewatch=version("wakewatch"),
        versions={"python": platform.python_version(), **{name: version(name) for name in VERSIONED}},
        as_of=history.as_of,
        inputs=_inputs(tracks, source_ids),
        set_aside=[{"name": s.name, "reason": s.reason, "detail": s.detail} for s in tracks.set_aside],
        rejects=by_reason(rejects),
        nulled=dict(sorted(sum((Counter(r.counts.nulled) for r in tracks.inputs), Counter()).items())),
        settings=settings.effective(),
        detectors=[card(detector) for detector in detectors],
        notes=judged.notes,
        stages=clock.rounded(),
        n_rows=tracks.n_rows,
        n_vessels=history.vessels.num_rows,
        n_voyages=history.voyages.num_rows,
        n_findings=findings.num_rows,
        n_flagged=flagged.num_rows,
        watch=watched_levels(zones),
        failures=[failure.as_record() for failure in by_step((*broken, *judged.failures))],
    )
    return Result(tables, run, history)


def read_options(settings: Settings) -> ReadOptions:
    """How the settings want files to be read."""
    given = settings.input
    return ReadOptions(dialect=given.dialect, columns=given.columns, timezone=given.timezone)


def _settings(given: Settings | PathLike | None) -> Settings:
    if isinstance(given, Settings):
        return given
    return load_settings(None if given is None else Path(given))


def _zones(given: Zones | PathLike | None, settings: Settings) -> Zones:
    if isinstance(given, Zones):
        return given
    path = given or settings.watch.zones
    return read_zones(None if path is None else Path(path))


def _watchlist(given: WatchList | PathLike | None, settings: Settings) -> WatchList:
    if isinstance(given, WatchList):
        return given
    path = given or settings.watch.list
    return WatchList() if path is None else read_watchlist(Path(path))


def _baseline(given: Baseline | PathLike | None, settings: Settings) -> Baseline | None:
    if isinstance(given, Baseline):
        return given
    path = given or settings.baseline.path
    return None if path is None else read_baseline(path)


def _inputs(tracks: Tracks, source_ids: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "source_id": source_id,
            "names": list(record.names),
            "sha256": record.sha256,
            "n_bytes": record.n_bytes,
            "n_rows": record.counts.n_rows,
            "n_rejected": record.counts.n_rejected,
            "dialect": record.dialect,
            "format": record.format,
        }
        for source_id, record in tracks.named_inputs(source_ids)
    ]
