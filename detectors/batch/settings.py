"""Settings: one TOML file read, checked and frozen; what is wrong is refused with the file, the key and the right name.

Takes a path; gives a `Settings` record whose paths are absolute or relative to where the command was started. Which
zones, detectors and parameters exist is known elsewhere: `check_detect_tables` and `apply_levels` hold a settings
file against them. Opening tracks, zones and watch lists is left to those who read them.
"""

import glob
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from detectors.batch.refusals import nearest_name, sentences, shown, unknown_name
from vessels.dialects import CANONICAL, DIALECTS
from vessels.errors import SettingsError
from vessels.history import FactParameters
from vessels.parameters import Parameters
from vessels.zones import WatchLevel, Zones

MAX_SETTINGS_BYTES: Final = 1_000_000
"""A settings file is a page or two; anything larger is some other file given by mistake."""

ModelT = TypeVar("ModelT", bound=BaseModel)


def _beside_the_file(value: object, info: ValidationInfo) -> object:
    """A path of a settings file, taken relative to the file's folder."""
    if not isinstance(value, str):
        if isinstance(value, Path):
            return value
        raise ValueError('must be a path in quotes, such as "zones.geojson"')
    if not value.strip():
        raise ValueError("must not be empty; leave the key out instead")
    return _base(info) / value


def _base(info: ValidationInfo) -> Path:
    return Path(info.context["base"]) if info.context else Path()


FilePath = Annotated[Path, BeforeValidator(_beside_the_file)]


class InputSettings(Parameters):
    """`[input]`: which track files, and how their columns are to be read."""

    tracks: tuple[str, ...] = Field((), description="files, folders and globs with AIS positions")
    dialect: str | None = Field(None, description="file layout; found out from the columns where it is left out")
    columns: Mapping[str, str] = Field(
        default_factory=dict, description="canonical name = name in the file, for layouts wakewatch does not know"
    )
    timezone: str | None = Field(None, description="zone of times that state none, such as Asia/Seoul")

    @field_validator("tracks", mode="before")
    @classmethod
    def _tracks_beside_the_file(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ValueError('must be a list, such as ["tracks/*.parquet"]')
        if not all(isinstance(entry, str) and entry.strip() for entry in value):
            raise ValueError("must be a list of paths in quotes, none of them empty")
        base = _base(info)
        return tuple(_track_path(base, entry) for entry in value)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str | None) -> str | None:
        if value not in (None, "UTC") and value not in available_timezones():
            near = nearest_name(str(value), available_timezones())
            raise ValueError(
                "no such time zone" + (f"; did you mean `{near}`?" if near else "; for example Asia/Seoul")
            )
        return value

    @field_validator("dialect")
    @classmethod
    def _known_dialect(cls, value: str | None) -> str | None:
        known = [dialect.name for dialect in DIALECTS]
        if value is not None and value not in known:
            raise ValueError(unknown_name(value, known, "dialect"))
        return value

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name in value:
            if name not in CANONICAL:
                raise ValueError(f"`{name}`: {unknown_name(name, CANONICAL, 'canonical name')}")
        return value


def _track_path(base: Path, entry: str) -> str:
    """One entry of `tracks` under the settings file's folder, whose own name may hold glob characters."""
    plain = base / entry
    if not glob.has_magic(entry) or plain.exists():
        return str(plain)
    return os.path.join(glob.escape(str(base)), entry) if str(base) != "." else entry  # noqa: PTH118 - a pattern


class OutputSettings(Parameters):
    """`[output]`: where the tables go."""

    path: FilePath | None = Field(None, description="folder for the tables; `--out` goes before it")


class WatchSettings(Parameters):
    """`[watch]`: which places and which ships to look out for."""

    zones: FilePath | None = Field(
        None, description="GeoJSON of zones, added to those that come with wakewatch; one of the same id replaces it"
    )
    list: FilePath | None = Field(None, description="watch list: OpenSanctions' maritime CSV, or imo, mmsi, name")
    levels: Mapping[str, WatchLevel] = Field(
        default_factory=dict, description="zone id = high, elevated or none, where the zone's own level is not wanted"
    )


class BaselineSettings(Parameters):
    """`[baseline]`: what the isolation forest takes as usual."""

    path: FilePath | None = Field(None, description="baseline written by `wakewatch fit`")


class StoreSettings(Parameters):
    """`[store]`: the nightly job's track store. `scan` has no use for it."""

    path: FilePath | None = Field(None, description="folder of the track store")


class IngestSettings(Parameters):
    """`[ingest]`: how the nightly job fills its store. `scan` has no use for it."""

    thin_s: int = Field(60, ge=1, le=3600, strict=True, description="positions are thinned to one in so many seconds")


class AlertSettings(Parameters):
    """`[alerts]`: how many voyages a reader can look at."""

    budget: int | None = Field(
        None,
        ge=1,
        strict=True,
        description="at most so many flagged voyages, by rank; all above the threshold if unset",
    )


class DetectSettings(Parameters):
    """`[detect]`: one table a detector, `[detect.geofence]` and so on, and how far the nightly job looks back.

    `tables` holds each detector's parameters as written; a detector's own record checks them.
    """

    lookback_days: int | None = Field(
        None, ge=1, le=3660, strict=True, description="nightly job: how many days it looks at; `scan` looks at all"
    )
    tables: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, repr=False, description="detector = parameters"
    )
    switches: Mapping[str, StrictBool] = Field(default_factory=dict, repr=False, description="detector = enabled")

    def is_enabled(self, detector: str) -> bool:
        """Whether a detector is to run: it is, unless its table says `enabled = false`."""
        return self.switches.get(detector, True)

    def parameters(self, detector: str) -> Mapping[str, Any]:
        """The parameters its table sets, `enabled` left out; empty for the defaults."""
        return self.tables.get(detector, {})


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
        """What was in force, defaults included, as plain values for run.json; `[detect]` as the file has it."""
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
    if problems:
        raise SettingsError("\n".join(problems))
    settings._name = name
    return settings


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
            problems.append(f"{name}: [detect] {key}: {unknown_name(key, ['lookback_days'], 'key')}")
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
