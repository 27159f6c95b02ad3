"""Settings: one TOML file read, checked and frozen; what is wrong is refused with the file, the key and the right name.

Takes a path; gives a `Settings` record whose paths are absolute or relative to where the command was started. Which
zones, detectors and parameters exist is known elsewhere: `check_detect_tables` and `apply_levels` hold a settings
file against them. Opening tracks, zones and watch lists is left to those who read them.
"""

import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from detectors.batch.refusals import nearest_name, sentences, shown, unknown_name
from detectors.batch.sections import (
    AlertSettings,
    BaselineSettings,
    DetectSettings,
    IngestSettings,
    InputSettings,
    OutputSettings,
    StoreSettings,
    WatchSettings,
)
from vessels.errors import SettingsError
from vessels.history import FactParameters
from vessels.parameters import Parameters
from vessels.zones import Zones

MAX_SETTINGS_BYTES: Final = 1_000_000
"""A settings file is a page or two; anything larger is some other file given by mistake."""

_DETECT_KEYS: Final = tuple(name for name, field in DetectSettings.model_fields.items() if field.repr)
"""Keys of `[detect]` itself; all others are tables of detectors."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class Settings(Parameters):
    """All that a scan or a nightly run can be told, with defaults for what the file leaves out.

    `name` is the file as the user named it, for messages; it is "settings" where there is no file.
    """

    input: InputSettings = Field(default_factory=InputSettings)
    output: OutputSettings = Field(default_factory=OutputSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    baseline: BaselineSettings = Field(default_factory=BaselineSettings)
    detect: DetectSettings = Field(default_factory=DetectSettings)
    facts: FactParameters = Field(default_factory=FactParameters)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    _name: str = PrivateAttr("settings")

    @property
    def name(self) -> str:
        """The file as the user named it."""
        return self._name

    def effective(self) -> dict[str, Any]:
        """What was in force, defaults included, as plain values for run.json; `[detect]` as the file has it.

        Values of `[store.options]` are hidden: only their names tell.
        """
        values: dict[str, Any] = self.model_dump(mode="json")
        detect = values["detect"]
        merged: dict[str, Any] = {name: dict(table) for name, table in detect.pop("tables").items()}
        for name, enabled in detect.pop("switches").items():
            merged.setdefault(name, {})["enabled"] = enabled
        detect.update(dict(sorted(merged.items())))
        return values


def load_settings(path: Path | None) -> Settings:
    """The settings of a TOML file, or the defaults for None; paths are taken relative to the file.

    Raises SettingsError with one line for each thing that is wrong: file, key, rule, nearest right name.
    """
    if path is None:
        return Settings()
    raw = _read_toml(path)
    return settings_from(raw, name=str(path), base=path.parent)


def settings_from(raw: Mapping[str, Any], *, name: str = "settings", base: Path | None = None) -> Settings:
    """Settings from tables as TOML gives them. Raises SettingsError as `load_settings` does."""
    values = dict(raw)
    detect = values.get("detect")
    problems: list[str] = []
    if isinstance(detect, Mapping):
        values["detect"] = _split_detect(detect, name, problems)
    try:
        settings = Settings.model_validate(values, context={"base": str(base or Path())})
    except ValidationError as error:
        problems = [*sentences(error, Settings, name), *problems]
    else:
        problems += _contradictions(settings, name)
    if problems:
        raise SettingsError("\n".join(problems))
    settings._name = name
    return settings


def _contradictions(settings: Settings, name: str) -> Iterator[str]:
    """What no key alone shows: values that are right one by one and cannot be together."""
    kept, detect = settings.store.retention_days, settings.detect
    needed = detect.lookback_days + detect.window_step_days
    if kept is not None and kept < needed:
        rule = f"must be at least {needed} ([detect] lookback_days + window_step_days), not {kept}"
        yield f"{name}: [store] retention_days: {rule}"


def check_for_nightly(settings: Settings) -> None:
    """Refuse settings that do not say what the nightly job needs: track files, a store, a folder for its nights.

    Also refuses a store or nights within a folder of inputs, which the next night would take for tracks, and one within
    the other. Raises SettingsError with a line for each.
    """
    store, out = settings.store.path, settings.output.path
    problems = []
    if not settings.input.tracks:
        problems.append('[input] tracks: is needed for the nightly job, such as ["incoming"]')
    if store is None:
        problems.append('[store] path: is needed for the nightly job, such as "store" or "s3://bucket/wakewatch"')
    if out is None:
        problems.append('[output] path: is needed for the nightly job, such as "nights"')
    places = {"[output] path": out, "[store] path": None if store is None or "://" in store else Path(store)}
    for key, place in places.items():
        problems += [
            f"{key}: {place} lies in the input folder {folder}; choose a folder outside"
            for folder in map(Path, settings.input.tracks)
            if place is not None and folder.is_dir() and place.resolve().is_relative_to(folder.resolve())
        ]
    local = places["[store] path"]
    if out is not None and local is not None:
        one, other = out.resolve(), local.resolve()
        if one.is_relative_to(other) or other.is_relative_to(one):
            problems.append(f"[output] path: {out} and [store] path: {local} lie in one another; choose two folders")
    if problems:
        raise SettingsError("\n".join(f"{settings.name}: {problem}" for problem in problems))


def _split_detect(detect: Mapping[str, Any], name: str, problems: list[str]) -> dict[str, Any]:
    """The tables of `[detect]` apart from its own keys, and `enabled` apart from the parameters."""
    split: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {}
    switches: dict[str, bool] = {}
    for key, value in detect.items():
        if isinstance(value, Mapping):
            table = dict(value)
            enabled = table.pop("enabled", True)
            if not isinstance(enabled, bool):
                problems.append(f"{name}: [detect.{key}] enabled: must be true or false, not {shown(enabled)}")
            elif "enabled" in value:
                switches[key] = enabled
            tables[key] = table
        elif key in ("tables", "switches"):
            problems.append(f"{name}: [detect] {key}: {unknown_name(key, _DETECT_KEYS, 'key')}")
        else:
            split[key] = value
    return {**split, "tables": tables, "switches": switches}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise SettingsError(f"{path}: a settings file must be an ordinary file; this is not one")
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_SETTINGS_BYTES // 1_000_000} MB, so it is no settings file")
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        near = _near_file(path)
        hint = f"; did you mean `{near}`?" if near else ""
        raise SettingsError(f"{path}: cannot be read ({error.strerror or error}){hint}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}); settings are TOML in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}") from None


def _near_file(path: Path) -> Path | None:
    """A file beside a missing one whose name is close to it."""
    try:
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return None
    near = nearest_name(path.name, siblings)
    return path.parent / near if near else None


def check_detect_tables(settings: Settings, detectors: Mapping[str, type[BaseModel]]) -> None:
    """Hold every `[detect.NAME]` table against the detectors there are and the parameters they take.

    Raises SettingsError with one line for each unknown detector, unknown parameter or value out of bounds.
    """
    problems: list[str] = []
    for name in {**settings.detect.tables, **settings.detect.switches}:
        if name not in detectors:
            problems.append(f"{settings.name}: [detect.{name}]: {unknown_name(name, detectors, 'detector')}")
            continue
        try:
            detectors[name].model_validate(dict(settings.detect.parameters(name)))
        except ValidationError as error:
            problems += sentences(error, detectors[name], settings.name, ("detect", name))
    if problems:
        raise SettingsError("\n".join(problems))


def without_detector(settings: Settings, name: str) -> Settings:
    """The same settings with one detector switched off."""
    detect = settings.detect.model_copy(update={"switches": {**settings.detect.switches, name: False}})
    return settings.model_copy(update={"detect": detect})


def build_detector(detector: type[ModelT], name: str, settings: Settings) -> ModelT:
    """The detector with the parameters that the settings give it. Raises SettingsError as above."""
    check_detect_tables(settings.model_copy(update={"detect": _only(settings.detect, name)}), {name: detector})
    return detector.model_validate(dict(settings.detect.parameters(name)))


def _only(detect: DetectSettings, name: str) -> DetectSettings:
    return DetectSettings(tables={name: detect.parameters(name)})


def apply_levels(zones: Zones, settings: Settings) -> Zones:
    """The zones with the watch levels of `[watch.levels]`. Raises SettingsError for a zone id that is none."""
    try:
        return zones.with_levels(settings.watch.levels)
    except SettingsError as error:
        raise SettingsError(f"{settings.name}: {error}") from None
