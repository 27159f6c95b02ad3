"""Nightly: new track files into the store, and what the last months show, told once and kept.

Takes settings; gives a `Night`: what was taken in, what is told, and the folder that holds it. The steps are those of
docs/nightly.md; each may be killed and done again. One night's judging is left to `detectors.batch.night`, printing to
the command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from detectors.batch.clock import Clock
from detectors.batch.engines import Engine, open_engine
from detectors.batch.lock import only_job
from detectors.batch.night import ToldNight, point_or_say, tell_night
from detectors.batch.night_desk import Desk, Tools, tools_of
from detectors.batch.nights import NIGHTS, kept_table, read_nights
from detectors.batch.run_log import RunLog
from detectors.batch.scan import read_options
from detectors.batch.settings import Settings, check_for_nightly
from detectors.batch.standing import existing_store
from detectors.batch.swap import recover
from detectors.batch.told import TOLD
from detectors.batch.verdicts import VERDICTS
from detectors.batch.window import day_of, end_of_day_us
from vessels.errors import NothingReadableError, UsageError
from vessels.instants import instant_of, instant_us
from vessels.intake import Progress, no_progress
from vessels.reading import ReadOptions, SetAside
from vessels.store.discovery import Discovery, discover
from vessels.store.entries import NewInput
from vessels.store.kept_rows import ThinParameters
from vessels.store.layout import INPUTS, NAMES
from vessels.store.ledger import Ledger
from vessels.store.place import StorePlace
from vessels.store.store import TrackStore
from vessels.store.taking_in import Taken, groups_of, take_in
from vessels.store.upkeep import UpkeepParameters, keep_up
from vessels.units import US_PER_DAY
from vessels.zones import Zones

_QUIET: Final = RunLog()


@dataclass(frozen=True)
class Night:
    """What a run of the job did: run.json of its last night, where that lies, and what was left out.

    `folder` is None where nothing was told: a dry run, or a store without a row. `failures` are vessels and detectors
    left out, as run.json has them.
    """

    record: Mapping[str, Any]
    folder: Path | None
    set_aside: tuple[SetAside, ...]
    failures: tuple[Mapping[str, Any], ...] = ()


def nightly(
    settings: Settings,
    *,
    as_of: datetime | None = None,
    jobs: int | None = None,
    engine: str = "local",
    dry_run: bool = False,
    since: datetime | None = None,
    reprocess: bool = False,
    progress: Progress = no_progress,
    log: RunLog = _QUIET,
) -> Night:
    """Take in what is new and tell what deserves a second look.

    `as_of` is "now" (aware), by default the newest time in all data that count. With `since`, one night is told for
    each day with data from then on, the oldest first. With `reprocess`, files that are known are read again. A dry run
    looks around and changes nothing.

    Raises UsageError and SettingsError for what the caller can mend, BusyError while another job runs, StoreError when
    the store cannot be read or written, NothingReadableError when no input was readable and the store is empty.
    """
    check_for_nightly(settings)
    if as_of is not None and since is not None and since > as_of:
        raise UsageError(f"--since {since.isoformat()} is after --as-of {as_of.isoformat()}; give an earlier one")
    place = StorePlace(str(settings.store.path), settings.store.storage_options())
    out = Path(str(settings.output.path))
    tools = tools_of(settings)
    if dry_run:
        found = discover(settings.input.tracks, _known(place, settings.store.buckets), reprocess=reprocess)
        return Night({"discovery": _discovery(found)}, None, found.set_aside)
    folders = [Path(place.url), out] if place.is_local else [out]
    with only_job(folders):
        store = TrackStore.open(place, n_buckets=settings.store.buckets, create=True)
        return _Job(settings, store, out, tools, jobs, progress, log).run(engine, as_of, since, reprocess=reprocess)


class _Job:
    """One run of the job, with all that its steps share."""

    def __init__(
        self,
        settings: Settings,
        store: TrackStore,
        out: Path,
        tools: Tools,
        jobs: int | None,
        progress: Progress,
        log: RunLog,
    ) -> None:
        self.settings = settings
        self.store = store
        self.out = out
        self.tools = tools
        self.jobs = jobs
        self.progress = progress
        self.log = log
        self.clock = Clock()

    def run(self, engine: str, as_of: datetime | None, since: datetime | None, *, reprocess: bool) -> Night:
        """All steps, one after the other."""
        with self.clock.stage("recover"):
            self._recover()
        with open_engine(engine, self.jobs) as crew:
            ledger, came, set_aside = self._take_in(crew, reprocess=reprocess)
            if ledger.as_of_us() == 0:
                return self._nothing(came, set_aside)
            told: ToldNight | None = None
            desk = Desk(self.settings, self.store, self.out, self.tools, crew, self.progress, self.log, self.clock)
            for now_us in _nights(ledger, as_of, since):
                told = tell_night(desk, ledger, now_us, came=came, set_aside=set_aside)
        if told is None:
            raise UsageError("no data count from --since on; give an earlier one")
        with self.clock.stage("upkeep"):
            self._keep_up(ledger)
        return Night(told.record, told.folder, set_aside, tuple(told.record["failures"]))

    def _recover(self) -> None:
        nights = read_nights(self.store)
        recovered = recover(self.out, [(row["night_id"], row["date"]) for row in nights.rows])
        if recovered.brought_in or recovered.n_swept:
            self.log.warning("recovered", brought_in=list(recovered.brought_in), swept=recovered.n_swept)
        point_or_say(self.out, self.log)

    def _take_in(self, crew: Engine, *, reprocess: bool) -> tuple[Ledger, Mapping[str, Any], tuple[SetAside, ...]]:
        """Whatever is new into the store: the ledger then, what run.json says of it, and what was set aside."""
        settings = self.settings
        with self.clock.stage("discover"):
            ledger = Ledger.read(self.store)
            found = discover(
                settings.input.tracks,
                ledger,
                reprocess=reprocess,
                mapper=lambda work, items: crew.map(work, items, stage="digest", progress=self.progress),
            )
        self.log.info(
            "discovered", new=len(found.new), known=found.n_unchanged + len(found.known), set_aside=len(found.set_aside)
        )
        with self.clock.stage("ingest"):
            groups = groups_of(found.new, at_once=crew.jobs)
            n_bytes = sum(file.n_bytes for file in found.new)
            work = partial(
                _take_in_group,
                self.store.place,
                read_options(settings),
                self.tools.zones,
                ThinParameters(thin_s=settings.ingest.thin_s, gap_s=settings.ingest.gap_s),
                self.store.n_buckets,
                crew.threads(len(groups)),
            )
            taken = crew.map(work, groups, stage="ingest", progress=self.progress, n_rows=n_bytes // _BYTES_PER_ROW)
            entries = [entry for one in taken for entry in one.entries]
            ledger = ledger.record(entries, found.new, found.sightings)
        set_aside = sorted({*found.set_aside, *(s for one in taken for s in one.set_aside)}, key=lambda s: s.name)
        rows, kept = sum(entry.n_rows for entry in entries), sum(entry.n_stored for entry in entries)
        self.log.info("taken_in", files=len(entries), rows=rows, kept=kept, set_aside=len(set_aside))
        counting = {entry.digest for entry in ledger.counting()} if found.replaced else set()
        for one in found.replaced:
            if one.old in counting:
                self.log.warning("still_counts", name=one.name, rows=one.n_rows_before)
        taken_in = {"files": len(entries), "rows": rows, "kept": kept}
        return ledger, {"discovery": _discovery(found), "taken_in": taken_in}, tuple(set_aside)

    def _nothing(self, came: Mapping[str, Any], set_aside: tuple[SetAside, ...]) -> Night:
        """Nothing in the store that could be told of: no file yet, files without rows, or none that can be read."""
        if set_aside and not came["taken_in"]["files"]:
            raise NothingReadableError(
                "the store is empty and every input had to be set aside: " + "; ".join(s.detail for s in set_aside)
            )
        record = {**came, "set_aside": [asdict(item) for item in set_aside], "failures": []}
        return Night({**record, "stages": self.clock.rounded()}, None, set_aside)

    def _keep_up(self, ledger: Ledger) -> None:
        given, retention_days = self.settings.store, self.settings.store.retention_days
        gap_days = _longest_gap_days(ledger)
        if retention_days is not None and gap_days > self.settings.detect.lookback_days:
            # A file that is dated years ahead must not make all real weeks old.
            self.log.warning("retention_waits", gap_days=gap_days)
            retention_days = None
        parameters = UpkeepParameters(
            compact_files=given.compact_files, retention_days=retention_days, vacuum_h=given.vacuum_hours
        )
        extras = [kept_table(self.store, declared) for declared in (TOLD, NIGHTS, VERDICTS)]
        kept = keep_up(self.store, ledger.as_of_us(), parameters, extras)
        self.log.info("upkeep", **asdict(kept))


def _longest_gap_days(ledger: Ledger) -> int:
    """The longest stretch of days without rows between two that count."""
    first_us, last_us = ledger.span_us()
    days = sorted(day for day in ledger.newest_us() if first_us // US_PER_DAY <= day <= last_us // US_PER_DAY)
    return max((after - before for before, after in pairwise(days)), default=0)


_BYTES_PER_ROW: Final = 20
"""Of a track file, packed: 10 (Parquet) to 100 (CSV). Only for telling small work from big."""


_VANISHED_NAMED: Final = 100
"""Names of vanished files in run.json; who empties the input folder has more of them every night."""


def _take_in_group(
    place: StorePlace,
    options: ReadOptions,
    zones: Zones,
    parameters: ThinParameters,
    n_buckets: int,
    jobs: int,
    files: Sequence[NewInput],
) -> Taken:
    """One task: some files into the store."""
    return take_in(place, files, options, zones, parameters, n_buckets=n_buckets, jobs=jobs)


def _known(place: StorePlace, n_buckets: int) -> Ledger:
    """What the store knows; before the first night nothing, and no store is made."""
    store = existing_store(place, n_buckets)
    if store is None:
        return Ledger(TrackStore(place, n_buckets), INPUTS.empty(), NAMES.empty(), version=-1)
    return Ledger.read(store)


def _nights(ledger: Ledger, as_of: datetime | None, since: datetime | None) -> list[int]:
    """The "now" of each night to tell, oldest first."""
    first_us, newest_us = ledger.span_us()
    last_us = newest_us if as_of is None else instant_us(as_of)
    if not first_us <= last_us <= newest_us + US_PER_DAY:
        raise UsageError(
            f"--as-of {instant_of(last_us).isoformat()}: the data that count run from "
            f"{instant_of(first_us).isoformat()} to {instant_of(newest_us).isoformat()}; give a time between, "
            "or leave it out"
        )
    if since is None:
        return [last_us]
    days = {min(end_of_day_us(day), last_us) for day in range(day_of(since), last_us // US_PER_DAY + 1)}
    newest = ledger.newest_us()
    return sorted({min(us, newest[us // US_PER_DAY]) for us in days if us // US_PER_DAY in newest})


def _discovery(found: Discovery) -> dict[str, Any]:
    """What was found in the input folders, as run.json has it."""
    return {
        "new": [{"name": file.name, "names": list(file.names), "n_bytes": file.n_bytes} for file in found.new],
        "replaced": [asdict(one) for one in found.replaced],
        "n_vanished": len(found.vanished),
        "vanished": list(found.vanished[:_VANISHED_NAMED]),
        "emptied": list(found.emptied),
        "duplicates": [list(pair) for pair in found.duplicates],
        "known": found.n_unchanged + len(found.known),
    }
