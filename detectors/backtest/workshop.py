"""Where plants are made: the fleet, the copy to write into, what is taken, and the cuts that all kinds share.

Takes a `Fleet` and a seed; gives kinds what they need: free ships, places to cut a track, silences, neighbours. A
plant knows nothing of how it will be looked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

import numpy as np

from detectors.backtest.draws import Mint, generator, log_uniform, pick
from detectors.backtest.fleet import MOVING_KN, SIDE_H, SIDE_REPORTS, STILL_KN, Fleet, Identity, IntArray, Near, Ship
from detectors.backtest.sheet import WHOLE, Sheet
from detectors.backtest.waters import Waters
from vessels.units import US_PER_H

Motion = Literal["still", "moving", "any"]
Window = tuple[float, float]
"""Shortest and longest, hours."""
_TRIES: Final = 48
"""Places or partners tried before a ship is passed over."""
_ALIKE: Final = 0.15
"""Lengths within 15 % of one another: ships that one could be taken for the other."""


class Cut(NamedTuple):
    """A track cut after a row: when it fell silent, when it is heard again, what was not received between."""

    row: int
    fell_us: int
    heard_us: int
    unheard: IntArray

    @property
    def silence_h(self) -> float:
        """Hours between the last report before and the first after."""
        return (self.heard_us - self.fell_us) / US_PER_H


class TrueLink(NamedTuple):
    """One hull under two MMSI, as planted: the last report under the one, the first under the other."""

    from_mmsi: int
    to_mmsi: int
    ended_us: int
    began_us: int


class Delay(NamedTuple):
    """All that a ship sent from an instant on is sent so much later."""

    mmsi: int
    from_us: int
    by_us: int


@dataclass(frozen=True, slots=True)
class Plant:
    """One thing planted: the ships it took, every MMSI it concerns, from when to when, where, and what was done.

    `mmsi` is empty where it concerns every ship, which has no place. `listed` is a row for the watch list, by column.
    `delays` are those of tracks that went on later than they had: what was to be found of them is found later too.
    """

    kind: str
    ships: tuple[int, ...]
    mmsi: tuple[int, ...]
    start_us: int
    end_us: int
    lat: float | None
    lon: float | None
    what: str
    links: tuple[TrueLink, ...] = ()
    listed: Mapping[str, str] = field(default_factory=dict)
    delays: tuple[Delay, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mmsi", tuple(sorted(set(self.mmsi))))


class Workshop:
    """The state of a planting: what was written so far and which ships are taken."""

    def __init__(self, fleet: Fleet, seed: int, waters: Waters) -> None:
        self.fleet = fleet
        self.waters = waters
        self.sheet = Sheet(fleet)
        self.seed = seed
        self.taken: set[int] = set()
        known = [ship.identity for ship in fleet.ships.values()]
        self.mint = Mint(
            set(fleet.mmsi[fleet.offsets[:-1]].tolist()), {one.imo for one in known}, {one.name for one in known}
        )

    def is_free(self, number: int) -> bool:
        """Whether a ship can still be planted into."""
        return number in self.fleet.ships and number not in self.taken

    def in_turn(self, kind: str) -> Iterator[tuple[Ship, np.random.Generator]]:
        """The free ships in an order drawn for the kind, each with a generator of its own."""
        numbers = np.array(sorted(self.fleet.ships), dtype=np.int64)
        for number in generator(self.seed, kind).permutation(numbers).tolist():
            ship = self.fleet.ships[number]
            if self.is_free(number):
                yield ship, generator(self.seed, kind, ship.mmsi)

    def others(self, rng: np.random.Generator, ship: Ship) -> Iterator[Ship]:
        """Some other free ships in an order drawn by lot."""
        numbers = np.array([n for n in sorted(self.fleet.ships) if self.is_free(n) and n != ship.number], np.int64)
        for number in rng.permutation(numbers)[:_TRIES].tolist():
            yield self.fleet.ships[number]

    def neighbours(self, ship: Ship, lat: float, lon: float, us: int, radius_nmi: float) -> list[Near]:
        """Other free ships heard within the hour near a place, with enough track before and after to be cut there."""
        return [
            near
            for near in self.fleet.near(lat, lon, us, radius_nmi)
            if near.ship != ship.number
            and self.is_free(near.ship)
            and self.fleet.is_interior(self.fleet.ships[near.ship], int(self.fleet.time_us[near.row]))
        ]

    def cut(self, rng: np.random.Generator, ship: Ship, motion: Motion, silence_h: Window) -> Cut | None:
        """Cut the ship's track at a place drawn by lot, lying still or under way as asked; None where it never is."""
        rows = self.rows_of(ship, motion)
        for _ in range(min(_TRIES, len(rows))):
            if (made := self.cut_at(rng, ship, int(pick(rng, rows.tolist())), silence_h)) is not None:
                return made
        return None

    def rows_of(self, ship: Ship, motion: Motion) -> IntArray:
        """Positions at which the track can be cut, lying still or under way as asked."""
        rows = self.fleet.interior(ship)
        speed = self.fleet.speed_kn[rows]
        return rows[{"still": speed < STILL_KN, "moving": speed >= MOVING_KN, "any": speed >= 0}[motion]]

    def cut_at(self, rng: np.random.Generator, ship: Ship, row: int, silence_h: Window) -> Cut | None:
        """Cut after a row, with a silence drawn log-uniformly, no longer than leaves enough track behind it."""
        fell_us = int(self.fleet.time_us[row])
        room_h = (self.fleet.last_us(ship) - fell_us) / US_PER_H - SIDE_H
        low, high = silence_h
        if room_h < low:
            return None
        until_us = fell_us + int(log_uniform(rng, low, min(high, room_h)) * US_PER_H)
        times = self.fleet.time_us[ship.positions]
        after = int(np.searchsorted(times, max(until_us, fell_us + 1)))
        if len(times) - after < SIDE_REPORTS:
            return None
        heard_us = int(times[after])
        return Cut(row, fell_us, heard_us, self.fleet.rows_between(ship, fell_us, heard_us))

    def go_on_as(self, ship: Ship, cut: Cut, identity: Identity, fields: tuple[str, ...] = WHOLE) -> IntArray:
        """Write a cut into the copy: silence, then other fields to the end of the track. Gives the rows written."""
        rows = self.fleet.rows_from(ship, cut.heard_us)
        self.sheet.delete(cut.unheard)
        self.sheet.rename(rows, identity, fields)
        return rows

    def plant(
        self,
        kind: str,
        ships: tuple[Ship, ...],
        cut: Cut,
        what: str,
        mmsi: tuple[int, ...] = (),
        end_us: int | None = None,
        links: tuple[TrueLink, ...] = (),
    ) -> Plant:
        """The record of a plant that begins with a cut of the first ship's track and lasts to its end."""
        return Plant(
            kind=kind,
            ships=tuple(ship.number for ship in ships),
            mmsi=(*(ship.mmsi for ship in ships), *mmsi),
            start_us=cut.fell_us,
            end_us=self.fleet.last_us(ships[0]) if end_us is None else end_us,
            lat=float(self.fleet.lat[cut.row]),
            lon=float(self.fleet.lon[cut.row]),
            what=what,
            links=links,
        )

    def body_of_another(self, rng: np.random.Generator, ship: Ship) -> Identity | None:
        """The ship's identity with the size of another ship of the data, drawn by lot among those of other length."""
        own = ship.identity
        for number in rng.permutation(np.array(sorted(self.fleet.ships), np.int64))[:_TRIES].tolist():
            other = self.fleet.ships[number].identity
            if not alike(own, other):
                return replace(own, length_m=other.length_m, beam_m=other.beam_m)
        return None


def alike(one: Identity, other: Identity) -> bool:
    """Whether two ships are of about one length."""
    return abs(one.length_m - other.length_m) <= _ALIKE * max(one.length_m, other.length_m)


def stated(identity: Identity) -> str:
    """An identity in a few words."""
    size = f"{identity.length_m:g} x {identity.beam_m:g} m"
    return f"{identity.name} (MMSI {identity.mmsi}, IMO {identity.imo}, {identity.call_sign}, {size})"


def lasting(hours: float) -> str:
    """A duration in words.

    >>> lasting(0.5), lasting(5.25), lasting(60)
    ('30 min', '5.2 h', '2.5 d')
    """
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"
