"""Where ships lay slow outside harbours: stretches of tracks, and where each ship was every ten minutes meanwhile.

Takes `Segments` (with the fences its rows lie in, and the draught claimed so far); gives small tables from which
loitering and encounters are settled for the whole fleet. The instants are those of the clock, every ten minutes of
UTC, so that neither midnight nor the border of a file nor the order of vessels matters. Works on rows thinned to one in
ten minutes. What two ships lying together means is left to others.

Harbours are left out, where ships lie side by side by the hundred: fences of kind port, and all that lies nearer to
the shore than a ship that meets another at sea. Anchorages, roads, approaches and transfer areas are kept, also where
they overlap the fence of a port: there the transfers are that have been documented.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.events.slow_tables import DRAUGHT_SPELLS, SLOW_SAMPLES, SLOW_STRETCHES
from vessels.geodesy import distance_nmi, step_distances_nmi, wrap_degrees
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.thinning import thin_rows
from vessels.track import AnyArray, IntArray
from vessels.units import METRES_PER_NMI, US_PER_H, US_PER_MIN
from vessels.zones import Zones

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
ShoreDistance = Callable[[FloatArray, FloatArray], FloatArray]
"""Distance to the nearest shore in nautical miles by latitude and longitude, negative on land; shapes (n,)."""

STEP_US: Final = 10 * US_PER_MIN
"""Ships are compared at instants of the clock ten minutes apart. Source: Global Fishing Watch (pipe-encounters)
resamples tracks to ten minutes."""
HEARD_H: Final = 0.5
"""A place is heard, not only reckoned, if a report lies within half an hour of the instant."""


class SlowParameters(Parameters):
    """When a ship is slow, and how far its place between two reports is known."""

    slow_kn: float = Field(
        2.0,
        gt=0,
        le=10,
        description="Slow under this speed, reported and made good. Source: Global Fishing Watch encounters and "
        "loitering (under 2 kn).",
    )
    position_error_m: float = Field(
        100.0,
        ge=0,
        le=2000,
        description="Speed made good is told only beyond this distance. Source: judgement; two fixes of 10 m each, and "
        "an antenna that swings with a ship of 100 m at anchor.",
    )
    max_interval_h: float = Field(
        3.0,
        gt=0,
        le=12,
        description="Between reports farther apart a place is not known. Source: judgement; satellites hear a ship "
        "every three quarters of an hour to two hours.",
    )
    max_drift_nmi: float = Field(
        2.0,
        gt=0,
        le=20,
        description="Nor between reports farther apart than this. Source: judgement; a drift of 1 kn over a "
        "satellite's two hours.",
    )
    max_silence_h: float = Field(
        8.0,
        gt=0,
        le=72,
        description="A stretch goes on over a silence up to this, if the way made good over it is slow too, and the "
        "speeds reported before and after. Source: judgement; a feed of one report in six hours.",
    )
    max_break_h: float = Field(
        1.0,
        ge=0,
        le=12,
        description="A stretch goes on over so short a run at speed: shifting anchor, heading back to a place. Source: "
        "judgement.",
    )
    max_break_nmi: float = Field(
        3.0, ge=0, le=50, description="And over no longer a way than this. Source: judgement; the size of a roadstead."
    )
    min_stretch_h: float = Field(
        1.0,
        gt=0,
        le=24,
        description="Shorter stretches are not kept. Source: judgement; half the shortest meeting that is told.",
    )
    min_shore_nmi: float = Field(
        0.5,
        ge=0,
        le=50,
        description="Stretches nearer to the shore are harbours, not the sea, and are not kept. Source: measured on "
        "MarineCadastre rows of 2022-01-03 against land at 1:10 million: 94 % of moored ships lie nearer, and 63 % of "
        "anchored ones farther off.",
    )


DEFAULT_SLOW: Final = SlowParameters()


@dataclass(frozen=True, slots=True)
class Slow:
    """Tables of one block of vessels: `SLOW_SAMPLES`, `SLOW_STRETCHES`, `DRAUGHT_SPELLS`."""

    samples: pa.Table
    stretches: pa.Table
    draughts: pa.Table


def harbour_sets(zones: Zones) -> BoolArray:
    """For each set of fences whether it lies in a harbour: in a port's fence, and in no roads or the like. (sets,)."""
    kinds = [zone.kind for zone in zones.zones]
    inside = [{kinds[fence // 2] for fence in one if fence % 2 == 0} for one in zones.index.sets]
    return np.array(["port" in held and held <= _IN_HARBOUR for held in inside], dtype=np.bool_)


_IN_HARBOUR: Final = frozenset({"port", "gate"})
"""A gate is a line of passage, no place to lie at; every other kind of fence is a place for meetings at sea."""


def find_slow(
    segments: Segments,
    ids: Sequence[str],
    in_harbour: BoolArray,
    draught: FloatArray,
    shore_nmi: ShoreDistance,
    parameters: SlowParameters = DEFAULT_SLOW,
) -> Slow:
    """Slow stretches of the tracks of one block. `in_harbour` and `draught` (claimed so far, NaN if none) are by row.

    Costs a pass over the times, and work on one row in ten minutes.
    """
    rows = thin_rows(segments, STEP_US / US_PER_MIN)
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    reports = Reports.of(segments, rows, track, in_harbour)
    slow, known = _slow_steps(reports, parameters)
    first, last = _stretches(reports, slow, parameters)
    table = stretches_table(segments, ids, reports, first, last, shore_nmi)
    at_sea = np.flatnonzero(table["shore_nmi"].to_numpy() >= parameters.min_shore_nmi)
    return Slow(
        samples=_samples_table(segments, ids, reports, slow, known, first[at_sea], last[at_sea]),
        stretches=table.take(pa.array(at_sea)),
        draughts=_draughts_table(segments, ids, rows, track, draught),
    )


@dataclass(frozen=True, slots=True)
class Reports:
    """Thinned reports in order of (track, time). Report columns have shape (m,), steps to the next one (m - 1,).

    `row` is the number of the report among all rows. A step is `joined` if it stays on one track and out of harbours.
    """

    row: IntArray
    track: IntArray
    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    sog: npt.NDArray[np.float32]
    harbour: BoolArray
    joined: BoolArray
    hours: FloatArray
    nmi: FloatArray

    @classmethod
    def of(cls, segments: Segments, row: IntArray, track: IntArray, in_harbour: BoolArray) -> "Reports":
        """Gather the columns of the thinned rows."""
        time_us, lat, lon, harbour = segments.time_us[row], segments.lat[row], segments.lon[row], in_harbour[row]
        joined = (track[1:] == track[:-1]) & ~(harbour[1:] | harbour[:-1])
        hours = np.diff(time_us) / US_PER_H
        nmi = step_distances_nmi(lat, lon)[1:].astype(np.float64)
        return cls(row, track, time_us, lat, lon, segments.sog[row], harbour, joined, hours, nmi)


def _slow_steps(reports: Reports, parameters: SlowParameters) -> tuple[BoolArray, BoolArray]:
    """Which steps between reports are slow, and between which the place is known. Shapes (m - 1,).

    A step is slow if the way made good is, and the lower of the speeds reported at its ends, so that a ship is slow
    from when it stops and until it gets under way; over a silence in which its place is not known, the higher. Where no
    speed was reported the way alone tells.
    """
    error_nmi = parameters.position_error_m / METRES_PER_NMI
    speeds = reports.sog[1:], reports.sog[:-1]
    reported = np.where(reports.hours <= parameters.max_interval_h, np.fmin(*speeds), np.fmax(*speeds))
    slow = reports.joined & (reports.hours <= parameters.max_silence_h) & ~(reported >= parameters.slow_kn)
    slow &= reports.nmi < parameters.slow_kn * reports.hours + error_nmi
    return slow, (reports.hours <= parameters.max_interval_h) & (reports.nmi <= parameters.max_drift_nmi)


def _stretches(reports: Reports, slow: BoolArray, parameters: SlowParameters) -> tuple[IntArray, IntArray]:
    """First and last report of each stretch: runs of slow steps, joined over short breaks. Shapes (k,)."""
    edge = np.diff(np.concatenate([[0], slow.astype(np.int8), [0]]))
    first, last = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    if not len(first):
        return first, last
    harbours = np.cumsum(reports.harbour)
    before, after = last[:-1], first[1:]
    joined = (reports.track[before] == reports.track[after]) & (harbours[after] == harbours[before])
    joined &= reports.time_us[after] - reports.time_us[before] <= parameters.max_break_h * US_PER_H
    maybe = np.flatnonzero(joined)
    ends = before[maybe], after[maybe]
    way = distance_nmi(*(column[end] for end in ends for column in (reports.lat, reports.lon)))
    joined[maybe[way > parameters.max_break_nmi]] = False
    first, last = first[np.concatenate([[True], ~joined])], last[np.concatenate([~joined, [True]])]
    long = reports.time_us[last] - reports.time_us[first] >= parameters.min_stretch_h * US_PER_H
    return first[long], last[long]


def stretches_table(
    segments: Segments, ids: Sequence[str], reports: Reports, first: IntArray, last: IntArray, shore_nmi: ShoreDistance
) -> pa.Table:
    """The `SLOW_STRETCHES` of these ranges of reports, both ends included."""
    n, sizes = len(first), last - first + 1
    at = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
    which = np.repeat(np.arange(n), sizes)
    lat, lon = reports.lat[at], reports.lon[at]
    east = wrap_degrees(lon - reports.lon[first][which])
    mean_lat = np.bincount(which, weights=lat, minlength=n) / sizes
    mean_lon = wrap_degrees(np.bincount(which, weights=east, minlength=n) / sizes + reports.lon[first])
    spread = np.zeros(n)
    np.maximum.at(spread, which, distance_nmi(lat, lon, mean_lat[which], mean_lon[which]))
    steps = at[which == np.append(which[1:], -1)] if len(at) else at
    of_step = which[which == np.append(which[1:], -1)] if len(at) else which
    longest = np.zeros(n)
    np.maximum.at(longest, of_step, reports.hours[steps])
    track = reports.track[first]
    return SLOW_STRETCHES.build(
        {
            "mmsi": segments.mmsi[segments.vessel[track]],
            "segment_id": pa.array(ids, pa.string()).take(pa.array(track)),
            "start": reports.time_us[first],
            "end": reports.time_us[last],
            "start_lat": reports.lat[first],
            "start_lon": reports.lon[first],
            "end_lat": reports.lat[last],
            "end_lon": reports.lon[last],
            "lat": mean_lat.round(6),
            "lon": mean_lon.round(6),
            "distance_nmi": np.bincount(of_step, weights=reports.nmi[steps], minlength=n).round(3),
            "spread_nmi": spread.round(3),
            "shore_nmi": shore_nmi(mean_lat, mean_lon).round(2),
            "n_positions": reports.row[last] - reports.row[first] + 1,
            "longest_interval_h": longest.round(4),
            "nav_status": _usual_status(segments.nav_status[reports.row[at]], which, n),
        }
    )


_N_STATUS: Final = 16
"""Navigational status is a number of four bits (ITU-R M.1371-5, table 45)."""


def _usual_status(status: npt.NDArray[np.int8], which: IntArray, n: int) -> pa.Array:
    """The status sent most often, the least of several; null where none was."""
    sent = (status >= 0) & (status < _N_STATUS)
    counts = np.bincount(which[sent] * _N_STATUS + status[sent], minlength=n * _N_STATUS).reshape(n, _N_STATUS)
    return pa.array(counts.argmax(axis=1).astype(np.int8), mask=counts.sum(axis=1) == 0)


def _samples_table(
    segments: Segments,
    ids: Sequence[str],
    reports: Reports,
    slow: BoolArray,
    known: BoolArray,
    first: IntArray,
    last: IntArray,
) -> pa.Table:
    """`SLOW_SAMPLES` of these stretches: where the ship was at each instant of the clock in a slow step.

    In steps between which the place is not known, only at the instants next to a report. An instant at which two steps
    meet belongs to the later.
    """
    step = np.flatnonzero(slow & (reports.hours > 0.0))
    stretch = np.searchsorted(first, step, side="right") - 1
    within = (stretch >= 0) & (step < np.append(last, 0)[stretch])
    step, stretch = step[within], stretch[within]
    begin, end = reports.time_us[step], reports.time_us[step + 1]
    goes_on = np.append(np.diff(step) == 1, False)
    low = -(-begin // STEP_US)
    high = np.where(goes_on, end - 1, end) // STEP_US
    count = np.maximum(high - low + 1, 0)
    which = np.repeat(np.arange(len(step)), count)
    instant = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(len(which))
    away = np.minimum(instant * STEP_US - begin[which], end[which] - instant * STEP_US)
    told = known[step[which]] | (2 * away <= STEP_US)
    which, instant = which[told], instant[told]
    one, other = step[which], step[which] + 1
    hours = reports.hours[one]
    share = np.divide(instant * STEP_US - begin[which], end[which] - begin[which])
    east = wrap_degrees(reports.lon[other] - reports.lon[one])
    track = reports.track[one]
    names: AnyArray = track.astype(np.int32)
    return SLOW_SAMPLES.build(
        {
            "mmsi": segments.mmsi[segments.vessel[track]],
            "segment_id": pa.DictionaryArray.from_arrays(pa.array(names), pa.array(ids, pa.string())),
            "step": instant.astype(np.int32),
            "since": (reports.time_us[first[stretch[which]]] // STEP_US).astype(np.int32),
            "lat": reports.lat[one] + (reports.lat[other] - reports.lat[one]) * share,
            "lon": wrap_degrees(reports.lon[one] + east * share),
            "sog": _speeds(reports, one, share),
            "heard": np.minimum(share, 1.0 - share) * hours <= HEARD_H,
        }
    )


def _speeds(reports: Reports, one: IntArray, share: FloatArray) -> npt.NDArray[np.float32]:
    """Speed reported between two reports, by share of the way; of one where only one says it; else made good."""
    before, after = reports.sog[one], reports.sog[one + 1]
    good = np.divide(reports.nmi[one], reports.hours[one]).astype(np.float32)
    before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    speed = before + (after - before) * share.astype(np.float32)
    return np.where(np.isnan(speed), good, speed)


def _draughts_table(
    segments: Segments, ids: Sequence[str], rows: IntArray, track: IntArray, draught: FloatArray
) -> pa.Table:
    """`DRAUGHT_SPELLS`: the thinned rows at which a track claims another draught than before."""
    said = draught[rows]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (said[1:] != said[:-1]) | (track[1:] != track[:-1])
    at = np.flatnonzero(new & ~np.isnan(said))
    return DRAUGHT_SPELLS.build(
        {
            "mmsi": segments.mmsi[segments.vessel[track[at]]],
            "segment_id": pa.array(ids, pa.string()).take(pa.array(track[at])),
            "timestamp": segments.time_us[rows[at]],
            "draught_m": said[at],
        }
    )
