"""Adrift: stretches in which a ship moves slowly, and for an hour or more not where her bow points.

Takes `Segments`; gives `ADRIFT_STRETCHES`, from which `loitering` makes rows of kind adrift. Works on reports thinned
to ten minutes, outside harbours, of class A sets that send a heading. The course is that made good between reports,
because the course reported of a ship that hardly moves is noise. Wind and current set a ship that steams slowly off
her heading as well, and a tug or a dredger works so; what it means is left to others.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from vessels.events.slow import STEP_US, Reports, ShoreDistance, stretches_table
from vessels.events.slow_tables import ADRIFT_STRETCHES
from vessels.geodesy import angle_between, bearing_deg, distance_nmi
from vessels.parameters import Parameters
from vessels.segments import Segments
from vessels.thinning import thin_rows
from vessels.track import IntArray
from vessels.units import METRES_PER_NMI, US_PER_H, US_PER_MIN

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
FISHING: Final = 7
"""Navigational status (ITU-R M.1371-5, table 45): gear sets a boat off her heading."""


class AdriftParameters(Parameters):
    """When a ship is adrift."""

    max_kn: float = Field(
        5.0,
        gt=0,
        le=15,
        description="Not faster than this, reported and made good. Source: two real ships adrift, 0.4 to 0.9 and 2 to "
        "4 kn (docs/meetings.md).",
    )
    min_kn: float = Field(
        0.3,
        ge=0,
        le=10,
        description="Nor slower made good. Source: the least of these two; at anchor nothing is made good.",
    )
    min_off_deg: float = Field(
        20.0,
        gt=0,
        lt=180,
        description="Angle between heading and course made good. Source: measured, docs/meetings.md: the two ships "
        "lay 20 to 50 and 75 to 155 degrees off.",
    )
    max_turn_deg: float = Field(
        30.0,
        gt=0,
        le=180,
        description="Headings at both ends of ten minutes differ by no more, or she turns. Source: judgement; the two "
        "ships swung by up to 20 degrees in ten minutes.",
    )
    min_step_m: float = Field(
        60.0,
        ge=0,
        le=2000,
        description="Shorter steps give no course. Source: judgement; fixes are wrong by 10 m each.",
    )
    max_interval_h: float = Field(
        2.0,
        gt=0,
        le=12,
        description="Between reports farther apart nothing is known. Source: judgement; satellites hear a ship every "
        "three quarters of an hour to two hours.",
    )
    max_break_h: float = Field(
        1.0,
        ge=0,
        le=12,
        description="It goes on over so short a time under power. Source: as facts.sea.slow.max_break_h; one of the "
        "two ships turned and steamed back for 50 minutes.",
    )
    min_adrift_h: float = Field(
        1.0,
        gt=0,
        le=240,
        description="So long adrift in all. Source: judgement; turning, boarding a pilot and heaving to take less.",
    )
    min_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="And this share of the time from first to last. Source: one of the two ships: 0.58.",
    )
    min_net_nmi: float = Field(
        0.5,
        ge=0,
        le=50,
        description="Made good from first to last. Source: judgement; more than a ship at anchor swings.",
    )
    min_shore_nmi: float = Field(
        0.5,
        ge=0,
        le=50,
        description="Nearer to the shore it is a harbour. Source: as facts.sea.slow.min_shore_nmi.",
    )


DEFAULT_ADRIFT: Final = AdriftParameters()


def find_adrift(
    segments: Segments,
    ids: Sequence[str],
    class_b: BoolArray,
    in_harbour: BoolArray,
    shore_nmi: ShoreDistance,
    parameters: AdriftParameters = DEFAULT_ADRIFT,
) -> pa.Table:
    """The `ADRIFT_STRETCHES` of one block, in order. `class_b` is by track, `in_harbour` by row."""
    rows = thin_rows(segments, STEP_US / US_PER_MIN)
    track = np.searchsorted(segments.offsets, rows, side="right") - 1
    usable = ~class_b[track] & np.isfinite(segments.heading[rows])
    rows, track = rows[usable], track[usable]
    if len(rows) < 2:
        return ADRIFT_STRETCHES.empty()
    reports = Reports.of(segments, rows, track, in_harbour)
    adrift, off_deg = _steps(segments, reports, parameters)
    first, last = _runs(reports, adrift, parameters)
    table = stretches_table(segments, ids, reports, first, last, shore_nmi)
    weight = np.concatenate([[0.0], np.cumsum(np.where(adrift, reports.hours, 0.0))])
    angle = np.concatenate([[0.0], np.cumsum(np.where(adrift, off_deg * reports.hours, 0.0))])
    mean = (angle[last] - angle[first]) / (weight[last] - weight[first])
    at_sea = pa.array(table["shore_nmi"].to_numpy() >= parameters.min_shore_nmi)
    columns = {name: table[name] for name in table.column_names}
    return ADRIFT_STRETCHES.build({**columns, "off_course_deg": mean.round(1)}).filter(at_sea)


def _steps(segments: Segments, reports: Reports, p: AdriftParameters) -> tuple[BoolArray, FloatArray]:
    """Which steps to the next report were made adrift, and how far off the heading they led. Shapes (m - 1,)."""
    heading = segments.heading[reports.row].astype(np.float64)
    status = segments.nav_status[reports.row]
    speed = np.divide(reports.nmi, reports.hours, out=np.full(len(reports.hours), np.inf), where=reports.hours > 0)
    reported = np.fmax(reports.sog[1:], reports.sog[:-1])
    adrift = reports.joined & (reports.hours <= p.max_interval_h) & ~(reported >= p.max_kn)
    adrift &= (speed >= p.min_kn) & (speed < p.max_kn) & (reports.nmi * METRES_PER_NMI >= p.min_step_m)
    adrift &= (status[1:] != FISHING) & (status[:-1] != FISHING)
    maybe = np.flatnonzero(adrift)
    one, two = heading[maybe], heading[maybe + 1]
    course = bearing_deg(reports.lat[maybe], reports.lon[maybe], reports.lat[maybe + 1], reports.lon[maybe + 1])
    off = (angle_between(one, course) + angle_between(two, course)) / 2.0
    off_deg = np.zeros(len(adrift))
    off_deg[maybe] = off
    adrift[maybe[(off < p.min_off_deg) | (angle_between(one, two) > p.max_turn_deg)]] = False
    return adrift, off_deg


def _runs(reports: Reports, adrift: BoolArray, p: AdriftParameters) -> tuple[IntArray, IntArray]:
    """First and last report of each stretch: steps adrift, joined over short breaks. Shapes (k,)."""
    edge = np.diff(np.concatenate([[0], adrift.astype(np.int8), [0]]))
    first, last = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    if not len(first):
        return first, last
    harbours = np.cumsum(reports.harbour)
    before, after = last[:-1], first[1:]
    joined = (reports.track[before] == reports.track[after]) & (harbours[after] == harbours[before])
    joined &= reports.time_us[after] - reports.time_us[before] <= p.max_break_h * US_PER_H
    first, last = first[np.concatenate([[True], ~joined])], last[np.concatenate([~joined, [True]])]
    hours = np.concatenate([[0.0], np.cumsum(np.where(adrift, reports.hours, 0.0))])
    adrift_h = hours[last] - hours[first]
    long = adrift_h >= p.min_adrift_h
    long &= adrift_h >= p.min_share * (reports.time_us[last] - reports.time_us[first]) / US_PER_H
    net = distance_nmi(*(column[end] for end in (first, last) for column in (reports.lat, reports.lon)))
    long &= net >= p.min_net_nmi
    return first[long], last[long]
