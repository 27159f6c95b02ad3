"""An unusual voyage in words and numbers a person can check: which features make it odd, and what is usual.

Takes the score of a voyage and its scores with each feature brought back to the usual; gives the finding.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.learned.features import ASPECT_OF_FEATURE, ASPECTS, FEATURES
from detectors.learned.scaling import USUAL_SPREADS, Usual
from detectors.learned.ship_class import UNKNOWN, describe
from vessels.ais import clean_text, mmsi_text

FloatArray = npt.NDArray[np.float64]

KIND: Final = "unusual_voyage"
STRENGTH_TENFOLDS: Final = 6.0
"""Strength grows evenly with the tenfolds of rarity: 1 in 1,000 is 0.5, 1 in 10,000 is 0.67, 1 in a million is 1."""
LEAST_DROP_SHARE: Final = 0.2
"""Aspects that lower the score by less than this share of what the first one does are not named."""

_SILENCE: Final = frozenset({"longest_silence_h", "silence_share", "interval_irregularity"})


@dataclass(frozen=True, eq=False)
class Case:
    """One flagged voyage: its features in natural units, its scores, and how much the baseline can tell.

    `spreads` is how far each feature is from the usual; `score_without` the score with each aspect as usual.
    """

    row: int
    features: dict[str, Any]
    usual: Usual
    spreads: FloatArray
    raw_score: float
    score_without: FloatArray
    probability: float
    threshold: float
    n_reference: int
    by_class: bool
    least_probability: float
    n_vessels: int
    known_class: bool
    unknown_class_factor: float
    watched_comparable: bool

    def reasons(self, at_most: int) -> tuple[int, ...]:
        """Numbers of the features whose return to the usual lowers the score most, the first one first.

        Features of one aspect return together, because one of them hides the other: an aspect is named if it lowers
        the score by enough, then its features that lie outside the usual, or the farthest of them.
        """
        drop = self.raw_score - self.score_without
        least = LEAST_DROP_SHARE * max(float(drop.max()), 0.0)
        chosen: list[int] = []
        for aspect in np.lexsort((np.arange(len(drop)), -drop)).tolist():
            if drop[aspect] <= 0.0 or drop[aspect] < least:
                break
            own = [number for number, of in enumerate(ASPECT_OF_FEATURE) if of == aspect]
            own.sort(key=lambda number: -abs(self.spreads[number]))
            chosen += [number for number in own if number == own[0] or abs(self.spreads[number]) > USUAL_SPREADS]
        return tuple(chosen[:at_most])

    def without(self, feature: int) -> tuple[str, float]:
        """The aspect of a feature, and the score were that aspect usual."""
        aspect = ASPECT_OF_FEATURE[feature]
        return ASPECTS[aspect][0], float(self.score_without[aspect])

    @property
    def strength(self) -> float:
        """0 to 1, higher is odder."""
        strength = min(-math.log10(self.probability) / STRENGTH_TENFOLDS, 1.0)
        return strength if self.known_class else strength * self.unknown_class_factor


@dataclass(frozen=True, eq=False)
class Explained:
    """A case with its reasons, and how rare the voyage would be were all of them usual."""

    case: Case
    reasons: tuple[int, ...]
    probability_without: float


def unusual_voyage(scene: Scene, detector: str, version: str, explained: Explained) -> Finding:
    """The finding for one flagged voyage."""
    case = explained.case
    voyage = scene.history.voyages.slice(case.row, 1).to_pylist()[0]
    ship = _ship_name(scene, voyage)
    peers = describe(case.features["ship_class"], case.features["length_band"])
    words = [FEATURES[number].words for number in explained.reasons]
    unlike = f"unlike {_percent(1.0 - case.probability)} of ordinary voyages of {peers}"
    leading = f", most of all in its {_listing(words[:3])}" if words else ""
    return Finding(
        detector=detector,
        detector_version=version,
        kind=KIND,
        mmsi=voyage["mmsi"],
        start=voyage["start"],
        end=voyage["end"],
        strength=case.strength,
        headline=f"{ship}: {_leg(voyage)} is {unlike}{leading}.",
        evidence=_evidence(explained, peers),
        caveats=_caveats(case, voyage, explained.reasons),
        segment_id=voyage["segment_id"],
        voyage_id=voyage["voyage_id"],
        hull_id=voyage["hull_id"],
    )


def _evidence(explained: Explained, peers: str) -> tuple[Evidence, ...]:
    case = explained.case
    lines = [
        Evidence(
            what=f"oddness among ordinary voyages of {peers}",
            observed=f"odder than {_percent(1.0 - case.probability)}",
            expected=f"at most {_percent(1.0 - case.threshold)}",
        )
    ]
    for number in explained.reasons:
        feature = FEATURES[number]
        low, centre, high = (
            feature.text(float(feature.original(values[number])))
            for values in (case.usual.low, case.usual.centre, case.usual.high)
        )
        aspect, score = case.without(number)
        lines.append(
            Evidence(
                what=feature.words,
                observed=feature.text(case.features[feature.name]),
                expected=f"usually {centre}; 8 in 10 voyages lie between {low} and {high}; "
                f"with the {aspect} as usual the score would be {score:.3f} instead of {case.raw_score:.3f}",
                unit=feature.unit,
            )
        )
    if len(explained.reasons) > 1:
        lines.append(
            Evidence(
                what="oddness, were all of these usual",
                observed=f"odder than {_percent(1.0 - case.probability)}",
                expected=f"odder than {_percent(1.0 - explained.probability_without)}",
            )
        )
    return tuple(lines)


def _caveats(case: Case, voyage: dict[str, Any], reasons: tuple[int, ...]) -> tuple[str, ...]:
    named = {FEATURES[number].name for number in reasons}
    unknown = [feature for feature in FEATURES if _is_unknown(case.features[feature.name])]
    peers = f"{case.features['ship_class']} ships" if case.by_class else "ships of all classes"
    caveats = [
        f"measured from {voyage['n_positions']} reports over {voyage['duration_h']:.1f} h",
    ]
    rarest = f"nothing rarer than 1 in {1.0 / case.least_probability:.0f} can be told from so many"
    caveats.append(f"calibrated on {case.n_reference} voyages of {peers} in the baseline; {rarest}")
    if voyage["is_open"]:
        caveats.append("the voyage is still open: measured up to the last report")
    if not case.known_class:
        kind = case.features["ship_class"]
        claim = "no class of ship is claimed" if kind == UNKNOWN else f"the baseline knows too few {kind} ships"
        caveats.append(f"{claim}: compared with ships of other classes, and strength is lowered")
    if named & _SILENCE:
        caveats.append("silence and uneven reporting may come from poor reception, not from the ship")
    if not case.watched_comparable:
        caveats.append("the watched zones are not those of the baseline: nearness to them was left out")
    if unknown:
        caveats.append(f"not known, taken as usual: {_listing([feature.words for feature in unknown])}")
    return tuple(caveats)


def _is_unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _ship_name(scene: Scene, voyage: dict[str, Any]) -> str:
    """Name last claimed by the end of the voyage, with the MMSI."""
    spells = scene.history.identities.select(["mmsi", "segment_id", "name", "first_seen"])
    spells = spells.filter((pc.field("mmsi") == voyage["mmsi"]) & (pc.field("first_seen") <= voyage["last_seen"]))
    own = spells.filter(pc.field("segment_id") == voyage["segment_id"]) if voyage["segment_id"] else spells
    named = (own if own.num_rows else spells).filter(~pc.field("name").is_null())
    rows = sorted(zip(named.column("first_seen").to_pylist(), named.column("name").to_pylist(), strict=True))
    name = clean_text(rows[-1][1]) if rows else None
    return f"{name or 'ship without a name'} (MMSI {mmsi_text(voyage['mmsi'])})"


def _leg(voyage: dict[str, Any]) -> str:
    origin, destination = voyage["origin"], voyage["destination"]
    leg = f"the voyage from {origin or 'where it was first heard'}"
    return f"{leg} to {destination}" if destination else f"{leg} to where it was last heard"


def _listing(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _percent(share: float) -> str:
    """A share as a percentage with as many nines as it has.

    >>> _percent(0.99962), _percent(0.5)
    ('99.962 %', '50 %')
    """
    return f"{100.0 * share:.3f}".rstrip("0").rstrip(".") + " %"
