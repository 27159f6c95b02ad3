"""Jumps: positions away from a ship's way that she cannot have sailed to, one event an excursion.

Takes `Segments`, with the positions that fit no track; gives events of kind jump. Away and back: stray positions, and a
track that lies within a silence of a longer one or flickers beside it for hours. Away for good: a step, or the way from
the end of one track to the start of the next, longer than the ship's own speed explains. Tracks of one number that are
on the air together for longer are two ships' and left to `vessels.motion.sharing_of`.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.odd import OddPosition, between_rows, oddest
from vessels.events.ways import from_edges_nmi
from vessels.geodesy import angle_between, bearing_deg, distance_nmi
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H, US_PER_S

FloatArray = npt.NDArray[np.float64]


class JumpParameters(Parameters):
    """What is too far for a ship, and what belongs to one excursion."""

    min_off_nmi: float = Field(
        3.0,
        gt=0,
        le=500,
        description="Positions nearer to the way are no jump. Source: three times the motion model's slack, clear of "
        "message 27 (coarse by 0.1 nmi, ITU-R M.1371-5) and of a GNSS set's bad minutes.",
    )
    speed_factor: float = Field(
        1.5,
        ge=1,
        le=10,
        description="Speed between two reports over the ship's own highest that is still explained. Source: the motion "
        "model's; a ship speeds up between reports.",
    )
    unknown_fastest_kn: float = Field(
        20.0,
        gt=0,
        le=100,
        description="Highest speed taken for a ship that reports none. Source: with speed_factor, the motion model's "
        "floor of 30 kn.",
    )
    max_silence_h: float = Field(
        48.0,
        gt=0,
        le=720,
        description="Over a longer silence nothing is a leap. Source: judgement; from two days on any speed is "
        "possible for a ship that was towed, sold or read wrongly, and dark gaps weigh the silence.",
    )
    merge_h: float = Field(
        1.0,
        ge=0,
        le=48,
        description="Positions off the way within this time are one excursion. Source: judgement; ten reports of a "
        "shipped archive thinned to 6 minutes.",
    )
    flicker_h: float = Field(
        12.0,
        ge=0,
        le=240,
        description="A track heard in turns with the ship's own for longer is another ship's. Source: judgement; "
        "GNSS interference is reported in spells of hours.",
    )
    max_tracks: int = Field(
        16,
        ge=2,
        le=1000,
        description="A number with more tracks is nobody's, and none of it is looked at. Source: measured, "
        "docs/segments.md: a faulty set makes 13.",
    )
    max_per_track: int = Field(
        16, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_JUMPS: Final = JumpParameters()
_BESIDE_H: Final = 6.0
"""The ship's way so long before and after is what an excursion is measured from."""
_BESIDE_ROWS: Final = 64
"""And no more than so many of its reports on either side."""
_SAMPLED: Final = 512
_MAX_SAILED_KN: Final = 60.0
"""Faster than any ferry: an error."""
_FASTEST_PERCENTILE: Final = 99.0
_MIN_FASTEST_KN: Final = 5.0
"""A ship that only lay still meanwhile can do as much as this."""
_MIN_SPEEDS: Final = 10
"""With fewer speeds under way her highest is not known."""
_UNDER_WAY_KN: Final = 3.0
"""Under way from here: moored and anchored class A sets report faster over 3 kn (ITU-R M.1371-5)."""
_CLOCK_H: Final = 2.0
"""Clocks of a set or a station are wrong by as much (measured, docs/segments.md: 338013000)."""
_SAME_COURSE_DEG: Final = 20.0
"""Two tracks on one line lead the same way within this."""


class Jump(NamedTuple):
    """A jump and the row from which it was made (-1: from a position that fits no track)."""

    event: OddPosition
    from_row: int


class _Off(NamedTuple):
    """Positions off a ship's way, in order of time; `group` is the track they come from, -1 for strays."""

    time_us: IntArray
    lat: FloatArray
    lon: FloatArray
    group: IntArray
    row: IntArray


def find_jumps(segments: Segments, parameters: JumpParameters = DEFAULT_JUMPS) -> list[Jump]:
    """All jumps, in order of track and time. Cost: one look at the steps, then work on the vessels in doubt."""
    found = _leaps(segments, parameters)
    n_tracks = np.bincount(segments.vessel, minlength=len(segments.mmsi))
    doubtful = np.union1d(segments.strays.vessel, np.flatnonzero(n_tracks > 1))
    for vessel in doubtful.tolist():
        low, high = np.searchsorted(segments.vessel, [vessel, vessel + 1]).tolist()
        if 0 < high - low <= parameters.max_tracks:
            found += _of_vessel(segments, vessel, range(low, high), parameters)
    found = _merged(segments, found, parameters)
    row_of = {(jump.event.segment, jump.event.start_us): jump.from_row for jump in found}
    kept = oddest((jump.event for jump in found), parameters.max_per_track)
    return [Jump(event, row_of[event.segment, event.start_us]) for event in kept]


def _merged(segments: Segments, jumps: Sequence[Jump], p: JumpParameters) -> list[Jump]:
    """Jumps of one track close together in time as one: out and back, or to and fro."""
    merged: list[Jump] = []
    for jump in sorted(jumps, key=lambda one: (one.event.segment, one.event.start_us, one.event.end_us)):
        event, known = jump.event, merged[-1].event if merged else None
        if known is None or (known.segment != event.segment or event.start_us - known.end_us > p.merge_h * US_PER_H):
            merged.append(jump)
            continue
        later = event if event.end_us > known.end_us else known
        whole = known._replace(
            end_us=later.end_us,
            end_lat=later.end_lat,
            end_lon=later.end_lon,
            n_positions=known.n_positions + event.n_positions,
            distance_nmi=max(known.distance_nmi, event.distance_nmi),
            implied_speed_kn=max(known.implied_speed_kn, event.implied_speed_kn),
        )
        leaps = known.came_back is False or event.came_back is False
        whole = whole._replace(came_back=_is_back(segments, whole, p) if leaps else later.came_back)
        merged[-1] = Jump(whole, merged[-1].from_row)
    return merged


def _is_back(segments: Segments, event: OddPosition, p: JumpParameters) -> bool:
    """Whether leaps led back to where she can have been without them."""
    apart = float(distance_nmi(event.start_lat, event.start_lon, event.end_lat, event.end_lon))
    hours = (event.end_us - event.start_us) / US_PER_H
    return apart <= p.min_off_nmi + p.speed_factor * fastest_kn(segments, event.segment, p) * hours


def fastest_kn(segments: Segments, segment: int, parameters: JumpParameters = DEFAULT_JUMPS) -> float:
    """The highest speed that the ship has reported as a habit on a track; a default where it reported too few."""
    low, high = segments.offsets[segment : segment + 2].tolist()
    sog = segments.sog[low : high : max(1, -(-(high - low) // _SAMPLED))]
    sog = sog[sog < _MAX_SAILED_KN]
    if (sog >= _UNDER_WAY_KN).sum() >= _MIN_SPEEDS:
        return max(float(np.percentile(sog, _FASTEST_PERCENTILE)), _MIN_FASTEST_KN)
    return parameters.unknown_fastest_kn


def _leaps(segments: Segments, p: JumpParameters) -> list[Jump]:
    """Steps within a track that the ship's own speed does not explain."""
    rows = np.flatnonzero(segments.step_nmi > np.float32(p.min_off_nmi))
    slowest = p.min_off_nmi + p.speed_factor * _MIN_FASTEST_KN * segments.step_h[rows]
    rows = rows[(segments.step_nmi[rows] > slowest) & (segments.step_h[rows] <= p.max_silence_h)]
    reported = np.fmax(segments.sog[rows], segments.sog[rows - 1])
    reported = np.where(reported < _MAX_SAILED_KN, reported, 0.0)
    beyond = segments.step_nmi[rows] > p.min_off_nmi + p.speed_factor * reported * segments.step_h[rows]
    rows = rows[beyond]
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    fastest = {one: fastest_kn(segments, one, p) for one in np.unique(track).tolist()}
    found = []
    for row, one in zip(rows.tolist(), track.tolist(), strict=True):
        jump = _for_good(segments, row - 1, row, fastest[one], p)
        if jump is not None:
            found.append(jump)
    return found


def _for_good(segments: Segments, before: int, after: int, fastest: float, p: JumpParameters) -> Jump | None:
    """The leap from one row to another, if it goes farther than the ship can have sailed."""
    hours = max((int(segments.time_us[after]) - int(segments.time_us[before])) / US_PER_H, US_PER_S / US_PER_H)
    apart = float(distance_nmi(segments.lat[before], segments.lon[before], segments.lat[after], segments.lon[after]))
    excess = apart - p.speed_factor * fastest * hours
    if excess <= p.min_off_nmi or hours > p.max_silence_h:
        return None
    off = min(excess, _off_line_nmi(segments, before, after, apart, fastest))
    measured = {"distance_nmi": off, "implied_speed_kn": apart / hours, "came_back": False}
    event = between_rows(segments, "jump", before, after, 2, **measured)
    return Jump(event, before)


def _off_line_nmi(segments: Segments, before: int, after: int, apart: float, fastest: float) -> float:
    """How far off the line she was steering a leap leads; a leap along it with the course kept is a clock's error."""
    course = segments.cog[before], segments.cog[after]
    moving = segments.sog[before] >= _UNDER_WAY_KN and segments.sog[after] >= _UNDER_WAY_KN
    hours = (int(segments.time_us[after]) - int(segments.time_us[before])) / US_PER_H
    near = apart <= (hours + _CLOCK_H) * fastest
    if not near or not moving or not angle_between(*course) <= _SAME_COURSE_DEG:
        return apart
    line = bearing_deg(segments.lat[before], segments.lon[before], segments.lat[after], segments.lon[after])
    astray = float(angle_between(line, course[0]))
    astray = min(astray, 180.0 - astray)
    return apart * float(np.sin(np.radians(astray))) if astray <= _SAME_COURSE_DEG else apart


def _of_vessel(segments: Segments, vessel: int, tracks: Sequence[int], p: JumpParameters) -> list[Jump]:
    """Excursions and leaps between tracks of one vessel; none where two ships share its number."""
    sizes = {track: int(np.diff(segments.offsets[track : track + 2])[0]) for track in tracks}
    home_of: dict[int, int] = {}
    for track in sorted(tracks, key=lambda one: (sizes[one], -one)):
        home = _home(segments, track, [one for one in tracks if one not in home_of and one != track], sizes, p)
        if home is None:
            return []
        if home >= 0:
            home_of[track] = home
    own = [track for track in tracks if track not in home_of]
    found = []
    for before, after in pairwise(own):
        last, first = int(segments.offsets[before + 1]) - 1, int(segments.offsets[after])
        if segments.time_us[first] <= segments.time_us[last]:
            continue
        fastest = max(fastest_kn(segments, track, p) for track in (before, after))
        leap = _for_good(segments, last, first, fastest, p)
        found += [] if leap is None else [leap]
    for home in own:
        off = _off_rows(segments, vessel, home, own, [track for track, one in home_of.items() if one == home])
        found += _excursions(segments, home, off, p)
    return found


def _home(
    segments: Segments, track: int, others: Sequence[int], sizes: dict[int, int], p: JumpParameters
) -> int | None:
    """The longer track within whose time this one lies; -1 if there is none, None if both are two ships'."""
    begin, end = _span(segments, track)
    for other in sorted(others, key=lambda one: (-sizes[one], one)):
        low, high = segments.offsets[other : other + 2].tolist()
        from_us, to_us = _span(segments, other)
        if to_us <= begin or from_us >= end:
            continue
        beside = np.searchsorted(segments.time_us[low:high], [begin, end])
        in_turns = int(beside[1] - beside[0]) > 0
        if in_turns and end - begin > p.flicker_h * US_PER_H:
            return None
        if from_us <= begin and to_us >= end:
            return other
    return -1


def _span(segments: Segments, track: int) -> tuple[int, int]:
    first, last = segments.offsets[track], segments.offsets[track + 1] - 1
    return int(segments.time_us[first]), int(segments.time_us[last])


def _off_rows(segments: Segments, vessel: int, home: int, own: Sequence[int], away: Sequence[int]) -> _Off:
    """Positions off the way of one home track: its excursions' and the strays nearest to it in time."""
    parts = []
    for track in away:
        rows = np.arange(segments.offsets[track], segments.offsets[track + 1])
        parts.append((segments.time_us[rows], segments.lat[rows], segments.lon[rows], np.full(len(rows), track), rows))
    strays = segments.strays
    low, high = np.searchsorted(strays.vessel, [vessel, vessel + 1]).tolist()
    spans = np.array([_span(segments, track) for track in own])
    time = strays.time_us[low:high]
    away_us = np.maximum(np.maximum(spans[:, :1] - time, time - spans[:, 1:]), 0)
    mine = low + np.flatnonzero(np.array(own)[away_us.argmin(axis=0)] == home)
    none = np.full(len(mine), -1)
    parts.append((strays.time_us[mine], strays.lat[mine], strays.lon[mine], none, none))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[0]))
    return _Off(*(column[order] for column in columns))


def _excursions(segments: Segments, home: int, off: _Off, p: JumpParameters) -> list[Jump]:
    """One jump an excursion: positions off the way close together in time, or of one track."""
    if not len(off.time_us):
        return []
    apart = (np.diff(off.time_us) > p.merge_h * US_PER_H) & ((np.diff(off.group) != 0) | (off.group[1:] < 0))
    starts = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(off.time_us)]]).tolist()
    low, high = segments.offsets[home : home + 2].tolist()
    found = []
    for first, stop in pairwise(starts):
        begin, end = int(off.time_us[first]), int(off.time_us[stop - 1])
        beside = np.searchsorted(segments.time_us[low:high], [begin, end], side="right") + low
        window = np.searchsorted(
            segments.time_us[low:high], [begin - int(_BESIDE_H * US_PER_H), end + int(_BESIDE_H * US_PER_H)]
        )
        from_row = max(int(window[0]) + low, int(beside[0]) - _BESIDE_ROWS)
        to_row = min(int(window[1]) + low, int(beside[1]) + _BESIDE_ROWS, high)
        if to_row - from_row < 1:
            from_row, to_row = max(int(beside[0]) - 1, low), min(int(beside[0]) + 1, high)
        way = np.arange(from_row, max(to_row - 1, from_row + 1))
        onward = np.minimum(way + 1, to_row - 1)
        rows = np.unique(np.linspace(first, stop - 1, min(stop - first, _SAMPLED)).astype(np.int64))
        edges = (segments.lat[way], segments.lon[way], segments.lat[onward], segments.lon[onward])
        away = float(from_edges_nmi(off.lat[rows], off.lon[rows], *edges).min(axis=1).max())
        if away < p.min_off_nmi:
            continue
        event = OddPosition(
            "jump",
            home,
            begin,
            end,
            float(off.lat[first]),
            float(off.lon[first]),
            float(off.lat[stop - 1]),
            float(off.lon[stop - 1]),
            n_positions=stop - first,
            distance_nmi=away,
            implied_speed_kn=_speed_needed(segments, low, high, off, first, stop - 1),
            came_back=True if int(beside[1]) < high else None,
        )
        found.append(Jump(event, int(off.row[stop - 1])))
    return found


def _speed_needed(segments: Segments, low: int, high: int, off: _Off, first: int, last: int) -> float:
    """The higher of the speeds needed to get there and back."""
    speeds = [0.0]
    before = low + int(np.searchsorted(segments.time_us[low:high], off.time_us[first], side="right")) - 1
    after = low + int(np.searchsorted(segments.time_us[low:high], off.time_us[last], side="right"))
    for row, place in ((before, first), (after, last)):
        if low <= row < high:
            hours = max(abs(int(off.time_us[place]) - int(segments.time_us[row])), US_PER_S) / US_PER_H
            apart = distance_nmi(segments.lat[row], segments.lon[row], off.lat[place], off.lon[place])
            speeds.append(float(apart) / hours)
    return max(speeds)
