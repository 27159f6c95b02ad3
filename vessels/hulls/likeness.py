"""Names and call signs that are nearly one: what a slip, a cut or one changed letter leaves of an identity.

Takes pairs of sides that may matter, and the identity spells; gives the pairs' weights with near-equal claims added.
Equal claims are weighed with all other evidence; this looks at texts, so only at the few pairs that it can decide.
"""

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from vessels.hulls.ends import Ends
from vessels.hulls.evidence import CLAIMED, CLAIMS_CAP_DB, NUMBERS, Weighed
from vessels.names import near_equal_call_signs, near_equal_names, spelling
from vessels.track import IntArray

SISTER_NAME_DB: Final = -6.0
"""The same name with another number is a sister ship's, four times in five. Judgement; owners number their fleets."""
NEAR_NAME_DB: Final = 12.0
NEAR_SIGN_DB: Final = 15.0
"""One in sixteen and in thirty: how seldom two ships that chance brought together have names, or call signs, so near.
Judgement; names of one owner's ships are alike."""


def with_near_names(
    weighed: Weighed, ends: Ends, starts: Ends, e: IntArray, s: IntArray, rows: IntArray, identities: pa.Table
) -> Weighed:
    """The weights with what near-equal names and call signs add at these rows (places among the pairs)."""
    rows = rows[ends.mmsi[e[rows]] != starts.mmsi[s[rows]]]
    added = np.zeros(len(weighed.gap_h))
    for column, near, weight_db in (
        ("name", near_equal_names, NEAR_NAME_DB),
        ("call_sign", near_equal_call_signs, NEAR_SIGN_DB),
    ):
        old, new = getattr(ends.claims, f"{column}_spell")[e[rows]], getattr(starts.claims, f"{column}_spell")[s[rows]]
        both = (old >= 0) & (new >= 0)
        both &= getattr(ends.claims, column)[e[rows]] != getattr(starts.claims, column)[s[rows]]
        some = np.flatnonzero(both)
        texts = identities[column]
        pairs = list(zip(texts.take(old[some]).to_pylist(), texts.take(new[some]).to_pylist(), strict=True))
        alike = np.array([bool(near(one, other)) for one, other in pairs], dtype=np.bool_)
        added[rows[some[alike]]] += weight_db
        if column == "name":
            sisters = ~alike & np.array([_sister_names(one, other) for one, other in pairs], dtype=np.bool_)
            added[rows[some[sisters]]] += SISTER_NAME_DB
    claimed = weighed.weights[CLAIMED]
    most = CLAIMS_CAP_DB - np.nan_to_num(weighed.weights[NUMBERS])
    more = np.where(added != 0.0, np.minimum(np.nan_to_num(claimed) + added, np.maximum(most, 0.0)), claimed)
    return replace(weighed, weights={**weighed.weights, CLAIMED: more})


def _sister_names(first: str, second: str) -> bool:
    """Whether two names, not nearly equal, have the same letters, so that they differ in their numbers only.

    >>> _sister_names("MIRAE 3", "MIRAE NO.5"), _sister_names("MIRAE I", "MIRAE II"), _sister_names("MIRAE", "AURAE")
    (True, True, False)
    """
    one, other = spelling(_ROMAN.sub("", first)), spelling(_ROMAN.sub("", second))
    return bool(one.letters) and one.letters == other.letters


_ROMAN: Final = re.compile(r"\s+[IVX]+$")
"""I, V and X alone are letters to `spelling`; as the last word they are a ship's number."""
