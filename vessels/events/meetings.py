"""Meetings of slow ships: pairs within a few hundred metres of each other, instant after instant, joined into runs.

Takes the places of slow ships at instants of the clock (`SLOW_SAMPLES` of the whole fleet); gives meetings as arrays.
The work is that of sorting the places, and of the pairs that lie close: never all with all, and at no place more than
its crowd. What was before and after a meeting is left to `vessels.events.encounters`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.events.nearby import Places, spread
from vessels.events.slow import STEP_US
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.parameters import Parameters
from vessels.track import IntArray
from vessels.units import METRES_PER_NMI, US_PER_H

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_SAMPLES_AT_ONCE: Final = 1_000_000
_STEPS_AT_ONCE: Final = 200_000
"""Fewer than the groups that `Places` tells apart."""
_BREAKS_AT_ONCE: Final = 2_000_000


class EncounterParameters(Parameters):
    """How near, how slow and how long two ships lie together to have met, and what is looked at around it."""

    radius_m: float = Field(
        500.0,
        gt=0,
        le=10_000,
        description="Two ships are together within this. Source: Global Fishing Watch encounters (500 m).",
    )
    min_h: float = Field(
        2.0,
        gt=0,
        le=240,
        description="They have met if they are together this long. Source: Global Fishing Watch encounters (2 h).",
    )
    max_break_h: float = Field(
        1.0,
        ge=0,
        le=24,
        description="A meeting goes on over a break up to this. Source: judgement; a shift of berth, a report that "
        "puts one of them 500 m off.",
    )
    max_swing_h: float = Field(
        13.0,
        ge=0,
        le=72,
        description="And over one up to this, if both stayed slow and were not seen farther apart than `apart_nmi`: "
        "they swing at anchor, or one is not heard. Source: a tide of 12.4 h.",
    )
    apart_nmi: float = Field(
        1.0,
        gt=0,
        le=20,
        description="Seen farther from each other than this, two ships are apart. Source: judgement; over the length "
        "of a tow and two swings at anchor.",
    )
    max_crowd: int = Field(
        20,
        ge=1,
        le=1000,
        description="Where more ships than this lie slow within some 1.5 km by 1 km, no pairs are told: a harbour or a "
        "fleet. It bounds the work. Source: measured as the distance to the shore was: of anchored ships none has over "
        "12 within 900 m, and moored ones have up to 33.",
    )
    context_h: float = Field(
        48.0,
        gt=0,
        le=240,
        description="Whether they were together or apart is looked for this long before and after. Source: judgement; "
        "a tow of two days, and satellites that hear a ship every few hours.",
    )
    moving_kn: float = Field(
        3.0,
        gt=0,
        le=20,
        description="Under way from this speed. Source: ITU-R M.1371-5 (moored or anchored ships report faster over "
        "3 kn).",
    )
    known_h: float = Field(
        3.0,
        gt=0,
        le=12,
        description="Between reports farther apart than this a ship's place is not known. Source: as for slow ships.",
    )
    about_nmi: float = Field(
        2.0,
        gt=0,
        le=30,
        description="Ships within this lie nearby. Source: judgement; an anchorage, and not the next one.",
    )
    open_h: float = Field(
        3.0,
        ge=0,
        le=48,
        description="A meeting goes on if the data end so soon after it. Source: as `known_h`.",
    )


DEFAULT_ENCOUNTERS: Final = EncounterParameters()


@dataclass(frozen=True, slots=True)
class Samples:
    """Places of slow ships at instants, in any order. `track` counts in `names`. Shapes (n,)."""

    mmsi: IntArray
    track: IntArray
    names: pa.Array
    step: IntArray
    since: IntArray
    lat: FloatArray
    lon: FloatArray
    sog: npt.NDArray[np.float32]
    heard: BoolArray

    @classmethod
    def of(cls, table: pa.Table) -> "Samples":
        """The columns of `SLOW_SAMPLES`."""
        name = table["segment_id"].combine_chunks()
        return cls(
            table["mmsi"].to_numpy(), name.indices.to_numpy(zero_copy_only=False), name.dictionary,
            table["step"].to_numpy(), table["since"].to_numpy(),
            table["lat"].to_numpy(), table["lon"].to_numpy(), table["sog"].to_numpy(),
            table["heard"].to_numpy(),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.mmsi)


@dataclass(frozen=True, slots=True)
class _Close:
    """Rows of samples of two ships close together, sorted by (pair, instant), one an instant. Shapes (k,).

    `one` is the row of the lesser MMSI. `pair` numbers the pairs.
    """

    pair: IntArray
    step: IntArray
    one: IntArray
    other: IntArray
    metres: FloatArray

    def take(self, which: npt.NDArray[np.integer] | BoolArray) -> "_Close":
        return _Close(*(getattr(self, column.name)[which] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Meetings:
    """Meetings, sorted by (mmsi, start, other MMSI). Shapes (k,).

    `one_tracks`, `other_tracks` (k, 2): tracks on which each was at the first and at the last instant.
    """

    mmsi: IntArray
    other_mmsi: IntArray
    one_tracks: IntArray
    other_tracks: IntArray
    start_us: IntArray
    end_us: IntArray
    start_lat: FloatArray
    start_lon: FloatArray
    end_lat: FloatArray
    end_lon: FloatArray
    lat: FloatArray
    lon: FloatArray
    min_m: FloatArray
    median_m: FloatArray
    median_sog_kn: FloatArray
    heard_share: FloatArray

    def __len__(self) -> int:
        return len(self.mmsi)


def find_meetings(samples: Samples, parameters: EncounterParameters = DEFAULT_ENCOUNTERS) -> Meetings:
    """All meetings among these places; whatever their order, the same."""
    close = _close_pairs(samples, parameters)
    instants = round(parameters.min_h * US_PER_H / STEP_US)
    often = np.bincount(close.pair) >= instants if len(close.pair) else np.zeros(0, dtype=np.bool_)
    close = close.take(often[close.pair])
    run = _runs(samples, close, parameters)
    first, last = _ends(run)
    long = (last - first + 1 >= instants) & (
        (close.step[last] - close.step[first]) * STEP_US >= parameters.min_h * US_PER_H
    )
    close = close.take(long[run])
    return _measured(samples, close, np.searchsorted(np.flatnonzero(long), run[long[run]]))


def _ends(run: IntArray) -> tuple[IntArray, IntArray]:
    """First and last row of each run, whose numbers are in order."""
    first = np.flatnonzero(np.diff(run, prepend=-1))
    return first, np.append(first[1:], len(run))[: len(first)] - 1


def _windows(step: IntArray) -> Iterator[tuple[int, int]]:
    """Ranges of sorted instants, whole instants each, of about so many places and not too many instants."""
    begin = 0
    while begin < len(step):
        end = min(begin + _SAMPLES_AT_ONCE, len(step))
        end = min(end, int(np.searchsorted(step, step[begin] + _STEPS_AT_ONCE, side="left")))
        end = int(np.searchsorted(step, step[end - 1], side="right"))
        yield begin, end
        begin = end


def _close_pairs(samples: Samples, parameters: EncounterParameters) -> _Close:
    """All pairs of ships within the radius at one instant; where a number is borne by two ships, the nearer one's."""
    order = np.argsort(samples.step, kind="stable")
    steps = samples.step[order]
    parts: list[tuple[IntArray, IntArray, FloatArray]] = []
    for begin, end in _windows(steps):
        rows = order[begin:end]
        group = steps[begin:end].astype(np.int64) - int(steps[begin])
        places = Places(samples.lat[rows], samples.lon[rows], parameters.radius_m / METRES_PER_NMI, group)
        near = places.pairs(parameters.max_crowd)
        first, second = rows[near.first], rows[near.second]
        mine, theirs = samples.mmsi[first], samples.mmsi[second]
        two = mine != theirs
        swap = mine > theirs
        one, other = np.where(swap, second, first)[two], np.where(swap, first, second)[two]
        parts.append((one, other, near.distance_nmi[two] * METRES_PER_NMI))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return _Close(none, none, none, none, np.zeros(0))
    one, other, metres = (np.concatenate(column) for column in zip(*parts, strict=True))
    known, code = np.unique(np.concatenate([samples.mmsi[one], samples.mmsi[other]]), return_inverse=True)
    pair = code[: len(one)] * len(known) + code[len(one) :]
    step = samples.step[one].astype(np.int64)
    order = np.lexsort((metres, step, pair))
    pair, step = pair[order], step[order]
    new = np.ones(len(pair), dtype=np.bool_)
    new[1:] = (pair[1:] != pair[:-1]) | (step[1:] != step[:-1])
    number = np.cumsum(np.diff(pair, prepend=-1) != 0) - 1
    order = order[new]
    return _Close(number[new], step[new], one[order], other[order], metres[order])


def _runs(samples: Samples, close: _Close, parameters: EncounterParameters) -> IntArray:
    """Numbers of runs of close instants of each pair, broken where the two were apart, or long not seen. Shape (k,)."""
    if not len(close.pair):
        return close.pair
    between = np.diff(close.step) - 1
    same = close.pair[1:] == close.pair[:-1]
    allowed = parameters.max_break_h * US_PER_H / STEP_US
    broken = ~same | (between > allowed)
    stayed = same & (between <= parameters.max_swing_h * US_PER_H / STEP_US)
    for rows in (close.one, close.other):
        for column in (samples.track, samples.since):
            stayed &= column[rows[1:]] == column[rows[:-1]]
    doubtful = np.flatnonzero(broken & stayed)
    if len(doubtful):
        broken[doubtful] = _parted(samples, close, doubtful, parameters)
    run: IntArray = np.concatenate([[0], np.cumsum(broken)])
    return run


def _parted(samples: Samples, close: _Close, at: IntArray, parameters: EncounterParameters) -> BoolArray:
    """Whether the two were seen apart in the break after each of these rows: both known at one instant. Shape (k,)."""
    known, ship = np.unique(samples.mmsi[np.concatenate([close.one[at], close.other[at]])], return_inverse=True)
    rows = np.flatnonzero(np.isin(samples.mmsi, known))
    base, span = int(samples.step[rows].min()), int(samples.step[rows].max()) - int(samples.step[rows].min()) + 2
    key = np.searchsorted(known, samples.mmsi[rows]) * span + samples.step[rows] - base
    order = np.lexsort((samples.lon[rows], samples.lat[rows], key))
    rows, key = rows[order], key[order]
    one, other = ship[: len(at)], ship[len(at) :]
    parted = np.zeros(len(at), dtype=np.bool_)
    for which, step in spread(close.step[at] + 1, close.step[at + 1], _BREAKS_AT_ONCE):
        wanted = [ships[which] * span + step - base for ships in (one, other)]
        found = [np.minimum(np.searchsorted(key, want), len(key) - 1) for want in wanted]
        both = (key[found[0]] == wanted[0]) & (key[found[1]] == wanted[1])
        mine, theirs = (rows[place[both]] for place in found)
        away = distance_nmi(samples.lat[mine], samples.lon[mine], samples.lat[theirs], samples.lon[theirs])
        parted[which[both][away > parameters.apart_nmi]] = True
    return parted


def _measured(samples: Samples, close: _Close, run: IntArray) -> Meetings:
    """What each run of close instants shows."""
    first, last = _ends(run)
    n, sizes = len(first), last - first + 1
    one, other = close.one, close.other
    lat = 0.5 * (samples.lat[one] + samples.lat[other])
    lon = wrap_degrees(samples.lon[one] + 0.5 * wrap_degrees(samples.lon[other] - samples.lon[one]))
    east = wrap_degrees(lon - lon[first][run])
    heard = np.bincount(run, weights=samples.heard[one] & samples.heard[other], minlength=n)
    faster = np.maximum(samples.sog[one], samples.sog[other]).astype(np.float64)
    ends = np.column_stack([first, last])
    meetings = Meetings(
        mmsi=samples.mmsi[one[first]],
        other_mmsi=samples.mmsi[other[first]],
        one_tracks=samples.track[one[ends]].astype(np.int64),
        other_tracks=samples.track[other[ends]].astype(np.int64),
        start_us=close.step[first] * STEP_US,
        end_us=close.step[last] * STEP_US,
        start_lat=lat[first],
        start_lon=lon[first],
        end_lat=lat[last],
        end_lon=lon[last],
        lat=np.bincount(run, weights=lat, minlength=n) / sizes,
        lon=wrap_degrees(np.bincount(run, weights=east, minlength=n) / sizes + lon[first]),
        min_m=np.minimum.reduceat(close.metres, first) if n else np.zeros(0),
        median_m=_medians(run, close.metres, first, sizes),
        median_sog_kn=_medians(run, faster, first, sizes),
        heard_share=heard / (close.step[last] - close.step[first] + 1),
    )
    order = np.lexsort((meetings.other_mmsi, meetings.start_us, meetings.mmsi))
    return Meetings(*(getattr(meetings, column.name)[order] for column in fields(meetings)))


def _medians(run: IntArray, values: FloatArray, first: IntArray, sizes: IntArray) -> FloatArray:
    """The middle value of each run, the lower of two. Shape (k,)."""
    result: FloatArray = values[np.lexsort((values, run))][first + (sizes - 1) // 2]
    return result
