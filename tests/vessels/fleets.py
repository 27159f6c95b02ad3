"""Small invented fleets for tests of what ships do slowly: their tables, as the fleet step takes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tests.vessels.builders import EVER, T0_US, Row, gathered, instant
from vessels.events.encounters import find_encounters
from vessels.events.loitering import find_loitering
from vessels.events.port_visits import find_visits, visits_table
from vessels.events.slow import SlowParameters, find_slow, harbour_sets
from vessels.events.slow_tables import DRAUGHT_SPELLS, SLOW_SAMPLES, SLOW_STRETCHES
from vessels.events.stays import find_stays
from vessels.geodesy import wrap_degrees
from vessels.schema import PORT_VISITS, SEGMENTS, SKETCHES
from vessels.segments import Segments, segment_ids, separate
from vessels.thinning import thin_rows
from vessels.units import US_PER_S
from vessels.zones import Zones

SEA = (36.0, 124.0)
"""A place in the open sea, 60 nmi from any fence."""
Shore = Callable[[Any, Any], Any]


def far_off(lat: Any, _: Any) -> Any:
    """A sea without shores."""
    return np.full(len(lat), 50.0)


@dataclass(frozen=True)
class Fleet:
    """The tables of all blocks of a fleet."""

    samples: pa.Table
    stretches: pa.Table
    draughts: pa.Table
    segments: pa.Table
    sketches: pa.Table
    visits: pa.Table
    shore: Shore
    as_of_us: int

    def encounters(self, *parameters: Any) -> list[dict[str, Any]]:
        """The encounters of the fleet, as rows."""
        settled = self.stretches, self.draughts, self.segments, self.sketches, self.visits
        found = find_encounters(self.samples, *settled, self.shore, self.as_of_us, *parameters)
        return found.to_pylist()

    def loitering(self, *parameters: Any) -> list[dict[str, Any]]:
        """The loitering of the fleet, as rows."""
        settled = self.stretches, self.draughts, self.segments, self.sketches, self.visits
        return find_loitering(*settled, self.as_of_us, *parameters).to_pylist()


def _draught(segments: Segments) -> Any:
    """The last draught said so far."""
    out = np.full(len(segments), np.nan)
    for first, end in zip(segments.offsets[:-1], segments.offsets[1:], strict=True):
        said = np.nan
        for row in range(int(first), int(end)):
            said = said if np.isnan(segments.draught[row]) else float(np.round(float(segments.draught[row]), 2))
            out[row] = said
    return out


def _segments(segments: Segments, ids: Sequence[str]) -> pa.Table:
    first, last = segments.offsets[:-1], segments.offsets[1:] - 1
    known = {
        "segment_id": list(ids),
        "hull_id": [f"hull of {name}" for name in ids],
        "mmsi": segments.mmsi[segments.vessel],
        "start": segments.time_us[first],
        "end": segments.time_us[last],
    }
    return SEGMENTS.build({c.name: known.get(c.name, pa.nulls(len(ids), c.type)) for c in SEGMENTS.columns})


def _sketches(segments: Segments, ids: Sequence[str]) -> pa.Table:
    rows = thin_rows(segments, 20.0)
    track = segments.segment_of_rows[rows]
    return SKETCHES.build(
        {
            "segment_id": [ids[t] for t in track.tolist()],
            "mmsi": segments.mmsi[segments.vessel[track]],
            "timestamp": segments.time_us[rows],
            "lat": segments.lat[rows],
            "lon": segments.lon[rows],
            "sog": segments.sog[rows],
            "draught": segments.draught[rows],
        }
    )


def fleet_of(
    *files: Sequence[Row],
    zones: Zones | None = None,
    shore: Shore = far_off,
    slow: SlowParameters | None = None,
    as_of: float | None = None,
    **how: Any,
) -> Fleet:
    """The tables of some files of rows; `as_of` in seconds after `T0`, by default the last report."""
    zones = zones or Zones(())
    gatherer = gathered(files, **how)
    parts: list[tuple[pa.Table, ...]] = []
    newest = 0
    for number in range(gatherer.n_buckets):
        segments = separate(gatherer.block(number, EVER))
        newest = max(newest, int(segments.time_us.max()) if len(segments) else 0)
        ids = segment_ids(segments)
        fence_set = zones.index.lookup(segments.lat, segments.lon)
        draught = _draught(segments)
        found = find_slow(segments, ids, harbour_sets(zones)[fence_set], draught, shore, slow or SlowParameters())
        visits = find_visits(segments, zones, fence_set, find_stays(segments, zones, fence_set))
        called = visits_table(segments, ids, ids, zones, visits, draught)
        tracks = _segments(segments, ids), _sketches(segments, ids), called
        parts.append((found.samples, found.stretches, found.draughts, *tracks))
    declared = SLOW_SAMPLES, SLOW_STRETCHES, DRAUGHT_SPELLS, SEGMENTS, SKETCHES, PORT_VISITS
    tables = [table.concat(part[i] for part in parts) for i, table in enumerate(declared)]
    return Fleet(*tables, shore, newest if as_of is None else T0_US + round(as_of * US_PER_S))


def drift(
    mmsi: int,
    t: float,
    place: tuple[float, float],
    hours: float,
    *,
    speed_kn: float = 0.4,
    every_s: float = 600.0,
    **said: Any,
) -> list[dict[str, Any]]:
    """Reports of a ship that drifts north."""
    n = round(hours * 3600.0 / every_s)
    north = speed_kn * every_s / 216_000.0
    row = {"mmsi": mmsi, "lon": place[1], "sog": speed_kn, "cog": 0.0, **said}
    return [{**row, "t": t + i * every_s, "lat": round(place[0] + north * i, 6)} for i in range(n + 1)]


def off(place: tuple[float, float], metres: float) -> tuple[float, float]:
    """A place so far north of another."""
    return round(place[0] + metres / 111_195.0, 6), place[1]


def turned(rows: Sequence[Row], degrees: float) -> list[dict[str, Any]]:
    """The rows with all longitudes moved east."""
    return [{**row, "lon": round(float(wrap_degrees(row["lon"] + degrees)), 6)} for row in rows]


def moment(t: float) -> Any:
    """The instant so many seconds after `T0`."""
    return instant(t)
