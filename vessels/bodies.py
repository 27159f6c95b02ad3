"""What a set says of its hull and papers, and whether two such statements can be of one ship.

Takes typed dimensions, type codes and texts; gives `Body` and `Papers` without what no ship can be, and comparisons.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from vessels.ais import clean_call_sign, clean_text, imo_check_digit_ok, parse_imo, ship_type_group
from vessels.names import near_equal_call_signs, near_equal_names

LONGEST_SHIP_M: Final = 460.0
BROADEST_SHIP_M: Final = 75.0
"""Beyond these no ship was built (Seawise Giant 458 m, Pioneering Spirit apart): typing errors or fillers."""
JUDGED_CLASSES: Final = ("cargo", "tanker", "fishing", "passenger", "tug", "pleasure", "military")
"""Classes that mean something; `other`, `work` and unknown codes are typed for want of a better one."""
CONVERTIBLE: Final = (
    frozenset({"cargo", "tanker"}),
    frozenset({"cargo", "passenger"}),
    frozenset({"fishing", "pleasure"}),
    frozenset({"passenger", "pleasure"}),
    frozenset({"tug", "pleasure"}),
)
"""Classes between which yards rebuild ships: tankers to ore carriers, ferries from freighters, yachts from trawlers."""


class Papers(NamedTuple):
    """What a set says of its ship's papers, whole: IMO number, name and call sign."""

    imo: int
    name: str
    call_sign: str


class Body(NamedTuple):
    """What a set says of its hull; NaN and "" where it says nothing or what no ship can be.

    `papers` are those claimed with it, None unless all three were said.
    """

    length_m: float
    beam_m: float
    ship_class: str
    papers: Papers | None = None


def body_of(length_m: float | None, beam_m: float | None, ship_type: int | None) -> Body:
    """The hull behind typed dimensions and a type code; garbage (0, over any ship's, broader than long) is nothing.

    >>> body_of(96.0, 15.0, 80)
    Body(length_m=96.0, beam_m=15.0, ship_class='tanker', papers=None)
    >>> body_of(30.0, 31.0, 0)
    Body(length_m=nan, beam_m=nan, ship_class='', papers=None)
    """
    length = length_m if length_m is not None and 0.0 < length_m <= LONGEST_SHIP_M else np.nan
    beam = beam_m if beam_m is not None and 0.0 < beam_m <= BROADEST_SHIP_M else np.nan
    if beam >= length:
        length = beam = np.nan
    group = ship_type_group(ship_type)
    return Body(length, beam, group if group in JUDGED_CLASSES else "")


def beyond(first: float, second: float, share: float, metres: float) -> bool:
    """Whether two sizes of one kind differ by more than re-entering explains; no if one is not known (NaN).

    >>> beyond(100.0, 109.0, 0.1, 5.0), beyond(100.0, 140.0, 0.1, 5.0), beyond(100.0, float("nan"), 0.1, 5.0)
    (False, True, False)
    """
    return abs(first - second) > max(share * max(first, second), metres)


def rebuilt(first: str, second: str, gap_h: float, conversion_h: float) -> bool:
    """Whether one hull may have been of both classes: nothing said, the same, or a conversion with time for it."""
    if not first or not second or first == second:
        return True
    return frozenset((first, second)) in CONVERTIBLE and gap_h >= conversion_h


def papers_of(imo_raw: str | None, name_raw: str | None, call_sign_raw: str | None) -> Papers | None:
    """The papers of a statement that says all three; the IMO number must pass its check digit."""
    imo, name, sign = parse_imo(imo_raw), clean_text(name_raw), clean_call_sign(call_sign_raw)
    whole = imo and name and sign and bool(imo_check_digit_ok(imo))
    return Papers(imo, name, sign) if whole and imo and name and sign else None


def passed_on(before: Sequence[Body], after: Sequence[Body]) -> bool:
    """Whether nothing of the papers claimed before is claimed after: the number may have gone to another ship."""
    if not all(body.papers for body in (*before, *after)):
        return False
    return not any(
        one.papers.imo == other.papers.imo
        or near_equal_names(one.papers.name, other.papers.name) is not None
        or near_equal_call_signs(one.papers.call_sign, other.papers.call_sign)
        for one, other in product(before, after)
        if one.papers is not None and other.papers is not None
    )
