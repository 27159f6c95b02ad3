"""Plants in which one identity is borne by two: an IMO number twice, an MMSI twice, a listed ship nearly.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from detectors.backtest.draws import edited_digits, edited_name, log_uniform, pick
from detectors.backtest.fleet import SIDE_H, Identity, Ship
from detectors.backtest.sheet import WHOLE
from detectors.backtest.workshop import Cut, Plant, TrueLink, Workshop, alike, lasting, stated
from vessels.ais import flag_state
from vessels.units import US_PER_H

NEARBY_NMI: Final = 50.0
"""One of two twins is sought in sight of the other's waters: half of the documented pairs were in one sea."""
SAME_HULL: Final = 0.75
"""Share of near-listed ships that are the listed hull itself, so that the list gives their size (Sin Phyong 2)."""
_MMSI_EDITS_FROM: Final = 3
"""The first three digits are the flag's; one edit in them is a change of flag."""


def imo_twin(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Another ship, near or far, claims the IMO number (every other time the name too) under its own MMSI."""
    cut = shop.cut(rng, ship, "any", (0.0, 0.0))
    if cut is None:
        return None
    victim = _heard_at(shop, ship, rng, cut) if rng.random() < 0.5 else _neighbour(shop, ship, rng, cut)
    victim = victim or _heard_at(shop, ship, rng, cut)
    if victim is None:
        return None
    fields = ("imo", "name") if rng.random() < 0.5 else ("imo",)
    shop.go_on_as(ship, cut, replace(victim.identity, mmsi=ship.mmsi), fields)
    end_us = min(shop.fleet.last_us(ship), shop.fleet.last_us(victim))
    what = f"claims the {' and '.join(fields).replace('imo', 'IMO number')} of {stated(victim.identity)}"
    return shop.plant("imo_twin", (ship, victim), cut, what, (), end_us)


def _heard_at(shop: Workshop, ship: Ship, rng: np.random.Generator, cut: Cut) -> Ship | None:
    heard = (other for other in shop.others(rng, ship) if shop.fleet.is_interior(other, cut.heard_us))
    return next(heard, None)


def _neighbour(shop: Workshop, ship: Ship, rng: np.random.Generator, cut: Cut) -> Ship | None:
    lat, lon = float(shop.fleet.lat[cut.row]), float(shop.fleet.lon[cut.row])
    near = shop.neighbours(ship, lat, lon, cut.fell_us, NEARBY_NMI)
    return shop.fleet.ships[pick(rng, near).ship] if near else None


def shared_mmsi(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A second ship sends another's MMSI, for a day and more or from then on, under its own name or the other's."""
    cut = shop.cut(rng, ship, "any", (0.0, 0.0))
    if cut is None:
        return None
    victim = _heard_at(shop, ship, rng, cut)
    if victim is None:
        return None
    rows, end_us = shop.fleet.rows_from(ship, cut.heard_us), shop.fleet.last_us(ship)
    left_h = (end_us - cut.heard_us) / US_PER_H - SIDE_H
    period = ""
    if rng.random() < 0.5 and left_h > 24.0:
        hours = log_uniform(rng, 24.0, left_h)
        end_us = cut.heard_us + int(hours * US_PER_H)
        rows = shop.fleet.rows_between(ship, cut.heard_us - 1, end_us)
        period = f" for {lasting(hours)}"
    fields = ("mmsi",) if rng.random() < 0.5 else tuple(name for name in WHOLE if name not in ("length_m", "beam_m"))
    shop.sheet.rename(rows, victim.identity, fields)
    named = "own name" if fields == ("mmsi",) else "other's name"
    what = f"sends the MMSI of {stated(victim.identity)}{period}, {named}"
    overlap_us = min(end_us, shop.fleet.last_us(victim))
    return shop.plant("shared_mmsi", (ship, victim), cut, what, (), overlap_us)


def near_listed_identity(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """A listed ship is heard no more; one of her length claims a name a letter from hers and a number a digit off."""
    listed = next((other for other in shop.others(rng, ship) if alike(other.identity, ship.identity)), None)
    if listed is None:
        return None
    name = edited_name(rng, listed.identity.name)
    cut = shop.cut(rng, ship, "any", (0.0, 0.0))
    if name is None or cut is None:
        return None
    if rng.random() < 0.5:
        first_us = int(shop.fleet.time_us[ship.begin])
        cut = Cut(int(ship.positions[0]), first_us, first_us, np.zeros(0, np.int64))
    new = replace(ship.identity, name=name)
    if rng.random() < 0.5:
        new = replace(new, imo=edited_digits(rng, listed.identity.imo, 0, valid_imo=rng.random() < 0.5))
        number = f"IMO number {new.imo}"
    else:
        near = edited_digits(rng, listed.mmsi, _MMSI_EDITS_FROM)
        if not shop.mint.is_free(near):
            return None
        new = replace(new, mmsi=shop.mint.take_mmsi(near))
        number = f"MMSI {new.mmsi}"
    new = replace(new, call_sign=listed.identity.call_sign) if rng.random() < 0.5 else new
    body = ship.identity if rng.random() < SAME_HULL else listed.identity
    entry = replace(listed.identity, length_m=body.length_m, beam_m=body.beam_m)
    shop.sheet.delete(np.arange(listed.begin, listed.end))
    shop.go_on_as(ship, cut, new)
    renamed = new.mmsi != ship.mmsi and cut.row != ship.positions[0]
    links = (TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us),) if renamed else ()
    what = f"calls herself {name}, {number}; listed is {stated(entry)}"
    plant = shop.plant("near_listed_identity", (ship, listed), cut, what, (new.mmsi,), None, links)
    return replace(plant, listed=MappingProxyType(_row(entry)))


def _row(identity: Identity) -> dict[str, str]:
    return {
        "type": "VESSEL",
        "id": f"planted-{identity.mmsi}",
        "name": identity.name,
        "imo": f"IMO{identity.imo}",
        "mmsi": str(identity.mmsi),
        "call_sign": identity.call_sign,
        "flag": (flag_state(identity.mmsi) or "").lower(),
        "length_m": f"{identity.length_m:g}",
        "beam_m": f"{identity.beam_m:g}",
    }
