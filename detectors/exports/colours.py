"""Colours and sizes of an export, by what a row says: the same in every format, and those of the report.

Takes a layer; gives simplestyle columns, which GeoJSON carries (simplestyle-spec 1.1.0), and the colours by value that
QGIS and KML styles are made from. Colour never stands alone: rank, band, kind and number are columns and labels too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from detectors.exports.layers import AS_TOLD, Layer
from detectors.exports.words import flat
from detectors.report.palette import LIGHT
from detectors.run_tables import OWN

Row = Mapping[str, Any]
BANDS: Final[Mapping[str, str]] = MappingProxyType(
    {name: LIGHT[name] for name in ("critical", "high", "medium", "low")}
)
WATCH: Final[Mapping[str, str]] = MappingProxyType(
    {"high": LIGHT["watch-high"], "elevated": LIGHT["watch-elevated"], "none": LIGHT["fence"]}
)
SILENCE: Final = LIGHT["silence"]
MET: Final = LIGHT["met"]
UNKNOWN: Final = LIGHT["unknown"]
SPEEDS: Final = (
    (0.0, 1.0, LIGHT["scale0"]),
    (1.0, 5.0, LIGHT["scale1"]),
    (5.0, 9.0, LIGHT["scale2"]),
    (9.0, 12.0, LIGHT["scale3"]),
    (12.0, 15.0, LIGHT["scale4"]),
    (15.0, 102.3, LIGHT["scale5"]),
)
"""From and to in knots, and colour: at rest, handling, slow, and the speeds that ships keep; source: judgement. The
last ends at 102.3 kn, the code for "not available", above every speed that AIS can send."""
TOLD: Final = 600
"""Characters of a description."""


def colour(layer: str, row: Row) -> str:
    """The colour of a row."""
    if layer == "fences":
        return WATCH.get(row["watch"], UNKNOWN)
    if layer == "silences":
        return SILENCE
    if row.get("role", OWN) != OWN:
        return MET
    if layer == "positions":
        return speed_colour(row["sog_kn"])
    return BANDS.get(row["band"], UNKNOWN)


def speed_colour(sog_kn: float | None) -> str:
    """The colour of a speed.

    >>> speed_colour(0.2) == LIGHT["scale0"], speed_colour(None) == UNKNOWN
    (True, True)
    """
    if sog_kn is None:
        return UNKNOWN
    edges = [low for low, _, _ in SPEEDS[1:]]
    return SPEEDS[int(np.searchsorted(edges, sog_kn, side="right"))][2]


def simplestyle(layer: Layer, row: Row) -> dict[str, Any]:
    """The style of a row by simplestyle-spec 1.1.0, with a title, and a description where there is a case to tell."""
    hue = colour(layer.name, row)
    title = {"title": row["label"]} if "label" in row else {}
    about = row.get("headline") or row.get("text")
    if about:
        title["description"] = flat(about, TOLD)
    if layer.name == "fences":
        share = 0.05 if row["watch"] == "none" else 0.15
        return title | {"stroke": hue, "stroke-width": 1, "stroke-opacity": 0.9, "fill": hue, "fill-opacity": share}
    if layer.geometry_type == "MultiLineString":
        own = row["role"] == OWN and row.get("made_of") != AS_TOLD
        width = 2.5 if own and layer.name == "tracks" else 1.5
        return title | {
            "stroke": hue,
            "stroke-width": width,
            "stroke-opacity": 0.5 if layer.name == "silences" else 0.9,
        }
    size = {"positions": "small", "findings": "medium"}.get(layer.name, "large")
    symbols = {"findings": {"marker-symbol": "danger"}, "flagged_voyages": {"marker-symbol": "ferry"}}
    return title | {"marker-color": hue, "marker-size": size} | symbols.get(layer.name, {})
