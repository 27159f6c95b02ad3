"""Replays: a moving ship's positions, exact to the last digit, sent again later by the same or another number.

Takes `Segments`; gives traces, a sample of positions chosen by what they say, so that a copy of a track is sampled at
the same places; and from the traces of all vessels gives the events. Positions of ships that lie still, and positions
rounded so far that neighbours share them, are left out: they repeat lawfully.
"""

from bisect import bisect_left
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.geodesy import distance_nmi
from vessels.instants import times_us
from vessels.parameters import Parameters
from vessels.schema import TIMESTAMP, Column, Table
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H, US_PER_MIN, US_PER_S

FloatArray = npt.NDArray[np.float64]


class ReplayParameters(Parameters):
    """What is a track sent again."""

    traces_per_h: float = Field(
        4.0,
        gt=0,
        le=3600,
        description="Positions of a ship kept for comparison, an hour under way, at most. Source: judgement; about as "
        "many as the sketches of tracks hold, and six of them in two hours.",
    )
    moving_kn: float = Field(
        3.0,
        gt=0,
        le=30,
        description="Only positions with a speed from this count. Source: ITU-R M.1371-5 (moored or anchored ships "
        "report faster over 3 kn).",
    )
    min_lag_h: float = Field(
        3.0,
        gt=0,
        le=8760,
        description="A copy sent sooner is no event. Source: reports are delivered again late: by satellites after an "
        "orbit or two, by archives with clocks up to two hours wrong (docs/segments.md).",
    )
    tolerance_min: float = Field(
        10.0,
        gt=0,
        le=240,
        description="Times between original and copy that differ by this from one position to the next are one "
        "replay. Source: judgement; a copy may be played at a little other speed.",
    )
    min_matches: int = Field(
        6,
        ge=2,
        le=1000,
        description="So many sampled positions agree. Source: judgement; positions have a grain of 0.2 to 1 m, so that "
        "one agrees by chance once in thousands of passages on one line.",
    )
    min_share: float = Field(
        0.25,
        ge=0,
        le=1,
        description="And this share of those sampled meanwhile. Source: judgement; of two feeds that each caught half "
        "of the reports a quarter agrees.",
    )
    min_replay_h: float = Field(
        0.5,
        ge=0,
        le=240,
        description="And they span this time. Source: judgement; shorter copies are parts of a feed delivered twice.",
    )
    min_way_nmi: float = Field(
        3.0, ge=0, le=500, description="And this way. Source: judgement; a shift between two berths is shorter."
    )
    max_alike: int = Field(
        8,
        ge=2,
        le=1000,
        description="A position sent by more tracks than this tells nothing. Source: a bound on the work; a default "
        "of a set, or a place on a river that many pass.",
    )


DEFAULT_REPLAYS: Final = ReplayParameters()

TRACES: Final = Table(
    "traces",
    (
        Column("mmsi", pa.int64(), "MMSI"),
        Column("segment_id", pa.string(), "track"),
        Column("timestamp", TIMESTAMP, "time of the report"),
        Column("lat", pa.float64(), "latitude", "degree"),
        Column("lon", pa.float64(), "longitude", "degree"),
        Column("key", pa.int64(), "hash of the position; the least of a track are kept"),
        Column("n_positions", pa.int64(), "reports that this one stands for"),
    ),
)
"""Positions of moving ships, sampled by what they say: two tracks with the same positions keep the same ones."""

_BLOCK: Final = 16_384
_MIX: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd constants that spread a number's bits upwards (Knuth, multiplicative hashing; xxHash's second prime)."""
_COARSE: Final = (1e4, 600.0)
"""Positions on a grid of 1/10,000 degree (an archive's rounding) or of 1/10 minute (message 27) are shared by ships
that follow each other."""
_ON_GRID: Final = 1e-6
_MOST_LEVELS: Final = 16
_LARGEST: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_SLOTS_BACK: Final = 6
"""So many slots heard before tell how often a ship is heard: an hour of thinned rows."""


def traces_of(
    segments: Segments, thinned: IntArray, thin_min: float, parameters: ReplayParameters = DEFAULT_REPLAYS
) -> dict[str, npt.NDArray[Any]]:
    """Sampled rows and the number of their track, key and weight. `thinned` as `thin_rows` gives them.

    Keys are spread evenly over 64 bits; those in the lowest 1/2^level are kept, with the level that leaves about
    `traces_per_h` of the reports heard so far: what is sent later changes no sample. Cost: two multiplications a row,
    and for half of the rows a look at the hour before.
    """
    rates = _Rates.of(segments, thinned, thin_min)
    rows, keys, level = _sampled(segments, rates, parameters.traces_per_h)
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    sog = segments.sog[rows]
    made_good = np.divide(
        segments.step_nmi[rows],
        segments.step_h[rows],
        out=np.zeros(len(rows), np.float32),
        where=segments.step_h[rows] > 0,
    )
    moving = np.where(np.isnan(sog), made_good, sog) >= np.float32(parameters.moving_kn)
    kept = moving & ~_on_a_coarse_grid(segments.lat[rows], segments.lon[rows])
    return {
        "row": rows[kept],
        "track": track[kept],
        "key": keys[kept].view(np.int64),
        "n_positions": np.int64(1) << level[kept],
    }


class _Rates(NamedTuple):
    """The rows that open a slot of the clock, and for each slot the first of its track's: how often a ship was heard.

    Reports are counted over the slots in which any came, so that a silence is no slow sending.
    """

    opens: IntArray
    of_track: IntArray
    slot_h: float

    @classmethod
    def of(cls, segments: Segments, thinned: IntArray, thin_min: float) -> "_Rates":
        """The slots of all tracks; `thinned` as `thin_rows` gives them, whose last rows of tracks open none."""
        slot = segments.time_us[thinned] // int(thin_min * US_PER_MIN)
        starts = np.isin(thinned, segments.offsets[:-1])
        opens = starts | (np.diff(slot, prepend=-1) != 0)
        starts = starts[opens]
        return cls(thinned[opens], np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0)), thin_min / 60.0)

    def per_h(self, segments: Segments, rows: IntArray) -> FloatArray:
        """Reports an hour in the slots before each row and its own so far; no fewer than one a slot. Shape (n,)."""
        slot = np.searchsorted(self.opens, rows, side="right") - 1
        since = np.maximum(slot - _SLOTS_BACK, self.of_track[slot])
        own_h = (segments.time_us[rows] - segments.time_us[self.opens[slot]]) / US_PER_H
        hours = np.maximum((slot - since) * self.slot_h + own_h, US_PER_S / US_PER_H)
        return np.asarray(np.maximum((rows - self.opens[since]) / hours, 1.0 / self.slot_h))


def _sampled(segments: Segments, rates: _Rates, most_per_h: float) -> tuple[IntArray, npt.NDArray[np.uint64], IntArray]:
    """Rows whose key is within the limit of their level, the keys, and the levels."""
    loosest = _LARGEST >> _levels(np.array([1.0 / rates.slot_h]), most_per_h).astype(np.uint64)[0]
    found = [(np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    for start in range(0, len(segments), _BLOCK):
        stop = start + _BLOCK
        key = segments.lat[start:stop].view(np.uint64) * _MIX[0]
        key += segments.lon[start:stop].view(np.uint64) * _MIX[1]
        rows = np.flatnonzero(key <= loosest)
        level = _levels(rates.per_h(segments, rows + start), most_per_h)
        inside = key[rows] <= _LARGEST >> level.astype(np.uint64)
        found.append((rows[inside] + start, key[rows[inside]], level[inside]))
    rows, keys, levels = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, keys, levels


def _levels(per_h: FloatArray, most_per_h: float) -> IntArray:
    """How often reports are to be halved until no more than so many an hour are left. Shape (n,)."""
    return np.clip(np.ceil(np.log2(np.maximum(per_h / most_per_h, 1.0))), 0, _MOST_LEVELS).astype(np.int64)


def _on_a_coarse_grid(lat: FloatArray, lon: FloatArray) -> npt.NDArray[np.bool_]:
    coarse = np.zeros(len(lat), dtype=np.bool_)
    for grain in _COARSE:
        off = [np.abs(degrees * grain - np.round(degrees * grain)) for degrees in (lat, lon)]
        coarse |= (off[0] < _ON_GRID * grain) & (off[1] < _ON_GRID * grain)
    return coarse


class Replay(NamedTuple):
    """A track sent again: rows of `traces` of the copy's first and last position, and of the original's first; matches
    in the sample, and the reports that they stand for."""

    first: int
    last: int
    original: int
    n_matches: int
    n_positions: int
    way_nmi: float


def find_replays(traces: pa.Table, parameters: ReplayParameters = DEFAULT_REPLAYS) -> tuple[pa.Table, list[Replay]]:
    """All replays, and the traces in order of MMSI, track and time, whose rows they name. Sorts the keys once."""
    if len(_pairs(traces, parameters)[0]) < parameters.min_matches:
        return traces, []
    track = _numbers(traces["segment_id"])
    traces = traces.take(pa.array(np.lexsort((times_us(traces["timestamp"]), track, traces["mmsi"].to_numpy()))))
    early, late = _pairs(traces, parameters)
    time = times_us(traces["timestamp"])
    track = _numbers(traces["segment_id"])
    lag = time[late] - time[early]
    order = np.lexsort((time[late], track[early], track[late]))
    early, late, lag = early[order], late[order], lag[order]
    new = (np.diff(track[early]) != 0) | (np.diff(track[late]) != 0)
    columns = _Columns.of(time, track, traces)
    found = []
    bounds = np.concatenate([[0], np.flatnonzero(new) + 1, [len(early)]]).tolist()
    for low, high in pairwise(bounds):
        if high - low >= parameters.min_matches:
            found += _of_pair(columns, early[low:high], late[low:high], lag[low:high], parameters)
    return traces, _without_overlaps(found)


class _Columns(NamedTuple):
    """Traces in order of track and time, and for each row where its track begins and ends. Shapes (n,)."""

    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    n_positions: IntArray
    begin: IntArray
    end: IntArray

    @classmethod
    def of(cls, time_us: IntArray, track: IntArray, traces: pa.Table) -> "_Columns":
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(track)) + 1, [len(track)]])
        begin, end = (np.repeat(ends, np.diff(bounds)) for ends in (bounds[:-1], bounds[1:]))
        lat, lon, n_positions = (traces[name].to_numpy() for name in ("lat", "lon", "n_positions"))
        return cls(time_us, lat, lon, n_positions, begin, end)


def _pairs(traces: pa.Table, p: ReplayParameters) -> tuple[IntArray, IntArray]:
    """Rows of the same position, the earlier and the later, far enough apart in time."""
    key, time = traces["key"].to_numpy(), times_us(traces["timestamp"])
    lat, lon = traces["lat"].to_numpy(), traces["lon"].to_numpy()
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    twice = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if len(order) else np.zeros(0, np.bool_)
    order = order[twice]
    order = order[np.lexsort((time[order], key[order]))]
    same = np.concatenate([[False], key[order][1:] == key[order][:-1]]) if len(order) else np.zeros(0, np.bool_)
    group = np.cumsum(~same) - 1
    sizes = np.bincount(group, minlength=0)
    usable = (sizes[group] >= 2) & (sizes[group] <= p.max_alike) if len(order) else np.zeros(0, np.bool_)
    order, group = order[usable], group[usable]
    early, late = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for behind in range(1, p.max_alike):
        both = np.flatnonzero(group[behind:] == group[:-behind])
        early.append(order[both])
        late.append(order[both + behind])
    one, two = np.concatenate(early), np.concatenate(late)
    real = (lat[one] == lat[two]) & (lon[one] == lon[two]) & (time[two] - time[one] >= int(p.min_lag_h * US_PER_H))
    return one[real], two[real]


def _of_pair(traces: _Columns, early: IntArray, late: IntArray, lag: IntArray, p: ReplayParameters) -> list[Replay]:
    """Replays of one track by another, or by itself: matches in which the lag stays nearly the same."""
    by_lag = np.argsort(lag, kind="stable")
    time = traces.time_us
    cuts = np.flatnonzero(np.diff(lag[by_lag]) > p.tolerance_min * US_PER_MIN) + 1
    found = []
    for part in np.split(by_lag, cuts):
        if len(part) < p.min_matches:
            continue
        part = part[np.argsort(time[late[part]], kind="stable")]
        first, last = int(late[part[0]]), int(late[part[-1]])
        if time[last] - time[first] < p.min_replay_h * US_PER_H:
            continue
        of_track = time[traces.begin[first] : traces.end[first]]
        n_sampled = int(np.diff([of_track.searchsorted(time[first]), of_track.searchsorted(time[last], "right")])[0])
        lat, lon = traces.lat[late[part]], traces.lon[late[part]]
        way = float(distance_nmi(lat[1:], lon[1:], lat[:-1], lon[:-1]).sum())
        if len(part) >= p.min_share * n_sampled and way >= p.min_way_nmi:
            n_positions = int(traces.n_positions[late[part]].sum())
            found.append(Replay(first, last, int(early[part].min()), len(part), n_positions, way))
    return found


def _without_overlaps(replays: list[Replay]) -> list[Replay]:
    """Of copies of one stretch found several times, sent before more than once, the one with most matches."""
    kept: list[Replay] = []
    begins: list[int] = []
    for one in sorted(replays, key=lambda r: (-r.n_matches, r.original, r.first)):
        place = bisect_left(begins, one.first)
        clear = place == 0 or kept[place - 1].last < one.first
        if clear and (place == len(kept) or kept[place].first > one.last):
            kept.insert(place, one)
            begins.insert(place, one.first)
    return kept


def _numbers(column: pa.ChunkedArray) -> IntArray:
    """The place of each text among all in order. Shape (n,)."""
    encoded = column.combine_chunks().dictionary_encode()
    place = np.argsort(np.argsort(np.array(encoded.dictionary.to_pylist(), dtype=np.str_)))
    return np.asarray(place[encoded.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)
