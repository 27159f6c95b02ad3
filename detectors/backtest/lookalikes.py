"""Lawful look-alikes: what happens every day and leaves tracks like those of a falsified identity.

Takes a workshop, a ship and its generator; writes into the copy and gives the `Plant`, or None where the track allows
none.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from detectors.backtest.draws import edited_digits, log_uniform, pick
from detectors.backtest.fleet import Ship
from detectors.backtest.workshop import Cut, Plant, TrueLink, Window, Workshop, alike, lasting, stated
from vessels.ais import flag_state
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H

STAY_H: Final = 6.0
"""A stay long enough for papers to be handed over and a set to be keyed."""
PAPERS_H: Final[Window] = (1.0, 48.0)
"""How long a set is off while a ship changes her papers."""
CORRECTED_H: Final[Window] = (1 / 60, 1.0)
REPLACED_H: Final[Window] = (12.0, 36.0)
"""About a day without a set."""
LAID_UP_H: Final[Window] = (168.0, 2160.0)
"""A week to three months."""
SAME_BERTH_NMI: Final = 2.0
OUTAGE_H: Final[Window] = (1.0, 12.0)
"""As long as outages of public feeds last."""
INSIDE: Final[Window] = (0.4, 0.8)
"""Share of a ship's reports that fall inside the reach of the receivers."""
NEWCOMER_NMI: Final = 20.0
NEWCOMER_H: Final[Window] = (1 / 6, 48.0)


def reflag(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """During a stay: the same IMO number under another flag's MMSI and call sign, every other time another name."""
    cut = _in_a_stay(shop, ship, rng, PAPERS_H)
    if cut is None:
        return None
    new = shop.mint.reflagged(rng, ship.identity)
    new = replace(new, name=shop.mint.name(rng)) if rng.random() < 0.5 else new
    shop.go_on_as(ship, cut, new)
    link = TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us)
    what = f"off for {lasting(cut.silence_h)} during a stay, then {stated(new)}"
    return shop.plant("reflag", (ship,), cut, what, (new.mmsi,), None, (link,))


def sale(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """During a stay: another name and call sign, the same MMSI and IMO number."""
    cut, flag = _in_a_stay(shop, ship, rng, (0.0, 0.0)), flag_state(ship.mmsi)
    if cut is None or flag is None:
        return None
    new = replace(ship.identity, name=shop.mint.name(rng), call_sign=shop.mint.call_sign(rng, flag))
    shop.go_on_as(ship, cut, new)
    what = f"during a stay {ship.identity.name} ({ship.identity.call_sign}), then {new.name} ({new.call_sign})"
    return shop.plant("sale", (ship,), cut, what)


def _in_a_stay(shop: Workshop, ship: Ship, rng: np.random.Generator, silence_h: Window) -> Cut | None:
    interior = shop.fleet.interior(ship)
    rows = [r for a, b in shop.fleet.stays(ship, STAY_H) for r in interior[(interior > a) & (interior < b)].tolist()]
    return shop.cut_at(rng, ship, int(pick(rng, rows)), silence_h) if rows else None


def mmsi_corrected(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """One digit of the MMSI differs from some time on; all else stays."""
    cut = shop.cut(rng, ship, "any", CORRECTED_H)
    number = edited_digits(rng, ship.mmsi, 3)
    if cut is None or not shop.mint.is_free(number):
        return None
    new = replace(ship.identity, mmsi=shop.mint.take_mmsi(number))
    shop.go_on_as(ship, cut, new)
    link = TrueLink(ship.mmsi, new.mmsi, cut.fell_us, cut.heard_us)
    return shop.plant("mmsi_corrected", (ship,), cut, f"MMSI {ship.mmsi}, then {new.mmsi}", (new.mmsi,), None, (link,))


def set_replaced(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Silent for about a day; then the same identity from a set that is heard half or a third as often."""
    cut = shop.cut(rng, ship, "any", REPLACED_H)
    if cut is None:
        return None
    each = int(rng.integers(2, 4))
    rows = shop.fleet.rows_from(ship, cut.heard_us)
    shop.sheet.delete(cut.unheard)
    shop.sheet.delete(rows[np.arange(len(rows)) % each != 0])
    what = f"silent for {lasting(cut.silence_h)}, then one report in {each} is heard"
    return shop.plant("set_replaced", (ship,), cut, what, (), cut.heard_us)


def lay_up(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Set switched off during a stay and on again weeks later at the same berth."""
    fleet, pairs = shop.fleet, []
    first_us, last_us = fleet.span_us
    shortest_h = min(LAID_UP_H[0], 0.25 * (last_us - first_us) / US_PER_H)
    inner = set(fleet.interior(ship).tolist())
    stays = fleet.stays(ship, STAY_H)
    for i, (begin, _) in enumerate(stays):
        for _, end in stays[i:]:
            hours = (fleet.time_us[end] - fleet.time_us[begin]) / US_PER_H
            apart = distance_nmi(fleet.lat[begin], fleet.lon[begin], fleet.lat[end], fleet.lon[end])
            if shortest_h <= hours <= LAID_UP_H[1] and apart <= SAME_BERTH_NMI and {begin, end} <= inner:
                pairs.append((begin, end))
    if not pairs:
        return None
    begin, end = pick(rng, pairs)
    fell_us, heard_us = int(fleet.time_us[begin]), int(fleet.time_us[end])
    cut = Cut(begin, fell_us, heard_us, fleet.rows_between(ship, fell_us, heard_us))
    shop.sheet.delete(cut.unheard)
    return shop.plant("lay_up", (ship,), cut, f"off for {lasting(cut.silence_h)} at one berth", (), heard_us)


def edge_of_coverage(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """Only what the ship sends within a circle is received."""
    fleet, rows = shop.fleet, ship.positions
    centre = int(pick(rng, rows.tolist()))
    apart = distance_nmi(fleet.lat[rows], fleet.lon[rows], fleet.lat[centre], fleet.lon[centre])
    reach_nmi = float(np.quantile(apart, rng.uniform(*INSIDE)))
    if reach_nmi <= SAME_BERTH_NMI:
        return None
    last = np.searchsorted(rows, np.arange(ship.begin, ship.end), side="right") - 1
    outside = (apart > reach_nmi)[np.maximum(last, 0)]
    shop.sheet.delete(np.arange(ship.begin, ship.end)[outside])
    cut = Cut(centre, fleet.first_us(ship), fleet.last_us(ship), np.zeros(0, np.int64))
    what = f"heard within {reach_nmi:.0f} nmi of the place only, {np.mean(~outside):.0%} of her reports"
    return shop.plant("edge_of_coverage", (ship,), cut, what)


def newcomer(shop: Workshop, ship: Ship, rng: np.random.Generator) -> Plant | None:
    """The ship is first heard near where, hours before, another of her length was heard for the last time."""
    fleet = shop.fleet
    for row in rng.permutation(shop.rows_of(ship, "any"))[:24].tolist():
        lat, lon, us = float(fleet.lat[row]), float(fleet.lon[row]), int(fleet.time_us[row])
        before_us = us - int(log_uniform(rng, *NEWCOMER_H) * US_PER_H)
        partners = [
            near
            for near in shop.neighbours(ship, lat, lon, before_us, NEWCOMER_NMI)
            if fleet.time_us[near.row] < us and alike(fleet.ships[near.ship].identity, ship.identity)
        ]
        if not partners:
            continue
        near = pick(rng, partners)
        gone, gone_us = fleet.ships[near.ship], int(fleet.time_us[near.row])
        shop.sheet.delete(fleet.rows_from(gone, gone_us + 1))
        shop.sheet.delete(fleet.rows_between(ship, int(fleet.time_us[ship.begin]) - 1, us))
        what = f"first heard {lasting((us - gone_us) / US_PER_H)} after {stated(gone.identity)} was last heard nearby"
        cut = Cut(near.row, gone_us, us, np.zeros(0, np.int64))
        return shop.plant("newcomer", (ship, gone), cut, what)
    return None


def feed_outage(shop: Workshop, rng: np.random.Generator) -> Plant | None:
    """Nothing is received from anyone for some hours."""
    first_us, last_us = shop.fleet.span_us
    length_us = int(log_uniform(rng, *OUTAGE_H) * US_PER_H)
    if last_us - first_us < 4 * length_us:
        return None
    start_us = first_us + length_us + int(rng.random() * (last_us - first_us - 3 * length_us))
    times = shop.fleet.time_us
    shop.sheet.delete((times > start_us) & (times < start_us + length_us))
    what = f"no report of any ship for {lasting(length_us / US_PER_H)}"
    return Plant("feed_outage", (), (), start_us, start_us + length_us, None, None, what)
