"""Widening: a voyage as tonight shows it, with what was told of it and its hull that tonight's window no longer holds.

Takes tonight's row of `flagged_voyages` and rows as told; gives tonight's row with the identities and watched calls
that lie before the window, and with the part of the track that does. Findings are left to `detectors.batch.sight`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from detectors.batch.flagged import headline, heaviest_first
from detectors.borne import BorneIdentity, Call
from detectors.finding import Finding

_KEY: Final = ("mmsi", "imo", "name", "call_sign")
Row = Mapping[str, Any]


def remembered(
    row: dict[str, Any], told: Iterable[Row], window_start: datetime, findings: Iterable[Finding]
) -> dict[str, Any]:
    """Tonight's row with the identities and watched calls of its hull, as `told`, that lie before the window.

    `told` are rows of the same hull, those that go first first; `findings` those of the voyage.
    """
    known = {_key(one): dict(one) for one in row["earlier_identities"]}
    for one in (one for other in told for one in other["earlier_identities"]):
        key = _key(one)
        if key in known:
            known[key] = _joined(known[key], one, window_start)
        elif key != _key(row) and one["last_seen"] < window_start:
            known[key] = dict(one)
    identities = sorted(known.values(), key=lambda one: (one["first_seen"], one["last_seen"]))
    if identities == row["earlier_identities"]:
        return row
    said = headline(heaviest_first(findings), [_borne(one) for one in identities], row)
    return {**row, "earlier_identities": identities, "headline": said}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _joined(now: dict[str, Any], told: Row, window_start: datetime) -> dict[str, Any]:
    """An identity that is seen from the window on, with when it was first seen and where it called before."""
    if told["first_seen"] >= window_start:
        return now
    seen = {(call["zone_id"], call["start"]) for call in now["watched_calls"]}
    before = [c for c in told["watched_calls"] if c["start"] < window_start and (c["zone_id"], c["start"]) not in seen]
    calls = _borne({**now, "watched_calls": [*now["watched_calls"], *before]}).watched_calls
    in_order = [(call.zone_id, call.start) for call in calls]
    merged = sorted([*now["watched_calls"], *before], key=lambda c: in_order.index((c["zone_id"], c["start"])))
    return {**now, "first_seen": min(now["first_seen"], told["first_seen"]), "watched_calls": merged}


def _borne(one: Row) -> BorneIdentity:
    """An identity of a row as the record that has words for it."""
    values = {name: value for name, value in one.items() if name != "watched_calls"}
    return BorneIdentity(**values, calls=tuple(Call(**call) for call in one["watched_calls"]))


def widened(row: Row, told: Row) -> dict[str, Any]:
    """Tonight's row of a voyage that is seen in part, with the track told of the rest and the odder of both scores."""
    scores = [score for score in (row["anomaly_score"], told["anomaly_score"]) if score is not None]
    line = joined(shapely.from_wkb(told["geometry"]), shapely.from_wkb(row["geometry"]))
    return {**row, "anomaly_score": max(scores, default=None), "geometry": shapely.to_wkb(line)}


def joined(told: BaseGeometry, seen: BaseGeometry) -> BaseGeometry:
    """The track as told and the part seen tonight, whose first leg spans what was not seen and is left out."""
    parts = _lines(told)
    legs = _lines(seen)
    if legs:
        coordinates = shapely.get_coordinates(legs[0])[1:]
        legs = [*([shapely.linestrings(coordinates)] if len(coordinates) > 1 else []), *legs[1:]]
    lines = [*parts, *legs]
    if not lines:
        return told
    return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)


def _lines(shape: BaseGeometry) -> Sequence[BaseGeometry]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "LineString"]
