"""Laws of nights: however files arrive, in whatever order, under whatever names, and however often the job is killed,
the same files lie in the folders at the end and the same contents count."""

import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vessels.store.inputs import DAY, LAST_S, MemoryStore, counting, digest_of, entry_of, night, text
from vessels.store.ledger import Ledger
from vessels.store.standing import covers, extent_of
from vessels.units import US_PER_DAY

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KILLS = st.lists(st.integers(0, 6), max_size=4)
"""After how many commits the job is killed, one try after the other."""


class Folder:
    """A folder that is made to hold just these files; a file written anew has a new time, one left alone keeps it."""

    def __init__(self, root: Path) -> None:
        self.root, self.clock_s, self.held = root, 1_700_000_000, {}

    def hold(self, files: Mapping[str, str]) -> None:
        for name in set(self.held) - set(files):
            (self.root / name).unlink()
        for name, content in files.items():
            if self.held.get(name) != content:
                self.clock_s += 1
                (self.root / name).write_text(content)
                os.utime(self.root / name, (self.clock_s, self.clock_s))
        self.held = dict(files)


@contextmanager
def a_folder() -> Iterator[Folder]:
    with tempfile.TemporaryDirectory() as root:
        yield Folder(Path(root))


def nights(states: Sequence[Mapping[str, str]], kills: Sequence[Sequence[int]] = ()) -> MemoryStore:
    """A store after nights over these states of a folder; each night is killed as said and then run again."""
    store = MemoryStore()
    with a_folder() as folder:
        for i, state in enumerate(states):
            folder.hold(state)
            for kill_after in kills[i] if i < len(kills) else ():
                night(store, [folder.root], kill_after=kill_after)
            assert night(store, [folder.root]) is not None
    return store


def digests(files: Mapping[str, str]) -> set[str]:
    return {digest_of(content) for content in files.values()}


@st.composite
def _growing(draw: st.DrawFn) -> tuple[str, ...]:
    """What a file holds, from its first try to its last: cut after some rows, cut within a line, empty, whole."""
    first, n_days = DAY + draw(st.integers(0, 6)), draw(st.integers(1, 3))
    salt, n_rows = draw(st.integers(0, 10**9)), draw(st.integers(10, 1000))
    whole = text(*((first + i, n_rows) for i in range(n_days)), salt=salt)
    tries = []
    for share in sorted(draw(st.lists(st.floats(0.0, 0.99), max_size=3))):
        if draw(st.booleans()):
            tries.append(whole[: int(share * len(whole))])
            continue
        full, rest = divmod(share * n_days, 1.0)
        days = [(first + i, n_rows) for i in range(int(full))]
        part = (first + int(full), max(1, int(rest * n_rows)), 0, int(rest * LAST_S))
        tries.append(text(*days, part, salt=salt))
    return (*tries, whole)


@st.composite
def _arrivals(draw: st.DrawFn) -> tuple[list[dict[str, str]], dict[str, str]]:
    """States of the folder, night by night, and what it holds at the end: files come, grow and are copied."""
    files = {f"{i}.csv": draw(_growing()) for i in range(draw(st.integers(1, 4)))}
    for i, original in enumerate(draw(st.lists(st.sampled_from(sorted(files)), max_size=2))):
        files[f"copy{i}.csv"] = files[original]
    n_nights = draw(st.integers(1, 5))
    states: list[dict[str, str]] = [{} for _ in range(n_nights)]
    for name, tries in files.items():
        at = sorted(draw(st.lists(st.integers(-1, len(tries) - 1), min_size=n_nights - 1, max_size=n_nights - 1)))
        for state, which in zip(states, [*at, len(tries) - 1], strict=True):
            if which >= 0:
                state[name] = tries[which]
    return states, {name: tries[-1] for name, tries in files.items()}


@SETTINGS
@given(_arrivals(), st.lists(KILLS, max_size=5))
def test_files_that_arrive_and_grow_in_any_order_are_the_files_at_the_end(
    arrivals: tuple[list[dict[str, str]], dict[str, str]], kills: list[list[int]]
) -> None:
    states, final = arrivals
    store = nights(states, kills)
    assert counting(store) == digests(final) == counting(nights([final]))
    ledger, once = Ledger.read(store), Ledger.read(nights([final]))
    assert ledger.counting() == once.counting()
    assert ledger.span_us() == once.span_us()
    taken = store.positions.rows["digest"].to_pylist()
    assert len(taken) == len(set(taken))  # nothing twice


@SETTINGS
@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=5, unique=True),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
    st.lists(KILLS, max_size=5),
)
def test_files_that_are_renamed_copied_and_taken_away_are_still_what_they_are(
    sizes: list[int], n_nights: int, draw: random.Random, kills: list[list[int]]
) -> None:
    contents = [text((DAY + size % 5, size), salt=size) for size in sizes]
    states = []
    for _ in range(n_nights):
        names = [f"{draw.choice('abc')}{i}.csv" for i in range(len(contents))]
        shown = {name: content for name, content in zip(names, contents, strict=True) if draw.random() < 0.8}
        shown.update({f"copy-{name}": content for name, content in shown.items() if draw.random() < 0.3})
        states.append(shown)
    seen = {digest for state in states for digest in digests(state)}
    assert counting(nights(states, kills)) == seen
    draw.shuffle(states)
    assert counting(nights(states)) == seen


ANY_CONTENT = st.builds(
    lambda first, n_days, n_rows, salt: text(*((DAY + first + i, n_rows) for i in range(n_days)), salt=salt),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([10, 30, 100]),
    st.integers(0, 1),
)
ANY_STATES = st.lists(
    st.dictionaries(st.sampled_from(["a.csv", "b.csv", "c.csv"]), ANY_CONTENT, max_size=3), min_size=1, max_size=6
)


@SETTINGS
@given(ANY_STATES, st.lists(KILLS, max_size=6))
def test_whatever_happens_what_lies_there_counts_and_nothing_is_lost(
    states: list[dict[str, str]], kills: list[list[int]]
) -> None:
    store = nights(states, kills)
    counts, ever = counting(store), {digest_of(c): c for state in states for c in state.values()}
    assert digests(states[-1]) <= counts <= set(ever)
    for lost in set(ever) - counts:
        assert any(covers(_extent(ever[other]), _extent(ever[lost])) for other in counts)


@SETTINGS
@given(ANY_STATES, st.lists(st.integers(0, 3), min_size=6, max_size=6), st.lists(KILLS, max_size=6))
def test_nights_without_news_and_nights_run_again_change_nothing(
    states: list[dict[str, str]], repeats: list[int], kills: list[list[int]]
) -> None:
    known = nights(states)
    again = nights([state for state, n in zip(states, repeats, strict=False) for _ in range(n + 1)])
    killed = nights(states, kills)
    for store in (again, killed):
        assert counting(store) == counting(known)
        assert Ledger.read(store).span_us() == Ledger.read(known).span_us()
        assert store.inputs.rows.num_rows == known.inputs.rows.num_rows


@SETTINGS
@given(ANY_STATES, st.randoms(use_true_random=False))
def test_the_order_of_rows_in_the_store_changes_nothing(states: list[dict[str, str]], draw: random.Random) -> None:
    store = nights(states)
    known = Ledger.read(store).counting()
    for table in (store.inputs, store.names):
        rows = draw.sample(range(table.rows.num_rows), table.rows.num_rows)
        table.rows = table.rows.take(pa.array(rows, pa.int64()))
    assert Ledger.read(store).counting() == known


def _extent(content: str) -> object:
    entry = entry_of(content)
    newest_us = {day.day: day.newest_us for day in entry.days}
    assert all(day == us // US_PER_DAY for day, us in newest_us.items())
    return extent_of({day.day: day.n_rows for day in entry.days}, newest_us, entry.first_us)
