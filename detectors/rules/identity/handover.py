"""A hull under another identity: its changes of identity as findings on the voyages made since.

Takes the hull links of a scene; gives `hull_handover` and `identity_exchange` findings. Strengths are put together as
independent grounds (what changed, where and when, around which stay) and taken times the link's probability. A link
too weak to settle the hull is told once, as a possibility, on the first voyage of the newer track.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.borne import BorneIdentity, last_high_call
from detectors.chains import Chains, watched_levels
from detectors.contract import Scene
from detectors.finding import Finding
from detectors.links import Link, links_of
from detectors.rules.identity.changeovers import CORRECTED_IMO, Changeover, changeovers
from detectors.rules.identity.handover_words import caveats_of, evidence_of, headline_of
from detectors.rules.identity.standing import TOLD_ONCE
from detectors.rules.identity.surroundings import Circumstances, Surroundings
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import combined
from vessels.history import History
from vessels.instants import instant_of, instant_us, times_us

SMALL: Final = 0.3
"""Factor where neither side is of class A size: such craft are sold, renumbered and reprogrammed freely."""
POSSIBLE: Final = 0.5
"""Factor for a link that does not settle the hull: it points, and proves nothing by itself."""
AT_SEA: Final = 0.5
"""Papers, hull and set are changed in port."""
AT_ANCHOR: Final = 0.2
UNHEARD: Final = 0.1
WATCHED: Final[Mapping[str, float]] = MappingProxyType({"high": 0.7, "elevated": 0.12})
CALLED_BEFORE: Final = 0.5
"""A call at a zone of high watch under the earlier identity, however long before."""
RETURNED: Final = 0.3
"""A lawful change does not go back."""
EACH_OTHER_CHANGE: Final = 0.3
EXCHANGED: Final = 0.5
"""Two hulls that take each other's identity did not both err."""
LATER: Final = 0.4
"""Factor on voyages after the first since the change, long after any call in a zone of high watch under the earlier
identity: the hull remains who it is, and the voyage speaks for itself."""
_PLACES: Final = MappingProxyType({"under way": AT_SEA, "stopped": AT_ANCHOR, "unseen": UNHEARD})


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of a linked track."""

    hull_id: str | None
    n_positions: int


@dataclass(frozen=True, slots=True)
class _Voyage:
    """A voyage: from its start to its arrival, or last report, and to the end of the stay that belongs to it."""

    voyage_id: str
    start_us: int
    arrived_us: int
    end_us: int


def telling_links(history: History, thresholds: Thresholds) -> list[Link]:
    """The links between two MMSI that are probable enough to be told, in order of time."""
    links = history.hull_links
    likely = pc.greater_equal(pc.fill_null(links["probability"], 0.0), thresholds.min_link_probability)
    renumbered = pc.fill_null(pc.not_equal(links["from_mmsi"], links["to_mmsi"]), False)
    return links_of(links.filter(pc.and_(likely, renumbered)).to_pylist())


def mmsi_of(links: Collection[Link]) -> set[int]:
    """The MMSI that links speak of."""
    return {mmsi for link in links for mmsi in (link.before.mmsi, link.after.mmsi)}


def hull_findings(links: list[Link], scene: Scene, surroundings: Surroundings, thresholds: Thresholds) -> list[Finding]:
    """The findings of kinds `hull_handover` and `identity_exchange`; detector and version are left to the caller.

    `links` as `telling_links` gives them; `surroundings` must know their MMSI.
    """
    if not links:
        return []
    history = scene.history
    chains = Chains(history.identities, history.port_visits, history.hull_links, watched_levels(scene.zones))
    tracks = _tracks(history, {s for link in links for s in (link.from_segment_id, link.to_segment_id)})
    found = changeovers(links, thresholds)
    voyages = _voyages(history, {track.hull_id for track in tracks.values()} - {None})
    changes: dict[str | None, list[datetime]] = {}
    for one in found:
        if one.is_strong:
            changes.setdefault(_hull(tracks, one.link.to_segment_id), []).append(one.link.began)
    findings: list[Finding] = []
    for one in found:
        hull = _hull(tracks, one.link.to_segment_id)
        others = [when for when in changes.get(hull, ()) if when != one.link.began]
        near = timedelta(days=thresholds.hopping_days)
        n_others = sum(timedelta(0) < one.link.began - when <= near for when in others) if hull is not None else 0
        findings += _told(one, n_others, tracks, voyages, chains, surroundings, thresholds)
    return findings


def _hull(tracks: Mapping[str, Track], segment_id: str) -> str | None:
    return tracks[segment_id].hull_id if segment_id in tracks else None


def _told(
    one: Changeover,
    n_others: int,
    tracks: Mapping[str, Track],
    voyages: Mapping[str | None, list[_Voyage]],
    chains: Chains,
    surroundings: Surroundings,
    thresholds: Thresholds,
) -> list[Finding]:
    """The finding on the voyage on which the new identity appears, and on each later one where the link is strong."""
    link = one.link
    hull = _hull(tracks, link.to_segment_id)
    circumstances = _circumstances(one, tracks, surroundings)
    before = chains.before(link)
    during = () if one.back is None else chains.under(link.to_segment_id, link.after.mmsi, link.began, one.back.ended)
    strength = _strength(one, circumstances, before, n_others)
    finding = Finding(
        detector="",
        detector_version="",
        kind=one.kind,
        mmsi=link.after.mmsi,
        start=link.began,
        end=None if one.back is None else max(one.back.ended, link.began),
        strength=strength,
        headline=headline_of(one, before, during),
        evidence=evidence_of(one, before, during, chains, circumstances, n_others),
        caveats=caveats_of(one, [_n_positions(tracks, s) for s in (link.from_segment_id, link.to_segment_id)]),
        other_mmsi=(link.before.mmsi,),
        lat=link.to_place[0],
        lon=link.to_place[1],
        segment_id=link.to_segment_id,
        hull_id=hull,
        subject=f"{link.before.mmsi} {link.from_segment_id}",
    )
    began_us = instant_us(link.began)
    own = _since(voyages.get(hull, ()), began_us) if hull is not None else []
    if not one.is_strong or strength < TOLD_ONCE:
        own = own[:1]
    called = last_high_call(before, link.ended)
    until_us = max([began_us, *(voyage.start_us for voyage in own[:1])])
    if called is not None:
        until_us = max(until_us, instant_us(called[1].ended(link.ended) + timedelta(days=thresholds.laundered_days)))
    return [_on(finding, voyage, began_us, until_us) for voyage in own] or [finding]


def _since(voyages: Sequence[_Voyage], began_us: int) -> list[_Voyage]:
    """The voyages under way at a change or begun after it; if there are none, those whose stay in port holds it."""
    since = [voyage for voyage in voyages if voyage.arrived_us >= began_us]
    return since or [voyage for voyage in voyages if voyage.end_us >= began_us]


def _on(finding: Finding, voyage: _Voyage, began_us: int, until_us: int) -> Finding:
    start = instant_of(max(began_us, voyage.start_us))
    return finding.with_(
        strength=finding.strength if voyage.start_us <= until_us else round(finding.strength * LATER, 4),
        start=start,
        end=max(start, instant_of(voyage.end_us)),
        voyage_id=voyage.voyage_id,
        segment_id=None,
        subject=f"{finding.subject} {voyage.voyage_id}",
    )


def _strength(one: Changeover, circumstances: Circumstances, before: tuple[BorneIdentity, ...], n_others: int) -> float:
    grounds = []
    if one.base > CORRECTED_IMO:
        if circumstances.place in _PLACES:
            grounds.append(_PLACES[circumstances.place])
        watched = circumstances.watched
        if watched is not None:
            grounds.append(WATCHED[watched.level])
        called = last_high_call(before, one.link.ended)
        if called is not None and (watched is None or watched.level != "high"):
            grounds.append(CALLED_BEFORE * (called[0].link_probability or 0.0) / max(one.link.probability, 1e-9))
        grounds += [RETURNED] if one.back is not None or one.link.to_silence else []
        grounds += [EXCHANGED] if one.crossing is not None else []
        grounds += [EACH_OTHER_CHANGE] * n_others
    strength = combined(one.base, *(min(ground, 1.0) for ground in grounds)) * one.probability
    strength *= (SMALL if one.small else 1.0) * (1.0 if one.is_strong else POSSIBLE)
    return round(min(strength, 1.0), 4)


def _circumstances(one: Changeover, tracks: Mapping[str, Track], surroundings: Surroundings) -> Circumstances:
    """Where the hull was between the last report before and the first after; each side by its own hull."""
    link = one.link
    segments = (link.from_segment_id, link.to_segment_id)
    first_us, last_us = sorted((instant_us(link.ended), instant_us(link.began)))
    hulls = [_hull(tracks, segment) for segment in segments]
    if hulls[0] == hulls[1]:
        return surroundings.around((link.before.mmsi, link.after.mmsi), hulls[0], segments, first_us, last_us)
    sides = [
        surroundings.around((claim.mmsi,), hull, segments, first_us, last_us)
        for claim, hull in zip((link.before, link.after), hulls, strict=True)
    ]
    order = {"in port": 0, "under way": 1, "stopped": 2, "unseen": 3}
    where = min(sides, key=lambda side: order[side.place])
    near = min(
        sides, key=lambda side: (0 if side.watched else 1, side.watched.level != "high" if side.watched else True)
    )
    return Circumstances(where.place, where.speed_kn, where.port, near.watched, near.days)


def _tracks(history: History, wanted: Collection[str]) -> dict[str, Track]:
    names = history.segments["segment_id"]
    rows = history.segments.filter(pc.is_in(names, value_set=pa.array(sorted(wanted), pa.string())))
    columns = (rows[name].to_pylist() for name in ("segment_id", "hull_id", "n_positions"))
    return {segment: Track(hull, n or 0) for segment, hull, n in zip(*columns, strict=True)}


def _n_positions(tracks: Mapping[str, Track], segment_id: str) -> int | None:
    return tracks[segment_id].n_positions if segment_id in tracks else None


def _voyages(history: History, hulls: Collection[str | None]) -> dict[str | None, list[_Voyage]]:
    """The voyages of some hulls, each hull's in order of time."""
    voyages = history.voyages
    keep = pc.is_in(voyages["hull_id"], value_set=pa.array(sorted(h for h in hulls if h), pa.string()))
    rows = voyages.filter(pc.and_(keep, pc.is_valid(voyages["start"])))
    start = times_us(rows["start"])
    arrived = np.maximum(np.maximum(times_us(rows["end"]), times_us(rows["last_seen"])), start)
    end = np.maximum(times_us(rows["span_end"]), arrived)
    found: dict[str | None, list[_Voyage]] = {}
    columns: Any = (rows["hull_id"].to_pylist(), rows["voyage_id"].to_pylist(), start.tolist())
    times = zip(arrived.tolist(), end.tolist(), strict=True)
    for hull, voyage_id, start_us, (arrived_us, end_us) in zip(*columns, times, strict=True):
        found.setdefault(hull, []).append(_Voyage(voyage_id, start_us, arrived_us, end_us))
    for own in found.values():
        own.sort(key=lambda voyage: (voyage.start_us, voyage.end_us, voyage.voyage_id))
    return found
