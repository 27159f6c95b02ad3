"""Layers as KML for Google Earth: a folder a flagged voyage, every report with its time, silences apart, fences below.

Takes layers; gives XML by OGC KML 2.2 with the `gx:` tracks of Google's extension. KML knows no dashed lines: silences
are thin, half transparent and named. Google Earth takes texts for HTML: `<` and `>` of a radio's text become ‹ and ›.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from detectors.exports.colours import BANDS, MET, SILENCE, UNKNOWN, WATCH
from detectors.exports.csv_files import time_text
from detectors.exports.layers import AS_TOLD, Layer, Layers
from detectors.exports.naming import who
from detectors.exports.parts import Part
from detectors.exports.shapes import FloatArray, pieces, point
from detectors.exports.words import SEPARATOR, flat
from detectors.run_tables import OWN
from vessels.ais import flag_state
from vessels.instants import instant_of

Row = Mapping[str, Any]
Placed = tuple[Row, BaseGeometry | None]
DOCUMENT: Final = "wakewatch-export"
"""The document's id, by which an export is known again."""
HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n'
    f'<Document id="{DOCUMENT}">\n'
)
INSIDE: Final = "doc.kml"
"""Name of the KML in a KMZ."""
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can hold."""
LONGEST: Final = 4000
"""Characters of one value in a balloon."""
NOTE: Final = (
    "A line ends where a silence begins. Grey lines join the last report before a silence to the first after it; they "
    "are no way that a ship sailed. A finding says what the data show. It accuses nobody."
)
TOLD_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "flagged_voyages": ("headline", "earlier_identities", "changes"),
        "tracks": ("headline",),
        "silences": ("text",),
        "findings": ("headline", "evidence", "caveats"),
        "fences": (),
    }
)
"""Columns that make the text of a balloon; all others stand in the placemark's data."""
LISTS: Final = frozenset({"earlier_identities", "changes", "evidence", "caveats"})
"""Those of them that are lists."""


def kml_text(layers: Layers, title: str) -> str:
    """The layers as a KML document; positions are in it as the times and places of the tracks."""
    body = "".join((*_styles(), *_voyages(layers), *_fences(layers)))
    named = f"{_tag('name', flat(title, LONGEST))}<open>1</open>\n{_tag('description', NOTE)}\n"
    return f"{HEAD}{named}{body}</Document>\n</kml>\n"


def kmz_bytes(text: str) -> bytes:
    """A KML document packed as KMZ; the same bytes for the same text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(INSIDE, _NO_TIME), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _tag(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def _abgr(colour: str, opacity: float = 1.0) -> str:
    """`#rrggbb` as KML writes colours: alpha, blue, green, red.

    >>> _abgr("#12ab56", 0.5)
    '8056ab12'
    """
    return f"{round(255 * opacity):02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()


def _styles() -> Iterator[str]:
    for band, colour in {**BANDS, "unknown": UNKNOWN}.items():
        yield _style(f"track-{band}", icon=(colour, 0.7), line=(colour, 1.0, 3.0))
        yield _style(f"report-{band}", icon=(colour, 0.4), label=0.0)
        yield _style(f"finding-{band}", icon=(colour, 1.0))
        yield _style(f"last-{band}", icon=(colour, 1.3))
    yield _style("met", icon=(MET, 0.5), line=(MET, 0.9, 1.5))
    yield _style("told", line=(UNKNOWN, 0.7, 2.0))
    yield _style("silence", line=(SILENCE, 0.5, 1.5), icon=(SILENCE, 0.8))
    for watch, colour in WATCH.items():
        yield _style(f"fence-{watch}", line=(colour, 0.9, 1.0), fill=(colour, 0.06 if watch == "none" else 0.2))


def _style(
    name: str,
    *,
    icon: tuple[str, float] | None = None,
    line: tuple[str, float, float] | None = None,
    fill: tuple[str, float] | None = None,
    label: float = 0.8,
) -> str:
    """A shared style. The icon is Google Earth's own default pin, coloured: the file names nothing on any network."""
    parts = []
    if icon is not None:
        parts.append(f"<IconStyle><color>{_abgr(icon[0])}</color><scale>{icon[1]}</scale></IconStyle>")
        parts.append(f"<LabelStyle><scale>{label}</scale></LabelStyle>")
    if line is not None:
        parts.append(f"<LineStyle><color>{_abgr(line[0], line[1])}</color><width>{line[2]}</width></LineStyle>")
    if fill is not None:
        parts.append(f"<PolyStyle><color>{_abgr(*fill)}</color></PolyStyle>")
    return f'<Style id="{name}">{"".join(parts)}</Style>\n'


def _voyages(layers: Layers) -> Iterator[str]:
    """A folder a flagged voyage, with what is drawn of it."""
    told = _by_voyage(layers.tracks)
    silences, findings = _by_voyage(layers.silences), _by_voyage(layers.findings)
    parts: dict[str, dict[tuple[str, int, str], list[Part]]] = {}
    for part in layers.parts:
        of_track = parts.setdefault(part.voyage_id, {})
        of_track.setdefault((part.role, part.mmsi, part.segment_id), []).append(part)
    yield f"<Folder><name>Flagged voyages</name><open>1</open>{_tag('description', layers.flagged_voyages.about)}\n"
    for row, shape in zip(layers.flagged_voyages.table.to_pylist(), layers.flagged_voyages.shapes, strict=True):
        voyage, band = row["voyage_id"], row["band"] if row["band"] in BANDS else "unknown"
        name = f"{row['label']} ({row['band']})"
        yield f"<Folder>{_tag('name', flat(name, LONGEST))}<open>0</open>\n"
        yield _placemark("flagged_voyages", row, f"last-{band}", _geometry(shape))
        of_tracks = list(parts.get(voyage, {}).values())
        yield from (_moving(of_track, row, band, layers.names) for of_track in of_tracks)
        yield from _alone([part for of_track in of_tracks for part in of_track], row, band, layers.names)
        for track, line in told.get(voyage, ()):
            if track["made_of"] == AS_TOLD:
                yield _placemark("tracks", track, "told", _geometry(line), (track["start"], track["end"]))
        yield from _folder("Not heard", "silences", silences.get(voyage, ()), "silence")
        yield from _folder("Findings", "findings", findings.get(voyage, ()), f"finding-{band}")
        yield "</Folder>\n"
    yield "</Folder>\n"


def _by_voyage(layer: Layer) -> dict[str, list[Placed]]:
    of: dict[str, list[Placed]] = {}
    for row, shape in zip(layer.table.to_pylist(), layer.shapes, strict=True):
        of.setdefault(row["voyage_id"], []).append((row, shape))
    return of


def _folder(name: str, layer: str, rows: Sequence[Placed], style: str) -> Iterator[str]:
    """A folder of placemarks that have a time; none where there is nothing to put in it."""
    if not rows:
        return
    yield f"<Folder>{_tag('name', name)}<open>0</open>\n"
    for row, shape in rows:
        if shape is None and row.get("start_lat") is not None:
            shape = point(row["start_lon"], row["start_lat"])  # a silence that goes on has a place, if no line
        yield _placemark(layer, row, style, _geometry(shape), (row["start"], row["end"]))
    yield "</Folder>\n"


def _fences(layers: Layers) -> Iterator[str]:
    layer = layers.fences
    yield f"<Folder><name>Fences</name><open>0</open>{_tag('description', layer.about)}\n"
    for row, shape in zip(layer.table.to_pylist(), layer.shapes, strict=True):
        yield _placemark("fences", row, f"fence-{row['watch']}", _geometry(shape))
    yield "</Folder>\n"


def _placemark(
    layer: str, row: Row, style: str, geometry: str, span: tuple[datetime | None, datetime | None] = (None, None)
) -> str:
    """A placemark, its elements in the order that KML prescribes."""
    told = [
        _lines(row[name]) if name in LISTS else flat(row[name], LONGEST) for name in TOLD_OF[layer] if row.get(name)
    ]
    about = "<br/><br/>".join(told) or None
    data = "".join(
        f"<Data name={quoteattr(key)}>{_tag('value', flat(_plain(value), LONGEST))}</Data>"
        for key, value in row.items()
        if value is not None and key not in ("label", *TOLD_OF[layer])
    )
    return (
        f'<Placemark>{_tag("name", row["label"])}<Snippet maxLines="0"></Snippet>{_tag("description", about)}'
        f"{_span(*span)}<styleUrl>#{style}</styleUrl><ExtendedData>{data}</ExtendedData>{geometry}</Placemark>\n"
    )


def _moving(parts: Sequence[Part], flagged: Row, band: str, names: Mapping[str, str]) -> str:
    """A track as it was heard, each report with its time; nothing is put between the parts."""
    pieces_of = (
        piece
        for part in parts
        if len(part.time_us) > 1
        for piece in pieces(part.lon, part.lat, part.time_us.astype(np.float64))
    )
    tracks = "".join(_gx_track(*piece) for piece in pieces_of)
    if not tracks:
        return ""
    row = _part_row(parts[0], flagged, names)
    row["label"] += " track" if parts[0].role == OWN else ""
    moving = f"<gx:MultiTrack><gx:interpolate>0</gx:interpolate>{tracks}</gx:MultiTrack>"
    return _placemark("tracks", row, _part_style(parts[0], band), moving)


def _alone(parts: Sequence[Part], flagged: Row, band: str, names: Mapping[str, str]) -> Iterator[str]:
    """A folder of reports with a silence before and after, which no line can show."""
    alone = [part for part in parts if len(part.time_us) == 1]
    if not alone:
        return
    yield "<Folder><name>Single reports</name><open>0</open>\n"
    for part in alone:
        when = instant_of(int(part.time_us[0]))
        row = _part_row(part, flagged, names) | {"label": f"{who(part, flagged, names)}, {when:%Y-%m-%d %H:%M} UTC"}
        place = _geometry(point(float(part.lon[0]), float(part.lat[0])))
        yield _placemark("tracks", row, _part_style(part, band).replace("track", "report"), place, (when, when))
    yield "</Folder>\n"


def _part_row(part: Part, flagged: Row, names: Mapping[str, str]) -> dict[str, Any]:
    """What is said of a part of a track; of the voyage as a whole only what holds for its own ship."""
    own = ("score", "origin", "destination", "headline") if part.role == OWN else ()
    return {name: flagged[name] for name in ("voyage_id", "rank", "band", *own)} | {
        "label": who(part, flagged, names),
        "role": part.role,
        "mmsi": part.mmsi,
        "flag_state": flag_state(part.mmsi),
        "name": names.get(part.segment_id),
        "segment_id": part.segment_id,
    }


def _part_style(part: Part, band: str) -> str:
    return f"track-{band}" if part.role == OWN else "met"


def _gx_track(lon: FloatArray, lat: FloatArray, time_us: FloatArray) -> str:
    times = np.datetime_as_string(np.round(time_us).astype("datetime64[us]").astype("datetime64[s]"))
    when = "".join(f"<when>{time}Z</when>" for time in times)
    places = zip(lon.tolist(), lat.tolist(), strict=True)
    return f"<gx:Track>{when}{''.join(f'<gx:coord>{x:.6f} {y:.6f} 0</gx:coord>' for x, y in places)}</gx:Track>"


def _span(begin: datetime | None, end: datetime | None) -> str:
    if begin is not None and begin == end:
        return f"<TimeStamp>{_tag('when', time_text(begin))}</TimeStamp>"
    said = (("begin", begin), ("end", end))
    inside = "".join(_tag(name, time_text(when)) for name, when in said if when is not None)
    return f"<TimeSpan>{inside}</TimeSpan>" if inside else ""


def _geometry(shape: BaseGeometry | None) -> str:
    if shape is None:
        return ""
    if shape.geom_type == "Point":
        return f"<Point>{_coordinates(shape)}</Point>"
    if shape.geom_type == "LineString":
        return f"<LineString><tessellate>1</tessellate>{_coordinates(shape)}</LineString>"
    if shape.geom_type == "Polygon":
        outer, *inner = (
            f"<LinearRing>{_coordinates(ring)}</LinearRing>" for ring in (shape.exterior, *shape.interiors)
        )
        holes = "".join(f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner)
        return f"<Polygon><tessellate>1</tessellate><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon>"
    return f"<MultiGeometry>{''.join(_geometry(part) for part in shape.geoms)}</MultiGeometry>"


def _coordinates(shape: BaseGeometry) -> str:
    places = shapely.get_coordinates(shape).tolist()
    return f"<coordinates>{' '.join(f'{x:.6f},{y:.6f}' for x, y in places)}</coordinates>"


def _lines(value: str) -> str:
    """A list that was made one text, a line each again."""
    return flat(value, LONGEST).replace(SEPARATOR, "<br/>")


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return time_text(value) if isinstance(value, datetime) else value
