"""What a scan found, in the hands of who asked: tables as data frames, pictures of voyages and the report page.

Takes the tables and the record of a run, in memory or read back from its folder; gives a `Result` or a `SavedRun`.
Making them is left to `detectors.batch.scan`, drawing to `detectors.report`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow as pa

from detectors.run_folder import LoadedRun, run_in_memory
from detectors.run_folder import load_run as load_folder
from vessels.history import History

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from detectors.report.notebook import Desk, Picture, Report


@dataclass(frozen=True)
class RunRecord:
    """What run.json says of a run: inputs, what was left out, settings, versions, times, counts, zones under watch.

    `failures` are the vessels that a step failed on and so was run without; see `detectors.batch.broken.Failure`.
    """

    wakewatch: str
    versions: Mapping[str, str]
    as_of: datetime
    inputs: Sequence[Mapping[str, Any]]
    set_aside: Sequence[Mapping[str, str]]
    rejects: Mapping[str, int]
    nulled: Mapping[str, int]
    settings: Mapping[str, Any]
    detectors: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    stages: Mapping[str, float]
    n_rows: int
    n_vessels: int
    n_voyages: int
    n_findings: int
    n_flagged: int
    watch: Mapping[str, str] = field(default_factory=dict)
    failures: Sequence[Mapping[str, Any]] = ()


class Run(ABC):
    """A finished run: its tables as data frames, and what people look at, made of the tables alone."""

    tables: Mapping[str, pa.Table]

    @abstractmethod
    def loaded(self) -> LoadedRun:
        """The run as `detectors.run_folder` has it: the tables by name, and what run.json holds."""

    def plot(self, voyage_id: str) -> "Picture":
        """A picture of a voyage: its track on the map, the time line, and what was found. The id, or its beginning.

        A notebook shows it; `.save("case.png")` writes it as PNG or SVG. Raises UsageError for an id that is none.
        """
        return self._desk.picture(voyage_id)

    def explore(self) -> "Report":
        """The report page: every flagged voyage with its case. A notebook shows it; `.save("report.html")` writes."""
        return self._desk.page()

    def _repr_html_(self) -> str:
        return self._desk.summary()

    @cached_property
    def _desk(self) -> "Desk":
        notebook = import_module("detectors.report.notebook")  # not needed to write results, and slow to import
        return cast("Desk", notebook.Desk(self.loaded()))

    @cached_property
    def flagged(self) -> "GeoDataFrame":
        """Flagged voyages by rank, with their track lines (WGS 84)."""
        geopandas = import_module("geopandas")  # as above
        frame = self.tables["flagged_voyages"].to_pandas()
        lines = geopandas.GeoSeries.from_wkb(frame["geometry"], crs="OGC:CRS84")
        return geopandas.GeoDataFrame(frame.drop(columns="geometry"), geometry=lines)

    @property
    def findings(self) -> pd.DataFrame:
        """All findings, flagged voyage or not."""
        return self._frame("findings")

    @property
    def voyages(self) -> pd.DataFrame:
        """All voyages with their measures and anomaly score."""
        return self._frame("voyages")

    @property
    def port_visits(self) -> pd.DataFrame:
        """All port visits."""
        return self._frame("port_visits")

    @property
    def identities(self) -> pd.DataFrame:
        """All identity spells."""
        return self._frame("identities")

    @property
    def hull_links(self) -> pd.DataFrame:
        """Pairs of tracks that are, or may be, one hull, with what speaks for and against."""
        return self._frame("hull_links")

    @property
    def gaps(self) -> pd.DataFrame:
        """Silences of ships, closed and open, and what reception around them says of them."""
        return self._frame("gaps")

    @property
    def loitering(self) -> pd.DataFrame:
        """Times ships spent slow at sea, outside ports."""
        return self._frame("loitering")

    @property
    def encounters(self) -> pd.DataFrame:
        """Meetings of two ships, slow and close together, outside ports."""
        return self._frame("encounters")

    @property
    def position_events(self) -> pd.DataFrame:
        """Positions that no ship can have had, or hardly."""
        return self._frame("position_events")

    @property
    def rejects(self) -> pd.DataFrame:
        """Rows dropped, by file and reason."""
        return self._frame("rejects")

    def _frame(self, name: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.tables[name].to_pandas()
        return frame


@dataclass(frozen=True)
class Result(Run):
    """What a scan found: Arrow tables by name, the run record, and the history behind them."""

    tables: Mapping[str, pa.Table]
    run: RunRecord
    history: History = field(repr=False)

    def loaded(self) -> LoadedRun:
        """The run as `load_run` would read it back, but for a folder."""
        return run_in_memory(self, Path())


@dataclass(frozen=True)
class SavedRun(Run):
    """A run read back from the folder it was written to: Arrow tables by name, and what run.json holds."""

    tables: Mapping[str, pa.Table]
    run: Mapping[str, Any]
    folder: Path

    def loaded(self) -> LoadedRun:
        """The run as it was read."""
        return LoadedRun(self.folder, self.tables, self.run)


def load_run(folder: str | Path) -> SavedRun:
    """A run that `wakewatch scan` or a night wrote, read back from its folder.

    Raises UsageError for a folder that holds no finished run, or one of another format.
    """
    run = load_folder(folder)
    return SavedRun(run.tables, run.run, run.folder)
