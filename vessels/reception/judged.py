"""Silences held against reception: what would have been heard of a ship that stayed on the air.

Takes silences, `Reception` and the ships' own records; gives `Judged`, columns of the `gaps` table.

Where a silent ship was is not known. Of all places that it can have reached since its last report, and from which it
can have come to its next, each hour counts the one that is heard least, the straight way among them: a ship that sailed
out of reception as soon as it could, and came back as late, is innocent. Hours in which it can be anywhere are not
counted. Hours of one ship are alike, so that the hazard of being heard is divided by so many as tell what one would.
The chance that nothing is heard is the mean of exp(-g x hazard) over how well sets are heard, g of a gamma distribution
with mean 1: (1 + hazard / k) ^ -k. Its shape k falls with few others about and little known of the place; so do the
bounds.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.reception.grid import cells_of
from vessels.reception.hours import HourFactors, Presence
from vessels.reception.model import FloatArray, Reception
from vessels.reception.places import Counts
from vessels.reception.reach import Silences, Whereabouts, whereabouts
from vessels.track import IntArray
from vessels.units import US_PER_H

_MOST_SHARE: Final = 0.995
"""No hour is certain to bring a report."""
_NEAR_H: Final = 3
"""Hours after the last report, and before the next, that say what was heard there then."""
_BLOCK: Final = 256
"""Silences at once: arrays of a few megabytes."""
_Z95: Final = 1.96
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Judged:
    """What reception says of each silence; see the `gaps` table. Shapes (n,)."""

    expected_heard_h: FloatArray
    expected_heard_low_h: FloatArray
    expected_heard_high_h: FloatArray
    chance_unheard: FloatArray
    start_heard_share: FloatArray
    end_heard_share: FloatArray
    n_others: FloatArray
    reception: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """Hours in which ships were heard, and in which they would have been as ships there are. Shapes (ships,)."""

    heard_h: FloatArray
    expected_h: FloatArray

    @classmethod
    def of(cls, ship_cells: pa.Table, ships: IntArray, reception: Reception) -> "OwnRecord":
        """The records of the given ships (sorted, distinct MMSI), from `ship_cells`."""
        mmsi = ship_cells["mmsi"].to_numpy()
        known = np.isin(mmsi, ships)
        rows = Counts.of(ship_cells.filter(pa.array(known)))
        ship = np.searchsorted(ships, mmsi[known])
        expected = rows.n_present * reception.places.share[rows.stratum, rows.cell].astype(np.float64)
        heard, would_be = (np.bincount(ship, weight, len(ships)) for weight in (rows.n_heard, expected))
        return cls(heard.astype(np.float64), would_be.astype(np.float64))


def judge(silences: Silences, reception: Reception, record: OwnRecord) -> Judged:
    """Hold silences against reception. Cost: some hundred places by some tens of hours for each."""
    starts = range(0, max(len(silences), 1), _BLOCK)
    parts = [_judge(silences.take(slice(i, i + _BLOCK)), reception, record) for i in starts]
    return Judged(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Judged)))


def _judge(silences: Silences, reception: Reception, record: OwnRecord) -> Judged:
    where = whereabouts(silences, reception)
    stratum = np.broadcast_to(where.stratum[:, None], where.hour.shape)
    there, on_path = (
        reception.hours.without(where.presence, cell, stratum, where.hour) for cell in (where.cell, where.path)
    )
    own = _own_factor(silences, where, record, reception)[:, None]
    p = np.clip(where.share * there.factor * own, 0.0, _MOST_SHARE)
    expected, hazards = (where.part * p).sum(axis=1), where.part * -np.log1p(-p)
    hazard, counted = hazards.sum(axis=1), where.part.sum(axis=1)
    k = _shape(where, on_path, hazards, reception)
    chance = _chance(hazard, k, reception)
    low, high = _gamma_bounds(k)
    return Judged(
        expected_heard_h=np.round(expected, 4),
        expected_heard_low_h=np.round(expected * low, 4),
        expected_heard_high_h=np.round(np.minimum(expected * high, counted), 4),
        chance_unheard=np.round(chance, 8),
        start_heard_share=_share_near(silences, reception, at_start=True),
        end_heard_share=_share_near(silences, reception, at_start=False),
        n_others=np.round((where.part * on_path.n_region).sum(axis=1) / np.maximum(counted, _TINY), 3),
        reception=_told(where, there, on_path, chance, k, reception),
    )


def _own_factor(silences: Silences, where: Whereabouts, record: OwnRecord, reception: Reception) -> FloatArray:
    """How well the ship's own set is heard, as a share of its neighbours, this silence left out; at most 1. (g,)."""
    parameters = reception.parameters
    silent = (where.presence.cell >= 0) & ~where.presence.is_heard & (where.part > 0.0) & ~silences.is_last[:, None]
    here = np.where(silent, where.path_share, 0.0).sum(axis=1)
    heard, expected = record.heard_h[silences.ship], np.maximum(record.expected_h[silences.ship] - here, 0.0)
    factor: FloatArray = (heard + parameters.own_prior_h) / (expected + parameters.own_prior_h)
    return np.minimum(factor, 1.0)


def _shape(where: Whereabouts, on_path: HourFactors, hazards: FloatArray, reception: Reception) -> FloatArray:
    """The shape k of the gamma distribution: one over the sum of what is not known, as squared shares. (g,)."""
    parameters = reception.parameters
    others = (where.part * on_path.n_region).sum(axis=1) / parameters.independent_h
    behind = np.maximum(where.share * where.rests_on / parameters.independent_h, _TINY)
    place = (hazards * (1.0 - where.share) / behind).sum(axis=1) / np.maximum(hazards.sum(axis=1), _TINY)
    k: FloatArray = 1.0 / (1.0 / parameters.frailty + 1.0 / (others + parameters.hour_prior_ships) + place)
    return k


def _chance(hazard: FloatArray, k: FloatArray, reception: Reception) -> FloatArray:
    """The chance that nothing is heard."""
    chance: FloatArray = (1.0 + hazard / (reception.parameters.independent_h * k)) ** -k
    return chance


def _told(
    where: Whereabouts,
    there: HourFactors,
    on_path: HourFactors,
    chance: FloatArray,
    k: FloatArray,
    reception: Reception,
) -> npt.NDArray[np.str_]:
    """What a silence is told to be: the first of these rules that holds. Shape (g,)."""
    p, part = reception.parameters, where.part
    counted = part.sum(axis=1)
    n_others = (part * on_path.n_region).sum(axis=1) / np.maximum(counted, _TINY)
    alike = np.maximum((part * where.path_share).sum(axis=1), _TINY)
    factor = (part * where.path_share * on_path.factor).sum(axis=1) / alike
    fleet = (part * on_path.fleet).sum(axis=1) / np.maximum(counted, _TINY)
    stratum = np.broadcast_to(where.stratum[:, None] % 2, where.cell.shape)
    number = np.broadcast_to(np.arange(len(k))[:, None], where.cell.shape)
    as_class_a, _ = reception.places.without(where.own, number, where.cell, stratum)
    hazard_a = part * -np.log1p(-np.clip(as_class_a * there.factor, 0.0, _MOST_SHARE))
    chance_a = _chance(hazard_a.sum(axis=1), k, reception)
    rules = (
        (counted <= 0.0, "unknown"),
        ((factor < p.outage_factor) & (fleet >= p.min_others), "outage"),
        (n_others < p.min_others, "unknown"),
        (chance <= p.heard_chance, "heard"),
        ((where.stratum >= 2) & (chance_a <= p.heard_chance), "class_thinned"),
    )
    return np.select([rule for rule, _ in rules], [name for _, name in rules], "unheard_place")


def _share_near(silences: Silences, reception: Reception, *, at_start: bool) -> FloatArray:
    """Share of ships of the class about an end of the silence heard in an hour then; NaN where nothing is known."""
    lat, lon = (silences.start_lat, silences.start_lon) if at_start else (silences.end_lat, silences.end_lon)
    known = ~np.isnan(lat)
    time = silences.start_us if at_start else silences.end_us
    hour = time[:, None] // US_PER_H + np.arange(1, _NEAR_H + 1) * (1 if at_start else -1)
    at = cells_of(np.where(known, lat, 0.0), np.where(known, lon, 0.0)).astype(np.int64)
    cell, stratum = (np.broadcast_to(one[:, None], hour.shape) for one in (at, silences.stratum))
    nobody = Presence(np.full(hour.shape, -1), stratum, np.zeros(hour.shape, dtype=np.bool_))
    share = reception.places.share[stratum, cell]
    said = np.minimum(share * reception.hours.without(nobody, cell, stratum, hour).factor, 1.0)
    inside = (hour < reception.until_us // US_PER_H) & (hour >= reception.hours.first)
    told = inside & known[:, None] & (share > 0.0)
    n = told.sum(axis=1)
    mean: FloatArray = np.divide((said * told).sum(axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
    return np.round(mean, 4)


def _gamma_bounds(k: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The 2.5 and 97.5 percentiles of a gamma distribution of mean 1 and shape k (Wilson and Hilferty 1931)."""
    low: FloatArray = 1.0 - 1.0 / (9.0 * k) - _Z95 * np.sqrt(1.0 / (9.0 * k))
    high: FloatArray = 1.0 - 1.0 / (9.0 * k) + _Z95 * np.sqrt(1.0 / (9.0 * k))
    return np.maximum(low, 0.0) ** 3, high**3
