"""Lists and cards: which zones and which detectors there are, and what each detector's parameters mean.

Takes zones and detector classes; gives lines. A detector's card is its docstring, its parameters are its fields.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from detectors.batch.refusals import unknown_name
from detectors.cli.terminal import clip, grid, wrap
from detectors.contract import Detector
from detectors.shown import safe
from vessels.errors import UsageError
from vessels.zones import WatchLevel, Zone

_NAME_WIDTH: Final = 40
_BOUND_SIGNS: Final[Mapping[str, str]] = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def zone_list(zones: Sequence[Zone], country: str | None, watch: str | None) -> list[str]:
    """The zones of a country and a watch level (None: all), one line each. Raises UsageError for an unknown level."""
    levels = get_args(WatchLevel)
    if watch is not None and watch not in levels:
        raise UsageError(f'--watch "{watch}": {unknown_name(watch, levels, "level")}')
    countries = {zone.country for zone in zones if zone.country}
    if country is not None and country.upper() not in countries:
        raise UsageError(f'--country "{country}": no zone there; there are: {", ".join(sorted(countries))}')
    rows = [
        [
            zone.zone_id,
            clip(zone.name, _NAME_WIDTH),
            zone.country or "--",
            zone.kind,
            zone.watch,
            f"{zone.lat:.3f}",
            f"{zone.lon:.3f}",
            " ".join(zone.unlocodes),
        ]
        for zone in zones
        if (country is None or zone.country == country.upper()) and (watch is None or zone.watch == watch)
    ]
    return grid(["zone", "name", "country", "kind", "watch", "lat", "lon", "UN/LOCODE"], rows, right=[5, 6])


def detector_list(detectors: Sequence[Detector], width: int) -> list[str]:
    """Every detector with what it says of itself in a line, and the kinds of finding it makes."""
    lines = []
    for detector in detectors:
        lines += [f"{safe(detector.name)} {safe(detector.version)}: {_card(detector).splitlines()[0]}"]
        lines += wrap(", ".join(detector.kinds), width, indent=4)
    return lines


def detector_card(detectors: Sequence[Detector], name: str, width: int) -> list[str]:
    """One detector's card, its kinds of finding, and its parameters with default, bounds, meaning and source.

    Raises UsageError for a name no detector has.
    """
    by_name = {detector.name: detector for detector in detectors}
    if name not in by_name:
        raise UsageError(f'detector "{name}": {unknown_name(name, by_name, "detector")}')
    detector = by_name[name]
    lines = [f"{safe(name)} {safe(detector.version)}", "", *(safe(line) for line in _card(detector).splitlines())]
    lines += ["", "Kinds of finding:", *wrap(", ".join(detector.kinds), width, indent=4)]
    fields = type(detector).model_fields if isinstance(detector, BaseModel) else {}
    shown = {key: field for key, field in fields.items() if field.repr}  # repr=False: no parameter of the settings
    if shown:
        lines += ["", f"Parameters, set in [detect.{name}]:"]
        for key, field in shown.items():
            bounds = _bounds(field.metadata)
            lines.append(f"  {key} = {_shown(getattr(detector, key))}" + (f"   ({bounds})" if bounds else ""))
            lines += wrap(field.description or "", width, indent=6)
    return lines


def _card(detector: Detector) -> str:
    return inspect.getdoc(type(detector)) or "says nothing of itself"


def _bounds(metadata: Sequence[Any]) -> str:
    """The bounds pydantic keeps beside a field, as they are written in mathematics."""
    return ", ".join(
        f"{sign} {getattr(rule, key):g}"
        for rule in metadata
        for key, sign in _BOUND_SIGNS.items()
        if hasattr(rule, key)
    )


def _shown(value: object) -> str:
    """A default in the form settings take it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset | set | tuple | list):
        items = sorted(map(str, value)) if isinstance(value, frozenset | set) else list(map(str, value))
        return f"[{', '.join(items)}]"
    return safe(value)
