"""Ten days of the fixtures, some sixty ships of them: enough for every kind to be planted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from detectors.backtest.fleet import Fleet, fleet_of
from detectors.backtest.waters import Waters
from vessels.canonical import write_canonical
from vessels.reading import ReadOptions, find_inputs
from vessels.zones import read_zones

TRACKS = Path(__file__).parents[3] / "fixtures" / "tracks"
DAYS = [TRACKS / f"ais-2025-03-{day:02d}.parquet" for day in range(1, 15)]
ONE_VESSEL_IN = 3


@pytest.fixture(scope="session")
def some_tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of every third class A ship's rows, two weeks of them, in the columns of the fixtures."""
    table = pa.concat_tables([pq.read_table(day) for day in DAYS])
    ships = pc.unique(table.filter(pc.equal(table["transceiver"], "A"))["mmsi"]).to_numpy()
    kept = np.sort(ships)[::ONE_VESSEL_IN]
    path = tmp_path_factory.mktemp("tracks") / "some.parquet"
    pq.write_table(table.filter(pc.is_in(table["mmsi"], pa.array(kept))), path)
    return path


@pytest.fixture(scope="session")
def canonical(some_tracks: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The same rows in canonical columns."""
    files, _ = find_inputs([some_tracks])
    path = tmp_path_factory.mktemp("canonical") / "some.parquet"
    write_canonical(files, path, ReadOptions())
    return pq.read_table(path)


@pytest.fixture(scope="session")
def fleet(canonical: pa.Table) -> Fleet:
    """The ships of these rows."""
    return fleet_of(canonical)


@pytest.fixture(scope="session")
def busy_fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """All vessels of these two weeks: ships meet, tugs are about."""
    files, _ = find_inputs(DAYS)
    path = tmp_path_factory.mktemp("busy") / "busy.parquet"
    write_canonical(files, path, ReadOptions())
    return fleet_of(pq.read_table(path))


@pytest.fixture(scope="session")
def waters() -> Waters:
    """The sea of the packaged zones."""
    return Waters(read_zones())


def rows_of(table: pa.Table, mmsi: int | Sequence[int]) -> pa.Table:
    """The rows of some MMSI, in order of time."""
    wanted = [mmsi] if isinstance(mmsi, int) else list(mmsi)
    return table.filter(pc.is_in(table["mmsi"], pa.array(wanted))).sort_by("timestamp")
