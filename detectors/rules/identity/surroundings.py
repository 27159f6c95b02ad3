"""Where a ship was when its claims changed: in port, stopped, under way or unheard, and how near a watched zone.

Takes the history's visits, presences and sketches for the few MMSI asked about; gives the circumstances of a change
with words for its evidence. How much they weigh is left to the rules.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detectors.contract import Scene
from detectors.finding import Evidence
from detectors.rules.identity.claims import IntArray
from detectors.rules.identity.thresholds import Thresholds
from detectors.rules.identity.wording import span
from vessels.geodesy import FloatArray, distance_nmi
from vessels.instants import times_us
from vessels.units import US_PER_DAY, US_PER_H, US_PER_MIN

Place = Literal["in port", "stopped", "under way", "unseen"]
MIN_VISIT_CONFIDENCE: Final = 2
"""A visit without stop or silence (confidence 1) is a passage through the fence."""
_NEAR_US: Final = (45 * US_PER_MIN, 3 * US_PER_H)
"""Time around a change in which track points show the ship's speed: sketches hold one about every 20 minutes."""


class Stay(NamedTuple):
    """A stay in a zone."""

    zone_id: str
    level: str
    start_us: int
    end_us: int
    hull_id: str | None


class Points(NamedTuple):
    """Track points of one MMSI in order of time, with the segment each belongs to (-1: not known)."""

    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    segment: IntArray


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and around what something happened."""

    place: Place
    speed_kn: float
    port: str | None
    watched: Stay | None
    days: float

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The lines that say so."""
        where = {
            "in port": f"in port ({self.port})",
            "stopped": f"stopped, {self.speed_kn:.1f} kn along the track",
            "under way": f"under way at sea, {self.speed_kn:.1f} kn along the track",
            "unseen": "unheard, or with too few positions to say",
        }[self.place]
        lines = [Evidence("where the ship was at the change", where, "in port, where papers are changed")]
        if self.watched is not None:
            stay = self.watched
            when = (
                f"{stay.zone_id} (watch {stay.level}), {span(stay.start_us, stay.end_us)}, {self.days:.1f} days apart"
            )
            lines.append(Evidence("nearest stay in a watched zone", when, "none around a change of identity"))
        return tuple(lines)


class _Rows:
    """Rows of a table by MMSI."""

    def __init__(self, table: pa.Table, wanted: IntArray, *order_by: str) -> None:
        mmsi = pc.fill_null(table["mmsi"], -1).to_numpy()
        rows = np.flatnonzero(np.isin(mmsi, wanted))
        keys = [times_us(table[name])[rows] for name in reversed(order_by)]
        rows = rows[np.lexsort((*keys, mmsi[rows]))]
        self.table = table.take(pa.array(rows))
        self._mmsi = mmsi[rows]

    def of(self, mmsi: int) -> slice:
        low, high = np.searchsorted(self._mmsi, [mmsi, mmsi + 1])
        return slice(int(low), int(high))


class _ByHull:
    """Stays by MMSI and hull, so that one of thousands of ships under a filler MMSI is found at once."""

    def __init__(self) -> None:
        self._stays: dict[int, dict[str | None, list[Stay]]] = {}

    def add(self, mmsi: int, stay: Stay) -> None:
        self._stays.setdefault(mmsi, {}).setdefault(stay.hull_id, []).append(stay)

    def of(self, mmsi: int, hull_id: str | None) -> Iterator[Stay]:
        """Stays of one hull and those of no known hull; of all where no hull is given."""
        by_hull = self._stays.get(mmsi, {})
        for hull in by_hull if hull_id is None else (hull_id, None):
            yield from by_hull.get(hull, ())


class Surroundings:
    """Answers where the ships with these MMSI were; built once a run, in time linear in the tables."""

    def __init__(self, scene: Scene, wanted: Collection[int], thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        mmsi = np.array(sorted(wanted), dtype=np.int64)
        history = scene.history
        self._levels = {zone.zone_id: zone.watch for zone in scene.zones.zones}
        self._names = {zone.zone_id: zone.name for zone in scene.zones.zones}
        self._now_us = int(scene.as_of.timestamp() * 1_000_000)
        self._stays = _ByHull()
        self._visits = _ByHull()
        for stay, one, confidence in self._all_stays(history.port_visits, mmsi, visits=True):
            if confidence >= MIN_VISIT_CONFIDENCE:
                self._visits.add(one, stay)
            if stay.level != "none":
                self._stays.add(one, stay)
        for stay, one, _ in self._all_stays(history.zone_presences, mmsi, visits=False):
            if stay.level != "none":
                self._stays.add(one, stay)
        sketch_rows = _Rows(history.sketches, mmsi, "timestamp")
        self._sketch_rows = sketch_rows
        self._time_us = times_us(sketch_rows.table["timestamp"])
        self._lat = pc.fill_null(sketch_rows.table["lat"], np.nan).to_numpy()
        self._lon = pc.fill_null(sketch_rows.table["lon"], np.nan).to_numpy()
        names = sketch_rows.table["segment_id"].to_numpy().astype(object)
        codes, known = pd.factorize(names)
        self._segment = codes.astype(np.int64)
        self._segment_codes: dict[Any, int] = {name: code for code, name in enumerate(known.tolist())}
        self._by_segment = np.argsort(self._segment, kind="stable")
        self._segment_starts = np.searchsorted(self._segment[self._by_segment], np.arange(len(known) + 1))

    def _all_stays(self, table: pa.Table, wanted: IntArray, visits: bool) -> list[tuple[Stay, int, int]]:
        rows = _Rows(table, wanted, "start", "end").table
        ends = times_us(rows["end"])
        if visits:
            ends = np.where(ends == np.iinfo(np.int64).min, times_us(rows["last_seen"]), ends)
        ends = np.where(ends == np.iinfo(np.int64).min, self._now_us, ends)
        confidence = pc.fill_null(rows["confidence"], 0).to_pylist() if visits else [0] * rows.num_rows
        values = zip(
            rows["zone_id"].to_pylist(),
            times_us(rows["start"]).tolist(),
            ends.tolist(),
            rows["hull_id"].to_pylist(),
            rows["mmsi"].to_pylist(),
            confidence,
            strict=True,
        )
        return [
            (Stay(zone, self._levels.get(zone, "none"), start, max(start, end), hull), mmsi, sure)
            for zone, start, end, hull, mmsi, sure in values
        ]

    def points(self, mmsi: int, segments: Collection[str | None] = ()) -> Points:
        """Track points of an MMSI, of these segments only if any is named."""
        codes = sorted({self._segment_codes[s] for s in segments if s is not None and s in self._segment_codes})
        if not codes:
            rows = np.arange(self._sketch_rows.of(mmsi).start, self._sketch_rows.of(mmsi).stop)
        else:
            starts = self._segment_starts
            rows = np.sort(np.concatenate([self._by_segment[starts[code] : starts[code + 1]] for code in codes]))
        return Points(self._time_us[rows], self._lat[rows], self._lon[rows], self._segment[rows])

    def around(
        self, mmsi: Sequence[int], hull_id: str | None, segments: Collection[str | None], first_us: int, last_us: int
    ) -> Circumstances:
        """Circumstances of a change seen between two times, under these MMSI (old and new)."""
        place, speed_kn, port = self._place(mmsi, hull_id, segments, first_us, last_us)
        watched, days = self.watched(mmsi, hull_id, first_us, last_us)
        return Circumstances(place, speed_kn, port, watched, days)

    def _place(
        self, mmsi: Sequence[int], hull_id: str | None, segments: Collection[str | None], first_us: int, last_us: int
    ) -> tuple[Place, float, str | None]:
        for one in mmsi:
            for stay in self._visits.of(one, hull_id):
                if stay.start_us <= last_us and stay.end_us >= first_us:
                    return "in port", 0.0, self._names.get(stay.zone_id, stay.zone_id)
        if last_us - first_us > self._thresholds.unseen_h * US_PER_H:
            return "unseen", 0.0, None
        named = [segment for segment in segments if segment is not None]
        tracks = [self.points(mmsi[0], named)] if named else [self.points(one) for one in mmsi]
        for margin_us in _NEAR_US:
            near = [
                np.flatnonzero((t.time_us >= first_us - margin_us) & (t.time_us <= last_us + margin_us)) for t in tracks
            ]
            distance, hours = 0.0, 0.0
            for track, rows in zip(tracks, near, strict=True):
                one_distance, one_hours = _sailed(track, rows)
                distance, hours = distance + one_distance, hours + one_hours
            if hours > 0.0:
                speed = distance / hours
                return ("under way" if speed >= self._thresholds.under_way_kn else "stopped"), speed, None
        return "unseen", 0.0, None

    def watched(
        self, mmsi: Sequence[int], hull_id: str | None, first_us: int, last_us: int
    ) -> tuple[Stay | None, float]:
        """The nearest stay in a watched zone around a time, high before elevated, and how many days apart."""
        reach = {"high": self._thresholds.watched_days, "elevated": self._thresholds.elevated_days}
        best: tuple[tuple[int, float, int], Stay] | None = None
        for one in mmsi:
            for stay in self._stays.of(one, hull_id):
                days = max(stay.start_us - last_us, first_us - stay.end_us, 0) / US_PER_DAY
                if days > reach.get(stay.level, -1.0):
                    continue
                rank = (0 if stay.level == "high" else 1, days, stay.start_us)
                if best is None or rank < best[0]:
                    best = (rank, stay)
        return (best[1], best[0][1]) if best else (None, 0.0)


def _sailed(track: Points, rows: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Distance and time along these track points, steps between two segments left out."""
    if len(rows) < 2:
        return 0.0, 0.0
    a, b = rows[:-1], rows[1:]
    same = track.segment[a] == track.segment[b]
    steps = distance_nmi(track.lat[a], track.lon[a], track.lat[b], track.lon[b])
    hours = (track.time_us[b] - track.time_us[a]) / US_PER_H
    same &= np.isfinite(steps)
    return float(steps[same].sum()), float(hours[same].sum())
