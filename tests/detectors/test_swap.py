"""A night's folder comes into place whole, whatever stood there before and wherever a job was killed."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detectors.batch import swap
from detectors.batch.swap import leftovers, night_of, point_latest, recover, seal, staging_folder, swap_in

DATE = "2025-04-09"


def stage(out: Path, night_id: str, text: str = "") -> Path:
    """A finished night in its staging folder."""
    folder = staging_folder(out, night_id)
    (folder / "findings.parquet").write_text(text or night_id)
    (folder / "run.json").write_text(json.dumps({"night_id": night_id}))
    seal(folder)
    return folder


def bring(out: Path, night_id: str, date: str = DATE) -> None:
    stage(out, night_id)
    assert swap_in(out, night_id, date) is None


def shown(out: Path) -> dict[str, str]:
    """Every file below the folder and what is in it; links by where they lead."""
    files = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_symlink():
            files[name] = f"-> {path.readlink()}"
        elif path.is_file() and not name.startswith("latest/"):
            files[name] = path.read_text()
    return files


def night(night_id: str, date: str = DATE) -> dict[str, str]:
    return {f"{date}/findings.parquet": night_id, f"{date}/run.json": json.dumps({"night_id": night_id})}


@pytest.fixture(params=["exchange", "rename aside"])
def out(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of nights on a file system that can exchange two names, and on one that cannot."""
    if request.param == "rename aside":
        monkeypatch.setattr(swap, "_exchange", lambda *_: False)
    return tmp_path / "nights"


def test_this_file_system_exchanges_names(tmp_path: Path) -> None:
    """Else the tests below try one way only."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not swap._exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("no renameat2 here")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_night_comes_into_place_and_replaces_the_one_before(out: Path) -> None:
    bring(out, "night-a")
    assert shown(out) == night("night-a")
    bring(out, "night-b")
    assert shown(out) == night("night-b")
    assert night_of(out / DATE) == "night-b"


def test_what_people_put_beside_the_tables_is_carried_over(out: Path) -> None:
    bring(out, "night-a")
    (out / DATE / "notes.txt").write_text("see rank 3")
    (out / DATE / "charts").mkdir()
    (out / DATE / "charts" / "one.svg").write_text("<svg/>")
    bring(out, "night-b")
    assert shown(out) == {**night("night-b"), f"{DATE}/notes.txt": "see rank 3", f"{DATE}/charts/one.svg": "<svg/>"}


def test_what_is_no_night_is_kept_under_another_name(out: Path) -> None:
    for n, kind in enumerate(("file", "folder", "link"), 1):
        target = out / DATE
        if kind == "file":
            out.mkdir()
            target.write_text("mine")
        elif kind == "folder":
            target.mkdir()
            (target / "mine.txt").write_text("mine")
        else:
            target.symlink_to("elsewhere")
        stage(out, "night-a")
        assert swap_in(out, "night-a", DATE) == out / f"{DATE}.kept-{n}"
        assert night_of(target) == "night-a"
        for path in target.iterdir():
            path.unlink()
        target.rmdir()
    assert shown(out) == {
        f"{DATE}.kept-1": "mine",
        f"{DATE}.kept-2/mine.txt": "mine",
        f"{DATE}.kept-3": "-> elsewhere",
    }


def test_an_earlier_try_leaves_nothing_in_the_staging_folder(out: Path) -> None:
    (staging_folder(out, "night-a") / "half.parquet").write_text("half")
    assert list(staging_folder(out, "night-a").iterdir()) == []


def test_latest_points_at_the_newest_date_whatever_is_written_last(out: Path) -> None:
    out.mkdir()
    assert point_latest(out) is None
    bring(out, "night-a", "2025-04-09")
    assert point_latest(out) == "2025-04-09"
    bring(out, "night-b", "2025-04-08")
    bring(out, "night-c", "2025-04-10")
    (out / "2025-04-11").mkdir()  # no finished night
    assert point_latest(out) == "2025-04-10"
    assert (out / "latest").readlink() == Path("2025-04-10")
    bring(out, "night-d", "2025-04-07")
    assert point_latest(out) == "2025-04-10"


def test_the_link_is_never_missing_while_it_moves(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(out, "night-a", "2025-04-09")
    point_latest(out)
    bring(out, "night-b", "2025-04-10")
    seen = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((out / "latest").readlink())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    point_latest(out)
    assert seen == [Path("2025-04-09")]


def test_something_else_called_latest_is_left_alone(out: Path) -> None:
    bring(out, "night-a")
    (out / "latest").mkdir()
    with pytest.raises(FileExistsError, match="no link of wakewatch's"):
        point_latest(out)
    assert (out / "latest").is_dir()


class Killed(BaseException):
    """The process died here."""


STEPS = ("rename", "replace", "unlink", "symlink_to")


def kill_points(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Do the work again and again, dying before its first change of the folder, its second, ... until it ends alive."""
    n = 0
    while True:
        left = [n]

        def step(real: Callable[..., object], left: list[int] = left) -> Callable[..., object]:
            def counted(*arguments: object, **options: object) -> object:
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
                return real(*arguments, **options)

            return counted

        with monkeypatch.context() as patched:
            for name in STEPS:
                patched.setattr(Path, name, step(getattr(Path, name)))
            patched.setattr(swap, "_exchange", step(swap._exchange))
            patched.setattr(swap.shutil, "rmtree", step(swap.shutil.rmtree))
            try:
                work()
            except Killed:
                pass
            else:
                return
        yield n
        n += 1


@pytest.mark.parametrize("before", ["nothing", "a night", "a night and notes"])
def test_a_swap_that_is_killed_anywhere_is_finished_by_the_next_job(
    before: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = [("night-a", DATE), ("night-b", DATE)]

    def prepare() -> None:
        for path in [*out.glob("*"), *out.glob(".*")] if out.exists() else []:
            swap._removed(path)
        out.mkdir(exist_ok=True)
        if before != "nothing":
            bring(out, "night-a")
            point_latest(out)
        if "notes" in before:
            (out / DATE / "notes.txt").write_text("mine")
        stage(out, "night-b")

    def work() -> None:
        swap_in(out, "night-b", DATE)
        point_latest(out)

    prepare()
    points = 0
    for _ in kill_points(work, monkeypatch):
        points += 1
        if (out / DATE).exists():
            assert night_of(out / DATE) in ("night-a", "night-b")
        recover(out, committed)
        point_latest(out)
        notes = {f"{DATE}/notes.txt": "mine"} if "notes" in before else {}
        assert shown(out) == {**night("night-b"), **notes, "latest": f"-> {DATE}"}
        assert leftovers(out) == []
        assert recover(out, committed) == swap.Recovered()
        prepare()
    assert points >= (3 if before == "nothing" else 2)


def test_a_recovery_that_is_killed_anywhere_is_finished_by_the_next(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = [("night-a", DATE), ("night-b", DATE)]
    prepared = False
    points = 0

    def work() -> None:
        recover(out, committed)

    def prepare() -> None:
        for path in [*out.glob("*"), *out.glob(".*")] if out.exists() else []:
            swap._removed(path)
        bring(out, "night-a")
        (out / DATE / "notes.txt").write_text("mine")
        stage(out, "night-b")
        stage(out, "night-never-committed")

    prepare()
    for _ in kill_points(work, monkeypatch):
        points += 1
        recover(out, committed)
        assert shown(out) == {**night("night-b"), f"{DATE}/notes.txt": "mine"}
        prepare()
        prepared = True
    assert prepared
    assert points >= 3


def test_a_night_that_was_never_committed_is_swept_away(out: Path) -> None:
    bring(out, "night-a")
    stage(out, "night-b")
    (out / ".night-c").mkdir()
    (out / ".latest-new").symlink_to("nowhere")
    (out / "mine.txt").write_text("mine")
    found = recover(out, [("night-a", DATE)])
    assert found.n_swept == 3
    assert found.brought_in == ()
    assert shown(out) == {**night("night-a"), "mine.txt": "mine"}


def test_of_two_nights_of_one_date_the_later_stays(out: Path) -> None:
    """A leftover of a night that another night of the same date has replaced since is not brought back."""
    bring(out, "night-b")
    stage(out, "night-a")
    recover(out, [("night-a", DATE), ("night-b", DATE)])
    assert shown(out) == night("night-b")


def test_there_is_nothing_to_recover_where_there_is_no_folder(tmp_path: Path) -> None:
    assert recover(tmp_path / "none", []) == swap.Recovered()
    assert leftovers(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_half_a_run_record_is_no_night(tmp_path: Path) -> None:
    assert night_of(tmp_path) is None
    for text in ('{"night_id": ', "[]", '{"night_id": 3}', ""):
        (tmp_path / "run.json").write_text(text)
        assert night_of(tmp_path) is None
    (tmp_path / "run.json").write_bytes(os.urandom(64))
    assert night_of(tmp_path) is None
