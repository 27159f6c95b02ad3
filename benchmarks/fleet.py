"""An invented fleet and where each ship is at any second: identities, legs and the knots of its path.

A ship goes from berth to berth along the sea lanes, under way about a quarter of the time; some anchor before they
berth, some drift alone or in pairs at sea before their first port. Gives arrays only: `traffic.py` turns them into
position reports. Every name, MMSI and IMO number is made up; IMO numbers lie in 2000000 to 3999999, which no real
ship carries.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from port_table import HERE, PORTS, Port, read_ports

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LANES = HERE / "sea_lanes.json"
NMI_PER_DEG = 60.0

# Navigational status codes and reporting intervals of class A sets (ITU-R M.1371-5, tables 45 and 1).
UNDER_WAY, AT_ANCHOR, MOORED = 0, 1, 5
PERIOD_S = {UNDER_WAY: 10, AT_ANCHOR: 180, MOORED: 180}
DRIFT_PERIOD_S = 10  # a ship adrift says "under way using engine" and reports as one

# Shape of the fleet: judgements, meant to give ordinary traffic with a little of everything the detectors look for.
UNDER_WAY_SHARE = 0.25
ANCHOR_SHARE = 0.25  # calls that wait at anchor first
DRIFT_SHARE, PAIR_SHARE = 0.01, 0.004  # ships that begin adrift at sea, alone; two together
DPRK_WEIGHT = 0.002  # how much rarer a call in the DPRK is than one at an ordinary port
SHARED_MMSI_SHARE, RENAMED_SHARE = 0.002, 0.003
PILOT_NMI, PILOT_FACTOR = 4.0, 2.0  # half speed for the last and first miles

# MID and call-sign prefix by flag (ITU tables), with a weight each.
FLAGS = (
    (413, "BQ", 18), (412, "BO", 6), (477, "VR", 9), (440, "DS", 10), (441, "D7", 6), (431, "7J", 8), (273, "UB", 10),
    (636, "D5", 10), (538, "V7", 9), (352, "3E", 10), (563, "9V", 5), (574, "XV", 3), (671, "5V", 2), (518, "E5", 1),
)  # fmt: skip
# AIS ship type, speed in knots, length and beam in metres, loaded draught in metres, weight.
TYPES = (
    (70, 11.5, 110, 17, 6.8, 45), (79, 14.0, 190, 32, 11.5, 20), (80, 11.0, 98, 15, 6.2, 18),
    (89, 13.0, 180, 30, 11.0, 7), (60, 17.0, 150, 24, 6.0, 3), (52, 9.0, 30, 9, 3.8, 4), (30, 9.5, 42, 8, 3.6, 3),
)  # fmt: skip
FIRST_WORDS = [
    "EASTERN", "WESTERN", "GOLDEN", "SILVER", "BRIGHT", "PACIFIC", "ORIENT", "JADE", "CORAL", "LUCKY", "NOBLE",
    "GRAND", "NEW", "OCEAN", "STAR", "BLUE", "AMBER", "NORTHERN", "CALM", "ROYAL", "PEARL", "SWIFT", "HAPPY",
    "GLORY",
]  # fmt: skip
SECOND_WORDS = [
    "HERON", "PINE", "CRANE", "HARBOUR", "VENTURE", "FORTUNE", "HORIZON", "LOTUS", "DRAGON", "WAVE", "SPIRIT",
    "TRADER", "PIONEER", "BREEZE", "DAWN", "MAPLE", "FALCON", "UNITY", "CEDAR", "SUMMIT", "RIVER", "ISLAND",
    "PHOENIX", "MERIDIAN",
]  # fmt: skip
CALL_SIGN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Lane:
    """A way over water: to which port, how long, and its (lon, lat) points in sailing order."""

    to: int
    length_nmi: float
    points: FloatArray


@dataclass(frozen=True)
class Fleet:
    """All ships: one entry a ship, one a leg, one a knot; a knot's key is ship * span + seconds."""

    mmsi: IntArray
    imo: IntArray
    ship_type: npt.NDArray[np.int16]
    length_m: FloatArray
    beam_m: FloatArray
    name: list[str]
    call_sign: list[str]
    new_name: dict[int, tuple[float, str, str]]  # ship -> (from second, name, call sign)
    has_heading: npt.NDArray[np.bool_]
    leg_ship: IntArray
    leg_start_s: FloatArray
    leg_end_s: FloatArray
    leg_period_s: FloatArray
    leg_status: npt.NDArray[np.int8]
    leg_draught_m: FloatArray
    leg_destination: npt.NDArray[np.int32]
    leg_heading: FloatArray
    knot_key: FloatArray
    knot_lat: FloatArray
    knot_lon: FloatArray
    span_s: float
    offset_s: float
    destinations: list[str]


@dataclass
class _Log:
    """One ship's legs and knots while its voyage is being made up."""

    legs: list[tuple[float, float, float, int, float, int, float]] = field(default_factory=list)
    knots: list[FloatArray] = field(default_factory=list)


def check_digit_imo(six: int) -> int:
    """A seven-digit IMO number from its first six digits (IMO Resolution A.1117(30))."""
    return six * 10 + sum(int(d) * (7 - i) for i, d in enumerate(str(six))) % 10


def read_lanes(ports: list[Port], path: Path) -> list[list[Lane]]:
    """The lanes out of each port."""
    number = {port.zone_id: k for k, port in enumerate(ports)}
    lanes: list[list[Lane]] = [[] for _ in ports]
    for lane in json.loads(path.read_text(encoding="utf-8")):
        if lane["from"] in number and lane["to"] in number:
            a, b = number[lane["from"]], number[lane["to"]]
            points = np.asarray(lane["lon_lat"], dtype=np.float64)
            lanes[a].append(Lane(b, lane["length_nmi"], points))
            lanes[b].append(Lane(a, lane["length_nmi"], points[::-1]))
    return lanes


def miles_along(points: FloatArray) -> FloatArray:
    """Miles run from the first of (lon, lat) points to each."""
    shrink = np.cos(np.radians((points[1:, 1] + points[:-1, 1]) / 2))
    legs = np.hypot(np.diff(points[:, 1]), np.diff(points[:, 0]) * shrink)
    return np.concatenate([[0.0], NMI_PER_DEG * np.cumsum(legs)])


def sail(points: FloatArray, speed_kn: float, start_s: float, slow_end: bool) -> FloatArray:
    """Knots (second, lat, lon) of a passage: slow out of port, then full speed, then slow again."""
    run = miles_along(points)
    pilots = [PILOT_NMI] + ([run[-1] - PILOT_NMI] if slow_end else [])
    at = np.unique(np.concatenate([run, [mile for mile in pilots if 0 < mile < run[-1]]]))
    middle = (at[1:] + at[:-1]) / 2
    slow = (middle < PILOT_NMI) | ((middle > run[-1] - PILOT_NMI) & slow_end)
    hours = np.diff(at) / np.where(slow, speed_kn / PILOT_FACTOR, speed_kn)
    seconds = start_s + 3600.0 * np.concatenate([[0.0], np.cumsum(hours)])
    return np.column_stack([seconds, np.interp(at, run, points[:, 1]), np.interp(at, run, points[:, 0])])


def point_in(fence: shapely.Polygon, rng: np.random.Generator) -> FloatArray:
    """A berth: some (lon, lat) inside a fence."""
    west, south, east, north = fence.bounds
    while True:
        xy = rng.uniform((west, south), (east, north))
        if shapely.contains_xy(fence, *xy):
            return np.asarray(xy)


def part_of(points: FloatArray, first_mile: float, last_mile: float) -> FloatArray:
    """The stretch of a path between two miles."""
    run = miles_along(points)
    at = np.concatenate([[first_mile], run[(run > first_mile) & (run < last_mile)], [last_mile]])
    return np.column_stack([np.interp(at, run, points[:, 0]), np.interp(at, run, points[:, 1])])


def make_voyages(
    ports: list[Port], lanes: list[list[Lane]], end_s: float, speed_kn: float, draught_m: float,
    adrift: FloatArray | None, rng: np.random.Generator,
) -> _Log:  # fmt: skip
    """One ship's berths, anchorages and passages from before second 0 until after ``end_s``."""
    log = _Log()
    weight = np.array([DPRK_WEIGHT if port.country == "KP" else 1.0 for port in ports])
    calls = np.array([len(lane) for lane in lanes])
    here = int(rng.choice(len(ports), p=weight * calls / (weight * calls).sum()))
    berth = point_in(ports[here].fence, rng)
    clock = -3600.0 * rng.uniform(2.0, 60.0) if adrift is None else -3600.0
    loaded = bool(rng.random() < 0.5)

    def stay(hours: float, status: int, period: float, where: FloatArray, to: int) -> None:
        nonlocal clock
        end = clock + 3600.0 * hours
        draught = round(draught_m * (1.0 if loaded else 0.62) + rng.uniform(-0.2, 0.2), 1)
        log.legs.append((clock, end, period, status, draught, to, rng.uniform(0, 360)))
        log.knots.append(np.array([[clock, where[1], where[0]], [end - 1.0, where[1], where[0]]]))
        clock = end

    def passage(points: FloatArray, to: int, slow_end: bool) -> None:
        nonlocal clock
        knots = sail(points, speed_kn * rng.uniform(0.9, 1.05), clock, slow_end)
        draught = round(draught_m * (1.0 if loaded else 0.62) + rng.uniform(-0.2, 0.2), 1)
        end = float(knots[-1, 0])
        log.legs.append((clock, end, PERIOD_S[UNDER_WAY], UNDER_WAY, draught, to, math.nan))
        log.knots.append(knots)
        clock = end

    while clock < end_s:
        choice = lanes[here]
        pull = np.array([weight[lane.to] * math.exp(-lane.length_nmi / 350.0) for lane in choice])
        lane = choice[int(rng.choice(len(choice), p=pull / pull.sum()))]
        there = point_in(ports[lane.to].fence, rng)
        path = np.vstack([berth, lane.points, there])
        length = miles_along(path)[-1]
        if adrift is not None:  # begins at sea, on the way to its first port
            stay(rng.uniform(9.0, 16.0), UNDER_WAY, DRIFT_PERIOD_S, adrift, lane.to)
            path = np.vstack([adrift, lane.points[-1:], there])
            length, adrift = miles_along(path)[-1], None
        else:
            sea_h = length / speed_kn
            rest = sea_h * (1 / UNDER_WAY_SHARE - 1) * rng.lognormal(-0.1, 0.45)
            stay(float(np.clip(rest, 6.0, 120.0)), MOORED, PERIOD_S[MOORED], berth, here)
            loaded = not loaded
        if length > 30.0 and rng.random() < ANCHOR_SHARE:
            wait = length - rng.uniform(5.0, 12.0)
            passage(part_of(path, 0.0, wait), lane.to, True)
            stay(rng.uniform(3.0, 30.0), AT_ANCHOR, PERIOD_S[AT_ANCHOR], part_of(path, wait, length)[0], lane.to)
            path = part_of(path, wait, length)
        passage(path, lane.to, True)
        here, berth = lane.to, there
    return log


def adrift_places(n: int, lanes: list[list[Lane]], rng: np.random.Generator) -> dict[int, FloatArray]:
    """Ships that begin at sea: alone at some mid-lane point, or two within a cable of each other."""
    long = [lane for lane_list in lanes for lane in lane_list if lane.length_nmi > 200.0]
    alone, pairs = round(n * DRIFT_SHARE), round(n * PAIR_SHARE)
    chosen = rng.permutation(n)[: alone + 2 * pairs]
    places: dict[int, FloatArray] = {}
    for k, ship in enumerate(chosen):
        if k >= alone and (k - alone) % 2:
            places[int(ship)] = places[int(chosen[k - 1])] + rng.uniform(-0.001, 0.001, 2)
        else:
            lane = long[int(rng.integers(len(long)))]
            places[int(ship)] = part_of(lane.points, lane.length_nmi * rng.uniform(0.4, 0.6), lane.length_nmi)[0]
    return places


def make_fleet(n: int, days: int, seed: int, ports_path: Path = PORTS, lanes_path: Path = LANES) -> Fleet:
    """``n`` ships over ``days`` days, the same for the same seed."""
    rng = np.random.default_rng([seed, n, days])
    ports = read_ports(ports_path)
    lanes = read_lanes(ports, lanes_path)
    flag_of = rng.choice(len(FLAGS), size=n, p=np.array([f[2] for f in FLAGS]) / sum(f[2] for f in FLAGS))
    type_of = rng.choice(len(TYPES), size=n, p=np.array([t[5] for t in TYPES]) / sum(t[5] for t in TYPES))
    size = rng.lognormal(0.0, 0.18, n)
    mmsi = np.array([FLAGS[f][0] for f in flag_of]) * 1_000_000 + rng.permutation(999_000)[:n] + 500
    imo = np.array([check_digit_imo(200_000 + int(k)) for k in rng.permutation(200_000)[:n]])

    def new_name() -> str:
        words = f"{rng.choice(FIRST_WORDS)} {rng.choice(SECOND_WORDS)}"
        return words if rng.random() < 0.5 else f"{words} {rng.integers(2, 99)}"

    def new_call_sign(ship: int) -> str:
        letters = "".join(rng.choice(list(CALL_SIGN_LETTERS), 2))
        return f"{FLAGS[flag_of[ship]][1]}{letters}{rng.integers(2, 9)}"

    names = [new_name() for _ in range(n)]
    call_signs = [new_call_sign(ship) for ship in range(n)]
    end_s = days * 86_400.0
    renamed = rng.permutation(n)[: round(n * RENAMED_SHARE)]
    changes = {int(s): (float(rng.uniform(0.2, 0.8) * end_s), new_name(), new_call_sign(int(s))) for s in renamed}
    for ship in rng.permutation(n - 1)[: round(n * SHARED_MMSI_SHARE)]:
        mmsi[ship + 1] = mmsi[ship]

    places = adrift_places(n, lanes, rng)
    legs, leg_ship, knots = [], [], []
    offset, span = 100.0 * 3600.0, end_s + 1000.0 * 3600.0  # knots begin before second 0 and run on past the end
    for ship in range(n):
        about = TYPES[type_of[ship]]
        speed = about[1] * rng.uniform(0.88, 1.12)
        log = make_voyages(ports, lanes, end_s, speed, about[4] * size[ship], places.get(ship), rng)
        legs.extend(log.legs)
        leg_ship.append(np.full(len(log.legs), ship))
        knot = np.vstack(log.knots)
        knot[:, 0] += ship * span + offset
        knots.append(knot)
    leg = np.array(legs)
    knot = np.vstack(knots)
    order = np.argsort(knot[:, 0], kind="stable")
    return Fleet(
        mmsi=mmsi,
        imo=imo,
        ship_type=np.array([TYPES[t][0] for t in type_of], dtype=np.int16),
        length_m=np.round(np.array([TYPES[t][2] for t in type_of]) * size),
        beam_m=np.round(np.array([TYPES[t][3] for t in type_of]) * size),
        name=names,
        call_sign=call_signs,
        new_name=changes,
        has_heading=rng.random(n) > 0.06,
        leg_ship=np.concatenate(leg_ship),
        leg_start_s=leg[:, 0],
        leg_end_s=leg[:, 1],
        leg_period_s=leg[:, 2],
        leg_status=leg[:, 3].astype(np.int8),
        leg_draught_m=leg[:, 4],
        leg_destination=leg[:, 5].astype(np.int32),
        leg_heading=leg[:, 6],
        knot_key=knot[order, 0],
        knot_lat=knot[order, 1],
        knot_lon=knot[order, 2],
        span_s=span,
        offset_s=offset,
        destinations=[port.destination for port in ports],
    )
