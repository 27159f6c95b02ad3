"""Draughts that change with a planted call or meeting, as a crew sets them.

Takes a workshop, a ship and a row; writes into the copy and says in words what was done.
"""

from typing import Final

import numpy as np

from detectors.backtest.fleet import Ship
from detectors.backtest.workshop import Window, Workshop

CARGO_SHARE: Final = 0.5
"""Share of calls and meetings after which another draught is set; the other crews leave it as it was."""
CARGO_M: Final[Window] = (0.5, 2.5)
"""What a coaster's draught changes by with some thousand tonnes."""
LEAST_M: Final = 1.0
"""No merchant ship floats on less."""


def cargo_m(rng: np.random.Generator) -> float | None:
    """By how much the draught changes, more or less; None where the crew does not set it."""
    by_m = float(rng.uniform(*CARGO_M)) * float(rng.choice([-1.0, 1.0]))
    return by_m if rng.random() < CARGO_SHARE else None


def load(shop: Workshop, ship: Ship, row: int, by_m: float | None) -> str:
    """Write another draught from a row on, until the crew sets the next one; nothing where none was stated."""
    stated = shop.fleet.rows["draught"].slice(row, ship.end - row).to_numpy()
    said = stated[stated > 0]
    if by_m is None or not len(said) or said[0] + by_m < LEAST_M:
        return ""
    until = np.flatnonzero((stated > 0) & (stated != said[0]))
    shop.sheet.load(np.arange(row, row + (int(until[0]) if len(until) else len(stated))), by_m)
    return f", draught {by_m:+.1f} m"
