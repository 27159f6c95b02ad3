"""What is drawn of a voyage, looked up in its run.

Takes a finished run and the case of a voyage; gives a `Drawn`. A claim is shown for as long as the ship was heard and
sent it, and no longer: neither over a silence nor while the hull was under another number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
import shapely.affinity
from shapely.geometry.base import BaseGeometry

from detectors.explain import Case, Row, RowsBy
from detectors.links import Link as HullLink
from detectors.report.drawn import Bar, Drawn, Fence, Link, Mark, Silence, Stay, TrackPoints
from detectors.rules.dark.wording import reception_in_words
from detectors.run_folder import LoadedRun
from detectors.run_tables import OWN, SILENCE_H
from detectors.shown import shown
from vessels.ais import flag_state, mmsi_text, ship_type_label
from vessels.instants import instant_us, times_us
from vessels.units import US_PER_H

_ENDLESS: Final = int(np.iinfo(np.int64).max)
FIELDS: Final = ("mmsi", "name", "imo", "call_sign", "flag", "ship_type", "destination")
UNJUDGED: Final = "unjudged"
"""In place of what reception says, where a time without reports is no row of `gaps`."""
TURNS: Final = (-360.0, 0.0, 360.0)


class Drawer:
    """What is drawn of the voyages of one run; what it is looked up in is built once."""

    def __init__(self, run: LoadedRun) -> None:
        tables = run.tables
        self._as_of_us = instant_us(datetime.fromisoformat(run.run["as_of"]))
        self._watch: Mapping[str, str] = run.run.get("watch") or {}
        self._tracks = _Tracks(tables["tracks"])
        self._gaps = RowsBy(tables["gaps"], "hull_id")
        self._visits = RowsBy(tables["port_visits"], "hull_id")
        self._spells = RowsBy(tables["identities"], "hull_id")
        self._of_segment = RowsBy(tables["identities"], "segment_id")
        lines = tables["flagged_voyages"]
        self._lines = dict(zip(lines["voyage_id"].to_pylist(), lines["geometry"].to_pylist(), strict=True))
        self._fences = _fences(tables["zones"])
        self._tree = shapely.STRtree([fence.shape for fence in self._fences])

    def drawn(self, case: Case) -> Drawn:
        """What is drawn of a voyage of the run."""
        voyage = case.voyage
        begin = instant_us(voyage["start"])
        end = max(begin, instant_us(voyage["end"] or voyage["last_seen"]))
        span = instant_us(voyage["span_start"]), instant_us(voyage["span_end"] or voyage["last_seen"])
        tracks = tuple(self._tracks.of(voyage["voyage_id"]))
        own = tuple(track for track in tracks if track.role == OWN)
        judged = tuple(_silences(self._gaps.of(voyage["hull_id"]), span))
        unjudged = tuple(_unjudged(own, judged))
        silences = tuple(sorted((*judged, *unjudged), key=lambda silence: silence.start_us))
        flagged = case.flagged or {}
        return Drawn(
            voyage_id=voyage["voyage_id"],
            title=_title(flagged.get("name"), voyage["mmsi"]),
            start_us=begin,
            end_us=end,
            as_of_us=self._as_of_us,
            tracks=own,
            met=tuple(track for track in tracks if track.role != OWN),
            silences=silences,
            stays=tuple(self._stays(voyage["hull_id"])),
            marks=tuple(_marks([finding.row for finding in case.findings], self._as_of_us)),
            bars=tuple(self._bars(case, unjudged)),
            links=tuple(_link(link) for link in (*case.chain.links, *case.chain.possible_links)),
            line=self._line(voyage["voyage_id"]),
        )

    def as_told(self, flagged: Row) -> Drawn:
        """What is drawn of a voyage that a night lists as it was told before: its line alone."""
        begin = instant_us(flagged["start"])
        return Drawn(
            voyage_id=flagged["voyage_id"],
            title=_title(flagged["name"], flagged["mmsi"]),
            start_us=begin,
            end_us=max(begin, instant_us(flagged["end"])) if flagged["end"] else self._as_of_us,
            as_of_us=self._as_of_us,
            line=self._line(flagged["voyage_id"]),
        )

    def fences(self, west: float, south: float, east: float, north: float) -> tuple[Fence, ...]:
        """The fences in sight, by id; beyond ±180° they are moved to where the frame has them."""
        found: list[Fence] = []
        for turn in TURNS:
            for i in self._tree.query(shapely.box(west - turn, south, east - turn, north)).tolist():
                fence = self._fences[i]
                shape = fence.shape if turn == 0.0 else shapely.affinity.translate(fence.shape, turn)
                found.append(Fence(fence.zone_id, fence.name, fence.kind, fence.country, fence.watch, shape))
        return tuple(sorted(found, key=lambda fence: fence.zone_id))

    def _line(self, voyage_id: str) -> BaseGeometry | None:
        wkb = self._lines.get(voyage_id)
        return None if wkb is None else shapely.from_wkb(wkb)

    def _stays(self, hull_id: str) -> Iterator[Stay]:
        rows = sorted(self._visits.of(hull_id), key=lambda row: (row["start"], row["visit_id"]))
        for row in rows:
            yield Stay(
                zone_id=row["zone_id"],
                zone_name=shown(row["zone_name"]),
                country=row["country"],
                watch=self._watch.get(row["zone_id"]),
                start_us=instant_us(row["start"]),
                end_us=None if row["end"] is None else instant_us(row["end"]),
                lat=row["lat"],
                lon=row["lon"],
                confidence=row["confidence"],
            )

    def _bars(self, case: Case, unjudged: Iterable[Silence]) -> Iterator[Bar]:
        """The hull's claims, and those of tracks that only may have been it."""
        hull = case.voyage["hull_id"]
        unheard = [_span(row) for row in self._gaps.of(hull)]
        unheard += [(one.start_us, one.end_us) for one in unjudged if one.end_us is not None]
        yield from _runs(_borne(self._spells.of(hull), case.chain.links), unheard, 1.0)
        for link in case.chain.possible_links:
            for segment_id in (link.from_segment_id, link.to_segment_id):
                spells = [row for row in self._of_segment.of(segment_id) if row["hull_id"] != hull]
                yield from _runs(spells, (), link.probability)


class _Tracks:
    """Reports by voyage; the table is sorted so that each track's stand together."""

    def __init__(self, table: pa.Table) -> None:
        table = table.combine_chunks()
        self._time = times_us(table["timestamp"])
        names = ("lat", "lon", "sog", "draught")
        self._numbers = {name: table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in names}
        keys = [table[name].to_pylist() for name in ("voyage_id", "role", "mmsi", "segment_id")]
        begins = [i for i, (a, b) in enumerate(pairwise([None, *zip(*keys, strict=True)])) if a != b]
        self._spans: dict[str, list[tuple[str, int, str, slice]]] = {}
        for begin, end in pairwise([*begins, table.num_rows]):
            voyage, role, mmsi, segment = (key[begin] for key in keys)
            self._spans.setdefault(voyage, []).append((role, mmsi, segment, slice(begin, end)))

    def of(self, voyage_id: str) -> Iterator[TrackPoints]:
        """The tracks drawn of a voyage."""
        for role, mmsi, segment, rows in self._spans.get(voyage_id, ()):
            lat, lon, sog, draught = (values[rows] for values in self._numbers.values())
            yield TrackPoints(role, mmsi, segment, self._time[rows], lat, lon, sog, draught)


def _title(name: str | None, mmsi: int) -> str:
    return f"{shown(name)} (MMSI {mmsi_text(mmsi)})" if name else f"MMSI {mmsi_text(mmsi)}"


def _silences(gaps: Iterable[Row], span: tuple[int, int]) -> Iterator[Silence]:
    """Silences that touch a span of time, in order."""
    for row in sorted(gaps, key=lambda row: (row["start"], row["event_id"])):
        start, end = instant_us(row["start"]), None if row["end"] is None else instant_us(row["end"])
        if start > span[1] or (end is not None and end < span[0]):
            continue
        so_far = " so far" if end is None else ""
        yield Silence(
            start_us=start,
            end_us=end,
            start_lat=row["start_lat"],
            start_lon=row["start_lon"],
            end_lat=row["end_lat"],
            end_lon=row["end_lon"],
            duration_h=row["duration_h"],
            reception=row["reception"],
            text=f"not heard for {row['duration_h']:,.1f} h{so_far}; {reception_in_words(row)}",
        )


def _unjudged(own: Iterable[TrackPoints], judged: Sequence[Silence]) -> Iterator[Silence]:
    """Times between two drawn reports as long as a silence, but none by the ship's habit or its few reports."""
    starts = np.array([silence.start_us for silence in judged], np.int64)
    ends = np.array([_ENDLESS if one.end_us is None else one.end_us for one in judged], np.int64)
    for track in own:
        hours = np.diff(track.time_us) / US_PER_H
        for i in np.flatnonzero(hours >= SILENCE_H).tolist():
            begin, end = int(track.time_us[i]), int(track.time_us[i + 1])
            if ((starts < end) & (ends > begin)).any():
                continue
            yield Silence(
                start_us=begin,
                end_us=end,
                start_lat=float(track.lat[i]),
                start_lon=float(track.lon[i]),
                end_lat=float(track.lat[i + 1]),
                end_lon=float(track.lon[i + 1]),
                duration_h=float(hours[i]),
                reception=UNJUDGED,
                text=f"not heard for about {hours[i]:,.0f} h; by this ship's habit no silence to be judged",
            )


def _marks(findings: Iterable[Row], as_of_us: int) -> Iterator[Mark]:
    for number, row in enumerate(findings, 1):
        yield Mark(
            number=number,
            finding_id=row["finding_id"],
            kind=row["kind"],
            headline=shown(row["headline"], 600),
            start_us=instant_us(row["start"]),
            end_us=as_of_us if row["end"] is None else instant_us(row["end"]),
            lat=row["lat"],
            lon=row["lon"],
            weight_db=row["weight_db"],
        )


def _span(gap: Row) -> tuple[int, int]:
    return instant_us(gap["start"]), _ENDLESS if gap["end"] is None else instant_us(gap["end"])


def _borne(spells: Iterable[Row], links: Sequence[HullLink]) -> Iterator[Row]:
    """Spells of a hull, those of a track parted where the hull left it for another and came back to it."""
    for row in spells:
        left = [link for link in links if link.from_silence and link.from_segment_id == row["segment_id"]]
        back = [link for link in links if link.to_silence and link.to_segment_id == row["segment_id"]]
        begin = row["first_seen"]
        for ended in sorted(link.ended for link in left):
            returns = min((link.began for link in back if link.began > ended), default=None)
            if returns is not None and begin <= ended and returns <= row["last_seen"]:
                yield {**row, "first_seen": begin, "last_seen": ended}
                begin = returns
        yield {**row, "first_seen": begin}


def _runs(spells: Iterable[Row], unheard: Iterable[tuple[int, int]], probability: float) -> Iterator[Bar]:
    """Values of each field over time: a bar as long as the ship was heard and sent nothing else, or nothing at all."""
    ordered = sorted(spells, key=lambda row: (row["first_seen"], row["last_seen"], row["mmsi"]))
    silent = sorted(unheard)
    for field in FIELDS:
        for value, group in groupby(ordered, key=lambda row: _value(row, field)):
            if value is None:
                continue
            rows = list(group)
            begin, end = instant_us(rows[0]["first_seen"]), max(instant_us(row["last_seen"]) for row in rows)
            for start_us, end_us in _heard(begin, end, silent):
                yield Bar(field, value, rows[0]["mmsi"], start_us, end_us, probability)


def _heard(begin: int, end: int, silent: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of a span of time when silences, in order, are taken out of it."""
    first = begin
    for start_us, end_us in silent:
        if end_us <= begin or start_us >= end:
            continue
        if start_us >= begin:
            yield begin, start_us
        begin = min(end_us, end)
    if begin < end or begin == first:
        yield begin, end


def _value(row: Row, field: str) -> str | None:
    """A claim as it is shown; None if nothing was sent."""
    if field == "mmsi":
        return mmsi_text(row["mmsi"])
    if field == "flag":
        return flag_state(row["mmsi"])
    value: Any = row[field]
    if value is None or value == "":
        return None
    return ship_type_label(value) if field == "ship_type" else shown(value)


def _link(link: HullLink) -> Link:
    return Link(
        from_us=instant_us(link.ended),
        at_us=instant_us(link.began),
        probability=link.probability,
        is_strong=link.is_strong,
        text=f"{shown(link.before.label)} → {shown(link.after.label)}",
    )


def _fences(zones: pa.Table) -> Sequence[Fence]:
    rows = zones.to_pylist()
    shapes = shapely.from_wkb([row["geometry"] for row in rows])
    return [
        Fence(row["zone_id"], shown(row["name"]), row["kind"], row["country"], row["watch"], shape)
        for row, shape in zip(rows, shapes, strict=True)
    ]
