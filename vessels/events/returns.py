"""Returns: lags at which a ship on the move comes by her own earlier places over and over.

Takes `Segments` and rows thinned in time; gives lags worth trying, and the parameters of paths sent again. Whether she
keeps to her earlier path at such a lag is left to `paths_again`: ships on a schedule come back as well.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vessels.events.ways import NMI_PER_DEG
from vessels.geodesy import wrap_degrees
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.track import IntArray
from vessels.units import US_PER_H, US_PER_MIN

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


class PathParameters(Parameters):
    """What is a path sent again."""

    moving_kn: float = Field(
        0.2,
        gt=0,
        le=30,
        description="On the move with so much made good over an hour. Source: judgement; an anchored ship's antenna "
        "swings by 0.2 nmi in the hours of a tide, a ship adrift makes 0.3 kn and more.",
    )
    min_lag_h: float = Field(
        3.0,
        gt=0,
        le=8760,
        description="A copy sent sooner is no event. Source: as replays.min_lag_h.",
    )
    tolerance_min: float = Field(
        20.0,
        gt=0,
        le=240,
        description="Returns to a place whose lags differ by this are tried as one path. Source: two steps of the "
        "thinned rows; the lag is then made exact.",
    )
    min_returns: int = Field(
        8,
        ge=2,
        le=1000,
        description="So many returns at one lag are tried. Source: a bound on the work; half a day of drift or "
        "steaming passes that many places.",
    )
    max_off_m: float = Field(
        40.0,
        gt=0,
        le=1000,
        description="Median distance from the earlier path, moved by the lag. Source: measured, docs/positions.md: "
        "1 m in copies, 77 m and more, hundreds as a rule, on lawful passages along one line.",
    )
    min_contrast: float = Field(
        10.0,
        ge=1,
        le=1e6,
        description="At lags half an hour and more off, the distance is so many times that. Source: judgement; a path "
        "that hardly leads anywhere agrees with itself at any lag.",
    )
    min_path_h: float = Field(
        6.0,
        gt=0,
        le=2400,
        description="And it goes on for so long on the move. Source: judgement; no helm, wind and tide repeat for a "
        "watch and a half.",
    )
    min_reports: int = Field(
        12,
        ge=4,
        le=10_000,
        description="With so many thinned reports on the path. Source: judgement; one in half an hour for min_path_h.",
    )
    min_extent_nmi: float = Field(
        2.0,
        gt=0,
        le=500,
        description="Diagonal of the box that the path wanders over. Source: judgement; ten times an anchored ship's "
        "swing.",
    )
    max_per_track: int = Field(
        4, ge=1, le=1000, description="Events of one track, those with most reports. Source: a bound on the table."
    )


DEFAULT_PATHS: Final = PathParameters()

_STEAMING_KN: Final = 3.0
"""Under way from here: moored and anchored class A sets report faster over 3 kn (ITU-R M.1371-5)."""
_STEAMING_MIN: Final = 20.0
_CELL_NMI: Final = 0.75
_STEAMING_CELL_NMI: Final = 3.0
"""Sides of cells: the way in an hour or two adrift, in a quarter of an hour at 12 kn."""
_VISITS_BACK: Final = 8
"""A return is compared with so many earlier visits to its cell; a bound on the work."""
_MIX: Final = 0x9E3779B97F4A7C15 - (1 << 64)
_DIGEST_SHIFT: Final = 30
_DIGESTS: Final = (1 << 20) - 1
"""Lags of two tracks that are seldom enough are told by counting digests of them, before anything is sorted."""
_BETWEEN_RETURNS_H: Final = 6.0
_PART_SEEN: Final = 0.5
"""Returns span so much of a path at least: they begin after it and end before it does."""
_LAGS_TRIED: Final = 4
"""Of two tracks, or of one with itself: those at which she returned for longest."""


class TrackTimes(NamedTuple):
    """Rows in order of track and time, to be asked where a track stood at an instant.

    Keys count tracks and instants, not microseconds, so that no span of years over many tracks overflows. Shapes (n,),
    and (k,) for the instants, each once.
    """

    key: IntArray
    instants: IntArray

    @classmethod
    def of(cls, track: IntArray, time_us: IntArray) -> "TrackTimes":
        """Some rows of some tracks, numbered from 0 and rising."""
        instants, rank = np.unique(time_us, return_inverse=True)
        return cls(track.astype(np.int64) * (len(instants) + 1) + rank, instants)

    def place(self, track: IntArray, time_us: IntArray, side: Literal["left", "right"] = "left") -> IntArray:
        """The first row of a track that is not before an instant (right: after it), or its end. Any shape."""
        rank = np.searchsorted(self.instants, time_us, side=side)
        return np.asarray(
            np.searchsorted(self.key, track.astype(np.int64) * (len(self.instants) + 1) + rank), dtype=np.int64
        )


class _Visits(NamedTuple):
    """Times at which ships on the move came to a cell. Shapes (k,): track, time, a number for ship and cell."""

    track: IntArray
    time_us: IntArray
    place: IntArray


class Lag(NamedTuple):
    """Two tracks (or one twice), how long the later runs behind, and from when until when."""

    early: int
    late: int
    lag_us: int
    start_us: int
    end_us: int
    n_returns: int


def find_returns(
    segments: Segments, thinned: IntArray, track: IntArray, p: PathParameters = DEFAULT_PATHS
) -> tuple[IntArray, list[Lag]]:
    """Which of the thinned rows are on the move, and the lags worth trying. `track` numbers the track of each row."""
    moved, hours = _moved_nmi(segments, thinned, track)
    moving = np.flatnonzero((hours > 0) & (np.abs(moved) >= p.moving_kn * hours))
    visits = _visits(segments, thinned[moving], track[moving], moved[moving], hours[moving])
    return moving, _lags(visits, p)


def _moved_nmi(segments: Segments, rows: IntArray, track: IntArray) -> tuple[ComplexArray, FloatArray]:
    """The way made good over the hour before, or the step before if that is longer: north, and east as the imaginary
    part; and the hours it took, 0 at the start of a track."""
    time = segments.time_us[rows]
    since = time - segments.time_us[segments.offsets[:-1]][track]
    number = np.arange(len(rows))
    before = TrackTimes.of(track, time).place(track, time - np.minimum(since, US_PER_H), "right") - 1
    before = np.minimum(before, np.maximum(number - 1, 0))
    before = np.where(track[before] == track, before, number)
    lat, lon = segments.lat[rows], segments.lon[rows]
    east = wrap_degrees(lon - lon[before]) * np.cos(np.radians(lat))
    return np.asarray((lat - lat[before] + 1j * east) * NMI_PER_DEG), (time - time[before]) / US_PER_H


def _visits(segments: Segments, rows: IntArray, track: IntArray, moved: ComplexArray, hours: FloatArray) -> _Visits:
    """The first report in each cell on each quarter of the compass, and each again an hour or more after the last.

    Cells are small for ships adrift and large for those that steam, of which one report in twenty minutes is taken.
    """
    steams = np.abs(moved) >= _STEAMING_KN * hours
    time = segments.time_us[rows]
    slot = time // int(_STEAMING_MIN * US_PER_MIN)
    taken = ~steams | np.concatenate([[True], slot[1:] != slot[:-1]])[: len(rows)]
    rows, track, time, moved, steams = rows[taken], track[taken], time[taken], moved[taken], steams[taken]
    side = np.where(steams, _STEAMING_CELL_NMI, _CELL_NMI) / NMI_PER_DEG
    band = np.floor(segments.lat[rows] / side)
    column = np.floor((segments.lon[rows] + 180.0) * np.cos(np.radians(band * side)) / side)
    quarter = 2 * (moved.real >= 0.0) + (moved.imag >= 0.0) + 4 * steams
    place = ((segments.vessel[track] << 15) + (band + (1 << 14)).astype(np.int64) << 16) + column.astype(np.int64)
    place = (place << 3) + quarter
    new = np.concatenate([[True], (np.diff(place) != 0) | (np.diff(track) != 0)])[: len(rows)]
    time, track, place = time[new], track[new], place[new]
    order = np.lexsort((time, place))
    time, track, place = time[order], track[order], place[order]
    again = np.concatenate([[True], (np.diff(place) != 0) | (np.diff(time) >= US_PER_H)])[: len(time)]
    return _Visits(track[again], time[again], place[again])


def _lags(visits: _Visits, p: PathParameters) -> list[Lag]:
    """Lags at which a track came by its own earlier places, or another track's of that number, longest first."""
    early, late = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    rows = np.arange(len(visits.place))
    for behind in range(1, _VISITS_BACK + 1):
        rows = rows[rows >= behind]
        rows = rows[visits.place[rows] == visits.place[rows - behind]]
        early.append(rows - behind)
        late.append(rows)
    one, two = np.concatenate(early), np.concatenate(late)
    lag = visits.time_us[two] - visits.time_us[one]
    kept = lag >= p.min_lag_h * US_PER_H
    one, two, lag = one[kept], two[kept], lag[kept]
    width = int(2 * p.tolerance_min * US_PER_MIN)
    found = [lag_ for shift in (0, width // 2) for lag_ in _runs(visits, one, two, lag, (lag + shift) // width, p)]
    found.sort(key=lambda one: (one.start_us - one.end_us, -one.n_returns, one.late, one.start_us, one.lag_us))
    tried: dict[tuple[int, int], list[Lag]] = {}
    for lag_ in found:
        beside = tried.setdefault((lag_.early, lag_.late), [])
        alike = (abs(one.lag_us - lag_.lag_us) < width and _overlap(one, lag_) for one in beside)
        if len(beside) < _LAGS_TRIED and not any(alike):
            beside.append(lag_)
    return [lag_ for beside in tried.values() for lag_ in beside]


def _overlap(one: Lag, other: Lag) -> bool:
    return one.start_us <= other.end_us and one.end_us >= other.start_us


def _runs(
    visits: _Visits, early: IntArray, late: IntArray, lag: IntArray, bins: IntArray, p: PathParameters
) -> list[Lag]:
    """Runs of returns that follow each other, of one track to one, in one bin of lags: those that are long enough."""
    n_tracks = int(visits.track.max(initial=0)) + 1
    key = (bins * n_tracks + visits.track[late]) * n_tracks + visits.track[early]
    digest = (key * _MIX) >> _DIGEST_SHIFT & _DIGESTS
    maybe = np.flatnonzero(np.bincount(digest, minlength=_DIGESTS + 1)[digest] >= p.min_returns)
    early, late, lag, key = early[maybe], late[maybe], lag[maybe], key[maybe]
    order = np.lexsort((early, visits.time_us[late], key))
    early, late, lag, key = early[order], late[order], lag[order], key[order]
    when = visits.time_us[late]
    new = np.diff(when) > _BETWEEN_RETURNS_H * US_PER_H
    new |= np.diff(key) != 0
    first = np.concatenate([[0], np.flatnonzero(new) + 1]) if len(when) else np.zeros(0, np.int64)
    last = np.append(first[1:], len(when))[: len(first)] - 1
    long = (last - first + 1 >= p.min_returns) & (when[last] - when[first] >= _PART_SEEN * p.min_path_h * US_PER_H)
    first, last = first[long], last[long]
    before = np.concatenate([[0], np.cumsum(lag - (lag[0] if len(lag) else 0))])
    mean = (before[last + 1] - before[first]) // (last - first + 1) + (lag[0] if len(lag) else 0)
    runs = (visits.track[early[first]], visits.track[late[first]], mean, when[first], when[last], last - first + 1)
    return [Lag(*run) for run in zip(*(values.tolist() for values in runs), strict=True)]
