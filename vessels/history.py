"""The history of all vessels heard: the one place that composes `vessels`.

Takes settled blocks of tracks and the zones; gives `History`, the tables that detectors read. Blocks are independent of
each other and may be derived in any order and in several threads; `combine` puts their tables together in one order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vessels.anchoring import BlockTracks, leave_anchors
from vessels.anchors import ANCHORS, NO_ANCHORS
from vessels.anchors_settled import settle_anchors, with_settled
from vessels.at_sea import SeaParameters, SeaRows, derive_at_sea, settle_at_sea
from vessels.chunks import StaticClaim
from vessels.continued_voyages import continue_voyages, under_way
from vessels.continuing import Continued, boundary_of, continue_tracks, heirs_of, take_up
from vessels.events.port_visits import (
    StayParameters,
    find_visits,
    port_sets,
    presences_table,
    visit_ids,
    visits_table,
)
from vessels.events.stays import find_stays
from vessels.hulls.links import find_links
from vessels.hulls.parameters import LinkParameters
from vessels.identities import identity_spells, place_statements, rows_from
from vessels.joining import join_hulls
from vessels.legs import VoyageParameters, find_legs
from vessels.motion import MotionModel
from vessels.parameters import Parameters
from vessels.parting import part_tracks
from vessels.revivals import RevivalParameters, cut_revivals
from vessels.schema import (
    IDENTITIES,
    PORT_VISITS,
    SEGMENTS,
    SILENCES,
    SKETCHES,
    VESSELS,
    VOYAGES,
    ZONE_PRESENCES,
    Table,
    make_id,
)
from vessels.segments import Segments, segment_ids, separate
from vessels.silences import SilenceParameters, segment_habits, silences_table
from vessels.thinning import thin_rows
from vessels.track import Statements, Tally, TrackBlock
from vessels.voyages import voyages_table
from vessels.zones import Zones

SKETCH_MIN = 20.0
"""One report in twenty minutes draws a track to within a turn and keeps a thousand ships' month under 2 M rows."""


class FactParameters(Parameters):
    """The parameters of all facts, by the file that uses them."""

    motion: MotionModel = MotionModel()
    revivals: RevivalParameters = RevivalParameters()
    stays: StayParameters = StayParameters()
    voyages: VoyageParameters = VoyageParameters()
    silences: SilenceParameters = SilenceParameters()
    links: LinkParameters = LinkParameters()
    sea: SeaParameters = SeaParameters()


DEFAULT_FACTS = FactParameters()


@dataclass(frozen=True, slots=True)
class Facts:
    """The tables of one block of vessels, and what was counted while it was settled.

    `anchors` are raw ones left for later histories, `continued` those that tracks of the block went on from.
    """

    vessels: pa.Table
    identities: pa.Table
    segments: pa.Table
    port_visits: pa.Table
    zone_presences: pa.Table
    voyages: pa.Table
    sketches: pa.Table
    silences: pa.Table
    sea: SeaRows
    tally: Tally
    anchors: pa.Table = field(default_factory=ANCHORS.empty)
    continued: pa.Table = field(default_factory=ANCHORS.empty)


@dataclass(frozen=True, slots=True)
class History:
    """All facts of one run, as tables whose columns `vessels.schema` declares.

    Tables are sorted: by mmsi, then segment in order of its start, then start. `as_of` is "now": given, or the newest
    timestamp of the data. `anchors` are for later histories; see `vessels.anchors`.
    """

    as_of: datetime
    vessels: pa.Table
    identities: pa.Table
    segments: pa.Table
    port_visits: pa.Table
    zone_presences: pa.Table
    voyages: pa.Table
    sketches: pa.Table
    silences: pa.Table
    coverage: pa.Table
    hull_links: pa.Table
    voyage_parts: pa.Table
    gaps: pa.Table
    loitering: pa.Table
    encounters: pa.Table
    position_events: pa.Table
    anchors: pa.Table = field(default_factory=ANCHORS.empty)


_TABLES: dict[str, Table] = {
    "vessels": VESSELS,
    "identities": IDENTITIES,
    "segments": SEGMENTS,
    "port_visits": PORT_VISITS,
    "zone_presences": ZONE_PRESENCES,
    "voyages": VOYAGES,
    "sketches": SKETCHES,
    "silences": SILENCES,
}


def derive(
    block: TrackBlock,
    claims: Sequence[StaticClaim],
    zones: Zones,
    parameters: FactParameters = DEFAULT_FACTS,
    anchors: pa.Table = NO_ANCHORS,
    boundaries_us: Sequence[int] = (),
) -> Facts:
    """All facts of one block: segments, identities, stays, visits, voyages. `claims` as in `ClaimRegister.claims`.

    `anchors` are those that an earlier history left for this bucket's MMSI at the boundary where the block begins:
    tracks, voyages and visits that had begun before go on under their ids. At each of `boundaries_us` (microseconds)
    anchors are left for later histories. Raises UsageError for anchors of another boundary.
    """
    known = None
    if anchors.num_rows:
        block, claims, known = take_up(block, claims, anchors)
    whole = separate(block, parameters.motion, known)
    since_us = boundary_of(anchors) if anchors.num_rows else None
    segments = cut_revivals(whole, block.statements, claims, parameters.revivals, since_us)
    continued: Continued | None = None
    if anchors.num_rows:
        segments, continued, heirs = continue_tracks(whole, segments, anchors)
    else:
        heirs = heirs_of(whole, segments)
    ids = continued.names(segments) if continued else segment_ids(segments)
    hull_ids = continued.hulls(ids) if continued else [make_id("hull", segment_id) for segment_id in ids]
    fence_set = zones.index.lookup(segments.lat, segments.lon)
    stays = find_stays(segments, zones, fence_set, continued.begun(zones) if continued else None)
    visits = find_visits(segments, zones, fence_set, stays, parameters.stays)
    draught = _draught_so_far(segments, block.statements, claims)
    on_voyage = under_way(segments, visits, continued, parameters.voyages) if continued else None
    legs = find_legs(segments, visits, parameters.voyages, on_voyage)
    visit_names = visit_ids(segments, zones, visits.stays)
    in_port = port_sets(zones)[fence_set]
    identities = identity_spells(segments, ids, hull_ids, block.statements, claims)
    habits = segment_habits(segments, draught)
    segments_table = _segments_table(segments, ids, hull_ids, habits)
    voyages = voyages_table(
        segments, ids, hull_ids, zones, visits, visit_names, legs, in_port, draught, parameters.voyages
    )
    if continued:
        segments_table = continued.with_starts(segments_table)
        voyages = continue_voyages(voyages, segments, legs, visits, continued, parameters.voyages)
    tracks = BlockTracks(segments, ids, hull_ids, zones, fence_set, draught, stays, identities)
    return Facts(
        vessels=_vessels_table(segments),
        identities=identities,
        segments=segments_table,
        port_visits=visits_table(segments, ids, hull_ids, zones, visits, draught),
        zone_presences=presences_table(segments, ids, hull_ids, zones, stays, parameters.stays),
        voyages=voyages,
        sketches=_sketches_table(segments, ids, draught),
        silences=silences_table(segments, ids, draught, parameters.silences),
        sea=derive_at_sea(segments, ids, identities, zones, fence_set, draught, habits, parameters.sea),
        tally=block.tally,
        anchors=leave_anchors(tracks, boundaries_us, heirs, continued, parameters.stays),
        continued=continued.in_force(ids) if continued else NO_ANCHORS,
    )


def combine(
    facts: Iterable[Facts],
    coverage: pa.Table,
    as_of: datetime,
    zones: Zones,
    parameters: FactParameters = DEFAULT_FACTS,
) -> History:
    """The tables of all blocks put together, sorted by mmsi, and hulls linked; the order of blocks does not matter."""
    parts = list(facts)
    tables = {}
    for name, table in _TABLES.items():
        whole = table.concat(getattr(part, name) for part in parts)
        order = np.argsort(whole["mmsi"].to_numpy(), kind="stable")
        tables[name] = whole.take(order)
    known = ANCHORS.concat(part.continued for part in parts)
    since_us = boundary_of(known) if known.num_rows else None
    links = find_links(tables["segments"], tables["silences"], tables["identities"], parameters.links, since_us)
    links = with_settled(links, known)
    sketches = tables["sketches"]
    tables, links, cuts = part_tracks(tables, links)
    overlap_h = parameters.links.max_overlap_h
    tables = join_hulls(tables, links, zones, parameters.voyages, parameters.stays, overlap_h, known)
    events = settle_at_sea([part.sea for part in parts], tables, sketches, cuts, as_of, parameters.sea)
    anchors = settle_anchors((part.anchors for part in parts), tables, cuts, known)
    return History(as_of=as_of, coverage=coverage, **tables, **events, anchors=anchors)


def _draught_so_far(
    segments: Segments, statements: Statements, claims: Sequence[StaticClaim]
) -> npt.NDArray[np.float64]:
    """The last draught claimed at or before each row of its segment, NaN before the first. Shape (n,).

    A static-only row's draught holds from the next position on.
    """
    draught = segments.draught
    said = np.flatnonzero(~np.isnan(statements.draught))
    if len(said):
        statements = statements.take(said)
        row, which = rows_from(segments, place_statements(segments, statements, claims), statements.time_us)
        silent = np.isnan(draught[row])
        draught = draught.copy()
        draught[row[silent]] = statements.draught[which[silent]]
    known = np.where(np.isnan(draught), -1, np.arange(len(segments)))
    at = np.maximum.accumulate(known) if len(known) else known
    begin = np.repeat(segments.offsets[:-1], np.diff(segments.offsets))
    return np.where(at >= begin, draught[np.maximum(at, 0)].astype(np.float64).round(2), np.nan)


def _vessels_table(segments: Segments) -> pa.Table:
    n_vessels = len(segments.mmsi)
    sizes = np.diff(segments.offsets)
    first = np.full(n_vessels, np.iinfo(np.int64).max)
    last = np.full(n_vessels, np.iinfo(np.int64).min)
    np.minimum.at(first, segments.vessel, segments.time_us[segments.offsets[:-1]])
    np.maximum.at(last, segments.vessel, segments.time_us[segments.offsets[1:] - 1])
    unheard = np.bincount(segments.vessel, minlength=n_vessels) == 0
    together = segments.n_alternations > 0
    instant = VESSELS.arrow.field("first_seen").type
    return VESSELS.build(
        {
            "mmsi": segments.mmsi,
            "first_seen": pa.array(first, instant, mask=unheard),
            "last_seen": pa.array(last, instant, mask=unheard),
            "n_positions": np.bincount(segments.vessel, weights=sizes, minlength=n_vessels).astype(np.int64),
            "n_segments": np.bincount(segments.vessel, minlength=n_vessels),
            "n_noise": segments.noise,
            "n_alternations": segments.n_alternations,
            "max_separation_nmi": np.round(segments.max_separation_nmi, 3),
            "overlap_start": pa.array(segments.overlap_start_us, instant, mask=~together),
            "overlap_end": pa.array(segments.overlap_end_us, instant, mask=~together),
        }
    )


def _segments_table(
    segments: Segments, ids: Sequence[str], hull_ids: Sequence[str], habits: Mapping[str, npt.NDArray[Any]]
) -> pa.Table:
    first, last = segments.offsets[:-1], segments.offsets[1:] - 1
    speed = np.zeros(len(segments), dtype=np.float32)
    minute = segments.step_h >= np.float32(1.0 / 60.0)
    np.divide(segments.step_nmi, segments.step_h, out=speed, where=minute)
    distance: npt.NDArray[np.float64] = np.zeros(0)
    fastest: npt.NDArray[np.float64] = np.zeros(0)
    if len(first):
        distance = np.add.reduceat(segments.step_nmi.astype(np.float64), first).round(3)
        fastest = np.maximum.reduceat(speed, first).astype(np.float64).round(2)
    return SEGMENTS.build(
        {
            "segment_id": ids,
            "hull_id": hull_ids,
            "mmsi": segments.mmsi[segments.vessel],
            "start": segments.time_us[first],
            "end": segments.time_us[last],
            "n_positions": last - first + 1,
            "start_lat": segments.lat[first],
            "start_lon": segments.lon[first],
            "end_lat": segments.lat[last],
            "end_lon": segments.lon[last],
            "distance_nmi": distance,
            "max_implied_speed_kn": fastest,
            **habits,
        }
    )


def _sketches_table(segments: Segments, ids: Sequence[str], draught: npt.NDArray[np.float64]) -> pa.Table:
    rows = thin_rows(segments, SKETCH_MIN)
    segment = np.searchsorted(segments.offsets, rows, side="right") - 1
    return SKETCHES.build(
        {
            "segment_id": pa.array(ids, pa.string()).take(segment),
            "mmsi": segments.mmsi[segments.vessel[segment]],
            "timestamp": segments.time_us[rows],
            "lat": segments.lat[rows],
            "lon": segments.lon[rows],
            "sog": segments.sog[rows],
            "draught": draught[rows],
        }
    )
