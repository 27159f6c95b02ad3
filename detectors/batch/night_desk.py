"""What a night is told with: the tools that the settings name, what a night is asked, and what came of it.

Takes settings; gives records. Telling a night is `detectors.batch.night`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.batch.alerts import Telling
from detectors.batch.broken import Failure
from detectors.batch.clock import Clock
from detectors.batch.drifting import Anchor, Learned
from detectors.batch.engines import Engine
from detectors.batch.night_facts import NightFacts
from detectors.batch.run_log import RunLog
from detectors.batch.settings import Settings, apply_levels
from detectors.batch.verdicts import Verdicts
from detectors.batch.window import Window
from detectors.catalogue import make_detectors
from detectors.contract import Detector
from detectors.learned.baseline import default_baseline, read_baseline
from detectors.watchlist import WatchList, read_watchlist
from vessels.intake import Progress
from vessels.store.entries import Entry
from vessels.store.store import TrackStore
from vessels.zones import Zones, read_zones


@dataclass(frozen=True)
class Tools:
    """What the settings name beside the inputs, read before anything is begun."""

    zones: Zones
    watchlist: WatchList
    anchor: Anchor
    detectors: tuple[Detector, ...]


def tools_of(settings: Settings) -> Tools:
    """Zones, watch list, baseline and detectors of the settings. Raises SettingsError for what cannot be read."""
    anchor = _anchor(settings)
    return Tools(
        zones=apply_levels(read_zones(settings.watch.zones), settings),
        watchlist=WatchList() if settings.watch.list is None else read_watchlist(settings.watch.list),
        anchor=anchor,
        detectors=make_detectors(settings, anchor.baseline),
    )


@dataclass(frozen=True)
class Desk:
    """What every night of one run of the job works with."""

    settings: Settings
    store: TrackStore
    out: Path
    tools: Tools
    engine: Engine
    progress: Progress
    log: RunLog
    clock: Clock

    @property
    def zones(self) -> Zones:
        """The zones in force."""
        return self.tools.zones


@dataclass(frozen=True)
class Question:
    """What a night is asked: what it looks at, against which words of analysts, and until when data count."""

    window: Window
    entries: tuple[Entry, ...]
    verdicts: Verdicts
    span_us: tuple[int, int]


@dataclass(frozen=True)
class Answer:
    """What came of it: facts, judgements, and what is told of them as which night."""

    facts: NightFacts
    learned: Learned
    failures: tuple[Failure, ...]
    telling: Telling
    key: str
    seq: int
    night_id: str
    is_newest: bool
    before: tuple[Mapping[str, Any], ...]


def _anchor(settings: Settings) -> Anchor:
    """The baseline that does not move: the settings' or the packaged one."""
    path = settings.baseline.path
    return Anchor(default_baseline(), "packaged") if path is None else Anchor(read_baseline(path), "path")
