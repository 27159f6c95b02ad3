"""One night: what the store holds of a window, judged, compared with what was told, written and committed.

Takes an open store, its ledger and "now"; gives the folder of the night. A night is committed by its row in the table
`nights`; before that it was nothing, after that `detectors.batch.swap.recover` brings its folder in, whatever happens.
"""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.batch.alerts import tell
from detectors.batch.clock import Clock
from detectors.batch.drifting import Anchor, Learned
from detectors.batch.engine import with_anomaly
from detectors.batch.engines import Engine
from detectors.batch.learning import judge_and_learn
from detectors.batch.night_facts import NightFacts, night_facts
from detectors.batch.nights import commit_night, night_id_of, night_row, read_nights
from detectors.batch.outputs import run_values, write_result
from detectors.batch.record import VERSIONED, by_reason, card, history_tables
from detectors.batch.run_log import RunLog
from detectors.batch.settings import Settings
from detectors.batch.sight import Sight
from detectors.batch.swap import point_latest, seal, staging_folder, swap_in
from detectors.batch.told import TOLD, read_told
from detectors.batch.verdicts import read_verdicts
from detectors.batch.window import Window, window_of
from detectors.catalogue import make_detectors
from detectors.chains import watched_levels
from detectors.contract import Detector, Scene
from detectors.learned.baseline import default_baseline, read_baseline
from detectors.watchlist import WatchList, read_watchlist
from vessels.instants import instant_of
from vessels.intake import Progress
from vessels.quality import Reject
from vessels.reading import SetAside
from vessels.schema import REJECTS, TIMESTAMP
from vessels.store.entries import Entry
from vessels.store.ledger import Ledger
from vessels.store.store import TrackStore
from vessels.store.stored import Sources
from vessels.store.taking_in import zones_digest
from vessels.zones import Zones

BASELINE_FILE: Final = "baseline.parquet"
DRIFT_FILE: Final = "baseline_drift.parquet"


@dataclass(frozen=True)
class Desk:
    """What every night of one run of the job works with."""

    settings: Settings
    store: TrackStore
    out: Path
    zones: Zones
    engine: Engine
    progress: Progress
    log: RunLog
    clock: Clock


@dataclass(frozen=True)
class ToldNight:
    """A night that was told: its run.json and where it lies."""

    record: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True)
class _Written:
    """What a night's folder is made of."""

    tables: Mapping[str, pa.Table]
    run: Mapping[str, Any]


def tell_night(
    desk: Desk, ledger: Ledger, now_us: int, *, came: Mapping[str, Any], set_aside: Sequence[SetAside]
) -> ToldNight:
    """One night with a "now": see the module. `came` is what the run found in its input folders and
    took in, as run.json has it."""
    settings, store, clock = desk.settings, desk.store, desk.clock
    window = window_of(now_us, settings.detect)
    entries = ledger.counting(window.first_us, window.last_us)
    with clock.stage("settings"):
        watchlist = WatchList() if settings.watch.list is None else read_watchlist(settings.watch.list)
        anchor = _anchor(settings)
        detectors = make_detectors(settings, anchor.baseline)
        verdicts = read_verdicts(store)
    key = _key(desk, window, entries, detectors, verdicts.key)
    with clock.stage("facts"):
        facts = night_facts(
            desk.engine,
            store,
            window,
            Sources.of([(entry.source, entry.source_id) for entry in entries]),
            desk.zones,
            settings.facts,
            n_rows=sum(entry.n_stored for entry in entries),
            progress=desk.progress,
        )
    history = facts.history
    desk.log.info("window", start=window.start, as_of=window.as_of, rows=facts.n_rows, voyages=history.voyages.num_rows)
    with clock.stage("detect"):
        scene = Scene(history, desk.zones, watchlist, history.as_of)
        learn = settings.baseline.learn and settings.baseline.path is None
        judged, learned = judge_and_learn(scene, detectors, window_start=window.start, learn=learn, anchor=anchor)
    failures = (*facts.failures, *judged.failures)
    with clock.stage("compare"):
        nights = read_nights(store)
        seq = nights.seq_of(key)
        night_id = night_id_of(key, seq)
        told = read_told(store, nights, seq, window.start, history.voyages["voyage_id"].to_pylist())
        telling = tell(
            history,
            judged,
            desk.zones,
            told=told,
            verdicts=verdicts,
            sight=Sight(window.start, window.as_of, failures, instant_of(ledger.span_us()[0])),
            night_id=night_id,
            seq=seq,
            budget=settings.alerts.budget,
            min_score=settings.alerts.min_score,
        )
    date = window.as_of.date().isoformat()
    rejects = _rejects(entries)
    tables = {
        **history_tables(history),
        "flagged_voyages": telling.flagged,
        "findings": telling.findings,
        "voyages": with_anomaly(history.voyages, telling.judged.anomaly_score),
        "rejects": rejects,
    }
    record = {
        "night_id": night_id,
        "seq": seq,
        "date": date,
        "as_of": window.as_of,
        "window_start": window.start,
        "engine": desk.engine.name,
        **_who(settings, desk.zones, detectors),
        "inputs": [_input(entry, names) for entry, names in zip(entries, ledger.names_of(entries), strict=True)],
        **came,
        "set_aside": [asdict(item) for item in set_aside],
        "failures": [failure.as_record() for failure in failures],
        "rejects": by_reason(rejects),
        "nulled": dict(sorted(sum((Counter(dict(e.nulled)) for e in entries), Counter()).items())),
        "baseline": dict(learned.record),
        "notes": [*telling.judged.notes, *learned.notes],
        "alerts": dict(telling.alerts),
        "n_rows": sum(entry.n_rows for entry in entries),
        "n_stored": facts.n_rows,
        "n_vessels": history.vessels.num_rows,
        "n_voyages": history.voyages.num_rows,
        "n_findings": telling.findings.num_rows,
        "n_flagged": telling.flagged.num_rows,
    }
    with clock.stage("write"):
        staging = staging_folder(desk.out, night_id)
        record["stages"] = clock.rounded()
        written = _Written(tables, record)
        write_result(written, staging)
        _write_learned(learned, staging)
        seal(staging)
    with clock.stage("commit"):
        if nights.last is None or window.as_of >= max(row["as_of"] for row in nights.rows):
            _keep_facts(store, window, facts)
        row = night_row(
            night_id=night_id,
            seq=seq,
            as_of=window.as_of,
            window_start=window.start,
            key=key,
            date=date,
            alerts=telling.alerts,
            record=run_values(written),
        )
        commit_night(store, telling.told, TOLD, row)
        desk.log.info("committed", night_id=night_id, seq=seq, date=date)
        kept = swap_in(desk.out, night_id, date)
        if kept is not None:
            desk.log.warning("kept_aside", name=str(kept))
        point_or_say(desk.out, desk.log)
    return ToldNight(run_values(written), desk.out / date)


def point_or_say(out: Path, log: RunLog) -> None:
    """Point OUT/latest at the newest night; where that cannot be, it is said, and the night counts all the same."""
    try:
        point_latest(out)
    except OSError as error:
        log.warning("latest", detail=f"{error.filename or out}: {error.strerror or error}")


def _anchor(settings: Settings) -> Anchor:
    """The baseline that does not move: the settings' or the packaged one."""
    path = settings.baseline.path
    return Anchor(default_baseline(), "packaged") if path is None else Anchor(read_baseline(path), "path")


def _key(desk: Desk, window: Window, entries: Sequence[Entry], detectors: Sequence[Detector], verdicts_key: str) -> str:
    """A digest of all that a night's answer depends on."""
    settings = desk.settings
    parts = {
        "as_of": window.last_us,
        "window": window.first_us,
        "inputs": sorted(entry.digest for entry in entries),
        "settings": settings.effective(),
        "zones": zones_digest(desk.zones),
        "levels": watched_levels(desk.zones),
        "files": [_file_digest(path) for path in (settings.watch.list, settings.baseline.path)],
        "detectors": [card(detector) for detector in detectors],
        "verdicts": verdicts_key,
        "wakewatch": version("wakewatch"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _file_digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _who(settings: Settings, zones: Zones, detectors: Sequence[Detector]) -> dict[str, Any]:
    """Versions, settings, detectors and watched zones, as every run.json has them."""
    return {
        "wakewatch": version("wakewatch"),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in (*VERSIONED, "deltalake")},
        },
        "settings": settings.effective(),
        "detectors": [card(detector) for detector in detectors],
        "watch": watched_levels(zones),
    }


def _input(entry: Entry, names: Sequence[str]) -> dict[str, Any]:
    return {
        "source_id": entry.source_id,
        "names": list(names),
        "sha256": entry.digest,
        "n_bytes": entry.n_bytes,
        "n_rows": entry.n_rows,
        "n_rejected": sum(reject.n_rows for reject in entry.rejects),
        "n_stored": entry.n_stored,
        "dialect": entry.dialect,
        "format": entry.format,
    }


def _rejects(entries: Sequence[Entry]) -> pa.Table:
    """The `rejects` table of the inputs of a window, as each was taken in."""
    rows: list[tuple[str, Reject]] = [(entry.source_id, reject) for entry in entries for reject in entry.rejects]
    rows.sort(key=lambda row: (row[0], row[1].reason))
    return REJECTS.build(
        {
            "source_id": [source for source, _ in rows],
            "reason": [reject.reason for _, reject in rows],
            "n_rows": [reject.n_rows for _, reject in rows],
            "first_row": [reject.first_row for _, reject in rows],
            "example": [reject.example for _, reject in rows],
        }
    )


def _write_learned(learned: Learned, folder: Path) -> None:
    """The baseline in force and how far the sea has moved from it, beside the tables."""
    if learned.baseline is not None:
        learned.baseline.write(folder / BASELINE_FILE)
    pq.write_table(learned.drift, folder / DRIFT_FILE, compression="zstd")


def _keep_facts(store: TrackStore, window: Window, facts: NightFacts) -> None:
    """Identity spells, port visits and anchors of the window into the store, in place of what it had of that time.

    Anchors of windows long past are forgotten; those of some while ago serve who tells earlier nights again.
    """
    history, first = facts.history, pa.scalar(window.start, TIMESTAMP)
    store.identities.replace(history.identities, pc.field("last_seen") >= first)
    store.port_visits.replace(history.port_visits, pc.field("last_seen") >= first)
    store.anchors.replace(history.anchors, pc.field("boundary") > first)
    oldest = window.start - (window.as_of - window.start)
    store.anchors.delete(pc.field("boundary") < pa.scalar(oldest, TIMESTAMP))
