"""What each pair of a lone stay and a silence weighs, for millions of pairs: the sums of `lone_grounds`, as arrays.

Takes stays, silences and feasible pairs; gives the weight of each pair, the two crowds in it. The reasons in words are
made for the few pairs that are told, by `lone_grounds`; both add up to the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.rules.rendezvous.lone_grounds import (
    ALIKE_DB,
    BELIED_DB,
    BOTH_TIED_DB,
    IN_PORT_DB,
    OPPOSITE_DB,
    SILENT_MOVED_DB,
    SILENT_UNMOVED_DB,
    TANKERS_DB,
    UNLIKE_DB,
    Silence,
    Stay,
    gain_of,
    reception_db,
)
from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.reasons import Reason, total_db
from detectors.rules.rendezvous.ships import CARRYING
from detectors.rules.rendezvous.silent import FloatArray, IntArray, Rows
from detectors.rules.rendezvous.ties import Tie, weight_db

UNSEEN_DB: Final = 0.0
"""The weight that the silent ship met none of the stays known: as that of one stay for which nothing speaks."""
UNHEARD: Final = 5
"""Ships that could have been there and were not heard for weeks, or never: they count beside the silent ones known."""
_TANKER, _CARGO = 0, 1


@dataclass(frozen=True, slots=True)
class Weighed:
    """Pairs with their weights in decibans. Shapes (k,)."""

    stay: Rows
    gap: Rows
    own_db: FloatArray
    """What speaks for the pair: the silent ship, and whether draughts fit."""
    fit_db: FloatArray
    """Of it, the draughts."""
    choice_db: FloatArray
    """The share of this stay among all that the silent ship could have gone to."""
    n_choices: IntArray

    @property
    def db(self) -> FloatArray:
        """All of it."""
        return self.own_db + self.choice_db

    def only(self, keep: npt.NDArray[np.bool_]) -> "Weighed":
        """Some of the pairs."""
        return Weighed(*(getattr(self, column.name)[keep] for column in fields(self)))


def weigh_pairs(
    stay: Rows,
    gap: Rows,
    stays: Sequence[Stay],
    silences: Sequence[Silence],
    stay_ties: Sequence[Sequence[Tie]],
    gap_ties: Sequence[Sequence[Tie]],
    parameters: RendezvousParameters,
) -> Weighed:
    """The pairs of two carriers of different hulls, weighed; choices among stays are left at 0 for `with_choice`."""
    stay_role, gap_role = (_roles(ones) for ones in ([s.party.role for s in stays], [s.party.role for s in silences]))
    stay_tied, gap_tied = (np.array([bool(one) for one in ties], dtype=np.bool_) for ties in (stay_ties, gap_ties))
    seen, unseen = [one.party for one in stays], [one.party for one in silences]
    hulls = {hull: i for i, hull in enumerate(dict.fromkeys(party.hull for party in (*seen, *unseen)))}
    stay_hull, gap_hull = (np.array([hulls[one.hull] for one in ones], dtype=np.int64) for ones in (seen, unseen))
    stay_mmsi, gap_mmsi = (np.array([one.mmsi for one in ones], dtype=np.int64) for ones in (seen, unseen))
    unknown = np.array([one.party.role == "unknown" for one in silences], dtype=np.bool_)
    carries = (gap_role >= 0) | (unknown & gap_tied)
    good = carries[gap] & (stay_hull[stay] != gap_hull[gap]) & (stay_mmsi[stay] != gap_mmsi[gap])
    stay, gap = stay[good], gap[good]
    tie_db = np.array([weight_db(ties) for ties in gap_ties], dtype=float)
    alone_db = np.array([_alone_db(one) for one in silences], dtype=float)
    own = alone_db[gap] + np.where(gap_tied[gap] & stay_tied[stay], BOTH_TIED_DB, tie_db[gap])
    both_tankers = (stay_role[stay] == _TANKER) & (gap_role[gap] == _TANKER)
    unlike = (stay_role[stay] >= 0) & (gap_role[gap] >= 0) & (stay_role[stay] != gap_role[gap])
    own += np.where(both_tankers, TANKERS_DB, 0.0) + np.where(unlike, UNLIKE_DB, 0.0)
    fit = _fit_db(_gains(stays)[stay], _gains(silences)[gap], parameters)
    none = np.zeros(len(stay))
    return Weighed(stay, gap, own + fit, fit, none, none.astype(np.int64))


def with_choice(pairs: Weighed, base: Mapping[int, Sequence[Reason]], n_stays: int) -> Weighed:
    """The pairs with the share of each among the stays of its silent ship, weighed by how well each stay fits."""
    if not len(pairs.stay):
        return pairs
    base_db = np.zeros(n_stays)
    for at, reasons in base.items():
        base_db[at] = total_db(reasons)
    odds = 10.0 ** ((base_db[pairs.stay] + pairs.fit_db) / 10.0)
    n = int(pairs.gap.max()) + 1
    all_odds = np.bincount(pairs.gap, weights=odds, minlength=n) + 10.0 ** (UNSEEN_DB / 10.0)
    choice = np.round(10.0 * np.log10(odds / all_odds[pairs.gap]), 2)
    n_choices = np.bincount(pairs.gap, minlength=n)[pairs.gap]
    return replace(pairs, choice_db=choice, n_choices=n_choices)


def crowds(pairs: Weighed, n_stays: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """By stay: what its silent ships say together, how many they are, and the share of each pair among them, (k,).

    The likeliest speaks for all, shared among all that could have been there, unheard ones too.
    """
    count = np.bincount(pairs.stay, minlength=n_stays)
    best = np.full(n_stays, -np.inf)
    np.maximum.at(best, pairs.stay, pairs.db)
    odds = 10.0 ** (pairs.db / 10.0)
    total = np.bincount(pairs.stay, weights=odds, minlength=n_stays) + UNHEARD
    return best - 10.0 * np.log10(count + UNHEARD), count, odds / total[pairs.stay]


def _roles(roles: Sequence[str]) -> IntArray:
    return np.array([{"tanker": _TANKER, "cargo": _CARGO}.get(role, -1) for role in roles], dtype=np.int64)


def _alone_db(silence: Silence) -> float:
    """What a silence weighs whoever lay there: reception, a type not believed, a port."""
    belied = BELIED_DB if silence.party.belied else 0.0
    return reception_db(silence.row) + belied + (IN_PORT_DB if silence.in_port else 0.0)


def _gains(ones: Sequence[Stay] | Sequence[Silence]) -> FloatArray:
    gains = (gain_of(one.row) for one in ones)
    return np.array([np.nan if gain is None else gain for gain in gains], dtype=float)


def _fit_db(seen_m: FloatArray, silent_m: FloatArray, parameters: RendezvousParameters) -> FloatArray:
    least = parameters.draught_change_m - 1e-6
    with np.errstate(invalid="ignore"):
        return np.select(
            [np.isnan(silent_m), np.abs(silent_m) < least, ~(np.abs(seen_m) >= least), silent_m * seen_m < 0.0],
            [0.0, SILENT_UNMOVED_DB, SILENT_MOVED_DB, OPPOSITE_DB],
            ALIKE_DB,
        )


def may_lie_alone(stays: Sequence[Stay]) -> npt.NDArray[np.bool_]:
    """Which stays are those of carriers. Shape (n,)."""
    return np.array([stay.party.role in CARRYING for stay in stays], dtype=np.bool_)
