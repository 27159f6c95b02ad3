"""Who claims one identity: the hulls behind an IMO number that several MMSI send, or behind one MMSI on several tracks.

Takes the history's tables and the claims; gives `Claimant`s, each with what else its hull said it was, where it called
and what it was before by hull links. MMSI of one hull (a change of flag, a second set) are one claimant, and so are
tracks that one hull sailed in turn. Which of them is the true bearer is left to `bearers`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import DamerauLevenshtein

from detectors.rules.identity.bearers import Contest, weigh_bearers
from detectors.rules.identity.claims import Claims, Spell, simultaneous_mmsi
from detectors.rules.identity.digits import imo_passes
from detectors.rules.identity.grounds import Call, Claimant, Former
from detectors.rules.identity.surroundings import MIN_VISIT_CONFIDENCE
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import iso, position, ship
from vessels.ais import MmsiKind, clean_text, mmsi_kinds
from vessels.geodesy import distance_nmi
from vessels.history import History
from vessels.instants import times_us
from vessels.names import near_equal_names
from vessels.units import US_PER_H

SUCCESSOR_H: Final = 72.0
"""A track, or a flag, that begins so soon where the last one could have sailed to is taken for the same hull's."""
SUCCESSOR_KN: Final = 20.0
SAME_HULL: Final = 0.5
"""A link at least this likely makes two MMSI with one IMO number one hull."""
MOST_TRACKS: Final = 200
"""Tracks under one MMSI beyond which it is not looked into: noise, or a filler."""
MANY_ROWS: Final = 1000
"""Rows of one MMSI beyond which its tracks are looked up by an index: fillers."""
_LINKED: Final = ("segment_id", "mmsi", "imo", "name")
_TIMES: Final = frozenset({"start", "end", "last_seen", "ended", "began"})


class _ByMmsi:
    """Some columns of a table, looked up by MMSI; times as microseconds."""

    def __init__(self, table: pa.Table, mmsi: str, segment: str, *columns: str) -> None:
        values = pc.fill_null(table[mmsi], -1).to_numpy()
        self._order = np.argsort(values, kind="stable")
        self._mmsi = values[self._order]
        self._segment = segment
        self._table = table.select([mmsi, segment, *columns])
        self._large: dict[int, dict[str | None, list[int]]] = {}

    def rows(self, mmsi: int, segments: Collection[str] | None = None) -> list[dict[str, Any]]:
        """Rows of an MMSI (and of some tracks of it), in an order that does not depend on the table's."""
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
        if low == high or (segments is not None and not segments):
            return []
        which = self._order[low:high]
        if segments is not None and high - low > MANY_ROWS:
            if mmsi not in self._large:
                self._large[mmsi] = _positions(self._table[self._segment].take(pa.array(which)).to_pylist())
            which = which[[row for one in sorted(segments) for row in self._large[mmsi].get(one, ())]]
        part = self._table.take(pa.array(which, pa.int64()))
        times = [name for name in part.column_names if name in _TIMES]
        columns = {name: times_us(part[name]).tolist() for name in times}
        columns |= {name: part[name].to_pylist() for name in part.column_names if name not in _TIMES}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if segments is not None:
            rows = [row for row in rows if row[self._segment] in segments]
        return sorted(rows, key=lambda row: [value if name in _TIMES else str(value) for name, value in row.items()])


def _positions(values: Sequence[str | None]) -> dict[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for row, value in enumerate(values):
        found.setdefault(value, []).append(row)
    return found


class Records:
    """Looks up claimants and has them weighed; built once a run, in time near linear in the tables."""

    def __init__(self, history: History, claims: Claims, thresholds: Thresholds) -> None:
        self._claims = claims
        self._thresholds = thresholds
        self._shared = frozenset(simultaneous_mmsi(history.vessels).tolist())
        self._senders: dict[int, dict[str | None, list[int]]] = {}
        places = ("start_lat", "start_lon", "end_lat", "end_lon")
        self._segments = _ByMmsi(history.segments, "mmsi", "segment_id", "hull_id", "start", "end", *places)
        self._silences = _ByMmsi(history.silences, "mmsi", "segment_id", "start", "end")
        self._visits = _ByMmsi(history.port_visits, "mmsi", "segment_id", "zone_id", "start", "confidence")
        both = ("probability", "gap_h", "distance_nmi")
        into = (*(f"from_{name}" for name in _LINKED), *both, "to_silence")
        self._into = _ByMmsi(history.hull_links, "to_mmsi", "to_segment_id", *into)
        out = (*(f"to_{name}" for name in _LINKED), *both, "from_silence")
        self._out_of = _ByMmsi(history.hull_links, "from_mmsi", "from_segment_id", *out)

    def contest_of_imo(
        self,
        imo: int,
        claimed: Mapping[int, Sequence[Spell]],
        torn: Collection[frozenset[int]],
        together: Collection[frozenset[int]],
    ) -> Contest | None:
        """Who truly bears an IMO number: its spells by MMSI, pairs that no one ship explains, pairs side by side.

        None where no two hulls are torn apart, or too many claim it.
        """
        alone = {mmsi: self._claimant(imo, spells) for mmsi, spells in claimed.items()}
        hull_of = {mmsi: mmsi for mmsi in claimed}
        for a, b in combinations(sorted(claimed, key=lambda one: (alone[one].first_us, one)), 2):
            pair = frozenset((a, b))
            if pair not in torn and (pair in together or self._one_hull(alone[a], alone[b])):
                kept, gone = hull_of[a], hull_of[b]
                hull_of = {mmsi: kept if hull == gone else hull for mmsi, hull in hull_of.items()}
        apart = {hull_of[mmsi] for pair in torn for mmsi in pair}
        of_hull: dict[int, list[Claimant]] = {}
        for mmsi, hull in hull_of.items():
            of_hull.setdefault(hull, []).append(alone[mmsi])
        claimants = [_merged(parts) for hull, parts in of_hull.items() if hull in apart]
        formerly = [_merged(parts) for hull, parts in of_hull.items() if hull not in apart]
        if not 2 <= len(claimants) <= self._thresholds.max_bearers:
            return None
        return weigh_bearers(claimants, formerly, self._thresholds, of_mmsi=False)

    def contest_of_mmsi(self, mmsi: int, first_us: int, last_us: int, spells: Sequence[Spell]) -> Contest | None:
        """Which hull truly bears an MMSI that several sent between two times; `spells` are all of the MMSI.

        None where the number is one that sets are delivered with, or too many or no two hulls send it.
        """
        if int(mmsi_kinds(np.array([mmsi]))[0]) == MmsiKind.NO_SHAPE or mmsi % 1_000_000 == 0:
            return None
        tracks = self._segments.rows(mmsi)
        if not 2 <= len(tracks) <= MOST_TRACKS:
            return None
        hulls = _hulls(tracks, self._thresholds)
        heard = [hull for hull in hulls if any(t["start"] <= last_us and t["end"] >= first_us for t in hull)]
        if not 2 <= len(heard) <= self._thresholds.max_bearers:
            return None
        claimants = [self._of_tracks(mmsi, hull, spells) for hull in heard]
        formerly = [self._of_tracks(mmsi, hull, spells) for hull in hulls if hull not in heard]
        return weigh_bearers(claimants, formerly, self._thresholds, of_mmsi=True)

    def _of_tracks(self, mmsi: int, tracks: Sequence[dict[str, Any]], spells: Sequence[Spell]) -> Claimant:
        segments = frozenset(track["segment_id"] for track in tracks)
        first = tracks[0]
        lat, lon = (np.nan if first[name] is None else first[name] for name in ("start_lat", "start_lon"))
        return self._completed(
            Claimant(
                label=f"the track first heard {iso(first['start'])} at {position(lat, lon)}",
                mmsi=(mmsi,),
                segments=segments,
                hulls=frozenset(track["hull_id"] for track in tracks if track["hull_id"] is not None),
                first_us=first["start"],
                last_us=max(track["end"] for track in tracks),
                bore=tuple(spell for spell in spells if spell.segment_id in segments),
            ),
            0,
        )

    def _claimant(self, imo: int, bore: Sequence[Spell]) -> Claimant:
        mmsi = bore[0].mmsi
        spells = self._spells(mmsi, bore)
        names = [spell.name for spell in bore if spell.name is not None]
        other = [spell for spell in spells if self._is_other(spell, imo, names)]
        first_us = bore[0].first_us
        segments = frozenset(spell.segment_id for spell in bore if spell.segment_id is not None)
        if not any(spell.first_us < first_us for spell in other):
            own = [row["start"] for row in self._segments.rows(mmsi, segments)]
            first_us = min([first_us, *own])
        return self._completed(
            Claimant(
                label=ship(names[-1] if names else None, mmsi),
                mmsi=(mmsi,),
                segments=segments,
                hulls=frozenset(spell.hull_id for spell in bore if spell.hull_id is not None),
                first_us=first_us,
                last_us=max(spell.last_us for spell in bore),
                bore=tuple(bore),
                other=tuple(other),
            ),
            imo,
        )

    def _spells(self, mmsi: int, bore: Sequence[Spell]) -> list[Spell]:
        """All statements of the ship; where several ships send the MMSI, those of its own hulls."""
        low, high = np.searchsorted(self._claims.columns["mmsi"], [mmsi, mmsi + 1])
        rows = np.arange(low, high)
        if mmsi in self._shared:
            if mmsi not in self._senders:
                columns = (self._claims.columns[name][low:high].tolist() for name in ("hull_id", "segment_id"))
                self._senders[mmsi] = _positions([hull or segment for hull, segment in zip(*columns, strict=True)])
            hulls = {spell.hull_id or spell.segment_id for spell in bore}
            own = [row for hull in hulls for row in self._senders[mmsi].get(hull, ())]
            rows = rows[np.array(own, dtype=np.int64)]
        return sorted(self._claims.spells(rows), key=lambda one: (one.first_us, one.last_us, one.imo, str(one.name)))

    def _is_other(self, spell: Spell, imo: int, names: Sequence[str]) -> bool:
        """Whether a statement is of another identity: another valid number, or none and another name."""
        if spell.n_reports < self._thresholds.min_reports or spell.imo == imo:
            return False
        if spell.imo:
            return imo_passes(spell.imo) and not _slip(spell.imo, imo)
        return bool(names) and clean_text(spell.name) is not None and not _near_any(spell.name, names)

    def _completed(self, one: Claimant, imo: int) -> Claimant:
        """The claimant with its calls, silences and what hull links say."""
        visits: list[dict[str, Any]] = []
        silent_h = 0.0
        former: list[Former] = []
        for mmsi in one.mmsi:
            visits += self._visits.rows(mmsi, one.segments)
            for row in self._silences.rows(mmsi, one.segments):
                overlap_us = min(row["end"], one.last_us) - max(row["start"], one.first_us)
                silent_h += max(overlap_us, 0) / US_PER_H
            for row in self._into.rows(mmsi, one.segments):
                if not row["to_silence"]:
                    former += _former(row, "from", one, imo)
            for row in self._out_of.rows(mmsi, one.segments):
                if not row["from_silence"]:
                    former += _former(row, "to", one, imo)
        calls = sorted(
            Call(row["zone_id"], row["start"])
            for row in visits
            if (row["confidence"] or 0) >= MIN_VISIT_CONFIDENCE and row["zone_id"] is not None
        )
        return replace(one, calls=tuple(calls), silent_h=silent_h, former=tuple(former))

    def _one_hull(self, older: Claimant, newer: Claimant) -> bool:
        """Whether two MMSI that share a number are one ship before and after a change of flag, or of set."""
        if older.hulls & newer.hulls:
            return True
        links = self._into.rows(newer.mmsi[-1], newer.segments)
        if any(row["from_segment_id"] in older.segments and row["probability"] >= SAME_HULL for row in links):
            return True
        last, first = max(older.bore, key=lambda spell: spell.last_us), newer.bore[0]
        gap_h = (first.first_us - last.last_us) / US_PER_H
        if not -self._thresholds.handover_overlap_h <= gap_h <= SUCCESSOR_H or newer.last_us <= older.last_us:
            return False
        apart = float(distance_nmi(last.last_lat, last.last_lon, first.first_lat, first.first_lon))
        return apart <= self._thresholds.position_slack_nmi + SUCCESSOR_KN * abs(gap_h)


def _former(row: Mapping[str, Any], side: str, one: Claimant, imo: int) -> list[Former]:
    """The identity on the far side of a link, if it is another than the contested one."""
    mmsi, number, name = (row[f"{side}_{what}"] for what in ("mmsi", "imo", "name"))
    numbers = {imo} if imo else {spell.imo for spell in one.bore if spell.imo}
    if number and numbers:
        other = not any(_slip(number, own) for own in numbers)
    else:
        names = [spell.name for spell in one.bore if spell.name is not None]
        other = mmsi not in one.mmsi and name is not None and bool(names) and not _near_any(name, names)
    if not other or row["probability"] is None:
        return []
    number_too = f", IMO number {number}" if number else ""
    where = "" if row["distance_nmi"] is None else f" and {row['distance_nmi']:.1f} nmi away"
    what, when = ("before: it fell silent", "earlier") if side == "from" else ("after: it was first heard", "later")
    gap = f"{row['gap_h'] or 0.0:.1f} h {when}{where}"
    text = f"{ship(name, mmsi)}{number_too}, {what} {gap} (link {row['probability']:.2f})"
    return [Former(text, row["probability"], side == "from")]


def _slip(number: int, other: int) -> bool:
    """Whether two numbers are one, typed with a slip."""
    distance: int = DamerauLevenshtein.distance(str(number), str(other), score_cutoff=1)
    return distance <= 1


def _near_any(name: str | None, names: Iterable[str]) -> bool:
    return any(near_equal_names(name, one) is not None for one in names)


def _merged(parts: Sequence[Claimant]) -> Claimant:
    """Several MMSI of one hull as one claimant, in order of time."""
    parts = sorted(parts, key=lambda one: (one.first_us, one.mmsi))
    first = parts[0]
    for one in parts[1:]:
        bore = sorted((*first.bore, *one.bore), key=lambda spell: (spell.first_us, spell.last_us, spell.mmsi))
        first = Claimant(
            label=one.label,
            mmsi=first.mmsi + one.mmsi,
            segments=first.segments | one.segments,
            hulls=first.hulls | one.hulls,
            first_us=min(first.first_us, one.first_us),
            last_us=max(first.last_us, one.last_us),
            bore=tuple(bore),
            other=tuple(sorted((*first.other, *one.other), key=lambda spell: (spell.first_us, spell.mmsi))),
            former=first.former + one.former,
            calls=tuple(sorted({*first.calls, *one.calls})),
            silent_h=first.silent_h + one.silent_h,
        )
    return first


def _hulls(tracks: Sequence[dict[str, Any]], thresholds: Thresholds) -> list[list[dict[str, Any]]]:
    """Tracks of one MMSI by hull: those of one hull id, and those that could be sailed one after the other."""
    hulls: list[list[dict[str, Any]]] = []
    for track in sorted(tracks, key=lambda one: (one["start"], one["segment_id"])):
        same = [hull for hull in hulls if track["hull_id"] is not None and hull[-1]["hull_id"] == track["hull_id"]]
        reached = same or [hull for hull in hulls if _follows(hull, track, thresholds)]
        if reached:
            min(reached, key=lambda hull: _apart_nmi(hull[-1], track)).append(track)
        else:
            hulls.append([track])
    return hulls


def _apart_nmi(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    places = (before["end_lat"], before["end_lon"], after["start_lat"], after["start_lon"])
    apart = float(distance_nmi(*(np.nan if value is None else value for value in places)))
    return apart if np.isfinite(apart) else np.inf


def _follows(hull: Sequence[dict[str, Any]], track: Mapping[str, Any], thresholds: Thresholds) -> bool:
    gap_h = (track["start"] - max(one["end"] for one in hull)) / US_PER_H
    reach_nmi = thresholds.position_slack_nmi + SUCCESSOR_KN * gap_h
    return bool(0.0 <= gap_h <= SUCCESSOR_H and _apart_nmi(hull[-1], track) <= reach_nmi)
