"""One night: what the store holds of a window, judged, compared with what was told, written and committed.

Takes an open store, its ledger and "now"; gives the folder of the night. A night is committed by its row in the table
`nights`; before that it was nothing, after that `detectors.batch.swap.recover` brings its folder in, whatever happens.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.batch.alerts import tell
from detectors.batch.drawing import tracks_table, zones_table
from detectors.batch.drifting import Learned
from detectors.batch.engine import with_anomaly
from detectors.batch.learning import judge_and_learn
from detectors.batch.night_desk import Answer, Desk, Question
from detectors.batch.night_facts import NightFacts, night_facts
from detectors.batch.night_inputs import rejects_of
from detectors.batch.night_key import night_key
from detectors.batch.night_record import night_record
from detectors.batch.nights import commit_night, night_id_of, night_row, nights_before, read_nights
from detectors.batch.outputs import write_result
from detectors.batch.pages import pages_of
from detectors.batch.record import history_tables
from detectors.batch.run_log import RunLog
from detectors.batch.sight import Sight
from detectors.batch.swap import point_latest, seal, staging_folder, swap_in
from detectors.batch.told import TOLD, read_told
from detectors.batch.verdicts import read_verdicts
from detectors.batch.window import Window, window_of
from detectors.contract import Scene
from detectors.run_folder import run_values
from vessels.errors import WakewatchError
from vessels.instants import instant_of
from vessels.reading import SetAside
from vessels.schema import TIMESTAMP
from vessels.store.ledger import Ledger
from vessels.store.store import TrackStore
from vessels.store.stored import Sources
from vessels.zones import Zones

BASELINE_FILE: Final = "baseline.parquet"
DRIFT_FILE: Final = "baseline_drift.parquet"


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
    """One night with a "now": see the module.

    `came` is what the run found in its input folders and took in, as run.json has it.
    """
    with desk.clock.stage("settings"):
        question = _question(desk, ledger, now_us)
    answer = _answer(desk, question)
    record = {
        **night_record(desk, ledger, question, answer),
        **came,
        "set_aside": [asdict(item) for item in set_aside],
    }
    with desk.clock.stage("report"):
        tables = _tables(question, answer, desk.zones)
        pages = pages_of(_Written(tables, record), desk.out / record["date"])
        failures = [*record["failures"], *pages.failures]
    with desk.clock.stage("write"), _writing_to(desk.out):
        staging = staging_folder(desk.out, answer.night_id)
        written = _Written(tables, {**record, "failures": failures, "stages": desk.clock.rounded()})
        write_result(written, staging, pages.texts)
        _write_learned(answer.learned, staging)
        seal(staging)
    with desk.clock.stage("commit"):
        _commit(desk, question, answer, run_values(written))
    return ToldNight(run_values(written), desk.out / record["date"])


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    """Say of a disk that is full or may not be written to where it is, and what to do."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise WakewatchError(
            f"{out}: the night cannot be written ({reason}); make room or give the job the right to write there, and "
            "run it again: what was taken in is kept, and nothing is told twice"
        ) from error


def _question(desk: Desk, ledger: Ledger, now_us: int) -> Question:
    window = window_of(now_us, desk.settings.detect)
    return Question(
        window=window,
        entries=ledger.counting(window.first_us, window.last_us),
        verdicts=read_verdicts(desk.store),
        span_us=ledger.span_us(),
    )


def _answer(desk: Desk, question: Question) -> Answer:
    """Facts, judgements, and what is told; nothing is written."""
    settings, store, window = desk.settings, desk.store, question.window
    with desk.clock.stage("facts"):
        facts = night_facts(
            desk.engine,
            store,
            window,
            Sources.of([(entry.source, entry.source_id) for entry in question.entries]),
            desk.zones,
            settings.facts,
            n_rows=sum(entry.n_stored for entry in question.entries),
            progress=desk.progress,
        )
    history = facts.history
    desk.log.info("window", start=window.start, as_of=window.as_of, rows=facts.n_rows, voyages=history.voyages.num_rows)
    with desk.clock.stage("detect"):
        scene = Scene(history, desk.zones, desk.tools.watchlist, history.as_of)
        judged, learned = judge_and_learn(
            scene,
            desk.tools.detectors,
            window_start=window.start,
            learn=settings.baseline.learn and settings.baseline.path is None,
            anchor=desk.tools.anchor,
            leave_out_hulls=[row["hull_id"] for row in question.verdicts.confirmed_hulls],
        )
    failures = (*facts.failures, *judged.failures)
    with desk.clock.stage("compare"):
        nights, key = read_nights(store), night_key(desk, question)
        seq = nights.seq_of(key)
        night_id = night_id_of(key, seq)
        telling = tell(
            history,
            judged,
            desk.zones,
            told=read_told(store, nights, seq, window.start, history.voyages["voyage_id"].to_pylist()),
            verdicts=question.verdicts,
            sight=Sight(window.start, window.as_of, failures, instant_of(question.span_us[0])),
            night_id=night_id,
            seq=seq,
            budget=settings.alerts.budget,
            min_score=settings.alerts.min_score,
        )
    newest = instant_of(max(question.span_us[1], window.last_us))
    is_newest = all(row["as_of"] <= window.as_of for row in nights.rows if row["as_of"] <= newest)
    before = tuple(nights_before(store, nights, seq))
    return Answer(facts, learned, failures, telling, key, seq, night_id, is_newest, before)


def _tables(question: Question, answer: Answer, zones: Zones) -> dict[str, pa.Table]:
    history, telling = answer.facts.history, answer.telling
    return {
        **history_tables(history),
        "flagged_voyages": telling.flagged,
        "findings": telling.findings,
        "voyages": with_anomaly(history.voyages, telling.judged.anomaly_score),
        "rejects": rejects_of(question.entries),
        "tracks": tracks_table(history, telling.flagged, telling.judged.findings),
        "zones": zones_table(zones),
    }


def _commit(desk: Desk, question: Question, answer: Answer, record: Mapping[str, Any]) -> None:
    """The night counts from here on; its folder, whole beside the others, then takes its place."""
    window, date = question.window, record["date"]
    if answer.is_newest:
        _keep_facts(desk.store, window, answer.facts)
    row = night_row(
        night_id=answer.night_id,
        seq=answer.seq,
        as_of=window.as_of,
        window_start=window.start,
        key=answer.key,
        date=date,
        alerts=answer.telling.alerts,
        record=record,
    )
    commit_night(desk.store, answer.telling.told, TOLD, row)
    desk.log.info("committed", night_id=answer.night_id, seq=answer.seq, date=date)
    with _writing_to(desk.out):
        kept = swap_in(desk.out, answer.night_id, date)
    if kept is not None:
        desk.log.warning("kept_aside", name=str(kept))
    point_or_say(desk.out, desk.log)


def point_or_say(out: Path, log: RunLog) -> None:
    """Point OUT/latest at the newest night; where that cannot be, it is said, and the night counts all the same."""
    try:
        point_latest(out)
    except OSError as error:
        log.warning("latest", detail=f"{error.filename or out}: {error.strerror or error}")


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
