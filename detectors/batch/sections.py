"""The tables of a settings file, one record each: every key with its default, its bounds and what it means.

Takes tables as TOML gives them; gives frozen records whose paths lie beside the settings file. Reading the file and
saying what is wrong with it is left to `detectors.batch.settings`.
"""

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, SecretStr, StrictBool, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from detectors.batch.refusals import UNSHOWN, nearest_name, unknown_name
from detectors.triage import FLAG_SCORE
from vessels.dialects import CANONICAL, DIALECTS
from vessels.parameters import Parameters
from vessels.zones import WatchLevel


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


def _store_place(value: object, info: ValidationInfo) -> object:
    """A folder taken relative to the settings file, or an object store's URL as it stands."""
    if not isinstance(value, str) or "://" not in value:
        return str(_beside_the_file(value, info))
    if urlsplit(value).password is not None:
        raise PydanticCustomError(UNSHOWN, "must not hold a password; give it in [store.options] or in the environment")
    return value


FilePath = Annotated[Path, BeforeValidator(_beside_the_file)]
StorePath = Annotated[str, BeforeValidator(_store_place)]


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

    path: FilePath | None = Field(
        None,
        description="folder for the tables; `scan --out` goes before it. Nightly job: holds a folder for each night",
    )
    metrics: FilePath | None = Field(
        None, description="nightly job: Prometheus text file, such as node_exporter's text collector reads"
    )


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
    learn: StrictBool = Field(
        True,
        description="nightly job: without `path`, what is usual is learned from the store's own accepted voyages",
    )


class StoreSettings(Parameters):
    """`[store]`: the nightly job's track store. `scan` has no use for it."""

    path: StorePath | None = Field(None, description="folder of the track store, or an object store's URL: s3://...")
    options: Mapping[str, SecretStr] = Field(
        default_factory=dict,
        description="object store: deltalake's storage options; the environment is read too. Values are never shown",
    )
    buckets: int = Field(
        16,
        ge=1,
        le=4096,
        strict=True,
        description="parts by MMSI, worked off one at a time; a store keeps the number it was made with",
    )
    compact_files: int = Field(
        24, ge=2, le=10_000, strict=True, description="a week's bucket with more files is rewritten as few, sorted"
    )
    retention_days: int | None = Field(
        None, ge=1, le=36_600, strict=True, description="positions older than this are dropped; kept for good if unset"
    )
    vacuum_hours: int = Field(
        168,
        ge=1,
        le=8760,
        strict=True,
        description="files that no version in force names any more are deleted after this time",
    )

    def storage_options(self) -> dict[str, str]:
        """The options in the clear, for `deltalake`."""
        return {name: secret.get_secret_value() for name, secret in self.options.items()}


class IngestSettings(Parameters):
    """`[ingest]`: how the nightly job fills its store. `scan` has no use for it."""

    thin_s: int = Field(60, ge=1, le=3600, strict=True, description="positions are thinned to one in so many seconds")
    gap_s: int = Field(
        1800,
        ge=60,
        le=86_400,
        strict=True,
        description="the reports at both ends of a silence this long are kept whatever `thin_s` is",
    )


class AlertSettings(Parameters):
    """`[alerts]`: how many voyages a reader can look at."""

    budget: int | None = Field(
        None,
        ge=1,
        strict=True,
        description="at most so many flagged voyages, by rank; all above the threshold if unset. "
        "Nightly job: at most so many new or revised ones a night",
    )
    min_score: float = Field(FLAG_SCORE, ge=FLAG_SCORE, le=1.0, description="a voyage is flagged from this score")


class DetectSettings(Parameters):
    """`[detect]`: one table a detector, `[detect.geofence]` and so on, and how far the nightly job looks back.

    `tables` holds each detector's parameters as written; a detector's own record checks them.
    """

    lookback_days: int = Field(
        90, ge=1, le=3660, strict=True, description="nightly job: how many days it looks at; `scan` looks at all"
    )
    window_step_days: int = Field(
        7,
        ge=1,
        le=366,
        strict=True,
        description="nightly job: the window begins at a whole multiple of so many days since 1970, at or before "
        "`lookback_days` ago",
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
