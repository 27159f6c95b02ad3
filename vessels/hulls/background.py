"""What chance alone brings: how many tracks are born where and when, and how common each body and claim is.

Takes the sides of possible links; gives rates and shares measured on them, the denominators of every likelihood ratio.
A place where many identities are born proves little by one more birth; a length that many ships share proves little.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.hulls.ends import Ends
from vessels.track import IntArray
from vessels.units import US_PER_DAY, US_PER_H

FloatArray = npt.NDArray[np.float64]

NMI_PER_DEGREE: Final = 60.0
SCALES_DEG: Final = (5.0, 0.5, 0.1, 0.02)
"""Cells in which births are counted, each with its eight neighbours: a sea, a roadstead, a harbour, a berth."""
LYING_KN: Final = 1.0
THERE_BEFORE_H: Final = 6.0
"""Tracks that begin with the data were there before: they are not counted among births where ships lie."""
LYING_SHARE: Final = 0.1
LYING_NMI: Final = 3.0
"""One birth in ten around happens where ships lie, within so much of one of those places, however lonely."""
LEAST_SPAN_H: Final = 0.1
"""Rates are taken over the span of the data, and no less than this."""
RINGS_DEG: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
RINGS_NMI: Final = tuple(1.5 * step * NMI_PER_DEGREE for step in RINGS_DEG)
"""Rings of cells in which births are counted for hulls that roam: half the width of three cells."""
USUAL_SHIPS: Final = 30.0
"""So many ships of usual sizes are added to those heard: in a file of three ships no size is common."""
USUAL_LENGTHS_M: Final = (10.0, 400.0)
"""Usual ships are as often between 10 and 20 m as between 100 and 200 m."""
USUAL_BEAM_SPREAD: Final = 0.1
"""Beams of one length spread over a tenth of it: from a seventh to a quarter."""
BURST_DEG: Final = 0.5
BURST_DAYS: Final = 1.0
"""Births are counted by day too: a feed that comes back brings many at once."""


@dataclass(frozen=True, slots=True)
class BirthsAround:
    """Births expected by chance around each start: `rate` (n,) per square nmi and hour; `counts` (n, rings), in all.

    Ring `i` reaches `RINGS_NMI[i]` from the start; `total` (n,) are those all over the world, `hours` is the span of
    the data.
    """

    rate: FloatArray
    counts: IntArray
    total: IntArray
    hours: float

    def within(self, start: IntArray, radius_nmi: FloatArray) -> FloatArray:
        """Births per hour within a radius of each start, itself counted, so that none is nought. Shape (k,)."""
        ring = np.minimum(np.searchsorted(RINGS_NMI, radius_nmi), len(RINGS_NMI) - 1)
        share = (radius_nmi / np.array(RINGS_NMI)[ring]) ** 2
        expected = np.minimum(self.counts[start, ring] * share, self.total[start])
        result: FloatArray = (expected + 1.0) / self.hours
        return result


def births_around(starts: Ends, span_us: tuple[int, int]) -> BirthsAround:
    """How many identities are born by chance around each start.

    The rate is the highest of those at several scales, the start itself left out; at the widest it is counted in, so
    that no rate is nought. For a track that wakes from a silence all that wake are counted, else all that are born.
    """
    born = starts.silence < 0
    hours = max((span_us[1] - span_us[0]) / US_PER_H, LEAST_SPAN_H)
    day = (starts.time_us - span_us[0]) // int(BURST_DAYS * US_PER_DAY)
    rate = np.zeros(len(starts))
    counts = np.zeros((len(starts), len(RINGS_NMI)), dtype=np.int64)
    total = np.zeros(len(starts), dtype=np.int64)
    for own, counted in ((born, born), (~born, ~starts.is_leap)):
        for step in SCALES_DEG:
            near = _counts_around(starts.lat, starts.lon, step, counted, None)
            others = near - (counted if step != SCALES_DEG[0] else 0)
            rate = np.where(own, np.maximum(rate, others / (_area(starts.lat, step) * hours)), rate)
        near = _counts_around(starts.lat, starts.lon, BURST_DEG, counted, day) - counted
        burst_h = min(3.0 * BURST_DAYS * 24.0, hours)
        rate = np.where(own, np.maximum(rate, near / (_area(starts.lat, BURST_DEG) * burst_h)), rate)
        for ring, step in enumerate(RINGS_DEG):
            near = _counts_around(starts.lat, starts.lon, step, counted, None) - counted
            counts[own, ring] = near[own]
        total[own] = counted.sum()
        later = counted & (starts.time_us >= span_us[0] + int(THERE_BEFORE_H * US_PER_H))
        rate = np.where(own, np.maximum(rate, _lying_rate(starts, later, hours)), rate)
    return BirthsAround(rate, counts, total, hours)


def _lying_rate(starts: Ends, counted: npt.NDArray[np.bool_], hours: float) -> FloatArray:
    """Births expected where ships lie, at any one of those places in the sea around; 0 for starts under way."""
    lying = np.nan_to_num(starts.sog_kn) < LYING_KN
    births = np.maximum(_counts_around(starts.lat, starts.lon, SCALES_DEG[0], counted, None), 1)
    places = _counts_around(starts.lat, starts.lon, SCALES_DEG[0], lying, None)
    rate = LYING_SHARE * births / (np.maximum(places, 1) * np.pi * LYING_NMI**2 * hours)
    return np.where(lying, rate, 0.0)


def resting_places(starts: Ends) -> FloatArray:
    """How dense wakings are at the place of each start, as a share of all around, per square nmi. Shape (n,).

    The start itself and one other are left out.
    """
    everyone = np.ones(len(starts), dtype=np.bool_)
    around = _counts_around(starts.lat, starts.lon, SCALES_DEG[0], everyone, None)
    dense = np.zeros(len(starts))
    for fine in SCALES_DEG[2:]:
        near = _counts_around(starts.lat, starts.lon, fine, everyone, None)
        dense = np.maximum(dense, np.maximum(near - 2, 0) / np.maximum(around, 1) / _area(starts.lat, fine))
    return dense


def _area(lat: FloatArray, step: float) -> FloatArray:
    """Area of a cell with its eight neighbours, square nmi."""
    side = 3.0 * step * NMI_PER_DEGREE
    result: FloatArray = side * side * np.maximum(np.cos(np.radians(lat)), 0.05)
    return result


def _counts_around(
    lat: FloatArray, lon: FloatArray, step: float, counted: npt.NDArray[np.bool_], day: IntArray | None
) -> IntArray:
    """How many counted points lie in the cell of each point or beside it (and on its day or beside it)."""
    columns, rows = round(360.0 / step), round(180.0 / step) + 2
    row = np.floor((lat + 90.0) / step).astype(np.int64)
    column = np.floor((lon + 180.0) / step).astype(np.int64) % columns
    time = np.zeros(len(lat), dtype=np.int64) if day is None else day + 1
    cells, inverse = np.unique((time * rows + row) * columns + column, return_inverse=True)
    known = np.bincount(inverse, weights=counted, minlength=len(cells)).astype(np.int64)
    t, r, c = cells // columns // rows, cells // columns % rows, cells % columns
    total = np.zeros(len(cells), dtype=np.int64)
    for dt in (0,) if day is None else (-1, 0, 1):
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                key = ((t + dt) * rows + r + dr) * columns + (c + dc) % columns
                place = np.minimum(np.searchsorted(cells, key), len(cells) - 1)
                total += np.where(cells[place] == key, known[place], 0)
    return total[inverse]


@dataclass(frozen=True, slots=True)
class Bodies:
    """How common each length and beam is among tracks: box sums over a table of metres."""

    sums: FloatArray
    lengths: FloatArray
    n_both: int
    n_length: int

    def share(
        self, length_m: FloatArray, beam_m: FloatArray, within_m: FloatArray, beam_within_m: FloatArray
    ) -> FloatArray:
        """Share of tracks whose length and beam lie so near; of length alone where the beam is unknown. Shape (n,)."""
        low, high = _bounds(length_m, within_m, len(self.sums) - 1)
        left, right = _bounds(beam_m, beam_within_m, self.sums.shape[1] - 1)
        box = self.sums[high, right] - self.sums[low, right] - self.sums[high, left] + self.sums[low, left]
        alone = self.lengths[high] - self.lengths[low]
        both = np.isfinite(beam_m)
        long, wide = _usual_shares(length_m, within_m, beam_within_m)
        known, usual = np.where(both, box, alone), np.where(both, long * wide, long)
        n = np.where(both, self.n_both, self.n_length)
        return np.asarray((known + USUAL_SHIPS * usual) / (n + USUAL_SHIPS), dtype=np.float64)


def _usual_shares(
    length_m: FloatArray, within_m: FloatArray, beam_within_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Share of all ships within so much of a length, and of ships of that length within so much of a beam."""
    length = np.clip(np.nan_to_num(length_m, nan=1.0), *USUAL_LENGTHS_M)
    long = (2.0 * np.nan_to_num(within_m) + 1.0) / (length * np.log(USUAL_LENGTHS_M[1] / USUAL_LENGTHS_M[0]))
    wide = (2.0 * np.nan_to_num(beam_within_m) + 1.0) / (USUAL_BEAM_SPREAD * length)
    return np.minimum(long, 1.0), np.minimum(wide, 1.0)


def _bounds(value: FloatArray, within: FloatArray, top: int) -> tuple[IntArray, IntArray]:
    value, within = np.nan_to_num(value), np.nan_to_num(within)
    low = np.clip(np.ceil(value - within), 0, top).astype(np.int64)
    high = np.clip(np.floor(value + within) + 1, 0, top).astype(np.int64)
    return low, np.maximum(low, high)


def bodies_of(starts: Ends) -> Bodies:
    """Lengths and beams counted over tracks that were born; a track is counted once."""
    born = starts.silence < 0
    length, beam = starts.claims.length_m[born], starts.claims.beam_m[born]
    with_length = np.isfinite(length)
    both = with_length & np.isfinite(beam)
    table = np.zeros((463, 78))
    np.add.at(table, (length[both].round().astype(int) + 1, beam[both].round().astype(int) + 1), 1.0)
    lengths = np.zeros(463)
    np.add.at(lengths, length[with_length].round().astype(int) + 1, 1.0)
    return Bodies(table.cumsum(0).cumsum(1), lengths.cumsum(), int(both.sum()), int(with_length.sum()))


def shares_of(codes: IntArray) -> FloatArray:
    """For each code from 0 how often it stands among those that say something, one added. Shape (codes,)."""
    said = codes[codes >= 0]
    counts = np.bincount(said, minlength=int(codes.max(initial=-1)) + 1)
    return np.asarray((counts + 1.0) / (len(said) + len(counts) + 1.0), dtype=np.float64)


def bearers_of(codes: IntArray, mmsi: IntArray) -> IntArray:
    """For each value of `codes` (aligned with `mmsi`) how many MMSI bear it; nothing said gives 0. Shape (n,)."""
    out = np.zeros(len(codes), dtype=np.int64)
    said = np.flatnonzero(codes > 0)
    if not len(said):
        return out
    pairs = np.unique(np.stack([codes[said], mmsi[said]]), axis=1)
    values, counts = np.unique(pairs[0], return_counts=True)
    out[said] = counts[np.searchsorted(values, codes[said])]
    return out
