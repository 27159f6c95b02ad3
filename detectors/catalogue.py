"""The catalogue: which detectors there are, in order, and how settings make them.

Takes settings and a baseline; gives detectors. Built-in ones stand in an explicit list; other tools add theirs by the
entry point group `wakewatch.detectors`. A detector's module is imported when detectors are made, not before, because
one of them brings scikit-learn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import BaseModel

from detectors.batch.settings import Settings, build_detector, check_detect_tables
from detectors.contract import Detector
from vessels.errors import SettingsError

ENTRY_POINTS: Final = "wakewatch.detectors"


@dataclass(frozen=True, slots=True)
class Entry:
    """One built-in detector: its name, and the class that makes it."""

    name: str
    module: str
    class_name: str


BUILTIN: Final[tuple[Entry, ...]] = (
    Entry("geofence", "detectors.rules.geofence.detector", "Geofence"),
    Entry("identity", "detectors.rules.identity.detector", "Identity"),
    Entry("isolation_forest", "detectors.learned.isolation_forest", "UnusualVoyages"),
    Entry("dark", "detectors.rules.dark.detector", "Dark"),
    Entry("rendezvous", "detectors.rules.rendezvous.detector", "Rendezvous"),
    Entry("loitering", "detectors.rules.loitering", "Loitering"),
    Entry("position", "detectors.rules.position.detector", "Position"),
    Entry("watchlist", "detectors.rules.watchlist", "ListedVessels"),
)
"""The detectors that come with wakewatch, in the order in which they run."""


def detector_classes() -> Mapping[str, type[Any]]:
    """Every detector's class by name, built-in ones first. Raises SettingsError for an entry point that fails."""
    classes: dict[str, type[Any]] = {e.name: getattr(import_module(e.module), e.class_name) for e in BUILTIN}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        if point.name in classes:
            raise SettingsError(f"detector {point.name!r} of {point.value}: the name is taken; rename the entry point")
        classes[point.name] = _load(point)
    return classes


def _load(point: EntryPoint) -> type[Any]:
    try:
        loaded = point.load()
    except Exception as error:
        raise SettingsError(f"detector {point.name!r} of {point.value}: cannot be imported ({error})") from error
    if not isinstance(loaded, type):
        raise SettingsError(f"detector {point.name!r} of {point.value}: must be a class, not {loaded!r}")
    return loaded


def make_detectors(settings: Settings, baseline: Any = None) -> tuple[Detector, ...]:
    """The enabled detectors with the parameters that the settings give them.

    `baseline` is a `detectors.learned.baseline.Baseline`, or None for the packaged one. Raises SettingsError.
    """
    classes = detector_classes()
    check_detect_tables(settings, {n: c for n, c in classes.items() if issubclass(c, BaseModel)})
    made: list[Detector] = []
    for name, kind in classes.items():
        if not settings.detect.is_enabled(name):
            continue
        detector: Any = build_detector(kind, name, settings) if issubclass(kind, BaseModel) else kind()
        if baseline is not None and name == "isolation_forest":
            detector = detector.model_copy(update={"baseline": baseline})
        made.append(detector)
    return tuple(made)
