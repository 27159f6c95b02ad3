"""What is known of listed vessels: from the watch list, and as they were heard under the listed IMO number or MMSI.

Takes the watch list and the claims; gives columns by entry that pairs of ship and entry are compared on. How much an
agreement says is left to `chance`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.rules.identity.claims import Claims, IntArray, Spell
from detectors.rules.identity.digits import flag_of
from detectors.watchlist import FULL_BEAM_M, FULL_LENGTH_M, MOST_SHARED, ListedVessel
from vessels.ais import imo_check_digit_ok, ship_type_group
from vessels.geodesy import FloatArray
from vessels.units import US_PER_H

Objects = npt.NDArray[Any]
NO_TYPE: Final = frozenset({"unknown", "other"})
"""Groups of ship types that say nothing of what a ship is."""
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def call_sign_key(sign: str) -> str:
    """What two call signs that `near_equal_call_signs` takes for one have in common.

    >>> call_sign_key("V3OAB") == call_sign_key("V30AB"), call_sign_key("UBAB7") == call_sign_key("UBAB8")
    (True, False)
    """
    return sign.translate(_LOOKALIKES)


def type_said(code: int) -> str:
    """The group of a ship-type code; "" where that says nothing."""
    group = ship_type_group(code if code >= 0 else None)
    return "" if group in NO_TYPE else group


def each(values: Objects, answer: Callable[[Any], Any]) -> Objects:
    """A function of each value, asked once of each different one; "" for None."""
    codes, known = pd.factorize(values)
    answers = np.empty(len(known) + 1, dtype=object)
    answers[:] = [*(answer(value) for value in known.tolist()), ""]
    return answers[codes]


@dataclass(frozen=True, slots=True)
class Several:
    """Values of which a thing has several or none: `of` says whose each is, in rising order."""

    of: IntArray
    values: npt.NDArray[Any]

    def spread(self, things: IntArray) -> tuple[IntArray, IntArray]:
        """For each of these things its values: place among `things`, place among `values`."""
        first = np.searchsorted(self.of, things, side="left")
        count = np.searchsorted(self.of, things, side="right") - first
        before = np.cumsum(count) - count
        which = np.repeat(np.arange(len(things), dtype=np.int64), count)
        return which, np.repeat(first - before, count) + np.arange(int(count.sum()), dtype=np.int64)

    def of_one(self, thing: int) -> list[Any]:
        """The values of one thing."""
        low, high = np.searchsorted(self.of, [thing, thing + 1])
        values: list[Any] = self.values[low:high].tolist()
        return values


@dataclass(frozen=True, slots=True)
class Listings:
    """The entries of a watch list as columns, and what was heard of them.

    `vessel` numbers the vessels: entries that share an IMO number or an id are one. `heard` gives the rows of claims
    made under the entry's number; `bearers` holds group of claims and vessel, as one number, where a group claimed
    the vessel's own number.
    """

    entries: tuple[ListedVessel, ...]
    vessel: IntArray
    imo: IntArray
    length_m: FloatArray
    beam_m: FloatArray
    mmsi: Several
    names: Several
    call_signs: Several
    flags: Several
    type_groups: Several
    heard: Several
    bearers: IntArray

    def bears(self, group: IntArray, entry: IntArray) -> npt.NDArray[np.bool_]:
        """Whether a group of claims holds the entry's own number, pair by pair."""
        return np.isin(group * max(1, len(self.entries)) + self.vessel[entry], self.bearers)


def listings(claims: Claims, entries: tuple[ListedVessel, ...]) -> Listings:
    """What is known of each entry, in the order of the list."""
    imo = np.array([one.imo or 0 for one in entries], dtype=np.int64)
    mmsi = _listed(entries, lambda one: one.mmsi, np.int64)
    vessel = _vessels(entries)
    places = np.arange(len(entries), dtype=np.int64)
    by_imo = _claims_of(claims.columns["imo"], imo, places)
    by_mmsi = _claims_of(claims.columns["mmsi"], mmsi.values, mmsi.of)
    entry, row = (np.concatenate(both) for both in zip(by_imo, by_mmsi, strict=True))
    group = np.searchsorted(claims.starts, row, side="right") - 1
    bearers = np.unique(group * max(1, len(entries)) + vessel[entry])
    said = claims.columns["imo"][row]
    other = (said > 0) & (imo[entry] > 0) & (said != imo[entry]) & imo_check_digit_ok(said)
    pairs = np.unique(entry[~other] * max(1, len(claims)) + row[~other])
    entry, row = np.divmod(pairs, max(1, len(claims)))
    columns = {name: values[row] for name, values in claims.columns.items()}
    keyed = _listed(entries, lambda one: one.call_signs)
    return Listings(
        entries=entries,
        vessel=vessel,
        imo=imo,
        length_m=_sizes([one.length_m for one in entries], entry, columns, "length_m", FULL_LENGTH_M),
        beam_m=_sizes([one.beam_m for one in entries], entry, columns, "beam_m", FULL_BEAM_M),
        mmsi=mmsi,
        names=_all_of(_listed(entries, lambda one: one.names), entry, columns["name"]),
        call_signs=_all_of(
            Several(keyed.of, each(keyed.values, call_sign_key)),
            entry,
            each(columns["call_sign"], call_sign_key),
        ),
        flags=_all_of(
            _listed(entries, lambda one: one.flags),
            np.concatenate([mmsi.of, entry]),
            each(np.concatenate([mmsi.values, columns["mmsi"]]) // 1_000_000, lambda mid: flag_of(mid * 1_000_000)),
        ),
        type_groups=_all_of(Several(entry[:0], columns["name"][:0]), entry, each(columns["ship_type"], type_said)),
        heard=Several(entry, row),
        bearers=bearers,
    )


def _listed(
    entries: tuple[ListedVessel, ...], of_one: Callable[[ListedVessel], frozenset[Any]], dtype: Any = object
) -> Several:
    """What the list itself gives, in the order of the list."""
    values = [tuple(said) if len(said := of_one(one)) < 2 else sorted(said) for one in entries]
    counts = np.array([len(one) for one in values], dtype=np.int64)
    flat = np.empty(int(counts.sum()), dtype=dtype)
    flat[:] = [value for one in values for value in one]
    return Several(np.repeat(np.arange(len(entries), dtype=np.int64), counts), flat)


def _all_of(listed: Several, entry: IntArray, heard: Objects) -> Several:
    """What the list gives, then what was heard besides, by entry, each once and in a fixed order."""
    both = pd.DataFrame(
        {"of": np.concatenate([listed.of, entry]), "value": pd.Series([*listed.values, *heard], dtype=object)}
    )
    both["heard"] = np.arange(len(both)) >= len(listed.of)
    both = both[both["value"].notna() & (both["value"] != "")].drop_duplicates(["of", "value"])
    both = both.sort_values(["of", "heard", "value"], kind="stable")
    return Several(both["of"].to_numpy().astype(np.int64), both["value"].to_numpy().astype(object))


def _claims_of(claimed: IntArray, numbers: IntArray, entry: IntArray) -> tuple[IntArray, IntArray]:
    """Entry and row for each claim of a listed number; numbers that too many entries share are passed over."""
    order = np.argsort(numbers, kind="stable")
    known, place, count = np.unique(numbers[order], return_inverse=True, return_counts=True)
    own = order[(known[place] > 0) & (count[place] <= MOST_SHARED)]
    which, at = Several(numbers[own], entry[own]).spread(claimed)
    return entry[own][at], which


def _sizes(
    listed: list[float | None], entry: IntArray, columns: dict[str, Objects], name: str, full_m: float
) -> FloatArray:
    """The length or beam of each entry: the list's, or else the one that most reports gave; NaN for none."""
    sizes = np.array([np.nan if size is None else size for size in listed], dtype=np.float64)
    heard = pd.DataFrame({"entry": entry, "size": columns[name], "n": columns["n_reports"]})
    heard = heard[(heard["size"] > 0.0) & (heard["size"] <= full_m)]
    told = heard.groupby(["entry", "size"])["n"].sum().reset_index()
    best = told.sort_values(["entry", "n", "size"]).drop_duplicates("entry", keep="last")
    places = best["entry"].to_numpy().astype(np.int64)
    sizes[places] = np.where(np.isnan(sizes[places]), best["size"].to_numpy(), sizes[places])
    return sizes


def _vessels(entries: tuple[ListedVessel, ...]) -> IntArray:
    by_imo: dict[int, int] = {}
    by_id: dict[str, int] = {}
    vessel = np.empty(len(entries), dtype=np.int64)
    for place, entry in enumerate(entries):
        known = by_imo.get(entry.imo) if entry.imo else None
        number = by_id.get(entry.entry_id, place) if known is None else known
        by_id.setdefault(entry.entry_id, number)
        if entry.imo:
            by_imo.setdefault(entry.imo, number)
        vessel[place] = number
    return vessel


def heard_together_h(spells: Iterable[Spell], heard: Iterable[Spell], hull_id: str | None) -> float:
    """Time for which spells and the listed vessel, on another hull, were heard at once, in hours."""
    others = [one for one in heard if hull_id is None or one.hull_id != hull_id]
    overlaps = (
        min(one.last_us, other.last_us) - max(one.first_us, other.first_us) for one in spells for other in others
    )
    return max(0.0, max((overlap / US_PER_H for overlap in overlaps), default=0.0))
