"""The key of a night: a digest of all that its answer depends on.

Takes the desk and the question; gives text. Two nights of one key tell the same.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from detectors.batch.night_desk import Desk, Question
from detectors.batch.record import card
from detectors.batch.settings import Settings
from detectors.chains import watched_levels
from vessels.store.taking_in import zones_digest

_PLACES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "input": ("tracks",),
        "watch": ("zones", "list"),
        "baseline": ("path",),
    }
)
"""Settings that say where a file lies; what the file holds is looked at in itself."""


def night_key(desk: Desk, question: Question) -> str:
    """A digest of all that a night's answer depends on."""
    settings, window = desk.settings, question.window
    parts = {
        "as_of": window.last_us,
        "window": window.first_us,
        "inputs": sorted(entry.source for entry in question.entries),
        "settings": _without_places(settings),
        "zones": zones_digest(desk.zones),
        "levels": watched_levels(desk.zones),
        "files": [_file_digest(path) for path in (settings.watch.zones, settings.watch.list, settings.baseline.path)],
        "detectors": [card(detector) for detector in desk.tools.detectors],
        "verdicts": question.verdicts.key,
        "wakewatch": version("wakewatch"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _without_places(settings: Settings) -> dict[str, Any]:
    """What is in force, but for where files lie and how the store is kept: a night begun by cron and run again from
    another folder is the same night."""
    values = settings.effective()
    kept = {name: value for name, value in values.items() if name not in ("output", "store")}
    for table, places in _PLACES.items():
        kept[table] = {key: value for key, value in values[table].items() if key not in places}
    return kept


def _file_digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
