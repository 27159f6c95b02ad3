"""Widening: a voyage that is seen in part tonight, with what was told of the rest of it.

Takes tonight's row of `flagged_voyages` and the row as told; gives tonight's row with the identities that lie out of
sight, and with the part of the track that does.
"""

from collections.abc import Mapping
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

_KEY: Final = ("mmsi", "imo", "name", "call_sign")
Row = Mapping[str, Any]


def widened(row: Row, told: Row) -> dict[str, Any]:
    """Tonight's row, and what was told that tonight's rows cannot show."""
    known = {tuple(one[name] for name in _KEY) for one in row["earlier_identities"]}
    now = tuple(row[name] for name in _KEY)
    unseen = [one for one in told["earlier_identities"] if tuple(one[name] for name in _KEY) not in known | {now}]
    identities = sorted([*row["earlier_identities"], *unseen], key=lambda one: (one["first_seen"], one["last_seen"]))
    scores = [score for score in (row["anomaly_score"], told["anomaly_score"]) if score is not None]
    line = joined(shapely.from_wkb(told["geometry"]), shapely.from_wkb(row["geometry"]))
    return {
        **row,
        "earlier_identities": identities,
        "anomaly_score": max(scores, default=None),
        "geometry": shapely.to_wkb(line),
    }


def joined(told: BaseGeometry, seen: BaseGeometry) -> BaseGeometry:
    """The track as told and the part seen tonight, whose first leg spans what was not seen and is left out."""
    parts = [part for part in shapely.get_parts(told) if part.geom_type == "LineString"]
    legs = [part for part in shapely.get_parts(seen) if part.geom_type == "LineString"]
    if legs:
        coordinates = shapely.get_coordinates(legs[0])[1:]
        legs = [*([shapely.linestrings(coordinates)] if len(coordinates) > 1 else []), *legs[1:]]
    lines = [*parts, *legs]
    if not lines:
        return told
    return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)
