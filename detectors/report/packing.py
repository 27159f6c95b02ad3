"""Many things in few rows: which row each stands in, and where the room is for its name.

Takes stretches of a line in pixels, the weightiest first; gives places that never overlap. What finds no room is left
to the caller, who says how many there are.
"""

from bisect import bisect_right
from dataclasses import dataclass


class Rows:
    """Rows of equal length, filled one stretch at a time; stretches in a row keep `apart` pixels from each other."""

    def __init__(self, most: int, left: float, right: float, apart: float = 3.0) -> None:
        self.left = left
        self.right = right
        self._most = most
        self._apart = apart
        self._taken: list[list[tuple[float, float]]] = []

    @property
    def n_used(self) -> int:
        """Rows that hold anything."""
        return len(self._taken)

    def is_free(self, row: int, low: float, high: float) -> bool:
        """Whether a stretch of a row has room; a row not yet begun has."""
        if row >= len(self._taken):
            return row < self._most
        taken = self._taken[row]
        at = bisect_right(taken, (low, high))
        if at and taken[at - 1][1] + self._apart > low:
            return False
        return at == len(taken) or high + self._apart <= taken[at][0]

    def take(self, row: int, low: float, high: float) -> None:
        """Fill a stretch that is free."""
        if row == len(self._taken):
            self._taken.append([])
        taken = self._taken[row]
        taken.insert(bisect_right(taken, (low, high)), (low, high))

    def place(self, low: float, high: float) -> int | None:
        """Fill a stretch in the first row that has room; its number, or None if none has."""
        for row in range(min(len(self._taken) + 1, self._most)):
            if self.is_free(row, low, high):
                self.take(row, low, high)
                return row
        return None


@dataclass(frozen=True, slots=True)
class Named:
    """Where something stands: its row, and where its name begins with the room there is for it (0: nowhere)."""

    row: int
    text_x: float
    room_px: float


def place_named(rows: Rows, low: float, high: float, text_px: float, inset: float = 4.0) -> Named | None:
    """Place a stretch together with its name: inside it, else to its right, else to its left; None without room."""
    if high - low >= text_px + 2 * inset:
        row = rows.place(low, high)
        return None if row is None else Named(row, max(low, rows.left) + inset, high - low - inset)
    reach = inset + text_px + 1.0
    for begin, end, text_x in ((low, high + reach, high + inset), (low - reach, high, low - reach)):
        if begin >= rows.left and end <= rows.right:
            row = rows.place(begin, end)
            if row is not None:
                return Named(row, text_x, text_px + 1.0)
    return None
