"""Hull links: which tracks are one hull under another identity, how probable that is, and why.

Takes the tables of a history before hulls are joined; gives the `hull_links` table. Candidates, background, weights and
assignment are in the files beside; what a link means is left to the detectors, what it does to voyages to `joining`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.hulls.background import births_around, bodies_of
from vessels.hulls.candidates import candidate_pairs
from vessels.hulls.ends import Ends, both_ends
from vessels.hulls.evidence import CLAIMED, NUMBERS, PLACE, Background, Weighed, background_of, weigh_pairs
from vessels.hulls.exchanges import crossing, taking_up, weigh_exchanges, weigh_taken
from vessels.hulls.likeness import NEAR_NAME_DB, with_near_names
from vessels.hulls.matching import pair_probabilities
from vessels.hulls.parameters import DEFAULT_LINKS, LinkParameters
from vessels.hulls.wording import observed
from vessels.instants import times_us
from vessels.schema import HULL_LINKS, make_id
from vessels.track import IntArray
from vessels.units import US_PER_DAY

FloatArray = npt.NDArray[np.float64]

CONTINUES_DB: Final = 60.0
"""That a track which wakes under its own number is the hull that fell silent. Half of it stands against each of the two
links by which another identity can fill the silence: both together are weighed against it with one prior, one alone
would have to outweigh a million to one."""
NEGLIGIBLE_DB: Final = -25.0
"""Pairs weighing less, prior included, change no probability by half a per cent."""
CHANCE_SD: Final = 1.64
"""So many standard deviations of a count are left off it before it raises the prior: the lower end of 90 %."""
EDGE_DAYS: Final = 1.0
"""Tracks that end within this of the end of the data are not known to have ended."""
RIVALS_SHOWN: Final = 5
RIVAL_PROBABILITY: Final = 0.01
_BLOCK: Final = 500_000
"""Pairs weighed at once: some 100 columns of 4 MB."""


def find_links(
    segments: pa.Table,
    silences: pa.Table,
    identities: pa.Table,
    parameters: LinkParameters = DEFAULT_LINKS,
    since_us: int | None = None,
) -> pa.Table:
    """The `hull_links` table, sorted by when the second track began and by its MMSI.

    From `since_us` on (by default the first report) all that were heard are known; of tracks that had begun before,
    only those that go on.

    Cost: a constant number of pairs for each track and silence. Misses hulls whose new number wakes far away after
    long and claims another body: nothing then ties the two.
    """
    if segments.num_rows < 2:
        return HULL_LINKS.empty()
    ends, starts = both_ends(segments, silences, identities)
    span = int(times_us(segments["start"]).min()), int(times_us(segments["end"]).max())
    births = births_around(starts, (span[0] if since_us is None else since_us, span[1]))
    background = background_of(ends, starts, births, bodies_of(starts), span)
    e, s = candidate_pairs(ends, starts, parameters)
    enough = np.minimum(ends.n_reports[e], starts.n_reports[s]) >= parameters.min_reports
    e, s = e[enough], s[enough]
    ended = _ended_share(ends, starts, span)
    pairs = _weigh(
        ends, starts, e, s, background, _prior_db(parameters.max_change_share, ended), parameters, identities
    )
    e, s, weighed = pairs.end, pairs.start, pairs.weighed
    changed = slice(0, pairs.n_changed)

    def probabilities(share: float) -> FloatArray:
        own_db = _priors_db(ends, starts, e[changed], s[changed], _prior_db(share, ended))
        weight_db = weighed.total_db + np.concatenate([own_db, pairs.prior_db])
        return _probabilities(e, s, weight_db, pairs.against_own, ends, starts)

    probability = probabilities(parameters.change_share)
    share = _change_share(probability[changed], weighed, ends, starts, s[changed], parameters)
    if share > parameters.change_share:
        probability = probabilities(share)
    rows = np.flatnonzero(probability >= parameters.told_probability)
    a, b = e[rows], s[rows]
    keys = (starts.lat[b], ends.lat[a], ends.time_us[a], ends.mmsi[a], starts.mmsi[b], starts.time_us[b])
    order = rows[np.lexsort(keys)]
    return _table(ends, starts, e, s, order, weighed, probability, segments, identities, parameters)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Weighed pairs: changes of identity first, then halves of exchanges and identities taken up.

    `prior_db` is that of the latter; `against_own` marks those that stand against a track continuing as itself.
    """

    end: IntArray
    start: IntArray
    weighed: Weighed
    n_changed: int
    prior_db: FloatArray
    against_own: npt.NDArray[np.bool_]


def _weigh(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    background: Background,
    most_db: float,
    parameters: LinkParameters,
    identities: pa.Table,
) -> _Pairs:
    """The pairs that matter, each weighed as what it would be. `most_db` is the highest prior of a change."""
    across = crossing(ends, starts, e, s)
    exchanged, across_db = weigh_exchanges(ends, starts, e[across], s[across], background, parameters)
    changed = _worth_keeping(ends, starts, e, s, background, most_db, parameters)
    changed = changed[~np.isin(changed, across)]
    left = ends.silence[e[np.concatenate([changed, across])]]
    taken = taking_up(ends, starts, e, s, left[left >= 0])
    taken = taken[~np.isin(taken, across)]
    taking, taken_db = weigh_taken(ends, starts, e[taken], s[taken], background, parameters)
    likely = np.flatnonzero(taking.total_db + taken_db >= NEGLIGIBLE_DB)
    rows = np.concatenate([changed, across, taken[likely]])
    e, s = e[rows], s[rows]
    weighed = weigh_pairs(ends, starts, e[: len(changed)], s[: len(changed)], background, parameters)
    near = np.flatnonzero(weighed.total_db + most_db >= -2.0 * NEAR_NAME_DB)
    weighed = with_near_names(weighed, ends, starts, e, s, near, identities)
    against_own = (ends.silence[e] >= 0) & (starts.silence[s] >= 0)
    against_own[len(changed) + len(across) :] = True
    return _Pairs(
        end=e,
        start=s,
        weighed=weighed.beside(exchanged).beside(taking.take(likely)),
        n_changed=len(changed),
        prior_db=np.concatenate([across_db, taken_db[likely]]),
        against_own=against_own,
    )


def _ended_share(ends: Ends, starts: Ends, span: tuple[int, int]) -> float:
    """The share of tracks that end before the data do, of those that could."""
    edge = span[1] - int(EDGE_DAYS * US_PER_DAY)
    could = (ends.silence < 0) & (starts.time_us < edge)
    return (int((ends.time_us[could] < edge).sum()) + 1.0) / (int(could.sum()) + 1.0)


def _prior_db(change_share: float, ended_share: float) -> float:
    """Odds that a track which ended did so because its hull took another identity, in decibans."""
    return float(10.0 * np.log10(min(change_share / ended_share, 0.5)))


def _change_share(
    probability: FloatArray, weighed: Weighed, ends: Ends, starts: Ends, s: IntArray, parameters: LinkParameters
) -> float:
    """The share of identities changed under another number: the given one, or that which strong links alone show.

    One step, and strong links only: weak ones would prove each other.
    """
    hidden = (starts.silence[s] < 0) & ~(np.nan_to_num(weighed.weights[NUMBERS][: len(s)]) > 0.0)
    n = float((probability[hidden] >= parameters.strong_probability).sum())
    shown = max(n - CHANCE_SD * np.sqrt(n), 0.0) / max(int((ends.silence < 0).sum()), 1)
    return float(min(max(parameters.change_share, shown), parameters.max_change_share))


def _priors_db(ends: Ends, starts: Ends, e: IntArray, s: IntArray, prior_db: float) -> FloatArray:
    """The prior of each pair: once for a change; a return to the old number goes with the change that it ends."""
    from_silence, to_silence = ends.silence[e] >= 0, starts.silence[s] >= 0
    prior = np.where(to_silence, 0.0, prior_db) + np.where(from_silence | to_silence, CONTINUES_DB / 2.0, 0.0)
    return np.asarray(prior, dtype=np.float64)


def _worth_keeping(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    background: Background,
    prior_db: float,
    parameters: LinkParameters,
) -> IntArray:
    """Rows of the pairs, two silences left out, that can change any probability."""
    kept = [np.zeros(0, dtype=np.intp)]
    for begin in range(0, len(e), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        weighed = weigh_pairs(ends, starts, e[block], s[block], background, parameters)
        total = np.where(weighed.is_tied, weighed.total_db, -np.inf)
        from_silence, to_silence = ends.silence[e[block]] >= 0, starts.silence[s[block]] >= 0
        total += np.where(to_silence, 0.0, prior_db)
        # A leap is too short to have borne another identity meanwhile: it can only be half of an exchange.
        exchange = (from_silence & to_silence) | ends.is_leap[e[block]] | starts.is_leap[s[block]]
        kept.append(begin + np.flatnonzero((total >= NEGLIGIBLE_DB) & ~exchange))
    rows = np.concatenate(kept)
    out, back = ends.silence[e[rows]], starts.silence[s[rows]]
    # Nothing returns to a number that nothing left: a return is weighed only where its silence has a way out.
    return rows[(back < 0) | np.isin(back, out[out >= 0])]


def _probabilities(
    e: IntArray, s: IntArray, weight_db: FloatArray, against_own: npt.NDArray[np.bool_], ends: Ends, starts: Ends
) -> FloatArray:
    """Probabilities of the pairs, against each other and against each silent track's waking as itself."""
    own = np.flatnonzero(ends.silence >= 0)
    # Ends and starts of silences stand in the same order: number i of one is number i of the other.
    touched = own[np.isin(own, e) | np.isin(own, s)]
    pairs = np.concatenate([e, touched]), np.concatenate([s, touched])
    # Half of an exchange stands against one track that continues, or half of one; whatever else is weaker than that.
    half = (ends.is_leap[e] | starts.is_leap[s]) & ~against_own
    capped = np.minimum(weight_db + half * (CONTINUES_DB / 2.0), CONTINUES_DB - 1.0)
    weight_db = np.where(against_own, weight_db + CONTINUES_DB, capped)
    weights = np.concatenate([weight_db, np.full(len(touched), CONTINUES_DB)])
    return pair_probabilities(*pairs, weights)[: len(e)]


def _table(
    ends: Ends,
    starts: Ends,
    e: IntArray,
    s: IntArray,
    rows: IntArray,
    weighed: Weighed,
    probability: FloatArray,
    segments: pa.Table,
    identities: pa.Table,
    parameters: LinkParameters,
) -> pa.Table:
    a, b, told = e[rows], s[rows], weighed.take(rows)
    names = segments["segment_id"]
    from_id, to_id = (names.take(pa.array(side)).to_pylist() for side in (ends.segment[a], starts.segment[b]))
    ended = ends.time_us[a]
    rivals = _Rivals(e, s, probability, ends, starts, names.to_pylist())
    return HULL_LINKS.build(
        {
            "link_id": [make_id("link", *key) for key in zip(from_id, to_id, ended.tolist(), strict=True)],
            "from_segment_id": from_id,
            "to_segment_id": to_id,
            "from_mmsi": ends.mmsi[a],
            "to_mmsi": starts.mmsi[b],
            "ended": ended,
            "began": starts.time_us[b],
            "from_lat": ends.lat[a],
            "from_lon": ends.lon[a],
            "to_lat": starts.lat[b],
            "to_lon": starts.lon[b],
            "from_silence": ends.silence[a] >= 0,
            "to_silence": starts.silence[b] >= 0,
            "gap_h": np.round(told.gap_h, 4),
            "distance_nmi": np.round(told.distance_nmi, 3),
            "probability": np.round(probability[rows], 4),
            "weight_db": np.round(told.total_db, 2),
            "is_strong": _is_strong(told, np.round(probability[rows], 4), parameters),
            **_claims("from", ends, a, identities),
            **_claims("to", starts, b, identities),
            **rivals.columns(rows),
            "evidence": [_evidence(told, i, ends, starts, int(a[i]), int(b[i]), identities) for i in range(len(rows))],
        }
    )


def _is_strong(told: Weighed, probability: FloatArray, parameters: LinkParameters) -> npt.NDArray[np.bool_]:
    """Probable enough to settle the hull, and by more than a body: by a claim kept, or by place and time.

    A prior raised by other links would else let an equal size join any two strangers.
    """
    kept = (np.nan_to_num(told.weights[NUMBERS]) > 0.0) | (np.nan_to_num(told.weights[CLAIMED]) > 0.0)
    return (probability >= parameters.strong_probability) & (kept | (told.weights[PLACE] > 0.0))


def _claims(prefix: str, side: Ends, which: IntArray, identities: pa.Table) -> dict[str, Any]:
    claims = side.claims
    said = {name: getattr(claims, f"{name}_spell")[which] for name in ("name", "call_sign", "transceiver")}
    text = {name: identities[name].take(pa.array(spell, mask=spell < 0)) for name, spell in said.items()}
    imo, ship_type = claims.imo[which], claims.ship_type[which]
    values = {
        "imo": pa.array(imo, mask=imo <= 0),
        "ship_type": pa.array(ship_type, mask=ship_type < 0),
        "length_m": claims.length_m[which],
        "beam_m": claims.beam_m[which],
        **text,
    }
    return {f"{prefix}_{name}": value for name, value in values.items()}


def _evidence(
    told: Weighed, row: int, ends: Ends, starts: Ends, e: int, s: int, identities: pa.Table
) -> list[dict[str, object]]:
    """What is known of one link, heaviest first; what weighs nothing is left out."""
    lines = [
        (name, round(float(column[row]), 1))
        for name, column in told.weights.items()
        if np.isfinite(column[row]) and abs(column[row]) >= 0.05
    ]
    lines.sort(key=lambda line: (-abs(line[1]), line[0]))
    gap_h, apart = float(told.gap_h[row]), float(told.distance_nmi[row])
    return [
        {"what": name, "observed": observed(name, ends, starts, e, s, gap_h, apart, identities), "weight_db": weight}
        for name, weight in lines
    ]


class _Rivals:
    """Other pairs that share a side with a link."""

    def __init__(
        self, e: IntArray, s: IntArray, probability: FloatArray, ends: Ends, starts: Ends, names: list[str]
    ) -> None:
        likely = np.flatnonzero(probability >= RIVAL_PROBABILITY)
        self._e, self._s, self._probability = e, s, probability
        self._ends, self._starts, self._names = ends, starts, names
        self._by_end = likely[np.argsort(e[likely], kind="stable")]
        self._by_start = likely[np.argsort(s[likely], kind="stable")]
        self._sorted_ends, self._sorted_starts = e[self._by_end], s[self._by_start]

    def columns(self, rows: IntArray) -> dict[str, Any]:
        found = [self._of(int(row)) for row in rows]
        return {"n_rivals": [len(one) for one in found], "rivals": [one[:RIVALS_SHOWN] for one in found]}

    def _of(self, row: int) -> list[dict[str, object]]:
        found: list[tuple[float, int, str, str]] = []
        for side, own, known, order, others, which in (
            ("to", self._e, self._sorted_ends, self._by_end, self._starts, self._s),
            ("from", self._s, self._sorted_starts, self._by_start, self._ends, self._e),
        ):
            low, high = np.searchsorted(known, [own[row], own[row] + 1])
            pairs = order[low:high][order[low:high] != row]
            at = which[pairs]
            segments = (self._names[i] for i in others.segment[at].tolist())
            chances, mmsi = self._probability[pairs].tolist(), others.mmsi[at].tolist()
            found += [(*one, side) for one in zip(chances, mmsi, segments, strict=True)]
        found.sort(key=lambda one: (-one[0], one[1], one[2], one[3]))
        return [
            {"side": side, "segment_id": segment, "mmsi": mmsi, "probability": round(probability, 4)}
            for probability, mmsi, segment, side in found
        ]
