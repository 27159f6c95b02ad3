"""Chains: strong hull links followed from track to track, and through the silences in which a hull bore another number.

Takes the `segments` and `silences` tables and the hull links; gives `Chains`: which tracks are one hull, and where each
hands over to the next. A link that cannot be followed (a silence from which the hull is not seen to come back, tracks
on the air together for long, a side already linked more strongly) is strong no more, so that what is told agrees.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.anchors import NO_ANCHORS
from vessels.instants import times_us
from vessels.schema import make_id
from vessels.track import IntArray
from vessels.units import US_PER_H

MAX_OVERLAP_H: Final = 24.0
"""An old and a new number on the air together for longer are not merged. Source: the bound of `vessels.hulls` on links;
class A and long-range terminals are reprogrammed one after the other."""


class Handover(NamedTuple):
    """Where a hull goes on under another number: members (places in `Chains.segment`), times in microseconds."""

    before: int
    after: int
    ended_us: int
    began_us: int


class Absence(NamedTuple):
    """A silence of a member in which its hull bore another number; times in microseconds."""

    member: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Chains:
    """Hulls of several tracks; their members are sorted by (hull, start, segment_id), hulls by their first track's row.

    `links` are the links given, those that cannot be followed no longer strong. Of shape (m,): `segment`, the members'
    rows in `segments`, with their `names` (segment ids) and `mmsi`; `hull`, numbers from 0; `goes_on`, whether the hull
    is followed beyond the member's end. `hull_ids` (hulls,).
    """

    links: pa.Table
    segment: IntArray
    names: pa.ChunkedArray
    mmsi: IntArray
    hull: IntArray
    goes_on: npt.NDArray[np.bool_]
    hull_ids: tuple[str, ...]
    handovers: tuple[Handover, ...]
    absences: tuple[Absence, ...]

    def __len__(self) -> int:
        return len(self.segment)

    def members_in(self, table: pa.Table) -> tuple[IntArray, IntArray]:
        """The rows of a table that belong to members, and the member of each."""
        numbers = pa.array(np.unique(self.mmsi))
        near = np.flatnonzero(pc.is_in(table["mmsi"], value_set=numbers).to_numpy())
        member = places_of(table["segment_id"].take(pa.array(near)), self.names)
        return near[member >= 0], member[member >= 0]

    def absences_in(self, member: IntArray, start_us: IntArray, last_us: IntArray) -> dict[int, list[Absence]]:
        """For spans of members' time that seem to last through absences, by place: these absences in order."""
        by_member = np.argsort(member, kind="stable")
        found: dict[int, list[Absence]] = {}
        for absence in self.absences:
            low, high = np.searchsorted(member[by_member], [absence.member, absence.member + 1]).tolist()
            for row in by_member[low:high].tolist():
                if start_us[row] <= absence.start_us and last_us[row] >= absence.end_us:
                    found.setdefault(row, []).append(absence)
        return found


class _Link(NamedTuple):
    row: int
    before: int
    after: int
    ended_us: int
    began_us: int
    from_silence: bool
    to_silence: bool


class _Silence(NamedTuple):
    segment: int
    start_us: int
    end_us: int


def places_of(names: pa.ChunkedArray, known: pa.ChunkedArray) -> IntArray:
    """For each name its place among the known ones, -1 where it is not. Shape (names,)."""
    places = pc.index_in(names, value_set=known.combine_chunks())
    result: IntArray = pc.fill_null(places, -1).to_numpy().astype(np.int64)
    return result


def settle_chains(
    segments: pa.Table,
    silences: pa.Table,
    links: pa.Table,
    max_overlap_h: float = MAX_OVERLAP_H,
    known: pa.Table = NO_ANCHORS,
) -> Chains:
    """Follow the strong links; see the module. Costs one look-up of their tracks and a loop over them.

    `known` are the anchors of tracks whose hull had begun before the history: it keeps its id, and nothing else leads
    to a track that took it over from another.
    """
    start, end = times_us(segments["start"]), times_us(segments["end"])
    overlap_us = int(max_overlap_h * US_PER_H)
    chosen = _one_to_one(_strong_links(segments, links), _taken_over(segments, known))

    def one_after_the_other(link: _Link) -> bool:
        a, b = link.before, link.after
        rising = (start[a], segments["segment_id"][a].as_py()) < (start[b], segments["segment_id"][b].as_py())
        return bool(rising and start[b] >= end[a] - overlap_us and end[b] >= end[a])

    plain = [link for link in chosen if not (link.from_silence or link.to_silence)]
    onward = {link.before: link for link in plain if one_after_the_other(link)}
    back = {link.before: link for link in chosen if link.to_silence and not link.from_silence}
    silent = _Silences(segments, silences, chosen)
    used, absences = list(onward.values()), []
    for link in chosen:
        silence = silent.left_by(link)
        if silence is None or link.to_silence:
            continue
        last = link.after
        while last in onward:
            last = onward[last].after
        home = back.get(last)
        inside = start[link.after] >= silence.start_us - overlap_us and end[last] <= silence.end_us + overlap_us
        if home is not None and silent.reached_by(home) == silence and inside and last != silence.segment:
            used += [link, home]
            absences.append(silence)
    hulls = dict(zip(known["segment_id"].to_pylist(), known["hull_id"].to_pylist(), strict=True))
    return _chains(segments, links, used, absences, start, hulls)


def _taken_over(segments: pa.Table, known: pa.Table) -> set[tuple[int, int | None]]:
    """The starts of tracks that took a hull over before the history began, as `_one_to_one` has them."""
    names = known.filter(known["is_first"])["segment_id"]
    return {(row, None) for row in places_of(names, segments["segment_id"]).tolist() if row >= 0}


class _Silences:
    """The silences that links leave and reach."""

    def __init__(self, segments: pa.Table, silences: pa.Table, links: Sequence[_Link]) -> None:
        ends = {link.before for link in links if link.from_silence} | {link.after for link in links if link.to_silence}
        rows = pa.array(sorted(ends), pa.int64())
        place = places_of(silences["segment_id"], segments["segment_id"].take(rows))
        own = np.flatnonzero(place >= 0)
        columns = (rows.to_numpy()[place[own]], *(times_us(silences[name])[own] for name in ("start", "end")))
        found = [_Silence(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]
        self._by_start = {(one.segment, one.start_us): one for one in found}
        self._by_end = {(one.segment, one.end_us): one for one in found}

    def left_by(self, link: _Link) -> _Silence | None:
        """The silence at whose beginning a link starts; None if it starts elsewhere."""
        return self._by_start.get((link.before, link.ended_us)) if link.from_silence else None

    def reached_by(self, link: _Link) -> _Silence | None:
        """The silence at whose end a link ends; None if it ends elsewhere."""
        return self._by_end.get((link.after, link.began_us)) if link.to_silence else None


def _strong_links(segments: pa.Table, links: pa.Table) -> list[_Link]:
    """The strong links between tracks that are known, the most probable first."""
    rows = np.flatnonzero(pc.fill_null(links["is_strong"], False).to_numpy())
    strong = links.take(pa.array(rows))
    numbers = pc.unique(pa.chunked_array([*strong["from_mmsi"].chunks, *strong["to_mmsi"].chunks], pa.int64()))
    near = np.flatnonzero(pc.is_in(segments["mmsi"], value_set=numbers).to_numpy())
    ids = segments["segment_id"].take(pa.array(near))
    sides = (places_of(strong[name], ids) for name in ("from_segment_id", "to_segment_id"))
    before, after = (np.where(side >= 0, near[side], -1) if len(near) else side for side in sides)
    columns: list[Sequence[Any]] = [rows.tolist(), before.tolist(), after.tolist()]
    columns += [times_us(strong[name]).tolist() for name in ("ended", "began")]
    columns += [pc.fill_null(strong[name], False).to_pylist() for name in ("from_silence", "to_silence")]
    told = zip(pc.fill_null(strong["probability"], 0.0).to_pylist(), strong["link_id"].to_pylist(), strict=True)
    order = [(-probability, str(link_id)) for probability, link_id in told]
    found = [_Link(*values) for values in zip(*columns, strict=True)]
    ranked = sorted(zip(order, found, strict=True))
    return [link for _, link in ranked if link.before >= 0 and link.after >= 0 and link.before != link.after]


def _one_to_one(links: Iterable[_Link], taken_over: set[tuple[int, int | None]]) -> list[_Link]:
    """Links of which no two leave one end or lead to one start, nor to one of `taken_over`; the first go first."""
    left: set[tuple[int, int | None]] = set()
    reached = set(taken_over)
    kept = []
    for link in links:
        leaves = (link.before, link.ended_us if link.from_silence else None)
        reaches = (link.after, link.began_us if link.to_silence else None)
        if leaves not in left and reaches not in reached:
            left.add(leaves)
            reached.add(reaches)
            kept.append(link)
    return kept


def _chains(
    segments: pa.Table,
    links: pa.Table,
    used: Sequence[_Link],
    absences: Sequence[_Silence],
    start: IntArray,
    known_hulls: Mapping[str, str],
) -> Chains:
    hull_of = _hulls(used)
    rows = sorted(hull_of)
    ids = segments["segment_id"]
    names = dict(zip(rows, ids.take(pa.array(rows, pa.int64())).to_pylist(), strict=True))
    members = sorted(rows, key=lambda row: (hull_of[row], int(start[row]), names[row]))
    firsts: dict[int, int] = {}
    for row in members:
        firsts.setdefault(hull_of[row], row)
    members.sort(key=lambda row: firsts[hull_of[row]])
    numbers = {hull: number for number, hull in enumerate(dict.fromkeys(hull_of[row] for row in members))}
    begun = [names[firsts[hull]] for hull in numbers]
    place = {row: i for i, row in enumerate(members)}
    left = {link.before for link in used if not link.from_silence}
    handovers = sorted(Handover(place[k.before], place[k.after], k.ended_us, k.began_us) for k in used)
    return Chains(
        links=_with_strength(links, {link.row for link in used}),
        segment=np.array(members, dtype=np.int64),
        names=ids.take(pa.array(members, pa.int64())),
        mmsi=segments["mmsi"].take(pa.array(members, pa.int64())).to_numpy(),
        hull=np.array([numbers[hull_of[row]] for row in members], dtype=np.int64),
        goes_on=np.array([row in left for row in members], dtype=np.bool_),
        hull_ids=tuple(known_hulls.get(name) or make_id("hull", name) for name in begun),
        handovers=tuple(handovers),
        absences=tuple(sorted(Absence(place[s.segment], s.start_us, s.end_us) for s in absences)),
    )


def _hulls(used: Iterable[_Link]) -> Mapping[int, int]:
    """For each linked track one of the tracks of its hull, the same for all of them."""
    parent: dict[int, int] = {}

    def root(row: int) -> int:
        above = parent.setdefault(row, row)
        while above != parent[above]:
            parent[row] = parent[above]
            row, above = above, parent[above]
        return above

    for link in used:
        parent[root(link.before)] = root(link.after)
    return {row: root(row) for row in parent}


def _with_strength(links: pa.Table, strong: set[int]) -> pa.Table:
    """The links, only those rows strong; the same table where nothing changes."""
    was = pc.fill_null(links["is_strong"], False).to_numpy()
    now = np.zeros(links.num_rows, dtype=np.bool_)
    now[sorted(strong)] = True
    if np.array_equal(was, now):
        return links
    column = links.schema.get_field_index("is_strong")
    return links.set_column(column, links.schema.field(column), pa.array(now))
