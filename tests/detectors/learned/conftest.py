"""Invented fleets for the learned detectors: voyages drawn at random, ordinary unless a test makes one odd."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from detectors.contract import Scene
from detectors.learned.baseline import Baseline, fit_baseline
from detectors.watchlist import WatchList
from vessels.event_tables import ENCOUNTERS, GAPS, LOITERING, POSITION_EVENTS
from vessels.history import History
from vessels.schema import (
    COVERAGE,
    HULL_LINKS,
    IDENTITIES,
    PORT_VISITS,
    SEGMENTS,
    SILENCES,
    SKETCHES,
    VESSELS,
    VOYAGE_PARTS,
    VOYAGES,
    ZONE_PRESENCES,
    make_id,
)
from vessels.zones import Zone, Zones

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
AS_OF = BEGIN + timedelta(days=400)
CLASSES = {"cargo": 70, "tanker": 80, "fishing": 30, "passenger": 60}
SPEEDS_KN = {"cargo": 11.0, "tanker": 12.0, "fishing": 7.0, "passenger": 18.0}
LENGTHS_M = {"cargo": 105.0, "tanker": 120.0, "fishing": 40.0, "passenger": 140.0}
SHARES = {"cargo": 0.55, "tanker": 0.25, "fishing": 0.12, "passenger": 0.08}


def zone(zone_id: str, watch: Any, west: float, south: float, size: float = 0.5) -> Zone:
    return Zone(
        zone_id=zone_id,
        name=zone_id,
        kind="port",
        country="KP",
        tags=frozenset(),
        watch=watch,
        unlocodes=(),
        alt_names=(),
        lat=south + size / 2,
        lon=west + size / 2,
        geometry=shapely.box(west, south, west + size, south + size),
    )


WATCHED = Zones((zone("KP_TEST", "high", 125.0, 38.5), zone("CN_TEST", "elevated", 121.5, 38.8)))


@dataclass(frozen=True)
class Fleet:
    """Rows of the three tables that voyage features are measured from."""

    voyages: list[dict[str, Any]]
    identities: list[dict[str, Any]]
    sketches: list[dict[str, Any]]

    def history(self, shuffle: int | None = None) -> History:
        tables = []
        for number, (table, rows) in enumerate(
            ((IDENTITIES, self.identities), (SKETCHES, self.sketches), (VOYAGES, self.voyages))
        ):
            built = table.build({name: [row.get(name) for row in rows] for name in table.names})
            if shuffle is not None:
                built = built.take(np.random.default_rng(shuffle + number).permutation(built.num_rows))
            tables.append(built)
        return History(
            as_of=AS_OF,
            vessels=VESSELS.empty(),
            identities=tables[0],
            segments=SEGMENTS.empty(),
            port_visits=PORT_VISITS.empty(),
            zone_presences=ZONE_PRESENCES.empty(),
            voyages=tables[2],
            sketches=tables[1],
            coverage=COVERAGE.empty(),
            silences=SILENCES.empty(),
            hull_links=HULL_LINKS.empty(),
            voyage_parts=VOYAGE_PARTS.empty(),
            gaps=GAPS.empty(),
            loitering=LOITERING.empty(),
            encounters=ENCOUNTERS.empty(),
            position_events=POSITION_EVENTS.empty(),
        )

    def with_voyage(self, number: int, **changes: Any) -> "Fleet":
        """The same fleet with one voyage made odd."""
        voyages = [dict(row) for row in self.voyages]
        assert set(changes) <= set(VOYAGES.names)
        voyages[number] |= changes
        return replace(self, voyages=voyages)

    def with_all(self, **changes: Any) -> "Fleet":
        return replace(self, voyages=[row | changes for row in self.voyages])

    def with_type(self, ship_type: int | None) -> "Fleet":
        return replace(self, identities=[row | {"ship_type": ship_type} for row in self.identities])


def sail(n_vessels: int, voyages_each: int, seed: int, classes: Sequence[str] = tuple(CLASSES)) -> Fleet:
    """Ordinary voyages: habits of the class, of the ship, and chance, with the long tails that stops and silences have.

    Invented: MMSI of the Marshall Islands' digits in a block of their own per seed.
    """
    rng = np.random.default_rng(seed)
    share = np.array([SHARES[name] for name in classes])
    fleet = Fleet([], [], [])
    for vessel in range(n_vessels):
        kind = classes[int(rng.choice(len(classes), p=share / share.sum()))]
        mmsi = 538_000_000 + (seed % 90) * 10_000 + vessel
        segment_id = make_id("segment", mmsi)
        speed = SPEEDS_KN[kind] + rng.normal(0.0, 1.2)
        stops, noise = rng.gamma(2.0, 0.15), rng.gamma(3.0, 0.1)
        start = BEGIN + timedelta(hours=float(rng.uniform(0.0, 48.0)))
        fleet.identities.append(
            {
                "mmsi": mmsi,
                "segment_id": segment_id,
                "name": f"TEST VESSEL {vessel}",
                "ship_type": CLASSES[kind],
                "length_m": round(LENGTHS_M[kind] + float(rng.normal(0.0, 12.0))),
                "first_seen": start - timedelta(hours=1),
                "last_seen": AS_OF,
                "n_reports": 100,
            }
        )
        for _ in range(voyages_each):
            voyage = _voyage(rng, kind, speed, stops, noise)
            end = start + timedelta(hours=voyage["duration_h"])
            lat, lon = rng.uniform(33.0, 36.0), rng.uniform(122.5, 124.5)
            voyage |= {
                "voyage_id": make_id("voyage", mmsi, start.isoformat()),
                "hull_id": segment_id,
                "segment_id": segment_id,
                "mmsi": mmsi,
                "start": start,
                "end": end,
                "is_open": False,
                "origin": "CN_TEST",
                "destination": "KR_TEST",
                "last_seen": end,
                "span_end": end + timedelta(hours=10),
            }
            fleet.voyages.append(voyage)
            for step in range(4):
                when = start + timedelta(hours=voyage["duration_h"] * step / 3)
                place = {"lat": lat + 0.3 * step, "lon": lon + 0.1 * step}
                fleet.sketches.append({"segment_id": segment_id, "mmsi": mmsi, "timestamp": when, **place})
            start = end + timedelta(hours=float(rng.uniform(5.0, 40.0)))
    return fleet


def _voyage(rng: np.random.Generator, kind: str, speed: float, stops: float, noise: float) -> dict[str, Any]:
    duration_h = float(rng.gamma(3.0, 14.0) + 7.0)
    mean = max(speed + rng.normal(0.0, 0.6), 2.0)
    n_stops = int(rng.poisson(stops * duration_h / 24.0))
    longest_stop = float(rng.lognormal(0.6, 0.9)) + 0.5 if n_stops else 0.0
    silence = float(rng.lognormal(-0.5, 1.0))
    slow = min(longest_stop / duration_h + abs(rng.normal(0.0, 0.03)), 1.0)
    spread = abs(rng.normal(1.5, 0.5)) + 4.0 * slow
    return {
        "duration_h": duration_h,
        "n_positions": int(duration_h * 20),
        "distance_nmi": mean * duration_h * (1 - slow),
        "moving_h": duration_h * (1 - slow),
        "mean_speed_kn": mean,
        "median_speed_kn": mean + 0.2,
        "speed_spread_kn": spread,
        "max_speed_kn": mean + spread + abs(rng.normal(0.5, 0.4)),
        "slow_share": slow,
        "n_stops_at_sea": n_stops,
        "longest_stop_h": longest_stop,
        "detour_ratio": None if rng.uniform() < 0.05 else 1.0 + float(rng.lognormal(-2.5, 0.7)),
        "turning_deg_per_nmi": float(rng.lognormal(1.0 if kind != "fishing" else 2.5, 0.5)),
        "longest_silence_h": silence,
        "silence_share": max(silence - 2.0, 0.0) / duration_h,
        "interval_irregularity": 0.5 + noise + abs(rng.normal(0.0, 0.1)),
        "draught_change_m": float(rng.choice([0.0, 0.0, 0.0, 0.0, 0.1, 0.2, -0.3])) if kind != "fishing" else None,
        "night_share": float(np.clip(rng.normal(0.5, 0.15), 0.0, 1.0)),
        "status_mismatch_share": float(rng.beta(1.0, 20.0)) if rng.uniform() < 0.2 else 0.0,
        "drift_angle_deg": abs(float(rng.normal(3.0, 1.5))),
        "speed_residual_kn": float(rng.normal(0.0, 0.15)),
    }


ODD = {
    "longest_stop_h": 60.0,
    "slow_share": 0.8,
    "n_stops_at_sea": 9,
    "silence_share": 0.6,
    "longest_silence_h": 40.0,
    "draught_change_m": 4.5,
    "detour_ratio": 3.5,
}
"""What a meeting at sea with the radio silent does to a voyage."""


def scene_of(fleet: Fleet, zones: Zones = WATCHED, shuffle: int | None = None) -> Scene:
    return Scene(fleet.history(shuffle), zones, WatchList(), AS_OF)


@pytest.fixture(scope="session")
def ordinary() -> Fleet:
    """800 ordinary voyages of 100 ships: what the baseline is learned from."""
    return sail(100, 8, seed=1)


@pytest.fixture(scope="session")
def tonight() -> Fleet:
    """Another fleet of the same habits, never seen by the baseline."""
    return sail(40, 5, seed=2)


@pytest.fixture(scope="session")
def baseline(ordinary: Fleet) -> Baseline:
    return fit_baseline(ordinary.history(), WATCHED)


@pytest.fixture(scope="session")
def at_sea() -> Callable[..., Fleet]:
    return sail


@pytest.fixture(scope="session")
def watch() -> Callable[..., Scene]:
    return scene_of


@pytest.fixture(scope="session")
def odd() -> dict[str, Any]:
    return ODD


@pytest.fixture(scope="session")
def make_zone() -> Callable[..., Zone]:
    return zone


@pytest.fixture(scope="session")
def watched() -> Zones:
    return WATCHED


@pytest.fixture(scope="session")
def no_rows() -> pa.Table:
    return VOYAGES.empty()
