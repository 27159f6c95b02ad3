"""Finding the vessels that break a step: few runs, several at once, none blamed for what takes two."""

import math
from collections.abc import Callable, Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.batch.culprits import MAX_CONFLICTS, Cured, without_culprits

N = 1000
ROWS = {vessel: 1000 - vessel for vessel in range(N)}
"""Later vessels have fewer rows."""


class Step:
    """A step over the vessels of a fleet that says whom it was run without, and fails as it is told to."""

    def __init__(
        self, fails: Callable[[frozenset[int]], Exception | None], vessels: Collection[int] = range(N)
    ) -> None:
        self.fails, self.vessels, self.runs = fails, frozenset(vessels), 0

    def __call__(self, left_out: frozenset[int]) -> frozenset[int]:
        self.runs += 1
        there = self.vessels - left_out
        error = self.fails(there)
        if error is not None:
            raise error
        return there

    def search(self, rows=ROWS) -> Cured[frozenset[int]] | None:
        fault = self.fails(self.vessels)
        assert fault is not None, "the step must fail on all vessels"
        return without_culprits(sorted(self.vessels), rows, self, fault)


def if_any(
    *conflicts: Collection[int], error: type[Exception] = ValueError
) -> Callable[[frozenset[int]], Exception | None]:
    """Fails where all vessels of one of these sets are there."""
    return lambda there: error("broken") if any(there.issuperset(one) for one in conflicts) else None


@pytest.mark.parametrize("culprit", [0, 1, 499, 500, 998, 999])
def test_one_vessel_is_found_in_about_log2_n_runs(culprit):
    step = Step(if_any({culprit}))
    cured = step.search()
    assert cured is not None
    assert cured.left_out == (culprit,)
    assert cured.result == step.vessels - {culprit}
    assert step.runs <= math.ceil(math.log2(N)) + 3


def test_several_vessels_are_found_in_log2_n_runs_each():
    culprits = (3, 4, 77, 500, 999)
    step = Step(if_any(*({one} for one in culprits)))
    cured = step.search()
    assert cured is not None
    assert cured.left_out == culprits
    assert step.runs <= len(culprits) * (math.ceil(math.log2(N)) + 3)


def test_of_two_that_fail_only_together_the_one_with_fewer_rows_is_left_out_and_both_are_told():
    step = Step(if_any({40, 700}))
    cured = step.search()
    assert cured is not None
    assert cured.left_out == (700,)
    assert [conflict.vessels for conflict in cured.conflicts] == [(40, 700)]
    assert Step(if_any({40, 700})).search({40: 1, 700: 2}).left_out == (40,)
    assert step.runs <= 2 * (math.ceil(math.log2(N)) + 3)


def test_of_one_that_fails_with_many_others_and_these_only_the_one_is_left_out():
    cured = Step(if_any({40, 700}, {40, 701}, {40, 702}, {40, 703})).search()
    assert cured is not None
    assert cured.left_out == (40,)


def test_vessels_with_different_faults_are_all_found():
    def fails(there):
        if 900 in there:
            return ValueError("one")
        return KeyError("other") if there & {5, 901} else None

    cured = Step(fails).search()
    assert cured is not None
    assert cured.left_out == (5, 900, 901)
    assert {conflict.vessels: type(conflict.error) for conflict in cured.conflicts} == {
        (5,): KeyError,
        (900,): ValueError,
        (901,): KeyError,
    }


def test_a_step_that_cannot_do_with_few_vessels_does_not_hide_the_one_that_breaks_it():
    def fails(there):
        if 300 in there and len(there) > 5:
            return ValueError("broken")
        return IndexError("too few") if len(there) < 3 else None

    assert Step(fails).search() is None, "no vessel fails so by itself: nobody is blamed"
    cured = Step(lambda there: ValueError() if 300 in there else IndexError() if len(there) < 3 else None).search()
    assert cured is not None
    assert cured.left_out == (300,)


@pytest.mark.parametrize(
    "fails",
    [
        pytest.param(lambda _: ValueError("always"), id="on no vessels at all"),
        pytest.param(lambda there: ValueError("any") if there else None, id="on each vessel"),
        pytest.param(lambda there: ValueError("many") if len(there) > 100 else None, id="on many together"),
    ],
)
def test_where_no_few_vessels_are_the_cause_nobody_is_blamed(fails):
    step = Step(fails)
    assert step.search() is None
    assert step.runs <= MAX_CONFLICTS * (math.ceil(math.log2(N)) + 3)


def test_as_many_as_can_be_are_left_out_and_one_more_is_too_many():
    some = [{7 * n} for n in range(MAX_CONFLICTS)]
    assert Step(if_any(*some)).search() is not None
    assert Step(if_any(*some, {999})).search() is None


@pytest.mark.parametrize("fault", [MemoryError(), KeyboardInterrupt(), SystemExit(1)])
def test_what_is_no_fault_of_the_data_passes_through_the_search(fault):
    def attempt(left_out):
        raise fault if left_out else AssertionError

    with pytest.raises(type(fault)):
        without_culprits(range(8), {}, attempt, ValueError())


def test_a_step_that_fails_at_random_comes_to_an_end():
    answers = iter([ValueError() if bit == "1" else None for bit in f"{0x5DEECE66D_2718281828:b}" * 40])
    without_culprits(range(50), {}, Step(lambda _: next(answers), range(50)), ValueError())


CONFLICTS = st.lists(st.frozensets(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=4)


@given(CONFLICTS)
@settings(max_examples=200, deadline=None)
def test_what_is_left_out_cures_and_each_of_it_is_in_a_conflict(conflicts):
    step = Step(if_any(*conflicts), range(31))
    cured = step.search()
    assert cured is not None
    left_out = frozenset(cured.left_out)
    assert cured.result == step.vessels - left_out
    assert all(left_out & conflict for conflict in conflicts)
    assert len(left_out) <= len(conflicts)
    minimal = {one for one in conflicts if not any(other < one for other in conflicts)}
    assert {frozenset(conflict.vessels) for conflict in cured.conflicts} <= minimal
    again = Step(if_any(*conflicts[::-1]), range(31)).search()
    assert again is not None
    assert again.left_out == cured.left_out
