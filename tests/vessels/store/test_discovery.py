"""Looking around, fault by fault: what is new, what is known, what counts after it."""

import gzip
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.vessels.store.inputs import DAY, MemoryStore, counting, digest_of, night, take_in, text
from vessels.errors import UsageError
from vessels.store import discovery
from vessels.store.discovery import Discovery, discover
from vessels.store.entries import NewInput, Sighting, sighting_rows
from vessels.store.ledger import Ledger

NMEA = "!AIVDM,1,1,,A,144FV@@P1s9L?p0HVe@3RBn1P000,0*38,1635731889\n"
HALF, WHOLE = text((DAY, 400, 0, 40_000)), text((DAY, 1000))
BETTER = text((DAY, 990), salt="published anew")
NEXT = text((DAY + 1, 1000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class Writer:
    """Writes files as a provider does: each write is later than the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock_s = folder, 1_700_000_000

    def __call__(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.clock_s += 60
        os.utime(path, (self.clock_s, self.clock_s))
        return str(path)


@pytest.fixture
def write(folder: Path) -> Writer:
    return Writer(folder)


def looked(store: MemoryStore, folder: Path) -> Discovery:
    found = night(store, [folder])
    assert found is not None
    return found


def is_quiet(found: Discovery) -> bool:
    """Nothing happened since the last time."""
    return not (found.new or found.known or found.duplicates or found.replaced or found.sightings or found.set_aside)


def test_new_files_are_taken_in_once(store: MemoryStore, folder: Path, write: Writer) -> None:
    a, b = write("a.csv", WHOLE), write("deep/b.csv", NEXT)
    found = looked(store, folder)
    assert [(f.name, f.names, f.path, f.digest) for f in found.new] == [
        (a, (a,), Path(a).resolve(), digest_of(WHOLE)),
        (b, (b,), Path(b).resolve(), digest_of(NEXT)),
    ]
    assert all(f.n_bytes == f.path.stat().st_size and f.mtime_ns == f.path.stat().st_mtime_ns for f in found.new)
    for _ in range(2):
        again = looked(store, folder)
        assert is_quiet(again)
        assert again.n_unchanged == 2
    assert counting(store) == {digest_of(WHOLE), digest_of(NEXT)}


def test_looking_around_writes_nothing_and_opens_no_old_file(
    store: MemoryStore, folder: Path, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.csv", WHOLE)
    write("d.log", NMEA)
    looked(store, folder)
    take_in(store, discover([folder], Ledger.read(store)).new)  # d.log is none of this test's texts
    opened: list[str] = []
    really = discovery._look_into_one
    monkeypatch.setattr(discovery, "_look_into_one", lambda file: (opened.append(file.name), really(file))[1])
    versions = [table.version for table in (store.positions, store.inputs, store.names)]
    ledger = Ledger.read(store)
    new = write("b.csv", NEXT)
    assert [file.name for file in discover([folder], ledger).new] == [new, str(folder / "d.log")]
    assert opened == [new, str(folder / "d.log")]
    assert [table.version for table in (store.positions, store.inputs, store.names)] == versions


def test_half_written_then_whole(store: MemoryStore, folder: Path, write: Writer) -> None:
    name = write("a.csv", HALF)
    looked(store, folder)
    assert counting(store) == {digest_of(HALF)}
    write("a.csv", WHOLE)
    (replaced,) = looked(store, folder).replaced
    assert (replaced.name, replaced.old, replaced.new) == (name, digest_of(HALF), digest_of(WHOLE))
    assert replaced.n_rows_before == 400
    assert counting(store) == {digest_of(WHOLE)}
    assert is_quiet(looked(store, folder))


def test_a_file_cut_within_a_line_is_tried_again_until_it_is_good(
    store: MemoryStore, folder: Path, write: Writer
) -> None:
    write("a.csv", WHOLE[:-3])
    for _ in range(2):
        assert [file.digest for file in looked(store, folder).new] == [digest_of(WHOLE[:-3])]
        assert counting(store) == set()
    write("a.csv", WHOLE)
    assert looked(store, folder).replaced == ()
    assert counting(store) == {digest_of(WHOLE)}


def test_cut_short_after_it_was_whole_loses_nothing(store: MemoryStore, folder: Path, write: Writer) -> None:
    write("a.csv", WHOLE)
    looked(store, folder)
    for cut in (HALF, text((DAY, 300)), "", "broken", text(salt="header only")):
        write("a.csv", cut)
        looked(store, folder)
        assert digest_of(WHOLE) in counting(store)
    write("a.csv", WHOLE)
    assert len(looked(store, folder).known) == 1
    assert counting(store) == {digest_of(WHOLE)}


def test_an_empty_file_is_set_aside_and_one_without_rows_is_taken(
    store: MemoryStore, folder: Path, write: Writer
) -> None:
    empty, header = write("a.csv", ""), write("b.csv", text(salt="header only"))
    found = looked(store, folder)
    assert [(item.name, item.reason) for item in found.set_aside] == [(empty, "empty_file")]
    assert [file.name for file in found.new] == [header]
    again = looked(store, folder)
    assert (len(again.set_aside), again.new) == (1, ())
    write("a.csv", NEXT)
    write("b.csv", WHOLE)
    looked(store, folder)
    assert counting(store) == {digest_of(WHOLE), digest_of(NEXT)}


def test_copies_are_one_input(store: MemoryStore, folder: Path, write: Writer) -> None:
    a, b = write("a.csv", WHOLE), write("b.csv", WHOLE)
    found = looked(store, folder)
    assert [(file.name, file.names) for file in found.new] == [(a, (a, b))]
    assert found.duplicates == ((b, a),)
    c = write("c.csv", WHOLE)
    found = looked(store, folder)
    assert (found.new, found.known, found.duplicates, found.replaced) == ((), (c,), ((c, a),), ())
    assert is_quiet(looked(store, folder))
    assert store.positions.rows.num_rows == 1
    assert counting(store) == {digest_of(WHOLE)}


def test_links_are_the_file_that_they_lead_to(store: MemoryStore, folder: Path, write: Writer) -> None:
    a = write("a.csv", WHOLE)
    (folder / "z.csv").symlink_to(a)
    (folder / "hard.csv").hardlink_to(a)
    found = looked(store, folder)
    assert [file.names for file in found.new] == [(a, str(folder / "hard.csv"))]
    latest = folder / "latest.csv"
    outside = folder.parent / "one.csv", folder.parent / "two.csv"
    for target, content in zip(outside, (WHOLE, NEXT), strict=True):
        target.write_text(content)
        latest.unlink(missing_ok=True)
        latest.symlink_to(target)
        looked(store, folder)
    assert counting(store) == {digest_of(WHOLE), digest_of(NEXT)}


def test_renamed_files_are_known_again(store: MemoryStore, folder: Path, write: Writer) -> None:
    write("a.csv", WHOLE)
    looked(store, folder)
    (folder / "old").mkdir()
    (folder / "a.csv").rename(folder / "old" / "a.csv")
    found = looked(store, folder)
    assert (found.new, found.known) == ((), (str(folder / "old/a.csv"),))
    assert (found.duplicates, found.replaced) == ((), ())
    found = looked(store, folder)
    assert is_quiet(found)
    assert found.vanished == ()
    assert counting(store) == {digest_of(WHOLE)}


def test_a_file_moved_to_the_archive_and_published_anew_there_is_replaced(
    store: MemoryStore, folder: Path, write: Writer
) -> None:
    write("new/a.csv", WHOLE)
    looked(store, folder)
    (folder / "archive").mkdir()
    (folder / "new" / "a.csv").rename(folder / "archive" / "a.csv")
    looked(store, folder)
    write("archive/a.csv", BETTER)
    looked(store, folder)
    assert counting(store) == {digest_of(BETTER)}


def test_a_copy_that_stays_behind_counts_beside_what_replaced_the_other(
    store: MemoryStore, folder: Path, write: Writer
) -> None:
    write("a.csv", WHOLE)
    write("b.csv", WHOLE)
    looked(store, folder)
    write("a.csv", BETTER)
    looked(store, folder)
    assert counting(store) == {digest_of(WHOLE), digest_of(BETTER)}


def test_published_anew(store: MemoryStore, folder: Path, write: Writer) -> None:
    write("a.csv", WHOLE)
    looked(store, folder)
    write("a.csv", BETTER)
    assert len(looked(store, folder).replaced) == 1
    assert counting(store) == {digest_of(BETTER)}


def test_a_name_written_anew_every_night_is_many_inputs(store: MemoryStore, folder: Path, write: Writer) -> None:
    days = [text((DAY + i, 1000)) for i in range(5)]
    for content in days:
        write("latest.csv", content)
        looked(store, folder)
    assert counting(store) == {digest_of(content) for content in days}


def test_a_name_that_goes_back_to_what_it_held(store: MemoryStore, folder: Path, write: Writer) -> None:
    for content in (WHOLE, BETTER, WHOLE):
        write("a.csv", content)
        found = looked(store, folder)
        assert counting(store) == {digest_of(content)}
    assert (found.new, len(found.known), len(found.replaced)) == ((), 1, 1)
    assert store.positions.rows.num_rows == 2
    assert is_quiet(looked(store, folder))


def test_what_vanished_counts_and_is_known_when_it_is_back(store: MemoryStore, folder: Path, write: Writer) -> None:
    a, b = write("a.csv", WHOLE), write("b.csv", NEXT)
    looked(store, folder)
    when = Path(a).stat().st_mtime_ns
    Path(a).unlink()
    for _ in range(2):
        found = looked(store, folder)
        assert (found.vanished, found.emptied, found.sightings) == ((a,), (), ())
        assert counting(store) == {digest_of(WHOLE), digest_of(NEXT)}
    Path(a).write_text(WHOLE)
    os.utime(a, ns=(when, when))
    assert is_quiet(looked(store, folder))
    Path(b).unlink()
    looked(store, folder)
    write("b.csv", NEXT)
    assert looked(store, folder).known == (b,)
    assert counting(store) == {digest_of(WHOLE), digest_of(NEXT)}


def test_a_share_that_is_not_mounted_stops_nobody(store: MemoryStore, tmp_path: Path) -> None:
    one, other = Writer(tmp_path / "one"), Writer(tmp_path / "other")
    inputs = [tmp_path / "one", tmp_path / "other"]
    one("a.csv", WHOLE)
    b = other("b.csv", NEXT)
    night(store, inputs)
    (tmp_path / "other").rename(tmp_path / "away")
    one("c.csv", text((DAY + 2, 5)))
    found = night(store, inputs)
    assert [(item.name, item.reason) for item in found.set_aside] == [(str(tmp_path / "other"), "missing_input")]
    assert (found.vanished, len(found.new)) == ((b,), 1)
    assert len(counting(store)) == 3
    (tmp_path / "other").mkdir()
    found = night(store, inputs)
    assert (found.set_aside, found.emptied, found.vanished) == ((), (str(tmp_path / "other"),), (b,))
    (tmp_path / "other").rmdir()
    (tmp_path / "away").rename(tmp_path / "other")
    assert is_quiet(night(store, inputs))
    with pytest.raises(UsageError, match="nowhere"):
        night(store, [tmp_path / "nowhere"])


def test_copies_on_a_share_that_comes_and_goes_are_not_read_again(store: MemoryStore, tmp_path: Path) -> None:
    for name in ("one", "other"):
        Writer(tmp_path / name)("a.csv", WHOLE)
    inputs = [tmp_path / "one", tmp_path / "other"]
    night(store, inputs)
    (tmp_path / "other").rename(tmp_path / "away")
    assert [s.digest for s in night(store, inputs).sightings] == [""]
    assert night(store, inputs).sightings == ()
    (tmp_path / "away").rename(tmp_path / "other")
    found = discover(inputs, Ledger.read(store), mapper=_refuse)
    assert (found.known, found.n_unchanged) == ((str(tmp_path / "other/a.csv"),), 2)
    night(store, inputs)
    assert is_quiet(night(store, inputs))
    Writer(tmp_path / "one")("a.csv", BETTER)
    night(store, inputs)
    assert counting(store) == {digest_of(WHOLE), digest_of(BETTER)}


def _refuse(_work: Callable[[object], object], items: Sequence[object]) -> list[object]:
    assert not items
    return []


def test_a_time_set_back_is_another_time(store: MemoryStore, folder: Path, write: Writer) -> None:
    a = write("a.csv", WHOLE)
    looked(store, folder)
    Path(a).write_text(BETTER)
    os.utime(a, (1, 1))
    looked(store, folder)
    assert counting(store) == {digest_of(BETTER)}
    os.utime(a, (2, 2))
    found = looked(store, folder)
    assert (found.known, found.replaced, found.new) == ((a,), (), ())
    assert is_quiet(looked(store, folder))


def test_a_file_changed_under_its_old_time_and_size_is_found_by_reprocessing(
    store: MemoryStore, folder: Path, write: Writer
) -> None:
    a, b = write("a.csv", WHOLE), write("b.csv", NEXT)
    looked(store, folder)
    when, other = Path(a).stat().st_mtime_ns, WHOLE.replace("1000", "1001")
    Path(a).write_text(other)
    os.utime(a, ns=(when, when))
    assert is_quiet(looked(store, folder))
    found = discover([folder], Ledger.read(store), reprocess=True)
    assert {file.name: file.digest for file in found.new} == {a: digest_of(other), b: digest_of(NEXT)}
    assert (found.n_unchanged, found.known, found.sightings) == (0, (), ())
    Ledger.read(store).record(take_in(store, found.new), found.new, found.sightings)
    assert counting(store) == {digest_of(other), digest_of(NEXT)}
    assert len(Ledger.read(store)) == 3


class _Meddled:
    """A file that is meddled with after its first block was read."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        self.meddle, self.really = meddle, discovery.hashlib.sha256

    def __call__(self) -> "_Meddled":
        self.digest = self.really()
        return self

    def update(self, block: bytes) -> None:
        self.digest.update(block)
        self.meddle()

    def hexdigest(self) -> str:
        return str(self.digest.hexdigest())


def _append(path: Path) -> None:
    with path.open("a") as handle:
        handle.write("more\n")


def _exchange(path: Path) -> None:
    other, state = path.with_suffix(".part"), path.stat()
    other.write_text(BETTER[: state.st_size].ljust(state.st_size))
    os.utime(other, ns=(state.st_mtime_ns, state.st_mtime_ns))
    other.rename(path)


def _touch(path: Path) -> None:
    os.utime(path, (5, 5))


@pytest.mark.parametrize("meddle", [_append, _exchange, _touch])
def test_a_file_that_changes_while_it_is_looked_at_comes_next_time(
    store: MemoryStore,
    folder: Path,
    write: Writer,
    monkeypatch: pytest.MonkeyPatch,
    meddle: Callable[[Path], None],
) -> None:
    a = write("a.csv", WHOLE)
    with monkeypatch.context() as patched:
        patched.setattr(discovery.hashlib, "sha256", _Meddled(lambda: meddle(Path(a))))
        found = discover([folder], Ledger.read(store))
    assert [(item.name, item.reason) for item in found.set_aside] == [(a, "changing")]
    assert found.new == ()
    write("a.csv", WHOLE)
    looked(store, folder)
    assert counting(store) == {digest_of(WHOLE)}


def test_a_file_that_grew_or_went_or_became_a_pipe_since_it_was_listed(folder: Path, write: Writer) -> None:
    for name in ("grew.csv", "gone.csv", "pipe.csv"):
        write(name, WHOLE)

    def meddled(work: Callable[[object], object], items: Sequence[object]) -> list[object]:
        _append(folder / "grew.csv")
        (folder / "gone.csv").unlink()
        (folder / "pipe.csv").unlink()
        os.mkfifo(folder / "pipe.csv")
        return list(map(work, items))

    found = discover([folder], Ledger.read(MemoryStore()), mapper=meddled)
    assert {Path(item.name).name: item.reason for item in found.set_aside} == {
        "grew.csv": "changing",
        "gone.csv": "unreadable",
        "pipe.csv": "not_a_file",
    }


def test_a_file_that_may_not_be_read_is_set_aside(folder: Path, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = write("a.csv", WHOLE), write("b.csv", NEXT)
    really = os.open

    def opened(path: str, flags: int) -> int:
        if path == str(Path(a).resolve()):
            raise PermissionError(13, "Permission denied")
        return really(path, flags)

    monkeypatch.setattr("os.open", opened)
    found = discover([folder], Ledger.read(MemoryStore()))
    assert [(item.name, item.reason) for item in found.set_aside] == [(a, "unreadable")]
    assert [file.name for file in found.new] == [b]


def test_logs_are_inputs_only_where_they_hold_sentences(folder: Path, write: Writer) -> None:
    write("job.log", "started\n")
    write("notes.txt", "")
    write("notes.txt.gz", "no packing at all")
    sentences = write("ais.log", NMEA), write("ais.txt.gz", gzip.compress(NMEA.encode(), mtime=0))
    found = discover([folder], Ledger.read(MemoryStore()))
    assert tuple(file.name for file in found.new) == sentences
    assert found.set_aside == ()


def test_every_name_is_looked_at_in_the_order_of_names_however_the_work_is_spread(
    folder: Path, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(20):
        write(f"{i:02}.csv", text((DAY, i + 1)))
    known = discover([folder], Ledger.read(MemoryStore()))
    monkeypatch.setattr(discovery, "_BATCH_FILES", 3)
    sizes: list[int] = []

    def spread(work: Callable[[Sequence[object]], object], items: Sequence[Sequence[object]]) -> list[object]:
        sizes.extend(len(item) for item in items)
        return [work(item) for item in items]

    assert discover([folder], Ledger.read(MemoryStore()), mapper=spread) == known
    assert sizes == [3] * 6 + [2]
    monkeypatch.setattr(discovery, "_BATCH_BYTES", 1)
    sizes.clear()
    assert discover([folder], Ledger.read(MemoryStore()), mapper=spread) == known
    assert sizes == [1] * 20


def test_a_content_that_the_ledger_lost_is_taken_in_again(store: MemoryStore, folder: Path, write: Writer) -> None:
    a = write("a.csv", WHOLE)
    state = Path(a).stat()
    sighting = Sighting(a, digest_of(WHOLE), state.st_size, state.st_mtime_ns, 1)
    store.names.append(sighting_rows([sighting]))
    found = looked(store, folder)
    assert ([file.digest for file in found.new], found.replaced) == ([digest_of(WHOLE)], ())
    assert counting(store) == {digest_of(WHOLE)}
    assert is_quiet(looked(store, folder))


def test_names_that_changed_places_lose_nothing(store: MemoryStore, folder: Path, write: Writer) -> None:
    write("a.csv", WHOLE)
    write("b.csv", BETTER)
    looked(store, folder)
    write("a.csv", BETTER)
    write("b.csv", WHOLE)
    found = looked(store, folder)
    assert (found.new, len(found.known), len(found.replaced)) == ((), 2, 2)
    assert counting(store) == {digest_of(WHOLE), digest_of(BETTER)}


def test_what_is_found_does_not_depend_on_the_order_of_inputs(folder: Path, write: Writer) -> None:
    write("a/x.csv", WHOLE)
    write("b/x.csv", WHOLE)
    write("c.csv", NEXT)
    parts = [folder / "a", folder / "b", f"{folder}/*.csv"]
    ledger = Ledger.read(MemoryStore())
    known = discover(parts, ledger)
    assert discover(parts[::-1], ledger) == known == discover([folder, *parts], ledger) == discover([folder], ledger)


def test_a_new_input_can_be_sent_to_another_process(folder: Path, write: Writer) -> None:
    write("a.csv", WHOLE)
    (file,) = discover([folder], Ledger.read(MemoryStore())).new
    assert isinstance(file, NewInput)
    assert stat.S_ISREG(file.path.stat().st_mode)
    assert file.sightings == (Sighting(file.name, file.digest, file.n_bytes, file.mtime_ns, 1),)
