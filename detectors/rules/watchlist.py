"""The watch-list detector: ships that send a number the user's list holds, now or earlier in the data.

Takes the scene's identities, vessels and watch list; gives `listed_vessel` findings, one for each voyage and entry.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from detectors.contract import Scene
from detectors.finding import Evidence, Finding
from detectors.rules.identity.claims import Claims, Spell, claims_of
from detectors.rules.identity.digits import imo_passes
from detectors.rules.identity.standing import VoyageSpans
from detectors.rules.identity.wording import combined, known, sentence, ship, span
from detectors.watchlist import ListedVessel, WatchList
from vessels.ais import mmsi_text
from vessels.instants import instant_of, times_us
from vessels.parameters import Parameters

BY_IMO: Final = 0.95
"""The number stays with the hull for life (IMO A.1117(30))."""
BY_IMO_BARELY: Final = 0.5
BY_MMSI: Final = 0.75
"""An MMSI goes back to the state when a ship leaves its flag, and is given out again after two years (M.585-9)."""
BY_MMSI_OTHER_HULL: Final = 0.35
"""The ship claims another valid IMO number than the list gives for this MMSI."""
BY_CALL_SIGN_AND_NAME: Final = 0.6
BY_CALL_SIGN_OTHER_HULL: Final = 0.3
EARLIER: Final = 0.8
"""Factor for voyages made after the listed number was laid down."""


@dataclass
class _Match:
    """What of one entry one sender claimed: grounds (imo, mmsi, call sign and name) with the spells that said so."""

    entry: ListedVessel
    spells: dict[str, list[Spell]] = field(default_factory=dict)


class ListedVessels(Parameters):
    """A ship sends a number that the user's watch list holds.

    Claims
        listed_vessel: the listed IMO number (0.95), the listed MMSI (0.75), or a listed call sign together with the
        name listed beside it (0.6). Voyages made after such a number was laid down count eight tenths.

    Reads
        identities, vessels, voyages; the watch list given by the user.

    Misses
        Listed ships that send nothing the list knows: that is what the identity rules look for. Ships known to the
        list by name only: a name alone never matches.

    Known mistakes
        An MMSI given out again after its ship changed flag; an IMO number mistyped into another ship's set; a list
        that is wrong or out of date.
    """

    name: ClassVar[str] = "watchlist"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = ("listed_vessel",)

    min_reports: int = Field(
        3,
        ge=1,
        le=1000,
        description="reports that must carry a listed IMO number before it counts in full. Source: a damaged or "
        "mistyped message is one report; static data are sent every 6 minutes (ITU-R M.1371-5)",
    )

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, sorted by vessel, time and entry."""
        listed, history = scene.watchlist, scene.history
        if not listed.entries:
            return []
        claims = claims_of(history.identities)
        matches = _matches(claims, listed)
        silent = self._heard_only(scene, set(claims.columns["mmsi"].tolist()))
        voyages = VoyageSpans(history, {mmsi for mmsi, _, _ in matches} | {finding.mmsi for finding, _, _ in silent})
        found: list[Finding] = []
        for (mmsi, hull_id, _), match in matches.items():
            found += self._findings(mmsi, hull_id, match, voyages)
        for finding, first_us, last_us in silent:
            found += voyages.told_of_each(finding, first_us, last_us, None)
        return sorted(found, key=lambda f: (f.mmsi, f.start, f.subject))

    def _findings(self, mmsi: int, hull_id: str | None, match: _Match, voyages: VoyageSpans) -> list[Finding]:
        graded = [self._graded(ground, spells, match.entry) for ground, spells in sorted(match.spells.items())]
        strength = combined(*sorted((one[0] for one in graded), reverse=True))
        claimed = [spell for ground in sorted(match.spells) for spell in match.spells[ground]]
        members = sorted(claimed, key=lambda spell: (spell.first_us, spell.last_us, spell.name or ""))
        first_us, last_us = members[0].first_us, max(spell.last_us for spell in members)
        names = [spell.name for spell in members if spell.name]
        finding = Finding(
            detector=self.name,
            detector_version=self.version,
            kind="listed_vessel",
            mmsi=mmsi,
            start=instant_of(first_us),
            end=instant_of(last_us),
            strength=strength,
            headline=_headline(names[-1] if names else None, mmsi, sorted(match.spells), match.entry, "sends"),
            evidence=(*(line for _, line, _ in graded), _entry_line(match.entry)),
            caveats=tuple(dict.fromkeys(caveat for _, _, caveats in graded for caveat in caveats)),
            lat=known(members[0].first_lat),
            lon=known(members[0].first_lon),
            segment_id=members[0].segment_id,
            hull_id=hull_id,
            subject=match.entry.entry_id,
        )
        told = voyages.told_of_each(finding, first_us, last_us, hull_id)
        earlier = finding.with_(
            strength=round(strength * EARLIER, 4),
            headline=_headline(names[-1] if names else None, mmsi, sorted(match.spells), match.entry, "earlier sent"),
            caveats=(*finding.caveats, f"the listed claim was last heard at {instant_of(last_us):%Y-%m-%dT%H:%M:%SZ}"),
        )
        return told + voyages.told_of_later(earlier, last_us, hull_id)

    def _graded(self, ground: str, spells: Sequence[Spell], entry: ListedVessel) -> tuple[float, Evidence, list[str]]:
        """Strength, evidence and caveats of one ground."""
        n_reports = sum(spell.n_reports for spell in spells)
        when = f"{n_reports} reports, {span(spells[0].first_us, max(spell.last_us for spell in spells))}"
        others = sorted({s.imo for s in spells if s.imo and entry.imo and s.imo != entry.imo and imo_passes(s.imo)})
        another = [f"the ship claims IMO number {others[0]}, the list gives {entry.imo}"] if others else []
        if ground == "IMO number":
            few = n_reports < self.min_reports
            caveats = [f"the number was sent in {n_reports} reports only"] if few else []
            line = Evidence("IMO number sent", f"{entry.imo}: {when}", "no number of the watch list")
            return (BY_IMO_BARELY if few else BY_IMO), line, caveats
        if ground == "MMSI":
            line = Evidence("MMSI sent", f"{mmsi_text(spells[0].mmsi)}: {when}", "no number of the watch list")
            caveats = ["an MMSI can be given to another ship after its first one left the flag", *another]
            return (BY_MMSI_OTHER_HULL if others else BY_MMSI), line, caveats
        said = f"{spells[-1].call_sign} with {spells[-1].name}: {when}"
        line = Evidence("call sign and name sent", said, "no such pair of the watch list")
        caveats = ["matched without IMO number or MMSI", *another]
        return (BY_CALL_SIGN_OTHER_HULL if others else BY_CALL_SIGN_AND_NAME), line, caveats

    def _heard_only(self, scene: Scene, spoken: set[int]) -> list[tuple[Finding, int, int]]:
        """Findings on listed MMSI that sent positions and never said who they were, with the time heard."""
        vessels = scene.history.vessels
        mmsi = vessels["mmsi"].to_numpy()
        found = []
        rows = np.flatnonzero(np.isin(mmsi, np.array(sorted(scene.watchlist.by_mmsi), dtype=np.int64)))
        firsts, lasts = times_us(vessels["first_seen"])[rows], times_us(vessels["last_seen"])[rows]
        for one, first_us, last_us in zip(mmsi[rows].tolist(), firsts.tolist(), lasts.tolist(), strict=True):
            if one in spoken or first_us < 0:
                continue
            for entry in scene.watchlist.by_mmsi[one]:
                finding = Finding(
                    detector=self.name,
                    detector_version=self.version,
                    kind="listed_vessel",
                    mmsi=one,
                    start=instant_of(first_us),
                    end=instant_of(max(first_us, last_us)),
                    strength=BY_MMSI,
                    headline=_headline(None, one, ["MMSI"], entry, "sends"),
                    evidence=(
                        Evidence("MMSI sent", f"{mmsi_text(one)}: {span(first_us, last_us)}", "no number of the list"),
                        _entry_line(entry),
                    ),
                    caveats=("it sent positions only, and never said who it is",),
                    subject=entry.entry_id,
                )
                found.append((finding, first_us, max(first_us, last_us)))
        return found


def _headline(name: str | None, mmsi: int, grounds: Sequence[str], entry: ListedVessel, verb: str) -> str:
    caption = f"{entry.caption} ({entry.entry_id})" if entry.caption else entry.entry_id
    return sentence(
        f"{ship(name, mmsi)} {verb} the {' and the '.join(grounds)} that the watch list gives for {caption}."
    )


def _entry_line(entry: ListedVessel) -> Evidence:
    numbers = [f"IMO {entry.imo}"] if entry.imo else []
    numbers += [f"MMSI {mmsi_text(one)}" for one in sorted(entry.mmsi)]
    numbers += [f"call sign {sign}" for sign in sorted(entry.call_signs)]
    source = " ".join(part for part in (entry.datasets, entry.url) if part)
    return Evidence("watch-list entry", f"{entry.entry_id}: {entry.caption or 'no name'}; {', '.join(numbers)}", source)


def _matches(claims: Claims, listed: WatchList) -> dict[tuple[int, str | None, int], _Match]:
    """By MMSI, hull and place of the entry in the list: the grounds on which they match."""
    places = {id(entry): place for place, entry in enumerate(listed.entries)}
    found: dict[tuple[int, str | None, int], _Match] = {}
    for ground, spell, entry in _hits(claims, listed):
        match = found.setdefault((spell.mmsi, spell.hull_id, places[id(entry)]), _Match(entry))
        match.spells.setdefault(ground, []).append(spell)
    return found


def _hits(claims: Claims, listed: WatchList) -> Iterator[tuple[str, Spell, ListedVessel]]:
    columns = claims.columns
    for ground, column, index in (("IMO number", "imo", listed.by_imo), ("MMSI", "mmsi", listed.by_mmsi)):
        rows = np.flatnonzero(np.isin(columns[column], np.array(sorted(index), dtype=np.int64)))
        for spell in claims.spells(rows):
            for entry in index[getattr(spell, column)]:
                yield ground, spell, entry
    signs = listed.by_call_sign
    rows = np.flatnonzero([sign in signs for sign in columns["call_sign"].tolist()] if signs else [])
    for spell in claims.spells(rows):
        if spell.call_sign is not None and spell.name is not None:
            for entry in listed.call_sign_and_name(spell.call_sign, spell.name):
                yield "call sign and name", spell, entry
