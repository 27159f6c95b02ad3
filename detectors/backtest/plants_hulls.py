"""Plants in which a hull goes on under another identity: handover, exchange, change of flag at sea, revival.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none. Where each parameter of the draws is from is written in docs/backtest.md.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.draws import log_uniform, pick
from detectors.backtest.fleet import SIDE_H, SIDE_REPORTS, Identity, Ship
from detectors.backtest.sheet import WHOLE
from detectors.backtest.workshop import Cut, Plant, TrueLink, Window, Workshop, alike, lasting, stated
from vessels.units import US_PER_H

HANDOVER_SILENCE_H: Final[Window] = (5 / 60, 240.0)
"""From minutes to days: Hao Fan 6 was silent for a month, a set reprogrammed at anchor for minutes."""
SET_UP_H: Final[Window] = (5 / 60, 6.0)
"""Time to key another identity into a set, up to a watch or two."""
REVIVAL_SILENCE_H: Final[Window] = (5 / 60, 48.0)
DEAD_H: Final[Window] = (168.0, 4320.0)
"""A week to half a year between an identity's last report and its return (Shun Li: broken up June 2021, back 2022)."""
SHORT_DATA_SHARE: Final = 0.25
"""In data of under four weeks a dead identity rests for a quarter of the span at least, as no week fits."""
ALTERED: Final = 0.15
"""Share of handovers with another ship's size (A LI: a length that belonged to another hull)."""
BORROWED: Final = 0.25
"""Share of handovers after which the old identity is taken up again (Courageous, Saebyol)."""
KEPT_SIZE: Final = 0.75
"""Share of revivals that send the size of the hull, not that of the dead (Krysper Singa: the body did not fit)."""
SIZES_TOO: Final = 0.5
"""Share of exchanges in which the sizes go with the identities: a set's size is keyed on a page of its own."""
EXCHANGE_NMI: Final = 40.0
"""Ships that swap identities lie within some tens of miles: one anchorage, one transfer area."""
_NUMBER: Final = ("mmsi", "name", "call_sign", "imo", "ship_type")


def hull_handover(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """At anchor, moored or under way: silence, then another flag, name, call sign and IMO number on the same hull."""
    at_rest = rng.random() < 0.5
    first, second = ("still", "moving") if at_rest else ("moving", "still")
    cut = shop.cut(rng, ship, first, HANDOVER_SILENCE_H)  # type: ignore[arg-type]
    if cut is None:
        at_rest = not at_rest
        cut = shop.cut(rng, ship, second, HANDOVER_SILENCE_H)  # type: ignore[arg-type]
    if cut is None:
        return None
    borrows, alters = rng.random() < BORROWED, rng.random() < ALTERED
    body = shop.body_of_another(rng, ship) if alters else None
    new = shop.mint.identity(rng, body or ship.identity)
    back = _way_back(shop, ship, rng, cut) if borrows else None
    shop.go_on_as(ship, cut, new)
    links = [TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us)]
    what = f"{'at rest' if at_rest else 'under way'}, silent for {lasting(cut.silence_h)}, then {stated(new)}"
    what += "; size of another ship" if body is not None else ""
    end_us = None
    if back is not None:
        shop.go_on_as(ship, back, ship.identity)
        links.append(TrueLink(new.mmsi, ship.mmsi, back.fell_us, back.heard_us))
        what += f"; after {lasting((back.fell_us - cut.heard_us) / US_PER_H)} the old identity again"
        end_us = back.heard_us
    return shop.plant("hull_handover", (ship,), cut, what, (new.mmsi,), end_us, tuple(links))


def _way_back(shop: Workshop, ship: Ship, rng: np.random.Generator, cut: Cut) -> Cut | None:
    """A second cut, half a day or more after the first."""
    rows = shop.fleet.interior(ship)
    rows = rows[shop.fleet.time_us[rows] >= cut.heard_us + SIDE_H * US_PER_H]
    heard = np.searchsorted(ship.positions, rows) - np.searchsorted(shop.fleet.time_us[ship.positions], cut.heard_us)
    rows = rows[heard >= SIDE_REPORTS]
    return shop.cut_at(rng, ship, int(pick(rng, rows.tolist())), HANDOVER_SILENCE_H) if len(rows) else None


def identity_exchange(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Two ships heard at one time within some tens of miles go on under each other's identity."""
    for row in rng.permutation(shop.rows_of(ship, "any"))[:24].tolist():
        lat, lon, us = shop.fleet.lat[row], shop.fleet.lon[row], int(shop.fleet.time_us[row])
        partners = shop.neighbours(ship, float(lat), float(lon), us, EXCHANGE_NMI)
        if not partners:
            continue
        near = pick(rng, partners)
        other = shop.fleet.ships[near.ship]
        cut, cut_other = shop.cut_at(rng, ship, row, SET_UP_H), shop.cut_at(rng, other, near.row, SET_UP_H)
        if cut is None or cut_other is None:
            continue
        fields = WHOLE if rng.random() < SIZES_TOO else _NUMBER
        shop.go_on_as(ship, cut, other.identity, fields)
        shop.go_on_as(other, cut_other, ship.identity, fields)
        what = f"exchanged with {stated(other.identity)}" + ("; sizes kept" if fields is _NUMBER else "; sizes too")
        links = (
            TrueLink(ship.mmsi, other.mmsi, cut.fell_us, cut.heard_us),
            TrueLink(other.mmsi, ship.mmsi, cut_other.fell_us, cut_other.heard_us),
        )
        end_us = max(shop.fleet.last_us(ship), shop.fleet.last_us(other))
        return shop.plant("identity_exchange", (ship, other), cut, what, (), end_us, links)
    return None


def flag_change(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Under way: the same IMO number, under another flag's MMSI and call sign."""
    cut = shop.cut(rng, ship, "moving", SET_UP_H)
    if cut is None:
        return None
    new = shop.mint.reflagged(rng, ship.identity)
    new = replace(new, name=shop.mint.name(rng)) if rng.random() < 0.3 else new
    shop.go_on_as(ship, cut, new)
    link = TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us)
    what = f"under way, silent for {lasting(cut.silence_h)}, then {stated(new)}"
    return shop.plant("flag_change", (ship,), cut, what, (new.mmsi,), None, (link,))


def revived_identity(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """An identity that fell silent for good is taken up, a week to half a year later, by a hull of another size."""
    first_us, last_us = shop.fleet.span_us
    rest_h = min(DEAD_H[0], SHORT_DATA_SHARE * (last_us - first_us) / US_PER_H)
    cut = shop.cut(rng, ship, "any", REVIVAL_SILENCE_H)
    if cut is None:
        return None
    for dead in shop.others(rng, ship):
        if alike(dead.identity, ship.identity):
            continue
        rows = shop.fleet.interior(dead)
        oldest_h = (cut.heard_us - int(shop.fleet.time_us[rows[0]])) / US_PER_H
        if oldest_h < rest_h:
            continue
        wanted_us = cut.heard_us - int(log_uniform(rng, rest_h, min(DEAD_H[1], oldest_h)) * US_PER_H)
        died = int(rows[max(int(np.searchsorted(shop.fleet.time_us[rows], wanted_us, "right")) - 1, 0)])
        return _revive(shop, ship, rng, cut, dead, int(shop.fleet.time_us[died]))
    return None


def _revive(shop: Workshop, ship: Ship, rng: np.random.Generator, cut: Cut, dead: Ship, died_us: int) -> Plant:
    shop.sheet.delete(shop.fleet.rows_from(dead, died_us + 1))
    same_mmsi, keeps_size = rng.random() < 0.5, rng.random() < KEPT_SIZE
    new: Identity = dead.identity if same_mmsi else shop.mint.reflagged(rng, dead.identity)
    shop.go_on_as(ship, cut, new, _NUMBER if keeps_size else WHOLE)
    what = (
        f"{stated(dead.identity)}, silent for {lasting((cut.heard_us - died_us) / US_PER_H)}, is taken up by "
        f"{stated(ship.identity)}"
    )
    what += "" if same_mmsi else f" under MMSI {new.mmsi}"
    what += "; own size kept" if keeps_size else "; size of the dead"
    link = TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us)
    return shop.plant("revived_identity", (ship, dead), cut, what, (new.mmsi,), None, (link,))
