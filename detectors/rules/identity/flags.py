"""A ship under a new flag: one IMO number whose old MMSI ends as one of another state begins.

Takes the spells that claim one IMO number; gives `flag_change` findings, weak for a sale in port and stronger at sea,
in quick succession and around a watched zone. MMSI on the air at once are left to `twins`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from detectors.finding import Evidence, Finding
from detectors.rules.identity.claims import Run, Spell, changes, runs_of
from detectors.rules.identity.digits import flag_of, states_of
from detectors.rules.identity.standing import Lookups
from detectors.rules.identity.wording import combined, known, sentence, ship, span
from vessels.ais import mmsi_text, state_names
from vessels.geodesy import distance_nmi
from vessels.instants import instant_of
from vessels.names import near_equal_names
from vessels.units import US_PER_DAY, US_PER_H

REFLAGGED: Final = 0.12
REFLAGGED_WITHIN_STATE: Final = 0.05
"""From a state to its own second register or territory."""
HOPPED: Final = 0.4
"""For each further change of flag within the time of hopping."""
AT_SEA: Final = 0.5
UNSEEN: Final = 0.05
RENAMED_TOO: Final = 0.05
WATCHED: Final[Mapping[str, float]] = MappingProxyType({"high": 0.6, "elevated": 0.12})


def flag_changes(imo: int, spells: Sequence[Spell], torn: set[frozenset[int]], lookups: Lookups) -> list[Finding]:
    """Changes of flag on one IMO number; `torn` holds the pairs of MMSI that no one ship explains."""
    thresholds = lookups.thresholds
    in_order = sorted(spells, key=lambda spell: (spell.first_us, spell.last_us, spell.mmsi))
    runs = [
        run
        for run in runs_of(in_order, lambda spell: spell.mmsi, lambda a, b: a == b)
        if run.n_reports >= thresholds.min_reports and run.duration_h >= thresholds.min_settled_h
    ]
    if len(runs) - len({run.value for run in runs}) > thresholds.max_returns:
        return []
    found: list[Finding] = []
    earlier: list[int] = []
    for old, new, _ in changes(runs):
        states = flag_of(old.value), flag_of(new.value)
        overlap_h = (old.last_us - new.first_us) / US_PER_H
        if None in states or states[0] == states[1] or overlap_h > thresholds.handover_overlap_h:
            continue
        if frozenset((old.value, new.value)) in torn:
            continue
        hops = sum(new.first_us - time_us <= thresholds.hopping_days * US_PER_DAY for time_us in earlier)
        earlier.append(new.first_us)
        found.append(_flag_change(imo, old, new, hops, lookups))
    return found


def _flag_change(imo: int, old: Run, new: Run, hops: int, lookups: Lookups) -> Finding:
    before, after = old.last, new.first
    between = sorted((old.last_us, new.first_us))
    around = lookups.surroundings.around((old.value, new.value), None, (), between[0], between[1])
    names = state_names()
    flags = [names.get(state, state) if (state := flag_of(one)) else "?" for one in (old.value, new.value)]
    related = bool(states_of(old.value) & states_of(new.value))
    renamed = near_equal_names(before.name, after.name) is None
    grounds = [HOPPED] * hops + ([RENAMED_TOO] if renamed else [])
    if around.place == "under way":
        grounds.append(AT_SEA)
    elif around.place == "unseen":
        grounds.append(UNSEEN)
    if around.watched is not None:
        grounds.append(WATCHED[around.watched.level])
    gap_h = (new.first_us - old.last_us) / US_PER_H
    sailed = float(distance_nmi(before.last_lat, before.last_lon, after.first_lat, after.first_lon))
    evidence = [
        Evidence("flag before", f"{flags[0]}, {ship(before.name, old.value)}, {span(old.first_us, old.last_us)}"),
        Evidence(
            "flag after", f"{flags[1]}, {ship(after.name, new.value)}, {span(new.first_us, new.last_us)}", flags[0]
        ),
        Evidence("IMO number kept", str(imo), str(imo)),
        Evidence(
            "from the last report under the old flag to the first under the new",
            f"{gap_h:.1f} h, {sailed:.1f} nmi" if np.isfinite(sailed) else f"{gap_h:.1f} h",
            "a distance one ship can sail",
        ),
    ]
    if hops:
        evidence.append(
            Evidence(
                "further changes of flag before it",
                str(hops),
                "0",
                f"within {lookups.thresholds.hopping_days:.0f} days",
            )
        )
    caveats = ["a change of flag is lawful by itself, and changes the MMSI"]
    fewest = min(old.n_reports, new.n_reports)
    if fewest < 10:
        caveats.append(f"one of the two claims rests on {fewest} reports")
    return Finding(
        detector="",
        detector_version="",
        kind="flag_change",
        mmsi=new.value,
        start=instant_of(new.first_us),
        end=None,
        strength=combined(REFLAGGED_WITHIN_STATE if related else REFLAGGED, *grounds),
        headline=sentence(
            f"{ship(after.name, new.value)} changed its flag from {flags[0]} (MMSI {mmsi_text(old.value)}) to "
            f"{flags[1]}, IMO number {imo} kept."
        ),
        evidence=(*evidence, *around.evidence),
        caveats=tuple(caveats),
        other_mmsi=(old.value,),
        lat=known(after.first_lat),
        lon=known(after.first_lon),
        segment_id=after.segment_id,
        hull_id=after.hull_id,
        subject=str(imo),
    )
