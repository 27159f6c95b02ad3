"""What run.json says of a night, but for what came in and how long it took.

Takes the desk, the question and the answer; gives plain values.
"""

import platform
from importlib.metadata import version
from typing import Any

from detectors.batch.night_desk import Answer, Desk, Question
from detectors.batch.night_inputs import input_records, nulled_of, rejects_of
from detectors.batch.record import VERSIONED, by_reason, card
from detectors.chains import watched_levels
from vessels.store.ledger import Ledger


def night_record(desk: Desk, ledger: Ledger, question: Question, answer: Answer) -> dict[str, Any]:
    """What run.json says of a night, but for what came in and how long it took."""
    entries, window, telling = question.entries, question.window, answer.telling
    history = answer.facts.history
    return {
        "night_id": answer.night_id,
        "seq": answer.seq,
        "date": window.as_of.date().isoformat(),
        "as_of": window.as_of,
        "window_start": window.start,
        "engine": desk.engine.name,
        "wakewatch": version("wakewatch"),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in (*VERSIONED, "deltalake")},
        },
        "settings": desk.settings.effective(),
        "detectors": [card(detector) for detector in desk.tools.detectors],
        "watch": watched_levels(desk.zones),
        "inputs": input_records(ledger, entries),
        "failures": [failure.as_record() for failure in answer.failures],
        "rejects": by_reason(rejects_of(entries)),
        "nulled": nulled_of(entries),
        "baseline": dict(answer.learned.record),
        "notes": [*telling.judged.notes, *answer.learned.notes, *_notes(desk)],
        "alerts": dict(telling.alerts),
        "nights_before": list(answer.before),
        "n_rows": sum(entry.n_rows for entry in entries),
        "n_stored": answer.facts.n_rows,
        "n_vessels": history.vessels.num_rows,
        "n_voyages": history.voyages.num_rows,
        "n_findings": telling.findings.num_rows,
        "n_flagged": telling.flagged.num_rows,
    }


def _notes(desk: Desk) -> list[str]:
    given, kept = desk.settings.store.buckets, desk.store.n_buckets
    if given == kept:
        return []
    return [f"the settings ask for {given} buckets; the store was made with {kept}, which stays in force"]
