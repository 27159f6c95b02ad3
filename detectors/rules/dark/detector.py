"""The `dark` detector: silences of ships that would have been heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.measures import evidence_of_measures
from detectors.rules.dark.fences import within_nmi
from detectors.rules.dark.parameters import DarkParameters
from detectors.rules.dark.silences import Berths, Silences, berths_of, heard_meanwhile, silences_of
from detectors.rules.dark.together import fell_silent_together
from detectors.rules.dark.wording import (
    IDENTITY_WORDS,
    INNOCENT,
    caveats_of_silence,
    evidence_of_change,
    evidence_of_silence,
)
from detectors.rules.geofence.ships import Ships
from vessels.zones import VISIT_KINDS, Zone, Zones

KIND: Final = "dark_gap"
PLAIN: Final = 0.35
"""A long silence among ships that were heard, and nothing else: about eleven of twelve such ships are innocent."""
OPEN_FACTOR: Final = 0.6
"""Not heard since: most ships that are never heard again have left for other waters."""
IN_PORT_FACTOR: Final = 0.25
"""A moored ship that switches off at her quay, in dock or laid up is ordinary."""
PUT_FACTOR: Final = 0.4
"""The same at anchor, outside the fences."""
SAILED_ON_FACTOR: Final = 0.6
"""She came back where her voyage led: so do ships whose set fails on passage."""
SMALL_CRAFT_FACTOR: Final = 0.4
"""Fishing boats hide their grounds, small craft and warships need not send (SOLAS V/19.2.4)."""
CARGO_GROUPS: Final = frozenset({"cargo", "tanker", "unknown"})
MOVED: Final = 0.6
"""Added, in parts of the plain strength, if the draught claimed differs across it; not if she fell silent in port."""
RENAMED: Final = 0.6
"""The same for a claim of identity."""
REDIRECTED: Final = 0.15
"""The same for a destination."""
NEAR_WATCHED: Final = 0.5
"""The same near a port under high watch; and beside a ship-to-ship belt."""
NEAR_BELT: Final = 0.25
LEAST: Final = 0.01
"""Weaker findings, under 0.15 dB, are not made."""


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """What is known around each silence. Shapes (n,)."""

    in_port: npt.NDArray[np.bool_]
    from_berth: npt.NDArray[np.bool_]
    put: npt.NDArray[np.bool_]
    sailed_on: npt.NDArray[np.bool_]
    moved: npt.NDArray[np.bool_]
    renamed: npt.NDArray[np.bool_]
    redirected: npt.NDArray[np.bool_]
    near_watched: npt.NDArray[np.bool_]
    near_belt: npt.NDArray[np.bool_]


class Dark(DarkParameters):
    """A ship was not heard for long where others were.

    Claims
        dark_gap: a silence, closed or still open, of six hours or more, in which a ship there would have been heard
        for hours and hardly missed by chance, and that others about did not have at the same time. 0.35 for a day
        heard of and nothing else; more if draught, identity or destination differ across it, or if it lies near a port
        under high watch (half as much again) or a ship-to-ship belt; less for short ones, for ships that are silent now
        and then, that sailed on, or lay still, in port most of all, and for fishing boats, harbour craft and class B.

    Reads
        gaps, port visits, identity spells; places and watch levels of the zones.

    Misses
        Silences where nobody is heard, or too few ships to tell; sets that were never on; ships whose every report is
        made up. What was done in the silence: see hidden_call_feasible and dark_rendezvous.

    Known mistakes
        Broken sets and aerials look like sets switched off. A ship that leaves the region while others around stay
        looks silent at its edge. A yard without a fence is no port.
    """

    name: ClassVar[str] = "dark"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, sorted by vessel and time."""
        silences = silences_of(scene.history.gaps, scene.as_of)
        telling = np.flatnonzero(self._telling(silences))
        silences = silences.take(telling[~fell_silent_together(silences, telling)])
        silences = silences.take(~heard_meanwhile(silences, scene.history.segments))
        around = self._circumstances(silences, berths_of(scene.history.port_visits), scene.zones)
        strength = self._strength(silences, around)
        kept = np.flatnonzero(strength >= LEAST)
        rows = silences.take(kept).records()
        ships = Ships(scene.history.identities, {row["mmsi"] for row in rows})
        found = []
        for i, row in zip(kept, rows, strict=True):
            group = ships.type_group(row["mmsi"], row["segment_id"], row["start"])
            small = group not in CARGO_GROUPS or row["transceiver"] == "B"
            weight = float(strength[i]) * (SMALL_CRAFT_FACTOR if small else 1.0)
            if weight >= LEAST:
                until = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(silences.until_us[i]))
                facts = {name: bool(getattr(around, name)[i]) for name in _Circumstances.__dataclass_fields__}
                found.append(self._finding(row, until, weight, group if small else "", facts, ships))
        return found

    def _telling(self, silences: Silences) -> npt.NDArray[np.bool_]:
        """Silences long enough in which a ship would have been heard. Unknown numbers tell nothing."""
        long = silences.duration_h >= self.min_silence_h
        heard = silences["expected_heard_h"] >= self.min_heard_h
        unlikely = silences["chance_unheard"] <= self.max_chance_unheard
        return np.asarray(long & heard & unlikely & silences.has("reception", "heard"))

    def _circumstances(self, silences: Silences, berths: Berths, zones: Zones) -> _Circumstances:
        still_before = silences["start_sog_kn"] < self.still_kn
        still_after = silences["end_sog_kn"] < self.still_kn
        near_by = silences["distance_nmi"] <= self.put_nmi
        made_good_kn = np.where(silences.is_open, np.nan, silences["distance_nmi"] / silences.duration_h)
        ports = [zone for zone in zones.watched("high") if zone.kind in VISIT_KINDS]
        belts = [zone for zone in zones.watched("high", "elevated") if zone.kind == "sts_zone"]
        gain_m = silences.draught_gain_m()
        return _Circumstances(
            in_port=berths.spent_in(silences) >= 0,
            from_berth=berths.begun_in(silences) >= 0,
            put=np.where(silences.is_open, still_before, still_before & still_after & near_by),
            sailed_on=made_good_kn >= self.sailed_on_share * silences["cruise_kn"],
            moved=np.abs(gain_m) >= self.draught_change_m,
            renamed=_changed(silences, IDENTITY_WORDS) | _renumbered(silences),
            redirected=_changed(silences, frozenset({"destination"})),
            near_watched=_near(silences, ports, self.near_watched_nmi),
            near_belt=_near(silences, belts, self.near_belt_nmi),
        )

    def _strength(self, silences: Silences, around: _Circumstances) -> npt.NDArray[np.float64]:
        """Strength of a cargo ship's silence; small craft count less. Shape (n,)."""
        heard = np.sqrt(np.clip(silences["expected_heard_h"] / self.full_heard_h, 0.0, 1.0))
        usual_h = np.nan_to_num(np.minimum(silences["longest_usual_h"], self.habit_cap_h))
        habit = np.minimum(silences.duration_h / np.maximum(self.habit_factor * usual_h, 1e-9), 1.0)
        strength = PLAIN * heard * habit * np.where(silences.is_open, OPEN_FACTOR, 1.0)
        strength *= np.where(around.in_port, IN_PORT_FACTOR, np.where(around.put, PUT_FACTOR, 1.0))
        strength *= np.where(around.sailed_on, SAILED_ON_FACTOR, 1.0)
        more = MOVED * (around.moved & ~around.from_berth) + RENAMED * around.renamed + REDIRECTED * around.redirected
        more = more + np.where(around.near_watched, NEAR_WATCHED, NEAR_BELT * around.near_belt)
        return np.asarray(np.minimum(strength * (1.0 + more), 1.0))

    def _finding(
        self,
        row: Mapping[str, Any],
        until: datetime,
        strength: float,
        craft: str,
        facts: Mapping[str, bool],
        ships: Ships,
    ) -> Finding:
        who = ships.in_words(row["mmsi"], row["segment_id"], row["start"])
        days = (until - row["start"]) / timedelta(days=1)
        silent = "has been silent" if row["end"] is None else "was silent"
        other = row["next_mmsi"]
        return Finding(
            detector=self.name,
            detector_version=self.version,
            kind=KIND,
            mmsi=row["mmsi"],
            other_mmsi=() if other is None or other == row["mmsi"] else (other,),
            start=row["start"],
            end=row["end"],
            strength=round(strength, 4),
            headline=f"{who} {silent} for {days:.1f} days where other ships were heard{_besides(facts)}",
            evidence=(
                *evidence_of_silence(row, until),
                *evidence_of_change(row),
                *(Evidence("circumstance", text) for name, text in _IN_WORDS.items() if facts[name]),
                *(evidence_of_measures(row["start"]) if facts["near_watched"] else ()),
            ),
            caveats=(*caveats_of_silence(row), *_caveats(craft, facts), INNOCENT),
            lat=row["start_lat"],
            lon=row["start_lon"],
            segment_id=row["segment_id"],
            hull_id=row["hull_id"],
        )


_IN_WORDS: Final[Mapping[str, str]] = {
    "in_port": "she lay in port all the while, as far as her reports show",
    "from_berth": "she fell silent in port, where cargo is worked",
    "put": "she lay still before, and as far as is known after",
    "sailed_on": "she made good a fair part of her usual speed, as if she had sailed on",
    "near_watched": "near a port under high watch",
    "near_belt": "in or beside a ship-to-ship belt under watch",
}


def _besides(facts: Mapping[str, bool]) -> str:
    what = ["another draught"] if facts["moved"] and not facts["from_berth"] else []
    what += ["another identity"] if facts["renamed"] else []
    return f", and came back with {' and '.join(what)}" if what else ""


def _caveats(craft: str, facts: Mapping[str, bool]) -> list[str]:
    caveats = ["a ship at her berth or in dock may switch her set off"] if facts["in_port"] or facts["put"] else []
    if craft and craft not in CARGO_GROUPS:
        caveats.append(f"she says she is of the class {craft}, in which silences are common")
    return caveats


def _renumbered(silences: Silences) -> npt.NDArray[np.bool_]:
    """Whether the hull was heard again under another MMSI. Shape (n,)."""
    other = pc.fill_null(pc.not_equal(silences.rows["next_mmsi"], silences.rows["mmsi"]), fill_value=False)
    return np.asarray(other.to_numpy(), dtype=np.bool_)


def _changed(silences: Silences, words: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Whether one of these claims differs across each silence. Shape (n,)."""
    return np.array([bool(words.intersection(said or ())) for said in silences.rows["changed"].to_pylist()], dtype=bool)


def _near(silences: Silences, zones: Sequence[Zone], reach_nmi: float) -> npt.NDArray[np.bool_]:
    """Whether either end lies so near to one of the fences. Shape (n,)."""
    found = np.zeros(len(silences), dtype=np.bool_)
    for zone in zones:
        for end in ("start", "end"):
            found |= within_nmi(zone, *silences.places(end), reach_nmi)
    return found
