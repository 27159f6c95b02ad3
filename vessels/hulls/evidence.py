"""What each piece of evidence says for or against two tracks being one hull, as weights in decibans.

Takes pairs of sides and what chance alone brings; gives one column of weights for each piece of evidence, after Fellegi
and Sunter (1969): ten times the logarithm of how likely the observation is if both are one hull, over how likely it is
if they are not. The second is measured on the input itself (`background`); the first stands here, with its reason.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vessels.hulls.background import BirthsAround, Bodies, bearers_of, shares_of
from vessels.hulls.ends import Ends
from vessels.hulls.parameters import LinkParameters
from vessels.hulls.whereabouts import gap_of, place_and_time_db
from vessels.track import IntArray
from vessels.units import US_PER_H

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Likelihoods of agreeing, nearly agreeing and disagreeing if both are one hull."""

    same: float
    near: float
    far: float
    why: str


BODY: Final = Agreement(
    0.80, 0.08, 0.12, "most falsifiers keep the dimensions typed in; some copy another's (A LAN, 2019)"
)
CLASS_SAME: Final = 0.85
"""A tanker that calls herself another class of ship does so seldom (Saebyol, Krysper Singa)."""
SET_SAME: Final = 0.97
"""A class A set stays class A."""
DRAUGHT_SAME: Final = 0.5
"""Draught is typed once a voyage; half of the hulls that change a name keep it over the change."""
DRAUGHT_SAME_M: Final = 0.3
DRAUGHT_FAR_M: Final = 2.0
DRAUGHT_CHANCE: Final = 0.2
"""Two ships of one size within 0.3 m by chance: draughts of one class spread over some 3 m."""
LOADING_H: Final = 12.0
"""In less a ship that was not at a berth has not loaded."""
IMO_SAME_DB: Final = 40.0
MMSI_SAME_DB: Final = 35.0
MMSI_ALONE_DB: Final = 15.0
"""The same MMSI where IMO number, name and call sign are all others: numbers are passed on to other ships."""
NAME_SAME_DB: Final = 30.0
CALL_SIGN_SAME_DB: Final = 30.0
"""One in 10,000, 3,200 and 1,000: how seldom two hulls bear one number, name or sign, before it is counted."""
CLAIMS_CAP_DB: Final = 45.0
"""All claims together weigh no more: a borrowed identity is borrowed whole."""
IMO_DIFFERS_DB: Final = -3.0
"""Half of the hidden changes bring another valid number; all pairs of different ships have two. Never a veto."""
STEEL_DB: Final = -20.0
"""Under one IMO number or MMSI other dimensions beyond retyping: steel does not grow, and few entries are mended."""
HEARD_BEFORE_DB: Final = -4.0
"""The new number was heard before, or the old one is heard again, on another track."""
OVERLAP_DB: Final = -6.0
"""Both on the air at once, for minutes or, under one IMO number, for hours."""
BODY_CAP_DB: Final = 25.0
INTERVAL_DB: Final = (-1.5, 2.0)
"""Bounds: intervals depend on the receivers near a ship more than on its set."""
CRUISE_DB: Final = (-5.0, 4.0)
"""Bounds: a hull laden, in ballast or slow steaming differs from itself by 2 kn and more."""
SAME_M: Final = (2.0, 1.0)
NEAR_SHARE: Final = (0.10, 0.25)
NEAR_M: Final = (10.0, 4.0)
"""What retyping explains, as in the identity rules: a tenth or 10 m of length, a quarter or 4 m of beam."""

PLACE, BODIES, DRAUGHT, CLASS, SET, HABIT, CRUISE, CLAIMED, NUMBERS, HEARD, QUIET, OVERLAP = (
    "place and time",
    "dimensions",
    "draught",
    "ship type",
    "class of set",
    "report interval",
    "cruising speed",
    "name and call sign",
    "IMO number and MMSI",
    "heard before or after",
    "edge of the data",
    "both on the air",
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Weights of pairs: for each piece of evidence a column in decibans, NaN where nothing is known. Shapes (k,)."""

    weights: dict[str, FloatArray]
    gap_h: FloatArray
    distance_nmi: FloatArray

    @property
    def is_tied(self) -> npt.NDArray[np.bool_]:
        """Whether anything of the hull was compared, or a claim agrees: place alone ties nothing."""
        tied = np.zeros(len(self.gap_h), dtype=np.bool_)
        for name in (BODIES, DRAUGHT, CRUISE):
            tied |= np.isfinite(self.weights[name])
        for name in (CLAIMED, NUMBERS):
            tied |= np.nan_to_num(self.weights[name]) > 0.0
        return tied

    @property
    def total_db(self) -> FloatArray:
        """All evidence together."""
        return np.asarray(sum(np.nan_to_num(column) for column in self.weights.values()), dtype=np.float64)

    def beside(self, other: "Weighed") -> "Weighed":
        """These pairs and others after them; evidence that the others lack is unknown there."""
        nothing = np.full(len(other.gap_h), np.nan)
        weights = {n: np.concatenate([c, other.weights.get(n, nothing)]) for n, c in self.weights.items()}
        gaps, distances = (self.gap_h, other.gap_h), (self.distance_nmi, other.distance_nmi)
        return Weighed(weights, np.concatenate(gaps), np.concatenate(distances))

    def take(self, which: npt.NDArray[np.integer]) -> "Weighed":
        """Some of the pairs."""
        weights = {name: column[which] for name, column in self.weights.items()}
        return Weighed(weights, self.gap_h[which], self.distance_nmi[which])


@dataclass(frozen=True, slots=True)
class Background:
    """What is measured once for all pairs: births around each start, bodies, shares and bearers of claims."""

    span_us: tuple[int, int]
    heard_again: npt.NDArray[np.bool_]
    heard_before: npt.NDArray[np.bool_]
    births: BirthsAround
    bodies: Bodies
    class_share: FloatArray
    set_share: FloatArray
    cruise_spread_kn: float
    interval_spread: float
    imo_bearers: IntArray
    name_bearers: IntArray
    sign_bearers: IntArray
    mmsi_tracks: IntArray


def background_of(
    ends: Ends, starts: Ends, births: BirthsAround, bodies: Bodies, span_us: tuple[int, int]
) -> Background:
    """Measure how common claims and habits are, on the starts. `span_us` is the first and last report of all."""
    again, before = _heard(ends, starts)
    born = starts.silence < 0
    claims = starts.claims
    _, place, tracks = np.unique(starts.mmsi, return_inverse=True, return_counts=True)
    log = np.log(np.maximum(starts.interval_s[born], 1.0))
    return Background(
        span_us=span_us,
        heard_again=again,
        heard_before=before,
        births=births,
        bodies=bodies,
        class_share=shares_of(claims.type_group[born]),
        set_share=shares_of(claims.transceiver[born]),
        cruise_spread_kn=_spread(starts.cruise_kn[born], 3.0),
        interval_spread=_spread(log, 1.0),
        imo_bearers=bearers_of(claims.imo, starts.mmsi),
        name_bearers=bearers_of(claims.name + 1, starts.mmsi),
        sign_bearers=bearers_of(claims.call_sign + 1, starts.mmsi),
        mmsi_tracks=(tracks[place] - np.bincount(place, weights=~born).astype(np.int64)[place]),
    )


def _spread(values: FloatArray, otherwise: float) -> float:
    """Standard deviation of a population; a usual one where it is too small to tell."""
    known = values[np.isfinite(values)]
    return float(max(known.std(), 0.25 * otherwise)) if len(known) >= 30 else otherwise


def weigh_pairs(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, background: Background, parameters: LinkParameters
) -> Weighed:
    """The weights of pairs (e[i], s[i])."""
    gap_h, apart = gap_of(ends, starts, e, s)
    numbers, same_number = _numbers(ends, starts, e, s, background)
    numbers = np.minimum(numbers, CLAIMS_CAP_DB)
    claimed = np.minimum(_names(ends, starts, e, s, background), CLAIMS_CAP_DB - np.nan_to_num(numbers))
    old, new = ends.claims, starts.claims
    bodies = bodies_db(ends, starts, e, s, same_number, background)
    # Equal class and set follow from an equal body: they speak for a link only where no body does.
    most = np.where(bodies > 0.0, 0.0, np.inf)
    classes = _shared_codes(old.type_group[e], new.type_group[s], CLASS_SAME, background.class_share)
    sets = _shared_codes(old.transceiver[e], new.transceiver[s], SET_SAME, background.set_share)
    weights = {
        PLACE: place_and_time_db(ends, starts, e, s, background.births, parameters),
        BODIES: bodies,
        DRAUGHT: draught_db(ends, starts, e, s, gap_h),
        CLASS: np.minimum(classes, most),
        SET: np.minimum(sets, most),
        HABIT: _nearness(
            np.log(np.maximum(ends.interval_s[e], 1.0)), np.log(np.maximum(starts.interval_s[s], 1.0)),
            0.5, background.interval_spread, INTERVAL_DB,
        ),
        CRUISE: _nearness(ends.cruise_kn[e], starts.cruise_kn[s], 0.8, background.cruise_spread_kn, CRUISE_DB),
        CLAIMED: claimed,
        NUMBERS: numbers,
        HEARD: HEARD_BEFORE_DB * (background.heard_again[e].astype(np.int64) + background.heard_before[s]),
        QUIET: quiet_db(ends, starts, e, s, background.span_us, parameters),
        OVERLAP: np.where(gap_h < 0.0, OVERLAP_DB, np.nan),
    }  # fmt: skip
    return Weighed(weights, gap_h, apart)


def _db(ratio: FloatArray) -> FloatArray:
    result: FloatArray = 10.0 * np.log10(np.maximum(ratio, 1e-12))
    return result


def bodies_db(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, same_number: npt.NDArray[np.bool_], background: Background
) -> FloatArray:
    length, other = ends.claims.length_m[e], starts.claims.length_m[s]
    beam, other_beam = ends.claims.beam_m[e], starts.claims.beam_m[s]
    known = np.isfinite(length) & np.isfinite(other)
    beams = np.isfinite(beam) & np.isfinite(other_beam)
    by, by_beam = np.abs(length - other), np.where(beams, np.abs(beam - other_beam), 0.0)
    near_m = np.maximum(NEAR_SHARE[0] * np.fmax(length, other), NEAR_M[0])
    near_beam_m = np.maximum(NEAR_SHARE[1] * np.fmax(beam, other_beam), NEAR_M[1])
    same = (by <= SAME_M[0]) & (by_beam <= SAME_M[1])
    near = ~same & (by <= near_m) & (by_beam <= np.where(beams, near_beam_m, np.inf))
    beam_at = np.where(beams, other_beam, np.nan)
    one = np.ones(len(e))
    common = background.bodies.share(other, beam_at, SAME_M[0] * one, SAME_M[1] * one)
    about = background.bodies.share(other, beam_at, near_m, np.nan_to_num(near_beam_m))
    far_db = np.where(same_number, STEEL_DB, _db(BODY.far / np.clip(1.0 - about, 0.05, 1.0)))
    # Likelier than chance by what it adds to being near: a near miss is not counted with the exact ones.
    near_db = np.minimum(_db(BODY.near / np.maximum(about - common, common)), BODY_CAP_DB / 2)
    weight = np.where(same, np.minimum(_db(BODY.same / common), BODY_CAP_DB), np.where(near, near_db, far_db))
    return np.where(known, weight, np.nan)


def draught_db(ends: Ends, starts: Ends, e: IntArray, s: IntArray, gap_h: FloatArray) -> FloatArray:
    """For by equal draughts; against by what cannot have been loaded in the time. Other draughts say nothing."""
    by = np.abs(ends.draught_m[e] - starts.draught_m[s])
    far_db = float(_db(np.array([0.5])).item())
    weight = np.where(by <= DRAUGHT_SAME_M, 10.0 * np.log10(DRAUGHT_SAME / DRAUGHT_CHANCE), 0.0)
    weight = np.where((by > DRAUGHT_FAR_M) & (gap_h < LOADING_H), far_db, weight)
    return np.where(np.isfinite(by), weight, np.nan)


def _shared_codes(one: IntArray, other: IntArray, same: float, share: FloatArray) -> FloatArray:
    """Equal codes against their share in the population; beside dimensions they say little more, so both are halved."""
    known = (one >= 0) & (other >= 0)
    common = np.concatenate([share, [1.0]])[np.where(other < len(share), other, -1)]
    weight = np.where(one == other, _db(same / common) / 2.0, _db((1.0 - same) / np.clip(1.0 - common, 0.05, 1.0)))
    return np.where(known, weight, np.nan)


def _nearness(
    one: FloatArray, other: FloatArray, within: float, spread: float, bounds_db: tuple[float, float]
) -> FloatArray:
    """Difference of a habit: two-sided exponential if one hull, normal of the population's spread if two."""
    by = np.abs(one - other)
    mine = np.exp(-by / within) / (2.0 * within)
    chance = np.exp(-((by / (2.0 * spread)) ** 2)) / (2.0 * spread * np.sqrt(np.pi))
    return np.where(np.isfinite(by), np.clip(_db(mine / np.maximum(chance, 1e-6)), *bounds_db), np.nan)


def _numbers(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, background: Background
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """IMO number and MMSI; a number that many bear says the less. Also whether either is the same."""
    imo, other = ends.claims.imo[e], starts.claims.imo[s]
    both = (imo > 0) & (other > 0)
    same_imo, same_mmsi = both & (imo == other), ends.mmsi[e] == starts.mmsi[s]
    imo_db = np.where(same_imo, _shared_db(IMO_SAME_DB, background.imo_bearers[s]), IMO_DIFFERS_DB)
    full_db = np.where(_nothing_kept(ends, starts, e, s), MMSI_ALONE_DB, MMSI_SAME_DB)
    mmsi_db = _shared_db(full_db, background.mmsi_tracks[s])
    weight = np.where(both, imo_db, 0.0) + np.where(same_mmsi, mmsi_db, 0.0)
    return np.where(both | same_mmsi, weight, np.nan), same_imo | same_mmsi


def _nothing_kept(ends: Ends, starts: Ends, e: IntArray, s: IntArray) -> npt.NDArray[np.bool_]:
    """Whether IMO number, name and call sign were said on both sides, and none of them is the same."""
    old, new = ends.claims, starts.claims
    nothing = (old.imo[e] > 0) & (new.imo[s] > 0) & (old.imo[e] != new.imo[s])
    for one, other in ((old.name[e], new.name[s]), (old.call_sign[e], new.call_sign[s])):
        nothing &= (one >= 0) & (other >= 0) & (one != other)
    return np.asarray(nothing, dtype=np.bool_)


def _names(ends: Ends, starts: Ends, e: IntArray, s: IntArray, background: Background) -> FloatArray:
    name, other = ends.claims.name[e], starts.claims.name[s]
    sign, other_sign = ends.claims.call_sign[e], starts.claims.call_sign[s]
    same, same_sign = (name >= 0) & (name == other), (sign >= 0) & (sign == other_sign)
    weight = np.where(same, _shared_db(NAME_SAME_DB, background.name_bearers[s]), 0.0)
    weight += np.where(same_sign, _shared_db(CALL_SIGN_SAME_DB, background.sign_bearers[s]), 0.0)
    return np.where(same | same_sign, weight, np.nan)


def _shared_db(full_db: FloatArray | float, bearers: IntArray) -> FloatArray:
    """Two bearers are a pair; each bearer more makes the agreement the likelier by chance."""
    return np.maximum(full_db - 20.0 * np.log10(np.maximum(bearers - 1, 1)), 0.0)


def _heard(ends: Ends, starts: Ends) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether an end's number has later tracks, and a start's number earlier ones. Shapes (ends,), (starts,)."""
    # A track's own first and last report stand at its number; those of its silences come behind all tracks.
    _, number = np.unique(ends.mmsi, return_inverse=True)
    n = int((ends.silence < 0).sum())
    again = _n_above(ends.time_us[:n], number[:n], ends.time_us, number) > (ends.time_us[ends.segment] > ends.time_us)
    earlier = _n_above(-starts.time_us[:n], number[:n], -starts.time_us, number)
    before = earlier > (starts.time_us[starts.segment] < starts.time_us)
    return again, before


def quiet_db(
    ends: Ends, starts: Ends, e: IntArray, s: IntArray, span_us: tuple[int, int], parameters: LinkParameters
) -> FloatArray:
    """Against: the old track may go on, or the new one have been there before, because the data end or begin so near.

    Nothing from thrice the longest interval of the track on; a tenth of it says a hundred to one.
    """
    before = (starts.time_us - span_us[0]) / US_PER_H
    after = (span_us[1] - ends.time_us) / US_PER_H
    total = np.zeros(len(e))
    for side, which, heard_h in ((ends, e, after), (starts, s, before)):
        needed_h = np.maximum(3.0 * np.nan_to_num(side.longest_h), parameters.silent_h)
        share = np.clip(heard_h / needed_h, 1e-2, 1.0)
        total += np.where(side.silence < 0, 20.0 * np.log10(share), 0.0)[which]
    return total


def _n_above(values: IntArray, groups: IntArray, floor: IntArray, group: IntArray) -> IntArray:
    """For each floor how many values of its group lie above it. Shape (n,)."""
    rank = np.unique(np.concatenate([values, floor]), return_inverse=True)[1]
    span = int(rank.max(initial=0)) + 2
    keys = np.sort(groups * span + rank[: len(values)])
    within = np.searchsorted(keys, group * span + span - 1) - np.searchsorted(
        keys, group * span + rank[len(values) :], side="right"
    )
    return np.asarray(within, dtype=np.int64)
