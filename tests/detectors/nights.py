"""Small worlds for tests of the nightly job: the fixtures' first days, some of their ships, settings beside them."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.batch.lock import LOCK_FILE
from detectors.batch.nightly import Night, nightly
from detectors.batch.nights import read_nights
from detectors.batch.settings import load_settings
from detectors.cli.entry import main
from vessels.store.ledger import Ledger
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore

ROOT = Path(__file__).parents[2]
TRACKS = sorted((ROOT / "fixtures" / "tracks").glob("*.parquet"))
TELLING = ("night_id", "seq", "revision")
QUICK = """
[detect.isolation_forest]
enabled = false
[baseline]
learn = false
"""
"""Settings for tests of faults, which need many nights: the learned detector has its own tests."""


@cache
def ships(every: int) -> frozenset[int]:
    """One in so many of the fixtures' ships that are heard on the first day, and all that sail under a DPRK flag."""
    mmsi = sorted(pc.unique(pq.read_table(TRACKS[0], columns=["mmsi"])["mmsi"]).to_pylist())
    return frozenset([*mmsi[::every], *(one for one in mmsi if one // 1_000_000 == 445)])


def day_files(folder: Path, n_days: int, every: int = 15) -> list[Path]:
    """The first days of the fixtures, one file a day, with some of their ships only."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for source in TRACKS[:n_days]:
        table = pq.read_table(source)
        own = pc.is_in(table["mmsi"], value_set=pa.array(sorted(ships(every)), table["mmsi"].type))
        out.append(folder / source.name)
        pq.write_table(table.filter(own), out[-1], compression="zstd")
    return out


@dataclass(frozen=True)
class World:
    """A folder with an input folder, settings, a store and nights."""

    folder: Path

    @property
    def tracks(self) -> Path:
        """Where files arrive."""
        return self.folder / "tracks"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "wakewatch.toml"

    @property
    def out(self) -> Path:
        """Where nights are written."""
        return self.folder / "nights"

    @property
    def store(self) -> Path:
        """The track store."""
        return self.folder / "store"

    def put(self, *files: Path) -> None:
        """Let files arrive, as they are, times included."""
        for file in files:
            shutil.copy2(file, self.tracks / file.name)

    def night(self, **options: Any) -> Night:
        """Run the job in this process."""
        return nightly(load_settings(self.settings), jobs=options.pop("jobs", 1), **options)

    def job(self, *options: str) -> int:
        """Run the command in this process and give its exit status."""
        return main(["nightly", "--settings", str(self.settings), "--jobs", "1", *options])

    def copy(self, folder: Path) -> "World":
        """The same world elsewhere, file times included."""
        return World(shutil.copytree(self.folder, folder, symlinks=True))

    def tables(self, *names: str) -> dict[str, pa.Table]:
        """Tables of the newest night."""
        return {name: pq.read_table(self.out / "latest" / f"{name}.parquet") for name in names}

    def run(self) -> dict[str, Any]:
        """run.json of the newest night."""
        record: dict[str, Any] = json.loads((self.out / "latest" / "run.json").read_text(encoding="utf-8"))
        return record


def new_world(folder: Path, more: str = "") -> World:
    """An empty world; `more` is added to its settings."""
    world = World(folder)
    world.tracks.mkdir(parents=True)
    lines = [
        "[input]",
        'tracks = ["tracks"]',
        "[output]",
        'path = "nights"',
        "[store]",
        'path = "store"',
        "buckets = 4",
    ]
    world.settings.write_text("\n".join([*lines, more, ""]), encoding="utf-8")
    return world


FACTS = ("voyages", "port_visits", "identities", "hull_links", "gaps", "loitering", "encounters", "position_events")


def said(world: World) -> dict[str, pa.Table]:
    """What the newest night says of ships, without how it compares with what was told: withdrawn rows and statuses."""
    tables = world.tables("flagged_voyages", "findings", *FACTS)
    flagged = tables["flagged_voyages"]
    flagged = flagged.filter(pc.not_equal(flagged["status"], "withdrawn"))
    return {**tables, "flagged_voyages": flagged.drop_columns(["status", "changes"])}


def assert_same(one: World, other: World, tables: Sequence[str] = ("flagged_voyages", "findings", *FACTS)) -> None:
    """Both worlds' newest nights say the same, to the last value."""
    first, second = said(one), said(other)
    for name in tables:
        assert first[name].equals(second[name]), f"{name} differs: {first[name].num_rows} and {second[name].num_rows}"


def assert_told_alike(one: World, other: World) -> None:
    """Both worlds' newest nights say the same and compare alike with what was told before: statuses and changes too."""
    assert_same(one, other)
    first, second = (world.tables("flagged_voyages")["flagged_voyages"] for world in (one, other))
    assert first.equals(second), "statuses or changes differ"


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder, but for locks, with what it holds; of a link, where it points."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or (path.is_file() and path.name != LOCK_FILE)
    }


def assert_nothing_is_left_over(world: World) -> None:
    """No staging folder stands in OUT; the store has each input, its rows and each night once."""
    assert not [path.name for path in world.out.iterdir() if path.name.startswith((".night-", ".old-", ".latest"))]
    store = TrackStore.open(StorePlace(str(world.store), {}), n_buckets=1, create=False)
    digests = store.inputs.read()["digest"].to_pylist()
    assert len(digests) == len(set(digests)) == len(Ledger.read(store))
    seqs = [row["seq"] for row in read_nights(store).rows]
    assert seqs == list(range(1, len(seqs) + 1))
    stored = Counter(store.positions.read(["source"])["source"].to_pylist())
    entries = Ledger.read(store).counting()
    assert all(stored[entry.source] == entry.n_stored for entry in entries), "rows of an input are missing or twice"


def touch_ns(path: Path, mtime_ns: int) -> None:
    """Set a file's time."""
    os.utime(path, ns=(mtime_ns, mtime_ns))
