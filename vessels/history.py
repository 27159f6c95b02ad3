"""The history of all vessels heard: what the detectors see of `vessels`, and the one place that composes it."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class History:
    """All facts of one run, as tables whose columns `vessels.schema` declares.

    Tables are sorted: by mmsi, then segment (or hull), then start. `as_of` is "now": given, or the newest
    timestamp of the data.
    """

    as_of: datetime
    vessels: pa.Table
    identities: pa.Table
    segments: pa.Table
    port_visits: pa.Table
    zone_presences: pa.Table
    voyages: pa.Table
    sketches: pa.Table
    coverage: pa.Table
