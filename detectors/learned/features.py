"""Voyage features: the numbers by which one voyage is compared with others, each named in a mariner's words.

Takes the voyages of a `History` and the zones; gives one table, a row a voyage, in natural units. What is usual for
a ship of that class, and how odd a voyage is, is left to `scaling` and `isolation_forest`.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.learned.approach import WATCH_HORIZON_NMI, watched_approach_nmi
from detectors.learned.ship_class import claims_on_voyages
from vessels.history import History
from vessels.schema import Column, Table
from vessels.units import US_PER_DAY, US_PER_H
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]

FEATURES_VERSION: Final = 1
"""Goes up when a feature is added, dropped or measured otherwise; an older baseline is then refused."""

MIN_DURATION_H: Final = 6.0
"""Shorter voyages are not scored: a quarter of a day holds no stop, no night and no silence to compare."""
MIN_POSITIONS: Final = 30
"""Fewer reports are not scored: shares and 10th to 90th percentiles of them are chance."""
MIN_DISTANCE_NMI: Final = 10.0
"""Ships that hardly moved are not scored: theirs is a stay, not a voyage."""
MIN_KNOWN_SHARE: Final = 0.5
"""At least this share of the features must be known; the rest is taken as usual."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number about a voyage: its unit, the scale it is compared on, and what it tells a mariner.

    `resolution` is the least difference that means anything at sea, in `unit`: it keeps a class in which nearly all
    voyages are alike from making trifles odd.
    """

    name: str
    unit: str
    scale: Literal["linear", "log1p"]
    resolution: float
    decimals: int
    words: str
    meaning: str

    def scaled(self, value: npt.ArrayLike) -> FloatArray:
        """The value on the scale of comparison: as it is, or log(1 + value) where ratios matter more than sums."""
        array = np.asarray(value, dtype=np.float64)
        return array if self.scale == "linear" else np.log1p(np.maximum(array, 0.0))

    def original(self, scaled: npt.ArrayLike) -> FloatArray:
        """Back from the scale of comparison to `unit`."""
        array = np.asarray(scaled, dtype=np.float64)
        return array if self.scale == "linear" else np.expm1(array)

    def text(self, value: float) -> str:
        """The value as people read it, without unit."""
        return f"{value:.{self.decimals}f}"


FEATURES: Final = (
    Feature("mean_speed_kn", "kn", "linear", 0.5, 1, "mean speed under way", "how fast it sailed"),
    Feature("speed_spread_kn", "kn", "linear", 0.5, 1, "spread of speed under way", "how unsteady its speed was"),
    Feature("max_speed_kn", "kn", "linear", 0.5, 1, "highest speed", "fastest it went, one report in a hundred apart"),
    Feature("slow_share", "", "linear", 0.02, 2, "share of time slow at sea", "time not spent going anywhere"),
    Feature("stops_per_day", "1/d", "log1p", 0.25, 2, "stops at sea per day", "how often it stopped outside ports"),
    Feature("longest_stop_h", "h", "log1p", 0.5, 1, "longest stop at sea", "time enough to lie alongside another ship"),
    Feature("detour_ratio", "", "log1p", 0.05, 2, "distance sailed over the direct way", "how far out of its way"),
    Feature("turning_deg_per_nmi", "degree/nmi", "log1p", 1.0, 1, "course change per mile", "zigzag, circles, drift"),
    Feature("longest_silence_h", "h", "log1p", 0.5, 1, "longest silence", "longest time without a report"),
    Feature("silence_share", "", "linear", 0.02, 2, "share of the voyage in long silences", "how much was not seen"),
    Feature("interval_irregularity", "", "linear", 0.1, 2, "irregularity of reporting", "how unevenly reports came"),
    Feature("draught_change_m", "m", "linear", 0.2, 1, "change of draught on the way", "cargo moved between two ports"),
    Feature("night_share", "", "linear", 0.1, 2, "share of the time under way by night", "sailing in the dark hours"),
    Feature(
        "status_mismatch_share", "", "linear", 0.02, 2,
        "share of reports that say moored or anchored under way", "a status that was not kept",
    ),
    Feature("drift_angle_deg", "degree", "log1p", 1.0, 1, "angle between heading and course", "set sideways, or drawn"),
    Feature("speed_residual_kn", "kn", "log1p", 0.2, 2, "reported less sailed speed", "speed that its track denies"),
    Feature(
        "watched_approach_nmi", "nmi", "log1p", 5.0, 0, "nearest approach to a watched zone",
        f"how near it came to a zone of high watch; {WATCH_HORIZON_NMI:.0f} stands for all that is farther",
    ),
)  # fmt: skip
"""The features in order. Signs are dropped where either sign is equally odd (draught, speed residual)."""

FEATURE_NAMES: Final = tuple(feature.name for feature in FEATURES)

ASPECTS: Final = (
    ("speed", ("mean_speed_kn", "speed_spread_kn", "max_speed_kn")),
    ("stops", ("slow_share", "stops_per_day", "longest_stop_h")),
    ("route", ("detour_ratio", "turning_deg_per_nmi")),
    ("reporting", ("longest_silence_h", "silence_share", "interval_irregularity")),
    ("cargo", ("draught_change_m",)),
    ("conduct", ("night_share", "status_mismatch_share")),
    ("instruments", ("drift_angle_deg", "speed_residual_kn")),
    ("nearness", ("watched_approach_nmi",)),
)
"""Sides of a voyage, each told by one to three features: what the forest looks at. Every feature is in one of them."""

ASPECT_OF_FEATURE: Final = tuple(
    next(number for number, (_, names) in enumerate(ASPECTS) if name in names) for name in FEATURE_NAMES
)
"""Number of the aspect of each feature."""

VOYAGE_FEATURES: Final = Table(
    "voyage_features",
    (
        Column("voyage_id", pa.string(), "voyage"),
        Column("mmsi", pa.int64(), "MMSI it was sailed under"),
        Column("ship_class", pa.string(), "class of ship claimed for the longest time on the voyage"),
        Column("length_band", pa.string(), "band of the length claimed for the longest time"),
        Column("is_scorable", pa.bool_(), "long enough, heard enough and known enough to be compared"),
        *(Column(feature.name, pa.float64(), feature.meaning, feature.unit) for feature in FEATURES),
    ),
)


def voyage_features(history: History, zones: Zones) -> pa.Table:
    """What each voyage was like: a `VOYAGE_FEATURES` table, row for row beside `history.voyages`; unknown is null."""
    voyages = history.voyages

    def column(name: str) -> FloatArray:
        values = voyages.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(values), values, np.nan)

    duration_h = column("duration_h")
    ship_class, length_band = claims_on_voyages(voyages, history.identities)
    measured = {
        **{name: column(name) for name in FEATURE_NAMES if name in voyages.column_names},
        "stops_per_day": column("n_stops_at_sea") / np.maximum(duration_h * (US_PER_H / US_PER_DAY), 1.0),
        "draught_change_m": np.abs(column("draught_change_m")),
        "speed_residual_kn": np.abs(column("speed_residual_kn")),
        "watched_approach_nmi": watched_approach_nmi(voyages, history.voyage_parts, history.sketches, zones),
    }
    known = np.isfinite(np.stack([measured[name] for name in FEATURE_NAMES]))
    enough = (
        (duration_h >= MIN_DURATION_H)
        & (column("n_positions") >= MIN_POSITIONS)
        & (column("distance_nmi") >= MIN_DISTANCE_NMI)
        & (known.mean(axis=0) >= MIN_KNOWN_SHARE)
    )
    return VOYAGE_FEATURES.build(
        {
            "voyage_id": voyages.column("voyage_id"),
            "mmsi": voyages.column("mmsi"),
            "ship_class": pa.array(ship_class.tolist(), type=pa.string()),
            "length_band": pa.array(length_band.tolist(), type=pa.string()),
            "is_scorable": enough,
            **{name: measured[name] for name in FEATURE_NAMES},
        }
    )


def scaled_matrix(table: pa.Table) -> FloatArray:
    """The features of a table on their scales of comparison. Shape (rows, features); unknown is NaN."""
    columns = [feature.scaled(table.column(feature.name).to_numpy(zero_copy_only=False)) for feature in FEATURES]
    return np.column_stack(columns).reshape(table.num_rows, len(FEATURES))
