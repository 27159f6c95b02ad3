"""QGIS styles (QML) of the layers: bands and watch levels by colour, speeds by class, silences dashed, all with times.

Takes the name of a layer; gives its QML. Only what differs from QGIS's defaults is written; every QGIS 3 reads it:
properties stand both as `Option` (3.20 and later) and as `prop` (before). The temporal controller works at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import quoteattr

from detectors.exports.colours import BANDS, MET, SILENCE, SPEEDS, UNKNOWN, WATCH

HEADER: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
INSTANT, SPAN = 1, 2
"""Temporal modes: one field has the instant; two fields have start and end (QGIS: Qgis.VectorTemporalMode)."""
SHOWN_MIN: Final = 30
"""A report is shown for so many minutes: they are about 20 apart."""
_GROUND: Final = "#ffffff"

Symbol = str
Rule = tuple[str, str, Symbol]
"""A value or expression, what the legend says, and the symbol."""


def qml_of(layer: str) -> str:
    """The style of a layer, by its name. Raises KeyError for a layer there is none for."""
    renderer, labels, temporal = _STYLES[layer]
    return (
        f'{HEADER}<qgis version="3.16.0" styleCategories="LayerConfiguration|Symbology|Labeling|Temporal" '
        f'labelsEnabled="{int(bool(labels))}" hasScaleBasedVisibilityFlag="0">\n'
        f"{temporal}{renderer}{labels}"
        f'<previewExpression>"{"name" if layer == "positions" else "label"}"</previewExpression>\n'
        "</qgis>\n"
    )


def _properties(values: Mapping[str, str]) -> str:
    options = "".join(f'<Option name={quoteattr(k)} value={quoteattr(v)} type="QString"/>' for k, v in values.items())
    older = "".join(f"<prop k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in values.items())
    return f'<Option type="Map">{options}</Option>{older}'


def _symbol(kind: str, layer: str, values: Mapping[str, str]) -> Symbol:
    """A symbol of one layer; its name is filled in by the renderer."""
    return (
        f'<symbol type="{kind}" name="%s" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">{_properties(values)}</layer></symbol>'
    )


def _rgba(colour: str, opacity: float = 1.0) -> str:
    """`#rrggbb` as QGIS writes colours: `r,g,b,a`, each to 255."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return ",".join(map(str, (*parts, round(255 * opacity))))


def _line(colour: str, width_mm: float, *, style: str = "solid", opacity: float = 1.0) -> Symbol:
    values = {
        "line_color": _rgba(colour, opacity),
        "line_width": f"{width_mm}",
        "line_width_unit": "MM",
        "line_style": style,
        "capstyle": "round" if style == "solid" else "flat",
        "joinstyle": "round",
    }
    return _symbol("line", "SimpleLine", values)


def _fill(colour: str, opacity: float) -> Symbol:
    values = {
        "color": _rgba(colour, opacity),
        "style": "solid",
        "outline_color": _rgba(colour),
        "outline_style": "solid",
        "outline_width": "0.26",
        "outline_width_unit": "MM",
    }
    return _symbol("fill", "SimpleFill", values)


def _marker(shape: str, colour: str, size_mm: float, *, edge: str = _GROUND) -> Symbol:
    values = {
        "name": shape,
        "color": _rgba(colour),
        "size": f"{size_mm}",
        "size_unit": "MM",
        "outline_color": _rgba(edge),
        "outline_width": "0.2",
        "outline_width_unit": "MM",
    }
    return _symbol("marker", "SimpleMarker", values)


def _symbols(symbols: Iterable[Symbol]) -> str:
    return "<symbols>" + "".join(symbol % i for i, symbol in enumerate(symbols)) + "</symbols>"


def _categories(field: str, categories: Sequence[Rule]) -> str:
    """Symbols by the values of a field."""
    listed = "".join(
        f'<category render="true" symbol="{i}" value={quoteattr(value)} label={quoteattr(label)}/>'
        for i, (value, label, _) in enumerate(categories)
    )
    symbols = _symbols(symbol for _, _, symbol in categories)
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(field)} symbollevels="0" enableorderby="0">'
        f"<categories>{listed}</categories>{symbols}</renderer-v2>\n"
    )


def _rules(rules: Sequence[Rule]) -> str:
    """Symbols by expressions, each row by the first that holds; what no rule takes is drawn by the last."""
    listed = "".join(
        f'<rule key="{{{i:08d}-0000-4000-8000-000000000000}}" symbol="{i}" label={quoteattr(label)} '
        f"filter={quoteattr(expression)}/>"
        for i, (expression, label, _) in enumerate(rules)
    )
    symbols = _symbols(symbol for _, _, symbol in rules)
    return (
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0">'
        f'<rules key="{{99999999-0000-4000-8000-000000000000}}">{listed}</rules>{symbols}</renderer-v2>\n'
    )


def _labels(size_pt: int, *, bold: bool = False) -> str:
    """The `label` column beside each feature, haloed in white."""
    weight = "75" if bold else "50"
    return (
        '<labeling type="simple"><settings calloutType="simple">'
        f'<text-style fieldName="label" isExpression="0" fontSize="{size_pt}" fontSizeUnit="Point" '
        f'fontWeight="{weight}" textColor="23,32,42,255" textOpacity="1" allowHtml="0">'
        '<text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255" '
        'bufferOpacity="1"/></text-style>'
        '<placement placement="6" dist="1" distUnits="MM"/>'
        "</settings></labeling>\n"
    )


def _temporal(mode: int, start: str, end: str = "") -> str:
    shown = SHOWN_MIN if mode == INSTANT else 0
    return (
        f'<temporal enabled="1" mode="{mode}" startField="{start}" endField="{end}" startExpression="" '
        f'endExpression="" durationField="" durationUnit="min" fixedDuration="{shown}" accumulate="0" limitMode="0">'
        "<fixedRange><start></start><end></end></fixedRange></temporal>\n"
    )


def _tracks() -> str:
    own = "\"role\" = 'own' AND \"made_of\" = 'reports' AND \"band\" = '%s'"
    rules = [(own % band, f"{band}, as heard", _line(colour, 0.7)) for band, colour in BANDS.items()]
    rules += [
        ("\"role\" = 'met'", "a ship met", _line(MET, 0.4)),
        ("\"made_of\" = 'line as told'", "simplified line, silences not told apart", _line(UNKNOWN, 0.5, style="dot")),
    ]
    return _rules(rules)


def _positions() -> str:
    met = ("\"role\" = 'met'", "a ship met", _marker("circle", MET, 1.2))
    rules = [met]
    for low, high, colour in SPEEDS:
        above = f'"role" = \'own\' AND "sog_kn" >= {low:g} AND "sog_kn" < {high:g}'
        label = f"{low:g} to {high:g} kn" if high < SPEEDS[-1][1] else f"over {low:g} kn"
        rules.append((above, label, _marker("circle", colour, 1.6)))
    rules.append(('"role" = \'own\' AND "sog_kn" IS NULL', "no speed sent", _marker("circle", UNKNOWN, 1.6)))
    return _rules(rules)


def _by_band(shape: str, size_mm: float) -> str:
    return _categories("band", [(band, band, _marker(shape, colour, size_mm)) for band, colour in BANDS.items()])


def _silences() -> str:
    kinds = [
        ("silence", "not heard for 4 h or more", _line(SILENCE, 0.45, style="dash")),
        ("pause", "not heard for less", _line(SILENCE, 0.25, style="dot")),
    ]
    return _categories("kind", kinds)


def _fences() -> str:
    words = {"high": "high watch", "elevated": "elevated watch", "none": "no watch"}
    kinds = [(w, words[w], _fill(colour, 0.05 if w == "none" else 0.2)) for w, colour in WATCH.items()]
    return _categories("watch", kinds)


_STYLES: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "fences": (_fences(), "", ""),
        "silences": (_silences(), "", _temporal(SPAN, "start", "end")),
        "tracks": (_tracks(), "", _temporal(SPAN, "start", "end")),
        "positions": (_positions(), "", _temporal(INSTANT, "time")),
        "findings": (_by_band("diamond", 3.2), _labels(8), _temporal(SPAN, "start", "end")),
        "flagged_voyages": (_by_band("triangle", 4.0), _labels(9, bold=True), _temporal(SPAN, "start", "end")),
    }
)
"""Renderer, labels and times by layer."""
