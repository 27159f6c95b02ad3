"""A picture as PNG: SVG drawn by resvg, with letters that are the same on every machine.

Takes one SVG document of our own making; gives bytes. The font is a dependency, so that a machine without any draws
letters too; scripts that it lacks (Arabic, Chinese, Korean ...) are drawn with fonts of the machine, if it has them.
"""

from pathlib import Path
from typing import Final

import fontpkg_source_sans_3
import resvg_py

from vessels.errors import UsageError

FAMILY: Final[str] = fontpkg_source_sans_3.FAMILY
"""Source Sans 3 (Adobe, OFL 1.1): Latin, Greek, Cyrillic, arrows and shapes; one variable file for all weights."""
FONT: Final[Path] = fontpkg_source_sans_3.ROOT / "files" / "SourceSans3[wght].ttf"
COVERED: Final = frozenset("·…°−×–—•→←↔■▲◆≥≤±’“”")
"""Letters beyond ASCII that pictures use of themselves, all in `FONT`; others may take a font of the machine."""
MAX_SCALE: Final = 10.0
_PROBE: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text x="2" y="16">{}</text></svg>'


def png_of(svg: str, scale: float = 2.0) -> bytes:
    """An SVG as PNG on white, `scale` pixels to a unit of the drawing; the same SVG gives the same bytes.

    Raises UsageError for a scale out of bounds, and where no font can be found, so that no text is lost unnoticed.
    """
    if not 0.1 <= scale <= MAX_SCALE:
        raise UsageError(f"scale {scale}: must lie between 0.1 and {MAX_SCALE:g}")
    if not FONT.is_file() and not _machine_has_fonts():
        raise UsageError(
            f"no font found to draw text with: {FONT.name} of fontpkg-source-sans-3 is missing, and this machine has "
            "none. Install fontpkg-source-sans-3 again, or write the picture as .svg"
        )
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=scale,
            background="#ffffff",
            font_family=FAMILY,
            sans_serif_family=FAMILY,
            font_files=[str(FONT)] if FONT.is_file() else [],
            # Looking through the fonts of a machine takes longer than the drawing; most pictures need none of them.
            skip_system_fonts=FONT.is_file() and _is_covered(svg),
        )
    )


def _is_covered(text: str) -> bool:
    """Whether our own font has every letter."""
    return text.isascii() or set(text) <= COVERED | {letter for letter in text if letter.isascii()}


def _machine_has_fonts() -> bool:
    """Whether a letter leaves a mark when only the fonts of the machine are at hand."""
    return bool(
        resvg_py.svg_to_bytes(svg_string=_PROBE.format("M")) != resvg_py.svg_to_bytes(svg_string=_PROBE.format(""))
    )
