"""What is drawn by lot: how long a silence lasts, and invented names, call signs, MMSI and IMO numbers.

Takes a generator; gives numbers and identities that no ship of the data bears. The shapes follow the standards; what
the parameters of the draws are taken from is written in docs/backtest.md.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from string import ascii_uppercase, digits
from typing import Final, TypeVar

import numpy as np

from detectors.backtest.fleet import Identity
from vessels.ais import call_sign_state, flag_state, imo_check_digit_ok, mid_table

T = TypeVar("T")

FLAGS: Final = ("PA", "SL", "TZ", "TG", "KM", "MN", "KH", "PW", "BZ", "DM", "KN", "GQ", "CM", "VN", "MV")
"""Flags that appear, true or false, in the documented cases (docs/backtest.md)."""
IMO_FROM, IMO_TO = 2_000_000, 3_999_999
"""Invented IMO numbers: the check digit holds, and no ship was ever given a number in this range."""
_FIRST: Final = ("BRIGHT", "GOLDEN", "EASTERN", "LUCKY", "OCEAN", "SINO", "GRAND", "NEW", "ROYAL", "SUN", "WAN", "HENG")
_SECOND: Final = ("DOVE", "PEARL", "VICTORY", "RIVER", "GLORY", "TRADER", "HARVEST", "DRAGON", "UNITY", "XING", "DA")


def generator(seed: int, *words: str | int) -> np.random.Generator:
    """A generator of its own for each purpose, so that one purpose more leaves the draws of the others alone."""
    text = "\x1f".join(str(word) for word in words)
    child = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return np.random.default_rng(np.random.SeedSequence([seed, child]))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two others, each factor as likely as the next; the low one where the high one is lower."""
    return low if high <= low else math.exp(rng.uniform(math.log(low), math.log(high)))


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """One of several, each as likely."""
    return choices[int(rng.integers(len(choices)))]


@cache
def _mids(flag: str) -> tuple[int, ...]:
    return tuple(mid for mid, (iso2, _, _) in sorted(mid_table().items()) if iso2 == flag and 200 <= mid < 800)


@cache
def _prefixes(flag: str) -> tuple[str, ...]:
    """Three characters that call signs of a flag begin with (Radio Regulations, Appendix 42)."""
    firsts = ["".join(pair) for pair in (*product(ascii_uppercase, repeat=2), *product(digits[2:], ascii_uppercase))]
    firsts += ["".join(pair) for pair in product(ascii_uppercase, digits[2:])]
    series = (first + third for first in firsts for third in ascii_uppercase)
    return tuple(prefix for prefix in series if call_sign_state(prefix + "A2") == flag)


class Mint:
    """Makes identities that no ship bears: neither one of the data nor one made before."""

    def __init__(self, mmsi: set[int], imo: set[int], names: set[str]) -> None:
        self._mmsi, self._imo, self._names = set(mmsi), set(imo), set(names)

    def identity(self, rng: np.random.Generator, like: Identity) -> Identity:
        """Another flag, name, call sign and valid IMO number on the same body."""
        moved = self.reflagged(rng, like)
        return replace(moved, imo=self.imo(rng), name=self.name(rng))

    def reflagged(self, rng: np.random.Generator, like: Identity) -> Identity:
        """The same ship under another flag: MMSI and call sign are that state's."""
        own = flag_state(like.mmsi)
        flag = pick(rng, [flag for flag in FLAGS if flag != own])
        return replace(like, mmsi=self.mmsi(rng, _mids(flag)), call_sign=self.call_sign(rng, flag))

    def mmsi(self, rng: np.random.Generator, mids: Sequence[int]) -> int:
        """A ship's MMSI under one of several maritime identification digits."""
        while (number := pick(rng, mids) * 1_000_000 + int(rng.integers(1_000, 999_999))) in self._mmsi:
            pass
        return self.take_mmsi(number)

    def take_mmsi(self, number: int) -> int:
        """Note an MMSI as borne."""
        self._mmsi.add(number)
        return number

    def is_free(self, mmsi: int) -> bool:
        """Whether no ship bears an MMSI."""
        return mmsi not in self._mmsi

    def imo(self, rng: np.random.Generator) -> int:
        """An IMO number whose check digit holds."""
        while True:
            number = int(rng.integers(IMO_FROM, IMO_TO + 1))
            if number not in self._imo and bool(imo_check_digit_ok(number)):
                self._imo.add(number)
                return number

    def name(self, rng: np.random.Generator) -> str:
        """A name; every other one ends in a number, as coasters' names do."""
        while True:
            name = f"{pick(rng, _FIRST)} {pick(rng, _SECOND)}"
            if rng.random() < 0.5 or name in self._names:
                name += f" {int(rng.integers(2, 999))}"
            if name not in self._names:
                self._names.add(name)
                return name

    def call_sign(self, rng: np.random.Generator, flag: str) -> str:
        """A call sign of a state's series; of Panama's where the state has none."""
        prefix = pick(rng, _prefixes(flag) or _prefixes("PA"))
        return f"{prefix}{pick(rng, ascii_uppercase)}{int(rng.integers(2, 10))}"


def edited_name(rng: np.random.Generator, name: str) -> str | None:
    """The name with one letter changed, doubled or left out; None where it has too few letters to stay like itself."""
    places = [i for i, letter in enumerate(name) if letter in ascii_uppercase]
    if len(places) < 4:
        return None
    at = pick(rng, places)
    how = int(rng.integers(3))
    if how == 0:
        other = pick(rng, [letter for letter in ascii_uppercase if letter != name[at]])
        return name[:at] + other + name[at + 1 :]
    return name[:at] + (name[at] * 2 if how == 1 else "") + name[at + 1 :]


def edited_digits(rng: np.random.Generator, number: int, first: int, *, valid_imo: bool = False) -> int:
    """The number with one digit changed, none of those before place `first`.

    With `valid_imo` one whose IMO check digit still holds, if there is one.
    """
    text = str(number)
    others = [
        int(text[:i] + digit + text[i + 1 :])
        for i in range(first, len(text))
        for digit in digits
        if digit != text[i] and not (i == 0 and digit == "0")
    ]
    if valid_imo:
        others = [other for other in others if bool(imo_check_digit_ok(other))] or others
    return pick(rng, others)
