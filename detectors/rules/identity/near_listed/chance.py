"""How much a likeness says: each agreement against how often chance brings it about.

Takes how ships and listed vessels compare; gives the odds that the ship is the listed vessel under altered claims.
Grounds are independent likelihood ratios (Fellegi and Sunter 1969): how often a listed ship under altered claims would
be so (judgement), over how often two strangers are: computed from the numbers heard and listed, or counted among the
ships heard; where those are few, measured in MarineCadastre's US sample of 2022-01-03 (10,631 craft).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from detectors.rules.identity.claims import IntArray
from detectors.rules.identity.near_listed.edits import (
    IMO_DIGITS,
    MMSI_DIGITS,
    one_digit_fewer,
    one_digit_more,
    one_edit,
    places_of,
)
from detectors.rules.identity.near_listed.likeness import (
    DIFFERS,
    EQUAL,
    NEAR,
    SIZE_SLACK_M,
    Likeness,
    Spellings,
    Statements,
)
from detectors.rules.identity.near_listed.listings import Listings, Objects
from vessels.ais import IMO_MAX, IMO_MIN, MmsiKind, imo_check_digit_ok, mmsi_kinds
from vessels.geodesy import FloatArray

CLUMPED: Final = 1.6
"""Valid IMO numbers lie this much closer than if strewn evenly behind their first digit: 702 pairs one edit apart among
3,600 where 406 were to be expected; 286 for 193 among ships from 50 m, 160 for 110 among cargo ships and tankers."""
NEAR_MMSI: Final = 4e-4
"""Two ships' MMSI are one edit apart, because states give them in series: 1,814 pairs among 2,226 ships from 50 m, half
of which had such a neighbour; 898 pairs among 1,377 cargo ships and tankers."""
SAME_NAME: Final = 4e-5
NEAR_NAME: Final = (9e-5,) * 5 + (7.4e-5, 3.3e-5, 2.6e-5, 1.8e-5, 1.8e-5, 5e-6, 5e-6, 5e-6) + (2e-6,) * 8
"""By letters of the name: how often another craft's is one letter away and has the same numbers in it."""
SAME_CALL_SIGN: Final = 1e-6
"""Two craft in ten million send the same (4 pairs among 8,541 signs); rounded up, because signs are typed."""
SAME_LENGTH: Final = 0.066
SAME_BEAM: Final = 0.55
"""Where the length is the same; 0.52 among ships from 50 m, 0.65 among cargo ships and tankers."""
SAME_FLAG: Final = 0.15
SAME_TYPE: Final = 0.28
"""Flags and types among ships from 50 m."""
SAMPLE_CRAFT: Final = 10_000
"""The sample counts beside the ships heard where a name or call sign is looked for among both."""
SAMPLE_WEIGHT: Final = 20.0
"""So many of the ships heard count as much as the sample, for shares that differ from sea to sea."""

# How often a listed ship under altered claims would be so: judgement, to be refitted by a backtest.
NUMBER_NEAR: Final = 0.3
NAME_EQUAL, NAME_NEAR, NAME_DIFFERS = 0.5, 0.2, 0.2
OTHER_VALID_IMO: Final = 0.3
CALL_SIGN_EQUAL, CALL_SIGN_DIFFERS = 0.3, 0.7
LENGTH_EQUAL, LENGTH_DIFFERS = 0.8, 0.1
BEAM_EQUAL, BEAM_DIFFERS = 0.9, 0.15
FLAG_EQUAL, FLAG_DIFFERS = 0.4, 0.6
TYPE_EQUAL, TYPE_DIFFERS = 0.85, 0.15

_VALID_BEHIND_DIGIT: Final = 100_000
"""Numbers behind one first digit that pass the check digit: a tenth of a million."""
PASSES, FAILS, SHORT, LONG = range(4)
"""Forms of a claimed IMO number: its check digit passes, or fails, or it has six digits, or eight."""


def imo_form(imo: IntArray) -> IntArray:
    """PASSES, FAILS, SHORT or LONG, number by number."""
    return np.select([imo < IMO_MIN, imo > IMO_MAX, imo_check_digit_ok(imo)], [SHORT, LONG, PASSES], FAILS)


def neighbours(imo: IntArray, form: int) -> Iterator[IntArray]:
    """Every seven-digit number one edit from IMO numbers of one form."""
    if form == SHORT:
        return one_digit_more(imo, IMO_DIGITS)
    return one_digit_fewer(imo, IMO_DIGITS) if form == LONG else one_edit(imo, IMO_DIGITS)


def ship_mmsi(mmsi: IntArray) -> IntArray:
    """Those numbers that have a ship's form, sorted, once each."""
    mmsi = np.unique(mmsi)
    return mmsi[np.isin(mmsi_kinds(mmsi), (MmsiKind.SHIP, MmsiKind.UNKNOWN_MID))]


def expected_hits(imo: IntArray, form: int, listed: IntArray) -> float:
    """How many pairs of claimed numbers of one form and listed ones chance sets one edit apart.

    Each neighbour of a claimed number is listed as often as the numbers behind its first digit are, those that pass
    the check digit and those that fail apart.
    """
    passes = imo_check_digit_ok(listed)
    rate_passing = np.bincount(listed[passes] // IMO_MIN, minlength=10) / _VALID_BEHIND_DIGIT
    rate_failing = np.bincount(listed[~passes] // IMO_MIN, minlength=10) / (IMO_MIN - _VALID_BEHIND_DIGIT)
    total = 0.0
    for near in neighbours(imo, form):
        near = near[(near >= IMO_MIN) & (near <= IMO_MAX)]
        ok = imo_check_digit_ok(near)
        total += float(rate_passing[near[ok] // IMO_MIN].sum() + rate_failing[near[~ok] // IMO_MIN].sum())
    return CLUMPED * total


@dataclass(frozen=True, slots=True)
class Chances:
    """How often chance makes a ship heard and a listed vessel agree; `hits` are the pairs expected of each form."""

    n_ships: int
    n_listed: int
    n_claimed: IntArray
    hits: FloatArray
    near_mmsi: float
    lengths_m: FloatArray
    call_signs: dict[str, int]
    flags: dict[str, int]
    types: dict[str, int]

    @property
    def n_pairs(self) -> int:
        """Pairs of ship and listed vessel."""
        return max(1, self.n_ships * self.n_listed)


def chances_of(said: Statements, listed: Listings, n_ships: int) -> Chances:
    """The chances among ships heard and vessels listed."""
    claimed = np.unique(said.imo[said.imo > 0])
    numbers = np.unique(listed.imo[listed.imo > 0])
    form = imo_form(claimed)
    mmsi = ship_mmsi(said.mmsi)
    one, _ = places_of(one_edit(mmsi, MMSI_DIGITS), len(mmsi), mmsi, len(mmsi))
    first = np.unique(said.group, return_index=True)[1]
    return Chances(
        n_ships=n_ships,
        n_listed=len(np.unique(listed.vessel)),
        n_claimed=np.bincount(form, minlength=4),
        hits=np.array([expected_hits(claimed[form == one], one, numbers) for one in (PASSES, FAILS, SHORT, LONG)]),
        near_mmsi=(len(one) + 1.0) / (len(mmsi) ** 2 + 1.0 / NEAR_MMSI),
        lengths_m=np.sort(said.length_m[first][~np.isnan(said.length_m[first])]),
        call_signs=_counts(said.call_sign[first]),
        flags=_counts(said.flag[first]),
        types=_counts(said.type_group[first]),
    )


def _counts(values: Objects) -> dict[str, int]:
    """How many ships say each value; those that say nothing are left out."""
    codes, known = pd.factorize(values[values != ""])
    return dict(zip(known.tolist(), np.bincount(codes, minlength=len(known)).tolist(), strict=True))


def log_odds(
    like: Likeness, said: Statements, listed: Listings, chances: Chances, prior_share: float, spellings: Spellings
) -> FloatArray:
    """Common logarithm of the odds, pair by pair, that the ship is the listed vessel and not a stranger.

    `prior_share` of the ships heard are taken to be listed vessels under altered claims, any as likely as the next.
    """
    at, entry = like.statement, like.entry
    form = imo_form(said.imo[at])
    near_imo = np.maximum(chances.hits, 1e-12)[form] / chances.n_pairs
    other = np.where((form == PASSES) & (like.imo == DIFFERS), OTHER_VALID_IMO, 1.0)
    others = (said.bearers[at] - 1) / (chances.n_ships + SAMPLE_CRAFT)
    letters, _ = spellings.of(said.name[at])
    near_name = np.array(NEAR_NAME)[[len(text) for text in letters.tolist()]] if len(at) else np.zeros(0)
    known = chances.lengths_m
    within = np.searchsorted(known, listed.length_m[entry] + SIZE_SLACK_M, "right")
    within -= np.searchsorted(known, listed.length_m[entry] - SIZE_SLACK_M, "left")
    same_length = (np.maximum(within - 1, 0) + SAME_LENGTH * SAMPLE_WEIGHT) / (len(known) + SAMPLE_WEIGHT)
    same_flag = _share(said.flag[at], chances.flags, SAME_FLAG, SAMPLE_WEIGHT)
    same_type = _share(said.type_group[at], chances.types, SAME_TYPE, SAMPLE_WEIGHT)
    same_sign = SAME_CALL_SIGN + _share(said.call_sign[at], chances.call_signs, 0.0, SAMPLE_CRAFT)
    ratios = (
        np.where(like.imo == NEAR, NUMBER_NEAR / near_imo, other),
        np.where((like.mmsi == NEAR) & (like.name != DIFFERS), NUMBER_NEAR / chances.near_mmsi, 1.0),
        _ratio(like.name, NAME_EQUAL, SAME_NAME + others, NAME_DIFFERS),
        np.where(like.name == NEAR, NAME_NEAR / (near_name + others), 1.0),
        _ratio(like.call_sign, CALL_SIGN_EQUAL, same_sign, CALL_SIGN_DIFFERS),
        _ratio(like.length, LENGTH_EQUAL, same_length, LENGTH_DIFFERS),
        np.where(like.length == EQUAL, _ratio(like.beam, BEAM_EQUAL, SAME_BEAM, BEAM_DIFFERS), 1.0),
        np.where(like.mmsi == NEAR, 1.0, _ratio(like.flag, FLAG_EQUAL, same_flag, FLAG_DIFFERS)),
        _ratio(like.type_group, TYPE_EQUAL, same_type, TYPE_DIFFERS),
    )
    prior = np.log10(prior_share / max(1, chances.n_listed))
    odds: FloatArray = np.sum([np.log10(ratio) for ratio in ratios], axis=0) + prior
    return odds


def _ratio(like: IntArray, equal: float, chance: Any, differs: float) -> FloatArray:
    """Likelihood ratio of an agreement or a difference; 1 where nothing is known or the two are near.

    An agreement never speaks against, nor a difference for, however rare the value is among the ships heard.
    """
    chance = np.asarray(chance, dtype=np.float64)
    agreeing = np.maximum(equal / chance, 1.0)
    differing = np.minimum(differs / np.maximum(1.0 - chance, differs), 1.0)
    ratio: FloatArray = np.where(like == EQUAL, agreeing, np.where(like == DIFFERS, differing, 1.0))
    return ratio


def _share(values: Objects, counts: dict[str, int], usual: float, weight: float) -> FloatArray:
    """How often another ship says the same, a sample with its usual share counting as so many ships."""
    n = sum(counts.values())
    others = np.array([max(counts.get(value, 0) - 1, 0) for value in values.tolist()], dtype=np.float64)
    share: FloatArray = (others + usual * weight) / (n + weight)
    return share
