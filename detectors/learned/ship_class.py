"""What class and length of ship a voyage was sailed by: the claim that stood for the longest time on that voyage.

Takes voyages and identity spells; gives a class and a band of length a voyage. Claims are taken as they are: whether
they are true is for the `identity` detector.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.learned.spans import IntArray, last_begun, shared_codes
from vessels.ais import ship_type_group
from vessels.bodies import LONGEST_SHIP_M
from vessels.instants import times_us
from vessels.units import US_PER_S

TextArray = npt.NDArray[np.object_]

UNKNOWN: Final = "unknown"

LENGTH_BANDS_M: Final = (50.0, 100.0, 150.0, 200.0)
"""Edges between coasters (50 to 100 m), short-sea and handy sizes (to 150 and 200 m) and what is larger. Source: our
choice; the cargo ships and tankers that the UN Panel of Experts names (2018 to 2024) lie between 60 and 180 m."""

BAND_NAMES: Final = (
    f"under {LENGTH_BANDS_M[0]:.0f} m",
    *(f"{low:.0f} to {high:.0f} m" for low, high in pairwise(LENGTH_BANDS_M)),
    f"{LENGTH_BANDS_M[-1]:.0f} m or more",
)


def describe(ship_class: str, length_band: str) -> str:
    """The class in words.

    >>> describe("cargo", "100 to 150 m"), describe("unknown", "unknown")
    ('cargo ships (100 to 150 m)', 'ships of unknown class')
    """
    kind = "ships of unknown class" if ship_class == UNKNOWN else f"{ship_class} ships"
    return kind if length_band == UNKNOWN else f"{kind} ({length_band})"


def claims_on_voyages(voyages: pa.Table, identities: pa.Table) -> tuple[TextArray, TextArray]:
    """Class of ship and band of length of each voyage, "unknown" where nothing was said. Shapes (voyages,).

    A spell votes with the time it shares with the voyage; the last one begun before the voyage's end always has a
    vote, so that static data heard once, long ago, still count. Spells of the voyage's own track go first; where
    they say nothing, those of its MMSI.
    """
    type_codes = identities.column("ship_type").cast(pa.int64()).fill_null(-1).to_numpy()
    codes, code_of_row = np.unique(type_codes, return_inverse=True)
    names = [ship_type_group(int(code)) if code >= 0 else UNKNOWN for code in codes]
    labels = sorted({*names, UNKNOWN} - {UNKNOWN})
    label_of_code = np.array([labels.index(name) if name != UNKNOWN else -1 for name in names], dtype=np.int64)
    class_votes = label_of_code[code_of_row] if len(codes) else np.empty(0, dtype=np.int64)

    length_m = identities.column("length_m").to_numpy(zero_copy_only=False).astype(np.float64)
    is_length = (length_m > 0.0) & (length_m <= LONGEST_SHIP_M)
    band_votes = np.where(is_length, np.searchsorted(LENGTH_BANDS_M, length_m, side="right"), -1)

    by_track = shared_codes(identities.column("segment_id"), voyages.column("segment_id"))
    by_mmsi = (_integers(identities.column("mmsi")), _integers(voyages.column("mmsi")))
    found: list[TextArray] = []
    for votes, words in ((class_votes, labels), (band_votes, list(BAND_NAMES))):
        winner = _longest_standing(voyages, identities, *by_track, votes)
        winner = np.where(winner >= 0, winner, _longest_standing(voyages, identities, *by_mmsi, votes))
        found.append(np.array([*words, UNKNOWN], dtype=np.object_)[winner])
    return found[0], found[1]


def _integers(column: pa.ChunkedArray) -> IntArray:
    result: IntArray = column.cast(pa.int64()).fill_null(-1).to_numpy()
    return result


def _longest_standing(
    voyages: pa.Table, identities: pa.Table, spell_key: IntArray, voyage_key: IntArray, votes: IntArray
) -> IntArray:
    """The vote (a code of 0 or more; -1 abstains) that stood longest on each voyage; -1 where there is none."""
    n_voyages = voyages.num_rows
    says = np.flatnonzero(votes >= 0)
    first, last = times_us(identities.column("first_seen"))[says], times_us(identities.column("last_seen"))[says]
    order = np.lexsort((votes[says], last, first, spell_key[says]))
    key, first, last, vote = spell_key[says][order], first[order], last[order], votes[says][order]
    start, until = times_us(voyages.column("start")), times_us(voyages.column("last_seen"))
    winner = np.full(n_voyages, -1, dtype=np.int64)
    if len(key) == 0:
        return winner
    final = last_begun(key, first, voyage_key, until)
    opening = last_begun(key, first, voyage_key, start)
    opening = np.where(opening >= 0, opening, np.searchsorted(key, voyage_key))
    count = np.where(final >= 0, final - opening + 1, 0)
    voyage = np.repeat(np.arange(n_voyages), count)
    spell = np.repeat(opening - (np.cumsum(count) - count), count) + np.arange(len(voyage))
    shared_us = np.minimum(last[spell], until[voyage]) - np.maximum(first[spell], start[voyage])
    weight = np.maximum(shared_us, 0) + US_PER_S
    n_votes = int(vote.max()) + 1
    pair, place = np.unique(voyage * n_votes + vote[spell], return_inverse=True)
    total = np.zeros(len(pair), dtype=np.int64)
    np.add.at(total, place, weight)
    of_voyage, of_vote = pair // n_votes, pair % n_votes
    ranking = np.lexsort((-of_vote, total, of_voyage))
    winner[of_voyage[ranking]] = of_vote[ranking]  # the last assignment stands: the heaviest, then the lowest code
    return winner
