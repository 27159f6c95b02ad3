"""The standard's facts for one number at a time, quick enough to ask of every candidate.

`vessels.ais` answers for arrays; these give the same answers for single values (a test holds them together).
"""

from functools import cache
from typing import Final

from vessels.ais import flag_state, states_of_mmsi

_WEIGHTS: Final = (7, 6, 5, 4, 3, 2)


def right_check_digit(imo: int) -> int:
    """The seventh digit that belongs to the first six of an IMO number.

    >>> right_check_digit(9074720)
    9
    """
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, f"{imo:07d}", strict=False)) % 10


def imo_passes(imo: int) -> bool:
    """Whether a seven-digit IMO number's check digit is right.

    >>> imo_passes(9074729), imo_passes(9074728)
    (True, False)
    """
    return 1_000_000 <= imo <= 9_999_999 and right_check_digit(imo) == imo % 10


@cache
def _of_mid(mid: int) -> tuple[str | None, frozenset[str]]:
    return flag_state(mid * 1_000_000), states_of_mmsi(mid * 1_000_000)


def flag_of(mmsi: int) -> str | None:
    """Flag state of an MMSI by its first three digits alone; None if they are no state's."""
    return _of_mid(mmsi // 1_000_000)[0]


def states_of(mmsi: int) -> frozenset[str]:
    """Flag state and the state a territory belongs to, by the first three digits alone."""
    return _of_mid(mmsi // 1_000_000)[1]
