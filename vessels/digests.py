"""What rows say, as numbers: static claims numbered once a run, and 64-bit hashes of whole rows.

Takes claims and columns; gives claim numbers and hashes that are the same in every run, whatever order rows came in.
"""

import hashlib
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vessels.chunks import NOTHING_SAID, StaticClaim
from vessels.geodesy import BLOCK_ROWS

IntArray = npt.NDArray[np.int64]
AnyArray = npt.NDArray[Any]

_HASH_BYTES: Final = 8


class ClaimRegister:
    """All distinct static claims of a run, numbered as they are met; number 0 says nothing. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._claims: list[StaticClaim] = [NOTHING_SAID]
        self._numbers: dict[StaticClaim, int] = {NOTHING_SAID: 0}
        self._hashes = b""

    def codes(self, claims: Sequence[StaticClaim]) -> npt.NDArray[np.int32]:
        """The number of each claim, new ones added."""
        with self._lock:
            out = np.empty(len(claims), dtype=np.int32)
            for i, claim in enumerate(claims):
                number = self._numbers.get(claim)
                if number is None:
                    number = self._numbers[claim] = len(self._claims)
                    self._claims.append(claim)
                out[i] = number
            return out

    def claims(self) -> tuple[StaticClaim, ...]:
        """The claims by number."""
        with self._lock:
            return tuple(self._claims)

    def hashes(self) -> npt.NDArray[np.uint64]:
        """A 64-bit hash of what each claim says, by number; the same in every run."""
        with self._lock:
            unhashed = self._claims[len(self._hashes) // _HASH_BYTES :]
            digests = (hashlib.blake2b(repr(tuple(c)).encode(), digest_size=_HASH_BYTES).digest() for c in unhashed)
            self._hashes += b"".join(digests)
            return np.frombuffer(self._hashes, dtype="<u8").astype(np.uint64)


_MIX: Final = tuple(np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""Multipliers of the SplitMix64 generator (Steele, Lea and Flood 2014)."""
_SHIFT: Final = np.uint64(31)
_WORD: Final = np.uint64(32)


def row_hashes(
    mmsi: IntArray, vessel: npt.NDArray[np.int32], columns: Mapping[str, AnyArray], claim_hashes: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of all that each row says, its file left out. Shape (n,)."""
    out = np.empty(len(vessel), dtype=np.uint64)
    keys = mmsi.astype(np.uint64) * _MIX[0]
    for start in range(0, len(vessel), BLOCK_ROWS):
        part = slice(start, min(start + BLOCK_ROWS, len(vessel)))
        h = out[part]
        h[:] = keys[vessel[part]]
        words = [columns["time_us"][part].view(np.uint64)]
        words += [_bits(columns[name][part]) for name in ("lat", "lon")]
        pairs = (("sog", "cog"), ("heading", "draught"))
        words += [_bits(columns[a][part]) << _WORD | _bits(columns[b][part]) for a, b in pairs]
        words.append(claim_hashes[columns["static"][part]] ^ columns["nav_status"][part].astype(np.uint64))
        for i, word in enumerate(words):
            h ^= word
            h *= _MIX[1 + i % 2]
            h ^= h >> _SHIFT
    return out


def _bits(values: AnyArray) -> npt.NDArray[np.uint64]:
    """The bits of floats, with one NaN and one zero."""
    plain: AnyArray = values + values.dtype.type(0.0)
    plain[np.isnan(plain)] = np.nan
    bits: npt.NDArray[np.uint64] = plain.view(np.uint64 if plain.itemsize == 8 else np.uint32).astype(np.uint64)
    return bits
