"""The `rendezvous` detector: its card, its parameters, and the order in which its rules look at a scene."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.rendezvous.alone import end_of, lone_rows, positions, stays_of
from detectors.rules.rendezvous.declared import Bound
from detectors.rules.rendezvous.grounds import Meeting
from detectors.rules.rendezvous.lone import lone_findings
from detectors.rules.rendezvous.lone_grounds import Silence, Stay
from detectors.rules.rendezvous.lone_weights import may_lie_alone
from detectors.rules.rendezvous.meetings import candidates, meeting_findings, parties_of
from detectors.rules.rendezvous.parameters import RendezvousParameters
from detectors.rules.rendezvous.places import Places, Spot
from detectors.rules.rendezvous.ships import Fleet, Party, may_carry
from detectors.rules.rendezvous.silent import Feasible, IntArray, Pairs, Rows, by_water, feasible, gaps_of, usable_gaps
from detectors.rules.rendezvous.ties import Ties
from vessels.instants import instant_us

Records = Sequence[Mapping[str, Any]]


class Rendezvous(RendezvousParameters):
    """Two ships that met at sea, seen both or one only.

    Claims
        rendezvous: two ships slow and close together for hours that look like carriers by type or body, weighed by
        place, ties to the DPRK, draughts, length, habit and company. One finding on the voyage of each of the two;
        beside a ship tied to the DPRK it weighs more on the other's voyage.
        dark_rendezvous: a carrier that lay slow and alone far from the coast while silent carriers could have sailed
        there, stayed and reached the place where they were heard next. Named are those that stand out among all
        that could; a weaker finding is made on each of these.

    Reads
        encounters, loitering, gaps, identity spells, port visits, zone presences, segments; watch levels, kinds and
        tags of the zones; the watch list.

    Misses
        Meetings of two silent ships; transfers under way; meetings in harbours and close to the shore; ships that
        send neither type nor size and have no tie; silences longer than `max_gap_days`.

    Known mistakes
        Lawful oil transfers far from port look the same when both draughts are typed. A usual place is only known if
        others lay there in the data. A repair at sea near a silent ship looks like a meeting with her.

    Each reason's weight in decibans stands in the evidence: 27 make strength 1 of a rendezvous, 24 of a dark one.
    """

    name: ClassVar[str] = "rendezvous"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = ("rendezvous", "dark_rendezvous")

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings: meetings seen in order of time, then lone stays, then silent ships."""
        history, as_of = scene.history, scene.as_of
        carriers = may_carry(history.identities, self)
        places = Places(scene.zones, self.near_port_nmi)
        met = candidates(history.encounters, carriers, self)
        lone, spots = self._alone(scene, carriers, places)
        gaps = usable_gaps(history.gaps, carriers, instant_us(as_of), self)
        at, silent_at = stays_of(lone, as_of), gaps_of(gaps, instant_us(as_of), self)
        pairs = feasible(at, silent_at, self)
        used: IntArray = np.unique(pairs.gap).astype(np.int64)
        silent = gaps.take(pa.array(used, type=pa.int64())).to_pylist()
        fleet = self._fleet(history.identities, met, [*lone, *silent])

        meetings = self._meetings(met, fleet, places, as_of)
        stays = [
            Stay(row, self._party(row, fleet), spot, end_of(row, as_of)) for row, spot in zip(lone, spots, strict=True)
        ]
        ports = _ports_of_gaps(silent, places)
        silences = [Silence(row, self._party(row, fleet), port) for row, port in zip(silent, ports, strict=True)]
        hulls = {party.hull for meeting in meetings for party in (meeting.one, meeting.two)}
        hulls |= {stay.party.hull for stay in stays} | {silence.party.hull for silence in silences}
        ties = Ties(scene, hulls, fleet, self)
        bound = Bound(history.port_visits, scene.zones, hulls, fleet, self)
        detector = (self.name, self.version)

        def sailed(stay: Rows, gap: Rows) -> Feasible:
            sure = by_water(at, silent_at, stay, used[gap], scene.zones.sea, self)
            return replace(sure, gap=np.searchsorted(used, sure.gap))

        carried = _of_carriers(Pairs(pairs.stay, np.searchsorted(used, pairs.gap).astype(np.int32)), stays)
        return [
            *meeting_findings(meetings, ties, bound, self, detector),
            *lone_findings(stays, silences, carried, sailed, ties, bound, self, detector),
        ]

    def _alone(self, scene: Scene, carriers: frozenset[int], places: Places) -> tuple[list[dict[str, Any]], list[Spot]]:
        """Lone stays outside the roads of ports, and where they were."""
        history = scene.history
        rows = lone_rows(history.loitering, history.encounters, carriers, scene.as_of, self)
        spots = places.spots(*positions(rows))
        kept = [(row, spot) for row, spot in zip(rows, spots, strict=True) if not (spot.roads or spot.port)]
        return [row for row, _ in kept], [spot for _, spot in kept]

    def _meetings(self, rows: Records, fleet: Fleet, places: Places, as_of: datetime) -> list[Meeting]:
        spots = places.spots(*positions(rows))
        return [
            Meeting(dict(row), *parties_of(row, fleet, self), spot, end_of(row, as_of))
            for row, spot in zip(rows, spots, strict=True)
        ]

    def _party(self, row: Mapping[str, Any], fleet: Fleet) -> Party:
        draughts = (row["start_draught_m"], row["end_draught_m"])
        return fleet.party(row["mmsi"], row["segment_id"], row["hull_id"], row["start"], draughts, self)

    @staticmethod
    def _fleet(identities: pa.Table, met: Records, single: Records) -> Fleet:
        numbers = {row["mmsi"] for row in (*met, *single)} | {row["other_mmsi"] for row in met}
        hulls = {row["hull_id"] for row in (*met, *single)} | {row["other_hull_id"] for row in met}
        return Fleet(identities, numbers, hulls)


def _of_carriers(pairs: Pairs, stays: Sequence[Stay]) -> Pairs:
    """The pairs whose lone ship proved to be a carrier."""
    keep = may_lie_alone(stays)[pairs.stay]
    return Pairs(pairs.stay[keep], pairs.gap[keep])


def _ports_of_gaps(rows: Records, places: Places) -> list[str]:
    """For each gap the port at which the ship fell silent and, if she was heard again, was heard; "" for others."""
    nowhere = [np.nan] * len(rows)
    starts, ends = (
        places.spots(
            *(np.array([row[f"{end}_{axis}"] for row in rows] or nowhere, dtype=float) for axis in ("lat", "lon"))
        )
        for end in ("start", "end")
    )
    named = []
    for row, start, end in zip(rows, starts, ends, strict=True):
        same = start.port is not None and (row["end"] is None or end.port is start.port)
        named.append(start.port.name if same and start.port is not None else "")
    return named
