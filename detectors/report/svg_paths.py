"""Lines as the shortest text that an SVG path takes, to a tenth of a pixel.

Takes arrays of pixels; gives path data. What is drawn with it is left to the pictures.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from markupsafe import escape

from detectors.shown import shown

FloatArray = npt.NDArray[np.float64]
Line = tuple[FloatArray, FloatArray]
FAR: Final = 1e6
"""Pixels beyond which nothing is drawn; numbers stay short and finite."""
LOOKED_AT: Final = 8
"""So many times the letters that are shown are looked at; of 10 kB that somebody made up, the rest is not worth it."""


@lru_cache(maxsize=65536)
def _tenths(value: int) -> str:
    """A number of tenths, as text without needless zeros.

    >>> _tenths(-5), _tenths(120), _tenths(0)
    ('-.5', '12', '0')
    """
    whole, tenth = divmod(abs(value), 10)
    text = (str(whole) if whole else "") + (f".{tenth}" if tenth else "")
    return ("-" if value < 0 else "") + text if text else "0"


def number(value: float) -> str:
    """A length or place in pixels as text, to a tenth; what is no number, or absurdly far, is held at the edge."""
    return _tenths(round(min(max(value, -FAR), FAR) * 10.0)) if not math.isnan(value) else "0"


def path_data(lines: Sequence[Line], *, dots: bool = False) -> str:
    """Lines one after the other as the data of one path; a line that ends where it began is closed.

    Lines shorter than a tenth of a pixel are left out, or, with `dots`, drawn as dots.

    >>> path_data([(np.array([0.0, 10.04, 10.0, 12.5]), np.array([5.0, 5.0, 5.04, 4.0]))])
    'M0 5l10 0 2.5-1'
    """
    lines = [line for line in lines if len(line[0])]
    if not lines:
        return ""
    places = np.column_stack([np.concatenate([x for x, _ in lines]), np.concatenate([y for _, y in lines])])
    at = np.rint(np.clip(np.nan_to_num(places), -FAR, FAR) * 10.0).astype(np.int64)
    begins = np.zeros(len(at), np.bool_)
    begins[np.cumsum([0, *(len(x) for x, _ in lines[:-1])])] = True
    kept = begins | (np.diff(at, axis=0, prepend=at[:1]) != 0).any(axis=1)
    at, begins = at[kept], begins[kept]
    moves = np.diff(at, axis=0, prepend=at[:1])
    moves[begins] = at[begins]
    texts = list(map(_tenths, moves.ravel().tolist()))
    closes = at.tolist()
    parts = []
    for first, end in pairwise([*np.flatnonzero(begins).tolist(), len(at)]):
        is_closed = end - first > 3 and closes[first] == closes[end - 1]
        steps = texts[2 * first + 2 : 2 * (end - is_closed)]
        if steps:
            parts.append(f"M{texts[2 * first]} {texts[2 * first + 1]}l{' '.join(steps)}{'z' if is_closed else ''}")
        elif dots:
            parts.append(f"M{texts[2 * first]} {texts[2 * first + 1]}h0")
    return "".join(parts).replace(" -", "-")


def words(text: object, limit: int = 200) -> str:
    """Text of a stranger as it may stand inside an SVG or HTML element, or between its quotes."""
    return str(escape(shown(str(text)[: LOOKED_AT * limit], limit)))
