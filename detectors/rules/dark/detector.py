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
    are_seldom_heard,
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
DRAUGHT_SLACK_M: Final = 1e-6
"""Draughts are told in steps of 0.1 m: 4.1 less 3.6 is to be 0.5."""
DPRK: Final = "KP"
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
    near_dprk: npt.NDArray[np.bool_]
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
        factors, more = self._factors(silences, around), _additions(around)
        strength = _strength(factors, more)
        kept = np.flatnonzero(strength >= LEAST)
        rows = silences.take(kept).records()
        ships = Ships(scene.history.identities, {row["mmsi"] for row in rows})
        found = []
        for i, row in zip(kept, rows, strict=True):
            group = ships.type_group(row["mmsi"], row["segment_id"], row["start"])
            small = group not in CARGO_GROUPS or row["transceiver"] == "B"
            weight = float(strength[i]) * (SMALL_CRAFT_FACTOR if small else 1.0)
            made = {name: float(values[i]) for name, values in factors.items()}
            made |= {SMALL_CRAFT: SMALL_CRAFT_FACTOR} if small else {}
            how = _how(made, {name: float(values[i]) for name, values in more.items()}, weight)
            if weight >= LEAST:
                until = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(silences.until_us[i]))
                facts = {name: bool(getattr(around, name)[i]) for name in _Circumstances.__dataclass_fields__}
                found.append(self._finding(row, until, weight, how, group if small else "", facts, ships))
        return found

    def _telling(self, silences: Silences) -> npt.NDArray[np.bool_]:
        """Silences long enough in which a ship would have been heard. Unknown numbers tell nothing.

        Nor does an MMSI that is no ship's, for ships without one of their own share it.
        """
        long = silences.duration_h >= self.min_silence_h
        heard = silences["expected_heard_h"] >= self.min_heard_h
        unlikely = silences["chance_unheard"] <= self.max_chance_unheard
        told = silences.has("reception", "heard") & silences.are_of_ships()
        return np.asarray(long & heard & unlikely & told)

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
            moved=np.abs(gain_m) >= self.draught_change_m - DRAUGHT_SLACK_M,
            renamed=_changed(silences, IDENTITY_WORDS) | _renumbered(silences),
            redirected=_changed(silences, frozenset({"destination"})),
            near_watched=_near(silences, ports, self.near_watched_nmi),
            near_dprk=_near(silences, [zone for zone in ports if zone.country == DPRK], self.near_watched_nmi),
            near_belt=_near(silences, belts, self.near_belt_nmi),
        )

    def _factors(self, silences: Silences, around: _Circumstances) -> Mapping[str, npt.NDArray[np.float64]]:
        """What a plain silence's strength is multiplied by, by name; small craft count less. Each of shape (n,)."""
        usual_h = np.nan_to_num(np.minimum(silences["longest_usual_h"], self.habit_cap_h))
        habit = np.minimum(silences.duration_h / np.maximum(self.habit_factor * usual_h, 1e-9), 1.0)
        heard = np.sqrt(np.clip(silences["expected_heard_h"] / self.full_heard_h, 0.0, 1.0))
        still = np.where(around.in_port, IN_PORT_FACTOR, np.where(around.put, PUT_FACTOR, 1.0))
        return {
            "few hours in which she would have been heard": heard,
            "nearly as long as she is silent now and then": habit,
            "not heard since": np.where(silences.is_open, OPEN_FACTOR, 1.0),
            "lay still": still,
            "sailed on": np.where(around.sailed_on, SAILED_ON_FACTOR, 1.0),
        }

    def _finding(
        self,
        row: Mapping[str, Any],
        until: datetime,
        strength: float,
        how: Evidence,
        craft: str,
        facts: Mapping[str, bool],
        ships: Ships,
    ) -> Finding:
        who = ships.in_words(row["mmsi"], row["segment_id"], row["start"])
        days = (until - row["start"]) / timedelta(days=1)
        silent = "has been silent" if row["end"] is None else "was silent"
        where = "where other ships were heard" + (" now and then" if are_seldom_heard(row) else "")
        banned = facts["near_dprk"] or ships.flag_state(row["mmsi"]) == DPRK
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
            headline=f"{who} {silent} for {days:.1f} days {where}{_besides(row, facts)}",
            evidence=(
                *evidence_of_silence(row, until),
                *evidence_of_change(row),
                *(Evidence("circumstance", text) for name, text in _IN_WORDS.items() if facts[name]),
                how,
                *(evidence_of_measures(row["start"]) if banned else ()),
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


SMALL_CRAFT: Final = "class of ship or set"


def _additions(around: _Circumstances) -> Mapping[str, npt.NDArray[np.float64]]:
    """What is added, in parts of the strength so far, by name. Each of shape (n,)."""
    more = {
        "another draught": MOVED * (around.moved & ~around.from_berth),
        "another identity": RENAMED * around.renamed,
        "another destination": REDIRECTED * around.redirected,
        "near a port under high watch": NEAR_WATCHED * around.near_watched,
        "beside a ship-to-ship belt": NEAR_BELT * (around.near_belt & ~around.near_watched),
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in more.items()}


def _strength(
    factors: Mapping[str, npt.NDArray[np.float64]], more: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """Strength of a cargo ship's silence, at most 1. Shape (n,)."""
    plain = PLAIN * np.prod(list(factors.values()), axis=0)
    return np.asarray(np.minimum(plain * (1.0 + np.sum(list(more.values()), axis=0)), 1.0))


def _how(factors: Mapping[str, float], more: Mapping[str, float], strength: float) -> Evidence:
    """`0.35 for a plain silence; times 0.60 (not heard since); times 1.50 (another ...): 0.32`."""
    parts = [f"{PLAIN:.2f} for a plain silence"]
    parts += [f"times {value:.2f} ({name})" for name, value in factors.items() if value != 1.0]
    added = ", ".join(f"{name} +{value:.2f}" for name, value in more.items() if value)
    parts += [f"times {1.0 + sum(more.values()):.2f} ({added})"] if added else []
    return Evidence("how the strength comes about", f"{'; '.join(parts)}: {strength:.2f}", "1 at most")


def _besides(row: Mapping[str, Any], facts: Mapping[str, bool]) -> str:
    """What differs after; of an open silence nobody says that she came back, for the number did not."""
    what = ["another draught"] if facts["moved"] and not facts["from_berth"] else []
    what += ["another identity"] if facts["renamed"] else []
    if not what:
        return ""
    came = ", and came back with" if row["end"] is not None else "; the same hull, it seems, has since shown"
    return f"{came} {' and '.join(what)}"


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
