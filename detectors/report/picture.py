"""The picture of one voyage for a letter: title, map, time line and what was found, as one SVG that stands alone.

Takes a `Case` and what it is drawn with; gives SVG with its own styles on a white ground, as wide as a sheet of paper
is. The map and the time line are drawn by `detectors.report.map_picture` and `timeline_picture`.
"""

import math
import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Final

from detectors.case_rows import CLOSING, head
from detectors.explain import Case
from detectors.report.coast import Land
from detectors.report.drawer import Drawer
from detectors.report.lettering import fitted, width_px
from detectors.report.map_picture import map_picture
from detectors.report.palette import LIGHT, plain
from detectors.report.timeline_picture import timeline_picture
from detectors.shown import safe, shown
from vessels.ais import mmsi_text

WIDTH_PX: Final = 800
"""Width of the picture; on A4 with margins of 1.5 cm letters of 11 px print at 7 points."""
MARGIN_PX: Final = 20
LISTED: Final = 12
"""Findings listed by their headlines; the rest are counted."""
LINES_EACH: Final = 4
"""Lines that one headline may fill."""
BANDS: Final = ("critical", "high", "medium", "low")
FONTS: Final = "'Source Sans 3','Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
UNTRACKED: Final = (
    "This run keeps no track of the voyage: it does so for flagged voyages only. Port calls, silences and findings are "
    "drawn; the way between them is not."
)
"""Said in the picture of a voyage that is not flagged."""
SKETCHED: Final = (
    "This run keeps no reports of the voyage: what is drawn of its way is a line with most of its turns left out."
)
"""Said in the picture of a flagged voyage of a run that was written before runs kept tracks."""
A4: Final = 297 / 210
MAP_PX: Final = (340, 520)
"""The least and the most height of the map."""
GAP_PX: Final = 12
INDENT_PX: Final = 30
_LINE_PX: Final = 16.0
_TEXT_PX: Final = 12.0
_TITLE_PX: Final = 18.0
_STYLE: Final = (
    ".case-ground{fill:var(--ground)}.case-rule{stroke:var(--rule)}.case-text{fill:var(--ink);font-size:12px}"
    ".case-soft{fill:var(--soft);font-size:12px}.case-title{fill:var(--ink);font-size:18px;font-weight:600}"
    ".case-label{fill:var(--ink);font-size:12px;font-weight:600}"
    + "".join(f".case-{band}{{fill:var(--{band});font-size:12px;font-weight:600}}" for band in BANDS)
)
_ROOT: Final = re.compile(r"<svg\b[^>]*?\bviewBox=\"([-\d. ]+)\"[^>]*>")


@dataclass(frozen=True)
class _Part:
    """Something drawn from y = 0 down, and the room it takes."""

    svg: str
    height: float


def case_picture(case: Case, drawer: Drawer, land: Land, version: str) -> str:
    """One SVG document: what is drawn of a voyage, and the headlines of its findings. `version` is wakewatch's.

    The map gives way first where a time line or many findings would make the whole longer than a sheet of A4.
    """
    drawn = drawer.drawn(case)
    inner = WIDTH_PX - 2 * MARGIN_PX
    title, listed = _title(case, bool(drawn.tracks)), _findings(case)
    end = _end(f"Data as of {case.as_of}. wakewatch {version}. {CLOSING}")
    timeline = _placed(timeline_picture(drawn, width=inner, ident="time"))
    others = sum(part.height for part in (title, timeline, listed, end)) + 2 * MARGIN_PX + GAP_PX
    room = round(min(max(WIDTH_PX * A4 - others, MAP_PX[0]), MAP_PX[1]))
    chart = _placed(map_picture(drawn, drawer.fences, land, width=inner, height=room, ident="map"))
    y = float(MARGIN_PX)
    body = []
    for part in (title, chart, timeline, listed, end):
        body.append(f'<g transform="translate({MARGIN_PX} {y:g})">{part.svg}</g>')
        y += part.height
    height = math.ceil(y + MARGIN_PX / 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="by-speed" viewBox="0 0 {WIDTH_PX} {height}" '
        f'width="{WIDTH_PX}" height="{height}" font-family="{escape(FONTS)}" role="img">'
        f"<title>{escape(shown(drawn.title))}</title><style>{styles()}</style>"
        f'<rect class="case-ground" width="{WIDTH_PX}" height="{height}"/>{"".join(body)}</svg>\n'
    )


def styles() -> str:
    """The style sheet of a picture that stands alone: colours in place of their names, light ones."""
    static = files("detectors.report").joinpath("static")
    sheets = (static.joinpath(name).read_text(encoding="utf-8") for name in ("map.css", "timeline.css"))
    return plain("".join([_STYLE, *sheets]), LIGHT)


def wrapped(text: str, room_px: float, size_px: float, most: int) -> list[str]:
    """A text in lines that fit a room, broken between words; what is left after `most` lines is cut.

    >>> wrapped("CORAL TURNSTONE called at Nakhodka", 130.0, 12.0, 2)
    ['CORAL TURNSTONE', 'called at Nakhodka']
    """
    lines: list[str] = []
    words = safe(text).split()
    while words and len(lines) < most:
        n = 1
        while n < len(words) and width_px(" ".join(words[: n + 1]), size_px) <= room_px:
            n += 1
        taken = words if len(lines) == most - 1 else words[:n]
        lines.append(fitted(" ".join(taken), room_px, size_px) or "…")
        words = words[len(taken) :]
    return lines


def _title(case: Case, has_track: bool) -> _Part:
    """Who sailed from where to where, and how odd that was."""
    voyage, flagged, top = case.voyage, case.flagged, head(case)
    names = [one.name for one in case.claims if one.mmsi == voyage["mmsi"] and one.name]
    name = flagged["name"] if flagged else next(reversed(names), None)
    imo = flagged["imo"] if flagged else None
    numbers = f"MMSI {mmsi_text(voyage['mmsi'])}" + (
        f", IMO {imo}" if imo else ", no IMO number sent" if flagged else ""
    )
    ports = {visit["zone_id"]: visit["zone_name"] or visit["zone_id"] for visit in case.port_visits}
    begun, ended = (ports.get(zone_id, zone_id) for zone_id in (voyage["origin"], voyage["destination"]))
    way = f"{begun or 'origin not seen'} → {ended or 'not reached'}"
    text = _Text()
    text.add(shown(name or "No name known"), "case-title", size_px=_TITLE_PX, line_px=24)
    text.add(f"{numbers}; {way}")
    text.add(top.title, f"case-{top.band}" if top.band else "case-text")
    if top.band is None:
        text.add(top.lines[0])
    if not has_track:
        text.add(UNTRACKED if flagged is None else SKETCHED, "case-soft")
    return text.part(after=GAP_PX)


def _findings(case: Case) -> _Part:
    """Number and headline of the findings, the heaviest first; the last line counts the rest."""
    text = _Text(left=INDENT_PX)
    for number, finding in enumerate(case.findings[:LISTED], 1):
        row = finding.row
        text.label(str(number))
        text.add(f"{row['headline'] or row['kind']} ({row['kind']}, {row['weight_db']:+.1f} dB)")
    more = len(case.findings) - LISTED
    if more > 0:
        text.add(f"and {more:,} more")
    if not case.findings:
        text.add("Nothing was found on this voyage.")
    return text.part(after=GAP_PX)


def _end(words: str) -> _Part:
    text = _Text(rule=True)
    text.add(words, "case-soft")
    return text.part()


class _Text:
    """Lines of text below each other, as they are added."""

    def __init__(self, left: float = 0.0, *, rule: bool = False) -> None:
        self._left = left
        self._room = WIDTH_PX - 2.0 * MARGIN_PX - left
        self._y = 6.0 if rule else 0.0
        self._drawn = [f'<path class="case-rule" d="M0 0H{WIDTH_PX - 2 * MARGIN_PX}"/>'] if rule else []

    def label(self, text: str) -> None:
        """A number to the left of the next line."""
        x, y = self._left - 10.0, self._y + _TEXT_PX
        self._drawn.append(f'<text class="case-label" x="{x:g}" y="{y:g}" text-anchor="end">{escape(text)}</text>')

    def add(self, text: str, css: str = "case-text", size_px: float = _TEXT_PX, line_px: float = _LINE_PX) -> None:
        """A text in as many lines as it needs, but no more than `LINES_EACH`."""
        for line in wrapped(text, self._room, size_px, LINES_EACH):
            y = self._y + size_px
            self._drawn.append(f'<text class="{css}" x="{self._left:g}" y="{y:g}">{escape(line)}</text>')
            self._y += line_px

    def part(self, after: float = 0.0) -> _Part:
        return _Part("".join(self._drawn), self._y + after)


def _placed(svg: str) -> _Part:
    """A picture, which takes as much room as its viewBox says."""
    found = _ROOT.match(svg)
    if found is None:
        raise ValueError("the picture has no viewBox")
    return _Part(svg, float(found.group(1).split()[3]) + GAP_PX)
