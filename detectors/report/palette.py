"""Colours of pictures and pages, light and dark, by name; and style sheets with the names filled in.

Takes style sheets that say `var(--name)`; gives them as a page uses them, or with colours in place of names for a
picture that stands alone. Scales go from dark to light in lightness alone, so that they can be told apart without hue
(after viridis, van der Walt and Smith 2015).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ground": "#ffffff",
        "panel": "#f5f7f9",
        "ink": "#17202a",
        "soft": "#56616d",
        "rule": "#d5dbe1",
        "accent": "#0b5cad",
        "sea": "#e9f1f7",
        "land": "#f0ebdf",
        "coast": "#9a927f",
        "grid": "#cfd9e2",
        "fence": "#6b7680",
        "watch-high": "#b3261e",
        "watch-elevated": "#a15c00",
        "mark": "#17202a",
        "mark-text": "#ffffff",
        "silence": "#7a8590",
        "met": "#7b4fa3",
        "unknown": "#8d98a3",
        "scale0": "#440154",
        "scale1": "#3b528b",
        "scale2": "#21768c",
        "scale3": "#1f9e89",
        "scale4": "#4ba83b",
        "scale5": "#b08d00",
        "critical": "#8c1d18",
        "high": "#b3420a",
        "medium": "#7a6200",
        "low": "#47606f",
        "voyage": "#edf2f9",
        "draught": "#8a4b08",
        "bar": "#dbe6f1",
        "bar-other": "#f4e5cb",
    }
)
DARK: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ground": "#12171c",
        "panel": "#1a2127",
        "ink": "#e8edf2",
        "soft": "#a5b1bc",
        "rule": "#333d46",
        "accent": "#7db8ff",
        "sea": "#16212b",
        "land": "#2b2a26",
        "coast": "#8a8371",
        "grid": "#2a3640",
        "fence": "#97a3ae",
        "watch-high": "#ff8a80",
        "watch-elevated": "#ffbe5c",
        "mark": "#e8edf2",
        "mark-text": "#12171c",
        "silence": "#8b97a3",
        "met": "#c9a4f0",
        "unknown": "#77828c",
        "scale0": "#8f63c9",
        "scale1": "#6f8fe0",
        "scale2": "#4fb3d0",
        "scale3": "#3fd0b0",
        "scale4": "#8fdd66",
        "scale5": "#fde725",
        "critical": "#ff8a80",
        "high": "#ffab78",
        "medium": "#e8cf60",
        "low": "#a9c3d3",
        "voyage": "#1b2530",
        "draught": "#e0a96d",
        "bar": "#2d3d4d",
        "bar-other": "#4a3f2b",
    }
)
_NAMED: Final = re.compile(r"var\(--([a-z0-9-]+)\)")


def page_variables() -> str:
    """Style rules that give every colour its name: the light ones, and the dark ones for who asks for them."""
    return (
        f":root{{color-scheme:light dark;{_defined(LIGHT)}}}"
        f"@media (prefers-color-scheme:dark){{@media screen{{:root{{{_defined(DARK)}}}}}}}"
    )


def plain(sheet: str, palette: Mapping[str, str] = LIGHT) -> str:
    """A style sheet with the colours of a palette in place of their names. Raises KeyError for a name it lacks."""
    return _NAMED.sub(lambda found: palette[found.group(1)], sheet)


def _defined(palette: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())
