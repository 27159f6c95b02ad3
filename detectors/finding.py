"""Findings and their evidence: what was expected, what was seen, from which rows, how good the data were.

A finding is what a detector says of one vessel (and perhaps others) over one span of time. It accuses nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

import pyarrow as pa

from vessels.errors import UsageError
from vessels.schema import TIMESTAMP, Column, Table, make_id


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the case: what was looked at, what was observed, what would have been expected."""

    what: str
    observed: str
    expected: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector says of one vessel over one span of time.

    `strength` is 0 to 1, higher is odder. `mmsi` is the newer claim where two identities meet, `other_mmsi` the
    rest. `lat`, `lon` say where. `segment_id` (or `voyage_id`) ties it to a track (or voyage); where both are None
    the engine takes the vessel's voyage that holds `start`. `subject` tells apart findings of one kind, vessel and
    start, such as two zones entered at once; it enters the id. `weight_db` is filled by triage.
    """

    detector: str
    detector_version: str
    kind: str
    mmsi: int
    start: datetime
    end: datetime | None
    strength: float
    headline: str
    evidence: tuple[Evidence, ...]
    caveats: tuple[str, ...] = ()
    other_mmsi: tuple[int, ...] = ()
    lat: float | None = None
    lon: float | None = None
    segment_id: str | None = None
    voyage_id: str | None = None
    hull_id: str | None = None
    subject: str = ""
    weight_db: float = 0.0
    source_ids: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise UsageError(f"strength of a {self.kind} finding is {self.strength}; it must lie between 0 and 1")
        if not self.evidence:
            raise UsageError(f"a {self.kind} finding without evidence: say what was observed")

    @property
    def finding_id(self) -> str:
        """Hash of kind, vessel, start and subject; never of parameters or of the end."""
        return make_id("finding", self.kind, self.mmsi, self.start.isoformat(), self.subject)

    def with_(self, **changes: object) -> Self:
        """The same finding with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


_EVIDENCE: Final = pa.struct(
    [("what", pa.string()), ("observed", pa.string()), ("expected", pa.string()), ("unit", pa.string())]
)
_TEXTS: Final = pa.list_(pa.string())

FINDINGS: Final = Table(
    "findings",
    (
        Column("finding_id", pa.string(), "hash of kind, vessel, start"),
        Column("voyage_id", pa.string(), "voyage it belongs to"),
        Column("mmsi", pa.int64(), "vessel; of two identities the newer claim"),
        Column("other_mmsi", pa.list_(pa.int64()), "the other identities it speaks of"),
        Column("hull_id", pa.string(), "hull"),
        Column("detector", pa.string(), "detector that says so"),
        Column("kind", pa.string(), "what kind of oddity"),
        Column("detector_version", pa.string(), "version of the detector"),
        Column("start", TIMESTAMP, "from when"),
        Column("end", TIMESTAMP, "until when; null while it goes on"),
        Column("lat", pa.float64(), "where", "degree"),
        Column("lon", pa.float64(), "where", "degree"),
        Column("strength", pa.float64(), "0 to 1, higher is odder"),
        Column("weight_db", pa.float64(), "weight of evidence", "decibans"),
        Column("headline", pa.string(), "one sentence"),
        Column("evidence", pa.list_(_EVIDENCE), "lines of the case"),
        Column("caveats", _TEXTS, "what makes it less sure"),
        Column("source_ids", _TEXTS, "files that hold the rows; run.json names them"),
    ),
)


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """The findings as a table of `FINDINGS` shape, in the order given."""
    return FINDINGS.build(
        {
            "finding_id": [f.finding_id for f in findings],
            "voyage_id": [f.voyage_id for f in findings],
            "mmsi": [f.mmsi for f in findings],
            "other_mmsi": [list(f.other_mmsi) for f in findings],
            "hull_id": [f.hull_id for f in findings],
            "detector": [f.detector for f in findings],
            "kind": [f.kind for f in findings],
            "detector_version": [f.detector_version for f in findings],
            "start": [f.start for f in findings],
            "end": [f.end for f in findings],
            "lat": [f.lat for f in findings],
            "lon": [f.lon for f in findings],
            "strength": [f.strength for f in findings],
            "weight_db": [f.weight_db for f in findings],
            "headline": [f.headline for f in findings],
            "evidence": [
                [{"what": e.what, "observed": e.observed, "expected": e.expected, "unit": e.unit} for e in f.evidence]
                for f in findings
            ],
            "caveats": [list(f.caveats) for f in findings],
            "source_ids": [list(f.source_ids) for f in findings],
        }
    )
