"""Plants in which a ship goes on under its MMSI and says something else: number, name, call sign, type, size.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.draws import FLAGS, edited_digits, log_uniform, pick
from detectors.backtest.fleet import SIDE_H, Ship
from detectors.backtest.sheet import NO_IMO
from detectors.backtest.workshop import Cut, Motion, Plant, Window, Workshop, lasting
from vessels.ais import flag_state, imo_check_digit_ok, mid_table
from vessels.units import US_PER_H

AT_ONCE_H: Final[Window] = (0.0, 0.0)
"""No silence: the field is typed in while the set goes on sending."""
FOR_A_WHILE: Final = 0.3
"""Share of dropped IMO numbers that come back (Song Phyong 7 dropped its number before an inspection)."""
OTHER_TYPES: Final = (70, 80, 30)
"""A tanker that says it fishes (Saebyol), a coal carrier that says it is a tanker (Tae Yang), and the way back."""
_SHIP_MIDS: Final = range(200, 800)


def _at_once(shop: Workshop, ship: Ship, rng: np.random.Generator, motion: Motion = "any") -> Cut | None:
    return shop.cut(rng, ship, motion, AT_ONCE_H)


def imo_dropped(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Full statements go on without the IMO number, to the end of the track or for a day and more."""
    cut = _at_once(shop, ship, rng)
    if cut is None:
        return None
    rows, end_us = shop.fleet.rows_from(ship, cut.heard_us), shop.fleet.last_us(ship)
    left_h = (end_us - cut.heard_us) / US_PER_H - SIDE_H
    what = "no IMO number from then on"
    if rng.random() < FOR_A_WHILE and left_h > 24.0:
        hours = log_uniform(rng, 24.0, left_h)
        end_us = cut.heard_us + int(hours * US_PER_H)
        rows = shop.fleet.rows_between(ship, cut.heard_us - 1, end_us)
        what = f"no IMO number for {lasting(hours)}"
    shop.sheet.say(rows, "imo", NO_IMO)
    return shop.plant("imo_dropped", (ship,), cut, what, (), end_us)


def imo_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Another valid IMO number from some time on."""
    cut = _at_once(shop, ship, rng)
    if cut is None:
        return None
    new = replace(ship.identity, imo=shop.mint.imo(rng))
    shop.go_on_as(ship, cut, new, ("imo",))
    return shop.plant("imo_change", (ship,), cut, f"IMO number {ship.identity.imo}, then {new.imo}")


def name_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Another name, typed in under way."""
    cut = _at_once(shop, ship, rng, "moving")
    if cut is None:
        return None
    new = replace(ship.identity, name=shop.mint.name(rng))
    shop.go_on_as(ship, cut, new, ("name",))
    return shop.plant("name_change", (ship,), cut, f"{ship.identity.name}, then {new.name}, under way")


def call_sign_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Another call sign of the same flag."""
    cut, flag = _at_once(shop, ship, rng), flag_state(ship.mmsi)
    if cut is None or flag is None:
        return None
    new = replace(ship.identity, call_sign=shop.mint.call_sign(rng, flag))
    shop.go_on_as(ship, cut, new, ("call_sign",))
    return shop.plant("call_sign_change", (ship,), cut, f"{ship.identity.call_sign}, then {new.call_sign}")


def type_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Another type of ship from some time on."""
    cut = _at_once(shop, ship, rng)
    if cut is None:
        return None
    own = ship.identity.ship_type
    kinds = [kind for kind in OTHER_TYPES if kind // 10 != own // 10]
    new = replace(ship.identity, ship_type=pick(rng, kinds))
    shop.go_on_as(ship, cut, new, ("ship_type",))
    return shop.plant("type_change", (ship,), cut, f"ship type {own}, then {new.ship_type}")


def dimension_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """The size of another ship of the data from some time on (A LI)."""
    cut, new = _at_once(shop, ship, rng), shop.body_of_another(rng, ship)
    if cut is None or new is None:
        return None
    shop.go_on_as(ship, cut, new, ("length_m", "beam_m"))
    what = f"{ship.identity.length_m:g} x {ship.identity.beam_m:g} m, then {new.length_m:g} x {new.beam_m:g} m"
    return shop.plant("dimension_change", (ship,), cut, what)


def _throughout(shop: Workshop, ship: Ship) -> Cut:
    """The whole track, as a cut before its first row."""
    first_us = int(shop.fleet.time_us[ship.begin])
    return Cut(int(ship.positions[0]), first_us, first_us, np.zeros(0, np.int64))


def invalid_imo(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A number whose check digit fails, throughout."""
    number = ship.identity.imo
    while bool(imo_check_digit_ok(number)):
        number = edited_digits(rng, ship.identity.imo, 1)
    cut = _throughout(shop, ship)
    shop.go_on_as(ship, cut, replace(ship.identity, imo=number), ("imo",))
    return shop.plant("invalid_imo", (ship,), cut, f"IMO number {number} instead of {ship.identity.imo}")


def invalid_mmsi(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A ship-shaped MMSI under digits that no state has, throughout."""
    unknown = [mid for mid in _SHIP_MIDS if mid not in mid_table()]
    number = shop.mint.mmsi(rng, unknown)
    cut = _throughout(shop, ship)
    shop.go_on_as(ship, cut, replace(ship.identity, mmsi=number), ("mmsi",))
    return shop.plant("invalid_mmsi", (ship,), cut, f"MMSI {number} instead of {ship.mmsi}", (number,))


def flag_call_sign_mismatch(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A call sign of another state than the MMSI's, throughout (Ever Glory, Xin Yuan 18)."""
    flag = pick(rng, [flag for flag in FLAGS if flag != flag_state(ship.mmsi)])
    new = replace(ship.identity, call_sign=shop.mint.call_sign(rng, flag))
    cut = _throughout(shop, ship)
    shop.go_on_as(ship, cut, new, ("call_sign",))
    what = f"call sign {new.call_sign} of {flag} under MMSI {ship.mmsi}"
    return shop.plant("flag_call_sign_mismatch", (ship,), cut, what)
