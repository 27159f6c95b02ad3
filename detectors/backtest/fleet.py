"""The user's tracks in memory, a ship's rows together, and which ships something can be planted into.

Takes a table of canonical rows; gives `Fleet`: arrays sorted by (mmsi, timestamp), and a `Ship` for each vessel that
sends a whole, steady identity. What is planted, and where, is left to the kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.ais import MmsiKind, clean_call_sign, clean_text, imo_check_digit_ok, mmsi_kinds, parse_imo
from vessels.geodesy import distance_nmi, step_distances_nmi
from vessels.units import US_PER_H, US_PER_MIN

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

SIDE_H: Final = 12
"""A change needs half a day of track before it and after it, or neither of the two has a past or a future."""
SIDE_REPORTS: Final = 12
"""... and as many positions: one an hour, what satellites give at worst."""
STILL_KN: Final = 0.5
"""Slower is lying still: at berth or at anchor a set reports 0.0 to 0.4 kn of noise."""
MOVING_KN: Final = 3.0
"""Faster is under way: above the 3 kn to which ITU-R M.1371-5 (table 1) lets a set at anchor drift."""
IMPLAUSIBLE_KN: Final = 60.0
"""No merchant ship sails so fast; the fastest ferries make about 50 kn."""
IMPLAUSIBLE_NMI: Final = 2.0
"""Shorter jumps are noise of the position, not another ship."""
IMPLAUSIBLE_SHARE: Final = 0.01
"""A track with more such steps is no single ship's: it would not be known what was planted into what."""
DOWN_MIN: Final = 30.0
"""A silence of all ships so long is the feed's, where it is no common one: half an hour is many packets."""
DOWN_TIMES: Final = 100.0
"""... and so many times the usual time between two reports of anyone, so that few ships are not taken for no feed."""
_NOWHERE: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a ship says it is: all that its set is told, voyage data left out."""

    mmsi: int
    imo: int
    name: str
    call_sign: str
    ship_type: int
    length_m: float
    beam_m: float


@dataclass(frozen=True, slots=True)
class Ship:
    """One ship of the fleet: its number in it, its rows (from, to), those that hold a position, who it says it is."""

    number: int
    begin: int
    end: int
    positions: IntArray
    identity: Identity

    @property
    def mmsi(self) -> int:
        """The MMSI it sends in the user's own data."""
        return self.identity.mmsi


class Texts(NamedTuple):
    """A text column: for each row the place of its value, -1 where it says nothing; and the different values."""

    codes: Codes
    values: tuple[str, ...]


class Near(NamedTuple):
    """A ship heard near a place within the hour, and the row that says so."""

    ship: int
    row: int


@dataclass(frozen=True)
class Fleet:
    """All rows, sorted by (mmsi, timestamp). Arrays have shape (rows,), `offsets` (vessels + 1,).

    `ships` are those that something can be planted into, by vessel number, `unfit` counts the others by what they
    lack; `rows` holds the columns nobody edits too.
    """

    rows: pa.Table
    mmsi: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    speed_kn: FloatArray
    texts: dict[str, Texts]
    ship_type: npt.NDArray[np.int16]
    length_m: FloatArray
    beam_m: FloatArray
    offsets: IntArray
    ships: Mapping[int, Ship]
    unfit: Mapping[str, int]

    @property
    def n_vessels(self) -> int:
        """MMSI heard."""
        return len(self.offsets) - 1

    @property
    def span_us(self) -> tuple[int, int]:
        """First and last report."""
        return int(self.time_us.min()), int(self.time_us.max())

    @cached_property
    def _outages(self) -> tuple[IntArray, IntArray]:
        """Last report before and first after each silence of the feed."""
        times = np.sort(self.time_us)
        between = np.diff(times)
        if not len(between):
            return times, times
        down = np.flatnonzero(between > max(DOWN_MIN * US_PER_MIN, DOWN_TIMES * float(np.median(between))))
        return times[down], times[down + 1]

    def is_down(self, time_us: IntArray) -> npt.NDArray[np.bool_]:
        """Whether nobody at all was heard about these instants. Shape (n,)."""
        fell, rose = self._outages
        at = np.searchsorted(rose, time_us, "right")
        down: npt.NDArray[np.bool_] = (at < len(fell)) & (np.append(fell, _NOWHERE)[at] < time_us)
        return down

    def rows_from(self, ship: Ship, us: int) -> IntArray:
        """The ship's rows at or after an instant, those without a position among them."""
        first = ship.begin + int(np.searchsorted(self.time_us[ship.begin : ship.end], us))
        return np.arange(first, ship.end)

    def rows_between(self, ship: Ship, after_us: int, before_us: int) -> IntArray:
        """The ship's rows after one instant and before another."""
        times = self.time_us[ship.begin : ship.end]
        first, last = np.searchsorted(times, after_us, "right"), np.searchsorted(times, before_us, "left")
        return np.arange(ship.begin + int(first), ship.begin + max(int(last), int(first)))

    def first_us(self, ship: Ship) -> int:
        """Time of the ship's first position."""
        return int(self.time_us[ship.positions[0]])

    def last_us(self, ship: Ship) -> int:
        """Time of the ship's last position."""
        return int(self.time_us[ship.positions[-1]])

    def interior(self, ship: Ship) -> IntArray:
        """Rows of positions with `SIDE_H` and `SIDE_REPORTS` of track before and after them."""
        inner = ship.positions[SIDE_REPORTS - 1 : len(ship.positions) - SIDE_REPORTS]
        times, side = self.time_us[inner], SIDE_H * US_PER_H
        return inner[(times >= self.first_us(ship) + side) & (times <= self.last_us(ship) - side)]

    def is_interior(self, ship: Ship, us: int) -> bool:
        """Whether the ship was heard well enough before and after an instant."""
        side, times = SIDE_H * US_PER_H, self.time_us[ship.positions]
        before = int(np.searchsorted(times, us, "right"))
        enough = before >= SIDE_REPORTS and len(times) - before >= SIDE_REPORTS
        return enough and self.first_us(ship) + side <= us <= self.last_us(ship) - side

    def stays(self, ship: Ship, min_h: float) -> list[tuple[int, int]]:
        """First and last row of each stay of so many hours, in which every position lay still."""
        rows = ship.positions
        still = self.speed_kn[rows] < STILL_KN
        edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
        found = [(int(rows[a]), int(rows[b - 1])) for a, b in edges.reshape(-1, 2).tolist()]
        return [(a, b) for a, b in found if self.time_us[b] - self.time_us[a] >= min_h * US_PER_H]

    @cached_property
    def _hours(self) -> tuple[IntArray, IntArray, IntArray]:
        """Rows by the hour: hour, row and vessel of each vessel's last position in each hour."""
        heard = np.flatnonzero(np.isfinite(self.lat))
        vessel = self._vessel_of(heard)
        hour = self.time_us[heard] // US_PER_H
        if not len(heard):
            return hour, heard, vessel
        last = np.concatenate([(np.diff(hour) != 0) | (np.diff(vessel) != 0), [True]])
        hour, heard, vessel = hour[last], heard[last], vessel[last]
        order = np.lexsort((vessel, hour))
        return hour[order], heard[order], vessel[order]

    def _vessel_of(self, rows: IntArray) -> IntArray:
        return np.searchsorted(self.offsets, rows, side="right") - 1

    def near(self, lat: float, lon: float, us: int, radius_nmi: float) -> list[Near]:
        """Ships that something can be planted into, heard in the hour of an instant within a radius of a place."""
        hours, rows, vessels = self._hours
        low, high = np.searchsorted(hours, [us // US_PER_H, us // US_PER_H + 1]).tolist()
        close = distance_nmi(self.lat[rows[low:high]], self.lon[rows[low:high]], lat, lon) <= radius_nmi
        pairs = zip(vessels[low:high][close].tolist(), rows[low:high][close].tolist(), strict=True)
        return [Near(vessel, row) for vessel, row in pairs if vessel in self.ships]


def fleet_of(table: pa.Table) -> Fleet:
    """A fleet from a table of `CANONICAL_POSITIONS`, in any order of rows."""
    mmsi = table["mmsi"].to_numpy()
    order = np.lexsort((table["timestamp"].cast(pa.int64()).to_numpy(), mmsi))
    rows = table.take(order).combine_chunks()
    mmsi, time_us = mmsi[order], rows["timestamp"].cast(pa.int64()).to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], np.diff(mmsi) != 0])) if len(mmsi) else np.zeros(0, np.int64)
    offsets = np.append(starts, len(mmsi)).astype(np.int64)
    lat, lon = (_floats(rows, name) for name in ("lat", "lon"))
    texts = {name: _texts(rows, name) for name in ("imo", "name", "call_sign")}
    ship_type = rows["ship_type"].fill_null(-1).to_numpy()
    length, beam = _floats(rows, "length_m"), _floats(rows, "beam_m")
    heard = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    speed, jumps = _speeds(rows, heard, time_us, lat, lon, offsets)
    fleet = Fleet(rows, mmsi, time_us, lat, lon, speed, texts, ship_type, length, beam, offsets, {}, {})
    ships, unfit = _ships(fleet, heard, jumps, _sends_class_b(rows))
    return replace(fleet, ships=ships, unfit=unfit)


def _floats(rows: pa.Table, name: str) -> FloatArray:
    values: FloatArray = rows[name].cast(pa.float64()).to_numpy()
    return values


def _texts(rows: pa.Table, name: str) -> Texts:
    coded = rows[name].combine_chunks().dictionary_encode()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    return Texts(coded.indices.fill_null(-1).to_numpy().astype(np.int32), tuple(coded.dictionary.to_pylist()))


def _sends_class_b(rows: pa.Table) -> npt.NDArray[np.bool_]:
    is_b: npt.NDArray[np.bool_] = pc.equal(rows["transceiver"], "B").fill_null(False).to_numpy()
    return is_b


def _speeds(
    rows: pa.Table, heard: IntArray, time_us: IntArray, lat: FloatArray, lon: FloatArray, offsets: IntArray
) -> tuple[FloatArray, IntArray]:
    """Speed of each row, made good where none was sent; and how many steps of each vessel no ship could sail."""
    step = step_distances_nmi(lat[heard], lon[heard]).astype(np.float64)
    hours = np.diff(time_us[heard], prepend=time_us[heard[:1]]) / US_PER_H
    vessel = np.searchsorted(offsets, heard, side="right") - 1
    first = np.concatenate([[True], np.diff(vessel) != 0]) if len(heard) else np.zeros(0, np.bool_)
    step[first] = 0.0
    made_good = np.divide(step, hours, out=np.zeros_like(step), where=hours > 0)
    implausible = (step > IMPLAUSIBLE_NMI) & (step > IMPLAUSIBLE_KN * hours) & ~first
    jumps = np.bincount(vessel[implausible], minlength=len(offsets) - 1)
    speed = _floats(rows, "sog").copy()
    silent = np.isnan(speed[heard])
    speed[heard[silent]] = made_good[silent]
    return speed, jumps


def _only(codes: npt.NDArray[np.int64], offsets: IntArray) -> IntArray:
    """The one value not below 0 that each vessel's rows hold; -1 where there is none or another besides."""
    lowest = np.minimum.reduceat(np.where(codes < 0, _NOWHERE, codes), offsets[:-1])
    highest = np.maximum.reduceat(codes, offsets[:-1])
    return np.where(lowest == highest, highest, -1)


def _cleaned(texts: Texts, clean: Sequence[str | None]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Codes of cleaned values instead of received ones."""
    known: dict[str, int] = {}
    code = np.array([-1 if c is None else known.setdefault(c, len(known)) for c in clean] + [-1], np.int64)
    return code[texts.codes], list(known)


def _ships(
    fleet: Fleet, heard: IntArray, jumps: IntArray, class_b: npt.NDArray[np.bool_]
) -> tuple[dict[int, Ship], dict[str, int]]:
    """Vessels by number whose rows hold one whole identity and one ship's track, long enough for a change within.

    And how many are left out for which reason, the first that holds.
    """
    offsets = fleet.offsets
    if len(offsets) < 2:
        return {}, {}
    mmsi = fleet.mmsi[offsets[:-1]]
    name_codes, names = _cleaned(fleet.texts["name"], [clean_text(v) for v in fleet.texts["name"].values])
    sign_codes, signs = _cleaned(
        fleet.texts["call_sign"], [clean_call_sign(v) for v in fleet.texts["call_sign"].values]
    )
    numbers = np.array([parse_imo(v) or -1 for v in fleet.texts["imo"].values] + [-1], np.int64)
    name, sign = _only(name_codes, offsets), _only(sign_codes, offsets)
    imo = _only(numbers[fleet.texts["imo"].codes], offsets)
    kind = _only(fleet.ship_type.astype(np.int64), offsets)
    length, beam = (
        _only(np.where(size > 0, np.round(np.nan_to_num(size) * 10), -1).astype(np.int64), offsets)
        for size in (fleet.length_m, fleet.beam_m)
    )
    n_heard = np.bincount(np.searchsorted(offsets, heard, side="right") - 1, minlength=len(mmsi))
    span = fleet.time_us[offsets[1:] - 1] - fleet.time_us[offsets[:-1]]
    steady = (name >= 0) & (sign >= 0) & (kind > 0) & (length > 0) & imo_check_digit_ok(imo)
    fit = np.ones(len(mmsi), dtype=np.bool_)
    unfit: dict[str, int] = {}
    for lack, has in (
        ("heard too briefly", (n_heard >= 2 * SIDE_REPORTS) & (span >= 2 * SIDE_H * US_PER_H)),
        ("no class A ship", (mmsi_kinds(mmsi) == MmsiKind.SHIP) & ~np.logical_or.reduceat(class_b, offsets[:-1])),
        ("no whole identity that stays the same", steady),
        ("not one ship's track", jumps <= IMPLAUSIBLE_SHARE * n_heard),
    ):
        unfit[lack] = int(np.count_nonzero(fit & ~has))
        fit &= has
    bounds = np.searchsorted(heard, offsets)
    ships: dict[int, Ship] = {}
    for v in np.flatnonzero(fit).tolist():
        identity = Identity(
            mmsi=int(mmsi[v]),
            imo=int(imo[v]),
            name=names[name[v]],
            call_sign=signs[sign[v]],
            ship_type=int(kind[v]),
            length_m=float(length[v]) / 10,
            beam_m=max(float(beam[v]), 0.0) / 10,
        )
        ship = Ship(v, int(offsets[v]), int(offsets[v + 1]), heard[bounds[v] : bounds[v + 1]], identity)
        if len(fleet.interior(ship)):
            ships[v] = ship
        else:
            unfit["heard too briefly"] += 1
    return ships, {lack: n for lack, n in unfit.items() if n}
