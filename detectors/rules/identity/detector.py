"""The identity detector: all rules on what ships claim to be, run over one scene."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import numpy as np

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.identity.changes import Transition, may_change, transitions
from detectors.rules.identity.claimants import Records
from detectors.rules.identity.claims import Claims, claims_of
from detectors.rules.identity.handover import hull_findings, mmsi_of, telling_links
from detectors.rules.identity.interference import others_torn
from detectors.rules.identity.judgements import findings_of_group
from detectors.rules.identity.listed import near_listed_identity
from detectors.rules.identity.numbers import (
    flag_call_sign_mismatch,
    foreign_sign_groups,
    invalid_imo,
    invalid_imo_groups,
    invalid_mmsi,
    odd_mmsi_groups,
)
from detectors.rules.identity.revival import revived_identity
from detectors.rules.identity.sharing import shared_mmsi, shared_rows
from detectors.rules.identity.standing import Lookups, VoyageSpans
from detectors.rules.identity.surroundings import Surroundings
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.twins import imo_groups, same_imo

MIN_FLEET_DROPS = 5
"""Fewer drops than this are no pattern of a source."""


class Identity(Thresholds):
    """A ship's claims of who it is do not hold: against the standard, its own past, or another ship's claims.

    Claims
        invalid_mmsi: an MMSI no state assigns; 0.55 for a merchant ship under unknown digits, 0.05 for class B.
        invalid_imo: an IMO number claimed for long whose check digit fails; at most 0.25.
        flag_call_sign_mismatch: a call sign of another state than the MMSI's; 0.3 for merchant ships, 0.1 for others.
        name_change, call_sign_change: 0.15 in port; 0.66 under way; 0.75 within `watched_days` of a high-watch zone.
        type_change, dimension_change: cargo ship or tanker to fishing vessel 0.6; a length half as long again 0.3.
        imo_change: one valid number after another, 0.7 in port; a corrected slip of one digit 0.08.
        imo_dropped: full statements without the number after long claiming it; 0.25 in port, 0.7 under way.
        No change is told of under a number that identifies nobody: no ship's, as delivered, or of many hulls.
        flag_change: the same IMO number under another state's MMSI; 0.12, more at sea, in succession, near a watch.
        shared_mmsi: one MMSI from two places at once; 0.15 to 0.6, 0.8 where both claim one IMO number.
        imo_twin: one IMO number from two places no one ship reaches; 0.85. In one place, two sets on a hull: 0.05.
        Of both, the likely true bearer keeps a tenth and the others all, from `min_bearer_probability`; below it the
        newer claim, or all. First and last to bear it, another identity before or after, a hull linked to another,
        particulars, ports, call sign and silences are weighed, each in decibans in the evidence.
        hull_handover: a hull linked to another MMSI: 0.85 where one valid IMO number became another, 0.55 where it is
        no longer sent, 0.2 where none ever was; more at sea, around watched zones and on return; times the link's
        probability; half of it, once, where the link is weak. Kept IMO number, mistyped or renewed MMSI: silent.
        identity_exchange: two hulls that took each other's MMSI within `exchange_days`; as a handover of each, more.
        revived_identity: a silent or scrapped identity heard again on another hull: length and beam 0.65, length 0.3,
        out of reach 0.75, hull linked to another number 0.75 times its probability; a breakers' yard, class, set and
        habits add. Half where the IMO number alone came back. Silence alone, reflagging, re-used MMSI: none. It takes
        the place of the flag_change between the two MMSI.
        near_listed_identity: an IMO number or MMSI one digit from a watch-listed one, or a name one letter from a
        listed name on a hull of that length or call sign; up to 0.9, by the odds against a coincidence.
        Grounds add up as independent ones; class B and craft below class A size count four tenths.

    Reads
        identities, vessels, segments, hull links, port visits, zone presences, sketches, voyages; watch levels; the
        watch list given by the user.

    Misses
        Names painted over but not sent; identities swapped between MMSI without an IMO number; a change during a
        silence is placed nowhere; a false name sent for less than `min_settled_h`; numbers changed by one letter of a
        long name; everything a class B set sends about its flag.

    Known mistakes
        States' digits assigned lately look invalid. A crew that enters a lawful new name after sailing looks odd. An
        IMO number mistyped into a second set looks like a twin one time in ten. A true bearer that comes weeks late
        from unheard waters looks like the false one, and a copied number whose owner nobody hears like a true one. Two
        ships that pass one MMSI on look like one that changed, unless their tracks are too far apart.
    """

    name: ClassVar[str] = "identity"
    version: ClassVar[str] = "2"
    kinds: ClassVar[tuple[str, ...]] = (
        "invalid_mmsi",
        "invalid_imo",
        "imo_dropped",
        "imo_change",
        "name_change",
        "call_sign_change",
        "flag_change",
        "type_change",
        "dimension_change",
        "flag_call_sign_mismatch",
        "shared_mmsi",
        "imo_twin",
        "hull_handover",
        "identity_exchange",
        "revived_identity",
        "near_listed_identity",
    )

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, sorted by kind, vessel and time."""
        history = scene.history
        claims = claims_of(history.identities)
        changed = self._changed(claims)
        odd, invalid, foreign = odd_mmsi_groups(claims), invalid_imo_groups(claims), foreign_sign_groups(claims)
        same = imo_groups(claims)
        mmsi = claims.columns["mmsi"]
        firsts = claims.starts[:-1]
        groups = np.unique(np.concatenate([invalid, foreign, np.array([*odd, *changed], dtype=np.intp)]))
        wanted = set(mmsi[firsts[groups]].tolist())
        wanted.update(*(mmsi[rows].tolist() for rows in same.values()))
        links = telling_links(history, self)
        lookups = Lookups(Surroundings(scene, wanted | mmsi_of(links), self), VoyageSpans(history, wanted), self)
        shared = shared_rows(history, lookups)
        wanted_shared = VoyageSpans(history, set(shared["mmsi"].to_pylist()))
        fleet_drops = self._fleet_drops(claims, changed)

        found: list[Finding] = []
        for group, kind in odd.items():
            found += invalid_mmsi(claims.group(group), kind, lookups)
        for group in invalid:
            found += invalid_imo(claims.group(group), lookups)
        for group in foreign:
            found += flag_call_sign_mismatch(claims.group(group), lookups)
        for transitions_of_group in changed.values():
            found += findings_of_group(transitions_of_group, lookups.surroundings, self, fleet_drops)
        records = Records(history, claims, self)
        torn = others_torn(history.vessels, history.segments)
        found += shared_mmsi(shared, claims, Lookups(lookups.surroundings, wanted_shared, self), records, torn)
        for imo, rows in same.items():
            found += same_imo(imo, claims.spells(rows), lookups, records)
        found += hull_findings(links, scene, lookups.surroundings, self)
        found += revived_identity(scene, claims, same, self)
        found += near_listed_identity(scene, claims, self)
        told = _without_flags_of_the_revived(found, self)
        signed = [finding.with_(detector=self.name, detector_version=self.version) for finding in told]
        return sorted(signed, key=lambda f: (f.kind, f.mmsi, f.start, f.subject, f.segment_id or ""))

    def _changed(self, claims: Claims) -> dict[int, list[Transition]]:
        """Groups whose settled claims changed -> their transitions."""
        fields = ("name", "call_sign", "imo", "ship_type", "length_m", "beam_m")
        candidates = np.flatnonzero((claims.differing(*fields) | claims.lacking("imo")) & may_change(claims, self))
        changed = {int(group): transitions(claims.group(int(group)), self) for group in candidates}
        return {group: found for group, found in changed.items() if found}

    def _fleet_drops(self, claims: Claims, changed: dict[int, list[Transition]]) -> bool:
        """Whether so many ships lose their IMO number that the source must have lost it."""
        drops = sum(any(one.kind == "imo_dropped" for one in found) for found in changed.values())
        if drops < MIN_FLEET_DROPS:
            return False
        claiming = len(np.unique(claims.columns["mmsi"][claims.columns["imo"] > 0]))
        return drops > self.fleet_drop_share * claiming


def _without_flags_of_the_revived(found: Sequence[Finding], thresholds: Thresholds) -> list[Finding]:
    """The findings, but no ship under a new flag where the same MMSI is told of as another hull that bears the number.

    An earlier change between the two MMSI stands: the number was not silent for long then.
    """
    revived = [one for one in found if one.kind == "revived_identity"]
    silent = timedelta(days=thresholds.revival_silence_days)

    def is_one_of_them(change: Finding) -> bool:
        return any(
            one.mmsi == change.mmsi
            and set(change.other_mmsi) <= set(one.other_mmsi)
            and one.start - silent <= change.start <= (one.end or change.start)
            for one in revived
        )

    return [one for one in found if one.kind != "flag_change" or not is_one_of_them(one)]
