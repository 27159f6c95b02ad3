"""A run's flagged voyages as layers of a map: tables of plain values, each row with its geometry.

Takes a finished run and which of its voyages are wanted; gives `Layer`s in the order in which a map draws them, the
lowest first. Writing them in a format is left to `geopackage`, `geojson`, `csv_files` and `kml`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from shapely.geometry.base import BaseGeometry

from detectors.batch.drawing import AROUND
from detectors.exports.naming import LABEL, names_of, of_track, of_voyage, title_of, who
from detectors.exports.parts import Part, Spans, Unheard, broken, merged
from detectors.exports.shapes import DECIMALS, fence, last_place, line, point, points, rounded
from detectors.exports.tables import FENCES, FINDINGS, FLAGGED, POSITIONS, SILENCES, TRACK_LINES
from detectors.exports.words import evidence_text, flat, identities_text, listed, text
from detectors.rules.dark.wording import reception_in_words
from detectors.run_folder import LoadedRun
from detectors.run_tables import OWN, SILENCE_H
from vessels.ais import mmsi_text, ship_type_label
from vessels.instants import instant_us
from vessels.schema import Table

Row = Mapping[str, Any]
REPORTS: Final = "reports"
AS_TOLD: Final = "line as told"
_US_PER_H: Final = 3.6e9


@dataclass(frozen=True)
class Layer:
    """Rows of one kind, each with its geometry, WGS 84 longitude and latitude; None where it has no place."""

    name: str
    about: str
    geometry_type: str
    table: pa.Table
    shapes: Sequence[BaseGeometry | None]


@dataclass(frozen=True)
class Layers:
    """All layers of one export; and the parts that the tracks were made from, with the names claimed on each track.

    KML is made from the parts, for there each report has its time.
    """

    fences: Layer
    silences: Layer
    tracks: Layer
    positions: Layer
    findings: Layer
    flagged_voyages: Layer
    parts: tuple[Part, ...]
    names: Mapping[str, str]

    @property
    def in_order(self) -> tuple[Layer, ...]:
        """As a map draws them, the lowest first."""
        return (self.fences, self.silences, self.tracks, self.positions, self.findings, self.flagged_voyages)


def layers_of(run: LoadedRun, voyages: Iterable[str] | None = None) -> Layers:
    """The layers of a run: of all its flagged voyages, or of those named by their full ids. Fences are given whole."""
    tables = run.tables
    flagged = tables["flagged_voyages"].sort_by("rank").to_pylist()
    if voyages is not None:
        wanted = set(voyages)
        flagged = [row for row in flagged if row["voyage_id"] in wanted]
    by_id = {row["voyage_id"]: row for row in flagged}
    ids = pa.array(list(by_id), pa.string())
    tracks = tables["tracks"].filter(pc.is_in(tables["tracks"]["voyage_id"], value_set=ids))
    findings = tables["findings"].filter(pc.is_in(tables["findings"]["voyage_id"], value_set=ids))
    as_of_us = instant_us(datetime.fromisoformat(run.run["as_of"]))
    parts, unheard = broken(tracks, tables["gaps"], _shown(findings, as_of_us))
    parts = tuple(sorted(parts, key=lambda part: (by_id[part.voyage_id]["rank"], part.role != OWN)))
    names = names_of(tables["identities"])
    drawn = {part.voyage_id for part in parts if part.role == OWN}
    told = [row for row in flagged if row["voyage_id"] not in drawn]
    return Layers(
        fences=_fences(tables["zones"]),
        silences=_silences(unheard, by_id, names, as_of_us),
        tracks=_tracks(parts, told, by_id, names, as_of_us),
        positions=_positions(parts, by_id, names),
        findings=_findings(findings, by_id, _sources(run)),
        flagged_voyages=_flagged(flagged, parts),
        parts=parts,
        names=names,
    )


def _layer(table: Table, about: str, geometry_type: str, rows: list[dict[str, Any]], shapes: list[Any]) -> Layer:
    columns = {name: [row[name] for row in rows] for name in table.names}
    return Layer(table.name, about, geometry_type, table.build(columns), shapes)


def _shown(findings: pa.Table, as_of_us: int) -> dict[tuple[str, int], Spans]:
    """When ships that were met are shown, by voyage and MMSI: around the findings that name them."""
    around = round(AROUND / timedelta(microseconds=1))
    spans: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for row in findings.select(["voyage_id", "other_mmsi", "start", "end"]).to_pylist():
        end = as_of_us if row["end"] is None else instant_us(row["end"])
        for mmsi in row["other_mmsi"] or ():
            of_ship = spans.setdefault((row["voyage_id"], mmsi), [])
            of_ship.append((instant_us(row["start"]) - around, end + around))
    return {ship: merged(of_ship) for ship, of_ship in spans.items()}


def _sources(run: LoadedRun) -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for source in run.run["inputs"]:
        names.setdefault(source["source_id"], []).extend(source["names"])
    return {source: ", ".join(files) for source, files in names.items()}


def _tracks(
    parts: Iterable[Part], told: Iterable[Row], by_id: Mapping[str, Row], names: Mapping[str, str], as_of_us: int
) -> Layer:
    rows, shapes = [], []
    for part in parts:
        shape = line(part.lon, part.lat)
        if shape is None:
            continue  # one report, or several at one place: `positions` has them
        flagged = by_id[part.voyage_id]
        start, end = int(part.time_us[0]), int(part.time_us[-1])
        sent = part.sog_kn[~np.isnan(part.sog_kn)]
        rows.append(
            of_voyage(flagged)
            | of_track(part, names)
            | _track_row(flagged, who(part, flagged, names), REPORTS, start, end)
            | {"n_reports": len(part.time_us), "max_sog_kn": round(float(sent.max()), 1) if len(sent) else None}
        )
        shapes.append(shape)
    for flagged in told:
        for shape in _lines(shapely.from_wkb(flagged["geometry"])):
            start = instant_us(flagged["start"])
            end = max(start, instant_us(flagged["end"]) if flagged["end"] else as_of_us)
            of_ship = {
                "role": OWN,
                "mmsi": flagged["mmsi"],
                "flag_state": flagged["flag_state"],
                "name": text(flagged["name"]),
                "segment_id": None,
            }
            rest = {"n_reports": None, "max_sog_kn": None}
            rows.append(
                of_voyage(flagged) | of_ship | _track_row(flagged, title_of(flagged), AS_TOLD, start, end) | rest
            )
            shapes.append(rounded(shape))
    about = "Flagged voyages, and ships they met, as far as they were heard: a line ends where a silence begins"
    return _layer(TRACK_LINES, about, "MultiLineString", rows, shapes)


def _lines(shape: BaseGeometry | None) -> list[BaseGeometry]:
    return [] if shape is None or not shape.length else [shape]


def _track_row(flagged: Row, label: str, made_of: str, start_us: int, end_us: int) -> dict[str, Any]:
    return {
        "made_of": made_of,
        "start": start_us,
        "end": end_us,
        "duration_h": round((end_us - start_us) / _US_PER_H, 2),
        "origin": flagged["origin"],
        "destination": flagged["destination"],
        "kinds": listed(flagged["kinds"]),
        "headline": text(flagged["headline"]),
        "label": label,
    }


def _silences(unheard: Iterable[Unheard], by_id: Mapping[str, Row], names: Mapping[str, str], as_of_us: int) -> Layer:
    rows, shapes = [], []
    for silence in sorted(unheard, key=lambda one: (by_id[one.voyage_id]["rank"], one.role != OWN, one.start_us)):
        flagged, gap, to = by_id[silence.voyage_id], silence.gap, silence.to
        duration_h = ((as_of_us if silence.end_us is None else silence.end_us) - silence.start_us) / _US_PER_H
        so_far = " so far" if silence.end_us is None else ""
        heard = reception_in_words(gap) if gap is not None else "how ships were heard about there is not known"
        words = f"not heard for {duration_h:,.1f} h{so_far}; {heard}; the way between is not known"
        rows.append(
            of_voyage(flagged)
            | of_track(silence, names)
            | {
                "kind": "silence" if gap is not None or duration_h >= SILENCE_H else "pause",
                "event_id": gap["event_id"] if gap is not None else None,
                "start": silence.start_us,
                "end": silence.end_us,
                "is_open": silence.end_us is None,
                "duration_h": round(duration_h, 2),
                "reception": gap["reception"] if gap is not None else None,
                "text": words,
                "next_mmsi": gap["next_mmsi"] if gap is not None else silence.mmsi,
                "start_lat": round(silence.begun[1], DECIMALS),
                "start_lon": round(silence.begun[0], DECIMALS),
                "end_lat": None if to is None else round(to[1], DECIMALS),
                "end_lon": None if to is None else round(to[0], DECIMALS),
                "label": f"{who(silence, flagged, names)}: not heard for {duration_h:,.1f} h{so_far}",
            }
        )
        ends = np.array([silence.begun, to]) if to is not None else None
        shapes.append(None if ends is None else line(ends[:, 0], ends[:, 1]))
    about = "Where flagged voyages were not heard: straight from the last report to the next, not a way sailed"
    return _layer(SILENCES, about, "MultiLineString", rows, shapes)


def _positions(parts: Sequence[Part], by_id: Mapping[str, Row], names: Mapping[str, str]) -> Layer:
    lengths = [len(part.time_us) for part in parts]
    said = [
        {name: by_id[part.voyage_id][name] for name in ("voyage_id", "rank", "band")} | of_track(part, names)
        for part in parts
    ]
    repeated = np.repeat(np.arange(len(parts)), lengths)
    columns: dict[str, Any] = {}
    for column in POSITIONS.columns:
        if said and column.name in said[0]:
            columns[column.name] = pa.array([row[column.name] for row in said], column.type).take(pa.array(repeated))
    arrays = {"time": "time_us", "lat": "lat", "lon": "lon", "sog_kn": "sog_kn", "draught_m": "draught_m"}
    for name, field in arrays.items():
        columns[name] = np.concatenate([getattr(part, field) for part in parts]) if parts else []
    for name, decimals in (("lat", DECIMALS), ("lon", DECIMALS), ("sog_kn", 1), ("draught_m", 1)):
        columns[name] = np.round(np.asarray(columns[name], dtype=np.float64), decimals)
    table = POSITIONS.build({name: columns.get(name, []) for name in POSITIONS.names})
    about = "Reports of flagged voyages and of ships they met, about one in 20 minutes"
    return Layer(POSITIONS.name, about, "Point", table, points(columns["lon"], columns["lat"]))


def _findings(table: pa.Table, by_id: Mapping[str, Row], sources: Mapping[str, str]) -> Layer:
    found = table.to_pylist()
    found.sort(key=lambda row: (by_id[row["voyage_id"]]["rank"], -row["weight_db"], row["start"], row["finding_id"]))
    rows: list[dict[str, Any]] = []
    for row in found:
        number = rows[-1]["number"] + 1 if rows and rows[-1]["voyage_id"] == row["voyage_id"] else 1
        flagged = by_id[row["voyage_id"]]
        same = ("finding_id", "kind", "detector", "detector_version", "mmsi", "start", "end", "lat", "lon")
        rows.append(
            of_voyage(flagged)
            | {name: row[name] for name in (*same, "weight_db", "strength", "hull_id")}
            | {
                "number": number,
                "other_mmsi": listed(mmsi_text(mmsi) for mmsi in row["other_mmsi"] or ()),
                "headline": text(row["headline"]),
                "evidence": evidence_text(row["evidence"]),
                "caveats": listed(row["caveats"]),
                "sources": listed(sources.get(source, source) for source in row["source_ids"] or ()),
                "label": f"{flagged['rank']}.{number} {row['kind'].replace('_', ' ')}",
            }
        )
    shapes = [point(row["lon"], row["lat"]) for row in rows]
    return _layer(FINDINGS, "Findings of flagged voyages, where they are", "Point", rows, shapes)


def _flagged(flagged: Iterable[Row], parts: Iterable[Part]) -> Layer:
    last = _last_places(parts)
    rows = []
    for row in flagged:
        lon, lat = last.get(row["voyage_id"]) or last_place(shapely.from_wkb(row["geometry"]))
        code = row["ship_type"]
        same = (
            "voyage_id",
            "rank",
            "band",
            "score",
            "status",
            "mmsi",
            "imo",
            "flag_state",
            "ship_type",
            "start",
            "end",
        )
        rows.append(
            {name: row[name] for name in (*same, "is_open", "n_findings", "anomaly_score", "hull_id")}
            | {
                name: text(row.get(name))
                for name in ("verdict", "name", "call_sign", "origin", "destination", "headline")
            }
            | {name: listed(row.get(name)) for name in ("kinds", "detectors", "changes")}
            | {
                "ship_type_name": None if code is None else ship_type_label(code),
                "earlier_identities": identities_text(row["earlier_identities"]),
                "lat": lat,
                "lon": lon,
                "label": title_of(row),
            }
        )
    shapes = [point(row["lon"], row["lat"]) for row in rows]
    return _layer(FLAGGED, "Flagged voyages, each where its ship was heard last on it", "Point", rows, shapes)


def _last_places(parts: Iterable[Part]) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the last report of each voyage's own ship."""
    last: dict[str, tuple[int, float, float]] = {}
    for part in parts:
        at = int(part.time_us[-1]), float(part.lon[-1]), float(part.lat[-1])
        if part.role == OWN and at[0] >= last.get(part.voyage_id, at)[0]:
            last[part.voyage_id] = at
    return {voyage: (round(lon, DECIMALS), round(lat, DECIMALS)) for voyage, (_, lon, lat) in last.items()}


def _fences(table: pa.Table) -> Layer:
    zones = table.sort_by("zone_id").to_pylist()
    rows = [
        {"watch": row["watch"] or "none", "tags": listed(row["tags"]), "label": flat(row["name"], LABEL)}
        | {name: text(row[name]) for name in ("zone_id", "name", "kind", "country")}
        for row in zones
    ]
    shapes = [fence(shape) for shape in shapely.from_wkb([row["geometry"] for row in zones])]
    return _layer(FENCES, "Zones in force in the run, and how closely each is watched", "MultiPolygon", rows, shapes)
