"""Which of many vessels break a step of work: found by halving, in about log2(n) runs for each.

Takes a step that works on all vessels but those it is told to leave out, and what it failed with; gives the vessels to
leave out, or none where no few vessels are the cause. What a step is and how it is told of is left to `broken`.

A *conflict* is a set of vessels that fail by themselves, none of whom can be spared: mostly one vessel, sometimes two
that fail only together. The vessels to leave out are as few as hit every conflict; where that leaves a choice, those
with the fewest rows. Everything follows from the order of the vessels, so that the same data blame the same ones.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

ResultT = TypeVar("ResultT")
Attempt = Callable[[frozenset[int]], ResultT]
"""The step, run without these vessels."""

MAX_CONFLICTS: Final = 16
"""A step that so many vessels break, one by one, is broken itself. Our choice: each costs log2(n) runs."""
MAX_TOGETHER: Final = 4
"""What takes more vessels together is the fault of none: it comes with their number. Our choice."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Vessels that fail by themselves, all of them needed; and with what."""

    vessels: tuple[int, ...]
    error: Exception


@dataclass(frozen=True, slots=True)
class Cured(Generic[ResultT]):
    """What the step gives without the vessels left out, and why these."""

    result: ResultT
    left_out: tuple[int, ...]
    conflicts: tuple[Conflict, ...]


def without_culprits(
    vessels: Sequence[int], n_rows: Mapping[int, int], attempt: Attempt[ResultT], fault: Exception
) -> Cured[ResultT] | None:
    """The step without the vessels that break it; None where no few vessels do. `fault` is what all together gave.

    `vessels` are distinct and in order. A failure of another type than the one sought is taken as another fault, whose
    turn comes when this one is cured. MemoryError and what is no Exception pass through.
    """
    search = _Search(tuple(vessels), attempt)
    conflicts: list[Conflict] = []
    left_out: frozenset[int] = frozenset()
    while len(conflicts) < MAX_CONFLICTS:
        conflict = search.conflict(left_out, type(fault))
        if conflict is None:
            return None
        conflicts.append(conflict)
        left_out = fewest_that_hit([one.vessels for one in conflicts], n_rows)
        outcome = search.run(left_out)
        if not isinstance(outcome, _Failed):
            return Cured(outcome, tuple(sorted(left_out)), tuple(conflicts))
        fault = outcome.error
    return None


def fewest_that_hit(conflicts: Sequence[Sequence[int]], n_rows: Mapping[int, int]) -> frozenset[int]:
    """Vessels of which every conflict has one: the one in most conflicts first, of those the one with fewest rows.

    >>> sorted(fewest_that_hit([(1, 2), (1, 3), (4,)], {1: 90, 2: 10, 3: 10, 4: 5}))
    [1, 4]
    >>> sorted(fewest_that_hit([(1, 2)], {1: 90, 2: 10}))
    [2]
    """
    left, chosen = [frozenset(conflict) for conflict in conflicts], set[int]()
    while left:
        count = Counter(vessel for conflict in left for vessel in conflict)
        best = min(count, key=lambda vessel: (-count[vessel], n_rows.get(vessel, 0), vessel))
        chosen.add(best)
        left = [conflict for conflict in left if best not in conflict]
    return frozenset(chosen)


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


@dataclass(frozen=True, slots=True)
class _Search(Generic[ResultT]):
    """Runs of one step over some of its vessels."""

    vessels: tuple[int, ...]
    attempt: Attempt[ResultT]

    def run(self, left_out: frozenset[int]) -> ResultT | _Failed:
        """What the step gives without these vessels, or how it fails."""
        try:
            return self.attempt(left_out)
        except MemoryError:
            raise
        except Exception as error:
            return _Failed(error)

    def conflict(self, left_out: frozenset[int], kind: type[Exception]) -> Conflict | None:
        """A smallest set among the vessels not left out that fails with this kind of error by itself.

        None if the step fails so without any vessel, or only with many.
        """
        there = [vessel for vessel in self.vessels if vessel not in left_out]
        if self._fails_with([], kind) is not None:
            return None
        needed: list[int] = []
        n_first = len(there)
        while len(needed) < MAX_TOGETHER:
            n_first = self._shortest(there, n_first, needed, kind) - 1
            if n_first < 0:
                return None
            needed.append(there[n_first])
            error = self._fails_with(needed, kind)
            if error is not None:
                return Conflict(tuple(sorted(needed)), error)
        return None

    def _shortest(self, there: list[int], n_first: int, needed: list[int], kind: type[Exception]) -> int:
        """The number of first vessels that, with those needed, fail, while one fewer do not; by halving."""
        passes, fails = 0, n_first
        while fails - passes > 1:
            middle = (passes + fails) // 2
            if self._fails_with([*there[:middle], *needed], kind) is None:
                passes = middle
            else:
                fails = middle
        return fails

    def _fails_with(self, kept: Sequence[int], kind: type[Exception]) -> Exception | None:
        """The error with which the step fails on these vessels alone, if it is of this kind."""
        outcome = self.run(frozenset(self.vessels).difference(kept))
        return outcome.error if isinstance(outcome, _Failed) and type(outcome.error) is kind else None
