"""Columns of the ledger: days of all inputs, and sightings of all names, as arrays.

Takes rows of `INPUTS` and `NAMES`; gives what the ledger asks of them, without a Python step for each old file.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vessels.store.entries import GONE

IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NamesInForce:
    """Every name that ever held a content, once, with what it held last. All of shape (n,), sorted by name.

    `content` is the row of that content in the ledger, -1 if the ledger has lost it; `is_gone` marks names whose
    file is gone while another name has its content.
    """

    name: pa.Array
    content: IntArray
    n_bytes: IntArray
    mtime_ns: IntArray
    is_gone: Mask


@dataclass(frozen=True, slots=True)
class InputDays:
    """Days of all entries, one row an entry and day; those of entry i lie from `offsets[i]` to `offsets[i + 1]`."""

    entry: IntArray
    day: IntArray
    n_rows: IntArray
    newest_us: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, inputs: pa.Table) -> "InputDays":
        column = inputs["days"].combine_chunks()
        counts = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        flat = column.flatten()

        def plain(name: str) -> IntArray:
            values: IntArray = flat.field(name).cast(pa.int64()).to_numpy(zero_copy_only=False)
            return values

        entry = np.repeat(np.arange(len(counts)), counts)
        return cls(entry, plain("day"), plain("n_rows"), plain("newest"), np.append(0, np.cumsum(counts)))


@dataclass(frozen=True, slots=True)
class Sightings:
    """Every sighting of a content that the ledger has or had, sorted by name and look.

    `names` are the distinct names, sorted; `name` numbers them. `content` is the content's row in the ledger, -1 where
    it has none. `is_gone` is by name.
    """

    names: pa.Array
    name: IntArray
    content: IntArray
    n_bytes: IntArray
    mtime_ns: IntArray
    seq: IntArray
    is_gone: Mask

    def __len__(self) -> int:
        return len(self.name)

    @classmethod
    def of(cls, sightings: pa.Table, digests: pa.ChunkedArray) -> "Sightings":
        coded = sightings["name"].combine_chunks().dictionary_encode()
        order = pc.sort_indices(coded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        name = rank[coded.indices.to_numpy(zero_copy_only=False)]
        seq: IntArray = sightings["seq"].to_numpy()
        gone = pc.equal(sightings["digest"], GONE).to_numpy(zero_copy_only=False).astype(np.bool_)
        by_look = np.lexsort((seq, name))
        is_gone = np.zeros(len(order), np.bool_)
        is_gone[name[by_look]] = gone[by_look]  # the last of each name stays
        kept = by_look[~gone[by_look]]
        content = pc.index_in(sightings["digest"], digests.combine_chunks()).fill_null(-1).to_numpy().astype(np.int64)
        n_bytes, mtime_ns = sightings["n_bytes"].to_numpy(), sightings["mtime_ns"].to_numpy()
        names = coded.dictionary.take(pa.array(order))
        return cls(names, name[kept], content[kept], n_bytes[kept], mtime_ns[kept], seq[kept], is_gone)

    def in_force(self) -> NamesInForce:
        """What each name held last."""
        last = np.flatnonzero(_is_last(self.name))
        name = self.name[last]
        return NamesInForce(
            name=self.names.take(pa.array(name)),
            content=self.content[last],
            n_bytes=self.n_bytes[last],
            mtime_ns=self.mtime_ns[last],
            is_gone=self.is_gone[name],
        )

    def histories(self) -> list[list[tuple[int, int]]]:
        """Looks and contents of the names that held more than one content that the ledger has, in order of looks."""
        name, content, seq = (values[self.content >= 0] for values in (self.name, self.content, self.seq))
        changed = (name[1:] == name[:-1]) & (content[1:] != content[:-1])
        several = np.isin(name, name[1:][changed])
        name, content, seq = name[several], content[several], seq[several]
        ends = (np.flatnonzero(_is_last(name)) + 1).tolist()
        pairs = list(zip(seq.tolist(), content.tolist(), strict=True))
        return [pairs[begin:end] for begin, end in pairwise([0, *ends])]


def _is_last(groups: IntArray) -> Mask:
    """Which entries are the last of their run of equal ones."""
    out = np.ones(len(groups), np.bool_)
    out[:-1] = groups[1:] != groups[:-1]
    return out
