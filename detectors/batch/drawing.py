"""The tables by which people see a run: tracks of flagged voyages and of ships they met, and the fences in force.

Takes a history, its flagged voyages and their findings, and zones; gives tables. Drawing them is `detectors.report`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from detectors.finding import Finding
from detectors.run_tables import FENCES, MET, OWN, TRACKS
from vessels.history import History
from vessels.instants import instant_us, times_us
from vessels.zones import Zones

AROUND: Final = timedelta(hours=12)
"""How long before and after a finding the other ships it speaks of are shown: how they came, and how they went."""

IntArray = npt.NDArray[np.int64]


def tracks_table(history: History, flagged: pa.Table, findings: Iterable[Finding]) -> pa.Table:
    """The `tracks` table: reports of each flagged voyage, and of other ships around the findings that name them.

    A flagged voyage that the history does not hold (a night lists it as it was told before) has none.
    """
    sketches = _Sketches(history)
    spans = _spans(history, flagged["voyage_id"])
    others: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.voyage_id in spans:
            others[finding.voyage_id].append(finding)
    rows: list[IntArray] = []
    voyages: list[tuple[str, str, int]] = []
    for voyage_id, (begin, end, tracks) in sorted(spans.items()):
        own = np.concatenate([sketches.of_track(mmsi, segment, begin, end) for mmsi, segment in tracks])
        met = _met(others[voyage_id], sketches, (begin, end), {mmsi for mmsi, _ in tracks}, history)
        met = met[~sketches.are_of(met, tracks)]
        for role, kept in ((OWN, own), (MET, met)):
            rows.append(kept)
            voyages.append((voyage_id, role, len(kept)))
    taken = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    lengths = [n for _, _, n in voyages]
    columns = {name: sketches.table[name].take(pa.array(taken)) for name in sketches.table.column_names}
    named = {
        "voyage_id": np.repeat(np.array([voyage for voyage, _, _ in voyages], dtype=object), lengths),
        "role": np.repeat(np.array([role for _, role, _ in voyages], dtype=object), lengths),
    }
    return TRACKS.build({**{name: columns[name] for name in TRACKS.names if name not in named}, **named})


def _spans(history: History, flagged: pa.ChunkedArray) -> dict[str, tuple[int, int, list[tuple[int, str]]]]:
    """Of each flagged voyage: from when to when its ship is shown, stays at both ends included, and its tracks."""
    kept = history.voyages.filter(pc.is_in(history.voyages["voyage_id"], value_set=flagged.combine_chunks()))
    columns = [kept[name].to_pylist() for name in ("voyage_id", "mmsi", "segment_id")]
    begins_us, ends_us = (
        times_us(pc.coalesce(kept["span_start"], kept["start"])),
        np.maximum(times_us(kept["span_end"]), times_us(kept["last_seen"])),
    )
    parts: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for part in history.voyage_parts.select(["voyage_id", "mmsi", "segment_id"]).to_pylist():
        parts[part["voyage_id"]].append((part["mmsi"], part["segment_id"]))
    return {
        voyage_id: (begin, end, sorted(parts.get(voyage_id) or [(mmsi, segment_id)]))
        for voyage_id, mmsi, segment_id, begin, end in zip(*columns, begins_us.tolist(), ends_us.tolist(), strict=True)
    }


def _met(
    findings: Iterable[Finding], sketches: "_Sketches", span: tuple[int, int], own: set[int], history: History
) -> IntArray:
    """Rows of the ships that findings of one voyage speak of, around each finding and while the voyage lasts.

    Other tracks under the voyage's own number are shown for the time of the finding alone: before it and after it they
    may be other voyages of this ship.
    """
    rows: list[IntArray] = []
    for finding in findings:
        start, end = instant_us(finding.start), instant_us(finding.end or history.as_of)
        for mmsi in {finding.mmsi, *finding.other_mmsi}:
            around = 0 if mmsi in own else round(AROUND / timedelta(microseconds=1))
            rows.append(sketches.of_mmsi(mmsi, max(start, span[0]) - around, min(end, span[1]) + around))
    return np.unique(np.concatenate(rows)) if rows else np.zeros(0, dtype=np.int64)


class _Sketches:
    """Kept reports by MMSI, track and time."""

    def __init__(self, history: History) -> None:
        whole = history.sketches.combine_chunks()
        segment = whole["segment_id"].combine_chunks().dictionary_encode()
        self._numbers = {name: i for i, name in enumerate(segment.dictionary.to_pylist())}
        codes = segment.indices.to_numpy()
        order = np.lexsort((times_us(whole["timestamp"]), codes, whole["mmsi"].to_numpy()))
        self.table = whole.take(pa.array(order))
        self._mmsi = whole["mmsi"].to_numpy()[order]
        self._segment = codes[order]
        self._time = times_us(whole["timestamp"])[order]

    def of_mmsi(self, mmsi: int, begin_us: int, end_us: int) -> IntArray:
        """Rows of an MMSI from one instant to another."""
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1]).tolist()
        time = self._time[low:high]
        rows: IntArray = low + np.flatnonzero((time >= begin_us) & (time <= end_us))
        return rows

    def are_of(self, rows: IntArray, tracks: Iterable[tuple[int, str]]) -> npt.NDArray[np.bool_]:
        """Whether each row is of one of these tracks. Shape (n,)."""
        numbers = [self._numbers.get(segment_id, -1) for _, segment_id in tracks]
        return np.isin(self._segment[rows], numbers)

    def of_track(self, mmsi: int, segment_id: str, begin_us: int, end_us: int) -> IntArray:
        """Rows of one track from one instant to another."""
        rows = self.of_mmsi(mmsi, begin_us, end_us)
        own: IntArray = rows[self._segment[rows] == self._numbers.get(segment_id, -1)]
        return own


def zones_table(zones: Zones) -> pa.Table:
    """The `zones` table: every fence in force."""
    return FENCES.build({name: [row[name] for row in _zone_rows(zones)] for name in FENCES.names})


def _zone_rows(zones: Zones) -> Iterator[dict[str, Any]]:
    for zone in zones.zones:
        yield {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "kind": zone.kind,
            "country": zone.country,
            "tags": sorted(zone.tags),
            "watch": None if zone.watch == "none" else zone.watch,
            "geometry": shapely.to_wkb(zone.geometry),
        }
