"""What `nightly.py` runs as whole processes: ``nightly_steps.py start|night|detect SETTINGS``; prints one line of JSON.

`night` is `detectors.batch.nightly.nightly` as `wakewatch nightly` calls it, with processor seconds counted by stage
too; `detect` is a night's detection alone, on the store as it stands: facts of the window, and judging them; `start` is
nothing but the imports, which each of the others pays for as well.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from detectors.batch import nightly as job
from detectors.batch.clock import Clock
from detectors.batch.drifting import Anchor
from detectors.batch.engines import open_engine
from detectors.batch.learning import judge_and_learn
from detectors.batch.night_facts import night_facts
from detectors.batch.settings import Settings, apply_levels, load_settings
from detectors.batch.standing import existing_store
from detectors.batch.window import window_of
from detectors.catalogue import make_detectors
from detectors.cli.memory import keep_freed_memory
from detectors.contract import Scene
from detectors.learned.baseline import default_baseline
from detectors.watchlist import WatchList
from vessels.intake import no_progress
from vessels.store.ledger import Ledger
from vessels.store.place import StorePlace
from vessels.store.stored import Sources
from vessels.zones import read_zones

Figures = dict[str, Any]


class CpuClock(Clock):
    """The job's clock, which counts the processor seconds of this process as well."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu_seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count both kinds of time spent inside to a stage."""
        began = time.process_time()
        try:
            with super().stage(name):
                yield
        finally:
            self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + time.process_time() - began

    def figures(self) -> dict[str, dict[str, float]]:
        """Seconds and processor seconds by stage."""
        return {
            name: {"seconds": round(seconds, 3), "cpu_seconds": round(self.cpu_seconds[name], 3)}
            for name, seconds in self.seconds.items()
        }


def start(_: Settings, clock: CpuClock) -> Figures:
    """Nothing: what the imports cost."""
    return {"stages": clock.figures()}


def night(settings: Settings, clock: CpuClock) -> Figures:
    """One night, whole."""
    job.Clock = lambda: clock  # type: ignore[attr-defined,assignment]
    done = job.nightly(settings)
    names = ("n_stored", "n_vessels", "n_voyages", "n_findings", "n_flagged", "date")
    if done.failures or done.set_aside:
        raise RuntimeError(f"the night left something out: {done.failures} {done.set_aside}")
    return {
        **{name: done.record[name] for name in names},
        "taken_in": done.record["taken_in"],
        "stages": clock.figures(),
    }


def detect(settings: Settings, clock: CpuClock) -> Figures:
    """The detection of a night that was told, over its thinned window, once more."""
    place = StorePlace(str(settings.store.path), settings.store.storage_options())
    zones = apply_levels(read_zones(settings.watch.zones), settings)
    with open_engine() as engine:
        with clock.stage("ledger"):
            store = existing_store(place, settings.store.buckets)
            if store is None:
                raise RuntimeError(f"{place.url} holds no store")
            ledger = Ledger.read(store)
            window = window_of(ledger.as_of_us(), settings.detect)
            entries = ledger.counting(window.first_us, window.last_us)
        with clock.stage("settings"):
            detectors = make_detectors(settings, default_baseline())
        with clock.stage("facts"):
            facts = night_facts(
                engine,
                store,
                window,
                Sources.of([(entry.source, entry.source_id) for entry in entries]),
                zones,
                settings.facts,
                n_rows=sum(entry.n_stored for entry in entries),
                progress=no_progress,
            )
        with clock.stage("detect"):
            judged, _ = judge_and_learn(
                Scene(facts.history, zones, WatchList(), facts.history.as_of),
                detectors,
                window_start=window.start,
                learn=settings.baseline.learn,
                anchor=Anchor(default_baseline(), "packaged"),
            )
    return {"n_stored": facts.n_rows, "n_findings": len(judged.findings), "stages": clock.figures()}


STEPS = {"start": start, "night": night, "detect": detect}


if __name__ == "__main__":
    keep_freed_memory()
    print(json.dumps(STEPS[sys.argv[1]](load_settings(Path(sys.argv[2])), CpuClock())))
