"""Ships last heard at a breakers' yard, or bound for one by their own account.

Takes identities, port visits and zones; gives for each MMSI the spans in which it was so. Whether the ship was broken
up is not known from AIS: some yards lie beside trading ports, and ships are bought back.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vessels.history import History
from vessels.instants import times_us
from vessels.units import US_PER_H
from vessels.zones import Zones

BREAKERS_TAGS: Final = frozenset({"breakers", "shipbreaking", "recycling"})
"""Tags by which a zones file marks yards that break ships."""
_SURE: Final = re.compile(
    r"\bBREAK(?:ERS?|ING)\b|\bSHIP ?BREAK(?:ERS?|ING)\b|\bSCRAP(?:PING|YARD)?\b|\bDEMOLITION\b|\bDISMANTLING\b"
    r"|\b(?:SHIP|GREEN) ?RECYCLING\b|\bALANG\b|\bSOSIYA\b|\bGADANI\b|\bSITAKUNDA\b"
)
"""Words for breaking, and beaches where nothing else is done: Alang-Sosiya, Gadani, Sitakunda."""
_PERHAPS: Final = re.compile(r"\bCHITTAGONG\b|\bCHATTOGRAM\b|\bALIAGA\b")
"""Trading ports that have yards beside."""


class Scrapped(NamedTuple):
    """From when to when an MMSI was at or bound for a breakers' yard; `is_sure` if nothing else is done there."""

    first_us: int
    last_us: int
    words: str
    is_sure: bool


class Breakers:
    """Answers what a silent ship last said or did of a breakers' yard."""

    def __init__(self, history: History, zones: Zones) -> None:
        self._spans: dict[int, list[Scrapped]] = {}
        self._add_destinations(history.identities)
        self._add_visits(history.port_visits, zones)

    @property
    def mmsi(self) -> frozenset[int]:
        """MMSI that were at or bound for a yard at some time."""
        return frozenset(self._spans)

    def last_heard(self, mmsi: int, at_us: int, within_h: float) -> Scrapped | None:
        """The span that a ship heard last at a time was in, or had been in shortly before; the surest of several."""
        near = [
            one
            for one in self._spans.get(mmsi, ())
            if one.first_us <= at_us and one.last_us >= at_us - within_h * US_PER_H
        ]
        return max(near, key=lambda one: (one.is_sure, one.last_us, one.words), default=None)

    def _add_destinations(self, identities: pa.Table) -> None:
        coded = pc.dictionary_encode(identities["destination"]).combine_chunks()
        sure: dict[int, bool] = {}
        for code, text in enumerate(coded.dictionary.to_pylist()):
            if _SURE.search(text) or _PERHAPS.search(text):
                sure[code] = _SURE.search(text) is not None
        if not sure:
            return
        rows = np.flatnonzero(np.isin(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False), list(sure)))
        some = identities.take(pa.array(rows))
        codes = coded.indices.take(pa.array(rows)).to_pylist()
        words = coded.dictionary.to_pylist()
        spans = zip(some["mmsi"].to_pylist(), times_us(some["first_seen"]), times_us(some["last_seen"]), strict=True)
        for (mmsi, first_us, last_us), code in zip(spans, codes, strict=True):
            if mmsi is not None:
                said = Scrapped(int(first_us), int(max(first_us, last_us)), f"bound for {words[code]!r}", sure[code])
                self._spans.setdefault(mmsi, []).append(said)

    def _add_visits(self, visits: pa.Table, zones: Zones) -> None:
        yards: Mapping[str, str] = {zone.zone_id: zone.name for zone in zones.zones if zone.tags & BREAKERS_TAGS}
        if not yards:
            return
        some = visits.filter(pc.is_in(visits["zone_id"], value_set=pa.array(sorted(yards), pa.string())))
        start, end, seen = (times_us(some[name]) for name in ("start", "end", "last_seen"))
        for i, (mmsi, zone_id) in enumerate(zip(some["mmsi"].to_pylist(), some["zone_id"].to_pylist(), strict=True)):
            stay = Scrapped(int(start[i]), int(max(start[i], end[i], seen[i])), f"in {yards[zone_id]}", True)
            self._spans.setdefault(mmsi, []).append(stay)
