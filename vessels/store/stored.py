"""Reading back: one bucket of the store as a settled block, ready for `vessels.history.derive`.

Takes a place, a bucket, a span of time and the inputs that count; gives the block that the same rows give in whatever
order their files were taken in, however they were grouped and put together since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vessels.chunks import StaticClaim
from vessels.digests import ClaimRegister
from vessels.errors import StoreError
from vessels.gather import stable_order
from vessels.store.layout import POSITIONS
from vessels.store.packing import claims_of, unpacked, week_of
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.track import ROW_COLUMNS, AnyArray, IntArray, Rows, TrackBlock, settle


@dataclass(frozen=True, slots=True)
class Sources:
    """The inputs whose rows count: their numbers in the store, ascending, and the id of each. Picklable."""

    numbers: tuple[int, ...]
    source_ids: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, str]]) -> "Sources":
        """From (number in the store, source id) of each input, in any order.

        Raises StoreError where two inputs bear one number: 64 bits of their digests are alike.
        """
        known = sorted(set(pairs))
        numbers = tuple(number for number, _ in known)
        if len(set(numbers)) < len(numbers):
            twice = next(a for a, b in pairwise(numbers) if a == b)
            raise StoreError(f"two inputs of the store bear the number {twice}; take one of them out of [input] tracks")
        return cls(numbers, tuple(source_id for _, source_id in known))


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """What to read: a bucket of the store at a place, from `first_us` to `last_us`, both included."""

    place: StorePlace
    bucket: int
    first_us: int
    last_us: int
    sources: Sources


def stored_block(spec: StoredBucket) -> tuple[TrackBlock, tuple[StaticClaim, ...]]:
    """The rows of a stored bucket as a settled block, and the claims that its rows refer to.

    A row's `source` is its place in `spec.sources`. Raises StoreError where there is no store, or a broken one.
    """
    store = TrackStore.open(spec.place, n_buckets=1, create=False)
    columns = _counting(_read(store, spec), spec)
    register = ClaimRegister()
    columns["static"] = _claimed(columns.pop("claim"), store, register)
    rows = _by_vessel(columns)
    return settle(rows, register, (spec.first_us, spec.last_us)), register.claims()


def _read(store: TrackStore, spec: StoredBucket) -> dict[str, AnyArray]:
    """The rows of the weeks that the span touches, file after file in order of their first time."""
    weeks = range(week_of(spec.first_us), week_of(spec.last_us) + 1)
    files = store.positions.files({"week": weeks, "bucket": (spec.bucket,)})
    parts = [unpacked(store.positions.read_file(file, _NEEDED)) for file in files] or [unpacked(POSITIONS.empty())]
    parts.sort(key=lambda part: int(part["time_us"].min(initial=spec.last_us)))
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in tuple(parts[0])}


_NEEDED: Final = (
    "mmsi", "timestamp", "lat", "lon", "sog", "cog", "heading", "draught", "nav_status", "claim", "source"
)  # fmt: skip


def _counting(columns: dict[str, AnyArray], spec: StoredBucket) -> dict[str, AnyArray]:
    """The rows within the span and of inputs that count, `source` as the input's place among those."""
    numbers = np.array(spec.sources.numbers, dtype=np.int64)
    codes, met = pd.factorize(columns["source"])
    place = np.searchsorted(numbers, met)
    counts = numbers[np.minimum(place, len(numbers) - 1)] == met if len(numbers) else np.zeros(len(met), np.bool_)
    time: IntArray = columns["time_us"]
    stays = (time >= spec.first_us) & (time <= spec.last_us)
    if not counts.all():
        stays &= counts[codes]
    columns = {**columns, "source": place.astype(np.int32)[codes]}
    return columns if stays.all() else {name: column[stays] for name, column in columns.items()}


def _claimed(claim: IntArray, store: TrackStore, register: ClaimRegister) -> npt.NDArray[np.int32]:
    """The number in the register of the claim that each row carries; claims are numbered in order of their hashes."""
    codes, met = pd.factorize(claim)
    wanted = np.sort(met[met != 0])
    known = dict(claims_of(store.claims.read(where=pc.field("claim").isin(pa.array(wanted)))))
    if len(known) < len(wanted):
        raise StoreError(
            f"table claims of the store at {store.place.url} lacks {len(wanted) - len(known)} claims that positions "
            "refer to; restore the store from a copy, or remove it and let the next night read the inputs again"
        )
    numbers = np.zeros(len(met), dtype=np.int32)
    place = np.searchsorted(wanted, met[met != 0])
    numbers[met != 0] = register.codes([known[number] for number in wanted.tolist()])[place]
    return numbers[codes]


def _by_vessel(columns: dict[str, AnyArray]) -> Rows:
    """The rows by vessel, within a vessel in the order in which they were stored."""
    codes, met = pd.factorize(columns["mmsi"], sort=True)
    order = stable_order(codes, len(met))
    counts = np.bincount(codes, minlength=len(met))
    out: dict[str, Any] = {name: columns[name].take(order) for name in ROW_COLUMNS}
    return Rows(met, np.concatenate([[0], np.cumsum(counts)]), out)
