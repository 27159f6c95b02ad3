"""The chain of a hull: which identities it bore before and after, how sure the links are, and its calls under each.

Takes the `identities`, `port_visits` and `hull_links` tables of one run and the watch level of its zones; gives
`BorneIdentity` records in order of time. From one track the chain follows links back in time, or forward, never both in
turn: two tracks that could both have followed a third are rivals, not one hull. What a chain means is left to others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.borne import BorneIdentity, Call, merged
from detectors.links import Link
from vessels.ais import flag_state
from vessels.zones import Zones

MIN_PROBABILITY: Final = 0.05
"""Chains less likely than this are not followed."""
NEVER_CERTAIN: Final = 0.9999
"""What a link's probability is shown as at most: only one track is certainly one track."""
MIN_CALL_CONFIDENCE: Final = 2
"""A visit without a stop or a silence inside is a passage through the fence."""
MAX_UNLINKED: Final = 20
"""Other tracks under the same number that are shown, the newest: a filler MMSI has thousands."""
WHO: Final = ("mmsi", "imo", "name", "call_sign")
_READ: Final = (*WHO, "segment_id", "hull_id", "ship_type", "first_seen", "last_seen")
_CALLED: Final = ("mmsi", "segment_id", "zone_id", "zone_name", "start", "end", "last_seen")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Reached:
    """A track at the end of a chain, and the time in which it was this hull."""

    segment_id: str | None
    mmsi: int
    since: datetime | None = None
    until: datetime | None = None
    probability: float = 1.0
    is_strong: bool = True
    n_rivals: int = 0

    def over(self, link: Link, back: bool, inside: bool) -> "_Reached":
        """The track at the other end of a link; `inside` where it was borne in a silence of this one."""
        to_before = back != inside
        moved = replace(
            self,
            segment_id=link.from_segment_id if to_before else link.to_segment_id,
            mmsi=link.before.mmsi if to_before else link.after.mmsi,
            probability=min(self.probability * link.probability, NEVER_CERTAIN),
            is_strong=self.is_strong and link.is_strong,
            n_rivals=max(self.n_rivals, link.n_rivals),
        )
        if inside:
            return moved
        return replace(moved, until=link.ended) if back else replace(moved, since=link.began)

    def holds(self, first: datetime, last: datetime) -> bool:
        """Whether something that lasted from first to last was this hull's."""
        begun = self.until is None or first < self.until or first == last == self.until
        return begun and (self.since is None or last >= self.since)


class _ByMmsi:
    """Rows of a table looked up by MMSI, each one's in order of time."""

    def __init__(self, table: pa.Table, time: str) -> None:
        mmsi = pc.fill_null(table["mmsi"], -1).to_numpy()
        if len(mmsi) and (np.diff(mmsi) < 0).any():
            order = np.argsort(mmsi, kind="stable")
            table, mmsi = table.take(pa.array(order)), mmsi[order]
        self.table, self._mmsi, self._time = table, mmsi, time
        self._known: dict[int, list[Row]] = {}
        self._tracks: dict[int, dict[str | None, list[Row]]] = {}

    def of_track(self, mmsi: int, segment_id: str | None) -> list[Row]:
        """The rows of one track, or of no known one where it is None."""
        if mmsi not in self._tracks:
            tracks = self._tracks[mmsi] = {}
            for row in self.of(mmsi):
                tracks.setdefault(row["segment_id"], []).append(row)
        return self._tracks[mmsi].get(segment_id, [])

    def of(self, mmsi: int) -> list[Row]:
        """The rows of one MMSI."""
        if mmsi not in self._known:
            low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
            rows = self.table.slice(low, high - low).to_pylist()
            self._known[mmsi] = sorted(rows, key=lambda row: row[self._time])
        return self._known[mmsi]


class Chains:
    """Answers which identities the hull of a track bore; built once, in time linear in the tables."""

    def __init__(
        self, identities: pa.Table, port_visits: pa.Table, hull_links: pa.Table, levels: Mapping[str, str]
    ) -> None:
        self._levels = levels
        seen = pc.and_(pc.is_valid(identities["first_seen"]), pc.is_valid(identities["last_seen"]))
        spells = identities.select(_READ).filter(pc.and_(seen, pc.is_valid(identities["mmsi"])))
        self._spells = _ByMmsi(spells, "first_seen")
        if "last_seen" not in port_visits.column_names:
            port_visits = port_visits.append_column("last_seen", pa.nulls(len(port_visits), port_visits["end"].type))
        called = pc.greater_equal(pc.fill_null(port_visits["confidence"], 0), MIN_CALL_CONFIDENCE)
        visits = port_visits.select(_CALLED).filter(pc.and_(called, pc.is_valid(port_visits["start"])))
        self._visits = _ByMmsi(visits, "start")
        imo = pc.fill_null(self._spells.table["imo"], 0).to_numpy()
        self._by_imo = np.argsort(imo, kind="stable")
        self._imo = imo[self._by_imo]
        self._links = hull_links.combine_chunks()
        self._link: dict[int, Link | None] = {}
        self._shared: dict[int, bool] = {}
        self._sides = tuple(_rows_by(hull_links[side]) for side in ("from_segment_id", "to_segment_id"))

    def hull_of(self, segments: Collection[str]) -> tuple[set[str], tuple[Link, ...]]:
        """The tracks that strong links join to these, and the links, possible ones too, of all of them."""
        inside, waiting = set(segments), list(segments)
        found: dict[str, Link] = {}
        while waiting:
            segment = waiting.pop()
            for link in (*self._links_at(0, segment), *self._links_at(1, segment)):
                found[link.link_id] = link
                ends = {link.from_segment_id, link.to_segment_id} - inside if link.is_strong else set()
                inside |= ends
                waiting += ends
        return inside, tuple(sorted(found.values(), key=lambda link: (link.began, link.ended, link.link_id)))

    def spells(self, mmsi: int) -> list[Row]:
        """What was said under one MMSI, in order of time."""
        return self._spells.of(mmsi)

    def spells_of_imo(self, imo: int | None) -> list[Row]:
        """What was said by tracks while they claimed one IMO number."""
        if not imo:
            return []
        low, high = np.searchsorted(self._imo, [imo, imo + 1]).tolist()
        rows: list[Row] = self._spells.table.take(pa.array(self._by_imo[low:high])).to_pylist()
        return rows

    def in_force(self, voyage: Row) -> Row:
        """The last spell of the voyage's track that began before the voyage's time was over; {} if none was sent."""
        own = [s for s in self._spells.of(voyage["mmsi"]) if s["segment_id"] in (voyage["segment_id"], None)]
        begun = [s for s in own if s["first_seen"] <= voyage["span_end"]] or own[:1]
        return max(begun, key=lambda s: (s["first_seen"], s["last_seen"]), default={})

    def earlier(self, voyage: Row, now: Row) -> tuple[BorneIdentity, ...]:
        """The identities that the hull of a voyage bore, or may have borne, before the voyage was over.

        `now` is the spell in force. Identities of other tracks that share its MMSI or IMO number come with them, the
        latest `MAX_UNLINKED` of each.
        """
        start = _Reached(voyage["segment_id"], voyage["mmsi"], until=voyage["span_end"])
        reached = self._walk([start], back=True)
        parts = [part for one in reached.values() for part in self._borne(one)]
        for spells in (self.spells_of_imo(now.get("imo")), self._spells.of(start.mmsi)):
            parts += self._sharing(spells, start, reached, voyage["hull_id"])
        current = tuple(now.get(field) for field in WHO)
        others = [p for p in parts if p.key != current and (p.mmsi != start.mmsi or any(p.key[1:]))]
        return merged(replace(part, same=_same(part, start.mmsi, now.get("imo"))) for part in others)

    def whole(self, tracks: Sequence[tuple[str | None, int]]) -> tuple[BorneIdentity, ...]:
        """All identities that the hull of these tracks (segment id, MMSI) bore, or may have borne, in order of time."""
        starts = [_Reached(segment, mmsi) for segment, mmsi in tracks]
        reached = {**self._walk(starts, back=False), **self._walk(starts, back=True)}
        return merged(part for one in reached.values() for part in self._borne(one))

    def before(self, link: Link) -> tuple[BorneIdentity, ...]:
        """The identities that the hull bore, or may have borne, before a link, each as sure as chain and link."""
        start = _Reached(
            link.from_segment_id,
            link.before.mmsi,
            until=link.ended,
            probability=min(link.probability, NEVER_CERTAIN),
            is_strong=link.is_strong,
            n_rivals=link.n_rivals,
        )
        return merged(part for one in self._walk([start], back=True).values() for part in self._borne(one))

    def under(
        self, segment_id: str, mmsi: int, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[BorneIdentity, ...]:
        """The identities of one track alone, from a time or up to one."""
        return merged(self._borne(_Reached(segment_id, mmsi, since, until)))

    def _links_at(self, side: int, segment_id: str | None) -> Iterator[Link]:
        for row in self._sides[side].get(segment_id or "", ()):
            if row not in self._link:
                self._link[row] = Link.of(self._links.slice(row, 1).to_pylist()[0])
            link = self._link[row]
            if link is not None:
                yield link

    def _walk(self, starts: Sequence[_Reached], *, back: bool) -> dict[str | None, _Reached]:
        """The likeliest chain from the starts to every track within reach, by segment."""
        order = count()
        waiting = [(-start.probability, start.segment_id or "", next(order), start) for start in starts]
        waiting.sort()
        reached: dict[str | None, _Reached] = {}
        while waiting:
            here = heappop(waiting)[-1]
            if here.segment_id in reached:
                continue
            reached[here.segment_id] = here
            for there in self._beyond(here, back):
                if there.segment_id not in reached and there.probability >= MIN_PROBABILITY:
                    heappush(waiting, (-there.probability, there.segment_id or "", next(order), there))
        return reached

    def _beyond(self, here: _Reached, back: bool) -> Iterator[_Reached]:
        """The tracks one link away, and those borne in a silence of this track."""

        def fits(link: Link) -> bool:
            if back:
                return here.until is None or link.began <= here.until
            return here.since is None or link.ended >= here.since

        near, far = (1, 0) if back else (0, 1)
        for link in self._links_at(near, here.segment_id):
            if fits(link):
                yield here.over(link, back, inside=False)
        for link in self._links_at(far, here.segment_id):
            if (link.from_silence if back else link.to_silence) and fits(link):
                yield here.over(link, back, inside=True)

    def _borne(self, here: _Reached) -> list[BorneIdentity]:
        """What one reached track said it was in its time, with its calls; its MMSI alone if it said nothing."""
        own = list(self._spells.of_track(here.mmsi, here.segment_id))
        if here.segment_id is not None and not self._is_shared(here.mmsi):
            own = sorted((*own, *self._spells.of_track(here.mmsi, None)), key=lambda spell: spell["first_seen"])
        stays = self._visits.of_track(here.mmsi, here.segment_id)
        visits = [visit for visit in stays if here.holds(visit["start"], _last_seen(visit))]
        parts = [_part(spell, here) for spell in own if here.holds(spell["first_seen"], spell["last_seen"])]
        if not parts:
            seen = here.until or here.since or max(map(_last_seen, visits), default=None)
            if seen is None:
                return []
            parts = [_part({**dict.fromkeys(WHO), "mmsi": here.mmsi, "first_seen": seen, "last_seen": seen}, here)]
        calls: list[list[Call]] = [[] for _ in parts]
        for visit in visits:
            begun = [i for i, part in enumerate(parts) if part.first_seen <= visit["start"]]
            calls[begun[-1] if begun else 0].append(self._call(visit))
        return [replace(part, calls=tuple(made)) for part, made in zip(parts, calls, strict=True)]

    def _is_shared(self, mmsi: int) -> bool:
        """Whether several hulls send an MMSI, so that what no known track said may be any's."""
        if mmsi not in self._shared:
            self._shared[mmsi] = len({spell["hull_id"] for spell in self._spells.of(mmsi)} - {None}) > 1
        return self._shared[mmsi]

    def _sharing(
        self, spells: Sequence[Row], start: _Reached, reached: Mapping[str | None, _Reached], hull_id: str | None
    ) -> list[BorneIdentity]:
        """These spells as identities of tracks that no chain reaches, with the calls made under them."""
        tracks: dict[tuple[str | None, int], set[tuple[Any, ...]]] = {}
        hulls: dict[tuple[str | None, int], str | None] = {}
        for spell in sorted(spells, key=lambda s: s["last_seen"], reverse=True):
            own = spell["mmsi"] == start.mmsi and spell["segment_id"] is None and not self._is_shared(start.mmsi)
            if own or spell["segment_id"] in reached or not start.holds(spell["first_seen"], spell["last_seen"]):
                continue
            key = (spell["segment_id"], spell["mmsi"])
            if key in tracks or len(tracks) < MAX_UNLINKED:
                tracks.setdefault(key, set()).add(tuple(spell[field] for field in WHO))
                hulls[key] = spell["hull_id"]
        found = []
        for (segment, mmsi), said in tracks.items():
            same_hull = hull_id is not None and hulls[segment, mmsi] == hull_id
            here = _Reached(segment, mmsi, until=start.until, is_strong=same_hull)
            parts = [part for part in self._borne(here) if part.key in said]
            found += parts if same_hull else [replace(part, link_probability=None) for part in parts]
        return found

    def _call(self, visit: Row) -> Call:
        zone = visit["zone_id"] or ""
        watch = self._levels.get(zone, "none")
        return Call(zone, visit["zone_name"] or zone, watch, visit["start"], visit["end"], visit["last_seen"])


def watched_levels(zones: Zones) -> dict[str, str]:
    """The watch level of every zone under watch, by its id."""
    return {zone.zone_id: zone.watch for zone in zones.zones if zone.watch != "none"}


def _rows_by(column: pa.ChunkedArray) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(column.to_pylist()):
        rows.setdefault(value, []).append(row)
    return rows


def _last_seen(visit: Row) -> datetime:
    seen: datetime = visit["end"] or visit["last_seen"] or visit["start"]
    return seen


def _same(part: BorneIdentity, mmsi: int, imo: int | None) -> str:
    if imo and part.imo == imo:
        return "IMO"
    return "MMSI" if part.mmsi == mmsi else "hull"


def _part(spell: Row, here: _Reached) -> BorneIdentity:
    first, last = spell["first_seen"], spell["last_seen"]
    return BorneIdentity(
        mmsi=spell["mmsi"],
        imo=spell["imo"],
        name=spell["name"],
        call_sign=spell["call_sign"],
        flag_state=flag_state(spell["mmsi"]),
        first_seen=first if here.since is None else max(first, here.since),
        last_seen=last if here.until is None else min(last, here.until),
        same="hull",
        link_probability=round(here.probability, 4),
        is_strong=here.is_strong,
        n_rivals=here.n_rivals,
        calls=(),
    )
