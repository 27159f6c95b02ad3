"""What charts are tested with: voyages made by hand, a sea without land, and the look of an SVG."""

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import shapely

from detectors.report.drawn import Drawn, Fence, Mark, Silence, Stay, TrackPoints
from detectors.report.map_picture import map_picture
from detectors.report.projection import Frame

HOUR = 3_600_000_000
BEGIN = 1_740_787_200_000_000
"""1 March 2025."""
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&\u202eOLAN\x07 " + "A" * 10_000


class OpenSea:
    """A sea without land or fences."""

    def land(self, frame: Frame, area: Frame) -> str:  # noqa: ARG002
        return ""

    def fences(self, frame: Frame, area: Frame, fences: Sequence[Fence]) -> str:  # noqa: ARG002
        return ""


def no_fences(*_: float) -> tuple[Fence, ...]:
    return ()


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def track(
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    sog: npt.ArrayLike | None = None,
    *,
    every_h: float = 1 / 3,
    begin: int = BEGIN,
    role: str = "own",
    mmsi: int = 445_808_973,
) -> TrackPoints:
    """Reports at equal times, at 10 kn unless said."""
    lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    n = len(lat)
    times = begin + np.round(np.arange(n) * every_h * HOUR).astype(np.int64)
    speed = np.full(n, 10.0) if sog is None else np.asarray(sog, np.float64)
    return TrackPoints(role, mmsi, f"segment-{mmsi}", times, lat, lon, speed, np.full(n, np.nan))


def mark(number: int, lat: float | None, lon: float | None, headline: str = "a finding") -> Mark:
    return Mark(number, f"finding-{number}", "dark_gap", headline, BEGIN, None, lat, lon, 3.0)


def silence(
    start_h: float, end_h: float | None, place: Sequence[float | None], *, reception: str = "heard", text: str = "quiet"
) -> Silence:
    """A silence between hours of the voyage; `place` is its beginning and its end, lat and lon."""
    lat, lon, end_lat, end_lon = place
    assert lat is not None
    assert lon is not None
    end = None if end_h is None else BEGIN + round(end_h * HOUR)
    hours = (end_h if end_h is not None else 100.0) - start_h
    return Silence(BEGIN + round(start_h * HOUR), end, lat, lon, end_lat, end_lon, hours, reception, text)


def stay(lat: float, lon: float, *, name: str = "Nampo", zone: str = "KP_NAMPO", watch: str | None = "high") -> Stay:
    return Stay(zone, name, "KP", watch, BEGIN, BEGIN + 5 * HOUR, lat, lon, 4)


def fence(zone_id: str, box: tuple[float, float, float, float], *, name: str = "", watch: str | None = None) -> Fence:
    return Fence(zone_id, name or zone_id, "port", "KP", watch, shapely.box(*box))


def fences_in(*known: Fence) -> Callable[[float, float, float, float], tuple[Fence, ...]]:
    """What finds fences among these, moved round the world as the frame has them."""

    def found(west: float, south: float, east: float, north: float) -> tuple[Fence, ...]:
        moved = [
            Fence(
                f.zone_id,
                f.name,
                f.kind,
                f.country,
                f.watch,
                shapely.transform(f.shape, lambda at, t=turn: np.add(at, (t, 0.0))),
            )
            for turn in (-360.0, 0.0, 360.0)
            for f in known
        ]
        return tuple(f for f in moved if f.shape.intersects(shapely.box(west, south, east, north)))

    return found


def drawn(**kept: Any) -> Drawn:
    """A voyage of a hundred hours of which this is drawn."""
    title = kept.pop("title", "TEAL SANDPIPER (MMSI 445808973)")
    return Drawn("voyage-1", title, BEGIN, BEGIN + 100 * HOUR, BEGIN + 100 * HOUR, **kept)


def chart(voyage: Drawn, **options: Any) -> ElementTree.Element:
    """The chart of a voyage on an open sea, parsed."""
    land = options.pop("land", OpenSea())
    fences = options.pop("fences", no_fences)
    return parsed(map_picture(voyage, fences, land, ident="map-1", **options))


def of_class(picture: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Elements of a class."""
    return [one for one in picture.iter() if name in one.get("class", "").split()]


def data_of(picture: ElementTree.Element, name: str) -> list[str]:
    """The path data of a group of a class."""
    return [path.get("d", "") for group in of_class(picture, name) for path in group.iter(f"{SVG}path")]
