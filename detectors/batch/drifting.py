"""The baseline in force tonight, and how it drifts: what has moved since it was learned, and from where it began.

Takes a baseline, the features of the newest and of earlier accepted voyages, and the anchor; gives `Learned`. What is
learned anew each night follows whatever enough ships do, a fraud that many take up too: so the anchor, which learns
nothing, stays beside it and says what it would have called odd. Which voyages teach is left to `learning`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.contract import Detector
from detectors.learned.baseline import Baseline, watched_zones_digest
from detectors.learned.drift import DRIFT, MIN_VESSELS, NOTABLE_ERRORS, drift
from detectors.learned.features import FEATURES
from vessels.zones import Zones

ODDER_SHARE: Final = 0.01
"""So many more of the newest voyages than of those before are odd to the anchor: three times the rate that it promises
(`isolation_forest.false_alarms_per_1000`)."""
_NAMED: Final = 5
"""Drifting features that a note names; the rest are counted."""
_ANCHORS: Final = {"packaged": "packaged baseline", "path": "baseline of [baseline] path"}


@runtime_checkable
class BaselineDetector(Detector, Protocol):
    """A detector that compares voyages with a baseline, and can be given another."""

    def with_baseline(self, baseline: Baseline | None) -> Self:
        """The same detector, comparing with another baseline."""

    def odd_references(self) -> tuple[str, ...]:
        """Ids of the voyages of its baseline that it would call odd, had it not been given them."""

    def odd_among(self, features: pa.Table, zones: Zones) -> npt.NDArray[np.bool_]:
        """Which of these voyages (`VOYAGE_FEATURES`) it calls odd. Shape (rows,)."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The baseline that stands where none is learned, and that a learned one is held against: packaged, or a file."""

    baseline: Baseline | None
    name: Literal["packaged", "path"]


@dataclass(frozen=True, slots=True)
class Learned:
    """What counts as usual tonight, and how it moved. `drift` is a `DRIFT` table, `record` what run.json says."""

    baseline: Baseline | None
    in_force: str
    drift: pa.Table
    notes: tuple[str, ...]
    record: Mapping[str, Any]


def learned_record(
    in_force: str, baseline: Baseline | None, anchor: Anchor, about: Mapping[str, Any]
) -> dict[str, Any]:
    """What run.json says of the baseline."""
    return {
        "in_force": in_force if baseline is not None else "none",
        "digest": baseline and baseline.digest,
        "n_voyages": 0 if baseline is None else baseline.n_voyages,
        "n_vessels": 0 if baseline is None else baseline.n_vessels,
        "anchor": {"name": anchor.name, "digest": anchor.baseline and anchor.baseline.digest},
        **about,
    }


def anchored(anchor: Anchor, why: str, about: Mapping[str, Any]) -> Learned:
    """The anchor in force, and why nothing was learned, if anything was to be."""
    notes = (f"{why}; the {_ANCHORS[anchor.name]} is in force",) if why else ()
    return Learned(
        anchor.baseline, anchor.name, DRIFT.empty(), notes, learned_record(anchor.name, anchor.baseline, anchor, about)
    )


@dataclass(frozen=True, slots=True)
class Voyages:
    """Features of accepted voyages: those that ended before learning stops, and those that ended since."""

    earlier: pa.Table
    newest: pa.Table


def with_drift(
    learned: Learned, voyages: Voyages, zones: Zones, anchored_forest: BaselineDetector, anchor: Anchor
) -> Learned:
    """The same with the drift of the newest voyages from it, its own from the anchor, and what the anchor calls odd.

    `anchored_forest` compares with the anchor's baseline.
    """
    if learned.baseline is None:
        return learned
    watched, features = watched_zones_digest(zones), voyages.newest.filter(voyages.newest["is_scorable"])
    comparable = learned.baseline.origin.watched_zones == watched
    tables = [drift("newest", learned.baseline, features, features["mmsi"].to_numpy(), comparable=comparable)]
    notes: list[str] = []
    about: dict[str, Any] = {"n_newest": features.num_rows}
    if anchor.baseline is not None:
        earlier, newest = (_odd(anchored_forest, part, zones) for part in (voyages.earlier, voyages.newest))
        about["odd_to_anchor"] = {"earlier": earlier.as_record(), "newest": newest.as_record()}
        notes += _odder(earlier, newest, anchor)
        if learned.in_force == "learned":
            ours, same = learned.baseline, anchor.baseline.origin.watched_zones == watched
            tables.append(drift("learned", anchor.baseline, ours.table, ours.vessel, comparable=same))
    told = DRIFT.concat(tables)
    notes += [note for table in tables for note in _drift_notes(table, learned, anchor)]
    about["drift"] = told.filter(told["is_notable"]).to_pylist()
    return replace(learned, drift=told, notes=(*learned.notes, *notes), record={**learned.record, **about})


@dataclass(frozen=True, slots=True)
class _Odd:
    """How many of some voyages are odd, and of how many vessels."""

    n_voyages: int
    n_odd: int
    n_odd_vessels: int

    @property
    def share(self) -> float:
        return self.n_odd / max(self.n_voyages, 1)

    def as_record(self) -> dict[str, Any]:
        return {"n_voyages": self.n_voyages, "n_odd": self.n_odd, "share": round(self.share, 4)}


def _odd(forest: BaselineDetector, features: pa.Table, zones: Zones) -> _Odd:
    odd = forest.odd_among(features, zones)
    vessels = np.unique(features["mmsi"].to_numpy()[odd])
    return _Odd(int(features["is_scorable"].to_numpy().sum()), int(odd.sum()), len(vessels))


def _odder(earlier: _Odd, newest: _Odd, anchor: Anchor) -> list[str]:
    """A line if more of the newest voyages are odd to the anchor than of those before."""
    if min(earlier.n_voyages, newest.n_voyages) == 0 or newest.n_odd_vessels < MIN_VESSELS:
        return []
    both = (earlier.n_odd + newest.n_odd) / (earlier.n_voyages + newest.n_voyages)
    error = (both * (1.0 - both) * (1.0 / earlier.n_voyages + 1.0 / newest.n_voyages)) ** 0.5
    if newest.share - earlier.share < max(ODDER_SHARE, NOTABLE_ERRORS * error):
        return []
    words = (
        f"the newest voyages are odder than those before: the {_ANCHORS[anchor.name]} calls {newest.share:.1%} of "
        f"{newest.n_voyages} odd, and {earlier.share:.1%} of the {earlier.n_voyages} accepted before"
    )
    return [words]


def _drift_notes(table: pa.Table, learned: Learned, anchor: Anchor) -> list[str]:
    """One line for what moved, over all ships if it shows there, else by class."""
    notable = table.filter(table["is_notable"])
    if not notable.num_rows:
        return []
    rows = notable.to_pylist()
    rows = [row for row in rows if not row["ship_class"]] or rows
    rows.sort(key=lambda row: (-abs(row["shift_spreads"]), row["ship_class"], row["feature"]))
    words = {feature.name: feature.words for feature in FEATURES}
    shown = "; ".join(
        f"{words[row['feature']]}{' of ' + row['ship_class'] if row['ship_class'] else ''} "
        f"{row['shift_spreads']:+.1f} spreads, {row['outside_share']:.0%} outside where "
        f"{row['reference_outside_share']:.0%} were"
        for row in rows[:_NAMED]
    )
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    if rows[0]["comparison"] == "newest":
        which = "the learned baseline" if learned.in_force == "learned" else f"the {_ANCHORS[anchor.name]}"
        return [f"the newest voyages drift from {which}: {shown}{more}"]
    return [f"the learned baseline has drifted from the {_ANCHORS[anchor.name]}: {shown}{more}"]
