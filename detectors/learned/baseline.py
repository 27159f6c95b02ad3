"""The baseline: features of ordinary voyages and a seed, from which the forest is grown anew each time.

Takes a `History` whose traffic is taken as ordinary; gives a `Baseline`, written as Parquet in natural units so that
anyone can read what counts as usual. Nothing in it is code. Growing and scoring are left to `isolation_forest`.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from detectors.learned.features import FEATURE_NAMES, FEATURES, FEATURES_VERSION, scaled_matrix, voyage_features
from detectors.learned.ship_class import TextArray
from detectors.learned.spans import IntArray
from vessels.errors import SettingsError, UsageError
from vessels.history import History
from vessels.schema import Column, Table, make_id
from vessels.zones import Zones

FORMAT: Final = 1
DEFAULT_SEED: Final = 1718
"""A fixed seed (UN Security Council resolution 1718 of 2006); any other serves as well."""
MAX_VOYAGES: Final = 20_000
"""Beyond this many voyages the percentiles of a class no longer move, while scoring them takes seconds."""
MAX_VOYAGES_PER_VESSEL: Final = 20
"""So that a ferry's hundred crossings do not make the class."""

_METADATA_KEY: Final = b"wakewatch.baseline"

BASELINE: Final = Table(
    "baseline",
    (
        Column("voyage_id", pa.string(), "voyage"),
        Column("vessel", pa.int32(), "number that voyages of one vessel share"),
        Column("ship_class", pa.string(), "class of ship"),
        Column("length_band", pa.string(), "band of length"),
        *(Column(feature.name, pa.float64(), feature.meaning, feature.unit) for feature in FEATURES),
    ),
)


@dataclass(frozen=True, slots=True)
class BaselineOrigin:
    """Where a baseline comes from: enough to tell two apart and to refuse one that measures otherwise."""

    seed: int
    features_version: int
    watched_zones: str
    source_digest: str
    n_candidates: int
    n_left_out: int


@dataclass(frozen=True, eq=False)
class Baseline:
    """Reference voyages (a `BASELINE` table, sorted by voyage_id) and the seed of the forest. Equal by content."""

    table: pa.Table
    origin: BaselineOrigin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Baseline) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def n_voyages(self) -> int:
        """Reference voyages."""
        return int(self.table.num_rows)

    @cached_property
    def n_vessels(self) -> int:
        """Vessels that sailed them."""
        return len(np.unique(self.vessel))

    @cached_property
    def digest(self) -> str:
        """Digest of the rows and their origin, for run.json."""
        state = hashlib.blake2b(json.dumps(asdict(self.origin), sort_keys=True).encode(), digest_size=16)
        for name in BASELINE.names:
            column = self.table.column(name)
            if pa.types.is_string(column.type):
                state.update("\x1f".join(column.to_pylist()).encode())
            else:
                values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
                state.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        return state.hexdigest()

    @property
    def vessel(self) -> IntArray:
        """Vessel number of each row."""
        return np.asarray(self.table.column("vessel").to_numpy(), dtype=np.int64)

    @property
    def ship_class(self) -> TextArray:
        """Class of each row."""
        return np.array(self.table.column("ship_class").to_pylist(), dtype=np.object_)

    @property
    def length_band(self) -> TextArray:
        """Band of length of each row."""
        return np.array(self.table.column("length_band").to_pylist(), dtype=np.object_)

    def write(self, path: Path | str) -> None:
        """Write the baseline as Parquet, whole or not at all; the same baseline gives the same bytes."""
        target = Path(path)
        about = json.dumps({"format": FORMAT, **asdict(self.origin)}, sort_keys=True).encode()
        partial = target.with_name(f".{target.name}.partial")
        try:
            pq.write_table(self.table.replace_schema_metadata({_METADATA_KEY: about}), partial, compression="zstd")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def fit_baseline(
    history: History,
    zones: Zones,
    leave_out: Collection[str] = frozenset(),
    *,
    seed: int = DEFAULT_SEED,
    max_voyages: int = MAX_VOYAGES,
    max_voyages_per_vessel: int = MAX_VOYAGES_PER_VESSEL,
    features: pa.Table | None = None,
) -> Baseline:
    """Learn what ordinary voyages look like; `leave_out` holds the ids of voyages that other detectors call odd.

    `features` are those of the history's voyages (`VOYAGE_FEATURES`), where they are known already.

    Which voyages are kept under the caps is decided by a hash of their ids, so neither row order nor the calendar
    has a say. Raises UsageError when no voyage is left.
    """
    features = voyage_features(history, zones) if features is None else features
    features = features.filter(features.column("is_scorable"))
    candidates = sorted(set(features.column("voyage_id").to_pylist()))
    left_out = frozenset(leave_out).intersection(candidates)
    ids = features.column("voyage_id").to_pylist()
    mmsi = features.column("mmsi").to_pylist()
    draw = sorted((make_id("sample", name), row) for row, name in enumerate(ids) if name not in left_out)
    chosen: dict[str, int] = {}
    sailed: dict[int, int] = {}
    for _, row in draw:
        if len(chosen) < max_voyages and ids[row] not in chosen and sailed.get(mmsi[row], 0) < max_voyages_per_vessel:
            chosen[ids[row]] = row
            sailed[mmsi[row]] = sailed.get(mmsi[row], 0) + 1
    if not chosen:
        raise UsageError(
            f"a baseline needs ordinary voyages: of {history.voyages.num_rows} voyages {len(candidates)} are long "
            f"enough to compare and {len(left_out)} of these are left out as odd; give more or longer tracks"
        )
    vessels = {number: code for code, number in enumerate(sorted(sailed, key=lambda number: make_id("vessel", number)))}
    table = features.take([chosen[name] for name in sorted(chosen)])
    table = BASELINE.build(
        {
            "vessel": [vessels[number] for number in table.column("mmsi").to_pylist()],
            **{name: table.column(name) for name in BASELINE.names if name != "vessel"},
        }
    )
    origin = BaselineOrigin(
        seed=seed,
        features_version=FEATURES_VERSION,
        watched_zones=watched_zones_digest(zones),
        source_digest=hashlib.blake2b("\x1f".join(candidates).encode(), digest_size=16).hexdigest(),
        n_candidates=len(candidates),
        n_left_out=len(left_out),
    )
    return Baseline(table, origin)


def watched_zones_digest(zones: Zones) -> str:
    """Digest of the zones of high watch: approaches to other zones cannot be compared."""
    watched = sorted((zone.zone_id, zone.geometry.wkb_hex) for zone in zones.zones if zone.watch == "high")
    return hashlib.blake2b(json.dumps(watched).encode(), digest_size=16).hexdigest()


def read_baseline(path: Path | str) -> Baseline:
    """Read a baseline that `fit` wrote. Raises SettingsError naming the file, the column and the rule it breaks."""
    source = Path(path)
    try:
        with source.open("rb") as stream:
            return _read(stream, str(path))
    except OSError as error:
        raise SettingsError(
            f"baseline {path}: cannot be read ({error.strerror}); give a file that `fit` wrote"
        ) from error


def default_baseline() -> Baseline | None:
    """The baseline that ships with wakewatch, or None where none is packaged."""
    packaged = files("detectors").joinpath("data", "baseline.parquet")
    if not packaged.is_file():
        return None
    with packaged.open("rb") as stream:
        return _read(stream, packaged.name)


def _read(stream: IO[bytes], name: str) -> Baseline:
    def refuse(rule: str) -> SettingsError:
        return SettingsError(f"baseline {name}: {rule}; learn it again with `wakewatch fit`")

    try:
        table = pq.read_table(pa.BufferReader(stream.read()), use_threads=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise refuse(f"is no Parquet file ({str(error).splitlines()[0][:120]})") from error
    origin = _read_origin((table.schema.metadata or {}).get(_METADATA_KEY), refuse)
    for column in BASELINE.columns:
        if column.name not in table.column_names:
            raise refuse(f"column {column.name} is missing")
        found = table.schema.field(column.name).type
        if found != column.type:
            raise refuse(f"column {column.name} is {found}; it must be {column.type}")
        values = table.column(column.name)
        if column.name not in FEATURE_NAMES and values.null_count:
            raise refuse(f"column {column.name} has {values.null_count} nulls; it must have none")
    table = BASELINE.build({column: table.column(column) for column in BASELINE.names}).sort_by("voyage_id")
    if table.num_rows == 0:
        raise refuse("has no rows; it must hold voyages")
    if len(table.column("voyage_id").unique()) < table.num_rows:
        raise refuse("column voyage_id names a voyage twice; each must be there once")
    if np.isinf(scaled_matrix(table)).any():
        raise refuse("a feature is infinite; features are finite numbers or null")
    return Baseline(table, origin)


def _read_origin(raw: bytes | None, refuse: Any) -> BaselineOrigin:
    if raw is None:
        raise refuse("is Parquet, but no wakewatch baseline")
    try:
        about = json.loads(raw)
        form = about.pop("format")
        if form != FORMAT:
            raise refuse(f"has format {form}; this version reads format {FORMAT}")
        version = about["features_version"]
        if version != FEATURES_VERSION:
            raise refuse(f"has features of version {version}; this version measures version {FEATURES_VERSION}")
        return BaselineOrigin(**about)
    except (KeyError, TypeError, ValueError) as error:
        raise refuse("its metadata cannot be understood") from error
